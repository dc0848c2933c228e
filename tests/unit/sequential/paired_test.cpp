// PairedTest, its noise, the t-mixture, and SignedRankTest.

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
#include <serinus/sequential/detail/score_table.hpp>
#include <serinus/sequential/detail/t_mixture.hpp>
#include <serinus/sequential/noise/learn_paired_noise.hpp>
#include <serinus/sequential/noise/noise_bounds.hpp>
#include <serinus/sequential/noise/paired_noise.hpp>
#include <serinus/sequential/paired.hpp>
#include <serinus/sequential/signed_rank.hpp>
#include <serinus/sequential/start_mixture.hpp>

#include "support/code_of.hpp"

namespace {

using namespace serinus;
using namespace serinus::sequential;
using Random = std::mt19937_64;
using Values = std::vector<double>;

constexpr double infinity = std::numeric_limits<double>::infinity();
const double nan_value = std::nan("");

Values draw(std::size_t n, std::uint64_t seed, double mean = 0, double phi = 0, double unit = 1) {
    Random random(seed);
    std::normal_distribution<double> normal;
    Values values(n);
    double state = normal(random);
    for (double& value : values) {
        state = phi * state + std::sqrt(1 - phi * phi) * normal(random);
        value = unit * (mean + state);
    }
    return values;
}

PairedNoise noise_of(const Values& history) {
    double magnitude = 0;
    for (const double d : history) magnitude = std::max(magnitude, std::fabs(d));
    return paired_noise(std::vector<Values>{history}, magnitude, false);
}

std::shared_ptr<const PairedNoise> shared(PairedNoise noise) {
    return std::make_shared<const PairedNoise>(std::move(noise));
}

// ---- noise

TEST(PairedNoise, TableIsTheQuantilesAndScoresAreSignedRanks) {
    const Values history = draw(2000, 1, 0.3);
    const PairedNoise noise = noise_of(history);
    ASSERT_EQ(noise.table.size(), 256U);
    EXPECT_TRUE(std::is_sorted(noise.table.begin(), noise.table.end()));
    EXPECT_NEAR(noise.offset, 0.3, 4 * 1.2533 / std::sqrt(2000.0));
    EXPECT_NEAR(noise.scale(), 0.6745, 0.05);
    // Of a uniform on (-1, 1), and above by what the minimum rule may add.
    EXPECT_GT(noise.long_run_variance, 0.9 / 3);
    EXPECT_LT(noise.long_run_variance, 1.0);
    EXPECT_NEAR(noise.mean_score, 0, 0.05);
    EXPECT_EQ(noise.wander, 0);
    EXPECT_FALSE(defect(noise));
    double before = -1;
    for (double d = -6; d <= 6; d += 0.01) {
        const double score = noise.score(d);
        EXPECT_GE(score, before);
        EXPECT_DOUBLE_EQ(score, -noise.score(-d));
        EXPECT_LT(std::fabs(score), 1);
        before = score;
    }
    EXPECT_EQ(noise.score(0), 0);
    EXPECT_EQ(noise.score(infinity), 256.5 / 257);
    // Brute force: how many of the table lie below, ties half.
    for (const double d : draw(200, 2)) {
        double below = 0;
        for (const double q : noise.table) below += q < std::fabs(d) ? 1 : 0;
        EXPECT_DOUBLE_EQ(noise.score(d), std::copysign((below + 0.5) / 257, d));
    }
}

TEST(ScoreTable, IsTheScoreToTheBit) {
    // Tables shorter than the padding, with ties and zeros, of every length that a search can stumble over.
    for (const std::size_t size : {1U, 2U, 3U, 17U, 127U, 128U, 129U, 255U, 256U}) {
        PairedNoise noise = noise_of(draw(600, size));
        Random random(size);
        std::uniform_int_distribution<int> steps(0, 40);
        noise.table.resize(size);
        for (double& value : noise.table) value = steps(random) / 16.0;
        std::sort(noise.table.begin(), noise.table.end());
        for (const double resolution : {0.0, 0.05}) {
            noise.resolution = resolution;
            const ScoreTable table(noise);
            Values differences = draw(400, size + 1, 0, 0, 1.5);
            for (const double value : noise.table) {
                for (const double near : {-1e-8, -1e-10, 0.0, 1e-10, 1e-8}) {
                    differences.push_back(value * (1 + near));
                    differences.push_back(-value * (1 + near));
                }
            }
            for (const double extreme : {0.0, -0.0, 1e300, -1e300, infinity, -infinity, 5e-324})
                differences.push_back(extreme);
            for (std::size_t from = 0; from < differences.size(); from += ScoreTable::most) {
                const std::size_t count = std::min(ScoreTable::most, differences.size() - from);
                Values scores(differences.begin() + static_cast<std::ptrdiff_t>(from),
                              differences.begin() + static_cast<std::ptrdiff_t>(from + count));
                table.score(noise, scores);
                for (std::size_t i = 0; i < count; ++i)
                    ASSERT_EQ(scores[i], noise.score(differences[from + i])) << size << " " << differences[from + i];
            }
        }
    }
}

TEST(PairedNoise, LongRunVarianceFollowsTheDependence) {
    EXPECT_GT(noise_of(draw(2000, 3, 0, 0.9)).long_run_variance, 10 * noise_of(draw(2000, 3)).long_run_variance);
    EXPECT_LT(noise_of(draw(2000, 3, 0, 0.9)).degrees_of_freedom, 300);
}

TEST(PairedNoise, ASlowWanderIsSeenAndPlainNoiseIsNot) {
    // White noise upon a swing over thousands of intervals, longer than any model of the first lags can know.
    int plain = 0;
    for (std::uint64_t seed = 0; seed < 300; ++seed) plain += noise_of(draw(1500, seed, 0, 0.5)).wander > 0;
    EXPECT_LE(plain, 6);  // three looks at .001 each
    Values slow = draw(10000, 5);
    for (std::size_t i = 0; i < slow.size(); ++i) slow[i] += 0.6 * std::sin(static_cast<double>(i) / 1600);
    const PairedNoise noise = noise_of(slow);
    EXPECT_NEAR(noise.wander, 0.6 / std::sqrt(2.0), 0.2);
    EXPECT_GE(noise.wander_degrees, 3);
    EXPECT_GT(noise_reach(noise, 0.025, 0), noise.wander);
}

TEST(PairedNoise, TooLittleIsSaidByNoDegreesOfFreedom) {
    EXPECT_EQ(noise_of(draw(8, 1, 0, 0.9)).degrees_of_freedom, 0);
    EXPECT_EQ(noise_of(Values(500, 0.0)).degrees_of_freedom, 0);
    EXPECT_EQ(noise_of({}).degrees_of_freedom, 0);
    EXPECT_TRUE(defect(noise_of({})));
    EXPECT_EQ(code_of([] { noise_of({1, infinity}); }), Code::argument_infinite);
}

TEST(PairedNoise, EveryFieldThatCannotBeIsNamed) {
    const PairedNoise good = noise_of(draw(500, 9));
    for_each_number(good, [&](const char* field, double) {
        PairedNoise bad = good;
        for_each_number(bad, [&](const char* same, double& number) {
            if (std::string(same) == field) number = nan_value;
        });
        const auto found = defect(bad);
        ASSERT_TRUE(found) << field;
        EXPECT_EQ(found->field, field);
        EXPECT_EQ(code_of([&] { PairedTest({.noise = shared(bad)}); }), Code::argument_range);
    });
    PairedNoise bad = good;
    std::swap(bad.table.front(), bad.table.back());
    EXPECT_EQ(defect(bad)->field, "table[1]");
}

// ---- t-mixture

TEST(TMixture, OneSidedIsTheTwoSidedTimesTwiceThePosterior) {
    // The two directions' evidence averages to the two-sided one.
    for (const double mean : {-2.0, -0.1, 0.3, 1.5}) {
        for (const double n : {6.0, 20.0, 150.0}) {
            const double up = log_t_mixture_one_sided(mean, 1.7, n), down = log_t_mixture_one_sided(-mean, 1.7, n);
            const double nu = n - 1, t2 = mean * mean / (1.7 / n), r = 1 / (1 + n);
            const double both = 0.5 * std::log(r) + n / 2 * (std::log1p(t2 / nu) - std::log1p(r * t2 / nu));
            EXPECT_NEAR(std::log((std::exp(up) + std::exp(down)) / 2), both, 1e-9);
        }
    }
    EXPECT_EQ(log_t_mixture_one_sided(1, 0, 10), 0);
    EXPECT_EQ(log_t_mixture_one_sided(1, 1, 1), 0);
}

// ---- the test

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

// Instances take turns: what a rollout subtracts is the centre that the scores were learned about.
TEST(PairedNoise, SkewedInstancesKeepTheirCentre) {
    Random random(67);
    std::exponential_distribution<double> exponential;
    const auto differences = [&](std::size_t n, double own) {
        Values values(n);
        for (double& value : values) {
            double rest = 0;
            for (int i = 0; i < 9; ++i) rest += exponential(random) / 9;
            value = own + exponential(random) - rest;
        }
        return values;
    };
    std::vector<Values> turns;
    for (const double own : {-0.4, 0.0, 0.4}) turns.push_back(differences(4000, own));
    const PairedNoise noise = paired_noise(turns, 1, true);
    double mean = 0;
    const Values rollout = differences(20000, 0);
    for (const double d : rollout) mean += (noise.score(d - noise.offset) - noise.mean_score) / 20000;
    EXPECT_LT(noise.offset, -0.15);
    // sqrt(1/3)/sqrt(20000) = .004 of the rollout, .005 of history's 12,000, and the medians' error .01.
    EXPECT_NEAR(mean, 0, 0.04);
}

TEST(PairedNoise, GapsKeepTheirLags) {
    for (const double phi : {0.6, 0.9}) {
        const Values whole = draw(6000, 68, 0, phi);
        Values gaps = whole, closed;
        Random random(69);
        for (double& value : gaps) {
            if (random() % 10 < 6) {
                value = nan_value;
            } else {
                closed.push_back(value);
            }
        }
        const double full = noise_of(whole).long_run_variance, kept = noise_of(gaps).long_run_variance;
        EXPECT_GT(kept, 0.7 * full);
        EXPECT_LT(kept, 2 * full);
        EXPECT_LT(dependence(closed).long_run_variance(), 0.75 * dependence(whole).long_run_variance());
        EXPECT_EQ(noise_of(gaps).size, static_cast<double>(closed.size()));
    }
}

TEST(PairedNoise, SlowSwingsAreSeen) {
    // An AR(1) of .99 under one of .5: the first lags say next to nothing of it.
    int seen = 0;
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
        Values values = draw(2000, 400 + seed, 0, 0.5);
        const Values slow = draw(2000, 500 + seed, 0, 0.99);
        for (std::size_t i = 0; i < values.size(); ++i) values[i] += 0.3 * slow[i];
        const PairedNoise noise = noise_of(values);
        // In the long-run variance, or as a wander that moves the margin.
        seen += noise.degrees_of_freedom <= 12 || noise.wander > 0 ? 1 : 0;
        EXPECT_EQ(noise.horizon(), 500);
        EXPECT_GT(variance_factor(noise, 0.001), variance_factor(noise, 0.05));
    }
    EXPECT_GE(seen, 40);
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

// ---- signed sequential ranks

TEST(SignedRankTest, IsTheFormula) {
    SignedRankTest test;
    Values sizes;
    std::array<double, 9> wealth;
    wealth.fill(1);
    for (const double d : draw(100, 31, 0.3)) {
        test.update(d);
        sizes.push_back(std::fabs(d));
        double at_most = 0;
        for (const double s : sizes) at_most += s <= std::fabs(d) ? 1 : 0;
        const double rank = (at_most - 0.5) / static_cast<double>(sizes.size());
        double mean = 0;
        for (std::size_t j = 0; j < 9; ++j) {
            wealth[j] *= 1 + static_cast<double>(j + 1) / 10 * std::copysign(rank, d);
            mean += wealth[j] / 9;
        }
        ASSERT_NEAR(test.log_e_value(), std::log(mean), 1e-9);
    }
}

TEST(SignedRankTest, KeepsItsPromiseForSymmetricDifferences) {
    // 4,000 rollouts of 300 intervals of Cauchy noise: ever beyond 1/alpha with probability at most alpha.
    constexpr int rounds = 4000;
    Random random(32);
    std::cauchy_distribution<double> cauchy;
    int alarms = 0, found = 0;
    for (int i = 0; i < rounds; ++i) {
        SignedRankTest good, bad;
        for (int t = 0; t < 300 && !good.decided(); ++t) good.update(cauchy(random));
        alarms += good.decided();
        if (i % 40 != 0) continue;
        for (int t = 0; t < 120 && !bad.decided(); ++t) bad.update(cauchy(random) + 1.5);
        found += bad.decided();
    }
    EXPECT_LE(alarms, rounds * 0.05 + 4 * std::sqrt(rounds * 0.0475));
    EXPECT_GE(found, 90);
}

TEST(SignedRankTest, DirectionsStateAndErrors) {
    SignedRankTest up, down({.harm = Harm::decrease}), either({.harm = Harm::either});
    for (const double d : draw(400, 33, 0.1)) {
        up.update(d);
        down.update(-d);
        either.update(d);
    }
    EXPECT_EQ(up.log_e_value(), down.log_e_value());
    SignedRankTest again({.harm = Harm::either});
    again.restore(decode<SignedRankState>(encode(either.state())));
    for (const double d : draw(50, 34)) {
        again.update(d);
        either.update(d);
        ASSERT_EQ(again.log_e_value(), either.log_e_value());
    }
    EXPECT_LE(encode(up.state()).size(), 4096U);
    EXPECT_EQ(code_of([&] { up.restore(down.state()); }), Code::state_options);
    SignedRankState broken = up.state();
    broken.above.pop_back();
    EXPECT_EQ(code_of([&] { up.restore(broken); }), Code::state_invariant);
    EXPECT_EQ(code_of([] { SignedRankTest({.alpha = 2}); }), Code::argument_range);
    EXPECT_EQ(code_of([] { SignedRankTest({.margin = {.ratio = 1.1}}); }), Code::argument_margin);
    SignedRankTest none;
    none.update(0);
    none.update(nan_value);
    EXPECT_NEAR(none.log_e_value(), 0, 1e-15);
    EXPECT_EQ(none.n(), 1);
}

}  // namespace
