#pragma once
/// \file
/// Samples as a table in long form, one sample a row:
///
///     timestamp,series,arm,value,instance
///     2026-11-22T21:21:29Z,http_requests,baseline,806,web-1
///     2026-11-22T21:21:29Z,http_errors,canary,6,web-3

#include <string>
#include <string_view>

#include <serinus/core/version.hpp>
#include <serinus/io/read_options.hpp>
#include <serinus/rollout/batch.hpp>

namespace serinus {
inline namespace v0 {
namespace io {

/// The samples of a table: CSV and its relatives.
///
/// In long form, one sample a row, its columns are, in any order and in any case of their letters (io/columns.hpp says what
/// else they may be called, and `options.columns` can say it):
///
/// | column                  | needed | content                                                                      |
/// |-------------------------|--------|------------------------------------------------------------------------------|
/// | `timestamp` (or `time`) | yes    | see `parse_time`: RFC 3339, or Unix time in s, ms, us or ns                  |
/// | `series`                | yes    | the plan's name for it                                                       |
/// | `arm`                   | yes    | `baseline` or `canary`, or the words of `options.arms`                       |
/// | `value`                 | yes    | a number, `NaN`, `+Inf`, `-Inf`; an empty cell is NaN: the value is missing  |
/// | `instance`              | no     | what the sample was taken from                                               |
/// | `le`                    | no     | upper bound of a histogram bucket, `+Inf` for the last; empty: no bucket     |
/// | `stage`                 | no     | 1, 2, ...: the rollout's stage at that time; empty: nobody said              |
/// | `labels`                | no     | all other labels, `{code="500",path="/"}`                                    |
/// | `replica`               | no     | which of several collectors of one target it came through                    |
/// | `start`                 | no     | since when a cumulative counter has counted, a time                          |
///
/// Without a column `arm` the series' texts are searched for the words of the arms ("http_requests canary"). A table
/// without a column of values is wide: `timestamp` and one column a series, whose name says series and arm
/// (`http_requests{track="canary"}`, "canary http_requests"), or beside a column `arm` the series alone. So are Grafana's
/// exports ("Formatted data" switched off), pandas' tables and InfluxQL's answers read; InfluxDB's annotated CSV and
/// VictoriaMetrics' export are in long form, with a column for each label.
///
/// Rows of one (series, arm, le, instance, labels, replica) make one `ArmSeries`; series come in order of first
/// appearance, their samples in the order of the rows (nothing is sorted or removed here). The first time of each stage
/// goes to `Batch::stages`; stages must follow one another in time.
///
/// Cells are separated by commas, semicolons or tabs, as the header has them, or as a first line `sep=;` says; between
/// semicolons decimals may have a comma. RFC 4180 quoting, CRLF or LF, a byte order mark, UTF-16 with one, gzip, blank lines
/// and a missing last newline are all fine; spaces around unquoted cells are dropped. `undefined`, `null`, `None`, `NA`
/// and `N/A` are missing values.
///
/// What is left aside is told in `Batch::notes`: columns that are not read, series of neither arm, rows of InfluxDB that are
/// no numbers; also that times without a zone are taken as UTC, and that long ones are micro- or nanoseconds.
///
/// Raises, each naming the line, the column, the text and what is allowed: `serinus.data.column` (missing, doubled, a
/// row with another number of cells, a column that is not read and tells rows apart), `serinus.data.timestamp` (also times
/// with and without a zone in one text), `serinus.data.arm` (nothing belongs to an arm), `serinus.data.value` (every
/// other cell; values with units), `serinus.data.order` (a stage that goes back in time), `serinus.data.empty` (no
/// row), `serinus.data.size`, `serinus.data.document` (quotes that are no RFC 4180, broken gzip), `serinus.data.query` (an
/// answer that says it failed), `serinus.data.format` (other packed and binary formats). Cost: linear.
Batch read_csv(std::string_view text, const ReadOptions& options = {});

/// The CSV text of a batch: `read_csv` gives an equal batch back when every series has a name of its own and a sample,
/// and every stage begins at a sample: so for all that `read_csv` gave. Values are the shortest text that reads back to
/// the same double; times are Unix milliseconds, or RFC 3339 where a small number would be taken for seconds. Columns
/// that would be empty are left out. Raises `serinus.data.timestamp` for times outside the years 1 to 9999.
std::string write_csv(const Batch& batch);

}  // namespace io
}  // namespace v0
}  // namespace serinus
