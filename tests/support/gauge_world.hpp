#pragma once
// Gauges of made-up services, for tests of what spikes and history do: seeds fixed, laws of mean 0 and variance 1.

#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include <serinus/rollout/batch.hpp>
#include <serinus/rollout/plan.hpp>

namespace gauge_world {

using Random = std::mt19937_64;
inline constexpr std::int64_t interval = 10'000;

inline double normal(Random& random) { return std::normal_distribution<double>()(random); }

/// One instance's noise.
struct Law {
    std::string name = "normal";  // log-normal, Pareto 2.5, exponential, left
    double phi = 0;               // first-order autoregression
    double spikes = 0;            // share of intervals that read 10 more
    double scale = 1;             // times as wide, about the same median
    double offset = 0;            // what the instance reads more by itself
};

inline std::vector<double> noise(const Law& law, std::size_t n, Random& random) {
    std::vector<double> out(n);
    double state = normal(random);
    const double innovation = std::sqrt(1 - law.phi * law.phi);
    const double mean = std::exp(0.5), deviation = std::sqrt((std::exp(1.0) - 1) * std::exp(1.0));
    std::uniform_real_distribution<double> uniform;
    for (double& value : out) {
        state = law.phi * state + innovation * normal(random);
        const double tail = std::max(0.5 * std::erfc(state / std::sqrt(2.0)), 1e-300);
        double median = 0;
        value = state;
        if (law.name == "log-normal") {
            value = (std::exp(state) - mean) / deviation;
            median = (1 - mean) / deviation;
        } else if (law.name == "Pareto 2.5") {
            const double spread = std::sqrt(2.5 / (1.5 * 1.5 * 0.5));
            value = (std::pow(tail, -1 / 2.5) - 2.5 / 1.5) / spread;
            median = (std::pow(0.5, -1 / 2.5) - 2.5 / 1.5) / spread;
        } else if (law.name == "exponential") {
            value = -std::log(tail) - 1;
            median = std::log(2.0) - 1;
        } else if (law.name == "left") {
            value = 1 + std::log(tail);
            median = 1 - std::log(2.0);
        }
        value = median + law.scale * (value - median) + law.offset;
        if (uniform(random) < law.spikes) value += 10;
    }
    return out;
}

inline void add(serinus::Batch& batch, serinus::Arm arm, const std::string& instance,
                const std::vector<double>& values) {
    serinus::ArmSeries& out = batch.series.emplace_back();
    out.name = "latency";
    out.arm = arm;
    out.le = std::numeric_limits<double>::quiet_NaN();
    out.series.instance = instance;
    for (std::size_t i = 0; i < values.size(); ++i) {
        out.series.times_ms.push_back(static_cast<std::int64_t>(i) * interval);
        out.series.values.push_back(100 + 5 * values[i]);
    }
}

/// A pair of arms without instances.
inline serinus::Batch pair(const Law& baseline, const Law& canary, std::size_t n, Random& random) {
    serinus::Batch batch;
    add(batch, serinus::Arm::baseline, "", noise(baseline, n, random));
    add(batch, serinus::Arm::canary, "", noise(canary, n, random));
    return batch;
}

/// Instances that differ by `tau` of their noise in level, and by `spread` (of its logarithm) in how wide it is.
inline serinus::Batch instances(Law baseline, Law canary, std::size_t of_baseline, std::size_t of_canary, double tau,
                                double spread, std::size_t n, Random& random) {
    serinus::Batch batch;
    const auto put = [&](serinus::Arm arm, const char* prefix, std::size_t count, const Law& law) {
        for (std::size_t i = 0; i < count; ++i) {
            Law own = law;
            own.offset = tau * normal(random);
            own.scale *= std::exp(spread * normal(random));
            add(batch, arm, prefix + std::to_string(i), noise(own, n, random));
        }
    };
    put(serinus::Arm::baseline, "b", of_baseline, baseline);
    put(serinus::Arm::canary, "c", of_canary, canary);
    return batch;
}

inline serinus::Plan plan(serinus::Harm harm = serinus::Harm::increase, double traffic = 0.5,
                          serinus::Margin margin = {.ratio = 1.05, .difference = {}}) {
    serinus::Plan plan;
    plan.name = "checkout";
    plan.interval = std::chrono::milliseconds(interval);
    plan.stages = {serinus::Stage{.traffic = traffic}};
    serinus::Metric& metric = plan.metrics.emplace_back();
    metric.name = "p95";
    metric.kind = serinus::Kind::gauge;
    metric.series = "latency";
    metric.harm = harm;
    metric.margin = margin;
    return plan;
}

}  // namespace gauge_world
