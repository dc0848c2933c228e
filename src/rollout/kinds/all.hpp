#pragma once
/// \file
/// The kinds of metrics that this version judges: the one place that names them all; inside the library only.

#include "rollout/kinds/before_after.hpp"
#include "rollout/kinds/gauge.hpp"
#include "rollout/kinds/histogram.hpp"
#include "rollout/kinds/proportion.hpp"
#include "rollout/kinds/rate.hpp"
#include "rollout/kinds/ratio.hpp"
#include "rollout/kinds/sample.hpp"

namespace serinus {
inline namespace v0 {
namespace detail {

using AllKinds = Kinds<ProportionKind, GaugeKind, RateKind, RatioKind, HistogramKind, SampleKind, BeforeAfterKind>;

}  // namespace detail
}  // namespace v0
}  // namespace serinus
