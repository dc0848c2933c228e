#pragma once
/// \file
/// How fast a service spends its error budget, over any number of windows, from counters of events.

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <serinus/core/describe.hpp>
#include <serinus/core/error.hpp>
#include <serinus/core/quote.hpp>
#include <serinus/core/require.hpp>
#include <serinus/core/text.hpp>
#include <serinus/core/words.hpp>
#include <serinus/series/align.hpp>
#include <serinus/series/duration.hpp>
#include <serinus/series/time.hpp>
#include <serinus/slo/burn_window.hpp>
#include <serinus/slo/detail/burn_batch.hpp>
#include <serinus/slo/detail/covered_time.hpp>
#include <serinus/slo/detail/event_history.hpp>
#include <serinus/slo/detail/increase.hpp>
#include <serinus/slo/detail/service_events.hpp>

namespace serinus {
inline namespace v0 {
namespace slo {

struct BurnRateOptions {
    double budget = 0;  ///< share of events that may be bad, above 0, below 1
    std::vector<std::chrono::milliseconds> windows = {};
    Semantics semantics = Semantics::exact;
    Keep keep = Keep::all;
    std::chrono::milliseconds raw = std::chrono::hours(2);  ///< thinned: so much of the past is kept sample by sample
    /// How often the series are sampled, for `coverage`; empty: learned (`TypicalSpacing`).
    std::optional<std::chrono::milliseconds> interval = std::nullopt;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("budget", self.budget);
        visit("windows", self.windows);
        visit("semantics", self.semantics);
        visit("keep", self.keep);
        visit("raw", self.raw);
        visit("interval", self.interval);
    }
};
static_assert(described_whole<BurnRateOptions>());

struct BurnRateState {
    static constexpr std::string_view kind = "burn";
    static constexpr std::int64_t version = 2;
    static constexpr std::int64_t oldest = 1;
    static constexpr std::int64_t since(std::string_view field) {
        return field == "instances" || field == "first_ms" || field == "born" ? 2 : 1;
    }

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
    std::vector<std::string> instances;
    std::vector<std::int64_t> first_ms;  ///< of each series' first sample; before year 1: none, or not looked at
    std::vector<std::int64_t> born;      ///< 1: it began at 0 while it was watched

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
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
        visit("instances", self.instances);
        visit("first_ms", self.first_ms);
        visit("born", self.born);
    }
};
static_assert(described_whole<BurnRateState>());

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
/// - A value below the one before it is a restart from 0 (a reset) where it can be one, with the other semantics always.
///   What the process counted between its last sample and the restart is lost, and a restart that has overtaken the old
///   value is not seen. Any other fall is a dip: it counts nothing until it is passed (`CounterFollower`; `tally`).
/// - A sample with the time of another is dropped and counted (`tally`): the first one counts. A late one is put in its
///   place; which answers have been given before does not change. Where the history is thinned, one that is older than
///   `raw` + 10 minutes is dropped and counted.
/// - `exact` begins a series that is born late at 0, where its first value can have been counted since its instance was
///   last seen: of bad (or good) events at most what the instance's total has grown by, of all events at most what the
///   fastest series like it would have counted in twice the time and one more sample. Bad events are none before. Of any
///   other series nobody knows what the first sample had counted before, and it counts from its second sample on; so it
///   does with the other semantics, and where nothing of its instance was seen before.
///
/// Cost: `add` O(1) and `at` O(series x windows), amortised, whatever the windows' lengths, for samples and times in
/// order; `over` the same a time. Memory: `Keep::all` 16 to 24 bytes a sample; `Keep::thinned` is bounded by the
/// longest window.
///
///     BurnRate burn({.budget = 0.001, .windows = {5min, 1h}});
///     const auto errors = burn.add_series(Role::bad), requests = burn.add_series(Role::total);
///     burn.add(errors, time, errors_total);
///     burn.add(requests, time, requests_total);
///     for (const WindowBurn& window : burn.at(time)) ...
class BurnRate {
  public:
    /// Raises `serinus.argument.range` for a budget outside (0, 1) and windows that are none.
    explicit BurnRate(const BurnRateOptions& options) : options_(options), events_({{}}, interval_ms(), follows()) {
        require_open_unit("budget", options.budget);
        require(!options.windows.empty(), "the number of windows", 0, "at least one");
        for (const std::chrono::milliseconds window : options.windows) {
            require_duration("window", window);
            windows_ms_.push_back(window.count());
            found_.push_back({.window = window});
        }
        require_duration("raw", options.raw);
        if (options.interval) require_duration("interval", *options.interval);
        longest_ms_ = *std::max_element(windows_ms_.begin(), windows_ms_.end());
        if (options.keep == Keep::thinned)
            events_ =
                detail::ServiceEvents(thinned_history(longest_ms_, options.raw.count()), interval_ms(), follows());
        for (Sums& sums : sums_) sums.resize(windows_ms_.size());
    }

    /// A new series; the number that stands for it. `instance`: the process that counts it, for which series belong to
    /// one is known by it alone.
    std::size_t add_series(Role role, SeriesKind kind = SeriesKind::counter, std::string instance = {}) {
        look_ups_.push_back(look_up(role, kind));
        return events_.add_series(events_.make_series(role, kind, std::move(instance)));
    }

    /// Takes a sample. Raises `serinus.argument.range` for a series that is none, `serinus.data.timestamp` outside the
    /// years 1 to 9999.
    void add(std::size_t series, Time time, double value) {
        require_series(series);
        require_time(to_ms(time));
        events_.take(series, to_ms(time), value);
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
        events_.take(series, times_ms, values);
    }

    /// The burn rate of every window, in the order of the options, of what is known at the time: samples after it do
    /// not count. With a thinned history times must not go back: `serinus.data.order`. Valid until the next call.
    std::span<const WindowBurn> at(Time time) {
        const std::int64_t time_ms = to_ms(time);
        require_time(time_ms);
        if (options_.keep == Keep::thinned) {
            if (last_ms_ && time_ms < *last_ms_) {
                raise(Code::data_order, "the burn rate is asked for at " + std::to_string(time_ms) + " ms after " +
                                            std::to_string(*last_ms_) +
                                            " ms; allowed: times that do not go back, or keep \"all\"");
            }
            // Once a minute: what a series needs less when it grows, it lets go of itself.
            if (!last_ms_ || interval_index(time_ms, 0, 60'000) != interval_index(*last_ms_, 0, 60'000))
                events_.evict(time_ms, longest_ms_);
        }
        last_ms_ = time_ms;
        with_semantics([&](auto semantics) {
            if (options_.keep == Keep::thinned) {
                find<semantics.value, true>(time_ms);
            } else {
                find<semantics.value, false>(time_ms);
            }
        });
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
        require_all_kept(times_ms);
        const bool by_rate = divides_rates();
        columns.resize(windows_ms_.size());
        for (std::size_t w = 0; w < columns.size(); ++w) {
            BurnColumn& column = columns[w];
            column.window = options_.windows[w];
            column.budget = options_.budget;
            for (auto* values : {&column.bad, &column.total, &column.ratios}) values->clear();
            column.coverage.clear();
            column.bad.reserve(times_ms.size());
            column.total.reserve(times_ms.size());
            if (by_rate) column.ratios.reserve(times_ms.size());
            column.coverage.reserve(times_ms.size());
        }
        in_blocks(times_ms, [&](std::size_t from, std::size_t size, std::vector<BurnArrays>& out) {
            for (std::size_t w = 0; w < columns.size(); ++w) {
                // Grown block by block: what is set to 0 here is written again while it is in the cache.
                BurnColumn& column = columns[w];
                column.bad.resize(from + size);
                column.total.resize(from + size);
                if (by_rate) column.ratios.resize(from + size);
                column.coverage.resize(from + size);
                out[w] = BurnArrays{.ratio = by_rate ? column.ratios.data() : nullptr,
                                    .bad = column.bad.data(),
                                    .total = column.total.data(),
                                    .coverage = column.coverage.data()}
                             .from(from);
            }
        });
    }

    /// The same into arrays, one of each kind that is wanted a window, in the order of the options: what is not wanted
    /// costs nothing. Raises `serinus.argument.length` for another number of windows, and as above.
    void over(std::span<const std::int64_t> times_ms, std::span<const BurnArrays> arrays) const {
        if (arrays.size() != windows_ms_.size()) {
            raise(Code::argument_length, "there are arrays for " + std::to_string(arrays.size()) +
                                             " windows; allowed: as many as there are windows, " +
                                             std::to_string(windows_ms_.size()));
        }
        require_all_kept(times_ms);
        in_blocks(times_ms, [&](std::size_t from, std::size_t, std::vector<BurnArrays>& out) {
            for (std::size_t w = 0; w < arrays.size(); ++w) out[w] = arrays[w].from(from);
        });
    }

    const BurnRateOptions& options() const noexcept { return options_; }
    std::size_t series_count() const noexcept { return events_.series().size(); }
    /// What became of the samples of one series, or of all.
    const SampleTally& tally(std::size_t series) const {
        require_series(series);
        return events_.series()[series].history.tally();
    }
    SampleTally tally() const noexcept {
        SampleTally sum;
        for (const auto& series : events_.series()) sum += series.history.tally();
        return sum;
    }
    /// The time of the newest sample of any series; empty before the first.
    std::optional<Time> newest() const noexcept {
        std::optional<Time> newest;
        for (const auto& series : events_.series()) {
            if (series.history.empty()) continue;
            const Time last = from_ms(series.history.newest_ms());
            newest = std::max(newest.value_or(last), last);
        }
        return newest;
    }
    /// What the samples take, without the few hundred bytes a series and window beside them.
    std::size_t memory_bytes() const noexcept { return events_.memory_bytes(); }

    BurnRateState state() const {
        BurnRateState state;
        state.budget = options_.budget;
        state.windows_ms = windows_ms_;
        state.semantics = options_.semantics;
        state.keep = options_.keep;
        state.raw_ms = options_.raw.count();
        state.interval_ms = interval_ms();
        for (const auto& series : events_.series()) {
            state.roles.push_back(series.role);
            state.histories.push_back(series.history.state());
            state.spacings.push_back(series.spacing.state());
            state.instances.push_back(series.instance);
            state.first_ms.push_back(series.first_ms.value_or(earliest_ms - 1));
            state.born.push_back(series.born ? 1 : 0);
        }
        state.covered = events_.covered().state();
        state.last_ms = last_ms_;
        return state;
    }

    /// Goes on where the state was taken, with its series. Raises `serinus.state.options` for one of other options,
    /// `serinus.state.invariant` for numbers that cannot be; the object is unchanged then.
    void restore(const BurnRateState& state) {
        if (state.budget != options_.budget || state.windows_ms != windows_ms_ ||
            state.semantics != options_.semantics || state.keep != options_.keep ||
            state.raw_ms != options_.raw.count() || state.interval_ms != interval_ms()) {
            raise(Code::state_options, "the state of a BurnRate was taken under other options than this one has");
        }
        if (state.histories.size() != state.roles.size() || state.spacings.size() != state.roles.size())
            raise(Code::state_invariant, "the state of a BurnRate must have a role, a history and a spacing a series");
        // A state of version 1 knows nothing of births.
        const bool births = !state.instances.empty() || !state.first_ms.empty() || !state.born.empty();
        const std::size_t known = births ? state.roles.size() : 0;
        bool sound = state.instances.size() == known && state.first_ms.size() == known && state.born.size() == known;
        for (std::size_t i = 0; sound && i < known; ++i) {
            sound = state.first_ms[i] >= earliest_ms - 1 && state.first_ms[i] <= latest_ms &&
                    (state.born[i] == 0 || (state.born[i] == 1 && state.first_ms[i] >= earliest_ms));
        }
        if (!sound) raise(Code::state_invariant, "the state of a BurnRate tells births that cannot be");
        if (state.last_ms && (*state.last_ms < earliest_ms || *state.last_ms > latest_ms))
            raise(Code::state_invariant, "the state of a BurnRate was last asked outside the years 1 to 9999");
        std::vector<detail::ServiceEvents::Series> series;
        std::vector<LookUp> look_ups;
        for (std::size_t i = 0; i < state.roles.size(); ++i) {
            series.push_back(events_.make_series(state.roles[i], state.histories[i].series_kind));
            series.back().history.restore(state.histories[i]);
            series.back().spacing.restore(state.spacings[i]);
            if (births) {
                series.back().instance = state.instances[i];
                if (state.first_ms[i] >= earliest_ms) series.back().first_ms = state.first_ms[i];
                series.back().born = state.born[i] == 1;
            }
            look_ups.push_back(look_up(state.roles[i], state.histories[i].series_kind));
        }
        CoveredTime covered;
        covered.restore(state.covered);
        events_.replace(std::move(series), std::move(covered));
        look_ups_ = std::move(look_ups);
        last_ms_ = state.last_ms;
        for (Sums& sums : sums_) sums.resize(windows_ms_.size());  // of roles that the state does not have
    }

  private:
    /// Where the samples of a series were found by the evaluation before.
    struct LookUp {
        std::vector<EventHistory::Cursor> cursors;  // a window each
        std::int64_t end = 0;
    };

    /// The sums over the series of one role, by window; NaN: absent.
    struct Sums {
        std::vector<double> increase, rate;
        std::vector<double> edge;           // where not exact, else 0
        std::vector<std::uint8_t> inexact;  // 1: some series' answer is not exact

        void resize(std::size_t size) {
            increase.assign(size, std::numeric_limits<double>::quiet_NaN());
            rate.assign(size, std::numeric_limits<double>::quiet_NaN());
            edge.assign(size, 0.0);
            inexact.assign(size, std::uint8_t{0});
        }
    };

    static void require_duration(std::string_view field, std::chrono::milliseconds length) {
        const std::int64_t ms = length.count();
        require(ms > 0 && ms <= serinus::longest_ms, field, static_cast<double>(ms), "above 0 ms, at most 9999 years");
    }
    static void require_time(std::int64_t ms) {
        if (ms >= earliest_ms && ms <= latest_ms) return;
        raise(Code::data_timestamp,
              "time is " + std::to_string(ms) + " ms; allowed: milliseconds since 1970, within the years 1 to 9999");
    }
    void require_series(std::size_t series) const {
        if (series < events_.series().size()) return;
        require(false, "series", static_cast<double>(series), "the number of one that was added, from 0");
    }
    void require_all_kept(std::span<const std::int64_t> times_ms) const {
        if (options_.keep != Keep::all) {
            raise(Code::argument_word,
                  "keep is " + in_quotes(word(options_.keep)) + "; allowed here: \"all\", for only it knows the past");
        }
        for (const std::int64_t time : times_ms) require_time(time);
    }

    /// Are counters taken as they are, not as Prometheus takes them?
    bool follows() const noexcept { return options_.semantics == Semantics::exact; }

    LookUp look_up(Role role, SeriesKind kind) const {
        const EventHistory history = events_.make_series(role, kind).history;
        LookUp found;
        for (const std::int64_t window : windows_ms_) found.cursors.push_back({history.tier_of(window), 0});
        return found;
    }

    /// Calls with the semantics as a constant.
    template <class Call>
    void with_semantics(const Call& call) const {
        switch (options_.semantics) {
            case Semantics::exact: call(std::integral_constant<Semantics, Semantics::exact>()); break;
            case Semantics::prometheus2: call(std::integral_constant<Semantics, Semantics::prometheus2>()); break;
            case Semantics::prometheus3: call(std::integral_constant<Semantics, Semantics::prometheus3>()); break;
            case Semantics::prometheus3_anchored:
                call(std::integral_constant<Semantics, Semantics::prometheus3_anchored>());
                break;
        }
    }

    /// Are ratios those of rates, the bits of PromQL's `rate(bad)/rate(all)`? Deltas are summed over time there, not
    /// divided by it.
    bool divides_rates() const noexcept {
        if (!extrapolated(options_.semantics)) return false;
        return std::any_of(events_.series().begin(), events_.series().end(),
                           [](const auto& series) { return series.history.kind() == SeriesKind::counter; });
    }

    /// Evaluates block by block; `place(from, size, out)` says where a block's answers go.
    template <class Place>
    void in_blocks(std::span<const std::int64_t> times_ms, const Place& place) const {
        detail::BurnBatch batch(events_, windows_ms_, options_.budget);
        std::vector<BurnArrays> out(windows_ms_.size());
        for (std::size_t from = 0; from < times_ms.size(); from += detail::BurnBatch::size) {
            const auto times = times_ms.subspan(from, std::min(detail::BurnBatch::size, times_ms.size() - from));
            place(from, times.size(), out);
            with_semantics([&](auto semantics) { batch.evaluate<semantics.value>(times, out); });
        }
    }

    /// Adds a series' increases to the sums of its role, which begin with them where it is the role's first.
    template <Semantics semantics, bool thinned, bool first>
    void add_series_up(const EventHistory& history, const HistorySample& last, std::int64_t time_ms, LookUp& places,
                       Sums& sums) {
        double* const increases = sums.increase.data();
        const auto note = [&](std::size_t w, double increase, bool exact, double edge_events) {
            if constexpr (first) {
                increases[w] = increase;
            } else {
                detail::add_to(increases[w], increase);
            }
            if constexpr (thinned) {  // else all is exact
                sums.edge[w] = edge_events + (first ? 0 : sums.edge[w]);
                sums.inexact[w] = static_cast<std::uint8_t>(!exact || (!first && sums.inexact[w] != 0));
                inexact_ = inexact_ || !exact;
            }
        };
        const auto one = [&](std::size_t w) {
            const WindowIncrease found =
                history.template increase<semantics>(last, time_ms, windows_ms_[w], places.cursors[w]);
            note(w, found.increase, found.exact, found.edge_events);
            if constexpr (extrapolated(semantics)) {
                if constexpr (first) {
                    sums.rate[w] = found.rate;
                } else {
                    detail::add_to(sums.rate[w], found.rate);
                }
            }
        };
        if constexpr (semantics == Semantics::exact) {
            history.exact_increases<thinned>(last, time_ms, windows_ms_, places.cursors, note, one);
        } else {
            for (std::size_t w = 0; w < windows_ms_.size(); ++w) one(w);
        }
    }

    template <Semantics semantics, bool thinned>
    void find(std::int64_t time_ms) {
        const std::size_t windows = windows_ms_.size();
        const bool was_inexact = inexact_;
        inexact_ = false;
        std::int64_t newest = std::numeric_limits<std::int64_t>::min();
        detail::Roles seen;
        for (std::size_t s = 0; s < look_ups_.size(); ++s) {
            const detail::ServiceEvents::Series& series = events_.series()[s];
            LookUp& places = look_ups_[s];
            Sums& sums = sums_[detail::index(series.role)];
            const bool first = !seen.has(series.role);
            (series.role == Role::bad ? seen.bad : series.role == Role::good ? seen.good : seen.total) = true;
            const HistorySample last = series.history.last_until(time_ms, places.end);
            newest = std::max(newest, last.time_ms);
            if (first) {
                add_series_up<semantics, thinned, true>(series.history, last, time_ms, places, sums);
            } else {
                add_series_up<semantics, thinned, false>(series.history, last, time_ms, places, sums);
            }
        }
        const Sums &bad = sums_[detail::index(Role::bad)], &good = sums_[detail::index(Role::good)],
                   &total = sums_[detail::index(Role::total)];
        const detail::Roles& roles = events_.roles();
        const auto join = [&](const auto& of, const auto& note) {
            if (roles.plain()) {
                for (std::size_t w = 0; w < windows; ++w) note(found_[w], of(bad)[w], of(total)[w]);
                return;
            }
            for (std::size_t w = 0; w < windows; ++w) {
                double of_bad = 0, of_all = 0;
                roles.join(of(bad)[w], of(good)[w], of(total)[w], of_bad, of_all);
                note(found_[w], of_bad, of_all);
            }
        };
        const auto increases = [](const Sums& sums) -> const std::vector<double>& { return sums.increase; };
        const auto rates = [](const Sums& sums) -> const std::vector<double>& { return sums.rate; };
        join(increases, [&](WindowBurn& window, double bads, double totals) {
            window.bad = bads;
            window.total = totals;
            window.ratio = bads / totals;
            window.burn = window.ratio / options_.budget;
            window.status = status_of(bads, totals);
        });
        if (divides_rates()) {
            join(rates, [&](WindowBurn& window, double bads, double totals) {
                window.ratio = bads / totals;
                window.burn = window.ratio / options_.budget;
            });
        }
        // Windows that begin after this are covered as a whole.
        const std::int64_t longest = events_.widest_reach();
        const CoveredTime& covered = events_.covered();
        const bool any = newest > std::numeric_limits<std::int64_t>::min();
        const bool goes_on = any && newest == covered.end() && time_ms - newest <= longest;
        const std::int64_t whole_from = goes_on ? covered.last_start() : latest_ms + 1;
        for (WindowBurn& window : found_) {
            window.coverage = time_ms - window.window.count() >= whole_from
                                  ? 1
                                  : events_.coverage(time_ms, window.window.count(), newest, longest);
        }
        if (inexact_ || was_inexact) note_edges();
    }

    /// What a thinned history leaves open.
    void note_edges() noexcept {
        const detail::Roles& roles = events_.roles();
        const Sums &bad = sums_[detail::index(Role::bad)], &good = sums_[detail::index(Role::good)],
                   &total = sums_[detail::index(Role::total)];
        for (std::size_t w = 0; w < found_.size(); ++w) {
            WindowBurn& window = found_[w];
            window.exact = (bad.inexact[w] | good.inexact[w] | (roles.sums_good() ? 0 : total.inexact[w])) == 0;
            window.edge_error_events = roles.sums_good() ? good.edge[w] + bad.edge[w] : total.edge[w];
            window.edge_error_bad = roles.sums_good() || !roles.good ? bad.edge[w] : total.edge[w] + good.edge[w];
        }
    }

    std::optional<std::int64_t> interval_ms() const noexcept {
        return options_.interval ? std::optional(options_.interval->count()) : std::nullopt;
    }

    BurnRateOptions options_;
    std::vector<std::int64_t> windows_ms_;
    std::int64_t longest_ms_ = 0;
    detail::ServiceEvents events_;
    std::vector<LookUp> look_ups_;  // by series
    std::optional<std::int64_t> last_ms_;
    std::vector<WindowBurn> found_;
    std::array<Sums, 4> sums_;  // by the number of the role
    bool inexact_ = false;
};

}  // namespace slo
}  // namespace v0
}  // namespace serinus
