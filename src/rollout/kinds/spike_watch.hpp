#pragma once
/// \file
/// The watch on a gauge's spikes during a rollout; inside the library only.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <span>

#include <serinus/numeric/elementary.hpp>
#include <serinus/rollout/plan.hpp>
#include <serinus/rollout/spikes.hpp>
#include <serinus/sequential/proportion.hpp>
#include <serinus/sequential/start_mixture.hpp>

namespace serinus {
inline namespace v0 {
namespace detail {

/// The error of ruling out an increase worth seeing: the gauge's own of its promotion, and never more than this.
constexpr double spikes_error = 0.1;

/// The parts of a gauge's alpha that its level and its spikes have: what the plan says is watched, of what can be.
struct AlphaParts {
    double level = 1, spikes = 0;
};
inline AlphaParts alpha_parts(const Metric& metric, bool spikes_known) {
    if (metric.watch == Watch::spikes) return {.level = 0, .spikes = 1};
    if (metric.watch == Watch::level || !spikes_known) return {};
    return {.level = 1 - spikes_alpha, .spikes = spikes_alpha};
}

/// The tests of the division of spikes between the arms: of harm over the whole rollout, of safety in this stage.
struct SpikeWatch {
    using Test = sequential::ProportionTest;

    /// `alpha`: of the spikes alone. `error`: of the metric's promotion.
    SpikeWatch(const SpikeNoise& noise, const Metric& metric, double alpha, double error)
        : counter(noise.excess, metric.harm, metric.margin),
          harm(Test(options(noise, Side::harm, alpha, 0))),
          safe(Test(options(noise, Side::safe, std::min(error, spikes_error), spikes_worth_seeing))) {}

    /// A spike is counted where it harms, so more of them is harm whatever the metric's direction is.
    static sequential::ProportionOptions options(const SpikeNoise& noise, Side side, double error, double beyond) {
        sequential::ProportionOptions options;
        options.alpha = options.alpha_safe.emplace(error);
        // A difference of shares must be below 1; a deviation that large leaves the watch nothing to say.
        options.margin = {.ratio = {}, .difference = std::min(noise.own(error) + beyond, 0.999)};
        options.side = side;
        options.dispersion = noise.dispersion(error);
        options.interval = false;
        return options;
    }

    /// Is an increase worth seeing ruled out, and is it still? Evidence of safety that has fallen again passes nothing.
    bool calm() const { return safe.log_e_value() >= safe.log_needed(); }

    void enter_stage() { safe = Test(safe.options()); }
    void begin(double weight) { harm.begin(weight); }
    void update(std::span<const SpikeCounter::Reading> baseline, std::span<const SpikeCounter::Reading> canary) {
        const SpikeCounter::Counts counts = counter.next(baseline, canary);
        if (counts.baseline.total == 0 || counts.canary.total == 0) return;
        // A state of before the watch begins it anew, with what later starts have of the capital.
        if (harm.spent() > 0) harm.update(counts.baseline, counts.canary);
        safe.update(counts.baseline, counts.canary);
    }

    /// Shares of this stage's readings that are spikes, NaN before any.
    double share_baseline() const { return share(safe.baseline()); }
    double share_canary() const { return share(safe.canary()); }
    static double share(const Proportion& counts) {
        return static_cast<double>(counts.bad) / static_cast<double>(counts.total);
    }

    SpikeCounter counter;
    sequential::StartMixture<Test> harm;
    Test safe;
};

}  // namespace detail
}  // namespace v0
}  // namespace serinus
