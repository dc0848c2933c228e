// The promises of the monitor, simulated: many rollouts each, through Monitor itself, judged after every interval.
// Fixed seeds. SERINUS_SIMULATION_SCALE multiplies the number of repetitions (4,000 at 1).
//
// A share that must stay below a level is asserted to be at most that level, and its upper bound (4 standard errors) is
// printed beside it; beside a share that should be large, the lower one. The true shares lie well below the levels,
// since an e-process is conservative where it is proved.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <functional>
#include <limits>
#include <optional>
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
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

int repetitions() { return support::repetitions(4000, 4000); }

constexpr Margin ratio(double value) { return {.ratio = value, .difference = {}}; }
constexpr Margin difference(double value) { return {.ratio = {}, .difference = value}; }

Plan plan_of(double alpha, const Margin& margin, std::optional<Margin> detect = std::nullopt) {
    Plan plan;
    plan.name = "simulation";
    plan.alpha = alpha;
    plan.interval = std::chrono::milliseconds(interval);
    Stage stage;
    stage.traffic = 0.5;
    plan.stages = {stage};
    Metric metric;
    metric.name = "errors";
    metric.bad = "bad";
    metric.total = "total";
    metric.margin = margin;
    metric.detect = detect;
    plan.metrics = {metric};
    return plan;
}

struct Sizes {
    int baseline, canary;
};

struct Outcome {
    int rolled_back = 0;    // interval of the rollback, from 1; 0: never
    int promoted = 0;       // of the first promotion
    double smallest_p = 1;  // what another alpha would have decided on
    bool covered = true;    // the interval at a random moment held the truth
};

/// Errors of an interval; `spread` > 1 draws its rate from a beta law that makes their variance that many times the
/// binomial one.
double drawn(int size, double rate, double spread, std::mt19937_64& random) {
    if (spread > 1 && rate > 0) {
        const double concentration = (size - 1) / (spread - 1) - 1;
        std::gamma_distribution<double> a(rate * concentration, 1), b((1 - rate) * concentration, 1);
        const double x = a(random), y = b(random);
        rate = x > 0 ? x / (x + y) : 0;
    }
    return rate < 1e-12 ? 0 : static_cast<double>(std::binomial_distribution<int>(size, rate)(random));
}

/// One rollout: `rates(interval)` gives the true error rates, `spread` as above.
Outcome rollout(const Plan& plan, Sizes sizes, int intervals,
                const std::function<std::pair<double, double>(int)>& rates, std::mt19937_64& random,
                double spread = 1) {
    Monitor monitor(plan);
    Outcome outcome;
    const int look = 1 + static_cast<int>(random() % static_cast<unsigned>(intervals));
    const auto draw = [&](int size, double rate) { return drawn(size, rate, spread, random); };
    for (int t = 0; t < intervals; ++t) {
        const auto [rate_b, rate_c] = rates(t);
        const std::int64_t time = t * interval;
        Batch batch;
        const auto add = [&](const char* series, Arm arm, double value) {
            batch.series.push_back({series, arm, nan, {{time}, {value}, ""}});
        };
        add("bad", Arm::baseline, draw(sizes.baseline, rate_b));
        add("total", Arm::baseline, sizes.baseline);
        add("bad", Arm::canary, draw(sizes.canary, rate_c));
        add("total", Arm::canary, sizes.canary);
        const Decision decision = monitor.observe(batch, time + interval);
        const Evidence& evidence = decision.metrics[0].evidence;
        outcome.smallest_p = std::min(outcome.smallest_p, evidence.p_value);
        if (t + 1 == look) {
            const double truth = plan.metrics[0].margin.ratio ? rate_c / rate_b : rate_c - rate_b;
            outcome.covered = evidence.lower <= truth && truth <= evidence.upper;
        }
        if (decision.action == Action::promote && outcome.promoted == 0) outcome.promoted = t + 1;
        if (decision.action == Action::rollback && outcome.rolled_back == 0) outcome.rolled_back = t + 1;
    }
    return outcome;
}

std::pair<double, double> at(double rate_b, double rate_c) { return {rate_b, rate_c}; }

struct Share {
    double value, bound;
};

Share share(const std::vector<Outcome>& outcomes, const std::function<bool(const Outcome&)>& event) {
    const auto n = static_cast<double>(outcomes.size());
    const double p = static_cast<double>(std::count_if(outcomes.begin(), outcomes.end(), event)) / n;
    return {p, p + 4 * std::sqrt(std::max(p * (1 - p), 1 / n) / n)};
}

double median_delay(const std::vector<Outcome>& outcomes, int onset = 0) {
    std::vector<double> delays;
    for (const Outcome& outcome : outcomes) {
        delays.push_back(outcome.rolled_back > 0 ? outcome.rolled_back - onset
                                                 : std::numeric_limits<double>::infinity());
    }
    std::sort(delays.begin(), delays.end());
    const std::size_t n = delays.size();
    return (delays[(n - 1) / 2] + delays[n / 2]) / 2;
}

std::vector<Outcome> simulate(const Plan& plan, Sizes sizes, int intervals,
                              const std::function<std::pair<double, double>(int)>& rates, unsigned seed,
                              double spread = 1) {
    std::mt19937_64 random(seed);
    std::vector<Outcome> outcomes;
    for (int i = 0; i < repetitions(); ++i) outcomes.push_back(rollout(plan, sizes, intervals, rates, random, spread));
    return outcomes;
}

void print(const char* what, const std::string& value) { std::printf("| %-62s | %s |\n", what, value.c_str()); }
std::string text(const Share& s) {
    char buffer[64];
    std::snprintf(buffer, sizeof buffer, "%.4f (below %.4f)", s.value, s.bound);
    return buffer;
}
std::string text_of_much(const Share& s) {
    char buffer[64];
    std::snprintf(buffer, sizeof buffer, "%.4f (above %.4f)", s.value, 2 * s.value - s.bound);
    return buffer;
}

const auto rolled_back = [](const Outcome& o) { return o.rolled_back > 0; };
const auto below_one_percent = [](const Outcome& o) { return o.smallest_p <= 0.01; };

void expect_rarely_rolled_back(const char* what, const std::vector<Outcome>& outcomes) {
    const Share five = share(outcomes, rolled_back), one = share(outcomes, below_one_percent);
    print((std::string(what) + ", alpha .05").c_str(), text(five));
    print((std::string(what) + ", alpha .01").c_str(), text(one));
    EXPECT_LE(five.value, 0.05) << what;
    EXPECT_LE(one.value, 0.01) << what;
}

const std::optional<Margin> twice = ratio(2);

TEST(Promise, AGoodCanaryIsRarelyRolledBackEvenSplit) {
    const auto outcomes = simulate(
        plan_of(0.05, ratio(1), twice), {100, 100}, 200, [](int) { return at(0.01, 0.01); }, 1001);
    expect_rarely_rolled_back("A/A 1 %, 100:100, margin ratio 1, ever in 200 looks", outcomes);
    const Share covered = share(outcomes, [](const Outcome& o) { return o.covered; });
    print("the 90 % interval at a random look holds the truth", text_of_much(covered));
    EXPECT_GE(covered.value, 0.9);
}

TEST(Promise, AGoodCanaryIsRarelyRolledBackNineToOne) {
    expect_rarely_rolled_back(
        "A/A 1 %, 900:100, margin ratio 1, ever in 200 looks",
        simulate(
            plan_of(0.05, ratio(1), twice), {900, 100}, 200, [](int) { return at(0.01, 0.01); }, 1002));
}

// What the p-values above say of alpha .01 is what a monitor with that alpha does.
TEST(Promise, AnotherAlphaDecidesByTheSameEvidence) {
    std::mt19937_64 a(1003), b(1003);
    for (int i = 0; i < 200; ++i) {
        const auto drift = [](int) { return at(0.01, 0.016); };
        const Outcome five = rollout(plan_of(0.05, ratio(1), twice), {100, 100}, 60, drift, a);
        const Outcome one = rollout(plan_of(0.01, ratio(1), twice), {100, 100}, 60, drift, b);
        ASSERT_EQ(five.smallest_p <= 0.01, one.rolled_back > 0);
    }
}

TEST(Promise, DoubledErrorsAreFound) {
    const auto outcomes = simulate(
        plan_of(0.05, ratio(1), twice), {100, 100}, 200, [](int) { return at(0.01, 0.02); }, 1004);
    const Share found = share(outcomes, rolled_back);
    const double delay = median_delay(outcomes);
    print("1 % -> 2 %, 100:100, margin ratio 1: found", text_of_much(found));
    print("the same: median delay in intervals", std::to_string(delay));
    EXPECT_EQ(found.value, 1);
    EXPECT_LE(delay, 24);
    // At `detect` itself it may pass by mistake with probability beta.
    const Share promoted = share(outcomes, [](const Outcome& o) { return o.promoted > 0; });
    print("the same, which is `detect`: ever promoted (beta .2)", text(promoted));
    EXPECT_LE(promoted.value, 0.2);
}

TEST(Promise, AtTheEdgeOfTheMarginItIsRarelyRolledBackAndRarelyPromoted) {
    Plan plan = plan_of(0.05, ratio(2));
    plan.metrics[0].critical = true;  // promotes by harm_ruled_out
    const auto outcomes = simulate(
        plan, {100, 100}, 200, [](int) { return at(0.01, 0.02); }, 1005);
    expect_rarely_rolled_back("edge: 1 % -> 2 %, 100:100, margin ratio 2, ever in 200 looks", outcomes);
    const Share promoted = share(outcomes, [](const Outcome& o) { return o.promoted > 0; });
    print("the same: ever promoted (alpha_promote .05)", text(promoted));
    EXPECT_LE(promoted.value, 0.05);
}

TEST(Promise, HarmThatBeginsLateIsFoundSoon) {
    const int onset = 360;
    const auto outcomes = simulate(
        plan_of(0.05, ratio(1.5)), {200, 200}, onset + 60, [](int t) { return at(0.01, t < onset ? 0.01 : 0.05); },
        1006);
    const double delay = median_delay(outcomes, onset);
    print("1 % -> 5 % after 360 good intervals, 200:200, ratio 1.5: delay", std::to_string(delay));
    const Share before = share(outcomes, [](const Outcome& o) { return o.rolled_back > 0 && o.rolled_back <= onset; });
    print("the same: rolled back before", text(before));
    EXPECT_LE(delay, 12);
    EXPECT_LE(before.value, 0.05);
}

TEST(Promise, DifferenceMarginsHoldToo) {
    const auto edge = simulate(
        plan_of(0.05, difference(0.01)), {100, 100}, 200, [](int) { return at(0.01, 0.02); }, 1007);
    expect_rarely_rolled_back("edge: 1 % -> 2 %, 100:100, margin difference .01, 200 looks", edge);
    Plan plan = plan_of(0.05, difference(0.01));
    plan.metrics[0].critical = true;
    const auto safe = simulate(
        plan, {900, 100}, 200, [](int) { return at(0.01, 0.02); }, 1008);
    const Share promoted = share(safe, [](const Outcome& o) { return o.promoted > 0; });
    print("edge, 900:100, margin difference .01: ever promoted (.05)", text(promoted));
    EXPECT_LE(promoted.value, 0.05);
}

// Measured, not proved: counts five times as variable as independent requests, with that dispersion in the plan.
TEST(Promise, OverDispersedCountsWithTheirDispersionKnown) {
    Plan plan = plan_of(0.05, ratio(1), twice);
    plan.noise["errors"].dispersion = 5;
    const auto outcomes = simulate(
        plan, {100, 100}, 200, [](int) { return at(0.01, 0.01); }, 1009, 5);
    expect_rarely_rolled_back("A/A 1 %, 100:100, dispersion 5 known, ever in 200 looks", outcomes);
}

// The same with the dispersion that calibrate() writes, from a history of 1,000 intervals that is drawn anew for each
// rollout; at 99:1 it holds a few bunches of errors only.
TEST(Promise, OverDispersedCountsWithTheirDispersionCalibrated) {
    struct Case {
        const char* name;
        Sizes sizes;
        double rate, canary;
    };
    for (const Case& c : {Case{"A/A 1 %, 100:100, phi 10 calibrated", {100, 100}, 0.01, 0.01},
                          Case{"A/A .05 %, 9900:100, phi 10 calibrated", {9900, 100}, 0.0005, 0.0005},
                          Case{"1 % -> 2 %, 100:100, phi 10 calibrated", {100, 100}, 0.01, 0.02}}) {
        std::mt19937_64 random(1017);
        constexpr int history_length = 1000;
        std::vector<Outcome> outcomes;
        for (int i = 0; i < std::max(1, repetitions() / 4); ++i) {
            const Plan plan = plan_of(0.05, ratio(1), twice);
            Batch history;
            for (const Arm arm : {Arm::baseline, Arm::canary}) {
                const int size = arm == Arm::baseline ? c.sizes.baseline : c.sizes.canary;
                Series bad, total;
                for (int t = 0; t < history_length; ++t) {
                    for (Series* series : {&bad, &total}) series->times_ms.push_back(t * interval);
                    bad.values.push_back(drawn(size, c.rate, 10, random));
                    total.values.push_back(size);
                }
                history.series.push_back({"bad", arm, nan, std::move(bad)});
                history.series.push_back({"total", arm, nan, std::move(total)});
            }
            outcomes.push_back(rollout(
                with_noise(plan, calibrate(plan, history)), c.sizes, 200, [&](int) { return at(c.rate, c.canary); },
                random, 10));
        }
        if (c.rate == c.canary) {
            // Fewer rollouts than above, so what is asserted has 4 standard errors of a share on the level.
            const Share five = share(outcomes, rolled_back);
            print((std::string(c.name) + ", ever in 200 looks, alpha .05").c_str(), text(five));
            EXPECT_LE(five.value, 0.05 + 4 * std::sqrt(0.05 * 0.95 / static_cast<double>(outcomes.size()))) << c.name;
        } else {
            print((std::string(c.name) + ": found in 200 looks").c_str(), text_of_much(share(outcomes, rolled_back)));
        }
    }
}

// Rates that swing with the day, both arms alike, are no harm.
// ---- several stages, several metrics

/// Median interval of the rollback, and how often there was one at all: in the first of `stages` stages, of `metrics`
/// metrics with the canary's rates `of(metric)`.
struct Several {
    double median, share, share_one_percent;
};
Several simulate_several(std::size_t stages, int metrics, const std::function<double(int)>& of, int intervals,
                         int repeats, unsigned seed) {
    Plan plan = plan_of(0.05, ratio(1), twice);
    while (plan.stages.size() < stages) {
        plan.stages.push_back(plan.stages.back());
        plan.stages.back().traffic += 0.01;
    }
    const Metric metric = plan.metrics[0];
    plan.metrics.clear();
    for (int m = 0; m < metrics; ++m) {
        plan.metrics.push_back(metric);
        const std::string number = std::to_string(m);
        for (std::string* const name :
             {&plan.metrics.back().name, &plan.metrics.back().bad, &plan.metrics.back().total})
            *name += number;
    }
    Plan strict = plan;
    strict.alpha = 0.01;
    std::mt19937_64 random(seed);
    std::vector<double> delays;
    int one_percent = 0;
    for (int r = 0; r < repeats; ++r) {
        Monitor monitor(plan), careful(strict);
        double delay = std::numeric_limits<double>::infinity();
        bool stopped = false;
        for (int t = 0; t < intervals && !(std::isfinite(delay) && stopped); ++t) {
            Batch batch;
            const auto add = [&](const std::string& series, Arm arm, double value) {
                batch.series.push_back({series, arm, nan, {{t * interval}, {value}, ""}});
            };
            for (int m = 0; m < metrics; ++m) {
                add(plan.metrics[static_cast<std::size_t>(m)].bad, Arm::baseline, drawn(100, 0.01, 1, random));
                add(plan.metrics[static_cast<std::size_t>(m)].bad, Arm::canary, drawn(100, of(m), 1, random));
                for (const Arm arm : {Arm::baseline, Arm::canary})
                    add(plan.metrics[static_cast<std::size_t>(m)].total, arm, 100);
            }
            if (!std::isfinite(delay) && monitor.observe(batch, (t + 1) * interval).action == Action::rollback)
                delay = t + 1;
            stopped = stopped || careful.observe(batch, (t + 1) * interval).action == Action::rollback;
        }
        delays.push_back(delay);
        one_percent += stopped ? 1 : 0;
    }
    const auto found = std::count_if(delays.begin(), delays.end(), [](double d) { return std::isfinite(d); });
    std::sort(delays.begin(), delays.end());
    const auto n = static_cast<double>(repeats);
    return {delays[delays.size() / 2], static_cast<double>(found) / n, one_percent / n};
}

TEST(Promise, ManyStagesFindHarmAsSoonAsOne) {
    const int repeats = std::max(200, repetitions() / 4);
    double one = 0;
    for (const std::size_t stages : {1U, 3U, 10U}) {
        const Several found = simulate_several(
            stages, 1, [](int) { return 0.02; }, 200, repeats, 1101);
        print(("1 % -> 2 %, 100:100, first of " + std::to_string(stages) + " stages: median delay").c_str(),
              std::to_string(static_cast<int>(found.median)));
        if (stages == 1) one = found.median;
        EXPECT_LE(found.median, one + 4);
    }
}

TEST(Promise, MetricsTogetherAreNoLaterThanTheFirstAndKeepAlpha) {
    const int repeats = std::max(200, repetitions() / 8);
    for (const int bad : {1, 3, 5}) {
        const Several found = simulate_several(
            1, 5, [&](int m) { return m < bad ? 0.02 : 0.01; }, 200, repeats, 1102);
        print((std::to_string(bad) + " of 5 metrics 1 % -> 2 %, 100:100: median delay").c_str(),
              std::to_string(static_cast<int>(found.median)));
        EXPECT_EQ(found.share, 1);
    }
    const Several good = simulate_several(
        1, 5, [](int) { return 0.01; }, 100, repeats, 1103);
    print("A/A, 5 metrics 1 %, 100:100, ever in 100 looks, alpha .05", std::to_string(good.share));
    print("the same, alpha .01", std::to_string(good.share_one_percent));
    EXPECT_LE(good.share, 0.05);
    EXPECT_LE(good.share_one_percent, 0.01);
}

TEST(Promise, DriftInBothArmsIsNoHarm) {
    const auto outcomes = simulate(
        plan_of(0.05, ratio(1), twice), {900, 100}, 200,
        [](int t) {
            const double rate = 0.02 * (1 + 0.9 * std::sin(t / 7.0));
            return at(rate, rate);
        },
        1010);
    expect_rarely_rolled_back("A/A 2 % swinging by 90 %, 900:100, ever in 200 looks", outcomes);
}

/// What two pods spend for what they serve, as counters that are read after every `every`-th interval: costs depend from
/// one interval to the next, the load swings, and the canary serves a ninth of it.
Batch spent_and_served(int intervals, double times, int every, std::mt19937_64& random) {
    std::normal_distribution<double> normal;
    Batch batch;
    for (const Arm arm : {Arm::baseline, Arm::canary}) {
        std::vector<std::int64_t> at;
        std::vector<double> spent{5e4}, served{9e5};
        double state = normal(random), all_spent = spent[0], all_served = served[0];
        at.push_back(0);
        for (int t = 1; t <= intervals; ++t) {
            state = 0.5 * state + std::sqrt(1 - 0.25) * normal(random);
            const double load = (arm == Arm::canary ? 100 : 900) * (1 + 0.5 * std::sin(t / 11.0));
            const double requests = static_cast<double>(std::poisson_distribution<int>(load)(random));
            all_served += requests;
            all_spent += requests * 0.03 * std::exp(0.1 * state) * (arm == Arm::canary ? times : 1);
            if (t % every != 0) continue;
            at.push_back(t * interval);
            spent.push_back(all_spent);
            served.push_back(all_served);
        }
        batch.add("cpu", arm, "", at, spent);
        batch.add("requests", arm, "", at, served);
    }
    return batch;
}

// One quantity for another, on the edge of its margin, with the noise of history.
TEST(Promise, RatiosOnTheEdgeAreRarelyRolledBack) {
    constexpr int rollouts = 10;  // of each history
    for (const int every : {1, 2}) {
        Plan plan = plan_of(0.05, ratio(1.1));
        Metric& metric = plan.metrics[0];
        metric.kind = Kind::ratio;
        metric.bad = metric.total = "";
        metric.numerator = "cpu";
        metric.denominator = "requests";
        metric.counter = true;
        plan.interval = std::chrono::milliseconds(every * interval);
        std::mt19937_64 random(1301);
        int all = 0, stopped = 0, promoted = 0, found = 0;
        for (int history = 0; history < std::max(4, repetitions() / 100); ++history) {
            const Plan known = with_noise(plan, calibrate(plan, spent_and_served(1'500 * every, 1, every, random)));
            ASSERT_TRUE(known.noise.contains("errors"));
            // Scrapes that are rarer than the interval: what is judged are sums of two.
            Plan often = known;
            often.interval = std::chrono::milliseconds(interval);
            for (int rollout = 0; rollout < rollouts; ++rollout) {
                for (const double times : {1.1, 1.0, 1.3}) {
                    Monitor monitor(every == 1 ? known : often);
                    const Decision decision = monitor.observe(spent_and_served(150, times, every, random));
                    if (times == 1.1) ++all;
                    if (times == 1.1) stopped += decision.action == Action::rollback ? 1 : 0;
                    if (times == 1.0) promoted += decision.action == Action::promote ? 1 : 0;
                    if (times == 1.3) found += decision.action == Action::rollback ? 1 : 0;
                }
            }
        }
        const auto shown = [&](int count) { return std::to_string(count / static_cast<double>(all)); };
        const std::string scrapes = every == 1 ? "" : ", a scrape every second interval";
        print(("ratio on its edge of 1.1, 900:100" + scrapes + ": rolled back").c_str(), shown(stopped));
        print("the same as the baseline: promoted", shown(promoted));
        print("the same, 1.3 times as dear: rolled back", shown(found));
        EXPECT_LE(stopped, 0.05 * all);
        EXPECT_GE(found, 0.9 * all);
    }
}

/// Events of an interval: Poisson, or in bunches whose size is geometric with this mean.
double events_drawn(double mean, double bunch, std::mt19937_64& random) {
    if (!(mean > 0)) return 0;
    double events = 0;
    const int bunches = std::poisson_distribution<int>(mean / bunch)(random);
    for (int i = 0; i < bunches; ++i)
        events += 1 + (bunch > 1 ? std::geometric_distribution<int>(1 / bunch)(random) : 0);
    return events;
}

// Events for an exposure, on the edge of the margin: exposures that ramp and swing with the rates, single events and
// bunches (whose dispersion, 2 m - 1 for a geometric size of mean m, is known).
TEST(Promise, RatesOnTheEdgeAreRarelyRolledBack) {
    struct Family {
        const char* name;
        double hours_baseline, hours_canary, per_hour, swing, bunch;
    };
    for (const Family& of : {Family{"rate .4 an hour, 18:2", 18, 2, 0.4, 0, 1},
                             {"rate 5 an hour, 10:10, swinging by 90 %", 10, 10, 5, 0.9, 1},
                             {"rate .01 an hour, 100:1", 100, 1, 0.01, 0, 1},
                             {"rate 2 an hour, 9:1, bunches of 3", 9, 1, 2, 0.5, 3}}) {
        for (const double alpha : {0.05, 0.01}) {
            Plan plan = plan_of(alpha, ratio(1.5), ratio(3));
            Metric& metric = plan.metrics[0];
            metric.kind = Kind::rate;
            metric.bad = metric.total = "";
            metric.events = "events";
            metric.exposure = "hours";
            plan.noise["errors"].dispersion = 2 * of.bunch - 1;
            std::mt19937_64 random(1201);
            std::vector<Outcome> outcomes;
            for (int repeat = 0; repeat < repetitions() / 4 + 1; ++repeat) {
                Monitor monitor(plan);
                Outcome& outcome = outcomes.emplace_back();
                for (int t = 0; t < 150 && outcome.rolled_back == 0; ++t) {
                    const double tide = 1 + of.swing * std::sin(t / 7.0);
                    const double canary_hours = of.hours_canary * (t < 50 ? 0.2 : 1);  // it is given more later
                    const std::int64_t time = t * interval;
                    Batch batch;
                    const auto add = [&](const char* series, Arm arm, double value) {
                        batch.series.push_back({series, arm, nan, {{time}, {value}, ""}});
                    };
                    const double rate = of.per_hour * tide;
                    add("events", Arm::baseline, events_drawn(rate * of.hours_baseline, of.bunch, random));
                    add("hours", Arm::baseline, of.hours_baseline);
                    add("events", Arm::canary, events_drawn(1.5 * rate * canary_hours, of.bunch, random));
                    add("hours", Arm::canary, canary_hours);
                    const Decision decision = monitor.observe(batch, time + interval);
                    if (decision.action == Action::rollback) outcome.rolled_back = t + 1;
                }
            }
            const Share found = share(outcomes, [](const Outcome& outcome) { return outcome.rolled_back > 0; });
            print((std::string(of.name) + ", alpha " + std::to_string(alpha).substr(0, 4)).c_str(),
                  std::to_string(found.value));
            EXPECT_LE(found.value, alpha) << of.name;
        }
    }
}

}  // namespace
}  // namespace serinus
