#pragma once
/// \file
/// Mean and spread of values, without overflow, underflow or cancellation.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

#include <serinus/core/version.hpp>
#include <serinus/numeric/sum.hpp>

namespace serinus {
inline namespace v0 {

/// The sum of `f(value)` over an array, in the order of `pairwise_sum`, so with the same bits everywhere.
template <class Function>
double sum_of(std::span<const double> values, Function&& f) {
    PairwiseSum sum;
    std::array<double, PairwiseSum::block_size> block;
    for (std::size_t from = 0; from < values.size(); from += block.size()) {
        const std::size_t count = std::min(block.size(), values.size() - from);
        for (std::size_t i = 0; i < count; ++i) block[i] = f(values[from + i]);
        sum.add_block({block.data(), count});
    }
    return sum.value();
}

/// The power of two that brings the largest of these finite values near 1, so that squares of them neither overflow nor
/// vanish; 0 if all are 0. Multiplying by a power of two rounds nothing, so no result depends on the unit.
inline int common_exponent(std::span<const double> values) noexcept {
    double largest = 0;
    for (const double value : values) largest = std::max(largest, std::fabs(value));
    return largest > 0 ? std::ilogb(largest) : 0;
}

/// A power of two as a factor, also where it is no double itself: 2^1074, the smallest double's inverse, is applied as
/// two factors.
class PowerOfTwo {
  public:
    explicit PowerOfTwo(int exponent) noexcept
        : half_(std::ldexp(1.0, exponent / 2)), rest_(std::ldexp(1.0, exponent - exponent / 2)) {}
    friend double operator*(const PowerOfTwo& power, double value) noexcept {
        return value * power.half_ * power.rest_;
    }

  private:
    double half_, rest_;
};

/// Mean and squared deviations of finite values.
struct Moments {
    double n = 0;
    double mean = 0;
    double squares = 0;  ///< sum of (value - mean)^2

    /// With divisor n - 1; 0 for fewer than two values.
    double variance() const noexcept { return n > 1 ? squares / (n - 1) : 0; }
};

/// Moments of (value - origin) times 2^-exponent, in two passes; the second one corrects the mean for its own rounding
/// (Chan, Golub and LeVeque 1983). An origin among the values keeps the digits of values that lie far from 0 and close
/// together. Cost: O(n). Example: `moments(values, common_exponent(values)).variance()`.
inline Moments moments(std::span<const double> values, int exponent = 0, double origin = 0) {
    Moments found;
    found.n = static_cast<double>(values.size());
    if (values.empty()) return found;
    const PowerOfTwo unit(-exponent);
    const double from = unit * origin;
    // A constant has no spread at all, which rounding must not make into a little.
    if (std::all_of(values.begin(), values.end(), [&](double v) { return v == values.front(); })) {
        found.mean = unit * values.front() - from;
        return found;
    }
    const double first = sum_of(values, [&](double v) { return unit * v - from; }) / found.n;
    const double correction = sum_of(values, [&](double v) { return (unit * v - from) - first; });
    const double squares = sum_of(values, [&](double v) {
        const double d = (unit * v - from) - first;
        return d * d;
    });
    found.mean = first + correction / found.n;
    found.squares = std::max(0.0, squares - correction * correction / found.n);
    return found;
}

/// The sum of the fourth powers of the deviations from `mean`, all in the units of `moments` with the same exponent and
/// origin.
inline double fourth_powers(std::span<const double> values, double mean, int exponent = 0, double origin = 0) {
    const double half = std::ldexp(1.0, -(exponent / 2)), rest = std::ldexp(1.0, -(exponent - exponent / 2));
    const double from = origin * half * rest;
    return sum_of(values, [&](double v) {
        const double d = (v * half * rest - from) - mean, square = d * d;
        return square * square;
    });
}

}  // namespace v0
}  // namespace serinus
