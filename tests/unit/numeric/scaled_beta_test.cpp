#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <serinus/numeric/scaled_beta.hpp>
#include <serinus/numeric/special.hpp>

#include "support/data_dir.hpp"

namespace {

using namespace serinus;

constexpr double infinity = std::numeric_limits<double>::infinity();

TEST(ScaledBeta, AgreesWithMpmath) {
    std::ifstream file(data_dir() + "/reference/tails.json");
    const auto reference = nlohmann::json::parse(file);
    int beta = 0, delta = 0;
    for (const auto& one : reference["cases"]) {
        SCOPED_TRACE(one.dump());
        const auto at = [&](std::size_t i) { return one["arguments"][i].get<double>(); };
        const double expected = one["output"];
        if (one["function"] == "log_gamma_delta") {
            EXPECT_NEAR(log_gamma_delta(at(0), at(1)), expected,
                        1e-14 * at(1) * (1 + 1 / at(0) + std::fabs(std::log(at(0)))));
            ++delta;
        }
        if (one["function"] != "log_incomplete_beta") continue;
        // What y = 1 - x and a y - b x can mean is lost in x, a double: a few ulp times the slope of the log.
        const double tolerance = 1e-13 * std::max(1.0, std::fabs(expected)) +
                                 4e-16 * std::sqrt(at(0) + at(1)) * std::max(1.0, std::sqrt(std::fabs(expected)));
        EXPECT_NEAR(log_incomplete_beta(at(0), at(1), at(2)), expected, tolerance);
        ++beta;
    }
    EXPECT_GE(beta, 60);
    EXPECT_EQ(delta, 40);
}

TEST(ScaledBeta, AgreesWithBoostWhereItHasNumbers) {
    for (double a = 0.05; a < 2000; a *= 1.37) {
        for (double b = 0.07; b < 2000; b *= 2.03) {
            for (double x = 0.013; x < 1; x += 0.061) {
                const double i = incomplete_beta(a, b, x);
                if (i < 1e-290) continue;
                EXPECT_NEAR(log_incomplete_beta(a, b, x), std::log(i), 1e-12 * (1 + std::fabs(std::log(i))))
                    << a << ' ' << b << ' ' << x;
            }
        }
    }
}

TEST(ScaledBeta, Edges) {
    EXPECT_NEAR(log_beta_lower_scaled(1e14, 1e14, 0.5, 0.5, 0),
                std::log(0.5) + log_beta_scaled(1e14, 1e14, 0.5, 0.5, 0), 1e-12);
    EXPECT_EQ(log_incomplete_beta(2, 3, 0), -infinity);
    EXPECT_EQ(log_incomplete_beta(2, 3, 1), 0);
    for (const double wrong : {-1.0, 0.0, std::nan("")}) EXPECT_TRUE(std::isnan(log_incomplete_beta(wrong, 1, 0.5)));
}

}  // namespace
