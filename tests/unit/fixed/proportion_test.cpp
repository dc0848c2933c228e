#include <cmath>
#include <cstddef>
#include <random>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <serinus/core/error.hpp>
#include <serinus/fixed/proportion.hpp>
#include <serinus/fixed/rate.hpp>
#include <serinus/numeric/normal.hpp>

#include "support/draws.hpp"
#include "support/reference.hpp"

namespace {

using namespace serinus;
using Method = ProportionTestMethod;
using namespace reference;
using namespace support;

Proportion arm(const nlohmann::json& one, const std::string& index) {
    return {count(one["inputs"]["count" + index]), count(one["inputs"]["nobs" + index])};
}

TEST(ProportionTest, ScoreIsMiettinenAndNurminens) {
    int seen = for_each_case("mn_score_diff", [&](const auto& one) {
        const auto found = proportion_test(arm(one, "2"), arm(one, "1"), {.method = Method::score});
        if (!one["options"]["correction"].template get<bool>()) return;
        expect_close(found.lower, number(one["outputs"]["ci95"][0]), 1e-9, 1e-13);
        expect_close(found.upper, number(one["outputs"]["ci95"][1]), 1e-9, 1e-13);
        const auto values = numbers(one["options"]["values"]), z = numbers(one["outputs"]["z"]);
        for (std::size_t i = 0; i < z.size(); ++i) {
            const auto at = proportion_test(arm(one, "2"), arm(one, "1"), {.margin = {.difference = values[i]}});
            if (!std::isnan(z[i]) && at.method == Method::score) {
                expect_close(at.statistic, z[i], 1e-9, 1e-12);
            }
        }
    });
    EXPECT_EQ(seen, 20);
    seen = 0;
    for_each_case("test_proportions_2indep", [&](const auto& one) {
        const std::string compare = one["options"]["compare"];
        const double value = one["options"]["value"];
        // statsmodels' score of a difference other than 0 is wrong (issue 10269).
        if (compare == "odds-ratio" || (compare == "diff" && value != 0)) return;
        if (!one["options"]["correction"].template get<bool>()) return;
        Margin margin;
        (compare == "diff" ? margin.difference : margin.ratio) = value;
        const auto found = proportion_test(
            arm(one, "2"), arm(one, "1"), {.margin = margin, .alternative = alternative(one), .method = Method::score});
        const double expected = number(one["outputs"]["pvalue"]);
        if (std::isnan(expected)) return;
        ++seen;
        expect_close(found.p_value, expected, 1e-9);
        expect_close(found.statistic, number(one["outputs"]["statistic"]), 1e-9, 1e-12);
    });
    EXPECT_GE(seen, 70);
    for_each_case("confint_proportions_2indep", [&](const auto& one) {
        if (one["options"]["compare"] != "ratio" || one["options"]["method"] != "score") return;
        if (!one["options"]["correction"].template get<bool>()) return;
        const auto found = proportion_test(arm(one, "2"), arm(one, "1"), {.margin = {.ratio = 1.0}});
        const double lower = number(one["outputs"]["ci95"][0]), upper = number(one["outputs"]["ci95"][1]);
        if (number(one["inputs"]["count1"]) == 0 || number(one["inputs"]["count2"]) == 0) return;
        // All bad in both arms: statsmodels' lower end sticks at 1; exchanging the arms shows ours.
        if (found.ratio == 1 && lower > 0.999) return expect_close(found.lower, 1 / upper, 1e-6);
        expect_close(found.lower, lower, 1e-6);  // its root finder
        expect_close(found.upper, upper, 1e-6);
    });
}

TEST(ProportionTest, FisherAgreesWithSciPyAndR) {
    int seen = 0;
    for (const std::string name : {"fisher_exact", "fisher.test"}) {
        seen += for_each_case(name, [&](const auto& one) {
            const auto found = proportion_test(arm(one, "2"), arm(one, "1"),
                                               {.alternative = alternative(one), .method = Method::fisher});
            const auto& outputs = one["outputs"];
            expect_close(found.p_value, number(outputs[name == "fisher_exact" ? "pvalue" : "p.value"]));
        });
    }
    EXPECT_EQ(seen, 60);
}

TEST(ProportionTest, BoschlooAndBarnardAgreeWithSciPy) {
    int seen = 0;
    for (const std::string name : {"boschloo_exact", "barnard_exact"}) {
        for_each_case(name, [&](const auto& one) {
            if (name == "barnard_exact" && !one["options"]["pooled"].template get<bool>()) return;
            const bool boschloo = name == "boschloo_exact";
            const auto found = proportion_test(
                arm(one, "2"), arm(one, "1"),
                {.alternative = alternative(one), .method = boschloo ? Method::boschloo : Method::barnard});
            const double expected = number(one["outputs"]["pvalue"]);
            if (std::isnan(expected)) {
                EXPECT_EQ(found.p_value, 1);
                return;
            }
            ++seen;
            // SciPy's maximum is found by an optimiser that starts from 32 points: to 1e-4, and never above ours.
            expect_close(found.p_value, expected, 1e-4, 1e-12);
        });
    }
    EXPECT_GE(seen, 35);
}

TEST(ProportionTest, ExactMethodsKeepTheirSizeWhateverTheShare) {
    // All tables of 12 and 7, each weighted by its probability: no simulation needed.
    for (const Method method : {Method::fisher, Method::boschloo, Method::barnard}) {
        for (const double share : {0.03, 0.2, 0.5, 0.8}) {
            double size = 0;
            for (int x = 0; x <= 7; ++x) {
                for (int y = 0; y <= 12; ++y) {
                    if (proportion_test({y, 12}, {x, 7}, {.method = method}).p_value <= 0.05)
                        size += binomial_density(x, 7, share, 1 - share) * binomial_density(y, 12, share, 1 - share);
                }
            }
            EXPECT_LE(size, 0.05 + 1e-9) << word(method) << " " << share;
        }
    }
}

TEST(ProportionTest, ScoreCoversAndItsEndsInvertIt) {
    std::mt19937_64 random(7);
    std::binomial_distribution<int> bad_b(900, 0.03), bad_c(300, 0.05);
    int covered = 0, covered_ratio = 0;
    constexpr int rounds = 4000;
    for (int round = 0; round < rounds; ++round) {
        const Proportion b{bad_b(random), 900}, c{bad_c(random), 300};
        const auto found = proportion_test(b, c);
        covered += found.lower <= 0.02 && 0.02 <= found.upper ? 1 : 0;
        const auto ratio = proportion_test(b, c, {.margin = {.ratio = 1.0}});
        covered_ratio += ratio.lower <= 5.0 / 3 && 5.0 / 3 <= ratio.upper ? 1 : 0;
        if (round > 50) continue;
        for (const double end : {found.lower, found.upper})
            EXPECT_NEAR(proportion_test(b, c, {.margin = {.difference = end}}).p_value, 0.05, 1e-9);
        for (const double end : {ratio.lower, ratio.upper}) {
            if (end > 0 && std::isfinite(end)) {
                EXPECT_NEAR(proportion_test(b, c, {.margin = {.ratio = end}}).p_value, 0.05, 1e-9);
            }
        }
        const auto exchanged = proportion_test(c, b);
        EXPECT_NEAR(exchanged.lower, -found.upper, 1e-12);
        EXPECT_NEAR(exchanged.p_value, found.p_value, 1e-12);
    }
    // 0.005: the score interval's own deviation at these sizes.
    for (const int seen : {covered, covered_ratio})
        EXPECT_NEAR(seen, rounds * 0.95, rounds * 0.005 + 4 * std::sqrt(rounds * 0.05 * 0.95));
}

TEST(ProportionTest, EdgesAndErrors) {
    for (const Method method : {Method::automatic, Method::score, Method::fisher, Method::midp, Method::boschloo}) {
        const auto none = proportion_test({0, 50}, {0, 20}, {.method = method});
        EXPECT_FALSE(std::isnan(none.p_value));
        EXPECT_FALSE(std::isnan(none.lower));
        EXPECT_LE(none.p_value, 1);
        EXPECT_GE(none.p_value, 0.5);
        const auto all = proportion_test({50, 50}, {20, 20}, {.method = method});
        EXPECT_GE(all.p_value, 0.5);
        const auto opposite = proportion_test({0, 50}, {20, 20}, {.method = method});
        EXPECT_LT(opposite.p_value, 1e-6);
        EXPECT_LE(opposite.lower, 1);
        EXPECT_EQ(opposite.upper, 1);
        EXPECT_EQ(proportion_test({0, 0}, {1, 20}, {.method = method}).p_value, 1);
    }
    constexpr std::int64_t most = most_count;
    const auto huge = proportion_test({1'000'000, most}, {1'010'000, most}, {.method = Method::fisher});
    EXPECT_EQ(huge.method, Method::fisher);
    EXPECT_NEAR(huge.p_value / proportion_test({1'000'000, most}, {1'010'000, most}).p_value, 1,
                1e-2);  // 7 standard errors out
    EXPECT_EQ(proportion_test({most / 2, most}, {most / 2, most}, {.method = Method::fisher}).method, Method::score);
    EXPECT_THROW(proportion_test({5, 4}, {1, 2}), Error);
    EXPECT_THROW(proportion_test({-1, 4}, {1, 2}), Error);
    EXPECT_THROW(proportion_test({1, 4}, {1, 2}, {.margin = {.ratio = 1.0, .difference = 0.0}}), Error);
    EXPECT_THROW(proportion_test({1, 4}, {1, 2}, {.margin = {.ratio = -1.0}}), Error);
    EXPECT_THROW(proportion_test({1, 4}, {1, 2}, {.margin = {.ratio = 2.0}, .method = Method::fisher}), Error);
    EXPECT_THROW(proportion_test({1, 4000}, {1, 2}, {.method = Method::boschloo}), Error);
}

TEST(ProportionTest, ScoresWithoutTheFactorOfMiettinenAndNurminen) {
    // Without N/(N-1) a statistic is larger by its root, and its interval that of a smaller confidence of ours.
    const auto factor = [](const nlohmann::json& one) {
        const double total = number(one["inputs"]["nobs1"]) + number(one["inputs"]["nobs2"]);
        return std::sqrt(total / (total - 1));
    };
    const auto confidence = [&](const nlohmann::json& one) {
        return 1 - 2 * normal_survival(-normal_quantile(0.025) / factor(one));
    };
    int seen = 0;
    for_each_case("mn_score_diff", [&](const auto& one) {
        if (one["options"]["correction"].template get<bool>()) return;
        const Proportion b = arm(one, "2"), c = arm(one, "1");
        const auto found =
            proportion_test(b, c, {.method = ProportionTestMethod::score, .confidence = confidence(one)});
        // The script bisects to 1e-10.
        expect_close(found.lower, number(one["outputs"]["ci95"][0]), 1e-9, 1e-10);
        expect_close(found.upper, number(one["outputs"]["ci95"][1]), 1e-9, 1e-10);
        const auto values = numbers(one["options"]["values"]), z = numbers(one["outputs"]["z"]);
        for (std::size_t i = 0; i < z.size(); ++i) {
            const auto at =
                proportion_test(b, c, {.margin = {.difference = values[i]}, .method = ProportionTestMethod::score});
            if (!std::isnan(z[i])) {
                expect_close(at.statistic * factor(one), z[i], 1e-9, 1e-12);
            }
        }
        ++seen;
    });
    EXPECT_EQ(seen, 10);
    seen = 0;
    for_each_case("confint_proportions_2indep", [&](const auto& one) {
        const auto& options = one["options"];
        if (options["compare"] != "ratio" || options["method"] != "score") return;
        if (options["correction"].template get<bool>()) return;
        if (number(one["inputs"]["count1"]) == 0 || number(one["inputs"]["count2"]) == 0) return;
        const auto found =
            proportion_test(arm(one, "2"), arm(one, "1"), {.margin = {.ratio = 1.0}, .confidence = confidence(one)});
        const double lower = number(one["outputs"]["ci95"][0]), upper = number(one["outputs"]["ci95"][1]);
        if (found.ratio == 1 && lower > 0.999) return;  // all bad: its lower end sticks at 1
        expect_close(found.lower, lower, 1e-6);         // its root finder
        expect_close(found.upper, upper, 1e-6);
        ++seen;
    });
    EXPECT_GE(seen, 3);
    seen = 0;
    for_each_case("prop.test", [&](const auto& one) {
        if (one["options"]["correct"].template get<bool>()) return;
        const auto found = proportion_test(arm(one, "2"), arm(one, "1"), {.method = ProportionTestMethod::score});
        const double squared = number(one["outputs"]["statistic"]);
        if (std::isnan(squared)) {
            EXPECT_EQ(found.statistic, 0);
            return;
        }
        const double z = found.statistic * factor(one);
        expect_close(z * z, squared, 1e-9, 1e-12);
        const Alternative side = alternative(one);
        const double p = side == Alternative::two_sided ? 2 * normal_survival(std::fabs(z))
                                                        : normal_survival(side == Alternative::greater ? z : -z);
        expect_close(p, number(one["outputs"]["p.value"]), 1e-9, 1e-300);
        ++seen;
    });
    EXPECT_GE(seen, 20);
}

TEST(ProportionTest, AndRateTestKeepTheirSizeByScoreAndMidP) {
    // All outcomes of two binomials weighted by their probabilities: no chance involved.
    const auto size = [](int n, int m, double share, ProportionTestMethod method) {
        double sum = 0;
        for (int x = 0; x <= m; ++x)
            for (int y = 0; y <= n; ++y)
                if (proportion_test({y, n}, {x, m}, {.method = method}).p_value <= 0.05)
                    sum += binomial_density(x, m, share, 1 - share) * binomial_density(y, n, share, 1 - share);
        return sum;
    };
    for (const double share : {0.1, 0.3, 0.5}) {
        // Not exact; published sizes of both are within .01 of 5 % where 5 events are expected.
        EXPECT_LE(size(60, 50, share, ProportionTestMethod::score), 0.06) << share;
        EXPECT_LE(size(60, 50, share, ProportionTestMethod::midp), 0.06) << share;
    }
    std::mt19937_64 random(106);
    for (const auto method : {RateTestMethod::midp, RateTestMethod::score}) {
        Share rejected, covered;
        for (int round = 0; round < 4000; ++round) {
            const Rate b{std::poisson_distribution<int>(40)(random), 4};
            const Rate c{std::poisson_distribution<int>(15)(random), 1};
            const auto found = rate_test(b, c, {.margin = {.ratio = 1.5}, .method = method});
            rejected.add(found.p_value <= 0.05);
            covered.add(holds(found, 1.5));
        }
        rejected.expect_size(0.005);
        covered.expect_coverage(0.005);
    }
}

}  // namespace
