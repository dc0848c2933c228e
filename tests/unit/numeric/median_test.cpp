#include <vector>

#include <gtest/gtest.h>

#include <serinus/numeric/median.hpp>

namespace {

TEST(Median, IsTheUpperOfTwoInTheMiddle) {
    EXPECT_EQ(serinus::median_of({}), 0);
    EXPECT_EQ(serinus::median_of({3}), 3);
    EXPECT_EQ(serinus::median_of({3, 1}), 3);
    EXPECT_EQ(serinus::median_of({5, 1, 3}), 3);
    EXPECT_EQ(serinus::median_of({4, 1, 3, 2}), 3);
}

}  // namespace
