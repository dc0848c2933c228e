#pragma once
/// \file
/// From samples to intervals that are closed: what has come, and what of it waits; inside the library only.

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <serinus/rollout/batch.hpp>
#include <serinus/rollout/decision.hpp>
#include <serinus/rollout/monitor_state.hpp>
#include <serinus/rollout/plan.hpp>
#include <serinus/series/counter.hpp>

#include "rollout/interval.hpp"
#include "rollout/stage_clock.hpp"

namespace serinus {
inline namespace v0 {
namespace detail {

/// Raises for a time outside the years 1 to 9999; inside them there is room for every sum and product of the monitor.
void require_time(const std::string& what, std::int64_t time_ms);

/// Takes samples in any order, and gives each interval once, when it is closed.
///
/// A sample belongs to the interval that its time lies in; the scrape of a counter closes what came before it, so it
/// belongs to the instant before. What comes for an interval that is over is counted and dropped, and so are samples
/// that were seen before and those that contradict one that waits. Of a counter an interval takes the increments that
/// end in it.
class Intake {
  public:
    using State = IntakeState;

    explicit Intake(const Plan& plan);

    /// Raises before anything is taken, so that a bad batch changes nothing.
    static void check(const Batch& batch);

    /// Takes the samples; tells the clock of the earliest.
    void take(const Batch& batch, StageClock& clock);

    /// The newest time of any sample of the plan's series.
    std::optional<std::int64_t> newest_ms() const;
    /// The canary's first sample that waits.
    std::optional<std::int64_t> first_of_canary_ms() const;
    /// The first and the last moment that a waiting sample tells of.
    std::optional<std::int64_t> first_waiting_ms() const;
    std::optional<std::int64_t> last_waiting_ms() const;

    /// Lets go of what belongs before a moment, but for the counters' last values.
    void pass_over(std::int64_t from_ms);

    /// Takes what belongs into [from, to) out of what waits; what belongs before is passed over.
    Interval close(std::int64_t from_ms, std::int64_t to_ms);

    /// Instances that were restarted do not count until their warm-up is over.
    void restart(Arm arm, std::string_view instance, std::int64_t at_ms);
    void forget_restarts(std::int64_t before_ms);

    /// A stage begins: counts of intervals are the stage's.
    void enter_stage();
    /// Counts an interval that was judged, and whether each arm had all data of every metric.
    void count(const std::array<bool, 2>& complete);
    /// Counts intervals that brought nothing from anybody.
    void count_silent(std::int64_t intervals);
    Telemetry telemetry() const;

    const State& state() const { return state_; }
    std::vector<TrackState> tracks() const;
    /// Raises `serinus.state.invariant` for a state that cannot be; the object is of no use then.
    void restore(const State& state, const std::vector<TrackState>& tracks);

  private:
    /// A series of one instance: what is not judged yet, and where it was left off.
    struct Track {
        std::map<std::int64_t, double> pending;
        std::optional<std::int64_t> consumed_ms;
        CounterIncrements counter;
    };

    bool is_counter(const TrackKey& key) const { return counters_.at(std::get<0>(key)); }
    /// The moment that a sample at this time tells of.
    static std::int64_t belongs(std::int64_t time_ms, bool counter) { return time_ms - (counter ? 1 : 0); }
    bool warming_up(Arm arm, const std::string& instance, std::int64_t from_ms, std::int64_t to_ms) const;
    static void pass_over(Track& track, bool counter, std::int64_t from_ms);
    /// Takes the earliest sample that waits; of a counter its increment, if it has one.
    static std::optional<double> consume(Track& track, bool counter);

    std::map<std::string, bool> counters_;  // by series of the plan: is it a counter?
    std::int64_t warm_up_ms_;
    std::map<TrackKey, Track> tracks_;
    State state_;
};

}  // namespace detail
}  // namespace v0
}  // namespace serinus
