#pragma once
/// \file
/// Values in order while more of them arrive.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include <serinus/core/version.hpp>

namespace serinus {
inline namespace v0 {

/// A sample that grows and can be asked for ranks and order statistics at any time.
///
/// Two sorted runs: a long one, and a short one that new values are inserted into; when the short one exceeds about 4
/// sqrt(n) values the two are merged. What is asked for does not depend on how the runs stand. Values are not NaN;
/// infinities rank at the ends; -0 becomes 0. Cost: an insertion O(sqrt n), merging included; a rank two binary
/// searches; an order statistic one. Memory: 8 bytes a value.
///
///     SortedValues values;
///     values.add(3);
///     std::size_t rank = values.at_most(3);   // 1
class SortedValues {
  public:
    void add(double value) {
        value += 0.0;
        recent_.insert(std::upper_bound(recent_.begin(), recent_.end(), value), value);
        if (recent_.size() > limit_) settle();
    }

    std::size_t size() const noexcept { return settled_.size() + recent_.size(); }

    /// How many are at most x, and how many are below it. `key` is a non-decreasing function that every value goes
    /// through first.
    template <class Key>
    std::size_t at_most(double x, Key&& key) const {
        const auto count = [&](const std::vector<double>& run) {
            return std::upper_bound(run.begin(), run.end(), x, [&](double a, double b) { return a < key(b); }) -
                   run.begin();
        };
        return static_cast<std::size_t>(count(settled_) + count(recent_));
    }
    template <class Key>
    std::size_t below(double x, Key&& key) const {
        const auto count = [&](const std::vector<double>& run) {
            return std::lower_bound(run.begin(), run.end(), x, [&](double a, double b) { return key(a) < b; }) -
                   run.begin();
        };
        return static_cast<std::size_t>(count(settled_) + count(recent_));
    }
    std::size_t at_most(double x) const {
        return at_most(x, [](double value) { return value; });
    }

    /// The k-th smallest, k from 0 to size() - 1.
    double nth(std::size_t k) const {
        const auto [a, b] = split(k);
        if (a == settled_.size()) return recent_[b];
        if (b == recent_.size()) return settled_[a];
        return std::min(settled_[a], recent_[b]);
    }

    /// The order statistics from `first` on, `count` of them.
    void copy(std::size_t first, std::size_t count, std::vector<double>& out) const {
        out.clear();
        auto [a, b] = split(first);
        while (out.size() < count) {
            const bool take_settled = b == recent_.size() || (a < settled_.size() && settled_[a] <= recent_[b]);
            out.push_back(take_settled ? settled_[a++] : recent_[b++]);
        }
    }

    /// All of them, ascending.
    std::vector<double> sorted() const {
        std::vector<double> all(size());
        std::merge(settled_.begin(), settled_.end(), recent_.begin(), recent_.end(), all.begin());
        return all;
    }
    /// Takes over values that are sorted.
    void assign(std::vector<double> sorted) {
        settled_ = std::move(sorted);
        recent_.clear();
        set_limit();
    }

  private:
    /// How many of the k smallest lie in each run (merge path, Odeh et al. 2012).
    struct Split {
        std::size_t settled, recent;
    };
    Split split(std::size_t k) const {
        std::size_t low = k > settled_.size() ? k - settled_.size() : 0, high = std::min(k, recent_.size());
        while (low < high) {
            const std::size_t middle = low + (high - low) / 2;
            if (recent_[middle] < settled_[k - middle - 1]) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return {k - low, low};
    }
    void settle() {
        const auto middle = static_cast<std::ptrdiff_t>(settled_.size());
        settled_.insert(settled_.end(), recent_.begin(), recent_.end());
        std::inplace_merge(settled_.begin(), settled_.begin() + middle, settled_.end());
        recent_.clear();
        set_limit();
    }
    void set_limit() {
        const double run = 4 * std::sqrt(static_cast<double>(settled_.size()));
        limit_ = static_cast<std::size_t>(std::clamp(run, 64.0, 4096.0));
    }

    std::vector<double> settled_, recent_;
    std::size_t limit_ = 64;
};

/// A SortedValues as it was before the last values were added to it: asked the same questions, it gives the same
/// answers as it did then. Cost: that of the question, and a walk along the values that are left out.
///
///     EarlierValues before(values, std::span(&last, 1));
class EarlierValues {
  public:
    /// `later` are among the values of `all`. Both must outlive this object (`later` need not).
    EarlierValues(const SortedValues& all, std::span<const double> later)
        : all_(&all), later_(later.begin(), later.end()) {
        std::sort(later_.begin(), later_.end());
        for (std::size_t i = 0; i < later_.size(); ++i) {
            // Which of several equal values is left out makes no difference: the first ones.
            const bool again = i > 0 && later_[i] == later_[i - 1];
            rank_.push_back(again ? rank_[i - 1] + 1 : all.below(later_[i], [](double value) { return value; }));
        }
    }

    std::size_t size() const noexcept { return all_->size() - later_.size(); }

    template <class Key>
    std::size_t at_most(double x, Key&& key) const {
        const auto later =
            std::upper_bound(later_.begin(), later_.end(), x, [&](double a, double b) { return a < key(b); });
        return all_->at_most(x, key) - static_cast<std::size_t>(later - later_.begin());
    }
    template <class Key>
    std::size_t below(double x, Key&& key) const {
        const auto later =
            std::lower_bound(later_.begin(), later_.end(), x, [&](double a, double b) { return key(a) < b; });
        return all_->below(x, key) - static_cast<std::size_t>(later - later_.begin());
    }
    double nth(std::size_t k) const { return all_->nth(now(k)); }

    void copy(std::size_t first, std::size_t count, std::vector<double>& out) const {
        if (later_.empty() || count == 0) {
            all_->copy(first, count, out);
            return;
        }
        const std::size_t from = now(first), to = now(first + count - 1) + 1;
        all_->copy(from, to - from, out);
        std::size_t kept = 0;
        auto next = std::lower_bound(rank_.begin(), rank_.end(), from);
        for (std::size_t i = 0; i < out.size(); ++i) {
            if (next != rank_.end() && *next == from + i) {
                ++next;
            } else {
                out[kept++] = out[i];
            }
        }
        out.resize(kept);
    }

  private:
    /// Which of all values the k-th of the earlier ones is.
    std::size_t now(std::size_t k) const noexcept {
        for (const std::size_t rank : rank_) {
            if (rank > k) break;
            ++k;
        }
        return k;
    }

    const SortedValues* all_;
    std::vector<double> later_;      // ascending
    std::vector<std::size_t> rank_;  // where each is among all values, ascending
};

/// Can these values have come from `SortedValues::sorted`?
inline bool sorted_sample(const std::vector<double>& values) {
    return std::none_of(values.begin(), values.end(), [](double value) { return std::isnan(value); }) &&
           std::is_sorted(values.begin(), values.end());
}

}  // namespace v0
}  // namespace serinus
