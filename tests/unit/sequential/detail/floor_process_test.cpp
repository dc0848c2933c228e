#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <serinus/numeric/random.hpp>
#include <serinus/sequential/detail/floor_band.hpp>
#include <serinus/sequential/detail/floor_process.hpp>

#include "support/reference.hpp"

namespace serinus::sequential {
namespace {

double uniform(RandomStream& random) { return static_cast<double>(random.next() >> 11) * 0x1p-53; }

/// What NumPy and SciPy made of the same formulas (tools/reference/floor.py).
TEST(FloorProcess, AgreesWithTheReference) {
    const nlohmann::json golden = reference::parsed("sequential/floor.json");
    const double rtol = golden["sources"]["numpy floor"]["rtol"], atol = golden["sources"]["numpy floor"]["atol"];
    int looks = 0;
    for (const auto& c : golden["cases"]) {
        const double ratio = c["ratio"], floor = c["floor"], phi = c["dispersion"];
        const FloorOf of = c["of"] == "rates" ? FloorOf::rates : FloorOf::shares;
        FloorProcess harm(ratio, floor, +1, of), safe(ratio, floor, -1, of);
        FloorBand band(ratio, floor, of);
        FloorLevel level;
        for (std::size_t i = 0; i < c["counts"].size(); ++i) {
            const double x_b = c["counts"][i][0], n_b = c["counts"][i][1], x_c = c["counts"][i][2],
                         n_c = c["counts"][i][3];
            harm.update(x_b, n_b, x_c, n_c, phi, level);
            safe.update(x_b, n_b, x_c, n_c, phi, level);
            band.update(x_b, n_b, x_c, n_c, phi);
            level.add(x_b, n_b, x_c, n_c);
            const double of_harm = c["harm"][i], of_safe = c["safe"][i];
            ASSERT_NEAR(harm.log_e_value(), of_harm, atol + rtol * std::fabs(of_harm)) << c["name"] << i;
            ASSERT_NEAR(safe.log_e_value(), of_safe, atol + rtol * std::fabs(of_safe)) << c["name"] << i;
            ASSERT_GE(harm.log_at_most(), harm.log_e_value() - 1e-12) << c["name"] << i;
            ASSERT_GE(safe.log_at_most(), safe.log_e_value() - 1e-12) << c["name"] << i;
            ++looks;
        }
        const double lower = reference::number(c["lower"]), upper = reference::number(c["upper"]);
        if (std::isinf(lower))
            EXPECT_EQ(band.lower(0.05), lower) << c["name"];
        else
            EXPECT_NEAR(band.lower(0.05), lower, rtol * std::fabs(lower)) << c["name"];
        if (std::isinf(upper))
            EXPECT_EQ(band.upper(0.05), upper) << c["name"];
        else
            EXPECT_NEAR(band.upper(0.05), upper, rtol * std::fabs(upper)) << c["name"];
    }
    EXPECT_GE(looks, 700);
}

std::vector<double> binomial(int n, double p) {
    std::vector<double> law(static_cast<std::size_t>(n) + 1);
    for (int k = 0; k <= n; ++k) {
        const double ways = std::lgamma(n + 1.0) - std::lgamma(k + 1.0) - std::lgamma(n - k + 1.0);
        const double log_p = k == 0 ? 0 : k * std::log(p), log_q = k == n ? 0 : (n - k) * std::log1p(-p);
        law[static_cast<std::size_t>(k)] = std::exp(ways + log_p + log_q);
    }
    return law;
}
std::vector<double> poisson(double mean) {
    std::vector<double> law(1, std::exp(-mean));
    for (int k = 1; k < 40 + 12 * std::sqrt(mean) + mean; ++k) law.push_back(law.back() * mean / k);
    return law;
}

/// The largest mean of a node's factor, over all nodes, for both arms' laws.
double largest_mean(const FloorProcess& fresh, const FloorLevel& level, double n_b, double n_c,
                    const std::vector<double>& law_b, const std::vector<double>& law_c) {
    std::vector<double> mean(fresh.size());
    for (std::size_t x_b = 0; x_b < law_b.size(); ++x_b) {
        for (std::size_t x_c = 0; x_c < law_c.size(); ++x_c) {
            FloorProcess process = fresh;
            process.update(static_cast<double>(x_b), n_b, static_cast<double>(x_c), n_c, 1, level);
            for (std::size_t j = 0; j < mean.size(); ++j)
                mean[j] += law_b[x_b] * law_c[x_c] * std::exp(process.log_mass()[j] - fresh.log_mass()[j]);
        }
    }
    return *std::max_element(mean.begin(), mean.end());
}

/// A level that may be right or wrong, or none.
FloorLevel some_level(RandomStream& random) {
    if (random.next() % 5 == 0) return {};
    const double n_b = 1 + 3000 * uniform(random), n_c = 1 + 3000 * uniform(random);
    const double share = std::exp(-9 * uniform(random));
    return {std::floor(n_b * share), n_b, std::floor(n_c * share * (1 + uniform(random)) / 2), n_c};
}

// All outcomes of an interval, at levels, sizes, margins and rates drawn at random: no node's factor has a mean above 1
// on the edge of the null hypothesis, whichever line binds there, with and without the step.
TEST(FloorProcess, HasAMeanOfAtMostOneOnTheWholeEdge) {
    RandomStream random(17, 1);
    const double ratios[] = {1, 1.05, 1.2, 1.5, 3}, floors[] = {0, 0.001, 0.01, 0.05, 0.2};
    double harm = 0, safe = 0;
    for (int trial = 0; trial < 80; ++trial) {
        const int n_b = 1 + static_cast<int>(random.next() % 24), n_c = 1 + static_cast<int>(random.next() % 24);
        const double ratio = ratios[random.next() % 5], floor = floors[random.next() % 5];
        const FloorLevel level = some_level(random);
        const FloorProcess beyond(ratio, floor, +1, FloorOf::shares), within(ratio, floor, -1, FloorOf::shares);
        const double crossing = ratio > 1 ? std::min(1.0, floor / (ratio - 1)) : 0.5;
        for (const double p : {0.0, crossing, 0.5 * crossing, std::min(1.0, 2 * crossing), uniform(random)}) {
            const double edge = std::max(ratio * p, p + floor);
            const std::vector<double> law_b = binomial(n_b, p), law_c = binomial(n_c, std::min(1.0, edge));
            harm = std::max(harm, largest_mean(beyond, level, n_b, n_c, law_b, law_c));
            if (edge <= 1) safe = std::max(safe, largest_mean(within, level, n_b, n_c, law_b, law_c));
        }
    }
    EXPECT_LE(harm, 1 + 1e-12);
    EXPECT_LE(safe, 1 + 1e-12);
    EXPECT_GE(harm, 1 - 1e-3);  // it is not the absence of bets that keeps it so
    EXPECT_GE(safe, 1 - 1e-3);
}

TEST(FloorProcess, OfRatesHasAMeanOfAtMostOneOnTheWholeEdge) {
    RandomStream random(17, 2);
    const double ratios[] = {1, 1.2, 1.5, 3}, floors[] = {0, 0.05, 0.3, 2};
    double harm = 0, safe = 0;
    for (int trial = 0; trial < 15; ++trial) {
        const double e_b = 0.1 + 3 * uniform(random), e_c = 0.1 + 3 * uniform(random);
        const double ratio = ratios[random.next() % 4], floor = floors[random.next() % 4];
        FloorLevel level = some_level(random);
        level.n_b /= 500;
        level.n_c /= 500;
        const FloorProcess beyond(ratio, floor, +1, FloorOf::rates), within(ratio, floor, -1, FloorOf::rates);
        const double crossing = ratio > 1 ? floor / (ratio - 1) : 1;
        for (const double rate : {0.0, crossing, 3 * uniform(random)}) {
            const std::vector<double> law_b = poisson(e_b * rate),
                                      law_c = poisson(e_c * std::max(ratio * rate, rate + floor));
            harm = std::max(harm, largest_mean(beyond, level, e_b, e_c, law_b, law_c));
            safe = std::max(safe, largest_mean(within, level, e_b, e_c, law_b, law_c));
        }
    }
    EXPECT_LE(harm, 1 + 1e-12);
    EXPECT_LE(safe, 1 + 1e-12);
    EXPECT_GE(harm, 1 - 1e-3);
}

TEST(FloorProcess, IsUndisturbedByExtremes) {
    for (const FloorOf of : {FloorOf::shares, FloorOf::rates}) {
        for (const int beyond : {+1, -1}) {
            for (const double floor : {0.0, 1e-300, 1e-9, 0.999}) {
                for (const double ratio : {1.0, 1.0000001, 1000.0}) {
                    if (ratio == 1 && floor == 0) continue;
                    FloorProcess process(ratio, floor, beyond, of);
                    FloorBand band(ratio, floor, of);
                    FloorLevel level;
                    const double most = 0x1p53;
                    const double counts[][4] = {
                        {0, 1, 0, most},       {0, most, 0, 1},       {1, 1, 1, 1}, {most, most, most, most},
                        {0, most, most, most}, {most, most, 0, most}, {0, 1, 1, 1}};
                    for (const auto& [x_b, n_b, x_c, n_c] : counts) {
                        process.update(x_b, n_b, x_c, n_c, 1, level);
                        band.update(x_b, n_b, x_c, n_c, 1);
                        level.add(x_b, n_b, x_c, n_c);
                        ASSERT_TRUE(std::isfinite(process.log_e_value())) << ratio << " " << floor << " " << x_b << n_b;
                        for (const double mass : process.log_mass()) ASSERT_TRUE(std::isfinite(mass));
                        ASSERT_FALSE(std::isnan(band.lower(0.05)) || std::isnan(band.upper(0.05)));
                    }
                }
            }
        }
    }
    for (const double exposure : {1e-300, 1e300}) {
        FloorProcess process(1.5, 1e10, +1, FloorOf::rates);
        process.update(1, exposure, 1, 1, 1, {});
        process.update(1, exposure, 1, exposure, 1, {1, exposure, 1, 1});
        EXPECT_TRUE(std::isfinite(process.log_e_value())) << exposure;
    }
}

TEST(FloorBand, CarriesTheMarginAndAscends) {
    std::vector<double> numbers;
    FloorBand band(1.5, 0.001, FloorOf::shares);
    EXPECT_EQ(band.lower(0.05), -std::numeric_limits<double>::infinity());
    EXPECT_EQ(band.upper(0.05), std::numeric_limits<double>::infinity());
    // 20 times what is allowed: the lower end rises to it, and the upper one falls.
    double lower = -std::numeric_limits<double>::infinity(), upper = std::numeric_limits<double>::infinity();
    for (int i = 0; i < 400; ++i) {
        band.update(1, 1000, 21, 1000, 1);
        EXPECT_LE(band.lower(0.05), 20);
        EXPECT_GE(band.upper(0.05), 20);
        EXPECT_GE(band.lower(0.05), lower);
        EXPECT_LE(band.upper(0.05), upper);
        lower = band.lower(0.05);
        upper = band.upper(0.05);
    }
    EXPECT_GT(lower, 15);
    EXPECT_LT(upper, 28);
}

}  // namespace
}  // namespace serinus::sequential
