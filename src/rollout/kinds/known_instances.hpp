#pragma once
/// \file
/// What history and former releases tell of a gauge's instances; inside the library only.

#include <optional>
#include <span>
#include <vector>

#include <serinus/core/reason.hpp>
#include <serinus/rollout/batch.hpp>
#include <serinus/rollout/plan.hpp>

namespace serinus {
inline namespace v0 {
namespace detail {

/// The levels of history's instances and the spread of those of former releases, with the reasons that say so; empty
/// where neither names two instances.
std::optional<KnownInstances> known_instances(const Plan& plan, const Metric& metric, const Batch& history,
                                              std::span<const Batch> former, std::vector<Reason>& reasons);

}  // namespace detail
}  // namespace v0
}  // namespace serinus
