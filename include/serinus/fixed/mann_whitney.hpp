#pragma once
/// \file
/// Are the canary's values larger, or smaller, than the baseline's? The rank test of Mann, Whitney and Wilcoxon.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <serinus/core/describe.hpp>
#include <serinus/core/error.hpp>
#include <serinus/core/require.hpp>
#include <serinus/core/words.hpp>
#include <serinus/fixed/detail/arms.hpp>
#include <serinus/fixed/detail/rank_sum_distribution.hpp>
#include <serinus/fixed/detail/tied_arrangements.hpp>
#include <serinus/numeric/normal.hpp>
#include <serinus/numeric/order.hpp>
#include <serinus/numeric/workspace.hpp>

namespace serinus {
inline namespace v0 {

/// How the p-value of `mann_whitney` comes about; `automatic` picks one of the others for each pair.
enum class MannWhitneyMethod : std::uint8_t {
    automatic = 1,
    exact = 2,
    edgeworth = 3,
    normal = 4,
    saddlepoint = 5,
    drawn = 6
};

template <>
struct Words<MannWhitneyMethod> {
    static constexpr std::array<std::pair<MannWhitneyMethod, std::string_view>, 6> table{
        {{MannWhitneyMethod::automatic, "auto"},
         {MannWhitneyMethod::exact, "exact"},
         {MannWhitneyMethod::edgeworth, "edgeworth"},
         {MannWhitneyMethod::normal, "normal"},
         {MannWhitneyMethod::saddlepoint, "saddlepoint"},
         {MannWhitneyMethod::drawn, "drawn"}}};
};

struct MannWhitneyOptions {
    bool continuity = true;  ///< move U by 1/2 towards its mean; of the method `normal` only
    Alternative alternative = Alternative::two_sided;
    MannWhitneyMethod method = MannWhitneyMethod::automatic;
    NanPolicy nan_policy = NanPolicy::drop;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("continuity", self.continuity);
        visit("alternative", self.alternative);
        visit("method", self.method);
        visit("nan_policy", self.nan_policy);
    }
};
static_assert(described_whole<MannWhitneyOptions>());

struct MannWhitneyResult {
    double effect = std::numeric_limits<double>::quiet_NaN();  ///< u/(mn) = P(canary > baseline) + 1/2 P(=); 0.5: no
                                                               ///< difference; NaN with an empty arm
    double u = 0;                 ///< the canary's U: #{canary > baseline} + 1/2 #{canary = baseline}, over all pairs
    double z = 0;                 ///< (u - mn/2) / sigma, sigma corrected for ties, without continuity correction
    double p_value = 1;           ///< of the alternative asked for
    std::int64_t ties = 0;        ///< how many of the pooled values are equal to another one, of either arm
    std::int64_t n_baseline = 0;  ///< values, NaN not counted
    std::int64_t n_canary = 0;
    MannWhitneyMethod method = MannWhitneyMethod::exact;  ///< what p_value was computed by; never `automatic`
    bool degenerate = false;  ///< no arrangement differs from another: all values are equal, or an arm is empty

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("effect", self.effect);
        visit("u", self.u);
        visit("z", self.z);
        visit("p_value", self.p_value);
        visit("ties", self.ties);
        visit("n_baseline", self.n_baseline);
        visit("n_canary", self.n_canary);
        visit("method", self.method);
        visit("degenerate", self.degenerate);
    }
};
static_assert(described_whole<MannWhitneyResult>());

namespace mann_whitney_detail {

// What `automatic` spends on an exact distribution: enough for 50 against 50 values, without ties and with any ties.
inline constexpr double automatic_additions = 65000;
inline constexpr double automatic_tied_additions = 2.6e7;
// What nobody wants to wait for, or has the memory for, even when asking for `exact`: seconds; 400 MB.
inline constexpr double largest_additions = 4e9;
inline constexpr double largest_table = 5e7;
// The Edgeworth expansion is no better than the normal distribution below this tail.
inline constexpr double edgeworth_floor = 1e-6;
// Up to which `edgeworth_reach` the expansion is believed, and from which on it is not.
inline constexpr double small_reach = 0.1, large_reach = 0.25;

inline bool affordable(const RankSumCost& cost, double additions) noexcept {
    return cost.accurate && cost.additions <= additions && cost.table <= largest_table;
}

/// One upper tail, and by which method.
struct Tail {
    double p_value;
    MannWhitneyMethod method;
};

/// P(U >= mean + excess) by the normal distribution.
inline Tail normal_tail(double excess, const RankSumMoments& moments, bool continuity) noexcept {
    return {normal_survival((excess - (continuity ? 0.5 : 0.0)) / moments.deviation), MannWhitneyMethod::normal};
}

/// P(U >= mean + excess) by the Edgeworth expansion, or by the normal distribution where the expansion says nothing.
/// Between the two the p-value stays at the floor, so that a larger U never has a larger p-value.
inline Tail edgeworth_tail(double excess, const RankSumMoments& moments, double skewness, bool continuity) noexcept {
    const double z = (excess - moments.spacing / 2) / moments.deviation;
    const double p = edgeworth_survival(z, skewness, moments.kurtosis);
    if (p >= edgeworth_floor) return {p, MannWhitneyMethod::edgeworth};
    const Tail normal = normal_tail(excess, moments, continuity);
    return normal.p_value < edgeworth_floor ? normal : Tail{edgeworth_floor, MannWhitneyMethod::edgeworth};
}

/// P(U >= mean + excess) by the saddlepoint approximation; `mirrored`: P(U <= mean - excess). Near the mean, where the
/// approximation divides 0 by 0, by the Edgeworth expansion, with a bridge between the two.
/// `trust_edgeworth`: where the expansion's terms are small it is cheaper, and believed.
inline Tail far_tail(double excess, bool mirrored, std::int64_t m, std::int64_t n, const RankSumMoments& moments,
                     std::span<const std::int64_t> group_sizes, bool trust_edgeworth) {
    const double z = (excess - moments.spacing / 2) / moments.deviation, away = std::fabs(z);
    const double skewness = mirrored ? -moments.skewness : moments.skewness;
    const double near = edgeworth_survival(z, skewness, moments.kurtosis);
    // From the one to the other over a range of z, so that a larger U never has a larger p-value.
    double share = std::clamp((away - 0.3) / 0.4, 0.0, 1.0);
    if (trust_edgeworth) {
        const double reach = edgeworth_reach(z, skewness, moments.kurtosis);
        share = std::min(share, std::clamp((reach - small_reach) / (large_reach - small_reach), 0.0, 1.0));
    }
    if (share == 0) return {near, MannWhitneyMethod::edgeworth};
    const RankSumSaddlepoint saddle(m, n, group_sizes, moments.spacing);
    const double far = z > 0 ? saddle.tail(excess, mirrored) : 1 - saddle.tail(moments.spacing - excess, !mirrored);
    if (share == 1) return {far, MannWhitneyMethod::saddlepoint};
    return {std::pow(near, 1 - share) * std::pow(far, share), MannWhitneyMethod::saddlepoint};
}

/// The tails by weighted draws of ways to divide the groups of equal values: for sums in clumps, of which a smooth law
/// knows nothing. Only where few values that differ from the most frequent one are expected in the smaller arm.
inline std::optional<RankSumTails> drawn_tails(std::span<const double> y, std::span<const double> x, bool asked) {
    constexpr std::size_t draws = 10000, most_groups = 64, asked_groups = 800;
    constexpr double most_others = 200;
    const TiedArms arms(y, x, asked ? asked_groups : most_groups);
    if (!PushedDivisions::fits(arms, draws)) return std::nullopt;
    const double share = static_cast<double>(arms.sizes[arms.largest]) / static_cast<double>(arms.total);
    if (!asked && static_cast<double>(arms.few) * (1 - share) > most_others) return std::nullopt;
    std::vector<double> scores;
    double before = 0;
    for (const std::int64_t size : arms.sizes) {
        scores.push_back(2 * before + static_cast<double>(size - arms.total));
        before += static_cast<double>(size);
    }
    // Whole numbers below 2^53 where the counts are whole.
    const auto sum_of = [&](const auto& counts) {
        double sum = 0;
        for (std::size_t g = 0; g < scores.size(); ++g) sum += static_cast<double>(counts[g]) * scores[g];
        return sum;
    };
    const double seen = sum_of(arms.seen);
    PushedDivisions pushed(arms, std::fabs(seen), sum_of);
    double at_most = 0, at_least = 0;
    const double all = pushed.draw(draws, 0, [&](std::span<const std::int64_t> counts, double weight) {
        const double sum = sum_of(counts);
        if (sum <= seen) at_most += weight;
        if (sum >= seen) at_least += weight;
    });
    return arms.of_canary ? RankSumTails{at_most / all, at_least / all} : RankSumTails{at_least / all, at_most / all};
}

/// The exact tails by walking through all ways to divide the groups of equal values, if they are few.
inline std::optional<RankSumTails> divided_tails(std::span<const double> y, std::span<const double> x, bool whole) {
    const TiedArms arms(y, x, 64);
    if (!arms.few_groups()) return std::nullopt;
    std::vector<std::int64_t> scores;
    std::int64_t before = 0;
    for (const std::int64_t size : arms.sizes) {
        scores.push_back(2 * before + size - arms.total);
        before += size;
    }
    const auto sum_of = [&](std::span<const std::int64_t> counts) {
        std::int64_t sum = 0;
        for (std::size_t g = 0; g < counts.size(); ++g) sum += counts[g] * scores[g];
        return sum;
    };
    const std::int64_t seen = sum_of(arms.seen);
    double at_most = 0, at_least = 0;
    const auto mass = for_each_division(arms, [&](std::span<const std::int64_t> counts, double ways) {
        const std::int64_t sum = sum_of(counts);
        if (sum <= seen) at_most += ways;
        if (sum >= seen) at_least += ways;
    });
    if (!mass || (whole && mass->missed > 0)) return std::nullopt;
    at_most = std::min(1.0, (at_most + mass->missed) / mass->all);
    at_least = std::min(1.0, (at_least + mass->missed) / mass->all);
    return arms.of_canary ? RankSumTails{at_most, at_least} : RankSumTails{at_least, at_most};
}

/// The p-value of an alternative from the two tails; two-sided: twice the smaller one, at most 1.
inline Tail choose_tail(Alternative alternative, const Tail& greater, const Tail& less) noexcept {
    if (alternative == Alternative::greater) return greater;
    if (alternative == Alternative::less) return less;
    const Tail& smaller = greater.p_value < less.p_value ? greater : less;
    return {std::min(1.0, 2 * smaller.p_value), smaller.method};
}

/// The exact tails if they can be had for so many additions.
inline std::optional<RankSumTails> exact_tails(std::int64_t m, std::int64_t n, const RankComparison& ranks,
                                               double additions, double tied_additions, Workspace& workspace) {
    if (ranks.tied == 0) {
        const std::int64_t u = ranks.twice_u / 2;
        if (!affordable(rank_sum_cost(m, n, u), additions)) return std::nullopt;
        return rank_sum_tails(m, n, u, workspace);
    }
    // Each value costs one addition at least.
    if (static_cast<double>(m + n) > tied_additions) return std::nullopt;
    const TiedRankSum count(m, n, ranks.twice_u, workspace.group_sizes, workspace);
    if (!affordable(count.cost(), tied_additions)) return std::nullopt;
    return tied_rank_sum_tails(count, workspace);
}

inline void check_size(std::size_t values) {
    constexpr std::size_t most = std::size_t{1} << 30;
    if (values > most)
        raise(Code::argument_range, "an arm has " + std::to_string(values) + " values; allowed: up to 2^30");
}

/// The test of two sorted arms without NaN and -0.
inline MannWhitneyResult of_sorted(std::span<const double> y, std::span<const double> x,
                                   const MannWhitneyOptions& options, Workspace& workspace) {
    const auto m = static_cast<std::int64_t>(x.size());
    const auto n = static_cast<std::int64_t>(y.size());
    MannWhitneyResult result;
    result.n_baseline = n;
    result.n_canary = m;
    if (options.method != MannWhitneyMethod::automatic) result.method = options.method;
    result.degenerate = true;
    if (m == 0 || n == 0) return result;

    const RankComparison ranks = compare_ranks(x, y);
    const std::int64_t pairs = m * n;
    result.u = static_cast<double>(ranks.twice_u) / 2;
    result.effect = result.u / static_cast<double>(pairs);
    result.ties = ranks.tied;
    if (ranks.largest == m + n) return result;  // all equal: every arrangement has this U
    result.degenerate = false;

    const double excess = static_cast<double>(ranks.twice_u - pairs) / 2;
    RankSumMoments moments = rank_sum_moments(m, n, ranks.tie_term);
    result.z = excess / moments.deviation;

    workspace.group_sizes.clear();
    if (ranks.tied > 0 && options.method != MannWhitneyMethod::normal) {
        for_each_tie_group(x, y, [&](std::int64_t in_canary, std::int64_t in_baseline) {
            workspace.group_sizes.push_back(in_canary + in_baseline);
        });
    }

    std::optional<RankSumTails> exact, drawn;
    if (options.method == MannWhitneyMethod::exact) {
        exact = exact_tails(m, n, ranks, largest_additions, largest_additions, workspace);
        if (!exact && ranks.tied > 0) exact = divided_tails(y, x, true);
        if (!exact) {
            raise(Code::argument_range,
                  "method is \"exact\" with " + std::to_string(n) + " baseline and " + std::to_string(m) +
                      " canary values; allowed: up to 200 in the smaller arm without ties, 4e9 additions, 5e7 "
                      "doubles of memory and counts up to 1e300; or the method \"auto\", \"edgeworth\" or \"normal\"");
        }
    } else if (options.method == MannWhitneyMethod::automatic) {
        exact = exact_tails(m, n, ranks, automatic_additions, automatic_tied_additions, workspace);
        const std::size_t groups = workspace.group_sizes.size();
        if (!exact && groups > 0 && groups <= 64) {
            // Where many values differ from the most frequent one and the expansion's terms are small, it is believed.
            constexpr double many_others = 30;
            add_higher_moments(m, n, workspace.group_sizes, moments);
            const double share = static_cast<double>(ranks.largest) / static_cast<double>(m + n);
            const double reach = edgeworth_reach(std::fabs(result.z) + moments.spacing / (2 * moments.deviation),
                                                 moments.skewness, moments.kurtosis);
            const bool smooth = static_cast<double>(std::min(m, n)) * (1 - share) > many_others && reach <= small_reach;
            if (!smooth) exact = divided_tails(y, x, false);
            if (!smooth && !exact) drawn = drawn_tails(y, x, false);
        }
    }

    if (options.method == MannWhitneyMethod::drawn) {
        drawn = drawn_tails(y, x, true);
        require(drawn.has_value(), "method is \"drawn\"; the size of the largest group of equal values",
                static_cast<double>(ranks.largest),
                "at least a twentieth of all values, and up to 800 different values; or the method \"auto\"");
    }
    Tail greater{};
    Tail less{};
    if (exact) {
        greater = {exact->at_least, MannWhitneyMethod::exact};
        less = {exact->at_most, MannWhitneyMethod::exact};
    } else if (drawn) {
        greater = {drawn->at_least, MannWhitneyMethod::drawn};
        less = {drawn->at_most, MannWhitneyMethod::drawn};
    } else if (options.method == MannWhitneyMethod::normal || m + n < 4) {
        greater = normal_tail(excess, moments, options.continuity);
        less = normal_tail(-excess, moments, options.continuity);
    } else {
        add_higher_moments(m, n, workspace.group_sizes, moments);
        if (options.method == MannWhitneyMethod::edgeworth) {
            greater = edgeworth_tail(excess, moments, moments.skewness, options.continuity);
            less = edgeworth_tail(-excess, moments, -moments.skewness, options.continuity);
        } else {
            const bool trust = options.method == MannWhitneyMethod::automatic;
            // Two-sided, beyond a standard deviation, the other tail is not the smaller one.
            const bool both = options.alternative == Alternative::two_sided;
            greater = less = {1, MannWhitneyMethod::edgeworth};
            if (options.alternative == Alternative::greater || (both && result.z > -1))
                greater = far_tail(excess, false, m, n, moments, workspace.group_sizes, trust);
            if (options.alternative == Alternative::less || (both && result.z < 1))
                less = far_tail(-excess, true, m, n, moments, workspace.group_sizes, trust);
        }
    }
    const Tail chosen = choose_tail(options.alternative, greater, less);
    result.p_value = chosen.p_value;
    result.method = chosen.method;
    return result;
}

}  // namespace mann_whitney_detail

/// Does one version tend to larger values than the other? Compares every canary value with every baseline value;
/// the null hypothesis is that all m+n values come from one distribution and are independent of each other. (Values
/// of a time series are not: see `robust_rank_test`.)
///
/// U = #{canary > baseline} + 1/2 #{canary = baseline} (Mann and Whitney 1947), m canary and n baseline values.
/// Methods, each given the ties that were seen:
///  - `exact`: counts all C(m+n, m) arrangements (see rank_sum_distribution.hpp).
///  - `edgeworth`: normal distribution corrected for skewness and kurtosis (Fix and Hodges 1955). Measured worst error
///    of p at 50 and 50 values without ties: 0.006 % above 0.05, 0.12 % above 0.001, 21 % above 1e-6. Tails below 1e-6
///    and samples of fewer than 4 values in all are left to `normal`, and the result says so.
///  - `normal`: z = (U - mn/2 -+ 1/2) / sigma, sigma^2 = mn/12 [(N+1) - sum(t^3-t)/(N(N-1))]; the 1/2 unless
///    `continuity` is off. The p-values of SciPy's "asymptotic" and of R's wilcox.test(exact = FALSE).
///  - `saddlepoint`: the double saddlepoint approximation (Skovgaard 1987; see `RankSumSaddlepoint`), good to a few
///    per cent also far out and with very unequal arms. Within 0.3 standard deviations of the mean it is the Edgeworth
///    expansion, up to 0.7 something between, and the result says `edgeworth` where nothing else was used.
///    Not for sums in clumps, as where few values differ from the most frequent one: off by a factor of 11 was seen.
///  - `drawn`: 10,000 random ways to divide up to 800 different values between the arms, most of them where the tail
///    lies, with weights (`PushedDivisions`), always the same ones: right to some 3 to 30 % however small p.
///    The most frequent value must be a twentieth of all (`serinus.argument.range`).
///  - `automatic`: `exact` if that costs no more than it can for 50 against 50 values, with ties or without.
///    Else, with up to 64 different values of which fewer than 30 of the smaller arm's are expected to differ from the
///    most frequent one, or where the terms of the Edgeworth expansion exceed a tenth of the normal tail
///    (`edgeworth_reach`): `exact` if 2^17 ways to divide them between the arms hold all arrangements but about 1e-10
///    of them (these 1e-10 are added to p), else `drawn` if up to 200 of the smaller arm's are expected to
///    differ. Else `edgeworth` where its terms are below a tenth, `saddlepoint` beyond, with a bridge up to a quarter.
///    It looks at this pair alone, and the result says what it took. Measured over tables of 2 to 6 groups, one with 50
///    % to 99.99 % of 10 to 100,000 values split 1:1 to 1:1000: within a factor of 1.5 of the exact p above 1e-8.
///
/// baseline, canary: in any order and any unit, up to 2^30 values each. Infinities rank like other values; -0 equals
/// +0; NaN is dropped, or raises `serinus.argument.nan`. Alternatives are about the canary: `greater` gives
/// P(U >= u), `less` P(U <= u), `two_sided` twice the smaller of them, at most 1. Exchanging the arms exchanges
/// `greater` and `less` to the bit; any strictly increasing transformation of all values changes nothing at all.
///
/// All values equal: p_value 1, z 0, degenerate. An arm without values: u 0, z 0, p_value 1, effect NaN, degenerate.
/// `exact` where it cannot be had raises `serinus.argument.range`: more than 200 values in the smaller arm without ties
/// (rounding), more than 4e9 additions or 5e7 doubles of memory, or counts above 1e300 (about 500 and 500 values)
/// unless there are no more than 2^17 ways to divide the different values between the arms.
///
/// Cost: sorting both arms, O(N log N), and a merge, O(N); see rank_sum_distribution.hpp for `exact`.
///
/// ```
/// const auto result = mann_whitney(baseline, canary, {.alternative = Alternative::greater});
/// if (result.p_value < 0.01) std::cout << "larger in " << 100 * result.effect << " % of pairs\n";
/// ```
inline MannWhitneyResult mann_whitney(std::span<const double> baseline, std::span<const double> canary,
                                      const MannWhitneyOptions& options, Workspace& workspace) {
    namespace detail = mann_whitney_detail;
    detail::check_size(std::max(baseline.size(), canary.size()));
    MannWhitneyResult counted;
    // The copies are this call's own; they are sorted where they lie.
    const TwoSamples arms = take_arms(baseline, canary, options.nan_policy, workspace, counted);
    arms.sort(workspace);
    return detail::of_sorted(arms.baseline, arms.canary, options, workspace);
}

/// The same in memory of its own.
inline MannWhitneyResult mann_whitney(std::span<const double> baseline, std::span<const double> canary,
                                      const MannWhitneyOptions& options = {}) {
    Workspace workspace;
    return mann_whitney(baseline, canary, options, workspace);
}

}  // namespace v0
}  // namespace serinus
