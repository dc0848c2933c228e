#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/core/state.hpp>
#include <serinus/series/dependence.hpp>

#include "support/draws.hpp"

namespace {

using namespace serinus;
using Random = std::mt19937_64;

std::vector<double> autoregression(double phi, std::size_t n, std::uint64_t seed) {
    Random random(seed);
    std::normal_distribution<double> normal;
    std::vector<double> values(n);
    double state = normal(random);
    for (double& value : values) {
        state = phi * state + std::sqrt(1 - phi * phi) * normal(random);
        value = state;
    }
    return values;
}

/// The rule once more, as the method's note has it.
Dependence by_the_book(const std::vector<double>& values) {
    Dependence d;
    const auto n = static_cast<double>(values.size());
    d.n = n;
    double mean = 0;
    for (const double v : values) mean += v / n;
    const auto g = [&](std::size_t lag) {
        double sum = 0;
        for (std::size_t t = 0; t + lag < values.size(); ++t) sum += (values[t] - mean) * (values[t + lag] - mean);
        return sum / n;
    };
    double r[4];
    for (std::size_t lag = 1; lag <= 3; ++lag)
        r[lag] = std::clamp(g(lag) / g(0) + (1 + 4 * g(lag) / g(0)) / n, -1.0, 1.0);
    const double first = std::clamp(r[1], -.5, .99);
    const double by_ar = n * (1 - first) / (1 + first);
    const double phi = r[1] + r[2] > 1e-3 ? std::clamp((r[2] + r[3]) / (r[1] + r[2]), 0.0, .98) : 0.0;
    const double by_arma = n / (1 + 2 * std::max(r[1], 0.0) / (1 - phi));
    d.n_effective = std::clamp(std::min(by_ar, by_arma), 1.5, n);
    d.mean = mean;
    d.variance = g(0) * n / (n - 1);
    return d;
}

TEST(Dependence, IsTheRuleOfTheNote) {
    for (const double phi : {-0.8, -0.3, 0.0, 0.5, 0.9, 0.99}) {
        for (const std::size_t n : {std::size_t{5}, std::size_t{12}, std::size_t{60}, std::size_t{1000}}) {
            const auto values = autoregression(phi, n, n + 7);
            const Dependence ours = dependence(values), book = by_the_book(values);
            EXPECT_NEAR(ours.n_effective, book.n_effective, 1e-9 * book.n_effective) << phi << ' ' << n;
            EXPECT_NEAR(ours.variance, book.variance, 1e-9 * book.variance);
            EXPECT_NEAR(ours.mean, book.mean, 1e-12);
        }
    }
}

TEST(Dependence, LongRunVarianceIsTheTruthOnAverage) {
    // AR(1): variance times (1 + phi)/(1 - phi). 200 series of 2,000; the mean of the estimates within 10 %, or above
    // by what the minimum rule adds.
    for (const double phi : {0.0, 0.6, 0.9}) {
        double sum = 0;
        for (std::uint64_t seed = 0; seed < 200; ++seed)
            sum += dependence(autoregression(phi, 2000, seed)).long_run_variance();
        const double truth = (1 + phi) / (1 - phi);
        EXPECT_GT(sum / 200, 0.95 * truth) << phi;
        EXPECT_LT(sum / 200, 1.25 * truth) << phi;
    }
}

TEST(Dependence, UnitLevelAndTimesArrowDoNotMatter) {
    const auto values = autoregression(0.7, 300, 3);
    const Dependence plain = dependence(values);
    auto changed = values;
    for (double& v : changed) v = 4096 * v + 1024;
    EXPECT_NEAR(dependence(changed).n_effective, plain.n_effective, 1e-8 * plain.n_effective);
    std::reverse(changed.begin(), changed.end());
    EXPECT_NEAR(dependence(changed).n_effective, plain.n_effective, 1e-8 * plain.n_effective);
}

TEST(Dependence, FewOrEqualValues) {
    EXPECT_EQ(dependence(std::vector<double>{}).n_effective, 0);
    EXPECT_EQ(dependence(std::vector<double>{3}).n_effective, 1);
    EXPECT_EQ(dependence(std::vector<double>{3}).variance, 0);
    const Dependence flat = dependence(std::vector<double>(50, 0.1));
    EXPECT_EQ(flat.n_effective, 1.5);
    EXPECT_EQ(flat.variance, 0);
    EXPECT_EQ(flat.mean, 0.1);
    EXPECT_FALSE(flat.sufficient());
}

TEST(Dependence, NamesTheValueThatIsNoNumber) {
    std::vector<double> values{1, 2, std::nan("")};
    try {
        dependence(values);
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), Code::argument_nan);
        EXPECT_NE(std::string(error.what()).find("values[2] is NaN"), std::string::npos) << error.what();
    }
    values[2] = -std::numeric_limits<double>::infinity();
    EXPECT_THROW(dependence(values), Error);
    RunningDependence running;
    running.update(1);
    EXPECT_THROW(running.update(std::nan("")), Error);
    EXPECT_EQ(running.n(), 1);
}

TEST(RunningDependence, AgreesWithTheBatchAtEveryLength) {
    for (const double phi : {0.0, 0.9}) {
        const auto values = autoregression(phi, 200, 11);
        RunningDependence running;
        std::vector<double> seen;
        for (const double value : values) {
            running.update(1e4 + value);
            seen.push_back(1e4 + value);
            const Dependence a = running.current(), b = dependence(seen);
            ASSERT_NEAR(a.n_effective, b.n_effective, 1e-9 * b.n_effective) << seen.size();
            ASSERT_NEAR(a.variance, b.variance, 1e-9 * (b.variance + 1e-9));
            ASSERT_NEAR(a.mean, b.mean, 1e-9);
        }
    }
    RunningDependence flat;
    for (int i = 0; i < 40; ++i) flat.update(0.3);
    EXPECT_EQ(flat.current().variance, 0);
}

TEST(SlowVariance, IsTheVarianceOfWhiteNoiseAndSeesASlowSwing) {
    double sum = 0;
    for (std::uint64_t seed = 0; seed < 400; ++seed) sum += slow_variance(support::draw(100, seed), 6) / 400;
    EXPECT_NEAR(sum, 1, 4 * std::sqrt(2.0 / 2400));
    std::vector<double> swinging = support::draw(100, 1), level = swinging;
    for (std::size_t i = 0; i < 100; ++i) swinging[i] += std::cos(0.09 * static_cast<double>(i));
    for (double& v : level) v += 1e6;
    EXPECT_GT(slow_variance(swinging, 6), 5);
    EXPECT_NEAR(slow_variance(level, 6), slow_variance(support::draw(100, 1), 6), 1e-7);
    EXPECT_EQ(slow_variance(std::vector<double>{1}, 6), 0);
}

}  // namespace
