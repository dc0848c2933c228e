#pragma once
/// \file
/// What a decision says of an objective's error budget.

#include <chrono>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include <serinus/core/describe.hpp>
#include <serinus/core/reason.hpp>
#include <serinus/core/words.hpp>
#include <serinus/slo/burn_rate.hpp>

namespace serinus {
inline namespace v0 {

/// Burn rates over the last `window` of the rollout: bad events/events/budget. Raw numbers, without uncertainty.
struct BurnWindow {
    std::chrono::milliseconds window{0};
    slo::BurnStatus status = slo::BurnStatus::absent;           ///< of the canary's
    double canary = std::numeric_limits<double>::quiet_NaN();   ///< the canary's own
    double service = std::numeric_limits<double>::quiet_NaN();  ///< of both arms together
    double coverage = 0;                                        ///< share of the window that has the canary's data

    friend bool operator==(const BurnWindow&, const BurnWindow&) = default;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("window", self.window);
        visit("status", self.status);
        visit("canary", self.canary);
        visit("service", self.service);
        visit("coverage", self.coverage);
    }
};
static_assert(described_whole<BurnWindow>());

/// What this release has used of the period's budget, budget x expected_events, beyond what the baseline would have:
/// over all stages, and shares of that budget.
struct BudgetShare {
    double estimate = std::numeric_limits<double>::quiet_NaN();
    double lower = -std::numeric_limits<double>::infinity();  ///< always valid
    double upper = std::numeric_limits<double>::infinity();
    double confidence = 0;  ///< that both bounds hold, at every look
    double total = 0;       ///< all of the canary's bad events as such a share
    double allowed = 0;     ///< max_budget_per_release
    double expected_events = std::numeric_limits<double>::quiet_NaN();
    bool measured = false;  ///< expected_events comes from the traffic so far, not from the plan

    friend bool operator==(const BudgetShare&, const BudgetShare&) = default;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("estimate", self.estimate);
        visit("lower", self.lower);
        visit("upper", self.upper);
        visit("confidence", self.confidence);
        visit("total", self.total);
        visit("allowed", self.allowed);
        visit("expected_events", self.expected_events);
        visit("measured", self.measured);
    }
};
static_assert(described_whole<BudgetShare>());

/// The evidence that all traffic on the canary would use up `budget` of the period's within `window`, beyond what
/// the baseline burns.
struct BurnHalt {
    std::chrono::milliseconds window{0};
    double budget = 0;
    double factor = 0;  ///< the burn rate beyond the baseline's at which that happens
    double log_e_value = 0;
    double needed_log_e_value = 0;  ///< it rolls back when `log_e_value` reaches this

    friend bool operator==(const BurnHalt&, const BurnHalt&) = default;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("window", self.window);
        visit("budget", self.budget);
        visit("factor", self.factor);
        visit("log_e_value", self.log_e_value);
        visit("needed_log_e_value", self.needed_log_e_value);
    }
};
static_assert(described_whole<BurnHalt>());

/// How one objective stands.
struct BurnResult {
    std::string objective;
    std::string metric;
    Verdict verdict = Verdict::no_data;
    double budget = 0;  ///< share of events that may be bad
    std::chrono::milliseconds period{0};
    double alpha = 0;  ///< its share; the halt and the cap have half of it each
    double canary_burn = std::numeric_limits<double>::quiet_NaN();  ///< the canary's own, over the rollout
    double canary_lower = 0;                                        ///< always valid
    double canary_upper = std::numeric_limits<double>::infinity();
    /// What the service would burn if the canary had all its traffic: the canary's own rate in the last halt window.
    double projected_burn = std::numeric_limits<double>::quiet_NaN();
    double service_burn = std::numeric_limits<double>::quiet_NaN();  ///< of both arms together, over the rollout
    std::vector<BurnWindow> windows;                                 ///< of the policy and the halt, shortest first
    BudgetShare share;
    BurnHalt halt;
    std::optional<Severity> alert = std::nullopt;  ///< the gravest condition of the policy that fires; empty: none
    bool suppressed = false;                       ///< the canary alone alerts, while it warms up: nobody is told
    std::string dedupe_key;  ///< deployment/objective/severity, for whoever passes alerts on; empty without one
    std::vector<Reason> reasons;

    friend bool operator==(const BurnResult&, const BurnResult&) = default;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("objective", self.objective);
        visit("metric", self.metric);
        visit("verdict", self.verdict);
        visit("budget", self.budget);
        visit("period", self.period);
        visit("alpha", self.alpha);
        visit("canary_burn", self.canary_burn);
        visit("canary_lower", self.canary_lower);
        visit("canary_upper", self.canary_upper);
        visit("projected_burn", self.projected_burn);
        visit("service_burn", self.service_burn);
        visit("windows", self.windows);
        visit("share", self.share);
        visit("halt", self.halt);
        visit("alert", self.alert);
        visit("suppressed", self.suppressed);
        visit("dedupe_key", self.dedupe_key);
        visit("reasons", self.reasons);
    }
};
static_assert(described_whole<BurnResult>());

}  // namespace v0
}  // namespace serinus
