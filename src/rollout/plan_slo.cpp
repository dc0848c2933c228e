// The objectives of a plan: defaults, and what is refused.

#include "rollout/plan_slo.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <string>

#include <serinus/core/quote.hpp>
#include <serinus/slo/excess_sequence.hpp>

#include "rollout/plan_checks.hpp"

namespace serinus {
inline namespace v0 {

using detail::quoted;
using detail::refuse;
using detail::require_value;

namespace {

using std::chrono::hours, std::chrono::milliseconds;

/// The largest share of bad events that a window cannot exceed before it has used up `share` of the budget; from 1 on
/// none can.
double ratio_needed(double share, const slo::Objective& objective, milliseconds window) {
    return slo::factor_of_share(share, objective.period, window) * objective.budget;
}

/// "0.5 x 30d x 0.001 / 20m = 1.08"
std::string arithmetic(const SloRule& rule, milliseconds window) {
    return number_text(rule.halt_budget) + " x " + format_duration(rule.objective.period) + " x " +
           number_text(rule.objective.budget) + " / " + format_duration(window) + " = " +
           number_text(ratio_needed(rule.halt_budget, rule.objective, window));
}

/// Raises what `call` raises, with the path in front and as an error of the plan.
template <class Call>
void with_path(const std::string& path, const Call& call) {
    try {
        call();
    } catch (const Error& error) {
        raise(Code::plan_value, std::string(error.within(path).sentence()));
    }
}

void check_halt(const std::string& path, const SloRule& rule) {
    require_value(rule.halt_budget > 0 && rule.halt_budget <= 1, path + ".halt.budget", rule.halt_budget,
                  "above 0, at most 1 (0.5: half of the period's budget)");
    const double shortest = rule.halt_budget * static_cast<double>(rule.objective.period.count()) *
                            rule.objective.budget;  // of all bad events
    const std::string longer = "more than " + format_duration(static_cast<std::int64_t>(std::floor(shortest)));
    if (rule.halt_window) {
        const milliseconds window = *rule.halt_window;
        if (window <= milliseconds(0)) refuse(path + ".halt.window", format_duration(0), longer);
        if (window > rule.objective.period) {
            refuse(path + ".halt.window", format_duration(window),
                   "at most the period, " + format_duration(rule.objective.period));
        }
        if (ratio_needed(rule.halt_budget, rule.objective, window) >= 1) {
            refuse(path + ".halt.window", format_duration(window),
                   longer + "; a halt would need a share of bad events above " + arithmetic(rule, window) +
                       ", so it could never fire");
        }
    } else if (!effective_halt_window(rule)) {
        refuse(path + ".halt.window", "missing",
               longer + "; with the longest of the usual ones a halt would need a share of bad events above " +
                   arithmetic(rule, hours(72)) + ", so it could never fire");
    }
}

/// What is allowed to a release must be more than what no always-valid bound can rule out, or it could never pass.
void check_cap(const std::string& path, const Plan& plan, const SloRule& rule) {
    require_value(rule.max_budget_per_release > 0 && rule.max_budget_per_release <= 1, path + ".max_budget_per_release",
                  rule.max_budget_per_release, "above 0, at most 1 (0.2: a fifth of the period's budget)");
    if (!rule.objective.expected_events) return;
    const double allowed = rule.max_budget_per_release * rule.objective.budget * *rule.objective.expected_events;
    slo::ExcessSequenceOptions options;
    options.alpha_upper = plan.alpha_promote.value_or(plan.alpha);
    const auto noise = plan.noise.find(rule.metric);
    if (noise != plan.noise.end()) options.dispersion = noise->second.dispersion.value_or(1);
    if (!(options.dispersion >= 1 && std::isfinite(options.dispersion))) return;  // refused elsewhere
    const double least = slo::ExcessSequence(options).upper();
    if (allowed > least) return;
    refuse(path + ".max_budget_per_release", number_text(rule.max_budget_per_release),
           "more than " + number_text(rule.max_budget_per_release * least / allowed) + "; " +
               number_text(rule.max_budget_per_release) + " x " + number_text(rule.objective.budget) + " x " +
               number_text(*rule.objective.expected_events) + " = " + number_text(allowed) +
               " bad events, and the upper bound of a release's is never below " + number_text(least) +
               ", so no release could pass");
}

}  // namespace

slo::Policy effective_policy(const SloRule& rule) {
    slo::Policy policy = rule.policy;
    if (policy.conditions.empty()) policy.conditions = slo::sre_workbook_policy(rule.objective.period).conditions;
    return policy;
}

std::optional<milliseconds> effective_halt_window(const SloRule& rule) {
    if (rule.halt_window) return rule.halt_window;
    for (const milliseconds window : {hours(1), hours(6), hours(24), hours(72)}) {
        if (window <= rule.objective.period && ratio_needed(rule.halt_budget, rule.objective, window) < 1)
            return window;
    }
    return std::nullopt;
}

double halt_difference(const SloRule& rule) {
    return ratio_needed(rule.halt_budget, rule.objective, *effective_halt_window(rule));
}

namespace detail {

void check_slo(const std::string& path, const Plan& plan, std::size_t index) {
    const SloRule& rule = plan.slo[index];
    const slo::Objective& objective = rule.objective;
    if (objective.name.empty()) refuse(path + ".name", "empty", "a name");
    for (std::size_t i = 0; i < index; ++i) {
        if (plan.slo[i].objective.name != objective.name) continue;
        raise(Code::plan_duplicate,
              path + ".name is " + quoted(objective.name) + ", as is another objective's; allowed: a name of its own");
    }
    require_value(objective.budget > 0 && objective.budget < 1, path + ".budget", objective.budget,
                  "above 0, below 1 (the share of events that may be bad; a target of 99.9% has 0.001)");
    require_time(objective.period > milliseconds(0) && objective.period <= std::chrono::days(366), path + ".period",
                 objective.period, "above 0, at most 366 days");
    if (objective.expected_events) {
        require_value(*objective.expected_events > 0 && std::isfinite(*objective.expected_events),
                      path + ".expected_events", *objective.expected_events,
                      "above 0, finite (the service's events in the period)");
    }
    const auto metric = std::find_if(plan.metrics.begin(), plan.metrics.end(),
                                     [&](const Metric& of) { return of.name == rule.metric; });
    if (metric == plan.metrics.end()) {
        refuse(path + ".metric", rule.metric.empty() ? "empty" : quoted(rule.metric),
               "the name of one of the plan's metrics");
    }
    if (!facts_of(metric->kind).bad_of_total) {
        refuse(path + ".metric", quoted(rule.metric) + ", which is a " + std::string(word(metric->kind)),
               "a metric of kind \"proportion\": an objective counts bad events of all events");
    }
    if (metric->arm == MetricArm::none) {
        refuse(path + ".metric", quoted(rule.metric) + ", which has no arms (\"arm\": \"none\")",
               "a metric with both arms: an objective of a rollout is about the canary's part of the budget");
    }
    if (metric->harm == Harm::decrease) {
        refuse(path + ".metric", quoted(rule.metric) + ", whose events are good ones (harm \"decrease\")",
               "a metric whose events are bad ones");
    }
    require_value(rule.weight > 0 && std::isfinite(rule.weight), path + ".weight", rule.weight, "above 0, finite");
    with_path(path + ".policy", [&] { slo::check(effective_policy(rule), objective); });
    check_halt(path, rule);
    check_cap(path, plan, rule);
}

}  // namespace detail
}  // namespace v0
}  // namespace serinus
