// A Monitor's state that was written once, with every kind of metric in the middle of a rollout, loads and goes on.

#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/core/state.hpp>
#include <serinus/io/decision.hpp>
#include <serinus/io/plan.hpp>
#include <serinus/io/state.hpp>
#include <serinus/rollout/monitor.hpp>
#include <serinus/rollout/monitor_state.hpp>

#include "support/looks.hpp"
#include "support/state_fixture.hpp"

namespace serinus {
namespace {

constexpr std::int64_t interval = 60'000;

double wave(std::size_t i, double a, double b) {
    const double x = std::sin(a * static_cast<double>(i) + b) * 43758.5453;
    return x - std::floor(x);
}

/// What data/reference/states/monitor_5 was fed: counters that are scraped every second minute, pods of which one begins
/// again, a series that is born late.
Batch fed(std::size_t from, std::size_t to) {
    Batch batch;
    for (const Arm arm : {Arm::baseline, Arm::canary}) {
        const std::size_t pods = arm == Arm::baseline ? 3 : 1;
        for (std::size_t pod = 0; pod < pods; ++pod) {
            const double a = 1.7 + static_cast<double>(pod) + (arm == Arm::canary ? 0.37 : 0);
            std::vector<std::int64_t> times, scrapes, late;
            std::vector<double> memory, bad, total, spent, crashes;
            double errors = 0, requests = 700, cpu = 9, restarts = 0;
            for (std::size_t i = 0; i < to; ++i) {
                if (i == 22 && pod == 1) errors = requests = cpu = restarts = 0;
                requests += std::floor(300 + 90 * wave(i, a, 1));
                errors += std::floor(4 * wave(i, a, 2));
                cpu += 6 + wave(i, a, 3);
                restarts += wave(i, a, 4) > 0.8 ? 1 : 0;
                if (i < from) continue;
                const std::int64_t time = static_cast<std::int64_t>(i) * interval + 1'000;
                times.push_back(time);
                memory.push_back(100 + 4 * wave(i, a, 5));
                if (i % 2 != 0) continue;
                scrapes.push_back(time);
                bad.push_back(errors);
                total.push_back(requests);
                spent.push_back(cpu);
                if (restarts == 0) continue;
                late.push_back(time);
                crashes.push_back(restarts);
            }
            const std::string name = "pod-" + std::to_string(pod) + (arm == Arm::canary ? "-new" : "");
            batch.add("memory", arm, name, times, memory);
            batch.add("errors", arm, name, scrapes, bad);
            batch.add("requests", arm, name, scrapes, total);
            batch.add("cpu", arm, name, scrapes, spent);
            batch.add("crashes", arm, name, late, crashes);
        }
    }
    return batch;
}

constexpr std::int64_t at(std::size_t intervals) { return static_cast<std::int64_t>(intervals) * interval; }

TEST(MonitorStates, OneWithEveryKindLoadsAndGoesOn) {
    const Plan plan = io::read_plan(state_fixture::text_of("monitor_5.plan.json"));
    Monitor whole(plan);
    whole.observe(fed(0, 41), at(41));
    const std::string then = io::write_decision(whole.decision());
    const std::string later = io::write_decision(whole.observe(fed(41, 90), at(90)));
    ASSERT_NE(then, later);
    for (const MonitorState& state : {decode<MonitorState>(state_fixture::bytes_of("monitor_5.bin")),
                                      io::read_state<MonitorState>(state_fixture::text_of("monitor_5.json"))}) {
        Monitor monitor(plan);
        monitor.restore(state);
        const Decision decision = monitor.decision();
        EXPECT_EQ(io::write_decision(decision), then);
        ASSERT_EQ(decision.metrics.size(), 4U);
        for (const MetricResult& metric : decision.metrics) EXPECT_GT(metric.evidence.n_canary, 0) << metric.name;
        EXPECT_EQ(io::write_decision(monitor.observe(fed(41, 90), at(90))), later);
    }
}

}  // namespace
}  // namespace serinus
