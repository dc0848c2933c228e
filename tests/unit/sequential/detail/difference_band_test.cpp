#include <algorithm>
#include <cmath>
#include <cstddef>
#include <random>

#include <gtest/gtest.h>

#include <serinus/sequential/detail/difference_band.hpp>

namespace serinus::sequential {
namespace {

TEST(DifferenceBand, BracketsTheDifferenceAndAgreesWithTheTestAtItsMargin) {
    DifferenceBand band(0.02);
    BlockProcess harm(MarginLine{1, 0.02}, +1);
    for (int i = 0; i < 60; ++i) {
        band.update(10, 1000, 50, 1000, 1);
        harm.update(10, 1000, 50, 1000, 1);
        EXPECT_EQ(band.bound(+1, 0.05) >= 0.02, harm.log_e_value() >= std::log(20.0)) << i;
    }
    EXPECT_GT(band.bound(+1, 0.05), 0.02);
    EXPECT_LT(band.bound(+1, 0.05), 0.04);
    EXPECT_GT(band.bound(-1, 0.05), 0.04);
    EXPECT_LT(band.bound(-1, 0.05), 0.08);
    const DifferenceBand fresh(0.0);
    EXPECT_EQ(fresh.bound(+1, 0.05), -1);
    EXPECT_EQ(fresh.bound(-1, 0.05), 1);
}

// All 64 side by side are what MarginLine says of each: at every rate, at every split, for both orders of the arms.
TEST(DifferenceBand, CarriesTheLogFactorOfEachOfItsLines) {
    std::mt19937_64 random(5);
    const auto uniform = [&] { return std::uniform_real_distribution<double>()(random); };
    for (int trial = 0; trial < 1500; ++trial) {
        const double p = std::exp(-9 * uniform());
        double p_b = p, p_c = std::min(1.0, p * std::exp(uniform() - 0.5));
        if (trial % 3 == 0) p_b = 1 - p_b, p_c = 1 - p_c;
        if (trial % 5 == 0) p_c = uniform();
        const double n_b = std::floor(std::exp(14 * uniform())) + 1, n_c = std::floor(std::exp(14 * uniform())) + 1;
        const double x_b = std::floor(n_b * p_b), x_c = std::floor(n_c * p_c);
        DifferenceBand band(0.01 * uniform());
        BlockCounts known;
        band.update(x_b, n_b, x_c, n_c, 1);
        known.add(x_b, n_b, x_c, n_c);
        band.update(x_b, n_b, x_c, n_c, 2);
        for (std::size_t i = 0; i < DifferenceBand::size; ++i) {
            const MarginLine line{1, band.differences()[i]};
            const auto factor = [&](int beyond) {
                return line.log_factor(beyond, known.theta_b(), known.theta_c(), x_b, n_b, x_c, n_c) / 2;
            };
            // The likelihood is flat at the projection, but near a rate of 1 the lines see 1 - p through p: a rounding
            // of p there is one of 1e-16/(1 - p) of the factor's terms.
            const double tolerance = 1e-12 * (1 + std::fabs(factor(+1) + factor(-1))) + 1e-15 * (n_b + n_c);
            ASSERT_NEAR(band.log_above()[i], factor(+1), tolerance)
                << p_b << ' ' << p_c << ' ' << n_b << ' ' << n_c << ' ' << line.difference;
            ASSERT_NEAR(band.log_below()[i], factor(-1), tolerance)
                << p_b << ' ' << p_c << ' ' << n_b << ' ' << n_c << ' ' << line.difference;
        }
    }
}

}  // namespace
}  // namespace serinus::sequential
