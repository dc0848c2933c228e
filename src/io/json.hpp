#pragma once
/// \file
/// JSON from a stranger, and numbers on their way into JSON; inside the library only.

#include <cstdint>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include <serinus/core/error.hpp>

namespace serinus {
inline namespace v0 {
namespace io {

/// What `parse_json` allows, and what it raises.
struct JsonRules {
    std::uint64_t max_bytes = std::uint64_t{1} << 30;
    int max_depth = 64;
    Code syntax = Code::data_document;
    Code duplicate = Code::data_document;
    Code size = Code::data_size;
};

/// The value of a JSON text; `what` names the text in errors ("the plan"). Unlike the parser's own door it refuses keys
/// that are given twice (which of the two was meant?) and deep nesting, and its errors are short and printable whatever
/// the text holds: they name the line and column, or the path of the key. A byte order mark is passed over.
nlohmann::json parse_json(std::string_view text, std::string_view what, const JsonRules& rules = {});

/// A number for a document that people read: whole ones without a decimal point; NaN, which JSON does not have, is
/// null, and the infinities are the texts "Infinity" and "-Infinity".
nlohmann::ordered_json number_json(double value);

/// A text for such a document: bytes that are no UTF-8, which JSON cannot hold, become U+FFFD.
std::string document_text(const nlohmann::ordered_json& document, int indent);

}  // namespace io
}  // namespace v0
}  // namespace serinus
