// How options get into states and are held against them.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include <serinus/core/describe.hpp>
#include <serinus/core/error.hpp>
#include <serinus/core/evidence.hpp>
#include <serinus/sequential/detail/same_options.hpp>

namespace {

using namespace serinus;
using namespace serinus::sequential::detail;

/// Options of a test to come, one of which nobody has thought of before.
struct OwnOptions {
    double alpha = 0.05;
    std::optional<double> alpha_safe = 0.1;
    Margin margin = {.ratio = 1.5};
    Side side = Side::harm;
    double never_heard_of = 3;
    std::uint64_t seed = 0;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("alpha", self.alpha);
        visit("alpha_safe", self.alpha_safe);
        visit("margin", self.margin);
        visit("side", self.side);
        visit("never_heard_of", self.never_heard_of);
        visit("seed", self.seed);
    }
};

struct OwnState {
    [[maybe_unused]] static constexpr std::string_view kind = "ownn";
    [[maybe_unused]] static constexpr std::int64_t version = 1;
    static constexpr std::array<std::string_view, 2> beside{"difference", "floor"};

    double seen = 0;
    double never_heard_of = 0;
    double alpha = 0, alpha_safe = 0;
    std::optional<double> ratio;
    Side side = Side::safe;
    std::int64_t seed = 0;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("seen", self.seen);
        visit("never_heard_of", self.never_heard_of);
        visit("alpha", self.alpha);
        visit("alpha_safe", self.alpha_safe);
        visit("ratio", self.ratio);
        visit("side", self.side);
        visit("seed", self.seed);
    }
};

/// The same, but that somebody forgot the new option.
struct ForgetfulState {
    double alpha = 0, alpha_safe = 0;
    std::optional<double> ratio, difference;
    Side side = Side::safe;
    std::int64_t seed = 0;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("alpha", self.alpha);
        visit("alpha_safe", self.alpha_safe);
        visit("ratio", self.ratio);
        visit("difference", self.difference);
        visit("side", self.side);
        visit("seed", self.seed);
    }
};

static_assert(keeps_options<OwnState, OwnOptions>());
static_assert(!keeps_options<ForgetfulState, OwnOptions>());

template <class Call>
std::string refused(const Call& call) {
    try {
        call();
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), Code::state_options);
        return error.what();
    }
    return "";
}

TEST(SameOptions, WhatIsSavedIsTheSame) {
    OwnOptions options{.alpha = 0.02, .never_heard_of = 7, .seed = ~std::uint64_t{0}};
    OwnState state;
    save_options(state, options);
    EXPECT_EQ(state.alpha, 0.02);
    EXPECT_EQ(state.alpha_safe, 0.1);
    EXPECT_EQ(state.ratio, 1.5);
    EXPECT_EQ(state.never_heard_of, 7);
    EXPECT_EQ(refused([&] { require_same_options("the state", state, options); }), "");
}

TEST(SameOptions, EveryOptionThatDiffersIsNamed) {
    OwnState state;
    save_options(state, OwnOptions{});
    const auto says = [&](const OwnOptions& options) {
        return refused([&] { require_same_options("the state", state, options); });
    };
    EXPECT_NE(says({.alpha = 0.01}).find("the state has alpha 0.05; allowed: 0.01, as this one has"),
              std::string::npos);
    EXPECT_NE(says({.alpha_safe = 0.2}).find("alpha_safe 0.1; allowed: 0.2"), std::string::npos);
    EXPECT_NE(says({.margin = {.ratio = 2.0}}).find("margin.ratio 1.5; allowed: 2"), std::string::npos);
    EXPECT_NE(says({.side = Side::safe}).find("side harm; allowed: safe"), std::string::npos);
    EXPECT_NE(says({.never_heard_of = 4}).find("never_heard_of 3; allowed: 4"), std::string::npos);
    EXPECT_NE(says({.seed = 1}).find("seed 0; allowed: 1"), std::string::npos);

    const OwnOptions own;
    EXPECT_EQ(refused([&] { require_same_options("the test", own, own); }), "");
    const std::string other = refused([&] { require_same_options("the test", OwnOptions{.never_heard_of = 4}, own); });
    EXPECT_NE(other.find("the test has never_heard_of 4; allowed: 3, as this one has"), std::string::npos) << other;
}

}  // namespace
