// A margin with a floor in a plan: what it may be, what its defaults are, and a rollout that is judged by it.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/core/error.hpp>
#include <serinus/core/state.hpp>
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
    const std::string gauge = said([](Plan& p) {
        p.metrics[0].kind = Kind::gauge;
        p.metrics[0].bad = p.metrics[0].total = "";
        p.metrics[0].series = "latency";
        p.metrics[0].margin.floor = 10;
    });
    EXPECT_EQ(gauge,
              "serinus.plan.not_built: metrics[0].margin.floor is 10, and this version has no floor for kind "
              "\"gauge\" yet; allowed: a ratio alone, or a difference");
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

}  // namespace
}  // namespace serinus
