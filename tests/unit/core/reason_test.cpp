#include <algorithm>
#include <array>
#include <cctype>
#include <iterator>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/core/reason.hpp>

namespace {

using namespace serinus;

TEST(Sentence, NumbersAreFilledIn) {
    EXPECT_EQ(sentence({Code::stale, "", {{"age", 125}, {"limit", 80}}, false}),
              "the newest usable data are 2m 5s old; more than 1m 20s is too old to decide on (telemetry.stale_after)");
    EXPECT_EQ(sentence({Code::low_coverage, "", {{"coverage", 0.5}, {"intervals", 12}, {"needed", 0.8}}, false}),
              "both arms are in only 50 % of 12 intervals; 80 % are needed (telemetry.min_coverage)");
    EXPECT_EQ(sentence({Code::low_coverage, "", {{"intervals", 12}}, false}),
              "both arms are in only ? of 12 intervals; ? are needed (telemetry.min_coverage)");
    EXPECT_EQ(sentence({Code::stage_passed, "", {{"unused", 1}}, false}),
              "every metric passed and the stage's minimum is over");
    EXPECT_EQ(sentence({}), "");
    EXPECT_EQ(sentence({static_cast<Code>(-1), "", {}, false}), "");
}

/// Every sentence of code.def.
constexpr std::pair<Code, std::string_view> sentences[] = {
#define SERINUS_ERROR(identifier, number, name, when)
#define SERINUS_REASON(identifier, number, group, text) {Code::identifier, text},
#include <serinus/core/code.def>
#undef SERINUS_ERROR
#undef SERINUS_REASON
};

/// The numbers that a sentence asks for.
std::vector<NamedNumber> numbers_of(std::string_view text) {
    std::vector<NamedNumber> numbers;
    for (std::size_t open = text.find('{'); open != std::string_view::npos; open = text.find('{', open + 1)) {
        std::string key(text.substr(open + 1, text.find('}', open) - open - 1));
        if (key.ends_with('%') || key.ends_with('~') || key.ends_with('!')) key.pop_back();
        if (key.find(' ') != std::string::npos) key.resize(key.find(' '));  // {count interval}
        numbers.push_back({key, 0.5});
    }
    return numbers;
}

/// Whether a text says "1 intervals", or "1 former releases".
bool one_of_many(std::string_view text) {
    constexpr std::array<std::string_view, 10> plurals{"intervals", "instances", "rows",    "samples",  "events",
                                                       "requests",  "releases",  "windows", "readings", "dips"};
    const auto letters = [&](std::size_t from) {
        std::size_t to = from = std::min(from, text.size());
        while (to < text.size() && std::islower(static_cast<unsigned char>(text[to])) != 0) ++to;
        return text.substr(from, to - from);
    };
    const auto plural = [&](std::string_view word) {
        return std::find(plurals.begin(), plurals.end(), word) != plurals.end();
    };
    for (std::size_t at = text.find("1 "); at != std::string_view::npos; at = text.find("1 ", at + 1)) {
        constexpr std::string_view of_a_number = "0123456789.,";
        if (at > 0 && of_a_number.find(text[at - 1]) != std::string_view::npos) continue;
        const std::string_view first = letters(at + 2);
        if (plural(first) || (!first.empty() && plural(letters(at + 3 + first.size())))) return true;
    }
    return false;
}

TEST(Sentence, OneOfAnythingIsNoPlural) {
    EXPECT_FALSE(one_of_many("by 21 intervals"));
    EXPECT_TRUE(one_of_many("; 1 intervals"));
    EXPECT_TRUE(one_of_many("1 former releases"));
    for (const auto& [code, text] : sentences) {
        Reason reason{code, "", numbers_of(text), false};
        for (NamedNumber& one : reason.numbers) one.value = 1;
        const std::string said = sentence(reason);
        EXPECT_FALSE(one_of_many(said)) << said;
        EXPECT_EQ(said.find_first_of("{}"), std::string::npos) << said;
        for (const auto& word : {" 1 interval ", " 1 row "})
            EXPECT_EQ(said.find(word + std::string("are ")), std::string::npos) << said;
    }
}

TEST(Sentence, LargeNumbersHaveOneForm) {
    EXPECT_EQ(told_number(0.25), "0.25");
    EXPECT_EQ(told_number(999), "999");
    EXPECT_EQ(told_number(1000), "1,000");
    EXPECT_EQ(told_number(-107100), "-107,100");
    EXPECT_EQ(told_number(12345.67), "12,346");
    EXPECT_EQ(told_number(999999999999999), "999,999,999,999,999");
    EXPECT_EQ(told_number(1e15), "10^15");
    EXPECT_EQ(told_number(1e16), "10^16");
    EXPECT_EQ(told_number(1234567890123.5), "10^12");
    EXPECT_EQ(told_number(-9e302), "-10^302");
    EXPECT_EQ(told_number(std::numeric_limits<double>::infinity()), "inf");
    EXPECT_EQ(told_count(1, "interval"), "1 interval");
    EXPECT_EQ(told_count(0, "interval"), "0 intervals");
    EXPECT_EQ(told_count(1200, "interval"), "1,200 intervals");
    EXPECT_EQ(sentence({Code::impossible_counts, "", {{"count", 1}}, false}),
              "counts that cannot be (negative, fractional, or more bad than total) in 1 interval");
    EXPECT_EQ(sentence({Code::impossible_counts, "", {}, false}),
              "counts that cannot be (negative, fractional, or more bad than total) in ? intervals");
}

TEST(Sentence, EverySentenceOfCodeDefIsWellFormed) {
    for (const auto& [code, text] : sentences) {
        const auto numbers = numbers_of(text);
        for (const NamedNumber& needed : numbers) {
            EXPECT_FALSE(needed.name.empty()) << text;
            EXPECT_EQ(needed.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"), std::string::npos) << text;
        }
        const std::string said = sentence({code, "", numbers, false});
        EXPECT_EQ(said.find_first_of("{}~"), std::string::npos) << said;
        EXPECT_EQ(std::count(said.begin(), said.end(), '?'), std::count(text.begin(), text.end(), '?')) << said;
        EXPECT_FALSE(said.ends_with('.')) << said;
    }
    EXPECT_GE(std::size(sentences), 30U);
}

TEST(ReasonName, HasTheMetricInFront) {
    EXPECT_EQ(name(Reason{Code::harm_proven, "errors", {}, false}), "errors.harm_proven");
    EXPECT_EQ(name(Reason{Code::deadline_hold, "", {}, false}), "deadline_hold");
}

}  // namespace
