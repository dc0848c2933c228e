#include <cstdint>

#include <serinus.hpp>

/// An hour of two arms, 100 requests every 10 seconds; one of the baseline's is bad.
serinus::Batch counts(double bad_of_canary) {
    serinus::Batch batch;
    for (const serinus::Arm arm : {serinus::Arm::baseline, serinus::Arm::canary}) {
        serinus::ArmSeries bad{.name = "bad", .arm = arm};
        serinus::ArmSeries total{.name = "total", .arm = arm};
        for (std::int64_t i = 0; i < 360; ++i) {
            bad.series.times_ms.push_back(i * 10'000);
            bad.series.values.push_back(arm == serinus::Arm::canary ? bad_of_canary : 1);
            total.series.times_ms.push_back(i * 10'000);
            total.series.values.push_back(100);
        }
        batch.series.push_back(bad);
        batch.series.push_back(total);
    }
    return batch;
}
