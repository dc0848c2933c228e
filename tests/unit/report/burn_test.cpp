#include <cstddef>
#include <limits>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include <serinus/report/burn.hpp>
#include <serinus/slo/burn_report.hpp>

#include "support/burning_service.hpp"

namespace serinus {
namespace {

slo::BurnReport report_of(double bad, int from_hour = 0, const slo::Policy& policy = slo::sre_workbook_policy()) {
    return slo::burn_report(burning_objective, policy, burning_service(bad, 30, from_hour));
}

TEST(BurnText, AsAPersonReadsIt) {
    EXPECT_EQ(report::text(report_of(0.02, 28)),
              R"(PAGE  availability   budget 0.1 % of events in 30d   at 2026-11-24T03:20:00Z

  window    burn        errors      bad           total         coverage
  5m        20x         2 %         600           30,000        100 %
  30m       20x         2 %         3,600         180,000       100 %
  1h        20x         2 %         7,200         360,000       100 %
  2h        20x         2 %         14,400        720,000       100 %
  6h        6.67x       0.667 %     14,400        2,160,000     100 %
  1d        1.67x       0.167 %     14,400        8,640,000     100 %
  3d        1.33x       0.133 %     14,400        10,800,000    41.7 %
  30d       1.33x       0.133 %     14,400        10,800,000    4.17 %

  page.quick    firing                    more than 14.4x in 1h and 5m
  page.slow     firing                    more than 6x in 6h and 30m
  ticket.quick  inactive                  more than 3x in 1d and 2h
  ticket.slow   firing                    more than 1x in 3d and 6h

  budget        5.56 % consumed, 94.4 % remaining; lasts 1d10h at the burn rate of the last hour
)");
}

TEST(BurnText, OneWordForWhatToDo) {
    const auto head = [](const slo::BurnReport& report) {
        const std::string text = report::text(report);
        return text.substr(0, text.find("  "));
    };
    EXPECT_EQ(head(report_of(0.0005)), "OK");
    EXPECT_EQ(head(report_of(0.004)), "TICKET");
    EXPECT_EQ(head(slo::burn_report(burning_objective, slo::sre_workbook_policy(), {})), "NO DATA");
    slo::Policy careful = slo::sre_workbook_policy();
    careful.min_events = 1e12;
    EXPECT_EQ(head(report_of(0.02, 0, careful)), "INSUFFICIENT");
}

TEST(BurnText, ColoursAndLinesOfThePastOnATerminal) {
    const std::string text = report::text(report_of(0.02, 28), {.color = true});
    EXPECT_EQ(text.find("\x1b[1;31mPAGE\x1b[0m"), 0U);
    EXPECT_NE(text.find("100 %     ████████████████████████\n"), std::string::npos) << text;
    EXPECT_EQ(report::text(report_of(0.02, 28)).find("█"), std::string::npos);
}

TEST(BurnText, WhatIsWrongWithTheSamples) {
    auto series = burning_service(0.02);
    std::swap(series[0].role, series[1].role);
    const slo::BurnReport exchanged = slo::burn_report(burning_objective, slo::sre_workbook_policy(), series);
    EXPECT_NE(report::text(exchanged).find("more bad events than events: are the series exchanged?"),
              std::string::npos);
    series = burning_service(0.0005);
    series[0].series.values[10] = std::numeric_limits<double>::quiet_NaN();
    series[1].series.times_ms.push_back(series[1].series.times_ms.back());
    series[1].series.values.push_back(1);
    const std::string text = report::text(slo::burn_report(burning_objective, slo::sre_workbook_policy(), series));
    EXPECT_NE(text.find("  samples       1 are no numbers and were left out\n"), std::string::npos) << text;
    EXPECT_NE(text.find("  samples       1 repeat a timestamp with another value; the first one counts\n"),
              std::string::npos)
        << text;
}

TEST(BurnText, NamesAreMadePrintable) {
    slo::Policy policy = slo::sre_workbook_policy();
    policy.conditions[0].name = "a\x1b[31m";
    slo::Objective objective = burning_objective;
    objective.name = "b\n";
    const std::string text = report::text(slo::burn_report(objective, policy, burning_service(0)));
    EXPECT_NE(text.find("  a?[31m        inactive"), std::string::npos) << text;
    EXPECT_EQ(text.find("OK  b?   budget"), 0U) << text;
}

}  // namespace
}  // namespace serinus
