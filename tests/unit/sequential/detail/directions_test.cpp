// One e-process a direction, and the evidence of all of them.

#include <cmath>
#include <numbers>

#include <gtest/gtest.h>

#include <serinus/sequential/detail/directions.hpp>
#include <serinus/sequential/detail/sides.hpp>
#include <serinus/sequential/proportion.hpp>

#include "support/code_of.hpp"

namespace {

using namespace serinus;
using namespace serinus::sequential;
using namespace serinus::sequential::detail;

TEST(Directions, AreMadeByHarm) {
    const auto make = [](bool increase) { return increase ? +1 : -1; };
    const Directions<int> up(Harm::increase, Side::harm, make), down(Harm::decrease, Side::harm, make),
        both(Harm::either, Side::harm, make);
    ASSERT_EQ(up.size(), 1U);
    EXPECT_EQ(up.front(), +1);
    ASSERT_EQ(down.size(), 1U);
    EXPECT_EQ(down.front(), -1);
    ASSERT_EQ(both.size(), 2U);
    EXPECT_EQ(both.front(), +1);
    EXPECT_EQ(both.back(), -1);
}

TEST(Directions, TogetherAreTheMeanForHarmAndTheSmallerForSafety) {
    const auto make = [](bool increase) { return increase ? 3.0 : 1.0; };
    const auto log = [](double value) { return value; };
    const Directions<double> harm(Harm::either, Side::harm, make), safe(Harm::either, Side::safe, make),
        one(Harm::increase, Side::harm, make);
    EXPECT_NEAR(harm.together(log), std::log((std::exp(3) + std::exp(1)) / 2), 1e-15);
    EXPECT_GE(harm.at_most(log), harm.together(log));
    EXPECT_EQ(safe.together(log), 1);
    EXPECT_EQ(safe.at_most(log), 1);
    EXPECT_EQ(one.together(log), 3);
}

TEST(SidedEvidence, DecidesAtTheErrorRateOfItsSide) {
    ProportionOptions options = checked_sides(ProportionOptions{.alpha = 0.01, .alpha_safe = 0.2});
    SidedEvidence harm(options);
    options.side = Side::safe;
    SidedEvidence safe(options);
    EXPECT_DOUBLE_EQ(harm.log_needed(), std::log(100));
    EXPECT_DOUBLE_EQ(safe.log_needed(), std::log(5));
    EXPECT_EQ(harm.p_value(), 1);
    for (SidedEvidence* one : {&harm, &safe}) {
        one->note(-3);
        EXPECT_EQ(one->log_largest(), 0);
        one->note(2);
        one->note(1);
        EXPECT_EQ(one->log_largest(), 2);
        EXPECT_DOUBLE_EQ(one->p_value(), std::exp(-2));
    }
    EXPECT_FALSE(harm.decided());
    EXPECT_TRUE(safe.decided());
    EXPECT_EQ(code_of([] { checked_sides(ProportionOptions{.alpha_safe = 1.0}); }), Code::argument_range);
    EXPECT_EQ(*checked_sides(ProportionOptions{.alpha = 0.3}).alpha_safe, 0.3);
}

}  // namespace
