#pragma once
/// \file
/// What a service promises: which share of its events may be bad, over which period.

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include <serinus/core/describe.hpp>
#include <serinus/core/error.hpp>
#include <serinus/core/quote.hpp>
#include <serinus/core/require.hpp>
#include <serinus/core/text.hpp>
#include <serinus/series/duration.hpp>

namespace serinus {
inline namespace v0 {
namespace slo {

/// The share of events that may be bad under a target such as "0.999" or "99.9%".
///
/// Formula: 1 - target, subtracted digit by digit on the decimal text, so that the result is the number next to the
/// decimal budget: "0.999" gives the 0.001 that a program text means. 1 - 0.999 in binary is 0.0010000000000000009, and
/// a burn rate that lies exactly on its threshold would fall on the wrong side.
///
/// The text is digits with at most one point, of a number above 0 and below 1, or of a percentage (spaces before the
/// "%" are allowed). Raises `serinus.slo.target` for any other text. Cost: linear in the text.
///
///     budget_from_target("99.95%");  // 0.0005
inline double budget_from_target(std::string_view target) {
    const auto refuse = [&] {
        raise(Code::slo_target,
              "target is " + in_quotes(target) +
                  "; allowed: a decimal number above 0 and below 1 (0.999), or such a percentage (99.9%)");
    };
    std::string_view rest = target;
    const bool percent = !rest.empty() && rest.back() == '%';
    if (percent) {
        rest.remove_suffix(1);
        while (!rest.empty() && rest.back() == ' ') rest.remove_suffix(1);
    }
    const std::size_t point = std::min(rest.find('.'), rest.size());
    std::string whole(rest.substr(0, point));
    std::string decimals(point < rest.size() ? rest.substr(point + 1) : std::string_view());
    const auto digit = [](char c) { return c >= '0' && c <= '9'; };
    if (whole.size() + decimals.size() == 0 || !std::all_of(whole.begin(), whole.end(), digit) ||
        !std::all_of(decimals.begin(), decimals.end(), digit)) {
        refuse();
    }
    if (percent) {  // the point moves two places to the left
        whole.insert(0, 2, '0');
        decimals.insert(0, whole.substr(whole.size() - 2));
        whole.resize(whole.size() - 2);
    }
    const auto zero = [](char c) { return c == '0'; };
    while (!decimals.empty() && decimals.back() == '0') decimals.pop_back();
    if (!std::all_of(whole.begin(), whole.end(), zero) || decimals.empty()) refuse();

    // 10^n - decimals: nines' complement, and one more at the last place, which is not 0.
    for (char& c : decimals) c = static_cast<char>('0' + '9' - c);
    ++decimals.back();
    const std::string text = "0." + decimals;
    double budget = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), budget);
    if (problem != std::errc{} || end != text.data() + text.size() || !(budget > 0 && budget < 1)) refuse();
    return budget;
}

/// The same for a target that is a number already: its shortest decimal text is what was meant, so 0.999 gives 0.001.
/// Raises `serinus.slo.target` unless 0 < target < 1.
inline double budget_from_target(double target) {
    if (!(target > 0 && target < 1)) {
        raise(Code::slo_target, "target is " + given_text(target) + "; allowed: above 0 and below 1");
    }
    std::array<char, 1100> text{};  // the longest: 5e-324 without an exponent
    const auto result = std::to_chars(text.data(), text.data() + text.size(), target, std::chars_format::fixed);
    return budget_from_target(std::string_view(text.data(), static_cast<std::size_t>(result.ptr - text.data())));
}

/// A service level objective: of all events in any `period`, at most the share `budget` may be bad.
///
///     Objective{.name = "availability", .budget = budget_from_target("99.9%"), .period = parse_duration("30d")}
struct Objective {
    std::string name = {};
    double budget = 0;  ///< the share of events that may be bad, above 0, below 1: 0.001, never 1 - 0.999
    std::chrono::milliseconds period = std::chrono::days(30);
    /// How many events the period has, where that is known; empty: learned from traffic.
    std::optional<double> expected_events = std::nullopt;

    friend bool operator==(const Objective&, const Objective&) = default;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("name", self.name);
        visit("budget", self.budget);
        visit("period", self.period);
        visit("expected_events", self.expected_events);
    }
};
static_assert(described_whole<Objective>());

namespace detail {

/// A length of time that a promise is about.
inline void require_length(std::chrono::milliseconds length, std::string_view field) {
    require(length.count() > 0 && length.count() <= longest_ms, field, static_cast<double>(length.count()),
            "above 0 ms, at most 9999 years");
}

}  // namespace detail

/// Raises `serinus.argument.range` for an objective that means nothing.
inline void check(const Objective& objective) {
    require(objective.budget > 0 && objective.budget < 1, "budget", objective.budget,
            "above 0, below 1 (the share of events that may be bad; a target of 99.9% has 0.001)");
    detail::require_length(objective.period, "period");
    if (objective.expected_events) {
        require(*objective.expected_events > 0 && std::isfinite(*objective.expected_events), "expected_events",
                *objective.expected_events, "above 0, finite");
    }
}

/// The burn rate at which `window` uses up the share `share` of the period's budget:
///
///     factor = share x period / window            (0.02 of a 30 d budget in 1 h: 14.4)
///
/// Burn 1 uses up exactly the budget in exactly the period.
inline double factor_of_share(double share, std::chrono::milliseconds period,
                              std::chrono::milliseconds window) noexcept {
    return share * static_cast<double>(period.count()) / static_cast<double>(window.count());
}

/// The share of the period's budget that a burn rate of `factor` uses up in `window`: the inverse of
/// `factor_of_share`, for traffic that is even.
inline double share_of_factor(double factor, std::chrono::milliseconds period,
                              std::chrono::milliseconds window) noexcept {
    return factor * static_cast<double>(window.count()) / static_cast<double>(period.count());
}

}  // namespace slo
}  // namespace v0
}  // namespace serinus
