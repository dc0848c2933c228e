#include <cmath>
#include <fstream>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <serinus/sequential/mean.hpp>

#include "support/data_dir.hpp"
#include "support/state_fixture.hpp"

namespace serinus::sequential {
namespace {

using Column = std::vector<double>;
constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr Margin ratio(double value) { return {.ratio = value, .difference = {}}; }
constexpr Margin difference(double value) { return {.ratio = {}, .difference = value}; }

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

const nlohmann::json& vectors() {
    static const nlohmann::json known = [] {
        std::ifstream file(data_dir() + "/reference/sequential/values.json");
        return nlohmann::json::parse(file)["cases"];
    }();
    return known;
}

/// rho of the exactly tightest two-sided normal mixture, which ville uses: v/(-W_{-1}(-alpha^2/e) - 1).
double exact_precision(double v, double alpha) {
    double w = -20;  // w e^w = x on the lower branch, by Newton on w + log(-w) = log(-x)
    const double target = 2 * std::log(alpha) - 1;
    for (int i = 0; i < 200; ++i) w -= (w + std::log(-w) - target) / (1 + 1 / w);
    return v / (-w - 1);
}

TEST(AsymptoticMeanBound, AgreesWithVilleAndAvinf) {
    int seen = 0;
    for (const auto& one : vectors()) {
        const auto& in = one["inputs"];
        if (one["function"] == "AsymptoticCS") {
            const auto x = in["x"].get<Column>();
            const double alpha = in["alpha"], rho = exact_precision(in["t_opt"], alpha);
            for (std::size_t k = 0; k < in["times"].size(); ++k) {
                const double t = in["times"][k];
                CentralMoments seen_so_far;
                for (std::size_t i = 0; i < static_cast<std::size_t>(t); ++i) seen_so_far.add(x[i]);
                const double reach = std::sqrt(seen_so_far.variance()) * asymptotic_mean_bound(t, alpha, rho, false);
                // ville finds its rho by a numerical search that stops at about 1e-5; the bound is flat there.
                EXPECT_NEAR(seen_so_far.mean - reach, one["output"][0][k].get<double>(), 2e-7);
                EXPECT_NEAR(seen_so_far.mean + reach, one["output"][1][k].get<double>(), 2e-7);
                ++seen;
            }
        }
        if (one["function"] == "av_lm.z_radius") {
            const double n = in["n"];
            EXPECT_NEAR(asymptotic_mean_bound(n, in["alpha"], in["g"], false) * std::sqrt(n),
                        one["output"].get<double>(), 1e-12);
            ++seen;
        }
    }
    EXPECT_EQ(seen, 12);
}

// One-sided: the exact inverse lies within the closed bound, and close to it.
TEST(AsymptoticMeanBound, OneSidedClosedFormIsAnUpperBound) {
    const NormalMixture exact(5000, 0.05, true);
    for (const double n : {1.0, 10.0, 1000.0, 1e6, 1e12}) {
        for (const double alpha : {0.05, 0.01, 1e-6}) {
            const double closed = asymptotic_mean_bound(n, alpha, exact.precision(), true);
            const double inverse = exact.bound(n, alpha) / n;
            EXPECT_GE(closed, inverse);
            EXPECT_LT(closed, 1.02 * inverse);
        }
    }
    EXPECT_EQ(asymptotic_mean_bound(0, 0.05, 1, false), infinity);
}

TEST(MeanTest, FindsHarmAndNamesIt) {
    MeanTest test({.margin = difference(1)});
    for (unsigned i = 0; i < 40; ++i) test.update(normals(50, 100, 10, i), normals(50, 104, 10, 1000 + i));
    const Evidence evidence = test.evidence();
    EXPECT_TRUE(test.decided());
    EXPECT_NEAR(evidence.estimate, 4, 1);
    EXPECT_GT(evidence.lower, 1);
    EXPECT_LT(evidence.lower, evidence.estimate);
    EXPECT_GT(evidence.upper, evidence.estimate);
    EXPECT_NEAR(evidence.confidence, 0.9, 1e-15);
    EXPECT_EQ(evidence.n_baseline, 2000);
    EXPECT_EQ(evidence.method, "asymptotic");
    EXPECT_LT(evidence.p_value, 0.05);
}

TEST(MeanTest, TheSafeSideRulesHarmOut) {
    for (const Margin& margin : {ratio(1.1), difference(10)}) {
        MeanTest test({.margin = margin, .side = Side::safe});
        for (unsigned i = 0; i < 40; ++i) test.update(normals(50, 100, 20, i), normals(50, 100, 20, 1000 + i));
        EXPECT_TRUE(test.decided());
        EXPECT_LT(test.evidence().upper, margin.ratio ? 1.1 : 10);
    }
}

// At equal sizes and no margin the e-value is the textbook one: n D/sigma against the one-sided normal mixture.
TEST(MeanTest, IsTheAsymptoticConfidenceSequenceAtEqualSizes) {
    const Column b = normals(3000, 5, 2, 1), c = normals(3000, 5.1, 3, 2);
    MeanTest test;
    test.update(b, c);
    CentralMoments mb, mc;
    for (const double v : b) mb.add(v);
    for (const double v : c) mc.add(v);
    const double n = 6000, d = mc.mean - mb.mean;
    const double sigma = std::sqrt(n * (mb.variance() / 3000 + mc.variance() / 3000));
    EXPECT_NEAR(test.log_e_value(), log_normal_mixture(n * d / sigma, n, 5000, 0.05, true), 1e-9);
    // The interval inverts it: at its end the e-value is 1/alpha.
    const Evidence evidence = test.evidence();
    MeanTest at_end({.margin = difference(0)});
    Column shifted = c;
    for (double& v : shifted) v -= evidence.lower;
    at_end.update(b, shifted);
    EXPECT_NEAR(at_end.log_e_value(), std::log(20), 1e-9);
}

TEST(MeanTest, DecisionAndIntervalAgree) {
    for (const Harm harm : {Harm::increase, Harm::decrease}) {
        for (const Side side : {Side::harm, Side::safe}) {
            for (const Margin& margin : {ratio(1), ratio(1.05), difference(0), difference(3)}) {
                for (const double shift : {-6.0, 0.0, 3.0, 6.0}) {
                    MeanTest test({.alpha_safe = 0.1, .harm = harm, .margin = margin, .side = side});
                    for (unsigned i = 0; i < 30; ++i) {
                        test.update(normals(60, 50, 10, i), normals(20, 50 + shift, 10, 500 + i));
                        const Evidence evidence = test.evidence();
                        const bool up = harm == Harm::increase;
                        const double size = margin.ratio ? *margin.ratio : *margin.difference;
                        const double edge = up ? size : margin.ratio ? 1 / size : -size;
                        const bool reached = evidence.log_e_value >= test.log_needed();
                        ASSERT_TRUE((side == Side::harm) == up
                                        ? (reached ? evidence.lower >= edge : evidence.lower <= edge)
                                        : (reached ? evidence.upper <= edge : evidence.upper >= edge))
                            << evidence.lower << " " << evidence.upper << " " << evidence.log_e_value;
                        ASSERT_LE(evidence.lower, evidence.estimate);
                        ASSERT_GE(evidence.upper, evidence.estimate);
                    }
                }
            }
        }
    }
}

// Exchanging the arms exchanges increase and decrease; a factor or a shift changes nothing; a power of two not a bit.
TEST(MeanTest, Symmetries) {
    const Column b = normals(400, 3, 1, 7), c = normals(300, 3.3, 1.5, 8);
    for (const Side side : {Side::harm, Side::safe}) {
        MeanTest up({.margin = difference(0.2), .side = side});
        MeanTest down({.harm = Harm::decrease, .margin = difference(0.2), .side = side});
        MeanTest scaled({.margin = difference(0.2 * 1024), .side = side}),
            moved({.margin = difference(0.2), .side = side});
        Column b2 = b, c2 = c, b3 = b, c3 = c;
        for (Column* column : {&b2, &c2})
            for (double& v : *column) v *= 1024;
        for (Column* column : {&b3, &c3})
            for (double& v : *column) v += 1000;
        up.update(b, c);
        down.update(c, b);
        scaled.update(b2, c2);
        moved.update(b3, c3);
        EXPECT_NEAR(up.log_e_value(), down.log_e_value(), 1e-10);
        EXPECT_EQ(up.log_e_value(), scaled.log_e_value());
        EXPECT_NEAR(up.log_e_value(), moved.log_e_value(), 1e-9);  // values + 1000 are rounded to 1e-13
        EXPECT_NEAR(up.evidence().lower, -down.evidence().upper, 1e-12);
    }
    MeanTest up({.margin = ratio(1.05)}), down({.harm = Harm::decrease, .margin = ratio(1.05)});
    up.update(b, c);
    down.update(c, b);
    // The edges are r and 1/r: the same hypothesis in other units, but rho is a number of values, which is the same.
    EXPECT_NEAR(up.log_e_value(), down.log_e_value(), 1e-9);
    EXPECT_NEAR(up.evidence().lower * down.evidence().upper, 1, 1e-9);
}

TEST(MeanTest, EitherIsTheMeanAndItsMirrorTheSmaller) {
    const auto run = [&](Harm harm, Side side) {
        MeanTest test({.harm = harm, .margin = difference(0.1), .side = side});
        test.update(normals(500, 0, 1, 3), normals(500, 0.2, 1, 4));
        return test.log_e_value();
    };
    const double up = run(Harm::increase, Side::harm), down = run(Harm::decrease, Side::harm);
    EXPECT_NEAR(run(Harm::either, Side::harm), std::log((std::exp(up) + std::exp(down)) / 2), 1e-12);
    EXPECT_EQ(run(Harm::either, Side::safe),
              std::min(run(Harm::increase, Side::safe), run(Harm::decrease, Side::safe)));
}

// Values far from 0 and close together lose nothing: the same noise at 1e15, whose grid is 1/8, as at 0.
TEST(MeanTest, LargeOffsetsCostNoDigits) {
    Column b = normals(2000, 0, 4, 11), c = normals(2000, 0.7, 4, 12);
    for (Column* column : {&b, &c})
        for (double& v : *column) v = std::round(v * 8) / 8;
    MeanTest near, far;
    near.update(b, c);
    for (Column* column : {&b, &c})
        for (double& v : *column) v += 1e15;
    far.update(b, c);
    EXPECT_NEAR(near.log_e_value(), far.log_e_value(), 1e-10);
    EXPECT_NEAR(near.evidence().lower, far.evidence().lower, 1e-12);
    for (const double unit : {1e-300, 1e-150, 1e150, 1e300}) {
        MeanTest extreme;
        Column b2 = normals(200, 1, 0.1, 5), c2 = normals(200, 1.1, 0.1, 6);
        MeanTest plain;
        plain.update(b2, c2);
        for (Column* column : {&b2, &c2})
            for (double& v : *column) v *= unit;
        extreme.update(b2, c2);
        EXPECT_NEAR(extreme.log_e_value(), plain.log_e_value(), 1e-9) << unit;
    }
}

// The gate: no more log evidence than a tenth of the poorer arm's effective values, at the share of them that the worse
// of both arms has shown.
TEST(MeanTest, EvidenceRestsOnEffectiveValues) {
    // 900:100 and a canary that has had no error yet: far from the baseline's mean, and nothing is claimed.
    MeanTest test({.harm = Harm::decrease});
    const MeanMoments quiet{.n = 1000, .mean = 0, .squares = 0, .cubes = 0, .fourths = 0};
    const double k = 90, n = 9000, p = k / n;
    const MeanMoments errors{.n = n,
                             .mean = p,
                             .squares = n * p * (1 - p),
                             .cubes = n * p * (1 - p) * (1 - 2 * p),
                             .fourths = n * p * (1 - p) * (1 - 3 * p + 3 * p * p)};
    test.update(errors, quiet);
    EXPECT_LE(test.log_e_value(), 0);
    EXPECT_NEAR(test.effective_baseline(), k, 0.05 * k);  // k of k rare errors
    EXPECT_EQ(test.effective_canary(), 0);
    EXPECT_EQ(test.evidence().upper, infinity);
    // Three errors carry 0.3.
    MeanTest three({.harm = Harm::decrease});
    const double q = 3.0 / 1000;
    three.update(errors, {.n = 1000,
                          .mean = q,
                          .squares = 1000 * q * (1 - q),
                          .cubes = 0,
                          .fourths = 1000 * q * (1 - q) * (1 - 3 * q + 3 * q * q)});
    EXPECT_NEAR(three.log_e_value(), 0.3, 0.01);
    EXPECT_FALSE(three.decided());
    // Normal values: a third of them; dispersion divides.
    MeanTest plain({.dispersion = 2});
    plain.update(normals(30000, 0, 1, 1), normals(300, 0, 1, 2));
    EXPECT_NEAR(plain.effective_baseline(), 5000, 100);
}

// An arm of few values that has not met the rare large one yet looks normal; beside an arm that has, it proves nothing.
TEST(MeanTest, WhatOneArmHasMetHoldsForBoth) {
    Column many = normals(99000, 100, 20, 1), few = normals(1000, 100, 20, 2);
    for (std::size_t i = 0; i < many.size(); i += 1000) many[i] = 1e4;  // .1 % of time-outs
    for (const Side side : {Side::harm, Side::safe}) {
        MeanTest test({.harm = side == Side::harm ? Harm::decrease : Harm::increase, .side = side});
        test.update(many, few);
        EXPECT_GT(test.effective_canary(), 300);
        EXPECT_NEAR(test.effective_baseline(), 99, 3);
        EXPECT_LE(test.log_e_value(), 0.11);  // one time-out is what 1,000 values should hold; a tenth of it
        MeanTest late({.harm = Harm::increase, .side = side});
        late.update(few, many);
        EXPECT_LE(late.log_e_value(), 0.11);
    }
    // The further out, the more it takes: at the same distance 100 times the effective values carry 10 times as much.
    MeanTest far;
    far.update(normals(30000, 0, 1, 3), normals(30000, 9, 1, 4));
    EXPECT_NEAR(far.log_e_value(), std::sqrt(3 * 1000), 1);
}

// Moments of a batch are as good as its values; without the higher ones the batch counts as one effective value.
TEST(MeanTest, MomentsStandForValues) {
    MeanTest values, full, bare;
    for (unsigned i = 0; i < 20; ++i) {
        const Column b = normals(40, 10, 2, i), c = normals(30, 11, 2, 100 + i);
        values.update(b, c);
        CentralMoments mb, mc;
        for (const double v : b) mb.add(v);
        for (const double v : c) mc.add(v);
        full.update({mb.n, mb.mean, mb.squares, mb.cubes, mb.fourths},
                    {mc.n, mc.mean, mc.squares, mc.cubes, mc.fourths});
        bare.update({.n = mb.n, .mean = mb.mean, .squares = mb.squares},
                    {.n = mc.n, .mean = mc.mean, .squares = mc.squares});
    }
    EXPECT_NEAR(values.log_e_value(), full.log_e_value(), 1e-9);
    EXPECT_NEAR(values.effective_canary(), full.effective_canary(), 1e-9 * full.effective_canary());
    EXPECT_NEAR(values.evidence().estimate, bare.evidence().estimate, 1e-12);
    EXPECT_NEAR(bare.effective_baseline(), 20, 3);
}

TEST(MeanTest, MergedIsTheSameAsSeen) {
    MeanTest all, first, second;
    const Column b1 = normals(300, 1e9, 2, 1), c1 = normals(200, 1e9 + 1, 2, 2), b2 = normals(100, 1e9, 2, 3),
                 c2 = normals(150, 1e9 + 1, 2, 4);
    all.update(b1, c1);
    all.update(b2, c2);
    first.update(b1, c1);
    second.update(b2, c2);
    first.merge(second);
    EXPECT_NEAR(first.log_e_value(), all.log_e_value(), 1e-9);
    EXPECT_NEAR(first.evidence().lower, all.evidence().lower, 1e-9);
    EXPECT_EQ(first.evidence().n_canary, 350);
    MeanTest empty;
    empty.merge(second);
    EXPECT_NEAR(empty.log_e_value(), second.log_e_value(), 1e-9);
    MeanTest other({.alpha = 0.01});
    EXPECT_EQ(code_of([&] { other.merge(second); }), "serinus.state.options");
}

// One value at a time has the moments of the batch to the bit; the record has seen every look.
TEST(MeanTest, OneByOneIsTheBatch) {
    const Column b = normals(200, 3, 1, 21), c = normals(200, 3.4, 1, 22);
    MeanTest batch, single;
    for (std::size_t i = 0; i < b.size(); ++i) single.update(b[i], c[i]);
    batch.update(b, c);
    EXPECT_EQ(batch.log_e_value(), single.log_e_value());
    EXPECT_LE(single.p_value(), batch.p_value());
    // The record without its shortcut.
    MeanTest again;
    double largest = 0;
    for (std::size_t i = 0; i < b.size(); ++i) {
        again.update(b[i], c[i]);
        largest = std::max(largest, again.log_e_value());
        ASSERT_EQ(again.p_value(), elementary::exp(-largest)) << i;
    }
}

TEST(MeanTest, FewConstantAndMissingValuesDecideNothing) {
    MeanTest test;
    EXPECT_EQ(test.log_e_value(), 0);
    EXPECT_TRUE(std::isnan(test.evidence().estimate));
    EXPECT_EQ(test.evidence().lower, -infinity);
    test.update(1, 2);
    test.update(nan, nan);
    EXPECT_EQ(test.log_e_value(), 0);
    EXPECT_EQ(test.evidence().n_canary, 1);
    MeanTest constant;
    for (int i = 0; i < 100; ++i) constant.update(5, 6);
    EXPECT_EQ(constant.log_e_value(), 0);
    EXPECT_EQ(constant.evidence().estimate, 1);
    EXPECT_FALSE(constant.decided());
}

TEST(MeanTest, BadInputIsRefusedAndChangesNothing) {
    using Options = MeanOptions;
    for (const Options& options :
         {Options{.alpha = 0}, Options{.alpha = 1}, Options{.alpha = nan}, Options{.alpha_safe = 2},
          Options{.dispersion = 0.5}, Options{.dispersion = infinity}, Options{.tuned_at = 0}, Options{.gate = 0}}) {
        EXPECT_EQ(code_of([&] { MeanTest test(options); }), "serinus.argument.range");
    }
    for (const Margin& margin : {ratio(0.9), ratio(1001), difference(-1), difference(nan), Margin{}, Margin{1.1, 1.0}})
        EXPECT_EQ(code_of([&] { MeanTest test({.margin = margin}); }), "serinus.argument.margin");
    MeanTest test;
    test.update(normals(50, 0, 1, 1), normals(50, 0, 1, 2));
    const auto before = encode(test.state());
    const auto refused = [&](const std::function<void()>& call) {
        const std::string code = code_of(call);
        EXPECT_EQ(encode(test.state()), before);
        return code;
    };
    EXPECT_EQ(refused([&] { test.update(Column{1, 2}, Column{3, infinity}); }), "serinus.argument.infinite");
    EXPECT_EQ(refused([&] { test.update(Column{1, 2}, Column{3, 1e100}); }), "serinus.argument.range");
    EXPECT_EQ(refused([&] { test.update(MeanMoments{.n = -1}, MeanMoments{}); }), "serinus.argument.count");
    EXPECT_EQ(refused([&] { test.update(MeanMoments{.n = 1.5}, MeanMoments{}); }), "serinus.argument.count");
    EXPECT_EQ(refused([&] { test.update(MeanMoments{}, MeanMoments{.n = 2, .mean = nan}); }), "serinus.argument.range");
    EXPECT_EQ(refused([&] { test.update(MeanMoments{}, MeanMoments{.n = 1, .squares = 2}); }),
              "serinus.argument.range");
    EXPECT_EQ(refused([&] { test.update(MeanMoments{}, MeanMoments{.n = 2, .squares = -2}); }),
              "serinus.argument.range");
    EXPECT_EQ(refused([&] { test.update(MeanMoments{}, MeanMoments{.n = 4, .squares = 4, .fourths = 1}); }),
              "serinus.argument.range");
}

TEST(MeanTest, StateGoesOnAndForeignOnesAreRefused) {
    const MeanOptions options{.alpha_safe = 0.1, .margin = ratio(1.1)};
    MeanTest test(options), resumed(options);
    test.update(normals(70, 10, 2, 1), normals(50, 12, 2, 2));
    resumed.restore(decode<MeanState>(encode(test.state())));
    test.update(normals(70, 10, 2, 3), normals(50, 12, 2, 4));
    resumed.update(normals(70, 10, 2, 3), normals(50, 12, 2, 4));
    EXPECT_EQ(encode(test.state()), encode(resumed.state()));
    EXPECT_EQ(test.log_e_value(), resumed.log_e_value());
    EXPECT_LE(encode(test.state()).size(), 1024U);

    MeanTest other;
    EXPECT_EQ(code_of([&] { other.restore(test.state()); }), "serinus.state.options");
    const auto spoilt = [&](const std::function<void(MeanState&)>& spoil) {
        MeanState state = test.state();
        spoil(state);
        const auto before = encode(resumed.state());
        const std::string code = code_of([&] { resumed.restore(state); });
        EXPECT_EQ(encode(resumed.state()), before);
        return code;
    };
    EXPECT_EQ(spoilt([](MeanState& s) { s.moments[1].n = 1.5; }), "serinus.state.invariant");
    EXPECT_EQ(spoilt([](MeanState& s) { s.moments[1].squares = -1; }), "serinus.state.invariant");
    EXPECT_EQ(spoilt([](MeanState& s) { s.moments[0].fourths = nan; }), "serinus.state.invariant");
    EXPECT_EQ(spoilt([](MeanState& s) { s.log_largest = infinity; }), "serinus.state.invariant");
    EXPECT_EQ(spoilt([](MeanState& s) { s.origin.reset(); }), "serinus.state.invariant");
    EXPECT_EQ(spoilt([](MeanState& s) { s.exponent = 5000; }), "serinus.state.invariant");
    EXPECT_EQ(spoilt([](MeanState& s) { s.exponent.reset(); }), "serinus.state.invariant");
}

// Its gate, 20 effective values in each arm of its own, is not asked for again: the test goes on under today's.
TEST(MeanTest, AStateOfVersionOneLoadsAndGoesOn) {
    const auto fixture = state_fixture::read("mean_1");
    MeanTest test({.alpha = 0.01, .alpha_safe = 0.05, .margin = difference(0.5)});
    const auto state = decode<MeanState>(fixture.bytes);
    EXPECT_EQ(state.gate, 20);
    EXPECT_FALSE(state.gate_common);
    test.restore(state);
    EXPECT_EQ(test.options().gate, 10);
    // What it said was held by the gate, 133 effective values over 20; 133 over 10 are held to sqrt(3 x 13.3) today.
    // What it has decided is not taken back. 1e-12: the state's numbers are exact, logarithms are our own.
    const auto said = fixture.expected["log_e_value"].get<double>();
    EXPECT_NEAR(said, test.effective_canary() / 20, 1e-12);
    EXPECT_NEAR(test.log_e_value(), std::sqrt(3 * test.effective_canary() / 10), 1e-12);
    EXPECT_NEAR(-std::log(test.p_value()), said, 1e-12);
    EXPECT_TRUE(test.decided());
    EXPECT_NEAR(test.evidence().lower, fixture.expected["lower"].get<double>(), 1e-9);
    EXPECT_EQ(test.evidence().n_canary, fixture.expected["n_canary"].get<double>());
    test.update(normals(50, 10, 2, 1), normals(50, 12, 2, 2));
    const MeanState now = decode<MeanState>(encode(test.state()));
    EXPECT_TRUE(now.gate_common);
    EXPECT_EQ(now.gate, 10);
    EXPECT_EQ(now.moments[1].n, state.moments[1].n + 50);
    MeanTest other({.alpha = 0.01, .alpha_safe = 0.05, .margin = difference(0.5), .gate = 12});
    EXPECT_EQ(code_of([&] { other.restore(now); }), "serinus.state.options");
}

}  // namespace
}  // namespace serinus::sequential
