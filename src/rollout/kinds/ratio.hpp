#pragma once
/// \file
/// One quantity for another, such as seconds of CPU a request: what an instance spent in an interval over what it spent it
/// on is judged as a gauge is; inside the library only.

#include <string>

#include "rollout/kinds/gauge.hpp"

namespace serinus {
inline namespace v0 {
namespace detail {

class RatioKind : public GaugeKind {
  public:
    static constexpr const KindFacts& facts = facts_of(Kind::ratio);

    using GaugeKind::GaugeKind;

    static void check(const std::string& path, const Metric& metric);
    static void learn(Learning& learning);

    static Values gather(const Interval& interval, const Metric& metric, Arm arm) {
        Values values = GaugeKind::gather(interval, metric, arm);
        values.unpaired = interval.counts(arm).unpaired;
        return values;
    }
};

}  // namespace detail
}  // namespace v0
}  // namespace serinus
