#include <cmath>
#include <cstdint>
#include <limits>

#include <gtest/gtest.h>

#include <serinus/core/counts.hpp>

#include "support/code_of.hpp"

namespace {

using namespace serinus;

TEST(Counts, AreWholeNumbersFrom0To2To53) {
    EXPECT_EQ(as_double(most_count), 0x1p53);
    for (const double good : {0.0, 1.0, 0x1p53}) {
        EXPECT_TRUE(is_count(good));
        EXPECT_EQ(as_double(require_count("bad", good)), good);
    }
    constexpr double infinity = std::numeric_limits<double>::infinity();
    for (const double wrong : {-1.0, 0.5, 0x1p53 + 2, infinity, -infinity, std::nan("")}) {
        EXPECT_FALSE(is_count(wrong)) << wrong;
        EXPECT_EQ(code_of([&] { require_count("bad", wrong); }), Code::argument_count) << wrong;
    }
    for (const std::int64_t wrong : {std::int64_t{-1}, most_count + 1}) {
        EXPECT_FALSE(is_count(wrong)) << wrong;
        EXPECT_EQ(code_of([&] { require_count("bad", wrong); }), Code::argument_count) << wrong;
    }
}

TEST(Counts, OfAnArmHaveNoMoreBadOnesThanThereAre) {
    for (const Proportion good : {Proportion{0, 0}, {1, 1}, {0, most_count}}) EXPECT_TRUE(is_possible(good));
    for (const Proportion wrong : {Proportion{-1, 1}, {2, 1}, {0, most_count + 1}, {0, -1}})
        EXPECT_EQ(code_of([&] { require_possible("canary", wrong); }), Code::argument_count);
}

}  // namespace
