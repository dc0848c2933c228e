#include <algorithm>
#include <array>
#include <chrono>
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

constexpr std::string_view margin_allowed =
    "{\"ratio\": 1.1}, {\"difference\": 0.002} or {\"ratio\": 1.5, \"floor\": 0.001}";
constexpr std::string_view calibrated = "what `serinus calibrate` wrote";
constexpr std::string_view noise_allowed =
    "what `serinus calibrate` wrote, by metric name, {\"errors\": {\"dispersion\": 1.3}}; or \"learn\"";

/// What errors say of an object of a plan: what it is, an example of it, and what belongs to a key that must be there
/// (`required`: empty where a key may be left out; it may depend on the members before it).
template <class T>
struct Form;

constexpr auto nothing_required = [](const auto&, std::string_view) { return std::string_view(); };

template <>
struct Form<Margin> {
    static constexpr std::string_view what = "a margin", example = margin_allowed;
    static constexpr auto required = nothing_required;
};
template <>
struct Form<Stage> {
    static constexpr std::string_view what = "a stage";
    static constexpr std::string_view example = R"(an object such as {"traffic": 0.1, "min": "10m", "max": "1h"})";
    static std::string_view required(const Stage&, std::string_view key) {
        return key == "traffic" ? "the canary's share of the traffic, 0.1 for a tenth" : "";
    }
};
template <>
struct Form<Metric> {
    static constexpr std::string_view what = "a metric";
    static constexpr std::string_view example = R"(an object such as {"name": "errors", "kind": "proportion", ...})";
    static std::string_view required(const Metric& metric, std::string_view key) {
        for (const SeriesKey& of : facts_of(metric.kind).series()) {
            if (key == of.key) {
                const bool replaced = of.instead == "good" && !metric.good.empty();
                return replaced ? std::string_view() : of.allowed;
            }
        }
        if (key == "quantile" && facts_of(metric.kind).quantiles)
            return "the quantile that the margin is on, 0.95, or a list of them";
        static const std::string kinds = judged_kinds();
        return key == "name" ? "a name for the metric" : key == "kind" ? kinds : key == "margin" ? margin_allowed : "";
    }
};
template <>
struct Form<KnownInstances> {
    static constexpr std::string_view what = "what history knows of instances", example = calibrated;
    static std::string_view required(const KnownInstances&, std::string_view key) {
        return key.starts_with("former") ? "" : calibrated;
    }
};
template <>
struct Form<SpikeNoise> {
    static constexpr std::string_view what = "a gauge's spikes", example = calibrated;
    static std::string_view required(const SpikeNoise&, std::string_view) { return calibrated; }
};
template <>
struct Form<FlooredNoise> {
    static constexpr std::string_view what = "what a gauge's noise was learned under", example = calibrated;
    static std::string_view required(const FlooredNoise&, std::string_view) { return calibrated; }
};
template <>
struct Form<BaselineRange> {
    static constexpr std::string_view what = "where a baseline may be", example = calibrated;
    static std::string_view required(const BaselineRange&, std::string_view) { return calibrated; }
};
template <>
struct Form<BeforeAfterNoise> {
    static constexpr std::string_view what = "how far a metric moves by itself", example = calibrated;
    static std::string_view required(const BeforeAfterNoise&, std::string_view key) {
        return key == "floor" ? "" : calibrated;
    }
};
template <>
struct Form<sequential::PairedNoise> {
    static constexpr std::string_view what = "a stage's noise", example = calibrated;
    /// Noise without a unit was written before there were any, and has none of what came with it.
    static std::string_view required(const sequential::PairedNoise& noise, std::string_view key) {
        const bool former = noise.unit == sequential::NoiseUnit::former;
        return key == "unit" || (former && noise.came_with_units(key)) ? "" : calibrated;
    }
};
template <>
struct Form<Noise> {
    static constexpr std::string_view what = "a metric's noise";
    static constexpr std::string_view example = R"(what `serinus calibrate` wrote, or {"dispersion": 1.3})";
    static constexpr auto required = nothing_required;
};
template <>
struct Form<slo::Condition> {
    static constexpr std::string_view what = "a condition";
    static constexpr std::string_view example =
        R"(an object such as {"long": "1h", "short": "5m", "factor": 14.4, "severity": "page"})";
    static std::string_view required(const slo::Condition&, std::string_view key) {
        static const std::string severities = allowed_words<Severity>();
        return key == "long"       ? "the window that says how much was lost, such as \"1h\""
               : key == "factor"   ? "the burn rate that both windows must exceed, such as 14.4"
               : key == "severity" ? severities
                                   : std::string_view();
    }
};
template <>
struct Form<Arms> {
    static constexpr std::string_view what = "arms";
    static constexpr std::string_view example = R"({"label": "track", "baseline": "stable", "canary": "canary"})";
    static constexpr auto required = nothing_required;
};
template <>
struct Form<TelemetryLimits> {
    static constexpr std::string_view what = "telemetry", example = R"(an object such as {"min_coverage": 0.8})";
    static constexpr auto required = nothing_required;
};
template <>
struct Form<Plan> {
    static constexpr std::string_view what = "a plan", example = "an object";
    static std::string_view required(const Plan&, std::string_view key) {
        return key == "name"       ? "a name for what is rolled out"
               : key == "stages"   ? R"(a list such as [{"traffic": 0.1, "min": "10m"}])"
               : key == "interval" ? "the time from one judgement to the next, such as \"10s\""
               : key == "metrics"  ? "a list of metrics"
                                   : "";
    }
};

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
void take(const std::string& path, const json& value, std::chrono::milliseconds& out) {
    if (value.is_number()) {
        wrong_type(path, value, "a text with a unit such as \"30s\", \"10m\", \"1h30m\" (a bare number has none)");
    }
    if (!value.is_string()) wrong_type(path, value, "a text with a unit such as \"30s\", \"10m\", \"1h30m\"");
    const auto length = try_parse_duration(value.get_ref<const std::string&>());
    if (!length) {
        raise(Code::plan_value, path + " is " + in_quotes(value.get_ref<const std::string&>()) +
                                    "; allowed: " + std::string(duration_allowed));
    }
    out = *length;
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
    for (const auto& entry : Words<Enum>::table) {
        if constexpr (std::is_same_v<Enum, Kind>) {
            if (!facts_of(entry.first).built()) continue;  // offered is what can be judged
        }
        words.push_back(entry.second);
    }
    raise(Code::plan_value, path + " is " + in_quotes(text) + did_you_mean(text, words));
}
template <Described T>
void take(const std::string& path, const json& value, T& out);
void take(const std::string& path, const json& value, Metric& out);
void take(const std::string& path, const json& value, SloRule& out);
void take(const std::string& path, const json& value, slo::Condition& out);
void take(const std::string& path, const json& value, std::vector<std::int64_t>& out);

template <class T>
void take(const std::string& path, const json& value, std::optional<T>& out) {
    take(path, value, out.emplace());
}
template <class T>
void take(const std::string& path, const json& value, std::vector<T>& out) {
    if (!value.is_array()) wrong_type(path, value, "a list");
    out.clear();  // of what is there where nothing is given
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

template <class T>
Object object_of(const std::string& path, const json& value, Keys keys) {
    return Object(path, value, Form<T>::what, keys, Form<T>::example);
}

/// One member of a struct from its object.
template <class T, class Member>
void take_member(const Object& object, const T& so_far, std::string_view name, Member& member) {
    if (const std::string_view allowed = Form<T>::required(so_far, name); !allowed.empty()) {
        object.required(name, member, allowed);
    } else {
        object.optional(name, member);
    }
}

template <class T>
void take_members(const std::string& path, const json& value, T& out) {
    static constexpr auto names = described_names<T>();
    const Object object = object_of<T>(path, value, names);
    const auto member = [&](std::string_view name, auto& field) { take_member(object, out, name, field); };
    T::describe(member, out);
}
template <Described T>
void take(const std::string& path, const json& value, T& out) {
    take_members(path, value, out);
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
    // One quantile is written as a number, several as a list.
    if (const auto quantile = value.is_object() ? value.find("quantile") : value.end();
        quantile != value.end() && quantile->is_number()) {
        json listed = value;
        listed["quantile"] = json::array({*quantile});
        take_members(path, listed, out);
        return;
    }
    take_members(path, value, out);
    if (out.arm == MetricArm::none && out.on_fail == OnFail::rollback && value.contains("on_fail")) {
        raise(Code::plan_value, path +
                                    ".on_fail is \"rollback\" with \"arm\": \"none\"; allowed: \"hold\", which it is " +
                                    "by itself: what was before the rollout proves nothing against the canary");
    }
}

/// The numbers of intervals at which instances are looked at.
void take(const std::string& path, const json& value, std::vector<std::int64_t>& out) {
    std::vector<double> numbers;
    take(path, value, numbers);
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        if (!(numbers[i] >= 1 && is_count(numbers[i])))
            wrong_type(element(path, i), value[i], "a whole number of intervals");
        out.push_back(static_cast<std::int64_t>(numbers[i]));
    }
}

/// With one window there need be one; a condition without a name is called by its severity and that window.
void take(const std::string& path, const json& value, slo::Condition& out) {
    take_members(path, value, out);
    if (!value.contains("short")) out.short_window = out.long_window;
    if (!value.contains("name")) out.name = std::string(word(out.severity)) + '.' + format_duration(out.long_window);
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
        raise(Code::plan_value, path + '.' + std::string(error.sentence()));
    }
}

/// `policy`, `min_events` and `min_probability` of an object; without conditions the workbook's are meant.
void take_policy(const std::string& path, const json& value, const Object& object, slo::Policy& out) {
    if (const auto policy = value.find("policy"); policy != value.end() && !is_text(*policy, "sre_workbook")) {
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
    static constexpr std::array<std::string_view, 12> slo_keys{
        "name", "metric", "target", "budget",     "period",         "expected_events", "max_budget_per_release",
        "halt", "policy", "weight", "min_events", "min_probability"};
    static constexpr std::array<std::string_view, 2> halt_keys{"budget", "window"};
    const Object object(path, value, "an objective", slo_keys,
                        R"(an object such as {"name": "availability", "metric": "errors", "target": 0.999})");
    object.required("name", out.objective.name, "a name for the objective");
    object.required("metric", out.metric, "the name of the metric whose bad and total events it is about");
    take_budget(path, value, object, out.objective.budget);
    object.optional("period", out.objective.period);
    object.optional("expected_events", out.objective.expected_events);
    object.optional("max_budget_per_release", out.max_budget_per_release);
    if (const auto halt = value.find("halt"); halt != value.end()) {
        const Object inside(path + ".halt", *halt, "a halt", halt_keys,
                            R"(an object such as {"budget": 0.5, "window": "1h"})");
        inside.optional("budget", out.halt_budget);
        inside.optional("window", out.halt_window);
    }
    take_policy(path, value, object, out.policy);
    object.optional("weight", out.weight);
}

/// Refuses what belongs to the whole plan and is not built yet.
void check_built(const json& value) {
    if (value.contains("combine")) {
        not_built("combine", " asks for another way to share alpha",
                  "no such key: alpha is divided over the metrics by weight");
    }
    if (const auto noise = value.find("noise"); noise != value.end() && !noise->is_object()) {
        if (!is_text(*noise, "learn")) wrong_type("noise", *noise, noise_allowed);
    }
}

// ---- writing

ordered_json text_json(const std::string& path, const std::string& text) {
    if (!valid_utf8(text)) raise(Code::plan_value, path + " is " + in_quotes(text) + "; allowed: a text in UTF-8");
    return text;
}

/// A plan's values in JSON. Of a described struct what is at its default is left out, but for what must be there.
struct Written {
    bool utf8 = true;  ///< texts must be UTF-8

    ordered_json of(const std::string&, bool value) const { return value; }
    ordered_json of(const std::string&, double value) const { return number_json(value); }
    ordered_json of(const std::string&, std::chrono::milliseconds value) const { return format_duration(value); }
    ordered_json of(const std::string& path, const std::string& text) const {
        return utf8 ? text_json(path, text) : ordered_json(text);
    }
    template <class Enum>
        requires std::is_enum_v<Enum>
    ordered_json of(const std::string&, Enum value) const {
        return word(value);
    }
    ordered_json of(const std::string&, const std::vector<std::int64_t>& numbers) const { return numbers; }
    template <class T>
    ordered_json of(const std::string& path, const std::optional<T>& value) const {
        return of(path, *value);
    }
    template <class T>
    ordered_json of(const std::string& path, const std::vector<T>& values) const {
        ordered_json out = ordered_json::array();
        for (std::size_t i = 0; i < values.size(); ++i) out.push_back(of(element(path, i), values[i]));
        return out;
    }
    template <class T>
    ordered_json of(const std::string& path, const std::map<std::string, T>& values) const {
        ordered_json out = ordered_json::object();
        for (const auto& [name, value] : values) {
            of(member(path, name), name);
            out[name] = of(member(path, name), value);
        }
        return out;
    }
    template <Described T>
    ordered_json of(const std::string& path, const T& value) const {
        ordered_json out = ordered_json::object();
        const T fresh;
        serinus::detail::side_by_side(value, fresh, [&](std::string_view name, const auto& own, const auto& usual) {
            if (same(own, usual) && Form<T>::required(value, name).empty()) return;
            if (name == "learn_noise") {
                out["noise"] = "learn";
            } else {
                out[std::string(name)] = of(member(path, name), own);
            }
        });
        return out;
    }
    ordered_json of(const std::string& path, const SloRule& rule) const {
        const SloRule fresh;
        ordered_json out{{"name", of(path + ".name", rule.objective.name)},
                         {"metric", of(path + ".metric", rule.metric)},
                         {"budget", number_json(rule.objective.budget)},
                         {"period", format_duration(rule.objective.period)}};
        if (rule.objective.expected_events) out["expected_events"] = number_json(*rule.objective.expected_events);
        if (rule.max_budget_per_release != fresh.max_budget_per_release)
            out["max_budget_per_release"] = number_json(rule.max_budget_per_release);
        if (rule.halt_budget != fresh.halt_budget) out["halt"]["budget"] = number_json(rule.halt_budget);
        if (rule.halt_window) out["halt"]["window"] = format_duration(*rule.halt_window);
        if (!rule.policy.conditions.empty()) out["policy"] = of(path + ".policy", rule.policy.conditions);
        if (rule.policy.min_events != 0) out["min_events"] = number_json(rule.policy.min_events);
        if (rule.policy.min_probability) out["min_probability"] = number_json(*rule.policy.min_probability);
        if (rule.weight != fresh.weight) out["weight"] = number_json(rule.weight);
        return out;
    }
};

/// People write plans, and say in them why something is so.
constexpr JsonRules written_by_hand{.comments = true, .syntax = Code::plan_json, .duplicate = Code::plan_duplicate};

}  // namespace

Plan read_plan(std::string_view text) {
    const json value = parse_json(text, "the plan", written_by_hand);
    if (value.is_object()) check_built(value);
    static constexpr auto keys = [] {
        constexpr auto described = described_names<Plan>();
        std::array<std::string_view, described.size() - 1> names{};
        std::size_t next = 0;
        for (const std::string_view name : described) {
            if (name != "learn_noise") names[next++] = name;  // that one is a word in place of the noise
        }
        return names;
    }();
    const Object object = object_of<Plan>("", value, keys);

    Plan plan;
    const auto noise = value.find("noise");
    plan.learn_noise = noise != value.end() && is_text(*noise, "learn");
    const auto member = [&](std::string_view name, auto& field) {
        if (name != "learn_noise" && !(name == "noise" && plan.learn_noise)) take_member(object, plan, name, field);
    };
    Plan::describe(member, plan);
    check(plan);
    return plan;
}

slo::Policy read_policy(std::string_view text) {
    constexpr std::string_view allowed =
        R"(a list of conditions, or an object such as {"policy": [...], "min_events": 100})";
    json value = parse_json(text, "the policy", written_by_hand);
    if (!value.is_array() && !value.is_object()) wrong_type("the policy", value, allowed);
    if (value.is_array()) value = json::object({{"policy", std::move(value)}});
    static constexpr std::array<std::string_view, 3> keys{"policy", "min_events", "min_probability"};
    const Object object("", value, "a policy", keys, allowed);
    slo::Policy policy;
    take_policy("", value, object, policy);
    return policy;
}

std::string write_plan(const Plan& plan) {
    check(plan);
    return document_text(Written{}.of("", plan), 2) + '\n';
}

ordered_json noise_json(const Noise& noise) { return Written{.utf8 = false}.of("", noise); }

}  // namespace io
}  // namespace v0
}  // namespace serinus
