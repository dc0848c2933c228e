#pragma once
/// \file
/// Boundaries in closed form that are stitched together from pieces: they grow like the law of the iterated logarithm.

#include <algorithm>
#include <cmath>

#include <serinus/core/require.hpp>
#include <serinus/core/version.hpp>
#include <serinus/numeric/special.hpp>
#include <serinus/sequential/boundaries/normal_mixture.hpp>

namespace serinus {
inline namespace v0 {
namespace sequential {

namespace stitching_detail {

inline void require_stitches(double s, double eta) {
    require(s > 1 && std::isfinite(s), "s", s, "above 1, finite");
    require(eta > 1 && std::isfinite(eta), "eta", eta, "above 1, finite");
}

/// sqrt(k1^2 v level + k2^2 c^2 level^2) + k2 c level.
inline double stitched(double v, double level, double c, double eta) {
    const double root = std::sqrt(std::sqrt(eta));
    const double k1 = (root + 1 / root) * 0.70710678118654752440, k2 = 0.5 * (root * root + 1);
    const double tilt = k2 * c * level, spread = std::sqrt(k1 * k1 * v * level + tilt * tilt);
    return tilt < 0 ? k1 * k1 * v * level / (spread - tilt) : spread + tilt;
}

}  // namespace stitching_detail

/// The polynomial stitched boundary: a sum that is sub-gamma with scale c and has used the variance v ever exceeds it
/// with probability at most alpha.
///
/// Formula (Howard, Ramdas, McAuliffe and Sekhon 2021, theorem 1): with v at least from_time and level = s log(log(eta
/// v/from_time)) + log(zeta(s)/(alpha log(eta)^s)): sqrt(k1^2 v level + k2^2 c^2 level^2) + k2 c level,
/// k1 = (eta^(1/4) + eta^(-1/4))/sqrt(2), k2 = (sqrt(eta) + 1)/2. Grows like sqrt(v log(log(v))), slower than any
/// mixture's, and is wider than theirs for some ten thousandfold of from_time.
///
/// \param v >= 0, in the unit of the sum squared; below from_time the boundary stays where it is at from_time
/// \param alpha in (0, 1)
/// \param from_time > 0: where it begins to be tight
/// \param c in the unit of the sum: 0 sub-Gaussian (the default); above 0 a heavier upper tail, below 0 a lighter one
/// \param s > 1: how the error is shared among the pieces
/// \param eta > 1: how much longer each piece is than the one before it
/// Raises `serinus.argument.range`. Cost: O(1).
///
///     double bound = poly_stitching(1000, 0.05, 10);
inline double poly_stitching(double v, double alpha, double from_time, double c = 0, double s = 1.4, double eta = 2) {
    mixture_detail::require_time(v);
    require_open_unit("alpha", alpha);
    require(from_time > 0 && std::isfinite(from_time), "from_time", from_time, "above 0, finite");
    require(std::isfinite(c), "c", c, "a finite number");
    stitching_detail::require_stitches(s, eta);
    const double time = std::max(v, from_time);
    const double log_eta = std::log(eta);
    const double level = s * std::log(log_eta + std::log(time / from_time)) - s * std::log(log_eta) +
                         std::log(riemann_zeta(s)) - std::log(alpha);
    return stitching_detail::stitched(time, level, c, eta);
}

/// A boundary for all quantiles at once: with probability at least 1 - alpha, for every p and every t >= 1, the number
/// of values of t that are below the p-quantile exceeds p t by at most this.
///
/// Formula (Howard and Ramdas 2022, theorem 3, "double stitching", over time and over a grid of p): with T = max(t,
/// tuned_at), r = p for p >= 1/2, else min(1/2, logit^-1(logit(p) + 2 delta sqrt(eta tuned_at/T))), level = s
/// log(log(eta T/tuned_at)) + s log(1 + |logit(p)| sqrt(T/tuned_at)/(2 delta)) + log(2 zeta(s) (2 zeta(s) + 1)/(alpha
/// log(eta)^s)): delta sqrt(eta r (1 - r) T/tuned_at) plus the stitched boundary at variance r (1 - r) T with scale
/// (1 - 2p)/3.
///
/// \param quantile_p in (0, 1)
/// \param t > 0: number of values
/// \param alpha in (0, 1)
/// \param tuned_at > 0: where it begins to be tight; not rounded
/// \param delta > 0: the fineness of the grid of p
/// \param s, eta as for `poly_stitching`
/// Raises `serinus.argument.range`. Cost: O(1).
///
///     double most_below = 0.95 * n + double_stitching_bound(0.95, n, 0.05, 100);
inline double double_stitching_bound(double quantile_p, double t, double alpha, double tuned_at, double delta = 0.5,
                                     double s = 1.4, double eta = 2) {
    require_open_unit("quantile_p", quantile_p);
    require(t > 0, "t", t, "above 0");
    require_open_unit("alpha", alpha);
    require(tuned_at > 0 && std::isfinite(tuned_at), "tuned_at", tuned_at, "above 0, finite");
    require(delta > 0 && std::isfinite(delta), "delta", delta, "above 0, finite");
    stitching_detail::require_stitches(s, eta);
    const double time = std::max(t, tuned_at), pieces = time / tuned_at;
    const double logit = std::log(quantile_p) - std::log1p(-quantile_p);
    double r = quantile_p;
    if (r < 0.5) r = std::min(0.5, 1 / (1 + std::exp(-(logit + 2 * delta * std::sqrt(eta / pieces)))));
    const double variance = r * (1 - r);
    const double zeta = riemann_zeta(s), log_eta = std::log(eta);
    const double level = s * std::log((log_eta + std::log(pieces)) / log_eta) +
                         s * std::log1p(std::sqrt(pieces) * std::fabs(logit) / (2 * delta)) +
                         std::log(2 * zeta * (2 * zeta + 1)) - std::log(alpha);
    return delta * std::sqrt(eta * variance * pieces) +
           stitching_detail::stitched(variance * time, level, (1 - 2 * quantile_p) / 3, eta);
}

}  // namespace sequential
}  // namespace v0
}  // namespace serinus
