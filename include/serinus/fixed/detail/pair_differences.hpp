#pragma once
/// \file
/// Order statistics of all mn differences of two samples, without writing them down.

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include <serinus/core/version.hpp>
#include <serinus/numeric/workspace.hpp>

namespace serinus {
inline namespace v0 {

/// Doubles in the order of their bit patterns, so that halving reaches every one of them; finite ones and infinities.
inline std::int64_t ordered_key(double value) noexcept {
    const auto bits = std::bit_cast<std::int64_t>(value);
    return bits < 0 ? std::numeric_limits<std::int64_t>::min() - bits : bits;
}
inline double value_of_key(std::int64_t key) noexcept {
    return std::bit_cast<double>(key < 0 ? std::numeric_limits<std::int64_t>::min() - key : key);
}
/// The key half way between two, rounded down, without overflow.
inline std::int64_t middle_key(std::int64_t low, std::int64_t high) noexcept {
    return (low & high) + ((low ^ high) >> 1);
}

/// All differences x_i - y_j of two sorted samples, as a matrix that is never written down: x and y ascending, finite,
/// not empty, up to 2^30 values each. A difference is rounded before it is compared, as someone who wrote all of them
/// down would do; rounding keeps the order, so in every row the differences up to a limit are the last ones, and where
/// they begin moves to the right from row to row.
///
/// `of_rank(k)` is to the bit the k-th smallest (from 1) of all of them. It narrows a bracket around it: a sample of
/// the differences in the bracket (at first a grid of 1,024 cells of the matrix, shared by all ranks that are asked
/// for) names two that should lie closely around the rank, a walk along the staircase counts the differences up to
/// each, and once a few thousand are left these are written down (after Monahan 1984, ACM Transactions on Mathematical
/// Software 10, Algorithm 616, and Johnson and Mizoguchi 1978). Every third round halves the range of doubles instead,
/// so that no data can make it long. O(m + n) a walk, some six walks a rank.
class PairDifferences {
  public:
    /// `sort`: what sorts the samples that ranks are searched by; the result does not depend on it.
    PairDifferences(std::span<const double> x, std::span<const double> y, SortKernel sort = &sort_ascending)
        : sort_(sort), m_(x.size()), n_(y.size()), x_(m_ + 1), y_(n_ + 1), low_(m_ + 1), high_(m_ + 1), fresh_(m_ + 1) {
        std::copy(x.begin(), x.end(), x_.begin());
        std::copy(y.begin(), y.end(), y_.begin());
        // Behind the last column every row is complete; behind the last row none ever is.
        x_.back() = y_.back() = std::numeric_limits<double>::infinity();
    }

    std::int64_t size() const noexcept { return static_cast<std::int64_t>(m_) * static_cast<std::int64_t>(n_); }

    /// How many differences are at most `limit`.
    std::int64_t count_at_most(double limit) { return count(limit, fresh_); }

    /// The smallest difference above `value`; `value` itself if there is none.
    double above(double value) {
        count(value, fresh_);
        double next = std::numeric_limits<double>::infinity();
        bool found = false;
        for (std::size_t i = 0; i < m_; ++i) {
            if (fresh_[i] == 0) continue;
            next = std::min(next, x_[i] - y_[fresh_[i] - 1]);
            found = true;
        }
        return found ? next : value;
    }

    /// The `rank`-th smallest difference, 1 <= rank <= size().
    double of_rank(std::int64_t rank) {
        // The answer is above `low`, which so many differences are at most: `below`; and at most `high`, of which there
        // are `within` or smaller. Both as keys.
        constexpr double infinity = std::numeric_limits<double>::infinity();
        std::int64_t low = ordered_key(-infinity) - 1, high = ordered_key(infinity);
        std::int64_t below = 0, within = size();
        std::fill(low_.begin(), low_.end(), static_cast<std::uint32_t>(n_));
        std::fill(high_.begin(), high_.end(), 0U);
        const auto narrow = [&](std::int64_t pivot) {
            if (pivot <= low || pivot >= high) return;
            const std::int64_t here = count(value_of_key(pivot), fresh_);
            const bool reached = here >= rank;
            (reached ? high : low) = pivot;
            (reached ? within : below) = here;
            (reached ? high_ : low_).swap(fresh_);
        };
        const auto few = static_cast<std::int64_t>(std::max<std::size_t>(4096, (m_ + n_) / 2));
        for (int round = 0; within - below > few; ++round) {
            if (low + 1 == high) return value_of_key(high);
            if (round % 3 == 2) {
                narrow(middle_key(low, high));
                continue;
            }
            const std::vector<double>& sample = round == 0 ? grid() : sample_of(within - below);
            const auto last = static_cast<double>(sample.size() - 1);
            const double at = (static_cast<double>(rank - below) - 0.5) / static_cast<double>(within - below) *
                              static_cast<double>(sample.size());
            // Measured: the grid is off by less than 8 of 1,024 for smooth samples; a sample of rows by less than two
            // binomial standard deviations.
            const double slack = round == 0 ? 8 : std::sqrt(static_cast<double>(sample.size()));
            const auto key_at = [&](double position) {
                return ordered_key(sample[static_cast<std::size_t>(std::clamp(position, 0.0, last))]);
            };
            const std::int64_t a = key_at(at - slack), b = key_at(at + slack);
            // One value that many differences share: is it the answer itself?
            if (a == b) narrow(a - 1);
            narrow(a);
            narrow(b);
        }
        scratch_.clear();
        for (std::size_t i = 0; i < m_; ++i)
            for (std::size_t j = high_[i]; j < low_[i]; ++j) scratch_.push_back(x_[i] - y_[j]);
        const auto at = scratch_.begin() + (rank - below - 1);
        std::nth_element(scratch_.begin(), at, scratch_.end());
        return *at;
    }

  private:
    /// One of four parts of the walk along the staircase: the loads and compares of one hide the latency of the others.
    struct Strand {
        std::size_t i, j;
        std::int64_t sum;
    };

    /// How many differences are at most `limit`; rows[i]: the first column of row i that is.
    std::int64_t count(double limit, std::vector<std::uint32_t>& rows) {
        if (limit == std::numeric_limits<double>::infinity()) {
            std::fill(rows.begin(), rows.end(), 0U);
            return size();
        }
        const double* const x = x_.data();
        const double* const y = y_.data();
        std::uint32_t* const row = rows.data();
        const std::size_t length = (m_ + n_) / 4;
        Strand strands[4];
        for (std::size_t s = 0; s < 4; ++s) {
            const std::size_t i = on_path(s * length, limit);
            strands[s] = {i, s * length - i, 0};
        }
        const auto columns = static_cast<std::int64_t>(n_);
        const auto step = [=](Strand& at) {
            const bool inside = x[at.i] - y[at.j] <= limit;
            row[at.i] = static_cast<std::uint32_t>(at.j);
            at.sum += inside ? columns - static_cast<std::int64_t>(at.j) : 0;
            at.i += inside ? 1U : 0U;
            at.j += inside ? 0U : 1U;
        };
        Strand a = strands[0], b = strands[1], c = strands[2], d = strands[3];
        for (std::size_t t = 0; t < length; ++t) {
            step(a);
            step(b);
            step(c);
            step(d);
        }
        for (std::size_t t = 4 * length; t < m_ + n_; ++t) step(d);
        // Two strands write the row in which one ends and the other begins, in either order.
        for (std::size_t s = 1; s < 4; ++s) {
            const std::size_t i = strands[s].i;
            if (i < m_) row[i] = static_cast<std::uint32_t>(first_column(i, limit));
        }
        return a.sum + b.sum + c.sum + d.sum;
    }

    std::size_t first_column(std::size_t i, double limit) const {
        const double value = x_[i];
        const auto first = std::partition_point(y_.begin(), y_.end() - 1, [&](double y) { return value - y > limit; });
        return static_cast<std::size_t>(first - y_.begin());
    }

    /// The row that the walk has reached after so many steps.
    std::size_t on_path(std::size_t steps, double limit) const {
        std::size_t low = steps > n_ ? steps - n_ : 0, high = std::min(steps, m_);
        while (low < high) {
            const std::size_t i = low + (high - low) / 2;
            if (x_[i] - y_[steps - i - 1] <= limit) {
                low = i + 1;
            } else {
                high = i;
            }
        }
        return low;
    }

    /// Differences at the middles of the cells of a grid over the matrix, sorted.
    const std::vector<double>& grid() {
        if (!grid_.empty()) return grid_;
        constexpr std::size_t cells = 1024, side = 32;
        const std::size_t columns = std::min(n_, cells / std::min(m_, side)), rows = std::min(m_, cells / columns);
        for (std::size_t a = 0; a < rows; ++a)
            for (std::size_t b = 0; b < columns; ++b)
                grid_.push_back(x_[(2 * a + 1) * m_ / (2 * rows)] - y_[(2 * b + 1) * n_ / (2 * columns)]);
        sort_(grid_);
        return grid_;
    }

    /// Every so-manieth difference of the bracket, row by row, sorted.
    const std::vector<double>& sample_of(std::int64_t inside) {
        constexpr std::int64_t wanted = 1024;
        const auto stride = static_cast<std::size_t>((inside + wanted - 1) / wanted);
        scratch_.clear();
        std::size_t skip = stride / 2;
        for (std::size_t i = 0; i < m_; ++i) {
            const std::size_t end = low_[i];
            std::size_t j = high_[i] + skip;
            for (; j < end; j += stride) scratch_.push_back(x_[i] - y_[j]);
            skip = j - end;
        }
        sort_(scratch_);
        return scratch_;
    }

    SortKernel sort_;
    std::size_t m_, n_;
    std::vector<double> x_, y_;                      // with an infinity behind the last value
    std::vector<std::uint32_t> low_, high_, fresh_;  // where the differences up to a limit begin, a row
    std::vector<double> grid_, scratch_;
};

}  // namespace v0
}  // namespace serinus
