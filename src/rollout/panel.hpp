#pragma once
/// \file
/// All that is judged in a rollout, metrics and objectives, and what is decided of them for ever; inside the library
/// only.

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <serinus/rollout/monitor_state.hpp>
#include <serinus/rollout/plan.hpp>

#include "rollout/interval.hpp"
#include "rollout/judged.hpp"
#include "rollout/slo_judged.hpp"
#include "rollout/standing.hpp"
#include "rollout/traffic_watch.hpp"

namespace serinus {
inline namespace v0 {
namespace detail {

/// Judges closed intervals, and latches verdicts.
class Panel {
  public:
    /// What a decision is made from.
    struct View {
        const std::vector<Judged>& metrics;
        const std::vector<SloJudged>& slo;
        const LatchState& latch;
        const TrafficWatches& traffic;
    };

    explicit Panel(const Plan& plan);

    /// For who decides otherwise than by `settle`.
    std::vector<Judged>& metrics() { return metrics_; }

    View view() const { return {metrics_, slo_, latch_, traffic_}; }

    /// `fresh`: a stage begins, or begins again; otherwise it is told which one runs.
    void enter_stage(std::size_t stage, bool fresh);

    /// The rollout begins: metrics without arms take what was before it out of what waits.
    void look_back(Intake& intake, std::int64_t start_ms, std::int64_t interval_ms);

    /// Judges an interval. `weight`: of the start of the harm evidence that falls into it, 0 where none does. An
    /// interval of the `warming` up only burns error budgets, and tells who takes part.
    void judge(Interval& interval, const Plan& plan, std::size_t stage, bool warming, double weight);

    /// Intervals of the stage in which every metric had both arms, and those in which some metric missed an arm.
    std::int64_t used() const;
    std::array<std::int64_t, 2> missing() const;

    /// Intervals after the warm-up that brought nothing from anybody. Starts that fall into them are one start of their
    /// summed weight.
    void silence(std::int64_t intervals, double weight);
    /// Moves windows and alerts on over intervals that brought nothing: `count` of them, the first ends at `first_ms`.
    void burn_silently(std::int64_t first_ms, std::int64_t interval_ms, std::int64_t count);

    /// Latches what is proven by now. The rollout is rolled back when the mean of all e-values, weighted as alpha is,
    /// reaches 1/alpha. Failing metrics are named by e-Holm: one that has failed leaves its share of alpha to the
    /// others.
    void settle(const Look& look);

    /// What a decision has decided for ever.
    void latch(const LatchState& latch) { latch_ = latch; }

    std::vector<MetricState> metric_states() const;
    std::vector<SloState> slo_states() const;
    std::vector<TrafficState> traffic_states() const { return traffic_.states(); }
    /// Raises `serinus.state.*` for a state that cannot be; the object is of no use then. `stage`: the one that runs.
    void restore(const MonitorState& state, std::size_t stage);

  private:
    std::vector<Judged> metrics_;
    std::vector<SloJudged> slo_;
    LatchState latch_;
    TrafficWatches traffic_;
};

}  // namespace detail
}  // namespace v0
}  // namespace serinus
