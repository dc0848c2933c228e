#include <cstddef>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/numeric/central_moments.hpp>

namespace serinus {
namespace {

TEST(CentralMoments, AddAndMergeAreTheDefinition) {
    std::mt19937_64 random(2);
    std::exponential_distribution<double> law;
    for (const double offset : {0.0, 1e6}) {
        std::vector<double> values(1000);
        for (double& value : values) value = law(random) + offset;
        CentralMoments all, first, second;
        for (std::size_t i = 0; i < values.size(); ++i) {
            all.add(values[i]);
            (i < 137 ? first : second).add(values[i]);
        }
        long double mean = 0;
        for (const double value : values) mean += value / 1000.0L;
        long double powers[3] = {0, 0, 0};
        for (const double value : values) {
            long double d = value - mean, power = d;
            for (long double& sum : powers) sum += power *= d;
        }
        first.merge(second);
        for (const CentralMoments& found : {all, first}) {
            // Rounding of the data's mean, n steps of 1e-16 of the offset.
            const double tolerance = offset == 0 ? 1e-12 : 1e-9;
            EXPECT_NEAR(found.mean, static_cast<double>(mean), 1e-12 * (1 + offset));
            EXPECT_NEAR(found.squares, static_cast<double>(powers[0]), tolerance * found.squares);
            EXPECT_NEAR(found.cubes, static_cast<double>(powers[1]), tolerance * found.cubes);
            EXPECT_NEAR(found.fourths, static_cast<double>(powers[2]), tolerance * found.fourths);
            EXPECT_TRUE(found.sound());
        }
    }
    CentralMoments constant;
    for (int i = 0; i < 100; ++i) constant.add(0.1);
    EXPECT_EQ(constant.squares, 0);
    EXPECT_EQ(constant.effective(), 0);
    // k ones among n zeros are worth about k values.
    CentralMoments errors;
    for (int i = 0; i < 1000; ++i) errors.add(i % 100 == 0);
    EXPECT_NEAR(errors.effective(), 10, 0.3);
}

TEST(CentralMoments, MergingNothingChangesNothing) {
    CentralMoments some, none;
    some.add(3);
    some.add(7);
    const CentralMoments before = some;
    some.merge(none);
    EXPECT_EQ(some, before);
    none.merge(some);
    EXPECT_EQ(none, before);
    EXPECT_EQ(none.variance(), 8);
}

TEST(CentralMoments, NumbersThatCannotComeOfValues) {
    EXPECT_TRUE((CentralMoments{}).sound());
    EXPECT_FALSE((CentralMoments{.n = 0.5}).sound());
    EXPECT_FALSE((CentralMoments{.n = 0, .mean = 1}).sound());
    EXPECT_FALSE((CentralMoments{.n = 1, .squares = 1}).sound());
    EXPECT_FALSE((CentralMoments{.n = 3, .squares = -1}).sound());
}

}  // namespace
}  // namespace serinus
