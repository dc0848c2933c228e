#pragma once
/// \file
/// A gauge under a margin with a floor, {"ratio": r, "floor": f}: harm is a canary beyond max(r x baseline, baseline + f);
/// inside the library only.
///
/// On the margin's edge the canary reads m(b') = max(r b', b' + f), b' what another arm of the baseline's version reads.
/// So the line comes first and the logarithm then: log max(c, f) - log m(b) is at most what log m(b') - log m(b) is in
/// history, and what a ratio margin of 1 asks is what the floor asks. There is no logarithm of 0, the unit is any, and
/// raising the canary to f makes no harm of good, since m is never below it. It is raised to half of f only: on the edge
/// that is the same, and beside a baseline at 0 a canary at 0 is seen to be better than the edge. A decrease is the same
/// with the arms exchanged: max(b, f) against m(c).
///
/// Where the floor binds, log m(b) moves b/(b + f) as much as log b does. A history whose level was lower than the
/// rollout's is too quiet for it, so differences are divided by how much steeper m is now than it was in history, at the
/// baseline's level in the intervals before; never by less than 1, which would trust noise to be proportional to the
/// level down to 0.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <optional>
#include <utility>

#include <serinus/core/evidence.hpp>
#include <serinus/core/words.hpp>
#include <serinus/numeric/elementary.hpp>
#include <serinus/rollout/monitor_state.hpp>
#include <serinus/rollout/noise.hpp>
#include <serinus/rollout/plan.hpp>
#include <serinus/sequential/paired.hpp>

namespace serinus {
inline namespace v0 {
namespace detail {

/// m of one margin, and what each arm's values become. Values below 0 count as 0, NaN stays.
struct FloorLine {
    double ratio = 1, floor = 0;
    Harm harm = Harm::increase;

    FloorLine(const Margin& margin, Harm direction) : ratio(*margin.ratio), floor(*margin.floor), harm(direction) {}

    static bool of(const Metric& metric) { return metric.margin.floor.has_value(); }

    double allowed(double value) const {
        value = std::max(value, 0.0);
        return std::max(ratio * value, value + floor);
    }
    double baseline(double value) const { return harm == Harm::decrease ? std::max(value, floor) : allowed(value); }
    double canary(double value) const { return harm == Harm::decrease ? allowed(value) : std::max(value, least()); }
    /// What the canary is raised to.
    double least() const { return floor / 2; }

    /// How much log baseline(level) moves with log level, 0 to 1.
    double slope(double level) const {
        if (harm == Harm::decrease) return level > floor ? 1 : 0;
        if (!(level > 0)) return 0;
        return ratio * level >= level + floor ? 1 : level / (level + floor);
    }
    /// By how much differences of now are divided, history's mean slope given.
    double steeper(double level, double slope_of_history) const {
        const double now = slope(level);
        return now > slope_of_history ? now / slope_of_history : 1;
    }

    /// (canary - baseline)/max((ratio - 1) x the smaller, floor), the excess in units of what is allowed, of a canary that
    /// reads `times` what it may beside a baseline of `level`; 1 (of a decrease -1) is the margin.
    double excess(double times, double level) const {
        if (harm == Harm::decrease) {
            const double reached = times * std::max(level, floor);
            const double canary = std::min(reached / ratio, reached - floor);
            return (canary - level) / std::max((ratio - 1) * canary, floor);
        }
        const double most = allowed(level);
        return (times * most - level) / (most - level);
    }

    /// The metric as the test of its edge sees it: any harm beyond a ratio of 1 counts.
    static Metric edge(Metric metric) {
        if (!of(metric)) return metric;
        metric.margin = {.ratio = 1.0, .difference = {}};
        metric.detect = metric.margin;
        return metric;
    }
};

/// What one gauge under a floor needs between intervals.
class FlooredGauge {
  public:
    FlooredGauge(const Metric& metric, double slope_of_history)
        : margin(metric.margin, metric.harm),
          detect(*effective_detect(metric), metric.harm),
          slope_(std::max(slope_of_history, 1e-9)) {}

    /// What a test of that line takes of one interval.
    sequential::Pair pair(const FloorLine& line, sequential::Pair values) const {
        const double steeper = state_.n > 0 ? line.steeper(state_.level, slope_) : 1;
        values.baseline = flattened(line.baseline(values.baseline), steeper);
        values.canary = flattened(line.canary(values.canary), steeper);
        return values;
    }
    /// Both arms of an interval, after it was tested: what comes before an interval is known, what it brings is not.
    void add(double baseline, double canary) {
        if (std::isnan(baseline - canary)) return;
        state_.n += 1;
        state_.level += (std::max(baseline, 0.0) - state_.level) * std::max(1 / state_.n, 1 / follows);
        state_.in_stage += 1;
        state_.sums[0] += baseline;
        state_.sums[1] += canary;
    }
    void enter_stage() {
        state_.in_stage = 0;
        state_.sums = {};
    }
    double mean(Arm arm) const { return state_.sums[static_cast<std::size_t>(arm)] / state_.in_stage; }

    /// The evidence of the margin's edge, in units of what is allowed beside a baseline of `level`.
    Evidence shown(Evidence evidence, double level, bool flatten) const {
        constexpr double infinity = std::numeric_limits<double>::infinity();
        const double steeper = flatten && state_.n > 0 ? margin.steeper(state_.level, slope_) : 1;
        const auto excess = [&](double times) {
            if (!(times > 0) || std::isinf(times)) return times > 0 ? infinity : -infinity;
            return margin.excess(steeper == 1 ? times : elementary::exp(steeper * elementary::log(times)), level);
        };
        const bool known = !std::isnan(level);
        evidence.estimate = known && !std::isnan(evidence.estimate) ? excess(evidence.estimate)
                                                                    : std::numeric_limits<double>::quiet_NaN();
        evidence.lower = known ? excess(evidence.lower) : -infinity;
        evidence.upper = known ? excess(evidence.upper) : infinity;
        return evidence;
    }

    const FlooredState& state() const noexcept { return state_; }
    void restore(const FlooredState& state);

    FloorLine margin, detect;

  private:
    static constexpr double follows = 30;  ///< intervals that the level is of: a median drift, and little noise

    static double flattened(double value, double steeper) {
        return steeper == 1 ? value : elementary::exp(elementary::log(value) / steeper);
    }

    double slope_;
    FlooredState state_;
};

}  // namespace detail
}  // namespace v0
}  // namespace serinus
