#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/fixed/detail/pair_differences.hpp>

#include "support/arrangements.hpp"
#include "support/draws.hpp"

namespace {

using namespace serinus;
using namespace support;
using Random = std::mt19937_64;
using Values = std::vector<double>;

std::uint64_t bits(double value) { return std::bit_cast<std::uint64_t>(value); }

Values sorted(Values values) {
    for (double& value : values) value += 0.0;
    std::sort(values.begin(), values.end());
    return values;
}

TEST(PairDifferences, EveryRankIsToTheBitWhatSortingGives) {
    Random random(21);
    // Smooth, five values, a lattice, an offset of 1e15; nine zeros of ten; all exponents; both ends of the doubles.
    for (int kind = 0; kind < 7; ++kind) {
        for (const auto& [m, n] : {std::pair{131, 97}, {400, 700}, {5, 3000}, {3000, 4}, {1, 1}, {1, 5000}}) {
            Values x = draw(static_cast<std::size_t>(m), kind % 4, random);
            Values y = draw(static_cast<std::size_t>(n), kind % 4, random);
            for (Values* arm : {&x, &y}) {
                for (double& value : *arm) {
                    if (kind == 4 && random() % 10 > 0) value = 0;
                    if (kind == 5) value = std::ldexp(value, static_cast<int>(random() % 2000) - 1000);
                    if (kind == 6) value = random() % 2 == 0 ? 1e308 : -1e308;
                }
            }
            x = sorted(x);
            y = sorted(y);
            const Values all = all_differences(y, x);
            PairDifferences differences(x, y);
            ASSERT_EQ(differences.size(), static_cast<std::int64_t>(all.size()));
            for (int i = 0; i < 40; ++i) {
                // Both ends, the middle, and anywhere.
                const std::size_t at =
                    i < 3 ? static_cast<std::size_t>(i) * (all.size() - 1) / 2 : random() % all.size();
                const double value = all[at];
                ASSERT_EQ(bits(differences.of_rank(static_cast<std::int64_t>(at) + 1)), bits(value))
                    << kind << " " << m;
                const auto next = std::upper_bound(all.begin(), all.end(), value);
                ASSERT_EQ(differences.count_at_most(value), next - all.begin());
                ASSERT_EQ(differences.above(value), next == all.end() ? value : *next);
            }
        }
    }
}

TEST(PairDifferences, LargeSamplesAreCountedRight) {
    // 10,080 against 10,080: too many to write down, so the rank is checked by counting below and at the answer.
    Random random(22);
    const Values x = sorted(draw(10080, 0, random)), y = sorted(draw(10080, 2, random));
    PairDifferences differences(x, y);
    for (const double share : {0.001, 0.3, 0.49, 0.5, 0.87}) {
        const auto rank = static_cast<std::int64_t>(share * static_cast<double>(differences.size()));
        const double found = differences.of_rank(rank);
        EXPECT_GE(differences.count_at_most(found), rank);
        EXPECT_LT(differences.count_at_most(std::nextafter(found, -1e300)), rank);
    }
}

TEST(PairDifferences, AnyOrderOfMagnitudeEnds) {
    // Columns that grow by powers of ten and rows that hardly differ: a grid says little about where ranks lie.
    Values x, y;
    for (int i = 0; i < 300; ++i) {
        x.push_back(std::pow(10.0, i - 150));
        y.push_back(-std::pow(10.0, 150 - i) * (1 + 1e-15 * i));
    }
    x = sorted(x);
    y = sorted(y);
    const Values all = all_differences(y, x);
    PairDifferences differences(x, y);
    for (std::size_t at = 0; at < all.size(); at += 997)
        ASSERT_EQ(bits(differences.of_rank(static_cast<std::int64_t>(at) + 1)), bits(all[at]));
}

}  // namespace
