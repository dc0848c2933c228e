// Codes by their names.

#include <optional>

#include <gtest/gtest.h>

#include <serinus/core/code_named.hpp>

namespace {

using namespace serinus;

TEST(CodeNamed, FindsEveryCodeByItsName) {
#define SERINUS_ERROR(identifier, number, text, ...) EXPECT_EQ(code_named(text), Code::identifier);
#define SERINUS_REASON(identifier, number, ...) EXPECT_EQ(code_named(#identifier), Code::identifier);
#include <serinus/core/code.def>
#undef SERINUS_ERROR
#undef SERINUS_REASON
    EXPECT_EQ(code_named("none"), Code::none);
}

TEST(CodeNamed, FindsNothingForOtherTexts) {
    for (const char* other : {"", "unknown", "harm", "harm_proven ", "serinus"})
        EXPECT_EQ(code_named(other), std::nullopt);
}

}  // namespace
