// kolmogorov_smirnov, cramer_von_mises, anderson_darling.

#include <algorithm>
#include <cmath>
#include <random>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/fixed/anderson_darling.hpp>
#include <serinus/fixed/cramer_von_mises.hpp>
#include <serinus/fixed/kolmogorov_smirnov.hpp>

#include "support/reference.hpp"

namespace {

using namespace serinus;
using namespace reference;
using Values = std::vector<double>;

TEST(KolmogorovSmirnov, AgreesWithR) {
    int exact = 0, less_with_ties = 0;
    const int seen = for_each_pair("ks.test", [&](const auto& one, const Values& baseline, const Values& canary) {
        const bool counted = one["options"]["exact"];
        // R's `greater` is that of the distribution function.
        const auto found =
            kolmogorov_smirnov(baseline, canary,
                               {.alternative = mirrored(alternative(one)),
                                .method = counted ? DistributionMethod::exact : DistributionMethod::asymptotic});
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
            baseline, canary, {.alternative = mirrored(alternative(one)), .method = DistributionMethod::exact});
        expect_close(found.statistic, number(one["outputs"]["statistic"]), 1e-12, 1e-15);
        expect_close(found.p_value, number(one["outputs"]["pvalue"]), 1e-9);
        ++seen;
    });
    EXPECT_GE(seen, 40);
}

/// Calls `visit(first)` for every choice of m of the pooled values.
template <class Visit>
void for_each_arrangement(const Values& pooled, std::size_t m, const Visit& visit) {
    std::vector<bool> chosen(pooled.size());
    std::fill_n(chosen.begin(), m, true);
    do {
        Values first, second;
        for (std::size_t i = 0; i < pooled.size(); ++i) (chosen[i] ? first : second).push_back(pooled[i]);
        visit(first, second);
    } while (std::prev_permutation(chosen.begin(), chosen.end()));
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
            ASSERT_EQ(found.method, DistributionMethod::exact);
            double beyond = 0, all = 0;
            for_each_arrangement(pooled, m, [&](const Values& first, const Values& second) {
                const auto other =
                    kolmogorov_smirnov(second, first, {.alternative = side, .method = DistributionMethod::asymptotic});
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
    EXPECT_THROW(kolmogorov_smirnov(Values(40000, 1), Values(40000, 2), {.method = DistributionMethod::exact}), Error);
    // Kolmogorov's limit: both series meet.
    EXPECT_NEAR(kolmogorov_survival(1 - 1e-12), kolmogorov_survival(1 + 1e-12), 1e-11);
    EXPECT_NEAR(kolmogorov_survival(1.3580986393225505), 0.05, 1e-12);
}

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

TEST(CramerVonMises, LimitsHaveTheirPublishedQuantiles) {
    // Anderson and Darling 1952, table 1; Marsaglia and Marsaglia 2004.
    EXPECT_NEAR(cramer_von_mises_survival(0.46136), 0.05, 1e-6);
    EXPECT_NEAR(cramer_von_mises_survival(0.74346), 0.01, 1e-6);
    EXPECT_NEAR(anderson_darling_survival(2.4924), 0.05, 1e-5);
    EXPECT_NEAR(anderson_darling_survival(3.8781), 0.01, 1e-5);
    EXPECT_NEAR(anderson_darling_survival(1), 0.3572667, 1e-7);
    double before = 1;
    for (double x = 0.001; x < 200; x *= 1.05) {
        const double p = cramer_von_mises_survival(x), q = anderson_darling_survival(x);
        EXPECT_GE(p, 0);
        EXPECT_GE(q, p);  // its weights are larger
        EXPECT_LE(q, before + 1e-9);
        before = q;
    }
}

TEST(CramerVonMises, EdgesAndErrors) {
    EXPECT_TRUE(cramer_von_mises(Values{1}, Values{1, 2}).degenerate);
    EXPECT_TRUE(cramer_von_mises(Values{1, 1}, Values{1, 1}).degenerate);
    EXPECT_EQ(cramer_von_mises(Values{1, 1}, Values{1, 1}).p_value, 1);
    EXPECT_THROW(cramer_von_mises(Values{1, 1, 2}, Values{3, 4}, {.method = QuadraticMethod::exact}), Error);
    EXPECT_THROW(cramer_von_mises(Values(2100, 1), Values{3, 4}, {.method = QuadraticMethod::exact}), Error);
}

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

TEST(QuadraticTests, KeepTheirSizeWithAndWithoutTies) {
    std::mt19937_64 random(3);
    std::normal_distribution<double> normal;
    for (const double unit : {0.0, 0.02, 0.3, 1.0, 2.0, 4.0}) {
        for (const std::size_t m : {15U, 80U}) {
            int darling = 0, mises = 0;
            // With ties all arrangements are walked through, some ms each; sparse_values_test.cpp holds them to the
            // law.
            const int rounds = unit > 0 ? 400 : 2000;
            for (int round = 0; round < rounds; ++round) {
                Values b(2 * m), c(m);
                for (Values* arm : {&b, &c}) {
                    for (double& value : *arm) {
                        value = normal(random);
                        if (unit > 0) value = std::round(value / unit);
                    }
                }
                darling += anderson_darling(b, c).p_value <= 0.05 ? 1 : 0;
                mises += cramer_von_mises(b, c).p_value <= 0.05 ? 1 : 0;
            }
            // 4 standard errors, and 0.005 for limits at these sizes and for moments.
            const double most = rounds * 0.055 + 4 * std::sqrt(rounds * 0.05 * 0.95);
            EXPECT_LE(darling, most) << unit << " " << m;
            EXPECT_LE(mises, most) << unit << " " << m;
            // Two or three different values in 45 cannot come close to 0.05.
            if (unit < 4) {
                EXPECT_GE(std::min(darling, mises), rounds * 0.02) << unit << " " << m;
            }
        }
    }
}

TEST(QuadraticTests, ConditionalAgreesWithAllArrangements) {
    std::mt19937_64 random(4);
    for (int round = 0; round < 12; ++round) {
        const std::size_t m = 6 + random() % 3, n = 7;
        Values pooled(m + n);
        for (double& value : pooled) value = static_cast<double>(random() % (3 + random() % 4));
        std::shuffle(pooled.begin(), pooled.end(), random);
        const Values canary(pooled.begin(), pooled.begin() + static_cast<std::ptrdiff_t>(m));
        const Values baseline(pooled.begin() + static_cast<std::ptrdiff_t>(m), pooled.end());
        const auto mises = cramer_von_mises(baseline, canary, {.method = QuadraticMethod::conditional});
        double at_least = 0, above = 0, all = 0;
        for_each_arrangement(pooled, m, [&](const Values& first, const Values& second) {
            const double p = cramer_von_mises(second, first, {.method = QuadraticMethod::conditional}).p_value;
            at_least += p <= mises.p_value + 1e-12 ? 1 : 0;
            above += p < mises.p_value - 1e-12 ? 1 : 0;
            all += 1;
        });
        // A smooth law between the steps of a few arrangements; looked at where decisions are made.
        if (mises.p_value > 0.3) continue;
        EXPECT_GE(mises.p_value, above / all - 0.03);
        EXPECT_LE(mises.p_value, at_least / all + 0.03);
    }
}

TEST(QuadraticTests, CumulantsAreTracesOfTheBridgesMatrix) {
    std::mt19937_64 random(5);
    for (const std::size_t groups : {1U, 2U, 7U, 60U}) {
        std::vector<std::pair<double, double>> points;
        for (std::size_t i = 0; i < groups; ++i)
            points.emplace_back((double(i) + 0.5) / double(groups), 0.1 + double(random() % 100) / 50);
        TiedQuadratic sum;
        for (const auto& [share, weight] : points) sum.add(share, weight);
        // A_ij = w_i times the covariance of the bridge at i and j, multiplied out.
        const auto a = [&](std::size_t i, std::size_t j) {
            return points[i].second * points[std::min(i, j)].first * (1 - points[std::max(i, j)].first);
        };
        double mean = 0, squares = 0, cubes = 0;
        for (std::size_t i = 0; i < groups; ++i) {
            mean += a(i, i);
            for (std::size_t j = 0; j < groups; ++j) {
                squares += a(i, j) * a(j, i);
                for (std::size_t k = 0; k < groups; ++k) cubes += a(i, j) * a(j, k) * a(k, i);
            }
        }
        const double nu = squares * squares * squares / (cubes * cubes);
        for (const double x : {0.5 * mean, mean, 3 * mean}) {
            const double z = (x - mean) / std::sqrt(2 * squares) * std::sqrt(2 * nu) + nu;
            const double expected = z > 0 ? incomplete_gamma_upper(nu / 2, z / 2) : 1;
            EXPECT_NEAR(sum.survival(x, 0, 1, [](double) { return 0.0; }), expected, 1e-11 * expected) << groups;
        }
    }
}

TEST(AndersonDarling, Edges) {
    EXPECT_TRUE(anderson_darling(Values{1, 2}, Values{3}).degenerate);
    EXPECT_TRUE(anderson_darling(Values{2, 2, 2}, Values{2, 2}).degenerate);
    EXPECT_EQ(anderson_darling(Values{}, Values{2, 2, 5, 6}).p_value, 1);
    const Values b{1, 4, 2, 8}, c{3, 9, 9, 12, 40};
    EXPECT_NEAR(anderson_darling(b, c).a_squared, anderson_darling(c, b).a_squared, 1e-13);
}

}  // namespace
