#include "rollout/panel.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include <serinus/numeric/elementary.hpp>

namespace serinus {
inline namespace v0 {
namespace detail {
namespace {

/// Log of the mean, at this moment, of the e-values of all that may roll back, weighted by their shares of alpha. What
/// must not decide now, because it is `hindered`, counts as nothing, which never raises it.
double log_mean_e_value(double alpha, std::span<const Judged> metrics, std::span<const SloJudged> slo,
                        const std::vector<bool>& hindered) {
    double log_sum = -std::numeric_limits<double>::infinity();
    const auto add = [&](double share, double log_e_value) {
        log_sum = elementary::log_add_exp(log_sum, log_e_value + elementary::log(share / alpha));
    };
    for (std::size_t i = 0; i < metrics.size(); ++i) {
        if (rolls_back(metrics[i].metric) && !hindered[i]) add(metrics[i].alpha, metrics[i].mean_log_e_value());
    }
    // Of an objective the halt alone: half of its share.
    for (const SloJudged& judged : slo) {
        if (!hindered[judged.metric]) add(judged.alpha / 2, judged.halt.log_e_value());
    }
    return log_sum;
}

/// No less than that, and cheaper: a mean is at most the largest of what it is of.
double log_mean_at_most(std::span<const Judged> metrics, std::span<const SloJudged> slo) {
    double most = -std::numeric_limits<double>::infinity();
    for (const Judged& judged : metrics) {
        if (rolls_back(judged.metric)) most = std::max(most, judged.mean_log_at_most());
    }
    for (const SloJudged& judged : slo) most = std::max(most, judged.halt.log_e_value());
    return most + 1e-6;  // shares of alpha sum to 1 up to rounding
}

}  // namespace

Panel::Panel(const Plan& plan) : traffic_(plan) {
    const std::vector<double> split = alpha_split(plan);
    for (std::size_t i = 0; i < plan.metrics.size(); ++i) metrics_.emplace_back(plan, plan.metrics[i], split[i]);
    const std::vector<double> slo_split = slo_alpha_split(plan);
    for (std::size_t i = 0; i < plan.slo.size(); ++i) slo_.emplace_back(plan, plan.slo[i], slo_split[i]);
}

void Panel::enter_stage(std::size_t stage, bool fresh) {
    for (Judged& judged : metrics_) judged.enter_stage(stage, fresh);
}

void Panel::look_back(Intake& intake, std::int64_t start_ms, std::int64_t interval_ms) {
    for (std::size_t i = 0; i < metrics_.size(); ++i) {
        for (std::int64_t before = metrics_[i].wants_before(); before > 0; --before) {
            const std::int64_t from_ms = start_ms - before * interval_ms;
            metrics_[i].tell_before(intake.close_one(i, from_ms, from_ms + interval_ms));
        }
        metrics_[i].begin_rollout();
    }
}

void Panel::judge(Interval& interval, const Plan& plan, std::size_t stage, bool warming, double weight) {
    for (SloJudged& judged : slo_) {
        const Metric& metric = metrics_[judged.metric].metric;
        interval.metric = judged.metric;
        const std::array<ProportionKind::Values, 2> arms{ProportionKind::gather(interval, metric, Arm::baseline),
                                                         ProportionKind::gather(interval, metric, Arm::canary)};
        judged.watch(arms, warming, interval.from_ms, interval.to_ms);
        if (weight > 0) judged.begin(weight);
        if (!warming) judged.update(arms, plan.stages[stage].traffic);
    }
    traffic_.update(interval, plan.stages[stage].traffic);
    for (std::size_t i = 0; i < metrics_.size(); ++i) {
        interval.metric = i;
        metrics_[i].listen(interval, interval.from_ms, warming);
    }
    if (warming) return;
    for (std::size_t i = 0; i < metrics_.size(); ++i) {
        if (weight > 0) metrics_[i].begin(weight);
        interval.metric = i;
        metrics_[i].update(interval);
    }
}

std::int64_t Panel::used() const {
    std::int64_t used = std::numeric_limits<std::int64_t>::max();
    for (const Judged& judged : metrics_) used = std::min(used, judged.used);
    return used;
}

std::array<std::int64_t, 2> Panel::missing() const {
    std::array<std::int64_t, 2> missing{};
    for (const Judged& judged : metrics_) {
        for (std::size_t arm = 0; arm < 2; ++arm) missing[arm] = std::max(missing[arm], judged.absent(arm));
    }
    return missing;
}

void Panel::silence(std::int64_t intervals, double weight) {
    if (weight > 0) {
        for (SloJudged& judged : slo_) judged.begin(weight);
        for (Judged& judged : metrics_) judged.begin(weight);
    }
    for (Judged& judged : metrics_) judged.silence(intervals);
}

void Panel::burn_silently(std::int64_t first_ms, std::int64_t interval_ms, std::int64_t count) {
    for (SloJudged& judged : slo_) {
        for (std::int64_t i = 0; i + 1 < count && !judged.quiet(); ++i) judged.alert(first_ms + i * interval_ms);
        judged.alert(first_ms + (count - 1) * interval_ms);
    }
}

void Panel::settle(const Look& look) {
    const std::int64_t after_ms = (look.clock.next + 1) * look.plan.interval.count();
    // Obstacles look at telemetry alone, so no verdict of this interval changes them. Any doubt about the data forbids
    // to pass; to fail only those that can make harm out of nothing.
    std::vector<bool> hindered, doubted;
    for (std::size_t i = 0; i < metrics_.size(); ++i) {
        hindered.push_back(!obstacles(look, metrics_[i], i, Blocks::rollback).empty());
        doubted.push_back(!obstacles(look, metrics_[i], i, Blocks::promotion).empty());
    }
    for (bool again = true; again;) {
        again = false;
        double left = 0, total = 0;
        for (const Judged& judged : metrics_) {
            if (!rolls_back(judged.metric)) continue;
            total += judged.metric.weight;
            if (!judged.failed) left += judged.metric.weight;
        }
        for (const SloJudged& judged : slo_) {
            total += judged.rule.weight;
            if (!judged.failed()) left += judged.rule.weight;
        }
        for (std::size_t i = 0; i < metrics_.size(); ++i) {
            Judged& judged = metrics_[i];
            if (judged.failed || hindered[i]) continue;
            const double log_gain = rolls_back(judged.metric) ? elementary::log(total / left) : 0;
            if (!(judged.harm_log_largest() + log_gain >= judged.harm_log_needed())) continue;
            if (judged.fail(log_gain, after_ms)) again = again || rolls_back(judged.metric);
        }
        for (SloJudged& judged : slo_) {
            if (judged.failed() || hindered[judged.metric]) continue;
            if (judged.fails(elementary::log(total / left), look.plan.interval, after_ms)) again = true;
        }
    }
    const double together_needed = -elementary::log(look.plan.alpha);
    if (!latch_.together_after_ms && log_mean_at_most(metrics_, slo_) >= together_needed) {
        const double log_mean = log_mean_e_value(look.plan.alpha, metrics_, slo_, hindered);
        if (log_mean >= together_needed) {
            latch_.together_after_ms = after_ms;
            latch_.together_log = log_mean;
        }
    }
    for (std::size_t i = 0; i < metrics_.size(); ++i) {
        Judged& judged = metrics_[i];
        if (judged.failed || judged.passed || doubted[i] || !judged.mirror_decided()) continue;
        judged.passed = !judged.idle_share();
    }
}

}  // namespace detail
}  // namespace v0
}  // namespace serinus
