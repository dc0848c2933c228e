// Mann-Whitney: a pair at a time, in batches, and in windows that slide. Input is copied, cleaned and sorted inside the
// timing unless the name says otherwise.

#include <cstddef>
#include <vector>

#include <benchmark/benchmark.h>

#include <serinus/batch/mann_whitney_batch.hpp>
#include <serinus/batch/sort_kernel.hpp>
#include <serinus/fixed/mann_whitney.hpp>
#include <serinus/fixed/rolling_mann_whitney.hpp>

#include "data.hpp"
#include "sizes.hpp"

namespace {

using serinus::MannWhitneyMethod;
using serinus::bench::InTurn;
using serinus::bench::Pair;
using serinus::bench::sizes;
using serinus::bench::Values;

void run(benchmark::State& state, Values kind, MannWhitneyMethod method,
         serinus::SortKernel sort = serinus::fastest_sort()) {
    InTurn pairs(serinus::bench::pairs(static_cast<std::size_t>(state.range(0)), kind));
    serinus::Workspace workspace{.sort = sort};
    for (auto _ : state) {
        const Pair& pair = pairs.next();
        benchmark::DoNotOptimize(
            serinus::mann_whitney(pair.baseline, pair.canary, {.method = method}, workspace).p_value);
    }
}

void normal(benchmark::State& state) { run(state, Values::lognormal, MannWhitneyMethod::normal); }
/// Headers alone, without the compiled library.
void normal_portable(benchmark::State& state) {
    run(state, Values::lognormal, MannWhitneyMethod::normal, &serinus::sort_ascending);
}
void normal_ties(benchmark::State& state) { run(state, Values::counts, MannWhitneyMethod::normal); }
void edgeworth(benchmark::State& state) { run(state, Values::lognormal, MannWhitneyMethod::edgeworth); }
void edgeworth_ties(benchmark::State& state) { run(state, Values::counts, MannWhitneyMethod::edgeworth); }
void automatic(benchmark::State& state) { run(state, Values::lognormal, MannWhitneyMethod::automatic); }
void automatic_ties(benchmark::State& state) { run(state, Values::counts, MannWhitneyMethod::automatic); }
void exact(benchmark::State& state) { run(state, Values::lognormal, MannWhitneyMethod::exact); }
void exact_ties(benchmark::State& state) { run(state, Values::counts, MannWhitneyMethod::exact); }

/// The same without a table from before.
void exact_cold(benchmark::State& state) {
    InTurn pairs(serinus::bench::pairs(static_cast<std::size_t>(state.range(0))));
    serinus::Workspace workspace{.sort = serinus::fastest_sort()};
    for (auto _ : state) {
        const Pair& pair = pairs.next();
        workspace.tables.clear();
        workspace.next_table = 0;
        benchmark::DoNotOptimize(
            serinus::mann_whitney(pair.baseline, pair.canary, {.method = MannWhitneyMethod::exact}, workspace).p_value);
    }
}

/// The merge alone, both arms sorted.
void merge(benchmark::State& state) {
    InTurn pairs(serinus::bench::sorted_pairs(static_cast<std::size_t>(state.range(0))));
    for (auto _ : state) {
        const Pair& pair = pairs.next();
        benchmark::DoNotOptimize(serinus::compare_ranks(pair.canary, pair.baseline).twice_u);
    }
}
/// The walk over groups of equal values.
void merge_ties(benchmark::State& state) {
    InTurn pairs(serinus::bench::sorted_pairs(static_cast<std::size_t>(state.range(0)), Values::counts));
    for (auto _ : state) {
        const Pair& pair = pairs.next();
        benchmark::DoNotOptimize(serinus::compare_ranks(pair.canary, pair.baseline).twice_u);
    }
}

/// One baseline, sorted once, for many canaries: what a pair costs.
void shared_baseline(benchmark::State& state) {
    const auto data = serinus::bench::pairs(static_cast<std::size_t>(state.range(0)));
    std::vector<serinus::MannWhitneyPair> pairs;
    for (const Pair& pair : data) pairs.push_back({data.front().baseline, pair.canary});
    std::vector<serinus::MannWhitneyResult> results(pairs.size());
    serinus::Workspace workspace{.sort = serinus::fastest_sort()};
    for (auto _ : state) serinus::mann_whitney_batch(pairs, results, {.method = MannWhitneyMethod::normal}, workspace);
    state.counters["pair"] = benchmark::Counter(
        static_cast<double>(pairs.size()), benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

/// 10,000 pairs of 1,440 values an arm, on so many threads.
void ten_thousand(benchmark::State& state) {
    const auto data = serinus::bench::pairs(1440);
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
    const auto data = serinus::bench::pairs(200'000);
    serinus::RollingMannWhitney window(size);
    std::size_t at = 0;
    const auto push = [&] {
        window.push_baseline(data[0].baseline[at]);
        window.push_canary(data[0].canary[at]);
        at = at + 1 == data[0].canary.size() ? 0 : at + 1;
    };
    for (std::size_t i = 0; i < size; ++i) push();
    for (auto _ : state) {
        push();
        benchmark::DoNotOptimize(window.u());
    }
}

BENCHMARK(normal)->Apply(sizes);
BENCHMARK(normal_portable)->Apply(sizes);
BENCHMARK(normal_ties)->Apply(sizes);
BENCHMARK(edgeworth)->Apply(sizes);
BENCHMARK(edgeworth_ties)->Apply(sizes);
BENCHMARK(automatic)->Apply(sizes)->Arg(20)->Arg(50);
BENCHMARK(automatic_ties)->Apply(sizes)->Arg(20)->Arg(50);
// `exact` without ties is refused above 200 values in the smaller arm; with ties it costs O(n^4).
BENCHMARK(exact)->Arg(8)->Arg(20)->Arg(50)->Arg(60)->Arg(100)->Arg(200)->Unit(benchmark::kMicrosecond);
BENCHMARK(exact_cold)->Arg(8)->Arg(20)->Arg(50)->Arg(60)->Arg(100)->Arg(200)->Unit(benchmark::kMicrosecond);
BENCHMARK(exact_ties)->Arg(8)->Arg(20)->Arg(50)->Arg(60)->Arg(100)->Unit(benchmark::kMicrosecond);
BENCHMARK(merge)->Apply(sizes);
BENCHMARK(merge_ties)->Apply(sizes);
BENCHMARK(shared_baseline)->Arg(60)->Arg(1440);
BENCHMARK(ten_thousand)->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(rolling)->Arg(8)->Arg(60)->Arg(600)->Arg(1440)->Arg(10'080)->Arg(100'000);

}  // namespace
