#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/core/state.hpp>
#include <serinus/rollout/monitor.hpp>
#include <serinus/rollout/monitor_state.hpp>

namespace serinus {
using namespace std::chrono_literals;
namespace {

constexpr std::int64_t origin = 1'795'382'480'000, interval = 10'000;
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

Plan make_plan() {
    Plan plan;
    plan.name = "payments";
    plan.deployment = "payments-1";
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

struct Sample {
    std::string series;
    Arm arm;
    std::int64_t time;
    double value;
    std::string instance = "";
};

Batch batch_of(const std::vector<Sample>& samples) {
    Batch batch;
    for (const Sample& s : samples) {
        auto at = std::find_if(batch.series.begin(), batch.series.end(), [&](const ArmSeries& known) {
            return known.name == s.series && known.arm == s.arm && known.series.instance == s.instance;
        });
        if (at == batch.series.end())
            at = batch.series.insert(at, ArmSeries{s.series, s.arm, nan, {{}, {}, s.instance}});
        at->series.times_ms.push_back(s.time);
        at->series.values.push_back(s.value);
    }
    return batch;
}

/// Requests of `count` intervals: 900 and 100 an interval, errors at these rates.
std::vector<Sample> traffic(int count, double rate_b, double rate_c, unsigned seed = 1, int from = 0) {
    std::mt19937_64 random(seed);
    std::binomial_distribution<int> b(900, rate_b), c(100, rate_c);
    std::vector<Sample> samples;
    for (int i = from; i < from + count; ++i) {
        const std::int64_t time = origin + i * interval;
        samples.push_back({"bad", Arm::baseline, time, static_cast<double>(b(random))});
        samples.push_back({"total", Arm::baseline, time, 900});
        samples.push_back({"bad", Arm::canary, time, static_cast<double>(c(random))});
        samples.push_back({"total", Arm::canary, time, 100});
    }
    return samples;
}

bool has(const std::vector<Reason>& reasons, Code code) {
    return std::any_of(reasons.begin(), reasons.end(), [&](const Reason& reason) { return reason.code == code; });
}

double number(const Reason& reason, std::string_view name) {
    for (const NamedNumber& n : reason.numbers)
        if (n.name == name) return n.value;
    return nan;
}

/// Everything of a decision that does not count what was sent again.
std::string gist(const Decision& d) {
    std::string text = std::string(word(d.action)) + "|" + std::to_string(d.stage) + "|" +
                       std::to_string(d.time ? d.time->time_since_epoch().count() : -1) + "|" +
                       std::to_string(d.elapsed.count()) + "|" + std::to_string(d.telemetry.intervals) + "|" +
                       std::to_string(d.telemetry.used);
    for (const Reason& reason : d.reasons) {
        if (reason.code == Code::late_samples || reason.code == Code::conflicting_samples) continue;
        text += "|" + name(reason) + sentence(reason);
    }
    for (const MetricResult& m : d.metrics) {
        text += "|" + m.name + std::string(word(m.verdict));
        for (const double value :
             {m.evidence.log_e_value, m.evidence.p_value, m.evidence.lower, m.evidence.upper, m.mirror.log_e_value}) {
            text += "," + std::to_string(std::bit_cast<std::uint64_t>(value));
        }
    }
    return text;
}

TEST(Monitor, RollsBackABadCanaryAndSaysWhy) {
    const Decision d = judge(make_plan(), batch_of(traffic(60, 0.01, 0.08)));
    EXPECT_EQ(d.action, Action::rollback);
    EXPECT_EQ(d.severity, Severity::page);
    EXPECT_EQ(d.metrics[0].verdict, Verdict::fail);
    ASSERT_FALSE(d.reasons.empty());
    EXPECT_EQ(d.reasons[0].code, Code::harm_proven);
    EXPECT_EQ(d.reasons[0].metric, "errors");
    EXPECT_FALSE(d.reasons[0].outside_alpha);
    EXPECT_EQ(d.deployment, "payments-1");
    EXPECT_EQ(d.digest, digest(make_plan()));
    EXPECT_EQ(d.guarantee, Guarantee::none);
    EXPECT_TRUE(has(d.metrics[0].reasons, Code::dispersion_unknown));
}

TEST(Monitor, PromotesAGoodCanary) {
    const Decision d = judge(make_plan(), batch_of(traffic(200, 0.02, 0.02)));
    EXPECT_EQ(d.action, Action::promote);
    EXPECT_TRUE(d.finished);
    EXPECT_EQ(d.metrics[0].verdict, Verdict::pass);
    EXPECT_TRUE(has(d.reasons, Code::finished));
    EXPECT_EQ(d.telemetry.intervals, 200);
    EXPECT_EQ(d.telemetry.used, 200);
}

TEST(Monitor, BeforeAnyDataItHolds) {
    Monitor monitor(make_plan());
    EXPECT_EQ(monitor.decision().action, Action::hold);
    EXPECT_EQ(monitor.decision().metrics[0].verdict, Verdict::no_data);
    const Decision silent = monitor.observe({}, origin);
    EXPECT_EQ(silent.action, Action::hold);
    EXPECT_TRUE(has(silent.metrics[0].reasons, Code::missing_canary));
}

// The order of samples and repetitions within `settle` change nothing; nor does it matter how they are cut into
// batches.
TEST(Monitor, OrderRepetitionAndBatchesChangeNothing) {
    Plan plan = make_plan();
    plan.settle = 30s;
    const std::vector<Sample> data = traffic(80, 0.01, 0.03);
    const Decision whole = judge(plan, batch_of(data));

    std::mt19937_64 random(5);
    for (int repetition = 0; repetition < 5; ++repetition) {
        // Each sample is delayed by less than settle, and a third of them come twice.
        std::vector<std::pair<std::int64_t, Sample>> arrivals;
        for (const Sample& s : data) {
            arrivals.push_back({s.time + static_cast<std::int64_t>(random() % 29'000), s});
            if (random() % 3 == 0) {
                const std::int64_t again = s.time + static_cast<std::int64_t>(random() % 60'000);
                arrivals.push_back({std::min(again, origin + 80 * interval + 29'000), s});
            }
        }
        std::stable_sort(arrivals.begin(), arrivals.end(),
                         [](const auto& a, const auto& b) { return a.first < b.first; });
        Monitor monitor(plan);
        for (const auto& [arrival, sample] : arrivals) monitor.observe(batch_of({sample}), arrival);
        Decision last = monitor.flush();
        last.time = whole.time;
        last.elapsed = whole.elapsed;
        EXPECT_EQ(gist(last), gist(whole));
        EXPECT_EQ(last.telemetry.late, 0);
        EXPECT_EQ(last.telemetry.conflicts, 0);
    }
}

TEST(Monitor, ObservingTheSameAgainChangesNothing) {
    Monitor monitor(make_plan());
    const Batch batch = batch_of(traffic(40, 0.01, 0.02));
    const Decision first = monitor.observe(batch, origin + 40 * interval);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(gist(monitor.observe(batch, origin + 40 * interval)), gist(first));
    EXPECT_EQ(gist(monitor.decision()), gist(first));
    EXPECT_EQ(monitor.decision().telemetry.late, 0);
}

TEST(Monitor, LateSamplesAndConflictsAreCountedAndDropped) {
    Monitor monitor(make_plan());
    const Decision before = monitor.observe(batch_of(traffic(20, 0.01, 0.02)), origin + 20 * interval);
    const Decision after = monitor.observe(batch_of({{"bad", Arm::canary, origin + 3 * interval, 100, "other"},
                                                     {"total", Arm::canary, origin + 3 * interval, 100, "other"}}),
                                           origin + 20 * interval);
    EXPECT_EQ(gist(after), gist(before));
    EXPECT_EQ(after.telemetry.late, 2);
    EXPECT_TRUE(has(after.reasons, Code::late_samples));

    Plan plan = make_plan();
    plan.settle = 1min;
    Monitor settling(plan);
    settling.observe(batch_of({{"bad", Arm::canary, origin, 1}, {"total", Arm::canary, origin, 100}}));
    const Decision conflict =
        settling.observe(batch_of({{"bad", Arm::canary, origin, 99}, {"total", Arm::canary, origin, 100}}));
    EXPECT_EQ(conflict.telemetry.conflicts, 1);
    EXPECT_TRUE(has(conflict.reasons, Code::conflicting_samples));
    EXPECT_EQ(conflict.telemetry.repeated, 1);
    settling.observe(batch_of({{"bad", Arm::baseline, origin, 1}, {"total", Arm::baseline, origin, 100}}));
    EXPECT_EQ(settling.flush().metrics[0].observed[2].value, 1);  // the first one won
}

TEST(Monitor, TimeNeverRunsBackwards) {
    Monitor monitor(make_plan());
    const Decision d = monitor.observe(batch_of(traffic(20, 0.01, 0.02)), origin + 20 * interval);
    const Decision e = monitor.observe({}, origin);
    EXPECT_EQ(e.time, d.time);
    EXPECT_EQ(gist(e), gist(d));
}

TEST(Monitor, StateRoundTripsAtEveryMoment) {
    Plan plan = make_plan();
    plan.settle = 15s;
    plan.metrics.push_back(plan.metrics[0]);
    plan.metrics[1].name = "errors by difference";
    plan.metrics[1].margin = {.ratio = {}, .difference = 0.02};
    plan.metrics[1].harm = Harm::either;
    const std::vector<Sample> data = traffic(50, 0.01, 0.04);
    Monitor whole(plan), restarted(plan);
    for (std::size_t i = 0; i < data.size(); i += 3) {
        const std::vector<Sample> part(data.begin() + static_cast<std::ptrdiff_t>(i),
                                       data.begin() + static_cast<std::ptrdiff_t>(std::min(i + 3, data.size())));
        const Decision a = whole.observe(batch_of(part));
        const Decision b = restarted.observe(batch_of(part));
        ASSERT_EQ(gist(a), gist(b));
        const auto bytes = encode(restarted.state());
        Monitor next(plan);
        next.restore(decode<MonitorState>(bytes));
        ASSERT_EQ(encode(next.state()), bytes);
        restarted = std::move(next);
    }
    EXPECT_EQ(gist(whole.flush()), gist(restarted.flush()));
}

TEST(Monitor, StatesOfOtherPlansAndSpoiledOnesAreRefusedAndChangeNothing) {
    Monitor monitor(make_plan());
    monitor.observe(batch_of(traffic(20, 0.01, 0.02)));
    const auto before = encode(monitor.state());
    Plan other = make_plan();
    other.alpha = 0.01;
    const auto code = [&](const MonitorState& state) {
        try {
            monitor.restore(state);
        } catch (const Error& error) {
            EXPECT_EQ(encode(monitor.state()), before);
            return error.code();
        }
        return Code::none;
    };
    EXPECT_EQ(code(Monitor(other).state()), Code::state_options);
    other.metrics[0].margin.ratio = 3;
    other.queries["bad"] = "no matter";
    const auto sentence = [&](const MonitorState& state) -> std::string {
        try {
            monitor.restore(state);
        } catch (const Error& error) {
            return error.what();
        }
        return "";
    };
    EXPECT_EQ(sentence(Monitor(other).state()),
              "serinus.state.options: the state belongs to a plan that differs from this Monitor's in alpha and "
              "metrics[0]; allowed: a state of this plan, whatever its queries");
    MonitorState former = Monitor(other).state();  // of a version that kept no more than the whole plan's digest
    former.plan_keys.clear();
    EXPECT_NE(sentence(former).find("the state belongs to another plan, with digest"), std::string::npos);
    const auto spoiled = [&](auto&& spoil) {
        MonitorState state = monitor.state();
        spoil(state);
        return code(state);
    };
    EXPECT_EQ(spoiled([](MonitorState& s) { s.clock.stage = 7; }), Code::state_invariant);
    EXPECT_EQ(spoiled([](MonitorState& s) { s.metrics.clear(); }), Code::state_invariant);
    EXPECT_EQ(spoiled([](MonitorState& s) { s.clock.starts.clear(); }), Code::state_invariant);
    EXPECT_EQ(spoiled([](MonitorState& s) { s.clock.next = -1; }), Code::state_invariant);
    EXPECT_EQ(spoiled([](MonitorState& s) { s.latch.policy = {1}; }), Code::state_invariant);
    EXPECT_EQ(spoiled([](MonitorState& s) { s.intake.series[0].tracks[0].role = 2; }), Code::state_invariant);
    EXPECT_EQ(spoiled([](MonitorState& s) { s.intake.series[0].tracks[0].times_ms.push_back(3); }),
              Code::state_invariant);
    EXPECT_EQ(spoiled([](MonitorState& s) { s.metrics[0].used = 99; }), Code::state_invariant);
    EXPECT_EQ(spoiled([](MonitorState& s) { s.metrics[0].counts->stage.log_mass.clear(); }), Code::state_invariant);
    EXPECT_EQ(spoiled([](MonitorState&) {}), Code::none);
}

TEST(Monitor, CountersWithResetsCountTheSameAsTheirIncrements) {
    Plan plan = make_plan();
    const std::vector<Sample> increments = traffic(60, 0.02, 0.03);
    plan.metrics[0].counter = true;
    std::vector<Sample> counters;
    std::map<std::pair<std::string, Arm>, double> level;
    for (const std::string series : {"bad", "total"}) {
        for (const Arm arm : {Arm::baseline, Arm::canary}) {
            counters.push_back({series, arm, origin, 1000});
            level[{series, arm}] = 1000;
        }
    }
    for (const Sample& s : increments) {
        double& value = level[{s.series, s.arm}];
        const auto index = (s.time - origin) / interval;
        if (index == 17 && s.arm == Arm::canary) value = 0;  // the canary restarted
        value += s.value;
        counters.push_back({s.series, s.arm, s.time + interval, value});
    }
    const Decision a = judge(make_plan(), batch_of(increments)), b = judge(plan, batch_of(counters));
    EXPECT_EQ(a.metrics[0].evidence.log_e_value, b.metrics[0].evidence.log_e_value);
    EXPECT_EQ(a.metrics[0].observed, b.metrics[0].observed);
    EXPECT_EQ(b.telemetry.used, 60);
}

TEST(Monitor, InstancesAreSummedAndHalfReportsLeftOut) {
    std::vector<Sample> split;
    for (const Sample& s : traffic(40, 0.02, 0.02)) {
        Sample a = s, b = s;
        a.instance = "a";
        b.instance = "b";
        a.value = std::floor(s.value / 2);
        b.value = s.value - a.value;
        split.push_back(a);
        split.push_back(b);
    }
    const Decision whole = judge(make_plan(), batch_of(traffic(40, 0.02, 0.02)));
    const Decision summed = judge(make_plan(), batch_of(split));
    EXPECT_EQ(whole.metrics[0].observed, summed.metrics[0].observed);
    // An instance without errors has none of them, for others have the series; unless the plan says that it is unknown.
    for (int i = 0; i < 40; ++i) split.push_back({"total", Arm::canary, origin + i * interval, 100, "c"});
    const Decision with_half = judge(make_plan(), batch_of(split));
    EXPECT_EQ(with_half.metrics[0].observed[2].value, whole.metrics[0].observed[2].value);
    EXPECT_EQ(with_half.metrics[0].observed[3].value, whole.metrics[0].observed[3].value + 4000);
    EXPECT_TRUE(has(with_half.metrics[0].reasons, Code::absent_taken_as_zero));
    Plan unknown = make_plan();
    unknown.metrics[0].absent = Absent::unknown;
    EXPECT_EQ(judge(unknown, batch_of(split)).metrics[0].observed, whole.metrics[0].observed);
}

TEST(Monitor, AnErrorSeriesThatIsNotSentIsZeroWhereItsNameLives) {
    std::vector<Sample> data = traffic(40, 0.02, 0.0);
    std::erase_if(data, [](const Sample& s) { return s.series == "bad" && s.arm == Arm::canary; });
    const Decision zero = judge(make_plan(), batch_of(data));
    EXPECT_EQ(zero.action, Action::promote);
    EXPECT_TRUE(has(zero.metrics[0].reasons, Code::absent_taken_as_zero));

    std::vector<Sample> nobody = data;
    std::erase_if(nobody, [](const Sample& s) { return s.series == "bad"; });
    const Decision never = judge(make_plan(), batch_of(nobody));
    EXPECT_EQ(never.action, Action::hold);
    EXPECT_TRUE(has(never.metrics[0].reasons, Code::never_seen));
    Plan always = make_plan();
    always.metrics[0].absent = Absent::zero;
    EXPECT_FALSE(has(judge(always, batch_of(nobody)).metrics[0].reasons, Code::never_seen));

    Plan unknown = make_plan();
    unknown.metrics[0].absent = Absent::unknown;
    const Decision d = judge(unknown, batch_of(data));
    EXPECT_EQ(d.action, Action::hold);
    EXPECT_EQ(d.metrics[0].verdict, Verdict::no_data);
    EXPECT_TRUE(has(d.metrics[0].reasons, Code::unpaired_series));
    EXPECT_TRUE(has(d.metrics[0].reasons, Code::missing_canary));
}

// Pods that send an error row only when they had errors: each counts only when it fails, and a small pod then looks
// worse than a large one. Nothing may be decided on such data.
TEST(Monitor, ErrorRowsThatAreLeftOutWhenZeroDecideNothing) {
    std::mt19937_64 random(8);
    std::vector<Sample> data;
    for (int i = 0; i < 200; ++i) {
        for (int pod = 0; pod < 8; ++pod) {
            for (const Arm arm : {Arm::baseline, Arm::canary}) {
                const int requests = arm == Arm::baseline ? 90 : 10;
                const int bad = std::binomial_distribution<int>(requests, 0.01)(random);
                const std::string name = "pod" + std::to_string(pod);
                data.push_back({"total", arm, origin + i * interval, static_cast<double>(requests), name});
                if (bad > 0) data.push_back({"bad", arm, origin + i * interval, static_cast<double>(bad), name});
            }
        }
    }
    const Decision d = judge(make_plan(), batch_of(data));
    EXPECT_EQ(d.action, Action::hold);
    EXPECT_TRUE(has(d.metrics[0].reasons, Code::unpaired_series));
}

TEST(Monitor, OneArmOnlyHolds) {
    for (const Arm missing : {Arm::baseline, Arm::canary}) {
        std::vector<Sample> data = traffic(40, 0.02, 0.02);
        std::erase_if(data, [&](const Sample& s) { return s.arm == missing; });
        const Decision d = judge(make_plan(), batch_of(data));
        EXPECT_EQ(d.action, Action::hold);
        EXPECT_EQ(d.metrics[0].verdict, Verdict::no_data);
        EXPECT_TRUE(has(d.metrics[0].reasons, missing == Arm::canary ? Code::missing_canary : Code::missing_baseline));
    }
}

TEST(Monitor, TelemetryThatIsCutOffHolds) {
    Plan plan = make_plan();
    std::vector<Sample> data = traffic(200, 0.02, 0.02);
    // By then the canary has passed; without fresh data nobody moves on.
    std::erase_if(data, [](const Sample& s) { return s.arm == Arm::canary && s.time >= origin + 180 * interval; });
    const Decision d = judge(plan, batch_of(data));
    EXPECT_EQ(d.action, Action::hold);
    EXPECT_TRUE(has(d.reasons, Code::stale));
    EXPECT_EQ(d.severity, Severity::ticket);

    plan.metrics[0].missing = Missing::fail;
    const Decision failed = judge(plan, batch_of(data));
    EXPECT_EQ(failed.action, Action::rollback);
    ASSERT_TRUE(has(failed.reasons, Code::missing_rollback));
    EXPECT_TRUE(failed.reasons.back().outside_alpha);
}

TEST(Monitor, SilenceAges) {
    Monitor monitor(make_plan());
    const Decision fresh = monitor.observe(batch_of(traffic(200, 0.02, 0.02)), origin + 200 * interval);
    EXPECT_EQ(fresh.action, Action::promote);
    const Decision old = monitor.observe({}, origin + 210 * interval);
    EXPECT_EQ(old.action, Action::hold);
    EXPECT_TRUE(has(old.metrics[0].reasons, Code::stale));
    EXPECT_EQ(monitor.observe({}, origin + 100'000'000 * interval).action, Action::hold);
}

TEST(Monitor, AnotherQueryDoesNotVoidAState) {
    Monitor before(make_plan());
    before.observe(batch_of(traffic(40, 0.02, 0.02)));
    Plan plan = make_plan();
    plan.queries["bad"] = "sum by (track) (http_errors_total)";
    Monitor after(plan);
    after.restore(before.state());
    EXPECT_EQ(after.decision().metrics[0].observed, before.decision().metrics[0].observed);
    before.restore(after.state());
    plan.metrics[0].margin = {.ratio = 1.7, .difference = {}};
    Monitor other(plan);
    EXPECT_THROW(other.restore(before.state()), Error);
}

TEST(Monitor, GapsHold) {
    std::vector<Sample> data = traffic(100, 0.02, 0.02);
    std::erase_if(data, [&](const Sample& s) { return (s.time - origin) / interval % 10 < 3; });
    EXPECT_TRUE(has(judge(make_plan(), batch_of(data)).metrics[0].reasons, Code::low_coverage));

    std::vector<Sample> unequal = traffic(100, 0.02, 0.02);
    std::erase_if(unequal, [](const Sample& s) { return s.arm == Arm::canary && (s.time / interval) % 8 == 0; });
    const Decision d = judge(make_plan(), batch_of(unequal));
    EXPECT_EQ(d.action, Action::hold);
    EXPECT_TRUE(has(d.metrics[0].reasons, Code::unbalanced_gaps));
    EXPECT_FALSE(has(d.metrics[0].reasons, Code::low_coverage));
}

TEST(Monitor, CountsThatCannotBeHold) {
    for (const double bad : {101.0, -1.0, 0.5}) {
        const Code code = bad > 100 ? Code::impossible_more
                          : bad < 0 ? Code::impossible_negative
                                    : Code::impossible_fraction;
        std::vector<Sample> data = traffic(50, 0.02, 0.02);
        data[40 * 4 + 2].value = bad;
        const Decision d = judge(make_plan(), batch_of(data));
        EXPECT_EQ(d.action, Action::hold) << bad;
        EXPECT_TRUE(has(d.metrics[0].reasons, code)) << bad;
        // It heals: twenty intervals later it stands in nobody's way, and is told all the same.
        std::vector<Sample> longer = traffic(100, 0.02, 0.02);
        longer[40 * 4 + 2].value = bad;
        const Decision healed = judge(make_plan(), batch_of(longer));
        EXPECT_EQ(healed.action, Action::promote) << bad;
        EXPECT_TRUE(has(healed.metrics[0].reasons, code)) << bad;
    }
}

TEST(Monitor, NoEventsNeverPassByARatio) {
    const Decision d = judge(make_plan(), batch_of(traffic(500, 0, 0)));
    EXPECT_EQ(d.action, Action::hold);
    EXPECT_EQ(d.metrics[0].verdict, Verdict::inconclusive);
    EXPECT_TRUE(has(d.metrics[0].reasons, Code::no_events));
}

TEST(Monitor, WarmUpIsNotJudged) {
    Plan plan = make_plan();
    plan.warm_up = 95s;  // ten intervals begin in it
    std::vector<Sample> data = traffic(10, 0.01, 0.9);
    const std::vector<Sample> rest = traffic(100, 0.02, 0.02, 2, 10);
    data.insert(data.end(), rest.begin(), rest.end());
    const Decision d = judge(plan, batch_of(data));
    EXPECT_EQ(d.action, Action::promote);
    EXPECT_EQ(d.telemetry.intervals, 100);
}

TEST(Monitor, ARestartedInstanceWarmsUpAgain) {
    Plan plan = make_plan();
    plan.warm_up = 50s;
    std::vector<Sample> data;
    for (Sample s : traffic(100, 0.02, 0.02)) {
        for (const char* instance : {"a", "b"}) {
            s.instance = instance;
            const std::int64_t index = (s.time - origin) / interval;
            const bool ill =
                s.series == "bad" && s.arm == Arm::canary && s.instance == "b" && index >= 40 && index < 45;
            data.push_back(s);
            if (ill) data.back().value = 100;
        }
    }
    EXPECT_EQ(judge(plan, batch_of(data)).action, Action::rollback);
    Monitor monitor(plan);
    monitor.restart(Arm::canary, "b", origin + 40 * interval);
    monitor.observe(batch_of(data));
    const Decision d = monitor.flush();
    EXPECT_EQ(d.action, Action::promote);
    EXPECT_EQ(d.telemetry.used, 95);
}

TEST(Monitor, TheMinimumOfAStageIsWaitedFor) {
    Plan plan = make_plan();
    plan.stages[0].min = 50min;
    const std::vector<Sample> data = traffic(301, 0.02, 0.02);
    Monitor monitor(plan);
    bool held = false;
    for (int i = 0; i < 301; ++i) {
        const auto at = data.begin() + 4 * i;
        const Decision d = monitor.observe(batch_of({at, at + 4}), origin + (i + 1) * interval);
        if (d.elapsed < std::chrono::minutes(50)) {
            ASSERT_EQ(d.action, Action::hold);
            held = held || d.metrics[0].verdict == Verdict::pass;
        }
    }
    EXPECT_TRUE(held);
    EXPECT_EQ(monitor.decision().action, Action::promote);
}

TEST(Monitor, TheDeadlineIsAPolicyAndSaysSo) {
    Plan plan = make_plan();
    plan.stages[0].max = 100s;
    const Batch batch = batch_of(traffic(15, 0, 0));
    const Decision hold = judge(plan, batch);
    EXPECT_EQ(hold.action, Action::hold);
    EXPECT_TRUE(has(hold.reasons, Code::deadline_hold));
    plan.on_deadline = Deadline::rollback;
    const Decision back = judge(plan, batch);
    EXPECT_EQ(back.action, Action::rollback);
    ASSERT_TRUE(has(back.reasons, Code::deadline_rollback));
    EXPECT_TRUE(back.reasons.back().outside_alpha);
}

TEST(Monitor, StagesCarryHarmOnAndStartSafetyAnew) {
    Plan plan = make_plan();
    Stage next;
    next.traffic = 0.5;
    plan.stages.push_back(next);
    Monitor monitor(plan);
    monitor.enter_stage(1, origin);
    EXPECT_EQ(monitor.observe(batch_of(traffic(200, 0.02, 0.02)), origin + 200 * interval).action, Action::promote);
    const double carried = monitor.decision().metrics[0].evidence.log_e_value;

    monitor.enter_stage(2, origin + 200 * interval);
    const Decision entered = monitor.decision();
    EXPECT_EQ(entered.stage, 2);
    EXPECT_EQ(entered.action, Action::hold);
    EXPECT_EQ(entered.metrics[0].evidence.log_e_value, carried);
    EXPECT_EQ(entered.metrics[0].mirror.log_e_value, 0);
    EXPECT_EQ(entered.metrics[0].evidence.n_canary, 0);
    const auto state = encode(monitor.state());
    monitor.enter_stage(2, origin + 200 * interval);  // told again: nothing new
    EXPECT_EQ(encode(monitor.state()), state);

    const Decision late = monitor.observe(batch_of(traffic(40, 0.02, 0.09, 3, 200)), origin + 240 * interval);
    EXPECT_EQ(late.action, Action::rollback);
    EXPECT_THROW(monitor.enter_stage(3, origin + 300 * interval), Error);
    EXPECT_THROW(monitor.enter_stage(0, origin + 300 * interval), Error);
    EXPECT_THROW(monitor.enter_stage(1, origin), Error);
}

TEST(Monitor, ManyStagesFindHarmAsSoonAsOne) {
    // Stage s has 1/s^2 of the capital, over the sum of all: the first of ten bets .645 of what a single one bets.
    Plan many = make_plan();
    for (int s = 1; s < 10; ++s) {
        many.stages.push_back(many.stages[0]);
        many.stages.back().traffic += 0.01 * s;
    }
    Monitor one(make_plan()), ten(many);
    const std::vector<Sample> data = traffic(60, 0.01, 0.05, 3);
    const double single = one.observe(batch_of(data), origin + 60 * interval).metrics[0].evidence.log_e_value;
    const double divided = ten.observe(batch_of(data), origin + 60 * interval).metrics[0].evidence.log_e_value;
    ASSERT_GT(single, 10);
    double sum = 0;
    for (int s = 1; s <= 10; ++s) sum += 1.0 / (s * s);
    EXPECT_NEAR(divided, single - std::log(sum), 1e-6);
    // All stages together bet no more than there is.
    for (int s = 1; s < 10; ++s) {
        ten.enter_stage(s + 1, origin + s * 1'000'000);
        ASSERT_NO_THROW(ten.observe(batch_of(traffic(60, 0.01, 0.01, 5, s * 100)), origin + s * 1'000'000 + 900'000));
    }
}

/// `bad` of `all` metrics are harmed.
std::vector<Sample> several(int count, int all, int bad, double rate_c, unsigned seed) {
    std::vector<Sample> samples;
    for (int m = 0; m < all; ++m) {
        for (Sample sample : traffic(count, 0.01, m < bad ? rate_c : 0.01, seed * 100 + static_cast<unsigned>(m))) {
            sample.series += std::to_string(m);
            samples.push_back(sample);
        }
    }
    return samples;
}

Plan plan_of_several(int all) {
    Plan plan = make_plan();
    for (int m = 0; m < all; ++m) {
        Metric metric = plan.metrics[0];
        metric.name += std::to_string(m);
        metric.bad += std::to_string(m);
        metric.total += std::to_string(m);
        plan.metrics.push_back(metric);
    }
    plan.metrics.erase(plan.metrics.begin());
    return plan;
}

TEST(Monitor, MetricsProveTogetherWhatNoneProvesAlone) {
    int together = 0;
    for (unsigned seed = 1; seed <= 30; ++seed) {
        const Plan plan = plan_of_several(5);
        const Batch batch = batch_of(several(80, 5, 5, 0.032, seed));
        Monitor monitor(plan);
        double largest = 0;
        for (int t = 1; t <= 80; ++t) {
            const Decision d = monitor.observe(batch, origin + t * interval);
            double mean = 0;
            for (const MetricResult& metric : d.metrics) {
                largest = std::max(largest, metric.evidence.log_e_value);
                mean += std::exp(metric.evidence.log_e_value) / 5;
            }
            // Never later than the first metric alone, and exactly when the mean gets there.
            ASSERT_EQ(d.action == Action::rollback, mean >= 20) << "seed " << seed << ", interval " << t;
            if (d.action != Action::rollback) continue;
            const bool alone = largest >= std::log(100);
            EXPECT_EQ(has(d.reasons, Code::harm_proven_together), !alone);
            if (alone) break;
            ++together;
            EXPECT_NEAR(number(d.reasons[0], "evidence"), mean, 1e-9 * mean);
            EXPECT_EQ(number(d.reasons[0], "needed"), 20);
            // It latches, through a state, too.
            const auto bytes = encode(monitor.state());
            Monitor again(plan);
            again.restore(decode<MonitorState>(bytes));
            EXPECT_EQ(encode(again.state()), bytes);
            EXPECT_EQ(again.observe({}, origin + 90 * interval).action, Action::rollback);
            break;
        }
    }
    EXPECT_GE(together, 4);
}

TEST(Monitor, AMutedMetricOrOneThatMayNotDecideAddsNothingToTheOthers) {
    Plan plan = plan_of_several(2);
    const Batch batch = batch_of(several(60, 2, 1, 0.2, 4));
    plan.metrics[0].muted = true;
    EXPECT_NE(judge(plan, batch).action, Action::rollback);
    plan.metrics[0].muted = false;
    plan.metrics[0].min_count = 1e9;
    EXPECT_NE(judge(plan, batch).action, Action::rollback);
    plan.metrics[0].min_count = 0;
    EXPECT_EQ(judge(plan, batch).action, Action::rollback);
}

TEST(Monitor, JudgeFollowsTheStageColumn) {
    Plan plan = make_plan();
    Stage next;
    next.traffic = 0.5;
    plan.stages.push_back(next);
    std::vector<Sample> data = traffic(100, 0.02, 0.02);
    const std::vector<Sample> second = traffic(100, 0.02, 0.02, 9, 100);
    data.insert(data.end(), second.begin(), second.end());
    Batch batch = batch_of(data);
    batch.stages = {{1, origin}, {2, origin + 100 * interval}};
    const Decision d = judge(plan, batch);
    EXPECT_EQ(d.stage, 2);
    EXPECT_EQ(d.telemetry.intervals, 100);
    EXPECT_TRUE(d.finished);
    // The same, told by hand.
    Monitor monitor(plan);
    monitor.enter_stage(1, origin);
    monitor.observe(batch_of(traffic(100, 0.02, 0.02)));
    monitor.enter_stage(2, origin + 100 * interval);
    monitor.observe(batch_of(second));
    EXPECT_EQ(gist(monitor.flush()), gist(d));
}

TEST(Monitor, MutedMetricsShowButNeverDecide) {
    Plan plan = make_plan();
    plan.metrics[0].muted = true;
    const Decision d = judge(plan, batch_of(traffic(60, 0.01, 0.2)));
    EXPECT_EQ(d.action, Action::hold);
    EXPECT_EQ(d.metrics[0].verdict, Verdict::fail);
    EXPECT_TRUE(has(d.reasons, Code::nothing_to_judge));
}

TEST(Monitor, AnIgnorableMetricWithoutDataDoesNotHold) {
    Plan plan = make_plan();
    plan.metrics.push_back(plan.metrics[0]);
    plan.metrics[1].name = "timeouts";
    plan.metrics[1].bad = "timeouts";
    const Batch batch = batch_of(traffic(200, 0.02, 0.02));
    EXPECT_EQ(judge(plan, batch).action, Action::hold);
    plan.metrics[1].missing = Missing::ignore;
    EXPECT_EQ(judge(plan, batch).action, Action::promote);
    EXPECT_EQ(judge(plan, batch).metrics[1].verdict, Verdict::no_data);
}

TEST(Monitor, MinCountGatesTheVerdict) {
    Plan plan = make_plan();
    plan.metrics[0].min_count = 5000;
    const Decision few = judge(plan, batch_of(traffic(40, 0.01, 0.2)));
    EXPECT_EQ(few.action, Action::hold);
    EXPECT_TRUE(has(few.metrics[0].reasons, Code::too_few));
    EXPECT_EQ(judge(plan, batch_of(traffic(50, 0.01, 0.2))).action, Action::rollback);
}

TEST(Monitor, SeveralMetricsShareAlphaAndHolmNamesTheRest) {
    Plan plan = make_plan();
    for (int i = 1; i < 4; ++i) {
        plan.metrics.push_back(plan.metrics[0]);
        plan.metrics.back().name = "errors " + std::to_string(i);
    }
    const Decision d = judge(plan, batch_of(traffic(60, 0.01, 0.08)));
    EXPECT_EQ(d.action, Action::rollback);
    for (const MetricResult& metric : d.metrics) {
        EXPECT_NEAR(metric.alpha, 0.0125, 1e-15);
        EXPECT_EQ(metric.verdict, Verdict::fail);
    }
}

TEST(Monitor, HarmEitherWayNamesTheWayItWent) {
    Plan plan = make_plan();
    plan.metrics[0].harm = Harm::either;
    EXPECT_EQ(judge(plan, batch_of(traffic(60, 0.01, 0.08))).reasons[0].code, Code::harm_proven);
    EXPECT_EQ(judge(plan, batch_of(traffic(60, 0.2, 0.02))).reasons[0].code, Code::harm_proven_decrease);
    plan.metrics[0].margin = {.ratio = {}, .difference = 0.02};
    EXPECT_EQ(judge(plan, batch_of(traffic(60, 0.01, 0.08))).reasons[0].code, Code::harm_proven_difference);
    const Decision down = judge(plan, batch_of(traffic(60, 0.2, 0.02)));
    EXPECT_EQ(down.reasons[0].code, Code::harm_proven_decrease_difference);
    EXPECT_GT(down.reasons[0].numbers[0].value, 0.02);
}

TEST(Monitor, DecisionsLatch) {
    Monitor monitor(make_plan());
    monitor.observe(batch_of(traffic(40, 0.01, 0.2)), origin + 40 * interval);
    ASSERT_EQ(monitor.decision().action, Action::rollback);
    const Decision d = monitor.observe(batch_of(traffic(400, 0.05, 0.0, 2, 40)), origin + 440 * interval);
    EXPECT_EQ(d.action, Action::rollback);
    EXPECT_EQ(d.metrics[0].verdict, Verdict::fail);
}

TEST(Monitor, ALongSilenceIsPassedQuickly) {
    Monitor monitor(make_plan());
    std::vector<Sample> data{{"bad", Arm::canary, 0, 1},
                             {"total", Arm::canary, 0, 100},
                             {"bad", Arm::baseline, 0, 1},
                             {"total", Arm::baseline, 0, 100}};
    const std::vector<Sample> now = traffic(10, 0.01, 0.01);
    data.insert(data.end(), now.begin(), now.end());
    const Decision d = monitor.observe(batch_of(data));  // 1970, and then 2026
    EXPECT_EQ(d.action, Action::hold);
    EXPECT_GT(d.telemetry.intervals, 100'000'000);

    // Intervals of a millisecond, and a silence of eight thousand years; then harm is found all the same.
    Plan plan = make_plan();
    plan.interval = 1ms;
    plan.telemetry.min_coverage = 1e-15;
    Monitor fine(plan);
    for (int i = 0; i < 100; ++i) {
        const std::int64_t time = i < 50 ? i : 250'000'000'000'000 + i;
        const double bad = i < 50 ? 1 : 30;
        fine.observe(batch_of({{"bad", Arm::baseline, time, 1},
                               {"total", Arm::baseline, time, 100},
                               {"bad", Arm::canary, time, bad},
                               {"total", Arm::canary, time, 100}}));
    }
    EXPECT_EQ(fine.flush().action, Action::rollback);
}

TEST(Monitor, NaNSamplesAreMissingAndUnknownSeriesAreCounted) {
    std::vector<Sample> data = traffic(50, 0.02, 0.02);
    for (Sample& s : data) {
        if (s.arm == Arm::canary && s.series == "bad") s.value = nan;
    }
    data.push_back({"cpu", Arm::canary, origin, 3});
    const Decision d = judge(make_plan(), batch_of(data));
    EXPECT_EQ(d.metrics[0].verdict, Verdict::no_data);
    EXPECT_EQ(d.telemetry.ignored, 1);
}

TEST(Monitor, UnequalArraysAreRefused) {
    Batch batch;
    batch.series.push_back({"bad", Arm::canary, nan, {{1, 2}, {1.0}, ""}});
    Monitor monitor(make_plan());
    EXPECT_THROW(monitor.observe(batch), Error);
}

TEST(Monitor, TimesBeyondTheCalendarAreRefusedAndChangeNothing) {
    Monitor monitor(make_plan());
    monitor.observe(batch_of(traffic(10, 0.02, 0.02)));
    const auto before = encode(monitor.state());
    for (const std::int64_t time :
         {std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()}) {
        EXPECT_THROW(monitor.observe({}, time), Error);
        EXPECT_THROW(
            monitor.observe(batch_of({{"bad", Arm::canary, origin + 20 * interval, 1}, {"bad", Arm::canary, time, 1}})),
            Error);
        EXPECT_THROW(monitor.enter_stage(1, time), Error);
        EXPECT_THROW(monitor.restart(Arm::canary, "a", time), Error);
        MonitorState state = monitor.state();
        state.clock.start_ms = time;
        EXPECT_THROW(monitor.restore(state), Error);
        state = monitor.state();
        state.clock.next = std::numeric_limits<std::int64_t>::max();
        EXPECT_THROW(monitor.restore(state), Error);
        EXPECT_EQ(encode(monitor.state()), before);
    }
}

// A name that breaks the line or speaks to the terminal reaches no error text as it is.
TEST(Monitor, NamesAreQuotedSafely) {
    const std::string name = "requests\n\x1b[2Jall is well";
    Batch batch;
    batch.series.push_back({.name = name,
                            .arm = Arm::canary,
                            .series = {.times_ms = {origin, origin + 1}, .values = {1}, .instance = ""}});
    const auto sentence_of = [&](const auto& call) {
        try {
            call();
        } catch (const Error& error) {
            return std::string(error.what());
        }
        return std::string();
    };
    Plan twice = make_plan();
    twice.metrics.push_back(twice.metrics[0]);
    twice.metrics[0].name = twice.metrics[1].name = name;
    Batch early = batch;
    early.series[0].series = {.times_ms = {std::numeric_limits<std::int64_t>::max()}, .values = {1}, .instance = ""};
    for (const std::string& text :
         {sentence_of([&] { judge(make_plan(), batch); }), sentence_of([&] { judge(make_plan(), early); }),
          sentence_of([&] { check(twice); })}) {
        EXPECT_NE(text.find("\"requests??[2Jall is well\""), std::string::npos) << text;
        EXPECT_EQ(text.find_first_of("\n\x1b"), std::string::npos) << text;
    }
}

// Asking decides nothing: what the plan orders is latched when data are taken.
TEST(Monitor, AskingChangesNothing) {
    Plan plan = make_plan();
    plan.stages[0].max = std::chrono::milliseconds(20 * interval);
    plan.on_deadline = Deadline::rollback;
    Monitor monitor(plan);
    monitor.observe(batch_of(traffic(10, 0.01, 0.01)));
    const auto held = encode(monitor.state());
    EXPECT_EQ(gist(monitor.decision()), gist(monitor.decision()));
    EXPECT_EQ(encode(monitor.state()), held);
    const Decision over = monitor.observe({}, origin + 21 * interval);
    EXPECT_EQ(over.action, Action::rollback);
    EXPECT_TRUE(monitor.state().latch.rolled_back);
    EXPECT_EQ(gist(monitor.decision()), gist(over));
}

// The first rule that holds wins, and all of its action that hold are told in their order.
TEST(Monitor, RulesWinInTheirOrder) {
    Plan plan = make_plan();
    plan.stages[0].max = std::chrono::milliseconds(20 * interval);
    plan.stages[0].min = std::chrono::milliseconds(30 * interval);
    plan.metrics[0].missing = Missing::fail;
    plan.on_deadline = Deadline::rollback;
    plan.warm_up = std::chrono::milliseconds(40 * interval);
    plan.stages[0].max = std::chrono::milliseconds(50 * interval);
    const auto codes = [](const Decision& d) {
        std::vector<Code> found;
        for (const Reason& reason : d.reasons) found.push_back(reason.code);
        return found;
    };
    Monitor monitor(plan);
    const Decision warm = monitor.observe(batch_of(traffic(5, 0.01, 0.01)));
    EXPECT_EQ(warm.action, Action::hold);
    EXPECT_EQ(codes(warm), (std::vector{Code::no_data_yet, Code::warming_up, Code::waiting, Code::stage_minimum}));
    // Both the silence and the deadline would order it; silence comes first, and one order is enough.
    const Decision silent = monitor.observe({}, origin + 300 * interval);
    EXPECT_EQ(silent.action, Action::rollback);
    EXPECT_EQ(codes(silent), (std::vector{Code::missing_rollback}));
    EXPECT_TRUE(silent.reasons[0].outside_alpha);
}

// The last hour may be sent again at every scrape, also right after traffic was moved.
TEST(Monitor, CountersMayBeSentAgainAfterAStageWasEntered) {
    Plan plan = make_plan();
    plan.metrics[0].counter = true;
    plan.stages.push_back({.traffic = 0.5});
    std::vector<Sample> all;
    for (int i = 0; i < 40; ++i) {
        for (const Arm arm : {Arm::baseline, Arm::canary}) {
            all.push_back({"bad", arm, origin + i * interval, 2.0 * i});
            all.push_back({"total", arm, origin + i * interval, 100.0 * i});
        }
    }
    const auto until = [&](int i) { return batch_of({all.begin(), all.begin() + 4 * i}); };
    Monitor monitor(plan);
    monitor.observe(until(20));
    monitor.enter_stage(2, origin + 19 * interval);
    const Decision again = monitor.observe(until(20));
    EXPECT_EQ(again.stage, 2);
    EXPECT_EQ(again.telemetry.repeated, 80);
    const Decision later = monitor.observe(until(40));
    EXPECT_EQ(later.telemetry.used, 20);
    EXPECT_EQ(later.metrics[0].observed[1].value, 2000);
}

// What is proven while a stage is entered is known to a state of that moment, before anybody has asked.
TEST(Monitor, AStateTakenRightAfterAStageWasEnteredLoads) {
    Plan plan = plan_of_several(3);
    plan.settle = std::chrono::milliseconds(1000 * interval);
    plan.stages.push_back({.traffic = 0.5});
    Monitor monitor(plan);
    EXPECT_EQ(monitor.observe(batch_of(several(60, 3, 3, 0.2, 1))).action, Action::hold);
    monitor.enter_stage(2, origin + 60 * interval);
    Monitor again(plan);
    again.restore(monitor.state());
    EXPECT_EQ(encode(again.state()), encode(monitor.state()));
    EXPECT_EQ(again.decision().action, Action::rollback);
    EXPECT_EQ(again.observe({}, origin + 61 * interval).action, Action::rollback);
}

TEST(Monitor, StagesCountFromOne) {
    Monitor monitor(make_plan());
    EXPECT_EQ(monitor.decision().stage, 1);
    EXPECT_EQ(monitor.state().clock.stage, 0);  // the state keeps an index
    for (const int none : {0, 2}) {
        try {
            monitor.enter_stage(none, origin);
            FAIL() << none;
        } catch (const Error& error) {
            EXPECT_EQ(std::string(error.what()),
                      "serinus.monitor.stage: the stage is " + std::to_string(none) + "; allowed: 1 to 1");
        }
    }
}

// What other series add to it makes no count of a negative number.
TEST(Monitor, ANegativeCountIsNotAddedUp) {
    const Plan plan = make_plan();
    for (const bool whole : {false, true}) {
        std::vector<Sample> samples = traffic(60, 0.01, 0.01);
        for (int i = 0; i < 60; ++i) {
            const std::int64_t time = origin + i * interval;
            samples.push_back({"bad", Arm::baseline, time, whole ? 0.0 : -1.0, "pod"});
            samples.push_back({"total", Arm::baseline, time, whole ? -1.0 : 100.0, "pod"});
        }
        const Decision decision = judge(plan, batch_of(samples));
        EXPECT_EQ(decision.action, Action::hold);
        const auto& reasons = decision.metrics[0].reasons;
        const auto found = std::find_if(reasons.begin(), reasons.end(),
                                        [](const Reason& reason) { return reason.code == Code::impossible_negative; });
        ASSERT_NE(found, reasons.end());
        EXPECT_NE(sentence(*found).find(whole ? "total of the baseline is -1" : "bad of the baseline is -1"),
                  std::string::npos)
            << sentence(*found);
    }
}

// A signal that has failed holds for a person, spends nothing of alpha, and lets others roll back.
TEST(Monitor, ASignalHoldsAndRollsNothingBack) {
    Plan plan = make_plan();
    Metric signal = plan.metrics[0];
    signal.name = "conversion";
    signal.bad = "lost";
    signal.on_fail = OnFail::hold;
    signal.weight = 5;
    plan.metrics.push_back(signal);
    EXPECT_EQ(alpha_split(plan), (std::vector<double>{plan.alpha, 0}));
    const auto both = [&](double errors, double lost) {
        std::vector<Sample> samples = traffic(60, 0.01, errors);
        for (Sample sample : traffic(60, 0.01, lost, 2)) {
            sample.series = sample.series == "bad" ? "lost" : "total";
            if (sample.series == "lost") samples.push_back(sample);
        }
        return judge(plan, batch_of(samples));
    };
    const Decision held = both(0.01, 0.2);
    EXPECT_EQ(held.action, Action::hold);
    EXPECT_EQ(held.metrics[1].verdict, Verdict::fail);
    EXPECT_EQ(held.metrics[1].alpha, 0);
    ASSERT_FALSE(held.reasons.empty());
    EXPECT_EQ(held.reasons[0].code, Code::harm_proven);
    EXPECT_EQ(held.reasons[0].metric, "conversion");
    EXPECT_EQ(held.severity, Severity::ticket);
    EXPECT_EQ(both(0.2, 0.2).action, Action::rollback);
    EXPECT_EQ(both(0.2, 0.01).action, Action::rollback);
    EXPECT_EQ(both(0.01, 0.01).action, Action::promote);
    // It stays so when the state is restored.
    Monitor monitor(plan), again(plan);
    std::vector<Sample> samples = traffic(60, 0.01, 0.01);
    for (Sample sample : traffic(60, 0.01, 0.2, 2)) {
        if (sample.series == "total") continue;
        sample.series = "lost";
        samples.push_back(sample);
    }
    monitor.observe(batch_of(samples), origin + 60 * interval);
    again.restore(monitor.state());
    EXPECT_EQ(again.decision().action, Action::hold);
    EXPECT_EQ(again.decision(), monitor.decision());
    // Only signals: no rollback is possible, and none is promised.
    plan.metrics.erase(plan.metrics.begin());
    EXPECT_EQ(alpha_split(plan), std::vector<double>{0});
    EXPECT_EQ(judge(plan, batch_of(samples)).action, Action::hold);
    plan.metrics[0].missing = Missing::fail;
    EXPECT_THROW(check(plan), Error);
}

// What it remembers is what lives, not what has been: pods that are replaced every ten minutes, for a day.
TEST(Monitor, RemembersOnlyWhatLives) {
    Plan plan = make_plan();
    plan.interval = 1min;
    plan.metrics[0].counter = true;
    Monitor monitor(plan);
    std::size_t early = 0, late = 0;
    constexpr int pods = 12, life = 10;  // of both arms; minutes
    for (int minute = 0; minute < 24 * 60; ++minute) {
        std::vector<Sample> samples;
        for (int pod = 0; pod < pods; ++pod) {
            const int age = (minute + pod) % life;
            const std::string name = "pod-" + std::to_string(pod) + "-" + std::to_string((minute + pod) / life);
            const Arm arm = pod < 9 ? Arm::baseline : Arm::canary;
            const std::int64_t time = origin + minute * std::int64_t{60'000};
            samples.push_back({"bad", arm, time, static_cast<double>(age), name});
            samples.push_back({"total", arm, time, 100.0 * age, name});
        }
        monitor.observe(batch_of(samples), origin + minute * std::int64_t{60'000});
        if (minute == 3 * 60) early = encode(monitor.state()).size();
        if (minute == 24 * 60 - 1) late = encode(monitor.state()).size();
    }
    // 100 intervals and an hour after its last sample a pod is forgotten: of a day's 1,700 pods some 200 are known.
    EXPECT_LT(late, 1.05 * static_cast<double>(early));
    EXPECT_LT(late, 2 * 24 * 12 * 600);
}

}  // namespace
}  // namespace serinus
