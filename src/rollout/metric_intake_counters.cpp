// Cumulative counters of one instance, up to the last time at which all roles of the metric were sampled.

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include <serinus/series/counter_follower.hpp>

#include "rollout/metric_intake.hpp"

namespace serinus {
inline namespace v0 {
namespace detail {
namespace {

constexpr Arm other(Arm arm) { return arm == Arm::baseline ? Arm::canary : Arm::baseline; }
constexpr std::size_t events_kept = 64;

}  // namespace

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

/// What an instance spent for what it spent it on, where that is judged.
void MetricIntake::tell_quotient(Interval& interval, Arm arm, const std::string& instance,
                                 const std::array<double, 2>& sums) const {
    if (!facts_of(metric_.kind).divides || !(sums[1] > 0) || !std::isfinite(sums[0])) return;
    Brought& of = interval.brought[TrackKey{values_name_, arm, instance}];
    of.sum += sums[0] / sums[1];
    of.samples += 1;
}

/// An instance that warms up again is there, and is not judged.
void MetricIntake::tell_excused(Interval& interval, Arm arm, const std::string& instance) const {
    if (facts_of(metric_.kind).divides) interval.excused.emplace_back(values_name_, arm, instance);
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
            watch_falls(unit, *cut);
            newest = std::max(newest.value_or(*cut), *cut);
            requests += sums[1];
            if (excused(arm, instance)) {
                tell_excused(interval, arm, instance);
                continue;
            }
            kept_.news[at(arm)] = true;
            kept_.sums[at(arm)][0] += sums[0];
            kept_.sums[at(arm)][1] += sums[1];
            if (facts_of(metric_.kind).divides) {
                unit.kept->waits[0] += sums[0];
                unit.kept->waits[1] += sums[1];
            }
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
        if (!facts_of(metric_.kind).divides) return;
        for (auto& [instance, unit] : units(arm))
            tell_quotient(interval, arm, instance, std::exchange(unit.kept->waits, {}));
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

}  // namespace detail
}  // namespace v0
}  // namespace serinus
