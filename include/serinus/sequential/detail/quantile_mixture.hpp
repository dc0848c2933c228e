#pragma once
/// \file
/// Evidence about one quantile of one arm, from how many values lie at or below a point.

#include <serinus/sequential/boundaries/beta_binomial.hpp>

namespace serinus {
inline namespace v0 {
namespace sequential {

/// How strongly k of n values at or below a point speak against the point being the q-quantile: the beta-binomial
/// mixture at whole counts, tightest at tuned_at values.
class QuantileMixture {
  public:
    enum class Speaks {
        either,  ///< against it
        above,   ///< for the quantile lying below the point: many values are at most there
        below    ///< for the quantile lying above the point: few are
    };

    QuantileMixture(double q, double tuned_at, Speaks speaks, double tuned_alpha = 0.05)
        : q_(q),
          sign_(speaks == Speaks::below ? -1 : 1),
          mixture_(tuned_at * q * (1 - q), speaks == Speaks::below ? 1 - q : q, speaks == Speaks::below ? q : 1 - q,
                   tuned_alpha, speaks != Speaks::either) {}

    /// Natural log; convex in k, `above` increases, `below` decreases.
    double log_value(double k, double n) const {
        return mixture_.log_value(sign_ * ((1 - q_) * k - q_ * (n - k)), q_ * (1 - q_) * n);
    }

    /// The same after one more value, at or below the point or not, from what it was for k of n; one-sided only. See
    /// BetaBinomialMixture::log_value_after.
    double log_value_after(bool at_most, double log_value, double k, double n, double& error) const {
        const bool up = at_most == (sign_ > 0);
        return mixture_.log_value_after(up, log_value, sign_ > 0 ? k : n - k, sign_ > 0 ? n - k : k, error);
    }

  private:
    double q_, sign_;
    BetaBinomialMixture mixture_;
};

}  // namespace sequential
}  // namespace v0
}  // namespace serinus
