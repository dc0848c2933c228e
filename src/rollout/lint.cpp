#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <serinus/core/reason_group.hpp>
#include <serinus/fixed/power.hpp>
#include <serinus/numeric/elementary.hpp>
#include <serinus/numeric/normal.hpp>
#include <serinus/rollout/decision.hpp>
#include <serinus/rollout/lint.hpp>
#include <serinus/rollout/monitor.hpp>

#include "rollout/baseline_watch.hpp"
#include "rollout/roles.hpp"

namespace serinus {
inline namespace v0 {
namespace {

using detail::reads;
using std::chrono::milliseconds;

double in_seconds(milliseconds length) { return static_cast<double>(length.count()) / 1000; }

/// How long a stage is planned to run.
milliseconds length_of(const Plan& plan, const Stage& stage) {
    if (stage.max) return *stage.max;
    if (stage.min > milliseconds(0)) return stage.min;
    return plan.warm_up + longest(plan, stage) * plan.interval;
}

// ---- queries

/// The words of a PromQL expression that tell what becomes of its labels.
class Query {
  public:
    explicit Query(std::string_view text) { read(text); }

    bool names(std::string_view label) const {
        return std::any_of(tokens_.begin(), tokens_.end(),
                           [&](const Token& token) { return token.form != Form::sign && token.text == label; });
    }

    /// The first aggregation that drops the label; empty: none does, or it is put back.
    std::string loses(std::string_view label) const {
        if (puts_back(label)) return {};
        for (const Aggregation& of : aggregations()) {
            const bool listed = std::find(of.labels.begin(), of.labels.end(), label) != of.labels.end();
            if (listed == of.without) return of.name;
        }
        return {};
    }

    /// The first of the functions that turn a counter into something else; empty: none.
    std::string rates() const {
        constexpr std::array<std::string_view, 5> functions{"rate", "increase", "irate", "delta", "idelta"};
        for (std::size_t i = 0; i < tokens_.size(); ++i) {
            if (tokens_[i].form == Form::word && is_sign(i + 1, '(') &&
                std::find(functions.begin(), functions.end(), tokens_[i].text) != functions.end())
                return tokens_[i].text;
        }
        return {};
    }

  private:
    enum class Form { word, text, sign };
    struct Token {
        Form form = Form::sign;
        std::string text;
    };
    struct Aggregation {
        std::string name;
        bool without = false;  // the labels are dropped, else kept
        std::vector<std::string> labels = {};
    };

    static bool begins_word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':'; }
    static bool goes_on(char c) { return begins_word(c) || (c >= '0' && c <= '9'); }

    void read(std::string_view text) {
        for (std::size_t i = 0; i < text.size();) {
            const char c = text[i];
            if (c == '#') {
                i = std::min(text.find('\n', i), text.size());
            } else if (c == '"' || c == '\'' || c == '`') {
                const std::size_t begin = ++i;
                while (i < text.size() && text[i] != c) i += c != '`' && text[i] == '\\' ? 2U : 1U;
                i = std::min(i, text.size());
                tokens_.push_back({Form::text, std::string(text.substr(begin, i - begin))});
                ++i;
            } else if (goes_on(c)) {
                // Numbers and durations are words as well; they name nothing.
                const std::size_t begin = i;
                while (i < text.size() && goes_on(text[i])) ++i;
                tokens_.push_back({Form::word, std::string(text.substr(begin, i - begin))});
            } else {
                if (c != ' ' && c != '\t' && c != '\n' && c != '\r') tokens_.push_back({Form::sign, std::string(1, c)});
                ++i;
            }
        }
    }

    bool is_sign(std::size_t at, char sign) const {
        return at < tokens_.size() && tokens_[at].form == Form::sign && tokens_[at].text.front() == sign;
    }
    /// Keywords and aggregations may be written large.
    bool is_word(std::size_t at, std::string_view word) const {
        if (at >= tokens_.size() || tokens_[at].form != Form::word) return false;
        const std::string& text = tokens_[at].text;
        return std::equal(text.begin(), text.end(), word.begin(), word.end(),
                          [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b; });
    }

    /// The label is one that a function writes, or a join brings labels along.
    bool puts_back(std::string_view label) const {
        for (std::size_t i = 0; i < tokens_.size(); ++i) {
            if (is_word(i, "group_left") || is_word(i, "group_right")) return true;
            if (tokens_[i].form == Form::text && tokens_[i].text == label) return true;
        }
        return false;
    }

    /// Behind the bracket that closes the one at `at`.
    std::size_t behind(std::size_t at) const {
        int depth = 0;
        for (; at < tokens_.size(); ++at) {
            if (is_sign(at, '(')) ++depth;
            if (is_sign(at, ')') && --depth == 0) return at + 1;
        }
        return at;
    }

    /// "by (a, b)" or "without (a, b)" at a place.
    bool clause(std::size_t at, Aggregation& of) const {
        const bool by = is_word(at, "by");
        if ((!by && !is_word(at, "without")) || !is_sign(at + 1, '(')) return false;
        of.without = !by;
        const std::size_t end = behind(at + 1);
        for (std::size_t i = at + 2; i < end; ++i) {
            if (tokens_[i].form != Form::sign) of.labels.push_back(tokens_[i].text);
        }
        return true;
    }

    std::vector<Aggregation> aggregations() const {
        // topk, bottomk and the like choose series and leave them their labels.
        constexpr std::array<std::string_view, 10> names{"sum",    "min",    "max",   "avg",          "group",
                                                         "stddev", "stdvar", "count", "count_values", "quantile"};
        std::vector<Aggregation> found;
        for (std::size_t i = 0; i < tokens_.size(); ++i) {
            const auto name =
                std::find_if(names.begin(), names.end(), [&](std::string_view word) { return is_word(i, word); });
            if (name == names.end()) continue;
            Aggregation of{.name = std::string(*name)};
            if (is_sign(i + 1, '(')) {
                clause(behind(i + 1), of);
            } else if (!clause(i + 1, of)) {
                continue;  // a series or a label that is called so
            }
            found.push_back(std::move(of));
        }
        return found;
    }

    std::vector<Token> tokens_;
};

void lint_queries(const Plan& plan, std::vector<Reason>& reasons) {
    std::set<std::string> seen;
    const std::string& label = plan.arms.label;
    for (const Metric& metric : plan.metrics) {
        if (metric.muted) continue;
        for (const std::string& name : series_of(metric)) {
            const auto found = plan.queries.find(name);
            if (found == plan.queries.end()) continue;
            const Query query(found->second);
            if (const std::string function = query.rates(); metric.counter && !function.empty()) {
                reasons.push_back(
                    {Code::query_of_rates, metric.name, {}, false, {{"series", name}, {"function", function}}});
            }
            if (metric.arm == MetricArm::none || !seen.insert(name).second) continue;
            if (const std::string aggregation = query.loses(label); !aggregation.empty()) {
                reasons.push_back({Code::query_loses_arm,
                                   metric.name,
                                   {},
                                   false,
                                   {{"series", name}, {"label", label}, {"aggregation", aggregation}}});
            } else if (!query.names(label)) {
                reasons.push_back(
                    {Code::query_without_arm, metric.name, {}, false, {{"series", name}, {"label", label}}});
            }
        }
    }
}

bool keeps_instances(const Plan& plan, const Metric& metric) {
    const auto found = plan.queries.find(series_of(metric)[0]);
    if (found == plan.queries.end()) return false;
    const Query query(found->second);
    return query.loses("instance").empty() || query.loses("pod").empty();
}

// ---- margins

/// The error rate at which one look needs about as many requests for one chance in two as a test at `alpha` that may be
/// looked at at any time: z^2/2 of it is what the e-value must reach, ln(1/alpha), and 1 more that a mixture costs.
double of_one_look(double alpha) { return normal_survival(std::sqrt(2 * (1 - elementary::log(alpha)))); }

double number_of(const std::vector<NamedNumber>& numbers, std::string_view name) {
    for (const NamedNumber& number : numbers) {
        if (number.name == name) return number.value;
    }
    return 0;
}

/// The share of bad events that a good canary must be told from; nothing where there is none between 0 and 1.
std::optional<double> to_tell_from(const Metric& metric, double share) {
    const std::optional<Margin> allowed = effective_promote_when(metric) == PromoteWhen::harm_ruled_out
                                              ? std::optional(metric.margin)
                                              : effective_detect(metric);
    if (!allowed) return std::nullopt;
    const bool less = metric.harm == Harm::decrease;
    double bound = share;
    if (allowed->floor) {
        const double ratio = *allowed->ratio, floor = *allowed->floor;
        bound = less ? std::min(share / ratio, share - floor) : std::max(share * ratio, share + floor);
    } else if (allowed->ratio) {
        bound = less ? share / *allowed->ratio : share * *allowed->ratio;
    } else if (allowed->difference) {
        bound = less ? share - *allowed->difference : share + *allowed->difference;
    }
    if (!(bound > 0 && bound < 1) || bound == share) return std::nullopt;
    return bound;
}

/// The first stage in which a good canary can hardly pass.
std::optional<Reason> lint_margin(const Plan& plan, const Metric& metric, const MetricResult& seen,
                                  std::int64_t intervals) {
    const double baseline = number_of(seen.observed, "total_baseline");
    const double requests = baseline + number_of(seen.observed, "total_canary");
    if (!facts_of(metric.kind).bad_of_total || metric.muted || !(baseline > 0) || intervals <= 0) return std::nullopt;
    const double share = std::max(number_of(seen.observed, "bad_baseline"), 3.0) / baseline;
    if (!(share < 1)) return std::nullopt;
    const std::optional<double> bound = to_tell_from(metric, share);
    if (!bound) return std::nullopt;
    const bool ruled_out = effective_promote_when(metric) == PromoteWhen::harm_ruled_out;
    PowerOptions options;
    options.alpha = of_one_look(ruled_out ? plan.alpha_promote.value_or(plan.alpha) : plan.beta);
    options.alternative = *bound > share ? Alternative::greater : Alternative::less;
    if (const auto noise = plan.noise.find(metric.name); noise != plan.noise.end())
        options.independent = 1 / std::max(1.0, noise->second.dispersion.value_or(1));
    const double per_second = requests / (static_cast<double>(intervals) * in_seconds(plan.interval));
    for (std::size_t i = 0; i < plan.stages.size(); ++i) {
        const Stage& stage = plan.stages[i];
        if (!(stage.traffic < 1)) continue;
        milliseconds length = length_of(plan, stage);
        if (!stage.max) length = std::max(length, plan.warm_up + 120 * plan.interval);
        const double judged = std::max(in_seconds(plan.interval), in_seconds(length - plan.warm_up - plan.settle));
        const double all = per_second * judged;
        const auto chance = [&](double times) {
            const double used = all * times;
            return power(ProportionDesign{.baseline = share, .canary = *bound}, used * (1 - stage.traffic),
                         used * stage.traffic, options);
        };
        const double smaller = all * std::min(stage.traffic, 1 - stage.traffic);
        if (chance(1) >= 0.5 && smaller >= metric.min_count) continue;
        double times = 1;
        while (chance(times) < 0.5 && times < 1e9) times *= 1.01;
        times = std::max(times, metric.min_count / smaller);
        return Reason{Code::margin_undecidable,
                      metric.name,
                      {{"stage", static_cast<double>(i + 1)},
                       {"length", in_seconds(length)},
                       {"requests", std::round(all * stage.traffic)},
                       {"needed", std::ceil(times * all * stage.traffic)},
                       {"share", share}}};
    }
    return std::nullopt;
}

/// Classic buckets as client libraries set them tell no quantiles apart that are closer than a bound is to the next.
std::optional<Reason> lint_buckets(const Plan& plan, const Metric& metric) {
    constexpr double usual = 2;
    if (metric.kind != Kind::histogram || metric.muted || !metric.series.ends_with("_bucket")) return std::nullopt;
    double ratio = metric.margin.ratio.value_or(0);
    if (metric.margin.difference) {
        const auto noise = plan.noise.find(metric.name);
        if (noise == plan.noise.end()) return std::nullopt;
        // Of several quantiles the one that the difference is least of.
        for (const double threshold : noise->second.thresholds)
            if (threshold > 0) ratio = std::max(ratio, 1 + *metric.margin.difference / threshold);
    }
    if (!(ratio > 0) || ratio >= usual) return std::nullopt;
    return Reason{Code::coarse_buckets, metric.name, {{"ratio", ratio}}, false, {{"series", metric.series}}};
}

/// A range that was learned before one was asked of a day at least.
std::optional<Reason> lint_baseline(const Plan& plan, const Metric& metric) {
    const auto noise = plan.noise.find(metric.name);
    if (metric.muted || facts_of(metric.kind).counts || noise == plan.noise.end() || !noise->second.baseline)
        return std::nullopt;
    double intervals = noise->second.baseline->windows;
    // Of several choices of instances each has its windows.
    for (const sequential::PairedNoise& stage : noise->second.stages)
        intervals = std::min(intervals, static_cast<double>(stage.size));
    const double have = intervals * in_seconds(plan.interval), needed = in_seconds(detail::baseline_history);
    // (A history of a day has four windows fewer than intervals.)
    if (have + (noise->second.baseline->window - 1) * in_seconds(plan.interval) >= needed) return std::nullopt;
    return Reason{Code::baseline_range_narrow, metric.name, {{"have", have}, {"needed", needed}}};
}

// ---- data

SeriesSeen seen_of(const Metric& metric, const std::vector<std::string>& names, std::size_t role, std::string_view key,
                   Arm arm, const Batch& batch) {
    const std::string& name = names[role];
    SeriesSeen seen{.metric = metric.name, .key = std::string(key), .name = name, .arm = arm};
    std::map<std::pair<std::string, std::string>, std::vector<std::int64_t>> times;
    std::set<std::string> replicas, instances;
    const bool quantiles = facts_of(metric.kind).quantiles;
    for (const ArmHistogram& histogram : batch.histograms) {
        if (!quantiles || histogram.arm != arm || histogram.name != name) continue;
        std::vector<std::int64_t>& of = times[{histogram.series.instance, histogram.labels}];
        of.insert(of.end(), histogram.series.times_ms.begin(), histogram.series.times_ms.end());
        replicas.insert(histogram.replica);
        if (!histogram.series.instance.empty()) instances.insert(histogram.series.instance);
    }
    for (const ArmSeries& series : batch.series) {
        // Of a histogram's buckets the last one stands for all.
        const bool reads_it = quantiles ? series.name == name && !(series.le < std::numeric_limits<double>::infinity())
                                        : reads(metric, names, role, series);
        if (series.arm != arm || !reads_it) continue;
        std::vector<std::int64_t>& of = times[{series.series.instance, series.labels}];
        of.insert(of.end(), series.series.times_ms.begin(), series.series.times_ms.end());
        replicas.insert(series.replica);
        if (!series.series.instance.empty()) instances.insert(series.series.instance);
    }
    std::vector<std::int64_t> gaps;
    std::optional<std::int64_t> first, last;
    for (auto& [of, at] : times) {
        seen.samples += static_cast<std::int64_t>(at.size());
        std::sort(at.begin(), at.end());
        at.erase(std::unique(at.begin(), at.end()), at.end());
        if (at.empty()) continue;
        first = std::min(first.value_or(at.front()), at.front());
        last = std::max(last.value_or(at.back()), at.back());
        for (std::size_t i = 1; i < at.size(); ++i) gaps.push_back(at[i] - at[i - 1]);
    }
    seen.series = static_cast<std::int64_t>(times.size());
    seen.instances.assign(instances.begin(), instances.end());
    seen.replicas = static_cast<std::int64_t>(replicas.size());
    if (!gaps.empty()) {
        const auto middle = gaps.begin() + static_cast<std::ptrdiff_t>(gaps.size() / 2);
        std::nth_element(gaps.begin(), middle, gaps.end());
        seen.spacing = milliseconds(*middle);
    }
    if (first) seen.first = Time(milliseconds(*first));
    if (last) seen.last = Time(milliseconds(*last));
    return seen;
}

/// What the data lack today, and may have tomorrow.
bool passes_with_time(Code code) {
    return code == Code::warming_up || code == Code::no_data_yet || code == Code::too_few ||
           code == Code::late_samples || code == Code::conflicting_samples;
}

void add(std::vector<Reason>& to, const Reason& reason) {
    if (std::find(to.begin(), to.end(), reason) == to.end()) to.push_back(reason);
}

/// Where no arm has anything the monitor still waits; who shows data expects them to be found.
void lint_names(const Plan& plan, Understood& understood) {
    const auto told = [&](Code code, const std::string& metric) {
        return std::any_of(understood.mend.begin(), understood.mend.end(),
                           [&](const Reason& reason) { return reason.code == code && reason.metric == metric; });
    };
    for (const Metric& metric : plan.metrics) {
        if (metric.muted || metric.missing == Missing::ignore) continue;
        std::map<std::string, std::array<bool, 2>> seen;  // by series
        for (const SeriesSeen& of : understood.series) {
            if (of.metric == metric.name) seen[of.name][static_cast<std::size_t>(of.arm)] |= of.samples > 0;
        }
        const std::vector<std::string> names = series_of(metric);
        const std::string &part = names.front(), &whole = names.back();
        const bool heard = seen[whole][0] || seen[whole][1];
        if (metric.arm == MetricArm::none) {
            if (!heard && !told(Code::missing_baseline, metric.name))
                understood.mend.push_back({Code::missing_baseline, metric.name, {}});
            continue;
        }
        for (const Arm arm : {Arm::baseline, Arm::canary}) {
            const Code code = arm == Arm::baseline ? Code::missing_baseline : Code::missing_canary;
            if (!seen[whole][static_cast<std::size_t>(arm)] && !told(code, metric.name))
                understood.mend.push_back({code, metric.name, {}});
        }
        if (names.size() < 2 || metric.absent == Absent::zero || seen[part][0] || seen[part][1] ||
            told(Code::never_seen, metric.name))
            continue;
        understood.mend.push_back({Code::never_seen, metric.name, {}, false, {{"series", part}}});
    }
}

}  // namespace

std::vector<Reason> lint(const Plan& plan) {
    check(plan);
    std::vector<Reason> reasons;
    milliseconds longest_stage{};
    for (const Stage& stage : plan.stages) longest_stage = std::max(longest_stage, length_of(plan, stage));
    for (std::size_t i = 0; i < plan.stages.size(); ++i) {
        const milliseconds length = length_of(plan, plan.stages[i]);
        if (plan.settle < length) continue;
        reasons.push_back({Code::settle_beyond_stage,
                           "",
                           {{"settle", in_seconds(plan.settle)},
                            {"stage", static_cast<double>(i + 1)},
                            {"length", in_seconds(length)}}});
        break;
    }
    for (const SloRule& rule : plan.slo) {
        const auto ask = [&](milliseconds window, const std::string& condition) {
            if (window <= longest_stage) return;
            reasons.push_back({Code::window_beyond_stage,
                               rule.metric,
                               {{"window", in_seconds(window)}, {"stage", in_seconds(longest_stage)}},
                               false,
                               {{"objective", rule.objective.name}, {"condition", condition}}});
        };
        if (rule.halt_window) ask(*rule.halt_window, "the halt");
        for (const slo::Condition& condition : rule.policy.conditions)
            ask(condition.long_window, condition.name.empty() ? "a condition" : condition.name);
    }
    for (const Metric& metric : plan.metrics) {
        // One look needs no noise.
        if (plan.analysis == Analysis::fixed || metric.muted || metric.arm == MetricArm::none ||
            facts_of(metric.kind).counts || plan.learn_noise || plan.noise.contains(metric.name) ||
            keeps_instances(plan, metric) || metric.instances_differ)
            continue;
        reasons.push_back({Code::gauge_without_noise, metric.name, {}});
    }
    for (const Metric& metric : plan.metrics) {
        if (const auto reason = lint_buckets(plan, metric)) reasons.push_back(*reason);
        if (const auto reason = lint_baseline(plan, metric)) reasons.push_back(*reason);
    }
    lint_queries(plan, reasons);
    return reasons;
}

Understood understand(const Plan& plan, const Batch& batch) {
    Understood understood{.plan = plan.name};
    const std::vector<Reason> planned = lint(plan);
    const Decision decision = judge(plan, batch);

    std::set<std::pair<std::string, Arm>> with_data;  // series and arms
    std::set<std::string> answered;  // metrics with data: a gauge that decides nothing says so itself (noise_unknown)
    for (std::size_t i = 0; i < plan.metrics.size(); ++i) {
        const Metric& metric = plan.metrics[i];
        const std::vector<std::string> names = series_of(metric);
        std::size_t role = 0;
        bool data = true;
        for (const auto& [key, member] : series_members) {
            if (!facts_of(metric.kind).reads(key) || (metric.*member).empty()) continue;
            for (const Arm arm : {Arm::baseline, Arm::canary}) {
                understood.series.push_back(seen_of(metric, names, role, key, arm, batch));
                if (understood.series.back().samples == 0) {
                    data = false;
                } else {
                    with_data.emplace(metric.*member, arm);
                }
            }
            ++role;
        }
        if (data) answered.insert(metric.name);
    }
    for (const Reason& reason : planned) {
        const bool open = reason.code == Code::gauge_without_noise || reason.code == Code::coarse_buckets;
        if (open && answered.contains(reason.metric)) continue;
        if (reason.code == Code::query_without_arm) {
            const std::string& name = reason.texts.front().value;
            if (with_data.contains({name, Arm::baseline}) && with_data.contains({name, Arm::canary})) continue;
        }
        add(understood.mend, reason);
    }
    const auto tell = [&](Reason reason, bool counts) {
        reason.severity = Severity::info;  // (who is told of it in a rollout)
        const ReasonGroup of = group(reason.code);
        const bool doubt = of == ReasonGroup::telemetry || of == ReasonGroup::undecidable;
        if (reason.code == Code::series_not_in_data || (doubt && counts && !passes_with_time(reason.code))) {
            add(understood.mend, reason);
        } else if (doubt || of == ReasonGroup::intake) {
            add(understood.notes, reason);
        }
    };
    for (std::size_t i = 0; i < plan.metrics.size(); ++i) {
        const Metric& metric = plan.metrics[i];
        const MetricResult& seen = decision.metrics[i];
        for (const Reason& reason : seen.reasons) tell(reason, !metric.muted && metric.missing != Missing::ignore);
        if (const auto reason = lint_margin(plan, metric, seen, decision.telemetry.intervals))
            add(understood.mend, *reason);
    }
    // Of the reasons of the rollout those about metrics are told by now.
    for (const Reason& reason : decision.reasons) {
        if (reason.metric.empty()) tell(reason, true);
    }
    for (const Reason& note : batch.notes) add(understood.notes, note);
    lint_names(plan, understood);
    return understood;
}

Understood understand(const Plan& plan) { return {.plan = plan.name, .mend = lint(plan)}; }

}  // namespace v0
}  // namespace serinus
