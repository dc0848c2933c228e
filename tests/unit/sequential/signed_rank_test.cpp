// Signed sequential ranks.

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

}  // namespace
