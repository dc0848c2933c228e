#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include <serinus/core/error.hpp>
#include <serinus/rollout/monitor.hpp>
#include <serinus/rollout/monitor_state.hpp>

#include "rollout/decide.hpp"
#include "rollout/fixed_look.hpp"
#include "rollout/intake.hpp"
#include "rollout/panel.hpp"
#include "rollout/stage_clock.hpp"

namespace serinus {
inline namespace v0 {
namespace {

using detail::Decided;
using detail::FixedLook;
using detail::Intake;
using detail::Panel;
using detail::require_time;
using detail::StageClock;

/// What a state must have been made with. Queries fetch the data and judge nothing; a dry run changes only what is
/// handed out, and severities only who is told: others do not void it.
std::string judged_digest(Plan plan) {
    plan.queries.clear();
    plan.dry_run = false;
    plan.severity.clear();
    for (Metric& metric : plan.metrics) metric.severity.reset();
    return digest(plan);
}

/// One look needs all of the data at once, which no state keeps.
void require_many_looks(const Plan& plan) {
    if (plan.analysis == Analysis::fixed)
        raise(Code::plan_not_built,
              "analysis is \"fixed\", which has no state; allowed: \"sequential\", or one call with all of the data");
}

/// The digest of each key that a state depends on, "alpha 5f0c1b9e2a774d31", and of each metric: for saying in what
/// another plan differs.
std::vector<std::string> digests_by_key(const Plan& plan) {
    std::vector<std::string> digests;
    const auto add = [&](const std::string& key, const Plan& alone) {
        digests.push_back(key + ' ' + digest(alone).substr(0, 16));
    };
    const auto key = [&](std::string_view name, const auto& own) {
        if (name == "queries" || name == "metrics" || name == "dry_run" || name == "severity") return;
        Plan alone;
        const auto take = [&](std::string_view other, auto& member) {
            if constexpr (std::is_same_v<std::decay_t<decltype(member)>, std::decay_t<decltype(own)>>) {
                if (other == name) member = own;
            }
        };
        Plan::describe(take, alone);
        add(name == "learn_noise" ? "noise" : std::string(name), alone);
    };
    Plan::describe(key, plan);
    for (std::size_t i = 0; i < plan.metrics.size(); ++i) {
        Plan alone;
        alone.metrics.push_back(plan.metrics[i]);
        alone.metrics.back().severity.reset();
        add("metrics[" + std::to_string(i) + "]", alone);
    }
    return digests;
}

/// The keys in which two plans differ, by their digests.
std::vector<std::string> differing_keys(const std::vector<std::string>& of, const std::vector<std::string>& other) {
    std::vector<std::string> keys;
    const auto add = [&keys](const std::vector<std::string>& from, const std::vector<std::string>& to) {
        for (const std::string& digest : from) {
            std::string key = digest.substr(0, digest.find(' '));
            if (std::find(to.begin(), to.end(), digest) == to.end() &&
                std::find(keys.begin(), keys.end(), key) == keys.end())
                keys.push_back(std::move(key));
        }
    };
    add(of, other);
    add(other, of);
    return keys;
}

}  // namespace

struct Monitor::Impl {
    Plan plan;
    std::string plan_digest;
    StageClock clock;
    Intake intake;
    Panel panel;
    std::optional<FixedLook> fixed;  // where the plan looks once

    explicit Impl(Plan given)
        : plan((check(given), std::move(given))), plan_digest(digest(plan)), clock(plan), intake(plan), panel(plan) {
        if (plan.analysis == Analysis::fixed) fixed.emplace(plan);
    }

    /// Judges every interval that ends, and has settled, by `time`.
    void judge_until(std::int64_t time_ms) {
        if (!clock.begun()) return;
        const std::int64_t complete = clock.interval_at(time_ms);  // intervals [0, complete) have ended
        if (clock.next() < complete && clock.next() == 0)
            panel.look_back(intake, clock.start_of(0), plan.interval.count());
        while (clock.next() < complete) {
            const std::optional<std::int64_t> waiting = intake.first_waiting_ms(clock.frontier_ms());
            const std::int64_t jump = waiting ? std::min(complete, clock.interval_at(*waiting)) : complete;
            if (jump > clock.next()) {
                pass_over_silence(jump);
            } else {
                judge_interval();
            }
        }
        intake.forget_restarts(clock.frontier_ms());
    }

    /// A long silence is passed in one step.
    void pass_over_silence(std::int64_t to) {
        const std::int64_t from = clock.next();
        const std::int64_t judged = std::max(to, clock.warm()) - std::max(from, clock.warm());
        if (judged > 0) {
            panel.silence(judged, clock.take_starts(from, to));
            intake.count(judged, panel.used(), panel.missing());
        }
        panel.burn_silently(clock.start_of(from + 1), plan.interval.count(), to - from);
        clock.advance(to - from);
    }

    void judge_interval() {
        const std::int64_t next = clock.next();
        const bool warming = next < clock.warm();
        detail::Interval interval = intake.close(clock.start_of(next), clock.start_of(next + 1), warming);
        panel.judge(interval, plan, clock.stage(), warming, clock.take_starts(next, next + 1));
        if (!warming) {
            intake.count(1, panel.used(), panel.missing());
            if (fixed) {
                fixed->record(interval, panel.metrics());
            } else {
                panel.settle({plan, clock.view(), intake, panel.view().traffic});
            }
        }
        clock.advance(1);
    }

    Decided decide() const {
        Decided decided = detail::decide(plan, clock.view(), panel.view(), intake, fixed ? &*fixed : nullptr);
        decided.decision.digest = plan_digest;
        return decided;
    }

    /// Decides, for ever where it does.
    Decision settle() {
        Decided decided = decide();
        panel.latch(decided.latch);
        return std::move(decided.decision);
    }
};

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

Decision Monitor::decision() const { return impl_->decide().decision; }

Decision Monitor::observe(const Batch& batch, std::optional<std::int64_t> now_ms) {
    Impl& m = *impl_;
    if (now_ms) require_time("now is", *now_ms);
    m.intake.check(batch);
    m.intake.take(batch, m.clock);
    if (const auto now = now_ms ? now_ms : m.intake.newest_ms()) m.clock.tell(*now);
    m.clock.begin_with(m.intake.first_of_canary_ms());
    if (const auto now = m.clock.now_ms()) {
        const std::int64_t settled_ms = *now - m.plan.settle.count();
        // While there is no canary, the baseline's past is of no use but for the counters' last values.
        if (!m.clock.begun()) m.intake.pass_over(settled_ms - m.plan.interval.count());
        m.judge_until(settled_ms);
    }
    return m.settle();
}

Decision Monitor::flush() {
    Impl& m = *impl_;
    m.clock.begin_with(m.intake.first_of_canary_ms());
    if (const auto last = m.intake.last_waiting_ms()) m.judge_until(*last + m.plan.interval.count());
    if (m.fixed) {
        const StageClock::View clock = m.clock.view();
        m.fixed->conclude({m.plan, clock, m.intake, m.panel.view().traffic}, m.panel.metrics(), m.plan_digest);
    }
    return m.settle();
}

void Monitor::enter_stage(int stage, std::int64_t at_ms) {
    Impl& m = *impl_;
    const auto stages = static_cast<int>(m.plan.stages.size());
    if (stage < 1 || stage > stages) {
        raise(Code::monitor_stage,
              "the stage is " + std::to_string(stage) + "; allowed: 1 to " + std::to_string(stages));
    }
    require_time("the stage is entered at", at_ms);
    const int index = stage - 1;
    if (m.clock.knows(index, at_ms)) return;
    m.clock.begin_with(m.intake.first_of_canary_ms());
    m.clock.require_not_before_start(index, at_ms);
    const bool moves = m.clock.begun() && !m.clock.is_first(index);
    if (moves) {
        m.judge_until(at_ms);
        m.intake.enter_stage();
    }
    m.panel.enter_stage(static_cast<std::size_t>(index), moves);
    m.clock.enter(index, moves ? std::max(at_ms, m.clock.frontier_ms()) : at_ms, at_ms);
}

void Monitor::restart(Arm arm, std::string_view instance, std::int64_t at_ms) {
    require_time("the restart is at", at_ms);
    impl_->intake.restart(arm, instance, at_ms);
}

MonitorState Monitor::state() const {
    const Impl& m = *impl_;
    require_many_looks(m.plan);
    return {.plan_digest = judged_digest(m.plan),
            .plan_keys = digests_by_key(m.plan),
            .clock = m.clock.state(),
            .latch = m.panel.view().latch,
            .tracks = {},
            .metrics = m.panel.metric_states(),
            .slo = m.panel.slo_states(),
            .intake = m.intake.state(),
            .traffic = m.panel.traffic_states()};
}

void Monitor::restore(const MonitorState& state) {
    require_many_looks(impl_->plan);
    const std::string own = judged_digest(impl_->plan);
    if (state.plan_digest != own && state.plan_digest != impl_->plan_digest) {
        const auto keys = differing_keys(state.plan_keys, digests_by_key(impl_->plan));
        if (!state.plan_keys.empty() && !keys.empty())
            raise(Code::state_options, "the state belongs to a plan that differs from this Monitor's in " +
                                           listed(keys) + "; allowed: a state of this plan, whatever its queries");
        raise(Code::state_options, "the state belongs to another plan, with digest " + state.plan_digest +
                                       "; this Monitor's plan has " + own + " (queries apart)");
    }
    Impl next(impl_->plan);
    next.clock.restore(state.clock);
    next.intake.restore(state.intake, state.tracks);
    next.panel.restore(state, next.clock.stage());
    *impl_ = std::move(next);
}

Decision judge(const Plan& plan, const Batch& batch, std::optional<std::int64_t> now_ms) {
    constexpr std::int64_t first = std::numeric_limits<std::int64_t>::min();
    Monitor monitor(plan);
    for (std::size_t i = 0; i < batch.stages.size() && (!now_ms || batch.stages[i].at_ms <= *now_ms); ++i) {
        if (i > 0) monitor.observe(batch.between(first, batch.stages[i].at_ms));
        monitor.enter_stage(batch.stages[i].stage, batch.stages[i].at_ms);
    }
    if (now_ms) {
        const Decision then = monitor.observe(batch.between(first, *now_ms + 1), now_ms);
        return plan.analysis == Analysis::fixed ? monitor.flush() : then;
    }
    monitor.observe(batch);
    return monitor.flush();
}

}  // namespace v0
}  // namespace serinus
