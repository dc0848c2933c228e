#pragma once
/// \file
/// The series of a service's events: what each counts, and which part of the past they saw.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <serinus/core/version.hpp>
#include <serinus/series/duration.hpp>
#include <serinus/series/time.hpp>
#include <serinus/slo/burn_window.hpp>
#include <serinus/slo/detail/covered_time.hpp>
#include <serinus/slo/detail/event_history.hpp>

namespace serinus {
inline namespace v0 {
namespace slo {
namespace detail {

/// One more term of a sum that is NaN while it has none.
inline void add_to(double& sum, double term) noexcept {
    if (std::isnan(term)) return;
    sum = std::isnan(sum) ? term : sum + term;
}

constexpr std::size_t index(Role role) noexcept { return static_cast<std::size_t>(role); }

/// Which roles a service's series have, and what their sums make of a window.
struct Roles {
    bool bad = false, good = false, total = false;

    bool has(Role role) const noexcept { return role == Role::bad ? bad : role == Role::good ? good : total; }
    /// Bad and total are the sums of the series that say so, and nothing is to be worked out of the good ones.
    bool plain() const noexcept { return !good; }
    /// Total is good + bad: series of the role total are not read.
    bool sums_good() const noexcept { return good && (bad || !total); }

    void join(double bad_sum, double good_sum, double total_sum, double& bads, double& totals) const noexcept {
        if (sums_good()) {
            totals = good_sum;
            add_to(totals, bad_sum);
            bads = bad_sum;
        } else {
            totals = total_sum;
            bads = good ? total_sum - good_sum : bad_sum;
        }
    }
};

/// The series of a service, of which `BurnRate` asks windows: takes their samples in, and knows which part of the past
/// was covered by them.
class ServiceEvents {
  public:
    struct Series {
        Role role;
        EventHistory history;
        TypicalSpacing spacing;
        std::string instance = {};
        /// The first sample that was given; before it there may be zeros that stand for none. Empty before it, and
        /// where births are not looked at.
        std::optional<std::int64_t> first_ms = std::nullopt;
        bool born = false;  // it began at 0 while it was watched
    };

    /// `follows`: counters as they are, not as Prometheus takes them: falls and births are looked at.
    ServiceEvents(std::vector<Resolution> resolutions, std::optional<std::int64_t> interval_ms, bool follows = false)
        : resolutions_(std::move(resolutions)), interval_ms_(interval_ms), follows_(follows) {}

    Series make_series(Role role, SeriesKind kind, std::string instance = {}) const {
        return {role, EventHistory(kind, resolutions_, follows_), {}, std::move(instance)};
    }

    std::size_t add_series(Series series) {
        series_.push_back(std::move(series));
        look_at_roles();
        return series_.size() - 1;
    }

    const std::vector<Series>& series() const noexcept { return series_; }
    const Roles& roles() const noexcept { return roles_; }
    const CoveredTime& covered() const noexcept { return covered_; }

    /// Is every sample kept?
    bool keeps_all() const noexcept { return resolutions_.size() == 1 && resolutions_[0] == Resolution{}; }

    void take(std::size_t at, std::int64_t time_ms, double value) {
        const std::int64_t newest = newest_of(at);
        take_one(at, time_ms, value);
        look_at_births(at, newest);
    }

    /// Takes many samples, in any order.
    void take(std::size_t at, std::span<const std::int64_t> times_ms, std::span<const double> values) {
        const std::int64_t newest = newest_of(at);
        take_all(at, times_ms, values);
        look_at_births(at, newest);
    }

  private:
    void take_one(std::size_t at, std::int64_t time_ms, double value) {
        Series& series = series_[at];
        EventHistory& history = series.history;
        const bool first = history.empty();
        const std::int64_t newest = first ? 0 : history.newest_ms();
        if (series.born && time_ms < *series.first_ms) unmake_birth(series);
        if (!history.add(time_ms, value)) return;
        if (first) return;
        if (time_ms > newest) {
            cover(series.spacing, covered_, newest, time_ms);
            return;
        }
        // Put in between: its two spacings are looked at as they are now, what was covered stays covered.
        const HistoryTier& raw = history.raw();
        const std::size_t next = raw.count_until(time_ms, 0);
        const std::int64_t longest = reach(series.spacing);
        if (next - 1 > raw.begin() && time_ms - raw.times[next - 2] <= longest)
            covered_.add(raw.times[next - 2], time_ms);
        if (raw.times[next] - time_ms <= longest) covered_.add(time_ms, raw.times[next]);
    }

    void take_all(std::size_t at, std::span<const std::int64_t> times_ms, std::span<const double> values) {
        if (times_ms.empty()) return;
        Series& series = series_[at];
        if (series.born && *std::min_element(times_ms.begin(), times_ms.end()) < *series.first_ms) unmake_birth(series);
        EventHistory& history = series.history;
        const bool in_order =
            std::adjacent_find(times_ms.begin(), times_ms.end(), std::greater_equal<>()) == times_ms.end() &&
            (history.empty() || times_ms.front() > history.newest_ms());
        if (!in_order && keeps_all()) {
            sort_in(series, times_ms, values);
            return;
        }
        if (in_order && keeps_all()) {
            std::int64_t before = history.empty() ? times_ms.front() : history.newest_ms();
            if (history.empty()) history.reserve(times_ms.size());
            if (history.add_in_order(times_ms, values)) {
                for (std::size_t i = 0; i < times_ms.size(); ++i) {
                    if (times_ms[i] > before) cover(series.spacing, covered_, before, times_ms[i]);
                    before = times_ms[i];
                }
                return;
            }
        }
        for (std::size_t i = 0; i < times_ms.size(); ++i) take_one(at, times_ms[i], values[i]);
    }

  public:
    void evict(std::int64_t now_ms, std::int64_t longest_ms) {
        for (Series& series : series_) series.history.evict(now_ms);
        covered_.forget(now_ms - longest_ms, most_intervals);
    }

    /// The longest time between two samples that counts as covered, of the series that has the widest spacing.
    std::int64_t widest_reach() const noexcept {
        if (interval_ms_) return series_.empty() ? 0 : reach(series_.front().spacing);
        std::int64_t widest = 0;
        for (const Series& series : series_) widest = std::max(widest, reach(series.spacing));
        return widest;
    }

    /// Which share of a window was covered; `newest_ms` is the last sample until then, `longest` the widest reach.
    double coverage(std::int64_t time_ms, std::int64_t window_ms, std::int64_t newest_ms,
                    std::int64_t longest) const noexcept {
        const std::int64_t from = time_ms - window_ms;
        std::int64_t covered = 0;
        if (newest_ms > from) covered = covered_.measure(from, newest_ms);
        if (newest_ms >= earliest_ms && time_ms - newest_ms <= longest) covered += time_ms - std::max(newest_ms, from);
        return covered == window_ms ? 1 : static_cast<double>(covered) / static_cast<double>(window_ms);
    }

    std::size_t memory_bytes() const noexcept {
        std::size_t bytes = covered_.memory_bytes();
        for (const Series& series : series_) bytes += series.history.memory_bytes();
        return bytes;
    }

    /// Other series in the place of these.
    void replace(std::vector<Series> series, CoveredTime covered) {
        series_ = std::move(series);
        covered_ = std::move(covered);
        newest_first_ms_ = earliest_ms - 1;
        for (const Series& one : series_)
            newest_first_ms_ = std::max(newest_first_ms_, one.first_ms.value_or(earliest_ms - 1));
        look_at_roles();
    }

  private:
    /// Gaps of a thinned history beyond this many are closed, the oldest ones first.
    static constexpr std::size_t most_intervals = 8192;

    /// The longest time between two samples that counts as covered: 2.5 times the spacing.
    std::int64_t reach(const TypicalSpacing& spacing) const noexcept {
        const std::int64_t usual = interval_ms_.value_or(spacing.median_ms());
        return 2 * usual + usual / 2;
    }

    // ---- births (docs/adr/0017-burn-takes-counters-as-they-are.md)

    std::int64_t newest_of(std::size_t at) const noexcept {
        const EventHistory& history = series_[at].history;
        return history.empty() ? earliest_ms - 1 : history.newest_ms();
    }

    /// The fastest growth a millisecond among the last samples, counted from the front of the arrays, before `end`.
    static double fastest(const HistoryTier& samples, std::size_t end) noexcept {
        constexpr std::size_t most = 256;
        double rate = 0;
        const std::size_t from = end > samples.begin() + most ? end - most : samples.begin();
        for (std::size_t i = from + 1; i < end; ++i) {
            rate = std::max(rate, (samples.values[i] - samples.values[i - 1]) /
                                      static_cast<double>(samples.times[i] - samples.times[i - 1]));
        }
        return rate;
    }

    /// The role whose series say what an instance is credited with: all that it served, or what went well.
    Role reference() const noexcept { return roles_.total || !roles_.good ? Role::total : Role::good; }

    /// A series was told more, of which `newest` was the newest before: what is born by now begins at 0.
    void look_at_births(std::size_t at, std::int64_t newest) {
        Series& told = series_[at];
        if (!follows_ || told.history.kind() != SeriesKind::counter || told.history.empty()) return;
        if (!told.first_ms && newest < earliest_ms) {
            told.first_ms = told.history.raw().times[told.history.raw().begin()];
            newest_first_ms_ = std::max(newest_first_ms_, *told.first_ms);
            bear(told);
        } else if (told.first_ms && !told.born) {
            // A sample that came late may be the first one.
            const HistoryTier& raw = told.history.raw();
            if (!raw.evicted && raw.times[raw.begin()] < *told.first_ms) {
                told.first_ms = raw.times[raw.begin()];
                bear(told);
            }
        }
        if (told.role != reference() || newest >= newest_first_ms_) return;
        // Others that began within what it was told.
        const std::int64_t now = told.history.newest_ms();
        const auto within = [&](const Series& other) {
            return other.first_ms && !other.born && *other.first_ms > newest && *other.first_ms <= now;
        };
        for (Series& other : series_) {
            if (other.role == reference() && within(other)) bear(other);
        }
        for (Series& other : series_) {
            if (other.role != reference() && within(other) && other.instance == told.instance) bear(other);
        }
    }

    /// Begins a series at 0 where its first value can have been counted since the cut before: of what all is counted by,
    /// so much as any like it has at most counted in that time; of a part, what its own instance is credited with.
    void bear(Series& series) {
        if (series.born || !series.first_ms || series.history.raw().evicted) return;
        const HistoryTier& raw = series.history.raw();
        const std::int64_t first = *series.first_ms;
        const double value = raw.values[raw.begin()];
        const bool part = series.role != reference();
        std::int64_t cut = earliest_ms - 1;
        double credit = 0, rate = 0;
        const Series* longest = nullptr;  // of the instance's own, or of all
        for (const Series& other : series_) {
            if (&other == &series || other.role != reference() || other.history.empty()) continue;
            const HistoryTier& samples = other.history.raw();
            const std::size_t end = samples.count_until(first, samples.end());
            if (part && other.instance == series.instance && end >= samples.begin() + 2 &&
                samples.times.back() >= first) {
                const HistorySample now = samples.sample(end - 1), before = samples.sample(end - 2);
                credit += (now.value - before.value) + (now.lost - before.lost);
            }
            const std::size_t earlier = samples.count_until(first - 1, end);
            if (earlier == samples.begin()) continue;
            if (!part || other.instance == series.instance) cut = std::max(cut, samples.times[earlier - 1]);
            if (!part) rate = std::max(rate, fastest(samples, end));
            if (longest == nullptr || samples.times[samples.begin()] < longest->history.raw().times.front())
                longest = &other;
        }
        if (cut < earliest_ms || value < 0) return;  // nobody was watched before
        if (!part) credit = 2 * rate * 2 * static_cast<double>(first - cut);
        if (value > credit) return;

        // Zeros wherever its like was seen before: what a part had then is known, and it is none.
        EventHistory history(series.history.kind(), resolutions_, follows_);
        if (part) {
            const HistoryTier& seen = longest->history.raw();
            for (std::size_t i = seen.begin(); i < seen.end() && seen.times[i] < cut; ++i)
                history.add(seen.times[i], 0);
        }
        history.add(cut, 0);
        for (std::size_t i = raw.begin(); i < raw.end(); ++i) history.add(raw.times[i], raw.values[i]);
        SampleTally tally = series.history.tally();
        tally.resets = history.tally().resets;
        tally.dips = history.tally().dips;
        history.set_tally(tally);
        series.history = std::move(history);
        series.born = true;
        covered_.add(cut, first);
        if (part) return;
        // What its instance is credited with is more by now.
        for (Series& other : series_) {
            if (other.role != reference() && other.instance == series.instance && other.first_ms == series.first_ms)
                bear(other);
        }
    }

    /// Takes the zeros away again: a sample came late that is older than the first.
    void unmake_birth(Series& series) const {
        const HistoryTier& raw = series.history.raw();
        EventHistory history(series.history.kind(), resolutions_, follows_);
        for (std::size_t i = raw.begin(); i < raw.end(); ++i) {
            if (raw.times[i] >= *series.first_ms) history.add(raw.times[i], raw.values[i]);
        }
        SampleTally tally = series.history.tally();
        tally.resets = history.tally().resets;
        tally.dips = history.tally().dips;
        history.set_tally(tally);
        series.history = std::move(history);
        series.born = false;
    }

    void cover(TypicalSpacing& spacing, CoveredTime& covered, std::int64_t from_ms, std::int64_t to_ms) const {
        spacing.add(to_ms - from_ms);
        if (to_ms - from_ms <= reach(spacing)) covered.add(from_ms, to_ms);
    }

    /// All samples of a series and those that come in, put in order and taken anew.
    void sort_in(Series& series, std::span<const std::int64_t> times_ms, std::span<const double> values) {
        struct Given {
            std::int64_t time_ms;
            double value;
            bool after_later;  // came after a later one
        };
        const EventHistory& old = series.history;
        std::vector<Given> all;
        all.reserve(old.raw().end() + times_ms.size());
        for (std::size_t i = 0; i < old.raw().end(); ++i)
            all.push_back({old.raw().times[i], old.given_value(i), false});
        std::int64_t newest = old.empty() ? earliest_ms - 1 : old.newest_ms();
        SampleTally tally = old.tally();
        for (std::size_t i = 0; i < times_ms.size(); ++i) {
            if (!std::isfinite(values[i])) {
                ++tally.not_numbers;
                continue;
            }
            all.push_back({times_ms[i], values[i], times_ms[i] < newest});
            newest = std::max(newest, times_ms[i]);
        }
        std::stable_sort(all.begin(), all.end(), [](const Given& a, const Given& b) { return a.time_ms < b.time_ms; });

        EventHistory history(old.kind(), resolutions_, follows_);
        TypicalSpacing spacing;
        CoveredTime covered;
        for (const Given& given : all) {
            const bool first = history.empty();
            const std::int64_t before = first ? 0 : history.newest_ms();
            if (!history.add(given.time_ms, given.value)) continue;
            tally.reordered += given.after_later;
            if (!first) cover(spacing, covered, before, given.time_ms);
        }
        tally.taken = tally.resets = tally.dips = 0;
        tally += history.tally();
        history.set_tally(tally);
        series.history = std::move(history);
        series.spacing = spacing;
        covered_.add(covered);
    }

    void look_at_roles() noexcept {
        roles_ = {};
        for (const Series& series : series_) {
            roles_.bad = roles_.bad || series.role == Role::bad;
            roles_.good = roles_.good || series.role == Role::good;
            roles_.total = roles_.total || series.role == Role::total;
        }
    }

    std::vector<Resolution> resolutions_;
    std::optional<std::int64_t> interval_ms_;
    bool follows_;
    std::int64_t newest_first_ms_ = earliest_ms - 1;  // of the series whose births are looked at
    std::vector<Series> series_;
    CoveredTime covered_;
    Roles roles_;
};

}  // namespace detail
}  // namespace slo
}  // namespace v0
}  // namespace serinus
