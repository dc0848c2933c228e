#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <serinus/core/digest.hpp>
#include <serinus/core/error.hpp>
#include <serinus/core/quote.hpp>
#include <serinus/core/reason.hpp>
#include <serinus/core/text.hpp>
#include <serinus/core/words.hpp>
#include <serinus/numeric/elementary.hpp>
#include <serinus/report/pipelines.hpp>
#include <serinus/series/time.hpp>

#include "report/escaped.hpp"
#include "report/told.hpp"

namespace serinus {
inline namespace v0 {
namespace report {
namespace {

/// A name in full: who reads these is no person.
std::string whole(std::string_view name) { return printable(name, std::numeric_limits<std::size_t>::max()); }

std::string_view who_of(const Decision& decision) {
    return decision.deployment.empty() ? decision.plan : decision.deployment;
}

/// "2026-11-24T03:20:00Z"; 1970 where there is none, for these forms must have one.
std::string time_of(const Decision& decision) {
    const std::int64_t ms = decision.time ? to_ms(*decision.time) : 0;
    return format_time(in_time_range(ms) ? ms : 0);
}

std::string lines_of(std::initializer_list<const std::vector<std::string>*> parts) {
    std::string out;
    for (const auto* const part : parts) {
        for (const std::string& sentence : *part) out += (out.empty() ? "" : "\n") + sentence;
    }
    return out;
}

/// "3.15x baseline, 2.21x to 4.43x, allowed 2x, evidence 412, needs 20"
std::string facts_of(const MetricTold& metric) {
    std::string out;
    for (const std::string* const fact : {&metric.estimate, &metric.range, &metric.allowed, &metric.status}) {
        if (!fact->empty()) out += (out.empty() ? "" : ", ") + *fact;
    }
    return out;
}

// ---- GitHub's workflow commands

/// The message of a command, or one of its properties, where two more signs mean something.
std::string in_command(std::string_view text, bool property) {
    std::string out;
    for (const char c : text) {
        switch (c) {
            case '%': out += "%25"; break;
            case '\r': out += "%0D"; break;
            case '\n': out += "%0A"; break;
            case ':': out += property ? "%3A" : ":"; break;
            case ',': out += property ? "%2C" : ","; break;
            default: out += c;
        }
    }
    return out;
}

std::string annotation(std::string_view kind, const std::string& title, const std::string& message) {
    return "::" + std::string(kind) + " title=" + in_command(title, true) + "::" + in_command(message, false) + "\n";
}

constexpr std::size_t most_annotations = 9;  // of metrics, beside the verdict

// ---- JUnit

/// XML has no U+FFFE and no U+FFFF, and there is no way to write them.
std::string in_xml(std::string_view text) {
    std::string out = in_markup(text);
    for (const std::string_view none : {"\xEF\xBF\xBE", "\xEF\xBF\xBF"}) {
        for (std::size_t at = out.find(none); at != std::string::npos; at = out.find(none, at)) out.replace(at, 3, "?");
    }
    return out;
}

/// A suite's test cases as they are counted.
class Cases {
  public:
    /// `element`: failure, skipped, or nothing of one that passed.
    void add(const std::string& group, const std::string& name, std::string_view element, std::string_view type,
             const std::string& message, const std::string& more) {
        ++tests;
        text += "    <testcase classname=\"" + in_xml(group) + "\" name=\"" + in_xml(name) + "\" time=\"0\"";
        if (element.empty()) {
            text += ">\n      <system-out>" + in_xml(message + (more.empty() ? "" : "\n" + more)) + "</system-out>\n";
        } else {
            (element == "failure" ? failures : skipped) += 1;
            text += ">\n      <" + std::string(element) + " type=\"" + std::string(type) + "\" message=\"" +
                    in_xml(message) + "\">" + in_xml(more) + "</" + std::string(element) + ">\n";
        }
        text += "    </testcase>\n";
    }

    int tests = 0, failures = 0, skipped = 0;
    std::string text;
};

std::string_view element_of(Verdict verdict, bool muted) {
    if (muted || verdict == Verdict::inconclusive || verdict == Verdict::no_data) return "skipped";
    return verdict == Verdict::fail ? "failure" : "";
}

/// Why, in the words of its reasons.
std::string sentences_of(const std::vector<Reason>& reasons) {
    std::string out;
    for (const Reason& reason : reasons)
        out += (out.empty() ? "" : "\n") + whole(name(reason)) + ": " + sentence(reason);
    return out;
}

std::string_view first_code(const std::vector<Reason>& reasons, std::string_view otherwise) {
    return reasons.empty() ? otherwise : name(reasons.front().code);
}

// ---- OpenMetrics

constexpr double ln10 = 2.302585092994046;

/// Text as a label has it: all of UTF-8, three signs with a backslash.
std::string in_label(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const std::size_t length = utf8_length(text);
        const char c = text.front();
        if (c == '\n' || c == '"' || c == '\\') {
            out += c == '\n' ? "\\n" : c == '"' ? "\\\"" : "\\\\";
        } else {
            out += length == 0 ? std::string_view("\xEF\xBF\xBD") : text.substr(0, length);
        }
        text.remove_prefix(std::max<std::size_t>(1, length));
    }
    return out;
}

using Label = std::pair<std::string_view, std::string_view>;

/// Families of gauges; one without a sample is left out.
class Gauges {
  public:
    explicit Gauges(const Decision& decision)
        : common_("plan=\"" + in_label(decision.plan) + "\",deployment=\"" + in_label(decision.deployment) + "\"") {}

    void family(std::string_view name, std::string_view help) {
        name_ = "serinus_" + std::string(name);
        head_ = "# HELP " + name_ + " " + std::string(help) + "\n# TYPE " + name_ + " gauge\n";
    }
    void sample(double value, std::initializer_list<Label> labels = {}) {
        if (std::isnan(value)) return;
        text_ += std::exchange(head_, "") + name_ + "{" + common_;
        for (const auto& [label, of] : labels) text_ += "," + std::string(label) + "=\"" + in_label(of) + "\"";
        text_ += "} " + (std::isinf(value) ? std::string(value > 0 ? "+Inf" : "-Inf") : given_text(value)) + "\n";
    }
    /// A sample for each word: 1 of the one that is.
    template <class Enum>
    void one_of(Enum is, std::string_view label, Label of = {}) {
        for (const auto& [value, word] : Words<Enum>::table) {
            if (of.first.empty()) {
                sample(value == is ? 1 : 0, {{label, word}});
            } else {
                sample(value == is ? 1 : 0, {of, {label, word}});
            }
        }
    }

    std::string take() { return text_ + "# EOF\n"; }

  private:
    std::string common_, name_, head_, text_;
};

std::string_view unit_of(const Margin& margin) {
    return margin.floor ? "excess" : margin.ratio ? "ratio" : "difference";
}

// ---- CDEvents

std::string in_json(std::string_view text) {
    std::string out = "\"";
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        for (const char c : whole(text.substr(0, end))) {
            if (c == '"' || c == '\\') out += '\\';
            out += c;
        }
        if (end < text.size()) out += "\\n";
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return out + '"';
}

std::string json_number(double value) {
    if (std::isnan(value)) return "null";
    if (std::isinf(value)) return value > 0 ? "\"Infinity\"" : "\"-Infinity\"";
    return given_text(value);
}

/// A JSON object as it grows.
class Object {
  public:
    Object& add(std::string_view key, const std::string& json) {
        text_ += (text_.empty() ? "" : ",") + in_json(key) + ":" + json;
        return *this;
    }
    Object& text(std::string_view key, std::string_view value) { return add(key, in_json(value)); }
    Object& number(std::string_view key, double value) { return add(key, json_number(value)); }
    std::string take() const { return "{" + text_ + "}"; }

  private:
    std::string text_;
};

/// The same content, the same id: a UUID of version 8 (RFC 9562) from a SHA-256.
std::string id_of(const std::string& content) {
    std::string hex = sha256(std::as_bytes(std::span(content.data(), content.size())));
    hex[12] = '8';
    hex[16] = "89ab"[static_cast<std::size_t>(hex[16]) % 4];
    return hex.substr(0, 8) + "-" + hex.substr(8, 4) + "-" + hex.substr(12, 4) + "-" + hex.substr(16, 4) + "-" +
           hex.substr(20, 12);
}

/// A path of a URI (RFC 3986): all but its unreserved signs as %XX.
std::string in_uri(std::string_view text) {
    constexpr std::string_view unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~",
                               digits = "0123456789ABCDEF";
    std::string out;
    for (const char c : text) {
        if (unreserved.find(c) != std::string_view::npos) {
            out += c;
        } else {
            const auto byte = static_cast<unsigned char>(c);
            out += {'%', digits[byte >> 4U], digits[byte & 15U]};
        }
    }
    return out;
}

std::string custom_data(const Decision& decision) {
    std::string metrics;
    for (const MetricResult& metric : decision.metrics) {
        metrics += (metrics.empty() ? "" : ",") + Object()
                                                      .text("name", metric.name)
                                                      .text("verdict", word(metric.verdict))
                                                      .number("estimate", metric.evidence.estimate)
                                                      .number("lower", metric.evidence.lower)
                                                      .number("upper", metric.evidence.upper)
                                                      .number("log_e_value", metric.evidence.log_e_value)
                                                      .number("needed_log_e_value", -elementary::log(metric.alpha))
                                                      .take();
    }
    Object out;
    out.text("decision", word(decision.action));
    if (decision.would) out.text("would", word(*decision.would));
    return out.text("plan", decision.plan)
        .text("deployment", decision.deployment)
        .number("stage", decision.stage)
        .number("stages", decision.stages)
        .number("traffic", decision.traffic)
        .number("elapsed_seconds", static_cast<double>(decision.elapsed.count()) / 1000)
        .number("reached_seconds", decision.reached_seconds)
        .text("severity", word(decision.severity))
        .text("dedupe_key", decision.dedupe_key)
        .number("alpha", decision.alpha)
        .text("guarantee", word(decision.guarantee))
        .text("version", decision.version)
        .text("digest", decision.digest)
        .add("metrics", "[" + metrics + "]")
        .take();
}

}  // namespace

std::string github(const Record& record, Face face) {
    if (record.decisions.empty()) return "";
    const Decision& decision = record.decisions.back();
    const Told all = told(record, face);
    std::string_view kind = "warning";
    if (decision.action == Action::promote) kind = "notice";
    if (decision.action == Action::rollback) kind = "error";
    const std::vector<std::string> where{all.where}, next{"next: " + all.next};
    std::vector<std::string> left;
    std::string metrics;
    std::size_t shown = 0;
    for (const MetricTold* const metric : by_gravity(all.metrics)) {
        const bool fails = metric->style == Style::bad;
        if (!fails && (metric->style != Style::open || decision.action != Action::hold)) continue;
        if (++shown > most_annotations) continue;
        metrics += annotation(fails ? "error" : "warning", metric->name + ": " + metric->verdict,
                              facts_of(*metric) + (metric->counts.empty() ? "" : "\n" + metric->counts));
    }
    if (shown > most_annotations)
        left.push_back("not shown: " + told_count(static_cast<double>(shown - most_annotations), "metric"));
    const std::string who = all.who.empty() ? "" : ": " + all.who;
    return annotation(kind, all.verdict + who, lines_of({&where, &all.why, &all.budget, &left, &next})) + metrics;
}

std::string junit(const Record& record, Face face) {
    if (record.decisions.empty()) return "";
    const Decision& decision = record.decisions.back();
    const Told all = told(record, face);
    const std::string group = "serinus." + whole(decision.plan);
    Cases cases;
    std::string_view element = "skipped";
    if (decision.action == Action::promote) element = "";
    if (decision.action == Action::rollback) element = "failure";
    cases.add(group, "decision", element, first_code(decision.reasons, word(decision.action)),
              all.verdict + ", " + all.where + "; next: " + all.next, lines_of({&all.why, &all.data, &all.promise}));
    for (std::size_t i = 0; i < decision.metrics.size(); ++i) {
        const MetricResult& metric = decision.metrics[i];
        cases.add(group + ".metrics", whole(metric.name), element_of(metric.verdict, metric.muted),
                  metric.muted ? "muted" : first_code(metric.reasons, word(metric.verdict)),
                  all.metrics[i].verdict + ": " + facts_of(all.metrics[i]),
                  (all.metrics[i].counts.empty() ? "" : all.metrics[i].counts + "\n") + sentences_of(metric.reasons));
    }
    for (const BurnResult& burn : decision.burn) {
        cases.add(group + ".slo", whole(burn.objective), element_of(burn.verdict, false),
                  first_code(burn.reasons, word(burn.verdict)), std::string(word(burn.verdict)),
                  sentences_of(burn.reasons));
    }
    const std::string counted = "tests=\"" + std::to_string(cases.tests) + "\" failures=\"" +
                                std::to_string(cases.failures) + "\" errors=\"0\"";
    const std::string time =
        given_text(static_cast<double>(std::max<std::int64_t>(0, decision.elapsed.count())) / 1000);
    std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"serinus\" " + counted +
                      " time=\"" + time + "\">\n  <testsuite name=\"" + in_xml(whole(who_of(decision))) + "\" " +
                      counted + " skipped=\"" + std::to_string(cases.skipped) + "\" time=\"" + time +
                      "\" timestamp=\"" + time_of(decision).substr(0, 19) + "\">\n    <properties>\n";
    for (const auto& [key, value] : std::initializer_list<std::pair<std::string_view, std::string>>{
             {"decision", std::string(word(decision.action))},
             {"severity", std::string(word(decision.severity))},
             {"stage", std::to_string(decision.stage)},
             {"traffic", given_text(decision.traffic)},
             {"reached_seconds", given_text(decision.reached_seconds)},
             {"alpha", given_text(decision.alpha)},
             {"version", decision.version},
             {"digest", decision.digest}})
        out += "      <property name=\"" + std::string(key) + "\" value=\"" + in_xml(whole(value)) + "\"/>\n";
    return out + "    </properties>\n" + cases.text + "  </testsuite>\n</testsuites>\n";
}

std::string openmetrics(const Record& record) {
    if (record.decisions.empty()) return "";
    const Decision& decision = record.decisions.back();
    Gauges out(decision);
    out.family("decision", "1 of what the rollout is told, 0 of the others.");
    out.one_of(decision.action, "decision");
    out.family("severity", "1 of how soon somebody should look, 0 of the others.");
    out.one_of(decision.severity, "severity");
    if (decision.would) {
        out.family("dry_run_decision", "1 of what a dry run would be told, 0 of the others.");
        out.one_of(*decision.would, "decision");
    }
    out.family("prevented", "1 for each cause for which this release is rolled back.");
    if (decision.action == Action::rollback) {
        // What is told beside (late samples, a burn rate that pages) is no cause.
        std::vector<std::string> said;
        for (const Reason& reason : decision.reasons) {
            const bool failed =
                std::find(decision.failed.begin(), decision.failed.end(), reason.metric) != decision.failed.end();
            const bool cause = reason.code == Code::harm_proven_together || reason.outside_alpha ||
                               (failed && reason.code != Code::burn_canary && reason.code != Code::burn_service);
            std::string known = name(reason);
            if (!cause || std::find(said.begin(), said.end(), known) != said.end()) continue;
            out.sample(1, {{"cause", name(reason.code)}, {"metric", reason.metric}});
            said.push_back(std::move(known));
        }
    }
    const std::pair<std::string_view, double> numbers[] = {
        {"stage", decision.stage},
        {"stages", decision.stages},
        {"traffic_ratio", decision.traffic},
        {"elapsed_seconds", static_cast<double>(decision.elapsed.count()) / 1000},
        {"reached_seconds", decision.reached_seconds},
        {"alpha", decision.alpha},
        {"intervals", static_cast<double>(decision.telemetry.intervals)},
        {"intervals_used", static_cast<double>(decision.telemetry.used)},
        {"samples_late", static_cast<double>(decision.telemetry.late)}};
    constexpr std::string_view helps[] = {
        "The stage that runs, counted from 1.",
        "Stages of the plan.",
        "The canary's share in this stage.",
        "Since the stage began.",
        "Traffic x time of the canary over all stages, in seconds of the whole traffic.",
        "A good canary is ever rolled back with at most this probability.",
        "Intervals of the stage that are over.",
        "Of those with every metric's data in both arms.",
        "Samples that came too late."};
    static_assert(std::size(numbers) == std::size(helps));
    for (std::size_t i = 0; i < std::size(numbers); ++i) {
        out.family(numbers[i].first, helps[i]);
        out.sample(numbers[i].second);
    }

    out.family("verdict", "1 of a metric's verdict, 0 of the others.");
    for (const MetricResult& metric : decision.metrics) out.one_of(metric.verdict, "verdict", {"metric", metric.name});
    const auto each = [&](std::string_view family, std::string_view help, auto&& value) {
        out.family(family, help);
        for (const MetricResult& metric : decision.metrics)
            out.sample(value(metric), {{"metric", metric.name}, {"unit", unit_of(metric.margin)}});
    };
    const auto plain = [&](std::string_view family, std::string_view help, auto&& value) {
        out.family(family, help);
        for (const MetricResult& metric : decision.metrics) out.sample(value(metric), {{"metric", metric.name}});
    };
    plain("evidence_log10", "Evidence of harm: log10 of the e-value.",
          [](const MetricResult& of) { return of.evidence.log_e_value / ln10; });
    plain("needed_log10", "Evidence at which the metric fails.",
          [](const MetricResult& of) { return -elementary::log(of.alpha) / ln10; });
    plain("safety_log10", "Evidence of safety in this stage: log10 of the e-value.",
          [](const MetricResult& of) { return of.mirror.log_e_value / ln10; });
    plain("safety_needed_log10", "Evidence of safety at which the metric passes.",
          [](const MetricResult& of) { return -elementary::log(of.alpha_mirror) / ln10; });
    plain("p_value", "Of harm, valid at every look.", [](const MetricResult& of) { return of.evidence.p_value; });
    each("estimate", "The canary against the baseline, in the margin's unit.",
         [](const MetricResult& of) { return of.evidence.estimate; });
    each("estimate_lower", "Lower bound of the estimate.", [](const MetricResult& of) { return of.evidence.lower; });
    each("estimate_upper", "Upper bound of the estimate.", [](const MetricResult& of) { return of.evidence.upper; });
    each("margin", "How much worse the canary may be.", [](const MetricResult& of) { return bound_of(of); });

    const auto budget = [&](std::string_view family, std::string_view help, auto&& value) {
        out.family(family, help);
        for (const BurnResult& burn : decision.burn) out.sample(value(burn), {{"objective", burn.objective}});
    };
    budget("budget_used_ratio", "Share of the period's error budget that this release used beyond the baseline.",
           [](const BurnResult& of) { return of.share.estimate; });
    budget("budget_allowed_ratio", "Share that a release may use.",
           [](const BurnResult& of) { return of.share.allowed; });
    budget("canary_burn", "Burn rate of the canary.", [](const BurnResult& of) { return of.canary_burn; });
    budget("service_burn", "Burn rate of both arms together.", [](const BurnResult& of) { return of.service_burn; });
    return out.take();
}

std::string cdevents(const Record& record, const EventOptions& options) {
    if (options.environment.empty())
        raise(Code::argument_range, "the environment is empty; allowed: the name of what is deployed to");
    if (record.decisions.empty()) return "";
    const Decision& decision = record.decisions.back();
    const Told all = told(record, Face::program);
    const std::string who = who_of(decision).empty() ? "rollout" : std::string(who_of(decision));
    const std::string environment = Object().text("id", options.environment).take(), data = custom_data(decision);
    const std::string reason = lines_of({&all.why});
    std::string out;
    const auto event = [&](std::string_view type, const std::string& subject, const Object& content) {
        const std::string rest = Object().text("id", subject).add("content", content.take()).take();
        const std::string context =
            Object()
                .text("specversion", "0.5.1")
                .text("id", id_of(std::string(type) + "\n" + time_of(decision) + "\n" + rest + data))
                .text("source", "/serinus/" + in_uri(decision.plan))
                .text("type", type)
                .text("timestamp", time_of(decision))
                .take();
        out += Object()
                   .add("context", context)
                   .add("subject", rest)
                   .add("customData", data)
                   .text("customDataContentType", "application/json")
                   .take() +
               "\n";
    };
    Object content;
    content.add("environment", environment);
    if (decision.action == Action::hold) {
        content.text("reason", reason).text("next", all.next);
        event("dev.cdeventsx.serinus-rollout.held.0.1.0", who, content);
        return out;
    }
    if (decision.action == Action::rollback) {
        Object incident;
        incident.text("description", all.verdict + ", " + all.where + "\n" + reason)
            .add("environment", environment)
            .add("service", Object().text("id", decision.plan.empty() ? who : decision.plan).take());
        event("dev.cdevents.incident.detected.0.3.0", decision.dedupe_key.empty() ? who : decision.dedupe_key,
              incident);
        content.text("severity", "critical");
    }
    content.text("outcome", decision.action == Action::promote ? "success" : "failure")
        .text("reason", reason)
        .add("testSuite",
             Object().text("id", decision.plan.empty() ? who : decision.plan).text("version", decision.digest).take());
    event("dev.cdevents.testsuiterun.finished.0.3.0", who + "/stage " + std::to_string(decision.stage), content);
    return out;
}

}  // namespace report
}  // namespace v0
}  // namespace serinus
