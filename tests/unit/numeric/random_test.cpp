#include <array>
#include <cstdint>

#include <gtest/gtest.h>

#include <serinus/numeric/random.hpp>

namespace {

using namespace serinus;

// The first numbers of SplitMix64 from seed 0, as its authors publish them: its state grows by the golden ratio.
TEST(Mixed, IsSplitMix64) {
    EXPECT_EQ(mixed(0x9e3779b97f4a7c15ULL), 0xe220a8397b1dcdafULL);
    EXPECT_EQ(mixed(2 * 0x9e3779b97f4a7c15ULL), 0x6e789e6aa1b965f4ULL);
    EXPECT_EQ(mixed(3 * 0x9e3779b97f4a7c15ULL), 0x06c45d188009454fULL);
}

TEST(RandomStream, IsAFunctionOfSeedAndStream) {
    RandomStream first(7, 3), again(7, 3), other_stream(7, 4), other_seed(8, 3);
    for (int i = 0; i < 100; ++i) {
        const std::uint64_t next = first.next();
        EXPECT_EQ(again.next(), next);
        EXPECT_NE(other_stream.next(), next);
        EXPECT_NE(other_seed.next(), next);
    }
}

TEST(RandomStream, BelowIsUniform) {
    RandomStream stream(1, 1);
    std::array<int, 10> counts{};
    for (int i = 0; i < 100'000; ++i) ++counts[stream.below(10)];    // at() would not say more: it ends the program
    for (const int count : counts) EXPECT_NEAR(count, 10'000, 400);  // four standard deviations: 380
    EXPECT_EQ(RandomStream(1, 1).below(1), 0U);
}

}  // namespace
