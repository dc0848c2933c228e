// A margin with a floor in a plan: what it may be, what its defaults are, and a rollout that is judged by it.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/core/error.hpp>
#include <serinus/core/state.hpp>
#include <serinus/rollout/calibrate.hpp>
#include <serinus/rollout/lint.hpp>
#include <serinus/rollout/monitor.hpp>
#include <serinus/rollout/monitor_state.hpp>

namespace serinus {
using namespace std::chrono_literals;
namespace {

constexpr std::int64_t origin = 1'795'382'480'000, interval = 10'000;
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

Plan floored() {
    Plan plan;
    plan.name = "payments";
    plan.interval = std::chrono::milliseconds(interval);
    plan.stages = {{.traffic = 0.1}};
    Metric metric;
    metric.name = "errors";
    metric.bad = "bad";
    metric.total = "total";
    metric.margin = {.ratio = 1.5, .difference = {}, .floor = 0.001};
    plan.metrics = {metric};
    return plan;
}

/// `count` intervals of 900 and 100 requests, of which so many are bad.
Batch traffic(int count, const std::function<int(int)>& bad_b, const std::function<int(int)>& bad_c, int from = 0) {
    Batch batch;
    for (const char* name : {"bad", "total"}) {
        for (const Arm arm : {Arm::baseline, Arm::canary}) {
            ArmSeries series{name, arm, nan, {{}, {}, ""}};
            for (int i = from; i < from + count; ++i) {
                series.series.times_ms.push_back(origin + i * interval);
                const bool baseline = arm == Arm::baseline;
                series.series.values.push_back(name[0] == 't' ? (baseline ? 900 : 100)
                                                              : (baseline ? bad_b(i) : bad_c(i)));
            }
            batch.series.push_back(std::move(series));
        }
    }
    return batch;
}
const auto none = [](int) { return 0; };

bool has(const std::vector<Reason>& reasons, Code code) {
    return std::any_of(reasons.begin(), reasons.end(), [&](const Reason& reason) { return reason.code == code; });
}

std::string said(const std::function<void(Plan&)>& spoil) {
    Plan plan = floored();
    spoil(plan);
    try {
        check(plan);
    } catch (const Error& error) {
        return error.what();
    }
    return "";
}

TEST(FlooredMargin, IsARatioWithAFloor) {
    EXPECT_EQ(said([](Plan&) {}), "");
    const std::string value = "serinus.plan.value: metrics[0].";
    EXPECT_EQ(said([](Plan& p) { p.metrics[0].margin.floor = -0.5; }),
              value +
                  "margin.floor is -0.5; allowed: 0 or more, below 1 (0.001: one bad request more in a thousand is "
                  "never harm)");
    EXPECT_NE(said([](Plan& p) { p.metrics[0].margin.floor = 1; }).find("margin.floor is 1"), std::string::npos);
    EXPECT_NE(said([](Plan& p) { p.metrics[0].margin.floor = nan; }).find("margin.floor"), std::string::npos);
    EXPECT_NE(said([](Plan& p) { p.metrics[0].margin.ratio = 0.9; }).find("margin.ratio is 0.9"), std::string::npos);
    EXPECT_NE(said([](Plan& p) { p.metrics[0].margin.ratio.reset(); }).find("margin.floor is given without ratio"),
              std::string::npos);
    EXPECT_NE(said([](Plan& p) { p.metrics[0].margin.difference = 0.1; }).find("both a ratio and a difference"),
              std::string::npos);
    EXPECT_NE(said([](Plan& p) {
                  p.metrics[0].margin = {.ratio = 1, .difference = {}, .floor = 0};
              }).find("margin.floor is 0; allowed: above 0 beside a ratio of 1"),
              std::string::npos);
    EXPECT_EQ(said([](Plan& p) { p.metrics[0].margin = {.ratio = 1, .difference = {}, .floor = 0.01}; }), "");
    EXPECT_EQ(said([](Plan& p) { p.metrics[0].harm = Harm::decrease; }), "");
    EXPECT_EQ(said([](Plan& p) { p.metrics[0].harm = Harm::either; }), "");
    using sequential::ProportionMethod;
    EXPECT_EQ(said([](Plan& p) { p.metrics[0].method = ProportionMethod::floor; }), "");
    EXPECT_EQ(said([](Plan& p) { p.metrics[0].method = ProportionMethod::block; }),
              value +
                  "method is \"block\" with a margin with a floor; allowed: \"auto\", or \"floor\" where the margin "
                  "has one");
    EXPECT_NE(said([](Plan& p) {
                  p.metrics[0].margin.floor.reset();
                  p.metrics[0].method = ProportionMethod::floor;
              }).find("\"floor\" with a margin without a floor"),
              std::string::npos);
}

TEST(FlooredMargin, HarmToDetectLiesBeyondIt) {
    const Margin detect = *effective_detect(floored().metrics[0]);
    EXPECT_DOUBLE_EQ(*detect.ratio, 2.25);
    EXPECT_DOUBLE_EQ(*detect.floor, 0.0025);
    const auto with = [](double ratio, double floor) {
        return said([=](Plan& p) { p.metrics[0].detect = Margin{.ratio = ratio, .difference = {}, .floor = floor}; });
    };
    EXPECT_EQ(with(3, 0.003), "");
    EXPECT_EQ(with(1.5, 0.003), "");
    EXPECT_EQ(with(3, 0.001), "");
    EXPECT_NE(with(1.5, 0.001).find("metrics[0].detect.floor is 0.001"), std::string::npos);
    EXPECT_NE(with(1.25, 0.003).find("metrics[0].detect.ratio is 1.25"), std::string::npos);
    EXPECT_NE(with(3, 0.0005).find("metrics[0].detect.floor is 0.0005"), std::string::npos);
    EXPECT_NE(said([](Plan& p) { p.metrics[0].detect = Margin{.ratio = 3}; }).find("a ratio; allowed: the same form"),
              std::string::npos);
    EXPECT_NE(said([](Plan& p) { p.metrics[0].margin.floor = 0.5; }).find("detect (by default from margin).floor"),
              std::string::npos);
}

TEST(FlooredMargin, IsInTheDigestOnlyWhereItIsGiven) {
    Plan plain = floored(), other = floored();
    plain.metrics[0].margin.floor.reset();
    other.metrics[0].margin.floor = 0.002;
    EXPECT_NE(digest(floored()), digest(plain));
    EXPECT_NE(digest(floored()), digest(other));
    // As it was before margins had floors.
    EXPECT_EQ(digest(plain), "608fb1ea17becd008a275db29152521bec239eb7134670080490ba0250bad470");
}

// .7 to .9 thousand requests of the canary without an error, at detect {3, .003}; a ratio alone never knows.
TEST(FlooredMargin, AServiceThatNeverFailsIsPromoted) {
    Plan plan = floored();
    plan.metrics[0].detect = Margin{.ratio = 3, .difference = {}, .floor = 0.003};
    EXPECT_EQ(judge(plan, traffic(6, none, none)).action, Action::hold);
    const Decision d = judge(plan, traffic(9, none, none));
    EXPECT_EQ(d.action, Action::promote);
    EXPECT_EQ(d.metrics[0].verdict, Verdict::pass);
    EXPECT_FALSE(has(d.metrics[0].reasons, Code::no_events));
    EXPECT_EQ(d.metrics[0].evidence.method, "floor");
    EXPECT_EQ(d.metrics[0].evidence.estimate, 0);
    EXPECT_EQ(d.metrics[0].detect, (Margin{.ratio = 3, .difference = {}, .floor = 0.003}));
    Plan by_ratio = floored();
    by_ratio.metrics[0].margin.floor.reset();
    EXPECT_EQ(judge(by_ratio, traffic(200, none, none)).action, Action::hold);
}

// One error of a service that has none is no harm; one in every hundred requests is.
TEST(FlooredMargin, HarmIsWhatLiesBeyondBothLines) {
    const auto one = [](int i) { return i == 3 ? 1 : 0; };
    EXPECT_NE(judge(floored(), traffic(40, none, one)).action, Action::rollback);
    const auto every = [](int) { return 1; };
    const Decision d = judge(floored(), traffic(40, none, every));
    EXPECT_EQ(d.action, Action::rollback);
    ASSERT_FALSE(d.reasons.empty());
    EXPECT_EQ(d.reasons[0].code, Code::harm_proven_floor);
    EXPECT_NE(sentence(d.reasons[0]).find("times what it may; 1.5 times the baseline is allowed, or 0.001 above it"),
              std::string::npos)
        << sentence(d.reasons[0]);
    EXPECT_GT(d.metrics[0].evidence.lower, 1);
    EXPECT_NEAR(d.metrics[0].evidence.estimate, 10, 1e-9);  // 1 % where .1 % is allowed
    // At 10 % in the baseline .1 points are nothing, and half more is allowed.
    const auto often = [](int) { return 90; };
    EXPECT_NE(judge(floored(), traffic(40, often, [](int) { return 13; })).action, Action::rollback);
    EXPECT_EQ(judge(floored(), traffic(40, often, [](int) { return 25; })).action, Action::rollback);
}

TEST(FlooredMargin, ADecreaseIsMeantTheOtherWayRound) {
    Plan plan = floored();
    plan.metrics[0].harm = Harm::decrease;
    plan.metrics[0].margin = {.ratio = 1.1, .difference = {}, .floor = 0.05};
    const auto most = [](int) { return 810; };
    const Decision d = judge(plan, traffic(40, most, [](int) { return 60; }));
    EXPECT_EQ(d.action, Action::rollback);
    EXPECT_EQ(d.reasons[0].code, Code::harm_proven_decrease_floor);
    EXPECT_LT(d.metrics[0].evidence.upper, -1);
    EXPECT_NE(judge(plan, traffic(40, most, [](int) { return 84; })).action, Action::rollback);
}

// Rates have it too, in events for one unit of exposure.
TEST(FlooredMargin, IsOfRatesAsWell) {
    Plan plan = floored();
    Metric& metric = plan.metrics[0];
    metric.kind = Kind::rate;
    metric.bad = metric.total = "";
    metric.events = "bad";
    metric.exposure = "total";
    EXPECT_EQ(judge(plan, traffic(8, none, none)).action, Action::hold);
    const Decision clean = judge(plan, traffic(40, none, none));
    EXPECT_EQ(clean.action, Action::promote);
    EXPECT_EQ(clean.metrics[0].evidence.method, "floor");
    const Decision harmed = judge(plan, traffic(40, none, [](int) { return 1; }));
    EXPECT_EQ(harmed.action, Action::rollback);
    EXPECT_EQ(harmed.reasons[0].code, Code::harm_proven_floor);
    metric.margin = {.ratio = 1, .difference = {}, .floor = 20};
    EXPECT_NO_THROW(check(plan));
}

TEST(FlooredMargin, AMonitorGoesOnFromItsState) {
    const auto bad_b = [](int i) { return i % 3; };
    const auto bad_c = [](int i) { return i % 4 == 0 ? 1 : 0; };
    Monitor whole(floored()), first(floored());
    for (int i = 0; i < 60; ++i) {
        const Batch batch = traffic(1, bad_b, bad_c, i);
        const std::int64_t now = origin + (i + 1) * interval;
        const Decision expected = whole.observe(batch, now);
        Monitor next(floored());
        next.restore(decode<MonitorState>(encode(first.state())));
        const Decision found = next.observe(batch, now);
        ASSERT_EQ(found.metrics[0].evidence, expected.metrics[0].evidence) << i;
        ASSERT_EQ(found.metrics[0].mirror.log_e_value, expected.metrics[0].mirror.log_e_value) << i;
        first = std::move(next);
    }
    Plan other = floored();
    other.metrics[0].margin.floor = 0.002;
    Monitor wrong(other);
    EXPECT_THROW(wrong.restore(first.state()), Error);
}

TEST(FlooredMargin, CheckSaysWhatCanHardlyBeDecided) {
    Plan plan = floored();
    plan.stages = {{.traffic = 0.1, .max = 10min}};
    const auto undecidable = [&](double floor) {
        plan.metrics[0].margin.floor = floor;
        return has(understand(plan, traffic(
                                        30, [](int i) { return i % 2; }, none))
                       .mend,
                   Code::margin_undecidable);
    };
    EXPECT_TRUE(undecidable(0.00001));
    EXPECT_FALSE(undecidable(0.01));
}

// How a silent service's errors would bunch its history has not shown: nothing is promised until somebody says so.
TEST(FlooredMargin, ASilentHistoryTeachesNoDispersion) {
    Plan plan = floored();
    plan = with_noise(plan, calibrate(plan, traffic(1000, none, none)));
    EXPECT_EQ(plan.noise.at("errors").intervals, 0);
    const Decision silent = judge(plan, traffic(40, none, none));
    EXPECT_EQ(silent.metrics[0].guarantee, Guarantee::none);
    EXPECT_EQ(silent.metrics[0].guarantee_why, Code::history_unmeasured);
    plan.noise.at("errors") = Noise{.dispersion = 1};
    EXPECT_EQ(judge(plan, traffic(40, none, none)).metrics[0].guarantee, Guarantee::proved);
    Plan ratio = floored();
    ratio.metrics[0].margin.floor.reset();
    EXPECT_EQ(calibrate(ratio, traffic(1000, none, none)).noise.at("errors").intervals, 1000);
}

// ---- gauges and ratios

Plan floored_gauge() {
    Plan plan = floored();
    Metric& metric = plan.metrics[0];
    metric.name = "queue";
    metric.kind = Kind::gauge;
    metric.bad = metric.total = "";
    metric.series = "queue";
    metric.margin.floor = 10;
    return plan;
}

/// What a queue holds: `level` and a few more or less, `canary` of it in the canary; `seed` draws another one.
Batch queue(int count, double level, const std::function<double(double)>& canary, unsigned seed, int from = 0) {
    std::mt19937_64 random(seed);
    std::normal_distribution<double> normal;
    Batch batch;
    for (const Arm arm : {Arm::baseline, Arm::canary}) {
        ArmSeries series{"queue", arm, nan, {{}, {}, ""}};
        for (int i = 0; i < from + count; ++i) {
            const double value = level * std::exp(0.15 * normal(random));
            if (i < from) continue;
            series.series.times_ms.push_back(origin + i * interval);
            series.series.values.push_back(arm == Arm::canary ? canary(value) : value);
        }
        batch.series.push_back(std::move(series));
    }
    return batch;
}
const auto as_it_is = [](double value) { return value; };
Plan known(const Plan& plan, double level) {
    return with_noise(plan, calibrate(plan, queue(2000, level, as_it_is, 7)));
}

std::string said_of_gauge(const std::function<void(Plan&)>& spoil, Plan plan = floored_gauge()) {
    spoil(plan);
    try {
        check(plan);
    } catch (const Error& error) {
        return error.what();
    }
    return "";
}

TEST(FlooredGauge, IsARatioWithAFloorInItsUnit) {
    EXPECT_EQ(said_of_gauge([](Plan&) {}), "");
    EXPECT_EQ(said_of_gauge([](Plan& p) { p.metrics[0].harm = Harm::decrease; }), "");
    EXPECT_EQ(said_of_gauge([](Plan& p) { p.metrics[0].margin.floor = 0; }),
              "serinus.plan.value: metrics[0].margin.floor is 0; allowed: above 0, finite, in the gauge's own unit (a "
              "floor of 0 is the ratio alone)");
    EXPECT_EQ(said_of_gauge([](Plan& p) { p.metrics[0].harm = Harm::either; }),
              "serinus.plan.not_built: metrics[0].margin.floor is 10 with \"harm\": \"either\", which this version "
              "cannot judge of a gauge or a ratio yet; allowed: two metrics, one with \"harm\": \"increase\" and one "
              "with \"decrease\"");
    Plan ratio = floored_gauge();
    ratio.metrics[0].kind = Kind::ratio;
    ratio.metrics[0].series = "";
    ratio.metrics[0].numerator = "seconds";
    ratio.metrics[0].denominator = "requests";
    EXPECT_EQ(said_of_gauge([](Plan&) {}, ratio), "");
    EXPECT_NE(said_of_gauge([](Plan& p) { p.metrics[0].harm = Harm::either; }, ratio).find("not_built"),
              std::string::npos);
}

// Its noise is that of one margin: another one, or none, asks for another history.
TEST(FlooredGauge, NoiseIsOfItsMarginAlone) {
    const Plan plan = known(floored_gauge(), 20);
    const Noise& noise = plan.noise.at("queue");
    ASSERT_TRUE(noise.floored);
    EXPECT_EQ(noise.floored->ratio, 1.5);
    EXPECT_EQ(noise.floored->floor, 10);
    EXPECT_GT(noise.floored->slope, 0.6);  // the lines meet at 20, where the slope is 2/3 below and 1 above
    EXPECT_LT(noise.floored->slope, 1);
    EXPECT_EQ(said_of_gauge([](Plan&) {}, plan), "");
    EXPECT_EQ(said_of_gauge([](Plan& p) { p.metrics[0].margin.floor = 11; }, plan),
              "serinus.plan.value: noise.queue.floored is that of the margin {ratio: 1.5, floor: 10}; allowed: that of "
              "{ratio: 1.5, floor: 11} (calibrate again)");
    EXPECT_NE(
        said_of_gauge([](Plan& p) { p.metrics[0].margin.floor.reset(); }, plan).find("noise.queue.floored is given"),
        std::string::npos);
    EXPECT_NE(
        said_of_gauge([](Plan& p) { p.noise["queue"].floored.reset(); }, plan).find("noise.queue.floored is missing"),
        std::string::npos);
    EXPECT_NE(said_of_gauge([](Plan& p) { p.noise["queue"].floored->slope = 0; }, plan).find("floored.slope is 0"),
              std::string::npos);
}

// A queue of 2 that has 10 is no harm, nor one of 0 that has 9; 40 is.
TEST(FlooredGauge, HarmIsWhatLiesBeyondBothLines) {
    const Plan low = known(floored_gauge(), 2);
    const auto plus = [](double more) { return [=](double value) { return value + more; }; };
    const auto times = [](double factor) { return [=](double value) { return value * factor; }; };
    EXPECT_EQ(judge(low, queue(120, 2, times(4), 8)).action, Action::promote);
    const Decision harmed = judge(low, queue(120, 2, plus(20), 8));
    EXPECT_EQ(harmed.action, Action::rollback);
    ASSERT_FALSE(harmed.reasons.empty());
    EXPECT_EQ(harmed.reasons[0].code, Code::harm_proven_floor);
    EXPECT_NEAR(harmed.metrics[0].evidence.estimate, 2, 0.1);  // 20 more where 10 are allowed
    EXPECT_GT(harmed.metrics[0].evidence.lower, 1);
    EXPECT_EQ(harmed.metrics[0].detect, (Margin{.ratio = 2.25, .difference = {}, .floor = 25}));
    double mean = 0;
    for (const NamedNumber& number : harmed.metrics[0].observed)
        mean = number.name == "mean_canary" ? number.value : mean;
    EXPECT_NEAR(mean, 22, 0.5);  // what it reads, not what is compared
    // Far above, 10 more are nothing and half more is allowed.
    const Plan high = known(floored_gauge(), 200);
    EXPECT_EQ(judge(high, queue(120, 200, times(1.2), 9)).action, Action::promote);
    const Decision doubled = judge(high, queue(120, 200, times(2), 9));
    EXPECT_EQ(doubled.action, Action::rollback);
    EXPECT_NEAR(doubled.metrics[0].evidence.estimate, 2, 0.3);
}

// Nothing at all in either arm has no logarithm, and needs none.
TEST(FlooredGauge, AnEmptyQueueIsJudged) {
    const Plan plan = known(floored_gauge(), 2);
    const auto empty = [](double) { return 0.0; };
    Batch batch = queue(120, 2, empty, 8);
    EXPECT_EQ(judge(plan, batch).action, Action::promote);
    for (ArmSeries& series : batch.series) std::fill(series.series.values.begin(), series.series.values.end(), 0.0);
    EXPECT_EQ(judge(plan, batch).action, Action::promote);
    // A baseline that was never empty is not well when it is, where history was long enough to know its range.
    Plan ranged = plan;
    for (auto& [metric, noise] : ranged.noise)
        noise.baseline = BaselineRange{.lower = 0.5, .upper = 10, .window = 5, .windows = 9000};
    EXPECT_EQ(judge(ranged, batch).action, Action::hold);
}

TEST(FlooredGauge, ADecreaseIsMeantTheOtherWayRound) {
    Plan plan = floored_gauge();
    plan.metrics[0].harm = Harm::decrease;
    plan = known(plan, 60);
    EXPECT_EQ(judge(plan, queue(
                              120, 60, [](double value) { return value - 3; }, 8))
                  .action,
              Action::promote);
    const Decision harmed = judge(plan, queue(
                                            120, 60, [](double value) { return value / 2.5; }, 8));
    EXPECT_EQ(harmed.action, Action::rollback);
    EXPECT_EQ(harmed.reasons[0].code, Code::harm_proven_decrease_floor);
    EXPECT_NEAR(harmed.metrics[0].evidence.estimate, -3, 0.2);  // 36 less, 12 allowed
    EXPECT_LT(harmed.metrics[0].evidence.upper, -1);
}

// The quotient of two series has it too, and is compared between named instances as well.
TEST(FlooredGauge, IsOfRatiosAndBetweenInstances) {
    const auto spent = [](int count, double times, unsigned seed) {
        std::mt19937_64 random(seed);
        std::normal_distribution<double> normal;
        Batch batch;
        for (const Arm arm : {Arm::baseline, Arm::canary}) {
            for (int pod = 0; pod < 3; ++pod) {
                const std::string name = (arm == Arm::baseline ? "b" : "c") + std::to_string(pod);
                ArmSeries seconds{"seconds", arm, nan, {{}, {}, name}}, requests{"requests", arm, nan, {{}, {}, name}};
                for (int i = 0; i < count; ++i) {
                    for (ArmSeries* series : {&seconds, &requests})
                        series->series.times_ms.push_back(origin + i * interval);
                    const double each = 0.002 * std::exp(0.1 * normal(random));
                    requests.series.values.push_back(100);
                    seconds.series.values.push_back(100 * each * (arm == Arm::canary ? times : 1));
                }
                batch.series.push_back(std::move(seconds));
                batch.series.push_back(std::move(requests));
            }
        }
        return batch;
    };
    Plan plan = floored_gauge();
    Metric& metric = plan.metrics[0];
    metric.kind = Kind::ratio;
    metric.series = "";
    metric.numerator = "seconds";
    metric.denominator = "requests";
    metric.margin.floor = 0.01;
    const Decision cheap = judge(plan, spent(120, 3, 5));  // three times as much of next to nothing
    EXPECT_EQ(cheap.action, Action::promote) << (cheap.reasons.empty() ? "" : sentence(cheap.reasons[0]));
    EXPECT_EQ(cheap.metrics[0].evidence.method, "rotation");
    EXPECT_NEAR(cheap.metrics[0].evidence.estimate, 0.4, 0.05);
    const Decision dear = judge(plan, spent(120, 20, 5));
    EXPECT_EQ(dear.action, Action::rollback);
    EXPECT_NEAR(dear.metrics[0].evidence.estimate, 3.8, 0.2);
    metric.margin.floor.reset();
    EXPECT_EQ(judge(plan, spent(120, 3, 5)).action, Action::rollback);
}

TEST(FlooredGauge, AMonitorGoesOnFromItsState) {
    const Plan plan = known(floored_gauge(), 5);
    Monitor whole(plan), first(plan);
    for (int i = 0; i < 60; ++i) {
        const Batch batch = queue(
            1, i < 30 ? 5 : 50, [](double value) { return value + 8; }, 8, i);
        const std::int64_t now = origin + (i + 1) * interval;
        const Decision expected = whole.observe(batch, now);
        Monitor next(plan);
        next.restore(decode<MonitorState>(encode(first.state())));
        const Decision found = next.observe(batch, now);
        ASSERT_EQ(found.metrics[0].evidence, expected.metrics[0].evidence) << i;
        ASSERT_EQ(found.metrics[0].mirror.log_e_value, expected.metrics[0].mirror.log_e_value) << i;
        first = std::move(next);
    }
    MonitorState state = first.state();
    state.metrics[0].floored->level = -1;
    Monitor wrong(plan);
    EXPECT_THROW(wrong.restore(state), Error);
    state.metrics[0].floored.reset();
    EXPECT_THROW(wrong.restore(state), Error);
}

}  // namespace
}  // namespace serinus
