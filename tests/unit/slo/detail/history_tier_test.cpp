#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/slo/detail/history_tier.hpp>

namespace serinus::slo {
namespace {

constexpr std::int64_t second = 1000, minute = 60 * second, hour = 60 * minute, day = 24 * hour;

HistoryTier tier(std::int64_t width_ms, std::int64_t span_ms = std::numeric_limits<std::int64_t>::max()) {
    HistoryTier made;
    made.resolution = {width_ms, span_ms};
    return made;
}

TEST(ThinnedHistory, IsAsFineAsTheAgeAllows) {
    const auto month = thinned_history(30 * day, 2 * hour);
    ASSERT_EQ(month.size(), 3U);
    EXPECT_EQ(month[0], (Resolution{0, 2 * hour + 10 * minute}));
    EXPECT_EQ(month[1], (Resolution{minute, 3 * day + 10 * minute}));
    EXPECT_EQ(month[2], (Resolution{10 * minute, 30 * day + 10 * minute}));
    EXPECT_EQ(thinned_history(hour, 2 * hour), (std::vector<Resolution>{{0, hour + 10 * minute}}));  // no need to thin
    EXPECT_EQ(thinned_history(90 * day, 2 * hour).back().width_ms, hour);
}

TEST(HistoryTier, KeepsTheFirstAndTheLastOfABucket) {
    HistoryTier thin = tier(minute);
    for (std::int64_t i = 1; i <= 9; ++i) thin.push({i * 20 * second, static_cast<double>(i), 0, i});
    // Buckets are (0, 60 s], (60 s, 120 s], ...
    EXPECT_EQ(thin.times, (std::vector<std::int64_t>{20'000, 60'000, 80'000, 120'000, 140'000, 180'000}));
    EXPECT_EQ(thin.ordinals, (std::vector<std::int64_t>{1, 3, 4, 6, 7, 9}));
    EXPECT_EQ(thin.sample(1).value, 3);
}

TEST(HistoryTier, WhatIsTakenAwayCanComeAgain) {
    HistoryTier thin = tier(minute), never = tier(minute);
    for (std::int64_t i = 1; i <= 9; ++i) {
        thin.push({i * 20 * second, static_cast<double>(i), 0, i});
        never.push({i * 20 * second, static_cast<double>(i), 0, i});
    }
    thin.remove_from(140 * second);
    EXPECT_EQ(thin.times.back(), 120'000);
    for (std::int64_t i = 7; i <= 9; ++i) thin.push({i * 20 * second, static_cast<double>(i), 0, i});
    EXPECT_EQ(thin.times, never.times);
    EXPECT_EQ(thin.ordinals, never.ordinals);
}

TEST(HistoryTier, ForgetsWhatNoWindowReaches) {
    HistoryTier raw = tier(0, minute);
    for (std::int64_t i = 0; i < 400; ++i) {
        raw.push({i * second, static_cast<double>(i), 0, i});
        raw.evict(i * second);
    }
    EXPECT_TRUE(raw.evicted);
    EXPECT_LE(raw.times.size(), 400U);
    EXPECT_EQ(raw.times[raw.begin()], 339 * second);  // the last one at or before the oldest edge stays
    EXPECT_EQ(raw.ordinal(raw.begin()), 339);
    HistoryTier all = tier(0);
    all.push({0, 1, 0, 0});
    all.push({1, 2, 0, 1});
    all.evict(day);
    EXPECT_FALSE(all.evicted);
}

TEST(HistoryTier, CountsWhateverTheHintIs) {
    std::mt19937_64 random(1);
    HistoryTier raw = tier(0);
    std::int64_t time = 0;
    for (int i = 0; i < 200; ++i) raw.push({time += 1 + static_cast<std::int64_t>(random() % 5), 0, 0, i});
    for (int i = 0; i < 2000; ++i) {
        const auto at = static_cast<std::int64_t>(random() % 700) - 20;
        const auto expected = std::upper_bound(raw.times.begin(), raw.times.end(), at) - raw.times.begin();
        EXPECT_EQ(raw.count_until(at, random() % 250), static_cast<std::size_t>(expected)) << at;
    }
}

TEST(HistoryTier, LossesTakeRoomOnlyWhereThereAreSome) {
    HistoryTier raw = tier(0);
    raw.push({0, 5, 0, 0});
    EXPECT_TRUE(raw.lost.empty());
    raw.push({1, 2, 5, 1});
    EXPECT_EQ(raw.lost, (std::vector<double>{0, 5}));
    EXPECT_EQ(raw.sample(1).lost, 5);
}

}  // namespace
}  // namespace serinus::slo
