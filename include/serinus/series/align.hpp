#pragma once
/// \file
/// Puts samples in order, into intervals, and side by side.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include <serinus/core/error.hpp>
#include <serinus/series/series.hpp>

namespace serinus {
inline namespace v0 {

/// The number k of the interval [start + k x interval, start + (k + 1) x interval) that holds the time: 0 for the first
/// one after `start`, -1 for the one before it. All in milliseconds; |time - start| must be less than 2^63. Raises
/// `serinus.argument.range` for one below 1. The same on every platform: integers only.
///
///     interval_index(-1, 0, 10'000);  // -1
inline std::int64_t interval_index(std::int64_t time_ms, std::int64_t start_ms, std::int64_t interval_ms) {
    if (interval_ms < 1)
        raise(Code::argument_range, "interval is " + std::to_string(interval_ms) + " ms; allowed: at least 1 ms");
    const std::int64_t since = time_ms - start_ms;
    const std::int64_t quotient = since / interval_ms;  // toward zero
    return since % interval_ms < 0 ? quotient - 1 : quotient;
}

/// What `sort_and_deduplicate` removed.
struct Repeats {
    std::int64_t duplicates = 0;  ///< samples with the time and the value of one that was kept
    std::int64_t conflicts = 0;   ///< samples with the time of one that was kept, but another value

    friend bool operator==(const Repeats&, const Repeats&) = default;
};

/// Puts a series in order of time and leaves one sample a timestamp: the one that was given first. NaN equals NaN
/// here, and -0 equals 0. Afterwards the times increase strictly. Raises `serinus.argument.length` when times and
/// values differ in number. Cost: linear when the times increase already, n log n and a copy otherwise.
inline Repeats sort_and_deduplicate(Series& series) {
    const std::size_t n = series.times_ms.size();
    if (series.values.size() != n) {
        raise(Code::argument_length, "the series has " + std::to_string(n) + " times and " +
                                         std::to_string(series.values.size()) +
                                         " values; allowed: the same number of both");
    }
    Repeats repeats;
    const auto& times = series.times_ms;
    if (std::adjacent_find(times.begin(), times.end(), std::greater_equal<>()) == times.end()) return repeats;

    std::vector<std::size_t> order(n);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return times[a] < times[b]; });
    Series sorted;
    sorted.instance = series.instance;
    sorted.times_ms.reserve(n);
    sorted.values.reserve(n);
    for (const std::size_t i : order) {
        const double value = series.values[i];
        if (sorted.times_ms.empty() || sorted.times_ms.back() != times[i]) {
            sorted.times_ms.push_back(times[i]);
            sorted.values.push_back(value);
        } else if (const double kept = sorted.values.back(); kept == value || (std::isnan(kept) && std::isnan(value))) {
            ++repeats.duplicates;
        } else {
            ++repeats.conflicts;
        }
    }
    series = std::move(sorted);
    return repeats;
}

/// Two series side by side: at `times_ms[i]` one had `first[i]`, the other `second[i]`.
struct AlignedPairs {
    std::vector<std::int64_t> times_ms;
    std::vector<double> first;
    std::vector<double> second;
};

/// The timestamps that both series have, with both values (which may be NaN); all others are left out. Both must have
/// strictly increasing times (see `sort_and_deduplicate`): `serinus.data.order` otherwise. Cost: linear.
///
///     align(baseline, canary)  // baseline first
inline AlignedPairs align(const Series& first, const Series& second) {
    for (const Series* series : {&first, &second}) {
        const auto& times = series->times_ms;
        if (series->values.size() != times.size()) {
            raise(Code::argument_length, "a series to align has " + std::to_string(times.size()) + " times and " +
                                             std::to_string(series->values.size()) +
                                             " values; allowed: the same number of both");
        }
        const auto bad = std::adjacent_find(times.begin(), times.end(), std::greater_equal<>());
        if (bad != times.end()) {
            raise(Code::data_order, "a series to align has " + std::to_string(*(bad + 1)) + " ms after " +
                                        std::to_string(*bad) + " ms; allowed: strictly increasing times");
        }
    }
    AlignedPairs pairs;
    std::size_t i = 0;
    std::size_t j = 0;
    while (i < first.times_ms.size() && j < second.times_ms.size()) {
        if (first.times_ms[i] < second.times_ms[j]) {
            ++i;
        } else if (first.times_ms[i] > second.times_ms[j]) {
            ++j;
        } else {
            pairs.times_ms.push_back(first.times_ms[i]);
            pairs.first.push_back(first.values[i++]);
            pairs.second.push_back(second.values[j++]);
        }
    }
    return pairs;
}

}  // namespace v0
}  // namespace serinus
