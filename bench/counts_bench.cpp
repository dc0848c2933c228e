// What an interval costs in the tests on counts beside ProportionTest.
#include <array>
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include <benchmark/benchmark.h>

#include <serinus/sequential/change_detector.hpp>
#include <serinus/sequential/rate.hpp>
#include <serinus/sequential/sample_ratio.hpp>
#include <serinus/sequential/silence.hpp>
#include <serinus/sequential/threshold.hpp>

namespace {

using namespace serinus::sequential;

constexpr std::size_t period = 1024;

std::vector<Rate> rates(double mean, double exposure, unsigned seed) {
    std::mt19937_64 random(seed);
    std::poisson_distribution<std::int64_t> events(mean);
    std::vector<Rate> out(period);
    for (Rate& rate : out) rate = {events(random), exposure};
    return out;
}

void rate(benchmark::State& state) {
    const auto b = rates(9, 9, 1), c = rates(1.2, 1, 2);
    RateTest test({.interval = state.range(0) != 0});
    std::size_t i = 0;
    for (auto _ : state) {
        test.update(b[i % period], c[i % period]);
        ++i;
    }
    benchmark::DoNotOptimize(test.p_value());
}
BENCHMARK(rate)->ArgName("interval")->Arg(0)->Arg(1);

void rate_evidence(benchmark::State& state) {
    const auto b = rates(9, 9, 1), c = rates(1.2, 1, 2);
    RateTest test;
    test.update_many(b, c);
    for (auto _ : state) benchmark::DoNotOptimize(test.evidence());
}
BENCHMARK(rate_evidence);

void change_detector(benchmark::State& state) {
    const auto b = rates(9, 9, 1), c = rates(1, 1, 2);
    ChangeDetector detector(RateTest({.interval = false}));
    std::size_t i = 0;
    for (auto _ : state) {
        detector.update(b[i % period], c[i % period]);
        ++i;
    }
    benchmark::DoNotOptimize(detector.log_statistic());
}
BENCHMARK(change_detector);

/// A split as told, and one that is not; tolerance .2 and the point null.
void sample_ratio(benchmark::State& state) {
    std::mt19937_64 random(3);
    std::binomial_distribution<std::int64_t> canary(1000, state.range(1) == 0 ? 0.1 : 0.14);
    std::vector<std::array<std::int64_t, 2>> counts(period);
    for (std::size_t i = 0; i < period; ++i) {
        // In pairs that are right together: repeated for ever, any other sample would be a wrong split in the end.
        const std::int64_t x = canary(random);
        counts[i][1] = state.range(1) == 0 && i % 2 == 1 ? 200 - counts[i - 1][1] : x;
        counts[i][0] = 1000 - counts[i][1];
    }
    SampleRatioTest test({0.9, 0.1}, {.tolerance = state.range(0) == 0 ? 0 : 0.2});
    std::size_t i = 0;
    for (auto _ : state) {
        test.update(counts[i % period]);
        ++i;
    }
    benchmark::DoNotOptimize(test.p_value());
}
BENCHMARK(sample_ratio)->ArgNames({"tolerance", "wrong"})->Args({1, 0})->Args({0, 0})->Args({1, 1})->Args({0, 1});

void silence(benchmark::State& state) {
    SilenceTest test;
    std::int64_t i = 0;
    for (auto _ : state) {
        test.update(900 + i % 7, 100 - i % 7, 0.1);
        ++i;
    }
    benchmark::DoNotOptimize(test.p_value());
}
BENCHMARK(silence);

void threshold(benchmark::State& state) {
    std::mt19937_64 random(4);
    std::lognormal_distribution<double> law(4.6, 0.7);
    std::vector<double> b(900), c(100);
    for (double& value : b) value = law(random);
    for (double& value : c) value = law(random);
    ThresholdTest test(250, {.margin = {.ratio = 1.1, .difference = {}}, .interval = false});
    for (auto _ : state) test.update(b, c);
    benchmark::DoNotOptimize(test.p_value());
}
BENCHMARK(threshold);

}  // namespace
