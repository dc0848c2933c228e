#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/core/error.hpp>
#include <serinus/fixed/adjust.hpp>
#include <serinus/numeric/normal.hpp>

#include "support/draws.hpp"
#include "support/reference.hpp"

namespace {

using namespace serinus;
using namespace reference;
using namespace support;
using Random = std::mt19937_64;
using Values = std::vector<double>;

TEST(Adjust, AgreesWithStatsmodelsAndR) {
    int seen = 0;
    const auto compare = [&](const auto& one, const std::string& name, const Values& weights) {
        const auto method = name == "simes-hochberg"                            ? std::optional(AdjustMethod::hochberg)
                            : name == "fdr_bh" || name == "BH" || name == "fdr" ? std::optional(AdjustMethod::bh)
                            : name == "fdr_by" || name == "BY"                  ? std::optional(AdjustMethod::by)
                                                                                : parse_word<AdjustMethod>(name);
        if (!method) return;
        const auto found = adjust(numbers(one["inputs"]["p"]), *method, weights);
        const auto expected = numbers(one["outputs"]["adjusted"]);
        ASSERT_EQ(found.size(), expected.size());
        for (std::size_t i = 0; i < found.size(); ++i) expect_close(found[i], expected[i], 1e-12);
        ++seen;
    };
    for (const char* function : {"multipletests", "p.adjust"})
        for_each_case(function, [&](const auto& one) { compare(one, one["options"]["method"], {}); });
    EXPECT_GE(seen, 50);
    seen = 0;
    for_each_case("weighted_bh", [&](const auto& one) { compare(one, "bh", numbers(one["inputs"]["w"])); });
    for_each_case("weighted_holm", [&](const auto& one) { compare(one, "holm", numbers(one["inputs"]["w"])); });
    EXPECT_EQ(seen, 10);
}

TEST(Adjust, EdgesAndErrors) {
    EXPECT_TRUE(adjust(Values{}).empty());
    const auto found = adjust(Values{0.01, std::nan(""), 0.04}, AdjustMethod::bonferroni);
    EXPECT_EQ(found[0], 0.02);
    EXPECT_TRUE(std::isnan(found[1]));
    EXPECT_THROW(adjust(Values{1.5}), Error);
    EXPECT_THROW(adjust(Values{0.5}, AdjustMethod::bh, Values{1, 2}), Error);
    EXPECT_THROW(adjust(Values{0.5}, AdjustMethod::bh, Values{0}), Error);
    EXPECT_THROW(adjust(Values{0.5}, AdjustMethod::hochberg, Values{1}), Error);
}

TEST(Adjust, KeepsItsPromises) {
    // Ten metrics, six of them healthy: any false find (holm, hochberg, bonferroni), the share of false ones (bh, by).
    Random random(110);
    std::array<Share, 3> any;
    double false_share[2] = {};
    constexpr int rounds = 4000;
    for (int round = 0; round < rounds; ++round) {
        Values p(10);
        for (std::size_t i = 0; i < p.size(); ++i)
            p[i] = normal_survival(std::normal_distribution<double>()(random) + (i < 4 ? 3 : 0));
        std::size_t at = 0;
        for (const auto method : {AdjustMethod::holm, AdjustMethod::hochberg, AdjustMethod::bonferroni}) {
            const Values adjusted = adjust(p, method);
            any[at++].add(*std::min_element(adjusted.begin() + 4, adjusted.end()) <= 0.05);
        }
        at = 0;
        for (const auto method : {AdjustMethod::bh, AdjustMethod::by}) {
            const Values adjusted = adjust(p, method);
            const auto below = [](double value) { return value <= 0.05; };
            const auto found = std::count_if(adjusted.begin(), adjusted.end(), below);
            const auto wrong = std::count_if(adjusted.begin() + 4, adjusted.end(), below);
            false_share[at++] += found > 0 ? double(wrong) / double(found) / rounds : 0;
        }
    }
    for (const Share& share : any) share.expect_size();
    // bh: exactly 6/10 of 5 % for independent values. The share of one round has a variance below its mean.
    EXPECT_NEAR(false_share[0], 0.03, 4 * std::sqrt(0.03 / rounds));
    EXPECT_LE(false_share[1], false_share[0]);
}

}  // namespace
