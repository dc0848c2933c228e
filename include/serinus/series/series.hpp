#pragma once
/// \file
/// A time series as it came from a monitoring system.

#include <cstdint>
#include <string>
#include <vector>

#include <serinus/core/version.hpp>

namespace serinus {
inline namespace v0 {

/// Samples of one instance: `values[i]` was seen at `times_ms[i]`, milliseconds since 1970-01-01 UTC (negative before).
/// Both arrays have one length. Order is free and times may repeat: who reads a Series sorts it. A value may be NaN:
/// the monitoring system had none.
struct Series {
    std::vector<std::int64_t> times_ms;
    std::vector<double> values;
    std::string instance;  ///< what the sample was taken from; empty where nobody said
    /// Since when a cumulative counter has counted, at each sample (0: not said); empty where nobody said of any.
    std::vector<std::int64_t> starts_ms = {};

    friend bool operator==(const Series&, const Series&) = default;
};

}  // namespace v0
}  // namespace serinus
