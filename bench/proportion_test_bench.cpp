// What an interval of a rollout costs: sequential evidence, its interval, and a whole look of the monitor.
#include <chrono>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include <serinus/rollout/monitor.hpp>
#include <serinus/sequential/proportion.hpp>

namespace {

using serinus::Proportion;
using serinus::sequential::ProportionOptions;
using serinus::sequential::ProportionTest;

struct Counts {
    std::vector<Proportion> baseline, canary;
};

Counts counts(std::size_t size) {
    std::mt19937_64 random(1);
    std::binomial_distribution<std::int64_t> b(900, 0.01), c(100, 0.012);
    Counts counts;
    for (std::size_t i = 0; i < size; ++i) {
        counts.baseline.push_back({b(random), 900});
        counts.canary.push_back({c(random), 100});
    }
    return counts;
}

void update(benchmark::State& state, const ProportionOptions& options, bool look) {
    const Counts data = counts(1024);
    ProportionTest test(options);
    std::size_t i = 0;
    for (auto _ : state) {
        test.update(data.baseline[i % 1024], data.canary[i % 1024]);
        if (look) benchmark::DoNotOptimize(test.evidence());
        ++i;
    }
}

void conditional(benchmark::State& state) { update(state, {.interval = false}, false); }
void conditional_with_interval(benchmark::State& state) { update(state, {}, true); }
void block(benchmark::State& state) {
    update(state, {.method = serinus::sequential::ProportionMethod::block, .interval = false}, false);
}
void difference_with_interval(benchmark::State& state) {
    update(state, {.margin = {.ratio = {}, .difference = 0.01}}, true);
}
BENCHMARK(conditional);
BENCHMARK(conditional_with_interval);
BENCHMARK(block);
BENCHMARK(difference_with_interval);

void monitor_look(benchmark::State& state) {
    serinus::Plan plan;
    plan.name = "bench";
    plan.interval = std::chrono::seconds(10);
    plan.stages.emplace_back().traffic = 0.1;
    for (int i = 0; i < state.range(0); ++i) {
        serinus::Metric metric;
        metric.name = "errors " + std::to_string(i);
        metric.bad = "bad";
        metric.total = "total";
        metric.margin = {.ratio = 1.5, .difference = {}};
        plan.metrics.push_back(metric);
    }
    serinus::Monitor monitor(plan);
    const Counts data = counts(1024);
    std::int64_t i = 0;
    for (auto _ : state) {
        const auto at = static_cast<std::size_t>(i % 1024);
        serinus::Batch batch;
        const auto add = [&](const char* name, serinus::Arm arm, std::int64_t value) {
            batch.series.push_back({name,
                                    arm,
                                    std::numeric_limits<double>::quiet_NaN(),
                                    {{i * 10'000}, {static_cast<double>(value)}, ""}});
        };
        add("bad", serinus::Arm::baseline, data.baseline[at].bad);
        add("total", serinus::Arm::baseline, 900);
        add("bad", serinus::Arm::canary, data.canary[at].bad);
        add("total", serinus::Arm::canary, 100);
        benchmark::DoNotOptimize(monitor.observe(batch, (i + 1) * 10'000));
        ++i;
    }
}
BENCHMARK(monitor_look)->Arg(1)->Arg(12);

}  // namespace
