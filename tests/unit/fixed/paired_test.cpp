#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/core/error.hpp>
#include <serinus/fixed/paired.hpp>
#include <serinus/numeric/student.hpp>
#include <serinus/sequential/noise/learn_paired_noise.hpp>
#include <serinus/sequential/noise/noise_bounds.hpp>
#include <serinus/sequential/noise/paired_noise.hpp>
#include <serinus/series/dependence.hpp>

#include "support/draws.hpp"

namespace {

using namespace serinus;
using namespace support;
using Values = std::vector<double>;
constexpr double infinity = std::numeric_limits<double>::infinity();
const double nan_value = std::nan("");

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
        EXPECT_NEAR(paired_test(d, {.margin = {.difference = edge}}).p_value, 0.05, 1e-9);
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
        EXPECT_NEAR(paired_test(d, {.margin = {.difference = cautious.upper}, .method = OneLook::cautious}).p_value,
                    0.05, 1e-9);
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
        EXPECT_LT(paired_test(d, noise, {.margin = {.difference = end + side * 0.02}}).p_value, 0.05);
        EXPECT_GT(paired_test(d, noise, {.margin = {.difference = end - side * 0.02}}).p_value, 0.05);
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
    EXPECT_LT(paired_test(d, {.margin = {.difference = 0.2}}).statistic, paired_test(d).statistic);
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
    EXPECT_THROW(paired_test(Values{1}, {.margin = {.difference = nan_value}}), Error);
}

}  // namespace
