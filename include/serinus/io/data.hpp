#pragma once
/// \file
/// Samples from a text whose format nobody said.

#include <cstdint>
#include <string_view>

#include <serinus/core/version.hpp>
#include <serinus/io/read_options.hpp>
#include <serinus/rollout/batch.hpp>

namespace serinus {
inline namespace v0 {
namespace io {

/// The formats that samples are read from.
enum class DataFormat : std::uint8_t {
    csv = 1,             ///< io/csv.hpp
    prometheus = 2,      ///< a document of Prometheus answers, io/prometheus.hpp
    openmetrics = 3,     ///< text exposition, io/openmetrics.hpp
    otlp = 4,            ///< OpenTelemetry's metrics, io/otlp.hpp
    victoriametrics = 5  ///< JSON lines of its export, io/victoriametrics.hpp
};

/// By its beginning: lines of text exposition, the keys of the first JSON object; other JSON is taken for Prometheus'
/// answers, everything else for CSV. White space and a byte order mark are passed over.
DataFormat guess_format(std::string_view text);

/// The samples of a text in any of these formats:
///
///     const Batch batch = io::read_data(text, io::read_options(plan));
///
/// Raises what the format's reader raises.
Batch read_data(std::string_view text, const ReadOptions& options = {});

/// The same where there is no rollout: labelled samples without the label that tells arms apart (where there is one, they
/// are told apart) are one service, and count as its baseline.
Batch read_service_data(std::string_view text, const ReadOptions& options = {});

}  // namespace io
}  // namespace v0
}  // namespace serinus
