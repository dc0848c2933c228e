#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/core/error.hpp>
#include <serinus/core/state.hpp>

namespace {

using namespace serinus;

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
    friend bool operator==(const InnerState&, const InnerState&) = default;
};
static_assert(described_whole<InnerState>());

/// One field of every type that a state may have.
struct OuterState {
    static constexpr std::string_view kind = "outr";
    static constexpr std::int64_t version = 2;
    double real = 0;
    std::int64_t whole = 0;
    bool flag = false;
    std::string text;
    Harm harm = Harm::increase;
    std::optional<std::string> optional_text;
    std::array<std::int64_t, 2> pair{};
    std::vector<double> reals;
    std::vector<std::vector<double>> table;
    InnerState inner;
    std::vector<InnerState> inners;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("real", self.real);
        visit("whole", self.whole);
        visit("flag", self.flag);
        visit("text", self.text);
        visit("harm", self.harm);
        visit("optional_text", self.optional_text);
        visit("pair", self.pair);
        visit("reals", self.reals);
        visit("table", self.table);
        visit("inner", self.inner);
        visit("inners", self.inners);
    }
    friend bool operator==(const OuterState&, const OuterState&) = default;
};
static_assert(described_whole<OuterState>());

struct HolderState {
    static constexpr std::string_view kind = "hold";
    static constexpr std::int64_t version = 1;
    InnerState inner;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("inner", self.inner);
    }
};
static_assert(described_whole<HolderState>());

struct RealsState {
    static constexpr std::string_view kind = "real";
    static constexpr std::int64_t version = 1;
    std::vector<double> reals;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("reals", self.reals);
    }
};
static_assert(described_whole<RealsState>());

struct TextState {
    static constexpr std::string_view kind = "text";
    static constexpr std::int64_t version = 1;
    std::string text;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("text", self.text);
    }
};
static_assert(described_whole<TextState>());

/// The same kind of state before and after it gained a field.
struct YoungState {
    static constexpr std::string_view kind = "grow";
    static constexpr std::int64_t version = 1;
    double x = 0;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("x", self.x);
    }
};
static_assert(described_whole<YoungState>());
struct GrownState {
    static constexpr std::string_view kind = "grow";
    static constexpr std::int64_t version = 2;
    static constexpr std::int64_t since(std::string_view field) { return field == "y" ? 2 : 1; }
    double y = 5;
    double x = 0;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("y", self.y);
        visit("x", self.x);
    }
};
static_assert(described_whole<GrownState>());
template <class Inside>
struct OwnerState {
    static constexpr std::string_view kind = "ownr";
    static constexpr std::int64_t version = 1;
    std::vector<Inside> insides;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("insides", self.insides);
    }
};

OuterState example() {
    OuterState state;
    state.real = -0.1;
    state.whole = std::numeric_limits<std::int64_t>::min();
    state.flag = true;
    state.text = std::string("any \xFF byte\0", 11);
    state.harm = Harm::either;
    state.optional_text = "";
    state.pair = {-1, std::numeric_limits<std::int64_t>::max()};
    state.reals = {infinity, -infinity, 5e-324};
    state.table = {{}, {1.5}, {2, 3}};
    state.inner.x = 7;
    state.inners = {{1, 2}, {3, std::nullopt}};
    return state;
}

using Bytes = std::vector<std::byte>;

template <class State>
std::optional<Code> refusal(std::span<const std::byte> bytes) {
    try {
        decode<State>(bytes);
    } catch (const Error& error) {
        return error.code();
    }
    return std::nullopt;
}

std::uint32_t crc_of(std::string_view text) { return crc32c(std::as_bytes(std::span(text))); }

void put(Bytes& bytes, std::size_t at, std::uint64_t value, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) bytes[at + i] = static_cast<std::byte>((value >> (8 * i)) & 0xFFU);
}

/// Bytes with a checksum that is right again after they were changed.
Bytes signed_again(Bytes bytes) {
    const std::size_t checked = bytes.size() - 4;
    put(bytes, checked, crc32c(std::span(bytes).first(checked)), 4);
    return bytes;
}

TEST(Crc32c, KnownValues) {  // RFC 3720, appendix B.4, and the check value of the Castagnoli polynomial
    EXPECT_EQ(crc_of(""), 0U);
    EXPECT_EQ(crc_of("123456789"), 0xE3069283U);
    EXPECT_EQ(crc_of(std::string(32, '\0')), 0x8A9136AAU);
    EXPECT_EQ(crc_of(std::string(32, '\xFF')), 0x62A8AB43U);
    std::string rising;
    for (char c = 0; c < 32; ++c) rising += c;
    EXPECT_EQ(crc_of(rising), 0x46DD794EU);
}

TEST(Crc32c, IsTheDefinitionAtEveryLength) {
    Bytes bytes;
    for (int size = 0; size < 70; ++size) {
        std::uint32_t crc = 0xFFFFFFFFU;
        for (const std::byte byte : bytes) {
            crc ^= static_cast<std::uint32_t>(byte);
            for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1U) != 0 ? 0x82F63B78U : 0U);
        }
        EXPECT_EQ(crc32c(bytes), ~crc) << size;
        bytes.push_back(static_cast<std::byte>(size * 73 + 11));
    }
}

TEST(State, LayoutIsTheDocumentedOne) {
    const Bytes bytes = encode(TextState{"ab"});
    const std::string_view expected(
        "SRNS"
        "text"
        "\x01\0\0\0"
        "\x0A\0\0\0\0\0\0\0"
        "\x02\0\0\0\0\0\0\0"
        "ab",
        30);
    ASSERT_EQ(bytes.size(), 34U);
    for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_EQ(static_cast<char>(bytes[i]), expected[i]) << i;
    EXPECT_EQ(signed_again(bytes), bytes);
}

TEST(State, EveryTypeComesBack) {
    EXPECT_EQ(decode<OuterState>(encode(example())), example());
    EXPECT_EQ(decode<OuterState>(encode(OuterState{})), OuterState{});
}

TEST(State, DoublesComeBackToTheBit) {
    std::mt19937_64 random(1);
    RealsState state;
    state.reals = {nan, -nan, -0.0, 0.0};
    for (int i = 0; i < 10'000; ++i) state.reals.push_back(std::bit_cast<double>(random()));
    const RealsState back = decode<RealsState>(encode(state));
    ASSERT_EQ(back.reals.size(), state.reals.size());
    for (std::size_t i = 0; i < state.reals.size(); ++i) {
        ASSERT_EQ(std::bit_cast<std::uint64_t>(back.reals[i]), std::bit_cast<std::uint64_t>(state.reals[i]));
    }
}

TEST(State, TruncatedAtEveryByte) {
    const Bytes bytes = encode(example());
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        ASSERT_EQ(refusal<OuterState>(std::span(bytes).first(size)), Code::state_damaged) << size;
    }
}

TEST(State, LongerThanItWas) {
    Bytes bytes = encode(example());
    bytes.push_back(std::byte{0});
    EXPECT_EQ(refusal<OuterState>(bytes), Code::state_damaged);

    // A payload with a byte too many, its length and checksum in order.
    Bytes padded = encode(TextState{"ab"});
    padded.insert(padded.begin() + 30, std::byte{0});
    put(padded, 12, 11, 8);
    EXPECT_EQ(refusal<TextState>(signed_again(padded)), Code::state_damaged);
}

TEST(State, EveryBitCounts) {
    const Bytes bytes = encode(example());
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        for (unsigned bit = 0; bit < 8; ++bit) {
            Bytes flipped = bytes;
            flipped[i] ^= static_cast<std::byte>(1U << bit);
            const Code expected = i >= 4 && i < 8    ? Code::state_kind
                                  : i >= 8 && i < 12 ? Code::state_version
                                                     : Code::state_damaged;
            ASSERT_EQ(refusal<OuterState>(flipped), expected) << "byte " << i << " bit " << bit;
        }
    }
}

TEST(State, AnotherKindOrVersion) {
    EXPECT_EQ(refusal<OuterState>(encode(InnerState{})), Code::state_kind);
    Bytes bytes = encode(example());
    put(bytes, 8, 3, 4);
    EXPECT_EQ(refusal<OuterState>(signed_again(bytes)), Code::state_version);
    try {
        decode<OuterState>(encode(InnerState{}));
        FAIL();
    } catch (const Error& error) {
        EXPECT_STREQ(error.what(), "serinus.state.kind: the state's kind is \"innr\"; allowed: \"outr\"");
    }
}

TEST(State, VersionOfAnInnerState) {
    Bytes bytes = encode(HolderState{});
    put(bytes, 20, 4, 4);
    EXPECT_EQ(refusal<HolderState>(signed_again(bytes)), Code::state_version);
}

TEST(State, HugeLengthsAskForNoMemory) {
    for (const std::uint64_t size : {std::uint64_t{3}, std::uint64_t{1} << 32, std::uint64_t{1} << 61,
                                     std::uint64_t{1} << 63, ~std::uint64_t{0}}) {
        Bytes text = encode(TextState{"ab"});
        put(text, 20, size, 8);
        EXPECT_EQ(refusal<TextState>(signed_again(text)), Code::state_damaged) << size;
        Bytes reals = encode(RealsState{{1, 2}});
        put(reals, 20, size, 8);
        EXPECT_EQ(refusal<RealsState>(signed_again(reals)), Code::state_damaged) << size;
        Bytes header = encode(TextState{"ab"});
        put(header, 12, size, 8);
        EXPECT_EQ(refusal<TextState>(signed_again(header)), Code::state_damaged) << size;
    }
}

TEST(State, WordsAndTruthValuesAreChecked) {
    const Bytes bytes = encode(example());
    Bytes flag = bytes;
    flag[20 + 16] = std::byte{2};
    EXPECT_EQ(refusal<OuterState>(signed_again(flag)), Code::state_damaged);
    Bytes harm = bytes;
    put(harm, 20 + 17 + 8 + example().text.size(), 9, 4);
    EXPECT_EQ(refusal<OuterState>(signed_again(harm)), Code::state_damaged);
}

TEST(State, AnySignedBytesAreAStateOrAnError) {
    std::mt19937_64 random(4);
    const Bytes seed = encode(example());
    int read = 0;
    int refused = 0;
    for (int i = 0; i < 20'000; ++i) {
        Bytes bytes = seed;
        for (std::uint64_t n = 0; n <= random() % 4; ++n) {
            bytes[20 + random() % (bytes.size() - 24)] = static_cast<std::byte>(random() % 256);
        }
        const auto code = refusal<OuterState>(signed_again(bytes));
        ++(code ? refused : read);
        ASSERT_TRUE(!code || *code == Code::state_damaged || *code == Code::state_version);
    }
    EXPECT_GT(read, 1000);
    EXPECT_GT(refused, 1000);
}

TEST(State, AnOlderVersionIsReadWithoutTheFieldsThatCameLater) {
    EXPECT_EQ(decode<GrownState>(encode(YoungState{3})).x, 3);
    EXPECT_EQ(decode<GrownState>(encode(YoungState{3})).y, 5);
    EXPECT_EQ(decode<GrownState>(encode(GrownState{7, 3})).y, 7);
    const auto owned = decode<OwnerState<GrownState>>(encode(OwnerState<YoungState>{{{1}, {2}}}));
    ASSERT_EQ(owned.insides.size(), 2U);
    EXPECT_EQ(owned.insides[1].x, 2);
    EXPECT_EQ(owned.insides[1].y, 5);
    // A newer one than is known is refused, wherever it stands.
    EXPECT_EQ(refusal<YoungState>(encode(GrownState{})), Code::state_version);
    EXPECT_EQ(refusal<OwnerState<YoungState>>(encode(OwnerState<GrownState>{{{}}})), Code::state_version);
}

}  // namespace
