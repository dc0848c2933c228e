// hodges_lehmann, effect_size, robust_rank_test and effective_sample_size against published packages.

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <serinus/fixed/effect_size.hpp>
#include <serinus/fixed/effective_sample_size.hpp>
#include <serinus/fixed/hodges_lehmann.hpp>
#include <serinus/fixed/mann_whitney.hpp>

#include "support/data_dir.hpp"

namespace {

using namespace serinus;

double number(const nlohmann::json& value) {
    if (value.is_number()) return value.get<double>();
    if (value == "Infinity") return std::numeric_limits<double>::infinity();
    if (value == "-Infinity") return -std::numeric_limits<double>::infinity();
    return std::numeric_limits<double>::quiet_NaN();
}

std::vector<double> numbers(const nlohmann::json& array) {
    std::vector<double> values;
    for (const auto& value : array) values.push_back(number(value));
    return values;
}

const nlohmann::json& reference() {
    static const nlohmann::json known = [] {
        std::ifstream file(data_dir() + "/reference/fixed/shift_and_effect.json");
        return nlohmann::json::parse(file);
    }();
    return known;
}

/// Calls `check(case, baseline, canary)` for every case of a function; returns how many there were.
template <class Check>
int for_each_case(const std::string& function, const Check& check) {
    int seen = 0;
    for (const auto& one : reference()["cases"]) {
        if (one["fn"] != function) continue;
        const auto& data = reference()["datasets"][one["dataset"].get<std::string>()];
        SCOPED_TRACE(one.dump().substr(0, 300));
        check(one, numbers(data["baseline"]), numbers(data["canary"]));
        ++seen;
    }
    return seen;
}

bool finite(const std::vector<double>& values) {
    for (const double value : values)
        if (!std::isfinite(value)) return false;
    return true;
}

void expect_near(double actual, double expected, double tolerance) {
    if (std::isnan(expected)) {
        EXPECT_TRUE(std::isnan(actual)) << actual;
    } else if (std::isinf(expected)) {
        EXPECT_EQ(actual, expected);
    } else {
        EXPECT_LE(std::fabs(actual - expected), tolerance * std::max(1.0, std::fabs(expected)))
            << actual << " against " << expected;
    }
}

Alternative alternative_of(const nlohmann::json& one) {
    const std::string text = one["alternative"];
    return text == "greater" ? Alternative::greater : text == "less" ? Alternative::less : Alternative::two_sided;
}

TEST(HodgesLehmann, ExactAgreesWithR) {
    int exact = 0;
    for_each_case("wilcox.test", [&](const auto& one, const auto& baseline, const auto& canary) {
        if (!one["exact"].template get<bool>() || !finite(baseline) || !finite(canary)) return;
        ++exact;
        const auto ours = hodges_lehmann(baseline, canary,
                                         {.confidence = one["conf.level"],
                                          .alternative = alternative_of(one),
                                          .method = HodgesLehmannMethod::exact});
        const bool ties = mann_whitney(baseline, canary).ties > 0;
        // With ties R leaves the exact distribution, and its answer is that of the root finder below.
        if (ties) return;
        // To the bit: both are differences of the data.
        EXPECT_EQ(ours.estimate, number(one["estimate"]));
        EXPECT_EQ(ours.lower, number(one["conf_int"][0]));
        EXPECT_EQ(ours.upper, number(one["conf_int"][1]));
        // R tells the level that was asked for, unless the achieved error is more than half as large again; then that,
        // rounded to two digits.
        const double asked = number(one["conf.level"]), told = number(one["achieved"]);
        if (told == asked) {
            EXPECT_LE(1 - ours.confidence, 1.5 * (1 - asked) + 1e-12);
        } else {
            expect_near(1 - ours.confidence, 1 - told, 0.05 * (1 - told));
        }
    });
    EXPECT_GE(exact, 30);
}

TEST(HodgesLehmann, NormalIsThatOfRUpToItsRootFinder) {
    // R solves z(d) = +-z with a continuity correction by a root finder, so its ends and its estimate lie between two
    // neighbouring differences, ours are differences: 1e-3 of the range of the data from 30 values an arm, and 5e-3
    // from 20, where neighbouring differences are farther apart.
    int seen = 0;
    for_each_case("wilcox.test", [&](const auto& one, const auto& baseline, const auto& canary) {
        if (one["exact"].template get<bool>() || !one["conf.int"].template get<bool>()) return;
        const std::size_t fewest = std::min(baseline.size(), canary.size());
        if (!finite(baseline) || !finite(canary) || fewest < 20) return;
        const auto ours = hodges_lehmann(baseline, canary,
                                         {.confidence = one["conf.level"],
                                          .alternative = alternative_of(one),
                                          .method = HodgesLehmannMethod::normal});
        const auto [b_low, b_high] = std::minmax_element(baseline.begin(), baseline.end());
        const auto [c_low, c_high] = std::minmax_element(canary.begin(), canary.end());
        const double slack = (fewest < 30 ? 5e-3 : 1e-3) * std::max(*b_high - *b_low, *c_high - *c_low);
        ++seen;
        const auto compare = [&](double actual, double expected) {
            if (std::isinf(expected)) {
                EXPECT_EQ(actual, expected);
            } else {
                EXPECT_LE(std::fabs(actual - expected), slack) << actual << " against " << expected;
            }
        };
        compare(ours.estimate, number(one["estimate"]));
        compare(ours.lower, number(one["conf_int"][0]));
        compare(ours.upper, number(one["conf_int"][1]));
    });
    EXPECT_GE(seen, 40);
}

TEST(EffectSize, AgreesWithPackages) {
    EXPECT_GE(for_each_case("cles",
                            [](const auto& one, const auto& baseline, const auto& canary) {
                                const auto ours = effect_size(baseline, canary);
                                expect_near(ours.effect, number(one["effect"]), 1e-12);
                            }),
              30);
    EXPECT_GE(for_each_case("rank_biserial",
                            [](const auto& one, const auto& baseline, const auto& canary) {
                                expect_near(effect_size(baseline, canary).cliffs_delta, number(one["delta"]), 1e-12);
                            }),
              30);
}

TEST(EffectSize, IntervalIsThatOfItsFormula) {
    // statsmodels gives the effect's variance times N and Satterthwaite's degrees of freedom; the logit interval
    // follows.
    int seen = 0;
    for_each_case("rank_compare_2indep", [&](const auto& one, const auto& baseline, const auto& canary) {
        const double effect = number(one["effect"]), variance = number(one["var"]), df = number(one["df"]);
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

TEST(EffectiveSampleSize, AutocorrelationsAreThoseOfStatsmodelsWithTheBiasTakenOff) {
    EXPECT_GE(for_each_case("acf",
                            [](const auto& one, const auto& baseline, const auto& canary) {
                                const auto& values = one["sample"] == "x" ? canary : baseline;
                                const auto ours = effective_sample_size(values);
                                for (std::size_t lag = 1; lag <= 3; ++lag) {
                                    const double raw = number(one["acf"][lag]);
                                    const auto n = static_cast<double>(values.size());
                                    expect_near(ours.autocorrelation[lag - 1],
                                                std::clamp(raw + (1 + 4 * raw) / n, -1.0, 1.0), 1e-9);
                                }
                            }),
              10);
}

}  // namespace
