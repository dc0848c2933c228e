// From verdicts to the decision, with the reasons for it.

#include <algorithm>
#include <cmath>
#include <tuple>

#include <serinus/core/version.hpp>
#include <serinus/numeric/elementary.hpp>

#include "rollout/monitor_impl.hpp"

namespace serinus {
inline namespace v0 {
using detail::seconds;

MetricResult Monitor::Impl::result(const Judged& judged) const {
    const Metric& metric = judged.metric;
    MetricResult result;
    result.name = metric.name;
    result.kind = metric.kind;
    result.harm = metric.harm;
    result.margin = metric.margin;
    if (const auto detect = judged.detect_margin()) result.detect = *detect;
    result.promote_when = judged.promote_when;
    result.critical = metric.critical;
    result.muted = metric.muted;
    result.alpha = judged.alpha;
    result.alpha_mirror = judged.mirror_alpha();
    std::tie(result.guarantee, result.guarantee_why) = judged.promise();

    const Evidence shown = judged.evidence();
    result.evidence = shown;
    result.evidence.log_e_value = judged.harm_log_e_value();
    result.evidence.p_value = judged.harm_p_value();
    result.mirror = shown;
    result.mirror.log_e_value = judged.mirror_log_e_value();
    result.mirror.p_value = judged.mirror_p_value();
    if (judged.blind()) {
        for (Evidence* const blind : {&result.evidence, &result.mirror}) {
            const Evidence told = *blind;
            *blind = Evidence{};
            blind->estimate = told.estimate;
            blind->n_baseline = told.n_baseline;
            blind->n_canary = told.n_canary;
            blind->method = told.method;
        }
    }
    result.observed = judged.observed();

    const std::optional<double> idle = judged.idle_share();
    std::vector<Reason> obstacle = obstacles(judged);
    if (judged.failed) {
        result.verdict = Verdict::fail;
        result.reasons.push_back(judged.failure_reason(seconds(judged.failed_after_ms)));
    } else if (judged.used == 0) {
        result.verdict = Verdict::no_data;
    } else if (judged.passes() && obstacle.empty() && !idle && !stale(judged)) {
        result.verdict = Verdict::pass;
        if (judged.promote_when == PromoteWhen::no_harm_found) {
            result.reasons.push_back({Code::no_harm_found, metric.name, {{"power", 1 - plan.beta}}, false});
        } else {
            result.reasons.push_back(
                {Code::harm_ruled_out, metric.name, {{"confidence", 1 - result.alpha_mirror}}, false});
        }
    } else {
        result.verdict = Verdict::inconclusive;
    }
    for (Reason& reason : obstacle) result.reasons.push_back(std::move(reason));
    if (idle && result.verdict != Verdict::fail)
        result.reasons.push_back({Code::canary_idle, metric.name, {{"share", *idle}}, false});
    if (result.verdict == Verdict::inconclusive) {
        for (Reason& reason : judged.hindrances()) result.reasons.push_back(std::move(reason));
    }
    if (start_ms && judged.intervals > 0 && stale(judged)) {
        result.reasons.push_back({Code::stale,
                                  metric.name,
                                  {{"age", age_seconds(judged)}, {"limit", seconds(effective_stale_after_ms(plan))}},
                                  false});
    }
    if (result.verdict == Verdict::inconclusive) {
        if (judged.nothing_happened() && metric.margin.ratio) {
            result.reasons.push_back({Code::no_events, metric.name, {}, false});
        } else if (result.evidence.confidence > 0) {
            result.reasons.push_back({Code::undecided,
                                      metric.name,
                                      {{"evidence", elementary::exp(judged.harm_log_e_value())},
                                       {"needed", elementary::exp(judged.harm_log_needed())}},
                                      false});
        }
    }
    if (result.verdict == Verdict::inconclusive) {
        for (Reason& doubt : judged.doubts(next)) result.reasons.push_back(std::move(doubt));
    }
    for (Reason& reason : judged.noise_reasons()) result.reasons.push_back(std::move(reason));
    return result;
}

Decision Monitor::Impl::decide() {
    Decision decision = decide_action();
    const auto tell = [&](Code code, std::int64_t count) {
        if (count > 0) decision.reasons.push_back({code, "", {{"count", static_cast<double>(count)}}, false});
    };
    // Raw burn rates page and open tickets; they never roll back.
    for (const BurnResult& burn : decision.burn) {
        if (!burn.alert) continue;
        decision.severity = std::min(decision.severity, *burn.alert);
        for (const Reason& reason : burn.reasons) {
            if (reason.code == Code::burn_canary || reason.code == Code::burn_service)
                decision.reasons.push_back(reason);
        }
    }
    tell(Code::late_samples, late);
    tell(Code::conflicting_samples, conflicts);
    return decision;
}

Decision Monitor::Impl::decide_action() {
    Decision decision;
    const Stage& current = plan.stages[static_cast<std::size_t>(stage)];
    decision.stage = stage;
    decision.stages = static_cast<int>(plan.stages.size());
    decision.traffic = current.traffic;
    decision.time_ms = now_ms;
    decision.elapsed_ms = start_ms && now_ms ? std::max<std::int64_t>(0, *now_ms - *start_ms) : 0;
    decision.plan = plan.name;
    decision.deployment = plan.deployment;
    decision.alpha = plan.alpha;
    decision.version = version();
    decision.digest = plan_digest;
    decision.telemetry = {intervals, used, missing, newest_ms, late, repeated, conflicts, ignored};

    // What forbids or orders things apart from the metrics' own evidence.
    const bool begun = now_ms && (start_ms || watch_ms);
    bool all_passed = true, any_judged = false, any_muted_only = true;
    bool missing_fails = false;
    double silent = 0;
    // The promise is as strong as the weakest of those that can break it.
    std::optional<Guarantee> weakest;
    const auto rest_on = [&](const Judged& judged) {
        const auto [word, why] = judged.promise();
        if (detail::undecidable(why)) return;
        weakest = std::max(weakest.value_or(word), word);
    };
    for (const Judged& judged : metrics) {
        decision.metrics.push_back(result(judged));
        const Metric& metric = judged.metric;
        if (metric.muted) continue;
        any_muted_only = false;
        rest_on(judged);
        const bool silent_now = begun && stale(judged);
        if (silent_now && metric.missing == Missing::fail) {
            missing_fails = true;
            silent = std::max(silent, age_seconds(judged));
        }
        // Without any data of its own an ignorable metric does not keep the others waiting.
        if (silent_now && judged.used == 0 && metric.missing == Missing::ignore) continue;
        any_judged = true;
        all_passed = all_passed && judged.passes() && !judged.failed && !silent_now && !judged.idle_share() &&
                     obstacles(judged).empty();
    }

    bool paging = false;
    for (const detail::SloJudged& judged : slo) {
        const BurnResult& burn = decision.burn.emplace_back(burn_result(judged));
        paging = paging || burn.alert == Severity::page;
        any_muted_only = false;
        const Judged& counted = metric_of(judged.rule);
        if (counted.metric.missing == Missing::ignore && counted.used == 0 && begun && stale(counted)) continue;
        any_judged = true;
        all_passed = all_passed && burn.verdict == Verdict::pass;
        rest_on(counted);
    }

    decision.guarantee = weakest.value_or(Guarantee::none);
    const bool past_minimum = decision.elapsed_ms >= current.min_ms;
    const bool past_maximum = current.max_ms && decision.elapsed_ms >= *current.max_ms;
    const bool may_promote = start_ms && any_judged && all_passed && !paging;
    if (!rolled_back) {
        for (const Judged& judged : metrics) rolled_back = rolled_back || (judged.failed && !judged.metric.muted);
        for (const detail::SloJudged& judged : slo) rolled_back = rolled_back || judged.failed();
        rolled_back = rolled_back || together_after_ms;
        if (missing_fails) {
            policy.push_back(Code::missing_rollback);
            policy_seconds = silent;
        } else if (past_maximum && !may_promote && !rolled_back && plan.on_deadline == Deadline::rollback) {
            policy.push_back(Code::deadline_rollback);
            policy_seconds = seconds(decision.elapsed_ms);
        }
        rolled_back = rolled_back || !policy.empty();
    }

    const auto note = [&](Code code, std::vector<NamedNumber> numbers, bool outside_alpha = false) {
        decision.reasons.push_back({code, "", std::move(numbers), outside_alpha});
    };
    if (rolled_back) {
        decision.decision = Action::rollback;
        decision.severity = Severity::page;
        for (std::size_t i = 0; i < metrics.size(); ++i) {
            if (metrics[i].failed && !metrics[i].metric.muted)
                decision.reasons.push_back(decision.metrics[i].reasons.front());
        }
        for (const BurnResult& burn : decision.burn) {
            for (const Reason& reason : burn.reasons) {
                if (reason.code == Code::burn_halt || reason.code == Code::budget_exceeded)
                    decision.reasons.push_back(reason);
            }
        }
        // Where a metric or an objective is named, it has said enough.
        if (decision.reasons.empty() && together_after_ms) {
            note(Code::harm_proven_together, {{"evidence", elementary::exp(together_log)},
                                              {"needed", 1 / plan.alpha},
                                              {"after", seconds(*together_after_ms)}});
        }
        for (const Code code : policy) {
            if (code == Code::missing_rollback) {
                note(code, {{"age", policy_seconds}}, true);
            } else {
                note(code, {{"elapsed", policy_seconds}, {"maximum", seconds(current.max_ms.value_or(0))}}, true);
            }
        }
        return decision;
    }
    if (may_promote && past_minimum) {
        decision.decision = Action::promote;
        decision.finished = stage + 1 == decision.stages;
        note(decision.finished ? Code::finished : Code::stage_passed, {});
        return decision;
    }
    decision.decision = Action::hold;
    for (std::size_t i = 0; i < metrics.size(); ++i) {
        if (metrics[i].metric.muted) continue;
        // Only what stands in the way: a metric that has passed, or that waits as usual, says so in its own
        // line.
        for (const Reason& reason : decision.metrics[i].reasons) {
            const auto number = static_cast<std::int32_t>(reason.code);
            const bool telemetry_reason = number >= 1030 && number < 1060;
            // What delays a gauge is worth a ticket as well, though it may still decide.
            const bool delayed = reason.code == Code::history_scale || reason.code == Code::history_used_up;
            if (!telemetry_reason && !detail::undecidable(reason.code) && !delayed) continue;
            decision.reasons.push_back(reason);
            if (reason.code != Code::no_data_yet) decision.severity = Severity::ticket;
        }
    }
    if (any_muted_only) note(Code::nothing_to_judge, {});
    if (start_ms && plan.warm_up_ms > 0 && decision.elapsed_ms < plan.warm_up_ms)
        note(Code::warming_up, {{"seconds", seconds(plan.warm_up_ms)}});
    if (!all_passed || !any_judged) note(Code::waiting, {});
    if (start_ms && !past_minimum) {
        note(Code::stage_minimum, {{"elapsed", seconds(decision.elapsed_ms)}, {"minimum", seconds(current.min_ms)}});
    }
    if (past_maximum) {
        note(Code::deadline_hold, {{"elapsed", seconds(decision.elapsed_ms)}, {"maximum", seconds(*current.max_ms)}});
        decision.severity = Severity::ticket;
    }
    return decision;
}

}  // namespace v0
}  // namespace serinus
