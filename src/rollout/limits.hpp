#pragma once
/// \file
/// Numbers that learning from history and judging a rollout share; inside the library only.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

#include <serinus/series/time.hpp>

namespace serinus {
inline namespace v0 {
namespace detail {

/// A new start of the harm evidence every so many intervals (docs/adr/0002-two-thirds-of-the-capital-bet-at-once.md).
constexpr std::int64_t intervals_per_start = 30;

/// Fewer instances of history than these do not tell how far instances of one version differ.
constexpr double fewest_instances = 5;

/// Intervals of history from which on the error rates of learned noise were measured (docs/concepts/promise.md).
constexpr double fewest_measured = 500;

/// Doubts about the data are asked of so many intervals as well as of the whole stage, so that they heal
/// (docs/adr/0021-what-may-block-what.md).
constexpr std::int64_t recent_intervals = 20;

/// Two series of one instance that have the same values at the same times in so many intervals, and grow differently in
/// them, are one: that values of some size agree twice by chance is rare, and it heals.
constexpr std::int64_t equal_intervals = 2, equal_changes = 2;
/// Counts of so many in an interval seldom agree; of fewer it takes longer to know.
constexpr double enough_to_differ = 50;
constexpr std::int64_t equal_intervals_of_few = 10;

/// As reasons tell durations.
constexpr double seconds(std::int64_t milliseconds) { return static_cast<double>(milliseconds) / 1000; }
constexpr double seconds(std::chrono::milliseconds length) { return seconds(length.count()); }

/// As decisions tell moments.
constexpr std::optional<Time> moment(std::optional<std::int64_t> time_ms) {
    return time_ms ? std::optional(Time(std::chrono::milliseconds(*time_ms))) : std::nullopt;
}

/// A stage's part of the capital of the harm evidence, 1/s^2 over the sum of all stages' for the s-th: a bad version is
/// mostly bad at once, so a rollout of many stages finds it as soon as one of few
/// (docs/adr/0002-two-thirds-of-the-capital-bet-at-once.md). They sum to 1.
inline double stage_weight(int stage, std::size_t stages) {
    double sum = 0;
    for (std::size_t s = 1; s <= stages; ++s) sum += 1 / (static_cast<double>(s) * static_cast<double>(s));
    const double own = stage + 1.0;
    return 1 / (own * own) / sum;
}

}  // namespace detail
}  // namespace v0
}  // namespace serinus
