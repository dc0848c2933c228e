#pragma once
/// \file
/// What a RotationTest remembers.

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include <serinus/core/describe.hpp>
#include <serinus/core/words.hpp>
#include <serinus/sequential/instance_spread.hpp>

namespace serinus {
inline namespace v0 {
namespace sequential {

/// All that a RotationTest remembers.
struct RotationState {
    static constexpr std::string_view kind = "rotn";
    static constexpr std::int64_t version = 1;
    static constexpr std::array<std::string_view, 1> beside{"floor"};  // there is none

    double alpha = 0;
    double alpha_safe = 0;
    Harm harm = Harm::increase;
    std::optional<double> ratio;
    std::optional<double> difference;
    Side side = Side::harm;
    std::int64_t last = 0, since = 0, seed = 0;
    std::optional<double> instances_differ;
    double zero = 0;
    bool interval = true;
    InstanceSpread known;

    std::optional<double> origin;                     // the first value; sums and levels are of value - origin
    double n = 0, tied = 0;                           // judged intervals, those of them at the floor
    std::array<double, 2> means{}, inverses{};        // sums over the intervals: an arm's mean, 1/(its instances)
    std::array<std::vector<double>, 2> counts, sums;  // an instance of an arm: its values
    std::array<std::vector<double>, 2> shares;        // and the sum of its shares in the arm
    std::array<std::vector<std::int64_t>, 2> rows;    // the instances that are compared with each other
    std::vector<double> levels;                       // theirs, look by look
    std::vector<double> differences, scales;          // at each look: of the arms' means, 1/k_b + 1/k_c
    std::int64_t granted = 0;                         // the error rates that have rejected, a bit each
    double lower = 0, upper = 0;                      // the interval's ends, in logs where the margin is a ratio

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("alpha", self.alpha);
        visit("alpha_safe", self.alpha_safe);
        visit("harm", self.harm);
        visit("ratio", self.ratio);
        visit("difference", self.difference);
        visit("side", self.side);
        visit("last", self.last);
        visit("since", self.since);
        visit("seed", self.seed);
        visit("instances_differ", self.instances_differ);
        visit("zero", self.zero);
        visit("interval", self.interval);
        visit("known", self.known);
        visit("origin", self.origin);
        visit("n", self.n);
        visit("tied", self.tied);
        visit("means", self.means);
        visit("inverses", self.inverses);
        visit("counts", self.counts);
        visit("sums", self.sums);
        visit("shares", self.shares);
        visit("rows", self.rows);
        visit("levels", self.levels);
        visit("differences", self.differences);
        visit("scales", self.scales);
        visit("granted", self.granted);
        visit("lower", self.lower);
        visit("upper", self.upper);
    }
};
static_assert(described_whole<RotationState>());

}  // namespace sequential
}  // namespace v0
}  // namespace serinus
