#pragma once
/// \file
/// What is to be mended in a plan, and how data were understood, in words.

#include <string>

#include <serinus/report/text.hpp>
#include <serinus/rollout/lint.hpp>

namespace serinus {
inline namespace v0 {
namespace report {

/// What is to be mended first, then each series of the plan with what the data have of it, then what was made of them:
///
///     MEND  payments   1 thing to mend
///
///       errors   bad    http_errors    baseline  3 series of 3 instances (a, b, c), 720 samples, every 15s
///                                      canary    none
///       mend     errors.missing_canary: no usable data of the canary
///       notes    errors.births: born while they were watched, and counted from zero: 1 series ...
///       data     2026-11-22T21:21:29Z to 2026-11-22T22:21:14Z
///
/// "READY" where nothing is to be mended. The same answer gives the same text under every locale.
std::string text(const Understood& understood, const TextOptions& options = {});

}  // namespace report
}  // namespace v0
}  // namespace serinus
