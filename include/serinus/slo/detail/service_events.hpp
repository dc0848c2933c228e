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
    };

    ServiceEvents(std::vector<Resolution> resolutions, std::optional<std::int64_t> interval_ms)
        : resolutions_(std::move(resolutions)), interval_ms_(interval_ms) {}

    Series make_series(Role role, SeriesKind kind) const { return {role, EventHistory(kind, resolutions_), {}}; }

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
        Series& series = series_[at];
        EventHistory& history = series.history;
        const bool first = history.empty();
        const std::int64_t newest = first ? 0 : history.newest_ms();
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

    /// Takes many samples, in any order.
    void take(std::size_t at, std::span<const std::int64_t> times_ms, std::span<const double> values) {
        if (times_ms.empty()) return;
        Series& series = series_[at];
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
        for (std::size_t i = 0; i < times_ms.size(); ++i) take(at, times_ms[i], values[i]);
    }

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

        EventHistory history(old.kind(), resolutions_);
        TypicalSpacing spacing;
        CoveredTime covered;
        for (const Given& given : all) {
            const bool first = history.empty();
            const std::int64_t before = first ? 0 : history.newest_ms();
            if (!history.add(given.time_ms, given.value)) continue;
            tally.reordered += given.after_later;
            if (!first) cover(spacing, covered, before, given.time_ms);
        }
        tally.taken = tally.resets = 0;
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
    std::vector<Series> series_;
    CoveredTime covered_;
    Roles roles_;
};

}  // namespace detail
}  // namespace slo
}  // namespace v0
}  // namespace serinus
