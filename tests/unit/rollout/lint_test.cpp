#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/rollout/lint.hpp>

#include "support/code_of.hpp"

namespace serinus {
using namespace std::chrono_literals;
namespace {

Plan counters() {
    Plan plan;
    plan.name = "shop";
    plan.interval = 10s;
    Stage stage;
    stage.traffic = 0.2;
    stage.min = 10min;
    stage.max = 1h;
    plan.stages = {stage};
    Metric metric;
    metric.name = "errors";
    metric.bad = "http_errors";
    metric.total = "http_requests";
    metric.counter = true;
    metric.margin = {.ratio = 1.5, .difference = {}};
    plan.metrics = {metric};
    return plan;
}

Plan gauge() {
    Plan plan = counters();
    Metric metric;
    metric.name = "memory";
    metric.kind = Kind::gauge;
    metric.series = "memory_bytes";
    metric.margin = {.ratio = 1.2, .difference = {}};
    plan.metrics = {metric};
    return plan;
}

Plan with_query(const std::string& query) {
    Plan plan = counters();
    plan.queries["http_requests"] = query;
    return plan;
}

bool has(const std::vector<Reason>& reasons, Code code) {
    return std::any_of(reasons.begin(), reasons.end(), [&](const Reason& reason) { return reason.code == code; });
}

std::vector<Code> codes_of(const std::vector<Reason>& reasons) {
    std::vector<Code> codes;
    for (const Reason& reason : reasons) codes.push_back(reason.code);
    return codes;
}

std::string sentence_of(const std::vector<Reason>& reasons, Code code) {
    for (const Reason& reason : reasons) {
        if (reason.code == code) return sentence(reason);
    }
    return "not said";
}

using Codes = std::vector<Code>;

TEST(Lint, AGoodPlanHasNothingToMend) {
    EXPECT_EQ(codes_of(lint(counters())), Codes());
    // "min" alone is as long as the stage is planned to run; without both there are the 120 intervals of `longest`.
    Plan plan = counters();
    plan.stages[0].max.reset();
    plan.settle = 5min;
    EXPECT_EQ(codes_of(lint(plan)), Codes());
    plan.stages[0].min = 0s;
    EXPECT_EQ(codes_of(lint(plan)), Codes());
}

TEST(Lint, APlanThatCannotBeCarriedOutIsRefused) {
    Plan plan = counters();
    plan.stages.clear();
    EXPECT_EQ(code_of([&] { lint(plan); }), Code::plan_value);
    EXPECT_EQ(code_of([&] { understand(plan, {}); }), Code::plan_value);
}

TEST(Lint, SettlingTakesLessThanAStage) {
    Plan plan = counters();
    plan.settle = 1h;
    EXPECT_EQ(codes_of(lint(plan)), Codes{Code::settle_beyond_stage});
    EXPECT_EQ(sentence(lint(plan).at(0)),
              "an interval settles for 1h, and stage 1 has 1h: nothing of it is judged before it is over");
    plan.settle = 1h - 1s;
    EXPECT_EQ(codes_of(lint(plan)), Codes());
}

TEST(Lint, WindowsThatThePlanNamesFitIntoAStage) {
    Plan plan = counters();
    SloRule rule;
    rule.objective = {.name = "availability", .budget = 0.01, .period = 30 * 24h};
    rule.metric = "errors";
    plan.slo = {rule};
    EXPECT_EQ(codes_of(lint(plan)), Codes()) << "the workbook's own windows are no mistake of the plan's";
    plan.slo[0].halt_window = 6h;
    plan.slo[0].policy.conditions = {
        {.name = "slow", .long_window = 3 * 24h, .short_window = 6h, .factor = 1, .severity = Severity::ticket},
        {.name = "fast", .long_window = 1h, .short_window = 5min, .factor = 14.4}};
    EXPECT_EQ(codes_of(lint(plan)), (Codes{Code::window_beyond_stage, Code::window_beyond_stage}));
    EXPECT_EQ(sentence(lint(plan).at(1)),
              "the objective availability looks at the last 3d, and no stage is longer than 1h: the window of slow is "
              "never full within a stage");
}

TEST(Lint, AGaugeHasNoiseOrInstances) {
    EXPECT_EQ(codes_of(lint(gauge())), Codes{Code::gauge_without_noise});
    Plan learning = gauge();
    learning.learn_noise = true;
    EXPECT_EQ(codes_of(lint(learning)), Codes());
    Plan known = gauge();
    known.metrics[0].muted = true;
    EXPECT_EQ(codes_of(lint(known)), Codes());
    for (const auto& [query, kept] : std::vector<std::pair<std::string, bool>>{
             {"max by (track, pod) (memory_bytes)", true},
             {"max by (track, instance) (memory_bytes)", true},
             {"memory_bytes{track!=\"\"}", true},
             {"max without (cpu) (memory_bytes{track!=\"\"})", true},
             {"avg by (track) (memory_bytes)", false},
             {"histogram_quantile(0.95, sum by (le, track) (rate(seconds_bucket[1m])))", false},
         }) {
        Plan plan = gauge();
        plan.queries["memory_bytes"] = query;
        EXPECT_EQ(!has(lint(plan), Code::gauge_without_noise), kept) << query;
    }
}

TEST(Lint, QueriesKeepTheLabelOfTheArms) {
    for (const auto& [query, code] : std::vector<std::pair<std::string, Code>>{
             {"sum by (track) (http_requests_total)", Code::none},
             {"SUM(http_requests_total) BY (track, path)", Code::none},
             {"sum without (instance) (http_requests_total{track=~\"stable|canary\"})", Code::none},
             {"http_requests_total{track!=\"\"}", Code::none},
             {"topk(5, http_requests_total{track!=\"\"})", Code::none},
             {"sum by (track) (sum by (track, pod) (http_requests_total)) or vector(0)", Code::none},
             {"label_replace(sum by (pod) (http_requests_total), \"track\", \"$1\", \"pod\", \"(.*)-.*\")", Code::none},
             {"sum by (track) (http_requests_total * on (pod) group_left (track) pods)", Code::none},
             {"http_requests_total", Code::query_without_arm},
             {"job:http_requests:total{tracks=\"a\"}", Code::query_without_arm},
             {"http_requests_total # by track", Code::query_without_arm},
             {"sum(http_requests_total)", Code::query_loses_arm},
             {"sum by (pod) (http_requests_total)", Code::query_loses_arm},
             {"sum(http_requests_total{track=\"canary\"})", Code::query_loses_arm},
             {"sum(http_requests_total) by (path)", Code::query_loses_arm},
             {"sum without (track) (http_requests_total)", Code::query_loses_arm},
             {"sum by (track) (sum by (pod) (http_requests_total))", Code::query_loses_arm},
             {"sum by (", Code::query_loses_arm},
             {"sum{track=\"a\"} + \"unfinished", Code::none},
         }) {
        EXPECT_EQ(codes_of(lint(with_query(query))), code == Code::none ? Codes() : Codes{code}) << query;
    }
    EXPECT_EQ(sentence(lint(with_query("sum(http_requests_total)")).at(0)),
              "the query of http_requests aggregates the label track away, which tells the arms apart: say `sum by "
              "(track)`");
    Plan other = with_query("sum by (track) (http_requests_total)");
    other.arms.label = "role";
    EXPECT_EQ(codes_of(lint(other)), Codes{Code::query_loses_arm});
}

TEST(Lint, CountersAreAskedForThemselves) {
    const Plan plan = with_query("sum by (track) (rate(http_requests_total[1m]))");
    EXPECT_EQ(codes_of(lint(plan)), Codes{Code::query_of_rates});
    EXPECT_EQ(sentence(lint(plan).at(0)),
              "the query of http_requests asks for rate(), and its metric says \"counter\": true: ask for the counter "
              "itself");
    EXPECT_EQ(codes_of(lint(with_query("sum by (track) (increase (http_requests_total[1m]))"))),
              Codes{Code::query_of_rates});
    EXPECT_EQ(codes_of(lint(with_query("sum by (track) (rate{a=\"rate(\"})"))), Codes());
    Plan counts = plan;
    counts.metrics[0].counter = false;
    EXPECT_EQ(codes_of(lint(counts)), Codes());
}

constexpr std::int64_t start_ms = 1'795'382'480'000;

/// A cumulative counter that grows by `rate` a second, sampled every ten seconds.
void add_counter(Batch& batch, const std::string& name, Arm arm, double rate, const std::string& instance = "") {
    std::vector<std::int64_t> times;
    std::vector<double> values;
    for (int i = 0; i <= 90; ++i) {
        times.push_back(start_ms + 10'000 * i);
        values.push_back(1'000 + std::floor(10 * rate * i));
    }
    batch.add(name, arm, instance, times, values);
}

Batch traffic(double requests, double share) {
    Batch batch;
    add_counter(batch, "http_requests", Arm::baseline, 0.8 * requests);
    add_counter(batch, "http_requests", Arm::canary, 0.2 * requests);
    add_counter(batch, "http_errors", Arm::baseline, 0.8 * requests * share);
    add_counter(batch, "http_errors", Arm::canary, 0.2 * requests * share);
    return batch;
}

TEST(Understand, SaysWhatTheDataHave) {
    const Understood understood = understand(counters(), traffic(500, 0.02));
    EXPECT_EQ(codes_of(understood.mend), Codes());
    ASSERT_EQ(understood.series.size(), 4U);
    const SeriesSeen& first = understood.series.front();
    EXPECT_EQ(first.metric, "errors");
    EXPECT_EQ(first.key, "bad");
    EXPECT_EQ(first.name, "http_errors");
    EXPECT_EQ(first.arm, Arm::baseline);
    EXPECT_EQ(first.series, 1);
    EXPECT_EQ(first.instances, std::vector<std::string>());
    EXPECT_EQ(first.samples, 91);
    EXPECT_EQ(first.spacing, 10s);
    EXPECT_EQ(to_ms(first.first.value()), start_ms);
    EXPECT_EQ(to_ms(first.last.value()), start_ms + 900'000);
    EXPECT_EQ(understood.series.back().key, "total");
    EXPECT_EQ(understood.series.back().arm, Arm::canary);
}

TEST(Understand, WhatThePlanNamesIsThere) {
    const Plan plan = counters();
    EXPECT_EQ(codes_of(understand(plan, {}).mend),
              (Codes{Code::missing_baseline, Code::missing_canary, Code::never_seen}));
    Batch other = traffic(500, 0.02);
    for (ArmSeries& series : other.series) {
        if (series.name == "http_errors") series.name = "http_error";
    }
    const Understood misnamed = understand(plan, other);
    EXPECT_EQ(sentence_of(misnamed.mend, Code::series_not_in_data), "no http_errors; the data have http_error");
    Batch one = traffic(500, 0.02);
    std::erase_if(one.series, [](const ArmSeries& series) { return series.arm == Arm::canary; });
    EXPECT_TRUE(has(understand(plan, one).mend, Code::missing_canary));
    EXPECT_FALSE(has(understand(plan, one).mend, Code::missing_baseline));
    Plan ignoring = plan;
    ignoring.metrics[0].missing = Missing::ignore;
    EXPECT_EQ(codes_of(understand(ignoring, {}).mend), Codes());
}

TEST(Understand, DoubtsAboutTheDataAreToBeMended) {
    Plan plan = counters();
    plan.metrics[0].counter = false;
    EXPECT_TRUE(has(understand(plan, traffic(500, 0.5)).mend, Code::looks_like_counter));
    // Information about the data is none: a reset of the counter is a restart.
    Batch restarted = traffic(500, 0.02);
    for (ArmSeries& series : restarted.series) {
        if (series.arm != Arm::canary) continue;
        const double before = series.series.values[44];
        for (std::size_t i = 45; i < series.series.values.size(); ++i) series.series.values[i] -= before;
    }
    const Understood understood = understand(counters(), restarted);
    EXPECT_EQ(codes_of(understood.mend), Codes());
    EXPECT_TRUE(has(understood.notes, Code::counter_restarts));
    // The canary has half of what it is told.
    plan = counters();
    plan.stages[0].traffic = 0.4;
    EXPECT_TRUE(has(understand(plan, traffic(500, 0.02)).notes, Code::split_off));
}

TEST(Understand, DataAnswerWhatThePlanLeavesOpen) {
    Plan plan = with_query("http_requests_total");
    EXPECT_EQ(codes_of(lint(plan)), Codes{Code::query_without_arm});
    EXPECT_EQ(codes_of(understand(plan, traffic(500, 0.02)).mend), Codes());
    plan = with_query("sum(http_requests_total)");
    EXPECT_EQ(codes_of(understand(plan, traffic(500, 0.02)).mend), Codes{Code::query_loses_arm});

    Batch pods, alone;
    const std::vector<std::pair<Arm, std::string>> instances{
        {Arm::baseline, "a"}, {Arm::baseline, "b"}, {Arm::baseline, "c"}, {Arm::canary, "d"}};
    for (const auto& [arm, instance] : instances) {
        std::vector<std::int64_t> times;
        std::vector<double> values;
        for (int i = 0; i <= 90; ++i) {
            times.push_back(start_ms + 10'000 * i);
            values.push_back(100 + (i * 7 + instance.front()) % 5);
        }
        pods.add("memory_bytes", arm, instance, times, values);
        if (instance == "a" || instance == "d") alone.add("memory_bytes", arm, "", times, values);
    }
    EXPECT_EQ(codes_of(understand(gauge(), pods).mend), Codes());
    EXPECT_EQ(codes_of(understand(gauge(), alone).mend), Codes{Code::noise_unknown});
}

TEST(Understand, AMarginIsDecidableAtTheTrafficOfTheData) {
    const Plan plan = counters();
    EXPECT_FALSE(has(understand(plan, traffic(500, 0.01)).mend, Code::margin_undecidable));
    const Understood few = understand(plan, traffic(0.5, 0.01));
    EXPECT_EQ(
        sentence_of(few.mend, Code::margin_undecidable),
        "in the 1h of stage 1 the canary has about 360 requests, and about 623 are needed for a good canary to "
        "pass as often as not (approximately; 0.833 % of the baseline's are bad): more time or traffic, or a wider "
        "margin");
    // More is asked where harm must be ruled out, and of noisy counts; less at a wide margin.
    Plan wide = plan;
    wide.metrics[0].margin.ratio = 20.0;
    EXPECT_FALSE(has(understand(wide, traffic(0.5, 0.01)).mend, Code::margin_undecidable));
    Plan strict = plan;
    strict.metrics[0].promote_when = PromoteWhen::harm_ruled_out;
    Plan noisy = plan;
    noisy.noise["errors"].dispersion = 4;
    const auto needed = [&](const Plan& of) {
        for (const Reason& reason : understand(of, traffic(0.5, 0.01)).mend) {
            for (const NamedNumber& number : reason.numbers) {
                if (reason.code == Code::margin_undecidable && number.name == "needed") return number.value;
            }
        }
        return 0.0;
    };
    EXPECT_GT(needed(strict), 3 * needed(plan));
    EXPECT_NEAR(needed(noisy) / needed(plan), 4, 0.1);
    Plan many = plan;
    many.metrics[0].min_count = 1e6;
    EXPECT_NEAR(needed(many), 1e6, 1);
}

TEST(Understand, HasNothingOfAMutedMetricToMend) {
    Plan plan = with_query("sum(rate(http_requests_total[1m]))");
    Metric muted = plan.metrics[0];
    plan.metrics.push_back(muted);
    plan.metrics[0].muted = true;
    plan.metrics[1].name = "other";
    plan.metrics[1].total = "requests";
    plan.metrics[1].bad = "errors";
    EXPECT_EQ(codes_of(lint(plan)), Codes());
}

}  // namespace
}  // namespace serinus
