#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/sequential/moving_share.hpp>

namespace serinus::sequential {
namespace {

/// The mean of exp(worth) over all counts of n requests that go to the arm with this probability.
double expected(MovingShare fresh, double share, int n, double edge, double dispersion) {
    double sum = 0, ways = 1;
    for (int x = 0; x <= n; ++x) {
        MovingShare moved = fresh;
        moved.update(x, n, edge, dispersion);
        sum += ways * std::pow(share, x) * std::pow(1 - share, n - x) * std::exp(moved.log_worth());
        ways = ways * (n - x) / (x + 1);
    }
    return sum;
}

TEST(MovingShare, IsFairAtItsEdgeAndLosesInside) {
    for (const double edge : {0.08, 0.5, 0.9}) {
        MovingShare above(+1), below(-1);
        above.begin(0.5);
        below.begin(0.5);
        EXPECT_NEAR(expected(above, edge, 12, edge, 1), 0.5, 1e-13);
        EXPECT_NEAR(expected(below, edge, 12, edge, 1), 0.5, 1e-13);
        EXPECT_LT(expected(above, 0.9 * edge, 12, edge, 1), 0.5);
        EXPECT_LT(expected(below, 0.95 + 0.05 * edge, 12, edge, 1), 0.5);
        EXPECT_LT(expected(above, edge, 12, edge, 10), 0.5);
    }
}

TEST(MovingShare, BeginsAgainWhateverItHasLost) {
    MovingShare once(+1), again(+1);
    EXPECT_EQ(once.log_worth(), -std::numeric_limits<double>::infinity());
    once.begin(0.5);
    again.begin(0.5);
    for (int i = 0; i < 200; ++i) {
        once.update(100, 1000, 0.12, 1);
        again.update(100, 1000, 0.12, 1);
    }
    again.begin(0.25);
    EXPECT_LT(once.log_worth(), std::log(0.5) - 3);
    EXPECT_NEAR(again.log_worth(), std::log(0.25 + std::exp(once.log_worth())), 1e-12);
    for (int i = 0; i < 5; ++i) {
        once.update(150, 1000, 0.12, 1);
        again.update(150, 1000, 0.12, 1);
    }
    EXPECT_GT(again.log_worth(), once.log_worth() + 2);
}

TEST(MovingShare, OneEdgeAfterAnotherIsTheSumOfBoth) {
    MovingShare both(-1), first(-1);
    both.begin(1);
    first.begin(1);
    both.update(5, 100, 0.1, 2);
    first.update(5, 100, 0.1, 2);
    both.update(7, 300, 0.04, 2);
    MovingShare second(-1);
    second.restore(first.masses());
    second.update(7, 300, 0.04, 2);
    EXPECT_EQ(both.masses(), second.masses());
    EXPECT_TRUE(MovingShare::sound(both.masses()));
    EXPECT_TRUE(MovingShare::sound(MovingShare(+1).masses()));
    std::vector<double> wrong(both.masses().begin(), both.masses().end());
    wrong[3] = std::nan("");
    EXPECT_FALSE(MovingShare::sound(wrong));
    wrong.pop_back();
    EXPECT_FALSE(MovingShare::sound(wrong));
}

}  // namespace
}  // namespace serinus::sequential
