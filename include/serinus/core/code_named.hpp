#pragma once
/// \file
/// A code found by its name, for whoever reads what was written.

#include <optional>
#include <string_view>

#include <serinus/core/error.hpp>

namespace serinus {
inline namespace v0 {

namespace detail {

inline constexpr Code all_codes[]{
    Code::none,
#define SERINUS_ERROR(identifier, number, ...) Code::identifier,
#define SERINUS_REASON(identifier, number, ...) Code::identifier,
#include <serinus/core/code.def>
#undef SERINUS_ERROR
#undef SERINUS_REASON
};

}  // namespace detail

/// The code of that name, "none" among them; nothing for any other text. Cost: O(codes).
constexpr std::optional<Code> code_named(std::string_view text) noexcept {
    for (const Code code : detail::all_codes) {
        if (text == name(code)) return code;
    }
    return std::nullopt;
}

}  // namespace v0
}  // namespace serinus
