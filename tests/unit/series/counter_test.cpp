#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/core/state.hpp>
#include <serinus/series/counter.hpp>

namespace {

using serinus::Code;
using serinus::CounterIncrements;
using serinus::Series;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

TEST(CounterIncrements, GrowsResetsAndSkips) {
    CounterIncrements counter;
    EXPECT_EQ(counter.previous_ms(), std::nullopt);
    EXPECT_EQ(counter.next(0, nan), std::nullopt);
    EXPECT_EQ(counter.next(0, 10), std::nullopt);  // the first: nobody knows since when it counts
    EXPECT_EQ(counter.next(1000, 14), 4);
    EXPECT_EQ(counter.next(2000, 14), 0);
    EXPECT_EQ(counter.next(3000, nan), std::nullopt);
    EXPECT_EQ(counter.next(3500, infinity), std::nullopt);
    EXPECT_EQ(counter.previous_ms(), 2000);
    EXPECT_EQ(counter.next(4000, 20), 6);  // spans the gap
    EXPECT_EQ(counter.resets(), 0);
    EXPECT_EQ(counter.next(5000, 3), 3);  // restarted
    EXPECT_EQ(counter.next(6000, 0), 0);  // and once more
    EXPECT_EQ(counter.resets(), 2);
    EXPECT_EQ(counter.next(7000, -1), -1);  // no counter: the caller sees a negative increment
}

TEST(CounterIncrements, RefusesTimesThatDoNotIncrease) {
    CounterIncrements counter;
    counter.next(1000, 5);
    for (const std::int64_t time : {1000, 999}) {
        try {
            counter.next(time, 6);
            FAIL() << "nothing was raised";
        } catch (const serinus::Error& error) {
            EXPECT_EQ(error.code(), Code::data_order);
        }
    }
    EXPECT_EQ(counter.next(2000, 7), 2) << "a refused sample must not be taken";
}

TEST(CounterIncrements, RestoredFromItsStateItGoesOnTheSame) {
    std::mt19937_64 random(1);
    CounterIncrements whole;
    CounterIncrements restarted;
    double value = 0;
    for (int i = 0; i < 500; ++i) {
        const auto draw = random() % 20;
        value = draw == 0 ? 0 : value + static_cast<double>(draw);
        EXPECT_EQ(whole.next(i * 1000, value), restarted.next(i * 1000, value));
        const auto bytes = serinus::encode(restarted.state());
        restarted = CounterIncrements();
        restarted.restore(serinus::decode<serinus::CounterState>(bytes));
        EXPECT_EQ(whole.state(), restarted.state());
    }
    EXPECT_GT(whole.resets(), 5);
}

TEST(CounterIncrements, RefusesImpossibleStates) {
    for (const serinus::CounterState& state :
         {serinus::CounterState{true, 0, nan, 0}, serinus::CounterState{true, 0, infinity, 0},
          serinus::CounterState{true, 0, 1, -1}, serinus::CounterState{false, 0, 1, 0},
          serinus::CounterState{false, 5, 0, 0}, serinus::CounterState{false, 0, 0, 1}}) {
        CounterIncrements counter;
        counter.next(1000, 5);
        try {
            counter.restore(state);
            FAIL() << "nothing was raised";
        } catch (const serinus::Error& error) {
            EXPECT_EQ(error.code(), Code::state_invariant);
        }
        EXPECT_EQ(counter.next(2000, 7), 2) << "a refused state must leave nothing behind";
    }
}

TEST(CounterIncrements, ASeriesGivesTheSameAsItsSamples) {
    const Series cumulative{{0, 10, 20, 30, 40, 50}, {100, nan, 130, 5, 5, 9}, "web-1"};
    const serinus::Increments increments = serinus::counter_increments(cumulative);
    EXPECT_EQ(increments.series, (Series{{20, 30, 40, 50}, {30, 5, 0, 4}, "web-1"}));
    EXPECT_EQ(increments.resets, 1);
    EXPECT_TRUE(serinus::counter_increments(Series{}).series.values.empty());
    EXPECT_TRUE(serinus::counter_increments(Series{{1}, {1}, ""}).series.values.empty());
    EXPECT_THROW(serinus::counter_increments(Series{{1, 2}, {1}, ""}), serinus::Error);
}

TEST(CounterIncrements, SumsToWhatWasCountedBetweenTheSamples) {
    // A process counts 0 to 4 events a second, is scraped every 5 s, and restarts just after a scrape now and then:
    // then nothing is lost, so the increments must sum to all events after the first scrape.
    std::mt19937_64 random(2);
    for (int repetition = 0; repetition < 50; ++repetition) {
        Series cumulative;
        std::int64_t counted = 0;
        std::int64_t events = 0;
        std::int64_t restarts = 0;
        for (int second = 1; second <= 1000; ++second) {
            const auto fresh = static_cast<std::int64_t>(random() % 5);
            counted += fresh;
            if (second > 5) events += fresh;
            if (second % 5 != 0) continue;
            cumulative.times_ms.push_back(second * 1000);
            cumulative.values.push_back(static_cast<double>(counted));
            // A process with fewer events before its end than after its beginning hides its restart.
            if (counted > 50 && random() % 10 == 0 && second < 1000) {
                counted = 0;
                ++restarts;
            }
        }
        const serinus::Increments increments = serinus::counter_increments(cumulative);
        double sum = 0;
        for (const double increment : increments.series.values) sum += increment;
        EXPECT_EQ(sum, static_cast<double>(events));
        EXPECT_EQ(increments.resets, restarts);
    }
}

}  // namespace
