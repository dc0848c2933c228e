#include <cmath>

#include <gtest/gtest.h>

#include <serinus/numeric/counting.hpp>

namespace {

using namespace serinus;

TEST(BinomialDensity, IsTheDefinition) {
    for (const double p : {0.01, 0.3, 0.5, 0.99}) {
        double ways = 1;
        for (double k = 0; k <= 20; ++k) {
            const double expected = ways * std::pow(p, k) * std::pow(1 - p, 20 - k);
            EXPECT_NEAR(binomial_density(k, 20, p, 1 - p) / expected, 1, 1e-13) << p << ' ' << k;
            ways *= (20 - k) / (k + 1);
        }
    }
    EXPECT_EQ(binomial_density(0, 5, 0, 1), 1);
    EXPECT_EQ(binomial_density(1, 5, 0, 1), 0);
    EXPECT_EQ(binomial_density(5, 5, 1, 0), 1);
}

// Exact integers and 40 decimal digits (Python's math.comb and decimal).
TEST(BinomialDistribution, OfAMillionTries) {
    EXPECT_NEAR(binomial_density(500000, 1e6, 0.5, 0.5) / 7.978843613317500890872e-4, 1, 1e-13);
    EXPECT_NEAR(binomial_distribution(1e6, 0.5, 0.5).at_most(499000) / 0.02280414993269104321, 1, 1e-12);
    EXPECT_NEAR(binomial_distribution(1e6, 0.0005, 0.9995).at_most(400) / 2.067340813348575245e-6, 1, 1e-12);
}

TEST(CountDistribution, TailsAreWholeAndFall) {
    const auto heads = binomial_distribution(30, 0.4, 0.6);
    const auto drawn = hypergeometric_distribution(12, 20, 9);
    const auto check = [](const auto& law, double first, double last) {
        double sum = 0;
        for (double k = first; k <= last; ++k) {
            sum += law.density(k);
            EXPECT_NEAR(law.at_most(k), sum, 1e-13);
            EXPECT_NEAR(law.at_most(k) + law.at_least(k + 1), 1, 1e-13);
            EXPECT_LE(law.density(k), law.not_likelier(k) * (1 + 1e-12));
        }
        EXPECT_NEAR(sum, 1, 1e-13);
        EXPECT_EQ(law.at_most(first - 1), 0);
        EXPECT_EQ(law.at_most(last), 1);
        EXPECT_EQ(law.at_least(last + 1), 0);
        EXPECT_EQ(law.density(first - 1), 0);
    };
    check(heads, 0, 30);
    check(drawn, 0, 9);
}

// Fisher's tea: 3 of 4 right, drawn from 4 and 4. P(3) = 16/70, the two-sided p-value 34/70.
TEST(HypergeometricDistribution, OfTheLadyTastingTea) {
    const auto tea = hypergeometric_distribution(4, 4, 4);
    EXPECT_NEAR(tea.density(3), 16.0 / 70, 1e-15);
    EXPECT_NEAR(tea.at_least(3), 17.0 / 70, 1e-15);
    EXPECT_NEAR(tea.not_likelier(3), 34.0 / 70, 1e-15);
    EXPECT_EQ(tea.not_likelier(2), 1);
}

}  // namespace
