#pragma once
/// \file
/// The limits of the quadratic tests of distributions: sums of squared normals with falling weights.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <serinus/core/require.hpp>
#include <serinus/core/words.hpp>
#include <serinus/fixed/detail/tied_arrangements.hpp>
#include <serinus/numeric/special.hpp>

namespace serinus {
inline namespace v0 {

/// How the p-value of a quadratic test comes about; `automatic` picks one of the others.
enum class QuadraticMethod : std::uint8_t {
    automatic = 1,
    exact = 2,
    asymptotic = 3,
    conditional = 4,
    permutation = 5,
    lattice = 6
};

template <>
struct Words<QuadraticMethod> {
    static constexpr std::array<std::pair<QuadraticMethod, std::string_view>, 6> table{
        {{QuadraticMethod::automatic, "auto"},
         {QuadraticMethod::exact, "exact"},
         {QuadraticMethod::asymptotic, "asymptotic"},
         {QuadraticMethod::conditional, "conditional"},
         {QuadraticMethod::permutation, "permutation"},
         {QuadraticMethod::lattice, "lattice"}}};
};

namespace detail {

/// P(sum of Z_k^2/c_k > x) = 1/pi sum over k of (-1)^(k+1) times the integral over [c_{2k-1}, c_{2k}] of
/// exp(-x y/2)/(y sqrt|D(y)|), D(y) = product of (1 - y/c_k) (Smirnov 1937; Slepian 1958). With s such that D's zeros
/// lie pi apart, the ends are inverse square roots, which Gauss and Chebyshev's rule takes to the last digit.
/// `from(k)`: s at c_{2k-1}; `f(s, sine)`: what stands under the integral over s, but 1/sqrt(sine).
template <class From, class Integrand>
double alternating_tail(From&& from, Integrand&& f) noexcept {
    constexpr int nodes = 32;
    using std::numbers::pi;
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
    using std::numbers::pi;
    return detail::alternating_tail([](int k) { return (2 * k - 1) * pi; },
                                    [x](double s) { return 2 * std::exp(-x * s * s / 2) / std::sqrt(s); });
}

/// P(A > x) of the limit of Anderson and Darling's statistic, the sum of Z_k^2/(k (k+1)).
inline double anderson_darling_survival(double x) noexcept {
    if (!(x > 0.02)) return 1;
    using std::numbers::pi;
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

/// A quadratic statistic given the ties by what the arrangements themselves say: sum over the groups of equal values
/// of weight_g D_g^2, as in `TiedQuadratic`, D_g the distance of the two distribution functions where group g ends.
class ArrangedQuadratic {
  public:
    /// `weight(share)`: what a value weighs whose group ends at that pooled share, in (0, 1).
    template <class Weight>
    ArrangedQuadratic(const TiedArms& arms, Weight&& weight) : arms_(arms) {
        const auto few = static_cast<double>(arms.few), total = static_cast<double>(arms.total);
        double end = 0;
        for (const std::int64_t size : arms.sizes) {
            end += static_cast<double>(size);
            const double share = end / total, scale = total / (few * (total - few));
            expected_.push_back(few * share);
            weights_.push_back(end < total ? static_cast<double>(size) * weight(share) * scale * scale : 0.0);
        }
        seen_ = statistic(arms.seen);
    }

    double seen() const noexcept { return seen_; }

    /// The share of arrangements that reach `seen`, if all divisions of the groups can be walked through.
    std::optional<double> exact() const {
        // Equal sums of different squares may differ in the last digits.
        const double needed = seen_ * (1 - 1e-11);
        double beyond = 0;
        const auto mass = for_each_division(arms_, [&](std::span<const std::int64_t> counts, double ways) {
            if (statistic(counts) >= needed) beyond += ways;
        });
        if (!mass) return std::nullopt;
        return std::min(1.0, (beyond + mass->missed) / mass->all);
    }
    /// The same on a lattice of sums: `lattice_tail`.
    std::optional<double> on_lattice(double budget) const {
        return lattice_tail(arms_, seen_, budget, [this](std::size_t g, std::int64_t, std::int64_t k) {
            const double apart = static_cast<double>(k) - expected_[g];
            return weights_[g] * apart * apart;
        });
    }

  private:
    double statistic(std::span<const std::int64_t> counts) const noexcept {
        double sum = 0;
        std::int64_t k = 0;
        for (std::size_t g = 0; g < counts.size(); ++g) {
            k += counts[g];
            const double apart = static_cast<double>(k) - expected_[g];
            sum += weights_[g] * apart * apart;
        }
        return sum;
    }

    const TiedArms& arms_;
    std::vector<double> expected_, weights_;
    double seen_ = 0;
};

/// A p-value of a quadratic test, and what it was computed by.
struct QuadraticTail {
    double p_value;
    QuadraticMethod method;
};

/// P(sum >= seen) by the arrangements of the arms' values (sorted), each value weighing `weight(share)`: `permutation`,
/// `lattice`, or, asked for `automatic`, whichever of the two can be had, in this order; nothing if none can, or if
/// another method is asked for. Asked for by name and beyond what anyone would wait for: `serinus.argument.range`.
///
/// `automatic` without ties: only with fewer than 50 values in the smaller arm, where the limit is not yet good enough
/// far out. A lattice may cost 3e7 additions, by name 4e9.
template <class Weight>
std::optional<QuadraticTail> arranged_tail(std::span<const double> baseline, std::span<const double> canary, bool ties,
                                           QuadraticMethod method, Weight&& weight) {
    constexpr std::size_t few_for_limits = 50;
    constexpr double automatic_budget = 3e7, largest_budget = 4e9;
    const bool automatic = method == QuadraticMethod::automatic;
    if (!automatic && method != QuadraticMethod::permutation && method != QuadraticMethod::lattice) return std::nullopt;
    if (automatic && !ties && std::min(baseline.size(), canary.size()) >= few_for_limits) return std::nullopt;
    const TiedArms arms(baseline, canary, baseline.size() + canary.size());
    const ArrangedQuadratic quadratic(arms, weight);
    if (method != QuadraticMethod::lattice) {
        if (const auto p = quadratic.exact()) return QuadraticTail{*p, QuadraticMethod::permutation};
        require(automatic, "method is \"permutation\"; the number of different values",
                static_cast<double>(arms.sizes.size()),
                "so few that 2^17 ways to divide them between the arms hold nearly all arrangements, or the method "
                "\"lattice\"");
    }
    if (const auto p = quadratic.on_lattice(automatic ? automatic_budget : largest_budget))
        return QuadraticTail{*p, QuadraticMethod::lattice};
    require(automatic, "method is \"lattice\"; the number of values", static_cast<double>(arms.total),
            "so many that the lattice costs less than 4e9 additions, or the method \"auto\"");
    return std::nullopt;
}

}  // namespace v0
}  // namespace serinus
