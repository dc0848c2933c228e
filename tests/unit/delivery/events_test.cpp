#include <cmath>

#include <gtest/gtest.h>

#include <serinus/core/words.hpp>
#include <serinus/delivery/events.hpp>

namespace serinus::delivery {
namespace {

TEST(Event, IsAMeasurementOfNothingUntilItSaysMore) {
    const Event event;
    EXPECT_EQ(word(event.kind), "measured");
    EXPECT_EQ(parse_word<EventKind>("rollback_started"), EventKind::rollback_started);
    for (const double number : {event.measures.bad_baseline, event.measures.total_canary, event.measures.budget})
        EXPECT_TRUE(std::isnan(number));
}

}  // namespace
}  // namespace serinus::delivery
