#pragma once
/// \file
/// The gamma-exponential mixture martingale and its boundary: for sums whose increments have an exponential upper tail
/// (waiting times, latencies of bounded variance and range, empirical-Bernstein sums).

#include <algorithm>
#include <cmath>
#include <limits>

#include <serinus/core/require.hpp>
#include <serinus/core/scaled_gamma.hpp>
#include <serinus/core/version.hpp>
#include <serinus/sequential/normal_mixture.hpp>

namespace serinus {
inline namespace v0 {
namespace sequential {

namespace mixture_detail {

inline void require_scale(double c) { require(c >= 0 && std::isfinite(c), "c", c, "0 or more, finite"); }

/// Beyond, a gamma mixture with scale c is the normal one to the last digit.
inline constexpr double most_shape = 1e200;

}  // namespace mixture_detail

/// A gamma-exponential mixture, tuned once for many questions; `log_gamma_exponential` and `gamma_exponential` explain
/// it.
class GammaExponentialMixture {
  public:
    GammaExponentialMixture(double v_opt, double c, double alpha_opt = 0.05)
        : normal_(v_opt, alpha_opt, true), c_(c), rho_(normal_.precision()) {
        mixture_detail::require_scale(c);
        const double shape = rho_ / c / c;
        if (shape < mixture_detail::most_shape) log_start_ = log_gamma_lower_scaled(shape, shape, 0);
    }

    double log_value(double s, double v) const {
        mixture_detail::require_time(v);
        const double shape = (v + rho_) / c_ / c_;
        if (!(shape < mixture_detail::most_shape)) return normal_.log_value(s, v);
        if (v == 0 && s == 0) return 0;
        if (std::isinf(s)) return s;
        const double excess = s / c_;
        return log_gamma_lower_scaled(shape, shape + excess, excess) - log_start_;
    }

    double bound(double v, double alpha) const {
        mixture_detail::require_time(v);
        require_open_unit("alpha", alpha);
        const double shape = (v + rho_) / c_ / c_;
        if (!(shape < mixture_detail::most_shape)) return normal_.bound(v, alpha);
        const double target = log_start_ - std::log(alpha);
        double excess = start(shape, target);
        // f = log lower - target is convex in x and rises; its derivatives come with its value.
        for (int i = 0; i < 100; ++i) {
            const double x = shape + excess;
            const double log_lower = log_gamma_lower_scaled(shape, x, excess);
            const double inverse = std::exp(-log_lower);
            const double slope = (excess + inverse) / x;
            const double curvature = (1 - (1 + inverse) * slope) / x;
            const double newton = (log_lower - target) / slope;
            const double step = newton / std::clamp(1 - 0.5 * newton * curvature / slope, 0.5, 1.5);
            excess -= step;
            if (!(excess > 0)) excess = 0;
            // Halley: the next step would be of the order of this one cubed.
            if (!(std::fabs(step) > 1e-4 * excess)) break;
        }
        return c_ * excess;
    }

  private:
    /// Where x - shape would be if the log were that of Temme's first term, w^2/2 + log(Phi(w)).
    static double start(double shape, double target) {
        const double level =
            target - 0.5 * (scaled_gamma_detail::log_two_pi - std::log(shape)) - stirling_correction(shape);
        const double w2 = 2 * (level > 30 ? level : std::log1p(std::exp(level)));
        const double half = 0.5 * w2 / shape;  // eta^2/2 = mu - log(1 + mu)
        const double eta = std::sqrt(2 * half);
        double mu = eta + half * (2.0 / 3);
        if (eta > 0.5) {
            for (int i = 0; i < 3; ++i) mu -= (mu - std::log1p(mu) - half) * (1 + mu) / mu;
        }
        return shape * mu;
    }

    NormalMixture normal_;
    double c_, rho_;
    double log_start_ = 0;
};

/// Natural log of the gamma-exponential mixture martingale at sum `s` and intrinsic time `v`.
///
/// Answers: does a sum that stands at s after the variance v speak against increments of mean at most 0, when these
/// are sub-exponential with scale c: log E exp(lambda dS) <= dv (-log(1 - c lambda) - c lambda)/c^2? Such are
/// X - mean of exponential X with mean c (dv = c^2), and increments not above c in magnitude with variance dv.
///
/// Formula (Howard et al. 2021, proposition 9): lambda has a gamma prior, cut off at 1/c. With a = rho/c^2,
/// A = (v + rho)/c^2, x = A + s/c: log M = log(gamma(A, x) e^x x^-A) - log(gamma(a, a) e^a a^-a), rho as for
/// `normal_mixture`. In this form nothing cancels (core/scaled_gamma.hpp).
///
/// \param s any number: below -(v + rho)/c too, where gamma functions alone have no value; NaN gives NaN
/// \param v >= 0, in the unit of s squared
/// \param v_opt > 0: the intrinsic time at which the boundary for `alpha_opt` shall be tightest
/// \param c >= 0, in the unit of s; at 0 it is the one-sided normal mixture, its limit
/// \param alpha_opt in (0, 1/2)
/// Raises `serinus.argument.range`. Relative accuracy 1e-14. Cost: 0.2 us.
///
///     bool harm = log_gamma_exponential(s, v, 120, 0.5) >= std::log(20.0);
inline double log_gamma_exponential(double s, double v, double v_opt, double c, double alpha_opt = 0.05) {
    return GammaExponentialMixture(v_opt, c, alpha_opt).log_value(s, v);
}

/// The boundary of the gamma-exponential mixture: the sum at intrinsic time `v` at which the martingale is worth
/// 1/alpha; such a sum ever exceeds it with probability at most alpha.
///
/// By Halley's steps from the normal mixture's boundary, bent. At v = 0 the limit, above 0. Relative accuracy 1e-12.
/// Arguments and errors as above, alpha in (0, 1). Cost: 0.5 us; tuned once, 0.4 us.
///
///     double bound = gamma_exponential(100, 0.05, 100, 0.5);
inline double gamma_exponential(double v, double alpha, double v_opt, double c, double alpha_opt = 0.05) {
    return GammaExponentialMixture(v_opt, c, alpha_opt).bound(v, alpha);
}

}  // namespace sequential
}  // namespace v0
}  // namespace serinus
