#pragma once
/// \file
/// Do the two versions differ in their distributions? As Cramer and von Mises, with more weight on both tails.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>

#include <serinus/core/describe.hpp>
#include <serinus/core/require.hpp>
#include <serinus/fixed/detail/arms.hpp>
#include <serinus/fixed/detail/quadratic_limits.hpp>
#include <serinus/numeric/order.hpp>
#include <serinus/numeric/workspace.hpp>

namespace serinus {
inline namespace v0 {

/// `automatic` picks one of the others; `exact` is of `cramer_von_mises` alone.
using AndersonDarlingMethod = QuadraticMethod;

struct AndersonDarlingOptions {
    AndersonDarlingMethod method = AndersonDarlingMethod::automatic;  ///< `exact` is not one of them
    NanPolicy nan_policy = NanPolicy::drop;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("method", self.method);
        visit("nan_policy", self.nan_policy);
    }
};
static_assert(described_whole<AndersonDarlingOptions>());

struct AndersonDarlingResult {
    double a_squared = 0;  ///< Scholz and Stephens' A^2 by midranks
    double statistic = 0;  ///< (a_squared - 1)/its standard deviation under the null hypothesis
    double p_value = 1;
    std::int64_t n_baseline = 0;  ///< values, NaN not counted
    std::int64_t n_canary = 0;
    AndersonDarlingMethod method =
        AndersonDarlingMethod::asymptotic;  ///< what p_value was computed by; never `automatic`
    bool degenerate = false;                ///< an arm is empty, there are fewer than four values, or all are equal

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("a_squared", self.a_squared);
        visit("statistic", self.statistic);
        visit("p_value", self.p_value);
        visit("n_baseline", self.n_baseline);
        visit("n_canary", self.n_canary);
        visit("method", self.method);
        visit("degenerate", self.degenerate);
    }
};
static_assert(described_whole<AndersonDarlingResult>());

/// Do the distributions of the two versions differ, anywhere and in any way, in the tails above all?
///
/// a_squared is A^2_{akN} of Scholz and Stephens (1987, Journal of the American Statistical Association 82, 918-924,
/// equation 7) for two samples, which splits ties evenly; its standard deviation is theirs (equation 4).
///  - `asymptotic`: the limit of Anderson and Darling's statistic at 1 + statistic sqrt(2 (pi^2 - 9)/3), over its whole
///    range. (SciPy looks the p-value up in a table and ends it at 0.001 and 0.25: within 0.02 of this where it
///    reaches.) Without ties: values rounded to their standard deviation reject twice as often as they should.
///  - `conditional`: given the ties, by the version of the statistic that looks where groups of equal values end, mn/N
///    times the sum over the groups of t_g/N D_g^2/(H_g (1 - H_g)), t_g values in group g, D_g the distance of the two
///    distribution functions and H_g the pooled one where it ends; first three moments. Far out too sure, as with
///    `cramer_von_mises`.
///  - `permutation`, `lattice`: the same by all ways to divide the groups between the arms, and by a lattice of sums.
///  - `automatic`: with ties `permutation`, `lattice` or `conditional`, the first that is cheap enough; without ties
///    `lattice` with fewer than 50 values in the smaller arm, else `asymptotic`. Costs and measured errors are those of
///    `cramer_von_mises`.
///
/// baseline, canary: in any order and unit, independent values, 5 an arm or more for the limit to hold; infinities are
/// values like others; NaN dropped or refused. An arm without values, fewer than four in all, or all equal: p 1,
/// degenerate. Exchanging the arms changes nothing, nor does any strictly increasing transformation of all values.
/// Cost: two sorts, a merge, and O(N).
///
///     const auto found = anderson_darling(baseline, canary);   // {.statistic = 3.2, .p_value = 0.016, ...}
inline AndersonDarlingResult anderson_darling(std::span<const double> baseline, std::span<const double> canary,
                                              const AndersonDarlingOptions& options, Workspace& workspace) {
    AndersonDarlingResult result;
    const TwoSamples arms = take_arms(baseline, canary, options.nan_policy, workspace, result);
    const auto& [y, x] = arms;
    result.degenerate = true;
    const auto m = static_cast<double>(x.size()), n = static_cast<double>(y.size()), total = m + n;
    if (arms.empty() || total < 4) return result;
    arms.sort(workspace);
    require(options.method != AndersonDarlingMethod::exact, "method is \"exact\"; the number of values", total,
            "the methods \"auto\", \"asymptotic\" and \"conditional\"");
    TiedQuadratic ends;
    double below_canary = 0, below_baseline = 0, canary_part = 0, baseline_part = 0, groups = 0, at_ends = 0;
    for_each_tie_group(x, y, [&](std::int64_t in_canary, std::int64_t in_baseline) {
        const auto c = static_cast<double>(in_canary), b = static_cast<double>(in_baseline), size = c + b;
        const double middle = below_canary + below_baseline + size / 2;
        const double scale = middle * (total - middle) - total * size / 4;
        const double of_canary = total * (below_canary + c / 2) - middle * m;
        const double of_baseline = total * (below_baseline + b / 2) - middle * n;
        if (scale > 0) {
            canary_part += size * of_canary * of_canary / scale;
            baseline_part += size * of_baseline * of_baseline / scale;
        }
        below_canary += c;
        below_baseline += b;
        groups += 1;
        const double share = (below_canary + below_baseline) / total;
        if (!(share < 1)) return;
        const double apart = below_canary / m - below_baseline / n;
        at_ends += size / total * apart * apart / (share * (1 - share));
        ends.add(share, size / (total - 1) / (share * (1 - share)));
    });
    if (groups < 2) return result;
    result.degenerate = false;
    result.a_squared = (canary_part / m + baseline_part / n) * (total - 1) / (total * total);

    double h = 0, g = 0;
    const auto count = static_cast<std::int64_t>(total);
    // g = sum over i < j of 1/((N - i) j), from the inside.
    for (std::int64_t i = 1; i < count; ++i) h += 1.0 / static_cast<double>(i);
    double tail = 0;
    for (std::int64_t i = count - 2; i >= 1; --i) {
        tail += 1.0 / static_cast<double>(i + 1);
        g += tail / static_cast<double>(count - i);
    }
    constexpr double k = 2;
    const double inverse = 1 / m + 1 / n;
    const double a = (4 * g - 6) * (k - 1) + (10 - 6 * g) * inverse;
    const double b = (2 * g - 4) * k * k + 8 * h * k + (2 * g - 14 * h - 4) * inverse - 8 * h + 4 * g - 6;
    const double c = (6 * h + 2 * g - 2) * k * k + (4 * h - 4 * g + 6) * k + (2 * h - 6) * inverse + 4 * h;
    const double d = (2 * h + 6) * k * k - 4 * h * k;
    const double variance = (((a * total + b) * total + c) * total + d) / ((total - 1) * (total - 2) * (total - 3));
    result.statistic = (result.a_squared - (k - 1)) / std::sqrt(variance);
    constexpr double limit_deviation = 0.7614041419593837;  // sqrt(2 (pi^2 - 9)/3)
    if (const auto arranged = arranged_tail(y, x, groups < total, options.method,
                                            [](double share) { return 1 / (share * (1 - share)); })) {
        result.method = arranged->method;
        result.p_value = arranged->p_value;
        return result;
    }
    if (options.method == AndersonDarlingMethod::conditional ||
        (options.method == AndersonDarlingMethod::automatic && groups < total)) {
        result.method = AndersonDarlingMethod::conditional;
        result.p_value = ends.survival(at_ends * m * n / total, 1, limit_deviation, anderson_darling_survival);
        return result;
    }
    result.p_value = anderson_darling_survival(1 + result.statistic * limit_deviation);
    return result;
}

/// The same in memory of its own.
inline AndersonDarlingResult anderson_darling(std::span<const double> baseline, std::span<const double> canary,
                                              const AndersonDarlingOptions& options = {}) {
    Workspace workspace;
    return anderson_darling(baseline, canary, options, workspace);
}

}  // namespace v0
}  // namespace serinus
