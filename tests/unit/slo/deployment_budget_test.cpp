// deployment_budget against data/reference/slo/statistics.json, its identities and its limits.

#include <cmath>
#include <fstream>
#include <limits>
#include <random>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <serinus/slo/deployment_budget.hpp>

#include "support/data_dir.hpp"

namespace {

using namespace serinus;
using namespace serinus::slo;

constexpr double infinity = std::numeric_limits<double>::infinity();

void expect_relative(double actual, double expected) {
    EXPECT_LE(std::fabs(actual - expected), 1e-9 * std::fabs(expected)) << actual << " against " << expected;
}

TEST(DeploymentBudget, AgreesWithTheReference) {
    std::ifstream file(data_dir() + "/reference/slo/statistics.json");
    const auto reference = nlohmann::json::parse(file);
    int seen = 0;
    for (const auto& one : reference["cases"]) {
        if (one["source"] != "mpmath pairs") continue;
        SCOPED_TRACE(one.dump());
        const Proportion canary{one["canary"][0], one["canary"][1]};
        const Proportion baseline{one["baseline"][0], one["baseline"][1]};
        const DeploymentBudgetOptions options{
            .budget = one["error_budget"], .expected_events = one["period_events"], .confidence = one["confidence"]};
        const auto found = deployment_budget(baseline, canary, options);
        expect_relative(found.excess, one["excess"]);
        expect_relative(found.lower, one["excess_newcombe"][0]);
        expect_relative(found.upper, one["excess_newcombe"][1]);
        expect_relative(found.share, one["budget_share"]);
        expect_relative(found.share_lower, one["budget_share_newcombe"][0]);
        expect_relative(found.share_upper, one["budget_share_newcombe"][1]);
        expect_relative(found.total_share, one["budget_share_total"]);
        expect_relative(found.service_burn, one["service_burn"]);
        expect_relative(found.projected_burn, one["projected_burn_full"]);
        expect_relative(found.ratio_lower, one["rate_ratio_cond_exact"][0]);
        const auto& upper = one["rate_ratio_cond_exact"][1];
        if (upper.is_null()) {
            EXPECT_EQ(found.ratio_upper, infinity);
        } else {
            expect_relative(found.ratio_upper, upper);
        }
        EXPECT_NEAR(found.p_value, one["p_value_cond_greater"], 1e-12);
        ++seen;
    }
    EXPECT_EQ(seen, 4);
}

TEST(DeploymentBudget, AttributableEventsFollowTheRatio) {
    const DeploymentBudgetOptions options{.budget = 0.001, .expected_events = 1e6, .method = ExcessMethod::rate_ratio};
    const auto found = deployment_budget({40, 95000}, {15, 1000}, options);
    expect_relative(found.lower, 15 * (1 - 1 / found.ratio_lower));
    expect_relative(found.upper, 15 * (1 - 1 / found.ratio_upper));
    EXPECT_LT(found.lower, found.excess);
    EXPECT_GT(found.upper, found.excess);
    // No bad event in the baseline: all of the canary's may be its own. None in the canary: none is.
    EXPECT_EQ(deployment_budget({0, 3800}, {3, 200}, options).upper, 3);
    const auto clean = deployment_budget({12, 30000}, {0, 300}, options);
    EXPECT_EQ(clean.upper, 0);
    EXPECT_EQ(clean.lower, -infinity);
}

TEST(DeploymentBudget, WhatAPromotionWouldCost) {
    // A day of 288,000 events of a month of 8.64 million, at 1.5 % instead of 0.04 % bad.
    const auto found = deployment_budget({40, 95000}, {15, 1000},
                                         {.budget = 0.001, .expected_events = 8.64e6, .promoted_events = 288'000});
    expect_relative(found.promoted_share, (0.015 - 40.0 / 95000) * 288'000 / 8640);
    expect_relative(found.promoted_share_lower, found.share_lower * 288);
    expect_relative(found.promoted_share_upper, found.share_upper * 288);
    EXPECT_TRUE(std::isnan(
        deployment_budget({40, 95000}, {15, 1000}, {.budget = 0.001, .expected_events = 8.64e6}).promoted_share));
}

// A canary of 1 % that fails every request burns the service's budget at a hundredth of its own rate.
TEST(DeploymentBudget, TheCanarysOwnBurnIsNotHiddenByItsTraffic) {
    const auto found = deployment_budget({0, 99'000}, {1000, 1000}, {.budget = 0.001, .expected_events = 1e7});
    expect_relative(found.service_burn, 10);
    expect_relative(found.canary_burn, 1000);
    EXPECT_EQ(found.projected_burn, found.canary_burn);
    EXPECT_EQ(found.baseline_burn, 0);
}

TEST(DeploymentBudget, ExcessAndShareScale) {
    const DeploymentBudgetOptions month{.budget = 0.001, .expected_events = 1e6};
    DeploymentBudgetOptions year = month;
    year.expected_events *= 12;
    const auto a = deployment_budget({30, 9000}, {9, 1000}, month), b = deployment_budget({30, 9000}, {9, 1000}, year);
    EXPECT_EQ(a.excess, b.excess);
    expect_relative(a.share, 12 * b.share);
    // Good events in the place of bad ones: the excess changes its sign, the interval its ends.
    const auto good = deployment_budget({8970, 9000}, {991, 1000}, month);
    expect_relative(good.excess, -a.excess);
    EXPECT_NEAR(good.lower, -a.upper, 1e-9);
    EXPECT_NEAR(good.upper, -a.lower, 1e-9);
}

TEST(DeploymentBudget, NewcombesIntervalHoldsItsConfidence) {
    std::mt19937_64 random(7);
    int held = 0;
    constexpr int repetitions = 4000;
    for (int i = 0; i < repetitions; ++i) {
        const auto draw = [&](int n, double p) { return std::binomial_distribution<int>(n, p)(random); };
        const auto found = deployment_budget({draw(9000, 0.002), 9000}, {draw(1000, 0.006), 1000},
                                             {.budget = 0.001, .expected_events = 1e6});
        held += found.lower <= 4 && 4 <= found.upper;
    }
    // Close to its level, not above it: 4 standard errors below .95.
    EXPECT_GE(held, repetitions * (0.95 - 4 * std::sqrt(0.95 * 0.05 / repetitions)));
}

TEST(DeploymentBudget, WithoutAnArmNothingIsKnown) {
    const auto found = deployment_budget({0, 0}, {3, 100}, {.budget = 0.01, .expected_events = 1000});
    EXPECT_TRUE(std::isnan(found.excess));
    EXPECT_TRUE(std::isnan(found.share));
    EXPECT_EQ(found.lower, -infinity);
    EXPECT_EQ(found.upper, infinity);
    EXPECT_EQ(found.p_value, 1);
    expect_relative(found.canary_burn, 3);
    expect_relative(found.total_share, 0.3);
}

TEST(DeploymentBudget, RefusesWhatCannotBe) {
    const auto code = [](const Proportion& b, const Proportion& c, const DeploymentBudgetOptions& options) {
        try {
            deployment_budget(b, c, options);
        } catch (const Error& error) {
            return error.code();
        }
        return Code::none;
    };
    EXPECT_EQ(code({3, 2}, {0, 1}, {.budget = 0.1, .expected_events = 1}), Code::argument_count);
    EXPECT_EQ(code({0, 2}, {2, 1}, {.budget = 0.1, .expected_events = 1}), Code::argument_count);
    EXPECT_EQ(code({0, 2}, {0, 1}, {.budget = 1, .expected_events = 1}), Code::argument_range);
    EXPECT_EQ(code({0, 2}, {0, 1}, {.budget = 0.1, .expected_events = 0}), Code::argument_range);
    EXPECT_EQ(code({0, 2}, {0, 1}, {.budget = 0.1, .expected_events = 1, .promoted_events = -1}), Code::argument_range);
    EXPECT_EQ(code({0, 2}, {0, 1}, {.budget = 0.1, .expected_events = 1, .confidence = 0}), Code::argument_range);
}

}  // namespace
