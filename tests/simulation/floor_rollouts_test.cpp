// The promises of a margin with a floor in whole rollouts, simulated: history is calibrated, then a rollout whose canary
// lies on the edge in every interval is judged by Monitor; gauges, and counts whose dispersion is learned. Fixed seeds. SERINUS_SIMULATION_SCALE multiplies the repetitions
// (4,000 at 1; 24 without it). The table is in docs/concepts/floor.md.
//
// A share that must stay below a level is asserted to be at most that level plus 4 standard errors of a share that is
// exactly there.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/rollout/calibrate.hpp>
#include <serinus/rollout/monitor.hpp>

#include "support/repetitions.hpp"

namespace serinus {
namespace {

constexpr std::int64_t interval = 10'000;
constexpr int looks = 240, history = 2000;
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

int repetitions() { return support::repetitions(24, 4000, 20); }

using Random = std::mt19937_64;
double normal(Random& random) { return std::normal_distribution<double>()(random); }

using Level = std::function<double(int)>;

struct Cell {
    const char* name;
    Level past, now;          // what the gauge reads without noise, in history and in the rollout
    double log_noise = 0.15;  // autoregressive at lag 1
    double own_noise = 0;     // in the gauge's unit
    double phi = 0.5;
    double tail = 0;    // degrees of freedom of Student's t instead of the normal law; 0: normal
    double idle = 0;    // share of intervals at 0
    int pods = 0;       // named instances an arm; 0: an arm is one series
    bool known = true;  // has a history; of pods it has eight others
    Harm harm = Harm::increase;
    bool burstier = false;  // its own noise triples where the level does
};

const Margin margin{.ratio = 1.5, .difference = {}, .floor = 10};

Plan plan_of(const Cell& cell, const Margin& of, bool critical, const Margin* detect = nullptr) {
    Plan plan;
    plan.name = "floor";
    plan.interval = std::chrono::milliseconds(interval);
    plan.stages = {Stage{.traffic = 0.5}};
    Metric metric;
    metric.name = "queue";
    metric.kind = Kind::gauge;
    metric.series = "queue";
    metric.harm = cell.harm;
    metric.margin = of;
    metric.critical = critical;
    if (detect) metric.detect = *detect;
    plan.metrics = {metric};
    return plan;
}

std::vector<double> drawn(const Cell& cell, const Level& level, int n, double own, Random& random) {
    std::vector<double> out;
    double state = normal(random);
    for (int t = 0; t < n; ++t) {
        state = cell.phi * state + std::sqrt(1 - cell.phi * cell.phi) * normal(random);
        double noise = state;
        if (cell.tail > 0) noise *= 1 / std::sqrt(std::chi_squared_distribution<double>(cell.tail)(random) / cell.tail);
        const double of_own = cell.own_noise * normal(random);
        double value = level(t) * std::exp(cell.log_noise * noise + own) + of_own;
        if (std::uniform_real_distribution<double>()(random) < cell.idle) value = 0;
        out.push_back(std::max(value, 0.0));
    }
    return out;
}

double on_edge(double value, const Margin& of, Harm harm) {
    if (harm == Harm::decrease) return std::max(0.0, std::min(value / *of.ratio, value - *of.floor));
    return std::max(*of.ratio * value, value + *of.floor);
}

void add(Batch& batch, Arm arm, const std::string& pod, const std::vector<double>& values) {
    Series series;
    for (std::size_t i = 0; i < values.size(); ++i) {
        series.times_ms.push_back(static_cast<std::int64_t>(i) * interval);
        series.values.push_back(values[i]);
    }
    series.instance = pod;
    batch.series.push_back({"queue", arm, nan, std::move(series)});
}

Batch world(const Cell& cell, const Level& level, int n, const Margin* edge, Random& random) {
    Batch batch;
    for (const Arm arm : {Arm::baseline, Arm::canary}) {
        const bool rollout = n == looks;
        if (cell.pods > 0 && !rollout && arm == Arm::canary) continue;
        const int pods = cell.pods == 0 ? 1 : rollout ? cell.pods : 8;
        for (int pod = 0; pod < pods; ++pod) {
            std::vector<double> values = drawn(cell, level, n, cell.pods > 0 ? 0.1 * normal(random) : 0, random);
            if (edge && arm == Arm::canary) {
                for (double& value : values) value = on_edge(value, *edge, cell.harm);
            }
            add(batch, arm, cell.pods > 0 ? (arm == Arm::canary ? "c" : "b") + std::to_string(pod) : "", values);
        }
    }
    return batch;
}

struct Shares {
    double harmed = 0, passed = 0, passed_detect = 0;
};

/// Verdicts are latched after every interval, whatever is handed over at once; a promotion is not, so the rollout is
/// played look by look until it comes.
bool ever(const Plan& plan, const Batch& batch, Action wanted) {
    Monitor monitor(plan);
    for (int t = 0; t < looks; ++t) {
        Batch one;
        for (const ArmSeries& of : batch.series) {
            const auto i = static_cast<std::size_t>(t);
            one.series.push_back(
                {of.name, of.arm, nan, {{of.series.times_ms[i]}, {of.series.values[i]}, of.series.instance}});
        }
        if (monitor.observe(one, (t + 1) * interval).action == wanted) return true;
    }
    return false;
}

Shares simulate(const Cell& cell, std::uint64_t seed) {
    Random random(seed);
    const Plan critical = plan_of(cell, margin, true), usual = plan_of(cell, margin, false);
    const Margin detect = *effective_detect(usual.metrics[0]);
    Shares shares;
    for (int i = 0; i < repetitions(); ++i) {
        const Batch past = world(cell, cell.past, history, nullptr, random);
        const Batch now = world(cell, cell.now, looks, &margin, random);
        const Batch worse = world(cell, cell.now, looks, &detect, random);
        const Plan known = cell.known ? with_noise(critical, calibrate(critical, past)) : critical;
        Plan other = usual;
        other.noise = known.noise;
        const double each = 1.0 / repetitions();
        shares.harmed += judge(known, now).action == Action::rollback ? each : 0;
        shares.passed += ever(known, now, Action::promote) ? each : 0;
        shares.passed_detect += ever(other, worse, Action::promote) ? each : 0;
    }
    return shares;
}

Level flat(double level) {
    return [=](int) { return level; };
}
Level swings(double low, double high) {
    return [=](int t) { return low * std::pow(high / low, 0.5 + 0.5 * std::sin(t / 8.0)); };
}

std::vector<Cell> cells() {
    std::vector<Cell> all;
    const auto add = [&](const char* name, const Level& past, const Level& now) -> Cell& {
        all.push_back(Cell{.name = name, .past = past, .now = now});
        return all.back();
    };
    add("level 2", flat(2), flat(2));
    add("level 20, where both lines meet", flat(20), flat(20));
    add("level 100", flat(100), flat(100));
    add("swings from 5 to 80", swings(5, 80), swings(5, 80));
    add("history at 5, rollout at 80", flat(5), flat(80));
    add("history at 80, rollout at 5", flat(80), flat(5));
    add("jumps from 5 to 80 in the rollout", flat(5), [](int t) { return t < 100 ? 5.0 : 80.0; });
    Cell& own = add("level 3, noise 1 of its own", flat(3), flat(3));
    own.log_noise = 0;
    own.own_noise = 1;
    Cell& lower = add("history at 80, rollout at 5, noise 2 of its own", flat(80), flat(5));
    lower.own_noise = 2;
    Cell& heavy = add("level 20, Student's t on 3", flat(20), flat(20));
    heavy.tail = 3;
    Cell& idle = add("level 15, 0 in 7 of 10 intervals", flat(15), flat(15));
    idle.idle = 0.7;
    add("level 10, lag-1 correlation .9", flat(10), flat(10)).phi = 0.9;
    Cell& fewer = add("a decrease, level 40", flat(40), flat(40));
    fewer.harm = Harm::decrease;
    Cell& near = add("a decrease, swings from 15 to 80", swings(15, 80), swings(15, 80));
    near.harm = Harm::decrease;
    add("3:3 pods, level 5", flat(5), flat(5)).pods = 3;
    add("3:3 pods, level 20", flat(20), flat(20)).pods = 3;
    add("3:3 pods, history at 5, rollout at 80", flat(5), flat(80)).pods = 3;
    for (const double level : {5.0, 20.0, 80.0}) {
        Cell& alone = add(level < 10   ? "3:3 pods, no history, level 5"
                          : level < 50 ? "3:3 pods, no history, level 20"
                                       : "3:3 pods, no history, level 80",
                          flat(level), flat(level));
        alone.pods = 3;
        alone.known = false;
    }
    return all;
}

TEST(FlooredGauges, OnTheEdgeNothingIsDecidedAgainstATruth) {
    const double n = repetitions();
    std::printf(
        "| gauge, margin {1.5, 10} | ever harm, .05 | ever passed, .05 | passed at detect, .2 |\n|---|---|---|---|\n");
    std::uint64_t seed = 31;
    for (const Cell& cell : cells()) {
        const Shares shares = simulate(cell, seed++);
        std::printf("| %s | %.4f | %.4f | %.4f |\n", cell.name, shares.harmed, shares.passed, shares.passed_detect);
        std::fflush(stdout);
        const auto bound = [&](double level) { return level + 4 * std::sqrt(level * (1 - level) / n); };
        EXPECT_LE(shares.harmed, bound(0.05)) << cell.name;
        EXPECT_LE(shares.passed, bound(0.05)) << cell.name;
        EXPECT_LE(shares.passed_detect, bound(0.2)) << cell.name;
    }
}

/// Harm as often as not when it is there, and a clean service let go.
TEST(FlooredGauges, HarmIsFoundAndGoodIsLetGo) {
    std::printf(
        "| gauge, margin {1.5, 10} | harm of twice what is allowed found | as the baseline: promoted "
        "|\n|---|---|---|\n");
    std::uint64_t seed = 71;
    for (const Cell& cell : cells()) {
        Random random(seed++);
        const Plan plan = plan_of(cell, margin, false);
        double found = 0, let_go = 0;
        const int n = std::max(10, repetitions() / 4);
        const Margin twice{.ratio = 2, .difference = {}, .floor = 20};
        for (int i = 0; i < n; ++i) {
            Plan known = plan;
            if (cell.known) known = with_noise(plan, calibrate(plan, world(cell, cell.past, history, nullptr, random)));
            found += judge(known, world(cell, cell.now, looks, &twice, random)).action == Action::rollback ? 1 : 0;
            let_go += ever(known, world(cell, cell.now, looks, nullptr, random), Action::promote) ? 1 : 0;
        }
        std::printf("| %s | %.3f | %.3f |\n", cell.name, found / n, let_go / n);
        std::fflush(stdout);
    }
}

// ---- counts whose dispersion history teaches

struct Bunches {
    const char* name;
    double past, now;  // shares of the baseline, in history and in the rollout
    double n_b, n_c, phi;
    bool promised = true;  // history has shown how events bunch
};

/// How often the edge is decided against with phi learned from 1,000 intervals.
TEST(FlooredCounts, WithALearnedDispersionTheEdgeIsRarelyDecidedAgainst) {
    const Margin floor{.ratio = 1.5, .difference = {}, .floor = 0.001};
    std::printf(
        "| counts, margin {1.5, .001}, phi learned | harm, .05 | passed, .05 | median phi |\n|---|---|---|---|\n");
    std::uint64_t seed = 51;
    for (const Bunches& cell : {Bunches{"1 %, 900:100, bunches of 10", 0.01, 0.01, 900, 100, 10},
                                Bunches{".2 %, 1000:1000, bunches of 5", 0.002, 0.002, 1000, 1000, 5},
                                Bunches{".05 %, 900:900, bunches of 5", 0.0005, 0.0005, 900, 900, 5},
                                Bunches{".01 %, 900:900, bunches of 5", 0.0001, 0.0001, 900, 900, 5},
                                Bunches{".01 %, 900:900, independent", 0.0001, 0.0001, 900, 900, 1},
                                Bunches{"silent, 900:900, bunches of 5", 0, 0, 900, 900, 5, false},
                                Bunches{"silent, 900:900, independent", 0, 0, 900, 900, 1, false}}) {
        Random random(seed++);
        const auto count = [&](double mean) {
            if (!(mean > 0)) return 0.0;
            if (cell.phi > 1) mean = std::gamma_distribution<double>(mean / (cell.phi - 1), cell.phi - 1)(random);
            return mean > 0 ? static_cast<double>(std::poisson_distribution<int>(mean)(random)) : 0;
        };
        const auto world = [&](int n, double share, bool on_it) {
            Batch batch;
            for (const Arm arm : {Arm::baseline, Arm::canary}) {
                const double size = arm == Arm::canary ? cell.n_c : cell.n_b;
                Series bad, total;
                for (int t = 0; t < n; ++t) {
                    for (Series* series : {&bad, &total}) series->times_ms.push_back(t * interval);
                    const double p = on_it && arm == Arm::canary ? on_edge(share, floor, Harm::increase) : share;
                    bad.values.push_back(std::min(size, count(size * p)));
                    total.values.push_back(size);
                }
                batch.series.push_back({"bad", arm, nan, std::move(bad)});
                batch.series.push_back({"total", arm, nan, std::move(total)});
            }
            return batch;
        };
        Plan plan;
        plan.name = "floor";
        plan.interval = std::chrono::milliseconds(interval);
        plan.stages = {Stage{.traffic = cell.n_c / (cell.n_b + cell.n_c)}};
        Metric& metric = plan.metrics.emplace_back();
        metric.name = "errors";
        metric.bad = "bad";
        metric.total = "total";
        metric.margin = floor;
        metric.critical = true;
        const int n = repetitions();
        double harmed = 0, passed = 0;
        std::vector<double> phi;
        for (int i = 0; i < n; ++i) {
            const Plan known = with_noise(plan, calibrate(plan, world(1000, cell.past, false)));
            const auto found = known.noise.find("errors");
            phi.push_back(found == known.noise.end() ? 0 : found->second.dispersion.value_or(0));
            const Batch now = world(looks, cell.now, true);
            const Decision decision = judge(known, now);
            harmed += decision.action == Action::rollback ? 1.0 / n : 0;
            passed += ever(known, now, Action::promote) ? 1.0 / n : 0;
            EXPECT_EQ(decision.guarantee, cell.promised ? Guarantee::measured : Guarantee::none) << cell.name;
        }
        std::nth_element(phi.begin(), phi.begin() + n / 2, phi.end());
        std::printf("| %s | %.4f | %.4f | %.1f |\n", cell.name, harmed, passed, phi[static_cast<std::size_t>(n / 2)]);
        std::fflush(stdout);
        const auto bound = [&](double level) { return level + 4 * std::sqrt(level * (1 - level) / n); };
        if (!cell.promised) continue;
        EXPECT_LE(harmed, bound(0.05)) << cell.name;
        EXPECT_LE(passed, bound(0.05)) << cell.name;
    }
}

}  // namespace
}  // namespace serinus
