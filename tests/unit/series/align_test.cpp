#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/series/align.hpp>

namespace {

using serinus::Code;
using serinus::Series;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

TEST(IntervalIndex, HoldsItsTime) {
    EXPECT_EQ(serinus::interval_index(0, 0, 10), 0);
    EXPECT_EQ(serinus::interval_index(9, 0, 10), 0);
    EXPECT_EQ(serinus::interval_index(10, 0, 10), 1);
    EXPECT_EQ(serinus::interval_index(-1, 0, 10), -1);
    EXPECT_EQ(serinus::interval_index(-10, 0, 10), -1);
    EXPECT_EQ(serinus::interval_index(-11, 0, 10), -2);
    std::mt19937_64 random(1);
    for (int i = 0; i < 100'000; ++i) {
        const auto time = static_cast<std::int64_t>(random() % 2'000) - 1'000;
        const auto start = static_cast<std::int64_t>(random() % 2'000) - 1'000;
        const auto interval = static_cast<std::int64_t>(random() % 50) + 1;
        const std::int64_t k = serinus::interval_index(time, start, interval);
        EXPECT_LE(start + k * interval, time);
        EXPECT_LT(time, start + (k + 1) * interval);
    }
}

TEST(IntervalIndex, RefusesEmptyIntervals) {
    for (const std::int64_t interval : {0, -5}) {
        try {
            serinus::interval_index(1, 0, interval);
            FAIL() << "nothing was raised";
        } catch (const serinus::Error& error) {
            EXPECT_EQ(error.code(), Code::argument_range);
        }
    }
}

TEST(SortAndDeduplicate, FirstOneWins) {
    Series series{{30, 10, 20, 10, 20, 20, 30}, {3, 1, 2, 1, 9, 2, 3}, "web-1"};
    const serinus::Repeats repeats = serinus::sort_and_deduplicate(series);
    EXPECT_EQ(series, (Series{{10, 20, 30}, {1, 2, 3}, "web-1"}));
    EXPECT_EQ(repeats, (serinus::Repeats{3, 1}));
}

TEST(SortAndDeduplicate, NanEqualsNan) {
    Series series{{1, 1, 2, 2, 3, 3}, {nan, nan, nan, 5, 0.0, -0.0}, ""};
    const serinus::Repeats repeats = serinus::sort_and_deduplicate(series);
    EXPECT_EQ(repeats, (serinus::Repeats{2, 1}));
    ASSERT_EQ(series.values.size(), 3U);
    EXPECT_TRUE(std::isnan(series.values[0]));
    EXPECT_TRUE(std::isnan(series.values[1]));
}

TEST(SortAndDeduplicate, EmptyOrderedAndUnequal) {
    Series empty;
    EXPECT_EQ(serinus::sort_and_deduplicate(empty), serinus::Repeats{});
    Series ordered{{1, 2, 3}, {7, 7, 7}, ""};
    EXPECT_EQ(serinus::sort_and_deduplicate(ordered), serinus::Repeats{});
    EXPECT_EQ(ordered, (Series{{1, 2, 3}, {7, 7, 7}, ""}));
    Series unequal{{1, 2}, {7}, ""};
    EXPECT_THROW(serinus::sort_and_deduplicate(unequal), serinus::Error);
}

TEST(SortAndDeduplicate, AgreesWithAMap) {
    std::mt19937_64 random(2);
    for (int repetition = 0; repetition < 500; ++repetition) {
        Series series;
        std::map<std::int64_t, double> first;
        serinus::Repeats expected;
        for (int i = 0; i < 40; ++i) {
            const auto time = static_cast<std::int64_t>(random() % 30);
            const auto value = static_cast<double>(random() % 2);
            series.times_ms.push_back(time);
            series.values.push_back(value);
            const auto [place, fresh] = first.try_emplace(time, value);
            if (!fresh) ++(place->second == value ? expected.duplicates : expected.conflicts);
        }
        EXPECT_EQ(serinus::sort_and_deduplicate(series), expected);
        ASSERT_EQ(series.times_ms.size(), first.size());
        std::size_t i = 0;
        for (const auto& [time, value] : first) {
            EXPECT_EQ(series.times_ms[i], time);
            EXPECT_EQ(series.values[i++], value);
        }
        EXPECT_EQ(serinus::sort_and_deduplicate(series), serinus::Repeats{});
    }
}

TEST(Align, KeepsWhatBothHave) {
    const Series a{{1, 2, 4, 6, 7}, {10, 20, 40, nan, 70}, "a"};
    const Series b{{0, 2, 3, 4, 6}, {0, -2, -3, -4, -6}, "b"};
    const serinus::AlignedPairs pairs = serinus::align(a, b);
    EXPECT_EQ(pairs.times_ms, (std::vector<std::int64_t>{2, 4, 6}));
    EXPECT_EQ(pairs.second, (std::vector<double>{-2, -4, -6}));
    EXPECT_EQ(pairs.first[0], 20);
    EXPECT_EQ(pairs.first[1], 40);
    EXPECT_TRUE(std::isnan(pairs.first[2]));
    EXPECT_TRUE(serinus::align(a, Series{}).times_ms.empty());
    EXPECT_EQ(serinus::align(b, a).times_ms, pairs.times_ms);
    EXPECT_EQ(serinus::align(b, a).first, pairs.second);
}

TEST(Align, RefusesDisorder) {
    const Series good{{1, 2}, {1, 2}, ""};
    for (const Series& bad : {Series{{2, 1}, {1, 2}, ""}, Series{{1, 1}, {1, 2}, ""}}) {
        for (const bool left : {true, false}) {
            try {
                left ? serinus::align(bad, good) : serinus::align(good, bad);
                FAIL() << "nothing was raised";
            } catch (const serinus::Error& error) {
                EXPECT_EQ(error.code(), Code::data_order);
            }
        }
    }
    EXPECT_THROW(serinus::align(good, Series{{1}, {}, ""}), serinus::Error);
}

}  // namespace
