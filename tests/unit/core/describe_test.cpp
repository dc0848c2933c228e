#include <array>
#include <chrono>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/core/describe.hpp>
#include <serinus/core/evidence.hpp>
#include <serinus/core/reason.hpp>
#include <serinus/core/state.hpp>

namespace {

using namespace serinus;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

/// One member of every type that a described struct may have.
struct Everything {
    double real = 0;
    bool flag = false;
    std::int64_t whole = 0;
    int small = 0;
    std::string text;
    std::string_view view;
    Harm harm = Harm::increase;
    std::chrono::milliseconds length{0};
    std::optional<std::chrono::sys_time<std::chrono::milliseconds>> at = std::nullopt;
    std::optional<double> maybe = std::nullopt;
    std::optional<std::string> word = std::nullopt;
    std::optional<Margin> margin = std::nullopt;
    Margin other;
    std::array<double, 3> three{};
    std::array<std::optional<std::int64_t>, 2> two{};
    std::vector<std::vector<double>> table;
    std::vector<Reason> reasons;
    std::map<std::string, Margin> by_name;
    std::shared_ptr<const Margin> shared;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("real", self.real);
        visit("flag", self.flag);
        visit("whole", self.whole);
        visit("small", self.small);
        visit("text", self.text);
        visit("view", self.view);
        visit("harm", self.harm);
        visit("length", self.length);
        visit("at", self.at);
        visit("maybe", self.maybe);
        visit("word", self.word);
        visit("margin", self.margin);
        visit("other", self.other);
        visit("three", self.three);
        visit("two", self.two);
        visit("table", self.table);
        visit("reasons", self.reasons);
        visit("by_name", self.by_name);
        visit("shared", self.shared);
    }
};
static_assert(described_whole<Everything>());
static_assert(described_names<Margin>() == std::array<std::string_view, 3>{"ratio", "difference", "floor"});
static_assert(Described<Everything> && !Described<Harm> && !Described<std::string>);

std::string told(const Everything& a, const Everything& b) {
    const auto found = first_difference(a, b);
    return found ? found->name + ": " + found->first + " | " + found->second : "";
}

TEST(Describe, TheFirstDifferenceIsToldByNameAndBothValues) {
    Everything a;
    a.maybe = nan;
    a.three = {nan, 1, 2};
    EXPECT_TRUE(same(a, a)) << "NaN is the same as NaN";
    EXPECT_EQ(told(a, a), "");
    const auto changed = [&a](auto change) {
        Everything b = a;
        change(b);
        EXPECT_FALSE(same(a, b));
        return told(a, b);
    };
    EXPECT_EQ(changed([](Everything& e) { e.real = 0.1; }), "real: 0 | 0.1");
    EXPECT_EQ(changed([](Everything& e) { e.flag = true; }), "flag: false | true");
    EXPECT_EQ(changed([](Everything& e) { e.whole = -7; }), "whole: 0 | -7");
    EXPECT_EQ(changed([](Everything& e) { e.small = 3; }), "small: 0 | 3");
    EXPECT_EQ(changed([](Everything& e) { e.text = "b"; }), "text: \"\" | \"b\"");
    EXPECT_EQ(changed([](Everything& e) { e.view = "b"; }), "view: \"\" | \"b\"");
    EXPECT_EQ(changed([](Everything& e) { e.harm = Harm::either; }), "harm: increase | either");
    EXPECT_EQ(changed([](Everything& e) { e.length = std::chrono::seconds(2); }), "length: 0 ms | 2000 ms");
    EXPECT_EQ(changed([](Everything& e) { e.maybe.reset(); }), "maybe: nan | none");
    EXPECT_EQ(changed([](Everything& e) { e.word = "w"; }), "word: none | \"w\"");
    EXPECT_EQ(changed([](Everything& e) { e.other.ratio = 1.1; }), "other.ratio: none | 1.1");
    EXPECT_EQ(changed([](Everything& e) { e.margin.emplace(); }), "margin: none | another value");
    EXPECT_EQ(changed([](Everything& e) { e.three[2] = 3; }), "three: another value | another value");
    EXPECT_EQ(changed([](Everything& e) { e.table.push_back({1}); }), "table: another value | another value");
    EXPECT_EQ(changed([](Everything& e) { e.reasons.push_back({}); }), "reasons: another value | another value");
    EXPECT_EQ(changed([](Everything& e) { e.by_name["a"].ratio = nan; }), "by_name: another value | another value");
    EXPECT_EQ(changed([](Everything& e) {
                  e.text = "later";
                  e.flag = true;
              }),
              "flag: false | true");
}

/// A state with options of its own inside, and the same fields without them.
struct Nested {
    static constexpr std::string_view kind = "nest";
    static constexpr std::int64_t version = 2;
    static constexpr std::int64_t since(std::string_view field) { return field == "difference" ? 2 : 1; }
    double before = 0;
    Margin margin;
    double after = 0;
    std::array<Margin, 1> list;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("before", self.before);
        visit("margin", self.margin);
        visit("after", self.after);
        visit("list", self.list);
    }
};
static_assert(described_whole<Nested>());
struct Flat {
    static constexpr std::string_view kind = "nest";
    static constexpr std::int64_t version = 2;
    double before = 0;
    std::optional<double> ratio, difference, floor;
    double after = 0;
    std::optional<double> list_ratio, list_difference, list_floor;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("before", self.before);
        visit("ratio", self.ratio);
        visit("difference", self.difference);
        visit("floor", self.floor);
        visit("after", self.after);
        visit("list_ratio", self.list_ratio);
        visit("list_difference", self.list_difference);
        visit("list_floor", self.list_floor);
    }
};
static_assert(described_whole<Flat>());

TEST(Describe, APartOfAStateIsWalkedInPlace) {
    const Nested nested{1, {.ratio = 2, .difference = std::nullopt}, 3, {{{.ratio = std::nullopt, .difference = 5}}}};
    const auto bytes = encode(nested);
    EXPECT_EQ(bytes, encode(Flat{1, 2, std::nullopt, std::nullopt, 3, std::nullopt, 5, std::nullopt}));
    const auto again = decode<Nested>(bytes);
    EXPECT_EQ(again.margin, nested.margin);
    EXPECT_EQ(again.list, nested.list);
    EXPECT_EQ(again.after, 3);
}

}  // namespace
