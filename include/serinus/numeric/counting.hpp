#pragma once
/// \file
/// Probabilities of counts: binomial and hypergeometric, densities and tails, right to about 1e-13 relative.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>

#include <serinus/core/version.hpp>

namespace serinus {
inline namespace v0 {
namespace detail {

/// log(n!) minus Stirling's formula, for whole n >= 1 (Loader 2000).
inline double stirling_error(double n) noexcept {
    if (n <= 15) {
        double factorial = 1;
        for (double i = 2; i <= n; ++i) factorial *= i;
        return std::log(factorial) - (n + 0.5) * std::log(n) + n - 0.91893853320467274178;
    }
    const double square = n * n;
    return (1.0 / 12 - (1.0 / 360 - (1.0 / 1260 - (1.0 / 1680 - 1.0 / 1188 / square) / square) / square) / square) / n;
}

/// x log(x/m) + m - x, without cancellation where x is near m (Loader 2000).
inline double deviance(double x, double m) noexcept {
    const double d = x - m;
    if (std::fabs(d) >= 0.1 * (x + m)) return x * std::log(x / m) - d;
    const double v = d / (x + m);
    double sum = d * v, power = 2 * x * v;
    for (int j = 1; j < 1000; ++j) {
        power *= v * v;
        const double next = sum + power / (2 * j + 1);
        if (next == sum) break;
        sum = next;
    }
    return sum;
}

}  // namespace detail

/// P(X = k) of n tries with chance p, q = 1 - p, by Loader's saddle point ("Fast and accurate computation of binomial
/// probabilities", 2000). Whole 0 <= k <= n up to 2^53.
inline double binomial_density(double k, double n, double p, double q) noexcept {
    if (p == 0) return k == 0 ? 1 : 0;
    if (q == 0) return k == n ? 1 : 0;
    if (k == 0) return std::exp(p < 0.1 ? n * std::log1p(-p) : n * std::log(q));
    if (k == n) return std::exp(q < 0.1 ? n * std::log1p(-q) : n * std::log(p));
    const double saddle = detail::stirling_error(n) - detail::stirling_error(k) - detail::stirling_error(n - k) -
                          detail::deviance(k, n * p) - detail::deviance(n - k, n * q);
    return std::exp(saddle) * std::sqrt(n / (2 * std::numbers::pi * k * (n - k)));
}

/// A distribution on whole numbers from `first` to `last` that rises to one mode and falls: tails by summing outwards
/// from the density, always of the side that falls.
template <class Density, class Ratio>
class CountDistribution {
  public:
    /// `density(k)`; `ratio(k)` = density(k + 1)/density(k); `mode`: where the density is largest.
    CountDistribution(double first, double last, double mode, Density density, Ratio ratio)
        : first_(first), last_(last), mode_(mode), density_(density), ratio_(ratio) {}

    double density(double k) const { return k < first_ || k > last_ ? 0 : density_(k); }

    /// P(X <= k).
    double at_most(double k) const {
        if (k < first_) return 0;
        if (k >= last_) return 1;
        if (k > mode_) return std::max(0.0, 1 - falling(k + 1));
        double sum = 1, term = 1;
        for (double i = k - 1; i >= first_; --i) {
            term /= ratio_(i);
            sum += term;
            if (term < 1e-17 * sum) break;
        }
        return std::min(1.0, sum * density_(k));
    }

    /// P(X >= k).
    double at_least(double k) const {
        if (k > last_) return 0;
        if (k <= first_) return 1;
        return k < mode_ ? std::max(0.0, 1 - at_most(k - 1)) : falling(k);
    }

    /// The sum of all probabilities that are not above that of k (but for rounding: 1e-7 relative, as R has it).
    double not_likelier(double k) const {
        const double limit = density_(k) * (1 + 1e-7);
        if (density_(mode_) <= limit) return 1;
        // The far side: its first value that is no likelier, by halving.
        const bool below = k < mode_;
        double inside = mode_, outside = below ? last_ + 1 : first_ - 1;
        while (std::fabs(outside - inside) > 1) {
            const double middle = std::floor((inside + outside) / 2);
            (density_(middle) <= limit ? outside : inside) = middle;
        }
        return std::min(1.0, below ? at_most(k) + at_least(outside) : at_least(k) + at_most(outside));
    }

  private:
    double falling(double k) const {
        if (k > last_) return 0;
        double sum = 1, term = 1;
        for (double i = k; i < last_; ++i) {
            term *= ratio_(i);
            sum += term;
            if (term < 1e-17 * sum) break;
        }
        return std::min(1.0, sum * density_(k));
    }

    double first_, last_, mode_;
    Density density_;
    Ratio ratio_;
};

/// The binomial distribution: n tries, chance p, q = 1 - p, both above 0.
inline auto binomial_distribution(double n, double p, double q) {
    return CountDistribution(
        0, n, std::min(n, std::floor((n + 1) * p)), [=](double k) { return binomial_density(k, n, p, q); },
        [=](double k) { return (n - k) / (k + 1) * (p / q); });
}

/// The hypergeometric distribution: `drawn` of a + b things, how many of the a? All whole, drawn <= a + b.
inline auto hypergeometric_distribution(double a, double b, double drawn) {
    const double first = std::max(0.0, drawn - b), last = std::min(a, drawn), total = a + b;
    const double p = drawn / total, q = (total - drawn) / total;
    const double all = binomial_density(drawn, total, p, q);
    const double mode = std::clamp(std::floor((drawn + 1) / (total + 2) * (a + 1)), first, last);
    return CountDistribution(
        first, last, mode,
        [=](double k) { return binomial_density(k, a, p, q) * binomial_density(drawn - k, b, p, q) / all; },
        [=](double k) { return (a - k) / (k + 1) * ((drawn - k) / (b - drawn + k + 1)); });
}

/// About how many additions a tail takes: terms fall to nothing within some ten standard deviations.
inline double tail_steps(double variance) noexcept { return 10 + 10 * std::sqrt(variance); }

}  // namespace v0
}  // namespace serinus
