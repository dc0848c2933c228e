#include <chrono>
#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/slo/error_budget.hpp>

#include "support/code_of.hpp"

namespace serinus::slo {
namespace {

constexpr std::int64_t day = 86'400'000;

WindowBurn period(double bad, double total, double coverage = 1) {
    return {.window = std::chrono::milliseconds(30 * day), .bad = bad, .total = total, .coverage = coverage};
}

TEST(ErrorBudget, CountsEvents) {
    Objective objective{.budget = 0.001, .expected_events = 1e6};
    ErrorBudget budget = error_budget(objective, period(250, 4e5));
    EXPECT_EQ(budget.allowed_bad, 1000);
    EXPECT_EQ(budget.consumed, 0.25);
    EXPECT_EQ(budget.remaining, 0.75);
    budget = error_budget(objective, period(2500, 4e5));
    EXPECT_EQ(budget.remaining, -1.5);  // never clamped
    EXPECT_EQ(consumed_share(budget, {.window = std::chrono::hours(1), .bad = 50, .total = 1e3}), 0.05);
}

TEST(ErrorBudget, LearnsTheEventsOfThePeriodFromTheShareThatWasSeen) {
    const Objective objective{.budget = 0.001};
    EXPECT_EQ(error_budget(objective, period(100, 1e6)).consumed, 0.1);        // the burn rate of the period
    EXPECT_EQ(error_budget(objective, period(100, 1e6, 0.5)).consumed, 0.05);  // half of it is still to come
    EXPECT_EQ(error_budget(objective, period(0, 0)).consumed, 0);              // no event: nothing consumed
    const double nan = std::numeric_limits<double>::quiet_NaN();
    EXPECT_TRUE(std::isnan(error_budget(objective, period(nan, 1e6)).consumed));
    EXPECT_TRUE(std::isnan(error_budget(objective, period(nan, nan, 0)).remaining));
    EXPECT_EQ(code_of([] { error_budget({}, period(1, 2)); }), Code::argument_range);
}

TEST(ErrorBudget, LastsUntil) {
    const Objective objective{.budget = 0.001};
    const double infinity = std::numeric_limits<double>::infinity();
    EXPECT_EQ(time_to_exhaustion(objective, 1, 1).count(), 30.0 * day);
    EXPECT_DOUBLE_EQ(time_to_exhaustion(objective, 0.5, 14.4).count(), 0.5 * 30 * day / 14.4);
    EXPECT_EQ(time_to_exhaustion(objective, 0.5, 0).count(), infinity);
    EXPECT_EQ(time_to_exhaustion(objective, 0.5, -1).count(), infinity);
    EXPECT_EQ(time_to_exhaustion(objective, 0, 0).count(), 0);
    EXPECT_EQ(time_to_exhaustion(objective, -2, 5).count(), 0);
    EXPECT_TRUE(std::isnan(time_to_exhaustion(objective, std::nan(""), 1).count()));
    EXPECT_TRUE(std::isnan(time_to_exhaustion(objective, 1, std::nan("")).count()));
}

}  // namespace
}  // namespace serinus::slo
