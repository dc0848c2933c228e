#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/core/error.hpp>
#include <serinus/fixed/welch.hpp>

#include "support/reference.hpp"

namespace {

using namespace serinus;
using namespace reference;
using Values = std::vector<double>;
constexpr double infinity = std::numeric_limits<double>::infinity();

TEST(Welch, AgreesWithSciPyAndR) {
    int compared = 0;
    for_each_pair("ttest_welch", [&](const auto& one, const Values& baseline, const Values& canary) {
        if (!finite(baseline) || !finite(canary)) {
            EXPECT_THROW(welch(baseline, canary), Error);
            return;
        }
        const auto found = welch(baseline, canary, {.alternative = alternative(one)});
        if (found.degenerate) return;
        const double expected = number(one["outputs"]["pvalue"]);
        // Where SciPy over- or underflows.
        if (std::isnan(expected) || one["inputs"]["dataset"] == "denormal") return;
        if (one["inputs"]["dataset"] == "huge_offset") {
            // At 1e15 SciPy's means are rounded to eighths. In exact fractions it is:
            expect_close(found.statistic, -1.1414965024377035, 1e-14);
            return;
        }
        ++compared;
        const double relative = 1e-9;
        expect_close(found.statistic, number(one["outputs"]["statistic"]), relative, 1e-10);
        expect_close(found.df, number(one["outputs"]["df"]), 1e-9);
        expect_close(found.p_value, expected, relative);
        if (one["outputs"].contains("ci95")) {
            const auto& ends = one["outputs"]["ci95"];
            const double size = std::fabs(found.estimate);
            expect_close(found.lower, number(ends[0]), relative, 1e-9 * size);
            expect_close(found.upper, number(ends[1]), relative, 1e-9 * size);
        }
    });
    EXPECT_GE(compared, 90);
}

TEST(Welch, EdgesOfTheDoublesAndConstants) {
    const Values b{3, 1, 4, 1, 5}, c{9, 2, 6, 5};
    const auto plain = welch(b, c);
    for (const int exponent : {-1072, -600, 600, 1020}) {
        Values scaled_b, scaled_c;
        for (const double v : b) scaled_b.push_back(std::ldexp(v, exponent));
        for (const double v : c) scaled_c.push_back(std::ldexp(v, exponent));
        const auto found = welch(scaled_b, scaled_c);
        EXPECT_EQ(found.statistic, plain.statistic);
        EXPECT_EQ(found.p_value, plain.p_value);
    }
    const auto huge = welch(Values{-1e308, -1e308, -1.1e308}, Values{1e308, 1.2e308, 1.1e308});
    EXPECT_EQ(huge.estimate, infinity);  // 2e308 is no double
    EXPECT_LT(huge.p_value, 0.01);
    const auto constant = welch(Values{0.1, 0.1, 0.1}, Values{0.3, 0.3, 0.3});
    EXPECT_TRUE(constant.degenerate);
    EXPECT_EQ(constant.statistic, infinity);
    EXPECT_NEAR(constant.p_value, 0.1, 1e-15);
    EXPECT_EQ(welch(Values{0.1, 0.1, 0.1}, Values{0.1, 0.1}).p_value, 1);
    EXPECT_TRUE(welch(Values{1}, Values{2, 3}).degenerate);
    EXPECT_TRUE(std::isnan(welch(Values{}, Values{2, 3}).estimate));
    // Rejecting the ends of the interval is exactly 1 - confidence.
    EXPECT_NEAR(welch(b, c, {.margin = {.difference = plain.upper}}).p_value, 0.05, 1e-12);
    EXPECT_THROW(welch(b, c, {.confidence = 1}), Error);
    EXPECT_THROW(welch(Values{1, infinity}, c), Error);
}

TEST(Welch, AgreesWithTheTTestOfR) {
    int seen = 0;
    for_each_pair("t.test", [&](const auto& one, const Values& baseline, const Values& canary) {
        const std::string name = one["inputs"]["dataset"];
        // R rounds each mean at 1e15 to eighths (the exact fractions are above) and squares denormal
        // and huge values to 0 and to infinity.
        if (name == "huge_offset" || name == "denormal" || name == "huge" || !finite(baseline) || !finite(canary))
            return;
        const auto found = welch(baseline, canary, {.alternative = alternative(one)});
        const auto& outputs = one["outputs"];
        expect_close(found.statistic, number(outputs["statistic"]), 1e-9, 1e-12);
        expect_close(found.df, number(outputs["df"]));
        expect_close(found.p_value, number(outputs["p.value"]));
        // Ends near 0 are what is left of a subtraction.
        const double size = std::fabs(number(outputs["estimate"][0])) + std::fabs(number(outputs["estimate"][1]));
        expect_close(found.estimate, number(outputs["estimate"][0]) - number(outputs["estimate"][1]), 1e-9,
                     1e-14 * size);
        expect_close(found.lower, number(outputs["conf.int"][0]), 1e-9, 1e-12 * size);
        expect_close(found.upper, number(outputs["conf.int"][1]), 1e-9, 1e-12 * size);
        ++seen;
    });
    EXPECT_GE(seen, 100);
}

}  // namespace
