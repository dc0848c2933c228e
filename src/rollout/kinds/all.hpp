#pragma once
/// \file
/// The kinds of metrics that this version judges: the one place that names them all; inside the library only.

#include "rollout/kinds/gauge.hpp"
#include "rollout/kinds/proportion.hpp"

namespace serinus {
inline namespace v0 {
namespace detail {

using AllKinds = Kinds<ProportionKind, GaugeKind>;

}  // namespace detail
}  // namespace v0
}  // namespace serinus
