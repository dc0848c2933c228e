#pragma once
/// \file
/// Numbers as a person reads them; inside the library only.

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <string>
#include <system_error>

#include <serinus/core/text.hpp>
#include <serinus/core/version.hpp>
#include <serinus/numeric/elementary.hpp>

namespace serinus {
inline namespace v0 {
namespace report {

/// Which way the digits that are not shown go.
enum class Round { nearest, down, up };

/// A number with at most three significant digits and no trailing zeros: "0.0123", "3.15", "912,000"; from 1e12 on its
/// power of ten alone: "10^57"; below 1e-6 "0". NaN and the infinities have no digits: "?".
inline std::string number(double value, Round round = Round::nearest) {
    if (!std::isfinite(value)) return "?";
    if (value == 0) return "0";
    if (value < 0) {
        const Round mirrored = round == Round::down ? Round::up : round == Round::up ? Round::down : round;
        const std::string text = number(-value, mirrored);
        return text == "0" ? text : "-" + text;
    }
    if (value < 1e-6) return round == Round::up ? "0.000001" : "0";

    // A hair's breadth is forgiven, so that 20 computed as 19.999999999999996 is not shown as 19.9.
    constexpr double hair = 1e-9;
    if (round == Round::down) value *= 1 + hair;
    if (round == Round::up) value *= 1 - hair;
    char buffer[40];  // d.ddde+xxx
    const auto end = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific,
                                   round == Round::nearest ? 2 : 16)
                         .ptr;
    int significand = (buffer[0] - '0') * 100 + (buffer[2] - '0') * 10 + (buffer[3] - '0');
    const char* const e = std::find(buffer, end, 'e');
    int exponent = 0;
    std::from_chars(e[1] == '+' ? e + 2 : e + 1, end, exponent);
    if (round == Round::up && ++significand == 1000) {
        significand = 100;
        ++exponent;
    }
    if (exponent >= 12) return "10^" + std::to_string(exponent);

    std::string digits = std::to_string(significand);
    if (exponent >= 2) return with_separators(digits + std::string(static_cast<std::size_t>(exponent - 2), '0'));
    const std::string whole = exponent < 0 ? "0" : digits.substr(0, static_cast<std::size_t>(exponent) + 1);
    std::string fraction = exponent < 0 ? std::string(static_cast<std::size_t>(-exponent - 1), '0') + digits
                                        : digits.substr(static_cast<std::size_t>(exponent) + 1);
    fraction.erase(fraction.find_last_not_of('0') + 1);
    return fraction.empty() ? whole : whole + "." + fraction;
}

/// A number with its sign: "+0.4", "-0.1", "0".
inline std::string signed_number(double value, Round round = Round::nearest) {
    const std::string text = number(value, round);
    return value > 0 && text != "0" ? "+" + text : text;
}

/// A count in full: "912,004".
inline std::string count(double value) {
    if (!(value >= 0 && value < 1e15 && value == std::floor(value))) return number(value);
    return with_separators(std::to_string(static_cast<long long>(value)));
}

/// A share as a percentage: "4.1 %". Just below 100 % the digits that matter are those of what is missing: "99.95 %".
inline std::string percent(double share) {
    if (share > 0.99 && share < 1) {
        const double missing = 100 * (1 - share);
        const int places = std::min(12, 1 - static_cast<int>(std::floor(std::log10(missing))));
        char buffer[40];
        const auto end = std::to_chars(buffer, buffer + sizeof buffer, 100 * share, std::chars_format::fixed, places);
        std::string text(buffer, end.ptr);
        text.erase(text.find_last_not_of('0') + 1);
        if (text.back() == '.') text.pop_back();
        return text + " %";
    }
    return number(100 * share) + " %";
}

/// An e-value from its logarithm, rounded down: "412", "3,270,000", "10^57", "under 0.01".
inline std::string e_value(double log_e_value) {
    if (std::isnan(log_e_value)) return "?";
    const double power = std::floor(log_e_value / 2.302585092994045684 + 1e-9);
    if (power == std::numeric_limits<double>::infinity()) return "infinite";
    if (power < -2) return "under 0.01";
    if (power >= 12) return "10^" + count(power);
    return number(elementary::exp(log_e_value), Round::down);
}

}  // namespace report
}  // namespace v0
}  // namespace serinus
