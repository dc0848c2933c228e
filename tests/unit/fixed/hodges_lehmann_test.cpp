#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/core/error.hpp>
#include <serinus/fixed/hodges_lehmann.hpp>
#include <serinus/fixed/mann_whitney.hpp>

#include "support/arrangements.hpp"
#include "support/draws.hpp"
#include "support/reference.hpp"

namespace {

using namespace serinus;
using namespace support;
using namespace reference;
using Random = std::mt19937_64;
using Values = std::vector<double>;

std::uint64_t bits(double value) { return std::bit_cast<std::uint64_t>(value); }

void expect_as_sorted(const Values& baseline, const Values& canary, const HodgesLehmannResult& ours) {
    const Values all = all_differences(baseline, canary);
    const std::size_t half = all.size() / 2;
    const double median = all.size() % 2 == 1 ? all[half] : (all[half - 1] + all[half]) / 2;
    ASSERT_EQ(bits(ours.estimate), bits(median));
    // The ends are mirror images of each other: the k-th from either side.
    const auto low = std::lower_bound(all.begin(), all.end(), ours.lower);
    ASSERT_NE(low, all.end());
    ASSERT_EQ(bits(*low), bits(ours.lower));
    const auto from = static_cast<std::size_t>(low - all.begin());
    const auto to = static_cast<std::size_t>(std::upper_bound(all.begin(), all.end(), ours.lower) - all.begin());
    bool mirrored = false;
    for (std::size_t k = from; k < to; ++k) mirrored = mirrored || bits(all[all.size() - 1 - k]) == bits(ours.upper);
    ASSERT_TRUE(mirrored);
}

TEST(HodgesLehmann, IsToTheBitWhatSortingAllDifferencesGives) {
    Random random(1);
    for (int round = 0; round < 400; ++round) {
        const std::size_t n = 1 + random() % 60, m = 1 + random() % 60;
        const Values baseline = draw(n, round % 4, random), canary = draw(m, round % 4, random);
        for (const auto method :
             {HodgesLehmannMethod::automatic, HodgesLehmannMethod::exact, HodgesLehmannMethod::normal})
            expect_as_sorted(baseline, canary, hodges_lehmann(baseline, canary, {.method = method}));
    }
}

TEST(HodgesLehmann, SelectionInTheMatrixIsToTheBitAsWell) {
    // Beyond 10,000 pairs nothing is written down.
    Random random(2);
    for (int kind = 0; kind < 4; ++kind) {
        const Values baseline = draw(131, kind, random), canary = draw(97, kind, random);
        for (const auto method : {HodgesLehmannMethod::exact, HodgesLehmannMethod::normal})
            expect_as_sorted(baseline, canary,
                             hodges_lehmann(baseline, canary, {.method = method, .confidence = 0.98}));
    }
}

TEST(HodgesLehmann, ExchangingTheArmsMirrorsIt) {
    Random random(3);
    for (int round = 0; round < 50; ++round) {
        const Values a = draw(5 + random() % 90, round % 3, random), b = draw(5 + random() % 90, round % 3, random);
        const auto one = hodges_lehmann(a, b), other = hodges_lehmann(b, a);
        EXPECT_EQ(one.estimate, -other.estimate);
        EXPECT_EQ(one.lower, -other.upper);
        EXPECT_EQ(one.upper, -other.lower);
        EXPECT_EQ(one.confidence, other.confidence);
        EXPECT_LE(one.lower, one.estimate);
        EXPECT_LE(one.estimate, one.upper);
    }
}

TEST(HodgesLehmann, OneSidedEndsAreThoseOfTheWiderTwoSidedInterval) {
    Random random(4);
    const Values a = draw(40, 0, random), b = draw(35, 0, random);
    const auto both = hodges_lehmann(a, b, {.confidence = 0.9});
    const auto greater = hodges_lehmann(a, b, {.alternative = Alternative::greater, .confidence = 0.95});
    const auto less = hodges_lehmann(a, b, {.alternative = Alternative::less, .confidence = 0.95});
    EXPECT_EQ(greater.lower, both.lower);
    EXPECT_EQ(greater.upper, std::numeric_limits<double>::infinity());
    EXPECT_EQ(less.upper, both.upper);
    EXPECT_EQ(less.lower, -std::numeric_limits<double>::infinity());
    EXPECT_NEAR(1 - both.confidence, 2 * (1 - greater.confidence), 1e-12);
}

TEST(HodgesLehmann, CoversTheShift) {
    // 4,000 samples of a shifted log-normal law, small (exact) and large (normal): the share of intervals that miss is
    // at most 1 - confidence, up to four standard errors.
    for (const auto& [n, m] : {std::pair{9, 7}, std::pair{30, 80}}) {
        Random random(static_cast<std::uint64_t>(n));
        std::lognormal_distribution<double> law(0, 1);
        int missed = 0;
        constexpr int rounds = 4000;
        for (int i = 0; i < rounds; ++i) {
            Values a(static_cast<std::size_t>(n)), b(static_cast<std::size_t>(m));
            for (double& v : a) v = law(random);
            for (double& v : b) v = law(random) + 2;
            const auto found = hodges_lehmann(a, b, {.confidence = 0.9});
            missed += found.lower > 2 || found.upper < 2;
        }
        EXPECT_LE(missed, rounds * 0.1 + 4 * std::sqrt(rounds * 0.09));
        EXPECT_GE(missed, rounds * 0.05);
    }
}

TEST(HodgesLehmann, EdgesAndErrors) {
    const auto one = hodges_lehmann(Values{1}, Values{4});
    EXPECT_EQ(one.estimate, 3);
    EXPECT_EQ(one.lower, 3);
    EXPECT_EQ(one.confidence, 0);
    const auto none = hodges_lehmann(Values{}, Values{4});
    EXPECT_TRUE(std::isnan(none.estimate));
    EXPECT_EQ(none.lower, -std::numeric_limits<double>::infinity());
    EXPECT_EQ(none.confidence, 0);
    const auto flat = hodges_lehmann(Values(30, 2.0), Values(30, 2.0));
    EXPECT_EQ(flat.estimate, 0);
    EXPECT_EQ(flat.lower, 0);
    EXPECT_EQ(flat.upper, 0);
    const double infinity = std::numeric_limits<double>::infinity();
    EXPECT_THROW(hodges_lehmann(Values{1, infinity}, Values{2}), Error);
    EXPECT_THROW(hodges_lehmann(Values{1}, Values{2}, {.confidence = 1}), Error);
    EXPECT_THROW(hodges_lehmann(Values(300, 1.0), Values(300, 1.0), {.method = HodgesLehmannMethod::exact}), Error);
    EXPECT_EQ(hodges_lehmann(Values{1, std::nan("")}, Values{2}).n_baseline, 1);
    EXPECT_THROW(hodges_lehmann(Values{std::nan("")}, Values{2}, {.nan_policy = NanPolicy::error}), Error);
    EXPECT_EQ(hodges_lehmann(Values{-1e308}, Values{1e308}).estimate, infinity);  // beyond the doubles, and said so
}

TEST(HodgesLehmann, ExactAgreesWithR) {
    int exact = 0;
    for_each_pair("wilcox.test", [&](const auto& one, const auto& baseline, const auto& canary) {
        if (!one["options"]["exact"].template get<bool>() || !finite(baseline) || !finite(canary)) return;
        ++exact;
        const auto ours = hodges_lehmann(baseline, canary,
                                         {.alternative = alternative(one),
                                          .method = HodgesLehmannMethod::exact,
                                          .confidence = one["options"]["conf.level"]});
        const bool ties = mann_whitney(baseline, canary).ties > 0;
        // With ties R leaves the exact distribution, and its answer is that of the root finder below.
        if (ties) return;
        // To the bit: both are differences of the data.
        EXPECT_EQ(ours.estimate, number(one["outputs"]["estimate"]));
        EXPECT_EQ(ours.lower, number(one["outputs"]["conf.int"][0]));
        EXPECT_EQ(ours.upper, number(one["outputs"]["conf.int"][1]));
        // R tells the level that was asked for, unless the achieved error is more than half as large again; then that,
        // rounded to two digits.
        const double asked = number(one["options"]["conf.level"]), told = number(one["outputs"]["achieved"]);
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
    for_each_pair("wilcox.test", [&](const auto& one, const auto& baseline, const auto& canary) {
        if (one["options"]["exact"].template get<bool>() || !one["options"]["conf.int"].template get<bool>()) return;
        const std::size_t fewest = std::min(baseline.size(), canary.size());
        if (!finite(baseline) || !finite(canary) || fewest < 20) return;
        const auto ours = hodges_lehmann(baseline, canary,
                                         {.alternative = alternative(one),
                                          .method = HodgesLehmannMethod::normal,
                                          .confidence = one["options"]["conf.level"]});
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
        compare(ours.estimate, number(one["outputs"]["estimate"]));
        compare(ours.lower, number(one["outputs"]["conf.int"][0]));
        compare(ours.upper, number(one["outputs"]["conf.int"][1]));
    });
    EXPECT_GE(seen, 40);
}

/// How far apart the values lie, for errors of packages that are absolute in that.
double spread(const Values& values) {
    const auto [low, high] = std::minmax_element(values.begin(), values.end());
    return *high - *low;
}

bool untied(const Values& baseline, const Values& canary) { return mann_whitney(baseline, canary).ties == 0; }

TEST(HodgesLehmann, ShiftsOfExactRankTests) {
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

}  // namespace
