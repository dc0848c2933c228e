#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <utility>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <serinus/core/error.hpp>
#include <serinus/fixed/detail/rank_sum_distribution.hpp>
#include <serinus/fixed/proportion.hpp>
#include <serinus/fixed/rate.hpp>

#include "support/reference.hpp"

namespace {

using namespace serinus;
using namespace reference;

Rate arm(const nlohmann::json& one, const std::string& index) {
    return {count(one["inputs"]["count" + index]), number(one["inputs"]["exposure" + index])};
}

TEST(RateTest, AgreesWithR) {
    int seen = 0;
    for_each_case("poisson.test", [&](const auto& one) {
        if (one["options"].contains("one_sample")) return;
        const double ratio = one["options"]["r"];
        const auto found =
            rate_test(arm(one, "2"), arm(one, "1"),
                      {.margin = {.ratio = ratio}, .alternative = alternative(one), .method = RateTestMethod::exact});
        ++seen;
        expect_close(found.p_value, number(one["outputs"]["p.value"]));
        expect_close(found.ratio, number(one["outputs"]["estimate"]));
        expect_close(found.lower, number(one["outputs"]["conf.int"][0]));
        expect_close(found.upper, number(one["outputs"]["conf.int"][1]));
    });
    EXPECT_GE(seen, 40);
}

TEST(RateTest, AgreesWithStatsmodels) {
    int seen = 0;
    for_each_case("test_poisson_2indep", [&](const auto& one) {
        const std::string method = one["options"]["method"];
        if (one["options"]["compare"] != "ratio" ||
            (method != "score" && method != "exact-cond" && method != "cond-midp"))
            return;
        const auto found = rate_test(arm(one, "2"), arm(one, "1"),
                                     {.margin = {.ratio = one["options"]["value"]},
                                      .alternative = alternative(one),
                                      .method = method == "score"        ? RateTestMethod::score
                                                : method == "exact-cond" ? RateTestMethod::exact
                                                                         : RateTestMethod::midp});
        const double expected = number(one["outputs"]["pvalue"]);
        if (std::isnan(expected)) return;
        ++seen;
        expect_close(found.p_value, expected, 1e-9, 1e-15);
    });
    EXPECT_GE(seen, 80);
    for_each_case("confint_poisson_2indep", [&](const auto& one) {
        if (one["options"]["compare"] != "ratio" || one["options"]["method"] != "score") return;
        // statsmodels searches from the middle and loses both ends where there are no events: [1.15, 1.15] for 0 and 4.
        if (number(one["inputs"]["count1"]) == 0 || number(one["inputs"]["count2"]) == 0) return;
        // Its root finder is good to 1e-8.
        const auto found = rate_test(arm(one, "2"), arm(one, "1"), {.method = RateTestMethod::score});
        expect_close(found.lower, number(one["outputs"]["ci95"][0]), 1e-7);
        expect_close(found.upper, number(one["outputs"]["ci95"][1]), 1e-7);
    });
}

TEST(RateTest, EndsInvertTheirTest) {
    for (const RateTestMethod method : {RateTestMethod::exact, RateTestMethod::midp, RateTestMethod::score}) {
        for (const auto& [x, y] : {std::pair{3, 7}, {0, 5}, {40, 31}, {12, 0}, {2000, 2100}}) {
            for (const double confidence : {0.95, 0.3}) {
                SCOPED_TRACE(testing::Message() << word(method) << " " << x << " " << y << " " << confidence);
                const Rate canary{x, 70}, baseline{y, 130};
                const auto lower =
                    rate_test(baseline, canary,
                              {.alternative = Alternative::greater, .method = method, .confidence = confidence});
                const auto upper = rate_test(
                    baseline, canary, {.alternative = Alternative::less, .method = method, .confidence = confidence});
                EXPECT_EQ(lower.upper, std::numeric_limits<double>::infinity());
                EXPECT_EQ(upper.lower, 0);
                // With no events in an arm some levels are never reached, and the end is that of the ratios.
                if (x > 0 && std::isfinite(lower.lower)) {
                    const auto edge = rate_test(
                        baseline, canary,
                        {.margin = {.ratio = lower.lower}, .alternative = Alternative::greater, .method = method});
                    EXPECT_NEAR(edge.p_value, 1 - confidence, 1e-9);
                }
                if (y > 0 && std::isfinite(upper.upper) && upper.upper > 0) {
                    const auto edge = rate_test(
                        baseline, canary,
                        {.margin = {.ratio = upper.upper}, .alternative = Alternative::less, .method = method});
                    EXPECT_NEAR(edge.p_value, 1 - confidence, 1e-9);
                }
                const auto here = rate_test(baseline, canary, {.method = method});
                const auto exchanged = rate_test(canary, baseline, {.method = method});
                EXPECT_NEAR(here.p_value, exchanged.p_value, 1e-12);
                if (x > 0) {
                    EXPECT_NEAR(here.lower * exchanged.upper, 1, 1e-9);
                }
            }
        }
    }
}

TEST(RateTest, ExactKeepsItsSizeAndCoversWhateverTheRate) {
    std::mt19937_64 random(6);
    for (const double rate : {0.5, 3.0, 30.0}) {
        std::poisson_distribution<int> events_b(rate * 4), events_c(rate * 1.5);
        int rejected = 0, covered = 0;
        constexpr int rounds = 4000;
        for (int round = 0; round < rounds; ++round) {
            const Rate b{events_b(random), 4}, c{events_c(random), 1};
            const auto found = rate_test(b, c, {.margin = {.ratio = 1.5}});
            rejected += found.p_value <= 0.05 ? 1 : 0;
            covered += found.lower <= 1.5 && 1.5 <= found.upper ? 1 : 0;
        }
        EXPECT_LE(rejected, rounds * 0.05 + 4 * std::sqrt(rounds * 0.05 * 0.95));
        EXPECT_GE(covered, rounds * 0.95 - 4 * std::sqrt(rounds * 0.05 * 0.95));
    }
}

TEST(RateTest, EdgesAndErrors) {
    EXPECT_EQ(rate_test({0, 10}, {0, 1}).p_value, 1);
    EXPECT_TRUE(std::isnan(rate_test({0, 10}, {0, 1}).ratio));
    const auto huge = rate_test({most_count, 1}, {most_count, 1}, {.method = RateTestMethod::exact});
    EXPECT_EQ(huge.method, RateTestMethod::score);  // and says so
    EXPECT_EQ(huge.p_value, 1);
    const auto many = rate_test({10'000'000'000, 1}, {10'000'100'000, 1});
    EXPECT_EQ(many.method, RateTestMethod::exact);
    EXPECT_NEAR(many.p_value,
                rate_test({10'000'000'000, 1}, {10'000'100'000, 1}, {.method = RateTestMethod::score}).p_value, 1e-4);
    EXPECT_THROW(rate_test({-1, 1}, {1, 1}), Error);
    EXPECT_THROW(rate_test({1, 0}, {1, 1}), Error);
    EXPECT_THROW(rate_test({1, 1}, {1, std::nan("")}), Error);
    EXPECT_THROW(rate_test({1, 1}, {1, 1}, {.margin = {.ratio = 0}}), Error);
    EXPECT_THROW(rate_test({1, 1}, {most_count + 1, 1}), Error);
}

TEST(RateTest, OfEqualExposuresIsTheBinomialTest) {
    const int seen = for_each_case("binom.test", [&](const auto& one) {
        const std::int64_t bad = count(one["inputs"]["count"]), total = count(one["inputs"]["nobs"]);
        const auto found = rate_test({total - bad, 1}, {bad, 1}, {.method = RateTestMethod::exact});
        expect_close(found.p_value, number(one["outputs"]["p.value"]));
        const auto share = [](double odds) { return std::isinf(odds) ? 1 : odds / (1 + odds); };
        expect_close(share(found.lower), number(one["outputs"]["conf.int"][0]), 1e-9, 1e-15);
        expect_close(share(found.upper), number(one["outputs"]["conf.int"][1]));
    });
    EXPECT_EQ(seen, 8);
}

TEST(RateTest, MidPOfNoEventsIsOneHalfAsInProportionTest) {
    // The mean of a mid-p-value over all outcomes is 1/2 whatever their probabilities: of a single outcome it is 1/2.
    for (const auto side : {Alternative::two_sided, Alternative::greater, Alternative::less}) {
        EXPECT_EQ(proportion_test({.bad = 0, .total = 900}, {.bad = 0, .total = 100},
                                  {.alternative = side, .method = ProportionTestMethod::midp})
                      .p_value,
                  0.5);
        EXPECT_EQ(rate_test({.events = 0, .exposure = 900}, {.events = 0, .exposure = 100},
                            {.alternative = side, .method = RateTestMethod::midp})
                      .p_value,
                  0.5);
    }
    // The mean itself, of rates: six events, each the canary's with chance 1/4.
    double mean = 0;
    for (int x = 0; x <= 6; ++x) {
        const double own = choose(6, x) * std::pow(0.25, x) * std::pow(0.75, 6 - x);
        mean += own * rate_test({.events = 6 - x, .exposure = 3}, {.events = x, .exposure = 1},
                                {.method = RateTestMethod::midp})
                          .p_value;
    }
    EXPECT_NEAR(mean, 0.5, 1e-12);
}

}  // namespace
