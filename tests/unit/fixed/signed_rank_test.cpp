#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/core/error.hpp>
#include <serinus/fixed/signed_rank.hpp>

#include "support/draws.hpp"

namespace {

using namespace serinus;
using namespace support;
using Random = std::mt19937_64;
using Values = std::vector<double>;
constexpr double infinity = std::numeric_limits<double>::infinity();

TEST(SignedRank, ExactIsWhatAllSignsSay) {
    std::mt19937_64 random(10);
    for (int round = 0; round < 40; ++round) {
        const std::size_t n = 1 + random() % 10;
        Values d(n);
        for (double& value : d) value = static_cast<double>(random() % 9) - 3;
        const auto statistic = [](const Values& values) { return signed_rank(values).statistic; };
        const double seen = statistic(d);
        double at_least = 0, at_most = 0, all = 0;
        for (std::size_t signs = 0; signs < (std::size_t{1} << n); ++signs) {
            Values flipped = d;
            for (std::size_t i = 0; i < n; ++i) flipped[i] = (signs >> i & 1) ? std::fabs(d[i]) : -std::fabs(d[i]);
            at_least += statistic(flipped) >= seen ? 1 : 0;
            at_most += statistic(flipped) <= seen ? 1 : 0;
            all += 1;
        }
        EXPECT_NEAR(signed_rank(d, {.alternative = Alternative::greater}).p_value, at_least / all, 1e-14);
        EXPECT_NEAR(signed_rank(d, {.alternative = Alternative::less}).p_value, at_most / all, 1e-14);
        EXPECT_NEAR(signed_rank(d).p_value, std::min(1.0, 2 * std::min(at_least, at_most) / all), 1e-14);
    }
}

TEST(SignedRank, EstimateAndEndsAreMeansOfPairs) {
    std::mt19937_64 random(11);
    for (const std::size_t n : {1U, 2U, 7U, 60U, 150U, 201U, 300U}) {
        Values d = autoregressive(n, 0, random), means;
        for (double& value : d) value += 0.4;
        for (std::size_t i = 0; i < n; ++i)
            for (std::size_t j = i; j < n; ++j) means.push_back(d[i] / 2 + d[j] / 2);
        std::sort(means.begin(), means.end());
        const std::size_t half = means.size() / 2;
        const double median = means.size() % 2 == 1 ? means[half] : means[half - 1] / 2 + means[half] / 2;
        const auto found = signed_rank(d);
        EXPECT_EQ(found.estimate, median) << n;
        EXPECT_TRUE(std::binary_search(means.begin(), means.end(), found.lower));
        EXPECT_TRUE(std::binary_search(means.begin(), means.end(), found.upper));
        if (n >= 7) {
            EXPECT_NEAR(found.confidence, 0.95, 0.03);
        }
        Values negative = d;
        for (double& value : negative) value = -value;
        EXPECT_EQ(signed_rank(negative).lower, -found.upper);
        EXPECT_NEAR(signed_rank(negative, {.alternative = Alternative::less}).p_value,
                    signed_rank(d, {.alternative = Alternative::greater}).p_value, 1e-14);
    }
    EXPECT_EQ(signed_rank(Values{}).p_value, 1);
    EXPECT_EQ(signed_rank(Values{0, 0}).p_value, 1);
    EXPECT_EQ(signed_rank(Values{0, 0}).zeros, 2);
    EXPECT_THROW(signed_rank(Values{infinity}), Error);
    EXPECT_THROW(signed_rank(Values(1001, 2), {.method = SignedRankMethod::exact}), Error);
}

TEST(SignedRank, NormalIsNearExactAndSizesHold) {
    std::mt19937_64 random(12);
    int rejected = 0, covered = 0;
    constexpr int rounds = 4000;
    for (int round = 0; round < rounds; ++round) {
        const Values d = autoregressive(25, 0, random);
        const auto found = signed_rank(d);
        rejected += found.p_value <= 0.05 ? 1 : 0;
        covered += found.lower <= 0 && 0 <= found.upper ? 1 : 0;
        if (round < 20) {
            EXPECT_NEAR(found.p_value, signed_rank(d, {.method = SignedRankMethod::normal}).p_value, 0.01);
        }
    }
    const double slack = 4 * std::sqrt(rounds * 0.05 * 0.95);
    EXPECT_LE(rejected, rounds * 0.05 + slack);
    EXPECT_GE(covered, rounds * 0.95 - slack);
}

TEST(SignedRank, KeepsItsSizeByTheNormalLimit) {
    Random random(108);
    Share rejected, covered;
    for (int round = 0; round < 2000; ++round) {
        const auto found = signed_rank(normal(80, 0, 1, random));
        rejected.add(found.p_value <= 0.05);
        covered.add(holds(found, 0));
    }
    rejected.expect_size();
    covered.expect_coverage();
}

}  // namespace
