// Mann-Whitney, a pair at a time: what one metric costs. Many distinct pairs per run, so that no branch predictor
// learns one by heart; input is copied, cleaned and sorted inside the timing.

#include <algorithm>
#include <cstddef>
#include <random>
#include <vector>

#include <benchmark/benchmark.h>

#include <serinus/core/sort_kernel.hpp>
#include <serinus/fixed/mann_whitney.hpp>
#include <serinus/fixed/mann_whitney_batch.hpp>
#include <serinus/fixed/rolling_mann_whitney.hpp>

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

void run(benchmark::State& state, bool ties, serinus::MannWhitneyMethod method,
         serinus::SortKernel sort = serinus::fastest_sort()) {
    const auto pairs = pairs_of(static_cast<std::size_t>(state.range(0)), ties);
    serinus::Workspace workspace{.sort = sort};
    std::size_t next = 0;
    for (auto _ : state) {
        const Pair& pair = pairs[next];
        next = next + 1 == pairs.size() ? 0 : next + 1;
        benchmark::DoNotOptimize(
            serinus::mann_whitney(pair.baseline, pair.canary, {.method = method}, workspace).p_value);
    }
}

void normal(benchmark::State& state) { run(state, false, serinus::MannWhitneyMethod::normal); }
/// Headers alone, without the compiled library.
void normal_portable(benchmark::State& state) {
    run(state, false, serinus::MannWhitneyMethod::normal, &serinus::sort_ascending);
}
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

/// One baseline, sorted once, for many canaries: what a pair costs.
void shared_baseline(benchmark::State& state) {
    const auto data = pairs_of(static_cast<std::size_t>(state.range(0)), false);
    std::vector<serinus::MannWhitneyPair> pairs;
    for (const Pair& pair : data) pairs.push_back({data.front().baseline, pair.canary});
    std::vector<serinus::MannWhitneyResult> results(pairs.size());
    serinus::Workspace workspace{.sort = serinus::fastest_sort()};
    for (auto _ : state)
        serinus::mann_whitney_batch(pairs, results, {.method = serinus::MannWhitneyMethod::normal}, workspace);
    state.counters["pair"] = benchmark::Counter(
        static_cast<double>(pairs.size()), benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

/// 10,000 pairs of 1,440 values an arm, on so many threads.
void ten_thousand(benchmark::State& state) {
    const auto data = pairs_of(1440, false);
    std::vector<serinus::MannWhitneyPair> pairs;
    for (std::size_t i = 0; i < 10'000; ++i) {
        const Pair& pair = data[i % data.size()];
        pairs.push_back({pair.baseline, pair.canary});
    }
    std::vector<serinus::MannWhitneyResult> results(pairs.size());
    for (auto _ : state) serinus::mann_whitney_batch(pairs, results, {}, static_cast<std::size_t>(state.range(0)));
}

/// One new value an arm.
void rolling(benchmark::State& state) {
    const auto size = static_cast<std::size_t>(state.range(0));
    const auto data = pairs_of(200'000, false);
    serinus::RollingMannWhitney window(size);
    std::size_t at = 0;
    for (auto _ : state) {
        window.push_baseline(data[0].baseline[at]);
        window.push_canary(data[0].canary[at]);
        at = at + 1 == data[0].canary.size() ? 0 : at + 1;
        benchmark::DoNotOptimize(window.u());
    }
}

BENCHMARK(normal_portable)->Arg(60)->Arg(1440)->Arg(10080)->Unit(benchmark::kMicrosecond);
BENCHMARK(shared_baseline)->Arg(1440);
BENCHMARK(ten_thousand)->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(rolling)->Arg(60)->Arg(1440)->Arg(10080);
BENCHMARK(normal)->Arg(60)->Arg(600)->Arg(1440)->Arg(10080)->Unit(benchmark::kMicrosecond);
BENCHMARK(normal_ties)->Arg(60)->Arg(600)->Arg(1440)->Arg(10080)->Unit(benchmark::kMicrosecond);
BENCHMARK(automatic)->Arg(20)->Arg(50)->Arg(60)->Arg(600)->Arg(1440)->Arg(10080)->Unit(benchmark::kMicrosecond);
BENCHMARK(automatic_ties)->Arg(20)->Arg(50)->Arg(60)->Arg(1440)->Unit(benchmark::kMicrosecond);
BENCHMARK(exact)->Arg(8)->Arg(20)->Arg(50)->Arg(100)->Arg(200)->Unit(benchmark::kMicrosecond);
BENCHMARK(exact_ties)->Arg(8)->Arg(20)->Arg(50)->Arg(100)->Unit(benchmark::kMicrosecond);
BENCHMARK(merge)->Arg(60)->Arg(600)->Arg(1440)->Arg(10080)->Unit(benchmark::kMicrosecond);

}  // namespace

BENCHMARK_MAIN();
