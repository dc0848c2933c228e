#include <gtest/gtest.h>

#include <serinus/core/reason_group.hpp>

namespace serinus {
namespace {

TEST(ReasonGroup, IsTheColumnOfCodeDef) {
    EXPECT_EQ(group(Code::harm_proven), ReasonGroup::evidence);
    EXPECT_EQ(group(Code::noise_given), ReasonGroup::noise);
    EXPECT_EQ(group(Code::noise_unknown), ReasonGroup::undecidable);
    EXPECT_EQ(group(Code::history_scale), ReasonGroup::delayed);
    EXPECT_EQ(group(Code::missing_canary), ReasonGroup::telemetry);
    EXPECT_EQ(group(Code::waiting), ReasonGroup::rollout);
    EXPECT_EQ(group(Code::burn_halt), ReasonGroup::budget);
    EXPECT_EQ(group(Code::history_short), ReasonGroup::calibration);
}

TEST(ReasonGroup, AnErrorHasNone) {
    EXPECT_EQ(group(Code::plan_value), ReasonGroup::none);
    EXPECT_EQ(group(Code::none), ReasonGroup::none);
    EXPECT_EQ(group(static_cast<Code>(999'999)), ReasonGroup::none);
    int reasons = 0;
#define SERINUS_ERROR(identifier, number, name, when) EXPECT_EQ(group(Code::identifier), ReasonGroup::none);
#define SERINUS_REASON(identifier, number, of, sentence) \
    reasons += group(Code::identifier) == ReasonGroup::of ? 1 : 1000;
#include <serinus/core/code.def>
#undef SERINUS_ERROR
#undef SERINUS_REASON
    EXPECT_GE(reasons, 30);
    EXPECT_LT(reasons, 1000);
}

}  // namespace
}  // namespace serinus
