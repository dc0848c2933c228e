#pragma once
/// \file
/// Sums whose bits do not depend on the machine: one fixed order of additions, whatever the width of the vector unit.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include <serinus/core/version.hpp>

namespace serinus {
inline namespace v0 {

/// Adds blocks of numbers in the order of `pairwise_sum`, for callers that make the numbers as they go and do not want
/// to keep them all.
///
/// Give it the numbers in blocks of exactly `block_size`; only the last block may be shorter. `value()` is then bit for
/// bit what `pairwise_sum` returns for all of them in one array. Cost: one addition a number, 0.5 KB of state.
///
/// Example: `PairwiseSum sum; sum.add_block(first_128); sum.add_block(last_7); double total = sum.value();`
class PairwiseSum {
  public:
    /// Numbers in a block. Part of the promise about bits: another size would round differently.
    static constexpr std::size_t block_size = 128;

    /// The sum of one block in four lanes: lane j adds the elements j, j + 4, j + 8, ... in turn, starting from +0;
    /// then (lane 0 + lane 1) + (lane 2 + lane 3).
    static double block_sum(std::span<const double> block) noexcept {
        std::array<double, 4> lanes{};
        const std::size_t whole = block.size() / 4 * 4;
        for (std::size_t i = 0; i < whole; i += 4) {
            for (std::size_t lane = 0; lane < 4; ++lane) lanes[lane] += block[i + lane];
        }
        for (std::size_t i = whole; i < block.size(); ++i) lanes[i - whole] += block[i];
        return (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]);
    }

    /// Adds the next block.
    void add_block(std::span<const double> block) noexcept {
        double sum = block_sum(block);
        // A binary counter: two sums of equally many blocks become one of twice as many, like a carry.
        for (std::uint64_t carry = blocks_; (carry & 1) != 0; carry >>= 1) sum = pending_[--depth_] + sum;
        pending_[depth_++] = sum;
        ++blocks_;
    }

    /// The sum of all blocks so far; +0 for none. More blocks may follow.
    double value() const noexcept {
        if (depth_ == 0) return 0;
        // The youngest sums are the shortest: they are added first, so that like meets like.
        double sum = pending_[depth_ - 1];
        for (std::size_t i = depth_ - 1; i-- > 0;) sum = pending_[i] + sum;
        return sum;
    }

  private:
    std::array<double, 64> pending_{};
    std::size_t depth_ = 0;
    std::uint64_t blocks_ = 0;
};

/// The sum of an array, with the same bits on every IEEE-754 machine and compiler (no contraction needed: there is no
/// product in it).
///
/// Order: blocks of 128 numbers, each in four lanes (`PairwiseSum::block_sum`); the block sums pairwise, neighbour with
/// neighbour, then pairs of pairs. So the lanes fill a vector register, and the error grows with the logarithm of the
/// length: |error| <= (34 + log2(n / 128)) 2^-53 sum |x_i| (Higham 1993, "The accuracy of floating point summation",
/// SIAM J. Sci. Comput. 14, section 3).
///
/// \param values any numbers; an infinity or a NaN goes into the sum as IEEE-754 says (a NaN's sign and payload are not
///               promised). The sum of nothing, and of nothing but -0, is +0.
/// Cost: O(n), vectorised. No allocation.
///
/// Example: `pairwise_sum(std::vector{1.0, 2.0, 3.0})` is 6.
inline double pairwise_sum(std::span<const double> values) noexcept {
    if (values.size() <= PairwiseSum::block_size) return PairwiseSum::block_sum(values);
    PairwiseSum sum;
    while (values.size() > PairwiseSum::block_size) {
        sum.add_block(values.first(PairwiseSum::block_size));
        values = values.subspan(PairwiseSum::block_size);
    }
    sum.add_block(values);
    return sum.value();
}

}  // namespace v0
}  // namespace serinus
