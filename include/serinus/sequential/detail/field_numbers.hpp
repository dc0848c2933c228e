#pragma once
/// \file
/// The numbers of a class's field list as one array: for states that hold them only where there are any.

#include <array>
#include <cstddef>
#include <string_view>
#include <vector>

#include <serinus/core/version.hpp>

namespace serinus {
inline namespace v0 {
namespace sequential {
namespace detail {

/// Gathers the doubles of a field list into one array, or spreads them out again.
struct Gather {
    std::vector<double>& out;
    void operator()(std::string_view, double value) { out.push_back(value); }
    template <std::size_t N>
    void operator()(std::string_view, const std::array<double, N>& values) {
        out.insert(out.end(), values.begin(), values.end());
    }
};
struct Spread {
    const std::vector<double>& in;
    std::size_t at = 0;
    void operator()(std::string_view, double& value) { value = in[at++]; }
    template <std::size_t N>
    void operator()(std::string_view, std::array<double, N>& values) {
        for (double& value : values) value = in[at++];
    }
};

}  // namespace detail
}  // namespace sequential
}  // namespace v0
}  // namespace serinus
