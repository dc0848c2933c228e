#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <random>
#include <span>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/numeric/sum.hpp>

namespace {

using serinus::pairwise_sum;
using serinus::PairwiseSum;

std::vector<double> random_numbers(std::size_t count, unsigned seed) {
    std::mt19937_64 generator(seed);
    std::vector<double> values(count);
    for (double& value : values) value = std::ldexp(static_cast<double>(generator() >> 11), -53) - 0.3;
    return values;
}

std::uint64_t bits(double x) { return std::bit_cast<std::uint64_t>(x); }

// The documented order, written down a second time and in another way: lanes one after the other, and pairs by
// recursion, where the left part is the largest power of two of blocks that leaves something on the right.
double recursive_sum(std::span<const double> values) {
    constexpr std::size_t block = 128;
    if (values.size() <= block) {
        std::array<double, 4> lanes{};
        for (std::size_t lane = 0; lane < 4; ++lane) {
            for (std::size_t i = lane; i < values.size(); i += 4) lanes[lane] += values[i];
        }
        return (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]);
    }
    const std::size_t blocks = (values.size() + block - 1) / block;
    const std::size_t left = std::bit_floor(blocks - 1) * block;
    return recursive_sum(values.first(left)) + recursive_sum(values.subspan(left));
}

TEST(Sum, OrderIsTheDocumentedOneForEveryLength) {
    const std::vector<double> values = random_numbers(3000, 1);
    for (std::size_t length = 0; length <= values.size(); ++length) {
        const std::span<const double> part = std::span(values).first(length);
        ASSERT_EQ(bits(pairwise_sum(part)), bits(recursive_sum(part))) << length;
    }
}

TEST(Sum, StartOfTheArrayInMemoryDoesNotMatter) {
    const std::vector<double> values = random_numbers(700, 2);
    const double expected = pairwise_sum(values);
    for (std::size_t offset = 1; offset < 8; ++offset) {
        std::vector<double> shifted(offset);
        shifted.insert(shifted.end(), values.begin(), values.end());
        EXPECT_EQ(bits(pairwise_sum(std::span(shifted).subspan(offset))), bits(expected)) << offset;
    }
}

TEST(Sum, BlocksGiveTheSameBitsAsOneArray) {
    const std::vector<double> values = random_numbers(128 * 37 + 5, 3);
    PairwiseSum sum;
    EXPECT_EQ(sum.value(), 0.0);
    for (std::size_t start = 0; start < values.size(); start += PairwiseSum::block_size) {
        const std::size_t end = std::min(start + PairwiseSum::block_size, values.size());
        sum.add_block(std::span(values).subspan(start, end - start));
        ASSERT_EQ(bits(sum.value()), bits(pairwise_sum(std::span(values).first(end)))) << end;
    }
}

TEST(Sum, IsExactForIntegers) {
    std::vector<double> values(100'000);
    std::iota(values.begin(), values.end(), 1.0);
    EXPECT_EQ(pairwise_sum(values), 5'000'050'000.0);
}

TEST(Sum, ErrorStaysBelowTheDocumentedBound) {
    for (unsigned seed = 10; seed < 20; ++seed) {
        // Multiples of 2^-53 below 1 in absolute value: their sum is exact in 64-bit integers.
        const std::vector<double> values = random_numbers(1000, seed);
        std::int64_t exact = 0;
        double magnitude = 0;
        for (const double value : values) {
            exact += static_cast<std::int64_t>(std::ldexp(value, 53));
            magnitude += std::abs(value);
        }
        const double sum = pairwise_sum(values);
        // The sum is below 1000 in absolute value, so that it is a multiple of 2^-53 as the values are and the
        // difference is exact.
        const std::int64_t error = static_cast<std::int64_t>(std::ldexp(sum, 53)) - exact;
        EXPECT_LE(std::abs(static_cast<double>(error)), (34 + std::log2(1000.0 / 128.0)) * magnitude);
    }
}

TEST(Sum, Edges) {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    EXPECT_EQ(bits(pairwise_sum({})), bits(0.0));
    EXPECT_EQ(bits(pairwise_sum(std::vector<double>{-0.0})), bits(0.0));
    EXPECT_EQ(bits(pairwise_sum(std::vector<double>(500, -0.0))), bits(0.0));
    EXPECT_EQ(pairwise_sum(std::vector<double>{1.0, infinity, 2.0}), infinity);
    EXPECT_TRUE(std::isnan(pairwise_sum(std::vector<double>{1.0, infinity, -infinity})));
    std::vector<double> values(1000, 1.0);
    values[777] = std::numeric_limits<double>::quiet_NaN();
    EXPECT_TRUE(std::isnan(pairwise_sum(values)));
}

}  // namespace
