#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <serinus/numeric/scaled_gamma.hpp>
#include <serinus/numeric/special.hpp>

#include "support/data_dir.hpp"

namespace {

using namespace serinus;

constexpr double infinity = std::numeric_limits<double>::infinity();

TEST(ScaledGamma, AgreesWithMpmath) {
    std::ifstream file(data_dir() + "/reference/tails.json");
    const auto reference = nlohmann::json::parse(file);
    int gamma = 0;
    for (const auto& one : reference["cases"]) {
        const std::string function = one["function"];
        if (function != "log_incomplete_gamma" && function != "log_incomplete_gamma_upper") continue;
        SCOPED_TRACE(one.dump());
        const auto at = [&](std::size_t i) { return one["arguments"][i].get<double>(); };
        const double expected = one["output"];
        // x is a double: what x - a can mean for huge a is lost before the function sees it, a few ulp of a times the
        // slope of the log. Hence relative to the log; where that is small, a probability near 1, absolute.
        const double found = function == "log_incomplete_gamma" ? log_incomplete_gamma(at(0), at(1))
                                                                : log_incomplete_gamma_upper(at(0), at(1));
        EXPECT_NEAR(found, expected, 1e-13 * std::max(1.0, std::fabs(expected)));
        ++gamma;
    }
    EXPECT_GE(gamma, 130);
}

TEST(ScaledGamma, AgreesWithBoostWhereItHasNumbers) {
    for (double a = 0.05; a < 2000; a *= 1.37) {
        for (double x = 0.01; x < 4000; x *= 1.61) {
            const double p = incomplete_gamma(a, x), q = incomplete_gamma_upper(a, x);
            if (p > 1e-290) {
                EXPECT_NEAR(log_incomplete_gamma(a, x), std::log(p), 1e-12 * (1 + std::fabs(std::log(p))));
            }
            if (q > 1e-290) {
                EXPECT_NEAR(log_incomplete_gamma_upper(a, x), std::log(q), 1e-12 * (1 + std::fabs(std::log(q))))
                    << a << ' ' << x;
            }
        }
    }
}

TEST(ScaledGamma, RecurrencesHoldAcrossTheMethods) {
    // x upper(a) = 1 + (a - 1) upper(a - 1), a lower(a) = 1 + x lower(a + 1): on either side of every border between
    // methods, also where the gamma functions themselves have no value.
    for (const double a : {0.3, 0.7, 1.4, 4.0, 15.3, 16.2, 17.9, 40.0, 300.0, 1e5}) {
        for (const double ratio : {0.02, 0.45, 0.55, 0.65, 0.75, 0.95, 1.0, 1.05, 1.3, 1.45, 1.9, 6.0}) {
            const double x = a * ratio;
            const auto upper = [&](double b) { return std::exp(log_gamma_upper_scaled(b, x, x - b)); };
            const auto lower = [&](double b, double z) { return std::exp(log_gamma_lower_scaled(b, z, z - b)); };
            if (log_gamma_upper_scaled(a, x, x - a) < 600) {
                EXPECT_NEAR(x * upper(a) / (1 + (a - 1) * upper(a - 1)), 1, 1e-11) << a << ' ' << x;
            }
            if (log_gamma_lower_scaled(a, x, x - a) < 600) {
                EXPECT_NEAR(a * lower(a, x) / (1 + x * lower(a + 1, x)), 1, 1e-11) << a << ' ' << x;
            }
            // Below 0 the terms differ in sign.
            EXPECT_NEAR(a * lower(a, -x) + x * lower(a + 1, -x), 1, 1e-11) << a << ' ' << -x;
            const double negative = 0.5 - a;
            EXPECT_NEAR(x * upper(negative) + (1 - negative) * upper(negative - 1), 1, 1e-11) << negative << ' ' << x;
        }
    }
}

TEST(ScaledGamma, OfShapesWithoutEnd) {
    // At the mean of a huge shape half is below, but for the skewness.
    for (const double a : {1e12, 1e20, 1e100, 1e200}) {
        const double skew = 2.0 / 3 * 0.39894228040143267794 / std::sqrt(a);
        EXPECT_NEAR(log_gamma_lower_scaled(a, a, 0), 0.5 * std::log(1.5707963267948966 / a) + skew, 1e-12) << a;
        EXPECT_NEAR(log_gamma_upper_scaled(a, a, 0), 0.5 * std::log(1.5707963267948966 / a) - skew, 1e-12) << a;
    }
    EXPECT_NEAR(log_gamma_lower_scaled(1e-300, 1e-300, 0), 300 * std::log(10.0), 1e-10);
    EXPECT_EQ(log_incomplete_gamma(2, 0), -infinity);
    EXPECT_EQ(log_incomplete_gamma_upper(2, 0), 0);
    EXPECT_EQ(log_incomplete_gamma(2, infinity), 0);
    EXPECT_EQ(log_incomplete_gamma_upper(2, infinity), -infinity);
    for (const double wrong : {-1.0, 0.0, std::nan("")}) {
        EXPECT_TRUE(std::isnan(log_incomplete_gamma(wrong, 1)));
        EXPECT_TRUE(std::isnan(log_incomplete_gamma_upper(wrong, 1)));
        EXPECT_TRUE(std::isnan(log_gamma_lower_scaled(wrong, 1, 1)));
    }
    EXPECT_TRUE(std::isnan(log_gamma_upper_scaled(2, -1, -3)));
}

TEST(Log1pmx, KeepsItsDigits) {
    for (const double u : {1e-300, 1e-9, 1e-3, 0.3}) {
        for (const double sign : {1.0, -1.0}) {
            const double x = sign * u;
            // Half of x^2 and the series after it.
            double expected = 0, power = -x;
            for (int k = 2; k < 60; ++k) {
                power *= -x;
                expected -= power / k;
            }
            EXPECT_NEAR(log1pmx(x), expected, 4e-16 * std::fabs(expected)) << x;
        }
    }
    EXPECT_EQ(log1pmx(-1), -infinity);
    EXPECT_DOUBLE_EQ(log1pmx(5), std::log(6.0) - 5);
}

}  // namespace
