#include <gtest/gtest.h>

#include <serinus/series/series.hpp>

namespace {

TEST(Series, IsItsSamplesAndWhereTheyCameFrom) {
    const serinus::Series one{.times_ms = {0, 10}, .values = {1, 2}, .instance = "a"};
    serinus::Series other = one;
    EXPECT_EQ(one, other);
    other.instance = "b";
    EXPECT_NE(one, other);
}

}  // namespace
