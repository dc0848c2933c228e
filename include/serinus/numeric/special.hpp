#pragma once
/// \file
/// Special functions: the only door to Boost.Math. One policy for all: plain double throughout (Boost would otherwise
/// compute in long double, seven times slower and different on every platform), and errors become values (NaN outside
/// the domain, infinity on overflow, 0 on underflow): nothing here throws.
///
/// These agree across platforms to about 1e-12, not to the bit. What must be the same everywhere uses
/// numeric/elementary.

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include <boost/math/policies/policy.hpp>
#include <boost/math/special_functions/beta.hpp>
#include <boost/math/special_functions/erf.hpp>
#include <boost/math/special_functions/gamma.hpp>
#include <boost/math/special_functions/zeta.hpp>

#include <serinus/core/version.hpp>
#include <serinus/numeric/normal.hpp>

namespace serinus {
inline namespace v0 {

/// The policy of every call into Boost.Math.
using SpecialPolicy = boost::math::policies::policy<
    boost::math::policies::domain_error<boost::math::policies::ignore_error>,
    boost::math::policies::pole_error<boost::math::policies::ignore_error>,
    boost::math::policies::overflow_error<boost::math::policies::ignore_error>,
    boost::math::policies::underflow_error<boost::math::policies::ignore_error>,
    boost::math::policies::denorm_error<boost::math::policies::ignore_error>,
    boost::math::policies::evaluation_error<boost::math::policies::ignore_error>,
    boost::math::policies::rounding_error<boost::math::policies::ignore_error>,
    boost::math::policies::indeterminate_result_error<boost::math::policies::ignore_error>,
    boost::math::policies::promote_double<false>>;

/// The z with P(Z <= z) = p. -inf at 0, +inf at 1, NaN outside [0, 1].
inline double normal_quantile(double p) noexcept {
    if (!(p >= 0 && p <= 1)) return std::numeric_limits<double>::quiet_NaN();
    if (p == 0) return -std::numeric_limits<double>::infinity();
    if (p == 1) return std::numeric_limits<double>::infinity();
    return -std::numbers::sqrt2 * boost::math::erfc_inv(2 * p, SpecialPolicy{});
}

/// Regularised incomplete beta function I_x(a, b) = P(B <= x) for B ~ Beta(a, b); a, b > 0, 0 <= x <= 1.
inline double incomplete_beta(double a, double b, double x) noexcept {
    return boost::math::ibeta(a, b, x, SpecialPolicy{});
}

/// 1 - I_x(a, b), without the cancellation.
inline double incomplete_beta_upper(double a, double b, double x) noexcept {
    return boost::math::ibetac(a, b, x, SpecialPolicy{});
}

/// The x with I_x(a, b) = p.
inline double incomplete_beta_inverse(double a, double b, double p) noexcept {
    return boost::math::ibeta_inv(a, b, p, SpecialPolicy{});
}

/// The x with 1 - I_x(a, b) = q.
inline double incomplete_beta_upper_inverse(double a, double b, double q) noexcept {
    return boost::math::ibetac_inv(a, b, q, SpecialPolicy{});
}

/// Regularised lower incomplete gamma function P(a, x) = P(G <= x) for G ~ Gamma(shape a, scale 1); a > 0, x >= 0.
inline double incomplete_gamma(double a, double x) noexcept { return boost::math::gamma_p(a, x, SpecialPolicy{}); }

/// 1 - P(a, x), without the cancellation; for a whole number a: P(Poisson(x) < a).
inline double incomplete_gamma_upper(double a, double x) noexcept {
    return boost::math::gamma_q(a, x, SpecialPolicy{});
}

/// The x with P(a, x) = p.
inline double incomplete_gamma_inverse(double a, double p) noexcept {
    return boost::math::gamma_p_inv(a, p, SpecialPolicy{});
}

/// The x with 1 - P(a, x) = q.
inline double incomplete_gamma_upper_inverse(double a, double q) noexcept {
    return boost::math::gamma_q_inv(a, q, SpecialPolicy{});
}

/// log(Gamma(x)) for x > 0. (Not std::lgamma, which writes a global variable.)
inline double log_gamma(double x) noexcept { return boost::math::lgamma(x, SpecialPolicy{}); }

/// Gamma(1 + x) - 1 without the cancellation near 0; x > -1.
inline double gamma_1p_minus_1(double x) noexcept { return boost::math::tgamma1pm1(x, SpecialPolicy{}); }

/// Riemann's zeta function, the sum of k^-s over k >= 1; s > 1.
inline double riemann_zeta(double s) noexcept { return boost::math::zeta(s, SpecialPolicy{}); }

/// Natural log of the number of ways to choose k of n, for whole numbers 0 <= k <= n.
inline double log_choose(double n, double k) noexcept {
    k = std::min(k, n - k);
    // Differences of log-gammas of huge arguments cancel; for few factors their product does not.
    if (k <= 30) {
        double ways = 0;
        for (double i = 1; i <= k; ++i) ways += std::log((n - k + i) / i);
        return ways;
    }
    return log_gamma(n + 1) - log_gamma(k + 1) - log_gamma(n - k + 1);
}

}  // namespace v0
}  // namespace serinus
