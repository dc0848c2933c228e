#pragma once
/// \file
/// How a ProportionTest bets: for plans, which name it and need nothing else of the test.

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>

#include <serinus/core/words.hpp>

namespace serinus {
inline namespace v0 {
namespace sequential {

/// How ProportionTest bets. `conditional`: on how the events divide between the arms, at the level so far
/// (conditional_mixture.hpp); ratio margins only; quicker below 50 %, and about as quick above. `block`: on the events
/// of each block given the rates so far (block_process.hpp); ratio and difference margins. `floor`: one bet for both
/// lines of a margin with a floor (floor_process.hpp); such margins only. `automatic`: conditional for a ratio, block
/// for a difference, floor for a ratio with a floor.
enum class ProportionMethod : std::uint8_t { automatic = 1, conditional = 2, block = 3, floor = 4 };

}  // namespace sequential

template <>
struct Words<sequential::ProportionMethod> {
    static constexpr std::array<std::pair<sequential::ProportionMethod, std::string_view>, 4> table{
        {{sequential::ProportionMethod::automatic, "auto"},
         {sequential::ProportionMethod::conditional, "conditional"},
         {sequential::ProportionMethod::block, "block"},
         {sequential::ProportionMethod::floor, "floor"}}};
};

}  // namespace v0
}  // namespace serinus
