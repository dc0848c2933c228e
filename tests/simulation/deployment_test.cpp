// The promises on error budgets, simulated: bounds of the excess under peeking, and rollouts of a good canary with
// objectives. Fixed seeds; SERINUS_SIMULATION_SCALE multiplies the number of repetitions (4,000 at 1;
// a quarter of them for whole rollouts). A share that
// must stay below a level is asserted to be at most that level; its upper bound (4 standard errors) is printed beside
// it.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <functional>
#include <limits>
#include <random>
#include <string>

#include <gtest/gtest.h>

#include <serinus/rollout/monitor.hpp>
#include <serinus/slo/excess_sequence.hpp>

#include "support/repetitions.hpp"

namespace serinus {
using namespace std::chrono_literals;
namespace {

int repetitions() { return support::repetitions(4000, 4000); }

void expect_at_most(const std::string& what, int count, double level, double n = repetitions()) {
    const double share = count / n;
    std::printf("| %-72s | %.4f (below %.4f) |\n", what.c_str(), share,
                share + 4 * std::sqrt(std::max(share * (1 - share), 1 / n) / n));
    EXPECT_LE(share, level) << what;
}

struct Cell {
    const char* name;
    int n_b, n_c;
    std::function<std::pair<double, double>(int)> rates;  // of interval t
};

int draw(int n, double p, std::mt19937_64& random) { return std::binomial_distribution<int>(n, p)(random); }

// Rates drift, harm comes and goes: the excess has no constant ratio and no constant difference.
TEST(Deployment, BoundsOfTheExcessHoldAtEveryLook) {
    unsigned seed = 2100;
    for (const Cell& cell : {Cell{"A/A 1 %, 900:100", 900, 100, [](int) { return std::pair(0.01, 0.01); }},
                             Cell{"1 % and 3 %, 900:100", 900, 100, [](int) { return std::pair(0.01, 0.03); }},
                             Cell{"2 % swinging by 90 %, canary x3 and x0.5 in turns, 100:100", 100, 100,
                                  [](int t) {
                                      const double rate = 0.02 * (1 + 0.9 * std::sin(t / 7.0));
                                      return std::pair(rate, rate * (t % 50 < 25 ? 3 : 0.5));
                                  }},
                             Cell{"1 % and 2 %, 100:900", 100, 900, [](int) { return std::pair(0.01, 0.02); }}}) {
        std::mt19937_64 random(seed++);
        int low = 0, high = 0, stopped = 0;
        for (int i = 0; i < repetitions(); ++i) {
            slo::ExcessSequence excess({.alpha_lower = 0.05, .alpha_upper = 0.05});
            double truth = 0;
            bool below = false, above = false;
            const int stop = 1 + static_cast<int>(random() % 100);
            for (int t = 0; t < 100; ++t) {
                const auto [p_b, p_c] = cell.rates(t);
                excess.update({draw(cell.n_b, p_b, random), cell.n_b}, {draw(cell.n_c, p_c, random), cell.n_c});
                truth += cell.n_c * (p_c - p_b);
                // e-values at the truth reach 1/alpha exactly where the bounds pass it.
                const bool over = excess.log_e_value_above(truth) >= std::log(20);
                const bool under = excess.log_e_value_below(truth) >= std::log(20);
                below = below || over;
                above = above || under;
                if (t + 1 == stop && (over || under)) ++stopped;
            }
            low += below;
            high += above;
        }
        expect_at_most(std::string(cell.name) + ": lower bound ever wrong", low, 0.05);
        expect_at_most(std::string(cell.name) + ": upper bound ever wrong", high, 0.05);
        expect_at_most(std::string(cell.name) + ": either wrong at a random stop", stopped, 0.1);
    }
}

// Negative binomial counts, phi times as variable as independent requests, phi known: bounds of the excess that the
// mean rates bring.
TEST(Deployment, BoundsOfTheExcessHoldForScatteredCounts) {
    constexpr int size_b = 900, size_c = 100;
    constexpr double rate = 0.01;
    unsigned seed = 2150;
    for (const double phi : {2.0, 5.0, 10.0}) {
        for (const double ratio : {1.0, 3.0}) {
            std::mt19937_64 random(seed++);
            const auto scattered = [&](double mean) {
                const double level = std::gamma_distribution<double>(mean / (phi - 1), phi - 1)(random);
                return level > 0 ? std::poisson_distribution<int>(level)(random) : 0;
            };
            int low = 0, high = 0;
            for (int i = 0; i < repetitions(); ++i) {
                slo::ExcessSequence excess({.alpha_lower = 0.05, .alpha_upper = 0.05, .dispersion = phi});
                double truth = 0;
                bool below = false, above = false;
                for (int t = 0; t < 100; ++t) {
                    const int x_b = std::min(size_b, scattered(size_b * rate));
                    const int x_c = std::min(size_c, scattered(size_c * rate * ratio));
                    excess.update({x_b, size_b}, {x_c, size_c});
                    truth += size_c * rate * (ratio - 1);
                    below = below || excess.log_e_value_above(truth) >= std::log(20);
                    above = above || excess.log_e_value_below(truth) >= std::log(20);
                }
                low += below;
                high += above;
            }
            char name[80];
            std::snprintf(name, sizeof name, "1 %% x%g, 900:100, phi %g known", ratio, phi);
            expect_at_most(std::string(name) + ": lower bound ever wrong", low, 0.05);
            expect_at_most(std::string(name) + ": upper bound ever wrong", high, 0.05);
        }
    }
}

constexpr std::int64_t interval = 10'000;

/// One stage, one proportion.
Plan plan_of(double traffic, double ratio) {
    Plan plan;
    plan.name = "simulation";
    plan.interval = std::chrono::milliseconds(interval);
    plan.stages = {{.traffic = traffic}};
    Metric& metric = plan.metrics.emplace_back();
    metric.name = "errors";
    metric.bad = "bad";
    metric.total = "total";
    metric.margin = {.ratio = ratio, .difference = {}};
    return plan;
}

/// What interval t brings of each arm.
Batch batch_of(int t, int bad_b, int n_b, int bad_c, int n_c) {
    Batch batch;
    const auto add = [&](const char* series, Arm arm, double value) {
        batch.series.push_back({series, arm, std::numeric_limits<double>::quiet_NaN(), {{t * interval}, {value}, ""}});
    };
    add("bad", Arm::baseline, bad_b);
    add("total", Arm::baseline, n_b);
    add("bad", Arm::canary, bad_c);
    add("total", Arm::canary, n_c);
    return batch;
}

/// Is a canary like its baseline ever rolled back? The metric is judged too; expected events are few, so that the cap
/// is near what luck alone brings.
TEST(Deployment, AGoodCanaryIsRarelyRolledBackWithObjectivesOn) {
    Plan plan = plan_of(0.5, 1);
    plan.metrics[0].detect = Margin{.ratio = 2.0, .difference = {}};
    SloRule rule;
    rule.objective = {.name = "availability", .budget = 0.01, .expected_events = 5000};
    rule.metric = "errors";
    rule.halt_window = 4h;
    plan.slo = {rule, rule};
    plan.slo[1].objective.name = "strict";
    plan.slo[1].weight = 2;
    plan.slo[1].max_budget_per_release = 0.25;
    int rolled_back = 0, by_objective = 0;
    std::mt19937_64 random(2200);
    const int rollouts = std::max(1, repetitions() / 4);  // a rollout costs as much as a hundred sequences
    for (int i = 0; i < rollouts; ++i) {
        Monitor monitor(plan);
        Decision decision;
        for (int t = 0; t < 60; ++t) {
            const int bad_b = draw(100, 0.02, random), bad_c = draw(100, 0.02, random);
            decision = monitor.observe(batch_of(t, bad_b, 100, bad_c, 100), (t + 1) * interval);
            if (decision.action == Action::rollback) break;
        }
        rolled_back += decision.action == Action::rollback;
        by_objective += std::any_of(decision.burn.begin(), decision.burn.end(),
                                    [](const BurnResult& burn) { return burn.verdict == Verdict::fail; });
    }
    expect_at_most("A/A 2 %, 100:100, a metric and two objectives: ever rolled back", rolled_back, 0.05, rollouts);
    expect_at_most("the same: by an objective", by_objective, 0.05 * 3 / 4, rollouts);
}

/// A release that uses up exactly what it may, `max_budget_per_release`, and never more: looked at after every interval
/// through the Monitor, the cap rolls it back with probability at most its part of alpha, half of the objective's.
/// And what the Monitor reports of the share is right at whatever look somebody stops.
TEST(Deployment, TheCapIsHeldAtItsEdgeThroughTheMonitor) {
    constexpr int looks = 100, n_b = 900, n_c = 100;
    constexpr double base = 0.01, cap = 100;  // bad events beyond the baseline's: a fifth of 0.01 x 50,000
    struct Edge {
        const char* name;
        int until;  // the cap is reached evenly by then; from there on the canary is like its baseline
        double weight;
    };
    unsigned seed = 2300;
    for (const Edge& edge :
         {Edge{"reached after 20 looks, then on the edge", 20, 1}, Edge{"reached at the last look", looks, 1},
          Edge{"after 20 looks, a third of alpha", 20, 0.5}}) {
        Plan plan = plan_of(0.1, 2);
        plan.metrics[0].muted = true;
        SloRule rule;
        rule.objective = {.name = "availability", .budget = 0.01, .expected_events = 50'000};
        rule.metric = "errors";
        rule.max_budget_per_release = 0.2;
        rule.weight = edge.weight;
        rule.halt_window = 6h;  // 60 % of requests: out of reach
        plan.slo = {rule};
        if (edge.weight < 1) {  // another objective, which stays far from its cap, has two thirds of alpha
            plan.slo.push_back(rule);
            plan.slo[1].objective.name = "wide";
            plan.slo[1].objective.expected_events = 1e9;
            plan.slo[1].weight = 1;
        }
        const double alpha = slo_alpha_split(plan)[0];
        ASSERT_NEAR(alpha, edge.weight == 1 ? 0.05 : 0.05 / 3, 1e-15);
        const double all = rule.objective.budget * *rule.objective.expected_events;

        std::mt19937_64 random(seed++);
        int halted = 0, passed = 0, low = 0, high = 0, stopped = 0;
        const int rollouts = std::max(1, repetitions() / 4);
        for (int i = 0; i < rollouts; ++i) {
            Monitor monitor(plan);
            const int stop = 1 + static_cast<int>(random() % looks);
            double truth = 0;
            bool halts = false, passes = false, below = false, above = false;
            for (int t = 0; t < looks && !halts; ++t) {
                const double more = t < edge.until ? cap / edge.until / n_c : 0;
                const int bad_b = draw(n_b, base, random), bad_c = draw(n_c, base + more, random);
                const Batch batch = batch_of(t, bad_b, n_b, bad_c, n_c);
                truth += n_c * more;
                const BurnResult burn = monitor.observe(batch, (t + 1) * interval).burn[0];
                // The sum of the rates rounds: what is meant is a share of exactly the cap.
                const double share = std::min(truth, cap) / all;
                const bool over = burn.share.lower > share * (1 + 1e-9), under = burn.share.upper < share * (1 - 1e-9);
                halts = burn.verdict == Verdict::fail;
                passes = passes || (t + 1 >= edge.until && burn.verdict == Verdict::pass);
                below = below || over;
                above = above || under;
                if ((t + 1 == stop || (halts && t + 1 < stop)) && (over || under)) ++stopped;
            }
            halted += halts;
            passed += passes;
            low += below;
            high += above;
        }
        const std::string name = std::string("cap's edge, 900:100, ") + edge.name;
        expect_at_most(name + ": ever halted", halted, alpha / 2, rollouts);
        expect_at_most(name + ": ever passed on the edge", passed, 0.05, rollouts);
        expect_at_most(name + ": lower ever wrong", low, alpha / 2, rollouts);
        expect_at_most(name + ": upper ever wrong", high, 0.05, rollouts);
        expect_at_most(name + ": either, at a random stop", stopped, 0.05 + alpha / 2, rollouts);
    }
}

}  // namespace
}  // namespace serinus
