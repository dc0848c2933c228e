#pragma once
/// \file
/// What is said of an error budget, as a JSON document (data/schema/burn.schema.json).

#include <string>

#include <serinus/core/version.hpp>

namespace serinus {
inline namespace v0 {

namespace slo {
struct BurnReport;
}

namespace io {

/// The report as JSON text. Times are RFC 3339, durations have units; a number that is not known, or infinite, is null.
/// The objective's name is made printable. Cost: linear in windows and conditions.
std::string write_burn(const slo::BurnReport& report);

}  // namespace io
}  // namespace v0
}  // namespace serinus
