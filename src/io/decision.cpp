#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include <serinus/io/decision.hpp>
#include <serinus/numeric/elementary.hpp>
#include <serinus/series/duration.hpp>
#include <serinus/series/time.hpp>

#include "json.hpp"
#include "parts.hpp"

namespace serinus {
inline namespace v0 {
namespace io {

using nlohmann::ordered_json;

namespace {

/// Null outside the years 1 to 9999, which RFC 3339 cannot say.
ordered_json time_json(std::optional<std::int64_t> ms) {
    if (!ms || !in_time_range(*ms)) return nullptr;
    return format_time(*ms);
}

ordered_json margin_json(const Margin& margin) {
    ordered_json out = ordered_json::object();
    if (margin.ratio) out["ratio"] = number_json(*margin.ratio);
    if (margin.difference) out["difference"] = number_json(*margin.difference);
    return out;
}

ordered_json evidence_json(const Evidence& evidence, double alpha) {
    ordered_json out{{"log_e_value", number_json(evidence.log_e_value)}};
    const double e_value = elementary::exp(evidence.log_e_value);
    // Between instances it is one over a p-value: it must not be multiplied.
    if (std::isfinite(e_value) && evidence.method != "rotation") out["e_value"] = number_json(e_value);
    out["needed"] = number_json(-elementary::log(alpha));
    out["p_value"] = number_json(evidence.p_value);
    out["estimate"] = number_json(evidence.estimate);
    out["lower"] = number_json(evidence.lower);
    out["upper"] = number_json(evidence.upper);
    out["confidence"] = number_json(evidence.confidence);
    out["n_baseline"] = number_json(evidence.n_baseline);
    out["n_canary"] = number_json(evidence.n_canary);
    out["method"] = evidence.method;
    return out;
}

ordered_json metric_json(const MetricResult& metric) {
    ordered_json out{{"name", metric.name},
                     {"kind", word(metric.kind)},
                     {"verdict", word(metric.verdict)},
                     {"harm", word(metric.harm)},
                     {"margin", margin_json(metric.margin)}};
    if (metric.detect != Margin{}) out["detect"] = margin_json(metric.detect);
    out["promote_when"] = word(metric.promote_when);
    out["critical"] = metric.critical;
    out["muted"] = metric.muted;
    out["alpha"] = number_json(metric.alpha);
    out["alpha_mirror"] = number_json(metric.alpha_mirror);
    out["guarantee"] = word(metric.guarantee);
    out["guarantee_why"] = name(metric.guarantee_why);
    out["evidence"] = evidence_json(metric.evidence, metric.alpha);
    out["mirror"] = evidence_json(metric.mirror, metric.alpha_mirror);
    out["observed"] = numbers_json(metric.observed);
    out["reasons"] = reasons_json(metric.reasons);
    return out;
}

ordered_json burn_json(const BurnResult& burn) {
    ordered_json out{{"objective", burn.objective},
                     {"metric", burn.metric},
                     {"verdict", word(burn.verdict)},
                     {"budget", number_json(burn.budget)},
                     {"period", format_duration(burn.period_ms)},
                     {"alpha", number_json(burn.alpha)},
                     {"canary_burn", number_json(burn.canary_burn)},
                     {"canary_lower", number_json(burn.canary_lower)},
                     {"canary_upper", number_json(burn.canary_upper)},
                     {"projected_burn", number_json(burn.projected_burn)},
                     {"service_burn", number_json(burn.service_burn)}};
    out["windows"] = ordered_json::array();
    for (const BurnWindow& window : burn.windows) {
        out["windows"].push_back({{"window", format_duration(window.window_ms)},
                                  {"status", word(window.status)},
                                  {"canary", number_json(window.canary)},
                                  {"service", number_json(window.service)},
                                  {"coverage", number_json(window.coverage)}});
    }
    out["share"] = {{"estimate", number_json(burn.share.estimate)},
                    {"lower", number_json(burn.share.lower)},
                    {"upper", number_json(burn.share.upper)},
                    {"confidence", number_json(burn.share.confidence)},
                    {"total", number_json(burn.share.total)},
                    {"allowed", number_json(burn.share.allowed)},
                    {"expected_events", number_json(burn.share.expected_events)},
                    {"measured", burn.share.measured}};
    out["halt"] = {{"window", format_duration(burn.halt.window_ms)},
                   {"budget", number_json(burn.halt.budget)},
                   {"factor", number_json(burn.halt.factor)},
                   {"log_e_value", number_json(burn.halt.log_e_value)},
                   {"needed", number_json(burn.halt.log_needed)}};
    out["alert"] = burn.alert ? ordered_json(word(*burn.alert)) : ordered_json(nullptr);
    out["suppressed"] = burn.suppressed;
    out["dedupe_key"] = burn.dedupe_key.empty() ? ordered_json(nullptr) : ordered_json(burn.dedupe_key);
    out["reasons"] = reasons_json(burn.reasons);
    return out;
}

ordered_json telemetry_json(const Telemetry& telemetry) {
    return {
        {"intervals", telemetry.intervals},
        {"used", telemetry.used},
        {"missing", {{"baseline", telemetry.missing[0]}, {"canary", telemetry.missing[1]}}},
        {"newest", {{"baseline", time_json(telemetry.newest_ms[0])}, {"canary", time_json(telemetry.newest_ms[1])}}},
        {"late", telemetry.late},
        {"repeated", telemetry.repeated},
        {"conflicts", telemetry.conflicts},
        {"ignored", telemetry.ignored}};
}

}  // namespace

std::string write_decision(const Decision& decision, int indent) {
    ordered_json out{{"decision", word(decision.decision)},
                     {"stage", decision.stage},
                     {"stages", decision.stages},
                     {"traffic", number_json(decision.traffic)},
                     {"time", time_json(decision.time_ms)},
                     {"elapsed_seconds", number_json(static_cast<double>(decision.elapsed_ms) / 1000)},
                     {"finished", decision.finished},
                     {"severity", word(decision.severity)},
                     {"reasons", reasons_json(decision.reasons)}};
    out["metrics"] = ordered_json::array();
    for (const MetricResult& metric : decision.metrics) out["metrics"].push_back(metric_json(metric));
    out["burn"] = ordered_json::array();
    for (const BurnResult& burn : decision.burn) out["burn"].push_back(burn_json(burn));
    out["telemetry"] = telemetry_json(decision.telemetry);
    out["plan"] = decision.plan;
    out["deployment"] = decision.deployment;
    out["alpha"] = number_json(decision.alpha);
    out["guarantee"] = word(decision.guarantee);
    out["version"] = decision.version;
    out["digest"] = decision.digest;
    return document_text(out, indent);
}

}  // namespace io
}  // namespace v0
}  // namespace serinus
