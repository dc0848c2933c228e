#pragma once
/// \file
/// JSON from a stranger, and numbers on their way into JSON; inside the library only.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include <serinus/core/error.hpp>
#include <serinus/core/quote.hpp>

namespace serinus {
inline namespace v0 {
namespace io {

/// What `parse_json` allows, and what it raises.
struct JsonRules {
    std::uint64_t max_bytes = std::uint64_t{1} << 30;
    int max_depth = 64;
    bool comments = false;  ///< `// to the end of the line` and `/* between */` are passed over
    Code syntax = Code::data_document;
    Code duplicate = Code::data_document;
    Code size = Code::data_size;
};

/// The value of a JSON text; `what` names the text in errors ("the plan"). Unlike the parser's own door it refuses keys
/// that are given twice (which of the two was meant?) and deep nesting, and its errors are short and printable whatever
/// the text holds: they name the line and column, or the path of the key. A byte order mark is passed over.
nlohmann::json parse_json(std::string_view text, std::string_view what, const JsonRules& rules = {});
/// The same, keys in the order of the text.
nlohmann::ordered_json parse_ordered_json(std::string_view text, std::string_view what, const JsonRules& rules = {});

/// The path of an object's member, "metrics.errors", and of a list's element, "metrics[1]".
std::string member(const std::string& path, std::string_view key);
std::string element(const std::string& path, std::size_t index);

/// A value as an error shows it: "\"10m\", a text".
template <class Json>
std::string shown(const Json& value) {
    const std::string_view type = value.is_string()    ? ", a text"
                                  : value.is_number()  ? ", a number"
                                  : value.is_array()   ? ", a list"
                                  : value.is_object()  ? ", an object"
                                  : value.is_boolean() ? ", a truth value"
                                                       : "";
    const std::string text = value.is_string() ? in_quotes(value.template get_ref<const std::string&>())
                                               : printable(value.dump(-1, ' ', false, Json::error_handler_t::replace));
    return text + std::string(type);
}

/// Whether a value is this text. (Its own == makes a value of the text, and ends the program when there is no memory.)
template <class Json>
bool is_text(const Json& value, std::string_view text) {
    return value.is_string() && value.template get_ref<const std::string&>() == text;
}

/// The member `key` of an object, or nothing; nothing of what is no object.
inline const nlohmann::json* json_member(const nlohmann::json& object, const char* key) {
    const auto found = object.find(key);  // end() of what is no object
    return found == object.end() ? nullptr : &*found;
}

/// A value as an error shows it: a text as it is, everything else as JSON.
std::string json_text(const nlohmann::json& value);

/// Takes the first JSON value off a text of several, each on its own line or lines, without looking whether it is one:
/// from its bracket to the one that closes it, or else a line. Adds the lines that were passed to `line`. Nothing when
/// only white space is left. Cost: linear in what is taken.
std::string_view take_json(std::string_view& rest, std::int64_t& line);

/// The keys of the object that a text begins with, at most the first `most`, as they are written; nothing where it does
/// not begin with an object. White space and a byte order mark are passed over. Cost: linear in what they hold.
std::vector<std::string_view> first_keys(std::string_view text, std::size_t most = 8);

/// A number for a document that people read: whole ones without a decimal point; NaN, which JSON does not have, is
/// null, and the infinities are the texts "Infinity" and "-Infinity".
nlohmann::ordered_json number_json(double value);

/// A text for such a document: bytes that are no UTF-8, which JSON cannot hold, become U+FFFD.
std::string document_text(const nlohmann::ordered_json& document, int indent);

}  // namespace io
}  // namespace v0
}  // namespace serinus
