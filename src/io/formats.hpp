#pragma once
/// \file
/// Formats that are known and not read; inside the library only.

#include <string_view>

#include <serinus/core/version.hpp>

namespace serinus {
inline namespace v0 {
namespace io {

/// Raises `serinus.data.format` for an answer of Datadog, CloudWatch, New Relic or InfluxDB (JSON), and for a table that
/// pandas wrote as JSON: with its name and what to do instead. `serinus.data.query` for such an answer that says it
/// failed. Everything else passes. Cost: linear; JSON is read once.
void refuse_by_name(std::string_view text);

}  // namespace io
}  // namespace v0
}  // namespace serinus
