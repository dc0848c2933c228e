#pragma once
/// \file
/// Do paired values differ: interval by interval, is the canary above the baseline?

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <serinus/core/describe.hpp>
#include <serinus/core/require.hpp>
#include <serinus/core/words.hpp>
#include <serinus/fixed/detail/pair_differences.hpp>
#include <serinus/numeric/normal.hpp>
#include <serinus/numeric/order.hpp>
#include <serinus/numeric/special.hpp>
#include <serinus/numeric/student.hpp>
#include <serinus/numeric/workspace.hpp>
#include <serinus/series/samples.hpp>

namespace serinus {
inline namespace v0 {

/// How `signed_rank` comes to its p-value; `automatic` picks one of the others.
enum class SignedRankMethod : std::uint8_t { automatic = 1, exact = 2, normal = 3 };

template <>
struct Words<SignedRankMethod> {
    static constexpr std::array<std::pair<SignedRankMethod, std::string_view>, 3> table{
        {{SignedRankMethod::automatic, "auto"},
         {SignedRankMethod::exact, "exact"},
         {SignedRankMethod::normal, "normal"}}};
};

struct SignedRankOptions {
    bool continuity = true;  ///< move the statistic by 1/2 towards its mean; of the method `normal` only
    Alternative alternative = Alternative::two_sided;
    SignedRankMethod method = SignedRankMethod::automatic;
    double confidence = 0.95;
    NanPolicy nan_policy = NanPolicy::drop;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("continuity", self.continuity);
        visit("alternative", self.alternative);
        visit("method", self.method);
        visit("confidence", self.confidence);
        visit("nan_policy", self.nan_policy);
    }
};
static_assert(described_whole<SignedRankOptions>());

struct SignedRankResult {
    double estimate = std::numeric_limits<double>::quiet_NaN();  ///< median of all means of two differences
    double lower = -std::numeric_limits<double>::infinity();
    double upper = std::numeric_limits<double>::infinity();
    double confidence = 0;  ///< achieved, which is not what was asked for: means come in steps
    double statistic = 0;   ///< W+: the sum of the ranks of the positive differences
    double p_value = 1;
    std::int64_t n = 0;      ///< differences, NaN not counted
    std::int64_t zeros = 0;  ///< differences of 0, which have no sign and are left out of the test
    SignedRankMethod method = SignedRankMethod::exact;  ///< what p_value was computed by; never `automatic`
    bool degenerate = false;                            ///< there is no difference other than 0

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("estimate", self.estimate);
        visit("lower", self.lower);
        visit("upper", self.upper);
        visit("confidence", self.confidence);
        visit("statistic", self.statistic);
        visit("p_value", self.p_value);
        visit("n", self.n);
        visit("zeros", self.zeros);
        visit("method", self.method);
        visit("degenerate", self.degenerate);
    }
};
static_assert(described_whole<SignedRankResult>());

namespace signed_rank_detail {

/// In how many of the 2^n choices of signs twice the sum of positive ranks is 0, 1, 2, ...
inline void count_signs(std::span<const std::int64_t> twice_ranks, std::vector<double>& ways) {
    const std::int64_t all = std::accumulate(twice_ranks.begin(), twice_ranks.end(), std::int64_t{0});
    ways.assign(static_cast<std::size_t>(all) + 1, 0.0);
    ways[0] = 1;
    std::int64_t so_far = 0;
    for (const std::int64_t rank : twice_ranks) {
        so_far += rank;
        for (std::int64_t w = so_far; w >= rank; --w)
            ways[static_cast<std::size_t>(w)] += ways[static_cast<std::size_t>(w - rank)];
    }
}

/// The `rank`-th smallest (from 1) of all (d_i + d_j)/2, i <= j, of sorted differences.
inline double mean_of_rank(std::span<const double> sorted, std::int64_t rank, std::vector<double>& scratch) {
    const std::size_t n = sorted.size();
    if (n <= 200) {
        scratch.clear();
        for (std::size_t i = 0; i < n; ++i)
            for (std::size_t j = i; j < n; ++j) scratch.push_back(sorted[i] / 2 + sorted[j] / 2);
        const auto at = scratch.begin() + static_cast<std::ptrdiff_t>(rank - 1);
        std::nth_element(scratch.begin(), at, scratch.end());
        return *at;
    }
    const auto count_at_most = [&](double limit) {
        std::int64_t count = 0;
        std::size_t j = n;  // means with i stay above the limit from j on
        for (std::size_t i = 0; i < n; ++i) {
            while (j > 0 && !(sorted[i] / 2 + sorted[j - 1] / 2 <= limit)) --j;
            if (j <= i) break;
            count += static_cast<std::int64_t>(j - i);
        }
        return count;
    };
    std::int64_t low = ordered_key(sorted.front()), high = ordered_key(sorted.back());
    while (low < high) {
        const std::int64_t middle = middle_key(low, high);
        if (count_at_most(value_of_key(middle)) >= rank) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return value_of_key(low);
}

}  // namespace signed_rank_detail

/// Do paired differences lie around another value than 0? The signed-rank test of Wilcoxon.
///
/// W+ = sum of the ranks of |d| where d > 0, midranks for ties, zeros left out (Wilcoxon 1945). Under the null
/// hypothesis (independent differences, symmetric around 0) every choice of signs is as likely as another.
///  - `exact`: counts all 2^n of them, given the ties (SciPy and R leave exactness with ties);
///  - `normal`: (W+ - S/2 -+ 1/2)/sqrt(sum of squared ranks/4), S the sum of ranks;
///  - `automatic`: `exact` up to 60 differences that are not 0, else `normal`.
/// Estimate: the median of the means of all pairs (i <= j) of differences (Hodges and Lehmann 1963), the interval their
/// order statistics (Tukey 1949; R's wilcox.test(conf.int = TRUE) where there are no ties and zeros).
///
/// differences: canary - baseline of the same interval, in any order, one unit, finite (`serinus.argument.infinite`);
/// NaN dropped or refused. Of a time series the test is too sure: see `paired_test`. confidence in (0, 1); `exact`
/// above 1,000 differences raises `serinus.argument.range`. None: estimate NaN, p 1, degenerate; all 0: p 1,
/// degenerate. Changing all signs
/// exchanges `greater` and `less` and mirrors the interval. Cost: a sort; the interval O(n) up to 64 times.
///
///     const auto found = signed_rank(differences, {.alternative = Alternative::greater});
inline SignedRankResult signed_rank(std::span<const double> differences, const SignedRankOptions& options,
                                    Workspace& workspace) {
    namespace detail = signed_rank_detail;
    require_open_unit("confidence", options.confidence);
    const std::span<double> all = take_samples(differences, Arm::canary, options.nan_policy, workspace.canary).values;
    require_finite("differences", all);
    SignedRankResult result;
    result.n = static_cast<std::int64_t>(all.size());
    if (options.method == SignedRankMethod::normal) result.method = options.method;
    result.degenerate = true;
    if (all.empty()) return result;
    workspace.sort(all);

    // Ranks of the sizes, with the signs beside them: both sides are sorted, so a merge gives the groups.
    std::vector<double>& sizes = workspace.baseline;
    sizes.clear();
    std::vector<double> positive;
    for (const double d : all) {
        if (d < 0) sizes.push_back(-d);
        if (d > 0) positive.push_back(d);
    }
    std::reverse(sizes.begin(), sizes.end());
    result.zeros = result.n - static_cast<std::int64_t>(sizes.size() + positive.size());
    std::vector<std::int64_t> twice_ranks;
    std::int64_t before = 0, twice_w = 0;
    for_each_tie_group(positive, sizes, [&](std::int64_t above, std::int64_t below) {
        const std::int64_t twice_rank = 2 * before + above + below + 1;
        twice_ranks.insert(twice_ranks.end(), static_cast<std::size_t>(above + below), twice_rank);
        twice_w += above * twice_rank;
        before += above + below;
    });
    const auto n = static_cast<std::int64_t>(twice_ranks.size());
    result.degenerate = n == 0;
    result.statistic = static_cast<double>(twice_w) / 2;
    constexpr std::int64_t cheap = 60, most = 1000;
    if (options.method == SignedRankMethod::exact)
        require(n <= most, "method is \"exact\"; differences other than 0", static_cast<double>(n), "at most 1000");
    if (options.method == SignedRankMethod::automatic)
        result.method = n <= cheap ? SignedRankMethod::exact : SignedRankMethod::normal;
    const std::int64_t twice_all = n * (n + 1);
    if (n > 0 && result.method == SignedRankMethod::exact) {
        detail::count_signs(twice_ranks, workspace.counts);
        // The shorter tail is summed, the other is its complement: both keep their digits.
        const std::int64_t shorter = std::min(twice_w, twice_all - twice_w);
        double below = 0;
        for (std::int64_t w = 0; w < shorter; ++w) below += workspace.counts[static_cast<std::size_t>(w)];
        const double scale = std::ldexp(1.0, -static_cast<int>(n));
        const double at_most = (below + workspace.counts[static_cast<std::size_t>(shorter)]) * scale;
        const double rest = 2 * shorter == twice_all ? at_most : 1 - below * scale;
        const bool low = twice_w == shorter;
        result.p_value = p_value_of(options.alternative, low ? rest : at_most, low ? at_most : rest);
    } else if (n > 0) {
        double squares = 0;
        for (const std::int64_t rank : twice_ranks) squares += static_cast<double>(rank) * static_cast<double>(rank);
        const double deviation = std::sqrt(squares) / 4;
        const double excess = result.statistic - static_cast<double>(twice_all) / 4;
        const double step = options.continuity ? 0.5 : 0;
        result.p_value = p_value_of(options.alternative, normal_survival((excess - step) / deviation),
                                    normal_survival((-excess - step) / deviation));
    }

    // The interval: order statistics of the means, counted as if there were neither ties nor zeros.
    const std::int64_t total = result.n, means = total * (total + 1) / 2;
    const bool two_sided = options.alternative == Alternative::two_sided;
    const double tail = (1 - options.confidence) / (two_sided ? 2 : 1);
    std::int64_t k = 1;
    double missed = 0;  // P(W+ < k)
    if (total <= cheap) {
        std::vector<std::int64_t> ranks(static_cast<std::size_t>(total));
        std::iota(ranks.begin(), ranks.end(), 1);
        detail::count_signs(ranks, workspace.counts);
        const double scale = std::ldexp(1.0, -static_cast<int>(total));
        double below = 0;
        k = 0;
        while (k < means && below + workspace.counts[static_cast<std::size_t>(k)] * scale < tail)
            below += workspace.counts[static_cast<std::size_t>(k++)] * scale;
        missed = below;
        if (k == 0) {
            k = 1;
            missed = scale;
        }
    } else {
        const auto count = static_cast<double>(total);
        const double deviation = std::sqrt(count * (count + 1) * (2 * count + 1) / 24);
        const double middle = static_cast<double>(means) / 2;
        k = std::clamp<std::int64_t>(static_cast<std::int64_t>(middle + normal_quantile(tail) * deviation), 1, means);
        missed = normal_cdf((static_cast<double>(k) - 0.5 - middle) / deviation);
    }
    k = std::min(k, means);
    result.confidence = std::max(0.0, 1 - (two_sided ? 2 : 1) * missed);
    result.estimate = detail::mean_of_rank(all, (means + 1) / 2, workspace.counts);
    if (means % 2 == 0)
        result.estimate = result.estimate / 2 + detail::mean_of_rank(all, means / 2 + 1, workspace.counts) / 2;
    if (options.alternative != Alternative::less) result.lower = detail::mean_of_rank(all, k, workspace.counts);
    if (options.alternative != Alternative::greater)
        result.upper = detail::mean_of_rank(all, means + 1 - k, workspace.counts);
    return result;
}

/// The same in memory of its own.
inline SignedRankResult signed_rank(std::span<const double> differences, const SignedRankOptions& options = {}) {
    Workspace workspace;
    return signed_rank(differences, options, workspace);
}

}  // namespace v0
}  // namespace serinus
