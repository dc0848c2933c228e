#include <cmath>
#include <limits>
#include <random>
#include <tuple>

#include <gtest/gtest.h>

#include <serinus/core/error.hpp>
#include <serinus/fixed/mann_whitney.hpp>
#include <serinus/fixed/power.hpp>
#include <serinus/fixed/proportion.hpp>
#include <serinus/fixed/rate.hpp>
#include <serinus/numeric/normal.hpp>
#include <serinus/numeric/student.hpp>

#include "support/draws.hpp"
#include "support/reference.hpp"

namespace {

using namespace serinus;
using namespace reference;
using namespace support;

constexpr double infinity = std::numeric_limits<double>::infinity();

TEST(Power, AgreesWithRAndStatsmodels) {
    int seen = for_each_case("noether_mann_whitney", [&](const auto& one) {
        const auto& o = one["options"];
        const double fraction = o["fraction1"];
        const auto size = sample_size(RankDesign{o["p"]}, o["power"], fraction / (1 - fraction), {.alpha = o["alpha"]});
        expect_close(size.n_baseline + size.n_canary, number(one["outputs"]["N"]), 1e-9);
    });
    EXPECT_EQ(seen, 3);
    seen = for_each_case("power.t.test", [&](const auto& one) {
        const auto& o = one["options"];
        const auto size = sample_size(
            MeanDesign{o["delta"], o["sd"]}, o["power"], 1,
            {.alpha = o["sig.level"],
             .alternative = o["alternative"] == "one.sided" ? Alternative::greater : Alternative::two_sided});
        expect_close(size.n_canary, number(one["outputs"]["n"]), 1e-5);  // R's uniroot
    });
    EXPECT_EQ(seen, 12);
    for_each_case("tt_ind_solve_power", [&](const auto& one) {
        const auto& o = one["options"];
        const auto size = sample_size(MeanDesign{o["effect_size"], 1}, o["power"], o["ratio"],
                                      {.alpha = o["alpha"], .alternative = alternative(one)});
        expect_close(size.n_baseline, number(one["outputs"]["nobs1"]), 1e-4);  // it counts the wrong side too
    });
    seen = for_each_case("power.prop.test", [&](const auto& one) {
        const auto& o = one["options"];
        const auto size = sample_size(ProportionDesign{o["p1"], o["p2"]}, o["power"], 1,
                                      {.alpha = o["sig.level"],
                                       .alternative = o["alternative"] != "one.sided" ? Alternative::two_sided
                                                      : o["p2"] > o["p1"]             ? Alternative::greater
                                                                                      : Alternative::less});
        expect_close(size.n_canary, number(one["outputs"]["n"]), 1e-4);  // R's uniroot
    });
    EXPECT_EQ(seen, 12);
    for_each_case("power_proportions_2indep", [&](const auto& one) {
        const auto& o = one["options"];
        const double p2 = o["prop2"], difference = o["diff"], n = o["nobs1"], ratio = o["ratio"];
        const double found = power(ProportionDesign{p2, p2 + difference}, n * ratio, n,
                                   {.alpha = o["alpha"], .alternative = alternative(one)});
        EXPECT_NEAR(found, number(one["outputs"]["power"]), 0.005) << one.dump();  // it pools another way
    });
}

TEST(Power, SizesAndPowersMeet) {
    for (const double ratio : {0.1, 1.0, 3.0}) {
        for (const double share : {1.0, 0.25}) {
            const PowerOptions options{.independent = share, .alternative = Alternative::greater};
            const auto check = [&](const auto& design) {
                const auto size = sample_size(design, 0.9, ratio, options);
                EXPECT_NEAR(power(design, size.n_baseline, size.n_canary, options), 0.9, 1e-9);
                EXPECT_NEAR(size.n_canary / size.n_baseline, ratio, 1e-12);
                return size.n_baseline;
            };
            check(RankDesign{0.6});
            check(MeanDesign{5, 20});
            check(ProportionDesign{0.01, 0.02});
            check(RateDesign{0.1, 0.2});
        }
    }
    EXPECT_EQ(sample_size(RankDesign{0.5}).n_canary, infinity);
    EXPECT_EQ(sample_size(RankDesign{0.4}, 0.8, 1, {.alternative = Alternative::greater}).n_canary, infinity);
    EXPECT_THROW(sample_size(RankDesign{0.6}, 0.01), Error);
    EXPECT_THROW(power(RankDesign{1.0}, 10, 10), Error);
    EXPECT_THROW(power(MeanDesign{1, 0}, 10, 10), Error);
    EXPECT_THROW(power(RateDesign{1, 2}, 10, 10, {.independent = 2}), Error);
}

TEST(Power, IsWhatSimulationFinds) {
    std::mt19937_64 random(17);
    const double expected = power(MeanDesign{0.5, 1}, 30, 20);
    int found = 0;
    constexpr int rounds = 4000;
    std::normal_distribution<double> normal;
    for (int round = 0; round < rounds; ++round) {
        double sum[2] = {}, squares[2] = {};
        const double n[2] = {30, 20};
        for (int arm = 0; arm < 2; ++arm) {
            for (int i = 0; i < n[arm]; ++i) {
                const double v = normal(random) + (arm == 1 ? 0.5 : 0);
                sum[arm] += v;
                squares[arm] += v * v;
            }
        }
        double pooled = 0;
        for (int arm = 0; arm < 2; ++arm) pooled += squares[arm] - sum[arm] * sum[arm] / n[arm];
        const double t = (sum[1] / 20 - sum[0] / 30) / std::sqrt(pooled / 48 * (1.0 / 30 + 1.0 / 20));
        found += t >= student_quantile(0.025, 48) ? 1 : 0;
    }
    EXPECT_NEAR(found, rounds * expected, 4 * std::sqrt(rounds * expected * (1 - expected)));
}

TEST(Power, IsWhatTheTestsHave) {
    std::mt19937_64 random(111);
    Share ranks, shares, rates;
    const double effect = normal_cdf(0.5 / std::sqrt(2.0));
    for (int round = 0; round < 3000; ++round) {
        ranks.add(mann_whitney(normal(60, 0, 1, random), normal(60, 0.5, 1, random)).p_value <= 0.05);
        const Proportion b{std::binomial_distribution<int>(2000, 0.02)(random), 2000};
        const Proportion c{std::binomial_distribution<int>(1000, 0.035)(random), 1000};
        shares.add(proportion_test(b, c, {.alternative = Alternative::greater}).p_value <= 0.05);
        const Rate d{std::poisson_distribution<int>(60)(random), 600};
        const Rate e{std::poisson_distribution<int>(45)(random), 300};
        rates.add(rate_test(d, e, {.method = RateTestMethod::score}).p_value <= 0.05);
    }
    // 0.03: each is a normal approximation of its test's power.
    const auto near = [](const Share& found, double expected) {
        EXPECT_NEAR(found.share(), expected, 0.03 + found.slack(expected));
    };
    near(ranks, power(RankDesign{effect}, 60, 60));
    near(shares, power(ProportionDesign{0.02, 0.035}, 2000, 1000, {.alternative = Alternative::greater}));
    near(rates, power(RateDesign{0.1, 0.15}, 600, 300));
}

// Uneven exposures and few events: the score test's own variances are within .02, the logarithm of the ratio was .05 to
// .1 off.
TEST(Power, OfRatesIsThatOfTheScoreTest) {
    std::mt19937_64 random(112);
    for (const auto& [baseline, canary, n, m] : {std::tuple{0.05, 0.12, 1000.0, 100.0},
                                                 {0.01, 0.03, 5000.0, 500.0},
                                                 {0.1, 0.03, 1000.0, 300.0},
                                                 {0.05, 0.02, 2000.0, 500.0},
                                                 {0.01, 0.03, 20000.0, 300.0}}) {
        Share found;
        std::poisson_distribution<int> b(baseline * n), c(canary * m);
        for (int round = 0; round < 4000; ++round) {
            const Rate of_b{b(random), n}, of_c{c(random), m};
            found.add(rate_test(of_b, of_c, {.method = RateTestMethod::score}).p_value <= 0.05);
        }
        const double expected = power(RateDesign{baseline, canary}, n, m);
        EXPECT_NEAR(found.share(), expected, 0.016 + found.slack(expected)) << baseline << ' ' << canary;
    }
    EXPECT_NEAR(power(RateDesign{0.05, 0.12}, 1000, 100), 0.7256, 1e-3);
}

}  // namespace
