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
#include "report/number.hpp"
#include "report/told.hpp"

namespace serinus {
inline namespace v0 {
namespace report {
namespace {

// Colours are named once, for the light and for the dark mode. Lines differ by their dashes as well.
constexpr std::string_view style_sheet = R"(<style>
:root{color-scheme:light dark;--ink:#1f2328;--quiet:#59636e;--line:#d1d9e0;--page:#fff;--card:#f6f8fa;--good:#1a7f37;--bad:#cf222e;--open:#8a5a00;--canary:#0969da;--baseline:#59636e}
@media(prefers-color-scheme:dark){:root{--ink:#f0f6fc;--quiet:#9198a1;--line:#3d444d;--page:#0d1117;--card:#151b23;--good:#3fb950;--bad:#f85149;--open:#d29922;--canary:#4493f8;--baseline:#9198a1}}
*{box-sizing:border-box}body{margin:0;background:var(--page);color:var(--ink);font:16px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
main{max-width:60rem;margin:0 auto;padding:1rem}h1{font-size:1.4rem;margin:.2rem 0}h2{font-size:1.1rem;margin:1.6rem 0 .4rem}h3{font-size:1rem;margin:0}p{margin:.3rem 0}
header,article{border:1px solid var(--line);border-radius:.5rem;padding:.8rem 1rem;margin:.8rem 0;background:var(--card)}
header{border-left:.5rem solid var(--open)}header.good{border-left-color:var(--good)}header.bad{border-left-color:var(--bad)}
.word{font-size:1.8rem;font-weight:700;letter-spacing:.02em;margin:0}.good .word,b.good{color:var(--good)}.bad .word,b.bad{color:var(--bad)}.open .word,b.open{color:var(--open)}b.quiet,.quiet{color:var(--quiet)}
figure{margin:.6rem 0 0}figcaption{color:var(--quiet);font-size:.85rem}svg{display:block;width:100%;max-width:32rem;height:auto}
svg text{fill:var(--quiet);font:11px system-ui,sans-serif}.axis{stroke:var(--line);fill:none}.c{stroke:var(--canary);fill:none;stroke-width:2}.b{stroke:var(--baseline);fill:none;stroke-width:2;stroke-dasharray:5 3}.n{stroke:var(--bad);fill:none;stroke-dasharray:2 3}.s{stroke:var(--line);fill:none;stroke-dasharray:1 4}.r{stroke:var(--canary);stroke-width:6;opacity:.45}.e{fill:var(--canary);stroke:none}
.two{display:grid;grid-template-columns:repeat(auto-fit,minmax(18rem,1fr));gap:0 1rem}
.wide{overflow-x:auto}table{border-collapse:collapse;font-size:.85rem}th,td{text-align:left;padding:.2rem .6rem .2rem 0;border-bottom:1px solid var(--line);vertical-align:top;overflow-wrap:normal}
summary{cursor:pointer;margin-top:1.6rem;font-weight:600}li{margin:.15rem 0}ul{padding-left:1.2rem;margin:.3rem 0}
@media print{body{background:#fff;color:#000}header,article{break-inside:avoid}details>*{display:block}}
</style>
)";

constexpr double ln10 = 2.302585092994046;

std::string_view class_of(Style style) {
    switch (style) {
        case Style::good: return "good";
        case Style::bad: return "bad";
        case Style::open: return "open";
        default: return "quiet";
    }
}

std::string paragraph(std::string_view text, std::string_view name = {}) {
    if (text.empty()) return "";
    return "<p" + (name.empty() ? "" : " class=\"" + std::string(name) + "\"") + ">" + in_markup(text) + "</p>\n";
}

std::string section(std::string_view title, const std::vector<std::string>& sentences) {
    if (sentences.empty()) return "";
    std::string out = "<h2>" + std::string(title) + "</h2>\n<ul>\n";
    for (const std::string& sentence : sentences) out += "<li>" + in_markup(sentence) + "</li>\n";
    return out + "</ul>\n";
}

std::string figure(const std::string& drawing, std::string_view caption) {
    return drawing.empty() ? ""
                           : "<figure>" + drawing + "<figcaption>" + in_markup(caption) + "</figcaption></figure>\n";
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
