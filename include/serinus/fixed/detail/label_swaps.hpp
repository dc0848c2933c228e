#pragma once
/// \file
/// Swaps of the arms' labels within intervals, and what sums of scores become under each of them.

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <span>
#include <vector>

#include <serinus/numeric/random.hpp>
#include <serinus/numeric/simd.hpp>

namespace serinus {
inline namespace v0 {
namespace label_swap_detail {

/// Some swaps of n intervals, the first of which swaps nothing. Kept as planes of 16 intervals: bit t % 16 of number j
/// of plane t / 16 tells whether swap j exchanges the labels of interval t. So 16 lanes of 16 bits make one register.
class LabelSwaps {
  public:
    static constexpr std::size_t lanes = 64;  ///< swaps that are worked on together

    /// The identity and `count` swaps of a seed: bit t of word t / 64 of the j-th words of `RandomStream(seed, 0)`.
    static LabelSwaps drawn(std::size_t n, std::size_t count, std::uint64_t seed) {
        LabelSwaps swaps(n, count + 1);
        RandomStream random(seed, 0);
        const std::size_t words = (n + 63) / 64;
        for (std::size_t j = 1; j <= count; ++j) {
            for (std::size_t word = 0; word < words; ++word) swaps.set_word(j, word, random.next());
        }
        return swaps;
    }

    /// All 2^n of them, n <= 20: for what can be counted.
    static LabelSwaps all(std::size_t n) {
        LabelSwaps swaps(n, std::size_t{1} << n);
        for (std::size_t j = 1; j < swaps.size_; ++j) swaps.set_word(j, 0, j);
        return swaps;
    }

    std::size_t intervals() const noexcept { return n_; }
    std::size_t size() const noexcept { return size_; }
    std::size_t padded() const noexcept { return padded_; }  ///< whole groups of lanes; what is beyond size is identity
    const std::uint16_t* plane(std::size_t t) const noexcept { return planes_.data() + t / 16 * padded_; }

    /// sum over t of s_t scores[t] for every swap, s_t = -1 where it exchanges the labels. `scores` may end before the
    /// intervals do. Eight intervals at a time by a table: O(n/8) a swap.
    void sums(std::span<const std::int32_t> scores, std::vector<std::int32_t>& out) const {
        std::int32_t all = 0;
        for (const std::int32_t score : scores) all += score;
        out.assign(padded_, all);
        std::array<std::array<std::int32_t, 256>, 2> tables;
        for (std::size_t from = 0; from < scores.size(); from += 16) {
            for (std::size_t half = 0; half < 2; ++half) {
                auto& table = tables[half];
                table[0] = 0;
                for (std::size_t bit = 0; bit < 8; ++bit) {
                    const std::size_t t = from + 8 * half + bit, below = std::size_t{1} << bit;
                    const std::int32_t turned = t < scores.size() ? -2 * scores[t] : 0;
                    for (std::size_t i = 0; i < below; ++i) table[below + i] = table[i] + turned;
                }
            }
            const std::uint16_t* const bits = plane(from);
            std::int32_t* const sum = out.data();
            for (std::size_t j = 0; j < padded_; ++j) sum[j] += tables[0][bits[j] & 255U] + tables[1][bits[j] >> 8];
        }
    }

  private:
    LabelSwaps(std::size_t n, std::size_t size)
        : n_(n), size_(size), padded_((size + lanes - 1) / lanes * lanes), planes_((n + 15) / 16 * padded_) {}

    void set_word(std::size_t j, std::size_t word, std::uint64_t bits) noexcept {
        const std::size_t planes = planes_.size() / padded_;
        for (std::size_t q = 4 * word; q < std::min(4 * word + 4, planes); ++q, bits >>= 16)
            planes_[q * padded_ + j] = static_cast<std::uint16_t>(bits);
    }

    std::size_t n_, size_, padded_;
    std::vector<std::uint16_t> planes_;
};

/// A float as a whole number of the same order, -0 excepted.
SERINUS_ALWAYS_INLINE inline std::int32_t key_of(float value) noexcept {
    const auto bits = std::bit_cast<std::int32_t>(value);
    return bits ^ ((bits >> 31) & 0x7fffffff);
}

/// Where a statistic looks for harm in time: all of n intervals, the late ones, and windows.
struct Places {
    struct Window {
        std::size_t length, step;
        float scale;
    };
    std::vector<std::size_t> suffixes;      ///< how many of the last intervals
    std::vector<float> suffix_scales;       ///< 1/root of the squared weights
    std::array<std::size_t, 8> ramp_steps;  ///< the ramp ceil(8 (t + 1)/n) goes up by one at each of these
    float ramp_scale = 0;
    std::vector<Window> windows;
};

/// n times a share of it, rounded to even, at least 4.
inline std::size_t part_of(std::size_t n, double share) {
    return std::max<std::size_t>(4, static_cast<std::size_t>(std::nearbyint(static_cast<double>(n) * share)));
}

/// Late: the last 1/6, 1/4, 1/3, 1/2 and 2/3 and a ramp. Windows: n/8, n/6, n/4, n/3, n/2 at every quarter length.
inline Places places(std::size_t n) {
    Places at;
    const auto scale_of = [](std::size_t squares) { return 1.0F / std::sqrt(static_cast<float>(squares)); };
    for (const double share : {1.0 / 6, 1.0 / 4, 1.0 / 3, 1.0 / 2, 2.0 / 3}) {
        const std::size_t k = part_of(n, share);
        if (!at.suffixes.empty() && at.suffixes.back() == k) continue;
        at.suffixes.push_back(k);
        at.suffix_scales.push_back(scale_of(k));
    }
    std::size_t squares = 0;
    for (std::size_t t = 0; t < n; ++t) {
        const std::size_t height = (8 * (t + 1) + n - 1) / n;
        squares += height * height;
    }
    at.ramp_scale = scale_of(squares);
    for (std::size_t c = 0; c < 8; ++c) at.ramp_steps[c] = c * n / 8;
    for (const double share : {1.0 / 8, 1.0 / 6, 1.0 / 4, 1.0 / 3, 1.0 / 2}) {
        const std::size_t k = part_of(n, share);
        if (at.windows.empty() || at.windows.back().length != k)
            at.windows.push_back({k, std::max<std::size_t>(1, k / 4), scale_of(k)});
    }
    return at;
}

/// Statistics of one kind for every swap, as whole numbers that keep their order.
struct OrderStatistics {
    std::vector<std::int32_t> level, late, window;
};

/// The running sums of scores s_t a_t for 64 swaps at a time, and what is made of them. `Number`: 16 bits where the
/// sizes of all scores together stay below 2^15, which makes the loops twice as fast.
template <class Number>
void walk_as(const LabelSwaps& swaps, std::span<const std::int32_t> scores, std::span<const std::uint32_t> times,
             const Places& at, OrderStatistics& out) {
    constexpr std::size_t lanes = LabelSwaps::lanes;
    using Row = std::array<Number, lanes>;
    const std::size_t n = scores.size();
    std::vector<Row> rows(n + 1);
    rows[0] = {};
    for (auto* keys : {&out.level, &out.late, &out.window}) keys->resize(swaps.padded());
    for (std::size_t from = 0; from < swaps.padded(); from += lanes) {
        simd::widest([&]() SERINUS_ALWAYS_INLINE {
            for (std::size_t i = 0; i < n; ++i) {
                const std::uint16_t* const bits = swaps.plane(times[i]) + from;
                const unsigned shift = times[i] % 16;
                const auto score = static_cast<Number>(scores[i]);
                const Row& before = rows[i];
                Row& after = rows[i + 1];
                for (std::size_t j = 0; j < lanes; ++j) {
                    const auto bit = static_cast<std::uint16_t>(static_cast<std::uint16_t>(bits[j] >> shift) & 1U);
                    const auto turn = static_cast<Number>(-static_cast<Number>(bit));
                    after[j] = static_cast<Number>(before[j] + static_cast<Number>((score ^ turn) - turn));
                }
            }
            const Row& end = rows[n];
            std::array<float, lanes> best;
            std::array<std::int32_t, lanes> ramp{};
            for (const std::size_t step : at.ramp_steps) {
                for (std::size_t j = 0; j < lanes; ++j) ramp[j] += end[j] - rows[step][j];
            }
            for (std::size_t j = 0; j < lanes; ++j) best[j] = static_cast<float>(ramp[j]) * at.ramp_scale;
            for (std::size_t k = 0; k < at.suffixes.size(); ++k) {
                const Row& start = rows[n - at.suffixes[k]];
                const float scale = at.suffix_scales[k];
                for (std::size_t j = 0; j < lanes; ++j) {
                    const float found = static_cast<float>(static_cast<std::int32_t>(end[j] - start[j])) * scale;
                    best[j] = best[j] < found ? found : best[j];
                }
            }
            for (std::size_t j = 0; j < lanes; ++j) {
                out.level[from + j] = end[j];
                out.late[from + j] = key_of(best[j]);
            }
            bool first = true;
            for (const Places::Window& window : at.windows) {
                Row most;
                for (std::size_t j = 0; j < lanes; ++j) most[j] = rows[window.length][j];
                for (std::size_t s = window.step; s + window.length <= n; s += window.step) {
                    const Row& high = rows[s + window.length];
                    const Row& low = rows[s];
                    for (std::size_t j = 0; j < lanes; ++j) {
                        const auto sum = static_cast<Number>(high[j] - low[j]);
                        most[j] = most[j] < sum ? sum : most[j];
                    }
                }
                for (std::size_t j = 0; j < lanes; ++j) {
                    const float found = static_cast<float>(most[j]) * window.scale;
                    best[j] = first || best[j] < found ? found : best[j];
                }
                first = false;
            }
            for (std::size_t j = 0; j < lanes; ++j) out.window[from + j] = key_of(best[j]);
        });
    }
}

/// Level, late and window of scores in time order, for every swap. times: which interval each score is of.
inline void walk(const LabelSwaps& swaps, std::span<const std::int32_t> scores, std::span<const std::uint32_t> times,
                 const Places& at, OrderStatistics& out) {
    std::int64_t sizes = 0;
    for (const std::int32_t score : scores) sizes += std::abs(score);
    if (sizes < 32768) {
        walk_as<std::int16_t>(swaps, scores, times, at, out);
    } else {
        walk_as<std::int32_t>(swaps, scores, times, at, out);
    }
}

/// How many numbers are above a limit. O(n), in vectors.
inline std::size_t count_above(std::span<const std::int32_t> numbers, std::int32_t limit) noexcept {
    std::int32_t count = 0;
    simd::widest([&]() SERINUS_ALWAYS_INLINE {
        std::int32_t sum = 0;
        for (const std::int32_t number : numbers) sum += number > limit ? 1 : 0;
        count = sum;
    });
    return static_cast<std::size_t>(count);
}

/// The smallest limit that at most `most` of the numbers, `most` < all of them, are above: the (most + 1)-th largest.
/// Halving the range counts some twenty times, which vectors do faster than anything sorts.
inline std::int32_t limit_for(std::span<const std::int32_t> numbers, std::size_t most) noexcept {
    const auto [least, largest] = std::minmax_element(numbers.begin(), numbers.end());
    std::int64_t low = *least, high = *largest;
    while (low < high) {
        const std::int64_t middle = low + (high - low) / 2;
        if (count_above(numbers, static_cast<std::int32_t>(middle)) <= most) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return static_cast<std::int32_t>(low);
}

/// One statistic of a panel: its value for every swap, its share of the error, and whether what was seen counts.
struct SwapStatistic {
    std::vector<std::int32_t> keys;
    double weight = 0;
    bool counts = true;
};

struct JointP {
    double p_value = 1;
    std::size_t best = 0;  ///< the statistic whose weighted p-value is smallest
};

/// The weighted p-value of what was seen, by one statistic: the share of swaps with a value at least as large, over its
/// weight. Infinite if it does not count.
inline double weighted_p(const SwapStatistic& statistic, std::size_t swaps) noexcept {
    if (!statistic.counts) return std::numeric_limits<double>::infinity();
    const std::span<const std::int32_t> keys(statistic.keys.data(), swaps);
    const bool all = keys[0] == std::numeric_limits<std::int32_t>::min();
    const auto as_large = static_cast<double>(all ? swaps : count_above(keys, keys[0] - 1));
    return as_large / (static_cast<double>(swaps) * statistic.weight);
}

/// The share of swaps in which the smallest weighted p-value of all statistics is at most `least`: how many have, in
/// some statistic, a rank as high as its weight asks for.
inline double share_as_small(std::span<const SwapStatistic> panel, std::size_t swaps, double least) {
    const auto size = static_cast<double>(swaps);
    std::vector<std::uint8_t> reached(swaps, 0);
    for (const SwapStatistic& statistic : panel) {
        // The largest count whose weighted p-value is still as small, by the very division that is compared.
        const double unit = size * statistic.weight;
        auto most = static_cast<std::size_t>(std::min(size, std::max(0.0, std::floor(least * unit))));
        while (most < swaps && static_cast<double>(most + 1) / unit <= least) ++most;
        while (most > 0 && static_cast<double>(most) / unit > least) --most;
        if (most == 0) continue;
        if (most >= swaps) return 1;
        const std::span<const std::int32_t> keys(statistic.keys.data(), swaps);
        const std::int32_t limit = limit_for(keys, most);
        for (std::size_t j = 0; j < swaps; ++j) reached[j] |= static_cast<std::uint8_t>(keys[j] > limit);
    }
    std::size_t all = 0;
    for (const std::uint8_t one : reached) all += one;
    return static_cast<double>(all) / size;
}

/// The statistic whose weighted p-value is smallest, the first of several, and that p-value.
inline JointP strongest(std::span<const SwapStatistic> panel, std::size_t swaps) noexcept {
    JointP found{std::numeric_limits<double>::infinity(), 0};
    for (std::size_t g = 0; g < panel.size(); ++g) {
        const double p = weighted_p(panel[g], swaps);
        if (!(p < found.p_value)) continue;
        found = {p, g};
    }
    return found;
}

/// The smallest weighted p-value, judged by its own distribution over the swaps (Westfall and Young 1993): p_g(s) =
/// share of swaps with a statistic at least as large as that of s, m(s) = min_g p_g(s)/w_g, p = share of swaps with
/// m(s) <= m(identity).
inline JointP joint_p(std::span<const SwapStatistic> panel, std::size_t swaps) {
    JointP found = strongest(panel, swaps);
    found.p_value = share_as_small(panel, swaps, found.p_value);
    return found;
}

}  // namespace label_swap_detail
}  // namespace v0
}  // namespace serinus
