#include "json.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <serinus/core/counts.hpp>
#include <serinus/core/quote.hpp>

namespace serinus {
inline namespace v0 {
namespace io {

using nlohmann::json;

namespace {

/// Builds the value as the parser reports its pieces, and stops at the first piece that breaks a rule.
class Builder : public nlohmann::json_sax<json> {
  public:
    Builder(std::string_view text, std::string_view what, const JsonRules& rules)
        : text_(text), what_(what), rules_(rules) {}

    json take() { return std::move(root_); }

    bool null() override { return put(nullptr); }
    bool boolean(bool value) override { return put(value); }
    bool number_integer(number_integer_t value) override { return put(value); }
    bool number_unsigned(number_unsigned_t value) override { return put(value); }
    bool number_float(number_float_t value, const string_t&) override { return put(value); }
    bool string(string_t& value) override { return put(std::move(value)); }
    bool binary(binary_t& value) override { return put(std::move(value)); }
    bool start_object(std::size_t) override { return open(json::object()); }
    bool start_array(std::size_t) override { return open(json::array()); }
    bool end_object() override { return close(); }
    bool end_array() override { return close(); }

    bool key(string_t& name) override {
        Container& container = open_.back();
        const auto [place, fresh] = container.value->get_ref<json::object_t&>().try_emplace(name);
        container.key = &place->first;
        if (!fresh) raise(rules_.duplicate, what_ + " has the key " + path() + " twice; allowed: once");
        value_ = &place->second;
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
        if (container.is_array()) return &container.get_ref<json::array_t&>().emplace_back(std::move(value));
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

json parse_json(std::string_view text, std::string_view what, const JsonRules& rules) {
    if (text.size() > rules.max_bytes) {
        raise(rules.size, std::string(what) + " has " + std::to_string(text.size()) + " bytes; allowed: at most " +
                              std::to_string(rules.max_bytes));
    }
    Builder builder(text, what, rules);
    json::sax_parse(text.begin(), text.end(), &builder);
    return builder.take();
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
