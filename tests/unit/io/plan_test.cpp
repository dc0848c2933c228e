#include <algorithm>
#include <chrono>
#include <fstream>
#include <iterator>
#include <limits>
#include <optional>
#include <random>
#include <set>
#include <sstream>
#include <string>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <serinus/core/error.hpp>
#include <serinus/core/quote.hpp>
#include <serinus/io/plan.hpp>

#include "support/data_dir.hpp"

namespace {

using namespace serinus;
using namespace std::chrono_literals;
using nlohmann::json;

std::string file(const std::string& path) {
    std::ifstream in(data_dir() + "/" + path, std::ios::binary);
    EXPECT_TRUE(in.good()) << path;
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

/// What reading a text raises, or nothing.
std::optional<Error> refusal(const std::string& text) {
    try {
        io::read_plan(text);
    } catch (const Error& error) {
        return error;
    }
    return std::nullopt;
}

void expect_refused(const std::string& text, Code code, const std::string& says) {
    const auto error = refusal(text);
    ASSERT_TRUE(error) << text;
    EXPECT_EQ(error->code(), code) << error->what();
    EXPECT_NE(std::string(error->what()).find(says), std::string::npos) << error->what() << "\nlacks " << says;
}

json minimal() { return json::parse(file("plans/minimal.json")); }

TEST(ReadPlan, CommentsArePassedOver) {
    const std::string text = file("plans/minimal.json");
    const Plan plan = io::read_plan("// why\n/* and\n how */" + text + "// at the end");
    EXPECT_EQ(plan, io::read_plan(text));
    EXPECT_EQ(io::write_plan(plan).find("why"), std::string::npos);
    const slo::Policy policy =
        io::read_policy("[ // a page\n{\"long\": \"1h\", \"factor\": 14.4, \"severity\": \"page\"}]");
    EXPECT_EQ(policy.conditions.size(), 1U);
}

TEST(ReadPlan, OffersTheKindsThatItCanJudge) {
    json plan = minimal();
    plan["metrics"][0]["kind"] = "gague";
    const auto error = refusal(plan.dump());
    ASSERT_TRUE(error);
    std::string kinds;
    for (const KindFacts& facts : kind_facts) {
        if (facts.built()) kinds += (kinds.empty() ? "" : ", ") + std::string(facts.word);
    }
    EXPECT_EQ(std::string(error->what()).substr(std::string(error->what()).find("metrics")),
              "metrics[0].kind is \"gague\"; did you mean \"gauge\"? allowed: " + kinds);
}

TEST(ReadPlan, MinimalHasTheDefaults) {
    const Plan plan = io::read_plan(file("plans/minimal.json"));
    Plan expected;
    expected.name = "payments";
    expected.stages = {{.traffic = 0.1, .min = 0ms, .max = std::nullopt}};
    expected.interval = 10s;
    Metric errors;
    errors.name = "errors";
    errors.bad = "http_errors";
    errors.total = "http_requests";
    errors.margin.ratio = 2;
    expected.metrics = {errors};
    EXPECT_EQ(plan, expected);
    EXPECT_EQ(plan.alpha, 0.05);
    EXPECT_FALSE(plan.alpha_promote);
    EXPECT_EQ(plan.arms.label, "track");
}

TEST(ReadPlan, FullHasEveryValue) {
    const Plan plan = io::read_plan(file("plans/full.json"));
    Plan expected;
    expected.name = "payments";
    expected.deployment = "payments-2026.11.22-1";
    expected.alpha = 0.01;
    expected.alpha_promote = 0.1;
    expected.beta = 0.1;
    expected.stages = {{.traffic = 0.01, .min = 10min, .max = 1h},
                       {.traffic = 0.1, .min = 10min, .max = 90min},
                       {.traffic = 0.5, .min = 30min, .max = std::nullopt}};
    expected.interval = 10s;
    expected.warm_up = 2min;
    expected.settle = 30s;
    expected.on_deadline = Deadline::rollback;
    Metric errors;
    errors.name = "errors";
    errors.bad = "http_errors";
    errors.total = "http_requests";
    errors.counter = true;
    errors.margin.ratio = 2;
    errors.method = sequential::ProportionMethod::conditional;
    errors.weight = 2.5;
    errors.critical = true;
    errors.min_count = 1000;
    errors.missing = Missing::fail;
    errors.promote_when = PromoteWhen::harm_ruled_out;
    Metric slow;
    slow.name = "slow";
    slow.bad = "requests_over_300ms";
    slow.total = "http_requests";
    slow.counter = true;
    slow.harm = Harm::either;
    slow.margin.difference = 0.002;
    slow.detect = Margin{.ratio = std::nullopt, .difference = 0.01};
    slow.method = sequential::ProportionMethod::block;
    slow.promote_when = PromoteWhen::no_harm_found;
    Metric hits;
    hits.name = "cache_hits";
    hits.bad = "cache_hits";
    hits.total = "cache_lookups";
    hits.harm = Harm::decrease;
    hits.margin.ratio = 1.1;
    hits.detect = Margin{.ratio = 1.5, .difference = std::nullopt};
    hits.muted = true;
    hits.missing = Missing::ignore;
    Metric latency;
    latency.name = "latency_p95";
    latency.kind = Kind::gauge;
    latency.series = "latency_p95_ms";
    latency.margin.ratio = 1.1;
    latency.detect = Margin{.ratio = 1.3, .difference = std::nullopt};
    latency.instances_differ = 0.5;
    expected.metrics = {errors, slow, hits, latency};
    SloRule availability;
    availability.objective = {.name = "availability", .budget = 0.001, .period = 28 * 24h, .expected_events = 2.4e9};
    availability.metric = "errors";
    availability.max_budget_per_release = 0.1;
    availability.halt_budget = 0.4;
    availability.halt_window = 30min;
    availability.policy.conditions = {{.name = "fast",
                                       .long_window = 1h,
                                       .short_window = 5min,
                                       .factor = 13.44,
                                       .severity = Severity::page,
                                       .pending_for = 2min,
                                       .keep_firing_for = 10min},
                                      {.name = "ticket.3d",
                                       .long_window = 3 * 24h,
                                       .short_window = 3 * 24h,
                                       .factor = 1,
                                       .severity = Severity::ticket}};
    availability.policy.min_events = 100;
    availability.policy.min_probability = 0.95;
    availability.weight = 0.5;
    SloRule speed;
    speed.objective = {.name = "speed", .budget = 0.01};
    speed.metric = "slow";
    expected.slo = {availability, speed};
    expected.noise["errors"].dispersion = 1.3;
    expected.noise["errors"].intervals = 2016;
    sequential::PairedNoise stage;
    stage.table = {0.004, 0.013, 0.024, 0.039, 0.058, 0.091, 0.165};
    stage.mean_score = 0.011;
    stage.long_run_variance = 0.52;
    stage.degrees_of_freedom = 1240.5;
    stage.size = 2016;
    stage.resolution = 1e-12;
    stage.level = 151.5;
    stage.instances_baseline = 7;
    stage.instances_canary = 1;
    stage.instance_deviation = 0.025;
    stage.instances = 8;
    stage.unit = sequential::NoiseUnit::log;
    stage.score_variance = 0.332;
    stage.step_score = 0.49;
    stage.step_variance = 0.12;
    stage.scale_steps = {0.17, 0.3, 0.39, 0.44, 0.49, 0.54, 0.59, 0.68, 0.82};
    stage.scale_bias = {0, 0, 0, 0, 0, 0.01, 0.02, 0.03, 0.04};
    sequential::PairedNoise half = stage;
    half.table = {0.003, 0.009, 0.017, 0.028, 0.041, 0.064, 0.115};
    half.mean_score = -0.004;
    half.long_run_variance = 0.49;
    half.degrees_of_freedom = 1310.25;
    half.instances_baseline = half.instances_canary = 4;
    half.wander = 0.015;
    half.wander_degrees = 15;
    expected.noise["latency_p95"].stages = {stage, stage, half};
    KnownInstances known;
    known.logs = true;
    known.level = 200;
    known.looks = instance_looks(expected);
    known.former_degrees = 1;
    EXPECT_EQ(known.looks.size(), 24U);
    known.names = {"payments-7c9-a", "payments-7c9-b"};
    known.levels = {std::vector<double>(24, 5.3), std::vector<double>(24, 5.32)};
    for (std::size_t i = 0; i < 24; ++i) {
        for (std::size_t j = i; j < 24; ++j) known.former.push_back(i == j ? 0.02 : 0.01);
    }
    expected.noise["latency_p95"].instances = known;
    expected.noise["latency_p95"].spikes = SpikeNoise{.excess = 0.12,
                                                      .share = 0.05,
                                                      .difference = 0.004,
                                                      .deviation = 0.006,
                                                      .instances = 8,
                                                      .spread = 0.15,
                                                      .variance_ratio = 1.8,
                                                      .degrees_of_freedom = 240,
                                                      .size = 2016};
    expected.noise["slow"].refuted = true;
    expected.arms = {"role", "primary", "next"};
    expected.queries = {{"http_errors", "sum by (role) (http_requests_total{code=~\"5..\"})"},
                        {"http_requests", "sum by (role) (http_requests_total)"}};
    expected.telemetry = {.min_coverage = 0.9, .max_imbalance = 0.02, .stale_after = 5min};
    expected.severity = {{"deadline_hold", Severity::page}};
    EXPECT_EQ(plan, expected);
}

TEST(ReadPlan, ExampleOfTheHeader) {
    const Plan plan = io::read_plan(R"({"name": "payments", "interval": "10s",
         "stages": [{"traffic": 0.1, "min": "10m"}],
         "metrics": [{"name": "errors", "kind": "proportion", "bad": "http_errors", "total": "http_requests",
                      "margin": {"ratio": 2}}]})");
    EXPECT_EQ(plan.stages.front().min, 10min);
}

TEST(ReadPlan, EveryBrokenPlanIsRefusedByPath) {
    const json broken = json::parse(file("reference/broken_plans.json"));
    ASSERT_GE(broken["plans"].size(), 60U);
    for (const json& entry : broken["plans"]) {
        json plan = minimal();
        if (entry.contains("set")) {
            for (const auto& [pointer, value] : entry["set"].items()) plan[json::json_pointer(pointer)] = value;
        }
        if (entry.contains("remove")) {
            for (const json& pointer : entry["remove"]) {
                const json::json_pointer at(pointer.get<std::string>());
                plan[at.parent_pointer()].erase(at.back());
            }
        }
        SCOPED_TRACE(entry.dump());
        const auto error = refusal(plan.dump());
        ASSERT_TRUE(error);
        EXPECT_EQ(error->name(), entry["code"].get<std::string>()) << error->what();
        EXPECT_NE(std::string(error->what()).find(entry["says"].get<std::string>()), std::string::npos)
            << error->what();
        EXPECT_NE(std::string(error->what()).find("allowed"), std::string::npos) << error->what();
    }
}

TEST(ReadPlan, NotJson) {
    expect_refused("", Code::plan_json, "the plan is no JSON: line 1, column 1: ");
    expect_refused("{\n  \"name\": payments\n}", Code::plan_json, "line 2, column 11");
    expect_refused("{\n  \"n\xC3\xA4me\": payments\n}", Code::plan_json, "line 2, column 11");
    expect_refused("{\"name\": \"p\",}", Code::plan_json, "line 1, column 14");
    expect_refused("{\"name\": 'p'}", Code::plan_json, "line 1, column 10");
    expect_refused("{} {}", Code::plan_json, "line 1, column 4");
    expect_refused("{\"alpha\": NaN}", Code::plan_json, "line 1");
    expect_refused("{\"alpha\": 1e999}", Code::plan_json, "line 1, column 15: number overflow");
    expect_refused("{} # comment", Code::plan_json, "line 1, column 4");
    expect_refused("{} /* comment", Code::plan_json, "the plan is no JSON: line 1");
    expect_refused(R"({"name": "a // b" /* c */, "nam": 1})", Code::plan_unknown_key, "nam is not a key");
    expect_refused("{\"name\": \"\xC3(\"}", Code::plan_json, "line 1");
    expect_refused("alpha: 0.05", Code::plan_json, "line 1");
}

TEST(ReadPolicy, IsWhatAnObjectiveOfAPlanHas) {
    const slo::Condition quick{.name = "page.1h",
                               .long_window = 1h,
                               .short_window = 5min,
                               .factor = 14.4,
                               .severity = Severity::page,
                               .pending_for = 2min};
    const std::string conditions =
        R"([{"long": "1h", "short": "5m", "factor": 14.4, "severity": "page", "for": "2m"}])";
    EXPECT_EQ(io::read_policy(conditions), (slo::Policy{.conditions = {quick}}));
    EXPECT_EQ(io::read_policy(R"({"policy": )" + conditions + R"(, "min_events": 50, "min_probability": 0.95})"),
              (slo::Policy{.conditions = {quick}, .min_events = 50, .min_probability = 0.95}));
    EXPECT_EQ(io::read_policy(R"({"policy": "sre_workbook", "min_events": 50})"), (slo::Policy{.min_events = 50}));
    for (const auto& [text, code, says] : std::vector<std::tuple<std::string, Code, std::string>>{
             {"7", Code::plan_type, "the policy is 7, a number; allowed: a list of conditions"},
             {"[7]", Code::plan_type, "policy[0] is 7"},
             {R"([{"long": "1h"}])", Code::plan_missing_key, "policy[0].factor is missing"},
             {R"({"polcy": []})", Code::plan_unknown_key, "did you mean \"policy\"?"},
             {"[]", Code::plan_value, "policy is empty"},
             {"[", Code::plan_json, "the policy is no JSON"}}) {
        try {
            io::read_policy(text);
            ADD_FAILURE() << text;
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), code) << error.what();
            EXPECT_NE(std::string(error.what()).find(says), std::string::npos) << error.what();
        }
    }
}

TEST(ReadPlan, NotAnObject) {
    expect_refused("[]", Code::plan_type, "the plan is [], a list; allowed: an object");
    expect_refused("\"plan.json\"", Code::plan_type, "the plan is \"plan.json\", a text; allowed: an object");
    expect_refused("null", Code::plan_type, "the plan is null; allowed: an object");
}

TEST(ReadPlan, DuplicateKeysNameTheirPath) {
    expect_refused(R"({"name": "a", "name": "b"})", Code::plan_duplicate, "the key name twice");
    expect_refused(R"({"stages": [{"traffic": 0.1}, {"traffic": 0.2, "min": "1m", "min": "2m"}]})",
                   Code::plan_duplicate, "the key stages[1].min twice");
    expect_refused(R"({"metrics": [{"margin": {"ratio": 2, "ratio": 20}}]})", Code::plan_duplicate,
                   "metrics[0].margin.ratio twice");
}

TEST(ReadPlan, TooDeepOrTooLarge) {
    expect_refused(std::string(100'000, '['), Code::data_size, "64");
    std::string objects;
    for (int i = 0; i < 100'000; ++i) objects += "{\"a\":";
    expect_refused(objects, Code::data_size, "64");
    // 64 deep is still read, and refused for what it is.
    expect_refused("{\"name\": " + std::string(63, '[') + std::string(63, ']') + "}", Code::plan_type, "name is [[");
    expect_refused("{\"name\": " + std::string(64, '[') + std::string(64, ']') + "}", Code::data_size, "64");
}

TEST(ReadPlan, LongAndUnprintableValuesAreShortened) {
    const std::string control = "\\u0007\\u001b[31m" + std::string(10'000, 'x');
    for (const std::string& text : {"{\"" + control + "\": 1}", "{\"analysis\": \"" + control + "\"}",
                                    "{\"noise\": \"" + control + "\"}", "{\"noise\": [\"" + control + "\"]}"}) {
        const auto error = refusal(text);
        ASSERT_TRUE(error);
        const std::string what = error->what();
        EXPECT_LT(what.size(), 600U);
        EXPECT_EQ(what.find('\x1b'), std::string::npos) << what;
        EXPECT_TRUE(valid_utf8(what));
    }
}

/// The keys of an object of the schema.
std::set<std::string> schema_keys(const json& object) {
    std::set<std::string> keys;
    for (const auto& entry : object["properties"].items()) keys.insert(entry.key());
    return keys;
}

/// The keys that the reader names when it meets one that it does not know.
std::set<std::string> reader_keys(const std::string& pointer) {
    json plan = minimal();
    if (pointer.starts_with("/slo"))
        plan["slo"] = {{{"name", "availability"}, {"metric", "errors"}, {"target", 0.999}}};
    plan[json::json_pointer(pointer + "/zzzzzzzzzzzz")] = 1;
    const auto error = refusal(plan.dump());
    if (!error || error->code() != Code::plan_unknown_key) {
        ADD_FAILURE() << pointer << ": " << (error ? error->what() : "not refused");
        return {};
    }
    const std::string what = error->what();
    std::stringstream list(what.substr(what.find("allowed: ") + 9));
    std::set<std::string> keys;
    for (std::string key; std::getline(list >> std::ws, key, ',');) keys.insert(key);
    return keys;
}

TEST(PlanSchema, HasTheKeysThatTheReaderKnows) {
    const json schema = json::parse(file("schema/plan.schema.json"));
    EXPECT_EQ(reader_keys(""), schema_keys(schema));
    EXPECT_EQ(reader_keys("/stages/0"), schema_keys(schema["$defs"]["stage"]));
    EXPECT_EQ(reader_keys("/metrics/0"), schema_keys(schema["$defs"]["metric"]));
    EXPECT_EQ(reader_keys("/metrics/0/margin"), schema_keys(schema["$defs"]["margin"]));
    EXPECT_EQ(reader_keys("/arms"), schema_keys(schema["$defs"]["arms"]));
    EXPECT_EQ(reader_keys("/telemetry"), schema_keys(schema["$defs"]["telemetry"]));
    EXPECT_EQ(reader_keys("/slo/0"), schema_keys(schema["$defs"]["slo"]));
    EXPECT_EQ(reader_keys("/slo/0/halt"), schema_keys(schema["$defs"]["slo"]["properties"]["halt"]));
    EXPECT_EQ(reader_keys("/slo/0/policy/0"), schema_keys(schema["$defs"]["condition"]));
    EXPECT_EQ(reader_keys("/noise/errors"), schema_keys(schema["$defs"]["noise"]));
    EXPECT_EQ(reader_keys("/noise/errors/stages/0"), schema_keys(schema["$defs"]["stage_noise"]));
    EXPECT_EQ(reader_keys("/noise/errors/spikes"), schema_keys(schema["$defs"]["spike_noise"]));
    EXPECT_EQ(reader_keys("/noise/errors/instances"), schema_keys(schema["$defs"]["known_instances"]));
}

TEST(PlanSchema, DefaultsAreThoseOfThePlan) {
    const json schema = json::parse(file("schema/plan.schema.json"));
    // A plan that spells every default of the schema out is the plan that leaves them out.
    json plan = minimal();
    const auto fill = [](json& object, const json& described) {
        int filled = 0;
        for (const auto& [key, property] : described["properties"].items()) {
            if (!property.contains("default")) continue;
            object[key] = property["default"];
            ++filled;
        }
        return filled;
    };
    EXPECT_EQ(fill(plan, schema), 8);
    EXPECT_EQ(fill(plan["stages"][0], schema["$defs"]["stage"]), 1);
    EXPECT_EQ(fill(plan["metrics"][0], schema["$defs"]["metric"]), 10);
    EXPECT_EQ(fill(plan["arms"], schema["$defs"]["arms"]), 3);
    EXPECT_EQ(fill(plan["telemetry"], schema["$defs"]["telemetry"]), 4);
    EXPECT_EQ(io::read_plan(plan.dump()), io::read_plan(file("plans/minimal.json")));
}

TEST(WritePlan, LeavesDefaultsOut) {
    const Plan plan = io::read_plan(file("plans/minimal.json"));
    EXPECT_EQ(io::write_plan(plan), R"({
  "name": "payments",
  "stages": [
    {
      "traffic": 0.1
    }
  ],
  "interval": "10s",
  "metrics": [
    {
      "name": "errors",
      "kind": "proportion",
      "bad": "http_errors",
      "total": "http_requests",
      "margin": {
        "ratio": 2
      }
    }
  ]
}
)");
}

TEST(WritePlan, ExamplesComeBack) {
    for (const char* path : {"plans/minimal.json", "plans/full.json"}) {
        const Plan plan = io::read_plan(file(path));
        const std::string text = io::write_plan(plan);
        EXPECT_EQ(io::read_plan(text), plan) << text;
        EXPECT_EQ(io::write_plan(io::read_plan(text)), text);
        EXPECT_EQ(digest(io::read_plan(text)), digest(plan));
    }
}

Plan random_plan(std::mt19937_64& random) {
    const auto chance = [&random](int one_in) { return random() % static_cast<unsigned>(one_in) == 0; };
    const auto share = [&random] { return (static_cast<double>(random() >> 11U) + 1) / 9007199254740994.0; };
    const auto duration = [&random](std::int64_t most) {
        return std::chrono::milliseconds(1 + static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(most)));
    };
    const auto text = [&random](std::string prefix) {
        static const std::vector<std::string> pieces{
            "a",    "\"", "\\", "\n", "\t", "/", "\xC3\xA4", "\xF0\x9F\x90\xA4", " ", ".", "[0]", std::string(1, '\0'),
            "\x7F", "{}"};
        while (random() % 4 != 0) prefix += pieces[random() % pieces.size()];
        return prefix;
    };
    Plan plan;
    plan.name = text("n");
    if (chance(2)) plan.deployment = text("");
    if (chance(2)) plan.alpha = share();
    if (chance(2)) plan.alpha_promote = share();
    if (chance(2)) plan.beta = share();
    plan.interval = duration(100'000'000);
    if (chance(2)) plan.warm_up = duration(1'000'000'000);
    if (chance(2)) plan.settle = duration(1'000'000'000);
    if (chance(2)) plan.on_deadline = Deadline::rollback;
    double traffic = share() / 10;
    for (std::uint64_t i = 0; i <= random() % 4; ++i) {
        Stage stage{.traffic = traffic, .min = chance(2) ? duration(10'000'000'000) : 0ms, .max = std::nullopt};
        if (chance(2)) stage.max = stage.min + plan.warm_up + plan.interval + duration(1'000'000'000);
        plan.stages.push_back(stage);
        traffic += (1 - traffic) * share();
    }
    const std::size_t metrics = 1 + random() % 3;
    for (std::size_t i = 0; i < metrics; ++i) {
        Metric metric;
        metric.name = text("metric" + std::to_string(i));
        metric.bad = text("bad" + std::to_string(i));
        metric.total = text("total" + std::to_string(i));
        metric.counter = chance(2);
        metric.harm = static_cast<Harm>(1 + random() % 3);
        if (chance(4)) {
            metric.margin = {.ratio = 1.5 + share(), .difference = {}, .floor = share() / 4};
            if (chance(2)) metric.method = sequential::ProportionMethod::floor;
            if (chance(2)) metric.detect = Margin{.ratio = 3 + share(), .difference = {}, .floor = 0.5 + share() / 3};
        } else if (chance(2)) {
            metric.margin.ratio = 1.5 + share();
            metric.method = static_cast<sequential::ProportionMethod>(1 + random() % 3);
            if (chance(2)) metric.detect = Margin{.ratio = 3 + share(), .difference = std::nullopt};
        } else {
            metric.margin.difference = 1e-300 + share() / 4;
            if (chance(2)) metric.method = sequential::ProportionMethod::block;
            if (chance(2)) metric.detect = Margin{.ratio = std::nullopt, .difference = 0.5 + share() / 3};
        }
        if (chance(2)) metric.weight = share() * 1e6;
        metric.critical = chance(2);
        metric.muted = chance(2);
        if (chance(2)) metric.min_count = chance(2) ? static_cast<double>(random()) : share() * 1e300;
        metric.missing = static_cast<Missing>(1 + random() % 3);
        if (chance(2)) metric.promote_when = static_cast<PromoteWhen>(1 + random() % 2);
        if (chance(2)) plan.noise[metric.name];
        if (chance(2)) plan.noise[metric.name].dispersion = 1 + share();
        plan.queries[text("")] = text("");
        plan.metrics.push_back(metric);
    }
    if (chance(2)) plan.arms.label = text("label");
    if (chance(2)) plan.arms.baseline = text("blue");
    if (chance(2)) plan.arms.canary = text("green");
    if (chance(2)) plan.telemetry.min_coverage = share();
    if (chance(2)) plan.telemetry.max_imbalance = share();
    if (chance(2)) plan.telemetry.stale_after = plan.settle + plan.interval + duration(1'000'000'000);
    return plan;
}

TEST(WritePlan, RandomPlansComeBackEqual) {
    std::mt19937_64 random(20261122);
    for (int i = 0; i < 1000; ++i) {
        const Plan plan = random_plan(random);
        const std::string text = io::write_plan(plan);
        ASSERT_EQ(io::read_plan(text), plan) << text;
    }
}

TEST(WritePlan, RefusesWhatCannotBeReadBack) {
    Plan plan = io::read_plan(file("plans/minimal.json"));
    plan.alpha = std::numeric_limits<double>::quiet_NaN();
    EXPECT_THROW(io::write_plan(plan), Error);
    plan = io::read_plan(file("plans/minimal.json"));
    plan.interval = -1ms;
    EXPECT_THROW(io::write_plan(plan), Error);
    plan = io::read_plan(file("plans/full.json"));
    plan.queries["http_errors"] = "\xC3(";
    try {
        io::write_plan(plan);
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), Code::plan_value);
        EXPECT_NE(std::string(error.what()).find("queries.http_errors"), std::string::npos) << error.what();
    }
}

TEST(ReadPlan, AnyTextIsAPlanOrAnError) {
    std::mt19937_64 random(7);
    const std::vector<std::string> seeds{file("plans/minimal.json"), file("plans/full.json")};
    const std::vector<std::string> pieces{"{",       "}",       "[",    "]",        ",",           ":",
                                          "\"",      "null",    "true", "-1",       "1e99",        "0.5",
                                          "\"10m\"", "\\u0000", "\xFF", "\"kind\"", "\"ratio\": 1"};
    int read = 0;
    int refused = 0;
    for (int i = 0; i < 6000; ++i) {
        std::string text = seeds[random() % seeds.size()];
        for (std::uint64_t n = 0; n <= random() % 3; ++n) {
            const std::size_t at = random() % (text.size() + 1);
            switch (random() % 4) {
                case 0: text = text.substr(0, at); break;
                case 1: text.insert(at, pieces[random() % pieces.size()]); break;
                case 2: text.erase(at, 1 + random() % 8); break;
                default:
                    if (at < text.size()) text[at] = static_cast<char>(random() % 256);
            }
        }
        try {
            const Plan plan = io::read_plan(text);
            ASSERT_EQ(io::read_plan(io::write_plan(plan)), plan) << text;
            ++read;
        } catch (const Error& error) {
            ASSERT_TRUE(valid_utf8(error.what())) << text;
            ASSERT_LT(std::string(error.what()).size(), 1000U);
            ++refused;
        }
    }
    EXPECT_GT(read, 150);
    EXPECT_GT(refused, 3000);
}

}  // namespace
