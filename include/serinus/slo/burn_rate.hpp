#pragma once
/// \file
/// How fast a service spends its error budget, over any number of windows, from counters of events.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <serinus/core/error.hpp>
#include <serinus/core/quote.hpp>
#include <serinus/core/reason.hpp>
#include <serinus/core/require.hpp>
#include <serinus/core/words.hpp>
#include <serinus/series/duration.hpp>
#include <serinus/slo/covered_time.hpp>
#include <serinus/slo/event_history.hpp>
#include <serinus/slo/increase.hpp>

namespace serinus {
inline namespace v0 {
namespace slo {

/// What a series counts: the events that were bad, those that were good, or all.
enum class Role : std::uint8_t { bad = 1, good = 2, total = 3 };

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

struct BurnRateOptions {
    double budget = 0;  ///< share of events that may be bad, above 0, below 1
    std::vector<std::int64_t> windows_ms = {};
    Semantics semantics = Semantics::exact;
    Keep keep = Keep::all;
    std::int64_t raw_ms = 2 * std::int64_t{3'600'000};  ///< thinned: so much of the past is kept sample by sample
    /// How often the series are sampled, for `coverage`; empty: learned (`TypicalSpacing`).
    std::optional<std::int64_t> interval_ms = std::nullopt;
};

/// The burn rate of one window.
struct WindowBurn {
    std::int64_t window_ms = 0;
    double burn = std::numeric_limits<double>::quiet_NaN();   ///< ratio / budget
    double ratio = std::numeric_limits<double>::quiet_NaN();  ///< bad / total; NaN: absent, or nothing of nothing
    double bad = std::numeric_limits<double>::quiet_NaN();    ///< events; NaN: absent
    double total = std::numeric_limits<double>::quiet_NaN();  ///< events; NaN: absent
    BurnStatus status = BurnStatus::absent;
    double coverage = 0;           ///< share of the window in which some series was sampled closely enough
    bool exact = true;             ///< what the semantics asks for, not an approximation of a thinned history
    double edge_error_events = 0;  ///< at most so many events of `total` lie before the window, where not exact
    double edge_error_bad = 0;     ///< at most so many of `bad`
};

/// What a burn rate is known as, given its parts.
inline BurnStatus status_of(double bad, double total) noexcept {
    if (std::isnan(bad) || std::isnan(total)) return BurnStatus::absent;
    return total == 0 ? BurnStatus::no_traffic : BurnStatus::ok;
}

/// The burn rates of one window at many times, each as a `WindowBurn` has it.
struct BurnColumn {
    std::int64_t window_ms = 0;
    double budget = 0;
    std::vector<double> bad, total;
    std::vector<double> ratios;  ///< only where they are not bad / total: of rates, as Prometheus divides them
    std::vector<float> coverage;

    std::size_t size() const noexcept { return bad.size(); }
    double ratio(std::size_t i) const noexcept { return ratios.empty() ? bad[i] / total[i] : ratios[i]; }
    double burn(std::size_t i) const noexcept { return ratio(i) / budget; }
    BurnStatus status(std::size_t i) const noexcept { return status_of(bad[i], total[i]); }
};

struct BurnRateState {
    static constexpr std::string_view kind = "burn";
    static constexpr std::int64_t version = 1;

    double budget = 0;
    std::vector<std::int64_t> windows_ms;
    Semantics semantics = Semantics::exact;
    Keep keep = Keep::all;
    std::int64_t raw_ms = 0;
    std::optional<std::int64_t> interval_ms;
    std::vector<Role> roles;
    std::vector<EventHistoryState> histories;
    std::vector<TypicalSpacingState> spacings;
    CoveredTimeState covered;
    std::optional<std::int64_t> last_ms;

    template <class Visitor, class Self>
    static void fields(Visitor& visit, Self& self) {
        visit("budget", self.budget);
        visit("windows_ms", self.windows_ms);
        visit("semantics", self.semantics);
        visit("keep", self.keep);
        visit("raw_ms", self.raw_ms);
        visit("interval_ms", self.interval_ms);
        visit("roles", self.roles);
        visit("histories", self.histories);
        visit("spacings", self.spacings);
        visit("covered", self.covered);
        visit("last_ms", self.last_ms);
    }
};

/// Burn rates of a service, sample by sample or all at once.
///
/// Answers, for each window w and time t: of the events in (t - w, t], which share was bad, and how many times the
/// share is that of the budget? 1 spends exactly the budget of a period in that period; 14.4 spends 2 % of 30 days'
/// budget in an hour (Site Reliability Workbook, chapter 5).
///
///     ratio = sum of the bad series' increases / sum of the total series' increases;  burn = ratio / budget
///
/// Each series' increase is taken first (`Semantics`, `EventHistory`), then summed: the sum of counters is no counter.
/// A series without a value in the window is left out; if all of one side are, the window is `absent`. Roles: bad and
/// total; good and total (bad is the difference, where both have a value); or bad and good: then all is the sum of
/// those that have a value, and series of the role total are not read. 0 bad of 0 is `no_traffic` with a ratio of NaN,
/// never 0: NaN exceeds no threshold.
///
/// - NaN (with Prometheus' staleness marker 0x7ff0000000000002) and infinities are no samples; a counter's increase
///   over the gap is kept whole and belongs to the sample after it.
/// - A value below the one before it is a restart from 0 (a reset). What the process counted between its last sample
/// and
///   the restart is lost, and a restart that has overtaken the old value is not seen.
/// - A sample with the time of another is dropped and counted (`tally`): the first one counts. A late one is put in its
///   place; which answers have been given before does not change. Where the history is thinned, one that is older than
///   `raw_ms` + 10 minutes is dropped and counted.
/// - A series that is born late counts from its second sample on: nobody knows what the first one had counted before.
///   Give an error series that is only written when there are errors a sample of 0 when the process starts.
///
/// Cost, with 8 windows: about 200 ns to add a sample to two series and ask for all windows, amortised, whatever their
/// lengths; `over` about half of that a time. Memory: `Keep::all` 16 to 24 bytes a sample; `Keep::thinned` 0.8 MiB a
/// series for 30 days at 15 s.
///
///     BurnRate burn({.budget = 0.001, .windows_ms = {5 * 60'000, 3'600'000}});
///     const auto errors = burn.add_series(Role::bad), requests = burn.add_series(Role::total);
///     burn.add(errors, time_ms, errors_total);
///     burn.add(requests, time_ms, requests_total);
///     for (const WindowBurn& window : burn.at(time_ms)) ...
class BurnRate {
  public:
    /// Raises `serinus.argument.range` for a budget outside (0, 1) and windows that are none.
    explicit BurnRate(const BurnRateOptions& options) : options_(options) {
        require_open_unit("budget", options.budget);
        require(!options.windows_ms.empty(), "the number of windows", 0, "at least one");
        for (const std::int64_t window : options.windows_ms) require_duration("window", window);
        require_duration("raw", options.raw_ms);
        if (options.interval_ms) require_duration("interval", *options.interval_ms);
        longest_ms_ = *std::max_element(options.windows_ms.begin(), options.windows_ms.end());
        resolutions_ = {{}};
        if (options.keep == Keep::thinned) resolutions_ = thinned_history(longest_ms_, options.raw_ms);
        for (const std::int64_t window : options.windows_ms) found_.push_back({.window_ms = window});
        for (Sums& sums : sums_) sums.resize(options.windows_ms.size());
    }

    /// A new series; the number that stands for it.
    std::size_t add_series(Role role, SeriesKind kind = SeriesKind::counter) {
        series_.push_back(make_series(role, kind));
        look_at_roles();
        return series_.size() - 1;
    }

    /// Takes a sample. Raises `serinus.argument.range` for a series that is none, `serinus.data.timestamp` outside the
    /// years 1 to 9999.
    void add(std::size_t series, std::int64_t time_ms, double value) {
        require_series(series);
        require_time(time_ms);
        take(series_[series], time_ms, value);
    }

    /// Takes many samples, in any order. Where all is kept, samples that come late are sorted in at once: n log n.
    /// Raises as above, and `serinus.argument.length`; nothing is taken then.
    void add(std::size_t series, std::span<const std::int64_t> times_ms, std::span<const double> values) {
        require_series(series);
        if (times_ms.size() != values.size()) {
            raise(Code::argument_length, "a series has " + std::to_string(times_ms.size()) + " times and " +
                                             std::to_string(values.size()) +
                                             " values; allowed: the same number of both");
        }
        for (const std::int64_t time : times_ms) require_time(time);
        Series& target = series_[series];
        const bool in_order =
            std::adjacent_find(times_ms.begin(), times_ms.end(), std::greater_equal<>()) == times_ms.end() &&
            (times_ms.empty() || target.history.empty() || times_ms.front() > target.history.newest_ms());
        if (in_order || options_.keep == Keep::thinned) {
            if (options_.keep == Keep::all && target.history.empty()) target.history.reserve(times_ms.size());
            for (std::size_t i = 0; i < times_ms.size(); ++i) take(target, times_ms[i], values[i]);
        } else {
            sort_in(target, times_ms, values);
        }
    }

    /// The burn rate of every window, in the order of the options, of what is known at the time: samples after it do
    /// not count. With a thinned history times must not go back: `serinus.data.order`. Valid until the next call.
    std::span<const WindowBurn> at(std::int64_t time_ms) {
        require_time(time_ms);
        if (options_.keep == Keep::thinned) {
            if (last_ms_ && time_ms < *last_ms_) {
                raise(Code::data_order, "the burn rate is asked for at " + std::to_string(time_ms) + " ms after " +
                                            std::to_string(*last_ms_) +
                                            " ms; allowed: times that do not go back, or keep \"all\"");
            }
            if (time_ms >= next_evict_ms_) {  // what a series needs less when it grows, it lets go of itself
                for (Series& series : series_) series.history.evict(time_ms);
                covered_.forget(time_ms - longest_ms_, most_intervals);
                next_evict_ms_ = time_ms + 60'000;
            }
        }
        last_ms_ = time_ms;
        switch (options_.semantics) {
            case Semantics::exact: find<Semantics::exact>(time_ms); break;
            case Semantics::prometheus2: find<Semantics::prometheus2>(time_ms); break;
            case Semantics::prometheus3: find<Semantics::prometheus3>(time_ms); break;
        }
        return found_;
    }

    /// The same at many times, a column a window. Fastest for times in order; any order is legal. Bit for bit what `at`
    /// says at each time once all these samples are there. Raises `serinus.argument.word` where the history is thinned.
    std::vector<BurnColumn> over(std::span<const std::int64_t> times_ms) const {
        std::vector<BurnColumn> columns;
        over(times_ms, columns);
        return columns;
    }

    /// The same into columns that were used before, whose memory is used again.
    void over(std::span<const std::int64_t> times_ms, std::vector<BurnColumn>& columns) const {
        if (options_.keep != Keep::all) {
            raise(Code::argument_word,
                  "keep is " + in_quotes(word(options_.keep)) + "; allowed here: \"all\", for only it knows the past");
        }
        for (const std::int64_t time : times_ms) require_time(time);
        switch (options_.semantics) {
            case Semantics::exact: find_all<Semantics::exact>(times_ms, columns); break;
            case Semantics::prometheus2: find_all<Semantics::prometheus2>(times_ms, columns); break;
            case Semantics::prometheus3: find_all<Semantics::prometheus3>(times_ms, columns); break;
        }
    }

    const BurnRateOptions& options() const noexcept { return options_; }
    std::size_t series_count() const noexcept { return series_.size(); }
    /// What became of the samples of one series, or of all.
    const SampleTally& tally(std::size_t series) const {
        require_series(series);
        return series_[series].history.tally();
    }
    SampleTally tally() const noexcept {
        SampleTally sum;
        for (const Series& series : series_) sum += series.history.tally();
        return sum;
    }
    /// The time of the newest sample of any series; empty before the first.
    std::optional<std::int64_t> newest_ms() const noexcept {
        std::optional<std::int64_t> newest;
        for (const Series& series : series_) {
            if (!series.history.empty()) newest = std::max(newest.value_or(earliest_ms), series.history.newest_ms());
        }
        return newest;
    }
    /// What the samples take, without the few hundred bytes a series and window beside them.
    std::size_t memory_bytes() const noexcept {
        std::size_t bytes = covered_.memory_bytes();
        for (const Series& series : series_) bytes += series.history.memory_bytes();
        return bytes;
    }

    BurnRateState state() const {
        BurnRateState state;
        state.budget = options_.budget;
        state.windows_ms = options_.windows_ms;
        state.semantics = options_.semantics;
        state.keep = options_.keep;
        state.raw_ms = options_.raw_ms;
        state.interval_ms = options_.interval_ms;
        for (const Series& series : series_) {
            state.roles.push_back(series.role);
            state.histories.push_back(series.history.state());
            state.spacings.push_back(series.spacing.state());
        }
        state.covered = covered_.state();
        state.last_ms = last_ms_;
        return state;
    }

    /// Goes on where the state was taken, with its series. Raises `serinus.state.options` for one of other options,
    /// `serinus.state.invariant` for numbers that cannot be; the object is unchanged then.
    void restore(const BurnRateState& state) {
        if (state.budget != options_.budget || state.windows_ms != options_.windows_ms ||
            state.semantics != options_.semantics || state.keep != options_.keep || state.raw_ms != options_.raw_ms ||
            state.interval_ms != options_.interval_ms) {
            raise(Code::state_options, "the state of a BurnRate was taken under other options than this one has");
        }
        if (state.histories.size() != state.roles.size() || state.spacings.size() != state.roles.size())
            raise(Code::state_invariant, "the state of a BurnRate must have a role, a history and a spacing a series");
        if (state.last_ms && (*state.last_ms < earliest_ms || *state.last_ms > latest_ms))
            raise(Code::state_invariant, "the state of a BurnRate was last asked outside the years 1 to 9999");
        std::vector<Series> series;
        for (std::size_t i = 0; i < state.roles.size(); ++i) {
            series.push_back(make_series(state.roles[i], state.histories[i].series_kind));
            series.back().history.restore(state.histories[i]);
            series.back().spacing.restore(state.spacings[i]);
        }
        CoveredTime covered;
        covered.restore(state.covered);
        series_ = std::move(series);
        look_at_roles();
        covered_ = std::move(covered);
        last_ms_ = state.last_ms;
    }

  private:
    /// Gaps of a thinned history beyond this many are closed, the oldest ones first.
    static constexpr std::size_t most_intervals = 8192;

    struct Series {
        Role role;
        EventHistory history;
        TypicalSpacing spacing;
        std::vector<EventHistory::Cursor> cursors;  // a window each
        std::int64_t end = 0;
        bool first_of_role = true;
    };

    /// The sums over the series of one role, by window; NaN: absent.
    struct Sums {
        std::vector<double> increase, rate;
        std::vector<double> edge;           // where not exact, else 0
        std::vector<std::uint8_t> inexact;  // 1: some series' answer is not exact

        void resize(std::size_t size) {
            increase.assign(size, std::numeric_limits<double>::quiet_NaN());
            rate.assign(size, std::numeric_limits<double>::quiet_NaN());
            edge.resize(size);
            inexact.resize(size);
        }
    };
    using SumsByRole = std::array<Sums, 4>;  // by the number of the role

    /// What `over` works with: a block of times, so that the samples at the windows' ends stay in the cache from one
    /// window to the next.
    struct Block {
        static constexpr std::size_t size = 512;

        Block(std::size_t series, std::size_t window_count)
            : windows(window_count),
              last(series),
              places(series * window_count),
              ends(series * size),
              bad(size),
              total(size),
              covered(size),
              newest(size) {
            for (Sums& of_role : sums) of_role.resize(size);
            one.resize(size);
        }

        std::size_t windows, window = 0;
        std::vector<std::size_t> last;    // by series: samples at or before the newest time
        std::vector<std::size_t> places;  // by series and window: samples at or before its edge
        std::vector<std::size_t> ends;    // by series and time
        SumsByRole sums;
        Sums one;
        std::vector<double> bad, total;
        std::vector<float> covered;
        std::vector<std::int64_t> newest;
    };

    static constexpr std::size_t index(Role role) noexcept { return static_cast<std::size_t>(role); }

    /// One more term of a sum that is NaN while it has none.
    static void add_to(double& sum, double term) noexcept {
        if (std::isnan(term)) return;
        sum = std::isnan(sum) ? term : sum + term;
    }

    /// Which roles there are, and whether ratios are those of rates: the bits of PromQL's `rate(bad)/rate(all)`. Deltas
    /// are summed over time there, not divided by it.
    struct Plan {
        bool bad = false, good = false, total = false, by_rate = false;

        bool has(Role role) const noexcept { return role == Role::bad ? bad : role == Role::good ? good : total; }
    };

    static void require_duration(std::string_view field, std::int64_t ms) {
        require(ms > 0 && ms <= serinus::longest_ms, field, static_cast<double>(ms), "above 0 ms, at most 9999 years");
    }
    static void require_time(std::int64_t ms) {
        if (ms >= earliest_ms && ms <= latest_ms) return;
        raise(Code::data_timestamp,
              "time is " + std::to_string(ms) + " ms; allowed: milliseconds since 1970, within the years 1 to 9999");
    }
    void require_series(std::size_t series) const {
        require(series < series_.size(), "series", static_cast<double>(series),
                "the number of one that was added, from 0");
    }

    Series make_series(Role role, SeriesKind kind) const {
        Series series{role, EventHistory(kind, resolutions_), {}, {}, 0, true};
        for (const std::int64_t window : options_.windows_ms)
            series.cursors.push_back({series.history.tier_of(window), 0});
        return series;
    }

    /// The longest time between two samples that counts as covered: 2.5 times the spacing.
    std::int64_t reach(const TypicalSpacing& spacing) const noexcept {
        const std::int64_t usual = options_.interval_ms.value_or(spacing.median_ms());
        return 2 * usual + usual / 2;
    }
    std::int64_t widest_reach() const noexcept {
        std::int64_t widest = 0;
        for (const Series& series : series_) widest = std::max(widest, reach(series.spacing));
        return widest;
    }

    void cover(Series& series, std::int64_t from_ms, std::int64_t to_ms) {
        series.spacing.add(to_ms - from_ms);
        if (to_ms - from_ms <= reach(series.spacing)) covered_.add(from_ms, to_ms);
    }

    void take(Series& series, std::int64_t time_ms, double value) {
        EventHistory& history = series.history;
        const bool first = history.empty();
        const std::int64_t newest = first ? 0 : history.newest_ms();
        if (!history.add(time_ms, value)) return;
        if (first) return;
        if (time_ms > newest) {
            cover(series, newest, time_ms);
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
            if (first) continue;
            spacing.add(given.time_ms - before);
            if (given.time_ms - before <= reach(spacing)) covered.add(before, given.time_ms);
        }
        tally.taken = tally.resets = 0;
        tally += history.tally();
        history.set_tally(tally);
        series.history = std::move(history);
        series.spacing = spacing;
        covered_.add(covered);
    }

    void look_at_roles() noexcept {
        plan_ = {};
        for (Series& series : series_) {
            series.first_of_role = !plan_.has(series.role);
            plan_.bad = plan_.bad || series.role == Role::bad;
            plan_.good = plan_.good || series.role == Role::good;
            plan_.total = plan_.total || series.role == Role::total;
            plan_.by_rate = plan_.by_rate ||
                            (options_.semantics != Semantics::exact && series.history.kind() == SeriesKind::counter);
        }
    }

    /// What the sums over the series make of a window: bad and total, by the roles that there are.
    static void join(const Plan& plan, double bad, double good, double total, double& bads, double& totals) noexcept {
        if (plan.good && (plan.bad || !plan.total)) {
            totals = good;
            add_to(totals, bad);
            bads = bad;
        } else {
            totals = total;
            bads = plan.good ? total - good : bad;
        }
    }

    double coverage(std::int64_t time_ms, std::int64_t window_ms, std::int64_t newest_ms,
                    std::int64_t longest) const noexcept {
        const std::int64_t from = time_ms - window_ms;
        std::int64_t covered = 0;
        if (newest_ms > from) covered = covered_.measure(from, newest_ms);
        if (newest_ms >= earliest_ms && time_ms - newest_ms <= longest) covered += time_ms - std::max(newest_ms, from);
        return covered == window_ms ? 1 : static_cast<double>(covered) / static_cast<double>(window_ms);
    }

    template <Semantics semantics>
    void find(std::int64_t time_ms) {
        const std::size_t windows = options_.windows_ms.size();
        const bool was_inexact = inexact_;
        if (was_inexact) {
            for (Sums& sums : sums_) {
                std::fill(sums.edge.begin(), sums.edge.end(), 0.0);
                std::fill(sums.inexact.begin(), sums.inexact.end(), std::uint8_t{0});
            }
        }
        inexact_ = false;
        std::int64_t newest = std::numeric_limits<std::int64_t>::min();
        for (Series& series : series_) {
            Sums& sums = sums_[index(series.role)];
            const HistorySample last = series.history.last_until(time_ms, series.end);
            newest = std::max(newest, last.time_ms);
            for (std::size_t w = 0; w < windows; ++w) {
                const WindowIncrease found = series.history.template increase<semantics>(
                    last, time_ms, options_.windows_ms[w], series.cursors[w]);
                if (series.first_of_role) {
                    sums.increase[w] = found.increase;
                    if constexpr (semantics != Semantics::exact) sums.rate[w] = found.rate;
                } else {
                    add_to(sums.increase[w], found.increase);
                    if constexpr (semantics != Semantics::exact) add_to(sums.rate[w], found.rate);
                }
                if (found.exact) continue;
                inexact_ = true;
                sums.inexact[w] = 1;
                sums.edge[w] += found.edge_events;
            }
        }
        const Plan& plan = plan_;
        const Sums &bad = sums_[index(Role::bad)], &good = sums_[index(Role::good)], &total = sums_[index(Role::total)];
        const std::int64_t longest = widest_reach();
        // Windows that begin after this are covered as a whole.
        const bool seen = newest > std::numeric_limits<std::int64_t>::min();
        const bool goes_on = seen && newest == covered_.end() && time_ms - newest <= longest;
        const std::int64_t whole_from = goes_on ? covered_.last_start() : latest_ms + 1;
        for (std::size_t w = 0; w < windows; ++w) {
            WindowBurn& window = found_[w];
            join(plan, bad.increase[w], good.increase[w], total.increase[w], window.bad, window.total);
            window.ratio = window.bad / window.total;
            if (plan.by_rate) {
                double bads = 0, totals = 0;
                join(plan, bad.rate[w], good.rate[w], total.rate[w], bads, totals);
                window.ratio = bads / totals;
            }
            window.burn = window.ratio / options_.budget;
            window.status = status_of(window.bad, window.total);
            window.coverage =
                time_ms - window.window_ms >= whole_from ? 1 : coverage(time_ms, window.window_ms, newest, longest);
        }
        if (inexact_ || was_inexact) note_edges();
    }

    /// What a thinned history leaves open.
    void note_edges() noexcept {
        const Sums &bad = sums_[index(Role::bad)], &good = sums_[index(Role::good)], &total = sums_[index(Role::total)];
        const bool of_sum = plan_.good && (plan_.bad || !plan_.total);
        for (std::size_t w = 0; w < found_.size(); ++w) {
            WindowBurn& window = found_[w];
            window.exact = (bad.inexact[w] | good.inexact[w] | (of_sum ? 0 : total.inexact[w])) == 0;
            window.edge_error_events = of_sum ? good.edge[w] + bad.edge[w] : total.edge[w];
            window.edge_error_bad = of_sum || !plan_.good ? bad.edge[w] : total.edge[w] + good.edge[w];
        }
    }

    /// The increases of one role at a block of times: of its only series as they are, else summed.
    template <Semantics semantics>
    void sum_of_role(Role role, std::span<const std::int64_t> times, std::int64_t window, Block& block) const {
        Sums& sums = block.sums[index(role)];  // NaN where there is no series
        bool first = true;
        for (std::size_t s = 0; s < series_.size(); ++s) {
            if (series_[s].role != role) continue;
            Sums& into = first ? sums : block.one;
            const auto ends = std::span<const std::size_t>(block.ends).subspan(s * Block::size, times.size());
            series_[s].history.template increases<semantics>(
                times, ends, window, block.places[s * block.windows + block.window], into.increase, into.rate);
            if (!first) {
                for (std::size_t i = 0; i < times.size(); ++i) add_to(sums.increase[i], block.one.increase[i]);
                for (std::size_t i = 0; semantics != Semantics::exact && i < times.size(); ++i)
                    add_to(sums.rate[i], block.one.rate[i]);
            }
            first = false;
        }
    }

    template <Semantics semantics>
    void find_all(std::span<const std::int64_t> times_ms, std::vector<BurnColumn>& columns) const {
        const Plan& plan = plan_;
        const std::size_t windows = options_.windows_ms.size();
        columns.resize(windows);
        for (std::size_t w = 0; w < windows; ++w) {
            BurnColumn& column = columns[w];
            column.window_ms = options_.windows_ms[w];
            column.budget = options_.budget;
            for (auto* values : {&column.bad, &column.total, &column.ratios}) values->clear();
            column.coverage.clear();
            column.bad.reserve(times_ms.size());
            column.total.reserve(times_ms.size());
            if (plan.by_rate) column.ratios.reserve(times_ms.size());
            column.coverage.reserve(times_ms.size());
        }
        Block block(series_.size(), windows);
        const std::int64_t longest = widest_reach();
        for (std::size_t from = 0; from < times_ms.size(); from += Block::size) {
            const auto times = times_ms.subspan(from, std::min(Block::size, times_ms.size() - from));
            std::fill(block.newest.begin(), block.newest.end(), std::numeric_limits<std::int64_t>::min());
            for (std::size_t s = 0; s < series_.size(); ++s) {
                const HistoryTier& raw = series_[s].history.raw();
                std::size_t end = block.last[s];
                for (std::size_t i = 0; i < times.size(); ++i) {
                    end = raw.count_until(times[i], end);
                    block.ends[s * Block::size + i] = end;
                    if (end > 0) block.newest[i] = std::max(block.newest[i], raw.times[end - 1]);
                }
                block.last[s] = end;
            }
            for (block.window = 0; block.window < windows; ++block.window) {
                BurnColumn& column = columns[block.window];
                for (const Role role : {Role::bad, Role::good, Role::total})
                    sum_of_role<semantics>(role, times, column.window_ms, block);
                const Sums &bad = block.sums[index(Role::bad)], &good = block.sums[index(Role::good)],
                           &total = block.sums[index(Role::total)];
                for (std::size_t i = 0; i < times.size(); ++i) {
                    join(plan, bad.increase[i], good.increase[i], total.increase[i], block.bad[i], block.total[i]);
                }
                const auto append = [&](auto& values, const auto& more) {
                    values.insert(values.end(), more.begin(), more.begin() + static_cast<std::ptrdiff_t>(times.size()));
                };
                append(column.bad, block.bad);
                append(column.total, block.total);
                if (plan.by_rate) {
                    for (std::size_t i = 0; i < times.size(); ++i) {
                        double bads = 0, totals = 0;
                        join(plan, bad.rate[i], good.rate[i], total.rate[i], bads, totals);
                        block.bad[i] = bads / totals;
                    }
                    append(column.ratios, block.bad);
                }
                for (std::size_t i = 0; i < times.size(); ++i) {
                    block.covered[i] =
                        static_cast<float>(coverage(times[i], column.window_ms, block.newest[i], longest));
                }
                append(column.coverage, block.covered);
            }
        }
    }

    BurnRateOptions options_;
    std::int64_t longest_ms_ = 0;
    std::vector<Resolution> resolutions_;
    std::vector<Series> series_;
    CoveredTime covered_;
    std::optional<std::int64_t> last_ms_;
    std::int64_t next_evict_ms_ = earliest_ms;
    std::vector<WindowBurn> found_;
    Plan plan_;
    SumsByRole sums_;
    bool inexact_ = false;
};

}  // namespace slo
}  // namespace v0
}  // namespace serinus
