#pragma once
/// \file
/// Samples from the HTTP API of Prometheus, and of everything that speaks it (Thanos, Mimir, VictoriaMetrics).
/// Nothing here opens a connection: a text comes in, samples come out.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <serinus/core/version.hpp>
#include <serinus/rollout/batch.hpp>

namespace serinus {
inline namespace v0 {
namespace io {

/// How an answer's label sets become series, arms and instances.
struct PrometheusOptions {
    std::string series{};                     ///< the plan's name for what the query asked; unused for a document
    std::string label = "track";              ///< the label that tells the arms apart
    std::string baseline = "stable";          ///< its value in the baseline
    std::string canary = "canary";            ///< its value in the canary
    std::string instance_label = "instance";  ///< empty: there is none
    std::uint64_t max_bytes = std::uint64_t{1} << 30;  ///< longer texts are refused unread
};

/// What was read.
struct PrometheusAnswer {
    Batch batch;
    std::int64_t ignored_series = 0;          ///< label sets that belong to neither arm
    std::vector<std::string> ignored_values;  ///< what their label was ("" without it): the first 10 different ones
};

/// The answer of /api/v1/query_range or /api/v1/query (matrix, vector, or the raw samples of a range selector) to one
/// PromQL query:
///
///     {"status": "success", "data": {"resultType": "matrix", "result": [
///         {"metric": {"track": "canary"}, "values": [[1795382489, "148"], [1795382494, "163"]]}]}}
///
/// - A label set whose `label` is neither `baseline` nor `canary` is ignored and counted. An arm that nobody has is no
///   error: it is simply not there.
/// - A label `le` makes the label set a histogram bucket; "1" and "1.0" are the same bucket.
/// - Several label sets of one arm are several instances. The instance is the value of `instance_label` when that tells
///   them apart in both arms, else a text of all labels that differ within an arm: `{code="500",instance="web-1"}`.
/// - Timestamps are Unix seconds, rounded to the nearest millisecond. Values are texts: "148", "1e+21", "NaN", "+Inf".
/// - Warnings are not read. An empty result is an empty batch.
///
/// Raises `serinus.data.query` for an answer that says it failed (with its error type and text);
/// `serinus.data.document` for what is no JSON or no such answer, for scalars (they have no labels, so no arm), native
/// histograms, and keys or label sets given twice; `serinus.data.value` and `serinus.data.timestamp` for a sample that
/// cannot be read; `serinus.data.size` for a text that is too long or nested more than 64 deep; `serinus.argument.word`
/// for options that cannot tell the arms apart. Cost: linear; about 200 bytes a sample.
PrometheusAnswer read_prometheus(std::string_view json, const PrometheusOptions& options);

/// One answer for each series of a plan: `{"http_errors": <answer>, "http_requests": <answer>}`. Everything else as in
/// `read_prometheus`; `serinus.data.empty` for `{}`.
PrometheusAnswer read_prometheus_document(std::string_view json, const PrometheusOptions& options);

}  // namespace io
}  // namespace v0
}  // namespace serinus
