#pragma once
/// \file
/// Numbers, durations and lists as a person reads and writes them, the same in every locale.

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

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

/// "1234567" -> "1,234,567"; a sign may stand in front.
inline std::string with_separators(std::string digits) {
    const std::size_t first = !digits.empty() && digits.front() == '-' ? 1 : 0;
    for (std::size_t at = digits.size(); at > first + 3;) digits.insert(at -= 3, 1, ',');
    return digits;
}

/// A number in a sentence: counts in full ("107,100"), others with four digits or more ("3.142", "12,346"), and from 1e12 on
/// what is no count by its power of ten alone ("10^57").
inline std::string told_number(double value) {
    const double size = std::abs(value);
    if (!(size >= 1000) || std::isinf(value)) return number_text(value);
    if (size < 1e15 && value == std::floor(value)) return with_separators(number_text(value));
    if (size >= 1e12) {
        // The exponent of the shortest text is that of the number itself: 9e+302.
        const std::string text = number_text(size, 17);
        const std::size_t e = text.find('e');
        const std::string power =
            e == std::string::npos ? std::to_string(std::min(text.find('.'), text.size()) - 1) : text.substr(e + 2);
        return (value < 0 ? "-10^" : "10^") + power;
    }
    return with_separators(number_text(std::round(value)));
}

/// A number of things, one or more: "1 interval", "1,200 intervals".
inline std::string told_count(double number, std::string_view noun) {
    return told_number(number) + ' ' + std::string(noun) + (number == 1 ? "" : "s");
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

/// What errors say of texts that are no number.
inline constexpr std::string_view number_allowed = "a decimal number within the range of a double, NaN, +Inf, -Inf";

/// A value as Prometheus, pandas and people write it. "nan", "inf" and "infinity" in any case; no hexadecimal, no
/// thousands separators, nothing before or after. Nothing for any other text and for numbers that no double holds.
inline std::optional<double> parse_number(std::string_view text) noexcept {
    const bool negative = !text.empty() && text.front() == '-';
    if (!text.empty() && (text.front() == '-' || text.front() == '+')) text.remove_prefix(1);
    if (text.empty()) return std::nullopt;
    double value = 0;
    if ((text.front() >= '0' && text.front() <= '9') || text.front() == '.') {
        const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (problem != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    } else {
        const auto is = [text](std::string_view word) {
            return std::equal(text.begin(), text.end(), word.begin(), word.end(),
                              [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b; });
        };
        if (is("nan")) {
            value = std::numeric_limits<double>::quiet_NaN();
        } else if (is("inf") || is("infinity")) {
            value = std::numeric_limits<double>::infinity();
        } else {
            return std::nullopt;
        }
    }
    return negative ? -value : value;
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

/// "a, b, c".
inline std::string joined(const std::vector<std::string>& parts, std::string_view separator = ", ") {
    std::string all;
    for (const std::string& part : parts) {
        if (!all.empty()) all += separator;
        all += part;
    }
    return all;
}

/// "a", "a and b", "a, b and c".
inline std::string listed(std::vector<std::string> parts) {
    if (parts.size() < 2) return joined(parts);
    const std::string last = std::move(parts.back());
    parts.pop_back();
    return joined(parts) + " and " + last;
}

}  // namespace v0
}  // namespace serinus
