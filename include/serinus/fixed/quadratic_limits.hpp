#pragma once
/// \file
/// The limits of the quadratic tests of distributions: sums of squared normals with falling weights.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include <serinus/core/special.hpp>
#include <serinus/core/words.hpp>

namespace serinus {
inline namespace v0 {

/// How the p-value of a quadratic test comes about; `automatic` picks one of the others.
enum class QuadraticMethod : std::uint8_t { automatic = 1, exact = 2, asymptotic = 3, conditional = 4 };

template <>
struct Words<QuadraticMethod> {
    static constexpr std::array<std::pair<QuadraticMethod, std::string_view>, 4> table{
        {{QuadraticMethod::automatic, "auto"},
         {QuadraticMethod::exact, "exact"},
         {QuadraticMethod::asymptotic, "asymptotic"},
         {QuadraticMethod::conditional, "conditional"}}};
};

namespace detail {

/// P(sum of Z_k^2/c_k > x) = 1/pi sum over k of (-1)^(k+1) times the integral over [c_{2k-1}, c_{2k}] of
/// exp(-x y/2)/(y sqrt|D(y)|), D(y) = product of (1 - y/c_k) (Smirnov 1937; Slepian 1958). With s such that D's zeros
/// lie pi apart, the ends are inverse square roots, which Gauss and Chebyshev's rule takes to the last digit.
/// `from(k)`: s at c_{2k-1}; `f(s, sine)`: what stands under the integral over s, but 1/sqrt(sine).
template <class From, class Integrand>
double alternating_tail(From&& from, Integrand&& f) noexcept {
    constexpr int nodes = 32;
    constexpr double pi = 3.14159265358979323846;
    double sum = 0, sign = 1;
    for (int k = 1; k <= 200; ++k, sign = -sign) {
        double part = 0;
        for (int i = 0; i < nodes; ++i) {
            const double c = std::cos(pi * (i + 0.5) / nodes);
            const double s = from(k) + pi / 2 * (1 + c);
            part += f(s) * std::sqrt((1 - c * c) / std::cos(pi * c / 2));
        }
        part *= pi / nodes * pi / 2;
        sum += sign * part;
        if (part < 1e-17 * std::fabs(sum) || part < 1e-320) break;
    }
    return std::clamp(sum / pi, 0.0, 1.0);
}

}  // namespace detail

/// P(W > x) of the limit of Cramer and von Mises' statistic, the sum of Z_k^2/(k pi)^2. Relative error below 1e-11 for
/// x > 0.02; below that it is 1 to 1e-10.
inline double cramer_von_mises_survival(double x) noexcept {
    if (!(x > 0.003)) return 1;
    constexpr double pi = 3.14159265358979323846;
    return detail::alternating_tail([](int k) { return (2 * k - 1) * pi; },
                                    [x](double s) { return 2 * std::exp(-x * s * s / 2) / std::sqrt(s); });
}

/// P(A > x) of the limit of Anderson and Darling's statistic, the sum of Z_k^2/(k (k+1)).
inline double anderson_darling_survival(double x) noexcept {
    if (!(x > 0.02)) return 1;
    constexpr double pi = 3.14159265358979323846;
    return detail::alternating_tail([](int k) { return (4 * k - 1) * pi / 2; },
                                    [x](double s) {
                                        const double y = s * s / (pi * pi) - 0.25;
                                        return 2 * s * std::exp(-x * y / 2) / std::sqrt(pi * pi * pi * y);
                                    });
}

/// A quadratic statistic given the ties: sum over the groups of equal values of weight_j D_j^2, D_j the distance of the
/// two distribution functions where group j ends. Random arrangements make D a Brownian bridge on those points, which
/// fixes all cumulants of the sum.
class TiedQuadratic {
  public:
    /// `share`: the pooled share of values up to the end of a group, in (0, 1); `weight` is that of D^2 after D was
    /// scaled to variance share (1 - share).
    void add(double share, double weight) { points_.emplace_back(share, weight); }

    /// P(sum >= x). Few groups: a shifted chi-square with the sum's mean, variance and skewness (Hall 1983; Buckley and
    /// Eagleson 1988), exact for two groups of values and within 0.003 of 0.05. Many: the limit without ties,
    /// `survival` with mean `limit_mean` and standard deviation `limit_deviation`, moved to the sum's mean and
    /// deviation.
    template <class Survival>
    double survival(double x, double limit_mean, double limit_deviation, Survival&& limit) const {
        // tr A, tr A^2 and tr A^3, A_ij = w_i cov_ij. For i <= j the bridge's covariance is p_i (1 - p_j), a product,
        // so that running sums do: over the ordered triples i < j < k, pairs and single points, with how often each
        // occurs. The weights of two points that are left of the present one: w p^2 alone, and w_i p_i^2 w_j p_j (1 -
        // p_j) for i < j.
        double mean = 0, squares = 0, cubes = 0, singles = 0, pairs = 0, tops = 0;
        for (const auto& [p, weight] : points_) {
            const double own = weight * p * (1 - p), right = weight * (1 - p) * (1 - p);
            mean += own;
            squares += own * own + 2 * right * singles;
            cubes += own * own * own + 3 * right * tops + 3 * own * right * singles + 6 * right * pairs;
            pairs += own * singles;
            tops += own * weight * p * p;
            singles += weight * p * p;
        }
        constexpr std::size_t few = 100;
        if (points_.size() > few) return limit(limit_mean + (x - mean) / std::sqrt(2 * squares) * limit_deviation);
        // Cumulants 2 tr A^2 and 8 tr A^3, against 2 nu and 8 nu of a chi-square.
        const double nu = squares * squares * squares / (cubes * cubes);
        const double z = (x - mean) / std::sqrt(2 * squares) * std::sqrt(2 * nu) + nu;
        return z > 0 ? incomplete_gamma_upper(nu / 2, z / 2) : 1;
    }

  private:
    std::vector<std::pair<double, double>> points_;  // share, weight; ascending
};

}  // namespace v0
}  // namespace serinus
