#include <algorithm>
#include <cmath>
#include <random>

#include <gtest/gtest.h>

#include <serinus/sequential/detail/quantile_mixture.hpp>

namespace serinus::sequential {
namespace {

using Speaks = QuantileMixture::Speaks;

// G is a martingale: its expectation after one more value is what it was; convex; monotone where it is one-sided.
TEST(QuantileMixture, IsAMartingale) {
    for (const double q : {0.01, 0.5, 0.95, 0.999}) {
        for (const Speaks speaks : {Speaks::either, Speaks::above, Speaks::below}) {
            const QuantileMixture g(q, 2500, speaks);
            EXPECT_NEAR(g.log_value(0, 0), 0, 1e-13);
            for (const double n : {1.0, 7.0, 300.0, 5000.0}) {
                for (const double k : {0.0, 1.0, std::floor(q * n), n}) {
                    if (k > n) continue;
                    const double up = g.log_value(k + 1, n + 1), down = g.log_value(k, n + 1);
                    EXPECT_NEAR(q * std::exp(up - g.log_value(k, n)) + (1 - q) * std::exp(down - g.log_value(k, n)), 1,
                                1e-9)
                        << q << " " << n << " " << k;
                    if (speaks == Speaks::above) {
                        EXPECT_GE(up, down);
                    }
                    if (speaks == Speaks::below) {
                        EXPECT_LE(up, down);
                    }
                    if (k > 0 && k < n) {
                        EXPECT_GE(g.log_value(k - 1, n) + g.log_value(k + 1, n), 2 * g.log_value(k, n) - 1e-9);
                    }
                }
            }
        }
    }
}

TEST(QuantileMixture, OneMoreValueIsTheMixtureOfOneMore) {
    for (const double q : {0.05, 0.5, 0.95}) {
        for (const Speaks speaks : {Speaks::above, Speaks::below}) {
            const QuantileMixture mixture(q, 200, speaks);
            for (const double share : {0.5 * q, q, 0.5 + 0.5 * q}) {
                std::mt19937_64 random(7);
                double k = 0, log_value = 0, error = 0, worst = 0;
                for (double n = 0; n < 3000; ++n) {
                    const bool counted = std::bernoulli_distribution(share)(random);
                    log_value = mixture.log_value_after(counted, log_value, k, n, error);
                    k += counted ? 1 : 0;
                    const double exact = mixture.log_value(k, n + 1);
                    if (!(error < 1e-9)) {
                        log_value = exact;
                        error = 0;
                    }
                    // The bound is one: of the recursion's error, and that of the exact value.
                    worst = std::max(worst, std::fabs(log_value - exact) - error - 1e-12 * (1 + std::fabs(exact)));
                }
                EXPECT_LE(worst, 0) << q << ' ' << share;
            }
        }
    }
}

}  // namespace
}  // namespace serinus::sequential
