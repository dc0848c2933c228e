#pragma once
// The sizes that every method is timed at.

#include <benchmark/benchmark.h>

namespace serinus::bench {

/// `BENCHMARK(x)->Apply(sizes)`: a few values; an hour, ten hours and a day of minutes; a week; as many as there are.
inline void sizes(benchmark::internal::Benchmark* bench) {
    for (const int n : {8, 60, 600, 1440, 10'080, 100'000}) bench->Arg(n);
    bench->Unit(benchmark::kMicrosecond);
}

}  // namespace serinus::bench
