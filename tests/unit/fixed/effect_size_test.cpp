#include <cmath>
#include <cstddef>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/core/error.hpp>
#include <serinus/fixed/effect_size.hpp>
#include <serinus/fixed/mann_whitney.hpp>
#include <serinus/numeric/normal.hpp>
#include <serinus/numeric/student.hpp>

#include "support/draws.hpp"
#include "support/reference.hpp"

namespace {

using namespace serinus;
using namespace support;
using namespace reference;
using Random = std::mt19937_64;
using Values = std::vector<double>;

TEST(EffectSize, IsUOverPairsAndMirrors) {
    Random random(5);
    for (int round = 0; round < 200; ++round) {
        const Values a = draw(2 + random() % 40, round % 3, random), b = draw(2 + random() % 40, round % 3, random);
        const auto one = effect_size(a, b), other = effect_size(b, a);
        EXPECT_DOUBLE_EQ(one.effect, mann_whitney(a, b).effect);
        EXPECT_NEAR(one.effect, 1 - other.effect, 1e-15);
        EXPECT_NEAR(one.lower, 1 - other.upper, 1e-12);
        EXPECT_NEAR(one.upper, 1 - other.lower, 1e-12);
        EXPECT_LE(0, one.lower);
        EXPECT_LE(one.lower, one.effect);
        EXPECT_LE(one.effect, one.upper);
        EXPECT_LE(one.upper, 1);
    }
}

TEST(EffectSize, CoversTheTruthUnderUnequalVariances) {
    // N(0, 1) against N(1, 4^2): P(canary > baseline) = Phi(1/sqrt(17)) = 0.5958...; 4,000 samples.
    const double truth = normal_cdf(1 / std::sqrt(17.0));
    Random random(6);
    std::normal_distribution<double> normal;
    int missed = 0;
    constexpr int rounds = 4000;
    for (int i = 0; i < rounds; ++i) {
        Values a(30), b(15);
        for (double& v : a) v = normal(random);
        for (double& v : b) v = 1 + 4 * normal(random);
        const auto found = effect_size(a, b);
        missed += found.lower > truth || found.upper < truth;
    }
    // Measured .023: the logit scale is on the safe side here.
    EXPECT_LE(missed, rounds * 0.05 + 4 * std::sqrt(rounds * 0.0475));
    EXPECT_GE(missed, rounds * 0.01);
}

TEST(EffectSize, ArmsThatDoNotOverlap) {
    const Values a{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, b{11, 12, 13, 14, 15, 16};
    const auto found = effect_size(a, b);
    EXPECT_EQ(found.effect, 1);
    EXPECT_EQ(found.upper, 1);
    EXPECT_NEAR(found.lower, std::pow(0.025, 1.0 / 6), 1e-12);
    const auto flat = effect_size(Values(8, 1.0), Values(8, 1.0));
    EXPECT_EQ(flat.effect, 0.5);
    EXPECT_NEAR(flat.lower, 0.5 - (1 - std::pow(0.025, 1.0 / 8)) / 2, 1e-12);
    const auto one = effect_size(Values{1, 3}, Values{2});
    EXPECT_EQ(one.lower, 0);
    EXPECT_EQ(one.upper, 1);
    EXPECT_TRUE(std::isnan(effect_size(Values{}, Values{2}).effect));
    EXPECT_THROW(effect_size(a, b, {.confidence = 0}), Error);
}

TEST(EffectSize, AgreesWithPackages) {
    EXPECT_GE(for_each_pair("cles",
                            [](const auto& one, const auto& baseline, const auto& canary) {
                                const auto ours = effect_size(baseline, canary);
                                expect_near(ours.effect, number(one["outputs"]["cles"]), 1e-12);
                            }),
              30);
    EXPECT_GE(for_each_pair("rank_biserial",
                            [](const auto& one, const auto& baseline, const auto& canary) {
                                expect_near(effect_size(baseline, canary).cliffs_delta, number(one["outputs"]["r"]),
                                            1e-12);
                            }),
              30);
}

TEST(EffectSize, IntervalIsThatOfItsFormula) {
    // statsmodels gives the effect's variance times N and Satterthwaite's degrees of freedom; the logit interval
    // follows.
    int seen = 0;
    for_each_pair("rank_compare_2indep", [&](const auto& one, const auto& baseline, const auto& canary) {
        const auto& theirs = one["outputs"];
        const double effect = number(theirs["prob1"]), variance = number(theirs["var"]), df = number(theirs["df"]);
        if (!(variance > 0) || !(effect > 0 && effect < 1) || !(df > 0)) return;
        const auto ours = effect_size(baseline, canary, {.confidence = 0.9});
        expect_near(ours.effect, effect, 1e-12);
        const double error = std::sqrt(variance / static_cast<double>(baseline.size() + canary.size()));
        const double reach = student_quantile(0.05, df) * error / (effect * (1 - effect));
        const double logit = std::log(effect / (1 - effect));
        expect_near(ours.lower, 1 / (1 + std::exp(reach - logit)), 1e-9);
        expect_near(ours.upper, 1 / (1 + std::exp(-reach - logit)), 1e-9);
        ++seen;
    });
    EXPECT_GE(seen, 25);
}

}  // namespace
