#include <limits>

#include <gtest/gtest.h>

#include <serinus/slo/detail/increase.hpp>

namespace serinus::slo {
namespace {

TEST(LookBack, FiveMinutesWherePrometheusIsAnchored) {
    EXPECT_EQ(look_back_ms(Semantics::prometheus3_anchored), 300'000);
    EXPECT_EQ(look_back_ms(Semantics::exact), std::numeric_limits<std::int64_t>::max());
    EXPECT_FALSE(extrapolated(Semantics::exact) || extrapolated(Semantics::prometheus3_anchored));
    EXPECT_TRUE(extrapolated(Semantics::prometheus2) && extrapolated(Semantics::prometheus3));
}

TEST(ExtrapolationFactor, ReachesTheEdgesThatAreNear) {
    // Samples at 10 s, 20 s, ..., 50 s of the window (0, 60 s]: both ends are a spacing away.
    const SamplesInWindow samples{.first_ms = 10'000, .last_ms = 50'000, .first_value = 1000, .growth = 40, .count = 5};
    for (const Semantics semantics : {Semantics::prometheus2, Semantics::prometheus3})
        EXPECT_EQ(extrapolation_factor(semantics, samples, 0, 60'000), 60.0 / 40);
}

TEST(ExtrapolationFactor, HalfASpacingWhereTheEdgeIsFar) {
    const SamplesInWindow samples{.first_ms = 30'000, .last_ms = 50'000, .first_value = 1000, .growth = 20, .count = 3};
    for (const Semantics semantics : {Semantics::prometheus2, Semantics::prometheus3})
        EXPECT_EQ(extrapolation_factor(semantics, samples, 0, 60'000), (20.0 + 5 + 10) / 20);
}

TEST(ExtrapolationFactor, ACounterWasNotBelowZero) {
    // At this growth the counter was 0 four seconds before its first sample.
    SamplesInWindow samples{.first_ms = 10'000, .last_ms = 50'000, .first_value = 4, .growth = 40, .count = 5};
    for (const Semantics semantics : {Semantics::prometheus2, Semantics::prometheus3})
        EXPECT_EQ(extrapolation_factor(semantics, samples, 0, 60'000), (40.0 + 4 + 10) / 40);
    // The versions differ in what comes first where the edge is far: version 2 goes back to 0, and finds that far too.
    samples = {.first_ms = 40'000, .last_ms = 60'000, .first_value = 12, .growth = 20, .count = 3};
    EXPECT_EQ(extrapolation_factor(Semantics::prometheus2, samples, 0, 60'000), (20.0 + 5) / 20);
    EXPECT_EQ(extrapolation_factor(Semantics::prometheus3, samples, 0, 60'000), (20.0 + 5) / 20);
}

}  // namespace
}  // namespace serinus::slo
