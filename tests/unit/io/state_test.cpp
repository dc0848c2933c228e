#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <serinus/core/error.hpp>
#include <serinus/core/quote.hpp>
#include <serinus/core/state.hpp>
#include <serinus/io/state.hpp>
#include <serinus/rollout/monitor_state.hpp>
#include <serinus/sequential/mean.hpp>

namespace {

using namespace serinus;
using nlohmann::json;

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

struct InnerState {
    static constexpr std::string_view kind = "innr";
    static constexpr std::int64_t version = 3;
    double x = 0;
    std::optional<double> maybe;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("x", self.x);
        visit("maybe", self.maybe);
    }
};
static_assert(described_whole<InnerState>());

/// One field of every type that a state may have.
struct OuterState {
    static constexpr std::string_view kind = "outr";
    static constexpr std::int64_t version = 1;
    double real = 0;
    std::int64_t whole = 0;
    bool flag = false;
    std::string text;
    Harm harm = Harm::increase;
    std::optional<double> optional_real;
    std::optional<std::string> optional_text;
    std::array<std::int64_t, 2> pair{};
    std::array<std::optional<std::int64_t>, 2> optionals{};
    std::vector<double> reals;
    std::vector<std::vector<double>> table;
    InnerState inner;
    std::optional<InnerState> optional_inner;
    std::vector<InnerState> inners;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("real", self.real);
        visit("whole", self.whole);
        visit("flag", self.flag);
        visit("text", self.text);
        visit("harm", self.harm);
        visit("optional_real", self.optional_real);
        visit("optional_text", self.optional_text);
        visit("pair", self.pair);
        visit("optionals", self.optionals);
        visit("reals", self.reals);
        visit("table", self.table);
        visit("inner", self.inner);
        visit("optional_inner", self.optional_inner);
        visit("inners", self.inners);
    }
};
static_assert(described_whole<OuterState>());

/// A struct that has gained a field.
struct GrownState {
    static constexpr std::string_view kind = "grow";
    static constexpr std::int64_t version = 2;
    static constexpr std::int64_t since(std::string_view field) { return field == "y" ? 2 : 1; }
    double x = 0;
    double y = 5;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("x", self.x);
        visit("y", self.y);
    }
};
static_assert(described_whole<GrownState>());

OuterState example() {
    OuterState state;
    state.real = 0.1;
    state.whole = std::numeric_limits<std::int64_t>::min();
    state.flag = true;
    state.text = "errors \"\\\n\xC3\xA4";
    state.harm = Harm::either;
    state.optional_real = nan;
    state.pair = {1, std::numeric_limits<std::int64_t>::max()};
    state.optionals = {std::nullopt, -5};
    state.reals = {0.0, -0.0, infinity, -infinity, nan, 5e-324, 1.7976931348623157e308, 1.0 / 3, 9007199254740993.0};
    state.table = {{}, {1.5}, {2, 3}};
    state.inner = {.x = -0.0, .maybe = std::nullopt};
    state.optional_inner = InnerState{.x = 1e-300, .maybe = -infinity};
    state.inners = {{.x = 1, .maybe = 2}, {.x = nan, .maybe = std::nullopt}};
    return state;
}

/// Two states are the same when their bytes are.
template <class State>
void expect_same(const State& a, const State& b) {
    EXPECT_EQ(encode(a), encode(b));
}

template <class State>
std::optional<Error> refusal(const std::string& text) {
    try {
        io::read_state<State>(text);
    } catch (const Error& error) {
        return error;
    }
    return std::nullopt;
}

void expect_refused(const json& document, Code code, const std::string& says) {
    const auto error = refusal<OuterState>(document.dump());
    ASSERT_TRUE(error) << says;
    EXPECT_EQ(error->code(), code) << error->what();
    EXPECT_NE(std::string(error->what()).find(says), std::string::npos) << error->what() << "\nlacks " << says;
    EXPECT_NE(std::string(error->what()).find("allowed: "), std::string::npos) << error->what();
}

TEST(State, IsReadableJson) {
    const InnerState state{.x = 0.5, .maybe = nan};
    EXPECT_EQ(io::write_state(state), R"({"kind":"innr","version":3,"x":0.5,"maybe":"NaN"})");
    EXPECT_EQ(io::write_state(InnerState{}), R"({"kind":"innr","version":3,"x":0.0,"maybe":null})");
    EXPECT_EQ(json::parse(io::write_state(example()))["harm"], "either");
}

TEST(State, EveryTypeComesBack) {
    const OuterState state = example();
    const OuterState back = io::read_state<OuterState>(io::write_state(state));
    expect_same(back, state);
    EXPECT_TRUE(std::signbit(back.reals[1]));
    EXPECT_TRUE(std::isnan(*back.optional_real));
    EXPECT_FALSE(back.optional_text);
    expect_same(io::read_state<OuterState>(io::write_state(OuterState{})), OuterState{});
}

TEST(State, OrderAndLayoutOfTheTextDoNotMatter) {
    const json sorted = json::parse(io::write_state(example()));  // nlohmann::json sorts the keys
    expect_same(io::read_state<OuterState>(sorted.dump(4)), example());
}

TEST(State, WholeNumbersServeAsDoubles) {
    const auto state = io::read_state<InnerState>(R"({"kind": "innr", "version": 3, "x": 7, "maybe": -8})");
    EXPECT_EQ(state.x, 7);
    EXPECT_EQ(state.maybe, -8);
}

TEST(State, RandomDoublesComeBackToTheBit) {
    std::mt19937_64 random(1);
    OuterState state;
    for (int i = 0; i < 6000; ++i) {
        const auto value = std::bit_cast<double>(random());
        state.reals.push_back(std::isnan(value) ? nan : value);  // a NaN has one form
    }
    expect_same(io::read_state<OuterState>(io::write_state(state)), state);
}

TEST(State, TextsOfAnyBytesComeBack) {
    std::mt19937_64 random(2);
    OuterState state;
    for (int i = 0; i < 1000; ++i) {
        state.text.clear();
        for (std::uint64_t n = random() % 6; n > 0; --n) state.text += static_cast<char>(random() % 256);
        expect_same(io::read_state<OuterState>(io::write_state(state)), state);
    }
    state.text = "\xC3(";
    EXPECT_EQ(json::parse(io::write_state(state))["text"], json({{"hex", "c328"}}));
}

TEST(State, MonitorStateComesBack) {
    MonitorState state;
    state.plan_digest = std::string(64, 'a');
    state.clock.start_ms = 1'700'000'000'000;
    state.clock.now_ms = -5;
    state.tracks.resize(2);
    state.tracks[1].values = {nan, 1, 2.5};
    state.tracks[1].times_ms = {1, 2, 3};
    state.metrics.resize(1);
    auto& counts = state.metrics[0].counts.emplace();
    counts.stage.ratio = 2;
    counts.stage.log_mass = {{-infinity, 0.25}};
    counts.stage.starts.resize(1);
    counts.stage.starts[0].resize(2);
    counts.detect.emplace();
    auto& gauge = state.metrics.emplace_back().gauge.emplace();
    gauge.stage.difference = 0.5;
    gauge.stage.starts.resize(2);
    gauge.stage.starts[1].resize(1);
    gauge.stage.above = {1, -infinity};
    state.intake.restarts.resize(1);
    expect_same(io::read_state<MonitorState>(io::write_state(state)), state);
}

TEST(State, AnotherKindOrVersion) {
    json document = json::parse(io::write_state(example()));
    document["kind"] = "innr";
    expect_refused(document, Code::state_kind, "kind is \"innr\"; allowed: \"outr\"");
    document["kind"] = "outr";
    document["version"] = 2;
    expect_refused(document, Code::state_version, "version is 2; allowed: 1");
    document["version"] = 1;
    document["inners"][1]["version"] = 4;
    expect_refused(document, Code::state_version, "inners[1].version is 4; allowed: 3");
    document["inners"][1]["version"] = 3;
    document["inner"]["kind"] = "outr";
    expect_refused(document, Code::state_kind, "inner.kind is \"outr\"; allowed: \"innr\"");
}

TEST(State, EveryFieldMustBeThereOnceAndNoOther) {
    const json document = json::parse(io::write_state(example()));
    for (const auto& entry : document.items()) {
        json without = document;
        without.erase(entry.key());
        expect_refused(without, Code::state_damaged, entry.key() + " is missing");
        json wrong = document;
        wrong[entry.key()] = entry.value().is_object() || entry.value().is_null() ? json(1.5) : json::object();
        if (entry.key() != "optional_real") expect_refused(wrong, Code::state_damaged, entry.key());
    }
    json more = document;
    more["inner"]["extra"] = 1;
    expect_refused(more, Code::state_damaged, "inner.extra is unknown");
    const std::string text = document.dump();
    const auto error = refusal<OuterState>("{\"kind\": \"outr\", " + text.substr(1));
    ASSERT_TRUE(error);
    EXPECT_EQ(error->code(), Code::state_damaged);
    EXPECT_NE(std::string(error->what()).find("kind twice"), std::string::npos) << error->what();
}

TEST(State, WrongTypesNameTheirPath) {
    const json document = json::parse(io::write_state(example()));
    const auto with = [&document](const char* pointer, const json& value) {
        json changed = document;
        changed[json::json_pointer(pointer)] = value;
        return changed;
    };
    expect_refused(with("/real", "nan"), Code::state_damaged, "real has a value of another type");
    expect_refused(with("/real", nullptr), Code::state_damaged, "real has");
    expect_refused(with("/whole", 1.5), Code::state_damaged, "whole has");
    expect_refused(with("/whole", 18446744073709551615U), Code::state_damaged, "whole has");
    expect_refused(with("/flag", 1), Code::state_damaged, "flag has");
    expect_refused(with("/text", json({{"hex", "c3x8"}})), Code::state_damaged, "text has");
    expect_refused(with("/text", json({{"hex", "c32"}})), Code::state_damaged, "text has");
    expect_refused(with("/harm", "sideways"), Code::state_damaged,
                   "harm is \"sideways\"; allowed: increase, decrease, either");
    expect_refused(with("/pair", {1, 2, 3}), Code::state_damaged,
                   "pair has a value of another type; allowed: a list of 2");
    expect_refused(with("/table/2/1", true), Code::state_damaged, "table[2][1] has");
    expect_refused(with("/inners/0/maybe", "x"), Code::state_damaged, "inners[0].maybe has");
    expect_refused(json::array(), Code::state_damaged, "the state has a value of another type; allowed: an object");
}

TEST(State, TruncatedAnywhereIsRefused) {
    const std::string text = io::write_state(example());
    for (std::size_t size = 0; size < text.size(); ++size) {
        const auto error = refusal<OuterState>(text.substr(0, size));
        ASSERT_TRUE(error) << size;
        ASSERT_EQ(error->code(), Code::state_damaged) << error->what();
    }
    EXPECT_EQ(refusal<OuterState>(std::string(100'000, '['))->code(), Code::state_damaged);
}

TEST(State, AnyTextIsAStateOrAnError) {
    std::mt19937_64 random(3);
    const std::string seed = io::write_state(example());
    int read = 0;
    int refused = 0;
    for (int i = 0; i < 6000; ++i) {
        std::string text = seed;
        const std::size_t at = random() % text.size();
        switch (random() % 3) {
            case 0: text.erase(at, 1 + random() % 20); break;
            case 1: text.insert(at, text.substr(random() % text.size(), random() % 20)); break;
            default: text[at] = static_cast<char>(random() % 256);
        }
        try {
            const auto state = io::read_state<OuterState>(text);
            ASSERT_NO_THROW(expect_same(io::read_state<OuterState>(io::write_state(state)), state));
            ++read;
        } catch (const Error& error) {
            ASSERT_TRUE(valid_utf8(error.what()));
            ++refused;
        }
    }
    EXPECT_GT(read, 30);
    EXPECT_GT(refused, 3000);
}

// Bytes hold no names, JSON does: what was written under a former name is read for ever.
TEST(State, FieldsAreReadByTheirFormerNames) {
    using sequential::MeanTest;
    MeanTest test({.alpha_safe = 0.2, .tuned_at = 700});
    test.update(1.5, 2.5);
    const std::string now = io::write_state(test.state());
    std::string before = now;
    for (const auto& [name, former] : {std::pair{"alpha_safe", "alpha_promote"}, std::pair{"tuned_at", "n_opt"}}) {
        const std::size_t at = before.find(name);
        ASSERT_NE(at, std::string::npos) << name;
        before.replace(at, std::string_view(name).size(), former);
    }
    EXPECT_EQ(encode(io::read_state<sequential::MeanState>(before)), encode(test.state()));

    const auto both = now.substr(0, now.size() - 1) + R"(,"n_opt":700})";
    try {
        io::read_state<sequential::MeanState>(both);
        ADD_FAILURE() << "a field under both of its names was read";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), Code::state_damaged);
    }
}

TEST(State, AnOlderVersionIsReadWithoutTheFieldsThatCameLater) {
    const auto old = io::read_state<GrownState>(R"({"kind": "grow", "version": 1, "x": 7})");
    EXPECT_EQ(old.x, 7);
    EXPECT_EQ(old.y, 5);
    EXPECT_EQ(io::write_state(old), R"({"kind":"grow","version":2,"x":7.0,"y":5.0})");
    // A field before its time, a missing one, a version to come.
    for (const char* text : {R"({"kind": "grow", "version": 1, "x": 7, "y": 5})",
                             R"({"kind": "grow", "version": 2, "x": 7})", R"({"kind": "grow", "version": 3, "x": 7})",
                             R"({"kind": "grow", "version": 0, "x": 7})", R"({"kind": "grow", "version": -1, "x": 7})"})
        EXPECT_THROW(io::read_state<GrownState>(text), Error) << text;
}

}  // namespace
