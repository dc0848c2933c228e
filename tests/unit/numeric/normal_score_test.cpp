#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include <serinus/numeric/normal_score.hpp>
#include <serinus/numeric/special.hpp>

namespace {

using serinus::normal_score;
constexpr double infinity = std::numeric_limits<double>::infinity();

// Expected values: mpmath 1.4 at 40 digits, sqrt(2) erfinv(2 p - 1).
TEST(NormalScore, IsTheQuantile) {
    EXPECT_EQ(normal_score(0.5), 0);
    EXPECT_NEAR(normal_score(0.975), 1.9599639845400542355, 1e-15);
    EXPECT_NEAR(normal_score(0.95), 1.6448536269514722, 1e-15);
    EXPECT_NEAR(normal_score(1e-10) / -6.361340902404056, 1, 2e-15);
    EXPECT_NEAR(normal_score(1e-20) / -9.262340089798408, 1, 2e-15);
}

TEST(NormalScore, AgreesWithBoost) {
    // 1e-13: Boost's own claim is a few units in the last place, and both round p - 1/2 and 1 - p.
    for (int k = 1; k < 4000; ++k) {
        const double p = k / 4000.0, expected = serinus::normal_quantile(p);
        EXPECT_NEAR(normal_score(p), expected, 1e-13 * std::max(1.0, std::fabs(expected))) << p;
        EXPECT_NEAR(normal_score(1 - p), -normal_score(p), 1e-12);
        if (k > 1) {
            EXPECT_GT(normal_score(p), normal_score(p - 1 / 4000.0));
        }
    }
}

TEST(NormalScore, EndsAndWhatIsNoProbability) {
    EXPECT_EQ(normal_score(0), -infinity);
    EXPECT_EQ(normal_score(1), infinity);
    for (const double p : {-0.1, 1.1, infinity, -infinity, std::nan("")}) EXPECT_TRUE(std::isnan(normal_score(p)));
}

// The bits themselves: another compiler, another machine, the same.
TEST(NormalScore, Bits) {
    EXPECT_EQ(normal_score(0.7), 0x1.0c7e39582c5fap-1);
    EXPECT_EQ(normal_score(0.99), 0x1.29c5c4630ff0ep+1);
    EXPECT_EQ(normal_score(1e-12), -0x1.c234fba57a32ap+2);
}

}  // namespace
