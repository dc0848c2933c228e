#include <cmath>
#include <cstddef>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/core/error.hpp>
#include <serinus/fixed/ratio.hpp>

#include "support/draws.hpp"

namespace {

using namespace serinus;
using namespace support;
using Values = std::vector<double>;

TEST(RatioTest, FindsCostsKeepsItsSizeAndCovers) {
    std::mt19937_64 random(15);
    for (const auto method : {RatioTestMethod::delta, RatioTestMethod::block_bootstrap}) {
        for (const double phi : {0.0, 0.6}) {
            int rejected = 0, covered = 0, found_harm = 0;
            const int rounds = method == RatioTestMethod::delta ? 2000 : 300;
            for (int round = 0; round < rounds; ++round) {
                const auto arm = [&](double cost, Values& top, Values& bottom) {
                    const Values noise = autoregressive(150, phi, random), load = autoregressive(150, 0.9, random);
                    for (std::size_t i = 0; i < noise.size(); ++i) {
                        bottom.push_back(1000 * std::exp(0.3 * load[i]));
                        top.push_back(bottom.back() * cost * std::exp(0.1 * noise[i]));
                    }
                };
                Values a, b, c, d, e, f;
                arm(2, a, b);
                arm(2.1, c, d);
                arm(2.4, e, f);
                const RatioTestOptions options{.margin = {.ratio = 1.05}, .method = method, .resamples = 200};
                const auto found = ratio_test({a, b}, {c, d}, options);
                rejected += found.p_value <= 0.05 ? 1 : 0;
                covered += found.lower <= 1.05 && 1.05 <= found.upper ? 1 : 0;
                found_harm += ratio_test({a, b}, {e, f}, options).p_value <= 0.05 ? 1 : 0;
            }
            // The bootstrap is short of blocks: as block_bootstrap.hpp says.
            const double level = method == RatioTestMethod::delta ? 0.055 : 0.10;
            EXPECT_LE(rejected, rounds * level + 4 * std::sqrt(rounds * level * (1 - level))) << word(method) << phi;
            EXPECT_GE(covered, rounds * (1 - level) - 4 * std::sqrt(rounds * level * (1 - level)));
            EXPECT_GE(found_harm, rounds * 0.95);
        }
    }
}

TEST(RatioTest, EdgesAndErrors) {
    const Values top(50, 3), bottom(50, 2), zeros(50, 0);
    EXPECT_FALSE(ratio_test({top, bottom}, {top, bottom}).conclusive);  // no noise at all
    EXPECT_EQ(ratio_test({top, bottom}, {top, bottom}).ratio, 1);
    EXPECT_FALSE(ratio_test({top, zeros}, {top, bottom}).conclusive);
    EXPECT_FALSE(ratio_test({{}, {}}, {top, bottom}).conclusive);
    EXPECT_THROW(ratio_test({top, Values(3, 1)}, {top, bottom}), Error);
    EXPECT_THROW(ratio_test({top, Values(50, -1)}, {top, bottom}), Error);
    std::mt19937_64 random(16);
    Values noisy = autoregressive(50, 0, random), other = autoregressive(50, 0, random);
    for (Values* arm : {&noisy, &other})
        for (double& value : *arm) value += 10;
    const auto one = ratio_test({noisy, bottom}, {other, bottom}), back = ratio_test({other, bottom}, {noisy, bottom});
    EXPECT_NEAR(one.ratio * back.ratio, 1, 1e-12);
    EXPECT_NEAR(one.lower * back.upper, 1, 1e-12);
    EXPECT_NEAR(one.p_value, back.p_value, 1e-12);
}

}  // namespace
