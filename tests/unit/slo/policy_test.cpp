#include <chrono>
#include <cmath>
#include <string>

#include <gtest/gtest.h>

#include <serinus/slo/policy.hpp>

namespace serinus::slo {
using namespace std::chrono_literals;
namespace {

Code code_of(auto&& action, std::string* sentence = nullptr) {
    try {
        action();
    } catch (const Error& error) {
        if (sentence) *sentence = error.what();
        return error.code();
    }
    return Code::none;
}

TEST(SreWorkbookPolicy, HasTheFactorsOfItsPeriod) {
    const Policy month = sre_workbook_policy();
    ASSERT_EQ(month.conditions.size(), 4U);
    const double thirty[] = {14.4, 6, 3, 1};
    const Policy four_weeks = sre_workbook_policy(std::chrono::days(28));
    const double twenty_eight[] = {13.44, 5.6, 2.8, 0.9333333333333333};
    for (std::size_t i = 0; i < 4; ++i) {
        EXPECT_EQ(month.conditions[i].factor, thirty[i]);
        EXPECT_EQ(four_weeks.conditions[i].factor, twenty_eight[i]);
        EXPECT_EQ(month.conditions[i].severity, i < 2 ? Severity::page : Severity::ticket);
        EXPECT_EQ(month.conditions[i].short_window * 12, month.conditions[i].long_window);
    }
    EXPECT_EQ(code_of([&] { check(month, {.budget = 0.001}); }), Code::none);
    EXPECT_EQ(code_of([] { sre_workbook_policy(0ms); }), Code::argument_range);
}

TEST(PolicyCheck, RefusesWhatCanNeverFireWithTheArithmetic) {
    std::string sentence;
    // The workbook's page at a target of 93 %: 14.4 x 0.07 = 1.008.
    EXPECT_EQ(code_of([] { check(sre_workbook_policy(), {.budget = 0.07}); }, &sentence), Code::slo_never_fires);
    EXPECT_NE(sentence.find("14.4 x 0.07 = 1.008"), std::string::npos) << sentence;
    // Half of the budget in a window: possible only above 0.5 x 30 d x 0.001 = 21.6 min.
    const Objective objective{.budget = 0.001};
    const auto halt = [&](std::chrono::milliseconds window) {
        return
            [&objective, window] { check(budget_share_condition("halt", 0.5, objective.period, window), objective); };
    };
    EXPECT_EQ(code_of(halt(21min + 36s), &sentence), Code::slo_never_fires);
    EXPECT_NE(sentence.find("21m36s"), std::string::npos) << sentence;
    EXPECT_NE(sentence.find("1000"), std::string::npos) << sentence;
    EXPECT_EQ(code_of(halt(21min + 37s)), Code::none);
    EXPECT_EQ(code_of(halt(1h)), Code::none);
}

TEST(PolicyCheck, RefusesWhatMeansNothing) {
    const Objective objective{.budget = 0.001};
    const Condition sound{.name = "a", .long_window = 1h, .short_window = 1min, .factor = 2};
    const auto refused = [&](auto&& change) {
        Condition condition = sound;
        change(condition);
        return code_of([&] { check(condition, objective); });
    };
    EXPECT_EQ(refused([](Condition&) {}), Code::none);
    EXPECT_EQ(refused([](Condition& c) { c.long_window = 0ms; }), Code::argument_range);
    EXPECT_EQ(refused([](Condition& c) { c.short_window = 0ms; }), Code::argument_range);
    EXPECT_EQ(refused([](Condition& c) { c.short_window = 1h + 1ms; }), Code::argument_range);
    EXPECT_EQ(refused([](Condition& c) { c.factor = 0; }), Code::argument_range);
    EXPECT_EQ(refused([](Condition& c) { c.factor = std::nan(""); }), Code::argument_range);
    EXPECT_EQ(refused([](Condition& c) { c.pending_for = -1ms; }), Code::argument_range);
    EXPECT_EQ(refused([](Condition& c) { c.keep_firing_for = -1ms; }), Code::argument_range);
    EXPECT_EQ(refused([](Condition& c) { c.factor = 1e300; }), Code::slo_never_fires);

    EXPECT_EQ(code_of([&] { check(Policy{}, objective); }), Code::argument_range);
    EXPECT_EQ(code_of([&] { check(Policy{.conditions = {sound, sound}}, objective); }), Code::argument_word);
    EXPECT_EQ(code_of([&] { check(Policy{.conditions = {sound}, .min_events = -1}, objective); }),
              Code::argument_range);
    EXPECT_EQ(code_of([&] { check(Policy{.conditions = {sound}, .min_probability = 1.0}, objective); }),
              Code::argument_range);
    EXPECT_EQ(code_of([&] { check(Policy{.conditions = {sound}, .min_probability = 0.95}, objective); }), Code::none);
}

}  // namespace
}  // namespace serinus::slo
