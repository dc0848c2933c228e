#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <serinus/core/counts.hpp>
#include <serinus/core/quote.hpp>
#include <serinus/io/plan.hpp>
#include <serinus/series/duration.hpp>

#include "json.hpp"
#include "parts.hpp"

namespace serinus {
inline namespace v0 {
namespace io {

using nlohmann::json;
using nlohmann::ordered_json;

namespace {

using Keys = std::span<const std::string_view>;

/// The keys of each object in a plan; data/schema/plan.schema.json has the same ones.
constexpr std::array<std::string_view, 17> plan_keys{
    "name",        "deployment", "alpha",   "alpha_promote", "beta",  "stages", "interval", "warm_up",  "settle",
    "on_deadline", "analysis",   "metrics", "slo",           "noise", "arms",   "queries",  "telemetry"};
constexpr std::array<std::string_view, 3> stage_keys{"traffic", "min", "max"};
constexpr std::array<std::string_view, 17> metric_keys{
    "name",   "kind",   "series",   "bad",   "total",     "counter", "harm",         "margin",          "detect",
    "method", "weight", "critical", "muted", "min_count", "missing", "promote_when", "instances_differ"};
constexpr std::array<std::string_view, 12> slo_keys{
    "name", "metric", "target", "budget",     "period",         "expected_events", "max_budget_per_release",
    "halt", "policy", "weight", "min_events", "min_probability"};
constexpr std::array<std::string_view, 3> policy_keys{"policy", "min_events", "min_probability"};
constexpr std::array<std::string_view, 2> halt_keys{"budget", "window"};
constexpr std::array<std::string_view, 7> condition_keys{"name",     "long", "short",          "factor",
                                                         "severity", "for",  "keep_firing_for"};
constexpr std::array<std::string_view, 2> margin_keys{"ratio", "difference"};
constexpr std::array<std::string_view, 6> noise_keys{"dispersion", "intervals", "stages",
                                                     "spikes",     "instances", "refuted"};
constexpr std::array<std::string_view, 9> spike_noise_keys{
    "excess", "share",          "difference",         "deviation", "instances",
    "spread", "variance_ratio", "degrees_of_freedom", "size"};
constexpr std::array<std::string_view, 20> stage_noise_keys{"table",
                                                            "offset",
                                                            "mean_score",
                                                            "long_run_variance",
                                                            "degrees_of_freedom",
                                                            "size",
                                                            "resolution",
                                                            "level",
                                                            "instances_baseline",
                                                            "instances_canary",
                                                            "instance_deviation",
                                                            "instances",
                                                            "wander",
                                                            "wander_degrees",
                                                            "unit",
                                                            "score_variance",
                                                            "step_score",
                                                            "step_variance",
                                                            "scale_steps",
                                                            "scale_bias"};
constexpr std::array<std::string_view, 7> known_instances_keys{"logs",   "level",  "looks",         "names",
                                                               "levels", "former", "former_degrees"};
constexpr std::array<std::string_view, 3> arms_keys{"label", "baseline", "canary"};
constexpr std::array<std::string_view, 3> telemetry_keys{"min_coverage", "max_imbalance", "stale_after"};

constexpr std::string_view margin_allowed = "{\"ratio\": 1.1} or {\"difference\": 0.002}";
constexpr std::string_view noise_allowed =
    "what `serinus calibrate` wrote, by metric name, {\"errors\": {\"dispersion\": 1.3}}; or \"learn\"";

[[noreturn]] void not_built(const std::string& path, std::string_view what, std::string_view instead) {
    raise(Code::plan_not_built, path + std::string(what) +
                                    ", which this version does not have yet; allowed instead: " + std::string(instead));
}

/// How many letters must be added, dropped or changed to make one word the other (Levenshtein 1966).
std::size_t edit_distance(std::string_view from, std::string_view to) {
    std::vector<std::size_t> row(to.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < from.size(); ++i) {
        std::size_t diagonal = std::exchange(row[0], i + 1);
        for (std::size_t j = 0; j < to.size(); ++j) {
            const std::size_t changed = diagonal + (from[i] == to[j] ? 0 : 1);
            diagonal = std::exchange(row[j + 1], std::min({changed, row[j] + 1, row[j + 1] + 1}));
        }
    }
    return row.back();
}

/// The word that was probably meant: at most two letters away, and fewer than half of its own; empty when none is.
std::string_view likely(std::string_view written, Keys words) {
    std::string_view best;
    std::size_t least = 3;
    for (const std::string_view word : words) {
        if (written.size() > word.size() + 2) continue;
        const std::size_t distance = edit_distance(written, word);
        if (distance < least && 2 * distance < word.size()) {
            least = distance;
            best = word;
        }
    }
    return best;
}

/// The end of an error about a word: "; did you mean \"min\"? allowed: traffic, min, max".
std::string did_you_mean(std::string_view written, Keys words) {
    std::string text = ";";
    if (const std::string_view word = likely(written, words); !word.empty()) {
        text += " did you mean \"" + std::string(word) + "\"?";
    }
    text += " allowed: ";
    for (const std::string_view word : words) {
        if (word != words.front()) text += ", ";
        text += word;
    }
    return text;
}

std::string member(const std::string& path, std::string_view key) {
    return path.empty() ? printable(key) : path + '.' + printable(key);
}
std::string element(const std::string& path, std::size_t index) { return path + '[' + std::to_string(index) + ']'; }

/// A value as an error shows it: "\"10m\", a text".
std::string shown(const json& value) {
    const std::string_view type = value.is_string()    ? ", a text"
                                  : value.is_number()  ? ", a number"
                                  : value.is_array()   ? ", a list"
                                  : value.is_object()  ? ", an object"
                                  : value.is_boolean() ? ", a truth value"
                                                       : "";
    const std::string text = value.is_string() ? in_quotes(value.get_ref<const std::string&>())
                                               : printable(value.dump(-1, ' ', false, json::error_handler_t::replace));
    return text + std::string(type);
}

[[noreturn]] void wrong_type(const std::string& path, const json& value, std::string_view allowed) {
    raise(Code::plan_type,
          (path.empty() ? "the plan" : path) + " is " + shown(value) + "; allowed: " + std::string(allowed));
}

// ---- values

void take(const std::string& path, const json& value, double& out) {
    if (!value.is_number()) wrong_type(path, value, "a number");
    out = value.get<double>();
}
void take(const std::string& path, const json& value, bool& out) {
    if (!value.is_boolean()) wrong_type(path, value, "true, false");
    out = value.get<bool>();
}
void take(const std::string& path, const json& value, std::string& out) {
    if (!value.is_string()) wrong_type(path, value, "a text");
    out = value.get_ref<const std::string&>();
}
/// Times are the only whole numbers of a plan.
void take(const std::string& path, const json& value, std::int64_t& out) {
    if (value.is_number()) {
        wrong_type(path, value, "a text with a unit such as \"30s\", \"10m\", \"1h30m\" (a bare number has none)");
    }
    if (!value.is_string()) wrong_type(path, value, "a text with a unit such as \"30s\", \"10m\", \"1h30m\"");
    const auto length = try_parse_duration(value.get_ref<const std::string&>());
    if (!length) {
        raise(Code::plan_value, path + " is " + in_quotes(value.get_ref<const std::string&>()) +
                                    "; allowed: " + std::string(duration_allowed));
    }
    out = length->count();
}
template <class Enum>
    requires std::is_enum_v<Enum>
void take(const std::string& path, const json& value, Enum& out) {
    if (!value.is_string()) wrong_type(path, value, "one of the words " + allowed_words<Enum>());
    const auto& text = value.get_ref<const std::string&>();
    if (const auto word = parse_word<Enum>(text)) {
        out = *word;
        return;
    }
    std::vector<std::string_view> words;
    for (const auto& entry : Words<Enum>::table) words.push_back(entry.second);
    raise(Code::plan_value, path + " is " + in_quotes(text) + did_you_mean(text, words));
}
void take(const std::string& path, const json& value, Margin& out);
void take(const std::string& path, const json& value, Stage& out);
void take(const std::string& path, const json& value, Metric& out);
void take(const std::string& path, const json& value, Noise& out);
void take(const std::string& path, const json& value, SpikeNoise& out);
void take(const std::string& path, const json& value, KnownInstances& out);
void take(const std::string& path, const json& value, sequential::PairedNoise& out);
void take(const std::string& path, const json& value, SloRule& out);
void take(const std::string& path, const json& value, slo::Condition& out);
void take(const std::string& path, const json& value, Arms& out);
void take(const std::string& path, const json& value, TelemetryLimits& out);

template <class T>
void take(const std::string& path, const json& value, std::optional<T>& out) {
    take(path, value, out.emplace());
}
template <class T>
void take(const std::string& path, const json& value, std::vector<T>& out) {
    if (!value.is_array()) wrong_type(path, value, "a list");
    for (std::size_t i = 0; i < value.size(); ++i) take(element(path, i), value[i], out.emplace_back());
}
template <class T>
void take(const std::string& path, const json& value, std::map<std::string, T>& out) {
    if (!value.is_object()) wrong_type(path, value, "an object");
    for (const auto& [key, entry] : value.get_ref<const json::object_t&>()) take(member(path, key), entry, out[key]);
}

[[noreturn]] void missing_key(const std::string& path, std::string_view allowed) {
    raise(Code::plan_missing_key, path + " is missing; allowed: " + std::string(allowed));
}

/// An object whose keys are all known.
class Object {
  public:
    Object(std::string path, const json& value, std::string_view what, Keys keys, std::string_view allowed)
        : path_(std::move(path)), value_(value) {
        if (!value.is_object()) wrong_type(path_, value, allowed);
        for (const auto& entry : value.get_ref<const json::object_t&>()) {
            const std::string& key = entry.first;
            if (std::find(keys.begin(), keys.end(), key) != keys.end()) continue;
            raise(Code::plan_unknown_key,
                  member(path_, key) + " is not a key of " + std::string(what) + did_you_mean(key, keys));
        }
    }

    template <class T>
    void optional(std::string_view key, T& out) const {
        if (const auto at = value_.find(std::string(key)); at != value_.end()) take(member(path_, key), *at, out);
    }
    template <class T>
    void required(std::string_view key, T& out, std::string_view allowed) const {
        if (!value_.contains(std::string(key))) missing_key(member(path_, key), allowed);
        optional(key, out);
    }

  private:
    std::string path_;
    const json& value_;
};

void take(const std::string& path, const json& value, Margin& out) {
    const Object object(path, value, "a margin", margin_keys, margin_allowed);
    object.optional("ratio", out.ratio);
    object.optional("difference", out.difference);
}

void take(const std::string& path, const json& value, Stage& out) {
    const Object object(path, value, "a stage", stage_keys,
                        "an object such as {\"traffic\": 0.1, \"min\": \"10m\", \"max\": \"1h\"}");
    object.required("traffic", out.traffic, "the canary's share of the traffic, 0.1 for a tenth");
    object.optional("min", out.min_ms);
    object.optional("max", out.max_ms);
}

void take(const std::string& path, const json& value, Metric& out) {
    // The kind comes first: the other keys of a metric depend on it.
    if (const auto kind = value.is_object() ? value.find("kind") : value.end(); kind != value.end()) {
        take(path + ".kind", *kind, out.kind);
        if (const KindFacts& facts = facts_of(out.kind); !facts.built()) {
            not_built(path + ".kind", " is \"" + std::string(facts.word) + '"',
                      judged_kinds(false) + "; " + std::string(facts.instead));
        }
    }
    const Object object(path, value, "a metric", metric_keys,
                        "an object such as {\"name\": \"errors\", \"kind\": \"proportion\", ...}");
    object.required("name", out.name, "a name for the metric");
    object.required("kind", out.kind, judged_kinds());
    for (const SeriesKey& of : facts_of(out.kind).series()) {
        if (!value.contains(std::string(of.key))) missing_key(member(path, of.key), of.allowed);
    }
    for (const auto& [key, series] : series_members) object.optional(key, out.*series);
    object.optional("counter", out.counter);
    object.optional("harm", out.harm);
    object.required("margin", out.margin, margin_allowed);
    object.optional("detect", out.detect);
    object.optional("method", out.method);
    object.optional("weight", out.weight);
    object.optional("critical", out.critical);
    object.optional("muted", out.muted);
    object.optional("min_count", out.min_count);
    object.optional("missing", out.missing);
    object.optional("promote_when", out.promote_when);
    object.optional("instances_differ", out.instances_differ);
}

void take(const std::string& path, const json& value, KnownInstances& out) {
    constexpr std::string_view allowed = "what `serinus calibrate` wrote";
    const Object object(path, value, "what history knows of instances", known_instances_keys, allowed);
    object.required("logs", out.logs, allowed);
    object.required("level", out.level, allowed);
    std::vector<double> looks;
    object.required("looks", looks, allowed);
    for (std::size_t i = 0; i < looks.size(); ++i) {
        if (!(looks[i] >= 1 && is_count(looks[i])))
            wrong_type(element(path + ".looks", i), value["looks"][i], "a whole number of intervals");
        out.looks.push_back(static_cast<std::int64_t>(looks[i]));
    }
    object.required("names", out.names, allowed);
    object.required("levels", out.levels, allowed);
    object.optional("former", out.former);
    object.optional("former_degrees", out.former_degrees);
}

void take(const std::string& path, const json& value, Noise& out) {
    const Object object(path, value, "a metric's noise", noise_keys,
                        "what `serinus calibrate` wrote, or {\"dispersion\": 1.3}");
    object.optional("dispersion", out.dispersion);
    object.optional("intervals", out.intervals);
    object.optional("stages", out.stages);
    object.optional("spikes", out.spikes);
    object.optional("instances", out.instances);
    object.optional("refuted", out.refuted);
}

void take(const std::string& path, const json& value, SpikeNoise& out) {
    const Object object(path, value, "a gauge's spikes", spike_noise_keys, "what `serinus calibrate` wrote");
    for_each_spike_number(
        out, [&](const char* key, double& number) { object.required(key, number, "what `serinus calibrate` wrote"); });
}

void take(const std::string& path, const json& value, sequential::PairedNoise& out) {
    const Object object(path, value, "a stage's noise", stage_noise_keys, "what `serinus calibrate` wrote");
    // Noise without a unit was written before there were any, and has none of what came with it.
    object.optional("unit", out.unit);
    sequential::for_each_list(out, [&](const char* key, std::vector<double>& numbers) {
        object.required(key, numbers, "what `serinus calibrate` wrote");
    });
    sequential::for_each_number(
        out, [&](const char* key, double& number) { object.required(key, number, "what `serinus calibrate` wrote"); });
}

void take(const std::string& path, const json& value, slo::Condition& out) {
    const Object object(path, value, "a condition", condition_keys,
                        R"(an object such as {"long": "1h", "short": "5m", "factor": 14.4, "severity": "page"})");
    object.required("long", out.long_ms, "the window that says how much was lost, such as \"1h\"");
    out.short_ms = out.long_ms;
    object.optional("short", out.short_ms);
    object.required("factor", out.factor, "the burn rate that both windows must exceed, such as 14.4");
    object.required("severity", out.severity, allowed_words<Severity>());
    object.optional("for", out.for_ms);
    object.optional("keep_firing_for", out.keep_firing_for_ms);
    out.name = std::string(word(out.severity)) + '.' + format_duration(out.long_ms);
    object.optional("name", out.name);
}

/// The share of events that may be bad: a budget, or what a target leaves, which may be a text with a percent sign.
void take_budget(const std::string& path, const json& value, const Object& object, double& budget) {
    constexpr std::string_view allowed = R"(one of "target": 0.999 (or "99.9%") and "budget": 0.001)";
    const auto target = value.find("target");
    if (value.contains("budget") == (target != value.end())) {
        if (target == value.end()) missing_key(path + ".target", allowed);
        raise(Code::plan_value, path + ".budget is given beside target; allowed: " + std::string(allowed));
    }
    object.optional("budget", budget);
    if (target == value.end()) return;
    if (!target->is_number() && !target->is_string()) wrong_type(path + ".target", *target, allowed);
    try {
        budget = target->is_string() ? slo::budget_from_target(std::string_view(target->get_ref<const std::string&>()))
                                     : slo::budget_from_target(target->get<double>());
    } catch (const Error& error) {
        std::string_view sentence = error.what();
        sentence.remove_prefix(error.name().size() + 2);  // "<code>: "
        raise(Code::plan_value, path + '.' + std::string(sentence));
    }
}

/// `policy`, `min_events` and `min_probability` of an object; without conditions the workbook's are meant.
void take_policy(const std::string& path, const json& value, const Object& object, slo::Policy& out) {
    if (const auto policy = value.find("policy"); policy != value.end() && *policy != "sre_workbook") {
        constexpr std::string_view allowed = R"("sre_workbook", or a list of conditions)";
        const std::string name = path.empty() ? "policy" : path + ".policy";
        if (!policy->is_array()) wrong_type(name, *policy, allowed);
        if (policy->empty()) raise(Code::plan_value, name + " is empty; allowed: " + std::string(allowed));
        object.optional("policy", out.conditions);
    }
    object.optional("min_events", out.min_events);
    object.optional("min_probability", out.min_probability);
}

void take(const std::string& path, const json& value, SloRule& out) {
    const Object object(path, value, "an objective", slo_keys,
                        R"(an object such as {"name": "availability", "metric": "errors", "target": 0.999})");
    object.required("name", out.objective.name, "a name for the objective");
    object.required("metric", out.metric, "the name of the metric whose bad and total events it is about");
    take_budget(path, value, object, out.objective.budget);
    object.optional("period", out.objective.period_ms);
    object.optional("expected_events", out.objective.expected_events);
    object.optional("max_budget_per_release", out.max_budget_per_release);
    if (const auto halt = value.find("halt"); halt != value.end()) {
        const Object inside(path + ".halt", *halt, "a halt", halt_keys,
                            R"(an object such as {"budget": 0.5, "window": "1h"})");
        inside.optional("budget", out.halt_budget);
        inside.optional("window", out.halt_window_ms);
    }
    take_policy(path, value, object, out.policy);
    object.optional("weight", out.weight);
}

void take(const std::string& path, const json& value, Arms& out) {
    const Object object(path, value, "arms", arms_keys,
                        "{\"label\": \"track\", \"baseline\": \"stable\", \"canary\": \"canary\"}");
    object.optional("label", out.label);
    object.optional("baseline", out.baseline);
    object.optional("canary", out.canary);
}

void take(const std::string& path, const json& value, TelemetryLimits& out) {
    const Object object(path, value, "telemetry", telemetry_keys, "an object such as {\"min_coverage\": 0.8}");
    object.optional("min_coverage", out.min_coverage);
    object.optional("max_imbalance", out.max_imbalance);
    object.optional("stale_after", out.stale_after_ms);
}

/// Refuses what belongs to the whole plan and is not built yet.
void check_built(const json& value) {
    if (value.contains("combine")) {
        not_built("combine", " asks for another way to share alpha",
                  "no such key: alpha is divided over the metrics by weight");
    }
    if (const auto analysis = value.find("analysis"); analysis != value.end()) {
        std::string text;
        take("analysis", *analysis, text);
        if (text == "fixed") {
            not_built("analysis", " is \"fixed\"", "\"sequential\", the default, which may be asked once just as well");
        }
        if (text != "sequential")
            raise(Code::plan_value, "analysis is " + in_quotes(text) + "; allowed: \"sequential\"");
    }
    if (const auto noise = value.find("noise"); noise != value.end() && !noise->is_object()) {
        if (*noise != "learn") wrong_type("noise", *noise, noise_allowed);
    }
}

// ---- writing

ordered_json text_json(const std::string& path, const std::string& text) {
    if (!valid_utf8(text)) raise(Code::plan_value, path + " is " + in_quotes(text) + "; allowed: a text in UTF-8");
    return text;
}

ordered_json margin_json(const Margin& margin) {
    if (margin.ratio) return {{"ratio", number_json(*margin.ratio)}};
    return {{"difference", number_json(*margin.difference)}};
}

ordered_json stage_json(const Stage& stage) {
    ordered_json out{{"traffic", number_json(stage.traffic)}};
    if (stage.min_ms != 0) out["min"] = format_duration(stage.min_ms);
    if (stage.max_ms) out["max"] = format_duration(*stage.max_ms);
    return out;
}

ordered_json metric_json(const std::string& path, const Metric& metric) {
    const Metric fresh;
    ordered_json out{{"name", text_json(path + ".name", metric.name)}, {"kind", word(metric.kind)}};
    for (const auto& [key, series] : series_members) {
        if (facts_of(metric.kind).reads(key)) out[std::string(key)] = text_json(member(path, key), metric.*series);
    }
    if (metric.counter != fresh.counter) out["counter"] = metric.counter;
    if (metric.harm != fresh.harm) out["harm"] = word(metric.harm);
    out["margin"] = margin_json(metric.margin);
    if (metric.detect) out["detect"] = margin_json(*metric.detect);
    if (metric.method != fresh.method) out["method"] = word(metric.method);
    if (metric.weight != fresh.weight) out["weight"] = number_json(metric.weight);
    if (metric.critical != fresh.critical) out["critical"] = metric.critical;
    if (metric.muted != fresh.muted) out["muted"] = metric.muted;
    if (metric.min_count != fresh.min_count) out["min_count"] = number_json(metric.min_count);
    if (metric.missing != fresh.missing) out["missing"] = word(metric.missing);
    if (metric.promote_when) out["promote_when"] = word(*metric.promote_when);
    if (metric.instances_differ) out["instances_differ"] = number_json(*metric.instances_differ);
    return out;
}

ordered_json condition_json(const std::string& path, const slo::Condition& condition) {
    ordered_json out{{"name", text_json(path + ".name", condition.name)},
                     {"long", format_duration(condition.long_ms)},
                     {"short", format_duration(condition.short_ms)},
                     {"factor", number_json(condition.factor)},
                     {"severity", word(condition.severity)}};
    if (condition.for_ms != 0) out["for"] = format_duration(condition.for_ms);
    if (condition.keep_firing_for_ms != 0) out["keep_firing_for"] = format_duration(condition.keep_firing_for_ms);
    return out;
}

ordered_json slo_json(const std::string& path, const SloRule& rule) {
    const SloRule fresh;
    ordered_json out{{"name", text_json(path + ".name", rule.objective.name)},
                     {"metric", text_json(path + ".metric", rule.metric)},
                     {"budget", number_json(rule.objective.budget)},
                     {"period", format_duration(rule.objective.period_ms)}};
    if (rule.objective.expected_events) out["expected_events"] = number_json(*rule.objective.expected_events);
    if (rule.max_budget_per_release != fresh.max_budget_per_release)
        out["max_budget_per_release"] = number_json(rule.max_budget_per_release);
    if (rule.halt_budget != fresh.halt_budget) out["halt"]["budget"] = number_json(rule.halt_budget);
    if (rule.halt_window_ms) out["halt"]["window"] = format_duration(*rule.halt_window_ms);
    for (std::size_t i = 0; i < rule.policy.conditions.size(); ++i)
        out["policy"].push_back(condition_json(element(path + ".policy", i), rule.policy.conditions[i]));
    if (rule.policy.min_events != 0) out["min_events"] = number_json(rule.policy.min_events);
    if (rule.policy.min_probability) out["min_probability"] = number_json(*rule.policy.min_probability);
    if (rule.weight != fresh.weight) out["weight"] = number_json(rule.weight);
    return out;
}

}  // namespace

Plan read_plan(std::string_view text) {
    const json value = parse_json(text, "the plan", {.syntax = Code::plan_json, .duplicate = Code::plan_duplicate});
    if (value.is_object()) check_built(value);
    const Object object("", value, "a plan", plan_keys, "an object");

    Plan plan;
    object.required("name", plan.name, "a name for what is rolled out");
    object.optional("deployment", plan.deployment);
    object.optional("alpha", plan.alpha);
    object.optional("alpha_promote", plan.alpha_promote);
    object.optional("beta", plan.beta);
    object.required("stages", plan.stages, "a list such as [{\"traffic\": 0.1, \"min\": \"10m\"}]");
    object.required("interval", plan.interval_ms, "the time from one judgement to the next, such as \"10s\"");
    object.optional("warm_up", plan.warm_up_ms);
    object.optional("settle", plan.settle_ms);
    object.optional("on_deadline", plan.on_deadline);
    object.required("metrics", plan.metrics, "a list of metrics");
    object.optional("slo", plan.slo);
    if (const auto noise = value.find("noise"); noise != value.end() && *noise == "learn") {
        plan.learn_noise = true;
    } else {
        object.optional("noise", plan.noise);
    }
    object.optional("arms", plan.arms);
    object.optional("queries", plan.queries);
    object.optional("telemetry", plan.telemetry);
    check(plan);
    return plan;
}

slo::Policy read_policy(std::string_view text) {
    constexpr std::string_view allowed =
        R"(a list of conditions, or an object such as {"policy": [...], "min_events": 100})";
    json value = parse_json(text, "the policy", {.syntax = Code::plan_json, .duplicate = Code::plan_duplicate});
    if (!value.is_array() && !value.is_object()) wrong_type("the policy", value, allowed);
    if (value.is_array()) value = json::object({{"policy", std::move(value)}});
    const Object object("", value, "a policy", policy_keys, allowed);
    slo::Policy policy;
    take_policy("", value, object, policy);
    return policy;
}

std::string write_plan(const Plan& plan) {
    check(plan);
    const Plan fresh;
    ordered_json out{{"name", text_json("name", plan.name)}};
    if (!plan.deployment.empty()) out["deployment"] = text_json("deployment", plan.deployment);
    if (plan.alpha != fresh.alpha) out["alpha"] = number_json(plan.alpha);
    if (plan.alpha_promote) out["alpha_promote"] = number_json(*plan.alpha_promote);
    if (plan.beta != fresh.beta) out["beta"] = number_json(plan.beta);
    for (const Stage& stage : plan.stages) out["stages"].push_back(stage_json(stage));
    out["interval"] = format_duration(plan.interval_ms);
    if (plan.warm_up_ms != 0) out["warm_up"] = format_duration(plan.warm_up_ms);
    if (plan.settle_ms != 0) out["settle"] = format_duration(plan.settle_ms);
    if (plan.on_deadline != fresh.on_deadline) out["on_deadline"] = word(plan.on_deadline);
    for (std::size_t i = 0; i < plan.metrics.size(); ++i) {
        out["metrics"].push_back(metric_json(element("metrics", i), plan.metrics[i]));
    }
    for (std::size_t i = 0; i < plan.slo.size(); ++i) out["slo"].push_back(slo_json(element("slo", i), plan.slo[i]));
    if (plan.learn_noise) out["noise"] = "learn";
    for (const auto& [name, noise] : plan.noise) out["noise"][name] = noise_json(noise);
    const auto put_unlike = [&out](const char* group, const char* key, const std::string& value,
                                   const std::string& usual) {
        if (value != usual) out[group][key] = text_json(std::string(group) + '.' + key, value);
    };
    put_unlike("arms", "label", plan.arms.label, fresh.arms.label);
    put_unlike("arms", "baseline", plan.arms.baseline, fresh.arms.baseline);
    put_unlike("arms", "canary", plan.arms.canary, fresh.arms.canary);
    for (const auto& [name, query] : plan.queries) {
        text_json("queries." + printable(name), name);
        out["queries"][name] = text_json("queries." + printable(name), query);
    }
    if (plan.telemetry.min_coverage != fresh.telemetry.min_coverage)
        out["telemetry"]["min_coverage"] = number_json(plan.telemetry.min_coverage);
    if (plan.telemetry.max_imbalance != fresh.telemetry.max_imbalance)
        out["telemetry"]["max_imbalance"] = number_json(plan.telemetry.max_imbalance);
    if (plan.telemetry.stale_after_ms)
        out["telemetry"]["stale_after"] = format_duration(*plan.telemetry.stale_after_ms);
    return document_text(out, 2) + '\n';
}

}  // namespace io
}  // namespace v0
}  // namespace serinus
