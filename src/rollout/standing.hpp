#pragma once
/// \file
/// What stands in the way of a metric, whatever its kind and its evidence; inside the library only.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include <serinus/core/reason.hpp>
#include <serinus/rollout/plan.hpp>

#include "rollout/intake.hpp"
#include "rollout/judged.hpp"
#include "rollout/stage_clock.hpp"
#include "rollout/traffic_watch.hpp"

namespace serinus {
inline namespace v0 {
namespace detail {

/// What a metric is seen beside.
class FixedLook;  // rollout/fixed_look.hpp

struct Look {
    const Plan& plan;
    const StageClock::View& clock;
    const Intake& intake;
    const TrafficWatches& traffic;
    const FixedLook* fixed = nullptr;  ///< where the plan looks once
};

/// What a doubt about the data forbids.
enum class Blocks : std::uint8_t { promotion, rollback };

/// What forbids a metric, which is the plan's `index`-th, to pass, or even to fail. These look at telemetry, never at
/// which way the evidence points. To pass, any doubt forbids; to fail, what can make harm out of nothing.
std::vector<Reason> obstacles(const Look& look, const Judged& judged, std::size_t index, Blocks blocks);

/// Which counts of a metric cannot be: of the first ones the series, the value and the time.
Reason impossible_reason(const Judged& judged);

/// How a metric stands at the moment of a decision: asked once, and handed on.
struct Standing {
    Standing(const Look& look, const Judged& judged, std::size_t index);

    std::vector<Reason> obstacles;
    std::optional<double> idle_share;  // of an instance of the canary, where that forbids to pass
    double age_seconds = 0;            // of the newest usable data
    bool stale = false;                // they are too old to decide on
};

}  // namespace detail
}  // namespace v0
}  // namespace serinus
