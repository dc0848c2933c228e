#pragma once
/// \file
/// Evidence that one arm's share of the traffic lies beyond an edge, and what it takes to tell counts of 2^53 from a
/// share.

#include <array>
#include <cmath>
#include <cstddef>

#include <serinus/core/version.hpp>
#include <serinus/numeric/elementary.hpp>
#include <serinus/sequential/detail/anchored_prior.hpp>

namespace serinus {
inline namespace v0 {
namespace sequential {
namespace detail {

/// x - n share, with one rounding: near the share both are large and their difference is what counts (Dekker 1971).
inline double excess_over_share(double x, double n, double share) noexcept {
    const double product = n * share;
    const double n_high = elementary::detail::leading_half(n), n_low = n - n_high;
    const double s_high = elementary::detail::leading_half(share), s_low = share - s_high;
    const double lost = ((n_high * s_high - product) + n_high * s_low + n_low * s_high) + n_low * s_low;
    return (x - product) - lost;
}

/// x log(x/m) + m - x for d = x - m, without cancellation where x is near m (Loader 2000). x >= 0, m > 0.
inline double deviance_from_excess(double x, double m, double d) noexcept {
    if (!(std::fabs(d) < 0.1 * (x + m))) return (x > 0 ? x * elementary::log(x / m) : 0) - d;
    const double v = d / (x + m), v2 = v * v;
    // 2 x (atanh(v) - v) + d v, atanh's series: |v| < 0.1 leaves 1e-19 of it after ten terms.
    double series = 0;
    for (int j = 10; j > 0; --j) series = v2 * (1.0 / (2 * j + 1) + series);
    return d * v + 2 * x * v * series;
}

/// log Gamma(a) - ((a - 1/2) log a - a + log(2 pi)/2), for a > 0: what Stirling's formula leaves out.
inline double stirling_remainder(double a) noexcept {
    double sum = 0;
    // Shifted to where eight terms of the series are exact to the last bit.
    for (; a < 12; a += 1) sum += (a + 0.5) * elementary::log1p(1 / a) - 1;
    const double z = 1 / (a * a);
    return sum + (1.0 / 12 -
                  z * (1.0 / 360 -
                       z * (1.0 / 1260 -
                            z * (1.0 / 1680 -
                                 z * (1.0 / 1188 - z * (691.0 / 360360 - z * (1.0 / 156 - z * (3617.0 / 122400)))))))) /
                     a;
}

/// Evidence that a share lies beyond an edge: the mixture of conditional_mixture.hpp, where one arm's exposure is
/// `edge` and that of all others 1 - edge. Since these never change, the sums of the counts are all there is to know
/// (and all that a state has: the prior can never be another one).
class ShareMixture {
  public:
    static constexpr std::size_t size = AnchoredPrior::size;

    /// `beyond` +1: evidence that the share is above the edge, -1: below it. 0 < edge < 1.
    ShareMixture(double edge, int beyond) : edge_(edge) {
        const AnchoredPrior prior(PriorShape::half_normal);
        log_weight_ = prior.log_weight;
        for (std::size_t j = 0; j < size; ++j) {
            delta_[j] = beyond * prior.distance[j];
            cost_[j] = edge * elementary::expm1(delta_[j]);
        }
        elementary::log1p(cost_, cost_);
        for (std::size_t j = 0; j < size; ++j) cost_[j] -= edge * delta_[j];
    }

    double edge() const noexcept { return edge_; }

    /// After x of n; the log-likelihood is divided by `dispersion`.
    double log_e_value(double x, double n, double dispersion) const {
        const double d = excess_over_share(x, n, edge_) / dispersion, all = n / dispersion;
        std::array<double, size> terms;
        for (std::size_t j = 0; j < size; ++j) terms[j] = log_weight_[j] + (d * delta_[j] - all * cost_[j]);
        return elementary::log_sum_exp(terms);
    }

  private:
    double edge_;
    std::array<double, size> log_weight_{};
    std::array<double, size> delta_{};  // distance in log odds of each node
    std::array<double, size> cost_{};   // log(1 + edge (e^delta - 1)) - edge delta
};

}  // namespace detail
}  // namespace sequential
}  // namespace v0
}  // namespace serinus
