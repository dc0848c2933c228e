#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <string>

#include <gtest/gtest.h>

#include <serinus/core/require.hpp>

namespace {

using namespace serinus;

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

/// What is said, with its code in front; empty when nothing is refused.
std::string said(const std::function<void()>& call) {
    try {
        call();
    } catch (const Error& error) {
        return error.what();
    }
    return "";
}

TEST(Require, NamesFieldValueAndWhatIsAllowed) {
    EXPECT_EQ(said([] { require(true, "x", 3, "anything"); }), "");
    EXPECT_EQ(said([] { require(false, "trim", 0.5, "0 to .49"); }),
              "serinus.argument.range: trim is 0.5; allowed: 0 to .49");
}

TEST(Require, ProbabilitiesLieBetween) {
    for (const double good : {1e-300, 0.5, 1 - 1e-16}) EXPECT_EQ(said([=] { require_open_unit("alpha", good); }), "");
    for (const double bad : {0.0, 1.0, -0.1, 1.1, infinity, nan}) {
        EXPECT_TRUE(said([=] { require_open_unit("alpha", bad); }).starts_with("serinus.argument.range: alpha is "));
    }
}

TEST(Require, CountsAreWholeAndExact) {
    for (const double good : {0.0, 1.0, 9007199254740992.0}) EXPECT_EQ(said([=] { require_count("bad", good); }), "");
    for (const double bad : {-1.0, 0.5, 9007199254740994.0, infinity, nan}) {
        EXPECT_TRUE(said([=] { require_count("bad", bad); }).starts_with("serinus.argument.count: bad is ")) << bad;
    }
}

TEST(Require, ResamplesHaveTailsAndAnEnd) {
    EXPECT_EQ(said([] { require_resamples(100); }), "");
    EXPECT_EQ(said([] { require_resamples(1'000'000); }), "");
    EXPECT_EQ(said([] { require_resamples(99); }),
              "serinus.argument.range: resamples is 99; allowed: from 100 to 1000000");
    EXPECT_NE(said([] { require_resamples(1'000'001); }), "");
}

TEST(Require, ValuesOfAnArmAreFinite) {
    const std::array<double, 3> good{1, nan, -1e308}, bad{1, 2, -infinity};
    EXPECT_EQ(said([&] { require_finite(Arm::canary, good); }), "");  // NaN has a policy of its own
    EXPECT_EQ(said([&] { require_finite(Arm::canary, bad); }),
              "serinus.argument.infinite: canary holds an infinite value; allowed: finite ones");
}

TEST(Require, AMarginIsOneOfTwo) {
    EXPECT_EQ(said([] { require_harm_margin({.ratio = 1.0}); }), "");
    EXPECT_EQ(said([] { require_harm_margin({.difference = 0.0}); }), "");
    EXPECT_EQ(said([] { require_harm_margin({}); }),
              "serinus.argument.margin: margin has neither a ratio nor a difference; allowed: exactly one of them");
    EXPECT_EQ(said([] { require_harm_margin({.ratio = 2, .difference = 1}); }),
              "serinus.argument.margin: margin has both a ratio and a difference; allowed: exactly one of them");
    EXPECT_EQ(said([] { require_harm_margin({.ratio = 0.99}); }),
              "serinus.argument.margin: margin.ratio is 0.99; allowed: 1 to 1000");
    EXPECT_EQ(said([] { require_harm_margin({.difference = -1.0}); }),
              "serinus.argument.margin: margin.difference is -1; allowed: 0 or more, finite");
    EXPECT_NE(said([] { require_harm_margin({.ratio = nan}); }), "");
    EXPECT_EQ(said([] { require_harm_margin({.ratio = 1.5, .floor = 0.1}); }),
              "serinus.argument.margin: margin.floor is 0.1; allowed: none here (ProportionTest and RateTest take a "
              "floor)");
    EXPECT_EQ(said([] { require_floored_margin({.ratio = 1.5, .floor = 0.1}); }), "");
    EXPECT_EQ(said([] { require_floored_margin({.ratio = 1.5, .floor = nan}); }),
              "serinus.argument.margin: margin.floor is nan; allowed: 0 or more, finite");
}

TEST(Require, SomeMarginsAreRatiosOnly) {
    EXPECT_EQ(require_ratio({.ratio = 0.5}), 0.5);
    EXPECT_NE(said([] { require_ratio({.difference = 0.5}); }), "");
    EXPECT_NE(said([] { require_ratio({.ratio = 0.0}); }), "");
    EXPECT_NE(said([] { require_ratio({.ratio = infinity}); }), "");
}

}  // namespace
