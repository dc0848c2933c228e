#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <fstream>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <serinus/sequential/detail/conditional_mixture.hpp>

#include "support/data_dir.hpp"

namespace serinus::sequential {
namespace {

nlohmann::json reference() {
    std::ifstream file(data_dir() + "/reference/sequential/conditional_mixture.json");
    return nlohmann::json::parse(file);
}

TEST(ConditionalMixture, AgreesWithFortyDigitArithmetic) {
    int cases = 0;
    const nlohmann::json document = reference();
    for (const auto& c : document.at("cases")) {
        for (const PriorShape shape : {PriorShape::flat, PriorShape::half_normal}) {
            const double ratio = c.at("ratio");
            ConditionalMixture harm(ratio, +1, shape), safe(ratio, -1, shape);
            double size = 1;
            for (const auto& row : c.at("counts")) {
                harm.update(row[0], row[1], row[2], row[3], c.at("dispersion"));
                safe.update(row[0], row[1], row[2], row[3], c.at("dispersion"));
                size += row[0].get<double>() + row[2].get<double>();
            }
            // Sums of terms as large as the number of events are rounded at each step: 1e-15 of them, not of the
            // result.
            const double tolerance = 1e-12 + 4e-16 * size;
            const std::string of = shape == PriorShape::flat ? "" : "_half_normal";
            EXPECT_NEAR(harm.log_e_value(), c.at("harm" + of).get<double>(), tolerance) << c.at("name");
            EXPECT_NEAR(safe.log_e_value(), c.at("safe" + of).get<double>(), tolerance) << c.at("name");
        }
        ++cases;
    }
    EXPECT_GE(cases, 25);
}

double binomial(int n, int k, double p) {
    return std::exp(std::lgamma(n + 1.0) - std::lgamma(k + 1.0) - std::lgamma(n - k + 1.0)) * std::pow(p, k) *
           std::pow(1 - p, n - k);
}

// The proof, by enumeration: the expected e-value of a batch is at most 1 at and inside the null, for every rate.
TEST(ConditionalMixture, ExpectedValueIsAtMostOneUnderTheNull) {
    for (const double ratio : {1.0, 1.5, 3.0}) {
        for (const auto& [n_b, n_c] : {std::pair{3, 3}, {12, 2}, {2, 9}, {20, 20}}) {
            for (const double p_b : {0.01, 0.1, 0.3, 0.33}) {
                for (const double inside : {1.0, 0.7}) {
                    const double p_c = p_b * ratio;
                    double harm = 0, safe = 0;
                    for (int x_b = 0; x_b <= n_b; ++x_b) {
                        for (int x_c = 0; x_c <= n_c; ++x_c) {
                            ConditionalMixture above(ratio, +1), below(ratio, -1);
                            above.update(x_b, n_b, x_c, n_c, 1);
                            below.update(x_b, n_b, x_c, n_c, 1);
                            harm += binomial(n_b, x_b, p_b) * binomial(n_c, x_c, p_c * inside) *
                                    std::exp(above.log_e_value());
                            safe += binomial(n_b, x_b, p_b * inside) * binomial(n_c, x_c, p_c) *
                                    std::exp(below.log_e_value());
                        }
                    }
                    EXPECT_LE(harm, 1 + 1e-12) << ratio << ' ' << n_b << ':' << n_c << ' ' << p_b;
                    EXPECT_LE(safe, 1 + 1e-12) << ratio << ' ' << n_b << ':' << n_c << ' ' << p_b;
                }
            }
        }
    }
}

TEST(ConditionalMixture, AddedStartsAreTheSumOfSeparateProcesses) {
    const std::vector<std::array<double, 4>> data{{3, 100, 1, 90}, {2, 80, 4, 100}, {0, 50, 2, 60}, {5, 300, 3, 40}};
    ConditionalMixture together(1.2, +1);
    together.rescale(0.5);
    std::vector<ConditionalMixture> apart{ConditionalMixture(1.2, +1)};
    std::vector<double> weight{0.5};
    for (std::size_t i = 0; i < data.size(); ++i) {
        if (i == 1 || i == 3) {
            const double w = 0.1 * static_cast<double>(i);
            together.add_start(w);
            apart.emplace_back(1.2, +1);
            weight.push_back(w);
        }
        together.update(data[i][0], data[i][1], data[i][2], data[i][3], 1);
        double sum = 0;
        for (std::size_t k = 0; k < apart.size(); ++k) {
            apart[k].update(data[i][0], data[i][1], data[i][2], data[i][3], 1);
            sum += weight[k] * std::exp(apart[k].log_e_value());
        }
        EXPECT_NEAR(together.log_e_value(), std::log(sum), 1e-13);
    }
}

/// What an interval's factor at a level is made of, written down anew: the two shares that a node bets on, in long
/// double, and how far below the exact logarithm the code may lie.
struct LevelFactor {
    /// Of a node delta; `level` is the baseline's share on the margin.
    LevelFactor(double level, double ratio, double n_b, double n_c, double delta) {
        const long double p = level, q = ratio * level;
        // The line of pairs whose projection is (p, q): n_b (t_b - p)/(1 - p) + n_c (t_c - q)/(1 - q) = 0.
        const long double a = n_b / (1 - p), b = ratio * n_c / (1 - q);
        const long double e = std::expm1(static_cast<long double>(delta));
        long double by = e / (1 + b / (a + b) * e);  // t_c/t_b is e^delta times the margin
        if (std::max(p, q) > 1.0L / 32) {
            // Odds, to first order.
            const long double u = p / (1 - p) * b / (a + b), v = q / (1 - q) * a / (a + b);
            by = e / (1 + u + v + (b / (a + b) + v) * e);
        }
        share_b = p * (1 - b / (a + b) * by);
        share_c = q * (1 + a / (a + b) * by);
        bad_b = std::log1p((share_b - p) / p);
        bad_c = std::log1p((share_c - q) / q);
        good_b = std::log1p((p - share_b) / (1 - p));
        good_c = std::log1p((q - share_c) / (1 - q));
    }
    long double log(double x_b, double n_b, double x_c, double n_c) const {
        return x_b * bad_b + (n_b - x_b) * good_b + x_c * bad_c + (n_c - x_c) * good_c;
    }
    /// 7e-6 of z^2/2 of each request.
    long double loss(double x_b, double n_b, double x_c, double n_c) const {
        const auto square = [](long double log) { return std::expm1(log) * std::expm1(log); };
        return 3.5e-6L * (x_b * square(bad_b) + (n_b - x_b) * square(good_b) + x_c * square(bad_c) +
                          (n_c - x_c) * square(good_c));
    }
    long double share_b, share_c, bad_b, bad_c, good_b, good_c;
};

/// One of many: sizes from 1 to `most_requests`, a level of .01 % to 99.99 % from few or many requests, a margin, a
/// direction.
struct LevelCase {
    LevelCase(std::mt19937_64& random, double most_requests) {
        const auto uniform = [&] { return std::uniform_real_distribution<double>(0, 1)(random); };
        const auto size = [&] { return std::floor(std::exp(uniform() * std::log(most_requests + 0.999))); };
        n_b = size();
        n_c = size();
        ratio = std::array{1.0, 1.0, 1.2, 1.5, 3.0, 20.0}[random() % 6];
        beyond = random() % 2 == 0 ? +1 : -1;
        before.n_b = std::floor(std::exp(12 * uniform()));
        before.n_c = std::floor(std::exp(12 * uniform()));
        const double share = random() % 3 == 0 ? std::exp(-9 * uniform()) : uniform();
        before.events = std::max(1.0, std::floor(share * (before.n_b + before.n_c)));
    }
    /// The log factor of each node.
    std::array<double, ConditionalMixture::size> log_factor(double x_b, double x_c) const {
        ConditionalMixture mixture(ratio, beyond);
        std::array<double, ConditionalMixture::size> factor;
        for (std::size_t j = 0; j < factor.size(); ++j) factor[j] = -mixture.log_mass()[j];
        mixture.update(x_b, n_b, x_c, n_c, 1, before);
        for (std::size_t j = 0; j < factor.size(); ++j) factor[j] += mixture.log_mass()[j];
        return factor;
    }
    double n_b, n_c, ratio;
    int beyond;
    SharedLevel before;
};

TEST(SharedLevel, FactorIsTheLikelihoodRatioOfTwoPossibleShares) {
    const AnchoredPrior prior;
    std::mt19937_64 random(31);
    int by_odds = 0;
    for (int i = 0; i < 3000; ++i) {
        const LevelCase one(random, 1e6);
        const double x_b = std::floor(std::uniform_real_distribution<double>(0, one.n_b + 0.999)(random));
        const double x_c = std::floor(std::uniform_real_distribution<double>(0, one.n_c + 0.999)(random));
        const double level = one.before.share(one.ratio);
        ASSERT_GT(level, 0);
        ASSERT_LT(level * one.ratio, 1);
        const bool odds = level * one.ratio > 1.0 / 32;
        by_odds += odds;
        const auto factor = one.log_factor(x_b, x_c);
        for (std::size_t j = 0; j < factor.size(); ++j) {
            // Where odds are bet on the nodes from the 21st share their s: three, three, three and four.
            std::size_t first = j, last = j;
            if (odds && j >= 20) {
                first = 20 + 3 * std::min<std::size_t>((j - 20) / 3, 3);
                last = first == 29 ? 32 : first + 2;
            }
            const double distance =
                first == last ? prior.distance[j] : std::sqrt(prior.distance[first] * prior.distance[last]);
            const LevelFactor exact(level, one.ratio, one.n_b, one.n_c, one.beyond * distance);
            ASSERT_TRUE(exact.share_b > 0 && exact.share_b < 1 && exact.share_c > 0 && exact.share_c < 1);
            const double expected = static_cast<double>(exact.log(x_b, one.n_b, x_c, one.n_c));
            // Rounding: sums of terms as large as the sizes times a logarithm, whose argument may be as small as 1/20,
            // so that it is known to 20 times 1e-16; and 1 - r0 p is known to 1e-16 of 1.
            const double size =
                static_cast<double>((one.n_b + one.n_c) * (std::fabs(exact.bad_b) + std::fabs(exact.bad_c) +
                                                           std::fabs(exact.good_b) + std::fabs(exact.good_c)));
            const double tolerance = 1e-12 + 3e-15 * size / (1 - one.ratio * level);
            ASSERT_LE(factor[j], expected + tolerance) << i << ' ' << j << ' ' << level << ' ';
            ASSERT_GE(factor[j], expected - tolerance - static_cast<double>(exact.loss(x_b, one.n_b, x_c, one.n_c)))
                << i << ' ' << j << ' ' << level;
        }
    }
    EXPECT_GT(by_odds, 1000);
    EXPECT_LT(by_odds, 2900);
}

// The proof, by enumeration: the mean of every node's factor, over all outcomes of both binomials, at and inside the
// null, whatever the level was thought to be.
TEST(SharedLevel, MeanOfAFactorIsAtMostOneUnderTheNull) {
    std::mt19937_64 random(32);
    const auto uniform = [&] { return std::uniform_real_distribution<double>(0, 1)(random); };
    double largest = 0, at_the_level = 0;
    for (int i = 0; i < 3000; ++i) {
        const LevelCase one(random, 24);
        const int n_b = static_cast<int>(one.n_b), n_c = static_cast<int>(one.n_c);
        // The logarithm is a sum over requests, so that a mean is a product of two; which is checked.
        const auto none = one.log_factor(0, 0), all_b = one.log_factor(n_b, 0), all_c = one.log_factor(0, n_c);
        std::vector<std::array<double, ConditionalMixture::size>> of_b, of_c;
        for (int x = 0; x <= n_b; ++x) of_b.push_back(one.log_factor(x, 0));
        for (int x = 0; x <= n_c; ++x) of_c.push_back(one.log_factor(0, x));
        const int x_b = n_b / 2, x_c = (n_c + 1) / 2;
        const auto both = one.log_factor(x_b, x_c);
        const auto at = [](const auto& numbers, int index) { return numbers[static_cast<std::size_t>(index)]; };
        for (std::size_t j = 0; j < both.size(); ++j) {
            ASSERT_NEAR(both[j], at(of_b, x_b)[j] + at(of_c, x_c)[j] - none[j], 1e-11);
            ASSERT_NEAR(at(of_b, x_b)[j], none[j] + x_b * (all_b[j] - none[j]) / n_b, 1e-11);
            ASSERT_NEAR(at(of_c, x_c)[j], none[j] + x_c * (all_c[j] - none[j]) / n_c, 1e-11);
        }
        for (int pair = 0; pair < 40; ++pair) {
            // The first is where the level was thought to be, the next ones are near; others lie anywhere, three fifths
            // of them on the edge.
            const double level = one.before.share(one.ratio);
            double p_b = pair == 0 ? level : pair < 5 ? level * (0.9 + 0.2 * uniform()) : uniform();
            if (one.beyond < 0 || pair < 5) p_b = std::min(p_b, 1 / one.ratio);
            double p_c = std::min(1.0, one.ratio * p_b);
            if (pair > 0 && uniform() < 0.4) p_c = one.beyond > 0 ? p_c * uniform() : p_c + (1 - p_c) * uniform();
            for (std::size_t j = 0; j < both.size(); ++j) {
                double mean_b = 0, mean_c = 0;
                for (int x = 0; x <= n_b; ++x) mean_b += binomial(n_b, x, p_b) * std::exp(at(of_b, x)[j] - none[j]);
                for (int x = 0; x <= n_c; ++x) mean_c += binomial(n_c, x, p_c) * std::exp(at(of_c, x)[j]);
                const double mean = mean_b * mean_c;
                largest = std::max(largest, mean);
                if (pair == 0) at_the_level = std::max(at_the_level, 1 - mean);
                // 50 terms of 1e-15 and the gamma functions' 1e-14.
                ASSERT_LE(mean, 1 + 1e-12) << i << ' ' << j << ' ' << p_b << ' ' << p_c;
                if (j % 4 == 0 && pair > 5) j += 3;  // (All of them where the mean is 1, every fourth elsewhere.)
            }
        }
    }
    EXPECT_GT(largest, 1 - 1e-6);
}

// Rare events say nothing of a level: the factor is then what it was without one.
TEST(SharedLevel, OfRareEventsIsTheConditionalFactor) {
    for (const double ratio : {1.0, 1.5, 20.0}) {
        for (const int beyond : {+1, -1}) {
            ConditionalMixture with(ratio, beyond), without(ratio, beyond);
            SharedLevel level;
            level.add(11, 9e11, 1e11);
            for (int i = 0; i < 30; ++i) {
                with.update(7 + i % 3, 9e11, 1 + i % 4, 1e11, 1, level);
                without.update(7 + i % 3, 9e11, 1 + i % 4, 1e11, 1);
                // What the polynomial leaves out, of 10 events.
                ASSERT_NEAR(with.log_e_value(), without.log_e_value(), 1e-5);
            }
        }
    }
}

TEST(SharedLevel, ForgetsAndStaysBelowOne) {
    SharedLevel level;
    EXPECT_TRUE(level.empty());
    level.add(30, 50, 50);
    EXPECT_NEAR(level.share(1), 30.18 / 100.36, 1e-15);
    EXPECT_NEAR(level.share(3), 30.18 / 200.36, 1e-15);
    for (int i = 0; i < 20; ++i) level.add(0, 0, 0);
    EXPECT_NEAR(level.events, 15, 1e-13);
    EXPECT_NEAR(level.n_b, 25, 1e-13);
    constexpr double most = 0x1p53;
    for (int i = 0; i < 100; ++i) level.add(2 * most, most, most);
    for (const double ratio : {1.0, 1.5, 1000.0}) {
        EXPECT_LT(level.share(ratio) * ratio, 1);
        EXPECT_GT(level.share(ratio) * ratio, 0.99);
        ConditionalMixture up(ratio, +1), down(ratio, -1);
        for (const double x_b : {0.0, 1.0, most}) {
            for (const double x_c : {0.0, most}) {
                up.update(x_b, most, x_c, most, 1, level);
                down.update(x_b, most, x_c, most, 1, level);
                up.update(std::min(x_b, 1.0), 1, x_c, most, 1, level);
                down.update(x_b, most, std::min(x_c, 1.0), 1, 1, level);
                EXPECT_TRUE(std::isfinite(up.log_e_value()) && std::isfinite(down.log_e_value()));
            }
        }
    }
}

}  // namespace
}  // namespace serinus::sequential
