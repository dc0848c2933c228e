#include "rollout/apart.hpp"

#include <array>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace serinus::detail {
namespace {

TEST(Apart, CopiesAreDeepAndAnEmptyOneIsAPointer) {
    EXPECT_EQ(sizeof(Apart<std::array<double, 100>>), sizeof(void*));
    Apart<std::vector<int>> held;
    EXPECT_FALSE(held);
    EXPECT_FALSE(Apart<std::vector<int>>(held).has_value());
    held.emplace(3, 7);
    ASSERT_TRUE(held);
    EXPECT_EQ(*held, (std::vector<int>{7, 7, 7}));

    Apart<std::vector<int>> copy = held;
    copy->push_back(8);
    EXPECT_EQ(held->size(), 3U);
    Apart<std::vector<int>> assigned;
    assigned = copy;
    copy->clear();
    EXPECT_EQ(assigned->size(), 4U);
    const Apart<std::vector<int>>& itself = assigned;
    assigned = itself;
    EXPECT_EQ(assigned->size(), 4U);

    held = std::move(assigned);
    EXPECT_EQ(held->back(), 8);
    held.reset();
    EXPECT_FALSE(held.has_value());
    assigned = held;
    EXPECT_FALSE(assigned);
}

}  // namespace
}  // namespace serinus::detail
