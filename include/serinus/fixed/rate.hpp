#pragma once
/// \file
/// Do events (crashes, restarts, pages) come more often to the canary, for the time that it ran?

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string_view>
#include <utility>

#include <serinus/core/counts.hpp>
#include <serinus/core/describe.hpp>
#include <serinus/core/evidence.hpp>
#include <serinus/core/require.hpp>
#include <serinus/core/words.hpp>
#include <serinus/numeric/counting.hpp>
#include <serinus/numeric/normal.hpp>
#include <serinus/numeric/root.hpp>
#include <serinus/numeric/special.hpp>
#include <serinus/numeric/student.hpp>

namespace serinus {
inline namespace v0 {

/// How `rate_test` counts; `automatic` picks one of the others.
enum class RateTestMethod : std::uint8_t { automatic = 1, exact = 2, midp = 3, score = 4 };

template <>
struct Words<RateTestMethod> {
    static constexpr std::array<std::pair<RateTestMethod, std::string_view>, 4> table{
        {{RateTestMethod::automatic, "auto"},
         {RateTestMethod::exact, "exact"},
         {RateTestMethod::midp, "midp"},
         {RateTestMethod::score, "score"}}};
};

struct RateTestOptions {
    Margin margin{.ratio = 1.0};  ///< a ratio, canary's rate over baseline's, that is tested against; above 0
    Alternative alternative = Alternative::two_sided;
    RateTestMethod method = RateTestMethod::automatic;
    double confidence = 0.95;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("margin", self.margin);
        visit("alternative", self.alternative);
        visit("method", self.method);
        visit("confidence", self.confidence);
    }
};
static_assert(described_whole<RateTestOptions>());

struct RateTestResult {
    double ratio = std::numeric_limits<double>::quiet_NaN();  ///< canary's rate over baseline's; infinite over 0
    double lower = 0;
    double upper = std::numeric_limits<double>::infinity();
    double confidence = 0;
    double p_value = 1;
    RateTestMethod method = RateTestMethod::exact;  ///< what was used; never `automatic`

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("ratio", self.ratio);
        visit("lower", self.lower);
        visit("upper", self.upper);
        visit("confidence", self.confidence);
        visit("p_value", self.p_value);
        visit("method", self.method);
    }
};
static_assert(described_whole<RateTestResult>());

/// Is the canary's rate of events another than `margin.ratio` times the baseline's?
///
/// Given the s events of both arms, the canary's are binomial with chance pi = r/(1 + r), r = margin e_c/e_b
/// (Przyborowski and Wilenski 1940). e: exposures.
///  - `exact`: binomial tails; two-sided the sum of all probabilities not above that of the events seen, as R's
///    poisson.test; interval by Clopper and Pearson's bounds on pi.
///  - `midp`: half of the probability of the events seen left out, in p-value and interval (Agresti and Min 2001):
///    closer to its level than `exact`, not always below it.
///  - `score`: z = (x_c - r x_b)/sqrt(r s) against the normal distribution, interval by its inversion in closed form.
///  - `automatic`: `exact` up to 10^6 steps of summing (some 4e10 events), beyond `score`, and says so; the same when
///    `exact` or `midp` is asked for.
///
/// baseline, canary: events whole from 0 to 2^53 (`serinus.argument.count`), exposures finite and above 0 in one unit,
/// their ratio a double, confidence in (0, 1) (`serinus.argument.range`), margin a ratio above 0
/// (`serinus.argument.margin`). The events must be independent of each other: where they come in bursts the test is too
/// sure. One-sided alternatives get a one-sided interval. No events at all: p 1
/// (`midp`: 1/2, its mean over all outcomes, as in `proportion_test`), interval [0, inf). Exchanging the arms inverts
/// ratio and interval. Cost: O(sqrt(s)) additions.
///
///     const auto found = rate_test({.events = 12, .exposure = 1000}, {.events = 9, .exposure = 100},
///                                  {.margin = {.ratio = 1.5}, .alternative = Alternative::greater});
inline RateTestResult rate_test(const Rate& baseline, const Rate& canary, const RateTestOptions& options = {}) {
    require_count("events of the baseline", baseline.events);
    require_count("events of the canary", canary.events);
    for (const auto& [field, value] : {std::pair{"exposure of the baseline", baseline.exposure},
                                       std::pair{"exposure of the canary", canary.exposure}})
        require(value > 0 && std::isfinite(value), field, value, "finite, above 0");
    require_open_unit("confidence", options.confidence);
    const double margin = require_ratio(options.margin);
    constexpr double infinity = std::numeric_limits<double>::infinity();

    RateTestResult result;
    result.confidence = options.confidence;
    const double x = as_double(canary.events), y = as_double(baseline.events), s = x + y;
    const double exposures = canary.exposure / baseline.exposure;  // of equal rates: the odds of the canary
    const double odds = margin * exposures;
    for (const double ratio : {exposures, odds})
        require(ratio > 0 && std::isfinite(ratio), "the canary's exposure over the baseline's, times the margin", ratio,
                "what a double holds");
    if (s > 0) result.ratio = y > 0 ? x / y / exposures : infinity;
    const double p = odds / (1 + odds), q = 1 / (1 + odds);
    result.method = options.method == RateTestMethod::automatic ? RateTestMethod::exact : options.method;
    constexpr double most_steps = 1e6;
    if (tail_steps(s / 4) > most_steps || !(p > 0 && q > 0)) result.method = RateTestMethod::score;
    if (s == 0) {
        // Half of the only outcome's probability, one-sided and two-sided: a mid-p-value is 1/2 in the mean over all
        // outcomes, whatever their probabilities and their order.
        if (result.method == RateTestMethod::midp) result.p_value = 0.5;
        return result;
    }

    const bool lower_end = options.alternative != Alternative::less;
    const bool upper_end = options.alternative != Alternative::greater;
    const double tail = (1 - options.confidence) / (lower_end && upper_end ? 2 : 1);
    double low = 0, high = infinity;  // of the odds
    if (result.method == RateTestMethod::score) {
        // (x - r y)/sqrt(r s), without overflow.
        const double root_odds = std::sqrt(odds), z = (x / root_odds - root_odds * y) / std::sqrt(s);
        result.p_value = p_value_of(options.alternative, normal_survival(z), normal_survival(-z));
        // (x - r y)^2 = c r s: both roots without cancellation. A one-sided tail above 1/2 asks for the other root.
        const double quantile = normal_quantile(tail), c = quantile * quantile;
        const double b = 2 * x * y + c * s, root = std::sqrt(c * s * (4 * x * y + c * s));
        const double smaller = 2 * x * x / (b + root), larger = y > 0 ? (b + root) / (2 * y * y) : infinity;
        low = quantile < 0 ? smaller : larger;
        high = quantile < 0 ? larger : smaller;
    } else {
        const bool mid = result.method == RateTestMethod::midp;
        const auto distribution = binomial_distribution(s, p, q);
        const double here = mid ? distribution.density(x) / 2 : 0;
        if (options.alternative == Alternative::two_sided) {
            result.p_value = distribution.not_likelier(x) - here;
        } else {
            result.p_value =
                (options.alternative == Alternative::greater ? distribution.at_least(x) : distribution.at_most(x)) -
                here;
        }
        // The chance of as many events or more, at given log odds; falling events are the same of the other arm.
        const auto end = [&](double own, double other) {
            if (own == 0) return 0.0;
            if (!mid) {
                const double share = incomplete_beta_inverse(own, other + 1, tail);
                return share / (1 - share);
            }
            // Without events in the other arm the mid-p is never above 1/2.
            if (other == 0 && tail >= 0.5) return infinity;
            const auto excess = [&](double log_odds) {
                const double r = std::exp(log_odds), share = r / (1 + r);
                return incomplete_beta(own, other + 1, share) - binomial_density(own, s, share, 1 / (1 + r)) / 2 - tail;
            };
            double from = std::log(own / (other + 1)) - 1, to = from + 2;
            while (excess(from) > 0) from -= 2;
            while (excess(to) < 0 && to < 700) to += 2;
            const Bracket found = narrow(excess, {from, to, excess(from), excess(to)}, 1e-13);
            return std::exp((found.lower + found.upper) / 2);
        };
        low = end(x, y);
        high = 1 / end(y, x);
    }
    if (lower_end) result.lower = low / exposures;
    if (upper_end) result.upper = high / exposures;
    return result;
}

}  // namespace v0
}  // namespace serinus
