// Counts under "analysis": "fixed", simulated through judge: how often a canary on its margin fails, and how often it
// passes, in one look at the end. Fixed seeds. SERINUS_SIMULATION_SCALE multiplies the repetitions (4,000 at 1; 200
// without it). The table is in docs/concepts/fixed-look.md.
//
// A share that must stay below a level is asserted to be at most that level plus 4 standard errors of a share that is
// exactly there.

#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/rollout/monitor.hpp>

#include "support/repetitions.hpp"

namespace serinus {
namespace {

constexpr std::int64_t interval = 60'000;
constexpr int intervals = 31;

int repetitions() { return support::repetitions(200, 4000, 20); }

using Random = std::mt19937_64;

struct Cell {
    std::string name;
    Kind kind = Kind::proportion;
    double level = 0.01;  // of the baseline: a share, or events for one unit of exposure
    double n_b = 900, n_c = 100;
    Margin margin{.ratio = 1.5};
    Harm harm = Harm::increase;
    double phi = 1;  // of the counts, and known
    int metrics = 1;
    double drift = 0;     // of the logarithm of the level, both arms alike
    bool better = false;  // the canary is as the baseline, inside its margin
};

double count(double mean, double phi, Random& random) {
    if (!(mean > 0)) return 0;
    if (phi > 1) mean = std::gamma_distribution<double>(mean / (phi - 1), phi - 1)(random);
    return mean > 0 ? static_cast<double>(std::poisson_distribution<std::int64_t>(mean)(random)) : 0;
}

double on_edge(double level, const Margin& margin, Harm harm) {
    if (margin.ratio) return harm == Harm::decrease ? level / *margin.ratio : level * *margin.ratio;
    return harm == Harm::decrease ? level - *margin.difference : level + *margin.difference;
}

Plan plan_of(const Cell& cell, bool critical) {
    Plan plan;
    plan.name = "fixed";
    plan.analysis = Analysis::fixed;
    plan.interval = std::chrono::milliseconds(interval);
    plan.stages = {Stage{.traffic = cell.n_c / (cell.n_b + cell.n_c)}};
    for (int m = 0; m < cell.metrics; ++m) {
        Metric& metric = plan.metrics.emplace_back();
        metric.name = "m" + std::to_string(m);
        metric.kind = cell.kind;
        (cell.kind == Kind::rate ? metric.events : metric.bad) = "bad" + std::to_string(m);
        (cell.kind == Kind::rate ? metric.exposure : metric.total) = "total" + std::to_string(m);
        metric.margin = cell.margin;
        metric.harm = cell.harm;
        metric.critical = critical;
        if (cell.phi > 1) plan.noise[metric.name].dispersion = cell.phi;
    }
    return plan;
}

Batch world(const Cell& cell, const Margin& edge, Random& random) {
    Batch batch;
    for (int m = 0; m < cell.metrics; ++m) {
        for (const Arm arm : {Arm::baseline, Arm::canary}) {
            Series bad, total;
            for (int t = 0; t < intervals; ++t) {
                const double level = cell.level * std::exp(cell.drift * std::sin(t / 5.0));
                const double n = arm == Arm::canary ? cell.n_c : cell.n_b;
                const double of = arm == Arm::canary && !cell.better ? on_edge(level, edge, cell.harm) : level;
                for (Series* series : {&bad, &total}) series->times_ms.push_back(t * interval);
                double events = 0;
                if (cell.kind == Kind::proportion && cell.phi == 1) {
                    events = static_cast<double>(
                        std::binomial_distribution<std::int64_t>(static_cast<std::int64_t>(n), of)(random));
                } else {
                    events = count(n * of, cell.phi, random);
                }
                bad.values.push_back(cell.kind == Kind::proportion ? std::min(events, n) : events);
                total.values.push_back(n);
            }
            const double nan = std::numeric_limits<double>::quiet_NaN();
            batch.series.push_back({"bad" + std::to_string(m), arm, nan, std::move(bad)});
            batch.series.push_back({"total" + std::to_string(m), arm, nan, std::move(total)});
        }
    }
    return batch;
}

std::vector<Cell> cells() {
    const Margin none{.ratio = 1}, more{.ratio = {}, .difference = 0.01};
    std::vector<Cell> all{
        {.name = "1 %, 900:100"},
        {.name = "1 %, 100:100", .n_b = 100},
        {.name = "1 %, 100:100, any harm", .n_b = 100, .margin = none},
        {.name = ".05 %, 9900:100", .level = 0.0005, .n_b = 9900},
        {.name = "20 %, 900:100, difference .01", .level = 0.2, .margin = more},
        {.name = "1 %, 100:100, difference .01", .n_b = 100, .margin = more},
        {.name = "99 % that succeed, a decrease by .01", .level = 0.99, .margin = more, .harm = Harm::decrease},
        {.name = "1 %, 900:100, either", .margin = none, .harm = Harm::either},
        {.name = "1 % that swings, 900:100", .drift = 0.8},
        {.name = "1 %, 900:900, bunches of 5 (phi known)", .n_c = 900, .phi = 5},
        {.name = "1 %, 900:100, bunches of 10 (phi known)", .phi = 10},
        {.name = "five of them, 1 %, 900:100", .metrics = 5},
        {.name = "as the baseline, 1 %, 900:100", .better = true},
    };
    const auto rate = [&](Cell cell) {
        cell.kind = Kind::rate;
        all.push_back(cell);
    };
    rate({.name = "rate .5, 18:2", .level = 0.5, .n_b = 18, .n_c = 2});
    rate({.name = "rate .02, 18:2", .level = 0.02, .n_b = 18, .n_c = 2});
    rate({.name = "rate 5, 2:2, any harm", .level = 5, .n_b = 2, .n_c = 2, .margin = none});
    rate({.name = "rate 5, 18:2, a decrease", .level = 5, .n_b = 18, .n_c = 2, .harm = Harm::decrease});
    rate({.name = "rate 5, 18:2, bunches of 5 (phi known)", .level = 5, .n_b = 18, .n_c = 2, .phi = 5});
    return all;
}

TEST(FixedCounts, OnTheEdgeNothingIsDecidedAgainstATruth) {
    std::printf(
        "| counts, 31 intervals | failed, .05 | passed at the margin, .05 | passed at detect, .2 |\n"
        "|---|---|---|---|\n");
    const double n = repetitions();
    std::uint64_t seed = 61;
    for (const Cell& cell : cells()) {
        Random random(seed++);
        const bool any = cell.margin.ratio && *cell.margin.ratio == 1;
        const bool ruled_out = !any && !cell.better;  // a margin of nothing has no harm to rule out
        double failed = 0, passed = 0, passed_detect = 0;
        for (int i = 0; i < repetitions(); ++i) {
            Plan usual = plan_of(cell, false);
            if (any) {
                for (Metric& metric : usual.metrics) metric.detect = Margin{.ratio = 2};
            }
            const Batch now = world(cell, cell.margin, random);
            failed += judge(usual, now).action == Action::rollback ? 1 / n : 0;
            if (!ruled_out) continue;
            passed += judge(plan_of(cell, true), now).action == Action::promote ? 1 / n : 0;
            const Batch worse = world(cell, *effective_detect(usual.metrics[0]), random);
            passed_detect += judge(usual, worse).action == Action::promote ? 1 / n : 0;
        }
        std::printf("| %s | %.4f |", cell.name.c_str(), failed);
        if (ruled_out) {
            std::printf(" %.4f | %.4f |\n", passed, passed_detect);
        } else {
            std::printf(" | |\n");
        }
        std::fflush(stdout);
        const auto bound = [&](double level) { return level + 4 * std::sqrt(level * (1 - level) / n); };
        EXPECT_LE(failed, bound(0.05)) << cell.name;
        EXPECT_LE(passed, bound(0.05)) << cell.name;
        EXPECT_LE(passed_detect, bound(0.2)) << cell.name;
    }
}

}  // namespace
}  // namespace serinus
