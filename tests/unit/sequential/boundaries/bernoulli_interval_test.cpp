// The confidence sequence of a proportion; boundaries_test.cpp holds it against confseq.

#include <cmath>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/sequential/boundaries/bernoulli_interval.hpp>
#include <serinus/sequential/boundaries/beta_binomial.hpp>

namespace {

using namespace serinus::sequential;

TEST(BernoulliInterval, ContainsWhatTheMartingaleDoesNotExclude) {
    for (const auto& [x, n] : std::vector<std::pair<double, double>>{{0, 1},
                                                                     {1, 1},
                                                                     {1, 2},
                                                                     {3, 1000},
                                                                     {0.5, 7},
                                                                     {999, 1000},
                                                                     {0, 1e12},
                                                                     {1, 1e12},
                                                                     {5e11, 1e12},
                                                                     {1e6, 1e6}}) {
        const auto [lower, upper] = bernoulli_confidence_interval(x, n, 0.05, 100);
        EXPECT_LE(lower, x / n);
        EXPECT_GE(upper, x / n);
        // One success excludes no p, however small: the prior, centred at p, moves along.
        EXPECT_EQ(lower == 0, x <= 1) << x << ' ' << n;
        EXPECT_EQ(upper == 1, n - x <= 1) << x << ' ' << n;
        for (const double p : {lower, upper}) {
            if (p == 0 || p == 1) continue;
            const double value =
                log_beta_binomial(x - n * p, n * p * (1 - p), 100 * p * (1 - p), p, 1 - p, 0.05, false);
            // A p near 1 has lost digits of 1 - p.
            EXPECT_NEAR(value, -std::log(0.05), 1e-6) << x << ' ' << n << ' ' << p;
        }
        const auto mirrored = bernoulli_confidence_interval(n - x, n, 0.05, 100);
        EXPECT_NEAR(mirrored.lower, 1 - upper, 1e-15);
        EXPECT_NEAR(mirrored.upper, 1 - lower, 1e-15);
    }
    const auto nothing = bernoulli_confidence_interval(0, 0, 0.05, 100);
    EXPECT_EQ(nothing.lower, 0);
    EXPECT_EQ(nothing.upper, 1);
}

}  // namespace
