#pragma once
/// \file
/// Why a verdict or a decision is what it is: a code with named numbers and texts, and the sentence that a person reads.

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <serinus/core/describe.hpp>
#include <serinus/core/error.hpp>
#include <serinus/core/quote.hpp>
#include <serinus/core/text.hpp>
#include <serinus/core/words.hpp>

namespace serinus {
inline namespace v0 {

/// A number that says what it is.
struct NamedNumber {
    std::string name;
    double value = 0;

    friend bool operator==(const NamedNumber&, const NamedNumber&) = default;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("name", self.name);
        visit("value", self.value);
    }
};
static_assert(described_whole<NamedNumber>());

/// A text that says what it is, such as the name of a series: as it came in, so who shows it makes it printable.
struct NamedText {
    std::string name;
    std::string value;

    friend bool operator==(const NamedText&, const NamedText&) = default;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("name", self.name);
        visit("value", self.value);
    }
};
static_assert(described_whole<NamedText>());

/// Why something was decided. The sentence is not stored: it is made from the code's text in core/code.def.
struct Reason {
    Code code = Code::none;
    std::string metric;  ///< the metric that it is about; empty when it is about the rollout as a whole
    std::vector<NamedNumber> numbers;
    /// A rollback by policy (a deadline, missing data), not covered by the promise about alpha.
    bool outside_alpha = false;
    std::vector<NamedText> texts = {};
    Severity severity = Severity::info;  ///< of a decision: who is told of it, and how soon

    friend bool operator==(const Reason&, const Reason&) = default;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("code", self.code);
        visit("metric", self.metric);
        visit("numbers", self.numbers);
        visit("outside_alpha", self.outside_alpha);
        visit("texts", self.texts);
        visit("severity", self.severity);
    }
};
static_assert(described_whole<Reason>());

/// The name that a reason is known by: "errors.harm_proven" for a metric, "deadline_hold" for the rollout.
inline std::string name(const Reason& reason) {
    return reason.metric.empty() ? std::string(name(reason.code))
                                 : reason.metric + "." + std::string(name(reason.code));
}

namespace detail {
constexpr std::string_view sentence_template(Code code) noexcept {
    switch (code) {
        case Code::none: return "";
#define SERINUS_ERROR(identifier, number, name, when) \
    case Code::identifier: return when;
#define SERINUS_REASON(identifier, number, group, sentence) \
    case Code::identifier: return sentence;
#include <serinus/core/code.def>
#undef SERINUS_ERROR
#undef SERINUS_REASON
    }
    return "";
}
}  // namespace detail

/// The sentence of a reason, its numbers and texts filled in; texts made printable. What the reason lacks shows as "?".
/// `{x}` is the number or text called x, `{x%}` a percentage, `{x~}` a duration, `{x interval}` so many intervals,
/// `{x!}` all digits of a number.
inline std::string sentence(const Reason& reason) {
    std::string_view rest = detail::sentence_template(reason.code);
    std::string text;
    while (!rest.empty()) {
        const std::size_t open = rest.find('{');
        const std::size_t close = rest.find('}', open);
        if (open == std::string_view::npos || close == std::string_view::npos) break;
        text += rest.substr(0, open);
        std::string_view key = rest.substr(open + 1, close - open - 1);
        char form = 0;
        const std::string_view noun = key.substr(std::min(key.find(' '), key.size()));
        key.remove_suffix(noun.size());
        if (key.ends_with('%') || key.ends_with('~') || key.ends_with('!')) {
            form = key.back();
            key.remove_suffix(1);
        }
        std::string shown = noun.empty() ? "?" : "?" + std::string(noun) + "s";
        for (const NamedNumber& number : reason.numbers) {
            if (number.name != key) continue;
            if (form == '%') {
                shown = number_text(100 * number.value, 3) + " %";
            } else if (form == '~') {
                shown = seconds_text(number.value);
            } else if (form == '!') {
                shown = given_text(number.value);
            } else if (!noun.empty()) {
                shown = told_count(number.value, noun.substr(1));
            } else {
                shown = told_number(number.value);
            }
        }
        for (const NamedText& of : reason.texts) {
            if (of.name == key) shown = printable(of.value, 200);
        }
        text += shown;
        rest.remove_prefix(close + 1);
    }
    text += rest;
    return text;
}

}  // namespace v0
}  // namespace serinus
