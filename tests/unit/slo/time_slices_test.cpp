#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include <gtest/gtest.h>

#include <serinus/slo/time_slices.hpp>

#include "support/code_of.hpp"
#include "support/lengths.hpp"

namespace serinus::slo {
namespace {

constexpr std::int64_t minute = 60'000, hour = 60 * minute;

TEST(TimeSlices, ABusyBadMinuteIsOneMinute) {
    // Ten minutes: 100 requests each, but 1,000 in the sixth, of which half fail; none in the eighth; the last ones
    // are not observed.
    BurnRate burn({.budget = 0.05, .windows = lengths({minute, hour})});
    const std::size_t bad = burn.add_series(Role::bad), total = burn.add_series(Role::total);
    double bads = 0, totals = 0;
    for (int i = 0; i <= 10; ++i) {
        if (i > 0) {
            totals += i == 6 ? 1000 : i == 8 ? 0 : 100;
            bads += i == 6 ? 500 : i == 2 ? 1 : 0;
        }
        burn.add(bad, from_ms(i * minute), bads);
        burn.add(total, from_ms(i * minute), totals);
    }
    const TimeSlices slices =
        time_slices(burn, from_ms(0), from_ms(12 * minute + 30'000), std::chrono::milliseconds(minute), 0.05);
    EXPECT_EQ(slices.slices, 12);
    EXPECT_EQ(slices.bad_slices, 1);
    EXPECT_EQ(slices.no_traffic, 1);
    EXPECT_EQ(slices.absent, 2);
    EXPECT_EQ(slices.bad_share(Budgeting::timeslices), 1.0 / 9);
    EXPECT_DOUBLE_EQ(slices.bad_share(Budgeting::ratio_timeslices), (0.5 + 0.01) / 9);
    EXPECT_EQ(slices.bad_share(Budgeting::occurrences), 501.0 / 1800);
    EXPECT_EQ(time_slices(burn, from_ms(0), from_ms(10 * minute), std::chrono::milliseconds(minute), 0).bad_slices, 2);
    EXPECT_TRUE(std::isnan(time_slices(burn, from_ms(0), from_ms(0), std::chrono::milliseconds(minute), 0.05)
                               .bad_share(Budgeting::timeslices)));
    EXPECT_EQ(
        code_of([&] { time_slices(burn, from_ms(0), from_ms(hour), std::chrono::milliseconds(2 * minute), 0.05); }),
        Code::argument_range);
    EXPECT_EQ(code_of([&] { time_slices(burn, from_ms(1), from_ms(0), std::chrono::milliseconds(minute), 0.05); }),
              Code::argument_range);
    EXPECT_EQ(code_of([&] { time_slices(burn, from_ms(0), from_ms(1), std::chrono::milliseconds(minute), 1); }),
              Code::argument_range);
}

}  // namespace
}  // namespace serinus::slo
