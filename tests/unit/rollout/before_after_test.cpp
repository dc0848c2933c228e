// Metrics without arms: compared with what they were before the rollout.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/core/state.hpp>
#include <serinus/io/data.hpp>
#include <serinus/io/decision.hpp>
#include <serinus/io/plan.hpp>
#include <serinus/io/read_options.hpp>
#include <serinus/report/text.hpp>
#include <serinus/rollout/calibrate.hpp>
#include <serinus/rollout/monitor.hpp>
#include <serinus/rollout/monitor_state.hpp>

#include "support/code_of.hpp"

namespace serinus {
namespace {

constexpr std::int64_t interval = 60'000;
constexpr std::size_t length = 60;  // of a rollout, in intervals

/// A plan with a metric that has arms, and one of what callers see.
Plan callers(Kind kind = Kind::gauge, Margin margin = {.ratio = 1.2}) {
    Plan plan;
    plan.name = "checkout";
    plan.interval = std::chrono::milliseconds(interval);
    plan.stages = {{.traffic = 0.5, .max = std::chrono::minutes(length)}};
    Metric errors;
    errors.name = "errors";
    errors.bad = "bad";
    errors.total = "total";
    errors.margin = {.ratio = 2.0};
    Metric seen;
    seen.name = "callers";
    seen.kind = kind;
    seen.arm = MetricArm::none;
    seen.margin = margin;
    if (kind == Kind::gauge) seen.series = "callers_p95";
    if (kind == Kind::proportion) {
        seen.bad = "callers_bad";
        seen.total = "callers_total";
    }
    if (kind == Kind::rate) {
        seen.events = "callers_bad";
        seen.exposure = "callers_total";
    }
    plan.metrics = {errors, seen};
    return plan;
}

/// What callers see of `n` intervals from `from` on; from the start `at` on it is `times` as much.
void add_seen(Batch& batch, Kind kind, std::int64_t from, std::size_t n, std::int64_t at, double times,
              std::mt19937_64& random, bool counter = false) {
    std::vector<std::int64_t> stamps;
    std::vector<double> values, bad, total;
    double bad_sum = 0, total_sum = 0;
    for (std::size_t i = 0; i < n; ++i) {
        const std::int64_t index = from + static_cast<std::int64_t>(i);
        const double factor = index >= at ? times : 1;
        stamps.push_back(index * interval + (counter ? interval / 2 : 0));
        values.push_back(100 * factor * std::exp(0.05 * std::normal_distribution<double>()(random)));
        bad_sum = (counter ? bad_sum : 0) + std::poisson_distribution<int>(20 * factor)(random);
        total_sum = (counter ? total_sum : 0) + 2000;
        bad.push_back(bad_sum);
        total.push_back(total_sum);
    }
    if (kind == Kind::gauge) return batch.add("callers_p95", Arm::baseline, "", stamps, values);
    batch.add("callers_bad", Arm::baseline, "", stamps, bad);
    batch.add("callers_total", Arm::baseline, "", stamps, total);
}

void add_arms(Batch& batch, std::int64_t from, std::size_t n, std::mt19937_64& random) {
    std::vector<std::int64_t> stamps;
    for (std::size_t i = 0; i < n; ++i) stamps.push_back((from + static_cast<std::int64_t>(i)) * interval);
    for (const Arm arm : {Arm::baseline, Arm::canary}) {
        std::vector<double> bad, total(n, 500);
        for (std::size_t i = 0; i < n; ++i) bad.push_back(std::binomial_distribution<int>(500, 0.01)(random));
        batch.add("bad", arm, "", stamps, bad);
        batch.add("total", arm, "", stamps, total);
    }
}

Plan learned(const Plan& plan, std::uint64_t seed, std::size_t n = 3000) {
    std::mt19937_64 random(seed);
    Batch history;
    add_seen(history, plan.metrics[1].kind, 0, n, 1'000'000, 1, random, plan.metrics[1].counter);
    return with_noise(plan, calibrate(plan, history));
}

constexpr std::int64_t began = 10'000;

Batch rollout(const Plan& plan, double times, std::uint64_t seed, std::size_t before = 60) {
    std::mt19937_64 random(seed);
    Batch batch;
    const auto from = began - static_cast<std::int64_t>(before);
    add_seen(batch, plan.metrics[1].kind, from, before + length, began, times, random, plan.metrics[1].counter);
    add_arms(batch, began, length, random);
    return batch;
}

bool says(const std::vector<Reason>& reasons, Code code) {
    return std::any_of(reasons.begin(), reasons.end(), [&](const Reason& reason) { return reason.code == code; });
}

TEST(BeforeAfter, HoldsForHarmAndNeverRollsBack) {
    for (const Kind kind : {Kind::gauge, Kind::proportion, Kind::rate}) {
        const Plan plan = learned(callers(kind, {.ratio = 1.2}), 3);
        ASSERT_TRUE(plan.noise.at("callers").before_after) << static_cast<int>(kind);
        const Decision bad = judge(plan, rollout(plan, 3, 4));
        EXPECT_EQ(bad.action, Action::hold) << report::text(bad);
        EXPECT_EQ(bad.metrics[1].verdict, Verdict::fail);
        EXPECT_EQ(bad.failed, std::vector<std::string>{"callers"});
        EXPECT_TRUE(says(bad.reasons, Code::before_after_proven)) << report::text(bad);
        EXPECT_EQ(bad.severity, Severity::ticket);
        EXPECT_EQ(bad.metrics[1].evidence.method, "before_after");
        EXPECT_NEAR(bad.metrics[1].evidence.estimate, 3, 0.3);
        const Decision good = judge(plan, rollout(plan, 1, 5));
        EXPECT_EQ(good.action, Action::promote) << report::text(good);
        EXPECT_NEAR(good.metrics[1].evidence.estimate, 1, 0.1);
        EXPECT_TRUE(says(good.metrics[1].reasons, Code::before_after_noise));
        EXPECT_EQ(good.metrics[1].alpha, 0);
        EXPECT_EQ(io::read_decision(io::write_decision(bad)), bad);
    }
}

TEST(BeforeAfter, EveryMarginAndDirection) {
    for (const Harm harm : {Harm::increase, Harm::decrease, Harm::either}) {
        for (const Margin& margin : {Margin{.ratio = 1.3}, Margin{.difference = 20.0}}) {
            Plan plan = callers(Kind::gauge, margin);
            plan.metrics[1].harm = harm;
            plan = learned(plan, 7);
            const auto verdict = [&](double times) { return judge(plan, rollout(plan, times, 8)).metrics[1].verdict; };
            EXPECT_EQ(verdict(2), harm == Harm::decrease ? Verdict::pass : Verdict::fail) << static_cast<int>(harm);
            EXPECT_EQ(verdict(0.4), harm == Harm::increase ? Verdict::pass : Verdict::fail) << static_cast<int>(harm);
            EXPECT_EQ(verdict(1), Verdict::pass) << static_cast<int>(harm);
        }
    }
    // The larger of 1.5 x .01 and .01 + .02 is allowed.
    Plan floor = callers(Kind::proportion, {.ratio = 1.5, .floor = 0.02});
    floor = learned(floor, 9);
    EXPECT_NE(judge(floor, rollout(floor, 2, 10)).metrics[1].verdict, Verdict::fail);
    EXPECT_EQ(judge(floor, rollout(floor, 6, 10)).metrics[1].verdict, Verdict::fail);
}

TEST(BeforeAfter, CountersAndSmallStepsAreTheSame) {
    Plan plan = callers(Kind::proportion);
    plan.metrics[1].counter = true;
    plan = learned(plan, 11);
    const Batch all = rollout(plan, 3, 12);
    const Decision whole = judge(plan, all);
    EXPECT_EQ(whole.metrics[1].verdict, Verdict::fail) << report::text(whole);
    Monitor monitor(plan), again(plan);
    for (std::int64_t now = (began - 60) * interval; now <= (began + 60) * interval; now += interval) {
        Batch part;
        for (const ArmSeries& series : all.series) {
            ArmSeries& of = part.series.emplace_back(series);
            of.series.times_ms.clear();
            of.series.values.clear();
            for (std::size_t i = 0; i < series.series.times_ms.size(); ++i) {
                if (series.series.times_ms[i] < now - interval || series.series.times_ms[i] >= now) continue;
                of.series.times_ms.push_back(series.series.times_ms[i]);
                of.series.values.push_back(series.series.values[i]);
            }
        }
        monitor.observe(part, now);
        again.restore(decode<MonitorState>(encode(monitor.state())));
        ASSERT_EQ(io::write_decision(again.decision()), io::write_decision(monitor.decision()));
        ASSERT_EQ(encode(again.state()), encode(monitor.state()));
        monitor = again;
    }
    const Decision stepwise = monitor.decision();
    EXPECT_EQ(stepwise.metrics[1].verdict, Verdict::fail) << report::text(stepwise);
    ASSERT_FALSE(stepwise.metrics[1].observed.empty());
    EXPECT_NEAR(stepwise.metrics[1].observed[0].value, whole.metrics[1].observed[0].value, 1e-12);
}

TEST(BeforeAfter, TheWholeServiceIsBothArms) {
    // The series has arms, the metric has none: it is judged by their sum.
    Plan plan = callers(Kind::proportion);
    plan.metrics[1].bad = "bad";
    plan.metrics[1].total = "total";
    std::mt19937_64 random(13);
    Batch history;
    add_arms(history, 0, 3000, random);
    plan = with_noise(plan, calibrate(plan, history));
    ASSERT_TRUE(plan.noise.at("callers").before_after);
    Batch batch;
    std::vector<std::int64_t> stamps;
    for (std::int64_t i = began - 60; i < began; ++i) stamps.push_back(i * interval);
    batch.add("bad", Arm::baseline, "old", stamps, std::vector<double>(60, 10));
    batch.add("total", Arm::baseline, "old", stamps, std::vector<double>(60, 1000));
    add_arms(batch, began, length, random);
    const Decision decision = judge(plan, batch);
    ASSERT_FALSE(decision.metrics[1].observed.empty()) << report::text(decision);
    EXPECT_NEAR(decision.metrics[1].observed[0].value, 0.01, 1e-12);
    EXPECT_NEAR(decision.metrics[1].observed[1].value, 0.01, 0.002);
    EXPECT_EQ(decision.action, Action::promote) << report::text(decision);
}

TEST(BeforeAfter, WithoutHistoryOrWithoutABeforeItDecidesNothing) {
    const Plan unknown = callers();
    const Decision none = judge(unknown, rollout(unknown, 5, 14));
    EXPECT_EQ(none.action, Action::hold);
    EXPECT_TRUE(says(none.metrics[1].reasons, Code::before_after_unknown)) << report::text(none);
    const Plan plan = learned(callers(), 15);
    const Decision missing = judge(plan, rollout(plan, 5, 16, 4));
    EXPECT_EQ(missing.action, Action::hold);
    EXPECT_NE(missing.metrics[1].verdict, Verdict::fail);
    EXPECT_TRUE(says(missing.metrics[1].reasons, Code::before_missing)) << report::text(missing);
    // Of a history too short for alpha nothing is learned, and it says how much would do.
    std::mt19937_64 random(17);
    Batch history;
    add_seen(history, Kind::gauge, 0, 800, 1'000'000, 1, random);
    const Calibration calibration = calibrate(unknown, history);
    EXPECT_FALSE(calibration.noise.contains("callers"));
    EXPECT_TRUE(says(calibration.metrics[1].reasons, Code::before_after_thin));
}

TEST(BeforeAfter, PlansThatCannotBe) {
    const auto refused = [](const std::function<void(Plan&)>& change) {
        Plan plan = callers(Kind::proportion);
        change(plan);
        return code_of([&] { check(plan); });
    };
    EXPECT_EQ(refused([](Plan& plan) { plan.metrics[1].missing = Missing::fail; }), Code::plan_value);
    EXPECT_EQ(refused([](Plan& plan) { plan.analysis = Analysis::fixed; }), Code::plan_value);
    EXPECT_EQ(refused([](Plan& plan) { plan.metrics[1].method = sequential::ProportionMethod::block; }),
              Code::plan_value);
    EXPECT_EQ(refused([](Plan& plan) {
                  SloRule& rule = plan.slo.emplace_back();
                  rule.objective.name = "availability";
                  rule.objective.budget = 0.001;
                  rule.metric = "callers";
              }),
              Code::plan_value);
    EXPECT_EQ(refused([](Plan& plan) { plan.noise["callers"].dispersion = 1.3; }), Code::plan_value);
    // By name, where somebody says it; left out it is "hold".
    const std::string text = io::write_plan(callers());
    const std::string rollback = [&] {
        std::string changed = text;
        return changed.replace(changed.find("\"arm\": \"none\""), 13, "\"arm\": \"none\", \"on_fail\": \"rollback\"");
    }();
    EXPECT_EQ(io::read_plan(text), callers());
    EXPECT_EQ(code_of([&] { io::read_plan(rollback); }), Code::plan_value);
}

TEST(BeforeAfter, ReadersTakeItsSeriesWithoutArms) {
    const Plan plan = callers();
    const io::ReadOptions options = io::read_options(plan);
    EXPECT_EQ(options.without_arms, std::vector<std::string>{"callers_p95"});
    const Batch csv =
        io::read_data("timestamp,series,arm,value\n60,bad,baseline,1\n60,callers_p95,,5\n60,bad,canary,1\n", options);
    ASSERT_EQ(csv.series.size(), 3U);
    EXPECT_EQ(csv.series[1].name, "callers_p95");
    EXPECT_EQ(csv.series[1].arm, Arm::baseline);
    const Batch prometheus =
        io::read_data(R"({"callers_p95":{"status":"success","data":{"resultType":"matrix","result":[)"
                      R"({"metric":{},"values":[[60,"5"]]}]}}})",
                      options);
    ASSERT_EQ(prometheus.series.size(), 1U);
    EXPECT_EQ(prometheus.series[0].name, "callers_p95");
}

TEST(BeforeAfter, ThePlanIsReadBack) {
    const Plan plan = learned(callers(Kind::proportion, {.ratio = 1.5, .floor = 0.02}), 18);
    EXPECT_EQ(io::read_plan(io::write_plan(plan)), plan);
    Plan other = plan;
    other.metrics[1].margin.floor = 0.01;
    EXPECT_EQ(code_of([&] { check(other); }), Code::plan_value);
    other = plan;
    other.noise.at("callers").before_after->scales.pop_back();
    EXPECT_EQ(code_of([&] { check(other); }), Code::plan_value);
}

}  // namespace
}  // namespace serinus
