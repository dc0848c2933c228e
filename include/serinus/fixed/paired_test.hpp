#pragma once
/// \file
/// Does the canary differ from the baseline, interval by interval? One look at a series of differences.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include <serinus/core/error.hpp>
#include <serinus/core/reason.hpp>
#include <serinus/core/require.hpp>
#include <serinus/core/student.hpp>
#include <serinus/core/words.hpp>
#include <serinus/series/dependence.hpp>
#include <serinus/series/samples.hpp>

namespace serinus {
inline namespace v0 {

struct PairedTestOptions {
    Alternative alternative = Alternative::two_sided;
    double difference = 0;  ///< the mean difference that is tested against
    double confidence = 0.95;
    NanPolicy nan_policy = NanPolicy::drop;
};

struct PairedTestResult {
    double statistic = 0;  ///< (mean - difference) / its standard error
    double df = 0;         ///< n_effective - 1
    double p_value = 1;
    double estimate = std::numeric_limits<double>::quiet_NaN();  ///< the mean difference
    double lower = -std::numeric_limits<double>::infinity();
    double upper = std::numeric_limits<double>::infinity();
    double confidence = 0.95;
    double n = 0;             ///< differences, NaN not counted
    double n_effective = 0;   ///< independent ones that they are worth
    bool conclusive = false;  ///< false: fewer than 6 independent ones, or no variation; p_value is 1 then
};

/// Is the mean of a series of differences another than 0 (or `difference`), when successive ones depend on each other?
///
/// t = (mean - difference) / sqrt(L/n) on n_eff - 1 degrees of freedom; n_eff by the minimum rule of
/// series/dependence.hpp, L the larger of its long-run variance and that of the 6 slowest swings (slow_variance). Fewer
/// than 6 effective points are *inconclusive*. Measured size at n = 60, nominal .05: .03 independent, .05 at AR(1) .6,
/// .06 at .9, .04 at .98, but .15 for a slow series under much white noise, .07 at n = 240 (docs/concepts/promise.md
/// has the table; Newey and West's estimate has .47 at AR(1) .9). One look only: asked again and again its error grows;
/// `sequential::PairedTest` may be.
///
/// `differences`: canary - baseline of the same interval, in time order, so that what hits both arms alike drops out;
/// finite (raises `serinus.argument.infinite`); NaN (an arm had no sample) left out or refused. confidence in (0, 1),
/// difference finite (`serinus.argument.range`). Fewer than 2 differences, or all equal: inconclusive. One-sided
/// alternatives have one-sided ends. A change of unit changes estimate and ends alone. Cost: two passes.
///
///     const auto found = paired_test(differences, {.alternative = Alternative::greater});
///     if (found.conclusive && found.p_value < 0.01) ...
inline PairedTestResult paired_test(std::span<const double> differences, const PairedTestOptions& options = {}) {
    require_open_unit("confidence", options.confidence);
    if (!std::isfinite(options.difference))
        raise(Code::argument_range, "difference is " + number_text(options.difference) + "; allowed: a finite number");
    std::vector<double> scratch;
    const std::span<const double> values = take_samples(differences, Arm::canary, options.nan_policy, scratch).values;
    const Dependence known = dependence(values);
    PairedTestResult result;
    result.confidence = options.confidence;
    result.n = known.n;
    result.n_effective = known.n_effective;
    if (known.n == 0) return result;
    result.estimate = known.mean;
    result.df = known.degrees_of_freedom();
    if (!known.sufficient() || !(known.variance > 0)) return result;
    constexpr std::size_t slowest = 6;
    const double error = std::sqrt(std::max(known.long_run_variance(), slow_variance(values, slowest)) / known.n);
    result.conclusive = true;
    const StudentInference found =
        student_inference(known.mean, error, result.df, options.difference, options.alternative, options.confidence);
    result.statistic = found.statistic;
    result.p_value = found.p_value;
    result.lower = found.lower;
    result.upper = found.upper;
    return result;
}

}  // namespace v0
}  // namespace serinus
