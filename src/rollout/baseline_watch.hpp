#pragma once
/// \file
/// Is the baseline itself well? A watch on its level beside its own history; inside the library only.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include <serinus/core/reason.hpp>
#include <serinus/rollout/monitor_state.hpp>
#include <serinus/rollout/noise.hpp>

#include "rollout/limits.hpp"
#include "rollout/state_checks.hpp"

namespace serinus {
inline namespace v0 {
namespace detail {

struct Learning;  // rollout/history.hpp

/// Intervals that a mean of the baseline is of, in history and in a rollout: one bad scrape is no sickness.
constexpr std::size_t baseline_window = 5;

/// History of a gauge or ratio that a range needs: its level comes and goes with the hours, and at an hour that history has
/// not seen a baseline that is well would be called sick (of 6 hours of a tide: in .74 of rollouts at its rise).
constexpr std::chrono::hours baseline_history{24};

/// What of an interval the baseline's level is made of: a part and its whole, or a value and 1; nothing of kinds whose
/// interval is more than a number.
template <class Values>
std::optional<std::pair<double, double>> level_parts(const Values& values) {
    if constexpr (requires { values.bad + values.total; }) {
        return std::pair(values.bad, values.total);
    } else if constexpr (requires { values.events + values.exposure; }) {
        return std::pair(values.events, values.exposure);
    } else if constexpr (requires { values.mean; }) {
        return std::pair(values.mean, 1.0);
    } else {
        return std::nullopt;
    }
}

/// Watches the baseline's level over its last intervals.
///
/// It is sick when the mean of its last 5 intervals with data lies beyond the range that its history had, and so for 20
/// intervals afterwards; of the first intervals of a rollout the mean of k lies beyond where it leaves the range's middle
/// by more than sqrt(5/k) times as far. Counts lie beyond only where chance does not explain it: more than 3 standard deviations of a
/// Poisson law and 5 events. What an interval brings has no say in whether it counts itself: asked is `sick()`, and then
/// it is added. So evidence that is passed over while the baseline is sick harms no promise.
class BaselineWatch {
  public:
    BaselineWatch(const Noise* noise, bool counts)
        : range_(noise ? noise->baseline : std::optional<BaselineRange>()), counts_(counts) {}

    bool watches() const { return range_.has_value(); }
    bool sick() const { return state_.recent != 0; }

    void add(double part, double whole) {
        if (!range_) return;
        if (!std::isfinite(part) || !std::isfinite(whole) || !(whole > 0)) return remember(false);
        std::vector<double>& parts = state_.parts;
        std::vector<double>& wholes = state_.wholes;
        parts.push_back(part);
        wholes.push_back(whole);
        if (parts.size() > baseline_window) {
            parts.erase(parts.begin());
            wholes.erase(wholes.begin());
        }
        double sum = 0, of = 0;
        for (const double value : parts) sum += value;
        for (const double value : wholes) of += value;
        // The mean of fewer intervals, as a rollout begins, varies as much more.
        const double more = std::sqrt(static_cast<double>(baseline_window) / static_cast<double>(parts.size()));
        const bool out = beyond(sum, of, more);
        if (out) state_.level = sum / of;
        remember(out);
    }

    Reason reason() const {
        return {Code::sick_baseline,
                "",
                {{"window", static_cast<double>(state_.parts.size())},
                 {"level", state_.level},
                 {"lower", range_ ? range_->lower : 0},
                 {"upper", range_ ? range_->upper : 0},
                 {"calm", static_cast<double>(recent_intervals)}},
                false};
    }

    std::optional<BaselineState> state() const { return range_ ? std::optional(state_) : std::nullopt; }
    /// A state of before it was watched has none: the watch begins now.
    void restore(const std::optional<BaselineState>& state) {
        require_state(!state || range_, "a watch on the baseline of a metric that has none");
        state_ = state.value_or(BaselineState());
        require_state(state_.parts.size() == state_.wholes.size() && state_.parts.size() <= baseline_window,
                      "a window of the baseline that cannot be");
    }

  private:
    bool beyond(double sum, double of, double more) const {
        const double middle = (range_->lower + range_->upper) / 2, half = (range_->upper - range_->lower) / 2 * more;
        const double least = (middle - half) * of, most = (middle + half) * of;
        if (!counts_) return sum < least || sum > most;
        const auto chance = [](double expected) { return 3 * std::sqrt(std::max(expected, 0.0)) + 5; };
        return sum > most + chance(most) || sum < least - chance(least);
    }
    void remember(bool out) {
        state_.recent = ((state_.recent << 1) | (out ? 1 : 0)) & ((std::int64_t{1} << recent_intervals) - 1);
    }

    std::optional<BaselineRange> range_;
    bool counts_;
    BaselineState state_;
};

/// Learns where the baseline may be from history, and adds it to the noise that the metric has.
void learn_baseline(const Learning& learning);

}  // namespace detail
}  // namespace v0
}  // namespace serinus
