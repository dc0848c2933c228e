#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <serinus/core/words.hpp>
#include <serinus/report/burn.hpp>
#include <serinus/series/duration.hpp>
#include <serinus/series/time.hpp>
#include <serinus/slo/burn_report.hpp>

#include "report/number.hpp"
#include "report/page.hpp"

namespace serinus {
inline namespace v0 {
namespace report {
namespace {

/// Eight heights, the highest for the largest burn rate; a blank where nothing is known.
std::string sparkline(const slo::BurnColumn& column) {
    constexpr std::array<std::string_view, 8> heights{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    double most = 0;
    for (std::size_t i = 0; i < column.size(); ++i) {
        if (std::isfinite(column.burn(i))) most = std::max(most, column.burn(i));
    }
    std::string line;
    for (std::size_t i = 0; i < column.size(); ++i) {
        const double burn = column.burn(i);
        if (!std::isfinite(burn)) {
            line += " ";
            continue;
        }
        const double height = most > 0 ? std::max(0.0, burn) / most * 7 : 0;
        line += heights[static_cast<std::size_t>(std::lround(height))];
    }
    return line;
}

std::string headline(const slo::BurnReport& found) {
    if (found.firing == Severity::page) return "PAGE";
    if (found.firing == Severity::ticket) return "TICKET";
    if (!found.has_data()) return "NO DATA";
    return found.insufficient() ? "INSUFFICIENT" : "OK";
}

void windows(Page& page, const slo::BurnReport& found, bool drawn) {
    const auto row = [&](const std::vector<std::string>& cells) {
        constexpr std::array<std::size_t, 6> widths{10, 12, 12, 14, 14, 10};
        std::string line = "  ";
        for (std::size_t i = 0; i < cells.size(); ++i)
            line += i < widths.size() ? padded(cells[i], widths[i]) : cells[i];
        page.line(line);
    };
    row({"window", "burn", "errors", "bad", "total", "coverage"});
    for (std::size_t i = 0; i < found.windows.size(); ++i) {
        const slo::WindowBurn& window = found.windows[i];
        const bool known = window.status == slo::BurnStatus::ok;
        std::vector<std::string> cells{format_duration(window.window),
                                       known ? number(window.burn) + "x" : std::string(word(window.status)),
                                       known ? percent(window.ratio) : "",
                                       std::isnan(window.bad) ? "" : number(window.bad),
                                       std::isnan(window.total) ? "" : number(window.total),
                                       percent(window.coverage)};
        if (drawn) cells.push_back(sparkline(found.past[i]));
        row(cells);
    }
}

void conditions(Page& page, const slo::BurnReport& found) {
    for (std::size_t i = 0; i < found.alerts.size(); ++i) {
        const slo::Condition& condition = found.policy.conditions[i];
        const slo::Alert& alert = found.alerts[i];
        std::string state(word(alert.state));
        if (alert.status != slo::BurnStatus::ok) state += " (" + std::string(word(alert.status)) + ")";
        std::string line = "  " + padded(shown_name(condition.name), 14) + padded(state, 26) + "more than " +
                           number(condition.factor) + "x in " + format_duration(condition.long_window) + " and " +
                           format_duration(condition.short_window);
        if (condition.pending_for.count() > 0) line += ", for " + format_duration(condition.pending_for);
        if (alert.active_since && (condition.pending_for.count() > 0 || condition.keep_firing_for.count() > 0))
            line += "; holds since " + format_time(*alert.active_since);
        page.line(line);
    }
}

void budget(Page& page, const slo::BurnReport& found) {
    if (std::isnan(found.budget.remaining)) return;
    std::string line = "  budget        " + percent(found.budget.consumed) + " consumed";
    line += found.budget.remaining < 0 ? ", overspent" : ", " + percent(found.budget.remaining) + " remaining";
    const double exhaustion_ms = found.time_to_exhaustion.count();
    if (exhaustion_ms > 0 && exhaustion_ms < static_cast<double>(longest_ms)) {
        const auto minutes = static_cast<std::int64_t>(exhaustion_ms / 60'000);
        line += "; lasts " + format_duration(minutes * 60'000) + " at the burn rate of the last hour";
    }
    page.line("");
    page.line(line);
}

void samples(Page& page, const slo::BurnReport& found) {
    const auto told = [&](std::int64_t number, const char* what) {
        if (number > 0) page.line("  samples       " + count(static_cast<double>(number)) + " " + what);
    };
    told(found.samples.conflicts, "repeat a timestamp with another value; the first one counts");
    told(found.samples.not_numbers, "are no numbers and were left out");
    told(found.samples.resets, "show that a counter began again");
    told(found.samples.dips,
         "fall and cannot have begun again; several processes behind one series: keep the instance label");
    const slo::WindowBurn& longest = found.windows.back();
    if (longest.bad > longest.total)
        page.line("  samples       more bad events than events: are the series exchanged?");
}

}  // namespace

std::string text(const slo::BurnReport& report, const TextOptions& options) {
    Page page(options.color, options.width);
    const std::string head = headline(report);
    const Style style = head == "PAGE" ? Style::bad : head == "OK" ? Style::good : Style::open;
    const std::string name = report.objective.name.empty() ? "" : shown_name(report.objective.name) + "   ";
    page.line(page.painted(head, style) + "  " + name + "budget " + percent(report.objective.budget) +
              " of events in " + format_duration(report.objective.period) +
              (report.has_data() ? "   at " + format_time(report.now) : ""));
    page.line("");
    windows(page, report, options.color);
    page.line("");
    conditions(page, report);
    budget(page, report);
    samples(page, report);
    return page.take();
}

}  // namespace report
}  // namespace v0
}  // namespace serinus
