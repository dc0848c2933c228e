// Families of reference cases that reach a test by a detour: through two one-sided tests, a correction factor that the
// package leaves out, or a part of the result. The families that are a test's own are in its test file.

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/fixed/brunner_munzel.hpp>
#include <serinus/fixed/hodges_lehmann.hpp>
#include <serinus/fixed/kolmogorov_smirnov.hpp>
#include <serinus/fixed/mann_whitney.hpp>
#include <serinus/fixed/proportion.hpp>
#include <serinus/fixed/quantile_difference.hpp>
#include <serinus/fixed/rate.hpp>
#include <serinus/fixed/welch.hpp>
#include <serinus/numeric/moments.hpp>
#include <serinus/numeric/normal.hpp>
#include <serinus/numeric/order.hpp>

#include "support/reference.hpp"

namespace {

using namespace serinus;
using namespace reference;
using Values = std::vector<double>;

Proportion proportion(const nlohmann::json& one, const std::string& arm) {
    return {number(one["inputs"]["count" + arm]), number(one["inputs"]["nobs" + arm])};
}
Rate rate(const nlohmann::json& one, const std::string& arm) {
    return {number(one["inputs"]["count" + arm]), number(one["inputs"]["exposure" + arm])};
}
bool untied(const Values& baseline, const Values& canary) { return mann_whitney(baseline, canary).ties == 0; }

/// How far apart the values lie, for errors of packages that are absolute in that.
double spread(const Values& values) {
    const auto [low, high] = std::minmax_element(values.begin(), values.end());
    return *high - *low;
}

TEST(References, WelchOfR) {
    int seen = 0;
    for_each_pair("t.test", [&](const auto& one, const Values& baseline, const Values& canary) {
        const std::string name = one["inputs"]["dataset"];
        // R rounds each mean at 1e15 to eighths (means_and_ranks_test.cpp has the exact fractions) and squares denormal
        // and huge values to 0 and to infinity.
        if (name == "huge_offset" || name == "denormal" || name == "huge" || !finite(baseline) || !finite(canary))
            return;
        const auto found = welch(baseline, canary, {.alternative = alternative(one)});
        const auto& outputs = one["outputs"];
        expect_close(found.statistic, number(outputs["statistic"]), 1e-9, 1e-12);
        expect_close(found.df, number(outputs["df"]));
        expect_close(found.p_value, number(outputs["p.value"]));
        // Ends near 0 are what is left of a subtraction.
        const double size = std::fabs(number(outputs["estimate"][0])) + std::fabs(number(outputs["estimate"][1]));
        expect_close(found.estimate, number(outputs["estimate"][0]) - number(outputs["estimate"][1]), 1e-9,
                     1e-14 * size);
        expect_close(found.lower, number(outputs["conf.int"][0]), 1e-9, 1e-12 * size);
        expect_close(found.upper, number(outputs["conf.int"][1]), 1e-9, 1e-12 * size);
        ++seen;
    });
    EXPECT_GE(seen, 100);
}

TEST(References, TwoOneSidedTests) {
    int seen = 0;
    for_each_pair("ttost_ind", [&](const auto& one, const Values& baseline, const Values& canary) {
        if (one["options"]["usevar"] != "unequal" || !finite(baseline) || !finite(canary)) return;
        const std::string name = one["inputs"]["dataset"];
        if (name == "huge_offset" || name == "denormal" || name == "huge") return;  // as above
        const auto above =
            welch(baseline, canary, {.alternative = Alternative::greater, .difference = one["options"]["low"]});
        const auto below =
            welch(baseline, canary, {.alternative = Alternative::less, .difference = one["options"]["upp"]});
        if (above.degenerate) return;  // statsmodels: NaN or infinite
        ++seen;
        const auto& outputs = one["outputs"];
        expect_close(std::max(above.p_value, below.p_value), number(outputs["pvalue"]));
        expect_close(above.statistic, number(outputs["lower"][0]), 1e-9, 1e-12);
        expect_close(below.statistic, number(outputs["upper"][0]), 1e-9, 1e-12);
        expect_close(above.p_value, number(outputs["lower"][1]), 1e-9, 1e-300);
        expect_close(below.p_value, number(outputs["upper"][1]), 1e-9, 1e-300);
        // And the interval that `equivalence` looks at: both at 5 % are one of 90 %.
        const auto interval = welch(baseline, canary, {.confidence = 0.90});
        EXPECT_EQ(std::max(above.p_value, below.p_value) < 0.05, interval.lower > -0.5 && interval.upper < 0.5);
    });
    EXPECT_GE(seen, 30);
    seen = for_each_case("tost_poisson_2indep", [&](const auto& one) {
        const auto p = [&](const char* end, Alternative side) {
            return rate_test(
                       rate(one, "2"), rate(one, "1"),
                       {.margin = {.ratio = one["options"][end]}, .alternative = side, .method = RateMethod::score})
                .p_value;
        };
        const double larger = std::max(p("low", Alternative::greater), p("upp", Alternative::less));
        const double expected = number(one["outputs"]["pvalue"]);
        // No events at all: 0/0 there, nothing proven here.
        expect_close(larger, std::isnan(expected) ? 1 : expected);
    });
    EXPECT_EQ(seen, 7);
    seen = 0;
    for_each_pair("rank_compare_2indep", [&](const auto& one, const Values& baseline, const Values& canary) {
        const auto above = brunner_munzel(baseline, canary, {.alternative = Alternative::greater, .effect = 0.4});
        const auto below = brunner_munzel(baseline, canary, {.alternative = Alternative::less, .effect = 0.6});
        if (above.degenerate) return;
        ++seen;
        expect_close(std::max(above.p_value, below.p_value), number(one["outputs"]["tost_prob_pvalue_0.4_0.6"]));
    });
    EXPECT_GE(seen, 30);
}

TEST(References, DistancesOfDistributionsWithAndWithoutTies) {
    // The distance itself, of every pair; the p-values where both count the same are in distributions_test.cpp.
    const int seen = for_each_pair("ks_2samp", [&](const auto& one, const Values& baseline, const Values& canary) {
        const auto found = kolmogorov_smirnov(
            baseline, canary, {.alternative = mirrored(alternative(one)), .method = DistributionMethod::asymptotic});
        expect_close(found.statistic, number(one["outputs"]["statistic"]), 1e-12, 1e-15);
    });
    EXPECT_EQ(seen, 270);
}

TEST(References, OrderStatisticsOfQuantileTest) {
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

TEST(References, PercentilesOfBootstraps) {
    int seen = 0;
    for_each_case("bootstrap", [&](const auto& one) {
        Values replicates = numbers(one["outputs"]["bootstrap_distribution"]);
        std::sort(replicates.begin(), replicates.end());
        expect_close(std::sqrt(moments(replicates, 0, replicates.front()).variance()), number(one["outputs"]["se"]));
        if (one["options"]["method"] != "percentile") return;
        const double tail = (1 - number(one["options"]["confidence_level"])) / 2;
        expect_close(quantile_of_sorted(replicates, tail), number(one["outputs"]["ci95"][0]), 1e-12);
        expect_close(quantile_of_sorted(replicates, 1 - tail), number(one["outputs"]["ci95"][1]), 1e-12);
        ++seen;
    });
    EXPECT_EQ(seen, 4);
}

TEST(References, ScoresWithoutTheFactorOfMiettinenAndNurminen) {
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
        const Proportion b = proportion(one, "2"), c = proportion(one, "1");
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
        const auto found = proportion_test(proportion(one, "2"), proportion(one, "1"),
                                           {.margin = {.ratio = 1.0}, .confidence = confidence(one)});
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
        const auto found =
            proportion_test(proportion(one, "2"), proportion(one, "1"), {.method = ProportionTestMethod::score});
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

TEST(References, BinomialTestIsTheRateTestOfEqualExposures) {
    const int seen = for_each_case("binom.test", [&](const auto& one) {
        const double bad = number(one["inputs"]["count"]), total = number(one["inputs"]["nobs"]);
        const auto found = rate_test({total - bad, 1}, {bad, 1}, {.method = RateMethod::exact});
        expect_close(found.p_value, number(one["outputs"]["p.value"]));
        const auto share = [](double odds) { return std::isinf(odds) ? 1 : odds / (1 + odds); };
        expect_close(share(found.lower), number(one["outputs"]["conf.int"][0]), 1e-9, 1e-15);
        expect_close(share(found.upper), number(one["outputs"]["conf.int"][1]));
    });
    EXPECT_EQ(seen, 10);
}

TEST(References, ShiftsOfExactRankTests) {
    int seen = 0;
    for_each_pair("wilcox.exact", [&](const auto& one, const Values& baseline, const Values& canary) {
        // With ties the package weighs the differences by conditional quantiles; R's exact test and ours do not.
        if (!one["outputs"].contains("conf.int") || !finite(baseline) || !finite(canary) || !untied(baseline, canary))
            return;
        const auto found =
            hodges_lehmann(baseline, canary, {.alternative = alternative(one), .method = HodgesLehmannMethod::exact});
        const double slack = 1e-9 * std::max(spread(baseline), spread(canary));
        expect_close(found.lower, number(one["outputs"]["conf.int"][0]), 1e-9, slack);
        expect_close(found.upper, number(one["outputs"]["conf.int"][1]), 1e-9, slack);
        expect_close(found.estimate, number(one["outputs"]["estimate"]), 1e-9, slack);
        ++seen;
    });
    EXPECT_GE(seen, 30);
}

TEST(References, RanksOfSciPy) {
    const int seen = for_each_pair("rankdata", [&](const auto& one, const Values& baseline, const Values& canary) {
        const auto m = static_cast<double>(canary.size()), total = m + static_cast<double>(baseline.size());
        const auto found = mann_whitney(baseline, canary);
        EXPECT_EQ(found.u + m * (m + 1) / 2, number(one["outputs"]["sum_ranks_x"]));
        Values x = canary, y = baseline;
        for (Values* arm : {&x, &y}) {
            for (double& value : *arm) value += 0.0;
            sort_ascending(*arm);
        }
        const double left = compare_ranks(x, y).tie_term.remainder(static_cast<std::int64_t>(total));
        expect_close(left / (total * total * total - total), number(one["outputs"]["tie_correction"]), 1e-12);
    });
    EXPECT_GE(seen, 40);
}

}  // namespace
