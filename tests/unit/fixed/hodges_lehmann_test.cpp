#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/fixed/detail/pair_differences.hpp>
#include <serinus/fixed/effect_size.hpp>
#include <serinus/fixed/hodges_lehmann.hpp>
#include <serinus/fixed/mann_whitney.hpp>

namespace {

using namespace serinus;
using Random = std::mt19937_64;
using Values = std::vector<double>;

std::uint64_t bits(double value) { return std::bit_cast<std::uint64_t>(value); }

Values draw(std::size_t n, int kind, Random& random) {
    std::normal_distribution<double> normal(10, 3);
    std::uniform_int_distribution<int> few(0, 4);
    Values values(n);
    for (double& value : values) {
        value = kind == 0   ? normal(random)
                : kind == 1 ? few(random)
                : kind == 2 ? std::round(normal(random)) / 8
                            : 1e15 + normal(random);
    }
    return values;
}

/// All differences written down and sorted.
Values all_differences(const Values& baseline, const Values& canary) {
    Values all;
    for (const double c : canary)
        for (const double b : baseline) all.push_back(c - b);
    std::sort(all.begin(), all.end());
    return all;
}

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
                             hodges_lehmann(baseline, canary, {.confidence = 0.98, .method = method}));
    }
}

// ---- all differences, not written down

Values sorted(Values values) {
    for (double& value : values) value += 0.0;
    std::sort(values.begin(), values.end());
    return values;
}

TEST(PairDifferences, EveryRankIsToTheBitWhatSortingGives) {
    Random random(21);
    // Smooth, five values, a lattice, an offset of 1e15; nine zeros of ten; all exponents; both ends of the doubles.
    for (int kind = 0; kind < 7; ++kind) {
        for (const auto& [m, n] : {std::pair{131, 97}, {400, 700}, {5, 3000}, {3000, 4}, {1, 1}, {1, 5000}}) {
            Values x = draw(static_cast<std::size_t>(m), kind % 4, random);
            Values y = draw(static_cast<std::size_t>(n), kind % 4, random);
            for (Values* arm : {&x, &y}) {
                for (double& value : *arm) {
                    if (kind == 4 && random() % 10 > 0) value = 0;
                    if (kind == 5) value = std::ldexp(value, static_cast<int>(random() % 2000) - 1000);
                    if (kind == 6) value = random() % 2 == 0 ? 1e308 : -1e308;
                }
            }
            x = sorted(x);
            y = sorted(y);
            const Values all = all_differences(y, x);
            PairDifferences differences(x, y);
            ASSERT_EQ(differences.size(), static_cast<std::int64_t>(all.size()));
            for (int i = 0; i < 40; ++i) {
                // Both ends, the middle, and anywhere.
                const std::size_t at =
                    i < 3 ? static_cast<std::size_t>(i) * (all.size() - 1) / 2 : random() % all.size();
                const double value = all[at];
                ASSERT_EQ(bits(differences.of_rank(static_cast<std::int64_t>(at) + 1)), bits(value))
                    << kind << " " << m;
                const auto next = std::upper_bound(all.begin(), all.end(), value);
                ASSERT_EQ(differences.count_at_most(value), next - all.begin());
                ASSERT_EQ(differences.above(value), next == all.end() ? value : *next);
            }
        }
    }
}

TEST(PairDifferences, LargeSamplesAreCountedRight) {
    // 10,080 against 10,080: too many to write down, so the rank is checked by counting below and at the answer.
    Random random(22);
    const Values x = sorted(draw(10080, 0, random)), y = sorted(draw(10080, 2, random));
    PairDifferences differences(x, y);
    for (const double share : {0.001, 0.3, 0.49, 0.5, 0.87}) {
        const auto rank = static_cast<std::int64_t>(share * static_cast<double>(differences.size()));
        const double found = differences.of_rank(rank);
        EXPECT_GE(differences.count_at_most(found), rank);
        EXPECT_LT(differences.count_at_most(std::nextafter(found, -1e300)), rank);
    }
}

TEST(PairDifferences, AnyOrderOfMagnitudeEnds) {
    // Columns that grow by powers of ten and rows that hardly differ: a grid says little about where ranks lie.
    Values x, y;
    for (int i = 0; i < 300; ++i) {
        x.push_back(std::pow(10.0, i - 150));
        y.push_back(-std::pow(10.0, 150 - i) * (1 + 1e-15 * i));
    }
    x = sorted(x);
    y = sorted(y);
    const Values all = all_differences(y, x);
    PairDifferences differences(x, y);
    for (std::size_t at = 0; at < all.size(); at += 997)
        ASSERT_EQ(bits(differences.of_rank(static_cast<std::int64_t>(at) + 1)), bits(all[at]));
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
    const auto greater = hodges_lehmann(a, b, {.confidence = 0.95, .alternative = Alternative::greater});
    const auto less = hodges_lehmann(a, b, {.confidence = 0.95, .alternative = Alternative::less});
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

// ---- effect_size

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

}  // namespace
