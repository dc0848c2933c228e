#include "cli/promise.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include <serinus/core/error.hpp>
#include <serinus/core/quote.hpp>
#include <serinus/core/text.hpp>
#include <serinus/io/rules.hpp>
#include <serinus/series/duration.hpp>

#include "cli/inputs.hpp"

namespace serinus {
inline namespace v0 {
namespace cli {
namespace {

double share_of(const std::string& budget) {
    if (const auto value = parse_number(budget)) return *value;
    raise(Code::argument_range, "--budget is " + in_quotes(budget) + "; allowed: a number");
}

slo::Objective objective_of(const BurnOptions& options) {
    if (options.target.empty() == options.budget.empty())
        raise(Code::argument_range,
              "--target and --budget are both given, or neither; allowed: one of them, or --plan");
    slo::Objective objective;
    objective.budget = options.target.empty() ? share_of(options.budget) : slo::budget_from_target(options.target);
    objective.name = options.name;
    objective.period = parse_duration(options.period.empty() ? "30d" : options.period, "--period");
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
                                   "; allowed: an objective of the plan, " + listed(names));
}

}  // namespace

void refuse_beside(std::string_view name, const std::string& beside, const std::string& allowed) {
    raise(Code::argument_range, std::string(name) + " is given with " + beside + "; allowed: " + allowed);
}

std::string Promise::selector(const std::string& series, const std::string& option, const std::string& said,
                              std::optional<double> le) const {
    if (!said.empty() || series.empty()) return series;
    const auto query = queries.find(series);
    const std::string& known = query == queries.end() ? series : query->second;
    if (const auto found = io::selector_of(known, le)) return *found;
    if (query == queries.end()) return series;
    raise(Code::argument_word, "the plan's query for " + in_quotes(series) + " is " + in_quotes(known) +
                                   "; allowed with --rules: a selector, or the sum of one, or " + option + " SELECTOR");
}

Promise promise_of(const BurnOptions& options) {
    Promise promise{.objective = {},
                    .policy = {},
                    .names = {.bad = options.bad, .good = options.good, .total = options.total},
                    .reading = {}};
    slo::SeriesKind& kind = promise.names.kind;
    if (options.deltas) kind = slo::SeriesKind::delta;
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
            if (there) refuse_beside(name, "--plan", "what the plan's objective and its metric say");
        const Plan plan = read_plan_file(options.plan);
        const SloRule& rule = rule_of(plan, options);
        const ServiceNames known = service_names(plan, rule);
        promise.objective = rule.objective;
        promise.policy = rule.policy;
        // Selectors of Prometheus, and series of another name, may be told.
        if (promise.names.bad.empty()) {
            promise.names.bad = known.bad;
            promise.names.good = known.good;
            promise.names.le = known.le;
        }
        if (promise.names.total.empty()) promise.names.total = known.total;
        kind = known.kind;
        promise.reading = io::read_options(plan);
        promise.queries = plan.queries;
    }
    if (promise.policy.conditions.empty())
        promise.policy.conditions = slo::sre_workbook_policy(promise.objective.period).conditions;
    if (options.min_events) promise.policy.min_events = *options.min_events;
    if (options.min_probability) promise.policy.min_probability = options.min_probability;
    for (slo::Condition& condition : promise.policy.conditions) {
        if (!options.lasts.empty()) condition.pending_for = parse_duration(options.lasts, "--for");
        if (!options.keeps_firing.empty())
            condition.keep_firing_for = parse_duration(options.keeps_firing, "--keep-firing-for");
    }
    slo::check(promise.policy, promise.objective);
    return promise;
}

}  // namespace cli
}  // namespace v0
}  // namespace serinus
