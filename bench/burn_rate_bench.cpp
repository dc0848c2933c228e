// Burn rates of 30 days at 15 s (172,800 samples of two counters), eight windows, asked at every sample; and what an
// objective costs in a rollout.
#include <chrono>
#include <cstdint>
#include <limits>
#include <random>
#include <span>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include <serinus/rollout/monitor.hpp>
#include <serinus/slo/burn_rate.hpp>

namespace {

using namespace serinus::slo;
using namespace std::chrono_literals;
using serinus::from_ms;

struct Month {
    std::vector<std::int64_t> times;
    std::vector<double> bad, total;
};

const Month& month() {
    static const Month made = [] {
        std::mt19937_64 random(1);
        std::poisson_distribution<int> requests(1500), errors(1);
        Month month;
        double bad = 0, total = 0;
        for (std::int64_t i = 0; i < 172'800; ++i) {
            month.times.push_back(1'700'000'000'000 + 15'000 * i);
            month.bad.push_back(bad += errors(random));
            month.total.push_back(total += requests(random));
        }
        return month;
    }();
    return made;
}

BurnRateOptions options(Keep keep, Semantics semantics = Semantics::exact) {
    return {
        .budget = 0.001, .windows = {5min, 30min, 1h, 2h, 6h, 24h, 72h, 720h}, .semantics = semantics, .keep = keep};
}

BurnRate loaded(Semantics semantics) {
    BurnRate burn(options(Keep::all, semantics));
    burn.add(burn.add_series(Role::bad), month().times, month().bad);
    burn.add(burn.add_series(Role::total), month().times, month().total);
    return burn;
}

/// From two arrays of counters to a column a window.
void batch(benchmark::State& state) {
    const auto semantics = static_cast<Semantics>(state.range(0));
    month();
    for (auto _ : state) benchmark::DoNotOptimize(loaded(semantics).over(month().times));
    state.counters["ns/time"] = benchmark::Counter(172'800e-9 * static_cast<double>(state.iterations()),
                                                   benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

/// The series are in already, and the memory of the columns is there.
void batch_windows(benchmark::State& state) {
    const BurnRate burn = loaded(static_cast<Semantics>(state.range(0)));
    std::vector<BurnColumn> columns;
    for (auto _ : state) {
        burn.over(month().times, columns);
        benchmark::DoNotOptimize(columns.data());
    }
}

/// From two arrays of counters to an array a window, of burn rates alone.
void batch_burn_alone(benchmark::State& state) {
    std::vector<double> burns(8 * month().times.size());
    std::vector<BurnArrays> arrays(8);
    for (std::size_t w = 0; w < arrays.size(); ++w) arrays[w].burn = burns.data() + w * month().times.size();
    for (auto _ : state) {
        loaded(Semantics::exact).over(month().times, std::span<const BurnArrays>(arrays));
        benchmark::DoNotOptimize(burns.data());
    }
}

/// A look of a Monitor at one proportion, with so many objectives on it: the workbook's four conditions on seven
/// windows, halt and cap.
void monitor_look(benchmark::State& state) {
    using serinus::Arm;
    serinus::Plan plan;
    plan.name = "bench";
    plan.interval = std::chrono::seconds(10);
    plan.stages = {{.traffic = 0.1}};
    serinus::Metric metric;
    metric.name = "errors";
    metric.bad = "bad";
    metric.total = "total";
    metric.margin = {.ratio = 2.0, .difference = {}};
    plan.metrics = {metric};
    for (int i = 0; i < state.range(0); ++i) {
        serinus::SloRule rule;
        rule.objective = {.name = std::to_string(i), .budget = 0.001, .expected_events = 1e9};
        rule.metric = "errors";
        plan.slo.push_back(rule);
    }
    serinus::Monitor monitor(plan);
    std::mt19937_64 random(1);
    std::poisson_distribution<int> errors(1);
    std::int64_t time = 1'700'000'000'000;
    for (auto _ : state) {
        serinus::Batch batch;
        for (const Arm arm : {Arm::baseline, Arm::canary}) {
            constexpr double nan = std::numeric_limits<double>::quiet_NaN();
            batch.series.push_back({"bad", arm, nan, {{time}, {static_cast<double>(errors(random))}, ""}});
            batch.series.push_back({"total", arm, nan, {{time}, {1000}, ""}});
        }
        time += plan.interval.count();
        benchmark::DoNotOptimize(monitor.observe(batch, time));
    }
}

/// A pair of samples, one of either counter, then all windows: the time is that of a pair.
void stream(benchmark::State& state) {
    const auto keep = static_cast<Keep>(state.range(1));
    double bytes = 0;
    for (auto _ : state) {
        BurnRate burn(options(keep, static_cast<Semantics>(state.range(0))));
        const std::size_t bad = burn.add_series(Role::bad), total = burn.add_series(Role::total);
        double sum = 0;
        for (std::size_t i = 0; i < month().times.size(); ++i) {
            burn.add(bad, from_ms(month().times[i]), month().bad[i]);
            burn.add(total, from_ms(month().times[i]), month().total[i]);
            for (const WindowBurn& window : burn.at(from_ms(month().times[i]))) sum += window.coverage;
        }
        benchmark::DoNotOptimize(sum);
        bytes = static_cast<double>(burn.memory_bytes()) / 2;
    }
    state.counters["ns/pair"] = benchmark::Counter(172'800e-9 * static_cast<double>(state.iterations()),
                                                   benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
    state.counters["MiB/series"] = bytes / 1048576;
}

BENCHMARK(batch)->ArgName("semantics")->DenseRange(1, 3)->Unit(benchmark::kMillisecond);
BENCHMARK(batch_burn_alone)->Unit(benchmark::kMillisecond);
BENCHMARK(monitor_look)->ArgName("objectives")->DenseRange(0, 2)->Unit(benchmark::kMicrosecond);
BENCHMARK(batch_windows)->ArgName("semantics")->DenseRange(1, 3)->Unit(benchmark::kMillisecond);
BENCHMARK(stream)->ArgNames({"semantics", "keep"})->ArgsProduct({{1, 2, 3}, {1, 2}})->Unit(benchmark::kMillisecond);

}  // namespace
