#pragma once
/// \file
/// A calibration in words: what was learned from history, and what was too little.

#include <string>
#include <string_view>

#include <serinus/report/text.hpp>
#include <serinus/rollout/calibrate.hpp>

namespace serinus {
inline namespace v0 {
namespace report {

/// What was learned, a block a metric, with how the noise of history's first half did on its second half:
///
///     CALIBRATED  payments   2 of 2 metrics
///
///       p95      learned      two arms of one version typically differ by 2.14 (1.4 % of the baseline's 151)
///                             2,880 intervals of history, worth 301 independent ones
///                             quiet rollouts on the half of history held back: 0 of 12 rolled back
///       errors   learned      dispersion 1.31: counts vary 1.31 times as much as independent requests would
///
///       why      p95.history_instances: 8 instances of history took turns as the canary, ...
///       next     give the plan its noise: serinus calibrate PLAN HISTORY --output PLAN-WITH-NOISE
///
/// `written`: the file that the plan with its noise was written to already; empty: none was. The same calibration gives
/// the same text under every locale.
std::string text(const Plan& plan, const Calibration& calibration, const TextOptions& options = {},
                 std::string_view written = {});

}  // namespace report
}  // namespace v0
}  // namespace serinus
