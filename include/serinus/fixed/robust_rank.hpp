#pragma once
/// \file
/// Are the canary's values larger, when each arm is a time series whose values depend on each other?

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include <serinus/core/describe.hpp>
#include <serinus/core/error.hpp>
#include <serinus/core/require.hpp>
#include <serinus/core/text.hpp>
#include <serinus/core/words.hpp>
#include <serinus/fixed/detail/arms.hpp>
#include <serinus/fixed/detail/placements.hpp>
#include <serinus/numeric/order.hpp>
#include <serinus/numeric/student.hpp>
#include <serinus/series/dependence.hpp>

namespace serinus {
inline namespace v0 {

/// Of the long-run variances of a few values: `standard` or `cautious`.
using RobustRankTestMethod = OneLook;

struct RobustRankTestOptions {
    Alternative alternative = Alternative::two_sided;
    RobustRankTestMethod method = RobustRankTestMethod::standard;  ///< of two long-run variances
    double confidence = 0.95;
    NanPolicy nan_policy = NanPolicy::drop;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("alternative", self.alternative);
        visit("method", self.method);
        visit("confidence", self.confidence);
        visit("nan_policy", self.nan_policy);
    }
};
static_assert(described_whole<RobustRankTestOptions>());

struct RobustRankTestResult {
    double estimate = std::numeric_limits<double>::quiet_NaN();  ///< P(canary > baseline) + 1/2 P(=)
    double lower = 0;                                            ///< of the estimate
    double upper = 1;
    double confidence = 0;
    double statistic = 0;  ///< (estimate - 1/2) / its standard error; infinite when the arms do not overlap
    double df = 0;
    double p_value = 1;
    std::int64_t n_baseline = 0;  ///< values, NaN not counted
    std::int64_t n_canary = 0;
    double n_effective = 0;  ///< independent values that the arm with fewer of them is worth
    double n_effective_baseline = 0;
    double n_effective_canary = 0;
    bool conclusive = false;  ///< false: an arm is worth fewer than 6 independent values; p_value is 1 then

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("estimate", self.estimate);
        visit("lower", self.lower);
        visit("upper", self.upper);
        visit("confidence", self.confidence);
        visit("statistic", self.statistic);
        visit("df", self.df);
        visit("p_value", self.p_value);
        visit("n_baseline", self.n_baseline);
        visit("n_canary", self.n_canary);
        visit("n_effective", self.n_effective);
        visit("n_effective_baseline", self.n_effective_baseline);
        visit("n_effective_canary", self.n_effective_canary);
        visit("conclusive", self.conclusive);
    }
};
static_assert(described_whole<RobustRankTestResult>());

namespace robust_rank_detail {

/// Of each value of a series, in time order: how large a share of the other arm lies below it, ties half.
inline std::vector<double> placements_in_time(std::span<const double> values, std::span<const double> other_sorted) {
    std::vector<double> placed;
    placed.reserve(values.size());
    for (const double value : values) {
        const auto [low, high] = std::equal_range(other_sorted.begin(), other_sorted.end(), value);
        const auto twice = (low - other_sorted.begin()) + (high - other_sorted.begin());
        placed.push_back(static_cast<double>(twice) / (2 * static_cast<double>(other_sorted.size())));
    }
    return placed;
}

}  // namespace robust_rank_detail

/// Does the canary tend to larger values than the baseline, when the values of each arm are a time series?
///
/// The test of Brunner and Munzel (2000) with long-run variances: P_i the placements of the canary's values among the
/// baseline's, Q_j the baseline's among the canary's, both in time order; Var(A) = L_P/m + L_Q/n, L the long-run
/// variance by the minimum rule of series/dependence.hpp on the placements, s^2 n/n_eff, n_eff of the arm's own ranks
/// where those are worth fewer, or that of the slowest swings where it is larger: 6 of them on at most 6 degrees of
/// freedom (`standard`), or 4 on at most 4 always (`cautious`), as in `paired_test`. (A - 1/2)/sd against Student's t
/// with Satterthwaite's degrees of freedom.
/// Fewer than 6 effective values in an arm: *inconclusive*. TwoSamples that do not overlap have no variance: p =
/// 1/C(k+l, k), k and l the effective numbers rounded down (twice that two-sided), and Clopper and Pearson's bound for
/// the interval. Interval otherwise: on the logit scale. Neither equal variances nor equal shapes are needed. One look
/// only. Measured size: docs/concepts/promise.md.
///
/// baseline, canary: each in time order and equally spaced, of any lengths; NaN left out or refused; infinities rank.
/// What moves both arms alike (time of day) is noise to this test: where both are read at the same times, take
/// `paired_test` of the differences. Any strictly increasing transformation of all values changes nothing; exchanging
/// the arms mirrors estimate and interval. confidence in (0, 1) (`serinus.argument.range`). An arm without values:
/// estimate NaN, inconclusive; all values equal: inconclusive. Cost: two sorts and N searches.
///
///     const auto found = robust_rank_test(baseline, canary);
///     if (found.conclusive && found.p_value < 0.01) ...
inline RobustRankTestResult robust_rank_test(std::span<const double> baseline, std::span<const double> canary,
                                             const RobustRankTestOptions& options = {}) {
    require_open_unit("confidence", options.confidence);
    Workspace workspace;
    RobustRankTestResult result;
    const TwoSamples arms = take_arms(baseline, canary, options.nan_policy, workspace, result);
    const auto& [y, x] = arms;
    if (arms.empty()) return result;
    std::vector<double> sorted_y(y.begin(), y.end()), sorted_x(x.begin(), x.end());
    sort_ascending(sorted_y);
    sort_ascending(sorted_x);
    const std::vector<double> placed_x = robust_rank_detail::placements_in_time(x, sorted_y);
    const std::vector<double> placed_y = robust_rank_detail::placements_in_time(y, sorted_x);
    Dependence p = dependence(placed_x), q = dependence(placed_y);
    const double own_x = dependence(robust_rank_detail::placements_in_time(x, sorted_x)).n_effective;
    const double own_y = dependence(robust_rank_detail::placements_in_time(y, sorted_y)).n_effective;

    const double effect = static_cast<double>(compare_ranks(sorted_x, sorted_y).twice_u) /
                          (2 * static_cast<double>(result.n_baseline) * static_cast<double>(result.n_canary));
    result.estimate = effect;
    const bool separated = effect == 0 || effect == 1;
    const double k = separated ? own_x : std::min(p.n_effective, own_x);
    const double l = separated ? own_y : std::min(q.n_effective, own_y);
    result.n_effective_canary = k;
    result.n_effective_baseline = l;
    result.n_effective = std::min(k, l);
    if (result.n_effective < Dependence::fewest) return result;

    double greater = 1, less = 1;
    if (separated) {
        result.conclusive = true;
        result.confidence = options.confidence;
        result.df = k + l - 2;
        result.statistic = (effect - 0.5) * std::numeric_limits<double>::infinity();
        const double smallest = separation_chance(std::floor(k), std::floor(l));
        (effect == 1 ? greater : less) = smallest;
        const double bound = separated_bound(std::floor(result.n_effective), (1 - options.confidence) / 2);
        result.lower = effect == 0 ? 0 : 1 - bound;
        result.upper = effect == 0 ? bound : 1;
    } else {
        p.n_effective = k;
        q.n_effective = l;
        const OneLookVariance of_canary = one_look_variance(placed_x, p, options.method);
        const OneLookVariance of_baseline = one_look_variance(placed_y, q, options.method);
        const double v_canary = of_canary.long_run_variance / p.n;
        const double v_baseline = of_baseline.long_run_variance / q.n;
        const double v = v_canary + v_baseline;
        if (!(v > 0)) return result;
        result.conclusive = true;
        result.confidence = options.confidence;
        result.df = v * v /
                    (v_canary * v_canary / of_canary.degrees_of_freedom +
                     v_baseline * v_baseline / of_baseline.degrees_of_freedom);
        result.statistic = (effect - 0.5) / std::sqrt(v);
        greater = student_survival(result.statistic, result.df);
        less = student_survival(-result.statistic, result.df);
        logit_interval(effect, std::sqrt(v), result.df, options.confidence, result.lower, result.upper);
    }
    result.p_value = p_value_of(options.alternative, greater, less);
    return result;
}

}  // namespace v0
}  // namespace serinus
