#pragma once
/// \file
/// A rollout as it is shown to people: what was agreed, what was seen, and what was answered.

#include <cstdint>
#include <optional>
#include <vector>

#include <serinus/rollout/batch.hpp>
#include <serinus/rollout/decision.hpp>
#include <serinus/rollout/plan.hpp>

namespace serinus {
inline namespace v0 {
namespace report {

/// All that a report is made of.
struct Record {
    Plan plan;
    std::vector<Decision> decisions;  ///< in order of time; the last one is the answer
    Batch batch;                      ///< the data; may be empty where only words are wanted
};

/// What a controller would have been told that asked again and again: judges the batch piece by piece, at `looks` times
/// that are evenly spread over it and whole intervals apart (at every interval where there are fewer), and at its end.
///
/// The last decision is that of `judge(plan, batch, now_ms)`, whatever the number of looks; the others are there to show
/// how it came about. `looks`: 0 for the last one alone; a plan with `"analysis": "fixed"` has no other. Raises what
/// `judge` raises. Cost: that of `Monitor::observe` for each look, and the samples once.
Record recorded(Plan plan, Batch batch, std::optional<std::int64_t> now_ms = std::nullopt, int looks = 120);

}  // namespace report
}  // namespace v0
}  // namespace serinus
