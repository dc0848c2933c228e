#pragma once
/// \file
/// How much was counted in a window: four meanings of one word.

#include <cstdint>
#include <limits>

#include <serinus/core/version.hpp>
#include <serinus/slo/burn_window.hpp>

namespace serinus {
inline namespace v0 {
namespace slo {

/// Is the increase what a Prometheus stretches to the window's edges? Else it is a difference of two samples.
constexpr bool extrapolated(Semantics semantics) noexcept {
    return semantics == Semantics::prometheus2 || semantics == Semantics::prometheus3;
}

/// How old the sample before a window may be, counted from the window's edge, to be the first one of it: less than
/// this (Prometheus' look-back).
constexpr std::int64_t look_back_ms(Semantics semantics) noexcept {
    return semantics == Semantics::prometheus3_anchored ? 300'000 : std::numeric_limits<std::int64_t>::max();
}

/// The samples of a counter that lie in a window, as far as extrapolation needs them.
struct SamplesInWindow {
    std::int64_t first_ms = 0, last_ms = 0;
    double first_value = 0;
    double growth = 0;       ///< last value - first value, plus the value before each reset between them
    std::int64_t count = 0;  ///< at least 2
};

/// By what Prometheus multiplies `growth` so that it stands for the whole window (`extrapolatedRate` of its PromQL
/// engine, here version 2.42 and 3.16). With si the time from the first to the last sample, avg = si/(count - 1), ds
/// and de the times from the window's edges to the first and the last sample:
///
///     version 2:  ds = min(ds, si x first value/growth)     a counter was not below 0
///                 factor = (si + (ds if ds < 1.1 avg else avg/2) + (de if de < 1.1 avg else avg/2)) / si
///     version 3:  ds = avg/2 if ds >= 1.1 avg; then the same minimum; de likewise; factor = (si + ds + de)/si
///
/// The operations are those of Prometheus in its order, so that the bits agree as well. Cost: O(1).
inline double extrapolation_factor(Semantics semantics, const SamplesInWindow& samples, std::int64_t from_ms,
                                   std::int64_t to_ms) noexcept {
    double to_start = static_cast<double>(samples.first_ms - from_ms) / 1000;
    double to_end = static_cast<double>(to_ms - samples.last_ms) / 1000;
    const double sampled = static_cast<double>(samples.last_ms - samples.first_ms) / 1000;
    const double average = sampled / static_cast<double>(samples.count - 1);
    const double threshold = average * 1.1;
    const auto clamp_at_zero = [&] {
        if (!(samples.growth > 0) || !(samples.first_value >= 0)) return;
        const double to_zero = sampled * (samples.first_value / samples.growth);
        if (to_zero < to_start) to_start = to_zero;
    };
    if (semantics == Semantics::prometheus2) {
        clamp_at_zero();
        double stretched = sampled;
        stretched += to_start < threshold ? to_start : average / 2;
        stretched += to_end < threshold ? to_end : average / 2;
        return stretched / sampled;
    }
    if (to_start >= threshold) to_start = average / 2;
    clamp_at_zero();
    if (to_end >= threshold) to_end = average / 2;
    return (sampled + to_start + to_end) / sampled;
}

}  // namespace slo
}  // namespace v0
}  // namespace serinus
