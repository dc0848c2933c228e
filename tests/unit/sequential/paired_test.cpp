// PairedTest.

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/core/state.hpp>
#include <serinus/sequential/noise/learn_paired_noise.hpp>
#include <serinus/sequential/noise/paired_noise.hpp>
#include <serinus/sequential/paired.hpp>
#include <serinus/sequential/start_mixture.hpp>

#include "support/code_of.hpp"
#include "support/paired_history.hpp"

namespace {

using namespace serinus;
using namespace serinus::sequential;
using Random = std::mt19937_64;
using Values = std::vector<double>;

constexpr double infinity = std::numeric_limits<double>::infinity();
const double nan_value = std::nan("");

TEST(PairedTest, IsTheFormula) {
    // S/c at information V/c, c = 1 + n/H, against the sums written out here once more.
    PairedNoise noise = noise_of(draw(2000, 10));
    noise.scale_bias.assign(9, 0.0);  // a test of its own
    PairedTest test({.alpha = 0.05, .noise = shared(noise)});
    const double rho = normal_mixture_precision(120, 0.05, true);
    // 12 cosines or many effective points: what the variance is multiplied with, by the formula of its comment.
    const double x = -2 * std::log(0.05) / noise.degrees_of_freedom, factor = std::expm1(x) / x;
    double sum = 0, n = 0, scores = 0, squares = 0;
    for (const double d : draw(100, 11, 0.2)) {
        test.update(d);
        const double score = noise.score(d - noise.offset) - noise.mean_score;
        n += 1;
        sum += score / std::sqrt(noise.long_run_variance);
        scores += score;
        squares += score * score;
        const double own = squares / n - scores * scores / n / n;
        const double s = sum / std::sqrt(factor * std::max(1.0, own / noise.score_variance)), c = 1 + n / noise.size;
        double expected = elementary::log_add_exp(log_normal_mixture_with_precision(s / c, n / c, rho, true),
                                                  log_normal_mixture_with_precision(s / c, n / c, 2, true)) -
                          std::log(2.0);
        if (n < 6) expected = std::min(expected, 0.0);
        ASSERT_GE(test.log_at_most(), test.log_e_value());
        ASSERT_NEAR(test.log_e_value(), expected, 1e-9) << n;
    }
    EXPECT_EQ(test.n(), 100);
}

TEST(PairedTest, FindsHarmAndStaysQuietWithoutIt) {
    const auto noise = shared(noise_of(draw(2000, 12)));
    PairedTest harm({.noise = noise}), quiet({.noise = noise}),
        safe({.margin = {.difference = 1.0}, .side = Side::safe, .noise = noise});
    for (const double d : draw(120, 13)) {
        harm.update(d + 1);
        quiet.update(d);
        safe.update(d);
    }
    EXPECT_TRUE(harm.decided());
    EXPECT_FALSE(quiet.decided());
    EXPECT_TRUE(safe.decided());
    const Evidence evidence = harm.evidence();
    EXPECT_GT(evidence.lower, 0);
    EXPECT_LT(evidence.lower, evidence.estimate);
    EXPECT_GT(evidence.upper, evidence.estimate);
    EXPECT_LT(evidence.p_value, 0.05);
    EXPECT_EQ(evidence.method, "signed_rank_score");
}

TEST(PairedTest, IntervalAndDecisionAgree) {
    for (const double alpha : {0.05, 0.003}) {
        for (std::uint64_t seed = 0; seed < 60; ++seed) {
            const auto noise = shared(noise_of(draw(1500, 100 + seed)));
            PairedTest test({.alpha = alpha, .margin = {.difference = 0.5}, .noise = noise});
            for (const double d : draw(150, 200 + seed, 0.02 * static_cast<double>(seed))) {
                test.update(d);
                const bool excluded = test.evidence().lower >= 0.5;
                ASSERT_EQ(excluded, test.log_e_value() >= test.log_needed()) << seed << ' ' << test.n();
            }
        }
    }
}

TEST(PairedTest, DirectionsMirror) {
    const Values history = draw(1500, 14, 0, 0.5);
    Values turned = history;
    for (double& d : turned) d = -d;
    PairedTest up({.harm = Harm::increase, .margin = {.difference = 0.4}, .noise = shared(noise_of(history))});
    PairedTest down({.harm = Harm::decrease, .margin = {.difference = 0.4}, .noise = shared(noise_of(turned))});
    PairedTest either({.harm = Harm::either, .margin = {.difference = 0.4}, .noise = shared(noise_of(history))});
    PairedTest other({.harm = Harm::decrease, .margin = {.difference = 0.4}, .noise = shared(noise_of(history))});
    for (const double d : draw(80, 15, 0.7)) {
        up.update(d);
        down.update(-d);
        either.update(d);
        other.update(d);
        // The table's median of an even number of points is not symmetric to the last digit.
        ASSERT_NEAR(up.log_e_value(), down.log_e_value(), 0.05 * std::max(1.0, std::fabs(up.log_e_value())));
        ASSERT_NEAR(either.log_e_value(),
                    elementary::log_add_exp(up.log_e_value(), other.log_e_value()) - std::log(2.0), 1e-9);
    }
}

TEST(PairedTest, UnitDoesNotMatterToTheBit) {
    for (const double unit : {1e-6, 1e6, 3.7}) {
        Values small = draw(1500, 16, 0, 0.6), large = small;
        for (double& d : large) d *= unit;
        PairedTest a({.noise = shared(noise_of(small))}), b({.noise = shared(noise_of(large))});
        for (const double d : draw(200, 17, 0.2)) {
            a.update(d);
            b.update(d * unit);
            ASSERT_EQ(a.log_e_value(), b.log_e_value()) << unit << ' ' << a.n();
        }
    }
}

TEST(PairedTest, NothingOfNoInformationCounts) {
    const auto noise = shared(noise_of(draw(1500, 18)));
    PairedTest test({.noise = noise});
    test.update(1.0);
    const double before = test.log_e_value();
    test.update(nan_value);
    test.update(Pair{.baseline = infinity, .canary = infinity});
    EXPECT_EQ(test.n(), 1);
    EXPECT_EQ(test.log_e_value(), before);
    test.update(Pair{.baseline = 0, .canary = infinity});  // ranks beyond all
    EXPECT_EQ(test.n(), 2);
    EXPECT_TRUE(std::isfinite(test.log_e_value()));
}

TEST(PairedTest, RatioMarginsAreJudgedOnLogarithms) {
    // Noise in proportion to the level: history at 100, the rollout at a level that swings around 300.
    const auto arm = [](std::size_t n, std::uint64_t seed, double level) {
        Values values = draw(n, seed, 0, 0, 0.05);
        for (std::size_t i = 0; i < n; ++i)
            values[i] = level * (1 + 0.4 * std::sin(static_cast<double>(i) / 20)) * std::exp(values[i]);
        return values;
    };
    const Values past_b = arm(2000, 19, 100), past_c = arm(2000, 20, 100), b = arm(200, 21, 300), c = arm(200, 22, 300);
    Values history(2000);
    for (std::size_t i = 0; i < history.size(); ++i) history[i] = std::log(past_c[i]) - std::log(past_b[i]);
    PairedNoise learned = paired_noise(std::vector<Values>{history}, 1, false, NoiseUnit::log);
    learned.level = 100;
    PairedTest beyond({.margin = {.ratio = 1.1}, .noise = shared(learned)}),
        within({.margin = {.ratio = 1.1}, .noise = shared(learned)}),
        edge({.harm = Harm::decrease, .margin = {.ratio = 1.1}, .noise = shared(learned)});
    for (std::size_t i = 0; i < b.size(); ++i) {
        beyond.update(Pair{.baseline = b[i], .canary = 1.25 * c[i]});
        within.update(Pair{.baseline = b[i], .canary = 1.05 * c[i]});
        edge.update(Pair{.baseline = b[i], .canary = c[i] / 1.25});
    }
    EXPECT_TRUE(beyond.decided());
    EXPECT_FALSE(within.decided());
    EXPECT_TRUE(edge.decided());
    // Geometric means of 200 with a deviation of .07: .005.
    EXPECT_NEAR(beyond.evidence().estimate, 1.25, 0.03);
    EXPECT_NEAR(edge.evidence().estimate, 1 / 1.25, 0.03);
    EXPECT_GT(beyond.evidence().lower, 1.1);
    EXPECT_LT(within.evidence().lower, 1.1);
    EXPECT_LT(edge.evidence().upper, 1 / 1.1);
    EXPECT_EQ(code_of([&] { beyond.update(1.0); }), Code::argument_margin);
    // What no ratio can be made of is no information, and counted.
    const double before = beyond.log_e_value();
    beyond.update(Pair{.baseline = 300, .canary = 0});
    beyond.update(Pair{.baseline = -1, .canary = 300});
    EXPECT_EQ(beyond.not_positive(), 2);
    EXPECT_EQ(beyond.n(), 200);
    EXPECT_EQ(beyond.log_e_value(), before);
    const Evidence nothing = PairedTest({.margin = {.ratio = 1.1}, .noise = shared(learned)}).evidence();
    EXPECT_EQ(nothing.lower, 0);
    EXPECT_EQ(nothing.upper, infinity);
    // Noise in another unit than the margin needs.
    EXPECT_EQ(code_of([&] { PairedTest({.margin = {.difference = 1.0}, .noise = shared(learned)}); }),
              Code::argument_noise);
    EXPECT_EQ(code_of([&] { PairedTest({.margin = {.ratio = 1.1}, .noise = shared(noise_of(history))}); }),
              Code::argument_noise);
    EXPECT_EQ(code_of([&] { paired_noise(std::vector<Values>{history}, 1, false, NoiseUnit::former); }),
              Code::argument_word);
}

// A noise written before units were known serves either margin, as it did.
TEST(PairedTest, NoiseOfBeforeGoesOn) {
    PairedNoise former = noise_of(draw(2000, 60));
    former.unit = NoiseUnit::former;
    former.level = 100;
    PairedTest ratio({.margin = {.ratio = 1.0}, .noise = shared(former)}), difference({.noise = shared(former)});
    const double rho = normal_mixture_precision(120, 0.05, true);
    double sum = 0, n = 0;
    for (const double d : draw(100, 61, 0.3)) {
        ratio.update(Pair{.baseline = 100, .canary = 100 + d});
        difference.update(d);
        sum += (former.score(d - former.offset) - former.mean_score) / std::sqrt(former.long_run_variance);
        n += 1;
        const double c = 1 + n / former.size;
        double expected = log_normal_mixture_with_precision(sum / c, n / c, rho, true);
        if (n < 12) expected = std::min(expected, 0.0);
        ASSERT_NEAR(difference.log_e_value(), expected, 1e-9);
        ASSERT_NEAR(ratio.log_e_value(), expected, 1e-6);  // 100 + d - 100 is not d to the last digit
    }
    EXPECT_TRUE(std::isinf(difference.horizon()));
    EXPECT_EQ(code_of([&] { difference.set_noise(shared(noise_of(draw(2000, 62)))); }), Code::argument_noise);
}

TEST(PairedTest, AnEstimateLiesInItsOwnInterval) {
    // Spikes: 3 % of the values are 400 times the noise. The mean is nowhere near the middle.
    Random random(63);
    const auto spiked = [&](std::size_t n, double shift) {
        Values values = draw(n, random(), shift);
        for (double& value : values)
            if (random() % 33 == 0) value += 400;
        return values;
    };
    for (const Harm harm : {Harm::increase, Harm::decrease, Harm::either}) {
        for (int round = 0; round < 20; ++round) {
            PairedNoise learned = noise_of(spiked(1500, 0));
            if (round % 2 == 0) {
                learned.instances = 8;
                learned.instances_baseline = 7;
                learned.instances_canary = 1;
                learned.instance_deviation = 0.2;
            }
            const double shift = 0.7 * (round - 10);  // within 12 typical differences, which is how far margins reach
            PairedTest test({.alpha_safe = 0.2, .harm = harm, .margin = {.difference = 0.5}, .noise = shared(learned)});
            for (const double d : spiked(150, shift)) {
                test.update(d);
                const Evidence shown = test.evidence();
                ASSERT_GE(shown.estimate, shown.lower);
                ASSERT_LE(shown.estimate, shown.upper);
            }
            // The middle of 150 is known to 1.25/sqrt(150) = .1; beyond two typical differences margins are 36 % apart.
            EXPECT_NEAR(test.evidence().estimate, shift, std::max(0.45, 0.36 * std::fabs(shift)));
        }
    }
}

TEST(PairedTest, EvidenceEndsWithAQuarterOfHistory) {
    const auto noise = shared(noise_of(draw(400, 64)));
    PairedTest one({.noise = noise});
    StartMixture<PairedTest> mixture{PairedTest({.noise = noise})};
    EXPECT_EQ(one.horizon(), 100);
    double then = 0, mixed = 0;
    Evidence shown;
    const Values data = draw(300, 65, 0.15);
    for (std::size_t i = 0; i < data.size(); ++i) {
        if (i % 30 == 0) mixture.begin(start_weight(static_cast<std::int64_t>(i / 30)));
        one.update(data[i] + (i >= 100 ? 5 : 0));
        mixture.update(data[i] + (i >= 100 ? 5 : 0));
        if (i == 99) {
            then = one.log_e_value();
            mixed = mixture.test().log_e_value();
            shown = one.evidence();
        }
    }
    EXPECT_EQ(one.log_e_value(), then);
    // Later starts take capital and bet nothing: their e-values stay 1.
    EXPECT_NEAR(std::exp(mixture.log_e_value()),
                std::exp(mixed) + 1 - (start_weight(0) + start_weight(1) + start_weight(2) + start_weight(3)), 1e-9);
    EXPECT_EQ(one.evidence().lower, shown.lower);
    EXPECT_EQ(one.evidence().upper, shown.upper);
    // A start that comes later has a quarter of history of its own: a detector of change never goes blind.
    one.add_start(1);
    for (const double d : draw(30, 66, 3)) one.update(d);
    EXPECT_GT(one.log_e_value(), then + 5);
}

TEST(PairedTest, AnotherScaleIsSaidAndIsNoHarm) {
    // Exponential differences: their median is not their mean, so twice as wide they have another mean score.
    const auto skewed = [](std::size_t n, std::uint64_t seed, double scale) {
        Random random(seed);
        std::exponential_distribution<double> exponential;
        Values values(n);
        for (double& value : values) value = scale * (exponential(random) - 1);
        return values;
    };
    int departed = 0, said = 0;
    for (std::uint64_t round = 0; round < 40; ++round) {
        const auto noise = shared(noise_of(skewed(2000, 100 + round, 1)));
        ASSERT_EQ(noise->scale_steps.size(), 9U);
        ASSERT_TRUE(std::is_sorted(noise->scale_steps.begin(), noise->scale_steps.end()));
        EXPECT_NEAR(noise->scale_steps[4], noise->step_score, 1e-12);
        EXPECT_GT(noise->scale_bias[7], 0.02);
        EXPECT_EQ(noise->scale_bias[4], 0);
        PairedTest alike({.noise = noise}), wider({.harm = Harm::decrease, .noise = noise}), harmful({.noise = noise});
        EXPECT_TRUE(std::isnan(alike.scale_departure().observed));
        for (const double d : skewed(400, 200 + round, 1)) {
            alike.update(d);
            harmful.update(d + 2);
            departed += alike.scale_departure().beyond ? 1 : 0;
            // A constant harm leaves the changes from interval to interval alone.
            if (alike.n() > 1) {
                ASSERT_NEAR(harmful.scale_departure().observed, alike.scale_departure().observed, 1e-12);
            }
        }
        for (const double d : skewed(400, 300 + round, 2)) wider.update(d);
        said += wider.scale_departure().beyond ? 1 : 0;
        EXPECT_GT(wider.scale_departure().observed, wider.scale_departure().history);
        EXPECT_TRUE(harmful.decided());
        EXPECT_FALSE(wider.decided()) << round;
    }
    EXPECT_EQ(said, 40);
    EXPECT_LE(departed, 400 * 4);  // .02 of 40 rollouts is one; four are beyond chance
}

TEST(PairedTest, InstancesMoveTheMargin) {
    PairedNoise learned = noise_of(draw(2000, 22));
    learned.instances = 10;
    learned.instances_baseline = 9;
    learned.instances_canary = 1;
    PairedNoise apart = learned;
    apart.instance_deviation = 0.5;
    PairedTest alike({.noise = shared(learned)}), differing({.noise = shared(apart)});
    for (const double d : draw(400, 23, 0.8)) {
        alike.update(Pair{.canary = d, .instances_baseline = 9, .instances_canary = 1});
        differing.update(Pair{.canary = d, .instances_baseline = 9, .instances_canary = 1});
    }
    // .8 is far beyond the noise of the mean, and within what two instances of one version may differ by.
    EXPECT_TRUE(alike.decided());
    EXPECT_FALSE(differing.decided());
    EXPECT_LT(differing.evidence().lower, 0);
}

TEST(PairedTest, ANewStageGoesOnWithItsOwnNoise) {
    const auto first = shared(noise_of(draw(2000, 24, 0, 0, 4))), second = shared(noise_of(draw(2000, 24)));
    PairedTest test({.noise = first});
    for (const double d : draw(30, 26, 0.4)) test.update(4 * d);
    const double before = test.log_e_value();
    test.set_noise(second);
    EXPECT_NEAR(test.log_e_value(), before, 1e-9);  // the same noise in a quarter of the unit
    for (const double d : draw(60, 27, 0.8)) test.update(d);
    EXPECT_GT(test.log_e_value(), before + 3);
    EXPECT_EQ(code_of([&] { test.set_noise(nullptr); }), Code::argument_range);
    EXPECT_EQ(code_of([&] { PairedTest().set_noise(first); }), Code::argument_range);
}

TEST(PairedTest, LearnsOnTheWayWithoutNoise) {
    PairedTest harm, quiet;
    for (const double d : draw(200, 28)) {
        harm.update(d + 1);
        quiet.update(d);
    }
    EXPECT_TRUE(harm.decided());
    EXPECT_FALSE(quiet.decided());
    EXPECT_EQ(harm.evidence().method, "t_mixture");
    EXPECT_GT(harm.evidence().lower, 0);
    EXPECT_LT(harm.evidence().lower, 1);
    PairedTest flat;
    for (int i = 0; i < 100; ++i) flat.update(3.0);
    EXPECT_FALSE(flat.decided());
}

TEST(PairedTest, StateGoesOnToTheBitAndIsSmall) {
    const auto noise = shared(noise_of(draw(1500, 29, 0, 0.7)));
    for (const auto& known : {noise, std::shared_ptr<const PairedNoise>()}) {
        const PairedOptions options{.harm = Harm::either, .margin = {.difference = 0.3}, .noise = known};
        StartMixture<PairedTest> mixture{PairedTest(options)};
        PairedTest one(options), other(options);
        const Values data = draw(900, 30, 0.1, 0.7);
        for (std::size_t i = 0; i < data.size(); ++i) {
            if (i % 30 == 0) mixture.begin(start_weight(static_cast<std::int64_t>(i / 30)));
            one.update(data[i]);
            mixture.update(data[i]);
            if (i == 400) other.restore(decode<PairedState>(encode(one.state())));
            if (i > 400) {
                other.update(data[i]);
                ASSERT_EQ(one.log_e_value(), other.log_e_value());
                ASSERT_EQ(one.evidence().lower, other.evidence().lower);
            }
        }
        EXPECT_LE(encode(one.state()).size(), 4096U);
        PairedTest strange({.harm = Harm::either, .margin = {.difference = 0.31}, .noise = known});
        EXPECT_EQ(code_of([&] { strange.restore(one.state()); }), Code::state_options);
        PairedState broken = one.state();
        broken.time = -1;
        EXPECT_EQ(code_of([&] { other.restore(broken); }), Code::state_invariant);
    }
}

TEST(PairedTest, ImpossibleOptionsAreNamed) {
    EXPECT_EQ(code_of([] { PairedTest({.alpha = 0}); }), Code::argument_range);
    EXPECT_EQ(code_of([] { PairedTest({.alpha_safe = 1.0}); }), Code::argument_range);
    EXPECT_EQ(code_of([] { PairedTest({.margin = {.ratio = 0.9}}); }), Code::argument_margin);
    EXPECT_EQ(code_of([] { PairedTest({.margin = {}}); }), Code::argument_margin);
    EXPECT_EQ(code_of([] { PairedTest({.margin = {.difference = -1.0}}); }), Code::argument_margin);
    PairedTest test;
    EXPECT_EQ(code_of([&] { test.update(1, 0); }), Code::argument_range);
    EXPECT_EQ(code_of([&] { test.update(Pair{.instances_canary = -1}); }), Code::argument_range);
    EXPECT_EQ(test.n(), 0);
}

}  // namespace
