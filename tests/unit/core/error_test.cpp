#include <algorithm>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/core/error.hpp>

namespace {

using namespace serinus;

struct Entry {
    bool error;
    int number;
    std::string_view name;
    std::string_view text;
};

const std::vector<Entry>& all_codes() {
    static const std::vector<Entry> entries{
#define SERINUS_ERROR(identifier, number, name, when) {true, number, name, when},
#define SERINUS_REASON(identifier, number, group, sentence) {false, number, #identifier, sentence},
#include <serinus/core/code.def>
#undef SERINUS_ERROR
#undef SERINUS_REASON
    };
    return entries;
}

TEST(Code, NumbersAndNamesAreUnique) {
    std::set<int> numbers;
    std::set<std::string_view> names;
    for (const Entry& entry : all_codes()) {
        EXPECT_TRUE(numbers.insert(entry.number).second) << entry.number;
        EXPECT_TRUE(names.insert(entry.name).second) << entry.name;
        EXPECT_EQ(name(static_cast<Code>(entry.number)), entry.name);
        EXPECT_FALSE(entry.text.empty()) << entry.name;
    }
    EXPECT_GE(numbers.size(), 60U);
    EXPECT_FALSE(numbers.contains(0));
}

TEST(Code, ErrorsAndReasonsAreToldApart) {
    const auto lower_case = [](std::string_view text, std::string_view also) {
        return std::all_of(text.begin(), text.end(),
                           [also](char c) { return (c >= 'a' && c <= 'z') || also.find(c) != std::string_view::npos; });
    };
    for (const Entry& entry : all_codes()) {
        if (entry.error) {
            EXPECT_LT(entry.number, 1000) << entry.name;
            EXPECT_TRUE(entry.name.starts_with("serinus.")) << entry.name;
            EXPECT_TRUE(lower_case(entry.name, "._")) << entry.name;
        } else {
            EXPECT_GE(entry.number, 1000) << entry.name;
            EXPECT_TRUE(lower_case(entry.name, "_")) << entry.name;
        }
    }
}

TEST(Code, NamesOfNoneAndOfOthers) {
    EXPECT_EQ(name(Code::none), "none");
    EXPECT_EQ(name(static_cast<Code>(-1)), "unknown");
    EXPECT_EQ(name(static_cast<Code>(999'999)), "unknown");
}

TEST(Code, NumbersThatAreOutInTheWorldStay) {
    const std::map<Code, int> published{
        {Code::argument_range, 10}, {Code::data_order, 40},    {Code::state_kind, 70},   {Code::plan_json, 100},
        {Code::monitor_time, 140},  {Code::harm_proven, 1000}, {Code::warming_up, 1030}, {Code::stage_minimum, 1060}};
    for (const auto& [code, number] : published) EXPECT_EQ(static_cast<int>(code), number);
}

TEST(Raise, ThrowsAnErrorThatSaysItsCode) {
    try {
        raise(Code::argument_range, "alpha is 2; allowed: above 0, below 1");
        FAIL();
    } catch (const std::invalid_argument& error) {
        EXPECT_STREQ(error.what(), "serinus.argument.range: alpha is 2; allowed: above 0, below 1");
        const auto* own = dynamic_cast<const Error*>(&error);
        ASSERT_NE(own, nullptr);
        EXPECT_EQ(own->code(), Code::argument_range);
        EXPECT_EQ(own->name(), "serinus.argument.range");
    }
}

TEST(Error, SaysItsSentenceAloneAndWhereItCameUp) {
    const Error error(Code::data_value, "line 3: value is \"x\"; allowed: a number");
    EXPECT_EQ(error.sentence(), "line 3: value is \"x\"; allowed: a number");
    const Error inside = error.within("shop.csv").within("case 1");
    EXPECT_EQ(inside.code(), Code::data_value);
    EXPECT_EQ(inside.sentence(), "case 1: shop.csv: line 3: value is \"x\"; allowed: a number");
    EXPECT_STREQ(inside.what(), "serinus.data.value: case 1: shop.csv: line 3: value is \"x\"; allowed: a number");
    EXPECT_EQ(Error(Code::internal, "").sentence(), "");
    try {
        raise(inside);
        FAIL();
    } catch (const Error& again) {
        EXPECT_STREQ(again.what(), inside.what());
    }
}

}  // namespace
