#include <set>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include <serinus/core/error.hpp>
#include <serinus/core/words.hpp>

namespace {

using namespace serinus;

template <class Enum>
class EveryWord : public testing::Test {};

using Enums = testing::Types<Alternative, Harm, Side, Verdict, Action, Severity, Arm>;
TYPED_TEST_SUITE(EveryWord, Enums);

TYPED_TEST(EveryWord, ParsesBack) {
    std::set<std::string_view> words;
    std::set<TypeParam> values;
    for (const auto& [value, text] : Words<TypeParam>::table) {
        EXPECT_EQ(word(value), text);
        EXPECT_EQ(parse_word<TypeParam>(text), value);
        EXPECT_EQ(require_word<TypeParam>("field", text), value);
        EXPECT_FALSE(parse_word<TypeParam>(std::string(text) + " "));
        EXPECT_TRUE(words.insert(text).second) << text;
        EXPECT_TRUE(values.insert(value).second) << text;
        EXPECT_NE(allowed_words<TypeParam>().find(text), std::string::npos);
    }
    EXPECT_FALSE(parse_word<TypeParam>(""));
    EXPECT_EQ(word(static_cast<TypeParam>(200)), "unknown");
    EXPECT_FALSE(parse_word<TypeParam>("unknown"));
}

TEST(Words, AreThoseOfTheDocuments) {
    EXPECT_EQ(allowed_words<Alternative>(), "two-sided, greater, less");
    EXPECT_EQ(allowed_words<Harm>(), "increase, decrease, either");
    EXPECT_EQ(allowed_words<Side>(), "harm, safe");
    EXPECT_EQ(allowed_words<Verdict>(), "pass, fail, inconclusive, no_data");
    EXPECT_EQ(allowed_words<Action>(), "promote, hold, rollback");
    EXPECT_EQ(allowed_words<Severity>(), "page, ticket, info");
    EXPECT_EQ(allowed_words<Arm>(), "baseline, canary");
}

TEST(Words, BaselineIsFirst) {
    EXPECT_EQ(static_cast<int>(Arm::baseline), 0);
    EXPECT_EQ(static_cast<int>(Arm::canary), 1);
}

TEST(Words, AnErrorNamesFieldValueAndWhatIsAllowed) {
    try {
        require_word<Harm>("metrics[0].harm", "up");
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), Code::argument_word);
        EXPECT_STREQ(error.what(),
                     "serinus.argument.word: metrics[0].harm is \"up\"; allowed: increase, decrease, either");
    }
}

}  // namespace
