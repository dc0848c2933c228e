// What a decision hands out and what it records: dry runs, names of what has failed, keys of incidents; baselines that
// are sick; what of a gauge is watched.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/core/state.hpp>
#include <serinus/io/decision.hpp>
#include <serinus/io/plan.hpp>
#include <serinus/report/text.hpp>
#include <serinus/rollout/calibrate.hpp>
#include <serinus/rollout/lint.hpp>
#include <serinus/rollout/monitor.hpp>
#include <serinus/rollout/monitor_state.hpp>
#include <serinus/rollout/spikes.hpp>

#include "support/code_of.hpp"
#include "support/gauge_world.hpp"

namespace serinus {
namespace {

using gauge_world::Law;
using Random = gauge_world::Random;

constexpr std::int64_t interval = 10'000;

Plan counting() {
    Plan plan;
    plan.name = "payments";
    plan.deployment = "payments-1";
    plan.interval = std::chrono::milliseconds(interval);
    plan.stages = {{.traffic = 0.1, .min = std::chrono::minutes(1)}, {.traffic = 0.5}};
    Metric metric;
    metric.name = "errors";
    metric.bad = "bad";
    metric.total = "total";
    metric.margin = {.ratio = 2.0, .difference = {}};
    plan.metrics = {metric};
    return plan;
}

/// Errors of both arms at these shares, by interval; 900 and 100 requests.
Batch errors(const std::vector<double>& baseline, const std::vector<double>& canary, unsigned seed = 1,
             const char* bad = "bad", std::int64_t from = 0) {
    std::mt19937_64 random(seed);
    Batch batch;
    std::vector<std::int64_t> times;
    for (std::size_t i = 0; i < baseline.size(); ++i) times.push_back((from + static_cast<std::int64_t>(i)) * interval);
    for (const Arm arm : {Arm::baseline, Arm::canary}) {
        const auto& shares = arm == Arm::baseline ? baseline : canary;
        if (shares.empty()) continue;
        const int requests = arm == Arm::baseline ? 900 : 100;
        std::vector<double> events, all;
        for (const double share : shares) {
            events.push_back(std::binomial_distribution<int>(requests, share)(random));
            all.push_back(requests);
        }
        batch.add(bad, arm, "", times, events);
        batch.add("total", arm, "", times, all);
    }
    return batch;
}

std::vector<double> flat(std::size_t n, double share) { return std::vector<double>(n, share); }

bool says(const std::vector<Reason>& reasons, Code code) {
    return std::any_of(reasons.begin(), reasons.end(), [&](const Reason& reason) { return reason.code == code; });
}

// ---- dry runs

TEST(DryRun, HandsOutNothingAndRecordsWhatItWouldHaveBeen) {
    for (const auto& [share, would, severity] :
         {std::tuple{0.2, Action::rollback, Severity::page}, {0.01, Action::promote, Severity::info}}) {
        const Batch batch = errors(flat(60, 0.01), flat(60, share));
        Plan plan = counting();
        const Decision live = judge(plan, batch);
        plan.dry_run = true;
        const Decision dry = judge(plan, batch);
        EXPECT_EQ(live.action, would);
        EXPECT_FALSE(live.would);
        EXPECT_EQ(dry.action, Action::hold);
        EXPECT_EQ(dry.severity, Severity::info);
        EXPECT_FALSE(dry.finished);
        EXPECT_EQ(dry.dedupe_key, "");
        EXPECT_EQ(dry.would, would);
        EXPECT_EQ(dry.would_severity, severity);
        EXPECT_EQ(dry.metrics, live.metrics);
        EXPECT_EQ(dry.failed, live.failed);
        // Its reasons are those of what it would have been, after the one that says so.
        ASSERT_EQ(dry.reasons.size(), live.reasons.size() + 1);
        EXPECT_EQ(dry.reasons[0].code, Code::dry_run);
        EXPECT_TRUE(std::equal(live.reasons.begin(), live.reasons.end(), dry.reasons.begin() + 1));
        const std::string text = report::text(dry);
        EXPECT_NE(text.find("HOLD"), std::string::npos) << text;
        EXPECT_NE(text.find(would == Action::rollback ? "dry run: would be ROLLBACK" : "dry run: would be PROMOTE"),
                  std::string::npos)
            << text;
        EXPECT_NE(text.find("the plan is a dry run"), std::string::npos) << text;
        EXPECT_EQ(io::read_decision(io::write_decision(dry)), dry);
        EXPECT_EQ(io::read_decision(io::write_decision(live)), live);
    }
}

TEST(DryRun, ItsStateIsThatOfTheRollout) {
    Plan plan = counting();
    const std::string usual = digest(plan);
    EXPECT_EQ(io::read_plan(io::write_plan(plan)), plan);
    plan.dry_run = true;
    EXPECT_NE(digest(plan), usual);
    EXPECT_EQ(io::read_plan(io::write_plan(plan)), plan);
    Monitor shadow(plan);
    shadow.observe(errors(flat(60, 0.01), flat(60, 0.2)), 60 * interval);
    plan.dry_run = false;
    Monitor live(plan);
    live.restore(shadow.state());
    EXPECT_EQ(live.decision().action, Action::rollback);
}

// ---- what has failed, and what an incident is known by

TEST(Decisions, NamesOfWhatHasFailed) {
    Plan plan = counting();
    for (const char* name : {"timeouts", "signal", "shown"}) {
        plan.metrics.push_back(plan.metrics[0]);
        plan.metrics.back().name = name;
        plan.metrics.back().bad = name;
    }
    plan.metrics[2].on_fail = OnFail::hold;
    plan.metrics[3].muted = true;
    Batch batch = errors(flat(60, 0.01), flat(60, 0.01));
    for (const char* name : {"timeouts", "signal", "shown"}) {
        const Batch more = errors(flat(60, 0.01), flat(60, 0.2), 2, name);
        for (const ArmSeries& series : more.series)
            if (series.name != "total") batch.series.push_back(series);
    }
    EXPECT_EQ(judge(plan, batch).failed, (std::vector<std::string>{"timeouts", "signal"}));
    EXPECT_TRUE(judge(plan, Batch{}).failed.empty());
}

TEST(Decisions, OneIncidentHasOneKeyAtEveryLook) {
    Plan plan = counting();
    Monitor monitor(plan);
    std::string key;
    for (std::int64_t i = 0; i < 60; ++i) {
        const Decision decision = monitor.observe(
            errors(flat(1, 0.01), flat(1, 0.2), static_cast<unsigned>(i), "bad", i), (i + 1) * interval);
        if (decision.action != Action::rollback) continue;
        if (key.empty()) key = decision.dedupe_key;
        EXPECT_EQ(decision.dedupe_key, key);
    }
    EXPECT_EQ(key, "payments-1/rollback");
    // A stage that is held for the data is one ticket, whichever of the reasons is there just now.
    plan.deployment.clear();
    Batch lost = errors(flat(60, 0.01), {});
    lost.add("bad", Arm::canary, "", std::vector<std::int64_t>{0}, std::vector<double>{0});
    const Decision ticket = judge(plan, lost, 90 * interval);
    EXPECT_EQ(ticket.severity, Severity::ticket);
    EXPECT_EQ(ticket.dedupe_key, "payments/stage 1/hold");
    // Nobody is told of what waits as usual.
    const Decision waits = judge(plan, errors(flat(4, 0.01), flat(4, 0.01)));
    EXPECT_EQ(waits.severity, Severity::info);
    EXPECT_EQ(waits.dedupe_key, "");
    EXPECT_NE(io::write_decision(waits).find("\"dedupe_key\": null"), std::string::npos);
}

// ---- severities

/// Errors and a signal, each harmed or not.
Batch both(double errors_of_canary, double signal_of_canary) {
    Batch batch = errors(flat(60, 0.01), flat(60, errors_of_canary));
    const Batch more = errors(flat(60, 0.01), flat(60, signal_of_canary), 2, "signal");
    for (const ArmSeries& series : more.series)
        if (series.name != "total") batch.series.push_back(series);
    return batch;
}

Plan with_signal() {
    Plan plan = counting();
    plan.metrics.push_back(plan.metrics[0]);
    plan.metrics.back().name = plan.metrics.back().bad = "signal";
    plan.metrics.back().on_fail = OnFail::hold;
    return plan;
}

Severity severity_of(const std::vector<Reason>& reasons, Code code, const std::string& metric = "") {
    for (const Reason& reason : reasons)
        if (reason.code == code && reason.metric == metric) return reason.severity;
    ADD_FAILURE() << name(code) << " of " << metric << " is not among the reasons";
    return Severity::info;
}

TEST(Severities, AFailureIsWorthWhatItsMetricSays) {
    Plan plan = with_signal();
    Decision d = judge(plan, both(0.2, 0.01));
    EXPECT_EQ(d.severity, Severity::page);
    EXPECT_EQ(severity_of(d.reasons, Code::harm_proven, "errors"), Severity::page);
    EXPECT_EQ(severity_of(d.metrics[0].reasons, Code::harm_proven, "errors"), Severity::page);
    EXPECT_EQ(d.metrics[0].severity, Severity::page);
    EXPECT_EQ(d.metrics[1].severity, Severity::ticket);
    d = judge(plan, both(0.01, 0.2));
    EXPECT_EQ(d.action, Action::hold);
    EXPECT_EQ(d.severity, Severity::ticket);
    EXPECT_EQ(severity_of(d.reasons, Code::harm_proven, "signal"), Severity::ticket);
    EXPECT_EQ(severity_of(d.reasons, Code::waiting), Severity::info);

    plan.metrics[0].severity = Severity::ticket;
    plan.metrics[1].severity = Severity::page;
    d = judge(plan, both(0.2, 0.01));
    EXPECT_EQ(d.action, Action::rollback);
    EXPECT_EQ(d.severity, Severity::ticket);
    EXPECT_EQ(d.dedupe_key, "payments-1/rollback");
    EXPECT_EQ(judge(plan, both(0.01, 0.2)).severity, Severity::page);
    // A signal is told beside a rollback, and may be graver than what is rolled back for.
    d = judge(plan, both(0.2, 0.2));
    EXPECT_EQ(d.action, Action::rollback);
    EXPECT_EQ(d.severity, Severity::page);
    EXPECT_EQ(severity_of(d.reasons, Code::harm_proven, "errors"), Severity::ticket);
    EXPECT_EQ(severity_of(d.reasons, Code::harm_proven, "signal"), Severity::page);
    const std::string text = report::text(d);
    EXPECT_NE(text.find("(ticket)"), std::string::npos) << text;
    EXPECT_EQ(text.find("(page)"), std::string::npos) << text;
    EXPECT_EQ(io::read_decision(io::write_decision(d)), d);
    EXPECT_NE(io::write_decision(d).find("\"severity\": \"ticket\""), std::string::npos);

    // What is muted tells nobody.
    plan.metrics[1].muted = true;
    d = judge(plan, both(0.01, 0.2));
    EXPECT_EQ(d.metrics[1].verdict, Verdict::fail);
    EXPECT_EQ(d.metrics[1].severity, Severity::info);
    EXPECT_EQ(d.metrics[1].reasons[0].severity, Severity::info);
    EXPECT_EQ(d.severity, Severity::info);
}

TEST(Severities, AReasonIsWorthWhatThePlanSays) {
    Plan plan = counting();
    plan.stages[0].max = std::chrono::minutes(5);
    plan.metrics[0].critical = true;
    const Batch undecided = errors(flat(60, 0.001), flat(60, 0.001));
    Decision d = judge(plan, undecided);
    ASSERT_TRUE(says(d.reasons, Code::deadline_hold)) << report::text(d);
    EXPECT_EQ(d.severity, Severity::ticket);
    EXPECT_EQ(severity_of(d.reasons, Code::deadline_hold), Severity::ticket);
    plan.severity = {{"deadline_hold", Severity::page}};
    d = judge(plan, undecided);
    EXPECT_EQ(d.action, Action::hold);
    EXPECT_EQ(d.severity, Severity::page);
    EXPECT_EQ(d.dedupe_key, "payments-1/stage 1/hold");
    plan.severity = {{"deadline_hold", Severity::info}};
    d = judge(plan, undecided);
    EXPECT_EQ(d.severity, Severity::info);
    EXPECT_EQ(d.dedupe_key, "");

    // Of a failure the metric's own key goes first.
    plan.severity = {{"harm_proven", Severity::info}};
    EXPECT_EQ(judge(plan, errors(flat(60, 0.01), flat(60, 0.2))).severity, Severity::info);
    plan.metrics[0].severity = Severity::ticket;
    EXPECT_EQ(judge(plan, errors(flat(60, 0.01), flat(60, 0.2))).severity, Severity::ticket);
    plan.severity = {{"waiting", Severity::ticket}, {"stale", Severity::page}};
    EXPECT_EQ(judge(plan, errors(flat(4, 0.01), flat(4, 0.01))).severity, Severity::ticket);
    plan.dry_run = true;
    d = judge(plan, errors(flat(4, 0.01), flat(4, 0.01)));
    EXPECT_EQ(d.severity, Severity::info);
    EXPECT_EQ(d.would_severity, Severity::ticket);
}

TEST(Severities, ThePlanSaysThemAndTheyVoidNoState) {
    Plan plan = with_signal();
    const std::string usual = digest(plan);
    Monitor first(plan);
    first.observe(both(0.2, 0.2), 60 * interval);
    plan.metrics[0].severity = Severity::ticket;
    plan.severity = {{"deadline_hold", Severity::page}};
    EXPECT_NE(digest(plan), usual);
    EXPECT_EQ(io::read_plan(io::write_plan(plan)), plan);
    Monitor second(plan);
    second.restore(first.state());
    EXPECT_EQ(second.decision().severity, Severity::ticket);
    EXPECT_EQ(second.decision().action, Action::rollback);
    for (const char* key : {"harm", "history_missing", "burn_canary", "plan_value"}) {
        plan.severity = {{key, Severity::page}};
        EXPECT_EQ(code_of([&] { check(plan); }), Code::plan_value) << key;
    }
}

TEST(Severities, BurnRatesSayTheirConditions) {
    Plan plan = counting();
    SloRule& rule = plan.slo.emplace_back();
    rule.objective.name = "availability";
    rule.objective.budget = 0.001;
    rule.objective.expected_events = 1e9;
    rule.metric = "errors";
    rule.policy.conditions = {{.name = "slow",
                               .long_window = std::chrono::minutes(5),
                               .short_window = std::chrono::minutes(1),
                               .factor = 5,
                               .severity = Severity::ticket}};
    const Batch batch = errors(flat(60, 0.01), flat(60, 0.01));
    Decision d = judge(plan, batch);
    ASSERT_TRUE(says(d.reasons, Code::burn_service)) << report::text(d);
    EXPECT_EQ(severity_of(d.reasons, Code::burn_service, "availability"), Severity::ticket);
    EXPECT_EQ(d.severity, Severity::ticket);
    EXPECT_EQ(d.dedupe_key, "payments-1/availability/ticket");
}

// ---- sick baselines

Plan with_range(Plan plan, unsigned seed = 3) {
    return with_noise(plan, calibrate(plan, errors(flat(2000, 0.01), flat(2000, 0.01), seed)));
}

TEST(SickBaseline, HistoryTellsItsRange) {
    const Plan plan = with_range(counting());
    const auto& range = plan.noise.at("errors").baseline;
    ASSERT_TRUE(range);
    EXPECT_LT(range->lower, 0.007);
    EXPECT_GT(range->upper, 0.013);
    EXPECT_LT(range->upper, 0.02);
    EXPECT_EQ(range->window, 5);
    EXPECT_EQ(range->windows, 1996);
    EXPECT_EQ(io::read_plan(io::write_plan(plan)), plan);
    Plan without = plan;
    without.noise.at("errors").baseline.reset();
    EXPECT_NE(digest(without), digest(plan));
    Plan broken = plan;
    broken.noise.at("errors").baseline->upper = -1;
    EXPECT_EQ(code_of([&] { check(broken); }), Code::plan_value);
}

TEST(SickBaseline, HoldsWithAReasonOfItsOwn) {
    const Plan plan = with_range(counting());
    // The baseline has an incident: beside it the canary, which is bad, looks well.
    const Decision hidden = judge(plan, errors(flat(60, 0.3), flat(60, 0.1)));
    EXPECT_EQ(hidden.action, Action::hold);
    EXPECT_TRUE(says(hidden.reasons, Code::sick_baseline)) << report::text(hidden);
    EXPECT_EQ(hidden.severity, Severity::ticket);
    EXPECT_NE(report::text(hidden).find("see to the baseline first"), std::string::npos) << report::text(hidden);
    // Nor is a canary rolled back beside one.
    const Decision beside = judge(plan, errors(flat(60, 0.1), flat(60, 0.9)));
    EXPECT_EQ(beside.action, Action::hold) << report::text(beside);
    // A baseline as it used to be changes nothing.
    EXPECT_EQ(judge(plan, errors(flat(60, 0.01), flat(60, 0.2))).action, Action::rollback);
    EXPECT_EQ(judge(plan, errors(flat(60, 0.01), flat(60, 0.01))).action, Action::promote);
    // A deadline is an order, which waits for nobody.
    Plan impatient = plan;
    impatient.stages[0].max = std::chrono::minutes(5);
    impatient.on_deadline = Deadline::rollback;
    EXPECT_EQ(judge(impatient, errors(flat(60, 0.3), flat(60, 0.1))).reasons.front().code, Code::deadline_rollback);
}

TEST(SickBaseline, AndGoesOnTwentyIntervalsAfterItIsWell) {
    const Plan plan = with_range(counting());
    std::vector<double> baseline = flat(200, 0.01);
    for (std::size_t i = 60; i < 80; ++i) baseline[i] = 0.3;
    const std::vector<double> canary = flat(200, 0.01);
    Monitor monitor(plan), again(plan);
    std::vector<std::int64_t> sick;
    for (std::int64_t i = 0; i < 200; ++i) {
        const auto at = static_cast<std::size_t>(i);
        const Decision decision = monitor.observe(
            errors({baseline[at]}, {canary[at]}, static_cast<unsigned>(i + 100), "bad", i), (i + 1) * interval);
        if (says(decision.metrics[0].reasons, Code::sick_baseline)) sick.push_back(i);
        EXPECT_NE(decision.action, Action::rollback);
        again.restore(decode<MonitorState>(encode(monitor.state())));
        EXPECT_EQ(again.decision(), monitor.decision());
    }
    ASSERT_FALSE(sick.empty());
    EXPECT_GE(sick.front(), 60);
    EXPECT_LE(sick.front(), 61);
    EXPECT_GE(sick.back(), 99);
    EXPECT_LE(sick.back(), 104);
    EXPECT_EQ(static_cast<std::int64_t>(sick.size()), sick.back() - sick.front() + 1);
    EXPECT_EQ(monitor.decision().action, Action::promote);
}

TEST(SickBaseline, OfAGaugeEitherWay) {
    Random random(21);
    Plan plan = gauge_world::plan();
    plan = with_noise(plan, calibrate(plan, gauge_world::pair({}, {}, 8640, random)));
    ASSERT_TRUE(plan.noise.at("p95").baseline);
    for (const double offset : {-8.0, 0.0, 8.0}) {
        const Decision decision = judge(plan, gauge_world::pair({.offset = offset}, {.offset = offset}, 240, random));
        EXPECT_EQ(says(decision.reasons, Code::sick_baseline), offset != 0) << report::text(decision);
        EXPECT_EQ(decision.action, offset != 0 ? Action::hold : Action::promote) << report::text(decision);
    }
    // A baseline that reads too little makes a good canary look bad.
    EXPECT_EQ(judge(plan, gauge_world::pair({.offset = -10}, {}, 240, random)).action, Action::hold);
}

// The hours of a day have levels of their own: of fewer no range is kept, and older plans that have one are doubted.
TEST(SickBaseline, OfAGaugeADayOfHistoryTellsItsRange) {
    Random random(22);
    Plan plan = gauge_world::plan();
    const Calibration few = calibrate(plan, gauge_world::pair({}, {}, 2000, random));
    EXPECT_TRUE(says(few.metrics[0].reasons, Code::baseline_range_short));
    EXPECT_FALSE(says(few.metrics[0].reasons, Code::baseline_range));
    plan = with_noise(plan, few);
    ASSERT_FALSE(plan.noise.at("p95").baseline);
    EXPECT_FALSE(says(lint(plan), Code::baseline_range_narrow));
    // Without a range a level of another hour holds nothing.
    const Decision decision = judge(plan, gauge_world::pair({.offset = 8}, {.offset = 8}, 240, random));
    EXPECT_EQ(decision.action, Action::promote) << report::text(decision);
    plan.noise.at("p95").baseline = BaselineRange{.lower = 80, .upper = 120, .window = 5, .windows = 1996};
    EXPECT_TRUE(says(lint(plan), Code::baseline_range_narrow));
    plan.metrics[0].muted = true;
    EXPECT_FALSE(says(lint(plan), Code::baseline_range_narrow));
    const Plan day =
        with_noise(gauge_world::plan(), calibrate(gauge_world::plan(), gauge_world::pair({}, {}, 8640, random)));
    ASSERT_TRUE(day.noise.at("p95").baseline);
    EXPECT_FALSE(says(lint(day), Code::baseline_range_narrow));
}

// As a rollout begins there are fewer intervals than the window has, and it says how many.
TEST(SickBaseline, SaysOfHowManyIntervals) {
    const Plan plan = with_range(counting());
    const Decision decision = judge(plan, errors(flat(3, 0.2), flat(3, 0.2)));
    ASSERT_TRUE(says(decision.reasons, Code::sick_baseline)) << report::text(decision);
    EXPECT_NE(report::text(decision).find("over at most 3 intervals"), std::string::npos) << report::text(decision);
}

TEST(SickBaseline, AFewErrorsWhereThereNeverWereAnyAreNoSickness) {
    const Plan plan = with_noise(counting(), calibrate(counting(), errors(flat(2000, 0), flat(2000, 0))));
    if (!plan.noise.contains("errors")) GTEST_SKIP() << "nothing learned of no events";
    std::vector<double> baseline = flat(60, 0);
    baseline[30] = 0.002;
    EXPECT_FALSE(says(judge(plan, errors(baseline, flat(60, 0))).metrics[0].reasons, Code::sick_baseline));
}

// ---- what of a gauge is watched

Plan watching(std::optional<Watch> watch, const Law& law, std::uint64_t seed = 6) {
    Plan plan = gauge_world::plan();
    plan.metrics[0].watch = watch;
    Random random(seed);
    return with_noise(plan, calibrate(plan, gauge_world::pair(law, law, 2000, random)));
}

TEST(Watch, ItsShareOfAlphaGoesToWhatIsWatched) {
    Random random(5);
    const Law before{.spikes = 0.02};
    const Batch spikes = gauge_world::pair(before, {.spikes = 0.3}, 240, random);
    const Batch level = gauge_world::pair(before, {.spikes = 0.02, .offset = 3}, 240, random);
    const Batch good = gauge_world::pair(before, before, 240, random);
    const auto found = [&](std::optional<Watch> watch, const Batch& batch) {
        return judge(watching(watch, before), batch).action;
    };
    EXPECT_EQ(found(std::nullopt, spikes), Action::rollback);
    EXPECT_EQ(found(Watch::both, spikes), Action::rollback);
    EXPECT_EQ(found(Watch::spikes, spikes), Action::rollback);
    EXPECT_NE(found(Watch::level, spikes), Action::rollback);
    EXPECT_EQ(found(std::nullopt, level), Action::rollback);
    EXPECT_EQ(found(Watch::both, level), Action::rollback);
    EXPECT_EQ(found(Watch::level, level), Action::rollback);
    EXPECT_EQ(found(Watch::spikes, level), Action::promote);
    for (const auto watch : {Watch::level, Watch::spikes, Watch::both}) EXPECT_EQ(found(watch, good), Action::promote);
    const auto confidence = [&](std::optional<Watch> watch) {
        return 1 - judge(watching(watch, before), good).metrics[0].evidence.confidence;
    };
    EXPECT_NEAR(confidence(Watch::level), 0.05 + 0.05, 1e-12);
    EXPECT_NEAR(confidence(Watch::both), 0.05 * (1 - spikes_alpha) + 0.05, 1e-12);
}

TEST(Watch, SpikesAloneAreFoundSoonerThanBesideTheLevel) {
    const Law before{.spikes = 0.02};
    const auto log_e = [&](Watch watch) {
        Random random(8);
        return judge(watching(watch, before), gauge_world::pair(before, {.spikes = 0.2}, 120, random))
            .metrics[0]
            .evidence.log_e_value;
    };
    EXPECT_GT(log_e(Watch::spikes), log_e(Watch::both));
}

TEST(Watch, SpikesWithoutTheirNoiseDecideNothing) {
    const Law before{.spikes = 0.02};
    Plan plan = watching(Watch::spikes, before);
    plan.noise.at("p95").spikes.reset();
    Random random(9);
    const Decision decision = judge(plan, gauge_world::pair(before, {.spikes = 0.3}, 240, random));
    EXPECT_EQ(decision.action, Action::hold);
    EXPECT_TRUE(says(decision.metrics[0].reasons, Code::spikes_unknown)) << report::text(decision);
    EXPECT_EQ(decision.guarantee, Guarantee::none);
}

TEST(Watch, SaysWhatStandsBehindIt) {
    const Law before{.spikes = 0.02};
    Random random(10);
    const Decision decision = judge(watching(Watch::spikes, before), gauge_world::pair(before, before, 240, random));
    EXPECT_TRUE(says(decision.metrics[0].reasons, Code::spikes_alone));
    EXPECT_EQ(decision.metrics[0].guarantee_why, Code::spikes_alone);
    EXPECT_EQ(decision.metrics[0].guarantee, Guarantee::measured);
    const std::string text = report::text(decision);
    EXPECT_NE(text.find("points more of its readings a spike"), std::string::npos) << text;
    const Decision level = judge(watching(Watch::level, before), gauge_world::pair(before, before, 240, random));
    EXPECT_FALSE(says(level.metrics[0].reasons, Code::spikes_not_watched));
}

TEST(Watch, IsOfGaugesAlone) {
    Plan plan = counting();
    plan.metrics[0].watch = Watch::level;
    EXPECT_EQ(code_of([&] { check(plan); }), Code::plan_value);
    Plan gauge = gauge_world::plan();
    const std::string without = digest(gauge);
    gauge.metrics[0].watch = Watch::spikes;
    EXPECT_NE(digest(gauge), without);
    EXPECT_EQ(io::read_plan(io::write_plan(gauge)), gauge);
    gauge.analysis = Analysis::fixed;
    EXPECT_EQ(code_of([&] { check(gauge); }), Code::plan_value);
}

TEST(Watch, AMonitorGoesOnFromItsState) {
    const Law before{.spikes = 0.02};
    const Plan plan = watching(Watch::spikes, before);
    Random random(13);
    const Batch all = gauge_world::pair(before, {.spikes = 0.2}, 100, random);
    Monitor begun(plan), later(plan);
    begun.observe(all);
    later.restore(decode<MonitorState>(encode(begun.state())));
    EXPECT_EQ(later.decision(), begun.decision());
}

// ---- small things that were told badly

TEST(Told, ASumThatIsNoCountWithAllItsDigits) {
    Batch batch = errors(flat(30, 0.01), flat(30, 0.01));
    for (ArmSeries& series : batch.series)
        if (series.name == "total" && series.arm == Arm::baseline) series.series.values.assign(30, 1034.5);
    const Decision decision = judge(counting(), batch);
    EXPECT_NE(report::text(decision).find("total of the baseline is 1034.5"), std::string::npos)
        << report::text(decision);
}

TEST(Told, NoSafetyOfACanaryThatServedNothing) {
    Batch batch = errors(flat(30, 0.01), flat(30, 0.01));
    for (ArmSeries& series : batch.series)
        if (series.arm == Arm::canary) series.series.values.assign(30, 0);
    const Decision decision = judge(counting(), batch);
    EXPECT_EQ(decision.metrics[0].verdict, Verdict::inconclusive);
    EXPECT_EQ(report::text(decision).find("safe so far"), std::string::npos) << report::text(decision);
}

}  // namespace
}  // namespace serinus
