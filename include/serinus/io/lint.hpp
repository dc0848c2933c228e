#pragma once
/// \file
/// What is to be mended in a plan, and how data were understood, as JSON.

#include <string>

#include <serinus/core/version.hpp>
#include <serinus/rollout/lint.hpp>

namespace serinus {
inline namespace v0 {
namespace io {

/// An object with `version`, `plan`, `mend` and `notes` (reasons with their sentences, as in a decision) and `series`. Keys stand
/// in a fixed order, so that equal answers are equal texts; a time or a spacing that is not known is null. `indent`
/// blanks a level; -1 puts all on one line. Never raises for what `understand` gave.
std::string write_understood(const Understood& understood, int indent = 2);

}  // namespace io
}  // namespace v0
}  // namespace serinus
