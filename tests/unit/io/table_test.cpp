#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <ctime>
#include <fstream>
#include <iterator>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/core/error.hpp>
#include <serinus/core/reason.hpp>
#include <serinus/io/csv.hpp>
#include <serinus/io/data.hpp>
#include <serinus/series/time.hpp>

#include "support/data_dir.hpp"
#include "support/read_sample.hpp"

namespace {

using serinus::Arm;
using serinus::ArmSeries;
using serinus::Batch;
using serinus::Code;
using serinus::Error;
using serinus::io::read_csv;
using serinus::io::read_data;
using serinus::io::ReadOptions;

std::string file(const std::string& name) {
    std::ifstream in(data_dir() + "/" + name, std::ios::binary);
    EXPECT_TRUE(in) << name;
    return {std::istreambuf_iterator<char>(in), {}};
}

std::string exported(const std::string& name) { return file("samples/exports/" + name); }
std::string of_case(const std::string& name) { return file("cases/" + name); }

ReadOptions named(std::vector<std::string> names) {
    ReadOptions options;
    options.names = std::move(names);
    return options;
}

/// The series of a batch that has it once.
const ArmSeries& find(const Batch& batch, const std::string& name, Arm arm, const std::string& labels = "") {
    static const ArmSeries nothing;
    const ArmSeries* found = nullptr;
    for (const ArmSeries& series : batch.series) {
        if (series.name != name || series.arm != arm || series.labels != labels) continue;
        EXPECT_EQ(found, nullptr) << name << " twice";
        found = &series;
    }
    EXPECT_NE(found, nullptr) << name << labels;
    return found == nullptr ? nothing : *found;
}

double at(const ArmSeries& series, const std::string& time) {
    const std::int64_t ms = serinus::parse_time(time).time_since_epoch().count();
    const auto& times = series.series.times_ms;
    const auto place = std::find(times.begin(), times.end(), ms);
    return place == times.end() ? -1 : series.series.values[static_cast<std::size_t>(place - times.begin())];
}

std::vector<std::string> told(const Batch& batch) {
    std::vector<std::string> sentences;
    for (const serinus::Reason& note : batch.notes) sentences.push_back(serinus::sentence(note));
    return sentences;
}

void expect_refused(const std::string& text, Code code, const std::vector<std::string>& said,
                    const ReadOptions& options = {}) {
    support::expect_refused([&](const std::string& it) { read_data(it, options); }, text, code, said, 700);
}

void expect_same(const Batch& a, const Batch& b) {
    ASSERT_EQ(a.series.size(), b.series.size());
    for (std::size_t i = 0; i < a.series.size(); ++i) {
        const ArmSeries& other = find(b, a.series[i].name, a.series[i].arm, a.series[i].labels);
        const auto bits = [](const std::vector<double>& values) {
            std::vector<std::uint64_t> out;
            for (const double value : values)
                out.push_back(std::isnan(value) ? 1 : std::bit_cast<std::uint64_t>(value));
            return out;
        };
        EXPECT_EQ(a.series[i].series.times_ms, other.series.times_ms) << a.series[i].name;
        EXPECT_EQ(bits(a.series[i].series.values), bits(other.series.values)) << a.series[i].name;
        EXPECT_EQ(a.series[i].series.instance, other.series.instance) << a.series[i].name;
    }
}

// ---- Grafana

TEST(Grafana, JoinedWithLabelSets) {
    const Batch batch = read_data(exported("grafana_joined_raw.csv"), named({"requests"}));
    ASSERT_EQ(batch.series.size(), 6U);
    const ArmSeries& stable = find(batch, "requests", Arm::baseline, "{code=\"200\"}");
    ASSERT_EQ(stable.series.values.size(), 12U);
    EXPECT_EQ(stable.series.times_ms[0], 1'796'012'845'000);
    EXPECT_EQ(stable.series.values[0], 1162.2222222222222);
    EXPECT_EQ(stable.series.values[11], 1173.3333333333335);
    // `undefined` is a gap of the join: the canary had no 404 in the first scrapes after its restart.
    const ArmSeries& gap = find(batch, "requests", Arm::canary, "{code=\"404\"}");
    EXPECT_EQ(gap.series.values.size(), 11U);
    EXPECT_EQ(at(gap, "1796012905000"), -1);
    EXPECT_TRUE(batch.notes.empty());
    expect_refused(exported("grafana_joined_raw.csv"), Code::data_column,
                   {"column 2 is \"{code=\"200\", track=\"canary\"}\", which names no series",
                    "the plan reads \"a\", \"b\"", "\"http_requests {{track}}\""},
                   named({"a", "b"}));
}

TEST(Grafana, InfinityNaNAndOneSeries) {
    const Batch inf = read_data(exported("grafana_joined_inf_raw.csv"));
    const ArmSeries& limit = find(inf, "shop_limits_bytes", Arm::canary, "{job=\"shop\"}");
    EXPECT_EQ(limit.series.instance, "127.0.0.1:19302");
    EXPECT_EQ(limit.series.values, (std::vector<double>(2, std::numeric_limits<double>::infinity())));
    const Batch nan = read_data(exported("grafana_joined_nan_raw.csv"), named({"p50", "p99"}));
    EXPECT_EQ(find(nan, "p99", Arm::baseline).series.values[0], 0.04831066991044979);
    EXPECT_TRUE(std::isnan(find(nan, "p99", Arm::baseline).series.values[11]));
    EXPECT_EQ(find(nan, "p50", Arm::canary).series.values.size(), 11U);
    const Batch one = read_data(exported("grafana_series_single_raw.csv"), named({"requests"}));
    ASSERT_EQ(one.series.size(), 1U);
    EXPECT_EQ(one.series[0].arm, Arm::canary);
    EXPECT_EQ(one.series[0].series.values[5], 192.375);
}

TEST(Grafana, EveryWayOfSavingSaysTheSame) {
    const Batch batch = read_data(exported("grafana_joined_legend_raw.csv"));
    ASSERT_EQ(batch.series.size(), 6U);
    EXPECT_EQ(find(batch, "200", Arm::canary).series.values[0], 382.22222222222223);
    EXPECT_EQ(find(batch, "500", Arm::baseline).series.values[1], 13.333333333333334);
    for (const char* const other :
         {"grafana_joined_excel_header.csv", "grafana_joined_semicolon.csv", "grafana_joined_excel_utf16le.csv"})
        expect_same(batch, read_data(exported(other)));
    Batch rows = read_data(exported("grafana_rows_raw.csv"));  // newest first
    for (ArmSeries& series : rows.series) {
        std::reverse(series.series.times_ms.begin(), series.series.times_ms.end());
        std::reverse(series.series.values.begin(), series.series.values.end());
    }
    expect_same(batch, rows);
}

TEST(Grafana, FormattedValuesAreRefused) {
    for (const auto& [name, cell] : std::vector<std::pair<std::string, std::string>>{
             {"grafana_joined_formatted_utc.csv", "line 2, column stable 200 is \"1.70 K\""},
             {"grafana_joined_formatted_seconds.csv", "line 2, column stable, p50 is \"20.6 ms\""},
             {"grafana_joined_formatted_percent.csv", "line 2, column canary is \"40.9%\""},
             {"grafana_rows_formatted_utc.csv", "line 5, column value is \"27.2 ms\""}})
        expect_refused(exported(name), Code::data_value, {cell, "rounded for reading", "switch \"Formatted data\" off"},
                       named({"ratio"}));
}

TEST(Grafana, TimesWithoutAZoneAreTold) {
    const Batch batch =
        read_data(file("samples/grafana_style_joined.csv"), {.arms = {.baseline = "baseline"}, .names = {"requests"}});
    EXPECT_EQ(find(batch, "requests", Arm::baseline, "{code=\"200\"}").series.times_ms[0], 1'795'382'489'000);
    EXPECT_EQ(told(batch),
              std::vector<std::string>{"times without a zone, such as 2026-11-22 21:21:29, are taken as UTC"});
    expect_refused(
        "time,a canary\n2026-11-22T21:21:29,1\n2026-11-22T21:21:39+02:00,2\n", Code::data_timestamp,
        {"line 3 has \"2026-11-22T21:21:39+02:00\"", "line 2 has \"2026-11-22T21:21:29\"", "a zone in all of them"});
    // Two zones that are said are two ways to write one time.
    const Batch zones = read_data("time,a canary\n2026-11-22T21:21:29Z,1\n2026-11-22T23:21:39+02:00,2\n");
    EXPECT_EQ(zones.series[0].series.times_ms, (std::vector<std::int64_t>{1'795'382'489'000, 1'795'382'499'000}));
    EXPECT_TRUE(zones.notes.empty());
}

// ---- pandas

TEST(Pandas, WideAndLong) {
    const Batch wide = read_data(file("samples/pandas_wide.csv"));
    ASSERT_EQ(wide.series.size(), 4U);
    EXPECT_EQ(find(wide, "200", Arm::baseline).series.values.size(), 37U);
    EXPECT_EQ(find(wide, "500", Arm::canary).series.values.size(), 33U);  // an empty field is no sample
    EXPECT_EQ(find(wide, "500", Arm::canary).series.values.back(), 23);
    const Batch melted = read_data(file("samples/pandas_long.csv"));
    ASSERT_EQ(melted.series.size(), 4U);
    EXPECT_EQ(find(melted, "200", Arm::baseline).series.values.back(), 5120);
    expect_refused(file("samples/pandas_split.json"), Code::data_format, {"pandas", "DataFrame.to_csv"});
    // A nameless index of times, a nameless index of numbers, and the plan's names between other words.
    const Batch index =
        read_data(",canary_http_errors,canary http_errors_ratio\n2026-11-22,3,4\n", named({"http_errors"}));
    EXPECT_EQ(find(index, "http_errors", Arm::canary).series.values, std::vector<double>{3});
    EXPECT_EQ(find(index, "http_errors_ratio", Arm::canary).series.values, std::vector<double>{4});
    const Batch numbered = read_data(",time,series,arm,value\n0,1,a,canary,5\n1,2,a,canary,6\n");
    EXPECT_EQ(find(numbered, "a", Arm::canary).series.values, (std::vector<double>{5, 6}));
    EXPECT_EQ(told(numbered), std::vector<std::string>{"columns that are not read: column 1"});
}

TEST(Pandas, OneColumnASeriesBesideTheArm) {
    const std::string text =
        "time,track,pod,errors,requests,comment\n1,stable,web-1,1,100,all fine\n1,canary,web-9,2,,\n";
    const Batch batch = read_data(text, named({"errors", "requests"}));
    ASSERT_EQ(batch.series.size(), 3U);
    EXPECT_EQ(find(batch, "requests", Arm::baseline).series.values, std::vector<double>{100});
    EXPECT_EQ(find(batch, "errors", Arm::canary).series.instance, "web-9");
    EXPECT_EQ(told(batch), std::vector<std::string>{"columns that are not read: comment"});
    // Nobody said which columns are asked for: those with numbers.
    EXPECT_EQ(read_data(text).series.size(), 3U);
    EXPECT_EQ(told(read_data(text)), std::vector<std::string>{"columns that are not read: comment"});
    expect_refused(text, Code::data_value, {"line 2, column comment is \"all fine\""}, named({"comment"}));
}

// ---- InfluxDB

TEST(Influx, AnnotatedTables) {
    const Batch batch = read_data(exported("influx_annotated.csv"));
    EXPECT_EQ(batch.series.size(), 5U);
    const ArmSeries& errors = find(batch, "errors", Arm::canary);
    EXPECT_EQ(errors.series.instance, "10.0.0.2");
    ASSERT_EQ(errors.series.values.size(), 5U);
    EXPECT_EQ(errors.series.values[0], 3);
    EXPECT_TRUE(std::isnan(errors.series.values[2]));
    EXPECT_EQ(errors.series.times_ms[1], 1'796'012'520'500);
    EXPECT_EQ(find(batch, "latency_p99", Arm::baseline).series.values.back(), 0.0000001);
    EXPECT_EQ(find(batch, "bytes", Arm::canary).series.values[0], 18446744073709551615.0);
    const std::vector<std::string> said = told(batch);
    EXPECT_EQ(said.size(), 3U);
    EXPECT_NE(std::find(said.begin(), said.end(), "5 rows not read: their values are of the type string"), said.end());

    const Batch bare = read_data(exported("influx_no_annotations.csv"));
    expect_same(read_csv(serinus::io::write_csv(batch)), bare);
    EXPECT_EQ(bare.notes.size(), 2U);
    const Batch nan = read_data(exported("influx_annotated_nan.csv"));
    EXPECT_EQ(nan.series[0].series.values[1], std::numeric_limits<double>::infinity());
    EXPECT_EQ(nan.series[0].series.values[2], -std::numeric_limits<double>::infinity());
    expect_refused(exported("influx_annotated_error.csv"), Code::data_query, {"line 12", "cut short, after 2 rows"});
    expect_refused(exported("influx_semicolon.csv"), Code::data_column, {"\"timestamp\" is missing"});
    expect_refused(
        ",result,table,_time,_value,_field,_measurement,track\n"
        ",,0,2026-11-30T04:21:00Z,3,count,http,canary\n,,1,2026-11-30T04:21:00Z,4,count,db,canary\n",
        Code::data_document, {"\"count\" is of the measurement \"db\", and of \"http\" before"});
}

TEST(Influx, AnswersOfInfluxQl) {
    const Batch seconds = read_data(exported("influx1_query_epoch_s.csv"));
    ASSERT_EQ(seconds.series.size(), 6U);
    const ArmSeries& errors = find(seconds, "errors", Arm::canary);
    EXPECT_EQ(errors.series.times_ms[0], 1'796'012'400'000);
    EXPECT_EQ(errors.series.values, (std::vector<double>{1, 3, 3, 1, 4, 2, 3, 1, 4}));  // empty buckets are none
    const Batch nanoseconds = read_data(exported("influx1_query_ns.csv"));
    expect_same(seconds, nanoseconds);
    EXPECT_EQ(told(nanoseconds),
              std::vector<std::string>{"times such as 1796012400000000000 are read as Unix nanoseconds"});
    expect_refused(exported("influx1_two_statements.csv"), Code::data_document,
                   {"line 9 begins another statement's table", "one file a statement"});
    // SELECT *: tags are columns, and texts among the fields are none of ours.
    const Batch all =
        read_data("name,tags,time,errors,note,track\ncheckout,,1796012400021278532,1,\"a, \"\"b\"\"\",canary\n");
    ASSERT_EQ(all.series.size(), 1U);
    EXPECT_EQ(all.series[0].series.values, std::vector<double>{1});
    EXPECT_EQ(told(all)[0], "columns that are not read: note");
    for (const char* const name :
         {"influx1_query_epoch_ms.json", "influx1_query_rfc3339.json", "influx1_chunked.jsonl"})
        expect_refused(exported(name), Code::data_format, {"InfluxDB in JSON", "Accept: application/csv"});
    expect_refused(exported("influx1_error.json"), Code::data_query, {"found EOF, expected identifier"});
}

// ---- VictoriaMetrics

TEST(VictoriaMetricsCsv, WithAHeader) {
    const Batch batch = read_data(exported("vm151_export.csv"));
    ASSERT_EQ(batch.series.size(), 5U);
    const ArmSeries& stable = find(batch, "shop_requests_total", Arm::baseline, "{code=\"200\"}");
    ASSERT_EQ(stable.series.values.size(), 24U);
    EXPECT_EQ(stable.series.values[0], 5058);
    EXPECT_EQ(stable.series.times_ms[0], 1'796'012'400'000);
    EXPECT_EQ(find(batch, "shop_requests_total", Arm::canary, "{code=\"500\"}").series.values.back(), 7);

    // Without __name__ the plan's only series is meant; \" is its way of quoting.
    const Batch text = read_data(exported("vm151_export_rfc3339.csv"), named({"shop_limit_bytes"}));
    const ArmSeries& odd = find(text, "shop_limit_bytes", Arm::canary, "{text=\"l\xC3\xA4nd \\\"x\\\"\\\\n\"}");
    ASSERT_EQ(odd.series.values.size(), 24U);
    EXPECT_EQ(odd.series.times_ms[0], 1'796'012'400'318);
    EXPECT_EQ(find(text, "shop_limit_bytes", Arm::canary).series.values.size(), 24U);
    expect_refused(exported("vm151_export_rfc3339.csv"), Code::data_column,
                   {"a plan of a single one, and this plan has none", "\"series\" is missing"});

    const Batch stale = read_data(exported("vm151_export_stale.csv"), named({"latency"}));
    const ArmSeries& canary = find(stale, "latency", Arm::canary);
    EXPECT_TRUE(std::isnan(canary.series.values[6]));
    EXPECT_EQ(canary.series.values[7], 3.25);
}

TEST(VictoriaMetricsCsv, WithoutAHeaderItIsRefusedByCause) {
    for (const char* const name : {"vm179_export.csv", "vm179_export_rfc3339.csv"})
        expect_refused(
            exported(name), Code::data_column,
            {"the first line looks like data, not like a header", "VictoriaMetrics", "__timestamp__:unix_s"});
    const Batch batch =
        read_data("__name__,track,code,__value__,__timestamp__:unix_s\n" + exported("vm179_export.csv"));
    expect_same(batch, read_data(exported("vm151_export.csv")));
}

// ---- formats that are not read

TEST(NamedFormats, AreRefusedByTheirName) {
    for (const char* const name :
         {"cloudwatch_get_metric_data_ascending_cli.json", "cloudwatch_get_metric_data_boto3.json",
          "cloudwatch_get_metric_data_cli.json", "cloudwatch_get_metric_data_cli.txt",
          "cloudwatch_get_metric_data_iso8601_cli.json", "cloudwatch_get_metric_statistics_cli.json",
          "cloudwatch_get_metric_statistics_iso8601_cli.json"})
        expect_refused(exported(name), Code::data_format, {"CloudWatch", "as a row"});
    for (const char* const name : {"datadog_v1_query.json", "datadog_v1_query_empty.json"})
        expect_refused(exported(name), Code::data_format, {"Datadog", "pointlist"});
    expect_refused(of_case("datadog.json"), Code::data_format, {"Datadog", "pointlist"});
    expect_refused(exported("datadog_v1_query_error.json"), Code::data_query, {"Datadog", "unable to parse"});
    for (const char* const name : {"newrelic_insights_timeseries.json", "newrelic_nerdgraph_facet_timeseries.json"})
        expect_refused(exported(name), Code::data_format, {"New Relic", "as a row"});
    const std::string row = R"({"ts": 1812345600, "metric": "calls", "arm": "canary", "value": 3})";
    expect_refused(row + "\n" + row + "\n", Code::data_format, {"rows of JSON", "lines=True"});
    expect_refused("[" + row + ", " + row + "]", Code::data_format, {"rows of JSON", "pandas.read_json(FILE)"});
    expect_refused("<!doctype html><html>", Code::data_format, {"HTML", "sign-in"});
    expect_refused("PK\x03\x04 and so on", Code::data_format, {"Excel workbook (.xlsx)", "save the sheet as CSV"});
    expect_refused("\x28\xB5\x2F\xFD...", Code::data_format, {"zstd -dc"});
    expect_refused("PAR1....", Code::data_format, {"Parquet", "pandas.read_parquet"});
}

// ---- the cases

TEST(TableCases, AreRead) {
    for (const char* const name : {"semicolon.csv", "sep-line.csv"}) {
        const Batch batch = read_data(of_case(name), named({"errors", "requests"}));
        ASSERT_EQ(batch.series.size(), 2U) << name;
        EXPECT_EQ(find(batch, "requests", Arm::baseline).series.values, std::vector<double>{900});
        EXPECT_EQ(find(batch, "requests", Arm::canary).series.values, std::vector<double>{100});
        EXPECT_EQ(batch.series[0].series.times_ms, std::vector<std::int64_t>{1'795'382'460'000});
    }
    EXPECT_EQ(find(read_data(of_case("decimal-comma.csv")), "requests", Arm::baseline).series.values,
              std::vector<double>{900.5});
    for (const char* const name : {"utf16.csv", "tabs.csv", "arm-called-stable.csv"})
        EXPECT_EQ(find(read_data(of_case(name)), "requests", Arm::baseline).series.values, std::vector<double>{900});
    const std::string wide = of_case("grafana-joined-wide.csv");
    EXPECT_EQ(find(read_data(wide, named({"errors"})), "errors", Arm::canary).series.values, std::vector<double>{100});
    expect_refused(wide, Code::data_column,
                   {"\"{track=\"stable\"}\", which names no series", "\"errors\", \"requests\""},
                   named({"errors", "requests"}));
}

// ---- long tables

TEST(Tables, ArmsAndColumnsThatAreTold) {
    ReadOptions options;
    serinus::io::tell_arms(options, "label=hash,baseline=6d4c9f,canary=7f5b2a");
    const Batch hashes = read_data("timestamp,series,hash,value\n1,a,6d4c9f,5\n1,a,7f5b2a,6\n1,a,000000,7\n", options);
    EXPECT_EQ(find(hashes, "a", Arm::canary).series.values, std::vector<double>{6});
    EXPECT_EQ(told(hashes), std::vector<std::string>{"in neither arm: 1 series, column hash is \"000000\""});
    const Batch pods = read_data("timestamp,a web-6d4c9f-x2,a web-7f5b2a-k9\n1,5,6\n", options);
    EXPECT_EQ(find(pods, "a web-x2", Arm::baseline).series.values, std::vector<double>{5});

    ReadOptions renamed;
    serinus::io::tell_columns(renamed, "time=When,series=What,arm=Who,value=\"How much\",instance=Where");
    const Batch batch = read_data("Where,when,What,Who,How much,value\nx,1,a,canary,5,7\n", renamed);
    ASSERT_EQ(batch.series.size(), 1U);
    EXPECT_EQ(batch.series[0].series.values, std::vector<double>{5});
    EXPECT_EQ(batch.series[0].series.instance, "x");
    EXPECT_EQ(told(batch), std::vector<std::string>{"columns that are not read: value"});
    expect_refused("time,series,arm,value\n1,a,canary,5\n", Code::data_column,
                   {"there is no column \"Who\", which is told to be arm", "\"time\", \"series\""}, renamed);
}

TEST(Tables, LabelsReplicasAndStarts) {
    ReadOptions options;
    options.replica_labels = {"prometheus_replica"};
    const Batch batch = read_data(
        "timestamp,series,arm,value,instance,labels,prometheus_replica,start\n"
        "10,a,canary,5,x,\"{path=\"\"/\"\",code=\"\"500\"\"}\",p-0,4\n"
        "11,a,canary,6,x,\"{code=\"\"500\"\", path=\"\"/\"\"}\",p-0,\n"
        "10,a,canary,5,x,\"{code=\"\"500\"\",path=\"\"/\"\"}\",p-1,4\n",
        options);
    ASSERT_EQ(batch.series.size(), 2U);
    EXPECT_EQ(batch.series[0].labels, "{code=\"500\",path=\"/\"}");
    EXPECT_EQ(batch.series[0].replica, "p-0");
    EXPECT_EQ(batch.series[0].series.starts_ms, (std::vector<std::int64_t>{4000, 0}));
    EXPECT_EQ(batch.series[1].replica, "p-1");
    EXPECT_TRUE(batch.notes.empty());
    const Batch again = read_csv(serinus::io::write_csv(batch));
    ASSERT_EQ(again.series.size(), 2U);
    EXPECT_EQ(again.series[0].series, batch.series[0].series);
    EXPECT_EQ(again.series[0].labels, batch.series[0].labels);
    EXPECT_EQ(again.series[1].replica, "p-1");
    // All of it may stand in the labels.
    const Batch all =
        read_data("timestamp,series,labels,value\n1,a,\"track=\"\"canary\"\",instance=\"\"x\"\",le=\"\"0.5\"\"\",5\n");
    EXPECT_EQ(all.series[0].arm, Arm::canary);
    EXPECT_EQ(all.series[0].series.instance, "x");
    EXPECT_EQ(all.series[0].le, 0.5);
    expect_refused("timestamp,series,arm,labels,value\n1,a,canary,code=500,5\n", Code::data_value,
                   {"line 2: labels are \"code=500\"; allowed: {name=\"value\",...}"});
    expect_refused("timestamp,series,arm,start,value\n1,a,canary,soon,5\n", Code::data_timestamp,
                   {"line 2, column start is \"soon\""});
}

TEST(Tables, ColumnsThatAreNotRead) {
    const Batch batch = read_data("timestamp,series,arm,value,region,build\n1,a,canary,5,eu,7\n2,a,canary,6,us,7\n");
    EXPECT_EQ(told(batch), std::vector<std::string>{"columns that are not read: build, region"});
    // A column that tells rows apart is no column to leave aside.
    const std::string codes = "timestamp,series,arm,value,code\n1,a,canary,5,200\n1,a,canary,6,500\n";
    expect_refused(codes, Code::data_column,
                   {"the canary's \"a\" is 5 and 6 at 1970-01-01T00:00:01Z", "not read: column code", "labels=code"});
    ReadOptions options;
    serinus::io::tell_columns(options, "labels=code");
    const Batch told_so = read_data(codes, options);
    EXPECT_EQ(find(told_so, "a", Arm::canary, "{code=\"500\"}").series.values, std::vector<double>{6});
    // One that is called like a label of ours means it.
    const Batch label = read_data("timestamp,series,track,instance,le,value\n1,a,stable,x,+Inf,5\n");
    EXPECT_EQ(label.series[0].arm, Arm::baseline);
    EXPECT_EQ(label.series[0].le, std::numeric_limits<double>::infinity());
}

TEST(Tables, DecimalCommasAndOtherNumbers) {
    const std::string header = "timestamp;series;arm;value\n";
    EXPECT_EQ(read_data(header + "1;a;canary;0,5\n2;a;canary;-1,5e3\n").series[0].series.values,
              (std::vector<double>{0.5, -1500}));
    expect_refused(header + "1;a;canary;0,5\n2;a;canary;1.234\n", Code::data_value,
                   {"line 2 has \"0,5\", line 3 has \"1.234\"", "no thousands separators"});
    expect_refused(header + "1;a;canary;1.234,5\n", Code::data_value, {"is \"1.234,5\""});
    expect_refused("timestamp\tseries\tarm\tvalue\n1\ta\tcanary\t1,234\n", Code::data_value, {"is \"1,234\""});
    const Batch missing = read_data(
        "timestamp,series,arm,value\n1,a,canary,NaN\n2,a,canary,nan\n3,a,canary,-NAN\n4,a,canary,null\n5,a,canary,N/A\n"
        "6,a,canary,\n7,a,canary,undefined\n8,a,canary,\"None\"\n");
    EXPECT_EQ(missing.series[0].series.values.size(), 8U);
    for (const double value : missing.series[0].series.values) EXPECT_TRUE(std::isnan(value));
    const Batch infinite = read_data(
        "timestamp,series,arm,value\n1,a,canary,Inf\n2,a,canary,+inf\n3,a,canary,INFINITY\n4,a,canary,Infinity\n");
    for (const double value : infinite.series[0].series.values) EXPECT_EQ(value, HUGE_VAL);
}

TEST(Tables, FineTimesAreTold) {
    for (const auto& [text, unit] : std::vector<std::pair<std::string, std::string>>{
             {"1795382489123456", "microseconds"}, {"1795382489123456789", "nanoseconds"}}) {
        const Batch batch = read_data("timestamp,series,arm,value\n" + text + ",a,canary,5\n");
        EXPECT_EQ(batch.series[0].series.times_ms, std::vector<std::int64_t>{1'795'382'489'123});
        EXPECT_EQ(told(batch), std::vector<std::string>{"times such as " + text + " are read as Unix " + unit});
    }
}

TEST(Tables, UnorderedAndRepeatedTimesStayAsTheyAre) {
    const Batch batch =
        read_data("timestamp,series,arm,value\n3,a,canary,5\n1,a,canary,6\n3,a,canary,7\n3,a,canary,5\n");
    EXPECT_EQ(batch.series[0].series.times_ms, (std::vector<std::int64_t>{3000, 1000, 3000, 3000}));
    EXPECT_EQ(batch.series[0].series.values, (std::vector<double>{5, 6, 7, 5}));
}

TEST(Tables, AServiceNeedsNoArms) {
    ReadOptions options = named({"errors", "requests"});
    const Batch wide = serinus::io::read_service_data("Time,errors,requests,other\n1,2,3,x\n", options);
    ASSERT_EQ(wide.series.size(), 2U);
    EXPECT_EQ(find(wide, "errors", Arm::baseline).series.values, std::vector<double>{2});
    EXPECT_EQ(told(wide), std::vector<std::string>{"columns that are not read: other"});
    const Batch rows = serinus::io::read_service_data("timestamp,series,value\n1,errors,2\n", options);
    EXPECT_EQ(find(rows, "errors", Arm::baseline).series.values, std::vector<double>{2});
    expect_refused("timestamp,series,value\n1,errors,2\n", Code::data_arm, {"no series belongs to an arm"}, options);
}

// ---- bytes

TEST(Bytes, Utf16InBothOrders) {
    const std::string text = "time,series,arm,value\n1,l\xC3\xA4nd \xF0\x9F\x98\x80,canary,5\n";
    const std::u16string wide = u"time,series,arm,value\n1,länd \U0001F600,canary,5\n";
    for (const bool big : {false, true}) {
        std::string bytes = big ? "\xFE\xFF" : "\xFF\xFE";
        for (const char16_t unit : wide) {
            const char low = static_cast<char>(unit & 0xFF), high = static_cast<char>(unit >> 8);
            bytes += big ? high : low;
            bytes += big ? low : high;
        }
        EXPECT_EQ(read_data(bytes).series[0].name, "l\xC3\xA4nd \xF0\x9F\x98\x80");
    }
    expect_refused(std::string("\xFF\xFE\x00\xD8\x41\x00", 6), Code::data_document, {"half a character at byte 0"});
}

/// gzip of one stored block, which needs no compressor.
std::string stored_gzip(const std::string& text) {
    std::uint32_t crc = 0xFFFFFFFFU;
    for (const char c : text) {
        crc ^= static_cast<unsigned char>(c);
        for (int bit = 0; bit < 8; ++bit) crc = crc & 1U ? 0xEDB88320U ^ (crc >> 1U) : crc >> 1U;
    }
    const auto bytes = [](std::uint32_t value, int count) {
        std::string out;
        for (int i = 0; i < count; ++i) out += static_cast<char>(value >> (8 * i));
        return out;
    };
    const auto size = static_cast<std::uint32_t>(text.size());
    return std::string("\x1F\x8B\x08\x08\0\0\0\0\0\x03name\0", 15) + "\x01" + bytes(size, 2) + bytes(~size, 2) + text +
           bytes(~crc, 4) + bytes(size, 4);
}

TEST(Bytes, Gzip) {
    const std::string text = "time,series,arm,value\n1,a,canary,5\n";
    EXPECT_EQ(read_data(stored_gzip(text)).series[0].series.values, std::vector<double>{5});
    EXPECT_EQ(read_data(stored_gzip(text) + stored_gzip("2,a,canary,6\n")).series[0].series.values,
              (std::vector<double>{5, 6}));
    // Written by gzip 1.12 with its own codes: long_form.csv.
    EXPECT_EQ(read_data(file("samples/long_form.csv.gz")).series.size(), 4U);
    const std::string whole = file("samples/long_form.csv.gz");
    for (std::size_t length = 2; length < whole.size(); length += 1 + length / 20)
        expect_refused(whole.substr(0, length), Code::data_document, {"the gzip file is broken: it ends in"});
    std::string changed = whole;
    changed[whole.size() - 6] = static_cast<char>(changed[whole.size() - 6] ^ 1);
    expect_refused(changed, Code::data_document, {"its checksum is another one"});
    expect_refused(whole, Code::data_size, {"more than 1000 bytes"}, {.max_bytes = 1000});
    for (std::size_t at = 10; at < whole.size(); ++at) {  // whatever breaks, it ends in an error or in samples
        std::string broken = whole;
        broken[at] = static_cast<char>(broken[at] ^ (1 << (at % 8)));
        try {
            read_data(broken);
        } catch (const Error& error) {
            EXPECT_LT(std::string(error.what()).size(), 700U);
        }
    }
}

TEST(Bytes, AVeryLongLineEndsQuickly) {
    const std::clock_t begin = std::clock();  // of this process alone, whatever else the machine does
    for (const std::string& text :
         {std::string(30'000'000, 'x'), "time,series,arm,value\n1,a,canary," + std::string(30'000'000, '1'),
          "\"" + std::string(30'000'000, ','), std::string(30'000'000, ';')})
        EXPECT_THROW(read_data(text), Error);
    EXPECT_LT(std::clock() - begin, 20 * CLOCKS_PER_SEC);
    expect_refused(std::string(2000, 'x'), Code::data_size, {"2000 bytes"}, {.max_bytes = 1000});
}

}  // namespace
