#include <array>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/numeric/workspace.hpp>

namespace {

TEST(Workspace, SortsAndHoldsNothingYet) {
    serinus::Workspace workspace;
    EXPECT_TRUE(workspace.baseline.empty());
    EXPECT_TRUE(workspace.tables.empty());
    std::array<double, 4> values{3, -1, 2, -1};
    workspace.sort(values);
    EXPECT_EQ(values, (std::array<double, 4>{-1, -1, 2, 3}));
}

}  // namespace
