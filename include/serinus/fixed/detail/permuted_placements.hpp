#pragma once
/// \file
/// The distribution of Brunner and Munzel's statistic over all ways to deal the pooled values out to two arms.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include <serinus/core/version.hpp>
#include <serinus/fixed/detail/rank_sum_distribution.hpp>
#include <serinus/numeric/order.hpp>
#include <serinus/numeric/random.hpp>

namespace serinus {
inline namespace v0 {

/// (A - 1/2)/sd(A) of the canary, A = P(canary > baseline) + 1/2 P(=), sd by placements, for every way to deal the
/// pooled values out again, or for some drawn at random: the studentised permutation distribution (Neubert and Brunner
/// 2007, Computational Statistics & Data Analysis 51, 5192-5204), which is right also when the arms spread differently,
/// in the limit, and exact when they do not.
///
/// With doubled placements, which are whole, the statistic is D/sqrt(W), D = 2U - mn and W a whole number over (m-1)
/// (n-1): the same integers give the same bits, so that equal statistics are seen to be equal. Complete separation has
/// W = 0: infinite. Of the smaller arm alone it is told which places it has, so a statistic takes O(min(m, n)).
class PermutedPlacements {
  public:
    /// Sorted arms of two values at least, not all equal; m n at most 10^9, so that the sums fit.
    PermutedPlacements(std::span<const double> baseline, std::span<const double> canary)
        : of_canary_(canary.size() <= baseline.size()),
          few_(static_cast<std::int64_t>(std::min(canary.size(), baseline.size()))),
          many_(static_cast<std::int64_t>(std::max(canary.size(), baseline.size()))) {
        for_each_tie_group(canary, baseline, [&](std::int64_t in_canary, std::int64_t in_baseline) {
            const auto start = static_cast<std::int64_t>(groups_.size()), size = in_canary + in_baseline;
            for (std::int64_t i = 0; i < (of_canary_ ? in_canary : in_baseline); ++i) seen_.push_back(start + i);
            groups_.insert(groups_.end(), static_cast<std::size_t>(size), {start, size});
        });
    }

    /// The statistic of the arms as they were.
    double seen() const { return statistic(seen_); }

    /// In how many ways the values can be dealt out; more than 2^53: about.
    double arrangements() const { return choose(few_ + many_, few_); }

    /// The statistics of all arrangements.
    void all(std::vector<double>& statistics) const {
        statistics.clear();
        std::vector<std::int64_t> chosen(static_cast<std::size_t>(few_));
        for (std::size_t i = 0; i < chosen.size(); ++i) chosen[i] = static_cast<std::int64_t>(i);
        for (;;) {
            statistics.push_back(statistic(chosen));
            // The next choice: the last place that can move up does, those behind it follow closely.
            std::size_t at = chosen.size();
            while (at > 0 && chosen[at - 1] == many_ + static_cast<std::int64_t>(at - 1)) --at;
            if (at == 0) return;
            ++chosen[at - 1];
            for (; at < chosen.size(); ++at) chosen[at] = chosen[at - 1] + 1;
        }
    }

    /// The statistics of some, each drawn from all (Floyd's sampling; Bentley and Floyd 1987).
    void some(std::size_t resamples, std::uint64_t seed, std::vector<double>& statistics) const {
        statistics.clear();
        std::vector<char> taken(groups_.size(), 0);
        std::vector<std::int64_t> chosen;
        for (std::size_t resample = 0; resample < resamples; ++resample) {
            RandomStream random(seed, resample);
            chosen.clear();
            for (std::int64_t last = many_; last < many_ + few_; ++last) {
                auto place = static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(last) + 1));
                if (taken[static_cast<std::size_t>(place)] != 0) place = last;
                taken[static_cast<std::size_t>(place)] = 1;
                chosen.push_back(place);
            }
            for (const std::int64_t place : chosen) taken[static_cast<std::size_t>(place)] = 0;
            std::sort(chosen.begin(), chosen.end());
            statistics.push_back(statistic(chosen));
        }
    }

  private:
    struct Group {
        std::int64_t start, size;  // places of the values that are equal to this one
    };

    /// `chosen`: the places of the smaller arm among the pooled values, ascending.
    double statistic(std::span<const std::int64_t> chosen) const {
        // Doubled placements, their sums and sums of squares; the larger arm's are equal between two chosen groups.
        std::int64_t sum = 0, squares = 0, other_sum = 0, other_squares = 0, before = 0, done = 0;
        const auto add_others = [&](std::int64_t count, std::int64_t placement) {
            other_sum += count * placement;
            other_squares += count * placement * placement;
        };
        for (std::size_t i = 0; i < chosen.size();) {
            const Group group = groups_[static_cast<std::size_t>(chosen[i])];
            std::int64_t inside = 0;
            for (; i < chosen.size() && chosen[i] < group.start + group.size; ++i) ++inside;
            add_others(group.start - done, 2 * before);
            add_others(group.size - inside, 2 * before + inside);
            const std::int64_t placement = 2 * (group.start - before) + group.size - inside;
            sum += inside * placement;
            squares += inside * placement * placement;
            before += inside;
            done = group.start + group.size;
        }
        add_others(few_ + many_ - done, 2 * few_);
        const auto apart = static_cast<double>((sum - few_ * many_) * (of_canary_ ? 1 : -1));
        const double spread =
            static_cast<double>(few_ * squares - sum * sum) * static_cast<double>(many_ - 1) +
            static_cast<double>(many_ * other_squares - other_sum * other_sum) * static_cast<double>(few_ - 1);
        if (!(spread > 0)) return apart == 0 ? 0 : apart * std::numeric_limits<double>::infinity();
        return apart * std::sqrt(static_cast<double>((few_ - 1) * (many_ - 1)) / spread);
    }

    bool of_canary_;
    std::int64_t few_, many_;
    std::vector<Group> groups_;       // one a place
    std::vector<std::int64_t> seen_;  // places of the smaller arm
};

}  // namespace v0
}  // namespace serinus
