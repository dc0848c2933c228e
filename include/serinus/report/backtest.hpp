#pragma once
/// \file
/// A back-test in words: what a plan would have done with former releases, and how often it would have been wrong.

#include <span>
#include <string>

#include <serinus/report/text.hpp>
#include <serinus/rollout/backtest.hpp>

namespace serinus {
inline namespace v0 {
namespace report {

/// What the plan would have done, then how often it was wrong where labels say what the releases were, a line a metric,
/// the releases that somebody would want to look at (all but the promoted ones that are not labelled bad), and what
/// each try would have changed:
///
///     BACK-TEST  checkout   12 releases   8 promoted, 1 held, 3 rolled back
///
///       wrong    1 of 9 good releases rolled back (11.1 %, between 0.281 % and 48.3 %)
///                0 of 3 bad releases promoted (0 %, between 0 % and 70.8 %)
///
///       errors   rolled back 3 (alone 2, good ones 1); held 1
///       memory   never decided
///
///       release-7   bad   rollback  after 12m, stage 1 of 2   errors.harm_proven
///
///       try      metrics[0].margin.ratio=2: 1 of 12 decided differently
///                release-9, good: rollback, would be promote
///
/// `runs`: the plan's own, then the tries; none gives an empty text. Lines end with "\n"; control characters in names
/// become "?". The same back-tests give the same text under every locale. Raises `serinus.argument.length` for tries on
/// other releases.
std::string text(std::span<const Backtest> runs, const TextOptions& options = {});

}  // namespace report
}  // namespace v0
}  // namespace serinus
