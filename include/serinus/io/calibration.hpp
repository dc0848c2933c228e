#pragma once
/// \file
/// A calibration as JSON: what history taught, for programs and for the record.

#include <string>

#include <serinus/core/version.hpp>
#include <serinus/rollout/calibrate.hpp>

namespace serinus {
inline namespace v0 {
namespace io {

/// The calibration as a JSON object (data/schema/calibration.schema.json): the report of each metric with the sentences
/// of its reasons, and `noise`, which may be put into the plan's key of that name as it is (`with_noise` and
/// `write_plan` do so).
///
/// Keys stand in a fixed order, so that equal calibrations are equal texts; a number that is not known is null.
/// `indent` blanks a level; -1 puts all on one line. Never raises for what `calibrate` gave.
std::string write_calibration(const Calibration& calibration, int indent = 2);

}  // namespace io
}  // namespace v0
}  // namespace serinus
