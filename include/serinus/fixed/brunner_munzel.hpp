#pragma once
/// \file
/// Does the canary tend to larger values, when the two versions may also spread differently?

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <serinus/core/describe.hpp>
#include <serinus/core/require.hpp>
#include <serinus/core/words.hpp>
#include <serinus/fixed/detail/arms.hpp>
#include <serinus/fixed/detail/permuted_placements.hpp>
#include <serinus/fixed/detail/placements.hpp>
#include <serinus/fixed/detail/tied_arrangements.hpp>
#include <serinus/numeric/normal.hpp>
#include <serinus/numeric/student.hpp>
#include <serinus/numeric/workspace.hpp>

namespace serinus {
inline namespace v0 {

/// What the statistic of `brunner_munzel` is compared with; `automatic` picks `permutation` or `t`.
enum class BrunnerMunzelMethod : std::uint8_t { automatic = 1, permutation = 2, t = 3, normal = 4 };

template <>
struct Words<BrunnerMunzelMethod> {
    static constexpr std::array<std::pair<BrunnerMunzelMethod, std::string_view>, 4> table{
        {{BrunnerMunzelMethod::automatic, "auto"},
         {BrunnerMunzelMethod::permutation, "permutation"},
         {BrunnerMunzelMethod::t, "t"},
         {BrunnerMunzelMethod::normal, "normal"}}};
};

struct BrunnerMunzelOptions {
    double margin = 0.5;  ///< the effect that is tested against, in (0, 1)
    Alternative alternative = Alternative::two_sided;
    BrunnerMunzelMethod method = BrunnerMunzelMethod::t;
    double confidence = 0.95;
    std::size_t resamples = 10000;  ///< of the permutation, where there are too many arrangements for all of them
    std::uint64_t seed = 0;
    NanPolicy nan_policy = NanPolicy::drop;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("margin", self.margin);
        visit("alternative", self.alternative);
        visit("method", self.method);
        visit("confidence", self.confidence);
        visit("resamples", self.resamples);
        visit("seed", self.seed);
        visit("nan_policy", self.nan_policy);
    }
};
static_assert(described_whole<BrunnerMunzelOptions>());

struct BrunnerMunzelResult {
    double estimate = std::numeric_limits<double>::quiet_NaN();  ///< P(canary > baseline) + 1/2 P(=)
    double lower = 0;
    double upper = 1;
    double confidence = 0;
    double statistic = 0;  ///< (estimate - margin)/standard error; positive: the canary is larger
    double df = 0;
    double p_value = 1;
    std::int64_t n_baseline = 0;  ///< values, NaN not counted
    std::int64_t n_canary = 0;
    BrunnerMunzelMethod method = BrunnerMunzelMethod::t;  ///< what p_value was computed by; never `automatic`
    /// Do p_value and interval hold where the method is `t` or `normal`? See `placements_hold`. True of `permutation`.
    bool approximation_holds = true;
    bool degenerate = false;  ///< no variance: the arms do not overlap, all values are equal, or an arm has one

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
        visit("method", self.method);
        visit("approximation_holds", self.approximation_holds);
        visit("degenerate", self.degenerate);
    }
};
static_assert(described_whole<BrunnerMunzelResult>());

namespace brunner_munzel_detail {

// All arrangements are looked at up to so many of them.
inline constexpr double most_arrangements = 200000;
// Up to so many groups of equal values `automatic` deals out even where Student's t holds; and where it does
// not.
inline constexpr std::size_t few_groups = 64, many_groups = 800;

/// What an estimate says by its place among the statistics of rearranged values. p: the share of statistics at least,
/// or at most, as large; with drawn ones the seen one counts among them. The interval holds the effects that this does
/// not reject.
inline StudentInference by_permutation(const PermutedPlacements& permuted, double estimate, double error,
                                       const BrunnerMunzelOptions& options, Workspace& workspace) {
    const bool exact = permuted.arrangements() <= most_arrangements;
    std::vector<double>& statistics = workspace.counts;
    if (exact) {
        permuted.all(statistics);
    } else {
        permuted.some(options.resamples, options.seed, statistics);
    }
    workspace.sort(statistics);
    StudentInference found;
    found.statistic = permuted.seen();
    if (options.margin != 0.5) found.statistic = (estimate - options.margin) / error;
    // Equal statistics of different integers may differ in the last digit.
    const double slack = std::fabs(found.statistic) * 1e-14;
    const auto at_least = static_cast<double>(
        statistics.end() - std::lower_bound(statistics.begin(), statistics.end(), found.statistic - slack));
    const auto at_most = static_cast<double>(
        std::upper_bound(statistics.begin(), statistics.end(), found.statistic + slack) - statistics.begin());
    const double own = exact ? 0 : 1, all = static_cast<double>(statistics.size()) + own;
    found.p_value = p_value_of(options.alternative, (at_least + own) / all, (at_most + own) / all);

    const double tail = (1 - options.confidence) / (options.alternative == Alternative::two_sided ? 2 : 1);
    // How many of the largest statistics a rejection at `tail` leaves above it: the end is that of the next one.
    const double above = std::floor(tail * all * (1 + 1e-12)) - own;
    constexpr double infinity = std::numeric_limits<double>::infinity();
    const auto beyond = static_cast<std::size_t>(std::max(0.0, above));
    const double largest = above < 0 ? infinity : statistics[statistics.size() - 1 - beyond];
    const double smallest = above < 0 ? -infinity : statistics[beyond];
    if (options.alternative != Alternative::less) found.lower = estimate - largest * error;
    if (options.alternative != Alternative::greater) found.upper = estimate - smallest * error;
    return found;
}

/// The statistic (A - 1/2)/sd(A) of the canary when `counts[g]` values of group g, whole or expected ones, lie in the
/// arm that is followed.
template <class Counts>
double statistic_of(const TiedArms& arms, const Counts& counts) noexcept {
    const auto few = static_cast<double>(arms.few), many = static_cast<double>(arms.total - arms.few);
    const auto each = [&](auto&& visit) {
        double below = 0, others_below = 0;
        for (std::size_t g = 0; g < arms.sizes.size(); ++g) {
            const auto own = static_cast<double>(counts[g]), others = static_cast<double>(arms.sizes[g]) - own;
            visit(own, others, (others_below + others / 2) / many, (below + own / 2) / few);
            below += own;
            others_below += others;
        }
    };
    double above = 0;
    each([&](double own, double, double place, double) { above += own * place; });
    const double effect = above / few;
    double own_squares = 0, other_squares = 0;
    each([&](double own, double others, double place, double other_place) {
        own_squares += own * (place - effect) * (place - effect);
        other_squares += others * (other_place - (1 - effect)) * (other_place - (1 - effect));
    });
    const double variance = own_squares / (few - 1) / few + other_squares / (many - 1) / many;
    const double apart = (effect - 0.5) * (arms.of_canary ? 1 : -1);
    if (std::fabs(apart) < 1e-15) return 0;
    // Nothing but rounding is left of the variance of arms that do not overlap.
    return variance > 1e-28 ? apart / std::sqrt(variance) : apart * std::numeric_limits<double>::infinity();
}

/// Statistics of arrangements with their weights.
using WeightedStatistics = std::vector<std::pair<double, double>>;

/// As `by_permutation`, of weighted statistics whose weights sum to `all`; `missed`: weight that could lie anywhere.
inline StudentInference by_weights(WeightedStatistics& statistics, double all, double missed, double seen,
                                   double estimate, double error, const BrunnerMunzelOptions& options) {
    std::sort(statistics.begin(), statistics.end());
    StudentInference found;
    found.statistic = options.margin == 0.5 ? seen : (estimate - options.margin) / error;
    const double slack = std::isinf(found.statistic) ? 0.0 : std::fabs(found.statistic) * 1e-11;
    double at_least = missed, at_most = missed;
    for (const auto& [statistic, weight] : statistics) {
        if (statistic >= found.statistic - slack) at_least += weight;
        if (statistic <= found.statistic + slack) at_most += weight;
    }
    found.p_value = p_value_of(options.alternative, std::min(1.0, at_least / all), std::min(1.0, at_most / all));
    const double tail = (1 - options.confidence) / (options.alternative == Alternative::two_sided ? 2 : 1);
    // The first statistic from outside that a test at `tail` does not reject.
    const auto end = [&](auto from, auto to) {
        double beyond = missed;
        for (; from != to; ++from) {
            beyond += from->second;
            if (beyond > tail * all * (1 + 1e-12)) return from->first;
        }
        return 0.0;
    };
    if (options.alternative != Alternative::less)
        found.lower = estimate - end(statistics.rbegin(), statistics.rend()) * error;
    if (options.alternative != Alternative::greater)
        found.upper = estimate - end(statistics.begin(), statistics.end()) * error;
    return found;
}

/// By all ways to divide the groups of equal values, if there are few enough; else by weighted draws of them, if the
/// groups allow it.
inline std::optional<StudentInference> by_divisions(const TiedArms& arms, double estimate, double error,
                                                    const BrunnerMunzelOptions& options) {
    if (!arms.few_groups()) return std::nullopt;
    const double seen = statistic_of(arms, arms.seen);
    WeightedStatistics statistics;
    const auto mass = for_each_division(arms, [&](std::span<const std::int64_t> counts, double ways) {
        statistics.emplace_back(statistic_of(arms, counts), ways);
    });
    if (mass) return by_weights(statistics, mass->all, mass->missed, seen, estimate, error, options);
    if (!PushedDivisions::fits(arms, options.resamples)) return std::nullopt;
    statistics.clear();
    const double apart = options.margin == 0.5 ? seen : (estimate - options.margin) / error;
    const double sign = arms.of_canary ? 1 : -1;
    PushedDivisions pushed(arms, std::fabs(apart),
                           [&](const std::vector<double>& counts) { return sign * statistic_of(arms, counts); });
    const double all =
        pushed.draw(options.resamples, options.seed, [&](std::span<const std::int64_t> counts, double weight) {
            statistics.emplace_back(statistic_of(arms, counts), weight);
        });
    return by_weights(statistics, all, 0, seen, estimate, error, options);
}

/// The same by the normal distribution.
inline StudentInference by_normal(double estimate, double error, const BrunnerMunzelOptions& options) {
    StudentInference found;
    found.statistic = (estimate - options.margin) / error;
    found.p_value =
        p_value_of(options.alternative, normal_survival(found.statistic), normal_survival(-found.statistic));
    const double tail = (1 - options.confidence) / (options.alternative == Alternative::two_sided ? 2 : 1);
    const double reach = -normal_quantile(tail) * error;
    if (options.alternative != Alternative::less) found.lower = estimate - reach;
    if (options.alternative != Alternative::greater) found.upper = estimate + reach;
    return found;
}

}  // namespace brunner_munzel_detail

/// Does one version tend to larger values than the other? Unlike `mann_whitney` the null hypothesis is only
/// P(canary > baseline) + 1/2 P(=) = 1/2: the versions may differ in variance and shape.
///
/// statistic = (A - margin)/sqrt(s_P^2/m + s_Q^2/n), P and Q the placements (Brunner and Munzel 2000, Biometrical
/// Journal 42, 17-25). Its sign is that of canary minus baseline (SciPy's and R's is the opposite).
///  - `t`: against Student's t with Satterthwaite's degrees of freedom, the published test; for 10 values an arm or
///    more, and not where one value holds nearly everything: `approximation_holds` says so (`placements_hold`). Far out
///    it is a rough guide also where it holds: 7e-12 where all arrangements say 3e-11.
///  - `permutation`: against the statistics of the pooled values dealt out again (Neubert and Brunner 2007,
///    Computational Statistics & Data Analysis 51, 5192-5204): exact when both arms come from one distribution, however
///    few the values, and right in the limit when only A = 1/2. All arrangements up to 200,000 of them (10 against 10
///    values), or all ways to divide groups of equal values between the arms, up to 2^17 of them; beyond
///    `resamples` drawn by `seed`, the same on every machine: of up to 800 groups, the largest with a twentieth of all
///    values or more, most where the tail lies, with weights (`PushedDivisions`: p right to some 3 to 30 % however
///    small), else all alike, for m n up to 10^9 and p no smaller than 1/(resamples + 1).
///  - `normal`: the statistic's limit, too sure for small samples.
///  - `automatic`: `permutation` where `t` does not hold, and where up to 64 different values occur; else `t`. Measured
///    over tables of 2 to 6 groups, one with 50 % to 99.99 % of 10 to 100,000 values split 1:1 to 1:1000: within a
///    factor of 1.4 of the p-value of all arrangements above 1e-8.
/// The interval is the test's own inversion, cut to [0, 1]; `effect_size` gives one on the logit scale. Another
/// margin than 1/2 makes it a test of non-inferiority.
///
/// TwoSamples that do not overlap have no variance, and the statistic is infinite: the p-value is what a permutation
/// could give at best, 1/C(m+n, m) (twice that two-sided), the interval Clopper and Pearson's bound for the smaller
/// arm, the method `permutation`, and the result is flagged `degenerate`. (SciPy 1.17 returns NaN.)
///
/// baseline, canary: in any order and unit, independent values. Infinities rank like other values; NaN dropped or
/// refused. margin, confidence in (0, 1), resamples from 100 to 1,000,000 (`serinus.argument.range`). An arm without
/// values: estimate NaN, p 1, degenerate; with one value, or all values equal: p 1, interval [0, 1], degenerate. Any
/// strictly increasing transformation of all values changes nothing. Exchanging the arms changes the sign of the
/// statistic. Cost: two sorts and two merges; `permutation` O(min(m, n)) an arrangement or O(groups) a division more.
///
///     const auto found = brunner_munzel(baseline, canary, {.alternative = Alternative::greater});
inline BrunnerMunzelResult brunner_munzel(std::span<const double> baseline, std::span<const double> canary,
                                          const BrunnerMunzelOptions& options, Workspace& workspace) {
    namespace detail = brunner_munzel_detail;
    require_open_unit("confidence", options.confidence);
    require_open_unit("margin", options.margin);
    require_resamples(options.resamples);
    BrunnerMunzelResult result;
    const TwoSamples arms = take_arms(baseline, canary, options.nan_policy, workspace, result);
    const auto& [y, x] = arms;
    constexpr double most_pairs = 1e9;
    const auto pairs = static_cast<double>(result.n_baseline) * static_cast<double>(result.n_canary);
    const bool automatic = options.method == BrunnerMunzelMethod::automatic;
    result.method = automatic ? BrunnerMunzelMethod::permutation : options.method;
    result.degenerate = true;
    if (arms.empty()) return result;
    arms.sort(workspace);
    const Placements found = placements(y, x);
    result.estimate = found.effect;
    if (found.all_equal) return result;
    const bool two_sided = options.alternative == Alternative::two_sided;
    if (found.effect == 0 || found.effect == 1) {
        const auto m = static_cast<double>(x.size()), n = static_cast<double>(y.size());
        const bool above = found.effect == 1;
        result.method = BrunnerMunzelMethod::permutation;
        result.statistic = (above ? 1 : -1) * std::numeric_limits<double>::infinity();
        result.df = std::max(1.0, m + n - 2);
        const double chance = separation_chance(m, n);
        result.p_value = p_value_of(options.alternative, above ? chance : 1, above ? 1 : chance);
        result.confidence = options.confidence;
        const double bound = separated_bound(std::min(m, n), (1 - options.confidence) / (two_sided ? 2 : 1));
        if (above && options.alternative != Alternative::less) result.lower = 1 - bound;
        if (!above && options.alternative != Alternative::greater) result.upper = bound;
        return result;
    }
    if (!(found.variance > 0)) return result;
    result.degenerate = false;
    result.df = found.df;
    const double error = std::sqrt(found.variance);
    const bool holds = placements_hold(found, result.n_baseline, result.n_canary);
    std::optional<StudentInference> inference;
    if (result.method == BrunnerMunzelMethod::permutation) {
        const auto few = static_cast<double>(std::min(result.n_baseline, result.n_canary));
        const bool countable = pairs <= most_pairs && log_choose(static_cast<double>(x.size() + y.size()), few) <=
                                                          std::log(detail::most_arrangements);
        if (!countable) {
            const TiedArms tied(y, x, holds && automatic ? detail::few_groups : detail::many_groups);
            inference = detail::by_divisions(tied, found.effect, error, options);
        }
        if (!inference && (!automatic || !holds || countable) && (pairs <= most_pairs || !automatic)) {
            require(pairs <= most_pairs, "method is \"permutation\"; values of the canary times values of the baseline",
                    pairs, "at most 1e9, or few different values, or the method \"t\"");
            inference = detail::by_permutation(PermutedPlacements(y, x), found.effect, error, options, workspace);
        }
        if (!inference) result.method = BrunnerMunzelMethod::t;
    }
    if (!inference) {
        result.approximation_holds = holds;
        inference = result.method == BrunnerMunzelMethod::normal
                        ? detail::by_normal(found.effect, error, options)
                        : student_inference(found.effect, error, found.df, options.margin, options.alternative,
                                            options.confidence);
    }
    result.confidence = options.confidence;
    result.statistic = inference->statistic;
    result.p_value = inference->p_value;
    result.lower = std::clamp(inference->lower, 0.0, 1.0);
    result.upper = std::clamp(inference->upper, 0.0, 1.0);
    return result;
}

/// The same in memory of its own.
inline BrunnerMunzelResult brunner_munzel(std::span<const double> baseline, std::span<const double> canary,
                                          const BrunnerMunzelOptions& options = {}) {
    Workspace workspace;
    return brunner_munzel(baseline, canary, options, workspace);
}

}  // namespace v0
}  // namespace serinus
