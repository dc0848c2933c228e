#include <algorithm>
#include <cmath>
#include <random>
#include <span>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/core/error.hpp>
#include <serinus/fixed/block_bootstrap.hpp>
#include <serinus/numeric/moments.hpp>
#include <serinus/numeric/order.hpp>

#include "support/draws.hpp"
#include "support/reference.hpp"

namespace {

using namespace serinus;
using namespace reference;
using namespace support;
using Values = std::vector<double>;

double mean(std::span<const double> values) {
    double sum = 0;
    for (const double value : values) sum += value;
    return sum / static_cast<double>(values.size());
}

TEST(BlockBootstrap, LengthsFollowTheDependence) {
    std::mt19937_64 random(13);
    double plain = 0, dependent = 0;
    for (int i = 0; i < 20; ++i) {
        plain += automatic_block_length(autoregressive(1000, 0, random)) / 20;
        dependent += automatic_block_length(autoregressive(1000, 0.8, random)) / 20;
    }
    EXPECT_LT(plain, 5);
    // For an AR(1): (6 phi^2/(1-phi^2)^2 n)^(1/3), Politis and White's formula with the autocovariances known: 31.
    EXPECT_NEAR(dependent, 31, 8);
    EXPECT_EQ(automatic_block_length(Values(50, 3)), 1);
}

TEST(BlockBootstrap, CoversReproducesAndSeesDependence) {
    std::mt19937_64 random(14);
    int covered = 0;
    constexpr int rounds = 400;
    for (int round = 0; round < rounds; ++round) {
        const Values values = autoregressive(200, 0.6, random);
        const auto found = block_bootstrap(values, mean, {.resamples = 400});
        covered += found.lower <= 0 && 0 <= found.upper ? 1 : 0;
    }
    // Documented: 91 %.
    EXPECT_NEAR(covered, rounds * 0.91, 4 * std::sqrt(rounds * 0.09 * 0.91));
    const Values values = autoregressive(300, 0.6, random);
    const auto once = block_bootstrap(values, mean, {.seed = 5}), again = block_bootstrap(values, mean, {.seed = 5});
    EXPECT_EQ(once.lower, again.lower);
    EXPECT_NE(once.lower, block_bootstrap(values, mean, {.seed = 6}).lower);
    EXPECT_LT(block_bootstrap(values, mean, {.block_length = 1}).standard_error, 0.75 * once.standard_error);
    const auto constant = block_bootstrap(Values(30, 2), mean);
    EXPECT_EQ(constant.lower, 2);
    EXPECT_EQ(constant.standard_error, 0);
    EXPECT_TRUE(std::isnan(block_bootstrap(Values{}, mean).estimate));
    EXPECT_THROW(block_bootstrap(values, mean, {.block_length = 0.5}), Error);
    EXPECT_THROW(block_bootstrap(values, mean, {.resamples = 10}), Error);
}

TEST(BlockBootstrap, PercentilesAreThoseOfPackages) {
    int seen = 0;
    for_each_case("bootstrap", [&](const auto& one) {
        Values replicates = numbers(one["outputs"]["bootstrap_distribution"]);
        std::sort(replicates.begin(), replicates.end());
        expect_close(std::sqrt(moments(replicates, 0, replicates.front()).variance()), number(one["outputs"]["se"]));
        if (one["options"]["method"] != "percentile") return;
        const double tail = (1 - number(one["options"]["confidence_level"])) / 2;
        expect_close(quantile_of_sorted(replicates, tail), number(one["outputs"]["ci95"][0]), 1e-12);
        expect_close(quantile_of_sorted(replicates, 1 - tail), number(one["outputs"]["ci95"][1]), 1e-12);
        ++seen;
    });
    EXPECT_EQ(seen, 4);
}

}  // namespace
