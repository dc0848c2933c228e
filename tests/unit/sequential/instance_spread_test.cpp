#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/core/state.hpp>
#include <serinus/sequential/instance_spread.hpp>

#include "support/code_of.hpp"

namespace serinus::sequential {
namespace {

using Values = std::vector<double>;
constexpr double infinity = std::numeric_limits<double>::infinity();
const double none = std::nan("");

TEST(InstanceSpread, LevelsAreRunningMeansOfTheValuesThatAreThere) {
    const std::vector<std::int64_t> looks{2, 3, 5};
    EXPECT_EQ(running_levels(Values{1, 3, 5, 7, 9}, looks), (Values{2, 3, 5}));
    EXPECT_EQ(running_levels(Values{1, 3}, looks), (Values{2, 2, 2}));
    EXPECT_EQ(running_levels(Values{none, 4, none, none, 8}, looks), (Values{4, 4, 6}));
    const Values late = running_levels(Values{none, none, 6}, looks);
    EXPECT_TRUE(std::isnan(late[0]));
    EXPECT_EQ(late[1], 6);
    EXPECT_TRUE(std::isnan(running_levels(Values{}, looks)[2]));
    EXPECT_EQ(code_of([&] { running_levels(Values{1, infinity}, looks); }), Code::argument_infinite);
}

TEST(InstanceSpread, ContrastsAreOrthonormal) {
    InstanceSpread spread{.looks = {5}, .gram = {}, .degrees = 0};
    spread.add_instances(std::vector<Values>{{1}, {4}, {10}});
    EXPECT_EQ(spread.degrees, 2);
    EXPECT_NEAR(spread.gram[0], 16 + 1 + 25, 1e-12);  // squares about the mean 5
    // What the third adds to the first two: (10 - 2.5)^2 2/3.
    InstanceSpread third{.looks = {5}, .gram = {}, .degrees = 0};
    third.add_instances(std::vector<Values>{{1}, {4}, {10}}, 2);
    EXPECT_EQ(third.degrees, 1);
    EXPECT_NEAR(third.gram[0], 37.5, 1e-12);
    InstanceSpread gap{.looks = {5}, .gram = {}, .degrees = 0};
    gap.add_instances(std::vector<Values>{{1}, {none}, {4}, {10}});
    EXPECT_EQ(gap.degrees, 2);
    EXPECT_NEAR(gap.gram[0], 42, 1e-12);
    gap.add_instances(std::vector<Values>{{7}});
    gap.add_instances(std::vector<Values>{});
    EXPECT_EQ(gap.degrees, 2);
    EXPECT_EQ(code_of([&] { gap.add_row(Values{1, 2}); }), Code::argument_length);
    EXPECT_EQ(code_of([&] { gap.add_row(Values{none}); }), Code::argument_infinite);
    EXPECT_EQ(code_of([&] { gap.add_instances(std::vector<Values>{{1, 2}}); }), Code::argument_length);
    EXPECT_EQ(gap.degrees, 2);
}

TEST(InstanceSpread, IsReadBackAsItWas) {
    InstanceSpread spread{.looks = rotation_looks(60), .gram = {}, .degrees = 0};
    std::vector<Values> levels(3, Values(spread.looks.size()));
    for (std::size_t i = 0; i < levels.size(); ++i) {
        for (std::size_t j = 0; j < levels[i].size(); ++j)
            levels[i][j] = static_cast<double>((i + 1) * (j + 3) % 7) + 0.25 * static_cast<double>(j);
    }
    spread.add_instances(levels);
    EXPECT_EQ(decode<InstanceSpread>(encode(spread)), spread);
    EXPECT_EQ(decode<InstanceSpread>(encode(InstanceSpread{})), InstanceSpread{});
}

}  // namespace
}  // namespace serinus::sequential
