#pragma once
/// \file
/// All that a Monitor remembers, as plain data.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <serinus/core/reason.hpp>
#include <serinus/core/state.hpp>
#include <serinus/core/text.hpp>
#include <serinus/core/words.hpp>
#include <serinus/sequential/paired.hpp>
#include <serinus/sequential/proportion.hpp>
#include <serinus/sequential/rate.hpp>
#include <serinus/sequential/rotation.hpp>
#include <serinus/sequential/silence.hpp>
#include <serinus/sequential/start_mixture.hpp>
#include <serinus/sequential/threshold.hpp>
#include <serinus/series/counter.hpp>
#include <serinus/series/counter_follower.hpp>
#include <serinus/slo/alerts.hpp>
#include <serinus/slo/burn_rate.hpp>
#include <serinus/slo/excess_sequence.hpp>

namespace serinus {
inline namespace v0 {

/// What versions before 4 kept of one series of one instance: samples not judged yet, and where it was left off.
struct TrackState {
    static constexpr std::string_view kind = "trck";
    static constexpr std::int64_t version = 1;

    std::string name;
    Arm arm = Arm::baseline;
    std::string instance;
    std::vector<std::int64_t> times_ms;
    std::vector<double> values;
    std::optional<std::int64_t> consumed_ms;  // the newest sample that was judged or passed over
    CounterState counter;                     // of a cumulative series

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("name", self.name);
        visit("arm", self.arm);
        visit("instance", self.instance);
        visit("times_ms", self.times_ms);
        visit("values", self.values);
        visit("consumed_ms", self.consumed_ms);
        visit("counter", self.counter);
    }
};
static_assert(described_whole<TrackState>());

/// What is kept of one series of a metric: samples that wait, and where it was left off.
struct SeriesTrackState {
    static constexpr std::string_view kind = "strk";
    static constexpr std::int64_t version = 1;

    std::int64_t role = 0;
    Arm arm = Arm::baseline;
    std::string instance;
    std::string labels;
    std::vector<std::string> replicas;   // that it came through, in the order of their first sample
    std::vector<std::int64_t> times_ms;  // of samples that wait
    std::vector<std::int64_t> replica;   // of each
    std::vector<double> values;
    std::vector<std::int64_t> starts_ms;       // 0: not said
    std::optional<std::int64_t> consumed_ms;   // the newest sample that was judged or passed over
    std::int64_t followed = 0;                 // replica
    std::int64_t spacing_ms = 0;               // between the last two samples of it
    CounterFollowerState counter;              // of a cumulative series
    double last = 0;                           // value
    std::int64_t rising = 0, rose_before = 0;  // values running that rise, and those before a fall
    std::int64_t descents = 0, steps = 0;      // the last 20 steps, a bit each; how many there were
    std::string twin;                          // a series that brought the same for so many intervals
    std::int64_t twin_intervals = 0, twin_changes = 0;
    double twin_last = 0;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("role", self.role);
        visit("arm", self.arm);
        visit("instance", self.instance);
        visit("labels", self.labels);
        visit("replicas", self.replicas);
        visit("times_ms", self.times_ms);
        visit("replica", self.replica);
        visit("values", self.values);
        visit("starts_ms", self.starts_ms);
        visit("consumed_ms", self.consumed_ms);
        visit("followed", self.followed);
        visit("spacing_ms", self.spacing_ms);
        visit("counter", self.counter);
        visit("last", self.last);
        visit("rising", self.rising);
        visit("rose_before", self.rose_before);
        visit("descents", self.descents);
        visit("steps", self.steps);
        visit("twin", self.twin);
        visit("twin_intervals", self.twin_intervals);
        visit("twin_changes", self.twin_changes);
        visit("twin_last", self.twin_last);
    }
};
static_assert(described_whole<SeriesTrackState>());

/// What is kept of one instance's counters together.
struct UnitState {
    static constexpr std::string_view kind = "unit";
    static constexpr std::int64_t version = 2;
    static constexpr std::int64_t oldest = 1;
    static constexpr std::int64_t since(std::string_view field) { return field == "waits" ? 2 : 1; }

    Arm arm = Arm::baseline;
    std::string instance;
    std::optional<std::int64_t> cut_ms;        // up to where it is taken
    std::optional<std::int64_t> restarted_ms;  // when its process was first seen to have begun again
    std::optional<std::int64_t> first_ms;      // the first sample of its total
    std::optional<std::int64_t> total_ms;      // the newest sample of its total that was taken
    bool common = false;                       // its series have been sampled at one time
    std::array<double, 2> waits{};             // by role: of what is divided, counted and not judged yet

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("arm", self.arm);
        visit("instance", self.instance);
        visit("cut_ms", self.cut_ms);
        visit("restarted_ms", self.restarted_ms);
        visit("first_ms", self.first_ms);
        visit("total_ms", self.total_ms);
        visit("common", self.common);
        visit("waits", self.waits);
    }
};
static_assert(described_whole<UnitState>());

/// Something that befell a counter in the stage, and how often.
struct CounterEventState {
    static constexpr std::string_view kind = "cevt";
    static constexpr std::int64_t version = 1;

    std::int64_t count = 0;
    std::string series;  // the last one's
    Arm arm = Arm::baseline;
    std::int64_t time_ms = 0;
    double before = 0, after = 0;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("count", self.count);
        visit("series", self.series);
        visit("arm", self.arm);
        visit("time_ms", self.time_ms);
        visit("before", self.before);
        visit("after", self.after);
    }
};
static_assert(described_whole<CounterEventState>());

/// How many observations lie between bounds: a part each below, between and above them.
struct PartitionState {
    static constexpr std::string_view kind = "part";
    static constexpr std::int64_t version = 1;

    std::vector<double> bounds, counts;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("bounds", self.bounds);
        visit("counts", self.counts);
    }
};
static_assert(described_whole<PartitionState>());

/// What is kept of one histogram, or of one series of observations.
struct ObservationTrackState {
    static constexpr std::string_view kind = "otrk";
    static constexpr std::int64_t version = 2;
    static constexpr std::int64_t since(std::string_view field) { return field.starts_with("twin") ? 2 : 1; }

    Arm arm = Arm::baseline;
    std::string instance;
    std::string labels;
    std::vector<std::string> replicas;
    std::vector<std::int64_t> times_ms, replica, starts_ms, delta;  // of samples that wait; 1: since the one before
    std::vector<std::vector<double>> bounds, counts;  // of each; of observations the values are the counts
    std::optional<std::int64_t> consumed_ms;
    std::int64_t followed = 0, spacing_ms = 0;
    CounterFollowerState counter;  // of all observations
    PartitionState last;           // of a cumulative histogram
    double total = 0;              // of the last sample
    std::int64_t rising = 0;       // samples running
    std::string twin;              // a series that brought the same for so many intervals
    std::int64_t twin_intervals = 0, twin_changes = 0;
    double twin_last = 0;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("arm", self.arm);
        visit("instance", self.instance);
        visit("labels", self.labels);
        visit("replicas", self.replicas);
        visit("times_ms", self.times_ms);
        visit("replica", self.replica);
        visit("starts_ms", self.starts_ms);
        visit("delta", self.delta);
        visit("bounds", self.bounds);
        visit("counts", self.counts);
        visit("consumed_ms", self.consumed_ms);
        visit("followed", self.followed);
        visit("spacing_ms", self.spacing_ms);
        visit("counter", self.counter);
        visit("last", self.last);
        visit("total", self.total);
        visit("rising", self.rising);
        visit("twin", self.twin);
        visit("twin_intervals", self.twin_intervals);
        visit("twin_changes", self.twin_changes);
        visit("twin_last", self.twin_last);
    }
};
static_assert(described_whole<ObservationTrackState>());

/// What of a metric's observations came in: the state of an ObservationIntake.
struct ObservationIntakeState {
    static constexpr std::string_view kind = "obin";
    static constexpr std::int64_t version = 2;
    static constexpr std::int64_t since(std::string_view field) { return field.starts_with("twin") ? 2 : 1; }

    std::vector<ObservationTrackState> tracks;
    std::array<PartitionState, 2> waiting;  // by arm: counted, and not judged yet
    std::array<bool, 2> news{};
    std::optional<std::int64_t> first_ms;
    std::array<std::optional<std::int64_t>, 2> cut_ms{};  // the newest sample that was taken, of each arm
    std::array<std::int64_t, 2> spacing_ms{};
    double largest_rate = 0;
    bool begins = true;
    CounterEventState births, restarts, dips, lost, changed, looked, empty, not_numbers;
    std::vector<std::int64_t> lost_ms;
    std::optional<std::int64_t> looked_ms, empty_ms;
    std::optional<std::int64_t> twin_ms;  // two series were one then
    CounterEventState twin;
    std::string twin_other;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("tracks", self.tracks);
        visit("waiting", self.waiting);
        visit("news", self.news);
        visit("first_ms", self.first_ms);
        visit("cut_ms", self.cut_ms);
        visit("spacing_ms", self.spacing_ms);
        visit("largest_rate", self.largest_rate);
        visit("begins", self.begins);
        visit("births", self.births);
        visit("restarts", self.restarts);
        visit("dips", self.dips);
        visit("lost", self.lost);
        visit("changed", self.changed);
        visit("looked", self.looked);
        visit("empty", self.empty);
        visit("not_numbers", self.not_numbers);
        visit("lost_ms", self.lost_ms);
        visit("looked_ms", self.looked_ms);
        visit("empty_ms", self.empty_ms);
        visit("twin_ms", self.twin_ms);
        visit("twin", self.twin);
        visit("twin_other", self.twin_other);
    }
};
static_assert(described_whole<ObservationIntakeState>());

/// What of a metric's data came in: the state of a MetricIntake.
struct MetricIntakeState {
    static constexpr std::string_view kind = "mtin";
    static constexpr std::int64_t version = 3;
    static constexpr std::int64_t oldest = 2;  // the JSON of 1, which was in no release, lost events
    static constexpr std::int64_t since(std::string_view field) { return field == "observations" ? 3 : 2; }

    std::vector<SeriesTrackState> tracks;
    std::vector<UnitState> units;
    std::array<bool, 2> lives{};                            // a series of the role was seen, in either arm
    std::array<std::optional<std::int64_t>, 2> cut_ms{};    // the newest, of each arm
    std::array<std::optional<std::int64_t>, 2> moved_ms{};  // the newest at which the whole had grown
    std::array<std::int64_t, 2> moves{}, moved_for_ms{};    // how often, and in which time
    std::array<std::int64_t, 2> spacing_ms{};               // between two of them, on average
    std::optional<std::int64_t> first_ms;                   // the first sample that was seen
    double largest_rate = 0;                                // of one instance's total, a millisecond
    std::array<std::array<double, 2>, 2> sums{};            // by arm and role: counted, and not judged yet
    std::array<bool, 2> news{};
    std::int64_t doubtful_cuts = 0;
    std::array<std::int64_t, 2> still{};  // closed intervals in which an arm was heard, and its whole stood still
    std::array<double, 2> requests{};     // that the watch on the split has not been told
    bool baseline_heard = false;          // since it was
    bool begins = true;                   // a stage does: what belongs before its first interval is passed over
    CounterEventState births, restarts, dips, lost;
    std::vector<std::int64_t> lost_ms;      // when, the last 64
    std::array<std::int64_t, 2> absent{};   // intervals in which an arm's part was taken as zero
    std::string absent_instance;            // the last one of an arm that has it elsewhere
    std::optional<std::int64_t> looked_ms;  // when a series last looked like what it should not be
    CounterEventState looked;
    std::optional<std::int64_t> twin_ms;
    CounterEventState twin;
    std::string twin_other;
    std::optional<ObservationIntakeState> observations;  // of a metric of many observations an interval

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("tracks", self.tracks);
        visit("units", self.units);
        visit("lives", self.lives);
        visit("cut_ms", self.cut_ms);
        visit("moved_ms", self.moved_ms);
        visit("moves", self.moves);
        visit("moved_for_ms", self.moved_for_ms);
        visit("spacing_ms", self.spacing_ms);
        visit("first_ms", self.first_ms);
        visit("largest_rate", self.largest_rate);
        visit("sums", self.sums);
        visit("news", self.news);
        visit("doubtful_cuts", self.doubtful_cuts);
        visit("still", self.still);
        visit("requests", self.requests);
        visit("baseline_heard", self.baseline_heard);
        visit("begins", self.begins);
        visit("births", self.births);
        visit("restarts", self.restarts);
        visit("dips", self.dips);
        visit("lost", self.lost);
        visit("lost_ms", self.lost_ms);
        visit("absent", self.absent);
        visit("absent_instance", self.absent_instance);
        visit("looked_ms", self.looked_ms);
        visit("looked", self.looked);
        visit("twin_ms", self.twin_ms);
        visit("twin", self.twin);
        visit("twin_other", self.twin_other);
        visit("observations", self.observations);
    }
};
static_assert(described_whole<MetricIntakeState>());

/// The tests of one metric.
template <class TestState>
struct TestsState {
    static constexpr std::string_view kind = "test";
    static constexpr std::int64_t version = 1;

    sequential::StartMixtureState<TestState> harm;
    TestState stage;
    std::optional<TestState> detect;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("harm", self.harm);
        visit("stage", self.stage);
        visit("detect", self.detect);
    }
};

static_assert(described_whole<TestsState<sequential::ProportionState>>());

/// The last readings of one instance of a gauge, the oldest first.
struct UsualLevelState {
    static constexpr std::string_view kind = "ulev";
    static constexpr std::int64_t version = 1;

    Arm arm = Arm::baseline;
    std::string instance;
    std::vector<double> readings;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("arm", self.arm);
        visit("instance", self.instance);
        visit("readings", self.readings);
    }
};
static_assert(described_whole<UsualLevelState>());

/// The watch on a gauge's spikes.
struct SpikeState {
    static constexpr std::string_view kind = "spik";
    static constexpr std::int64_t version = 1;

    sequential::StartMixtureState<sequential::ProportionState> harm;
    sequential::ProportionState safe;
    std::vector<UsualLevelState> levels;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("harm", self.harm);
        visit("safe", self.safe);
        visit("levels", self.levels);
    }
};
static_assert(described_whole<SpikeState>());

/// What a gauge's stage knows of one instance.
struct InstanceState {
    static constexpr std::string_view kind = "inst";
    static constexpr std::int64_t version = 1;

    std::string name;
    std::int64_t first_ms = 0;  // the first interval that it was seen in
    std::int64_t seen = 0, zeros = 0;
    bool counted = false;  // takes part, of the baseline
    bool left = false;     // and no longer does

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("name", self.name);
        visit("first_ms", self.first_ms);
        visit("seen", self.seen);
        visit("zeros", self.zeros);
        visit("counted", self.counted);
        visit("left", self.left);
    }
};
static_assert(described_whole<InstanceState>());

/// How a gauge stands between its instances.
struct InstancesState {
    static constexpr std::string_view kind = "ists";
    static constexpr std::int64_t version = 1;

    std::optional<bool> chosen;  // the rotation test judges; empty: it is not settled yet
    bool only_one = false;
    std::vector<std::int64_t> stays;  // that are over, by stage
    double carried = 0;
    std::array<std::vector<InstanceState>, 2> instances;
    std::int64_t intervals = 0;
    std::array<std::vector<std::vector<double>>, 2> waiting;
    double zero = 0;
    std::array<double, 2> requests{}, requesting{};
    double n = 0;
    std::array<double, 2> sums{};
    std::int64_t impossible = 0;
    std::optional<sequential::RotationState> harm, stage, detect;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("chosen", self.chosen);
        visit("only_one", self.only_one);
        visit("stays", self.stays);
        visit("carried", self.carried);
        visit("instances", self.instances);
        visit("intervals", self.intervals);
        visit("waiting", self.waiting);
        visit("zero", self.zero);
        visit("requests", self.requests);
        visit("requesting", self.requesting);
        visit("n", self.n);
        visit("sums", self.sums);
        visit("impossible", self.impossible);
        visit("harm", self.harm);
        visit("stage", self.stage);
        visit("detect", self.detect);
    }
};
static_assert(described_whole<InstancesState>());

/// How a metric on quantiles stands.
struct QuantilesState {
    static constexpr std::string_view kind = "qtls";
    static constexpr std::int64_t version = 1;

    std::vector<double> thresholds;    // the baseline's quantiles, one a quantile; none before they are known
    std::vector<std::int64_t> tested;  // of each quantile: it has tests
    std::vector<TestsState<sequential::ThresholdState>> tests;  // of those that have
    std::vector<double> nearest;         // of each quantile: the nearest bound, where none is near what is wanted
    std::vector<double> beyond_buckets;  // a quantile, and the last bound, beyond which it lies
    std::vector<sequential::ThresholdState> shape;
    double begun = 0;         // capital that began before the thresholds were known
    double log_largest = 0;   // of the mean of the e-values
    PartitionState learning;  // the baseline's first observations
    double learned_intervals = 0, learned_observations = 0;
    double intervals = 0, apart = 0;      // of the stage, and of them left out for their buckets
    std::vector<double> beyond;           // of the stage: baseline and canary beyond their thresholds, a quantile each
    std::array<double, 2> totals{};       // of the stage
    std::array<PartitionState, 2> stage;  // by arm: the stage's observations

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("thresholds", self.thresholds);
        visit("tested", self.tested);
        visit("tests", self.tests);
        visit("nearest", self.nearest);
        visit("beyond_buckets", self.beyond_buckets);
        visit("shape", self.shape);
        visit("begun", self.begun);
        visit("log_largest", self.log_largest);
        visit("learning", self.learning);
        visit("learned_intervals", self.learned_intervals);
        visit("learned_observations", self.learned_observations);
        visit("intervals", self.intervals);
        visit("apart", self.apart);
        visit("beyond", self.beyond);
        visit("totals", self.totals);
        visit("stage", self.stage);
    }
};
static_assert(described_whole<QuantilesState>());

/// The watch on how requests divide between the arms, of metrics that count the same requests.
struct TrafficState {
    static constexpr std::string_view kind = "trfc";
    static constexpr std::int64_t version = 1;

    sequential::SilenceState silence;
    std::vector<double> above, below;          // masses of the two ends of what the canary may have
    std::int64_t starts = 0, since_start = 0;  // of their evidence, and intervals since the last one
    double spent = 0;                          // capital that has begun
    double log_largest = 0;
    std::vector<std::int64_t> told_ms;  // since when which share was told, as far as it still matters
    std::vector<double> told;
    double waiting = 0;                              // the baseline's requests that silence counts next
    std::vector<double> baseline, canary, expected;  // the last intervals, the oldest first
    std::int64_t silent = 0;                         // intervals since the canary's last request
    std::optional<std::int64_t> since_ms;            // the end of its interval, or the watch's beginning

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("silence", self.silence);
        visit("above", self.above);
        visit("below", self.below);
        visit("starts", self.starts);
        visit("since_start", self.since_start);
        visit("spent", self.spent);
        visit("log_largest", self.log_largest);
        visit("told_ms", self.told_ms);
        visit("told", self.told);
        visit("waiting", self.waiting);
        visit("baseline", self.baseline);
        visit("canary", self.canary);
        visit("expected", self.expected);
        visit("silent", self.silent);
        visit("since_ms", self.since_ms);
    }
};
static_assert(described_whole<TrafficState>());

/// The first counts of a stage that cannot be.
struct ImpossibleState {
    std::int64_t code = 0;
    Arm arm = Arm::baseline;
    double value = 0, of = 0;
    std::int64_t time_ms = 0;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("code", self.code);
        visit("arm", self.arm);
        visit("value", self.value);
        visit("of", self.of);
        visit("time_ms", self.time_ms);
    }
};
static_assert(described_whole<ImpossibleState>());

/// The last 20 intervals of a metric, a bit each, the newest lowest.
struct RecentState {
    static constexpr std::string_view kind = "rcnt";
    static constexpr std::int64_t version = 1;

    std::array<std::int64_t, 2> missing{};
    std::int64_t unpaired = 0, impossible = 0, used = 0;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("missing", self.missing);
        visit("unpaired", self.unpaired);
        visit("impossible", self.impossible);
        visit("used", self.used);
    }
};
static_assert(described_whole<RecentState>());

/// What a gauge under a margin with a floor has seen; a part of MetricState.
struct FlooredState {
    double level = 0;              // of the baseline, by the intervals before this one
    double n = 0;                  // how many these are
    std::array<double, 2> sums{};  // of the arms' values in this stage
    double in_stage = 0;           // how many of them

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("level", self.level);
        visit("n", self.n);
        visit("sums", self.sums);
        visit("in_stage", self.in_stage);
    }
};
static_assert(described_whole<FlooredState>());

/// What the baseline of a metric did in the last intervals.
struct BaselineState {
    static constexpr std::string_view kind = "base";
    static constexpr std::int64_t version = 1;

    std::vector<double> parts, wholes;  // of the window's intervals, the oldest first
    std::int64_t recent = 0;            // the last 20 intervals, a bit each, the newest lowest: outside its range
    double level = 0;                   // the last mean outside it

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("parts", self.parts);
        visit("wholes", self.wholes);
        visit("recent", self.recent);
        visit("level", self.level);
    }
};
static_assert(described_whole<BaselineState>());

/// How a metric without arms stands.
struct BeforeAfterState {
    static constexpr std::string_view kind = "bfaf";
    static constexpr std::int64_t version = 1;

    bool began = false;                               // what was before is complete
    std::vector<double> before_parts, before_wholes;  // by interval, the oldest first
    std::vector<double> parts, wholes;                // of the last intervals after the start
    double after = 0;                                 // intervals after the start, those without data included
    double highest = 0, lowest = 0;           // the largest distance from the level before, and this stage's smallest
    bool heard = false, heard_stage = false;  // whether there is one
    double stage_part = 0, stage_whole = 0, stage_intervals = 0;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("began", self.began);
        visit("before_parts", self.before_parts);
        visit("before_wholes", self.before_wholes);
        visit("parts", self.parts);
        visit("wholes", self.wholes);
        visit("after", self.after);
        visit("highest", self.highest);
        visit("lowest", self.lowest);
        visit("heard", self.heard);
        visit("heard_stage", self.heard_stage);
        visit("stage_part", self.stage_part);
        visit("stage_whole", self.stage_whole);
        visit("stage_intervals", self.stage_intervals);
    }
};
static_assert(described_whole<BeforeAfterState>());

/// How one metric stands.
struct MetricState {
    static constexpr std::string_view kind = "metr";
    static constexpr std::int64_t version = 7;
    static constexpr std::int64_t oldest = 2;
    static constexpr std::int64_t since(std::string_view field) {
        if (field == "quantiles" || field == "baseline" || field == "before_after") return 7;
        if (field == "floored") return 6;
        if (field == "rate") return 5;
        if (field == "recent" || field == "first_impossible" || field == "waiting" || field == "bridged" ||
            field == "quiet") {
            return 4;
        }
        return field == "spikes" || field == "failed_spikes" || field == "failed_baseline" || field == "instances" ? 3
                                                                                                                   : 2;
    }

    std::optional<TestsState<sequential::ProportionState>> counts;  // exactly one of the four
    std::optional<TestsState<sequential::PairedState>> gauge;
    bool failed = false;
    bool failed_down = false;
    double failed_bound = 0;
    std::int64_t failed_after_ms = 0;
    bool passed = false;
    std::int64_t intervals = 0;
    std::int64_t used = 0;
    std::array<std::int64_t, 2> missing{};
    std::int64_t unpaired = 0;
    std::int64_t impossible = 0;
    std::optional<std::int64_t> last_used_ms;
    std::optional<SpikeState> spikes;         // of a gauge whose plan has their noise; of before version 3: none yet
    bool failed_spikes = false;               // it is by its spikes that it failed
    double failed_baseline = 0;               // the baseline's share of them then
    std::optional<InstancesState> instances;  // of a gauge; empty: the state of a version that knew nothing of them
    RecentState recent;
    std::optional<ImpossibleState> first_impossible;
    std::int64_t waiting = 0, bridged = 0;  // intervals that wait for one with news of both arms, and that did
    std::array<std::int64_t, 2> quiet{};    // of those that wait: without any of an arm
    std::optional<TestsState<sequential::RateState>> rate;
    std::optional<FlooredState> floored;  // of a gauge whose margin has a floor
    std::optional<QuantilesState> quantiles;
    std::optional<BaselineState> baseline;         // where the plan knows its range
    std::optional<BeforeAfterState> before_after;  // of a metric without arms, which has no other tests

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("counts", self.counts);
        visit("gauge", self.gauge);
        visit("failed", self.failed);
        visit("failed_down", self.failed_down);
        visit("failed_bound", self.failed_bound);
        visit("failed_after_ms", self.failed_after_ms);
        visit("passed", self.passed);
        visit("intervals", self.intervals);
        visit("used", self.used);
        visit("missing", self.missing);
        visit("unpaired", self.unpaired);
        visit("impossible", self.impossible);
        visit("last_used_ms", self.last_used_ms);
        visit("spikes", self.spikes);
        visit("failed_spikes", self.failed_spikes);
        visit("failed_baseline", self.failed_baseline);
        visit("instances", self.instances);
        visit("recent", self.recent);
        visit("first_impossible", self.first_impossible);
        visit("waiting", self.waiting);
        visit("bridged", self.bridged);
        visit("quiet", self.quiet);
        visit("rate", self.rate);
        visit("floored", self.floored);
        visit("quantiles", self.quantiles);
        visit("baseline", self.baseline);
        visit("before_after", self.before_after);
    }
};
static_assert(described_whole<MetricState>());

/// How far an objective has come; a part of SloState.
struct SloProgressState {
    double service_events = 0;   // of both arms, over all stages
    double canary_share = 0;     // the canary's events over its share of the traffic, summed
    std::int64_t intervals = 0;  // that were judged, over all stages
    bool halted = false, exceeded = false;
    double proven = 0;  // the share's lower bound when it was exceeded
    std::int64_t failed_after_ms = 0;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("service_events", self.service_events);
        visit("canary_share", self.canary_share);
        visit("intervals", self.intervals);
        visit("halted", self.halted);
        visit("exceeded", self.exceeded);
        visit("proven", self.proven);
        visit("failed_after_ms", self.failed_after_ms);
    }
};
static_assert(described_whole<SloProgressState>());

/// How one objective stands.
struct SloState {
    static constexpr std::string_view kind = "slor";
    static constexpr std::int64_t version = 2;

    sequential::StartMixtureState<sequential::ProportionState> halt;
    slo::ExcessState excess;
    slo::BurnRateState judged_burn, canary_burn, service_burn;  // of the canary's judged intervals, of all of its, both
    slo::AlertsState canary, service;
    SloProgressState progress;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("halt", self.halt);
        visit("excess", self.excess);
        visit("judged_burn", self.judged_burn);
        visit("canary_burn", self.canary_burn);
        visit("service_burn", self.service_burn);
        visit("canary", self.canary);
        visit("service", self.service);
        visit("progress", self.progress);
    }
};
static_assert(described_whole<SloState>());

/// An instance that is warming up again.
struct RestartState {
    static constexpr std::string_view kind = "rest";
    static constexpr std::int64_t version = 1;

    Arm arm = Arm::baseline;
    std::string instance;
    std::int64_t at_ms = 0;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("arm", self.arm);
        visit("instance", self.instance);
        visit("at_ms", self.at_ms);
    }
};
static_assert(described_whole<RestartState>());

/// Where a rollout stands in time: what the StageClock of a Monitor remembers.
struct StageClockState {
    std::int64_t stage = 0;                // index of the one that runs
    std::optional<std::int64_t> start_ms;  // of the stage
    std::optional<std::int64_t> told_ms;   // when the caller said that it began
    std::int64_t next = 0;                 // index of the first interval of the stage that is not judged yet
    std::vector<std::int64_t> starts;      // start times used up, one a stage
    std::optional<std::int64_t> now_ms;
    std::optional<std::int64_t> watch_ms;  // the first time that was ever told
    double reached_ms = 0;                 // traffic x time of the stages before

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("stage", self.stage);
        visit("start_ms", self.start_ms);
        visit("told_ms", self.told_ms);
        visit("next", self.next);
        visit("starts", self.starts);
        visit("now_ms", self.now_ms);
        visit("watch_ms", self.watch_ms);
        visit("reached_ms", self.reached_ms);
    }
};
static_assert(described_whole<StageClockState>());

/// What is decided for ever.
struct LatchState {
    bool rolled_back = false;
    std::optional<std::int64_t> together_after_ms;  // when all metrics together proved harm, since its stage's start
    double together_log = 0;                        // log of the mean of their e-values then
    std::vector<std::int64_t> policy;               // codes of policy reasons that rolled it back
    double policy_seconds = 0;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("rolled_back", self.rolled_back);
        visit("together_after_ms", self.together_after_ms);
        visit("together_log", self.together_log);
        visit("policy", self.policy);
        visit("policy_seconds", self.policy_seconds);
    }
};
static_assert(described_whole<LatchState>());

/// What a reader said of data that were left aside.
struct NoteState {
    std::int64_t code = 0;
    std::vector<NamedNumber> numbers;
    std::vector<NamedText> texts;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("code", self.code);
        visit("numbers", self.numbers);
        visit("texts", self.texts);
    }
};
static_assert(described_whole<NoteState>());

/// What has come in: what the Intake of a Monitor remembers. The counts are
/// told in `Telemetry`.
struct IntakeState {
    std::vector<RestartState> restarts;
    std::array<std::optional<std::int64_t>, 2> newest_ms{};
    std::int64_t intervals = 0;
    std::int64_t used = 0;
    std::array<std::int64_t, 2> missing{};
    std::int64_t late = 0;
    std::int64_t repeated = 0;
    std::int64_t conflicts = 0;
    std::int64_t ignored = 0;
    std::vector<NoteState> notes;
    std::vector<std::string> ignored_names;  // of series that the plan does not know
    std::vector<MetricIntakeState> series;   // by metric

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("restarts", self.restarts);
        visit("newest_ms", self.newest_ms);
        visit("intervals", self.intervals);
        visit("used", self.used);
        visit("missing", self.missing);
        visit("late", self.late);
        visit("repeated", self.repeated);
        visit("conflicts", self.conflicts);
        visit("ignored", self.ignored);
        visit("notes", self.notes);
        visit("ignored_names", self.ignored_names);
        visit("series", self.series);
    }
};
static_assert(described_whole<IntakeState>());

/// The states of a Monitor's rooms. The members of `clock`, `latch` and `intake` are described as its own, so that bytes
/// and `since` know them by name.
struct MonitorState {
    static constexpr std::string_view kind = "moni";
    static constexpr std::int64_t version = 6;
    static constexpr std::int64_t oldest = 2;
    static constexpr std::int64_t since(std::string_view field) {
        if (field == "reached_ms") return 6;
        if (field == "plan_keys") return 5;
        if (field == "notes" || field == "ignored_names" || field == "series" || field == "traffic") return 4;
        return field.starts_with("together") ? 3 : 2;
    }

    std::string plan_digest;
    std::vector<std::string> plan_keys;  // "alpha 5f0c1b9e2a774d31": the digest of each key of the plan
    StageClockState clock;
    LatchState latch;
    std::vector<TrackState> tracks;  // of versions before 4
    std::vector<MetricState> metrics;
    std::vector<SloState> slo;
    IntakeState intake;
    std::vector<TrafficState> traffic;  // by total that is watched

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("plan_digest", self.plan_digest);
        visit("plan_keys", self.plan_keys);
        StageClockState::describe(visit, self.clock);
        LatchState::describe(visit, self.latch);
        visit("tracks", self.tracks);
        visit("metrics", self.metrics);
        visit("slo", self.slo);
        IntakeState::describe(visit, self.intake);
        visit("traffic", self.traffic);
    }
};
static_assert(detail::has_members<
                  MonitorState, described_names<MonitorState>().size() + 3 - described_names<StageClockState>().size() -
                                    described_names<LatchState>().size() - described_names<IntakeState>().size()>(),
              "describe() does not name every member of the struct and of its three parts");

}  // namespace v0
}  // namespace serinus
