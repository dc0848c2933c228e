#include <cmath>
#include <cstddef>

#include <serinus/core/quote.hpp>
#include <serinus/core/words.hpp>
#include <serinus/io/burn.hpp>
#include <serinus/series/duration.hpp>
#include <serinus/series/time.hpp>
#include <serinus/slo/burn_report.hpp>

#include "json.hpp"

namespace serinus {
inline namespace v0 {
namespace io {
namespace {

using nlohmann::ordered_json;

/// Burn rates and shares are numbers with a decimal point in this document, whole ones too.
ordered_json number(double value) { return std::isfinite(value) ? ordered_json(value) : ordered_json(nullptr); }

}  // namespace

std::string write_burn(const slo::BurnReport& report) {
    ordered_json windows = ordered_json::array(), conditions = ordered_json::array();
    for (const slo::WindowBurn& window : report.windows) {
        windows.push_back({{"window", format_duration(window.window)},
                           {"burn", number(window.burn)},
                           {"ratio", number(window.ratio)},
                           {"bad", number(window.bad)},
                           {"total", number(window.total)},
                           {"status", word(window.status)},
                           {"coverage", window.coverage}});
    }
    for (std::size_t i = 0; i < report.alerts.size(); ++i) {
        const slo::Condition& condition = report.policy.conditions[i];
        const slo::Alert& alert = report.alerts[i];
        conditions.push_back({{"name", condition.name},
                              {"severity", word(condition.severity)},
                              {"long", format_duration(condition.long_window)},
                              {"short", format_duration(condition.short_window)},
                              {"factor", condition.factor},
                              {"for", format_duration(condition.pending_for)},
                              {"keep_firing_for", format_duration(condition.keep_firing_for)},
                              {"state", word(alert.state)},
                              {"since", alert.active_since ? ordered_json(format_time(*alert.active_since)) : nullptr},
                              {"status", word(alert.status)}});
    }
    const ordered_json document{{"time", format_time(report.now)},
                                {"firing", report.firing ? ordered_json(word(*report.firing)) : nullptr},
                                {"objective",
                                 {{"name", printable(report.objective.name)},
                                  {"budget", report.objective.budget},
                                  {"period", format_duration(report.objective.period)},
                                  {"expected_events", number(report.budget.expected_events)}}},
                                {"windows", windows},
                                {"conditions", conditions},
                                {"error_budget",
                                 {{"consumed", number(report.budget.consumed)},
                                  {"remaining", number(report.budget.remaining)},
                                  {"allowed_bad", number(report.budget.allowed_bad)},
                                  {"seconds_to_exhaustion", number(report.time_to_exhaustion.count() / 1000)}}},
                                {"samples",
                                 {{"taken", report.samples.taken},
                                  {"duplicates", report.samples.duplicates},
                                  {"conflicts", report.samples.conflicts},
                                  {"not_numbers", report.samples.not_numbers},
                                  {"resets", report.samples.resets},
                                  {"dips", report.samples.dips}}}};
    return document.dump(2);
}

}  // namespace io
}  // namespace v0
}  // namespace serinus
