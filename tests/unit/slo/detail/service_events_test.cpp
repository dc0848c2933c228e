#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <optional>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/slo/detail/service_events.hpp>

namespace serinus::slo::detail {
namespace {

TEST(Roles, WhatTheirSumsMakeOfAWindow) {
    double bads = 0, totals = 0;
    Roles{.bad = true, .total = true}.join(2, 0, 10, bads, totals);
    EXPECT_EQ(bads, 2);
    EXPECT_EQ(totals, 10);
    Roles{.good = true, .total = true}.join(0, 7, 10, bads, totals);
    EXPECT_EQ(bads, 3);
    EXPECT_EQ(totals, 10);
    Roles{.bad = true, .good = true, .total = true}.join(2, 7, 99, bads, totals);  // the total is not read
    EXPECT_EQ(bads, 2);
    EXPECT_EQ(totals, 9);
    EXPECT_TRUE((Roles{.bad = true, .total = true}.plain()));
    EXPECT_TRUE((Roles{.good = true}.sums_good()));
    EXPECT_FALSE((Roles{.good = true, .total = true}.sums_good()));
}

TEST(AddTo, ASumWithoutATermIsNotThere) {
    double sum = std::nan("");
    add_to(sum, std::nan(""));
    EXPECT_TRUE(std::isnan(sum));
    add_to(sum, 2);
    add_to(sum, std::nan(""));
    add_to(sum, 3);
    EXPECT_EQ(sum, 5);
}

TEST(ServiceEvents, TheOrderOfArrivalChangesNothing) {
    std::vector<std::int64_t> times(100);
    for (std::size_t i = 0; i < times.size(); ++i) times[i] = 15'000 * static_cast<std::int64_t>(i + (i > 50 ? 40 : 0));
    std::vector<double> values(100);
    std::iota(values.begin(), values.end(), 0.0);
    ServiceEvents sorted({{}}, std::nullopt), mixed({{}}, std::nullopt);
    sorted.add_series(sorted.make_series(Role::total, SeriesKind::counter));
    mixed.add_series(mixed.make_series(Role::total, SeriesKind::counter));
    sorted.take(0, times, values);
    std::vector<std::size_t> order(100);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::shuffle(order.begin(), order.end(), std::mt19937_64(1));
    std::vector<std::int64_t> other_times;
    std::vector<double> other_values;
    for (const std::size_t i : order) {
        other_times.push_back(times[i]);
        other_values.push_back(values[i]);
    }
    mixed.take(0, other_times, other_values);
    const auto &a = sorted.series()[0].history, &b = mixed.series()[0].history;
    EXPECT_EQ(a.raw().times, b.raw().times);
    EXPECT_EQ(a.raw().values, b.raw().values);
    EXPECT_EQ(a.tally().taken, b.tally().taken);
    EXPECT_EQ(sorted.covered().state().starts, mixed.covered().state().starts);
    EXPECT_EQ(sorted.covered().state().ends, mixed.covered().state().ends);
    EXPECT_EQ(sorted.covered().intervals(), 2U);  // a gap of ten minutes is no scrape of 15 s
    EXPECT_EQ(sorted.widest_reach(), 37'500);
}

TEST(ServiceEvents, CoverageIsTheShareOfAWindow) {
    ServiceEvents events({{}}, 10'000);
    events.add_series(events.make_series(Role::total, SeriesKind::counter));
    for (std::int64_t i = 0; i <= 6; ++i) events.take(0, 10'000 * i, 0);
    EXPECT_EQ(events.coverage(60'000, 60'000, 60'000, events.widest_reach()), 1);
    EXPECT_EQ(events.coverage(60'000, 120'000, 60'000, events.widest_reach()), 0.5);
    EXPECT_EQ(events.coverage(80'000, 40'000, 60'000, events.widest_reach()), 1);  // within 2.5 spacings
    EXPECT_EQ(events.coverage(100'000, 80'000, 60'000, events.widest_reach()), 0.5);
    EXPECT_TRUE(events.keeps_all());
}

}  // namespace
}  // namespace serinus::slo::detail
