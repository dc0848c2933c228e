#include "rollout/traffic_watch.hpp"

#include <chrono>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/core/state.hpp>

#include "support/code_of.hpp"

namespace serinus {
namespace {

using detail::TrafficWatch;

constexpr std::int64_t interval = 10'000;

Metric share_of(const std::string& name, const std::string& bad, const std::string& total) {
    Metric metric;
    metric.name = name;
    metric.bad = bad;
    metric.total = total;
    return metric;
}

Plan plan_of(std::int64_t warm_up_ms = 0) {
    Plan plan;
    plan.interval = std::chrono::milliseconds(interval);
    plan.warm_up = std::chrono::milliseconds(warm_up_ms);
    plan.metrics.push_back(share_of("errors", "http_errors", "http_requests"));
    return plan;
}

/// Feeds intervals, one after the other.
struct Rollout {
    TrafficWatch watch;
    std::int64_t at = 1'000'000'000'000;

    explicit Rollout(const Plan& plan) : watch(plan) {}
    void update(double baseline, double canary, double told) {
        watch.update(baseline, canary, told, at, at + interval);
        at += interval;
    }
    void run(int intervals, double baseline, double canary, double told) {
        for (int i = 0; i < intervals; ++i) update(baseline, canary, told);
    }
    std::vector<Code> codes() const {
        std::vector<Code> found;
        for (const Reason& reason : watch.reasons("errors")) found.push_back(reason.code);
        return found;
    }
};

using Codes = std::vector<Code>;

TEST(TrafficWatch, SaysNothingOfASplitAsTold) {
    Rollout rollout(plan_of());
    std::mt19937_64 random(1);
    // Visits of ten requests on average, each of which sticks to an arm.
    std::geometric_distribution<int> length(0.1);
    std::bernoulli_distribution to_canary(0.1);
    for (int t = 0; t < 360; ++t) {
        double b = 0, c = 0;
        for (int visit = 0; visit < 100; ++visit) (to_canary(random) ? c : b) += 1 + length(random);
        rollout.update(b, c, 0.1);
        ASSERT_EQ(rollout.codes(), Codes()) << t;
    }
}

TEST(TrafficWatch, NamesArmsThatAreExchanged) {
    Rollout rollout(plan_of());
    rollout.run(60, 100, 900, 0.1);
    ASSERT_EQ(rollout.codes(), Codes{Code::arms_exchanged});
    EXPECT_TRUE(rollout.watch.exchanged());
    EXPECT_EQ(sentence(rollout.watch.reasons("errors")[0]),
              "the canary has 90 % of the requests, the plan says 10 %: are the arms exchanged?");
    // The other way round.
    Rollout other(plan_of());
    other.run(60, 890, 110, 0.9);
    EXPECT_EQ(other.codes(), Codes{Code::arms_exchanged});
}

TEST(TrafficWatch, NamesASplitThatIsOff) {
    for (const double share : {0.05, 0.2, 0.4, 0.6}) {
        Rollout rollout(plan_of());
        rollout.run(120, 1000 * (1 - share), 1000 * share, 0.1);
        EXPECT_EQ(rollout.codes(), Codes{Code::split_off}) << share;
        EXPECT_FALSE(rollout.watch.exchanged());
    }
    Rollout within(plan_of());
    within.run(1000, 881, 119, 0.1);
    EXPECT_EQ(within.codes(), Codes());
    // Half and half has nothing that it could be exchanged with.
    Rollout half(plan_of());
    half.run(200, 100, 900, 0.5);
    EXPECT_EQ(half.codes(), Codes{Code::split_off});
}

TEST(TrafficWatch, NamesACanaryThatNeverCame) {
    Rollout rollout(plan_of());
    rollout.run(5, 900, 0, 0.1);
    EXPECT_EQ(rollout.codes(), Codes());  // five scrapes may be lost
    rollout.run(2, 900, 0, 0.1);
    ASSERT_EQ(rollout.codes(), Codes{Code::canary_silent});
    const Reason reason = rollout.watch.reasons("errors")[0];
    EXPECT_EQ(sentence(reason),
              "the canary is told 10 % of the traffic and shows none of it since 2001-09-09T01:46:40Z, while the "
              "baseline had 5,400 requests; the metric's \"missing\" says what follows");
    EXPECT_EQ(reason.metric, "errors");
}

TEST(TrafficWatch, NamesACanaryThatFallsSilentUntilItSpeaks) {
    Rollout rollout(plan_of());
    rollout.run(90, 900, 100, 0.1);
    EXPECT_EQ(rollout.codes(), Codes());
    int silent = 0;
    while (rollout.codes().empty() && silent < 60) {
        rollout.update(900, 0, 0.1);
        ++silent;
    }
    EXPECT_LE(silent, 8);
    EXPECT_EQ(rollout.codes(), Codes{Code::canary_silent});
    // It speaks again: the split is off for as long as the last twenty intervals show it, and then no more.
    rollout.run(30, 900, 100, 0.1);
    EXPECT_EQ(rollout.codes(), Codes());
    // What was proven is not forgotten: six silent intervals are enough.
    rollout.run(6, 900, 0, 0.1);
    EXPECT_EQ(rollout.codes(), Codes{Code::canary_silent});
}

TEST(TrafficWatch, LostScrapesAreNoSilence) {
    std::mt19937_64 random(5);
    std::bernoulli_distribution lost(0.2);
    int named = 0;
    for (int repetition = 0; repetition < 200; ++repetition) {
        Rollout rollout(plan_of(60'000));
        double kept = 0;
        bool ever = false;
        for (int t = 0; t < 120; ++t) {
            kept += 1000;
            const bool here = !lost(random);
            rollout.update(9000, here ? kept : 0, 0.1);
            if (here) kept = 0;
            ever = ever || rollout.codes() == Codes{Code::canary_silent};
        }
        named += ever;
    }
    EXPECT_LE(named, 6);
}

// The canary gets what is told only by and by.
TEST(TrafficWatch, ARampTakesItsWarmUp) {
    Rollout rollout(plan_of(120'000));
    rollout.run(12, 900, 0, 0.1);  // nobody is sent to it yet
    EXPECT_EQ(rollout.codes(), Codes());
    rollout.run(60, 900, 100, 0.1);
    for (int i = 0; i < 12; ++i) rollout.update(900 - 33 * i, 100 + 33 * i, 0.5);
    EXPECT_EQ(rollout.codes(), Codes());
    rollout.run(60, 500, 500, 0.5);
    EXPECT_EQ(rollout.codes(), Codes());
    // Without a warm-up all of it is held against the plan.
    Rollout at_once(plan_of(0));
    at_once.run(12, 900, 0, 0.1);
    EXPECT_EQ(at_once.codes(), Codes{Code::canary_silent});
}

TEST(TrafficWatch, AllTrafficIsNoSplit) {
    Rollout rollout(plan_of());
    rollout.run(100, 0, 1000, 1);
    EXPECT_EQ(rollout.codes(), Codes());
    EXPECT_EQ(encode(rollout.watch.state()), encode(TrafficWatch(plan_of()).state()));
}

TEST(TrafficWatch, OneWatchATotal) {
    Plan plan = plan_of();
    plan.metrics.push_back(share_of("slow", "http_slow", "http_requests"));
    plan.metrics.push_back(share_of("orders", "orders_failed", "orders"));
    plan.metrics.push_back(share_of("shown", "x", "shown"));
    plan.metrics.back().muted = true;
    plan.metrics.emplace_back();
    plan.metrics.back().kind = Kind::gauge;
    plan.metrics.back().series = "memory";
    EXPECT_EQ(detail::watched_totals(plan), (std::vector<std::string>{"http_requests", "orders"}));
    EXPECT_EQ(TrafficWatch(plan).state().silence.alpha, 0.005);
    EXPECT_EQ(TrafficWatch(plan_of()).state().silence.alpha, 0.01);
}

TEST(TrafficWatch, GoesOnFromItsState) {
    Rollout whole(plan_of(30'000));
    std::vector<std::byte> saved;
    for (int t = 0; t < 80; ++t) {
        const double told = t < 40 ? 0.1 : 0.3, c = t % 20 > 14 ? 0 : 100 + t;
        TrafficWatch later(plan_of(30'000));
        if (!saved.empty()) later.restore(decode<TrafficState>(saved));
        later.update(900, c, told, whole.at, whole.at + interval);
        whole.update(900, c, told);
        saved = encode(later.state());
        ASSERT_EQ(saved, encode(whole.watch.state())) << t;
    }
    EXPECT_LE(saved.size(), 2600U);
    const TrafficState good = whole.watch.state();
    const auto broken = [&](const auto& spoil) {
        TrafficState state = good;
        spoil(state);
        TrafficWatch watch(plan_of(30'000));
        return code_of([&] { watch.restore(state); });
    };
    EXPECT_EQ(broken([](TrafficState& s) { s.above.pop_back(); }), Code::state_invariant);
    EXPECT_EQ(broken([](TrafficState& s) { s.canary.pop_back(); }), Code::state_invariant);
    EXPECT_EQ(broken([](TrafficState& s) { s.told_ms.clear(); }), Code::state_invariant);
    EXPECT_EQ(broken([](TrafficState& s) { s.spent = 2; }), Code::state_invariant);
    EXPECT_EQ(broken([](TrafficState& s) { s.silence.alpha = 0.5; }), Code::state_options);
    EXPECT_EQ(broken([](TrafficState& s) { s.since_ms.reset(); }), Code::state_invariant);
    EXPECT_EQ(broken([](TrafficState& s) { s.baseline[0] = -1; }), Code::state_invariant);
}

}  // namespace
}  // namespace serinus
