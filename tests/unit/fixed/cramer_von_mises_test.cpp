#include <algorithm>
#include <cmath>
#include <cstddef>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/core/error.hpp>
#include <serinus/fixed/cramer_von_mises.hpp>

#include "support/arrangements.hpp"
#include "support/reference.hpp"

namespace {

using namespace serinus;
using namespace reference;
using namespace support;
using Values = std::vector<double>;

TEST(CramerVonMises, AgreesWithSciPy) {
    int exact = 0;
    const int seen =
        for_each_pair("cramervonmises_2samp", [&](const auto& one, const Values& baseline, const Values& canary) {
            const double expected = number(one["outputs"]["pvalue"]);
            // All values equal: SciPy's midranks make 0.27 of it.
            if (std::isnan(expected) || cramer_von_mises(baseline, canary).degenerate) return;
            const bool counted = one["options"]["method"] == "exact";
            const auto found = cramer_von_mises(
                baseline, canary, {.method = counted ? QuadraticMethod::exact : QuadraticMethod::asymptotic});
            expect_close(found.statistic, number(one["outputs"]["statistic"]), 1e-9, 1e-12);
            exact += counted ? 1 : 0;
            // SciPy's asymptotic p is 1 minus a sum that is good to 3e-8 far out.
            expect_close(found.p_value, expected, 1e-9, counted ? 0 : expected < 1e-7 ? 3e-8 : 1e-9);
        });
    EXPECT_GE(seen, 50);
    EXPECT_GE(exact, 5);
}

TEST(CramerVonMises, ExactIsWhatAllArrangementsSay) {
    std::mt19937_64 random(2);
    for (int round = 0; round < 25; ++round) {
        const std::size_t m = 2 + random() % 4, n = 2 + random() % 4;
        Values pooled(m + n);
        for (std::size_t i = 0; i < pooled.size(); ++i) pooled[i] = static_cast<double>(i);
        std::shuffle(pooled.begin(), pooled.end(), random);
        const Values canary(pooled.begin(), pooled.begin() + static_cast<std::ptrdiff_t>(m));
        const Values baseline(pooled.begin() + static_cast<std::ptrdiff_t>(m), pooled.end());
        const auto found = cramer_von_mises(baseline, canary);
        ASSERT_EQ(found.method, QuadraticMethod::exact);
        double beyond = 0, all = 0;
        for_each_arrangement(pooled, m, [&](const Values& first, const Values& second) {
            beyond += cramer_von_mises(second, first).statistic >= found.statistic - 1e-12 ? 1 : 0;
            all += 1;
        });
        EXPECT_NEAR(found.p_value, beyond / all, 1e-13);
    }
}

TEST(CramerVonMises, EdgesAndErrors) {
    EXPECT_TRUE(cramer_von_mises(Values{1}, Values{1, 2}).degenerate);
    EXPECT_TRUE(cramer_von_mises(Values{1, 1}, Values{1, 1}).degenerate);
    EXPECT_EQ(cramer_von_mises(Values{1, 1}, Values{1, 1}).p_value, 1);
    EXPECT_THROW(cramer_von_mises(Values{1, 1, 2}, Values{3, 4}, {.method = QuadraticMethod::exact}), Error);
    EXPECT_THROW(cramer_von_mises(Values(2100, 1), Values{3, 4}, {.method = QuadraticMethod::exact}), Error);
}

}  // namespace
