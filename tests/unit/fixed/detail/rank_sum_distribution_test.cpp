// Exact distributions of the rank sum: against their recurrences, against whole numbers of 256 bits up to 100 and 100
// values, and against enumeration for every pattern of ties up to 8 and 8.

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <random>
#include <tuple>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/fixed/detail/rank_sum_distribution.hpp>
#include <serinus/fixed/mann_whitney.hpp>
#include <serinus/numeric/normal.hpp>
#include <serinus/numeric/workspace.hpp>

namespace {

using namespace serinus;

#define EXPECT_RELATIVE(actual, expected, tolerance) EXPECT_NEAR((actual) / (expected), 1, tolerance)

TEST(Choose, is_exact_while_it_fits_a_double) {
    EXPECT_EQ(serinus::choose(0, 0), 1);
    EXPECT_EQ(serinus::choose(5, 7 - 2), 1);
    EXPECT_EQ(serinus::choose(40, 20), 137846528820.0);
    EXPECT_EQ(serinus::choose(56, 28), 7648690600760440.0);
    // 2^1000 / sqrt(500 pi) ...: the exact quotient of factorials, to 17 digits.
    EXPECT_RELATIVE(serinus::choose(1000, 500), 2.7028824094543657e299, 1e-13);
}

TEST(RankSumCounts, equal_the_recurrence) {
    // f(m, n, u) = f(m-1, n, u-n) + f(m, n-1, u): the largest value is of the first or of the second sample. All of
    // them below 2^53, so exact.
    const std::size_t most = 27;
    std::vector<std::vector<std::vector<double>>> f(most + 1, std::vector<std::vector<double>>(most + 1));
    std::vector<double> counts;
    for (std::size_t m = 0; m <= most; ++m) {
        for (std::size_t n = 0; n <= most; ++n) {
            auto& all = f[m][n];
            all.assign(m * n + 1, 0.0);
            if (m == 0 || n == 0) {
                all[0] = 1;
            } else {
                for (std::size_t u = 0; u < f[m - 1][n].size(); ++u) all[u + n] += f[m - 1][n][u];
                for (std::size_t u = 0; u < f[m][n - 1].size(); ++u) all[u] += f[m][n - 1][u];
            }
            serinus::rank_sum_counts(static_cast<std::int64_t>(m), static_cast<std::int64_t>(n),
                                     static_cast<std::int64_t>(m * n), counts);
            ASSERT_EQ(counts, all) << m << " and " << n;
        }
    }
}

TEST(RankSumCounts, of_large_samples) {
    std::vector<double> counts;
    serinus::rank_sum_counts(600, 200, 60'000, counts);
    // Up to min(m, n) the count is the number of partitions of u.
    EXPECT_EQ(counts[100], 190569292.0);
    EXPECT_EQ(counts[200], 3972999029388.0);
    // The distribution is symmetric about 60,000: all counts below, twice, and the middle make C(800, 200). Rounding of
    // the counts (2e-12 at worst, less in sum) and of the binomial (200 factors).
    const double below = std::accumulate(counts.begin(), counts.end() - 1, 0.0);
    EXPECT_RELATIVE((2 * below + counts.back()) / serinus::choose(800, 200), 1.0, 1e-12);
}

TEST(RankSumCost, says_what_cannot_be_counted) {
    EXPECT_TRUE(serinus::rank_sum_cost(200, 600, 1000).accurate);
    EXPECT_FALSE(serinus::rank_sum_cost(201, 201, 1000).accurate);        // rounding
    EXPECT_FALSE(serinus::rank_sum_cost(200, 1'000'000, 1000).accurate);  // counts beyond a double
    EXPECT_EQ(serinus::rank_sum_cost(30, 40, 1190).table, 11);            // the shorter tail
    EXPECT_EQ(serinus::rank_sum_cost(30, 40, 1190).additions, 330);
}

TEST(RankSumTails, change_places_with_the_samples) {
    serinus::Workspace workspace;
    for (const auto& [m, n] : {std::pair{7, 12}, std::pair{30, 30}, std::pair{1, 5}, std::pair{60, 61}}) {
        for (std::int64_t u = 0; u <= m * n; ++u) {
            const RankSumTails one = serinus::rank_sum_tails(m, n, u, workspace);
            const RankSumTails other = serinus::rank_sum_tails(n, m, m * n - u, workspace);
            ASSERT_EQ(one.at_most, other.at_least);
            ASSERT_EQ(one.at_least, other.at_most);
        }
    }
}

TEST(TiedRankSumTails, change_places_with_the_samples) {
    serinus::Workspace workspace;
    const std::vector<std::int64_t> groups{30, 1, 2, 40, 9, 1, 17};  // more than 2^53 arrangements: sums round
    for (const auto& [m, n] : {std::pair{50, 50}, std::pair{30, 70}}) {
        for (std::int64_t twice_u = 0; twice_u <= 2 * m * n; twice_u += 25) {
            const RankSumTails one = serinus::tied_rank_sum_tails({m, n, twice_u, groups, workspace}, workspace);
            const RankSumTails other =
                serinus::tied_rank_sum_tails({n, m, 2 * m * n - twice_u, groups, workspace}, workspace);
            ASSERT_EQ(one.at_most, other.at_least) << twice_u;
            ASSERT_EQ(one.at_least, other.at_most) << twice_u;
        }
    }
}

/// 2U of the arrangement in which the first sample takes the values of `pool` that `chosen` marks.
std::int64_t twice_u_of(const std::vector<std::int64_t>& pool, unsigned chosen) {
    std::int64_t twice_u = 0;
    for (std::size_t i = 0; i < pool.size(); ++i) {
        for (std::size_t j = 0; j < pool.size(); ++j) {
            if (((chosen >> i) & 1U) != 0 && ((chosen >> j) & 1U) == 0) {
                twice_u += pool[i] > pool[j] ? 2 : (pool[i] == pool[j] ? 1 : 0);
            }
        }
    }
    return twice_u;
}

TEST(TiedRankSumTails, equal_the_untied_ones_when_all_groups_are_single) {
    serinus::Workspace workspace;
    const std::vector<std::int64_t> singles(40, 1);
    for (std::int64_t u = 0; u <= 375; u += 5) {
        const serinus::TiedRankSum count(15, 25, 2 * u, singles, workspace);
        const RankSumTails tied = serinus::tied_rank_sum_tails(count, workspace);
        const RankSumTails untied = serinus::rank_sum_tails(15, 25, u, workspace);
        EXPECT_EQ(tied.at_most, untied.at_most);  // counts below 2^53: the same whole numbers, divided
        EXPECT_EQ(tied.at_least, untied.at_least);
    }
}

TEST(TiedRankSumTails, of_two_groups_are_hypergeometric) {
    // 300 zeros and 200 ones, a sample of 120: the sum of scores counts the ones.
    serinus::Workspace workspace;
    const std::vector<std::int64_t> groups{300, 200};
    for (const std::int64_t ones : {0, 10, 40, 47, 48, 60, 100, 120}) {
        double all = 0, at_most = 0;
        for (std::int64_t k = 0; k <= 120; ++k) {
            const double ways =
                std::exp(serinus::log_choose(200, static_cast<double>(k)) +
                         serinus::log_choose(300, static_cast<double>(120 - k)) - serinus::log_choose(500, 120));
            all += ways;
            if (k <= ones) at_most += ways;
        }
        // 2U: each one of the sample beats the zeros of the other one and ties with its ones.
        const std::int64_t zeros = 120 - ones;
        const std::int64_t twice_u = ones * (2 * (300 - zeros) + (200 - ones)) + zeros * (300 - zeros);
        const serinus::TiedRankSum count(120, 380, twice_u, groups, workspace);
        // exp and log-gamma of about 500 keep 1e-12.
        EXPECT_RELATIVE(serinus::tied_rank_sum_tails(count, workspace).at_most, at_most / all, 1e-11) << ones;
    }
}

TEST(RankSumMoments, equal_enumeration) {
    std::mt19937_64 random(4);
    for (int round = 0; round < 200; ++round) {
        const int m = 1 + static_cast<int>(random() % 6);
        const int n = std::max(4 - m, 1) + static_cast<int>(random() % 6);
        std::vector<std::int64_t> pool, sizes;
        while (static_cast<int>(pool.size()) < m + n) {
            const auto room = static_cast<std::uint64_t>(m + n) - pool.size();
            const std::uint64_t size = round % 3 == 0 ? 1 : 1 + random() % room;
            sizes.push_back(static_cast<std::int64_t>(size));
            pool.insert(pool.end(), size, static_cast<std::int64_t>(sizes.size()));
        }
        if (sizes.size() == 1) continue;  // all equal: no distribution
        double all = 0, second = 0, third = 0, fourth = 0;
        std::int64_t spacing = 0;
        const std::int64_t any = twice_u_of(pool, (1U << m) - 1);
        for (unsigned chosen = 0; chosen < (1U << (m + n)); ++chosen) {
            if (std::popcount(chosen) != m) continue;
            const std::int64_t twice_u = twice_u_of(pool, chosen);
            const double d = static_cast<double>(twice_u - m * n) / 2;
            all += 1;
            second += d * d;
            third += d * d * d;
            fourth += d * d * d * d;
            spacing = std::gcd(spacing, twice_u - any);
        }
        second /= all;
        serinus::TieTerm ties;
        for (const std::int64_t size : sizes) ties.add(size);
        auto moments = serinus::rank_sum_moments(m, n, ties);
        const bool untied = sizes.size() == pool.size();
        serinus::add_higher_moments(m, n, untied ? std::vector<std::int64_t>{} : sizes, moments);
        EXPECT_EQ(moments.mean, m * n / 2.0);
        EXPECT_RELATIVE(moments.deviation * moments.deviation, second, 1e-13);
        EXPECT_NEAR(moments.skewness, third / all / std::pow(second, 1.5), 1e-12);
        EXPECT_NEAR(moments.kurtosis, fourth / all / (second * second) - 3, 1e-12);
        EXPECT_EQ(moments.spacing, static_cast<double>(spacing) / 2);
        // Without ties the general formula and that of Fix and Hodges are one.
        auto general = moments;
        serinus::add_higher_moments(m, n, sizes, general);
        EXPECT_NEAR(general.kurtosis, moments.kurtosis, 1e-12);
        EXPECT_EQ(general.spacing, moments.spacing);
    }
}

TEST(Edgeworth, errors_are_the_published_ones_without_ties) {
    // Worst relative error of P(U <= u) in four bands of P. The bounds are the measured errors of Fix and Hodges' first
    // term, rounded up in the second digit: worse would mean another formula.
    struct Row {
        std::int64_t size;
        double above_05, above_01, above_001;
    };
    serinus::Workspace workspace;
    for (const Row& row :
         {Row{8, 0.0023, 0.023, 0.12}, Row{20, 0.00036, 0.0033, 0.0092}, Row{50, 0.000062, 0.00051, 0.0013}}) {
        auto moments = serinus::rank_sum_moments(row.size, row.size, {});
        serinus::add_higher_moments(row.size, row.size, {}, moments);
        for (std::int64_t u = 0; 2 * u < row.size * row.size; ++u) {
            const double exact = serinus::rank_sum_tails(row.size, row.size, u, workspace).at_most;
            const double z = (moments.mean - static_cast<double>(u) - 0.5) / moments.deviation;
            const double p = serinus::edgeworth_survival(z, moments.skewness, moments.kurtosis);
            if (exact < 1e-3) continue;
            const double bound = exact >= 0.05 ? row.above_05 : exact >= 0.01 ? row.above_01 : row.above_001;
            ASSERT_LE(std::abs(p / exact - 1), bound) << row.size << " u " << u << " p " << exact;
        }
    }
}

TEST(Edgeworth, with_ties_is_five_times_better_than_the_normal_distribution) {
    // 12 and 40 values, half of them zeros: skewed, and U moves in halves. Tails between 0.01 and 0.2.
    serinus::Workspace workspace;
    std::vector<std::int64_t> groups(27, 1);
    groups[0] = 26;
    serinus::TieTerm ties;
    ties.add(26);
    auto moments = serinus::rank_sum_moments(12, 40, ties);
    serinus::add_higher_moments(12, 40, groups, moments);
    double worst = 0, worst_normal = 0;
    for (std::int64_t twice_u = 481; twice_u < 960; ++twice_u) {
        const serinus::TiedRankSum count(12, 40, twice_u, groups, workspace);
        const double exact = serinus::tied_rank_sum_tails(count, workspace).at_least;
        if (exact < 0.01 || exact > 0.2) continue;
        const double excess = static_cast<double>(twice_u) / 2 - moments.mean;
        const double p = serinus::edgeworth_survival((excess - moments.spacing / 2) / moments.deviation,
                                                     moments.skewness, moments.kurtosis);
        worst = std::max(worst, std::abs(p / exact - 1));
        worst_normal =
            std::max(worst_normal, std::abs(serinus::normal_survival((excess - 0.5) / moments.deviation) / exact - 1));
    }
    EXPECT_LT(worst, 0.02);
    EXPECT_GT(worst_normal, 5 * worst);
}

TEST(Edgeworth, is_believed_up_to_a_factor_of_two) {
    EXPECT_EQ(serinus::edgeworth_survival(6, 0, -0.5), serinus::normal_survival(6) / 2);
    EXPECT_EQ(serinus::edgeworth_survival(6, 0, 0.5), serinus::normal_survival(6) * 2);
    EXPECT_EQ(serinus::edgeworth_survival(-2, 5, 0), 1);
    EXPECT_EQ(serinus::edgeworth_survival(1.5, 0, 0), serinus::normal_survival(1.5));
}

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
