#pragma once
/// \file
/// What history teaches of the dispersion of counts: bad of total, events for an exposure; inside the library only.

#include <cstddef>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <serinus/rollout/noise.hpp>
#include <serinus/rollout/plan.hpp>

#include "rollout/history.hpp"

namespace serinus {
inline namespace v0 {
namespace detail {

/// What happened in one interval of history, and of how much.
struct CountsOfInterval {
    double part = 0, whole = 0;
    bool present = false;
};

/// Both arms, baseline first, in the intervals of history that have both.
using CountPairs = std::vector<std::pair<CountsOfInterval, CountsOfInterval>>;

/// Plays the metric's own test with a dispersion on windows of the second halves, in which nothing happened (`play`).
using PlayCounts = std::function<HeldBack(const Stage&, double dispersion, const std::vector<CountPairs>& turns)>;

/// The lengths of what is played.
std::vector<std::size_t> sizes_of(const std::vector<CountPairs>& turns);

/// Learns the dispersion of the metric's counts into `learning`. `bad_of_total`: the whole is a number of requests, of
/// which the part is some; else it is an exposure.
void learn_counts(Learning& learning, bool bad_of_total, const PlayCounts& play);
/// The same of counts that stand in two tables.
void learn_counts(Learning& learning, const Table& parts, const Table& wholes, bool bad_of_total,
                  const PlayCounts& play);

/// Checks the noise of a metric that counts. `path` leads to it.
void check_count_noise(const std::string& path, const Noise& noise);
/// Refuses what only metrics on quantiles have.
void refuse_thresholds(const std::string& path, const Noise& noise);

}  // namespace detail
}  // namespace v0
}  // namespace serinus
