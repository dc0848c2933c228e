#pragma once
/// \file
/// Evidence that one arm's share of the traffic lies beyond an edge that moves: where the share that was told changes.

#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>

#include <serinus/core/version.hpp>
#include <serinus/numeric/elementary.hpp>
#include <serinus/sequential/detail/anchored_prior.hpp>
#include <serinus/sequential/detail/share_mixture.hpp>

namespace serinus {
inline namespace v0 {
namespace sequential {

/// The mixture of share_mixture.hpp where the edge may be another one in every interval, and where evidence may begin
/// again: a mass a node, each the sum over intervals of
///
///     ((x - n edge) delta - n (log(1 + edge (e^delta - 1)) - edge delta)) / phi,
///
/// x requests of n, delta the node's distance in log odds, phi the split's dispersion. Nodes and weights: AnchoredPrior,
/// flat (Robbins 1970). Every start is an e-process of its weight: the starts' weights must not sum to more than 1, and
/// what has not begun is the caller's to add. What `SilenceTest` and the watch on a rollout's traffic are made of.
///
/// Cost of an update: 33 multiplications; where the edge is another one 33 logarithms more; a start 66 of both.
///
///     MovingShare above(+1);
///     above.begin(1);
///     above.update(140, 1000, 0.12, 1);
///     double evidence = above.log_worth();
class MovingShare {
  public:
    static constexpr std::size_t size = AnchoredPrior::size;
    using Masses = std::array<double, size>;

    /// `beyond` +1: evidence that the share is above the edge, -1: below it. Nothing has begun: the masses are 0.
    explicit MovingShare(int beyond) : nodes_(&Nodes::of(beyond)) {
        masses_.fill(-std::numeric_limits<double>::infinity());
    }

    /// Begins with this part of the capital, beside what has begun already. weight > 0.
    void begin(double weight) {
        const double log = elementary::log(weight);
        for (std::size_t j = 0; j < size; ++j)
            masses_[j] = elementary::log_add_exp(masses_[j], log + nodes_->log_weight[j]);
    }

    /// x of n requests, n above 0; 0 < edge < 1, dispersion at least 1.
    void update(double x, double n, double edge, double dispersion) {
        if (edge != edge_) move_to(edge);
        const double d = detail::excess_over_share(x, n, edge) / dispersion, all = n / dispersion;
        for (std::size_t j = 0; j < size; ++j) masses_[j] += d * nodes_->delta[j] - all * cost_[j];
    }

    /// Natural log of what the capital that has begun is worth; -infinity where nothing has.
    double log_worth() const { return std::isfinite(masses_[0]) ? elementary::log_sum_exp(masses_) : masses_[0]; }

    const Masses& masses() const noexcept { return masses_; }
    void restore(std::span<const double> masses) noexcept {
        for (std::size_t j = 0; j < size; ++j) masses_[j] = masses[j];
    }
    /// Of a state: all finite, or all -infinity before the first beginning.
    static bool sound(std::span<const double> masses) noexcept {
        if (masses.size() != size) return false;
        constexpr double nothing = -std::numeric_limits<double>::infinity();
        bool finite = true, none = true;
        for (const double mass : masses) {
            finite = finite && std::isfinite(mass);
            none = none && mass == nothing;
        }
        return finite || none;
    }

  private:
    /// The nodes, which all of a direction share.
    struct Nodes {
        Masses log_weight{};
        Masses delta{};  // distance in log odds
        Masses odds{};   // e^delta - 1

        explicit Nodes(int beyond) {
            const AnchoredPrior prior(PriorShape::flat);
            log_weight = prior.log_weight;
            for (std::size_t j = 0; j < size; ++j) {
                delta[j] = beyond * prior.distance[j];
                odds[j] = elementary::expm1(delta[j]);
            }
        }

        static const Nodes& of(int beyond) {
            static const std::array<Nodes, 2> all{Nodes(-1), Nodes(+1)};
            return all[beyond > 0 ? 1U : 0U];
        }
    };

    void move_to(double edge) {
        for (std::size_t j = 0; j < size; ++j) cost_[j] = edge * nodes_->odds[j];
        elementary::log1p(cost_, cost_);
        for (std::size_t j = 0; j < size; ++j) cost_[j] -= edge * nodes_->delta[j];
        edge_ = edge;
    }

    const Nodes* nodes_;
    Masses masses_;
    Masses cost_{};  // of the edge below
    double edge_ = 0;
};

}  // namespace sequential
}  // namespace v0
}  // namespace serinus
