// How often nothing is held for a sick baseline, and how often a metric without arms holds for nothing, simulated:
// history is calibrated, then a rollout is judged after each interval. Fixed seeds. SERINUS_SIMULATION_SCALE multiplies
// the number of repetitions (1,000 at 1; 10 in the tests, where only gross failures show). The tables are in
// docs/concepts/decisions.md and docs/concepts/before-after.md.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <numbers>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/rollout/calibrate.hpp>
#include <serinus/rollout/monitor.hpp>

#include "support/gauge_world.hpp"
#include "support/repetitions.hpp"

namespace serinus {
namespace {

using Random = std::mt19937_64;

constexpr std::int64_t interval = 60'000;
constexpr std::size_t rollout = 120;

int repetitions() { return support::repetitions(10, 1000); }

/// Four standard errors above a share.
double above(double share, int n) { return share + 4 * std::sqrt(share * (1 - share) / n) + 1e-12; }

double normal(Random& random) { return std::normal_distribution<double>()(random); }

/// What a service does by itself: `n` intervals of a level about 0, in its own deviations.
struct Family {
    const char* name;
    std::function<std::vector<double>(std::size_t, Random&)> drawn;
};

std::vector<double> autoregressive(double phi, std::size_t n, Random& random) {
    std::vector<double> out;
    double state = normal(random);
    for (std::size_t i = 0; i < n; ++i) {
        state = phi * state + std::sqrt(1 - phi * phi) * normal(random);
        out.push_back(state);
    }
    return out;
}

/// Levels that last so many intervals on average, about noise.
std::vector<double> shifting(double lasting, std::size_t n, Random& random) {
    std::vector<double> out;
    double level = normal(random);
    for (std::size_t i = 0; i < n; ++i) {
        if (std::uniform_real_distribution<double>()(random) < 1 / lasting) level = normal(random);
        out.push_back(2 * level + normal(random));
    }
    return out;
}

/// A tide of a day, which a rollout meets at any time of it.
std::vector<double> tide(double height, std::size_t n, Random& random, double phase) {
    std::vector<double> out = autoregressive(0.6, n, random);
    for (std::size_t i = 0; i < n; ++i)
        out[i] += height * std::sin(2 * std::numbers::pi * (static_cast<double>(i) / 1440 + phase));
    return out;
}

std::vector<Family> families() {
    const auto uniform = [](Random& random) { return std::uniform_real_distribution<double>()(random); };
    return {{"independent", [](std::size_t n, Random& random) { return autoregressive(0, n, random); }},
            {"ar .9", [](std::size_t n, Random& random) { return autoregressive(0.9, n, random); }},
            {"ar .98", [](std::size_t n, Random& random) { return autoregressive(0.98, n, random); }},
            {"ar .995", [](std::size_t n, Random& random) { return autoregressive(0.995, n, random); }},
            {"levels of 300", [](std::size_t n, Random& random) { return shifting(300, n, random); }},
            {"levels of 3000", [](std::size_t n, Random& random) { return shifting(3000, n, random); }},
            {"tide", [uniform](std::size_t n, Random& random) { return tide(3, n, random, uniform(random)); }},
            // (The rollout is the last of it: it always meets the steepest rise.)
            {"tide, at its rise",
             [](std::size_t n, Random& random) {
                 return tide(3, n, random, -static_cast<double>(n - rollout / 2) / 1440);
             }},
            {"Student's t of 2",
             [](std::size_t n, Random& random) {
                 std::vector<double> out;
                 for (std::size_t i = 0; i < n; ++i) out.push_back(std::student_t_distribution<double>(2)(random));
                 return out;
             }},
            {"bursts",
             [uniform](std::size_t n, Random& random) {
                 std::vector<double> out = autoregressive(0, n, random);
                 for (std::size_t i = 0; i < n; ++i) {
                     if (uniform(random) > 1.0 / 1500) continue;
                     for (std::size_t j = i; j < std::min(n, i + 20); ++j) out[j] += 5;
                 }
                 return out;
             }},
            {"a walk", [](std::size_t n, Random& random) {
                 std::vector<double> out = autoregressive(0, n, random);
                 double level = 0;
                 for (double& value : out) {
                     level += 0.03 * normal(random);
                     value += level;
                 }
                 return out;
             }}};
}

Plan planned(MetricArm arm, Margin margin) {
    Plan plan;
    plan.name = "checkout";
    plan.interval = std::chrono::milliseconds(interval);
    plan.stages = {{.traffic = 0.5, .max = std::chrono::milliseconds(interval * static_cast<std::int64_t>(rollout))}};
    Metric& metric = plan.metrics.emplace_back();
    metric.name = "latency";
    metric.kind = Kind::gauge;
    metric.series = "latency";
    metric.arm = arm;
    metric.margin = margin;
    if (margin.ratio == 1.0) metric.detect = Margin{.ratio = 1.5};
    return plan;
}

void put(Batch& batch, Arm arm, const std::vector<double>& values, std::size_t from, std::size_t to, Random* own,
         double more = 0) {
    std::vector<std::int64_t> times;
    std::vector<double> levels;
    for (std::size_t i = from; i < to; ++i) {
        times.push_back(static_cast<std::int64_t>(i) * interval);
        levels.push_back(100 * std::exp(0.05 * (values[i] + more + (own ? 0.3 * normal(*own) : 0))));
    }
    batch.add("latency", arm, "", times, levels);
}

bool says(const std::vector<Reason>& reasons, Code code) {
    return std::any_of(reasons.begin(), reasons.end(), [&](const Reason& reason) { return reason.code == code; });
}

TEST(Decisions, ABaselineThatIsWellIsSeldomCalledSick) {
    for (const Family& family : families()) {
        for (const std::size_t history : {1440U, 2880U}) {
            Random random(1801);
            const int n = repetitions();
            int ever = 0, learned = 0;
            double looks = 0;
            for (int i = 0; i < n; ++i) {
                const std::vector<double> level = family.drawn(history + rollout, random);
                Batch past, now;
                put(past, Arm::baseline, level, 0, history, &random);
                put(past, Arm::canary, level, 0, history, &random);
                Plan plan = planned(MetricArm::both, {.ratio = 1.1});
                plan = with_noise(plan, calibrate(plan, past));
                if (!plan.noise.contains("latency") || !plan.noise.at("latency").baseline) continue;
                ++learned;
                put(now, Arm::baseline, level, history, history + rollout, &random);
                put(now, Arm::canary, level, history, history + rollout, &random);
                Monitor monitor(plan);
                bool found = false;
                for (std::size_t at = history; at < history + rollout; ++at) {
                    Batch part;
                    for (const ArmSeries& series : now.series) {
                        part.add(series.name, series.arm, "",
                                 std::vector<std::int64_t>{series.series.times_ms[at - history]},
                                 std::vector<double>{series.series.values[at - history]});
                    }
                    const Decision decision = monitor.observe(part, static_cast<std::int64_t>(at + 1) * interval);
                    const bool sick = says(decision.metrics[0].reasons, Code::sick_baseline);
                    found = found || sick;
                    looks += sick ? 1 : 0;
                }
                ever += found ? 1 : 0;
            }
            std::printf("sick, %s, history %d: ever %.3f, looks %.4f of %d (learned %d)\n", family.name,
                        static_cast<int>(history), double(ever) / n, looks / n / static_cast<double>(rollout), n,
                        learned);
            // (Of less than a day no range is kept.)
            EXPECT_LE(double(ever) / n, above(history > 1440 ? 0.05 : 0.25, n)) << family.name;
        }
    }
}

/// What is watched of a gauge has all of its alpha, whatever the noise is. The canary is as its baseline, or lies on its
/// margin (the edge of what is allowed) with spikes as its baseline; a bad one reads higher, or leaves its level more often.
TEST(Decisions, WhatIsWatchedOfAGaugeKeepsAlphaAndFindsHarm) {
    using gauge_world::Law;
    const std::vector<Law> laws{{.spikes = 0.02},
                                {.phi = 0.6, .spikes = 0.02},
                                {.phi = 0.9, .spikes = 0.02},
                                {.name = "log-normal", .spikes = 0.02},
                                {.name = "exponential", .phi = 0.6, .spikes = 0.02},
                                {.name = "Pareto 2.5", .spikes = 0.02},
                                {.name = "left", .spikes = 0.02}};
    constexpr std::size_t history = 2000, judged = 240;
    for (const Law& law : laws) {
        for (const Watch watch : {Watch::level, Watch::spikes, Watch::both}) {
            Random random(1803);
            const int n = repetitions();
            int same = 0, edge = 0, higher = 0, spiking = 0;
            for (int i = 0; i < n; ++i) {
                Plan plan = gauge_world::plan();
                plan.metrics[0].watch = watch;
                plan = with_noise(plan, calibrate(plan, gauge_world::pair(law, law, history, random)));
                const auto rolled_back = [&](double offset, double spikes) {
                    Law canary = law;
                    canary.offset = offset;
                    canary.spikes = spikes;
                    // A rollback stands, and evidence is asked after each interval: one look at the end sees every one.
                    const Batch data = gauge_world::pair(law, canary, judged, random);
                    return judge(plan, data).action == Action::rollback ? 1 : 0;
                };
                same += rolled_back(0, law.spikes);
                edge += rolled_back(1, law.spikes);
                higher += rolled_back(4, law.spikes);
                spiking += rolled_back(0, 0.4);
            }
            const auto share = [n](int of) { return static_cast<double>(of) / n; };
            std::printf("| %s, phi %g | %s | %.3f | %.3f | %.3f | %.3f |\n", law.name.c_str(), law.phi,
                        std::string(word(watch)).c_str(), share(same), share(edge), share(higher), share(spiking));
            std::fflush(stdout);
            const std::string what = law.name + " " + std::to_string(law.phi) + ", " + std::string(word(watch));
            EXPECT_LE(share(same), above(0.05, n)) << what;
            EXPECT_LE(share(edge), above(0.05, n)) << what;
            if (watch != Watch::spikes && law.phi < 0.9) {
                EXPECT_GE(share(higher), 0.9) << what;
            }
            if (watch != Watch::level && law.name == "normal" && law.phi < 0.9) {
                EXPECT_GE(share(spiking), 0.9) << what;
            }
        }
    }
}

TEST(Decisions, AMetricWithoutArmsSeldomHoldsForNothing) {
    for (const Family& family : families()) {
        for (const std::size_t days : {3U, 14U}) {
            Random random(1802);
            const int n = repetitions();
            const std::size_t history = days * 1440;
            int held = 0, found = 0, passed = 0, learned = 0;
            for (int i = 0; i < n; ++i) {
                const std::vector<double> level = family.drawn(history + 60 + rollout, random);
                Batch past;
                put(past, Arm::baseline, level, 0, history, nullptr);
                // At the margin's edge nothing is forgiven.
                Plan plan = planned(MetricArm::none, {.ratio = 1.0});
                plan = with_noise(plan, calibrate(plan, past));
                if (!plan.noise.contains("latency")) continue;
                ++learned;
                const auto verdict = [&](double more) {
                    Batch now;
                    put(now, Arm::baseline, level, history, history + 60, nullptr);
                    put(now, Arm::baseline, level, history + 60, history + 60 + rollout, nullptr, more);
                    Monitor monitor(plan);
                    monitor.enter_stage(1, static_cast<std::int64_t>(history + 60) * interval);
                    monitor.observe(now);
                    return monitor.flush().metrics[0].verdict;
                };
                const Verdict good = verdict(0);
                held += good == Verdict::fail ? 1 : 0;
                passed += good == Verdict::pass ? 1 : 0;
                found += verdict(6) == Verdict::fail ? 1 : 0;
            }
            std::printf("without arms, %s, %d days: held %.3f, passed %.3f, +35 %% held %.3f of %d (learned %d)\n",
                        family.name, static_cast<int>(days), double(held) / n, double(passed) / n, double(found) / n, n,
                        learned);
            EXPECT_LE(double(held) / n, above(0.07, n)) << family.name;
        }
    }
}

}  // namespace
}  // namespace serinus
