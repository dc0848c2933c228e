#include <cmath>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/core/error.hpp>
#include <serinus/core/quote.hpp>
#include <serinus/io/csv.hpp>
#include <serinus/io/data.hpp>
#include <serinus/io/prometheus.hpp>

#include "support/data_dir.hpp"

namespace {

using serinus::Batch;
using serinus::Code;
using serinus::Error;
using serinus::io::DataFormat;
using serinus::io::guess_format;
using serinus::io::read_data;

std::string sample(const std::string& name) {
    std::ifstream file(data_dir() + "/samples/" + name, std::ios::binary);
    EXPECT_TRUE(file) << name;
    return {std::istreambuf_iterator<char>(file), {}};
}

const serinus::io::ReadOptions captured{.arms = {.baseline = "baseline"}};

TEST(GuessFormat, ByTheFirstCharacter) {
    EXPECT_EQ(guess_format("{}"), DataFormat::prometheus);
    EXPECT_EQ(guess_format(" \r\n\t[1]"), DataFormat::prometheus);
    EXPECT_EQ(guess_format("\xEF\xBB\xBF{"), DataFormat::prometheus);
    EXPECT_EQ(guess_format("timestamp,series"), DataFormat::csv);
    EXPECT_EQ(guess_format("\"timestamp\",series"), DataFormat::csv);
    EXPECT_EQ(guess_format(""), DataFormat::csv);
    EXPECT_EQ(guess_format(" \n"), DataFormat::csv);
}

TEST(ReadData, BothFormatsOfTheSameSamplesAgree) {
    const Batch from_csv = read_data(sample("long_form.csv"), captured);
    const Batch from_json = read_data(sample("document.json"), captured);
    ASSERT_EQ(from_csv.series.size(), 4U);
    ASSERT_EQ(from_json.series.size(), 4U);
    for (const auto& one : from_csv.series) {
        int found = 0;
        for (const auto& other : from_json.series) {
            if (one.name != other.name || one.arm != other.arm) continue;
            ++found;
            EXPECT_EQ(one.series, other.series);
        }
        EXPECT_EQ(found, 1) << one.name;
    }
}

TEST(ReadData, SaysWhenTheArmsDoNotFit) {
    try {
        read_data(sample("document.json"), {.arms = {.label = "code"}});
        FAIL() << "nothing was raised";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), Code::data_arm);
        EXPECT_NE(std::string(error.what())
                      .find("the label \"code\" of all 4 series is \"200\", \"500\"; allowed: "
                            "\"stable\" for the baseline, \"canary\" for the canary"),
                  std::string::npos)
            << error.what();
    }
    // One arm alone, and no label set at all, are for telemetry to judge.
    EXPECT_EQ(read_data(sample("document.json"), {}).series.size(), 2U);
    EXPECT_TRUE(read_data("{\"a\":" + sample("prom_empty.json") + "}", captured).series.empty());
}

/// Changes a text the way files break: flipped, lost, doubled and foreign bytes, cut ends, pieces of another file.
std::string mutate(std::string text, const std::string& other, std::mt19937_64& random) {
    static const std::vector<std::string> pieces{"\"",
                                                 "\"\"",
                                                 ",",
                                                 "\n",
                                                 "\r",
                                                 "{",
                                                 "}",
                                                 "[",
                                                 "]",
                                                 ":",
                                                 "null",
                                                 "NaN",
                                                 "-",
                                                 "e",
                                                 "1e999",
                                                 "99999999999999999999",
                                                 "\\u0000",
                                                 "\xFF",
                                                 "\xEF\xBB\xBF",
                                                 "le",
                                                 "histograms",
                                                 "status",
                                                 "error",
                                                 "scalar",
                                                 "+Inf",
                                                 "0",
                                                 "."};
    for (auto changes = random() % 3 + 1; changes > 0; --changes) {
        const std::size_t at = text.empty() ? 0 : random() % text.size();
        const std::size_t length = random() % 40;
        switch (random() % 9) {
            case 0:
                if (!text.empty()) text[at] = static_cast<char>(random());
                break;
            case 1: text.erase(at, length); break;
            case 2: text.insert(at, text.substr(at, length)); break;
            case 3: text.insert(at, pieces[random() % pieces.size()]); break;
            case 4: text.replace(at, length % 4, pieces[random() % pieces.size()]); break;
            case 5: text.insert(at, other.substr(random() % other.size(), length)); break;
            case 6:
                if (random() % 4 == 0) text.resize(at);
                break;
            default:  // another digit in place of one
                if (const auto digit = text.find_first_of("0123456789", at); digit != std::string::npos) {
                    text[digit] = static_cast<char>('0' + random() % 10);
                }
                break;
        }
    }
    return text;
}

TEST(ReadServiceData, AnswersWithoutArmsAreOneService) {
    const auto document = [](const std::string& labels) {
        return R"({"errors": {"status": "success", "data": {"resultType": "matrix", "result": [{"metric": {)" + labels +
               R"(}, "values": [[60, "1"]]}]}}})";
    };
    for (const std::string labels : {"", R"("job": "api")", R"("track": "stable")"}) {
        const Batch batch = serinus::io::read_service_data(document(labels), {});
        ASSERT_EQ(batch.series.size(), 1U) << labels;
        EXPECT_EQ(batch.series[0].arm, serinus::Arm::baseline);
    }
    EXPECT_EQ(serinus::io::read_service_data(document(R"("track": "canary")"), {}).series[0].arm, serinus::Arm::canary);
    EXPECT_THROW(serinus::io::read_service_data(document(R"("track": "blue")"), {}), Error);
    EXPECT_THROW(serinus::io::read_service_data("timestamp,series,arm,value\n0,errors,green,1\n", {}), Error);
}

TEST(ReadServiceData, EveryFormatWithoutArmsIsOneService) {
    for (const std::string name : {"otlp/otlp_delta.jsonl", "otlp/otlp_collector_cumulative.jsonl"}) {
        const Batch batch = serinus::io::read_service_data(sample(name), {});
        EXPECT_GT(batch.series.size(), 4U) << name;
        for (const auto& s : batch.series) EXPECT_EQ(s.arm, serinus::Arm::baseline);
    }
    EXPECT_EQ(serinus::io::read_service_data("n{job=\"x\"} 5 1795382460\n", {}).series.size(), 1U);
    EXPECT_EQ(
        serinus::io::read_service_data(R"({"metric":{"__name__":"n"},"values":[5],"timestamps":[1795382460000]})", {})
            .series.size(),
        1U);
}

TEST(ReadData, BrokenDocumentsEndInABatchOrAnError) {
    const std::vector<std::string> names{"long_form.csv",
                                         "document.json",
                                         "prom_range_counters.json",
                                         "prom_range_buckets.json",
                                         "prom_range_nan.json",
                                         "prom_range_inf.json",
                                         "prom_range_large_small.json",
                                         "prom_instant_vector.json",
                                         "prom_instant_scalar.json",
                                         "prom_instant_rawmatrix.json",
                                         "prom_error.json",
                                         "prom_empty.json",
                                         "prom_alerts.json",
                                         "pandas_wide.csv",
                                         "grafana_style_joined.csv"};
    std::vector<std::string> texts;
    for (const std::string& name : names) texts.push_back(sample(name).substr(0, 3000));
    texts.push_back(
        "time,series,arm,value,instance,le,stage\n1,a,canary,5,\"x,\"\"y\",0.5,1\n2,a,baseline,NaN,,+Inf,2\n");
    std::mt19937_64 random(1);
    int batches = 0;
    int errors = 0;
    const auto run = [&](auto read) {
        try {
            const Batch batch = read();
            for (const auto& s : batch.series) {
                ASSERT_EQ(s.series.times_ms.size(), s.series.values.size());
                ASSERT_TRUE(serinus::valid_utf8(s.name) && serinus::valid_utf8(s.series.instance));
            }
            ++batches;
        } catch (const Error& error) {
            ASSERT_TRUE(serinus::valid_utf8(error.what()));
            ASSERT_LT(std::string(error.what()).size(), 2000U);
            ASSERT_NE(std::string(error.what()).find("serinus."), std::string::npos);
            ++errors;
        }
    };
    for (int i = 0; i < 10'000; ++i) {
        const std::string text = mutate(texts[random() % texts.size()], texts[random() % texts.size()], random);
        run([&] { return read_data(text, captured); });
        run([&] { return read_prometheus(text, captured, "requests"); });
    }
    // Both ends are reached often, or the changes are too wild or too tame to test anything.
    EXPECT_GT(batches, 500);
    EXPECT_GT(errors, 5'000);
}

TEST(ReadData, WhatIsReadFromABrokenCsvIsWrittenAndReadTheSame) {
    const std::string text =
        "time,series,arm,value,instance,le,stage\n1,a,canary,5,\"x,\"\"y\",0.5,1\n1,b,baseline,7,,,1\n"
        "2,a,baseline,NaN,,+Inf,1\n2.5,b c,canary,1e-3,z,,1\n";
    std::mt19937_64 random(2);
    int batches = 0;
    for (int i = 0; i < 20'000; ++i) {
        Batch batch;
        try {
            batch = serinus::io::read_csv(mutate(text, text, random));
        } catch (const Error&) {
            continue;
        }
        ++batches;
        const std::string written = serinus::io::write_csv(batch);
        EXPECT_EQ(serinus::io::write_csv(serinus::io::read_csv(written)), written);
    }
    EXPECT_GT(batches, 500);
}

}  // namespace
