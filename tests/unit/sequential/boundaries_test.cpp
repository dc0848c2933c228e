#include <cmath>
#include <fstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <serinus/sequential/boundaries.hpp>

namespace {

using namespace serinus::sequential;

TEST(NormalMixture, AgreesWithConfseq) {
    std::ifstream file(SERINUS_DATA_DIR "/reference/sequential/normal_mixture.json");
    const auto reference = nlohmann::json::parse(file);
    int values = 0, bounds = 0;
    for (const auto& one : reference["cases"]) {
        SCOPED_TRACE(one.dump());
        const bool one_sided = one["is_one_sided"];
        const double v = one["v"], expected = one["output"];
        const double rho = normal_mixture_precision(one["v_opt"], one["alpha_opt"], one_sided);
        if (one["function"] == "normal_log_mixture") {
            // A closed form in both.
            EXPECT_NEAR(log_normal_mixture(one["s"], v, rho, one_sided), expected,
                        1e-9 * std::max(1.0, std::fabs(expected)));
            ++values;
        } else {
            // At confseq's bound (bisection to 40 bits) the martingale is worth 1/alpha.
            const double alpha = one["alpha"];
            const double needed = -std::log(alpha);
            EXPECT_GE(log_normal_mixture(expected * (1 + 1e-8), v, rho, one_sided), needed);
            EXPECT_LE(log_normal_mixture(expected * (1 - 1e-8), v, rho, one_sided), needed);
            ++bounds;
        }
    }
    EXPECT_EQ(values, 20);
    EXPECT_EQ(bounds, 60);
}

TEST(NormalMixture, StartsAtOneAndGrowsWithTheSum) {
    const double rho = normal_mixture_precision(120, 0.05, true);
    for (const bool one_sided : {true, false}) EXPECT_EQ(log_normal_mixture(0, 0, rho, one_sided), 0);
    double before = -1e300;
    for (double s = -200; s <= 200; s += 0.5) {
        const double now = log_normal_mixture(s, 100, rho, true);
        EXPECT_GT(now, before);
        before = now;
        EXPECT_DOUBLE_EQ(log_normal_mixture(s, 100, rho, false), log_normal_mixture(-s, 100, rho, false));
    }
    // Far out nothing overflows.
    EXPECT_TRUE(std::isfinite(log_normal_mixture(-1e150, 1, rho, true)));
    EXPECT_TRUE(std::isfinite(log_normal_mixture(1e150, 1, rho, true)));
}

TEST(NormalMixture, IsAMartingale) {
    // One step of a symmetric coin in s and 1 in v cannot gain on average: cosh(x) <= exp(x^2/2).
    const double rho = normal_mixture_precision(120, 0.05, true);
    for (double s = -20; s <= 20; s += 1.5) {
        for (const double v : {1.0, 12.0, 100.0}) {
            const double now = std::exp(log_normal_mixture(s, v, rho, true));
            const double next = (std::exp(log_normal_mixture(s + 1, v + 1, rho, true)) +
                                 std::exp(log_normal_mixture(s - 1, v + 1, rho, true))) /
                                2;
            EXPECT_LE(next, now * (1 + 1e-12));
        }
    }
}

}  // namespace
