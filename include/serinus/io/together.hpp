#pragma once
/// \file
/// The one answer for services that are rolled out together, as JSON.

#include <span>
#include <string>

#include <serinus/core/version.hpp>
#include <serinus/rollout/together.hpp>

namespace serinus {
inline namespace v0 {
namespace io {

/// The answer as a JSON object (data/schema/together.schema.json), and in `decisions` what each of the decisions said
/// that it was made from. Keys stand in a fixed order; `indent` blanks a level, -1 puts all on one line. Never raises for
/// what `decide_together` gave.
std::string write_together(const Together& together, std::span<const Decision> decisions, int indent = 2);

}  // namespace io
}  // namespace v0
}  // namespace serinus
