#pragma once
/// \file
/// What goes from the intake to the metrics: an interval with all that it brought; inside the library only.

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include <serinus/core/words.hpp>

#include "rollout/partition.hpp"

namespace serinus {
inline namespace v0 {
namespace detail {

using TrackKey = std::tuple<std::string, Arm, std::string>;  // series, arm, instance

/// What one series of one instance brought.
struct Brought {
    double sum = 0;
    double samples = 0;
};

/// What of a count one arm brought, over all of its instances and label sets, by role: a part, and the whole.
struct ArmCounts {
    bool present = false;   // an instance with all that the metric needs
    bool unpaired = false;  // an instance with a part of it only
    std::array<double, 2> sums{};
};

/// What one metric that counts has of an interval.
struct MetricCounts {
    std::array<ArmCounts, 2> arms;
    bool waiting = false;                   // an arm has nothing yet: what the other has is kept for a later interval
    std::array<bool, 2> heard{true, true};  // which arm has brought something since the last interval that was judged
    bool baseline_heard = false;            // in this one
    std::array<double, 2> requests{};       // since the baseline was last heard: the whole of each arm
    std::array<Partition, 2> observations;  // of a histogram, by arm
    std::array<std::vector<double>, 2> values;  // single observations, by arm
};

/// What all of them brought in an interval that is closed.
struct Interval {
    std::map<TrackKey, Brought> brought;  // values, and the totals by instance
    std::vector<MetricCounts> metrics;    // in the plan's order
    std::vector<TrackKey> excused;        // warming up again: their samples count for nothing
    std::int64_t from_ms = 0, to_ms = 0;  // [from, to)
    std::size_t metric = 0;               // whose `counts` are meant

    const MetricCounts& counts() const { return metrics[metric]; }
    const ArmCounts& counts(Arm arm) const { return counts().arms[static_cast<std::size_t>(arm)]; }

    /// `what(instance, brought)` for each instance of an arm that has the series.
    template <class What>
    void each(const std::string& series, Arm arm, const What& what) const {
        for (auto at = brought.lower_bound(TrackKey{series, arm, ""}); at != brought.end(); ++at) {
            const auto& [of_series, of_arm, instance] = at->first;
            if (of_series != series || of_arm != arm) break;
            what(instance, at->second);
        }
    }
};

}  // namespace detail
}  // namespace v0
}  // namespace serinus
