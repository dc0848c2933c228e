#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <serinus/core/reason.hpp>
#include <serinus/core/text.hpp>
#include <serinus/core/words.hpp>
#include <serinus/numeric/elementary.hpp>
#include <serinus/report/html.hpp>
#include <serinus/series/time.hpp>

#include "report/chart.hpp"
#include "report/escaped.hpp"
#include "report/html_parts.hpp"
#include "report/number.hpp"
#include "report/told.hpp"

namespace serinus {
inline namespace v0 {
namespace report {
namespace {

constexpr double ln10 = 2.302585092994046;

std::string_view class_of(Style style) {
    switch (style) {
        case Style::good: return "good";
        case Style::bad: return "bad";
        case Style::open: return "open";
        default: return "quiet";
    }
}

// ---- one metric over time

const MetricResult* metric_of(const Decision& decision, std::string_view name) {
    for (const MetricResult& metric : decision.metrics) {
        if (metric.name == name) return &metric;
    }
    return nullptr;
}

std::optional<double> observed(const MetricResult& metric, const std::string& name) {
    for (const NamedNumber& number : metric.observed) {
        if (number.name == name) return number.value;
    }
    return std::nullopt;
}

/// What an arm has brought so far in its stage, as a sum over a sum.
struct Sums {
    double above = 0, below = 0;
};

/// Nothing for kinds whose numbers say something else.
std::optional<Sums> sums_of(const MetricResult& metric, const std::string& arm) {
    constexpr std::pair<std::string_view, std::string_view> counted[] = {{"bad", "total"}, {"events", "exposure"}};
    for (const auto& [above, below] : counted) {
        const auto x = observed(metric, std::string(above) + "_" + arm),
                   n = observed(metric, std::string(below) + "_" + arm);
        if (x && n) return Sums{*x, *n};
    }
    const auto mean = observed(metric, "mean_" + arm), intervals = observed(metric, "intervals");
    if (!mean || !intervals) return std::nullopt;
    return *intervals > 0 ? Sums{*mean * *intervals, *intervals} : Sums{};
}

/// The curves of a metric, over the minutes since the first decision.
struct Course {
    chart::Curve baseline{"b", {}}, canary{"c", {}}, evidence{"c", {}}, mirror{"b", {}};
    std::vector<double> stages;  // when the next one began
};

Course course_of(const Record& record, std::string_view name) {
    Course course;
    std::array<Sums, 2> before{};
    int stage = 0;
    std::optional<Time> begin;
    for (const Decision& decision : record.decisions) {
        const MetricResult* const metric = metric_of(decision, name);
        if (!metric || !decision.time) continue;
        if (!begin) begin = decision.time;
        const double minutes = static_cast<double>((*decision.time - *begin).count()) / 60'000;
        if (decision.stage != stage) {
            if (stage != 0) course.stages.push_back(minutes);
            stage = decision.stage;
            before = {};
        }
        constexpr std::array<std::string_view, 2> arms{"baseline", "canary"};
        for (std::size_t arm = 0; arm < arms.size(); ++arm) {
            const std::optional<Sums> sums = sums_of(*metric, std::string(arms[arm]));
            if (!sums) continue;
            const double above = sums->above - before[arm].above, below = sums->below - before[arm].below;
            // Sums of means lose their last digits: a share of nothing is 0, whatever is left of it.
            if (below > 0)
                (arm == 0 ? course.baseline : course.canary)
                    .points.push_back({minutes, std::abs(above) < 1e-9 * std::abs(sums->above) ? 0 : above / below});
            before[arm] = *sums;
        }
        course.evidence.points.push_back({minutes, metric->evidence.log_e_value / ln10});
        course.mirror.points.push_back({minutes, metric->mirror.log_e_value / ln10});
    }
    return course;
}

std::string axis_text(const MetricResult& metric, double value) {
    return facts_of(metric.kind).share ? percent(value) : number(value);
}

std::string drawings(const Record& record, const MetricResult& metric, const MetricTold& told) {
    const Course course = course_of(record, metric.name);
    std::string curves;
    const auto unit = [&](double value) { return axis_text(metric, value); };
    const auto power = [](double value) { return "10^" + number_text(std::round(value * 10) / 10, 3); };
    curves += figure(chart::lines({course.baseline, course.canary}, {}, course.stages, unit,
                                  "The metric of the canary and of the baseline over time"),
                     "canary (solid) and baseline (dashed), of what is judged; minutes");
    // Evidence goes on growing when all is said: what is far beyond what is needed is cut off.
    std::vector<double> needed;
    double most = 6;
    if (metric.alpha > 0) {
        needed.push_back(-elementary::log(metric.alpha) / ln10);
        most = 2 * needed.front();
    }
    const auto cut = [&](chart::Curve curve) {
        for (chart::Point& point : curve.points) point.y = std::clamp(point.y, -1.0, most);
        return curve;
    };
    curves += figure(
        chart::lines({cut(course.evidence), cut(course.mirror)}, needed, course.stages, power, "Evidence over time"),
        "evidence of harm (solid), which fails at the dotted line, and of safety (dashed), in powers of "
        "ten, cut off at 10^" +
            number_text(std::round(most * 10) / 10, 3) + "; minutes");
    std::string out = curves.empty() ? "" : "<div class=\"two\">" + curves + "</div>\n";
    const bool ratio = metric.margin.ratio && !metric.margin.floor;
    const Evidence& evidence = metric.evidence;
    if (ratio && metric.verdict != Verdict::no_data && evidence.confidence > 0) {
        std::vector<double> allowed;
        if (metric.harm != Harm::increase) allowed.push_back(1 / *metric.margin.ratio);
        if (metric.harm != Harm::decrease) allowed.push_back(*metric.margin.ratio);
        out += figure(chart::interval(evidence.lower, evidence.estimate, evidence.upper, allowed,
                                      "Estimate with its range against the margin"),
                      "canary over baseline: " + told.estimate + (told.range.empty() ? "" : ", " + told.range) + "; " +
                          told.allowed);
    }
    return out;
}

std::string metric_block(const Record& record, const Decision& decision, const MetricTold& told) {
    // By its place: names are shortened where they are shown.
    const std::vector<MetricTold>::size_type none = decision.metrics.size();
    std::size_t at = none;
    for (std::size_t i = 0; i < none; ++i) {
        if (shown_name(decision.metrics[i].name) == told.name) at = at == none ? i : at;
    }
    std::string out = "<article>\n<h3>" + in_markup(told.name) + " <b class=\"" + std::string(class_of(told.style)) +
                      "\">" + in_markup(told.verdict) + "</b></h3>\n";
    std::vector<std::string> facts;
    for (const std::string& fact : {told.estimate, told.range, told.allowed, told.status}) {
        if (!fact.empty()) facts.push_back(fact);
    }
    out += paragraph(joined(facts, " · "));
    out += paragraph(told.safe, "quiet");
    out += paragraph(told.counts, "quiet");
    if (at < none) out += drawings(record, decision.metrics[at], told);
    return out + "</article>\n";
}

// ---- all numbers, for who looks for a mistake

std::string row(std::string_view tag, const std::vector<std::string>& cells) {
    std::string out = "<tr>";
    for (const std::string& cell : cells)
        out += "<" + std::string(tag) + ">" + in_markup(cell) + "</" + std::string(tag) + ">";
    return out + "</tr>\n";
}

std::string numbers(const Decision& decision) {
    std::string out = "<details><summary>All numbers</summary>\n<div class=\"wide\"><table>\n";
    out += row("th", {"metric", "kind", "alpha", "evidence (log10)", "p", "estimate", "lower", "upper", "confidence",
                      "safety (log10)", "guarantee", "method"});
    const auto digits = [](double value) { return std::isnan(value) ? std::string("-") : number_text(value, 6); };
    for (const MetricResult& metric : decision.metrics) {
        const Evidence& evidence = metric.evidence;
        out += row("td", {shown_name(metric.name), std::string(word(metric.kind)), digits(metric.alpha),
                          digits(evidence.log_e_value / ln10), digits(evidence.p_value), digits(evidence.estimate),
                          digits(evidence.lower), digits(evidence.upper), digits(evidence.confidence),
                          digits(metric.mirror.log_e_value / ln10), std::string(word(metric.guarantee)),
                          std::string(evidence.method)});
    }
    out += "</table></div>\n<ul>\n";
    for (const MetricResult& metric : decision.metrics) {
        for (const Reason& reason : metric.reasons)
            out += "<li>" +
                   in_markup(printable(name(reason), 200) + " (" + std::to_string(static_cast<int>(reason.code)) +
                             "): " + sentence(reason)) +
                   "</li>\n";
    }
    return out + "</ul>\n<p class=\"quiet\">" +
           in_markup("Serinus " + decision.version + ", plan " + shown_name(decision.plan) + ", digest " +
                     decision.digest) +
           "</p>\n</details>\n";
}

/// Which metric decides: the first that fails, or the first that is in the way.
std::string because(const Decision& decision, const Told& told) {
    if (decision.action == Action::promote) return "";
    for (const MetricTold* metric : by_gravity(told.metrics)) {
        if (metric->style == Style::good || metric->style == Style::quiet) break;
        return metric->name + ": " + metric->verdict + (metric->status.empty() ? "" : ", " + metric->status);
    }
    return "";
}

std::string page_of(const Record& record, const Told& told) {
    const Decision& decision = record.decisions.back();
    const std::string title = told.verdict + (told.who.empty() ? "" : " " + told.who);
    std::string out =
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        "<link rel=\"icon\" href=\"data:,\">\n<title>" +
        in_markup(title) + "</title>\n";
    out += style_sheet;
    out += "</head>\n<body>\n<main>\n<header class=\"" + std::string(class_of(told.style)) + "\">\n";
    out += paragraph(told.verdict, "word");
    if (!told.who.empty()) out += "<h1>" + in_markup(told.who) + "</h1>\n";
    out += paragraph(told.where + (decision.time ? ", as of " + format_time(to_ms(*decision.time)) : ""), "quiet");
    out += paragraph(because(decision, told));
    out += "<p><strong>Next:</strong> " + in_markup(told.next) + "</p>\n</header>\n";
    out += section("Why", told.why);
    if (!told.metrics.empty()) out += "<h2>Metrics</h2>\n";
    for (const MetricTold* metric : by_gravity(told.metrics)) out += metric_block(record, decision, *metric);
    out += section("Error budget", told.budget);
    out += section("Reached", told.reached);
    out += section("Data", told.data);
    out += section("Noise", told.noise);
    out += section("Promise", told.promise);
    if (told.promise.empty()) return out + "</main>\n</body>\n</html>\n";
    out += section("All", told.all);
    return out + numbers(decision) + "</main>\n</body>\n</html>\n";
}

}  // namespace

std::string html(const Record& record, Face face, View view) {
    return record.decisions.empty() ? "" : page_of(record, told(record, face, view));
}

std::string html(const Decision& decision, Face face, View view) {
    return html(Record{.plan = {}, .decisions = {decision}, .batch = {}}, face, view);
}

}  // namespace report
}  // namespace v0
}  // namespace serinus
