#pragma once
/// \file
/// A decision in words, for a terminal, a log or a chat.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <serinus/core/words.hpp>
#include <serinus/report/record.hpp>
#include <serinus/rollout/decision.hpp>

namespace serinus {
inline namespace v0 {
namespace report {

/// Where a text is read, which is what its hints name: `serinus judge PLAN DATA` or `serinus.judge(plan, data)`.
enum class Face : std::uint8_t { program = 1, python = 2 };

/// Who reads. `executive`: the verdict, why, what the users had of it, and what comes next. `on_call`: also the metrics
/// with their evidence, the data and the promise. `debug`: also every reason with its code, and what became of the
/// samples.
enum class View : std::uint8_t { executive = 1, on_call = 2, debug = 3 };

struct TextOptions {
    bool color = false;         ///< with the escape sequences of ANSI terminals (ECMA-48)
    int width = 100;            ///< longest line, in characters; less than 60 counts as 60
    Face face = Face::program;  ///< where it is read
    View view = View::on_call;  ///< who reads it
};

/// What was decided, and why, so that a person can act on it without knowing the method: the verdict first, then a
/// block a metric, then the reasons, the data, the promise and what to do next:
///
///     ROLLBACK  payments-2026.11.22-1   stage 1 of 3, 1 % of traffic, after 12m 40s
///
///       errors   fail  3.15x baseline  2.21x to 4.43x  allowed 2x  evidence 412, needs 20
///                canary: 374 of 9,120 requests failed (4.1 %); baseline: 11,856 of 912,004 (1.3 %)
///
///       why      errors.harm_proven: bad events are more than 2.21 times as frequent ...
///       data     76 of 76 intervals used, as of 2026-11-22T21:34:09Z
///       promise  a good canary is ever rolled back with probability at most 5 %, however often you ask
///       next     roll back: move all traffic to the baseline; page whoever is on call
///
/// Numbers have at most three significant digits (counts have all; a share just below 100 % has as many as tell it from
/// 100 %). Evidence is rounded down and ranges are rounded outward, so that no text claims more than is known. Evidence
/// is an e-value: the metric fails when it reaches what it "needs". Lines end with "\n" and never with a blank; the
/// text is ASCII where the plan's names are; control characters in names become "?". Whatever numbers a decision holds,
/// NaN and infinities included, it can be shown. The same decision gives the same text under every locale.
/// Cost: some microseconds a metric.
std::string text(const Decision& decision, const TextOptions& options = {});

/// The same for the last decision of a record. It also says how much traffic the next stage gets, which a decision
/// alone does not know. A record without any decision gives an empty text.
std::string text(const Record& record, const TextOptions& options = {});

}  // namespace report

template <>
struct Words<report::View> {
    static constexpr std::array<std::pair<report::View, std::string_view>, 3> table{
        {{report::View::executive, "executive"}, {report::View::on_call, "on-call"}, {report::View::debug, "debug"}}};
};

}  // namespace v0
}  // namespace serinus
