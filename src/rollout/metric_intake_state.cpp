// What a metric's intake remembers, and how it goes on from there.

#include <algorithm>
#include <cmath>

#include "rollout/metric_intake.hpp"
#include "rollout/state_checks.hpp"

namespace serinus {
inline namespace v0 {
namespace detail {

MetricIntakeState MetricIntake::state() const {
    MetricIntakeState state = kept_;
    if (observations_) state.observations = observations_->state();
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
    kept_.observations.reset();
    require_state(state.observations.has_value() == observations_.has_value(), "observations of a metric without any");
    if (observations_) observations_->restore(*state.observations);
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
