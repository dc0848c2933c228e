#pragma once
/// \file
/// A code found by its name, for whoever reads what was written.

#include <optional>
#include <string_view>

#include <serinus/core/error.hpp>

namespace serinus {
inline namespace v0 {

/// The code of that name, "none" among them; nothing for any other text. Cost: O(codes).
constexpr std::optional<Code> code_named(std::string_view text) noexcept {
#define SERINUS_ERROR(identifier, number, ...) \
    if (text == name(Code::identifier)) return Code::identifier;
#define SERINUS_REASON(identifier, number, ...) SERINUS_ERROR(identifier, number, )
#include <serinus/core/code.def>
#undef SERINUS_ERROR
#undef SERINUS_REASON
    return text == name(Code::none) ? std::optional(Code::none) : std::nullopt;
}

}  // namespace v0
}  // namespace serinus
