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
    csv = 1,        ///< io/csv.hpp
    prometheus = 2  ///< a document of Prometheus answers, io/prometheus.hpp
};

/// JSON begins with "{" or "["; everything else is taken for CSV. White space and a byte order mark are passed over.
DataFormat guess_format(std::string_view text) noexcept;

/// The samples of a text in either format:
///
///     const Batch batch = io::read_data(text, io::read_options(plan));
///
/// Raises what `read_csv` and `read_prometheus_document` raise, and `serinus.data.arm` when a document has label sets,
/// but not one of them belongs to an arm: then the arms do not fit the data.
Batch read_data(std::string_view text, const ReadOptions& options = {});

/// The same where there is no rollout: a Prometheus document without a label that tells arms apart (where there is one,
/// they are told apart) is one service, and counts as its baseline.
Batch read_service_data(std::string_view text, const ReadOptions& options = {});

}  // namespace io
}  // namespace v0
}  // namespace serinus
