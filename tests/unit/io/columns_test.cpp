#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/core/error.hpp>
#include <serinus/core/words.hpp>
#include <serinus/io/columns.hpp>

namespace {

using serinus::Arm;
using serinus::Code;
using serinus::Error;
using serinus::io::Column;
using serinus::io::find_columns;
using serinus::io::read_series_text;
using serinus::io::ReadOptions;

TEST(SeriesText, LabelSets) {
    ReadOptions options;
    options.replica_labels = {"replica", "prometheus_replica"};
    const auto text = read_series_text(
        R"(http_requests{track="canary", code="500", pod="web-9", le="0.30", replica="b", path="a\"\\\n,b"})", options);
    EXPECT_EQ(text.name, "http_requests");
    EXPECT_EQ(text.arm, Arm::canary);
    EXPECT_EQ(text.instance, "web-9");
    EXPECT_EQ(text.le, 0.3);
    EXPECT_EQ(text.replica, "b");
    EXPECT_EQ(serinus::io::labels_text(text.labels), R"({code="500",path="a\"\\\n,b"})");
    EXPECT_EQ(serinus::io::read_labels(serinus::io::labels_text(text.labels)), text.labels);
    EXPECT_EQ(read_series_text(R"({__name__="up", track="blue"})", options).neither, "the label \"track\" is \"blue\"");
    EXPECT_EQ(read_series_text(R"(up{job="x"})", options).neither, "no label \"track\"");
    for (const char* const bad : {"a{b}", "a{b=}", "a{b=\"c}", "a{=\"c\"}", "a{b=\"c\" d=\"e\"}", "a{b=\"c\",b=\"d\"}"})
        EXPECT_THROW(read_series_text(bad, options), Error) << bad;
}

TEST(SeriesText, OtherTexts) {
    const auto arm_and_name = [](const std::string& text, std::vector<std::string> names = {}) {
        const auto found = read_series_text(text, {.names = std::move(names)});
        const std::string arm = found.arm ? std::string(serinus::word(*found.arm)) : "neither";
        return arm + " " + found.name + serinus::io::labels_text(found.labels);
    };
    EXPECT_EQ(arm_and_name("canary 200"), "canary 200");
    EXPECT_EQ(arm_and_name("stable, p50"), "baseline p50");
    EXPECT_EQ(arm_and_name("http_requests-Canary"), "canary http_requests");
    EXPECT_EQ(arm_and_name("requests_canary_p99"), "canary requests_p99");
    EXPECT_EQ(arm_and_name("canaryish"), "neither canaryish");
    EXPECT_EQ(arm_and_name("stable vs canary"), "neither stable vs canary");
    EXPECT_EQ(arm_and_name("http_errors stable web-1", {"http_errors", "errors"}),
              "baseline http_errors{legend=\"web-1\"}");
    EXPECT_EQ(arm_and_name("canary_hits", {"canary_hits"}), "neither canary_hits");
    EXPECT_EQ(arm_and_name("stable canary_hits", {"canary_hits", "hits"}), "baseline canary_hits");
    EXPECT_EQ(arm_and_name("canary_http_errors", {"http_errors", "b"}), "canary http_errors");
    EXPECT_EQ(arm_and_name("canary", {"only"}), "canary only");
    EXPECT_EQ(arm_and_name("canary", {"a", "b"}), "canary ");
}

TEST(FindColumns, LongAndWide) {
    const std::vector<std::string_view> header{"",     "Time",  "_field", "_value", "_measurement",
                                               "host", "track", "_start"};
    const auto found = find_columns(header, {});
    EXPECT_EQ(found.at(Column::timestamp), 1U);
    EXPECT_EQ(found.at(Column::series), 2U);
    EXPECT_EQ(found.at(Column::value), 3U);
    EXPECT_EQ(found.at(Column::arm), 6U);
    EXPECT_EQ(found.measurement, 4U);
    EXPECT_EQ(found.labels, std::vector<std::size_t>{5});
    EXPECT_TRUE(found.values.empty());

    const std::vector<std::string_view> wide{"ts", "a canary", "a stable", "a blue"};
    const auto columns = find_columns(wide, {});
    ASSERT_EQ(columns.values.size(), 2U);
    EXPECT_EQ(columns.values[1].place, 2U);
    EXPECT_EQ(columns.values[1].series.arm, Arm::baseline);
    EXPECT_EQ(columns.neither, std::vector<std::string>{"a blue"});
    EXPECT_THROW(find_columns({}, {}), Error);
}

}  // namespace
