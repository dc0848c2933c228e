// Evidence that a mean is above zero, of noise that is learned from the same data.

#include <cmath>

#include <gtest/gtest.h>

#include <serinus/sequential/detail/t_mixture.hpp>

namespace {

using namespace serinus::sequential;

TEST(TMixture, OneSidedIsTheTwoSidedTimesTwiceThePosterior) {
    // The two directions' evidence averages to the two-sided one.
    for (const double mean : {-2.0, -0.1, 0.3, 1.5}) {
        for (const double n : {6.0, 20.0, 150.0}) {
            const double up = log_t_mixture_one_sided(mean, 1.7, n), down = log_t_mixture_one_sided(-mean, 1.7, n);
            const double nu = n - 1, t2 = mean * mean / (1.7 / n), r = 1 / (1 + n);
            const double both = 0.5 * std::log(r) + n / 2 * (std::log1p(t2 / nu) - std::log1p(r * t2 / nu));
            EXPECT_NEAR(std::log((std::exp(up) + std::exp(down)) / 2), both, 1e-9);
        }
    }
    EXPECT_EQ(log_t_mixture_one_sided(1, 0, 10), 0);
    EXPECT_EQ(log_t_mixture_one_sided(1, 1, 1), 0);
}

}  // namespace
