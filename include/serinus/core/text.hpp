#pragma once
/// \file
/// Numbers and durations as a person reads them, the same in every locale.

#include <charconv>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <serinus/core/version.hpp>

namespace serinus {
inline namespace v0 {

/// A number as a person writes it: the shortest text with at most `digits` significant digits; whole numbers below 1e15
/// in full; NaN is "nan", whatever its sign bit.
inline std::string number_text(double value, int digits = 4) {
    if (std::isnan(value)) return "nan";
    char buffer[64];
    const bool whole = std::isfinite(value) && std::abs(value) < 1e15 && value == std::floor(value);
    const auto result = whole
                            ? std::to_chars(buffer, buffer + sizeof buffer, static_cast<std::int64_t>(value))
                            : std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::general, digits);
    return result.ec == std::errc{} ? std::string(buffer, result.ptr) : std::string("?");
}

/// A number that somebody gave, as it was given: the shortest text that reads back as it, so that an error never shows
/// an allowed number in place of one a little beside it.
inline std::string given_text(double value) {
    if (std::isnan(value)) return "nan";
    if (std::abs(value) < 1e17 && value == std::floor(value)) return number_text(value, 17);
    char buffer[64];
    const auto result = std::to_chars(buffer, buffer + sizeof buffer, value);
    return result.ec == std::errc{} ? std::string(buffer, result.ptr) : std::string("?");
}

/// Seconds as a person says them: "12m 40s", "2h 5m", "45s", "0.5s".
inline std::string seconds_text(double seconds) {
    if (!(seconds >= 1) || !(seconds < 1e12)) return number_text(seconds, 3) + "s";
    std::int64_t left = std::llround(seconds);
    std::string text;
    int parts = 0;
    for (const auto& [unit, size] :
         {std::pair<std::string_view, std::int64_t>{"d", 86400}, {"h", 3600}, {"m", 60}, {"s", 1}}) {
        if (left < size || parts == 2) continue;
        if (parts++ > 0) text += ' ';
        text += std::to_string(left / size);
        text += unit;
        left %= size;
    }
    return text;
}

}  // namespace v0
}  // namespace serinus
