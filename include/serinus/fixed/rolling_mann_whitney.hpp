#pragma once
/// \file
/// Mann-Whitney's U of two windows that slide, exact at every step.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include <serinus/core/error.hpp>
#include <serinus/core/require.hpp>
#include <serinus/fixed/mann_whitney.hpp>
#include <serinus/numeric/order.hpp>
#include <serinus/numeric/workspace.hpp>

namespace serinus {
inline namespace v0 {

/// U and the effect of the last `window` values of each arm, for a chart or a score that follows the data. Not a test
/// to be asked at every step: that alarms on most healthy canaries (see sequential/).
///
/// Both windows are kept sorted; a new value takes the place of the oldest by two binary searches and a move of what
/// lies between, and U changes by what the two values change. All counts are whole numbers, so nothing drifts: at every
/// step U is that of `mann_whitney` on the same windows, and `result` is its result to the bit.
///
/// window: values an arm, from 1 to 2^20 (`serinus.argument.range`). A NaN is no value and is left out. Cost: a push
/// O(log n) searches and a move of up to n doubles; `u` and `effect` nothing; `result` O(n).
///
///     RollingMannWhitney rolling(1440);
///     rolling.push_baseline(101.5);
///     rolling.push_canary(103.2);
///     rolling.effect();   // 1
class RollingMannWhitney {
  public:
    explicit RollingMannWhitney(std::size_t window) : window_(window) {
        constexpr std::size_t most = std::size_t{1} << 20;
        require(window >= 1 && window <= most, "window", static_cast<double>(window), "from 1 to 1048576");
        for (Window* arm : {&baseline_, &canary_}) {
            arm->sorted.reserve(window);
            arm->ring.reserve(window);
        }
    }

    void push_baseline(double value) {
        // What a baseline value takes from U, counted from the other side.
        push(baseline_, value, [&](double v) { return 2 * size(canary_) - twice_below(canary_, v); });
    }
    void push_canary(double value) {
        push(canary_, value, [&](double v) { return twice_below(baseline_, v); });
    }

    /// The canary's U; 0 while an arm is empty.
    double u() const noexcept { return static_cast<double>(twice_u_) / 2; }
    /// u/(mn); NaN while an arm is empty.
    double effect() const noexcept {
        const double pairs = static_cast<double>(size(canary_)) * static_cast<double>(size(baseline_));
        return pairs > 0 ? u() / pairs : std::numeric_limits<double>::quiet_NaN();
    }
    std::int64_t n_baseline() const noexcept { return size(baseline_); }
    std::int64_t n_canary() const noexcept { return size(canary_); }

    /// The whole test on the windows as they are: one look.
    MannWhitneyResult result(const MannWhitneyOptions& options, Workspace& workspace) const {
        return mann_whitney_detail::of_sorted(baseline_.sorted, canary_.sorted, options, workspace);
    }
    MannWhitneyResult result(const MannWhitneyOptions& options = {}) const {
        Workspace workspace;
        return result(options, workspace);
    }

  private:
    struct Window {
        std::vector<double> sorted, ring;  // the same values: by size, and by age
        std::size_t oldest = 0;
    };

    static std::int64_t size(const Window& arm) noexcept { return static_cast<std::int64_t>(arm.sorted.size()); }
    /// 2 #{values below v} + #{values equal to v}.
    static std::int64_t twice_below(const Window& arm, double v) noexcept {
        const auto low = std::lower_bound(arm.sorted.begin(), arm.sorted.end(), v);
        const auto high = std::upper_bound(low, arm.sorted.end(), v);
        return (low - arm.sorted.begin()) + (high - arm.sorted.begin());
    }

    template <class Share>
    void push(Window& arm, double value, Share&& share) {
        if (value != value) return;
        value += 0.0;  // -0 equals +0
        std::vector<double>& sorted = arm.sorted;
        if (arm.ring.size() < window_) {
            arm.ring.push_back(value);
            sorted.insert(std::upper_bound(sorted.begin(), sorted.end(), value), value);
        } else {
            const double old = arm.ring[arm.oldest];
            arm.ring[arm.oldest] = value;
            arm.oldest = arm.oldest + 1 == window_ ? 0 : arm.oldest + 1;
            twice_u_ -= share(old);
            const auto out = std::lower_bound(sorted.begin(), sorted.end(), old);
            const auto in = std::lower_bound(sorted.begin(), sorted.end(), value);
            if (in > out) {
                std::move(out + 1, in, out);
                *(in - 1) = value;
            } else {
                std::move_backward(in, out, out + 1);
                *in = value;
            }
        }
        twice_u_ += share(value);
    }

    std::size_t window_;
    Window baseline_, canary_;
    std::int64_t twice_u_ = 0;
};

}  // namespace v0
}  // namespace serinus
