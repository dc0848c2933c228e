#pragma once
/// \file
/// Samples as a table in long form, one sample a row:
///
///     timestamp,series,arm,value,instance
///     2026-11-22T21:21:29Z,http_requests,baseline,806,web-1
///     2026-11-22T21:21:29Z,http_errors,canary,6,web-3

#include <cstdint>
#include <string>
#include <string_view>

#include <serinus/core/version.hpp>
#include <serinus/rollout/batch.hpp>

namespace serinus {
inline namespace v0 {
namespace io {

/// What `read_csv` accepts.
struct CsvOptions {
    std::uint64_t max_bytes = std::uint64_t{1} << 30;  ///< longer texts are refused unread
};

/// The samples of a CSV text.
///
/// Columns, in any order, named by a header whose case does not matter:
///
/// | column                  | needed | content                                                                     |
/// |-------------------------|--------|-----------------------------------------------------------------------------|
/// | `timestamp` (or `time`) | yes    | see `parse_time`: RFC 3339, or Unix seconds or milliseconds                 |
/// | `series`                | yes    | the plan's name for it                                                      |
/// | `arm`                   | yes    | `baseline` or `canary`                                                      |
/// | `value`                 | yes    | a number, `NaN`, `+Inf`, `-Inf`; an empty cell is NaN: the value is missing |
/// | `instance`              | no     | what the sample was taken from                                              |
/// | `le`                    | no     | upper bound of a histogram bucket, `+Inf` for the last; empty: no bucket    |
/// | `stage`                 | no     | 0, 1, ...: the rollout's stage at that time; empty: nobody said             |
///
/// Rows of one (series, arm, le, instance) make one `ArmSeries`; series come in order of first appearance, their
/// samples in the order of the rows (nothing is sorted or removed here). The first time of each stage goes to
/// `Batch::stages`; stages must follow one another in time.
///
/// RFC 4180 quoting, CRLF or LF, a UTF-8 byte order mark, blank lines and a missing last newline are all fine; spaces
/// around unquoted cells are dropped.
///
/// Raises, each naming the line, the column, the text and what is allowed: `serinus.data.column` (missing, doubled or
/// unknown column, a row with another number of cells), `serinus.data.timestamp`, `serinus.data.arm`,
/// `serinus.data.value` (every other cell), `serinus.data.order` (a stage that goes back in time),
/// `serinus.data.empty` (no row), `serinus.data.size`, `serinus.data.document` (quotes that are no RFC 4180).
/// Cost: linear.
Batch read_csv(std::string_view text, const CsvOptions& options = {});

/// The CSV text of a batch: `read_csv` gives an equal batch back when every series has a name of its own and a sample,
/// and every stage begins at a sample: so for all that `read_csv` gave. Values are the shortest text that reads back to
/// the same double; times are Unix milliseconds, or RFC 3339 where a small number would be taken for seconds. Columns
/// that would be empty are left out. Raises `serinus.data.timestamp` for times outside the years 1 to 9999.
std::string write_csv(const Batch& batch);

}  // namespace io
}  // namespace v0
}  // namespace serinus
