#pragma once
/// \file
/// What one series of events has counted, for windows that end now: all of it, or thinner with age.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <serinus/core/describe.hpp>
#include <serinus/core/error.hpp>
#include <serinus/core/words.hpp>
#include <serinus/series/counter_follower.hpp>
#include <serinus/series/time.hpp>
#include <serinus/slo/burn_window.hpp>
#include <serinus/slo/detail/history_tier.hpp>
#include <serinus/slo/detail/increase.hpp>

namespace serinus {
inline namespace v0 {
namespace slo {

/// What a series counted in a window.
struct WindowIncrease {
    double increase = std::numeric_limits<double>::quiet_NaN();  ///< NaN: absent
    double rate = std::numeric_limits<double>::quiet_NaN();      ///< increase a second, as Prometheus computes it
    bool exact = true;       ///< the samples that the answer rests on are those that the semantics asks for
    double edge_events = 0;  ///< at most so many events of `increase` lie before the window; infinite: not known

    bool present() const noexcept { return increase == increase; }
};

/// How many samples of a series are at or before each of many times.
struct SamplePlaces {
    std::vector<std::size_t> counts;
    bool run = false;    ///< each is one more than the one before
    bool still = false;  ///< all are the same

    /// Finds them for `times_ms[i] - window_ms`, beginning at `place`, where the answer was before. Fastest for times
    /// in order.
    void find(const HistoryTier& tier, std::span<const std::int64_t> times_ms, std::int64_t window_ms,
              std::size_t& place) {
        counts.resize(times_ms.size());
        std::size_t next = place, moved = 0, off_run = 0;
        for (std::size_t i = 0; i < times_ms.size(); ++i) {
            const std::size_t before = next;
            next = tier.count_until(times_ms[i] - window_ms, next);
            counts[i] = next;
            if (i == 0) continue;
            moved |= next ^ before;
            off_run |= next ^ (before + 1);
        }
        run = off_run == 0;
        still = moved == 0;
        place = next;
    }
};

/// What an `EventHistory` remembers.
struct EventHistoryState {
    static constexpr std::string_view kind = "hist";
    static constexpr std::int64_t version = 2;
    static constexpr std::int64_t oldest = 1;
    static constexpr std::int64_t since(std::string_view field) { return field == "follower" ? 2 : 1; }

    SeriesKind series_kind = SeriesKind::counter;
    std::vector<HistoryTier> tiers;
    double sum = 0, compensation = 0;
    SampleTally tally;
    std::optional<CounterFollowerState> follower;  ///< of a counter that has fallen, where falls are looked at

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("series_kind", self.series_kind);
        visit("tiers", self.tiers);
        visit("sum", self.sum);
        visit("compensation", self.compensation);
        visit("tally", self.tally);
        visit("follower", self.follower);
    }
};
static_assert(described_whole<EventHistoryState>());

/// The samples of one series in order, each with what a window needs of it, and thinned with age where that was asked
/// for: the state of one side of a `BurnRate`.
///
/// With v the counter's values and L_i the sum of v_{j-1} over all resets v_j < v_{j-1}, j <= i, the increase between
/// two samples is (v_i - v_k) + (L_i - L_k): a difference of two sums, so any window costs O(1) once its first and last
/// sample are known, and whole counts stay whole below 2^53. Where falls are looked at (`follows`), v_i + L_i is what
/// `CounterFollower` has counted by then: a dip is no reset. Deltas are summed (Neumaier 1974), and their window is a
/// difference of two sums as well.
///
/// A thinned history keeps samples, not sums over buckets: what lies between two kept samples is known exactly. A
/// window is wrong only by what was counted between its true edge and the kept sample before it, which `edge_events`
/// bounds; and where no sample was left out between the two kept around the edge, as wherever the edge falls on a whole
/// bucket, the answer is `exact`.
class EventHistory {
  public:
    /// The tier that a window looks in, and where it found its edge there.
    struct Cursor {
        std::size_t tier = 0;
        std::int64_t place = 0;
    };

    /// `follows`: a fall of a counter is a reset only if it can be one; else every fall is, as in Prometheus.
    explicit EventHistory(SeriesKind kind = SeriesKind::counter, const std::vector<Resolution>& resolutions = {{}},
                          bool follows = false)
        : kind_(kind), follows_(follows && kind == SeriesKind::counter) {
        for (const Resolution& resolution : resolutions) tiers_.emplace_back().resolution = resolution;
    }

    /// Takes a sample that is later than all before it, or puts it in its place among those that are kept one by one.
    /// Returns whether it counts. Cost: O(1); a late sample costs a pass over what came after it.
    bool add(std::int64_t time_ms, double value) {
        if (!std::isfinite(value)) {
            ++tally_.not_numbers;
            return false;
        }
        const HistoryTier& raw = tiers_.front();
        if (raw.empty() || time_ms > raw.times.back()) {
            append(time_ms, value);
            return true;
        }
        return insert(time_ms, value);
    }

    /// Makes room for so many more samples.
    void reserve(std::size_t more) {
        HistoryTier& raw = tiers_.front();
        raw.times.reserve(raw.times.size() + more);
        raw.values.reserve(raw.values.size() + more);
    }

    /// Takes many samples, later than all before them and in order, of a history that keeps all: the same as `add` of
    /// each. Returns false, and takes none, where a value is no number. Cost: that of copying them.
    bool add_in_order(std::span<const std::int64_t> times_ms, std::span<const double> values) {
        HistoryTier& raw = tiers_.front();
        bool finite = true, falls = false;
        double previous = raw.empty() ? -std::numeric_limits<double>::infinity() : raw.values.back();
        for (const double value : values) {
            finite &= std::fabs(value) <= std::numeric_limits<double>::max();
            falls |= value < previous;
            previous = value;
        }
        if (!finite) return false;
        if (kind_ == SeriesKind::delta || falls || !raw.lost.empty() || follower_) {
            for (std::size_t i = 0; i < times_ms.size(); ++i) append(times_ms[i], values[i]);
            return true;
        }
        raw.times.insert(raw.times.end(), times_ms.begin(), times_ms.end());
        raw.values.insert(raw.values.end(), values.begin(), values.end());
        tally_.taken += static_cast<std::int64_t>(values.size());
        return true;
    }

    /// Lets go of what no window that ends at `now_ms` or later needs. The last sample stays, however old: what a
    /// counter shows after a silence has been counted since then.
    void evict(std::int64_t now_ms) {
        for (HistoryTier& tier : tiers_) tier.evict(now_ms);
    }

    bool empty() const noexcept { return tiers_.front().empty(); }
    SeriesKind kind() const noexcept { return kind_; }
    const SampleTally& tally() const noexcept { return tally_; }
    void set_tally(const SampleTally& tally) noexcept { tally_ = tally; }
    const std::vector<HistoryTier>& tiers() const noexcept { return tiers_; }
    const HistoryTier& raw() const noexcept { return tiers_.front(); }
    std::int64_t newest_ms() const noexcept { return raw().times.back(); }
    /// The value as it was given, of a sample that is kept one by one.
    double given_value(std::size_t i) const noexcept {
        if (kind_ == SeriesKind::counter || i == 0) return raw().values[i];
        return raw().values[i] - raw().values[i - 1];
    }

    /// The finest tier that reaches back as far as a window.
    std::size_t tier_of(std::int64_t window_ms) const noexcept {
        std::size_t tier = 0;
        while (tier + 1 < tiers_.size() && tiers_[tier].resolution.span_ms <= window_ms) ++tier;
        return tier;
    }

    /// The last sample at or before the time; its time is the least of all numbers when there is none. `hint` is where
    /// the answer was found before.
    HistorySample last_until(std::int64_t time_ms, std::int64_t& hint) const noexcept {
        const HistoryTier& raw = tiers_.front();
        if (raw.empty()) return {};
        std::size_t end = raw.end();
        if (raw.times.back() > time_ms) end = raw.count_until(time_ms, raw.index(hint));
        hint = static_cast<std::int64_t>(end) + raw.erased;
        if (end > raw.begin()) return raw.sample(end - 1);
        if (!raw.evicted) return {};
        for (std::size_t i = 1; i < tiers_.size(); ++i) {
            const std::size_t thin_end = tiers_[i].count_until(time_ms, 0);
            if (thin_end == tiers_[i].begin()) continue;
            HistorySample last = tiers_[i].sample(thin_end - 1);
            last.exact = false;
            return last;
        }
        return {.exact = false};
    }

    /// `increase` of several windows at one time with `Semantics::exact`: `found(w, increase, exact, edge_events)` for
    /// the usual case, a counter with a sample before the window, the edge not moved by more than one sample since the
    /// window's cursor was there; `unusual(w)` for the others. `thinned`: not all samples are kept.
    template <bool thinned, class Found, class Unusual>
    void exact_increases(const HistorySample& last, std::int64_t time_ms, std::span<const std::int64_t> windows_ms,
                         std::span<Cursor> cursors, const Found& found, const Unusual& unusual) const {
        const bool may_be_usual = kind_ == SeriesKind::counter && last.exact;
        std::size_t w = 0;
        while (w < windows_ms.size()) {
            const std::size_t tier_number = cursors[w].tier;
            const HistoryTier& tier = tiers_[tier_number];
            const std::int64_t* const time = tier.times.data();
            const double* const value = tier.values.data();
            const double* const lost = tier.lost.empty() ? nullptr : tier.lost.data();
            const std::int64_t* const ordinal = tier.ordinals.empty() ? nullptr : tier.ordinals.data();
            const std::int64_t first = tier.first, erased = tier.erased,
                               end = static_cast<std::int64_t>(tier.times.size());
            for (; w < windows_ms.size() && cursors[w].tier == tier_number; ++w) {
                const std::int64_t edge = time_ms - windows_ms[w];
                std::int64_t next = cursors[w].place - erased;
                bool usual =
                    may_be_usual && next > first && next < end && time[next - 1] <= edge && last.time_ms > edge;
                if (usual && time[next] <= edge) {
                    ++next;
                    usual = next < end && time[next] > edge;
                }
                if (!usual) {
                    unusual(w);
                    continue;
                }
                cursors[w].place = next + erased;
                double increase = last.value - value[next - 1];
                if (lost != nullptr) increase += last.lost - lost[next - 1];
                if (!thinned || ordinal == nullptr || ordinal[next] == ordinal[next - 1] + 1 ||
                    time[next - 1] == edge) {
                    found(w, increase, true, 0.0);
                    continue;
                }
                double edge_events = value[next] - value[next - 1];
                if (lost != nullptr) edge_events += lost[next] - lost[next - 1];
                found(w, increase, false, edge_events);
            }
        }
    }

    /// What was counted in (time - window, time], given the last sample at or before `time`. Cost: O(1) where the edge
    /// of the window has moved little since `cursor` was there.
    template <Semantics semantics>
    WindowIncrease increase(const HistorySample& last, std::int64_t time_ms, std::int64_t window_ms,
                            Cursor& cursor) const noexcept {
        const std::int64_t edge = time_ms - window_ms;
        constexpr bool closed = semantics == Semantics::prometheus2;
        WindowIncrease found;
        if (last.time_ms <= edge && (!closed || last.time_ms < edge)) return found;

        const HistoryTier* tier = &tiers_[cursor.tier];
        std::size_t next = tier->count_until(edge, tier->index(cursor.place));
        cursor.place = static_cast<std::int64_t>(next) + tier->erased;
        for (std::size_t i = cursor.tier + 1; next == tier->begin() && tier->evicted && i < tiers_.size(); ++i) {
            tier = &tiers_[i];  // the time asked for lies further back than the finer tier
            next = tier->count_until(edge, 0);
        }
        const std::size_t begin = tier->begin();
        const bool has_base = next > begin;
        const bool on_edge = has_base && tier->times[next - 1] == edge;
        constexpr std::int64_t look_back = look_back_ms(semantics);
        const bool base_is_near = has_base && edge - tier->times[next - 1] < look_back;
        found.exact = last.exact &&
                      (has_base ? on_edge || next == tier->end() || tier->ordinal(next) == tier->ordinal(next - 1) + 1
                                : !tier->evicted);
        if (!found.exact) {
            found.edge_events = has_base && last.exact ? (tier->values[next] - tier->values[next - 1]) +
                                                             (lost(*tier, next) - lost(*tier, next - 1))
                                                       : std::numeric_limits<double>::infinity();
        }

        if (kind_ == SeriesKind::delta) {
            // A sum over the samples in the window, as sum_over_time has it.
            const std::size_t first = closed && on_edge ? next - 1 : next;
            const double before = first > begin ? tier->values[first - 1] : tier->evicted ? tier->values[first] : 0;
            if (closed && on_edge && first > begin && tier->ordinal(first) != tier->ordinal(first - 1) + 1) {
                found.exact = false;
                found.edge_events = tier->values[first] - before;
            }
            found.increase = last.value - before;
            found.rate = found.increase / (static_cast<double>(window_ms) / 1000);
            return found;
        }
        if constexpr (!extrapolated(semantics)) {
            const std::size_t base = base_is_near ? next - 1 : next;
            found.increase = (last.value - tier->values[base]) + (last.lost - lost(*tier, base));
        } else {
            const std::size_t first = closed && on_edge ? next - 1 : next;
            if (first == tier->end() || tier->times[first] >= last.time_ms) return found;
            const SamplesInWindow samples{
                .first_ms = tier->times[first],
                .last_ms = last.time_ms,
                .first_value = tier->values[first],
                .growth = (last.value - tier->values[first]) + (last.lost - lost(*tier, first)),
                .count = last.ordinal - tier->ordinal(first) + 1};
            const double factor = extrapolation_factor(semantics, samples, edge, time_ms);
            found.increase = samples.growth * factor;
            found.rate = samples.growth * (factor / (static_cast<double>(window_ms) / 1000));
        }
        return found;
    }

    /// `increase` at many times, for a history that keeps all: `ends[i]` is the number of samples at or before
    /// `times_ms[i]`, `edges[i]` the number of those at or before `times_ms[i]` - window. The same operations, so the
    /// same bits. `rate` is written for the semantics that extrapolate alone.
    template <Semantics semantics>
    void increases(std::span<const std::int64_t> times_ms, const SamplePlaces& ends, const SamplePlaces& edges,
                   std::int64_t window_ms, double* increase, double* rate) const noexcept {
        constexpr double absent = std::numeric_limits<double>::quiet_NaN();
        constexpr bool closed = semantics == Semantics::prometheus2;
        constexpr std::int64_t look_back = look_back_ms(semantics);
        const HistoryTier& raw = tiers_.front();
        const std::int64_t* const time = raw.times.data();
        const double* const value = raw.values.data();
        const double* const lost = raw.lost.empty() ? nullptr : raw.lost.data();
        const double seconds = static_cast<double>(window_ms) / 1000;
        const std::size_t size = times_ms.size();
        const auto first_inside = [&](std::size_t i) {
            const std::size_t next = edges.counts[i];
            return closed && next > 0 && time[next - 1] == times_ms[i] - window_ms ? next - 1 : next;
        };
        if (kind_ == SeriesKind::delta) {
            for (std::size_t i = 0; i < size; ++i) {
                const std::size_t first = first_inside(i), end = ends.counts[i];
                increase[i] = end <= first ? absent : value[end - 1] - (first > 0 ? value[first - 1] : 0);
                if constexpr (extrapolated(semantics)) rate[i] = increase[i] / seconds;
            }
        } else if constexpr (!extrapolated(semantics)) {
            const std::size_t end = ends.counts[0], edge = edges.counts[0];
            if (semantics == Semantics::exact && lost == nullptr && ends.run && end > edge) {
                // Evaluated at every sample: differences of two runs, or of a run and the first sample.
                const double* const last = value + (end - 1);
                if (edges.run && edge > 0) {
                    const double* const base = value + (edge - 1);
                    for (std::size_t i = 0; i < size; ++i) increase[i] = last[i] - base[i];
                    return;
                }
                if (edges.still) {
                    const double base = value[edge > 0 ? edge - 1 : 0];
                    for (std::size_t i = 0; i < size; ++i) increase[i] = last[i] - base;
                    return;
                }
            }
            for (std::size_t i = 0; i < size; ++i) {
                const std::size_t last = ends.counts[i], next = edges.counts[i];
                if (last <= next) {
                    increase[i] = absent;
                    continue;
                }
                std::size_t base = next > 0 ? next - 1 : 0;
                if (semantics != Semantics::exact && next > 0 && times_ms[i] - window_ms - time[base] >= look_back)
                    base = next;
                increase[i] = value[last - 1] - value[base];
                if (lost != nullptr) increase[i] += lost[last - 1] - lost[base];
            }
        } else {
            for (std::size_t i = 0; i < size; ++i) {
                const std::size_t first = first_inside(i), end = ends.counts[i];
                if (end < first + 2) {
                    increase[i] = rate[i] = absent;
                    continue;
                }
                const SamplesInWindow samples{
                    .first_ms = time[first],
                    .last_ms = time[end - 1],
                    .first_value = value[first],
                    .growth = (value[end - 1] - value[first]) + (lost ? lost[end - 1] - lost[first] : 0),
                    .count = static_cast<std::int64_t>(end - first)};
                const double factor = extrapolation_factor(semantics, samples, times_ms[i] - window_ms, times_ms[i]);
                increase[i] = samples.growth * factor;
                rate[i] = samples.growth * (factor / seconds);
            }
        }
    }

    std::size_t memory_bytes() const noexcept {
        std::size_t bytes = 0;
        for (const HistoryTier& tier : tiers_) bytes += tier.memory_bytes();
        return bytes;
    }

    EventHistoryState state() const {
        return {kind_,         tiers_, sum_,
                compensation_, tally_, follower_ ? std::optional(follower_->state()) : std::nullopt};
    }

    /// Takes over a state. Raises `serinus.state.options` for one of another kind or resolution,
    /// `serinus.state.invariant` for numbers that cannot be; the object is unchanged then.
    void restore(const EventHistoryState& state) {
        bool same = state.series_kind == kind_ && state.tiers.size() == tiers_.size();
        for (std::size_t i = 0; same && i < tiers_.size(); ++i)
            same = state.tiers[i].resolution == tiers_[i].resolution;
        if (!same) raise(Code::state_options, "the state of a history is of another kind or resolution");
        bool sound = std::isfinite(state.sum) && std::isfinite(state.compensation) && state.tally.taken >= 0;
        for (const HistoryTier& tier : state.tiers) {
            const std::size_t size = tier.times.size();
            sound =
                sound && tier.values.size() == size && (tier.lost.empty() || tier.lost.size() == size) &&
                tier.ordinals.size() == (tier.resolution.width_ms > 0 ? size : 0) && tier.first >= 0 &&
                tier.erased >= 0 && static_cast<std::size_t>(tier.first) <= size &&
                (size == 0 || static_cast<std::size_t>(tier.first) < size) &&
                std::adjacent_find(tier.times.begin(), tier.times.end(), std::greater_equal<>()) == tier.times.end() &&
                std::adjacent_find(tier.ordinals.begin(), tier.ordinals.end(), std::greater_equal<>()) ==
                    tier.ordinals.end() &&
                std::all_of(tier.values.begin(), tier.values.end(), [](double x) { return std::isfinite(x); }) &&
                std::all_of(tier.lost.begin(), tier.lost.end(), [](double x) { return std::isfinite(x); }) &&
                (size == 0 || (tier.times.front() >= earliest_ms && tier.times.back() <= latest_ms)) &&
                (size == 0) == state.tiers.front().times.empty() &&
                (size == 0 || tier.times.back() == state.tiers.front().times.back());
        }
        if (!sound) raise(Code::state_invariant, "the state of a history has numbers that cannot be");
        std::optional<CounterFollower> follower;
        if (state.follower && follows_) follower.emplace().restore(*state.follower);
        follower_ = follower;
        tiers_ = state.tiers;
        for (HistoryTier& tier : tiers_) tier.find_bucket();
        sum_ = state.sum;
        compensation_ = state.compensation;
        tally_ = state.tally;
    }

  private:
    static double lost(const HistoryTier& tier, std::size_t i) noexcept { return tier.lost.empty() ? 0 : tier.lost[i]; }

    /// Whether the sample was given with this value. Sums round: a delta is known as well as its sum remembers it, and
    /// the oldest one of a longer history is not known at all.
    bool is_value_of(std::size_t i, double value) const noexcept {
        const HistoryTier& raw = tiers_.front();
        if (kind_ == SeriesKind::counter) return raw.values[i] == value;
        if (i == raw.begin() && raw.evicted) return true;
        return std::fabs(given_value(i) - value) <= 4e-16 * std::fabs(raw.values[i]);
    }

    void append(std::int64_t time_ms, double value) {
        HistoryTier& raw = tiers_.front();
        HistorySample sample{time_ms, value, 0, static_cast<std::int64_t>(raw.end()) + raw.erased};
        if (kind_ == SeriesKind::delta) {
            add_to_sum(value);
            sample.value = sum_ + compensation_;
        } else if (!raw.empty()) {
            sample.lost = lost(raw, raw.end() - 1);
            const double previous = raw.values.back();
            if (follower_ || (follows_ && value < previous)) {
                if (!follower_) follower_ = follower_until(raw.end());
                sample.lost = follow(*follower_, time_ms, value, previous, sample.lost, tally_);
            } else if (value < previous) {
                sample.lost += previous;
                ++tally_.resets;
            }
        }
        for (HistoryTier& tier : tiers_) {
            if (tier.push(sample)) tier.evict(time_ms);
        }
        ++tally_.taken;
    }

    /// A follower of the samples that are kept one by one, up to the one before `end`.
    CounterFollower follower_until(std::size_t end) const {
        const HistoryTier& raw = tiers_.front();
        CounterFollower follower;
        for (std::size_t i = raw.begin(); i < end; ++i) follower.next(raw.times[i], raw.values[i]);
        return follower;
    }

    /// What is to be added to the value, so that it is what has been counted by now: `lost` before it, and `previous`.
    static double follow(CounterFollower& follower, std::int64_t time_ms, double value, double previous, double lost,
                         SampleTally& tally) {
        const auto step = follower.next(time_ms, value);
        if (!step) return lost;
        const double counted = lost + previous;
        switch (step->what) {
            case CounterStep::first:
            case CounterStep::growth: return lost;
            case CounterStep::restart: ++tally.resets; return counted;
            case CounterStep::recovered: return counted + step->increment - value;
            case CounterStep::dip: tally.dips += follower.state().below == 1; return counted - value;
            case CounterStep::rebased: return counted - value;
        }
        return lost;
    }

    bool insert(std::int64_t time_ms, double value) {
        HistoryTier& raw = tiers_.front();
        const auto found = std::lower_bound(raw.times.begin() + raw.first, raw.times.end(), time_ms);
        const auto k = static_cast<std::size_t>(found - raw.times.begin());
        if (raw.times[k] == time_ms) {
            ++(is_value_of(k, value) ? tally_.duplicates : tally_.conflicts);
            return false;
        }
        if (k == raw.begin() && raw.evicted) {
            ++tally_.late;
            return false;
        }
        raw.times.insert(raw.times.begin() + static_cast<std::ptrdiff_t>(k), time_ms);
        raw.values.insert(raw.values.begin() + static_cast<std::ptrdiff_t>(k), value);
        if (!raw.lost.empty()) raw.lost.insert(raw.lost.begin() + static_cast<std::ptrdiff_t>(k), 0);
        if (kind_ == SeriesKind::delta) {
            raw.values[k] = value + (k > 0 ? raw.values[k - 1] : 0);
            for (std::size_t i = k + 1; i < raw.end(); ++i) raw.values[i] += value;
            // Goes on from the number that is kept: nothing counted must stay a difference of exactly 0.
            sum_ = raw.values.back();
            compensation_ = 0;
        } else if (follows_) {
            follow_again(k);
        } else {
            recount_resets(k);
        }
        for (std::size_t i = 1; i < tiers_.size(); ++i) {
            tiers_[i].remove_from(time_ms);
            for (std::size_t j = k; j < raw.end(); ++j) tiers_[i].push(raw.sample(j));
        }
        ++tally_.taken;
        ++tally_.reordered;
        return true;
    }

    /// What was counted by each sample, after the sample k has been put in.
    void follow_again(std::size_t k) {
        HistoryTier& raw = tiers_.front();
        const bool falls = (k > raw.begin() && raw.values[k] < raw.values[k - 1]) ||
                           (k + 1 < raw.end() && raw.values[k + 1] < raw.values[k]);
        if (!follower_ && !falls) return;
        // What the samples without it were taken for is no longer so.
        SampleTally was, is;
        CounterFollower before = beginning(), after = beginning();
        std::size_t last = raw.end();  // before i, without k
        double lost_before = 0;
        for (std::size_t i = raw.begin(); i < raw.end(); ++i) {
            if (i != k && last == raw.end()) {
                before.next(raw.times[i], raw.values[i]);
            } else if (i != k) {
                lost_before = follow(before, raw.times[i], raw.values[i], raw.values[last], lost_before, was);
            }
            if (i != k) last = i;
            if (i == raw.begin()) {
                after.next(raw.times[i], raw.values[i]);
                continue;
            }
            raw.set_lost(i, follow(after, raw.times[i], raw.values[i], raw.values[i - 1], lost(raw, i - 1), is));
        }
        tally_.resets += is.resets - was.resets;
        tally_.dips += is.dips - was.dips;
        follower_ = after;
    }
    /// A follower that has seen nothing of the samples that are kept, but knows the rate of those that were there.
    CounterFollower beginning() const {
        CounterFollower follower;
        const HistoryTier& raw = tiers_.front();
        if (raw.evicted && follower_ && !raw.empty()) {
            CounterFollowerState state;
            state.previous_ms = raw.times[raw.begin()] - 1;
            state.level = raw.values[raw.begin()];
            state.largest_rate = follower_->largest_rate();
            follower.restore(state);
        }
        return follower;
    }

    /// The sums of what resets lost, from the sample k on, which has just been put in.
    void recount_resets(std::size_t k) {
        HistoryTier& raw = tiers_.front();
        if (k > raw.begin() && k + 1 < raw.end() && raw.values[k + 1] < raw.values[k - 1]) --tally_.resets;
        const std::size_t begin = raw.begin();
        for (std::size_t i = k; i < raw.end(); ++i) {
            double sum = i > begin ? lost(raw, i - 1) : 0;
            if (i > begin && raw.values[i] < raw.values[i - 1]) {
                sum += raw.values[i - 1];
                if (i <= k + 1) ++tally_.resets;
            }
            if (i > k + 1 && sum == lost(raw, i)) return;  // and so are all that follow
            raw.set_lost(i, sum);
        }
    }

    void add_to_sum(double value) noexcept {
        const double sum = sum_ + value;
        compensation_ += std::fabs(sum_) >= std::fabs(value) ? (sum_ - sum) + value : (value - sum) + sum_;
        sum_ = sum;
    }

    SeriesKind kind_;
    bool follows_;
    std::optional<CounterFollower> follower_;  // since the first fall
    std::vector<HistoryTier> tiers_;
    double sum_ = 0, compensation_ = 0;
    SampleTally tally_;
};

}  // namespace slo
}  // namespace v0
}  // namespace serinus
