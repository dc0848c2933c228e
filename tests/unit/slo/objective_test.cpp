#include <chrono>
#include <cmath>
#include <random>
#include <string>

#include <gtest/gtest.h>

#include <serinus/slo/objective.hpp>

#include "support/code_of.hpp"

namespace serinus::slo {
using namespace std::chrono_literals;
namespace {

TEST(BudgetFromTarget, IsTheNumberNextToTheDecimalBudget) {
    EXPECT_EQ(budget_from_target("0.999"), 0.001);
    EXPECT_NE(1 - 0.999, 0.001);  // why the text is subtracted
    EXPECT_EQ(budget_from_target("99.9%"), 0.001);
    EXPECT_EQ(budget_from_target("99.9 %"), 0.001);
    EXPECT_EQ(budget_from_target("99.95%"), 0.0005);
    EXPECT_EQ(budget_from_target("99%"), 0.01);
    EXPECT_EQ(budget_from_target("9%"), 0.91);
    EXPECT_EQ(budget_from_target("0.9%"), 0.991);
    EXPECT_EQ(budget_from_target(".5"), 0.5);
    EXPECT_EQ(budget_from_target("00.9990"), 0.001);
    EXPECT_EQ(budget_from_target("0.9999999999"), 1e-10);
    EXPECT_EQ(budget_from_target("99.999999999999999999999%"), 1e-23);
}

TEST(BudgetFromTarget, ANumberMeansItsShortestText) {
    EXPECT_EQ(budget_from_target(0.999), 0.001);
    EXPECT_EQ(budget_from_target(0.9995), 0.0005);
    EXPECT_EQ(budget_from_target(0.5), 0.5);
    EXPECT_EQ(code_of([] { budget_from_target(1.0); }), Code::slo_target);
    EXPECT_EQ(code_of([] { budget_from_target(0.0); }), Code::slo_target);
    EXPECT_EQ(code_of([] { budget_from_target(std::nan("")); }), Code::slo_target);
    EXPECT_EQ(code_of([] { budget_from_target(99.9); }), Code::slo_target);
}

TEST(BudgetFromTarget, EveryTargetOfSixPlacesHasItsBudget) {
    std::mt19937 random(7);
    std::uniform_int_distribution<int> millionths(1, 999'999);
    for (int i = 0; i < 20'000; ++i) {
        const int budget = millionths(random);
        std::string target = std::to_string(1'000'000 - budget);
        target = "0." + std::string(6 - target.size(), '0') + target;
        EXPECT_EQ(budget_from_target(target), budget / 1e6) << target;  // both are correctly rounded
    }
}

TEST(BudgetFromTarget, RefusesWhatIsNoTarget) {
    for (const char* text : {"",       "%",      ".",      "1",    "1.0",  "0",     "0.0",
                             "100%",   "0%",     "99,9%",  "-0.5", "1e-3", "0.9.9", "abc",
                             "0.999 ", " 0.999", "99.9%%", "nan",  "2",    "150%",  "0.000000000000000000001"}) {
        EXPECT_EQ(code_of([&] { budget_from_target(text); }), Code::slo_target) << text;
    }
}

TEST(Objective, IsChecked) {
    EXPECT_EQ(code_of([] { check(Objective{.budget = 0.001}); }), Code::none);
    EXPECT_EQ(code_of([] { check(Objective{}); }), Code::argument_range);
    EXPECT_EQ(code_of([] { check(Objective{.budget = 1}); }), Code::argument_range);
    EXPECT_EQ(code_of([] { check(Objective{.budget = std::nan("")}); }), Code::argument_range);
    EXPECT_EQ(code_of([] { check(Objective{.budget = 0.01, .period = 0ms}); }), Code::argument_range);
    EXPECT_EQ(code_of([] { check(Objective{.budget = 0.01, .expected_events = 0.0}); }), Code::argument_range);
    EXPECT_EQ(code_of([] { check(Objective{.budget = 0.01, .expected_events = 1e9}); }), Code::none);
}

TEST(Objective, FactorsAndSharesAreInverse) {
    constexpr std::chrono::milliseconds hour = 1h, month = std::chrono::days(30);
    EXPECT_DOUBLE_EQ(factor_of_share(0.02, month, hour), 14.4);
    EXPECT_DOUBLE_EQ(factor_of_share(0.5, month, hour), 360);
    EXPECT_DOUBLE_EQ(share_of_factor(14.4, month, hour), 0.02);
}

}  // namespace
}  // namespace serinus::slo
