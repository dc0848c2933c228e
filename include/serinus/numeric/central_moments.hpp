#pragma once
/// \file
/// Mean and the second to fourth central moments of values that come one at a time or are merged.

#include <cmath>

#include <serinus/core/describe.hpp>

namespace serinus {
inline namespace v0 {

/// Sums of powers of (value - mean), kept up to date without keeping the values.
///
/// Formula: Welford (1962) for mean and squares, Pébay (2008, "Formulas for robust, one-pass parallel computation of
/// covariances and arbitrary-order statistical moments", SAND2008-6212, section 3) for the higher powers and for
/// merging. Only + - * /: the same bits everywhere. Values are finite; the caller keeps them within 1e75 of one
/// another, beyond which the fourth powers overflow. A constant has sums of exactly 0. Cost: O(1) a value.
///
/// Example: `CentralMoments arm; for (const double value : values) arm.add(value); arm.variance();`
struct CentralMoments {
    double n = 0;
    double mean = 0;
    double squares = 0;  ///< sum of (value - mean)^2
    double cubes = 0;    ///< sum of (value - mean)^3
    double fourths = 0;  ///< sum of (value - mean)^4

    void add(double value) noexcept {
        const double before = n;
        n += 1;
        const double delta = value - mean;
        const double share = delta / n;
        const double share2 = share * share;
        const double term = delta * share * before;
        mean += share;
        fourths += term * share2 * (n * (n - 3) + 3) + 6 * share2 * squares - 4 * share * cubes;
        cubes += term * share * (n - 2) - 3 * share * squares;
        squares += term;
    }

    void merge(const CentralMoments& other) noexcept {
        if (other.n == 0) return;
        if (n == 0) {
            *this = other;
            return;
        }
        const double total = n + other.n;
        const double delta = other.mean - mean;
        const double a = n / total, b = other.n / total;  // shares of both
        const double delta2 = delta * delta;
        const double between = delta2 * n * b;
        fourths += other.fourths + between * delta2 * (a * a - a * b + b * b) +
                   6 * delta2 * (a * a * other.squares + b * b * squares) + 4 * delta * (a * other.cubes - b * cubes);
        cubes += other.cubes + between * delta * (a - b) + 3 * delta * (a * other.squares - b * squares);
        squares += other.squares + between;
        mean += delta * b;
        n = total;
    }

    /// With divisor n - 1; 0 for fewer than two values.
    double variance() const noexcept { return n > 1 ? squares / (n - 1) : 0; }

    /// How many values effectively carry the variance: squares^2/fourths, Kish's effective size (1965) of the squared
    /// deviations. n/kurtosis, so n/3 for normal values; for k rare events among zeros about k. 0 without any spread.
    double effective() const noexcept { return fourths > 0 ? squares * squares / fourths : 0; }

    /// Can these numbers have come from values?
    bool sound() const noexcept {
        return n >= 0 && n == std::floor(n) && std::isfinite(n) && std::isfinite(mean) && std::isfinite(squares) &&
               squares >= 0 && std::isfinite(cubes) && std::isfinite(fourths) && (n > 1 || squares == 0) &&
               (n > 0 || mean == 0);
    }

    friend bool operator==(const CentralMoments&, const CentralMoments&) = default;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("n", self.n);
        visit("mean", self.mean);
        visit("squares", self.squares);
        visit("cubes", self.cubes);
        visit("fourths", self.fourths);
    }
};
static_assert(described_whole<CentralMoments>());

}  // namespace v0
}  // namespace serinus
