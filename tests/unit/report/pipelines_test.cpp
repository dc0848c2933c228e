#include <algorithm>
#include <chrono>
#include <cstddef>
#include <limits>
#include <set>
#include <string>
#include <string_view>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <serinus/core/error.hpp>
#include <serinus/report/pipelines.hpp>
#include <serinus/report/record.hpp>

#include "support/code_of.hpp"
#include "support/two_stages.hpp"

namespace serinus::report {
namespace {

using nlohmann::json;

constexpr std::string_view hostile =
    "<b>&\"'::error::x%0A,y:z\n##[error]\\ ]]> \x01\xEF\xBF\xBE\xFF \xE2\x80\xA8 {}=\x7F";

Record rolled_back(const std::string& errors = "errors") {
    return recorded(two_stages::plan(errors), two_stages::batch(0.04), std::nullopt, 0);
}
Record promoted() {
    Plan plan = two_stages::plan();
    plan.metrics.pop_back();
    return recorded(plan, two_stages::batch(0.01), std::nullopt, 0);
}
Record held() {
    Plan plan = two_stages::plan();
    plan.metrics.pop_back();
    plan.metrics[0].min_count = 1e9;
    return recorded(plan, two_stages::batch(0.01), std::nullopt, 0);
}

/// All that can be in one.
Record hard() {
    Record record = rolled_back(std::string(hostile));
    Decision& decision = record.decisions.back();
    decision.deployment = decision.plan = record.plan.name = hostile;
    decision.would = Action::promote;
    decision.metrics.emplace_back();
    decision.metrics.back().name = std::string(hostile) + "2";
    decision.metrics.back().evidence.log_e_value = std::numeric_limits<double>::quiet_NaN();
    decision.metrics.back().evidence.lower = -std::numeric_limits<double>::infinity();
    BurnResult& burn = decision.burn.emplace_back();
    burn.objective = hostile;
    burn.verdict = Verdict::fail;
    burn.reasons = {{Code::budget_exceeded, burn.objective, {{"lower", 0.2}, {"allowed", 0.1}, {"after", 60}}}};
    return record;
}

std::vector<std::string> lines(const std::string& text) {
    std::vector<std::string> out;
    for (std::size_t from = 0; from < text.size();) {
        const std::size_t end = text.find('\n', from);
        out.push_back(text.substr(from, end - from));
        from = end == std::string::npos ? text.size() : end + 1;
    }
    return out;
}

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

TEST(Pipelines, AnEmptyRecordIsAnEmptyText) { EXPECT_EQ(github({}) + junit({}) + openmetrics({}) + cdevents({}), ""); }

TEST(Github, OneAnnotationALine) {
    const std::vector<std::string> bad = lines(github(rolled_back()));
    ASSERT_EQ(bad.size(), 2U);
    EXPECT_TRUE(bad[0].starts_with("::error title=ROLLBACK%3A payments::stage 2 of 2, 50 %25 of traffic, after "))
        << bad[0];
    EXPECT_TRUE(has(bad[0], "%0Aerrors.harm_proven: ")) << bad[0];
    EXPECT_TRUE(has(bad[0], "%0Anext: roll back")) << bad[0];
    EXPECT_TRUE(bad[1].starts_with("::error title=errors%3A fail::4.0")) << bad[1];
    EXPECT_TRUE(lines(github(promoted()))[0].starts_with("::notice title=PROMOTE%3A payments::"));
    EXPECT_EQ(lines(github(promoted())).size(), 1U);
    const std::vector<std::string> open = lines(github(held()));
    ASSERT_EQ(open.size(), 2U);
    EXPECT_TRUE(open[0].starts_with("::warning title=HOLD%3A payments::")) << open[0];
    EXPECT_TRUE(open[1].starts_with("::warning title=errors%3A ")) << open[1];
}

TEST(Github, NamesAreNoCommands) {
    for (const std::string& line : lines(github(hard()))) {
        ASSERT_TRUE(line.starts_with("::error title=")) << line;
        const std::size_t end = line.find("::", 2);
        ASSERT_NE(end, std::string::npos);
        const std::string title = line.substr(14, end - 14);
        EXPECT_EQ(title.find_first_of(":,\r\n"), std::string::npos) << title;
        EXPECT_FALSE(has(line, "x%0A,y")) << line;  // "%" is one
    }
}

TEST(Github, TenOfAKindAtMost) {
    Record record = held();
    const MetricResult one = record.decisions.back().metrics[0];
    for (int i = 0; i < 20; ++i) record.decisions.back().metrics.push_back(one);
    const std::vector<std::string> said = lines(github(record));
    EXPECT_EQ(said.size(), 10U);
    EXPECT_TRUE(has(said[0], "not shown: 12 metrics")) << said[0];
}

TEST(Junit, ACaseForTheDecisionAndEachMetric) {
    const std::string bad = junit(rolled_back());
    for (const char* part : {R"(<testsuites name="serinus" tests="3" failures="2" errors="0" time=")",
                             R"(<testsuite name="payments" tests="3" failures="2" errors="0" skipped=)",
                             R"(<property name="decision" value="rollback"/>)",
                             R"(<testcase classname="serinus.payments" name="decision" time="0">)",
                             R"(<failure type="harm_proven" message="ROLLBACK, stage 2 of 2)",
                             R"(<testcase classname="serinus.payments.metrics" name="errors" time="0">)",
                             R"(<failure type="harm_proven" message="fail: 4.0)"})
        EXPECT_TRUE(has(bad, part)) << part << "\n" << bad;
    EXPECT_TRUE(has(junit(promoted()), R"(tests="2" failures="0")")) << junit(promoted());
    EXPECT_TRUE(has(junit(held()), R"(skipped="2")")) << junit(held());
}

TEST(Junit, NamesAreNoMarkup) {
    const std::string said = junit(hard());
    for (const std::string_view none : {"<b>", "\x01", "\xEF\xBF\xBE", "\xFF", "]]>", "\x7F"})
        EXPECT_FALSE(has(said, none)) << none;
    EXPECT_TRUE(has(said, "&lt;b&gt;&amp;&quot;&#39;::error::x%0A")) << said;
    EXPECT_TRUE(has(said, "tests=\"5\" failures=\"3\""));
}

TEST(Openmetrics, Gauges) {
    const std::string bad = openmetrics(rolled_back());
    for (const char* part :
         {"# HELP serinus_decision ", "# TYPE serinus_decision gauge\n",
          "serinus_decision{plan=\"payments\",deployment=\"\",decision=\"promote\"} 0\n",
          "serinus_decision{plan=\"payments\",deployment=\"\",decision=\"rollback\"} 1\n",
          "serinus_prevented{plan=\"payments\",deployment=\"\",cause=\"harm_proven\",metric=\"errors\"} 1\n",
          "serinus_margin{plan=\"payments\",deployment=\"\",metric=\"errors\",unit=\"ratio\"} 2\n",
          "serinus_verdict{plan=\"payments\",deployment=\"\",metric=\"errors\",verdict=\"fail\"} 1\n"})
        EXPECT_TRUE(has(bad, part)) << part << "\n" << bad;
    EXPECT_TRUE(bad.ends_with("} 0\n# EOF\n") || bad.ends_with("\n# EOF\n"));
    EXPECT_FALSE(has(openmetrics(promoted()), "serinus_prevented"));
    EXPECT_FALSE(has(bad, "NaN"));
    EXPECT_FALSE(has(bad, "serinus_budget"));
}

TEST(Openmetrics, NamesAreLabels) {
    const std::string said = openmetrics(hard());
    EXPECT_TRUE(has(said, "<b>&\\\"'::error::x%0A,y:z\\n##[error]\\\\ ]]> \x01\xEF\xBF\xBE\xEF\xBF\xBD")) << said;
    std::set<std::string> families;
    std::string family;
    for (const std::string& line : lines(said)) {
        if (line.starts_with("# TYPE ")) {
            family = line.substr(7, line.find(' ', 7) - 7);
            EXPECT_TRUE(families.insert(family).second) << family;
        }
        if (line.starts_with("#")) continue;
        EXPECT_TRUE(line.starts_with(family + "{plan=\"")) << line;
    }
    EXPECT_GE(families.size(), 24U);
}

TEST(Openmetrics, TheMarginIsOnTheScaleOfTheEstimate) {
    Record record = rolled_back();
    MetricResult& metric = record.decisions.back().metrics[0];
    const auto margin = [&] {
        const std::string said = openmetrics(record);
        const std::size_t at = said.find("serinus_margin{");
        return said.substr(said.find("unit=", at), said.find('\n', said.find("unit=", at)) - said.find("unit=", at));
    };
    EXPECT_EQ(margin(), "unit=\"ratio\"} 2");
    metric.harm = Harm::decrease;
    EXPECT_EQ(margin(), "unit=\"ratio\"} 0.5");
    metric.margin = {.difference = 0.002};
    EXPECT_EQ(margin(), "unit=\"difference\"} -0.002");
    metric.margin = {.ratio = 2, .floor = 0.002};
    EXPECT_EQ(margin(), "unit=\"excess\"} -1");
    metric.harm = Harm::increase;
    EXPECT_EQ(margin(), "unit=\"excess\"} 1");
}

TEST(Cdevents, WhatHappened) {
    const std::vector<std::string> bad = lines(cdevents(rolled_back(), {.environment = "staging"}));
    ASSERT_EQ(bad.size(), 2U);
    const json incident = json::parse(bad[0]), run = json::parse(bad[1]);
    EXPECT_EQ(incident["context"]["type"], "dev.cdevents.incident.detected.0.3.0");
    EXPECT_EQ(incident["context"]["specversion"], "0.5.1");
    EXPECT_EQ(incident["context"]["source"], "/serinus/payments");
    EXPECT_EQ(incident["subject"]["id"], "payments/rollback");
    EXPECT_EQ(incident["subject"]["content"]["environment"]["id"], "staging");
    EXPECT_TRUE(has(incident["subject"]["content"]["description"], "\nerrors.harm_proven: "));
    EXPECT_EQ(run["subject"]["content"]["outcome"], "failure");
    EXPECT_EQ(run["subject"]["id"], "payments/stage 2");
    EXPECT_EQ(run["customData"]["decision"], "rollback");
    EXPECT_EQ(run["customData"]["metrics"][0]["name"], "errors");
    EXPECT_NE(run["context"]["id"], incident["context"]["id"]);
    EXPECT_EQ(run["context"]["id"].get<std::string>().size(), 36U);
    EXPECT_EQ(json::parse(cdevents(promoted()))["subject"]["content"]["outcome"], "success");
    EXPECT_EQ(json::parse(cdevents(held()))["context"]["type"], "dev.cdeventsx.serinus-rollout.held.0.1.0");
}

TEST(Cdevents, TheSameDecisionIsTheSameEvent) {
    Record record = rolled_back();
    const std::string once = cdevents(record);
    EXPECT_EQ(cdevents(record), once);
    *record.decisions.back().time += std::chrono::seconds(1);
    const json later = json::parse(lines(cdevents(record))[0]), before = json::parse(lines(once)[0]);
    EXPECT_NE(later["context"]["id"], before["context"]["id"]);
    EXPECT_EQ(later["subject"]["id"], before["subject"]["id"]);
    record.decisions.back().time = std::nullopt;
    EXPECT_EQ(json::parse(lines(cdevents(record))[0])["context"]["timestamp"], "1970-01-01T00:00:00Z");
    EXPECT_EQ(code_of([&] { cdevents(record, {.environment = ""}); }), Code::argument_range);
}

TEST(Cdevents, NamesAreTexts) {
    const std::vector<std::string> said = lines(cdevents(hard(), {.environment = hostile}));
    ASSERT_EQ(said.size(), 2U);
    for (const std::string& line : said) {
        const json event = json::parse(line);
        EXPECT_TRUE(has(event["customData"]["plan"], "::error::x%0A,y:z\n##[error]\\ ]]> ?"));
        EXPECT_EQ(event["context"]["source"].get<std::string>().find_first_of(" <>\"\\\n"), std::string::npos);
    }
    EXPECT_EQ(json::parse(lines(cdevents({.plan = {}, .decisions = {Decision{}}, .batch = {}}))[0])["subject"]["id"],
              "rollout");
}

}  // namespace
}  // namespace serinus::report
