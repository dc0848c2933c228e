#pragma once
/// \file
/// Order of doubles: sorting, and what two sorted arrays say about each other. All results are integers or the values
/// themselves, so they are the same to the bit on every platform.
///
/// Every array here is free of NaN and has no -0.0 (`take_samples` sees to both).

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

#include <boost/sort/pdqsort/pdqsort.hpp>
#include <boost/sort/spreadsort/float_sort.hpp>

#include <serinus/core/version.hpp>

namespace serinus {
inline namespace v0 {

/// Sorts in place, ascending.
///
/// Below 1,000 values by `pdqsort_branchless` (Peters 2021), above by `float_sort`, which spreads by the leading bits
/// first (Ross 2002). Both are in place and O(n log n) at worst. Infinities are values like any other.
inline void sort_ascending(std::span<double> values) {
    if (values.size() < 1000) {
        boost::sort::pdqsort_branchless(values.begin(), values.end());
        return;
    }
    // float_sort subtracts bit patterns as signed integers, which overflows between a negative and a positive double:
    // so the negative ones go first and each part is sorted by itself.
    std::size_t negative = 0;
    for (double& value : values) {
        const double moved = value;
        value = values[negative];
        values[negative] = moved;
        negative += moved < 0 ? 1U : 0U;
    }
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(negative);
    boost::sort::spreadsort::float_sort(values.begin(), middle);
    boost::sort::spreadsort::float_sort(middle, values.end());
}

/// Sum of t^3 - t over groups of t equal values. Kept in two halves: N equal values make it about N^3, which neither a
/// 64-bit integer nor a double holds exactly once N is beyond two million or two hundred thousand.
class TieTerm {
  public:
    /// Adds a group of t equal values, 0 <= t <= 2^31 in total.
    void add(std::int64_t t) noexcept {
        if (t < 2) return;
        const auto size = static_cast<std::uint64_t>(t);
        const std::uint64_t factor = size * size - 1;
        high_ += size * (factor >> 32);
        low_ += size * (factor & 0xffffffffU);
    }

    /// The sum, rounded once to double.
    double value() const noexcept { return to_double(high_, low_); }

    /// N^3 - N minus the sum, for N values in total, rounded once: 12 times the sum of squared deviations of the
    /// midranks. Exact before the rounding, so that nearly constant data lose nothing to cancellation.
    double remainder(std::int64_t total) const noexcept {
        TieTerm all;
        all.add(total);
        // Unsigned differences wrap and are put right by the carry below.
        const std::uint64_t borrow = low_ > all.low_ ? ((low_ - all.low_) >> 32) + 1 : 0;
        return to_double(all.high_ - high_ - borrow, all.low_ - low_ + (borrow << 32));
    }

    friend bool operator==(const TieTerm&, const TieTerm&) = default;

  private:
    static double to_double(std::uint64_t high, std::uint64_t low) noexcept {
        high += low >> 32;
        low &= 0xffffffffU;
        // Both are exact: high is below 2^53 unless the sum is beyond 2^85, where the low half no longer counts.
        return static_cast<double>(high) * 4294967296.0 + static_cast<double>(low);
    }

    std::uint64_t high_ = 0;
    std::uint64_t low_ = 0;
};

/// What the ranks of two samples say, in whole numbers.
struct RankComparison {
    std::int64_t twice_u = 0;  ///< 2 #{first > second} + #{first = second}, over all pairs
    std::int64_t tied = 0;     ///< how many of the pooled values are equal to another one
    std::int64_t largest = 0;  ///< size of the largest group of equal values; 1 without ties, 0 without values
    TieTerm tie_term;          ///< sum of t^3 - t over the groups

    friend bool operator==(const RankComparison&, const RankComparison&) = default;
};

/// Calls `visit(in_first, in_second)` for every group of equal values of two sorted arrays, ascending: how many of the
/// group lie in each. One walk through both, O(n).
template <class Visit>
void for_each_tie_group(std::span<const double> first, std::span<const double> second, Visit&& visit) {
    std::size_t i = 0;
    std::size_t j = 0;
    while (i < first.size() || j < second.size()) {
        const bool from_first = j == second.size() || (i < first.size() && first[i] <= second[j]);
        const double value = from_first ? first[i] : second[j];
        const std::size_t i_begin = i;
        const std::size_t j_begin = j;
        while (i < first.size() && first[i] == value) ++i;
        while (j < second.size() && second[j] == value) ++j;
        visit(static_cast<std::int64_t>(i - i_begin), static_cast<std::int64_t>(j - j_begin));
    }
}

namespace order_detail {

/// Are two neighbours of a sorted array equal?
inline bool has_repeats(std::span<const double> sorted) noexcept {
    // Left early when ties are common, and without a branch a value when they are not.
    constexpr std::size_t block = 64;
    std::size_t i = 1;
    while (i < sorted.size()) {
        const std::size_t end = std::min(i + block, sorted.size());
        bool equal = false;
        for (; i < end; ++i) equal |= sorted[i - 1] == sorted[i];
        if (equal) return true;
    }
    return false;
}

/// State of a merge after `i + j` steps, and the sum over the steps of how many values of the first array are out.
struct MergeStrand {
    const double* first;
    const double* second;
    std::uint64_t taken;  // from the first array, of all steps so far
    std::uint64_t sum;
    bool equal;

    void step(std::uint64_t steps_before) noexcept {
        const double a = first[taken];
        const double b = second[steps_before - taken];
        equal |= a == b;
        taken += a <= b ? 1U : 0U;
        sum += taken;
    }
};

/// How many of the first `steps` values of the merge come from the first array (merge path, Odeh et al. 2012).
inline std::uint64_t merge_path(const double* first, std::uint64_t m, const double* second, std::uint64_t n,
                                std::uint64_t steps) noexcept {
    std::uint64_t low = steps > n ? steps - n : 0;
    std::uint64_t high = std::min(steps, m);
    while (low < high) {
        const std::uint64_t middle = low + (high - low) / 2;
        if (first[middle] <= second[steps - middle - 1]) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/// #{first > second} of two sorted arrays that share no value, by a merge without data-dependent branches. Returns -1
/// when it meets a value that they share. Neither is empty and their largest values differ.
inline std::int64_t count_greater(std::span<const double> first, std::span<const double> second) noexcept {
    // Whatever lies above the other array's largest value is counted at once. Of what remains, the very last value is
    // left out of the merge: it and the value above serve as the sentinels that end each array.
    const bool first_on_top = first.back() > second.back();
    const std::span<const double> upper = first_on_top ? first : second;
    const std::span<const double> lower = first_on_top ? second : first;
    const auto below =
        static_cast<std::uint64_t>(std::upper_bound(upper.begin(), upper.end(), lower.back()) - upper.begin());
    if (below > 0 && upper[below - 1] == lower.back()) return -1;
    const std::uint64_t m = first_on_top ? below : first.size() - 1;
    const std::uint64_t n = first_on_top ? second.size() - 1 : below;

    // Four strands of the same merge, each starting where the merge path crosses its diagonal: the loads and compares
    // of one hide the latency of the others.
    const std::uint64_t length = (m + n) / 4;
    MergeStrand strands[4];
    for (std::uint64_t s = 0; s < 4; ++s) {
        strands[s] = {first.data(), second.data(), merge_path(first.data(), m, second.data(), n, s * length), 0, false};
    }
    MergeStrand s0 = strands[0];
    MergeStrand s1 = strands[1];
    MergeStrand s2 = strands[2];
    MergeStrand s3 = strands[3];
    for (std::uint64_t t = 0; t < length; ++t) {
        s0.step(t);
        s1.step(length + t);
        s2.step(2 * length + t);
        s3.step(3 * length + t);
    }
    for (std::uint64_t t = 4 * length; t < m + n; ++t) s3.step(t);
    if (s0.equal | s1.equal | s2.equal | s3.equal) return -1;

    // A value of the first array at position p of the merge (from 0) is counted by the steps p .. m+n-1, so the sum is
    // m(m+n) minus the sum of positions; and a position is the number of values of both arrays below.
    const std::uint64_t sum = s0.sum + s1.sum + s2.sum + s3.sum;
    const std::uint64_t positions = m * (m + n) - sum;
    std::uint64_t greater = positions - m * (m - 1) / 2;
    if (first_on_top) {
        greater += (first.size() - below) * second.size();
    } else {
        greater += n;  // the last value of `first`, which lies above all of the n
    }
    return static_cast<std::int64_t>(greater);
}

}  // namespace order_detail

/// Compares every value of one sorted array with every value of another, by merging them: O(n), not O(n^2).
///
/// Without ties the merge runs without data-dependent branches; the first tie sends it to a walk over the groups of
/// equal values. Either array may be empty. Up to 2^30 values each.
///
/// ```
/// const RankComparison ranks = compare_ranks(canary, baseline);   // both sorted
/// const double u = static_cast<double>(ranks.twice_u) / 2;        // of the canary
/// ```
inline RankComparison compare_ranks(std::span<const double> first, std::span<const double> second) {
    RankComparison ranks;
    if (!first.empty() && !second.empty() && first.back() != second.back() && !order_detail::has_repeats(first) &&
        !order_detail::has_repeats(second)) {
        const std::int64_t greater = order_detail::count_greater(first, second);
        if (greater >= 0) {
            ranks.twice_u = 2 * greater;
            ranks.largest = 1;
            return ranks;
        }
    }
    std::int64_t second_below = 0;
    for_each_tie_group(first, second, [&](std::int64_t in_first, std::int64_t in_second) {
        ranks.twice_u += in_first * (2 * second_below + in_second);
        second_below += in_second;
        const std::int64_t size = in_first + in_second;
        ranks.largest = std::max(ranks.largest, size);
        if (size > 1) {
            ranks.tied += size;
            ranks.tie_term.add(size);
        }
    });
    return ranks;
}

/// The q-quantile of sorted values, linear between order statistics: position (n-1) q + 1 (Hyndman and Fan's type 7;
/// the default of NumPy and R). 0 <= q <= 1; NaN of nothing.
inline double quantile_of_sorted(std::span<const double> sorted, double q) noexcept {
    if (sorted.empty()) return std::numeric_limits<double>::quiet_NaN();
    const double position = q * static_cast<double>(sorted.size() - 1);
    const auto below = std::min(static_cast<std::size_t>(position), sorted.size() - 1);
    const double share = position - static_cast<double>(below);
    if (share == 0 || below + 1 == sorted.size()) return sorted[below];
    const double low = sorted[below], high = sorted[below + 1];
    // Two halves where the step itself would overflow.
    const double step = high - low;
    if (std::isinf(step))
        return std::isinf(low) || std::isinf(high) ? (std::isinf(low) ? low : high) : low * (1 - share) + high * share;
    return low + share * step;
}

}  // namespace v0
}  // namespace serinus
