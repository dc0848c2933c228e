#pragma once
/// \file
/// Histories of a gauge's differences, and the noise that is learned from them.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <utility>
#include <vector>

#include <serinus/sequential/noise/learn_paired_noise.hpp>

namespace serinus::sequential {

/// Normal numbers of a mean in units of `unit`, in which each is `phi` times the one before it and new noise.
inline std::vector<double> draw(std::size_t n, std::uint64_t seed, double mean = 0, double phi = 0, double unit = 1) {
    std::mt19937_64 random(seed);
    std::normal_distribution<double> normal;
    std::vector<double> values(n);
    double state = normal(random);
    for (double& value : values) {
        state = phi * state + std::sqrt(1 - phi * phi) * normal(random);
        value = unit * (mean + state);
    }
    return values;
}

inline PairedNoise noise_of(const std::vector<double>& history) {
    double magnitude = 0;
    for (const double d : history) magnitude = std::max(magnitude, std::fabs(d));
    return paired_noise(std::vector<std::vector<double>>{history}, magnitude, false);
}

inline std::shared_ptr<const PairedNoise> shared(PairedNoise noise) {
    return std::make_shared<const PairedNoise>(std::move(noise));
}

}  // namespace serinus::sequential
