#pragma once
/// \file
/// Cumulative counters as real collectors show them: what was counted, where a fall need not be a restart.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <serinus/core/describe.hpp>
#include <serinus/core/error.hpp>
#include <serinus/core/words.hpp>

namespace serinus {
inline namespace v0 {

/// What a sample of a cumulative counter is to the one before.
enum class CounterStep : std::uint8_t {
    first = 1,      ///< nobody knows since when it counts
    growth = 2,     ///< it grew, or stayed
    restart = 3,    ///< it began again at 0
    dip = 4,        ///< it fell and cannot have begun again: it counts nothing until it is past where it was
    recovered = 5,  ///< it is past where it was before the dip
    rebased = 6     ///< it was below for so long that it goes on from where it is
};

template <>
struct Words<CounterStep> {
    static constexpr std::array<std::pair<CounterStep, std::string_view>, 6> table{
        {{CounterStep::first, "first"},
         {CounterStep::growth, "growth"},
         {CounterStep::restart, "restart"},
         {CounterStep::dip, "dip"},
         {CounterStep::recovered, "recovered"},
         {CounterStep::rebased, "rebased"}}};
};

/// What a `CounterFollower` remembers.
struct CounterFollowerState {
    static constexpr std::string_view kind = "cfol";
    static constexpr std::int64_t version = 1;

    std::optional<std::int64_t> previous_ms;  ///< of the last sample; empty before the first
    double level = 0;                         ///< the highest value of this life
    double largest_rate = 0;                  ///< the fastest growth so far, a millisecond
    std::int64_t below = 0;                   ///< samples running below the level
    std::optional<double> former;             ///< the level of the life before, until this one has grown

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("previous_ms", self.previous_ms);
        visit("level", self.level);
        visit("largest_rate", self.largest_rate);
        visit("below", self.below);
        visit("former", self.former);
    }
    friend bool operator==(const CounterFollowerState&, const CounterFollowerState&) = default;
};
static_assert(described_whole<CounterFollowerState>());

/// How much a cumulative counter grew from each sample to the next, when its series may be a sum over processes, or come
/// through a querier that switches between replicas.
///
/// With v the highest value of this life and x the new one:
///
///     x >= v                                  increment x - v
///     x <  v, and it can have begun again     increment x        (a restart)
///     x <  v, and it cannot                   nothing: v is kept until it is passed (a dip)
///     the fifth sample running below v        nothing: v = x     (a member of the sum is lost)
///
/// It can have begun again when x is at most what it could have counted since its last sample, `room` times its largest
/// rate so far times that time, and 1; a fall by less than a twentieth is none, for a process would have to be sampled
/// just where the old one ended. Where the next value is back at where it fell from, and cannot have been counted since,
/// it was no restart but a hole (a null that is shown as 0), and only what is beyond is booked. A caller that knows better (the process' start time, its other counters) says so.
/// Prometheus takes every fall for a restart and counts x (`CounterIncrements` does the same): where three processes
/// stand behind one series and one of them restarts, all that the others ever counted is counted once more.
///
/// - The first sample has no increment; whether its value counts is the caller's to say.
/// - NaN and infinities are skipped, negative values are no counter's and go through the rules above.
///
/// Exact while values stay below 2^53. State: 5 numbers. Cost: O(1) a sample.
///
///     CounterFollower requests;
///     requests.next(0, 1000);      // first
///     requests.next(1000, 1100);   // growth, 100
///     requests.next(2000, 1099);   // dip, 0
///     requests.next(3000, 1200);   // recovered, 100
///     requests.next(4000, 60);     // restart, 60
class CounterFollower {
  public:
    static constexpr double room = 2;
    static constexpr double smallest_fall = 0.05;
    static constexpr std::int64_t longest_dip = 5;

    struct Step {
        CounterStep what = CounterStep::first;
        double increment = 0;
        double before = 0;  ///< the level that it fell from, or grew from
    };
    /// What the caller knows of the process: nothing, that it began again since the last sample, that it did not.
    enum class Restarted : std::uint8_t { unknown, yes, no };

    /// The step that ends at this sample, or nothing for NaN and infinities. Times must increase strictly;
    /// `serinus.data.order` otherwise, and the sample is not taken. `usual_rate`: of its like, a millisecond, for as
    /// long as it has shown no rate of its own.
    std::optional<Step> next(std::int64_t time_ms, double value, Restarted restarted = Restarted::unknown,
                             double usual_rate = 0) {
        if (!std::isfinite(value)) return std::nullopt;
        if (!state_.previous_ms) {
            state_.previous_ms = time_ms;
            state_.level = value;
            return Step{CounterStep::first, 0, value};
        }
        if (time_ms <= *state_.previous_ms) {
            raise(Code::data_order, "the counter's sample at " + std::to_string(time_ms) + " ms follows one at " +
                                        std::to_string(*state_.previous_ms) + " ms; allowed: strictly later times");
        }
        if (restarted != Restarted::yes && is_back(time_ms, value, usual_rate)) undo_restart();
        const double before = state_.level;
        const auto took = static_cast<double>(time_ms - *state_.previous_ms);
        // A negative value is no counter's, and no beginning.
        const bool again =
            (restarted == Restarted::yes && value >= 0) ||
            (restarted == Restarted::unknown && value < before && could_be_restart(time_ms, value, usual_rate));
        state_.previous_ms = time_ms;
        if (again) {
            if (!state_.former) state_.former = before;
            return grow(CounterStep::restart, value, value, before, took);
        }
        if (value >= before) {
            const CounterStep what = state_.below > 0 ? CounterStep::recovered : CounterStep::growth;
            if (value > before) state_.former.reset();
            return grow(what, value, value - before, before, took);
        }
        if (++state_.below < longest_dip) return Step{CounterStep::dip, 0, before};
        state_.below = 0;
        state_.level = value;
        return Step{CounterStep::rebased, 0, before};
    }

    /// Whether a value can be that of a process that began again since the last sample.
    bool could_be_restart(std::int64_t time_ms, double value, double usual_rate = 0) const noexcept {
        if (!state_.previous_ms) return false;
        const double rate = std::max(state_.largest_rate, state_.largest_rate > 0 ? 0 : usual_rate);
        const auto took = static_cast<double>(time_ms - *state_.previous_ms);
        const bool falls_far = value == 0 || value <= (1 - smallest_fall) * state_.level;
        return falls_far && value >= 0 && value <= room * rate * took + 1;
    }
    /// The same without the fall: whether so much can have been counted since the last sample.
    bool could_count(std::int64_t time_ms, double value, double usual_rate = 0) const noexcept {
        if (!state_.previous_ms) return true;
        const auto took = static_cast<double>(time_ms - *state_.previous_ms);
        return value <= room * std::max(state_.largest_rate, usual_rate) * took + 1;
    }
    /// Whether a value is back at where it fell from, and cannot have been counted since: the restart was none.
    bool is_back(std::int64_t time_ms, double value, double usual_rate = 0) const noexcept {
        return state_.former && value >= *state_.former && !could_count(time_ms, value, usual_rate);
    }
    /// The last restart was none, as the caller knows: the level is that of before.
    void undo_restart() noexcept {
        if (!state_.former) return;
        state_.level = *std::exchange(state_.former, std::nullopt);
        state_.below = 1;
    }
    /// Does the value lie below the level?
    bool falls(double value) const noexcept { return state_.previous_ms && value < state_.level; }

    /// The largest rate so far once another one was seen. One value that is far off does not make every later one
    /// possible: it grows step by step.
    static double raised(double largest, double rate) noexcept {
        return std::max(largest, largest > 0 ? std::min(rate, room * largest) : rate);
    }

    std::optional<std::int64_t> previous_ms() const noexcept { return state_.previous_ms; }
    double level() const noexcept { return state_.level; }
    double largest_rate() const noexcept { return state_.largest_rate; }

    const CounterFollowerState& state() const noexcept { return state_; }
    /// Goes on where `state` was taken. Raises `serinus.state.invariant` for numbers that no counter leaves behind.
    void restore(const CounterFollowerState& state) {
        const bool untouched = state.level == 0 && state.largest_rate == 0 && state.below == 0 && !state.former;
        if (!std::isfinite(state.level) || !(state.largest_rate >= 0) || !std::isfinite(state.largest_rate) ||
            state.below < 0 || state.below >= longest_dip || (state.former && !std::isfinite(*state.former)) ||
            (!state.previous_ms && !untouched)) {
            raise(
                Code::state_invariant,
                "a counter's state must have a finite level, a largest rate of 0 or more, fewer than 5 samples below, "
                "and zeros before its first sample");
        }
        state_ = state;
    }

  private:
    Step grow(CounterStep what, double value, double increment, double before, double took) noexcept {
        state_.level = value;
        state_.below = 0;
        // A passage over a dip took longer than since the last sample, and says nothing of the rate.
        if (what != CounterStep::recovered) state_.largest_rate = raised(state_.largest_rate, increment / took);
        return {what, increment, before};
    }

    CounterFollowerState state_;
};

}  // namespace v0
}  // namespace serinus
