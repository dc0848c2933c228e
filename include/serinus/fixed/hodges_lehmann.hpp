#pragma once
/// \file
/// By how much are the canary's values larger? The median of all differences, with an interval.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <serinus/core/describe.hpp>
#include <serinus/core/error.hpp>
#include <serinus/core/require.hpp>
#include <serinus/core/text.hpp>
#include <serinus/core/words.hpp>
#include <serinus/fixed/detail/arms.hpp>
#include <serinus/fixed/detail/pair_differences.hpp>
#include <serinus/fixed/detail/rank_sum_distribution.hpp>
#include <serinus/numeric/normal.hpp>
#include <serinus/numeric/order.hpp>
#include <serinus/numeric/special.hpp>
#include <serinus/numeric/workspace.hpp>

namespace serinus {
inline namespace v0 {

/// How the ends of `hodges_lehmann` are found; `automatic` picks one of the others.
enum class HodgesLehmannMethod : std::uint8_t { automatic = 1, exact = 2, normal = 3 };

template <>
struct Words<HodgesLehmannMethod> {
    static constexpr std::array<std::pair<HodgesLehmannMethod, std::string_view>, 3> table{
        {{HodgesLehmannMethod::automatic, "auto"},
         {HodgesLehmannMethod::exact, "exact"},
         {HodgesLehmannMethod::normal, "normal"}}};
};

struct HodgesLehmannOptions {
    Alternative alternative = Alternative::two_sided;  ///< `greater`: a lower end only; `less`: an upper end only
    HodgesLehmannMethod method = HodgesLehmannMethod::automatic;
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
static_assert(described_whole<HodgesLehmannOptions>());

struct HodgesLehmannResult {
    double estimate = std::numeric_limits<double>::quiet_NaN();  ///< of canary - baseline
    double lower = -std::numeric_limits<double>::infinity();
    double upper = std::numeric_limits<double>::infinity();
    double confidence = 0;        ///< achieved, which is not what was asked for: differences come in steps
    std::int64_t n_baseline = 0;  ///< values, NaN not counted
    std::int64_t n_canary = 0;
    HodgesLehmannMethod method = HodgesLehmannMethod::exact;  ///< what the ends were found by; never `automatic`

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("estimate", self.estimate);
        visit("lower", self.lower);
        visit("upper", self.upper);
        visit("confidence", self.confidence);
        visit("n_baseline", self.n_baseline);
        visit("n_canary", self.n_canary);
        visit("method", self.method);
    }
};
static_assert(described_whole<HodgesLehmannResult>());

namespace hodges_lehmann_detail {

/// The middle differences and the ends of an interval, by rank from 1.
struct Differences {
    double middle, next_to_middle, lower, upper;
};

/// Of all x_i - y_j of sorted arrays: those of rank (mn + 1)/2 and mn/2 + 1, rounded down, and of rank k and
/// mn + 1 - k, k at most the former. To the bit what sorting all of them gives.
inline Differences differences_of_rank(std::span<const double> x, std::span<const double> y, std::int64_t k,
                                       Workspace& workspace) {
    constexpr std::size_t few = 10000;
    if (x.size() * y.size() <= few) {
        std::vector<double>& all = workspace.counts;
        all.clear();
        for (const double a : x)
            for (const double b : y) all.push_back(a - b);
        const auto pairs = static_cast<std::ptrdiff_t>(all.size());
        const auto middle = all.begin() + (pairs - 1) / 2, low = all.begin() + (k - 1), high = all.end() - k;
        std::nth_element(all.begin(), middle, all.end());
        // Each end lies on its own side of what is in place already.
        if (low < middle) std::nth_element(all.begin(), low, middle);
        if (high > middle) std::nth_element(middle + 1, high, all.end());
        const double next =
            pairs % 2 == 0 ? *std::min_element(middle + 1, high > middle ? high + 1 : all.end()) : *middle;
        return {*middle, next, *low, *high};
    }
    PairDifferences all(x, y, workspace.sort);
    const std::int64_t pairs = all.size(), half = (pairs + 1) / 2;
    const double middle = all.of_rank(half);
    const bool shared = pairs % 2 == 1 || all.count_at_most(middle) > half;
    return {middle, shared ? middle : all.above(middle), all.of_rank(k), all.of_rank(pairs + 1 - k)};
}

}  // namespace hodges_lehmann_detail

/// By how much does the canary's distribution lie above the baseline's?
///
/// Estimate: the median of all mn differences canary_i - baseline_j (Hodges and Lehmann 1963). Interval (Moses;
/// Hollander and Wolfe, section 4.3): D_(k) to D_(mn+1-k), D the differences in order; the coverage is 1 - 2 P(U < k)
/// if both distributions have one shape, U the Mann-Whitney statistic without ties. Estimate and ends are differences
/// of the data themselves (the estimate: the mean of the two middle ones when mn is even), to the bit those that
/// writing all of them down and sorting would give.
///  - `exact`: k the alpha/2 quantile of U's exact distribution, at least 1, as R's wilcox.test(exact = TRUE) has it;
///    with ties this is conservative for data that were rounded.
///  - `normal`: k = floor(mn/2 - z sigma), sigma corrected for ties, at least 1.
///  - `automatic`: `exact` without ties and up to about 50 against 50 values, else `normal`.
///
/// baseline, canary: in any order, one unit, finite (raises `serinus.argument.infinite`: differences of infinities are
/// no numbers); NaN dropped or refused. Independent values: of a time series the interval is too short.
/// confidence in (0, 1) (raises `serinus.argument.range`); `confidence` of the result is what was achieved. Few values:
/// the ends are the extreme differences, and less is achieved than was asked (1 against 1: nothing). An arm without
/// values: estimate NaN, no ends, confidence 0. All equal: estimate and ends the one difference.
/// Shifting the canary shifts all three (up to rounding), exchanging the arms changes their signs.
/// Cost: sorting, then some ten walks of O(N) an answer (pair_differences.hpp).
///
///     const auto shift = hodges_lehmann(baseline, canary);   // {.estimate = 12.4, .lower = 8.1, .upper = 16.9, ...}
inline HodgesLehmannResult hodges_lehmann(std::span<const double> baseline, std::span<const double> canary,
                                          const HodgesLehmannOptions& options, Workspace& workspace) {
    namespace detail = hodges_lehmann_detail;
    require_open_unit("confidence", options.confidence);
    HodgesLehmannResult result;
    const TwoSamples arms = take_finite_arms(baseline, canary, options.nan_policy, workspace, result);
    const auto& [y, x] = arms;
    const std::int64_t m = result.n_canary, n = result.n_baseline;
    const bool exact_asked = options.method == HodgesLehmannMethod::exact;
    if (options.method == HodgesLehmannMethod::normal) result.method = options.method;
    if (arms.empty()) return result;
    arms.sort(workspace);
    const std::int64_t pairs = m * n;

    const bool two_sided = options.alternative == Alternative::two_sided;
    const double tail = (1 - options.confidence) / (two_sided ? 2 : 1);
    const RankComparison ranks = compare_ranks(x, y);
    const RankSumCost cost = rank_sum_cost(m, n, pairs / 2);
    constexpr double automatic_additions = 65000, largest_additions = 4e9, largest_table = 5e7;
    const bool affordable = cost.accurate && cost.table <= largest_table &&
                            cost.additions <= (exact_asked ? largest_additions : automatic_additions);
    if (exact_asked && !affordable) {
        raise(Code::argument_range, "method is \"exact\" with " + std::to_string(n) + " baseline and " +
                                        std::to_string(m) +
                                        " canary values; allowed: up to 200 in the smaller arm, or \"normal\"");
    }
    std::int64_t k = 1;
    double missed = 0;  // P(U < k)
    if (exact_asked || (options.method == HodgesLehmannMethod::automatic && affordable && ranks.tied == 0)) {
        const std::span<const double> cumulative = cumulative_rank_sum(m, n, workspace);
        const double all = choose(m + n, m);
        // The quantile q is the first with P(U <= q) >= tail, if need be the middle; R forgives rounding errors of ten
        // units in the last place.
        const double needed = tail - 10 * std::numeric_limits<double>::epsilon();
        const auto first = std::partition_point(cumulative.begin(), cumulative.end() - 1,
                                                [&](double ways) { return ways / all < needed; });
        k = std::max<std::int64_t>(1, first - cumulative.begin());
        missed = cumulative[static_cast<std::size_t>(k - 1)] / all;
    } else {
        result.method = HodgesLehmannMethod::normal;
        const double deviation = rank_sum_moments(m, n, ranks.tie_term).deviation;
        const double middle = static_cast<double>(pairs) / 2;
        // All equal: there is one difference, and no end can lie elsewhere.
        const double reach = deviation > 0 ? -normal_quantile(tail) * deviation : 0;
        k = std::clamp<std::int64_t>(static_cast<std::int64_t>(std::floor(middle - reach)), 1, (pairs + 1) / 2);
        if (deviation > 0) missed = normal_cdf((static_cast<double>(k) - 0.5 - middle) / deviation);
    }
    result.confidence = std::max(0.0, 1 - (two_sided ? 2 : 1) * missed);

    const detail::Differences found = detail::differences_of_rank(x, y, k, workspace);
    const double sum = found.middle + found.next_to_middle;
    result.estimate = found.middle == found.next_to_middle ? found.middle
                      : std::isfinite(sum)                 ? sum / 2
                                                           : found.middle / 2 + found.next_to_middle / 2;
    if (options.alternative != Alternative::less) result.lower = found.lower;
    if (options.alternative != Alternative::greater) result.upper = found.upper;
    return result;
}

/// The same in memory of its own.
inline HodgesLehmannResult hodges_lehmann(std::span<const double> baseline, std::span<const double> canary,
                                          const HodgesLehmannOptions& options = {}) {
    Workspace workspace;
    return hodges_lehmann(baseline, canary, options, workspace);
}

}  // namespace v0
}  // namespace serinus
