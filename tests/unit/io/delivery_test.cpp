#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/io/decision.hpp>
#include <serinus/io/delivery.hpp>
#include <serinus/rollout/monitor.hpp>

#include "support/code_of.hpp"
#include "support/two_stages.hpp"

namespace serinus {
namespace {

using delivery::EventKind;
using io::read_delivery;

const std::string good = R"({"event":"deployment_started","deployment":"d","time":"2026-11-22T21:40:00Z"})"
                         "\n";

std::vector<EventKind> kinds_of(const delivery::Log& log) {
    std::vector<EventKind> kinds;
    for (const delivery::Event& event : log.events) kinds.push_back(event.kind);
    return kinds;
}

std::string error_of(const std::string& text) {
    try {
        read_delivery(text);
    } catch (const Error& error) {
        return error.what();
    }
    return "";
}

TEST(Delivery, OurOwnEvents) {
    const delivery::Log log =
        read_delivery(good + R"({"event":"pipeline_finished","pipeline":"build","commit":7,"passed":true,
        "time":1795383600,"note":{"x":[1,{"event":"no"}]}}
{"event":"measured","deployment":"d","time":"2026-11-22T22:00:00+01:00","bad_canary":3,"total_canary":100.5}
)");
    ASSERT_EQ(kinds_of(log),
              (std::vector{EventKind::deployment_started, EventKind::pipeline_finished, EventKind::measured}));
    EXPECT_EQ(log.events[0].deployment, "d");
    EXPECT_EQ(log.events[0].time_ms, 1795383600000);
    EXPECT_TRUE(log.events[1].passed);
    EXPECT_EQ(log.events[1].commit, "7");
    EXPECT_EQ(log.events[1].line, 2);
    EXPECT_EQ(log.events[2].line, 4);
    EXPECT_EQ(log.events[2].measures.total_canary, 100.5);
    EXPECT_TRUE(log.notes.empty());
}

TEST(Delivery, CdEvents) {
    const std::string chain = R"("chainId":"c1","source":"/argo","specversion":"0.5.1","id":"x")";
    const delivery::Log log = read_delivery(
        R"({"context":{)" + chain +
        R"(,"type":"dev.cdevents.service.deployed.0.3.0","timestamp":"2026-11-30T04:22:54.123Z"},
            "subject":{"id":"shop/checkout","content":{}},"customData":{"deployment.id":"1208"}}
{"specversion":"1.0","data":{"context":{)" +
        chain +
        R"(,"type":"dev.cdevents.incident.detected.0.3.0","timestamp":"2026-11-30T04:27:00Z"},"subject":{"id":"i"}}}
{"context":{)" +
        chain +
        R"(,"type":"dev.cdevents.service.rolledback.0.3.0","timestamp":"2026-11-30T05:27:31+01:00"},"subject":{"id":"shop/checkout"}}
{"context":{"id":"y","type":"dev.cdevents.pipelinerun.finished.0.3.0","timestamp":"2026-11-30T04:00:00Z"},"subject":{"id":"r1","content":{"pipelineName":"build","outcome":"failure"}}}
{"context":{"id":"z","type":"dev.cdevents.change.merged.0.3.0","timestamp":"2026-11-30T04:00:00Z"},"subject":{"id":"r1"}}
)");
    ASSERT_EQ(kinds_of(log), (std::vector{EventKind::deployment_succeeded, EventKind::rollback_started,
                                          EventKind::rollback_finished, EventKind::pipeline_finished}));
    for (int i = 0; i < 3; ++i) EXPECT_EQ(log.events[static_cast<std::size_t>(i)].deployment, "1208");
    EXPECT_FALSE(log.events[3].passed);
    ASSERT_EQ(log.notes.size(), 1U);
    EXPECT_EQ(log.notes[0].code, Code::log_unread);
}

TEST(Delivery, GitHub) {
    const auto status = [](const std::string& state, int minute) {
        return R"({"deployment_status":{"id":1,"state":")" + state + R"(","created_at":"2026-11-30T04:)" +
               std::to_string(minute) +
               R"(:00Z"},"deployment":{"id":1208,"created_at":"2026-11-30T04:10:00Z"},"x":[[1]]})" + "\n";
    };
    const delivery::Log log = read_delivery(
        status("pending", 11) + status("waiting", 12) + status("in_progress", 20) + status("failure", 25) +
        status("inactive", 30) + status("strange", 31) +
        R"({"workflow_run":{"id":1,"name":"ci","conclusion":"failure","head_sha":"abc","updated_at":"2026-11-30T04:00:00Z"}}
{"workflow_run":{"id":2,"name":"ci","conclusion":null,"head_sha":"abc","updated_at":"2026-11-30T04:00:00Z"}})");
    EXPECT_EQ(kinds_of(log),
              (std::vector{EventKind::deployment_started, EventKind::deployment_waiting, EventKind::deployment_resumed,
                           EventKind::deployment_failed, EventKind::pipeline_finished}));
    EXPECT_EQ(log.events[0].deployment, "1208");
    ASSERT_EQ(log.notes.size(), 1U);
    EXPECT_EQ(log.notes[0].texts[0].value, "the state strange");
}

TEST(Delivery, OurDecisions) {
    Plan plan = two_stages::plan();
    plan.deployment = "payments-7";
    const Decision decision = judge(plan, two_stages::batch(0.04));
    ASSERT_EQ(decision.action, Action::rollback);
    const delivery::Log log =
        read_delivery(io::write_decision(decision, -1) + "\n{\"n\":2,\"before\":\"\",\"decision\":" +
                      io::write_decision(decision, -1) + "}\n" + io::write_decision(decision, 2));
    ASSERT_EQ(log.events.size(), 6U);
    EXPECT_EQ(log.events[1].kind, EventKind::canary_verified);
    EXPECT_EQ(log.events[1].deployment, "payments-7");
    EXPECT_FALSE(log.events[1].passed);
    EXPECT_EQ(log.events[1].measures.metrics, 2);
    EXPECT_GT(log.events[1].measures.bad_canary, 0);
    EXPECT_EQ(log.events[3].time_ms, log.events[1].time_ms);
    EXPECT_TRUE(log.notes.empty());
}

TEST(Delivery, ATornLastLineIsLeftOutAtEveryByte) {
    const std::string last = good.substr(0, good.size() - 1);
    for (std::size_t at = 1; at < last.size(); ++at) {
        const delivery::Log log = read_delivery(good + last.substr(0, at));
        ASSERT_EQ(log.events.size(), 1U) << at;
        ASSERT_EQ(log.notes.size(), 1U) << at;
        EXPECT_EQ(log.notes[0].code, Code::log_torn);
        EXPECT_EQ(log.notes[0].numbers[0].value, 2);
    }
    EXPECT_EQ(read_delivery(good + last).events.size(), 2U);
    EXPECT_TRUE(read_delivery("").events.empty());
    // What is broken and not the last line is an error: what came after it would be lost without a word.
    EXPECT_EQ(code_of([&] { read_delivery(last.substr(0, 30) + "\n" + good); }), Code::data_document);
    EXPECT_EQ(code_of([&] { read_delivery(good + last.substr(0, 30) + "\n"); }), Code::data_document);
}

TEST(Delivery, BadEventsNameTheirLineAndKey) {
    const auto with = [](const std::string& members) {
        return good + R"({"event":"measured","deployment":"d","time":"2026-11-22T21:40:00Z",)" + members + "}\n";
    };
    const auto has = [](const std::string& text, const char* part) {
        EXPECT_NE(text.find(part), std::string::npos) << text;
    };
    has(error_of(with(R"("bad_canry":3)")), "line 2 has the key \"bad_canry\", which no event has");
    has(error_of(with(R"("bad_canary":-1)")), "line 2: bad_canary is -1; allowed: a number, 0 or more");
    has(error_of(with(R"("bad_canary":"3")")), "line 2: bad_canary is \"3\", a text");
    has(error_of(with(R"("budget":1e999)")), "line 2");
    has(error_of(with(R"("event":"measured")")), "line 2 has the key \"event\" twice");
    has(error_of(R"({"event":"deployed","time":0})"
                 "\n"),
        "line 1: event is \"deployed\", a text; allowed: deployment_started");
    has(error_of(R"({"event":"measured","time":0})"
                 "\n"),
        "line 1 is measured and has no deployment");
    has(error_of(R"({"event":"canary_verified","deployment":"d","time":0})"
                 "\n"),
        "has no passed");
    has(error_of(R"({"event":"pipeline_finished","passed":true,"time":0})"
                 "\n"),
        "has no pipeline");
    has(error_of(R"({"event":"measured","deployment":"d"})"
                 "\n"),
        "line 1 has no time");
    has(error_of(R"({"event":"measured","deployment":"d","time":"yesterday"})"
                 "\n"),
        "serinus.data.timestamp");
    has(error_of("[1]\n"), "line 1");
    has(error_of("nonsense\n"), "line 1 is no JSON");
    EXPECT_EQ(code_of([] { read_delivery(std::string(100'000, '{') + "\n"); }), Code::data_document);
    EXPECT_EQ(code_of([] {
                  std::string deep = "1";
                  for (int i = 0; i < 100; ++i) deep = "{\"a\":" + deep + "}";
                  read_delivery(deep + "\n");
              }),
              Code::data_size);
}

TEST(Delivery, WhateverNamesHold) {
    const std::string hostile = R"(\u0000\u001b[31m</script><img src=x onerror=alert(1)>\n\"&)";
    const delivery::Log log = read_delivery(R"({"event":"deployment_started","deployment":")" + hostile +
                                            R"(","time":10}
{"event":"deployment_started","deployment":")" +
                                            hostile + R"(","time":20}
)");
    const std::string text = io::write_indicators(delivery::indicators(log), -1);
    EXPECT_EQ(text.find('\n'), std::string::npos);
    EXPECT_NE(text.find("deployment_twice"), std::string::npos);
}

}  // namespace
}  // namespace serinus
