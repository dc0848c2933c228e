#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/core/reason.hpp>
#include <serinus/core/text.hpp>

namespace {

using namespace serinus;

constexpr double infinity = std::numeric_limits<double>::infinity();

TEST(NumberText, ShortAndWholeNumbersInFull) {
    EXPECT_EQ(number_text(0), "0");
    EXPECT_EQ(number_text(-0.0), "0");
    EXPECT_EQ(number_text(912'004), "912004");
    // 0/0 has its sign bit set on some processors.
    for (const double sign : {1.0, -1.0}) {
        const double nan = std::copysign(std::numeric_limits<double>::quiet_NaN(), sign);
        EXPECT_EQ(number_text(nan), "nan");
        EXPECT_EQ(number_text(nan, 17), "nan");
        EXPECT_EQ(given_text(nan), "nan");
        EXPECT_EQ(seconds_text(nan), "nans");
    }
    EXPECT_EQ(number_text(-3), "-3");
    EXPECT_EQ(number_text(123'456'789'012'345.0), "123456789012345");
    EXPECT_EQ(number_text(3.14159), "3.142");
    EXPECT_EQ(number_text(0.05), "0.05");
    EXPECT_EQ(number_text(2.5), "2.5");
    EXPECT_EQ(number_text(1234.56), "1235");
    EXPECT_EQ(number_text(0.000012345), "1.234e-05");
    EXPECT_EQ(number_text(0.1, 17), "0.10000000000000001");
    EXPECT_EQ(number_text(2.0 / 3, 2), "0.67");
    EXPECT_EQ(number_text(infinity), "inf");
    EXPECT_EQ(number_text(-infinity), "-inf");
    EXPECT_EQ(number_text(std::numeric_limits<double>::quiet_NaN()), "nan");
    EXPECT_EQ(number_text(1.7976931348623157e308), "1.798e+308");
}

TEST(Reason, GivenNumbersAreShownAsGiven) {
    EXPECT_EQ(given_text(0.05), "0.05");
    EXPECT_EQ(given_text(1.0000001), "1.0000001");
    EXPECT_EQ(given_text(0.1 + 0.2), "0.30000000000000004");
    EXPECT_EQ(given_text(-3), "-3");
    EXPECT_EQ(given_text(9007199254740994.0), "9007199254740994");
    EXPECT_EQ(given_text(1e300), "1e+300");
    EXPECT_EQ(given_text(-std::numeric_limits<double>::infinity()), "-inf");
    EXPECT_EQ(given_text(std::numeric_limits<double>::quiet_NaN()), "nan");
}

TEST(SecondsText, TwoLargestUnits) {
    EXPECT_EQ(seconds_text(0), "0s");
    EXPECT_EQ(seconds_text(0.5), "0.5s");
    EXPECT_EQ(seconds_text(45), "45s");
    EXPECT_EQ(seconds_text(60), "1m");
    EXPECT_EQ(seconds_text(760), "12m 40s");
    EXPECT_EQ(seconds_text(7500), "2h 5m");
    EXPECT_EQ(seconds_text(90'061), "1d 1h");
    EXPECT_EQ(seconds_text(59.6), "1m");
    EXPECT_EQ(seconds_text(86'400.0 * 400), "400d");
    EXPECT_EQ(seconds_text(-5), "-5s");
    EXPECT_EQ(seconds_text(infinity), "infs");
}

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
#define SERINUS_REASON(identifier, number, text)                                                                \
    {                                                                                                           \
        ++sentences;                                                                                            \
        const auto numbers = numbers_of(text);                                                                  \
        for (const NamedNumber& needed : numbers) {                                                             \
            EXPECT_FALSE(needed.name.empty()) << text;                                                          \
            EXPECT_EQ(needed.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"), std::string::npos) << text; \
        }                                                                                                       \
        const std::string said = sentence({Code::identifier, "", numbers, false});                              \
        EXPECT_EQ(said.find_first_of("{}?~"), std::string::npos) << said;                                       \
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
