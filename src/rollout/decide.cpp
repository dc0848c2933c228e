#include "rollout/decide.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <optional>
#include <string>
#include <tuple>
#include <utility>

#include <serinus/core/reason_group.hpp>
#include <serinus/core/version.hpp>
#include <serinus/numeric/elementary.hpp>

#include "rollout/fixed_look.hpp"
#include "rollout/limits.hpp"

namespace serinus {
inline namespace v0 {
namespace detail {
namespace {

/// Whether intervals wait because an arm has hardly a request in them, and not for samples: no interval fits that.
bool few_requests(const Judged& judged) {
    constexpr double few = 3;
    const auto given = static_cast<double>(judged.settled() - judged.bridged);
    const std::vector<NamedNumber> observed = judged.observed();
    return std::any_of(observed.begin(), observed.end(), [&](const NamedNumber& number) {
        return number.name.starts_with("total_") && number.value < few * given;
    });
}

/// How a metric's data were understood.
std::vector<Reason> intake_notes(const Look& look, const Judged& judged, const Standing& standing, std::size_t index) {
    const bool looks_like_counts =
        std::any_of(standing.obstacles.begin(), standing.obstacles.end(),
                    [](const Reason& reason) { return reason.code == Code::looks_like_counts; });
    const MetricIntake& intake = look.intake.metrics()[index];
    std::vector<Reason> reasons = intake.notes();
    // Where intervals wait for others as a rule, the plan's interval does not fit the data.
    const double spacing = std::round(static_cast<double>(intake.spacing_ms()) / 1000);
    if (judged.bridged > 2 && 5 * judged.bridged > judged.settled() && spacing > seconds(look.plan.interval.count()) &&
        !few_requests(judged) && !looks_like_counts) {
        reasons.push_back({Code::bridged_intervals,
                           "",
                           {{"count", static_cast<double>(judged.bridged)},
                            {"intervals", static_cast<double>(judged.settled())},
                            {"spacing", spacing},
                            {"interval", seconds(look.plan.interval.count())},
                            {"fits", spacing}},
                           false});
    }
    // A split that is another one than told, and not that of exchanged arms, changes no comparison.
    const TrafficWatch* const watch = look.traffic.of(index);
    if (watch && watch->off() && !watch->exchanged() && !watch->silent()) {
        for (Reason& reason : watch->reasons(judged.metric.name)) reasons.push_back(std::move(reason));
    }
    for (Reason& reason : reasons) reason.metric = judged.metric.name;
    return reasons;
}

/// What is told of one metric.
MetricResult result_of(const Look& look, const Judged& judged, const Standing& standing, std::size_t index) {
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
    result.severity = effective_severity(metric);
    result.alpha = judged.alpha;
    result.alpha_mirror = judged.mirror_alpha();
    std::tie(result.guarantee, result.guarantee_why) = judged.promise();
    // What is not what the plan says it is keeps no promise.
    for (const Reason& reason : standing.obstacles) {
        if (reason.code != Code::looks_like_counter && reason.code != Code::looks_like_counts &&
            reason.code != Code::duplicate_series && reason.code != Code::arms_exchanged) {
            continue;
        }
        result.guarantee = Guarantee::none;
        result.guarantee_why = reason.code;
    }

    if (look.fixed) {
        look.fixed->tell(judged, standing, index, result);
        if (standing.stale) {
            result.reasons.push_back(
                {Code::stale,
                 metric.name,
                 {{"age", standing.age_seconds}, {"limit", seconds(effective_stale_after(look.plan))}},
                 false});
        }
        for (Reason& reason : intake_notes(look, judged, standing, index)) result.reasons.push_back(std::move(reason));
        return result;
    }

    const Evidence shown = judged.evidence();
    result.evidence = shown;
    const double harm_log_e_value = judged.harm_log_e_value();
    result.evidence.log_e_value = harm_log_e_value;
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

    if (judged.failed) {
        result.verdict = Verdict::fail;
        result.reasons.push_back(judged.failure_reason(seconds(judged.failed_after_ms)));
    } else if (judged.used == 0) {
        result.verdict = Verdict::no_data;
    } else if (judged.passes() && standing.obstacles.empty() && !standing.idle_share && !standing.stale) {
        result.verdict = Verdict::pass;
        if (judged.promote_when == PromoteWhen::no_harm_found) {
            result.reasons.push_back({Code::no_harm_found, metric.name, {{"power", 1 - look.plan.beta}}, false});
        } else {
            result.reasons.push_back(
                {Code::harm_ruled_out, metric.name, {{"confidence", 1 - result.alpha_mirror}}, false});
        }
    } else {
        result.verdict = Verdict::inconclusive;
    }
    result.reasons.insert(result.reasons.end(), standing.obstacles.begin(), standing.obstacles.end());
    if (standing.idle_share && result.verdict != Verdict::fail)
        result.reasons.push_back({Code::canary_idle, metric.name, {{"share", *standing.idle_share}}, false});
    if (result.verdict == Verdict::inconclusive) {
        for (Reason& reason : judged.hindrances()) result.reasons.push_back(std::move(reason));
    }
    // Of series that nobody has had, and of arms without a request, that is said, and not that they grow old.
    const bool never = std::any_of(standing.obstacles.begin(), standing.obstacles.end(), [](const Reason& reason) {
        return reason.code == Code::never_seen || reason.code == Code::canary_without_requests ||
               reason.code == Code::baseline_without_requests;
    });
    if (look.clock.start_ms && judged.intervals > 0 && standing.stale && !(never && judged.used == 0)) {
        result.reasons.push_back({Code::stale,
                                  metric.name,
                                  {{"age", standing.age_seconds}, {"limit", seconds(effective_stale_after(look.plan))}},
                                  false});
    }
    if (result.verdict == Verdict::inconclusive) {
        if (const auto silent = judged.without_requests()) {
            result.reasons.push_back(
                {*silent == Arm::canary ? Code::canary_without_requests : Code::baseline_without_requests,
                 metric.name,
                 {},
                 false});
        } else if (judged.nothing_happened() && metric.margin.ratio && !metric.margin.floor) {
            result.reasons.push_back({Code::no_events, metric.name, {}, false});
        } else if (result.evidence.confidence > 0 || shown.method == "before_after") {
            result.reasons.push_back({Code::undecided,
                                      metric.name,
                                      {{"evidence", elementary::exp(harm_log_e_value)},
                                       {"needed", elementary::exp(judged.harm_log_needed())}},
                                      false});
        }
    }
    if (result.verdict == Verdict::inconclusive) {
        for (Reason& doubt : judged.doubts(look.clock.next)) result.reasons.push_back(std::move(doubt));
    }
    for (Reason& reason : judged.noise_reasons()) result.reasons.push_back(std::move(reason));
    for (Reason& reason : intake_notes(look, judged, standing, index)) result.reasons.push_back(std::move(reason));
    // What could not be is told even where it no longer stands in the way.
    if (judged.impossible > 0) {
        Reason impossible = impossible_reason(judged);
        const bool said = std::any_of(result.reasons.begin(), result.reasons.end(),
                                      [&](const Reason& reason) { return reason.code == impossible.code; });
        if (!said) result.reasons.push_back(std::move(impossible));
    }
    return result;
}

/// Who is told of each of a metric's reasons: of its failure as its own key says; a ticket of what stands in its way, for
/// somebody can mend it.
void give_severities(const Plan& plan, const Metric& metric, MetricResult& result) {
    if (metric.muted) return;
    for (Reason& reason : result.reasons) {
        const ReasonGroup of = group(reason.code);
        const bool hinders =
            reason.code != Code::no_data_yet &&
            (of == ReasonGroup::telemetry || of == ReasonGroup::undecidable || of == ReasonGroup::delayed);
        reason.severity = severity_of(plan, reason.code, hinders ? Severity::ticket : Severity::info);
    }
    if (result.verdict != Verdict::fail) return;
    Reason& failure = result.reasons.front();
    failure.severity = metric.severity.value_or(severity_of(plan, failure.code, result.severity));
}

/// What the rules are asked of.
struct Facts {
    const Plan& plan;
    const Stage& stage;
    const StageClock::View& clock;
    const Panel::View& panel;
    const Decision& told;  // metrics and objectives are
    LatchState latch;      // with what is decided now
    bool any_judged = false, all_passed = true, only_muted = true, paging = false;
    /// Of the metric that is silent for longest, where the plan says that missing data fail.
    std::optional<double> silent_seconds = std::nullopt;

    bool past_minimum() const { return told.elapsed >= stage.min; }
    bool past_maximum() const { return stage.max && told.elapsed >= *stage.max; }
    bool may_promote() const { return clock.start_ms && any_judged && all_passed && !paging; }
    bool metric_failed() const {
        return std::any_of(panel.metrics.begin(), panel.metrics.end(),
                           [](const Judged& judged) { return judged.failed && rolls_back(judged.metric); });
    }
    bool objective_failed() const {
        return std::any_of(panel.slo.begin(), panel.slo.end(), [](const SloJudged& judged) { return judged.failed(); });
    }
    bool latched(Code policy) const {
        return std::find(latch.policy.begin(), latch.policy.end(), static_cast<std::int64_t>(policy)) !=
               latch.policy.end();
    }
};

/// Decides for ever: what is proven, and what the plan orders apart from evidence. A rollback stands.
void latch_by_now(Facts& facts) {
    LatchState& latch = facts.latch;
    if (latch.rolled_back) return;
    const bool proven = facts.metric_failed() || facts.objective_failed() || latch.together_after_ms;
    const auto order = [&](Code policy, double after_seconds) {
        latch.policy.push_back(static_cast<std::int64_t>(policy));
        latch.policy_seconds = after_seconds;
    };
    if (facts.silent_seconds) {
        order(Code::missing_rollback, *facts.silent_seconds);
    } else if (facts.past_maximum() && !facts.may_promote() && !proven &&
               facts.plan.on_deadline == Deadline::rollback) {
        order(Code::deadline_rollback, seconds(facts.told.elapsed.count()));
    }
    latch.rolled_back = proven || !latch.policy.empty();
}

/// The rules of rules.def by name. Those of the rollout as a whole give the numbers of their reason where they hold,
/// those of metrics and objectives the reasons that these give.
namespace rules {

using Holds = std::optional<std::vector<NamedNumber>>;

Holds when(bool holds) { return holds ? Holds(std::in_place) : std::nullopt; }

/// Why those have failed whose failure does this.
std::vector<Reason> failed(const Facts& facts, OnFail on_fail) {
    std::vector<Reason> reasons;
    for (std::size_t i = 0; i < facts.panel.metrics.size(); ++i) {
        const Judged& judged = facts.panel.metrics[i];
        if (judged.failed && !judged.metric.muted && effective_on_fail(judged.metric) == on_fail)
            reasons.push_back(facts.told.metrics[i].reasons.front());
    }
    return reasons;
}

std::vector<Reason> failed_metrics(const Facts& facts) { return failed(facts, OnFail::rollback); }
std::vector<Reason> failed_signals(const Facts& facts) { return failed(facts, OnFail::hold); }

std::vector<Reason> failed_objectives(const Facts& facts) {
    std::vector<Reason> reasons;
    for (const BurnResult& burn : facts.told.burn) {
        for (const Reason& reason : burn.reasons) {
            if (reason.code == Code::burn_halt || reason.code == Code::budget_exceeded) reasons.push_back(reason);
        }
    }
    return reasons;
}

Holds harm_proven_together(const Facts& facts) {
    // Where a metric or an objective is named, it has said enough.
    if (!facts.latch.together_after_ms || facts.metric_failed() || facts.objective_failed()) return {};
    return std::vector<NamedNumber>{{"evidence", elementary::exp(facts.latch.together_log)},
                                    {"needed", 1 / facts.plan.alpha},
                                    {"after", seconds(*facts.latch.together_after_ms)}};
}

Holds missing_rollback(const Facts& facts) {
    if (!facts.latched(Code::missing_rollback)) return {};
    return std::vector<NamedNumber>{{"age", facts.latch.policy_seconds}};
}

Holds deadline_rollback(const Facts& facts) {
    if (!facts.latched(Code::deadline_rollback)) return {};
    return std::vector<NamedNumber>{{"elapsed", facts.latch.policy_seconds},
                                    {"maximum", seconds(facts.stage.max.value_or(std::chrono::milliseconds(0)))}};
}

Holds finished(const Facts& facts) {
    return when(facts.may_promote() && facts.past_minimum() && facts.clock.stage + 1 == facts.plan.stages.size());
}

Holds stage_passed(const Facts& facts) {
    return when(facts.may_promote() && facts.past_minimum() && facts.clock.stage + 1 < facts.plan.stages.size());
}

std::vector<Reason> hindered_metrics(const Facts& facts) {
    std::vector<Reason> reasons;
    for (const MetricResult& metric : facts.told.metrics) {
        if (metric.muted) continue;
        // Only what stands in the way: a metric that has passed, or that waits as usual, says so in its own line.
        for (const Reason& reason : metric.reasons) {
            const ReasonGroup of = group(reason.code);
            if (of == ReasonGroup::telemetry || of == ReasonGroup::undecidable || of == ReasonGroup::delayed)
                reasons.push_back(reason);
        }
    }
    return reasons;
}

Holds nothing_to_judge(const Facts& facts) { return when(facts.only_muted); }

Holds warming_up(const Facts& facts) {
    const std::chrono::milliseconds warm_up = facts.plan.warm_up;
    if (!facts.clock.start_ms || facts.told.elapsed >= warm_up) return {};
    return std::vector<NamedNumber>{{"seconds", seconds(warm_up)}};
}

Holds waiting(const Facts& facts) { return when(!facts.all_passed || !facts.any_judged); }

Holds stage_minimum(const Facts& facts) {
    if (!facts.clock.start_ms || facts.past_minimum()) return {};
    return std::vector<NamedNumber>{{"elapsed", seconds(facts.told.elapsed.count())},
                                    {"minimum", seconds(facts.stage.min)}};
}

Holds deadline_hold(const Facts& facts) {
    if (!facts.past_maximum()) return {};
    return std::vector<NamedNumber>{{"elapsed", seconds(facts.told.elapsed.count())},
                                    {"maximum", seconds(*facts.stage.max)}};
}

}  // namespace rules

/// A rule of the rollout as a whole, as one that gives reasons.
template <Code code, rules::Holds (*rule)(const Facts&)>
std::vector<Reason> said(const Facts& facts) {
    rules::Holds numbers = rule(facts);
    if (!numbers) return {};
    const bool policy = code == Code::missing_rollback || code == Code::deadline_rollback;
    const Severity usual = code == Code::harm_proven_together || policy ? Severity::page
                           : code == Code::deadline_hold                ? Severity::ticket
                                                                        : Severity::info;
    return {{code, "", std::move(*numbers), policy, {}, severity_of(facts.plan, code, usual)}};
}

struct Rule {
    Action action;
    std::vector<Reason> (*says)(const Facts&);  // nothing: it does not hold
};

constexpr std::array in_order{
#define SERINUS_RULE(action, code, when) Rule{Action::action, said<Code::code, rules::code>},
#define SERINUS_RULE_OF(action, rule, of, when) Rule{Action::action, rules::rule},
#include "rollout/rules.def"
#undef SERINUS_RULE
#undef SERINUS_RULE_OF
};

/// Which action it is, and why.
void apply_rules(const Facts& facts, Decision& decision) {
    std::optional<Action> action;
    if (facts.latch.rolled_back) action = Action::rollback;  // it stands, whatever there is to say for it
    for (const Rule& rule : in_order) {
        if (action && rule.action != *action) continue;
        std::vector<Reason> reasons = rule.says(facts);
        if (reasons.empty()) continue;
        action = rule.action;
        for (Reason& reason : reasons) decision.reasons.push_back(std::move(reason));
    }
    decision.action = action.value_or(Action::hold);
    decision.finished = decision.action == Action::promote && decision.stage == decision.stages;
}

/// Whose failure is proven, in the plan's order.
std::vector<std::string> failed_of(const Facts& facts) {
    std::vector<std::string> names;
    for (const Judged& judged : facts.panel.metrics) {
        if (judged.failed && !judged.metric.muted) names.push_back(judged.metric.name);
    }
    for (const SloJudged& judged : facts.panel.slo) {
        if (judged.failed()) names.push_back(judged.rule.objective.name);
    }
    return names;
}

/// What one incident is known by, at every look: not by its reasons, which come and go.
std::string dedupe_key_of(const Decision& decision) {
    const std::string whose = decision.deployment.empty() ? decision.plan : decision.deployment;
    if (decision.action == Action::rollback) return whose + "/rollback";
    for (const BurnResult& burn : decision.burn) {
        // (An alert that is as bad as the hold is more to the point.)
        if (burn.alert && *burn.alert == decision.severity) return burn.dedupe_key;
    }
    if (decision.severity == Severity::info) return "";
    return whose + "/stage " + std::to_string(decision.stage) + "/hold";
}

/// A dry run is handed out nothing that anybody acts on; what it would have been is told beside.
void hand_out_nothing(Decision& decision) {
    decision.would = decision.action;
    decision.would_severity = decision.severity;
    decision.action = Action::hold;
    decision.severity = Severity::info;
    decision.finished = false;
    decision.dedupe_key.clear();
    decision.reasons.insert(decision.reasons.begin(),
                            {Code::dry_run, "", {}, false, {{"would", std::string(word(*decision.would))}}});
}

/// What is told beside the action's reasons.
void tell_besides(const Facts& facts, Decision& decision, const Intake& intake) {
    // A signal that has failed is told whatever is done: its severity may be graver than that of what is rolled back for.
    if (decision.action == Action::rollback) {
        for (Reason& reason : rules::failed_signals(facts)) decision.reasons.push_back(std::move(reason));
    }
    // Raw burn rates page and open tickets; they never roll back.
    for (const BurnResult& burn : decision.burn) {
        if (!burn.alert) continue;
        for (const Reason& reason : burn.reasons) {
            if (reason.code == Code::burn_canary || reason.code == Code::burn_service)
                decision.reasons.push_back(reason);
        }
    }
    const auto tell = [&](Code code, std::int64_t count) {
        if (count > 0) decision.reasons.push_back({code, "", {{"count", static_cast<double>(count)}}, false});
        if (count > 0) decision.reasons.back().severity = severity_of(facts.plan, code, Severity::info);
    };
    tell(Code::late_samples, decision.telemetry.late);
    tell(Code::conflicting_samples, decision.telemetry.conflicts);
    for (Reason& note : intake.notes()) {
        note.severity = severity_of(facts.plan, note.code, Severity::info);
        decision.reasons.push_back(std::move(note));
    }
}

}  // namespace

Severity severity_of(const Plan& plan, Code code, Severity usual) {
    if (plan.severity.empty()) return usual;
    const auto said = plan.severity.find(std::string(name(code)));
    return said == plan.severity.end() ? usual : said->second;
}

Decided decide(const Plan& plan, const StageClock::View& clock, const Panel::View& panel, const Intake& intake,
               const FixedLook* fixed) {
    const Look look{plan, clock, intake, panel.traffic, fixed};
    Decision decision;
    decision.stage = static_cast<int>(clock.stage) + 1;
    decision.stages = static_cast<int>(plan.stages.size());
    decision.traffic = plan.stages[clock.stage].traffic;
    decision.time = moment(clock.now_ms);
    decision.elapsed = std::chrono::milliseconds(clock.elapsed_ms);
    decision.reached_seconds = clock.reached_ms / 1000;
    decision.plan = plan.name;
    decision.deployment = plan.deployment;
    decision.alpha = plan.alpha;
    decision.version = version();
    decision.telemetry = intake.telemetry();

    Facts facts{.plan = plan,
                .stage = plan.stages[clock.stage],
                .clock = clock,
                .panel = panel,
                .told = decision,
                .latch = panel.latch};
    // The promise is as strong as the weakest of those that can break it.
    std::optional<Guarantee> weakest;
    const auto rest_on = [&](const MetricResult& metric) {
        if (group(metric.guarantee_why) == ReasonGroup::undecidable) return;
        weakest = std::max(weakest.value_or(metric.guarantee), metric.guarantee);
    };
    std::vector<Standing> standings;
    for (std::size_t i = 0; i < panel.metrics.size(); ++i) {
        const Judged& judged = panel.metrics[i];
        const Standing& standing = standings.emplace_back(look, judged, i);
        decision.metrics.push_back(result_of(look, judged, standing, i));
        give_severities(plan, judged.metric, decision.metrics.back());
        const Metric& metric = judged.metric;
        if (metric.muted) continue;
        facts.only_muted = false;
        if (rolls_back(metric)) rest_on(decision.metrics.back());
        if (standing.stale && metric.missing == Missing::fail)
            facts.silent_seconds = std::max(facts.silent_seconds.value_or(0), standing.age_seconds);
        const TrafficWatch* const watch = panel.traffic.of(i);
        if (watch && watch->silent() && metric.missing == Missing::fail && clock.now_ms) {
            const auto since_ms = watch->state().since_ms.value_or(*clock.now_ms);
            facts.silent_seconds = std::max(facts.silent_seconds.value_or(0), seconds(*clock.now_ms - since_ms));
        }
        // Without any data of its own an ignorable metric does not keep the others waiting.
        if (standing.stale && judged.used == 0 && metric.missing == Missing::ignore) continue;
        facts.any_judged = true;
        const bool passes = fixed ? decision.metrics.back().verdict == Verdict::pass : judged.passes();
        facts.all_passed = facts.all_passed && passes && !judged.failed && !standing.stale && !standing.idle_share &&
                           standing.obstacles.empty();
    }
    for (const SloJudged& judged : panel.slo) {
        const Judged& counted = panel.metrics[judged.metric];
        const Standing& standing = standings[judged.metric];
        const BurnResult& burn = decision.burn.emplace_back(burn_result(look, judged, counted, standing));
        facts.paging = facts.paging || burn.alert == Severity::page;
        facts.only_muted = false;
        if (standing.stale && counted.used == 0 && counted.metric.missing == Missing::ignore) continue;
        facts.any_judged = true;
        facts.all_passed = facts.all_passed && burn.verdict == Verdict::pass;
        rest_on(decision.metrics[judged.metric]);
    }
    decision.guarantee = weakest.value_or(Guarantee::none);

    latch_by_now(facts);
    apply_rules(facts, decision);
    tell_besides(facts, decision, intake);
    if (fixed && fixed->came_since() > 0) {
        const auto count = static_cast<double>(fixed->came_since());
        decision.reasons.push_back({Code::look_again, "", {{"count", count}}, false});
    }
    for (const Reason& reason : decision.reasons) decision.severity = std::min(decision.severity, reason.severity);
    decision.failed = failed_of(facts);
    decision.dedupe_key = dedupe_key_of(decision);
    if (plan.dry_run) hand_out_nothing(decision);
    return {std::move(decision), std::move(facts.latch)};
}

}  // namespace detail
}  // namespace v0
}  // namespace serinus
