// paired_test and robust_rank_test: one look at time series.

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/fixed/effective_sample_size.hpp>
#include <serinus/fixed/mann_whitney.hpp>
#include <serinus/fixed/paired.hpp>
#include <serinus/fixed/robust_rank.hpp>
#include <serinus/sequential/noise/paired_noise.hpp>

namespace {

using namespace serinus;
using Random = std::mt19937_64;
using Values = std::vector<double>;

constexpr double infinity = std::numeric_limits<double>::infinity();
const double nan_value = std::nan("");

Values draw(std::size_t n, std::uint64_t seed, double mean = 0, double phi = 0) {
    Random random(seed);
    std::normal_distribution<double> normal;
    Values values(n);
    double state = normal(random);
    for (double& value : values) {
        state = phi * state + std::sqrt(1 - phi * phi) * normal(random);
        value = mean + state;
    }
    return values;
}

TEST(PairedLook, IsTheTTestOfTheEffectiveNumber) {
    const Values d = draw(120, 1, 0.3, 0.5);
    const Dependence known = dependence(d);
    const PairedTestResult found = paired_test(d);
    ASSERT_TRUE(found.conclusive);
    const double rule = known.long_run_variance(), slow = slow_variance(d, 6);
    EXPECT_DOUBLE_EQ(found.statistic, known.mean / std::sqrt(std::max(rule, slow) / 120));
    EXPECT_DOUBLE_EQ(found.df, slow > rule ? 6 : known.n_effective - 1);
    EXPECT_DOUBLE_EQ(found.p_value, 2 * student_survival(std::fabs(found.statistic), found.df));
    // The interval holds exactly what is not rejected.
    for (const double edge : {found.lower, found.upper})
        EXPECT_NEAR(paired_test(d, {.difference = edge}).p_value, 0.05, 1e-9);
}

// A variance of six numbers has six degrees of freedom, and of four numbers four.
TEST(PairedLook, SwingsHaveAsManyDegreesAsThereAre) {
    int swings = 0, rules = 0;
    for (std::uint64_t seed = 0; seed < 60; ++seed) {
        const Values d = draw(120, 100 + seed, 0.2, 0.3);
        const Dependence known = dependence(d);
        const bool slow = slow_variance(d, 6) > known.long_run_variance();
        const auto found = paired_test(d), cautious = paired_test(d, {.method = OneLook::cautious});
        EXPECT_DOUBLE_EQ(found.df, slow ? std::min(6.0, known.n_effective - 1) : known.n_effective - 1);
        EXPECT_DOUBLE_EQ(cautious.df, std::min(4.0, known.n_effective - 1));
        EXPECT_DOUBLE_EQ(cautious.statistic,
                         known.mean / std::sqrt(std::max(known.long_run_variance(), slow_variance(d, 4)) / 120));
        EXPECT_NEAR(paired_test(d, {.difference = cautious.upper, .method = OneLook::cautious}).p_value, 0.05, 1e-9);
        (slow ? swings : rules) += 1;
    }
    EXPECT_GT(swings, 5);
    EXPECT_GT(rules, 5);
    EXPECT_FALSE(paired_test(draw(60, 3, 5, 0.999), {.method = OneLook::cautious}).conclusive);
}

TEST(PairedLook, HistoryKnowsTheDependence) {
    const std::vector<Values> history{draw(2000, 200, 3, 0.6)};
    const auto noise = sequential::paired_noise(history, 10, false);
    const Values d = draw(120, 201, 3.8, 0.6);
    const auto found = paired_test(d, noise);
    ASSERT_TRUE(found.conclusive);
    EXPECT_EQ(found.df, noise.degrees_of_freedom);
    // 0.8 beyond the noise's own offset of 3; a standard error of the mean is 0.18.
    EXPECT_NEAR(found.estimate, 0.8, 0.6);
    EXPECT_LT(found.lower, found.estimate);
    EXPECT_GT(found.upper, found.estimate);
    double mean = 0;
    for (const double value : d) mean += noise.score(value - noise.offset) / 120;
    const double error = std::sqrt(noise.long_run_variance * (1.0 / 120 + 1.0 / 2000));
    EXPECT_NEAR(found.statistic, (mean - noise.mean_score) / error, 1e-12);
    EXPECT_NEAR(found.p_value, 2 * student_survival(std::fabs(found.statistic), found.df), 1e-12);
    // The interval holds what is not rejected: just inside and just outside of its ends.
    for (const double side : {-1.0, 1.0}) {
        const double end = side < 0 ? found.lower : found.upper;
        EXPECT_LT(paired_test(d, noise, {.difference = end + side * 0.02}).p_value, 0.05);
        EXPECT_GT(paired_test(d, noise, {.difference = end - side * 0.02}).p_value, 0.05);
    }
    // One-sided, mirrored, and shifted together with the null.
    const auto greater = paired_test(d, noise, {.alternative = Alternative::greater});
    EXPECT_EQ(greater.upper, infinity);
    EXPECT_NEAR(greater.p_value + paired_test(d, noise, {.alternative = Alternative::less}).p_value, 1, 1e-12);
}

TEST(PairedLook, HistoryThatKnowsTooLittleDecidesNothing) {
    const std::vector<Values> history{draw(2000, 202, 0, 0.6)};
    auto noise = sequential::paired_noise(history, 10, false);
    EXPECT_TRUE(paired_test(draw(500, 203, 2), noise).conclusive);
    const auto long_look = paired_test(draw(501, 203, 2), noise);
    EXPECT_FALSE(long_look.conclusive);
    EXPECT_EQ(long_look.p_value, 1);
    EXPECT_EQ(long_look.lower, -infinity);
    EXPECT_FALSE(paired_test(Values{}, noise).conclusive);
    EXPECT_THROW(paired_test(Values{1, infinity}, noise), Error);
    EXPECT_THROW(paired_test(Values{1}, noise, {.confidence = 0}), Error);
    // Instances that differ: a shift within their reach is no shift.
    const Values d = draw(120, 204, 0.8, 0.6);
    const auto alike = paired_test(d, noise);
    noise.instances = 10;
    noise.instance_deviation = 1;
    noise.instances_baseline = noise.instances_canary = 2;
    const auto differ = paired_test(d, noise);
    EXPECT_GT(differ.p_value, alike.p_value);
    EXPECT_LT(differ.lower, alike.lower - 1);
    EXPECT_GT(differ.upper, alike.upper + 1);
    noise.long_run_variance = -1;
    EXPECT_THROW(paired_test(d, noise), Error);
    EXPECT_THROW(paired_test(d, sequential::PairedNoise{}), Error);
}

TEST(PairedLook, AlternativesShiftsUnitsAndMirrors) {
    const Values d = draw(200, 2, 0.2, 0.3);
    Values turned = d, scaled = d;
    for (double& v : turned) v = -v;
    for (double& v : scaled) v *= 1024;
    const auto greater = paired_test(d, {.alternative = Alternative::greater});
    const auto less = paired_test(d, {.alternative = Alternative::less});
    EXPECT_NEAR(greater.p_value + less.p_value, 1, 1e-12);
    EXPECT_NEAR(paired_test(turned, {.alternative = Alternative::less}).p_value, greater.p_value, 1e-12);
    EXPECT_EQ(greater.upper, infinity);
    EXPECT_EQ(less.lower, -infinity);
    EXPECT_DOUBLE_EQ(paired_test(scaled).p_value, paired_test(d).p_value);
    EXPECT_DOUBLE_EQ(paired_test(scaled).lower, 1024 * paired_test(d).lower);
    EXPECT_LT(paired_test(d, {.difference = 0.2}).statistic, paired_test(d).statistic);
}

TEST(PairedLook, TooLittleIsInconclusive) {
    for (const Values& d : {Values{}, Values{1}, Values{1, 2, 3, 4}, Values(100, 5.0), draw(60, 3, 5, 0.999)}) {
        const auto found = paired_test(d);
        EXPECT_FALSE(found.conclusive) << d.size();
        EXPECT_EQ(found.p_value, 1);
        EXPECT_EQ(found.lower, -infinity);
    }
    EXPECT_EQ(paired_test(Values{1, nan_value, 2}).n, 2);
    EXPECT_THROW(paired_test(Values{1, nan_value}, {.nan_policy = NanPolicy::error}), Error);
    EXPECT_THROW(paired_test(Values{1, infinity}), Error);
    EXPECT_THROW(paired_test(Values{1}, {.confidence = 1}), Error);
    EXPECT_THROW(paired_test(Values{1}, {.difference = nan_value}), Error);
}

TEST(SlowVariance, IsTheVarianceOfWhiteNoiseAndSeesASlowSwing) {
    double sum = 0;
    for (std::uint64_t seed = 0; seed < 400; ++seed) sum += slow_variance(draw(100, seed), 6) / 400;
    EXPECT_NEAR(sum, 1, 4 * std::sqrt(2.0 / 2400));
    Values swinging = draw(100, 1), level = swinging;
    for (std::size_t i = 0; i < 100; ++i) swinging[i] += std::cos(0.09 * static_cast<double>(i));
    for (double& v : level) v += 1e6;
    EXPECT_GT(slow_variance(swinging, 6), 5);
    EXPECT_NEAR(slow_variance(level, 6), slow_variance(draw(100, 1), 6), 1e-7);
    EXPECT_EQ(slow_variance(Values{1}, 6), 0);
}

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

TEST(EffectiveSampleSize, LeavesGapsOut) {
    Values values = draw(300, 12, 0, 0.8);
    const double whole = effective_sample_size(values).n_effective;
    for (std::size_t i = 0; i < values.size(); i += 50) values[i] = nan_value;
    const auto gappy = effective_sample_size(values);
    EXPECT_EQ(gappy.n, 294);
    EXPECT_NEAR(gappy.n_effective, whole, 0.3 * whole);
    EXPECT_THROW(effective_sample_size(values, NanPolicy::error), Error);
}

}  // namespace
