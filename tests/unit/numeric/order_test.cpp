#include <algorithm>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <map>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/numeric/order.hpp>

namespace {

using serinus::compare_ranks;
using serinus::RankComparison;
using serinus::TieTerm;

constexpr double infinity = std::numeric_limits<double>::infinity();

TEST(SortAscending, agrees_with_the_standard_sort) {
    std::mt19937_64 random(1);
    for (const std::size_t size :
         std::initializer_list<std::size_t>{0, 1, 2, 3, 7, 23, 24, 25, 60, 127, 999, 1000, 1001, 5000, 40000}) {
        for (int kind = 0; kind < 8; ++kind) {
            std::vector<double> values(size);
            std::normal_distribution<double> normal;
            for (std::size_t i = 0; i < size; ++i) {
                const double value = normal(random);
                switch (kind) {
                    case 0: values[i] = value; break;
                    case 1: values[i] = std::floor(2 * value) + 0.0; break;  // many ties
                    case 2: values[i] = std::exp(300 * value); break;        // overflows to infinity at times
                    case 3: values[i] = value * 5e-324 * 1000; break;        // denormal
                    case 4: values[i] = value > 1 ? infinity : value < -1 ? -infinity : value; break;
                    case 5: values[i] = static_cast<double>(i); break;         // sorted
                    case 6: values[i] = -static_cast<double>(i) + 0.0; break;  // reversed
                    default: values[i] = 1e15 + std::floor(100 * value); break;
                }
                values[i] += 0.0;
            }
            std::vector<double> expected = values;
            std::sort(expected.begin(), expected.end());
            serinus::sort_ascending(values);
            ASSERT_EQ(values, expected) << "size " << size << " kind " << kind;
        }
    }
}

/// By definition: every pair, and every value's number of equals.
RankComparison by_definition(const std::vector<double>& first, const std::vector<double>& second) {
    RankComparison ranks;
    for (const double x : first) {
        for (const double y : second) ranks.twice_u += x > y ? 2 : (x == y ? 1 : 0);
    }
    std::map<double, std::int64_t> groups;
    for (const double x : first) ++groups[x];
    for (const double y : second) ++groups[y];
    for (const auto& [value, size] : groups) {
        ranks.largest = std::max(ranks.largest, size);
        if (size > 1) ranks.tied += size;
        ranks.tie_term.add(size);
    }
    return ranks;
}

TEST(CompareRanks, equals_its_definition) {
    std::mt19937_64 random(2);
    for (int round = 0; round < 3000; ++round) {
        const std::size_t m = random() % (round % 10 == 0 ? 200 : 14);
        const std::size_t n = random() % (round % 7 == 0 ? 200 : 14);
        const auto levels = 1 + random() % (round % 3 == 0 ? 6 : 1'000'000);
        const bool infinite = round % 4 == 0;
        const auto draw = [&](std::uint64_t shift) {
            const auto level = random() % levels;
            if (infinite && level % 5 == 0) return level % 2 == 0 ? infinity : -infinity;
            return static_cast<double>(level + shift);
        };
        // Now and then one array lies wholly or mostly above the other: the merge must stop at either end.
        const std::uint64_t shift = round % 5 == 0 ? levels : round % 5 == 1 ? levels / 2 : 0;
        std::vector<double> first(m), second(n);
        for (double& value : first) value = draw(round % 2 == 0 ? shift : 0);
        for (double& value : second) value = draw(round % 2 == 0 ? 0 : shift);
        std::sort(first.begin(), first.end());
        std::sort(second.begin(), second.end());
        const RankComparison ranks = compare_ranks(first, second);
        ASSERT_EQ(ranks, by_definition(first, second)) << "round " << round;
        const RankComparison swapped = compare_ranks(second, first);
        ASSERT_EQ(ranks.twice_u + swapped.twice_u, 2 * static_cast<std::int64_t>(m * n));
        ASSERT_EQ(ranks.tie_term, swapped.tie_term);
    }
}

TEST(CompareRanks, finds_a_single_tie_wherever_it_lies) {
    // All interleavings are without ties but for one value put into both arrays: no place may hide it from the merge.
    for (int at = 0; at < 41; ++at) {
        std::vector<double> first, second;
        for (int i = 0; i < 41; ++i) (i % 3 == 0 ? first : second).push_back(i);
        (at % 3 == 0 ? second : first).push_back(at);
        std::sort(first.begin(), first.end());
        std::sort(second.begin(), second.end());
        ASSERT_EQ(compare_ranks(first, second), by_definition(first, second)) << "tie at " << at;
        ASSERT_EQ(compare_ranks(first, second).tied, 2);
    }
}

TEST(CompareRanks, of_nothing) {
    const std::vector<double> some{1, 2, 2};
    EXPECT_EQ(compare_ranks({}, {}).largest, 0);
    EXPECT_EQ(compare_ranks(some, {}).twice_u, 0);
    EXPECT_EQ(compare_ranks(some, {}).tied, 2);
    EXPECT_EQ(compare_ranks({}, some).largest, 2);
}

TEST(ForEachTieGroup, visits_in_order) {
    const std::vector<double> first{-infinity, 1, 1, 3};
    const std::vector<double> second{1, 2, infinity, infinity};
    std::vector<std::pair<std::int64_t, std::int64_t>> groups;
    serinus::for_each_tie_group(first, second, [&](std::int64_t a, std::int64_t b) { groups.emplace_back(a, b); });
    const std::vector<std::pair<std::int64_t, std::int64_t>> expected{{1, 0}, {2, 1}, {0, 1}, {1, 0}, {0, 2}};
    EXPECT_EQ(groups, expected);
}

TEST(TieTermSum, is_exact_while_it_fits_a_double_and_rounded_once_beyond) {
    TieTerm term;
    EXPECT_EQ(term.value(), 0);
    term.add(1);
    EXPECT_EQ(term.value(), 0);
    term.add(2);
    term.add(5);
    EXPECT_EQ(term.value(), 6 + 120);
    EXPECT_EQ(term.remainder(10), 990 - 126);

    TieTerm large;
    large.add(20'000'000);
    EXPECT_EQ(large.value(), 7999999999999980000000.0);
    EXPECT_EQ(large.remainder(20'000'000), 0);
    // One value apart from t equal ones: (t+1)^3 - (t+1) - (t^3 - t) = 3t(t+1), all but lost in the difference of
    // doubles.
    EXPECT_EQ(large.remainder(20'000'001), 3 * 20'000'000.0 * 20'000'001.0);

    TieTerm largest;
    largest.add(std::int64_t{1} << 31);
    EXPECT_EQ(largest.value(), 9903520314283042197045510144.0);  // 2^93 - 2^31
    largest.add(0);
    EXPECT_EQ(largest.remainder(std::int64_t{1} << 31), 0);
}

TEST(TieTermSum, remainder_carries_between_its_halves) {
    // Against 12 sum of squared centred midranks, in whole numbers, for random groups.
    std::mt19937_64 random(3);
    for (int round = 0; round < 2000; ++round) {
        TieTerm term;
        std::vector<std::int64_t> sizes(1 + random() % 6);
        std::int64_t total = 0;
        for (std::int64_t& size : sizes) {
            size = 1 + static_cast<std::int64_t>(random() % 60'000);
            term.add(size);
            total += size;
        }
        std::int64_t before = 0, squares = 0;  // at most 3 N^3 / 3 = 4.7e16: fits
        for (const std::int64_t size : sizes) {
            const std::int64_t centred = 2 * before + size - total;
            squares += 3 * size * centred * centred;
            before += size;
        }
        ASSERT_EQ(term.remainder(total), static_cast<double>(squares));
    }
}

}  // namespace
