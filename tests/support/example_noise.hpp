#pragma once
/// \file
/// The noise of a history that there never was.

#include <memory>

#include <serinus/sequential/noise/paired_noise.hpp>

namespace serinus::sequential {

/// History's differences -3 ... 3, as their own quantiles.
inline std::shared_ptr<const PairedNoise> noise() {
    PairedNoise noise;
    for (int i = 0; i < 256; ++i) noise.table.push_back((i + 0.5) * 3 / 256);
    noise.long_run_variance = 0.5;
    noise.degrees_of_freedom = 100;
    noise.size = 2000;
    noise.level = 100;
    return std::make_shared<const PairedNoise>(noise);
}

/// The same in one of today's units.
inline std::shared_ptr<const PairedNoise> noise_in(NoiseUnit unit) {
    PairedNoise made = *noise();
    made.unit = unit;
    if (unit == NoiseUnit::log) {
        for (double& value : made.table) value /= 100;
    }
    made.score_variance = 0.3125;
    made.step_score = 0.5625;
    made.step_variance = 0.125;
    for (int j = 0; j < 9; ++j) {
        made.scale_steps.push_back(0.0625 * (j + 5));
        made.scale_bias.push_back(0.03125 * (j < 4 ? 4 - j : j - 4));
    }
    return std::make_shared<const PairedNoise>(made);
}

}  // namespace serinus::sequential
