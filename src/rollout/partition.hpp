#pragma once
/// \file
/// How many observations lie between bounds, whatever recorded them: added up, taken apart, and asked for a quantile;
/// inside the library only.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <optional>
#include <vector>

#include <serinus/rollout/monitor_state.hpp>
#include <serinus/series/histogram.hpp>

namespace serinus {
inline namespace v0 {
namespace detail {

/// `bounds` ascend; counts[i] observations lie in (bounds[i - 1], bounds[i]], the first part has no lower end and the
/// last no upper one. Nothing at all has neither bounds nor counts. Bounds that differ by rounding are one.
struct Partition {
    std::vector<double> bounds, counts;

    bool empty() const noexcept { return counts.empty(); }
    double total() const noexcept {
        double sum = 0;
        for (const double count : counts) sum += count;
        return sum;
    }
    bool negative() const noexcept {
        return std::any_of(counts.begin(), counts.end(), [](double count) { return count < 0; });
    }
    friend bool operator==(const Partition&, const Partition&) = default;
};

/// Whether two bounds are one, but for how they were written or computed.
inline bool same_bound(double a, double b) noexcept {
    return a == b || std::fabs(a - b) <= 1e-12 * std::fmax(std::fabs(a), std::fabs(b));
}

/// A histogram's buckets; what is not a number is in none of them. Empty buckets keep their bounds.
inline Partition partition_of(const HistogramSample& sample) {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    Partition made;
    made.counts.push_back(0);
    const auto bound = [&made](double at) {
        if (!std::isfinite(at) ||
            (!made.bounds.empty() && (at <= made.bounds.back() || same_bound(at, made.bounds.back()))))
            return;
        made.bounds.push_back(at);
        made.counts.push_back(0);
    };
    for (const HistogramBucket& bucket : sample.buckets) {
        bound(bucket.lower);
        // What a bucket has lies at or below its upper end: in the part before it, once that is a bound.
        if (bucket.upper == infinity || bucket.upper == std::numeric_limits<double>::max()) {
            made.counts.back() += bucket.count;
        } else {
            bound(bucket.upper);
            made.counts[made.counts.size() - 2] += bucket.count;
        }
    }
    return made;
}

/// The bounds at which both are known: those of one that do not lie inside a part of the other that has observations.
inline std::vector<double> common_bounds(const Partition& a, const Partition& b) {
    std::vector<double> common;
    std::size_t i = 0, j = 0;
    while (i < a.bounds.size() || j < b.bounds.size()) {
        if (j == b.bounds.size() ||
            (i < a.bounds.size() && a.bounds[i] < b.bounds[j] && !same_bound(a.bounds[i], b.bounds[j]))) {
            if (b.counts.empty() || b.counts[j] == 0) common.push_back(a.bounds[i]);
            ++i;
        } else if (i == a.bounds.size() || !same_bound(a.bounds[i], b.bounds[j])) {
            if (a.counts.empty() || a.counts[i] == 0) common.push_back(b.bounds[j]);
            ++j;
        } else {
            common.push_back(a.bounds[i]);
            ++i;
            ++j;
        }
    }
    return common;
}

/// The same observations between other bounds, at each of which they are known.
inline Partition between(const Partition& of, const std::vector<double>& bounds) {
    Partition made{bounds, std::vector<double>(bounds.size() + 1, 0)};
    std::size_t at = 0;
    for (std::size_t i = 0; i < of.counts.size(); ++i) {
        if (of.counts[i] == 0) continue;
        while (i > 0 && at < bounds.size() &&
               (bounds[at] <= of.bounds[i - 1] || same_bound(bounds[at], of.bounds[i - 1])))
            ++at;
        made.counts[at] += of.counts[i];
    }
    return made;
}

/// Adds observations; where their bounds differ, what is between the common ones. Says whether bounds were given up.
inline bool add_to(Partition& sum, const Partition& more) {
    if (more.empty()) return false;
    if (sum.empty()) {
        sum = more;
        return false;
    }
    if (sum.bounds != more.bounds) {
        const std::vector<double> common = common_bounds(sum, more);
        const bool lost = common.size() < std::max(sum.bounds.size(), more.bounds.size());
        sum = between(sum, common);
        const Partition other = between(more, common);
        for (std::size_t i = 0; i < sum.counts.size(); ++i) sum.counts[i] += other.counts[i];
        return lost;
    }
    for (std::size_t i = 0; i < sum.counts.size(); ++i) sum.counts[i] += more.counts[i];
    return false;
}

/// The part that a value lies in.
inline std::size_t part_of(const Partition& of, double value) {
    auto at = static_cast<std::size_t>(std::lower_bound(of.bounds.begin(), of.bounds.end(), value) - of.bounds.begin());
    if (at > 0 && same_bound(of.bounds[at - 1], value)) --at;
    return at;
}
/// Whether it is known how many observations are more than a value: it is a bound, or in a part that has none.
inline bool known_at(const Partition& of, double value) {
    const std::size_t at = part_of(of, value);
    return (at < of.bounds.size() && same_bound(of.bounds[at], value)) || (at < of.counts.size() && of.counts[at] == 0);
}
/// How many observations are more than a value at which that is known.
inline double above(const Partition& of, double value) {
    double count = 0;
    for (std::size_t i = part_of(of, value) + 1; i < of.counts.size(); ++i) count += of.counts[i];
    return count;
}

/// The bounds of exponential buckets are powers of 2^(2^-scale); which scale, if they are.
inline std::optional<int> scale_of(const std::vector<double>& bounds) {
    double finest = std::numeric_limits<double>::infinity();
    for (std::size_t i = 1; i < bounds.size(); ++i)
        if (bounds[i - 1] > 0) finest = std::min(finest, std::log2(bounds[i] / bounds[i - 1]));
    if (!(finest > 0) || !std::isfinite(finest)) return std::nullopt;
    const int scale = static_cast<int>(std::lround(-std::log2(finest)));
    if (scale < -4 || scale > 20) return std::nullopt;
    for (const double bound : bounds) {
        if (!(bound > 0)) continue;
        const double index = std::ldexp(std::log2(bound), scale);
        if (std::fabs(index - std::round(index)) > 1e-6 * std::fmax(1, std::fabs(index))) return std::nullopt;
    }
    return scale;
}

/// The part that the observation of a rank (from 0, up to the total) lies in, as its two ends.
struct Ends {
    double lower = -std::numeric_limits<double>::infinity(), upper = std::numeric_limits<double>::infinity();
};
inline Ends part_at(const Partition& of, double rank) {
    double sum = 0;
    Ends ends;
    for (std::size_t i = 0; i < of.counts.size(); ++i) {
        sum += of.counts[i];
        if (of.counts[i] == 0 || (sum < rank && i + 1 < of.counts.size())) continue;
        ends.lower = i == 0 ? -std::numeric_limits<double>::infinity() : of.bounds[i - 1];
        ends.upper = i < of.bounds.size() ? of.bounds[i] : std::numeric_limits<double>::infinity();
        if (sum >= rank) break;
    }
    return ends;
}

/// Parts for observations that are told one by one: bounds a 64th of a power of two apart, in which a stage's are kept.
inline double bin_above(double value) {
    if (value == 0 || !std::isfinite(value)) return value;
    const double steps = std::log2(std::fabs(value)) * 64;
    return value > 0 ? std::exp2(std::ceil(steps - 1e-9) / 64) : -std::exp2(std::floor(steps + 1e-9) / 64);
}
inline Partition binned(std::vector<double> values) {
    Partition made;
    std::sort(values.begin(), values.end());
    made.counts.push_back(0);
    for (const double value : values) {
        const double upper = bin_above(value);
        if (!std::isfinite(upper)) {
            (value < 0 ? made.counts.front() : made.counts.back()) += 1;
            continue;
        }
        if (made.bounds.empty() || upper > made.bounds.back()) {
            // The lower end of the bin as well, so that nothing is thought to lie far below it.
            const double lower = value > 0   ? upper / std::exp2(1.0 / 64)
                                 : value < 0 ? upper * std::exp2(1.0 / 64)
                                             : -0.0;
            if (value != 0 &&
                (made.bounds.empty() || (lower > made.bounds.back() && !same_bound(lower, made.bounds.back())))) {
                made.bounds.push_back(lower);
                made.counts.push_back(0);
            }
            made.bounds.push_back(upper);
            made.counts.push_back(0);
        }
        made.counts[made.counts.size() - 2] += 1;
    }
    return made;
}

inline PartitionState state_of(const Partition& of) { return {of.bounds, of.counts}; }
inline Partition partition_of(const PartitionState& state) { return {state.bounds, state.counts}; }
inline bool sound(const PartitionState& state) {
    const bool sizes = state.counts.empty() ? state.bounds.empty() : state.counts.size() == state.bounds.size() + 1;
    return sizes && std::is_sorted(state.bounds.begin(), state.bounds.end()) &&
           std::none_of(state.bounds.begin(), state.bounds.end(), [](double bound) { return !std::isfinite(bound); });
}

}  // namespace detail
}  // namespace v0
}  // namespace serinus
