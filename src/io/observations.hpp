#pragma once
/// \file
/// A Batch as JSON, not a bit lost, for the audit log; inside the library only.

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include <serinus/rollout/batch.hpp>

namespace serinus {
inline namespace v0 {
namespace io {

/// The batch; of a series that `base` has as well, what both have running is told as "same": [where in base, how many]
/// and the rest as samples. Cost: linear in both.
nlohmann::ordered_json observations_json(const Batch& batch, const Batch& base);

/// The batch that `observations_json` told, by the same base. Raises `serinus.data.document`, naming the path, for
/// anything else.
Batch read_observations(const nlohmann::ordered_json& document, const Batch& base);

/// A text of any bytes: one that is no UTF-8 becomes {"hex": "c328"}.
nlohmann::ordered_json bytes_json(std::string_view text);
std::string read_bytes(const nlohmann::ordered_json& value, const std::string& path);

/// Bytes as hexadecimal digits, and back. Raises `serinus.data.document` for a text that is none.
std::string hex_text(std::string_view bytes);
std::string from_hex(std::string_view hex, const std::string& path);

/// The member of an object. Raises `serinus.data.document` where there is none.
const nlohmann::ordered_json& wanted(const nlohmann::ordered_json& object, std::string_view key,
                                     const std::string& path);
std::int64_t read_whole(const nlohmann::ordered_json& value, const std::string& path);

}  // namespace io
}  // namespace v0
}  // namespace serinus
