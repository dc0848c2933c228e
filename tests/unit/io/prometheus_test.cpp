#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <serinus/core/error.hpp>
#include <serinus/io/prometheus.hpp>

#include "support/data_dir.hpp"
#include "support/read_sample.hpp"

namespace {

using serinus::Arm;
using serinus::ArmHistogram;
using serinus::ArmSeries;
using serinus::Batch;
using serinus::Code;
using serinus::Error;
using serinus::HistogramBucket;
using serinus::HistogramLayout;
using serinus::HistogramSample;
using serinus::Reason;
using serinus::Series;
using serinus::io::read_prometheus;
using serinus::io::ReadOptions;

constexpr double infinity = std::numeric_limits<double>::infinity();

/// The captured answers call the baseline "baseline".
const ReadOptions captured{.arms = {.baseline = "baseline"}};

std::string answer(const std::string& result, const std::string& type = "matrix") {
    return R"({"status":"success","data":{"resultType":")" + type + R"(","result":)" + result + "}}";
}

/// One label set with one sample: 5 at time 1.
std::string entry(const std::string& labels) { return R"({"metric":{)" + labels + R"(},"values":[[1,"5"]]})"; }

void expect_refused(const std::string& text, Code code, const std::vector<std::string>& said,
                    const ReadOptions& options = captured, const std::string& series = "requests") {
    support::expect_refused([&](const std::string& it) { read_prometheus(it, options, series); }, text, code, said);
}

Batch read(const std::string& text, const ReadOptions& options = captured, const std::string& series = "requests") {
    return read_prometheus(text, options, series);
}

/// Arm, instance, labels and replica of each series.
std::vector<std::string> identities(const Batch& batch) {
    std::vector<std::string> all;
    for (const ArmSeries& s : batch.series) {
        all.push_back(std::string(word(s.arm)) + " " + s.series.instance + s.labels +
                      (s.replica.empty() ? "" : " by " + s.replica));
    }
    return all;
}

std::vector<std::string> sentences(const Batch& batch) {
    std::vector<std::string> all;
    for (const Reason& note : batch.notes) all.push_back(sentence(note));
    return all;
}

TEST(ReadPrometheus, RangeOfCountersByTrack) {
    const Batch batch = read(support::read_sample("prom_range_counters_by_track.json"));
    ASSERT_EQ(batch.series.size(), 4U);
    const ArmSeries& canary_errors = batch.series[3];
    EXPECT_EQ(canary_errors.name, "requests");
    EXPECT_EQ(canary_errors.arm, Arm::canary);
    EXPECT_TRUE(std::isnan(canary_errors.le));
    EXPECT_EQ(canary_errors.series.instance, "");
    EXPECT_EQ(canary_errors.labels, "{code=\"500\"}");
    ASSERT_EQ(canary_errors.series.values.size(), 33U);
    EXPECT_EQ(canary_errors.series.times_ms.front(), 1'795'382'489'000);
    EXPECT_EQ(canary_errors.series.times_ms.back(), 1'795'382'669'000);
    EXPECT_EQ(canary_errors.series.values.front(), 6);
    EXPECT_EQ(canary_errors.series.values.back(), 23);
    EXPECT_EQ(batch.series[0].arm, Arm::baseline);
    EXPECT_EQ(batch.series[0].series.values.size(), 37U);
    EXPECT_TRUE(batch.stages.empty());
    EXPECT_TRUE(batch.notes.empty());
}

TEST(ReadPrometheus, RangeOfCountersByInstance) {
    const Batch batch = read(support::read_sample("prom_range_counters.json"));
    EXPECT_EQ(identities(batch),
              (std::vector<std::string>{"baseline 127.0.0.1:19201{code=\"200\",job=\"shop\",version=\"v1\"}",
                                        "baseline 127.0.0.1:19202{code=\"200\",job=\"shop\",version=\"v1\"}",
                                        "canary 127.0.0.1:19203{code=\"200\",job=\"shop\",version=\"v2\"}",
                                        "baseline 127.0.0.1:19201{code=\"500\",job=\"shop\",version=\"v1\"}",
                                        "baseline 127.0.0.1:19202{code=\"500\",job=\"shop\",version=\"v1\"}",
                                        "canary 127.0.0.1:19203{code=\"500\",job=\"shop\",version=\"v2\"}"}));
    EXPECT_EQ(batch.series[0].series.values[0], 402);
}

TEST(ReadPrometheus, RawSamplesKeepTheirMilliseconds) {
    const Batch batch = read(support::read_sample("prom_instant_rawmatrix.json"));
    ASSERT_EQ(batch.series.size(), 2U);
    const Series& samples = batch.series[0].series;
    ASSERT_EQ(samples.values.size(), 80U);
    EXPECT_EQ(samples.times_ms[0], 1'795'382'491'000);
    EXPECT_EQ(samples.times_ms[1], 1'795'382'492'993);
    EXPECT_EQ(samples.times_ms[2], 1'795'382'494'997);
    EXPECT_EQ(samples.values[1], 163);
    EXPECT_TRUE(samples.starts_ms.empty());
}

TEST(ReadPrometheus, VectorIsOneSampleEach) {
    const Batch batch = read(support::read_sample("prom_instant_vector.json"));
    ASSERT_EQ(batch.series.size(), 4U);
    EXPECT_EQ(batch.series[3].series, (Series{{1'795'382'669'000}, {23.001578493274245}, ""}));
    EXPECT_EQ(batch.series[3].labels, "{code=\"500\"}");
}

TEST(ReadPrometheus, BucketsAreNotInstances) {
    const Batch batch = read(support::read_sample("prom_range_buckets.json"));
    ASSERT_EQ(batch.series.size(), 20U);  // 10 bounds, 2 arms
    EXPECT_EQ(batch.series[0].le, infinity);
    EXPECT_EQ(batch.series[0].series.values[0], 814);
    EXPECT_EQ(batch.series[2].le, 0.005);
    for (const ArmSeries& s : batch.series) EXPECT_EQ(s.series.instance + s.labels, "");
    // Prometheus 3 writes "1.0" where Prometheus 2 wrote "1": one bucket, also within one answer.
    const Batch both =
        read(answer("[" + entry(R"("track":"canary","le":"1")") + "," + entry(R"("track":"canary","le":"1.0")") + "," +
                    entry(R"("track":"canary","le":"1","instance":"x")") + "]"));
    ASSERT_EQ(both.series.size(), 2U);
    EXPECT_EQ(both.series[0].series.values.size(), 2U);
    EXPECT_EQ(both.series[1].series.instance, "x");
}

TEST(ReadPrometheus, ValuesThatAreNoNumbers) {
    const Batch nans = read(support::read_sample("prom_range_nan.json"));
    ASSERT_EQ(nans.series.size(), 2U);
    EXPECT_EQ(nans.series[0].series.values[0], 1);
    EXPECT_TRUE(std::isnan(nans.series[0].series.values[1]));
    const Batch infinities = read(support::read_sample("prom_range_inf.json"));
    ASSERT_EQ(infinities.series.size(), 1U);
    EXPECT_EQ(infinities.series[0].series.values.front(), -infinity);
    EXPECT_EQ(infinities.series[0].series.values.back(), infinity);
    EXPECT_EQ(infinities.series[0].series.instance, "127.0.0.1:19203");
    const Batch sizes = read(support::read_sample("prom_range_large_small.json"),
                             {.arms = {.label = "k", .baseline = "big", .canary = "small"}});
    ASSERT_EQ(sizes.series.size(), 2U);
    EXPECT_EQ(sizes.series[0].series.values[0], 1e21);
    EXPECT_EQ(sizes.series[1].series.values[0], 1e-9);
    EXPECT_EQ(sentences(sizes), std::vector<std::string>{"in neither arm: 1 series has another k: \"int\""});
    EXPECT_EQ(read(support::read_sample("prom_range_error_ratio.json")).series.size(), 2U);
}

TEST(ReadPrometheus, SeriesOfNeitherArmAreToldOnce) {
    // With the default "stable" the captured baseline belongs to no arm.
    const Batch others = read(support::read_sample("prom_range_counters_by_track.json"), {});
    EXPECT_EQ(identities(others), (std::vector<std::string>{"canary {code=\"200\"}", "canary {code=\"500\"}"}));
    ASSERT_EQ(others.notes.size(), 1U);
    EXPECT_EQ(others.notes[0].code, Code::series_of_neither_arm);
    EXPECT_EQ(others.notes[0].numbers.front().value, 2);
    EXPECT_EQ(sentence(others.notes[0]), "in neither arm: 2 series have another track: \"baseline\"");

    // `sum by (track) (...) or vector(0)` adds a series without any label.
    const Batch vector = read(answer("[" + entry(R"("track":"canary")") + "," + entry("") + "]"));
    EXPECT_EQ(sentences(vector), std::vector<std::string>{"in neither arm: 1 series has no label track: {} of requests "
                                                          "(`or vector(0)` is the usual cause)"});
    const Batch labelled = read(answer("[" + entry(R"("track":"canary")") + "," + entry(R"("code":"500")") + "," +
                                       entry(R"("code":"200")") + "," + entry(R"("track":"blue")") + "]"));
    EXPECT_EQ(sentences(labelled),
              std::vector<std::string>{"in neither arm: 2 series have no label track, such as {code=\"500\"} of "
                                       "requests; 1 series has another track: \"blue\""});
}

TEST(ReadPrometheus, RefusesWhereNoSeriesIsInAnArm) {
    std::string many;
    for (int i = 0; i < 30; ++i) many += (i == 0 ? "" : ",") + entry("\"track\":\"v" + std::to_string(i) + "\"");
    expect_refused(answer("[" + many + "," + entry("") + "]"), Code::data_arm,
                   {"the label \"track\" of all 31 series is \"v0\", \"v1\"", "\"v9\", ... or not there",
                    "allowed: \"baseline\" for the baseline, \"canary\" for the canary"});
    expect_refused(answer("[" + entry(R"("job":"x","version":"2")") + "]"), Code::data_arm,
                   {"none of 1 series has the label \"track\"; they have job, version"});
    expect_refused(answer("[" + entry("") + "]"), Code::data_arm, {"they have no labels"});
}

TEST(ReadPrometheus, EmptyResultIsAnEmptyBatch) {
    for (const std::string series : {"requests", ""}) {
        const Batch empty = read(support::read_sample("prom_empty.json"), captured, series);
        EXPECT_TRUE(empty.series.empty() && empty.notes.empty());
    }
    EXPECT_TRUE(read(answer("[]", "vector")).series.empty());
    EXPECT_TRUE(read("\xEF\xBB\xBF" + answer("[]")).series.empty());
}

TEST(ReadPrometheus, InstancesLabelsAndReplicas) {
    const auto of = [](const std::vector<std::string>& labels, ReadOptions options = captured) {
        std::string all;
        for (const std::string& set : labels) all += (all.empty() ? "" : ",") + entry(set);
        return identities(read_prometheus(answer("[" + all + "]"), options, "requests"));
    };
    using Names = std::vector<std::string>;
    const std::string b1 = R"("track":"baseline","instance":"a","pod":"p1")";
    const std::string b2 = R"("track":"baseline","instance":"b","pod":"p2")";
    const std::string c1 = R"("track":"canary","instance":"c","pod":"p3")";
    EXPECT_EQ(of({b1, b2, c1}), (Names{"baseline a{pod=\"p1\"}", "baseline b{pod=\"p2\"}", "canary c{pod=\"p3\"}"}));
    ReadOptions by_pod = captured;
    by_pod.instance_label = "pod";
    EXPECT_EQ(of({b1, c1}, by_pod), (Names{"baseline p1{instance=\"a\"}", "canary p3{instance=\"c\"}"}));
    ReadOptions without = captured;
    without.instance_label = "";
    EXPECT_EQ(of({b1, c1}, without),
              (Names{"baseline {instance=\"a\",pod=\"p1\"}", "canary {instance=\"c\",pod=\"p3\"}"}));
    // Where nothing has an instance, the pod is one.
    EXPECT_EQ(of({R"("track":"baseline","pod":"p1","code":"200")", R"("track":"canary","pod":"p3")"}),
              (Names{"baseline p1{code=\"200\"}", "canary p3"}));
    EXPECT_EQ(of({R"("track":"baseline","pod":"p1")", R"("track":"canary","instance":"c")"}),
              (Names{"baseline {pod=\"p1\"}", "canary c"}));
    // Labels may be missing in some sets only, be empty (which is the same), and hold any text.
    EXPECT_EQ(of({R"("track":"canary","code":"200","path":"")", R"("track":"canary")",
                  R"("track":"canary","code":"a\"b\\c\n","länd":"ö")"}),
              (Names{"canary {code=\"200\"}", "canary ", "canary {code=\"a\\\"b\\\\c\\n\",\"länd\"=\"ö\"}"}));
    // The same instance in both arms (an upgrade in place) keeps its name in both.
    EXPECT_EQ(of({R"("track":"baseline","instance":"a")", R"("track":"canary","instance":"a")"}),
              (Names{"baseline a", "canary a"}));
    ReadOptions replicas = captured;
    replicas.replica_labels = {"prometheus_replica", "replica"};
    EXPECT_EQ(of({R"("track":"canary","instance":"a","replica":"r2","prometheus_replica":"p0","code":"1")",
                  R"("track":"canary","instance":"a","replica":"r1","code":"1")", R"("track":"canary")"},
                 replicas),
              (Names{"canary a{code=\"1\"} by p0,r2", "canary a{code=\"1\"} by r1", "canary "}));
}

TEST(ReadPrometheus, WarningsAndInfosAreNotes) {
    const Batch both = read(support::read_sample("prometheus/prom316_warnings_and_infos.json"), {});
    EXPECT_EQ(sentences(both),
              (std::vector<std::string>{
                  "the data's source warns: PromQL warning: quantile value should be between 0 and 1, got -1 (1:70)",
                  "the data's source notes: PromQL info: metric might not be a counter, name does not end in "
                  "_total/_sum/_count/_bucket: \"shop_in_flight\" (1:6)"}));
    const Batch empty = read(support::read_sample("prometheus/prom316_warnings_mixed.json"), {}, "");
    EXPECT_TRUE(empty.series.empty());
    ASSERT_EQ(empty.notes.size(), 1U);
    EXPECT_EQ(empty.notes[0].code, Code::source_warning);
    // The same in two answers of one document is told once; of a thousand the first ten and how many more.
    const std::string limit = support::read_sample("prometheus/prom316_warnings_limit.json");
    EXPECT_EQ(sentences(read("{\"a\":" + limit + ",\"b\":" + limit + "}", {}, "")),
              std::vector<std::string>{"the data's source warns: results truncated due to limit"});
    std::string many;
    for (int i = 0; i < 1000; ++i) many += (i == 0 ? "\"w" : ",\"w") + std::to_string(i) + '"';
    const Batch all = read(R"({"status":"success","warnings":[)" + many +
                           R"(],"isPartial":true,"data":{"resultType":"matrix","result":[]}})");
    ASSERT_EQ(all.notes.size(), 11U);
    EXPECT_EQ(sentence(all.notes[10]), "the data's source warns: 991 more of this kind");
    EXPECT_EQ(sentences(read(R"({"status":"success","isPartial":true,"data":{"resultType":"matrix","result":[]}})")),
              std::vector<std::string>{"the data's source warns: the answer is partial: some of the data could not be "
                                       "reached"});
}

TEST(ReadPrometheus, SingleAnswersCalledByTheirNames) {
    const std::string counters = support::read_sample("prometheus/prom242_counters_raw.json");
    const Batch by_name = read(counters, {.names = {"shop_requests_total", "other"}}, "");
    ASSERT_EQ(by_name.series.size(), 6U);
    EXPECT_EQ(by_name.series[0].name, "shop_requests_total");
    EXPECT_EQ(by_name.series[0].labels, "{code=\"200\",job=\"shop\"}");
    EXPECT_EQ(read(counters, {.names = {"shop_requests"}}, "").series[0].name, "shop_requests");
    EXPECT_EQ(read(counters, {}, "").series[0].name, "shop_requests_total");
    expect_refused(counters, Code::data_document,
                   {"a single answer", "are called \"shop_requests_total\", the plan's series \"a\", \"b\"",
                    "allowed: {\"SERIES\": ANSWER"},
                   {.names = {"a", "b"}}, "");
    const std::string ratio = support::read_sample("prometheus/prom242_ratio_nan.json");
    EXPECT_EQ(read(ratio, {.names = {"error_ratio"}}, "").series[0].name, "error_ratio");
    expect_refused(ratio, Code::data_document, {"a single answer", "have no __name__"}, {.names = {"a", "b"}}, "");
    expect_refused(ratio, Code::data_document, {"a single answer", "have no __name__"}, {}, "");
    expect_refused(answer("[" + entry(R"("track":"canary","__name__":"a")") + "," + entry(R"("track":"canary")") + "]"),
                   Code::data_document, {"data.result[1] has no __name__"}, captured, "");
}

TEST(ReadPrometheus, ANameStaysWhereAQueryGaveSeveral) {
    const std::string names = support::read_sample("prometheus/prom242_native_two_metrics.json");
    const Batch wrapped = read(names, {}, "sizes");
    ASSERT_EQ(wrapped.histograms.size(), 4U);
    EXPECT_EQ(wrapped.histograms[0].name, "sizes");
    EXPECT_EQ(wrapped.histograms[0].labels, "{__name__=\"shop_price_delta\"}");
    const Batch single = read(names, {}, "");
    EXPECT_EQ(single.histograms[0].name, "shop_price_delta");
    EXPECT_EQ(single.histograms[0].labels, "");
}

TEST(ReadPrometheus, CreatedSaysSinceWhen) {
    const auto series = [](const std::string& values, const std::string& more = "") {
        return answer(R"([{"metric":{"track":"canary","instance":"a")" + more + R"(},"values":)" + values + "}]");
    };
    const std::string text = "{\"http_requests\":" + series(R"([[100,"5"],[160,"7"],[220,"2"]])") +
                             ",\"http_requests_created\":" + series(R"([[160,"40.5"],[220,"200"]])") +
                             ",\"errors_total\":" + series(R"([[100,"1"]])", R"(,"code":"500")") +
                             ",\"errors_created\":" + series(R"([[100,"30"]])", R"(,"code":"404")") + "}";
    const Batch batch = read(text, captured, "");
    ASSERT_EQ(batch.series.size(), 3U);
    EXPECT_EQ(batch.series[0].name, "errors_created");  // of another code: a series like all others
    EXPECT_EQ(batch.series[2].name, "http_requests");
    EXPECT_EQ(batch.series[2].series.starts_ms, (std::vector<std::int64_t>{40'500, 40'500, 200'000}));
    EXPECT_TRUE(batch.series[1].series.starts_ms.empty());
    // A start after the sample is none.
    const Batch later =
        read("{\"a\":" + series(R"([[100,"5"]])") + ",\"a_created\":" + series(R"([[100,"101"]])") + "}", captured, "");
    EXPECT_EQ(later.series[0].series.starts_ms, std::vector<std::int64_t>{0});
    ReadOptions asked = captured;
    asked.names = {"a", "a_created"};
    EXPECT_EQ(read("{\"a\":" + series(R"([[100,"5"]])") + ",\"a_created\":" + series(R"([[100,"9"]])") + "}", asked, "")
                  .series.size(),
              2U);
}

const ArmHistogram& of_arm(const Batch& batch, Arm arm) {
    for (const ArmHistogram& histogram : batch.histograms) {
        if (histogram.arm == arm) return histogram;
    }
    throw std::runtime_error("no histogram of that arm");
}

TEST(ReadPrometheus, NativeHistograms) {
    for (const std::string version : {"242", "316"}) {
        const Batch raw = read(support::read_sample("prometheus/prom" + version + "_native_raw.json"), {});
        ASSERT_EQ(raw.histograms.size(), 2U);
        EXPECT_TRUE(raw.series.empty());
        const ArmHistogram& canary = of_arm(raw, Arm::canary);
        EXPECT_EQ(canary.name, "requests");
        EXPECT_EQ(canary.labels, "{job=\"shop\"}");
        EXPECT_EQ(canary.series.instance, "127.0.0.1:19302");
        EXPECT_FALSE(canary.series.delta);
        double highest = 0;
        double last = 0;
        for (const HistogramSample& one : canary.series.samples) {
            EXPECT_EQ(one.layout, HistogramLayout::exponential);
            EXPECT_EQ(bucket_total(one), one.count);
            highest = std::max(highest, last = one.count);
        }
        EXPECT_EQ(highest, version == "242" ? 1380 : 1384);  // before the restart
        EXPECT_LT(last, highest);
        EXPECT_EQ(sentences(raw),
                  std::vector<std::string>{"12 histograms of requests, and no metric of the plan judges histograms"});
    }
}

TEST(ReadPrometheus, OddNativeHistograms) {
    for (const std::string version : {"242", "316"}) {
        const Batch odd = read(support::read_sample("prometheus/prom" + version + "_native_odd.json"), {}, "");
        ASSERT_EQ(odd.histograms.size(), 4U);
        const HistogramSample& one = odd.histograms[0].series.samples[0];
        EXPECT_EQ(odd.histograms[0].name, "shop_odd_values");
        EXPECT_EQ(one.count, 7);
        EXPECT_TRUE(std::isnan(one.sum));
        EXPECT_EQ(bucket_total(one), 6);  // a NaN is in no bucket
        ASSERT_EQ(one.buckets.size(), 6U);
        EXPECT_EQ(one.layout, HistogramLayout::exponential);
        EXPECT_EQ(one.buckets[0],
                  (HistogramBucket{-infinity, -std::numeric_limits<double>::max(), 1, serinus::BucketEnds::lower}));
        EXPECT_EQ(one.buckets[2].ends, serinus::BucketEnds::both);
        EXPECT_EQ(one.buckets[5].upper, infinity);
        const HistogramSample& never = odd.histograms[2].series.samples[0];
        EXPECT_EQ(odd.histograms[2].name, "shop_refund_amount");
        EXPECT_EQ(never, (HistogramSample{HistogramLayout::exponential, 0, 0, {}}));
    }
}

TEST(ReadPrometheus, CustomBuckets) {
    const Batch edge = read(support::read_sample("prometheus/prom316_nhcb_edge.json"), {}, "");
    ASSERT_EQ(edge.histograms.size(), 2U);
    const HistogramSample& seconds = edge.histograms[1].series.samples[0];
    EXPECT_EQ(seconds.layout, HistogramLayout::custom);
    EXPECT_EQ(seconds.count, 360);
    EXPECT_EQ(seconds.sum, 675);
    EXPECT_EQ(seconds.buckets, (std::vector<HistogramBucket>{{-infinity, 1, 90, serinus::BucketEnds::both},
                                                             {1, 2.5, 180, serinus::BucketEnds::upper},
                                                             {10, infinity, 90, serinus::BucketEnds::upper}}));
    for (const std::string name : {"nhcb_raw", "nhcb_increase", "nhcb_edge", "nhcb_edge_increase"}) {
        const Batch batch = read(support::read_sample("prometheus/prom316_" + name + ".json"), {});
        for (const ArmHistogram& histogram : batch.histograms) {
            for (const HistogramSample& one : histogram.series.samples)
                EXPECT_EQ(one.layout, HistogramLayout::custom) << name;
        }
    }
}

TEST(ReadPrometheus, ValuesAndHistogramsOfOneLabelSet) {
    for (const std::string version : {"242", "316"}) {
        const Batch mixed = read(support::read_sample("prometheus/prom" + version + "_native_mixed.json"),
                                 {.arms = {.baseline = ""}}, "x");
        ASSERT_EQ(mixed.series.size(), 1U);
        ASSERT_EQ(mixed.histograms.size(), 1U);
        EXPECT_EQ(mixed.series[0].series.times_ms,
                  (std::vector<std::int64_t>{1'796'012'905'000, 1'796'012'925'000, 1'796'012'945'000}));
        EXPECT_EQ(mixed.histograms[0].series.samples.size(), 4U);
        EXPECT_EQ(mixed.histograms[0].series.times_ms[0], 1'796'012'895'000);
    }
}

TEST(ReadPrometheus, RefusesHistogramsThatAreNone) {
    const auto with = [](const std::string& histogram) {
        return answer(R"([{"metric":{"track":"canary"},"histograms":[[1,)" + histogram + "]]}]");
    };
    EXPECT_EQ(read(with(R"({"count":"5","sum":"1"})")).histograms.size(), 1U);
    for (const std::string bad : {"5", "{}", R"({"count":"5"})", R"({"sum":"5"})", R"([])", "null"}) {
        expect_refused(with(bad), Code::data_value, {"requests.data.result[0].histograms has", "allowed: [seconds, "});
    }
    for (const std::string bad : {"x", "", "1e999"}) {
        expect_refused(with(R"({"count":")" + bad + R"(","sum":"1"})"), Code::data_value, {"has the number"});
    }
    for (const std::string bad : {R"([4,"0","1","1"])", R"([-1,"0","1","1"])", R"(["0","0","1","1"])", R"([0,"0","1"])",
                                  "5", R"([0,"2","1","1"])", R"([0,"NaN","1","1"])", R"([0,"1","2","NaN"])",
                                  R"([0.5,"1","2","1"])", R"([0,"1","x","1"])"}) {
        expect_refused(with(R"({"count":"5","sum":"1","buckets":[)" + bad + "]}"), Code::data_value,
                       {"requests.data.result[0].histograms has the "});
    }
}

TEST(ReadPrometheus, SaysWhatPrometheusSaid) {
    expect_refused(support::read_sample("prom_error.json"), Code::data_query,
                   {"requests: the query failed: bad_data: 1:34: parse error: unclosed left parenthesis"});
    expect_refused(R"({"status":"error"})", Code::data_query, {"not said: not said"});
    expect_refused(R"({"status":"error","errorType":"timeout","error":")" + std::string(5000, 'x') + "\"}",
                   Code::data_query, {"timeout: xxx", "..."});
}

TEST(ReadPrometheus, RefusesWhatHasNoArm) {
    expect_refused(support::read_sample("prom_instant_scalar.json"), Code::data_document,
                   {"requests.data.resultType is \"scalar\"", "allowed: matrix, vector", "\"track\""});
    expect_refused(answer(R"([1,"x"])", "string"), Code::data_document, {"\"string\""});
    expect_refused(answer("[]", "streams"), Code::data_document, {"\"streams\"; allowed: matrix, vector"});
    expect_refused(support::read_sample("prom_alerts.json"), Code::data_format,
                   {"requests is Prometheus' list of alerts (/api/v1/alerts), which has no samples", "query_range"});
    expect_refused(support::read_sample("prom_rules.json"), Code::data_format,
                   {"the answer is Prometheus' list of rules"}, captured, "");
    expect_refused(R"({"status":"success","data":["a","b"]})", Code::data_format, {"list of names or label sets"});
}

TEST(ReadPrometheus, RefusesOtherDocuments) {
    for (const std::string text : {"[]", "5", "null", "\"x\"", "{}", R"({"status":1})", R"({"status":"ok"})",
                                   R"({"status":"success"})", R"({"status":"success","data":{}})"}) {
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
    EXPECT_EQ(read(with(R"([[-1.0006,"5"],[0.0014,"5"]])")).series[0].series.times_ms,
              (std::vector<std::int64_t>{-1001, 1}));
    EXPECT_TRUE(read(with("[]")).series[0].series.values.empty());
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
    ReadOptions small = captured;
    small.max_bytes = 10;
    expect_refused(support::read_sample("prom_empty.json"), Code::data_size, {"63 bytes; allowed: at most 10"}, small);
}

TEST(ReadPrometheus, RefusesOptionsThatCannotTellTheArmsApart) {
    expect_refused(answer("[]"), Code::argument_word, {"both \"x\""}, {.arms = {.baseline = "x", .canary = "x"}});
    expect_refused(answer("[]"), Code::argument_word, {"label is \"\""}, {.arms = {.label = ""}});
}

TEST(ReadPrometheusDocument, OneAnswerASeries) {
    const Batch batch = read(support::read_sample("document.json"), captured, "");
    ASSERT_EQ(batch.series.size(), 4U);
    const std::vector<std::pair<std::string, Arm>> expected{{"requests_200", Arm::baseline},
                                                            {"requests_200", Arm::canary},
                                                            {"requests_500", Arm::baseline},
                                                            {"requests_500", Arm::canary}};
    for (std::size_t i = 0; i < expected.size(); ++i) {
        EXPECT_EQ(batch.series[i].name, expected[i].first);
        EXPECT_EQ(batch.series[i].arm, expected[i].second);
        EXPECT_EQ(batch.series[i].series.instance, "");
    }
    EXPECT_EQ(batch.series[3].series.values.back(), 23);
    EXPECT_EQ(read(support::read_sample("document.json"), {}, "").notes[0].numbers[0].value, 2);
}

TEST(ReadPrometheusDocument, WhatClientsLeaveOfAnAnswer) {
    const std::string result = "[" + entry(R"("track":"canary","instance":"a")") + "]";
    const Batch whole = read("{\"a\":" + answer(result) + "}", captured, "");
    ASSERT_EQ(whole.series.size(), 1U);
    for (const std::string& part : {R"({"resultType":"matrix","result":)" + result + "}", result}) {
        const Batch batch = read("{\"a\":" + part + "}", captured, "");
        ASSERT_EQ(batch.series.size(), 1U) << part;
        EXPECT_EQ(batch.series[0].name, "a");
        EXPECT_EQ(batch.series[0].series, whole.series[0].series);
    }
    expect_refused("{\"a\":[5]}", Code::data_document, {"a.data.result[0] has no \"metric\""}, captured, "");
    expect_refused(R"({"a":{"resultType":"scalar","result":[1,"2"]}})", Code::data_document, {"\"scalar\""}, captured,
                   "");
}

TEST(ReadPrometheusDocument, Refusals) {
    expect_refused("{}", Code::data_empty, {"no series", "allowed: {\"SERIES\": ANSWER"}, captured, "");
    expect_refused("[]", Code::data_document, {"allowed: {\"SERIES\": ANSWER"}, captured, "");
    expect_refused(support::read_sample("prom_error.json"), Code::data_query,
                   {"the answer: the query failed: bad_data"}, captured, "");
    expect_refused("{\"http_errors\":" + support::read_sample("prom_error.json") + "}", Code::data_query,
                   {"http_errors: the query failed: bad_data"}, captured, "");
    expect_refused("{\"http_errors\":5}", Code::data_document, {"http_errors is \"5\""}, captured, "");
    expect_refused("{\"\":" + answer("[]") + "}", Code::data_document, {"the key \"\""}, captured, "");
    expect_refused("{\"a\":" + answer("[]") + ",\"a\":" + answer("[]") + "}", Code::data_document,
                   {"the document has the key a twice"}, captured, "");
    // A plan may well call one of its series "status".
    EXPECT_TRUE(read("{\"status\":" + answer("[]") + "}", captured, "").series.empty());
}

/// Every answer that was captured from Prometheus 2.42 and 3.16 is read as a count of its own finds it, or refused by
/// what it is.
TEST(ReadPrometheusDocument, EveryCapturedAnswer) {
    using nlohmann::json;
    int answers = 0;
    for (const auto& file : std::filesystem::directory_iterator(data_dir() + "/samples/prometheus")) {
        const std::string name = file.path().filename().string();
        if (file.path().extension() != ".json") continue;
        SCOPED_TRACE(name);
        ++answers;
        const std::string text = support::read_sample("prometheus/" + name);
        const json parsed = json::parse(text);
        EXPECT_TRUE(serinus::io::looks_like_prometheus(text));
        EXPECT_TRUE(serinus::io::looks_like_prometheus("{\"x\":" + text + "}"));
        ReadOptions options;
        if (name.find("otlp") != std::string::npos)
            options.arms = {"service.version", "1.8.2", "1.9.0"};
        else if (name.find("_up") != std::string::npos)
            options.arms = {"instance", "127.0.0.1:19301", "127.0.0.1:19302"};
        else if (name.find("mixed") != std::string::npos)
            options.arms.baseline = "";
        if (name.find("error") != std::string::npos) {
            expect_refused(text, Code::data_query, {parsed["errorType"].get<std::string>()}, options);
            continue;
        }
        if (name.find("otlp_names") != std::string::npos) {
            expect_refused(text, Code::data_arm, {"they have __name__"}, options);
            continue;
        }
        const Batch batch = read_prometheus(text, options, "x");
        std::map<std::string, std::array<double, 4>> expected, found;  // by arm: series, samples, sum, last time
        std::int64_t outside = 0;
        for (const json& entry : parsed["data"]["result"]) {
            const std::string arm = entry["metric"].value(options.arms.label, "");
            if (arm != options.arms.baseline && arm != options.arms.canary) {
                ++outside;
                continue;
            }
            const std::string side = arm == options.arms.baseline ? "baseline" : "canary";
            for (const std::string kind : {"value", "values", "histogram", "histograms"}) {
                if (!entry.contains(kind)) continue;
                auto& of = expected[side + (kind[0] == 'v' ? " values" : " histograms")];
                of[0] += 1;
                const json samples = kind.back() == 's' ? entry[kind] : json::array({entry[kind]});
                for (const json& one : samples) {
                    const std::string number = (one[1].is_object() ? one[1]["count"] : one[1]).get<std::string>();
                    of[1] += 1;
                    if (const double value = std::stod(number); std::isfinite(value)) of[2] += value;
                    of[3] = std::max(of[3], one[0].get<double>());
                }
            }
        }
        for (const ArmSeries& s : batch.series) {
            auto& of = found[std::string(word(s.arm)) + " values"];
            of[0] += 1;
            of[1] += static_cast<double>(s.series.values.size());
            for (const double value : s.series.values) of[2] += std::isfinite(value) ? value : 0;
            for (const std::int64_t time : s.series.times_ms) of[3] = std::max(of[3], static_cast<double>(time) / 1000);
        }
        for (const ArmHistogram& h : batch.histograms) {
            auto& of = found[std::string(word(h.arm)) + " histograms"];
            of[0] += 1;
            of[1] += static_cast<double>(h.series.samples.size());
            ASSERT_EQ(h.series.samples.size(), h.series.times_ms.size());
            for (const HistogramSample& one : h.series.samples) {
                of[2] += one.count;
                // Exact but for fractions of rates, and the observation of NaN in `native_odd`.
                if (name.find("odd") == std::string::npos) {
                    EXPECT_NEAR(bucket_total(one), one.count, 1e-9 * one.count);
                }
                for (std::size_t i = 1; i < one.buckets.size(); ++i)
                    EXPECT_LE(one.buckets[i - 1].upper, one.buckets[i].lower);
            }
            for (const std::int64_t time : h.series.times_ms) of[3] = std::max(of[3], static_cast<double>(time) / 1000);
        }
        ASSERT_EQ(found.size(), expected.size());
        for (const auto& [key, of] : expected) {
            SCOPED_TRACE(key);
            EXPECT_EQ(found[key][0], of[0]);
            EXPECT_EQ(found[key][1], of[1]);
            EXPECT_NEAR(found[key][2], of[2], 1e-9 * std::fabs(of[2]));
            EXPECT_NEAR(found[key][3], of[3], 0.0005);
        }
        std::size_t notes = batch.histograms.empty() ? 0 : 1;
        for (const char* const key : {"warnings", "infos"}) notes += parsed.value(key, json::array()).size();
        if (outside > 0) ++notes;
        EXPECT_EQ(batch.notes.size(), notes);
    }
    EXPECT_EQ(answers, 89);
}

TEST(ReadPrometheusDocument, SmallThingsOfTheCapturedAnswers) {
    // Timestamps of a step of 0.25 s, printed as 1796012915.250 and 1796012916 in one list.
    const Batch fine = read(support::read_sample("prometheus/prom242_ms_step.json"), {});
    EXPECT_EQ(fine.series[0].series.times_ms[1] - fine.series[0].series.times_ms[0], 250);
    // 2.42 says le "1", 3.16 says "1.0", of the same target: the same buckets.
    const auto bounds = [](const Batch& batch) {
        std::vector<std::pair<std::string, double>> all;
        for (const ArmSeries& s : batch.series) all.emplace_back(s.name, s.le);
        std::sort(all.begin(), all.end());
        return all;
    };
    const Batch two = read(support::read_sample("prometheus/prom242_edge_classic.json"), {}, "");
    EXPECT_EQ(bounds(two), bounds(read(support::read_sample("prometheus/prom316_edge_classic.json"), {}, "")));
    EXPECT_EQ(bounds(two).front().second, -1);
    // UTF-8 names and values with quotes.
    const Batch utf8 = read(support::read_sample("prometheus/prom316_utf8_counter.json"), {}, "");
    EXPECT_EQ(utf8.series[0].name, "shop.orders.placed");
    EXPECT_EQ(utf8.series[1].labels,
              "{job=\"shop-utf8\",\"länd\"=\"Österreich\",\"payment.kind\"=\"invoice \\\"B2B\\\"\"}");
    // Counters of a label that did not occur yet are absent, not 0; after the restart they begin again.
    const Batch counters = read(support::read_sample("prometheus/prom316_counters_raw.json"), {}, "");
    std::map<std::string, std::size_t> lengths;
    bool fell = false;
    for (const ArmSeries& s : counters.series) {
        lengths[std::string(word(s.arm)) + s.labels] = s.series.values.size();
        fell = fell || !std::is_sorted(s.series.values.begin(), s.series.values.end());
    }
    EXPECT_GT(lengths.at("baseline{code=\"200\",job=\"shop\"}"), lengths.at("canary{code=\"200\",job=\"shop\"}"));
    EXPECT_TRUE(fell);
}

}  // namespace
