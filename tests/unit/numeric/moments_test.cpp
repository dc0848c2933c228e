#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/numeric/moments.hpp>

namespace {

using namespace serinus;

TEST(Moments, OfSmallNumbersByHand) {
    const std::array<double, 4> values{1, 2, 4, 9};
    const Moments found = moments(values);
    EXPECT_EQ(found.n, 4);
    EXPECT_EQ(found.mean, 4);
    EXPECT_EQ(found.squares, 38);
    EXPECT_EQ(found.variance(), 38.0 / 3);
    EXPECT_EQ(fourth_powers(values, found.mean), 81 + 16 + 0 + 625);
}

TEST(Moments, OfNothingOneAndAConstant) {
    EXPECT_EQ(moments({}).n, 0);
    EXPECT_EQ(moments({}).variance(), 0);
    EXPECT_EQ(moments(std::vector{7.0}).mean, 7);
    EXPECT_EQ(moments(std::vector{7.0}).variance(), 0);
    const std::vector<double> constant(1000, 0.1);  // of which rounding would make a spread
    EXPECT_EQ(moments(constant).squares, 0);
    EXPECT_EQ(moments(constant).mean, 0.1);
}

// A change of unit by a power of two changes no bit, up to the ends of the doubles.
TEST(Moments, AreThoseOfTheUnit) {
    const std::array<double, 5> values{3, 1, 4, 1, 5};
    const Moments plain = moments(values, common_exponent(values));
    for (const int power : {-1070, -500, 500, 1020}) {
        std::array<double, 5> scaled{};
        for (std::size_t i = 0; i < values.size(); ++i) scaled[i] = std::ldexp(values[i], power);
        EXPECT_EQ(common_exponent(scaled), common_exponent(values) + power);
        const Moments found = moments(scaled, common_exponent(scaled));
        EXPECT_EQ(found.mean, plain.mean) << power;
        EXPECT_EQ(found.squares, plain.squares) << power;
    }
    EXPECT_EQ(common_exponent({}), 0);
    EXPECT_EQ(common_exponent(std::array{0.0, -0.0}), 0);
}

// Without an origin among the values their spread would be lost beside their level.
TEST(Moments, AnOriginKeepsTheDigits) {
    const std::array<double, 3> values{1e15, 1e15 + 1, 1e15 + 2};
    EXPECT_EQ(moments(values, 0, 1e15).mean, 1);
    EXPECT_EQ(moments(values, 0, 1e15).squares, 2);
}

TEST(PowerOfTwo, IsOneWhereItIsNoDouble) {
    EXPECT_EQ(PowerOfTwo(1074) * std::numeric_limits<double>::denorm_min(), 1);
    EXPECT_EQ(PowerOfTwo(-1074) * 1.0, std::numeric_limits<double>::denorm_min());
    EXPECT_EQ(PowerOfTwo(3) * 5.0, 40);
}

}  // namespace
