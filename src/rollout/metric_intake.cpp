#include "rollout/metric_intake.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>

#include <serinus/core/text.hpp>
#include <serinus/series/time.hpp>

#include "rollout/limits.hpp"
#include "rollout/roles.hpp"

namespace serinus {
inline namespace v0 {
namespace detail {
namespace {

/// Samples of one series that wait for a cut: of more the oldest but one goes, which a counter does not miss.
constexpr std::size_t most_waiting = 1024;
/// An instance that was silent for so long is forgotten.
constexpr std::int64_t forgotten_after_ms = 3'600'000;
constexpr std::int64_t forgotten_after_intervals = 100;
constexpr double few_falls = 3;

}  // namespace

MetricIntake::MetricIntake(const Plan& plan, const Metric& metric, bool tells_load)
    : metric_(metric),
      names_(series_of(metric)),
      values_name_(name_of_values(metric)),
      tells_load_(tells_load),
      interval_ms_(plan.interval.count()),
      before_ms_(0),
      max_falls_(plan.telemetry.max_falls) {
    if (facts_of(metric.kind).quantiles) observations_.emplace(metric, interval_ms_);
    const auto known = plan.noise.find(metric.name);
    if (has_arms() || known == plan.noise.end() || !known->second.before_after) return;
    before_ms_ = static_cast<std::int64_t>(known->second.before_after->before) * interval_ms_;
}

// ---- what comes

void MetricIntake::check(const Batch& batch) const {
    if (observations_) return observations_->check(batch);
    require_bucket(metric_, batch);
}

void MetricIntake::take_observations(const Batch& batch, const StageClock& clock, SampleCounts& counts) {
    if (!observations_) return;
    ObservationCounts found;
    observations_->take(
        batch, [&](std::int64_t time_ms) { return clock.over(time_ms); }, found);
    kept_.lives[0] = kept_.lives[0] || observations_->seen();
    counts.late += found.late;
    counts.repeated += found.repeated;
    counts.conflicts += found.conflicts;
}

void MetricIntake::take(const ArmSeries& series, const StageClock& clock, SampleCounts& counts) {
    if (observations_) return;
    for (std::size_t role = 0; role < names_.size(); ++role) {
        if (!reads(metric_, names_, role, series)) continue;
        if (has_arms()) {
            take(role, series, clock, counts);
            continue;
        }
        // What belongs to either arm, or to none, is one service.
        ArmSeries of = series;
        if (series.arm == Arm::canary)
            of.labels += (of.labels.empty() ? "arm=" : ",arm=") + std::string(word(series.arm));
        SampleCounts again;
        for (const Arm arm : both_arms) {
            of.arm = arm;
            take(role, of, clock, arm == Arm::baseline ? counts : again);
        }
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
        if (metric_.counter && has_arms() && track.waiting.size() > most_waiting)
            track.waiting.erase(std::next(track.waiting.begin()));
    }
}

std::optional<std::int64_t> MetricIntake::first_of_canary_ms() const {
    if (observations_) return observations_->first_of_canary_ms();
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
    if (observations_) return observations_->first_waiting_ms(from_ms);
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
    if (observations_) return observations_->last_waiting_ms();
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
    if (!metric_.good.empty() || !facts_of(metric_.kind).counts) return false;
    if (metric_.absent) return *metric_.absent == Absent::zero;
    return kept_.lives[0];
}

// ---- counts of their own interval, and values

void MetricIntake::close_counts(Interval& interval, MetricCounts& found, const Excused& excused) {
    std::array<double, 2> requests{};
    std::array<bool, 2> heard{};
    for (const Arm arm : both_arms) {
        ArmCounts& counts = found.arms[at(arm)];
        for (auto& [instance, unit] : units(arm)) {
            std::array<double, 2> sums{}, least{};
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
                        least[role] = std::min(least[role], sample.value);
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
            if (!any[0] && !any[1]) continue;
            if (excused(arm, instance)) {
                tell_excused(interval, arm, instance);
                continue;
            }
            const bool zero = !any[0] && zero_where_absent() && (!lived || metric_.absent == Absent::zero);
            if (!any[1] || (!any[0] && !zero)) {
                counts.unpaired = true;
                continue;
            }
            if (!any[0]) took_as_zero(arm, instance);
            counts.present = true;
            for (std::size_t role = 0; role < 2; ++role) {
                // A negative count is none, whatever others add to it; it is what the interval shows then.
                const bool negative = facts_of(metric_.kind).counts && std::min(least[role], counts.sums[role]) < 0;
                counts.sums[role] =
                    negative ? std::min(least[role], counts.sums[role]) : counts.sums[role] + sums[role];
            }
            tell_load(interval, arm, instance, sums[1]);
            tell_quotient(interval, arm, instance, sums);
        }
    }
    tell_requests(found, requests, heard[0], false);
}

void MetricIntake::close_values(Interval& interval, const Excused& excused) {
    for (auto& [key, track] : tracks_) {
        // Where the source names no instances, what its labels tell apart are they.
        const std::string& name = track.kept.instance.empty() ? track.kept.labels : track.kept.instance;
        const TrackKey place{values_name_, track.kept.arm, name};
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

// ---- intervals

void MetricIntake::pass_over(std::int64_t from_ms, bool begun) {
    if (observations_) return observations_->pass_over(from_ms);
    if (!begun) from_ms -= before_ms_;
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
    if (observations_) return observations_->close(interval, interval.metrics.emplace_back(), excused, warming);
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
    if (observations_) return observations_->enter_stage();
    kept_.begins = true;
    kept_.sums = {};
    kept_.news = {};
    kept_.doubtful_cuts = 0;
    for (auto& [of, unit] : unit_states_) unit.waits = {};
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

/// For how many intervals a part has been silent whose instance's whole goes on and waits for it; 0: for none.
std::int64_t MetricIntake::part_silent() const {
    if (!metric_.counter) return 0;
    std::int64_t longest = 0;
    for (const auto& [key, whole] : tracks_) {
        if (!is_whole(whole) || whole.waiting.empty()) continue;
        const std::int64_t oldest = whole.waiting.begin()->first.first, newest = whole.waiting.rbegin()->first.first;
        // Scrapes that are lost, or rarer than the interval, are no silence yet.
        if (newest - oldest < std::max((patience - 1) * interval_ms_, 3 * whole.kept.spacing_ms)) continue;
        std::optional<std::int64_t> last;
        for (const auto& [other, part] : tracks_) {
            const bool of_it =
                part.kept.instance == whole.kept.instance || part.kept.instance.empty() || whole.kept.instance.empty();
            if (is_whole(part) || part.kept.arm != whole.kept.arm || !of_it) continue;
            if (part.kept.consumed_ms) last = std::max(last.value_or(*part.kept.consumed_ms), *part.kept.consumed_ms);
            if (!part.waiting.empty()) last = std::max(last.value_or(0), part.waiting.rbegin()->first.first);
        }
        if (last && *last < oldest) longest = std::max(longest, (newest - *last) / interval_ms_);
    }
    return longest;
}

std::vector<Reason> MetricIntake::obstacles(std::int64_t intervals, std::int64_t now_ms, bool harmful) const {
    if (observations_) return observations_->obstacles(now_ms, harmful);
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
    if (const std::int64_t silent = part_silent(); silent > 0)
        reasons.push_back({Code::unpaired_series, "", {{"count", static_cast<double>(silent)}}, false});
    const bool requests = facts_of(metric_.kind).bad_of_total;
    for (const Arm arm : {Arm::canary, Arm::baseline}) {
        if (kept_.still[at(arm)] < patience) continue;
        if (!requests) {
            const std::string name(word(arm));
            reasons.push_back({Code::stands_still, "", {}, false, {{"series", names_[1]}, {"arm", name}}});
        } else {
            const bool canary = arm == Arm::canary;
            reasons.push_back(
                {canary ? Code::canary_without_requests : Code::baseline_without_requests, "", {}, false});
        }
        break;
    }
    if (!kept_.lives[0] && kept_.lives[1] && metric_.absent != Absent::zero)
        reasons.push_back({Code::never_seen, "", {}, false, {{"series", names_[0]}}});
    return reasons;
}

std::vector<Reason> MetricIntake::notes() const {
    if (observations_) return observations_->notes();
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

}  // namespace detail
}  // namespace v0
}  // namespace serinus
