#include <vector>

#include <gtest/gtest.h>

#include <serinus/report/together.hpp>

namespace serinus {
namespace {

TEST(TogetherText, SaysWhoseDoingItIs) {
    std::vector<Decision> two(2);
    two[0].deployment = "orders-3";
    two[0].action = Action::promote;
    two[0].stages = 2;
    two[0].alpha = two[1].alpha = 0.025;
    two[0].reasons = {{Code::stage_passed, "", {}, false}};
    two[1].plan = "payments\x1b";
    two[1].action = Action::rollback;
    two[1].stages = 2;
    two[1].reasons = {{Code::harm_proven, "errors", {}, false}};
    EXPECT_EQ(report::text(decide_together(two), two), R"(ROLLBACK  2 services together   because of payments?

  orders-3   promote   stage 1 of 2: stage_passed
  payments?  rollback  stage 1 of 2: errors.harm_proven

  promise  good services are ever rolled back together with probability at most 5 %, the sum of
           their plans' alphas
  next     roll all of them back
)");
    two[1].action = Action::promote;
    EXPECT_NE(report::text(decide_together(two), two).find("let each go on to its next stage"), std::string::npos);
    two[0].finished = two[1].finished = true;
    EXPECT_NE(report::text(decide_together(two), two).find("through their last stage"), std::string::npos);
    two[0].would = Action::rollback;
    EXPECT_NE(report::text(decide_together(two), two).find("a dry run; without it: rollback"), std::string::npos);
}

}  // namespace
}  // namespace serinus
