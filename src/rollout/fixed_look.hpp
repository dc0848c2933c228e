#pragma once
/// \file
/// A plan with `"analysis": "fixed"`: its data are gathered interval by interval, and looked at once; inside the library
/// only.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include <serinus/core/evidence.hpp>
#include <serinus/core/reason.hpp>
#include <serinus/core/words.hpp>
#include <serinus/rollout/decision.hpp>
#include <serinus/rollout/plan.hpp>

#include "rollout/interval.hpp"
#include "rollout/judged.hpp"
#include "rollout/standing.hpp"

namespace serinus {
inline namespace v0 {
namespace detail {

/// Is it judged by one look at its values, with all others of this sort (fixed/label_swap.hpp)? Counts are not: these
/// are added up, and judged by the fixed test of their kind.
bool looks_at_values(const Plan& plan, const Metric& metric);

/// What has come of each metric, and, once it has looked, what it found.
///
/// The gauges that roll back share one panel and their parts of alpha; one that is muted or only holds has a panel of
/// its own. Counts of all intervals that have both arms: beyond the margin with its part of alpha fails; passes what is
/// below the margin at `alpha_promote`, or below `detect` at `beta`. The seed of the swaps is the plan's digest.
class FixedLook {
  public:
    explicit FixedLook(const Plan& plan) : metrics_(plan.metrics.size()) {}

    /// An interval that is judged; after the look it is only counted.
    void record(Interval& interval, const std::vector<Judged>& metrics);

    /// Looks, unless it has looked already or nothing has come. Which metrics have failed is noted in them. Doubts that
    /// can make harm out of nothing keep a metric out of it.
    void conclude(const Look& look, std::vector<Judged>& metrics, std::string_view digest);

    bool looked() const { return looked_; }
    std::int64_t came_since() const { return came_since_; }  ///< intervals after the look

    /// What is told of a metric: its verdict, its evidence and the reasons.
    void tell(const Judged& judged, const Standing& standing, std::size_t index, MetricResult& result) const;

  private:
    struct Recorded {
        std::vector<double> baseline, canary;          // values, one an interval; NaN where there is none
        std::array<double, 2> of_baseline, of_canary;  // events, and all of them or the exposure: sums
        Verdict verdict = Verdict::inconclusive;
        Evidence evidence, mirror;
        std::vector<Reason> reasons;
    };

    void look_at_values(const Plan& plan, std::vector<Judged>& metrics, const std::vector<std::size_t>& panel,
                        double alpha, std::uint64_t seed);
    void look_at_counts(const Look& look, Judged& judged, std::size_t index);

    std::vector<Recorded> metrics_;
    bool looked_ = false;
    std::int64_t intervals_ = 0, came_since_ = 0;
};

}  // namespace detail
}  // namespace v0
}  // namespace serinus
