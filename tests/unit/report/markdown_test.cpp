#include <limits>
#include <string>

#include <gtest/gtest.h>

#include <serinus/report/markdown.hpp>
#include <serinus/report/record.hpp>

#include "support/two_stages.hpp"

namespace serinus::report {
namespace {

std::size_t count_of(const std::string& text, const std::string& part) {
    std::size_t count = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
    return count;
}

TEST(Markdown, SaysWhatTheTextSays) {
    const Record record = recorded(two_stages::plan(), two_stages::batch(0.04), std::nullopt, 0);
    const std::string said = markdown(record);
    EXPECT_TRUE(said.starts_with("## \U0001F534 ROLLBACK: payments\n\nstage 2 of 2, 50 % of traffic, after ")) << said;
    for (const char* part :
         {"| Metric | Verdict | Estimate | Range | Allowed | Evidence |\n|---|---|---|---|---|---|\n",
          "| errors | **fail** | 4.0", "**Why**\n\n- errors.harm_proven: ", "**Next**\n\n- roll back",
          "<details><summary>Data, noise and promise</summary>\n\n", "</details>\n"})
        EXPECT_NE(said.find(part), std::string::npos) << part << "\n" << said;
    EXPECT_LT(said.find("| errors "), said.find("| memory "));
    EXPECT_EQ(markdown(Record{}), "");
    EXPECT_NE(markdown(record.decisions.back()).find("ROLLBACK"), std::string::npos);
}

TEST(Markdown, WhatFailsComesFirst) {
    Plan plan = two_stages::plan();
    std::swap(plan.metrics[0], plan.metrics[1]);
    const std::string said = markdown(recorded(plan, two_stages::batch(0.04), std::nullopt, 0));
    EXPECT_LT(said.find("| errors "), said.find("| memory "));
}

TEST(Markdown, NamesAreNoMarkup) {
    const std::string name = "<b>|`x` @me #1 [a](https://a.example) **b** _c_ \n\\";
    const std::string said = markdown(recorded(two_stages::plan(name), two_stages::batch(0.04), std::nullopt, 0));
    for (const char* part : {"<b>", "`", "@me", "#1 ", "[a]", "https://", "** b", "_c_", "\\"})
        EXPECT_EQ(said.find(part), std::string::npos) << part << "\n" << said;
    // Six cells a row, whatever the names hold.
    const std::size_t row = said.find("| &#60;b&#62;&#124;");
    ASSERT_NE(row, std::string::npos) << said;
    EXPECT_EQ(count_of(said.substr(row, said.find('\n', row) - row), "|"), 7U) << said;
}

TEST(Markdown, NumbersThatAreNoneAreShown) {
    Decision decision;
    decision.metrics.resize(2);
    decision.metrics[0].evidence.estimate = decision.metrics[0].evidence.log_e_value =
        std::numeric_limits<double>::quiet_NaN();
    decision.metrics[1].evidence.upper = std::numeric_limits<double>::infinity();
    EXPECT_TRUE(markdown(decision).starts_with("## \U0001F7E1 HOLD\n"));
}

}  // namespace
}  // namespace serinus::report
