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

}  // namespace
}  // namespace serinus::sequential
