#pragma once
/// \file
/// The one answer for services that are rolled out together, in words.

#include <span>
#include <string>

#include <serinus/report/text.hpp>
#include <serinus/rollout/together.hpp>

namespace serinus {
inline namespace v0 {
namespace report {

/// The answer first, then a line for each decision, and what to do:
///
///     ROLLBACK  2 services together   because of payments-7
///
///       orders-3    promote   stage 1 of 2: stage_passed
///       payments-7  rollback  stage 1 of 2: errors.harm_proven
///
///       promise     good services are ever rolled back together with probability at most 5 %
///       next        roll all of them back
///
/// Lines end with "\n"; control characters in names become "?". The same decisions give the same text under every locale.
std::string text(const Together& together, std::span<const Decision> decisions, const TextOptions& options = {});

}  // namespace report
}  // namespace v0
}  // namespace serinus
