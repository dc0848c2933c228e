#pragma once
/// \file
/// Values drawn for tests, and how often something came of what was promised.

#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace support {

/// Normal values of a mean and a standard deviation, each correlated with the one before by `phi`.
inline std::vector<double> normal(std::size_t n, double mean, double deviation, std::mt19937_64& random,
                                  double phi = 0) {
    std::normal_distribution<double> draw;
    std::vector<double> values(n);
    double state = draw(random);
    for (double& value : values) {
        state = phi * state + std::sqrt(1 - phi * phi) * draw(random);
        value = mean + deviation * state;
    }
    return values;
}

/// The same of mean 0 and standard deviation 1.
inline std::vector<double> autoregressive(std::size_t n, double phi, std::mt19937_64& random) {
    return normal(n, 0, 1, random, phi);
}

/// The same of standard deviation 1, by a seed of its own.
inline std::vector<double> draw(std::size_t n, std::uint64_t seed, double mean = 0, double phi = 0) {
    std::mt19937_64 random(seed);
    return normal(n, mean, 1, random, phi);
}

/// By kind: normal values; whole numbers of which few differ; multiples of 1/8; far from 0.
inline std::vector<double> draw(std::size_t n, int kind, std::mt19937_64& random) {
    std::normal_distribution<double> normal(10, 3);
    std::uniform_int_distribution<int> few(0, 4);
    std::vector<double> values(n);
    for (double& value : values) {
        value = kind == 0   ? normal(random)
                : kind == 1 ? few(random)
                : kind == 2 ? std::round(normal(random)) / 8
                            : 1e15 + normal(random);
    }
    return values;
}

/// How often something of a promised share came.
struct Share {
    int seen = 0, all = 0;

    void add(bool yes) {
        seen += yes ? 1 : 0;
        ++all;
    }
    double slack(double share) const { return 4 * std::sqrt(share * (1 - share) / all); }
    double share() const { return double(seen) / all; }
    /// At most 5 %, and what the method itself is known to be off by.
    void expect_size(double known = 0) const { EXPECT_LE(share(), 0.05 + known + slack(0.05 + known)); }
    void expect_coverage(double known = 0) const { EXPECT_GE(share(), 0.95 - known - slack(0.95 - known)); }
};

template <class Interval>
bool holds(const Interval& interval, double truth) {
    return interval.lower <= truth && truth <= interval.upper;
}

}  // namespace support
