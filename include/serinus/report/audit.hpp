#pragma once
/// \file
/// What is said of an audit log that was replayed, in words.

#include <string>

#include <serinus/report/text.hpp>
#include <serinus/rollout/audit.hpp>

namespace serinus {
inline namespace v0 {
namespace report {

/// Whether the log is what was written and its decisions come out again, a line a decision, and what was found:
///
///     REPRODUCED  3 decisions of 3, bit for bit
///
///       line  asked                 call   for                   decision
///       2     2026-11-22T21:40:02Z  judge  2026-11-22T21:40:00Z  hold      payments-2026.11.22-1
///
///       last     3f1c...: who keeps this hash elsewhere finds out when the log is cut off before it
///
/// Cost: linear in the lines.
std::string text(const AuditReport& report, const TextOptions& options = {});

}  // namespace report
}  // namespace v0
}  // namespace serinus
