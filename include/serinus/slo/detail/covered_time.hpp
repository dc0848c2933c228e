#pragma once
/// \file
/// Which part of the past was observed at all: the times between samples that follow each other closely enough.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <vector>

#include <serinus/core/describe.hpp>
#include <serinus/core/error.hpp>
#include <serinus/core/version.hpp>

namespace serinus {
inline namespace v0 {
namespace slo {

/// What a `TypicalSpacing` remembers.
struct TypicalSpacingState {
    static constexpr std::string_view kind = "spac";
    static constexpr std::int64_t version = 1;

    std::vector<std::int64_t> last;  ///< the newest spacings, oldest first

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("last", self.last);
    }
};
static_assert(described_whole<TypicalSpacingState>());

/// The median of the last 31 spacings between samples, in milliseconds: how often a series is scraped, as it is learned
/// from the series itself. Of an even number it is the lower of the two in the middle; 0 before the first.
///
/// Cost: two comparisons while the median stays the same, as it does for a regular scrape; else a selection of 31.
class TypicalSpacing {
  public:
    static constexpr std::size_t most = 31;

    void add(std::int64_t spacing_ms) {
        if (size_ == most) {
            const std::int64_t oldest = ring_[next_];
            if (oldest == spacing_ms) {  // a regular scrape
                next_ = next_ + 1 == most ? 0 : next_ + 1;
                return;
            }
            below_ -= oldest < median_;
            equal_ -= oldest == median_;
        } else {
            ++size_;
        }
        ring_[next_] = spacing_ms;
        next_ = next_ + 1 == most ? 0 : next_ + 1;
        below_ += spacing_ms < median_;
        equal_ += spacing_ms == median_;
        const std::size_t middle = (size_ - 1) / 2;
        if (below_ <= middle && middle < below_ + equal_) return;

        std::array<std::int64_t, most> sorted = ring_;  // while it is not full, it is filled from the front
        const auto end = sorted.begin() + static_cast<std::ptrdiff_t>(size_);
        std::nth_element(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(middle), end);
        median_ = sorted[middle];
        below_ = static_cast<std::size_t>(std::count_if(sorted.begin(), end, [&](auto x) { return x < median_; }));
        equal_ = static_cast<std::size_t>(std::count(sorted.begin(), end, median_));
    }

    std::int64_t median_ms() const noexcept { return median_; }

    TypicalSpacingState state() const {
        TypicalSpacingState state;
        for (std::size_t i = 0; i < size_; ++i) state.last.push_back(ring_[size_ < most ? i : (next_ + i) % most]);
        return state;
    }
    void restore(const TypicalSpacingState& state) {
        bool sound = state.last.size() <= most;
        for (const std::int64_t spacing : state.last) sound = sound && spacing > 0;
        if (!sound) raise(Code::state_invariant, "spacings between samples must be above 0 ms, at most 31 of them");
        *this = TypicalSpacing();
        for (const std::int64_t spacing : state.last) add(spacing);
    }

  private:
    std::array<std::int64_t, most> ring_{};
    std::size_t size_ = 0, next_ = 0, below_ = 0, equal_ = 0;
    std::int64_t median_ = 0;
};

/// What a `CoveredTime` remembers.
struct CoveredTimeState {
    static constexpr std::string_view kind = "cvrd";
    static constexpr std::int64_t version = 1;

    std::vector<std::int64_t> starts, ends;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("starts", self.starts);
        visit("ends", self.ends);
    }
};
static_assert(described_whole<CoveredTimeState>());

/// A set of times, as disjoint intervals (start, end] in order.
///
/// Cost: `add` at the end, where nearly every call goes, is O(1), elsewhere a search and a shift of what lies behind;
/// `measure` is O(1) for a window that begins in the last interval, else a search. Memory: 24 bytes an interval, so for
/// a series without gaps 24 bytes.
class CoveredTime {
  public:
    /// Adds (start, end]; nothing when start >= end.
    void add(std::int64_t start, std::int64_t end) {
        if (start >= end) return;
        if (!intervals_.empty() && intervals_.back().start <= start) {
            Interval& last = intervals_.back();
            if (start <= last.end) {
                last.end = std::max(last.end, end);
            } else {
                intervals_.push_back({start, end, last.before + (last.end - last.start)});
            }
            return;
        }
        // The intervals that it touches become one.
        const auto from = std::partition_point(intervals_.begin(), intervals_.end(),
                                               [&](const Interval& known) { return known.end < start; });
        if (from != intervals_.end() && from->start <= start && end <= from->end) return;
        auto to = from;
        Interval merged{start, end, 0};
        while (to != intervals_.end() && to->start <= end) {
            merged.start = std::min(merged.start, to->start);
            merged.end = std::max(merged.end, to->end);
            ++to;
        }
        const auto at = static_cast<std::size_t>(from - intervals_.begin());
        if (from == to) {
            intervals_.insert(from, merged);
        } else {
            *from = merged;
            intervals_.erase(from + 1, to);
        }
        sum_from(at);
    }

    /// Adds all of another set. Cost: linear in both.
    void add(const CoveredTime& other) {
        std::vector<Interval> all(intervals_.size() + other.intervals_.size());
        std::merge(intervals_.begin(), intervals_.end(), other.intervals_.begin(), other.intervals_.end(), all.begin(),
                   [](const Interval& a, const Interval& b) { return a.start < b.start; });
        intervals_.clear();
        for (const Interval& next : all) add(next.start, next.end);  // in order: always at the end
    }

    /// How much of (from, to] is in the set.
    std::int64_t measure(std::int64_t from, std::int64_t to) const noexcept {
        if (intervals_.empty() || from >= to) return 0;
        const Interval& last = intervals_.back();
        if (from >= last.start) return std::max<std::int64_t>(0, std::min(to, last.end) - from);
        return until(to) - until(from);
    }

    /// Forgets what ended before the time, in portions, so that it costs O(1) a call; and keeps at most `most`
    /// intervals: the oldest gaps are closed then, and their time counts as covered.
    void forget(std::int64_t before, std::size_t most) {
        if (intervals_.empty()) return;
        const std::size_t portion = intervals_.size() / 4;
        if (intervals_[portion].end < before) {
            const auto keep = std::partition_point(intervals_.begin(), intervals_.end(),
                                                   [&](const Interval& known) { return known.end < before; });
            intervals_.erase(intervals_.begin(), keep);  // `before` goes on: only its differences are used
        }
        if (intervals_.size() <= most + most / 4) return;
        const auto oldest = static_cast<std::ptrdiff_t>(intervals_.size() - most);
        intervals_[static_cast<std::size_t>(oldest)].start = intervals_.front().start;
        intervals_.erase(intervals_.begin(), intervals_.begin() + oldest);
        sum_from(0);
    }

    /// Where the last interval begins and ends; the least of all times when there is none.
    std::int64_t last_start() const noexcept {
        return intervals_.empty() ? std::numeric_limits<std::int64_t>::min() : intervals_.back().start;
    }
    std::int64_t end() const noexcept {
        return intervals_.empty() ? std::numeric_limits<std::int64_t>::min() : intervals_.back().end;
    }

    std::size_t intervals() const noexcept { return intervals_.size(); }
    std::size_t memory_bytes() const noexcept { return intervals_.capacity() * sizeof(Interval); }

    CoveredTimeState state() const {
        CoveredTimeState state;
        for (const Interval& known : intervals_) {
            state.starts.push_back(known.start);
            state.ends.push_back(known.end);
        }
        return state;
    }
    void restore(const CoveredTimeState& state) {
        bool sound = state.starts.size() == state.ends.size();
        for (std::size_t i = 0; sound && i < state.starts.size(); ++i) {
            sound = state.starts[i] < state.ends[i] && (i == 0 || state.ends[i - 1] < state.starts[i]);
        }
        if (!sound) raise(Code::state_invariant, "covered times must be disjoint intervals in order");
        intervals_.clear();
        for (std::size_t i = 0; i < state.starts.size(); ++i) add(state.starts[i], state.ends[i]);
    }

  private:
    struct Interval {
        std::int64_t start, end;
        std::int64_t before;  // the length of all intervals before this one
    };

    void sum_from(std::size_t first) noexcept {
        for (std::size_t i = first; i < intervals_.size(); ++i) {
            intervals_[i].before =
                i == 0 ? 0 : intervals_[i - 1].before + (intervals_[i - 1].end - intervals_[i - 1].start);
        }
    }

    /// The length of the set up to the time, from wherever `before` began.
    std::int64_t until(std::int64_t time) const noexcept {
        if (time <= intervals_.front().start) return intervals_.front().before;
        if (time > intervals_.back().start) {
            const Interval& last = intervals_.back();
            return last.before + (std::min(time, last.end) - last.start);
        }
        const auto after = std::partition_point(intervals_.begin(), intervals_.end(),
                                                [&](const Interval& known) { return known.start < time; });
        const Interval& last = *(after - 1);
        return last.before + (std::min(time, last.end) - last.start);
    }

    std::vector<Interval> intervals_;
};

}  // namespace slo
}  // namespace v0
}  // namespace serinus
