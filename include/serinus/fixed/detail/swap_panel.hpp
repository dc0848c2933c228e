#pragma once
/// \file
/// What the one look at gauges is made of: scores of both arms, far outliers, whitened arms, the level's interval.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include <serinus/fixed/detail/label_swaps.hpp>
#include <serinus/numeric/normal_score.hpp>
#include <serinus/numeric/order.hpp>
#include <serinus/numeric/sum.hpp>

namespace serinus {
inline namespace v0 {
namespace label_swap_detail {

/// Scores of half-normal quantiles h(R/(n + 1)), by twice the midrank R of n sizes, times 1024 and rounded: sums of
/// whole numbers have no order, ties are ties.
inline std::vector<std::int32_t> half_normal_scores(std::size_t n) {
    std::vector<std::int32_t> scores(2 * n + 1);
    const auto ranks = static_cast<double>(n + 1);
    for (std::size_t k = 0; k < scores.size(); ++k)
        scores[k] =
            static_cast<std::int32_t>(std::nearbyint(1024 * normal_score(0.5 + static_cast<double>(k) / 4 / ranks)));
    return scores;
}

/// An order of values that is kept from one call to the next: where values move a little, their order hardly does, and
/// an insertion sort is through in O(n).
class KeptOrder {
  public:
    explicit KeptOrder(std::size_t n) : order_(n) { std::iota(order_.begin(), order_.end(), 0U); }

    /// Sorts by size and calls `visit(index, twice_midrank)` for every value.
    template <class Visit>
    void ranks(std::span<const double> values, Visit&& visit) {
        const std::size_t n = order_.size();
        if (n > 64 && !sorted_) {
            std::sort(order_.begin(), order_.end(), [&](auto a, auto b) { return values[a] < values[b]; });
            sorted_ = true;
        }
        std::size_t moves = 0;
        for (std::size_t i = 1; i < n; ++i) {
            const std::uint32_t one = order_[i];
            const double value = values[one];
            std::size_t j = i;
            for (; j > 0 && values[order_[j - 1]] > value; --j) order_[j] = order_[j - 1];
            order_[j] = one;
            moves += i - j;
            if (n > 64 && moves > 16 * n) {
                std::sort(order_.begin(), order_.end(), [&](auto a, auto b) { return values[a] < values[b]; });
                break;
            }
        }
        for (std::size_t first = 0; first < n;) {
            std::size_t last = first + 1;
            while (last < n && values[order_[last]] == values[order_[first]]) ++last;
            for (std::size_t i = first; i < last; ++i) visit(order_[i], first + last + 1);
            first = last;
        }
    }

  private:
    std::vector<std::uint32_t> order_;
    bool sorted_ = false;
};

/// The median of values that may be put into another order; the mean of two in the middle.
inline double median_in_place(std::span<double> values) {
    const std::size_t n = values.size();
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(n / 2);
    std::nth_element(values.begin(), middle, values.end());
    return n % 2 == 1 ? *middle : *middle / 2 + *std::max_element(values.begin(), middle) / 2;
}
inline double median_of_copy(std::span<const double> values, std::vector<double>& scratch) {
    scratch.assign(values.begin(), values.end());
    return median_in_place(scratch);
}

/// Both arms, the canary first, less a running median (15 intervals, the ends reflected) of the lower arm, less their
/// pooled median: follows what both share, and no swap of labels changes it. At least 8 intervals.
inline std::vector<double> residuals(std::span<const double> x, std::span<const double> y,
                                     std::vector<double>& scratch) {
    constexpr std::size_t half = 7, width = 2 * half + 1;
    const std::size_t n = x.size();
    std::vector<double> low(n + 2 * half), residual(2 * n);
    for (std::size_t i = 0; i < low.size(); ++i) {
        const std::size_t t = i < half ? half - i : i - half < n ? i - half : 2 * (n - 1) - (i - half);
        low[i] = std::min(x[t], y[t]);
    }
    std::array<double, width> window;  // sorted
    std::copy_n(low.begin(), width, window.begin());
    std::sort(window.begin(), window.end());
    for (std::size_t t = 0; t < n; ++t) {
        residual[t] = x[t] - window[half];
        residual[n + t] = y[t] - window[half];
        if (t + 1 == n) break;
        // One value leaves, one comes.
        const double leaves = low[t], comes = low[t + width];
        std::size_t at = 0;
        while (window[at] != leaves) ++at;
        for (; at + 1 < width && window[at + 1] < comes; ++at) window[at] = window[at + 1];
        for (; at > 0 && window[at - 1] > comes; --at) window[at] = window[at - 1];
        window[at] = comes;
    }
    const double centre = median_of_copy(residual, scratch);
    for (double& r : residual) r -= centre;
    return residual;
}

struct FarOut {
    std::size_t pooled = 0;  ///< of both arms, whoever has them: no swap changes it
    std::size_t canary = 0;  ///< of the canary, when the baseline has none
};

/// Readings that lie more than ten upper quartiles of the residuals out. None where half of all are one value.
inline FarOut far_out(std::span<const double> residual, std::vector<double>& scratch) {
    const std::size_t n = residual.size() / 2;
    FarOut found;
    scratch.assign(residual.begin(), residual.end());
    std::sort(scratch.begin(), scratch.end());
    for (std::size_t i = 0; i + n < scratch.size(); ++i) {
        if (scratch[i] == scratch[i + n]) return found;
    }
    const double pooled_limit = 10 * quantile_of_sorted(scratch, 0.75);
    for (const double r : residual) found.pooled += r > pooled_limit ? 1U : 0U;

    const std::span<const double> x = residual.first(n), y = residual.subspan(n);
    const double middle_x = median_of_copy(x, scratch), middle_y = median_of_copy(y, scratch);
    scratch.resize(2 * n);
    for (std::size_t t = 0; t < n; ++t) {
        scratch[t] = x[t] - middle_x;
        scratch[n + t] = y[t] - middle_y;
    }
    std::sort(scratch.begin(), scratch.end());
    const double limit = 10 * quantile_of_sorted(scratch, 0.75);
    if (!(limit > 0)) return found;
    for (const double value : y) {
        if (value - middle_y > limit) return found;
    }
    for (const double value : x) found.canary += value - middle_y > limit ? 1U : 0U;
    return found;
}

/// sup over p of P(no spike in the baseline, k or more in the canary): n intervals each, spikes at rate p in both.
/// O(600 (k + log n)).
inline double spike_level(std::size_t n, std::size_t k) noexcept {
    double most = 0;
    for (int step = 0; step < 600; ++step) {
        const double p = 1e-3 + (0.6 - 1e-3) * step / 599;
        double none = 1, power = 1 - p;
        for (std::size_t left = n; left > 0; left >>= 1) {
            if ((left & 1U) != 0) none *= power;
            power *= power;
        }
        double term = none, tail = 1;
        for (std::size_t i = 0; i < k; ++i) {
            tail -= term;
            term *= static_cast<double>(n - i) / static_cast<double>(i + 1) * p / (1 - p);
        }
        most = std::max(most, none * tail);
    }
    return most;
}

inline constexpr std::size_t groups = 5;
inline constexpr std::array<double, groups> group_weights{0.3, 0.2, 0.2, 0.15, 0.15};

/// The scores of a metric's arms that depend on how many intervals there are alone.
struct ScoreTables {
    explicit ScoreTables(std::size_t n)
        : level(half_normal_scores(n)), spread(half_normal_scores(2 * n)), at(places(n)) {
        for (std::int32_t& score : spread) {
            const auto size = static_cast<std::int64_t>(score);
            score = static_cast<std::int32_t>((size * size + 512) / 1024);
        }
    }
    std::vector<std::int32_t> level;   ///< h(R/(n + 1))
    std::vector<std::int32_t> spread;  ///< h(R/(2n + 1))^2
    Places at;
};

/// Adds the five statistics of one metric, canary x against what is allowed y, to `panel`, its level scores to `total`
/// (one an interval of the look) where that is not null.
inline FarOut add_panel(const LabelSwaps& swaps, std::span<const double> x, std::span<const double> y,
                        std::span<const std::uint32_t> times, const ScoreTables& tables,
                        const std::array<double, groups>& weights, std::vector<SwapStatistic>& panel,
                        std::int32_t* total) {
    const std::size_t n = x.size();
    std::vector<double> scratch, sizes(n);
    std::vector<std::int32_t> scores(n);
    for (std::size_t t = 0; t < n; ++t) sizes[t] = std::fabs(x[t] - y[t]);
    KeptOrder(n).ranks(sizes, [&](std::size_t t, std::size_t twice_rank) {
        const std::int32_t score = tables.level[twice_rank];
        scores[t] = x[t] > y[t] ? score : x[t] < y[t] ? -score : 0;
    });
    if (total != nullptr) {
        for (std::size_t t = 0; t < n; ++t) total[times[t]] += scores[t];
    }
    OrderStatistics in_order;
    walk(swaps, scores, times, tables.at, in_order);

    const std::vector<double> residual = residuals(x, y, scratch);
    sizes.resize(2 * n);
    for (std::size_t i = 0; i < 2 * n; ++i) sizes[i] = std::fabs(residual[i]);
    std::vector<std::int32_t> spread(swaps.intervals(), 0), upper(swaps.intervals(), 0);
    KeptOrder(2 * n).ranks(sizes, [&](std::size_t i, std::size_t twice_rank) {
        const std::size_t t = times[i < n ? i : i - n];
        const std::int32_t score = i < n ? tables.spread[twice_rank] : -tables.spread[twice_rank];
        spread[t] += score;
        if (residual[i] > 0) upper[t] += score;
    });
    for (std::size_t i = 0; i < 2 * n; ++i) sizes[i] = std::max(residual[i], 0.0);
    const std::span<const double> above(sizes);
    const bool grown = pairwise_sum(above.first(n)) > pairwise_sum(above.subspan(n));
    std::vector<std::int32_t> of_upper, of_spread;
    swaps.sums(upper, of_upper);
    swaps.sums(spread, of_spread);
    panel.push_back({std::move(in_order.level), weights[0], true});
    panel.push_back({std::move(in_order.late), weights[1], true});
    panel.push_back({std::move(in_order.window), weights[2], true});
    panel.push_back({std::move(of_upper), weights[3], true});
    panel.push_back({std::move(of_spread), weights[4], grown});
    return far_out(residual, scratch);
}

/// The AR(1) coefficient to whiten with: the smaller of the allowed level's and the difference's lag-1
/// autocorrelation, and (0.4 + 4/n) z standard errors more, within 0 and 0.95.
inline double whitening_coefficient(std::span<const double> x, std::span<const double> y, double z) {
    const std::size_t n = x.size();
    const auto count = static_cast<double>(n);
    std::vector<double> centred(n), products(n);
    double r = 1;
    for (const bool of_difference : {false, true}) {
        for (std::size_t t = 0; t < n; ++t) centred[t] = of_difference ? x[t] - y[t] : y[t];
        const double origin = centred[0];  // so that a constant has no spread, whatever its mean is rounded to
        for (double& value : centred) value -= origin;
        const double mean = pairwise_sum(centred) / count;
        for (double& value : centred) value -= mean;
        for (std::size_t t = 0; t < n; ++t) products[t] = centred[t] * centred[t];
        const double squares = pairwise_sum(products);
        for (std::size_t t = 1; t < n; ++t) products[t] = centred[t] * centred[t - 1];
        products[0] = 0;
        const double found = squares > 0 ? pairwise_sum(products) / squares * (1 + 4 / count) : 0;
        r = std::min(r, found + 1 / count);
    }
    const double known = std::max(r, 0.0);
    return std::clamp(r + (0.4 + 4 / count) * z * std::sqrt((1 - known * known) / count), 0.0, 0.95);
}

/// Innovations of one arm, scaled so that a constant shift keeps its size. centre: the pooled median of both.
inline std::vector<double> whitened(std::span<const double> values, double phi, double centre) {
    std::vector<double> white(values.size());
    white[0] = centre + (values[0] - centre) * std::sqrt((1 + phi) / (1 - phi));
    for (std::size_t t = 1; t < values.size(); ++t) white[t] = (values[t] - phi * values[t - 1]) / (1 - phi);
    return white;
}
struct ArmPair {
    std::vector<double> x, y;
};
inline ArmPair whitened(std::span<const double> x, std::span<const double> y, double z) {
    const double phi = whitening_coefficient(x, y, z);
    std::vector<double> both(x.begin(), x.end());
    both.insert(both.end(), y.begin(), y.end());
    const double centre = median_in_place(both);
    return {whitened(x, phi, centre), whitened(y, phi, centre)};
}

/// sum of sign(d) h(R/(n + 1)), d = x - m y for a ratio, x - y - m for a difference: falls as m grows (y >= 0).
class LevelScore {
  public:
    LevelScore(std::span<const double> x, std::span<const double> y, bool of_ratio,
               std::span<const std::int32_t> scores)
        : x_(x), y_(y), of_ratio_(of_ratio), scores_(scores), d_(x.size()), sizes_(x.size()), order_(x.size()) {}

    std::int64_t operator()(double m) {
        for (std::size_t t = 0; t < d_.size(); ++t) {
            d_[t] = of_ratio_ ? x_[t] - m * y_[t] : x_[t] - y_[t] - m;
            sizes_[t] = std::fabs(d_[t]);
        }
        std::int64_t sum = 0;
        order_.ranks(sizes_, [&](std::size_t t, std::size_t twice_rank) {
            const std::int32_t score = scores_[twice_rank];
            sum += d_[t] > 0 ? score : d_[t] < 0 ? -score : 0;
        });
        return sum;
    }

    /// The m from which on the sum is at most `limit`, within [low, high] to 2^-30 of it; `low` if it is there.
    template <bool upper_end>
    double crossing(double low, double high, std::int64_t limit) {
        for (int step = 0; step < 30 && low < high; ++step) {
            const double middle = low + (high - low) / 2;
            ((*this)(middle) > limit ? low : high) = middle;
        }
        return upper_end ? high : low;
    }

  private:
    std::span<const double> x_, y_;
    bool of_ratio_;
    std::span<const std::int32_t> scores_;
    std::vector<double> d_, sizes_;
    KeptOrder order_;
};

struct LevelBounds {
    double lower, estimate, upper;
};

/// The margins that the level test does not reject at a critical value, and the one at which the scores are balanced.
inline LevelBounds level_bounds(std::span<const double> x, std::span<const double> y, bool of_ratio,
                                std::span<const std::int32_t> scores, std::int64_t critical) {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    LevelScore score(x, y, of_ratio, scores);
    std::int64_t all = 0;
    for (std::size_t k = 2; k < scores.size(); k += 2) all += scores[k];
    double low = 0, high = 0;
    bool below = true, above = true;  // does it reject at either end?
    if (of_ratio) {
        below = score(0) > critical;
        // Where some y are 0 no ratio may ever be too large.
        for (high = 1; above && score(high) >= -critical; high *= 2) above = high < 1e18;
    } else {
        low = infinity;
        high = -infinity;
        for (std::size_t t = 0; t < x.size(); ++t) {
            low = std::min(low, x[t] - y[t]);
            high = std::max(high, x[t] - y[t]);
        }
        below = above = all > critical;  // beyond all differences every sign is the same
    }
    LevelBounds found{};
    found.lower = below ? score.crossing<false>(low, high, critical) : (of_ratio ? 0 : -infinity);
    found.upper = above ? score.crossing<true>(low, high, -critical - 1) : infinity;
    // Between the last m above balance and the first below it lies one point, or all of a step.
    const double last = score.crossing<true>(low, high, 0), first = score.crossing<true>(low, high, -1);
    found.estimate = last / 2 + first / 2;
    return found;
}

/// The smallest sum that at most alpha of the swaps of n untied scores exceed.
inline std::int32_t critical_level(const LabelSwaps& swaps, std::span<const std::int32_t> scores, double alpha) {
    std::vector<std::int32_t> untied, sums;
    for (std::size_t k = 2; k < scores.size(); k += 2) untied.push_back(scores[k]);
    swaps.sums(untied, sums);
    const auto rank = static_cast<std::size_t>(std::ceil((1 - alpha) * static_cast<double>(swaps.size())));
    return limit_for(std::span(sums).first(swaps.size()),
                     swaps.size() - std::clamp<std::size_t>(rank, 1, swaps.size()));
}

}  // namespace label_swap_detail
}  // namespace v0
}  // namespace serinus
