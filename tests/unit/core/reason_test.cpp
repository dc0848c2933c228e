#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/core/reason.hpp>

namespace {

using namespace serinus;

TEST(Sentence, NumbersAreFilledIn) {
    EXPECT_EQ(sentence({Code::stale, "", {{"age", 125}, {"limit", 80}}, false}),
              "the newest usable data are 2m 5s old; more than 1m 20s is too old to decide on");
    EXPECT_EQ(sentence({Code::low_coverage, "", {{"coverage", 0.5}, {"intervals", 12}, {"needed", 0.8}}, false}),
              "only 50 % of 12 intervals have both arms; 80 % are needed");
    EXPECT_EQ(sentence({Code::low_coverage, "", {{"intervals", 12}}, false}),
              "only ? of 12 intervals have both arms; ? are needed");
    EXPECT_EQ(sentence({Code::stage_passed, "", {{"unused", 1}}, false}),
              "every metric passed and the stage's minimum is over");
    EXPECT_EQ(sentence({}), "");
    EXPECT_EQ(sentence({static_cast<Code>(-1), "", {}, false}), "");
}

/// The numbers that a sentence asks for.
std::vector<NamedNumber> numbers_of(std::string_view text) {
    std::vector<NamedNumber> numbers;
    for (std::size_t open = text.find('{'); open != std::string_view::npos; open = text.find('{', open + 1)) {
        std::string key(text.substr(open + 1, text.find('}', open) - open - 1));
        if (key.ends_with('%') || key.ends_with('~')) key.pop_back();
        numbers.push_back({key, 0.5});
    }
    return numbers;
}

TEST(Sentence, EverySentenceOfCodeDefIsWellFormed) {
    int sentences = 0;
#define SERINUS_ERROR(identifier, number, name, when)
#define SERINUS_REASON(identifier, number, group, text)                                                         \
    {                                                                                                           \
        ++sentences;                                                                                            \
        const auto numbers = numbers_of(text);                                                                  \
        for (const NamedNumber& needed : numbers) {                                                             \
            EXPECT_FALSE(needed.name.empty()) << text;                                                          \
            EXPECT_EQ(needed.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"), std::string::npos) << text; \
        }                                                                                                       \
        const std::string said = sentence({Code::identifier, "", numbers, false});                              \
        EXPECT_EQ(said.find_first_of("{}~"), std::string::npos) << said;                                        \
        EXPECT_EQ(std::count(said.begin(), said.end(), '?'), std::count(std::begin(text), std::end(text), '?')) \
            << said;                                                                                            \
        EXPECT_FALSE(said.ends_with('.')) << said;                                                              \
    }
#include <serinus/core/code.def>
#undef SERINUS_ERROR
#undef SERINUS_REASON
    EXPECT_GE(sentences, 30);
}

TEST(ReasonName, HasTheMetricInFront) {
    EXPECT_EQ(name(Reason{Code::harm_proven, "errors", {}, false}), "errors.harm_proven");
    EXPECT_EQ(name(Reason{Code::deadline_hold, "", {}, false}), "deadline_hold");
}

}  // namespace
