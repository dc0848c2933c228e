#pragma once
/// \file
/// Evidence that one probability exceeds another by more than a ratio or a difference, block by block: the second
/// e-process inside ProportionTest. Its interval for a difference is read from difference_band.hpp.
///
/// Turner, Ly and Gruenwald (2021, arXiv 2106.02693). Before a block of n_b and n_c trials the rates are estimated from
/// earlier blocks only, theta = (Y + g)/(N + 2 g), g = 0.18. When the estimate lies beyond the margin the block's
/// factor is the likelihood ratio of (theta_b, theta_c) against its projection on the margin, the pair (p_b, p_c) with
/// p_c = r p_b or p_c = p_b + d that is nearest in Kullback-Leibler divergence weighted by the block's sizes; otherwise
/// the factor is 1. The null set is convex, so first-order optimality of the projection gives E[factor] <= 1 for every
/// pair in it, whatever the sizes, so long as they are known before the outcomes: exact at every rate.

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <serinus/core/describe.hpp>
#include <serinus/core/evidence.hpp>
#include <serinus/numeric/elementary.hpp>
#include <serinus/numeric/simd.hpp>

namespace serinus {
inline namespace v0 {
namespace sequential {

/// What has been seen of both arms; the estimates that bets are placed with.
struct BlockCounts {
    double bad_b = 0, total_b = 0, bad_c = 0, total_c = 0;

    static constexpr double prior = 0.18;
    /// Nothing known: no bet. (1/2 for both would be a guess that a block of a thousand requests makes very dear.)
    bool empty() const { return total_b == 0; }
    double theta_b() const { return (bad_b + prior) / (total_b + 2 * prior); }
    double theta_c() const { return (bad_c + prior) / (total_c + 2 * prior); }
    void add(double x_b, double n_b, double x_c, double n_c) {
        bad_b += x_b;
        total_b += n_b;
        bad_c += x_c;
        total_c += n_c;
    }

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("bad_b", self.bad_b);
        visit("total_b", self.total_b);
        visit("bad_c", self.bad_c);
        visit("total_c", self.total_c);
    }
};
static_assert(described_whole<BlockCounts>());

/// The line of pairs (p_b, p_c) on which the canary is exactly at the margin.
struct MarginLine {
    double ratio = 1;  ///< p_c = ratio x p_b + difference; one of the two is neutral
    double difference = 0;

    double canary(double p_b) const { return ratio * p_b + difference; }

    struct Point {
        double p_b, p_c;
    };

    /// The point on the line nearest to (theta_b, theta_c) in Kullback-Leibler divergence, n_b and n_c being the
    /// weights: where the derivative n_b (p - theta_b)/(p (1 - p)) + ratio n_c (q - theta_c)/(q (1 - q)), q =
    /// canary(p), is zero. It rises from -infinity to infinity on the part of the line inside the unit square. Solved
    /// for the smaller coordinate, which is the one that rounding could spoil.
    Point project(double theta_b, double theta_c, double n_b, double n_c) const {
        if (difference < 0) {
            const Point swapped = MarginLine{1, -difference}.project(theta_c, theta_b, n_c, n_b);
            return {swapped.p_c, swapped.p_b};
        }
        if (ratio == 1 && difference == 0) {
            const double pooled = (n_b * theta_b + n_c * theta_c) / (n_b + n_c);
            return {pooled, pooled};
        }
        double lower = 0, upper = (1 - difference) / ratio;
        double p = theta_b > lower && theta_b < upper ? theta_b : (lower + upper) / 2;
        for (int i = 0; i < 100; ++i) {
            const double q = canary(p);
            const double vb = p * (1 - p), vc = q * (1 - q);
            const double gb = (p - theta_b) / vb, gc = (q - theta_c) / vc;
            const double slope = n_b * gb + ratio * n_c * gc;
            if (slope == 0) break;
            (slope > 0 ? upper : lower) = p;
            // Newton's step; the derivative of (p - theta)/(p (1 - p)) is positive everywhere.
            const double bend = n_b * (1 - gb * (1 - 2 * p)) / vb + ratio * ratio * n_c * (1 - gc * (1 - 2 * q)) / vc;
            double next = p - slope / bend;
            if (!(next > lower && next < upper)) next = lower + (upper - lower) / 2;
            if (next == p || !(std::fabs(next - p) > 1e-15 * p)) {
                p = next;
                break;
            }
            p = next;
        }
        return {p, canary(p)};
    }

    /// log of the likelihood ratio of theta against its projection, for a block's counts; 0 when theta is not `beyond`
    /// (+1: above, -1: below) the line.
    double log_factor(int beyond, double theta_b, double theta_c, double x_b, double n_b, double x_c,
                      double n_c) const {
        if (!(beyond * (theta_c - canary(theta_b)) > 0)) return 0;
        const auto [p, q] = project(theta_b, theta_c, n_b, n_c);
        // A corner of the square, reached by rounding: no bet.
        for (const double rate : {theta_b, theta_c, p, q}) {
            if (!(rate > 0 && rate < 1)) return 0;
        }
        // Ratios near 1 by log1p: the two are close when the margin is.
        const double b = theta_b - p, c = theta_c - q;
        const double far[4] = {b, -b, c, -c}, rate[4] = {p, 1 - p, q, 1 - q};
        double logs[4];
        simd::widest([&]() SERINUS_ALWAYS_INLINE {
            for (std::size_t lane = 0; lane < 4; ++lane)
                logs[lane] = elementary::detail::log1p_kernel(far[lane] / rate[lane]);
        });
        return (x_b * logs[0] + (n_b - x_b) * logs[1]) + (x_c * logs[2] + (n_c - x_c) * logs[3]);
    }
};

/// The e-process of one direction.
class BlockProcess {
  public:
    /// A start: what it is worth, and what it has seen since.
    struct Start {
        static constexpr std::string_view kind = "blck";
        static constexpr std::int64_t version = 1;
        double log_capital = 0;
        BlockCounts counts;

        template <class Visitor, class Self>
        static constexpr void describe(Visitor& visit, Self& self) {
            visit("log_capital", self.log_capital);
            visit("counts", self.counts);
        }
    };
    static constexpr std::size_t most_starts = 24;

    BlockProcess(const MarginLine& line, int beyond) : line_(line), beyond_(beyond), starts_{Start{}} {}

    void update(double x_b, double n_b, double x_c, double n_c, double dispersion) {
        for (Start& start : starts_) {
            if (!start.counts.empty()) {
                const double theta_b = start.counts.theta_b(), theta_c = start.counts.theta_c();
                start.log_capital += line_.log_factor(beyond_, theta_b, theta_c, x_b, n_b, x_c, n_c) / dispersion;
            }
            start.counts.add(x_b, n_b, x_c, n_c);
        }
    }

    double log_e_value() const {
        if (starts_.size() == 1) return starts_.front().log_capital;
        std::array<double, most_starts> capital;
        std::size_t size = 0;
        for (const Start& start : starts_) capital[size++] = start.log_capital;
        return elementary::log_sum_exp(std::span<const double>(capital.data(), size));
    }

    /// As ConditionalMixture's; here the exact value is cheap.
    double log_at_most() const { return log_e_value(); }
    double settle() { return log_e_value(); }

    void rescale(double factor) {
        for (Start& start : starts_) start.log_capital += elementary::log(factor);
    }

    /// Adds a fresh start worth `weight`. Each start learns the rates anew, so each is kept; beyond 24 the two oldest
    /// pool their capital and go on with the older one's estimates: still an e-process, for it may bet as it likes.
    void add_start(double weight) {
        if (starts_.size() == most_starts) {
            starts_[0].log_capital = elementary::log_add_exp(starts_[0].log_capital, starts_[1].log_capital);
            starts_.erase(starts_.begin() + 1);
        }
        starts_.push_back(Start{elementary::log(weight), {}});
    }

    /// Takes over what another one, with one start as this one, has seen of other requests: capitals multiply, and from
    /// here on bets rest on the counts of both.
    void merge(const BlockProcess& other) {
        starts_[0].log_capital += other.starts_[0].log_capital;
        starts_[0].counts.add(other.starts_[0].counts.bad_b, other.starts_[0].counts.total_b,
                              other.starts_[0].counts.bad_c, other.starts_[0].counts.total_c);
    }

    const std::vector<Start>& starts() const noexcept { return starts_; }
    void set_starts(std::vector<Start> starts) noexcept { starts_ = std::move(starts); }

  private:
    MarginLine line_;
    int beyond_;
    std::vector<Start> starts_;
};
static_assert(described_whole<BlockProcess::Start>());

}  // namespace sequential
}  // namespace v0
}  // namespace serinus
