#pragma once
/// \file
/// Have both arms one quantile in common? At one moment, from all their values.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>

#include <serinus/core/require.hpp>
#include <serinus/sequential/detail/quantile_mixture.hpp>

namespace serinus {
inline namespace v0 {
namespace sequential {

/// The log e-value of Howard and Ramdas's A/B test that two arms have the same q-quantile, two-sided, at one moment.
///
/// Formula (Howard and Ramdas 2022, Bernoulli 28(3), section 5; confseq's `quantile_ab_p_value` is min(1, exp(-this))):
/// the minimum over all points x of G_b(x) + G_c(x), G the two-sided beta-binomial log martingale of the arm's count of
/// values at or below x. At the common quantile, wherever it is, the product of both is a martingale; the minimum is
/// below it: so exp of this is at most an e-process, *proved*, and its p-value always valid.
///
/// `baseline`, `canary`: sorted, without NaN; equal values may be counted on either side of x, and the way that says
/// least is taken. tuned_at: values of an arm at which it is tightest (confseq's tuned_at). 0 for two empty arms. Cost:
/// two evaluations of the mixture a value.
///
///     double p = std::min(1.0, std::exp(-quantile_ab_log_e_value(sorted_b, sorted_c, 0.5, 100)));
inline double quantile_ab_log_e_value(std::span<const double> baseline, std::span<const double> canary, double q,
                                      double tuned_at, double tuned_alpha = 0.05) {
    require_open_unit("q", q);
    const QuantileMixture mixture(q, tuned_at, QuantileMixture::Speaks::either, tuned_alpha);
    const std::array<std::span<const double>, 2> arms{baseline, canary};
    // Convex in the count, so among the counts that ties leave open the one nearest to q n says least.
    const auto least = [&](std::span<const double> arm, std::size_t below, std::size_t at_most) {
        const auto n = static_cast<double>(arm.size());
        const double low = static_cast<double>(below), high = static_cast<double>(at_most);
        const double floor = std::clamp(std::floor(q * n), low, high), ceil = std::clamp(std::ceil(q * n), low, high);
        return std::min(mixture.log_value(floor, n), mixture.log_value(ceil, n));
    };
    double lowest = least(baseline, 0, 0) + least(canary, 0, 0);
    std::array<std::size_t, 2> at{};
    while (at[0] < baseline.size() || at[1] < canary.size()) {
        double x = std::numeric_limits<double>::infinity();
        for (std::size_t a = 0; a < 2; ++a)
            if (at[a] < arms[a].size()) x = std::min(x, arms[a][at[a]]);
        double sum = 0;
        for (std::size_t a = 0; a < 2; ++a) {
            const std::size_t below = at[a];
            while (at[a] < arms[a].size() && arms[a][at[a]] <= x) ++at[a];
            sum += least(arms[a], below, at[a]);
        }
        lowest = std::min(lowest, sum);
    }
    return lowest;
}

}  // namespace sequential
}  // namespace v0
}  // namespace serinus
