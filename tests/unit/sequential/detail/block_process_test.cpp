#include <algorithm>
#include <cmath>
#include <random>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/sequential/detail/block_process.hpp>

namespace serinus::sequential {
namespace {

double binomial(int n, int k, double p) {
    return std::exp(std::lgamma(n + 1.0) - std::lgamma(k + 1.0) - std::lgamma(n - k + 1.0)) * std::pow(p, k) *
           std::pow(1 - p, n - k);
}

double divergence(double theta, double p) {
    return theta * std::log(theta / p) + (1 - theta) * std::log((1 - theta) / (1 - p));
}

TEST(MarginLine, ProjectionIsTheNearestPoint) {
    for (const MarginLine line :
         {MarginLine{1, 0}, MarginLine{1, 0.1}, MarginLine{1, -0.2}, MarginLine{1.5, 0}, MarginLine{4, 0}}) {
        for (const auto& [theta_b, theta_c] :
             {std::pair{0.01, 0.02}, {0.5, 0.5}, {0.001, 0.9}, {0.7, 0.01}, {0.2, 0.95}}) {
            for (const auto& [n_b, n_c] : {std::pair{100.0, 100.0}, {1e6, 1.0}, {3.0, 5000.0}}) {
                const auto [p, q] = line.project(theta_b, theta_c, n_b, n_c);
                EXPECT_NEAR(q, line.canary(p), 1e-15);
                ASSERT_TRUE(p > 0 && p < 1 && q > 0 && q < 1);
                const auto distance = [&](double at) {
                    return n_b * divergence(theta_b, at) + n_c * divergence(theta_c, line.canary(at));
                };
                const double here = distance(p);
                // No point of the line is nearer (a scan; the slack is the rounding of `distance` itself).
                for (int i = 1; i < 400; ++i) {
                    const double at = i / 400.0;
                    if (line.canary(at) <= 0 || line.canary(at) >= 1) continue;
                    EXPECT_GE(distance(at), here * (1 - 1e-12) - 1e-9 * (n_b + n_c) * 1e-3);
                }
                const double gradient =
                    n_b * (p - theta_b) / (p * (1 - p)) + line.ratio * n_c * (q - theta_c) / (q * (1 - q));
                const double scale = n_b / (p * (1 - p)) + line.ratio * n_c / (q * (1 - q));
                // Some roundings of p, and of 1 - q where q is near 1. It makes E[factor] exceed 1 by at most about
                // 1e-14 x n, far below what any simulation or decision could see.
                EXPECT_NEAR(gradient / scale, 0, 2e-14 + 4e-16 / (1 - q));
            }
        }
    }
}

// The proof, by enumeration of two blocks: E is at most 1 everywhere in the null, whatever the plug-in learned.
TEST(BlockProcess, ExpectedValueIsAtMostOneUnderTheNull) {
    for (const MarginLine line : {MarginLine{1, 0}, MarginLine{1.5, 0}, MarginLine{1, 0.1}}) {
        for (const int beyond : {+1, -1}) {
            for (const auto& [n_b, n_c] : {std::pair{4, 4}, {9, 2}, {2, 7}}) {
                for (const double p_b : {0.02, 0.2, 0.5}) {
                    for (const double shift : {0.0, 0.05}) {
                        const double p_c = line.canary(p_b) - beyond * shift;
                        if (p_c < 0 || p_c > 1) continue;
                        double mean = 0;
                        for (int b1 = 0; b1 <= n_b; ++b1)
                            for (int c1 = 0; c1 <= n_c; ++c1) {
                                const double first = binomial(n_b, b1, p_b) * binomial(n_c, c1, p_c);
                                for (int b2 = 0; b2 <= n_b; ++b2)
                                    for (int c2 = 0; c2 <= n_c; ++c2) {
                                        BlockProcess process(line, beyond);
                                        process.update(b1, n_b, c1, n_c, 1);
                                        process.update(b2, n_b, c2, n_c, 1);
                                        mean += first * binomial(n_b, b2, p_b) * binomial(n_c, c2, p_c) *
                                                std::exp(process.log_e_value());
                                    }
                            }
                        EXPECT_LE(mean, 1 + 1e-12)
                            << line.ratio << ' ' << line.difference << ' ' << beyond << ' ' << p_b;
                    }
                }
            }
        }
    }
}

TEST(BlockProcess, TheFirstBlockIsNotBetOn) {
    BlockProcess process(MarginLine{1, 0}, +1);
    process.update(0, 1000, 500, 1000, 1);
    EXPECT_EQ(process.log_e_value(), 0);
    process.update(0, 1000, 500, 1000, 1);
    EXPECT_GT(process.log_e_value(), 100);
}

TEST(BlockProcess, ManyStartsStayWithinBoundsAndWithinTheirCapital) {
    BlockProcess process(MarginLine{1, 0}, +1);
    process.rescale(0.01);
    for (int i = 0; i < 99; ++i) {
        process.add_start(0.01);
        process.update(1, 100, 1, 100, 1);
        ASSERT_LE(process.starts().size(), BlockProcess::most_starts);
    }
    EXPECT_LT(process.log_e_value(), std::log(2.0));
    for (int i = 0; i < 30; ++i) process.update(1, 100, 9, 100, 1);
    EXPECT_GT(process.log_e_value(), std::log(20.0));
}

TEST(DifferenceBand, BracketsTheDifferenceAndAgreesWithTheTestAtItsMargin) {
    DifferenceBand band(0.02);
    BlockProcess harm(MarginLine{1, 0.02}, +1);
    for (int i = 0; i < 60; ++i) {
        band.update(10, 1000, 50, 1000, 1);
        harm.update(10, 1000, 50, 1000, 1);
        EXPECT_EQ(band.bound(+1, 0.05) >= 0.02, harm.log_e_value() >= std::log(20.0)) << i;
    }
    EXPECT_GT(band.bound(+1, 0.05), 0.02);
    EXPECT_LT(band.bound(+1, 0.05), 0.04);
    EXPECT_GT(band.bound(-1, 0.05), 0.04);
    EXPECT_LT(band.bound(-1, 0.05), 0.08);
    const DifferenceBand fresh(0.0);
    EXPECT_EQ(fresh.bound(+1, 0.05), -1);
    EXPECT_EQ(fresh.bound(-1, 0.05), 1);
}

// All 64 side by side are what MarginLine says of each: at every rate, at every split, for both orders of the arms.
TEST(DifferenceBand, CarriesTheLogFactorOfEachOfItsLines) {
    std::mt19937_64 random(5);
    const auto uniform = [&] { return std::uniform_real_distribution<double>()(random); };
    for (int trial = 0; trial < 1500; ++trial) {
        const double p = std::exp(-9 * uniform());
        double p_b = p, p_c = std::min(1.0, p * std::exp(uniform() - 0.5));
        if (trial % 3 == 0) p_b = 1 - p_b, p_c = 1 - p_c;
        if (trial % 5 == 0) p_c = uniform();
        const double n_b = std::floor(std::exp(14 * uniform())) + 1, n_c = std::floor(std::exp(14 * uniform())) + 1;
        const double x_b = std::floor(n_b * p_b), x_c = std::floor(n_c * p_c);
        DifferenceBand band(0.01 * uniform());
        BlockCounts known;
        band.update(x_b, n_b, x_c, n_c, 1);
        known.add(x_b, n_b, x_c, n_c);
        band.update(x_b, n_b, x_c, n_c, 2);
        for (std::size_t i = 0; i < DifferenceBand::size; ++i) {
            const MarginLine line{1, band.differences()[i]};
            const auto factor = [&](int beyond) {
                return line.log_factor(beyond, known.theta_b(), known.theta_c(), x_b, n_b, x_c, n_c) / 2;
            };
            // The likelihood is flat at the projection, but near a rate of 1 the lines see 1 - p through p: a rounding
            // of p there is one of 1e-16/(1 - p) of the factor's terms.
            const double tolerance = 1e-12 * (1 + std::fabs(factor(+1) + factor(-1))) + 1e-15 * (n_b + n_c);
            ASSERT_NEAR(band.log_above()[i], factor(+1), tolerance)
                << p_b << ' ' << p_c << ' ' << n_b << ' ' << n_c << ' ' << line.difference;
            ASSERT_NEAR(band.log_below()[i], factor(-1), tolerance)
                << p_b << ' ' << p_c << ' ' << n_b << ' ' << n_c << ' ' << line.difference;
        }
    }
}

}  // namespace
}  // namespace serinus::sequential
