#pragma once
/// \file
/// A decision as Markdown: for the summary of a pipeline's run, a pull request or a chat.

#include <string>

#include <serinus/report/record.hpp>
#include <serinus/report/text.hpp>

namespace serinus {
inline namespace v0 {
namespace report {

/// What `text` says, as a heading, a table of the metrics (those that fail first) and lists:
///
///     ## 🔴 ROLLBACK: payments-2026.11.22-1
///
///     stage 1 of 3, 1 % of traffic, after 12m 40s
///
///     | Metric | Verdict | Estimate | Range | Allowed | Evidence |
///     |---|---|---|---|---|---|
///     | errors | **fail** | 3.15x baseline | 2.21x to 4.43x | allowed 2x | evidence 412, needs 20 |
///
/// In GitHub's dialect (`$GITHUB_STEP_SUMMARY`); what is no Markdown of ours is escaped, so that a metric's name can be
/// no link, no mention, no table and no HTML. A record without any decision gives an empty text. Cost: some
/// microseconds a metric.
std::string markdown(const Record& record, Face face = Face::program, View view = View::on_call);
std::string markdown(const Decision& decision, Face face = Face::program, View view = View::on_call);

}  // namespace report
}  // namespace v0
}  // namespace serinus
