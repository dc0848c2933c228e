#include <string>

#include <gtest/gtest.h>

#include <serinus/report/audit.hpp>

namespace serinus::report {
namespace {

AuditReport two_lines() {
    AuditReport report;
    report.last = std::string(64, 'a');
    report.lines = {{.line = 1, .call = AuditCall::plan, .deployment = "d", .decision = ""},
                    {.line = 2,
                     .call = AuditCall::judge,
                     .asked = from_ms(0),
                     .time = from_ms(1'000),
                     .deployment = "pay\x1b[31m\nments",
                     .decision = "hold",
                     .reproduced = Reproduced::exactly}};
    return report;
}

bool has(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

TEST(AuditText, SaysHowItWent) {
    AuditReport report = two_lines();
    EXPECT_EQ(text(report), R"(REPRODUCED  1 of 1 decision reproduced, bit for bit

  line  asked                 call   for                   decision  deployment
  2     1970-01-01T00:00:00Z  judge  1970-01-01T00:00:01Z  hold      pay?[31m?ments

  last     aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
  sealed   by hashes alone: they find what was changed, not somebody who makes them anew
           (--audit-key)
)");
    report.lines[1].reproduced = Reproduced::nearly;
    EXPECT_TRUE(has(text(report), "1 as another build may have them"));
    report.findings = {{3, AuditProblem::torn, "line 3 is torn"}};
    EXPECT_TRUE(text(report).starts_with("TORN"));
    report.findings = {{2, AuditProblem::different, "line 2 is reproduced otherwise"}};
    EXPECT_TRUE(text(report).starts_with("NOT REPRODUCED"));
    report.findings.push_back({3, AuditProblem::missing, "line 3 \x1b[31m"});
    EXPECT_TRUE(text(report).starts_with("CHANGED"));
    EXPECT_FALSE(has(text(report), "\x1b"));
    EXPECT_TRUE(text(AuditReport{}).starts_with("NO DECISION"));
}

}  // namespace
}  // namespace serinus::report
