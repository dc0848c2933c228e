#pragma once
/// \file
/// A rollout as it is shown to people: what was agreed, what was seen, and what was answered.

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

}  // namespace report
}  // namespace v0
}  // namespace serinus
