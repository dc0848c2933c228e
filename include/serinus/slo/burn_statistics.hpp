#pragma once
/// \file
/// How sure is a burn rate that comes from few events?

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include <serinus/core/counts.hpp>
#include <serinus/core/describe.hpp>
#include <serinus/core/error.hpp>
#include <serinus/core/require.hpp>
#include <serinus/core/text.hpp>
#include <serinus/core/words.hpp>
#include <serinus/numeric/special.hpp>

namespace serinus {
inline namespace v0 {
namespace slo {

/// What the bounds of `burn_interval` count on. `clopper_pearson`: each event is bad by itself, with one chance.
/// `poisson`: bad events come as they like, the total is no limit for them.
enum class BurnMethod : std::uint8_t { clopper_pearson = 1, poisson = 2 };

}  // namespace slo

template <>
struct Words<slo::BurnMethod> {
    static constexpr std::array<std::pair<slo::BurnMethod, std::string_view>, 2> table{
        {{slo::BurnMethod::clopper_pearson, "clopper_pearson"}, {slo::BurnMethod::poisson, "poisson"}}};
};

namespace slo {

struct BurnIntervalOptions {
    BurnMethod method = BurnMethod::clopper_pearson;
    double confidence = 0.95;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("method", self.method);
        visit("confidence", self.confidence);
    }
};
static_assert(described_whole<BurnIntervalOptions>());

/// A burn rate and the bounds that its counts allow.
struct BurnIntervalResult {
    double burn = std::numeric_limits<double>::quiet_NaN();  ///< (bad/total)/budget; NaN without an event
    double lower = 0;
    double upper = std::numeric_limits<double>::infinity();
    double confidence = 0;
    BurnMethod method = BurnMethod::clopper_pearson;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("burn", self.burn);
        visit("lower", self.lower);
        visit("upper", self.upper);
        visit("confidence", self.confidence);
        visit("method", self.method);
    }
};
static_assert(described_whole<BurnIntervalResult>());

namespace detail {

/// Whole counts, bad at most total (`serinus.argument.count`); a budget in (0, 1) (`serinus.argument.range`).
inline void check_burn(const Proportion& events, double budget) {
    require_count("bad", events.bad);
    require_count("total", events.total);
    if (events.bad > events.total)
        raise(Code::argument_count,
              "bad is " + std::to_string(events.bad) + "; allowed: at most total, " + std::to_string(events.total));
    require(budget > 0 && budget < 1, "budget", budget,
            "above 0, below 1 (the share of events that may be bad; a target of 99.9% has 0.001)");
}

/// P(p > threshold), p ~ Beta(bad + 1/2, total - bad + 1/2), for total > 0; 0 from a threshold of 1 on.
inline double jeffreys_upper_tail(double bad, double total, double threshold) {
    return threshold >= 1 ? 0 : incomplete_beta_upper(bad + 0.5, total - bad + 0.5, threshold);
}

inline void check_factor(double factor) {
    require(factor > 0 && std::isfinite(factor), "factor", factor, "above 0, finite");
}

}  // namespace detail

/// Between which burn rates does the truth lie, given `bad` of `total` events?
///
///  - `clopper_pearson`: the exact interval of a proportion (Clopper and Pearson 1934, Biometrika 26, 404-413), divided
///    by the budget.
///  - `poisson`: the exact interval of a Poisson mean (Garwood 1936, Biometrika 28, 437-442), divided by total x
///    budget; wider, and beyond 1/budget where nearly everything is bad.
///
/// events: whole counts up to 2^53 (`serinus.argument.count`); budget in (0, 1), confidence in (0, 1)
/// (`serinus.argument.range`). Without an event: burn NaN, the widest bounds. For one look: the bounds do not hold at
/// every look of many (that is what `ExcessSequence` is for), and events of one outage fail together, so that they say
/// less than their number. Cost: two inverses of the incomplete beta or gamma function.
///
///     burn_interval({.bad = 3, .total = 120}, 0.001).lower;  // 5.2 times the budget's rate at least
inline BurnIntervalResult burn_interval(const Proportion& events, double budget,
                                        const BurnIntervalOptions& options = {}) {
    detail::check_burn(events, budget);
    require_open_unit("confidence", options.confidence);
    BurnIntervalResult result;
    result.confidence = options.confidence;
    result.method = options.method;
    const double bad = as_double(events.bad), total = as_double(events.total);
    const double tail = (1 - options.confidence) / 2;
    const bool poisson = options.method == BurnMethod::poisson;
    if (!poisson) result.upper = 1 / budget;
    if (total == 0) return result;
    result.burn = bad / total / budget;
    if (poisson) {
        if (bad > 0) result.lower = incomplete_gamma_inverse(bad, tail) / (total * budget);
        result.upper = incomplete_gamma_upper_inverse(bad + 1, tail) / (total * budget);
    } else {
        if (bad > 0) result.lower = incomplete_beta_inverse(bad, total - bad + 1, tail) / budget;
        if (bad < total) result.upper = incomplete_beta_upper_inverse(bad + 1, total - bad, tail) / budget;
    }
    return result;
}

/// How probable is it that the burn rate really exceeds `factor`?
///
/// P(p > factor x budget) for p ~ Beta(bad + 1/2, total - bad + 1/2): the posterior under Jeffreys' prior (Brown, Cai
/// and DasGupta 2001, Statistical Science 16, 101-133). As a gate for alerts at low traffic ("only where this is at
/// least 0.95") it lets one bad request of twenty pass as bad luck. Arguments as `burn_interval`, factor finite and
/// above 0. A factor that no rate can exceed (factor x budget >= 1) gives 0; without an event the answer is NaN, not
/// the prior's, which would exceed most thresholds. Cost: one incomplete beta function.
inline double probability_burn_exceeds(const Proportion& events, double budget, double factor) {
    detail::check_burn(events, budget);
    detail::check_factor(factor);
    if (events.total == 0) return std::numeric_limits<double>::quiet_NaN();
    return detail::jeffreys_upper_tail(as_double(events.bad), as_double(events.total), factor * budget);
}

/// How probable are as many bad events, or more, at a burn rate of exactly `factor`?
///
/// P(X >= bad), X ~ Binomial(total, factor x budget): the exact one-sided p-value against burn <= factor, for one look.
/// Arguments as `burn_interval`, factor finite and above 0. No bad event: 1; factor x budget >= 1: 1. Cost: one
/// incomplete beta function.
inline double burn_p_value(const Proportion& events, double budget, double factor) {
    detail::check_burn(events, budget);
    detail::check_factor(factor);
    const double threshold = factor * budget;
    if (events.bad == 0 || threshold >= 1) return 1;
    return incomplete_beta(as_double(events.bad), as_double(events.total - events.bad + 1), threshold);
}

}  // namespace slo
}  // namespace v0
}  // namespace serinus
