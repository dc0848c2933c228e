#pragma once
/// \file
/// Samples from OpenTelemetry's metrics in OTLP/JSON: requests of exporters, files of the Collector.

#include <string_view>

#include <serinus/core/version.hpp>
#include <serinus/io/read_options.hpp>
#include <serinus/rollout/batch.hpp>

namespace serinus {
inline namespace v0 {
namespace io {

/// Whether a text looks like `read_otlp`'s format: it begins with an object that has `resourceMetrics` (or the traces and
/// logs of the same protocol, which `read_otlp` refuses by name). Only its first object is looked at.
bool looks_like_otlp(std::string_view text);

/// One or more ExportMetricsServiceRequest (OTLP 1.x, JSON), each on its own line or lines:
///
///     {"resourceMetrics": [{"resource": {"attributes": [...]}, "scopeMetrics": [{"metrics": [
///         {"name": "http.server.requests", "sum": {"aggregationTemporality": 2, "isMonotonic": true, "dataPoints": [
///             {"startTimeUnixNano": "...", "timeUnixNano": "...", "asInt": "345", "attributes": [...]}]}}]}]}]}
///
/// **Names.** A metric is called as the plan calls it: by its own name, or as Prometheus would (`shop_revenue_EUR_total`
/// for "shop.revenue" in EUR, `shop.revenue_EUR_total` with UTF-8 names); by its own where the plan knows neither.
///
/// **Labels** are the attributes of the resource and of the point, and `otel_scope_name`. Wherever a label is asked for
/// (arms, instance, replicas) it may be written as Prometheus does: `service_version`. The instance is
/// `options.instance_label`, else `service.instance.id`, `pod` or `k8s.pod.name`: the first that any series has.
///
/// **Start times.** `startTimeUnixNano` of monotonic sums and histograms becomes `Series::starts_ms`.
///
/// **Deltas** (`aggregationTemporality` 1) of sums become a counter: of each stream their sum since the first delta in
/// this text, whose start time is the start of all. A plan's metric of them is therefore `"counter": true`. Nothing is
/// lost and nothing doubled, as long as each delta is handed over in one text, or always all of them from the same first
/// one on: a text that begins later begins a counter of its own, with its start time. A stream that an export does not
/// mention has had no event and gets a sample that says so; a delta of the same stream and time again (a repeated
/// export) is left out with a note.
///
/// **Histograms** go to `Batch::histograms` as they are, deltas marked as such: exponential ones with the ends of their
/// buckets, explicit ones as `classic`. Besides, where the plan asks for them by name (or has no names),
/// `NAME_count`, `NAME_sum` and, of explicit ones, `NAME_bucket` with `le` are series as Prometheus has them: cumulative,
/// deltas summed up. Summaries are `NAME` with the label `quantile`, `NAME_sum` and `NAME_count`.
///
/// 64-bit integers are texts or numbers; doubles numbers, "NaN", "Infinity", "-Infinity"; enumerations numbers or names;
/// what is absent is proto3's default. A point without a recorded value (`flags` 1) is NaN: there was none. A sum that
/// does not say whether it is cumulative is read as it is, with a note. Times are cut to the millisecond.
///
/// Raises, naming the line and the path: `serinus.data.document`, `serinus.data.value`, `serinus.data.timestamp`;
/// `serinus.data.format` for traces and logs; `serinus.data.empty` for a text without a point; `serinus.data.arm`,
/// `serinus.data.size` and `serinus.argument.word` as `read_prometheus`. Cost: n log n in the points; one request at a
/// time is in memory as JSON.
Batch read_otlp(std::string_view text, const ReadOptions& options = {});

}  // namespace io
}  // namespace v0
}  // namespace serinus
