#pragma once
/// \file
/// The beta-binomial mixture martingale and its boundary: for sums of bounded increments, foremost indicators minus
/// their probability (events of requests, values below a quantile).

#include <algorithm>
#include <cmath>
#include <limits>

#include <serinus/core/require.hpp>
#include <serinus/core/version.hpp>
#include <serinus/numeric/scaled_beta.hpp>
#include <serinus/sequential/boundaries/gamma_poisson.hpp>
#include <serinus/sequential/boundaries/normal_mixture.hpp>

namespace serinus {
inline namespace v0 {
namespace sequential {

/// A beta-binomial mixture, tuned once for many questions; `log_beta_binomial` and `beta_binomial` explain it.
class BetaBinomialMixture {
  public:
    BetaBinomialMixture(double tuned_at, double g, double h, double tuned_alpha = 0.05, bool one_sided = true)
        : g_(g), h_(h), one_sided_(one_sided) {
        const double rho = mixture_detail::checked_precision(tuned_at, tuned_alpha, one_sided);
        require(g > 0 && std::isfinite(g), "g", g, "above 0, finite");
        require(h > 0 && std::isfinite(h), "h", h, "above 0, finite");
        // The prior has the variance of rho increments; fewer than one needs a floor (confseq's).
        r_ = std::max(rho - g * h, 1e-3 * g * h);
        const double range = g + h;
        x_ = h / range;
        y_ = g / range;
        a_ = r_ / (g * range);
        b_ = r_ / (h * range);
        log_start_ = log_scaled(a_, b_, 0);
    }

    double log_value(double s, double v) const {
        mixture_detail::require_time(v);
        if (s == 0 && v == 0) return 0;
        const double range = g_ + h_;
        // At the ends of the sums that can be (all failed, none did) these are 0, but for rounding.
        double below_most = v - g_ * s, above_least = v + h_ * s;
        if (std::fabs(below_most) < 4e-16 * v) below_most = 0;
        if (std::fabs(above_least) < 4e-16 * v) above_least = 0;
        const double a = a_ + below_most / (g_ * range), b = b_ + above_least / (h_ * range);
        if (std::isnan(s)) return s;
        // Outside the sums that can be, the prior's ends are worth infinitely much.
        if (!(a > 0) || !(b > 0)) return std::numeric_limits<double>::infinity();
        return log_scaled(a, b, -s / range) - log_start_;
    }

    /// `log_value` after one more increment, from what it was after `ups` increments of h and `downs` of -g, by the
    /// recursion of the incomplete beta function (DLMF 8.17.18-21): a tenth of the cost. One-sided only.
    ///
    /// \param error an upper bound of the error of `log_value`, relative to 1; becomes that of the result. Where it
    /// grows
    ///              beyond what is wanted, `log_value` has to be found anew.
    double log_value_after(bool up, double log_value, double ups, double downs, double& error) const {
        const double a = a_ + downs, b = b_ + ups;
        const double inverse = std::exp(-(log_value + log_start_));
        constexpr double rounding = 1e-14;
        if (up) {
            error += rounding * (1 + std::fabs(log_value));
            return log_value + std::log((b + inverse) / (y_ * (a + b)));
        }
        // What is left when the tail's first term has gone.
        const double rest = a - inverse;
        if (!(rest > 0.01 * a)) {
            error = std::numeric_limits<double>::infinity();
            return log_value;
        }
        error = error * a / rest + rounding * (1 + std::fabs(log_value)) * a / rest;
        return log_value + std::log(rest / (x_ * (a + b)));
    }

    double bound(double v, double alpha) const {
        mixture_detail::require_time(v);
        require_open_unit("alpha", alpha);
        if (v == 0) return 0;
        const double needed = -std::log(alpha), total = v + r_;
        const double level = 0.5 * std::log1p(v / r_) + needed - (one_sided_ ? std::log(2.0) : 0.0);
        const double w = std::sqrt(2 * std::max(level, 0.5));
        return mixture_detail::rising_root([&](double s) { return log_value(s, v) - needed; }, w * std::sqrt(total),
                                           w / std::sqrt(total), v / g_);
    }

  private:
    double log_scaled(double a, double b, double excess) const {
        return one_sided_ ? log_beta_lower_scaled(a, b, x_, y_, excess) : log_beta_scaled(a, b, x_, y_, excess);
    }

    double g_, h_;
    bool one_sided_;
    double r_ = 0, x_ = 0, y_ = 0, a_ = 0, b_ = 0, log_start_ = 0;
};

/// Natural log of the beta-binomial mixture martingale at sum `s` and intrinsic time `v`.
///
/// Answers: does a sum that stands at s after the variance v speak against increments of mean at most 0 (two-sided: of
/// mean 0) in [-g, h], each of which counts g h of variance? With g = p, h = 1 - p, v = p (1 - p) n: do x = s + n p
/// events of n speak against a probability of p?
///
/// Formula (Howard et al. 2021, propositions 7 and 8): the tilted probability has a beta prior of mean h/(g + h),
/// one-sided cut off there. With r = max(rho - g h, g h/1000), X = h/(g + h), Y = 1 - X,
/// a = (r + v - g s)/(g (g + h)), b = (r + v + h s)/(h (g + h)): log M = log(B_X(a, b) X^-a Y^-b) minus the same at s =
/// v = 0 (two-sided: B(a, b) for B_X), rho as for `normal_mixture`. In this form nothing cancels
/// (numeric/scaled_beta.hpp).
///
/// \param s in [-v/h, v/g], where such sums lie; where a or b is no longer above 0: +inf; NaN gives NaN
/// \param v >= 0, in the unit of s squared
/// \param tuned_at > 0: the intrinsic time at which the boundary for `tuned_alpha` shall be tightest
/// \param g, h > 0, in the unit of s
/// \param tuned_alpha in (0, 1), one-sided in (0, 1/2)
/// Raises `serinus.argument.range`. Relative accuracy 1e-13. Cost: O(1); one-sided half of it for the start,
/// which BetaBinomialMixture keeps.
///
///     bool harm = log_beta_binomial(failed - 0.01 * n, 0.0099 * n, 10, 0.01, 0.99) >= std::log(20.0);
inline double log_beta_binomial(double s, double v, double tuned_at, double g, double h, double tuned_alpha = 0.05,
                                bool one_sided = true) {
    return BetaBinomialMixture(tuned_at, g, h, tuned_alpha, one_sided).log_value(s, v);
}

/// The boundary of the beta-binomial mixture: the sum at intrinsic time `v` at which the martingale is worth 1/alpha;
/// such a sum ever exceeds it with probability at most alpha. Where no sum can be worth that much (few increments), the
/// largest possible sum v/g, which is never exceeded. Two-sided: below, the bound is that with g and h exchanged.
///
/// By secant steps from the normal mixture's boundary. At v = 0 it is 0. Relative accuracy 1e-13. Arguments and errors
/// as above, alpha in (0, 1). Cost: O(1), a few of the mixture.
///
///     double most_failed = 0.01 * n + beta_binomial(0.0099 * n, 0.05, 10, 0.01, 0.99);
inline double beta_binomial(double v, double alpha, double tuned_at, double g, double h, double tuned_alpha = 0.05,
                            bool one_sided = true) {
    return BetaBinomialMixture(tuned_at, g, h, tuned_alpha, one_sided).bound(v, alpha);
}

}  // namespace sequential
}  // namespace v0
}  // namespace serinus
