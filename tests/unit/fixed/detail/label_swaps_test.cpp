#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/fixed/detail/label_swaps.hpp>
#include <serinus/numeric/random.hpp>

namespace {

using namespace serinus;
using namespace serinus::label_swap_detail;
using Scores = std::vector<std::int32_t>;

bool swapped(const LabelSwaps& swaps, std::size_t j, std::size_t t) { return (swaps.plane(t)[j] >> (t % 16) & 1) != 0; }

TEST(LabelSwaps, AreTheBitsOfOneStream) {
    for (const std::size_t n : {12UL, 31UL, 64UL, 65UL, 130UL}) {
        const auto swaps = LabelSwaps::drawn(n, 200, 9);
        ASSERT_EQ(swaps.size(), 201U);
        RandomStream random(9, 0);
        for (std::size_t j = 1; j <= 200; ++j) {
            for (std::size_t from = 0; from < n; from += 64) {
                const std::uint64_t word = random.next();
                for (std::size_t t = from; t < std::min(n, from + 64); ++t)
                    ASSERT_EQ(swapped(swaps, j, t), (word >> (t - from) & 1) != 0) << n << ' ' << j << ' ' << t;
            }
        }
        for (std::size_t t = 0; t < n; ++t) ASSERT_FALSE(swapped(swaps, 0, t));
    }
    const auto all = LabelSwaps::all(9);
    ASSERT_EQ(all.size(), 512U);
    for (std::size_t j = 0; j < 512; ++j)
        for (std::size_t t = 0; t < 9; ++t) ASSERT_EQ(swapped(all, j, t), (j >> t & 1) != 0);
}

TEST(LabelSwaps, SumsAndRunningSumsAreThoseOfSigns) {
    std::mt19937_64 random(3);
    for (const std::size_t n : {12UL, 31UL, 33UL, 64UL, 90UL}) {
        const auto swaps = LabelSwaps::drawn(n + 7, 300, n);
        // Small scores go by 16 bits, large ones by 32; some intervals are missing.
        for (const int size : {40, 4000}) {
            Scores scores(n);
            std::vector<std::uint32_t> times(n);
            for (std::size_t i = 0; i < n; ++i) {
                scores[i] = std::uniform_int_distribution(-size, size)(random);
                times[i] = static_cast<std::uint32_t>(i + (i > 4 ? 3 : 0) + (i > n / 2 ? 4 : 0));
            }
            Scores placed(n + 7, 0), sums;
            for (std::size_t i = 0; i < n; ++i) placed[times[i]] = scores[i];
            swaps.sums(placed, sums);
            const Places at = places(n);
            OrderStatistics found;
            walk(swaps, scores, times, at, found);
            for (std::size_t j = 0; j < swaps.size(); ++j) {
                std::vector<std::int64_t> before(n + 1, 0);
                std::int64_t ramp = 0;
                for (std::size_t i = 0; i < n; ++i) {
                    const std::int64_t value = swapped(swaps, j, times[i]) ? -scores[i] : scores[i];
                    before[i + 1] = before[i] + value;
                    ramp += value * static_cast<std::int64_t>(std::ceil(8.0 * double(i + 1) / double(n)));
                }
                ASSERT_EQ(sums[j], before[n]);
                ASSERT_EQ(found.level[j], before[n]);
                float late = static_cast<float>(ramp) * at.ramp_scale;
                for (std::size_t k = 0; k < at.suffixes.size(); ++k)
                    late = std::max(late,
                                    static_cast<float>(before[n] - before[n - at.suffixes[k]]) * at.suffix_scales[k]);
                ASSERT_EQ(found.late[j], key_of(late));
                float window = -std::numeric_limits<float>::infinity();
                for (const auto& one : at.windows)
                    for (std::size_t s = 0; s + one.length <= n; s += one.step)
                        window = std::max(window, static_cast<float>(before[s + one.length] - before[s]) * one.scale);
                ASSERT_EQ(found.window[j], key_of(window));
            }
        }
    }
}

TEST(LabelSwaps, PlacesAreWrittenDown) {
    const Places at = places(31);
    EXPECT_EQ(at.suffixes, (std::vector<std::size_t>{5, 8, 10, 16, 21}));
    ASSERT_EQ(at.windows.size(), 5U);
    EXPECT_EQ(at.windows.front().length, 4U);
    EXPECT_EQ(at.windows.front().step, 1U);
    EXPECT_EQ(at.windows.back().length, 16U);
    EXPECT_EQ(at.windows.back().step, 4U);
    EXPECT_EQ(places(12).suffixes, (std::vector<std::size_t>{4, 6, 8}));  // none shorter than 4, none twice
}

TEST(LabelSwaps, KeysKeepTheOrder) {
    float last = -std::numeric_limits<float>::infinity();
    for (const float value : {-1e30F, -2.0F, -1.0F, -1e-30F, 0.0F, 1e-30F, 1.0F, 2.0F, 1e30F}) {
        EXPECT_LT(key_of(last), key_of(value));
        last = value;
    }
}

TEST(LabelSwaps, LimitsAreOrderStatistics) {
    std::mt19937_64 random(4);
    for (const int size : {3, 1000, std::numeric_limits<std::int32_t>::max()}) {
        Scores numbers(257);
        for (auto& number : numbers) number = std::uniform_int_distribution(-size, size)(random);
        Scores sorted = numbers;
        std::sort(sorted.rbegin(), sorted.rend());
        for (std::size_t most = 0; most < numbers.size(); ++most) EXPECT_EQ(limit_for(numbers, most), sorted[most]);
    }
}

// The definition, written out.
JointP by_definition(const std::vector<SwapStatistic>& panel, std::size_t swaps) {
    std::vector<double> least(swaps, std::numeric_limits<double>::infinity());
    JointP found;
    for (std::size_t g = 0; g < panel.size(); ++g) {
        for (std::size_t j = 0; j < swaps; ++j) {
            std::size_t as_large = 0;
            for (std::size_t i = 0; i < swaps; ++i) as_large += panel[g].keys[i] >= panel[g].keys[j] ? 1U : 0U;
            if (j == 0 && !panel[g].counts) continue;
            const double p = static_cast<double>(as_large) / (static_cast<double>(swaps) * panel[g].weight);
            if (p < least[j] && j == 0) found.best = g;
            least[j] = std::min(least[j], p);
        }
    }
    std::size_t all = 0;
    for (const double one : least) all += one <= least[0] ? 1U : 0U;
    found.p_value = static_cast<double>(all) / static_cast<double>(swaps);
    return found;
}

TEST(LabelSwaps, JointPValueIsWestfallAndYoungs) {
    std::mt19937_64 random(5);
    for (int round = 0; round < 400; ++round) {
        const std::size_t swaps = 60 + static_cast<std::size_t>(round);
        const int size = round % 3 == 0 ? 4 : 100'000;  // with many ties, and with hardly any
        std::vector<SwapStatistic> panel(1 + static_cast<std::size_t>(round) % 6);
        for (auto& statistic : panel) {
            statistic.keys.resize(swaps + 5, std::numeric_limits<std::int32_t>::max());  // what is beyond is not read
            for (std::size_t j = 0; j < swaps; ++j)
                statistic.keys[j] = std::uniform_int_distribution(-size, size)(random);
            if (round % 5 == 0) statistic.keys[0] = size * 9 / 10;
            statistic.weight = std::uniform_real_distribution(0.01, 0.5)(random);
            statistic.counts = &statistic == &panel[0] || random() % 4 != 0;
        }
        const JointP found = joint_p(panel, swaps), expected = by_definition(panel, swaps);
        ASSERT_EQ(found.p_value, expected.p_value) << round;
        ASSERT_EQ(found.best, expected.best) << round;
    }
}

}  // namespace
