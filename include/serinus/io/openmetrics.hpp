#pragma once
/// \file
/// Samples as targets expose them: the text format of Prometheus and OpenMetrics, /federate, `promtool tsdb dump`.

#include <string_view>

#include <serinus/core/version.hpp>
#include <serinus/io/read_options.hpp>
#include <serinus/rollout/batch.hpp>

namespace serinus {
inline namespace v0 {
namespace io {

/// Whether a text looks like `read_openmetrics`' format: its first line that is not blank is a `# TYPE`, `# HELP`,
/// `# UNIT` or `# EOF`, or a sample. Only the first lines are looked at.
bool looks_like_openmetrics(std::string_view text);

/// Text exposition (Prometheus 0.0.4 and 1.0.0, OpenMetrics 1.0), one sample a line:
///
///     # TYPE http_requests counter
///     http_requests_total{track="stable"} 900 1795382460
///     http_requests_created{track="stable"} 1795380000
///     {"http.orders",track="canary"} 7 1795382460.250 # {trace_id="4bf9"} 1
///     # EOF
///
/// - Timestamps are Unix seconds or milliseconds, told apart by their size as in `parse_time`: OpenMetrics writes
///   seconds, Prometheus milliseconds. A sample without one is of `options.at`; where that is not told, either, it is
///   left out with a note, and a text without a single timestamp is refused: a scrape does not say when it was taken.
/// - Several scrapes may follow one another in one text; `# EOF` ends only its own.
/// - A series is called by its name, or as the plan does without `_total`. Labels become arms, instances and buckets as in
///   `read_prometheus`. `x_created` (with or without timestamp) says since when `x_total`, `x_bucket`, `x_count` and
///   `x_sum` of the same labels have counted. A timestamp `st@...` behind a sample's says so, too.
/// - UTF-8 names in quotes; `\\`, `\"` and `\n` in values; exemplars and the comments are passed over. Buckets of
///   histograms stay series with `le`; what a text shows of a native histogram is its `le="+Inf"`, sum and count.
///
/// Raises, naming the line: `serinus.data.document` for what is no such line, `serinus.data.value`,
/// `serinus.data.timestamp`; `serinus.data.empty` for a text without a sample; `serinus.data.arm` and
/// `serinus.argument.word` as `read_prometheus`; `serinus.data.size`. Cost: linear.
Batch read_openmetrics(std::string_view text, const ReadOptions& options = {});

}  // namespace io
}  // namespace v0
}  // namespace serinus
