#pragma once
/// \file
/// The median, where the upper one of two in the middle will do.

#include <algorithm>
#include <cstddef>
#include <vector>

#include <serinus/core/version.hpp>

namespace serinus {
inline namespace v0 {

/// The value with as many below it as above it, of an even number the upper one of two; 0 for no values. Values are
/// without NaN. Cost: O(n).
inline double median_of(std::vector<double> values) {
    if (values.empty()) return 0.0;
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

}  // namespace v0
}  // namespace serinus
