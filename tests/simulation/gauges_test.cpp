// The promises for gauges, simulated: history is calibrated, then a rollout is judged by Monitor after every interval.
// Fixed seeds. SERINUS_SIMULATION_SCALE multiplies the number of repetitions (4,000 at 1; fewer in the tests, where
// only gross failures show). The tables are in docs/concepts/promise.md.

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/rollout/calibrate.hpp>
#include <serinus/rollout/monitor.hpp>

#include "support/repetitions.hpp"

namespace serinus {
namespace {

using Column = std::vector<double>;

constexpr std::int64_t interval = 10'000;
constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t looks = 480, history = 2000;

int repetitions() { return support::repetitions(60, 4000); }

using Random = std::mt19937_64;

double normal(Random& random) { return std::normal_distribution<double>()(random); }

/// A stationary series of unit variance.
Column series(const std::string& family, double phi, std::size_t n, Random& random) {
    Column out(n);
    double state = normal(random);
    const double innovation = std::sqrt(1 - phi * phi);
    std::array<double, 8> last{};
    for (double& value : last) value = normal(random);
    for (std::size_t i = 0; i < n; ++i) {
        if (family == "ma") {
            last[i % 8] = normal(random);
            out[i] = 0;
            for (const double value : last) out[i] += value / std::sqrt(8.0);
            continue;
        }
        state = phi * state + innovation * normal(random);
        out[i] = family == "sig" ? (state + normal(random)) / std::sqrt(2.0) : state;
    }
    return out;
}

/// The same dependence with another law: of mean 0 and variance 1.
void shape(const std::string& law, Column& values) {
    for (double& value : values) {
        if (law == "log-normal") {
            value = (std::exp(value) - std::exp(0.5)) / std::sqrt((std::exp(1.0) - 1) * std::exp(1.0));
        } else if (law == "Pareto 2.5") {
            const double tail = std::max(0.5 * std::erfc(value / std::sqrt(2.0)), 1e-300);
            value = (std::pow(tail, -1 / 2.5) - 2.5 / 1.5) / std::sqrt(2.5 / (1.5 * 1.5 * 0.5));
        }
    }
}

struct Cell {
    std::string law = "normal";
    std::string family = "ar";
    double phi = 0;
    double variance_ratio =
        1;               // canary's noise over baseline's; beyond 1 it is skewed, to the right or (negative) left
    bool drift = false;  // what hits both arms alike
    int instances = 0;   // an arm in the rollout; history has 10 then
    double tau = 0;
    double ratio = 1;  // the margin; the canary sits on it
    double shift = 0;  // in standard deviations of one arm
    int gauges = 3;
    std::uint64_t seed = 1;
};

constexpr double level = 100, unit = 5;

Plan plan_of(const Cell& cell) {
    Plan plan;
    plan.name = "simulation";
    plan.interval = std::chrono::milliseconds(interval);
    plan.stages = {Stage{.traffic = 0.1}};
    for (int g = 0; g < cell.gauges; ++g) {
        Metric metric;
        metric.name = "gauge" + std::to_string(g);
        metric.kind = Kind::gauge;
        metric.series = "series" + std::to_string(g);
        metric.margin = {.ratio = cell.ratio, .difference = {}};
        metric.detect = Margin{.ratio = cell.ratio * 1.2, .difference = {}};
        plan.metrics.push_back(metric);
    }
    return plan;
}

void add(Batch& batch, const std::string& name, Arm arm, const std::string& instance, const Column& values) {
    ArmSeries& out = batch.series.emplace_back();
    out.name = name;
    out.arm = arm;
    out.le = nan;
    out.series.instance = instance;
    for (std::size_t i = 0; i < values.size(); ++i) {
        out.series.times_ms.push_back(static_cast<std::int64_t>(i) * interval);
        out.series.values.push_back(values[i]);
    }
}

Column noise(const Cell& cell, std::size_t n, Random& random) {
    Column values = series(cell.family, cell.phi, n, random);
    shape(cell.law, values);
    return values;
}

Column canary_noise(const Cell& cell, std::size_t n, Random& random) {
    if (cell.variance_ratio == 1) return noise(cell, n, random);
    Column values(n);
    const double sign = cell.variance_ratio < 0 ? -1 : 1;
    for (double& value : values) {
        const double skewed = std::exponential_distribution<double>()(random) - 1;
        value = sign * std::sqrt(std::fabs(cell.variance_ratio)) * skewed;
    }
    return values;
}

void add_arms(Batch& batch, const Cell& cell, std::size_t n, bool rollout, Random& random) {
    for (int g = 0; g < cell.gauges; ++g) {
        const std::string name = "series" + std::to_string(g);
        Column shared(n, level);
        if (cell.drift) {
            double walk = 0;
            for (std::size_t i = 0; i < n; ++i) {
                walk += 0.5 * normal(random);
                shared[i] += 20 * std::sin(static_cast<double>(i) / 50) + walk;
            }
        }
        const auto put = [&](Arm arm, const std::string& instance, double offset, Column values) {
            const bool worse = rollout && arm == Arm::canary;
            for (std::size_t i = 0; i < n; ++i) {
                values[i] = shared[i] + unit * (values[i] + offset);
                if (worse) values[i] = cell.ratio * values[i] + unit * cell.shift;
            }
            add(batch, name, arm, instance, values);
        };
        if (cell.instances == 0) {
            put(Arm::baseline, "", 0, noise(cell, n, random));
            put(Arm::canary, "", 0, canary_noise(cell, n, random));
            continue;
        }
        const int each = rollout ? cell.instances : 10;
        for (int i = 0; i < each; ++i)
            put(Arm::baseline, "b" + std::to_string(i), cell.tau * normal(random), noise(cell, n, random));
        for (int i = 0; rollout && i < each; ++i)
            put(Arm::canary, "c" + std::to_string(i), cell.tau * normal(random), noise(cell, n, random));
    }
}

struct Result {
    double share = 0;  // ever rolled back
    double delay = 0;  // median, of all; looks + 1 when half were not
    int n = 0;
};

/// Rolled back at which interval, for each alpha? looks + 1: never. Verdicts are latched after every interval, whatever
/// is handed over at once.
std::vector<std::size_t> rollout(const Cell& cell, const std::vector<double>& alphas, Random& random,
                                 bool with_history) {
    Plan plan = plan_of(cell);
    Batch past, now;
    add_arms(past, cell, history, false, random);
    add_arms(now, cell, looks, true, random);
    if (with_history) plan = with_noise(plan, calibrate(plan, past));
    std::vector<std::size_t> when;
    for (const double alpha : alphas) {
        plan.alpha = alpha;
        const Decision decision = judge(plan, now);
        when.push_back(looks + 1);
        if (decision.action != Action::rollback) continue;
        for (const NamedNumber& number : decision.reasons.front().numbers) {
            if (number.name == "after")
                when.back() = static_cast<std::size_t>(std::lround(number.value * 1000 / interval));
        }
    }
    return when;
}

std::vector<Result> simulate(const Cell& cell, const std::vector<double>& alphas, bool with_history = true) {
    Random random(cell.seed);
    std::vector<std::vector<std::size_t>> when(alphas.size());
    for (int i = 0; i < repetitions(); ++i) {
        const auto one = rollout(cell, alphas, random, with_history);
        for (std::size_t a = 0; a < alphas.size(); ++a) when[a].push_back(one[a]);
    }
    std::vector<Result> results;
    for (auto& each : when) {
        std::sort(each.begin(), each.end());
        Result& result = results.emplace_back();
        result.n = static_cast<int>(each.size());
        for (const std::size_t at : each) result.share += at <= looks ? 1.0 / result.n : 0;
        result.delay = static_cast<double>(each[each.size() / 2]);
    }
    return results;
}

/// Four standard errors above what is promised fails.
void expect_at_most(const Result& result, double promised, const std::string& what) {
    const double bound = promised + 4 * std::sqrt(promised * (1 - promised) / result.n);
    EXPECT_LE(result.share, bound) << what << ", " << result.n << " rollouts";
}

std::string named(const Cell& cell) {
    std::string name = cell.law + " " + cell.family + " " + std::to_string(cell.phi).substr(0, 4);
    if (cell.variance_ratio != 1)
        name += cell.variance_ratio > 0 ? ", canary x10 skewed right" : ", canary x10 skewed left";
    if (cell.drift) name += ", shared drift";
    if (cell.instances > 0)
        name += ", k = " + std::to_string(cell.instances) + ", tau " + std::to_string(cell.tau).substr(0, 3);
    if (cell.ratio != 1) name += ", on the margin " + std::to_string(cell.ratio).substr(0, 4);
    return name;
}

std::vector<Cell> cells() {
    std::vector<Cell> all;
    const auto family = [&](const char* law, const char* name, double phi) {
        Cell cell;
        cell.law = law;
        cell.family = name;
        cell.phi = phi;
        cell.seed = 100 + all.size();
        all.push_back(cell);
        return all.size() - 1;
    };
    for (const double phi : {0.0, 0.6, 0.9, 0.98}) family("normal", "ar", phi);
    for (const double phi : {0.9, 0.97}) family("normal", "sig", phi);
    family("normal", "ma", 0);
    for (const char* law : {"log-normal", "Pareto 2.5"})
        for (const double phi : {0.0, 0.9}) family(law, "ar", phi);
    for (const double ratio : {10.0, -10.0}) all[family("normal", "ar", 0)].variance_ratio = ratio;
    all[family("normal", "ar", 0.6)].drift = true;
    for (const double phi : {0.0, 0.9}) all[family("normal", "ar", phi)].ratio = 1.1;
    for (const double tau : {0.3, 1.0}) {
        for (const int instances : {1, 2, 5}) {
            Cell& cell = all[family("normal", "ar", 0.6)];
            cell.instances = instances;
            cell.tau = tau;
        }
    }
    return all;
}

TEST(Gauges, AGoodCanaryIsRarelyRolledBack) {
    std::printf("| noise | ever rolled back at alpha .05 | at .01 |\n|---|---|---|\n");
    const std::vector<double> alphas{0.05, 0.01};
    for (const Cell& cell : cells()) {
        const std::vector<Result> results = simulate(cell, alphas);
        for (std::size_t i = 0; i < alphas.size(); ++i) expect_at_most(results[i], alphas[i], named(cell));
        std::printf("| %s | %.4f | %.4f |\n", named(cell).c_str(), results[0].share, results[1].share);
        std::fflush(stdout);
    }
}

TEST(Gauges, HarmIsFound) {
    std::printf("| noise, one gauge, alpha .05 | found at +1 sd of one arm | median interval |\n|---|---|---|\n");
    struct Wanted {
        const char *law, *family;
        double phi, share;
    };
    for (const Wanted& wanted :
         {Wanted{"normal", "ar", 0, 1}, Wanted{"log-normal", "ar", 0, 1}, Wanted{"Pareto 2.5", "ar", 0, 1},
          Wanted{"normal", "ar", 0.6, 0.995}, Wanted{"normal", "ar", 0.9, 0.6}, Wanted{"normal", "sig", 0.9, 0.85},
          Wanted{"normal", "sig", 0.97, 0.3}, Wanted{"log-normal", "sig", 0.9, 0.97},
          Wanted{"Pareto 2.5", "ar", 0.9, 0.97}, Wanted{"normal", "ma", 0, 0.75}}) {
        Cell cell;
        cell.law = wanted.law;
        cell.family = wanted.family;
        cell.phi = wanted.phi;
        cell.gauges = 1;
        cell.shift = 1;
        cell.seed = 7;
        const Result result = simulate(cell, {0.05}).front();
        std::printf("| %s | %.3f | %.0f |\n", named(cell).c_str(), result.share, result.delay);
        std::fflush(stdout);
        EXPECT_GE(result.share, wanted.share - 4 * std::sqrt(wanted.share * (1 - wanted.share) / result.n) - 1e-9)
            << named(cell);
    }
    std::printf("| instances, ar .6, one gauge | found at +3 sd of one instance | median interval |\n|---|---|---|\n");
    for (const double tau : {0.3, 1.0}) {
        for (const int instances : {1, 2, 5}) {
            Cell cell;
            cell.phi = 0.6;
            cell.gauges = 1;
            cell.instances = instances;
            cell.tau = tau;
            cell.shift = 3;
            cell.seed = 8;
            const Result result = simulate(cell, {0.05}).front();
            std::printf("| %s | %.3f | %.0f |\n", named(cell).c_str(), result.share, result.delay);
            std::fflush(stdout);
            // Recipe D's column "from 10" finds .98-1.00 at tau .3 and .18, .47, .93 at tau 1.
            const double wanted = tau < 1 ? 0.97 : instances == 1 ? 0.18 : instances == 2 ? 0.47 : 0.9;
            EXPECT_GE(result.share, wanted - 4 * std::sqrt(wanted * (1 - wanted) / result.n)) << named(cell);
        }
    }
}

TEST(Gauges, WithoutHistoryNothingIsDecided) {
    for (const double shift : {0.0, 3.0}) {
        Cell cell;
        cell.phi = 0.9;
        cell.shift = shift;
        EXPECT_EQ(simulate(cell, {0.05}, false).front().share, 0);
    }
}

}  // namespace
}  // namespace serinus
