// What a look costs a metric on quantiles: native histograms of 160 buckets in both arms.
#include <array>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include <benchmark/benchmark.h>

#include <serinus/rollout/monitor.hpp>
#include <serinus/sequential/threshold.hpp>
#include <serinus/series/histogram.hpp>

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

/// The test alone: both arms' buckets, one quantile.
void threshold(benchmark::State& state) {
    sequential::ThresholdTest test(exponential_bucket_end(4, -18),
                                   {.margin = {.ratio = 1.25, .difference = {}}, .interval = false});
    std::mt19937_64 random(1);
    std::vector<double> bounds;
    std::array<std::vector<std::vector<std::int64_t>>, 2> data;
    for (int i = 0; i < 256; ++i) {
        for (std::size_t arm = 0; arm < 2; ++arm) {
            auto& counts = data[arm].emplace_back();
            const HistogramSample sample = histogram(random, arm == 0 ? 10 : 2);
            for (const HistogramBucket& bucket : sample.buckets) {
                if (i == 0 && arm == 0) bounds.push_back(bucket.upper);
                counts.push_back(static_cast<std::int64_t>(bucket.count));
            }
        }
    }
    std::size_t i = 0;
    for (auto _ : state) {
        test.update_buckets(bounds, data[0][i % 256], data[1][i % 256]);
        ++i;
    }
    benchmark::DoNotOptimize(test.log_e_value());
}
BENCHMARK(threshold);

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
