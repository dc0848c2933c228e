#pragma once
/// \file
/// What a rollout is judged on: many series, each known by the plan's name for it, its arm and (for histograms) its
/// bucket.

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <serinus/core/words.hpp>
#include <serinus/series/series.hpp>

namespace serinus {
inline namespace v0 {

/// One series of one arm.
struct ArmSeries {
    std::string name;  ///< as the plan calls it, "http_requests"
    Arm arm = Arm::baseline;
    double le =
        std::numeric_limits<double>::quiet_NaN();  ///< upper bound of a histogram bucket; NaN for all other series
    Series series;
};

/// A stage began at this time (read from a `stage` column).
struct StageStart {
    int stage = 1;  ///< counted from 1
    std::int64_t at_ms = 0;

    friend bool operator==(const StageStart&, const StageStart&) = default;
};

/// Samples handed over together: all that is known, or what is new since the last time.
struct Batch {
    std::vector<ArmSeries> series;
    std::vector<StageStart> stages;  ///< in order of time; empty: everything belongs to stage 1
};

}  // namespace v0
}  // namespace serinus
