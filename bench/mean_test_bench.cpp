// What a look at two means costs: one value an arm, an interval of 50 values an arm, moments; the evidence with its
// interval.
#include <cstddef>
#include <random>
#include <span>
#include <vector>

#include <benchmark/benchmark.h>

#include <serinus/sequential/mean.hpp>

namespace {

using serinus::sequential::MeanMoments;
using serinus::sequential::MeanTest;

std::vector<double> normals(std::size_t size, std::uint64_t seed) {
    std::mt19937_64 random(seed);
    std::normal_distribution<double> normal(100, 10);
    std::vector<double> values(size);
    for (double& value : values) value = normal(random);
    return values;
}

/// One value of each arm and a look at it: a healthy canary, and one that sets a record at nearly every look.
void single(benchmark::State& state) {
    const std::vector<double> baseline = normals(4096, 1);
    std::vector<double> canary = normals(4096, 2);
    for (double& value : canary) value += static_cast<double>(state.range(0));
    MeanTest test;
    std::size_t i = 0;
    for (auto _ : state) {
        test.update(baseline[i % 4096], canary[i % 4096]);
        ++i;
    }
    benchmark::DoNotOptimize(test.decided());
}
BENCHMARK(single)->ArgName("shift")->Arg(0)->Arg(1);

void interval_of_50(benchmark::State& state) {
    const std::vector<double> baseline = normals(4096, 1), canary = normals(4096, 2);
    MeanTest test;
    std::size_t i = 0;
    for (auto _ : state) {
        const std::size_t from = i++ % 80 * 50;
        test.update(std::span(baseline).subspan(from, 50), std::span(canary).subspan(from, 50));
    }
    benchmark::DoNotOptimize(test.decided());
    state.SetItemsProcessed(state.iterations() * 100);
}
BENCHMARK(interval_of_50);

void moments(benchmark::State& state) {
    MeanTest test;
    for (auto _ : state) {
        test.update(MeanMoments{.n = 50, .mean = 100, .squares = 4900, .cubes = 0, .fourths = 1.4e6},
                    MeanMoments{.n = 50, .mean = 100, .squares = 5100, .cubes = 0, .fourths = 1.5e6});
    }
    benchmark::DoNotOptimize(test.decided());
}
BENCHMARK(moments);

void evidence(benchmark::State& state) {
    const std::vector<double> baseline = normals(4096, 1), canary = normals(4096, 2);
    const auto ratio = state.range(0) == 1;
    MeanTest test({.margin = ratio ? serinus::Margin{.ratio = 1.1, .difference = {}}
                                   : serinus::Margin{.ratio = {}, .difference = 1}});
    test.update(baseline, canary);
    for (auto _ : state) benchmark::DoNotOptimize(test.evidence());
}
BENCHMARK(evidence)->ArgName("ratio")->Arg(0)->Arg(1);

}  // namespace
