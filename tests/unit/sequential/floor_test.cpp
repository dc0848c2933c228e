// ProportionTest and RateTest under a margin with a floor.

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/core/state.hpp>
#include <serinus/sequential/change_detector.hpp>
#include <serinus/sequential/proportion.hpp>
#include <serinus/sequential/rate.hpp>
#include <serinus/sequential/start_mixture.hpp>

#include "support/code_of.hpp"

namespace serinus::sequential {
namespace {

constexpr Margin floored(double ratio, double floor) { return {.ratio = ratio, .difference = {}, .floor = floor}; }
constexpr double infinity = std::numeric_limits<double>::infinity();

Proportion baseline(int i) { return {i * 5 % 4, 900}; }
Proportion canary(int i) { return {i * 7 % 3, 100}; }

TEST(Floor, IsWhatAMarginWithAFloorIsTestedBy) {
    const ProportionTest test({.margin = floored(1.5, 0.001)});
    EXPECT_EQ(test.options().method, ProportionMethod::floor);
    EXPECT_EQ(test.evidence().method, "floor");
    EXPECT_EQ(RateTest({.margin = floored(1.5, 0.2)}).evidence().method, "floor");
    EXPECT_EQ(ProportionTest({.margin = floored(1.5, 0.001), .method = ProportionMethod::floor}).options(),
              test.options());
}

TEST(Floor, RefusesWhatItCannotBe) {
    const auto message = [](const auto& options) {
        try {
            if constexpr (requires { options.method; })
                ProportionTest test(options);
            else
                RateTest test(options);
        } catch (const Error& error) {
            return std::string(error.what());
        }
        return std::string();
    };
    const std::string head = "serinus.argument.margin: ";
    EXPECT_EQ(message(ProportionOptions{.margin = floored(0.9, 0.001)}),
              head + "margin.ratio is 0.9; allowed: 1 to 1000");
    EXPECT_EQ(message(ProportionOptions{.margin = floored(1.5, -0.001)}),
              head + "margin.floor is -0.001; allowed: 0 or more, finite");
    EXPECT_EQ(message(ProportionOptions{.margin = floored(1.5, 1)}),
              head + "margin.floor is 1; allowed: 0 or more, below 1 (it is one of shares)");
    EXPECT_EQ(message(ProportionOptions{.margin = floored(1, 0)}),
              head +
                  "margin.floor is 0 beside a ratio of 1; allowed: above 0 there; or {ratio: 1} alone, if any harm "
                  "counts");
    EXPECT_EQ(message(ProportionOptions{.margin = {.ratio = {}, .difference = {}, .floor = 0.1}}),
              head + "margin.floor is 0.1 without a ratio; allowed: a ratio beside a floor");
    EXPECT_EQ(message(ProportionOptions{.margin = {.ratio = 1.5, .difference = 0.1, .floor = 0.1}}),
              head + "margin.difference is 0.1 beside a floor; allowed: a ratio beside a floor");
    for (const ProportionMethod method : {ProportionMethod::block, ProportionMethod::conditional}) {
        EXPECT_NE(message(ProportionOptions{.margin = floored(1.5, 0.001), .method = method})
                      .find("margin.floor is 0.001 and method"),
                  std::string::npos);
    }
    EXPECT_NE(message(ProportionOptions{.method = ProportionMethod::floor}).find("margin has no floor and method"),
              std::string::npos);
    EXPECT_EQ(message(RateOptions{.margin = floored(1.5, 20)}), "");
    EXPECT_NE(message(RateOptions{.margin = floored(1.5, infinity)}), "");
    EXPECT_NE(message(RateOptions{.margin = floored(1.5, std::nan(""))}), "");
}

// A service that never fails: by the ratio nothing could ever be said, and every error would be infinitely many times
// as much.
TEST(Floor, ASilentServicePassesByItsRequestsAlone) {
    for (const std::int64_t size : {10, 50, 100}) {
        for (const bool large : {false, true}) {
            ProportionTest test({.alpha_safe = 0.2, .margin = floored(3, 0.003), .side = Side::safe});
            std::int64_t requests = 0;
            while (!test.decided() && requests < 5000) {
                test.update({0, large ? 9 * size : size}, {0, size});
                requests += size;
            }
            EXPECT_GE(requests, 536);  // log 5/.003: no process needs fewer
            EXPECT_LE(requests, 1000) << size;
            EXPECT_EQ(test.evidence().estimate, 0);
            EXPECT_EQ(test.evidence().lower, -infinity);
            EXPECT_LE(test.evidence().upper, 1);
        }
    }
    RateTest rates({.alpha_safe = 0.2, .margin = floored(3, 0.5), .side = Side::safe});
    double exposure = 0;
    while (!rates.decided() && exposure < 50) {
        rates.update({0, 0.5}, {0, 0.5});
        exposure += 0.5;
    }
    EXPECT_GE(exposure, 3.2);
    EXPECT_LE(exposure, 6);
}

TEST(Floor, TheEstimateIsInUnitsOfWhatIsAllowed) {
    ProportionTest low({.margin = floored(1.5, 0.001)}), high({.margin = floored(1.5, 0.001)});
    low.update({1, 1000}, {3, 1000});       // .2 points beyond, .1 allowed
    high.update({100, 1000}, {200, 1000});  // 10 points beyond, 5 allowed
    EXPECT_NEAR(low.evidence().estimate, 2, 1e-12);
    EXPECT_NEAR(high.evidence().estimate, 2, 1e-12);
    ProportionTest less({.harm = Harm::decrease, .margin = floored(1.5, 0.001)});
    less.update({200, 1000}, {100, 1000});
    EXPECT_NEAR(less.evidence().estimate, -2, 1e-12);
}

TEST(Floor, ADecreaseIsAnIncreaseWithTheArmsExchanged) {
    for (const Side side : {Side::harm, Side::safe}) {
        ProportionTest up({.alpha = 0.01, .alpha_safe = 0.01, .margin = floored(1.5, 0.001), .side = side}),
            down({.alpha = 0.01,
                  .alpha_safe = 0.01,
                  .harm = Harm::decrease,
                  .margin = floored(1.5, 0.001),
                  .side = side});
        for (int i = 0; i < 60; ++i) {
            up.update(baseline(i), canary(i));
            down.update(canary(i), baseline(i));
            ASSERT_EQ(up.log_e_value(), down.log_e_value());
        }
        EXPECT_EQ(up.evidence().lower, -down.evidence().upper);
        EXPECT_EQ(up.evidence().upper, -down.evidence().lower);
        EXPECT_NEAR(up.evidence().estimate, -down.evidence().estimate, 1e-12);
    }
}

TEST(Floor, OfEitherBothDirectionsCount) {
    const auto with = [](Harm harm, Side side) {
        return ProportionTest({.harm = harm, .margin = floored(1.5, 0.01), .side = side});
    };
    for (const Side side : {Side::harm, Side::safe}) {
        ProportionTest up = with(Harm::increase, side), down = with(Harm::decrease, side),
                       both = with(Harm::either, side);
        for (int i = 0; i < 40; ++i) {
            for (ProportionTest* test : {&up, &down, &both}) test->update({20 + i % 3, 1000}, {60 + i % 5, 1000});
            const double expected = side == Side::safe
                                        ? std::min(up.log_e_value(), down.log_e_value())
                                        : std::log((std::exp(up.log_e_value()) + std::exp(down.log_e_value())) / 2);
            ASSERT_NEAR(both.log_e_value(), expected, 1e-9 * std::fabs(expected) + 1e-9);
        }
        EXPECT_GT(both.evidence().lower, 1);
        EXPECT_GT(both.evidence().upper, both.evidence().estimate);
    }
}

// A decision and the interval beside it are one.
TEST(Floor, TheIntervalFollowsTheDecision) {
    ProportionTest harm({.margin = floored(1.5, 0.001)}), safe({.margin = floored(1.5, 0.001), .side = Side::safe});
    for (int i = 0; i < 80; ++i) {
        harm.update({1, 1000}, {2 + i % 2, 1000});
        safe.update({1, 1000}, {i % 2, 1000});
        EXPECT_EQ(harm.evidence().lower >= 1, harm.log_e_value() >= harm.log_needed()) << i;
        EXPECT_EQ(safe.evidence().upper <= 1, safe.log_e_value() >= safe.log_needed()) << i;
    }
    EXPECT_TRUE(safe.decided());
}

TEST(Floor, MergesAndIsRestored) {
    const auto run = [](auto test, const auto& feed) {
        auto other = test, copy = test;
        for (int i = 0; i < 20; ++i) feed(test, i);
        for (int i = 20; i < 40; ++i) feed(other, i);
        const double sum = test.log_e_value() + other.log_e_value();
        copy.restore(test.state());
        EXPECT_EQ(encode(copy.state()), encode(test.state()));
        EXPECT_EQ(copy.evidence(), test.evidence());
        feed(copy, 77);
        auto further = test;
        feed(further, 77);
        EXPECT_EQ(copy.log_e_value(), further.log_e_value());
        test.merge(other);
        EXPECT_NE(test.log_e_value(), other.log_e_value());
        EXPECT_TRUE(std::isfinite(test.log_e_value())) << sum;
    };
    const auto shares = [](auto& test, int i) { test.update(baseline(i), canary(i)); };
    const auto rates = [](auto& test, int i) { test.update(Rate{i % 5, 9.0}, Rate{i % 3, 1.5}); };
    for (const Side side : {Side::harm, Side::safe}) {
        for (const Harm harm : {Harm::increase, Harm::decrease, Harm::either}) {
            run(ProportionTest({.harm = harm, .margin = floored(1.5, 0.001), .side = side}), shares);
            run(RateTest({.harm = harm, .margin = floored(1.5, 0.2), .side = side}), rates);
        }
    }
    // One that saw all of it with one node's logs added is what a merged one is.
    ProportionTest one({.margin = floored(1.5, 0.001), .interval = false}), two = one;
    one.update(baseline(1), canary(1));
    two.update(baseline(2), canary(2));
    const auto a = one.state().log_mass[0], b = two.state().log_mass[0];
    const auto fresh = ProportionTest({.margin = floored(1.5, 0.001), .interval = false}).state().log_mass[0];
    one.merge(two);
    for (std::size_t j = 0; j < a.size(); ++j) EXPECT_NEAR(one.state().log_mass[0][j], a[j] + b[j] - fresh[j], 1e-12);
}

TEST(Floor, AStateOfAnotherMarginIsRefused) {
    ProportionTest test({.margin = floored(1.5, 0.001)});
    test.update(baseline(1), canary(1));
    EXPECT_EQ(code_of([&] { ProportionTest({.margin = floored(1.5, 0.002)}).restore(test.state()); }),
              Code::state_options);
    EXPECT_EQ(code_of([&] { ProportionTest({.margin = {.ratio = 1.5}}).restore(test.state()); }), Code::state_options);
    auto broken = test.state();
    broken.level.pop_back();
    EXPECT_EQ(code_of([&] { test.restore(broken); }), Code::state_invariant);
    broken = test.state();
    broken.level[0] = -1;
    EXPECT_EQ(code_of([&] { test.restore(broken); }), Code::state_invariant);
    broken = test.state();
    broken.log_mass[0].push_back(0);
    EXPECT_EQ(code_of([&] { test.restore(broken); }), Code::state_invariant);
    RateTest rates({.margin = {.ratio = 1.5}});
    auto of_rates = rates.state();
    of_rates.level = {1, 2, 3};
    EXPECT_EQ(code_of([&] { rates.restore(of_rates); }), Code::state_invariant);
}

// A start is a fresh process that knows the test's level: what a mixture has is the sum of its starts.
TEST(Floor, StartsAddUp) {
    StartMixture mixture(ProportionTest({.margin = floored(1.5, 0.001), .interval = false}));
    mixture.begin(0.5);
    ProportionTest early({.margin = floored(1.5, 0.001), .interval = false}), late = early;
    late.rescale(1e-300);  // bets with nothing, and learns the level
    for (int i = 0; i < 30; ++i) {
        if (i == 10) {
            mixture.begin(0.25);
            late.add_start(1);
        }
        mixture.update(baseline(i), canary(2 * i));
        early.update(baseline(i), canary(2 * i));
        late.update(baseline(i), canary(2 * i));
    }
    EXPECT_NEAR(mixture.log_e_value(),
                std::log(0.5 * std::exp(early.log_e_value()) + 0.25 * std::exp(late.log_e_value()) + 0.25), 1e-9);
    ChangeDetector detector(ProportionTest({.margin = floored(1.5, 0.001), .interval = false}));
    for (int i = 0; i < 30; ++i) detector.update(baseline(i), Proportion{9, 100});
    EXPECT_TRUE(std::isfinite(detector.log_statistic()));
    EXPECT_GT(detector.log_statistic(), 5);
}

// A unit of exposure is a unit of the floor: in hours and in seconds it is one test.
TEST(Floor, OfRatesHasAUnit) {
    RateTest hours({.margin = floored(1.5, 0.2)}), seconds({.margin = floored(1.5, 0.2 / 3600)});
    for (int i = 0; i < 60; ++i) {
        hours.update({i % 3, 2}, {i % 5, 1});
        seconds.update({i % 3, 7200}, {i % 5, 3600});
        ASSERT_NEAR(hours.log_e_value(), seconds.log_e_value(), 1e-9);
    }
    EXPECT_NEAR(hours.evidence().estimate, seconds.evidence().estimate, 1e-9);
}

}  // namespace
}  // namespace serinus::sequential
