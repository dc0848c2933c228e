// Signed sequential ranks.

#include <algorithm>
#include <array>
#include <cmath>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/core/state.hpp>
#include <serinus/sequential/signed_rank.hpp>

#include "support/code_of.hpp"
#include "support/paired_history.hpp"

namespace {

using namespace serinus;
using namespace serinus::sequential;
using Random = std::mt19937_64;
using Values = std::vector<double>;

const double nan_value = std::nan("");

TEST(SignedRankTest, IsTheFormula) {
    SignedRankTest test;
    Values sizes;
    std::array<double, 9> wealth;
    wealth.fill(1);
    for (const double d : draw(100, 31, 0.3)) {
        test.update(d);
        sizes.push_back(std::fabs(d));
        double at_most = 0;
        for (const double s : sizes) at_most += s <= std::fabs(d) ? 1 : 0;
        const double rank = (at_most - 0.5) / static_cast<double>(sizes.size());
        double mean = 0;
        for (std::size_t j = 0; j < 9; ++j) {
            wealth[j] *= 1 + static_cast<double>(j + 1) / 10 * std::copysign(rank, d);
            mean += wealth[j] / 9;
        }
        ASSERT_NEAR(test.log_e_value(), std::log(mean), 1e-9);
    }
}

TEST(SignedRankTest, KeepsItsPromiseForSymmetricDifferences) {
    // 4,000 rollouts of 300 intervals of Cauchy noise: ever beyond 1/alpha with probability at most alpha.
    constexpr int rounds = 4000;
    Random random(32);
    std::cauchy_distribution<double> cauchy;
    int alarms = 0, found = 0;
    for (int i = 0; i < rounds; ++i) {
        SignedRankTest good, bad;
        for (int t = 0; t < 300 && !good.decided(); ++t) good.update(cauchy(random));
        alarms += good.decided();
        if (i % 40 != 0) continue;
        for (int t = 0; t < 120 && !bad.decided(); ++t) bad.update(cauchy(random) + 1.5);
        found += bad.decided();
    }
    EXPECT_LE(alarms, rounds * 0.05 + 4 * std::sqrt(rounds * 0.0475));
    EXPECT_GE(found, 90);
}

TEST(SignedRankTest, DirectionsStateAndErrors) {
    SignedRankTest up, down({.harm = Harm::decrease}), either({.harm = Harm::either});
    for (const double d : draw(400, 33, 0.1)) {
        up.update(d);
        down.update(-d);
        either.update(d);
    }
    EXPECT_EQ(up.log_e_value(), down.log_e_value());
    SignedRankTest again({.harm = Harm::either});
    again.restore(decode<SignedRankState>(encode(either.state())));
    for (const double d : draw(50, 34)) {
        again.update(d);
        either.update(d);
        ASSERT_EQ(again.log_e_value(), either.log_e_value());
    }
    EXPECT_LE(encode(up.state()).size(), 4096U);
    EXPECT_EQ(code_of([&] { up.restore(down.state()); }), Code::state_options);
    SignedRankState broken = up.state();
    broken.above.pop_back();
    EXPECT_EQ(code_of([&] { up.restore(broken); }), Code::state_invariant);
    EXPECT_EQ(code_of([] { SignedRankTest({.alpha = 2}); }), Code::argument_range);
    EXPECT_EQ(code_of([] { SignedRankTest({.margin = {.ratio = 1.1}}); }), Code::argument_margin);
    SignedRankTest none;
    none.update(0);
    none.update(nan_value);
    EXPECT_NEAR(none.log_e_value(), 0, 1e-15);
    EXPECT_EQ(none.n(), 1);
}

TEST(SignedRankTest, SafetyIsHarmTurnedAround) {
    // Of a margin of 1 the safe side sees 1 - d as the side of harm sees d - 1.
    SignedRankTest safe({.margin = {.difference = 1.0}, .side = Side::safe}), mirrored;
    SignedRankTest both({.harm = Harm::either, .margin = {.difference = 1.0}, .side = Side::safe}),
        down({.harm = Harm::decrease, .margin = {.difference = 1.0}, .side = Side::safe});
    for (const double d : draw(300, 35)) {
        safe.update(d);
        mirrored.update(1 - d);
        both.update(d);
        down.update(d);
        ASSERT_EQ(safe.log_e_value(), mirrored.log_e_value());
        ASSERT_EQ(both.log_e_value(), std::min(safe.log_e_value(), down.log_e_value()));
    }
    EXPECT_TRUE(safe.decided());
    SignedRankTest sooner({.alpha = 0.05, .alpha_safe = 0.2, .side = Side::safe});
    EXPECT_DOUBLE_EQ(sooner.log_needed(), std::log(5));
}

TEST(SignedRankTest, SafetyKeepsItsPromise) {
    // A canary that is worse by exactly the margin: ever called safe with probability at most alpha_safe.
    constexpr int rounds = 2000;
    Random random(36);
    std::cauchy_distribution<double> cauchy;
    int called = 0;
    for (int i = 0; i < rounds; ++i) {
        SignedRankTest test({.alpha_safe = 0.1, .margin = {.difference = 2.0}, .side = Side::safe});
        for (int t = 0; t < 200 && !test.decided(); ++t) test.update(2 + cauchy(random));
        called += test.decided();
    }
    EXPECT_LE(called, rounds * 0.1 + 4 * std::sqrt(rounds * 0.09));
}

TEST(SignedRankTest, MergingMultipliesTheWealthOfEachBet) {
    SignedRankTest one, other;
    const Values first = draw(120, 37, 0.2), second = draw(200, 38, 0.2);
    one.update_many(first);
    other.update_many(second);
    const SignedRankState a = one.state(), b = other.state();
    one.merge(other);
    double mean = 0;
    for (std::size_t j = 0; j < SignedRankTest::bets; ++j) mean += std::exp(a.above[j] + b.above[j]) / 9;
    EXPECT_NEAR(one.log_e_value(), std::log(mean), 1e-12);
    EXPECT_EQ(one.n(), 320);
    const SignedRankState both = one.state();
    ASSERT_EQ(both.sizes_above.size(), SignedRankTest::most_sizes);
    EXPECT_TRUE(std::is_sorted(both.sizes_above.begin(), both.sizes_above.end()));
    EXPECT_LE(encode(both).size(), 4096U);
    SignedRankTest again;
    again.restore(both);
    EXPECT_EQ(again.log_e_value(), one.log_e_value());
    EXPECT_EQ(code_of([&] { one.merge(SignedRankTest({.alpha = 0.01})); }), Code::state_options);
    EXPECT_EQ(encode(one.state()), encode(both));
}

TEST(SignedRankTest, MergedRolloutsKeepTheirPromise) {
    // Two regions with symmetric noise of their own, merged every 25 intervals; a look after each of the first one's.
    constexpr int rounds = 2000;
    Random random(39);
    std::cauchy_distribution<double> cauchy;
    int alarms = 0;
    for (int i = 0; i < rounds; ++i) {
        SignedRankTest test;
        for (int part = 0; part < 6 && !test.decided(); ++part) {
            SignedRankTest region;
            for (int t = 0; t < 25; ++t) {
                test.update(cauchy(random));
                region.update(5 * cauchy(random));
            }
            test.merge(region);
        }
        alarms += test.decided();
    }
    EXPECT_LE(alarms, rounds * 0.05 + 4 * std::sqrt(rounds * 0.0475));
}

TEST(SignedRankTest, AStateOfVersionOneHasNoSide) {
    SignedRankTest test({.alpha_safe = 0.2});
    test.update_many(draw(30, 40));
    SignedRankState before = test.state();
    before.alpha_safe.reset();
    SignedRankTest again({.alpha_safe = 0.2});
    again.restore(before);
    EXPECT_EQ(encode(again.state()), encode(test.state()));
    SignedRankTest safe({.side = Side::safe});
    EXPECT_EQ(code_of([&] { safe.restore(before); }), Code::state_options);
}

}  // namespace
