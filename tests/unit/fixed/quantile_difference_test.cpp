#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/core/error.hpp>
#include <serinus/fixed/quantile_difference.hpp>
#include <serinus/numeric/order.hpp>

#include "support/reference.hpp"

namespace {

using namespace serinus;
using namespace reference;
using Values = std::vector<double>;
constexpr double infinity = std::numeric_limits<double>::infinity();

TEST(QuantileDifference, EstimatesAreThoseOfSciPyAndR) {
    int seen = 0;
    const auto check = [&](const auto& one, const Values& baseline, const Values& canary, const char* levels,
                           QuantileDifferenceMethod method) {
        Values values = one["options"]["sample"] == "x" ? canary : baseline;
        const auto q = numbers(one["options"][levels]), expected = numbers(one["outputs"]["q"]);
        if (!finite(values)) return;
        for (std::size_t i = 0; i < q.size(); ++i) {
            const auto found = quantile_difference(values, values, {.q = q[i], .method = method});
            expect_close(found.canary.estimate, expected[i], 1e-9, 1e-300);
            EXPECT_EQ(found.estimate, 0);
            ++seen;
        }
    };
    for_each_pair("mquantiles", [&](const auto& one, const Values& b, const Values& c) {
        if (one["options"]["type"] == "R7") check(one, b, c, "prob", QuantileDifferenceMethod::order_statistic);
    });
    for_each_pair("quantile", [&](const auto& one, const Values& b, const Values& c) {
        if (one["options"]["type"] == 7) check(one, b, c, "probs", QuantileDifferenceMethod::order_statistic);
    });
    for_each_pair("hdquantiles", [&](const auto& one, const Values& b, const Values& c) {
        check(one, b, c, "prob", QuantileDifferenceMethod::harrell_davis);
    });
    EXPECT_GE(seen, 300);
}

TEST(QuantileDifference, OrderStatisticsHoldWhatTheBinomialSays) {
    std::mt19937_64 random(8);
    for (const double q : {0.1, 0.5, 0.95}) {
        for (const std::size_t n : {1U, 5U, 40U, 400U}) {
            Values values(n);
            for (double& v : values) v = std::exp(std::normal_distribution<double>()(random));
            Values sorted = values;
            std::sort(sorted.begin(), sorted.end());
            const auto arm = quantile_difference(values, values, {.q = q, .confidence = 0.9}).canary;
            // P(X_(l) > quantile) = P(B < l) by summing.
            const auto below = [&](std::size_t k) {
                double sum = 0;
                for (std::size_t i = 0; i < k; ++i) sum += binomial_density(double(i), double(n), q, 1 - q);
                return sum;
            };
            std::size_t l = 0, u = 1;
            while (l < n && below(l + 1) <= 0.05) ++l;
            while (u <= n && 1 - below(u) > 0.05) ++u;
            EXPECT_EQ(arm.lower, l > 0 ? sorted[l - 1] : -infinity);
            EXPECT_EQ(arm.upper, u <= n ? sorted[u - 1] : infinity);
        }
    }
}

TEST(QuantileDifference, Covers) {
    std::mt19937_64 random(9);
    std::lognormal_distribution<double> draw(0, 1);
    for (const auto method : {QuantileDifferenceMethod::order_statistic, QuantileDifferenceMethod::woodruff,
                              QuantileDifferenceMethod::harrell_davis}) {
        for (const double q : {0.5, 0.9}) {
            int covered = 0;
            constexpr int rounds = 1500;
            for (int round = 0; round < rounds; ++round) {
                Values b(120), c(80);
                for (Values* arm : {&b, &c})
                    for (double& v : *arm) v = draw(random);
                const auto found = quantile_difference(b, c, {.q = q, .method = method});
                covered += found.lower <= 0 && 0 <= found.upper ? 1 : 0;
            }
            // 4 standard errors; 0.015 for the jackknife at the 90th of 80 values.
            const double slack = method == QuantileDifferenceMethod::harrell_davis ? 0.015 : 0;
            EXPECT_GE(covered, rounds * (0.95 - slack) - 4 * std::sqrt(rounds * 0.05 * 0.95)) << word(method) << q;
        }
    }
}

TEST(QuantileDifference, EdgesAndErrors) {
    const Values b{1, 2, 3}, c{4, 5, 6};
    EXPECT_EQ(quantile_difference(b, c, {.q = 0.5}).estimate, 3);
    EXPECT_EQ(quantile_difference(b, c, {.q = 0.99}).upper, infinity);
    EXPECT_TRUE(std::isnan(quantile_difference(Values{}, c).estimate));
    const auto point = quantile_difference(Values(100, 7), Values(100, 9), {.q = 0.5});
    EXPECT_EQ(point.lower, 2);
    EXPECT_EQ(point.upper, 2);
    const Values many(500, 1);
    Values spread(500);
    for (std::size_t i = 0; i < spread.size(); ++i) spread[i] = double(i);
    const auto few =
        quantile_difference(spread, spread, {.q = 0.5, .n_effective_baseline = 20, .n_effective_canary = 20});
    const auto all = quantile_difference(spread, spread, {.q = 0.5});
    EXPECT_EQ(few.method, QuantileDifferenceMethod::woodruff);
    EXPECT_LT(few.lower, 2 * all.lower);
    EXPECT_THROW(quantile_difference(b, c, {.q = 1}), Error);
    EXPECT_THROW(quantile_difference(b, c, {.n_effective_canary = 4}), Error);
    EXPECT_THROW(quantile_difference(Values{1, infinity}, c), Error);
    EXPECT_EQ(quantile_of_sorted(Values{-1.7e308, 1.7e308}, 0.5), 0);
}

TEST(QuantileDifference, OrderStatisticsOfQuantileTest) {
    // SciPy's interval takes the ranks by binom.ppf and accepts ends beyond the sample as NaN.
    int seen = 0;
    for_each_pair("quantile_test", [&](const auto& one, const Values& baseline, const Values& canary) {
        const Values& values = one["options"]["sample"] == "x" ? canary : baseline;
        if (!finite(values)) return;
        const auto arm = quantile_difference(values, values, {.q = one["options"]["p"]}).canary;
        const double lower = number(one["outputs"]["ci95"][0]), upper = number(one["outputs"]["ci95"][1]);
        if (!std::isnan(lower)) {
            EXPECT_EQ(arm.lower, lower);
        }
        if (!std::isnan(upper)) {
            EXPECT_EQ(arm.upper, upper);
        }
        ++seen;
    });
    EXPECT_GE(seen, 40);
}

}  // namespace
