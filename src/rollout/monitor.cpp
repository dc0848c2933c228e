#include <algorithm>
#include <utility>

#include <serinus/core/error.hpp>
#include <serinus/rollout/monitor.hpp>
#include <serinus/rollout/monitor_state.hpp>

#include "rollout/monitor_impl.hpp"

namespace serinus {
inline namespace v0 {
namespace {

using detail::require_time;

/// The samples before `end_ms`.
Batch before(const Batch& batch, std::int64_t end_ms) {
    Batch part;
    for (const ArmSeries& whole : batch.series) {
        ArmSeries& piece = part.series.emplace_back(whole);
        piece.series.times_ms.clear();
        piece.series.values.clear();
        for (std::size_t i = 0; i < std::min(whole.series.times_ms.size(), whole.series.values.size()); ++i) {
            if (whole.series.times_ms[i] >= end_ms) continue;
            piece.series.times_ms.push_back(whole.series.times_ms[i]);
            piece.series.values.push_back(whole.series.values[i]);
        }
    }
    return part;
}

}  // namespace

Monitor::Monitor(Plan plan) : impl_(std::make_unique<Impl>(std::move(plan))) {}
Monitor::Monitor(const Monitor& other) : impl_(std::make_unique<Impl>(*other.impl_)) {}
Monitor::Monitor(Monitor&&) noexcept = default;
Monitor& Monitor::operator=(const Monitor& other) {
    impl_ = std::make_unique<Impl>(*other.impl_);
    return *this;
}
Monitor& Monitor::operator=(Monitor&&) noexcept = default;
Monitor::~Monitor() = default;

const Plan& Monitor::plan() const { return impl_->plan; }

Decision Monitor::decision() const { return Impl(*impl_).decide(); }

Decision Monitor::observe(const Batch& batch, std::optional<std::int64_t> now_ms) {
    Impl& m = *impl_;
    if (now_ms) require_time("now is", *now_ms);
    Impl::check_batch(batch);
    m.take(batch);
    const std::optional<std::int64_t> told = now_ms ? now_ms : m.newest();
    if (told) m.now_ms = std::max(m.now_ms.value_or(*told), *told);
    if (!m.watch_ms) m.watch_ms = m.now_ms;
    m.find_start();
    m.forget_before_start();
    if (m.now_ms) m.judge_until(*m.now_ms - m.plan.settle_ms);
    return m.decide();
}

Decision Monitor::flush() {
    Impl& m = *impl_;
    m.find_start();
    if (const auto last = m.last_pending_ms()) m.judge_until(*last + m.plan.interval_ms);
    return m.decide();
}

void Monitor::enter_stage(int index, std::int64_t at_ms) {
    Impl& m = *impl_;
    if (index < 0 || index >= static_cast<int>(m.plan.stages.size())) {
        raise(Code::monitor_stage,
              "the stage is " + std::to_string(index) + "; allowed: 0 to " + std::to_string(m.plan.stages.size() - 1));
    }
    require_time("the stage is entered at", at_ms);
    if (m.told_ms == at_ms && m.stage == index) return;
    m.find_start();
    if (m.start_ms && at_ms < *m.start_ms && m.next > 0) {
        raise(Code::monitor_time, "stage " + std::to_string(index) + " is entered " +
                                      std::to_string(*m.start_ms - at_ms) +
                                      " ms before the stage that runs began; allowed: at or after its start");
    }
    const std::int64_t told_ms = at_ms;
    const bool first = !m.told_ms && m.next == 0 && index == 0;  // the start of stage 0, told late or early
    if (!first && m.start_ms) {
        m.judge_until(at_ms);
        at_ms = std::max(at_ms, m.frontier_ms());
        for (auto& judged : m.metrics) judged.enter_stage(static_cast<std::size_t>(index));
        m.intervals = m.used = 0;
        m.missing = {};
    }
    if (first || !m.start_ms) {
        for (auto& judged : m.metrics) judged.enter_stage(static_cast<std::size_t>(index), false);
    }
    m.stage = index;
    m.start_ms = at_ms;
    m.told_ms = told_ms;
    m.next = 0;
}

void Monitor::restart(Arm arm, std::string_view instance, std::int64_t at_ms) {
    require_time("the restart is at", at_ms);
    for (const RestartState& known : impl_->restarts) {
        if (known.arm == arm && known.instance == instance && known.at_ms == at_ms) return;
    }
    impl_->restarts.push_back({arm, std::string(instance), at_ms});
}

Decision judge(const Plan& plan, const Batch& batch, std::optional<std::int64_t> now_ms) {
    Monitor monitor(plan);
    for (std::size_t i = 0; i < batch.stages.size() && (!now_ms || batch.stages[i].at_ms <= *now_ms); ++i) {
        if (i > 0) monitor.observe(before(batch, batch.stages[i].at_ms));
        monitor.enter_stage(batch.stages[i].stage, batch.stages[i].at_ms);
    }
    if (now_ms) return monitor.observe(before(batch, *now_ms + 1), now_ms);
    monitor.observe(batch);
    return monitor.flush();
}

}  // namespace v0
}  // namespace serinus
