#pragma once
/// \file
/// The standard normal distribution, where libm is enough; its quantile is in numeric/special, its log in
/// numeric/elementary.
///
/// By the C library's erfc: these agree across platforms to about 1e-15 relative, not to the bit.

#include <cmath>
#include <numbers>

#include <serinus/core/version.hpp>

namespace serinus {
inline namespace v0 {

namespace normal_detail {
inline constexpr double inverse_sqrt_two_pi = 0.39894228040143267794;
}  // namespace normal_detail

/// Density of the standard normal distribution at z.
inline double normal_density(double z) noexcept { return normal_detail::inverse_sqrt_two_pi * std::exp(-0.5 * z * z); }

/// P(Z > z) for a standard normal Z; keeps its relative accuracy down to 1e-300. NaN for NaN.
inline double normal_survival(double z) noexcept {
    if (std::isnan(z)) return z;
    return 0.5 * std::erfc(z * (std::numbers::sqrt2 / 2));
}

/// P(Z <= z) for a standard normal Z; keeps its relative accuracy in the lower tail. NaN for NaN.
inline double normal_cdf(double z) noexcept { return normal_survival(-z); }

}  // namespace v0
}  // namespace serinus
