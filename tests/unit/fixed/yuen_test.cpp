#include <cmath>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/core/error.hpp>
#include <serinus/fixed/welch.hpp>
#include <serinus/fixed/yuen.hpp>

#include "support/reference.hpp"

namespace {

using namespace serinus;
using namespace reference;
using Values = std::vector<double>;

TEST(Yuen, AgreesWithSciPy) {
    int compared = 0;
    for_each_pair("ttest_yuen", [&](const auto& one, const Values& baseline, const Values& canary) {
        if (!finite(baseline) || !finite(canary)) return;
        const auto found = yuen(baseline, canary, {.trim = one["options"]["trim"], .alternative = alternative(one)});
        const double expected = number(one["outputs"]["pvalue"]);
        const std::string name = one["inputs"]["dataset"];
        if (found.degenerate || std::isnan(expected) || name == "denormal" || name == "huge_offset") return;
        ++compared;
        const double relative = 1e-9;
        expect_close(found.statistic, number(one["outputs"]["statistic"]), relative, 1e-10);
        expect_close(found.df, number(one["outputs"]["df"]), relative);
        expect_close(found.p_value, expected, relative);
    });
    EXPECT_GE(compared, 80);
    const Values b{3, 1, 4, 1, 5, 9, 2, 6}, c{2, 7, 1, 8, 2, 8};
    // Sorted values are added in another order.
    EXPECT_NEAR(yuen(b, c, {.trim = 0}).p_value, welch(b, c).p_value, 1e-14);
    EXPECT_THROW(yuen(b, c, {.trim = 0.5}), Error);
}

}  // namespace
