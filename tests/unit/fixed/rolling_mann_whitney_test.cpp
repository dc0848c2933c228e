// RollingMannWhitney: U stays exact while windows slide.

#include <cmath>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/fixed/rolling_mann_whitney.hpp>

namespace {

using namespace serinus;
using Values = std::vector<double>;

Values last(const Values& values, std::size_t count) {
    return {values.end() - static_cast<std::ptrdiff_t>(std::min(count, values.size())), values.end()};
}

TEST(RollingMannWhitney, IsTheTestOfItsWindowsAtEveryStep) {
    std::mt19937_64 random(20);
    for (const std::size_t window : {1U, 2U, 7U, 40U}) {
        for (const int kinds : {2, 12, 1000000}) {
            RollingMannWhitney rolling(window);
            Values b, c;
            for (int step = 0; step < 200; ++step) {
                const double value = static_cast<double>(static_cast<int>(random() % static_cast<unsigned>(kinds))) - 1;
                const bool baseline = random() % 3 != 0;
                (baseline ? b : c).push_back(value);
                if (baseline) {
                    rolling.push_baseline(value);
                } else {
                    rolling.push_canary(value);
                }
                const auto expected = mann_whitney(last(b, window), last(c, window));
                ASSERT_EQ(rolling.u(), expected.u);
                ASSERT_EQ(rolling.n_baseline(), expected.n_baseline);
                const auto found = rolling.result();
                ASSERT_EQ(found.p_value, expected.p_value);
                ASSERT_EQ(found.ties, expected.ties);
                if (!b.empty() && !c.empty()) {
                    ASSERT_EQ(rolling.effect(), expected.effect);
                }
            }
        }
    }
}

TEST(RollingMannWhitney, EdgesAndErrors) {
    RollingMannWhitney rolling(3);
    EXPECT_TRUE(std::isnan(rolling.effect()));
    rolling.push_canary(std::nan(""));
    EXPECT_EQ(rolling.n_canary(), 0);
    rolling.push_canary(-0.0);
    rolling.push_baseline(0.0);
    EXPECT_EQ(rolling.effect(), 0.5);
    EXPECT_THROW(RollingMannWhitney(0), Error);
    EXPECT_THROW(RollingMannWhitney((1U << 20) + 1), Error);
}

}  // namespace
