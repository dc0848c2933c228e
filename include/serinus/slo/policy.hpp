#pragma once
/// \file
/// When a burn rate is an alert: conditions of a long and a short window, each with a severity.

#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <serinus/core/describe.hpp>
#include <serinus/core/error.hpp>
#include <serinus/core/quote.hpp>
#include <serinus/core/require.hpp>
#include <serinus/core/text.hpp>
#include <serinus/core/words.hpp>
#include <serinus/series/duration.hpp>
#include <serinus/slo/objective.hpp>

namespace serinus {
inline namespace v0 {
namespace slo {

/// One rule of a policy: it holds while the burn rates of the long window (how much was lost) and of the short window
/// (it is still going on) both exceed `factor`, strictly.
struct Condition {
    std::string name = {};
    std::chrono::milliseconds long_window{};
    std::chrono::milliseconds short_window{};  ///< at most `long_window`; the same: one window
    double factor = 0;
    Severity severity = Severity::page;
    std::chrono::milliseconds pending_for{};      ///< fires once it has held this long (Prometheus' `for`)
    std::chrono::milliseconds keep_firing_for{};  ///< goes on firing until this long after it first did not hold

    friend bool operator==(const Condition&, const Condition&) = default;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("name", self.name);
        visit("long", self.long_window);
        visit("short", self.short_window);
        visit("factor", self.factor);
        visit("severity", self.severity);
        visit("for", self.pending_for);
        visit("keep_firing_for", self.keep_firing_for);
    }
};
static_assert(described_whole<Condition>());

/// Conditions, any of which alerts; where several fire, the gravest severity counts: page before ticket before info.
struct Policy {
    std::vector<Condition> conditions = {};
    /// Low traffic: a condition whose long window has fewer events than this does not fire (`insufficient`).
    double min_events = 0;
    /// Low traffic: a condition fires only where the probability that the long window's true burn rate exceeds the
    /// factor reaches this (0.95 is usual); empty: not asked.
    std::optional<double> min_probability = std::nullopt;

    friend bool operator==(const Policy&, const Policy&) = default;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("conditions", self.conditions);
        visit("min_events", self.min_events);
        visit("min_probability", self.min_probability);
    }
};
static_assert(described_whole<Policy>());

/// The multiwindow, multi-burn-rate policy of the Site Reliability Workbook (Beyer et al. 2018, chapter 5): page for 2
/// % of the budget in 1 h or 5 % in 6 h, ticket for 10 % in 3 d, each with a short window of a twelfth; and, as Sloth
/// has it, ticket for 10 % in 1 d. The factors follow the period: 14.4, 6, 3, 1 for 30 d; 13.44, 5.6, 2.8, 0.9333 for
/// 28 d. Raises `serinus.argument.range` for a period that is not above 0.
inline Policy sre_workbook_policy(std::chrono::milliseconds period = std::chrono::days(30)) {
    detail::require_length(period, "period");
    using std::chrono::milliseconds, std::chrono::minutes, std::chrono::hours, std::chrono::days;
    const auto condition = [&](std::string_view name, double percent, milliseconds long_window,
                               milliseconds short_window, Severity severity) {
        // Whole numbers before the one division: 14.4 is the number next to 14.4.
        const double factor =
            percent * static_cast<double>(period.count()) / (100 * static_cast<double>(long_window.count()));
        return Condition{.name = std::string(name),
                         .long_window = long_window,
                         .short_window = short_window,
                         .factor = factor,
                         .severity = severity};
    };
    Policy policy;
    policy.conditions = {condition("page.quick", 2, hours(1), minutes(5), Severity::page),
                         condition("page.slow", 5, hours(6), minutes(30), Severity::page),
                         condition("ticket.quick", 10, days(1), hours(2), Severity::ticket),
                         condition("ticket.slow", 10, days(3), hours(6), Severity::ticket)};
    return policy;
}

/// A single window that may not use up more than `share` of the period's budget: the backstop "halt when more than half
/// of the budget goes in an hour" is `budget_share_condition("halt", 0.5, objective.period, 1h)`.
inline Condition budget_share_condition(std::string name, double share, std::chrono::milliseconds period,
                                        std::chrono::milliseconds window, Severity severity = Severity::page) {
    return {.name = std::move(name),
            .long_window = window,
            .short_window = window,
            .factor = factor_of_share(share, period, window),
            .severity = severity};
}

/// Raises `serinus.argument.range` for a condition that means nothing, and `serinus.slo.never_fires`, with the
/// arithmetic, for one that no error rate can meet: factor x budget >= 1, while a ratio is at most 1. For a share s of
/// the budget in a window w this is w <= s x period x budget: half of the budget of 99.9 % over 30 d cannot be lost in
/// less than 21 m 36 s.
inline void check(const Condition& condition, const Objective& objective) {
    check(objective);
    const std::string field = "condition " + in_quotes(condition.name);
    detail::require_length(condition.long_window, field + ": long window");
    const auto within = [&](std::string_view member, std::chrono::milliseconds length, std::int64_t least,
                            std::int64_t most, std::string_view allowed) {
        require(length.count() >= least && length.count() <= most, field + std::string(member),
                static_cast<double>(length.count()), allowed);
    };
    within(": short window", condition.short_window, 1, condition.long_window.count(),
           "above 0 ms, at most the long window");
    require(condition.factor > 0 && std::isfinite(condition.factor), field + ": factor", condition.factor,
            "above 0, finite");
    within(": for", condition.pending_for, 0, longest_ms, "0 ms or more, at most 9999 years");
    within(": keep_firing_for", condition.keep_firing_for, 0, longest_ms, "0 ms or more, at most 9999 years");
    const double threshold = condition.factor * objective.budget;
    if (threshold < 1) return;
    const double share = share_of_factor(condition.factor, objective.period, condition.long_window);
    const double shortest = share * static_cast<double>(objective.period.count()) * objective.budget;
    raise(Code::slo_never_fires,
          field + " can never fire: it needs an error ratio above factor x budget = " + number_text(condition.factor) +
              " x " + number_text(objective.budget) + " = " + number_text(threshold) +
              ", and a ratio is at most 1; allowed: a factor below " + number_text(1 / objective.budget) +
              ", or for the same " + number_text(100 * share) + " % of the budget a window longer than " +
              (shortest < static_cast<double>(longest_ms)
                   ? format_duration(static_cast<std::int64_t>(std::ceil(shortest)))
                   : std::string("9999 years")));
}

/// Checks every condition, that the policy has one, and that their names differ and are not empty.
inline void check(const Policy& policy, const Objective& objective) {
    require(!policy.conditions.empty(), "conditions of the policy", 0, "at least one");
    for (std::size_t i = 0; i < policy.conditions.size(); ++i) {
        const Condition& condition = policy.conditions[i];
        check(condition, objective);
        bool taken = condition.name.empty();
        for (std::size_t j = 0; j < i; ++j) taken = taken || policy.conditions[j].name == condition.name;
        if (taken) {
            raise(Code::argument_word, "conditions[" + std::to_string(i) + "].name is " + in_quotes(condition.name) +
                                           "; allowed: a name that no other condition of the policy has");
        }
    }
    require(policy.min_events >= 0 && std::isfinite(policy.min_events), "min_events", policy.min_events,
            "0 or more, finite");
    if (policy.min_probability) require_open_unit("min_probability", *policy.min_probability);
}

}  // namespace slo
}  // namespace v0
}  // namespace serinus
