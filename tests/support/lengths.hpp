#pragma once
/// \file
/// Lengths of time from numbers of milliseconds, for tests that reckon in numbers.

#include <chrono>
#include <cstdint>
#include <vector>

namespace serinus {

inline std::vector<std::chrono::milliseconds> lengths(const std::vector<std::int64_t>& ms) {
    return {ms.begin(), ms.end()};
}

}  // namespace serinus
