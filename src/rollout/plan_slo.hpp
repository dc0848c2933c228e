#pragma once
/// \file
/// The checks of a plan's objectives; inside the library only.

#include <cstddef>
#include <string>

#include <serinus/rollout/plan.hpp>

namespace serinus {
inline namespace v0 {
namespace detail {

/// Checks rule `index` of the plan's objectives; its metric is one of the plan's.
void check_slo(const std::string& path, const Plan& plan, std::size_t index);

}  // namespace detail
}  // namespace v0
}  // namespace serinus
