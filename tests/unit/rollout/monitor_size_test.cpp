// How much a rollout keeps: the state of metrics of every kind after an hour, written down, and what each metric has
// room for. Memory is measured in bench/monitor_bench.cpp.

#include <cstddef>

#include <gtest/gtest.h>

#include <serinus/core/state.hpp>
#include <serinus/rollout/calibrate.hpp>
#include <serinus/rollout/monitor.hpp>
#include <serinus/rollout/monitor_state.hpp>
#include <serinus/sequential/paired.hpp>
#include <serinus/sequential/proportion.hpp>
#include <serinus/sequential/rate.hpp>

#include "rollout/judged.hpp"
#include "rollout/metric_intake.hpp"
#include "support/mixed_world.hpp"

namespace serinus {
namespace {

TEST(MonitorSize, AStateStaysSmallHoweverLongTheRollout) {
    mixed_world::Random random(1);
    Plan plan = mixed_world::plan(false);
    plan.stages = {Stage{.traffic = 0.2}};
    plan.slo.clear();  // an objective keeps the counts of every interval in its windows
    plan = with_noise(plan, calibrate(plan, mixed_world::history(plan, {}, 0.2, 1000, random)));
    mixed_world::Service service(plan, {}, {}, random);
    Monitor monitor(plan);
    std::size_t after_half = 0;
    for (int t = 0; t < 360; ++t) {
        const Batch batch = service.next(0.2);
        monitor.observe(batch, service.now_ms());
        if (t == 179) after_half = encode(monitor.state()).size();
    }
    const std::size_t after_hour = encode(monitor.state()).size();
    const std::size_t metrics = plan.metrics.size();
    EXPECT_LE(after_hour, metrics * 8192) << after_hour;
    // Starts come every 30 intervals, and are few.
    EXPECT_LE(after_hour, after_half + metrics * 2048) << after_half << " to " << after_hour;
}

// What all tests of a kind share, such as the nodes of a prior, and what few have, such as an interval, is not a part of
// each; and a metric of one kind has no room for what only another kind needs.
TEST(MonitorSize, ATestHasNoTablesOfItsOwn) {
    EXPECT_LE(sizeof(sequential::ProportionTest), 512U);
    EXPECT_LE(sizeof(sequential::RateTest), 512U);
    EXPECT_LE(sizeof(sequential::PairedTest), 768U);
    EXPECT_LE(sizeof(detail::Judged), 4096U);
    EXPECT_LE(sizeof(detail::MetricIntake), 3072U);
}

}  // namespace
}  // namespace serinus
