// The promises of whole rollouts, simulated through Monitor: metrics of every kind and an objective together, three stages
// into which traffic is ramped, a look after every interval, noise learned from a history that is drawn anew for each
// rollout. Fixed seeds. SERINUS_SIMULATION_SCALE multiplies the repetitions (4,000 at 1; 24 without it, where only gross
// failures show). The tables are in docs/concepts/promise.md and docs/concepts/detection.md.
//
// A share that must stay below a level is asserted to be at most that level plus 4 standard errors of a share that is
// exactly there.

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/rollout/calibrate.hpp>
#include <serinus/rollout/monitor.hpp>

#include "support/mixed_world.hpp"
#include "support/repetitions.hpp"

namespace serinus {
namespace {

using mixed_world::Family;
using mixed_world::interval;
using mixed_world::Random;
using mixed_world::Service;

constexpr int history_intervals = 1000;
constexpr std::int64_t stage_intervals = 60, ramp = 6;

int repetitions() { return support::repetitions(24, 4000, 4); }

std::vector<Family> families() {
    return {{},
            {.name = "ar .6", .phi = 0.6},
            {.name = "sig .9", .noise = "sig", .phi = 0.9},
            {.name = "ma 8", .noise = "ma", .phi = 1},
            {.name = "over-dispersed, 5", .dispersion = 5},
            {.name = "heavy-tailed, t on 3", .tail = 3},
            {.name = "drifting", .drift = 0.5},
            {.name = "20 % missing", .missing = 0.2},
            {.name = "arms restart", .restarts = true},
            {.name = "late data", .late = 0.1},
            {.name = "all of it",
             .phi = 0.6,
             .tail = 5,
             .dispersion = 3,
             .drift = 0.3,
             .missing = 0.1,
             .restarts = true,
             .late = 0.05}};
}

struct Outcome {
    bool rolled_back = false;
    std::array<bool, 3> promoted{};  // by stage

    bool promoted_once() const { return promoted[0] || promoted[1] || promoted[2]; }
};

/// One rollout, look by look: stages are entered when their time is over, and traffic ramps up into them.
Outcome rollout(const Plan& plan, const Family& family, const std::vector<double>& times, Random& random) {
    Service service(plan, family, times, random);
    Monitor monitor(plan);
    Outcome outcome;
    double before = 0.001;
    for (std::size_t stage = 0; stage < plan.stages.size(); ++stage) {
        const double share = plan.stages[stage].traffic;
        if (stage > 0) monitor.enter_stage(static_cast<int>(stage) + 1, service.now_ms());
        bool& promoted = outcome.promoted[stage];
        for (std::int64_t t = 0; t < stage_intervals; ++t) {
            const double now = std::min(1.0, static_cast<double>(t + 1) / ramp);
            const Batch batch = service.next(before + (share - before) * now);
            const Decision decision = monitor.observe(batch, service.now_ms());
            promoted = promoted || decision.action == Action::promote;
            if (decision.action == Action::rollback) {
                outcome.rolled_back = true;
                return outcome;
            }
        }
        before = share;
    }
    return outcome;
}

/// The plan with its history's noise. A history so wild that no release could pass the objective gives a plan that is
/// refused: then another is drawn.
Plan known(const Plan& plan, const Family& family, Random& random) {
    for (;;) {
        const Batch past = mixed_world::history(plan, family, 0.2, history_intervals, random);
        try {
            Plan learned = with_noise(plan, calibrate(plan, past));
            check(learned);
            return learned;
        } catch (const Error& error) {
            if (error.code() != Code::plan_value) throw;
            std::printf("(refused: %s)\n", error.what());
        }
    }
}

double bound(double level, double n) { return level + 4 * std::sqrt(level * (1 - level) / n); }

/// One family of noise each.
class Mixed : public testing::TestWithParam<std::size_t> {
  protected:
    const Family family = families()[GetParam()];
};
INSTANTIATE_TEST_SUITE_P(Families, Mixed, testing::Range(std::size_t{0}, families().size()));

TEST_P(Mixed, AGoodCanaryIsRarelyRolledBack) {
    Random random(5100 + GetParam());
    const int n = repetitions();
    double rolled_back = 0, promoted = 0;
    for (int i = 0; i < n; ++i) {
        const Plan plan = known(mixed_world::plan(), family, random);
        const Outcome found = rollout(plan, family, {}, random);
        rolled_back += found.rolled_back ? 1.0 / n : 0;
        promoted += found.promoted_once() ? 1.0 / n : 0;
    }
    std::printf("| noise | ever rolled back at .05 | promoted in some stage |\n| %s | %.4f | %.3f | (%d rollouts)\n",
                family.name.c_str(), rolled_back, promoted, n);
    EXPECT_LE(rolled_back, bound(0.05, n)) << family.name;
}

// One metric after the other lies on its margin and is critical, so that harm beyond it must be ruled out; the others are
// as the baseline. What is promised of a promotion is so of each visit of a stage.
TEST_P(Mixed, OnItsMarginACanaryIsRarelyPromotedAndRarelyRolledBack) {
    Random random(5200 + GetParam());
    const Plan plain = mixed_world::plan(false);
    const std::size_t metrics = plain.metrics.size();
    const int each = std::max(1, repetitions() / static_cast<int>(metrics));
    const double n = each * static_cast<double>(metrics);
    double rolled_back = 0, promoted = 0;
    std::vector<double> by_metric(metrics);
    std::array<double, 3> by_stage{};
    for (int i = 0; i < each; ++i) {
        for (std::size_t m = 0; m < metrics; ++m) {
            Plan plan = plain;
            plan.metrics[m].critical = true;
            std::vector<double> times(metrics, 1);
            times[m] = *plan.metrics[m].margin.ratio;
            const Outcome found = rollout(known(plan, family, random), family, times, random);
            rolled_back += found.rolled_back ? 1 / n : 0;
            promoted += found.promoted_once() ? 1 / n : 0;
            by_metric[m] += found.promoted_once() ? 1.0 / each : 0;
            for (std::size_t s = 0; s < 3; ++s) by_stage[s] += found.promoted[s] ? 1 / n : 0;
        }
    }
    std::printf(
        "| noise | ever promoted in three stages, one metric on its margin | by stage, .05 | ever rolled back, .05 |\n"
        "| %s | %.4f (",
        family.name.c_str(), promoted);
    for (std::size_t m = 0; m < metrics; ++m)
        std::printf("%s%s %.3f", m > 0 ? ", " : "", plain.metrics[m].name.c_str(), by_metric[m]);
    std::printf(") | %.4f, %.4f, %.4f | %.4f | (%.0f rollouts)\n", by_stage[0], by_stage[1], by_stage[2], rolled_back,
                n);
    EXPECT_LE(rolled_back, bound(0.05, n)) << family.name;
    for (const double share : by_stage) EXPECT_LE(share, bound(0.05, n)) << family.name;
    // Three visits are three chances.
    for (std::size_t m = 0; m < metrics; ++m)
        EXPECT_LE(by_metric[m], bound(0.15, each)) << family.name << ", " << plain.metrics[m].name;
}

// How soon: one stage of an hour at that share of the traffic, from the first interval on.
TEST(MixedDelays, HowSoonHarmIsFound) {
    struct Harm {
        const char* name;
        std::size_t metric;
        double times;
    };
    const std::vector<Harm> harms{
        {"errors 1 % -> 2 %", 0, 2}, {"latency + 10 %", 3, 1.1}, {"latency + 25 %", 3, 1.25}, {"none", 0, 1}};
    constexpr std::int64_t hour = 360;
    std::printf(
        "| noise | harm | traffic | found within an hour | minutes, median | minutes, 9 of 10 |\n"
        "|---|---|---|---|---|---|\n");
    std::uint64_t seed = 5300;
    for (const Family& family : {Family{}, Family{.name = "ar .6", .phi = 0.6}}) {
        for (const Harm& harm : harms) {
            for (const double traffic : {0.01, 0.1, 0.5}) {
                Random random(seed++);
                const int n = std::max(4, repetitions() / 8);
                std::vector<double> minutes;
                for (int i = 0; i < n; ++i) {
                    Plan plan = mixed_world::plan(false);
                    plan.stages = {{.traffic = traffic}};
                    plan.warm_up = plan.settle = std::chrono::milliseconds(0);
                    plan = with_noise(plan, calibrate(plan, mixed_world::history(plan, family, traffic, 1440, random)));
                    std::vector<double> times(plan.metrics.size(), 1);
                    times[harm.metric] = harm.times;
                    Service service(plan, family, times, random);
                    Monitor monitor(plan);
                    double found = std::numeric_limits<double>::infinity();
                    for (std::int64_t t = 0; t < hour && std::isinf(found); ++t) {
                        const Batch batch = service.next(traffic);
                        if (monitor.observe(batch, service.now_ms()).action == Action::rollback)
                            found = static_cast<double>(service.now_ms()) / 60'000;
                    }
                    minutes.push_back(found);
                }
                std::sort(minutes.begin(), minutes.end());
                const auto at = [&](double q) {
                    const double value = minutes[static_cast<std::size_t>(q * static_cast<double>(n - 1))];
                    return std::isinf(value) ? std::string("-") : std::to_string(value).substr(0, 4);
                };
                const auto found = std::count_if(minutes.begin(), minutes.end(), [](double m) { return m < 1e9; });
                const double share = static_cast<double>(found) / n;
                std::printf("| %s | %s | %g %% | %.3f | %s | %s |\n", family.name.c_str(), harm.name, 100 * traffic,
                            share, at(0.5).c_str(), at(0.9).c_str());
                std::fflush(stdout);
                if (harm.times == 1) {
                    EXPECT_LE(share, bound(0.05, n)) << family.name << ", " << traffic;
                }
            }
        }
    }
}

}  // namespace
}  // namespace serinus
