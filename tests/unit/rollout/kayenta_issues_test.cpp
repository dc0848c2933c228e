// What users of Kayenta's rule saw pass and reported: none of it passes here, watched or looked at once, and each metric
// says why. data/judges/README.md has where the numbers are from.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <serinus/rollout/calibrate.hpp>
#include <serinus/rollout/monitor.hpp>

#include "support/data_dir.hpp"

namespace serinus {
namespace {

constexpr std::int64_t interval = 60'000;
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

struct Case {
    std::string id;
    Harm harm = Harm::increase;
    bool counts = false;
    std::vector<double> baseline, canary;
};

std::vector<Case> cases() {
    std::ifstream file(data_dir() + "/judges/kayenta-issues.json");
    std::vector<Case> all;
    for (const auto& given : nlohmann::json::parse(file)) {
        Case& one = all.emplace_back();
        one.id = given.at("id");
        one.harm = given.at("harm") == "either" ? Harm::either : Harm::increase;
        one.counts = given.value("counts", false);
        for (const auto& value : given.at("baseline"))
            one.baseline.push_back(value.is_null() ? nan : value.get<double>());
        for (const auto& value : given.at("canary")) one.canary.push_back(value.is_null() ? nan : value.get<double>());
    }
    return all;
}

Plan plan_of(const Case& one, Analysis analysis, const Margin& margin) {
    Plan plan;
    plan.name = one.id;
    plan.interval = std::chrono::milliseconds(interval);
    plan.analysis = analysis;
    plan.stages = {Stage{.traffic = 0.5}};
    Metric& metric = plan.metrics.emplace_back();
    metric.name = "metric";
    metric.harm = one.harm;
    metric.margin = margin;
    metric.critical = true;
    if (one.counts) {
        metric.bad = "errors";
        metric.total = "requests";
    } else {
        metric.kind = Kind::gauge;
        metric.series = "values";
    }
    return plan;
}

/// `requests` an interval where errors are counted.
Batch data_of(const Case& one, double requests) {
    Batch batch;
    const auto add = [&](const char* name, Arm arm, const std::vector<double>& values) {
        Series series;
        for (std::size_t i = 0; i < values.size(); ++i) {
            if (!(values[i] == values[i])) continue;
            series.times_ms.push_back(static_cast<std::int64_t>(i) * interval);
            series.values.push_back(values[i]);
        }
        batch.series.push_back({name, arm, nan, std::move(series)});
    };
    for (const Arm arm : {Arm::baseline, Arm::canary}) {
        const std::vector<double>& values = arm == Arm::baseline ? one.baseline : one.canary;
        add(one.counts ? "errors" : "values", arm, values);
        if (one.counts) add("requests", arm, std::vector<double>(values.size(), requests));
    }
    return batch;
}

void expect_no_pass(const Case& one, const Decision& found, const std::string& how) {
    const MetricResult& metric = found.metrics[0];
    EXPECT_NE(found.action, Action::promote) << one.id << ", " << how;
    EXPECT_NE(metric.verdict, Verdict::pass) << one.id << ", " << how;
    EXPECT_FALSE(metric.reasons.empty() && found.reasons.empty()) << one.id << ", " << how;
}

TEST(KayentaIssues, NoneOfThemPasses) {
    for (const Case& one : cases()) {
        std::vector<Margin> margins{{.ratio = 1.25}};
        if (one.counts) margins.push_back({.ratio = 1.25, .difference = {}, .floor = 0.0001});
        for (const Margin& margin : margins) {
            const std::string with = margin.floor ? " with a floor" : "";
            // Errors are of requests, and how many there were no issue says.
            for (const double requests : one.counts ? std::vector{10.0, 100.0, 10'000.0} : std::vector{0.0}) {
                const std::string of = one.counts ? " of " + std::to_string(int(requests)) : "";
                const Batch data = data_of(one, requests);
                Plan watched = plan_of(one, Analysis::sequential, margin);
                expect_no_pass(one, judge(watched, data), "watched" + with + of);
                watched.learn_noise = true;
                expect_no_pass(one, judge(watched, data), "watched, noise learned" + with + of);
                if (!margin.floor)
                    expect_no_pass(one, judge(plan_of(one, Analysis::fixed, margin), data), "one look" + of);
            }
        }
    }
}

/// The same values, as often again as a rollout of an hour has minutes: there is harm to be found, and it is.
TEST(KayentaIssues, AnHourOfThemIsFlagged) {
    for (Case one : cases()) {
        if (one.id == "799-mostly-missing" || one.id == "780-healed" || one.id == "780-variability-as-printed")
            continue;
        for (auto* arm : {&one.baseline, &one.canary}) {
            const std::vector<double> once = *arm;
            while (arm->size() < 60) arm->insert(arm->end(), once.begin(), once.end());
            arm->resize(60);
        }
        const Batch data = data_of(one, 100);
        const Margin margin{.ratio = 1.25};
        Action action = judge(plan_of(one, Analysis::fixed, margin), data).action;
        if (one.counts) {
            EXPECT_EQ(action, Action::rollback) << one.id;
            action = judge(plan_of(one, Analysis::sequential, margin), data).action;
        }
        EXPECT_EQ(action, Action::rollback) << one.id;
    }
}

}  // namespace
}  // namespace serinus
