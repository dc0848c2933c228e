#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/core/error.hpp>
#include <serinus/fixed/effective_sample_size.hpp>
#include <serinus/fixed/mann_whitney.hpp>
#include <serinus/fixed/paired.hpp>
#include <serinus/fixed/quantile_difference.hpp>
#include <serinus/fixed/robust_rank.hpp>
#include <serinus/series/dependence.hpp>

#include "support/draws.hpp"

namespace {

using namespace serinus;
using namespace support;
using Random = std::mt19937_64;
using Values = std::vector<double>;
constexpr double infinity = std::numeric_limits<double>::infinity();
const double nan_value = std::nan("");

TEST(RobustRank, IsBrunnerAndMunzelWithEffectiveNumbers) {
    const Values b = draw(90, 4, 0, 0.2), c = draw(140, 5, 0.3, 0.6);
    const auto found = robust_rank_test(b, c);
    ASSERT_TRUE(found.conclusive);
    // Placements written out.
    Values p, q;
    for (const double x : c) {
        double below = 0;
        for (const double y : b) below += y < x ? 1 : y == x ? 0.5 : 0;
        p.push_back(below / 90);
    }
    for (const double y : b) {
        double below = 0;
        for (const double x : c) below += x < y ? 1 : y == x ? 0.5 : 0;
        q.push_back(below / 140);
    }
    const double v = std::max(dependence(p).variance / found.n_effective_canary, slow_variance(p, 6) / 140) +
                     std::max(dependence(q).variance / found.n_effective_baseline, slow_variance(q, 6) / 90);
    EXPECT_DOUBLE_EQ(found.estimate, mann_whitney(b, c).effect);
    EXPECT_NEAR(found.statistic, (found.estimate - 0.5) / std::sqrt(v), 1e-12);
    EXPECT_LE(found.n_effective_canary, dependence(p).n_effective);
    EXPECT_EQ(found.n_effective, std::min(found.n_effective_canary, found.n_effective_baseline));
    EXPECT_LT(found.lower, found.estimate);
    EXPECT_GT(found.upper, found.estimate);
}

TEST(RobustRank, SwingsHaveAsManyDegreesAsThereAre) {
    int fewer = 0;
    for (std::uint64_t seed = 0; seed < 40; ++seed) {
        const Values b = draw(100, 300 + seed, 0, 0.4), c = draw(100, 400 + seed, 0, 0.4);
        const auto found = robust_rank_test(b, c), cautious = robust_rank_test(b, c, {.method = OneLook::cautious});
        EXPECT_LE(cautious.df, 8 + 1e-9);  // four of each arm at most
        EXPECT_LE(found.df, found.n_effective_baseline + found.n_effective_canary - 2 + 1e-9);
        fewer += found.df < 13 ? 1 : 0;
    }
    EXPECT_GT(fewer, 5);
}

TEST(RobustRank, MirrorsAndIgnoresMonotoneChanges) {
    const Values b = draw(100, 6, 0, 0.4), c = draw(80, 7, 0.2, 0.4);
    const auto found = robust_rank_test(b, c), turned = robust_rank_test(c, b);
    EXPECT_NEAR(found.statistic, -turned.statistic, 1e-12);
    EXPECT_NEAR(found.p_value, turned.p_value, 1e-12);
    EXPECT_NEAR(found.lower, 1 - turned.upper, 1e-12);
    Values eb = b, ec = c;
    for (double& v : eb) v = std::exp(v);
    for (double& v : ec) v = std::exp(v);
    EXPECT_EQ(robust_rank_test(eb, ec).p_value, found.p_value);
    const double greater = robust_rank_test(b, c, {.alternative = Alternative::greater}).p_value;
    const double less = robust_rank_test(b, c, {.alternative = Alternative::less}).p_value;
    EXPECT_NEAR(greater + less, 1, 1e-12);
}

TEST(RobustRank, ArmsThatDoNotOverlapAreAValue) {
    const Values b = draw(60, 8), c = draw(60, 9, 50);
    const auto found = robust_rank_test(b, c, {.alternative = Alternative::greater});
    EXPECT_TRUE(found.conclusive);
    EXPECT_EQ(found.estimate, 1);
    EXPECT_EQ(found.statistic, infinity);
    EXPECT_GT(found.p_value, 0);
    EXPECT_LT(found.p_value, 1e-6);
    EXPECT_EQ(found.upper, 1);
    EXPECT_GT(found.lower, 0.8);
    EXPECT_EQ(robust_rank_test(b, c, {.alternative = Alternative::less}).p_value, 1);
    // Two walks that happen to lie apart prove nothing.
    const auto walks = robust_rank_test(draw(60, 10, 0, 0.999), draw(60, 11, 50, 0.999));
    EXPECT_FALSE(walks.conclusive);
    EXPECT_EQ(walks.p_value, 1);
}

TEST(RobustRank, TooLittleIsInconclusive) {
    EXPECT_TRUE(std::isnan(robust_rank_test(Values{}, Values{1}).estimate));
    EXPECT_FALSE(robust_rank_test(Values{1, 2, 3}, Values{2, 3, 4}).conclusive);
    EXPECT_FALSE(robust_rank_test(Values(80, 1.0), Values(80, 1.0)).conclusive);
    EXPECT_THROW(robust_rank_test(Values{1}, Values{1}, {.confidence = -1}), Error);
    EXPECT_EQ(robust_rank_test(Values{1, infinity}, Values{2, -infinity}).estimate, 0.25);
    EXPECT_THROW(robust_rank_test(Values{nan_value}, Values{1}, {.nan_policy = NanPolicy::error}), Error);
}

TEST(RobustRank, KeepsItsSizeAsPairedTestDoes) {
    Random random(107);
    Share paired, robust_size, robust, quantile;
    for (int round = 0; round < 800; ++round) {
        paired.add(holds(paired_test(normal(240, 2, 1, random, 0.6)), 2));
        const Values b = normal(240, 0, 1, random, 0.6), c = normal(240, 0, 2, random, 0.6);
        const auto found = robust_rank_test(b, c);
        robust_size.add(found.p_value <= 0.05);
        robust.add(holds(found, 0.5));
        const auto median = quantile_difference(b, c,
                                                {.q = 0.5,
                                                 .n_effective_baseline = effective_sample_size(b).n_effective,
                                                 .n_effective_canary = effective_sample_size(c).n_effective});
        quantile.add(holds(median, 0));
    }
    paired.expect_coverage(0.01);  // docs/concepts/promise.md: .06 at n = 60
    robust_size.expect_size(0.01);
    robust.expect_coverage(0.01);
    quantile.expect_coverage(0.01);
}

}  // namespace
