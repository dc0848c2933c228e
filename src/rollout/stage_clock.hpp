#pragma once
/// \file
/// Where a rollout stands in time; inside the library only.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include <serinus/rollout/monitor_state.hpp>
#include <serinus/rollout/plan.hpp>

namespace serinus {
inline namespace v0 {
namespace detail {

/// Which stage runs, since when, which of its intervals are over, and which starts of the harm evidence are used up.
///
/// Intervals are counted from the stage's start; those before `next()` were judged or passed over. The present time
/// never runs backwards. Stages are indices here, from 0.
class StageClock {
  public:
    using State = StageClockState;

    /// What a decision is made from.
    struct View {
        std::size_t stage = 0;
        std::optional<std::int64_t> start_ms, now_ms, watch_ms;
        std::int64_t next = 0;          ///< intervals that are over
        std::int64_t warm = 0;          ///< intervals of the stage's warm-up
        std::int64_t frontier_ms = 0;   ///< where the intervals that are over end; 0 before the stage began
        std::int64_t warmed_up_ms = 0;  ///< when the stage's warm-up is over; 0 before the stage began
        std::int64_t elapsed_ms = 0;    ///< since the stage's start
        double reached_ms = 0;          ///< traffic x time of the whole rollout

        /// There is something that data could be older than.
        bool watched() const { return now_ms && (start_ms || watch_ms); }
    };

    explicit StageClock(const Plan& plan);

    View view() const;
    std::size_t stage() const { return static_cast<std::size_t>(state_.stage); }
    bool begun() const { return state_.start_ms.has_value(); }
    std::optional<std::int64_t> now_ms() const { return state_.now_ms; }
    std::int64_t next() const { return state_.next; }
    std::int64_t warm() const { return (warm_up_ms_ + interval_ms_ - 1) / interval_ms_; }
    /// The interval that a time of the stage lies in.
    std::int64_t interval_at(std::int64_t time_ms) const;
    /// When an interval of the stage begins.
    std::int64_t start_of(std::int64_t interval) const { return *state_.start_ms + interval * interval_ms_; }
    /// Where the intervals that are over end.
    std::int64_t frontier_ms() const { return start_of(state_.next); }
    /// Whether a moment lies in an interval that is over.
    bool over(std::int64_t time_ms) const { return state_.next > 0 && time_ms < frontier_ms(); }

    /// The rollout is watched since this time at the latest.
    void watch(std::int64_t time_ms);
    /// It is this time, or later.
    void tell(std::int64_t now_ms);
    /// A stage whose start nobody told begins with the canary's first sample: before it there is no canary.
    void begin_with(std::optional<std::int64_t> first_of_canary_ms);

    /// Whether this is what was told last.
    bool knows(int stage, std::int64_t at_ms) const { return state_.told_ms == at_ms && state_.stage == stage; }
    /// The first stage's start, told late or early: no interval of it is over.
    bool is_first(int stage) const { return !state_.told_ms && state_.next == 0 && stage == 0; }
    /// Raises `serinus.monitor.time` where it lies before what the running stage has judged.
    void require_not_before_start(int stage, std::int64_t at_ms) const;
    /// Stage `stage` runs since `start_ms`; the caller said `told_ms`.
    void enter(int stage, std::int64_t start_ms, std::int64_t told_ms);

    /// Another `intervals` are over.
    void advance(std::int64_t intervals) { state_.next += intervals; }

    /// Uses up the starts that fall into the stage's intervals [from, to), none in the warm-up, and gives their summed
    /// weight, 0 without one. Of very many, a little less: an integral below their sum.
    double take_starts(std::int64_t from, std::int64_t to);

    const State& state() const { return state_; }
    /// Raises `serinus.state.invariant` for a state that cannot be; the object is of no use then.
    void restore(const State& state);

  private:
    double reached_ms(std::int64_t until_ms) const;

    std::vector<double> traffic_;  // by stage
    std::int64_t interval_ms_, warm_up_ms_;
    State state_;
};

}  // namespace detail
}  // namespace v0
}  // namespace serinus
