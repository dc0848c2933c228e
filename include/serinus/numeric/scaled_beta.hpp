#pragma once
/// \file
/// Incomplete beta functions of any size, in log space, without the factor that cancels in formulas:
///   scaled = B_x(a, b) x^-a y^-b, B_x(a, b) = integral of t^(a-1) (1 - t)^(b-1) over t from 0 to x, y = 1 - x.
/// `excess` = a y - b x (what x lies below the mean, times a + b) is an argument of its own because for large a and b
/// it is known better than that difference.
///
/// By libm and Boost.Math: about 1e-14 relative (of the log where that is large, else of the value), on every platform.

#include <algorithm>
#include <cmath>
#include <limits>

#include <serinus/core/version.hpp>
#include <serinus/numeric/quadrature.hpp>
#include <serinus/numeric/scaled_gamma.hpp>
#include <serinus/numeric/special.hpp>

namespace serinus {
inline namespace v0 {

/// log(Gamma(a + b)) - log(Gamma(a)) for a > 0, b >= 0; keeps its digits where b is tiny or a is huge: the error is
/// about 1e-15 b (1 + 1/a + |log(a)|).
inline double log_gamma_delta(double a, double b) noexcept {
    if (b > a) return log_gamma(a + b) - log_gamma(a);
    double steps = 0;
    for (; a < 20; a += 1) steps += std::log1p(b / a);
    // Stirling's formula of both, term by term; p^(k+1) - q^(k+1) = (p - q) (p^k + p^(k-1) q + ... + q^k).
    const double p = 1 / (a + b), q = 1 / a;
    double power = 1, sum = 1, corrections = 1.0 / 12;
    for (const double coefficient : {-1.0 / 360, 1.0 / 1260, -1.0 / 1680, 1.0 / 1188}) {
        for (int twice = 0; twice < 2; ++twice) {
            power *= q;
            sum = p * sum + power;
        }
        corrections += coefficient * sum;
    }
    const double u = b / a;
    return b * std::log(a + b) + a * log1pmx(u) - 0.5 * std::log1p(u) - b * p * q * corrections - steps;
}

namespace scaled_beta_detail {

/// (1 + u) log(1 + u) - u >= 0; `grown` is 1 + u as exactly as it is known.
inline double relative_entropy(double u, double grown) noexcept {
    if (grown == 0) return 1;
    if (u < -0.5 || u > 1) return grown * std::log(grown) - u;
    return grown * log1pmx(u) + u * u;
}

/// The continued fraction of DiDonato and Morris (1992, ACM TOMS 18, 360), for x below the mean or y small.
inline double fraction(double a, double b, double x, double y, double excess) noexcept {
    return scaled_gamma_detail::continued_fraction(
        [=](double n) {
            const double c = a + 2 * n - 1;
            return (a + n - 1) / c * ((a + b + n - 1) / c) * (n * (b - n)) * x * x;
        },
        [=](double n) {
            return n + (n > 0 ? n * (b - n) * x / (a + 2 * n - 1) : 0) +
                   (a + n) / (a + 2 * n + 1) * (excess + 1 + n * (1 + y));
        });
}

/// The series of (a + b)_n x^n/(a)_{n+1}, all terms positive.
inline double series(double a, double b, double x) noexcept {
    double term = 1 / a, sum = term;
    for (double n = 0; n < 1e5; ++n) {
        const double ratio = (a + b + n) * x / (a + 1 + n);
        term *= ratio;
        sum += term;
        if (ratio < 1 && !(term > 1e-17 * (1 - ratio) * sum)) break;
    }
    return sum;
}

/// For b <= 1, y small and a y < 1: 1/b is taken out of both B(a, b) and B_y(b, a), whose difference it is.
inline double without_pole(double a, double b, double y) noexcept {
    double sum = 0, term = 1;
    for (double j = 1; j < 1e4; ++j) {
        term *= (j - a) / j * y;
        sum += term / (b + j);
        if (!(std::fabs(term) > 1e-18)) break;
    }
    const double log_y = std::log(y);
    const double complete = std::expm1(std::log1p(gamma_1p_minus_1(b)) - log_gamma_delta(a, b));
    const double scale = std::exp(-b * log_y);
    return ((complete - std::expm1(b * log_y)) / b * scale - sum) * std::exp(-a * std::log1p(-y));
}

/// By quadrature, for a, b >= 20 where x is within some standard deviations of the mean.
inline double log_by_quadrature(double a, double b, double x, double y, double excess) noexcept {
    // The integrand is (1 + d/x)^(a-1) (1 - d/y)^(b-1), d = t - x <= 0; its log is concave.
    const double slope = (excess + x - y) / (x * y);
    const auto log_of = [=](double d) { return (a - 1) * log1pmx(d / x) + (b - 1) * log1pmx(-d / y) + slope * d; };
    const auto slope_of = [=](double d) { return slope - (a - 1) / x * (d / (x + d)) - (b - 1) / y * (d / (y - d)); };
    const double mode = std::min(0.0, (excess + x - y) / (a + b - 2));
    const double top = log_of(mode);
    constexpr double depth = 40;  // beyond, nothing that shows is lost
    // Where the log has fallen by that: Newton, which stays outside from its second step on.
    const auto edge = [&](double direction, double limit) {
        const double t = x + mode, u = y - mode;
        const double curvature = (a - 1) / (t * t) + (b - 1) / (u * u), start = std::fabs(slope_of(mode));
        double z = 2 * depth / (start + std::sqrt(start * start + 2 * depth * curvature));
        z = std::min(z, 0.5 * limit);
        for (int i = 0; i < 4 && z < limit; ++i) {
            const double d = mode + direction * z;
            const double next = z + (depth - (top - log_of(d))) / std::fabs(slope_of(d));
            z = next < limit ? next : 0.5 * (z + limit);
        }
        return std::min(z, limit);
    };
    const double lower = mode - edge(-1, x + mode);
    const double upper = mode < 0 ? std::min(0.0, mode + edge(+1, y - mode)) : 0;
    const double integral = integrate([&](double d) { return std::exp(log_of(d) - top); }, lower, upper, 3);
    return top + std::log(integral / (x * y));
}

}  // namespace scaled_beta_detail

/// log of B(a, b) x^-a y^-b, the scaled complete beta function; a, b > 0, x and y = 1 - x in (0, 1), and
/// excess = a y - b x. Cost: O(1).
inline double log_beta_scaled(double a, double b, double x, double y, double excess) noexcept {
    if (!(a > 0 && b > 0)) return std::numeric_limits<double>::quiet_NaN();
    const double n = a + b, nx = n * x, ny = n * y;
    const double entropy = nx * scaled_beta_detail::relative_entropy(excess / nx, a / nx) +
                           ny * scaled_beta_detail::relative_entropy(-excess / ny, b / ny);
    return 0.5 * (scaled_gamma_detail::log_two_pi + std::log(n / a / b)) + stirling_correction(a) +
           (stirling_correction(b) - stirling_correction(n)) + entropy;
}

/// log of B_x(a, b) x^-a y^-b, the scaled incomplete beta function.
///
/// \param a, b the shapes, > 0
/// \param x, y where: both in (0, 1), y = 1 - x as exactly as it is known
/// \param excess a y - b x, as exactly as it is known
/// Quadrature near the mean of large shapes, else DiDonato and Morris's fraction, a series, or 1 minus the other tail.
/// NaN outside the domain. Cost: O(1), the quadrature several times the others.
inline double log_beta_lower_scaled(double a, double b, double x, double y, double excess) noexcept {
    using namespace scaled_beta_detail;
    if (!(a > 0 && b > 0 && x > 0 && y > 0)) return std::numeric_limits<double>::quiet_NaN();
    const double least = std::min(a, b);
    if (least >= 20 && std::fabs(excess) < 9 * std::sqrt((a + b) * x * y)) return log_by_quadrature(a, b, x, y, excess);
    if (b <= 1 && x > 0.7) {
        if (a * y < 1) return std::log(without_pole(a, b, y));
        return std::log(fraction(a, b, x, y, excess));
    }
    if (b <= 1 || (a <= 1 && b * x < 1)) return std::log(series(a, b, x));
    if (excess >= 0) return std::log(fraction(a, b, x, y, excess));
    const double total = log_beta_scaled(a, b, x, y, excess);
    return scaled_gamma_detail::log_without(total, log_beta_lower_scaled(b, a, y, x, -excess));
}

/// log I_x(a, b), the log of the probability that a beta variable is at most x. Never underflows. -inf at x = 0, 0 at
/// x = 1; NaN outside the domain. log(1 - I_x(a, b)) is `log_incomplete_beta(b, a, 1 - x)`.
inline double log_incomplete_beta(double a, double b, double x) noexcept {
    if (!(a > 0 && b > 0 && x >= 0 && x <= 1)) return std::numeric_limits<double>::quiet_NaN();
    if (x == 0) return -std::numeric_limits<double>::infinity();
    if (x == 1) return 0;
    const double y = 1 - x, excess = a * y - b * x;
    if (excess >= 0 || a <= 1) return log_beta_lower_scaled(a, b, x, y, excess) - log_beta_scaled(a, b, x, y, excess);
    return std::log1p(-std::exp(log_beta_lower_scaled(b, a, y, x, -excess) - log_beta_scaled(b, a, y, x, -excess)));
}

}  // namespace v0
}  // namespace serinus
