#pragma once
/// \file
/// What goes into burn rates: roles and kinds of series, and what an increase is; and what is said of them: of one
/// window at one time, and of one window at many times.

#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <utility>
#include <vector>

#include <serinus/core/describe.hpp>
#include <serinus/core/words.hpp>

namespace serinus {
inline namespace v0 {
namespace slo {

/// What a series counts: the events that were bad, those that were good, or all.
enum class Role : std::uint8_t { bad = 1, good = 2, total = 3 };

/// What the values of a series of events are: a cumulative counter, which may begin again at 0, or deltas, each the
/// number of events since the sample before it (counts of good or bad time slices are such deltas too).
enum class SeriesKind : std::uint8_t { counter = 1, delta = 2 };

/// What "increase of a counter in the window (t - w, t]" means.
///
/// - `exact`: what was counted between two samples that were seen: the last one at or before t - w (where there is
///   none, the first one inside) and the last one at or before t. Whole counts stay whole, and windows that tile a time
///   add up to it. A fall is a restart only if it can be one (`CounterFollower`), and a series that is born while its
///   instance is watched begins at 0 (`BurnRate`). Where counters only grow or begin again, and all are there from the
///   beginning, the same as `increase(x[w] anchored)` of Prometheus 3.16 with unlimited look-back.
/// - `prometheus2`, `prometheus3`: what a Prometheus of that major version answers to `increase(x[w])`: from the
///   samples inside the window alone, at least two, stretched to the window's edges. Version 2 takes the samples of the
///   closed window [t - w, t], version 3 those of (t - w, t].
/// - `prometheus3_anchored`: what Prometheus 3.16 answers to `increase(x[w] anchored)` with its usual look-back of 5
///   minutes: as `exact`, but a sample at or before t - w - 5 min is not used as the first one.
enum class Semantics : std::uint8_t { exact = 1, prometheus2 = 2, prometheus3 = 3, prometheus3_anchored = 4 };

/// What is known of a burn rate: it has a value; there was no event to have a share of; the samples that it needs are
/// not there; or (of an alert) there were too few events to be sure.
enum class BurnStatus : std::uint8_t { ok = 1, no_traffic = 2, absent = 3, insufficient = 4 };

/// How much of the past is kept: every sample, so that any time can be asked for, or less with age (`thinned_history`),
/// so that memory is bounded and times must be asked for in order.
enum class Keep : std::uint8_t { all = 1, thinned = 2 };

}  // namespace slo

template <>
struct Words<slo::Role> {
    static constexpr std::array<std::pair<slo::Role, std::string_view>, 3> table{
        {{slo::Role::bad, "bad"}, {slo::Role::good, "good"}, {slo::Role::total, "total"}}};
};
template <>
struct Words<slo::SeriesKind> {
    static constexpr std::array<std::pair<slo::SeriesKind, std::string_view>, 2> table{
        {{slo::SeriesKind::counter, "counter"}, {slo::SeriesKind::delta, "delta"}}};
};
template <>
struct Words<slo::Semantics> {
    static constexpr std::array<std::pair<slo::Semantics, std::string_view>, 4> table{
        {{slo::Semantics::exact, "exact"},
         {slo::Semantics::prometheus2, "prometheus2"},
         {slo::Semantics::prometheus3, "prometheus3"},
         {slo::Semantics::prometheus3_anchored, "prometheus3_anchored"}}};
};
template <>
struct Words<slo::BurnStatus> {
    static constexpr std::array<std::pair<slo::BurnStatus, std::string_view>, 4> table{
        {{slo::BurnStatus::ok, "ok"},
         {slo::BurnStatus::no_traffic, "no_traffic"},
         {slo::BurnStatus::absent, "absent"},
         {slo::BurnStatus::insufficient, "insufficient"}}};
};
template <>
struct Words<slo::Keep> {
    static constexpr std::array<std::pair<slo::Keep, std::string_view>, 2> table{
        {{slo::Keep::all, "all"}, {slo::Keep::thinned, "thinned"}}};
};

namespace slo {

/// What became of the samples that were given.
struct SampleTally {
    static constexpr std::string_view kind = "tlly";
    static constexpr std::int64_t version = 2;
    static constexpr std::int64_t oldest = 1;
    static constexpr std::int64_t since(std::string_view field) { return field == "dips" ? 2 : 1; }

    std::int64_t taken = 0;        ///< all that count
    std::int64_t reordered = 0;    ///< of those: came after a later one, and were put in their place
    std::int64_t late = 0;         ///< too old for the part of the past that is still kept sample by sample: dropped
    std::int64_t duplicates = 0;   ///< the time and the value of one that counts
    std::int64_t conflicts = 0;    ///< the time of one that counts, but another value: the first one counts
    std::int64_t not_numbers = 0;  ///< NaN, among them Prometheus' staleness marker, and infinities: no sample
    std::int64_t resets = 0;       ///< how often a counter began again, among the samples that are kept
    std::int64_t dips = 0;         ///< how often one fell and cannot have begun again; `exact` alone looks at that

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("taken", self.taken);
        visit("reordered", self.reordered);
        visit("late", self.late);
        visit("duplicates", self.duplicates);
        visit("conflicts", self.conflicts);
        visit("not_numbers", self.not_numbers);
        visit("resets", self.resets);
        visit("dips", self.dips);
    }
    SampleTally& operator+=(const SampleTally& other) noexcept {
        taken += other.taken;
        reordered += other.reordered;
        late += other.late;
        duplicates += other.duplicates;
        conflicts += other.conflicts;
        not_numbers += other.not_numbers;
        resets += other.resets;
        dips += other.dips;
        return *this;
    }
    friend bool operator==(const SampleTally&, const SampleTally&) = default;
};
static_assert(described_whole<SampleTally>());

/// The burn rate of one window.
struct WindowBurn {
    std::chrono::milliseconds window{0};
    double burn = std::numeric_limits<double>::quiet_NaN();   ///< ratio / budget
    double ratio = std::numeric_limits<double>::quiet_NaN();  ///< bad / total; NaN: absent, or nothing of nothing
    double bad = std::numeric_limits<double>::quiet_NaN();    ///< events; NaN: absent
    double total = std::numeric_limits<double>::quiet_NaN();  ///< events; NaN: absent
    BurnStatus status = BurnStatus::absent;
    double coverage = 0;           ///< share of the window in which some series was sampled closely enough
    bool exact = true;             ///< what the semantics asks for, not an approximation of a thinned history
    double edge_error_events = 0;  ///< at most so many events of `total` lie before the window, where not exact
    double edge_error_bad = 0;     ///< at most so many of `bad`

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("window", self.window);
        visit("burn", self.burn);
        visit("ratio", self.ratio);
        visit("bad", self.bad);
        visit("total", self.total);
        visit("status", self.status);
        visit("coverage", self.coverage);
        visit("exact", self.exact);
        visit("edge_error_events", self.edge_error_events);
        visit("edge_error_bad", self.edge_error_bad);
    }
};
static_assert(described_whole<WindowBurn>());

/// What a burn rate is known as, given its parts.
inline BurnStatus status_of(double bad, double total) noexcept {
    if (std::isnan(bad) || std::isnan(total)) return BurnStatus::absent;
    return total == 0 ? BurnStatus::no_traffic : BurnStatus::ok;
}

/// The burn rates of one window at many times, each as a `WindowBurn` has it.
struct BurnColumn {
    std::chrono::milliseconds window{0};
    double budget = 0;
    std::vector<double> bad, total;
    std::vector<double> ratios;  ///< only where they are not bad / total: of rates, as Prometheus divides them
    std::vector<float> coverage;

    std::size_t size() const noexcept { return bad.size(); }
    double ratio(std::size_t i) const noexcept { return ratios.empty() ? bad[i] / total[i] : ratios[i]; }
    double burn(std::size_t i) const noexcept { return ratio(i) / budget; }
    BurnStatus status(std::size_t i) const noexcept { return status_of(bad[i], total[i]); }
};

/// Where the burn rates of one window at many times are written: arrays of as many numbers; null: not wanted.
struct BurnArrays {
    double* burn = nullptr;
    double* ratio = nullptr;
    double* bad = nullptr;
    double* total = nullptr;
    float* coverage = nullptr;

    /// The same from the i-th number on.
    BurnArrays from(std::size_t i) const noexcept {
        const auto later = [i](auto* array) { return array == nullptr ? array : array + i; };
        return {later(burn), later(ratio), later(bad), later(total), later(coverage)};
    }
};

}  // namespace slo
}  // namespace v0
}  // namespace serinus
