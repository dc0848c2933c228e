#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <span>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/numeric/central_moments.hpp>
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

TEST(CentralMoments, AddAndMergeAreTheDefinition) {
    std::mt19937_64 random(2);
    std::exponential_distribution<double> law;
    for (const double offset : {0.0, 1e6}) {
        std::vector<double> values(1000);
        for (double& value : values) value = law(random) + offset;
        CentralMoments all, first, second;
        for (std::size_t i = 0; i < values.size(); ++i) {
            all.add(values[i]);
            (i < 137 ? first : second).add(values[i]);
        }
        long double mean = 0;
        for (const double value : values) mean += value / 1000.0L;
        long double powers[3] = {0, 0, 0};
        for (const double value : values) {
            long double d = value - mean, power = d;
            for (long double& sum : powers) sum += power *= d;
        }
        first.merge(second);
        for (const CentralMoments& found : {all, first}) {
            // Rounding of the data's mean, n steps of 1e-16 of the offset.
            const double tolerance = offset == 0 ? 1e-12 : 1e-9;
            EXPECT_NEAR(found.mean, static_cast<double>(mean), 1e-12 * (1 + offset));
            EXPECT_NEAR(found.squares, static_cast<double>(powers[0]), tolerance * found.squares);
            EXPECT_NEAR(found.cubes, static_cast<double>(powers[1]), tolerance * found.cubes);
            EXPECT_NEAR(found.fourths, static_cast<double>(powers[2]), tolerance * found.fourths);
            EXPECT_TRUE(found.sound());
        }
    }
    CentralMoments constant;
    for (int i = 0; i < 100; ++i) constant.add(0.1);
    EXPECT_EQ(constant.squares, 0);
    EXPECT_EQ(constant.effective(), 0);
    // k ones among n zeros are worth about k values.
    CentralMoments errors;
    for (int i = 0; i < 1000; ++i) errors.add(i % 100 == 0);
    EXPECT_NEAR(errors.effective(), 10, 0.3);
}

}  // namespace
}  // namespace serinus
