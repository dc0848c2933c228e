#pragma once
/// \file
/// Does the canary tend to larger values, when the two versions may also spread differently?

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <serinus/core/normal.hpp>
#include <serinus/core/require.hpp>
#include <serinus/core/student.hpp>
#include <serinus/core/words.hpp>
#include <serinus/core/workspace.hpp>
#include <serinus/fixed/arms.hpp>
#include <serinus/fixed/permuted_placements.hpp>
#include <serinus/fixed/placements.hpp>

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
    Alternative alternative = Alternative::two_sided;
    double effect = 0.5;  ///< what is tested against, in (0, 1)
    double confidence = 0.95;
    BrunnerMunzelMethod method = BrunnerMunzelMethod::t;
    std::size_t resamples = 10000;  ///< of the permutation, where there are too many arrangements for all of them
    std::uint64_t seed = 0;
    NanPolicy nan_policy = NanPolicy::drop;
};

struct BrunnerMunzelResult {
    double statistic = 0;  ///< (estimate - effect)/standard error; positive: the canary is larger
    double df = 0;
    double p_value = 1;
    double estimate = std::numeric_limits<double>::quiet_NaN();  ///< P(canary > baseline) + 1/2 P(=)
    double lower = 0;
    double upper = 1;
    double confidence = 0.95;
    BrunnerMunzelMethod method = BrunnerMunzelMethod::t;  ///< what p_value was computed by; never `automatic`
    bool degenerate = false;      ///< no variance: the arms do not overlap, all values are equal, or an arm has one
    std::int64_t n_baseline = 0;  ///< values, NaN not counted
    std::int64_t n_canary = 0;
};

namespace brunner_munzel_detail {

/// What an estimate says by its place among the statistics of rearranged values. p: the share of statistics at least,
/// or at most, as large; with drawn ones the seen one counts among them. The interval holds the effects that this does
/// not reject.
inline StudentInference by_permutation(const PermutedPlacements& permuted, double estimate, double error,
                                       const BrunnerMunzelOptions& options, Workspace& workspace) {
    constexpr double most_arrangements = 200000;
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
    if (options.effect != 0.5) found.statistic = (estimate - options.effect) / error;
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

/// The same by the normal distribution.
inline StudentInference by_normal(double estimate, double error, const BrunnerMunzelOptions& options) {
    StudentInference found;
    found.statistic = (estimate - options.effect) / error;
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
/// statistic = (A - effect)/sqrt(s_P^2/m + s_Q^2/n), P and Q the placements (Brunner and Munzel 2000, Biometrical
/// Journal 42, 17-25). Its sign is that of canary minus baseline (SciPy's and R's is the opposite).
///  - `t`: against Student's t with Satterthwaite's degrees of freedom, the published test; for 10 values an arm or
///    more.
///  - `permutation`: against the statistics of the pooled values dealt out again (Neubert and Brunner 2007,
///    Computational Statistics & Data Analysis 51, 5192-5204): exact when both arms come from one distribution, however
///    few the values, and right in the limit when only A = 1/2. All arrangements up to 200,000 of them (10 against 10
///    values), beyond `resamples` drawn by `seed`, the same on every machine; m n up to 10^9.
///  - `normal`: the statistic's limit, too sure for small samples.
///  - `automatic`: `permutation` where an arm has fewer than 10 values, else `t`.
/// The interval is the test's own inversion, cut to [0, 1]; `effect_size` gives one on the logit scale. Another
/// `effect` than 1/2 makes it a test against a margin.
///
/// TwoSamples that do not overlap have no variance, and the statistic is infinite: the p-value is what a permutation
/// could give at best, 1/C(m+n, m) (twice that two-sided), the interval Clopper and Pearson's bound for the smaller
/// arm, the method `permutation`, and the result is flagged `degenerate`. (SciPy 1.17 returns NaN.)
///
/// baseline, canary: in any order and unit, independent values. Infinities rank like other values; NaN dropped or
/// refused. effect, confidence in (0, 1), resamples from 100 to 1,000,000 (`serinus.argument.range`). An arm without
/// values: estimate NaN, p 1, degenerate; with one value, or all values equal: p 1, interval [0, 1], degenerate. Any
/// strictly increasing transformation of all values changes nothing. Exchanging the arms changes the sign of the
/// statistic. Cost: two sorts and two merges; `permutation` some 0.1 us an arrangement more: 9 against 9
/// values 3 ms.
///
///     const auto found = brunner_munzel(baseline, canary, {.alternative = Alternative::greater});
inline BrunnerMunzelResult brunner_munzel(std::span<const double> baseline, std::span<const double> canary,
                                          const BrunnerMunzelOptions& options, Workspace& workspace) {
    namespace detail = brunner_munzel_detail;
    require_open_unit("confidence", options.confidence);
    require_open_unit("effect", options.effect);
    require_resamples(options.resamples);
    BrunnerMunzelResult result;
    const TwoSamples arms = take_arms(baseline, canary, options.nan_policy, workspace, result);
    const auto& [y, x] = arms;
    result.confidence = options.confidence;
    constexpr std::int64_t few = 10;
    constexpr double most_pairs = 1e9;
    const auto pairs = static_cast<double>(result.n_baseline) * static_cast<double>(result.n_canary);
    result.method = options.method;
    if (options.method == BrunnerMunzelMethod::automatic) {
        const bool small = std::min(result.n_baseline, result.n_canary) < few && pairs <= most_pairs;
        result.method = small ? BrunnerMunzelMethod::permutation : BrunnerMunzelMethod::t;
    }
    require(result.method != BrunnerMunzelMethod::permutation || pairs <= most_pairs,
            "method is \"permutation\"; values of the canary times values of the baseline", pairs,
            "at most 1e9, or the method \"t\"");
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
        const double bound = separated_bound(std::min(m, n), (1 - options.confidence) / (two_sided ? 2 : 1));
        if (above && options.alternative != Alternative::less) result.lower = 1 - bound;
        if (!above && options.alternative != Alternative::greater) result.upper = bound;
        return result;
    }
    if (!(found.variance > 0)) return result;
    result.degenerate = false;
    result.df = found.df;
    const double error = std::sqrt(found.variance);
    const StudentInference inference =
        result.method == BrunnerMunzelMethod::permutation
            ? detail::by_permutation(PermutedPlacements(y, x), found.effect, error, options, workspace)
        : result.method == BrunnerMunzelMethod::normal
            ? detail::by_normal(found.effect, error, options)
            : student_inference(found.effect, error, found.df, options.effect, options.alternative, options.confidence);
    result.statistic = inference.statistic;
    result.p_value = inference.p_value;
    result.lower = std::clamp(inference.lower, 0.0, 1.0);
    result.upper = std::clamp(inference.upper, 0.0, 1.0);
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
