// The other tests of two samples: shift, effect, means, quantiles, whole distributions. A pair at a time, in one
// Workspace; input is copied, cleaned and sorted inside the timing.

#include <cstddef>

#include <benchmark/benchmark.h>

#include <serinus/batch/sort_kernel.hpp>
#include <serinus/fixed/anderson_darling.hpp>
#include <serinus/fixed/brunner_munzel.hpp>
#include <serinus/fixed/cramer_von_mises.hpp>
#include <serinus/fixed/effect_size.hpp>
#include <serinus/fixed/hodges_lehmann.hpp>
#include <serinus/fixed/kolmogorov_smirnov.hpp>
#include <serinus/fixed/quantile_difference.hpp>
#include <serinus/fixed/welch.hpp>
#include <serinus/fixed/yuen.hpp>

#include "data.hpp"
#include "sizes.hpp"

namespace {

using serinus::HodgesLehmannMethod;
using serinus::KolmogorovSmirnovMethod;
using serinus::QuadraticMethod;
using serinus::QuantileDifferenceMethod;
using serinus::Workspace;
using serinus::bench::InTurn;
using serinus::bench::Pair;
using serinus::bench::sizes;
using serinus::bench::Values;

/// `test(baseline, canary, workspace)` of one pair after the other.
template <class Test>
void run(benchmark::State& state, Test&& test, Values kind = Values::lognormal) {
    InTurn pairs(serinus::bench::pairs(static_cast<std::size_t>(state.range(0)), kind));
    Workspace workspace{.sort = serinus::fastest_sort()};
    for (auto _ : state) {
        const Pair& pair = pairs.next();
        auto result = test(pair.baseline, pair.canary, workspace);
        benchmark::DoNotOptimize(result);
    }
}

using Span = std::span<const double>;

void hodges_lehmann(benchmark::State& state) {
    run(state, [](Span y, Span x, Workspace& w) { return serinus::hodges_lehmann(y, x, {.confidence = 0.98}, w); });
}
void hodges_lehmann_ties(benchmark::State& state) {
    run(
        state, [](Span y, Span x, Workspace& w) { return serinus::hodges_lehmann(y, x, {.confidence = 0.98}, w); },
        Values::counts);
}
void hodges_lehmann_exact(benchmark::State& state) {
    run(state, [](Span y, Span x, Workspace& w) {
        return serinus::hodges_lehmann(y, x, {.method = HodgesLehmannMethod::exact}, w);
    });
}
void effect_size(benchmark::State& state) {
    run(state, [](Span y, Span x, Workspace& w) { return serinus::effect_size(y, x, {}, w); });
}
void brunner_munzel(benchmark::State& state) {
    run(state, [](Span y, Span x, Workspace& w) { return serinus::brunner_munzel(y, x, {}, w); });
}
void welch(benchmark::State& state) {
    run(state, [](Span y, Span x, Workspace& w) { return serinus::welch(y, x, {}, w); });
}
void yuen(benchmark::State& state) {
    run(state, [](Span y, Span x, Workspace& w) { return serinus::yuen(y, x, {}, w); });
}

void quantile(benchmark::State& state, QuantileDifferenceMethod method) {
    run(state, [method](Span y, Span x, Workspace& w) {
        return serinus::quantile_difference(y, x, {.q = 0.95, .method = method}, w);
    });
}
void quantile_order_statistic(benchmark::State& state) { quantile(state, QuantileDifferenceMethod::order_statistic); }
void quantile_woodruff(benchmark::State& state) { quantile(state, QuantileDifferenceMethod::woodruff); }
void quantile_harrell_davis(benchmark::State& state) { quantile(state, QuantileDifferenceMethod::harrell_davis); }

void smirnov(benchmark::State& state, KolmogorovSmirnovMethod method, Values kind = Values::lognormal) {
    run(
        state,
        [method](Span y, Span x, Workspace& w) { return serinus::kolmogorov_smirnov(y, x, {.method = method}, w); },
        kind);
}
void kolmogorov_smirnov(benchmark::State& state) { smirnov(state, KolmogorovSmirnovMethod::automatic); }
void kolmogorov_smirnov_asymptotic(benchmark::State& state) { smirnov(state, KolmogorovSmirnovMethod::asymptotic); }
void kolmogorov_smirnov_exact(benchmark::State& state) { smirnov(state, KolmogorovSmirnovMethod::exact); }
void kolmogorov_smirnov_exact_ties(benchmark::State& state) {
    smirnov(state, KolmogorovSmirnovMethod::exact, Values::counts);
}

void cramer(benchmark::State& state, QuadraticMethod method, Values kind = Values::lognormal) {
    run(
        state,
        [method](Span y, Span x, Workspace& w) { return serinus::cramer_von_mises(y, x, {.method = method}, w); },
        kind);
}
void cramer_von_mises(benchmark::State& state) { cramer(state, QuadraticMethod::automatic); }
void cramer_von_mises_asymptotic(benchmark::State& state) { cramer(state, QuadraticMethod::asymptotic); }
void cramer_von_mises_exact(benchmark::State& state) { cramer(state, QuadraticMethod::exact); }
void cramer_von_mises_ties(benchmark::State& state) { cramer(state, QuadraticMethod::conditional, Values::counts); }

void anderson_darling(benchmark::State& state) {
    run(state, [](Span y, Span x, Workspace& w) { return serinus::anderson_darling(y, x, {}, w); });
}
void anderson_darling_ties(benchmark::State& state) {
    run(
        state, [](Span y, Span x, Workspace& w) { return serinus::anderson_darling(y, x, {}, w); }, Values::counts);
}

BENCHMARK(hodges_lehmann)->Apply(sizes);
BENCHMARK(hodges_lehmann_ties)->Apply(sizes);
BENCHMARK(hodges_lehmann_exact)->Arg(8)->Arg(60)->Arg(200)->Unit(benchmark::kMicrosecond);  // refused above 200
BENCHMARK(effect_size)->Apply(sizes);
BENCHMARK(brunner_munzel)->Apply(sizes);
BENCHMARK(welch)->Apply(sizes);
BENCHMARK(yuen)->Apply(sizes);
BENCHMARK(quantile_order_statistic)->Apply(sizes);
BENCHMARK(quantile_woodruff)->Apply(sizes);
BENCHMARK(quantile_harrell_davis)->Apply(sizes);
BENCHMARK(kolmogorov_smirnov)->Apply(sizes);
BENCHMARK(kolmogorov_smirnov_asymptotic)->Apply(sizes);
// O(mn), refused above mn = 1e9.
BENCHMARK(kolmogorov_smirnov_exact)->Arg(8)->Arg(60)->Arg(600)->Arg(1440)->Arg(10'080)->Unit(benchmark::kMicrosecond);
BENCHMARK(kolmogorov_smirnov_exact_ties)->Arg(8)->Arg(60)->Arg(600)->Arg(1440)->Unit(benchmark::kMicrosecond);
BENCHMARK(cramer_von_mises)->Apply(sizes);
BENCHMARK(cramer_von_mises_asymptotic)->Apply(sizes);
BENCHMARK(cramer_von_mises_exact)->Arg(8)->Arg(20)->Arg(60)->Unit(benchmark::kMicrosecond);  // refused above mn = 3,600
BENCHMARK(cramer_von_mises_ties)->Apply(sizes);
BENCHMARK(anderson_darling)->Apply(sizes);
BENCHMARK(anderson_darling_ties)->Apply(sizes);

}  // namespace
