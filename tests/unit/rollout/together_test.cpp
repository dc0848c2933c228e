#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/rollout/together.hpp>

#include "support/code_of.hpp"

namespace serinus {
namespace {

Decision decision(std::string deployment, Action action, Severity severity = Severity::info) {
    Decision one;
    one.plan = "plan of " + deployment;
    one.deployment = std::move(deployment);
    one.action = action;
    one.severity = severity;
    one.alpha = 0.025;
    one.time = from_ms(1'795'382'480'000);
    if (action != Action::promote) one.dedupe_key = one.deployment + "/" + std::string(word(action));
    return one;
}

TEST(Together, TheWorstOfAllDecides) {
    // Every pair: a rollback of any rolls back, a hold of any holds, only two promotions promote.
    for (const Action a : {Action::promote, Action::hold, Action::rollback}) {
        for (const Action b : {Action::promote, Action::hold, Action::rollback}) {
            const Together all = decide_together(std::vector{decision("a", a), decision("b", b)});
            EXPECT_EQ(all.action, std::max(a, b)) << word(a) << ' ' << word(b);
            std::vector<std::string> by;
            if (all.action != Action::promote && a == all.action) by.emplace_back("a");
            if (all.action != Action::promote && b == all.action) by.emplace_back("b");
            EXPECT_EQ(all.decided_by, by);
            EXPECT_EQ(all.dedupe_key, by.empty() ? "" : by.front() + "/" + std::string(word(all.action)));
            EXPECT_DOUBLE_EQ(all.alpha, 0.05);
            EXPECT_EQ(all.would, std::nullopt);
        }
    }
}

TEST(Together, IsAsOldAndAsSevereAsItsWorst) {
    std::vector<Decision> two{decision("a", Action::promote, Severity::page), decision("b", Action::promote)};
    two[1].time = from_ms(1'795'382'000'000);
    two[0].finished = true;
    Together all = decide_together(two);
    EXPECT_EQ(all.severity, Severity::page);
    EXPECT_EQ(all.time, two[1].time);
    EXPECT_FALSE(all.finished);
    two[1].finished = true;
    EXPECT_TRUE(decide_together(two).finished);
    two[0].time.reset();
    EXPECT_EQ(decide_together(two).time, std::nullopt);
}

TEST(Together, ADryRunHoldsAllAndSaysWhatItWouldBe) {
    std::vector<Decision> two{decision("", Action::hold), decision("b", Action::promote)};
    two[0].would = Action::rollback;
    const Together all = decide_together(two);
    EXPECT_EQ(all.action, Action::hold);
    EXPECT_EQ(all.would, Action::rollback);
    EXPECT_EQ(all.decided_by, std::vector<std::string>{"plan of "});  // without a deployment the plan's name
}

TEST(Together, NeedsADecision) {
    EXPECT_EQ(code_of([] { decide_together({}); }), Code::argument_length);
}

TEST(Together, ItsAlphaIsAProbability) {
    const std::vector<Decision> many(100, decision("a", Action::promote));
    EXPECT_EQ(decide_together(many).alpha, 1);
}

}  // namespace
}  // namespace serinus
