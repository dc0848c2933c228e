#include <chrono>
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/report/record.hpp>
#include <serinus/rollout/monitor.hpp>

#include "support/two_stages.hpp"

namespace serinus::report {
namespace {

TEST(Recorded, TheLastDecisionIsThatOfOneCall) {
    for (const double canary : {0.01, 0.04}) {
        const Plan plan = two_stages::plan();
        const Batch batch = two_stages::batch(canary);
        for (const int looks : {0, 1, 7, 120, 10'000}) {
            const Record record = recorded(plan, batch, std::nullopt, looks);
            ASSERT_FALSE(record.decisions.empty());
            EXPECT_EQ(record.decisions.back(), judge(plan, batch)) << looks;
            EXPECT_LE(record.decisions.size(), static_cast<std::size_t>(looks) + 2) << looks;
            for (std::size_t i = 1; i < record.decisions.size(); ++i)
                EXPECT_LT(record.decisions[i - 1].time, record.decisions[i].time);
        }
        const std::int64_t middle = 10'000 * 60;
        EXPECT_EQ(recorded(plan, batch, middle, 10).decisions.back(), judge(plan, batch, middle));
    }
}

/// What a controller would have been told: at each of these times what `judge` says of the data until then.
TEST(Recorded, EachDecisionIsThatOfItsTime) {
    const Plan plan = two_stages::plan();
    const Batch batch = two_stages::batch(0.04);
    const Record record = recorded(plan, batch, std::nullopt, 12);
    ASSERT_GE(record.decisions.size(), 10U);
    for (std::size_t i = 0; i + 1 < record.decisions.size(); ++i) {
        const Decision& then = record.decisions[i];
        ASSERT_TRUE(then.time);
        Batch until = batch.between(0, to_ms(*then.time));
        for (const StageStart& start : batch.stages) {
            if (start.at_ms <= to_ms(*then.time)) until.stages.push_back(start);
        }
        const Decision alone = judge(plan, until, to_ms(*then.time));
        EXPECT_EQ(then.action, alone.action) << i;
        EXPECT_EQ(then.telemetry.used, alone.telemetry.used) << i;
    }
}

TEST(Recorded, WithoutDataThereIsOneDecision) {
    EXPECT_EQ(recorded(two_stages::plan(), {}).decisions.size(), 1U);
    Batch one;
    one.add("n", Arm::canary, "", std::vector<std::int64_t>{5}, std::vector<double>{1});
    EXPECT_EQ(recorded(two_stages::plan(), one).decisions.size(), 1U);
}

}  // namespace
}  // namespace serinus::report
