// Plans with "analysis": "fixed": one look at all that has come.

#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/core/reason.hpp>
#include <serinus/fixed/label_swap.hpp>
#include <serinus/io/decision.hpp>
#include <serinus/io/plan.hpp>
#include <serinus/report/text.hpp>
#include <serinus/rollout/monitor.hpp>
#include <serinus/rollout/monitor_state.hpp>

#include "support/code_of.hpp"

namespace {

using namespace serinus;
using Random = std::mt19937_64;
constexpr std::int64_t minute = 60'000;

Plan plan_of(std::string_view more = "") {
    return io::read_plan(R"({"name": "checkout", "analysis": "fixed", "interval": "1m",
        "stages": [{"traffic": 0.1, "min": "20m"}],
        "metrics": [{"name": "latency", "kind": "gauge", "series": "latency", "margin": {"ratio": 1.05}, "detect": {"ratio": 1.25}},
                    {"name": "errors", "kind": "proportion", "bad": "bad", "total": "total", "margin": {"ratio": 1.5}, "detect": {"ratio": 3}}])" +
                         std::string(more) + "}");
}

/// What a canary does otherwise than its baseline.
struct Change {
    double level = 0;      // added to the latency's 100, with deviation 5
    double share = 0.02;   // of its requests that fail
    std::size_t from = 0;  // interval since when
    std::size_t until = 1000;
};

Batch world(const Change& harm, std::size_t n, std::uint64_t seed, double requests = 20'000) {
    Random random(seed);
    std::normal_distribution<double> noise(100, 5);
    Batch batch;
    for (const Arm arm : {Arm::baseline, Arm::canary}) {
        for (const std::string name : {"latency", "bad", "total"}) {
            ArmSeries& out = batch.series.emplace_back();
            out.name = name;
            out.arm = arm;
            out.le = std::numeric_limits<double>::quiet_NaN();
            for (std::size_t t = 0; t < n; ++t) {
                const bool here = arm == Arm::canary && t >= harm.from && t < harm.until;
                const double share = here ? harm.share : 0.02;
                double value = noise(random) + (here ? harm.level : 0);
                if (name == "total") value = requests;
                if (name == "bad") value = std::binomial_distribution<int>(int(requests), share)(random);
                out.series.times_ms.push_back(std::int64_t(t) * minute);
                out.series.values.push_back(value);
            }
        }
    }
    return batch;
}

bool says(const std::vector<Reason>& reasons, Code code, std::string_view metric = "") {
    for (const Reason& reason : reasons)
        if (reason.code == code && (metric.empty() || reason.metric == metric)) return true;
    return false;
}

TEST(FixedPlan, AGoodCanaryIsPromotedAtItsEnd) {
    const Decision found = judge(plan_of(), world({}, 31, 1));
    EXPECT_EQ(found.action, Action::promote);
    EXPECT_TRUE(found.finished);
    for (const MetricResult& metric : found.metrics) EXPECT_EQ(metric.verdict, Verdict::pass) << metric.name;
    EXPECT_EQ(found.metrics[0].evidence.method, "label_swap");
    EXPECT_EQ(found.metrics[1].evidence.method, "proportion_test");
    EXPECT_EQ(found.metrics[0].evidence.n_canary, 31);
    EXPECT_EQ(found.metrics[0].guarantee, Guarantee::measured);
    EXPECT_TRUE(says(found.metrics[0].reasons, Code::look_measured));
    EXPECT_TRUE(says(found.metrics[0].reasons, Code::look_clear));
    EXPECT_TRUE(says(found.metrics[1].reasons, Code::no_harm_found));
    EXPECT_LT(found.metrics[0].evidence.lower, 1);
    EXPECT_GT(found.metrics[0].evidence.upper, 1);
    // What is written is read again, and a person is told.
    EXPECT_EQ(io::read_decision(io::write_decision(found)), found);
    report::Record record;
    record.plan = plan_of();
    record.decisions.push_back(found);
    EXPECT_NE(report::text(record).find("PROMOTE"), std::string::npos);
}

TEST(FixedPlan, HarmIsNamedByMetricAndGroup) {
    const Decision late = judge(plan_of(), world({.level = 25, .from = 22}, 31, 2));
    EXPECT_EQ(late.action, Action::rollback);
    EXPECT_EQ(late.metrics[0].verdict, Verdict::fail);
    EXPECT_EQ(late.metrics[1].verdict, Verdict::pass);
    EXPECT_TRUE(says(late.reasons, Code::look_harm, "latency"));
    EXPECT_NE(sentence(late.metrics[0].reasons.front()).find("in its late"), std::string::npos);
    EXPECT_FALSE(says(late.metrics[0].reasons, Code::look_healed));
    EXPECT_TRUE(says(judge(plan_of(), world({.level = 40, .until = 15}, 31, 2)).metrics[0].reasons, Code::look_healed));

    const Decision errors = judge(plan_of(), world({.share = 0.08}, 31, 3));
    EXPECT_EQ(errors.action, Action::rollback);
    EXPECT_EQ(errors.metrics[0].verdict, Verdict::pass);
    EXPECT_EQ(errors.metrics[1].verdict, Verdict::fail);
    EXPECT_TRUE(says(errors.reasons, Code::harm_proven, "errors"));
    report::Record record;
    record.plan = plan_of();
    record.decisions.push_back(errors);
    const std::string text = report::text(record);
    EXPECT_NE(text.find("of one look"), std::string::npos) << text;
}

TEST(FixedPlan, IsThePanelOfItsGauges) {
    const Batch data = world({.level = 6}, 31, 4);
    const Plan plan = plan_of();
    const Decision found = judge(plan, data);
    std::uint64_t seed = 0;
    for (const char c : digest(plan).substr(0, 16)) seed = seed * 16 + std::uint64_t(c <= '9' ? c - '0' : c - 'a' + 10);
    const auto alone =
        label_swap_test(data.series[0].series.values, data.series[3].series.values,
                        {.detect = Margin{.ratio = 1.25}, .alpha = 0.025, .margin = {.ratio = 1.05}, .seed = seed});
    EXPECT_EQ(found.metrics[0].evidence.p_value, alone.p_value);
    EXPECT_EQ(found.metrics[0].evidence.upper, alone.metrics[0].whole.upper);
    EXPECT_EQ(found.metrics[0].mirror.upper, alone.metrics[0].last_third.upper);
}

// Five errors where 2.35 are on the margin: P(5 or more of a Poisson count) is .09, the score test's tail says .04.
TEST(FixedPlan, FewErrorsAreJudgedExactly) {
    Plan plan = plan_of();
    plan.metrics.erase(plan.metrics.begin());
    Batch batch;
    for (const Arm arm : {Arm::baseline, Arm::canary}) {
        for (const std::string name : {"bad", "total"}) {
            ArmSeries& out = batch.series.emplace_back();
            out.name = name;
            out.arm = arm;
            out.le = std::numeric_limits<double>::quiet_NaN();
            for (int t = 0; t < 31; ++t) {
                out.series.times_ms.push_back(t * minute);
                const double total = arm == Arm::baseline ? 9900 : 100;
                const double bad = arm == Arm::baseline ? 5 : t % 6 == 0 && t < 30 ? 1 : 0;
                out.series.values.push_back(name == "bad" ? bad : total);
            }
        }
    }
    const Decision found = judge(plan, batch);
    EXPECT_NE(found.metrics[0].verdict, Verdict::fail);
    EXPECT_NEAR(found.metrics[0].evidence.p_value, 0.09, 0.015);
    EXPECT_LT(found.metrics[0].evidence.lower, 1.5);
}

TEST(FixedPlan, LooksOnce) {
    Monitor monitor(plan_of());
    const Decision before = monitor.observe(world({.level = 30}, 31, 5));
    EXPECT_EQ(before.action, Action::hold);
    EXPECT_TRUE(says(before.metrics[0].reasons, Code::look_waits));
    const Decision looked = monitor.flush();
    EXPECT_EQ(looked.action, Action::rollback);
    EXPECT_FALSE(says(looked.reasons, Code::look_again));
    // More data of the same rollout change nothing, and it says so.
    monitor.observe(world({}, 45, 5));
    const Decision again = monitor.flush();
    EXPECT_EQ(again.action, Action::rollback);
    EXPECT_TRUE(says(again.reasons, Code::look_again));
    EXPECT_EQ(again.metrics[0].evidence, looked.metrics[0].evidence);
    EXPECT_EQ(code_of([&] { monitor.state(); }), Code::plan_not_built);
    // A good one that was looked at too early stays as it was.
    Monitor early(plan_of());
    early.observe(world({}, 8, 6));
    EXPECT_TRUE(says(early.flush().metrics[0].reasons, Code::look_few_intervals));
    early.observe(world({}, 40, 6));
    const Decision stays = early.flush();
    EXPECT_EQ(stays.action, Action::hold);
    EXPECT_TRUE(says(stays.reasons, Code::look_again));
}

TEST(FixedPlan, DoubtfulDataDoNotPass) {
    EXPECT_EQ(judge(plan_of(), Batch{}).action, Action::hold);
    Batch silent = world({}, 31, 7);
    for (std::size_t t = 0; t < 20; ++t) silent.series[3].series.values[t] = std::nan("");
    const Decision found = judge(plan_of(), silent);
    EXPECT_EQ(found.action, Action::hold);
    EXPECT_NE(found.metrics[0].verdict, Verdict::pass);
    Batch none = world({.share = 0}, 31, 8);
    for (double& value : none.series[1].series.values) value = 0;
    const Decision empty = judge(plan_of(), none);
    EXPECT_EQ(empty.metrics[1].verdict, Verdict::inconclusive);
    EXPECT_TRUE(says(empty.metrics[1].reasons, Code::no_events));
}

TEST(FixedPlan, GoodCanariesAreRarelyRolledBack) {
    int rolled_back = 0, promoted = 0;
    constexpr int rollouts = 150;
    for (std::uint64_t seed = 0; seed < rollouts; ++seed) {
        const Decision found = judge(plan_of(), world({}, 31, 1000 + seed));
        rolled_back += found.action == Action::rollback ? 1 : 0;
        promoted += found.action == Action::promote ? 1 : 0;
    }
    EXPECT_LE(rolled_back, 150 * 0.05 + 4 * std::sqrt(150 * 0.05 * 0.95));
    EXPECT_GE(promoted, 100);
}

TEST(FixedPlan, RefusesWhatOneLookCannotDo) {
    const auto refused = [](std::string_view stages, std::string_view metrics, std::string_view more = "") {
        return code_of([&] {
            io::read_plan(R"({"name": "a", "analysis": "fixed", "interval": "1m", "stages": )" + std::string(stages) +
                          R"(, "metrics": )" + std::string(metrics) + std::string(more) + "}");
        });
    };
    const std::string_view one = R"([{"traffic": 0.1}])";
    const std::string_view errors =
        R"([{"name": "e", "kind": "proportion", "bad": "b", "total": "t", "margin": {"ratio": 1.5}}])";
    EXPECT_EQ(refused(one, errors), Code::none);
    EXPECT_EQ(refused(R"([{"traffic": 0.1}, {"traffic": 0.5}])", errors), Code::plan_value);
    EXPECT_EQ(refused(one, errors, R"(, "slo": [{"name": "s", "metric": "e", "target": 0.99, "period": "30d"}])"),
              Code::plan_value);
    EXPECT_EQ(refused(one, R"([{"name": "e", "kind": "proportion", "bad": "b", "total": "t",
                               "margin": {"ratio": 1.5, "floor": 0.001}}])"),
              Code::plan_value);
    // A plan that says what is so anyway is the plan that does not say it.
    const std::string plain = R"({"name": "a", "interval": "1m", "stages": [{"traffic": 0.1}], "metrics": )";
    const Plan sequential = io::read_plan(plain + std::string(errors) + R"(, "analysis": "sequential"})");
    EXPECT_EQ(digest(sequential), digest(io::read_plan(plain + std::string(errors) + "}")));
    EXPECT_NE(digest(sequential), digest(plan_of()));
    EXPECT_EQ(io::read_plan(io::write_plan(plan_of())), plan_of());
    EXPECT_EQ(code_of([&] { io::read_plan(plain + std::string(errors) + R"(, "analysis": "both"})"); }),
              Code::plan_value);
}

}  // namespace
