#pragma once
/// \file
/// What a test asks of a gauge's noise at its own error rate: how uncertain its variance is, and how far apart two arms
/// of one version may read.

#include <algorithm>
#include <cmath>
#include <limits>

#include <serinus/numeric/special.hpp>
#include <serinus/numeric/student.hpp>
#include <serinus/sequential/noise/count_dispersion.hpp>
#include <serinus/sequential/noise/paired_noise.hpp>

namespace serinus {
inline namespace v0 {
namespace sequential {

/// What the long-run variance is multiplied with, so that a test of the error rate alpha keeps it: of a noise written
/// before, its upper 90 % confidence bound by chi-square where alpha or history is small, which does not keep a small
/// alpha; else `known_degrees_factor`.
inline double variance_factor(const PairedNoise& noise, double alpha) {
    if (noise.unit != NoiseUnit::former) return known_degrees_factor(noise.degrees_of_freedom, alpha);
    if (alpha > 0.01 && noise.size >= 1000) return 1;
    const double quantile = 2 * incomplete_gamma_inverse(noise.degrees_of_freedom / 2, 0.1);
    return quantile > 0 ? std::max(1.0, noise.degrees_of_freedom / quantile) : std::numeric_limits<double>::infinity();
}

/// How far apart the arms may read by themselves with probability 1 - alpha on one side, for `spread` = 1/k_b + 1/k_c
/// instances: Student's t of tau sqrt(spread) on instances - 1 degrees of freedom, since tau is estimated, and of the
/// wander on its own; squares added.
inline double noise_reach(const PairedNoise& noise, double alpha, double spread) {
    const double between =
        noise.instance_deviation > 0 ? student_quantile(alpha, noise.instances - 1) * noise.instance_deviation : 0;
    const double slow = noise.wander > 0 ? student_quantile(alpha, noise.wander_degrees) * noise.wander : 0;
    return std::sqrt(between * between * spread + slow * slow);
}

}  // namespace sequential
}  // namespace v0
}  // namespace serinus
