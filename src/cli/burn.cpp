#include "cli/burn.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string_view>
#include <system_error>
#include <tuple>
#include <utility>

#include <nlohmann/json.hpp>

#include <serinus/core/error.hpp>
#include <serinus/core/quote.hpp>
#include <serinus/core/words.hpp>
#include <serinus/io/rules.hpp>
#include <serinus/rollout/batch.hpp>
#include <serinus/series/duration.hpp>
#include <serinus/slo/alerts.hpp>
#include <serinus/slo/burn_rate.hpp>
#include <serinus/slo/error_budget.hpp>
#include <serinus/slo/objective.hpp>
#include <serinus/slo/policy.hpp>

#include "cli/inputs.hpp"
#include "report/number.hpp"
#include "report/page.hpp"

namespace serinus {
inline namespace v0 {
namespace cli {
namespace {

using nlohmann::ordered_json;
using report::padded;

/// Everything that an answer shows.
struct Answer {
    slo::Objective objective;
    slo::Policy policy;
    std::int64_t now_ms = 0;
    std::vector<slo::WindowBurn> burns;
    std::vector<slo::Alert> alerts;
    std::optional<Severity> firing;
    bool insufficient = false;
    slo::ErrorBudget budget;
    double exhaustion_ms = 0;
    slo::SampleTally tally;
    std::vector<slo::BurnColumn> past;  // for the sparklines
};

double number_of(std::string_view text, std::string_view field) {
    double value = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (problem == std::errc{} && end == text.data() + text.size()) return value;
    raise(Code::argument_range, std::string(field) + " is " + in_quotes(text) + "; allowed: a number");
}

slo::Objective objective_of(const BurnOptions& options) {
    if (options.target.empty() == options.budget.empty())
        raise(Code::argument_range, "--target and --budget are both given, or neither; allowed: one of them");
    slo::Objective objective;
    objective.budget =
        options.target.empty() ? number_of(options.budget, "--budget") : slo::budget_from_target(options.target);
    objective.name = options.name;
    objective.period_ms = parse_duration(options.period, "--period");
    slo::check(objective);
    return objective;
}

slo::Policy policy_of(const BurnOptions& options, const slo::Objective& objective) {
    slo::Policy policy = slo::sre_workbook_policy(objective.period_ms);
    policy.min_events = options.min_events;
    policy.min_probability = options.min_probability;
    return policy;
}

/// What says something about data says nothing to rules, and is refused rather than ignored.
std::string rules_of(const BurnOptions& options) {
    const std::array<std::pair<std::string_view, bool>, 8> idle{{{"DATA", !options.data.empty()},
                                                                 {"--good", !options.good.empty()},
                                                                 {"--windows", !options.windows.empty()},
                                                                 {"--semantics", options.semantics != "exact"},
                                                                 {"--arm", options.arm != "both"},
                                                                 {"--deltas", options.deltas},
                                                                 {"--now", options.now.has_value()},
                                                                 {"--format json", options.format == Format::json}}};
    for (const auto& [name, given] : idle) {
        if (given)
            raise(Code::argument_range, std::string(name) +
                                            " is given with --rules; allowed: --bad and --total as PromQL selectors, "
                                            "--name, the objective and its policy");
    }
    if (options.name.empty())
        raise(Code::argument_range,
              "--name is missing; allowed: the objective's name, which --rules takes as label slo");
    const slo::Objective objective = objective_of(options);
    return io::write_rules(objective, policy_of(options, objective), {.bad = options.bad, .total = options.total});
}

std::vector<std::int64_t> windows_of(const BurnOptions& options, const slo::Policy& policy, std::int64_t period_ms) {
    std::vector<std::int64_t> windows = slo::windows_of(policy);
    std::string_view rest = options.windows;
    while (!rest.empty()) {
        const std::size_t comma = std::min(rest.find(','), rest.size());
        windows.push_back(parse_duration(rest.substr(0, comma), "--windows"));
        rest.remove_prefix(std::min(rest.size(), comma + 1));
    }
    windows.push_back(period_ms);
    std::sort(windows.begin(), windows.end());
    windows.erase(std::unique(windows.begin(), windows.end()), windows.end());
    return windows;
}

Answer answer(const BurnOptions& options) {
    Answer found;
    found.objective = objective_of(options);
    found.policy = policy_of(options, found.objective);
    slo::Alerts alerts(found.policy, found.objective);
    slo::BurnRate burn({.budget = found.objective.budget,
                        .windows_ms = windows_of(options, found.policy, found.objective.period_ms),
                        .semantics = require_word<slo::Semantics>("--semantics", options.semantics)});
    const std::vector<std::pair<std::string, slo::Role>> roles{
        {options.bad, slo::Role::bad}, {options.good, slo::Role::good}, {options.total, slo::Role::total}};
    if (std::count_if(roles.begin(), roles.end(), [](const auto& role) { return !role.first.empty(); }) != 2)
        raise(Code::argument_range, "--bad, --good, --total must name series; allowed: two of the three");
    std::optional<Arm> arm;
    if (options.arm != "both") arm = require_word<Arm>("--arm", options.arm);

    const Batch batch = read_service_files(options.data);
    // A counter that goes on in the next file is one counter.
    std::map<std::tuple<slo::Role, Arm, std::string>, std::size_t> ids;
    for (const ArmSeries& series : batch.series) {
        if (arm && series.arm != *arm) continue;
        for (const auto& [name, role] : roles) {
            if (name.empty() || series.name != name) continue;
            const auto kind = options.deltas ? slo::SeriesKind::delta : slo::SeriesKind::counter;
            const std::tuple key(role, series.arm, series.series.instance);
            if (ids.count(key) == 0) ids[key] = burn.add_series(role, kind);
            burn.add(ids[key], series.series.times_ms, series.series.values);
        }
    }
    found.now_ms = options.now ? parse_time(*options.now, "--now") : burn.newest_ms().value_or(0);
    const auto burns = burn.at(found.now_ms);
    found.burns.assign(burns.begin(), burns.end());
    alerts.update(found.now_ms, burns);
    found.alerts = alerts.alerts();
    found.firing = alerts.firing();
    for (const slo::Alert& alert : found.alerts)
        found.insufficient = found.insufficient || alert.status == slo::BurnStatus::insufficient;
    const auto of = [&](std::int64_t window) {
        return *std::find_if(found.burns.begin(), found.burns.end(),
                             [&](const slo::WindowBurn& known) { return known.window_ms == window; });
    };
    found.budget = slo::error_budget(found.objective, of(found.objective.period_ms));
    found.exhaustion_ms = slo::time_to_exhaustion_ms(found.objective, found.budget.remaining, of(3'600'000).burn);
    found.tally = burn.tally();

    // Twenty-four evaluations, each a twelfth of its window apart.
    for (const slo::WindowBurn& window : found.burns) {
        std::vector<std::int64_t> times;
        for (std::int64_t i = 23; i >= 0; --i)
            times.push_back(std::max(earliest_ms, found.now_ms - i * (window.window_ms / 12)));
        const auto columns = burn.over(times);
        const auto index = static_cast<std::size_t>(&window - found.burns.data());
        found.past.push_back(columns[index]);
    }
    return found;
}

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

std::string headline(const Answer& found, bool any) {
    if (found.firing == Severity::page) return "PAGE";
    if (found.firing == Severity::ticket) return "TICKET";
    if (!any) return "NO DATA";
    return found.insufficient ? "INSUFFICIENT" : "OK";
}

std::string text_of(const Answer& found, bool any, bool terminal) {
    const std::string head = headline(found, any);
    std::string painted = head;
    if (terminal)
        painted = (head == "PAGE" ? "\x1b[1;31m" : head == "OK" ? "\x1b[1;32m" : "\x1b[1;33m") + head + "\x1b[0m";
    std::string text = painted + "  budget " + report::percent(found.objective.budget) + " of events in " +
                       format_duration(found.objective.period_ms) + "   at " + format_time(found.now_ms) + "\n\n";
    const auto row = [&](const std::vector<std::string>& cells) {
        constexpr std::array<std::size_t, 6> widths{10, 12, 12, 14, 14, 10};
        std::string line = "  ";
        for (std::size_t i = 0; i < cells.size(); ++i)
            line += i < widths.size() ? padded(cells[i], widths[i]) : cells[i];
        line.erase(line.find_last_not_of(' ') + 1);
        text += line + "\n";
    };
    row({"window", "burn", "errors", "bad", "total", "coverage"});
    for (std::size_t i = 0; i < found.burns.size(); ++i) {
        const slo::WindowBurn& window = found.burns[i];
        const bool known = window.status == slo::BurnStatus::ok;
        std::vector<std::string> cells{format_duration(window.window_ms),
                                       known ? report::number(window.burn) + "x" : std::string(word(window.status)),
                                       known ? report::percent(window.ratio) : "",
                                       std::isnan(window.bad) ? "" : report::number(window.bad),
                                       std::isnan(window.total) ? "" : report::number(window.total),
                                       report::percent(window.coverage)};
        if (terminal) cells.push_back(sparkline(found.past[i]));
        row(cells);
    }
    text += "\n";
    for (std::size_t i = 0; i < found.alerts.size(); ++i) {
        const slo::Condition& condition = found.policy.conditions[i];
        const slo::Alert& alert = found.alerts[i];
        std::string state(word(alert.state));
        if (alert.status != slo::BurnStatus::ok) state += " (" + std::string(word(alert.status)) + ")";
        text += "  " + padded(condition.name, 14) + padded(state, 26) + "more than " +
                report::number(condition.factor) + "x in " + format_duration(condition.long_ms) + " and " +
                format_duration(condition.short_ms) + "\n";
    }
    if (!std::isnan(found.budget.remaining)) {
        text += "\n  budget        " + report::percent(found.budget.consumed) + " consumed";
        text +=
            found.budget.remaining < 0 ? ", overspent" : ", " + report::percent(found.budget.remaining) + " remaining";
        if (found.exhaustion_ms > 0 && found.exhaustion_ms < static_cast<double>(longest_ms)) {
            const auto minutes = static_cast<std::int64_t>(found.exhaustion_ms / 60'000);
            text += "; lasts " + format_duration(minutes * 60'000) + " at the burn rate of the last hour";
        }
        text += "\n";
    }
    const auto told = [&](std::int64_t count, const char* what) {
        if (count > 0) text += "  samples       " + report::count(static_cast<double>(count)) + " " + what + "\n";
    };
    told(found.tally.conflicts, "repeat a timestamp with another value; the first one counts");
    told(found.tally.not_numbers, "are no numbers and were left out");
    told(found.tally.resets, "show that a counter began again");
    return text;
}

/// JSON has no NaN and no infinity: null.
ordered_json number(double value) { return std::isfinite(value) ? ordered_json(value) : ordered_json(nullptr); }

std::string json_of(const Answer& found) {
    ordered_json windows = ordered_json::array(), conditions = ordered_json::array();
    for (const slo::WindowBurn& window : found.burns) {
        windows.push_back({{"window", format_duration(window.window_ms)},
                           {"burn", number(window.burn)},
                           {"ratio", number(window.ratio)},
                           {"bad", number(window.bad)},
                           {"total", number(window.total)},
                           {"status", word(window.status)},
                           {"coverage", window.coverage}});
    }
    for (std::size_t i = 0; i < found.alerts.size(); ++i) {
        const slo::Condition& condition = found.policy.conditions[i];
        conditions.push_back({{"name", condition.name},
                              {"severity", word(condition.severity)},
                              {"long", format_duration(condition.long_ms)},
                              {"short", format_duration(condition.short_ms)},
                              {"factor", condition.factor},
                              {"state", word(found.alerts[i].state)},
                              {"status", word(found.alerts[i].status)}});
    }
    const ordered_json document{
        {"time", format_time(found.now_ms)},
        {"firing", found.firing ? ordered_json(word(*found.firing)) : ordered_json(nullptr)},
        {"objective", {{"budget", found.objective.budget}, {"period", format_duration(found.objective.period_ms)}}},
        {"windows", windows},
        {"conditions", conditions},
        {"error_budget",
         {{"consumed", number(found.budget.consumed)},
          {"remaining", number(found.budget.remaining)},
          {"allowed_bad", number(found.budget.allowed_bad)},
          {"seconds_to_exhaustion", number(found.exhaustion_ms / 1000)}}},
        {"samples",
         {{"taken", found.tally.taken},
          {"duplicates", found.tally.duplicates},
          {"conflicts", found.tally.conflicts},
          {"not_numbers", found.tally.not_numbers},
          {"resets", found.tally.resets}}}};
    return document.dump(2) + "\n";
}

}  // namespace

Exit burn_command(const BurnOptions& options) {
    if (options.rules) {
        write_output(rules_of(options));
        return Exit::promote;
    }
    if (options.data.empty()) raise(Code::argument_range, "DATA is missing; allowed: at least one file, or --rules");
    const Answer found = answer(options);
    const bool any = std::any_of(found.burns.begin(), found.burns.end(),
                                 [](const auto& window) { return window.status != slo::BurnStatus::absent; });
    write_output(options.format == Format::json ? json_of(found) : text_of(found, any, colored(options.color)));
    if (found.firing == Severity::page) return Exit::rollback;
    if (!any) return Exit::no_data;
    return found.firing || found.insufficient ? Exit::hold : Exit::promote;
}

}  // namespace cli
}  // namespace v0
}  // namespace serinus
