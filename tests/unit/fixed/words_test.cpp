// What holds for the options and the results of every function of one look: the order of their members, as their
// descriptions give it, and what a result says before there is an answer.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/core/describe.hpp>
#include <serinus/fixed/anderson_darling.hpp>
#include <serinus/fixed/block_bootstrap.hpp>
#include <serinus/fixed/brunner_munzel.hpp>
#include <serinus/fixed/cramer_von_mises.hpp>
#include <serinus/fixed/effect_size.hpp>
#include <serinus/fixed/hodges_lehmann.hpp>
#include <serinus/fixed/kolmogorov_smirnov.hpp>
#include <serinus/fixed/mann_whitney.hpp>
#include <serinus/fixed/paired.hpp>
#include <serinus/fixed/power.hpp>
#include <serinus/fixed/proportion.hpp>
#include <serinus/fixed/quantile_difference.hpp>
#include <serinus/fixed/rate.hpp>
#include <serinus/fixed/ratio.hpp>
#include <serinus/fixed/robust_rank.hpp>
#include <serinus/fixed/signed_rank.hpp>
#include <serinus/fixed/welch.hpp>
#include <serinus/fixed/yuen.hpp>

namespace {

using namespace serinus;

/// Where each of the names stands in a list; its length for a name that is not there.
template <std::size_t N, std::size_t M>
std::array<std::size_t, N> places(const std::array<std::string_view, N>& names,
                                  const std::array<std::string_view, M>& list) {
    std::array<std::size_t, N> found;
    for (std::size_t i = 0; i < N; ++i)
        found[i] = static_cast<std::size_t>(std::find(list.begin(), list.end(), names[i]) - list.begin());
    return found;
}

template <class Options>
void expect_option_order(const char* what) {
    constexpr std::array<std::string_view, 7> last{"margin",    "alternative", "method",    "confidence",
                                                   "resamples", "seed",        "nan_policy"};
    std::size_t before = 0;
    for (const std::size_t place : places(described_names<Options>(), last)) {
        const std::size_t now = place == last.size() ? 0 : place + 1;
        EXPECT_GE(now, before) << what << ": its own options come first, then margin, alternative, method, ...";
        before = now;
    }
}

template <class Result>
void expect_result_order(const char* what) {
    constexpr std::array<std::string_view, 18> order{"estimate",   "effect",      "difference", "ratio",
                                                     "lower",      "upper",       "confidence", "statistic",
                                                     "df",         "p_value",     "n",          "n_baseline",
                                                     "n_canary",   "n_effective", "method",     "approximation_holds",
                                                     "conclusive", "degenerate"};
    std::size_t before = 0;
    for (const std::size_t place : places(described_names<Result>(), order)) {
        if (place == order.size()) continue;
        EXPECT_GE(place, before) << what;
        before = place;
    }
}

TEST(Words, OptionsComeInOneOrder) {
#define SERINUS_CHECK(name) expect_option_order<name##Options>(#name)
    SERINUS_CHECK(AndersonDarling);
    SERINUS_CHECK(BlockBootstrap);
    SERINUS_CHECK(BrunnerMunzel);
    SERINUS_CHECK(CramerVonMises);
    SERINUS_CHECK(EffectSize);
    SERINUS_CHECK(HodgesLehmann);
    SERINUS_CHECK(KolmogorovSmirnov);
    SERINUS_CHECK(MannWhitney);
    SERINUS_CHECK(PairedTest);
    SERINUS_CHECK(Power);
    SERINUS_CHECK(ProportionTest);
    SERINUS_CHECK(QuantileDifference);
    SERINUS_CHECK(RateTest);
    SERINUS_CHECK(RatioTest);
    SERINUS_CHECK(RobustRankTest);
    SERINUS_CHECK(SignedRank);
    SERINUS_CHECK(Welch);
    SERINUS_CHECK(Yuen);
#undef SERINUS_CHECK
}

/// No answer yet: nothing is estimated, the bounds are all of the scale, and no confidence is claimed.
template <class Result>
void expect_no_answer(const char* what, double lowest, double highest) {
    const Result nothing;
    if constexpr (requires { nothing.estimate; }) {
        EXPECT_TRUE(std::isnan(nothing.estimate)) << what;
    }
    if constexpr (requires { nothing.effect; }) {
        EXPECT_TRUE(std::isnan(nothing.effect)) << what;
    }
    if constexpr (requires { nothing.ratio; }) {
        EXPECT_TRUE(std::isnan(nothing.ratio)) << what;
    }
    if constexpr (requires { nothing.lower; }) {
        EXPECT_EQ(nothing.lower, lowest) << what;
        EXPECT_EQ(nothing.upper, highest) << what;
        EXPECT_EQ(nothing.confidence, 0) << what;
    }
    if constexpr (requires { nothing.p_value; }) {
        EXPECT_EQ(nothing.p_value, 1) << what;
    }
}

TEST(Words, ResultsComeInOneOrderAndBeginWithoutAnAnswer) {
    constexpr double infinity = std::numeric_limits<double>::infinity();
#define SERINUS_CHECK(name, lowest, highest)  \
    expect_result_order<name##Result>(#name); \
    expect_no_answer<name##Result>(#name, lowest, highest)
    SERINUS_CHECK(AndersonDarling, 0, 0);
    SERINUS_CHECK(BlockBootstrap, -infinity, infinity);
    SERINUS_CHECK(BrunnerMunzel, 0, 1);
    SERINUS_CHECK(CramerVonMises, 0, 0);
    SERINUS_CHECK(EffectSize, 0, 1);
    SERINUS_CHECK(HodgesLehmann, -infinity, infinity);
    SERINUS_CHECK(KolmogorovSmirnov, 0, 0);
    SERINUS_CHECK(MannWhitney, 0, 0);
    SERINUS_CHECK(MeanDifference, -infinity, infinity);
    SERINUS_CHECK(PairedTest, -infinity, infinity);
    SERINUS_CHECK(ProportionTest, -1, 1);
    SERINUS_CHECK(QuantileDifference, -infinity, infinity);
    SERINUS_CHECK(RateTest, 0, infinity);
    SERINUS_CHECK(RatioTest, 0, infinity);
    SERINUS_CHECK(RobustRankTest, 0, 1);
    SERINUS_CHECK(SignedRank, -infinity, infinity);
#undef SERINUS_CHECK
}

/// Where there is nothing to compare, no function claims a confidence.
TEST(Words, AnEmptyArmGetsNoConfidence) {
    const std::vector<double> none, some{1, 2, 3};
    EXPECT_EQ(welch(none, some).confidence, 0);
    EXPECT_EQ(yuen(some, none).confidence, 0);
    EXPECT_EQ(brunner_munzel(none, some).confidence, 0);
    EXPECT_EQ(effect_size(none, some).confidence, 0);
    EXPECT_EQ(hodges_lehmann(none, some).confidence, 0);
    EXPECT_EQ(quantile_difference(none, some).confidence, 0);
    EXPECT_EQ(paired_test(none).confidence, 0);
    EXPECT_EQ(robust_rank_test(none, some).confidence, 0);
    EXPECT_EQ(signed_rank(none).confidence, 0);
    EXPECT_EQ(proportion_test({0, 0}, {1, 2}).confidence, 0);
    EXPECT_TRUE(kolmogorov_smirnov(none, some).degenerate);
    EXPECT_TRUE(kolmogorov_smirnov(std::vector<double>{2, 2}, std::vector<double>{2}).degenerate);
    EXPECT_FALSE(kolmogorov_smirnov(some, some).degenerate);
    EXPECT_TRUE(signed_rank(std::vector<double>{0, 0}).degenerate);
    EXPECT_FALSE(signed_rank(some).degenerate);
}

}  // namespace
