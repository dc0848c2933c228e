#pragma once
/// \file
/// Cumulative counters (Prometheus counters, OpenTelemetry cumulative sums) to what was counted between two samples.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <serinus/core/describe.hpp>
#include <serinus/core/error.hpp>
#include <serinus/series/series.hpp>

namespace serinus {
inline namespace v0 {

/// What a `CounterIncrements` remembers.
struct CounterState {
    static constexpr std::string_view kind = "cntr";
    static constexpr std::int64_t version = 1;

    bool has_previous = false;
    std::int64_t previous_ms = 0;  ///< of the last sample that counted
    double previous_value = 0;
    std::int64_t resets = 0;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("has_previous", self.has_previous);
        visit("previous_ms", self.previous_ms);
        visit("previous_value", self.previous_value);
        visit("resets", self.resets);
    }
    friend bool operator==(const CounterState&, const CounterState&) = default;
};
static_assert(described_whole<CounterState>());

/// How much a cumulative counter grew from each sample to the next, one sample at a time.
///
/// With v the last sample that counted and x the new one:
///
///     increment = x - v   when x >= v
///     increment = x       when x <  v: the process restarted and its counter began again at 0 (a reset)
///
/// This is the increase of Prometheus without its extrapolation to the window's edges: what is counted was seen, and
/// the increments of neighbouring intervals add up. What a process counted between its last sample and its restart is
/// unknown and is missing from the sum.
///
/// - The first sample has no increment: nobody knows since when it counts.
/// - NaN (a stale series, a failed scrape) and infinities are skipped: they change nothing, and the next sample's
///   increment spans the gap.
/// - Negative values are no counter's values; they go through the rule above, so that a negative increment comes out
///   and the caller sees that the series is not a counter.
/// - One object follows one process: give each instance its own, or every change of instance looks like a reset.
///
/// An increment that is reported at time t was counted in (previous time, t]. Intervals are [start, end), so a caller
/// that gives it to one interval takes the one that holds t - 1: a scrape on the border closes the interval before.
///
/// Exact while values stay below 2^53. State: 4 numbers. Cost: O(1) a sample.
///
///     CounterIncrements requests;
///     requests.next(0, 10);      // nothing
///     requests.next(1000, 14);   // 4
///     requests.next(2000, 3);    // 3, and resets() is 1
class CounterIncrements {
  public:
    /// The increment that ends at this sample, or nothing for the first one and for NaN and infinities. Times must
    /// increase strictly; `serinus.data.order` otherwise, and the sample is not taken.
    std::optional<double> next(std::int64_t time_ms, double value) {
        if (!std::isfinite(value)) return std::nullopt;
        if (!state_.has_previous) {
            state_.has_previous = true;
            state_.previous_ms = time_ms;
            state_.previous_value = value;
            return std::nullopt;
        }
        if (time_ms <= state_.previous_ms) {
            raise(Code::data_order, "the counter's sample at " + std::to_string(time_ms) + " ms follows one at " +
                                        std::to_string(state_.previous_ms) + " ms; allowed: strictly later times");
        }
        const bool reset = value < state_.previous_value;
        const double increment = reset ? value : value - state_.previous_value;
        if (reset) ++state_.resets;
        state_.previous_ms = time_ms;
        state_.previous_value = value;
        return increment;
    }

    /// How often the counter began again.
    std::int64_t resets() const noexcept { return state_.resets; }
    /// The time of the last sample that counted, or nothing before the first.
    std::optional<std::int64_t> previous_ms() const noexcept {
        if (!state_.has_previous) return std::nullopt;
        return state_.previous_ms;
    }

    const CounterState& state() const noexcept { return state_; }
    /// Goes on where `state` was taken. Raises `serinus.state.invariant` for numbers that no counter leaves behind.
    void restore(const CounterState& state) {
        const bool untouched = state.previous_ms == 0 && state.previous_value == 0 && state.resets == 0;
        if (!std::isfinite(state.previous_value) || state.resets < 0 || (!state.has_previous && !untouched)) {
            raise(
                Code::state_invariant,
                "a counter's state must have a finite previous value, resets >= 0, and zeros before its first sample");
        }
        state_ = state;
    }

  private:
    CounterState state_;
};

/// The increments of a whole series: `series.values[i]` was counted up to `series.times_ms[i]`.
struct Increments {
    Series series;
    std::int64_t resets = 0;
};

/// `CounterIncrements` over a series with strictly increasing times (see `sort_and_deduplicate`); one increment fewer
/// than finite samples. Raises `serinus.data.order`, or `serinus.argument.length` when times and values differ in
/// number. Cost: linear.
inline Increments counter_increments(const Series& cumulative) {
    if (cumulative.times_ms.size() != cumulative.values.size()) {
        raise(Code::argument_length, "the series has " + std::to_string(cumulative.times_ms.size()) + " times and " +
                                         std::to_string(cumulative.values.size()) +
                                         " values; allowed: the same number of both");
    }
    CounterIncrements counter;
    Increments result;
    result.series.instance = cumulative.instance;
    for (std::size_t i = 0; i < cumulative.values.size(); ++i) {
        if (const auto increment = counter.next(cumulative.times_ms[i], cumulative.values[i])) {
            result.series.times_ms.push_back(cumulative.times_ms[i]);
            result.series.values.push_back(*increment);
        }
    }
    result.resets = counter.resets();
    return result;
}

}  // namespace v0
}  // namespace serinus
