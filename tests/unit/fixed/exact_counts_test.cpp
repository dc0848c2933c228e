// Exact distributions of the rank sum against whole numbers of 256 bits up to 100 and 100 values, and against
// enumeration for every pattern of ties up to 8 and 8.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/fixed/detail/rank_sum_distribution.hpp>
#include <serinus/fixed/mann_whitney.hpp>

namespace {

using namespace serinus;

/// A whole number below 2^256; C(200, 100) needs 196 bits.
struct Big {
    std::array<std::uint64_t, 4> limbs{};

    Big& operator+=(const Big& other) {
        unsigned carry = 0;
        for (std::size_t i = 0; i < 4; ++i) {
            const std::uint64_t sum = limbs[i] + other.limbs[i];
            const std::uint64_t with_carry = sum + carry;
            carry = (sum < limbs[i] ? 1U : 0U) + (with_carry < sum ? 1U : 0U);
            limbs[i] = with_carry;
        }
        return *this;
    }
    Big times(std::uint64_t factor) const {
        Big product;
        Big power = *this;
        for (; factor > 0; factor >>= 1) {
            if ((factor & 1) != 0) product += power;
            power += power;
        }
        return product;
    }
    /// To within two units in the last place.
    double value() const {
        double sum = 0;
        for (std::size_t i = 4; i-- > 0;) sum = sum * 0x1p64 + static_cast<double>(limbs[i]);
        return sum;
    }
};

TEST(ExactCounts, EqualWholeNumbersUpTo100And100) {
    // The recurrence of the Gaussian binomials, f(m, n, u) = f(m-1, n, u-n) + f(m, n-1, u), in whole numbers.
    constexpr std::int64_t most = 100;
    std::vector<std::vector<Big>> row(most + 1), above(most + 1);
    std::vector<double> counts;
    Workspace workspace;
    double worst_count = 0, worst_tail = 0;
    for (std::int64_t m = 0; m <= most; ++m) {
        for (std::int64_t n = 0; n <= most; ++n) {
            std::vector<Big>& here = row[static_cast<std::size_t>(n)];
            here.assign(static_cast<std::size_t>(m * n / 2 + 1), {});
            if (m == 0 || n == 0) {
                here[0].limbs[0] = 1;
                continue;
            }
            // Both are symmetric around their middles, and kept up to there.
            const auto at = [](const std::vector<Big>& half, std::int64_t pairs, std::int64_t u) {
                return u < 0 || u > pairs ? Big{} : half[static_cast<std::size_t>(std::min(u, pairs - u))];
            };
            for (std::int64_t u = 0; u <= m * n / 2; ++u) {
                Big& sum = here[static_cast<std::size_t>(u)];
                sum = at(above[static_cast<std::size_t>(n)], (m - 1) * n, u - n);
                sum += at(row[static_cast<std::size_t>(n - 1)], m * (n - 1), u);
            }
            // All pairs of sizes up to 30, and every fifth of the smaller against every tenth of the larger beyond.
            if (n < m || (n > 30 && (m % 5 != 0 || n % 10 != 0))) continue;
            rank_sum_counts(m, n, m * n / 2, counts);
            Big below;
            Big all;
            for (std::int64_t u = 0; u <= m * n; ++u) all += at(here, m * n, u);
            ASSERT_NEAR(choose(m + n, m) / all.value(), 1, 1e-14) << m << " " << n;
            for (std::int64_t u = 0; u <= m * n / 2; ++u) {
                const double expected = here[static_cast<std::size_t>(u)].value();
                worst_count =
                    std::max(worst_count, std::fabs(counts[static_cast<std::size_t>(u)] - expected) / expected);
                below += here[static_cast<std::size_t>(u)];
                const double tail = below.value() / all.value();
                const double found = rank_sum_tails(m, n, u, workspace).at_most;
                worst_tail = std::max(worst_tail, std::fabs(found - tail) / tail);
            }
        }
        row.swap(above);
    }
    // Measured 3.1e-14: divisions of the Gaussian binomial amplify rounding (rank_sum_distribution.hpp).
    EXPECT_LE(worst_count, 4e-14);
    // Sums of counts: the binomial's hundred factors and the number's own two units above them.
    EXPECT_LE(worst_tail, 1e-14);
}

TEST(ExactCounts, WithTiesEqualWholeNumbers) {
    // The plain shift algorithm over all values, in whole numbers, without any of the cuts and mirrors.
    std::mt19937_64 random(31);
    Workspace workspace;
    for (const auto& [m, n, largest] : {std::tuple{20, 20, 4}, {13, 40, 3}, {50, 50, 30}, {30, 70, 8}}) {
        std::vector<std::int64_t> sizes;
        for (std::int64_t left = m + n; left > 0; left -= sizes.back())
            sizes.push_back(std::min<std::int64_t>(left, 1 + static_cast<std::int64_t>(random() % unsigned(largest))));
        std::vector<std::int64_t> scores;  // doubled midranks, from 0
        std::int64_t before = 0;
        for (const std::int64_t size : sizes) {
            scores.push_back(2 * before + size - sizes.front());
            before += size;
        }
        std::int64_t widest = 0, left = m;
        for (std::size_t g = sizes.size(); g-- > 0;) {
            widest += std::min(left, sizes[g]) * scores[g];
            left -= std::min(left, sizes[g]);
        }
        const auto width = static_cast<std::size_t>(widest + 1);
        std::vector<std::vector<Big>> ways(static_cast<std::size_t>(m) + 1, std::vector<Big>(width));
        ways[0][0].limbs[0] = 1;
        std::size_t seen = 0;
        for (std::size_t g = 0; g < sizes.size(); ++g) {
            for (std::int64_t value = 0; value < sizes[g]; ++value) {  // one value after the other
                const auto score = static_cast<std::size_t>(scores[g]);
                ++seen;
                for (std::size_t k = std::min(static_cast<std::size_t>(m), seen); k >= 1; --k)
                    for (std::size_t w = std::min(width, k * score + 1); w-- > score;)
                        ways[k][w] += ways[k - 1][w - score];
            }
        }
        const std::vector<Big>& all = ways.back();
        Big total;
        for (const Big& count : all) total += count;
        // 2U of the first sample from its sum of scores.
        const std::int64_t shift = m * (sizes.front() + 1) - m * (m + 1);
        Big below;
        for (std::size_t w = 0; w < width; ++w) {
            if (all[w].limbs == Big{}.limbs) continue;
            Big with_it = below;
            with_it += all[w];
            const TiedRankSum count(m, n, static_cast<std::int64_t>(w) + shift, sizes, workspace);
            if (w % 7 == 0 || w + 20 > width || below.limbs == Big{}.limbs) {
                const RankSumTails found = tied_rank_sum_tails(count, workspace);
                const double at_most = with_it.value() / total.value();
                // A tail that is summed keeps its digits; the other one is 1 minus a sum.
                ASSERT_NEAR(found.at_most, at_most, 1e-13 * (count.of_first != count.mirrored ? at_most : 1)) << w;
                ASSERT_NEAR(found.at_least, 1 - below.value() / total.value(), 1e-13) << w;
            }
            below = with_it;
        }
    }
}

double choose_of(std::int64_t n, std::int64_t k) {
    static const auto table = [] {
        std::array<std::array<double, 17>, 17> pascal{};
        for (std::size_t i = 0; i < 17; ++i)
            for (std::size_t j = 0; j <= i; ++j)
                pascal[i][j] = j == 0 || j == i ? 1 : pascal[i - 1][j - 1] + pascal[i - 1][j];
        return pascal;
    }();
    return table[static_cast<std::size_t>(n)][static_cast<std::size_t>(k)];
}

/// All ways to take m of the values of up to 16 groups, by 2U of those taken; and one of each, four bits a group.
struct Enumeration {
    std::vector<std::int64_t> sizes;
    std::array<double, 129> ways{};
    std::array<std::uint64_t, 129> example{};

    void visit(std::size_t g, std::int64_t left, std::int64_t behind, std::int64_t others, std::int64_t twice_u,
               double product, std::uint64_t taken) {
        if (g == sizes.size()) {
            ways[static_cast<std::size_t>(twice_u)] += product;
            example[static_cast<std::size_t>(twice_u)] = taken;
            return;
        }
        const std::int64_t size = sizes[g];
        behind -= size;
        for (std::int64_t r = std::max<std::int64_t>(0, left - behind); r <= std::min(left, size); ++r) {
            visit(g + 1, left - r, behind, others + size - r, twice_u + r * (2 * others + size - r),
                  product * choose_of(size, r), taken | static_cast<std::uint64_t>(r) << (4 * g));
        }
    }
};

TEST(ExactP, EqualsEnumerationForEveryPatternOfTiesUpTo8And8) {
    // All 130,050 patterns of ties of all sizes from 1 to 8: all arrangements, those that differ in equal values alone
    // counted together. mann_whitney_test.cpp has every value of every pattern up to 5 and 5; here three values of U
    // each, which move from pattern to pattern: near the middle, and anywhere on either side.
    Workspace workspace;
    std::vector<double> baseline, canary;
    int compared = 0;
    unsigned turn = 0;
    for (int m = 1; m <= 8; ++m) {
        for (int n = 1; n <= 8; ++n) {
            const int total = m + n;
            for (unsigned cuts = 0; cuts < (1U << (total - 1)); ++cuts) {
                Enumeration found;
                std::vector<std::int64_t>& sizes = found.sizes;
                sizes.assign(1, 1);
                for (int i = 0; i + 1 < total; ++i) {
                    if (((cuts >> i) & 1U) != 0) {
                        sizes.push_back(1);
                    } else {
                        ++sizes.back();
                    }
                }
                found.visit(0, m, total, 0, 0, 1, 0);
                const std::array<double, 129>& ways = found.ways;
                const auto pairs = static_cast<unsigned>(2 * m * n);
                ++turn;
                for (const unsigned wanted : {pairs / 2, turn % (pairs / 2 + 1), pairs - turn / 3 % (pairs / 2 + 1)}) {
                    unsigned u = wanted;
                    while (ways[u] == 0) u = u < pairs ? u + 1 : 0;
                    double all = 0, at_most = 0, at_least = 0;
                    for (unsigned v = 0; v <= pairs; ++v) {
                        all += ways[v];
                        at_most += v <= u ? ways[v] : 0;
                        at_least += v >= u ? ways[v] : 0;
                    }
                    baseline.clear();
                    canary.clear();
                    for (std::size_t g = 0; g < sizes.size(); ++g) {
                        const auto in_canary = found.example[u] >> (4 * g) & 15;
                        canary.insert(canary.end(), in_canary, static_cast<double>(g));
                        baseline.insert(baseline.end(), static_cast<std::size_t>(sizes[g]) - in_canary,
                                        static_cast<double>(g));
                    }
                    const auto p = [&](Alternative alternative) {
                        return mann_whitney(baseline, canary, {.alternative = alternative}, workspace);
                    };
                    const MannWhitneyResult both = p(Alternative::two_sided);
                    ASSERT_EQ(both.method, MannWhitneyMethod::exact);
                    ASSERT_EQ(both.u, u / 2.0);
                    // Counts are small whole numbers: only the division, and 1 - p of the longer tail, round.
                    constexpr double rounding = 4e-16;
                    ASSERT_NEAR(both.p_value, std::min(1.0, 2 * std::min(at_most, at_least) / all), 2 * rounding);
                    ASSERT_NEAR(p(Alternative::less).p_value, at_most / all, rounding) << m << n << " " << cuts;
                    ASSERT_NEAR(p(Alternative::greater).p_value, at_least / all, rounding) << m << n << " " << cuts;
                    ++compared;
                }
            }
        }
    }
    EXPECT_EQ(compared, 3 * 130050);
}

}  // namespace
