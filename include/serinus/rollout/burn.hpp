#pragma once
/// \file
/// What a decision says of an objective's error budget.

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include <serinus/core/reason.hpp>
#include <serinus/core/words.hpp>
#include <serinus/slo/burn_rate.hpp>

namespace serinus {
inline namespace v0 {

/// Burn rates over the last `window_ms` of the rollout: bad events/events/budget. Raw numbers, without uncertainty.
struct BurnWindow {
    std::int64_t window_ms = 0;
    slo::BurnStatus status = slo::BurnStatus::absent;           ///< of the canary's
    double canary = std::numeric_limits<double>::quiet_NaN();   ///< the canary's own
    double service = std::numeric_limits<double>::quiet_NaN();  ///< of both arms together
    double coverage = 0;                                        ///< share of the window that has the canary's data
};

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
};

/// The evidence that all traffic on the canary would use up `budget` of the period's within `window_ms`, beyond what
/// the baseline burns.
struct BurnHalt {
    std::int64_t window_ms = 0;
    double budget = 0;
    double factor = 0;  ///< the burn rate beyond the baseline's at which that happens
    double log_e_value = 0;
    double log_needed = 0;
};

/// How one objective stands.
struct BurnResult {
    std::string objective;
    std::string metric;
    Verdict verdict = Verdict::no_data;
    double budget = 0;  ///< share of events that may be bad
    std::int64_t period_ms = 0;
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
};

}  // namespace v0
}  // namespace serinus
