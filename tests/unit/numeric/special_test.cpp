#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include <serinus/numeric/special.hpp>

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

// What the library promises of functions through Boost.Math.
constexpr double tolerance = 1e-12;

#define EXPECT_RELATIVE(actual, expected) EXPECT_NEAR((actual) / (expected), 1, tolerance)

// Expected values: mpmath 1.3 at 40 digits.

TEST(Special, normal_quantile) {
    EXPECT_RELATIVE(serinus::normal_quantile(0.025), -1.9599639845400542355);
    EXPECT_RELATIVE(serinus::normal_quantile(0.3), -0.52440051270804078404);
    EXPECT_RELATIVE(serinus::normal_quantile(1e-20), -9.2623400897984075737);
    EXPECT_RELATIVE(serinus::normal_quantile(0.999), 3.0902323061678135415);
    EXPECT_EQ(serinus::normal_quantile(0), -infinity);
    EXPECT_EQ(serinus::normal_quantile(1), infinity);
    EXPECT_TRUE(std::isnan(serinus::normal_quantile(-0.1)));
    EXPECT_TRUE(std::isnan(serinus::normal_quantile(nan)));
}

TEST(Special, incomplete_beta) {
    EXPECT_RELATIVE(serinus::incomplete_beta(2.5, 4, 0.3), 0.35219758590676723646);
    EXPECT_RELATIVE(serinus::incomplete_beta_upper(2.5, 4, 0.3), 0.64780241409323276354);
    EXPECT_RELATIVE(serinus::incomplete_beta(100, 900, 0.08), 0.013147929052280226432);
    EXPECT_RELATIVE(serinus::incomplete_beta_upper(0.5, 0.5, 0.01), 0.93623143914148015208);
    EXPECT_RELATIVE(serinus::incomplete_beta_inverse(2.5, 4, 0.35219758590676723646), 0.3);
    EXPECT_RELATIVE(serinus::incomplete_beta_upper_inverse(100, 900, 0.98685207094771977357), 0.08);
}

TEST(Special, incomplete_gamma) {
    EXPECT_RELATIVE(serinus::incomplete_gamma(3, 2.5), 0.456186884116670482);
    EXPECT_RELATIVE(serinus::incomplete_gamma_upper(0.5, 7), 0.00018281063298183503176);
    EXPECT_RELATIVE(serinus::incomplete_gamma_upper(100, 90), 0.8417790108135698319);
    EXPECT_RELATIVE(serinus::incomplete_gamma_inverse(100, 0.1582209891864301681), 90);
    EXPECT_RELATIVE(serinus::incomplete_gamma_upper_inverse(0.5, 0.00018281063298183503176), 7);
}

TEST(Special, log_gamma_and_log_choose) {
    EXPECT_RELATIVE(serinus::log_gamma(0.5), 0.57236494292470008707);
    EXPECT_RELATIVE(serinus::log_gamma(10.25), 13.368023671476046295);
    EXPECT_RELATIVE(serinus::log_gamma(1e6), 12815504.569147611660);
    EXPECT_RELATIVE(serinus::log_choose(2880, 1440), 1992.0552290678789566);
    EXPECT_RELATIVE(serinus::log_choose(1000, 60), 224.03095519296952958);
    // Where log-gammas of 1e9 would cancel.
    EXPECT_RELATIVE(serinus::log_choose(1e9, 3), 60.378038038611178465);
    EXPECT_EQ(serinus::log_choose(1e9, 1e9), 0);
}

TEST(Special, errors_are_values) {
    EXPECT_TRUE(std::isnan(serinus::incomplete_beta(-1, 2, 0.5)));
    EXPECT_TRUE(std::isnan(serinus::incomplete_beta(1, 2, 1.5)));
    EXPECT_TRUE(std::isnan(serinus::incomplete_beta_inverse(1, 2, -0.5)));
    EXPECT_TRUE(std::isnan(serinus::incomplete_gamma(-1, 2)));
    EXPECT_TRUE(std::isnan(serinus::incomplete_gamma(1, -2)));
    EXPECT_EQ(serinus::log_gamma(1e308), infinity);
}

}  // namespace
