// What a test asks of a noise.

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include <serinus/numeric/student.hpp>
#include <serinus/sequential/noise/noise_bounds.hpp>

namespace {

using namespace serinus;
using namespace serinus::sequential;

TEST(NoiseReach, IsStudentsOfInstancesAndOfTheWander) {
    PairedNoise noise;
    EXPECT_EQ(noise_reach(noise, 0.05, 1), 0);
    noise.instance_deviation = 2;
    noise.instances = 5;
    const double between = 2 * student_quantile(0.05, 4);
    EXPECT_DOUBLE_EQ(noise_reach(noise, 0.05, 0.25), between / 2);
    noise.wander = 3;
    noise.wander_degrees = 7;
    EXPECT_DOUBLE_EQ(noise_reach(noise, 0.05, 1), std::hypot(between, 3 * student_quantile(0.05, 7)));
    EXPECT_GT(noise_reach(noise, 0.001, 1), noise_reach(noise, 0.05, 1));
}

TEST(VarianceFactor, IsLargerWhereLessIsKnownAndLessMayGoWrong) {
    PairedNoise noise;
    noise.unit = NoiseUnit::own;
    noise.degrees_of_freedom = 12;
    EXPECT_EQ(variance_factor(noise, 0.05), known_degrees_factor(12, 0.05));
    EXPECT_GT(variance_factor(noise, 0.001), variance_factor(noise, 0.05));
    // Written before there were units: the upper 90 % bound by chi-square, 12/6.304, and none where there is much.
    noise.unit = NoiseUnit::former;
    noise.size = 500;
    EXPECT_NEAR(variance_factor(noise, 0.05), 12 / 6.3037960595843235, 1e-9);
    noise.size = 1000;
    EXPECT_EQ(variance_factor(noise, 0.05), 1);
    EXPECT_GT(variance_factor(noise, 0.01), 1);
}

}  // namespace
