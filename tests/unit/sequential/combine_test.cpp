#include <cmath>
#include <fstream>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <serinus/sequential/combine.hpp>

#include "support/data_dir.hpp"

namespace serinus::sequential {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

TEST(Combine, EBhAgreesWithVille) {
    std::ifstream file(data_dir() + "/reference/sequential/combine.json");
    const nlohmann::json document = nlohmann::json::parse(file);
    int cases = 0;
    for (const auto& c : document.at("cases")) {
        std::vector<double> logs;
        for (const double e : c.at("inputs").at("e")) logs.push_back(std::log(e));
        const Combined combined = combine(logs, {}, CombineMethod::ebh);
        const double threshold = -std::log(c.at("inputs").at("alpha").get<double>());
        for (std::size_t i = 0; i < logs.size(); ++i) {
            EXPECT_EQ(combined.adjusted[i] >= threshold, c.at("output")[i].get<bool>()) << i;
        }
        ++cases;
    }
    EXPECT_GE(cases, 2);
}

// Against the definitions, spelled out.
TEST(Combine, AgreesWithTheDefinitions) {
    std::mt19937_64 random(1);
    std::normal_distribution<double> normal(0, 3);
    for (int repetition = 0; repetition < 200; ++repetition) {
        const std::size_t count = 1 + random() % 8;
        std::vector<double> logs, e;
        for (std::size_t i = 0; i < count; ++i) {
            logs.push_back(normal(random));
            e.push_back(std::exp(logs.back()));
        }
        double sum = 0, product = 1;
        for (const double value : e) {
            sum += value;
            product *= value;
        }
        const auto k = static_cast<double>(count);
        EXPECT_NEAR(combine(logs).log_e_value, std::log(sum / k), 1e-12);
        EXPECT_NEAR(combine(logs, {}, CombineMethod::product).log_e_value, std::log(product), 1e-12);
        const Combined bonferroni = combine(logs, {}, CombineMethod::bonferroni);
        const Combined holm = combine(logs, {}, CombineMethod::holm);
        const Combined ebh = combine(logs, {}, CombineMethod::ebh);
        for (const double alpha : {0.5, 0.2, 0.05}) {
            std::vector<std::size_t> order(count);
            for (std::size_t i = 0; i < count; ++i) order[i] = i;
            std::sort(order.begin(), order.end(), [&](auto a, auto b) { return e[a] > e[b]; });
            std::size_t holm_named = 0;
            while (holm_named < count && e[order[holm_named]] >= (k - static_cast<double>(holm_named)) / alpha)
                ++holm_named;
            std::size_t ebh_named = 0;
            for (std::size_t i = 0; i < count; ++i) {
                if ((static_cast<double>(i) + 1) * e[order[i]] / k >= 1 / alpha) ebh_named = i + 1;
            }
            for (std::size_t i = 0; i < count; ++i) {
                EXPECT_EQ(bonferroni.adjusted[order[i]] >= -std::log(alpha), e[order[i]] >= k / alpha);
                EXPECT_EQ(holm.adjusted[order[i]] >= -std::log(alpha), i < holm_named);
                EXPECT_EQ(ebh.adjusted[order[i]] >= -std::log(alpha), i < ebh_named);
            }
        }
    }
}

TEST(Combine, WeightsAreRelative) {
    const std::vector<double> logs{1, 2, 3}, weights{1, 2, 1}, scaled{10, 20, 10};
    for (const auto method :
         {CombineMethod::mean, CombineMethod::bonferroni, CombineMethod::holm, CombineMethod::ebh}) {
        EXPECT_EQ(combine(logs, weights, method).adjusted, combine(logs, scaled, method).adjusted);
    }
    EXPECT_NEAR(combine(logs, weights).log_e_value, std::log((std::exp(1) + 2 * std::exp(2) + std::exp(3)) / 4), 1e-14);
}

TEST(Combine, ExtremesAreValues) {
    EXPECT_EQ(combine({}).log_e_value, 0);
    const std::vector<double> lost{-infinity, -infinity}, won{infinity, 0}, both{infinity, -infinity};
    EXPECT_EQ(combine(lost).log_e_value, -infinity);
    EXPECT_EQ(combine(won).log_e_value, infinity);
    EXPECT_EQ(combine(both).log_e_value, infinity);
    EXPECT_EQ(combine(both, {}, CombineMethod::product).log_e_value, -infinity);
    const std::vector<double> one_sided{1, 0};
    EXPECT_EQ(combine(both, one_sided).log_e_value, infinity);
    const std::vector<double> other_sided{0, 1};
    EXPECT_EQ(combine(both, other_sided).log_e_value, -infinity);
    for (const auto method : {CombineMethod::mean, CombineMethod::product, CombineMethod::bonferroni,
                              CombineMethod::holm, CombineMethod::ebh}) {
        for (const auto& logs : {lost, won, both}) {
            for (const double adjusted : combine(logs, {}, method).adjusted) EXPECT_FALSE(std::isnan(adjusted));
        }
    }
}

TEST(Combine, BadInputIsRefused) {
    const std::vector<double> logs{1, 2}, nan{1, std::nan("")}, three{1, 1, 1}, negative{1, -1}, none{0, 0};
    EXPECT_THROW(combine(nan), Error);
    EXPECT_THROW(combine(logs, three), Error);
    EXPECT_THROW(combine(logs, negative), Error);
    EXPECT_THROW(combine(logs, none), Error);
}

}  // namespace
}  // namespace serinus::sequential
