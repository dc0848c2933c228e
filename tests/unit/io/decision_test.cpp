#include <chrono>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <limits>
#include <set>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <serinus/core/describe.hpp>
#include <serinus/core/error.hpp>
#include <serinus/io/decision.hpp>

#include "support/data_dir.hpp"

namespace {

using namespace serinus;
using nlohmann::json;

using namespace std::chrono_literals;

std::chrono::sys_time<std::chrono::milliseconds> moment(std::int64_t ms) {
    return std::chrono::sys_time<std::chrono::milliseconds>(std::chrono::milliseconds(ms));
}

constexpr double infinity = std::numeric_limits<double>::infinity();

Decision example() {
    Decision decision;
    decision.action = Action::rollback;
    decision.stage = 1;
    decision.stages = 3;
    decision.traffic = 0.01;
    decision.time = moment(1'795'382'489'250);
    decision.elapsed = 760'500ms;
    decision.reached_seconds = 7.605;
    decision.severity = Severity::page;
    decision.dedupe_key = "payments-2026.11.22-1/rollback";
    decision.would = Action::promote;
    decision.would_severity = Severity::ticket;
    decision.failed = {"errors"};
    decision.plan = "payments";
    decision.deployment = "payments-2026.11.22-1";
    decision.alpha = 0.05;
    decision.guarantee = Guarantee::none;
    decision.version = "0.1.0";
    decision.digest = std::string(64, 'a');
    const Reason proven{Code::harm_proven, "errors", {{"bound", 2.25}, {"margin", 2}}, false};
    decision.reasons = {proven, {Code::missing_rollback, "", {{"age", 125}}, true}};

    MetricResult errors;
    errors.name = "errors";
    errors.verdict = Verdict::fail;
    errors.margin.ratio = 2;
    errors.detect.ratio = 4;
    errors.promote_when = PromoteWhen::no_harm_found;
    errors.critical = true;
    errors.alpha = 0.05;
    errors.alpha_mirror = 0.2;
    errors.evidence = {.log_e_value = 4.5,
                       .p_value = 0.011,
                       .estimate = 3.1,
                       .lower = 2.25,
                       .upper = infinity,
                       .confidence = 0.9,
                       .n_baseline = 912'004,
                       .n_canary = 9120,
                       .method = "conditional"};
    errors.mirror.log_e_value = -1000;
    errors.mirror.method = "conditional";
    errors.observed = {
        {"bad_baseline", 11'856}, {"total_baseline", 912'004}, {"bad_canary", 374}, {"total_canary", 9120}};
    errors.reasons = {proven, {Code::dispersion_unknown, "errors", {}, false}};
    decision.metrics = {errors};

    BurnResult burn;
    burn.objective = "availability";
    burn.metric = "errors";
    burn.verdict = Verdict::fail;
    burn.budget = 0.001;
    burn.period = std::chrono::days(30);
    burn.alpha = 0.025;
    burn.canary_burn = 41;
    burn.canary_lower = 30;
    burn.canary_upper = 55;
    burn.projected_burn = 42;
    burn.service_burn = 1.5;
    burn.windows = {{.window = 5min, .status = slo::BurnStatus::ok, .canary = 43, .service = 2, .coverage = 1},
                    {.window = 1h}};
    burn.share = {.estimate = 0.3,
                  .lower = 0.21,
                  .upper = 0.4,
                  .confidence = 0.93,
                  .total = 0.31,
                  .allowed = 0.2,
                  .expected_events = 2e6,
                  .measured = true};
    burn.halt = {.window = 1h, .budget = 0.5, .factor = 360, .log_e_value = -1.5, .needed_log_e_value = 4.4};
    burn.alert = Severity::ticket;
    burn.dedupe_key = "payments-2026.11.22-1/availability/page";
    burn.reasons = {{Code::budget_exceeded, "availability", {{"lower", 0.21}}, false}};
    decision.burn = {burn};

    decision.telemetry.intervals = 76;
    decision.telemetry.used = 75;
    decision.telemetry.missing = {0, 1};
    decision.telemetry.newest = {moment(1'795'382'489'000), std::nullopt};
    decision.telemetry.late = 1;
    decision.telemetry.repeated = 2;
    decision.telemetry.conflicts = 3;
    decision.telemetry.ignored = 4;
    return decision;
}

TEST(WriteDecision, SaysEverything) {
    const json out = json::parse(io::write_decision(example()));
    const json expected = json::parse(R"({
        "decision": "rollback", "stage": 1, "stages": 3, "traffic": 0.01, "time": "2026-11-22T21:21:29.250Z",
        "elapsed_seconds": 760.5, "reached_seconds": 7.605, "finished": false, "severity": "page",
        "dedupe_key": "payments-2026.11.22-1/rollback", "would": "promote", "would_severity": "ticket",
        "failed": ["errors"], "plan": "payments",
        "deployment": "payments-2026.11.22-1", "alpha": 0.05, "guarantee": "none", "version": "0.1.0",
        "digest": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "reasons": [
            {"code": "harm_proven", "number": 1000, "metric": "errors", "numbers": {"bound": 2.25, "margin": 2}},
            {"code": "missing_rollback", "number": 1066, "numbers": {"age": 125}, "outside_alpha": true}],
        "metrics": [{
            "name": "errors", "kind": "proportion", "verdict": "fail", "harm": "increase", "margin": {"ratio": 2},
            "detect": {"ratio": 4}, "promote_when": "no_harm_found", "critical": true, "muted": false,
            "severity": "info", "alpha": 0.05,
            "alpha_mirror": 0.2, "guarantee": "none", "guarantee_why": "dispersion_unknown",
            "evidence": {"log_e_value": 4.5, "p_value": 0.011, "estimate": 3.1, "lower": 2.25, "upper": "Infinity",
                         "confidence": 0.9, "n_baseline": 912004, "n_canary": 9120, "method": "conditional"},
            "mirror": {"log_e_value": -1000, "e_value": 0, "p_value": 1, "estimate": null, "lower": "-Infinity",
                       "upper": "Infinity", "confidence": 0, "n_baseline": 0, "n_canary": 0, "method": "conditional"},
            "observed": {"bad_baseline": 11856, "total_baseline": 912004, "bad_canary": 374, "total_canary": 9120},
            "reasons": [
                {"code": "harm_proven", "number": 1000, "metric": "errors", "numbers": {"bound": 2.25, "margin": 2}},
                {"code": "dispersion_unknown", "number": 1008, "metric": "errors", "numbers": {}}]}],
        "burn": [{
            "objective": "availability", "metric": "errors", "verdict": "fail", "budget": 0.001, "period": "30d",
            "alpha": 0.025, "canary_burn": 41, "canary_lower": 30, "canary_upper": 55, "projected_burn": 42,
            "service_burn": 1.5,
            "windows": [
                {"window": "5m", "status": "ok", "canary": 43, "service": 2, "coverage": 1},
                {"window": "1h", "status": "absent", "canary": null, "service": null, "coverage": 0}],
            "share": {"estimate": 0.3, "lower": 0.21, "upper": 0.4, "confidence": 0.93, "total": 0.31, "allowed": 0.2,
                      "expected_events": 2000000, "measured": true},
            "halt": {"window": "1h", "budget": 0.5, "factor": 360, "log_e_value": -1.5,
                     "needed_log_e_value": 4.4},
            "alert": "ticket", "suppressed": false, "dedupe_key": "payments-2026.11.22-1/availability/page",
            "reasons": [
                {"code": "budget_exceeded", "number": 1131, "metric": "availability", "numbers": {"lower": 0.21}}]}],
        "telemetry": {"intervals": 76, "used": 75, "missing": {"baseline": 0, "canary": 1},
                      "newest": {"baseline": "2026-11-22T21:21:29Z", "canary": null},
                      "late": 1, "repeated": 2, "conflicts": 3, "ignored": 4}})");

    // What follows from the rest is compared apart from it.
    json rest = out;
    for (json* reasons : {&rest["reasons"], &rest["metrics"][0]["reasons"], &rest["burn"][0]["reasons"]}) {
        for (json& reason : *reasons) reason.erase("sentence");
    }
    for (const char* side : {"evidence", "mirror"}) {
        rest["metrics"][0][side].erase("needed_e_value");
        rest["metrics"][0][side].erase("needed_log_e_value");
    }
    rest["burn"][0]["halt"].erase("needed_e_value");
    rest["metrics"][0]["evidence"].erase("e_value");
    EXPECT_EQ(rest, expected) << out.dump(2);

    EXPECT_EQ(out["reasons"][0]["sentence"], sentence(example().reasons[0]));
    EXPECT_NE(out["reasons"][1]["sentence"].get<std::string>().find("2m 5s"), std::string::npos);
    const json& metric = out["metrics"][0];
    EXPECT_EQ(metric["evidence"]["needed_e_value"], 20);
    EXPECT_DOUBLE_EQ(metric["evidence"]["needed_log_e_value"].get<double>(), std::log(20));
    EXPECT_DOUBLE_EQ(metric["mirror"]["needed_log_e_value"].get<double>(), std::log(5));
    EXPECT_DOUBLE_EQ(out["burn"][0]["halt"]["needed_e_value"].get<double>(), std::exp(4.4));
    EXPECT_DOUBLE_EQ(metric["evidence"]["e_value"].get<double>(), std::exp(4.5));
}

TEST(WriteDecision, SameDecisionSameText) {
    const std::string text = io::write_decision(example());
    EXPECT_EQ(text, io::write_decision(example()));
    EXPECT_TRUE(text.starts_with("{\n  \"decision\": \"rollback\",\n  \"stage\": 1,")) << text.substr(0, 80);
    const std::string line = io::write_decision(example(), -1);
    EXPECT_EQ(line.find('\n'), std::string::npos);
    EXPECT_EQ(json::parse(line), json::parse(text));
}

TEST(WriteDecision, ExtremesAreSaidPlainly) {
    Decision decision = example();
    MetricResult& metric = decision.metrics[0];
    metric.alpha = 0;  // muted
    metric.evidence.log_e_value = 12'345.5;
    metric.mirror.log_e_value = -infinity;
    metric.detect = {};
    metric.margin = {.ratio = std::nullopt, .difference = 0.002};
    metric.name = "\xC3(";
    decision.time = moment(std::numeric_limits<std::int64_t>::max());
    decision.elapsed = -1500ms;
    const json out = json::parse(io::write_decision(decision));
    EXPECT_EQ(out["time"], nullptr);
    EXPECT_EQ(out["elapsed_seconds"], -1.5);
    const json& shown = out["metrics"][0];
    EXPECT_EQ(shown["evidence"]["needed_e_value"], "Infinity");
    EXPECT_EQ(shown["evidence"]["needed_log_e_value"], "Infinity");
    EXPECT_EQ(shown["evidence"]["log_e_value"], 12'345.5);
    EXPECT_FALSE(shown["evidence"].contains("e_value"));
    EXPECT_EQ(shown["mirror"]["log_e_value"], "-Infinity");
    EXPECT_EQ(shown["mirror"]["e_value"], 0);
    EXPECT_FALSE(shown.contains("detect"));
    EXPECT_EQ(shown["margin"], json({{"difference", 0.002}}));
    EXPECT_EQ(shown["name"], "\xEF\xBF\xBD(");
}

TEST(WriteDecision, EmptyOneHasEveryKey) {
    const json out = json::parse(io::write_decision(Decision{}));
    EXPECT_EQ(out["decision"], "hold");
    EXPECT_EQ(out["metrics"], json::array());
    EXPECT_EQ(out["reasons"], json::array());
    EXPECT_EQ(out["telemetry"]["newest"]["canary"], nullptr);
}

TEST(ReadDecision, GivesBackWhatWasWritten) {
    Decision other = example();
    other.action = Action::promote;
    other.finished = true;
    other.time = std::nullopt;
    other.elapsed = -1500ms;
    other.metrics[0].name = "a \"b\"\n\xC3\xA4";
    other.metrics[0].kind = Kind::gauge;
    other.metrics[0].margin = {.ratio = std::nullopt, .difference = 0.002};
    other.metrics[0].detect = {};
    other.metrics[0].evidence.log_e_value = 0.1 + 0.2;
    other.metrics[0].evidence.estimate = std::numeric_limits<double>::quiet_NaN();
    other.metrics[0].evidence.n_baseline = 1e17;
    other.metrics[0].mirror.log_e_value = -infinity;
    other.metrics[0].mirror.method = "rotation";
    other.metrics[0].observed = {{"z", 1}, {"a", 2}, {"m", std::numeric_limits<double>::denorm_min()}};
    other.reasons[0].texts = {{"series", "http_requests"}, {"instance", ""}};
    other.metrics.push_back(other.metrics[0]);
    other.metrics[1].margin = {.ratio = 1.5, .difference = std::nullopt, .floor = 0.001};
    other.metrics[1].evidence.method = "floor";
    other.burn[0].alert = std::nullopt;
    other.burn[0].dedupe_key = "";
    other.telemetry.late = std::numeric_limits<std::int64_t>::max();
    for (const Decision& decision : {example(), other, Decision{}}) {
        for (const int indent : {2, -1}) {
            const std::string text = io::write_decision(decision, indent);
            const Decision back = io::read_decision(text);
            EXPECT_TRUE(same(back, decision)) << text;
            EXPECT_EQ(io::write_decision(back, indent), text);
        }
    }
}

TEST(ReadDecision, RefusesEveryOtherText) {
    const auto refused = [](auto&& change) -> std::string {
        nlohmann::ordered_json document = nlohmann::ordered_json::parse(io::write_decision(example()));
        change(document);
        try {
            io::read_decision(document.dump());
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), Code::data_document);
            return std::string(error.sentence());
        }
        return "";
    };
    using Json = nlohmann::ordered_json;
    EXPECT_EQ(refused([](Json&) {}), "");
    EXPECT_EQ(refused([](Json& d) { d = 5; }), "the decision is 5, a number; allowed: an object");
    EXPECT_EQ(refused([](Json& d) { d["metrics"][0]["alpha"] = "x"; }),
              R"(metrics[0].alpha is "x", a text; allowed: a number, null, "Infinity", "-Infinity")");
    EXPECT_EQ(refused([](Json& d) { d["metrics"][0]["evidence"].erase("p_value"); }),
              "metrics[0].evidence.p_value is missing; allowed: a decision with all of its keys");
    EXPECT_EQ(refused([](Json& d) { d["telemetry"]["newest"]["third"] = 1; }),
              "telemetry.newest.third is unknown; allowed: the keys of a decision");
    EXPECT_EQ(refused([](Json& d) { d["decision"] = "wait"; }),
              R"(decision is "wait", a text; allowed: promote, hold, rollback)");
    EXPECT_EQ(refused([](Json& d) { d["reasons"][1]["code"] = "nonsense"; }),
              R"(reasons[1].code is "nonsense", a text; allowed: the name of a code)");
    EXPECT_NE(refused([](Json& d) { d["metrics"][0]["mirror"]["method"] = "guess"; }), "");
    EXPECT_NE(refused([](Json& d) { d["burn"][0]["period"] = 30; }), "");
    EXPECT_NE(refused([](Json& d) { d["time"] = "yesterday"; }), "");
    EXPECT_NE(refused([](Json& d) { d["stage"] = 1.5; }), "");
    EXPECT_NE(refused([](Json& d) { d["stage"] = 1e10; }), "");
    EXPECT_NE(refused([](Json& d) { d["elapsed_seconds"] = "Infinity"; }), "");
    EXPECT_NE(refused([](Json& d) { d["elapsed_seconds"] = nullptr; }), "");
    EXPECT_NE(refused([](Json& d) { d["reasons"] = Json::object(); }), "");
    EXPECT_THROW(io::read_decision(R"({"decision": "hold", "decision": "promote"})"), Error);
    EXPECT_THROW(io::read_decision("{"), Error);
}

/// All keys of all objects, by the path of the schema's names.
void collect(const json& value, const std::string& path, std::set<std::string>& keys) {
    if (value.is_array()) {
        for (const json& element : value) collect(element, path, keys);
    } else if (value.is_object() && !path.ends_with(".numbers") && !path.ends_with(".texts") &&
               !path.ends_with(".observed")) {
        for (const auto& [key, member] : value.items()) {
            keys.insert(path + "." + key);
            collect(member, path + "." + key, keys);
        }
    }
}

void collect_schema(const json& schema, const json& node, const std::string& path, std::set<std::string>& keys) {
    if (node.contains("$ref")) {
        const std::string name = node["$ref"].get<std::string>().substr(8);  // after "#/$defs/"
        collect_schema(schema, schema["$defs"][name], path, keys);
    }
    if (node.contains("items")) collect_schema(schema, node["items"], path, keys);
    if (!node.contains("properties")) return;
    for (const auto& [key, member] : node["properties"].items()) {
        keys.insert(path + "." + key);
        collect_schema(schema, member, path + "." + key, keys);
    }
}

TEST(DecisionSchema, HasTheKeysThatAreWritten) {
    std::ifstream in(data_dir() + "/schema/decision.schema.json");
    const json schema = json::parse(std::string(std::istreambuf_iterator<char>(in), {}));
    Decision decision = example();
    decision.metrics.push_back(decision.metrics[0]);
    decision.metrics[1].margin = {.ratio = std::nullopt, .difference = 0.1};
    decision.metrics[1].detect = {.ratio = std::nullopt, .difference = 0.2};
    decision.metrics[1].reasons[0].outside_alpha = true;
    decision.metrics.push_back(decision.metrics[0]);
    decision.metrics[2].margin = {.ratio = 1.5, .difference = std::nullopt, .floor = 0.001};
    decision.metrics[2].detect = {.ratio = 2.25, .difference = std::nullopt, .floor = 0.0025};
    decision.burn[0].reasons[0].outside_alpha = true;
    for (Reason* const reason : {&decision.reasons[0], &decision.metrics[1].reasons[0], &decision.burn[0].reasons[0]})
        reason->texts = {{"series", "requests"}}, reason->severity = Severity::page;
    std::set<std::string> written;
    collect(json::parse(io::write_decision(decision)), "", written);
    std::set<std::string> described;
    collect_schema(schema, schema, "", described);
    EXPECT_EQ(written, described);
}

}  // namespace
