#include "rollout/fixed_look.hpp"

#include <algorithm>
#include <cmath>
#include <concepts>
#include <limits>
#include <string>
#include <utility>
#include <variant>

#include <serinus/fixed/label_swap.hpp>
#include <serinus/fixed/proportion.hpp>
#include <serinus/fixed/rate.hpp>

#include "rollout/limits.hpp"

namespace serinus {
inline namespace v0 {
namespace detail {
namespace {

constexpr double missing_value = std::numeric_limits<double>::quiet_NaN();

template <class K>
constexpr bool has_values = requires(typename K::Values values) { values.mean; };

/// Two columns of one kind of count, as its fixed test takes them.
struct CountsAnswer {
    double p_value = 1;
    double estimate = missing_value, lower = 0, upper = 0;
};

/// A part of bad events, or a rate of them, one-sided against `margin`.
CountsAnswer ask_counts(Kind kind, const std::array<double, 2>& b, const std::array<double, 2>& c, const Margin& margin,
                        Alternative alternative, double confidence) {
    const auto whole = [](double count) { return static_cast<std::int64_t>(std::llround(count)); };
    if (kind == Kind::rate) {
        const RateTestResult found =
            rate_test({whole(b[0]), b[1]}, {whole(c[0]), c[1]},
                      {.margin = margin, .alternative = alternative, .confidence = confidence});
        return {found.p_value, found.ratio, found.lower, found.upper};
    }
    const ProportionTestResult found =
        proportion_test({whole(b[0]), whole(b[1])}, {whole(c[0]), whole(c[1])},
                        {.margin = margin, .alternative = alternative, .confidence = confidence});
    CountsAnswer answer{found.p_value, margin.ratio ? found.ratio : found.difference, found.lower, found.upper};
    // The score test's tail is not exact where few of many fail: at two events in the canary .0685 of good ones failed at
    // .05. Such shares are rates as well, whose test is exact given the sum; what both say holds.
    constexpr double rare = 0.1;
    if (margin.ratio && b[0] + c[0] <= rare * (b[1] + c[1])) {
        const RateTestResult exact = rate_test(
            {whole(b[0]), b[1]}, {whole(c[0]), c[1]},
            {.margin = margin, .alternative = alternative, .method = RateTestMethod::exact, .confidence = confidence});
        answer.p_value = std::max(answer.p_value, exact.p_value);
        answer.lower = std::min(answer.lower, exact.lower);
        answer.upper = std::max(answer.upper, exact.upper);
    }
    return answer;
}

/// A margin of harm, which is given for the direction of harm, on the scale of canary over or less baseline.
Margin on_scale(const Margin& margin, bool increase) {
    if (increase) return margin;
    if (margin.ratio) return {.ratio = 1 / *margin.ratio, .difference = {}};
    return {.ratio = {}, .difference = -*margin.difference};
}

}  // namespace

bool looks_at_values(const Plan& plan, const Metric& metric) {
    return plan.analysis == Analysis::fixed && !facts_of(metric.kind).counts;
}

void FixedLook::record(Interval& interval, const std::vector<Judged>& metrics) {
    if (looked_) {
        ++came_since_;
        return;
    }
    ++intervals_;
    for (std::size_t i = 0; i < metrics.size(); ++i) {
        const Judged& judged = metrics[i];
        Recorded& to = metrics_[i];
        interval.metric = i;
        const bool waits = judged.bridges() && interval.counts().waiting;
        std::visit(
            [&]<class K>(const K&) {
                const std::array<typename K::Values, 2> arms{K::gather(interval, judged.metric, Arm::baseline),
                                                             K::gather(interval, judged.metric, Arm::canary)};
                const bool both = !waits && arms[0].present && arms[1].present;
                if constexpr (has_values<K>) {
                    to.baseline.push_back(both ? arms[0].mean : missing_value);
                    to.canary.push_back(both ? arms[1].mean : missing_value);
                } else if constexpr (requires(const typename K::Values values) { values.possible(); }) {
                    if (!both || !arms[0].possible() || !arms[1].possible()) return;
                    for (const auto& [arm, sums] :
                         {std::pair{&arms[0], &to.of_baseline}, std::pair{&arms[1], &to.of_canary}}) {
                        if constexpr (requires { arm->bad; }) {
                            (*sums)[0] += arm->bad;
                            (*sums)[1] += arm->total;
                        } else {
                            (*sums)[0] += arm->events;
                            (*sums)[1] += arm->exposure;
                        }
                    }
                }
            },
            judged.kind);
    }
}

void FixedLook::conclude(const Look& look, std::vector<Judged>& metrics, std::string_view digest) {
    if (looked_ || intervals_ == 0) return;
    looked_ = true;
    // The first digits of the plan's digest, which has the deployment in it: fixed before the data.
    std::uint64_t seed = 0;
    for (const char digit : digest.substr(0, 16))
        seed = seed * 16 + static_cast<std::uint64_t>(digit <= '9' ? digit - '0' : digit - 'a' + 10);
    std::vector<std::size_t> panel;
    double alpha = 0;
    for (std::size_t i = 0; i < metrics.size(); ++i) {
        Judged& judged = metrics[i];
        if (!obstacles(look, judged, i, Blocks::rollback).empty()) continue;
        if (!looks_at_values(look.plan, judged.metric)) {
            look_at_counts(look, judged, i);
        } else if (rolls_back(judged.metric)) {
            panel.push_back(i);
            alpha += judged.alpha;
        } else {
            look_at_values(look.plan, metrics, {i}, look.plan.alpha, seed);
        }
    }
    if (!panel.empty()) look_at_values(look.plan, metrics, panel, alpha, seed);
}

void FixedLook::look_at_values(const Plan& plan, std::vector<Judged>& metrics, const std::vector<std::size_t>& panel,
                               double alpha, std::uint64_t seed) {
    std::vector<LabelSwapMetric> given;
    for (const std::size_t i : panel) {
        const Metric& metric = metrics[i].metric;
        const bool margin_itself = metrics[i].promote_when == PromoteWhen::harm_ruled_out;
        given.push_back({metric.name, metrics_[i].baseline, metrics_[i].canary, metric.harm, metric.margin,
                         margin_itself ? std::optional(metric.margin) : effective_detect(metric), metric.weight});
    }
    const LabelSwapResult found =
        label_swap_test(given, {.alpha = std::min(alpha, 0.5), .resamples = {}, .seed = seed});
    for (std::size_t k = 0; k < panel.size(); ++k) {
        Recorded& to = metrics_[panel[k]];
        Judged& judged = metrics[panel[k]];
        const LabelSwapLevel& level = found.metrics[k];
        const auto evidence = [&](const serinus::Interval& bounds, double p_value) {
            Evidence out;
            out.p_value = p_value;
            out.estimate = level.estimate;
            out.lower = bounds.lower;
            out.upper = bounds.upper;
            out.confidence = bounds.confidence;
            out.n_baseline = out.n_canary = static_cast<double>(level.n);
            out.method = "label_swap";
            return out;
        };
        to.evidence = evidence(level.whole, found.p_value);
        to.mirror = evidence(level.last_third, 1);
        const bool failed = found.verdict == Verdict::fail && found.metric == level.metric;
        bool against = false;
        for (const Reason& reason : found.reasons) {
            if (reason.metric != level.metric && !(reason.metric.empty() && found.verdict == Verdict::pass)) continue;
            to.reasons.push_back(reason);
            to.reasons.back().metric = judged.metric.name;
            against = against || reason.code != Code::look_clear;
        }
        if (failed) {
            to.verdict = Verdict::fail;
            judged.failed = true;
            judged.failed_after_ms = intervals_ * plan.interval.count();
        } else if (found.verdict != Verdict::fail && !against && found.group) {
            to.verdict = Verdict::pass;
            if (to.reasons.empty())
                to.reasons.push_back({Code::look_clear, judged.metric.name, {{"confidence", 1 - 2 * alpha}}, false});
        }
    }
}

void FixedLook::look_at_counts(const Look& look, Judged& judged, std::size_t index) {
    const Plan& plan = look.plan;
    const Metric& metric = judged.metric;
    Recorded& to = metrics_[index];
    std::array<double, 2> b = to.of_baseline, c = to.of_canary;
    if (b[1] <= 0 || c[1] <= 0) return;
    // Requests that fail in bunches are worth so many times fewer independent ones.
    const Noise* const noise = noise_of(plan, metric);
    const double dispersion = noise ? std::max(1.0, noise->dispersion.value_or(1)) : 1;
    for (auto* arm : {&b, &c}) {
        for (double& count : *arm) count /= dispersion;
        if (metric.kind == Kind::proportion) {
            (*arm)[1] = std::round((*arm)[1]);
            (*arm)[0] = std::min(std::round((*arm)[0]), (*arm)[1]);
        }
    }
    const double share = alpha_used(plan, judged.alpha);
    const bool margin_itself = judged.promote_when == PromoteWhen::harm_ruled_out;
    const std::optional<Margin> bound = margin_itself ? std::optional(metric.margin) : effective_detect(metric);
    const double needed = margin_itself ? plan.alpha_promote.value_or(plan.alpha) : plan.beta;
    const bool either = metric.harm == Harm::either;
    double harm = 1, safe = 0;
    Failure failure;
    for (const bool increase : {true, false}) {
        if (!either && increase != (metric.harm == Harm::increase)) continue;
        const Alternative worse = increase ? Alternative::greater : Alternative::less;
        const Alternative better = increase ? Alternative::less : Alternative::greater;
        const Margin margin = on_scale(metric.margin, increase);
        const double confidence = 1 - share / (either ? 2 : 1);
        const CountsAnswer found = ask_counts(metric.kind, b, c, margin, worse, confidence);
        const double p = std::min(1.0, found.p_value * (either ? 2 : 1));
        if (p < harm) {
            harm = p;
            failure.down = !increase;
            const double least =
                margin.ratio ? (increase ? found.lower : 1 / found.upper) : (increase ? found.lower : -found.upper);
            failure.bound = std::max(metric.margin.ratio ? *metric.margin.ratio : *metric.margin.difference,
                                     std::isfinite(least) ? least : 0);
        }
        safe = std::max(
            safe, bound ? ask_counts(metric.kind, b, c, on_scale(*bound, increase), better, confidence).p_value : 1.0);
    }
    const CountsAnswer shown =
        ask_counts(metric.kind, b, c, on_scale(metric.margin, true), Alternative::two_sided, 1 - share);
    to.evidence.p_value = harm;
    to.evidence.estimate = shown.estimate;
    to.evidence.lower = shown.lower;
    to.evidence.upper = shown.upper;
    to.evidence.confidence = 1 - share;
    to.evidence.n_baseline = to.of_baseline[1];
    to.evidence.n_canary = to.of_canary[1];
    to.evidence.method = metric.kind == Kind::rate ? "rate_test" : "proportion_test";
    to.mirror = to.evidence;
    to.mirror.p_value = safe;
    if (harm <= share) {
        to.verdict = Verdict::fail;
        judged.failed = true;
        judged.failure = failure;
        judged.failed_after_ms = intervals_ * plan.interval.count();
        to.reasons.push_back(judged.failure_reason(seconds(judged.failed_after_ms)));
    } else if (b[0] + c[0] == 0 && metric.margin.ratio) {
        to.reasons.push_back({Code::no_events, metric.name, {}, false});
    } else if (safe <= needed) {
        to.verdict = Verdict::pass;
        to.reasons.push_back(margin_itself
                                 ? Reason{Code::harm_ruled_out, metric.name, {{"confidence", 1 - needed}}, false}
                                 : Reason{Code::no_harm_found, metric.name, {{"power", 1 - plan.beta}}, false});
    } else {
        to.reasons.push_back({Code::look_counts,
                              metric.name,
                              {{"p", harm}, {"allowed", share}, {"safe", safe}, {"needed", needed}},
                              false});
    }
}

void FixedLook::tell(const Judged& judged, const Standing& standing, std::size_t index, MetricResult& result) const {
    const std::string& name = judged.metric.name;
    const Recorded& known = metrics_[index];
    const bool values = !facts_of(judged.metric.kind).counts;
    if (values) {
        const bool doubted = result.guarantee_why == Code::looks_like_counter ||
                             result.guarantee_why == Code::duplicate_series ||
                             result.guarantee_why == Code::arms_exchanged;
        if (!doubted) {
            result.guarantee = Guarantee::measured;
            result.guarantee_why = Code::look_measured;
        }
    }
    result.evidence = known.evidence;
    result.mirror = known.mirror;
    result.observed = judged.observed();
    const bool open = standing.obstacles.empty() && !standing.idle_share && !standing.stale;
    if (judged.used == 0) {
        result.verdict = Verdict::no_data;
    } else {
        result.verdict = known.verdict == Verdict::pass && !open ? Verdict::inconclusive : known.verdict;
    }
    result.reasons = known.reasons;
    if (!looked_ && judged.used > 0) result.reasons.push_back({Code::look_waits, name, {}, false});
    result.reasons.insert(result.reasons.end(), standing.obstacles.begin(), standing.obstacles.end());
    if (standing.idle_share && result.verdict != Verdict::fail)
        result.reasons.push_back({Code::canary_idle, name, {{"share", *standing.idle_share}}, false});
    if (values) {
        result.reasons.push_back({Code::look_measured, name, {}, false});
    } else {
        for (Reason& reason : judged.noise_reasons()) result.reasons.push_back(std::move(reason));
    }
}

}  // namespace detail
}  // namespace v0
}  // namespace serinus
