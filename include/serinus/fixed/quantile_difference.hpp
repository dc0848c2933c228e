#pragma once
/// \file
/// By how much does a quantile differ: is the canary's p95 worse?

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <serinus/core/describe.hpp>
#include <serinus/core/evidence.hpp>
#include <serinus/core/require.hpp>
#include <serinus/core/words.hpp>
#include <serinus/fixed/detail/arms.hpp>
#include <serinus/numeric/counting.hpp>
#include <serinus/numeric/moments.hpp>
#include <serinus/numeric/order.hpp>
#include <serinus/numeric/special.hpp>
#include <serinus/numeric/workspace.hpp>

namespace serinus {
inline namespace v0 {

/// How `quantile_difference` finds its interval; `automatic` is `woodruff` where an arm's number of independent values
/// is given, else `order_statistic`.
enum class QuantileDifferenceMethod : std::uint8_t {
    automatic = 1,
    order_statistic = 2,
    woodruff = 3,
    harrell_davis = 4
};

template <>
struct Words<QuantileDifferenceMethod> {
    static constexpr std::array<std::pair<QuantileDifferenceMethod, std::string_view>, 4> table{
        {{QuantileDifferenceMethod::automatic, "auto"},
         {QuantileDifferenceMethod::order_statistic, "order_statistic"},
         {QuantileDifferenceMethod::woodruff, "woodruff"},
         {QuantileDifferenceMethod::harrell_davis, "harrell_davis"}}};
};

struct QuantileDifferenceOptions {
    double q = 0.95;                                            ///< which quantile, in (0, 1)
    std::optional<double> n_effective_baseline = std::nullopt;  ///< independent values that the arm is worth (woodruff)
    std::optional<double> n_effective_canary = std::nullopt;
    QuantileDifferenceMethod method = QuantileDifferenceMethod::automatic;
    double confidence = 0.95;
    NanPolicy nan_policy = NanPolicy::drop;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("q", self.q);
        visit("n_effective_baseline", self.n_effective_baseline);
        visit("n_effective_canary", self.n_effective_canary);
        visit("method", self.method);
        visit("confidence", self.confidence);
        visit("nan_policy", self.nan_policy);
    }
};
static_assert(described_whole<QuantileDifferenceOptions>());

/// A quantile of one arm with its interval.
struct ArmQuantile {
    double estimate = std::numeric_limits<double>::quiet_NaN();
    double lower = -std::numeric_limits<double>::infinity();
    double upper = std::numeric_limits<double>::infinity();

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("estimate", self.estimate);
        visit("lower", self.lower);
        visit("upper", self.upper);
    }
};
static_assert(described_whole<ArmQuantile>());

struct QuantileDifferenceResult {
    double estimate = std::numeric_limits<double>::quiet_NaN();  ///< canary's quantile minus baseline's
    double lower = -std::numeric_limits<double>::infinity();
    double upper = std::numeric_limits<double>::infinity();
    double confidence = 0;
    ArmQuantile baseline;
    ArmQuantile canary;
    std::int64_t n_baseline = 0;  ///< values, NaN not counted
    std::int64_t n_canary = 0;
    QuantileDifferenceMethod method = QuantileDifferenceMethod::order_statistic;  ///< what was used; never `automatic`

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("estimate", self.estimate);
        visit("lower", self.lower);
        visit("upper", self.upper);
        visit("confidence", self.confidence);
        visit("baseline", self.baseline);
        visit("canary", self.canary);
        visit("n_baseline", self.n_baseline);
        visit("n_canary", self.n_canary);
        visit("method", self.method);
    }
};
static_assert(described_whole<QuantileDifferenceResult>());

namespace quantile_difference_detail {

/// Order statistics whose ranks a binomial number of values below the quantile misses with at most `tail` on each side.
inline ArmQuantile order_interval(std::span<const double> sorted, double q, double tail) {
    ArmQuantile found;
    found.estimate = quantile_of_sorted(sorted, q);
    const auto n = static_cast<double>(sorted.size());
    const auto below = [&](double k) { return incomplete_beta_upper(k + 1, n - k, q); };  // P(B <= k), 0 <= k < n
    // lower = x_(l), l the largest with P(B <= l-1) <= tail; upper = x_(u), u the smallest with P(B <= u-1) >= 1-tail.
    double low = 0, high = n;
    while (low < high) {
        const double middle = std::ceil((low + high) / 2);
        (below(middle - 1) <= tail ? low : high) = below(middle - 1) <= tail ? middle : middle - 1;
    }
    if (low >= 1) found.lower = sorted[static_cast<std::size_t>(low) - 1];
    double first = 1, last = n + 1;
    while (first < last) {
        const double middle = std::floor((first + last) / 2);
        const bool enough = middle <= n && incomplete_beta(middle, n - middle + 1, q) <= tail;
        (enough ? last : first) = enough ? middle : middle + 1;
    }
    if (first <= n) found.upper = sorted[static_cast<std::size_t>(first) - 1];
    return found;
}

/// Woodruff (1952): the interval of the share of values below, by Clopper and Pearson for the number of independent
/// values, read off at those shares.
inline ArmQuantile woodruff_interval(std::span<const double> sorted, double q, double tail, double n_effective) {
    ArmQuantile found;
    found.estimate = quantile_of_sorted(sorted, q);
    const auto n = static_cast<double>(sorted.size());
    const double below = q * n_effective, above = n_effective - below;
    const double low = incomplete_beta_inverse(below, above + 1, tail);
    const double high = incomplete_beta_upper_inverse(below + 1, above, tail);
    // A share that less than one value can show has no end.
    const double lower_rank = std::floor(low * n), upper_rank = std::ceil(high * n) + 1;
    if (lower_rank >= 1 && low * n_effective >= 0.5) found.lower = sorted[static_cast<std::size_t>(lower_rank) - 1];
    if (upper_rank <= n && (1 - high) * n_effective >= 0.5)
        found.upper = sorted[static_cast<std::size_t>(upper_rank) - 1];
    return found;
}

/// Harrell and Davis's mean of all order statistics with beta weights, and its jackknife standard error.
inline ArmQuantile harrell_davis_interval(std::span<const double> sorted, double q, double tail,
                                          std::vector<double>& weights) {
    ArmQuantile found;
    const std::size_t n = sorted.size();
    const auto estimate_of = [&](std::size_t size) {
        const auto count = static_cast<double>(size);
        const double a = (count + 1) * q, b = (count + 1) * (1 - q);
        weights.assign(size, 0);
        double before = 0;
        for (std::size_t i = 0; i < size; ++i) {
            const double here = incomplete_beta(a, b, static_cast<double>(i + 1) / count);
            weights[i] = here - before;
            before = here;
        }
    };
    estimate_of(n);
    // In a unit near the largest value squares neither overflow nor vanish, and products with weights lose no digits.
    const int exponent = common_exponent(sorted);
    const PowerOfTwo unit(-exponent);
    double estimate = 0;
    for (std::size_t i = 0; i < n; ++i) estimate += weights[i] > 0 ? weights[i] * (unit * sorted[i]) : 0;
    found.estimate = std::ldexp(estimate, exponent);
    if (n < 2) return found;
    // Leaving value j out: those below keep their place, those above move down one.
    estimate_of(n - 1);
    double without = 0;
    for (std::size_t i = 1; i < n; ++i) without += weights[i - 1] * (unit * sorted[i]);
    double sum = 0, squares = 0;
    const double origin = without;
    for (std::size_t j = 0;; ++j) {
        const double d = without - origin;
        sum += d;
        squares += d * d;
        if (j + 1 == n) break;
        without += weights[j] * (unit * sorted[j] - unit * sorted[j + 1]);
    }
    const auto count = static_cast<double>(n);
    const double error = std::sqrt(std::max(0.0, squares - sum * sum / count) * (count - 1) / count);
    const double reach = -normal_quantile(tail) * error;
    found.lower = std::ldexp(estimate - reach, exponent);
    found.upper = std::ldexp(estimate + reach, exponent);
    return found;
}

}  // namespace quantile_difference_detail

/// By how much does the canary's q-quantile lie above the baseline's, and how sure is that?
///
/// Each arm's quantile gets its own interval, and the two are joined by the method of variance estimates recovery:
/// lower = d - sqrt((c - l_c)^2 + (u_b - b)^2), upper mirrored (Zou and Donner 2008, Statistics in Medicine 27).
///  - `order_statistic`: ends are order statistics; how many values lie below the quantile is binomial. Needs nothing
///    of the distribution. Estimate: type 7.
///  - `woodruff`: the same by the effective number of independent values (Woodruff 1952; Korn and Graubard 1998): for
///    time series, with `effective_sample_size(...)` of each arm. Without it, n.
///  - `harrell_davis`: a mean of all order statistics with beta weights (Harrell and Davis 1982), smoother than one or
///    two of them, with its jackknife standard error and a normal interval; O(n) incomplete beta functions.
///
/// A quantile that too few values lie beyond has no end on that side (p99 of 200 values has no upper one), and then
/// the difference has none: infinite. q, confidence in (0, 1), effective numbers above 0 and at most n
/// (`serinus.argument.range`). baseline, canary: in any order, one unit; NaN dropped or refused; infinite values are
/// refused (`serinus.argument.infinite`). An arm without values: estimate NaN, no ends. All equal: the interval is a
/// point. Exchanging the arms changes the signs. Independent values, unless `woodruff` is told otherwise.
/// Cost: two sorts, O(N log N); `harrell_davis` O(N) incomplete beta functions besides.
///
///     const auto worse = quantile_difference(baseline, canary, {.q = 0.95});   // {.estimate = 31, .lower = 12, ...}
inline QuantileDifferenceResult quantile_difference(std::span<const double> baseline, std::span<const double> canary,
                                                    const QuantileDifferenceOptions& options, Workspace& workspace) {
    namespace detail = quantile_difference_detail;
    require_open_unit("q", options.q);
    require_open_unit("confidence", options.confidence);
    QuantileDifferenceResult result;
    const TwoSamples arms = take_finite_arms(baseline, canary, options.nan_policy, workspace, result);
    const auto& [y, x] = arms;
    const bool told = options.n_effective_baseline || options.n_effective_canary;
    result.method = options.method != QuantileDifferenceMethod::automatic ? options.method
                    : told                                                ? QuantileDifferenceMethod::woodruff
                                                                          : QuantileDifferenceMethod::order_statistic;
    for (const auto& [field, value, n] : {std::tuple{"n_effective_baseline", options.n_effective_baseline, y.size()},
                                          std::tuple{"n_effective_canary", options.n_effective_canary, x.size()}}) {
        if (value)
            require(*value > 0 && *value <= static_cast<double>(n), field, *value, "above 0, at most the values");
    }
    if (arms.empty()) return result;
    arms.sort(workspace);
    const double tail = (1 - options.confidence) / 2;
    const auto arm = [&](std::span<const double> sorted, const std::optional<double>& worth) {
        switch (result.method) {
            case QuantileDifferenceMethod::woodruff:
                return detail::woodruff_interval(sorted, options.q, tail,
                                                 worth.value_or(static_cast<double>(sorted.size())));
            case QuantileDifferenceMethod::harrell_davis:
                return detail::harrell_davis_interval(sorted, options.q, tail, workspace.counts);
            case QuantileDifferenceMethod::automatic:
            case QuantileDifferenceMethod::order_statistic: break;
        }
        return detail::order_interval(sorted, options.q, tail);
    };
    result.confidence = options.confidence;
    result.baseline = arm(y, options.n_effective_baseline);
    result.canary = arm(x, options.n_effective_canary);
    const auto& [b, b_low, b_high] = result.baseline;
    const auto& [c, c_low, c_high] = result.canary;
    result.estimate = c - b;
    // A small sample's estimate may lie beyond an end that is an order statistic.
    result.lower = result.estimate - std::hypot(std::max(0.0, c - c_low), std::max(0.0, b_high - b));
    result.upper = result.estimate + std::hypot(std::max(0.0, c_high - c), std::max(0.0, b - b_low));
    return result;
}

/// The same in memory of its own.
inline QuantileDifferenceResult quantile_difference(std::span<const double> baseline, std::span<const double> canary,
                                                    const QuantileDifferenceOptions& options = {}) {
    Workspace workspace;
    return quantile_difference(baseline, canary, options, workspace);
}

}  // namespace v0
}  // namespace serinus
