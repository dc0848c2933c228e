// Noise from history, and gauges judged with it.

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <fstream>
#include <functional>
#include <limits>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/core/state.hpp>
#include <serinus/io/calibration.hpp>
#include <serinus/io/plan.hpp>
#include <serinus/report/calibration.hpp>
#include <serinus/report/text.hpp>
#include <serinus/rollout/calibrate.hpp>
#include <serinus/rollout/monitor.hpp>
#include <serinus/rollout/monitor_state.hpp>

namespace {

using namespace serinus;
using Random = std::mt19937_64;

constexpr std::int64_t interval = 60'000;

Plan gauge_plan(Margin margin = {.ratio = 1.1}, std::vector<double> traffic = {0.1, 0.5}) {
    Plan plan;
    plan.name = "checkout";
    plan.interval = std::chrono::milliseconds(interval);
    for (const double share : traffic)
        plan.stages.push_back(Stage{.traffic = share, .min = std::chrono::milliseconds(10 * interval)});
    Metric metric;
    metric.name = "p95";
    metric.kind = Kind::gauge;
    metric.series = "latency";
    metric.margin = margin;
    plan.metrics = {metric};
    return plan;
}

struct World {
    double level = 100, noise = 4, tau = 0, phi = 0, unit = 1;
};

/// One instance's gauge over some intervals.
void add(Batch& batch, Arm arm, const std::string& instance, std::size_t n, const World& world, double factor,
         Random& random) {
    std::normal_distribution<double> normal;
    ArmSeries& out = batch.series.emplace_back();
    out.name = "latency";
    out.arm = arm;
    out.le = std::nan("");
    out.series.instance = instance;
    const double own = world.tau * normal(random);
    double state = normal(random);
    for (std::size_t i = 0; i < n; ++i) {
        state = world.phi * state + std::sqrt(1 - world.phi * world.phi) * normal(random);
        out.series.times_ms.push_back(static_cast<std::int64_t>(i) * interval);
        out.series.values.push_back(world.unit * factor * (world.level + own + world.noise * state));
    }
}

Batch pair(std::size_t n, double factor, std::uint64_t seed, const World& world = {}) {
    Random random(seed);
    Batch batch;
    add(batch, Arm::baseline, "", n, world, 1, random);
    add(batch, Arm::canary, "", n, world, factor, random);
    return batch;
}

Batch instances(std::size_t k, std::size_t n, std::uint64_t seed, const World& world) {
    Random random(seed);
    Batch batch;
    for (std::size_t i = 0; i < k; ++i) add(batch, Arm::baseline, "i" + std::to_string(i), n, world, 1, random);
    return batch;
}

bool says(const std::vector<Reason>& reasons, Code code) {
    return std::any_of(reasons.begin(), reasons.end(), [&](const Reason& reason) { return reason.code == code; });
}

TEST(Calibrate, APairTeachesItsNoise) {
    World apart;
    Batch history = pair(2000, 1.0, 1);
    for (double& v : history.series[1].series.values) v += 3;  // the canary's arm reads 3 more by itself
    double last = 0;
    int calls = 0;
    const Calibration learned = calibrate(gauge_plan(), history, [&](double share) {
        EXPECT_GE(share, last);
        last = share;
        ++calls;
    });
    EXPECT_EQ(last, 1);
    EXPECT_GE(calls, 2);
    ASSERT_EQ(learned.metrics.size(), 1U);
    const MetricCalibration& p95 = learned.metrics[0];
    EXPECT_TRUE(p95.learned);
    EXPECT_EQ(p95.differences, 2000);
    EXPECT_NEAR(p95.typical, 0.6745 * 4 * std::sqrt(2.0), 0.4);
    EXPECT_NEAR(p95.level, 100, 1);
    ASSERT_EQ(learned.noise.at("p95").stages.size(), 2U);
    EXPECT_NEAR(learned.noise.at("p95").stages[0].offset, std::log(1.03), 0.006);  // a ratio margin: of logarithms
    ASSERT_EQ(p95.held_back.size(), 2U);
    EXPECT_GE(p95.held_back[0].windows, 8);
    EXPECT_EQ(p95.held_back[0].alarms, 0);
    EXPECT_TRUE(says(p95.reasons, Code::history_pair));
    EXPECT_TRUE(says(p95.reasons, Code::history_offset));
    EXPECT_FALSE(says(calibrate(gauge_plan(), pair(2000, 1.0, 2)).metrics[0].reasons, Code::history_offset));
}

TEST(Calibrate, InstancesTakeTurnsInTheSharesOfTheStages) {
    const Calibration learned = calibrate(gauge_plan(), instances(10, 1500, 3, {.tau = 3, .phi = 0.6}));
    const MetricCalibration& p95 = learned.metrics[0];
    ASSERT_TRUE(p95.learned);
    EXPECT_EQ(p95.instances, 10);
    EXPECT_NEAR(p95.instance_deviation, 3, 2);
    const auto& stages = learned.noise.at("p95").stages;
    EXPECT_EQ(stages[0].instances_canary, 1);
    EXPECT_EQ(stages[0].instances_baseline, 9);
    EXPECT_EQ(stages[1].instances_canary, 5);
    EXPECT_EQ(stages[1].instances_baseline, 5);
    // Means of five are steadier than one instance.
    EXPECT_LT(stages[1].scale(), 0.8 * stages[0].scale());
    EXPECT_TRUE(says(p95.reasons, Code::history_instances));
    EXPECT_FALSE(says(p95.reasons, Code::single_instance));
    // However few they are, the rollout compares them with each other.
    const Calibration few = calibrate(gauge_plan(), instances(3, 1500, 3, {}));
    EXPECT_FALSE(says(few.metrics[0].reasons, Code::single_instance));
    EXPECT_TRUE(says(few.metrics[0].reasons, Code::history_levels));
    EXPECT_EQ(few.noise.at("p95").instances->names.size(), 3U);
}

TEST(Calibrate, TooLittleIsAResultWithItsReason) {
    const auto reasons = [](const Batch& history, const Margin& margin = {.ratio = 1.1}) {
        const Calibration learned = calibrate(gauge_plan(margin), history);
        EXPECT_FALSE(learned.metrics[0].learned);
        EXPECT_TRUE(learned.noise.empty());
        return learned.metrics[0].reasons;
    };
    EXPECT_TRUE(says(reasons(Batch{}), Code::history_missing));
    EXPECT_TRUE(says(reasons(instances(1, 500, 4, {})), Code::history_no_pair));
    EXPECT_TRUE(says(reasons(pair(5, 1, 5)), Code::history_short));
    EXPECT_TRUE(says(reasons(pair(300, 1, 6, {.noise = 0})), Code::history_constant));
    EXPECT_TRUE(says(reasons(pair(300, 1, 7, {.level = -100})), Code::history_level));
    // A difference margin needs no level.
    EXPECT_TRUE(calibrate(gauge_plan({.difference = 5.0}), pair(300, 1, 7, {.level = -100})).metrics[0].learned);
    const auto thin = calibrate(gauge_plan(), pair(300, 1, 8)).metrics[0].reasons;
    const auto said =
        std::find_if(thin.begin(), thin.end(), [](const Reason& r) { return r.code == Code::history_thin; });
    ASSERT_NE(said, thin.end());
    EXPECT_EQ(said->numbers[1].name, "horizon");
    EXPECT_EQ(said->numbers[1].value, 75);  // a quarter
    EXPECT_FALSE(says(calibrate(gauge_plan(), pair(5000, 1, 8)).metrics[0].reasons, Code::history_thin));
    // Values of 0 have no ratio: a few are left out, more say so.
    Batch zeros = pair(1000, 1, 9);
    for (std::size_t i = 0; i < 9; ++i) zeros.series[1].series.values[100 * i] = 0;
    EXPECT_TRUE(calibrate(gauge_plan(), zeros).metrics[0].learned);
    for (std::size_t i = 0; i < 20; ++i) zeros.series[0].series.values[7 + 40 * i] = -1;
    EXPECT_TRUE(says(reasons(zeros), Code::history_not_positive));
    EXPECT_TRUE(calibrate(gauge_plan({.difference = 5.0}), zeros).metrics[0].learned);
}

TEST(Calibrate, NoiseHasTheUnitOfItsMargin) {
    const Plan ratio = with_noise(gauge_plan(), calibrate(gauge_plan(), pair(1000, 1, 31)));
    const Plan difference =
        with_noise(gauge_plan({.difference = 5.0}), calibrate(gauge_plan({.difference = 5.0}), pair(1000, 1, 31)));
    EXPECT_EQ(ratio.noise.at("p95").stages[0].unit, sequential::NoiseUnit::log);
    EXPECT_EQ(difference.noise.at("p95").stages[0].unit, sequential::NoiseUnit::own);
    EXPECT_EQ(io::read_plan(io::write_plan(ratio)).noise, ratio.noise);
    const auto refused = [](Plan plan, const Plan& from) {
        plan.noise = from.noise;
        try {
            check(plan);
        } catch (const Error& error) {
            return error.code() == Code::plan_value &&
                   std::string(error.what()).find("calibrate again") != std::string::npos;
        }
        return false;
    };
    EXPECT_TRUE(refused(ratio, difference));
    EXPECT_TRUE(refused(difference, ratio));
    // What was written before there were units serves either margin, and is written as it was read.
    Plan former = difference;
    for (sequential::PairedNoise& stage : former.noise.at("p95").stages) {
        stage.unit = sequential::NoiseUnit::former;
        stage.score_variance = stage.step_score = stage.step_variance = 0;
        stage.scale_steps.clear();
        stage.scale_bias.clear();
    }
    const std::string written = io::write_plan(former);
    EXPECT_EQ(written.find("unit"), std::string::npos);
    EXPECT_EQ(written.find("step_score"), std::string::npos);
    EXPECT_EQ(io::read_plan(written).noise, former.noise);
    EXPECT_FALSE(refused(ratio, former));
    EXPECT_FALSE(refused(difference, former));
}

TEST(Calibrate, ProportionsLearnTheirDispersion) {
    Plan plan;
    plan.name = "errors";
    plan.interval = std::chrono::milliseconds(interval);
    plan.stages = {Stage{.traffic = 0.5}};
    Metric metric;
    metric.name = "errors";
    metric.bad = "bad";
    metric.total = "total";
    metric.margin = {.ratio = 2.0};
    plan.metrics = {metric};
    // Beta-binomial with variance about 1 + 400/(200 + 1) = 3 times the binomial one; and plain binomial.
    for (const bool over : {true, false}) {
        Random random(9);
        std::gamma_distribution<double> bad(4, 1), good(196, 1);
        Batch history;
        for (const Arm arm : {Arm::baseline, Arm::canary}) {
            for (const char* name : {"bad", "total"}) {
                ArmSeries& out = history.series.emplace_back();
                out.name = name;
                out.arm = arm;
                out.le = std::nan("");
            }
            for (std::int64_t i = 0; i < 3000; ++i) {
                const double a = bad(random), b = good(random);
                const double p = over ? a / (a + b) : 0.02;
                const double x = std::binomial_distribution<int>(400, p)(random);
                for (std::size_t s = 0; s < 2; ++s) {
                    Series& series = history.series[history.series.size() - 2 + s].series;
                    series.times_ms.push_back(i * interval);
                    series.values.push_back(s == 0 ? x : 400);
                }
            }
        }
        const Calibration learned = calibrate(plan, history);
        ASSERT_TRUE(learned.metrics[0].learned);
        const double phi = *learned.noise.at("errors").dispersion;
        if (over) {
            EXPECT_GT(phi, 2.4);
            EXPECT_LT(phi, 5);
        } else {
            EXPECT_GE(phi, 1);
            EXPECT_LT(phi, 1.7);
        }
        EXPECT_EQ(with_noise(plan, learned).noise.at("errors").dispersion, phi);
    }
}

/// Two arms of counts, as cumulative counters that are read at the end of each interval.
struct CountHistory {
    std::array<std::vector<double>, 2> bad, total;

    CountHistory(std::size_t n, double share, std::uint64_t seed) {
        Random random(seed);
        for (std::size_t arm = 0; arm < 2; ++arm) {
            for (std::size_t i = 0; i < n; ++i) {
                const int size = 300 + static_cast<int>(random() % 200);
                total[arm].push_back(size);
                bad[arm].push_back(std::binomial_distribution<int>(size, share)(random));
            }
        }
    }

    static ArmSeries& add(Batch& batch, const std::string& name, std::size_t arm, const std::vector<double>& counts) {
        ArmSeries& out = batch.series.emplace_back();
        out.name = name;
        out.arm = static_cast<Arm>(arm);
        out.series.instance = "web-1";
        double sum = 7'000;
        for (std::size_t i = 0; i <= counts.size(); ++i) {
            out.series.times_ms.push_back(static_cast<std::int64_t>(i) * interval);
            out.series.values.push_back(sum);
            if (i < counts.size()) sum += counts[i];
        }
        return out;
    }
    Batch plain() const {
        Batch batch;
        for (std::size_t arm = 0; arm < 2; ++arm) {
            add(batch, "bad", arm, bad[arm]);
            add(batch, "total", arm, total[arm]);
        }
        return batch;
    }
};

double dispersion_of(const Plan& plan, const Batch& history) {
    const Calibration learned = calibrate(plan, history);
    EXPECT_TRUE(learned.metrics.at(0).learned);
    return learned.noise.at("errors").dispersion.value_or(0);
}

Plan count_plan() {
    Plan plan;
    plan.name = "errors";
    plan.interval = std::chrono::milliseconds(interval);
    plan.stages = {Stage{.traffic = 0.5}};
    Metric metric;
    metric.name = "errors";
    metric.bad = "bad";
    metric.total = "total";
    metric.counter = true;
    metric.margin = {.ratio = 2.0};
    plan.metrics = {metric};
    return plan;
}

// As in a rollout: what a collector, a querier or a label does to counters is no noise of the service.
TEST(Calibrate, HistoryIsReadAsARolloutIs) {
    const Plan plan = count_plan();
    const CountHistory history(1'000, 0.05, 21);
    const double phi = dispersion_of(plan, history.plain());

    // One sample that falls by one, as behind a querier that switches: no restart of seven thousand requests.
    Batch dips = history.plain();
    for (ArmSeries& of : dips.series) {
        for (std::size_t i = 10; i + 1 < 1'000; i += 50) {
            of.series.times_ms.push_back(of.series.times_ms[i] + interval / 2);
            of.series.values.push_back(of.series.values[i] - 1);
        }
    }
    EXPECT_EQ(dispersion_of(plan, dips), phi);

    // Two collectors of the same targets.
    Batch twice = history.plain();
    for (std::size_t i = 0; i < 4; ++i) {
        twice.series[i].replica = "a";
        twice.series.push_back(twice.series[i]);
        twice.series.back().replica = "b";
        for (std::int64_t& time : twice.series.back().series.times_ms) time += interval / 3;
    }
    EXPECT_EQ(dispersion_of(plan, twice), phi);

    // The counter by label: what each counts is summed.
    Batch labels = history.plain();
    for (const std::size_t place : {1U, 3U}) {
        ArmSeries half = labels.series[place];
        half.labels = "{code=\"200\"}";
        for (double& value : half.series.values) value = std::floor(value / 2);
        for (std::size_t i = 0; i < half.series.values.size(); ++i)
            labels.series[place].series.values[i] -= half.series.values[i];
        labels.series.push_back(half);
    }
    EXPECT_EQ(dispersion_of(plan, labels), phi);
}

TEST(Calibrate, ErrorCountersAreZeroBeforeTheyAreBorn) {
    const Plan plan = count_plan();
    const CountHistory history(2'000, 0.0002, 22);
    const Batch all = history.plain();
    Batch late;
    for (const ArmSeries& of : all.series) {
        if (of.name == "total") {
            late.series.push_back(of);
            continue;
        }
        ArmSeries& born = late.series.emplace_back(of);
        born.series.times_ms.clear();
        born.series.values.clear();
        for (std::size_t i = 0; i < of.series.values.size(); ++i) {
            const double value = of.series.values[i] - of.series.values[0];
            if (value == 0) continue;
            born.series.times_ms.push_back(of.series.times_ms[i]);
            born.series.values.push_back(value);
        }
        ASSERT_GT(born.series.values.size(), 10);
        ASSERT_LT(born.series.values.size(), of.series.values.size());
    }
    EXPECT_EQ(dispersion_of(plan, late), dispersion_of(plan, all));
}

TEST(Calibrate, TheSlowOnesAreLearnedFromABucket) {
    const CountHistory history(1'000, 0.05, 23);
    const double phi = dispersion_of(count_plan(), history.plain());
    Plan plan = count_plan();
    plan.metrics[0].bad.clear();
    plan.metrics[0].good = plan.metrics[0].total = "latency_bucket";
    plan.metrics[0].le = 0.3;
    Batch buckets;
    for (std::size_t arm = 0; arm < 2; ++arm) {
        std::vector<double> good;
        for (std::size_t i = 0; i < 1'000; ++i) good.push_back(history.total[arm][i] - history.bad[arm][i]);
        CountHistory::add(buckets, "latency_bucket", arm, good).le = 0.3;
        CountHistory::add(buckets, "latency_bucket", arm, std::vector<double>(1'000, 3)).le = 0.1;
        CountHistory::add(buckets, "latency_bucket", arm, history.total[arm]).le =
            std::numeric_limits<double>::infinity();
    }
    EXPECT_EQ(dispersion_of(plan, buckets), phi);
    plan.metrics[0].le = 0.2;
    EXPECT_THROW(calibrate(plan, buckets), Error);
}

TEST(Calibrate, NoiseGoesThroughJsonToTheBit) {
    const Plan plan = with_noise(gauge_plan(), calibrate(gauge_plan(), instances(8, 1500, 10, {.tau = 2, .phi = 0.7})));
    const Plan again = io::read_plan(io::write_plan(plan));
    EXPECT_EQ(again, plan);
    EXPECT_EQ(digest(again), digest(plan));
    EXPECT_NE(digest(plan), digest(gauge_plan()));
    Plan moved = plan;
    moved.noise.at("p95").stages[1].table[7] += 1e-9;
    EXPECT_NE(digest(moved), digest(plan));
    moved = plan;
    moved.stages.push_back(Stage{.traffic = 1});
    EXPECT_THROW(check(moved), Error);  // noise for every stage
}

// ---- judged

TEST(Gauge, HarmIsFoundAndAGoodCanaryPasses) {
    for (const Margin& margin : {Margin{.ratio = 1.1}, Margin{.ratio = std::nullopt, .difference = 10.0}}) {
        const Plan plan = with_noise(gauge_plan(margin), calibrate(gauge_plan(margin), pair(2000, 1, 11)));
        const Decision bad = judge(plan, pair(240, 1.3, 12));
        EXPECT_EQ(bad.action, Action::rollback);
        EXPECT_EQ(bad.guarantee, Guarantee::measured);
        EXPECT_EQ(bad.metrics[0].verdict, Verdict::fail);
        const Code code = margin.ratio ? Code::harm_proven_above : Code::harm_proven_above_difference;
        EXPECT_TRUE(says(bad.reasons, code)) << sentence(bad.reasons[0]);
        EXPECT_TRUE(says(bad.metrics[0].reasons, Code::noise_given));
        const Decision good = judge(plan, pair(240, 1.0, 13));
        EXPECT_EQ(good.action, Action::promote);
        EXPECT_EQ(good.metrics[0].verdict, Verdict::pass);
        ASSERT_EQ(good.metrics[0].observed.size(), 5U);
        EXPECT_EQ(good.metrics[0].observed[0].name, "mean_baseline");
        EXPECT_NEAR(good.metrics[0].observed[0].value, 100, 1);
    }
}

TEST(Gauge, ValuesWithoutARatioHold) {
    const Plan plan = with_noise(gauge_plan(), calibrate(gauge_plan(), pair(2000, 1, 32)));
    Batch idle = pair(240, 1, 33);
    for (std::size_t i = 0; i < 240; i += 3) idle.series[1].series.values[i] = 0;  // much better, or not there?
    const Decision held = judge(plan, idle);
    EXPECT_EQ(held.action, Action::hold);
    EXPECT_TRUE(says(held.reasons, Code::history_not_positive));
    Batch one = pair(240, 1, 33);
    one.series[1].series.values[50] = 0;
    EXPECT_EQ(judge(plan, one).action, Action::promote);
    EXPECT_FALSE(says(judge(plan, one).metrics[0].reasons, Code::history_not_positive));
}

TEST(Gauge, AnotherScaleAndALongRolloutAreSaid) {
    // On a margin of a tenth of the noise: neither proven nor ruled out.
    Plan plan = gauge_plan({.difference = 0.5});
    plan.metrics[0].promote_when = PromoteWhen::harm_ruled_out;
    plan = with_noise(plan, calibrate(plan, pair(800, 1, 34)));
    // At four times the noise the baseline leaves its range as well, and then nothing is compared with it.
    plan.noise.at("p95").baseline = BaselineRange{.lower = 91, .upper = 109, .window = 5, .windows = 9000};
    EXPECT_EQ(judge(plan, pair(150, 1.005, 35, {.noise = 16})).reasons[0].code, Code::sick_baseline);
    plan.noise.at("p95").baseline.reset();
    const auto reasons = [&](std::size_t n, std::uint64_t seed, double noise) {
        return judge(plan, pair(n, 1.005, seed, {.noise = noise})).metrics[0].reasons;
    };
    EXPECT_TRUE(says(reasons(150, 35, 16), Code::history_scale));
    EXPECT_FALSE(says(reasons(150, 36, 4), Code::history_scale));
    EXPECT_FALSE(says(reasons(150, 36, 4), Code::history_used_up));
    EXPECT_TRUE(says(reasons(300, 36, 4), Code::history_used_up));
}

TEST(Gauge, WithoutNoiseNothingIsDecidedAndNothingIsClaimed) {
    const Decision decision = judge(gauge_plan(), pair(400, 3, 14));
    EXPECT_EQ(decision.action, Action::hold);
    EXPECT_EQ(decision.severity, Severity::ticket);
    const MetricResult& p95 = decision.metrics[0];
    EXPECT_EQ(p95.verdict, Verdict::inconclusive);
    EXPECT_TRUE(says(p95.reasons, Code::noise_unknown));
    EXPECT_TRUE(says(decision.reasons, Code::noise_unknown));
    EXPECT_EQ(p95.evidence.log_e_value, 0);
    EXPECT_EQ(p95.evidence.p_value, 1);
    EXPECT_EQ(p95.evidence.confidence, 0);
    EXPECT_NEAR(p95.evidence.estimate, 3, 0.1);
    const std::string text = report::text(decision);
    EXPECT_NE(text.find("decides nothing: its noise is not known"), std::string::npos) << text;
    EXPECT_NE(text.find("(calibrate learns it)"), std::string::npos) << text;
    EXPECT_EQ(text.find("ranges hold"), std::string::npos) << text;
}

TEST(Gauge, LearnDecidesWithoutAPromise) {
    Plan plan = gauge_plan();
    plan.learn_noise = true;
    const Decision decision = judge(plan, pair(400, 1.5, 15));
    EXPECT_EQ(decision.action, Action::rollback);
    EXPECT_EQ(decision.guarantee, Guarantee::none);
    EXPECT_TRUE(says(decision.metrics[0].reasons, Code::noise_learned_now));
    EXPECT_NE(report::text(decision).find("learns its noise from the rollout itself"), std::string::npos)
        << report::text(decision);
}

TEST(Gauge, FewInstancesDecideNothing) {
    const Plan plan = with_noise(gauge_plan(), calibrate(gauge_plan(), instances(3, 2000, 16, {})));
    const Decision decision = judge(plan, pair(300, 2, 17));
    EXPECT_EQ(decision.action, Action::hold);
    EXPECT_TRUE(says(decision.metrics[0].reasons, Code::single_instance));
}

TEST(Gauge, DecreaseAndEither) {
    for (const Harm harm : {Harm::decrease, Harm::either}) {
        Plan plan = gauge_plan();
        plan.metrics[0].harm = harm;
        plan = with_noise(plan, calibrate(plan, pair(2000, 1, 18)));
        const Decision low = judge(plan, pair(240, 0.7, 19)), high = judge(plan, pair(240, 1.4, 20));
        EXPECT_EQ(low.action, Action::rollback);
        EXPECT_TRUE(says(low.reasons, Code::harm_proven_below)) << sentence(low.reasons[0]);
        EXPECT_EQ(high.action == Action::rollback, harm == Harm::either);
    }
}

TEST(Gauge, UnitsChangeNoDecision) {
    for (const double unit : {1e-6, 1e6}) {
        for (const double factor : {1.0, 1.12, 1.3}) {
            const World plain{.phi = 0.6}, scaled{.phi = 0.6, .unit = unit};
            const Plan a = with_noise(gauge_plan(), calibrate(gauge_plan(), pair(2000, 1, 21, plain)));
            const Plan b = with_noise(gauge_plan(), calibrate(gauge_plan(), pair(2000, 1, 21, scaled)));
            const Decision x = judge(a, pair(300, factor, 22, plain)), y = judge(b, pair(300, factor, 22, scaled));
            EXPECT_EQ(x.action, y.action);
            EXPECT_EQ(x.metrics[0].evidence.log_e_value, y.metrics[0].evidence.log_e_value);
            EXPECT_EQ(x.metrics[0].mirror.log_e_value, y.metrics[0].mirror.log_e_value);
            EXPECT_EQ(x.metrics[0].verdict, y.metrics[0].verdict);
        }
    }
}

TEST(Gauge, StagesGoOnAndStatesComeBack) {
    const World world{.tau = 2, .phi = 0.5};
    const Plan plan = with_noise(gauge_plan(), calibrate(gauge_plan(), instances(10, 2000, 23, world)));
    const Batch all = pair(200, 1.02, 24, {.phi = 0.5});
    Monitor one(plan), two(plan);
    for (std::size_t i = 0; i < 200; ++i) {
        Batch step;
        for (const ArmSeries& series : all.series) {
            ArmSeries& part = step.series.emplace_back(series);
            part.series.instance = series.arm == Arm::canary ? "c" : "b";
            part.series.times_ms = {series.series.times_ms[i]};
            part.series.values = {series.series.values[i]};
        }
        if (i == 80) {
            one.enter_stage(2, static_cast<std::int64_t>(i) * interval);
            two.enter_stage(2, static_cast<std::int64_t>(i) * interval);
        }
        const Decision a = one.observe(step);
        if (i % 7 == 3) {
            Monitor fresh(plan);
            fresh.restore(decode<MonitorState>(encode(two.state())));
            two = std::move(fresh);
        }
        const Decision b = two.observe(step);
        ASSERT_EQ(a.action, b.action) << i;
        ASSERT_EQ(a.metrics[0].evidence.log_e_value, b.metrics[0].evidence.log_e_value) << i;
        ASSERT_EQ(a.metrics[0].mirror.log_e_value, b.metrics[0].mirror.log_e_value) << i;
    }
    Plan other = plan;
    other.noise.at("p95").stages[0].offset += 1;
    Monitor strange(other);
    EXPECT_THROW(strange.restore(one.state()), Error);
}

TEST(Gauge, SeveralInstancesAreAveraged) {
    const World world{.tau = 1};
    const Plan plan = with_noise(gauge_plan(), calibrate(gauge_plan(), instances(10, 2000, 25, world)));
    Random random(26);
    Batch batch;
    for (int i = 0; i < 5; ++i) add(batch, Arm::baseline, "b" + std::to_string(i), 240, world, 1, random);
    for (int i = 0; i < 5; ++i) add(batch, Arm::canary, "c" + std::to_string(i), 240, world, 1.3, random);
    const Decision decision = judge(plan, batch);
    EXPECT_EQ(decision.action, Action::rollback);
    EXPECT_NEAR(decision.metrics[0].evidence.estimate, 1.3, 0.05);
}

// ---- words

TEST(CalibrationText, SaysWhatWasLearnedAndWhatWasNot) {
    Plan plan = gauge_plan();
    Metric other = plan.metrics[0];
    other.name = "a_gauge_with_a_very_long_name_indeed";
    other.series = "nowhere";
    plan.metrics.push_back(other);
    const Calibration learned = calibrate(plan, instances(8, 2000, 27, {.tau = 2, .phi = 0.6}));
    const std::string text = report::text(plan, learned);
    for (const char* part : {"INCOMPLETE  checkout   1 of 2 metrics", "two arms of one version typically differ by",
                             "not learned", "history does not have the metric", "rolled back", "--output"})
        EXPECT_NE(text.find(part), std::string::npos) << part << " is not in:\n" << text;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        EXPECT_LE(line.size(), 100U) << line;
        EXPECT_TRUE(line.empty() || line.back() != ' ') << line;
    }
    EXPECT_EQ(report::text(plan, learned), text);
    EXPECT_NE(report::text(plan, calibrate(plan, Batch{})).find("NOTHING LEARNED"), std::string::npos);
    EXPECT_EQ(io::write_calibration(learned), io::write_calibration(learned));
}

}  // namespace
