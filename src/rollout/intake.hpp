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

#include "rollout/interval.hpp"
#include "rollout/metric_intake.hpp"
#include "rollout/stage_clock.hpp"

namespace serinus {
inline namespace v0 {
namespace detail {

/// Raises for a time outside the years 1 to 9999; inside them there is room for every sum and product of the monitor.
void require_time(const std::string& what, std::int64_t time_ms);

/// Takes samples in any order, and gives each interval once, when it is closed.
///
/// Each metric has an intake of its own, since what a series is taken up to depends on the others of its metric. A sample
/// belongs to the interval that its time lies in; the scrape of a counter closes what came before it, so it belongs to
/// the instant before. What comes for an interval that is over is counted and dropped (of a counter it is in the next
/// sample), and so are samples that were seen before and those that contradict one that waits.
class Intake {
  public:
    using State = IntakeState;

    explicit Intake(const Plan& plan);

    /// Raises before anything is taken, so that a bad batch changes nothing.
    void check(const Batch& batch) const;

    /// Takes the samples; tells the clock of the earliest.
    void take(const Batch& batch, StageClock& clock);

    /// The newest time of any sample of the plan's series.
    std::optional<std::int64_t> newest_ms() const;
    bool heard(Arm arm) const { return state_.newest_ms[static_cast<std::size_t>(arm)].has_value(); }
    /// The canary's first sample that waits.
    std::optional<std::int64_t> first_of_canary_ms() const;
    /// The first moment, from `from_ms` on, and the last one that a waiting sample tells of.
    std::optional<std::int64_t> first_waiting_ms(std::optional<std::int64_t> from_ms) const;
    std::optional<std::int64_t> last_waiting_ms() const;

    /// Lets go of what belongs before a moment, but for the counters' last values.
    void pass_over(std::int64_t from_ms);

    /// Takes what belongs into [from, to) out of what waits; what belongs before is passed over.
    Interval close(std::int64_t from_ms, std::int64_t to_ms, bool warming);

    /// The same for one metric alone, of what was before the rollout; the others' waits.
    Interval close_one(std::size_t metric, std::int64_t from_ms, std::int64_t to_ms);

    /// Instances that were restarted do not count until their warm-up is over.
    void restart(Arm arm, std::string_view instance, std::int64_t at_ms);
    void forget_restarts(std::int64_t before_ms);

    /// A stage begins: counts of intervals are the stage's.
    void enter_stage();
    /// Counts intervals that are over, and takes what the metrics made of all of the stage's.
    void count(std::int64_t intervals, std::int64_t used, const std::array<std::int64_t, 2>& missing);
    Telemetry telemetry() const;

    const std::vector<MetricIntake>& metrics() const { return metrics_; }
    /// How the data were understood, as far as it is about no metric.
    std::vector<Reason> notes() const;

    State state() const;
    /// Raises `serinus.state.invariant` for a state that cannot be; the object is of no use then.
    void restore(const State& state, const std::vector<TrackState>& former);

  private:
    bool warming_up(Arm arm, const std::string& instance, std::int64_t from_ms, std::int64_t to_ms) const;

    std::map<std::string, std::vector<std::size_t>, std::less<>> readers_;  // metrics, by series of the plan
    std::int64_t warm_up_ms_;
    std::vector<MetricIntake> metrics_;
    State state_;
};

}  // namespace detail
}  // namespace v0
}  // namespace serinus
