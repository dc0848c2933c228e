// What a look costs a metric on quantiles: native histograms of 160 buckets in both arms.
#include <array>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include <benchmark/benchmark.h>

#include <serinus/rollout/monitor.hpp>
#include <serinus/series/histogram.hpp>

#include "rollout/kinds/histogram.hpp"

namespace {

using namespace serinus;

Plan plan_of(int quantiles) {
    Plan plan;
    plan.name = "bench";
    plan.interval = std::chrono::seconds(10);
    plan.stages.emplace_back().traffic = 0.1;
    Metric& metric = plan.metrics.emplace_back();
    metric.name = "latency";
    metric.kind = Kind::histogram;
    metric.series = "duration";
    metric.margin = {.ratio = 1.25, .difference = {}};
    const std::array<double, 3> all{0.95, 0.5, 0.99};
    metric.quantile.assign(all.begin(), all.begin() + quantiles);
    Noise& noise = plan.noise["latency"];
    noise.dispersion = 1.2;
    for (const double at : {0.45, 0.1, 0.8}) noise.thresholds.push_back(at);
    noise.thresholds.resize(metric.quantile.size());
    noise.shape = {0.1, 0.3, 0.8};
    return plan;
}

/// 160 buckets of scale 4 around a tenth of a second.
HistogramSample histogram(std::mt19937_64& random, double mean) {
    HistogramSample sample;
    for (int i = 0; i < 160; ++i) {
        const std::int64_t index = -140 + i;
        const double away = (i - 85) / 40.0;
        const auto count = std::poisson_distribution<int>(mean * std::exp(-away * away))(random);
        sample.buckets.push_back(
            {exponential_bucket_end(4, index), exponential_bucket_end(4, index + 1), static_cast<double>(count)});
        sample.count += count;
    }
    return sample;
}

/// What the metric does with an interval.
void interval(benchmark::State& state) {
    const Plan plan = plan_of(static_cast<int>(state.range(0)));
    detail::HistogramKind kind(plan, plan.metrics[0], plan.alpha);
    kind.begin(1);
    std::mt19937_64 random(1);
    std::array<std::vector<detail::Partition>, 2> data;
    for (int i = 0; i < 256; ++i) {
        data[0].push_back(detail::partition_of(histogram(random, 10)));
        data[1].push_back(detail::partition_of(histogram(random, 2)));
    }
    std::size_t i = 0;
    for (auto _ : state) {
        std::array<detail::HistogramKind::Values, 2> arms;
        for (std::size_t arm = 0; arm < 2; ++arm) {
            arms[arm].present = true;
            arms[arm].whole = &data[arm][i % 256];
        }
        benchmark::DoNotOptimize(kind.update(arms));
        ++i;
    }
}
BENCHMARK(interval)->Arg(1)->Arg(3);

/// A whole look of a Monitor, from the samples to the decision.
void look(benchmark::State& state) {
    Monitor monitor(plan_of(static_cast<int>(state.range(0))));
    std::mt19937_64 random(1);
    std::array<std::vector<HistogramSample>, 2> data;
    for (int i = 0; i < 256; ++i) {
        data[0].push_back(histogram(random, 10));
        data[1].push_back(histogram(random, 2));
    }
    std::int64_t i = 0;
    for (auto _ : state) {
        Batch batch;
        for (const Arm arm : {Arm::baseline, Arm::canary}) {
            ArmHistogram& of = batch.histograms.emplace_back();
            of.name = "duration";
            of.arm = arm;
            of.series.delta = true;
            of.series.times_ms = {i * 10'000};
            of.series.samples = {data[static_cast<std::size_t>(arm)][static_cast<std::size_t>(i % 256)]};
        }
        benchmark::DoNotOptimize(monitor.observe(batch, (i + 1) * 10'000));
        ++i;
    }
}
BENCHMARK(look)->Arg(1)->Arg(3);

}  // namespace
