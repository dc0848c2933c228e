#pragma once
/// \file
/// Sample values as texts; inside the library only.

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>
#include <string_view>
#include <system_error>

namespace serinus {
inline namespace v0 {
namespace io {

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

}  // namespace io
}  // namespace v0
}  // namespace serinus
