#pragma once
/// \file
/// What a policy says now: which of its conditions hold, wait, and fire.

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <serinus/core/describe.hpp>
#include <serinus/core/error.hpp>
#include <serinus/core/quote.hpp>
#include <serinus/core/words.hpp>
#include <serinus/series/duration.hpp>
#include <serinus/series/time.hpp>
#include <serinus/slo/burn_rate.hpp>
#include <serinus/slo/burn_statistics.hpp>
#include <serinus/slo/objective.hpp>
#include <serinus/slo/policy.hpp>

namespace serinus {
inline namespace v0 {
namespace slo {

/// A condition does not hold; holds, but not for long enough; or fires.
enum class AlertState : std::uint8_t { inactive = 1, pending = 2, firing = 3 };

}  // namespace slo

template <>
struct Words<slo::AlertState> {
    static constexpr std::array<std::pair<slo::AlertState, std::string_view>, 3> table{
        {{slo::AlertState::inactive, "inactive"},
         {slo::AlertState::pending, "pending"},
         {slo::AlertState::firing, "firing"}}};
};

namespace slo {

/// The windows that a policy looks at, each once, in the order in which its conditions name them: short, then long.
inline std::vector<std::chrono::milliseconds> windows_of(const Policy& policy) {
    std::vector<std::chrono::milliseconds> windows;
    for (const Condition& condition : policy.conditions) {
        for (const std::chrono::milliseconds window : {condition.short_window, condition.long_window}) {
            if (std::find(windows.begin(), windows.end(), window) == windows.end()) windows.push_back(window);
        }
    }
    return windows;
}

/// The probability that the true burn rate behind `bad` of `total` events exceeds the factor, as
/// `probability_burn_exceeds` has it; for counts that need not be whole, as Prometheus' extrapolation makes them, and
/// may have more bad than total (taken as all bad). NaN where there is nothing to judge by.
inline double burn_confidence(double bad, double total, double factor, double budget) {
    if (!(total > 0) || !(bad >= 0) || std::isinf(total)) return std::numeric_limits<double>::quiet_NaN();
    return detail::jeffreys_upper_tail(std::min(bad, total), total, factor * budget);
}

/// Whether a condition holds, and why it does not.
struct ConditionStatus {
    bool holds = false;
    /// `ok`: both ratios are known (or one of bad events without any total); `no_traffic`, `absent`: one is not;
    /// `insufficient`: both exceed the threshold, but the policy asks for more events, or a higher probability.
    BurnStatus status = BurnStatus::absent;
};

/// Whether a condition holds, of burn rates of its two windows: both ratios > factor x budget, strictly, and enough
/// events in the long one. The product is compared with the ratio, as an alerting rule of Prometheus does it; the
/// quotient ratio / budget may fall on the other side by its last bit. NaN exceeds nothing.
inline ConditionStatus status_of(const Condition& condition, const Policy& policy, double budget, double short_ratio,
                                 double long_ratio, double long_bad, double long_total, BurnStatus short_status,
                                 BurnStatus long_status) {
    const double threshold = condition.factor * budget;
    if (short_ratio > threshold && long_ratio > threshold) {
        bool enough = !(long_total < policy.min_events);
        if (enough && policy.min_probability) {
            // Bad events and none at all are no question of chance.
            const double confidence =
                long_total > 0 ? burn_confidence(long_bad, long_total, condition.factor, budget) : 1;
            enough = confidence >= *policy.min_probability;
        }
        return {enough, enough ? BurnStatus::ok : BurnStatus::insufficient};
    }
    for (const BurnStatus unknown : {BurnStatus::absent, BurnStatus::no_traffic}) {
        if (short_status == unknown || long_status == unknown) return {false, unknown};
    }
    return {false, BurnStatus::ok};
}

/// What a condition says now.
struct Alert {
    AlertState state = AlertState::inactive;
    BurnStatus status = BurnStatus::absent;  ///< see `ConditionStatus`
    std::optional<Time> active_since = {};   ///< pending or firing: since when it has held
    std::optional<Time> firing_since = {};   ///< firing: since when
    double long_burn = std::numeric_limits<double>::quiet_NaN();
    double short_burn = std::numeric_limits<double>::quiet_NaN();

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("state", self.state);
        visit("status", self.status);
        visit("active_since", self.active_since);
        visit("firing_since", self.firing_since);
        visit("long_burn", self.long_burn);
        visit("short_burn", self.short_burn);
    }
};
static_assert(described_whole<Alert>());

struct AlertsState {
    static constexpr std::string_view kind = "alrt";
    static constexpr std::int64_t version = 1;

    double budget = 0;
    std::vector<std::string> names;
    std::vector<AlertState> states;
    std::vector<std::optional<std::int64_t>> active_since, firing_since, ceased;
    std::optional<std::int64_t> last_ms;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("budget", self.budget);
        visit("names", self.names);
        visit("states", self.states);
        visit("active_since", self.active_since);
        visit("firing_since", self.firing_since);
        visit("ceased", self.ceased);
        visit("last_ms", self.last_ms);
    }
};
static_assert(described_whole<AlertsState>());

/// The alerts of a policy, evaluation by evaluation.
///
/// Each condition is a state machine, the one of Prometheus' alerting rules: `inactive` until it holds; then `pending`
/// since that evaluation; `firing` once it has held for `for` at every evaluation; `inactive` again at the first one at
/// which it does not hold, but for a firing one that `keep_firing_for` keeps firing: until that long after the first
/// evaluation at which it did not hold. Missing data do not hold: a burn rate that is absent or NaN ends a pending
/// alert, and a firing one like any other.
///
///     Alerts alerts(sre_workbook_policy(), objective);
///     BurnRate burn({.budget = objective.budget, .windows = alerts.windows()});
///     alerts.update(time, burn.at(time));
///     if (alerts.firing() == Severity::page) ...
class Alerts {
  public:
    /// Raises what `check` raises for the policy.
    Alerts(Policy policy, const Objective& objective)
        : policy_(std::move(policy)), budget_(objective.budget), windows_(windows_of(policy_)) {
        check(policy_, objective);
        alerts_.resize(policy_.conditions.size());
        ceased_.resize(policy_.conditions.size());
    }

    /// The windows that `update` needs.
    const std::vector<std::chrono::milliseconds>& windows() const noexcept { return windows_; }

    /// Takes the burn rates at a time. They may be more windows than the policy needs, in any order. Raises
    /// `serinus.data.order` for a time before the last one, `serinus.argument.range` for a window that is missing;
    /// nothing changes then.
    void update(Time time, std::span<const WindowBurn> burns) {
        const std::int64_t time_ms = to_ms(time);
        if (last_ms_ && time_ms < *last_ms_) {
            raise(Code::data_order, "alerts are evaluated at " + std::to_string(time_ms) + " ms after " +
                                        std::to_string(*last_ms_) + " ms; allowed: times that do not go back");
        }
        for (const std::chrono::milliseconds window : windows_) {
            const bool there =
                std::any_of(burns.begin(), burns.end(), [&](const auto& burn) { return burn.window == window; });
            if (!there) {
                raise(Code::argument_range,
                      "burns lack the window " + format_duration(window) + "; allowed: every window of the policy");
            }
        }
        const auto of = [&](std::chrono::milliseconds window) -> const WindowBurn& {
            return *std::find_if(burns.begin(), burns.end(), [&](const auto& burn) { return burn.window == window; });
        };
        for (std::size_t i = 0; i < alerts_.size(); ++i) {
            const Condition& condition = policy_.conditions[i];
            const WindowBurn &brief = of(condition.short_window), &whole = of(condition.long_window);
            const auto [holds, status] = status_of(condition, policy_, budget_, brief.ratio, whole.ratio, whole.bad,
                                                   whole.total, brief.status, whole.status);
            alerts_[i].status = status;
            alerts_[i].short_burn = brief.burn;
            alerts_[i].long_burn = whole.burn;
            step(i, time, holds);
        }
        last_ms_ = time_ms;
    }

    /// What each condition says, in the order of the policy.
    const std::vector<Alert>& alerts() const noexcept { return alerts_; }
    /// The gravest severity that fires, or nothing.
    std::optional<Severity> firing() const noexcept { return gravest(AlertState::firing); }
    /// The gravest severity that waits, or nothing.
    std::optional<Severity> pending() const noexcept { return gravest(AlertState::pending); }
    const Policy& policy() const noexcept { return policy_; }

    AlertsState state() const {
        AlertsState state;
        state.budget = budget_;
        for (std::size_t i = 0; i < alerts_.size(); ++i) {
            state.names.push_back(policy_.conditions[i].name);
            state.states.push_back(alerts_[i].state);
            state.active_since.push_back(ms_of(alerts_[i].active_since));
            state.firing_since.push_back(ms_of(alerts_[i].firing_since));
        }
        for (const std::optional<Time>& ceased : ceased_) state.ceased.push_back(ms_of(ceased));
        state.last_ms = last_ms_;
        return state;
    }

    /// Goes on where the state was taken; burn rates and statuses are there again after the next `update`. Raises
    /// `serinus.state.options` for other conditions or another budget, `serinus.state.invariant` for what cannot be;
    /// the object is unchanged then.
    void restore(const AlertsState& state) {
        bool same = state.budget == budget_ && state.names.size() == alerts_.size();
        for (std::size_t i = 0; same && i < alerts_.size(); ++i) same = state.names[i] == policy_.conditions[i].name;
        if (!same) raise(Code::state_options, "the state of Alerts was taken under another policy or budget");
        const std::size_t size = alerts_.size();
        bool sound = state.states.size() == size && state.active_since.size() == size &&
                     state.firing_since.size() == size && state.ceased.size() == size;
        for (std::size_t i = 0; sound && i < size; ++i) {
            const bool active = state.states[i] != AlertState::inactive, fires = state.states[i] == AlertState::firing;
            sound = state.active_since[i].has_value() == active && state.firing_since[i].has_value() == fires &&
                    (fires || !state.ceased[i]) && (!active || state.last_ms) &&
                    (!active || *state.active_since[i] <= *state.last_ms);
        }
        if (!sound) raise(Code::state_invariant, "the state of Alerts has times that do not belong to its states");
        for (std::size_t i = 0; i < size; ++i) {
            alerts_[i] = {};
            alerts_[i].state = state.states[i];
            alerts_[i].active_since = time_of(state.active_since[i]);
            alerts_[i].firing_since = time_of(state.firing_since[i]);
        }
        for (std::size_t i = 0; i < size; ++i) ceased_[i] = time_of(state.ceased[i]);
        last_ms_ = state.last_ms;
    }

  private:
    static std::optional<std::int64_t> ms_of(std::optional<Time> time) noexcept {
        return time ? std::optional(to_ms(*time)) : std::nullopt;
    }
    static std::optional<Time> time_of(std::optional<std::int64_t> ms) noexcept {
        return ms ? std::optional(from_ms(*ms)) : std::nullopt;
    }

    void step(std::size_t i, Time time, bool holds) {
        Alert& alert = alerts_[i];
        const Condition& condition = policy_.conditions[i];
        if (!holds) {
            if (alert.state == AlertState::firing) {
                if (!ceased_[i]) ceased_[i] = time;
                if (time - *ceased_[i] < condition.keep_firing_for) return;
            }
            alert.state = AlertState::inactive;
            alert.active_since = alert.firing_since = ceased_[i] = std::nullopt;
            return;
        }
        ceased_[i] = std::nullopt;
        if (alert.state == AlertState::inactive) {
            alert.state = AlertState::pending;
            alert.active_since = time;
        }
        if (alert.state == AlertState::pending && time - *alert.active_since >= condition.pending_for) {
            alert.state = AlertState::firing;
            alert.firing_since = time;
        }
    }

    std::optional<Severity> gravest(AlertState state) const noexcept {
        std::optional<Severity> found;
        for (std::size_t i = 0; i < alerts_.size(); ++i) {
            const Severity severity = policy_.conditions[i].severity;
            if (alerts_[i].state == state && (!found || severity < *found)) found = severity;
        }
        return found;
    }

    Policy policy_;
    double budget_;
    std::vector<std::chrono::milliseconds> windows_;
    std::vector<Alert> alerts_;
    std::vector<std::optional<Time>> ceased_;  // firing, kept so: first evaluation at which it did not hold
    std::optional<std::int64_t> last_ms_;
};

/// From the first to the last of consecutive evaluations at which something fired.
struct FiringInterval {
    Time first = {}, last = {};

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("first", self.first);
        visit("last", self.last);
    }

    friend bool operator==(const FiringInterval&, const FiringInterval&) = default;
};
static_assert(described_whole<FiringInterval>());

/// What a policy would have said at many times.
struct AlertHistory {
    std::vector<std::vector<FiringInterval>> by_condition;
    std::array<std::vector<FiringInterval>, 4> by_severity;  ///< by the number of the severity; 0 is empty

    const std::vector<FiringInterval>& of(Severity severity) const noexcept {
        return by_severity[static_cast<std::size_t>(severity)];
    }
};

/// Evaluates a policy at times that do not go back, over all that a `BurnRate` knows: the same as `Alerts::update` at
/// each of them. Raises what `check` raises, `serinus.data.order`, and `serinus.argument.range` where `burn` has
/// another budget or lacks a window. Cost: that of `over`, and O(conditions) a time.
inline AlertHistory alerts_over(const Policy& policy, const Objective& objective, const BurnRate& burn,
                                std::span<const std::int64_t> times_ms) {
    require(burn.options().budget == objective.budget, "the budget of the burn rate", burn.options().budget,
            "that of the objective");
    Alerts alerts(policy, objective);
    const auto columns = burn.over(times_ms);
    std::vector<WindowBurn> burns(columns.size());
    AlertHistory history;
    history.by_condition.resize(policy.conditions.size());
    std::vector<char> fired(policy.conditions.size());
    std::array<char, 4> severe{};
    const auto note = [](std::vector<FiringInterval>& intervals, char& before, bool fires, Time time) {
        if (fires && before != 0) {
            intervals.back().last = time;
        } else if (fires) {
            intervals.push_back({time, time});
        }
        before = fires ? 1 : 0;
    };
    for (std::size_t i = 0; i < times_ms.size(); ++i) {
        for (std::size_t w = 0; w < columns.size(); ++w) {
            burns[w].window = columns[w].window;
            burns[w].ratio = columns[w].ratio(i);
            burns[w].burn = columns[w].burn(i);
            burns[w].bad = columns[w].bad[i];
            burns[w].total = columns[w].total[i];
            burns[w].status = columns[w].status(i);
        }
        const Time time = from_ms(times_ms[i]);
        alerts.update(time, burns);
        std::array<bool, 4> fires{};
        for (std::size_t c = 0; c < policy.conditions.size(); ++c) {
            const bool now = alerts.alerts()[c].state == AlertState::firing;
            note(history.by_condition[c], fired[c], now, time);
            bool& any = fires[static_cast<std::size_t>(policy.conditions[c].severity)];
            any = any || now;
        }
        for (std::size_t s = 1; s < 4; ++s) note(history.by_severity[s], severe[s], fires[s], time);
    }
    return history;
}

}  // namespace slo
}  // namespace v0
}  // namespace serinus
