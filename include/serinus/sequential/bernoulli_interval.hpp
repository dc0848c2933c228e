#pragma once
/// \file
/// A confidence sequence for one proportion, or for the mean of values between 0 and 1.

#include <cmath>
#include <limits>

#include <serinus/core/require.hpp>
#include <serinus/core/root.hpp>
#include <serinus/core/version.hpp>
#include <serinus/sequential/beta_binomial.hpp>

namespace serinus {
inline namespace v0 {
namespace sequential {

struct BernoulliInterval {
    double lower = 0;
    double upper = 1;
};

namespace bernoulli_detail {

/// The log-odds of the smallest p that is not excluded, where there is one success at least.
inline double lower_log_odds(double successes, double trials, double needed, double t_opt, double alpha_opt) {
    // In the log-odds z, where both ends of (0, 1) have all their digits.
    const auto f = [&](double z) {
        const double p = 1 / (1 + std::exp(-z)), q = 1 / (1 + std::exp(z));
        const BetaBinomialMixture mixture(p * q * t_opt, p, q, alpha_opt, false);
        return mixture.log_value(q * successes - p * (trials - successes), p * q * trials) - needed;
    };
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

}  // namespace bernoulli_detail

/// The probability of success, from `successes` of `trials`: covered at all times at once with probability 1 - alpha.
///
/// Formula (Howard et al. 2021): all p against which the two-sided beta-binomial martingale (beta_binomial.hpp; g = p,
/// h = 1 - p, tuned for p (1 - p) t_opt) is worth less than 1/alpha. Sums of values between 0 and 1 may stand for
/// successes. With one success `lower` is 0, with two nearly: the prior is centred at each p anew.
///
/// \param successes in [0, trials]
/// \param trials >= 0; with none the interval is [0, 1]
/// \param alpha, alpha_opt in (0, 1)
/// \param t_opt > 0: the number of trials at which it shall be tightest
/// Raises `serinus.argument.range`. Cost: 10 us.
///
///     auto [lower, upper] = bernoulli_confidence_interval(30, 300, 0.05, 100);  // 0.0533, 0.1612
inline BernoulliInterval bernoulli_confidence_interval(double successes, double trials, double alpha, double t_opt,
                                                       double alpha_opt = 0.05) {
    require(trials >= 0 && std::isfinite(trials), "trials", trials, "0 or more, finite");
    require(successes >= 0 && successes <= trials, "successes", successes, "from 0 to trials");
    require_open_unit("alpha", alpha);
    require(t_opt > 0 && std::isfinite(t_opt), "t_opt", t_opt, "above 0, finite");
    require_open_unit("alpha_opt", alpha_opt);
    const double needed = -std::log(alpha);
    BernoulliInterval interval;
    if (successes > 0) {
        const double z = bernoulli_detail::lower_log_odds(successes, trials, needed, t_opt, alpha_opt);
        interval.lower = 1 / (1 + std::exp(-z));
    }
    if (successes < trials) {
        const double z = bernoulli_detail::lower_log_odds(trials - successes, trials, needed, t_opt, alpha_opt);
        interval.upper = 1 / (1 + std::exp(z));
    }
    return interval;
}

}  // namespace sequential
}  // namespace v0
}  // namespace serinus
