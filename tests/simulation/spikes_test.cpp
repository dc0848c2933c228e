// Harm in fewer than half of the intervals, simulated: history is calibrated, then a gauge is judged after each of 480
// intervals. Fixed seeds. SERINUS_SIMULATION_SCALE multiplies the number of repetitions (2,000 at 1; 20 in the tests,
// where only gross failures show). The tables are in docs/adr/0013-spikes-are-counted-beside-the-level.md.

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/rollout/calibrate.hpp>
#include <serinus/rollout/monitor.hpp>
#include <serinus/rollout/spikes.hpp>

#include "support/gauge_world.hpp"
#include "support/repetitions.hpp"

namespace serinus {
namespace {

using gauge_world::Law;
using Random = gauge_world::Random;

constexpr std::size_t history = 2000, looks = 480;

int repetitions() { return support::repetitions(20, 2000); }

/// Four standard errors above a share.
double above(double share, int n) { return share + 4 * std::sqrt(share * (1 - share) / n) + 1e-12; }

struct World {
    const char* law;
    double phi;
    bool instances;     // nine of the baseline and one of the canary, history ten; else a pair
    double spread = 0;  // of the logarithm of how wide instances' noise is
};

Batch arms(const World& world, const Law& baseline, const Law& canary, bool rollout, std::size_t n, Random& random) {
    if (!world.instances) return gauge_world::pair(baseline, canary, n, random);
    return gauge_world::instances(baseline, canary, rollout ? 9 : 10, rollout ? 1 : 0, 0.3, world.spread, n, random);
}

bool by_spikes(const Decision& decision) {
    return std::any_of(decision.reasons.begin(), decision.reasons.end(),
                       [](const Reason& reason) { return reason.code == Code::spikes_proven; });
}

constexpr World worlds[] = {{"normal", 0, false},      {"normal", 0.6, false},     {"normal", 0.9, false},
                            {"log-normal", 0, false},  {"log-normal", 0.9, false}, {"Pareto 2.5", 0, false},
                            {"exponential", 0, false}, {"left", 0.6, false},       {"normal", 0, true},
                            {"normal", 0.6, true},     {"log-normal", 0.6, true},  {"exponential", 0, true},
                            {"normal", 0, true, 0.1},  {"normal", 0, true, 0.2},   {"log-normal", 0, true, 0.1}};

TEST(Spikes, AGoodCanaryIsRolledBackForThemWithinTheirPartOfAlpha) {
    Random random(1701);
    for (const World& world : worlds) {
        for (const Harm harm : {Harm::increase, Harm::either}) {
            const Law law{.name = world.law, .phi = world.phi};
            const std::vector<double> alphas{0.05, 0.01, 0.001};
            std::vector<int> found(alphas.size());
            const int n = repetitions();
            for (int i = 0; i < n; ++i) {
                // On the margin of ratio 1: nothing is forgiven.
                Plan plan = gauge_world::plan(harm, world.instances ? 0.1 : 0.5, {.ratio = 1.0, .difference = {}});
                plan.metrics[0].detect = Margin{.ratio = 1.2, .difference = {}};
                plan = with_noise(plan, calibrate(plan, arms(world, law, law, false, history, random)));
                const Batch now = arms(world, law, law, true, looks, random);
                for (std::size_t a = 0; a < alphas.size(); ++a) {
                    plan.alpha = alphas[a];
                    found[a] += by_spikes(judge(plan, now)) ? 1 : 0;
                }
            }
            std::printf("%s %.1f%s%s %s: %.4f %.4f %.4f of %d\n", world.law, world.phi,
                        world.instances ? ", instances" : "", world.spread > 0 ? " unlike" : "",
                        std::string(word(harm)).c_str(), double(found[0]) / n, double(found[1]) / n,
                        double(found[2]) / n, n);
            std::fflush(stdout);
            for (std::size_t a = 0; a < alphas.size(); ++a)
                EXPECT_LE(found[a], n * above(alphas[a] * spikes_alpha, n) + 1) << world.law << ' ' << alphas[a];
        }
    }
}

TEST(Spikes, SpikesAndAWiderSpreadArePromotedSeldomAndRolledBackMostly) {
    Random random(1702);
    for (const World& world : worlds) {
        if (world.spread > 0) continue;
        const bool quick = world.phi < 0.9;
        for (const bool wider : {false, true}) {
            const Law before{.name = world.law, .phi = world.phi, .spikes = wider ? 0 : 0.02};
            Law harmed = before;
            (wider ? harmed.scale : harmed.spikes) = wider ? 3 : 0.3;
            int back = 0, promoted = 0;
            std::vector<double> delays;
            const int n = std::min(repetitions(), 1000);
            for (int i = 0; i < n; ++i) {
                Plan plan = gauge_world::plan(Harm::increase, world.instances ? 0.1 : 0.5);
                plan = with_noise(plan, calibrate(plan, arms(world, before, before, false, history, random)));
                const Batch now = arms(world, before, harmed, true, looks, random);
                Monitor monitor(plan);
                // Promoted at any look, which ends it, or rolled back at one.
                for (std::size_t t = 0; t < looks; ++t) {
                    Batch step;
                    for (const ArmSeries& part : now.series) {
                        ArmSeries& one = step.series.emplace_back(part);
                        one.series.times_ms = {part.series.times_ms[t]};
                        one.series.values = {part.series.values[t]};
                    }
                    const Decision decision =
                        monitor.observe(step, static_cast<std::int64_t>(t + 1) * gauge_world::interval);
                    if (decision.action == Action::hold) continue;
                    (decision.action == Action::rollback ? back : promoted) += 1;
                    break;
                }
            }
            std::printf("%s %.1f%s, %s: rolled back %.3f, promoted %.3f of %d\n", world.law, world.phi,
                        world.instances ? ", instances" : "", wider ? "x 3 as wide" : "2 % -> 30 %", double(back) / n,
                        double(promoted) / n, n);
            std::fflush(stdout);
            if (!wider) {
                EXPECT_LE(promoted, n * above(0.05, n)) << world.law << world.phi;
                if (quick) {
                    EXPECT_GE(back, 0.8 * n) << world.law << world.phi;
                }
            }
        }
    }
}

}  // namespace
}  // namespace serinus
