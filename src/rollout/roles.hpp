#pragma once
/// \file
/// Which series a metric reads, and as what; inside the library only.

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include <serinus/rollout/batch.hpp>
#include <serinus/rollout/plan.hpp>

namespace serinus {
inline namespace v0 {
namespace detail {

/// Whether a metric reads a series in a role, of which `names` (`series_of`) has the series: 0 the part of a count, or the one series of a gauge, 1 the whole. Of a
/// histogram's buckets the part is the one with the bound that the plan names, and the whole the last one.
bool reads(const Metric& metric, const std::vector<std::string>& names, std::size_t role, const ArmSeries& series);

/// Raises `serinus.data.bucket` where a metric reads one series and these are buckets, or asks for one that is not among
/// them.
void require_bucket(const Metric& metric, const Batch& batch);

/// What the values of a gauge, or of what is divided, are called among those that an interval brought.
std::string name_of_values(const Metric& metric);

/// What several collectors showed of one target: one is followed until it falls silent, then the next that goes on, by
/// their times alone. A single one is given back as it is.
Series joined_replicas(std::map<std::string, Series> replicas);

}  // namespace detail
}  // namespace v0
}  // namespace serinus
