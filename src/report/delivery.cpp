#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <serinus/core/reason.hpp>
#include <serinus/core/text.hpp>
#include <serinus/core/words.hpp>
#include <serinus/report/delivery.hpp>
#include <serinus/series/time.hpp>

#include "report/chart.hpp"
#include "report/html_parts.hpp"
#include "report/number.hpp"
#include "report/page.hpp"

namespace serinus {
inline namespace v0 {
namespace report {
namespace {

using delivery::Indicator;
using delivery::IndicatorKind;
using delivery::Trend;
using delivery::Unit;

std::string value_text(Unit unit, double value) {
    if (std::isnan(value)) return "unknown";
    if (std::isinf(value)) return "any";
    switch (unit) {
        case Unit::share: return percent(value);
        case Unit::seconds: return seconds_text(std::round(value));
        case Unit::ratio: return number(value) + "x";
        case Unit::change: return (value > 0 ? "+" : "") + percent(value);
    }
    return "";
}

std::string range_text(const Indicator& of) {
    if (of.confidence == 0) return "";
    if (std::isinf(of.upper)) return value_text(of.unit, of.lower) + " or more";
    return value_text(of.unit, of.lower) + " to " + value_text(of.unit, of.upper);
}

std::string target_text(const Indicator& of) {
    return (of.at_least ? "at least " : "at most ") + value_text(of.unit, of.target);
}

/// "deployment success rate"
std::string name_text(IndicatorKind kind) {
    std::string text(word(kind));
    std::replace(text.begin(), text.end(), '_', ' ');
    return text;
}

std::string trend_text(const Indicator& of) {
    if (of.trend == Trend::unknown) return "";
    if (of.trend == Trend::steady) return "steady";
    return std::string(word(of.trend)) + ", from " + value_text(of.unit, of.halves[0]) + " to " +
           value_text(of.unit, of.halves[1]);
}

Style style_of(Verdict verdict) {
    switch (verdict) {
        case Verdict::pass: return Style::good;
        case Verdict::fail: return Style::bad;
        case Verdict::inconclusive: return Style::open;
        case Verdict::no_data: return Style::quiet;
    }
    return Style::quiet;
}

std::string_view class_of(Verdict verdict) {
    const Style style = style_of(verdict);
    return style == Style::good ? "good" : style == Style::bad ? "bad" : style == Style::open ? "open" : "quiet";
}

/// What belongs to it, as a person reads it.
std::vector<std::string> beside_texts(const Indicator& of) {
    std::vector<std::string> texts;
    double waited = 0;
    for (const NamedNumber& number : of.beside) {
        if (number.name == "median_seconds")
            texts.push_back("half of them take at most " + value_text(Unit::seconds, number.value));
        if (number.name == "waited") waited = number.value;
        if (number.name == "mean_wait_seconds")
            texts.push_back(told_count(waited, "deployment") + " waited for a person, " +
                            value_text(Unit::seconds, number.value) + " on average, which is not counted");
        if (number.name == "flaky" && number.value > 0)
            texts.push_back(told_count(number.value, "failure") + (number.value == 1 ? " was" : " were") +
                            " flaky: the same commit passed afterwards; not counted");
        if (number.name == "over_target" && number.value > 0)
            texts.push_back(told_count(number.value, "release") + " used more than " +
                            value_text(Unit::share, of.target));
    }
    return texts;
}

std::vector<std::string> notes_of(const std::vector<Reason>& reasons) {
    std::vector<std::string> sentences;
    for (const Reason& reason : reasons) sentences.push_back(sentence(reason));
    return sentences;
}

std::string headline(const delivery::Report& report) {
    std::array<std::int64_t, 4> counts{};
    for (const Indicator& of : report.indicators) {
        ++counts[of.verdict == Verdict::fail           ? 0
                 : of.verdict == Verdict::pass         ? 1
                 : of.verdict == Verdict::inconclusive ? 2
                                                       : 3];
    }
    const auto told = [](std::int64_t number, std::string_view one, std::string_view several) {
        return std::to_string(number) + " " + std::string(number == 1 ? one : several);
    };
    return told(counts[0], "FAILS", "FAIL") + ", " + told(counts[1], "PASSES", "PASS") + ", " +
           std::to_string(counts[2]) + " OPEN, " + std::to_string(counts[3]) + " WITHOUT DATA";
}

std::string scope(const delivery::Report& report) {
    std::string out = plural(report.deployments, "deployment") + ", " + plural(report.runs, "pipeline run");
    if (report.from && report.to) out += ", " + format_time(*report.from) + " to " + format_time(*report.to);
    return out;
}

bool any_fails(const delivery::Report& report) {
    return std::any_of(report.indicators.begin(), report.indicators.end(),
                       [](const Indicator& of) { return of.verdict == Verdict::fail; });
}

}  // namespace

std::string text(const delivery::Report& report, const TextOptions& options) {
    Page page(options.color, options.width);
    page.line(page.painted(headline(report), any_fails(report) ? Style::bad : Style::open));
    page.line("  " + scope(report));
    page.line("");
    std::vector<std::vector<std::string>> rows{{"indicator", "verdict", "now", "range", "target", "trend"}};
    for (const Indicator& of : report.indicators) {
        rows.push_back({std::string(word(of.kind)), std::string(word(of.verdict)),
                        of.confidence > 0 ? value_text(of.unit, of.estimate) : "", range_text(of), target_text(of),
                        trend_text(of)});
    }
    std::array<std::size_t, 6> widths{};
    for (const auto& row : rows) {
        for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], length(row[i]));
    }
    for (std::size_t r = 0; r < rows.size(); ++r) {
        std::string line = "  ";
        for (std::size_t i = 0; i < rows[r].size(); ++i) {
            std::string cell = padded(rows[r][i], widths[i] + 2);
            if (i == 1 && r > 0) cell = page.painted(cell, style_of(report.indicators[r - 1].verdict));
            line += cell;
        }
        page.line(line);
    }
    for (const Indicator& of : report.indicators) {
        std::vector<std::string> sentences = beside_texts(of);
        for (std::string& sentence : notes_of(of.reasons)) sentences.push_back(std::move(sentence));
        if (sentences.empty()) continue;
        page.line("");
        page.line("  " + std::string(word(of.kind)));
        for (const std::string& sentence : sentences) page.wrapped_lines(sentence, 4);
    }
    if (!report.notes.empty()) {
        page.line("");
        page.paragraph("log", notes_of(report.notes));
    }
    return page.take();
}

namespace {

std::string drawing(const Indicator& of, Time begin) {
    chart::Curve course{"c", {}};
    for (const delivery::TrendPoint& point : of.history)
        course.points.push_back({static_cast<double>((point.time - begin).count()) / 60'000, point.value});
    return figure(chart::lines(
                      {course}, {of.target}, {}, [&](double value) { return value_text(of.unit, value); },
                      "The course of the " + name_text(of.kind) + " against its target"),
                  "over the log's time, in minutes; the target dotted");
}

std::string panel(const Indicator& of, Time begin) {
    const std::string_view name = class_of(of.verdict);
    std::string out = "<article>\n<h3>" + in_markup(name_text(of.kind)) + " <b class=\"" + std::string(name) + "\">" +
                      std::string(word(of.verdict)) + "</b></h3>\n";
    if (of.confidence > 0) {
        out += "<p class=\"word\">" + in_markup(value_text(of.unit, of.estimate)) + "</p>\n";
        out += paragraph(range_text(of) + " at " + percent(of.confidence) + " confidence, from " +
                             told_count(static_cast<double>(of.count), "value") + "; target " + target_text(of),
                         "quiet");
        if (const std::string trend = trend_text(of); !trend.empty()) out += paragraph("trend: " + trend);
        out += drawing(of, begin);
    } else {
        out += paragraph("target " + target_text(of), "quiet");
    }
    std::vector<std::string> sentences = beside_texts(of);
    for (std::string& sentence : notes_of(of.reasons)) sentences.push_back(std::move(sentence));
    for (const std::string& sentence : sentences) out += paragraph(sentence);
    return out + "</article>\n";
}

}  // namespace

std::string html(const delivery::Report& report) {
    constexpr std::pair<std::string_view, std::array<IndicatorKind, 4>> panels[] = {
        {"Speed",
         {IndicatorKind::mean_time_to_deploy, IndicatorKind::mean_time_to_roll_back,
          IndicatorKind::verification_latency, IndicatorKind{}}},
        {"Quality",
         {IndicatorKind::deployment_success_rate, IndicatorKind::canary_pass_rate,
          IndicatorKind::post_deploy_error_rate, IndicatorKind::pipeline_failure_rate}},
        {"Money and budget",
         {IndicatorKind::cost_delta, IndicatorKind::budget_consumed, IndicatorKind{}, IndicatorKind{}}},
        {"Telemetry", {IndicatorKind::observability_coverage, IndicatorKind{}, IndicatorKind{}, IndicatorKind{}}}};
    std::string out =
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>Delivery</title>\n" +
        std::string(style_sheet) + "</head>\n<body>\n<main>\n<h1>Delivery</h1>\n<header class=\"" +
        (any_fails(report) ? "bad" : "open") + "\">\n" + paragraph(headline(report), "word") +
        paragraph(scope(report)) + "</header>\n";
    const Time begin = report.from.value_or(Time{});
    for (const auto& [title, kinds] : panels) {
        out += "<h2>" + std::string(title) + "</h2>\n<div class=\"two\">\n";
        for (const IndicatorKind kind : kinds) {
            for (const Indicator& of : report.indicators) {
                if (of.kind == kind) out += panel(of, begin);
            }
        }
        out += "</div>\n";
    }
    return out + section("The log", notes_of(report.notes)) + "</main>\n</body>\n</html>\n";
}

}  // namespace report
}  // namespace v0
}  // namespace serinus
