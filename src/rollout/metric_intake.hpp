#pragma once
/// \file
/// From the samples of one metric to what an interval has of it; inside the library only. The rules, and what each keeps
/// from going wrong: docs/concepts/intake.md.

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <serinus/core/reason.hpp>
#include <serinus/rollout/batch.hpp>
#include <serinus/rollout/monitor_state.hpp>
#include <serinus/rollout/plan.hpp>

#include "rollout/apart.hpp"
#include "rollout/interval.hpp"
#include "rollout/observation_intake.hpp"
#include "rollout/stage_clock.hpp"

namespace serinus {
inline namespace v0 {
namespace detail {

/// How samples that came were taken; told in `Telemetry`.
struct SampleCounts {
    std::int64_t late = 0, repeated = 0, conflicts = 0;
};

/// Takes the samples of a metric's series in any order, and gives what each closed interval has of them.
///
/// A metric has roles: the part and the whole of a count, or the one series of a gauge. For each role every series of an
/// arm is followed by itself, and what they bring is summed. Counters of one instance are taken up to a *cut*, a time at
/// which all its roles were sampled, so that part and whole are of the same requests; what lies behind the last cut of
/// an interval stays for the next one.
class MetricIntake {
  public:
    /// Whether an instance is warming up again.
    using Excused = std::function<bool(Arm, const std::string& instance)>;

    /// `tells_load`: the totals of each instance are told besides, for gauges that look at them.
    MetricIntake(const Plan& plan, const Metric& metric, bool tells_load);

    /// Whether it takes many observations an interval.
    bool observes() const { return observations_.has_value(); }
    /// Raises `serinus.data.bucket` (`require_bucket`).
    void check(const Batch& batch) const;
    /// Takes the series, for each of its roles in the metric.
    void take(const ArmSeries& series, const StageClock& clock, SampleCounts& counts);
    /// The same of a metric of many observations an interval, from all of the batch; others take nothing.
    void take_observations(const Batch& batch, const StageClock& clock, SampleCounts& counts);

    /// Whether its series tell the arms apart. If not, both arms are told the same: all that there is.
    bool has_arms() const { return metric_.arm == MetricArm::both; }
    std::optional<std::int64_t> first_of_canary_ms() const;
    /// The first moment, from `from_ms` on, that a waiting sample tells of; and the last of all.
    std::optional<std::int64_t> first_waiting_ms(std::optional<std::int64_t> from_ms) const;
    std::optional<std::int64_t> last_waiting_ms() const;

    /// Lets go of what belongs before a moment, but for what counters remember. Until the rollout has `begun`, what has
    /// no arms keeps what it will be compared with.
    void pass_over(std::int64_t from_ms, bool begun = true);
    /// Adds what belongs into [from, to) to the interval; what belongs before is passed over. `warming`: the interval is
    /// not judged, and nothing of it is kept for later ones.
    void close(Interval& interval, const Excused& excused, bool warming);

    /// A stage begins: what waits for another arm is of the stage before, and counts of events are the stage's.
    void enter_stage();

    /// What of the data stands in the way, in a stage of so many intervals that are over at `now_ms`. `harmful`: only
    /// what can make harm out of nothing, and so forbids to roll back as well.
    std::vector<Reason> obstacles(std::int64_t intervals, std::int64_t now_ms, bool harmful) const;
    /// How the data were understood.
    std::vector<Reason> notes() const;
    /// Between two cuts on average, of the arm whose are farther apart.
    std::int64_t spacing_ms() const {
        return observations_ ? observations_->spacing_ms() : std::max(kept_.spacing_ms[0], kept_.spacing_ms[1]);
    }
    /// Series of the metric that nobody has had so far.
    std::vector<std::string> unseen() const;

    MetricIntakeState state() const;
    /// Raises `serinus.state.invariant` for a state that cannot be; the object is of no use then.
    void restore(const MetricIntakeState& state);
    /// Takes over what versions before 4 remembered of a series.
    void restore_former(const TrackState& track);

  private:
    struct Sample {
        double value = 0;
        std::int64_t start_ms = 0;  // 0: not said
    };
    struct Track {
        SeriesTrackState kept;  // without what waits
        CounterFollower counter;
        std::map<std::pair<std::int64_t, std::int64_t>, Sample> waiting;  // by time and replica
        // of the interval that is being closed
        double brought = 0;
        std::int64_t samples = 0;
        std::uint64_t sequence = 0;
    };
    using Key = std::tuple<int, Arm, std::string, std::string>;  // role, arm, instance, labels
    /// The series of one instance; of a whole arm where the parts do not name the instances of the whole.
    struct Unit {
        UnitState* kept = nullptr;
        std::vector<Track*> part, whole;
    };
    using Units = std::map<std::string, Unit>;
    /// Which series belong together, until there is another one. A copy finds out by itself.
    struct UnitsOfArms {
        std::array<Units, 2> arms;
        bool known = false;
        UnitsOfArms() = default;
        UnitsOfArms(const UnitsOfArms&) {}
        UnitsOfArms(UnitsOfArms&&) noexcept = default;
        UnitsOfArms& operator=(const UnitsOfArms&) { return *this = UnitsOfArms(); }
        UnitsOfArms& operator=(UnitsOfArms&&) noexcept = default;
        ~UnitsOfArms() = default;
    };
    struct Event {
        std::int64_t time_ms = 0;
        Track* track = nullptr;
        Sample sample;
    };

    static constexpr std::array both_arms{Arm::baseline, Arm::canary};
    static constexpr std::size_t at(Arm arm) { return static_cast<std::size_t>(arm); }
    /// Sums that cannot be, and those that stand still, are given so many intervals to change: part and whole may be
    /// scraped apart.
    static constexpr std::int64_t patience = 5;

    bool counts() const { return names_.size() == 2; }
    bool is_whole(const Track& track) const { return track.kept.role == 1; }
    std::int64_t belongs(std::int64_t time_ms) const { return time_ms - (metric_.counter ? 1 : 0); }
    std::string series_text(const Track& track) const;
    bool zero_where_absent() const;

    void take(std::size_t role, const ArmSeries& series, const StageClock& clock, SampleCounts& counts);
    template <class What>
    void each_until(Track& track, std::int64_t last_ms, const What& what);
    Units& units(Arm arm);
    UnitState& unit_state(Arm arm, const std::string& instance);
    bool restarts_between(const Unit& unit, std::int64_t after_ms, std::int64_t until_ms) const;
    std::optional<std::int64_t> cut_of(Unit& unit, std::int64_t until_ms) const;
    bool began_again(std::size_t begin, std::size_t end) const;
    bool born(const Sample& sample, std::int64_t time_ms, Arm arm, double born_so_far) const;
    std::array<double, 2> take_unit(Unit& unit, Arm arm, std::int64_t cut_ms);
    void tell_requests(MetricCounts& found, const std::array<double, 2>& requests, bool baseline_heard,
                       bool canary_waits);
    void tell_load(Interval& interval, Arm arm, const std::string& instance, double whole) const;
    void tell_quotient(Interval& interval, Arm arm, const std::string& instance,
                       const std::array<double, 2>& sums) const;
    void tell_excused(Interval& interval, Arm arm, const std::string& instance) const;
    void took_as_zero(Arm arm, const std::string& instance);
    void close_counters(Interval& interval, MetricCounts& found, const Excused& excused, bool warming);
    void close_counts(Interval& interval, MetricCounts& found, const Excused& excused);
    void close_values(Interval& interval, const Excused& excused);
    void watch_steps(Track& track, double value, bool fall);
    void watch_falls(const Unit& unit, std::int64_t cut_ms);
    void watch_counts(const Unit& unit, std::int64_t time_ms);
    const Track* only_risen() const;
    std::int64_t part_silent() const;
    void watch_twins(std::int64_t time_ms);
    void happened(CounterEventState& event, const Track& track, std::int64_t time_ms, double before,
                  double after) const;
    void forget(std::int64_t before_ms);
    bool possible(const std::array<double, 2>& sums) const;

    Metric metric_;
    std::vector<std::string> names_;  // of the series, by role
    std::string values_name_;         // of what is divided
    bool tells_load_;
    std::int64_t interval_ms_;
    std::int64_t before_ms_;  // what was so long before the rollout is kept for it
    double max_falls_;
    std::map<Key, Track> tracks_;
    std::map<std::pair<Arm, std::string>, UnitState> unit_states_;
    MetricIntakeState kept_;                 // without tracks and units
    Apart<ObservationIntake> observations_;  // of a metric on quantiles, which uses nothing of what is below
    UnitsOfArms units_;
    std::vector<Event> events_;
    std::array<std::optional<std::int64_t>, 2> cut_before_{};  // of each arm, before the interval that is being closed
};

/// Hands over the samples up to a time, one collector's at a time: another one is followed when it falls silent.
template <class What>
void MetricIntake::each_until(Track& track, std::int64_t last_ms, const What& what) {
    SeriesTrackState& kept = track.kept;
    while (!track.waiting.empty() && track.waiting.begin()->first.first <= last_ms) {
        const auto [time, replica] = track.waiting.begin()->first;
        const Sample sample = track.waiting.begin()->second;
        track.waiting.erase(track.waiting.begin());
        if (kept.consumed_ms && time <= *kept.consumed_ms) continue;
        if (replica != kept.followed) {
            const std::int64_t silence = std::max(interval_ms_, 5 * kept.spacing_ms / 2);
            if (kept.followed >= 0 && kept.consumed_ms && time - *kept.consumed_ms <= silence) continue;
            kept.followed = replica;
        } else if (kept.consumed_ms) {
            kept.spacing_ms = time - *kept.consumed_ms;
        }
        kept.consumed_ms = time;
        std::uint64_t next = std::bit_cast<std::uint64_t>(sample.value) ^ static_cast<std::uint64_t>(time);
        next *= 0x9E3779B97F4A7C15U;
        track.sequence = (track.sequence ^ next) * 0xBF58476D1CE4E5B9U + 1;
        what(time, sample);
    }
}

}  // namespace detail
}  // namespace v0
}  // namespace serinus
