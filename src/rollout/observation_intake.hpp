#pragma once
/// \file
/// From histograms, and from single observations, to what an interval has of them; inside the library only. The rules
/// are those of counts (docs/concepts/intake.md), with a histogram in the place of a number.

#include <array>
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
#include <serinus/series/counter_follower.hpp>

#include "rollout/interval.hpp"
#include "rollout/partition.hpp"

namespace serinus {
inline namespace v0 {
namespace detail {

/// What of the samples that came was not taken.
struct ObservationCounts {
    std::int64_t late = 0, repeated = 0, conflicts = 0;
};

/// Takes the histograms of a metric in any order, and gives what each closed interval has of them.
///
/// Cumulative histograms give their increases, between the bounds that both samples know; where all observations, or
/// those of a part, are fewer than before and it can be so, the process began again. What one arm brings waits until
/// the other has something too, so that scrapes may be slower than intervals. Of single observations several may share
/// a time.
class ObservationIntake {
  public:
    using Excused = std::function<bool(Arm, const std::string& instance)>;
    /// Is the interval of such a time over?
    using Over = std::function<bool(std::int64_t time_ms)>;

    /// `all`: of cumulative histograms all that wait are kept, however many.
    ObservationIntake(const Metric& metric, std::int64_t interval_ms, bool all = false);

    /// Raises `serinus.data.bucket` for a series that has no buckets, or none that has all.
    void check(const Batch& batch) const;
    /// Takes what the batch has of the metric.
    void take(const Batch& batch, const Over& over, ObservationCounts& counts);

    std::optional<std::int64_t> first_of_canary_ms() const;
    std::optional<std::int64_t> first_waiting_ms(std::optional<std::int64_t> from_ms) const;
    std::optional<std::int64_t> last_waiting_ms() const;

    void pass_over(std::int64_t from_ms);
    /// Adds what belongs into the interval; `each` instance by itself as well, where somebody asks.
    using Each = std::function<void(Arm, const std::string& instance, const Partition& whole)>;
    void close(const Interval& interval, MetricCounts& found, const Excused& excused, bool warming,
               const Each& each = {});
    void enter_stage();

    std::vector<Reason> obstacles(std::int64_t now_ms, bool harmful) const;
    std::vector<Reason> notes() const;
    std::int64_t spacing_ms() const { return std::max(kept_.spacing_ms[0], kept_.spacing_ms[1]); }
    bool seen() const { return kept_.first_ms.has_value(); }
    std::optional<std::int64_t> first_ms() const { return kept_.first_ms; }

    ObservationIntakeState state() const;
    void restore(const ObservationIntakeState& state);

  private:
    struct Sample {
        Partition whole;  // of single observations the values stand in its counts
        std::int64_t start_ms = 0;
        bool delta = false;
    };
    struct Track {
        ObservationTrackState kept;  // without what waits, the counter and the last sample
        CounterFollower counter;
        Partition last;
        std::map<std::pair<std::int64_t, std::int64_t>, Sample> waiting;  // by time and replica
    };
    using Key = std::tuple<Arm, std::string, std::string>;  // arm, instance, labels

    bool single() const { return metric_.kind == Kind::sample; }
    std::int64_t belongs(std::int64_t time_ms) const { return time_ms - (metric_.counter ? 1 : 0); }
    Track& track(Arm arm, const std::string& instance, const std::string& labels, const std::string& replica,
                 std::int64_t& index);
    void put(Track& track, std::int64_t replica, std::int64_t time_ms, Sample sample, const Over& over,
             ObservationCounts& counts);
    template <class What>
    void each_until(Track& track, std::int64_t last_ms, const What& what);
    void follow(Track& track, std::int64_t time_ms, const Sample& sample, Partition& brought);
    /// What a series brought in an interval.
    struct Shown {
        Track* track = nullptr;
        Partition brought;
        std::int64_t newest_ms = 0;
    };
    void watch_twins(std::vector<Shown> shown, std::int64_t time_ms);
    void happened(CounterEventState& event, const Track& track, std::int64_t time_ms, double before, double after);
    std::string series_text(const Track& track) const;

    Metric metric_;
    std::int64_t interval_ms_;
    bool all_;
    std::map<Key, Track> tracks_;
    std::array<Partition, 2> waiting_;  // by arm: counted, and not judged yet
    ObservationIntakeState kept_;       // without tracks, and what waits
};

}  // namespace detail
}  // namespace v0
}  // namespace serinus
