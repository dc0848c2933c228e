#pragma once
/// \file
/// Samples of one series in order, all of them or thinner the older they are: the rooms of an `EventHistory`.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <vector>

#include <serinus/core/describe.hpp>

namespace serinus {
inline namespace v0 {
namespace slo {

/// A part of the past and how finely it is kept: of the samples in each (k x width, (k + 1) x width] the first and the
/// last one; width 0 keeps all.
struct Resolution {
    std::int64_t width_ms = 0;
    std::int64_t span_ms = std::numeric_limits<std::int64_t>::max();  ///< this far back

    friend bool operator==(const Resolution&, const Resolution&) = default;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("width_ms", self.width_ms);
        visit("span_ms", self.span_ms);
    }
};
static_assert(described_whole<Resolution>());

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

/// What is remembered of the samples of one `Resolution`.
struct HistoryTierState {
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
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("resolution", self.resolution);
        visit("times", self.times);
        visit("values", self.values);
        visit("lost", self.lost);
        visit("ordinals", self.ordinals);
        visit("first", self.first);
        visit("erased", self.erased);
        visit("evicted", self.evicted);
    }
};
static_assert(described_whole<HistoryTierState>());

/// The samples of one `Resolution`, and the state of it.
struct HistoryTier : HistoryTierState {
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

    /// Moves `count`, the number of samples at or before some time, counted from the front of the arrays, on to
    /// another time; false, and nothing is said, where that is more than one sample further.
    bool step(std::int64_t time_ms, std::size_t& count) const noexcept {
        const std::int64_t* const time = times.data();
        std::size_t i = count;
        if (i > begin() && time[i - 1] > time_ms) return false;
        if (i < end() && time[i] <= time_ms) {
            ++i;
            if (i < end() && time[i] <= time_ms) return false;
        }
        count = i;
        return true;
    }

    /// How many samples, counted from the front of the arrays, are at or before the time; `hint` is a former answer,
    /// and the search is O(1) where the true one is near.
    std::size_t count_until(std::int64_t time_ms, std::size_t hint) const noexcept {
        std::size_t i = std::clamp(hint, begin(), end());
        if (step(time_ms, i)) return i;
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
        if (from > begin() && time[from - 1] > time_ms)
            return static_cast<std::size_t>(std::upper_bound(time + begin(), time + from, time_ms) - time);
        for (const std::size_t far = std::min(end(), from + 8); from < far; ++from)
            if (time[from] > time_ms) return from;
        return static_cast<std::size_t>(std::upper_bound(time + from, time + end(), time_ms) - time);
    }

    std::int64_t bucket_end(std::int64_t time_ms) const noexcept {
        const std::int64_t past = time_ms % resolution.width_ms;  // toward zero
        return past > 0 ? time_ms - past + resolution.width_ms : time_ms - past;
    }

    std::int64_t bucket_end_ = std::numeric_limits<std::int64_t>::min();
    std::int64_t in_bucket_ = 0;
};

}  // namespace slo
}  // namespace v0
}  // namespace serinus
