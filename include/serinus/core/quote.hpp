#pragma once
/// \file
/// Foreign text made fit for an error message: short, printable, valid UTF-8.

#include <cstddef>
#include <string>
#include <string_view>

#include <serinus/core/version.hpp>

namespace serinus {
inline namespace v0 {

/// The length in bytes of the valid UTF-8 character at the front of `text`; 0 when there is none (RFC 3629: no overlong
/// forms, no surrogates, nothing above U+10FFFF).
constexpr std::size_t utf8_length(std::string_view text) noexcept {
    if (text.empty()) return 0;
    const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
    const auto follows = [&](std::size_t i, unsigned lowest = 0x80, unsigned highest = 0xBF) {
        return byte(i) >= lowest && byte(i) <= highest;
    };
    const unsigned lead = byte(0);
    if (lead < 0x80) return 1;
    if (lead >= 0xC2 && lead <= 0xDF) return follows(1) ? 2 : 0;
    if (lead >= 0xE0 && lead <= 0xEF) {
        return follows(1, lead == 0xE0 ? 0xA0 : 0x80, lead == 0xED ? 0x9F : 0xBF) && follows(2) ? 3 : 0;
    }
    if (lead >= 0xF0 && lead <= 0xF4) {
        return follows(1, lead == 0xF0 ? 0x90 : 0x80, lead == 0xF4 ? 0x8F : 0xBF) && follows(2) && follows(3) ? 4 : 0;
    }
    return 0;
}

/// Whether all of `text` is UTF-8. Cost: linear.
constexpr bool valid_utf8(std::string_view text) noexcept {
    while (!text.empty()) {
        const std::size_t length = utf8_length(text);
        if (length == 0) return false;
        text.remove_prefix(length);
    }
    return true;
}

/// At most `limit` characters of `text` ("..." stands for the rest). Control characters and bytes that are no UTF-8
/// become "?", so that the sentence can go to any terminal, log or JSON document.
inline std::string printable(std::string_view text, std::size_t limit = 60) {
    std::string out;
    for (std::size_t shown = 0; !text.empty(); ++shown) {
        if (shown == limit) return out + "...";
        const auto lead = static_cast<unsigned char>(text.front());
        const std::size_t length = lead < 0x20 || lead == 0x7F ? 0 : utf8_length(text);
        out += length == 0 ? std::string_view("?") : text.substr(0, length);
        text.remove_prefix(length == 0 ? 1 : length);
    }
    return out;
}

/// `printable` between double quotes.
inline std::string in_quotes(std::string_view text, std::size_t limit = 60) {
    return '"' + printable(text, limit) + '"';
}

}  // namespace v0
}  // namespace serinus
