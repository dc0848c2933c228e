#include <string>

#include <gtest/gtest.h>

#include <serinus/core/version.hpp>
#include <serinus/rollout/audit.hpp>

namespace serinus {
namespace {

TEST(ThisBuild, IsTheSameWithinOneBinary) {
    const Build build = this_build();
    EXPECT_EQ(build, this_build());
    EXPECT_EQ(build.version, version());
    EXPECT_FALSE(build.compiler.empty());
    EXPECT_EQ(build.id.find_first_not_of("0123456789abcdef"), std::string::npos);
#if defined(__linux__) && defined(__GNUC__) && !defined(__clang__)
    EXPECT_GE(build.id.size(), 16U) << "Debian's GCC gives every object a build id";
#endif
}

TEST(AuditReport, IsGoodWithATornLastLine) {
    AuditReport report;
    EXPECT_TRUE(report.good());
    report.findings = {{4, AuditProblem::torn, ""}};
    EXPECT_TRUE(report.good());
    report.findings.push_back({5, AuditProblem::changed, ""});
    EXPECT_FALSE(report.good());
    report.lines = {{.line = 1, .deployment = "", .decision = "", .reproduced = Reproduced::exactly}};
    EXPECT_EQ(report.count(Reproduced::exactly), 1);
    EXPECT_EQ(report.count(Reproduced::no), 0);
}

}  // namespace
}  // namespace serinus
