#include <cmath>
#include <limits>
#include <string>

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

TEST(ParseNumber, AsPeopleAndPrometheusWriteIt) {
    EXPECT_EQ(parse_number("12.5"), 12.5);
    EXPECT_EQ(parse_number("+1e3"), 1000);
    EXPECT_EQ(parse_number("-.5"), -0.5);
    EXPECT_EQ(parse_number("+Inf"), infinity);
    EXPECT_EQ(parse_number("-infinity"), -infinity);
    EXPECT_TRUE(std::isnan(*parse_number("NaN")));
    for (const std::string text : {"", "+", "x", "1,5", "1 ", " 1", "0x10", "1e400", "--1", "nanny"})
        EXPECT_FALSE(parse_number(text)) << text;
    for (const double value : {1.0 / 3, 1e-300, 0.30000000000000004, -2.5e17})
        EXPECT_EQ(parse_number(given_text(value)), value);
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

TEST(Lists, AsASentenceHasThem) {
    EXPECT_EQ(joined({"a", "b", "c"}), "a, b, c");
    EXPECT_EQ(joined({"a", "b"}, "; "), "a; b");
    EXPECT_EQ(listed({}), "");
    EXPECT_EQ(listed({"a"}), "a");
    EXPECT_EQ(listed({"a", "b"}), "a and b");
    EXPECT_EQ(listed({"a", "b", "c"}), "a, b and c");
}

}  // namespace
