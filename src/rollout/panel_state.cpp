// The states of what is judged, and back.

#include <cmath>
#include <tuple>

#include <serinus/core/error.hpp>

#include "rollout/panel.hpp"
#include "rollout/state_checks.hpp"

namespace serinus {
inline namespace v0 {
namespace detail {
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
    state.progress = judged.progress;
    return state;
}

void restore_slo(SloJudged& judged, const SloState& state) {
    judged.halt.restore(state.halt);
    judged.excess.restore(state.excess);
    judged.burns[0].restore(state.judged_burn);
    judged.burns[1].restore(state.canary_burn);
    judged.burns[2].restore(state.service_burn);
    for (const slo::AlertsState* const alerts : {&state.canary, &state.service}) {
        require_state_time(alerts->last_ms);
        for (const auto* const times : {&alerts->active_since, &alerts->firing_since, &alerts->ceased})
            for (const auto& ms : *times) require_state_time(ms);
    }
    judged.canary.restore(state.canary);
    judged.service.restore(state.service);
    const SloProgressState& progress = state.progress;
    require_state(progress.intervals >= 0 && progress.service_events >= 0 && std::isfinite(progress.service_events) &&
                      progress.canary_share >= 0 && std::isfinite(progress.canary_share) &&
                      std::isfinite(progress.proven),
                  "an objective with numbers that cannot be");
    judged.progress = progress;
}

}  // namespace

std::vector<MetricState> Panel::metric_states() const {
    std::vector<MetricState> states;
    for (const Judged& judged : metrics_) judged.save(states.emplace_back());
    return states;
}

std::vector<SloState> Panel::slo_states() const {
    std::vector<SloState> states;
    for (const SloJudged& judged : slo_) states.push_back(state_of(judged));
    return states;
}

void Panel::restore(const MonitorState& state, std::size_t stage) {
    const auto& [latch, metrics, slo] = std::tie(state.latch, state.metrics, state.slo);
    traffic_.restore(state.traffic);
    require_state(metrics.size() == metrics_.size(), "another number of metrics");
    require_state(slo.size() == slo_.size(), "another number of objectives");
    require_state(std::isfinite(latch.together_log), "evidence of all metrics together that is no number");
    for (const std::int64_t code : latch.policy) {
        require_state(code == static_cast<std::int64_t>(Code::missing_rollback) ||
                          code == static_cast<std::int64_t>(Code::deadline_rollback),
                      "a policy reason that is none");
    }
    latch_ = latch;
    for (std::size_t i = 0; i < metrics.size(); ++i) {
        require_state_time(metrics[i].last_used_ms);
        metrics_[i].restore(metrics[i], stage);
    }
    for (std::size_t i = 0; i < slo.size(); ++i) restore_slo(slo_[i], slo[i]);
}

}  // namespace detail
}  // namespace v0
}  // namespace serinus
