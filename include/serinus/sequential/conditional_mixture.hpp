#pragma once
/// \file
/// Evidence that one event rate exceeds another by more than a margin, from counts alone: the e-process inside
/// ProportionTest, and the likelihood curve that its intervals are read from.
///
/// An interval brings x_b events of n_b in the baseline and x_c of n_c in the canary. Given their sum K = x_b + x_c,
/// and with r the ratio of the rates, x_c is about Binomial(K, q(r)) with q(r) = r n_c/(r n_c + n_b): whatever the
/// common level does, it cancels. The likelihood ratio of r against the margin r0 is, with delta = log(r/r0) and q0 =
/// q(r0),
///
///     log L = x_c delta - K log(1 + q0 (e^delta - 1)),
///
/// summed over intervals. The e-value is its mean over a prior on r beyond the margin (Robbins 1970; Lindon and Malek
/// 2022 for the conditioning). It is exact for Bernoulli batches, not only for rare events: with a = e^delta/(1 + q0
/// (e^delta - 1)) and b = 1/(1 + q0 (e^delta - 1)), E[a^x_c b^x_b] <= exp(n_c p_c (a - 1) + n_b p_b (b - 1)) <= 1
/// whenever p_c <= r0 p_b and delta > 0 (or p_c >= r0 p_b and delta < 0), interval by interval, given the past.

#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <utility>

#include <serinus/core/elementary.hpp>
#include <serinus/core/root.hpp>

namespace serinus {
inline namespace v0 {
namespace sequential {

/// The prior: distances |log(r/r0)| from the margin and their weights. 33 distances, geometric from .003 to 3, weighted
/// by a half-normal density of standard deviation 0.7. Anchored at the margin: a grid that does not move with it is
/// blind to small excesses at high counts.
class AnchoredPrior {
  public:
    static constexpr std::size_t size = 33;

    AnchoredPrior() {
        constexpr double low = 0.003, high = 3, deviation = 0.7;
        const double step = elementary::log(high / low) / (size - 1);
        const double start = elementary::log(low);
        for (std::size_t j = 0; j < size; ++j) distance[j] = elementary::exp(start + step * static_cast<double>(j));
        double total = 0;
        std::array<double, size> weight{};
        for (std::size_t j = 0; j < size; ++j) {
            // The density times the length of line that the node stands for.
            const double below = distance[j == 0 ? 0 : j - 1], above = distance[j + 1 == size ? j : j + 1];
            const double length = j == 0 || j + 1 == size ? above - below : (above - below) / 2;
            weight[j] = elementary::exp(-distance[j] * distance[j] / (2 * deviation * deviation)) * length;
            total += weight[j];
        }
        for (std::size_t j = 0; j < size; ++j) log_weight[j] = elementary::log(weight[j] / total);
    }

    std::array<double, size> distance{};
    std::array<double, size> log_weight{};
};

/// The e-process of one direction. `beyond` +1: evidence that the ratio lies above the margin; -1: below it.
class ConditionalMixture {
  public:
    static constexpr std::size_t size = AnchoredPrior::size;

    /// `ratio` is the margin r0 > 0.
    ConditionalMixture(double ratio, int beyond) : ratio_(ratio) {
        const AnchoredPrior prior;
        log_weight_ = prior.log_weight;
        log_mass_ = prior.log_weight;
        for (std::size_t j = 0; j < size; ++j) {
            delta_[j] = beyond * prior.distance[j];
            excess_[j] = elementary::expm1(delta_[j]);
        }
    }

    /// Takes the counts of an interval; the log-likelihood is divided by `dispersion`.
    void update(double x_b, double n_b, double x_c, double n_c, double dispersion) {
        const double q0 = ratio_ * n_c / (ratio_ * n_c + n_b);
        const double events = x_b + x_c;
        std::array<double, size> normaliser;
        for (std::size_t j = 0; j < size; ++j) normaliser[j] = q0 * excess_[j];
        elementary::log1p(normaliser, normaliser);
        for (std::size_t j = 0; j < size; ++j) log_mass_[j] += (x_c * delta_[j] - events * normaliser[j]) / dispersion;
    }

    double log_e_value() const { return elementary::log_sum_exp(log_mass_); }

    /// Multiplies the e-value; see StartMixture.
    void rescale(double factor) {
        const double shift = elementary::log(factor);
        for (double& mass : log_mass_) mass += shift;
    }

    /// Adds a fresh start of the same e-process, worth `weight` now. Exact, and free of memory: a node's likelihood
    /// ratio multiplies all starts alike, so their sum is one number a node, however many starts there are.
    void add_start(double weight) {
        const double shift = elementary::log(weight);
        for (std::size_t j = 0; j < size; ++j)
            log_mass_[j] = elementary::log_add_exp(log_mass_[j], shift + log_weight_[j]);
    }

    /// Takes over what another one, of the same margin and direction and with one start as this one, has seen: log-
    /// likelihoods of different intervals add.
    void merge(const ConditionalMixture& other) {
        for (std::size_t j = 0; j < size; ++j) log_mass_[j] += other.log_mass_[j] - log_weight_[j];
    }

    const std::array<double, size>& log_mass() const noexcept { return log_mass_; }
    void set_log_mass(const std::array<double, size>& log_mass) noexcept { log_mass_ = log_mass; }

  private:
    double ratio_;
    std::array<double, size> delta_{};       // log(r/r0) of each node
    std::array<double, size> excess_{};      // e^delta - 1
    std::array<double, size> log_weight_{};  // of the prior
    std::array<double, size> log_mass_{};    // log of prior x likelihood ratio, all starts together
};

/// The conditional log-likelihood l(u) of u = log r over all intervals so far, in bounded memory: l, l' and l'' at 65
/// fixed nodes, read anywhere in [-7, 7] by quintic Hermite interpolation. The error of that is at most h^6/46080
/// max|l^(6)| <= h^6/46080 K/4, h the distance of the two nodes; bounds are rounded outward by it.
class LikelihoodCurve {
  public:
    static constexpr std::size_t size = 65;

    LikelihoodCurve() {
        // Nodes at sinh-spaced points: dense near r = 1, where intervals at high counts are short.
        constexpr double range = 7, bend = 3;
        const double scale = elementary::exp(bend) - elementary::exp(-bend);
        for (std::size_t k = 0; k < size; ++k) {
            const double t = bend * (static_cast<double>(k) - 32) / 32;
            node_[k] = k == 32 ? 0 : range * (elementary::exp(t) - elementary::exp(-t)) / scale;
            excess_[k] = elementary::expm1(node_[k]);
        }
        distance_ = AnchoredPrior().distance;
        log_weight_ = AnchoredPrior().log_weight;
    }

    void update(double x_b, double n_b, double x_c, double n_c, double dispersion) {
        const double q = n_c / (n_c + n_b);
        const double events = x_b + x_c;
        std::array<double, size> normaliser;
        for (std::size_t k = 0; k < size; ++k) normaliser[k] = q * excess_[k];
        elementary::log1p(normaliser, normaliser);
        for (std::size_t k = 0; k < size; ++k) {
            const double share = q * (1 + excess_[k]) / (1 + q * excess_[k]);
            value_[k] += (x_c * node_[k] - events * normaliser[k]) / dispersion;
            slope_[k] += (x_c - events * share) / dispersion;
            bend_[k] -= events * share * (1 - share) / dispersion;
        }
        events_ += events / dispersion;
    }

    /// The values of r at which the e-process above r equals 1/alpha_lower, and that below it 1/alpha_upper: every
    /// smaller, and every larger, ratio is excluded. 0 and infinity where nothing is. Cost: some 15 evaluations of 33
    /// nodes.
    std::pair<double, double> bounds(double alpha_lower, double alpha_upper) const {
        const Pieces pieces = interpolate();
        return {bound(pieces, +1, alpha_lower), bound(pieces, -1, alpha_upper)};
    }

    template <class Visitor, class Self>
    static void fields(Visitor& visit, Self& self) {
        visit("value", self.value_);
        visit("slope", self.slope_);
        visit("bend", self.bend_);
        visit("events", self.events_);
    }

  private:
    /// l on each stretch between two nodes, as a polynomial in t in [0, 1] that meets l, l' and l'' at both ends, and
    /// the largest error it can have.
    struct Piece {
        double length, error;
        std::array<double, 6> coefficient;
        double value(double t) const {
            const auto& c = coefficient;
            return c[0] + t * (c[1] + t * (c[2] + t * (c[3] + t * (c[4] + t * c[5]))));
        }
    };
    using Pieces = std::array<Piece, size - 1>;

    Pieces interpolate() const {
        Pieces pieces;
        for (std::size_t k = 0; k + 1 < size; ++k) {
            const double h = node_[k + 1] - node_[k], h2 = h * h;
            const double rise = value_[k + 1] - value_[k];
            const double s0 = h * slope_[k], s1 = h * slope_[k + 1];
            const double b0 = h2 * bend_[k], b1 = h2 * bend_[k + 1];
            pieces[k] = {
                h,
                h2 * h2 * h2 * events_ / (4 * 46080.0),
                {value_[k], s0, b0 / 2, 10 * rise - 6 * s0 - 4 * s1 - 1.5 * b0 + 0.5 * b1,
                 -15 * rise + 8 * s0 + 7 * s1 + 1.5 * b0 - b1, 6 * rise - 3 * s0 - 3 * s1 - 0.5 * b0 + 0.5 * b1}};
        }
        return pieces;
    }

    double bound(const Pieces& pieces, int beyond, double alpha) const {
        const double needed = -elementary::log(alpha);
        const auto excess = [&](double u) { return log_e_value(pieces, u, beyond) - needed; };
        // The likelihood's peak lies between two nodes; at the one on its far side nothing is excluded. From there
        // outwards, in steps of about the interval's width.
        std::size_t peak = 0;
        while (peak + 1 < size && slope_[peak + 1] > 0) ++peak;
        const double information = std::fmax(-bend_[peak], 1e-300);
        const double width = std::sqrt(2 * (needed + 2) / information);
        const double start = node_[beyond > 0 && peak + 1 < size ? peak + 1 : peak];
        const double end = beyond > 0 ? node_.front() : node_.back();
        double inside = start, at_inside = excess(inside);
        for (double step = 1;; step *= 2) {
            double outside = start - beyond * step * width;
            const bool last = !(beyond * (outside - end) > 0);
            if (last) outside = end;
            const double at_outside = excess(outside);
            if (at_outside > 0) {
                if (at_inside > 0) return elementary::exp(inside);  // the curve's end is excluded already
                // The end that is still excluded: rounded outward.
                constexpr double tolerance = 1e-10;
                return elementary::exp(beyond > 0
                                           ? narrow(excess, {outside, inside, at_outside, at_inside}, tolerance).lower
                                           : narrow(excess, {inside, outside, at_inside, at_outside}, tolerance).upper);
            }
            if (last) return beyond > 0 ? 0.0 : std::numeric_limits<double>::infinity();
            inside = outside;
            at_inside = at_outside;
        }
    }

    double log_e_value(const Pieces& pieces, double u, int beyond) const {
        std::size_t k = 0;
        for (std::size_t high = size - 1; high - k > 1;) {
            const std::size_t middle = (k + high) / 2;
            (node_[middle] <= u ? k : high) = middle;
        }
        const double here = pieces[k].value((u - node_[k]) / pieces[k].length);
        const double error_here = pieces[k].error;
        std::array<double, AnchoredPrior::size> terms;
        terms.fill(-std::numeric_limits<double>::infinity());
        for (std::size_t j = 0; j < terms.size(); ++j) {
            const double there = u + beyond * distance_[j];
            // A node beyond the curve counts nothing: less evidence, a wider interval.
            if (there < node_.front() || there > node_.back()) break;
            while (k + 2 < size && node_[k + 1] < there) ++k;
            while (k > 0 && node_[k] > there) --k;
            const Piece& piece = pieces[k];
            terms[j] =
                log_weight_[j] + (piece.value((there - node_[k]) / piece.length) - here) - (piece.error + error_here);
        }
        return elementary::log_sum_exp(terms);
    }

    std::array<double, size> node_{};
    std::array<double, size> excess_{};
    std::array<double, AnchoredPrior::size> distance_{};
    std::array<double, AnchoredPrior::size> log_weight_{};
    std::array<double, size> value_{};
    std::array<double, size> slope_{};
    std::array<double, size> bend_{};
    double events_ = 0;
};

}  // namespace sequential
}  // namespace v0
}  // namespace serinus
