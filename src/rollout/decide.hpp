#pragma once
/// \file
/// From verdicts to the decision, with the reasons for it; inside the library only.

#include <vector>

#include <serinus/core/error.hpp>
#include <serinus/core/words.hpp>
#include <serinus/rollout/decision.hpp>
#include <serinus/rollout/plan.hpp>

#include "rollout/panel.hpp"
#include "rollout/stage_clock.hpp"
#include "rollout/standing.hpp"

namespace serinus {
inline namespace v0 {
namespace detail {

/// A decision, and what it has decided for ever.
struct Decided {
    Decision decision;
    LatchState latch;
};

/// What is told at this moment. It asks and changes nothing: the same views give the same decision. Which action it is
/// follows from the rules in rules.def, the first that holds. Cost: O(metrics + objectives), whatever has come before.
Decided decide(const Plan& plan, const StageClock::View& clock, const Panel::View& panel, const Intake& intake,
               const FixedLook* fixed = nullptr);

/// Who is told of such a reason: as the plan says, else `usual`.
Severity severity_of(const Plan& plan, Code code, Severity usual);

/// How an objective stands; `counted`: the metric whose events it counts.
BurnResult burn_result(const Look& look, const SloJudged& judged, const Judged& counted, const Standing& standing);

}  // namespace detail
}  // namespace v0
}  // namespace serinus
