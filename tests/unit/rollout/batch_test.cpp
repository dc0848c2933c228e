#include <chrono>
#include <cstdint>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/core/error.hpp>
#include <serinus/rollout/batch.hpp>
#include <serinus/rollout/monitor.hpp>

namespace serinus {
namespace {

Batch started() {
    Batch batch;
    batch.add("n", Arm::canary, "pod", std::vector<std::int64_t>{30, 10, 20}, std::vector<double>{3, 1, 2});
    batch.series[0].labels = "{path=\"/\"}";
    batch.series[0].replica = "a";
    batch.series[0].series.starts_ms = {5, 5, 15};
    batch.add("n", Arm::baseline, "", std::vector<std::int64_t>{0}, std::vector<double>{7});
    batch.stages = {{1, 0}};
    ArmHistogram& histogram = batch.histograms.emplace_back();
    histogram.name = "h";
    histogram.series.times_ms = {10, 40};
    histogram.series.samples.resize(2);
    return batch;
}

TEST(Batch, BetweenIsAllThatTheSamplesHave) {
    const Batch part = started().between(10, 30);
    ASSERT_EQ(part.series.size(), 2U);
    EXPECT_EQ(part.series[0].series.times_ms, (std::vector<std::int64_t>{10, 20}));
    EXPECT_EQ(part.series[0].series.values, (std::vector<double>{1, 2}));
    EXPECT_EQ(part.series[0].series.starts_ms, (std::vector<std::int64_t>{5, 15}));
    EXPECT_EQ(part.series[0].series.instance, "pod");
    EXPECT_EQ(part.series[0].labels, "{path=\"/\"}");
    EXPECT_EQ(part.series[0].replica, "a");
    EXPECT_EQ(part.series[0].arm, Arm::canary);
    EXPECT_TRUE(part.series[1].series.times_ms.empty());
    EXPECT_TRUE(part.stages.empty());
    ASSERT_EQ(part.histograms.size(), 1U);
    EXPECT_EQ(part.histograms[0].series.times_ms, (std::vector<std::int64_t>{10}));
    EXPECT_EQ(part.histograms[0].series.samples.size(), 1U);
    // All of it, and nothing.
    constexpr auto first = std::numeric_limits<std::int64_t>::min(), last = std::numeric_limits<std::int64_t>::max();
    EXPECT_EQ(started().between(first, last).series[0].series, started().series[0].series);
    EXPECT_TRUE(started().between(11, 11).series[0].series.times_ms.empty());
}

TEST(Batch, AStageBeginsWhereItIsSaidOrWithTheCanary) {
    Batch batch = started();
    batch.stages.clear();
    batch.begin_stage(2);
    EXPECT_EQ(batch.stages, (std::vector<StageStart>{{2, 10}}));
    for (const std::int64_t wrong : {std::int64_t{0}, std::int64_t{-1}, std::int64_t{1} << 40})
        EXPECT_THROW(Batch().begin_stage(wrong, 0), Error);
    EXPECT_THROW(batch.begin_stage(2, 10), Error);
    Batch empty;
    empty.begin_stage(3);
    EXPECT_TRUE(empty.stages.empty());
    empty.begin_stage(3, 99);
    EXPECT_EQ(empty.stages, (std::vector<StageStart>{{3, 99}}));
}

/// Data that say when their processes began are judged at a time, and stage by stage, as all others are.
TEST(Batch, CountersThatSayWhenTheyBeganAreJudgedAtATime) {
    Plan plan;
    plan.name = "p";
    plan.interval = std::chrono::seconds(10);
    plan.stages = {{.traffic = 0.5}, {.traffic = 1}};
    Metric& errors = plan.metrics.emplace_back();
    errors.name = "errors";
    errors.bad = "e";
    errors.total = "n";
    errors.margin = {.ratio = 2.0, .difference = {}};
    errors.counter = true;
    Batch batch, bare;
    std::vector<std::int64_t> times;
    std::vector<double> all, bad;
    for (int i = 0; i < 90; ++i) {
        times.push_back(10'000 * i);
        all.push_back(100 * i);
        bad.push_back(i);
    }
    for (const Arm arm : {Arm::baseline, Arm::canary}) {
        bare.add("n", arm, "", times, all);
        bare.add("e", arm, "", times, bad);
    }
    batch = bare;
    for (ArmSeries& series : batch.series) series.series.starts_ms.assign(times.size(), 0);
    EXPECT_EQ(judge(plan, batch, 600'000), judge(plan, bare, 600'000));
    batch.stages = bare.stages = {{1, 0}, {2, 450'000}};
    EXPECT_EQ(judge(plan, batch), judge(plan, bare));
}

}  // namespace
}  // namespace serinus
