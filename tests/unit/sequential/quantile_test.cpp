#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <random>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/sequential/detail/quantile_mixture.hpp>
#include <serinus/sequential/quantile.hpp>

#include "support/state_fixture.hpp"

namespace serinus::sequential {
namespace {

using Column = std::vector<double>;
using Speaks = QuantileMixture::Speaks;
constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr Margin ratio(double value) { return {.ratio = value, .difference = {}}; }
constexpr Margin difference(double value) { return {.ratio = {}, .difference = value}; }

Column draw(std::size_t n, double shift, unsigned seed, bool ties = false) {
    std::mt19937_64 random(seed);
    std::lognormal_distribution<double> law(0, 0.5);
    Column values(n);
    for (double& value : values) {
        value = 10 * law(random) + shift;
        if (ties) value = std::round(value);
    }
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

/// The definition: the minimum over every value, of either arm, and infinity.
double brute_force(const Column& lower, const Column& upper, double q, double tuned_at, double phi = 1) {
    const QuantileMixture above(q, tuned_at / 2, Speaks::above), below(q, tuned_at / 2, Speaks::below);
    Column points = lower;
    points.insert(points.end(), upper.begin(), upper.end());
    points.push_back(infinity);
    double least = infinity;
    for (const double x : points) {
        double i = 0, j = 0;
        for (const double value : lower) i += value < x;
        for (const double value : upper) j += value <= x;
        least = std::min(least, above.log_value(i / phi, static_cast<double>(lower.size()) / phi) +
                                    below.log_value(j / phi, static_cast<double>(upper.size()) / phi));
    }
    return least;
}

TEST(QuantileTest, IsTheMinimumByDefinition) {
    int turn = 0;
    for (const double q : {0.05, 0.5, 0.9, 0.99}) {
        for (const Harm harm : {Harm::increase, Harm::decrease}) {
            for (const Side side : {Side::harm, Side::safe}) {
                for (const Margin& margin : {ratio(1), ratio(1.2), difference(0), difference(2)}) {
                    ++turn;
                    const bool ties = turn % 3 == 0;
                    const double phi = turn % 2 ? 1 : 2.5;
                    const Column b = draw(static_cast<std::size_t>(7 * turn), 0, static_cast<unsigned>(turn), ties);
                    const Column c =
                        draw(static_cast<std::size_t>(5 * turn), turn % 5, 1000U + static_cast<unsigned>(turn), ties);
                    QuantileTest test({.q = q, .harm = harm, .margin = margin, .side = side, .dispersion = phi});
                    // In parts, so that the search begins elsewhere each time.
                    for (std::size_t part = 0; part < 7; ++part)
                        test.update(
                            std::span(b).subspan(part * b.size() / 7, b.size() / 7),
                            std::span(c).subspan(part * c.size() / 7, (part + 1) * c.size() / 7 - part * c.size() / 7));
                    const bool up = harm == Harm::increase;
                    Column moved = c;
                    for (double& v : moved)
                        v = margin.ratio ? v / (up ? *margin.ratio : 1 / *margin.ratio)
                                         : v - (up ? *margin.difference : -*margin.difference);
                    const bool baseline_lower = up == (side == Side::harm);
                    ASSERT_EQ(test.log_e_value(), baseline_lower ? brute_force(b, moved, q, 5000, phi)
                                                                 : brute_force(moved, b, q, 5000, phi));
                }
            }
        }
    }
}

TEST(QuantileTest, FindsHarmAndNamesIt) {
    for (const double q : {0.5, 0.95}) {
        QuantileTest test({.q = q, .margin = ratio(1.05)});
        QuantileTest safe({.q = q, .margin = ratio(1.5), .side = Side::safe});
        for (unsigned i = 0; i < 60; ++i) {
            Column b = draw(100, 0, i), c = draw(100, 0, 500 + i);
            for (double& v : c) v *= 1.25;
            test.update(b, c);
            safe.update(b, c);
        }
        const Evidence evidence = test.evidence();
        EXPECT_TRUE(test.decided()) << q;
        EXPECT_GT(evidence.lower, 1.05);
        EXPECT_LT(evidence.lower, 1.25);
        EXPECT_GT(evidence.upper, 1.25);
        EXPECT_NEAR(evidence.estimate, 1.25, 0.1);
        EXPECT_EQ(evidence.method, "beta_binomial");
        EXPECT_TRUE(safe.decided()) << q;
        EXPECT_LT(safe.evidence().upper, 1.5);
    }
}

// The interval is the margins that are not excluded: just inside an end the test does not reject, and not far beyond it
// does. `rounded` outward by at most 1/8 deviation of the counts.
TEST(QuantileTest, IntervalInvertsTheTest) {
    for (const double q : {0.3, 0.5, 0.9}) {
        const Column b = draw(900, 0, 3), c = draw(700, 1, 4);
        QuantileTest test({.q = q, .alpha = 0.05, .alpha_safe = 0.01});
        test.update(b, c);
        const Evidence evidence = test.evidence();
        const auto log_e = [&](double margin, Harm harm, Side side) {
            // A margin below 0 is a shift of the canary's values.
            Column moved = c;
            for (double& v : moved) v -= margin;
            QuantileTest at({.q = q, .harm = harm, .side = side});
            at.update(b, moved);
            return at.log_e_value();
        };
        const double spread = evidence.upper - evidence.lower;
        EXPECT_GE(log_e(evidence.lower - 1e-9, Harm::increase, Side::harm), std::log(20.0) - 1e-9);
        EXPECT_LT(log_e(evidence.lower + 0.1 * spread, Harm::increase, Side::harm), std::log(20.0));
        EXPECT_GE(log_e(evidence.upper + 1e-9, Harm::increase, Side::safe), std::log(100.0) - 1e-9);
        EXPECT_LT(log_e(evidence.upper - 0.1 * spread, Harm::increase, Side::safe), std::log(100.0));
        EXPECT_NEAR(evidence.confidence, 0.94, 1e-15);
    }
}

TEST(QuantileTest, DecisionAndIntervalAgree) {
    for (const Harm harm : {Harm::increase, Harm::decrease}) {
        for (const Side side : {Side::harm, Side::safe}) {
            for (const Margin& margin : {ratio(1), ratio(1.1), difference(0), difference(1)}) {
                for (const double shift : {-3.0, 0.0, 3.0}) {
                    QuantileTest test({.q = 0.5, .harm = harm, .margin = margin, .side = side});
                    for (unsigned i = 0; i < 8; ++i) {
                        test.update(draw(60, 0, i), draw(40, shift, 500 + i));
                        const Evidence evidence = test.evidence();
                        const bool up = harm == Harm::increase;
                        const double size = margin.ratio ? *margin.ratio : *margin.difference;
                        const double edge = up ? size : margin.ratio ? 1 / size : -size;
                        const bool reached = evidence.log_e_value >= test.log_needed();
                        ASSERT_TRUE((side == Side::harm) == up
                                        ? (reached ? evidence.lower >= edge : evidence.lower <= edge)
                                        : (reached ? evidence.upper <= edge : evidence.upper >= edge))
                            << evidence.lower << " " << evidence.upper << " " << evidence.log_e_value;
                        ASSERT_LE(evidence.lower, evidence.upper);
                    }
                }
            }
        }
    }
}

TEST(QuantileTest, IntervalOfAnArm) {
    QuantileTest test({.q = 0.9});
    const Column b = draw(2000, 0, 5), c = draw(40, 0, 6);
    EXPECT_EQ(test.interval(Arm::baseline).lower, -infinity);
    test.update(b, c);
    Column sorted = b;
    std::sort(sorted.begin(), sorted.end());
    const Interval found = test.interval(Arm::baseline);
    const QuantileMixture g(0.9, 2500, Speaks::either);
    const auto below =
        static_cast<double>(std::lower_bound(sorted.begin(), sorted.end(), found.lower) - sorted.begin());
    const auto at_most =
        static_cast<double>(std::upper_bound(sorted.begin(), sorted.end(), found.upper) - sorted.begin());
    EXPECT_GE(g.log_value(below, 2000), std::log(20));
    EXPECT_LT(g.log_value(below + 1, 2000), std::log(20));
    EXPECT_GE(g.log_value(at_most, 2000), std::log(20));
    EXPECT_LT(g.log_value(at_most - 1, 2000), std::log(20));
    // 40 values cannot bound a 90th percentile from above: .9^-40 is 68 at most, tuned for more values less.
    EXPECT_EQ(test.interval(Arm::canary).upper, infinity);
    EXPECT_EQ(test.evidence().upper, infinity);
}

TEST(QuantileTest, EitherIsTheMeanAndItsMirrorTheSmaller) {
    const auto run = [&](Harm harm, Side side) {
        QuantileTest test({.harm = harm, .margin = difference(0.3), .side = side});
        test.update(draw(300, 0, 1), draw(300, 1, 2));
        return test.log_e_value();
    };
    const double up = run(Harm::increase, Side::harm), down = run(Harm::decrease, Side::harm);
    EXPECT_NEAR(run(Harm::either, Side::harm), std::log((std::exp(up) + std::exp(down)) / 2), 1e-12);
    EXPECT_EQ(run(Harm::either, Side::safe),
              std::min(run(Harm::increase, Side::safe), run(Harm::decrease, Side::safe)));
}

// Only order counts: any increasing map of all values gives the same e-value, at zero margin.
TEST(QuantileTest, DependsOnOrderAlone) {
    Column b = draw(400, 0, 8), c = draw(300, 1, 9);
    QuantileTest test({.q = 0.8}), mapped({.q = 0.8}), mirrored({.q = 0.2, .harm = Harm::decrease});
    test.update(b, c);
    for (Column* column : {&b, &c})
        for (double& v : *column) v = std::log(v);
    mapped.update(b, c);
    EXPECT_EQ(test.log_e_value(), mapped.log_e_value());
    for (Column* column : {&b, &c})
        for (double& v : *column) v = -v;
    mirrored.update(b, c);
    EXPECT_NEAR(test.log_e_value(), mirrored.log_e_value(), 1e-9);
}

// The record is the largest e-value of all looks, whatever was skipped; the order of values within a look is nothing.
TEST(QuantileTest, TheRecordMissesNothing) {
    for (const double shift : {0.0, 2.0}) {
        for (const Harm harm : {Harm::increase, Harm::either}) {
            QuantileTest test({.q = 0.7, .harm = harm}), batch({.q = 0.7, .harm = harm});
            const Column b = draw(250, 0, 31), c = draw(250, shift, 32);
            double largest = 0;
            for (std::size_t i = 0; i < b.size(); ++i) {
                test.update(b[i], c[i]);
                largest = std::max(largest, test.log_e_value());
                ASSERT_EQ(test.p_value(), elementary::exp(-largest));
            }
            Column backwards(b.rbegin(), b.rend());
            batch.update(backwards, c);
            EXPECT_EQ(batch.log_e_value(), test.log_e_value());
        }
    }
}

// Looks are left open until somebody has to know: the record is that of every look to the bit all the same, whoever
// asks and whenever, and also where evidence rises and falls again.
TEST(QuantileTest, LooksLeftOpenAreLookedAtToTheBit) {
    const std::vector<QuantileOptions> all{
        {},
        {.q = 0.9, .harm = Harm::decrease, .margin = ratio(1.1)},
        {.harm = Harm::either, .margin = ratio(1.05)},
        {.q = 0.3, .harm = Harm::either, .margin = difference(0.5), .side = Side::safe},
        {.margin = ratio(1.2), .side = Side::safe},
        {.q = 0.8, .dispersion = 2.5},
        {.q = 0.95, .tuned_at = 100}};
    for (const bool ties : {false, true}) {
        for (const QuantileOptions& options : all) {
            for (const double shift : {-3.0, 0.0, 1.0, 4.0}) {
                Column baseline = draw(400, 0, 11, ties), canary = draw(400, shift, 12, ties);
                for (std::size_t i = 250; i < 400; ++i) canary[i] -= 2 * shift;
                QuantileTest unasked(options), asked(options), stopped(options);
                double record = 0;
                for (std::size_t i = 0, step = 1; i < 400; i += step) {
                    step = std::min<std::size_t>(i % 50 == 49 ? 40 : 1 + i % 3 / 2, 400 - i);
                    const auto b = std::span(baseline).subspan(i, step), c = std::span(canary).subspan(i, step);
                    unasked.update(b, c);
                    asked.update(b, c);
                    record = std::max(record, asked.log_e_value());
                    ASSERT_EQ(asked.p_value(), elementary::exp(-record)) << i;
                    ASSERT_EQ(asked.decided(), record >= asked.log_needed()) << i;
                    if (i % 7 == 0) {
                        QuantileTest next(options);
                        next.restore(stopped.state());
                        stopped = next;
                    }
                    stopped.update(b, c);
                }
                ASSERT_EQ(unasked.decided(), asked.decided());
                ASSERT_EQ(unasked.state().log_largest, record) << shift;
                ASSERT_EQ(stopped.state().log_largest, record) << shift;
            }
        }
    }
}

TEST(QuantileTest, EdgesAreValues) {
    QuantileTest test({.q = 0.5});
    EXPECT_EQ(test.log_e_value(), 0);
    EXPECT_TRUE(std::isnan(test.evidence().estimate));
    test.update(nan, nan);
    EXPECT_EQ(test.evidence().n_baseline, 0);
    test.update(Column(200, 1.0), Column{});  // one arm alone says nothing of a difference
    EXPECT_LE(test.log_e_value(), 0);
    EXPECT_EQ(test.evidence().lower, -infinity);
    test.update(Column{}, Column(200, 1.0));  // all equal
    EXPECT_LE(test.log_e_value(), 0);
    EXPECT_EQ(test.evidence().estimate, 0);
    QuantileTest infinite({.q = 0.5});
    infinite.update(Column(200, 1.0), Column(200, infinity));
    EXPECT_TRUE(infinite.decided());
    EXPECT_EQ(infinite.evidence().lower, infinity);
    QuantileTest both({.q = 0.5});
    both.update(Column(200, infinity), Column(200, infinity));
    EXPECT_FALSE(both.decided());
    EXPECT_EQ(both.evidence().lower, -infinity);
    QuantileTest signs({.q = 0.5, .margin = ratio(1)});
    signs.update(draw(300, -30, 1), draw(300, -30, 2));  // negative quantiles have no ratio
    EXPECT_EQ(signs.evidence().lower, -infinity);
    for (const double q : {1e-6, 1 - 1e-6}) {
        QuantileTest extreme({.q = q});
        extreme.update(draw(500, 0, 1), draw(500, 5, 2));
        EXPECT_TRUE(std::isfinite(extreme.log_e_value()));
        EXPECT_FALSE(extreme.decided());
    }
}

TEST(QuantileTest, BadOptionsAreRefused) {
    using Options = QuantileOptions;
    for (const Options& options : {Options{.q = 0}, Options{.q = 1}, Options{.q = nan}, Options{.alpha = 0},
                                   Options{.alpha_safe = 1}, Options{.dispersion = 0.9}, Options{.tuned_at = -1}}) {
        EXPECT_EQ(code_of([&] { QuantileTest test(options); }), "serinus.argument.range");
    }
    for (const Margin& margin : {ratio(0.5), difference(-1), Margin{}})
        EXPECT_EQ(code_of([&] { QuantileTest test({.margin = margin}); }), "serinus.argument.margin");
}

TEST(QuantileTest, StateGoesOnAndForeignOnesAreRefused) {
    const QuantileOptions options{.q = 0.9, .margin = ratio(1.1)};
    QuantileTest test(options), resumed(options), parts(options), more(options);
    test.update(draw(70, 0, 1), draw(50, 3, 2));
    resumed.restore(decode<QuantileState>(encode(test.state())));
    parts.update(draw(70, 0, 1), draw(50, 3, 2));
    more.update(draw(70, 0, 3), draw(50, 3, 4));
    parts.merge(more);
    for (QuantileTest* one : {&test, &resumed}) one->update(draw(70, 0, 3), draw(50, 3, 4));
    EXPECT_EQ(encode(test.state()), encode(resumed.state()));
    EXPECT_EQ(encode(test.state()), encode(parts.state()));
    EXPECT_EQ(test.log_e_value(), resumed.log_e_value());

    QuantileTest other;
    EXPECT_EQ(code_of([&] { other.restore(test.state()); }), "serinus.state.options");
    EXPECT_EQ(code_of([&] { other.merge(test); }), "serinus.state.options");
    const auto spoilt = [&](const std::function<void(QuantileState&)>& spoil) {
        QuantileState state = test.state();
        spoil(state);
        const auto before = encode(resumed.state());
        const std::string code = code_of([&] { resumed.restore(state); });
        EXPECT_EQ(encode(resumed.state()), before);
        return code;
    };
    EXPECT_EQ(spoilt([](QuantileState& s) { std::swap(s.canary[0], s.canary[1]); }), "serinus.state.invariant");
    EXPECT_EQ(spoilt([](QuantileState& s) { s.baseline.back() = nan; }), "serinus.state.invariant");
    EXPECT_EQ(spoilt([](QuantileState& s) { s.log_largest = -1; }), "serinus.state.invariant");
}

TEST(QuantileTest, AStateOfVersionOneLoads) {
    const auto fixture = state_fixture::read("quan_1");
    QuantileTest test({.q = 0.75, .alpha = 0.01, .alpha_safe = 0.05, .margin = ratio(1.01)});
    test.restore(decode<QuantileState>(fixture.bytes));
    // The mixture agrees across platforms to about 1e-13 of terms of some hundreds.
    EXPECT_NEAR(test.log_e_value(), fixture.expected["log_e_value"].get<double>(), 1e-9);
    EXPECT_NEAR(test.evidence().lower, fixture.expected["lower"].get<double>(), 1e-12);
    EXPECT_EQ(test.evidence().n_canary, fixture.expected["n_canary"].get<double>());
}

}  // namespace
}  // namespace serinus::sequential
