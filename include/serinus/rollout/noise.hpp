#pragma once
/// \file
/// What history teaches about the noise of a metric, as a plan carries it. `calibrate` learns it.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <serinus/core/describe.hpp>
#include <serinus/sequential/noise/paired_noise.hpp>

namespace serinus {
inline namespace v0 {

/// What history teaches about the spikes of a gauge: how far its readings leave their usual level, and how much two
/// arms of one version differ in how often they do. In the gauge's unit, or in natural logarithms of it where the
/// margin is a ratio; shares are of intervals.
struct SpikeNoise {
    double excess = 0;              ///< a reading further than this from its usual level is a spike, above 0
    double share = 0;               ///< of history's readings that are one
    double difference = 0;          ///< a pair of arms: how much larger the canary's share was by itself, at least 0
    double deviation = 0;           ///< standard deviation of that share between instances
    double instances = 0;           ///< that it was measured on; 0: not known, and not used
    double spread = 0;              ///< 1/instances of the canary + 1/instances of the baseline, in history's turns
    double variance_ratio = 1;      ///< long-run variance of the spikes' division over the binomial one
    double degrees_of_freedom = 0;  ///< of that variance
    double size = 0;                ///< intervals of history

    /// How much larger the canary's share may be by itself, with probability 1 - error on one side: Student's t on
    /// instances - 1 degrees of freedom, since the deviation is estimated. Who asks includes rollout/spikes.hpp.
    inline double own(double error) const;

    /// What a test of that error rate divides its evidence by. Who asks includes rollout/spikes.hpp.
    inline double dispersion(double error) const;

    friend bool operator==(const SpikeNoise&, const SpikeNoise&) = default;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("excess", self.excess);
        visit("share", self.share);
        visit("difference", self.difference);
        visit("deviation", self.deviation);
        visit("instances", self.instances);
        visit("spread", self.spread);
        visit("variance_ratio", self.variance_ratio);
        visit("degrees_of_freedom", self.degrees_of_freedom);
        visit("size", self.size);
    }
};
static_assert(described_whole<SpikeNoise>());

/// What history knows of a gauge's instances: their levels (means over the first so many intervals), and how those of
/// former releases differed. The rotation test takes degrees of freedom from it, and nothing else.
struct KnownInstances {
    bool logs = false;                        ///< the levels are means of logs: the margin is a ratio
    double level = 0;                         ///< the median of all values
    std::vector<std::int64_t> looks;          ///< the numbers of intervals, ascending
    std::vector<std::string> names;           ///< of history's instances
    std::vector<std::vector<double>> levels;  ///< of each of them, one a look
    std::vector<double> former;  ///< former releases: inner products over the contrasts of levels between each look and
                                 ///< itself and later ones, row by row
    double former_degrees = 0;   ///< how many contrasts these are

    friend bool operator==(const KnownInstances&, const KnownInstances&) = default;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("logs", self.logs);
        visit("level", self.level);
        visit("looks", self.looks);
        visit("names", self.names);
        visit("levels", self.levels);
        visit("former", self.former);
        visit("former_degrees", self.former_degrees);
    }
};
static_assert(described_whole<KnownInstances>());

/// The margin with a floor that a gauge's noise was learned under, of which it is the noise: values are compared with
/// max(ratio x baseline, baseline + floor) before their logarithms are taken (docs/concepts/floor.md).
struct FlooredNoise {
    double ratio = 1;  ///< of that margin
    double floor = 0;  ///< of that margin, in the gauge's unit
    double slope =
        1;  ///< how much the logarithm of what is allowed moved with that of the baseline, on average: above 0
            ///< (the floor binds), at most 1 (the ratio does)

    friend bool operator==(const FlooredNoise&, const FlooredNoise&) = default;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("ratio", self.ratio);
        visit("floor", self.floor);
        visit("slope", self.slope);
    }
};
static_assert(described_whole<FlooredNoise>());

/// Where the baseline of a metric has been in history: the lowest and the highest mean over so many intervals, each
/// moved outwards by the distance between the quartiles of these means. A baseline beyond is sick
/// (docs/concepts/decisions.md).
struct BaselineRange {
    double lower = 0, upper = 0;  ///< a share, a rate, or in the gauge's own unit
    double window = 0;            ///< intervals that a mean is of
    double windows = 0;           ///< means that history had

    friend bool operator==(const BaselineRange&, const BaselineRange&) = default;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("lower", self.lower);
        visit("upper", self.upper);
        visit("window", self.window);
        visit("windows", self.windows);
    }
};
static_assert(described_whole<BaselineRange>());

/// What history says of a metric without arms: how far it moves by itself from what it was before a moment, at moments
/// when nothing was released (docs/concepts/before-after.md).
struct BeforeAfterNoise {
    double before = 0;            ///< intervals before the start that make the level it is compared with
    double horizon = 0;           ///< intervals after the start that are told
    double starts = 0;            ///< moments of history that played a rollout's start
    double independent = 0;       ///< of these stretches, how many do not overlap
    std::vector<double> scales;   ///< typical distances of means over 5, 10, 20, ... intervals from the level before
    std::vector<double> highest;  ///< quantiles of the largest distance after a start, in these scales: 0, 1/n, ..., 1
    std::vector<double> lowest;   ///< the same of the smallest one
    bool logs = false;            ///< distances are of logarithms: the margin is a ratio
    double floor = 0;             ///< what is added before the logarithm is taken

    friend bool operator==(const BeforeAfterNoise&, const BeforeAfterNoise&) = default;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("before", self.before);
        visit("horizon", self.horizon);
        visit("starts", self.starts);
        visit("independent", self.independent);
        visit("scales", self.scales);
        visit("highest", self.highest);
        visit("lowest", self.lowest);
        visit("logs", self.logs);
        visit("floor", self.floor);
    }
};
static_assert(described_whole<BeforeAfterNoise>());

/// What history taught about the noise of one metric.
struct Noise {
    std::optional<double> dispersion =
        std::nullopt;  ///< proportion: long-run variance over the binomial one, at least 1
    /// Proportion: intervals of history that the dispersion was learned from; empty: somebody declared it.
    std::optional<double> intervals = std::nullopt;
    std::vector<sequential::PairedNoise> stages = {};  ///< gauge: one a stage of the plan, or none
    /// Gauge: how often it leaves its usual level by far. Empty: of before this was learned; it is not watched then.
    std::optional<SpikeNoise> spikes = std::nullopt;
    std::optional<KnownInstances> instances = std::nullopt;  ///< gauge: where history names instances
    /// Histogram, sample: the baseline's quantiles in history, one for each of the metric's; empty: the rollout's first
    /// intervals tell them.
    std::vector<double> thresholds = {};
    std::vector<double> dispersions = {};  ///< of the shares above them, in their order; empty: `dispersion` for all
    std::vector<double> shape = {};        ///< the baseline's quantiles .5, .9 and .99 in history
    /// History contradicted what it taught (`calibrate` saw it): nothing is given but the instances, between
    /// which alone it may be judged then.
    bool refuted = false;
    std::optional<FlooredNoise> floored = std::nullopt;           ///< gauge: where its margin has a floor
    std::optional<BaselineRange> baseline = std::nullopt;         ///< where the baseline may be
    std::optional<BeforeAfterNoise> before_after = std::nullopt;  ///< of a metric without arms

    friend bool operator==(const Noise&, const Noise&) = default;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("dispersion", self.dispersion);
        visit("intervals", self.intervals);
        visit("stages", self.stages);
        visit("spikes", self.spikes);
        visit("instances", self.instances);
        visit("thresholds", self.thresholds);
        visit("dispersions", self.dispersions);
        visit("shape", self.shape);
        visit("refuted", self.refuted);
        visit("floored", self.floored);
        visit("baseline", self.baseline);
        visit("before_after", self.before_after);
    }
};
static_assert(described_whole<Noise>());

}  // namespace v0
}  // namespace serinus
