#pragma once
/// \file
/// An objective under judgement: the evidence of both ways in which it rolls back, and the raw burn rates that alert.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include <serinus/numeric/elementary.hpp>
#include <serinus/rollout/plan.hpp>
#include <serinus/sequential/proportion.hpp>
#include <serinus/sequential/start_mixture.hpp>
#include <serinus/slo/alerts.hpp>
#include <serinus/slo/excess_sequence.hpp>

#include "rollout/interval_burns.hpp"
#include "rollout/kinds/proportion.hpp"

namespace serinus {
inline namespace v0 {
namespace detail {

struct SloJudged {
    SloJudged(const Plan& plan, const SloRule& of, double share)
        : rule(of),
          alpha(share),
          metric(metric_of(plan, of)),
          halt(sequential::ProportionTest(halt_options(plan, of, share))),
          excess(excess_options(plan, of, share)),
          canary(effective_policy(of), of.objective),
          service(effective_policy(of), of.objective),
          burns{IntervalBurns(of.objective.budget, windows_of(of), plan.interval),
                IntervalBurns(of.objective.budget, windows_of(of), plan.interval),
                IntervalBurns(of.objective.budget, windows_of(of), plan.interval)} {}

    static std::size_t metric_of(const Plan& plan, const SloRule& rule) {
        const auto at = std::find_if(plan.metrics.begin(), plan.metrics.end(),
                                     [&](const Metric& of) { return of.name == rule.metric; });
        return static_cast<std::size_t>(at - plan.metrics.begin());
    }

    /// The policy's and the halt's, shortest first.
    static std::vector<std::chrono::milliseconds> windows_of(const SloRule& rule) {
        std::set<std::chrono::milliseconds> windows{*effective_halt_window(rule)};
        for (const std::chrono::milliseconds window : slo::windows_of(effective_policy(rule))) windows.insert(window);
        return {windows.begin(), windows.end()};
    }

    static double dispersion(const Plan& plan, const SloRule& rule) {
        const auto noise = plan.noise.find(rule.metric);
        return noise == plan.noise.end() ? 1 : noise->second.dispersion.value_or(1);
    }
    static sequential::ProportionOptions halt_options(const Plan& plan, const SloRule& rule, double share) {
        sequential::ProportionOptions options;
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
    void watch(const std::array<ProportionKind::Values, 2>& arms, bool warming, std::int64_t from_ms,
               std::int64_t to_ms) {
        std::array<bool, 2> there{};
        for (std::size_t arm = 0; arm < 2; ++arm) there[arm] = arms[arm].present && arms[arm].possible();
        const auto add = [&](Whose whose, bool baseline_too) {
            Proportion events;
            for (std::size_t arm = baseline_too ? 0 : 1; arm < 2; ++arm) {
                if (!there[arm]) continue;
                const Proportion own = arms[arm].counts();
                events.bad += own.bad;
                events.total += own.total;
            }
            if (there[1] || (baseline_too && there[0])) of(whose).add(from_ms, to_ms, events);
        };
        if (!warming) add(Whose::judged, false);
        add(Whose::canary, false);
        add(Whose::service, true);
        alert(to_ms);
    }

    /// Moves the windows and the alerts on; also while nothing comes, for then windows run empty.
    void alert(std::int64_t now_ms) {
        for (IntervalBurns& burn : burns) burn.look(now_ms);
        canary.update(from_ms(now_ms), windows(Whose::judged));
        service.update(from_ms(now_ms), windows(Whose::service));
    }

    IntervalBurns& of(Whose whose) { return burns[static_cast<std::size_t>(whose)]; }

    /// The burn rates when the last interval had been judged, or passed over.
    const std::vector<slo::WindowBurn>& windows(Whose whose) const {
        return burns[static_cast<std::size_t>(whose)].windows();
    }

    /// Would a condition of the policy hold for these events, if it held at once?
    bool any_holds(Whose whose, std::int64_t now_ms) const {
        slo::Policy at_once = canary.policy();
        for (slo::Condition& condition : at_once.conditions) condition.pending_for = {};
        slo::Alerts alerts(at_once, rule.objective);
        alerts.update(from_ms(now_ms), windows(whose));
        return alerts.firing().has_value();
    }

    /// Is there nothing left that time alone would change?
    bool quiet() const {
        const auto silent = [](const slo::Alerts& alerts) { return !alerts.firing() && !alerts.pending(); };
        const std::vector<slo::WindowBurn>& all = windows(Whose::service);
        return silent(canary) && silent(service) && std::all_of(all.begin(), all.end(), [](const auto& window) {
                   return window.status == slo::BurnStatus::absent && window.coverage == 0;
               });
    }

    // ---- evidence

    void begin(double weight) { halt.begin(weight); }

    /// The counts of an interval that is judged.
    void update(const std::array<ProportionKind::Values, 2>& arms, double traffic) {
        if (!arms[0].present || !arms[1].present || !arms[0].possible() || !arms[1].possible()) return;
        const Proportion b = arms[0].counts(), c = arms[1].counts();
        halt.update(b, c);
        excess.update(b, c);
        progress.service_events += arms[0].total + arms[1].total;
        progress.canary_share += arms[1].total / traffic;
        ++progress.intervals;
    }

    /// The period's events: what the plan says, or what the traffic so far comes to. The arms are all of the service or
    /// a part of it; the canary's share of the traffic, as the stage tells it, shows which.
    double expected_events(std::chrono::milliseconds interval) const {
        if (rule.objective.expected_events) return *rule.objective.expected_events;
        const double seen = static_cast<double>(progress.intervals) * static_cast<double>(interval.count());
        return std::max(progress.service_events, progress.canary_share) *
               static_cast<double>(rule.objective.period.count()) / seen;
    }
    /// How many bad events are this share of the period's budget.
    double budget_events(double share, std::chrono::milliseconds interval) const {
        return share * rule.objective.budget * expected_events(interval);
    }

    /// Is the evidence of each way to roll back enough? `log_gain` is what metrics and rules that have failed already
    /// leave to the others, as a factor of the e-value.
    bool halt_proven(double log_gain) const { return halt.log_largest() + log_gain >= halt.log_needed(); }
    bool cap_exceeded(double log_gain, std::chrono::milliseconds interval) const {
        if (progress.intervals == 0) return false;
        const double allowed = budget_events(rule.max_budget_per_release, interval);
        return excess.log_e_value_above(allowed) + log_gain >= -elementary::log(excess.options().alpha_lower);
    }
    bool failed() const { return progress.halted || progress.exceeded; }

    /// Latches the fail where the evidence is enough; `after_ms` the stage's start.
    bool fails(double log_gain, std::chrono::milliseconds interval, std::int64_t after_ms) {
        progress.halted = halt_proven(log_gain);
        progress.exceeded = cap_exceeded(log_gain, interval);
        if (!failed()) return false;
        if (progress.exceeded)
            progress.proven = std::max(rule.max_budget_per_release, excess.lower() / budget_events(1, interval));
        progress.failed_after_ms = after_ms;
        return true;
    }

    SloRule rule;
    double alpha;
    std::size_t metric;  // index of the one whose events it counts
    sequential::StartMixture<sequential::ProportionTest> halt;
    slo::ExcessSequence excess;
    slo::Alerts canary, service;         // of the canary's judged intervals, of both arms
    std::array<IntervalBurns, 3> burns;  // by `Whose`
    SloProgressState progress;
};

}  // namespace detail
}  // namespace v0
}  // namespace serinus
