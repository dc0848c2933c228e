// What may be said of a metric, and when it latches.

#include <algorithm>
#include <cmath>
#include <limits>

#include <serinus/numeric/elementary.hpp>
#include <serinus/series/duration.hpp>

#include "rollout/monitor_impl.hpp"

namespace serinus {
inline namespace v0 {
using detail::seconds;

std::vector<Reason> Monitor::Impl::obstacles(const Judged& judged) const {
    std::vector<Reason> reasons;
    const std::string& name = judged.metric.name;
    const auto absent = [&](Arm arm) {
        const auto at = static_cast<std::size_t>(arm);
        return judged.intervals > 0 ? judged.missing[at] == judged.intervals : now_ms && !newest_ms[at];
    };
    if (absent(Arm::baseline)) reasons.push_back({Code::missing_baseline, name, {}, false});
    if (absent(Arm::canary)) reasons.push_back({Code::missing_canary, name, {}, false});
    const auto of_kind = [&] {
        for (Reason& reason : judged.obstacles()) reasons.push_back(std::move(reason));
    };
    if (judged.intervals == 0) {
        reasons.push_back({Code::no_data_yet, name, {}, false});
        of_kind();
        return reasons;
    }
    const auto all = static_cast<double>(judged.intervals);
    const auto miss = [&](std::size_t arm) { return static_cast<double>(judged.missing[arm]); };
    // Rows that are only sent when something went wrong would count an instance only when it fails: dropping by value.
    // A counter that was not born yet is left out for what is known before, which is fair, as long as the arm has
    // others.
    if (judged.unpaired > (judged.metric.counter ? 0 : 1) &&
        (!judged.metric.counter || judged.used < judged.intervals)) {
        reasons.push_back({Code::unpaired_series, name, {{"count", static_cast<double>(judged.unpaired)}}, false});
    }
    if (judged.impossible > 0) {
        reasons.push_back({Code::impossible_counts, name, {{"count", static_cast<double>(judged.impossible)}}, false});
    }
    const double coverage = static_cast<double>(judged.used) / all;
    if (coverage < plan.telemetry.min_coverage) {
        reasons.push_back({Code::low_coverage,
                           name,
                           {{"coverage", coverage}, {"intervals", all}, {"needed", plan.telemetry.min_coverage}},
                           false});
    }
    // One missing scrape is no pattern, however short the stage is yet.
    if (std::fabs(miss(0) - miss(1)) > std::max(1.0, plan.telemetry.max_imbalance * all)) {
        reasons.push_back(
            {Code::unbalanced_gaps, name, {{"baseline", miss(0) / all}, {"canary", miss(1) / all}}, false});
    }
    const double fewest = judged.fewest();
    if (fewest < judged.metric.min_count) {
        reasons.push_back({Code::too_few, name, {{"count", fewest}, {"needed", judged.metric.min_count}}, false});
    }
    of_kind();
    return reasons;
}

double Monitor::Impl::log_mean_e_value() const {
    double log_sum = -std::numeric_limits<double>::infinity();
    const auto add = [&](double share, double log_e_value) {
        log_sum = elementary::log_add_exp(log_sum, log_e_value + elementary::log(share / plan.alpha));
    };
    for (const Judged& judged : metrics) {
        if (judged.metric.muted || !obstacles(judged).empty()) continue;
        add(judged.alpha, judged.mean_log_e_value());
    }
    // Of an objective the halt alone: half of its share.
    for (const detail::SloJudged& judged : slo) {
        if (obstacles(metric_of(judged.rule)).empty()) add(judged.alpha / 2, judged.halt.log_e_value());
    }
    return log_sum;
}

void Monitor::Impl::settle_verdicts() {
    for (bool again = true; again;) {
        again = false;
        double left = 0, total = 0;
        for (const Judged& judged : metrics) {
            if (judged.metric.muted) continue;
            total += judged.metric.weight;
            if (!judged.failed) left += judged.metric.weight;
        }
        for (const detail::SloJudged& judged : slo) {
            total += judged.rule.weight;
            if (!judged.failed()) left += judged.rule.weight;
        }
        for (Judged& judged : metrics) {
            if (judged.failed) continue;
            const double gain = judged.metric.muted ? 1 : total / left;
            if (!(judged.harm_log_largest() + elementary::log(gain) >= judged.harm_log_needed())) continue;
            if (!obstacles(judged).empty()) continue;
            if (!judged.fail(elementary::log(gain), (next + 1) * plan.interval_ms)) continue;
            again = again || !judged.metric.muted;
        }
        for (detail::SloJudged& judged : slo) {
            if (judged.failed() || !obstacles(metric_of(judged.rule)).empty()) continue;
            const double log_gain = elementary::log(total / left);
            judged.halted = judged.halt_proven(log_gain);
            judged.exceeded = judged.cap_exceeded(log_gain, plan.interval_ms);
            if (!judged.failed()) continue;
            if (judged.exceeded) {
                judged.proven = std::max(judged.rule.max_budget_per_release,
                                         judged.excess.lower() / judged.budget_events(1, plan.interval_ms));
            }
            judged.failed_after_ms = (next + 1) * plan.interval_ms;
            again = true;
        }
    }
    if (!together_after_ms) {
        const double log_mean = log_mean_e_value();
        if (log_mean >= -elementary::log(plan.alpha)) {
            together_after_ms = (next + 1) * plan.interval_ms;
            together_log = log_mean;
        }
    }
    for (Judged& judged : metrics) {
        if (judged.failed || judged.passed || !judged.mirror_decided() || !obstacles(judged).empty()) continue;
        judged.passed = !judged.idle_share();
    }
}

double Monitor::Impl::age_seconds(const Judged& judged) const {
    const std::int64_t since = judged.last_used_ms.value_or(start_ms ? *start_ms + plan.warm_up_ms : *watch_ms);
    return seconds(std::max<std::int64_t>(0, *now_ms - since));
}

bool Monitor::Impl::stale(const Judged& judged) const {
    return age_seconds(judged) > seconds(effective_stale_after_ms(plan));
}

}  // namespace v0
}  // namespace serinus
