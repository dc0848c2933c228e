#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <serinus/core/error.hpp>
#include <serinus/fixed/brunner_munzel.hpp>
#include <serinus/fixed/equivalence.hpp>
#include <serinus/fixed/rate.hpp>
#include <serinus/fixed/welch.hpp>

#include "support/draws.hpp"
#include "support/reference.hpp"

namespace {

using namespace serinus;
using namespace reference;
using namespace support;
using Random = std::mt19937_64;
using Values = std::vector<double>;
constexpr double infinity = std::numeric_limits<double>::infinity();

TEST(Equivalence, WhatAnIntervalProves) {
    EXPECT_TRUE(equivalence(0.95, 1.05, {.ratio = 1.1}).equivalent);
    EXPECT_EQ(equivalence(0.5, 1.05, {.ratio = 1.1}).verdict, Verdict::pass);
    EXPECT_FALSE(equivalence(0.5, 1.05, {.ratio = 1.1}).equivalent);
    EXPECT_EQ(equivalence(0.5, 1.2, {.ratio = 1.1}).verdict, Verdict::inconclusive);
    EXPECT_EQ(equivalence(1.11, 1.2, {.ratio = 1.1}).verdict, Verdict::fail);
    EXPECT_EQ(equivalence(1.11, 1.2, {.ratio = 1.1}, Harm::decrease).verdict, Verdict::pass);
    EXPECT_EQ(equivalence(-9, -6, {.difference = 5.0}, Harm::decrease).verdict, Verdict::fail);
    EXPECT_EQ(equivalence(-9, -6, {.difference = 5.0}, Harm::either).verdict, Verdict::fail);
    EXPECT_EQ(equivalence(-infinity, infinity, {.difference = 5.0}).verdict, Verdict::inconclusive);
    EXPECT_THROW(equivalence(2, 1, {.difference = 5.0}), Error);
    EXPECT_THROW(equivalence(1, 2, {.ratio = 0.9}), Error);
    EXPECT_THROW(equivalence(1, 2, {}), Error);
}

Rate rate(const nlohmann::json& one, const std::string& arm) {
    return {count(one["inputs"]["count" + arm]), number(one["inputs"]["exposure" + arm])};
}

TEST(Equivalence, TwoOneSidedTests) {
    int seen = 0;
    for_each_pair("ttost_ind", [&](const auto& one, const Values& baseline, const Values& canary) {
        if (one["options"]["usevar"] != "unequal" || !finite(baseline) || !finite(canary)) return;
        const std::string name = one["inputs"]["dataset"];
        if (name == "huge_offset" || name == "denormal" || name == "huge") return;  // as above
        const auto above = welch(
            baseline, canary, {.margin = {.difference = one["options"]["low"]}, .alternative = Alternative::greater});
        const auto below = welch(baseline, canary,
                                 {.margin = {.difference = one["options"]["upp"]}, .alternative = Alternative::less});
        if (above.degenerate) return;  // statsmodels: NaN or infinite
        ++seen;
        const auto& outputs = one["outputs"];
        expect_close(std::max(above.p_value, below.p_value), number(outputs["pvalue"]));
        expect_close(above.statistic, number(outputs["lower"][0]), 1e-9, 1e-12);
        expect_close(below.statistic, number(outputs["upper"][0]), 1e-9, 1e-12);
        expect_close(above.p_value, number(outputs["lower"][1]), 1e-9, 1e-300);
        expect_close(below.p_value, number(outputs["upper"][1]), 1e-9, 1e-300);
        // And the interval that `equivalence` looks at: both at 5 % are one of 90 %.
        const auto interval = welch(baseline, canary, {.confidence = 0.90});
        EXPECT_EQ(std::max(above.p_value, below.p_value) < 0.05, interval.lower > -0.5 && interval.upper < 0.5);
    });
    EXPECT_GE(seen, 30);
    seen = for_each_case("tost_poisson_2indep", [&](const auto& one) {
        const auto p = [&](const char* end, Alternative side) {
            return rate_test(
                       rate(one, "2"), rate(one, "1"),
                       {.margin = {.ratio = one["options"][end]}, .alternative = side, .method = RateTestMethod::score})
                .p_value;
        };
        const double larger = std::max(p("low", Alternative::greater), p("upp", Alternative::less));
        const double expected = number(one["outputs"]["pvalue"]);
        // No events at all: 0/0 there, nothing proven here.
        expect_close(larger, std::isnan(expected) ? 1 : expected);
    });
    EXPECT_EQ(seen, 7);
    seen = 0;
    for_each_pair("rank_compare_2indep", [&](const auto& one, const Values& baseline, const Values& canary) {
        const auto above = brunner_munzel(baseline, canary, {.margin = 0.4, .alternative = Alternative::greater});
        const auto below = brunner_munzel(baseline, canary, {.margin = 0.6, .alternative = Alternative::less});
        if (above.degenerate) return;
        ++seen;
        expect_close(std::max(above.p_value, below.p_value), number(one["outputs"]["tost_prob_pvalue_0.4_0.6"]));
    });
    EXPECT_GE(seen, 30);
}

TEST(Equivalence, PassesAtMostAtItsLevelOnTheMargin) {
    Random random(109);
    Share passed;
    for (int round = 0; round < 4000; ++round) {
        const auto found = welch(normal(40, 0, 1, random), normal(40, 0.8, 1, random), {.confidence = 0.90});
        passed.add(equivalence(found.lower, found.upper, {.difference = 0.8}).equivalent);
    }
    passed.expect_size();
    EXPECT_GE(passed.share(), 0.03);
}

}  // namespace
