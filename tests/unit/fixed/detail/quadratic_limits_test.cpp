// What cramer_von_mises and anderson_darling share.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <random>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/fixed/anderson_darling.hpp>
#include <serinus/fixed/cramer_von_mises.hpp>
#include <serinus/fixed/detail/quadratic_limits.hpp>
#include <serinus/numeric/special.hpp>

#include "support/arrangements.hpp"

namespace {

using namespace serinus;
using namespace support;
using Values = std::vector<double>;

TEST(QuadraticTests, LimitsHaveTheirPublishedQuantiles) {
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

TEST(QuadraticTests, KeepTheirSizeWithAndWithoutTies) {
    std::mt19937_64 random(3);
    std::normal_distribution<double> normal;
    for (const double unit : {0.0, 0.02, 0.3, 1.0, 2.0, 4.0}) {
        for (const std::size_t m : {15U, 80U}) {
            int darling = 0, mises = 0;
            // With ties all arrangements are walked through, some ms each; tied_arrangements_test.cpp holds them to the
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

}  // namespace
