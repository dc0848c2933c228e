#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include <serinus/core/text.hpp>

namespace {

using namespace serinus;

constexpr double infinity = std::numeric_limits<double>::infinity();

TEST(NumberText, ShortAndWholeNumbersInFull) {
    EXPECT_EQ(number_text(0), "0");
    EXPECT_EQ(number_text(-0.0), "0");
    EXPECT_EQ(number_text(912'004), "912004");
    // 0/0 has its sign bit set on some processors.
    for (const double sign : {1.0, -1.0}) {
        const double nan = std::copysign(std::numeric_limits<double>::quiet_NaN(), sign);
        EXPECT_EQ(number_text(nan), "nan");
        EXPECT_EQ(number_text(nan, 17), "nan");
        EXPECT_EQ(given_text(nan), "nan");
        EXPECT_EQ(seconds_text(nan), "nans");
    }
    EXPECT_EQ(number_text(-3), "-3");
    EXPECT_EQ(number_text(123'456'789'012'345.0), "123456789012345");
    EXPECT_EQ(number_text(3.14159), "3.142");
    EXPECT_EQ(number_text(0.05), "0.05");
    EXPECT_EQ(number_text(2.5), "2.5");
    EXPECT_EQ(number_text(1234.56), "1235");
    EXPECT_EQ(number_text(0.000012345), "1.234e-05");
    EXPECT_EQ(number_text(0.1, 17), "0.10000000000000001");
    EXPECT_EQ(number_text(2.0 / 3, 2), "0.67");
    EXPECT_EQ(number_text(infinity), "inf");
    EXPECT_EQ(number_text(-infinity), "-inf");
    EXPECT_EQ(number_text(std::numeric_limits<double>::quiet_NaN()), "nan");
    EXPECT_EQ(number_text(1.7976931348623157e308), "1.798e+308");
}

TEST(GivenText, ReadsBackAsTheNumberItWas) {
    EXPECT_EQ(given_text(0.05), "0.05");
    EXPECT_EQ(given_text(1.0000001), "1.0000001");
    EXPECT_EQ(given_text(0.1 + 0.2), "0.30000000000000004");
    EXPECT_EQ(given_text(-3), "-3");
    EXPECT_EQ(given_text(9007199254740994.0), "9007199254740994");
    EXPECT_EQ(given_text(1e300), "1e+300");
    EXPECT_EQ(given_text(-std::numeric_limits<double>::infinity()), "-inf");
    EXPECT_EQ(given_text(std::numeric_limits<double>::quiet_NaN()), "nan");
}

TEST(SecondsText, TwoLargestUnits) {
    EXPECT_EQ(seconds_text(0), "0s");
    EXPECT_EQ(seconds_text(0.5), "0.5s");
    EXPECT_EQ(seconds_text(45), "45s");
    EXPECT_EQ(seconds_text(60), "1m");
    EXPECT_EQ(seconds_text(760), "12m 40s");
    EXPECT_EQ(seconds_text(7500), "2h 5m");
    EXPECT_EQ(seconds_text(90'061), "1d 1h");
    EXPECT_EQ(seconds_text(59.6), "1m");
    EXPECT_EQ(seconds_text(86'400.0 * 400), "400d");
    EXPECT_EQ(seconds_text(-5), "-5s");
    EXPECT_EQ(seconds_text(infinity), "infs");
}

}  // namespace
