#pragma once
/// \file
/// Incomplete gamma functions of any size, in log space: tails that neither underflow nor lose digits, for shapes from
/// 0 to 1e300.
///
/// They are kept without their common factor, which is what cancels in formulas: with x = a + excess,
///   lower = gamma(a, x) e^x x^-a = integral of (1 - t)^(a-1) e^(x t) over t from 0 to 1,
///   upper = Gamma(a, x) e^x x^-a = integral of (1 + t)^(a-1) e^(-x t) over t from 0 to infinity.
/// `excess` is an argument of its own because for large a it is known better than x - a.
///
/// By libm and Boost.Math: about 1e-14 relative (of the log where that is large, else of the value), on every platform.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numbers>

#include <serinus/core/version.hpp>
#include <serinus/numeric/elementary.hpp>
#include <serinus/numeric/normal.hpp>
#include <serinus/numeric/special.hpp>

namespace serinus {
inline namespace v0 {

/// log(1 + u) - u without the cancellation near 0; u >= -1.
inline double log1pmx(double u) noexcept {
    if (!(u > -0.5 && u < 1)) return std::log1p(u) - u;
    // log(1 + u) = 2 atanh(r), r = u/(2 + u), and 2r - u = -u r.
    const double r = u / (2 + u), r2 = r * r;
    if (r2 < 1e-4) return r * (2 * r2 * (1.0 / 3 + r2 * (1.0 / 5 + r2 * (1.0 / 7 + r2 / 9))) - u);
    double sum = 0, power = 1;
    for (int i = 3; power > 1e-18; i += 2) {
        sum += power / i;
        power *= r2;
    }
    return r * (2 * r2 * sum - u);
}

/// log(Gamma(a)) minus Stirling's (a - 1/2) log(a) - a + log(2 pi)/2, for a > 0: about 1/(12 a).
inline double stirling_correction(double a) noexcept {
    if (a < 10) return log_gamma(a) - ((a - 0.5) * std::log(a) - a + 0.91893853320467274178);
    const double p = 1 / a, p2 = p * p;
    return p *
           (1.0 / 12 -
            p2 * (1.0 / 360 - p2 * (1.0 / 1260 -
                                    p2 * (1.0 / 1680 - p2 * (1.0 / 1188 - p2 * (691.0 / 360360 - p2 * (1.0 / 156)))))));
}

namespace scaled_gamma_detail {

inline constexpr double log_two_pi = 1.8378770664093454836;

// Taylor coefficients in eta of the functions c_k of Temme's expansion (DLMF 8.12.10-12), computed with 60 digits.
inline constexpr std::array<std::array<double, 16>, 13> temme{
    {{-0.33333333333333333, 0.083333333333333333, -0.014814814814814815, 1.1574074074074074e-3, 3.527336860670194e-4,
      -1.7875514403292181e-4, 3.9192631785224378e-5, -2.1854485106799922e-6, -1.85406221071516e-6, 8.296711340953086e-7,
      -1.7665952736826079e-7, 6.7078535434014986e-9, 1.0261809784240308e-8, -4.3820360184533532e-9,
      9.1476995822367902e-10, -2.551419399494625e-11},
     {-1.8518518518518519e-3, -3.4722222222222222e-3, 2.6455026455026455e-3, -9.9022633744855967e-4,
      2.0576131687242798e-4, -4.0187757201646091e-7, -1.8098550334489978e-5, 7.6491609160811101e-6,
      -1.6120900894563446e-6, 4.6471278028074343e-9, 1.378633446915721e-7, -5.752545603517705e-8, 1.1951628599778147e-8,
      -1.7543241719747648e-11, -1.0091543710600413e-9, 4.1627929918425826e-10},
     {4.1335978835978836e-3, -2.6813271604938272e-3, 7.7160493827160494e-4, 2.0093878600823045e-6,
      -1.0736653226365161e-4, 5.2923448829120125e-5, -1.2760635188618728e-5, 3.4235787340961381e-8,
      1.3721957309062933e-6, -6.298992138380055e-7, 1.4280614206064242e-7, -2.0477098421990866e-10,
      -1.4092529910867521e-8, 6.228974084922022e-9, -1.3670488396617113e-9},
     {6.4943415637860082e-4, 2.2947209362139918e-4, -4.6918949439525571e-4, 2.6772063206283885e-4,
      -7.5618016718839764e-5, -2.3965051138672967e-7, 1.1082654115347302e-5, -5.6749528269915966e-6,
      1.4230900732435884e-6, -2.7861080291528142e-11, -1.6958404091930277e-7, 8.0994649053880824e-8,
      -1.9111168485973654e-8, 2.3928620439808118e-12},
     {-8.618882909167117e-4, 7.8403922172006663e-4, -2.9907248030319018e-4, -1.4638452578843418e-6,
      6.6414982154651222e-5, -3.9683650471794347e-5, 1.1375726970678419e-5, 2.5074972262375328e-10,
      -1.6954149536558306e-6, 8.9075075322053097e-7, -2.2929348340008049e-7, 2.956794137544049e-11},
     {-3.3679855336635815e-4, -6.9728137583658578e-5, 2.7727532449593921e-4, -1.9932570516188848e-4,
      6.7977804779372078e-5, 1.419062920643967e-7, -1.3594048189768693e-5, 8.0184702563342015e-6,
      -2.2914811765080952e-6, -3.252473551298454e-10, 3.4652846491085265e-7, -1.8447187191171343e-7},
     {5.3130793646399222e-4, -5.9216643735369388e-4, 2.7087820967180448e-4, 7.9023532326603279e-7,
      -8.1539693675619688e-5, 5.6116827531062497e-5, -1.8329116582843376e-5, -3.0796134506033048e-9,
      3.4651553688036091e-6, -2.0291327396058604e-6, 5.7887928631490037e-7},
     {3.4436760689237767e-4, 5.1717909082605922e-5, -3.3493161081142236e-4, 2.812695154763237e-4,
      -1.0976582244684731e-4, -1.2741009095484485e-7, 2.7744451511563644e-5, -1.8263488805711333e-5,
      5.7876949497350524e-6},
     {-6.5262391859530942e-4, 8.3949872067208728e-4, -4.3829709854172101e-4, -6.969091458420552e-7,
      1.6644846642067548e-4, -1.2783517679769219e-4, 4.6299532636913043e-5, 4.5579098679227077e-9},
     {-5.9676129019274625e-4, -7.2048954160200106e-5, 6.7823088376673284e-4, -6.4014752602627585e-4,
      2.7750107634328704e-4, 1.8197008380465151e-7},
     {1.3324454494800656e-3, -1.9144384985654775e-3, 1.1089369134596637e-3, 9.932404122642299e-7},
     {1.579727660730835e-3, 1.6251626278391582e-4, -2.0633421035543276e-3, 2.1389686185689098e-3},
     {-4.0725121195140166e-3, 6.4033628338080698e-3}}};
inline constexpr std::array<int, 13> temme_terms{16, 16, 15, 14, 12, 12, 11, 9, 8, 6, 4, 4, 2};

/// Where Temme's expansion holds to rounding.
inline bool in_reach_of_temme(double a, double mu) noexcept { return a >= 16 && mu > -0.3 && mu < 0.4; }

/// log of Gamma(a) e^a a^-a, a >= 10 or so: what depends on a alone.
inline double log_stirling(double a) noexcept { return 0.5 * (log_two_pi - std::log(a)) + stirling_correction(a); }

/// log of lower (upper), less `log_stirling`, by Temme (1979, SIAM J. Math. Anal. 10, 757; uniform in mu = excess/a):
/// e^(w^2/2) Phi(+-w) -+ sum of c_k(eta) a^-k / sqrt(2 pi a), w = eta sqrt(a), eta^2/2 = mu - log(1 + mu).
inline double log_temme(double a, double mu, bool upper) noexcept {
    const double half = -log1pmx(mu);  // eta^2/2
    const double eta = std::copysign(std::sqrt(2 * half), mu);
    const std::size_t orders = a < 24 ? 13 : a < 64 ? 11 : a < 200 ? 8 : a < 1e4 ? 6 : a < 1e6 ? 4 : 3;
    const int most = std::fabs(eta) < 0.05 ? 8 : 16;
    const double p = 1 / a;
    double sum = 0;
    for (std::size_t k = orders; k-- > 0;) {
        double c = 0;
        for (int n = std::min(most, temme_terms[k]); n-- > 0;) c = temme[k][static_cast<std::size_t>(n)] + eta * c;
        sum = c + p * sum;
    }
    // Both terms over the first one: the second times the inverse of Mills's ratio.
    const double w = (upper ? -eta : eta) * std::sqrt(a);
    double log_first, density_over_tail;
    if (w > 0) {
        const double beyond = 0.5 * std::erfc(w * (std::numbers::sqrt2 / 2));
        log_first = a * half + std::log1p(-beyond);
        density_over_tail = normal_detail::inverse_sqrt_two_pi * std::exp(-a * half) / (1 - beyond);
    } else {
        log_first = elementary::log_ndtr_scaled(w);
        density_over_tail = normal_detail::inverse_sqrt_two_pi * std::exp(-log_first);
    }
    const double second = (upper ? sum : -sum) * density_over_tail / std::sqrt(a);
    return log_first + std::log1p(second);
}

/// The continued fraction 1/(b(0) + a(1)/(b(1) + a(2)/(b(2) + ...))) by Steed's algorithm, for denominators that stay
/// above 0.
template <class Numerator, class Denominator>
double continued_fraction(Numerator&& numerator, Denominator&& denominator) noexcept {
    double d = 1 / denominator(0.0), step = d, sum = d;
    for (double n = 1; n < 1e5; ++n) {
        const double b = denominator(n);
        d = 1 / (b + numerator(n) * d);
        step *= b * d - 1;
        sum += step;
        if (!(std::fabs(step) > 1e-17 * std::fabs(sum))) break;
    }
    return sum;
}

/// upper, for x > a + 1 or so: Legendre's fraction (DLMF 8.9.2).
inline double upper_fraction(double a, double excess) noexcept {
    return continued_fraction([=](double n) { return n * (a - n); }, [=](double n) { return excess + 1 + 2 * n; });
}

/// lower, for x well below a, also below 0: the fraction of Kummer's M(1, a + 1, x)/a (DLMF 13.5.3).
inline double lower_fraction(double x, double excess) noexcept {
    return continued_fraction([=](double n) { return n * x; }, [=](double n) { return n - excess; });
}

/// lower, for x > 0 that is not much above a: the series of x^n/(a (a + 1) ... (a + n)), all terms positive.
inline double lower_series(double a, double x) noexcept {
    double term = 1 / a, sum = term;
    for (double n = 1; n < 1e5; ++n) {
        term *= x / (a + n);
        sum += term;
        if (!(term > 1e-17 * sum)) break;
    }
    return sum;
}

/// lower, for -40 < x < 0 and a < 1: e^x times the series of (-x)^n/(n! (a + n)), all terms positive.
inline double lower_by_kummer(double a, double x) noexcept {
    double power = 1, sum = 1 / a;
    for (double n = 1; n < 1000; ++n) {
        power *= -x / n;
        const double term = power / (a + n);
        sum += term;
        if (n > -x && !(term > 1e-17 * sum)) break;
    }
    return std::exp(x) * sum;
}

/// log of lower + upper = Gamma(a) e^x x^-a.
inline double log_complete(double a, double x, double excess) noexcept {
    if (a < 10) return log_gamma(a) + x - a * std::log(x);
    const double mu = excess / a;
    const double fall = mu < -0.5 ? std::log(x / a) - mu : log1pmx(mu);  // 1 + mu would lose digits of x
    return 0.5 * (log_two_pi - std::log(a)) + stirling_correction(a) - a * fall;
}

/// log(e^total - e^part) where the part is known to be the smaller one.
inline double log_without(double total, double part) noexcept { return total + std::log1p(-std::exp(part - total)); }

/// upper for a <= 1/2 and x < 1: from -1/2 < a <= 1/2, where the pole of Gamma(a) is taken out, down by recursion.
inline double upper_of_small(double a, double x) noexcept {
    const double steps = std::max(0.0, std::ceil(-0.5 - a));
    const double start = a + steps, log_x = std::log(x);
    // Gamma(a, x) = (Gamma(1 + a) - x^a)/a - x^a (sum over k >= 1 of (-x)^k/(k! (a + k))).
    double sum = 0, term = 1;
    for (double k = 1; k < 100; ++k) {
        term *= -x / k;
        sum += term / (start + k);
        if (std::fabs(term) < 1e-18) break;
    }
    const double pole =
        start == 0 ? -0.57721566490153286061 - log_x : (gamma_1p_minus_1(start) - std::expm1(start * log_x)) / start;
    double upper = std::exp(x) * (pole * std::exp(-start * log_x) - sum);
    for (double b = start; b > a + 0.5; --b) upper = (1 - x * upper) / (1 - b);
    return upper;
}

}  // namespace scaled_gamma_detail

/// log of the scaled lower incomplete gamma function, gamma(a, x) e^x x^-a.
///
/// \param a the shape, > 0
/// \param x any finite number; at 0 and below the integral at the top of the file is meant
/// \param excess x - a, as exactly as it is known
/// Temme's expansion near x = a, else Kummer's series or fraction, or 1 minus the other tail. NaN for a <= 0 or NaN.
/// Cost: O(1).
inline double log_gamma_lower_scaled(double a, double x, double excess) noexcept {
    using namespace scaled_gamma_detail;
    if (!(a > 0)) return std::numeric_limits<double>::quiet_NaN();
    const double mu = excess / a;
    if (in_reach_of_temme(a, mu)) return log_stirling(a) + log_temme(a, mu, false);
    if (a < 1 && x < 0 && x > -40) return std::log(lower_by_kummer(a, x));
    if (mu < -0.5) return std::log(lower_fraction(x, excess));
    if (excess < 2 + 2 * std::sqrt(a)) return std::log(lower_series(a, x));
    const double total = log_complete(a, x, excess);
    return log_without(total, std::log(upper_fraction(a, excess)));
}

/// log of the scaled upper incomplete gamma function, Gamma(a, x) e^x x^-a.
///
/// \param a any finite number, also 0 and below
/// \param x > 0
/// \param excess x - a, as exactly as it is known
/// Temme's expansion near x = a, else Legendre's fraction, or 1 minus the other tail. +inf at x = 0 (its value for
/// a >= 0); NaN below 0. Cost: O(1).
inline double log_gamma_upper_scaled(double a, double x, double excess) noexcept {
    using namespace scaled_gamma_detail;
    if (x == 0) return std::numeric_limits<double>::infinity();
    if (!(x > 0)) return std::numeric_limits<double>::quiet_NaN();
    if (a > 0.5) {
        const double mu = excess / a;
        if (in_reach_of_temme(a, mu)) return log_stirling(a) + log_temme(a, mu, true);
        if (excess > 1) return std::log(upper_fraction(a, excess));
        return log_without(log_complete(a, x, excess), log_gamma_lower_scaled(a, x, excess));
    }
    if (x >= 1 || a < -20) return std::log(upper_fraction(a, excess));
    return std::log(upper_of_small(a, x));
}

/// log P(a, x), the log of the probability that a gamma variable of shape a > 0 is at most x >= 0. Never underflows:
/// `log_incomplete_gamma(1e12, 0.9e12)` is -5.36e9. -inf at x = 0; NaN outside the domain.
inline double log_incomplete_gamma(double a, double x) noexcept {
    if (!(a > 0) || !(x >= 0)) return std::numeric_limits<double>::quiet_NaN();
    if (x == 0) return -std::numeric_limits<double>::infinity();
    if (std::isinf(x)) return 0;
    const double excess = x - a;
    // Above the mean the other tail is the smaller one.
    if (excess > 0)
        return std::log1p(
            -std::exp(log_gamma_upper_scaled(a, x, excess) - scaled_gamma_detail::log_complete(a, x, excess)));
    return log_gamma_lower_scaled(a, x, excess) - scaled_gamma_detail::log_complete(a, x, excess);
}

/// log Q(a, x) = log(1 - P(a, x)), without cancellation or underflow. 0 at x = 0; -inf at x = inf.
inline double log_incomplete_gamma_upper(double a, double x) noexcept {
    if (!(a > 0) || !(x >= 0)) return std::numeric_limits<double>::quiet_NaN();
    if (x == 0) return 0;
    if (std::isinf(x)) return -x;
    const double excess = x - a;
    if (excess < 0 && a > 0.5)
        return std::log1p(
            -std::exp(log_gamma_lower_scaled(a, x, excess) - scaled_gamma_detail::log_complete(a, x, excess)));
    return log_gamma_upper_scaled(a, x, excess) - scaled_gamma_detail::log_complete(a, x, excess);
}

}  // namespace v0
}  // namespace serinus
