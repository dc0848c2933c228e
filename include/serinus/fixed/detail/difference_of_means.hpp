#pragma once
/// \file
/// What `welch` and `yuen` share: two means with their variances, against Student's t with Satterthwaite's degrees of
/// freedom.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include <serinus/core/describe.hpp>
#include <serinus/core/words.hpp>
#include <serinus/fixed/detail/placements.hpp>
#include <serinus/numeric/student.hpp>

namespace serinus {
inline namespace v0 {

struct MeanDifferenceResult {
    double estimate = std::numeric_limits<double>::quiet_NaN();  ///< mean of the canary minus mean of the baseline
    double lower = -std::numeric_limits<double>::infinity();
    double upper = std::numeric_limits<double>::infinity();
    double confidence = 0;
    double statistic = 0;  ///< (estimate - margin)/standard error; positive: the canary is larger
    double df = 0;
    double p_value = 1;
    std::int64_t n_baseline = 0;  ///< values, NaN not counted
    std::int64_t n_canary = 0;
    /// Are there values enough for means of such a shape? See `means_hold`; false for fewer than two values in an arm.
    bool approximation_holds = true;
    bool degenerate = false;  ///< both arms have no variance, or an arm has too few values for one

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
        visit("approximation_holds", self.approximation_holds);
        visit("degenerate", self.degenerate);
    }
};
static_assert(described_whole<MeanDifferenceResult>());

/// Is the difference of two means near enough to normal for Student's t? Both arms must have 10 values or more, and the
/// smaller arm 12 times the excess kurtosis of the pooled deviations from each arm's mean. Of events of probability p
/// that is about 12 expected events in the smaller arm; of exponential values 72. `fewer`: values of the smaller arm;
/// `squares` and `fourths`: the sums over the `values` of both arms of the second and fourth powers of the deviations.
/// Where this holds, the size of a two-sided test at 0.05 was at most 0.07 and at 0.01 at most 0.02 (1:100 to 1:1;
/// counts, zero inflation, exponential, log-normal values).
inline bool means_hold(double fewer, double values, double squares, double fourths) noexcept {
    constexpr double fewest_values = 10, values_per_kurtosis = 12;
    if (!(squares > 0)) return fewer >= fewest_values;
    const double excess = fourths * values / (squares * squares) - 3;
    return fewer >= fewest_values && fewer >= values_per_kurtosis * excess;
}

namespace detail {

/// A mean (times 2^-exponent), the variance of that mean, and the degrees of freedom of the variance.
struct MeanOfArm {
    double mean, variance, df;
};

/// Fills all of `result` but the counts, for the `margin`, the `alternative` and the `confidence` of a test's options.
/// `m`, `n`: how many values a permutation could exchange.
template <class Options>
void compare_means(const MeanOfArm& baseline, const MeanOfArm& canary, int exponent, const Options& options, double m,
                   double n, MeanDifferenceResult& result) {
    const double margin = *options.margin.difference;
    const double apart = canary.mean - baseline.mean;
    result.estimate = std::ldexp(apart, exponent);
    result.degenerate = true;
    if (!(canary.df >= 1 && baseline.df >= 1)) return;
    result.confidence = options.confidence;
    const double variance = canary.variance + baseline.variance;
    if (!(variance > 0)) {
        // Two constants: certain as far as the data say, which is as much as a permutation can say.
        result.df = canary.df + baseline.df;
        result.lower = result.upper = result.estimate;
        const double beyond = result.estimate - margin;
        if (beyond == 0) return;
        result.statistic = (beyond > 0 ? 1 : -1) * std::numeric_limits<double>::infinity();
        const double chance = separation_chance(m, n);
        result.p_value = p_value_of(options.alternative, beyond > 0 ? chance : 1, beyond > 0 ? 1 : chance);
        return;
    }
    result.degenerate = false;
    // As shares, whose squares cannot vanish.
    const double c = canary.variance / variance, b = baseline.variance / variance;
    result.df = 1 / (c * c / canary.df + b * b / baseline.df);
    const StudentInference t = student_inference(apart, std::sqrt(variance), result.df, std::ldexp(margin, -exponent),
                                                 options.alternative, options.confidence);
    result.statistic = t.statistic;
    result.p_value = t.p_value;
    result.lower = std::ldexp(t.lower, exponent);
    result.upper = std::ldexp(t.upper, exponent);
}

}  // namespace detail
}  // namespace v0
}  // namespace serinus
