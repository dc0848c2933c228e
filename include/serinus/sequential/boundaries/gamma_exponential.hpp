#pragma once
/// \file
/// The gamma-exponential mixture martingale and its boundary: for sums whose increments have an exponential upper tail
/// (waiting times, latencies of bounded variance and range, empirical-Bernstein sums).

#include <algorithm>
#include <cmath>

#include <serinus/core/require.hpp>
#include <serinus/core/version.hpp>
#include <serinus/numeric/scaled_gamma.hpp>
#include <serinus/sequential/boundaries/normal_mixture.hpp>

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
    GammaExponentialMixture(double tuned_at, double c, double tuned_alpha = 0.05)
        : normal_(tuned_at, tuned_alpha, true), c_(c), rho_(normal_.precision()) {
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
        const double complete = scaled_gamma_detail::log_stirling(shape);
        double excess = start(shape, target - complete);
        // f = log lower - target is convex in x and rises; its derivatives come with its value.
        for (int i = 0; i < 100; ++i) {
            const double x = shape + excess;
            const double log_lower = scaled_gamma_detail::in_reach_of_temme(shape, excess / shape)
                                         ? complete + scaled_gamma_detail::log_temme(shape, excess / shape, false)
                                         : log_gamma_lower_scaled(shape, x, excess);
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
    /// Where x - shape would be if the log were that of Temme's first two terms, w^2/2 + log(Phi(w) - c_0 phi(w)/
    /// sqrt(shape)), with w = eta sqrt(shape): good enough that one of Halley's steps is all that is needed.
    static double start(double shape, double level) {
        // A closed upper bound, and one step of Halley's from there.
        const double root = std::sqrt(shape);
        double w = std::sqrt(2 * (level > 30 ? level : std::log1p(std::exp(level))));
        const double eta_most = w / root;
        const double part = (1.0 / 3 - std::fmin(eta_most, 1.0) * (1.0 / 12)) / root;  // -c_0/sqrt(shape)
        const double density = 0.39894228040143267794 * std::exp(-0.5 * w * w);
        // The tail by Abramowitz and Stegun's 26.2.17, which is right to 7.5e-8.
        const double t = 1 / (1 + 0.2316419 * w);
        const double tail =
            density * t * (0.319381530 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
        const double sum = 1 - tail + part * density;
        const double hazard = density * (1 - part * w) / sum;
        const double slope = w + hazard;
        const double curvature = 1 - density * (w * (1 - part * w) + part) / sum - hazard * hazard;
        const double newton = (0.5 * w * w + std::log(sum) - level) / slope;
        w -= newton / std::clamp(1 - 0.5 * newton * curvature / slope, 0.5, 1.5);
        const double eta = std::fmax(w, 0.0) / root, half = 0.5 * eta * eta;  // eta^2/2 = mu - log(1 + mu)
        if (eta < 1) {
            return shape * eta *
                   (1 +
                    eta * (1.0 / 3 + eta * (1.0 / 36 - eta * (1.0 / 270 - eta * (1.0 / 4320 + eta * (1.0 / 17010))))));
        }
        double mu = eta + half * (2.0 / 3);
        for (int i = 0; i < 3; ++i) mu -= (mu - std::log1p(mu) - half) * (1 + mu) / mu;
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
/// `normal_mixture`. In this form nothing cancels (numeric/scaled_gamma.hpp).
///
/// \param s any number: below -(v + rho)/c too, where gamma functions alone have no value; NaN gives NaN
/// \param v >= 0, in the unit of s squared
/// \param tuned_at > 0: the intrinsic time at which the boundary for `tuned_alpha` shall be tightest
/// \param c >= 0, in the unit of s; at 0 it is the one-sided normal mixture, its limit
/// \param tuned_alpha in (0, 1/2)
/// Raises `serinus.argument.range`. Relative accuracy 1e-14. Cost: O(1).
///
///     bool harm = log_gamma_exponential(s, v, 120, 0.5) >= std::log(20.0);
inline double log_gamma_exponential(double s, double v, double tuned_at, double c, double tuned_alpha = 0.05) {
    return GammaExponentialMixture(tuned_at, c, tuned_alpha).log_value(s, v);
}

/// The boundary of the gamma-exponential mixture: the sum at intrinsic time `v` at which the martingale is worth
/// 1/alpha; such a sum ever exceeds it with probability at most alpha.
///
/// By one of Halley's steps, two where v + rho is below 16 c^2, from the normal mixture's boundary, bent. At v = 0 the
/// limit, above 0. Relative accuracy 1e-12. Arguments and errors as above, alpha in (0, 1). Cost: O(1).
///
///     double bound = gamma_exponential(100, 0.05, 100, 0.5);
inline double gamma_exponential(double v, double alpha, double tuned_at, double c, double tuned_alpha = 0.05) {
    return GammaExponentialMixture(tuned_at, c, tuned_alpha).bound(v, alpha);
}

}  // namespace sequential
}  // namespace v0
}  // namespace serinus
