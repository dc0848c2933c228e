#pragma once
/// \file
/// How Serinus says no: codes that never change, one exception type, and the one place that raises it.

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

#include <serinus/core/version.hpp>

namespace serinus {
inline namespace v0 {

/// Every code that Serinus can give: errors and reasons alike. The numbers are part of the C interface.
enum class Code : std::int32_t {
    none = 0,
#define SERINUS_ERROR(identifier, number, name, when) identifier = number,
#define SERINUS_REASON(identifier, number, group, sentence) identifier = number,
#include <serinus/core/code.def>
#undef SERINUS_ERROR
#undef SERINUS_REASON
};

/// The stable name of a code: "serinus.plan.unknown_key" for an error, "harm_proven" for a reason.
constexpr std::string_view name(Code code) noexcept {
    switch (code) {
        case Code::none: return "none";
#define SERINUS_ERROR(identifier, number, name, when) \
    case Code::identifier: return name;
#define SERINUS_REASON(identifier, number, group, sentence) \
    case Code::identifier: return #identifier;
#include <serinus/core/code.def>
#undef SERINUS_ERROR
#undef SERINUS_REASON
    }
    return "unknown";
}

/// A broken precondition: the caller asked for something that has no answer. `what()` reads "<code name>: <sentence>",
/// the sentence names the field, the value it had, and what is allowed.
class Error : public std::invalid_argument {
  public:
    Error(Code code, const std::string& sentence)
        : std::invalid_argument(std::string(serinus::name(code)) + ": " + sentence), code_(code) {}

    Code code() const noexcept { return code_; }
    std::string_view name() const noexcept { return serinus::name(code_); }
    /// The sentence alone.
    std::string_view sentence() const noexcept { return std::string_view(what()).substr(name().size() + 2); }
    /// The same error, which came up inside of something: "shop.csv" in front of the sentence, "shop.csv: line 3 ...".
    Error within(std::string_view place) const { return {code_, std::string(place) + ": " + std::string(sentence())}; }

  private:
    Code code_;
};

#if defined(__cpp_exceptions)
/// The one place in Serinus that throws.
[[noreturn]] inline void raise(const Error& error) { throw error; }
#else
/// Without exceptions the program that embeds Serinus says what an error does, by defining this function; it must not
/// return (longjmp, exit, or park the task).
[[noreturn]] void on_error(const Error& error);
[[noreturn]] inline void raise(const Error& error) { on_error(error); }
#endif
[[noreturn]] inline void raise(Code code, const std::string& sentence) { raise(Error(code, sentence)); }

}  // namespace v0
}  // namespace serinus
