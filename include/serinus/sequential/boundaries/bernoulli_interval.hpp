#pragma once
/// \file
/// A confidence sequence for one proportion, or for the mean of values between 0 and 1.

#include <cmath>
#include <limits>

#include <serinus/core/require.hpp>
#include <serinus/core/version.hpp>
#include <serinus/numeric/root.hpp>
#include <serinus/numeric/scaled_beta.hpp>
#include <serinus/sequential/boundaries/normal_mixture.hpp>

namespace serinus {
inline namespace v0 {
namespace sequential {

struct BernoulliInterval {
    double lower = 0;
    double upper = 1;
};

namespace bernoulli_detail {

/// The smallest p that is not excluded, in log-odds z, where both ends of (0, 1) have all their digits.
class LowerEnd {
  public:
    /// `needed` = log(1/alpha); `precision` = rho/(p (1 - p)), which is the same for all p.
    LowerEnd(double needed, double precision) : needed_(needed), k_(std::fmax(precision - 1, 1e-3)) {}

    /// For one success at least; -infinity where no p is excluded.
    double log_odds(double successes, double trials) const {
        const double quick = successes > 1 ? by_secants(successes, trials) : std::numeric_limits<double>::quiet_NaN();
        return std::isnan(quick) ? by_bracket(successes, trials) : quick;
    }

  private:
    /// The log of BetaBinomialMixture(p q tuned_at, p, q, tuned_alpha, false) less what is needed, in its closed form.
    double excess(double z, double successes, double trials) const {
        const double e = std::exp(-std::fabs(z)), rare = e / (1 + e), common = 1 / (1 + e);
        const double p = z < 0 ? rare : common, q = z < 0 ? common : rare;
        const double failures = trials - successes;
        return log_beta_scaled(q * k_ + failures, p * k_ + successes, q, p, p * failures - q * successes) -
               log_beta_scaled(q * k_, p * k_, q, p, 0) - needed_;
    }

    /// Secant steps. NaN where they do not arrive.
    double by_secants(double successes, double trials) const {
        // Were the martingale normal it would be worth log E = D^2/2 - loss, D = (x - n p)/sqrt(p q (n + k)): the first
        // guess solves that for p, as Wilson's interval does. D, found from log E, is nearly a line in z.
        const double loss = 0.5 * std::log1p(trials / k_), needed = 2 * (needed_ + loss);
        if (!(needed > 0)) return std::numeric_limits<double>::quiet_NaN();
        const double failures = trials - successes, w = (trials + k_) * needed, target = std::sqrt(needed);
        const double rest = 2 * successes * failures + w + std::sqrt(w * (w + 4 * successes * failures));
        double z = std::log(2 * successes * successes / rest), last_z = 0, last_d = 0, slope = 0;
        for (int i = 0; i < 10; ++i) {
            const double value = 2 * (excess(z, successes, trials) + needed_ + loss);
            if (!(value > 0)) break;
            const double d = std::sqrt(value);
            if (i > 0) {
                slope = (d - last_d) / (z - last_z);
            } else {
                const double e = std::exp(-std::fabs(z)), spread = std::sqrt(e) / (1 + e);  // sqrt(p q)
                const double skew = std::copysign((1 - e) / (1 + e), -z);                   // q - p
                slope = -(trials * spread + 0.5 * d * std::sqrt(trials + k_) * skew) / std::sqrt(trials + k_);
            }
            last_z = z;
            last_d = d;
            const double step = (d - target) / slope;
            if (!(slope < 0)) break;
            z -= step;
            // The next step would be of the order of this one times the one before. A little further out, so as to end
            // on the side that is excluded.
            const double unit = 1 + std::fabs(z);
            if (std::fabs(step) <= 1e-9 * unit) return z - 1e-14 * unit;
        }
        return std::numeric_limits<double>::quiet_NaN();
    }

    /// Outwards until a p is excluded, then inwards.
    double by_bracket(double successes, double trials) const {
        const auto f = [&](double z) { return excess(z, successes, trials); };
        double high = successes < trials ? std::log(successes) - std::log(trials - successes) : 37.0;
        double f_high = f(high);
        if (f_high > 0) return high;  // more than e^37 successes and nothing else
        double step = 1, low = high - step, f_low = f(low);
        while (!(f_low > 0) && low > -690) {
            high = low;
            f_high = f_low;
            step *= 2;
            low = std::fmax(high - step, -690.0);
            f_low = f(low);
        }
        if (!(f_low > 0)) return -std::numeric_limits<double>::infinity();
        const Bracket root = narrow(f, {low, high, f_low, f_high}, 1e-14 * (1 + std::fabs(high)));
        return root.lower;  // the end that is excluded
    }

    double needed_;
    double k_;  // what the prior weighs, in trials; as BetaBinomialMixture at least a thousandth
};

}  // namespace bernoulli_detail

/// The probability of success, from `successes` of `trials`: covered at all times at once with probability 1 - alpha.
///
/// Formula (Howard et al. 2021): all p against which the two-sided beta-binomial martingale (beta_binomial.hpp; g = p,
/// h = 1 - p, tuned for p (1 - p) tuned_at) is worth less than 1/alpha. Sums of values between 0 and 1 may stand for
/// successes. With one success `lower` is 0, with two nearly: the prior is centred at each p anew.
///
/// \param successes in [0, trials]
/// \param trials >= 0; with none the interval is [0, 1]
/// \param alpha, tuned_alpha in (0, 1)
/// \param tuned_at > 0: the number of trials at which it shall be tightest
/// Raises `serinus.argument.range`. Cost: O(1), a search.
///
///     auto [lower, upper] = bernoulli_confidence_interval(30, 300, 0.05, 100);  // 0.0533, 0.1612
inline BernoulliInterval bernoulli_confidence_interval(double successes, double trials, double alpha, double tuned_at,
                                                       double tuned_alpha = 0.05) {
    require(trials >= 0 && std::isfinite(trials), "trials", trials, "0 or more, finite");
    require(successes >= 0 && successes <= trials, "successes", successes, "from 0 to trials");
    require_open_unit("alpha", alpha);
    require(tuned_at > 0 && std::isfinite(tuned_at), "tuned_at", tuned_at, "above 0, finite");
    require_open_unit("tuned_alpha", tuned_alpha);
    const bernoulli_detail::LowerEnd end(-std::log(alpha), normal_mixture_precision(tuned_at, tuned_alpha, false));
    BernoulliInterval interval;
    if (successes > 0) interval.lower = 1 / (1 + std::exp(-end.log_odds(successes, trials)));
    if (successes < trials) interval.upper = 1 / (1 + std::exp(end.log_odds(trials - successes, trials)));
    return interval;
}

}  // namespace sequential
}  // namespace v0
}  // namespace serinus
