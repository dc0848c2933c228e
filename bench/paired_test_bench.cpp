// What an interval of a gauge costs: evidence, its interval, and learning the noise beforehand.
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include <serinus/rollout/calibrate.hpp>
#include <serinus/sequential/noise/learn_paired_noise.hpp>
#include <serinus/sequential/paired.hpp>
#include <serinus/sequential/signed_rank.hpp>
#include <serinus/series/dependence.hpp>

namespace {

using serinus::sequential::PairedNoise;
using serinus::sequential::PairedOptions;
using serinus::sequential::PairedTest;

std::vector<double> autoregression(std::size_t size, std::uint64_t seed) {
    std::mt19937_64 random(seed);
    std::normal_distribution<double> normal;
    std::vector<double> values(size);
    double state = 0;
    for (double& value : values) {
        state = 0.6 * state + 0.8 * normal(random);
        value = state;
    }
    return values;
}

std::shared_ptr<const PairedNoise> noise() {
    const std::vector<std::vector<double>> history{autoregression(2000, 1)};
    return std::make_shared<const PairedNoise>(serinus::sequential::paired_noise(history, 5, false));
}

void update(benchmark::State& state, const PairedOptions& options, bool look) {
    const std::vector<double> data = autoregression(1024, 2);
    PairedTest test(options);
    std::size_t i = 0;
    for (auto _ : state) {
        test.update(data[i % 1024]);
        if (look) benchmark::DoNotOptimize(test.evidence());
        ++i;
    }
    benchmark::DoNotOptimize(test.log_e_value());
}

void evidence_alone(benchmark::State& state) { update(state, {.noise = noise(), .interval = false}, false); }
void with_interval(benchmark::State& state) { update(state, {.noise = noise()}, true); }
void learned_on_the_way(benchmark::State& state) { update(state, {.interval = false}, false); }
BENCHMARK(evidence_alone);
BENCHMARK(with_interval);
BENCHMARK(learned_on_the_way);

void signed_rank(benchmark::State& state) {
    const std::vector<double> data = autoregression(1024, 2);
    serinus::sequential::SignedRankTest test;
    std::size_t i = 0;
    for (auto _ : state) test.update(data[i++ % 1024]);
    benchmark::DoNotOptimize(test.log_e_value());
}
BENCHMARK(signed_rank);

void dependence(benchmark::State& state) {
    const std::vector<double> data = autoregression(static_cast<std::size_t>(state.range(0)), 3);
    for (auto _ : state) benchmark::DoNotOptimize(serinus::dependence(data));
    state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(dependence)->Arg(60)->Arg(1440);

/// 20 gauges x 10,000 intervals x 3 stages; `instances` of the baseline, or (1) both arms.
void calibration(benchmark::State& state) {
    const auto instances = static_cast<std::size_t>(state.range(0));
    serinus::Plan plan;
    plan.name = "bench";
    plan.interval = std::chrono::seconds(10);
    for (const double traffic : {0.01, 0.1, 0.5}) plan.stages.push_back(serinus::Stage{.traffic = traffic});
    serinus::Batch history;
    for (std::size_t g = 0; g < 20; ++g) {
        serinus::Metric metric;
        metric.name = metric.series = "gauge" + std::to_string(g);
        metric.kind = serinus::Kind::gauge;
        metric.margin = {.ratio = 1.1, .difference = {}};
        plan.metrics.push_back(metric);
        for (std::size_t i = 0; i < (instances == 1 ? 2 : instances); ++i) {
            serinus::ArmSeries& out = history.series.emplace_back();
            out.name = metric.series;
            out.arm = instances == 1 && i == 1 ? serinus::Arm::canary : serinus::Arm::baseline;
            out.le = std::numeric_limits<double>::quiet_NaN();
            if (instances > 1) out.series.instance = "i" + std::to_string(i);
            out.series.values = autoregression(10'000, 100 * g + i);
            for (std::size_t t = 0; t < 10'000; ++t) {
                out.series.values[t] += 20;
                out.series.times_ms.push_back(static_cast<std::int64_t>(t) * plan.interval.count());
            }
        }
    }
    for (auto _ : state) benchmark::DoNotOptimize(calibrate(plan, history));
}
BENCHMARK(calibration)->Arg(1)->Arg(2)->Arg(8)->Unit(benchmark::kMillisecond);

}  // namespace
