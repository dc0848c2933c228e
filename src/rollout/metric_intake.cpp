#include "rollout/metric_intake.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <string_view>

#include <serinus/core/counts.hpp>
#include <serinus/core/error.hpp>
#include <serinus/core/text.hpp>
#include <serinus/series/time.hpp>

#include "rollout/limits.hpp"
#include "rollout/roles.hpp"
#include "rollout/state_checks.hpp"

namespace serinus {
inline namespace v0 {
namespace detail {
namespace {

constexpr std::array both_arms{Arm::baseline, Arm::canary};
constexpr std::size_t at(Arm arm) { return static_cast<std::size_t>(arm); }
constexpr Arm other(Arm arm) { return arm == Arm::baseline ? Arm::canary : Arm::baseline; }

/// Samples of one series that wait for a cut: of more the oldest but one goes, which a counter does not miss.
constexpr std::size_t most_waiting = 1024;
/// An instance that was silent for so long is forgotten.
constexpr std::int64_t forgotten_after_ms = 3'600'000;
constexpr std::int64_t forgotten_after_intervals = 100;
constexpr double few_falls = 3;
/// Sums that cannot be, and those that stand still, are given so many intervals to change: part and whole may be scraped apart.
constexpr std::int64_t patience = 5;
/// Ten values of independent counts rise strictly once in 10! times.
constexpr std::int64_t rising_values = 10;
/// With one fall among them so many are needed to be as rare.
constexpr std::int64_t rising_values_and_a_fall = 14;
/// A cumulative counter of processes that come and go falls less often than this in 20 steps; counts do in ten of them.
constexpr int most_falls_of_a_counter = 8;
/// Two series of one instance that have the same values at the same times in so many intervals, and grow differently in
/// them, are one: that values of some size agree twice by chance is rare, and it heals.
constexpr std::int64_t equal_intervals = 2, equal_changes = 2;
/// Counts of so many in an interval seldom agree; of fewer it takes longer to know.
constexpr double enough_to_differ = 50;
constexpr std::int64_t equal_intervals_of_few = 10;
constexpr std::size_t events_kept = 64;

int ones(std::int64_t steps, int newest) {
    return std::popcount(static_cast<std::uint64_t>(steps) & ((std::uint64_t{1} << newest) - 1));
}

}  // namespace

MetricIntake::MetricIntake(const Plan& plan, const Metric& metric, bool tells_load)
    : metric_(metric),
      names_(series_of(metric)),
      tells_load_(tells_load),
      interval_ms_(plan.interval.count()),
      max_falls_(plan.telemetry.max_falls) {}

// ---- what comes

void MetricIntake::check(const Batch& batch) const { require_bucket(metric_, batch); }

void MetricIntake::take(const ArmSeries& series, const StageClock& clock, SampleCounts& counts) {
    for (std::size_t role = 0; role < names_.size(); ++role) {
        if (reads(metric_, names_, role, series)) take(role, series, clock, counts);
    }
}

void MetricIntake::take(std::size_t role, const ArmSeries& series, const StageClock& clock, SampleCounts& counts) {
    const Series& samples = series.series;
    const auto [place, fresh] =
        tracks_.try_emplace(Key{static_cast<int>(role), series.arm, samples.instance, series.labels});
    Track& track = place->second;
    if (fresh) {
        track.kept.role = static_cast<std::int64_t>(role);
        track.kept.arm = series.arm;
        track.kept.instance = samples.instance;
        track.kept.labels = series.labels;
        track.kept.followed = -1;
        units_.known = false;
    }
    auto& replicas = track.kept.replicas;
    auto replica =
        static_cast<std::int64_t>(std::find(replicas.begin(), replicas.end(), series.replica) - replicas.begin());
    if (replica == static_cast<std::int64_t>(replicas.size())) replicas.push_back(series.replica);
    std::int64_t cut_ms = std::numeric_limits<std::int64_t>::min();
    if (const auto unit = unit_states_.find({series.arm, samples.instance});
        metric_.counter && unit != unit_states_.end() && unit->second.cut_ms) {
        cut_ms = *unit->second.cut_ms;
    }
    for (std::size_t i = 0; i < samples.times_ms.size(); ++i) {
        const std::int64_t time = samples.times_ms[i];
        // The monitoring system had none. Of counts it says that the part is not known, which is no zero.
        const bool unknown = std::isnan(samples.values[i]);
        if (unknown && (metric_.counter || !this->counts() || role != 0)) continue;
        const bool consumed = track.kept.consumed_ms && time <= *track.kept.consumed_ms;
        // What a counter showed late is in its next sample; where a stage begins no interval is over, and still its past
        // cannot be taken twice.
        const bool over = metric_.counter && this->counts()
                              ? consumed || time <= cut_ms
                              : clock.over(belongs(time)) || (consumed && metric_.counter);
        if (over) {
            (consumed ? counts.repeated : counts.late) += 1;
            continue;
        }
        const std::int64_t start = samples.starts_ms.empty() ? 0 : samples.starts_ms[i];
        const auto [waiting, is_new] =
            track.waiting.emplace(std::pair{time, replica}, Sample{samples.values[i], start});
        if (!is_new) {
            (waiting->second.value == samples.values[i] ? counts.repeated : counts.conflicts) += 1;
            continue;
        }
        if (unknown) continue;
        kept_.lives[role] = true;
        kept_.first_ms = std::min(kept_.first_ms.value_or(time), time);
        if (metric_.counter && track.waiting.size() > most_waiting)
            track.waiting.erase(std::next(track.waiting.begin()));
    }
}

std::optional<std::int64_t> MetricIntake::first_of_canary_ms() const {
    std::optional<std::int64_t> first;
    for (const auto& [key, track] : tracks_) {
        const auto known = std::find_if(track.waiting.begin(), track.waiting.end(),
                                        [](const auto& of) { return !std::isnan(of.second.value); });
        if (std::get<Arm>(key) != Arm::canary || known == track.waiting.end()) continue;
        const std::int64_t time = known->first.first;
        first = std::min(first.value_or(time), time);
    }
    return first;
}

std::optional<std::int64_t> MetricIntake::first_waiting_ms(std::optional<std::int64_t> from_ms) const {
    std::optional<std::int64_t> first;
    for (const auto& [key, track] : tracks_) {
        const std::int64_t begin =
            from_ms ? *from_ms + (metric_.counter ? 1 : 0) : std::numeric_limits<std::int64_t>::min();
        const auto waiting = track.waiting.lower_bound({begin, 0});
        if (waiting == track.waiting.end()) continue;
        const std::int64_t time = belongs(waiting->first.first);
        first = std::min(first.value_or(time), time);
    }
    return first;
}

std::optional<std::int64_t> MetricIntake::last_waiting_ms() const {
    std::optional<std::int64_t> last;
    for (const auto& [key, track] : tracks_) {
        if (!track.waiting.empty()) last = std::max(last, std::optional(belongs(track.waiting.rbegin()->first.first)));
    }
    return last;
}

// ---- which series belong together

std::string MetricIntake::series_text(const Track& track) const {
    std::string text = names_[static_cast<std::size_t>(track.kept.role)] + track.kept.labels;
    if (!track.kept.instance.empty()) text += " of " + track.kept.instance;
    return text;
}

UnitState& MetricIntake::unit_state(Arm arm, const std::string& instance) {
    UnitState& state = unit_states_[{arm, instance}];
    state.arm = arm;
    state.instance = instance;
    return state;
}

MetricIntake::Units& MetricIntake::units(Arm arm) {
    if (!units_.known) {
        for (const Arm of : both_arms) {
            Units& all = units_.arms[at(of)];
            all.clear();
            // Parts of an instance that has no whole: the two do not tell instances apart in the same way.
            bool apart = false;
            for (auto& [key, track] : tracks_) {
                if (std::get<Arm>(key) != of || std::get<int>(key) != 0 || !counts()) continue;
                const auto whole = tracks_.lower_bound(Key{1, of, track.kept.instance, ""});
                const bool paired = whole != tracks_.end() && std::get<int>(whole->first) == 1 &&
                                    std::get<Arm>(whole->first) == of &&
                                    std::get<2>(whole->first) == track.kept.instance;
                const auto any = tracks_.lower_bound(Key{1, of, "", ""});
                const bool any_whole =
                    any != tracks_.end() && std::get<int>(any->first) == 1 && std::get<Arm>(any->first) == of;
                apart = apart || (!paired && any_whole);
            }
            for (auto& [key, track] : tracks_) {
                if (std::get<Arm>(key) != of) continue;
                const std::string instance = apart ? std::string() : track.kept.instance;
                Unit& unit = all[instance];
                unit.kept = &unit_state(of, instance);
                (counts() && std::get<int>(key) == 1 ? unit.whole : unit.part).push_back(&track);
            }
        }
        units_.known = true;
    }
    return units_.arms[at(arm)];
}

/// Of a count a part that is not there is none of it, where its name lives; of what went well it is never.
bool MetricIntake::zero_where_absent() const {
    if (!metric_.good.empty()) return false;
    if (metric_.absent) return *metric_.absent == Absent::zero;
    return kept_.lives[0];
}

/// Hands over the samples up to a time, one collector's at a time: another one is followed when it falls silent.
template <class What>
void MetricIntake::each_until(Track& track, std::int64_t last_ms, const What& what) {
    SeriesTrackState& kept = track.kept;
    while (!track.waiting.empty() && track.waiting.begin()->first.first <= last_ms) {
        const auto [time, replica] = track.waiting.begin()->first;
        const Sample sample = track.waiting.begin()->second;
        track.waiting.erase(track.waiting.begin());
        if (kept.consumed_ms && time <= *kept.consumed_ms) continue;
        if (replica != kept.followed) {
            const std::int64_t silence = std::max(interval_ms_, 5 * kept.spacing_ms / 2);
            if (kept.followed >= 0 && kept.consumed_ms && time - *kept.consumed_ms <= silence) continue;
            kept.followed = replica;
        } else if (kept.consumed_ms) {
            kept.spacing_ms = time - *kept.consumed_ms;
        }
        kept.consumed_ms = time;
        std::uint64_t next = std::bit_cast<std::uint64_t>(sample.value) ^ static_cast<std::uint64_t>(time);
        next *= 0x9E3779B97F4A7C15U;
        track.sequence = (track.sequence ^ next) * 0xBF58476D1CE4E5B9U + 1;
        what(time, sample);
    }
}

// ---- counters

/// Whether the unit's process begins again after one time and not after another, by what waits.
bool MetricIntake::restarts_between(const Unit& unit, std::int64_t after_ms, std::int64_t until_ms) const {
    if (unit.kept->restarted_ms && *unit.kept->restarted_ms > after_ms) return true;
    return std::any_of(unit.whole.begin(), unit.whole.end(), [&](const Track* track) {
        CounterFollower ahead = track->counter;
        for (const auto& [key, sample] : track->waiting) {
            if (key.first > until_ms) break;
            const auto previous = ahead.previous_ms();
            if (previous && key.first <= *previous) continue;
            const bool told = previous && sample.start_ms > *previous;
            const auto step = ahead.next(key.first, sample.value,
                                         told ? CounterFollower::Restarted::yes : CounterFollower::Restarted::unknown,
                                         kept_.largest_rate);
            if (step && step->what == CounterStep::restart && key.first > after_ms) return true;
        }
        return false;
    });
}

/// The last time until `until_ms` at which all roles of the unit were sampled, or were known to be none.
std::optional<std::int64_t> MetricIntake::cut_of(Unit& unit, std::int64_t until_ms) const {
    std::vector<std::int64_t> times;
    for (const Track* track : unit.whole) {
        for (const auto& [key, sample] : track->waiting) {
            if (key.first > until_ms) break;
            times.push_back(key.first);
        }
    }
    if (times.empty()) return std::nullopt;
    std::sort(times.begin(), times.end());
    if (unit.part.empty()) return zero_where_absent() ? std::optional(times.back()) : std::nullopt;
    const auto sampled = [](const Track* track, std::int64_t time) {
        const auto waiting = track->waiting.lower_bound({time, 0});
        return waiting != track->waiting.end() && waiting->first.first == time;
    };
    for (std::size_t i = times.size(); i-- > 0;) {
        const std::int64_t time = times[i];
        if (i + 1 < times.size() && times[i + 1] == time) continue;
        if (std::any_of(unit.part.begin(), unit.part.end(), [&](const Track* track) { return sampled(track, time); })) {
            unit.kept->common = true;
            return time;
        }
        if (!zero_where_absent()) continue;
        // A part that was there, and is not though its process runs on, is a gap and no zero.
        const bool gap = std::any_of(unit.part.begin(), unit.part.end(), [&](const Track* track) {
            const auto next = track->waiting.lower_bound({time, 0});
            std::optional<std::int64_t> last = track->kept.consumed_ms;
            if (next != track->waiting.begin()) last = std::prev(next)->first.first;
            return last && !restarts_between(unit, *last, time);
        });
        if (!gap) return time;
    }
    // Series that are never sampled together are taken as far as both have come.
    if (unit.kept->common) return std::nullopt;
    std::optional<std::int64_t> last_part;
    std::size_t parts = 0;
    for (const Track* track : unit.part) {
        for (const auto& [key, sample] : track->waiting) {
            if (key.first > until_ms) break;
            last_part = std::max(last_part.value_or(key.first), key.first);
            ++parts;
        }
    }
    if (parts < 2 || times.size() < 2) return std::nullopt;
    return std::min(*last_part, times.back());
}

/// Whether the process whose counters these events are, all of one time, began again before it: one of them fell, and
/// all of them can have come so far since their last samples.
bool MetricIntake::began_again(std::size_t begin, std::size_t end) const {
    bool falls = false, any_whole = false;
    double whole = 0;
    for (std::size_t i = begin; i < end; ++i) {
        const auto& [time, track, sample] = events_[i];
        const auto previous = track->counter.previous_ms();
        if (previous && sample.start_ms > *previous) return true;
        if (track->counter.falls(sample.value)) {
            if (sample.start_ms != 0) return false;  // it says that it did not
            falls = falls || track->counter.could_be_restart(time, sample.value, kept_.largest_rate) ||
                    sample.value <= (1 - CounterFollower::smallest_fall) * track->counter.level();
        }
        if (is_whole(*track)) {
            any_whole = true;
            whole += sample.value;
            if (!track->counter.could_count(time, sample.value, kept_.largest_rate)) return false;
        }
    }
    if (!falls) return false;
    for (std::size_t i = begin; i < end; ++i) {
        const auto& [time, track, sample] = events_[i];
        if (is_whole(*track)) continue;
        if (any_whole ? sample.value > whole : !track->counter.could_be_restart(time, sample.value)) return false;
    }
    return true;
}

/// Whether a whole that is seen for the first time began to count since the last cut: it was not there then, and its value
/// is not more than what the busiest instance could have counted since.
bool MetricIntake::born(const Sample& sample, std::int64_t time_ms, Arm arm, double born_so_far) const {
    std::optional<std::int64_t> cut = cut_before_[at(arm)];
    if (!cut || *cut >= time_ms) cut = cut_before_[at(other(arm))];
    if (!cut || *cut >= time_ms) return false;
    std::int64_t scrape = kept_.spacing_ms[at(arm)];
    if (scrape == 0) scrape = kept_.spacing_ms[at(other(arm))];
    if (scrape == 0) scrape = interval_ms_;
    const auto took = static_cast<double>(time_ms - *cut + scrape);
    return born_so_far + sample.value <= 2 * kept_.largest_rate * took;
}

void MetricIntake::happened(CounterEventState& event, const Track& track, std::int64_t time_ms, double before,
                            double after) const {
    ++event.count;
    // Of several series at one time the whole is told, which comes first.
    if (event.count > 1 && event.time_ms == time_ms && !is_whole(track)) return;
    event.series = series_text(track);
    event.arm = track.kept.arm;
    event.time_ms = time_ms;
    event.before = before;
    event.after = after;
}

/// Takes what waits of a unit up to a time; returns what each role brought.
std::array<double, 2> MetricIntake::take_unit(Unit& unit, Arm arm, std::int64_t cut_ms) {
    using Restarted = CounterFollower::Restarted;
    events_.clear();
    for (const auto* const tracks : {&unit.whole, &unit.part}) {
        for (Track* const track : *tracks) {
            each_until(*track, cut_ms, [&](std::int64_t time, const Sample& sample) {
                if (std::isfinite(sample.value)) events_.push_back({time, track, sample});
            });
        }
    }
    // Stable, so that the whole comes before its parts.
    std::stable_sort(events_.begin(), events_.end(),
                     [](const Event& a, const Event& b) { return a.time_ms < b.time_ms; });
    UnitState& kept = *unit.kept;
    std::array<double, 2> sums{};
    double born_so_far = 0, unpaired = 0;
    bool first_parts = std::none_of(unit.part.begin(), unit.part.end(),
                                    [](const Track* track) { return track->counter.previous_ms().has_value(); });
    std::vector<Event> firsts;
    for (std::size_t begin = 0, end = 0; begin < events_.size(); begin = end) {
        const std::int64_t time = events_[begin].time_ms;
        while (end < events_.size() && events_[end].time_ms == time) ++end;
        if (began_again(begin, end)) kept.restarted_ms = time;
        // Where the whole is back at where it fell from, nothing began again, and neither did its parts.
        const bool hole =
            std::any_of(events_.begin() + static_cast<std::ptrdiff_t>(begin),
                        events_.begin() + static_cast<std::ptrdiff_t>(end), [&](const Event& event) {
                            return is_whole(*event.track) && event.track->counter.is_back(time, event.sample.value);
                        });
        if (hole) kept.restarted_ms.reset();
        double growth = 0;
        bool any_whole = false;
        for (std::size_t i = begin; i < end; ++i) {
            auto& [of_time, track, sample] = events_[i];
            const bool whole = is_whole(*track);
            const auto previous = track->counter.previous_ms();
            double increment = 0;
            if (!previous) {
                track->counter.next(time, sample.value);
                watch_steps(*track, sample.value, false);
                if (sample.start_ms != 0 ? sample.start_ms >= *kept_.first_ms
                                         : whole && born(sample, time, arm, born_so_far)) {
                    increment = sample.value;
                    if (whole) born_so_far += sample.value;
                    happened(kept_.births, *track, time, 0, sample.value);
                } else if (!whole && sample.start_ms == 0) {
                    firsts.push_back(events_[i]);
                }
            } else {
                if (hole && track->counter.state().former && sample.value >= *track->counter.state().former) {
                    if (whole) {
                        kept_.restarts.count = std::max<std::int64_t>(0, kept_.restarts.count - 1);
                        happened(kept_.dips, *track, time, *track->counter.state().former, track->counter.level());
                    }
                    track->counter.undo_restart();
                }
                const bool again = kept.restarted_ms && *previous < *kept.restarted_ms &&
                                   (track->counter.falls(sample.value) ||
                                    track->counter.could_count(time, sample.value, kept_.largest_rate));
                const bool told = sample.start_ms > *previous;
                const auto step =
                    track->counter.next(time, sample.value, again || told ? Restarted::yes : Restarted::no);
                increment = step->increment;
                watch_steps(*track, sample.value, step->what != CounterStep::restart);
                if (step->what == CounterStep::restart && sample.value < step->before)
                    happened(kept_.restarts, *track, time, step->before, sample.value);
                if (step->what == CounterStep::dip && track->counter.state().below == 1)
                    happened(kept_.dips, *track, time, step->before, sample.value);
                if (step->what == CounterStep::rebased) {
                    happened(kept_.lost, *track, time, step->before, sample.value);
                    if (kept_.lost_ms.size() == events_kept) kept_.lost_ms.erase(kept_.lost_ms.begin());
                    kept_.lost_ms.push_back(time);
                }
                if (whole && step->what == CounterStep::growth) growth += increment;
            }
            any_whole = any_whole || whole;
            track->brought += increment;
            ++track->samples;
            sums[whole ? 1 : 0] += increment;
        }
        if (any_whole) {
            if (kept.total_ms && time > *kept.total_ms) {
                const double rate = growth / static_cast<double>(time - *kept.total_ms);
                kept_.largest_rate = CounterFollower::raised(kept_.largest_rate, rate);
            }
            kept.total_ms = time;
            if (!kept.first_ms) kept.first_ms = time;
        }
        if (first_parts && !firsts.empty()) {
            unpaired = sums[1];  // what the whole had brought when its part was first seen
            first_parts = false;
        }
    }
    // A part that is seen for the first time began to count since the last cut where its whole has brought as much: its
    // whole must have been watched for longer than the two may be scraped apart, or have begun to count itself.
    std::int64_t apart = interval_ms_;
    for (const Track* const track : unit.whole) apart = std::max(apart, track->kept.spacing_ms);
    bool refused = false;
    for (const auto& [time, track, sample] : firsts) {
        const bool watched = kept.first_ms && time - *kept.first_ms >= apart;
        // Of events and their exposure neither says how large the other can be.
        const bool can_be = !facts_of(metric_.kind).bad_of_total || sums[0] + sample.value <= sums[1];
        if ((watched || born_so_far > 0) && can_be) {
            sums[0] += sample.value;
            if (sample.value > 0) happened(kept_.births, *track, time, 0, sample.value);
        } else {
            refused = true;
        }
    }
    // Where it did not, nobody knows what of the whole before it was bad.
    if (refused) sums[1] -= unpaired;
    kept.cut_ms = cut_ms;
    return sums;
}

bool MetricIntake::possible(const std::array<double, 2>& sums) const {
    return sums[0] >= 0 && (sums[0] <= sums[1] || !facts_of(metric_.kind).bad_of_total);
}

/// What the split is seen by: requests of both arms since the last time, once something is heard of the baseline. While
/// the canary's requests are there and wait for a cut nothing is told, for it is not silent.
void MetricIntake::tell_requests(MetricCounts& found, const std::array<double, 2>& requests, bool baseline_heard,
                                 bool canary_waits) {
    for (const Arm arm : both_arms) kept_.requests[at(arm)] += requests[at(arm)];
    kept_.baseline_heard = kept_.baseline_heard || baseline_heard;
    if (!kept_.baseline_heard || canary_waits) return;
    found.baseline_heard = true;
    found.requests = std::exchange(kept_.requests, {});
    kept_.baseline_heard = false;
}

/// The whole of an instance, for gauges that look at how much it had to do.
void MetricIntake::tell_load(Interval& interval, Arm arm, const std::string& instance, double whole) const {
    if (!tells_load_) return;
    Brought& of = interval.brought[TrackKey{names_[1], arm, instance}];
    of.sum += whole;
    of.samples += 1;
}

void MetricIntake::took_as_zero(Arm arm, const std::string& instance) {
    ++kept_.absent[at(arm)];
    kept_.absent_instance = instance;
}

void MetricIntake::close_counters(Interval& interval, MetricCounts& found, const Excused& excused, bool warming) {
    cut_before_ = kept_.cut_ms;
    std::array<double, 2> requests_of{};
    std::array<bool, 2> heard{}, waits{};
    for (const Arm arm : both_arms) {
        auto& newest = kept_.cut_ms[at(arm)];
        const auto before = newest;
        double& requests = requests_of[at(arm)];
        for (auto& [instance, unit] : units(arm)) {
            const std::optional<std::int64_t> cut = cut_of(unit, interval.to_ms);
            if (!cut) {
                for (const Track* const track : unit.whole) {
                    waits[at(arm)] =
                        waits[at(arm)] ||
                        std::any_of(track->waiting.begin(), track->waiting.end(), [&](const auto& of) {
                            return of.first.first <= interval.to_ms && of.second.value > track->counter.level();
                        });
                }
                continue;
            }
            const std::array<double, 2> sums = take_unit(unit, arm, *cut);
            for (Track* const track : unit.whole) {
                if (std::popcount(static_cast<std::uint64_t>(track->kept.descents)) < most_falls_of_a_counter) continue;
                kept_.looked_ms = *cut;
                happened(kept_.looked, *track, *cut, 0, 0);
                kept_.looked.before = ones(track->kept.descents, 20);
            }
            newest = std::max(newest.value_or(*cut), *cut);
            requests += sums[1];
            if (excused(arm, instance)) continue;
            kept_.news[at(arm)] = true;
            kept_.sums[at(arm)][0] += sums[0];
            kept_.sums[at(arm)][1] += sums[1];
            const bool absent = std::none_of(unit.part.begin(), unit.part.end(),
                                             [](const Track* track) { return track->kept.consumed_ms.has_value(); });
            if (absent) took_as_zero(arm, instance);
            tell_load(interval, arm, instance, sums[1]);
        }
        if (requests > 0) {
            // Of what is shown more often than it is sampled the changes tell how often that is.
            auto& moved = kept_.moved_ms[at(arm)];
            if (moved) {
                kept_.moves[at(arm)] += 1;
                kept_.moved_for_ms[at(arm)] += *newest - *moved;
                kept_.spacing_ms[at(arm)] = kept_.moved_for_ms[at(arm)] / kept_.moves[at(arm)];
            }
            moved = newest;
        }
        heard[at(arm)] = newest != before;
    }
    tell_requests(found, requests_of, heard[0], waits[1]);
    const auto give = [&](Arm arm) {
        found.arms[at(arm)].present = kept_.news[at(arm)];
        found.arms[at(arm)].sums = kept_.sums[at(arm)];
        kept_.sums[at(arm)] = {};
        kept_.news[at(arm)] = false;
    };
    found.heard = kept_.news;
    const bool ready = kept_.news[0] && kept_.news[1];
    // A whole that stands still may only be shown again: it is asked for more often than it is sampled.
    const bool moved = kept_.sums[0][1] > 0 && kept_.sums[1][1] > 0;
    const bool can_be = possible(kept_.sums[0]) && possible(kept_.sums[1]);
    if (warming) {
        for (const Arm arm : both_arms) give(arm);
    } else if (ready && moved && (can_be || ++kept_.doubtful_cuts >= patience)) {
        for (const Arm arm : both_arms) give(arm);
        kept_.doubtful_cuts = 0;
    } else {
        found.waiting = true;
        for (const Arm arm : both_arms) {
            const bool still = kept_.news[at(arm)] && kept_.sums[at(arm)][1] <= 0;
            kept_.still[at(arm)] = still ? kept_.still[at(arm)] + 1 : 0;
        }
        return;
    }
    kept_.still = {};
}

// ---- counts of their own interval, and values

void MetricIntake::close_counts(Interval& interval, MetricCounts& found, const Excused& excused) {
    std::array<double, 2> requests{};
    std::array<bool, 2> heard{};
    for (const Arm arm : both_arms) {
        ArmCounts& counts = found.arms[at(arm)];
        for (auto& [instance, unit] : units(arm)) {
            std::array<double, 2> sums{};
            std::array<bool, 2> any{};
            bool lived = false;  // the part was there before
            for (const auto* const tracks : {&unit.part, &unit.whole}) {
                for (Track* const track : *tracks) {
                    const std::size_t role = is_whole(*track) ? 1 : 0;
                    lived = lived || (role == 0 && track->kept.consumed_ms);
                    each_until(*track, interval.to_ms - 1, [&](std::int64_t, const Sample& sample) {
                        if (std::isnan(sample.value)) {
                            lived = true;
                            return;
                        }
                        sums[role] += sample.value;
                        any[role] = true;
                        track->brought += sample.value;
                        ++track->samples;
                    });
                    if (track->samples > 0) watch_steps(*track, track->brought, true);
                }
            }
            watch_counts(unit, interval.to_ms);
            requests[at(arm)] += std::max(0.0, sums[1]);
            heard[at(arm)] = heard[at(arm)] || any[1];
            if (excused(arm, instance) || (!any[0] && !any[1])) continue;
            const bool zero = !any[0] && zero_where_absent() && (!lived || metric_.absent == Absent::zero);
            if (!any[1] || (!any[0] && !zero)) {
                counts.unpaired = true;
                continue;
            }
            if (!any[0]) took_as_zero(arm, instance);
            counts.present = true;
            counts.sums[0] += sums[0];
            counts.sums[1] += sums[1];
            tell_load(interval, arm, instance, sums[1]);
        }
    }
    tell_requests(found, requests, heard[0], false);
}

void MetricIntake::close_values(Interval& interval, const Excused& excused) {
    for (auto& [key, track] : tracks_) {
        // Where the source names no instances, what its labels tell apart are they.
        const std::string& name = track.kept.instance.empty() ? track.kept.labels : track.kept.instance;
        const TrackKey place{names_[0], track.kept.arm, name};
        const bool out = excused(track.kept.arm, track.kept.instance);
        each_until(track, interval.to_ms - (metric_.counter ? 0 : 1), [&](std::int64_t time, const Sample& sample) {
            std::optional<double> value = sample.value;
            if (metric_.counter) {
                const auto step = track.counter.next(time, sample.value);
                value = step && step->what != CounterStep::first ? std::optional(step->increment) : std::nullopt;
            }
            if (out) {
                if (interval.excused.empty() || interval.excused.back() != place) interval.excused.push_back(place);
                return;
            }
            if (!value) return;
            Brought& of = interval.brought[place];
            of.sum += *value;
            of.samples += 1;
            track.brought += *value;
            ++track.samples;
        });
    }
}

// ---- what samples look like

/// `fall`: a value below the last one is a fall, and no restart.
void MetricIntake::watch_steps(Track& track, double value, bool fall) {
    SeriesTrackState& kept = track.kept;
    if (kept.steps == 0 && kept.rising == 0) {
        kept.rising = 1;
    } else if (value != kept.last) {  // a counter that is asked for more often than it is scraped repeats its value
        const bool fell = fall && value < kept.last;
        kept.descents = ((kept.descents << 1) | (fell ? 1 : 0)) & 0xFFFFF;
        kept.steps = std::min<std::int64_t>(kept.steps + 1, 20);
        if (value > kept.last) {
            ++kept.rising;
        } else {
            kept.rose_before = fell ? kept.rising : 0;
            kept.rising = 1;
        }
    }
    kept.last = value;
}

/// Counts whose whole rises and rises, while no part of them falls, are cumulative.
void MetricIntake::watch_counts(const Unit& unit, std::int64_t time_ms) {
    for (const Track* const track : unit.whole) {
        if (track->samples == 0) continue;
        const std::int64_t run = track->kept.rising, all = run + track->kept.rose_before;
        const bool straight = run >= rising_values;
        const bool with_a_fall = track->kept.rose_before >= 4 && all >= rising_values_and_a_fall;
        if (!straight && !with_a_fall) continue;
        const int steps = static_cast<int>(std::min<std::int64_t>(straight ? run - 1 : all - 1, 20));
        const int allowed = straight ? 0 : 1;
        const bool parts_rise = std::all_of(unit.part.begin(), unit.part.end(), [&](const Track* part) {
            return ones(part->kept.descents, steps) <= allowed;
        });
        if (!parts_rise) continue;
        kept_.looked_ms = time_ms;
        happened(kept_.looked, *track, time_ms, 0, 0);
        kept_.looked.before = static_cast<double>(straight ? run : all);
    }
}

/// The series of the whole that has risen for longest, where nothing of either arm has ever fallen: as long as that is
/// so, nobody knows whether these are counts.
const MetricIntake::Track* MetricIntake::only_risen() const {
    const Track* longest = nullptr;
    for (const auto& [key, track] : tracks_) {
        const SeriesTrackState& kept = track.kept;
        if (kept.descents != 0) return nullptr;
        if (is_whole(track) && kept.rising > std::max<std::int64_t>(1, longest ? longest->kept.rising : 0))
            longest = &track;
    }
    return longest;
}

/// Two series of one arm that bring the same, at the same times, are one.
void MetricIntake::watch_twins(std::int64_t time_ms) {
    if (!counts()) return;  // values of one instance are averaged, which the same value does not change
    constexpr int role = 1;
    for (const Arm arm : both_arms) {
        std::vector<Track*> brought;
        for (auto at_ = tracks_.lower_bound(Key{role, arm, "", ""});
             at_ != tracks_.end() && std::get<int>(at_->first) == role && std::get<Arm>(at_->first) == arm; ++at_) {
            if (at_->second.samples > 0) brought.push_back(&at_->second);
        }
        std::stable_sort(brought.begin(), brought.end(), [](const Track* a, const Track* b) {
            return std::tie(a->sequence, a->kept.instance) < std::tie(b->sequence, b->kept.instance);
        });
        // A target that is read twice shows all of its series twice; of several series two may be equal by chance.
        std::map<std::string_view, std::pair<std::size_t, std::size_t>> of_instance;  // series, and those with a twin
        const auto same_as_before = [&](std::size_t i) {
            return i > 0 && brought[i - 1]->sequence == brought[i]->sequence &&
                   brought[i - 1]->kept.instance == brought[i]->kept.instance;
        };
        for (std::size_t i = 0; i < brought.size(); ++i) {
            auto& [all, twins] = of_instance[brought[i]->kept.instance];
            ++all;
            twins += same_as_before(i) ? 1U : 0U;
        }
        for (std::size_t i = 0; i < brought.size(); ++i) {
            SeriesTrackState& kept = brought[i]->kept;
            const Track* same = nullptr;
            // Two instances may well be equal: of one instance two series with the same requests are one.
            const auto& [all, twins] = of_instance[kept.instance];
            if (same_as_before(i) && 2 * twins >= all) same = brought[i - 1];
            if (!same) {
                kept.twin.clear();
                kept.twin_intervals = kept.twin_changes = 0;
                continue;
            }
            const std::string name = series_text(*same);
            if (name != kept.twin) kept.twin_intervals = kept.twin_changes = 0;
            kept.twin = name;
            ++kept.twin_intervals;
            if (brought[i]->brought != kept.twin_last) ++kept.twin_changes;
            kept.twin_last = brought[i]->brought;
            const bool many = brought[i]->brought >= enough_to_differ;
            const std::int64_t needed = many ? equal_intervals : equal_intervals_of_few;
            if (kept.twin_intervals < needed || kept.twin_changes < equal_changes) continue;
            kept_.twin_ms = time_ms;
            happened(kept_.twin, *brought[i], time_ms, 0, 0);
            kept_.twin_other = name;
        }
    }
}

// ---- intervals

void MetricIntake::pass_over(std::int64_t from_ms) {
    for (const Arm arm : both_arms) {
        if (!metric_.counter || !counts()) continue;
        cut_before_ = kept_.cut_ms;
        for (auto& [instance, unit] : units(arm)) {
            take_unit(unit, arm, from_ms);
            if (!unit.kept->total_ms) continue;
            unit.kept->cut_ms = unit.kept->total_ms;
            auto& newest = kept_.cut_ms[at(arm)];
            const std::int64_t cut = *unit.kept->total_ms;
            if (newest && cut > *newest) kept_.spacing_ms[at(arm)] = cut - *newest;
            kept_.moved_ms[at(arm)] = cut;
            newest = std::max(newest.value_or(cut), cut);
        }
    }
    for (auto& [key, track] : tracks_) {
        each_until(track, from_ms - (metric_.counter ? 0 : 1), [&](std::int64_t time, const Sample& sample) {
            if (metric_.counter) track.counter.next(time, sample.value);
        });
        track.brought = 0;
        track.samples = 0;
        track.sequence = 0;
    }
}

void MetricIntake::close(Interval& interval, const Excused& excused, bool warming) {
    if (kept_.begins || !metric_.counter || !counts()) pass_over(interval.from_ms);
    kept_.begins = false;
    MetricCounts& found = interval.metrics.emplace_back();
    if (!counts()) {
        close_values(interval, excused);
    } else if (metric_.counter) {
        close_counters(interval, found, excused, warming);
    } else {
        close_counts(interval, found, excused);
    }
    watch_twins(interval.to_ms);
    for (auto& [key, track] : tracks_) {
        track.brought = 0;
        track.samples = 0;
        track.sequence = 0;
    }
    forget(interval.to_ms - std::max(forgotten_after_ms, forgotten_after_intervals * interval_ms_));
}

/// Instances of which nothing has come since a time are forgotten: pods that are replaced, again and again.
void MetricIntake::forget(std::int64_t before_ms) {
    const auto old = [&](const Track* track) {
        return track->waiting.empty() && track->kept.consumed_ms && *track->kept.consumed_ms < before_ms;
    };
    if (std::none_of(tracks_.begin(), tracks_.end(), [&](const auto& track) { return old(&track.second); })) return;
    for (const Arm arm : both_arms) {
        for (const auto& [instance, unit] : units(arm)) {
            if (!std::all_of(unit.part.begin(), unit.part.end(), old) ||
                !std::all_of(unit.whole.begin(), unit.whole.end(), old)) {
                continue;
            }
            unit_states_.erase({arm, instance});
            for (const auto* const tracks : {&unit.part, &unit.whole}) {
                for (const Track* const track : *tracks) {
                    tracks_.erase(Key{static_cast<int>(track->kept.role), arm, std::string(track->kept.instance),
                                      std::string(track->kept.labels)});
                    units_.known = false;
                }
            }
        }
    }
}

void MetricIntake::enter_stage() {
    kept_.begins = true;
    kept_.sums = {};
    kept_.news = {};
    kept_.doubtful_cuts = 0;
    kept_.births = kept_.restarts = kept_.dips = kept_.lost = {};
    kept_.lost_ms.clear();
    kept_.absent = {};
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

std::vector<std::string> MetricIntake::unseen() const {
    std::vector<std::string> names;
    for (std::size_t role = 0; role < names_.size(); ++role) {
        if (!kept_.lives[role]) names.push_back(names_[role]);
    }
    return names;
}

std::vector<Reason> MetricIntake::obstacles(std::int64_t intervals, std::int64_t now_ms, bool harmful) const {
    std::vector<Reason> reasons;
    const std::int64_t since_ms = now_ms - recent_intervals * interval_ms_;
    const auto lately = [&](std::optional<std::int64_t> ms) { return ms && *ms > since_ms; };
    const double allowed = std::max(few_falls, max_falls_ * static_cast<double>(intervals));
    const auto lost_lately = std::count_if(kept_.lost_ms.begin(), kept_.lost_ms.end(), lately);
    if (static_cast<double>(kept_.lost.count) > allowed && static_cast<double>(lost_lately) > few_falls) {
        reasons.push_back(told(Code::unexplained_falls, kept_.lost,
                               {{"count", static_cast<double>(kept_.lost.count)},
                                {"allowed", std::floor(allowed)},
                                {"before", kept_.lost.before},
                                {"after", kept_.lost.after}}));
    }
    if (lately(kept_.looked_ms)) {
        reasons.push_back(told(metric_.counter ? Code::looks_like_counts : Code::looks_like_counter, kept_.looked,
                               {{"count", kept_.looked.before}, {"intervals", static_cast<double>(recent_intervals)}}));
    } else if (const Track* const risen = !metric_.counter && counts() ? only_risen() : nullptr) {
        CounterEventState looked;
        happened(looked, *risen, now_ms, 0, 0);
        reasons.push_back(told(Code::looks_like_counter, looked, {{"count", static_cast<double>(risen->kept.rising)}}));
    }
    if (lately(kept_.twin_ms)) {
        reasons.push_back(told(Code::duplicate_series, kept_.twin, {}));
        reasons.back().texts.push_back({"other", kept_.twin_other});
    }
    if (harmful || !counts()) return reasons;
    if (kept_.still[1] >= patience) {
        reasons.push_back({Code::canary_without_requests, "", {}, false});
    } else if (kept_.still[0] >= patience) {
        reasons.push_back({Code::baseline_without_requests, "", {}, false});
    }
    if (!kept_.lives[0] && kept_.lives[1] && metric_.absent != Absent::zero)
        reasons.push_back({Code::never_seen, "", {}, false, {{"series", names_[0]}}});
    return reasons;
}

std::vector<Reason> MetricIntake::notes() const {
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
    if (kept_.absent[0] > 0 || kept_.absent[1] > 0) {
        std::string where = kept_.absent[0] > 0 && kept_.absent[1] > 0
                                ? "both arms"
                                : "the " + std::string(word(kept_.absent[0] > 0 ? Arm::baseline : Arm::canary));
        if (!kept_.absent_instance.empty()) where += " (" + kept_.absent_instance + ")";
        reasons.push_back({Code::absent_taken_as_zero, "", {}, false, {{"series", names_[0]}, {"where", where}}});
    }
    for (const auto& [key, track] : tracks_) {
        if (track.kept.replicas.size() < 2) continue;
        reasons.push_back({Code::replicas_joined,
                           "",
                           {},
                           false,
                           {{"series", series_text(track)}, {"names", joined(track.kept.replicas)}}});
        break;
    }
    return reasons;
}

// ---- state

MetricIntakeState MetricIntake::state() const {
    MetricIntakeState state = kept_;
    for (const auto& [key, track] : tracks_) {
        SeriesTrackState& of = state.tracks.emplace_back(track.kept);
        of.counter = track.counter.state();
        for (const auto& [when, sample] : track.waiting) {
            of.times_ms.push_back(when.first);
            of.replica.push_back(when.second);
            of.values.push_back(sample.value);
            of.starts_ms.push_back(sample.start_ms);
        }
    }
    for (const auto& [key, unit] : unit_states_) state.units.push_back(unit);
    return state;
}

void MetricIntake::restore(const MetricIntakeState& state) {
    tracks_.clear();
    unit_states_.clear();
    units_.known = false;
    kept_ = state;
    kept_.tracks.clear();
    kept_.units.clear();
    for (const UnitState& unit : state.units) {
        for (const auto& ms : {unit.cut_ms, unit.restarted_ms, unit.first_ms, unit.total_ms}) require_state_time(ms);
        unit_states_[{unit.arm, unit.instance}] = unit;
    }
    for (const auto& ms : {state.first_ms, state.looked_ms, state.twin_ms, state.cut_ms[0], state.cut_ms[1],
                           state.moved_ms[0], state.moved_ms[1]})
        require_state_time(ms);
    require_state(state.largest_rate >= 0 && std::isfinite(state.largest_rate), "a rate that cannot be");
    for (const SeriesTrackState& of : state.tracks) {
        require_state(of.role >= 0 && of.role < static_cast<std::int64_t>(names_.size()),
                      "a role that the metric has not");
        require_state(of.times_ms.size() == of.values.size() && of.times_ms.size() == of.replica.size() &&
                          of.times_ms.size() == of.starts_ms.size(),
                      "a series with unequal times and values");
        require_state(
            of.followed >= -1 && of.followed < std::max<std::int64_t>(1, static_cast<std::int64_t>(of.replicas.size())),
            "a series that follows a replica which it has not");
        require_state_time(of.consumed_ms);
        require_state_time(of.counter.previous_ms);
        Track& track = tracks_[Key{static_cast<int>(of.role), of.arm, of.instance, of.labels}];
        track.kept = of;
        track.kept.times_ms.clear();
        track.kept.values.clear();
        track.kept.replica.clear();
        track.kept.starts_ms.clear();
        track.counter.restore(of.counter);
        for (std::size_t i = 0; i < of.times_ms.size(); ++i) {
            require_state_time(of.times_ms[i]);
            track.waiting.emplace(std::pair{of.times_ms[i], of.replica[i]}, Sample{of.values[i], of.starts_ms[i]});
        }
    }
}

void MetricIntake::restore_former(const TrackState& former) {
    for (std::size_t role = 0; role < names_.size(); ++role) {
        if (names_[role] != former.name) continue;
        Track& track = tracks_[Key{static_cast<int>(role), former.arm, former.instance, ""}];
        units_.known = false;
        track.kept.role = static_cast<std::int64_t>(role);
        track.kept.arm = former.arm;
        track.kept.instance = former.instance;
        track.kept.replicas = {""};
        track.kept.followed = 0;
        track.kept.consumed_ms = former.consumed_ms;
        kept_.lives[role] = true;
        if (former.counter.has_previous) {
            track.counter.restore({former.counter.previous_ms, former.counter.previous_value, 0, 0, std::nullopt});
            kept_.first_ms = std::min(kept_.first_ms.value_or(former.counter.previous_ms), former.counter.previous_ms);
            UnitState& unit = unit_state(former.arm, former.instance);
            if (role == 1) unit.first_ms = unit.total_ms = former.counter.previous_ms;
        }
        for (std::size_t i = 0; i < former.times_ms.size(); ++i) {
            require_state_time(former.times_ms[i]);
            track.waiting.emplace(std::pair{former.times_ms[i], std::int64_t{0}}, Sample{former.values[i], 0});
            kept_.first_ms = std::min(kept_.first_ms.value_or(former.times_ms[i]), former.times_ms[i]);
        }
    }
}

}  // namespace detail
}  // namespace v0
}  // namespace serinus
