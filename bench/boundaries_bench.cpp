// What a point of a boundary costs, tuned once or for each point, and a group-sequential design.
#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>

#include <serinus/sequential/boundaries.hpp>
#include <serinus/sequential/group_sequential.hpp>

namespace {

using namespace serinus::sequential;

/// Times from 1 to 1e6.
const std::vector<double>& times() {
    static const std::vector<double> known = [] {
        std::vector<double> v;
        for (int i = 0; i < 1024; ++i) v.push_back(std::pow(10.0, 6.0 * i / 1023));
        return v;
    }();
    return known;
}

template <class Function>
void each_time(benchmark::State& state, const Function& f) {
    const std::vector<double>& v = times();
    std::size_t i = 0;
    for (auto _ : state) benchmark::DoNotOptimize(f(v[i++ % v.size()]));
}

template <class Mixture>
void bound(benchmark::State& state, const Mixture& mixture) {
    each_time(state, [&](double v) { return mixture.bound(v, 0.05); });
}
template <class Mixture>
void log_value(benchmark::State& state, const Mixture& mixture) {
    each_time(state, [&](double v) { return mixture.log_value(2 * std::sqrt(v), v); });
}

void single_normal(benchmark::State& state) {
    each_time(state, [](double v) { return normal_mixture(v, 0.05, 100); });
}
void single_gamma_exponential(benchmark::State& state) {
    each_time(state, [](double v) { return gamma_exponential(v, 0.05, 100, 0.5); });
}
BENCHMARK(single_normal);
BENCHMARK(single_gamma_exponential);
BENCHMARK_CAPTURE(bound, normal, NormalMixture(100));
BENCHMARK_CAPTURE(bound, normal_two_sided, NormalMixture(100, 0.05, false));
BENCHMARK_CAPTURE(bound, gamma_exponential, GammaExponentialMixture(100, 0.5));
BENCHMARK_CAPTURE(bound, gamma_exponential_wide, GammaExponentialMixture(100, 5));
BENCHMARK_CAPTURE(bound, gamma_poisson, GammaPoissonMixture(100, 0.5));
BENCHMARK_CAPTURE(bound, beta_binomial, BetaBinomialMixture(10, 0.01, 0.99));
BENCHMARK_CAPTURE(bound, beta_binomial_two_sided, BetaBinomialMixture(10, 0.01, 0.99, 0.05, false));
BENCHMARK_CAPTURE(log_value, normal, NormalMixture(100));
BENCHMARK_CAPTURE(log_value, gamma_exponential, GammaExponentialMixture(100, 0.5));
BENCHMARK_CAPTURE(log_value, gamma_poisson, GammaPoissonMixture(100, 0.5));
BENCHMARK_CAPTURE(log_value, beta_binomial, BetaBinomialMixture(10, 0.01, 0.99));

/// The interval of a proportion: 1 to 50 % of 20 to 2,000.
void bernoulli_interval(benchmark::State& state) {
    std::vector<std::pair<double, double>> counts;
    for (int i = 0; i < 256; ++i) {
        const double trials = std::floor(20 * std::pow(100.0, i / 255.0));
        counts.emplace_back(std::floor(trials * (i % 3 == 0 ? 0.01 : i % 3 == 1 ? 0.1 : 0.5)), trials);
    }
    std::size_t i = 0;
    for (auto _ : state) {
        const auto& [successes, trials] = counts[i++ % counts.size()];
        benchmark::DoNotOptimize(bernoulli_confidence_interval(successes, trials, 0.05, 100));
    }
}
BENCHMARK(bernoulli_interval);

void stitched(benchmark::State& state) {
    each_time(state, [](double v) { return poly_stitching(v, 0.05, 10); });
}
BENCHMARK(stitched);

void design(benchmark::State& state) {
    std::vector<double> information;
    for (int k = 1; k <= state.range(0); ++k)
        information.push_back(static_cast<double>(k) / static_cast<double>(state.range(0)));
    for (auto _ : state) benchmark::DoNotOptimize(group_sequential(information, 0.05, Spending::pocock));
}
BENCHMARK(design)->Arg(4)->Arg(10)->Arg(50)->Unit(benchmark::kMillisecond);

}  // namespace
