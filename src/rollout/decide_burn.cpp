// What a decision says of error budgets.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <tuple>

#include <serinus/core/counts.hpp>

#include "rollout/decide.hpp"
#include "rollout/limits.hpp"

namespace serinus {
inline namespace v0 {

namespace detail {
namespace {

double burn_of(const Proportion& events, double budget) {
    return as_double(events.bad) / as_double(events.total) / budget;
}

std::vector<BurnWindow> windows_of(const SloJudged& judged) {
    const auto &canary = judged.windows(Whose::canary), &service = judged.windows(Whose::service);
    std::vector<BurnWindow> windows;
    for (std::size_t i = 0; i < canary.size(); ++i) {
        windows.push_back({.window = canary[i].window,
                           .status = canary[i].status,
                           .canary = canary[i].burn,
                           .service = service[i].burn,
                           .coverage = canary[i].coverage});
    }
    return windows;
}

BudgetShare share_of(const SloJudged& judged, std::chrono::milliseconds interval) {
    BudgetShare share;
    share.allowed = judged.rule.max_budget_per_release;
    share.measured = !judged.rule.objective.expected_events;
    share.confidence = 1 - judged.excess.options().alpha_lower - judged.excess.options().alpha_upper;
    if (judged.progress.intervals == 0) {
        if (!share.measured) share.expected_events = *judged.rule.objective.expected_events;
        return share;
    }
    share.expected_events = judged.expected_events(interval);
    const double all = judged.budget_events(1, interval);
    if (!(all > 0)) return share;  // not one request so far
    share.estimate = judged.excess.estimate() / all;
    share.lower = judged.excess.lower() / all;
    share.upper = judged.excess.upper() / all;
    share.total = static_cast<double>(judged.excess.canary().bad) / all;
    // The bound is interpolated, the e-value at what is allowed exact: a verdict and the bound beside it agree.
    if (judged.progress.exceeded) share.lower = std::max(share.lower, share.allowed);
    return share;
}

/// The gravest condition that fires, if one does. The burn rate is read off the windows: alerts that were restored from
/// a state do not know it.
std::optional<Reason> alert_reason(Code code, const std::string& objective, const slo::Alerts& alerts,
                                   const std::vector<slo::WindowBurn>& burns) {
    const auto severity = alerts.firing();
    if (!severity) return std::nullopt;
    std::size_t at = 0;
    while (alerts.alerts()[at].state != slo::AlertState::firing ||
           alerts.policy().conditions[at].severity != *severity) {
        ++at;
    }
    const slo::Condition& condition = alerts.policy().conditions[at];
    const auto window = std::find_if(burns.begin(), burns.end(),
                                     [&](const auto& burn) { return burn.window == condition.long_window; });
    return Reason{code,
                  objective,
                  {{"burn", window->burn},
                   {"long", seconds(condition.long_window)},
                   {"short", seconds(condition.short_window)},
                   {"factor", condition.factor}},
                  false,
                  {},
                  *severity};
}

}  // namespace

BurnResult burn_result(const Look& look, const SloJudged& judged, const Judged& counted, const Standing& standing) {
    const Plan& plan = look.plan;
    const SloRule& rule = judged.rule;
    const std::string& name = rule.objective.name;
    const double budget = rule.objective.budget;
    BurnResult result;
    result.objective = name;
    result.metric = rule.metric;
    result.budget = budget;
    result.period = rule.objective.period;
    result.alpha = judged.alpha;
    const Proportion baseline = judged.excess.baseline(), canary = judged.excess.canary();
    result.canary_burn = burn_of(canary, budget);
    result.canary_upper = 1 / budget;
    if (canary.total > 0) {
        const double requests = as_double(canary.total);
        result.canary_lower = judged.excess.canary_lower() / requests / budget;
        result.canary_upper = std::min(result.canary_upper, judged.excess.canary_upper() / requests / budget);
    }
    result.service_burn = burn_of({baseline.bad + canary.bad, baseline.total + canary.total}, budget);
    result.windows = windows_of(judged);
    result.share = share_of(judged, plan.interval);
    result.halt.window = *effective_halt_window(rule);
    result.halt.budget = rule.halt_budget;
    result.halt.factor = halt_difference(rule) / budget;
    result.halt.log_e_value = judged.halt.log_e_value();
    result.halt.needed_log_e_value = judged.halt.log_needed();
    for (const slo::WindowBurn& window : judged.windows(Whose::judged)) {
        if (window.window == result.halt.window) result.projected_burn = window.burn;
    }

    const auto say = [&](Code code, std::vector<NamedNumber> numbers) {
        const bool failure = code == Code::burn_halt || code == Code::budget_exceeded;
        const Severity severity = severity_of(plan, code, failure ? Severity::page : Severity::info);
        result.reasons.push_back({code, name, std::move(numbers), false, {}, severity});
    };
    const double after = seconds(judged.progress.failed_after_ms);
    if (judged.progress.halted)
        say(Code::burn_halt,
            {{"share", rule.halt_budget}, {"window", seconds(result.halt.window.count())}, {"after", after}});
    if (judged.progress.exceeded)
        say(Code::budget_exceeded,
            {{"lower", judged.progress.proven}, {"allowed", rule.max_budget_per_release}, {"after", after}});
    if (judged.failed()) {
        result.verdict = Verdict::fail;
    } else if (judged.progress.intervals > 0 && counted.used > 0) {
        const bool kept = result.share.upper < result.share.allowed;
        result.verdict = kept && standing.obstacles.empty() && !standing.stale ? Verdict::pass : Verdict::inconclusive;
        say(kept ? Code::budget_kept : Code::budget_open,
            {{"upper", result.share.upper}, {"allowed", result.share.allowed}});
    }

    for (const auto& [alerts, whose, code] : {std::tuple{&judged.service, Whose::service, Code::burn_service},
                                              std::tuple{&judged.canary, Whose::judged, Code::burn_canary}}) {
        const auto reason = alert_reason(code, name, *alerts, judged.windows(whose));
        if (!reason) continue;
        result.alert = std::min(result.alert.value_or(*alerts->firing()), *alerts->firing());
        result.reasons.push_back(*reason);
    }
    if (!result.alert && look.clock.start_ms && look.clock.next <= look.clock.warm) {
        // Windows end with the last judged interval.
        result.suppressed = judged.any_holds(Whose::canary, look.clock.frontier_ms);
        if (result.suppressed) say(Code::burn_suppressed, {});
    }
    if (result.share.measured && judged.progress.intervals > 0)
        say(Code::expected_events_measured, {{"events", result.share.expected_events}});

    if (judged.failed() || result.alert) {
        Severity severity = Severity::info;
        for (const Reason& reason : result.reasons) severity = std::min(severity, reason.severity);
        result.dedupe_key =
            (plan.deployment.empty() ? plan.name : plan.deployment) + "/" + name + "/" + std::string(word(severity));
    }
    return result;
}

}  // namespace detail
}  // namespace v0
}  // namespace serinus
