// Inputs that went wrong once, each with what is right (data/cases/README.md). What the arms counted is computed from the
// rows by tools/reference/cases.py.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/core/reason_group.hpp>
#include <serinus/core/state.hpp>
#include <serinus/io/data.hpp>
#include <serinus/io/plan.hpp>
#include <serinus/rollout/monitor.hpp>
#include <serinus/rollout/monitor_state.hpp>

#include "support/data_dir.hpp"
#include "support/looks.hpp"

namespace serinus {
namespace {

std::string text_of(const std::string& name) {
    std::ifstream file(data_dir() + "/cases/" + name, std::ios::binary);
    EXPECT_TRUE(file.good()) << name;
    return {std::istreambuf_iterator<char>(file), {}};
}

Plan plan_of(const std::string& name) { return io::read_plan(text_of(name)); }
Batch data_of(const Plan& plan, const std::string& name) {
    return io::read_data(text_of(name), io::read_options(plan));
}

/// Bad and total of the baseline, of the canary.
using Counts = std::array<double, 4>;

Counts counts_of(const Decision& decision) {
    Counts counts{};
    const std::array<std::string, 4> names{"bad_baseline", "total_baseline", "bad_canary", "total_canary"};
    for (std::size_t i = 0; i < names.size(); ++i) {
        for (const NamedNumber& number : decision.metrics.at(0).observed) {
            if (number.name == names[i]) counts[i] = number.value;
        }
    }
    return counts;
}

std::optional<Reason> reason_of(const Decision& decision, Code code) {
    for (const Reason& reason : support::reasons_of(decision)) {
        if (reason.code == code) return reason;
    }
    return std::nullopt;
}

double number_of(const Reason& reason, const std::string& name) {
    for (const NamedNumber& number : reason.numbers) {
        if (number.name == name) return number.value;
    }
    ADD_FAILURE() << "no number " << name << " in: " << sentence(reason);
    return 0;
}

/// Judged at once; and scrape by scrape by a monitor that is saved and restored at every look, which comes to the same.
Decision judged(const Plan& plan, const Batch& batch) {
    const Decision at_once = judge(plan, batch);
    Monitor monitor(plan);
    for (const auto& [time, news] : support::looks_of(batch)) {
        monitor.observe(news, time);
        const auto saved = encode(monitor.state());
        monitor = Monitor(plan);
        monitor.restore(decode<MonitorState>(saved));
    }
    const Decision watched = monitor.flush();
    EXPECT_EQ(support::all_said(watched), support::all_said(at_once));
    EXPECT_EQ(watched.metrics.at(0).observed, at_once.metrics.at(0).observed);
    EXPECT_EQ(watched.metrics.at(0).evidence.log_e_value, at_once.metrics.at(0).evidence.log_e_value);
    EXPECT_EQ(watched.telemetry, at_once.telemetry);
    return at_once;
}

Decision judged(const std::string& plan_name, const std::string& data) {
    const Plan plan = plan_of(plan_name);
    return judged(plan, data_of(plan, data));
}

struct Case {
    std::string plan, data;
    Action action;
    Counts counts;
    std::vector<Code> named = {};
};

TEST(IntakeCases, EveryRequestIsCountedOnceAndDecidedOn) {
    for (const Case& of : std::vector<Case>{
             {"plan-counters-15s.json", "labels-code.json", Action::rollback, {531, 53'100, 295, 5'900}},
             {"plan-counters-15s.json",
              "counter-dips.csv",
              Action::rollback,
              {1'431, 143'100, 318, 15'900},
              {Code::counter_dips}},
             {"plan-born-late.json", "born-one-scrape-late.json", Action::rollback, {1'811, 179'100, 952, 19'900}},
             {"plan_counter.json", "cum_early.csv", Action::rollback, {1'129, 107'100, 361, 11'900}},
             {"plan_counter.json", "born-with-first-error.csv", Action::promote, {163, 161'100, 43, 35'800}},
             {"plan_good.json",
              "by-instance-one-pod-restarts.json",
              Action::promote,
              {1'084, 107'100, 1'060, 107'100},
              {Code::counter_restarts}},
             {"plan_counter.json", "scrape15-step10.csv", Action::rollback, {1'168, 116'869, 751, 23'778}},
             {"plan_good.json", "bad15.15.json", Action::rollback, {684, 64'768, 331, 10'768}},
             {"plan_good.json", "bad15.10.json", Action::rollback, {694, 65'640, 336, 11'044}},
             {"plan_good.json", "ne4.json", Action::promote, {706, 70'655, 0, 11'855}},
             {"plan2.json", "good.json", Action::promote, {663, 65'832, 125, 11'046}, {Code::stage_passed}},
         }) {
        const Decision decision = judged(of.plan, of.data);
        EXPECT_EQ(decision.action, of.action) << of.data << support::all_said(decision);
        EXPECT_EQ(counts_of(decision), of.counts) << of.data << support::all_said(decision);
        for (const Code code : of.named) EXPECT_TRUE(reason_of(decision, code)) << of.data << ": " << name(code);
    }
}

TEST(IntakeCases, ASeriesThatIsBornIsSaid) {
    for (const std::string data : {"born-with-first-error.csv", "born-one-scrape-late.json"}) {
        const Decision decision = judged(data.ends_with(".csv") ? "plan_counter.json" : "plan-born-late.json", data);
        EXPECT_TRUE(reason_of(decision, Code::births) || reason_of(decision, Code::absent_taken_as_zero))
            << data << support::all_said(decision);
    }
}

TEST(IntakeCases, ASumThatFallsIsNamedAndCountsNothingTwice) {
    const Decision decision = judged("plan_good.json", "sum-one-pod-restarts.json");
    EXPECT_EQ(decision.action, Action::promote) << support::all_said(decision);
    const Counts counts = counts_of(decision);
    // What the pods that go on count while the sum is below what it was is not known from the sum; the baseline's
    // of the same time may be left aside with it.
    EXPECT_LE(counts[1], 107'100);
    EXPECT_LE(counts[3], 107'100 - 900);
    for (const std::size_t arm : {0U, 2U}) {
        EXPECT_GE(counts[arm + 1], 107'100 - 6 * 900);
        EXPECT_NEAR(counts[arm] / counts[arm + 1], 0.01, 0.0005);
    }
    const auto dip = reason_of(decision, Code::counter_dips);
    const auto fall = reason_of(decision, Code::unexplained_falls);
    ASSERT_TRUE(dip || fall) << support::all_said(decision);
    const std::string said = sentence(dip ? *dip : *fall);
    EXPECT_NE(said.find("http_"), std::string::npos) << said;
}

TEST(IntakeCases, ScrapesThatAreRarerThanTheIntervalAreSaid) {
    for (const std::string data : {"bad15.15.json", "bad15.10.json"}) {
        const Decision decision = judged("plan_good.json", data);
        const auto bridged = reason_of(decision, Code::bridged_intervals);
        ASSERT_TRUE(bridged) << data << support::all_said(decision);
        EXPECT_EQ(number_of(*bridged, "spacing"), 15) << sentence(*bridged);
        EXPECT_EQ(number_of(*bridged, "interval"), 10) << sentence(*bridged);
    }
}

TEST(IntakeCases, BucketsAreForThoseWhoAskForOne) {
    Plan plan = plan_of("ple.json");
    const Batch batch = data_of(plan, "le.csv");
    try {
        judge(plan, batch);
        FAIL() << "not refused";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), Code::data_bucket);
        const std::string said = error.what();
        EXPECT_NE(said.find("lat_bucket"), std::string::npos) << said;
        EXPECT_NE(said.find("0.1"), std::string::npos) << said;
        EXPECT_NE(said.find("+Inf"), std::string::npos) << said;
    }
    Metric& metric = plan.metrics[0];
    metric.bad.clear();
    metric.good = "lat_bucket";
    metric.le = 0.1;
    const Decision decision = judged(plan, batch);
    EXPECT_EQ(decision.action, Action::rollback) << support::all_said(decision);
    EXPECT_EQ(counts_of(decision), (Counts{1'647, 81'000, 1'797, 9'000}));
    // A bound that the histogram does not have.
    metric.le = 0.3;
    EXPECT_THROW(judge(plan, batch), Error);
}

TEST(IntakeCases, CountersTakenForCountsAreHeld) {
    for (const auto& [plan, data] : {std::pair("plan1.json", "aa_false_rollback.csv"),
                                     std::pair("plan-counts-15s.json", "counter-as-counts-one-restart.csv")}) {
        const Decision decision = judged(plan, data);
        EXPECT_EQ(decision.action, Action::hold) << data << support::all_said(decision);
        const auto reason = reason_of(decision, Code::looks_like_counter);
        ASSERT_TRUE(reason) << data << support::all_said(decision);
        EXPECT_NE(sentence(*reason).find("\"counter\": true"), std::string::npos) << sentence(*reason);
        EXPECT_EQ(decision.guarantee, Guarantee::none) << data;
    }
}

// A counter that is scraped more seldom than it is asked for repeats its value; and within its first intervals nobody can
// tell it from counts that rise, of which harm may be made out of nothing.
TEST(IntakeCases, CountersTakenForCountsAreHeldFromTheirFirstRiseOn) {
    Plan plan = plan_of("plan_counter.json");
    plan.metrics[0].counter = false;
    for (const std::string data : {"scrape15-step10.csv", "cum_early.csv"}) {
        const Batch batch = data_of(plan, data);
        Monitor monitor(plan);
        std::size_t looks = 0;
        for (const auto& [time, news] : support::looks_of(batch)) {
            const Decision decision = monitor.observe(news, time);
            if (++looks < 3) continue;  // two intervals
            EXPECT_EQ(decision.action, Action::hold) << data << " look " << looks << support::all_said(decision);
            EXPECT_TRUE(reason_of(decision, Code::looks_like_counter))
                << data << " look " << looks << support::all_said(decision);
        }
        EXPECT_GT(looks, 20);
    }
}

TEST(IntakeCases, ExchangedArmsAreHeld) {
    const Decision decision = judged("plan.json", "swapped.csv");
    EXPECT_EQ(decision.action, Action::hold) << support::all_said(decision);
    const auto reason = reason_of(decision, Code::arms_exchanged);
    ASSERT_TRUE(reason) << support::all_said(decision);
    EXPECT_NE(
        sentence(*reason).find("the canary has 90 % of the requests, the plan says 10 %: are the arms exchanged?"),
        std::string::npos)
        << sentence(*reason);
}

TEST(IntakeCases, ACanaryWithoutARequestIsNoMissingEvent) {
    const Decision decision = judged("plan.json", "zerocan.csv");
    EXPECT_EQ(decision.action, Action::hold) << support::all_said(decision);
    EXPECT_TRUE(reason_of(decision, Code::canary_without_requests)) << support::all_said(decision);
    EXPECT_FALSE(reason_of(decision, Code::no_events)) << support::all_said(decision);
}

TEST(IntakeCases, TheFirstValueThatCannotBeIsNamedAlone) {
    const Decision decision = judged("plan.json", "huge.csv");
    EXPECT_EQ(decision.action, Action::hold);
    std::vector<Reason> impossible;
    for (const Reason& reason : decision.metrics.at(0).reasons) {
        if (name(reason.code).starts_with("impossible_")) impossible.push_back(reason);
    }
    ASSERT_EQ(impossible.size(), 1) << support::all_said(decision);
    const std::string said = sentence(impossible[0]);
    EXPECT_NE(said.find("http_"), std::string::npos) << said;
    EXPECT_NE(said.find("10^30"), std::string::npos) << said;
    EXPECT_EQ(said.find('?'), std::string::npos) << said;
    for (const Code code : {Code::low_coverage, Code::stale, Code::no_events, Code::unbalanced_gaps})
        EXPECT_FALSE(reason_of(decision, code)) << name(code) << support::all_said(decision);
}

TEST(IntakeCases, SeriesOfNeitherArmAreNamed) {
    const Decision decision = judged("plan_good.json", "ne2.json");
    EXPECT_EQ(decision.action, Action::hold);
    const auto reason = reason_of(decision, Code::series_of_neither_arm);
    ASSERT_TRUE(reason) << support::all_said(decision);
    EXPECT_EQ(number_of(*reason, "count"), 1);
    EXPECT_NE(sentence(*reason).find("track"), std::string::npos) << sentence(*reason);
    EXPECT_TRUE(reason_of(decision, Code::never_seen)) << support::all_said(decision);
}

TEST(IntakeCases, PodsNeedNoAggregation) {
    const Decision decision = judged("plan_good.json", "pods_raw.json");
    EXPECT_EQ(counts_of(decision), (Counts{413, 39'508, 85, 8'729})) << support::all_said(decision);
    EXPECT_NE(decision.action, Action::rollback);
    for (const Reason& reason : decision.metrics.at(0).reasons)
        EXPECT_NE(group(reason.code), ReasonGroup::telemetry) << sentence(reason);
}

// ---- of the same kinds, in other shapes

/// Cumulative counters of three pods of the baseline and one of the canary, scraped every 20 s; in the canary every
/// `canary_every`-th request fails, in the baseline every 50th.
struct Pods {
    static constexpr std::int64_t start_ms = 1'812'345'600'000, scrape_ms = 20'000;

    static Plan plan() {
        return io::read_plan(R"({"name": "shop", "interval": "20s", "stages": [{"traffic": 0.25, "min": "10m"}],
            "metrics": [{"name": "failures", "kind": "proportion", "bad": "failed", "total": "calls", "counter": true,
                         "margin": {"ratio": 1.6}, "detect": {"ratio": 3}}]})");
    }
    /// A pod's counters from one scrape until another; its part only until `part_until`.
    static void pod(Batch& batch, Arm arm, const std::string& name, int calls, int every, int until, int part_until) {
        std::vector<std::int64_t> times;
        std::vector<double> total, bad;
        for (int i = 0; i < until; ++i) {
            times.push_back(start_ms + i * scrape_ms);
            total.push_back(1000.0 + i * calls);
            bad.push_back(std::floor(total.back() / every));
        }
        batch.add("calls", arm, name, times, total);
        times.resize(static_cast<std::size_t>(part_until));
        bad.resize(times.size());
        batch.add("failed", arm, name, times, bad);
    }
    static Batch world(int silent_baseline, int canary_until, int canary_calls = 100) {
        Batch batch;
        pod(batch, Arm::baseline, "10.3.0.1:9000", 100, 50, 90, silent_baseline);
        pod(batch, Arm::baseline, "10.3.0.2:9000", 100, 50, 90, 90);
        pod(batch, Arm::baseline, "10.3.0.3:9000", 100, 50, 90, 90);
        pod(batch, Arm::canary, "10.3.1.1:9000", canary_calls, 50, 90, canary_until);
        return batch;
    }
};

TEST(IntakeShapes, APartThatFallsSilentWhileItsWholeGoesOnIsNamed) {
    EXPECT_EQ(judge(Pods::plan(), Pods::world(90, 90)).action, Action::promote);
    for (const auto& [baseline, canary] : {std::pair{90, 40}, std::pair{40, 90}}) {
        const Decision decision = judge(Pods::plan(), Pods::world(baseline, canary));
        EXPECT_EQ(decision.action, Action::hold) << support::all_said(decision);
        const auto silent = reason_of(decision, Code::unpaired_series);
        ASSERT_TRUE(silent) << support::all_said(decision);
        EXPECT_EQ(number_of(*silent, "count"), 50) << sentence(*silent);
    }
}

// Of a counter that has been there no zero is made, whatever the plan says of what was never there.
TEST(IntakeShapes, ACounterThatFallsSilentIsNoZero) {
    Plan plan = Pods::plan();
    plan.metrics[0].absent = Absent::zero;
    const Decision decision = judge(plan, Pods::world(90, 40));
    EXPECT_EQ(decision.action, Action::hold) << support::all_said(decision);
    EXPECT_TRUE(reason_of(decision, Code::unpaired_series)) << support::all_said(decision);
    EXPECT_EQ(counts_of(decision)[3], 39 * 100) << support::all_said(decision);
}

TEST(IntakeShapes, ACanaryWhoseCounterStandsAtZeroDragsNothingAlong) {
    const Decision decision = judge(Pods::plan(), Pods::world(90, 90, 0));
    EXPECT_EQ(decision.action, Action::hold) << support::all_said(decision);
    EXPECT_TRUE(reason_of(decision, Code::canary_without_requests)) << support::all_said(decision);
    for (const Code code : {Code::low_coverage, Code::stale, Code::no_events, Code::unbalanced_gaps})
        EXPECT_FALSE(reason_of(decision, code)) << name(code) << support::all_said(decision);
}

TEST(IntakeShapes, ASeriesThatNobodyHasHadDragsNothingAlong) {
    Batch batch = Pods::world(90, 90);
    std::erase_if(batch.series, [](const ArmSeries& of) { return of.name == "failed"; });
    const Decision decision = judge(Pods::plan(), batch);
    EXPECT_TRUE(reason_of(decision, Code::never_seen)) << support::all_said(decision);
    EXPECT_FALSE(reason_of(decision, Code::stale)) << support::all_said(decision);
}

// Where an arm has hardly a request, scrapes find none; they come as often as ever, and no interval is told to fit.
TEST(IntakeShapes, FewRequestsAreNoRareScrapes) {
    Batch batch;
    const auto add = [&](Arm arm, int every) {
        std::vector<std::int64_t> times;
        std::vector<double> total, bad;
        for (int i = 0; i < 200; ++i) {
            times.push_back(Pods::start_ms + i * Pods::scrape_ms);
            total.push_back(std::floor(i / static_cast<double>(every)));
            bad.push_back(std::floor(total.back() / 10));
        }
        batch.add("calls", arm, "", times, total);
        batch.add("failed", arm, "", times, bad);
    };
    add(Arm::baseline, 2);
    add(Arm::canary, 6);
    const Decision decision = judge(Pods::plan(), batch);
    EXPECT_GT(counts_of(decision)[3], 20) << support::all_said(decision);
    EXPECT_FALSE(reason_of(decision, Code::bridged_intervals)) << support::all_said(decision);
}

// Shares of counters that cannot be wait for a while, which is no matter of how far apart the scrapes are.
TEST(IntakeShapes, WhatCannotBeIsNoMatterOfTheInterval) {
    Batch batch = Pods::world(90, 90);
    for (ArmSeries& of : batch.series) {
        for (double& value : of.series.values) value *= of.name == "failed" ? 137 : 1;
    }
    const Decision decision = judge(Pods::plan(), batch);
    EXPECT_TRUE(reason_of(decision, Code::impossible_more)) << support::all_said(decision);
    EXPECT_FALSE(reason_of(decision, Code::bridged_intervals)) << support::all_said(decision);
}

}  // namespace
}  // namespace serinus
