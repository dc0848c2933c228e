// What stands behind the promise: docs/concepts/promise.md, "Proved, measured, assumed", row by row.

#include <chrono>
#include <cmath>
#include <limits>
#include <optional>
#include <random>
#include <string>

#include <gtest/gtest.h>

#include <serinus/io/decision.hpp>
#include <serinus/io/plan.hpp>
#include <serinus/report/text.hpp>
#include <serinus/rollout/calibrate.hpp>
#include <serinus/rollout/monitor.hpp>

#include "support/gauge_world.hpp"

namespace {

using namespace serinus;
using namespace std::chrono_literals;
using Random = gauge_world::Random;

Plan counts(Margin margin = {.ratio = 1.5, .difference = {}}) {
    Plan plan;
    plan.name = "payments";
    plan.interval = std::chrono::milliseconds(gauge_world::interval);
    plan.stages = {Stage{.traffic = 0.5}};
    Metric& metric = plan.metrics.emplace_back();
    metric.name = "errors";
    metric.bad = "bad";
    metric.total = "total";
    metric.margin = margin;
    return plan;
}

Noise dispersion(double phi, std::optional<double> intervals = std::nullopt) {
    return {.dispersion = phi, .intervals = intervals};
}

/// A gauge with noise of so many intervals, and of so many instances (0: a pair).
Plan gauge(double size, double instances = 0) {
    Random random(3);
    Plan plan = gauge_world::plan();
    plan = with_noise(plan, calibrate(plan, gauge_world::pair({}, {}, 600, random)));
    plan.noise.at("p95").stages[0].size = size;
    plan.noise.at("p95").stages[0].instances = instances;
    return plan;
}

void expect(const Plan& plan, Guarantee guarantee, Code why, Guarantee decision) {
    const Decision d = judge(plan, Batch{});
    EXPECT_EQ(d.metrics[0].guarantee, guarantee);
    EXPECT_EQ(d.metrics[0].guarantee_why, why) << sentence({d.metrics[0].guarantee_why, "", {}, false});
    EXPECT_EQ(d.guarantee, decision);
    bool told = false;
    for (const Reason& reason : d.metrics[0].reasons) told = told || reason.code == why;
    EXPECT_TRUE(told) << report::text(d);
}

TEST(Guarantee, CountsWithoutNoise) {
    for (const Margin& margin : {Margin{.ratio = 1.5, .difference = {}}, Margin{.ratio = {}, .difference = 0.01}})
        expect(counts(margin), Guarantee::none, Code::dispersion_unknown, Guarantee::none);
}

TEST(Guarantee, CountsDeclaredIndependent) {
    for (const Margin& margin : {Margin{.ratio = 1.5, .difference = {}}, Margin{.ratio = {}, .difference = 0.01}}) {
        Plan plan = counts(margin);
        plan.noise["errors"] = dispersion(1);
        expect(plan, Guarantee::proved, Code::dispersion_given, Guarantee::proved);
        EXPECT_NE(report::text(judge(plan, Batch{})).find("proved for requests that fail independently"),
                  std::string::npos);
    }
}

TEST(Guarantee, CountsDeclaredMoreVariable) {
    Plan plan = counts();
    plan.noise["errors"] = dispersion(3);
    expect(plan, Guarantee::measured, Code::dispersion_given, Guarantee::measured);
    EXPECT_NE(report::text(judge(plan, Batch{})).find("measured on noise like history's, not proved"),
              std::string::npos);
}

TEST(Guarantee, CountsLearnedFromHistory) {
    Plan plan = counts();
    plan.noise["errors"] = dispersion(1.3, 2000);
    expect(plan, Guarantee::measured, Code::dispersion_given, Guarantee::measured);
    plan.noise["errors"] = dispersion(1, 2000);  // found, not declared
    expect(plan, Guarantee::measured, Code::dispersion_given, Guarantee::measured);
    plan.noise["errors"] = dispersion(1.3, 499);
    expect(plan, Guarantee::none, Code::history_unmeasured, Guarantee::none);
}

TEST(Guarantee, GaugesWithHistory) {
    expect(gauge(500), Guarantee::measured, Code::noise_given, Guarantee::measured);
    expect(gauge(499), Guarantee::none, Code::history_unmeasured, Guarantee::none);
    expect(gauge(2000, 5), Guarantee::measured, Code::noise_given, Guarantee::measured);
}

TEST(Guarantee, GaugesThatDecideNothingPromiseNothingAndSpoilNothing) {
    expect(gauge_world::plan(), Guarantee::none, Code::noise_unknown, Guarantee::none);
    expect(gauge(2000, 4), Guarantee::none, Code::single_instance, Guarantee::none);
    Plan plan = gauge_world::plan();
    plan.noise["p95"].refuted = true;
    expect(plan, Guarantee::none, Code::history_unusable, Guarantee::none);
    plan.metrics.push_back(counts().metrics[0]);
    plan.noise["errors"] = dispersion(1);
    expect(plan, Guarantee::none, Code::history_unusable, Guarantee::proved);
}

TEST(Guarantee, GaugesThatLearnOnTheWay) {
    Plan plan = gauge_world::plan();
    plan.learn_noise = true;
    expect(plan, Guarantee::none, Code::noise_learned_now, Guarantee::none);
}

TEST(Guarantee, TheDecisionHasTheWeakestOfThoseThatDecide) {
    Plan plan = gauge(2000);
    Plan other = counts();
    plan.metrics.push_back(other.metrics[0]);
    plan.noise["errors"] = dispersion(1);
    EXPECT_EQ(judge(plan, Batch{}).guarantee, Guarantee::measured);
    plan.noise.erase("errors");
    EXPECT_EQ(judge(plan, Batch{}).guarantee, Guarantee::none);
    plan.metrics[1].muted = true;
    EXPECT_EQ(judge(plan, Batch{}).guarantee, Guarantee::measured);
    plan.slo.emplace_back();
    plan.slo[0].objective.name = "availability";
    plan.slo[0].objective.budget = 0.001;
    plan.slo[0].objective.period = 30 * 24h;
    plan.slo[0].objective.expected_events = 1e7;
    plan.slo[0].metric = "errors";  // a rule decides by a muted metric's counts, too
    EXPECT_EQ(judge(plan, Batch{}).guarantee, Guarantee::none);
}

TEST(Guarantee, JsonSaysTheWords) {
    Plan plan = counts();
    plan.noise["errors"] = dispersion(1);
    const std::string json = io::write_decision(judge(plan, Batch{}));
    EXPECT_NE(json.find("\"guarantee\": \"proved\""), std::string::npos) << json;
    EXPECT_NE(json.find("\"guarantee_why\": \"dispersion_given\""), std::string::npos) << json;
}

TEST(Guarantee, ADeclarationAndALearnedOneAreDifferentPlans) {
    Plan declared = counts(), learned = counts();
    declared.noise["errors"] = dispersion(1);
    learned.noise["errors"] = dispersion(1, 2000);
    EXPECT_NE(digest(declared), digest(learned));
    EXPECT_EQ(io::read_plan(io::write_plan(learned)), learned);
}

TEST(Numbers, NoNumberHasNoSign) {
    EXPECT_EQ(number_text(-std::numeric_limits<double>::quiet_NaN()), "nan");
    EXPECT_EQ(given_text(std::copysign(std::numeric_limits<double>::quiet_NaN(), -1.0)), "nan");
}

}  // namespace
