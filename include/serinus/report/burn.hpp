#pragma once
/// \file
/// What is said of an error budget, in words.

#include <string>

#include <serinus/report/text.hpp>

namespace serinus {
inline namespace v0 {

namespace slo {
struct BurnReport;
}

namespace report {

/// Whether somebody should look, then a line a window, a line a condition, the budget, and what is wrong with the data:
///
///     PAGE  availability   budget 0.1 % of events in 30d   at 2026-11-24T03:20:00Z
///
///       window    burn        errors      bad           total         coverage
///       5m        20x         2 %         600           30,000        100 %
///       1h        20x         2 %         7,200         360,000       100 %
///
///       page.quick    firing                    more than 14.4x in 1h and 5m
///
///       budget        33.3 % consumed, 66.7 % remaining; lasts 1d at the burn rate of the last hour
///
/// With colour each window also has a line of its last 24 burn rates. Lines do not wrap. The same report gives the same
/// text under every locale.
std::string text(const slo::BurnReport& report, const TextOptions& options = {});

}  // namespace report
}  // namespace v0
}  // namespace serinus
