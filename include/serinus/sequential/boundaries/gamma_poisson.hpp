#pragma once
/// \file
/// The gamma-Poisson mixture martingale and its boundary: for counts of events against their expectation, and sums of
/// increments that are bounded above.

#include <algorithm>
#include <cmath>
#include <limits>

#include <serinus/core/require.hpp>
#include <serinus/core/version.hpp>
#include <serinus/numeric/scaled_gamma.hpp>
#include <serinus/sequential/boundaries/gamma_exponential.hpp>
#include <serinus/sequential/boundaries/normal_mixture.hpp>

namespace serinus {
inline namespace v0 {
namespace sequential {

namespace mixture_detail {

/// The s in (0, most] where a convex function that is below 0 at 0 and rises reaches 0, from a guess and a guessed
/// slope: secant steps, kept within what is known. `most` (it may be infinite) when it is not reached before.
template <class Function>
double rising_root(Function&& f, double guess, double slope, double most) {
    if (std::isfinite(most) && !(f(most) > 0)) return most;
    double low = 0, high = most;
    double s = guess < most ? guess : 0.5 * most;
    double last_s = 0, last_f = 0;
    for (int i = 0; i < 200; ++i) {
        const double value = f(s);
        (value > 0 ? high : low) = s;
        if (i > 0 && value != last_f) {
            slope = (value - last_f) / (s - last_s);
        }
        last_s = s;
        last_f = value;
        const double step = value / slope;
        double next = s - step;
        const bool close = !(std::fabs(step) > 1e-9 * s);
        if (!(next > low && next < high)) next = std::isfinite(high) ? 0.5 * (low + high) : 2 * s;
        if (close || value == 0 || next == s) return value == 0 ? s : std::clamp(s - step, low, high);
        s = next;
    }
    return s;
}

}  // namespace mixture_detail

/// A gamma-Poisson mixture, tuned once for many questions; `log_gamma_poisson` and `gamma_poisson` explain it.
class GammaPoissonMixture {
  public:
    GammaPoissonMixture(double tuned_at, double c, double tuned_alpha = 0.05)
        : normal_(tuned_at, tuned_alpha, true), c_(c), rho_(normal_.precision()) {
        mixture_detail::require_scale(c);
        const double shape = rho_ / c / c;
        if (shape < mixture_detail::most_shape) log_start_ = log_gamma_upper_scaled(shape, shape, 0);
    }

    double log_value(double s, double v) const {
        mixture_detail::require_time(v);
        const double x = (v + rho_) / c_ / c_;
        if (!(x < mixture_detail::most_shape)) return normal_.log_value(s, v);
        if (v == 0 && s == 0) return 0;
        if (std::isinf(s)) return s;
        const double excess = s / c_;
        return log_gamma_upper_scaled(x + excess, x, -excess) - log_start_;
    }

    double bound(double v, double alpha) const {
        mixture_detail::require_time(v);
        require_open_unit("alpha", alpha);
        const double x = (v + rho_) / c_ / c_;
        if (!(x < mixture_detail::most_shape)) return normal_.bound(v, alpha);
        const double target = log_start_ - std::log(alpha);
        // Temme's first term for the start: w^2/2 = B log(B/x) - (B - x) at B = x (1 + mu).
        const double level = target - 0.5 * (scaled_gamma_detail::log_two_pi - std::log(x));
        const double w2 = 2 * (level > 30 ? level : std::log1p(std::exp(level)));
        const double w = std::sqrt(w2), eta = std::sqrt(w2 / x);
        double mu = eta < 1 ? eta - eta * eta / 6 : eta;
        if (eta > 0.5) {
            for (int i = 0; i < 4; ++i) {
                const double rise = std::log1p(mu);
                mu -= ((1 + mu) * rise - mu - 0.5 * eta * eta) / rise;
            }
        }
        const double slope = std::log1p(mu) * (1 + std::exp(-0.5 * w2) / w);
        return c_ * mixture_detail::rising_root(
                        [&](double excess) { return log_gamma_upper_scaled(x + excess, x, -excess) - target; }, x * mu,
                        slope, std::numeric_limits<double>::infinity());
    }

  private:
    NormalMixture normal_;
    double c_, rho_;
    double log_start_ = 0;
};

/// Natural log of the gamma-Poisson mixture martingale at sum `s` and intrinsic time `v`.
///
/// Answers: does a sum that stands at s after the variance v speak against increments of mean at most 0, when these are
/// sub-Poisson with scale c: log E exp(lambda dS) <= dv (e^(c lambda) - 1 - c lambda)/c^2? Such are c (N - m) for
/// Poisson counts N of mean m (dv = c^2 m), and increments not above c with variance dv (Bennett).
///
/// Formula (Howard et al. 2021, proposition 10): e^(c lambda) has a gamma prior, cut off below 1. With a = rho/c^2,
/// A = (v + rho)/c^2, B = A + s/c: log M = log(Gamma(B, A) e^A A^-B) - log(Gamma(a, a) e^a a^-a), rho as for
/// `normal_mixture`. In this form nothing cancels (numeric/scaled_gamma.hpp).
///
/// \param s any number, also where B is below 0; NaN gives NaN
/// \param v >= 0, in the unit of s squared
/// \param tuned_at > 0: the intrinsic time at which the boundary for `tuned_alpha` shall be tightest
/// \param c >= 0, in the unit of s; at 0 it is the one-sided normal mixture, its limit
/// \param tuned_alpha in (0, 1/2)
/// Raises `serinus.argument.range`. Relative accuracy 1e-14. Cost: O(1).
///
///     bool harm = log_gamma_poisson(events - expected, expected, 120, 1) >= std::log(20.0);
inline double log_gamma_poisson(double s, double v, double tuned_at, double c, double tuned_alpha = 0.05) {
    return GammaPoissonMixture(tuned_at, c, tuned_alpha).log_value(s, v);
}

/// The boundary of the gamma-Poisson mixture: the sum at intrinsic time `v` at which the martingale is worth 1/alpha;
/// such a sum ever exceeds it with probability at most alpha.
///
/// By secant steps from the normal mixture's boundary, bent. At v = 0 the limit, above 0. Relative accuracy 1e-13.
/// Arguments and errors as above, alpha in (0, 1). Cost: O(1).
///
///     double most_events = expected + gamma_poisson(expected, 0.05, 100, 1);
inline double gamma_poisson(double v, double alpha, double tuned_at, double c, double tuned_alpha = 0.05) {
    return GammaPoissonMixture(tuned_at, c, tuned_alpha).bound(v, alpha);
}

}  // namespace sequential
}  // namespace v0
}  // namespace serinus
