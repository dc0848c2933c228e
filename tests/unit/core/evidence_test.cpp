#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include <serinus/core/evidence.hpp>

namespace {

using namespace serinus;

// Before any observation nothing is known: bounds are the whole line, and no confidence is claimed.
TEST(Evidence, OfNothing) {
    const Evidence none;
    EXPECT_EQ(none.log_e_value, 0);
    EXPECT_EQ(none.p_value, 1);
    EXPECT_TRUE(std::isnan(none.estimate));
    EXPECT_EQ(none.lower, -std::numeric_limits<double>::infinity());
    EXPECT_EQ(none.upper, std::numeric_limits<double>::infinity());
    EXPECT_EQ(none.confidence, 0);
    EXPECT_TRUE(none.method.empty());
}

TEST(Margin, NeitherIsTheOther) {
    EXPECT_EQ((Margin{.ratio = 1.5}), (Margin{.ratio = 1.5}));
    EXPECT_NE((Margin{.ratio = 1.5}), (Margin{.difference = 1.5}));
    EXPECT_NE((Margin{.ratio = 1.5}), Margin{});
}

}  // namespace
