#include <array>
#include <chrono>
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include <serinus/core/state.hpp>
#include <serinus/slo/burn_window.hpp>

namespace serinus::slo {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

TEST(BurnStatus, NothingOfNothingIsNoTraffic) {
    EXPECT_EQ(status_of(1, 10), BurnStatus::ok);
    EXPECT_EQ(status_of(0, 10), BurnStatus::ok);
    EXPECT_EQ(status_of(0, 0), BurnStatus::no_traffic);
    EXPECT_EQ(status_of(nan, 10), BurnStatus::absent);
    EXPECT_EQ(status_of(1, nan), BurnStatus::absent);
}

TEST(BurnWords, AreReadBack) {
    for (const Role role : {Role::bad, Role::good, Role::total}) EXPECT_EQ(parse_word<Role>(word(role)), role);
    for (const SeriesKind kind : {SeriesKind::counter, SeriesKind::delta})
        EXPECT_EQ(parse_word<SeriesKind>(word(kind)), kind);
    EXPECT_EQ(parse_word<Semantics>("prometheus3_anchored"), Semantics::prometheus3_anchored);
    EXPECT_EQ(parse_word<BurnStatus>("no_traffic"), BurnStatus::no_traffic);
    EXPECT_EQ(parse_word<Keep>("thinned"), Keep::thinned);
}

TEST(BurnColumn, DividesUnlessItHasRatios) {
    BurnColumn column;
    column.window = std::chrono::minutes(1);
    column.budget = 0.01;
    column.bad = {1, 0};
    column.total = {50, 0};
    EXPECT_EQ(column.ratio(0), 0.02);
    EXPECT_EQ(column.burn(0), 2);
    EXPECT_TRUE(std::isnan(column.burn(1)));
    EXPECT_EQ(column.status(1), BurnStatus::no_traffic);
    column.ratios = {0.03, nan};
    EXPECT_EQ(column.burn(0), 3);
}

TEST(BurnArrays, FromAPlaceOn) {
    std::array<double, 3> burn{};
    std::array<float, 3> coverage{};
    const BurnArrays later = BurnArrays{.burn = burn.data(), .coverage = coverage.data()}.from(2);
    EXPECT_EQ(later.burn, burn.data() + 2);
    EXPECT_EQ(later.coverage, coverage.data() + 2);
    EXPECT_EQ(later.total, nullptr);  // not wanted there either
}

TEST(SampleTally, AddsUp) {
    SampleTally sum{.taken = 1, .late = 2};
    sum += {.taken = 10, .reordered = 20, .duplicates = 30, .conflicts = 40, .not_numbers = 50, .resets = 60};
    EXPECT_EQ(sum, (SampleTally{11, 20, 2, 30, 40, 50, 60}));
    EXPECT_EQ(decode<SampleTally>(encode(sum)), sum);
}

}  // namespace
}  // namespace serinus::slo
