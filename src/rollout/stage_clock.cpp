#include "rollout/stage_clock.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include <serinus/core/error.hpp>
#include <serinus/sequential/start_mixture.hpp>
#include <serinus/series/align.hpp>
#include <serinus/series/time.hpp>

#include "rollout/limits.hpp"
#include "rollout/state_checks.hpp"

namespace serinus {
inline namespace v0 {
namespace detail {

StageClock::StageClock(const Plan& plan) : interval_ms_(plan.interval.count()), warm_up_ms_(plan.warm_up.count()) {
    for (const Stage& stage : plan.stages) traffic_.push_back(stage.traffic);
    state_.starts.assign(traffic_.size(), 0);
}

/// Up to a moment of the stage that runs.
double StageClock::reached_ms(std::int64_t until_ms) const {
    if (!state_.start_ms) return state_.reached_ms;
    const auto lasted = static_cast<double>(std::max<std::int64_t>(0, until_ms - *state_.start_ms));
    return state_.reached_ms + traffic_[stage()] * lasted;
}

StageClock::View StageClock::view() const {
    View view;
    view.stage = stage();
    view.start_ms = state_.start_ms;
    view.now_ms = state_.now_ms;
    view.watch_ms = state_.watch_ms;
    view.next = state_.next;
    view.warm = warm();
    if (state_.start_ms) {
        view.frontier_ms = frontier_ms();
        view.warmed_up_ms = *state_.start_ms + warm_up_ms_;
        if (state_.now_ms) view.elapsed_ms = std::max<std::int64_t>(0, *state_.now_ms - *state_.start_ms);
        view.reached_ms = reached_ms(state_.now_ms.value_or(*state_.start_ms));
    }
    return view;
}

std::int64_t StageClock::interval_at(std::int64_t time_ms) const {
    return interval_index(time_ms, *state_.start_ms, interval_ms_);
}

void StageClock::watch(std::int64_t time_ms) { state_.watch_ms = std::min(state_.watch_ms.value_or(time_ms), time_ms); }

void StageClock::tell(std::int64_t now_ms) {
    state_.now_ms = std::max(state_.now_ms.value_or(now_ms), now_ms);
    if (!state_.watch_ms) state_.watch_ms = state_.now_ms;
}

void StageClock::begin_with(std::optional<std::int64_t> first_of_canary_ms) {
    if (!state_.told_ms && state_.next == 0 && first_of_canary_ms) state_.start_ms = first_of_canary_ms;
}

void StageClock::require_not_before_start(int stage, std::int64_t at_ms) const {
    if (!state_.start_ms || at_ms >= *state_.start_ms || state_.next == 0) return;
    raise(Code::monitor_time, "stage " + std::to_string(stage + 1) + " is entered " +
                                  std::to_string(*state_.start_ms - at_ms) +
                                  " ms before the stage that runs began; allowed: at or after its start");
}

void StageClock::enter(int stage, std::int64_t start_ms, std::int64_t told_ms) {
    // (Of a first stage whose start is told late there was nothing before it.)
    if (!is_first(stage)) state_.reached_ms = reached_ms(start_ms);
    state_.stage = stage;
    state_.start_ms = start_ms;
    state_.told_ms = told_ms;
    state_.next = 0;
}

double StageClock::take_starts(std::int64_t from, std::int64_t to) {
    from = std::max(from, warm());
    const std::int64_t first =
        from + (intervals_per_start - (from - warm()) % intervals_per_start) % intervals_per_start;
    if (first >= to) return 0;
    const std::int64_t count = (to - 1 - first) / intervals_per_start + 1;
    std::int64_t& j = state_.starts[stage()];
    const std::int64_t each = std::min<std::int64_t>(count, 1000);
    double weight = 0;
    for (std::int64_t i = 0; i < each; ++i) weight += sequential::start_weight(j + i);
    if (count > each) {
        // w_n = c n^-1.5, and the sum of n^-1.5 over n = a..b is at least the integral from a to b + 1.
        const auto a = static_cast<double>(j + each + 1), end = static_cast<double>(j + count + 1);
        const double c = sequential::start_weight(j + each) * a * std::sqrt(a);
        weight += 2 * c * (1 / std::sqrt(a) - 1 / std::sqrt(end));
    }
    j += count;
    return weight * stage_weight(static_cast<int>(state_.stage), traffic_.size());
}

void StageClock::restore(const State& state) {
    require_state(state.stage >= 0 && state.stage < static_cast<std::int64_t>(traffic_.size()),
                  "a stage that the plan does not have");
    require_state(state.starts.size() == traffic_.size() &&
                      std::all_of(state.starts.begin(), state.starts.end(), [](std::int64_t n) { return n >= 0; }),
                  "another number of stages, or start times that cannot be");
    for (const auto& time : {state.start_ms, state.told_ms, state.now_ms, state.watch_ms}) require_state_time(time);
    require_state(state.next >= 0 && (state.next == 0 || state.start_ms),
                  "judged intervals of a stage that has not begun");
    require_state(state.next <= (latest_ms - earliest_ms) / interval_ms_ + 2,
                  "more judged intervals than there is time");
    require_state(state.reached_ms >= 0 && state.reached_ms <= static_cast<double>(latest_ms - earliest_ms),
                  "more traffic of stages before than there is time");
    state_ = state;
}

}  // namespace detail
}  // namespace v0
}  // namespace serinus
