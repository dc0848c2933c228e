#include <cmath>

#include <gtest/gtest.h>

#include <serinus/numeric/quadrature.hpp>

namespace {

using namespace serinus;

TEST(Integrate, IsExactForPolynomialsAndGoodForTheNormalDensity) {
    EXPECT_NEAR(integrate([](double x) { return std::pow(x, 39) + std::pow(x, 38); }, 0, 1, 1), 1 / 40.0 + 1 / 39.0,
                1e-15);
    EXPECT_NEAR(integrate([](double x) { return std::exp(-0.5 * x * x); }, -9, 9, 3), 2.5066282746310005, 1e-14);
    EXPECT_EQ(integrate([](double) { return 1.0; }, 2, 2, 3), 0);
}

// Twice the half that is written down: the weights of [-1, 1] sum to its length.
TEST(GaussLegendre, WeightsSumToTheLength) {
    double sum = 0;
    for (const QuadratureNode& node : gauss_legendre_20) sum += 2 * node.weight;
    EXPECT_NEAR(sum, 2, 1e-15);
}

}  // namespace
