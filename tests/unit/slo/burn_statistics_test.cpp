// burn_interval, probability_burn_exceeds and burn_p_value against data/reference/slo/statistics.json and by brute
// force.

#include <cmath>
#include <fstream>
#include <limits>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <serinus/slo/burn_statistics.hpp>

#include "support/data_dir.hpp"

namespace {

using namespace serinus;
using namespace serinus::slo;

const nlohmann::json& reference() {
    static const nlohmann::json known = [] {
        std::ifstream file(data_dir() + "/reference/slo/statistics.json");
        return nlohmann::json::parse(file);
    }();
    return known;
}

// The reference's own tolerance: 1e-9 relative, 1e-12 absolute on probabilities.
void expect_relative(double actual, double expected) {
    EXPECT_LE(std::fabs(actual - expected), 1e-9 * std::fabs(expected)) << actual << " against " << expected;
}

TEST(BurnStatistics, AgreeWithTheReference) {
    int seen = 0, posteriors = 0;
    for (const auto& one : reference()["cases"]) {
        if (one["source"] != "mpmath single") continue;
        SCOPED_TRACE(one.dump());
        const Proportion events{one["bad"], one["total"]};
        const double budget = one["error_budget"], factor = one["threshold"], confidence = one["confidence"];
        const auto exact = burn_interval(events, budget, {.confidence = confidence});
        expect_relative(exact.burn, one["burn"]);
        expect_relative(exact.lower, one["cp_burn"][0]);
        expect_relative(exact.upper, one["cp_burn"][1]);
        const auto poisson = burn_interval(events, budget, {.method = BurnMethod::poisson, .confidence = confidence});
        expect_relative(poisson.burn, one["burn"]);
        expect_relative(poisson.lower, one["poisson_burn"][0]);
        expect_relative(poisson.upper, one["poisson_burn"][1]);
        EXPECT_NEAR(burn_p_value(events, budget, factor), one["binom_p_value_ge"], 1e-12);
        if (!one["prob_burn_gt_jeffreys"].is_null()) {
            EXPECT_NEAR(probability_burn_exceeds(events, budget, factor), one["prob_burn_gt_jeffreys"], 1e-12);
            ++posteriors;
        }
        ++seen;
    }
    EXPECT_EQ(seen, 8);
    EXPECT_EQ(posteriors, 8);
}

/// P(X >= bad), term by term.
double tail(double bad, double total, double p) {
    double sum = 0;
    for (double k = bad; k <= total; ++k)
        sum += std::exp(std::lgamma(total + 1) - std::lgamma(k + 1) - std::lgamma(total - k + 1) + k * std::log(p) +
                        (total - k) * std::log1p(-p));
    return sum;
}

TEST(BurnStatistics, PValueAndIntervalAreTheBinomialTails) {
    for (const int total : {1, 7, 40, 300}) {
        for (int bad = 1; bad <= total; bad += std::max(1, total / 7)) {
            EXPECT_NEAR(burn_p_value({bad, total}, 0.01, 14.4), tail(bad, total, 0.144), 1e-11);
            // At the lower bound as many are just as rare as the tail allows; the upper bound is the mirror.
            const auto found = burn_interval({bad, total}, 0.01, {.confidence = 0.9});
            EXPECT_NEAR(tail(bad, total, found.lower * 0.01), 0.05, 1e-9);
            if (bad < total) {
                EXPECT_NEAR(1 - tail(bad + 1, total, found.upper * 0.01), 0.05, 1e-9);
            }
            const auto mirror = burn_interval({total - bad, total}, 0.01, {.confidence = 0.9});
            EXPECT_NEAR(found.lower, 100 - mirror.upper, 1e-9);
        }
    }
}

TEST(BurnStatistics, MoreBadEventsAreMoreEvidence) {
    double before = 0, p_before = 1.1;
    for (int bad = 0; bad <= 50; ++bad) {
        const double probability = probability_burn_exceeds({bad, 1000}, 0.001, 14.4);
        const double p = burn_p_value({bad, 1000}, 0.001, 14.4);
        EXPECT_GT(probability, before);
        EXPECT_LT(p, p_before);
        before = probability;
        p_before = p;
    }
    // One error alone exceeds 14.4 at 99.9 % up to 69 events, and proves little.
    EXPECT_LT(probability_burn_exceeds({1, 69}, 0.001, 14.4), 0.95);
    EXPECT_GT(burn_interval({1, 69}, 0.001).burn, 14.4);
    EXPECT_LT(burn_interval({1, 69}, 0.001).lower, 14.4);
}

TEST(BurnStatistics, WithoutEventsNothingIsKnown) {
    const auto nothing = burn_interval({0, 0}, 0.001);
    EXPECT_TRUE(std::isnan(nothing.burn));
    EXPECT_EQ(nothing.lower, 0);
    EXPECT_EQ(nothing.upper, 1000);
    EXPECT_EQ(burn_interval({0, 0}, 0.001, {.method = BurnMethod::poisson}).upper,
              std::numeric_limits<double>::infinity());
    EXPECT_TRUE(std::isnan(probability_burn_exceeds({0, 0}, 0.001, 1)));
    EXPECT_EQ(burn_p_value({0, 0}, 0.001, 1), 1);
    // Nothing can burn faster than 1/budget.
    EXPECT_EQ(probability_burn_exceeds({50, 50}, 0.1, 10), 0);
    EXPECT_EQ(burn_p_value({50, 50}, 0.1, 10), 1);
    EXPECT_EQ(burn_interval({50, 50}, 0.1).upper, 10);
}

TEST(BurnStatistics, HugeCountsStayFinite) {
    const auto found = burn_interval({most_count / 1000, most_count}, 0.001);
    EXPECT_NEAR(found.lower, 1, 1e-5);
    EXPECT_NEAR(found.upper, 1, 1e-5);
    EXPECT_LE(found.lower, found.burn);
    EXPECT_GE(found.upper, found.burn);
}

template <class Call>
void expect_raises(Code code, Call call) {
    try {
        call();
        FAIL() << "nothing was raised";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), code) << error.what();
        EXPECT_NE(std::string(error.what()).find("allowed"), std::string::npos) << error.what();
    }
}

TEST(BurnStatistics, RefuseWhatCannotBe) {
    expect_raises(Code::argument_count, [] { burn_interval({3, 2}, 0.001); });
    expect_raises(Code::argument_count, [] { burn_interval({-1, 2}, 0.001); });
    expect_raises(Code::argument_count, [] { burn_p_value({1, most_count + 1}, 0.001, 1); });
    expect_raises(Code::argument_range, [] { burn_interval({1, 2}, 0); });
    expect_raises(Code::argument_range, [] { burn_interval({1, 2}, 0.999 + 0.001); });
    expect_raises(Code::argument_range, [] { burn_interval({1, 2}, 0.001, {.confidence = 1}); });
    expect_raises(Code::argument_range, [] { probability_burn_exceeds({1, 2}, 0.001, 0); });
}

}  // namespace
