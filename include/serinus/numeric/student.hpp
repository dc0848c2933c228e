#pragma once
/// \file
/// Student's t distribution, for tests that learn a variance from few points.

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include <serinus/core/version.hpp>
#include <serinus/core/words.hpp>
#include <serinus/numeric/special.hpp>

namespace serinus {
inline namespace v0 {

/// P(T > t) of Student's t on `df` > 0 degrees of freedom, which need not be whole; right in both tails. -inf gives 1,
/// +inf 0, NaN NaN.
inline double student_survival(double t, double df) noexcept {
    if (std::isnan(t) || std::isnan(df)) return std::numeric_limits<double>::quiet_NaN();
    if (std::isinf(t)) return t > 0 ? 0 : 1;
    // I_{df/(df+t^2)}(df/2, 1/2) is the chance of both tails; near t = 0 its complement is the accurate one.
    const double square = t * t;
    const double both = square < 1 ? 1 - incomplete_beta(0.5, df / 2, square / (df + square))
                                   : incomplete_beta(df / 2, 0.5, df / (df + square));
    return t > 0 ? both / 2 : 1 - both / 2;
}

/// The t with P(T > t) = p, for p in (0, 1/2]. The inverse beta function finds its first digits, Newton's steps on the
/// logarithm of the tail, where it is nearly straight, the rest.
inline double student_quantile(double p, double df) noexcept {
    if (p == 0.5) return 0;
    const double x = incomplete_beta_inverse(df / 2, 0.5, 2 * p);
    if (!(x > 0)) return std::numeric_limits<double>::infinity();
    double t = std::sqrt(df * (1 - x) / x);
    const double log_scale = log_gamma((df + 1) / 2) - log_gamma(df / 2) - 0.5 * std::log(df * std::numbers::pi);
    for (int i = 0; i < 4; ++i) {
        const double tail = student_survival(t, df);
        const double density = std::exp(log_scale - (df + 1) / 2 * std::log1p(t * t / df));
        const double step = std::log(tail / p) * tail / density;
        if (!std::isfinite(step)) break;
        t += step;
        if (std::fabs(step) <= 1e-13 * t) break;
    }
    return t;
}

/// The p-value of an alternative from both tails: two-sided twice the smaller one, at most 1.
inline double p_value_of(Alternative alternative, double greater, double less) noexcept {
    if (alternative == Alternative::two_sided) return std::min(1.0, 2 * std::min(greater, less));
    return alternative == Alternative::greater ? greater : less;
}

/// What an estimate with its standard error says by Student's t.
struct StudentInference {
    double statistic = 0;
    double p_value = 1;
    double lower = -std::numeric_limits<double>::infinity();
    double upper = std::numeric_limits<double>::infinity();
};

/// Is the estimate another than `null`? One-sided alternatives get a one-sided interval of the same confidence.
/// error > 0, df > 0, confidence in (0, 1).
inline StudentInference student_inference(double estimate, double error, double df, double null,
                                          Alternative alternative, double confidence) noexcept {
    StudentInference found;
    found.statistic = (estimate - null) / error;
    found.p_value =
        p_value_of(alternative, student_survival(found.statistic, df), student_survival(-found.statistic, df));
    const double tail = (1 - confidence) / (alternative == Alternative::two_sided ? 2 : 1);
    const double reach = (tail <= 0.5 ? student_quantile(tail, df) : -student_quantile(1 - tail, df)) * error;
    if (alternative != Alternative::less) found.lower = estimate - reach;
    if (alternative != Alternative::greater) found.upper = estimate + reach;
    return found;
}

}  // namespace v0
}  // namespace serinus
