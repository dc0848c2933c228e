#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/core/error.hpp>
#include <serinus/io/data.hpp>
#include <serinus/io/prometheus.hpp>
#include <serinus/io/victoriametrics.hpp>

#include "support/read_sample.hpp"

namespace {

using serinus::Arm;
using serinus::ArmSeries;
using serinus::Batch;
using serinus::Code;
using serinus::Error;
using serinus::Series;
using serinus::io::looks_like_victoriametrics;
using serinus::io::read_victoriametrics;
using serinus::io::ReadOptions;
using support::find_series;
using support::read_sample;

const std::string folder = "victoriametrics/";

void expect_refused(const std::string& text, Code code, const std::vector<std::string>& said,
                    const ReadOptions& options = {}) {
    support::expect_refused([&](const std::string& it) { read_victoriametrics(it, options); }, text, code, said);
}

double sum_of(const Series& series) {
    double sum = 0;
    for (const double value : series.values) sum += std::isfinite(value) ? value : 0;
    return sum;
}

TEST(ReadVictoriaMetrics, ExportsOfTwoVersions) {
    for (const std::string version : {"vm151", "vm179"}) {
        const std::string text = read_sample(folder + version + "_export.jsonl");
        EXPECT_TRUE(looks_like_victoriametrics(text));
        const Batch batch = read_victoriametrics(text);
        EXPECT_EQ(batch.series.size(), version == "vm151" ? 8U : 7U);
        const Series& errors = find_series(batch, "shop_requests_total", Arm::canary, "500").series;
        EXPECT_EQ(errors.values.size(), 21U);
        EXPECT_EQ(sum_of(errors), 51);
        EXPECT_EQ(errors.instance, "10.0.0.2:9090");
        EXPECT_EQ(errors.times_ms.front(), 1'796'012'400'318);
        EXPECT_EQ(sum_of(find_series(batch, "shop_requests_total", Arm::baseline, "200").series), 137'451);
        EXPECT_NEAR(sum_of(find_series(batch, "shop_hit_ratio", Arm::canary).series), 17.4765, 1e-9);
        const Series& limit = find_series(batch, "shop_limit_bytes", Arm::canary).series;
        EXPECT_EQ(limit.values[0], std::numeric_limits<double>::infinity());  // "Infinity", or bare +Inf
        EXPECT_EQ(limit.values[12], 1'073'741'824);
        EXPECT_EQ(limit.values.size(), 24U);
    }
}

TEST(ReadVictoriaMetrics, PartsOfOneSeriesContinueOneAnother) {
    for (const std::string version : {"vm151", "vm179"}) {
        const Batch parts = read_victoriametrics(read_sample(folder + version + "_export_max_rows.jsonl"));
        const Batch whole = read_victoriametrics(read_sample(folder + version + "_export.jsonl"));
        ASSERT_EQ(parts.series.size(), 2U);
        for (const Arm arm : {Arm::baseline, Arm::canary}) {
            EXPECT_EQ(find_series(parts, "shop_requests_total", arm).series,
                      find_series(whole, "shop_requests_total", arm, "500").series);
        }
    }
}

TEST(ReadVictoriaMetrics, AStaleMarkerIsNoValue) {
    const Batch batch = read_victoriametrics(read_sample(folder + "vm151_export_stale.jsonl"));
    ASSERT_EQ(batch.series.size(), 8U);
    const Series& errors = find_series(batch, "shop_requests_total", Arm::canary, "500").series;
    ASSERT_EQ(errors.values.size(), 11U);
    EXPECT_EQ(errors.values[5], 5);
    EXPECT_TRUE(std::isnan(errors.values[6]));
    EXPECT_EQ(errors.values[7], 1);  // the restart
    EXPECT_EQ(sum_of(errors), 29);
}

TEST(ReadVictoriaMetrics, ItsAnswersAreThoseOfPrometheus) {
    for (const std::string version : {"vm151", "vm179"}) {
        const Batch exported = read_victoriametrics(read_sample(folder + version + "_export.jsonl"));
        const Batch api = serinus::io::read_data(read_sample(folder + version + "_export_promapi.json"));
        ASSERT_EQ(api.series.size(), 2U);
        for (const ArmSeries& s : api.series)
            EXPECT_EQ(find_series(exported, s.name, s.arm, s.labels).series, s.series) << s.name;
        const Batch range = serinus::io::read_prometheus(read_sample(folder + version + "_query_range.json"), {}, "x");
        EXPECT_EQ(sum_of(find_series(range, "x", Arm::canary, "200").series), 738);
        const Batch nan =
            serinus::io::read_prometheus(read_sample(folder + version + "_query_range_nan.json"), {}, "x");
        EXPECT_EQ(nan.series.size(), 1U);
        EXPECT_TRUE(nan.notes.empty());  // `stats` is no warning
    }
}

TEST(ReadVictoriaMetrics, SpellingsOfNumbers) {
    const Batch batch = read_victoriametrics(
        "\xEF\xBB\xBF\n{\"metric\":{\"track\":\"canary\",\"path\":\"+Inf NaN \\\" -Inf\",\"le\":\"+Inf\"},"
        "\"values\":[ 1.5e3 ,-Inf,+Inf,NaN,\"NaN\",\"-Infinity\",null,Inf],\"timestamps\":[1,2,3,4,5,6,7,8]}\r\n\n",
        {.names = {"only"}});
    ASSERT_EQ(batch.series.size(), 1U);
    EXPECT_EQ(batch.series[0].name, "only");
    EXPECT_EQ(batch.series[0].labels, "{path=\"+Inf NaN \\\" -Inf\"}");
    EXPECT_EQ(batch.series[0].le, std::numeric_limits<double>::infinity());
    const std::vector<double>& values = batch.series[0].series.values;
    ASSERT_EQ(values.size(), 8U);
    EXPECT_EQ(values[0], 1500);
    EXPECT_EQ(values[1], -std::numeric_limits<double>::infinity());
    EXPECT_EQ(values[2], std::numeric_limits<double>::infinity());
    EXPECT_TRUE(std::isnan(values[3]) && std::isnan(values[4]) && std::isnan(values[6]));
    EXPECT_EQ(values[5], values[1]);
    EXPECT_EQ(values[7], values[2]);
}

TEST(ReadVictoriaMetrics, Refusals) {
    const auto line = [](const std::string& values, const std::string& timestamps, const std::string& labels = "") {
        return R"({"metric":{"__name__":"a","track":"canary")" + labels + R"(},"values":)" + values +
               ",\"timestamps\":" + timestamps + "}";
    };
    const std::string good = line("[1]", "[1]") + "\n";
    EXPECT_EQ(read_victoriametrics(good + good).series[0].series.values.size(), 2U);
    expect_refused("", Code::data_empty, {"no line"});
    for (const std::string& bad : {line("[1]", "[1,2]"), line("{}", "[]"), std::string("{}"), std::string("5"),
                                   std::string("[]"), std::string(R"({"metric":5,"values":[],"timestamps":[]})")}) {
        expect_refused(good + bad, Code::data_document, {"line 2 is no line of an export", "allowed: "});
    }
    for (const std::string& bad : {std::string("{"), std::string("x"), line("[1", "[1]"), line("[+Info]", "[1]")}) {
        expect_refused(good + bad, Code::data_document, {"line 2 is no JSON"});
    }
    for (const std::string bad : {"[\"x\"]", "[true]", "[{}]", "[\"\"]"}) {
        expect_refused(good + line(bad, "[1]"), Code::data_value, {"line 2.values has "});
    }
    for (const std::string bad : {"[1.5]", "[\"1\"]", "[null]", "[1796012400318000000]", "[18446744073709551615]"}) {
        expect_refused(good + line("[1]", bad), Code::data_timestamp, {"line 2.timestamps has ", "Unix milliseconds"});
    }
    expect_refused(line("[1]", "[1]", R"(,"le":"x")"), Code::data_value, {"line 1.metric.le is \"x\""});
    expect_refused(line("[1]", "[1]", R"(,"x":5)"), Code::data_document, {"line 1.metric.x is \"5\""});
    expect_refused(R"({"metric":{"track":"canary"},"values":[1],"timestamps":[1]})", Code::data_document,
                   {"has no __name__"});
    expect_refused(R"({"metric":{"__name__":"a"},"values":[1],"timestamps":[1]})", Code::data_arm, {"\"track\""});
    expect_refused(good, Code::data_size, {"allowed: at most 3"}, {.max_bytes = 3});
}

TEST(ReadVictoriaMetrics, IsTold) {
    EXPECT_EQ(serinus::io::guess_format(read_sample(folder + "vm179_export.jsonl")),
              serinus::io::DataFormat::victoriametrics);
    for (const std::string text : {"", "{}", "[]", R"({"metric":{},"values":[]})", R"({"a":{"metric":{}}})", "x"}) {
        EXPECT_FALSE(looks_like_victoriametrics(text)) << text;
    }
}

}  // namespace
