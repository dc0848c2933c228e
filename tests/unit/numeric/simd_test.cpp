#include <array>
#include <cstddef>

#include <gtest/gtest.h>

#include <serinus/numeric/simd.hpp>

namespace {

// The loop runs once, and its bits are those of the loop without it.
TEST(Widest, RunsItsLoopOnce) {
    std::array<double, 67> x{}, wide{}, plain{};
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = 0.1 * static_cast<double>(i) - 3;
    int runs = 0;
    serinus::simd::widest([&]() SERINUS_ALWAYS_INLINE {
        ++runs;
        for (std::size_t i = 0; i < x.size(); ++i) wide[i] = 1.7 * x[i] + 0.3;
    });
    for (std::size_t i = 0; i < x.size(); ++i) plain[i] = 1.7 * x[i] + 0.3;
    EXPECT_EQ(runs, 1);
    EXPECT_EQ(wide, plain);
}

}  // namespace
