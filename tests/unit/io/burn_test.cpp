#include <chrono>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <serinus/io/burn.hpp>
#include <serinus/slo/burn_report.hpp>

#include "support/burning_service.hpp"

namespace serinus {
using namespace std::chrono_literals;
namespace {

using nlohmann::json;

TEST(WriteBurn, SaysWhatTheReportSays) {
    slo::Policy policy = slo::sre_workbook_policy();
    policy.conditions[0].pending_for = 2min;
    const slo::BurnReport report = slo::burn_report(burning_objective, policy, burning_service(0.02, 30, 28));
    const json found = json::parse(io::write_burn(report));
    EXPECT_EQ(found["time"], "2026-11-24T03:20:00Z");
    EXPECT_EQ(found["firing"], "page");
    EXPECT_EQ(found["objective"]["name"], "availability");
    EXPECT_EQ(found["objective"]["period"], "30d");
    EXPECT_EQ(found["windows"][2]["window"], "1h");
    EXPECT_EQ(found["windows"][2]["burn"], 20);
    EXPECT_EQ(found["windows"][2]["status"], "ok");
    EXPECT_EQ(found["conditions"][0]["for"], "2m");
    EXPECT_EQ(found["conditions"][0]["state"], "firing");
    EXPECT_EQ(found["conditions"][0]["since"], "2026-11-24T02:04:00Z");  // after 0.72 of an hour
    EXPECT_EQ(found["error_budget"]["seconds_to_exhaustion"], report.time_to_exhaustion.count() / 1000);
    EXPECT_EQ(found["samples"]["taken"], 3602);
}

TEST(WriteBurn, WhatIsNotKnownIsNull) {
    slo::Objective objective = burning_objective;
    objective.name = "a\nb\xFF";
    const json found = json::parse(io::write_burn(slo::burn_report(objective, slo::sre_workbook_policy(), {})));
    EXPECT_EQ(found["objective"]["name"], "a?b?");
    EXPECT_TRUE(found["firing"].is_null());
    EXPECT_TRUE(found["windows"][0]["burn"].is_null());
    EXPECT_EQ(found["windows"][0]["status"], "absent");
    EXPECT_TRUE(found["conditions"][0]["since"].is_null());
    EXPECT_TRUE(found["error_budget"]["seconds_to_exhaustion"].is_null());
    // A budget that is never used up: infinite, which JSON cannot say.
    const json quiet =
        json::parse(io::write_burn(slo::burn_report(objective, slo::sre_workbook_policy(), burning_service(0))));
    EXPECT_EQ(quiet["error_budget"]["consumed"], 0);
    EXPECT_TRUE(quiet["error_budget"]["seconds_to_exhaustion"].is_null());
}

}  // namespace
}  // namespace serinus
