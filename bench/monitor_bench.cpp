// A whole rollout through Monitor: 20 metrics of every kind, an interval of 10 s, a look after each.

#include <chrono>
#include <cstddef>
#include <malloc.h>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include <serinus/core/state.hpp>
#include <serinus/rollout/calibrate.hpp>
#include <serinus/rollout/monitor.hpp>
#include <serinus/rollout/monitor_state.hpp>

#include "../tests/support/mixed_world.hpp"

namespace {

using namespace serinus;

constexpr std::size_t metrics = 20;
constexpr int hour = 360;

std::string numbered(const std::string& name, std::size_t copy) {
    return name.empty() ? name : name + std::to_string(copy);
}

/// The plan of all kinds, again and again until there are 20 metrics; history is calibrated once.
struct World {
    Plan plan;
    std::vector<Batch> looks;

    World() {
        mixed_world::Random random(1);
        Plan once = mixed_world::plan(false);
        once.slo.clear();
        once.stages = {Stage{.traffic = 0.2}};
        once = with_noise(once, calibrate(once, mixed_world::history(once, {}, 0.2, 2000, random)));
        plan = once;
        plan.metrics.clear();
        plan.noise.clear();
        std::size_t copies = 0;
        for (; plan.metrics.size() < metrics; ++copies) {
            for (const Metric& of : once.metrics) {
                if (plan.metrics.size() == metrics) break;
                Metric& metric = plan.metrics.emplace_back(of);
                for (std::string* const name :
                     {&metric.name, &metric.bad, &metric.total, &metric.events, &metric.exposure, &metric.series,
                      &metric.numerator, &metric.denominator})
                    *name = numbered(*name, copies);
                if (const auto known = once.noise.find(of.name); known != once.noise.end())
                    plan.noise[metric.name] = known->second;
            }
        }
        mixed_world::Service service(once, {}, {}, random);
        for (int t = 0; t < hour; ++t) {
            const Batch one = service.next(0.2);
            Batch& all = looks.emplace_back();
            for (std::size_t copy = 0; copy < copies; ++copy) {
                for (ArmSeries series : one.series) {
                    series.name = numbered(series.name, copy);
                    all.series.push_back(std::move(series));
                }
            }
        }
    }
};

const World& world() {
    static const World known;
    return known;
}

void play(Monitor& monitor) {
    const World& known = world();
    for (int t = 0; t < hour; ++t) {
        const Decision decision =
            monitor.observe(known.looks[static_cast<std::size_t>(t)], (t + 1) * mixed_world::interval);
        benchmark::DoNotOptimize(decision.action);
    }
}

/// An hour of looks; `a_look` is one `observe` of it.
void rollout_of_an_hour(benchmark::State& state) {
    world();
    for (auto _ : state) {
        Monitor monitor(world().plan);
        play(monitor);
    }
    state.counters["a_look"] = benchmark::Counter(hour * static_cast<double>(state.iterations()),
                                                  benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}
BENCHMARK(rollout_of_an_hour)->Unit(benchmark::kMillisecond);

/// Bytes that malloc has given out; large blocks are counted by themselves.
double given_out() {
    const struct mallinfo2 now = mallinfo2();
    return static_cast<double>(now.uordblks) + static_cast<double>(now.hblkhd);
}

/// What 1,000 rollouts keep after an hour, and the bytes of a state that is written down.
void thousand_rollouts(benchmark::State& state) {
    world();
    Monitor played(world().plan);
    play(played);
    for (auto _ : state) {
        const double before = given_out();
        std::vector<Monitor> all(1000, played);
        state.counters["MiB"] = (given_out() - before) / (1 << 20);
    }
    state.counters["state_bytes"] = static_cast<double>(encode(played.state()).size());
}
BENCHMARK(thousand_rollouts)->Iterations(1)->Unit(benchmark::kMillisecond);

}  // namespace
