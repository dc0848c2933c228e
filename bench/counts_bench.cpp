// One look at counts: proportions and rates. The argument is the canary's total (of requests, of expected events); the
// baseline has nine times as many, and a hundredth of the requests fail (of few: a quarter).

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <benchmark/benchmark.h>

#include <serinus/fixed/proportion_test.hpp>
#include <serinus/fixed/rate_test.hpp>

#include "data.hpp"
#include "sizes.hpp"

namespace {

using serinus::Alternative;
using serinus::ProportionTestMethod;
using serinus::RateMethod;
using serinus::bench::InTurn;
using serinus::bench::sizes;

struct Counts {
    double baseline, canary;
};

/// Counts about `mean` in the canary and `share` times as many in the baseline, at most `most` in either.
InTurn<Counts> counts(double mean, double share, double most) {
    serinus::RandomStream random(static_cast<std::uint64_t>(mean), 0);
    std::vector<Counts> made(1024);
    const auto draw = [&](double center) {
        return std::clamp(std::round(center + std::sqrt(center) * serinus::bench::normal(random)), 0.0, most);
    };
    for (Counts& one : made) one = {draw(share * mean), draw(mean)};
    return InTurn(std::move(made));
}

void proportion(benchmark::State& state, const serinus::ProportionTestOptions& options, double share = 9) {
    const auto total = static_cast<double>(state.range(0));
    InTurn drawn = counts(total * (total < 100 ? 0.25 : 0.01), share, total);
    for (auto _ : state) {
        const Counts& bad = drawn.next();
        auto result = serinus::proportion_test({.bad = bad.baseline, .total = share * total},
                                               {.bad = bad.canary, .total = total}, options);
        benchmark::DoNotOptimize(result);
    }
}
void proportion_score(benchmark::State& state) { proportion(state, {.method = ProportionTestMethod::score}); }
void proportion_score_ratio(benchmark::State& state) {
    proportion(state, {.margin = {.ratio = 2.0}, .alternative = Alternative::greater});
}
void proportion_fisher(benchmark::State& state) { proportion(state, {.method = ProportionTestMethod::fisher}); }
void proportion_midp(benchmark::State& state) { proportion(state, {.method = ProportionTestMethod::midp}); }
/// Equal totals: these are for few requests.
void proportion_boschloo(benchmark::State& state) { proportion(state, {.method = ProportionTestMethod::boschloo}, 1); }
void proportion_barnard(benchmark::State& state) { proportion(state, {.method = ProportionTestMethod::barnard}, 1); }

void rate(benchmark::State& state, RateMethod method) {
    const auto events = static_cast<double>(state.range(0));
    InTurn drawn = counts(events, 9, 1e15);
    for (auto _ : state) {
        const Counts& seen = drawn.next();
        auto result = serinus::rate_test({.events = seen.baseline, .exposure = 900},
                                         {.events = seen.canary, .exposure = 100}, {.method = method});
        benchmark::DoNotOptimize(result);
    }
}
void rate_exact(benchmark::State& state) { rate(state, RateMethod::exact); }
void rate_midp(benchmark::State& state) { rate(state, RateMethod::midp); }
void rate_score(benchmark::State& state) { rate(state, RateMethod::score); }

BENCHMARK(proportion_score)->Apply(sizes);
BENCHMARK(proportion_score_ratio)->Apply(sizes);
BENCHMARK(proportion_fisher)->Apply(sizes);
BENCHMARK(proportion_midp)->Apply(sizes);
// O(mn) for each of 200 shares, refused above totals of 1,000.
BENCHMARK(proportion_boschloo)->Arg(8)->Arg(60)->Arg(100)->Unit(benchmark::kMicrosecond);
BENCHMARK(proportion_barnard)->Arg(8)->Arg(60)->Arg(100)->Unit(benchmark::kMicrosecond);
BENCHMARK(rate_exact)->Apply(sizes);
BENCHMARK(rate_midp)->Apply(sizes);
BENCHMARK(rate_score)->Apply(sizes);

}  // namespace
