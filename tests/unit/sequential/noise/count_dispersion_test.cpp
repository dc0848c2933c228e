#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/sequential/noise/count_dispersion.hpp>

#include "support/code_of.hpp"

namespace serinus::sequential {
namespace {

// E alpha^(k chi^2/nu) = alpha, by Simpson's rule over the chi-square density; nu as the factor uses it.
TEST(DispersionFactor, KeepsTheErrorRateOnAverage) {
    for (const double alpha : {0.05, 0.01, 0.001}) {
        for (const double freedom : {4.0, 10.0, 50.0, 400.0}) {
            const double k = dispersion_factor(freedom, alpha), nu = freedom / (1 + 3 / std::sqrt(freedom));
            const double lambda = -std::log(alpha);
            // In u = x^(1/2) nothing has a pole at 0: the density is u^(nu - 1) exp(-u^2/2) up to a constant.
            const double last = std::sqrt(nu) + 12;
            const int steps = 20000;
            double weighted = 0, total = 0;
            for (int i = 1; i <= steps; ++i) {
                const double u = last * i / steps, weight = i == steps ? 1 : i % 2 == 1 ? 4 : 2;
                const double density = weight * std::exp((nu - 1) * std::log(u * u / nu) / 2 - (u * u - nu) / 2);
                weighted += density * std::exp(-lambda * k * u * u / nu);
                total += density;
            }
            EXPECT_NEAR(weighted / total, alpha, 1e-3 * alpha) << alpha << ' ' << freedom;  // Simpson's rule near 0
        }
    }
}

TEST(DispersionFactor, FallsToOneAndIsNeverBelow) {
    for (const double alpha : {0.2, 0.05, 1e-6}) {
        double before = std::numeric_limits<double>::infinity();
        for (double freedom = 0.01; freedom < 1e9; freedom *= 1.5) {
            const double k = dispersion_factor(freedom, alpha);
            EXPECT_LE(k, before);
            EXPECT_GE(k, 1);
            EXPECT_LE(k, dispersion_factor(freedom, alpha / 2));
            before = k;
        }
        EXPECT_NEAR(before, 1, 1e-6);
    }
    for (const double nothing : {0.0, -1.0, std::nan("")}) EXPECT_EQ(dispersion_factor(nothing, 0.05), 1e6);
    EXPECT_NEAR(dispersion_factor(113, 0.05), 1.03, 0.01);  // as documented
    EXPECT_NEAR(dispersion_factor(10, 0.05), 1.9, 0.01);
}

TEST(CountDispersion, FindsWhatThereIs) {
    // Gamma-mixed Poisson counts of variance 5 times their mean, in both arms; a common swing is no dispersion.
    std::mt19937_64 random(8);
    for (const double phi : {1.0, 5.0}) {
        CountDispersion history;
        for (int i = 0; i < 4000; ++i) {
            const double level = 20 * (1 + 0.8 * std::sin(i / 40.0));
            const auto draw = [&](double mean) {
                if (phi > 1) mean = std::gamma_distribution<double>(mean / (phi - 1), phi - 1)(random);
                return static_cast<double>(std::poisson_distribution<std::int64_t>(mean)(random));
            };
            const double b = draw(9 * level), c = draw(level);
            history.add(b, 9, c, 1);
        }
        const LearnedDispersion found = history.learned();
        // The variance of a dispersion from 4,000 intervals is about 2 phi^2/4,000; 5 standard errors.
        EXPECT_NEAR(found.variance_ratio, phi, 0.12 * phi);
        EXPECT_GE(history.phi(), found.variance_ratio);
        EXPECT_GE(history.phi(0.001), history.phi());
        EXPECT_LE(history.phi(), 1.02 * std::max(1.0, found.variance_ratio));
        EXPECT_GT(found.degrees_of_freedom, 1500);
        EXPECT_LE(found.degrees_of_freedom, 4000);
        EXPECT_EQ(history.residuals().size(), 4000U);
    }
}

TEST(CountDispersion, FewBunchesAreLittleKnown) {
    CountDispersion few;
    EXPECT_EQ(few.phi(), 2);
    few.add(3, 10, 1, 10);
    few.add(3, 0, 1, 10);
    EXPECT_GT(few.phi(), 100);  // one residual bounds nothing
    EXPECT_EQ(few.events(), 4);
    // Ten bunches of about one size are worth twenty normal residuals.
    CountDispersion bunches;
    for (int i = 0; i < 1000; ++i)
        bunches.add(i % 200 == 50 ? 10 + i / 200 : 0, 1, i % 200 == 150 ? 10 + i / 200 : 0, 1);
    const LearnedDispersion found = bunches.learned();
    EXPECT_NEAR(found.degrees_of_freedom, 20, 3);
    EXPECT_GT(bunches.phi(0.05), 1.3 * found.variance_ratio);
    EXPECT_GT(bunches.phi(0.01), 1.5 * found.variance_ratio);
}

// Independent residuals are not taken for dependent ones; lasting and slow ones are.
TEST(CountDispersion, DependenceCountsWhereItShows) {
    std::mt19937_64 random(9);
    double independent = 0, bursts = 0, drifting = 0;
    const int runs = 200;
    for (int run = 0; run < runs; ++run) {
        CountDispersion a, b, c;
        double low = 0, level = 20;
        for (int i = 0; i < 1000; ++i) {
            const auto draw = [&](double mean) {
                return static_cast<double>(std::poisson_distribution<std::int64_t>(mean)(random));
            };
            a.add(draw(20), 1, draw(20), 1);
            if (i % 5 == 0) level = std::gamma_distribution<double>(20, 1)(random);  // variance of five: 1 + 5
            b.add(draw(20), 1, draw(level), 1);
            low = 0.98 * low + std::sqrt(1 - 0.98 * 0.98) * std::normal_distribution<double>()(random);
            c.add(draw(20), 1, draw(20 * std::exp(0.1 * low)), 1);  // (2/20 + 0.01 99)/(2/20) = 11 in the long run
        }
        independent += a.learned().variance_ratio / runs;
        bursts += b.learned().variance_ratio / runs;
        drifting += c.learned().variance_ratio / runs;
    }
    EXPECT_NEAR(independent, 1, 0.1);  // the minimum rule alone: 1.15
    // 3.5: half of the residuals' variance is the baseline's, which has no bursts. The minimum rule takes a burst of
    // five for the beginning of a longer one.
    EXPECT_GT(bursts, 3.5);
    EXPECT_LT(bursts, 5.5);
    EXPECT_GT(drifting, 4);
}

/// Residual-like counts whose canary's rate is `swing(i)` times the baseline's.
template <class Swing>
CountDispersion swinging(int size, std::uint64_t seed, Swing&& swing) {
    std::mt19937_64 random(seed);
    const auto draw = [&](double mean) {
        return static_cast<double>(std::poisson_distribution<std::int64_t>(mean)(random));
    };
    CountDispersion history;
    for (int i = 0; i < size; ++i) history.add(draw(90), 9, draw(10 * swing(i)), 1);
    return history;
}

// Twelve swings have twelve degrees of freedom, fewer where history is short for the rollout.
TEST(CountDispersion, SlowSwingsKnowAsMuchAsThereAreOfThem) {
    const CountDispersion history =
        swinging(2000, 11, [](int i) { return 1 + 0.3 * std::sin(2 * 3.14159265358979 * i / 1500 + 1); });
    const LearnedDispersion found = history.learned();
    for (const auto& [intervals, used] :
         {std::pair{100.0, 12}, {300.0, 12}, {1000.0, 4}, {2000.0, 2}, {2001.0, 1}, {1e9, 1}}) {
        double mean = 0;
        for (int i = 0; i < used; ++i) mean += found.slow[static_cast<std::size_t>(i)] / used;
        for (const double alpha : {0.05, 0.01, 0.001}) {
            const double x = -2 * std::log(alpha) / used;
            EXPECT_GE(history.phi(alpha, intervals), mean * std::expm1(x) / x * (1 - 1e-12)) << intervals;
        }
    }
    EXPECT_EQ(history.phi(0.05), history.phi(0.05, 300));
    EXPECT_GE(history.phi(0.01, 1000), history.phi(0.01, 300));
    EXPECT_EQ(found.size, 2000);
}

// Where history is long enough, independent counts are mostly taken for what they are; where it is short they are not.
TEST(CountDispersion, ShortHistoriesDecideLittle) {
    int raised = 0;
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
        raised += swinging(2000, seed, [](int) { return 1; }).phi(0.05) > 1.15;
        EXPECT_GE(swinging(200, seed, [](int) { return 1; }).phi(0.05, 20), 1);
    }
    EXPECT_LT(raised, 36);  // a fifth and four standard errors
    double longer = 0, brief = 0;
    for (std::uint64_t seed = 0; seed < 40; ++seed) {
        longer += swinging(500, seed, [](int) { return 1; }).phi(0.05, 100) / 40;
        brief += swinging(500, seed, [](int) { return 1; }).phi(0.05, 500) / 40;
    }
    EXPECT_LT(longer, 1.6);
    EXPECT_GT(brief, 3);
}

// Arms that differ all the time vary by no swing at all, and yet a rollout would see it.
TEST(CountDispersion, WhatArmsDifferByThroughoutCounts) {
    const CountDispersion history = swinging(2000, 12, [](int) { return 1.3; });
    EXPECT_LT(history.learned().single_ratio, 2.5);
    EXPECT_GT(history.phi(0.05), 10);
}

TEST(ShareDispersion, FindsWhatThereIs) {
    std::mt19937_64 random(10);
    for (const double q : {0.5, 0.95}) {
        ShareDispersion plain(q), bursts(q);
        for (int i = 0; i < 3000; ++i) {
            constexpr int n = 50;
            const auto draw = [&](double p) {
                return static_cast<double>(std::binomial_distribution<int>(n, p)(random));
            };
            plain.add(draw(q), n);
            const double k = (n - 1) / 4.0 - 1;  // phi = 5
            const double a = std::gamma_distribution<double>(q * k)(random);
            const double b = std::gamma_distribution<double>((1 - q) * k)(random);
            bursts.add(draw(a / (a + b)), n);
        }
        EXPECT_NEAR(plain.learned().variance_ratio, 1, 0.13);
        EXPECT_NEAR(bursts.learned().variance_ratio, 5, 0.9);
        EXPECT_GE(bursts.phi(), bursts.learned().variance_ratio);
        EXPECT_GE(plain.phi(), 1);
        EXPECT_EQ(plain.residuals().size(), 3000U);
    }
    ShareDispersion none(0.5);
    none.add(0, 0);
    EXPECT_EQ(none.phi(), 1);
    EXPECT_TRUE(none.residuals().empty());
}

// Independent requests have a dispersion of 1 at every level; relative to p alone they would have 1 - p. The same
// counts against hours are what they were.
TEST(CountDispersion, SharesScatterByTheirBinomialVariance) {
    for (const double p : {0.01, 0.3, 0.7, 0.95}) {
        std::mt19937_64 random(61);
        std::binomial_distribution<int> b(300, p), c(100, p);
        CountDispersion requests, hours;
        for (int i = 0; i < 4000; ++i) {
            const double x_b = b(random), x_c = c(random);
            requests.add(x_b, 300, x_c, 100);
            hours.add(x_b, 30.5, x_c, 30.5 / 3);
        }
        // A variance from 4,000 normal values has a standard error of 2.2 %.
        EXPECT_NEAR(requests.learned().variance_ratio, 1, 0.09) << p;
        EXPECT_NEAR(hours.learned().variance_ratio, 1 - p, 0.09 * (1 - p)) << p;
        EXPECT_NEAR(requests.learned().degrees_of_freedom, hours.learned().degrees_of_freedom, 1e-6);
    }
    // A level that drifts, from 10 to 80 % and back.
    std::mt19937_64 random(62);
    CountDispersion drifting;
    for (int i = 0; i < 4000; ++i) {
        const double p = 0.45 + 0.35 * std::sin(i / 60.0);
        drifting.add(std::binomial_distribution<int>(300, p)(random), 300,
                     std::binomial_distribution<int>(100, p)(random), 100);
    }
    EXPECT_NEAR(drifting.learned().variance_ratio, 1, 0.09);
    // Bunches of ten at 1 %: an interval's own bunch is no level, and makes nothing more variable than it is.
    std::poisson_distribution<int> b(0.3), c(0.1);
    CountDispersion requests, hours;
    for (int i = 0; i < 4000; ++i) {
        const double x_b = 10 * b(random), x_c = 10 * c(random);
        requests.add(x_b, 300, x_c, 100);
        hours.add(x_b, 30.5, x_c, 30.5 / 3);
    }
    EXPECT_NEAR(requests.learned().variance_ratio / hours.learned().variance_ratio, 1 / 0.99, 0.003);
    CountDispersion all;
    for (int i = 0; i < 40; ++i) all.add(3, 3, 2, 2);
    EXPECT_EQ(all.phi(), 1);
}

TEST(CountDispersion, BadInputIsRefused) {
    CountDispersion history;
    EXPECT_EQ(code_of([&] { history.add(-1, 1, 1, 1); }), Code::argument_count);
    EXPECT_EQ(code_of([&] { history.add(1, 1, std::nan(""), 1); }), Code::argument_count);
    EXPECT_EQ(code_of([&] { history.add(1, std::nan(""), 1, 1); }), Code::argument_range);
    EXPECT_EQ(code_of([&] { history.add(1, 1, 1, -1); }), Code::argument_range);
    EXPECT_TRUE(history.residuals().empty());
    ShareDispersion share(0.5);
    EXPECT_EQ(code_of([&] { share.add(-1, 2); }), Code::argument_count);
    EXPECT_EQ(code_of([&] { share.add(3, 2); }), Code::argument_count);
    EXPECT_EQ(code_of([&] { share.add(1, std::numeric_limits<double>::infinity()); }), Code::argument_count);
    EXPECT_TRUE(share.residuals().empty());
    for (const double wrong : {0.0, 1.0, std::nan("")}) {
        EXPECT_EQ(code_of([&] { ShareDispersion dispersion(wrong); }), Code::argument_range);
        EXPECT_EQ(code_of([&] { (void)history.phi(wrong); }), Code::argument_range);
        EXPECT_EQ(code_of([&] { (void)share.phi(wrong); }), Code::argument_range);
        if (wrong < 1 || std::isnan(wrong)) {
            EXPECT_EQ(code_of([&] { (void)history.phi(0.05, wrong); }), Code::argument_range);
            EXPECT_EQ(code_of([&] { (void)share.phi(0.05, wrong); }), Code::argument_range);
        }
    }
}

}  // namespace
}  // namespace serinus::sequential
