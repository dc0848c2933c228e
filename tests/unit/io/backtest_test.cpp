#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <serinus/core/error.hpp>
#include <serinus/io/backtest.hpp>
#include <serinus/io/plan.hpp>

#include "support/code_of.hpp"

namespace serinus {
namespace {

Plan make_plan() {
    return io::read_plan(R"({"name": "payments", "interval": "10s", "stages": [{"traffic": 0.1, "min": "10m"}],
        "metrics": [{"name": "errors", "kind": "proportion", "bad": "e", "total": "n", "margin": {"ratio": 1.5}},
                    {"name": "a.b [c]=d", "kind": "proportion", "bad": "f", "total": "n", "margin": {"ratio": 2}}],
        "slo": [{"name": "availability", "metric": "errors", "target": 0.999}]})");
}

TEST(ChangedPlan, ChangesOneKey) {
    const Plan plan = make_plan();
    EXPECT_EQ(io::changed_plan(plan, "metrics[0].margin.ratio=2").metrics[0].margin.ratio, 2.0);
    EXPECT_EQ(io::changed_plan(plan, "metrics[errors].margin.ratio=2"),
              io::changed_plan(plan, "metrics[0].margin.ratio=2"));
    EXPECT_TRUE(io::changed_plan(plan, "metrics[1].muted=true").metrics[1].muted);
    EXPECT_EQ(io::changed_plan(plan, "stages[0].min=30m").stages[0].min, std::chrono::minutes(30));
    EXPECT_EQ(io::changed_plan(plan, "alpha=0.01").alpha, 0.01);
    EXPECT_EQ(io::changed_plan(plan, "telemetry.min_coverage=0.5").telemetry.min_coverage, 0.5);
    EXPECT_EQ(io::changed_plan(plan, R"(metrics[0].margin={"difference": 0.01})").metrics[0].margin.difference, 0.01);
    EXPECT_EQ(io::changed_plan(plan, "name=a=b").name, "a=b");
    EXPECT_EQ(io::changed_plan(plan, "deployment=").deployment, "");
}

TEST(ChangedPlan, RefusesWhatNoPlanHas) {
    const Plan plan = make_plan();
    const auto code = [&](const char* change) { return code_of([&] { io::changed_plan(plan, change); }); };
    for (const char* const change :
         {"", "=1", "alpha", "metrics[2].muted=true", "metrics[nobody].muted=true", "metrics[0=1",
          "metrics[0]muted=true", "metrics.=1", "metrics..x=1", ".alpha=1", "name.x=1", "stages.traffic=1"}) {
        EXPECT_EQ(code(change), Code::argument_word) << change;
    }
    EXPECT_EQ(code("metrics[0].magin.ratio=2"), Code::plan_unknown_key);
    EXPECT_EQ(code("metrics[0].margin.ratio=wide"), Code::plan_type);
    EXPECT_EQ(code("alpha=2"), Code::plan_value);
}

TEST(ReleaseLabels, AreRead) {
    const auto known = io::read_release_labels(
        "\xEF\xBB\xBFlabel,fault,release,since\r\ngood,,a,\r\nbad,x,\"b,1\",2026-11-22T21:21:29Z\r\n,,c,"
        "1795382489\r\n");
    ASSERT_EQ(known.size(), 3u);
    EXPECT_EQ(known[0].release, "a");
    EXPECT_EQ(known[0].label, ReleaseLabel::good);
    EXPECT_EQ(known[0].since_ms, std::nullopt);
    EXPECT_EQ(known[1].release, "b,1");
    EXPECT_EQ(known[1].since_ms, 1795382489000);
    EXPECT_EQ(known[2].label, std::nullopt);
    EXPECT_EQ(known[2].since_ms, 1795382489000);
    const auto named = io::read_release_labels("release,label,ready,next\na,bad,1,2\n", "ready", "next");
    EXPECT_EQ(named[0].since_ms, 1000);
    EXPECT_EQ(named[0].until_ms, 2000);
}

TEST(ReleaseLabels, AreRefusedWithTheirLine) {
    const auto said = [](std::string_view text, Code code, std::string_view part, std::string_view since = {}) {
        try {
            io::read_release_labels(text, since);
            ADD_FAILURE() << text;
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), code) << error.what();
            EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
        }
    };
    said("", Code::data_column, "no column \"release\"");
    said("release\na\n", Code::data_column, "no column \"label\"");
    said("release,label,label\n", Code::data_column, "twice");
    said("release,label\na,good\n", Code::data_column, "no column \"ready\"", "ready");
    said("release,label\na\n", Code::data_column, "line 2 has 1 cells");
    said("release,label\na,fine\n", Code::data_value, "line 2, column label is \"fine\"; allowed: good, bad, or empty");
    said("release,label\n,good\n", Code::data_value, "line 2 names no release");
    said("release,label\na,good\nb,bad\na,bad\n", Code::data_value,
         "line 4 names the release \"a\" again, after line 2");
    said("release,label,since\na,good,noon\n", Code::data_timestamp, "line 2, column since");
    said("release,label\n\"a,good\n", Code::data_document, "line 2");
}

std::vector<Backtest> runs() {
    Backtest first;
    first.plan = "payments";
    first.digest = "00";
    first.false_alarms = {1, 2, 0.25, 0.75};
    first.metrics = {{.name = "errors", .rolled_back = 1, .alone = 1}};
    first.releases = {{.name = "=cmd|' /C calc'!A0",
                       .label = ReleaseLabel::good,
                       .decision = Action::rollback,
                       .minutes = 1.5,
                       .decided_by = {"errors"},
                       .reasons = {{Code::harm_proven, "errors", {}, false}}},
                      {.name = "b\",\n\xff", .label = {}, .decision = Action::promote, .minutes = 2}};
    Backtest tried = first;
    tried.change = "alpha=0.01";
    tried.releases[0].decision = Action::promote;
    return {first, tried};
}

TEST(WriteBacktest, TellsTheTriesAndWhatTheyChange) {
    const auto document = nlohmann::json::parse(io::write_backtest(runs()));
    EXPECT_EQ(document["plan"], "payments");
    EXPECT_EQ(document["false_alarms"], (nlohmann::json{{"count", 1}, {"of", 2}, {"lower", 0.25}, {"upper", 0.75}}));
    EXPECT_EQ(document["releases"][0]["decided_by"], nlohmann::json{"errors"});
    EXPECT_EQ(document["releases"][1]["name"], "b\",\n\xEF\xBF\xBD");
    EXPECT_EQ(document["tries"].size(), 1u);
    EXPECT_EQ(document["tries"][0]["change"], "alpha=0.01");
    EXPECT_EQ(document["tries"][0]["changed"].size(), 1u);
    EXPECT_EQ(document["tries"][0]["changed"][0]["before"], "rollback");
    EXPECT_EQ(document["tries"][0]["changed"][0]["after"], "promote");
    EXPECT_EQ(code_of([] { io::write_backtest({}); }), Code::argument_length);
}

TEST(WriteBacktest, IsATable) {
    EXPECT_EQ(io::write_backtest_csv(runs()),
              "try,release,label,decision,stage,minutes,decided_by,reasons\n"
              ",'=cmd|' /C calc'!A0,good,rollback,1,1.5,errors,errors.harm_proven\n"
              ",\"b\"\",\n\xff\",,promote,1,2,,\n"
              "alpha=0.01,'=cmd|' /C calc'!A0,good,promote,1,1.5,errors,errors.harm_proven\n"
              "alpha=0.01,\"b\"\",\n\xff\",,promote,1,2,,\n");
}

}  // namespace
}  // namespace serinus
