#pragma once
/// \file
/// Samples from the HTTP API of Prometheus, and of everything that speaks it (Thanos, Mimir, VictoriaMetrics).
/// Nothing here opens a connection: a text comes in, samples come out.

#include <string_view>

#include <serinus/core/version.hpp>
#include <serinus/io/read_options.hpp>
#include <serinus/rollout/batch.hpp>

namespace serinus {
inline namespace v0 {
namespace io {

/// Whether a text looks like `read_prometheus`' documents: an answer, or an object of answers. Only its first keys are
/// looked at.
bool looks_like_prometheus(std::string_view text);

/// Answers of /api/v1/query_range or /api/v1/query (matrix, vector, or the raw samples of a range selector), one for
/// each series of a plan:
///
///     {"http_errors": {"status": "success", "data": {"resultType": "matrix", "result": [
///          {"metric": {"track": "canary"}, "values": [[1795382489, "148"], [1795382494, "163"]]}]}},
///      "http_requests": ...}
///
/// (where a client has taken off what is around it: the answer's `data` alone, or the list of its `result`),
/// or a single answer, whose series are called by `series`; where that is empty, by the `__name__` of each label set
/// (with or without `_total`, as the plan has it), or, where none has one and the plan knows a single name, by that.
///
/// - A label set whose arm label (`options.arms`) has neither the baseline's nor the canary's value is left out, and
///   told once in `Batch::notes`, as are the answer's `warnings` and `infos`. An arm that nobody has is no error.
/// - The instance is the value of `options.instance_label`, or of `pod` where no label set of the document has that;
///   `labels` are all others but the arm's, `le` and those of replicas. `__name__` stays among them only where a query
///   gave series of several names.
/// - A label `le` makes the label set a histogram bucket; "1" and "1.0" are the same bucket.
/// - A series `x_created` says since when `x` or `x_total` has counted, in Unix seconds (`Series::starts_ms`); it is
///   left out of the series unless the plan asks for it.
/// - Native histograms (`histogram`, `histograms`) go to `Batch::histograms`, with exponential or custom buckets; a label
///   set may have both plain samples and histograms.
/// - Timestamps are Unix seconds, rounded to the nearest millisecond. Values are texts: "148", "1e+21", "NaN", "+Inf".
///   An empty result is an empty batch.
///
/// Raises `serinus.data.query` for an answer that says it failed (with its error type and text); `serinus.data.arm` when
/// there are label sets but not one belongs to an arm; `serinus.data.format` for other answers of the API (alerts,
/// rules, targets, labels); `serinus.data.document` for what is no JSON or no such answer, for scalars (they have no
/// labels, so no arm), a single answer whose series nobody names, and keys or label sets given twice;
/// `serinus.data.empty` for `{}`; `serinus.data.value` and `serinus.data.timestamp` for a sample that cannot be read;
/// `serinus.data.size` for a text that is too long or nested more than 64 deep; `serinus.argument.word` for options that
/// cannot tell the arms apart. Cost: linear; about 200 bytes a sample.
Batch read_prometheus(std::string_view text, const ReadOptions& options = {}, std::string_view series = {});

}  // namespace io
}  // namespace v0
}  // namespace serinus
