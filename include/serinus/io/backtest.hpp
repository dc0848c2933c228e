#pragma once
/// \file
/// A back-test as JSON and as a table; a plan with one key changed, and what is known of former releases.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <serinus/core/version.hpp>
#include <serinus/rollout/backtest.hpp>
#include <serinus/rollout/plan.hpp>

namespace serinus {
inline namespace v0 {
namespace io {

/// The plan with one key changed, as its JSON would be: "metrics[0].margin.ratio=2", "stages[1].min=30m",
/// "metrics[errors].muted=true" (an element by its `name`), "slo[0].halt={\"budget\": 0.2}".
///
/// What stands behind the first "=" is JSON, or else a text. A key that is not there yet is added. Raises
/// `serinus.argument.word` for a change without a key or an "=", and for an element that is not there; what `read_plan`
/// raises for a plan that cannot be so. Cost: that of writing and reading the plan.
///
///     const Plan wider = io::changed_plan(plan, "metrics[errors].margin.ratio=2");
Plan changed_plan(const Plan& plan, std::string_view change);

/// What one row of `labels.csv` says of a release.
struct KnownRelease {
    std::string release;
    std::optional<ReleaseLabel> label;
    std::optional<std::int64_t> since_ms, until_ms;
};

/// A table of what is known of former releases, one a row, in CSV:
///
///     release,label,since,until
///     2026-10-02,good,,
///     2026-10-09,bad,2026-10-09T12:00:00Z,2026-10-09T12:45:00Z
///
/// `label` is good, bad or empty; `since` (when the canary was started) and `until` (as of when it is judged) are times
/// or empty, and may be missing; `since_column` and `until_column` name the columns where they are called otherwise.
/// Other columns are left alone. Raises `serinus.data.column` for a column that is missing or doubled,
/// `serinus.data.value` for another label, a release without a name and one that comes twice, `serinus.data.timestamp`,
/// and `serinus.data.document` for broken quotes, each with its line. Cost: linear.
std::vector<KnownRelease> read_release_labels(std::string_view text, std::string_view since_column = {},
                                              std::string_view until_column = {});

/// Back-tests as a JSON object (data/schema/backtest.schema.json): the first is of the plan itself, the others are tries
/// with a changed key, each with the releases that it decides differently. Raises `serinus.argument.length` for none,
/// and for tries on other releases. Keys stand in a fixed order; `indent` blanks a level, -1 puts all on one line.
std::string write_backtest(std::span<const Backtest> runs, int indent = 2);

/// The same as CSV, a row a release and try:
///
///     try,release,label,decision,stage,minutes,decided_by,reasons
///     ,2026-10-09,bad,rollback,1,12,errors,errors.harm_proven
///
/// `decided_by` and `reasons` are lists, with a semicolon between; the first rows, without a try, are of the plan itself.
/// A name that a spreadsheet would take for a formula (it begins with = + - or @) gets an apostrophe in front.
std::string write_backtest_csv(std::span<const Backtest> runs);

}  // namespace io
}  // namespace v0
}  // namespace serinus
