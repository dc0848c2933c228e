#pragma once
/// \file
/// Evidence about a margin with a floor, p_c against max(r p_b, p_b + f): the third e-process inside ProportionTest, and
/// RateTest's under such a margin. Its interval is read from floor_band.hpp.
///
/// An interval brings x_b bad of n_b requests in the baseline and x_c of n_c in the canary. Two lines bound what is
/// allowed, p_c = r p_b and p_c = p_b + f; they cross at p_b = f/(r - 1). The null hypothesis of harm, p_c <= max(r p_b,
/// p_b + f), holds the points below one line or below the other. That set is not convex: no single pair of shares
/// stands for it, and the product of a bet for each line would be two bets at the price of one. Here one bet h >= 0 on
/// the canary serves both lines, and the baseline pays the smaller of what they would pay:
///
///     e = K(x_c) min(B_ratio(x_b), B_difference(x_b)),
///     K(x)   = (1 + (1 - c) h)^x (1 - c h)^(n_c - x),
///     B_s(x) = (1 - (1 - a_s) s h')^x (1 + a_s s h')^(n_b - x),   h' = h n_c/n_b,
///
/// with s = r, a = c/r for the ratio and s = 1, a = c - f for the difference. c is a guess, made before the interval, of
/// the canary's share on the margin. The e-value is the mean over a prior of 33 distances d, p_c = e^d max(r p_b, p_b +
/// f), of the product of a node's factors.
///
/// **Proved**, whichever line binds at an interval and however often that changes: the mean of e is at most 1. By 1 + y
/// <= e^y, request by request (so for requests of different risk, too), E K <= exp(n_c h (p_c - c)) and E B_s <= exp(-
/// n_c h s (p_b - a_s)). With c = i_s + s a_s (i = 0 or f), E K B_s <= exp(n_c h (p_c - i_s - s p_b)) <= 1 below line
/// s, and the smaller of the two is below both. Any c and h will do, as long as they are set before the interval and no
/// bracket is negative. The power 1/phi, phi >= 1, has a mean of at most 1 as well (Jensen).
///
/// **The step.** B_difference/B_ratio = A rho^x with A < 1 < rho; k is the first x at which the ratio pays less, alpha =
/// A rho^k - 1 and beta = 1 - A rho^(k - 1) are by how much the two differ beside the crossing, D = 4 beta k/(k + 1)
/// (n_b - k)/(n_b - k + 1) (of rates without the last fraction). In place of the minimum one may pay B_difference below
/// k, (1 + y) B_ratio at k and (1 - y^2/D) B_ratio above, for any y in [0, min(alpha, sqrt(D/2))] set beforehand. Where
/// x_b is binomial or Poisson the mean is still at most 1: it is below B_difference at every point, and with t_j =
/// B_ratio(j) P(x_b = j) and u = t_k/t_(k-1) one has t_(k+1) = u^2 t_(k-1) D/(4 beta), so that E[step - B_ratio] <= -
/// t_(k-1) (sqrt(beta) - y u/(2 sqrt(beta)))^2 <= 0. That is power where intervals have few events: .1 % against .3 % at
/// 100 requests an arm is found after 383 intervals in place of 1,114. It is taken where it gains anything: n_b f/(r - 1)
/// at most 20, no more than twice as many events and 4 expected, and not in the first interval. (Requests of fixed and very different risks, a few that always fail, make
/// x_b less than binomial: its mean may then reach 1.045 in an interval. What was measured there is in
/// docs/concepts/floor.md.)
///
/// **Safe**, p_c >= max(R p_b, p_b + F): the points above both lines, so either line's factor, with -h for h, and any
/// choice between them that is made beforehand is valid on all of it. Taken is the line that binds at the level so far.
/// Half of the prior is one node more, "the canary is as the baseline". Without a single event the e-value is that of
/// the canary's requests alone, about 2.4/F of them are needed at an error of .2.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numbers>
#include <span>
#include <string_view>

#include <serinus/core/describe.hpp>
#include <serinus/core/evidence.hpp>
#include <serinus/numeric/elementary.hpp>
#include <serinus/numeric/simd.hpp>
#include <serinus/sequential/detail/anchored_prior.hpp>

namespace serinus {
inline namespace v0 {
namespace sequential {

/// What a margin with a floor is about: shares of requests, or events of an exposure (Poisson).
enum class FloorOf : bool { shares, rates };

/// What both arms have shown so far, intervals of 20 ago counting half: the bets are placed by it.
struct FloorLevel {
    double x_b = 0, n_b = 0, x_c = 0, n_c = 0;

    static constexpr double prior = 0.18;  // as BlockCounts'

    void add(double more_x_b, double more_n_b, double more_x_c, double more_n_c) {
        constexpr double kept = 0.96593632892484555;  // 2^(-1/20), as SharedLevel's
        x_b = kept * x_b + more_x_b;
        n_b = kept * n_b + more_n_b;
        x_c = kept * x_c + more_x_c;
        n_c = kept * n_c + more_n_c;
    }
    void join(const FloorLevel& other) {
        x_b += other.x_b;
        n_b += other.n_b;
        x_c += other.x_c;
        n_c += other.n_c;
    }
    FloorLevel swapped() const { return {x_c, n_c, x_b, n_b}; }
    bool empty() const { return n_b + n_c == 0; }

    /// The baseline's level if the canary is on the margin, given all that was counted: n_b p + n_c max(r p, p + f) = x.
    /// (Exposures have a unit of their own, so nothing may be added to them.)
    double on_margin(double ratio, double floor, FloorOf of) const {
        if (empty()) return 0;
        const double x = x_b + x_c, added = of == FloorOf::shares ? 2 * prior : 0;
        const double by_ratio = (x + prior) / (n_b + ratio * n_c + added);
        const double by_difference = (x - floor * n_c) / (n_b + n_c);
        double level = std::max(0.0, std::min(by_ratio, by_difference));
        if (of == FloorOf::shares) level = std::min(level, 0.999 * std::min(1 / ratio, 1 - floor));
        return level;
    }
    /// The level of both arms, if they have the same.
    double shared(FloorOf of) const {
        if (empty()) return 0.5;
        return (x_b + x_c + prior) / (n_b + n_c + (of == FloorOf::shares ? 2 * prior : 0));
    }

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("x_b", self.x_b);
        visit("n_b", self.n_b);
        visit("x_c", self.x_c);
        visit("n_c", self.n_c);
    }
};
static_assert(described_whole<FloorLevel>());

/// One interval, as a factor takes it. `odds` = n_c/n_b.
struct FloorCounts {
    double x_b, n_b, x_c, n_c;
    double odds = n_c / n_b;

    /// Exposures that differ by 10^290 leave nothing to bet with.
    bool usable() const { return odds > 1e-290 && odds < 1e290; }
};

/// The logarithms of `Size` factors K(x_c) min(B(x_b), B'(x_b)), side by side: each has a bet and two lines.
template <std::size_t Size>
struct FloorFactors {
    static_assert(Size % 4 == 0);
    using Numbers = std::array<double, Size>;

    /// The brackets less 1 of a bad and a good request: of the canary, and of the baseline on each line; then what an
    /// exposure adds.
    Numbers bad_c, good_c, bad_1, good_1, bad_2, good_2, offset_1, offset_2;
    Numbers value;  // what `find` found

    /// A bet h on the canary at c, above the larger of the two lines.
    SERINUS_ALWAYS_INLINE void set(std::size_t i, double h, double c, double ratio, double floor, double odds,
                                   double n_c, FloorOf of) noexcept {
        const double g = h * odds;
        if (of == FloorOf::rates) {
            set_rates(i, h, -ratio * g, -g, -n_c * h * floor);
            return;
        }
        const double a_1 = c / ratio, a_2 = c - floor;
        bad_c[i] = (1 - c) * h;
        good_c[i] = -c * h;
        bad_1[i] = -(1 - a_1) * ratio * g;
        good_1[i] = c * g;
        bad_2[i] = -(1 - a_2) * g;
        good_2[i] = a_2 * g;
        offset_1[i] = offset_2[i] = 0;
    }
    /// A bet -h, below one line, through (a, c), of slope s and intercept `from`.
    SERINUS_ALWAYS_INLINE void set_below(std::size_t i, double h, double c, double s, double a, double from,
                                         double odds, double n_c, FloorOf of) noexcept {
        const double g = s * h * odds;
        if (of == FloorOf::rates) {
            set_rates(i, -h, g, g, n_c * h * from);
            offset_1[i] = offset_2[i];
            return;
        }
        bad_c[i] = -(1 - c) * h;
        good_c[i] = c * h;
        bad_1[i] = bad_2[i] = (1 - a) * g;
        good_1[i] = good_2[i] = -a * g;
        offset_1[i] = offset_2[i] = 0;
    }

    /// Cost: 6 log1p a factor, 4 where both lines are one. Each bracket is replaced by its logarithm.
    void find(const FloorCounts& counts, FloorOf of, bool one_line = false) noexcept {
        const double good_b_weight = of == FloorOf::rates ? 0 : counts.n_b - counts.x_b;
        const double good_c_weight = of == FloorOf::rates ? 0 : counts.n_c - counts.x_c;
        const auto log1p = [](Numbers& numbers) { elementary::log1p(numbers, numbers); };
        log1p(bad_c);
        log1p(bad_1);
        if (one_line) {
            bad_2 = bad_1;
        } else {
            log1p(bad_2);
        }
        // (An exposure has no good ones: their brackets are 0, as the logarithms of 1 are.)
        if (of == FloorOf::shares) {
            log1p(good_c);
            log1p(good_1);
            if (one_line) {
                good_2 = good_1;
            } else {
                log1p(good_2);
            }
        }
        simd::widest([&]() SERINUS_ALWAYS_INLINE {
            for (std::size_t i = 0; i < Size; i += 4) {
                double block[4];
                for (std::size_t lane = 0; lane < 4; ++lane) {
                    const std::size_t at = i + lane;
                    const double one = (counts.x_b * bad_1[at] + good_b_weight * good_1[at]) + offset_1[at];
                    const double two = (counts.x_b * bad_2[at] + good_b_weight * good_2[at]) + offset_2[at];
                    block[lane] = (counts.x_c * bad_c[at] + good_c_weight * good_c[at]) + (two < one ? two : one);
                }
                for (std::size_t lane = 0; lane < 4; ++lane) value[i + lane] = block[lane];
            }
        });
    }

  private:
    SERINUS_ALWAYS_INLINE void set_rates(std::size_t i, double h, double by_1, double by_2, double offset) noexcept {
        bad_c[i] = h;
        bad_1[i] = by_1;
        bad_2[i] = by_2;
        good_c[i] = good_1[i] = good_2[i] = 0;
        offset_1[i] = 0;
        offset_2[i] = offset;
    }
};

/// The e-process of one direction. `beyond` +1: evidence that the canary lies beyond the margin; -1: within it.
class FloorProcess {
  public:
    static constexpr std::size_t most_nodes = AnchoredPrior::size + 1;

    FloorProcess(double ratio, double floor, int beyond, FloorOf of)
        : ratio_(ratio), floor_(floor), beyond_(beyond), of_(of), nodes_(&Nodes::of(beyond)) {
        size_ = beyond > 0 ? AnchoredPrior::size : most_nodes;
        log_mass_ = nodes_->log_weight;
        settle();
    }

    void update(double x_b, double n_b, double x_c, double n_c, double dispersion, const FloorLevel& level) {
        const FloorCounts counts{x_b, n_b, x_c, n_c};
        if (!counts.usable()) return;
        FloorFactors<padded> factors;
        beyond_ > 0 ? above(factors, counts, level) : below(factors, counts, level);
        // (Beyond this size a factor is 0 or decides; sums of it stay finite.)
        double most = -1e290;
        for (std::size_t j = 0; j < size_; ++j) {
            const double growth = std::clamp(factors.value[j] / dispersion, -1e290, 1e290);
            log_mass_[j] += growth;
            most = std::max(most, growth);
        }
        // A mean grows at most as much as its quickest term.
        log_at_most_ += most + 1e-12 + 1e-14 * std::fabs(log_at_most_);
    }

    double log_e_value() const { return elementary::log_sum_exp(log_mass()); }
    /// As ConditionalMixture's.
    double log_at_most() const noexcept { return log_at_most_; }
    double settle() { return log_at_most_ = log_e_value(); }

    void rescale(double factor) {
        const double shift = elementary::log(factor);
        for (double& mass : log_mass_) mass += shift;
        settle();
    }
    /// As ConditionalMixture's: one number a node holds all starts.
    void add_start(double weight) {
        const double shift = elementary::log(weight);
        for (std::size_t j = 0; j < size_; ++j)
            log_mass_[j] = elementary::log_add_exp(log_mass_[j], shift + nodes_->log_weight[j]);
        settle();
    }
    void merge(const FloorProcess& other) {
        for (std::size_t j = 0; j < size_; ++j) log_mass_[j] += other.log_mass_[j] - other.nodes_->log_weight[j];
        settle();
    }

    std::size_t size() const noexcept { return size_; }
    std::span<const double> log_mass() const noexcept { return {log_mass_.data(), size_}; }
    /// `log_mass` has `size()` numbers.
    void set_log_mass(std::span<const double> log_mass) {
        std::copy(log_mass.begin(), log_mass.end(), log_mass_.begin());
        settle();
    }

  private:
    static constexpr std::size_t padded = 36;   // whole vectors
    static constexpr double largest_bet = 0.9;  // of the one that a bracket allows

    /// The nodes, which all processes of a direction share.
    struct Nodes {
        std::array<double, padded> excess{};      // e^d - 1
        std::array<double, padded> log_weight{};  // of the prior

        explicit Nodes(int beyond) {
            const AnchoredPrior prior;
            log_weight.fill(-std::numeric_limits<double>::infinity());
            for (std::size_t j = 0; j < AnchoredPrior::size; ++j) {
                excess[j] = elementary::expm1(beyond * prior.distance[j]);
                log_weight[j] = prior.log_weight[j] - (beyond > 0 ? 0 : std::numbers::ln2);
            }
            // The node "as the baseline" has half of the prior, and is set at every interval.
            if (beyond < 0) log_weight[AnchoredPrior::size] = -std::numbers::ln2;
            for (std::size_t j = AnchoredPrior::size; j < padded; ++j) excess[j] = excess[AnchoredPrior::size - 1];
        }

        static const Nodes& of(int beyond) {
            static const std::array<Nodes, 2> all{Nodes(-1), Nodes(+1)};
            return all[beyond > 0 ? 1U : 0U];
        }
    };

    /// Where the margin's edge is thought to be: the canary's level c on it, and the line that binds there.
    struct Edge {
        double c, slope, a, from;  // c = from + slope a

        Edge(double level, double ratio, double floor, FloorOf of) {
            const bool by_ratio = ratio * level >= level + floor;
            // Of a floor of 0 and nothing counted any small number will do: what is bet depends on ratios only.
            c = std::max(by_ratio ? ratio * level : level + floor, of == FloorOf::shares ? 1e-12 : 1e-300);
            slope = by_ratio ? ratio : 1;
            a = by_ratio ? c / ratio : c - floor;
            from = by_ratio ? 0 : floor;
        }
    };

    void above(FloorFactors<padded>& factors, const FloorCounts& counts, const FloorLevel& level) const {
        const Edge edge(level.on_margin(ratio_, floor_, of_), ratio_, floor_, of_);
        const bool first = level.empty(), shares = of_ == FloorOf::shares;
        const double c = edge.c, v_b = shares ? 1 - edge.a : 1, v_c = shares ? 1 - c : 1;
        double most = 1 / (counts.odds * (shares ? std::max(ratio_ - c, 1 - c + floor_) : ratio_));
        if (shares) most = std::min(most, 1 / c);
        most *= largest_bet;
        // The first interval knows no level: the ratio's bet.
        const double scale = first ? 1 : c, constant = scale * v_c;
        const double slope = counts.odds * v_b * (first ? ratio_ : edge.slope * edge.slope * edge.a);
        const std::array<double, padded>& excess = nodes_->excess;
        simd::widest([&]() SERINUS_ALWAYS_INLINE {
            for (std::size_t j = 0; j < padded; ++j) {
                const double h = excess[j] * scale / (constant + (1 + excess[j]) * slope);
                factors.set(j, most < h ? most : h, c, ratio_, floor_, counts.odds, counts.n_c, of_);
            }
        });
        factors.find(counts, of_);
        if (!first) step(factors, counts, level);
    }

    void below(FloorFactors<padded>& factors, const FloorCounts& counts, const FloorLevel& level) const {
        const Edge edge(level.on_margin(ratio_, floor_, of_), ratio_, floor_, of_);
        const bool first = level.empty(), shares = of_ == FloorOf::shares;
        const double c = edge.c, v_b = shares ? 1 - edge.a : 1, v_c = shares ? 1 - c : 1;
        // (1 - 1e-12: a bracket of the canary that rounding would make 0.)
        double most = (1 - 1e-12) / v_c;
        if (shares) most = std::min(most, 0.98 / (counts.odds * edge.slope * std::max(edge.a, 1e-300)));
        const double scale = first ? 1 : c, constant = scale * v_c;
        const double slope = counts.odds * v_b * (first ? ratio_ : edge.slope * edge.slope * edge.a);
        const double same = level.shared(of_);
        const double as_baseline = same / std::max(ratio_ * same, same + floor_) - 1;
        const std::array<double, padded>& excesses = nodes_->excess;
        simd::widest([&]() SERINUS_ALWAYS_INLINE {
            for (std::size_t j = 0; j < padded; ++j) {
                const double excess = j < AnchoredPrior::size ? excesses[j] : as_baseline;
                const double h = -excess * scale / (constant + (1 + excess) * slope);
                factors.set_below(j, most < h ? most : h, c, edge.slope, edge.a, edge.from, counts.odds, counts.n_c,
                                  of_);
            }
        });
        factors.find(counts, of_, true);
    }

    /// Where x_b has reached a node's crossing, the step in place of the minimum. Below it both are one.
    void step(FloorFactors<padded>& factors, const FloorCounts& counts, const FloorLevel& level) const {
        const double x = counts.x_b, n_b = counts.n_b;
        if (x < 1 || !(ratio_ > 1) || !(floor_ > 0) || !(level.n_b > 0)) return;
        // Where a crossing is hardly ever met there is nothing to gain: with many events, or far more than it has.
        const double crossing = n_b * floor_ / (ratio_ - 1), mean = n_b * (level.x_b + 0.5) / level.n_b;
        if (crossing > 20 || mean > 2 * crossing + 4) return;
        const bool shares = of_ == FloorOf::shares;
        std::array<double, padded> k{}, alpha{}, beta{};
        bool met = false;
        for (std::size_t j = 0; j < size_; ++j) {
            const double log_rho = (factors.bad_2[j] - factors.bad_1[j]) + (factors.good_1[j] - factors.good_2[j]);
            const double log_a = shares ? n_b * (factors.good_2[j] - factors.good_1[j]) : factors.offset_2[j];
            if (!(log_rho > 0)) continue;
            const double first = std::floor(-log_a / log_rho) + 1;
            if (!(first >= 1 && first <= x && first < Poisson::size) || (shares && !(first < n_b - 1))) continue;
            k[j] = first;
            alpha[j] = log_a + first * log_rho;
            beta[j] = log_a + (first - 1) * log_rho;
            met = true;
        }
        if (!met) return;
        elementary::expm1(alpha, alpha);
        elementary::expm1(beta, beta);
        Poisson poisson;
        poisson.find(mean);
        std::array<double, padded> paid{};  // less 1, over what the ratio pays
        for (std::size_t j = 0; j < size_; ++j) {
            if (k[j] == 0) continue;
            double d = -4 * beta[j] * (k[j] / (k[j] + 1));
            if (shares) d *= (n_b - k[j]) / (n_b - k[j] + 1);
            const double at = poisson.at[static_cast<std::size_t>(k[j])];
            const double over = poisson.over[static_cast<std::size_t>(k[j])];
            const double sum = 2 * over + at;
            // The y that maximises the expected logarithm.
            double y = (-over + std::sqrt(over * over + sum * at * d)) / sum;
            y = std::min({y, alpha[j], std::sqrt(d / 2)});
            if (!(beta[j] < 0 && y > 0)) {
                k[j] = 0;
                continue;
            }
            paid[j] = x == k[j] ? y : -y * y / d;
        }
        elementary::log1p(paid, paid);
        const double good_b = shares ? n_b - x : 0, good_c = shares ? counts.n_c - counts.x_c : 0;
        for (std::size_t j = 0; j < size_; ++j) {
            if (k[j] == 0) continue;
            factors.value[j] = (counts.x_c * factors.bad_c[j] + good_c * factors.good_c[j]) +
                               (x * factors.bad_1[j] + good_b * factors.good_1[j]) + paid[j];
        }
    }

    /// P(X = k) and P(X > k) of a Poisson count with a mean of at most 44.
    struct Poisson {
        static constexpr std::size_t size = 64, reach = 128;
        std::array<double, reach> at, over;

        void find(double mean) {
            at[0] = elementary::exp(-mean);
            for (std::size_t k = 1; k < reach; ++k) at[k] = at[k - 1] * (mean / static_cast<double>(k));
            over[reach - 1] = 0;
            for (std::size_t k = reach - 1; k > 0; --k) over[k - 1] = over[k] + at[k];
        }
    };

    double ratio_, floor_;
    int beyond_;
    FloorOf of_;
    std::size_t size_ = 0;
    const Nodes* nodes_;
    std::array<double, padded> log_mass_{};  // log of prior x factors, all starts together
    double log_at_most_ = 0;
};

}  // namespace sequential
}  // namespace v0
}  // namespace serinus
