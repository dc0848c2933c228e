#include <cmath>

#include <gtest/gtest.h>

#include <serinus/numeric/root.hpp>

namespace {

using namespace serinus;

/// The bracket of a function between two points, and how often it was asked.
template <class Function>
Bracket narrowed(Function f, double lower, double upper, double tolerance, int& calls) {
    calls = 0;
    return narrow(
        [&](double x) {
            ++calls;
            return f(x);
        },
        {lower, upper, f(lower), f(upper)}, tolerance);
}

TEST(Narrow, HoldsTheRootAndIsNarrow) {
    int calls = 0;
    const Bracket found = narrowed([](double x) { return x * x - 2; }, 0, 2, 1e-12, calls);
    EXPECT_LE(found.lower, std::sqrt(2.0));
    EXPECT_GE(found.upper, std::sqrt(2.0));
    EXPECT_LE(found.upper - found.lower, 1e-12);
    EXPECT_LE(found.f_lower, 0);
    EXPECT_GE(found.f_upper, 0);
    EXPECT_LE(calls, 20);
}

TEST(Narrow, AJumpIsFoundByHalving) {
    int calls = 0;
    const Bracket found = narrowed([](double x) { return x < 0.3 ? -1.0 : 1e9; }, 0, 1, 1e-9, calls);
    EXPECT_LE(found.lower, 0.3);
    EXPECT_GE(found.upper, 0.3);
    EXPECT_LE(found.upper - found.lower, 1e-9);
    EXPECT_LE(calls, 200);
}

TEST(Narrow, ARootThatIsHitIsBothEnds) {
    int calls = 0;
    const Bracket found = narrowed([](double x) { return x; }, -1, 1, 1e-9, calls);
    EXPECT_EQ(found.lower, 0);
    EXPECT_EQ(found.upper, 0);
}

TEST(Narrow, EndsWhereDoublesDo) {
    int calls = 0;
    const Bracket found = narrowed([](double x) { return std::expm1(x - 1); }, 0, 3, 0, calls);
    EXPECT_LE(found.upper - found.lower, 4e-16);
    EXPECT_LE(calls, 200);
}

}  // namespace
