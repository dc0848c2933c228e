#include <cstdint>
#include <string>

#include <gtest/gtest.h>

#include <serinus/core/quote.hpp>

namespace {

/// UTF-8 written from its definition, for any number below 2^21.
std::string encode(std::uint32_t point) {
    const auto byte = [](std::uint32_t bits) { return std::string(1, static_cast<char>(bits)); };
    const auto tail = [&](int shift, std::uint32_t p) { return byte(0x80U | ((p >> shift) & 0x3FU)); };
    if (point < 0x80) return byte(point);
    if (point < 0x800) return byte(0xC0U | point >> 6) + tail(0, point);
    if (point < 0x10000) return byte(0xE0U | point >> 12) + tail(6, point) + tail(0, point);
    return byte(0xF0U | point >> 18) + tail(12, point) + tail(6, point) + tail(0, point);
}

TEST(Utf8, EveryCharacterAndNoSurrogate) {
    for (std::uint32_t point = 0; point <= 0x11FFFF; ++point) {
        const bool character = point <= 0x10FFFF && (point < 0xD800 || point > 0xDFFF);
        const std::string text = encode(point);
        ASSERT_EQ(serinus::utf8_length(text), character ? text.size() : 0) << point;
        if (character && text.size() > 1) {
            ASSERT_FALSE(serinus::valid_utf8(std::string_view(text).substr(0, text.size() - 1)));
            ASSERT_FALSE(serinus::valid_utf8(std::string_view(text).substr(1)));
        }
    }
    EXPECT_EQ(serinus::utf8_length(""), 0U);
}

TEST(Utf8, RefusesOverlongForms) {
    for (const std::string text :
         {"\xC0\x80", "\xC1\xBF", "\xE0\x80\x80", "\xE0\x9F\xBF", "\xF0\x8F\xBF\xBF", "\xFF"}) {
        EXPECT_FALSE(serinus::valid_utf8(text));
    }
    EXPECT_TRUE(serinus::valid_utf8(""));
    EXPECT_TRUE(serinus::valid_utf8("caf\xC3\xA9 \xF0\x9F\x90\xA6"));
}

TEST(InQuotes, ShortensAndCleans) {
    EXPECT_EQ(serinus::in_quotes(""), "\"\"");
    EXPECT_EQ(serinus::in_quotes("abc"), "\"abc\"");
    EXPECT_EQ(serinus::in_quotes("abcd", 4), "\"abcd\"");
    EXPECT_EQ(serinus::in_quotes("abcde", 4), "\"abcd...\"");
    EXPECT_EQ(serinus::in_quotes("\xC3\xA9\xC3\xA9\xC3\xA9", 2), "\"\xC3\xA9\xC3\xA9...\"");
    EXPECT_EQ(serinus::in_quotes("a\n\t\x7F\xC3"), "\"a????\"");
    EXPECT_EQ(serinus::printable("a\"b"), "a\"b");
}

}  // namespace
