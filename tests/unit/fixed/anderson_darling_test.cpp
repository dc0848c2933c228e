#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/fixed/anderson_darling.hpp>

#include "support/reference.hpp"

namespace {

using namespace serinus;
using namespace reference;
using Values = std::vector<double>;

TEST(AndersonDarling, StatisticsAgreeWithSciPyAndKSamples) {
    const int seen =
        for_each_pair("anderson_ksamp", [&](const auto& one, const Values& baseline, const Values& canary) {
            if (!one["options"]["midrank"].template get<bool>()) return;
            const auto found = anderson_darling(baseline, canary, {.method = QuadraticMethod::asymptotic});
            expect_close(found.statistic, number(one["outputs"]["statistic"]), 1e-9, 1e-11);
            // SciPy's table is interpolated by a parabola in the logarithm of p.
            const double p = number(one["outputs"]["pvalue"]);
            if (p > 0.001 && p < 0.25) {
                EXPECT_NEAR(found.p_value, p, 0.02);
            }
        });
    EXPECT_GE(seen, 80);
    for_each_pair("ad.test", [&](const auto& one, const Values& baseline, const Values& canary) {
        const double t = number(one["outputs"]["T2"]);
        if (std::isnan(t)) return;
        const auto found = anderson_darling(baseline, canary);
        // kSamples prints AD to three or four significant digits and T to five.
        expect_close(found.a_squared, number(one["outputs"]["AD2"]), 5e-3, 1e-3);
        expect_close(found.statistic, t, 2e-3, 1e-3);
    });
}

TEST(AndersonDarling, Edges) {
    EXPECT_TRUE(anderson_darling(Values{1, 2}, Values{3}).degenerate);
    EXPECT_TRUE(anderson_darling(Values{2, 2, 2}, Values{2, 2}).degenerate);
    EXPECT_EQ(anderson_darling(Values{}, Values{2, 2, 5, 6}).p_value, 1);
    const Values b{1, 4, 2, 8}, c{3, 9, 9, 12, 40};
    EXPECT_NEAR(anderson_darling(b, c).a_squared, anderson_darling(c, b).a_squared, 1e-13);
}

}  // namespace
