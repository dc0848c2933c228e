// Gauges whose data name their instances: which test judges, who takes part, what stands in the way, and how it is
// kept.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/core/error.hpp>
#include <serinus/core/state.hpp>
#include <serinus/io/calibration.hpp>
#include <serinus/io/decision.hpp>
#include <serinus/io/plan.hpp>
#include <serinus/report/text.hpp>
#include <serinus/rollout/calibrate.hpp>
#include <serinus/rollout/monitor.hpp>
#include <serinus/rollout/monitor_state.hpp>

namespace {

using namespace serinus;
using namespace std::chrono_literals;

constexpr std::int64_t minute = 60'000;
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

Plan plan_of(Margin margin = {.ratio = 1.5, .difference = {}}, int stages = 1) {
    Plan plan;
    plan.name = "shop";
    plan.deployment = "cart";
    plan.interval = std::chrono::milliseconds(minute);
    plan.warm_up = 2min;
    for (int i = 0; i < stages; ++i) plan.stages.push_back({.traffic = 0.25 * (i + 1), .min = 10min, .max = 22min});
    Metric cpu;
    cpu.name = "cpu";
    cpu.kind = Kind::gauge;
    cpu.series = "cpu";
    cpu.margin = margin;
    plan.metrics = {cpu};
    return plan;
}

/// The value of an instance in a minute.
using Value = std::function<double(int)>;

/// Around `level`, with noise of its own; the same name and seed give the same values.
Value noisy(double level, int seed, double deviation = 0.1) {
    return [=](int t) {
        std::mt19937_64 random(static_cast<std::uint64_t>(1000 * seed + t));
        return level * std::exp(std::normal_distribution<double>(0, deviation)(random));
    };
}

void add(Batch& batch, Arm arm, const std::string& instance, int from, int to, const Value& value,
         const std::string& series = "cpu") {
    ArmSeries& out = batch.series.emplace_back(ArmSeries{series, arm, nan, {{}, {}, instance}});
    for (int t = from; t < to; ++t) {
        const double v = value(t);
        if (std::isnan(v)) continue;
        out.series.times_ms.push_back(t * minute);
        out.series.values.push_back(v);
    }
}

/// k instances of the baseline against one of the canary, for 20 minutes.
Batch rollout(int baseline, const Value& canary, int minutes = 20, double spread = 0.05) {
    Batch batch;
    for (int i = 0; i < baseline; ++i)
        add(batch, Arm::baseline, "b" + std::to_string(i), 0, minutes,
            noisy(40 * std::exp(spread * (i - (baseline - 1) / 2.0)), i + 1));
    add(batch, Arm::canary, "c0", 0, minutes, canary);
    return batch;
}

bool says(const MetricResult& metric, Code code) {
    return std::any_of(metric.reasons.begin(), metric.reasons.end(), [&](const Reason& r) { return r.code == code; });
}
double number(const MetricResult& metric, Code code, const std::string& name) {
    for (const Reason& reason : metric.reasons) {
        if (reason.code != code) continue;
        for (const NamedNumber& of : reason.numbers)
            if (of.name == name) return of.value;
    }
    return nan;
}
MetricResult judged(const Plan& plan, const Batch& batch) { return judge(plan, batch).metrics.front(); }

// ---- which test

TEST(Pods, ThreeOfTheBaselineDecideWithoutAnyHistory) {
    const MetricResult good = judged(plan_of(), rollout(3, noisy(40, 9)));
    EXPECT_EQ(good.verdict, Verdict::pass);
    EXPECT_EQ(good.evidence.method, "rotation");
    EXPECT_EQ(number(good, Code::between_instances, "degrees"), 2);
    EXPECT_EQ(number(good, Code::between_instances, "baseline"), 3);
    EXPECT_NEAR(good.evidence.estimate, 1, 0.1);
    EXPECT_EQ(judge(plan_of(), rollout(3, noisy(40, 9))).guarantee, Guarantee::measured);
    EXPECT_EQ(good.guarantee_why, Code::between_instances);
    const Decision bad = judge(plan_of(), rollout(3, noisy(40 * 8, 9)));
    EXPECT_EQ(bad.action, Action::rollback);
    EXPECT_EQ(bad.metrics[0].verdict, Verdict::fail);
    EXPECT_GE(bad.metrics[0].evidence.log_e_value, -std::log(bad.metrics[0].alpha) - 1e-9);
}

TEST(Pods, ADifferenceMarginAndADecreaseAreJudgedAlike) {
    const Margin margin{.ratio = {}, .difference = 20.0};
    EXPECT_EQ(judged(plan_of(margin), rollout(3, noisy(45, 9))).verdict, Verdict::pass);
    EXPECT_EQ(judged(plan_of(margin), rollout(3, noisy(300, 9))).verdict, Verdict::fail);
    Plan less = plan_of();
    less.metrics[0].harm = Harm::decrease;
    EXPECT_EQ(judged(less, rollout(3, noisy(4, 9))).verdict, Verdict::fail);
    EXPECT_EQ(judged(less, rollout(3, noisy(400, 9))).verdict, Verdict::pass);
}

TEST(Pods, TwoMayPassAndNeverFailUnlessHistoryKnowsAThird) {
    const MetricResult bad = judged(plan_of(), rollout(2, noisy(40 * 100, 9)));
    EXPECT_EQ(bad.verdict, Verdict::inconclusive);
    EXPECT_TRUE(says(bad, Code::one_degree));
    EXPECT_EQ(judged(plan_of(), rollout(2, noisy(20, 9), 20, 0.001)).verdict, Verdict::pass);

    Batch history;
    for (const auto& [name, level] : {std::pair("b0", 39.0), std::pair("b1", 41.0), std::pair("gone", 42.0)})
        add(history, Arm::baseline, name, -30, 0, noisy(level, static_cast<int>(level)));
    const Calibration learned = calibrate(plan_of(), history);
    ASSERT_TRUE(learned.noise.at("cpu").instances);
    EXPECT_EQ(learned.noise.at("cpu").instances->names, (std::vector<std::string>{"b0", "b1", "gone"}));
    EXPECT_NEAR(learned.noise.at("cpu").instances->level, 40.5, 3);
    EXPECT_TRUE(learned.metrics[0].learned);
    const MetricResult known = judged(with_noise(plan_of(), learned), rollout(2, noisy(40 * 100, 9)));
    EXPECT_EQ(number(known, Code::between_instances, "degrees"), 2);
    EXPECT_EQ(known.verdict, Verdict::fail);
    // Instances of history that still run add nothing: they are compared in the rollout.
    EXPECT_EQ(
        number(judged(with_noise(plan_of(), learned), rollout(3, noisy(40, 9))), Code::between_instances, "degrees"),
        3);
}

TEST(Pods, FormerReleasesAddTheirDegrees) {
    std::vector<Batch> former{rollout(3, noisy(40, 5)), rollout(2, noisy(40, 6)), rollout(1, noisy(40, 7))};
    const Calibration learned = calibrate(plan_of(), Batch{}, former);
    ASSERT_TRUE(learned.noise.at("cpu").instances);
    EXPECT_EQ(learned.noise.at("cpu").instances->former_degrees, 3);  // 2 + 1 + 0
    EXPECT_TRUE(std::any_of(learned.metrics[0].reasons.begin(), learned.metrics[0].reasons.end(),
                            [](const Reason& r) { return r.code == Code::history_former; }));
    const MetricResult result = judged(with_noise(plan_of(), learned), rollout(2, noisy(40 * 8, 9)));
    EXPECT_EQ(number(result, Code::between_instances, "degrees"), 4);
    EXPECT_EQ(result.verdict, Verdict::fail);
    // One instance is enough beside them.
    EXPECT_EQ(judged(with_noise(plan_of(), learned), rollout(1, noisy(40 * 8, 9))).verdict, Verdict::fail);
    const std::vector<Batch> useless{rollout(1, noisy(40, 7))};
    EXPECT_TRUE(calibrate(plan_of(), Batch{}, useless).noise.empty());
}

TEST(Pods, OneInstanceAndNothingElseDecidesNothing) {
    for (const double level : {40.0, 4000.0}) {
        const MetricResult result = judged(plan_of(), rollout(1, noisy(level, 9)));
        EXPECT_EQ(result.verdict, Verdict::inconclusive);
        EXPECT_TRUE(says(result, Code::single_instance));
        EXPECT_FALSE(says(result, Code::noise_unknown));
    }
    // Without names nobody knows how many there are.
    Batch unnamed;
    add(unnamed, Arm::baseline, "", 0, 20, noisy(40, 1));
    add(unnamed, Arm::canary, "", 0, 20, noisy(40, 2));
    EXPECT_TRUE(says(judged(plan_of(), unnamed), Code::noise_unknown));
}

TEST(Pods, ALongHistoryJudgesLongStages) {
    const auto method = [&](int minutes, int instances, bool pair, std::optional<int> max) {
        Batch history;
        for (int i = 0; i < instances; ++i)
            add(history, pair && i > 2 ? Arm::canary : Arm::baseline, "b" + std::to_string(i), -minutes, 0,
                noisy(40 + i, 20 + i));
        Plan plan = plan_of();
        plan.stages[0].max = max ? std::optional(std::chrono::milliseconds(*max * minute)) : std::nullopt;
        plan = with_noise(plan, calibrate(plan, history));
        const Batch good = rollout(5, noisy(40, 9)), bad = rollout(5, noisy(400, 9));
        // The rule does not look at what they read.
        EXPECT_EQ(judged(plan, good).evidence.method, judged(plan, bad).evidence.method);
        return std::string(judged(plan, good).evidence.method);
    };
    EXPECT_NE(method(2000, 6, false, {}), "rotation");
    EXPECT_NE(method(2000, 6, false, 242), "rotation");
    EXPECT_NE(method(2000, 4, true, {}), "rotation");
    EXPECT_EQ(method(2000, 6, false, 241), "rotation");
    EXPECT_EQ(method(1999, 6, false, {}), "rotation");
    EXPECT_EQ(method(2000, 4, false, {}), "rotation");
}

TEST(Pods, OneAgainstOneIsJudgedByAPairOfHistory) {
    // The arms of history are two instances, one degree, which would never fail.
    Batch history;
    add(history, Arm::baseline, "b0", -400, 0, noisy(40, 21));
    add(history, Arm::canary, "c0", -400, 0, noisy(42, 22));
    const Plan plan = with_noise(plan_of(), calibrate(plan_of(), history));
    const MetricResult result = judged(plan, rollout(1, noisy(400, 9)));
    EXPECT_NE(result.evidence.method, "rotation");
    EXPECT_EQ(result.verdict, Verdict::fail);
    EXPECT_EQ(judged(plan, rollout(3, noisy(400, 9))).evidence.method, "rotation");
}

// ---- who takes part, and when

TEST(Pods, AnInstanceCountsWithThreeFifthsOfTheIntervalsAndLeavesBelow) {
    Batch batch = rollout(3, noisy(40, 9));
    add(batch, Arm::baseline, "rare", 0, 20, [](int t) { return t % 3 == 0 ? 4000.0 : nan; });
    MetricResult result = judged(plan_of(), batch);
    EXPECT_EQ(number(result, Code::between_instances, "baseline"), 3);
    EXPECT_EQ(result.verdict, Verdict::pass);
    EXPECT_EQ(result.observed.back().value, 18);
    EXPECT_NEAR(result.evidence.estimate, 1, 0.1);

    // One that stops is waited for until it is below three fifths, then the others go on without it.
    batch = rollout(3, noisy(40, 9));
    add(batch, Arm::baseline, "stops", 0, 8, noisy(40, 77));
    result = judged(plan_of(), batch);
    EXPECT_EQ(number(result, Code::between_instances, "baseline"), 3);
    EXPECT_EQ(result.observed.back().value, 6 + (18 - 10));  // 6 of 10 intervals are three fifths, 6 of 11 are not
    EXPECT_EQ(result.verdict, Verdict::pass);
}

TEST(Pods, AnInstanceOfTheCanaryWarmsUpByItself) {
    Batch batch = rollout(3, noisy(40, 9));
    add(batch, Arm::canary, "c1", 10, 20, [](int t) { return t < 12 ? 1e6 : 40.0; });
    const MetricResult result = judged(plan_of(), batch);
    EXPECT_EQ(number(result, Code::between_instances, "canary"), 2);
    EXPECT_NEAR(result.evidence.estimate, 1, 0.15);
    EXPECT_EQ(result.verdict, Verdict::pass);
}

TEST(Pods, FewerThanEightIntervalsNeverPass) {
    Plan plan = plan_of();
    plan.stages[0].min = 3min;
    EXPECT_EQ(judged(plan, rollout(9, noisy(40, 9), 9)).verdict, Verdict::inconclusive);  // 7 are judged
    EXPECT_EQ(judged(plan, rollout(9, noisy(40, 9), 10)).verdict, Verdict::pass);
}

TEST(Pods, ZeroUnderARatioMarginIsAHundredthOfTheLevel) {
    // Two zeros of twenty are no idling, and no harm; they are no gain of a thousand times either.
    const auto zeros = [](int t) { return t == 5 ? 0.0 : noisy(40, 9)(t); };
    const MetricResult result = judged(plan_of(), rollout(4, zeros));
    EXPECT_NEAR(std::log(result.evidence.estimate), std::log(0.01) / 18, 0.1);
    Batch nothing;
    for (const char* name : {"b0", "b1", "b2"}) add(nothing, Arm::baseline, name, 0, 20, [](int) { return 0.0; });
    add(nothing, Arm::canary, "c0", 0, 20, [](int) { return 5.0; });
    const MetricResult blind = judged(plan_of(), nothing);
    EXPECT_EQ(blind.verdict, Verdict::inconclusive);
    EXPECT_TRUE(says(blind, Code::no_level));
}

TEST(Pods, ImpossibleValuesStopIt) {
    for (const double wrong : {-1.0, std::numeric_limits<double>::infinity()}) {
        const MetricResult result =
            judged(plan_of(), rollout(4, [=](int t) { return t == 12 ? wrong : noisy(40, 9)(t); }));
        EXPECT_TRUE(says(result, Code::impossible_counts)) << wrong;
        EXPECT_NE(result.verdict, Verdict::fail);
    }
}

// ---- what stands in the way

TEST(Pods, UnequalLoadDecidesNothing) {
    Plan plan = plan_of();
    Metric errors;
    errors.name = "errors";
    errors.bad = "bad";
    errors.total = "total";
    errors.margin = {.ratio = {}, .difference = 0.01};
    plan.metrics.push_back(errors);
    const auto with_load = [&](double canary, double level) {
        Batch batch = rollout(3, noisy(level, 9));
        for (const char* name : {"b0", "b1", "b2", "c0"}) {
            const bool c = name[0] == 'c';
            add(
                batch, c ? Arm::canary : Arm::baseline, name, 0, 20, [=](int) { return c ? canary : 60.0; }, "total");
            add(
                batch, c ? Arm::canary : Arm::baseline, name, 0, 20, [](int) { return 0.0; }, "bad");
        }
        return judged(plan, batch);
    };
    for (const double canary : {20.0, 200.0}) {
        for (const double level : {40.0, 400.0}) {
            EXPECT_TRUE(says(with_load(canary, level), Code::unequal_load)) << canary;
            EXPECT_EQ(with_load(canary, level).verdict, Verdict::inconclusive);
        }
    }
    for (const double canary : {35.0, 110.0}) EXPECT_EQ(with_load(canary, 40).verdict, Verdict::pass) << canary;
    EXPECT_EQ(with_load(60, 400).verdict, Verdict::fail);
}

TEST(Pods, AnIdleCanaryMayNotPass) {
    const auto crashing = [](int t) { return t % 5 == 0 ? 0.0 : 40.0; };
    const Decision decision = judge(plan_of(), rollout(3, crashing));
    EXPECT_EQ(decision.action, Action::hold);
    EXPECT_TRUE(says(decision.metrics[0], Code::canary_idle));
    EXPECT_TRUE(std::any_of(decision.reasons.begin(), decision.reasons.end(),
                            [](const Reason& r) { return r.code == Code::canary_idle; }));
    // Where the baseline idles as well it is what the service does.
    Batch all;
    for (int i = 0; i < 3; ++i)
        add(all, Arm::baseline, "b" + std::to_string(i), 0, 20,
            [=](int t) { return (t + i) % 5 == 0 ? 0.0 : noisy(40, i)(t); });
    add(all, Arm::canary, "c0", 0, 20, crashing);
    EXPECT_FALSE(says(judged(plan_of({.ratio = {}, .difference = 60.0}), all), Code::canary_idle));
}

TEST(Pods, AtTheFloorItPassesAndNeverFailsUnlessGuarded) {
    const auto floor = [](int t) { return t % 7 == 0 ? 5.1 : 5.0; };
    const auto batch = [&](double canary) {
        Batch b;
        for (const char* name : {"b0", "b1", "b2"}) add(b, Arm::baseline, name, 0, 20, floor);
        add(b, Arm::canary, "c0", 0, 20, noisy(canary, 3));
        return b;
    };
    Plan plan = plan_of();
    EXPECT_EQ(judged(plan, batch(5)).verdict, Verdict::pass);
    const MetricResult harm = judged(plan, batch(5000));
    EXPECT_EQ(harm.verdict, Verdict::inconclusive);
    EXPECT_TRUE(says(harm, Code::at_floor));
    plan.metrics[0].instances_differ = 0.5;
    EXPECT_EQ(judged(plan, batch(5000)).verdict, Verdict::fail);
    EXPECT_NE(judged(plan, batch(9)).verdict, Verdict::fail);  // 1.8 times: within what instances differ by
}

// ---- stages

TEST(Pods, EachStageBeginsAnewWithItsShareAndTheRuleStays) {
    const Plan plan = plan_of({.ratio = 1.5, .difference = {}}, 2);
    Monitor monitor(plan);
    const auto pods = [](int from, int to, double canary) {
        Batch batch;
        for (int i = 0; i < 4; ++i) add(batch, Arm::baseline, "b" + std::to_string(i), from, to, noisy(40, i + 1));
        add(batch, Arm::canary, "c0", from, to, noisy(canary, 9));
        return batch;
    };
    monitor.enter_stage(1, 0);
    monitor.observe(pods(0, 20, 40), 20 * minute);
    EXPECT_EQ(monitor.decision().action, Action::promote);
    monitor.enter_stage(2, 20 * minute);
    EXPECT_EQ(monitor.decision().metrics[0].verdict, Verdict::no_data);
    EXPECT_EQ(monitor.decision().metrics[0].evidence.method, "rotation");
    const Decision bad = monitor.observe(pods(20, 40, 400), 40 * minute);
    EXPECT_EQ(bad.action, Action::rollback);
    EXPECT_EQ(bad.metrics[0].observed.back().value, 18);
}

TEST(Pods, WhatStaysInAStageMaySpendSumsToItsShareHoweverOftenItIsEntered) {
    const Plan plan = plan_of();
    Monitor monitor(plan);
    int at = 0;
    double spent = 0, before = 1;
    for (int stay = 0; stay < 30; ++stay, at += 9) {
        monitor.enter_stage(1, at * minute);
        Batch batch;
        for (int i = 0; i < 3; ++i) add(batch, Arm::baseline, "b" + std::to_string(i), at, at + 9, noisy(40, i + 1));
        add(batch, Arm::canary, "c0", at, at + 9, noisy(40, 9));
        const Decision decision = monitor.observe(batch, (at + 9) * minute);
        EXPECT_NE(decision.action, Action::rollback);
        // The interval's end on the side of harm has the error rate of the stay.
        const double alpha = 1 - decision.metrics[0].evidence.confidence - plan.alpha;
        EXPECT_GT(alpha, 0);
        EXPECT_LE(alpha, before);
        if (alpha > 1.01 / 16384) spent += alpha;
        before = alpha;
    }
    EXPECT_LE(spent, plan.alpha);
    EXPECT_GE(spent, 0.95 * plan.alpha);
    // What is left is less than one of the virtual canaries: nothing fails any more.
    monitor.enter_stage(1, at * minute);
    Batch batch;
    for (int i = 0; i < 3; ++i) add(batch, Arm::baseline, "b" + std::to_string(i), at, at + 20, noisy(40, i + 1));
    add(batch, Arm::canary, "c0", at, at + 20, noisy(40 * 1e6, 9));
    EXPECT_EQ(monitor.observe(batch, (at + 20) * minute).action, Action::hold);
}

TEST(Pods, WhatIsNoEValueIsNotAveragedAsOne) {
    // Three gauges that all read 1.6 times: each has some evidence, none has failed; and the mean of one over
    // p-values proves nothing.
    Plan plan = plan_of({.ratio = 1.25, .difference = {}});
    for (int g = 1; g < 3; ++g) {
        plan.metrics.push_back(plan.metrics[0]);
        plan.metrics.back().name = "copy" + std::to_string(g);
    }
    for (int seed = 1; seed <= 20; ++seed) {
        const Decision decision = judge(plan, rollout(3, noisy(40 * (1.2 + 0.05 * seed), 100 + seed), 20, 0.2));
        const bool failed = std::any_of(decision.metrics.begin(), decision.metrics.end(),
                                        [](const MetricResult& m) { return m.verdict == Verdict::fail; });
        EXPECT_EQ(decision.action == Action::rollback, failed) << seed;
    }
}

// ---- states

Batch until(const Batch& batch, int from, int to) {
    Batch part;
    for (const ArmSeries& whole : batch.series) {
        ArmSeries& out = part.series.emplace_back(whole);
        out.series.times_ms.clear();
        out.series.values.clear();
        for (std::size_t i = 0; i < whole.series.times_ms.size(); ++i) {
            if (whole.series.times_ms[i] < from * minute || whole.series.times_ms[i] >= to * minute) continue;
            out.series.times_ms.push_back(whole.series.times_ms[i]);
            out.series.values.push_back(whole.series.values[i]);
        }
    }
    return part;
}

TEST(Pods, StateRoundTripsInTheMiddleOfAStage) {
    Batch history = rollout(3, noisy(40, 5));
    history.series.pop_back();
    history.series[0].series.instance = "gone";
    Plan plan = plan_of({.ratio = 1.5, .difference = {}}, 2);
    plan.metrics[0].instances_differ = 0.5;
    plan = with_noise(plan, calibrate(plan, history));
    ASSERT_TRUE(plan.noise.at("cpu").instances);
    plan.noise.at("cpu").stages.clear();
    for (const double level : {40.0, 200.0}) {
        Batch batch = rollout(3, noisy(level, 9), 44);
        add(batch, Arm::canary, "c1", 8, 44, noisy(level, 10));
        Monitor one(plan), other(plan);
        for (int t = 0; t < 44; ++t) {
            if (t == 22) {
                one.enter_stage(2, 22 * minute);
                other.enter_stage(2, 22 * minute);
            }
            const Batch part = until(batch, t, t + 1);
            const std::string expected = io::write_decision(one.observe(part, (t + 1) * minute));
            ASSERT_TRUE(io::write_decision(other.observe(part, (t + 1) * minute)) == expected) << t;
            const auto bytes = encode(other.state());
            Monitor next(plan);
            next.restore(decode<MonitorState>(bytes));
            ASSERT_TRUE(encode(next.state()) == bytes) << t;
            other = next;
        }
    }
}

TEST(Pods, SpoiledStatesAreRefused) {
    const Plan plan = plan_of();
    Monitor monitor(plan);
    monitor.observe(rollout(3, noisy(40, 9)), 20 * minute);
    const auto code = [&](const std::function<void(InstancesState&)>& spoil) {
        MonitorState state = monitor.state();
        spoil(*state.metrics[0].instances);
        try {
            Monitor(plan).restore(state);
        } catch (const Error& error) {
            return error.code();
        }
        return Code::none;
    };
    EXPECT_EQ(code([](InstancesState&) {}), Code::none);
    EXPECT_EQ(code([](InstancesState& s) { s.stays = {}; }), Code::state_invariant);
    EXPECT_EQ(code([](InstancesState& s) { s.stays = {-1}; }), Code::state_invariant);
    EXPECT_EQ(code([](InstancesState& s) { s.intervals = -1; }), Code::state_invariant);
    EXPECT_EQ(code([](InstancesState& s) { s.carried = nan; }), Code::state_invariant);
    EXPECT_EQ(code([](InstancesState& s) { s.instances[0][0].zeros = 99; }), Code::state_invariant);
    EXPECT_EQ(code([](InstancesState& s) { s.chosen = false; }), Code::state_invariant);
    EXPECT_EQ(code([](InstancesState& s) { s.stage.reset(); }), Code::state_invariant);
    EXPECT_EQ(code([](InstancesState& s) { s.detect.reset(); }), Code::state_invariant);
    EXPECT_EQ(code([](InstancesState& s) { s.waiting[0].push_back({1, 2}); }), Code::state_invariant);
    EXPECT_EQ(code([](InstancesState& s) { s.waiting = {{{{1, 2, 3, 4, 5, 6}}, {{1}}}}; }), Code::state_invariant);
    EXPECT_EQ(code([](InstancesState& s) { s.zero = 3; }), Code::state_options);
}

/// As versions before the rotation test wrote them.
struct OldMetric {
    static constexpr std::string_view kind = "metr";
    static constexpr std::int64_t version = 2;
    MetricState now;
    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        const auto all_but_the_new = [&](std::string_view name, auto& field) {
            if (MetricState::since(name) <= version) visit(name, field);
        };
        MetricState::describe(all_but_the_new, self.now);
    }
};
struct OldMonitor {
    static constexpr std::string_view kind = "moni";
    static constexpr std::int64_t version = 2;
    MonitorState now;
    std::vector<OldMetric> metrics;
    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        const auto put = [&](std::string_view name, auto& field) {
            if (name == "metrics") {
                visit(name, self.metrics);
            } else if (MonitorState::since(name) <= version) {
                visit(name, field);
            }
        };
        MonitorState::describe(put, self.now);
    }
};

TEST(Pods, StatesFromBeforeGoOnAsTheyBegan) {
    Batch history;
    for (int i = 0; i < 8; ++i) add(history, Arm::baseline, "b" + std::to_string(i), -300, 0, noisy(40 + i, 20 + i));
    for (const bool learned : {false, true}) {
        Plan plan = plan_of();
        if (learned) plan.noise["cpu"].stages = calibrate(plan, history).noise.at("cpu").stages;
        const Batch batch = rollout(3, noisy(40, 9));
        Monitor before(plan);
        before.observe(until(batch, 0, 10), 10 * minute);
        OldMonitor old{before.state(), {}};
        for (const MetricState& metric : old.now.metrics) old.metrics.push_back({metric});
        Monitor after(plan);
        after.restore(decode<MonitorState>(encode(old)));
        for (int round = 0; round < 2; ++round) {
            const Decision decision = after.observe(until(batch, 10, 20), 20 * minute);
            EXPECT_NE(decision.metrics[0].evidence.method, "rotation");
            EXPECT_EQ(says(decision.metrics[0], Code::noise_given), learned);
            EXPECT_EQ(says(decision.metrics[0], Code::noise_unknown), !learned);
            Monitor again(plan);  // and what they write stays so
            again.restore(after.state());
            after = again;
        }
    }
}

// ---- plans

TEST(Pods, PlansCarryItToTheBit) {
    Batch history = rollout(4, noisy(40, 5), 40);
    history.series.pop_back();
    Plan plan = plan_of({.ratio = 1.5, .difference = {}}, 2);
    plan.stages[1].max.reset();
    const std::string before = digest(plan);
    plan.metrics[0].instances_differ = 0.5;
    EXPECT_NE(digest(plan), before);
    const std::vector<Batch> former{rollout(3, noisy(40, 6))};
    const Plan known = with_noise(plan, calibrate(plan, history, former));
    EXPECT_NE(digest(known), digest(plan));
    EXPECT_EQ(io::read_plan(io::write_plan(known)), known);
    EXPECT_EQ(digest(io::read_plan(io::write_plan(known))), digest(known));
    const auto& looks = known.noise.at("cpu").instances->looks;
    EXPECT_TRUE(std::binary_search(looks.begin(), looks.end(), 20));   // the last of the first stage
    EXPECT_TRUE(std::binary_search(looks.begin(), looks.end(), 120));  // and of the second, which has no max

    const auto refused = [&](const std::function<void(Plan&)>& spoil) {
        Plan wrong = known;
        spoil(wrong);
        try {
            check(wrong);
        } catch (const Error& error) {
            return std::string(error.what());
        }
        return std::string();
    };
    const auto instances = [&](const std::function<void(KnownInstances&)>& spoil) {
        return refused([&](Plan& p) { spoil(*p.noise.at("cpu").instances); });
    };
    EXPECT_EQ(refused([](Plan&) {}), "");
    EXPECT_NE(refused([](Plan& p) { p.metrics[0].instances_differ = 0; }).find("metrics[0].instances_differ is 0"),
              std::string::npos);
    EXPECT_NE(refused([](Plan& p) { p.stages[0].max = 18min; }).find("calibrate again"), std::string::npos);
    EXPECT_NE(refused([](Plan& p) {
                  p.noise.at("cpu").stages.clear();
                  p.metrics[0].margin = {.ratio = {}, .difference = 1.0};
              }).find("noise.cpu.instances.logs"),
              std::string::npos);
    EXPECT_NE(instances([](KnownInstances& k) { k.levels.pop_back(); }), "");
    EXPECT_NE(instances([](KnownInstances& k) { k.levels[0].pop_back(); }), "");
    EXPECT_NE(instances([](KnownInstances& k) { k.levels[0][0] = nan; }), "");
    EXPECT_NE(instances([](KnownInstances& k) { k.names[0] = k.names[1]; }), "");
    EXPECT_NE(instances([](KnownInstances& k) { k.former.pop_back(); }), "");
    EXPECT_NE(instances([](KnownInstances& k) { k.former[0] = -1; }), "");
    EXPECT_NE(instances([](KnownInstances& k) { k.former[1] += 1e6; }), "");
    EXPECT_NE(instances([](KnownInstances& k) { k.former.back() = -1; }), "");
    EXPECT_NE(instances([](KnownInstances& k) { k.former_degrees = 0.5; }), "");
    EXPECT_NE(instances([](KnownInstances& k) { k.level = 0; }), "");
    EXPECT_NE(instances([](KnownInstances& k) { std::swap(k.looks[0], k.looks[1]); }), "");
}

TEST(Pods, TheReportSaysWhatTheEvidenceIs) {
    report::Record record;
    record.plan = plan_of();
    record.batch = rollout(3, noisy(40 * 8, 9));
    record.decisions = {judge(record.plan, record.batch)};
    std::string text;  // on one line
    for (const char c : report::text(record, {})) {
        const char shown = c == '\n' ? ' ' : c;
        if (shown != ' ' || !text.ends_with(' ')) text += shown;
    }
    EXPECT_NE(text.find("judged between instances, 3 of the baseline and 1 of the canary"), std::string::npos) << text;
    EXPECT_NE(text.find("2 degrees of freedom"), std::string::npos) << text;
    // What is no e-value is not called one.
    const std::string json = io::write_decision(record.decisions[0]);
    EXPECT_EQ(json.find("\"e_value\""), std::string::npos) << json;
}

}  // namespace
