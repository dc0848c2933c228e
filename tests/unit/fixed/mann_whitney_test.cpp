#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <limits>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <serinus/fixed/mann_whitney.hpp>

#include "support/data_dir.hpp"
#include "support/draws.hpp"
#include "support/reference.hpp"

namespace {

using serinus::Alternative;
using serinus::mann_whitney;
using serinus::MannWhitneyMethod;
using serinus::MannWhitneyOptions;
using serinus::MannWhitneyResult;

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr Alternative alternatives[] = {Alternative::two_sided, Alternative::greater, Alternative::less};
constexpr MannWhitneyMethod methods[] = {MannWhitneyMethod::automatic, MannWhitneyMethod::exact,
                                         MannWhitneyMethod::edgeworth, MannWhitneyMethod::normal,
                                         MannWhitneyMethod::saddlepoint};

using reference::number;
using reference::numbers;

bool has_ties(const std::vector<double>& baseline, const std::vector<double>& canary) {
    return mann_whitney(baseline, canary, {.method = MannWhitneyMethod::normal}).ties > 0;
}

std::uint64_t bits(double value) { return std::bit_cast<std::uint64_t>(value); }

#define EXPECT_RELATIVE(actual, expected, tolerance) \
    EXPECT_LE(std::abs((actual) - (expected)), (tolerance)*std::abs(expected)) << (actual) << " against " << (expected)

// ---- the published packages

// 1e-9: what the exact integer fractions, R, SciPy, coin and exactRankTests agree to among themselves. (We agree with
// nearly all to 1e-13; the packages' own sums and normal tails lose the rest.)
constexpr double package_tolerance = 1e-9;

TEST(MannWhitneyReference, agrees_with_scipy_r_coin_and_exact_fractions) {
    const auto golden = reference::parsed("fixed/mann_whitney.json");
    int compared = 0;
    for (const auto& entry : golden.at("cases")) {
        const std::string source = entry.at("source");
        SCOPED_TRACE(entry.dump());
        const auto& data = reference::datasets().at(entry.at("inputs").at("dataset").get<std::string>());
        const auto baseline = numbers(data.at("baseline"));
        const auto canary = numbers(data.at("canary"));
        const auto& options = entry.at("options");
        const auto& outputs = entry.at("outputs");
        // "R wilcox_test coin" is a function of another package than R itself.
        const auto package = source.starts_with("R ") && std::ranges::count(source, ' ') == 2
                                 ? source.substr(source.rfind(' ') + 1)
                                 : source.substr(0, source.find(' '));
        const bool tied = has_ties(baseline, canary);

        MannWhitneyOptions ask;
        if (options.contains("alternative")) {
            std::string name = options.at("alternative");
            if (name == "two.sided") name = "two-sided";
            ask.alternative = serinus::require_word<Alternative>("alternative", name);
        }
        const auto check_p = [&](const char* field) {
            const double expected = number(outputs.at(field));
            const MannWhitneyResult result = mann_whitney(baseline, canary, ask);
            if (result.degenerate) {
                // Decided otherwise than SciPy without continuity and R, which give NaN.
                EXPECT_EQ(result.p_value, 1.0);
                EXPECT_TRUE(expected == 1.0 || std::isnan(expected));
            } else {
                EXPECT_RELATIVE(result.p_value, expected, package_tolerance);
                EXPECT_EQ(result.method, ask.method);
            }
            ++compared;
        };
        if (package == "scipy") {
            const std::string method = options.at("method");
            // SciPy's "auto" is the exact distribution only for an untied pair with at most 8 values on one side.
            const bool exact =
                method == "exact" || (method == "auto" && !tied && std::min(baseline.size(), canary.size()) <= 8);
            ask.method = exact ? MannWhitneyMethod::exact : MannWhitneyMethod::normal;
            ask.continuity = options.value("use_continuity", true);
            check_p("pvalue");
            EXPECT_EQ(mann_whitney(baseline, canary, ask).u, number(outputs.at("statistic")));
        } else if (package == "R") {
            ask.method = options.at("exact").get<bool>() ? MannWhitneyMethod::exact : MannWhitneyMethod::normal;
            ask.continuity = options.at("correct").get<bool>();
            check_p("p.value");
            EXPECT_EQ(mann_whitney(baseline, canary, ask).u, number(outputs.at("statistic")));
        } else if (package == "exactRankTests" || package == "coin") {
            ask.method = MannWhitneyMethod::exact;
            // Both call two-sided the probability of a U at least as far from its mean. Where the distribution is not
            // symmetric (ties and unequal sizes) that is not twice the smaller tail, which is what we give.
            if (ask.alternative != Alternative::two_sided || !tied || baseline.size() == canary.size()) {
                check_p("p.value");
            }
            if (outputs.contains("z")) {
                const double z = mann_whitney(baseline, canary, ask).z;
                EXPECT_NEAR(z, number(outputs.at("z")), package_tolerance * (1 + std::abs(z)));
            }
        } else if (package == "rational") {
            ask.method = MannWhitneyMethod::exact;
            ask.alternative = Alternative::less;
            check_p("p_less");
            ask.alternative = Alternative::greater;
            check_p("p_greater");
            ask.alternative = Alternative::two_sided;
            check_p("p_two_sided_doubled");
            EXPECT_EQ(mann_whitney(baseline, canary, ask).u, number(outputs.at("U")));
        } else {
            ADD_FAILURE() << "unknown package";
        }
    }
    EXPECT_GT(compared, 1000);
}

// ---- brute force: every arrangement of every tie pattern

struct Enumerated {
    double at_most = 0;
    double at_least = 0;
    double mean_of_third = 0;  // central moments of U
    double mean_of_fourth = 0;
    double variance = 0;
};

std::int64_t count_twice_u(const std::vector<double>& baseline, const std::vector<double>& canary) {
    std::int64_t twice_u = 0;
    for (const double x : canary) {
        for (const double y : baseline) twice_u += x > y ? 2 : (x == y ? 1 : 0);
    }
    return twice_u;
}

/// All tie patterns of N values: every composition of N into group sizes.
std::vector<std::vector<double>> patterns_of(int total) {
    std::vector<std::vector<double>> patterns;
    for (unsigned cuts = 0; cuts < (1U << (total - 1)); ++cuts) {
        std::vector<double> pool{0};
        for (int i = 0; i + 1 < total; ++i) pool.push_back(pool.back() + ((cuts >> i) & 1U));
        patterns.push_back(pool);
    }
    return patterns;
}

TEST(MannWhitneyExact, equals_enumeration_for_every_pattern_and_every_value) {
    // All sizes up to 5 and 5, every pattern of ties, every arrangement as the one that was seen.
    for (int m = 1; m <= 5; ++m) {
        for (int n = 1; n <= 5; ++n) {
            for (const auto& pool : patterns_of(m + n)) {
                std::vector<std::int64_t> every;  // 2U of every arrangement
                std::vector<std::pair<std::int64_t, unsigned>> distinct;
                for (unsigned chosen = 0; chosen < (1U << (m + n)); ++chosen) {
                    if (std::popcount(chosen) != m) continue;
                    std::vector<double> baseline, canary;
                    for (int i = 0; i < m + n; ++i) {
                        ((chosen >> i) & 1U ? canary : baseline).push_back(pool[static_cast<std::size_t>(i)]);
                    }
                    const auto twice_u = count_twice_u(baseline, canary);
                    every.push_back(twice_u);
                    distinct.emplace_back(twice_u, chosen);
                }
                std::sort(distinct.begin(), distinct.end());
                distinct.erase(std::unique(distinct.begin(), distinct.end(),
                                           [](const auto& a, const auto& b) { return a.first == b.first; }),
                               distinct.end());
                for (const auto& [twice_u, chosen] : distinct) {
                    std::vector<double> baseline, canary;
                    for (int i = 0; i < m + n; ++i) {
                        ((chosen >> i) & 1U ? canary : baseline).push_back(pool[static_cast<std::size_t>(i)]);
                    }
                    std::reverse(canary.begin(), canary.end());
                    const auto value = twice_u;
                    const double all = static_cast<double>(every.size());
                    const double at_most = static_cast<double>(std::count_if(every.begin(), every.end(),
                                                                             [&](auto u) { return u <= value; })) /
                                           all;
                    const double at_least = static_cast<double>(std::count_if(every.begin(), every.end(),
                                                                              [&](auto u) { return u >= value; })) /
                                            all;
                    MannWhitneyOptions ask{.alternative = Alternative::less, .method = MannWhitneyMethod::exact};
                    // Counts are small whole numbers: only the division, and 1 - p of the longer tail, round.
                    const double rounding = 4e-16;
                    ASSERT_NEAR(mann_whitney(baseline, canary, ask).p_value, at_most, rounding);
                    ask.alternative = Alternative::greater;
                    ASSERT_NEAR(mann_whitney(baseline, canary, ask).p_value, at_least, rounding);
                    ask.alternative = Alternative::two_sided;
                    const MannWhitneyResult result = mann_whitney(baseline, canary, ask);
                    ASSERT_NEAR(result.p_value, std::min(1.0, 2 * std::min(at_most, at_least)), 2 * rounding);
                    ASSERT_EQ(result.u, static_cast<double>(twice_u) / 2);
                    ask.method = MannWhitneyMethod::automatic;
                    ASSERT_EQ(mann_whitney(baseline, canary, ask).p_value, result.p_value);
                    ASSERT_EQ(mann_whitney(baseline, canary, ask).method, MannWhitneyMethod::exact);
                }
            }
        }
    }
}

TEST(MannWhitneyExact, equals_enumeration_up_to_eight_a_side) {
    // Larger sizes: patterns drawn at random, the tails of a random arrangement.
    std::mt19937_64 random(7);
    for (int round = 0; round < 60; ++round) {
        const int m = 3 + static_cast<int>(random() % 6);
        const int n = 3 + static_cast<int>(random() % 6);
        const auto levels = 2 + random() % 12;
        std::vector<double> baseline, canary, pool;
        for (int i = 0; i < m; ++i) canary.push_back(static_cast<double>(random() % levels));
        for (int i = 0; i < n; ++i) baseline.push_back(static_cast<double>(random() % levels));
        pool = canary;
        pool.insert(pool.end(), baseline.begin(), baseline.end());
        const auto seen = count_twice_u(baseline, canary);
        double all = 0, at_most = 0, at_least = 0;
        for (unsigned chosen = 0; chosen < (1U << (m + n)); ++chosen) {
            if (std::popcount(chosen) != m) continue;
            std::int64_t twice_u = 0;
            for (int i = 0; i < m + n; ++i) {
                if (!((chosen >> i) & 1U)) continue;
                for (int j = 0; j < m + n; ++j) {
                    if ((chosen >> j) & 1U) continue;
                    const double x = pool[static_cast<std::size_t>(i)];
                    const double y = pool[static_cast<std::size_t>(j)];
                    twice_u += x > y ? 2 : (x == y ? 1 : 0);
                }
            }
            all += 1;
            at_most += twice_u <= seen ? 1 : 0;
            at_least += twice_u >= seen ? 1 : 0;
        }
        MannWhitneyOptions ask{.alternative = Alternative::less, .method = MannWhitneyMethod::exact};
        EXPECT_NEAR(mann_whitney(baseline, canary, ask).p_value, at_most / all, 4e-16);
        ask.alternative = Alternative::greater;
        EXPECT_NEAR(mann_whitney(baseline, canary, ask).p_value, at_least / all, 4e-16);
    }
}

TEST(MannWhitneyExact, does_not_depend_on_which_arm_is_which_where_a_peer_does) {
    // A pair on which another library gives 0.0952 one way round and 0.0571 the other; brute force gives 20/210.
    const std::vector<double> a{1, 2, 2, 3};
    const std::vector<double> b{2, 3, 3, 4, 5, 6};
    EXPECT_NEAR(mann_whitney(a, b).p_value, 20.0 / 210, 1e-15);
    EXPECT_EQ(bits(mann_whitney(a, b).p_value), bits(mann_whitney(b, a).p_value));
}

TEST(MannWhitneyExact, refuses_what_would_take_too_long) {
    std::vector<double> baseline(600), canary(600);
    for (int i = 0; i < 600; ++i) {
        baseline[static_cast<std::size_t>(i)] = 2 * i;
        canary[static_cast<std::size_t>(i)] = 2 * i + 1;
    }
    try {
        mann_whitney(baseline, canary, {.method = MannWhitneyMethod::exact});
        FAIL() << "nothing was raised";
    } catch (const serinus::Error& error) {
        EXPECT_EQ(error.code(), serinus::Code::argument_range);
        EXPECT_NE(std::string(error.what()).find("600 baseline and 600 canary"), std::string::npos) << error.what();
        EXPECT_NE(std::string(error.what()).find("4e9 additions"), std::string::npos) << error.what();
    }
    EXPECT_EQ(mann_whitney(baseline, canary).method, MannWhitneyMethod::edgeworth);
}

// ---- invariances

struct Pair {
    std::vector<double> baseline, canary;
};

/// Pairs of every sort: sizes from 1 to 300, with and without ties, zero-inflated, far apart, with infinities.
std::vector<Pair> assorted_pairs() {
    std::mt19937_64 random(20251122);
    std::normal_distribution<double> normal;
    std::vector<Pair> pairs;
    for (int round = 0; round < 300; ++round) {
        const std::size_t m = 1 + random() % (round % 3 == 0 ? 12 : round % 3 == 1 ? 60 : 300);
        const std::size_t n = round % 5 == 0 ? m : 1 + random() % (round % 3 == 0 ? 12 : 120);
        const auto kind = random() % 6;
        const auto draw = [&](double shift) {
            const double value = normal(random) + shift;
            switch (kind) {
                case 0: return std::floor(value);
                case 1: return std::floor(4 * value) / 4;
                case 2: return value < 0 ? 0.0 : value;
                case 3: return value > 2 ? infinity : value < -2 ? -infinity : value;
                default: return value;
            }
        };
        Pair pair;
        const double shift = kind == 5 ? 3.0 : 0.1 * static_cast<double>(random() % 8);
        for (std::size_t i = 0; i < m; ++i) pair.canary.push_back(draw(shift));
        for (std::size_t i = 0; i < n; ++i) pair.baseline.push_back(draw(0));
        pairs.push_back(pair);
    }
    return pairs;
}

bool cheap(const Pair& pair) { return pair.baseline.size() * pair.canary.size() < 2500; }

TEST(MannWhitneyProperties, exchanging_the_arms_exchanges_the_alternatives_to_the_bit) {
    for (const Pair& pair : assorted_pairs()) {
        for (const auto method : methods) {
            if (method == MannWhitneyMethod::exact && !cheap(pair)) continue;
            for (const bool continuity : {true, false}) {
                const auto greater =
                    mann_whitney(pair.baseline, pair.canary,
                                 {.continuity = continuity, .alternative = Alternative::greater, .method = method});
                const auto less =
                    mann_whitney(pair.canary, pair.baseline,
                                 {.continuity = continuity, .alternative = Alternative::less, .method = method});
                EXPECT_EQ(bits(greater.p_value), bits(less.p_value));
                EXPECT_EQ(greater.method, less.method);
                EXPECT_EQ(greater.u, static_cast<double>(pair.baseline.size() * pair.canary.size()) - less.u);
                EXPECT_EQ(greater.z, -less.z);
                EXPECT_EQ(greater.ties, less.ties);
                const auto one = mann_whitney(pair.baseline, pair.canary, {.continuity = continuity, .method = method});
                const auto other =
                    mann_whitney(pair.canary, pair.baseline, {.continuity = continuity, .method = method});
                EXPECT_EQ(bits(one.p_value), bits(other.p_value));
                EXPECT_GE(one.p_value, 0.0);
                EXPECT_LE(one.p_value, 1.0);
            }
        }
    }
}

TEST(MannWhitneyProperties, nothing_but_order_matters) {
    std::mt19937_64 random(3);
    const auto same = [](const MannWhitneyResult& a, const MannWhitneyResult& b) {
        EXPECT_EQ(bits(a.u), bits(b.u));
        EXPECT_EQ(bits(a.z), bits(b.z));
        EXPECT_EQ(bits(a.p_value), bits(b.p_value));
        EXPECT_EQ(bits(a.effect), bits(b.effect));
        EXPECT_EQ(a.ties, b.ties);
        EXPECT_EQ(a.method, b.method);
    };
    serinus::Workspace workspace;
    for (const Pair& pair : assorted_pairs()) {
        const auto expected = mann_whitney(pair.baseline, pair.canary);
        const auto with = [&](auto&& transform) {
            Pair changed = pair;
            for (double& value : changed.baseline) value = transform(value);
            for (double& value : changed.canary) value = transform(value);
            std::shuffle(changed.baseline.begin(), changed.baseline.end(), random);
            std::shuffle(changed.canary.begin(), changed.canary.end(), random);
            // The same workspace for all: results must not depend on what it held.
            same(mann_whitney(changed.baseline, changed.canary, {}, workspace), expected);
        };
        with([](double value) { return value; });
        with([](double value) { return value * 1024; });
        with([](double value) { return std::ldexp(value, -600); });
        with([](double value) { return std::cbrt(value) * std::abs(value) + 2 * value; });  // strictly increasing
        with([](double value) { return value == 0 ? -0.0 : value; });
    }
}

TEST(MannWhitneyProperties, a_larger_u_never_has_a_larger_p_value) {
    // Slide the canary upwards past every baseline value: by each method p(greater) must not grow.
    for (const auto method : methods) {
        for (const int size : {6, 25, 80}) {
            if (method == MannWhitneyMethod::exact && size > 25) continue;
            std::vector<double> baseline, canary;
            for (int i = 0; i < size; ++i) {
                baseline.push_back(i);
                canary.push_back(i - size - 0.5);
            }
            double last = 1;
            for (int step = 0; step <= 2 * size; ++step) {
                const double p =
                    mann_whitney(baseline, canary, {.alternative = Alternative::greater, .method = method}).p_value;
                EXPECT_LE(p, last) << serinus::word(method) << " size " << size << " step " << step;
                last = p;
                for (double& value : canary) value += 1;
            }
        }
    }
}

// ---- what is decided

TEST(MannWhitneyDecisions, the_alternative_is_about_the_canary) {
    const std::vector<double> baseline{1, 2, 3, 4};
    const std::vector<double> canary{11, 12, 13, 14};
    const auto result = mann_whitney(baseline, canary, {.alternative = Alternative::greater});
    EXPECT_EQ(result.u, 16);
    EXPECT_EQ(result.effect, 1);
    EXPECT_GT(result.z, 0);
    EXPECT_DOUBLE_EQ(result.p_value, 1.0 / 70);
    EXPECT_EQ(mann_whitney(baseline, canary, {.alternative = Alternative::less}).p_value, 1);
    EXPECT_EQ(result.method, MannWhitneyMethod::exact);
}

TEST(MannWhitneyDecisions, ties_are_the_values_equal_to_another_one) {
    EXPECT_EQ(mann_whitney(std::vector<double>{1, 1, 2, 5}, std::vector<double>{2, 2, 3, 4}).ties, 5);
    EXPECT_EQ(mann_whitney(std::vector<double>{1, 2}, std::vector<double>{3, 4}).ties, 0);
}

TEST(MannWhitneyDecisions, all_equal_is_degenerate) {
    for (const auto method : methods) {
        for (const auto alternative : alternatives) {
            const auto result = mann_whitney(std::vector<double>{7, 7, 7}, std::vector<double>{7, 7},
                                             {.alternative = alternative, .method = method});
            EXPECT_TRUE(result.degenerate);
            EXPECT_EQ(result.p_value, 1);
            EXPECT_EQ(result.z, 0);
            EXPECT_EQ(result.u, 3);
            EXPECT_EQ(result.effect, 0.5);
            EXPECT_EQ(result.ties, 5);
            EXPECT_NE(result.method, MannWhitneyMethod::automatic);
        }
    }
    EXPECT_FALSE(mann_whitney(std::vector<double>{7, 7, 7}, std::vector<double>{8, 8}).degenerate);
}

TEST(MannWhitneyDecisions, an_empty_arm_is_a_value) {
    for (const auto& [baseline, canary] : {std::pair{std::vector<double>{}, std::vector<double>{1, 2}},
                                           std::pair{std::vector<double>{1, 2}, std::vector<double>{nan}},
                                           std::pair{std::vector<double>{}, std::vector<double>{}}}) {
        const auto result = mann_whitney(baseline, canary);
        EXPECT_TRUE(result.degenerate);
        EXPECT_EQ(result.p_value, 1);
        EXPECT_TRUE(std::isnan(result.effect));
        EXPECT_EQ(result.n_baseline, static_cast<std::int64_t>(baseline.size()));
        EXPECT_EQ(result.n_canary, canary.size() == 2 ? 2 : 0);
    }
}

TEST(MannWhitneyDecisions, nan_is_dropped_or_refused) {
    const std::vector<double> baseline{1, nan, 2, 3, nan};
    const std::vector<double> canary{nan, 4, 5};
    const auto result = mann_whitney(baseline, canary);
    const auto clean = mann_whitney(std::vector<double>{1, 2, 3}, std::vector<double>{4, 5});
    EXPECT_EQ(result.n_baseline, 3);
    EXPECT_EQ(result.n_canary, 2);
    EXPECT_EQ(result.p_value, clean.p_value);
    EXPECT_EQ(result.u, 6);
    try {
        mann_whitney(clean.n_baseline ? std::vector<double>{1, 2} : baseline, canary,
                     {.nan_policy = serinus::NanPolicy::error});
        FAIL() << "nothing was raised";
    } catch (const serinus::Error& error) {
        EXPECT_EQ(error.code(), serinus::Code::argument_nan);
        EXPECT_NE(std::string(error.what()).find("canary[0]"), std::string::npos) << error.what();
    }
}

TEST(MannWhitneyDecisions, zeros_are_equal_and_infinities_rank) {
    EXPECT_EQ(mann_whitney(std::vector<double>{-0.0}, std::vector<double>{0.0}).u, 0.5);
    const auto result = mann_whitney(std::vector<double>{-infinity, 0, infinity}, std::vector<double>{1e308, infinity});
    EXPECT_EQ(result.u, 2 + 2.5);
    EXPECT_EQ(result.ties, 2);
    EXPECT_EQ(mann_whitney(std::vector<double>{0.0}, std::vector<double>{5e-324}).u, 1);
}

TEST(MannWhitneyDecisions, words_of_the_method) {
    EXPECT_EQ(serinus::word(MannWhitneyMethod::automatic), "auto");
    EXPECT_EQ(serinus::allowed_words<MannWhitneyMethod>(), "auto, exact, edgeworth, normal, saddlepoint, drawn");
}

// ---- the choice of the method, and the tails

TEST(MannWhitneyAutomatic, looks_at_this_pair_alone) {
    std::mt19937_64 random(5);
    std::normal_distribution<double> normal;
    const auto sample = [&](std::size_t size) {
        std::vector<double> values;
        for (std::size_t i = 0; i < size; ++i) values.push_back(normal(random));
        return values;
    };
    EXPECT_EQ(mann_whitney(sample(50), sample(50)).method, MannWhitneyMethod::exact);
    EXPECT_EQ(mann_whitney(sample(3), sample(5000)).method, MannWhitneyMethod::exact);
    EXPECT_EQ(mann_whitney(sample(200), sample(200)).method, MannWhitneyMethod::edgeworth);
    auto low = sample(1440);
    auto high = sample(1440);
    for (double& value : high) value += 20;
    const auto far = mann_whitney(low, high);
    EXPECT_EQ(far.method, MannWhitneyMethod::saddlepoint);
    EXPECT_LE(far.p_value, mann_whitney(low, high, {.method = MannWhitneyMethod::normal}).p_value);
    // Fully separated samples of medium size: the tail is short, so it is counted: 2 / C(200, 100).
    low.resize(100);
    high.resize(100);
    const auto separated = mann_whitney(low, high);
    EXPECT_EQ(separated.method, MannWhitneyMethod::exact);
    EXPECT_RELATIVE(separated.p_value, 2 / 9.0548514656103281e58, 1e-13);
}

TEST(MannWhitneySizes, ten_million_a_side_do_not_overflow) {
    // Baseline 0 .. n-1 and canary the same plus one half: U = n(n+1)/2; and the same with all values doubled up.
    const std::int64_t n = 10'000'000;
    std::vector<double> baseline(static_cast<std::size_t>(n)), canary(static_cast<std::size_t>(n));
    for (std::int64_t i = 0; i < n; ++i) {
        baseline[static_cast<std::size_t>(i)] = static_cast<double>(i);
        canary[static_cast<std::size_t>(i)] = static_cast<double>(i) + 0.5;
    }
    EXPECT_EQ(mann_whitney(baseline, canary).u, static_cast<double>(n * (n + 1) / 2));
    // Nearly constant: one canary value above 2n - 1 equal ones.
    std::fill(baseline.begin(), baseline.end(), 1.0);
    std::fill(canary.begin(), canary.end(), 1.0);
    canary[0] = 2;
    const auto result = mann_whitney(baseline, canary, {.continuity = false, .method = MannWhitneyMethod::normal});
    EXPECT_EQ(result.ties, 2 * n - 1);
    EXPECT_EQ(result.u, static_cast<double>(n) * static_cast<double>(n) / 2 + static_cast<double>(n) / 2);
    // The lone value lies in one arm or the other with equal chance, so U - mean is +-n/2 and z is 1: the difference of
    // N + 1 and T/(N(N-1)) in doubles would leave nine digits of it.
    EXPECT_NEAR(result.z, 1, 1e-15);
}

TEST(MannWhitneyReference, ranks_are_those_of_scipy) {
    const int seen = reference::for_each_pair(
        "rankdata", [&](const auto& one, const std::vector<double>& baseline, const std::vector<double>& canary) {
            const auto m = static_cast<double>(canary.size()), total = m + static_cast<double>(baseline.size());
            const auto found = mann_whitney(baseline, canary);
            EXPECT_EQ(found.u + m * (m + 1) / 2, number(one["outputs"]["sum_ranks_x"]));
            std::vector<double> x = canary, y = baseline;
            for (std::vector<double>* arm : {&x, &y}) {
                for (double& value : *arm) value += 0.0;
                serinus::sort_ascending(*arm);
            }
            const double left = serinus::compare_ranks(x, y).tie_term.remainder(static_cast<std::int64_t>(total));
            reference::expect_close(left / (total * total * total - total), number(one["outputs"]["tie_correction"]),
                                    1e-12);
        });
    EXPECT_GE(seen, 40);
}

TEST(MannWhitneySizes, hold_by_every_method_with_and_without_ties) {
    std::mt19937_64 random(101);
    for (const double unit : {0.0, 0.5, 2.0}) {
        std::array<support::Share, 3> rejected;
        for (int round = 0; round < 4000; ++round) {
            std::vector<double> b = support::normal(30, 0, 1, random), c = support::normal(45, 0, 1, random);
            if (unit > 0) {
                for (std::vector<double>* arm : {&b, &c})
                    for (double& value : *arm) value = std::round(value / unit);
            }
            rejected[0].add(mann_whitney(b, c).p_value <= 0.05);
            rejected[1].add(mann_whitney(b, c, {.method = MannWhitneyMethod::edgeworth}).p_value <= 0.05);
            rejected[2].add(mann_whitney(b, c, {.method = MannWhitneyMethod::normal}).p_value <= 0.05);
        }
        // The Edgeworth expansion is no exact test: off by less than 0.001 at such sizes, more with three values.
        rejected[0].expect_size();
        rejected[1].expect_size(unit > 1 ? 0.005 : 0.001);
        rejected[2].expect_size();
    }
}

}  // namespace
