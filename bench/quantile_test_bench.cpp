// What a QuantileTest costs an observation up to 50,000 values an arm, and its evidence there.
#include <cmath>
#include <cstddef>
#include <random>
#include <span>
#include <vector>

#include <benchmark/benchmark.h>

#include <serinus/numeric/sorted_values.hpp>
#include <serinus/sequential/distribution_band.hpp>
#include <serinus/sequential/quantile.hpp>

namespace {

using serinus::sequential::QuantileTest;

constexpr std::size_t most = 50'000;

std::vector<double> lognormal(double factor, std::uint64_t seed) {
    std::mt19937_64 random(seed);
    std::normal_distribution<double> normal;
    std::vector<double> values(most);
    for (double& value : values) value = factor * std::exp(normal(random));
    return values;
}

/// 0 to 50,000 values an arm, a look after every `batch` of them; `percent` worse. Time is that of one observation.
void observations(benchmark::State& state) {
    const double q = static_cast<double>(state.range(0)) / 100;
    const auto batch = static_cast<std::size_t>(state.range(2));
    const std::vector<double> baseline = lognormal(1, 1),
                              canary = lognormal(1 + static_cast<double>(state.range(1)) / 100, 2);
    for (auto _ : state) {
        QuantileTest test({.q = q, .interval = false});
        for (std::size_t i = 0; i < most; i += batch)
            test.update(std::span(baseline).subspan(i, batch), std::span(canary).subspan(i, batch));
        benchmark::DoNotOptimize(test.decided());
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(2 * most));
}
BENCHMARK(observations)
    ->ArgNames({"q", "percent", "batch"})
    ->ArgsProduct({{50, 95}, {0, 3, 20}, {50}})
    ->Args({50, 0, 1})
    ->Args({50, 20, 1})
    ->Unit(benchmark::kMillisecond);

void evidence(benchmark::State& state) {
    QuantileTest test({.q = 0.95, .interval = state.range(0) == 1});
    test.update(lognormal(1, 1), lognormal(1.05, 2));
    for (auto _ : state) benchmark::DoNotOptimize(test.evidence());
}
BENCHMARK(evidence)->ArgName("interval")->Arg(0)->Arg(1)->Unit(benchmark::kMicrosecond);

void insertion(benchmark::State& state) {
    const std::vector<double> values = lognormal(1, 1);
    for (auto _ : state) {
        serinus::SortedValues sorted;
        for (const double value : values) sorted.add(value);
        benchmark::DoNotOptimize(sorted.nth(most / 2));
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(most));
}
BENCHMARK(insertion)->Unit(benchmark::kMillisecond);

void band_order(benchmark::State& state) {
    serinus::sequential::DistributionBand band;
    band.update(lognormal(1, 1), lognormal(1.05, 2));
    for (auto _ : state) benchmark::DoNotOptimize(band.order());
}
BENCHMARK(band_order)->Unit(benchmark::kMicrosecond);

}  // namespace
