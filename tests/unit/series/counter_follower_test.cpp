#include <array>
#include <cmath>
#include <limits>
#include <optional>
#include <random>

#include <gtest/gtest.h>

#include <serinus/core/state.hpp>
#include <serinus/series/counter.hpp>
#include <serinus/series/counter_follower.hpp>

namespace serinus {
namespace {

using Restarted = CounterFollower::Restarted;

/// What a sample was, and what it brought.
void expect_step(CounterFollower& counter, std::int64_t time_ms, double value, CounterStep what, double increment,
                 Restarted restarted = Restarted::unknown) {
    const auto step = counter.next(time_ms, value, restarted);
    ASSERT_TRUE(step.has_value());
    EXPECT_EQ(step->what, what) << "at " << time_ms;
    EXPECT_EQ(step->increment, increment) << "at " << time_ms;
}

TEST(CounterFollower, GrowsAndBeginsAgain) {
    CounterFollower counter;
    expect_step(counter, 0, 1000, CounterStep::first, 0);
    expect_step(counter, 1000, 1100, CounterStep::growth, 100);
    expect_step(counter, 2000, 60, CounterStep::restart, 60);
    expect_step(counter, 3000, 160, CounterStep::growth, 100);
    expect_step(counter, 4000, 0, CounterStep::restart, 0);
}

TEST(CounterFollower, ADipCountsNothingUntilItIsPassed) {
    CounterFollower counter;
    expect_step(counter, 0, 10'000, CounterStep::first, 0);
    expect_step(counter, 1000, 10'100, CounterStep::growth, 100);
    expect_step(counter, 2000, 10'099, CounterStep::dip, 0);
    expect_step(counter, 3000, 10'200, CounterStep::recovered, 100);
}

TEST(CounterFollower, AMemberThatIsLostIsLetGoAfterFiveSamples) {
    CounterFollower counter;
    counter.next(0, 30'000);
    counter.next(1000, 30'100);
    for (int i = 0; i < 4; ++i) expect_step(counter, 2000 + 1000 * i, 20'100 + 100 * i, CounterStep::dip, 0);
    expect_step(counter, 6000, 20'500, CounterStep::rebased, 0);
    expect_step(counter, 7000, 20'600, CounterStep::growth, 100);
}

TEST(CounterFollower, WhoKnowsTheProcessSaysSo) {
    CounterFollower counter;
    counter.next(0, 100);
    expect_step(counter, 1000, 150, CounterStep::restart, 150, Restarted::yes);
    expect_step(counter, 2000, 20, CounterStep::dip, 0, Restarted::no);
}

// A null that is shown as 0 is no restart: what was counted before is not counted once more.
TEST(CounterFollower, AHoleCountsNothingTwice) {
    for (const double hole : {0.0, -5.0}) {
        for (const int length : {1, 2, 3}) {
            CounterFollower counter;
            counter.next(0, 20'000);
            double counted = 0;
            for (int i = 1; i <= 10; ++i) counted += counter.next(1000 * i, 20'000 + 100 * i)->increment;
            for (int i = 11; i < 11 + length; ++i) counted += counter.next(1000 * i, hole)->increment;
            for (int i = 11 + length; i <= 30; ++i) counted += counter.next(1000 * i, 20'000 + 100 * i)->increment;
            EXPECT_EQ(counted, 3000) << hole << ", " << length;
        }
    }
}

TEST(CounterFollower, WhatIsNoNumberIsSkippedAndTimesMustIncrease) {
    CounterFollower counter;
    EXPECT_FALSE(counter.next(0, std::numeric_limits<double>::quiet_NaN()));
    counter.next(0, 5);
    EXPECT_FALSE(counter.next(500, std::numeric_limits<double>::infinity()));
    EXPECT_THROW(counter.next(0, 6), Error);
    expect_step(counter, 1000, 8, CounterStep::growth, 3);
}

// Where every fall is a restart by far, it counts what Prometheus' rule counts.
TEST(CounterFollower, AgreesWithTheUsualRuleOnCleanCounters) {
    std::mt19937_64 random(3);
    CounterFollower follower;
    CounterIncrements usual;
    double value = 50'000;
    for (int i = 0; i < 2000; ++i) {
        const double grown = std::poisson_distribution<int>(100)(random);
        value = i % 97 == 96 ? grown : value + grown;
        const auto step = follower.next(i * 1000, value);
        const auto increment = usual.next(i * 1000, value);
        EXPECT_EQ(step->increment, increment.value_or(0)) << i;
    }
}

// A sum over processes of which one begins again counts nothing twice.
TEST(CounterFollower, ASumCountsNothingTwice) {
    std::mt19937_64 random(4);
    CounterFollower follower;
    std::array<double, 3> members{40'000, 50'000, 60'000};
    double truth = 0, counted = 0;
    for (int i = 0; i < 500; ++i) {
        for (double& member : members) {
            const double grown = std::poisson_distribution<int>(100)(random);
            member += grown;
            if (i > 0) truth += grown;
        }
        if (i % 100 == 99) members[static_cast<std::size_t>(i / 100 % 3)] = 0;
        counted += follower.next(i * 1000, members[0] + members[1] + members[2])->increment;
    }
    EXPECT_LE(counted, truth);
    EXPECT_GE(counted, 0.93 * truth);
}

TEST(CounterFollower, GoesOnFromItsState) {
    CounterFollower counter, again;
    counter.next(0, 1000);
    counter.next(1000, 1100);
    counter.next(2000, 1090);
    again.restore(decode<CounterFollowerState>(encode(counter.state())));
    EXPECT_EQ(counter.next(3000, 1200)->increment, again.next(3000, 1200)->increment);
    EXPECT_EQ(counter.state(), again.state());
    CounterFollowerState spoiled = counter.state();
    spoiled.below = 5;
    EXPECT_THROW(again.restore(spoiled), Error);
    spoiled = {};
    spoiled.level = 1;
    EXPECT_THROW(again.restore(spoiled), Error);
}

}  // namespace
}  // namespace serinus
