// Harm in fewer than half of the intervals: what is counted as a spike, and what a rollout makes of it.

#include <cmath>
#include <random>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/core/state.hpp>
#include <serinus/io/plan.hpp>
#include <serinus/io/state.hpp>
#include <serinus/report/text.hpp>
#include <serinus/rollout/calibrate.hpp>
#include <serinus/rollout/monitor.hpp>
#include <serinus/rollout/monitor_state.hpp>
#include <serinus/rollout/spikes.hpp>

#include "support/gauge_world.hpp"
#include "support/state_fixture.hpp"

namespace {

using namespace serinus;
using gauge_world::Law;
using Random = gauge_world::Random;
using Reading = SpikeCounter::Reading;

bool says(const std::vector<Reason>& reasons, Code code) {
    for (const Reason& reason : reasons)
        if (reason.code == code) return true;
    return false;
}

/// The code of the error; Code::internal when there is none.
template <class Call>
Code refusal(const Call& call) {
    try {
        call();
    } catch (const Error& error) {
        return error.code();
    }
    return Code::internal;
}

Plan learned(const Plan& plan, const Law& law, std::uint64_t seed, std::size_t n = 2000) {
    Random random(seed);
    return with_noise(plan, calibrate(plan, gauge_world::pair(law, law, n, random)));
}

// ---- what is a spike

TEST(SpikeCounter, AReadingFarFromTheMedianOfTheLastOnes) {
    SpikeCounter counter(2, Harm::increase, {.difference = 0.0});
    SpikeCounter::Counts counts;
    for (int i = 0; i < 5; ++i) {
        counts = counter.next(std::vector<Reading>{{"b", 10.0 + i}}, std::vector<Reading>{{"c", 20.0 + i}});
        EXPECT_EQ(counts.baseline.total + counts.canary.total, 0);  // no level before five readings
    }
    // Their medians are 12 and 22: 14 and 24 are not further than 2 away, 14.1 and 24.1 are.
    counts = counter.next(std::vector<Reading>{{"b", 14.0}}, std::vector<Reading>{{"c", 24.1}});
    EXPECT_EQ(counts.baseline.bad, 0);
    EXPECT_EQ(counts.baseline.total, 1);
    EXPECT_EQ(counts.canary.bad, 1);
    EXPECT_EQ(counts.canary.total, 1);
}

TEST(SpikeCounter, TheLevelOfBothArmsMayDriftAndInstancesMayDiffer) {
    SpikeCounter counter(3, Harm::either, {.difference = 0.0});
    std::int64_t spikes = 0, readings = 0;
    for (int i = 0; i < 400; ++i) {
        const double drift = 0.2 * i;  // over 15 readings 3 x .5: less than a spike
        const auto counts = counter.next(std::vector<Reading>{{"b0", drift}, {"b1", drift + 50}},
                                         std::vector<Reading>{{"c0", drift - 70}});
        spikes += counts.baseline.bad + counts.canary.bad;
        readings += counts.baseline.total + counts.canary.total;
    }
    EXPECT_EQ(spikes, 0);
    EXPECT_EQ(readings, 3 * 395);
}

TEST(SpikeCounter, WhatTheMarginAllowsIsNotHeldAgainstTheCanary) {
    for (const bool ratio : {true, false}) {
        const Margin margin = ratio ? Margin{.ratio = 1.5, .difference = {}} : Margin{.ratio = {}, .difference = 50.0};
        SpikeCounter counter(ratio ? std::log(1.1) : 10, Harm::increase, margin);
        const auto canary = [&](double reading) {
            return counter.next(std::vector<Reading>{{"b", 100.0}}, std::vector<Reading>{{"c", reading}}).canary.bad;
        };
        for (int i = 0; i < 20; ++i) canary(100);
        // Far from its own level, and yet no more than the margin allows of what is no spike in the baseline: 1.5 x 110
        // and 50 + 110.
        EXPECT_EQ(canary(140), 0) << ratio;
        EXPECT_EQ(canary(ratio ? 164.9 : 159.9), 0) << ratio;
        EXPECT_EQ(canary(ratio ? 165.1 : 160.1), 1) << ratio;
    }
}

TEST(SpikeCounter, TheDirectionOfHarm) {
    for (const auto& [harm, up, down] :
         {std::tuple{Harm::increase, 1, 0}, {Harm::decrease, 0, 1}, {Harm::either, 1, 1}}) {
        SpikeCounter counter(2, harm, {.difference = 0.0});
        const auto canary = [&](double reading) {
            return counter.next(std::vector<Reading>{{"b", 0.0}}, std::vector<Reading>{{"c", reading}}).canary.bad;
        };
        for (int i = 0; i < 20; ++i) canary(0);
        EXPECT_EQ(canary(5), up);
        EXPECT_EQ(canary(-5), down);
    }
}

TEST(SpikeCounter, NoNumbersAndNothingPositive) {
    SpikeCounter counter(0.1, Harm::decrease, {.ratio = 1.1});
    for (int i = 0; i < 6; ++i)
        counter.next(std::vector<Reading>{{"b", std::nan("")}, {"b1", 4}}, std::vector<Reading>{{"c", 4}});
    const auto counts = counter.next(std::vector<Reading>{{"b", 4.0}, {"b1", 4}}, std::vector<Reading>{{"c", 0.0}});
    EXPECT_EQ(counts.baseline.total, 1);  // b has had no reading yet
    EXPECT_EQ(counts.canary.bad, 1);      // 0 lies below everything
}

TEST(SpikeCounter, TheMedianIsThatOfTheLastFifteen) {
    UsualLevel level;
    for (int i = 1; i <= 4; ++i) level.add(i);
    EXPECT_FALSE(level.level());
    for (int i = 5; i <= 100; ++i) level.add(i);
    EXPECT_EQ(*level.level(), 93);  // of 86 to 100
    const std::vector<double> readings = level.readings();
    ASSERT_EQ(readings.size(), 15U);
    EXPECT_EQ(readings.front(), 86);
    EXPECT_EQ(readings.back(), 100);
}

// ---- what calibration learns

TEST(Spikes, HistoryTellsTheQuantileAndTheShare) {
    const Noise noise = learned(gauge_world::plan(), {}, 1).noise.at("p95");
    ASSERT_TRUE(noise.spikes);
    EXPECT_NEAR(noise.spikes->share, 0.05, 0.002);
    // 1.645 standard deviations of a reading less the median of 15, on logarithms: 5/100 x 1.645 x sqrt(1 + 1.57/15).
    EXPECT_NEAR(noise.spikes->excess, 0.0864, 0.006);
    EXPECT_EQ(noise.spikes->instances, 0);
}

TEST(Spikes, InstancesThatDifferInSpreadMayDifferInSpikes) {
    const Plan plan = gauge_world::plan(Harm::increase, 0.1);
    Random random(3);
    const auto alike = calibrate(plan, gauge_world::instances({}, {}, 10, 0, 1, 0, 2000, random)).noise.at("p95");
    const auto unlike = calibrate(plan, gauge_world::instances({}, {}, 10, 0, 1, 0.3, 2000, random)).noise.at("p95");
    ASSERT_TRUE(alike.spikes && unlike.spikes);
    EXPECT_LT(alike.spikes->own(0.01), 0.03);
    EXPECT_GT(unlike.spikes->own(0.01), 0.08);
    EXPECT_EQ(alike.spikes->instances, 10);
    EXPECT_NEAR(alike.spikes->spread, 1 + 1.0 / 9, 1e-12);
}

// ---- what a rollout makes of it

TEST(Spikes, AreRolledBackAndNamed) {
    Random random(5);
    for (const Margin& margin : {Margin{.ratio = 1.05, .difference = {}}, Margin{.ratio = {}, .difference = 5.0}}) {
        const Law before{.spikes = 0.02};
        const Plan plan = learned(gauge_world::plan(Harm::increase, 0.5, margin), before, 6);
        const Decision bad = judge(plan, gauge_world::pair(before, {.spikes = 0.3}, 240, random));
        EXPECT_EQ(bad.action, Action::rollback);
        ASSERT_TRUE(says(bad.reasons, Code::spikes_proven)) << report::text(bad);
        const std::string text = report::text(bad);
        EXPECT_NE(text.find("leave its usual level by far"), std::string::npos) << text;
        EXPECT_GT(bad.metrics[0].observed.back().value, 0.2);
        EXPECT_EQ(bad.metrics[0].observed.back().name, "spikes_canary");
        const Decision good = judge(plan, gauge_world::pair(before, before, 240, random));
        EXPECT_EQ(good.action, Action::promote) << report::text(good);
    }
}

TEST(Spikes, AWiderSpreadAboutTheSameMedianIsHarm) {
    Random random(7);
    int promoted = 0, back = 0;
    for (std::uint64_t i = 0; i < 20; ++i) {
        const Plan plan = learned(gauge_world::plan(), {}, 100 + i);  // one history may be an unlucky one
        const Decision decision = judge(plan, gauge_world::pair({}, {.scale = 3}, 480, random));
        promoted += decision.action == Action::promote ? 1 : 0;
        back += decision.action == Action::rollback ? 1 : 0;
    }
    EXPECT_EQ(promoted, 0);
    EXPECT_GE(back, 15);
}

TEST(Spikes, WithoutTheirNoiseAllIsAsBeforeAndSaysSo) {
    const Law before{.spikes = 0.02};
    Plan plan = learned(gauge_world::plan(), before, 6);
    const std::string with = digest(plan);
    plan.noise.at("p95").spikes.reset();
    EXPECT_NE(digest(plan), with);
    Random random(9);
    const Decision decision = judge(plan, gauge_world::pair(before, {.spikes = 0.3}, 240, random));
    EXPECT_EQ(decision.action, Action::promote);
    EXPECT_TRUE(says(decision.metrics[0].reasons, Code::spikes_not_watched));
    EXPECT_EQ(decision.metrics[0].observed.size(), 3U);
}

TEST(Spikes, HoldThePromotionUntilAnIncreaseWouldHaveBeenSeen) {
    const Plan plan = learned(gauge_world::plan(), {}, 10);
    Random random(11);
    const Batch batch = gauge_world::pair({}, {}, 16, random);
    const Decision early = judge(plan, batch);
    EXPECT_EQ(early.action, Action::hold);
    EXPECT_TRUE(says(early.metrics[0].reasons, Code::spikes_open)) << report::text(early);
}

TEST(Spikes, AlphaIsSplitInStatedParts) {
    Plan plan = learned(gauge_world::plan(), {}, 10);
    const MetricResult with = judge(plan, Batch{}).metrics[0];
    plan.noise.at("p95").spikes.reset();
    const MetricResult without = judge(plan, Batch{}).metrics[0];
    EXPECT_EQ(with.alpha, without.alpha);
    EXPECT_NEAR(1 - without.evidence.confidence, 0.05 + 0.05, 1e-12);
    EXPECT_NEAR(1 - with.evidence.confidence, 0.05 * (1 - spikes_alpha) + 0.05, 1e-12);
    EXPECT_NEAR(with.evidence.log_e_value, 0, 1e-12);  // a mean of two that have not bet yet
}

TEST(Spikes, ThePlanSaysThemAndIsReadBack) {
    const Plan plan = learned(gauge_world::plan(), {}, 12);
    const Plan again = io::read_plan(io::write_plan(plan));
    EXPECT_EQ(again.noise.at("p95").spikes, plan.noise.at("p95").spikes);
    EXPECT_EQ(digest(again), digest(plan));
    for (const auto& [field, value] : {std::pair<double SpikeNoise::*, double>{&SpikeNoise::excess, 0},
                                       {&SpikeNoise::excess, std::nan("")},
                                       {&SpikeNoise::share, 1.5},
                                       {&SpikeNoise::difference, 1},
                                       {&SpikeNoise::deviation, -1},
                                       {&SpikeNoise::deviation, 0.1},  // of no instances
                                       {&SpikeNoise::variance_ratio, -1}}) {
        Plan bad = plan;
        (*bad.noise.at("p95").spikes).*field = value;
        EXPECT_EQ(refusal([&] { check(bad); }), Code::plan_value);
    }
}

// ---- state

TEST(Spikes, AMonitorGoesOnFromItsState) {
    const Law before{.spikes = 0.02};
    const Plan plan = learned(gauge_world::plan(), before, 6);
    Random random(13);
    const Batch all = gauge_world::pair(before, {.spikes = 0.2}, 200, random);
    Batch first = all, rest = all;
    for (std::size_t arm = 0; arm < 2; ++arm) {
        first.series[arm].series.times_ms.resize(37);
        first.series[arm].series.values.resize(37);
        auto& left = rest.series[arm].series;
        left.times_ms.erase(left.times_ms.begin(), left.times_ms.begin() + 37);
        left.values.erase(left.values.begin(), left.values.begin() + 37);
    }
    Monitor whole(plan), begun(plan), later(plan);
    whole.observe(all);
    begun.observe(first);
    later.restore(decode<MonitorState>(encode(begun.state())));
    EXPECT_EQ(encode(later.state()), encode(begun.state()));
    later.observe(rest);
    EXPECT_EQ(encode(later.state()), encode(whole.state()));
    MonitorState wrong = begun.state();
    wrong.metrics[0].spikes->levels[0].readings.assign(16, 1.0);
    EXPECT_EQ(refusal([&] { later.restore(wrong); }), Code::state_invariant);
}

TEST(Spikes, AStateWithoutThemBeginsTheWatchAnewWithWhatIsLeftOfItsCapital) {
    const Law before{.spikes = 0.02};
    const Plan plan = learned(gauge_world::plan(), before, 6);
    Random random(14);
    const Batch all = gauge_world::pair(before, {.spikes = 0.4}, 400, random);
    Batch first = all;
    for (auto& part : first.series) {
        part.series.times_ms.resize(40);
        part.series.values.resize(40);
    }
    Monitor begun(plan), later(plan);
    begun.observe(first);
    MonitorState old = begun.state();
    old.metrics[0].spikes.reset();
    later.restore(old);
    EXPECT_LT(later.state().metrics[0].spikes->harm.spent, 1e-12);
    later.observe(all);
    const MonitorState now = later.state();
    EXPECT_GT(now.metrics[0].spikes->harm.spent, 0);
    EXPECT_LT(now.metrics[0].spikes->harm.spent, 1.0 / 3 + 1e-9);  // later starts have a third of it at most
    EXPECT_TRUE(now.metrics[0].failed_spikes);
}

double wave(std::size_t i, double a, double b) {
    const double x = std::sin(a * static_cast<double>(i) + b) * 43758.5453;
    return x - std::floor(x) - 0.5;
}

/// What data/reference/states/monitor_2 was fed.
Batch fed(std::size_t from, std::size_t n) {
    Batch batch;
    const auto put = [&](const char* name, Arm arm, auto value) {
        ArmSeries& out = batch.series.emplace_back();
        out.name = name;
        out.arm = arm;
        out.le = std::nan("");
        for (std::size_t i = from; i < from + n; ++i) {
            out.series.times_ms.push_back(static_cast<std::int64_t>(i) * 60'000 + 1000);
            out.series.values.push_back(value(i));
        }
    };
    put("latency", Arm::baseline, [](std::size_t i) { return 100 + 4 * (wave(i, 12.9898, 1) + wave(i, 13.9898, 1)); });
    put("latency", Arm::canary, [](std::size_t i) { return 100.5 + 4 * (wave(i, 78.233, 2) + wave(i, 79.233, 2)); });
    put("errors", Arm::baseline, [](std::size_t i) { return std::floor(4 + 4 * wave(i, 39.425, 3)); });
    put("errors", Arm::canary, [](std::size_t i) { return std::floor(4 + 4 * wave(i, 11.135, 4)); });
    put("requests", Arm::baseline, [](std::size_t) { return 500.0; });
    put("requests", Arm::canary, [](std::size_t) { return 500.0; });
    return batch;
}

TEST(MonitorStates, OneOfBeforeSpikesLoadsAndGoesOn) {
    const Plan plan = io::read_plan(state_fixture::text_of("monitor_2.plan.json"));
    const std::string bytes = state_fixture::text_of("monitor_2.bin");
    ASSERT_FALSE(bytes.empty());
    const auto* const begin = reinterpret_cast<const std::byte*>(bytes.data());
    for (const MonitorState& state : {decode<MonitorState>(std::vector<std::byte>(begin, begin + bytes.size())),
                                      io::read_state<MonitorState>(state_fixture::text_of("monitor_2.json"))}) {
        EXPECT_FALSE(state.metrics[0].spikes);
        Monitor monitor(plan);
        monitor.restore(state);
        // What Serinus 0.1.0 said then.
        const Decision then = monitor.decision();
        EXPECT_NEAR(then.metrics[0].evidence.log_e_value, -0.9576957506269099, 1e-9);
        EXPECT_NEAR(then.metrics[0].mirror.log_e_value, 4.8781226928417283, 1e-9);
        EXPECT_NEAR(then.metrics[1].evidence.log_e_value, -1.2107100759009288, 1e-9);
        EXPECT_NEAR(then.metrics[1].mirror.log_e_value, 19.266364837373011, 1e-9);
        EXPECT_EQ(then.metrics[0].verdict, Verdict::pass);
        EXPECT_TRUE(says(then.metrics[0].reasons, Code::spikes_not_watched));
        const Decision later = monitor.observe(fed(40, 40));
        EXPECT_EQ(later.metrics[0].verdict, Verdict::pass);
        EXPECT_GT(later.metrics[0].mirror.log_e_value, then.metrics[0].mirror.log_e_value);
        EXPECT_EQ(later.metrics[1].observed[1].value, 79 * 500);  // the newest interval has not ended
    }
}

}  // namespace
