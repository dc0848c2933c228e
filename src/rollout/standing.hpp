#pragma once
/// \file
/// What stands in the way of a metric, whatever its kind and its evidence; inside the library only.

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include <serinus/core/reason.hpp>
#include <serinus/rollout/plan.hpp>

#include "rollout/judged.hpp"
#include "rollout/stage_clock.hpp"

namespace serinus {
inline namespace v0 {
namespace detail {

/// What a metric is seen beside.
struct Look {
    const Plan& plan;
    const StageClock::View& clock;
    std::array<bool, 2> heard;  // whether a sample of it has come: baseline, canary
};

/// What forbids a metric to decide at all. These look at telemetry, never at which way the evidence points.
std::vector<Reason> obstacles(const Look& look, const Judged& judged);

/// How a metric stands at the moment of a decision: asked once, and handed on.
struct Standing {
    Standing(const Look& look, const Judged& judged);

    std::vector<Reason> obstacles;
    std::optional<double> idle_share;  // of an instance of the canary, where that forbids to pass
    double age_seconds = 0;            // of the newest usable data
    bool stale = false;                // they are too old to decide on
};

}  // namespace detail
}  // namespace v0
}  // namespace serinus
