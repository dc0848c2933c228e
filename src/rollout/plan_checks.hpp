#pragma once
/// \file
/// How a plan's values are refused: the path, the value, and what is allowed; inside the library only.

#include <chrono>
#include <string>
#include <string_view>

#include <serinus/core/error.hpp>
#include <serinus/core/quote.hpp>
#include <serinus/core/text.hpp>
#include <serinus/series/duration.hpp>

namespace serinus {
inline namespace v0 {
namespace detail {

[[noreturn]] inline void refuse(const std::string& path, const std::string& value, std::string_view allowed) {
    raise(Code::plan_value, path + " is " + value + "; allowed: " + std::string(allowed));
}

/// A number as a person writes it in a plan, 0.0005 and not 5e-04, with as many digits as tell it from its neighbours.
inline std::string written_text(double value) {
    std::string text = number_text(value, 15);
    for (int digits = 16; digits <= 17 && parse_number(text) != value; ++digits) text = number_text(value, digits);
    return text;
}

inline void require_value(bool good, const std::string& path, double value, std::string_view allowed) {
    if (!good) refuse(path, written_text(value), allowed);
}

inline void require_time(bool good, const std::string& path, std::chrono::milliseconds value,
                         std::string_view allowed) {
    if (!good)
        refuse(path, value.count() < 0 ? std::to_string(value.count()) + " ms" : format_duration(value), allowed);
}

/// Names are a person's: they go to terminals and logs.
inline std::string quoted(const std::string& text) { return in_quotes(text); }

}  // namespace detail
}  // namespace v0
}  // namespace serinus
