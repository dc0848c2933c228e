#include "report/told.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <serinus/core/quote.hpp>
#include <serinus/core/reason.hpp>
#include <serinus/core/reason_group.hpp>
#include <serinus/core/text.hpp>
#include <serinus/core/words.hpp>
#include <serinus/numeric/elementary.hpp>
#include <serinus/rollout/spikes.hpp>
#include <serinus/series/duration.hpp>
#include <serinus/series/time.hpp>

#include "report/number.hpp"

namespace serinus {
inline namespace v0 {
namespace report {
namespace {

constexpr std::size_t most_names = 8;  // of series that do not fit together

// ---- one metric

/// The first of a metric's reasons with a code, if any.
const Reason* reason_of(const MetricResult& metric, Code code) {
    for (const Reason& reason : metric.reasons) {
        if (reason.code == code) return &reason;
    }
    return nullptr;
}

/// A metric that cannot be judged, whatever comes: nothing is known of its noise.
bool undecidable(const MetricResult& metric) {
    // That a baseline of 0 has no ratio is told among the evidence; it decides nothing either.
    return std::any_of(metric.reasons.begin(), metric.reasons.end(), [](const Reason& reason) {
        return group(reason.code) == ReasonGroup::undecidable || reason.code == Code::no_level;
    });
}

/// Of those what no noise mends: its buckets have no bound where one is needed, or a ratio is asked of nothing.
bool lacks_bounds(const MetricResult& metric) {
    return std::any_of(metric.reasons.begin(), metric.reasons.end(), [](const Reason& reason) {
        return reason.code == Code::no_near_bound || reason.code == Code::quantile_beyond_buckets ||
               reason.code == Code::threshold_not_positive;
    });
}

/// What is told of a metric's quantiles, in its own lines.
bool tells_quantiles(Code code) {
    return code == Code::quantile_thresholds || code == Code::quantile_thresholds_difference ||
           code == Code::thresholds_learned || code == Code::quantile_band || code == Code::shape_shown ||
           code == Code::shape_differs;
}

bool is_ratio(const Margin& margin) { return margin.ratio && !margin.floor; }

/// Differences of shares are told in percentage points.
double in_unit(const MetricResult& metric, double difference) {
    return facts_of(metric.kind).share ? 100 * difference : difference;
}

std::string with_unit(const MetricResult& metric, const std::string& shown) {
    if (!facts_of(metric.kind).share) return shown;
    return shown + (shown == "+1" || shown == "-1" ? " point" : " points");
}

std::string estimate_text(const MetricResult& metric) {
    const double estimate = metric.evidence.estimate;
    if (std::isnan(estimate) || metric.verdict == Verdict::no_data) return "no estimate yet";
    if (is_ratio(metric.margin)) {
        const bool counts = facts_of(metric.kind).counts;
        if (counts && std::isinf(estimate)) return "only in canary";
        if (counts && estimate == 0) return "none in canary";
        if (std::isinf(estimate)) return "no estimate yet";
        return number(estimate) + (metric.evidence.method == "before_after" ? "x before" : "x baseline");
    }
    if (std::isinf(estimate)) return "no estimate yet";
    if (metric.margin.floor) return "excess " + number(estimate) + "x allowed";
    return with_unit(metric, signed_number(in_unit(metric, estimate)));
}

std::string range_text(const MetricResult& metric) {
    const Evidence& evidence = metric.evidence;
    if (metric.verdict == Verdict::no_data || !(evidence.confidence > 0)) return "";
    const bool ratio = is_ratio(metric.margin), floor = metric.margin.floor.has_value();
    // A share's difference always lies between -1 and 1: such an end bounds nothing.
    const double widest =
        !ratio && !floor && facts_of(metric.kind).share ? 1.0 : std::numeric_limits<double>::infinity();
    const bool from = ratio ? evidence.lower >= 1e-6 : evidence.lower > -widest;
    const bool to = evidence.upper < widest;
    if (!from && !to) return "no bounds yet";
    const auto end = [&](double value, Round round) {
        return ratio || floor ? number(value, round) : signed_number(in_unit(metric, value), round);
    };
    const std::string lower = end(evidence.lower, Round::down), upper = end(evidence.upper, Round::up);
    const std::string times = ratio || floor ? "x" : "";  // the unit of a difference stands in the estimate
    if (!to) return lower + times + " or more";
    if (!from) return "up to " + upper + times;
    return lower + times + " to " + upper + times;
}

/// How far the canary may be off, in the terms of canary/baseline or canary - baseline: "2x", "-0.2 points".
std::string margin_text(const MetricResult& metric, const Margin& margin, bool downward) {
    if (margin.floor) {
        return margin_text(metric, {.ratio = margin.ratio}, downward) + " and " +
               margin_text(metric, {.difference = margin.floor}, downward);
    }
    if (margin.ratio) return number(downward ? 1 / *margin.ratio : *margin.ratio) + "x";
    const double difference = in_unit(metric, margin.difference.value_or(0));
    return with_unit(metric, signed_number(downward ? -difference : difference));
}

const double* observed(const MetricResult& metric, std::string_view name) {
    for (const NamedNumber& number : metric.observed) {
        if (number.name == name) return &number.value;
    }
    return nullptr;
}

/// "allowed 0.2 % (baseline 0.1 % + 0.1 points)": of a margin with a floor whichever binds at the baseline's share, or
/// rate, so far. Nothing without one.
std::string allowed_at_baseline(const MetricResult& metric) {
    const bool share = facts_of(metric.kind).share;
    const double* const events = observed(metric, share ? "bad_baseline" : "events_baseline");
    const double* const of = observed(metric, share ? "total_baseline" : "exposure_baseline");
    const double* const mean = observed(metric, "mean_baseline");  // of a gauge, or a ratio
    if (metric.harm != Harm::increase || !metric.margin.floor) return "";
    if (!mean && (!events || !of || !(*of > 0))) return "";
    const double level = mean ? *mean : *events / *of, ratio = *metric.margin.ratio, floor = *metric.margin.floor;
    const bool by_ratio = ratio * level > level + floor;
    const auto shown = [&](double value) { return share ? percent(std::min(1.0, value)) : number(value); };
    return "allowed " + shown(by_ratio ? ratio * level : level + floor) + " (" +
           (by_ratio ? number(ratio) + " x baseline " + shown(level)
                     : "baseline " + shown(level) + " + " + with_unit(metric, number(in_unit(metric, floor)))) +
           ")";
}

std::string allowed_text(const MetricResult& metric) {
    if (const std::string told = allowed_at_baseline(metric); !told.empty()) return told;
    switch (metric.harm) {
        case Harm::increase: return "allowed " + margin_text(metric, metric.margin, false);
        case Harm::decrease: return "allowed down to " + margin_text(metric, metric.margin, true);
        case Harm::either: break;
    }
    return "allowed " + margin_text(metric, metric.margin, true) + " to " + margin_text(metric, metric.margin, false);
}

/// What the mirror is about: "harm beyond 2x", or "harm of 4x" where no harm of the size to detect is enough.
std::string excluded_harm(const MetricResult& metric) {
    if (reason_of(metric, Code::spikes_alone))
        return number(100 * spikes_worth_seeing) + " points more of its readings a spike";
    const bool detect = metric.promote_when == PromoteWhen::no_harm_found && metric.detect != Margin{};
    const Margin& margin = detect ? metric.detect : metric.margin;
    const std::string size = metric.harm == Harm::either
                                 ? margin_text(metric, margin, true) + " or " + margin_text(metric, margin, false)
                                 : margin_text(metric, margin, metric.harm == Harm::decrease);
    return (detect ? "harm of " : "harm beyond ") + size;
}

double log_needed(double alpha) { return -elementary::log(alpha); }

std::string needed_text(double alpha) { return e_value(log_needed(alpha)); }

/// One look has a p-value and no e-value.
bool looked_once(const MetricResult& metric) {
    const std::string_view method = metric.evidence.method;
    return method == "label_swap" || method == "proportion_test" || method == "rate_test";
}

std::string evidence_text(const MetricResult& metric) {
    if (looked_once(metric)) return "p " + number_text(metric.evidence.p_value, 3) + " of one look";
    const double now = metric.evidence.log_e_value;
    // What only holds has no part of alpha that it would need.
    if (metric.alpha == 0) return "evidence " + e_value(std::max(now, -elementary::log(metric.evidence.p_value)));
    if (metric.verdict != Verdict::fail) return "evidence " + e_value(now) + ", needs " + needed_text(metric.alpha);
    // A verdict stays although the evidence may sink again; then its peak is what counted.
    const double peak = -elementary::log(metric.evidence.p_value);
    const double needed = log_needed(metric.alpha);
    const auto reached = [&](double log_e_value) { return log_e_value >= needed - 1e-9; };
    if (reached(now)) return "evidence " + e_value(now) + ", needs " + needed_text(metric.alpha);
    if (reached(peak)) return "evidence reached " + e_value(peak) + ", needs " + needed_text(metric.alpha);
    return "evidence reached " + e_value(peak) + ", enough beside the other failures";
}

std::string status_text(const MetricResult& metric) {
    if (metric.muted) return "muted, never decides";
    std::string text;
    if (metric.verdict == Verdict::pass) {
        text = excluded_harm(metric) + " ruled out";
    } else if (undecidable(metric) && metric.verdict == Verdict::inconclusive) {
        text = lacks_bounds(metric) ? "decides nothing (see why)" : "decides nothing: its noise is not known";
    } else if (metric.verdict != Verdict::no_data) {
        text = evidence_text(metric);
    }
    if (metric.critical) text += text.empty() ? "critical" : " (critical)";
    return text;
}

/// "canary reads 118 on average, baseline 101, over 40 intervals": as the kind's facts say; nothing where a number is
/// missing.
std::string told_text(const MetricResult& metric) {
    std::string text;
    std::string_view rest = facts_of(metric.kind).told;
    for (std::size_t open = rest.find('{'); open != std::string_view::npos; open = rest.find('{')) {
        const std::size_t close = rest.find('}', open);
        const std::string_view key = rest.substr(open + 1, close - open - 1),
                               noun = key.substr(std::min(key.find(' '), key.size()));
        const double* const value = observed(metric, key.substr(0, key.find(' ')));
        if (!value || !std::isfinite(*value)) return "";
        text += rest.substr(0, open);
        text += noun.empty() ? number(*value) : plural(static_cast<std::int64_t>(*value), noun.substr(1));
        rest.remove_prefix(close + 1);
    }
    return text.append(rest);
}

/// "canary: 374 of 9,120 requests failed (4.1 %); baseline: 11,856 of 912,004 (1.3 %)"
std::string counts_text(const MetricResult& metric) {
    if (metric.evidence.method == "before_after") {
        const double* const before = observed(metric, "before");
        const double* const after = observed(metric, "after");
        const double* const intervals = observed(metric, "intervals");
        if (!before || !after || !intervals) return "";
        const auto shown = [&](double value) { return facts_of(metric.kind).share ? percent(value) : number(value); };
        return "since the rollout began: " + shown(*after) + " over " +
               plural(static_cast<std::int64_t>(*intervals), "interval") + "; before: " + shown(*before);
    }
    if (!facts_of(metric.kind).told.empty()) return told_text(metric);
    const double* const bad_b = observed(metric, "bad_baseline");
    const double* const total_b = observed(metric, "total_baseline");
    const double* const bad_c = observed(metric, "bad_canary");
    const double* const total_c = observed(metric, "total_canary");
    if (!bad_b || !total_b || !bad_c || !total_c) return "";
    if (*total_b == 0 && *total_c == 0) return "no interval with requests of both arms yet";
    const auto arm = [](double bad, double total, std::string_view what) {
        if (total == 0) return std::string("no requests yet");
        return count(bad) + " of " + count(total) + std::string(what) + " (" + percent(bad / total) + ")";
    };
    const bool failures = metric.harm == Harm::increase;
    return "canary: " + arm(*bad_c, *total_c, failures ? " requests failed" : " requests counted") +
           "; baseline: " + arm(*bad_b, *total_b, "");
}

/// The same, and what is told of quantiles.
std::string counts_and_quantiles(const MetricResult& metric) {
    std::string text = counts_text(metric);
    for (const Reason& reason : metric.reasons) {
        if (!tells_quantiles(reason.code)) continue;
        if (!text.empty()) text += "; ";
        text += sentence(reason);
    }
    return text;
}

std::string verdict_text(Verdict verdict) {
    return verdict == Verdict::no_data ? "no data" : std::string(word(verdict));
}

Style style_of(const MetricResult& metric) {
    if (metric.muted) return Style::quiet;
    switch (metric.verdict) {
        case Verdict::pass: return Style::good;
        case Verdict::fail: return Style::bad;
        case Verdict::inconclusive:
        case Verdict::no_data: break;
    }
    return Style::open;
}

/// How far the mirror is, where that is asked.
std::string safe_text(const MetricResult& metric) {
    if (!(metric.verdict == Verdict::inconclusive && !undecidable(metric) && !looked_once(metric))) return "";
    // Evidence of safety is none where an arm served nothing.
    for (const Code code : {Code::canary_without_requests, Code::baseline_without_requests, Code::canary_silent}) {
        if (reason_of(metric, code)) return "";
    }
    return "safe so far: " + e_value(metric.mirror.log_e_value) + " of " + needed_text(metric.alpha_mirror) +
           " needed to rule out " + excluded_harm(metric);
}

// ---- what is below the table

/// Said already: in the metric's own line, in "data", or in "promise".
bool shown_elsewhere(Code code) {
    switch (code) {
        case Code::undecided:
        case Code::harm_ruled_out:
        case Code::no_harm_found:
        case Code::dispersion_unknown:
        case Code::dispersion_given:
        case Code::noise_given:
        case Code::noise_learned_now:
        case Code::between_instances:
        case Code::budget_kept:
        case Code::spikes_alone:
        case Code::before_after_noise:
        case Code::dry_run:
        case Code::late_samples:
        case Code::conflicting_samples: return true;
        default: return tells_quantiles(code);
    }
}

/// Reasons of one code and one sentence are told once, for all their metrics.
std::vector<std::string> reason_sentences(const Decision& decision) {
    struct Told {
        Code code;
        std::string sentence;
        bool policy;
        std::vector<std::string> metrics;
        Severity severity = Severity::info;
    };
    // Who is told of the decision stands at its end; of a reason only where it is somebody else.
    const Severity usual = decision.would_severity.value_or(decision.severity);
    std::vector<Told> all;
    const auto tell = [&](const Reason& reason) {
        if (shown_elsewhere(reason.code)) return;
        const std::string said = sentence(reason);
        auto told = std::find_if(all.begin(), all.end(), [&](const Told& known) {
            return known.code == reason.code && known.sentence == said;
        });
        if (told == all.end()) told = all.insert(all.end(), {reason.code, said, reason.outside_alpha, {}});
        told->severity = std::min(told->severity, reason.severity);
        const std::string metric = shown_name(reason.metric);
        if (!metric.empty() && std::find(told->metrics.begin(), told->metrics.end(), metric) == told->metrics.end())
            told->metrics.push_back(metric);
    };
    for (const Reason& reason : decision.reasons) tell(reason);
    for (const BurnResult& burn : decision.burn) {
        for (const Reason& reason : burn.reasons) tell(reason);
    }
    // What has led to a rollback is all above, and of those who failed how their data were understood is told with it;
    // for the others the metrics' own reasons say what is still in the way.
    const bool rollback = decision.would.value_or(decision.action) == Action::rollback;
    for (const MetricResult& metric : decision.metrics) {
        for (const Reason& reason : metric.reasons) {
            const bool understood = group(reason.code) == ReasonGroup::intake && metric.verdict == Verdict::fail;
            if (!rollback || understood) tell(reason);
        }
    }
    std::vector<std::string> sentences;
    for (const Told& told : all) {
        std::string head(name(told.code));
        if (told.metrics.size() == 1) head = told.metrics.front() + "." + head;
        if (told.metrics.size() > 1) head += " (" + joined(told.metrics) + ")";
        sentences.push_back(head + ": " + told.sentence + (told.policy ? " (policy, outside the promise)" : ""));
        if (told.severity != Severity::info && told.severity != usual)
            sentences.back() += " (" + std::string(word(told.severity)) + ")";
    }
    return sentences;
}

std::vector<std::string> data_sentences(const Decision& decision) {
    const Telemetry& telemetry = decision.telemetry;
    if (!telemetry.newest[0] && !telemetry.newest[1]) {
        std::string none = "no sample of any series that the plan names";
        if (telemetry.ignored > 0) none += "; " + plural(telemetry.ignored, "sample") + " of other series";
        return {none};
    }
    std::vector<std::string> parts;
    parts.push_back(telemetry.intervals == 0 ? "no complete interval yet"
                                             : count(static_cast<double>(telemetry.used)) + " of " +
                                                   plural(telemetry.intervals, "interval") + " used");
    constexpr std::array<std::string_view, 2> arms{"baseline", "canary"};
    for (std::size_t arm = 0; arm < 2; ++arm) {
        if (telemetry.missing[arm] > 0)
            parts.push_back(count(static_cast<double>(telemetry.missing[arm])) + " without the " +
                            std::string(arms[arm]));
    }
    std::vector<std::string> sentences;
    const auto ms_of = [](const auto& time) { return time->time_since_epoch().count(); };
    if (decision.time && ms_of(decision.time) >= earliest_ms && ms_of(decision.time) <= latest_ms) {
        const std::int64_t now = ms_of(decision.time);
        std::string when = "as of " + format_time(now);
        std::vector<std::string> ages;
        for (std::size_t arm = 0; arm < 2; ++arm) {
            const auto& newest = telemetry.newest[arm];
            if (!newest) {
                ages.push_back("no " + std::string(arms[arm]) + " sample");
            } else if (ms_of(newest) < now) {
                const double age = (static_cast<double>(now) - static_cast<double>(ms_of(newest))) / 1000;
                ages.push_back("newest " + std::string(arms[arm]) + " sample " + seconds_text(age) + " old");
            }
        }
        if (!ages.empty()) when += " (" + joined(ages) + ")";
        parts.push_back(when);
    }
    sentences.push_back(joined(parts));
    std::vector<std::string> dropped;
    if (telemetry.late > 0) dropped.push_back(plural(telemetry.late, "sample") + " came too late and were dropped");
    if (telemetry.conflicts > 0)
        dropped.push_back(plural(telemetry.conflicts, "sample") +
                          " gave a known time another value; the first one counts");
    if (telemetry.ignored > 0)
        dropped.push_back(plural(telemetry.ignored, "sample") + " of series that the plan does not name");
    if (!dropped.empty()) sentences.push_back(joined(dropped, "; "));
    return sentences;
}

std::vector<std::string> noise_sentences(const Decision& decision) {
    std::vector<std::string> dispersions, sentences;
    for (const MetricResult& metric : decision.metrics) {
        const Reason* const counted = reason_of(metric, Code::dispersion_given);
        if (counted && !counted->numbers.empty())
            dispersions.push_back(shown_name(metric.name) + " " + number(counted->numbers.front().value));
        for (const Code code : {Code::before_after_noise, Code::spikes_alone}) {
            if (const Reason* const own = reason_of(metric, code))
                sentences.push_back(shown_name(metric.name) + ": " + sentence(*own));
        }
        if (const Reason* const between = reason_of(metric, Code::between_instances))
            sentences.push_back(shown_name(metric.name) + ": " + sentence(*between));
        const Reason* const read = reason_of(metric, Code::noise_given);
        if (!read || read->numbers.size() != 3) continue;
        sentences.push_back(shown_name(metric.name) + ": two arms of one version typically differ by " +
                            number(read->numbers[2].value) + ", learned from " +
                            told_count(read->numbers[0].value, "interval") + " of history, worth " +
                            number(read->numbers[1].value, Round::down) + " independent ones");
    }
    if (!dispersions.empty())
        sentences.push_back("evidence is divided by the long-run dispersion in the plan: " + joined(dispersions));
    return sentences;
}

/// Whether the metric's data are another thing than the plan says, so that nothing is promised of it.
bool not_as_told(const MetricResult& metric) {
    return metric.guarantee == Guarantee::none &&
           (metric.guarantee_why == Code::looks_like_counter || metric.guarantee_why == Code::looks_like_counts ||
            metric.guarantee_why == Code::duplicate_series || metric.guarantee_why == Code::arms_exchanged);
}

std::vector<std::string> promise_sentences(const Decision& decision) {
    const std::string promise = "a good canary is ever rolled back with probability at most " +
                                percent(decision.alpha) + ", however often you ask";
    std::vector<std::string> independent, learning, short_history, misread;
    std::size_t judged = 0, between = 0;
    bool requests = false;
    for (const MetricResult& metric : decision.metrics) {
        if (metric.muted || undecidable(metric)) continue;
        ++judged;
        requests = requests || facts_of(metric.kind).bad_of_total;
        between += metric.guarantee_why == Code::between_instances ? 1U : 0U;
        if (metric.guarantee != Guarantee::none) continue;
        if (metric.guarantee_why == Code::dispersion_unknown) independent.push_back(shown_name(metric.name));
        if (metric.guarantee_why == Code::noise_learned_now) learning.push_back(shown_name(metric.name));
        if (not_as_told(metric)) misread.push_back(shown_name(metric.name));
        if (metric.guarantee_why == Code::history_unmeasured) short_history.push_back(shown_name(metric.name));
    }
    std::vector<std::string> sentences{promise};
    switch (decision.guarantee) {
        case Guarantee::proved:
            sentences.back() += requests ? "; proved for requests that fail independently of one another"
                                         : "; proved for events that happen independently of one another";
            sentences.back() += ", as the plan declares";
            break;
        case Guarantee::measured:
            sentences.back() += between == judged
                                    ? "; measured, and proved for instances whose readings are normal and exchangeable"
                                    : "; measured on noise like history's, not proved";
            break;
        case Guarantee::none:
            if (judged == 0 && !decision.metrics.empty()) {
                sentences.back() = "none: no metric can decide anything";
            } else if (misread.size() == judged && judged > 0) {
                sentences.back() = "none: the data of " + listed(misread) + " are not what the plan says (see why)";
            } else if (!learning.empty()) {
                sentences.back() = learning.size() == judged
                                       ? "none: every metric learns its noise from the rollout itself, as the plan says"
                                       : promise + "; but not by " + listed(std::move(learning)) +
                                             ", whose noise is learned from the rollout itself, as the plan says";
                if (!independent.empty())
                    sentences.push_back("and it rests on requests failing independently of one another for " +
                                        listed(std::move(independent)));
            } else if (!independent.empty() || short_history.empty()) {
                sentences.back() +=
                    "; this rests on requests failing independently of one another: no noise was learned from history";
                if (!independent.empty() && independent.size() < judged)
                    sentences.back() += " for " + listed(std::move(independent));
            } else if (short_history.size() == judged) {
                sentences.back() = "none: there is too little history (see why of " + listed(short_history) + ")";
                short_history.clear();
            }
            if (!short_history.empty())
                sentences.push_back("not by " + listed(std::move(short_history)) +
                                    ", of which there is too little history");
            if (!misread.empty() && misread.size() < judged)
                sentences.push_back("not by " + listed(std::move(misread)) + ", whose data are not what the plan says");
            break;
    }
    double confidence = 1;
    for (const MetricResult& metric : decision.metrics) {
        if (!range_text(metric).empty() && !reason_of(metric, Code::noise_learned_now) && !not_as_told(metric))
            confidence = std::min(confidence, metric.evidence.confidence);
    }
    if (confidence < 1)
        sentences.push_back("ranges hold with at least " + percent(confidence) + " confidence, at every look");
    return sentences;
}

/// What an objective's budget has to say: the share that this release has used, and how fast it burns.
std::vector<std::string> budget_sentences(const Decision& decision) {
    std::vector<std::string> sentences;
    for (const BurnResult& burn : decision.burn) {
        const std::string head = shown_name(burn.objective) + " " + verdict_text(burn.verdict) + ": ";
        const BudgetShare& share = burn.share;
        if (!std::isfinite(share.estimate)) {
            sentences.push_back(head + "nothing of its " + format_duration(burn.period.count()) + " is judged yet");
            continue;
        }
        const auto end = [](double value, Round round) {
            return std::isfinite(value) ? number(100 * value, round) + " %" : std::string("no bound yet");
        };
        sentences.push_back(head + percent(share.estimate) + " of the " + format_duration(burn.period.count()) +
                            "'s error budget used beyond the baseline (" + end(share.lower, Round::down) + " to " +
                            end(share.upper, Round::up) + "), " + percent(share.allowed) + " allowed a release");
        std::vector<std::string> speeds{"the canary burns " + number(burn.canary_burn) + "x",
                                        "the service " + number(burn.service_burn) + "x",
                                        "a halt begins at " + number(burn.halt.factor) + "x more than the baseline"};
        if (burn.alert) speeds.push_back("it alerts (" + std::string(word(*burn.alert)) + ")");
        sentences.push_back(joined(speeds));
    }
    return sentences;
}

bool has(const Decision& decision, Code code) {
    return std::any_of(decision.reasons.begin(), decision.reasons.end(),
                       [&](const Reason& reason) { return reason.code == code; });
}

std::string next_after_hold(const Decision& decision, Face face) {
    if (has(decision, Code::sick_baseline))
        return "see to the baseline first (see why): while it is not what it used to be, nothing is judged against it";
    if (!decision.failed.empty()) {
        std::vector<std::string> names;
        for (const std::string& name : decision.failed) names.push_back(shown_name(name));
        return "a person decides: " + listed(std::move(names)) + (decision.failed.size() == 1 ? " is" : " are") +
               " worse than allowed, which holds and rolls nothing back";
    }
    if (!decision.telemetry.newest[0] && !decision.telemetry.newest[1])
        return "check where the data come from: no sample of the plan's series has arrived";
    if (has(decision, Code::nothing_to_judge)) return "a person decides: every metric is muted";
    if (has(decision, Code::deadline_hold))
        return "a person decides: move on by hand, wait longer, or roll back; traffic stays at " +
               percent(decision.traffic);
    for (const Code code :
         {Code::missing_baseline, Code::missing_canary, Code::stale, Code::low_coverage, Code::unbalanced_gaps,
          Code::impossible_counts, Code::unpaired_series, Code::never_seen, Code::looks_like_counter,
          Code::looks_like_counts, Code::duplicate_series, Code::arms_exchanged, Code::unexplained_falls}) {
        if (has(decision, code)) return "mend the data first (see why): on these nothing can be promoted";
    }
    // What could not be stays told when it stands in the way no longer: only where it is all that there is.
    if (std::any_of(decision.metrics.begin(), decision.metrics.end(), [](const MetricResult& metric) {
            return !metric.muted && metric.verdict == Verdict::no_data &&
                   std::any_of(metric.reasons.begin(), metric.reasons.end(),
                               [](const Reason& reason) { return name(reason.code).starts_with("impossible_"); });
        })) {
        return "mend the data first (see why): on these nothing can be promoted";
    }
    std::vector<std::string> unknown;
    for (const MetricResult& metric : decision.metrics) {
        if (!metric.muted && undecidable(metric) && !lacks_bounds(metric)) unknown.push_back(shown_name(metric.name));
    }
    if (!unknown.empty()) {
        return "learn the noise of " + listed(std::move(unknown)) +
               " from a time when both arms ran one version: " + call(face, "calibrate", "history");
    }
    std::vector<std::string> waiting;
    for (const MetricResult& metric : decision.metrics) {
        if (!metric.muted && metric.verdict != Verdict::pass) waiting.push_back(shown_name(metric.name));
    }
    for (const BurnResult& burn : decision.burn) {
        if (burn.verdict != Verdict::pass) waiting.push_back(shown_name(burn.objective));
    }
    if (waiting.empty() && decision.severity == Severity::page)
        return "see to the error budget first (see why): while it pages nothing is promoted";
    if (waiting.empty()) return "keep watching: every metric has passed, the stage's minimum is not over";
    const bool one = waiting.size() == 1;
    return "keep watching: " + listed(std::move(waiting)) + (one ? " has" : " have") + " not passed yet";
}

/// `untold`: nothing in the data says which stage they are of.
std::string next_sentence(const Decision& handed_out, std::optional<double> next_traffic, Face face, bool untold) {
    std::string next;
    Decision decision = handed_out;
    if (handed_out.would) {
        decision.action = *handed_out.would;
        decision.severity = handed_out.would_severity.value_or(Severity::info);
        decision.finished = decision.action == Action::promote && decision.stage == decision.stages;
    }
    switch (decision.action) {
        case Action::rollback: next = "roll back: move all traffic to the baseline"; break;
        case Action::promote:
            if (decision.finished) {
                next = "nothing: the last stage is passed, the rollout is finished";
            } else {
                next = "move traffic to stage " + std::to_string(decision.stage + 1);
                next += next_traffic ? " (" + percent(*next_traffic) + ")" : " of " + std::to_string(decision.stages);
                if (untold && face == Face::program)
                    next += ", and tell its data apart: --stage " + std::to_string(decision.stage + 1) +
                            " --since TIME, or a column stage";
            }
            break;
        case Action::hold: next = next_after_hold(decision, face); break;
    }
    if (decision.severity == Severity::page) next += "; page whoever is on call";
    if (decision.severity == Severity::ticket) next += "; open a ticket";
    if (handed_out.would) next = "nothing, for the plan is a dry run (dry_run); without it: " + next;
    return next;
}

/// The commonest first mistake: the plan and the data call the series by different names.
std::string unknown_names(const Record& record) {
    std::vector<std::string> planned, found;
    const auto add = [](std::vector<std::string>& names, const std::string& name) {
        const std::string text = shown_name(name);
        if (std::find(names.begin(), names.end(), text) == names.end()) names.push_back(text);
    };
    for (const Metric& metric : record.plan.metrics) {
        for (const std::string& series : series_of(metric)) add(planned, series);
    }
    for (const ArmSeries& series : record.batch.series) add(found, series.name);
    const auto some = [](std::vector<std::string> names) {
        if (names.size() > most_names) {
            names.resize(most_names);
            names.push_back("...");
        }
        return joined(names);
    };
    return "the plan names " + some(std::move(planned)) + "; the data hold " + some(std::move(found));
}

std::string where_text(const Decision& decision) {
    const bool begun = decision.telemetry.newest[0] || decision.telemetry.newest[1];
    return "stage " + std::to_string(decision.stage) + " of " + std::to_string(decision.stages) + ", " +
           percent(decision.traffic) + " of traffic, " +
           (begun ? "after " + seconds_text(static_cast<double>(decision.elapsed.count()) / 1000) : "no data yet");
}

/// What the users had of the canary.
std::string reached_text(const Decision& decision) {
    double requests = 0;
    for (const MetricResult& metric : decision.metrics) {
        for (const std::string_view key : {"total_canary", "observations_canary"}) {
            if (const double* const of = observed(metric, key)) requests = std::max(requests, *of);
        }
    }
    std::string text =
        "as much of the canary as if all traffic had gone to it for " + seconds_text(decision.reached_seconds);
    if (requests > 0) text += "; " + count(requests) + " of its requests were judged in this stage";
    return text;
}

/// All that is known and not told elsewhere.
std::vector<std::string> all_sentences(const Decision& decision) {
    std::vector<std::string> sentences;
    const auto tell = [&](const Reason& reason) {
        sentences.push_back(printable(name(reason), 200) + " (" + std::to_string(static_cast<int>(reason.code)) +
                            "): " + sentence(reason));
    };
    for (const Reason& reason : decision.reasons) {
        if (reason.metric.empty()) tell(reason);
    }
    for (const MetricResult& metric : decision.metrics) {
        for (const Reason& reason : metric.reasons) tell(reason);
    }
    for (const BurnResult& burn : decision.burn) {
        for (const Reason& reason : burn.reasons) tell(reason);
    }
    const Telemetry& of = decision.telemetry;
    std::string samples = "telemetry: ";
    const auto add = [&](std::string_view what, std::int64_t number) {
        samples += std::string(what) + " " + std::to_string(number) + ", ";
    };
    add("intervals", of.intervals);
    add("used", of.used);
    add("without the baseline", of.missing[0]);
    add("without the canary", of.missing[1]);
    add("samples late", of.late);
    add("repeated", of.repeated);
    add("conflicting", of.conflicts);
    add("ignored", of.ignored);
    samples.resize(samples.size() - 2);
    sentences.push_back(samples);
    sentences.push_back("guarantee " + std::string(word(decision.guarantee)) + ", severity " +
                        std::string(word(decision.severity)) +
                        (decision.dedupe_key.empty() ? "" : ", known as " + shown_name(decision.dedupe_key)));
    sentences.push_back("Serinus " + decision.version + ", plan " + shown_name(decision.plan) + ", digest " +
                        decision.digest);
    return sentences;
}

/// What somebody wants to see of it.
Told seen(Told told, const Decision& decision, View view) {
    if (view == View::on_call) return told;
    told.reached = {reached_text(decision)};
    if (view == View::debug) {
        told.all = all_sentences(decision);
        return told;
    }
    told.metrics.clear();
    told.data.clear();
    told.noise.clear();
    told.promise.clear();
    return told;
}

MetricTold told(const MetricResult& metric) {
    return {.name = shown_name(metric.name),
            .style = style_of(metric),
            .verdict = verdict_text(metric.verdict),
            .estimate = estimate_text(metric),
            .range = range_text(metric),
            .allowed = allowed_text(metric),
            .status = status_text(metric),
            .safe = safe_text(metric),
            .counts = counts_and_quantiles(metric)};
}

Told told(const Decision& decision, std::optional<double> next_traffic, Face face, bool untold) {
    Told all;
    all.style = decision.action == Action::promote    ? Style::good
                : decision.action == Action::rollback ? Style::bad
                                                      : Style::open;
    all.verdict = upper_case(word(decision.action));
    if (decision.would) all.verdict += " (dry run: would be " + upper_case(word(*decision.would)) + ")";
    all.who = shown_name(decision.deployment.empty() ? decision.plan : decision.deployment);
    all.where = where_text(decision);
    for (const MetricResult& metric : decision.metrics) all.metrics.push_back(told(metric));
    all.why = reason_sentences(decision);
    all.budget = budget_sentences(decision);
    all.data = data_sentences(decision);
    all.noise = noise_sentences(decision);
    all.promise = promise_sentences(decision);
    all.next = next_sentence(decision, next_traffic, face, untold);
    return all;
}

}  // namespace

std::vector<const MetricTold*> by_gravity(const std::vector<MetricTold>& metrics) {
    std::vector<const MetricTold*> ordered;
    for (const MetricTold& metric : metrics) ordered.push_back(&metric);
    const auto rank = [](const MetricTold* metric) {
        return metric->style == Style::bad    ? 0
               : metric->style == Style::open ? 1
               : metric->style == Style::good ? 2
                                              : 3;
    };
    std::stable_sort(ordered.begin(), ordered.end(),
                     [&](const MetricTold* x, const MetricTold* y) { return rank(x) < rank(y); });
    return ordered;
}

double bound_of(const MetricResult& metric) {
    const Margin& margin = metric.margin;
    const bool less = metric.harm == Harm::decrease;
    if (margin.floor) return less ? -1 : 1;
    if (margin.ratio) return less ? 1 / *margin.ratio : *margin.ratio;
    const double difference = margin.difference.value_or(0);
    return less ? -difference : difference;
}

Told told(const Decision& decision, Face face, View view) {
    return seen(told(decision, std::nullopt, face, false), decision, view);
}

Told told(const Record& record, Face face, View view) {
    const Decision& decision = record.decisions.back();
    if (record.plan.stages.empty() && record.plan.metrics.empty()) return told(decision, face, view);
    std::optional<double> next_traffic;
    const auto next = static_cast<std::size_t>(std::max(0, decision.stage));  // the one after it, from 0
    if (next < record.plan.stages.size()) next_traffic = record.plan.stages[next].traffic;
    Told all = told(decision, next_traffic, face, record.batch.stages.empty() && record.decisions.size() == 1);
    if (!decision.telemetry.newest[0] && !decision.telemetry.newest[1] && decision.telemetry.ignored > 0)
        all.data.push_back(unknown_names(record));
    return seen(std::move(all), decision, view);
}

}  // namespace report
}  // namespace v0
}  // namespace serinus
