// What may be said of a metric, and when it latches.

#include <algorithm>
#include <cmath>
#include <limits>

#include <serinus/numeric/elementary.hpp>
#include <serinus/series/duration.hpp>

#include "rollout/monitor_impl.hpp"

namespace serinus {
inline namespace v0 {
namespace {

/// Which way a metric that harms either way has gone.
bool went_down(const Metric& metric, const Evidence& shown) {
    if (metric.harm != Harm::either) return metric.harm == Harm::decrease;
    return shown.estimate < (metric.margin.ratio ? 1 : 0);
}

/// How far into harm the interval of this stage reaches for sure, in the margin's terms; the margin itself at least,
/// since that much is proven.
double proven_bound(const Metric& metric, const Evidence& shown, bool down) {
    const double margin = metric.margin.ratio ? *metric.margin.ratio : *metric.margin.difference;
    double bound = shown.lower;
    if (down) bound = metric.margin.ratio ? 1 / shown.upper : -shown.upper;
    return bound > margin && std::isfinite(bound) ? bound : margin;
}

}  // namespace

using detail::fewest_instances;
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
    const auto tell_noise = [&] {
        if (judged.between_instances()) {
            const detail::InstanceTests& instances = *judged.instances;
            if (instances.impossible() > 0) {
                const auto count = static_cast<double>(instances.impossible());
                reasons.push_back({Code::impossible_counts, name, {{"count", count}}, false});
            }
            if (instances.no_level()) reasons.push_back({Code::no_level, name, {}, false});
            if (instances.settled() && instances.degrees() < 1) {
                reasons.push_back({Code::single_instance,
                                   name,
                                   {{"instances", instances.taking_part(Arm::baseline)}, {"needed", 3}},
                                   false});
            }
            if (instances.unequal_load()) {
                reasons.push_back({Code::unequal_load,
                                   name,
                                   {{"ratio", *instances.load_ratio()}, {"allowed", instances.most_load_ratio}},
                                   false});
            }
            return;
        }
        if (judged.metric.kind == Kind::gauge && judged.instances->open() && judged.intervals > 0) {
            reasons.push_back({Code::instances_awaited,
                               name,
                               {{"intervals", static_cast<double>(judged.instances->intervals())},
                                {"needed", static_cast<double>(judged.instances->settling)}},
                               false});
            return;
        }
        if (refuted(judged)) {
            reasons.push_back({Code::history_unusable, name, {}, false});
        } else if (judged.metric.kind == Kind::gauge) {
            const sequential::PairedNoise* noise = gauge_noise(judged);
            if (!noise && judged.instances->only_one()) {
                reasons.push_back({Code::single_instance, name, {{"instances", 1}, {"needed", 3}}, false});
            } else if (!noise && !plan.learn_noise) {
                reasons.push_back({Code::noise_unknown, name, {}, false});
            }
            // Two instances of one version differ; how much, a few of them cannot tell.
            if (noise && noise->instances > 0 && noise->instances < fewest_instances) {
                reasons.push_back({Code::single_instance,
                                   name,
                                   {{"instances", noise->instances}, {"needed", fewest_instances}},
                                   false});
            }
        }
    };
    if (judged.intervals == 0) {
        reasons.push_back({Code::no_data_yet, name, {}, false});
        tell_noise();
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
    tell_noise();
    if (judged.metric.kind == Kind::gauge && !judged.between_instances()) {
        // Leaving them out helps one arm or the other; a few, such as restarts, do not matter.
        const double left_out = judged.not_positive();
        if (left_out > std::max(1.0, sequential::PairedTest::most_not_positive * all)) {
            reasons.push_back({Code::history_not_positive, name, {{"count", left_out}, {"intervals", all}}, false});
        }
    }
    return reasons;
}

const sequential::PairedNoise* Monitor::Impl::gauge_noise(const Judged& judged) const {
    if (judged.noise.empty()) return nullptr;
    return judged.noise[std::min(static_cast<std::size_t>(stage), judged.noise.size() - 1)].get();
}

bool Monitor::Impl::refuted(const Judged& judged) const {
    const auto noise = plan.noise.find(judged.metric.name);
    return noise != plan.noise.end() && noise->second.refuted;
}

bool Monitor::Impl::knows_noise(const Judged& judged) const {
    if (judged.between_instances()) return true;  // it needs none
    if (judged.metric.kind == Kind::gauge) return gauge_noise(judged) != nullptr;
    const auto noise = plan.noise.find(judged.metric.name);
    return noise != plan.noise.end() && noise->second.dispersion.has_value();
}

std::optional<double> Monitor::Impl::history_of(const Judged& judged) const {
    if (judged.metric.kind == Kind::gauge) {
        const sequential::PairedNoise* noise = gauge_noise(judged);
        return noise ? std::optional(noise->size) : std::nullopt;
    }
    const auto noise = plan.noise.find(judged.metric.name);
    return noise == plan.noise.end() ? std::nullopt : noise->second.intervals;
}

std::pair<Guarantee, Code> Monitor::Impl::guarantee(const Judged& judged) const {
    const bool gauge = judged.metric.kind == Kind::gauge;
    if (judged.between_instances()) {
        // A part of its alpha goes to spikes, and these rest on history.
        const std::optional<double> history = history_of(judged);
        if (judged.spikes && history && *history < detail::fewest_measured)
            return {Guarantee::none, Code::history_unmeasured};
        return {Guarantee::measured, Code::between_instances};
    }
    if (refuted(judged)) return {Guarantee::none, Code::history_unusable};
    if (!knows_noise(judged)) {
        if (!gauge) return {Guarantee::none, Code::dispersion_unknown};
        if (judged.instances->only_one()) return {Guarantee::none, Code::single_instance};
        return {Guarantee::none, plan.learn_noise ? Code::noise_learned_now : Code::noise_unknown};
    }
    if (gauge) {
        const double instances = gauge_noise(judged)->instances;
        if (instances > 0 && instances < fewest_instances) return {Guarantee::none, Code::single_instance};
        if (gauge_noise(judged)->unit == sequential::NoiseUnit::former) return {Guarantee::none, Code::noise_former};
    }
    const std::optional<double> history = history_of(judged);
    if (history && *history < detail::fewest_measured) return {Guarantee::none, Code::history_unmeasured};
    if (gauge) return {Guarantee::measured, Code::noise_given};
    // Nobody learned it: a dispersion of 1 is somebody's word that requests fail independently of one another, and
    // under that the error rate is a theorem.
    const bool independent = !history && *plan.noise.at(judged.metric.name).dispersion == 1;
    return {independent ? Guarantee::proved : Guarantee::measured, Code::dispersion_given};
}

Reason Monitor::Impl::noise_reason(const Judged& judged) const {
    const std::string& name = judged.metric.name;
    if (judged.between_instances()) {
        const detail::InstanceTests& instances = *judged.instances;
        return {Code::between_instances,
                name,
                {{"baseline", instances.taking_part(Arm::baseline)},
                 {"canary", instances.taking_part(Arm::canary)},
                 {"degrees", instances.degrees()}},
                false};
    }
    if (judged.metric.kind != Kind::gauge) {
        if (!knows_noise(judged)) return {Code::dispersion_unknown, name, {}, false};
        return {Code::dispersion_given, name, {{"dispersion", *plan.noise.at(name).dispersion}}, false};
    }
    const sequential::PairedNoise* noise = gauge_noise(judged);
    if (!noise) return {Code::noise_learned_now, name, {}, false};
    return {Code::noise_given,
            name,
            {{"differences", noise->size},
             {"independent", noise->independent()},
             {"typical", noise->in_gauge_unit(noise->scale())}},
            false};
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

std::vector<Reason> Monitor::Impl::noise_doubts(const Judged& judged) const {
    std::vector<Reason> reasons;
    const auto* gauge = std::get_if<detail::GaugeTests>(&judged.tests);
    if (!gauge || !gauge_noise(judged) || judged.between_instances()) return reasons;
    const sequential::PairedTest& test = gauge->harm.test();
    const sequential::ScaleDeparture scale = test.scale_departure();
    const std::string& name = judged.metric.name;
    if (scale.beyond) {
        reasons.push_back(
            {Code::history_scale, name, {{"observed", scale.observed}, {"history", scale.history}}, false});
    }
    if (test.n() >= test.horizon()) {
        reasons.push_back({Code::history_used_up,
                           name,
                           {{"horizon", test.horizon()}, {"needed", 4 * static_cast<double>(next)}},
                           false});
    }
    return reasons;
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
            // Between instances the level may have nothing to say, and its spikes say enough by themselves.
            const bool level_silent = judged.between_instances() && !judged.instances->may_fail();
            if (level_silent && !(judged.spikes_log_largest() + elementary::log(gain) >= judged.harm_log_needed()))
                continue;
            judged.failed = true;
            const Evidence shown = judged.evidence();
            judged.failed_spikes = level_silent || judged.harm_by_spikes();
            if (judged.failed_spikes) {
                judged.failed_bound = judged.spikes->share_canary();
                judged.failed_baseline = judged.spikes->share_baseline();
            } else {
                judged.failed_down = went_down(judged.metric, shown);
                judged.failed_bound = proven_bound(judged.metric, shown, judged.failed_down);
            }
            judged.failed_after_ms = (next + 1) * plan.interval_ms;
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
        if (judged.between_instances() && judged.instances->idle_share()) continue;
        judged.passed = true;
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
