#pragma once
/// \file
/// Does the canary tend to larger values, when the two versions may also spread differently?

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>

#include <serinus/core/order.hpp>
#include <serinus/core/require.hpp>
#include <serinus/core/student.hpp>
#include <serinus/core/words.hpp>
#include <serinus/core/workspace.hpp>
#include <serinus/fixed/placements.hpp>
#include <serinus/series/samples.hpp>

namespace serinus {
inline namespace v0 {

struct BrunnerMunzelOptions {
    Alternative alternative = Alternative::two_sided;
    double effect = 0.5;  ///< what is tested against, in (0, 1)
    double confidence = 0.95;
    NanPolicy nan_policy = NanPolicy::drop;
};

struct BrunnerMunzelResult {
    double statistic = 0;  ///< (estimate - effect)/standard error; positive: the canary is larger
    double df = 0;
    double p_value = 1;
    double estimate = std::numeric_limits<double>::quiet_NaN();  ///< P(canary > baseline) + 1/2 P(=)
    double lower = 0;
    double upper = 1;
    double confidence = 0.95;
    bool degenerate = false;      ///< no variance: the arms do not overlap, all values are equal, or an arm has one
    std::int64_t n_baseline = 0;  ///< values, NaN not counted
    std::int64_t n_canary = 0;
};

/// Does one version tend to larger values than the other? Unlike `mann_whitney` the null hypothesis is only
/// P(canary > baseline) + 1/2 P(=) = 1/2: the versions may differ in variance and shape.
///
/// statistic = (A - effect)/sqrt(s_P^2/m + s_Q^2/n), P and Q the placements (Brunner and Munzel 2000, Biometrical
/// Journal 42, 17-25), against Student's t with Satterthwaite's degrees of freedom. Its sign is that of canary minus
/// baseline (SciPy's and R's is the opposite). The interval is the test's own inversion, cut to [0, 1]; `effect_size`
/// gives one on the logit scale. Another `effect` than 1/2 makes it a test against a margin.
///
/// Arms that do not overlap have no variance, and the statistic is infinite: the p-value is what a permutation could
/// give at best, 1/C(m+n, m) (twice that two-sided), the interval Clopper and Pearson's bound for the smaller arm, and
/// the result is flagged `degenerate`. (SciPy 1.17 returns NaN.)
///
/// baseline, canary: in any order and unit, independent values; about 10 an arm at least for the t distribution to
/// hold. Infinities rank like other values; NaN dropped or refused. effect, confidence in (0, 1)
/// (`serinus.argument.range`). An arm without values: estimate NaN, p 1, degenerate; with one value, or all values
/// equal: p 1, interval [0, 1], degenerate. Any strictly increasing transformation of all values changes nothing.
/// Exchanging the arms changes the sign of the statistic. Cost: two sorts and two merges.
///
///     const auto found = brunner_munzel(baseline, canary, {.alternative = Alternative::greater});
inline BrunnerMunzelResult brunner_munzel(std::span<const double> baseline, std::span<const double> canary,
                                          const BrunnerMunzelOptions& options, Workspace& workspace) {
    require_open_unit("confidence", options.confidence);
    require_open_unit("effect", options.effect);
    const std::span<double> y = take_samples(baseline, Arm::baseline, options.nan_policy, workspace.baseline).values;
    const std::span<double> x = take_samples(canary, Arm::canary, options.nan_policy, workspace.canary).values;
    BrunnerMunzelResult result;
    result.confidence = options.confidence;
    result.n_baseline = static_cast<std::int64_t>(y.size());
    result.n_canary = static_cast<std::int64_t>(x.size());
    result.degenerate = true;
    if (x.empty() || y.empty()) return result;
    workspace.sort(x);
    workspace.sort(y);
    const Placements found = placements(y, x);
    result.estimate = found.effect;
    if (found.all_equal) return result;
    const bool two_sided = options.alternative == Alternative::two_sided;
    if (found.effect == 0 || found.effect == 1) {
        const auto m = static_cast<double>(x.size()), n = static_cast<double>(y.size());
        const bool above = found.effect == 1;
        result.statistic = (above ? 1 : -1) * std::numeric_limits<double>::infinity();
        result.df = std::max(1.0, m + n - 2);
        const double chance = separation_chance(m, n);
        result.p_value = p_value_of(options.alternative, above ? chance : 1, above ? 1 : chance);
        const double bound = separated_bound(std::min(m, n), (1 - options.confidence) / (two_sided ? 2 : 1));
        if (above && options.alternative != Alternative::less) result.lower = 1 - bound;
        if (!above && options.alternative != Alternative::greater) result.upper = bound;
        return result;
    }
    if (!(found.variance > 0)) return result;
    result.degenerate = false;
    result.df = found.df;
    const StudentInference t = student_inference(found.effect, std::sqrt(found.variance), found.df, options.effect,
                                                 options.alternative, options.confidence);
    result.statistic = t.statistic;
    result.p_value = t.p_value;
    result.lower = std::clamp(t.lower, 0.0, 1.0);
    result.upper = std::clamp(t.upper, 0.0, 1.0);
    return result;
}

/// The same in memory of its own.
inline BrunnerMunzelResult brunner_munzel(std::span<const double> baseline, std::span<const double> canary,
                                          const BrunnerMunzelOptions& options = {}) {
    Workspace workspace;
    return brunner_munzel(baseline, canary, options, workspace);
}

}  // namespace v0
}  // namespace serinus
