#include "rollout/intake.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

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

/// So many notes of readers, and names that the plan does not know, are kept.
constexpr std::size_t most_notes = 32, most_names = 12;

bool same(const NoteState& note, const Reason& reason) {
    return note.code == static_cast<std::int64_t>(reason.code) && note.texts == reason.texts;
}

}  // namespace

void require_time(const std::string& what, std::int64_t time_ms) {
    if (time_ms >= earliest_ms && time_ms <= latest_ms) return;
    raise(Code::data_timestamp, what + " " + std::to_string(time_ms) + " ms; allowed: the years 1 to 9999");
}

Intake::Intake(const Plan& plan) : warm_up_ms_(plan.warm_up.count()) {
    const bool tells_load = std::any_of(plan.metrics.begin(), plan.metrics.end(), [](const Metric& metric) {
        return !facts_of(metric.kind).counts && metric.arm == MetricArm::both;
    });
    std::vector<std::string> loads;
    for (std::size_t i = 0; i < plan.metrics.size(); ++i) {
        const Metric& metric = plan.metrics[i];
        const std::vector<std::string> series = series_of(metric);
        for (const std::string& name : series) {
            auto& readers = readers_[name];
            if (readers.empty() || readers.back() != i) readers.push_back(i);
        }
        // Of several metrics with the same total one tells it.
        const bool first = tells_load && metric.arm == MetricArm::both &&
                           std::find(loads.begin(), loads.end(), series.back()) == loads.end();
        if (first) loads.push_back(series.back());
        metrics_.emplace_back(plan, metric, first);
    }
}

void Intake::check(const Batch& batch) const {
    for (const ArmSeries& part : batch.series) {
        const Series& series = part.series;
        if (series.times_ms.size() != series.values.size() ||
            (!series.starts_ms.empty() && series.starts_ms.size() != series.times_ms.size())) {
            raise(Code::argument_length,
                  "series " + in_quotes(part.name) + " has " + std::to_string(series.times_ms.size()) + " times and " +
                      std::to_string(series.values.size()) + " values; allowed: as many of both");
        }
        const auto bad = std::find_if(series.times_ms.begin(), series.times_ms.end(), [](std::int64_t time_ms) {
            return time_ms < earliest_ms || time_ms > latest_ms;
        });
        if (bad != series.times_ms.end()) require_time("series " + in_quotes(part.name) + " has a sample at", *bad);
    }
    for (const ArmHistogram& part : batch.histograms) {
        for (const std::int64_t time_ms : part.series.times_ms) {
            if (time_ms < earliest_ms || time_ms > latest_ms)
                require_time("histogram " + in_quotes(part.name) + " has a sample at", time_ms);
        }
    }
    const bool buckets = std::any_of(batch.series.begin(), batch.series.end(),
                                     [](const ArmSeries& part) { return !std::isnan(part.le); });
    for (const MetricIntake& metric : metrics_)
        if (buckets || metric.observes()) metric.check(batch);
}

void Intake::take(const Batch& batch, StageClock& clock) {
    for (const Reason& note : batch.notes) {
        auto known =
            std::find_if(state_.notes.begin(), state_.notes.end(), [&](const NoteState& of) { return same(of, note); });
        if (known == state_.notes.end()) {
            if (state_.notes.size() == most_notes) continue;
            known = state_.notes.insert(known, {static_cast<std::int64_t>(note.code), {}, note.texts});
        }
        known->numbers = note.numbers;
    }
    SampleCounts counts;
    for (const ArmHistogram& part : batch.histograms) {
        if (!readers_.contains(part.name)) {
            state_.ignored += static_cast<std::int64_t>(part.series.times_ms.size());
            continue;
        }
        auto& newest = state_.newest_ms[static_cast<std::size_t>(part.arm)];
        for (const std::int64_t time_ms : part.series.times_ms) {
            newest = std::max(newest.value_or(time_ms), time_ms);
            clock.watch(time_ms);
        }
    }
    for (const ArmSeries& part : batch.series) {
        const auto readers = readers_.find(part.name);
        const Series& series = part.series;
        if (readers == readers_.end()) {
            state_.ignored += static_cast<std::int64_t>(series.times_ms.size());
            auto& names = state_.ignored_names;
            if (names.size() < most_names && std::find(names.begin(), names.end(), part.name) == names.end())
                names.push_back(part.name);
            continue;
        }
        auto& newest = state_.newest_ms[static_cast<std::size_t>(part.arm)];
        for (std::size_t i = 0; i < series.times_ms.size(); ++i) {
            if (std::isnan(series.values[i])) continue;
            newest = std::max(newest.value_or(series.times_ms[i]), series.times_ms[i]);
            clock.watch(series.times_ms[i]);
        }
        // A sample counts once, however many metrics read it.
        SampleCounts once;
        for (const std::size_t metric : readers->second) {
            SampleCounts of;
            metrics_[metric].take(part, clock, of);
            once.late = std::max(once.late, of.late);
            once.repeated = std::max(once.repeated, of.repeated);
            once.conflicts = std::max(once.conflicts, of.conflicts);
        }
        counts.late += once.late;
        counts.repeated += once.repeated;
        counts.conflicts += once.conflicts;
    }
    for (MetricIntake& metric : metrics_) metric.take_observations(batch, clock, counts);
    state_.late += counts.late;
    state_.repeated += counts.repeated;
    state_.conflicts += counts.conflicts;
}

std::optional<std::int64_t> Intake::newest_ms() const {
    const auto& [baseline, canary] = state_.newest_ms;
    return std::max(baseline, canary);  // nothing is less than any time
}

std::optional<std::int64_t> Intake::first_of_canary_ms() const {
    std::optional<std::int64_t> first;
    for (const MetricIntake& metric : metrics_) {
        if (!metric.has_arms()) continue;
        const auto of = metric.first_of_canary_ms();
        if (of) first = std::min(first.value_or(*of), *of);
    }
    return first;
}

std::optional<std::int64_t> Intake::first_waiting_ms(std::optional<std::int64_t> from_ms) const {
    std::optional<std::int64_t> first;
    for (const MetricIntake& metric : metrics_) {
        const auto of = metric.first_waiting_ms(from_ms);
        if (of) first = std::min(first.value_or(*of), *of);
    }
    return first;
}

std::optional<std::int64_t> Intake::last_waiting_ms() const {
    std::optional<std::int64_t> last;
    for (const MetricIntake& metric : metrics_) last = std::max(last, metric.last_waiting_ms());
    return last;
}

void Intake::pass_over(std::int64_t from_ms) {
    for (MetricIntake& metric : metrics_) metric.pass_over(from_ms, false);
}

Interval Intake::close(std::int64_t from_ms, std::int64_t to_ms, bool warming) {
    Interval interval;
    interval.from_ms = from_ms;
    interval.to_ms = to_ms;
    interval.metrics.reserve(metrics_.size());
    const MetricIntake::Excused excused = [&](Arm arm, const std::string& instance) {
        return !state_.restarts.empty() && warming_up(arm, instance, from_ms, to_ms);
    };
    for (MetricIntake& metric : metrics_) metric.close(interval, excused, warming);
    return interval;
}

Interval Intake::close_one(std::size_t metric, std::int64_t from_ms, std::int64_t to_ms) {
    Interval interval;
    interval.from_ms = from_ms;
    interval.to_ms = to_ms;
    metrics_[metric].close(
        interval, [](Arm, const std::string&) { return false; }, false);
    return interval;
}

bool Intake::warming_up(Arm arm, const std::string& instance, std::int64_t from_ms, std::int64_t to_ms) const {
    return std::any_of(state_.restarts.begin(), state_.restarts.end(), [&](const RestartState& restart) {
        return restart.arm == arm && restart.instance == instance && from_ms < restart.at_ms + warm_up_ms_ &&
               to_ms > restart.at_ms;
    });
}

void Intake::restart(Arm arm, std::string_view instance, std::int64_t at_ms) {
    for (const RestartState& known : state_.restarts) {
        if (known.arm == arm && known.instance == instance && known.at_ms == at_ms) return;
    }
    state_.restarts.push_back({arm, std::string(instance), at_ms});
}

void Intake::forget_restarts(std::int64_t before_ms) {
    std::erase_if(state_.restarts,
                  [&](const RestartState& restart) { return restart.at_ms + warm_up_ms_ <= before_ms; });
}

void Intake::enter_stage() {
    state_.intervals = state_.used = 0;
    state_.missing = {};
    for (MetricIntake& metric : metrics_) metric.enter_stage();
}

void Intake::count(std::int64_t intervals, std::int64_t used, const std::array<std::int64_t, 2>& missing) {
    state_.intervals += intervals;
    state_.used = used;
    state_.missing = missing;
}

Telemetry Intake::telemetry() const {
    const auto& [baseline, canary] = state_.newest_ms;
    return {state_.intervals, state_.used,     state_.missing,   {moment(baseline), moment(canary)},
            state_.late,      state_.repeated, state_.conflicts, state_.ignored};
}

std::vector<Reason> Intake::notes() const {
    std::vector<Reason> reasons;
    for (const NoteState& note : state_.notes)
        reasons.push_back({static_cast<Code>(note.code), "", note.numbers, false, note.texts});
    // What the data have, beside what the plan misses: a name is often written in two ways.
    std::vector<std::string> unseen;
    for (const MetricIntake& metric : metrics_) {
        for (const std::string& name : metric.unseen()) {
            if (std::find(unseen.begin(), unseen.end(), name) == unseen.end()) unseen.push_back(name);
        }
    }
    if (!unseen.empty() && !state_.ignored_names.empty()) {
        reasons.push_back({Code::series_not_in_data,
                           "",
                           {},
                           false,
                           {{"series", listed(unseen)}, {"names", listed(state_.ignored_names)}}});
    }
    return reasons;
}

IntakeState Intake::state() const {
    State state = state_;
    for (const MetricIntake& metric : metrics_) state.series.push_back(metric.state());
    return state;
}

void Intake::restore(const State& state, const std::vector<TrackState>& former_tracks) {
    for (const auto& time : state.newest_ms) require_state_time(time);
    for (const RestartState& restart : state.restarts) require_state_time(restart.at_ms);
    state_ = state;
    state_.series.clear();
    // Versions before 4 kept the series of all metrics together.
    for (const TrackState& former : former_tracks) {
        const auto readers = readers_.find(former.name);
        require_state(readers != readers_.end(), "a series that the plan does not name");
        require_state(former.times_ms.size() == former.values.size(), "a series with unequal times and values");
        require_state_time(former.consumed_ms);
        require_state_time(former.counter.previous_ms);
        for (const std::size_t metric : readers->second) metrics_[metric].restore_former(former);
    }
    if (state.series.empty()) return;
    require_state(state.series.size() == metrics_.size(), "another number of metrics");
    for (std::size_t i = 0; i < metrics_.size(); ++i) metrics_[i].restore(state.series[i]);
}

}  // namespace detail
}  // namespace v0
}  // namespace serinus
