#pragma once
/// \file
/// Is the canary's trimmed mean another than the baseline's? For metrics with wild tails.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>

#include <serinus/core/describe.hpp>
#include <serinus/core/require.hpp>
#include <serinus/core/words.hpp>
#include <serinus/fixed/detail/arms.hpp>
#include <serinus/fixed/detail/difference_of_means.hpp>
#include <serinus/numeric/moments.hpp>
#include <serinus/numeric/order.hpp>
#include <serinus/numeric/workspace.hpp>

namespace serinus {
inline namespace v0 {

struct YuenOptions {
    double trim = 0.2;                 ///< the share that is cut off at each end of each arm, in [0, 0.5)
    Margin margin{.difference = 0.0};  ///< of the trimmed means, canary minus baseline, that is tested against
    Alternative alternative = Alternative::two_sided;
    double confidence = 0.95;
    NanPolicy nan_policy = NanPolicy::drop;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("trim", self.trim);
        visit("margin", self.margin);
        visit("alternative", self.alternative);
        visit("confidence", self.confidence);
        visit("nan_policy", self.nan_policy);
    }
};
static_assert(described_whole<YuenOptions>());

namespace yuen_detail {

/// The trimmed mean of sorted values and its variance from their winsorised squares.
inline detail::MeanOfArm trimmed_mean(std::span<double> sorted, double trim, int exponent, double origin) {
    const std::size_t n = sorted.size();
    const auto cut = static_cast<std::size_t>(trim * static_cast<double>(n));
    const auto kept = static_cast<double>(n - 2 * cut);
    const double mean = moments(sorted.subspan(cut, n - 2 * cut), exponent, origin).mean;
    std::fill_n(sorted.begin(), cut, sorted[cut]);
    std::fill_n(sorted.end() - static_cast<std::ptrdiff_t>(cut), cut, sorted[n - 1 - cut]);
    const double squares = moments(sorted, exponent, origin).squares;
    return {mean, kept > 1 ? squares / (kept * (kept - 1)) : 0, kept - 1};
}

}  // namespace yuen_detail

/// Is the mean of the canary without its extremes another than that of the baseline? Variances may differ.
///
/// The g = floor(trim n) smallest and largest values of each arm are left out of the mean; the variance of the trimmed
/// mean of the h = n - 2g that stay is SS_w/(h (h-1)), SS_w the squared deviations after the cut values were set to the
/// outermost that stay; Student's t with Satterthwaite's degrees of freedom from h - 1 (Yuen 1974, Biometrika 61,
/// 165-170). trim 0 is `welch`.
///
/// baseline, canary: in any order, one unit, finite (`serinus.argument.infinite`); independent values. NaN dropped or
/// refused. trim in [0, 0.5), confidence in (0, 1) (`serinus.argument.range`), margin a finite difference
/// (`serinus.argument.margin`). Fewer than two values
/// that stay in an arm: p 1, no interval, degenerate; no variance in either: degenerate, as with `welch`.
/// `approximation_holds`: the rule of `welch` for the h that stay and the winsorised values.
/// Cost: two sorts, O(N log N).
///
///     const auto found = yuen(baseline, canary, {.trim = 0.1});
inline MeanDifferenceResult yuen(std::span<const double> baseline, std::span<const double> canary,
                                 const YuenOptions& options, Workspace& workspace) {
    require_open_unit("confidence", options.confidence);
    require(options.trim >= 0 && options.trim < 0.5, "trim", options.trim, "from 0 to below 0.5");
    require_difference(options.margin);
    MeanDifferenceResult result;
    const TwoSamples arms = take_finite_arms(baseline, canary, options.nan_policy, workspace, result);
    const auto& [y, x] = arms;
    result.degenerate = true;
    if (arms.empty()) return result;
    arms.sort(workspace);
    const int exponent = std::max(common_exponent(x), common_exponent(y));
    const double origin = y[y.size() / 2];
    const detail::MeanOfArm b = yuen_detail::trimmed_mean(y, options.trim, exponent, origin);
    const detail::MeanOfArm c = yuen_detail::trimmed_mean(x, options.trim, exponent, origin);
    // The arms are winsorised now.
    const Moments wide_b = moments(y, exponent, origin), wide_c = moments(x, exponent, origin);
    result.approximation_holds =
        means_hold(std::min(b.df, c.df) + 1, wide_b.n + wide_c.n, wide_b.squares + wide_c.squares,
                   fourth_powers(y, wide_b.mean, exponent, origin) + fourth_powers(x, wide_c.mean, exponent, origin));
    detail::compare_means(b, c, exponent, options, c.df + 1, b.df + 1, result);
    return result;
}

/// The same in memory of its own.
inline MeanDifferenceResult yuen(std::span<const double> baseline, std::span<const double> canary,
                                 const YuenOptions& options = {}) {
    Workspace workspace;
    return yuen(baseline, canary, options, workspace);
}

}  // namespace v0
}  // namespace serinus
