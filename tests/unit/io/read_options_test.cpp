#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/core/error.hpp>
#include <serinus/io/read_options.hpp>

namespace {

using serinus::Code;
using serinus::Error;
using serinus::io::ReadOptions;
using serinus::io::tell_arms;
using serinus::io::tell_columns;

TEST(TellArms, OverridesWhatIsNamed) {
    ReadOptions options;
    tell_arms(options, "baseline=6d4c,canary=\"7f,9\"");
    EXPECT_EQ(options.arms, (serinus::Arms{"track", "6d4c", "7f,9"}));
    tell_arms(options, "label=rollouts_pod_template_hash");
    EXPECT_EQ(options.arms, (serinus::Arms{"rollouts_pod_template_hash", "6d4c", "7f,9"}));
    for (const char* const text :
         {"", "label", "label=", "=a", "label=a,", "label=a,label=b", "arm=x", "label=\"a\"b", "baseline=a,canary=a"}) {
        try {
            ReadOptions fresh;
            tell_arms(fresh, text);
            ADD_FAILURE() << text;
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), Code::argument_word) << text;
            EXPECT_NE(std::string(error.what()).find("allowed: "), std::string::npos);
        }
    }
}

TEST(TellColumns, OursByTheirs) {
    ReadOptions options;
    tell_columns(options, "time=Time,value=\"Requests, \"\"all\"\"\",arm=track");
    EXPECT_EQ(options.columns, (std::map<std::string, std::string>{
                                   {"timestamp", "Time"}, {"value", "Requests, \"all\""}, {"arm", "track"}}));
    try {
        tell_columns(options, "metric=name");
        ADD_FAILURE();
    } catch (const Error& error) {
        EXPECT_NE(std::string(error.what()).find("columns names \"metric\"; allowed: OURS=THEIRS"), std::string::npos)
            << error.what();
        EXPECT_NE(std::string(error.what()).find("timestamp, series, arm, value, instance"), std::string::npos);
    }
}

TEST(ReadOptions, OfAPlan) {
    serinus::Plan plan;
    plan.arms = {"version", "v1", "v2"};
    plan.replica_labels = {"collector"};
    plan.metrics.emplace_back();
    plan.metrics.back().bad = "errors";
    plan.metrics.back().total = "requests";
    const ReadOptions options = serinus::io::read_options(plan);
    EXPECT_EQ(options.arms, plan.arms);
    EXPECT_EQ(options.replica_labels, plan.replica_labels);
    EXPECT_EQ(options.names, (std::vector<std::string>{"errors", "requests"}));
    EXPECT_FALSE(options.service);
}

}  // namespace
