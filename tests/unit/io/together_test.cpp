#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <serinus/io/together.hpp>

namespace serinus {
namespace {

TEST(WriteTogether, SaysWhatWasDecidedFromWhat) {
    std::vector<Decision> two(2);
    two[0].deployment = "a\xff";
    two[0].action = Action::rollback;
    two[0].alpha = 0.05;
    two[0].failed = {"errors"};
    two[1].action = Action::promote;
    const auto document = nlohmann::json::parse(io::write_together(decide_together(two), two));
    EXPECT_EQ(document["decision"], "rollback");
    EXPECT_EQ(document["decided_by"], nlohmann::json{"a\xEF\xBF\xBD"});
    EXPECT_EQ(document["dedupe_key"], nullptr);
    EXPECT_EQ(document["time"], nullptr);
    EXPECT_EQ(document["would"], nullptr);
    EXPECT_EQ(document["decisions"].size(), 2u);
    EXPECT_EQ(document["decisions"][0]["failed"], nlohmann::json{"errors"});
    two[0].would = Action::rollback;
    two[0].time = two[1].time = from_ms(1'795'382'480'000);
    const auto dry = nlohmann::json::parse(io::write_together(decide_together(two), two, -1));
    EXPECT_EQ(dry["would"], "rollback");
    EXPECT_EQ(dry["time"], "2026-11-22T21:21:20Z");
}

}  // namespace
}  // namespace serinus
