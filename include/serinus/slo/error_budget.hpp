#pragma once
/// \file
/// How much of the error budget is gone, what is left, and for how long.

#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>

#include <serinus/core/describe.hpp>
#include <serinus/core/error.hpp>
#include <serinus/core/require.hpp>
#include <serinus/slo/burn_rate.hpp>
#include <serinus/slo/objective.hpp>

namespace serinus {
inline namespace v0 {
namespace slo {

/// The error budget of a period. NaN where data are absent.
struct ErrorBudget {
    double expected_events = std::numeric_limits<double>::quiet_NaN();  ///< events that the period has
    double allowed_bad = std::numeric_limits<double>::quiet_NaN();      ///< budget x expected events
    double bad = std::numeric_limits<double>::quiet_NaN();              ///< bad events in the period so far
    double consumed = std::numeric_limits<double>::quiet_NaN();         ///< bad / allowed; 1: all of it; may be above 1
    double remaining = std::numeric_limits<double>::quiet_NaN();        ///< 1 - consumed; may be below 0

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("expected_events", self.expected_events);
        visit("allowed_bad", self.allowed_bad);
        visit("bad", self.bad);
        visit("consumed", self.consumed);
        visit("remaining", self.remaining);
    }
};
static_assert(described_whole<ErrorBudget>());

/// What a period's bad events have eaten of its budget.
///
/// Formula: consumed = bad / (budget x N), remaining = 1 - consumed, never clamped: an overspent budget shows by how
/// much. N, the events of a whole period, is the objective's `expected_events`, or, where it has none, learned: the
/// events seen, divided by the share of the period in which they were seen (`coverage`). Counting events, not time, so
/// that an hour of errors at night costs what it costs.
///
/// `period` is the burn rate of a window as long as the objective's period, which ends now (a rolling period), or which
/// began with the calendar's: then give `expected_events`, for the part that is still to come is not known from
/// traffic. Where N is learned and there was no event, nothing was consumed. Raises `serinus.argument.range` for an
/// impossible objective. Cost: O(1).
///
///     error_budget(objective, burn.at(now)[i]).remaining
inline ErrorBudget error_budget(const Objective& objective, const WindowBurn& period) {
    check(objective);
    ErrorBudget result;
    if (objective.expected_events) {
        result.expected_events = *objective.expected_events;
    } else if (period.total >= 0 && period.coverage > 0) {
        result.expected_events = period.total / period.coverage;
    }
    result.allowed_bad = objective.budget * result.expected_events;
    result.bad = period.bad;
    result.consumed = result.bad == 0 && result.allowed_bad == 0 ? 0 : result.bad / result.allowed_bad;
    result.remaining = 1 - result.consumed;
    return result;
}

/// The share of the period's budget that was consumed in a shorter window: bad / (budget x N), N as the period has it.
inline double consumed_share(const ErrorBudget& period, const WindowBurn& window) noexcept {
    return window.bad == 0 && period.allowed_bad == 0 ? 0 : window.bad / period.allowed_bad;
}

/// A length of time that need not be whole, nor finite.
using Lasting = std::chrono::duration<double, std::milli>;

/// How long the rest of the budget lasts at a burn rate, ignoring that old errors leave a rolling
/// period:
///
///     remaining x period / burn
///
/// Infinite where burn is 0 or below, 0 where nothing remains, NaN where either is not known. Traffic is taken as even.
inline Lasting time_to_exhaustion(const Objective& objective, double remaining, double burn) {
    check(objective);
    if (std::isnan(remaining) || std::isnan(burn)) return Lasting(std::numeric_limits<double>::quiet_NaN());
    if (remaining <= 0) return Lasting(0);
    if (burn <= 0) return Lasting(std::numeric_limits<double>::infinity());
    return Lasting(remaining * static_cast<double>(objective.period.count()) / burn);
}

}  // namespace slo
}  // namespace v0
}  // namespace serinus
