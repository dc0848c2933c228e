// Monitor to plain data and back.

#include <algorithm>
#include <cmath>
#include <tuple>

#include <serinus/core/error.hpp>
#include <serinus/series/time.hpp>

#include "rollout/monitor_impl.hpp"

namespace serinus {
inline namespace v0 {

using detail::Judged;
using detail::SloJudged;
using detail::Track;
using detail::TrackKey;

namespace {

SloState state_of(const SloJudged& judged) {
    SloState state;
    state.halt = judged.halt.state();
    state.excess = judged.excess.state();
    state.judged_burn = judged.burns[0].state();
    state.canary_burn = judged.burns[1].state();
    state.service_burn = judged.burns[2].state();
    state.canary = judged.canary.state();
    state.service = judged.service.state();
    state.service_events = judged.service_events;
    state.canary_share = judged.canary_share;
    state.intervals = judged.intervals;
    state.halted = judged.halted;
    state.exceeded = judged.exceeded;
    state.proven = judged.proven;
    state.failed_after_ms = judged.failed_after_ms;
    return state;
}

/// `require(good, what)` raises for what cannot be, `time(ms)` says whether a time can.
template <class Require, class Time>
void restore_slo(SloJudged& judged, const SloState& state, const Require& require, const Time& time) {
    judged.halt.restore(state.halt);
    judged.excess.restore(state.excess);
    judged.burns[0].restore(state.judged_burn);
    judged.burns[1].restore(state.canary_burn);
    judged.burns[2].restore(state.service_burn);
    for (const slo::AlertsState* const alerts : {&state.canary, &state.service}) {
        bool possible = time(alerts->last_ms);
        for (const auto* const times : {&alerts->active_since, &alerts->firing_since, &alerts->ceased}) {
            for (const auto& ms : *times) possible = possible && time(ms);
        }
        require(possible, "an alert at a time beyond the years 1 to 9999");
    }
    judged.canary.restore(state.canary);
    judged.service.restore(state.service);
    require(state.intervals >= 0 && state.service_events >= 0 && std::isfinite(state.service_events) &&
                state.canary_share >= 0 && std::isfinite(state.canary_share) && std::isfinite(state.proven),
            "an objective with numbers that cannot be");
    judged.service_events = state.service_events;
    judged.canary_share = state.canary_share;
    judged.intervals = state.intervals;
    judged.halted = state.halted;
    judged.exceeded = state.exceeded;
    judged.proven = state.proven;
    judged.failed_after_ms = state.failed_after_ms;
}

}  // namespace

MonitorState Monitor::state() const {
    const Impl& m = *impl_;
    MonitorState state;
    state.plan_digest = m.plan_digest;
    state.stage = m.stage;
    state.start_ms = m.start_ms;
    state.told_ms = m.told_ms;
    state.next = m.next;
    state.starts = m.starts;
    state.now_ms = m.now_ms;
    state.watch_ms = m.watch_ms;
    state.rolled_back = m.rolled_back;
    state.together_after_ms = m.together_after_ms;
    state.together_log = m.together_log;
    for (const Code code : m.policy) state.policy.push_back(static_cast<std::int64_t>(code));
    state.policy_seconds = m.policy_seconds;
    for (const auto& [key, track] : m.tracks) {
        TrackState& out = state.tracks.emplace_back();
        std::tie(out.name, out.arm, out.instance) = key;
        for (const auto& [time, value] : track.pending) {
            out.times_ms.push_back(time);
            out.values.push_back(value);
        }
        out.consumed_ms = track.consumed_ms;
        out.counter = track.counter.state();
    }
    for (const Judged& judged : m.metrics) judged.save(state.metrics.emplace_back());
    for (const SloJudged& judged : m.slo) state.slo.push_back(state_of(judged));
    state.restarts = m.restarts;
    state.newest_ms = m.newest_ms;
    state.intervals = m.intervals;
    state.used = m.used;
    state.missing = m.missing;
    state.late = m.late;
    state.repeated = m.repeated;
    state.conflicts = m.conflicts;
    state.ignored = m.ignored;
    return state;
}

void Monitor::restore(const MonitorState& state) {
    if (state.plan_digest != impl_->plan_digest) {
        raise(Code::state_options, "the state belongs to the plan with digest " + state.plan_digest +
                                       "; this Monitor's plan has " + impl_->plan_digest);
    }
    const auto& require = detail::require_state;
    Impl next(impl_->plan);
    const auto stages = static_cast<std::int64_t>(next.plan.stages.size());
    require(state.stage >= 0 && state.stage < stages, "a stage that the plan does not have");
    require(state.starts.size() == next.starts.size() &&
                std::all_of(state.starts.begin(), state.starts.end(), [](std::int64_t n) { return n >= 0; }),
            "another number of stages, or start times that cannot be");
    require(state.metrics.size() == next.metrics.size(), "another number of metrics");
    const auto time = [](const std::optional<std::int64_t>& ms) {
        return !ms || (*ms >= earliest_ms && *ms <= latest_ms);
    };
    bool times = time(state.start_ms) && time(state.told_ms) && time(state.now_ms) && time(state.watch_ms) &&
                 time(state.newest_ms[0]) && time(state.newest_ms[1]);
    for (const RestartState& restart : state.restarts) times = times && time(restart.at_ms);
    for (const MetricState& metric : state.metrics) times = times && time(metric.last_used_ms);
    for (const TrackState& track : state.tracks) {
        times = times && time(track.consumed_ms) && time(track.counter.previous_ms);
        for (const std::int64_t ms : track.times_ms) times = times && time(ms);
    }
    require(times, "a time beyond the years 1 to 9999");
    require(state.next >= 0 && (state.next == 0 || state.start_ms), "judged intervals of a stage that has not begun");
    require(state.next <= (latest_ms - earliest_ms) / next.plan.interval_ms + 2,
            "more judged intervals than there is time");
    next.stage = static_cast<int>(state.stage);
    next.start_ms = state.start_ms;
    next.told_ms = state.told_ms;
    next.next = state.next;
    next.starts = state.starts;
    next.now_ms = state.now_ms;
    next.watch_ms = state.watch_ms;
    next.rolled_back = state.rolled_back;
    require(std::isfinite(state.together_log) && (!state.together_after_ms || state.rolled_back),
            "harm proven by all metrics together, and no rollback");
    next.together_after_ms = state.together_after_ms;
    next.together_log = state.together_log;
    for (const std::int64_t code : state.policy) {
        const bool known = code == static_cast<std::int64_t>(Code::missing_rollback) ||
                           code == static_cast<std::int64_t>(Code::deadline_rollback);
        require(known, "a policy reason that is none");
        next.policy.push_back(static_cast<Code>(code));
    }
    next.policy_seconds = state.policy_seconds;
    for (const TrackState& in : state.tracks) {
        require(next.cumulative.contains(in.name), "a series that the plan does not name");
        require(in.times_ms.size() == in.values.size(), "a series with unequal times and values");
        Track& track = next.tracks[TrackKey{in.name, in.arm, in.instance}];
        for (std::size_t i = 0; i < in.times_ms.size(); ++i) track.pending.emplace(in.times_ms[i], in.values[i]);
        track.consumed_ms = in.consumed_ms;
        track.counter.restore(in.counter);
    }
    for (std::size_t i = 0; i < next.metrics.size(); ++i)
        next.metrics[i].restore(state.metrics[i], static_cast<std::size_t>(next.stage));
    require(state.slo.size() == next.slo.size(), "another number of objectives");
    for (std::size_t i = 0; i < next.slo.size(); ++i) restore_slo(next.slo[i], state.slo[i], require, time);
    next.restarts = state.restarts;
    next.newest_ms = state.newest_ms;
    next.intervals = state.intervals;
    next.used = state.used;
    next.missing = state.missing;
    next.late = state.late;
    next.repeated = state.repeated;
    next.conflicts = state.conflicts;
    next.ignored = state.ignored;
    *impl_ = std::move(next);
}

}  // namespace v0
}  // namespace serinus
