#pragma once
/// \file
/// Learns the noise of a plan's metrics from history, before the canary starts.

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <serinus/core/reason.hpp>
#include <serinus/rollout/batch.hpp>
#include <serinus/rollout/plan.hpp>

namespace serinus {
inline namespace v0 {

/// How the noise learned from the first half of history did on the second half, at one stage.
struct HeldBack {
    double traffic = 0;          ///< of the stage
    std::int64_t windows = 0;    ///< rollouts of nothing new that were played on the second half
    std::int64_t intervals = 0;  ///< length of each
    std::int64_t alarms = 0;     ///< of the windows, how many would ever have been rolled back by this metric
    double alpha = 0;            ///< what it was played at: the metric's share, without the part for spikes
    /// How likely so many alarms, or more, were if each window had one with probability alpha: a binomial tail. Windows
    /// of turns, which share their baselines, count (turns - 1)/turns each.
    double p_value = 1;

    /// Below this the noise is contradicted, and not written.
    static constexpr double refuted_below = 0.001;
    bool refuted() const noexcept { return p_value < refuted_below; }

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("traffic", self.traffic);
        visit("windows", self.windows);
        visit("intervals", self.intervals);
        visit("alarms", self.alarms);
        visit("alpha", self.alpha);
        visit("p_value", self.p_value);
    }
};
static_assert(described_whole<HeldBack>());

/// What history says of one metric.
struct MetricCalibration {
    std::string name;
    Kind kind = Kind::proportion;
    bool learned = false;             ///< is there noise for the plan to carry?
    double alpha = 0;                 ///< the metric's share, which `held_back` was played at
    double differences = 0;           ///< intervals of history with both arms
    double independent = 0;           ///< the independent points that they are worth
    double typical = 0;               ///< gauge: the median |difference| between two arms of one version
    double level = 0;                 ///< gauge: the baseline's median
    double dispersion = 1;            ///< proportion: long-run variance over the binomial one
    double instances = 0;             ///< instances that took turns as the canary; 0: none
    double instance_deviation = 0;    ///< gauge: standard deviation between them
    std::vector<HeldBack> held_back;  ///< one a stage
    bool refuted = false;             ///< did one of them contradict the noise? It decides nothing by it
    std::optional<SpikeNoise> spikes = std::nullopt;  ///< gauge: what it learned of them
    std::vector<Reason> reasons;                      ///< what the noise is made of, and what is too little

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("name", self.name);
        visit("kind", self.kind);
        visit("learned", self.learned);
        visit("alpha", self.alpha);
        visit("differences", self.differences);
        visit("independent", self.independent);
        visit("typical", self.typical);
        visit("level", self.level);
        visit("dispersion", self.dispersion);
        visit("instances", self.instances);
        visit("instance_deviation", self.instance_deviation);
        visit("held_back", self.held_back);
        visit("refuted", self.refuted);
        visit("spikes", self.spikes);
        visit("reasons", self.reasons);
    }
};
static_assert(described_whole<MetricCalibration>());

struct Calibration {
    std::map<std::string, Noise> noise;  ///< for the plan, by metric; metrics that history tells too little of are not
                                         ///< in it, those that it contradicted are marked
    std::vector<MetricCalibration> metrics;
};

/// Learns how two arms of the *same* version differ: what every metric's evidence is measured against.
///
/// Answers: how large are differences between canary and baseline that mean nothing, how long do they last, and how far
/// do instances differ by themselves? Without it a gauge decides nothing, and counts are taken as independent.
///
/// History is the long form of the plan's data from a time when both arms ran one version:
/// - with both arms, that pair is the pseudo-canary, its own offset is subtracted (difference in differences);
/// - with the baseline's arm alone and several instances, they take turns as the canary, in the share of each stage's
///   traffic, against the rest; five or more also tell how far instances differ by themselves;
/// - named instances leave their levels, for a rollout that lacks one of them;
/// - with one instance of one arm a gauge learns nothing; counts learn a dispersion between neighbouring intervals.
///
/// Gauges: sequential/noise/paired_noise.hpp, one noise a stage; of differences for a difference margin, of differences
/// of logarithms for a ratio margin, an arm's value being the mean over its instances. More than 1 % of intervals with
/// a value of 0 or below under a ratio margin: nothing is learned (`history_not_positive`). Proportions: dispersion phi
/// = the long-run variance of the conditional residuals x_c - q K over their binomial one, K = x_b + x_c, q = n_c/(n_b
/// + n_c), the mean over the turns of a stage, times what its own uncertainty asks for at the metric's share of alpha
/// (sequential/noise/count_dispersion.hpp); at least 1, with fewer than 30 events at least 2; the largest over the
/// stages.
///
/// Spikes of gauges (rollout/spikes.hpp): how far readings are from their usual level, the .95 quantile; how much the
/// share beyond it differs between instances; and how much more variable its division between two arms is than a
/// binomial one.
///
/// The noise of history's first half is then played against its second half, in which nothing happened: windows as long
/// as a stage, judged at the metric's share of alpha. Where so many of them are rolled back that a binomial law with
/// that share gives it a probability below .001, history contradicts the noise (`history_refuted`): it is written as
/// `refuted`, and the metric decides nothing unless its data name instances to compare. What the binomial law leaves
/// out: windows that follow each other share slow swings, and all of them share one learned noise, whose error may be
/// unlucky; a noise that is refuted for either reason would stop this service's good canaries too often, whatever it
/// does on average over services. Windows of turns share their baselines and count for (turns - 1)/turns. A few windows
/// refute nothing: three alarms are needed at least. Spikes that are contradicted in the same way are left out of the
/// noise (`spikes_refuted`); the level goes on.
///
/// `progress`, if given, is called with the share that is done, from 0 to 1. Returns what the plan carries
/// (`with_noise`), and for each metric the report behind it: reasons, and how often the noise of history's first half
/// would have rolled back windows of its second half.
/// Raises `serinus.plan.*` for a plan that cannot be, `serinus.argument.length` and `serinus.data.*` for such a
/// history. Gaps keep their places; NaN is no sample. Cost: O(n log n) of its intervals for
/// each metric and pair.
///
///     const Calibration learned = calibrate(plan, history);
///     Monitor monitor(with_noise(plan, learned));
Calibration calibrate(const Plan& plan, const Batch& history, const std::function<void(double)>& progress = {});

/// The same, and what former releases of the service tell of its instances: data of rollouts as `judge` takes them, of
/// which the baseline's instances are read from the canary's warm-up on (without a canary, from the first sample).
/// History keeps the levels of each instance, so that one that the rollout has lost adds a degree of freedom; each
/// former release with k instances adds k - 1 (sequential/rotation.hpp). Gauges with several instances a rollout
/// decide without any of it; it only makes them quicker.
Calibration calibrate(const Plan& plan, const Batch& history, std::span<const Batch> former,
                      const std::function<void(double)>& progress = {});

/// The plan with what was learned; noise of metrics that were not learned stays as it was.
Plan with_noise(Plan plan, const Calibration& calibration);

}  // namespace v0
}  // namespace serinus
