#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/core/error.hpp>
#include <serinus/io/data.hpp>
#include <serinus/io/openmetrics.hpp>

#include "support/read_sample.hpp"

namespace {

using serinus::Arm;
using serinus::ArmSeries;
using serinus::Batch;
using serinus::Code;
using serinus::Error;
using serinus::from_ms;
using serinus::io::looks_like_openmetrics;
using serinus::io::read_openmetrics;
using serinus::io::ReadOptions;
using support::find_series;
using support::read_sample;
using support::sentences;

constexpr double infinity = std::numeric_limits<double>::infinity();
const std::string folder = "exposition/";

void expect_refused(const std::string& text, Code code, const std::vector<std::string>& said,
                    const ReadOptions& options = {}) {
    support::expect_refused([&](const std::string& it) { read_openmetrics(it, options); }, text, code, said);
}

TEST(ReadOpenMetrics, TheSmallestDocument) {
    const std::string text = read_sample(folder + "openmetrics.txt");
    const Batch batch = read_openmetrics(text);
    ASSERT_EQ(batch.series.size(), 1U);
    EXPECT_EQ(batch.series[0].name, "http_requests_total");
    EXPECT_EQ(batch.series[0].series.times_ms, std::vector<std::int64_t>{1'795'382'460'000});
    EXPECT_EQ(batch.series[0].series.values, std::vector<double>{900});
    EXPECT_EQ(batch.series[0].series.starts_ms, std::vector<std::int64_t>{1'795'380'000'000});  // no time of its own
    EXPECT_EQ(read_openmetrics(text, {.names = {"http_requests"}}).series[0].name, "http_requests");
}

TEST(ReadOpenMetrics, WhatIsOnALine) {
    const Batch batch = read_openmetrics(
        "\xEF\xBB\xBF# HELP a_total \\\\ and \\n\r\n"
        "\r\n"
        "a_total{track=\"canary\",instance=\"i\",path=\"C:\\\\DIR\\n\\\"x\\\" \\d {},#\"} 1.5e3 1795382460.2509 # "
        "{trace_id=\"4bf9\",span_id=\"00\"} 0.67 1795382459.9\n"
        "  a_total { track = \"canary\" , instance = \"i\" , } +Inf 1795382461250\n"
        "{\"shop.orders\",\"länd\"=\"Österreich\",track=\"canary\"} NaN 1795382460\n"
        "{__name__=\"dumped\", track=\"stable\", instance=\"i\"} -5 1795382460123\n"
        "b{track=\"canary\"} 7 1795382460 st@1795380000.5\n"
        "no_labels 3 1795382460\n"
        "# EOF\n"
        "a_total{track=\"canary\",instance=\"i\"} 8 1795382470\n"  // the next scrape
        "# EOF");
    EXPECT_EQ(find_series(batch, "a_total", Arm::canary, "path").labels, "{path=\"C:\\\\DIR\\n\\\"x\\\" \\\\d {},#\"}");
    EXPECT_EQ(find_series(batch, "a_total", Arm::canary, "path").series,
              (serinus::Series{{1'795'382'460'250}, {1500}, "i"}));
    const ArmSeries* plain = nullptr;
    for (const ArmSeries& s : batch.series) {
        if (s.name == "a_total" && s.labels.empty()) plain = &s;
    }
    ASSERT_NE(plain, nullptr);
    EXPECT_EQ(plain->series.times_ms, (std::vector<std::int64_t>{1'795'382'461'250, 1'795'382'470'000}));
    EXPECT_EQ(plain->series.values, (std::vector<double>{infinity, 8}));
    EXPECT_TRUE(
        std::isnan(find_series(batch, "shop.orders", Arm::canary, "{\"länd\"=\"Österreich\"}").series.values[0]));
    EXPECT_EQ(find_series(batch, "dumped", Arm::baseline).series.times_ms[0], 1'795'382'460'123);
    EXPECT_EQ(find_series(batch, "b", Arm::canary).series.starts_ms, std::vector<std::int64_t>{1'795'380'000'500});
    EXPECT_EQ(sentences(batch), std::vector<std::string>{"in neither arm: 1 series has no label track: {} of no_labels "
                                                         "(`or vector(0)` is the usual cause)"});
}

TEST(ReadOpenMetrics, Federation) {
    const Batch batch = read_openmetrics(read_sample(folder + "federate.prom"), {.arms = {.baseline = "baseline"}});
    std::map<std::pair<std::string, Arm>, int> counted;
    for (const ArmSeries& s : batch.series) {
        ++counted[{s.name, s.arm}];
        EXPECT_EQ(s.series.times_ms.size(), 1U);
        EXPECT_GT(s.series.times_ms[0], 1'795'382'660'000);
    }
    EXPECT_EQ(counted,
              (std::map<std::pair<std::string, Arm>, int>{{{"http_request_duration_seconds_bucket", Arm::baseline}, 20},
                                                          {{"http_request_duration_seconds_bucket", Arm::canary}, 10},
                                                          {{"http_requests_total", Arm::baseline}, 4},
                                                          {{"http_requests_total", Arm::canary}, 2},
                                                          {{"ALERTS", Arm::canary}, 1},
                                                          {{"slo:sli_error:ratio_rate1m", Arm::baseline}, 1},
                                                          {{"slo:sli_error:ratio_rate1m", Arm::canary}, 1}}));
    EXPECT_EQ(find_series(batch, "http_request_duration_seconds_bucket", Arm::baseline, "127.0.0.1:19201", 0.05)
                  .series.values[0],
              1598);
}

TEST(ReadOpenMetrics, DumpOfADatabase) {
    const std::string text = read_sample(folder + "tsdb_dump_canary.txt");
    EXPECT_TRUE(looks_like_openmetrics(text));
    const Batch batch = read_openmetrics(text);
    ASSERT_EQ(batch.series.size(), 2U);
    for (const ArmSeries& s : batch.series) {
        EXPECT_EQ(s.name, "http_requests_total");
        EXPECT_EQ(s.series.instance, "127.0.0.1:19203");
        EXPECT_EQ(s.series.values.size(), 98U);
        int missing = 0;
        for (const double value : s.series.values) missing += std::isnan(value) ? 1 : 0;
        EXPECT_EQ(missing, 1);  // a stale marker
    }
    EXPECT_EQ(batch.series[1].series.values.back(), 23);
    EXPECT_EQ(batch.series[1].series.times_ms.back(), 1'795'382'668'993);
}

TEST(ReadOpenMetrics, AScrapeWithoutTimesIsReadAtATime) {
    const ReadOptions versions{.arms = {"version", "v1", "v2"}};
    for (const std::string name : {"exposition_baseline.prom", "exposition_canary.prom", "exposition_canary.om"}) {
        expect_refused(read_sample(folder + name), Code::data_timestamp,
                       {"has no timestamp, as in all ", "allowed: samples with a time", "/federate"}, versions);
    }
    ReadOptions now = versions;
    now.at = from_ms(1'795'382'600'000);
    for (const std::string name : {"exposition_canary.prom", "exposition_canary.om"}) {
        const Batch canary = read_openmetrics(read_sample(folder + name), now);
        ASSERT_EQ(canary.series.size(), 14U) << name;  // 2 codes, 10 buckets, count, sum; none is `_created`
        for (const ArmSeries& s : canary.series) {
            EXPECT_EQ(s.arm, Arm::canary);
            EXPECT_EQ(s.series.times_ms, std::vector<std::int64_t>{1'795'382'600'000});
            ASSERT_EQ(s.series.starts_ms.size(), 1U) << s.name;
            EXPECT_NEAR(static_cast<double>(s.series.starts_ms[0]), 1'795'382'566'200, 100) << s.name;
        }
        EXPECT_EQ(find_series(canary, "http_requests_total", Arm::canary, "500").series.values[0], 23);
        EXPECT_EQ(find_series(canary, "http_requests_total", Arm::canary, "500").series.starts_ms[0],
                  1'795'382'566'114);
        EXPECT_EQ(find_series(canary, "http_request_duration_seconds_bucket", Arm::canary, "", infinity).series.values,
                  find_series(canary, "http_request_duration_seconds_count", Arm::canary).series.values);
    }
    EXPECT_EQ(read_openmetrics(read_sample(folder + "exposition_baseline.prom"), now).series.size(), 14U);
}

TEST(ReadOpenMetrics, Utf8NamesInBothFormats) {
    const ReadOptions now{.at = from_ms(1'796'012'900'000)};
    for (const std::string name : {"exposition_utf8.om", "exposition_utf8.prom"}) {
        const Batch batch = read_openmetrics(read_sample(folder + name), now);
        ASSERT_EQ(batch.series.size(), 49U) << name;
        EXPECT_EQ(find_series(batch, "shop.orders.placed", Arm::canary, "card").series.values[0], 64);
        EXPECT_EQ(find_series(batch, "shop.orders.placed", Arm::canary, "invoice").labels,
                  "{\"länd\"=\"Österreich\",\"payment.kind\"=\"invoice \\\"B2B\\\"\"}");
        EXPECT_EQ(find_series(batch, "http.server.request.duration_bucket", Arm::canary).le, infinity);
        EXPECT_EQ(find_series(batch, "shop_response_size_bytes_bucket", Arm::canary, "", 256).series.values[0], 239);
        EXPECT_EQ(find_series(batch, "shop_limits_bytes", Arm::canary).series.values[0], infinity);
        EXPECT_TRUE(std::isnan(find_series(batch, "shop_odd_values_sum", Arm::canary).series.values[0]));
        EXPECT_EQ(find_series(batch, "shop_queue_wait_seconds", Arm::canary, "{quantile=\"0.99\"}").series.values[0],
                  0.0600781401967665);
        EXPECT_TRUE(batch.notes.empty());
    }
}

TEST(ReadOpenMetrics, SomeWithoutTimesAreTold) {
    const Batch batch = read_openmetrics("a{track=\"canary\"} 1 100\na{track=\"canary\"} 2\nb{track=\"canary\"} 3\n");
    ASSERT_EQ(batch.series.size(), 1U);
    EXPECT_EQ(batch.series[0].series.values, std::vector<double>{1});
    EXPECT_EQ(sentences(batch), std::vector<std::string>{"2 rows not read: they have no timestamp"});
}

TEST(ReadOpenMetrics, Refusals) {
    for (const std::string text : {"", "\n\n", "# EOF", "# TYPE a counter\n"}) {
        expect_refused(text, Code::data_empty, {"no sample"});
    }
    for (const auto& [line, why] : std::vector<std::pair<std::string, std::string>>{
             {"a{", "its labels do not end"},
             {"a{track=\"canary\"", "its labels do not end"},
             {"a{track=\"canary} 1 2", "a text in quotes does not end"},
             {"a{track=canary} 1 2", "is not in quotes"},
             {"a{track} 1 2", "a label has no value"},
             {"a{=\"x\"} 1 2", "a label has no name"},
             {"a{track=\"a\" b=\"c\"} 1 2", "its labels do not end"},
             {"a{track=\"a\",track=\"b\"} 1 2", "a label is given twice"},
             {"{\"a\",\"b\"} 1 2", "a label has no value"},
             {"{track=\"a\"} 1 2", "it has no name"},
             {"%%% 1 2", "it has no name"},
             {"a", "it has no value"},
             {"a{track=\"canary\"}", "it has no value"},
             {"a{track=\"canary\"} 1 2 3", "there is more behind the timestamp"}}) {
        expect_refused("b{track=\"canary\"} 1 2\n" + line, Code::data_document, {"line 2: ", why, "allowed: NAME{"});
    }
    for (const std::string value : {"x", "1,5", "0x1p3", "1e999", "{count:1,sum:2}"}) {
        expect_refused("a{track=\"canary\"} " + value + " 5", Code::data_value, {"line 1: the value is \"" + value});
    }
    for (const std::string time : {"2026-11-22T21:21:29Z", "x", "NaN", "1e300"}) {
        expect_refused("a{track=\"canary\"} 1 " + time, Code::data_timestamp, {"line 1: the timestamp is \"" + time});
    }
    for (const std::string le : {"x", "NaN", "-Inf", ""}) {
        expect_refused("a{track=\"canary\",le=\"" + le + "\"} 1 5", Code::data_value, {"line 1: the label le is "});
    }
    expect_refused("a{job=\"x\"} 1 5", Code::data_arm, {"has the label \"track\"; they have job"});
    expect_refused("a{track=\"canary\"} 1 5", Code::data_size, {"allowed: at most 3"}, {.max_bytes = 3});
    expect_refused("a 1 2", Code::argument_word, {"both"}, {.arms = {.baseline = "canary"}});
}

TEST(ReadOpenMetrics, IsTold) {
    for (const std::string name : {"openmetrics.txt", "federate.prom", "exposition_baseline.prom",
                                   "exposition_canary.om", "exposition_utf8.om", "tsdb_dump_canary.txt"}) {
        EXPECT_TRUE(looks_like_openmetrics(read_sample(folder + name))) << name;
    }
    for (const std::string text : {"a{track=\"x\"} 1", "\n\n# a remark\nup 1 1795382460", "# EOF", "{\"a.b\"} 1 2"}) {
        EXPECT_TRUE(looks_like_openmetrics(text)) << text;
        EXPECT_EQ(serinus::io::guess_format(text), serinus::io::DataFormat::openmetrics);
    }
    for (const std::string text : {"", "{}", "[1]", "{\"a\": {}}", "timestamp,series,arm,value", "time value", "1 2 3",
                                   "1795382460 5", "#datatype,string,long", "\"Time\",\"a{track=\"\"x\"\"}\"",
                                   "Time,a{track=\"x\"}\n1,2", "a{track=\"x\"};5", "<html>", "# a remark"}) {
        EXPECT_FALSE(looks_like_openmetrics(text)) << text;
    }
    EXPECT_FALSE(looks_like_openmetrics(std::string(10'000'000, 'x')));
}

}  // namespace
