// The half of history held back contradicts a noise that does not hold.

#include <chrono>
#include <cmath>
#include <random>
#include <string>

#include <gtest/gtest.h>

#include <serinus/io/calibration.hpp>
#include <serinus/io/plan.hpp>
#include <serinus/report/calibration.hpp>
#include <serinus/report/text.hpp>
#include <serinus/rollout/calibrate.hpp>
#include <serinus/rollout/monitor.hpp>
#include <serinus/rollout/spikes.hpp>

#include "support/gauge_world.hpp"

namespace {

using namespace serinus;
using gauge_world::Law;
using Random = gauge_world::Random;

bool says(const std::vector<Reason>& reasons, Code code) {
    for (const Reason& reason : reasons)
        if (reason.code == code) return true;
    return false;
}

/// A pair whose second half is another one than its first: the canary reads 1.5 deviations more from there on.
Batch broken_history(std::size_t n, Random& random) {
    Batch batch = gauge_world::pair({}, {}, n, random);
    auto& canary = batch.series[1].series.values;
    for (std::size_t i = n / 2; i < n; ++i) canary[i] += 5 * 1.5;
    return batch;
}

TEST(HeldBack, AContradictedGaugeDecidesNothingAndSaysWhatWasSeen) {
    Random random(1);
    const Plan plan = gauge_world::plan();
    const Calibration learned = calibrate(plan, broken_history(4000, random));
    const MetricCalibration& p95 = learned.metrics[0];
    ASSERT_TRUE(p95.refuted) << report::text(plan, learned);
    EXPECT_FALSE(p95.learned);
    EXPECT_TRUE(says(p95.reasons, Code::history_refuted));
    EXPECT_LT(p95.held_back[0].p_value, 0.001);
    EXPECT_EQ(learned.noise.at("p95"), Noise{.refuted = true});
    const std::string text = report::text(plan, learned);
    EXPECT_NE(text.find(std::to_string(p95.held_back[0].alarms) + " of " + std::to_string(p95.held_back[0].windows)),
              std::string::npos)
        << text;
    EXPECT_NE(text.find("several times as long as the rollout"), std::string::npos) << text;
    EXPECT_NE(io::write_calibration(learned).find("\"refuted\": true"), std::string::npos);

    const Plan with = with_noise(plan, learned);
    EXPECT_EQ(io::read_plan(io::write_plan(with)), with);
    EXPECT_NE(digest(with), digest(plan));
    const Decision decision = judge(with, gauge_world::pair({}, {.offset = 20}, 240, random));
    EXPECT_EQ(decision.action, Action::hold);
    EXPECT_TRUE(says(decision.reasons, Code::history_unusable));
    EXPECT_EQ(decision.severity, Severity::ticket);
    EXPECT_EQ(decision.guarantee, Guarantee::none);
}

TEST(HeldBack, ANoiseOfBeforeIsNotKeptWhereHistoryContradictsIt) {
    Random random(2);
    Plan plan = gauge_world::plan();
    plan = with_noise(plan, calibrate(plan, gauge_world::pair({}, {}, 2000, random)));
    ASSERT_FALSE(plan.noise.at("p95").refuted);
    plan = with_noise(plan, calibrate(plan, broken_history(4000, random)));
    EXPECT_TRUE(plan.noise.at("p95").refuted);
}

TEST(HeldBack, GoodHistoriesAreNotContradicted) {
    Random random(3);
    for (const char* const law : {"normal", "log-normal", "Pareto 2.5", "exponential", "left"}) {
        for (const double phi : {0.0, 0.6, 0.9}) {
            const Plan plan = gauge_world::plan(Harm::either);
            const Law noise{.name = law, .phi = phi};
            const Calibration learned = calibrate(plan, gauge_world::pair(noise, noise, 2000, random));
            EXPECT_TRUE(learned.metrics[0].learned) << law << phi;
            EXPECT_GE(learned.metrics[0].held_back[0].windows, 8);
            EXPECT_TRUE(learned.noise.at("p95").spikes) << law << phi;
        }
    }
}

TEST(HeldBack, FewWindowsContradictNothing) {
    Random random(4);
    const Calibration learned = calibrate(gauge_world::plan(), broken_history(480, random));
    EXPECT_FALSE(learned.metrics[0].refuted);  // two windows
}

TEST(HeldBack, TheTailIsTheBinomialOneAndTurnsShareTheirBaselines) {
    Random random(5);
    const Plan plan = gauge_world::plan(Harm::increase, 0.1);
    const Calibration learned = calibrate(plan, gauge_world::instances({}, {}, 10, 0, 0.3, 0, 2000, random));
    const HeldBack& held = learned.metrics[0].held_back[0];
    EXPECT_EQ(held.windows, 8 * 8);
    EXPECT_NEAR(held.alpha, 0.05 * (1 - spikes_alpha), 1e-15);
    EXPECT_EQ(held.alarms, 0);
    EXPECT_EQ(held.p_value, 1);
}

TEST(HeldBack, SpikesThatOnlyTheSecondHalfHasAreNotWatched) {
    Random random(6);
    const Plan plan = gauge_world::plan();
    Batch history = gauge_world::pair({}, {}, 6000, random);
    std::uniform_real_distribution<double> uniform;
    auto& canary = history.series[1].series.values;
    for (std::size_t i = 3000; i < 6000; ++i) canary[i] += uniform(random) < 0.3 ? 50 : 0;
    const Calibration learned = calibrate(plan, history);
    ASSERT_TRUE(says(learned.metrics[0].reasons, Code::spikes_refuted)) << report::text(plan, learned);
    EXPECT_FALSE(learned.noise.at("p95").spikes);
}

Batch counts(std::size_t n, double bunches, Random& random) {
    Batch batch;
    std::poisson_distribution<int> few(5);
    std::uniform_real_distribution<double> uniform;
    for (const Arm arm : {Arm::baseline, Arm::canary}) {
        for (const char* const name : {"bad", "total"}) {
            ArmSeries& out = batch.series.emplace_back();
            out.name = name;
            out.arm = arm;
            out.le = std::nan("");
            for (std::size_t i = 0; i < n; ++i) {
                out.series.times_ms.push_back(static_cast<std::int64_t>(i) * gauge_world::interval);
                const bool bunch = arm == Arm::canary && i >= n / 2 && uniform(random) < bunches;
                out.series.values.push_back(name[0] == 't' ? 1000 : few(random) + (bunch ? 20 : 0));
            }
        }
    }
    return batch;
}

TEST(HeldBack, ContradictedCountsDecideNothingEither) {
    Random random(7);
    Plan plan;
    plan.name = "payments";
    plan.interval = std::chrono::milliseconds(gauge_world::interval);
    plan.stages = {Stage{.traffic = 0.5}};
    Metric& metric = plan.metrics.emplace_back();
    metric.name = "errors";
    metric.bad = "bad";
    metric.total = "total";
    metric.margin = {.ratio = 1.5, .difference = {}};
    const Calibration good = calibrate(plan, counts(4000, 0, random));
    EXPECT_TRUE(good.metrics[0].learned);
    EXPECT_GE(good.metrics[0].held_back[0].windows, 16);
    EXPECT_EQ(*good.noise.at("errors").intervals, 4000);
    const Calibration bad = calibrate(plan, counts(4000, 0.2, random));
    ASSERT_TRUE(bad.metrics[0].refuted) << report::text(plan, bad);
    const Decision decision = judge(with_noise(plan, bad), counts(200, 1, random));
    EXPECT_EQ(decision.action, Action::hold);
    EXPECT_TRUE(says(decision.reasons, Code::history_unusable));
    EXPECT_FALSE(says(decision.metrics[0].reasons, Code::dispersion_unknown));
}

TEST(HeldBack, ARefutedNoiseIsAlone) {
    Plan plan = gauge_world::plan();
    plan.noise["p95"] = {.dispersion = 2, .refuted = true};
    EXPECT_THROW(check(plan), Error);
    plan.noise["p95"] = {.refuted = true};
    EXPECT_NO_THROW(check(plan));
}

}  // namespace
