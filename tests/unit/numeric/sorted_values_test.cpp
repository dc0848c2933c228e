#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <span>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/numeric/sorted_values.hpp>

namespace serinus {
namespace {

// Ranks, order statistics and ranges are those of a sorted vector, at every size and with ties.
TEST(SortedValues, IsASortedVector) {
    std::mt19937_64 random(1);
    for (const bool ties : {false, true}) {
        SortedValues values;
        std::vector<double> all;
        std::normal_distribution<double> normal;
        for (std::size_t n = 1; n <= 3000; ++n) {
            const double value = ties ? std::round(3 * normal(random)) : normal(random);
            values.add(value);
            all.push_back(value + 0.0);
            if (n % 97 != 0 && n > 40) continue;
            std::sort(all.begin(), all.end());
            ASSERT_EQ(values.size(), n);
            ASSERT_EQ(values.sorted(), all);
            for (std::size_t k = 0; k < n; k += 1 + n / 20) {
                ASSERT_EQ(values.nth(k), all[k]);
                for (const double x : {all[k], all[k] + 1e-9, all[k] - 1e-9}) {
                    ASSERT_EQ(values.at_most(x),
                              static_cast<std::size_t>(std::upper_bound(all.begin(), all.end(), x) - all.begin()));
                    ASSERT_EQ(values.below(x, [](double v) { return v; }),
                              static_cast<std::size_t>(std::lower_bound(all.begin(), all.end(), x) - all.begin()));
                }
                std::vector<double> part;
                values.copy(k, std::min<std::size_t>(n - k, 50), part);
                ASSERT_TRUE(std::equal(part.begin(), part.end(), all.begin() + static_cast<std::ptrdiff_t>(k)));
            }
        }
        SortedValues again;
        again.assign(values.sorted());
        again.add(-1e9);
        EXPECT_EQ(again.nth(0), -1e9);
        EXPECT_EQ(again.size(), 3001U);
    }
    SortedValues ends;
    for (const double value :
         {0.0, -0.0, std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity()})
        ends.add(value);
    EXPECT_FALSE(std::signbit(ends.nth(1)) || std::signbit(ends.nth(2)));
    EXPECT_EQ(ends.at_most(0), 3U);
}

// As it was before the last values came: the answers of that time.
TEST(SortedValues, RemembersWhatItWas) {
    std::mt19937_64 random(3);
    std::normal_distribution<double> normal;
    for (const bool ties : {false, true}) {
        SortedValues before, all;
        std::vector<double> later;
        for (std::size_t n = 0; n < 700; ++n) {
            const double value = ties ? std::round(3 * normal(random)) : normal(random);
            all.add(value);
            if (n < 600) {
                before.add(value);
            } else {
                later.push_back(value);
            }
        }
        for (const std::size_t left_out : {0U, 1U, 2U, 30U, 100U}) {
            SortedValues then = before;
            for (std::size_t i = 0; i < 100 - left_out; ++i) then.add(later[i]);
            const EarlierValues earlier(all, std::span(later).last(left_out));
            ASSERT_EQ(earlier.size(), then.size());
            const auto same = [](double v) { return v; };
            for (std::size_t k = 0; k < then.size(); ++k) {
                const double x = then.nth(k);
                ASSERT_EQ(earlier.nth(k), x);
                ASSERT_EQ(earlier.at_most(x, same), then.at_most(x));
                ASSERT_EQ(earlier.below(x, same), then.below(x, same));
                std::vector<double> part, expected;
                const std::size_t count = std::min<std::size_t>(then.size() - k, k % 60);
                earlier.copy(k, count, part);
                then.copy(k, count, expected);
                ASSERT_EQ(part, expected);
            }
        }
    }
}

}  // namespace
}  // namespace serinus
