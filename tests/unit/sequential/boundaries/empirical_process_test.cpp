// The band of a distribution function; boundaries_test.cpp holds it against confseq.

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include <serinus/sequential/boundaries/empirical_process.hpp>

namespace {

using namespace serinus::sequential;

TEST(EmpiricalProcess, AtTheEdges) {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    EXPECT_EQ(empirical_process_lil_bound(99, 0.05, 100), infinity);
    EXPECT_EQ(empirical_process_lil_bound(infinity, 0.05, 100), 0);
    EXPECT_NEAR(empirical_process_lil_bound(1000, 0.05, 100, 0.7072),
                0.7072 * std::sqrt((std::log1p(std::log(10.0)) + empirical_process_lil_constant(0.05, 0.7072)) / 1000),
                1e-12);
    // The constant is that of the bound, kept.
    const EmpiricalProcessConstant constant{empirical_process_lil_constant(0.01)};
    EXPECT_EQ(empirical_process_lil_bound(500, 100, 0.85, constant), empirical_process_lil_bound(500, 0.01, 100));
}

}  // namespace
