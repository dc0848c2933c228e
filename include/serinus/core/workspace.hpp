#pragma once
/// \file
/// Memory that a test works in, kept between calls.

#include <cstdint>
#include <vector>

#include <serinus/core/version.hpp>

namespace serinus {
inline namespace v0 {

/// Scratch buffers. A function that has an overload with a trailing `Workspace&` works in these instead of allocating
/// its own, which is worth having when many pairs are judged one after the other. Results never depend on it.
///
/// One Workspace a thread: two calls must not use the same one at the same time. What the buffers hold after a call is
/// of no use to the caller; they only ever grow, and are freed with the Workspace.
///
/// ```
/// Workspace workspace;
/// for (const auto& metric : metrics) judge(mann_whitney(metric.baseline, metric.canary, {}, workspace));
/// ```
struct Workspace {
    std::vector<double> baseline;           ///< the baseline's values, cleaned and sorted
    std::vector<double> canary;             ///< the canary's values, cleaned and sorted
    std::vector<double> counts;             ///< counts of arrangements while an exact distribution is built
    std::vector<std::int64_t> group_sizes;  ///< sizes of the groups of equal values, in ascending order of value
};

}  // namespace v0
}  // namespace serinus
