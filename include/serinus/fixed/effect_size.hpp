#pragma once
/// \file
/// How often is a canary value larger than a baseline value? The effect, with an interval.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include <serinus/core/describe.hpp>
#include <serinus/core/require.hpp>
#include <serinus/fixed/detail/arms.hpp>
#include <serinus/fixed/detail/placements.hpp>
#include <serinus/numeric/order.hpp>
#include <serinus/numeric/workspace.hpp>

namespace serinus {
inline namespace v0 {

struct EffectSizeOptions {
    double confidence = 0.95;
    NanPolicy nan_policy = NanPolicy::drop;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("confidence", self.confidence);
        visit("nan_policy", self.nan_policy);
    }
};
static_assert(described_whole<EffectSizeOptions>());

struct EffectSizeResult {
    double effect = std::numeric_limits<double>::quiet_NaN();        ///< P(canary > baseline) + 1/2 P(=), in [0, 1]
    double cliffs_delta = std::numeric_limits<double>::quiet_NaN();  ///< 2 effect - 1: the rank-biserial correlation
    double lower = 0;                                                ///< of the effect
    double upper = 1;
    double confidence = 0;
    std::int64_t n_baseline = 0;  ///< values, NaN not counted
    std::int64_t n_canary = 0;
    bool approximation_holds = true;  ///< the interval is a bound, or enough values differ (`placements_hold`)

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("effect", self.effect);
        visit("cliffs_delta", self.cliffs_delta);
        visit("lower", self.lower);
        visit("upper", self.upper);
        visit("confidence", self.confidence);
        visit("n_baseline", self.n_baseline);
        visit("n_canary", self.n_canary);
        visit("approximation_holds", self.approximation_holds);
    }
};
static_assert(described_whole<EffectSizeResult>());

/// How often is a value of the canary larger than one of the baseline, and how sure is that?
///
/// effect = U/(mn) (Vargha and Delaney 2000; McGraw and Wong's common language effect size; the area under the ROC
/// curve), cliffs_delta = 2 effect - 1 (Cliff 1993). Interval: placements (how many of the other arm lie below a value,
/// ties half) have variances S_c^2 and S_b^2; v = S_c^2/(m n^2) + S_b^2/(n m^2) (DeLong et al. 1988; Brunner and Munzel
/// 2000), on the logit scale by Student's t with Satterthwaite's degrees of freedom. It needs no equal shapes.
/// TwoSamples that do not overlap have v = 0: then Clopper and Pearson's bound for the smaller arm, 1 -
/// (alpha/2)^(1/min(m, n)); the same, halved to both sides, when all values are equal.
///
/// The interval of arms that overlap holds in the limit. Where one value holds nearly everything and the other values
/// of the smaller arm can be counted on two hands, or an arm has fewer than 10 values, it does not hold, and
/// `approximation_holds` is false: 10 ones of 1,000 against none of 100 get [0.492, 0.498]. See `placements_hold` for
/// the rule and what was measured where it is true.
///
/// baseline, canary: in any order and unit; infinities rank like other values; NaN dropped or refused. confidence in
/// (0, 1) (raises `serinus.argument.range`). Values must be independent: of a time series see `robust_rank_test`.
/// An arm without values: effect NaN, interval [0, 1]; with one value: interval [0, 1], unless arms do not overlap.
/// Any strictly increasing transformation of all values changes nothing.
/// Cost: sorting and two merges.
///
///     const auto size = effect_size(baseline, canary);   // {.effect = 0.64, .cliffs_delta = 0.28, .lower = 0.55, ...}
inline EffectSizeResult effect_size(std::span<const double> baseline, std::span<const double> canary,
                                    const EffectSizeOptions& options, Workspace& workspace) {
    require_open_unit("confidence", options.confidence);
    EffectSizeResult result;
    const TwoSamples arms = take_arms(baseline, canary, options.nan_policy, workspace, result);
    const auto& [y, x] = arms;
    const auto m = static_cast<double>(x.size()), n = static_cast<double>(y.size());
    if (arms.empty()) return result;
    arms.sort(workspace);
    const Placements found = placements(y, x);
    const double effect = found.effect;
    result.effect = effect;
    result.cliffs_delta = 2 * effect - 1;
    const double bound = separated_bound(std::min(m, n), (1 - options.confidence) / 2);
    if (!(found.variance > 0 || found.all_equal || effect == 0 || effect == 1)) return result;
    result.confidence = options.confidence;
    if (effect == 0 || effect == 1) {
        result.lower = effect == 0 ? 0 : 1 - bound;
        result.upper = effect == 0 ? bound : 1;
    } else if (found.all_equal) {
        result.lower = 0.5 - bound / 2;
        result.upper = 0.5 + bound / 2;
    } else {
        result.approximation_holds = placements_hold(found, result.n_baseline, result.n_canary);
        logit_interval(effect, std::sqrt(found.variance), found.df, options.confidence, result.lower, result.upper);
    }
    return result;
}

/// The same in memory of its own.
inline EffectSizeResult effect_size(std::span<const double> baseline, std::span<const double> canary,
                                    const EffectSizeOptions& options = {}) {
    Workspace workspace;
    return effect_size(baseline, canary, options, workspace);
}

}  // namespace v0
}  // namespace serinus
