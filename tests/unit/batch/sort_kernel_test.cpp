// fastest_sort: whatever this machine has sorts as std::sort does. Linked with the library, unlike the rest of core.

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/batch/sort_kernel.hpp>
#include <serinus/fixed/mann_whitney.hpp>

namespace {

using namespace serinus;
using Values = std::vector<double>;
constexpr double infinity = std::numeric_limits<double>::infinity();

TEST(SortKernel, SortsEverySizeAndKindOfData) {
    std::mt19937_64 random(1);
    std::lognormal_distribution<double> wild(0, 5);
    const SortKernel sort = fastest_sort();
    for (std::size_t round = 0; round < 6000; ++round) {
        const std::size_t n = round < 600 ? round : random() % 3000;
        Values values(n);
        for (double& value : values) {
            switch (round % 6) {
                case 0: value = wild(random) - 5; break;
                case 1: value = static_cast<double>(random() % 3); break;
                case 2: value = 7; break;
                case 3: value = static_cast<double>(random() % 40) - 20; break;
                case 4: value = random() % 10 == 0 ? (random() % 2 == 0 ? infinity : -infinity) : wild(random); break;
                default: value = std::ldexp(wild(random), static_cast<int>(random() % 2000) - 1000); break;
            }
        }
        if (round % 7 == 0) std::sort(values.begin(), values.end());
        if (round % 11 == 0) std::sort(values.rbegin(), values.rend());
        if (round % 13 == 0 && n > 10) values[n / 2] = values[3];
        Values expected = values;
        std::sort(expected.begin(), expected.end());
        sort(values);
        ASSERT_EQ(values, expected) << n << " round " << round;
    }
}

TEST(SortKernel, DataMadeAgainstItStillEndQuickly) {
    // The middle of 16 places is always the smallest left: every partition takes off a little.
    Values values(200'000);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<double>(i % 16 == 8 ? i : i * 31 % 9973);
    for (std::size_t step = values.size(); step > 64; step -= 64)
        std::swap(values[step / 2], values[values.size() - step]);
    Values expected = values;
    std::sort(expected.begin(), expected.end());
    fastest_sort()(values);
    EXPECT_EQ(values, expected);
}

TEST(SortKernel, TestsGiveTheSameBitsWithIt) {
    std::mt19937_64 random(2);
    std::normal_distribution<double> normal;
    Workspace fast{.sort = fastest_sort()}, portable;
    for (const std::size_t n : {5U, 60U, 700U, 3000U}) {
        for (const bool rounded : {false, true}) {
            Values b(n), c(n + 7);
            for (Values* arm : {&b, &c})
                for (double& value : *arm) value = rounded ? std::round(4 * normal(random)) : normal(random);
            const auto one = mann_whitney(b, c, {}, fast), other = mann_whitney(b, c, {}, portable);
            EXPECT_EQ(one.u, other.u);
            EXPECT_EQ(one.p_value, other.p_value);
            EXPECT_EQ(one.ties, other.ties);
        }
    }
}

}  // namespace
