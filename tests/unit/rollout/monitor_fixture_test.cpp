// A Monitor's state that was written once, with every kind of metric in the middle of a rollout, loads and goes on.

#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/core/reason_group.hpp>
#include <serinus/core/state.hpp>
#include <serinus/io/decision.hpp>
#include <serinus/io/plan.hpp>
#include <serinus/io/state.hpp>
#include <serinus/rollout/calibrate.hpp>
#include <serinus/rollout/monitor.hpp>
#include <serinus/rollout/monitor_state.hpp>
#include <serinus/series/histogram.hpp>

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

/// What data/reference/states/monitor_7 was fed: what monitor_5 was, a gauge and one under a floor whose noise history knows,
/// histograms that count since their process began (of which one begins again, and is shown twice for some scrapes), single
/// observations, and what callers see, which has no arms and a level before the rollout.
Batch fed_every_kind(std::size_t from, std::size_t to, bool rollout = true) {
    Batch batch = rollout ? fed(from, to) : Batch();
    const auto time = [](std::size_t i) { return static_cast<std::int64_t>(i) * interval + 1'000; };
    for (const Arm arm : {Arm::baseline, Arm::canary}) {
        const double a = 2.3 + (arm == Arm::canary ? 0.41 : 0);
        std::vector<std::int64_t> times, observed;
        std::vector<double> latency, queue, sizes, callers;
        ArmHistogram histogram;
        histogram.name = "duration";
        histogram.arm = arm;
        histogram.series.instance = "pod-0";
        std::vector<double> so_far(40, 0);
        for (std::size_t i = 0; i < to; ++i) {
            if (rollout && i == 22) so_far.assign(40, 0);
            HistogramSample sample;
            for (std::size_t b = 0; b < so_far.size(); ++b) {
                const double x = (static_cast<double>(b) - 20) / 6;
                so_far[b] += std::floor(40 * std::exp(-x * x / 2) * wave(i, a, 11 + static_cast<double>(b)));
                sample.count += so_far[b];
                const auto index = static_cast<std::int64_t>(b) - 40;
                if (so_far[b] > 0)
                    sample.buckets.push_back(
                        {exponential_bucket_end(3, index - 1), exponential_bucket_end(3, index), so_far[b]});
            }
            if (i < from) continue;
            times.push_back(time(i));
            latency.push_back(100 + 8 * (wave(i, a, 6) + wave(i, a, 7) - 1));
            queue.push_back(5 + 3 * wave(i, a, 8));
            callers.push_back(50 + 4 * wave(i, 2.9, 9));
            for (std::size_t k = 0; k < 30; ++k) {
                observed.push_back(time(i) + static_cast<std::int64_t>(k));
                sizes.push_back(40 + 30 * wave(30 * i + k, a, 10));
            }
            histogram.series.times_ms.push_back(time(i));
            histogram.series.samples.push_back(std::move(sample));
        }
        batch.add("latency", arm, "", times, latency);
        batch.add("queue", arm, "", times, queue);
        batch.add("sizes", arm, "", observed, sizes);
        if (arm == Arm::baseline) batch.add("callers", arm, "", times, callers);
        ArmHistogram again = histogram;
        batch.histograms.push_back(std::move(histogram));
        if (!rollout || from > 0) continue;
        again.labels = "{job=\"second\"}";
        again.series.times_ms.resize(30);
        again.series.samples.resize(30);
        batch.histograms.push_back(std::move(again));
    }
    return batch;
}

/// Writes the fixture of the present version: SERINUS_WRITE_STATES is the folder, and the plan there has no noise yet.
void write_fixture(const std::string& folder, const std::string& name) {
    Plan plan = io::read_plan(state_fixture::text_of(name + ".plan.json"));
    plan = with_noise(plan, calibrate(plan, fed_every_kind(0, 3000, false)));
    plan.noise["errors"].dispersion = plan.noise["crashes"].dispersion = 1;
    Monitor monitor(plan);
    monitor.observe(fed_every_kind(0, 41), at(41));
    const std::vector<std::byte> bytes = encode(monitor.state());
    std::ofstream(folder + "/" + name + ".bin", std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    std::ofstream(folder + "/" + name + ".json") << io::write_state(monitor.state()) << '\n';
    std::ofstream(folder + "/" + name + ".plan.json") << io::write_plan(plan);
}

TEST(MonitorStates, OneWithEveryKindOfVersionSevenLoadsAndGoesOn) {
    if (const char* folder = std::getenv("SERINUS_WRITE_STATES")) write_fixture(folder, "monitor_7");
    const Plan plan = io::read_plan(state_fixture::text_of("monitor_7.plan.json"));
    Monitor whole(plan);
    whole.observe(fed_every_kind(0, 41), at(41));
    const std::string then = io::write_decision(whole.decision());
    const std::string later = io::write_decision(whole.observe(fed_every_kind(41, 58), at(58)));
    ASSERT_NE(then, later);
    for (const MonitorState& state : {decode<MonitorState>(state_fixture::bytes_of("monitor_7.bin")),
                                      io::read_state<MonitorState>(state_fixture::text_of("monitor_7.json"))}) {
        Monitor monitor(plan);
        monitor.restore(state);
        const Decision decision = monitor.decision();
        EXPECT_EQ(io::write_decision(decision), then);
        EXPECT_TRUE(decision.would);
        ASSERT_EQ(decision.metrics.size(), 9U);
        for (const MetricResult& metric : decision.metrics) {
            EXPECT_NE(metric.verdict, Verdict::no_data) << metric.name;
            EXPECT_NE(group(metric.guarantee_why), ReasonGroup::undecidable) << metric.name;
        }
        EXPECT_EQ(io::write_decision(monitor.observe(fed_every_kind(41, 58), at(58))), later);
    }
}

}  // namespace
}  // namespace serinus
