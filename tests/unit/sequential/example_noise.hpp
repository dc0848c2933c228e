#pragma once
/// \file
/// The noise of a history that there never was.

#include <memory>

#include <serinus/sequential/paired_noise.hpp>

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

}  // namespace serinus::sequential
