#include <cmath>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/core/error.hpp>
#include <serinus/io/prometheus.hpp>

#include "support/data_dir.hpp"

namespace {

using serinus::Arm;
using serinus::ArmSeries;
using serinus::Code;
using serinus::Error;
using serinus::Series;
using serinus::io::PrometheusAnswer;
using serinus::io::PrometheusOptions;
using serinus::io::read_prometheus;
using serinus::io::read_prometheus_document;

constexpr double infinity = std::numeric_limits<double>::infinity();

std::string sample(const std::string& name) {
    std::ifstream file(data_dir() + "/samples/" + name, std::ios::binary);
    EXPECT_TRUE(file) << name;
    return {std::istreambuf_iterator<char>(file), {}};
}

/// The captured answers call the baseline "baseline".
const PrometheusOptions captured{.series = "requests", .baseline = "baseline"};

std::string answer(const std::string& result, const std::string& type = "matrix") {
    return R"({"status":"success","data":{"resultType":")" + type + R"(","result":)" + result + "}}";
}

/// One label set with one sample: 5 at time 1.
std::string entry(const std::string& labels) { return R"({"metric":{)" + labels + R"(},"values":[[1,"5"]]})"; }

void expect_refused(const std::string& text, Code code, const std::vector<std::string>& said,
                    const PrometheusOptions& options = captured, bool document = false) {
    try {
        document ? read_prometheus_document(text, options) : read_prometheus(text, options);
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), code) << error.what();
        EXPECT_LT(std::string(error.what()).size(), 800U);
        for (const std::string& words : said) {
            EXPECT_NE(std::string(error.what()).find(words), std::string::npos) << error.what() << "\nlacks " << words;
        }
        return;
    }
    ADD_FAILURE() << "nothing was raised for " << text.substr(0, 100);
}

std::vector<std::string> instances(const PrometheusAnswer& read) {
    std::vector<std::string> all;
    for (const ArmSeries& s : read.batch.series) all.push_back(std::string(word(s.arm)) + " " + s.series.instance);
    return all;
}

TEST(ReadPrometheus, RangeOfCountersByTrack) {
    const PrometheusAnswer read = read_prometheus(sample("prom_range_counters_by_track.json"), captured);
    EXPECT_EQ(read.ignored_series, 0);
    ASSERT_EQ(read.batch.series.size(), 4U);
    const ArmSeries& canary_errors = read.batch.series[3];
    EXPECT_EQ(canary_errors.name, "requests");
    EXPECT_EQ(canary_errors.arm, Arm::canary);
    EXPECT_TRUE(std::isnan(canary_errors.le));
    EXPECT_EQ(canary_errors.series.instance, "{code=\"500\"}");
    ASSERT_EQ(canary_errors.series.values.size(), 33U);
    EXPECT_EQ(canary_errors.series.times_ms.front(), 1'795'382'489'000);
    EXPECT_EQ(canary_errors.series.times_ms.back(), 1'795'382'669'000);
    EXPECT_EQ(canary_errors.series.values.front(), 6);
    EXPECT_EQ(canary_errors.series.values.back(), 23);
    EXPECT_EQ(read.batch.series[0].arm, Arm::baseline);
    EXPECT_EQ(read.batch.series[0].series.values.size(), 37U);
    EXPECT_TRUE(read.batch.stages.empty());
}

TEST(ReadPrometheus, RangeOfCountersByInstance) {
    // Two codes an instance, so the instance label alone does not tell the label sets apart.
    const PrometheusAnswer read = read_prometheus(sample("prom_range_counters.json"), captured);
    EXPECT_EQ(instances(read), (std::vector<std::string>{"baseline {code=\"200\",instance=\"127.0.0.1:19201\"}",
                                                         "baseline {code=\"200\",instance=\"127.0.0.1:19202\"}",
                                                         "canary {code=\"200\",instance=\"127.0.0.1:19203\"}",
                                                         "baseline {code=\"500\",instance=\"127.0.0.1:19201\"}",
                                                         "baseline {code=\"500\",instance=\"127.0.0.1:19202\"}",
                                                         "canary {code=\"500\",instance=\"127.0.0.1:19203\"}"}));
    EXPECT_EQ(read.batch.series[0].series.values[0], 402);
}

TEST(ReadPrometheus, RawSamplesKeepTheirMilliseconds) {
    const PrometheusAnswer read = read_prometheus(sample("prom_instant_rawmatrix.json"), captured);
    ASSERT_EQ(read.batch.series.size(), 2U);
    const Series& samples = read.batch.series[0].series;
    ASSERT_EQ(samples.values.size(), 80U);
    EXPECT_EQ(samples.times_ms[0], 1'795'382'491'000);
    EXPECT_EQ(samples.times_ms[1], 1'795'382'492'993);
    EXPECT_EQ(samples.times_ms[2], 1'795'382'494'997);
    EXPECT_EQ(samples.values[1], 163);
}

TEST(ReadPrometheus, VectorIsOneSampleEach) {
    const PrometheusAnswer read = read_prometheus(sample("prom_instant_vector.json"), captured);
    ASSERT_EQ(read.batch.series.size(), 4U);
    EXPECT_EQ(read.batch.series[3].series, (Series{{1'795'382'669'000}, {23.001578493274245}, "{code=\"500\"}"}));
}

TEST(ReadPrometheus, BucketsAreNotInstances) {
    const PrometheusAnswer read = read_prometheus(sample("prom_range_buckets.json"), captured);
    ASSERT_EQ(read.batch.series.size(), 20U);  // 10 bounds, 2 arms
    EXPECT_EQ(read.batch.series[0].le, infinity);
    EXPECT_EQ(read.batch.series[0].series.values[0], 814);
    EXPECT_EQ(read.batch.series[2].le, 0.005);
    for (const ArmSeries& s : read.batch.series) EXPECT_EQ(s.series.instance, "");
    // Prometheus 3 writes "1.0" where Prometheus 2 wrote "1": one bucket, also within one answer.
    const PrometheusAnswer both = read_prometheus(
        answer("[" + entry(R"("track":"canary","le":"1")") + "," + entry(R"("track":"canary","le":"1.0")") + "," +
               entry(R"("track":"canary","le":"1","instance":"x")") + "]"),
        captured);
    ASSERT_EQ(both.batch.series.size(), 2U);
    EXPECT_EQ(both.batch.series[0].series.values.size(), 2U);
    EXPECT_EQ(both.batch.series[1].series.instance, "x");
}

TEST(ReadPrometheus, ValuesThatAreNoNumbers) {
    const PrometheusAnswer nans = read_prometheus(sample("prom_range_nan.json"), captured);
    ASSERT_EQ(nans.batch.series.size(), 2U);
    EXPECT_EQ(nans.batch.series[0].series.values[0], 1);
    EXPECT_TRUE(std::isnan(nans.batch.series[0].series.values[1]));
    const PrometheusAnswer infinities = read_prometheus(sample("prom_range_inf.json"), captured);
    ASSERT_EQ(infinities.batch.series.size(), 1U);
    EXPECT_EQ(infinities.batch.series[0].series.values.front(), -infinity);
    EXPECT_EQ(infinities.batch.series[0].series.values.back(), infinity);
    EXPECT_EQ(infinities.batch.series[0].series.instance, "127.0.0.1:19203");
    const PrometheusAnswer sizes = read_prometheus(sample("prom_range_large_small.json"),
                                                   {.series = "x", .label = "k", .baseline = "big", .canary = "small"});
    ASSERT_EQ(sizes.batch.series.size(), 2U);
    EXPECT_EQ(sizes.batch.series[0].series.values[0], 1e21);
    EXPECT_EQ(sizes.batch.series[1].series.values[0], 1e-9);
    EXPECT_EQ(sizes.ignored_series, 1);
    EXPECT_EQ(sizes.ignored_values, std::vector<std::string>{"int"});
}

TEST(ReadPrometheus, OtherArmsAreIgnoredAndCounted) {
    // With the default "stable" the captured baseline belongs to no arm.
    const PrometheusAnswer read = read_prometheus(sample("prom_range_counters_by_track.json"), {.series = "requests"});
    EXPECT_EQ(read.ignored_series, 2);
    EXPECT_EQ(read.ignored_values, std::vector<std::string>{"baseline"});
    EXPECT_EQ(instances(read), (std::vector<std::string>{"canary {code=\"200\"}", "canary {code=\"500\"}"}));
    std::string many;
    for (int i = 0; i < 30; ++i) many += (i == 0 ? "" : ",") + entry("\"track\":\"v" + std::to_string(i / 2) + "\"");
    const PrometheusAnswer others = read_prometheus(answer("[" + many + "," + entry("") + "]"), captured);
    EXPECT_TRUE(others.batch.series.empty());
    EXPECT_EQ(others.ignored_series, 31);
    EXPECT_EQ(others.ignored_values.size(), 10U);
}

TEST(ReadPrometheus, EmptyResultIsAnEmptyBatch) {
    const PrometheusAnswer read = read_prometheus(sample("prom_empty.json"), captured);
    EXPECT_TRUE(read.batch.series.empty());
    EXPECT_EQ(read.ignored_series, 0);
    EXPECT_TRUE(read_prometheus(answer("[]", "vector"), captured).batch.series.empty());
    EXPECT_TRUE(read_prometheus("\xEF\xBB\xBF" + answer("[]"), captured).batch.series.empty());
}

TEST(ReadPrometheus, Instances) {
    const auto read = [](const std::vector<std::string>& labels, const std::string& instance_label = "instance") {
        std::string all;
        for (const std::string& set : labels) all += (all.empty() ? "" : ",") + entry(set);
        PrometheusOptions options = captured;
        options.instance_label = instance_label;
        return instances(read_prometheus(answer("[" + all + "]"), options));
    };
    using Names = std::vector<std::string>;
    const std::string b1 = R"("track":"baseline","instance":"a","pod":"p1")";
    const std::string b2 = R"("track":"baseline","instance":"b","pod":"p2")";
    const std::string c1 = R"("track":"canary","instance":"c","pod":"p3")";
    EXPECT_EQ(read({b1, b2, c1}), (Names{"baseline a", "baseline b", "canary c"}));
    EXPECT_EQ(read({b1, b2, c1}, "pod"), (Names{"baseline p1", "baseline p2", "canary p3"}));
    // Without an instance label every label that differs within an arm is named, those that do not are not.
    EXPECT_EQ(read({b1, b2, c1}, ""),
              (Names{"baseline {instance=\"a\",pod=\"p1\"}", "baseline {instance=\"b\",pod=\"p2\"}",
                     "canary {instance=\"c\",pod=\"p3\"}"}));
    EXPECT_EQ(read({b1, c1}), (Names{"baseline a", "canary c"}));
    EXPECT_EQ(read({b1, c1}, ""), (Names{"baseline ", "canary "}));
    EXPECT_EQ(read({R"("track":"baseline","code":"200")", R"("track":"canary","code":"200")"}),
              (Names{"baseline ", "canary "}));
    // Labels may be missing in some sets only, and hold any text.
    EXPECT_EQ(read({R"("track":"canary","code":"200")", R"("track":"canary")", R"("track":"canary","code":"a\"b\\c")"}),
              (Names{"canary {code=\"200\"}", "canary ", "canary {code=\"a\\\"b\\\\c\"}"}));
    // The same instance in both arms (an upgrade in place) keeps its name in both.
    EXPECT_EQ(read({R"("track":"baseline","instance":"a")", R"("track":"canary","instance":"a")"}),
              (Names{"baseline a", "canary a"}));
}

TEST(ReadPrometheus, SaysWhatPrometheusSaid) {
    expect_refused(sample("prom_error.json"), Code::data_query,
                   {"requests: the query failed: bad_data: 1:34: parse error: unclosed left parenthesis"});
    expect_refused(R"({"status":"error"})", Code::data_query, {"not said: not said"});
    expect_refused(R"({"status":"error","errorType":"timeout","error":")" + std::string(5000, 'x') + "\"}",
                   Code::data_query, {"timeout: xxx", "..."});
}

TEST(ReadPrometheus, RefusesWhatHasNoArm) {
    expect_refused(sample("prom_instant_scalar.json"), Code::data_document,
                   {"requests.data.resultType is \"scalar\"", "allowed: matrix, vector", "\"track\""});
    expect_refused(answer(R"([1,"x"])", "string"), Code::data_document, {"\"string\""});
    expect_refused(answer("[]", "streams"), Code::data_document, {"\"streams\"; allowed: matrix, vector"});
    expect_refused(sample("prom_alerts.json"), Code::data_document,
                   {"requests.data has no \"resultType\"", "query_range"});
}

TEST(ReadPrometheus, RefusesNativeHistograms) {
    for (const std::string key : {R"("histogram":[1,{"count":"5","sum":"1"}])", R"("histograms":[])"}) {
        expect_refused(answer(R"([{"metric":{"track":"canary"},)" + key + "}]"), Code::data_document,
                       {"requests.data.result[0] holds native histograms", "histogram_quantile"});
    }
}

TEST(ReadPrometheus, RefusesOtherDocuments) {
    for (const std::string text :
         {"[]", "5", "null", "\"x\"", "{}", R"({"status":1})", R"({"status":"ok"})", R"({"status":"success"})",
          R"({"status":"success","data":[]})", R"({"status":"success","data":{}})"}) {
        expect_refused(text, Code::data_document, {"requests", "allowed: "});
    }
    expect_refused(answer("{}"), Code::data_document, {"requests.data.result is no array"});
    expect_refused(answer("[5]"), Code::data_document, {"requests.data.result[0] has no \"metric\""});
    expect_refused(answer(R"([{"metric":[]}])"), Code::data_document, {"has no \"metric\""});
    expect_refused(answer(R"([{"metric":{"track":5}}])"), Code::data_document, {"result[0].metric.track is \"5\""});
    expect_refused(answer(R"([{"metric":{"track":"canary"}}])"), Code::data_document, {"neither \"values\" nor"});
    expect_refused(answer(R"([{"metric":{"track":"canary"},"values":{}}])"), Code::data_document, {"neither"});
    expect_refused(answer("[" + entry(R"("track":"canary")") + "," + entry(R"("track":"canary")") + "]"),
                   Code::data_document, {"result[1] has the labels of an earlier one"});
    for (const std::string le : {"x", "NaN", "-Inf", ""}) {
        expect_refused(answer("[" + entry(R"("track":"canary","le":")" + le + "\"") + "]"), Code::data_value,
                       {"result[0].metric.le is \"" + le + "\"; allowed: a number, +Inf"});
    }
}

TEST(ReadPrometheus, RefusesSamples) {
    const auto with = [](const std::string& values) {
        return answer(R"([{"metric":{"track":"canary"},"values":)" + values + "}]");
    };
    for (const std::string bad :
         {R"([5])", R"([[1]])", R"([[1,"5",6]])", R"([["1","5"]])", R"([[1,5]])", R"([[1,null]])", R"([{"0":1}])"}) {
        expect_refused(with(bad), Code::data_value, {"result[0].values has ", "allowed: [seconds, \"value\"]"});
    }
    expect_refused(with(R"([[1,"5"],[2,"abc"]])"), Code::data_value,
                   {"has the value \"abc\"; allowed: a decimal number"});
    expect_refused(with(R"([[1,"1e999"]])"), Code::data_value, {"\"1e999\""});
    expect_refused(with(R"([[1,""]])"), Code::data_value, {"has the value \"\""});
    for (const std::string time : {"1795382489000", "1e300", "-1e300", "-62135596801", "253402300800"}) {
        expect_refused(with("[[" + time + ",\"5\"]]"), Code::data_timestamp, {"has the time ", "Unix seconds"});
    }
    EXPECT_EQ(read_prometheus(with(R"([[-1.0006,"5"],[0.0014,"5"]])"), captured).batch.series[0].series.times_ms,
              (std::vector<std::int64_t>{-1001, 1}));
    EXPECT_TRUE(read_prometheus(with("[]"), captured).batch.series[0].series.values.empty());
}

TEST(ReadPrometheus, RefusesTextsThatAreNoJson) {
    for (const std::string text : {"", " ", "{", "[1,]", "{\"a\":1,}", "nul", "{'a':1}", "\"\xFF\"", "{\"a\":1}x",
                                   "{\"status\":01}", "[1e999]", "<html>502 Bad Gateway</html>"}) {
        expect_refused(text, Code::data_document, {"the answer is no JSON", "line 1, column "});
    }
    expect_refused(R"({"status":"success","data":{"a":1,"b":2,"a":3}})", Code::data_document,
                   {"the answer has the key data.a twice"});
}

TEST(ReadPrometheus, DepthSizeAndGarbageEndQuickly) {
    expect_refused(std::string(100'000, '['), Code::data_size, {"nested too deeply", "64"});
    expect_refused(std::string(10'000'000, '[') + std::string(10'000'000, ']'), Code::data_size, {"nested too deeply"});
    std::string objects;
    for (int i = 0; i < 100'000; ++i) objects += "{\"a\":";
    expect_refused(objects, Code::data_size, {"nested too deeply"});
    // 64 within one another are legal JSON here; this one is only no answer.
    expect_refused(std::string(64, '[') + std::string(64, ']'), Code::data_document, {"requests is "});
    expect_refused(std::string(65, '[') + std::string(65, ']'), Code::data_size, {"nested too deeply"});
    expect_refused(std::string(10'000'000, 'x'), Code::data_document, {"no JSON"});
    expect_refused("\"" + std::string(10'000'000, 'x'), Code::data_document, {"no JSON"});
    expect_refused("{\"" + std::string(10'000'000, 'k') + "\":1}", Code::data_document, {"no \"status\""});
    expect_refused("[" + std::string(10'000'000, '9') + "]", Code::data_document, {"no JSON"});
    PrometheusOptions small = captured;
    small.max_bytes = 10;
    expect_refused(sample("prom_empty.json"), Code::data_size, {"63 bytes; allowed: at most 10"}, small);
}

TEST(ReadPrometheus, RefusesOptionsThatCannotTellTheArmsApart) {
    expect_refused(answer("[]"), Code::argument_word, {"both \"x\""}, {.series = "a", .baseline = "x", .canary = "x"});
    expect_refused(answer("[]"), Code::argument_word, {"label is \"\""}, {.series = "a", .label = ""});
}

TEST(ReadPrometheusDocument, OneAnswerASeries) {
    const PrometheusAnswer read = read_prometheus_document(sample("document.json"), captured);
    ASSERT_EQ(read.batch.series.size(), 4U);
    const std::vector<std::pair<std::string, Arm>> expected{{"requests_200", Arm::baseline},
                                                            {"requests_200", Arm::canary},
                                                            {"requests_500", Arm::baseline},
                                                            {"requests_500", Arm::canary}};
    for (std::size_t i = 0; i < expected.size(); ++i) {
        EXPECT_EQ(read.batch.series[i].name, expected[i].first);
        EXPECT_EQ(read.batch.series[i].arm, expected[i].second);
        EXPECT_EQ(read.batch.series[i].series.instance, "");
    }
    EXPECT_EQ(read.batch.series[3].series.values.back(), 23);
    EXPECT_EQ(read_prometheus_document(sample("document.json"), {}).ignored_series, 2);
}

TEST(ReadPrometheusDocument, Refusals) {
    expect_refused("{}", Code::data_empty, {"no series", "allowed: {\"SERIES\": ANSWER"}, captured, true);
    expect_refused("[]", Code::data_document, {"allowed: {\"SERIES\": ANSWER"}, captured, true);
    expect_refused(sample("prom_empty.json"), Code::data_document, {"a single answer"}, captured, true);
    expect_refused("{\"http_errors\":" + sample("prom_error.json") + "}", Code::data_query,
                   {"http_errors: the query failed: bad_data"}, captured, true);
    expect_refused("{\"http_errors\":5}", Code::data_document, {"http_errors is \"5\""}, captured, true);
    expect_refused("{\"\":" + answer("[]") + "}", Code::data_document, {"the key \"\""}, captured, true);
    expect_refused("{\"a\":" + answer("[]") + ",\"a\":" + answer("[]") + "}", Code::data_document,
                   {"the document has the key a twice"}, captured, true);
    // A plan may well call one of its series "status".
    EXPECT_TRUE(read_prometheus_document("{\"status\":" + answer("[]") + "}", captured).batch.series.empty());
}

}  // namespace
