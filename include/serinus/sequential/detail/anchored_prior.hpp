#pragma once
/// \file
/// What the mixtures over a ratio begin with: how likely each ratio beyond the margin is thought to be. Any such prior
/// keeps the error rate; it decides which harms are found soonest.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include <serinus/core/words.hpp>
#include <serinus/numeric/elementary.hpp>

namespace serinus {
inline namespace v0 {
namespace sequential {

/// How the weight of AnchoredPrior falls with the distance d = |log(r/r0)| from the margin.
enum class PriorShape : std::uint8_t {
    half_normal,  ///< exp(-d^2/(2 0.7^2)): what tests of state version 1 began with, and SampleRatioTest
    flat,         ///< 1/(1 + (d/0.8)^5)
};

}  // namespace sequential

template <>
struct Words<sequential::PriorShape> {
    static constexpr std::array<std::pair<sequential::PriorShape, std::string_view>, 2> table{
        {{sequential::PriorShape::half_normal, "half_normal"}, {sequential::PriorShape::flat, "flat"}}};
};

namespace sequential {

/// The prior: distances |log(r/r0)| from the margin and their weights. 33 distances, geometric from .003 to 3, weighted
/// by a density of d. Anchored at the margin: a grid that does not move with it is blind to small excesses at high
/// counts.
///
/// The density is nearly flat up to 1.7 times the margin, half as high at 2.2 times, and falls as d^-5: beside a
/// half-normal of the same height at the margin it has more where harms mostly lie and less from 2.5 to 10 times the
/// margin, where a few events tell anyway (docs/adr/0012-a-prior-that-is-flat-to-twice.md has both in numbers).
class AnchoredPrior {
  public:
    static constexpr std::size_t size = 33;

    explicit AnchoredPrior(PriorShape shape = PriorShape::flat) {
        constexpr double low = 0.003, high = 3;
        const double step = elementary::log(high / low) / (size - 1);
        const double start = elementary::log(low);
        for (std::size_t j = 0; j < size; ++j) distance[j] = elementary::exp(start + step * static_cast<double>(j));
        double total = 0;
        std::array<double, size> weight{};
        for (std::size_t j = 0; j < size; ++j) {
            // The density times the length of line that the node stands for.
            const double below = distance[j == 0 ? 0 : j - 1], above = distance[j + 1 == size ? j : j + 1];
            const double length = j == 0 || j + 1 == size ? above - below : (above - below) / 2;
            weight[j] = density(shape, distance[j]) * length;
            total += weight[j];
        }
        for (std::size_t j = 0; j < size; ++j) log_weight[j] = elementary::log(weight[j] / total);
    }

    std::array<double, size> distance{};
    std::array<double, size> log_weight{};

  private:
    /// But for a factor.
    static double density(PriorShape shape, double d) {
        if (shape == PriorShape::half_normal) {
            constexpr double deviation = 0.7;
            return elementary::exp(-d * d / (2 * deviation * deviation));
        }
        const double x = d / 0.8, square = x * x;
        return 1 / (1 + square * square * x);
    }
};

}  // namespace sequential
}  // namespace v0
}  // namespace serinus
