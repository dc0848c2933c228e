#include <cmath>
#include <fstream>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <serinus/sequential/conditional_mixture.hpp>

#include "support/data_dir.hpp"

namespace serinus::sequential {
namespace {

nlohmann::json reference() {
    std::ifstream file(data_dir() + "/reference/sequential/conditional_mixture.json");
    return nlohmann::json::parse(file);
}

TEST(ConditionalMixture, AgreesWithFortyDigitArithmetic) {
    int cases = 0;
    const nlohmann::json document = reference();
    for (const auto& c : document.at("cases")) {
        for (const PriorShape shape : {PriorShape::flat, PriorShape::half_normal}) {
            const double ratio = c.at("ratio");
            ConditionalMixture harm(ratio, +1, shape), safe(ratio, -1, shape);
            double size = 1;
            for (const auto& row : c.at("counts")) {
                harm.update(row[0], row[1], row[2], row[3], c.at("dispersion"));
                safe.update(row[0], row[1], row[2], row[3], c.at("dispersion"));
                size += row[0].get<double>() + row[2].get<double>();
            }
            // Sums of terms as large as the number of events are rounded at each step: 1e-15 of them, not of the
            // result.
            const double tolerance = 1e-12 + 4e-16 * size;
            const std::string of = shape == PriorShape::flat ? "" : "_half_normal";
            EXPECT_NEAR(harm.log_e_value(), c.at("harm" + of).get<double>(), tolerance) << c.at("name");
            EXPECT_NEAR(safe.log_e_value(), c.at("safe" + of).get<double>(), tolerance) << c.at("name");
        }
        ++cases;
    }
    EXPECT_GE(cases, 25);
}

double binomial(int n, int k, double p) {
    return std::exp(std::lgamma(n + 1.0) - std::lgamma(k + 1.0) - std::lgamma(n - k + 1.0)) * std::pow(p, k) *
           std::pow(1 - p, n - k);
}

// The proof, by enumeration: the expected e-value of a batch is at most 1 at and inside the null, for every rate.
TEST(ConditionalMixture, ExpectedValueIsAtMostOneUnderTheNull) {
    for (const double ratio : {1.0, 1.5, 3.0}) {
        for (const auto& [n_b, n_c] : {std::pair{3, 3}, {12, 2}, {2, 9}, {20, 20}}) {
            for (const double p_b : {0.01, 0.1, 0.3, 0.33}) {
                for (const double inside : {1.0, 0.7}) {
                    const double p_c = p_b * ratio;
                    double harm = 0, safe = 0;
                    for (int x_b = 0; x_b <= n_b; ++x_b) {
                        for (int x_c = 0; x_c <= n_c; ++x_c) {
                            ConditionalMixture above(ratio, +1), below(ratio, -1);
                            above.update(x_b, n_b, x_c, n_c, 1);
                            below.update(x_b, n_b, x_c, n_c, 1);
                            harm += binomial(n_b, x_b, p_b) * binomial(n_c, x_c, p_c * inside) *
                                    std::exp(above.log_e_value());
                            safe += binomial(n_b, x_b, p_b * inside) * binomial(n_c, x_c, p_c) *
                                    std::exp(below.log_e_value());
                        }
                    }
                    EXPECT_LE(harm, 1 + 1e-12) << ratio << ' ' << n_b << ':' << n_c << ' ' << p_b;
                    EXPECT_LE(safe, 1 + 1e-12) << ratio << ' ' << n_b << ':' << n_c << ' ' << p_b;
                }
            }
        }
    }
}

TEST(ConditionalMixture, AddedStartsAreTheSumOfSeparateProcesses) {
    const std::vector<std::array<double, 4>> data{{3, 100, 1, 90}, {2, 80, 4, 100}, {0, 50, 2, 60}, {5, 300, 3, 40}};
    ConditionalMixture together(1.2, +1);
    together.rescale(0.5);
    std::vector<ConditionalMixture> apart{ConditionalMixture(1.2, +1)};
    std::vector<double> weight{0.5};
    for (std::size_t i = 0; i < data.size(); ++i) {
        if (i == 1 || i == 3) {
            const double w = 0.1 * static_cast<double>(i);
            together.add_start(w);
            apart.emplace_back(1.2, +1);
            weight.push_back(w);
        }
        together.update(data[i][0], data[i][1], data[i][2], data[i][3], 1);
        double sum = 0;
        for (std::size_t k = 0; k < apart.size(); ++k) {
            apart[k].update(data[i][0], data[i][1], data[i][2], data[i][3], 1);
            sum += weight[k] * std::exp(apart[k].log_e_value());
        }
        EXPECT_NEAR(together.log_e_value(), std::log(sum), 1e-13);
    }
}

// With a constant split l(u) has a closed form, and so has the e-value anchored at any ratio.
TEST(LikelihoodCurve, BoundsAreWhereTheExactEvidenceMeetsTheThreshold) {
    const AnchoredPrior prior;
    for (const double scale : {1.0, 10.0, 1000.0}) {
        for (const auto& [x_b, x_c] : {std::pair{10.0, 10.0}, {10.0, 30.0}, {40.0, 3.0}, {0.0, 8.0}, {25.0, 0.0}}) {
            LikelihoodCurve curve;
            const double n_b = 900, n_c = 100;
            for (int i = 0; i < 5; ++i) curve.update(scale * x_b, scale * n_b, scale * x_c, scale * n_c, 2);
            const auto exact = [&](double u, int beyond) {
                double sum = 0;
                const double q = std::exp(u) * n_c / (std::exp(u) * n_c + n_b);
                for (std::size_t j = 0; j < prior.distance.size(); ++j) {
                    const double d = beyond * prior.distance[j];
                    sum += std::exp(prior.log_weight[j] +
                                    5 * scale / 2 * (x_c * d - (x_b + x_c) * std::log1p(q * std::expm1(d))));
                }
                return std::log(sum);
            };
            const auto [lower, upper] = curve.bounds(0.05, 0.01);
            if (x_c == 0) {
                EXPECT_EQ(lower, 0);
            } else {
                // (Towards the curve's end, at ratios near 1000, nodes fall off it and the bound is wider still.)
                // Outward: no more evidence than claimed, and less than a hair more when moved by the interpolation's
                // error.
                EXPECT_GE(exact(std::log(lower), +1), std::log(20) - 1e-6 * scale);
                if (lower < 50) {
                    EXPECT_LE(exact(std::log(lower) * (1 + 1e-12) + 1e-4, +1), std::log(20) + 1e-6)
                        << scale << ' ' << x_b << ' ' << x_c;
                }
            }
            if (x_b == 0) {
                EXPECT_EQ(upper, std::numeric_limits<double>::infinity());
            } else {
                EXPECT_GE(exact(std::log(upper), -1), std::log(100) - 1e-6 * scale);
                if (upper > 0.02) {
                    EXPECT_LE(exact(std::log(upper) - 1e-4, -1), std::log(100) + 1e-6)
                        << scale << ' ' << x_b << ' ' << x_c;
                }
            }
            if (x_b > 0 && x_c > 0) {
                const double ratio = (x_c / n_c) / (x_b / n_b);
                EXPECT_LT(lower, ratio);
                EXPECT_GT(upper, ratio);
            }
        }
    }
}

// The error bound rests on the sixth derivative of log(1 + e^u), which is the fifth of the logistic function; its
// largest absolute value is 1/4.
TEST(LikelihoodCurve, SixthDerivativeOfTheNormaliserIsAtMostAQuarter) {
    double largest = 0;
    for (double u = -12; u <= 12; u += 1e-3) {
        const double s = 1 / (1 + std::exp(-u));
        const double fifth = s * (1 - s) * (1 - 30 * s + 150 * s * s - 240 * s * s * s + 120 * s * s * s * s);
        largest = std::max(largest, std::abs(fifth));
    }
    EXPECT_LE(largest, 0.25 + 1e-12);
    EXPECT_GE(largest, 0.24);
}

TEST(LikelihoodCurve, NothingSeenExcludesNothing) {
    const auto [lower, upper] = LikelihoodCurve().bounds(0.05, 0.05);
    EXPECT_EQ(lower, 0);
    EXPECT_EQ(upper, std::numeric_limits<double>::infinity());
}

}  // namespace
}  // namespace serinus::sequential
