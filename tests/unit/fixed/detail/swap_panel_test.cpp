#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <span>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/fixed/detail/swap_panel.hpp>
#include <serinus/numeric/special.hpp>

#include "support/draws.hpp"

namespace {

using namespace serinus;
using namespace serinus::label_swap_detail;
using Values = std::vector<double>;

double middle_of(Values values) {
    std::sort(values.begin(), values.end());
    const std::size_t n = values.size();
    return n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

TEST(SwapPanel, ScoresAreRoundedQuantiles) {
    for (const std::size_t n : {8UL, 31UL, 62UL, 500UL}) {
        const auto scores = half_normal_scores(n);
        ASSERT_EQ(scores.size(), 2 * n + 1);
        EXPECT_EQ(scores[0], 0);
        for (std::size_t k = 1; k < scores.size(); ++k) {
            const double exact = 1024 * normal_quantile(0.5 + double(k) / (4 * double(n + 1)));
            EXPECT_LE(std::fabs(scores[k] - exact), 0.5 + 1e-9);
            EXPECT_GE(scores[k], scores[k - 1]);
        }
    }
}

TEST(SwapPanel, ResidualsFollowWhatBothArmsShare) {
    std::mt19937_64 random(1);
    Values scratch;
    for (const std::size_t n : {8UL, 15UL, 31UL, 64UL}) {
        const Values x = support::draw(n, int(n) % 3, random), y = support::draw(n, int(n) % 3, random);
        const Values found = residuals(x, y, scratch);
        Values expected(2 * n);
        for (std::size_t t = 0; t < n; ++t) {
            Values window;
            for (int lag = -7; lag <= 7; ++lag) {
                auto at = static_cast<std::ptrdiff_t>(t) + lag;
                if (at < 0) at = -at;
                if (at >= static_cast<std::ptrdiff_t>(n)) at = 2 * (static_cast<std::ptrdiff_t>(n) - 1) - at;
                window.push_back(std::min(x[std::size_t(at)], y[std::size_t(at)]));
            }
            expected[t] = x[t] - middle_of(window);
            expected[n + t] = y[t] - middle_of(window);
        }
        const double centre = middle_of(expected);
        for (std::size_t i = 0; i < 2 * n; ++i) EXPECT_EQ(found[i], expected[i] - centre) << n << ' ' << i;
        // Labels exchanged in any interval: the same pool.
        Values a = x, b = y;
        std::swap(a[n / 2], b[n / 2]);
        Values turned = residuals(a, b, scratch);
        EXPECT_EQ(turned[n / 2], found[n + n / 2]);
        EXPECT_EQ(turned[n - 1], found[n - 1]);
    }
}

// Expected values: spike_level of tools/reference/label_swap.py.
TEST(SwapPanel, SpikesOfOneArmHaveALevel) {
    const double expected[] = {0.0419, 0.0179, 0.0076, 0.0032, 0.0013};
    for (std::size_t k = 3; k <= 7; ++k) EXPECT_NEAR(spike_level(31, k), expected[k - 3], 0.00006);
    EXPECT_EQ(spike_level(31, 0), spike_level(31, 0));
    EXPECT_NEAR(spike_level(31, 0), std::pow(1 - 1e-3, 31), 1e-12);
}

TEST(SwapPanel, FarOutIsCountedAgainstThePool) {
    Values scratch, x = support::draw(31, 1), y = support::draw(31, 2);
    const auto of = [&] { return far_out(residuals(x, y, scratch), scratch); };
    EXPECT_EQ(of().pooled, 0U);
    EXPECT_EQ(of().canary, 0U);
    x[3] += 100;
    x[20] += 100;
    EXPECT_EQ(of().pooled, 2U);
    EXPECT_EQ(of().canary, 2U);
    y[9] += 100;  // the baseline has one too
    EXPECT_EQ(of().pooled, 3U);
    EXPECT_EQ(of().canary, 0U);
    for (std::size_t t = 0; t < 31; ++t) x[t] = y[t] = t % 8 == 0 ? 5.0 : 0.0;  // a floor
    x[1] = 1000;
    EXPECT_EQ(of().pooled, 0U);
    EXPECT_EQ(of().canary, 0U);
}

TEST(SwapPanel, WhiteningKeepsAShift) {
    const Values flat(31, 0.1), noise = support::draw(31, 5, 3, 0.9);
    const double z = 1.6448536269514722;
    // A constant has no dependence, whatever its mean is rounded to: 1/n and the allowance.
    const double of_flat = whitening_coefficient(flat, flat, z), n = 31, r = 1 / n;
    EXPECT_NEAR(of_flat, r + (0.4 + 4 / n) * z * std::sqrt((1 - r * r) / n), 1e-12);
    Values moved = noise;
    for (double& value : moved) value += 7;
    const ArmPair white = whitened(moved, noise, z);
    for (std::size_t t = 1; t < 31; ++t) EXPECT_NEAR(white.x[t] - white.y[t], 7, 1e-9);
    Values twice = noise;
    for (double& value : twice) value *= 2;
    EXPECT_GT(whitening_coefficient(twice, noise, z), 0.6);
    EXPECT_EQ(whitening_coefficient(twice, noise, 100), 0.95);
    // What both arms share alone is no dependence of their difference.
    EXPECT_LT(whitening_coefficient(moved, noise, z), 0.25);
}

TEST(SwapPanel, LevelBoundsAreWhereTheTestTurns) {
    std::mt19937_64 random(7);
    const auto scores = half_normal_scores(31);
    const auto critical = critical_level(LabelSwaps::drawn(31, 1999, 1), scores, 0.05);
    for (const bool of_ratio : {true, false}) {
        for (int round = 0; round < 20; ++round) {
            const Values x = support::normal(31, 100, 5, random), y = support::normal(31, 95, 5, random);
            const LevelBounds found = level_bounds(x, y, of_ratio, scores, critical);
            const auto sum = [&](double m) { return LevelScore(x, y, of_ratio, scores)(m); };
            EXPECT_GT(sum(found.lower - 1e-6), critical);
            EXPECT_LE(sum(found.lower + 1e-6), critical);
            EXPECT_GE(sum(found.upper - 1e-6), -critical);
            EXPECT_LT(sum(found.upper + 1e-6), -critical);
            EXPECT_LE(found.lower, found.estimate);
            EXPECT_LE(found.estimate, found.upper);
            EXPECT_GE(sum(found.estimate - 1e-6), 0);
            EXPECT_LE(sum(found.estimate + 1e-6), 0);
        }
    }
    // One difference in all intervals: a point. Nothing to divide by: no bound above.
    const Values three(31, 3.0), one(31, 1.0), none(31, 0.0);
    EXPECT_EQ(level_bounds(three, one, false, scores, critical).lower, 2);
    EXPECT_EQ(level_bounds(three, one, false, scores, critical).upper, 2);
    EXPECT_NEAR(level_bounds(three, one, true, scores, critical).estimate, 3, 1e-8);
    EXPECT_TRUE(std::isinf(level_bounds(three, none, true, scores, critical).upper));
    // A level that n intervals cannot reach rejects nothing.
    const LevelBounds open = level_bounds(three, one, false, scores, 1'000'000);
    EXPECT_TRUE(std::isinf(open.lower) && std::isinf(open.upper));
}

// All 2^n labellings of the same pairs: the share of them that a level rejects is at most the level, whatever the data.
TEST(SwapPanel, IsExactOverAllLabellings) {
    std::mt19937_64 random(11);
    const std::size_t n = 8;
    const auto swaps = LabelSwaps::all(n);
    const ScoreTables tables(n);
    std::vector<std::uint32_t> times(n);
    for (std::size_t t = 0; t < n; ++t) times[t] = static_cast<std::uint32_t>(t);
    for (int kind = 0; kind < 6; ++kind) {
        Values x = support::draw(n, kind % 3, random), y = support::draw(n, kind % 3, random);
        if (kind == 3) x[2] = 1e6;
        if (kind == 4) x = y;
        if (kind == 5)
            for (double& value : x) value = value * 5 - 30;
        Values p_values;
        for (std::size_t j = 0; j < swaps.size(); ++j) {
            Values a = x, b = y;
            for (std::size_t t = 0; t < n; ++t)
                if ((j >> t & 1) != 0) std::swap(a[t], b[t]);
            std::vector<SwapStatistic> panel;
            add_panel(swaps, a, b, times, tables, group_weights, panel, nullptr);
            p_values.push_back(joint_p(panel, swaps.size()).p_value);
        }
        std::sort(p_values.begin(), p_values.end());
        // The k-th smallest is at least k/2^n: P(p <= a) <= a for every a.
        for (std::size_t k = 0; k < p_values.size(); ++k)
            ASSERT_GE(p_values[k], double(k + 1) / double(swaps.size()) - 1e-12) << kind << ' ' << k;
        if (kind == 4) {
            EXPECT_EQ(p_values.front(), 1);
        }
    }
}

}  // namespace
