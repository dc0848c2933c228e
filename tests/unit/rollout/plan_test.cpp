#include <chrono>
#include <cmath>
#include <functional>
#include <limits>
#include <string>

#include <gtest/gtest.h>

#include <serinus/rollout/plan.hpp>

namespace serinus {
using namespace std::chrono_literals;
namespace {

Plan good() {
    Plan plan;
    plan.name = "payments";
    plan.interval = 10s;
    Stage first, second;
    first.traffic = 0.1;
    first.min = 1min;
    first.max = 10min;
    second.traffic = 0.5;
    plan.stages = {first, second};
    Metric metric;
    metric.name = "errors";
    metric.bad = "http_errors";
    metric.total = "http_requests";
    metric.margin = {.ratio = 2.0, .difference = {}};
    plan.metrics = {metric};
    return plan;
}

TEST(Plan, AGoodOneIsAccepted) { EXPECT_NO_THROW(check(good())); }

TEST(Plan, WhatIsImpossibleIsNamedWithItsPathItsValueAndWhatIsAllowed) {
    struct Case {
        std::function<void(Plan&)> spoil;
        Code code;
        std::string path;   // what() names it
        std::string value;  // and says this of it
    };
    const double nan = std::nan("");
    const std::vector<Case> cases{
        {[](Plan& p) { p.name.clear(); }, Code::plan_value, "name", "empty"},
        {[](Plan& p) { p.alpha = 0; }, Code::plan_value, "alpha", "is 0"},
        {[](Plan& p) { p.alpha = 1; }, Code::plan_value, "alpha", "is 1"},
        {[&](Plan& p) { p.alpha = nan; }, Code::plan_value, "alpha", "nan"},
        {[](Plan& p) { p.alpha_promote = 1.5; }, Code::plan_value, "alpha_promote", "1.5"},
        {[](Plan& p) { p.beta = 0; }, Code::plan_value, "beta", "is 0"},
        {[](Plan& p) { p.interval = 0ms; }, Code::plan_value, "interval", "0"},
        {[](Plan& p) { p.interval = -5ms; }, Code::plan_value, "interval", "-5"},
        {[](Plan& p) { p.warm_up = -1ms; }, Code::plan_value, "warm_up", "-1"},
        {[](Plan& p) { p.settle = -1ms; }, Code::plan_value, "settle", "-1"},
        {[](Plan& p) { p.stages.clear(); }, Code::plan_value, "stages", "empty"},
        {[](Plan& p) { p.stages[1].traffic = 0.1; }, Code::plan_value, "stages[1].traffic", "0.1"},
        {[](Plan& p) { p.stages[1].traffic = 0.05; }, Code::plan_value, "stages[1].traffic", "0.05"},
        {[](Plan& p) { p.stages[0].traffic = 0; }, Code::plan_value, "stages[0].traffic", "is 0"},
        {[](Plan& p) { p.stages[1].traffic = 1.1; }, Code::plan_value, "stages[1].traffic", "1.1"},
        {[](Plan& p) { p.stages[0].max = 30s; }, Code::plan_value, "stages[0].max", "30s"},
        {[](Plan& p) { p.metrics.clear(); }, Code::plan_value, "metrics", "empty"},
        {[](Plan& p) { p.metrics.push_back(p.metrics[0]); }, Code::plan_duplicate, "metrics[1].name", "errors"},
        {[](Plan& p) { p.metrics[0].kind = Kind::sample; }, Code::plan_value, "metrics[0].series", "empty"},
        {[](Plan& p) { p.metrics[0].quantile = {0.9}; }, Code::plan_value, "metrics[0].quantile", "given"},
        {[](Plan& p) { p.metrics[0].kind = Kind::gauge; }, Code::plan_value, "metrics[0].series", "empty"},
        {[](Plan& p) { p.metrics[0].kind = Kind::gauge, p.metrics[0].series = "s"; }, Code::plan_value,
         "metrics[0].bad", "given"},
        {[](Plan& p) { p.metrics[0].series = "s"; }, Code::plan_value, "metrics[0].series", "given"},
        {[](Plan& p) { p.learn_noise = true, p.noise["errors"].dispersion = 2; }, Code::plan_value, "noise",
         "both given"},
        {[](Plan& p) { p.noise["errors"].stages.resize(1); }, Code::plan_value, "noise.errors.stages", "given"},
        {[](Plan& p) { p.metrics[0].bad.clear(); }, Code::plan_value, "metrics[0].bad", "empty"},
        {[](Plan& p) { p.metrics[0].total = p.metrics[0].bad; }, Code::plan_value, "metrics[0].bad", "http_errors"},
        {[](Plan& p) { p.metrics[0].margin.ratio = 0; }, Code::plan_value, "metrics[0].margin.ratio", "is 0"},
        {[](Plan& p) { p.metrics[0].margin.ratio = -2; }, Code::plan_value, "metrics[0].margin.ratio", "-2"},
        {[](Plan& p) { p.metrics[0].margin.ratio = 0.5; }, Code::plan_value, "metrics[0].margin.ratio", "0.5"},
        {[&](Plan& p) { p.metrics[0].margin.ratio = nan; }, Code::plan_value, "metrics[0].margin.ratio", "nan"},
        {[](Plan& p) { p.metrics[0].margin = {}; }, Code::plan_value, "metrics[0].margin", "empty"},
        {[](Plan& p) { p.metrics[0].margin.difference = 0.1; }, Code::plan_value, "metrics[0].margin", "both"},
        {[](Plan& p) { p.metrics[0].margin = {.ratio = {}, .difference = -0.1}; }, Code::plan_value,
         "metrics[0].margin.difference", "-0.1"},
        {[](Plan& p) { p.metrics[0].margin.ratio = 1; }, Code::plan_value, "metrics[0].detect", "missing"},
        {[](Plan& p) { p.metrics[0].margin.ratio = 1, p.metrics[0].critical = true; }, Code::plan_value,
         "metrics[0].margin", "ratio of 1"},
        {[](Plan& p) { p.metrics[0].detect = Margin{.ratio = 1.5, .difference = {}}; }, Code::plan_value,
         "metrics[0].detect.ratio", "1.5"},
        {[](Plan& p) { p.metrics[0].detect = Margin{.ratio = {}, .difference = 0.5}; }, Code::plan_value,
         "metrics[0].detect", "a difference"},
        {[](Plan& p) { p.metrics[0].margin = {.ratio = {}, .difference = 0.6}; }, Code::plan_value, "metrics[0].detect",
         "1.2"},
        {[](Plan& p) { p.metrics[0].weight = 0; }, Code::plan_value, "metrics[0].weight", "is 0"},
        {[](Plan& p) { p.metrics[0].weight = INFINITY; }, Code::plan_value, "metrics[0].weight", "inf"},
        {[](Plan& p) { p.metrics[0].min_count = -1; }, Code::plan_value, "metrics[0].min_count", "-1"},
        {[](Plan& p) {
             p.metrics[0].margin = {.ratio = {}, .difference = 0.1};
             p.metrics[0].method = sequential::ProportionMethod::conditional;
         },
         Code::plan_value, "metrics[0].method", "conditional"},
        {[](Plan& p) {
             p.metrics.push_back(p.metrics[0]);
             p.metrics[1].name = "b";
             p.metrics[1].counter = true;
         },
         Code::plan_value, "metrics[1].counter", "true"},
        {[](Plan& p) { p.noise["nothing"].dispersion = 2; }, Code::plan_value, "noise.nothing", "does not have"},
        {[](Plan& p) { p.noise["errors"].dispersion = 0.5; }, Code::plan_value, "noise.errors.dispersion", "0.5"},
        {[](Plan& p) { p.arms.canary = p.arms.baseline; }, Code::plan_value, "arms.canary", "stable"},
        {[](Plan& p) { p.arms.label.clear(); }, Code::plan_value, "arms.label", "empty"},
        {[](Plan& p) { p.telemetry.min_coverage = 0; }, Code::plan_value, "telemetry.min_coverage", "is 0"},
        {[](Plan& p) { p.telemetry.max_imbalance = 2; }, Code::plan_value, "telemetry.max_imbalance", "is 2"},
        {[](Plan& p) { p.telemetry.stale_after = 1ms; }, Code::plan_value, "telemetry.stale_after", "1ms"},
    };
    for (const Case& c : cases) {
        Plan plan = good();
        c.spoil(plan);
        try {
            check(plan);
            ADD_FAILURE() << c.path << " was accepted";
        } catch (const Error& error) {
            const std::string what = error.what();
            EXPECT_EQ(error.code(), c.code) << what;
            EXPECT_NE(what.find(": " + c.path), std::string::npos) << what << " should name " << c.path;
            EXPECT_NE(what.find(c.value), std::string::npos) << what << " should show " << c.value;
            EXPECT_NE(what.find("allowed: "), std::string::npos) << what;
        }
    }
}

TEST(Plan, AlphaIsSplitByWeightOverWhatCanRollBack) {
    Plan plan = good();
    plan.alpha = 0.06;
    plan.metrics.push_back(plan.metrics[0]);
    plan.metrics[1].name = "heavy";
    plan.metrics[1].weight = 2;
    plan.metrics.push_back(plan.metrics[0]);
    plan.metrics[2].name = "muted";
    plan.metrics[2].muted = true;
    plan.metrics[2].weight = 100;
    const std::vector<double> split = alpha_split(plan);
    ASSERT_EQ(split.size(), 3U);
    EXPECT_NEAR(split[0], 0.02, 1e-15);
    EXPECT_NEAR(split[1], 0.04, 1e-15);
    EXPECT_EQ(split[2], 0);
}

TEST(Plan, DefaultsAreFilledIn) {
    Plan plan = good();
    Metric& metric = plan.metrics[0];
    EXPECT_EQ(effective_promote_when(metric), PromoteWhen::no_harm_found);
    EXPECT_EQ(effective_detect(metric)->ratio, 4.0);
    metric.critical = true;
    EXPECT_EQ(effective_promote_when(metric), PromoteWhen::harm_ruled_out);
    metric.promote_when = PromoteWhen::no_harm_found;
    EXPECT_EQ(effective_promote_when(metric), PromoteWhen::no_harm_found);
    metric.margin = {.ratio = {}, .difference = 0.01};
    EXPECT_EQ(effective_detect(metric)->difference, 0.02);
    EXPECT_EQ(effective_stale_after(plan), 50s);
    plan.settle = 7s;
    EXPECT_EQ(effective_stale_after(plan), 57s);
}

TEST(Plan, TheDigestTellsPlansApart) {
    const Plan plan = good();
    EXPECT_EQ(digest(plan), digest(good()));
    EXPECT_EQ(digest(plan).size(), 64U);
    const std::vector<std::function<void(Plan&)>> changes{
        [](Plan& p) { p.name += "x"; },
        [](Plan& p) { p.deployment = "d"; },
        [](Plan& p) { p.alpha = 0.04; },
        [](Plan& p) { p.alpha_promote = 0.05; },
        [](Plan& p) { p.beta = 0.1; },
        [](Plan& p) { p.stages[0].min += 1ms; },
        [](Plan& p) { p.stages[0].max.reset(); },
        [](Plan& p) { p.warm_up = 1ms; },
        [](Plan& p) { p.on_deadline = Deadline::rollback; },
        [](Plan& p) { p.metrics[0].margin.ratio = 2.0000000000000004; },
        [](Plan& p) { p.metrics[0].margin = {.ratio = {}, .difference = 0.2}; },
        [](Plan& p) { p.metrics[0].missing = Missing::fail; },
        [](Plan& p) { p.metrics[0].muted = true; },
        [](Plan& p) { p.noise["errors"].dispersion = 1; },
        [](Plan& p) { p.arms.label = "x"; },
        [](Plan& p) { p.queries["a"] = "b"; },
        [](Plan& p) { p.telemetry.min_coverage = 0.5; },
    };
    for (std::size_t i = 0; i < changes.size(); ++i) {
        Plan changed = good();
        changes[i](changed);
        EXPECT_NE(digest(changed), digest(plan)) << i;
    }
}

}  // namespace
}  // namespace serinus
