// The promise for gauges whose data name their instances, simulated through Monitor: three gauges, one instance of the
// canary against a few of the baseline, 20 minutes, judged after each. Fixed seeds. SERINUS_SIMULATION_SCALE multiplies
// the number of repetitions (4,000 at 1; fewer in the tests, where only gross failures show). The table is in
// docs/concepts/promise.md.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/rollout/calibrate.hpp>
#include <serinus/rollout/monitor.hpp>

#include "support/repetitions.hpp"

namespace serinus {
using namespace std::chrono_literals;
namespace {

using Random = std::mt19937_64;

constexpr std::int64_t minute = 60'000;
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

int repetitions() { return support::repetitions(80, 4000); }

struct Cell {
    std::string what;
    double alpha = 0.05;
    int baseline = 3;
    bool replaced = false;  // history has one more, which the rollout has not
    int stages = 1;
    double tau = 0.1;    // of the instances' log levels
    bool heavy = false;  // these from Student's t on four degrees
    bool guard = false;
    double harm = 1;    // of the first gauge, times its margin
    bool good = false;  // all read what the baseline reads
    std::uint64_t seed = 1;
};

constexpr double margin = 1.25, phi = 0.6, deviation = 0.2;

Plan plan_of(const Cell& cell, int repetition) {
    Plan plan;
    plan.name = "simulation";
    plan.deployment = std::to_string(repetition);  // the virtual canaries of each are its own
    plan.alpha = cell.alpha;
    plan.interval = std::chrono::milliseconds(minute);
    for (int i = 0; i < cell.stages; ++i)
        plan.stages.push_back({.traffic = 0.25 * (i + 1), .min = 10min, .max = 20min});
    for (int g = 0; g < 3; ++g) {
        Metric metric;
        metric.name = metric.series = "gauge" + std::to_string(g);
        metric.kind = Kind::gauge;
        metric.margin = {.ratio = margin, .difference = {}};
        if (cell.guard) metric.instances_differ = 0.5;
        plan.metrics.push_back(metric);
    }
    return plan;
}

/// An instance's series: its own level, first-order autoregression, and what hits all alike.
void add(Batch& batch, const std::string& name, Arm arm, const std::string& instance, double level, int from, int to,
         Random& random) {
    std::normal_distribution<double> normal;
    ArmSeries& out = batch.series.emplace_back(ArmSeries{name, arm, nan, {{}, {}, instance}});
    double state = normal(random);
    for (int t = from; t < to; ++t) {
        state = phi * state + std::sqrt(1 - phi * phi) * normal(random);
        out.series.times_ms.push_back(t * minute);
        out.series.values.push_back(40 * std::exp(level + 0.3 * std::sin(t / 5.0) + deviation * state));
    }
}

struct Outcome {
    bool rolled_back = false, promoted = false;
    double after = 0;
};

Outcome run(const Cell& cell, int repetition) {
    Random random(1'000'003 * cell.seed + static_cast<std::uint64_t>(repetition));
    Plan plan = plan_of(cell, repetition);
    const int minutes = 20 * cell.stages;
    Batch history, all;
    std::normal_distribution<double> normal;
    std::student_t_distribution<double> heavy(4);
    for (int g = 0; g < 3; ++g) {
        const std::string name = "gauge" + std::to_string(g);
        const auto level = [&] { return cell.tau * (cell.heavy ? heavy(random) / std::sqrt(2.0) : normal(random)); };
        for (int i = 0; i < cell.baseline; ++i) {
            const double own = level();
            add(all, name, Arm::baseline, "b" + std::to_string(i), own, 0, minutes, random);
            if (cell.replaced) add(history, name, Arm::baseline, "b" + std::to_string(i), own, -20, 0, random);
        }
        if (cell.replaced) add(history, name, Arm::baseline, "gone", level(), -20, 0, random);
        const double harm = cell.good ? 0 : std::log(margin) + (g == 0 ? std::log(cell.harm) : 0);
        add(all, name, Arm::canary, "c0", level() + harm, 0, minutes, random);
    }
    if (cell.replaced) {
        const Calibration learned = calibrate(plan, history);
        for (const auto& [name, noise] : learned.noise) plan.noise[name].instances = noise.instances;
    }
    Monitor monitor(plan);
    Outcome outcome;
    for (int t = 0; t < minutes; ++t) {
        if (t % 20 == 0) monitor.enter_stage(t / 20 + 1, t * minute);
        Batch now;
        for (const ArmSeries& series : all.series) {
            ArmSeries& out = now.series.emplace_back(series);
            out.series.times_ms = {series.series.times_ms[static_cast<std::size_t>(t)]};
            out.series.values = {series.series.values[static_cast<std::size_t>(t)]};
        }
        const Decision decision = monitor.observe(now, (t + 1) * minute);
        outcome.promoted = outcome.promoted || decision.action == Action::promote;
        if (decision.action != Action::rollback) continue;
        outcome.rolled_back = true;
        outcome.after = t + 1;
        return outcome;
    }
    return outcome;
}

/// Shares of the rollouts that are ever rolled back, and that are ever promoted.
std::pair<double, double> shares(const Cell& cell) {
    const int runs = repetitions();
    int rolled_back = 0, promoted = 0;
    std::vector<double> after;
    for (int i = 0; i < runs; ++i) {
        const Outcome outcome = run(cell, i);
        rolled_back += outcome.rolled_back ? 1 : 0;
        promoted += outcome.promoted ? 1 : 0;
        after.push_back(outcome.rolled_back ? outcome.after : 1e9);
    }
    std::sort(after.begin(), after.end());
    const double median = after[after.size() / 2];
    std::printf("| %s | %.4f | %.4f | %s |\n", cell.what.c_str(), rolled_back / static_cast<double>(runs),
                promoted / static_cast<double>(runs),
                median < 1e9 ? std::to_string(static_cast<int>(median)).c_str() : "-");
    std::fflush(stdout);
    return {rolled_back / static_cast<double>(runs), promoted / static_cast<double>(runs)};
}

/// A share plus four standard errors.
double below(double share) { return share + 4 * std::sqrt(share * (1 - share) / repetitions()) + 1.0 / repetitions(); }

TEST(PodSimulation, OnItsMarginsACanaryIsRolledBackWithAtMostAlpha) {
    std::printf("| on the margin 1.25 | ever rolled back | ever promoted | median minute |\n");
    for (const Cell& cell :
         {Cell{.what = "1:3, alpha .05"}, Cell{.what = "1:3, alpha .01", .alpha = 0.01, .seed = 2},
          Cell{.what = "1:2 and a replaced one, alpha .05", .baseline = 2, .replaced = true, .seed = 3},
          Cell{.what = "1:3, two stages, alpha .05", .stages = 2, .seed = 4},
          Cell{.what = "1:3, t4, alpha .05", .tau = 0.3, .heavy = true, .seed = 5}}) {
        EXPECT_LE(shares(cell).first, below(cell.alpha)) << cell.what;
    }
}

TEST(PodSimulation, HarmIsFoundAndGoodCanariesArePromoted) {
    std::printf("| one gauge beyond its margin | ever rolled back | ever promoted | median minute |\n");
    EXPECT_GE(shares({.what = "1:3, x2", .harm = 2, .seed = 6}).first, 0.25);
    EXPECT_GE(shares({.what = "1:3, x8", .harm = 8, .seed = 7}).first, 0.9);
    EXPECT_GE(shares({.what = "1:3, x8, guard .5", .guard = true, .harm = 8, .seed = 8}).first, 0.9);
    // Detected is by default 1.25^2, 56 % more.
    const auto good = shares({.what = "1:4, tau .02, good", .baseline = 4, .tau = 0.02, .good = true, .seed = 9});
    EXPECT_LE(good.first, 0.05);
    EXPECT_GE(good.second, 0.6);
}

}  // namespace
}  // namespace serinus
