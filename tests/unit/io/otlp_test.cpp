#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/core/error.hpp>
#include <serinus/io/data.hpp>
#include <serinus/io/otlp.hpp>
#include <serinus/io/prometheus.hpp>

#include "support/read_sample.hpp"

namespace {

using serinus::Arm;
using serinus::ArmHistogram;
using serinus::ArmSeries;
using serinus::Batch;
using serinus::BucketEnds;
using serinus::Code;
using serinus::Error;
using serinus::HistogramBucket;
using serinus::HistogramLayout;
using serinus::HistogramSample;
using serinus::Series;
using serinus::io::looks_like_otlp;
using serinus::io::read_otlp;
using serinus::io::ReadOptions;
using support::find_series;
using support::read_sample;
using support::sentences;

constexpr double infinity = std::numeric_limits<double>::infinity();
const std::string folder = "otlp/";
const ReadOptions versions{.arms = {"service.version", "1.8.2", "1.9.0"}};

void expect_refused(const std::string& text, Code code, const std::vector<std::string>& said,
                    const ReadOptions& options = {}) {
    support::expect_refused([&](const std::string& it) { read_otlp(it, options); }, text, code, said);
}

/// A request with one metric of the canary.
std::string request(const std::string& metric, const std::string& resource = "") {
    return R"({"resourceMetrics":[{"resource":{"attributes":[{"key":"track","value":{"stringValue":"canary"}})" +
           resource + R"(]},"scopeMetrics":[{"metrics":[)" + metric + "]}]}]}";
}
std::string sum(const std::string& points,
                const std::string& more = R"("aggregationTemporality":2,"isMonotonic":true)") {
    return R"({"name":"a","sum":{"dataPoints":[)" + points + "]," + more + "}}";
}
std::string point(int start, int time, int value, const std::string& more = "") {
    return R"({"startTimeUnixNano":")" + std::to_string(start) + R"(000000000","timeUnixNano":")" +
           std::to_string(time) + R"(000000000","asInt":")" + std::to_string(value) + "\"" + more + "}";
}

const ArmHistogram& histogram(const Batch& batch, const std::string& name, Arm arm, const std::string& holds) {
    for (const ArmHistogram& one : batch.histograms) {
        if (one.name == name && one.arm == arm && one.labels.find(holds) != std::string::npos) return one;
    }
    throw std::runtime_error("no histogram " + name + " with " + holds);
}

/// One stream of the captured files: metric, arm, what its labels hold.
const ArmSeries& stream(const Batch& batch, const std::string& name, Arm arm, const std::string& restart,
                        const std::string& holds) {
    for (const ArmSeries& one : batch.series) {
        if (one.name == name && one.arm == arm && one.labels.find(holds) != std::string::npos &&
            one.labels.find("\"k8s.container.restart_count\"=\"" + restart + "\"") != std::string::npos) {
            return one;
        }
    }
    throw std::runtime_error("no stream " + name + " with " + holds);
}

TEST(ReadOtlp, CumulativeSumsAndTheirStartTimes) {
    for (const std::string file : {"otlp_collector_cumulative.jsonl", "otlp_pyfile_cumulative.jsonl"}) {
        const Batch batch = read_otlp(read_sample(folder + file), versions);
        const ArmSeries& before = stream(batch, "shop.orders", Arm::canary, "0", "\"payment.kind\"=\"card\"");
        EXPECT_EQ(before.series.instance, "shop.checkout-7d9f8c6b54-q2x7k.checkout");
        EXPECT_EQ(before.series.values, (std::vector<double>{9, 16, 22}));
        EXPECT_EQ(before.series.starts_ms, std::vector<std::int64_t>(3, 1'796'012'838'364));
        EXPECT_EQ(before.labels.find("service.version"), std::string::npos);
        EXPECT_NE(before.labels.find("otel_scope_name=\"shop.checkout\""), std::string::npos);
        const ArmSeries& after = stream(batch, "shop.orders", Arm::canary, "1", "\"payment.kind\"=\"card\"");
        EXPECT_EQ(after.series.instance, before.series.instance);
        EXPECT_EQ(after.series.values, (std::vector<double>{10, 10, 19}));
        EXPECT_EQ(after.series.starts_ms, std::vector<std::int64_t>(3, 1'796'012'897'299));
        EXPECT_EQ(after.series.times_ms.size(), 3U);
        // What goes up and down has no start.
        EXPECT_TRUE(stream(batch, "http.server.active_requests", Arm::canary, "0", "").series.starts_ms.empty());
        EXPECT_EQ(stream(batch, "shop.queue.depth", Arm::canary, "0", "mail").series.values,
                  (std::vector<double>{2, 6, 6}));
    }
}

/// The same exports as deltas and as counters: their running sums are the counters, idle intervals included.
TEST(ReadOtlp, DeltasAreSummedUpToTheCountersOfTheSameExports) {
    for (const auto& [deltas, counters] : std::vector<std::pair<std::string, std::string>>{
             {"otlp_collector_delta.jsonl", "otlp_collector_cumulative.jsonl"},
             {"otlp_pyfile_delta.jsonl", "otlp_pyfile_cumulative.jsonl"}}) {
        const Batch summed = read_otlp(read_sample(folder + deltas), versions);
        const Batch counted = read_otlp(read_sample(folder + counters), versions);
        int compared = 0;
        for (const ArmSeries& expected : counted.series) {
            if (expected.series.starts_ms.empty()) continue;  // gauges were read again
            const ArmSeries* found = nullptr;
            for (const ArmSeries& one : summed.series) {
                const bool same_bucket = one.le == expected.le || (std::isnan(one.le) && std::isnan(expected.le));
                if (one.name == expected.name && one.arm == expected.arm && one.labels == expected.labels &&
                    same_bucket)
                    found = &one;
            }
            ASSERT_NE(found, nullptr) << expected.name << expected.labels;
            ASSERT_EQ(found->series.values.size(), expected.series.values.size()) << expected.name << expected.labels;
            for (std::size_t i = 0; i < expected.series.values.size(); ++i) {
                EXPECT_NEAR(found->series.values[i], expected.series.values[i], 1e-9) << expected.name << i;
                EXPECT_LE(std::abs(found->series.starts_ms[i] - expected.series.starts_ms[i]), 1);
                EXPECT_LE(std::abs(found->series.times_ms[i] - expected.series.times_ms[i]), 10);
            }
            ++compared;
        }
        EXPECT_GT(compared, 30);
    }
}

TEST(ReadOtlp, EncodersOfOneMeaning) {
    for (const std::string temporality : {"cumulative", "delta"}) {
        const Batch batch = read_otlp(read_sample(folder + "otlp_pb_" + temporality + ".json"), versions);
        EXPECT_EQ(stream(batch, "shop.orders", Arm::baseline, "0", "card").series.values,
                  temporality == "delta" ? (std::vector<double>{34, 71}) : (std::vector<double>{34, 191}));
        EXPECT_EQ(stream(batch, "shop.orders", Arm::canary, "1", "invoice").series.values.size(), 2U);
    }
    const Batch names = read_otlp(read_sample(folder + "otlp_pb_default_enum_names_base64.json"), versions);
    EXPECT_FALSE(names.series.empty());
    for (const std::string& note : sentences(names)) EXPECT_EQ(note.find("does not say whether"), std::string::npos);
}

TEST(ReadOtlp, ThePlansNames) {
    const std::string text = read_sample(folder + "otlp_collector_cumulative.jsonl");
    const auto named = [&](const std::string& name) {
        ReadOptions options = versions;
        options.names = {name};
        const Batch batch = read_otlp(text, options);
        return std::any_of(batch.series.begin(), batch.series.end(), [&](const auto& s) { return s.name == name; });
    };
    for (const std::string name :
         {"shop.orders", "shop_orders", "shop_orders_total", "shop.orders_total", "shop.revenue_EUR_total",
          "shop_revenue_EUR_total", "shop.cache.hit_ratio", "shop_cache_hit_ratio", "http_server_active_requests",
          "http.server.request.duration_count", "http_server_request_duration_seconds_bucket",
          "http.server.request.duration_seconds_sum", "shop_payment_duration_seconds_count"}) {
        EXPECT_TRUE(named(name)) << name;
    }
    EXPECT_FALSE(named("shop_orders_seconds"));
    // Labels, too, may be called as Prometheus calls them.
    const Batch legacy = read_otlp(text, {.arms = {"service_version", "1.8.2", "1.9.0"},
                                          .instance_label = "k8s_pod_name",
                                          .replica_labels = {"service_instance_id"},
                                          .names = {"shop_orders_total"}});
    const ArmSeries& one = stream(legacy, "shop_orders_total", Arm::baseline, "0", "card");
    EXPECT_EQ(one.series.instance, "checkout-5c4d8b7f96-h8w2m");
    EXPECT_EQ(one.replica, "shop.checkout-5c4d8b7f96-h8w2m.checkout");
}

TEST(ReadOtlp, Histograms) {
    ReadOptions asked = versions;
    asked.names = {"http_server_request_duration_seconds_bucket", "http_server_request_duration_seconds_count"};
    const Batch batch = read_otlp(read_sample(folder + "otlp_collector_cumulative.jsonl"), asked);
    const ArmHistogram& duration = histogram(batch, "http.server.request.duration", Arm::baseline, "\"200\"");
    ASSERT_EQ(duration.series.samples.size(), 6U);
    EXPECT_FALSE(duration.series.delta);
    EXPECT_EQ(duration.series.starts_ms[5], 1'796'012'835'347);
    for (const ArmHistogram& one : batch.histograms) {
        for (const HistogramSample& sample : one.series.samples) EXPECT_EQ(bucket_total(sample), sample.count);
    }
    const HistogramSample& first = duration.series.samples[0];
    EXPECT_EQ(first.layout, HistogramLayout::classic);
    EXPECT_EQ(first.count, 59);
    EXPECT_EQ(first.sum, 4.778699661875825);
    ASSERT_EQ(first.buckets.size(), 7U);
    EXPECT_EQ(first.buckets[0], (HistogramBucket{-infinity, 0.025, 0, BucketEnds::upper}));
    EXPECT_EQ(first.buckets[2], (HistogramBucket{0.05, 0.1, 37, BucketEnds::upper}));
    EXPECT_EQ(first.buckets[6].upper, infinity);
    // The same as Prometheus has it: cumulative over the buckets.
    EXPECT_EQ(find_series(batch, asked.names[0], Arm::baseline, "\"200\"", 0.1).series.values[0], 44);
    EXPECT_EQ(find_series(batch, asked.names[0], Arm::baseline, "\"200\"", infinity).series.values,
              find_series(batch, asked.names[1], Arm::baseline, "\"200\"").series.values);
    for (const ArmSeries& s : batch.series) EXPECT_NE(s.name, "http_server_request_duration_seconds_sum");

    // The plan reads what was made of these, and nothing of the others.
    EXPECT_EQ(sentences(batch),
              std::vector<std::string>{
                  "12 histograms of shop.payment.duration, and no metric of the plan judges histograms"});

    const ArmHistogram& payment = histogram(batch, "shop.payment.duration", Arm::baseline, "card");
    EXPECT_EQ(payment.series.samples[0].layout, HistogramLayout::exponential);
    EXPECT_EQ(payment.series.samples[0].buckets[0].ends, BucketEnds::both);
    EXPECT_EQ(payment.series.samples[0].buckets[0].count, 2);
    const Batch deltas = read_otlp(read_sample(folder + "otlp_collector_delta.jsonl"), versions);
    EXPECT_TRUE(histogram(deltas, "shop.payment.duration", Arm::baseline, "card").series.delta);
    EXPECT_EQ(histogram(deltas, "shop.payment.duration", Arm::baseline, "card").series.samples[5].count, 60);
}

/// The same exports went to Prometheus 3.16, whose answer has them as native histograms.
TEST(ReadOtlp, ExponentialHistogramsAreWhatPrometheusMakesOfThem) {
    const Batch ours = read_otlp(read_sample(folder + "otlp_collector_cumulative.jsonl"), versions);
    const Batch theirs =
        serinus::io::read_prometheus(read_sample("prometheus/prom316_otlp_exponential.json"), versions);
    const HistogramSample& mine = histogram(ours, "shop.payment.duration", Arm::baseline, "card").series.samples[0];
    const HistogramSample& other =
        histogram(theirs, "shop.payment.duration_seconds", Arm::baseline, "card").series.samples[0];
    EXPECT_EQ(mine.count, other.count);
    EXPECT_EQ(mine.sum, other.sum);
    EXPECT_EQ(other.layout, HistogramLayout::exponential);
    ASSERT_EQ(mine.buckets.size(), other.buckets.size());
    for (std::size_t i = 1; i < mine.buckets.size(); ++i) {
        EXPECT_DOUBLE_EQ(mine.buckets[i].lower, other.buckets[i].lower);
        EXPECT_DOUBLE_EQ(mine.buckets[i].upper, other.buckets[i].upper);
        EXPECT_EQ(mine.buckets[i].count, other.buckets[i].count);
    }
}

TEST(ReadOtlp, OddPoints) {
    const Batch batch = read_otlp(read_sample(folder + "otlp_collector_odd.jsonl"), versions);
    const Series& gauge = find_series(batch, "odd.gauge", Arm::canary).series;
    ASSERT_EQ(gauge.values.size(), 8U);
    EXPECT_TRUE(std::isnan(gauge.values[0]));
    EXPECT_EQ(gauge.values[1], infinity);
    EXPECT_EQ(gauge.values[2], -infinity);
    EXPECT_EQ(gauge.values[4], std::numeric_limits<double>::denorm_min());
    EXPECT_TRUE(std::isnan(gauge.values[7]));  // no recorded value
    EXPECT_EQ(gauge.times_ms[7], 1'796'012'808'000);
    const ArmSeries& huge = find_series(batch, "odd.sum.huge", Arm::canary, "sign=\"-\"");
    EXPECT_EQ(huge.series.values[0], -9223372036854775808.0);
    EXPECT_NE(huge.labels.find(R"("shop.owner"="{\"team\":\"pay\\\"ments\\\"\"}")"), std::string::npos);
    EXPECT_NE(huge.labels.find("\"process.pid\"=\"-9007199254740993\""), std::string::npos);
    EXPECT_NE(huge.labels.find("\"shop.canary\"=\"true\""), std::string::npos);
    EXPECT_NE(huge.labels.find("\"shop.share\"=\"0.25\""), std::string::npos);
    EXPECT_EQ(huge.labels.find("shop.empty"), std::string::npos);
    EXPECT_EQ(find_series(batch, "odd.sum.unspecified", Arm::canary).series.values, std::vector<double>{3});
    bool told = false;
    for (const std::string& note : sentences(batch))
        told = told ||
               note.find("odd.sum.unspecified does not say whether it is cumulative or delta") != std::string::npos;
    EXPECT_TRUE(told);

    EXPECT_EQ(histogram(batch, "odd.histogram", Arm::canary, "{").series.samples[0].count, 18446744073709551615.0);
    const HistogramSample& bare = histogram(batch, "odd.histogram", Arm::canary, "buckets=\"none\"").series.samples[0];
    EXPECT_TRUE(bare.buckets.empty());
    EXPECT_EQ(bare.sum, 4.5);
    const HistogramSample& below = histogram(batch, "odd.histogram", Arm::canary, "sum=").series.samples[0];
    EXPECT_TRUE(std::isnan(below.sum));
    EXPECT_EQ(below.buckets[1], (HistogramBucket{-5, 0, 2, BucketEnds::upper}));
    for (const ArmHistogram& one : batch.histograms)
        EXPECT_EQ(one.labels.find("recorded"), std::string::npos);  // nothing was

    const HistogramSample& odd = histogram(batch, "odd.exponential", Arm::canary, "{").series.samples[0];
    EXPECT_EQ(odd.count, 12);
    EXPECT_EQ(odd.buckets, (std::vector<HistogramBucket>{{-16, -1, 2, BucketEnds::lower},
                                                         {-1, -0.0625, 2, BucketEnds::lower},
                                                         {-0.001, 0.001, 3, BucketEnds::both},
                                                         {1, 16, 4, BucketEnds::upper},
                                                         {256, 4096, 1, BucketEnds::upper}}));
    EXPECT_EQ(bucket_total(odd), odd.count);
    EXPECT_EQ(histogram(batch, "odd.exponential", Arm::canary, "empty=").series.samples[0].count, 0);
    EXPECT_EQ(histogram(batch, "odd.exponential", Arm::canary, "zeros=").series.samples[0].buckets,
              (std::vector<HistogramBucket>{{0, 0, 5, BucketEnds::both}}));

    EXPECT_EQ(find_series(batch, "odd.summary", Arm::canary, "quantile=\"0\"").series.values[0], 0.01);
    EXPECT_TRUE(std::isnan(find_series(batch, "odd.summary", Arm::canary, "quantile=\"1\"").series.values[0]));
    EXPECT_EQ(find_series(batch, "odd.summary_count", Arm::canary).series.values[0], 100);
}

TEST(ReadOtlp, LenientSpellings) {
    const ReadOptions whole{.arms = {.baseline = ""}};
    for (const std::string file : {"otlp_lenient_input.json", "otlp_collector_lenient.jsonl"}) {
        const Batch batch = read_otlp(read_sample(folder + file), whole);
        const Series& sum = find_series(batch, "lenient.sum", Arm::baseline).series;
        EXPECT_EQ(sum, (Series{{1'796'012'810'000}, {7}, "", {1'796'012'800'000}})) << file;
        EXPECT_EQ(find_series(batch, "lenient.gauge", Arm::baseline).series.values[1], 1.5);
        // A delta; nothing more until the time of the last export.
        EXPECT_EQ(find_series(batch, "lenient.enum", Arm::baseline).series.values, (std::vector<double>{1, 1}));
    }
}

TEST(ReadOtlp, AnArmMayBeAnAttributeOfAPoint) {
    for (const std::string file : {"otlp_cumulative.jsonl", "otlp_delta.jsonl"}) {
        const Batch batch = read_otlp(read_sample(folder + file), {.arms = {"deployment_track", "baseline", "canary"}});
        EXPECT_EQ(find_series(batch, "http.server.requests", Arm::baseline, "200").series.values,
                  (std::vector<double>{345, 712, 1077}))
            << file;
        EXPECT_EQ(find_series(batch, "http.server.requests", Arm::canary, "500").series.values.back(), 4) << file;
        EXPECT_EQ(find_series(batch, "http.server.requests", Arm::canary, "500").series.instance,
                  "cb549420-80b1-458a-96c7-9dc65aae49ce");
    }
}

TEST(ReadOtlp, NoDeltaIsLostAndNoneCountedTwice) {
    const std::string deltas = R"("aggregationTemporality":1,"isMonotonic":true)";
    const std::string code = R"(,"attributes":[{"key":"code","value":{"intValue":500}}])";
    // Out of order, one repeated, one without a value; the errors are not mentioned at 30.
    const std::string text =
        request(sum(point(10, 20, 5) + "," + point(0, 10, 3) + "," + point(0, 10, 1, code), deltas)) + "\n" +
        request(sum(point(10, 20, 5) + "," + point(20, 30, 2) + "," + point(20, 40, 4, code) + "," +
                        R"({"timeUnixNano":"40000000000","flags":1})",
                    deltas));
    const Batch batch = read_otlp(text);
    ASSERT_EQ(batch.series.size(), 2U);
    const Series& all = batch.series[batch.series[0].labels.empty() ? 0 : 1].series;
    const Series& errors = batch.series[batch.series[0].labels.empty() ? 1 : 0].series;
    EXPECT_EQ(all.times_ms, (std::vector<std::int64_t>{10'000, 20'000, 30'000, 40'000}));
    EXPECT_EQ(all.values, (std::vector<double>{3, 8, 10, 10}));
    EXPECT_EQ(errors.values, (std::vector<double>{1, 1, 1, 5}));
    EXPECT_EQ(sentences(batch),
              std::vector<std::string>{"1 row not read: they tell a delta of a time again that was told before"});
    // A text that begins later is a counter of its own, by its start time.
    const Batch later = read_otlp(request(sum(point(30, 40, 7), deltas)));
    EXPECT_EQ(later.series[0].series, (Series{{40'000}, {7}, "", {30'000}}));
    expect_refused(request(sum(point(0, 10, 1), deltas)) + request(sum(point(0, 20, 1))), Code::data_value,
                   {"another aggregationTemporality"});
}

TEST(ReadOtlp, Refusals) {
    for (const std::string& text : {std::string(), std::string("{}"), std::string("{}\n{}"), request(""),
                                    request(R"({"name":"a"})"), request(R"({"name":"a","gauge":{}})")}) {
        expect_refused(text, Code::data_empty, {"no data point"});
    }
    expect_refused(R"({"resourceSpans":[]})", Code::data_format, {"line 1: the request holds OpenTelemetry traces"});
    expect_refused("{}\n{\"resourceLogs\":[]}", Code::data_format, {"line 2: the request holds OpenTelemetry logs"});
    for (const std::string text : {"5", "[]", R"({"resource_metrics":[]})"}) {
        expect_refused(text, Code::data_document, {"the request is ", "allowed: OTLP/JSON metrics"});
    }
    expect_refused("{}\n{", Code::data_document, {"line 2 is no JSON"});
    expect_refused(R"({"resourceMetrics":5})", Code::data_document, {"resourceMetrics is \"5\"; allowed: an array"});
    const std::string at = "line 1: resourceMetrics[0].scopeMetrics[0].metrics[0]";
    expect_refused(request(R"({"gauge":{"dataPoints":[{}]}})"), Code::data_document, {at + " has no name"});
    expect_refused(request(R"({"name":5})"), Code::data_document, {at + ".name is \"5\""});
    expect_refused(request(sum("5")), Code::data_document, {at + ".sum.dataPoints[0] is \"5\""});
    expect_refused(request(sum("{}")), Code::data_timestamp, {at + ".sum.dataPoints[0] has no timeUnixNano"});
    for (const std::string time : {"\"x\"", "\"-5\"", "-5", "\"1.5\"", "{}", "1e300", "\"99999999999999999999\""}) {
        expect_refused(request(sum(R"({"timeUnixNano":)" + time + "}")), Code::data_timestamp,
                       {".timeUnixNano is ", "Unix nanoseconds"});
    }
    for (const std::string value : {R"("asInt":"x")", R"("asInt":1.5)", R"("asInt":"1e5")", R"("asDouble":"x")",
                                    R"("asDouble":true)", R"("flags":"x")", R"("asInt":"99999999999999999999")"}) {
        expect_refused(request(sum(R"({"timeUnixNano":"5000000",)" + value + "}")), Code::data_value, {"allowed: "});
    }
    expect_refused(request(sum(point(0, 1, 1), R"("aggregationTemporality":7)")), Code::data_value,
                   {"aggregationTemporality is \"7\""});
    expect_refused(request(sum(point(0, 1, 1, R"(,"attributes":[5])"))), Code::data_document, {"attributes is \"5\""});
    const auto with = [&](const std::string& kind, const std::string& point) {
        return request(R"({"name":"a",")" + kind + R"(":{"dataPoints":[{"timeUnixNano":"5000000",)" + point + "}]}}");
    };
    for (const std::string bad :
         {R"("count":"-1")", R"("count":"1.5")", R"("bucketCounts":["1"],"explicitBounds":[1,2])",
          R"("bucketCounts":["1","x"],"explicitBounds":[1])", R"("bucketCounts":["1","1","1"],"explicitBounds":[2,1])",
          R"("explicitBounds":["NaN"])", R"("explicitBounds":["Infinity"])", R"("sum":"x")"}) {
        expect_refused(with("histogram", bad), Code::data_value, {".histogram.dataPoints[0]."});
    }
    for (const std::string bad : {R"("scale":1000)", R"("positive":{"offset":99999999999,"bucketCounts":["1"]})",
                                  R"("zeroCount":"1","zeroThreshold":-1)", R"("positive":{"bucketCounts":["-1"]})"}) {
        expect_refused(with("exponentialHistogram", bad), Code::data_value, {".exponentialHistogram.dataPoints[0]."});
    }
    // Ends beyond a double's range are the last that there are.
    const Batch far = read_otlp(with("exponentialHistogram", R"("scale":0,"count":"2","positive":{"offset":2000,
        "bucketCounts":["1"]},"negative":{"offset":-3000,"bucketCounts":["1"]})"));
    for (const HistogramBucket& bucket : far.histograms[0].series.samples[0].buckets)
        EXPECT_TRUE(bucket.lower <= bucket.upper && bucket.lower < infinity);
    expect_refused(read_sample(folder + "otlp_delta.jsonl"), Code::data_arm, {"has the label \"track\""});
    expect_refused("{}", Code::data_size, {"allowed: at most 1"}, {.max_bytes = 1});
}

TEST(ReadOtlp, IsTold) {
    for (const std::string name :
         {"otlp_collector_delta.jsonl", "otlp_pb_cumulative.json", "otlp_lenient_input.json"}) {
        EXPECT_TRUE(looks_like_otlp(read_sample(folder + name)));
        EXPECT_EQ(serinus::io::guess_format(read_sample(folder + name)), serinus::io::DataFormat::otlp);
    }
    for (const std::string text : {"", "[]", R"({"a":{"resourceMetrics":[]}})", "resourceMetrics"})
        EXPECT_FALSE(looks_like_otlp(text)) << text;
}

}  // namespace
