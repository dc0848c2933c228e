#pragma once
/// \file
/// Memory that a test works in, kept between calls.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <serinus/core/version.hpp>
#include <serinus/numeric/order.hpp>

namespace serinus {
inline namespace v0 {

/// Sorts in place, ascending; as `sort_ascending`.
using SortKernel = void (*)(std::span<double>);

/// An exact distribution that the next pair of the same sizes can use again.
struct ExactTable {
    std::int64_t m = 0, n = 0;
    std::vector<double>
        cumulative{};  ///< entry k: arrangements of m and n values without ties in which U <= k; to mn/2
};

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
    std::vector<double> baseline{};           ///< the baseline's values, cleaned and sorted
    std::vector<double> canary{};             ///< the canary's values, cleaned and sorted
    std::vector<double> counts{};             ///< counts of arrangements while an exact distribution is built
    SortKernel sort = &sort_ascending;        ///< `fastest_sort()` where the compiled library is linked
    std::vector<std::int64_t> group_sizes{};  ///< sizes of the groups of equal values, in ascending order of value
    std::vector<std::int64_t> tied{};         ///< what an exact distribution with ties is counted from
    std::vector<ExactTable> tables{};         ///< the last few exact distributions of the rank sum, 40 KB each at most
    std::size_t next_table = 0;               ///< which of them is replaced next
};

}  // namespace v0
}  // namespace serinus
