#include "rollout/observation_intake.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <set>
#include <tuple>
#include <utility>

#include <serinus/core/counts.hpp>
#include <serinus/core/error.hpp>
#include <serinus/core/quote.hpp>
#include <serinus/core/text.hpp>
#include <serinus/series/time.hpp>

#include "rollout/limits.hpp"
#include "rollout/state_checks.hpp"

namespace serinus {
inline namespace v0 {
namespace detail {
namespace {

constexpr std::array both_arms{Arm::baseline, Arm::canary};
constexpr std::size_t at(Arm arm) { return static_cast<std::size_t>(arm); }
constexpr std::size_t most_waiting = 256;  // of one histogram: of more the oldest but one goes
constexpr std::int64_t looks_like_counter_from = 10;
constexpr double few_falls = 3;
constexpr std::int64_t forgotten_after_ms = 3'600'000, forgotten_after_intervals = 100;
constexpr std::size_t events_kept = 64;

/// The series of one histogram's buckets, by their upper ends.
using Buckets = std::map<double, double>;

}  // namespace

ObservationIntake::ObservationIntake(const Metric& metric, std::int64_t interval_ms, bool all)
    : metric_(metric), interval_ms_(interval_ms), all_(all) {}

// ---- what comes

void ObservationIntake::check(const Batch& batch) const {
    if (single()) {
        for (const ArmSeries& series : batch.series) {
            if (series.name != metric_.series || std::isnan(series.le)) continue;
            raise(Code::data_bucket, "series " + in_quotes(series.name) + " has buckets, and metric " +
                                         in_quotes(metric_.name) +
                                         " reads single observations; allowed: \"kind\": \"histogram\"");
        }
        return;
    }
    std::set<std::tuple<Arm, std::string, std::string, std::string>> some, whole;
    for (const ArmSeries& series : batch.series) {
        if (series.name != metric_.series) continue;
        if (std::isnan(series.le)) {
            raise(Code::data_bucket, "series " + in_quotes(series.name) + " has no buckets, and metric " +
                                         in_quotes(metric_.name) +
                                         " is a histogram; allowed: a series with \"le\", or a native histogram");
        }
        some.emplace(series.arm, series.series.instance, series.labels, series.replica);
        if (series.le == std::numeric_limits<double>::infinity())
            whole.emplace(series.arm, series.series.instance, series.labels, series.replica);
    }
    for (const auto& of : some) {
        if (whole.contains(of)) continue;
        raise(Code::data_bucket, "series " + in_quotes(metric_.series) + std::get<2>(of) +
                                     " has no bucket with le=\"+Inf\", so nobody knows of how many; allowed: all of "
                                     "a histogram's buckets");
    }
    for (const ArmHistogram& histogram : batch.histograms) {
        if (histogram.name != metric_.series) continue;
        const HistogramSeries& series = histogram.series;
        if (series.times_ms.size() != series.samples.size() ||
            (!series.starts_ms.empty() && series.starts_ms.size() != series.times_ms.size())) {
            raise(Code::argument_length,
                  "histogram " + in_quotes(histogram.name) + " has " + std::to_string(series.times_ms.size()) +
                      " times and " + std::to_string(series.samples.size()) + " samples; allowed: as many of both");
        }
    }
}

ObservationIntake::Track& ObservationIntake::track(Arm arm, const std::string& instance, const std::string& labels,
                                                   const std::string& replica, std::int64_t& index) {
    const auto [place, fresh] = tracks_.try_emplace(Key{arm, instance, labels});
    Track& of = place->second;
    if (fresh) {
        of.kept.arm = arm;
        of.kept.instance = instance;
        of.kept.labels = labels;
        of.kept.followed = -1;
    }
    auto& replicas = of.kept.replicas;
    index = static_cast<std::int64_t>(std::find(replicas.begin(), replicas.end(), replica) - replicas.begin());
    if (index == static_cast<std::int64_t>(replicas.size())) replicas.push_back(replica);
    return of;
}

void ObservationIntake::put(Track& of, std::int64_t replica, std::int64_t time_ms, Sample sample, const Over& over,
                            ObservationCounts& counts) {
    const bool consumed = of.kept.consumed_ms && time_ms <= *of.kept.consumed_ms;
    // What a cumulative histogram showed late is in its next sample.
    if (consumed || (!metric_.counter && over(belongs(time_ms)))) {
        (consumed ? counts.repeated : counts.late) += 1;
        return;
    }
    const auto [waiting, fresh] = of.waiting.emplace(std::pair{time_ms, replica}, sample);
    if (!fresh) {
        // Single observations of one time come together; more of them than before are the same ones and others.
        const bool more = single() && sample.whole.counts.size() > waiting->second.whole.counts.size();
        (waiting->second.whole == sample.whole || more ? counts.repeated : counts.conflicts) += 1;
        if (more) waiting->second = std::move(sample);
        return;
    }
    kept_.first_ms = std::min(kept_.first_ms.value_or(time_ms), time_ms);
    if (metric_.counter && !all_ && of.waiting.size() > most_waiting) of.waiting.erase(std::next(of.waiting.begin()));
}

void ObservationIntake::take(const Batch& batch, const Over& over, ObservationCounts& counts) {
    std::int64_t replica = 0;
    // By histogram, and by time, what its buckets show.
    using Of = std::tuple<Arm, std::string, std::string, std::string>;
    std::map<Of, std::map<std::int64_t, std::pair<Buckets, std::int64_t>>> classic;
    for (const ArmSeries& series : batch.series) {
        if (series.name != metric_.series) continue;
        const Series& samples = series.series;
        const auto start = [&](std::size_t i) { return samples.starts_ms.empty() ? 0 : samples.starts_ms[i]; };
        if (single()) {
            Track& of = track(series.arm, samples.instance, series.labels, series.replica, replica);
            std::map<std::int64_t, Sample> times;
            for (std::size_t i = 0; i < samples.times_ms.size(); ++i) {
                if (std::isnan(samples.values[i])) {
                    happened(kept_.not_numbers, of, samples.times_ms[i], 0, 0);
                    continue;
                }
                times[samples.times_ms[i]].whole.counts.push_back(samples.values[i]);
            }
            for (auto& [time, sample] : times) put(of, replica, time, std::move(sample), over, counts);
            continue;
        }
        auto& times = classic[{series.arm, samples.instance, series.labels, series.replica}];
        for (std::size_t i = 0; i < samples.times_ms.size(); ++i) {
            if (std::isnan(samples.values[i])) continue;
            auto& [buckets, started] = times[samples.times_ms[i]];
            buckets.emplace(series.le, samples.values[i]);
            started = std::max(started, start(i));
        }
    }
    for (auto& [of, times] : classic) {
        const auto& [arm, instance, labels, name] = of;
        Track& to = track(arm, instance, labels, name, replica);
        for (auto& [time, shown] : times) {
            auto& [buckets, start] = shown;
            // Without the last one nobody knows of how many.
            if (!buckets.contains(std::numeric_limits<double>::infinity())) continue;
            Sample sample;
            sample.start_ms = start;
            double below = 0;
            for (const auto& [le, value] : buckets) {
                if (std::isfinite(le)) sample.whole.bounds.push_back(le);
                sample.whole.counts.push_back(value - below);
                below = value;
            }
            if (std::isfinite(below)) put(to, replica, time, std::move(sample), over, counts);
        }
    }
    if (single()) return;
    for (const ArmHistogram& histogram : batch.histograms) {
        if (histogram.name != metric_.series) continue;
        const HistogramSeries& series = histogram.series;
        Track& to = track(histogram.arm, series.instance, histogram.labels, histogram.replica, replica);
        for (std::size_t i = 0; i < series.times_ms.size(); ++i) {
            const HistogramSample& seen = series.samples[i];
            Sample sample{partition_of(seen), series.starts_ms.empty() ? 0 : series.starts_ms[i], series.delta};
            if (!std::isfinite(sample.whole.total())) continue;
            if (seen.buckets.empty() && seen.count > 0) {
                happened(kept_.empty, to, series.times_ms[i], 0, seen.count);
                kept_.empty_ms = std::max(kept_.empty_ms.value_or(series.times_ms[i]), series.times_ms[i]);
                continue;
            }
            if (const double lost = seen.count - bucket_total(seen); lost > 0.5) {
                happened(kept_.not_numbers, to, series.times_ms[i], 0, 0);
                kept_.not_numbers.count =
                    std::max(kept_.not_numbers.count, static_cast<std::int64_t>(std::min(lost, 9e15)));
            }
            put(to, replica, series.times_ms[i], std::move(sample), over, counts);
        }
    }
}

std::optional<std::int64_t> ObservationIntake::first_of_canary_ms() const {
    std::optional<std::int64_t> first;
    for (const auto& [key, of] : tracks_) {
        if (std::get<Arm>(key) != Arm::canary || of.waiting.empty()) continue;
        const std::int64_t time = of.waiting.begin()->first.first;
        first = std::min(first.value_or(time), time);
    }
    return first;
}

std::optional<std::int64_t> ObservationIntake::first_waiting_ms(std::optional<std::int64_t> from_ms) const {
    std::optional<std::int64_t> first;
    for (const auto& [key, of] : tracks_) {
        const std::int64_t begin =
            from_ms ? *from_ms + (metric_.counter ? 1 : 0) : std::numeric_limits<std::int64_t>::min();
        const auto waiting = of.waiting.lower_bound({begin, 0});
        if (waiting == of.waiting.end()) continue;
        const std::int64_t time = belongs(waiting->first.first);
        first = std::min(first.value_or(time), time);
    }
    return first;
}

std::optional<std::int64_t> ObservationIntake::last_waiting_ms() const {
    std::optional<std::int64_t> last;
    for (const auto& [key, of] : tracks_) {
        if (!of.waiting.empty()) last = std::max(last, std::optional(belongs(of.waiting.rbegin()->first.first)));
    }
    return last;
}

// ---- one series

/// Hands over the samples up to a time, one collector's at a time: another one is followed when it falls silent.
template <class What>
void ObservationIntake::each_until(Track& of, std::int64_t last_ms, const What& what) {
    ObservationTrackState& kept = of.kept;
    while (!of.waiting.empty() && of.waiting.begin()->first.first <= last_ms) {
        const auto [time, replica] = of.waiting.begin()->first;
        const Sample sample = std::move(of.waiting.begin()->second);
        of.waiting.erase(of.waiting.begin());
        if (kept.consumed_ms && time <= *kept.consumed_ms) continue;
        if (replica != kept.followed) {
            const std::int64_t silence = std::max(interval_ms_, 5 * kept.spacing_ms / 2);
            if (kept.followed >= 0 && kept.consumed_ms && time - *kept.consumed_ms <= silence) continue;
            kept.followed = replica;
        } else if (kept.consumed_ms) {
            kept.spacing_ms = time - *kept.consumed_ms;
        }
        kept.consumed_ms = time;
        what(time, sample);
    }
}

std::string ObservationIntake::series_text(const Track& of) const {
    std::string text = metric_.series + of.kept.labels;
    if (!of.kept.instance.empty()) text += " of " + of.kept.instance;
    return text;
}

void ObservationIntake::happened(CounterEventState& event, const Track& of, std::int64_t time_ms, double before,
                                 double after) {
    ++event.count;
    event.series = series_text(of);
    event.arm = of.kept.arm;
    event.time_ms = time_ms;
    event.before = before;
    event.after = after;
}

/// Adds what a sample of a histogram brought since the one before.
void ObservationIntake::follow(Track& of, std::int64_t time_ms, const Sample& sample, Partition& brought) {
    using Restarted = CounterFollower::Restarted;
    const double total = sample.whole.total();
    // A histogram that is said to count its own interval, and only ever grows, is cumulative.
    of.kept.rising = total > of.kept.total && of.kept.total > 0 ? of.kept.rising + 1 : 0;
    of.kept.total = total;
    if (!metric_.counter && !sample.delta && of.kept.rising >= looks_like_counter_from) {
        happened(kept_.looked, of, time_ms, 0, 0);
        kept_.looked.before = static_cast<double>(of.kept.rising);
        kept_.looked_ms = time_ms;
    }
    if (sample.delta || !metric_.counter) {
        if (add_to(brought, sample.whole)) happened(kept_.changed, of, time_ms, 0, 0);
        return;
    }
    const auto previous = of.counter.previous_ms();
    const auto rate = [&](double counted) {
        if (previous && time_ms > *previous)
            kept_.largest_rate =
                CounterFollower::raised(kept_.largest_rate, counted / static_cast<double>(time_ms - *previous));
    };
    if (!previous) {
        of.counter.next(time_ms, total);
        of.last = sample.whole;
        bool born = sample.start_ms != 0 && sample.start_ms >= *kept_.first_ms;
        if (sample.start_ms == 0) {
            // It was not there at the last cut, and shows no more than the busiest could have counted since.
            const auto cut = std::max(kept_.cut_ms[0], kept_.cut_ms[1]);
            if (cut && *cut < time_ms) {
                const auto took = static_cast<double>(time_ms - *cut + std::max(spacing_ms(), interval_ms_));
                born = total <= 2 * kept_.largest_rate * took;
            }
        }
        if (born) {
            add_to(brought, sample.whole);
            happened(kept_.births, of, time_ms, 0, total);
        }
        return;
    }
    const bool told = sample.start_ms > *previous;
    // Between the bounds that both know.
    Partition now = sample.whole, then = of.last;
    if (now.bounds != then.bounds) {
        const std::vector<double> common = common_bounds(now, then);
        if (common.size() < now.bounds.size() && common.size() < then.bounds.size())
            happened(kept_.changed, of, time_ms, 0, 0);
        now = between(now, common);
        then = between(then, common);
    }
    bool fewer = false;
    for (std::size_t i = 0; i < now.counts.size(); ++i) {
        now.counts[i] -= then.counts[i];
        fewer = fewer || now.counts[i] < 0;
    }
    Restarted restarted = told ? Restarted::yes : Restarted::unknown;
    // All of them are more, a part is less: it began again, if it can have counted so much since.
    if (fewer && !of.counter.falls(total) && !told) {
        if (!of.counter.could_count(time_ms, total, kept_.largest_rate)) {
            happened(kept_.dips, of, time_ms, of.counter.level(), total);
            return;
        }
        restarted = Restarted::yes;
    }
    const auto step = of.counter.next(time_ms, total, restarted, kept_.largest_rate);
    switch (step->what) {
        case CounterStep::restart:
            if (total < step->before) happened(kept_.restarts, of, time_ms, step->before, total);
            if (add_to(brought, sample.whole)) happened(kept_.changed, of, time_ms, 0, 0);
            of.last = sample.whole;
            return;
        case CounterStep::dip:
            if (of.counter.state().below == 1) happened(kept_.dips, of, time_ms, step->before, total);
            return;
        case CounterStep::rebased:
            happened(kept_.lost, of, time_ms, step->before, total);
            if (kept_.lost_ms.size() == events_kept) kept_.lost_ms.erase(kept_.lost_ms.begin());
            kept_.lost_ms.push_back(time_ms);
            of.last = sample.whole;
            return;
        case CounterStep::first:
        case CounterStep::growth:
        case CounterStep::recovered: break;
    }
    rate(step->increment);
    if (add_to(brought, now)) happened(kept_.changed, of, time_ms, 0, 0);
    of.last = sample.whole;
}

// ---- intervals

void ObservationIntake::pass_over(std::int64_t from_ms) {
    for (auto& [key, of] : tracks_) {
        each_until(of, from_ms - (metric_.counter ? 0 : 1), [&](std::int64_t time, const Sample& sample) {
            if (!metric_.counter) return;
            Partition nothing;
            follow(of, time, sample, nothing);
            auto& cut = kept_.cut_ms[at(of.kept.arm)];
            cut = std::max(cut.value_or(time), time);
        });
    }
}

void ObservationIntake::close(const Interval& interval, MetricCounts& found, const Excused& excused, bool warming,
                              const Each& each) {
    if (kept_.begins || !metric_.counter) pass_over(interval.from_ms);
    kept_.begins = false;
    std::vector<Shown> shown;
    for (auto& [key, of] : tracks_) {
        const std::size_t arm = at(of.kept.arm);
        Partition brought;
        bool any = false;
        std::optional<std::int64_t> newest;
        each_until(of, interval.to_ms - (metric_.counter ? 0 : 1), [&](std::int64_t time, const Sample& sample) {
            any = true;
            newest = time;
            if (single()) {
                auto& values = found.values[arm];
                if (!excused(of.kept.arm, of.kept.instance))
                    values.insert(values.end(), sample.whole.counts.begin(), sample.whole.counts.end());
                brought.counts.insert(brought.counts.end(), sample.whole.counts.begin(), sample.whole.counts.end());
            } else {
                follow(of, time, sample, brought);
            }
        });
        if (!any) continue;
        if (auto& cut = kept_.cut_ms[arm]; !cut || *newest > *cut) {
            if (cut) kept_.spacing_ms[arm] = *newest - *cut;
            cut = newest;
        }
        if (excused(of.kept.arm, of.kept.instance)) continue;
        if (brought.empty() && metric_.counter) continue;  // its first sample tells nothing yet
        if (each) each(of.kept.arm, of.kept.instance, brought);
        kept_.news[arm] = true;
        if (!single() && add_to(waiting_[arm], brought)) happened(kept_.changed, of, *newest, 0, 0);
        // (One that is alone of its instance has no twin.)
        const auto of_instance = tracks_.lower_bound(Key{of.kept.arm, of.kept.instance, ""});
        const bool others =
            &of_instance->second != &of ||
            (std::next(of_instance) != tracks_.end() && std::get<Arm>(std::next(of_instance)->first) == of.kept.arm &&
             std::get<1>(std::next(of_instance)->first) == of.kept.instance);
        if (others) shown.push_back({&of, std::move(brought), *newest});
    }
    watch_twins(std::move(shown), interval.to_ms);
    // Instances of which nothing has come for long are forgotten: pods that are replaced, again and again.
    const std::int64_t old_ms = interval.to_ms - std::max(forgotten_after_ms, forgotten_after_intervals * interval_ms_);
    std::erase_if(tracks_, [&](const auto& of) {
        const Track& track = of.second;
        return track.waiting.empty() && track.kept.consumed_ms && *track.kept.consumed_ms < old_ms;
    });
    found.heard = kept_.news;
    const auto give = [&](std::size_t arm) {
        found.arms[arm].present = std::exchange(kept_.news[arm], false);
        // What cannot be is told by the first count that cannot.
        const auto wrong = std::find_if(waiting_[arm].counts.begin(), waiting_[arm].counts.end(),
                                        [](double count) { return !is_count(count); });
        const double total = waiting_[arm].total();
        found.arms[arm].sums = {wrong == waiting_[arm].counts.end() ? total : *wrong, std::max(1.0, total)};
        found.observations[arm] = std::exchange(waiting_[arm], {});
    };
    const auto moved = [&](std::size_t arm) { return kept_.news[arm] && waiting_[arm].total() != 0; };
    if (metric_.counter && !warming && !(moved(0) && moved(1))) {
        found.waiting = true;
        return;
    }
    for (const Arm arm : both_arms) give(at(arm));
}

/// Two series of one instance that bring the same, at the same times, are one: as of counts (MetricIntake::watch_twins).
void ObservationIntake::watch_twins(std::vector<Shown> shown, std::int64_t time_ms) {
    // They come ordered by arm and instance.
    const auto same_instance = [](const Shown& a, const Shown& b) {
        return a.track->kept.arm == b.track->kept.arm && a.track->kept.instance == b.track->kept.instance;
    };
    const auto equal = [](const Shown& a, const Shown& b) {
        return a.newest_ms == b.newest_ms && a.brought == b.brought;
    };
    for (auto from = shown.begin(); from != shown.end();) {
        const auto to = std::find_if(from, shown.end(), [&](const Shown& one) { return !same_instance(*from, one); });
        std::stable_sort(from, to, [](const Shown& a, const Shown& b) {
            return std::tie(a.newest_ms, a.brought.counts, a.brought.bounds) <
                   std::tie(b.newest_ms, b.brought.counts, b.brought.bounds);
        });
        std::ptrdiff_t twins = 0;
        for (auto one = std::next(from); one != to; ++one) twins += equal(*std::prev(one), *one) ? 1 : 0;
        for (auto one = from; one != to; ++one) {
            ObservationTrackState& kept = one->track->kept;
            if (one == from || !equal(*std::prev(one), *one) || 2 * twins < to - from) {
                kept.twin.clear();
                kept.twin_intervals = kept.twin_changes = 0;
                continue;
            }
            const std::string name = series_text(*std::prev(one)->track);
            if (name != kept.twin) kept.twin_intervals = kept.twin_changes = 0;
            kept.twin = name;
            ++kept.twin_intervals;
            const std::vector<double>& counts = one->brought.counts;
            double size = 0, print = 0;  // how many observations, and what tells them from other ones
            for (std::size_t i = 0; i < counts.size(); ++i) {
                size += single() ? 1 : counts[i];
                print += static_cast<double>(i + 1) * counts[i];
            }
            if (print != kept.twin_last) ++kept.twin_changes;
            kept.twin_last = print;
            const std::int64_t needed = size >= enough_to_differ ? equal_intervals : equal_intervals_of_few;
            if (kept.twin_intervals < needed || kept.twin_changes < equal_changes) continue;
            kept_.twin_ms = time_ms;
            happened(kept_.twin, *one->track, time_ms, 0, 0);
            kept_.twin_other = name;
        }
        from = to;
    }
}

void ObservationIntake::enter_stage() {
    kept_.begins = true;
    waiting_ = {};
    kept_.news = {};
    kept_.births = kept_.restarts = kept_.dips = kept_.lost = kept_.changed = kept_.not_numbers = {};
    kept_.lost_ms.clear();
}

// ---- what is said

namespace {

Reason told(Code code, const CounterEventState& event, std::vector<NamedNumber> numbers) {
    return {code,
            "",
            std::move(numbers),
            false,
            {{"series", event.series}, {"arm", std::string(word(event.arm))}, {"time", format_time(event.time_ms)}}};
}

}  // namespace

std::vector<Reason> ObservationIntake::obstacles(std::int64_t now_ms, bool harmful) const {
    std::vector<Reason> reasons;
    const std::int64_t since_ms = now_ms - recent_intervals * interval_ms_;
    const auto lately = [&](std::optional<std::int64_t> ms) { return ms && *ms > since_ms; };
    const auto lost_lately = std::count_if(kept_.lost_ms.begin(), kept_.lost_ms.end(), lately);
    if (static_cast<double>(lost_lately) > few_falls) {
        reasons.push_back(told(Code::unexplained_falls, kept_.lost,
                               {{"count", static_cast<double>(kept_.lost.count)},
                                {"allowed", few_falls},
                                {"before", kept_.lost.before},
                                {"after", kept_.lost.after}}));
    }
    if (lately(kept_.looked_ms))
        reasons.push_back(told(Code::looks_like_counter, kept_.looked, {{"count", kept_.looked.before}}));
    if (lately(kept_.twin_ms)) {
        reasons.push_back(told(Code::duplicate_series, kept_.twin, {}));
        reasons.back().texts.push_back({"other", kept_.twin_other});
    }
    if (!harmful && lately(kept_.empty_ms)) reasons.push_back(told(Code::no_buckets, kept_.empty, {}));
    return reasons;
}

std::vector<Reason> ObservationIntake::notes() const {
    std::vector<Reason> reasons;
    const auto tell = [&](Code code, const CounterEventState& event) {
        if (event.count == 0) return;
        reasons.push_back(told(code, event,
                               {{"count", static_cast<double>(event.count)},
                                {"value", event.after},
                                {"before", event.before},
                                {"after", event.after}}));
    };
    tell(Code::births, kept_.births);
    tell(Code::counter_restarts, kept_.restarts);
    tell(Code::counter_dips, kept_.dips);
    tell(Code::buckets_changed, kept_.changed);
    tell(Code::not_numbers, kept_.not_numbers);
    for (const auto& [key, of] : tracks_) {
        if (of.kept.replicas.size() < 2) continue;
        reasons.push_back(
            {Code::replicas_joined, "", {}, false, {{"series", series_text(of)}, {"names", joined(of.kept.replicas)}}});
        break;
    }
    return reasons;
}

// ---- state

ObservationIntakeState ObservationIntake::state() const {
    ObservationIntakeState state = kept_;
    for (std::size_t arm = 0; arm < 2; ++arm) state.waiting[arm] = state_of(waiting_[arm]);
    for (const auto& [key, of] : tracks_) {
        ObservationTrackState& kept = state.tracks.emplace_back(of.kept);
        kept.counter = of.counter.state();
        kept.last = state_of(of.last);
        for (const auto& [when, sample] : of.waiting) {
            kept.times_ms.push_back(when.first);
            kept.replica.push_back(when.second);
            kept.starts_ms.push_back(sample.start_ms);
            kept.delta.push_back(sample.delta ? 1 : 0);
            kept.bounds.push_back(sample.whole.bounds);
            kept.counts.push_back(sample.whole.counts);
        }
    }
    return state;
}

void ObservationIntake::restore(const ObservationIntakeState& state) {
    tracks_.clear();
    kept_ = state;
    kept_.tracks.clear();
    for (const auto& ms :
         {state.first_ms, state.looked_ms, state.twin_ms, state.empty_ms, state.cut_ms[0], state.cut_ms[1]})
        require_state_time(ms);
    require_state(state.largest_rate >= 0 && std::isfinite(state.largest_rate), "a rate that cannot be");
    require_state(sound(state.waiting[0]) && sound(state.waiting[1]), "buckets that cannot be");
    for (std::size_t arm = 0; arm < 2; ++arm) waiting_[arm] = partition_of(state.waiting[arm]);
    kept_.waiting = {};
    for (const ObservationTrackState& of : state.tracks) {
        const std::size_t size = of.times_ms.size();
        require_state(of.replica.size() == size && of.starts_ms.size() == size && of.delta.size() == size &&
                          of.bounds.size() == size && of.counts.size() == size,
                      "histograms with unequal times and values");
        require_state(
            of.followed >= -1 && of.followed < std::max<std::int64_t>(1, static_cast<std::int64_t>(of.replicas.size())),
            "a series that follows a replica which it has not");
        require_state(sound(of.last), "buckets that cannot be");
        require_state_time(of.consumed_ms);
        require_state_time(of.counter.previous_ms);
        Track& to = tracks_[Key{of.arm, of.instance, of.labels}];
        to.kept = of;
        to.kept.times_ms.clear();
        to.kept.replica.clear();
        to.kept.starts_ms.clear();
        to.kept.delta.clear();
        to.kept.bounds.clear();
        to.kept.counts.clear();
        to.kept.last = {};
        to.counter.restore(of.counter);
        to.last = partition_of(of.last);
        for (std::size_t i = 0; i < size; ++i) {
            require_state_time(of.times_ms[i]);
            require_state(single() || sound({of.bounds[i], of.counts[i]}), "buckets that cannot be");
            to.waiting.emplace(std::pair{of.times_ms[i], of.replica[i]},
                               Sample{{of.bounds[i], of.counts[i]}, of.starts_ms[i], of.delta[i] != 0});
        }
    }
}

}  // namespace detail
}  // namespace v0
}  // namespace serinus
