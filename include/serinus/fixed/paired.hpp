#pragma once
/// \file
/// Does the canary differ from the baseline, interval by interval? One look at a series of differences.

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include <serinus/core/describe.hpp>
#include <serinus/core/error.hpp>
#include <serinus/core/require.hpp>
#include <serinus/core/text.hpp>
#include <serinus/core/words.hpp>
#include <serinus/numeric/moments.hpp>
#include <serinus/numeric/student.hpp>
#include <serinus/series/dependence.hpp>
#include <serinus/series/samples.hpp>

namespace serinus {
inline namespace v0 {

/// Of the long-run variance of a few values: `standard` or `cautious`.
using PairedTestMethod = OneLook;

struct PairedTestOptions {
    Margin margin{.difference = 0.0};  ///< the mean difference that is tested against
    Alternative alternative = Alternative::two_sided;
    PairedTestMethod method =
        PairedTestMethod::standard;  ///< of two long-run variances; with a noise from history neither is used
    double confidence = 0.95;
    NanPolicy nan_policy = NanPolicy::drop;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("margin", self.margin);
        visit("alternative", self.alternative);
        visit("method", self.method);
        visit("confidence", self.confidence);
        visit("nan_policy", self.nan_policy);
    }
};
static_assert(described_whole<PairedTestOptions>());

struct PairedTestResult {
    double estimate = std::numeric_limits<double>::quiet_NaN();  ///< the mean difference
    double lower = -std::numeric_limits<double>::infinity();
    double upper = std::numeric_limits<double>::infinity();
    double confidence = 0;
    double statistic = 0;  ///< (mean - margin) / its standard error
    double df = 0;
    double p_value = 1;
    std::int64_t n = 0;       ///< differences, NaN not counted
    double n_effective = 0;   ///< independent ones that they are worth
    bool conclusive = false;  ///< false: not enough is known to test anything; p_value is 1 then

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("estimate", self.estimate);
        visit("lower", self.lower);
        visit("upper", self.upper);
        visit("confidence", self.confidence);
        visit("statistic", self.statistic);
        visit("df", self.df);
        visit("p_value", self.p_value);
        visit("n", self.n);
        visit("n_effective", self.n_effective);
        visit("conclusive", self.conclusive);
    }
};
static_assert(described_whole<PairedTestResult>());

namespace paired_detail {

inline void check(const PairedTestOptions& options) {
    require_open_unit("confidence", options.confidence);
    require_difference(options.margin);
}

}  // namespace paired_detail

/// Is the mean of a series of differences another than 0 (or than the margin), when successive ones depend on each
/// other?
///
/// t = (mean - margin) / sqrt(L/n). `standard`: L the larger of the minimum rule's long-run variance
/// (series/dependence.hpp), on n_eff - 1 degrees of freedom, and that of the 6 slowest swings (slow_variance), on 6 or
/// n_eff - 1, whichever is less: a variance of six numbers has six degrees of freedom. `cautious`: L the larger of the
/// minimum rule's and that of the 4 slowest swings, on 4 or n_eff - 1. Fewer than 6 effective points are
/// *inconclusive*.
///
/// **Measured**, not proved (docs/concepts/promise.md has the tables): size at n = 60, nominal .05: .03 independent,
/// .05 at AR(1) .6, .07 at .9, .05 at .98. A slow series under much white noise is where it fails: .13 at n = 60, .06
/// at 240 for an AR(1) of .9 under white noise of equal variance, .29 and .13 for one of .97, .25 for fractional noise
/// of d = .3 at any n; `cautious` has .08, .03; .22, .08; .16 and finds +1 sd less often by up to .2. No rule on 60
/// points alone is right there: give history's noise (below). Newey and West's estimate has .47 at AR(1) .9. One look
/// only: asked again and again its error grows; `sequential::PairedTest` may be.
///
/// `differences`: canary - baseline of the same interval, in time order, so that what hits both arms alike drops out;
/// finite (raises `serinus.argument.infinite`); NaN (an arm had no sample) left out or refused. confidence in (0, 1)
/// (`serinus.argument.range`), margin a finite difference (`serinus.argument.margin`). Fewer than 2 differences, or all
/// equal: inconclusive. One-sided alternatives have one-sided ends. A change of unit changes estimate and ends alone,
/// also at the ends of the doubles. Cost: three passes, and n cosines for each swing.
///
///     const auto found = paired_test(differences, {.alternative = Alternative::greater});
///     if (found.conclusive && found.p_value < 0.01) ...
inline PairedTestResult paired_test(std::span<const double> differences, const PairedTestOptions& options = {}) {
    paired_detail::check(options);
    std::vector<double> scratch;
    const std::span<double> values = take_samples(differences, Arm::canary, options.nan_policy, scratch).values;
    require_finite("differences", values);
    const int exponent = common_exponent(values);
    const PowerOfTwo unit(-exponent);
    for (double& value : values) value = unit * value;
    const Dependence known = dependence(values);
    PairedTestResult result;
    result.n = static_cast<std::int64_t>(values.size());
    result.n_effective = known.n_effective;
    if (values.empty()) return result;
    result.estimate = std::ldexp(known.mean, exponent);
    result.df = known.degrees_of_freedom();
    if (!known.sufficient() || !(known.variance > 0)) return result;
    const OneLookVariance used = one_look_variance(values, known, options.method);
    result.conclusive = true;
    result.confidence = options.confidence;
    result.df = used.degrees_of_freedom;
    const StudentInference found =
        student_inference(known.mean, std::sqrt(used.long_run_variance / known.n), result.df,
                          std::ldexp(*options.margin.difference, -exponent), options.alternative, options.confidence);
    result.statistic = found.statistic;
    result.p_value = found.p_value;
    result.lower = std::ldexp(found.lower, exponent);
    result.upper = std::ldexp(found.upper, exponent);
    return result;
}

/// What history knows of differences: `sequential::PairedNoise`, with sequential/noise/noise_bounds.hpp.
template <class Noise>
concept HistoryNoise = requires(const Noise& noise) {
    { noise.score(0.0) } -> std::convertible_to<double>;
    { noise_reach(noise, 0.05, 1.0) } -> std::convertible_to<double>;
    noise.offset, noise.mean_score, noise.long_run_variance, noise.degrees_of_freedom, noise.size;
};

/// The same with the noise that history knows, for series whose own few points cannot show how slow they are.
///
/// Each difference becomes its signed rank in history (`PairedNoise::score` of d - offset - shift); the null hypothesis
/// of a shift is that these scores have history's mean m: t = (mean score - m)/sqrt(L (1/n + 1/H)) on the degrees of
/// freedom of L, with L the long-run variance of history's scores and H its size. `estimate`, `lower`, `upper`: the
/// shifts at which the scores' mean is m, and at which the test does not reject (Hodges and Lehmann 1963, with scores);
/// so they are of the typical difference beyond the noise's offset, not of the mean. `statistic` and `p_value`: of the
/// shift that is the margin.
///
/// Where instances of one version differ (`instance_deviation`), or arms wander, the null hypothesis is every shift
/// within that reach of the margin: `noise_reach` (sequential/noise/noise_bounds.hpp) at half of the error of each
/// end, the other half is the scores'; p_value is that of the scores at the reach's edge.
///
/// **Measured**, not proved (docs/concepts/promise.md), with 2,000 intervals of history at nominal .05: .05 at most for
/// autoregressions, .06 under white noise; for fractional noise of d = .3 .06 at n = 60 and .12 at 240. Inconclusive: a
/// noise that may decide nothing, n above a quarter of H (slow swings that history is too short for), no difference.
/// `differences` are in the unit that the noise was learned in. Unlike the above it decides on few effective points,
/// since dependence is known. `method` is not used. Arguments otherwise as above; a noise that cannot be:
/// `serinus.argument.range`. Cost: O(n) for each of some 60 steps of three bisections.
///
///     const auto known = sequential::paired_noise(history, largest, false);
///     const auto found = paired_test(differences, known, {.margin = {.difference = 5.0}});
template <HistoryNoise Noise>
PairedTestResult paired_test(std::span<const double> differences, const Noise& noise,
                             const PairedTestOptions& options = {}) {
    paired_detail::check(options);
    if (const auto wrong = defect(noise)) {
        raise(Code::argument_range, "noise." + wrong->field + " is " + wrong->value + "; allowed: " + wrong->allowed);
    }
    std::vector<double> scratch;
    const std::span<const double> values = take_samples(differences, Arm::canary, options.nan_policy, scratch).values;
    require_finite("differences", values);
    PairedTestResult result;
    const auto n = static_cast<double>(values.size());
    result.n = static_cast<std::int64_t>(values.size());
    if (values.empty()) return result;
    // How far the scores' mean is above history's, once a shift is taken off; it falls as the shift grows.
    const auto above = [&](double shift) {
        double sum = 0;
        for (const double value : values) sum += noise.score((value - noise.offset) - shift);
        return sum / n - noise.mean_score;
    };
    const auto [least, most] = std::minmax_element(values.begin(), values.end());
    const double far = noise.table.back() + noise.resolution;
    const double low = *least - noise.offset - 2 * far, high = *most - noise.offset + 2 * far;
    // Where that falls to a level, between `low` and `high`: as closely as doubles tell.
    const auto crossing = [&](double level, bool strictly) {
        double from = low, to = high;
        for (double middle = from / 2 + to / 2; from < middle && middle < to; middle = from / 2 + to / 2) {
            const double value = above(middle);
            ((strictly ? value > level : value >= level) ? from : to) = middle;
        }
        return from / 2 + to / 2;
    };
    result.estimate = crossing(0, true) / 2 + crossing(0, false) / 2;
    result.df = noise.degrees_of_freedom;
    double squares = 0;
    for (const double value : values) {
        const double score = noise.score((value - noise.offset) - result.estimate);
        squares += score * score;
    }
    result.n_effective = std::min(n, squares / noise.long_run_variance);
    constexpr double rollouts = 4;
    if (rollouts * n > noise.size) return result;
    result.conclusive = true;
    result.confidence = options.confidence;

    const bool two_sided = options.alternative == Alternative::two_sided;
    const double error = std::sqrt(noise.long_run_variance * (1 / n + 1 / noise.size));
    double tail = (1 - options.confidence) / (two_sided ? 2 : 1);
    double reach = 0;
    if (noise.instance_deviation > 0 || noise.wander > 0) {
        const double k_b = noise.instances_baseline, k_c = noise.instances_canary;
        tail /= 2;
        reach = noise_reach(noise, std::min(tail, 0.5), k_b > 0 && k_c > 0 ? 1 / k_b + 1 / k_c : 1);
    }
    const double margin = *options.margin.difference;
    const double up = above(margin + reach) / error, down = above(margin - reach) / error;
    result.p_value =
        p_value_of(options.alternative, student_survival(up, result.df), student_survival(-down, result.df));
    result.statistic = up > 0 ? up : std::min(0.0, down);
    const double quantile = tail <= 0.5 ? student_quantile(tail, result.df) : -student_quantile(1 - tail, result.df);
    const double bound = quantile * error;
    // Beyond the scores' range no shift is excluded.
    if (options.alternative != Alternative::less && above(low) > bound) result.lower = crossing(bound, true) - reach;
    if (options.alternative != Alternative::greater && above(high) < -bound)
        result.upper = crossing(-bound, false) + reach;
    return result;
}

}  // namespace v0
}  // namespace serinus
