#pragma once
/// \file
/// The normal mixture martingale and its boundary: for sums of increments that are normal or lighter in the tails, such
/// as bounded ones with their range's variance.

#include <cmath>
#include <numbers>

#include <serinus/core/require.hpp>
#include <serinus/core/version.hpp>
#include <serinus/numeric/elementary.hpp>

namespace serinus {
inline namespace v0 {
namespace sequential {

/// The precision rho of a normal mixture whose boundary is tightest at intrinsic time `tuned_at` for the error
/// `tuned_alpha` (Howard, Ramdas, McAuliffe and Sekhon 2021, section 3.5, in the closed approximation that confseq
/// uses). tuned_at > 0, 0 < tuned_alpha < 1, one-sided < 1/2. Cost: two logarithms.
inline double normal_mixture_precision(double tuned_at, double tuned_alpha, bool one_sided) {
    const double twice = -2 * elementary::log(one_sided ? 2 * tuned_alpha : tuned_alpha);
    return tuned_at / (twice + elementary::log1p(twice));
}

/// The normal mixture for a known precision, as `PairedTest` uses it: `log_normal_mixture` below, with its arguments
/// unchecked. s any finite number; v >= 0; rho > 0. At s = 0, v = 0 it is exactly 0. Same bits everywhere.
inline double log_normal_mixture_with_precision(double s, double v, double rho, bool one_sided) {
    if (v == 0 && s == 0) return 0;
    const double total = v + rho;
    const double two_sided = 0.5 * (elementary::log(rho / total) + s * s / total);
    if (!one_sided) return two_sided;
    return two_sided + std::numbers::ln2 + elementary::log_ndtr(s / std::sqrt(total));
}

namespace mixture_detail {

inline void require_time(double v) { require(v >= 0, "v", v, "0 or more"); }

/// The precision, its arguments checked: all four mixtures are tuned in this way.
inline double checked_precision(double tuned_at, double tuned_alpha, bool one_sided) {
    require(tuned_at > 0 && std::isfinite(tuned_at), "tuned_at", tuned_at, "above 0, finite");
    if (one_sided) {
        // The formula halves the error: at 1/2 the precision would be infinite.
        require(tuned_alpha > 0 && tuned_alpha < 0.5, "tuned_alpha", tuned_alpha, "above 0, below 0.5 (one-sided)");
    } else {
        require_open_unit("tuned_alpha", tuned_alpha);
    }
    return normal_mixture_precision(tuned_at, tuned_alpha, one_sided);
}

/// The w >= 0 with w^2/2 + log(Phi(w)) = level, for level > -log(2). Halley's steps on a convex function, from the
/// closed upper bound: three at most.
inline double normal_score(double level) {
    double w = std::sqrt(2 * (level > 30 ? level : std::log1p(std::exp(level))));
    for (int i = 0; i < 20; ++i) {
        const double below = 1 - 0.5 * std::erfc(w * 0.70710678118654752440);
        const double hazard = 0.39894228040143267794 * std::exp(-0.5 * w * w) / below;
        const double f = 0.5 * w * w + std::log(below) - level;
        const double slope = w + hazard, curvature = 1 - hazard * slope;
        const double newton = f / slope;
        const double step = newton / (1 - 0.5 * newton * curvature / slope);
        w -= step;
        // The next step would be of the order of this one cubed.
        if (!(std::fabs(step) > 1e-6 * w)) break;
    }
    return w > 0 ? w : 0;
}

}  // namespace mixture_detail

/// A normal mixture, tuned once for many questions; `log_normal_mixture` and `normal_mixture` explain it.
class NormalMixture {
  public:
    explicit NormalMixture(double tuned_at, double tuned_alpha = 0.05, bool one_sided = true)
        : rho_(mixture_detail::checked_precision(tuned_at, tuned_alpha, one_sided)), one_sided_(one_sided) {}

    double precision() const noexcept { return rho_; }

    double log_value(double s, double v) const {
        mixture_detail::require_time(v);
        if (v == 0 && s == 0) return 0;
        const double total = v + rho_;
        const double w = s / std::sqrt(total);
        const double log_ratio = elementary::log(rho_ / total);
        if (!one_sided_) return 0.5 * (log_ratio + w * w);
        return 0.5 * log_ratio + std::numbers::ln2 + elementary::log_ndtr_scaled(w);
    }

    double bound(double v, double alpha) const {
        mixture_detail::require_time(v);
        require_open_unit("alpha", alpha);
        if (std::isinf(v)) return v;
        const double total = v + rho_;
        if (!one_sided_) return std::sqrt(total * (std::log1p(v / rho_) - 2 * std::log(alpha)));
        return std::sqrt(total) * mixture_detail::normal_score(0.5 * std::log1p(v / rho_) - std::log(2 * alpha));
    }

  private:
    double rho_;
    bool one_sided_;
};

/// Natural log of the normal mixture martingale at sum `s` and intrinsic time `v`.
///
/// Answers: how strongly does a random walk that stands at s after the variance v speak against a mean of 0
/// (two-sided), or of at most 0 (one-sided)? Reject when it reaches log(1/alpha); the chance that it ever does so under
/// the null is at most alpha for increments that are sub-Gaussian with variance dv.
///
/// Formula (Robbins 1970; Howard et al. 2021, propositions 5 and 6): the drift has a normal prior of mean 0 and
/// precision rho, half-normal when one-sided: log M = 1/2 log(rho/(v + rho)) + s^2/(2 (v + rho)), one-sided plus log 2
/// + log Phi(s/sqrt(v + rho)).
///
/// \param s any number; NaN gives NaN
/// \param v >= 0, in the unit of s squared
/// \param tuned_at > 0: the intrinsic time at which the boundary for `tuned_alpha` shall be tightest
/// \param tuned_alpha in (0, 1), one-sided in (0, 1/2)
/// Raises `serinus.argument.range`. At s = 0, v = 0 it is exactly 0. Same bits everywhere. Cost: O(1).
///
///     bool harm = log_normal_mixture(s, v, 120) >= std::log(20.0);
inline double log_normal_mixture(double s, double v, double tuned_at, double tuned_alpha = 0.05,
                                 bool one_sided = true) {
    return NormalMixture(tuned_at, tuned_alpha, one_sided).log_value(s, v);
}

/// The boundary of the normal mixture: the sum at intrinsic time `v` at which the martingale is worth 1/alpha. A walk
/// whose increments are sub-Gaussian with variance dv ever exceeds it with probability at most alpha; two-sided: ever
/// leaves [-bound, bound].
///
/// Formula: two-sided sqrt((v + rho) (log(1 + v/rho) + 2 log(1/alpha))); one-sided by Halley's steps. At v = 0 the
/// limit, above 0. Relative accuracy 1e-14. Arguments and errors as above, alpha in (0, 1). Cost: O(1).
///
///     double bound = normal_mixture(100, 0.05, 100);  // 27.66...
inline double normal_mixture(double v, double alpha, double tuned_at, double tuned_alpha = 0.05,
                             bool one_sided = true) {
    return NormalMixture(tuned_at, tuned_alpha, one_sided).bound(v, alpha);
}

}  // namespace sequential
}  // namespace v0
}  // namespace serinus
