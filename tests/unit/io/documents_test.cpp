/// Broken documents, whatever reader they come to: a batch or an Error, nothing worse.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/core/error.hpp>
#include <serinus/core/quote.hpp>
#include <serinus/io/data.hpp>
#include <serinus/io/openmetrics.hpp>
#include <serinus/io/otlp.hpp>
#include <serinus/io/prometheus.hpp>
#include <serinus/io/victoriametrics.hpp>

#include "support/read_sample.hpp"

namespace {

using serinus::Batch;
using serinus::Error;
using serinus::io::ReadOptions;

using Reader = std::function<Batch(const std::string&, const ReadOptions&)>;

struct Format {
    std::string name;
    std::vector<std::string> folders;
    Reader read;
};

const std::vector<Format> formats{
    {"prometheus",
     {"prometheus"},
     [](const std::string& text, const ReadOptions& options) {
         return serinus::io::read_prometheus(text, options, "x");
     }},
    {"openmetrics",
     {"exposition"},
     [](const std::string& text, const ReadOptions& options) { return serinus::io::read_openmetrics(text, options); }},
    {"otlp",
     {"otlp"},
     [](const std::string& text, const ReadOptions& options) { return serinus::io::read_otlp(text, options); }},
    {"victoriametrics",
     {"victoriametrics"},
     [](const std::string& text, const ReadOptions& options) {
         return serinus::io::read_victoriametrics(text, options);
     }},
    {"any",
     {"prometheus", "exposition", "otlp", "victoriametrics"},
     [](const std::string& text, const ReadOptions& options) { return serinus::io::read_data(text, options); }},
    {"service",
     {"prometheus", "exposition", "otlp", "victoriametrics"},
     [](const std::string& text, const ReadOptions& options) {
         return serinus::io::read_service_data(text, options);
     }}};

std::vector<std::string> texts_of(const Format& format) {
    std::vector<std::string> names;
    for (const std::string& folder : format.folders) {
        for (const auto& file : std::filesystem::directory_iterator(data_dir() + "/samples/" + folder)) {
            if (file.path().extension() != ".md") names.push_back(folder + "/" + file.path().filename().string());
        }
    }
    std::sort(names.begin(), names.end());
    std::vector<std::string> texts;
    for (const std::string& name : names) texts.push_back(support::read_sample(name).substr(0, 4000));
    return texts;
}

/// What the reader said; checks that a batch is whole and an error fit to be shown.
bool survives(const Format& format, const std::string& text, const ReadOptions& options) {
    try {
        const Batch batch = format.read(text, options);
        for (const serinus::ArmSeries& s : batch.series) {
            EXPECT_EQ(s.series.times_ms.size(), s.series.values.size());
            EXPECT_TRUE(s.series.starts_ms.empty() || s.series.starts_ms.size() == s.series.values.size());
        }
        for (const serinus::ArmHistogram& h : batch.histograms) {
            EXPECT_EQ(h.series.times_ms.size(), h.series.samples.size());
            EXPECT_TRUE(h.series.starts_ms.empty() || h.series.starts_ms.size() == h.series.samples.size());
            for (const serinus::HistogramSample& one : h.series.samples) {
                for (const serinus::HistogramBucket& bucket : one.buckets) EXPECT_LE(bucket.lower, bucket.upper);
            }
        }
        for (const std::string& said : support::sentences(batch)) EXPECT_TRUE(serinus::valid_utf8(said));
        return true;
    } catch (const Error& error) {
        const std::string said = error.what();
        EXPECT_TRUE(serinus::valid_utf8(said));
        EXPECT_LT(said.size(), 2000U);
        EXPECT_NE(said.find("serinus."), std::string::npos);
        return false;
    }
}

std::string mutated(std::string text, const std::string& other, std::mt19937_64& random) {
    static const std::vector<std::string> pieces{"\"",
                                                 "{",
                                                 "}",
                                                 "[",
                                                 "]",
                                                 ":",
                                                 ",",
                                                 "\n",
                                                 "null",
                                                 "true",
                                                 "NaN",
                                                 "+Inf",
                                                 "-Infinity",
                                                 "1e999",
                                                 "-1",
                                                 "0",
                                                 "99999999999999999999",
                                                 "\\u0000",
                                                 "\\ud800",
                                                 "\xFF",
                                                 "\xEF\xBB\xBF",
                                                 "le",
                                                 "track",
                                                 "canary",
                                                 "histograms",
                                                 "\"buckets\":[[3,\"-Inf\",\"1\",\"1\"]]",
                                                 "# EOF\n",
                                                 " # {a=\"b\"} 1",
                                                 "_created",
                                                 "\"flags\":1",
                                                 "\"scale\":-3",
                                                 "\"asInt\":",
                                                 "\"aggregationTemporality\":1",
                                                 "\"status\":\"error\"",
                                                 "\"warnings\":[\"x\"]",
                                                 "st@5"};
    for (auto changes = random() % 3 + 1; changes > 0; --changes) {
        const std::size_t at = text.empty() ? 0 : random() % text.size();
        const std::size_t length = random() % 60;
        switch (random() % 8) {
            case 0:
                if (!text.empty()) text[at] = static_cast<char>(random());
                break;
            case 1: text.erase(at, length); break;
            case 2: text.insert(at, text.substr(at, length)); break;
            case 3: text.insert(at, pieces[random() % pieces.size()]); break;
            case 4: text.replace(at, length % 6, pieces[random() % pieces.size()]); break;
            case 5: text.insert(at, other.substr(random() % other.size(), length)); break;
            case 6: text.resize(random() % 8 == 0 ? at : text.size()); break;
            default:
                if (const auto digit = text.find_first_of("0123456789", at); digit != std::string::npos)
                    text[digit] = static_cast<char>('0' + random() % 10);
        }
    }
    return text;
}

/// Closes what `substr` cut, so that broken documents are not all broken by their end.
std::string closed(const std::string& text) {
    std::string ends;
    bool quoted = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (quoted) {
            if (text[i] == '\\')
                ++i;
            else if (text[i] == '"')
                quoted = false;
        } else if (text[i] == '"') {
            quoted = true;
        } else if (text[i] == '{' || text[i] == '[') {
            ends += text[i] == '{' ? '}' : ']';
        } else if ((text[i] == '}' || text[i] == ']') && !ends.empty()) {
            ends.pop_back();
        }
    }
    return text + (quoted ? "\"" : "") + std::string(ends.rbegin(), ends.rend());
}

TEST(Documents, BrokenOnesEndInABatchOrAnError) {
    const std::vector<ReadOptions> options{
        {},
        {.arms = {.baseline = ""}, .at = serinus::from_ms(1'796'012'900'000)},
        {.arms = {"service.version", "1.8.2", "1.9.0"}, .replica_labels = {"job"}, .names = {"shop_orders_total"}}};
    for (const Format& format : formats) {
        SCOPED_TRACE(format.name);
        std::vector<std::string> texts = texts_of(format);
        for (std::string& text : texts) text = closed(text);
        std::mt19937_64 random(16);
        int batches = 0;
        const int runs = 2000;
        for (int i = 0; i < runs; ++i) {
            const std::string text = mutated(texts[random() % texts.size()], texts[random() % texts.size()], random);
            batches += survives(format, text, options[random() % options.size()]) ? 1 : 0;
        }
        // Both ends are reached often, or the changes are too wild or too tame to test anything.
        EXPECT_GT(batches, runs / 100);
        EXPECT_LT(batches, runs * 9 / 10);
    }
}

TEST(Documents, EveryCutOfADocument) {
    for (const std::string name : {"otlp/otlp_collector_odd.jsonl", "victoriametrics/vm179_export_max_rows.jsonl",
                                   "exposition/exposition_canary.om", "prometheus/prom316_nhcb_edge.json"}) {
        const std::string text = support::read_sample(name);
        for (std::size_t length = 0; length < text.size(); length += 7)
            survives(formats[4], text.substr(0, length), {});
    }
}

TEST(Documents, GarbageEndsQuickly) {
    std::mt19937_64 random(3);
    std::string bytes(10'000'000, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    const std::string many = std::string(300'000, '9');
    std::string objects;
    for (int i = 0; i < 10'000; ++i) objects += "{\"resourceMetrics\":[";
    std::string empties;
    for (int i = 0; i < 10'000; ++i) empties += "{}\n";
    for (const Format& format : formats) {
        SCOPED_TRACE(format.name);
        for (const std::string& text :
             {bytes, many, objects, empties, std::string(300'000, '['), std::string(10'000'000, '\n'),
              "{\"" + std::string(300'000, 'k') + "\":1}", "{\"resourceMetrics\":[" + many + "]}",
              "{\"metric\":{},\"values\":[" + many + "],\"timestamps\":[1]}", "a{track=\"" + many + "\"} 1 1e",
              "a{track=\"canary\"} " + many + " 5", "a{" + many + "\n", std::string(), std::string("\n"),
              std::string("\xEF\xBB\xBF"), std::string("\0", 1)}) {
            EXPECT_FALSE(survives(format, text, {}));
        }
    }
}

}  // namespace
