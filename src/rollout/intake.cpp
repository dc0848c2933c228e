#include "rollout/intake.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>

#include <serinus/core/error.hpp>
#include <serinus/core/quote.hpp>
#include <serinus/series/time.hpp>

#include "rollout/limits.hpp"
#include "rollout/state_checks.hpp"

namespace serinus {
inline namespace v0 {
namespace detail {

void require_time(const std::string& what, std::int64_t time_ms) {
    if (time_ms >= earliest_ms && time_ms <= latest_ms) return;
    raise(Code::data_timestamp, what + " " + std::to_string(time_ms) + " ms; allowed: the years 1 to 9999");
}

Intake::Intake(const Plan& plan) : warm_up_ms_(plan.warm_up.count()) {
    for (const Metric& metric : plan.metrics) {
        for (const std::string& series : series_of(metric)) counters_[series] = metric.counter;
    }
}

void Intake::check(const Batch& batch) {
    for (const ArmSeries& part : batch.series) {
        const Series& series = part.series;
        if (series.times_ms.size() != series.values.size()) {
            raise(Code::argument_length,
                  "series " + in_quotes(part.name) + " has " + std::to_string(series.times_ms.size()) + " times and " +
                      std::to_string(series.values.size()) + " values; allowed: as many of both");
        }
        const auto bad = std::find_if(series.times_ms.begin(), series.times_ms.end(), [](std::int64_t time_ms) {
            return time_ms < earliest_ms || time_ms > latest_ms;
        });
        if (bad != series.times_ms.end()) require_time("series " + in_quotes(part.name) + " has a sample at", *bad);
    }
}

void Intake::take(const Batch& batch, StageClock& clock) {
    for (const ArmSeries& part : batch.series) {
        const auto known = counters_.find(part.name);
        const Series& series = part.series;
        if (known == counters_.end()) {
            state_.ignored += static_cast<std::int64_t>(series.times_ms.size());
            continue;
        }
        Track& track = tracks_[TrackKey{part.name, part.arm, series.instance}];
        auto& newest = state_.newest_ms[static_cast<std::size_t>(part.arm)];
        for (std::size_t i = 0; i < series.times_ms.size(); ++i) {
            const std::int64_t time = series.times_ms[i];
            const double value = series.values[i];
            if (std::isnan(value)) continue;  // the monitoring system had none
            newest = std::max(newest.value_or(time), time);
            clock.watch(time);
            const bool consumed = track.consumed_ms && time <= *track.consumed_ms;
            // Where a stage begins no interval is over, and still a counter's past cannot be taken twice.
            if (clock.over(belongs(time, known->second)) || (consumed && known->second)) {
                (consumed ? state_.repeated : state_.late) += 1;
                continue;
            }
            const auto [at, fresh] = track.pending.emplace(time, value);
            if (!fresh) (at->second == value ? state_.repeated : state_.conflicts) += 1;
        }
    }
}

std::optional<std::int64_t> Intake::newest_ms() const {
    const auto& [baseline, canary] = state_.newest_ms;
    return std::max(baseline, canary);  // nothing is less than any time
}

std::optional<std::int64_t> Intake::first_of_canary_ms() const {
    std::optional<std::int64_t> first;
    for (const auto& [key, track] : tracks_) {
        if (std::get<Arm>(key) != Arm::canary || track.pending.empty()) continue;
        const std::int64_t time = track.pending.begin()->first;
        first = std::min(first.value_or(time), time);
    }
    return first;
}

std::optional<std::int64_t> Intake::first_waiting_ms() const {
    std::optional<std::int64_t> first;
    for (const auto& [key, track] : tracks_) {
        if (track.pending.empty()) continue;
        const std::int64_t time = belongs(track.pending.begin()->first, is_counter(key));
        first = std::min(first.value_or(time), time);
    }
    return first;
}

std::optional<std::int64_t> Intake::last_waiting_ms() const {
    std::optional<std::int64_t> last;
    for (const auto& [key, track] : tracks_) {
        if (!track.pending.empty())
            last = std::max(last, std::optional(belongs(track.pending.rbegin()->first, is_counter(key))));
    }
    return last;
}

std::optional<double> Intake::consume(Track& track, bool counter) {
    const auto [time, value] = *track.pending.begin();
    track.pending.erase(track.pending.begin());
    track.consumed_ms = time;
    return counter ? track.counter.next(time, value) : std::optional<double>(value);
}

void Intake::pass_over(Track& track, bool counter, std::int64_t from_ms) {
    while (!track.pending.empty() && belongs(track.pending.begin()->first, counter) < from_ms) consume(track, counter);
}

void Intake::pass_over(std::int64_t from_ms) {
    for (auto& [key, track] : tracks_) pass_over(track, is_counter(key), from_ms);
}

Interval Intake::close(std::int64_t from_ms, std::int64_t to_ms) {
    Interval interval;
    interval.from_ms = from_ms;
    interval.to_ms = to_ms;
    for (auto& [key, track] : tracks_) {
        const bool counter = is_counter(key);
        pass_over(track, counter, from_ms);
        const bool excluded = warming_up(std::get<Arm>(key), std::get<2>(key), from_ms, to_ms);
        while (!track.pending.empty() && belongs(track.pending.begin()->first, counter) < to_ms) {
            const std::optional<double> value = consume(track, counter);
            if (excluded) {
                if (interval.excused.empty() || interval.excused.back() != key) interval.excused.push_back(key);
                continue;
            }
            if (!value) continue;
            Brought& of = interval.brought[key];
            of.sum += *value;
            of.samples += 1;
        }
    }
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
}

void Intake::count(const std::array<bool, 2>& complete) {
    ++state_.intervals;
    for (std::size_t arm = 0; arm < 2; ++arm) state_.missing[arm] += complete[arm] ? 0 : 1;
    if (complete[0] && complete[1]) ++state_.used;
}

void Intake::count_silent(std::int64_t intervals) {
    state_.intervals += intervals;
    for (auto& count : state_.missing) count += intervals;
}

Telemetry Intake::telemetry() const {
    const auto& [baseline, canary] = state_.newest_ms;
    return {state_.intervals, state_.used,     state_.missing,   {moment(baseline), moment(canary)},
            state_.late,      state_.repeated, state_.conflicts, state_.ignored};
}

std::vector<TrackState> Intake::tracks() const {
    std::vector<TrackState> states;
    for (const auto& [key, track] : tracks_) {
        TrackState& state = states.emplace_back();
        std::tie(state.name, state.arm, state.instance) = key;
        for (const auto& [time, value] : track.pending) {
            state.times_ms.push_back(time);
            state.values.push_back(value);
        }
        state.consumed_ms = track.consumed_ms;
        state.counter = track.counter.state();
    }
    return states;
}

void Intake::restore(const State& state, const std::vector<TrackState>& tracks) {
    for (const auto& time : state.newest_ms) require_state_time(time);
    for (const RestartState& restart : state.restarts) require_state_time(restart.at_ms);
    state_ = state;
    tracks_.clear();
    for (const TrackState& of : tracks) {
        require_state(counters_.contains(of.name), "a series that the plan does not name");
        require_state(of.times_ms.size() == of.values.size(), "a series with unequal times and values");
        require_state_time(of.consumed_ms);
        require_state_time(of.counter.previous_ms);
        Track& track = tracks_[TrackKey{of.name, of.arm, of.instance}];
        for (std::size_t i = 0; i < of.times_ms.size(); ++i) {
            require_state_time(of.times_ms[i]);
            track.pending.emplace(of.times_ms[i], of.values[i]);
        }
        track.consumed_ms = of.consumed_ms;
        track.counter.restore(of.counter);
    }
}

}  // namespace detail
}  // namespace v0
}  // namespace serinus
