// What history's differences teach.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/sequential/noise/learn_paired_noise.hpp>
#include <serinus/sequential/noise/noise_bounds.hpp>
#include <serinus/series/dependence.hpp>

#include "support/code_of.hpp"
#include "support/paired_history.hpp"

namespace {

using namespace serinus;
using namespace serinus::sequential;
using Random = std::mt19937_64;
using Values = std::vector<double>;

constexpr double infinity = std::numeric_limits<double>::infinity();
const double nan_value = std::nan("");

TEST(LearnPairedNoise, TableIsTheQuantilesAndScoresAreSignedRanks) {
    const Values history = draw(2000, 1, 0.3);
    const PairedNoise noise = noise_of(history);
    ASSERT_EQ(noise.table.size(), 256U);
    EXPECT_TRUE(std::is_sorted(noise.table.begin(), noise.table.end()));
    EXPECT_NEAR(noise.offset, 0.3, 4 * 1.2533 / std::sqrt(2000.0));
    EXPECT_NEAR(noise.scale(), 0.6745, 0.05);
    // Of a uniform on (-1, 1), and above by what the minimum rule may add.
    EXPECT_GT(noise.long_run_variance, 0.9 / 3);
    EXPECT_LT(noise.long_run_variance, 1.0);
    EXPECT_NEAR(noise.mean_score, 0, 0.05);
    EXPECT_EQ(noise.wander, 0);
    EXPECT_FALSE(defect(noise));
    double before = -1;
    for (double d = -6; d <= 6; d += 0.01) {
        const double score = noise.score(d);
        EXPECT_GE(score, before);
        EXPECT_DOUBLE_EQ(score, -noise.score(-d));
        EXPECT_LT(std::fabs(score), 1);
        before = score;
    }
    EXPECT_EQ(noise.score(0), 0);
    EXPECT_EQ(noise.score(infinity), 256.5 / 257);
    // Brute force: how many of the table lie below, ties half.
    for (const double d : draw(200, 2)) {
        double below = 0;
        for (const double q : noise.table) below += q < std::fabs(d) ? 1 : 0;
        EXPECT_DOUBLE_EQ(noise.score(d), std::copysign((below + 0.5) / 257, d));
    }
}

TEST(LearnPairedNoise, LongRunVarianceFollowsTheDependence) {
    EXPECT_GT(noise_of(draw(2000, 3, 0, 0.9)).long_run_variance, 10 * noise_of(draw(2000, 3)).long_run_variance);
    EXPECT_LT(noise_of(draw(2000, 3, 0, 0.9)).degrees_of_freedom, 300);
}

TEST(LearnPairedNoise, ASlowWanderIsSeenAndPlainNoiseIsNot) {
    // White noise upon a swing over thousands of intervals, longer than any model of the first lags can know.
    int plain = 0;
    for (std::uint64_t seed = 0; seed < 300; ++seed) plain += noise_of(draw(1500, seed, 0, 0.5)).wander > 0;
    EXPECT_LE(plain, 6);  // three looks at .001 each
    Values slow = draw(10000, 5);
    for (std::size_t i = 0; i < slow.size(); ++i) slow[i] += 0.6 * std::sin(static_cast<double>(i) / 1600);
    const PairedNoise noise = noise_of(slow);
    EXPECT_NEAR(noise.wander, 0.6 / std::sqrt(2.0), 0.2);
    EXPECT_GE(noise.wander_degrees, 3);
    EXPECT_GT(noise_reach(noise, 0.025, 0), noise.wander);
}

TEST(LearnPairedNoise, TooLittleIsSaidByNoDegreesOfFreedom) {
    EXPECT_EQ(noise_of(draw(8, 1, 0, 0.9)).degrees_of_freedom, 0);
    EXPECT_EQ(noise_of(Values(500, 0.0)).degrees_of_freedom, 0);
    EXPECT_EQ(noise_of({}).degrees_of_freedom, 0);
    EXPECT_TRUE(defect(noise_of({})));
    EXPECT_EQ(code_of([] { noise_of({1, infinity}); }), Code::argument_infinite);
}

// Instances take turns: what a rollout subtracts is the centre that the scores were learned about.
TEST(LearnPairedNoise, SkewedInstancesKeepTheirCentre) {
    Random random(67);
    std::exponential_distribution<double> exponential;
    const auto differences = [&](std::size_t n, double own) {
        Values values(n);
        for (double& value : values) {
            double rest = 0;
            for (int i = 0; i < 9; ++i) rest += exponential(random) / 9;
            value = own + exponential(random) - rest;
        }
        return values;
    };
    std::vector<Values> turns;
    for (const double own : {-0.4, 0.0, 0.4}) turns.push_back(differences(4000, own));
    const PairedNoise noise = paired_noise(turns, 1, true);
    double mean = 0;
    const Values rollout = differences(20000, 0);
    for (const double d : rollout) mean += (noise.score(d - noise.offset) - noise.mean_score) / 20000;
    EXPECT_LT(noise.offset, -0.15);
    // sqrt(1/3)/sqrt(20000) = .004 of the rollout, .005 of history's 12,000, and the medians' error .01.
    EXPECT_NEAR(mean, 0, 0.04);
}

TEST(LearnPairedNoise, GapsKeepTheirLags) {
    for (const double phi : {0.6, 0.9}) {
        const Values whole = draw(6000, 68, 0, phi);
        Values gaps = whole, closed;
        Random random(69);
        for (double& value : gaps) {
            if (random() % 10 < 6) {
                value = nan_value;
            } else {
                closed.push_back(value);
            }
        }
        const double full = noise_of(whole).long_run_variance, kept = noise_of(gaps).long_run_variance;
        EXPECT_GT(kept, 0.7 * full);
        EXPECT_LT(kept, 2 * full);
        EXPECT_LT(dependence(closed).long_run_variance(), 0.75 * dependence(whole).long_run_variance());
        EXPECT_EQ(noise_of(gaps).size, static_cast<double>(closed.size()));
    }
}

TEST(LearnPairedNoise, SlowSwingsAreSeen) {
    // An AR(1) of .99 under one of .5: the first lags say next to nothing of it.
    int seen = 0;
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
        Values values = draw(2000, 400 + seed, 0, 0.5);
        const Values slow = draw(2000, 500 + seed, 0, 0.99);
        for (std::size_t i = 0; i < values.size(); ++i) values[i] += 0.3 * slow[i];
        const PairedNoise noise = noise_of(values);
        // In the long-run variance, or as a wander that moves the margin.
        seen += noise.degrees_of_freedom <= 12 || noise.wander > 0 ? 1 : 0;
        EXPECT_EQ(noise.horizon(), 500);
        EXPECT_GT(variance_factor(noise, 0.001), variance_factor(noise, 0.05));
    }
    EXPECT_GE(seen, 40);
}

}  // namespace
