#pragma once
/// \file
/// Is the canary's mean another than the baseline's?

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
#include <serinus/numeric/workspace.hpp>

namespace serinus {
inline namespace v0 {

struct WelchOptions {
    Margin margin{.difference = 0.0};  ///< of the means, canary minus baseline, that is tested against
    Alternative alternative = Alternative::two_sided;
    double confidence = 0.95;
    NanPolicy nan_policy = NanPolicy::drop;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("margin", self.margin);
        visit("alternative", self.alternative);
        visit("confidence", self.confidence);
        visit("nan_policy", self.nan_policy);
    }
};
static_assert(described_whole<WelchOptions>());

/// Is the mean of the canary another than that of the baseline? Variances may differ.
///
/// t = (mean_c - mean_b - margin)/sqrt(s_c^2/m + s_b^2/n) against Student's t with Satterthwaite's degrees of
/// freedom (Welch 1947, Biometrika 34, 28-35). One-sided alternatives get one-sided intervals of the same confidence.
///
/// baseline, canary: in any order, one unit, finite (`serinus.argument.infinite`); independent values, 15 an arm or so
/// before the mean of a skewed metric is nearly normal; means of latencies are ruled by their tails: see `yuen` and
/// `brunner_munzel`. NaN dropped or refused. confidence in (0, 1) (`serinus.argument.range`), margin a finite
/// difference
/// (`serinus.argument.margin`).
/// Fewer than two values in an arm: p 1, no interval, degenerate (an empty arm: estimate NaN). Both arms constant:
/// degenerate; statistic infinite unless they agree, p what a permutation could give at best, 1/C(m+n, m) (twice that
/// two-sided), and the interval is the one difference seen. Changing the unit changes no bit of statistic and p-value;
/// offsets of 1e15 and values near the ends of the doubles lose nothing.
/// Where few values of the smaller arm are not alike (errors that nearly never happen, a long tail) the test is too
/// sure: 10 ones of 1,000 against none of 100 give p 0.0015 where the exact one is 0.77. `approximation_holds` is false
/// then; see `means_hold` for the rule and what was measured where it is true. It looks at sample kurtosis, so that it
/// cannot see what has not happened yet: a tail of which no value was drawn. Cost: O(N), four passes over each arm.
///
///     const auto found = welch(baseline, canary);   // {.statistic = 2.1, .df = 57.3, .p_value = 0.04, ...}
inline MeanDifferenceResult welch(std::span<const double> baseline, std::span<const double> canary,
                                  const WelchOptions& options, Workspace& workspace) {
    require_open_unit("confidence", options.confidence);
    require_difference(options.margin);
    MeanDifferenceResult result;
    const TwoSamples arms = take_finite_arms(baseline, canary, options.nan_policy, workspace, result);
    const auto& [y, x] = arms;
    result.degenerate = true;
    if (arms.empty()) return result;
    const int exponent = std::max(common_exponent(x), common_exponent(y));
    const Moments b = moments(y, exponent, y.front()), c = moments(x, exponent, y.front());
    const double fourths =
        fourth_powers(y, b.mean, exponent, y.front()) + fourth_powers(x, c.mean, exponent, y.front());
    result.approximation_holds = means_hold(std::min(c.n, b.n), c.n + b.n, b.squares + c.squares, fourths);
    detail::compare_means({b.mean, b.variance() / b.n, b.n - 1}, {c.mean, c.variance() / c.n, c.n - 1}, exponent,
                          options, c.n, b.n, result);
    return result;
}

/// The same in memory of its own.
inline MeanDifferenceResult welch(std::span<const double> baseline, std::span<const double> canary,
                                  const WelchOptions& options = {}) {
    Workspace workspace;
    return welch(baseline, canary, options, workspace);
}

}  // namespace v0
}  // namespace serinus
