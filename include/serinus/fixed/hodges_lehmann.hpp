#pragma once
/// \file
/// By how much are the canary's values larger? The median of all differences, with an interval.

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <serinus/core/error.hpp>
#include <serinus/core/normal.hpp>
#include <serinus/core/order.hpp>
#include <serinus/core/reason.hpp>
#include <serinus/core/require.hpp>
#include <serinus/core/special.hpp>
#include <serinus/core/words.hpp>
#include <serinus/core/workspace.hpp>
#include <serinus/fixed/rank_sum_distribution.hpp>
#include <serinus/series/samples.hpp>

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
    double confidence = 0.95;
    Alternative alternative = Alternative::two_sided;  ///< `greater`: a lower end only; `less`: an upper end only
    HodgesLehmannMethod method = HodgesLehmannMethod::automatic;
    NanPolicy nan_policy = NanPolicy::drop;
};

struct HodgesLehmannResult {
    double estimate = std::numeric_limits<double>::quiet_NaN();  ///< of canary - baseline
    double lower = -std::numeric_limits<double>::infinity();
    double upper = std::numeric_limits<double>::infinity();
    double confidence = 0;        ///< achieved, which is not what was asked for: differences come in steps
    std::int64_t n_baseline = 0;  ///< values, NaN not counted
    std::int64_t n_canary = 0;
    HodgesLehmannMethod method = HodgesLehmannMethod::exact;  ///< what the ends were found by; never `automatic`
};

namespace hodges_lehmann_detail {

/// Doubles in the order of their bit patterns, so that halving reaches every one of them; finite ones and infinities.
inline std::int64_t key(double value) noexcept {
    const auto bits = std::bit_cast<std::int64_t>(value);
    return bits < 0 ? std::numeric_limits<std::int64_t>::min() - bits : bits;
}
inline double value_of(std::int64_t key) noexcept {
    return std::bit_cast<double>(key < 0 ? std::numeric_limits<std::int64_t>::min() - key : key);
}

/// #{(i, j): x_i - y_j <= limit} of sorted arrays. The difference is rounded before it is compared, as someone who
/// wrote all of them down would do; rounding keeps the order, so one walk along the staircase finds them.
inline std::int64_t count_at_most(std::span<const double> x, std::span<const double> y, double limit) noexcept {
    std::int64_t count = 0;
    std::size_t j = 0;
    for (const double value : x) {
        while (j < y.size() && !(value - y[j] <= limit)) ++j;
        count += static_cast<std::int64_t>(y.size() - j);
    }
    return count;
}

/// The `rank`-th smallest (from 1) of all differences x_i - y_j of sorted arrays: exactly the double that sorting them
/// would give. Halves the range of doubles between the smallest and the largest difference: at most 64 walks.
inline double difference_of_rank(std::span<const double> x, std::span<const double> y, std::int64_t rank,
                                 std::vector<double>& scratch) {
    constexpr std::size_t few = 10000;
    if (x.size() * y.size() <= few) {
        scratch.clear();
        for (const double a : x)
            for (const double b : y) scratch.push_back(a - b);
        const auto at = scratch.begin() + static_cast<std::ptrdiff_t>(rank - 1);
        std::nth_element(scratch.begin(), at, scratch.end());
        return *at;
    }
    std::int64_t low = key(x.front() - y.back()), high = key(x.back() - y.front());
    while (low < high) {
        // Halves rounded down, without overflow.
        const std::int64_t middle = (low & high) + ((low ^ high) >> 1);
        if (count_at_most(x, y, value_of(middle)) >= rank) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return value_of(low);
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
/// Cost: sorting, then O(N) up to 64 times an answer; 1,440 against 1,440 values about 1 ms.
///
///     const auto shift = hodges_lehmann(baseline, canary);   // {.estimate = 12.4, .lower = 8.1, .upper = 16.9, ...}
inline HodgesLehmannResult hodges_lehmann(std::span<const double> baseline, std::span<const double> canary,
                                          const HodgesLehmannOptions& options, Workspace& workspace) {
    namespace detail = hodges_lehmann_detail;
    require_open_unit("confidence", options.confidence);
    HodgesLehmannResult result;
    const std::span<double> y = take_samples(baseline, Arm::baseline, options.nan_policy, workspace.baseline).values;
    const std::span<double> x = take_samples(canary, Arm::canary, options.nan_policy, workspace.canary).values;
    require_finite(Arm::baseline, y);
    require_finite(Arm::canary, x);
    const auto m = static_cast<std::int64_t>(x.size()), n = static_cast<std::int64_t>(y.size());
    result.n_baseline = n;
    result.n_canary = m;
    const bool exact_asked = options.method == HodgesLehmannMethod::exact;
    if (options.method == HodgesLehmannMethod::normal) result.method = options.method;
    if (m == 0 || n == 0) return result;
    workspace.sort(x);
    workspace.sort(y);
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
        rank_sum_counts(m, n, pairs / 2, workspace.counts);
        const double all = choose(m + n, m);
        // The quantile q is the first with P(U <= q) >= tail; R forgives rounding errors of ten units in the last
        // place.
        const double needed = tail - 10 * std::numeric_limits<double>::epsilon();
        double below = 0;
        std::int64_t q = 0;
        while (q < pairs / 2 && (below + workspace.counts[static_cast<std::size_t>(q)]) / all < needed)
            below += workspace.counts[static_cast<std::size_t>(q++)];
        k = std::max<std::int64_t>(1, q);
        missed = q == 0 ? workspace.counts[0] / all : below / all;
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

    const auto at = [&](std::int64_t rank) { return detail::difference_of_rank(x, y, rank, workspace.counts); };
    result.estimate = at((pairs + 1) / 2);
    if (pairs % 2 == 0) {
        const double next = at(pairs / 2 + 1);
        const double sum = result.estimate + next;
        result.estimate = std::isfinite(sum) ? sum / 2 : result.estimate / 2 + next / 2;
    }
    if (options.alternative != Alternative::less) result.lower = at(k);
    if (options.alternative != Alternative::greater) result.upper = at(pairs + 1 - k);
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
