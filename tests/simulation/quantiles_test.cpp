// Margins on quantiles through `Monitor`: canaries on the edge of their margin, ever rolled back, over laws, drift and
// bunches; and how soon a quarter more is found.

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <limits>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/rollout/calibrate.hpp>
#include <serinus/rollout/monitor.hpp>
#include <serinus/series/histogram.hpp>

#include "support/repetitions.hpp"

namespace {

using namespace serinus;
using Random = std::mt19937_64;

constexpr std::int64_t interval = 30'000;

int repetitions() { return support::repetitions(200, 200); }

double normal(Random& random) { return std::normal_distribution<double>()(random); }

enum class Law { log_normal, heavy };

struct World {
    const char* name;
    Law law = Law::log_normal;
    double bunched = 0;  // standard deviation of what all observations of an arm share in an interval, as a log
    double drift = 0;    // of both arms together, as a log, over some 60 intervals
    int baseline = 100, canary = 50;
    std::vector<double> quantile = {0.95};
    bool history = false;  // calibrated, else its dispersion is declared
    bool buckets = false;  // native histograms of scale 3, else one by one
    double margin = 1.25;
};

/// Observations of an arm in interval i.
std::vector<double> drawn(const World& world, int size, double times, int i, Random& random) {
    const double shared = world.bunched * normal(random) + world.drift * std::sin(i / 10.0);
    std::vector<double> values;
    for (int k = 0; k < size; ++k) {
        const double own = world.law == Law::log_normal
                               ? 0.5 * normal(random)
                               : std::exponential_distribution<double>(1.2)(random);  // a Pareto law without a variance
        values.push_back(0.1 * times * std::exp(shared + own));
    }
    return values;
}

void add(Batch& batch, const World& world, Arm arm, int i, const std::vector<double>& values) {
    const std::int64_t time = i * interval;
    if (!world.buckets) {
        batch.add("duration", arm, "", std::vector<std::int64_t>(values.size(), time), values);
        return;
    }
    HistogramSample sample;
    std::map<std::int64_t, double> counts;
    for (const double value : values) counts[static_cast<std::int64_t>(std::ceil(8 * std::log2(value)))] += 1;
    for (const auto& [index, count] : counts)
        sample.buckets.push_back({exponential_bucket_end(3, index - 1), exponential_bucket_end(3, index), count});
    sample.count = static_cast<double>(values.size());
    ArmHistogram& of = batch.histograms.emplace_back();
    of.name = "duration";
    of.arm = arm;
    of.series.delta = true;
    of.series.times_ms = {time};
    of.series.samples = {sample};
}

Plan plan_of(const World& world) {
    Plan plan;
    plan.name = "quantiles";
    plan.interval = std::chrono::milliseconds(interval);
    plan.stages = {{.traffic = 1.0 / 3, .min = std::chrono::hours(24)}};
    Metric metric;
    metric.name = "latency";
    metric.kind = world.buckets ? Kind::histogram : Kind::sample;
    metric.series = "duration";
    metric.quantile = world.quantile;
    metric.margin.ratio = world.margin;
    plan.metrics = {metric};
    plan.noise["latency"].dispersion = 1;
    return plan;
}

struct Outcome {
    double smallest_p = 1;
    int found = 0;           // interval of the rollback; 0: never
    bool ruled_out = false;  // the mirror at the margin had decided
};

Outcome rollout(const Plan& plan, const World& world, double times, int intervals, Random& random) {
    Monitor monitor(plan);
    Outcome outcome;
    for (int i = 0; i < intervals; ++i) {
        Batch batch;
        add(batch, world, Arm::baseline, i, drawn(world, world.baseline, 1, i, random));
        add(batch, world, Arm::canary, i, drawn(world, world.canary, times, i, random));
        const Decision decision = monitor.observe(batch, (i + 1) * interval);
        const MetricResult& metric = decision.metrics[0];
        outcome.smallest_p = std::min(outcome.smallest_p, metric.evidence.p_value);
        outcome.ruled_out = outcome.ruled_out || metric.mirror.p_value <= metric.alpha_mirror;
        if (decision.action == Action::rollback && outcome.found == 0) {
            outcome.found = i + 1;
            break;
        }
    }
    return outcome;
}

/// The plan, its noise learned from a history of so many intervals.
Plan learned(const World& world, int intervals, Random& random) {
    Plan plan = plan_of(world);
    plan.noise.clear();
    Batch history;
    for (int i = 0; i < intervals; ++i) {
        add(history, world, Arm::baseline, i, drawn(world, world.baseline, 1, i, random));
        add(history, world, Arm::canary, i, drawn(world, world.canary, 1, i, random));
    }
    return with_noise(plan, calibrate(plan, history));
}

const std::vector<World> worlds{
    {"log-normal, p95", Law::log_normal},
    {"log-normal, p50 p95 p99", Law::log_normal, 0, 0, 100, 50, {0.5, 0.95, 0.99}},
    {"no variance (Pareto 1.2), p95", Law::heavy},
    {"no variance, p50 p95 p99", Law::heavy, 0, 0, 100, 50, {0.5, 0.95, 0.99}},
    {"level drifts by 30 %, p95", Law::log_normal, 0, 0.3},
    {"level drifts by 30 %, p50 p95 p99, 190:10", Law::log_normal, 0, 0.3, 190, 10, {0.5, 0.95, 0.99}},
    {"native buckets of scale 3, drift, p50 p95", Law::log_normal, 0, 0.2, 100, 50, {0.5, 0.95}, false, true},
    {"in bunches of an interval, history of 1,000, p95", Law::log_normal, 0.2, 0, 100, 50, {0.95}, true},
    {"in bunches, drift, history of 1,000, p50 p95", Law::log_normal, 0.2, 0.1, 100, 50, {0.5, 0.95}, true},
};

TEST(Quantiles, ACanaryOnTheEdgeIsRarelyRolledBack) {
    Random random(20'261'130);
    std::printf(
        "| canary at its margin, ever in 150 looks | p <= .05 | p <= .01 | mirror at the margin "
        "|\n|---|---|---|---|\n");
    for (World world : worlds) {
        const int n = repetitions();
        int five = 0, one = 0, safe = 0;
        Plan plan = plan_of(world);
        plan.metrics[0].promote_when = PromoteWhen::harm_ruled_out;
        for (int r = 0; r < n; ++r) {
            if (world.history && r % 20 == 0) {
                plan = learned(world, 1'000, random);
                plan.metrics[0].promote_when = PromoteWhen::harm_ruled_out;
            }
            const Outcome outcome = rollout(plan, world, world.margin, 150, random);
            five += outcome.smallest_p <= 0.05 ? 1 : 0;
            one += outcome.smallest_p <= 0.01 ? 1 : 0;
            safe += outcome.ruled_out ? 1 : 0;
        }
        const auto bound = [&](double alpha) { return alpha + 4 * std::sqrt(alpha * (1 - alpha) / n); };
        std::printf("| %s | %.4f | %.4f | %.4f |\n", world.name, five / double(n), one / double(n), safe / double(n));
        EXPECT_LE(five / double(n), bound(0.05)) << world.name;
        EXPECT_LE(one / double(n), bound(0.01)) << world.name;
        // (In buckets the margin really tested is larger than the canary's, which lies inside it then.)
        if (!world.buckets) {
            EXPECT_LE(safe / double(n), bound(0.05)) << world.name;
        }
    }
}

TEST(Quantiles, AQuarterMoreIsFound) {
    Random random(20'261'201);
    std::printf("| a quarter more, margin 1.1, 300 looks | found | median intervals |\n|---|---|---|\n");
    for (World world : worlds) {
        const int n = std::max(20, repetitions() / 10);
        world.margin = world.buckets ? 1.09 : 1.1;
        Plan plan = plan_of(world);
        std::vector<int> delays;
        for (int r = 0; r < n; ++r) {
            if (world.history && r % 20 == 0) plan = learned(world, 1'000, random);
            const Outcome outcome = rollout(plan, world, 1.25, 300, random);
            delays.push_back(outcome.found == 0 ? 1'000 : outcome.found);
        }
        std::sort(delays.begin(), delays.end());
        const auto found = std::count_if(delays.begin(), delays.end(), [](int delay) { return delay < 1'000; });
        std::printf("| %s | %.2f | %d |\n", world.name, static_cast<double>(found) / n, delays[delays.size() / 2]);
        if (world.baseline == 100) {
            EXPECT_GE(static_cast<double>(found) / n, world.history ? 0.5 : 0.8) << world.name;
        }
    }
}

}  // namespace
