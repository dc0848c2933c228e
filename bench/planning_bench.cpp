// Around a look: many p-values, margins, power and sample size. None of these sees values; `adjust` takes so many
// p-values.

#include <cstddef>
#include <vector>

#include <benchmark/benchmark.h>

#include <serinus/fixed/adjust.hpp>
#include <serinus/fixed/equivalence.hpp>
#include <serinus/fixed/power.hpp>

#include "data.hpp"
#include "sizes.hpp"

namespace {

using serinus::AdjustMethod;
using serinus::bench::sizes;

void adjust(benchmark::State& state, AdjustMethod method, bool weighted = false) {
    serinus::RandomStream random(1, 0);
    std::vector<double> p(static_cast<std::size_t>(state.range(0))), weights;
    for (double& value : p) value = static_cast<double>(random.next() >> 11) * 0x1p-53;
    if (weighted)
        for (std::size_t i = 0; i < p.size(); ++i) weights.push_back(static_cast<double>(1 + random.below(9)));
    for (auto _ : state) benchmark::DoNotOptimize(serinus::adjust(p, method, weights).data());
}
void bonferroni(benchmark::State& state) { adjust(state, AdjustMethod::bonferroni); }
void holm(benchmark::State& state) { adjust(state, AdjustMethod::holm); }
void holm_weighted(benchmark::State& state) { adjust(state, AdjustMethod::holm, true); }
void hochberg(benchmark::State& state) { adjust(state, AdjustMethod::hochberg); }
void bh(benchmark::State& state) { adjust(state, AdjustMethod::bh); }
void by(benchmark::State& state) { adjust(state, AdjustMethod::by); }

void equivalence(benchmark::State& state) {
    double lower = 0.9;
    for (auto _ : state) {
        benchmark::DoNotOptimize(lower);
        auto result = serinus::equivalence(lower, 1.05, {.ratio = 1.1});
        benchmark::DoNotOptimize(result);
    }
}

template <class Design>
void power(benchmark::State& state, Design design) {
    const auto n = static_cast<double>(state.range(0));
    for (auto _ : state) {
        benchmark::DoNotOptimize(design);
        benchmark::DoNotOptimize(serinus::power(design, 9 * n, n));
    }
}
void power_rank(benchmark::State& state) { power(state, serinus::RankDesign{.effect = 0.6}); }
void power_mean(benchmark::State& state) { power(state, serinus::MeanDesign{.difference = 0.3, .deviation = 1}); }
void power_proportion(benchmark::State& state) {
    power(state, serinus::ProportionDesign{.baseline = 0.01, .canary = 0.02});
}
void power_rate(benchmark::State& state) { power(state, serinus::RateDesign{.baseline = 1, .canary = 1.5}); }

template <class Design>
void sample_size(benchmark::State& state, Design design) {
    for (auto _ : state) {
        benchmark::DoNotOptimize(design);
        benchmark::DoNotOptimize(serinus::sample_size(design, 0.9, 0.1).n_canary);
    }
}
void sample_size_rank(benchmark::State& state) { sample_size(state, serinus::RankDesign{.effect = 0.6}); }
void sample_size_mean(benchmark::State& state) {
    sample_size(state, serinus::MeanDesign{.difference = 0.3, .deviation = 1});
}
void sample_size_proportion(benchmark::State& state) {
    sample_size(state, serinus::ProportionDesign{.baseline = 0.01, .canary = 0.02});
}
void sample_size_rate(benchmark::State& state) {
    sample_size(state, serinus::RateDesign{.baseline = 1, .canary = 1.5});
}

BENCHMARK(bonferroni)->Apply(sizes);
BENCHMARK(holm)->Apply(sizes);
BENCHMARK(holm_weighted)->Apply(sizes);
BENCHMARK(hochberg)->Apply(sizes);
BENCHMARK(bh)->Apply(sizes);
BENCHMARK(by)->Apply(sizes);
BENCHMARK(equivalence);
BENCHMARK(power_rank)->Apply(sizes);
BENCHMARK(power_mean)->Apply(sizes);
BENCHMARK(power_proportion)->Apply(sizes);
BENCHMARK(power_rate)->Apply(sizes);
BENCHMARK(sample_size_rank);
BENCHMARK(sample_size_mean);
BENCHMARK(sample_size_proportion);
BENCHMARK(sample_size_rate);

}  // namespace
