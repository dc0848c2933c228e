#pragma once
/// \file
/// The raw burn rates of a rollout, of whom it takes; inside the library only.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <serinus/core/counts.hpp>
#include <serinus/core/error.hpp>
#include <serinus/rollout/monitor_state.hpp>
#include <serinus/slo/burn_rate.hpp>

namespace serinus {
inline namespace v0 {
namespace detail {

/// Whose burn is asked for: of the canary's judged intervals, of all of the canary's, of both arms.
enum class Whose { judged, canary, service };

/// The burn rates of one of them: a thinned `slo::BurnRate` of two series, bad and all events, which gets the events of
/// each interval as a delta at the interval's end. So a window is what it is where somebody else asks a `BurnRate` for
/// the alerts in production: to the number, with the same bounds of memory and the same `exact`.
class IntervalBurns {
  public:
    IntervalBurns(double budget, std::vector<std::chrono::milliseconds> windows, std::chrono::milliseconds interval)
        : burn_({.budget = budget, .windows = std::move(windows), .keep = slo::Keep::thinned, .interval = interval}) {
        for (const slo::Role role : roles) burn_.add_series(role, slo::SeriesKind::delta);
        for (const std::chrono::milliseconds window : burn_.options().windows) found_.push_back({.window = window});
    }

    /// The events of the interval (from, to]; in order of time.
    void add(std::int64_t start_ms, std::int64_t end_ms, const Proportion& events) {
        const bool first = !burn_.newest();
        for (std::size_t series = 0; series < roles.size(); ++series) {
            // Begins here: without this the time until the interval's end would not count as covered.
            if (first) burn_.add(series, from_ms(start_ms), 0);
            burn_.add(series, from_ms(end_ms), as_double(series == 0 ? events.bad : events.total));
        }
    }

    /// Moves the windows on to a time; times must not go back.
    void look(std::int64_t now_ms) {
        const auto found = burn_.at(from_ms(now_ms));
        found_.assign(found.begin(), found.end());
    }

    /// What every window says of the time of the last look.
    const std::vector<slo::WindowBurn>& windows() const { return found_; }

    slo::BurnRateState state() const { return burn_.state(); }

    /// Raises `serinus.state.*` for a state that is not one of this class.
    void restore(const slo::BurnRateState& state) {
        bool sound = state.roles.size() == roles.size() && std::equal(roles.begin(), roles.end(), state.roles.begin());
        for (const slo::EventHistoryState& history : state.histories) {
            sound = sound && history.series_kind == slo::SeriesKind::delta;
            // Values are sums of counts.
            for (const slo::HistoryTier& tier : history.tiers)
                sound = sound && std::is_sorted(tier.values.begin(), tier.values.end());
        }
        if (!sound) raise(Code::state_invariant, "the state of a Monitor has burn windows that cannot be");
        burn_.restore(state);
        if (state.last_ms) {
            look(*state.last_ms);
            for (const slo::WindowBurn& window : found_)
                sound = sound && (window.status == slo::BurnStatus::absent || window.bad <= window.total);
        }
        if (!sound) raise(Code::state_invariant, "the state of a Monitor has more bad events than events");
    }

  private:
    static constexpr std::array<slo::Role, 2> roles{slo::Role::bad, slo::Role::total};

    slo::BurnRate burn_;
    std::vector<slo::WindowBurn> found_;
};

}  // namespace detail
}  // namespace v0
}  // namespace serinus
