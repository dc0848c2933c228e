#include "json.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <set>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <serinus/core/counts.hpp>
#include <serinus/core/quote.hpp>

namespace serinus {
inline namespace v0 {
namespace io {

using nlohmann::json;
using nlohmann::ordered_json;

namespace {

/// Builds the value as the parser reports its pieces, and stops at the first piece that breaks a rule.
template <class Json>
class Builder : public nlohmann::json_sax<Json> {
    using json = Json;
    using string_t = typename Json::string_t;
    using binary_t = typename Json::binary_t;

  public:
    Builder(std::string_view text, std::string_view what, const JsonRules& rules)
        : text_(text), what_(what), rules_(rules) {}

    json take() { return std::move(root_); }

    bool null() override { return put(nullptr); }
    bool boolean(bool value) override { return put(value); }
    bool number_integer(typename Json::number_integer_t value) override { return put(value); }
    bool number_unsigned(typename Json::number_unsigned_t value) override { return put(value); }
    bool number_float(typename Json::number_float_t value, const string_t&) override { return put(value); }
    bool string(string_t& value) override { return put(std::move(value)); }
    bool binary(binary_t& value) override { return put(std::move(value)); }
    bool start_object(std::size_t) override { return open(json::object()); }
    bool start_array(std::size_t) override { return open(json::array()); }
    bool end_object() override { return close(); }
    bool end_array() override { return close(); }

    bool key(string_t& name) override {
        Container& container = open_.back();
        auto& object = container.value->template get_ref<typename Json::object_t&>();
        bool fresh = true;
        if constexpr (std::is_same_v<Json, ordered_json>) {  // which looks through all keys to find one
            fresh = container.keys.insert(name).second;
            auto& [key, value] = object.emplace_back(name, nullptr);
            container.key = &key;
            value_ = &value;
        } else {
            const auto [place, is_new] = object.try_emplace(name);
            fresh = is_new;
            container.key = &place->first;
            value_ = &place->second;
        }
        if (!fresh) raise(rules_.duplicate, what_ + " has the key " + path() + " twice; allowed: once");
        return true;
    }

    bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception& problem) override {
        std::string_view why =
            problem.what();  // "[json.exception.parse_error.101] parse error at line 1, column 2: ..."
        if (const auto end = why.find("] "); end != std::string_view::npos) why.remove_prefix(end + 2);
        if (const auto end = why.find(": "); why.starts_with("parse error") && end != std::string_view::npos) {
            why.remove_prefix(end + 2);
        }
        raise(rules_.syntax, what_ + " is no JSON: " + place_of(position) + ": " + printable(why, 200));
    }

  private:
    struct Container {
        json* value;
        const std::string* key = nullptr;  ///< an object's key that was read last
        std::set<std::string> keys = {};   ///< of an object that keeps their order
    };

    /// Where the last of `position` bytes is: lines and characters counted from 1.
    std::string place_of(std::size_t position) const {
        const std::string_view before = text_.substr(0, position > 0 ? position - 1 : 0);
        const auto lines = std::count(before.begin(), before.end(), '\n');
        const std::string_view line = before.substr(before.rfind('\n') + 1);  // npos + 1 is 0
        const auto characters = std::count_if(line.begin(), line.end(), [](char c) {
            return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;  // not the middle of a UTF-8 character
        });
        return "line " + std::to_string(lines + 1) + ", column " + std::to_string(characters + 1);
    }

    /// The path of the key that was read last: "metrics[1].margin".
    std::string path() const {
        std::string path;
        for (const Container& container : open_) {
            if (container.value->is_array()) {
                path += '[' + std::to_string(container.value->size() - 1) + ']';
            } else {
                if (!path.empty()) path += '.';
                path += printable(*container.key);
            }
        }
        return path;
    }

    json* place(json value) {
        if (open_.empty()) {
            root_ = std::move(value);
            return &root_;
        }
        json& container = *open_.back().value;
        if (container.is_array())
            return &container.template get_ref<typename Json::array_t&>().emplace_back(std::move(value));
        *value_ = std::move(value);
        return value_;
    }
    bool put(json value) {
        place(std::move(value));
        return true;
    }
    bool open(json container) {
        if (open_.size() >= static_cast<std::size_t>(rules_.max_depth)) {
            raise(rules_.size, what_ + " is nested too deeply; allowed: " + std::to_string(rules_.max_depth) +
                                   " objects and arrays within one another");
        }
        open_.push_back({.value = place(std::move(container))});
        return true;
    }
    bool close() {
        open_.pop_back();
        return true;
    }

    std::string_view text_;
    std::string what_;
    const JsonRules& rules_;
    json root_;
    std::vector<Container> open_;  ///< a container's elements do not move while it is not the innermost one
    json* value_ = nullptr;        ///< of the key that was read last
};

}  // namespace

namespace {

template <class Json>
Json parse(std::string_view text, std::string_view what, const JsonRules& rules) {
    if (text.size() > rules.max_bytes) {
        raise(rules.size, std::string(what) + " has " + std::to_string(text.size()) + " bytes; allowed: at most " +
                              std::to_string(rules.max_bytes));
    }
    Builder<Json> builder(text, what, rules);
    Json::sax_parse(text.begin(), text.end(), &builder, Json::input_format_t::json, true, rules.comments);
    return builder.take();
}

}  // namespace

json parse_json(std::string_view text, std::string_view what, const JsonRules& rules) {
    return parse<json>(text, what, rules);
}
ordered_json parse_ordered_json(std::string_view text, std::string_view what, const JsonRules& rules) {
    return parse<ordered_json>(text, what, rules);
}

std::string member(const std::string& path, std::string_view key) {
    return path.empty() ? printable(key) : path + '.' + printable(key);
}
std::string element(const std::string& path, std::size_t index) { return path + '[' + std::to_string(index) + ']'; }

std::string json_text(const json& value) {
    return value.is_string() ? value.get_ref<const std::string&>()
                             : value.dump(-1, ' ', false, json::error_handler_t::replace);
}

namespace {

constexpr std::string_view white_space = " \t\r\n";

void pass_byte_order_mark(std::string_view& text) {
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
}

/// Where the value ends that begins at `from`: behind its last bracket, or behind the quotes of a text; at the end of
/// the line for everything else, at the end of the text for what is not closed.
std::size_t end_of_value(std::string_view text, std::size_t from) {
    std::size_t depth = 0;
    for (std::size_t i = from; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '"') {
            for (++i; i < text.size() && text[i] != '"'; ++i) {
                if (text[i] == '\\') ++i;
            }
            if (depth == 0) return std::min(i + 1, text.size());
        } else if (c == '{' || c == '[') {
            ++depth;
        } else if (c == '}' || c == ']') {
            if (depth <= 1) return i + 1;
            --depth;
        } else if (depth == 0 && c == '\n') {
            return i;
        }
    }
    return text.size();
}

}  // namespace

std::string_view take_json(std::string_view& rest, std::int64_t& line) {
    pass_byte_order_mark(rest);
    const std::size_t begin = std::min(rest.find_first_not_of(white_space), rest.size());
    line += std::count(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(begin), '\n');
    rest.remove_prefix(begin);
    const std::string_view value = rest.substr(0, rest.empty() ? 0 : end_of_value(rest, 0));
    rest.remove_prefix(value.size());
    return value;
}

std::vector<std::string_view> first_keys(std::string_view text, std::size_t most) {
    pass_byte_order_mark(text);
    const auto pass = [&](std::size_t at) { return std::min(text.find_first_not_of(white_space, at), text.size()); };
    std::vector<std::string_view> keys;
    std::size_t at = pass(0);
    if (at >= text.size() || text[at] != '{') return keys;
    at = pass(at + 1);
    while (keys.size() < most && at < text.size() && text[at] == '"') {
        const std::size_t end = end_of_value(text, at);
        const std::string_view key = text.substr(at + 1, end - at - 2);
        at = pass(end);
        if (at >= text.size() || text[at] != ':') return keys;
        keys.push_back(key);
        at = pass(at + 1);
        if (at < text.size() && (text[at] == '{' || text[at] == '[' || text[at] == '"')) at = end_of_value(text, at);
        at = std::min(text.find_first_of(",}", at), text.size());
        if (at >= text.size() || text[at] == '}') return keys;
        at = pass(at + 1);
    }
    return keys;
}

nlohmann::ordered_json number_json(double value) {
    if (std::isnan(value)) return nullptr;
    if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
    if (value == std::floor(value) && std::fabs(value) <= as_double(most_count))
        return static_cast<std::int64_t>(value);
    return value;
}

std::string document_text(const nlohmann::ordered_json& document, int indent) {
    return document.dump(indent, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace io
}  // namespace v0
}  // namespace serinus
