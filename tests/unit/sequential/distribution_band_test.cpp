#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/sequential/distribution_band.hpp>

#include "support/state_fixture.hpp"

namespace serinus::sequential {
namespace {

using Column = std::vector<double>;
constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

Column normals(std::size_t n, double mean, double deviation, unsigned seed) {
    std::mt19937_64 random(seed);
    std::normal_distribution<double> normal(mean, deviation);
    Column values(n);
    for (double& value : values) value = normal(random);
    return values;
}

std::string code_of(const std::function<void()>& call) {
    try {
        call();
    } catch (const Error& error) {
        return std::string(error.name());
    }
    return "none";
}

// The p-value inverts the sum of both widths: twice the error of each.
TEST(EmpiricalProcessPValue, InvertsTheWidths) {
    double last = 2;
    for (const double alpha : {0.4, 0.05, 0.01, 1e-6, 1e-12, 1e-200}) {
        const double gap = empirical_process_lil_bound(700, alpha, 50) + empirical_process_lil_bound(90, alpha, 50);
        const double p = empirical_process_p_value(gap, 700, 90, 50);
        EXPECT_NEAR(p, 2 * alpha, 2e-8 * alpha);  // the constant is found to 1e-13 of up to 500
        EXPECT_LT(p, last);
        last = p;
        EXPECT_EQ(empirical_process_p_value(gap, 700, 49, 50), 1);
    }
    EXPECT_EQ(empirical_process_p_value(0, 700, 90, 50), 1);
    EXPECT_EQ(empirical_process_p_value(1, 1e9, 1e9, 50), 2e-300);
}

TEST(DistributionBand, WidthIsThatOfHalfTheError) {
    DistributionBand band({.alpha = 0.02, .from_size = 50});
    band.update(normals(1000, 0, 1, 1), normals(49, 0, 1, 2));
    EXPECT_NEAR(band.half_width(Arm::baseline), empirical_process_lil_bound(1000, 0.01, 50), 1e-15);
    EXPECT_EQ(band.half_width(Arm::canary), infinity);
    band.update(Column{}, Column{0});
    EXPECT_NEAR(band.half_width(Arm::canary), empirical_process_lil_bound(50, 0.01, 50), 1e-15);
}

TEST(DistributionBand, GapIsTheLargestByDefinition) {
    for (unsigned turn = 0; turn < 30; ++turn) {
        Column b = normals(20 + turn, 0, 1, turn), c = normals(35 + turn, 0.4, 1, 100 + turn);
        if (turn % 2 == 0)
            for (Column* column : {&b, &c})
                for (double& v : *column) v = std::round(2 * v) / 2;
        for (const Harm harm : {Harm::increase, Harm::decrease, Harm::either}) {
            const double margin = turn % 3 == 0 ? 0.25 : 0;
            DistributionBand band({.harm = harm, .margin = {.ratio = {}, .difference = margin}, .from_size = 10});
            band.update(b, c);
            double gap = 0;
            for (const bool up : {true, false}) {
                if (harm == (up ? Harm::decrease : Harm::increase)) continue;
                Column points = b, moved = c;
                for (double& v : moved) v -= up ? margin : -margin;
                points.insert(points.end(), moved.begin(), moved.end());
                for (const double x : points) {
                    double i = 0, j = 0;
                    for (const double v : b) i += v <= x;
                    for (const double v : moved) j += v <= x;
                    const double d = i / static_cast<double>(b.size()) - j / static_cast<double>(c.size());
                    gap = std::max(gap, up ? d : -d);
                }
            }
            ASSERT_EQ(band.order().gap, gap);
        }
    }
}

TEST(DistributionBand, FindsALargeDifferenceAndDrawsIt) {
    DistributionBand band;
    EXPECT_EQ(band.order().p_value, 1);
    EXPECT_TRUE(std::isnan(band.share(Arm::canary, 0)));
    for (unsigned i = 0; i < 40; ++i) {
        band.update(normals(50, 0, 1, i), normals(50, 1, 1, 100 + i));
        if (i == 0) {
            EXPECT_EQ(band.half_width(Arm::canary), infinity);
            EXPECT_EQ(band.cdf(Arm::canary, 0).upper, 1);
            EXPECT_EQ(band.order().p_value, 1);
            EXPECT_EQ(band.order().lower, -1);
        }
    }
    const StochasticOrder found = band.order();
    EXPECT_NEAR(found.gap, 0.383, 0.08);  // 2 Phi(1/2) - 1, and the largest of many deviations, each 0.016
    EXPECT_NEAR(found.at, 0.5, 0.5);
    EXPECT_GT(found.lower, 0.2);
    EXPECT_LT(found.p_value, 1e-9);
    EXPECT_EQ(found.n_canary, 2000);
    const Interval drawn = band.cdf(Arm::baseline, 0);
    EXPECT_NEAR(drawn.upper - drawn.lower, 2 * band.half_width(Arm::baseline), 1e-15);
    EXPECT_NEAR((drawn.upper + drawn.lower) / 2, band.share(Arm::baseline, 0), 1e-15);
    EXPECT_EQ(band.cdf(Arm::baseline, -100).lower, 0);
    EXPECT_EQ(drawn.confidence, 0.95);
    // The other way round nothing is proven.
    DistributionBand other({.harm = Harm::decrease});
    other.merge(DistributionBand({.harm = Harm::decrease}));
    other.update(normals(2000, 0, 1, 1), normals(2000, 1, 1, 2));
    EXPECT_LT(other.order().lower, 0);
    EXPECT_EQ(other.order().p_value, 1);
}

TEST(DistributionBand, StateGoesOnAndForeignOnesAreRefused) {
    const BandOptions options{.margin = {.ratio = 1.1, .difference = {}}, .from_size = 20};
    DistributionBand band(options), resumed(options), parts(options), more(options);
    band.update(normals(70, 9, 1, 1), normals(50, 10, 1, 2));
    resumed.restore(decode<BandState>(encode(band.state())));
    parts.merge(band);
    more.update(normals(70, 9, 1, 3), normals(50, 10, 1, 4));
    parts.merge(more);
    for (DistributionBand* one : {&band, &resumed}) one->update(normals(70, 9, 1, 3), normals(50, 10, 1, 4));
    EXPECT_EQ(encode(band.state()), encode(resumed.state()));
    EXPECT_EQ(encode(band.state()), encode(parts.state()));

    DistributionBand other;
    EXPECT_EQ(code_of([&] { other.restore(band.state()); }), "serinus.state.options");
    EXPECT_EQ(code_of([&] { other.merge(band); }), "serinus.state.options");
    BandState state = band.state();
    state.baseline[3] = nan;
    EXPECT_EQ(code_of([&] { resumed.restore(state); }), "serinus.state.invariant");
    state = band.state();
    std::swap(state.canary.front(), state.canary.back());
    EXPECT_EQ(code_of([&] { resumed.restore(state); }), "serinus.state.invariant");
    EXPECT_EQ(encode(resumed.state()), encode(band.state()));
    for (const BandOptions& bad : {BandOptions{.alpha = 0}, BandOptions{.from_size = 0}, BandOptions{.from_size = nan}})
        EXPECT_EQ(code_of([&] { DistributionBand refused(bad); }), "serinus.argument.range");
    EXPECT_EQ(code_of([] { DistributionBand refused({.margin = {.ratio = 0.5, .difference = {}}}); }),
              "serinus.argument.margin");
}

TEST(DistributionBand, AStateOfVersionOneLoads) {
    const auto fixture = state_fixture::read("band_1");
    DistributionBand band({.from_size = 50});
    band.restore(decode<BandState>(fixture.bytes));
    const StochasticOrder found = band.order();
    EXPECT_EQ(found.gap, fixture.expected["gap"].get<double>());
    EXPECT_NEAR(found.lower, fixture.expected["lower"].get<double>(), 1e-10);
    EXPECT_NEAR(found.p_value, fixture.expected["p_value"].get<double>(), 1e-9);
}

}  // namespace
}  // namespace serinus::sequential
