// What one interval costs the tests that may be looked at as often as you like: the evidence alone, the interval beside
// it, the two apart, saving and restoring.
#include <cstddef>
#include <cstdint>
#include <random>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>

#include <serinus/core/state.hpp>
#include <serinus/sequential/proportion.hpp>
#include <serinus/sequential/start_mixture.hpp>

namespace {

using serinus::Harm;
using serinus::Margin;
using serinus::Proportion;
using serinus::sequential::ProportionMethod;
using serinus::sequential::ProportionOptions;
using serinus::sequential::ProportionTest;
using serinus::sequential::StartMixture;

constexpr std::size_t intervals = 1024;

/// 900:100 requests an interval of which 1 % and `canary` fail; the sizes vary, as they do.
std::vector<std::pair<Proportion, Proportion>> requests(double canary = 0.012) {
    std::mt19937_64 random(1);
    std::vector<std::pair<Proportion, Proportion>> pairs;
    for (std::size_t i = 0; i < intervals; ++i) {
        const auto n_b = static_cast<std::int64_t>(880 + random() % 40),
                   n_c = static_cast<std::int64_t>(95 + random() % 10);
        std::binomial_distribution<std::int64_t> b(n_b, 0.01), c(n_c, canary);
        const std::int64_t x_b = b(random), x_c = c(random);
        pairs.push_back({{x_b, n_b}, {x_c, n_c}});
    }
    return pairs;
}

void update(benchmark::State& state, const ProportionOptions& options, double canary = 0.012) {
    const auto data = requests(canary);
    ProportionTest test(options);
    std::size_t i = 0;
    for (auto _ : state) {
        const auto& [baseline, canary] = data[i++ % intervals];
        test.update(baseline, canary);
    }
    benchmark::DoNotOptimize(test.log_e_value());
}

/// The interval alone, read again and again after `range(0)` intervals.
void interval(benchmark::State& state, const ProportionOptions& options) {
    const auto data = requests();
    ProportionTest test(options);
    for (std::int64_t i = 0; i < state.range(0); ++i) {
        const auto& [baseline, canary] = data[static_cast<std::size_t>(i) % intervals];
        test.update(baseline, canary);
    }
    for (auto _ : state) benchmark::DoNotOptimize(test.evidence());
}

constexpr Margin difference{.ratio = {}, .difference = 0.01};

void ratio_update(benchmark::State& state) { update(state, {.interval = false}); }
void ratio_update_either(benchmark::State& state) { update(state, {.harm = Harm::either, .interval = false}); }
void ratio_update_with_interval(benchmark::State& state) { update(state, {}); }
// Five times as many errors: nearly every look is a record, and its e-value has to be known exactly.
void ratio_record(benchmark::State& state) { update(state, {.interval = false}, 0.05); }
void ratio_record_either(benchmark::State& state) { update(state, {.harm = Harm::either, .interval = false}, 0.05); }
void ratio_record_with_interval(benchmark::State& state) { update(state, {}, 0.05); }
void ratio_interval(benchmark::State& state) { interval(state, {}); }
void block_update(benchmark::State& state) {
    update(state, {.margin = {.ratio = 1.5, .difference = {}}, .method = ProportionMethod::block, .interval = false});
}
void difference_update(benchmark::State& state) { update(state, {.margin = difference, .interval = false}); }
void difference_update_with_interval(benchmark::State& state) { update(state, {.margin = difference}); }
void difference_interval(benchmark::State& state) { interval(state, {.margin = difference}); }
constexpr Margin floored{.ratio = 1.5, .difference = {}, .floor = 0.001};
void floor_update(benchmark::State& state) { update(state, {.margin = floored, .interval = false}); }
void floor_update_with_interval(benchmark::State& state) { update(state, {.margin = floored}); }
BENCHMARK(ratio_update);
BENCHMARK(ratio_update_either);
BENCHMARK(ratio_update_with_interval);
BENCHMARK(ratio_record);
BENCHMARK(ratio_record_either);
BENCHMARK(ratio_record_with_interval);
BENCHMARK(ratio_interval)->Arg(1)->Arg(10)->Arg(100)->Arg(1000);
BENCHMARK(block_update);
BENCHMARK(difference_update);
BENCHMARK(difference_update_with_interval);
BENCHMARK(difference_interval)->Arg(10)->Arg(1000);
BENCHMARK(floor_update);
BENCHMARK(floor_update_with_interval);

void ratio_start_mixture(benchmark::State& state) {
    const auto data = requests();
    StartMixture mixture(ProportionTest(ProportionOptions{.interval = false}));
    std::int64_t i = 0;
    for (auto _ : state) {
        if (i % 30 == 0) mixture.begin(serinus::sequential::start_weight(i / 30));
        const auto& [baseline, canary] = data[static_cast<std::size_t>(i) % intervals];
        mixture.update(baseline, canary);
        ++i;
    }
    benchmark::DoNotOptimize(mixture.log_e_value());
}
BENCHMARK(ratio_start_mixture);

void save_and_restore(benchmark::State& state) {
    ProportionTest test, other;
    for (const auto& [baseline, canary] : requests()) test.update(baseline, canary);
    for (auto _ : state) {
        other.restore(serinus::decode<serinus::sequential::ProportionState>(serinus::encode(test.state())));
    }
}
BENCHMARK(save_and_restore);

}  // namespace
