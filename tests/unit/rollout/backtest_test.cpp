#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/core/error.hpp>
#include <serinus/rollout/backtest.hpp>
#include <serinus/rollout/monitor.hpp>

#include "support/code_of.hpp"

namespace serinus {
namespace {

constexpr std::int64_t origin = 1'795'382'480'000, interval = 10'000;

Plan make_plan(int stages = 1) {
    Plan plan;
    plan.name = "payments";
    plan.interval = std::chrono::milliseconds(interval);
    for (int i = 0; i < stages; ++i) {
        Stage stage;
        stage.traffic = i == 0 ? 0.1 : 0.5;
        stage.min = std::chrono::minutes(2);
        plan.stages.push_back(stage);
    }
    for (const char* const name : {"errors", "refusals"}) {
        Metric metric;
        metric.name = name;
        metric.bad = name;
        metric.total = "requests";
        metric.margin = {.ratio = 2.0, .difference = {}};
        plan.metrics.push_back(metric);
    }
    return plan;
}

/// Requests of `count` intervals: 900 and 100 an interval, of which these shares fail in the canary; 2 % and 1 % in the
/// baseline. Newest first, as some exports have it.
Batch traffic(int count, double errors, double refusals, unsigned seed = 1) {
    std::mt19937_64 random(seed);
    std::vector<std::int64_t> times;
    for (int i = 0; i < count; ++i) times.push_back(origin + i * interval);
    std::reverse(times.begin(), times.end());
    Batch batch;
    const auto add = [&](const char* name, Arm arm, int requests, double share) {
        std::binomial_distribution<int> events(requests, share);
        std::vector<double> values;
        for (int i = 0; i < count; ++i) values.push_back(share == 1 ? requests : events(random));
        batch.add(name, arm, "", times, values);
    };
    add("requests", Arm::baseline, 900, 1);
    add("errors", Arm::baseline, 900, 0.02);
    add("refusals", Arm::baseline, 900, 0.01);
    add("requests", Arm::canary, 100, 1);
    add("errors", Arm::canary, 100, errors);
    add("refusals", Arm::canary, 100, refusals);
    return batch;
}

FormerRelease release(std::string name, Batch rollout, std::optional<ReleaseLabel> label = std::nullopt) {
    return {.name = std::move(name), .rollout = std::move(rollout), .label = label};
}

std::vector<FormerRelease> collection() {
    return {release("a", traffic(120, 0.02, 0.01, 1), ReleaseLabel::good),
            release("b", traffic(120, 0.12, 0.01, 2), ReleaseLabel::bad),
            release("c", traffic(120, 0.02, 0.08, 3), ReleaseLabel::good),
            release("d", traffic(1, 0.02, 0.01, 4), ReleaseLabel::bad),
            release("e", traffic(120, 0.02, 0.01, 5), ReleaseLabel::bad),
            release("f", traffic(120, 0.02, 0.01, 6))};
}

TEST(Backtest, SaysWhatWouldHaveBeenDecidedAndByWhom) {
    const std::vector<FormerRelease> releases = collection();
    std::vector<double> shares;
    const Backtest past = backtest(make_plan(), releases, [&](double share) { shares.push_back(share); });
    ASSERT_EQ(past.releases.size(), 6u);
    const auto& r = past.releases;
    EXPECT_EQ(r[0].decision, Action::promote);
    EXPECT_TRUE(r[0].decided_by.empty());
    EXPECT_GE(r[0].minutes, 2);
    EXPECT_EQ(r[1].decision, Action::rollback);
    EXPECT_EQ(r[1].decided_by, std::vector<std::string>{"errors"});
    EXPECT_EQ(name(r[1].reasons.front()), "errors.harm_proven");
    EXPECT_EQ(r[2].decision, Action::rollback);
    EXPECT_EQ(r[2].decided_by, std::vector<std::string>{"refusals"});
    EXPECT_EQ(r[3].decision, Action::hold);
    EXPECT_EQ(r[3].decided_by, (std::vector<std::string>{"errors", "refusals"}));
    EXPECT_DOUBLE_EQ(r[3].minutes, 1 / 6.0);  // one interval
    EXPECT_EQ(r[4].decision, Action::promote);
    EXPECT_EQ(r[5].label, std::nullopt);

    EXPECT_EQ(past.promoted, 3);
    EXPECT_EQ(past.held, 1);
    EXPECT_EQ(past.rolled_back, 2);
    EXPECT_EQ(past.false_alarms.count, 1);
    EXPECT_EQ(past.false_alarms.of, 2);
    EXPECT_EQ(past.misses.count, 1);
    EXPECT_EQ(past.misses.of, 3);
    EXPECT_EQ(past.bad_held.count, 1);
    // scipy.stats.binomtest(1, 3).proportion_ci(method="exact")
    EXPECT_NEAR(past.misses.lower, 0.008403759, 1e-9);
    EXPECT_NEAR(past.misses.upper, 0.9057007, 1e-7);

    ASSERT_EQ(past.metrics.size(), 2u);
    EXPECT_TRUE(past.metrics[0] ==
                (MetricRecord{.name = "errors", .rolled_back = 1, .alone = 1, .good = 0, .held = 1}));
    EXPECT_TRUE(past.metrics[1] ==
                (MetricRecord{.name = "refusals", .rolled_back = 1, .alone = 1, .good = 1, .held = 1}));
    EXPECT_EQ(shares, (std::vector<double>{1 / 6.0, 2 / 6.0, 3 / 6.0, 4 / 6.0, 5 / 6.0, 1.0}));
}

TEST(Backtest, ALookSeesWhatHadBeenSampledAndNothingLater) {
    // What is decided at each time is what a monitor says that is handed everything before it.
    const Batch data = traffic(120, 0.10, 0.01, 7);
    const Plan plan = make_plan();
    const Backtest past = backtest(plan, std::vector{release("x", data)});
    std::optional<double> first;
    for (int k = 1; k <= 121 && !first; ++k) {
        const Decision then = judge(plan, data, origin + k * interval);
        if (then.action == Action::rollback || then.finished) first = k * interval / 60'000.0;
    }
    ASSERT_TRUE(first.has_value());
    EXPECT_DOUBLE_EQ(past.releases[0].minutes, *first);
    EXPECT_EQ(past.releases[0].decision, Action::rollback);
}

TEST(Backtest, EntersTheNextStageWhenThePlanPromotes) {
    const Backtest past = backtest(make_plan(2), std::vector{release("x", traffic(240, 0.02, 0.01))});
    EXPECT_EQ(past.releases[0].decision, Action::promote);
    EXPECT_EQ(past.releases[0].stage, 2);
    EXPECT_GE(past.releases[0].minutes, 4);
    // Data that say when stages began are taken at their word: without a second stage nothing is finished.
    Batch said = traffic(240, 0.02, 0.01);
    said.stages = {{1, origin}};
    const Backtest held = backtest(make_plan(2), std::vector{release("x", said)});
    EXPECT_EQ(held.releases[0].decision, Action::hold);
    EXPECT_EQ(held.releases[0].stage, 1);
    EXPECT_TRUE(held.releases[0].decided_by.empty());
    EXPECT_EQ(held.releases[0].unready, 0);
    said.stages.push_back({2, origin + 100 * interval});
    const Backtest moved = backtest(make_plan(2), std::vector{release("x", said)});
    EXPECT_EQ(moved.releases[0].decision, Action::promote);
    EXPECT_EQ(moved.releases[0].unready, 0);
    // The data went on while the plan held: at the stage's minimum of two minutes at the earliest it would have let them.
    said.stages[1].at_ms = origin + 6 * interval;
    EXPECT_EQ(backtest(make_plan(2), std::vector{release("x", said)}).releases[0].unready, 1);
}

TEST(Backtest, ACanaryThatNeverAnswersIsWatchedFromTheFirstSample) {
    Batch silent = traffic(60, 0.02, 0.01);
    std::erase_if(silent.series, [](const ArmSeries& of) { return of.arm == Arm::canary; });
    Plan plan = make_plan();
    plan.metrics[0].missing = Missing::fail;
    FormerRelease former = release("mute", silent, ReleaseLabel::bad);
    const Backtest past = backtest(plan, std::vector{former});
    EXPECT_EQ(past.releases[0].decision, Action::rollback);
    EXPECT_EQ(past.releases[0].without_data, (std::vector<std::string>{"errors", "refusals"}));
    // Started later, it has been silent for less long; asked until before that, it is held.
    former.since_ms = origin + 30 * interval;
    EXPECT_EQ(backtest(plan, std::vector{former}).releases[0].minutes, past.releases[0].minutes);
    former.until_ms = origin + 32 * interval;
    EXPECT_EQ(backtest(plan, std::vector{former}).releases[0].decision, Action::hold);
    // No sample at all is no error.
    EXPECT_EQ(backtest(plan, std::vector{release("nothing", {})}).releases[0].decision, Action::hold);
}

TEST(Backtest, NoiseIsLearnedFromTheReleasesOwnHistory) {
    FormerRelease former = release("x", traffic(60, 0.10, 0.01, 3));
    // In history both arms fail in common bursts, which says that counts are not independent.
    std::mt19937_64 random(9);
    std::vector<std::int64_t> times;
    for (int i = 0; i < 600; ++i) times.push_back(origin - (600 - i) * interval);
    for (const Arm arm : {Arm::baseline, Arm::canary}) {
        std::vector<double> requests, events;
        for (int i = 0; i < 600; ++i) {
            const int all = arm == Arm::baseline ? 900 : 100;
            requests.push_back(all);
            std::binomial_distribution<int> drawn(all,
                                                  std::uniform_int_distribution<int>(0, 9)(random) == 0 ? 0.3 : 0.006);
            events.push_back(drawn(random));
        }
        former.history.add("requests", arm, "", times, requests);
        former.history.add("errors", arm, "", times, events);
    }
    Plan plan = make_plan();
    plan.metrics.resize(1);
    const Backtest quiet = backtest(plan, std::vector{release("x", former.rollout)});
    const Backtest noisy = backtest(plan, std::vector{former});
    EXPECT_EQ(quiet.releases[0].decision, Action::rollback);
    EXPECT_GT(noisy.releases[0].minutes, quiet.releases[0].minutes);
    EXPECT_EQ(noisy.digest, digest(plan));
}

TEST(Backtest, OneLookIsTakenAtTheEnd) {
    Plan plan = make_plan();
    plan.analysis = Analysis::fixed;
    const Backtest past = backtest(plan, std::vector{release("x", traffic(120, 0.12, 0.01))});
    EXPECT_EQ(past.releases[0].decision, Action::rollback);
    EXPECT_DOUBLE_EQ(past.releases[0].minutes, 20);
}

TEST(Backtest, ADryRunIsReplayedAsIfItWereNone) {
    Plan plan = make_plan();
    plan.dry_run = true;
    EXPECT_EQ(backtest(plan, std::vector{release("x", traffic(120, 0.12, 0.01))}).releases[0].decision,
              Action::rollback);
}

TEST(Backtest, TellsWhichReleasesAnotherPlanDecidesDifferently) {
    const std::vector<FormerRelease> releases = collection();
    Plan wider = make_plan();
    wider.metrics[1].muted = true;
    const Backtest before = backtest(make_plan(), releases), after = backtest(wider, releases);
    EXPECT_EQ(changed_releases(before, after), std::vector<std::size_t>{2});
    EXPECT_TRUE(after.metrics[1].never_decided());
    EXPECT_EQ(code_of([&] { changed_releases(before, backtest(wider, std::vector{releases[0]})); }),
              Code::argument_length);
}

TEST(Backtest, RefusesWhatCannotBeAndSaysWhichRelease) {
    Plan plan = make_plan();
    plan.alpha = 2;
    EXPECT_EQ(code_of([&] { backtest(plan, {}); }), Code::plan_value);
    Batch torn = traffic(3, 0.02, 0.01);
    torn.series[0].series.values.pop_back();
    try {
        backtest(make_plan(), std::vector{release("torn\n", torn)});
        FAIL();
    } catch (const Error& error) {
        EXPECT_NE(std::string(error.what()).find("release \"torn?\""), std::string::npos) << error.what();
    }
}

TEST(Backtest, NoReleaseSaysNothing) {
    const Backtest past = backtest(make_plan(), {});
    EXPECT_EQ(past.false_alarms, (ReleaseShare{0, 0, 0, 1}));
    EXPECT_TRUE(past.releases.empty());
}

}  // namespace
}  // namespace serinus
