#include <string>

#include <gtest/gtest.h>

#include <serinus/report/document.hpp>
#include <serinus/report/html.hpp>
#include <serinus/report/markdown.hpp>
#include <serinus/report/pipelines.hpp>

#include "support/two_stages.hpp"

namespace serinus::report {
namespace {

TEST(Document, IsWhatTheFunctionOfThatNameGives) {
    const Record record = recorded(two_stages::plan(), two_stages::batch(0.04), std::nullopt, 0);
    EXPECT_EQ(document(record, Form::text), text(record));
    EXPECT_EQ(document(record, Form::markdown), markdown(record));
    EXPECT_EQ(document(record, Form::html), html(record));
    EXPECT_EQ(document(record, Form::github), github(record));
    EXPECT_EQ(document(record, Form::junit), junit(record));
    EXPECT_EQ(document(record, Form::openmetrics), openmetrics(record));
    EXPECT_EQ(document(record, Form::cdevents, {.environment = "e"}), cdevents(record, {.environment = "e"}));
    EXPECT_EQ(document(record, Form::markdown, {.text = {.face = Face::python, .view = View::debug}}),
              markdown(record, Face::python, View::debug));
    EXPECT_EQ(document({}, Form::html), "");
}

/// Who reads sees what is meant for them, in every form for people.
TEST(Document, Views) {
    const Record record = recorded(two_stages::plan(), two_stages::batch(0.04), std::nullopt, 0);
    for (const Form form : {Form::text, Form::markdown, Form::html}) {
        const auto shown = [&](View view) { return document(record, form, {.text = {.width = 400, .view = view}}); };
        const std::string brief = shown(View::executive), usual = shown(View::on_call), all = shown(View::debug);
        const auto has = [](const std::string& of, const char* part) { return of.find(part) != std::string::npos; };
        for (const std::string& of : {brief, all}) {
            EXPECT_TRUE(has(of, "as if all traffic had gone to it for 4m 25s; 45,000 of its requests")) << of;
        }
        EXPECT_FALSE(has(usual, "as if all traffic"));
        for (const std::string& of : {brief, usual, all}) {
            EXPECT_TRUE(has(of, "ROLLBACK"));
            EXPECT_TRUE(has(of, "errors.harm_proven"));
            EXPECT_TRUE(has(of, "roll back: move all traffic to the baseline"));
        }
        EXPECT_FALSE(has(brief, "however often you ask"));
        EXPECT_TRUE(has(all, "however often you ask"));
        EXPECT_TRUE(has(all, "telemetry: intervals 45, used 45, without the baseline 0")) << all;
        EXPECT_FALSE(has(usual, "telemetry: intervals"));
        EXPECT_TRUE(has(all, "memory.noise_learned") || has(all, "memory.")) << all;
        EXPECT_LT(brief.size(), usual.size());
        EXPECT_LT(usual.size(), all.size());
    }
}

}  // namespace
}  // namespace serinus::report
