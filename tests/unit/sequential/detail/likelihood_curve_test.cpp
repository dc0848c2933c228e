#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <utility>

#include <gtest/gtest.h>

#include <serinus/sequential/detail/likelihood_curve.hpp>

namespace serinus::sequential {
namespace {

// With a constant split l(u) has a closed form, and so has the e-value anchored at any ratio.
TEST(LikelihoodCurve, BoundsAreWhereTheExactEvidenceMeetsTheThreshold) {
    const AnchoredPrior prior;
    for (const double scale : {1.0, 10.0, 1000.0}) {
        for (const auto& [x_b, x_c] : {std::pair{10.0, 10.0}, {10.0, 30.0}, {40.0, 3.0}, {0.0, 8.0}, {25.0, 0.0}}) {
            LikelihoodCurve curve;
            const double n_b = 900, n_c = 100;
            for (int i = 0; i < 5; ++i) curve.update(scale * x_b, scale * n_b, scale * x_c, scale * n_c, 2);
            const auto exact = [&](double u, int beyond) {
                double sum = 0;
                const double q = std::exp(u) * n_c / (std::exp(u) * n_c + n_b);
                for (std::size_t j = 0; j < prior.distance.size(); ++j) {
                    const double d = beyond * prior.distance[j];
                    sum += std::exp(prior.log_weight[j] +
                                    5 * scale / 2 * (x_c * d - (x_b + x_c) * std::log1p(q * std::expm1(d))));
                }
                return std::log(sum);
            };
            const auto [lower, upper] = curve.bounds(0.05, 0.01);
            if (x_c == 0) {
                EXPECT_EQ(lower, 0);
            } else {
                // (Towards the curve's end, at ratios near 1000, nodes fall off it and the bound is wider still.)
                // Outward: no more evidence than claimed, and less than a hair more when moved by the interpolation's
                // error.
                EXPECT_GE(exact(std::log(lower), +1), std::log(20) - 1e-6 * scale);
                if (lower < 50) {
                    EXPECT_LE(exact(std::log(lower) * (1 + 1e-12) + 1e-4, +1), std::log(20) + 1e-6)
                        << scale << ' ' << x_b << ' ' << x_c;
                }
            }
            if (x_b == 0) {
                EXPECT_EQ(upper, std::numeric_limits<double>::infinity());
            } else {
                EXPECT_GE(exact(std::log(upper), -1), std::log(100) - 1e-6 * scale);
                if (upper > 0.02) {
                    EXPECT_LE(exact(std::log(upper) - 1e-4, -1), std::log(100) + 1e-6)
                        << scale << ' ' << x_b << ' ' << x_c;
                }
            }
            if (x_b > 0 && x_c > 0) {
                const double ratio = (x_c / n_c) / (x_b / n_b);
                EXPECT_LT(lower, ratio);
                EXPECT_GT(upper, ratio);
            }
        }
    }
}

// The error bound rests on the sixth derivative of log(1 + e^u), which is the fifth of the logistic function; its
// largest absolute value is 1/4.
TEST(LikelihoodCurve, SixthDerivativeOfTheNormaliserIsAtMostAQuarter) {
    double largest = 0;
    for (double u = -12; u <= 12; u += 1e-3) {
        const double s = 1 / (1 + std::exp(-u));
        const double fifth = s * (1 - s) * (1 - 30 * s + 150 * s * s - 240 * s * s * s + 120 * s * s * s * s);
        largest = std::max(largest, std::abs(fifth));
    }
    EXPECT_LE(largest, 0.25 + 1e-12);
    EXPECT_GE(largest, 0.24);
}

TEST(LikelihoodCurve, NothingSeenExcludesNothing) {
    const auto [lower, upper] = LikelihoodCurve().bounds(0.05, 0.05);
    EXPECT_EQ(lower, 0);
    EXPECT_EQ(upper, std::numeric_limits<double>::infinity());
}

}  // namespace
}  // namespace serinus::sequential
