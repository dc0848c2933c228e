#include <array>
#include <string_view>

#include <gtest/gtest.h>

#include <serinus/rollout/noise.hpp>

namespace {

using namespace serinus;

TEST(Noise, ItsPartsAreComparedByAllThatTheyAreMadeOf) {
    Noise a, b;
    a.spikes.emplace().share = 0.05;
    b.spikes.emplace();
    EXPECT_NE(a, b);
    b.spikes->share = 0.05;
    EXPECT_EQ(a, b);
    b.instances.emplace().names = {"b0"};
    const auto found = first_difference(a, b);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->name, "instances");
}

TEST(Noise, WhatCameWithTheUnits) {
    using sequential::PairedNoise;
    int late = 0;
    for (const std::string_view name : described_names<PairedNoise>())
        late += PairedNoise::came_with_units(name) ? 1 : 0;
    EXPECT_EQ(late, 5);
}

}  // namespace
