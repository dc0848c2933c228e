#pragma once
/// \file
/// Samples from the export of VictoriaMetrics: /api/v1/export. Its /api/v1/query_range is read by io/prometheus.hpp.

#include <string_view>

#include <serinus/core/version.hpp>
#include <serinus/io/read_options.hpp>
#include <serinus/rollout/batch.hpp>

namespace serinus {
inline namespace v0 {
namespace io {

/// Whether a text looks like `read_victoriametrics`' format: it begins with an object that has a `metric`, `values` and
/// `timestamps`. Only its first line is looked at.
bool looks_like_victoriametrics(std::string_view text);

/// JSON lines, a series or a part of one each:
///
///     {"metric":{"__name__":"http_requests_total","track":"stable"},"values":[13,13,14],
///      "timestamps":[1796012400318,1796012415397,1796012430126]}
///
/// - The series is called by its `__name__`, or as the plan does without `_total`; the plan's only name where it has none.
///   Labels become arms, instances and buckets as in `read_prometheus`, `x_created` start times.
/// - Lines of one label set continue one another (`max_rows_per_line`). Timestamps are Unix milliseconds.
/// - Values are numbers, `"Infinity"`, `"-Infinity"`, `"NaN"`, or bare `+Inf`, `-Inf`, `NaN` as versions before 1.80
///   write them; `null`, a stale marker, is NaN: there was no value.
///
/// Raises, naming the line: `serinus.data.document`, `serinus.data.value`, `serinus.data.timestamp`;
/// `serinus.data.empty` for a text without a line; `serinus.data.arm`, `serinus.data.size` and `serinus.argument.word` as
/// `read_prometheus`. Cost: linear; a line at a time is in memory as JSON.
Batch read_victoriametrics(std::string_view text, const ReadOptions& options = {});

}  // namespace io
}  // namespace v0
}  // namespace serinus
