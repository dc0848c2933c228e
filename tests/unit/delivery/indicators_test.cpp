#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/core/describe.hpp>
#include <serinus/core/error.hpp>
#include <serinus/delivery/indicators.hpp>

#include "support/code_of.hpp"

namespace serinus::delivery {
namespace {

constexpr std::int64_t minute = 60'000;

Event event(EventKind kind, std::string deployment, std::int64_t minutes) {
    Event made;
    made.kind = kind;
    made.deployment = std::move(deployment);
    made.time_ms = minutes * minute;
    return made;
}

Event run(bool passed, std::string commit, std::int64_t minutes) {
    Event made = event(EventKind::pipeline_finished, "", minutes);
    made.passed = passed;
    made.pipeline = "build";
    made.commit = std::move(commit);
    return made;
}

const Indicator& of(const Report& report, IndicatorKind kind) {
    return *std::find_if(report.indicators.begin(), report.indicators.end(),
                         [&](const Indicator& found) { return found.kind == kind; });
}

double beside(const Indicator& indicator, const std::string& name) {
    for (const NamedNumber& number : indicator.beside) {
        if (number.name == name) return number.value;
    }
    return std::numeric_limits<double>::quiet_NaN();
}

bool says(const std::vector<Reason>& reasons, Code code) {
    return std::any_of(reasons.begin(), reasons.end(), [&](const Reason& reason) { return reason.code == code; });
}

/// `n` deployments, of which the given ones fail; each takes 10 minutes.
Log deployments(int n, const std::vector<int>& failing = {}) {
    Log log;
    for (int i = 0; i < n; ++i) {
        const std::string id = "d" + std::to_string(i);
        const bool fails = std::find(failing.begin(), failing.end(), i) != failing.end();
        log.events.push_back(event(EventKind::deployment_started, id, 100 * i));
        log.events.push_back(
            event(fails ? EventKind::deployment_failed : EventKind::deployment_succeeded, id, 100 * i + 10));
    }
    return log;
}

using enum EventKind;
using enum IndicatorKind;

TEST(Indicators, NothingIsKnownOfAnEmptyLog) {
    const Report report = indicators({});
    ASSERT_EQ(report.indicators.size(), 10U);
    for (const Indicator& indicator : report.indicators) {
        EXPECT_EQ(indicator.verdict, Verdict::no_data);
        EXPECT_TRUE(std::isnan(indicator.estimate));
        EXPECT_TRUE(says(indicator.reasons, Code::indicator_untold));
        EXPECT_EQ(indicator.trend, Trend::unknown);
    }
    EXPECT_FALSE(report.from);
}

TEST(Indicators, SharesHaveTheExactInterval) {
    // R 4.3: binom.test(18, 20)$conf.int = 0.6830173 0.9876515
    const Report report = indicators(deployments(20, {3, 7}));
    const Indicator& rate = of(report, deployment_success_rate);
    EXPECT_DOUBLE_EQ(rate.estimate, 0.9);
    EXPECT_NEAR(rate.lower, 0.6830173, 1e-7);
    EXPECT_NEAR(rate.upper, 0.9876515, 1e-7);
    EXPECT_EQ(rate.verdict, Verdict::inconclusive);
    EXPECT_TRUE(says(rate.reasons, Code::indicator_few));
    EXPECT_EQ(rate.count, 20);
    EXPECT_EQ(report.deployments, 20);
    EXPECT_EQ(of(indicators(deployments(80)), deployment_success_rate).verdict, Verdict::pass);
    EXPECT_EQ(of(indicators(deployments(8, {1, 2, 3, 4, 5})), deployment_success_rate).verdict, Verdict::fail);
    // None of 20 failed: that does not show 95 %, and 72 would (0.025^(1/72) = 0.95005).
    const Report few = indicators(deployments(20));
    for (const Reason& reason : of(few, deployment_success_rate).reasons) {
        if (reason.code == Code::indicator_few) {
            EXPECT_EQ(reason.numbers.at(1).value, 72);
        }
    }
    const Report told = indicators(deployments(20), {.targets = {{deployment_success_rate, 0.8}}});
    EXPECT_EQ(of(told, deployment_success_rate).verdict, Verdict::pass);
}

TEST(Indicators, MeansHaveStudentsAndNeedFive) {
    Log log;
    const std::vector<int> minutes{10, 12, 15, 9, 14, 12};
    for (std::size_t i = 0; i < minutes.size(); ++i) {
        const auto at = static_cast<std::int64_t>(100 * i);
        log.events.push_back(event(deployment_started, "d" + std::to_string(i), at));
        log.events.push_back(event(deployment_succeeded, "d" + std::to_string(i), at + minutes[i]));
    }
    // R 4.3: t.test(c(10,12,15,9,14,12))$conf.int = 9.595 14.405 (minutes)
    const Indicator mean = of(indicators(log), mean_time_to_deploy);
    EXPECT_DOUBLE_EQ(mean.estimate, 720);
    EXPECT_NEAR(mean.lower, 720 - 2.570582 * std::sqrt(5.2) / std::sqrt(6) * 60, 1e-3);
    EXPECT_NEAR(mean.upper, 720 + 2.570582 * std::sqrt(5.2) / std::sqrt(6) * 60, 1e-3);
    EXPECT_EQ(mean.verdict, Verdict::pass);
    EXPECT_DOUBLE_EQ(beside(mean, "median_seconds"), 720);
    log.events.resize(8);
    EXPECT_EQ(of(indicators(log), mean_time_to_deploy).verdict, Verdict::inconclusive);
    log.events.resize(2);
    const Indicator one = of(indicators(log), mean_time_to_deploy);
    EXPECT_EQ(one.verdict, Verdict::inconclusive);
    EXPECT_TRUE(std::isinf(one.upper));
}

TEST(Indicators, WaitsForAPersonAreApart) {
    Log log = deployments(6);
    log.events.push_back(event(deployment_waiting, "d2", 202));
    log.events.push_back(event(deployment_resumed, "d2", 207));
    log.events.push_back(event(deployment_waiting, "d3", 306));  // and the deployment's end ends it
    const Indicator mean = of(indicators(log), mean_time_to_deploy);
    EXPECT_DOUBLE_EQ(mean.estimate, (4 * 10 + 5 + 6) * 60.0 / 6);
    EXPECT_EQ(beside(mean, "waited"), 2);
    EXPECT_DOUBLE_EQ(beside(mean, "mean_wait_seconds"), 4.5 * 60);
}

TEST(Indicators, AFailureThatPassesUnchangedIsFlaky) {
    Log log;
    log.events = {run(false, "a", 1), run(true, "a", 2),                      // flaky
                  run(false, "b", 3), run(false, "b", 4), run(true, "b", 5),  // twice
                  run(false, "c", 6), run(true, "d", 7),                      // c was broken
                  run(true, "e", 8),  run(false, "e", 9),                     // passed first: not shown to be flaky
                  run(false, "", 10), run(true, "", 11)};                     // nobody knows of what
    const Indicator rate = of(indicators(log), pipeline_failure_rate);
    EXPECT_EQ(beside(rate, "flaky"), 3);
    EXPECT_EQ(beside(rate, "runs"), 11);
    EXPECT_EQ(rate.count, 8);
    EXPECT_DOUBLE_EQ(rate.estimate, 3.0 / 8);
}

TEST(Indicators, ARollbackIsNoSuccess) {
    Log log = deployments(10);
    log.events.push_back(event(rollback_started, "d4", 411));
    log.events.push_back(event(rollback_finished, "d4", 415));
    Report report = indicators(log);
    EXPECT_DOUBLE_EQ(of(report, deployment_success_rate).estimate, 0.9);
    EXPECT_DOUBLE_EQ(of(report, mean_time_to_roll_back).estimate, 240);
    EXPECT_EQ(of(report, mean_time_to_deploy).count, 9);
}

TEST(Indicators, ErrorsAreComparedWithWhatTheBaselinesWouldHaveGiven) {
    Log log = deployments(8);
    for (int i = 0; i < 8; ++i) {
        Event told = event(measured, "d" + std::to_string(i), 100 * i + 11);
        // Baselines of very different sizes and shares; each canary fails three times as often.
        told.measures.bad_baseline = 10 * (i + 1);
        told.measures.total_baseline = 1000 * (i + 1) * (i % 2 == 0 ? 1 : 10);
        told.measures.total_canary = 5000;
        told.measures.bad_canary = 3 * 5000 * told.measures.bad_baseline / told.measures.total_baseline;
        log.events.push_back(told);
    }
    const Indicator rate = of(indicators(log), post_deploy_error_rate);
    EXPECT_NEAR(rate.estimate, 3, 1e-12);
    EXPECT_EQ(rate.verdict, Verdict::fail);
    // All alike, and still no surer than counts of events allow: R 4.3, poisson.test(660)$conf.int / 220.
    EXPECT_NEAR(rate.lower, 610.5996 / 220, 1e-3);
    EXPECT_EQ(rate.target, 2);
}

TEST(Indicators, BudgetCoverageAndCost) {
    Log log = deployments(6);
    for (int i = 0; i < 6; ++i) {
        Event told = event(measured, "d" + std::to_string(i), 100 * i + 11);
        told.measures.budget = i == 5 ? 0.5 : 0.01;
        told.measures.metrics = 10;
        told.measures.metrics_with_data = 10;
        told.measures.cost_baseline = 200;
        told.measures.cost_canary = 200 + i;
        log.events.push_back(told);
    }
    const Report report = indicators(log);
    EXPECT_EQ(beside(of(report, budget_consumed), "over_target"), 1);
    EXPECT_NEAR(of(report, budget_consumed).estimate, 0.55 / 6, 1e-12);
    EXPECT_EQ(of(report, budget_consumed).verdict, Verdict::inconclusive);
    // Six of six were whole: at least 54 % of them are (0.025^(1/6)).
    EXPECT_NEAR(of(report, observability_coverage).lower, std::pow(0.025, 1.0 / 6), 1e-9);
    EXPECT_EQ(of(report, observability_coverage).verdict, Verdict::inconclusive);
    EXPECT_NEAR(of(report, cost_delta).estimate, 0.0125, 1e-12);
    EXPECT_EQ(of(report, cost_delta).verdict, Verdict::pass);
}

TEST(Indicators, TrendsComeOfHalvesAndAreAdjustedTogether) {
    std::vector<int> failing;
    for (int i = 20; i < 40; i += 1) failing.push_back(i);
    const Indicator worse = of(indicators(deployments(40, failing)), deployment_success_rate);
    EXPECT_EQ(worse.trend, Trend::worse);
    EXPECT_EQ(worse.halves[0], 1);
    EXPECT_EQ(worse.halves[1], 0);
    EXPECT_EQ(worse.history.size(), 24U);
    EXPECT_EQ(of(indicators(deployments(40, {5, 30})), deployment_success_rate).trend, Trend::steady);
    const Indicator few = of(indicators(deployments(9)), deployment_success_rate);
    EXPECT_EQ(few.trend, Trend::unknown);
    EXPECT_TRUE(says(few.reasons, Code::trend_few));
}

TEST(Indicators, OrderAndRepetitionsChangeNothing) {
    Log log = deployments(12, {3});
    const Report report = indicators(log);
    Log other = log;
    std::reverse(other.events.begin(), other.events.end());
    other.events.insert(other.events.end(), log.events.begin(), log.events.end());
    const Report again = indicators(other);
    EXPECT_TRUE(same(of(again, deployment_success_rate), of(report, deployment_success_rate)));
    EXPECT_TRUE(says(again.notes, Code::log_disorder));
    EXPECT_TRUE(says(again.notes, Code::log_repeated));
    EXPECT_TRUE(report.notes.empty());
}

TEST(Indicators, EventsThatDisagreeAreTold) {
    Log log = deployments(6);
    log.events.push_back(event(deployment_started, "twice", 10));
    log.events.push_back(event(deployment_started, "twice", 20));
    log.events.push_back(event(deployment_succeeded, "twice", 40));
    log.events.push_back(event(deployment_started, "skewed", 50));
    log.events.push_back(event(deployment_succeeded, "skewed", 45));
    log.events.push_back(event(deployment_started, "open", 60));
    log.events.push_back(event(deployment_succeeded, "headless", 70));
    const Report report = indicators(log);
    for (const Code code : {Code::deployment_twice, Code::clock_skew, Code::deployment_open, Code::deployment_headless})
        EXPECT_TRUE(says(report.notes, code)) << name(code);
    EXPECT_EQ(of(report, deployment_success_rate).count, 9);
    EXPECT_EQ(of(report, mean_time_to_deploy).count, 7);  // not the skewed one, not the headless one
    EXPECT_DOUBLE_EQ(of(report, mean_time_to_deploy).estimate, (6 * 10 + 30) * 60.0 / 7);
    EXPECT_TRUE(says(of(report, mean_time_to_deploy).reasons, Code::indicator_partial));
}

TEST(Indicators, OneIdMayBeDeployedAgain) {
    Log log;
    log.events = {event(deployment_started, "d", 0), event(deployment_failed, "d", 5),
                  event(deployment_started, "d", 10), event(deployment_succeeded, "d", 20)};
    const Report report = indicators(log);
    EXPECT_EQ(report.deployments, 2);
    EXPECT_DOUBLE_EQ(of(report, deployment_success_rate).estimate, 0.5);
    EXPECT_TRUE(report.notes.empty());
}

TEST(Indicators, BadOptions) {
    EXPECT_EQ(code_of([] { indicators({}, {.targets = {}, .confidence = 1}); }), Code::argument_range);
    const double nan = std::numeric_limits<double>::quiet_NaN();
    EXPECT_EQ(code_of([&] { indicators({}, {.targets = {{cost_delta, nan}}}); }), Code::argument_range);
}

}  // namespace
}  // namespace serinus::delivery
