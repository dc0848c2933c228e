#pragma once
/// \file
/// An objective under judgement: the evidence of both ways in which it rolls back, and the raw burn rates that alert.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include <serinus/core/elementary.hpp>
#include <serinus/rollout/plan.hpp>
#include <serinus/sequential/proportion_test.hpp>
#include <serinus/sequential/start_mixture.hpp>
#include <serinus/slo/burn_statistics.hpp>
#include <serinus/slo/excess_sequence.hpp>

#include "rollout/burn_windows.hpp"
#include "rollout/judged.hpp"

namespace serinus {
inline namespace v0 {
namespace detail {

/// A condition as it goes on: it fires once it has held for `for`, and goes on for `keep_firing_for` after it last did.
struct BurnAlert {
    BurnAlertState known;

    void see(const slo::Condition& condition, bool holds, std::int64_t now_ms) {
        if (holds) {
            if (!known.since_ms) known.since_ms = now_ms;
            known.held_ms = now_ms;
            known.firing = known.firing || now_ms - *known.since_ms >= condition.for_ms;
        } else if (!(known.firing && now_ms - *known.held_ms < condition.keep_firing_for_ms)) {
            known = {};
        }
    }
    bool quiet() const { return !known.since_ms; }
};

struct SloJudged {
    SloJudged(const Plan& plan, const SloRule& of, double share)
        : rule(of),
          policy(effective_policy(of)),
          alpha(share),
          halt(ProportionTest(halt_options(plan, of, share))),
          excess(excess_options(plan, of, share)),
          canary(policy.conditions.size()),
          service(policy.conditions.size()) {
        std::set<std::int64_t> lengths{*effective_halt_window_ms(rule)};
        for (const slo::Condition& condition : policy.conditions) {
            lengths.insert(condition.long_ms);
            lengths.insert(condition.short_ms);
        }
        for (const std::int64_t length : lengths) windows.emplace_back(length, plan.interval_ms);
    }

    static double dispersion(const Plan& plan, const SloRule& rule) {
        const auto noise = plan.noise.find(rule.metric);
        return noise == plan.noise.end() ? 1 : noise->second.dispersion.value_or(1);
    }
    static ProportionOptions halt_options(const Plan& plan, const SloRule& rule, double share) {
        ProportionOptions options;
        options.alpha = share / 2;
        options.margin = {.ratio = std::nullopt, .difference = halt_difference(rule)};
        options.dispersion = dispersion(plan, rule);
        options.interval = false;
        return options;
    }
    static slo::ExcessSequenceOptions excess_options(const Plan& plan, const SloRule& rule, double share) {
        return {.alpha_lower = share / 2,
                .alpha_upper = plan.alpha_promote.value_or(plan.alpha),
                .dispersion = dispersion(plan, rule)};
    }

    // ---- raw burn

    /// What an interval brought, judged or `warming` up: the service burns while its canary warms up, too.
    void watch(const std::array<ArmValues, 2>& arms, bool warming, std::int64_t from_ms, std::int64_t to_ms) {
        ArmEvents events;
        bool any = false;
        for (std::size_t arm = 0; arm < 2; ++arm) {
            if (!arms[arm].present || !Judged::possible(arms[arm])) continue;
            const std::size_t part = arm == 1 && warming ? ArmEvents::warming : arm;
            events.bad[part] = arms[arm].bad;
            events.total[part] = arms[arm].total;
            any = true;
        }
        if (any) {
            for (BurnWindowSums& window : windows) window.add(from_ms, events);
        }
        alert(to_ms);
    }

    /// Moves the alerts on; also while nothing comes, for then windows run empty.
    void alert(std::int64_t now_ms) {
        for (std::size_t i = 0; i < policy.conditions.size(); ++i) {
            const slo::Condition& condition = policy.conditions[i];
            canary[i].see(condition, holds(condition, Whose::judged, now_ms), now_ms);
            service[i].see(condition, holds(condition, Whose::service, now_ms), now_ms);
        }
    }

    bool holds(const slo::Condition& condition, Whose whose, std::int64_t now_ms) const {
        const auto longer = events_of(sums(condition.long_ms, now_ms), whose);
        const auto shorter = events_of(sums(condition.short_ms, now_ms), whose);
        const double threshold = condition.factor * rule.objective.budget;
        if (!(longer.bad / longer.total > threshold && shorter.bad / shorter.total > threshold)) return false;
        if (longer.total < policy.min_events) return false;
        return !policy.min_probability || slo::probability_burn_exceeds(longer, rule.objective.budget,
                                                                        condition.factor) >= *policy.min_probability;
    }

    /// Is there nothing left that time alone would change?
    bool quiet(std::int64_t now_ms) const {
        const auto silent = [](const BurnAlert& alert) { return alert.quiet(); };
        return std::all_of(canary.begin(), canary.end(), silent) &&
               std::all_of(service.begin(), service.end(), silent) && windows.back().at(now_ms).coverage == 0;
    }

    ArmEvents sums(std::int64_t window_ms, std::int64_t now_ms) const {
        for (const BurnWindowSums& window : windows) {
            if (window.window_ms() == window_ms) return window.at(now_ms).events;
        }
        return {};
    }

    /// The gravest condition that fires, of the canary's or the service's.
    std::optional<std::size_t> gravest(const std::vector<BurnAlert>& alerts) const {
        std::optional<std::size_t> found;
        for (std::size_t i = 0; i < alerts.size(); ++i) {
            if (!alerts[i].known.firing) continue;
            if (!found || policy.conditions[i].severity < policy.conditions[*found].severity) found = i;
        }
        return found;
    }

    // ---- evidence

    void begin(double weight) { halt.begin(weight); }

    /// The counts of an interval that is judged.
    void update(const std::array<ArmValues, 2>& arms, double traffic) {
        if (!arms[0].present || !arms[1].present || !Judged::possible(arms[0]) || !Judged::possible(arms[1])) return;
        const Proportion b = Judged::counts(arms[0]), c = Judged::counts(arms[1]);
        halt.update(b, c);
        excess.update(b, c);
        service_events += arms[0].total + arms[1].total;
        canary_share += arms[1].total / traffic;
        ++intervals;
    }

    /// The period's events: what the plan says, or what the traffic so far comes to. The arms are all of the service or
    /// a part of it; the canary's share of the traffic, as the stage tells it, shows which.
    double expected_events(std::int64_t interval_ms) const {
        if (rule.objective.expected_events) return *rule.objective.expected_events;
        const double seen = static_cast<double>(intervals) * static_cast<double>(interval_ms);
        return std::max(service_events, canary_share) * static_cast<double>(rule.objective.period_ms) / seen;
    }
    /// How many bad events are this share of the period's budget.
    double budget_events(double share, std::int64_t interval_ms) const {
        return share * rule.objective.budget * expected_events(interval_ms);
    }

    /// Is the evidence of each way to roll back enough? `log_gain` is what metrics and rules that have failed already
    /// leave to the others, as a factor of the e-value.
    bool halt_proven(double log_gain) const { return halt.log_largest() + log_gain >= halt.log_needed(); }
    bool cap_exceeded(double log_gain, std::int64_t interval_ms) const {
        if (intervals == 0) return false;
        const double allowed = budget_events(rule.max_budget_per_release, interval_ms);
        return excess.log_e_value_above(allowed) + log_gain >= -elementary::log(excess.options().alpha_lower);
    }
    bool failed() const { return halted || exceeded; }

    SloRule rule;
    slo::Policy policy;
    double alpha;
    sequential::StartMixture<ProportionTest> halt;
    slo::ExcessSequence excess;
    std::vector<BurnWindowSums> windows;     // shortest first
    std::vector<BurnAlert> canary, service;  // one a condition
    double service_events = 0, canary_share = 0;
    std::int64_t intervals = 0;  // that were judged, over all stages
    bool halted = false, exceeded = false;
    double proven = 0;  // the share's lower bound when it was exceeded
    std::int64_t failed_after_ms = 0;
};

}  // namespace detail
}  // namespace v0
}  // namespace serinus
