// What welch and yuen share.

#include <random>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/fixed/detail/difference_of_means.hpp>
#include <serinus/fixed/welch.hpp>
#include <serinus/fixed/yuen.hpp>

#include "support/draws.hpp"

namespace {

using namespace serinus;
using namespace support;
using Random = std::mt19937_64;
using Values = std::vector<double>;

TEST(DifferenceOfMeans, WelchAndYuenWithUnequalVariances) {
    Random random(104);
    Share welch_size, welch_coverage, yuen_size, yuen_coverage;
    for (int round = 0; round < 4000; ++round) {
        const Values b = normal(12, 5, 1, random), c = normal(25, 5, 4, random);
        const auto mean = welch(b, c);
        welch_size.add(mean.p_value <= 0.05);
        welch_coverage.add(holds(mean, 0));
        // Symmetric tails of Student's t with 3 degrees of freedom: the trimmed means are 0 apart.
        std::student_t_distribution<double> heavy(3);
        Values d(40), e(25);
        for (double& value : d) value = heavy(random);
        for (double& value : e) value = 2 * heavy(random);
        const auto trimmed = yuen(d, e);
        yuen_size.add(trimmed.p_value <= 0.05);
        yuen_coverage.add(holds(trimmed, 0));
    }
    welch_size.expect_size(0.003);  // Satterthwaite's approximation at 12 values
    welch_coverage.expect_coverage(0.003);
    yuen_size.expect_size(0.005);
    yuen_coverage.expect_coverage(0.005);
}

}  // namespace
