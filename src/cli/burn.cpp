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
#include <serinus/core/require.hpp>
#include <serinus/core/words.hpp>
#include <serinus/io/rules.hpp>
#include <serinus/rollout/batch.hpp>
#include <serinus/rollout/plan.hpp>
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

/// How long the budget lasts is said of the burn rate of the last hour.
constexpr std::int64_t rate_window_ms = 3'600'000;

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

[[noreturn]] void given(std::string_view name, const std::string& beside, const std::string& allowed) {
    raise(Code::argument_range, std::string(name) + " is given with " + beside + "; allowed: " + allowed);
}

/// What is promised, when it alerts, and whose events it is about.
struct Promise {
    slo::Objective objective;
    slo::Policy policy;
    std::string bad, good, total;
    bool deltas = false;
    Arms arms;
};

slo::Objective objective_of(const BurnOptions& options) {
    if (options.target.empty() == options.budget.empty())
        raise(Code::argument_range,
              "--target and --budget are both given, or neither; allowed: one of them, or --plan");
    slo::Objective objective;
    objective.budget =
        options.target.empty() ? number_of(options.budget, "--budget") : slo::budget_from_target(options.target);
    objective.name = options.name;
    objective.period_ms = parse_duration(options.period.empty() ? "30d" : options.period, "--period");
    slo::check(objective);
    return objective;
}

/// The objective of a plan that `--name` means, or the only one.
const SloRule& rule_of(const Plan& plan, const BurnOptions& options) {
    std::vector<std::string> names;
    for (const SloRule& rule : plan.slo) {
        if (rule.objective.name == options.name || (options.name.empty() && plan.slo.size() == 1)) return rule;
        names.push_back(in_quotes(rule.objective.name));
    }
    if (names.empty())
        raise(Code::argument_range, shown_file(options.plan) +
                                        " has no slo; allowed: a plan with an objective, or "
                                        "--target and the names of series");
    raise(Code::argument_word, (options.name.empty() ? "--name is missing" : "--name is " + in_quotes(options.name)) +
                                   "; allowed: an objective of the plan, " + report::listed(names));
}

Promise promise_of(const BurnOptions& options) {
    Promise promise{{}, {}, options.bad, options.good, options.total, options.deltas, {}};
    if (options.plan.empty()) {
        promise.objective = objective_of(options);
        if (options.policy != "sre_workbook") promise.policy = read_policy_file(options.policy);
    } else {
        const std::array<std::pair<std::string_view, bool>, 6> said{{{"--target", !options.target.empty()},
                                                                     {"--budget", !options.budget.empty()},
                                                                     {"--period", !options.period.empty()},
                                                                     {"--policy", options.policy != "sre_workbook"},
                                                                     {"--good", !options.good.empty()},
                                                                     {"--deltas", options.deltas}}};
        for (const auto& [name, there] : said)
            if (there) given(name, "--plan", "what the plan's objective and its metric say");
        const Plan plan = read_plan_file(options.plan);
        const SloRule& rule = rule_of(plan, options);
        const auto metric = std::find_if(plan.metrics.begin(), plan.metrics.end(),
                                         [&](const Metric& of) { return of.name == rule.metric; });
        promise.objective = rule.objective;
        promise.policy = rule.policy;
        // Selectors of Prometheus, and series of another name, may be told.
        if (promise.bad.empty()) promise.bad = metric->bad;
        if (promise.total.empty()) promise.total = metric->total;
        promise.deltas = !metric->counter;
        promise.arms = plan.arms;
    }
    if (promise.policy.conditions.empty())
        promise.policy.conditions = slo::sre_workbook_policy(promise.objective.period_ms).conditions;
    if (options.min_events) promise.policy.min_events = *options.min_events;
    if (options.min_probability) promise.policy.min_probability = options.min_probability;
    for (slo::Condition& condition : promise.policy.conditions) {
        if (!options.lasts.empty()) condition.for_ms = parse_duration(options.lasts, "--for");
        if (!options.keeps_firing.empty())
            condition.keep_firing_for_ms = parse_duration(options.keeps_firing, "--keep-firing-for");
    }
    slo::check(promise.policy, promise.objective);
    return promise;
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
    for (const auto& [name, there] : idle) {
        if (there)
            given(name, "--rules",
                  "--bad and --total as PromQL selectors, --name, the objective and its policy, or --plan");
    }
    if (options.name.empty() && options.plan.empty())
        raise(Code::argument_range,
              "--name is missing; allowed: the objective's name, which --rules takes as label slo");
    const Promise promise = promise_of(options);
    io::RulesOptions rules{.bad = promise.bad, .total = promise.total};
    if (!options.interval.empty()) rules.interval_ms = parse_duration(options.interval, "--interval");
    if (!options.no_data.empty()) rules.no_data = require_word<Severity>("--no-data", options.no_data);
    return io::write_rules(promise.objective, promise.policy, rules);
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
    windows.push_back(rate_window_ms);
    std::sort(windows.begin(), windows.end());
    windows.erase(std::unique(windows.begin(), windows.end()), windows.end());
    return windows;
}

/// Refuses a name that no series of the data has: silence would look like a service without errors.
void require_series(const Batch& batch, const std::vector<std::pair<std::string, slo::Role>>& roles) {
    std::vector<std::string> names;
    for (const ArmSeries& series : batch.series) names.push_back(series.name);
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    for (const auto& [name, role] : roles) {
        if (name.empty() || std::binary_search(names.begin(), names.end(), name)) continue;
        constexpr std::size_t most = 12;
        std::vector<std::string> shown;
        for (std::size_t i = 0; i < std::min(names.size(), most); ++i) shown.push_back(in_quotes(names[i]));
        if (names.size() > most) shown.push_back(std::to_string(names.size() - most) + " more");
        raise(Code::argument_word, "--" + std::string(word(role)) + " is " + in_quotes(name) +
                                       ", which is no series of the data; allowed: " + report::listed(shown));
    }
}

/// Refuses what is no count of events. (What is no number at all, a stale marker, is left out and counted.)
void require_counts(const ArmSeries& series, slo::Role role) {
    for (std::size_t i = 0; i < series.series.values.size(); ++i) {
        const double value = series.series.values[i];
        if (!(value < 0)) continue;
        raise(Code::argument_count, "--" + std::string(word(role)) + ": " + in_quotes(series.name) + " is " +
                                        number_text(value) + " at " + format_time(series.series.times_ms[i]) +
                                        "; allowed: 0 or more");
    }
}

/// Evaluates the alerts as they would have been evaluated until now. Conditions without a past are what they are now.
void evaluate(slo::Alerts& alerts, slo::BurnRate& burn, const BurnOptions& options, const Batch& batch,
              std::int64_t now_ms) {
    const bool remembers = std::any_of(
        alerts.policy().conditions.begin(), alerts.policy().conditions.end(),
        [](const slo::Condition& condition) { return condition.for_ms > 0 || condition.keep_firing_for_ms > 0; });
    std::int64_t first = now_ms;
    for (const ArmSeries& series : batch.series) {
        if (remembers && !series.series.times_ms.empty())
            first = std::min(first, *std::min_element(series.series.times_ms.begin(), series.series.times_ms.end()));
    }
    const std::int64_t step = options.interval.empty() ? 60'000 : parse_duration(options.interval, "--interval");
    require(step > 0, "--interval", static_cast<double>(step), "above 0 ms");
    constexpr std::int64_t most = 100'000;  // a year of 5 minutes
    for (std::int64_t i = std::min(most, (now_ms - first) / step); i >= 0; --i)
        alerts.update(now_ms - i * step, burn.at(now_ms - i * step));
}

Answer answer(const BurnOptions& options) {
    Answer found;
    const Promise promise = promise_of(options);
    found.objective = promise.objective;
    found.policy = promise.policy;
    if (!options.no_data.empty()) given("--no-data", "DATA", "--no-data with --rules; no data is exit code 4 here");
    slo::Alerts alerts(found.policy, found.objective);
    slo::BurnRate burn({.budget = found.objective.budget,
                        .windows_ms = windows_of(options, found.policy, found.objective.period_ms),
                        .semantics = require_word<slo::Semantics>("--semantics", options.semantics)});
    const std::vector<std::pair<std::string, slo::Role>> roles{
        {promise.bad, slo::Role::bad}, {promise.good, slo::Role::good}, {promise.total, slo::Role::total}};
    if (std::count_if(roles.begin(), roles.end(), [](const auto& role) { return !role.first.empty(); }) != 2)
        raise(Code::argument_range, "--bad, --good, --total must name series; allowed: two of the three");
    std::optional<Arm> arm;
    if (options.arm != "both") arm = require_word<Arm>("--arm", options.arm);

    const Batch batch = read_service_files(options.data, promise.arms);
    require_series(batch, roles);
    if (promise.deltas) {
        note_counters(batch, {promise.bad, promise.good, promise.total},
                      options.plan.empty() ? "leave out --deltas" : "the plan's metric needs \"counter\": true");
    }
    // A counter that goes on in the next file is one counter.
    std::map<std::tuple<slo::Role, Arm, std::string>, std::size_t> ids;
    for (const ArmSeries& series : batch.series) {
        if (arm && series.arm != *arm) continue;
        for (const auto& [name, role] : roles) {
            if (name.empty() || series.name != name) continue;
            require_counts(series, role);
            const auto kind = promise.deltas ? slo::SeriesKind::delta : slo::SeriesKind::counter;
            const std::tuple key(role, series.arm, series.series.instance);
            if (ids.count(key) == 0) ids[key] = burn.add_series(role, kind);
            burn.add(ids[key], series.series.times_ms, series.series.values);
        }
    }
    found.now_ms = options.now ? parse_time(*options.now, "--now") : burn.newest_ms().value_or(0);
    evaluate(alerts, burn, options, batch, found.now_ms);
    const auto burns = burn.at(found.now_ms);
    found.burns.assign(burns.begin(), burns.end());
    found.alerts = alerts.alerts();
    found.firing = alerts.firing();
    for (const slo::Alert& alert : found.alerts)
        found.insufficient = found.insufficient || alert.status == slo::BurnStatus::insufficient;
    const auto of = [&](std::int64_t window) {
        return *std::find_if(found.burns.begin(), found.burns.end(),
                             [&](const slo::WindowBurn& known) { return known.window_ms == window; });
    };
    found.budget = slo::error_budget(found.objective, of(found.objective.period_ms));
    found.exhaustion_ms = slo::time_to_exhaustion_ms(found.objective, found.budget.remaining, of(rate_window_ms).burn);
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
    const std::string name = found.objective.name.empty() ? "" : report::shown_name(found.objective.name) + "   ";
    std::string text = painted + "  " + name + "budget " + report::percent(found.objective.budget) + " of events in " +
                       format_duration(found.objective.period_ms) + (any ? "   at " + format_time(found.now_ms) : "") +
                       "\n\n";
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
                format_duration(condition.short_ms);
        if (condition.for_ms > 0) text += ", for " + format_duration(condition.for_ms);
        if (alert.active_since_ms && (condition.for_ms > 0 || condition.keep_firing_for_ms > 0))
            text += "; holds since " + format_time(*alert.active_since_ms);
        text += "\n";
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
    told(found.tally.resets,
         found.tally.resets * 10 > found.tally.taken
             ? "are below the one before, as if a counter began again; counts an interval need --deltas"
             : "show that a counter began again");
    const slo::WindowBurn& longest = found.burns.back();
    if (longest.bad > longest.total) text += "  samples       more bad events than events: are the series exchanged?\n";
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
        conditions.push_back(
            {{"name", condition.name},
             {"severity", word(condition.severity)},
             {"long", format_duration(condition.long_ms)},
             {"short", format_duration(condition.short_ms)},
             {"factor", condition.factor},
             {"for", format_duration(condition.for_ms)},
             {"keep_firing_for", format_duration(condition.keep_firing_for_ms)},
             {"state", word(found.alerts[i].state)},
             {"since", found.alerts[i].active_since_ms ? ordered_json(format_time(*found.alerts[i].active_since_ms))
                                                       : ordered_json(nullptr)},
             {"status", word(found.alerts[i].status)}});
    }
    const ordered_json document{{"time", format_time(found.now_ms)},
                                {"firing", found.firing ? ordered_json(word(*found.firing)) : ordered_json(nullptr)},
                                {"objective",
                                 {{"name", printable(found.objective.name)},
                                  {"budget", found.objective.budget},
                                  {"period", format_duration(found.objective.period_ms)},
                                  {"expected_events", number(found.budget.expected_events)}}},
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
    // Conditions of severity info only inform.
    return found.firing == Severity::ticket || found.insufficient ? Exit::hold : Exit::promote;
}

}  // namespace cli
}  // namespace v0
}  // namespace serinus
