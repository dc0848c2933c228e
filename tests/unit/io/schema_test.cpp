#include <fstream>
#include <set>
#include <string>
#include <string_view>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <serinus/rollout/decision.hpp>
#include <serinus/rollout/lint.hpp>
#include <serinus/rollout/plan.hpp>

#include "support/data_dir.hpp"

namespace {

using namespace serinus;
using nlohmann::json;
using Names = std::set<std::string>;

json schema(const std::string& name) {
    std::ifstream in(data_dir() + "/schema/" + name + ".schema.json");
    return json::parse(in);
}

template <class T>
Names described() {
    const auto names = described_names<T>();
    return {names.begin(), names.end()};
}

Names properties(const json& object) {
    Names names;
    for (const auto& [name, property] : object.at("properties").items()) names.insert(name);
    return names;
}

/// Where a document is not the struct, member by member: `less` is described but is no key, `more` is a key besides.
Names changed(Names names, const Names& less, const Names& more) {
    for (const std::string& name : less) EXPECT_EQ(names.erase(name), 1U) << name;
    for (const std::string& name : more) EXPECT_TRUE(names.insert(name).second) << name;
    return names;
}

TEST(Schema, APlanHasTheKeysThatItsPartsDescribe) {
    const json plan = schema("plan");
    const json& parts = plan.at("$defs");
    // `"noise": "learn"` sets learn_noise.
    EXPECT_EQ(properties(plan), changed(described<Plan>(), {"learn_noise"}, {}));
    EXPECT_EQ(properties(parts.at("stage")), described<Stage>());
    EXPECT_EQ(properties(parts.at("metric")), described<Metric>());
    EXPECT_EQ(properties(parts.at("margin")), described<Margin>());
    EXPECT_EQ(properties(parts.at("condition")), described<slo::Condition>());
    EXPECT_EQ(properties(parts.at("arms")), described<Arms>());
    EXPECT_EQ(properties(parts.at("telemetry")), described<TelemetryLimits>());
    EXPECT_EQ(properties(parts.at("noise")), described<Noise>());
    EXPECT_EQ(properties(parts.at("known_instances")), described<KnownInstances>());
    EXPECT_EQ(properties(parts.at("spike_noise")), described<SpikeNoise>());
    EXPECT_EQ(properties(parts.at("floored_noise")), described<FlooredNoise>());
    EXPECT_EQ(properties(parts.at("stage_noise")), described<sequential::PairedNoise>());
    // An objective is written in one piece with its rule; a target is another way to give its budget.
    Names rule = changed(described<SloRule>(), {"objective", "halt_budget", "halt_window"}, {"halt", "target"});
    for (const std::string& name : described<slo::Objective>()) rule.insert(name);
    for (const std::string& name : described<slo::Policy>()) rule.insert(name);
    rule.erase("conditions");  // of `policy`, which is a list here
    EXPECT_EQ(properties(parts.at("slo")), rule);
    EXPECT_EQ(properties(parts.at("slo").at("properties").at("halt")), (Names{"budget", "window"}));
}

TEST(Schema, ADecisionHasTheKeysThatItsPartsDescribe) {
    const json decision = schema("decision");
    const json& parts = decision.at("$defs");
    EXPECT_EQ(properties(decision), described<Decision>());
    EXPECT_EQ(properties(parts.at("metric")), described<MetricResult>());
    EXPECT_EQ(properties(parts.at("margin")), described<Margin>());
    EXPECT_EQ(properties(parts.at("telemetry")), described<Telemetry>());
    // What follows from other numbers is told beside them.
    EXPECT_EQ(properties(parts.at("evidence")),
              changed(described<Evidence>(), {}, {"e_value", "needed_e_value", "needed_log_e_value"}));
    EXPECT_EQ(properties(parts.at("reason")), changed(described<Reason>(), {}, {"number", "sentence"}));
    const json& burn = parts.at("burn");
    EXPECT_EQ(properties(burn), described<BurnResult>());
    EXPECT_EQ(properties(burn.at("properties").at("windows").at("items")), described<BurnWindow>());
    EXPECT_EQ(properties(burn.at("properties").at("share")), described<BudgetShare>());
    EXPECT_EQ(properties(burn.at("properties").at("halt")), changed(described<BurnHalt>(), {}, {"needed_e_value"}));
}

TEST(Schema, WhatCheckTellsHasTheKeysThatItsPartsDescribe) {
    const json check = schema("check");
    const json& parts = check.at("$defs");
    EXPECT_EQ(properties(check), changed(described<Understood>(), {}, {"version"}));
    EXPECT_EQ(properties(parts.at("series")), described<SeriesSeen>());
    EXPECT_EQ(properties(parts.at("reason")), changed(described<Reason>(), {}, {"number", "sentence"}));
}

}  // namespace
