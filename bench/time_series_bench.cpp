// One look at series whose neighbours depend on each other, and at paired differences.

#include <cstddef>
#include <span>
#include <vector>

#include <benchmark/benchmark.h>

#include <serinus/batch/sort_kernel.hpp>
#include <serinus/fixed/block_bootstrap.hpp>
#include <serinus/fixed/effective_sample_size.hpp>
#include <serinus/fixed/label_swap.hpp>
#include <serinus/fixed/paired.hpp>
#include <serinus/fixed/ratio.hpp>
#include <serinus/fixed/robust_rank.hpp>
#include <serinus/fixed/signed_rank.hpp>

#include "data.hpp"
#include "sizes.hpp"

namespace {

using serinus::bench::InTurn;
using serinus::bench::Pair;
using serinus::bench::sizes;

/// Two series with means far above their deviations, as a cost is; fewer than `enough`, these tests take longer.
std::vector<Pair> series_pairs(std::size_t size) {
    std::vector<Pair> made;
    for (std::size_t i = 0; i < std::min<std::size_t>(64, serinus::bench::enough(size)); ++i) {
        Pair& pair =
            made.emplace_back(Pair{serinus::bench::series(size, 2 * i), serinus::bench::series(size, 2 * i + 1)});
        for (std::vector<double>* arm : {&pair.baseline, &pair.canary})
            for (double& value : *arm) value += 20;
    }
    return made;
}

template <class Test>
void run(benchmark::State& state, Test&& test) {
    InTurn pairs(series_pairs(static_cast<std::size_t>(state.range(0))));
    for (auto _ : state) {
        const Pair& pair = pairs.next();
        auto result = test(pair.baseline, pair.canary);
        benchmark::DoNotOptimize(result);
    }
}

using Span = std::span<const double>;

void effective_sample_size(benchmark::State& state) {
    run(state, [](Span y, Span) { return serinus::effective_sample_size(y); });
}
void paired_test(benchmark::State& state) {
    run(state, [](Span y, Span) { return serinus::paired_test(y); });
}
void robust_rank_test(benchmark::State& state) {
    run(state, [](Span y, Span x) { return serinus::robust_rank_test(y, x); });
}

void ratio(benchmark::State& state, const serinus::RatioTestOptions& options) {
    const std::vector<double> denominator(static_cast<std::size_t>(state.range(0)), 100.0);
    run(state, [&](Span y, Span x) { return serinus::ratio_test({y, denominator}, {x, denominator}, options); });
}
void ratio_test_delta(benchmark::State& state) { ratio(state, {}); }
/// 2,000 resamples.
void ratio_test_bootstrap(benchmark::State& state) {
    ratio(state, {.method = serinus::RatioTestMethod::block_bootstrap});
}
/// The mean, 2,000 resamples.
void block_bootstrap(benchmark::State& state) {
    run(state, [](Span y, Span) {
        return serinus::block_bootstrap(y, [](Span values) {
            double sum = 0;
            for (const double value : values) sum += value;
            return sum / static_cast<double>(values.size());
        });
    });
}

void signed_rank(benchmark::State& state, serinus::SignedRankMethod method) {
    std::vector<std::vector<double>> made;
    const auto size = static_cast<std::size_t>(state.range(0));
    for (std::size_t i = 0; i < serinus::bench::enough(size); ++i) made.push_back(serinus::bench::series(size, i));
    InTurn differences(std::move(made));
    serinus::Workspace workspace{.sort = serinus::fastest_sort()};
    for (auto _ : state) {
        auto result = serinus::signed_rank(differences.next(), {.method = method}, workspace);
        benchmark::DoNotOptimize(result);
    }
}
void signed_rank_automatic(benchmark::State& state) { signed_rank(state, serinus::SignedRankMethod::automatic); }
void signed_rank_normal(benchmark::State& state) { signed_rank(state, serinus::SignedRankMethod::normal); }
void signed_rank_exact(benchmark::State& state) { signed_rank(state, serinus::SignedRankMethod::exact); }

/// A whole look, 1,999 swaps, with its intervals; `harmful`: both passes are made.
void label_swap(benchmark::State& state, double moved) {
    auto made = series_pairs(static_cast<std::size_t>(state.range(0)));
    for (Pair& pair : made)
        for (double& value : pair.canary) value += moved;
    InTurn pairs(std::move(made));
    for (auto _ : state) {
        const Pair& pair = pairs.next();
        auto result = serinus::label_swap_test(pair.baseline, pair.canary, {.detect = serinus::Margin{.ratio = 1.1}});
        benchmark::DoNotOptimize(result);
    }
}
void label_swap_test(benchmark::State& state) { label_swap(state, 0); }
void label_swap_test_harmful(benchmark::State& state) { label_swap(state, 2); }

BENCHMARK(label_swap_test)->Arg(31)->Arg(60)->Arg(120)->Arg(1440)->Unit(benchmark::kMicrosecond);
BENCHMARK(label_swap_test_harmful)->Arg(31)->Arg(60)->Arg(120)->Unit(benchmark::kMicrosecond);
BENCHMARK(effective_sample_size)->Apply(sizes);
BENCHMARK(paired_test)->Apply(sizes);
BENCHMARK(robust_rank_test)->Apply(sizes);
BENCHMARK(ratio_test_delta)->Apply(sizes);
BENCHMARK(ratio_test_bootstrap)->Apply(sizes);
BENCHMARK(block_bootstrap)->Apply(sizes);
BENCHMARK(signed_rank_automatic)->Apply(sizes);
BENCHMARK(signed_rank_normal)->Apply(sizes);
// O(n^3), refused above 1,000 differences.
BENCHMARK(signed_rank_exact)->Arg(8)->Arg(60)->Arg(600)->Unit(benchmark::kMicrosecond);

}  // namespace
