#pragma once
/// \file
/// Evidence that one event rate exceeds another by more than a margin, from counts alone: the e-process inside
/// ProportionTest and RateTest. Their intervals are read from likelihood_curve.hpp.
///
/// An interval brings x_b events of n_b in the baseline and x_c of n_c in the canary; r is the ratio of the rates, r0
/// the margin, delta = log(r/r0) a node of the prior. The e-value is the mean over the prior of the product over
/// intervals of a node's factors (Robbins 1970, the mixture). There are two factors.
///
/// **Conditional** (Lindon and Malek 2022): given their sum K = x_b + x_c, x_c is about Binomial(K, q(r)) with q(r) = r
/// n_c/(r n_c + n_b): whatever the common level does, it cancels. With q0 = q(r0),
///
///     log L = x_c delta - K log(1 + q0 (e^delta - 1)).
///
/// **At a level** (Turner, Ly and Gruenwald 2021, arXiv 2106.02693, the factor of a block against its projection on
/// the null). That the sum is given is exact for rare events only: of shares p the conditional factor thinks that they
/// scatter by p where they scatter by p (1 - p), and above 50 % it finds next to nothing. So let p be a guess, made
/// before the interval, of the baseline's share if the canary is on the margin, and r0 p < 1 the canary's. With D = n_b
/// (1 - r0 p) + r0 n_c (1 - p), A = n_b/D and C = r0 n_c/D, a node bets by a number s,
///
///     log L = x_b log(1 - (1 - p) C s) + (n_b - x_b) log(1 + p C s)
///           + x_c log(1 + (1 - r0 p) A s) + (n_c - x_c) log(1 - r0 p A s),
///
/// the likelihood ratio of the shares p (1 - (1 - p) C s) and r0 p (1 + (1 - r0 p) A s) against p and r0 p, which is
/// their projection. s = e/(1 + q e), e = e^delta - 1, q = (1 - p) C, makes e^delta the ratio of the two shares over
/// r0; p = 0 is then the conditional factor. That is what is bet while r0 p is at most 1/32. Above, it would be shares
/// above 1 for some nodes, and coarse for the others: there s = e/(1 + p C + r0 p A e^delta + q e) makes e^delta nearly
/// the ratio of the two *odds* (but for a term in s^2, and always with shares within 0 and 1); for p -> 0 it is the
/// same.
///
/// **Proved**, for both, at every rate, size and split, whatever the rates do from interval to interval, if given the
/// past p_c <= r0 p_b and delta > 0 (or p_c >= r0 p_b and delta < 0): the mean of a factor is at most 1.
///
///   * Conditional: with a = e^delta/(1 + q0 (e^delta - 1)) and b = 1/(1 + q0 (e^delta - 1)), E[a^x_c b^x_b] <= exp(n_c
///     p_c (a - 1) + n_b p_b (b - 1)) <= 1.
///   * At a level: a request of the baseline has the mean 1 + C s (p - p_b), one of the canary 1 + A s (p_c - r0 p).
///     Since 1 + x <= e^x, the factor has at most the mean exp(n_b C s (p - p_b) + n_c A s (p_c - r0 p)) = exp((n_b
///     n_c/ D) s (p_c - r0 p_b)) <= 1: **p cancels**. So p may be any number that is known before the outcomes; a level
///     that is wrong, or drifts, costs power only. (Requests of one interval may have shares of their own: only their
///     sums enter.) Where the code puts a smaller number for a logarithm the mean only falls.
///
/// The power 1/phi of a factor, phi >= 1, has a mean of at most 1 as well (Jensen).

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

#include <serinus/numeric/elementary.hpp>
#include <serinus/numeric/simd.hpp>
#include <serinus/sequential/detail/anchored_prior.hpp>
#include <serinus/sequential/detail/shared_level.hpp>

namespace serinus {
inline namespace v0 {
namespace sequential {

namespace detail {

/// Does elementary's log1p_near_0_kernel hold for x?
SERINUS_ALWAYS_INLINE inline bool near_0(double x) noexcept { return x <= 0.39 && x >= -0.305; }

}  // namespace detail

/// The e-process of one direction. `beyond` +1: evidence that the ratio lies above the margin; -1: below it.
class ConditionalMixture {
  public:
    static constexpr std::size_t size = AnchoredPrior::size;

    /// `ratio` is the margin r0 > 0.
    ConditionalMixture(double ratio, int beyond, PriorShape shape = PriorShape::flat)
        : ratio_(ratio), nodes_(&Nodes::of(beyond, shape)) {
        log_mass_.fill(-std::numeric_limits<double>::infinity());
        std::copy(nodes_->log_weight.begin(), nodes_->log_weight.end(), log_mass_.begin());
        settle();
    }

    /// Takes the counts of an interval by the conditional factor; the log-likelihood is divided by `dispersion`.
    /// Returns the most that the logarithm of the e-value can have grown by.
    double update(double x_b, double n_b, double x_c, double n_c, double dispersion) {
        const double q0 = ratio_ * n_c / (ratio_ * n_c + n_b);
        const double events = x_b + x_c;
        double most = 0;
        simd::widest([&]() SERINUS_ALWAYS_INLINE {
            double growth[padded];
            conditional(*this, q0, events, x_c, growth);
            most = add(*this, growth, dispersion);
        });
        return grown(most);
    }

    /// The same by the factor at a level, that of the intervals before; while there was no event that is the
    /// conditional one. Of the first interval a quarter of the capital sits out, and the rest bets by the conditional
    /// factor: at 1 % that costs next to nothing, and at 90 % it keeps the nodes from losing all they have.
    double update(double x_b, double n_b, double x_c, double n_c, double dispersion, const SharedLevel& level) {
        if (level.events == 0) {
            if (!level.empty()) return update(x_b, n_b, x_c, n_c, dispersion);
            const double q0 = ratio_ * n_c / (ratio_ * n_c + n_b);
            const double events = x_b + x_c;
            double growth[padded];
            simd::widest([&]() SERINUS_ALWAYS_INLINE { conditional(*this, q0, events, x_c, growth); });
            for (double& one : growth) one = log_of_mostly(one / dispersion);
            double most = 0;
            simd::widest([&]() SERINUS_ALWAYS_INLINE { most = add(*this, growth, 1); });
            return grown(most);
        }
        const double p = level.share(ratio_);
        double most = 0;
        simd::widest([&]() SERINUS_ALWAYS_INLINE {
            double growth[padded];
            at_level(*this, Bet(p, ratio_, x_b, n_b, x_c, n_c), growth);
            most = add(*this, growth, dispersion);
        });
        return grown(most);
    }

    double log_e_value() const {
        double largest = 0, sum = 0;
        simd::widest([&]() SERINUS_ALWAYS_INLINE {
            largest = largest_of(log_mass_.data(), -std::numeric_limits<double>::infinity());
            sum = sum_of_masses(*this, largest);
        });
        return largest + elementary::log(sum);
    }

    /// The log of the mean of two directions' e-values. One logarithm for both.
    static double log_mean_e_value(const ConditionalMixture& one, const ConditionalMixture& other) {
        double largest = 0, sum = 0;
        simd::widest([&]() SERINUS_ALWAYS_INLINE {
            largest = largest_of(one.log_mass_.data(), -std::numeric_limits<double>::infinity());
            largest = largest_of(other.log_mass_.data(), largest);
            sum = sum_of_masses(one, largest) + sum_of_masses(other, largest);
        });
        return largest + elementary::log(0.5 * sum);
    }

    /// No less than `log_e_value()`, for a tenth of its cost: what it was when `settle` was called last, plus the most
    /// that it can have grown.
    double log_at_most() const noexcept { return log_at_most_; }
    double settle() { return log_at_most_ = log_e_value(); }

    /// Multiplies the e-value; see StartMixture.
    void rescale(double factor) {
        const double shift = elementary::log(factor);
        for (double& mass : log_mass_) mass += shift;
        settle();
    }

    /// Adds a fresh start of the same e-process, worth `weight` now. Exact, and free of memory: a node's likelihood
    /// ratio multiplies all starts alike, so their sum is one number a node, however many starts there are.
    void add_start(double weight) {
        // log_add_exp of each node, by arrays: a ChangeDetector does this every interval.
        const double shift = elementary::log(weight);
        std::array<double, size> larger, smaller;
        for (std::size_t j = 0; j < size; ++j) {
            const double fresh = shift + nodes_->log_weight[j];
            larger[j] = log_mass_[j] < fresh ? fresh : log_mass_[j];
            smaller[j] = (log_mass_[j] < fresh ? log_mass_[j] : fresh) - larger[j];
        }
        elementary::exp(smaller, smaller);
        elementary::log1p(smaller, smaller);
        for (std::size_t j = 0; j < size; ++j) log_mass_[j] = larger[j] + smaller[j];
        settle();
    }

    /// Takes over what another one, of the same margin and direction and with one start as this one, has seen: log-
    /// likelihoods of different intervals add. The prior stays this one's.
    void merge(const ConditionalMixture& other) {
        for (std::size_t j = 0; j < size; ++j) log_mass_[j] += other.log_mass_[j] - other.nodes_->log_weight[j];
        settle();
    }

    std::span<const double, size> log_mass() const noexcept { return std::span(log_mass_).template first<size>(); }
    void set_log_mass(const std::array<double, size>& log_mass) {
        std::copy(log_mass.begin(), log_mass.end(), log_mass_.begin());
        settle();
    }

  private:
    static constexpr std::size_t padded = 36;     // whole vectors: beyond `size` the last node again, without mass
    static constexpr std::size_t near = 20;       // nodes whose factor at a level needs no logarithm
    static constexpr std::size_t far = 4;         // what the others bet on where they share
    static constexpr std::size_t neighbours = 3;  // that share one; the last has the node at the end as well

    /// The nodes, which all mixtures of a direction and a prior share.
    struct Nodes {
        std::array<double, padded> delta{};     // log(r/r0)
        std::array<double, padded> excess{};    // e^delta - 1
        std::array<double, far> far_excess{};   // the same midway between neighbours
        std::array<double, size> log_weight{};  // of the prior

        Nodes(int beyond, PriorShape shape) {
            const AnchoredPrior prior(shape);
            log_weight = prior.log_weight;
            for (std::size_t j = 0; j < padded; ++j) {
                delta[j] = beyond * prior.distance[j < size ? j : size - 1];
                excess[j] = elementary::expm1(delta[j]);
            }
            for (std::size_t i = 0; i < far; ++i) {
                const std::size_t first = near + neighbours * i, last = i + 1 < far ? first + neighbours - 1 : size - 1;
                far_excess[i] = elementary::expm1(std::sqrt(delta[first] * delta[last]) * beyond);
            }
        }

        static const Nodes& of(int beyond, PriorShape shape) {
            static const std::array<Nodes, 4> all{Nodes(-1, PriorShape::half_normal),
                                                  Nodes(+1, PriorShape::half_normal), Nodes(-1, PriorShape::flat),
                                                  Nodes(+1, PriorShape::flat)};
            return all[(shape == PriorShape::flat ? 2U : 0U) + (beyond > 0 ? 1U : 0U)];
        }
    };

    /// A mean grows at most as much as its quickest term. (Masses far below this bound, whose rounding is larger, have
    /// no part in the mean.)
    double grown(double most) noexcept {
        most += 1e-12 + 1e-14 * std::fabs(log_at_most_);
        log_at_most_ += most;
        return most;
    }
    /// Adds each node's log-likelihood ratio to its mass, and returns the largest.
    SERINUS_ALWAYS_INLINE static double add(ConditionalMixture& mixture, double* growth, double dispersion) noexcept {
        if (dispersion != 1) {
            for (std::size_t j = 0; j < padded; ++j) growth[j] /= dispersion;
        }
        for (std::size_t j = 0; j < padded; ++j) mixture.log_mass_[j] += growth[j];
        return largest_of(growth, -std::numeric_limits<double>::infinity());
    }

    /// log(1/4 + 3/4 e^x).
    static double log_of_mostly(double x) {
        return elementary::log_add_exp(elementary::log(0.25), elementary::log(0.75) + x);
    }

    /// The conditional factor's logarithm of each node.
    SERINUS_ALWAYS_INLINE static void conditional(const ConditionalMixture& mixture, double q0, double events,
                                                  double x_c, double* growth) noexcept {
        for (std::size_t j = 0; j < padded; j += 4) {
            double block[4];
            const double* const delta = mixture.nodes_->delta.data() + j;
            const double* const excess = mixture.nodes_->excess.data() + j;
            // The last of the four is the furthest from 0.
            if (detail::near_0(q0 * excess[3])) {
                for (std::size_t lane = 0; lane < 4; ++lane) {
                    block[lane] =
                        x_c * delta[lane] - events * elementary::detail::log1p_near_0_kernel(q0 * excess[lane]);
                }
            } else {
                for (std::size_t lane = 0; lane < 4; ++lane) {
                    const double x = q0 * excess[lane];
                    block[lane] = x_c * delta[lane] - events * elementary::detail::log1p_inside_kernel(x, 1 / (1 + x));
                }
            }
            for (std::size_t lane = 0; lane < 4; ++lane) growth[j + lane] = block[lane];
        }
    }

    /// What the factors of an interval at a level have in common: log L = sum of weight log(1 + y s) over the four
    /// kinds of requests.
    ///
    /// Where every |y s| is at most 1/5 one polynomial in s stands for all four logarithms: that of log(1 + z) is z -
    /// z^2/2 + ... + z^7/7 - (1/8 + 1/36) z^8 <= log(1 + z), since what follows z^7/7 is at least -z^8/8 for z >= 0
    /// and, for z < 0, at least -z^8 (1/8 + (1/5 + 1/25 + ...)/9). Each weight is at least 0, so that the factor is at
    /// most the true one, and its mean at most 1; what is lost of a logarithm is at most 7e-6 of z^2/2.
    struct Bet {
        static constexpr double few = 1.0 / 32;
        static constexpr double reach = 0.2;
        static constexpr std::size_t degree = 8;

        SERINUS_ALWAYS_INLINE Bet(double p, double ratio, double baseline_x, double n_b, double canary_x, double n_c)
            : x_b(baseline_x), x_c(canary_x), good_b(n_b - baseline_x), good_c(n_c - canary_x) {
            const double p_c = ratio * p;
            const double d = 1 / (n_b * (1 - p_c) + ratio * n_c * (1 - p));
            const double a = n_b * d, c = ratio * n_c * d;
            bad_b_by = (1 - p) * c;
            good_b_by = p * c;
            bad_c_by = (1 - p_c) * a;
            good_c_by = p_c * a;
            by_ratio = std::max(p, p_c) <= few;
            constant = by_ratio ? 1 : 1 + good_b_by + good_c_by;
            slope = by_ratio ? bad_b_by : bad_b_by + good_c_by;
            constexpr double coefficient[degree] = {1,       -1.0 / 2, 1.0 / 3, -1.0 / 4,
                                                    1.0 / 5, -1.0 / 6, 1.0 / 7, -(1.0 / 8 + 1.0 / 36)};
            double one[degree], other[degree];
            powers(good_b, good_b_by, one);
            powers(good_c, -good_c_by, other);
            for (std::size_t k = 0; k < degree; ++k) one[k] += other[k];
            for (std::size_t k = 0; k < degree; ++k) good[k] = coefficient[k] * one[k];
            powers(x_c, bad_c_by, other);
            for (std::size_t k = 0; k < degree; ++k) one[k] += other[k];
            powers(x_b, -bad_b_by, other);
            for (std::size_t k = 0; k < degree; ++k) all[k] = coefficient[k] * (one[k] + other[k]);
            // To first order requests cancel, n_b good_b_by = n_c good_c_by, and events are left.
            good[0] = x_c * good_c_by - x_b * good_b_by;
            all[0] = x_c * a - x_b * c;
        }

        double x_b, x_c, good_b, good_c;                  // weights
        double bad_b_by, bad_c_by, good_b_by, good_c_by;  // |y|; with the signs -, +, +, -
        bool by_ratio;                                    // nodes are ratios of shares, else of odds
        double constant, slope;                           // s = excess/(constant + slope excess)
        double good[degree], all[degree];                 // the polynomials, of the good requests alone and of all

      private:
        /// weight y, weight y^2, ..., weight y^8.
        SERINUS_ALWAYS_INLINE static void powers(double weight, double y, double* power) noexcept {
            const double square = y * y;
            const double low[4] = {y, square, square * y, square * square};
            for (std::size_t k = 0; k < 4; ++k) power[k] = weight * low[k];
            for (std::size_t k = 0; k < 4; ++k) power[4 + k] = power[k] * low[3];
        }
    };

    /// The factor's logarithm of each node at a level.
    ///
    /// The first 20 nodes, up to e^|delta| = 1.2, need no logarithm. Neither a y nor `slope` is above `constant`, so
    /// that |y s| is at most e <= 1/5 for delta > 0, and at most |e|/(1 - |e|) <= 1/5 for delta < 0.
    ///
    /// The other 13 have four logarithms each where odds are bet on. There they share four s, one for three or four
    /// neighbours, midway between them: a factor of 1.9 in |delta| from one to the next, which the delays do not show,
    /// for a harm as large is found in few intervals.
    SERINUS_ALWAYS_INLINE static void at_level(const ConditionalMixture& mixture, const Bet& bet,
                                               double* growth) noexcept {
        for (std::size_t j = 0; j < near; j += 4) {
            double inverse[4], s[4];
            stakes(bet, mixture.nodes_->excess.data() + j, inverse, s);
            polynomial(bet.all, s, growth + j);
        }
        if (bet.by_ratio) {
            for (std::size_t j = near; j < padded; j += 4) {
                const double* const delta = mixture.nodes_->delta.data() + j;
                const double* const excess = mixture.nodes_->excess.data() + j;
                double inverse[4], s[4], block[4], events_by[4];
                stakes(bet, excess, inverse, s);
                goods(bet, s, block);
                // The last of the four is the furthest from 0.
                if (detail::near_0(bet.slope * excess[3])) {
                    for (std::size_t lane = 0; lane < 4; ++lane)
                        events_by[lane] = elementary::detail::log1p_near_0_kernel(bet.slope * excess[lane]);
                } else {
                    for (std::size_t lane = 0; lane < 4; ++lane) {
                        events_by[lane] =
                            elementary::detail::log1p_inside_kernel(bet.slope * excess[lane], inverse[lane]);
                    }
                }
                const double events = bet.x_b + bet.x_c;
                for (std::size_t lane = 0; lane < 4; ++lane)
                    growth[j + lane] = block[lane] + (bet.x_c * delta[lane] - events * events_by[lane]);
            }
            return;
        }
        double inverse[4], s[4], block[4], of_b[4], of_c[4];
        stakes(bet, mixture.nodes_->far_excess.data(), inverse, s);
        goods(bet, s, block);
        log1p(-bet.bad_b_by, s, of_b);
        log1p(bet.bad_c_by, s, of_c);
        for (std::size_t lane = 0; lane < 4; ++lane) block[lane] += bet.x_b * of_b[lane] + bet.x_c * of_c[lane];
        for (std::size_t lane = 0; lane < far; ++lane) {
            for (std::size_t k = 0; k < neighbours; ++k) growth[near + neighbours * lane + k] = block[lane];
        }
        for (std::size_t j = near + neighbours * far; j < padded; ++j) growth[j] = block[far - 1];
    }

    SERINUS_ALWAYS_INLINE static void stakes(const Bet& bet, const double* excess, double* inverse,
                                             double* s) noexcept {
        for (std::size_t lane = 0; lane < 4; ++lane) inverse[lane] = 1 / (bet.constant + bet.slope * excess[lane]);
        for (std::size_t lane = 0; lane < 4; ++lane) s[lane] = excess[lane] * inverse[lane];
    }
    /// The part of the good requests.
    SERINUS_ALWAYS_INLINE static void goods(const Bet& bet, const double* s, double* value) noexcept {
        if (std::fabs(s[3]) * std::max(bet.good_b_by, bet.good_c_by) <= Bet::reach) {
            polynomial(bet.good, s, value);
            return;
        }
        double of_b[4], of_c[4];
        log1p(bet.good_b_by, s, of_b);
        log1p(-bet.good_c_by, s, of_c);
        for (std::size_t lane = 0; lane < 4; ++lane) value[lane] = bet.good_b * of_b[lane] + bet.good_c * of_c[lane];
    }
    SERINUS_ALWAYS_INLINE static void polynomial(const double* coefficient, const double* s, double* value) noexcept {
        double sum[4];
        for (std::size_t lane = 0; lane < 4; ++lane) sum[lane] = coefficient[Bet::degree - 1];
        for (std::size_t k = Bet::degree - 1; k-- > 0;) {
            for (std::size_t lane = 0; lane < 4; ++lane) sum[lane] = coefficient[k] + s[lane] * sum[lane];
        }
        for (std::size_t lane = 0; lane < 4; ++lane) value[lane] = s[lane] * sum[lane];
    }
    /// log(1 + y s) of four s of one sign, the last of which is the furthest from 0.
    SERINUS_ALWAYS_INLINE static void log1p(double y, const double* s, double* value) noexcept {
        if (detail::near_0(y * s[3])) {
            for (std::size_t lane = 0; lane < 4; ++lane)
                value[lane] = elementary::detail::log1p_near_0_kernel(y * s[lane]);
        } else {
            for (std::size_t lane = 0; lane < 4; ++lane) {
                const double x = y * s[lane];
                value[lane] = elementary::detail::log1p_inside_kernel(x, 1 / (1 + x));
            }
        }
    }

    /// The largest of `padded` numbers, or `least` where that is larger.
    SERINUS_ALWAYS_INLINE static double largest_of(const double* numbers, double least) noexcept {
        double most[4] = {least, least, least, least};
        for (std::size_t j = 0; j < padded; j += 4) {
            for (std::size_t lane = 0; lane < 4; ++lane)
                most[lane] = most[lane] < numbers[j + lane] ? numbers[j + lane] : most[lane];
        }
        const double left = most[0] < most[1] ? most[1] : most[0], right = most[2] < most[3] ? most[3] : most[2];
        return left < right ? right : left;
    }
    /// The sum of exp(mass - largest): elementary::log_sum_exp's, bit for bit.
    SERINUS_ALWAYS_INLINE static double sum_of_masses(const ConditionalMixture& mixture, double largest) noexcept {
        const std::array<double, padded>& mass = mixture.log_mass_;
        double sum[4] = {};
        for (std::size_t j = 0; j < padded; j += 4) {
            double block[4];
            for (std::size_t lane = 0; lane < 4; ++lane)
                block[lane] = elementary::detail::exp_beside_one(mass[j + lane] - largest);
            for (std::size_t lane = 0; lane < 4; ++lane) sum[lane] += block[lane];
        }
        return (sum[0] + sum[1]) + (sum[2] + sum[3]);
    }

    double ratio_;
    const Nodes* nodes_;
    std::array<double, padded> log_mass_{};  // log of prior x likelihood ratio, all starts together; then -infinity
    double log_at_most_ = 0;                 // see `log_at_most`; never decides anything by itself
};

}  // namespace sequential
}  // namespace v0
}  // namespace serinus
