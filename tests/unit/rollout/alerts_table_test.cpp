// The rules of docs/concepts/alerts.md that no other test has.

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/rollout/monitor.hpp>

namespace serinus {
namespace {

constexpr std::int64_t origin = 1'795'382'480'000, interval = 10'000;

Plan counting() {
    Plan plan;
    plan.name = "payments";
    plan.deployment = "payments-7";
    plan.interval = std::chrono::milliseconds(interval);
    Stage stage;
    stage.traffic = 0.1;
    plan.stages = {stage};
    Metric metric;
    metric.name = "errors";
    metric.bad = "bad";
    metric.total = "total";
    metric.margin = {.ratio = 2.0, .difference = {}};
    plan.metrics = {metric};
    return plan;
}

/// 900 and 100 requests an interval, of which 9 fail in the baseline.
Batch requests(int intervals, double bad_in_canary, bool canary = true) {
    std::vector<std::int64_t> times;
    for (int i = 0; i < intervals; ++i) times.push_back(origin + i * interval);
    const auto flat = [&](double value) { return std::vector<double>(times.size(), value); };
    Batch batch;
    batch.add("total", Arm::baseline, "", times, flat(900));
    batch.add("bad", Arm::baseline, "", times, flat(9));
    if (canary) batch.add("total", Arm::canary, "", times, flat(100));
    if (canary) batch.add("bad", Arm::canary, "", times, flat(bad_in_canary));
    return batch;
}

TEST(AlertsTable, ARollbackPages) {
    const Decision proven = judge(counting(), requests(60, 20));
    EXPECT_EQ(proven.action, Action::rollback);
    EXPECT_EQ(proven.severity, Severity::page);
    // What the plan orders as well.
    Plan plan = counting();
    plan.metrics[0].missing = Missing::fail;
    const Decision ordered = judge(plan, requests(10, 1), origin + 60 * interval);
    EXPECT_EQ(ordered.action, Action::rollback);
    EXPECT_EQ(ordered.severity, Severity::page);
}

TEST(AlertsTable, WhatAPersonCanMendIsATicket) {
    const Decision stale = judge(counting(), requests(2, 1), origin + 60 * interval);
    EXPECT_EQ(stale.action, Action::hold);
    EXPECT_EQ(stale.severity, Severity::ticket);
    // A stage that has run for its maximum: the data are fine, and a person should decide.
    Plan plan = counting();
    plan.metrics[0].margin = {.ratio = 1.2, .difference = {}};
    plan.metrics[0].critical = true;
    plan.stages[0].max = std::chrono::minutes(2);
    const Decision late = judge(plan, requests(13, 1));
    EXPECT_EQ(late.action, Action::hold);
    EXPECT_EQ(late.severity, Severity::ticket);
    // Before it nobody is asked.
    EXPECT_EQ(judge(plan, requests(6, 1)).severity, Severity::info);
}

TEST(AlertsTable, AnotherDeploymentIsAnotherIncident) {
    Plan plan = counting();
    EXPECT_EQ(judge(plan, requests(60, 20)).dedupe_key, "payments-7/rollback");
    plan.deployment = "payments-8";
    EXPECT_EQ(judge(plan, requests(60, 20)).dedupe_key, "payments-8/rollback");
    EXPECT_EQ(judge(plan, requests(2, 1), origin + 60 * interval).dedupe_key, "payments-8/stage 1/hold");
}

TEST(AlertsTable, ADryRunTellsNobody) {
    Plan plan = counting();
    plan.dry_run = true;
    const Decision shadow = judge(plan, requests(60, 20));
    EXPECT_EQ(shadow.action, Action::hold);
    EXPECT_EQ(shadow.severity, Severity::info);
    EXPECT_EQ(shadow.dedupe_key, "");
    EXPECT_EQ(shadow.would, Action::rollback);
    EXPECT_EQ(shadow.would_severity, Severity::page);
}

}  // namespace
}  // namespace serinus
