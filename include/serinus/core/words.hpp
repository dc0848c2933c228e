#pragma once
/// \file
/// The words of Serinus, the same in C++, C, Python, JSON and the docs: each enum with the strings that name its
/// values.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <serinus/core/error.hpp>

namespace serinus {
inline namespace v0 {

/// Which way the canary may differ under the alternative of a one-look test; "greater": the canary is larger.
enum class Alternative : std::uint8_t { two_sided = 1, greater = 2, less = 3 };

/// Which way a metric gets worse.
enum class Harm : std::uint8_t { increase = 1, decrease = 2, either = 3 };

/// What a sequential test gathers evidence for: harm beyond the margin, or (its mirror) harm below the margin.
enum class Side : std::uint8_t { harm = 1, safe = 2 };

/// What is known of one metric.
enum class Verdict : std::uint8_t { pass = 1, fail = 2, inconclusive = 3, no_data = 4 };

/// What a rollout should do now.
enum class Action : std::uint8_t { promote = 1, hold = 2, rollback = 3 };

/// Who should look, and how soon.
enum class Severity : std::uint8_t { page = 1, ticket = 2, info = 3 };

/// The two versions that are compared. Baseline first, canary second, everywhere.
enum class Arm : std::uint8_t { baseline = 0, canary = 1 };

/// The words of an enum: specialised once for each.
template <class Enum>
struct Words;

template <>
struct Words<Alternative> {
    static constexpr std::array<std::pair<Alternative, std::string_view>, 3> table{
        {{Alternative::two_sided, "two-sided"}, {Alternative::greater, "greater"}, {Alternative::less, "less"}}};
};
template <>
struct Words<Harm> {
    static constexpr std::array<std::pair<Harm, std::string_view>, 3> table{
        {{Harm::increase, "increase"}, {Harm::decrease, "decrease"}, {Harm::either, "either"}}};
};
template <>
struct Words<Side> {
    static constexpr std::array<std::pair<Side, std::string_view>, 2> table{
        {{Side::harm, "harm"}, {Side::safe, "safe"}}};
};
template <>
struct Words<Verdict> {
    static constexpr std::array<std::pair<Verdict, std::string_view>, 4> table{{{Verdict::pass, "pass"},
                                                                                {Verdict::fail, "fail"},
                                                                                {Verdict::inconclusive, "inconclusive"},
                                                                                {Verdict::no_data, "no_data"}}};
};
template <>
struct Words<Action> {
    static constexpr std::array<std::pair<Action, std::string_view>, 3> table{
        {{Action::promote, "promote"}, {Action::hold, "hold"}, {Action::rollback, "rollback"}}};
};
template <>
struct Words<Severity> {
    static constexpr std::array<std::pair<Severity, std::string_view>, 3> table{
        {{Severity::page, "page"}, {Severity::ticket, "ticket"}, {Severity::info, "info"}}};
};
template <>
struct Words<Arm> {
    static constexpr std::array<std::pair<Arm, std::string_view>, 2> table{
        {{Arm::baseline, "baseline"}, {Arm::canary, "canary"}}};
};

/// The word of a value; "unknown" for a number that is none of the enum's.
template <class Enum>
constexpr auto word(Enum value) noexcept -> decltype(Words<Enum>::table, std::string_view{}) {
    for (const auto& [key, text] : Words<Enum>::table) {
        if (key == value) return text;
    }
    return "unknown";
}

/// The value that a word names, or nothing.
template <class Enum>
constexpr std::optional<Enum> parse_word(std::string_view text) noexcept {
    for (const auto& [key, word] : Words<Enum>::table) {
        if (word == text) return key;
    }
    return std::nullopt;
}

/// All words of an enum, for an error message: "increase, decrease, either".
template <class Enum>
std::string allowed_words() {
    std::string all;
    for (const auto& entry : Words<Enum>::table) {
        if (!all.empty()) all += ", ";
        all += entry.second;
    }
    return all;
}

/// The value that a word names; raises `serinus.argument.word`, naming the field, for any other word.
template <class Enum>
Enum require_word(std::string_view field, std::string_view text) {
    if (const auto value = parse_word<Enum>(text)) return *value;
    raise(Code::argument_word,
          std::string(field) + " is \"" + std::string(text) + "\"; allowed: " + allowed_words<Enum>());
}

}  // namespace v0
}  // namespace serinus
