#pragma once
/// \file
/// The log-likelihood of a ratio of two rates as a curve, from which the interval of ProportionTest and RateTest is read.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numbers>
#include <utility>

#include <serinus/numeric/elementary.hpp>
#include <serinus/numeric/root.hpp>
#include <serinus/numeric/simd.hpp>
#include <serinus/sequential/detail/anchored_prior.hpp>
#include <serinus/sequential/detail/conditional_mixture.hpp>

namespace serinus {
inline namespace v0 {
namespace sequential {

/// The conditional log-likelihood l(u) of u = log r over all intervals so far, in bounded memory: l, l' and l'' at 65
/// fixed nodes, read anywhere in [-7, 7] by quintic Hermite interpolation. The error of that is at most h^6/46080
/// max|l^(6)| <= h^6/46080 K/4, h the distance of the two nodes; bounds are rounded outward by it.
class LikelihoodCurve {
  public:
    static constexpr std::size_t size = 65;

    /// The intervals are those of a ConditionalMixture with this prior.
    explicit LikelihoodCurve(PriorShape shape = PriorShape::flat) : grid_(&Grid::of(shape)) {}

    void update(double x_b, double n_b, double x_c, double n_c, double dispersion) {
        const double q = n_c / (n_c + n_b);
        const double events = x_b + x_c;
        simd::widest([&]() SERINUS_ALWAYS_INLINE {
            if (dispersion == 1) {
                advance<false>(*this, q, events, x_c, 1);
            } else {
                advance<true>(*this, q, events, x_c, dispersion);
            }
        });
        events_ += events / dispersion;
    }

    /// The values of r at which the e-process above r equals 1/alpha_lower, and that below it 1/alpha_upper: every
    /// smaller, and every larger, ratio is excluded. 0 and infinity where nothing is. Cost: about five evaluations of
    /// 33 nodes a bound.
    std::pair<double, double> bounds(double alpha_lower, double alpha_upper) const {
        const Pieces pieces = interpolate();
        return {bound(pieces, +1, alpha_lower), bound(pieces, -1, alpha_upper)};
    }

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("value", self.value_);
        visit("slope", self.slope_);
        visit("bend", self.bend_);
        visit("events", self.events_);
    }

  private:
    static constexpr std::size_t stretches = size - 1;
    static constexpr std::size_t whole = 68;  // the nodes in whole vectors
    static constexpr double range = 7;
    static constexpr double cells_per_unit = 16;  // the closest nodes are 0.0656 apart
    static constexpr std::size_t cells = 14 * 16 + 1;
    static constexpr std::size_t padded = 36;  // the prior's nodes in whole vectors

    /// The nodes and the prior, which all curves of a prior share.
    struct Grid {
        std::array<double, size> node{};
        std::array<double, whole> excess{};       // e^node - 1; beyond `size` that of the last node
        std::array<std::uint8_t, cells> first{};  // the stretch that each cell begins in
        std::array<double, stretches> length{};   // from a node to the next
        std::array<double, stretches> inverse{};
        std::array<double, stretches> next{};   // where it ends; the last never does
        std::array<double, stretches> error{};  // of the interpolation there, an event
        std::array<double, AnchoredPrior::size> distance{};
        std::array<double, AnchoredPrior::size> log_weight{};

        explicit Grid(PriorShape shape) {
            // Nodes at sinh-spaced points: dense near r = 1, where intervals at high counts are short.
            constexpr double bend = 3;
            const double scale = elementary::exp(bend) - elementary::exp(-bend);
            for (std::size_t k = 0; k < size; ++k) {
                const double t = bend * (static_cast<double>(k) - 32) / 32;
                node[k] = k == 32 ? 0 : range * (elementary::exp(t) - elementary::exp(-t)) / scale;
                excess[k] = elementary::expm1(node[k]);
            }
            for (std::size_t k = size; k < whole; ++k) excess[k] = excess[size - 1];
            for (std::size_t k = 0; k + 1 < size; ++k) {
                const double h = node[k + 1] - node[k];
                length[k] = h;
                inverse[k] = 1 / h;
                next[k] = k + 1 < stretches ? node[k + 1] : std::numeric_limits<double>::infinity();
                error[k] = h * h * (h * h) * (h * h) / (4 * 46080.0);
            }
            std::uint8_t k = 0;
            for (std::size_t cell = 0; cell < cells; ++cell) {
                const double from = static_cast<double>(cell) / cells_per_unit - range;
                while (k + 1U < stretches && node[k + 1U] <= from) ++k;
                first[cell] = k;
            }
            const AnchoredPrior prior(shape);
            distance = prior.distance;
            log_weight = prior.log_weight;
        }

        static const Grid& of(PriorShape shape) {
            static const std::array<Grid, 2> all{Grid(PriorShape::half_normal), Grid(PriorShape::flat)};
            return all[shape == PriorShape::flat ? 1U : 0U];
        }
    };

    /// One interval's part of l, l' and l'' at every node.
    template <bool dispersed>
    SERINUS_ALWAYS_INLINE static void advance(LikelihoodCurve& curve, double q, double events, double x_c,
                                              double dispersion) noexcept {
        double inverse[whole], log1p[whole];  // of 1 + q excess
        for (std::size_t k = 0; k < whole; k += 4) {
            double one[4], other[4];
            const double* const excess = curve.grid_->excess.data() + k;
            for (std::size_t lane = 0; lane < 4; ++lane) one[lane] = 1 / (1 + q * excess[lane]);
            // Those between the first and the last of the four are nearer to 0.
            if (detail::near_0(q * excess[0]) && detail::near_0(q * excess[3])) {
                for (std::size_t lane = 0; lane < 4; ++lane)
                    other[lane] = elementary::detail::log1p_near_0_kernel(q * excess[lane]);
            } else {
                for (std::size_t lane = 0; lane < 4; ++lane)
                    other[lane] = elementary::detail::log1p_inside_kernel(q * excess[lane], one[lane]);
            }
            for (std::size_t lane = 0; lane < 4; ++lane) inverse[k + lane] = one[lane];
            for (std::size_t lane = 0; lane < 4; ++lane) log1p[k + lane] = other[lane];
        }
        // What is kept is apart from the grid, which compilers cannot know of two pointers.
        const double* const node = curve.grid_->node.data();
        const double* const excess = curve.grid_->excess.data();
        double* const __restrict values = curve.value_.data();
        double* const __restrict slopes = curve.slope_.data();
        double* const __restrict bends = curve.bend_.data();
        for (std::size_t k = 0; k < size; ++k) {
            const double share = q * (1 + excess[k]) * inverse[k];
            double value = x_c * node[k] - events * log1p[k];
            double slope = x_c - events * share;
            double bend = events * share * (1 - share);
            if constexpr (dispersed) {
                value /= dispersion;
                slope /= dispersion;
                bend /= dispersion;
            }
            values[k] += value;
            slopes[k] += slope;
            bends[k] -= bend;
        }
    }

    /// l on each stretch between two nodes, as a polynomial in t in [0, 1] that meets l, l' and l'' at both ends.
    struct Pieces {
        std::array<std::array<double, stretches>, 6> coefficient;
    };

    Pieces interpolate() const {
        Pieces pieces;
        simd::widest([&]() SERINUS_ALWAYS_INLINE { fit(pieces, *this); });
        return pieces;
    }
    SERINUS_ALWAYS_INLINE static void fit(Pieces& pieces, const LikelihoodCurve& curve) noexcept {
        auto& c = pieces.coefficient;
        for (std::size_t k = 0; k < stretches; ++k) {
            const double h = curve.grid_->length[k], h2 = h * h;
            const double rise = curve.value_[k + 1] - curve.value_[k];
            const double s0 = h * curve.slope_[k], s1 = h * curve.slope_[k + 1];
            const double b0 = h2 * curve.bend_[k], b1 = h2 * curve.bend_[k + 1];
            c[0][k] = curve.value_[k];
            c[1][k] = s0;
            c[2][k] = b0 / 2;
            c[3][k] = 10 * rise - 6 * s0 - 4 * s1 - 1.5 * b0 + 0.5 * b1;
            c[4][k] = -15 * rise + 8 * s0 + 7 * s1 + 1.5 * b0 - b1;
            c[5][k] = 6 * rise - 3 * s0 - 3 * s1 - 0.5 * b0 + 0.5 * b1;
        }
    }

    /// The log e-value anchored at u less what is needed, and its derivative in u.
    struct Excess {
        double value, slope;
    };

    double bound(const Pieces& pieces, int beyond, double alpha) const {
        const double needed = -elementary::log(alpha);
        const auto excess = [&](double u) { return excess_at(pieces, u, beyond, needed); };
        const double end = beyond > 0 ? grid_->node.front() : grid_->node.back();
        // The likelihood's peak lies between two nodes; at the one on its far side nothing is excluded. Outwards the
        // evidence rises, ever more steeply.
        std::size_t peak = 0;
        while (peak + 1 < size && slope_[peak + 1] > 0) ++peak;
        const double start = grid_->node[beyond > 0 && peak + 1 < size ? peak + 1 : peak];
        if (peak + 1 < size && slope_[peak] > 0) {
            // The first guess takes the likelihood for a normal one and the prior for a half-normal (as high at the
            // margin as the flat one has a deviation of .68): then log E = log 2 - log(1 + I/rho)/2 + (I d)^2/(2 (I +
            // rho)) at a distance d from the peak.
            constexpr double rho = 1 / (0.7 * 0.7);
            const double part = slope_[peak] / (slope_[peak] - slope_[peak + 1]);
            const double information = -(bend_[peak] + part * (bend_[peak + 1] - bend_[peak]));
            const double loss = elementary::log(1 + information / rho) / 2 - std::numbers::ln2;
            const double target = std::sqrt(std::fmax(needed + loss, 0.0));
            double u = grid_->node[peak] + part * grid_->length[peak] -
                       beyond * target * std::sqrt(2 * (information + rho)) / information;
            constexpr double tolerance = 1e-9;
            for (int i = 0; i < 12; ++i) {
                // (Where the guess is none, neither.)
                if (!(beyond * (u - end) > 0)) u = end;
                const Excess here = excess(u);
                // Newton's step for the root of the evidence, which is nearly a line where the evidence is a parabola.
                const double root = std::sqrt(std::fmax(here.value + needed + loss, 0.0));
                const double step = here.value / here.slope * (root > 0 ? 2 * root / (root + target) : 1);
                if (here.value >= 0 && std::fabs(step) <= tolerance) return elementary::exp(u);
                if (u == end && here.value < 0) return beyond > 0 ? 0.0 : std::numeric_limits<double>::infinity();
                if (!(here.slope * beyond < 0)) break;
                // A little beyond the root, so as to end on the side that is excluded: rounded outward.
                u -= step + beyond * tolerance / 4;
                if (beyond * (u - start) > 0) break;
            }
        }
        // No peak, or a curve whose errors are steps: from the far side outwards, then between two points.
        double inside = start, at_inside = excess(inside).value;
        const double width = std::sqrt(2 * (needed + 2) / std::fmax(-bend_[peak], 1e-300));
        for (double step = 1;; step *= 2) {
            double outside = start - beyond * step * width;
            const bool last = !(beyond * (outside - end) > 0);
            if (last) outside = end;
            const double at_outside = excess(outside).value;
            if (at_outside > 0) {
                if (at_inside > 0) return elementary::exp(inside);  // the curve's end is excluded already
                constexpr double tolerance = 1e-10;
                const auto value = [&](double u) { return excess(u).value; };
                return elementary::exp(beyond > 0
                                           ? narrow(value, {outside, inside, at_outside, at_inside}, tolerance).lower
                                           : narrow(value, {inside, outside, at_inside, at_outside}, tolerance).upper);
            }
            if (last) return beyond > 0 ? 0.0 : std::numeric_limits<double>::infinity();
            inside = outside;
            at_inside = at_outside;
        }
    }

    Excess excess_at(const Pieces& pieces, double u, int beyond, double needed) const {
        Terms terms;
        terms.place.fill(u);
        terms.weight.fill(-std::numeric_limits<double>::infinity());
        for (std::size_t j = 0; j < AnchoredPrior::size; ++j) {
            const double there = u + beyond * grid_->distance[j];
            // A node beyond the curve counts nothing: less evidence, a wider interval.
            if (there < grid_->node.front() || there > grid_->node.back()) break;
            terms.place[j] = there;
            terms.weight[j] = grid_->log_weight[j];
        }
        if (terms.weight[0] != grid_->log_weight[0]) return {terms.weight[0], 0};
        simd::widest([&]() SERINUS_ALWAYS_INLINE { weigh(*this, pieces, terms); });
        const double sum = (terms.sum[0] + terms.sum[1]) + (terms.sum[2] + terms.sum[3]);
        const double product = (terms.product[0] + terms.product[1]) + (terms.product[2] + terms.product[3]);
        return {terms.largest + elementary::log(sum) - needed, product / sum};
    }

    /// What the e-process anchored at u is made of: l at the prior's nodes, then at u itself.
    struct Terms {
        std::array<double, padded> place, weight;
        double largest = 0;
        std::array<double, 4> sum{}, product{};  // of exp(term - largest), and of that times its slope, in four lanes
    };

    SERINUS_ALWAYS_INLINE static void weigh(const LikelihoodCurve& curve, const Pieces& pieces, Terms& terms) noexcept {
        const auto& c = pieces.coefficient;
        const double events = curve.events_;
        double value[padded], slope[padded], error[padded];
        for (std::size_t j = 0; j < padded; j += 4) {
            double t[4], inverse[4], part[6][4];
            for (std::size_t lane = 0; lane < 4; ++lane) {
                const double place = terms.place[j + lane];
                std::size_t k = curve.grid_->first[static_cast<std::uint32_t>((place + range) * cells_per_unit)];
                // No cell holds more than one node.
                k += curve.grid_->next[k] <= place ? 1U : 0U;
                t[lane] = place - curve.grid_->node[k];
                inverse[lane] = curve.grid_->inverse[k];
                error[j + lane] = curve.grid_->error[k];
                for (std::size_t i = 0; i < 6; ++i) part[i][lane] = c[i][k];
            }
            for (std::size_t lane = 0; lane < 4; ++lane) {
                const double x = t[lane] * inverse[lane];
                const double c1 = part[1][lane], c2 = part[2][lane], c3 = part[3][lane], c4 = part[4][lane],
                             c5 = part[5][lane];
                value[j + lane] = part[0][lane] + x * (c1 + x * (c2 + x * (c3 + x * (c4 + x * c5))));
                slope[j + lane] = (c1 + x * (2 * c2 + x * (3 * c3 + x * (4 * c4 + x * (5 * c5))))) * inverse[lane];
            }
        }
        constexpr std::size_t own = AnchoredPrior::size;  // the first place behind the prior's is u
        const double here = value[own] + error[own] * events, slope_here = slope[own];
        double most[4];
        for (std::size_t lane = 0; lane < 4; ++lane) most[lane] = terms.weight[padded - 1];
        for (std::size_t j = 0; j < padded; j += 4) {
            for (std::size_t lane = 0; lane < 4; ++lane) {
                const double term = terms.weight[j + lane] + ((value[j + lane] - error[j + lane] * events) - here);
                value[j + lane] = term;
                most[lane] = most[lane] < term ? term : most[lane];
            }
        }
        const double left = most[0] < most[1] ? most[1] : most[0], right = most[2] < most[3] ? most[3] : most[2];
        const double largest = left < right ? right : left;
        double sum[4] = {}, product[4] = {};
        for (std::size_t j = 0; j < padded; j += 4) {
            double weight[4];
            for (std::size_t lane = 0; lane < 4; ++lane)
                weight[lane] = elementary::detail::exp_kernel(value[j + lane] - largest);
            for (std::size_t lane = 0; lane < 4; ++lane) sum[lane] += weight[lane];
            for (std::size_t lane = 0; lane < 4; ++lane) product[lane] += weight[lane] * (slope[j + lane] - slope_here);
        }
        terms.largest = largest;
        for (std::size_t lane = 0; lane < 4; ++lane) {
            terms.sum[lane] = sum[lane];
            terms.product[lane] = product[lane];
        }
    }

    const Grid* grid_;
    std::array<double, size> value_{};
    std::array<double, size> slope_{};
    std::array<double, size> bend_{};
    double events_ = 0;
};

}  // namespace sequential
}  // namespace v0
}  // namespace serinus
