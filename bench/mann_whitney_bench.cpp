// Mann-Whitney, a pair at a time: what one metric costs. Many distinct pairs per run, so that no branch predictor
// learns one by heart; input is copied, cleaned and sorted inside the timing.

#include <algorithm>
#include <cstddef>
#include <random>
#include <vector>

#include <benchmark/benchmark.h>

#include <serinus/fixed/mann_whitney.hpp>

namespace {

struct Pair {
    std::vector<double> baseline, canary;
};

/// Lognormal values; rounded to whole numbers around 40 where `ties` are wanted.
std::vector<Pair> pairs_of(std::size_t size, bool ties) {
    std::mt19937_64 random(size);
    std::lognormal_distribution<double> lognormal;
    std::poisson_distribution<int> poisson(40);
    std::vector<Pair> pairs(std::max<std::size_t>(4, 200'000 / size));
    for (Pair& pair : pairs) {
        for (std::vector<double>* arm : {&pair.baseline, &pair.canary}) {
            for (std::size_t i = 0; i < size; ++i) arm->push_back(ties ? poisson(random) : lognormal(random));
        }
    }
    return pairs;
}

void run(benchmark::State& state, bool ties, serinus::MannWhitneyMethod method) {
    const auto pairs = pairs_of(static_cast<std::size_t>(state.range(0)), ties);
    serinus::Workspace workspace;
    std::size_t next = 0;
    for (auto _ : state) {
        const Pair& pair = pairs[next];
        next = next + 1 == pairs.size() ? 0 : next + 1;
        benchmark::DoNotOptimize(
            serinus::mann_whitney(pair.baseline, pair.canary, {.method = method}, workspace).p_value);
    }
}

void normal(benchmark::State& state) { run(state, false, serinus::MannWhitneyMethod::normal); }
void normal_ties(benchmark::State& state) { run(state, true, serinus::MannWhitneyMethod::normal); }
void automatic(benchmark::State& state) { run(state, false, serinus::MannWhitneyMethod::automatic); }
void automatic_ties(benchmark::State& state) { run(state, true, serinus::MannWhitneyMethod::automatic); }
void exact(benchmark::State& state) { run(state, false, serinus::MannWhitneyMethod::exact); }
void exact_ties(benchmark::State& state) { run(state, true, serinus::MannWhitneyMethod::exact); }

/// The merge alone, both arms sorted.
void merge(benchmark::State& state) {
    auto pairs = pairs_of(static_cast<std::size_t>(state.range(0)), false);
    for (Pair& pair : pairs) {
        serinus::sort_ascending(pair.baseline);
        serinus::sort_ascending(pair.canary);
    }
    std::size_t next = 0;
    for (auto _ : state) {
        const Pair& pair = pairs[next];
        next = next + 1 == pairs.size() ? 0 : next + 1;
        benchmark::DoNotOptimize(serinus::compare_ranks(pair.canary, pair.baseline).twice_u);
    }
}

BENCHMARK(normal)->Arg(60)->Arg(600)->Arg(1440)->Arg(10080)->Unit(benchmark::kMicrosecond);
BENCHMARK(normal_ties)->Arg(60)->Arg(600)->Arg(1440)->Arg(10080)->Unit(benchmark::kMicrosecond);
BENCHMARK(automatic)->Arg(20)->Arg(50)->Arg(60)->Arg(600)->Arg(1440)->Arg(10080)->Unit(benchmark::kMicrosecond);
BENCHMARK(automatic_ties)->Arg(20)->Arg(50)->Arg(60)->Arg(1440)->Unit(benchmark::kMicrosecond);
BENCHMARK(exact)->Arg(8)->Arg(20)->Arg(50)->Arg(100)->Arg(200)->Unit(benchmark::kMicrosecond);
BENCHMARK(exact_ties)->Arg(8)->Arg(20)->Arg(50)->Arg(100)->Unit(benchmark::kMicrosecond);
BENCHMARK(merge)->Arg(60)->Arg(600)->Arg(1440)->Arg(10080)->Unit(benchmark::kMicrosecond);

}  // namespace

BENCHMARK_MAIN();
