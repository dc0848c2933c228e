#include <algorithm>
#include <cmath>
#include <cstddef>
#include <random>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/core/error.hpp>
#include <serinus/fixed/kolmogorov_smirnov.hpp>

#include "support/arrangements.hpp"
#include "support/draws.hpp"
#include "support/reference.hpp"

namespace {

using namespace serinus;
using namespace reference;
using namespace support;
using Random = std::mt19937_64;
using Values = std::vector<double>;

TEST(KolmogorovSmirnov, AgreesWithR) {
    int exact = 0, less_with_ties = 0;
    const int seen = for_each_pair("ks.test", [&](const auto& one, const Values& baseline, const Values& canary) {
        const bool counted = one["options"]["exact"];
        // R's `greater` is that of the distribution function.
        const auto found = kolmogorov_smirnov(
            baseline, canary,
            {.alternative = mirrored(alternative(one)),
             .method = counted ? KolmogorovSmirnovMethod::exact : KolmogorovSmirnovMethod::asymptotic});
        expect_close(found.statistic, number(one["outputs"]["statistic"]), 1e-12, 1e-15);
        const double expected = number(one["outputs"]["p.value"]);
        if (std::isnan(expected)) {
            EXPECT_EQ(found.p_value, 1);
            return;
        }
        // A defect of R 4.2.2: with ties it counts `less` as if it were `greater`. All arrangements, counted below,
        // are on our side.
        if (counted && one["options"]["ties"] && alternative(one) == Alternative::less) {
            less_with_ties += found.p_value != expected ? 1 : 0;
            return;
        }
        exact += counted ? 1 : 0;
        // Exact: below 1e-12 R's p-values are what is left of 1 after a subtraction. Asymptotic: R ends the two-sided
        // series early where z < 1, with errors up to 2e-5; test_fixed.py holds it to SciPy's to 1e-13.
        expect_close(found.p_value, expected, 1e-9, counted ? 1e-12 : 2e-5);
    });
    EXPECT_GE(seen, 200);
    EXPECT_GE(exact, 90);
    EXPECT_GE(less_with_ties, 5);
}

TEST(KolmogorovSmirnov, ExactAgreesWithSciPyWithoutTies) {
    int seen = 0;
    for_each_pair("ks_2samp", [&](const auto& one, const Values& baseline, const Values& canary) {
        if (one["options"]["method"] != "exact") return;
        Values all = baseline;
        all.insert(all.end(), canary.begin(), canary.end());
        std::sort(all.begin(), all.end());
        if (std::adjacent_find(all.begin(), all.end()) != all.end()) return;
        const auto found = kolmogorov_smirnov(
            baseline, canary, {.alternative = mirrored(alternative(one)), .method = KolmogorovSmirnovMethod::exact});
        expect_close(found.statistic, number(one["outputs"]["statistic"]), 1e-12, 1e-15);
        expect_close(found.p_value, number(one["outputs"]["pvalue"]), 1e-9);
        ++seen;
    });
    EXPECT_GE(seen, 40);
}

TEST(KolmogorovSmirnov, ExactIsWhatAllArrangementsSay) {
    std::mt19937_64 random(1);
    for (int round = 0; round < 60; ++round) {
        const std::size_t m = 1 + random() % 5, n = 1 + random() % 5;
        Values pooled(m + n);
        for (double& value : pooled) value = static_cast<double>(random() % (2 + random() % 9));
        const Values canary(pooled.begin(), pooled.begin() + static_cast<std::ptrdiff_t>(m));
        const Values baseline(pooled.begin() + static_cast<std::ptrdiff_t>(m), pooled.end());
        for (const auto side : {Alternative::two_sided, Alternative::greater, Alternative::less}) {
            const auto found = kolmogorov_smirnov(baseline, canary, {.alternative = side});
            ASSERT_EQ(found.method, KolmogorovSmirnovMethod::exact);
            double beyond = 0, all = 0;
            for_each_arrangement(pooled, m, [&](const Values& first, const Values& second) {
                const auto other = kolmogorov_smirnov(
                    second, first, {.alternative = side, .method = KolmogorovSmirnovMethod::asymptotic});
                beyond += other.statistic >= found.statistic - 1e-12 ? 1 : 0;
                all += 1;
            });
            EXPECT_NEAR(found.p_value, beyond / all, 1e-13);
        }
    }
}

TEST(KolmogorovSmirnov, DirectionsAndEdges) {
    const Values low{1, 2, 3, 4}, high{11, 12, 13, 14, 15};
    const auto greater = kolmogorov_smirnov(low, high, {.alternative = Alternative::greater});
    EXPECT_EQ(greater.statistic, 1);
    EXPECT_EQ(greater.sign, 1);
    EXPECT_EQ(greater.location, 4);
    EXPECT_NEAR(greater.p_value, 1.0 / 126, 1e-15);
    EXPECT_EQ(kolmogorov_smirnov(low, high, {.alternative = Alternative::less}).p_value, 1);
    const auto exchanged = kolmogorov_smirnov(high, low, {.alternative = Alternative::less});
    EXPECT_EQ(exchanged.p_value, greater.p_value);
    for (const auto& [b, c] :
         {std::pair{Values{}, high}, {low, Values{}}, {Values{}, Values{}}, {Values{3}, Values{3, 3}}})
        EXPECT_EQ(kolmogorov_smirnov(b, c).p_value, 1);
    EXPECT_THROW(kolmogorov_smirnov(Values(40000, 1), Values(40000, 2), {.method = KolmogorovSmirnovMethod::exact}),
                 Error);
    // Kolmogorov's limit: both series meet.
    EXPECT_NEAR(kolmogorov_survival(1 - 1e-12), kolmogorov_survival(1 + 1e-12), 1e-11);
    EXPECT_NEAR(kolmogorov_survival(1.3580986393225505), 0.05, 1e-12);
}

TEST(KolmogorovSmirnov, DistancesWithAndWithoutTies) {
    // The distance itself, of every pair; the p-values where both count the same are compared above.
    const int seen = for_each_pair("ks_2samp", [&](const auto& one, const Values& baseline, const Values& canary) {
        const auto found = kolmogorov_smirnov(
            baseline, canary,
            {.alternative = mirrored(alternative(one)), .method = KolmogorovSmirnovMethod::asymptotic});
        expect_close(found.statistic, number(one["outputs"]["statistic"]), 1e-12, 1e-15);
    });
    EXPECT_EQ(seen, 270);
}

TEST(KolmogorovSmirnov, IsNeverAboveItsLevel) {
    Random random(105);
    Share exact, limit, tied;
    for (int round = 0; round < 1500; ++round) {
        Values b = normal(60, 0, 1, random), c = normal(40, 0, 1, random);
        exact.add(kolmogorov_smirnov(b, c).p_value <= 0.05);
        limit.add(kolmogorov_smirnov(b, c, {.method = KolmogorovSmirnovMethod::asymptotic}).p_value <= 0.05);
        for (Values* arm : {&b, &c})
            for (double& value : *arm) value = std::round(2 * value);
        tied.add(kolmogorov_smirnov(b, c).p_value <= 0.05);
    }
    exact.expect_size();
    limit.expect_size();
    tied.expect_size();
    EXPECT_GE(exact.share(), 0.025);
}

}  // namespace
