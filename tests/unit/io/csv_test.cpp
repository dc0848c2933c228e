#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <functional>
#include <iterator>
#include <limits>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/core/error.hpp>
#include <serinus/io/columns.hpp>
#include <serinus/io/csv.hpp>

#include "support/data_dir.hpp"
#include "support/read_sample.hpp"

namespace {

using serinus::Arm;
using serinus::ArmSeries;
using serinus::Batch;
using serinus::Code;
using serinus::Error;
using serinus::io::read_csv;
using serinus::io::write_csv;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

/// Equal to the bit, where every NaN equals every other.
void expect_same(const Batch& a, const Batch& b) {
    const auto bits = [](double value) { return std::isnan(value) ? 1 : std::bit_cast<std::uint64_t>(value); };
    ASSERT_EQ(a.series.size(), b.series.size());
    for (std::size_t i = 0; i < a.series.size(); ++i) {
        EXPECT_EQ(a.series[i].name, b.series[i].name);
        EXPECT_EQ(a.series[i].arm, b.series[i].arm);
        EXPECT_EQ(bits(a.series[i].le), bits(b.series[i].le));
        EXPECT_EQ(a.series[i].series.instance, b.series[i].series.instance);
        EXPECT_EQ(a.series[i].series.times_ms, b.series[i].series.times_ms);
        EXPECT_EQ(a.series[i].series.starts_ms, b.series[i].series.starts_ms);
        EXPECT_EQ(a.series[i].labels, b.series[i].labels);
        EXPECT_EQ(a.series[i].replica, b.series[i].replica);
        ASSERT_EQ(a.series[i].series.values.size(), b.series[i].series.values.size());
        for (std::size_t j = 0; j < a.series[i].series.values.size(); ++j) {
            EXPECT_EQ(bits(a.series[i].series.values[j]), bits(b.series[i].series.values[j])) << i << " " << j;
        }
    }
    EXPECT_EQ(a.stages, b.stages);
}

void expect_refused(const std::string& text, Code code, const std::vector<std::string>& said) {
    support::expect_refused([](const std::string& it) { read_csv(it); }, text, code, said, 500);
}

const std::string header = "timestamp,series,arm,value\n";

TEST(ReadCsv, TheLongFormWrittenByPandas) {
    const Batch batch = read_csv(support::read_sample("long_form.csv"));
    ASSERT_EQ(batch.series.size(), 4U);
    const ArmSeries& first = batch.series[0];
    EXPECT_EQ(first.name, "requests_200");
    EXPECT_EQ(first.arm, Arm::baseline);
    EXPECT_TRUE(std::isnan(first.le));
    EXPECT_EQ(first.series.instance, "");
    ASSERT_EQ(first.series.values.size(), 37U);
    EXPECT_EQ(first.series.times_ms[0], 1'795'382'489'000);
    EXPECT_EQ(first.series.values[0], 806);
    EXPECT_EQ(first.series.values[36], 5120);
    EXPECT_EQ(batch.series[3].name, "requests_500");
    EXPECT_EQ(batch.series[3].arm, Arm::canary);
    EXPECT_EQ(batch.series[3].series.values.size(), 33U);
    EXPECT_EQ(batch.series[3].series.values.back(), 23);
    EXPECT_TRUE(batch.stages.empty());
    expect_same(read_csv(write_csv(batch)), batch);
}

TEST(ReadCsv, EveryColumnInAnyOrderAndCase) {
    const Batch batch = read_csv(
        "Stage,LE,\"Instance\",VALUE , Arm,series,Time\r\n"
        "1,0.5,web-1, 1.5,canary,latency,0\r\n"
        "1,+Inf,web-1,2,canary,latency,0\r\n"
        "\r\n"
        "2,.5,web-1,3,canary,latency,1.5\r\n"
        "2,,\"a, \"\"b\"\"\nc\",,baseline,requests,2026-11-22T21:21:29Z");
    ASSERT_EQ(batch.series.size(), 3U);
    EXPECT_EQ(batch.series[0].le, 0.5);
    EXPECT_EQ(batch.series[0].series.times_ms, (std::vector<std::int64_t>{0, 1500}));
    EXPECT_EQ(batch.series[0].series.values, (std::vector<double>{1.5, 3}));
    EXPECT_EQ(batch.series[0].series.instance, "web-1");
    EXPECT_EQ(batch.series[1].le, std::numeric_limits<double>::infinity());
    EXPECT_TRUE(std::isnan(batch.series[2].le));
    EXPECT_EQ(batch.series[2].series.instance, "a, \"b\"\nc");
    EXPECT_TRUE(std::isnan(batch.series[2].series.values[0]));
    EXPECT_EQ(batch.stages, (std::vector<serinus::StageStart>{{1, 0}, {2, 1500}}));
    expect_same(read_csv(write_csv(batch)), batch);
}

TEST(ReadCsv, LineEndsMarksAndBlanks) {
    const std::vector<std::string> rows{"timestamp,series,arm,value", "1,a,canary,5", "2,a,canary,6"};
    Batch expected;
    expected.series = {{"a", Arm::canary, nan, {{1000, 2000}, {5, 6}, ""}}};
    for (const std::string end : {"\n", "\r\n", "\r", "\n\n \t\n"}) {
        for (const std::string begin : {"", "\xEF\xBB\xBF", "\n", "\xEF\xBB\xBF\r\n  \r\n"}) {
            expect_same(read_csv(begin + rows[0] + end + rows[1] + end + rows[2]), expected);
            expect_same(read_csv(begin + rows[0] + end + rows[1] + end + rows[2] + end), expected);
        }
    }
}

TEST(ReadCsv, Values) {
    const std::vector<std::pair<std::string, double>> cases{{"0", 0},
                                                            {"-0", -0.0},
                                                            {"+5", 5},
                                                            {"1e+21", 1e21},
                                                            {"1E-9", 1e-9},
                                                            {".5", 0.5},
                                                            {"5.", 5},
                                                            {"\"7\"", 7},
                                                            {"NaN", nan},
                                                            {"-nan", nan},
                                                            {"", nan},
                                                            {"\"\"", nan},
                                                            {"+Inf", std::numeric_limits<double>::infinity()},
                                                            {"inf", std::numeric_limits<double>::infinity()},
                                                            {"-Infinity", -std::numeric_limits<double>::infinity()},
                                                            {"4.9e-324", 4.9e-324},
                                                            {"1.7976931348623157e308", 1.7976931348623157e308}};
    for (const auto& [text, value] : cases) {
        Batch expected;
        expected.series = {{"a", Arm::baseline, nan, {{1000}, {value}, ""}}};
        expect_same(read_csv(header + "1,a,baseline," + text), expected);
    }
    for (const std::string bad :
         {"abc", "1,5", "1e309",  "1e-400", "0x10",  "1 2",   "--5",   "+-5",  "-",  "+",
          "e5",  "1e",  "nan(1)", "infin",  "1_000", "1,234", "1 234", "zero", "5%", "\xC3\xA9"}) {
        expect_refused(header + "1,a,baseline,5\n1,a,baseline,\"" + bad + "\"\n", Code::data_value,
                       {"line 3, column value is \"" + bad + "\"; allowed: a decimal number", "NaN, +Inf, -Inf"});
    }
}

TEST(ReadCsv, GroupsBySeriesArmBucketAndInstance) {
    const Batch batch = read_csv(
        "timestamp,series,arm,value,instance,le\n"
        "1,a,canary,1,,\n1,a,baseline,2,,\n1,a,canary,3,x,\n1,a,canary,4,,1\n1,b,canary,5,,\n"
        "2,a,canary,6,,1.0\n2,a,canary,7,,\n2,ax,canary,8,,\n2,a,canary,9,,0\n3,a,canary,10,,-0\n");
    ASSERT_EQ(batch.series.size(), 7U);
    EXPECT_EQ(batch.series[0].series.values, (std::vector<double>{1, 7}));
    EXPECT_EQ(batch.series[3].series.values, (std::vector<double>{4, 6}));
    EXPECT_EQ(batch.series[5].name, "ax");
    EXPECT_EQ(batch.series[6].series.values, (std::vector<double>{9, 10}));
}

TEST(ReadCsv, RefusesHeaders) {
    expect_refused("", Code::data_empty, {"empty"});
    expect_refused(" \n\r\n\t", Code::data_empty, {"empty"});
    expect_refused("\xEF\xBB\xBF", Code::data_empty, {"empty"});
    expect_refused(header, Code::data_empty, {"no row"});
    expect_refused("timestamp,series,arm\n1,a,canary\n", Code::data_column,
                   {"\"value\" is missing", "allowed: timestamp"});
    expect_refused("timestamp,series,arm,value,Value\n", Code::data_column, {"4 and 5", "\"value\""});
    expect_refused("timestamp,time,series,arm,value\n", Code::data_column, {"1 and 2", "\"timestamp\""});
    expect_refused("timestamp|series|arm|value\n1|a|canary|2\n", Code::data_column,
                   {"\"timestamp\" is missing", "allowed: timestamp"});
    expect_refused(support::read_sample("grafana_style_joined.csv"), Code::data_column,
                   {"column 2 is \"{code=\"200\"", "names no series", "{{track}}"});
    expect_refused(support::read_sample("grafana_style_raw_ms.csv"), Code::data_column, {"\"series\" is missing"});
    expect_refused(
        "timestamp,p50,p99\n1,2,3\n", Code::data_arm,
        {"none of the columns", "\"p99\" belongs to an arm", "no \"stable\" or \"canary\" alone in \"p50\""});
    expect_refused("timestamp,requests canary,requests canary\n1,2,3\n", Code::data_column, {"2 and 3", "are both"});
    expect_refused(std::string(200'000, ','), Code::data_column, {"line 1", "100000"});
}

TEST(ReadCsv, RefusesRows) {
    expect_refused(header + "\n\n1,a,canary\n", Code::data_column, {"line 4", "3 cells", "4"});
    expect_refused(header + "1,a,canary,5,6\n", Code::data_column, {"line 2", "4 cells"});
    expect_refused(header + "soon,a,canary,5\n", Code::data_timestamp,
                   {"line 2, column timestamp is \"soon\"", "RFC 3339"});
    expect_refused(header + ",a,canary,5\n", Code::data_timestamp, {"is \"\""});
    expect_refused(header + "1,a,control,5\n", Code::data_arm,
                   {"line 2, column arm is \"control\"; allowed: \"stable\" or \"baseline\", and \"canary\""});
    expect_refused(header + "1,a,Canary,5\n", Code::data_arm, {"\"Canary\""});
    expect_refused(header + ",,,\n", Code::data_empty, {"no row"});
    expect_refused(header + "1,,canary,5\n", Code::data_value, {"column series is \"\""});
    expect_refused(header + "1,a\xFF,canary,5\n", Code::data_value, {"column series is \"a?\"; allowed: UTF-8"});
    expect_refused("timestamp,series,arm,value,instance\n1,a,canary,5,\xC3\n", Code::data_value,
                   {"column instance is \"?\"; allowed: UTF-8"});
    for (const std::string le : {"nan", "-Inf", "big"}) {
        expect_refused("timestamp,series,arm,value,le\n1,a,canary,5," + le, Code::data_value,
                       {"column le is \"" + le + "\""});
    }
    for (const std::string stage : {"-1", "0", "1.5", "x", "99999999999"}) {
        expect_refused("timestamp,series,arm,value,stage\n1,a,canary,5," + stage, Code::data_value,
                       {"column stage is \"" + stage + "\""});
    }
}

TEST(ReadCsv, RefusesBrokenQuotes) {
    expect_refused(header + "1,\"a,canary,5\n", Code::data_document, {"line 2", "never ends", "\"a,canary,5?\""});
    expect_refused(header + "1,\"a\"b,canary,5\n", Code::data_document, {"line 2", "after the quoted cell \"a\""});
    expect_refused(header + "1,a\"b\",canary,5\n", Code::data_document, {"line 2", "quote inside the cell"});
    // A line is counted as an editor counts it, also behind cells with line ends in them.
    expect_refused(header + "1,\"a\n\nb\",canary,5\n2,a,canary,oops\n", Code::data_value, {"line 5,"});
}

TEST(ReadCsv, StagesFollowOneAnother) {
    const std::string with_stage = "timestamp,series,arm,value,stage\n";
    const Batch batch = read_csv(with_stage + "30,a,canary,1,3\n10,a,canary,1,1\n5,a,canary,1,1\n7,a,canary,1,\n");
    EXPECT_EQ(batch.stages, (std::vector<serinus::StageStart>{{1, 5000}, {3, 30'000}}));
    expect_refused(with_stage + "1,a,canary,1,1\n2,a,canary,1,2\n3,a,canary,1,1\n", Code::data_order,
                   {"line 4, column stage: stage 1 is still there at 1970-01-01T00:00:03Z, but stage 2 began at "
                    "1970-01-01T00:00:02Z"});
    expect_refused(with_stage + "1,a,canary,1,1\n1,b,canary,1,2\n", Code::data_order, {"stage 1", "stage 2"});
    expect_refused(with_stage + "1,a,canary,1,3\n9,a,canary,1,1\n", Code::data_order, {"stage 1", "stage 3"});
}

TEST(ReadCsv, GarbageAndSizesEndQuickly) {
    const auto begin = std::chrono::steady_clock::now();
    std::mt19937_64 random(1);
    std::string garbage(10'000'000, '\0');
    for (char& c : garbage) c = static_cast<char>(random());
    for (const std::string& text :
         {garbage, std::string(10'000'000, 'x'), std::string(10'000'000, ','), std::string(10'000'000, '"'),
          "\"" + std::string(10'000'000, 'x'), header + garbage, header + std::string(10'000'000, ','),
          header + "1," + std::string(10'000'000, '"'), header + "1,a,canary," + std::string(10'000'000, '9')}) {
        try {
            read_csv(text);
            FAIL() << "nothing was raised";
        } catch (const Error& error) {
            EXPECT_LT(std::string(error.what()).size(), 500U);
        }
    }
    EXPECT_THROW(read_csv(std::string(10'000'000, '\n')), Error);
    EXPECT_THROW(read_csv(header + "1,a,canary,5\n", {.max_bytes = 10}), Error);
    // More than 10 times what it takes here, so that a slow machine passes and a quadratic reader does not.
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
}

TEST(WriteCsv, ReadsBackToTheSameBits) {
    std::mt19937_64 random(2);
    const std::vector<std::string> names{"a",    "b c",      " lead",       "tail\t", "comma,",        "quo\"te",
                                         "l\nf", "c\r\nr\r", "caf\xC3\xA9", "\"",     "{code=\"200\"}"};
    const std::vector<double> odd{0.0, -0.0, nan,    HUGE_VAL, -HUGE_VAL, 5e-324, 1.7976931348623157e308,
                                  0.1, 1e21, 1.0 / 3};
    for (int repetition = 0; repetition < 300; ++repetition) {
        Batch batch;
        for (const std::string& name : names) {
            if (random() % 3 == 0) continue;
            ArmSeries series;
            series.name = name;
            series.arm = random() % 2 == 0 ? Arm::baseline : Arm::canary;
            if (random() % 2 == 0) series.le = random() % 4 == 0 ? HUGE_VAL : static_cast<double>(random() % 100) / 7;
            if (random() % 2 == 0) series.series.instance = names[random() % names.size()];
            if (random() % 2 == 0) series.labels = serinus::io::labels_text({{"code", "500"}, {"path", name}});
            if (random() % 4 == 0) series.replica = "prometheus-" + std::to_string(random() % 2);
            const bool starts = random() % 4 == 0;
            for (int i = 0; i < 20; ++i) {
                const auto wide = static_cast<std::int64_t>(random() % 300'000'000'000'000) - 60'000'000'000'000;
                const auto narrow = static_cast<std::int64_t>(random() % 400'000'000'000) - 200'000'000'000;
                const auto any = std::bit_cast<double>(random());
                series.series.times_ms.push_back(random() % 2 == 0 ? wide : narrow);
                series.series.values.push_back(random() % 4 == 0 ? odd[random() % odd.size()] : any);
                if (starts) series.series.starts_ms.push_back(i == 19 ? 1'795'382'489'000 : i == 0 ? -5'000 : 0);
            }
            batch.series.push_back(std::move(series));
        }
        if (batch.series.empty()) continue;
        // Stages begin at samples: the earliest of all, and any later one.
        std::vector<std::int64_t> times;
        for (const ArmSeries& s : batch.series)
            times.insert(times.end(), s.series.times_ms.begin(), s.series.times_ms.end());
        std::sort(times.begin(), times.end());
        if (random() % 2 == 0)
            batch.stages = {{1, times[0]}, {2, times[times.size() / 2]}, {6, times[times.size() - 2]}};
        if (random() % 4 == 0 && !batch.stages.empty()) batch.stages.erase(batch.stages.begin());
        expect_same(read_csv(write_csv(batch)), batch);
    }
    EXPECT_EQ(write_csv(Batch{}), header);
}

TEST(WriteCsv, Text) {
    Batch batch;
    batch.series = {{"a", Arm::canary, nan, {{1'795'382'489'250, 1500}, {0.1, nan}, ""}},
                    {"b", Arm::baseline, HUGE_VAL, {{99'999'999'999}, {-HUGE_VAL}, "x,y"}}};
    EXPECT_EQ(write_csv(batch),
              "timestamp,series,arm,value,instance,le\n"
              "1795382489250,a,canary,0.1,,\n"
              "1970-01-01T00:00:01.500Z,a,canary,NaN,,\n"
              "1973-03-03T09:46:39.999Z,b,baseline,-Inf,\"x,y\",+Inf\n");
    batch.series[0].series.times_ms[0] = std::numeric_limits<std::int64_t>::max();
    EXPECT_THROW(write_csv(batch), Error);
}

}  // namespace
