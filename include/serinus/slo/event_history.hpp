#pragma once
/// \file
/// What one series of events has counted, for windows that end now: all of it, or thinner with age.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <serinus/core/error.hpp>
#include <serinus/core/words.hpp>
#include <serinus/series/duration.hpp>
#include <serinus/slo/increase.hpp>

namespace serinus {
inline namespace v0 {
namespace slo {

/// What the values of a series of events are: a cumulative counter, which may begin again at 0, or deltas, each the
/// number of events since the sample before it (counts of good or bad time slices are such deltas too).
enum class SeriesKind : std::uint8_t { counter = 1, delta = 2 };

}  // namespace slo

template <>
struct Words<slo::SeriesKind> {
    static constexpr std::array<std::pair<slo::SeriesKind, std::string_view>, 2> table{
        {{slo::SeriesKind::counter, "counter"}, {slo::SeriesKind::delta, "delta"}}};
};

namespace slo {

/// What became of the samples that were given.
struct SampleTally {
    static constexpr std::string_view kind = "tlly";
    static constexpr std::int64_t version = 1;

    std::int64_t taken = 0;        ///< all that count
    std::int64_t reordered = 0;    ///< of those: came after a later one, and were put in their place
    std::int64_t late = 0;         ///< too old for the part of the past that is still kept sample by sample: dropped
    std::int64_t duplicates = 0;   ///< the time and the value of one that counts
    std::int64_t conflicts = 0;    ///< the time of one that counts, but another value: the first one counts
    std::int64_t not_numbers = 0;  ///< NaN, among them Prometheus' staleness marker, and infinities: no sample
    std::int64_t resets = 0;       ///< how often a counter began again, among the samples that are kept

    template <class Visitor, class Self>
    static void fields(Visitor& visit, Self& self) {
        visit("taken", self.taken);
        visit("reordered", self.reordered);
        visit("late", self.late);
        visit("duplicates", self.duplicates);
        visit("conflicts", self.conflicts);
        visit("not_numbers", self.not_numbers);
        visit("resets", self.resets);
    }
    SampleTally& operator+=(const SampleTally& other) noexcept {
        taken += other.taken;
        reordered += other.reordered;
        late += other.late;
        duplicates += other.duplicates;
        conflicts += other.conflicts;
        not_numbers += other.not_numbers;
        resets += other.resets;
        return *this;
    }
    friend bool operator==(const SampleTally&, const SampleTally&) = default;
};

/// A part of the past and how finely it is kept: of the samples in each (k x width, (k + 1) x width] the first and the
/// last one; width 0 keeps all.
struct Resolution {
    std::int64_t width_ms = 0;
    std::int64_t span_ms = std::numeric_limits<std::int64_t>::max();  ///< this far back

    friend bool operator==(const Resolution&, const Resolution&) = default;
};

/// How a history is thinned whose longest window is `longest_ms`: every sample for `raw_ms`, then two a minute for 3
/// days, two in 10 minutes for 30 days, two an hour beyond; each reaches 10 minutes further back than that, so that an
/// evaluation may lag behind the newest sample. At 15 s a sample, 30 days need 17,800 samples instead of 172,800.
inline std::vector<Resolution> thinned_history(std::int64_t longest_ms, std::int64_t raw_ms) {
    constexpr std::int64_t minute = 60'000, day = 1440 * minute, lag = 10 * minute;
    std::vector<Resolution> all{{0, std::min(raw_ms, longest_ms) + lag}};
    constexpr std::array<Resolution, 3> coarser{
        {{minute, 3 * day}, {10 * minute, 30 * day}, {60 * minute, std::numeric_limits<std::int64_t>::max()}}};
    std::int64_t reached = raw_ms;
    for (const Resolution& next : coarser) {
        if (reached >= longest_ms) break;
        if (next.span_ms <= reached) continue;
        reached = std::min(next.span_ms, longest_ms);
        all.push_back({next.width_ms, reached + lag});
    }
    return all;
}

/// A sample with what a window needs of it.
struct HistorySample {
    std::int64_t time_ms = std::numeric_limits<std::int64_t>::min();
    double value = 0;          ///< counter: as it was read; delta: the sum of all up to this one
    double lost = 0;           ///< counter: the sum of the values before each reset so far
    std::int64_t ordinal = 0;  ///< its number among the samples that counted
    bool exact = true;         ///< no later sample at or before the time that was asked for is left out
};

/// What a series counted in a window.
struct WindowIncrease {
    double increase = std::numeric_limits<double>::quiet_NaN();  ///< NaN: absent
    double rate = std::numeric_limits<double>::quiet_NaN();      ///< increase a second, as Prometheus computes it
    bool exact = true;       ///< the samples that the answer rests on are those that the semantics asks for
    double edge_events = 0;  ///< at most so many events of `increase` lie before the window; infinite: not known

    bool present() const noexcept { return increase == increase; }
};

/// The samples of one `Resolution`, and the state of it.
struct HistoryTier {
    static constexpr std::string_view kind = "tier";
    static constexpr std::int64_t version = 1;

    Resolution resolution;
    std::vector<std::int64_t> times;
    std::vector<double> values;
    std::vector<double> lost;            ///< empty while the counter never began again
    std::vector<std::int64_t> ordinals;  ///< empty where all samples are kept: a sample's place is its ordinal
    std::int64_t first = 0;              ///< index of the first sample that is still kept
    std::int64_t erased = 0;             ///< samples that were cut off from the front of the arrays
    bool evicted = false;                ///< older samples than these have been there

    template <class Visitor, class Self>
    static void fields(Visitor& visit, Self& self) {
        visit("width_ms", self.resolution.width_ms);
        visit("span_ms", self.resolution.span_ms);
        visit("times", self.times);
        visit("values", self.values);
        visit("lost", self.lost);
        visit("ordinals", self.ordinals);
        visit("first", self.first);
        visit("erased", self.erased);
        visit("evicted", self.evicted);
    }

    std::size_t begin() const noexcept { return static_cast<std::size_t>(first); }
    std::size_t end() const noexcept { return times.size(); }
    bool empty() const noexcept { return begin() == end(); }
    HistorySample sample(std::size_t i) const noexcept {
        return {times[i], values[i], lost.empty() ? 0 : lost[i], ordinal(i)};
    }
    std::int64_t ordinal(std::size_t i) const noexcept {
        return ordinals.empty() ? static_cast<std::int64_t>(i) + erased : ordinals[i];
    }

    /// The index of a place that was noted down as index + `erased`; some index where that has been cut off.
    std::size_t index(std::int64_t place) const noexcept {
        return static_cast<std::size_t>(std::max<std::int64_t>(0, place - erased));
    }

    /// Returns whether the arrays grew: not where the sample took the place of its bucket's last one.
    bool push(const HistorySample& sample) {
        if (resolution.width_ms > 0) {
            if (sample.time_ms <= bucket_end_) {
                if (in_bucket_ == 2) {
                    times.back() = sample.time_ms;
                    values.back() = sample.value;
                    set_lost(times.size() - 1, sample.lost);
                    ordinals.back() = sample.ordinal;
                    return false;
                }
                in_bucket_ = 2;
            } else {
                bucket_end_ = bucket_end(sample.time_ms);
                in_bucket_ = 1;
            }
            ordinals.push_back(sample.ordinal);
        }
        times.push_back(sample.time_ms);
        values.push_back(sample.value);
        if (!lost.empty()) lost.push_back(0);
        set_lost(times.size() - 1, sample.lost);
        return true;
    }

    /// Removes the samples from this time on.
    void remove_from(std::int64_t time_ms) {
        const auto from = std::lower_bound(times.begin() + first, times.end(), time_ms) - times.begin();
        const auto size = static_cast<std::size_t>(from);
        times.resize(size);
        values.resize(size);
        if (!lost.empty()) lost.resize(size);
        if (!ordinals.empty()) ordinals.resize(size);
        find_bucket();
    }

    /// Which bucket the last sample is in, and how many of its samples are kept; after the arrays have changed.
    void find_bucket() noexcept {
        bucket_end_ = std::numeric_limits<std::int64_t>::min();
        in_bucket_ = 0;
        if (resolution.width_ms == 0 || empty()) return;
        bucket_end_ = bucket_end(times.back());
        const bool two = end() - begin() >= 2 && times[end() - 2] > bucket_end_ - resolution.width_ms;
        in_bucket_ = two ? 2 : 1;
    }

    /// Forgets what no window that ends at `now_ms` or later reaches back to; the last sample before that stays,
    /// because what was counted since it is part of the window.
    void evict(std::int64_t now_ms) {
        if (resolution.span_ms == std::numeric_limits<std::int64_t>::max()) return;
        const std::int64_t oldest = now_ms - resolution.span_ms;
        std::size_t i = begin();
        const std::size_t last = end();
        if (i + 1 >= last || times[i + 1] > oldest) return;
        while (i + 1 < last && times[i + 1] <= oldest) ++i;
        first = static_cast<std::int64_t>(i);
        evicted = true;
        if (i >= 64 && 4 * i >= last - i) cut_off();
    }

    /// How many samples, counted from the front of the arrays, are at or before the time; `hint` is a former answer,
    /// and the search is O(1) where the true one is near.
    std::size_t count_until(std::int64_t time_ms, std::size_t hint) const noexcept {
        const std::int64_t* const time = times.data();
        const std::size_t size = end();
        std::size_t i = std::clamp(hint, begin(), size);
        if (i > begin() && time[i - 1] > time_ms) return search(time_ms, i);
        for (const std::size_t far = std::min(size, i + 8); i < far; ++i)
            if (time[i] > time_ms) return i;
        if (i == size) return i;
        return search(time_ms, i);
    }

    std::size_t memory_bytes() const noexcept {
        return 8 * (times.capacity() + values.capacity() + lost.capacity() + ordinals.capacity());
    }

    void set_lost(std::size_t i, double value) {
        if (lost.empty()) {
            if (value == 0) return;
            lost.resize(times.size());
        }
        lost[i] = value;
    }

  private:
    /// Gives the memory of what has been evicted to what comes.
    void cut_off() {
        times.erase(times.begin(), times.begin() + first);
        values.erase(values.begin(), values.begin() + first);
        if (!lost.empty()) lost.erase(lost.begin(), lost.begin() + first);
        if (!ordinals.empty()) ordinals.erase(ordinals.begin(), ordinals.begin() + first);
        erased += first;
        first = 0;
        if (times.capacity() < 4 * times.size() + 256) return;
        times.shrink_to_fit();  // a series that has ended
        values.shrink_to_fit();
        lost.shrink_to_fit();
        ordinals.shrink_to_fit();
    }

    std::size_t search(std::int64_t time_ms, std::size_t from) const noexcept {
        const std::int64_t* const time = times.data();
        const bool before = from <= begin() || time[from - 1] > time_ms;
        const std::size_t low = before ? begin() : from, high = before && from > begin() ? from : end();
        return static_cast<std::size_t>(std::upper_bound(time + low, time + high, time_ms) - time);
    }

    std::int64_t bucket_end(std::int64_t time_ms) const noexcept {
        const std::int64_t past = time_ms % resolution.width_ms;  // toward zero
        return past > 0 ? time_ms - past + resolution.width_ms : time_ms - past;
    }

    std::int64_t bucket_end_ = std::numeric_limits<std::int64_t>::min();
    std::int64_t in_bucket_ = 0;
};

/// What an `EventHistory` remembers.
struct EventHistoryState {
    static constexpr std::string_view kind = "hist";
    static constexpr std::int64_t version = 1;

    SeriesKind series_kind = SeriesKind::counter;
    std::vector<HistoryTier> tiers;
    double sum = 0, compensation = 0;
    SampleTally tally;

    template <class Visitor, class Self>
    static void fields(Visitor& visit, Self& self) {
        visit("series_kind", self.series_kind);
        visit("tiers", self.tiers);
        visit("sum", self.sum);
        visit("compensation", self.compensation);
        visit("tally", self.tally);
    }
};

/// The samples of one series in order, each with what a window needs of it, and thinned with age where that was asked
/// for: the state of one side of a `BurnRate`.
///
/// With v the counter's values and L_i the sum of v_{j-1} over all resets v_j < v_{j-1}, j <= i, the increase between
/// two samples is (v_i - v_k) + (L_i - L_k): a difference of two sums, so any window costs O(1) once its first and last
/// sample are known, and whole counts stay whole below 2^53. Deltas are summed (Neumaier 1974), and their window is a
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

    explicit EventHistory(SeriesKind kind = SeriesKind::counter, const std::vector<Resolution>& resolutions = {{}})
        : kind_(kind) {
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
        if constexpr (semantics == Semantics::exact) {
            // Nearly always: a counter, and no sample was left out around the edge.
            if (kind_ == SeriesKind::counter && next > tier->begin() && last.exact &&
                (tier->ordinals.empty() || tier->ordinals[next] == tier->ordinals[next - 1] + 1)) {
                found.increase = (last.value - tier->values[next - 1]) + (last.lost - lost(*tier, next - 1));
                return found;
            }
        }
        for (std::size_t i = cursor.tier + 1; next == tier->begin() && tier->evicted && i < tiers_.size(); ++i) {
            tier = &tiers_[i];  // the time asked for lies further back than the finer tier
            next = tier->count_until(edge, 0);
        }
        const std::size_t begin = tier->begin();
        const bool has_base = next > begin;
        const bool on_edge = has_base && tier->times[next - 1] == edge;
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
        if constexpr (semantics == Semantics::exact) {
            const std::size_t base = has_base ? next - 1 : next;
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
    /// `times_ms[i]`, `place` where the edge was found before. The same operations, so the same bits.
    template <Semantics semantics>
    void increases(std::span<const std::int64_t> times_ms, std::span<const std::size_t> ends, std::int64_t window_ms,
                   std::size_t& place, std::span<double> increase, std::span<double> rate) const noexcept {
        constexpr double absent = std::numeric_limits<double>::quiet_NaN();
        constexpr bool closed = semantics == Semantics::prometheus2;
        const HistoryTier& raw = tiers_.front();
        const std::int64_t* const time = raw.times.data();
        const double* const value = raw.values.data();
        const double* const lost = raw.lost.empty() ? nullptr : raw.lost.data();
        const double seconds = static_cast<double>(window_ms) / 1000;
        std::size_t next = place;
        const auto each = [&](const auto& found) {
            for (std::size_t i = 0; i < times_ms.size(); ++i) {
                const std::int64_t edge = times_ms[i] - window_ms;
                next = raw.count_until(edge, next);
                found(i, edge, ends[i]);
            }
        };
        const auto first_inside = [&](std::int64_t edge) {
            return closed && next > 0 && time[next - 1] == edge ? next - 1 : next;
        };
        if (kind_ == SeriesKind::delta) {
            each([&](std::size_t i, std::int64_t edge, std::size_t end) {
                const std::size_t first = first_inside(edge);
                increase[i] = end <= first ? absent : value[end - 1] - (first > 0 ? value[first - 1] : 0);
                if constexpr (semantics != Semantics::exact) rate[i] = increase[i] / seconds;
            });
        } else if constexpr (semantics == Semantics::exact) {
            if (lost == nullptr) {
                each([&](std::size_t i, std::int64_t, std::size_t end) {
                    increase[i] = end <= next ? absent : value[end - 1] - value[next > 0 ? next - 1 : 0];
                });
            } else {
                each([&](std::size_t i, std::int64_t, std::size_t end) {
                    const std::size_t base = next > 0 ? next - 1 : 0;
                    increase[i] = end <= next ? absent : (value[end - 1] - value[base]) + (lost[end - 1] - lost[base]);
                });
            }
        } else {
            each([&](std::size_t i, std::int64_t edge, std::size_t end) {
                const std::size_t first = first_inside(edge);
                if (end < first + 2) {
                    increase[i] = rate[i] = absent;
                    return;
                }
                const SamplesInWindow samples{
                    .first_ms = time[first],
                    .last_ms = time[end - 1],
                    .first_value = value[first],
                    .growth = (value[end - 1] - value[first]) + (lost ? lost[end - 1] - lost[first] : 0),
                    .count = static_cast<std::int64_t>(end - first)};
                const double factor = extrapolation_factor(semantics, samples, edge, times_ms[i]);
                increase[i] = samples.growth * factor;
                rate[i] = samples.growth * (factor / seconds);
            });
        }
        place = next;
    }

    std::size_t memory_bytes() const noexcept {
        std::size_t bytes = 0;
        for (const HistoryTier& tier : tiers_) bytes += tier.memory_bytes();
        return bytes;
    }

    EventHistoryState state() const { return {kind_, tiers_, sum_, compensation_, tally_}; }

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
            if (value < previous) {
                sample.lost += previous;
                ++tally_.resets;
            }
        }
        for (HistoryTier& tier : tiers_) {
            if (tier.push(sample)) tier.evict(time_ms);
        }
        ++tally_.taken;
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
    std::vector<HistoryTier> tiers_;
    double sum_ = 0, compensation_ = 0;
    SampleTally tally_;
};

}  // namespace slo
}  // namespace v0
}  // namespace serinus
