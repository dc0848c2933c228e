#pragma once
/// \file
/// All ways to deal pooled values out to two arms, and all differences between them.

#include <algorithm>
#include <cstddef>
#include <vector>

namespace support {

/// Calls `visit(first, second)` for every choice of m of the pooled values.
template <class Visit>
void for_each_arrangement(const std::vector<double>& pooled, std::size_t m, const Visit& visit) {
    std::vector<bool> chosen(pooled.size());
    std::fill_n(chosen.begin(), m, true);
    do {
        std::vector<double> first, second;
        for (std::size_t i = 0; i < pooled.size(); ++i) (chosen[i] ? first : second).push_back(pooled[i]);
        visit(first, second);
    } while (std::prev_permutation(chosen.begin(), chosen.end()));
}

/// All differences canary - baseline, written down and sorted.
inline std::vector<double> all_differences(const std::vector<double>& baseline, const std::vector<double>& canary) {
    std::vector<double> all;
    for (const double c : canary)
        for (const double b : baseline) all.push_back(c - b);
    std::sort(all.begin(), all.end());
    return all;
}

}  // namespace support
