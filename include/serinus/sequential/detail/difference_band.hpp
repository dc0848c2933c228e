#pragma once
/// \file
/// The carried margins that ProportionTest's interval for a difference is read from.

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <serinus/numeric/elementary.hpp>
#include <serinus/numeric/simd.hpp>
#include <serinus/sequential/detail/block_process.hpp>

namespace serinus {
inline namespace v0 {
namespace sequential {

/// An interval for p_c - p_b: 64 differences, each with an e-process above and below it. Ends are the outermost
/// differences that are not excluded, rounded outward to the next one that is.
class DifferenceBand {
  public:
    static constexpr std::size_t size = 64;

    /// `margin`, oriented as canary - baseline, is one of the differences, so that the interval agrees with the test
    /// there.
    explicit DifferenceBand(double margin) {
        constexpr double low = 1e-4, high = 0.9;
        constexpr std::size_t half = 31;
        const double step = elementary::log(high / low) / (half - 1);
        std::vector<double> grid{0.0};
        for (std::size_t j = 0; j < half; ++j) {
            const double d = elementary::exp(elementary::log(low) + step * static_cast<double>(j));
            grid.push_back(d);
            grid.push_back(-d);
        }
        // A margin that is on the grid already leaves one place free.
        bool known = false;
        for (const double d : grid) known = known || d == margin;
        grid.push_back(known ? 0.97 : margin);
        for (std::size_t i = 0; i < size; ++i) {
            std::size_t at = i;
            for (; at > 0 && difference_[at - 1] > grid[i]; --at) difference_[at] = difference_[at - 1];
            difference_[at] = grid[i];
        }
    }

    /// Cost: 64 projections and 256 logarithms side by side.
    void update(double x_b, double n_b, double x_c, double n_c, double dispersion) {
        if (!counts_.empty()) {
            const double theta_b = counts_.theta_b(), theta_c = counts_.theta_c();
            Factors factors;
            // Where most requests are bad it is the good ones that are rare.
            if (2 * (counts_.bad_b + counts_.bad_c) > counts_.total_b + counts_.total_c) {
                const BlockCounts good{counts_.total_b - counts_.bad_b, counts_.total_b,
                                       counts_.total_c - counts_.bad_c, counts_.total_c};
                factors.find(difference_, -1, {good.theta_b(), n_b, n_b - x_b}, {good.theta_c(), n_c, n_c - x_c});
            } else {
                factors.find(difference_, +1, {theta_b, n_b, x_b}, {theta_c, n_c, x_c});
            }
            for (std::size_t i = 0; i < size; ++i) {
                const int beyond = theta_c > theta_b + difference_[i] ? +1 : -1;
                const double factor = factors.missed[i] == 0 ? factors.log_factor[i]
                                                             : MarginLine{1, difference_[i]}.log_factor(
                                                                   beyond, theta_b, theta_c, x_b, n_b, x_c, n_c);
                (beyond > 0 ? above_ : below_)[i] += factor / dispersion;
            }
        }
        counts_.add(x_b, n_b, x_c, n_c);
    }

    /// beyond = +1: the largest difference such that it and all smaller ones are excluded from below at level alpha;
    /// -1: the mirror. -1 and 1 where nothing is excluded.
    double bound(int beyond, double alpha) const {
        const double needed = -elementary::log(alpha);
        double bound = -beyond;
        for (std::size_t i = 0; i < size; ++i) {
            const std::size_t at = beyond > 0 ? i : size - 1 - i;
            if (!((beyond > 0 ? above_ : below_)[at] >= needed)) break;
            bound = difference_[at];
        }
        return bound;
    }

    /// The carried differences, ascending, and the log e-values above and below each.
    const std::array<double, size>& differences() const noexcept { return difference_; }
    const std::array<double, size>& log_above() const noexcept { return above_; }
    const std::array<double, size>& log_below() const noexcept { return below_; }

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("above", self.above_);
        visit("below", self.below_);
        BlockCounts::describe(visit, self.counts_);
    }

  private:
    struct Arm {
        double theta, n, x;
    };

    /// MarginLine::log_factor for all differences at once, without its branches, in whichever direction is not 0.
    ///
    /// The smaller coordinate x of the projection, the larger one being q = x + d, begins at the root of
    ///
    ///     n (x - theta) q/(1 - x_0) + n' (q - theta') x/(1 - q_0) = 0,
    ///
    /// which its equation becomes for rare events, (x_0, q_0) being the point that is nearest by least squares. Then it
    /// takes Newton's steps. Where they do not arrive, `missed` is set: that one is left to MarginLine.
    struct Factors {
        std::array<double, size> log_factor;
        std::array<std::uint64_t, size> missed;

        void find(const std::array<double, size>& difference, int sign, const Arm& baseline, const Arm& canary) {
            Lanes lanes;
            simd::widest([&]() SERINUS_ALWAYS_INLINE { lanes.set(difference.data(), sign, baseline, canary); });
            // (A loop of its own: compilers do not take a root that might have to set errno into vectors.)
            for (double& root : lanes.root) root = std::sqrt(root);
            simd::widest([&]() SERINUS_ALWAYS_INLINE { lanes.factors(log_factor.data(), missed.data()); });
        }
    };

    struct Lanes {
        using Numbers = double[size];
        Numbers distance, low, high, low_n, high_n, low_x, high_x, slope, weight, constant, root;

        SERINUS_ALWAYS_INLINE void set(const double* difference, int sign, const Arm& baseline,
                                       const Arm& canary) noexcept {
            using namespace elementary::detail;
            const Arm b = baseline, c = canary;
            const double turn = sign;
            for (std::size_t i = 0; i < size; ++i) {
                // On a line with a negative difference the arms exchange places.
                const double signed_d = turn * difference[i], d = from_bits(magnitude(signed_d));
                const std::uint64_t swap = spread(bits(signed_d));
                const double a = from_bits(choose(swap, bits(c.theta), bits(b.theta)));
                const double z = from_bits(choose(swap, bits(b.theta), bits(c.theta)));
                const double n = from_bits(choose(swap, bits(c.n), bits(b.n)));
                const double m = from_bits(choose(swap, bits(b.n), bits(c.n)));
                distance[i] = d;
                low[i] = a;
                high[i] = z;
                low_n[i] = n;
                high_n[i] = m;
                low_x[i] = from_bits(choose(swap, bits(c.x), bits(b.x)));
                high_x[i] = from_bits(choose(swap, bits(b.x), bits(c.x)));
                const double top = 1 - d, most = 0.98 * top;
                double guess = (n * a + m * (z - d)) / (n + m);
                guess = from_bits(bits(guess) & ~spread(bits(guess)));  // not below 0
                guess = from_bits(choose(spread(bits(most - guess)), bits(most), bits(guess)));
                const double v = n / (1 - guess), w = m / (top - guess);
                const double b1 = v * (d - a) + w * (d - z), b0 = v * a * d;
                slope[i] = b1;
                weight[i] = v + w;
                constant[i] = b0;
                root[i] = b1 * b1 + 4 * (v + w) * b0;
            }
        }

        SERINUS_ALWAYS_INLINE void factors(double* log_factor, std::uint64_t* missed) noexcept {
            using namespace elementary::detail;
            for (std::size_t i = 0; i < size; i += 4) {
                double x[4], step[4], factor[4];
                std::uint64_t miss[4];
                for (std::size_t lane = 0; lane < 4; ++lane) {
                    // The positive root of weight x^2 + slope x - constant, without cancellation.
                    const std::size_t at = i + lane;
                    const double sum = root[at] + from_bits(magnitude(slope[at]));
                    x[lane] = from_bits(
                        choose(spread(bits(slope[at])), bits(sum / (2 * weight[at])), bits(2 * constant[at] / sum)));
                }
                for (int k = 0; k < steps; ++k) {
                    for (std::size_t lane = 0; lane < 4; ++lane) {
                        const std::size_t at = i + lane;
                        const double p = x[lane], q = p + distance[at], n = low_n[at], m = high_n[at];
                        // At most three quarters of the way to an end.
                        const double least = 0.25 * p, most = p + 0.75 * ((1 - distance[at]) - p);
                        const double p_inverse = 1 / (p * (1 - p)), q_inverse = 1 / (q * (1 - q));
                        const double g = (p - low[at]) * p_inverse, h = (q - high[at]) * q_inverse;
                        const double bend =
                            n * (1 - g * (1 - 2 * p)) * p_inverse + m * (1 - h * (1 - 2 * q)) * q_inverse;
                        double next = p - (n * g + m * h) / bend;
                        next = from_bits(choose(spread(bits(next - least)), bits(least), bits(next)));
                        next = from_bits(choose(spread(bits(most - next)), bits(most), bits(next)));
                        step[lane] = next - p;
                        x[lane] = next;
                    }
                }
                for (std::size_t lane = 0; lane < 4; ++lane) {
                    const std::size_t at = i + lane;
                    const double p = x[lane], q = p + distance[at], a = low[at], z = high[at];
                    // After a step of 1e-8 the error is about 1e-16. (What is not a number misses as well.)
                    const double arrived = 1e-8 * p - from_bits(magnitude(step[lane]));
                    miss[lane] = spread(bits(arrived) | is_nan(magnitude(arrived)) | bits(p - 1e-300) | bits(1 - q));
                    factor[lane] = (low_x[at] * log1p_kernel((a - p) / p) +
                                    (low_n[at] - low_x[at]) * log1p_kernel((p - a) / (1 - p))) +
                                   (high_x[at] * log1p_kernel((z - q) / q) +
                                    (high_n[at] - high_x[at]) * log1p_kernel((q - z) / (1 - q)));
                }
                for (std::size_t lane = 0; lane < 4; ++lane) log_factor[i + lane] = factor[lane];
                for (std::size_t lane = 0; lane < 4; ++lane) missed[i + lane] = miss[lane];
            }
        }
    };
    static constexpr int steps = 4;

    std::array<double, size> difference_{};
    std::array<double, size> above_{};
    std::array<double, size> below_{};
    BlockCounts counts_;
};

}  // namespace sequential
}  // namespace v0
}  // namespace serinus
