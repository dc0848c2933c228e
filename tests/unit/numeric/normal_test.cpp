#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include <serinus/numeric/normal.hpp>

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

#define EXPECT_RELATIVE(actual, expected) EXPECT_NEAR((actual) / (expected), 1, 1e-12)

// Expected values: mpmath 1.3 at 40 digits.

TEST(Normal, TailsKeepTheirDigits) {
    EXPECT_RELATIVE(serinus::normal_survival(0.5), 0.30853753872598689636);
    EXPECT_RELATIVE(serinus::normal_survival(1.96), 0.024997895148220434137);
    EXPECT_RELATIVE(serinus::normal_survival(6), 9.865876450376981407e-10);
    EXPECT_RELATIVE(serinus::normal_survival(-3), 0.99865010196836990547);
    EXPECT_RELATIVE(serinus::normal_survival(30), 4.9067139271481870595e-198);
    EXPECT_RELATIVE(serinus::normal_survival(37), 5.7255712225245768227e-300);
    EXPECT_EQ(serinus::normal_survival(0), 0.5);
    EXPECT_EQ(serinus::normal_survival(infinity), 0);
    EXPECT_EQ(serinus::normal_survival(-infinity), 1);
    EXPECT_TRUE(std::isnan(serinus::normal_survival(nan)));
    EXPECT_EQ(serinus::normal_cdf(-6), serinus::normal_survival(6));
    EXPECT_RELATIVE(serinus::normal_density(1), 0.24197072451914334980);
}

}  // namespace
