#pragma once
/// \file
/// Watches a rollout: takes data as they come, and says after each batch whether to promote, hold or roll back.
///
/// What it promises: however often it is asked, over all looks, stages and metrics, a canary that is never worse than
/// its margins is rolled back with probability at most `alpha` (methods and proofs: docs/concepts/promise.md).
///
/// How it works: time is cut into the plan's intervals, counted from the stage's start. An interval is judged once,
/// when its end + `settle` has passed; what comes later is counted and dropped. Both arms of an interval are compared,
/// so what drifts in both cancels. Each metric keeps an e-process of harm that runs through the whole rollout, with a
/// new start every 30 intervals so that harm that begins late is found early, and a mirror of it that starts anew in
/// each stage and must rule harm out before the stage may be left. Verdicts latch: a fail for good, a pass until the
/// stage ends. A gauge whose data name several instances is judged between these instead, at looks that are fixed
/// beforehand (sequential/rotation.hpp; which test judges, and who takes part: docs/concepts/promise.md).
///
/// It has no clock, no randomness and no threads: the same calls give the same decisions. One object belongs to one
/// thread.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <serinus/rollout/batch.hpp>
#include <serinus/rollout/decision.hpp>
#include <serinus/rollout/plan.hpp>

namespace serinus {
inline namespace v0 {

struct MonitorState;  // <serinus/rollout/monitor_state.hpp>, which brings all tests with it

class Monitor {
  public:
    /// Raises `serinus.plan.*` for a plan that cannot be carried out.
    explicit Monitor(Plan plan);
    Monitor(const Monitor&);
    Monitor(Monitor&&) noexcept;
    Monitor& operator=(const Monitor&);
    Monitor& operator=(Monitor&&) noexcept;
    ~Monitor();

    /// Takes new samples and decides. `now_ms` is the present time, by default the newest timestamp seen; it never runs
    /// backwards (an earlier one counts as the latest known). An empty batch with a `now_ms` is legal: silence ages the
    /// data. Handing over samples again changes nothing, so it is fine to send the last hour at every scrape. Samples
    /// of series that the plan does not name are counted and left alone. `batch.stages` is not read here: see
    /// enter_stage. Cost: some microseconds a metric and interval, plus the sorting of what is new.
    Decision observe(const Batch& batch, std::optional<std::int64_t> now_ms = std::nullopt);

    /// Judges all that has come without waiting for `settle` any longer, the last begun interval included: for data
    /// that are complete.
    Decision flush();

    /// Told after traffic was moved: stage `stage`, counted from 1, runs since `at_ms`. What has come of the stage
    /// before is judged, the rest of it is not waited for. Telling the same again changes nothing. Raises
    /// `serinus.monitor.stage` for a stage that the plan does not have, `serinus.monitor.time` for a time before the
    /// current stage's start. Without any call stage 1 starts at the canary's first sample.
    void enter_stage(int stage, std::int64_t at_ms);

    /// An instance of an arm was restarted: it is not judged until `warm_up` has passed.
    void restart(Arm arm, std::string_view instance, std::int64_t at_ms);

    /// What it decides now: the last decision again, unless a stage was entered since; before any data a hold. Cost:
    /// O(metrics + objectives), whatever has come before.
    Decision decision() const;

    const Plan& plan() const;

    /// All that it remembers; for a process that may be stopped at any time. `restore` takes it into a Monitor of the
    /// same plan, raises `serinus.state.*` for anything else, and leaves the object as it was when it raises.
    MonitorState state() const;
    void restore(const MonitorState& state);

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// The whole job at once: a Monitor of the plan is fed the batch, stage by stage where the batch says when stages
/// began, and flushed. With `now_ms` it is what a monitor that watched all along says at that time: later samples do
/// not exist for it yet, intervals that have not settled wait, and silence since the newest sample ages the data.
Decision judge(const Plan& plan, const Batch& batch, std::optional<std::int64_t> now_ms = std::nullopt);

}  // namespace v0
}  // namespace serinus
