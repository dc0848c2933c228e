// Events for an exposure, judged in a rollout.

#include <array>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <functional>
#include <iterator>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/core/state.hpp>
#include <serinus/io/decision.hpp>
#include <serinus/io/plan.hpp>
#include <serinus/report/text.hpp>
#include <serinus/rollout/calibrate.hpp>
#include <serinus/rollout/monitor.hpp>
#include <serinus/rollout/monitor_state.hpp>

#include "support/code_of.hpp"
#include "support/data_dir.hpp"
#include "support/looks.hpp"

namespace serinus {
namespace {

constexpr std::int64_t interval = 60'000;

Plan crashes() {
    Plan plan;
    plan.name = "worker";
    plan.interval = std::chrono::milliseconds(interval);
    plan.stages = {{.traffic = 0.25, .min = std::chrono::minutes(10)}};
    Metric metric;
    metric.name = "crashes";
    metric.kind = Kind::rate;
    metric.events = "restarts";
    metric.exposure = "hours";
    metric.margin.ratio = 2;
    plan.metrics = {metric};
    plan.noise["crashes"].dispersion = 1;
    return plan;
}

/// What both arms count an interval: Poisson events for an exposure that changes.
struct World {
    double per_hour = 3, times = 1;  // the baseline's rate; the canary's over it
    double hours_baseline = 1.5, hours_canary = 0.5;
};

struct Arms2 {
    std::array<std::vector<double>, 2> events, exposure;
};

Arms2 drawn(std::size_t n, std::uint64_t seed, const World& world) {
    std::mt19937_64 random(seed);
    Arms2 found;
    for (std::size_t i = 0; i < n; ++i) {
        const double tide = 1 + 0.5 * std::sin(static_cast<double>(i) / 20);
        for (std::size_t arm = 0; arm < 2; ++arm) {
            const double hours = (arm == 0 ? world.hours_baseline : world.hours_canary) * tide;
            const double rate = world.per_hour * tide * (arm == 0 ? 1 : world.times);
            found.exposure[arm].push_back(hours);
            found.events[arm].push_back(std::poisson_distribution<int>(rate * hours)(random));
        }
    }
    return found;
}

Batch counts(const Arms2& arms) {
    Batch batch;
    std::vector<std::int64_t> times;
    for (std::size_t i = 0; i < arms.events[0].size(); ++i) times.push_back(static_cast<std::int64_t>(i) * interval);
    for (const Arm arm : {Arm::baseline, Arm::canary}) {
        batch.add("restarts", arm, "", times, arms.events[static_cast<std::size_t>(arm)]);
        batch.add("hours", arm, "", times, arms.exposure[static_cast<std::size_t>(arm)]);
    }
    return batch;
}

/// The same as cumulative counters, which are read at the end of each interval.
Batch counters(const Arms2& arms, bool events_born_late = false) {
    Batch batch;
    for (const Arm arm : {Arm::baseline, Arm::canary}) {
        for (const bool events : {true, false}) {
            const auto& each = (events ? arms.events : arms.exposure)[static_cast<std::size_t>(arm)];
            const bool late = events && events_born_late;
            double sum = late ? 0 : 700;
            std::vector<std::int64_t> times;
            std::vector<double> values;
            for (std::size_t i = 0; i <= each.size(); ++i) {
                if (!late || sum > 0) {
                    times.push_back(static_cast<std::int64_t>(i) * interval);
                    values.push_back(sum);
                }
                if (i < each.size()) sum += each[i];
            }
            batch.add(events ? "restarts" : "hours", arm, "pod", times, values);
        }
    }
    return batch;
}

std::string text_of(const Plan& plan, const Batch& batch) { return report::text(judge(plan, batch)); }

TEST(RatePlan, WhatCannotBeIsRefusedByName) {
    const auto said = [](const std::function<void(Metric&)>& change) {
        Plan plan = crashes();
        change(plan.metrics[0]);
        return said_by([&] { check(plan); });
    };
    EXPECT_EQ(said([](Metric&) {}), "");
    EXPECT_NE(said([](Metric& m) { m.events.clear(); }).find("metrics[0].events is empty"), std::string::npos);
    EXPECT_NE(said([](Metric& m) { m.exposure.clear(); }).find("metrics[0].exposure is empty"), std::string::npos);
    EXPECT_NE(said([](Metric& m) { m.exposure = "restarts"; }).find("metrics[0].events"), std::string::npos);
    EXPECT_NE(said([](Metric& m) { m.bad = "errors"; }).find("metrics[0].bad"), std::string::npos);
    EXPECT_NE(said([](Metric& m) { m.margin = {.ratio = {}, .difference = 0.5}; }).find("only the ratio of rates"),
              std::string::npos);
    // And no other kind has its series.
    Plan plan = crashes();
    plan.metrics[0].kind = Kind::proportion;
    EXPECT_THROW(check(plan), Error);
}

TEST(RatePlan, GoesThroughJson) {
    std::ifstream file(data_dir() + "/plans/rate.json", std::ios::binary);
    const Plan plan = io::read_plan(std::string(std::istreambuf_iterator<char>(file), {}));
    EXPECT_EQ(plan.metrics[0].events, "restarts");
    EXPECT_EQ(plan.metrics[0].exposure, "hours");
    EXPECT_EQ(io::read_plan(io::write_plan(plan)), plan);
}

TEST(Rate, HarmIsFoundAndAGoodCanaryPasses) {
    for (const double times : {1.0, 5.0}) {
        const Decision decision = judge(crashes(), counts(drawn(240, 3, {.times = times})));
        EXPECT_EQ(decision.action, times > 1 ? Action::rollback : Action::promote) << support::all_said(decision);
        EXPECT_EQ(decision.guarantee, Guarantee::proved);
        const MetricResult& metric = decision.metrics[0];
        EXPECT_NEAR(metric.evidence.estimate, times, 0.25 * times);
        ASSERT_EQ(metric.observed.size(), 4U);
        EXPECT_EQ(metric.observed[0].name, "events_baseline");
        EXPECT_GT(metric.observed[0].value, 100);
        EXPECT_GT(metric.observed[1].value, metric.observed[3].value);
    }
}

TEST(Rate, TheUnitOfTheExposureDropsOut) {
    const Arms2 arms = drawn(120, 4, {.times = 2.5});
    Arms2 seconds = arms;
    for (auto& exposure : seconds.exposure)
        for (double& value : exposure) value *= 4096;
    const Decision one = judge(crashes(), counts(arms)), other = judge(crashes(), counts(seconds));
    EXPECT_EQ(one.action, other.action);
    EXPECT_DOUBLE_EQ(one.metrics[0].evidence.log_e_value, other.metrics[0].evidence.log_e_value);
    EXPECT_DOUBLE_EQ(one.metrics[0].evidence.estimate, other.metrics[0].evidence.estimate);
}

TEST(Rate, CountersSayTheSame) {
    const Arms2 arms = drawn(200, 5, {.per_hour = 0.05, .times = 30});
    Plan plan = crashes();
    const Decision expected = judge(plan, counts(arms));
    plan.metrics[0].counter = true;
    for (const bool late : {false, true}) {
        const Decision decision = judge(plan, counters(arms, late));
        EXPECT_EQ(decision.action, expected.action) << support::all_said(decision);
        for (std::size_t i = 0; i < 4; ++i) {
            const double value = decision.metrics[0].observed.at(i).value;
            const double other = expected.metrics[0].observed.at(i).value;
            EXPECT_NEAR(value, other, 1e-9 * other) << late << " " << expected.metrics[0].observed[i].name;
        }
    }
}

TEST(Rate, WhatCannotBeIsNamed) {
    const auto reason_of = [](const Decision& decision, Code code) -> std::optional<Reason> {
        for (const Reason& reason : support::reasons_of(decision))
            if (reason.code == code) return reason;
        return std::nullopt;
    };
    const auto judged = [&](bool events, double value, double exposure) {
        Arms2 arms = drawn(40, 6, {});
        arms.exposure[1][30] = exposure;
        (events ? arms.events : arms.exposure)[1][30] = value;
        return judge(crashes(), counts(arms));
    };
    for (const auto& [code, decision] : {std::pair{Code::impossible_exposure, judged(true, 2, 0)},
                                         {Code::impossible_fraction, judged(true, 1.5, 1)},
                                         {Code::impossible_negative, judged(true, -1, 1)},
                                         {Code::impossible_negative, judged(false, -3, -3)}}) {
        const auto found = reason_of(decision, code);
        ASSERT_TRUE(found) << name(code) << support::all_said(decision);
        EXPECT_EQ(decision.action, Action::hold);
        EXPECT_EQ(sentence(*found).find('?'), std::string::npos) << sentence(*found);
    }
    const Decision without = judged(true, 2, 0);
    EXPECT_NE(sentence(*reason_of(without, Code::impossible_exposure)).find("hours is 0: no event happens without"),
              std::string::npos)
        << support::all_said(without);
    // No exposure and no event is no information; fractions of an hour are usual.
    EXPECT_FALSE(reason_of(judged(true, 0, 0), Code::impossible_exposure));
}

TEST(Rate, NothingHappenedIsNotPassed) {
    Arms2 arms = drawn(100, 7, {});
    for (auto& events : arms.events) events.assign(100, 0);
    const Decision decision = judge(crashes(), counts(arms));
    EXPECT_EQ(decision.action, Action::hold);
    EXPECT_TRUE(support::told(decision).contains(Code::no_events)) << support::all_said(decision);
}

TEST(Rate, GoesOnFromItsState) {
    const Plan plan = crashes();
    const Batch batch = counts(drawn(120, 8, {.times = 2.2}));
    Monitor monitor(plan);
    Decision last;
    for (const auto& [time, news] : support::looks_of(batch)) {
        last = monitor.observe(news, time);
        const auto saved = encode(monitor.state());
        monitor = Monitor(plan);
        monitor.restore(decode<MonitorState>(saved));
    }
    Monitor at_once(plan);
    at_once.observe(batch, 119 * interval);
    EXPECT_EQ(at_once.decision().metrics[0].evidence, last.metrics[0].evidence);
    EXPECT_EQ(io::write_decision(at_once.decision()), io::write_decision(last));
    // A state of one kind is none of another.
    Plan other = plan;
    other.metrics[0].kind = Kind::proportion;
    other.metrics[0].bad = "restarts";
    other.metrics[0].total = "hours";
    other.metrics[0].events = other.metrics[0].exposure = "";
    Monitor proportion(other);
    EXPECT_THROW(proportion.restore(monitor.state()), Error);
}

TEST(Rate, HistoryTeachesItsDispersion) {
    Plan plan = crashes();
    plan.noise.clear();
    const Arms2 poisson = drawn(3'000, 9, {.per_hour = 20});
    Arms2 bunched = poisson;
    std::mt19937_64 random(10);
    for (std::size_t arm = 0; arm < 2; ++arm) {
        for (std::size_t i = 0; i < 3'000; ++i) {
            // Bunches of five: the variance is five times that of single events.
            const double mean = bunched.events[arm][i] / 5;
            bunched.events[arm][i] = 5 * std::poisson_distribution<int>(std::max(mean, 1e-9))(random);
        }
    }
    const Calibration one = calibrate(plan, counts(poisson)), other = calibrate(plan, counts(bunched));
    ASSERT_TRUE(one.metrics[0].learned);
    ASSERT_TRUE(other.metrics[0].learned);
    EXPECT_GE(*one.noise.at("crashes").dispersion, 1);
    EXPECT_LT(*one.noise.at("crashes").dispersion, 1.5);
    EXPECT_GT(*other.noise.at("crashes").dispersion, 4.5);
    EXPECT_LT(*other.noise.at("crashes").dispersion, 9);
    EXPECT_FALSE(one.metrics[0].refuted);
    const Plan known = with_noise(plan, one);
    EXPECT_EQ(judge(known, counts(drawn(120, 11, {.times = 5}))).guarantee, Guarantee::measured);
}

TEST(Rate, TheReportTellsEventsAndExposure) {
    const std::string text = text_of(crashes(), counts(drawn(240, 3, {.times = 5})));
    EXPECT_NE(text.find("events in "), std::string::npos) << text;
    EXPECT_NE(text.find("times as frequent in the canary"), std::string::npos) << text;
    EXPECT_NE(text.find("proved for events that happen independently"), std::string::npos) << text;
    EXPECT_EQ(text.find("request"), std::string::npos) << text;
}

}  // namespace
}  // namespace serinus
