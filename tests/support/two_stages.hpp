#pragma once
/// \file
/// A rollout of two stages with one metric of each of two kinds, made by arithmetic alone.

#include <chrono>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <serinus/rollout/batch.hpp>
#include <serinus/rollout/plan.hpp>

namespace serinus::two_stages {

inline Plan plan(const std::string& errors = "errors") {
    Plan plan;
    plan.name = "payments";
    plan.interval = std::chrono::seconds(10);
    plan.stages = {{.traffic = 0.1}, {.traffic = 0.5}};
    Metric& share = plan.metrics.emplace_back();
    share.name = errors;
    share.bad = "e";
    share.total = "n";
    share.margin = {.ratio = 2.0, .difference = {}};
    Metric& gauge = plan.metrics.emplace_back();
    gauge.name = "memory";
    gauge.kind = Kind::gauge;
    gauge.series = "m";
    gauge.margin = {.ratio = 1.2, .difference = {}};
    return plan;
}

/// 90 intervals, the second stage after half of them; of 1,000 requests a hundredth of the baseline's fail.
inline Batch batch(double canary_share) {
    Batch batch;
    std::vector<std::int64_t> times;
    std::vector<double> total, bad, canary_bad;
    for (int i = 0; i < 90; ++i) {
        times.push_back(10'000 * i);
        total.push_back(1000);
        bad.push_back(10 + i % 3 - 1);
        canary_bad.push_back(std::round(1000 * canary_share) + i % 2);
    }
    batch.add("n", Arm::baseline, "", times, total);
    batch.add("n", Arm::canary, "", times, total);
    batch.add("e", Arm::baseline, "", times, bad);
    batch.add("e", Arm::canary, "", times, canary_bad);
    for (const Arm arm : {Arm::baseline, Arm::canary}) {
        for (int pod = 0; pod < 5; ++pod) {
            std::vector<double> memory;
            for (int i = 0; i < 90; ++i) memory.push_back(100 + pod + (i * 37 + pod * 11 + (arm == Arm::canary)) % 7);
            batch.add("m", arm, std::string(word(arm)) + "-" + std::to_string(pod), times, memory);
        }
    }
    batch.stages = {{1, 0}, {2, 450'000}};
    return batch;
}

}  // namespace serinus::two_stages
