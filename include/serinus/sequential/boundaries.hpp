#pragma once
/// \file
/// Mixture martingales: what a sum of increments is worth as evidence that their mean is not zero, at every time at
/// once.

#include <cmath>

#include <serinus/core/elementary.hpp>
#include <serinus/core/version.hpp>

namespace serinus {
inline namespace v0 {
namespace sequential {

/// The precision rho of a normal mixture whose boundary is tightest at intrinsic time `v_opt` for the error `alpha_opt`
/// (Howard, Ramdas, McAuliffe and Sekhon 2021, section 3.5, in the closed approximation that confseq uses).
/// v_opt > 0, 0 < alpha_opt < 1. Cost: two logarithms.
inline double normal_mixture_precision(double v_opt, double alpha_opt, bool one_sided) {
    const double twice = -2 * elementary::log(one_sided ? 2 * alpha_opt : alpha_opt);
    return v_opt / (twice + elementary::log1p(twice));
}

/// Natural log of the normal mixture martingale at sum `s` and intrinsic time `v`, for precision `rho`.
///
/// Answers: how strongly does a random walk that stands at s after the variance v speak against a mean of 0
/// (two-sided), or of at most 0 (one-sided)? Reject when it reaches log(1/alpha); the chance that it ever does so under
/// the null is at most alpha for increments that are sub-Gaussian with variance dv.
///
/// Formula (Robbins 1970; Howard et al. 2021, propositions 5 and 6): the drift has a normal prior of mean 0 and
/// precision rho, half-normal when one-sided: log M = 1/2 log(rho/(v + rho)) + s^2/(2 (v + rho)), one-sided plus log 2
/// + log Phi(s/sqrt(v + rho)).
///
/// s: any finite number; v >= 0, in the unit of s squared; rho > 0. At s = 0, v = 0 it is exactly 0. Same bits
/// everywhere. Cost: a logarithm and a square root; one-sided about 60 ns.
///
///     const double rho = normal_mixture_precision(120, 0.05, true);
///     bool harm = log_normal_mixture(s, v, rho, true) >= std::log(20.0);
inline double log_normal_mixture(double s, double v, double rho, bool one_sided) {
    if (v == 0 && s == 0) return 0;
    const double total = v + rho;
    const double two_sided = 0.5 * (elementary::log(rho / total) + s * s / total);
    if (!one_sided) return two_sided;
    constexpr double log_two = 0.69314718055994530942;
    return two_sided + log_two + elementary::log_ndtr(s / std::sqrt(total));
}

}  // namespace sequential
}  // namespace v0
}  // namespace serinus
