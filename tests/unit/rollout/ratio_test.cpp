// One quantity for another, judged in a rollout.

#include <array>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/core/state.hpp>
#include <serinus/io/decision.hpp>
#include <serinus/io/plan.hpp>
#include <serinus/report/text.hpp>
#include <serinus/rollout/calibrate.hpp>
#include <serinus/rollout/monitor.hpp>
#include <serinus/rollout/monitor_state.hpp>

#include "support/code_of.hpp"
#include "support/looks.hpp"

namespace serinus {
namespace {

constexpr std::int64_t interval = 30'000;

Plan cpu(bool counter = true) {
    Plan plan;
    plan.name = "search";
    plan.interval = std::chrono::milliseconds(interval);
    plan.stages = {{.traffic = 0.25, .min = std::chrono::minutes(10), .max = std::chrono::hours(1)}};
    Metric metric;
    metric.name = "cpu";
    metric.kind = Kind::ratio;
    metric.numerator = "cpu_seconds";
    metric.denominator = "http_requests";
    metric.counter = counter;
    metric.margin.ratio = 1.2;
    plan.metrics = {metric};
    return plan;
}

/// What pods spend and serve an interval: the load swings, and each request costs about the same.
struct Pod {
    Arm arm = Arm::baseline;
    std::string name;
    std::vector<double> spent, served;
};

std::vector<Pod> pods(std::size_t n, std::uint64_t seed, double times, std::size_t baseline = 3,
                      std::size_t canary = 1) {
    std::mt19937_64 random(seed);
    std::normal_distribution<double> normal;
    std::vector<Pod> all;
    for (std::size_t p = 0; p < baseline + canary; ++p) {
        Pod& pod = all.emplace_back();
        pod.arm = p < baseline ? Arm::baseline : Arm::canary;
        pod.name = "pod-" + std::to_string(p);
        for (std::size_t i = 0; i < n; ++i) {
            const double load = 400 * (1 + 0.6 * std::sin(static_cast<double>(i) / 9));
            pod.served.push_back(std::floor(load * (1 + 0.1 * normal(random))));
            const double cost = 0.02 * (pod.arm == Arm::canary ? times : 1) * (1 + 0.04 * normal(random));
            pod.spent.push_back(pod.served.back() * cost);
        }
    }
    return all;
}

Batch counts(const std::vector<Pod>& all) {
    Batch batch;
    std::vector<std::int64_t> times;
    for (std::size_t i = 0; i < all[0].spent.size(); ++i) times.push_back(static_cast<std::int64_t>(i) * interval);
    for (const Pod& pod : all) {
        batch.add("cpu_seconds", pod.arm, pod.name, times, pod.spent);
        batch.add("http_requests", pod.arm, pod.name, times, pod.served);
    }
    return batch;
}

/// Cumulative counters, read at the end of every `every`-th interval.
Batch counters(const std::vector<Pod>& all, std::size_t every = 1) {
    Batch batch;
    for (const Pod& pod : all) {
        for (const bool spent : {true, false}) {
            const std::vector<double>& each = spent ? pod.spent : pod.served;
            std::vector<std::int64_t> times;
            std::vector<double> values;
            double sum = 5'000;
            for (std::size_t i = 0; i <= each.size(); ++i) {
                if (i % every == 0) {
                    times.push_back(static_cast<std::int64_t>(i) * interval);
                    values.push_back(sum);
                }
                if (i < each.size()) sum += each[i];
            }
            batch.add(spent ? "cpu_seconds" : "http_requests", pod.arm, pod.name, times, values);
        }
    }
    return batch;
}

TEST(RatioPlan, WhatCannotBeIsRefusedByName) {
    const auto said = [](const std::function<void(Metric&)>& change) {
        Plan plan = cpu();
        change(plan.metrics[0]);
        return said_by([&] { check(plan); });
    };
    EXPECT_EQ(said([](Metric&) {}), "");
    EXPECT_EQ(said([](Metric& m) { m.instances_differ = 0.5; }), "");
    EXPECT_EQ(said([](Metric& m) { m.margin = {.ratio = {}, .difference = 0.01}; }), "");
    EXPECT_NE(said([](Metric& m) { m.numerator.clear(); }).find("metrics[0].numerator is empty"), std::string::npos);
    EXPECT_NE(said([](Metric& m) { m.denominator.clear(); }).find("metrics[0].denominator is"), std::string::npos);
    EXPECT_NE(said([](Metric& m) { m.denominator = "cpu_seconds"; }).find("metrics[0].numerator"), std::string::npos);
    EXPECT_NE(said([](Metric& m) { m.absent = Absent::zero; }).find("metrics[0].absent"), std::string::npos);
    EXPECT_EQ(io::read_plan(io::write_plan(cpu())), cpu());
}

TEST(Ratio, BetweenInstancesHarmIsFoundAndAGoodCanaryPasses) {
    for (const double times : {1.0, 1.6}) {
        const Decision decision = judge(cpu(), counters(pods(120, 3, times)));
        EXPECT_EQ(decision.action, times > 1 ? Action::rollback : Action::promote) << support::all_said(decision);
        EXPECT_NEAR(decision.metrics[0].evidence.estimate, times, 0.05 * times);
        EXPECT_TRUE(support::told(decision).contains(Code::between_instances)) << support::all_said(decision);
        const std::string text = report::text(decision);
        EXPECT_NE(text.find("canary takes 0.0"), std::string::npos) << text;
    }
}

TEST(Ratio, TheLoadDropsOut) {
    // The canary has a tenth of the requests, and spends a tenth.
    std::vector<Pod> all = pods(120, 4, 1);
    for (double& spent : all.back().spent) spent /= 8;
    for (double& served : all.back().served) served /= 8;
    const Decision decision = judge(cpu(false), counts(all));
    EXPECT_EQ(decision.action, Action::promote) << support::all_said(decision);
    EXPECT_NEAR(decision.metrics[0].evidence.estimate, 1, 0.05);
}

TEST(Ratio, CountersSayTheSame) {
    const std::vector<Pod> all = pods(100, 5, 1.1);
    const Decision one = judge(cpu(false), counts(all)), other = judge(cpu(), counters(all));
    ASSERT_EQ(one.metrics[0].observed.size(), 3U) << support::all_said(one);
    ASSERT_EQ(other.metrics[0].observed.size(), 3U) << support::all_said(other);
    for (std::size_t i = 0; i < 3; ++i) {
        const double value = one.metrics[0].observed[i].value;
        EXPECT_NEAR(other.metrics[0].observed[i].value, value, 1e-9 * value);
    }
    EXPECT_EQ(one.action, other.action);
}

TEST(Ratio, ScrapesThatAreRarerLoseNothing) {
    const std::vector<Pod> all = pods(240, 6, 1.6);
    const Decision rare = judge(cpu(), counters(all, 2));
    EXPECT_EQ(rare.action, Action::rollback) << support::all_said(rare);
    EXPECT_NEAR(rare.metrics[0].evidence.estimate, 1.6, 0.08);
    EXPECT_TRUE(support::told(rare).contains(Code::bridged_intervals)) << support::all_said(rare);
    EXPECT_FALSE(support::told(rare).contains(Code::low_coverage)) << support::all_said(rare);
}

TEST(Ratio, WhatIsHalfThereIsNamed) {
    Batch batch = counts(pods(60, 7, 1));
    Batch half;
    for (const ArmSeries& series : batch.series) {
        if (series.name == "cpu_seconds" || series.arm == Arm::baseline) half.series.push_back(series);
    }
    const Decision without = judge(cpu(false), half);
    EXPECT_EQ(without.action, Action::hold);
    EXPECT_TRUE(support::told(without).contains(Code::unpaired_series)) << support::all_said(without);
    // Nothing to spend it on: there is no quotient, and no interval either.
    std::vector<Pod> idle = pods(60, 8, 1);
    for (double& served : idle.back().served) served = 0;
    EXPECT_EQ(judge(cpu(false), counts(idle)).action, Action::hold);
    const Decision still = judge(cpu(), counters(idle));
    EXPECT_EQ(still.action, Action::hold);
    EXPECT_TRUE(support::told(still).contains(Code::stands_still)) << support::all_said(still);
}

TEST(Ratio, HistoryTeachesItsNoise) {
    Plan plan = cpu();
    const auto pair = [](std::size_t n, std::uint64_t seed, double times) { return pods(n, seed, times, 1, 1); };
    const Calibration learned = calibrate(plan, counters(pair(1'500, 9, 1)));
    ASSERT_TRUE(learned.metrics[0].learned)
        << (learned.metrics[0].reasons.empty() ? std::string("no reason") : sentence(learned.metrics[0].reasons[0]));
    EXPECT_NEAR(learned.metrics[0].level, 0.02, 0.002);
    EXPECT_NEAR(learned.metrics[0].typical, 0.6745 * 0.02 * 0.04 * std::sqrt(2.0), 0.0002);
    plan = with_noise(plan, learned);
    EXPECT_EQ(io::read_plan(io::write_plan(plan)), plan);
    for (const double times : {1.0, 1.6}) {
        const Decision decision = judge(plan, counters(pair(120, 10, times)));
        EXPECT_EQ(decision.action, times > 1 ? Action::rollback : Action::promote) << support::all_said(decision);
        EXPECT_EQ(decision.guarantee, Guarantee::measured);
    }
}

TEST(Ratio, GoesOnFromItsState) {
    const Plan plan = cpu();
    for (const std::size_t every : {1U, 2U}) {
        const Batch batch = counters(pods(80, 11, 1.2), every);
        Monitor monitor(plan), watched(plan);
        for (const auto& [time, news] : support::looks_of(batch)) {
            watched.observe(news, time);
            monitor.observe(news, time);
            const auto saved = encode(monitor.state());
            monitor = Monitor(plan);
            monitor.restore(decode<MonitorState>(saved));
        }
        EXPECT_EQ(io::write_decision(monitor.decision()), io::write_decision(watched.decision()));
        EXPECT_GT(watched.decision().metrics[0].evidence.n_canary, 20);
    }
}

}  // namespace
}  // namespace serinus
