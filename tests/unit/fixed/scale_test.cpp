// A change of unit by a power of two changes nothing but the unit, from the largest finite doubles down to the
// subnormals: squares of values may neither overflow nor vanish in any function of one look.

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/fixed/anderson_darling.hpp>
#include <serinus/fixed/block_bootstrap.hpp>
#include <serinus/fixed/brunner_munzel.hpp>
#include <serinus/fixed/cramer_von_mises.hpp>
#include <serinus/fixed/effect_size.hpp>
#include <serinus/fixed/effective_sample_size.hpp>
#include <serinus/fixed/hodges_lehmann.hpp>
#include <serinus/fixed/kolmogorov_smirnov.hpp>
#include <serinus/fixed/mann_whitney.hpp>
#include <serinus/fixed/paired.hpp>
#include <serinus/fixed/quantile_difference.hpp>
#include <serinus/fixed/ratio.hpp>
#include <serinus/fixed/robust_rank.hpp>
#include <serinus/fixed/rolling_mann_whitney.hpp>
#include <serinus/fixed/signed_rank.hpp>
#include <serinus/fixed/welch.hpp>
#include <serinus/fixed/yuen.hpp>
#include <serinus/sequential/noise/learn_paired_noise.hpp>
#include <serinus/sequential/noise/noise_bounds.hpp>
#include <serinus/sequential/noise/paired_noise.hpp>

namespace {

using namespace serinus;
using Values = std::vector<double>;

/// Multiples of 1/512 within (-2, 2): of these every scale below is exact, down to 2^-1065, where the smallest is the
/// smallest double there is.
Values draw(std::size_t n, std::uint64_t seed, double shift, bool positive = false) {
    std::mt19937_64 random(seed);
    std::normal_distribution<double> normal;
    Values values(n);
    double state = 0;
    for (double& value : values) {
        state = 0.3 * state + normal(random);
        const double wished = std::clamp(shift + 0.3 * state, -1.99, 1.99);
        value = std::round(512 * wished) / 512;
        if (positive) value = std::fabs(value) + 1.0 / 512;
    }
    return values;
}

Values scaled(Values values, int exponent) {
    for (double& value : values) value = std::ldexp(value, exponent);
    return values;
}

/// What a function says that has no unit, and what has one.
struct Said {
    Values plain, in_unit;
};

TEST(Scale, NothingButTheUnitChanges) {
    const Values b = draw(90, 1, 0), c = draw(60, 2, 0.12), d = draw(120, 3, 0.08);
    const Values parts = draw(90, 4, 0.7, true), whole = draw(90, 5, 1.2, true);
    const auto two = [&](auto test) {
        return [&b, &c, test](int exponent) {
            const Values y = scaled(b, exponent), x = scaled(c, exponent);
            return test(y, x, std::ldexp(1.0 / 32, exponent));
        };
    };
    const std::vector<std::pair<std::string, std::function<Said(int)>>> all{
        {"welch", two([](const Values& y, const Values& x, double by) {
             const auto r = welch(y, x, {.margin = {.difference = by}});
             return Said{{r.p_value, r.statistic, r.df}, {r.estimate, r.lower, r.upper}};
         })},
        {"yuen", two([](const Values& y, const Values& x, double by) {
             const auto r = yuen(y, x, {.trim = 0.1, .margin = {.difference = by}});
             return Said{{r.p_value, r.statistic, r.df}, {r.estimate, r.lower, r.upper}};
         })},
        {"mann_whitney", two([](const Values& y, const Values& x, double) {
             const auto r = mann_whitney(y, x);
             return Said{{r.p_value, r.u, r.effect}, {}};
         })},
        {"brunner_munzel", two([](const Values& y, const Values& x, double) {
             const auto r = brunner_munzel(y, x);
             return Said{{r.p_value, r.statistic}, {}};
         })},
        {"kolmogorov_smirnov", two([](const Values& y, const Values& x, double) {
             const auto r = kolmogorov_smirnov(y, x);
             return Said{{r.p_value, r.statistic}, {r.location}};
         })},
        {"cramer_von_mises", two([](const Values& y, const Values& x, double) {
             const auto r = cramer_von_mises(y, x);
             return Said{{r.p_value, r.statistic}, {}};
         })},
        {"anderson_darling", two([](const Values& y, const Values& x, double) {
             const auto r = anderson_darling(y, x);
             return Said{{r.p_value, r.statistic}, {}};
         })},
        {"effect_size", two([](const Values& y, const Values& x, double) {
             const auto r = effect_size(y, x);
             return Said{{r.effect, r.lower, r.upper}, {}};
         })},
        {"hodges_lehmann", two([](const Values& y, const Values& x, double) {
             const auto r = hodges_lehmann(y, x);
             return Said{{r.confidence}, {r.estimate, r.lower, r.upper}};
         })},
        {"quantile_difference", two([](const Values& y, const Values& x, double) {
             const auto r = quantile_difference(y, x, {.q = 0.5});
             return Said{{r.confidence}, {r.estimate, r.lower, r.upper}};
         })},
        {"harrell_davis", two([](const Values& y, const Values& x, double) {
             const auto r = quantile_difference(y, x, {.q = 0.5, .method = QuantileDifferenceMethod::harrell_davis});
             return Said{{r.confidence}, {r.estimate, r.lower, r.upper}};
         })},
        {"robust_rank_test", two([](const Values& y, const Values& x, double) {
             const auto r = robust_rank_test(y, x);
             return Said{{r.p_value, r.statistic, r.df, r.n_effective}, {}};
         })},
        {"rolling_mann_whitney", two([](const Values& y, const Values& x, double) {
             RollingMannWhitney rolling(50);
             for (const double value : y) rolling.push_baseline(value);
             for (const double value : x) rolling.push_canary(value);
             return Said{{rolling.u(), rolling.effect()}, {}};
         })},
        {"paired_test",
         [&](int exponent) {
             const auto r =
                 paired_test(scaled(d, exponent), {.margin = {.difference = std::ldexp(1.0 / 32, exponent)}});
             return Said{{r.p_value, r.statistic, r.df, r.n_effective}, {r.estimate, r.lower, r.upper}};
         }},
        {"paired_test, cautious",
         [&](int exponent) {
             const auto r = paired_test(scaled(d, exponent), {.method = OneLook::cautious});
             return Said{{r.p_value, r.statistic, r.df, r.n_effective}, {r.estimate, r.lower, r.upper}};
         }},
        {"signed_rank",
         [&](int exponent) {
             const auto r = signed_rank(scaled(d, exponent));
             return Said{{r.p_value, r.statistic}, {r.estimate, r.lower, r.upper}};
         }},
        {"effective_sample_size",
         [&](int exponent) {
             const auto r = effective_sample_size(scaled(d, exponent));
             return Said{{r.n_effective, r.autocorrelation[0]}, {r.mean}};
         }},
        {"ratio_test, block_bootstrap",
         [&](int exponent) {
             const Values top_b = scaled(parts, exponent), bottom_b = scaled(whole, -exponent / 2);
             const Values top_c = scaled(whole, exponent), bottom_c = scaled(parts, -exponent / 2);
             const auto r = ratio_test({top_b, bottom_b}, {top_c, bottom_c},
                                       {.method = RatioTestMethod::block_bootstrap, .resamples = 200});
             return Said{{r.p_value, r.ratio, r.lower, r.upper}, {}};
         }},
        {"block_bootstrap",
         [&](int exponent) {
             const auto r = block_bootstrap(
                 scaled(d, exponent), [](std::span<const double> v) { return v[v.size() / 2]; }, {.resamples = 200});
             return Said{{r.block_length}, {r.estimate, r.lower, r.upper, r.standard_error}};
         }},
    };
    for (const auto& [name, function] : all) {
        const Said plain = function(0);
        ASSERT_FALSE(plain.plain.empty());
        for (const double value : plain.plain) EXPECT_TRUE(std::isfinite(value)) << name;
        for (const int exponent : {510, -510, 600, 1000, -1000, 1020, -1060}) {
            const std::string where = name + " at 2^" + std::to_string(exponent);
            const Said other = function(exponent);
            for (std::size_t i = 0; i < plain.plain.size(); ++i)
                EXPECT_DOUBLE_EQ(other.plain[i], plain.plain[i]) << where << ' ' << i;
            for (std::size_t i = 0; i < plain.in_unit.size(); ++i) {
                // What is finer than the smallest double, 2^-1074, is rounded to it.
                const double expected = std::ldexp(plain.in_unit[i], exponent);
                EXPECT_NEAR(other.in_unit[i], expected, 1e-13 * std::fabs(expected) + 0x1p-1073) << where << ' ' << i;
            }
        }
    }
}

TEST(Scale, RatioTestInAnyUnitOfEitherPart) {
    const Values parts = draw(90, 4, 0.7, true), whole = draw(90, 5, 1.2, true), other = draw(80, 6, 0.8, true),
                 all = draw(80, 7, 1.2, true);
    const auto plain = ratio_test({parts, whole}, {other, all});
    ASSERT_TRUE(plain.conclusive);
    for (const int top : {510, -510, 1000, -1000, 1020, -1060}) {
        for (const int bottom : {0, 510, -510, 1000, -1060}) {
            const Values a = scaled(parts, top), b = scaled(whole, bottom), c = scaled(other, top),
                         e = scaled(all, bottom);
            const auto found = ratio_test({a, b}, {c, e});
            EXPECT_TRUE(found.conclusive);
            EXPECT_DOUBLE_EQ(found.p_value, plain.p_value) << top << ' ' << bottom;
            EXPECT_DOUBLE_EQ(found.ratio, plain.ratio) << top << ' ' << bottom;
            EXPECT_DOUBLE_EQ(found.lower, plain.lower) << top << ' ' << bottom;
        }
    }
}

TEST(Scale, ANoiseFromHistoryInAnyUnit) {
    const Values history = draw(1000, 8, 0), d = draw(100, 9, 0.1);
    const auto known = [&](int exponent) {
        const std::vector<Values> series{scaled(history, exponent)};
        return sequential::paired_noise(series, std::ldexp(2.0, exponent), false);
    };
    const auto plain = paired_test(d, known(0));
    ASSERT_TRUE(plain.conclusive);
    for (const int exponent : {510, -510, 1000, -1000}) {
        const auto found = paired_test(scaled(d, exponent), known(exponent));
        EXPECT_DOUBLE_EQ(found.p_value, plain.p_value) << exponent;
        EXPECT_NEAR(std::ldexp(found.lower, -exponent), plain.lower, 1e-9);
    }
}

}  // namespace
