#pragma once
/// \file
/// How often a simulation repeats a cell.

#include <algorithm>
#include <cstdlib>

namespace support {

/// The number in an environment variable; nothing is 1.
inline double factor_of(const char* variable) {
    const char* text = std::getenv(variable);
    return text != nullptr ? std::strtod(text, nullptr) : 1;
}

/// `full` times SERINUS_SIMULATION_SCALE where that is set (`./dev simulate --scale`), otherwise `usual` times
/// SERINUS_SIMULATION_SHARE (a part of them in `./dev test`, all of them in `./dev simulate --quick`); no fewer than
/// `least`.
inline int repetitions(double usual, double full, int least = 1) {
    const bool scaled = std::getenv("SERINUS_SIMULATION_SCALE") != nullptr;
    const double asked =
        scaled ? full * factor_of("SERINUS_SIMULATION_SCALE") : usual * factor_of("SERINUS_SIMULATION_SHARE");
    return std::max(least, static_cast<int>(asked));
}

}  // namespace support
