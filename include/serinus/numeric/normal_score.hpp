#pragma once
/// \file
/// The quantile of the standard normal distribution with the same bits everywhere, for scores that are rounded to whole
/// numbers: `normal_quantile` of numeric/special agrees across platforms to 1e-12 only.

#include <array>
#include <cmath>
#include <cstddef>
#include <limits>

#include <serinus/numeric/elementary.hpp>

namespace serinus {
inline namespace v0 {

namespace normal_score_detail {
inline double polynomial(const std::array<double, 8>& coefficients, double x) noexcept {
    double sum = coefficients[7];
    for (std::size_t i = 7; i-- > 0;) sum = sum * x + coefficients[i];
    return sum;
}
}  // namespace normal_score_detail

/// z with P(Z <= z) = p for a standard normal Z, to 1e-15 relative: the algorithm AS 241 of Wichura (1988, "The
/// percentage points of the normal distribution", Applied Statistics 37, 477-484), PPND16.
///
/// p in [0, 1]: infinite at the ends, NaN outside. Only + - * / sqrt and `elementary::log`, in one order: what it
/// promises about bits is what they promise. Cost: O(1).
///
///     normal_score(0.975);  // 1.959964
inline double normal_score(double p) noexcept {
    namespace detail = normal_score_detail;
    constexpr double infinity = std::numeric_limits<double>::infinity();
    if (!(p > 0 && p < 1)) return p == 0 ? -infinity : p == 1 ? infinity : std::numeric_limits<double>::quiet_NaN();
    const double q = p - 0.5;
    if (std::fabs(q) <= 0.425) {
        constexpr std::array<double, 8> above{
            3.3871328727963666080e+0, 1.3314166789178437745e+2, 1.9715909503065514427e+3, 1.3731693765509461125e+4,
            4.5921953931549871457e+4, 6.7265770927008700853e+4, 3.3430575583588128105e+4, 2.5090809287301226727e+3};
        constexpr std::array<double, 8> below{1.0,
                                              4.2313330701600911252e+1,
                                              6.8718700749205790830e+2,
                                              5.3941960214247511077e+3,
                                              2.1213794301586595867e+4,
                                              3.9307895800092710610e+4,
                                              2.8729085735721942674e+4,
                                              5.2264952788528545610e+3};
        const double r = 0.180625 - q * q;
        return q * detail::polynomial(above, r) / detail::polynomial(below, r);
    }
    double r = std::sqrt(-elementary::log(q < 0 ? p : 1 - p));
    double size = 0;
    if (r <= 5) {
        constexpr std::array<double, 8> above{
            1.42343711074968357734e+0, 4.63033784615654529590e+0, 5.76949722146069140550e+0, 3.64784832476320460504e+0,
            1.27045825245236838258e+0, 2.41780725177450611770e-1, 2.27238449892691845833e-2, 7.74545014278341407640e-4};
        constexpr std::array<double, 8> below{1.0,
                                              2.05319162663775882187e+0,
                                              1.67638483018380384940e+0,
                                              6.89767334985100004550e-1,
                                              1.48103976427480074590e-1,
                                              1.51986665636164571966e-2,
                                              5.47593808499534494600e-4,
                                              1.05075007164441684324e-9};
        r -= 1.6;
        size = detail::polynomial(above, r) / detail::polynomial(below, r);
    } else {
        constexpr std::array<double, 8> above{
            6.65790464350110377720e+0, 5.46378491116411436990e+0, 1.78482653991729133580e+0, 2.96560571828504891230e-1,
            2.65321895265761230930e-2, 1.24266094738807843860e-3, 2.71155556874348757815e-5, 2.01033439929228813265e-7};
        constexpr std::array<double, 8> below{1.0,
                                              5.99832206555887937690e-1,
                                              1.36929880922735805310e-1,
                                              1.48753612908506148525e-2,
                                              7.86869131145613259100e-4,
                                              1.84631831751005468180e-5,
                                              1.42151175831644588870e-7,
                                              2.04426310338993978564e-15};
        r -= 5;
        size = detail::polynomial(above, r) / detail::polynomial(below, r);
    }
    return q < 0 ? -size : size;
}

}  // namespace v0
}  // namespace serinus
