#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/slo/detail/event_history.hpp>

namespace serinus::slo {
namespace {

WindowIncrease increase(const EventHistory& history, std::int64_t time, std::int64_t window) {
    std::int64_t hint = 0;
    EventHistory::Cursor cursor{history.tier_of(window), 0};
    return history.increase<Semantics::exact>(history.last_until(time, hint), time, window, cursor);
}

TEST(EventHistory, ACounterThatBeginsAgainLosesNothingThatWasSeen) {
    EventHistory history;
    for (const auto& [time, value] : std::vector<std::pair<std::int64_t, double>>{{0, 5}, {10, 8}, {20, 2}, {30, 3}})
        EXPECT_TRUE(history.add(time, value));
    EXPECT_EQ(increase(history, 30, 30).increase, 3 + 2 + 1);
    EXPECT_EQ(increase(history, 30, 10).increase, 1);
    EXPECT_EQ(history.tally().resets, 1);
    EXPECT_FALSE(increase(history, 0, 0).present());
    EXPECT_FALSE(increase(history, 50, 10).present());  // silence
}

TEST(EventHistory, DeltasAreSummed) {
    EventHistory history(SeriesKind::delta);
    for (std::int64_t i = 0; i < 5; ++i) history.add(10 * i, static_cast<double>(i));
    EXPECT_EQ(increase(history, 40, 20).increase, 3 + 4);
    EXPECT_EQ(increase(history, 40, 100).increase, 10);  // from the first sample on
    EXPECT_EQ(history.given_value(3), 3);
}

TEST(EventHistory, WhatIsNoSampleAndWhatComesAgain) {
    EventHistory history;
    history.add(10, 1);
    for (const double none : {std::nan(""), HUGE_VAL}) EXPECT_FALSE(history.add(20, none));
    EXPECT_FALSE(history.add(10, 1));
    EXPECT_FALSE(history.add(10, 2));
    EXPECT_TRUE(history.add(5, 0));
    EXPECT_EQ(history.tally(),
              (SampleTally{.taken = 2, .reordered = 1, .duplicates = 1, .conflicts = 1, .not_numbers = 2}));
    EXPECT_EQ(history.raw().times, (std::vector<std::int64_t>{5, 10}));
}

TEST(EventHistory, ManyInOrderAreTheSameAsOneByOne) {
    std::mt19937_64 random(1);
    for (const SeriesKind kind : {SeriesKind::counter, SeriesKind::delta}) {
        EventHistory one(kind), many(kind);
        std::vector<std::int64_t> times;
        std::vector<double> values;
        double value = 0;
        for (std::int64_t i = 0; i < 300; ++i) {
            times.push_back(7 * i);
            values.push_back(value = random() % 50 == 0 ? 0 : value + static_cast<double>(random() % 9));
            one.add(times.back(), values.back());
        }
        EXPECT_TRUE(many.add_in_order(times, values));
        EXPECT_EQ(many.raw().values, one.raw().values);
        EXPECT_EQ(many.raw().lost, one.raw().lost);
        EXPECT_EQ(many.tally(), one.tally());
        values[5] = std::nan("");
        for (std::int64_t& time : times) time += 10'000;
        EXPECT_FALSE(many.add_in_order(times, values));  // and takes none
        EXPECT_EQ(many.raw().times, one.raw().times);
    }
}

TEST(EventHistory, AThinnedOneSaysHowFarOffItMayBe) {
    EventHistory history(SeriesKind::counter, {{0, 60'000}, {60'000}});
    for (std::int64_t i = 0; i <= 600; ++i) {
        history.add(1000 * i, static_cast<double>(i));
        history.evict(1000 * i);
    }
    EXPECT_EQ(history.tier_of(30'000), 0U);
    EXPECT_EQ(history.tier_of(300'000), 1U);
    EXPECT_TRUE(increase(history, 600'000, 300'000).exact);  // the edge is a bucket's
    const WindowIncrease between = increase(history, 600'000, 290'000);
    EXPECT_FALSE(between.exact);
    EXPECT_LE(std::abs(between.increase - 290), between.edge_events);
    EXPECT_LE(between.edge_events, 60);
}

TEST(SamplePlaces, KnowARunFromAStandstill) {
    EventHistory history;
    for (std::int64_t i = 0; i < 10; ++i) history.add(10 * i, 0);
    SamplePlaces places;
    std::size_t place = 0;
    places.find(history.raw(), std::vector<std::int64_t>{30, 40, 50}, 10, place);
    EXPECT_EQ(places.counts, (std::vector<std::size_t>{3, 4, 5}));
    EXPECT_TRUE(places.run && !places.still);
    places.find(history.raw(), std::vector<std::int64_t>{50, 51, 52}, 0, place);
    EXPECT_TRUE(places.still && !places.run);
    places.find(history.raw(), std::vector<std::int64_t>{0, 90, 20}, 0, place);
    EXPECT_EQ(places.counts, (std::vector<std::size_t>{1, 10, 3}));
    EXPECT_FALSE(places.still || places.run);
}

}  // namespace
}  // namespace serinus::slo
