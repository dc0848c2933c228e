#pragma once
/// \file
/// How much of the error budget did this deployment eat, beyond what the baseline would have?

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string_view>
#include <utility>

#include <serinus/core/counts.hpp>
#include <serinus/core/describe.hpp>
#include <serinus/core/error.hpp>
#include <serinus/core/require.hpp>
#include <serinus/core/words.hpp>
#include <serinus/fixed/rate.hpp>
#include <serinus/numeric/normal.hpp>
#include <serinus/numeric/special.hpp>
#include <serinus/slo/burn_statistics.hpp>

namespace serinus {
inline namespace v0 {
namespace slo {

/// How `deployment_budget` bounds the excess. `newcombe`: of the expected excess, by the difference of the shares.
/// `rate_ratio`: of the bad events seen, the part that is due to the canary, by the exact ratio of the rates.
enum class ExcessMethod : std::uint8_t { newcombe = 1, rate_ratio = 2 };

}  // namespace slo

template <>
struct Words<slo::ExcessMethod> {
    static constexpr std::array<std::pair<slo::ExcessMethod, std::string_view>, 2> table{
        {{slo::ExcessMethod::newcombe, "newcombe"}, {slo::ExcessMethod::rate_ratio, "rate_ratio"}}};
};

namespace slo {

struct DeploymentBudgetOptions {
    double budget = 0;           ///< the objective's: the share of events that may be bad
    double expected_events = 0;  ///< of the whole service in the objective's period
    double promoted_events =
        0;  ///< that the canary would serve if it were promoted for a time: rate x time; 0: not asked
    ExcessMethod method = ExcessMethod::newcombe;
    double confidence = 0.95;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("budget", self.budget);
        visit("expected_events", self.expected_events);
        visit("promoted_events", self.promoted_events);
        visit("method", self.method);
        visit("confidence", self.confidence);
    }
};
static_assert(described_whole<DeploymentBudgetOptions>());

/// Shares are of the period's budget, budget x expected_events bad events.
struct DeploymentBudgetResult {
    double canary_burn = std::numeric_limits<double>::quiet_NaN();
    double baseline_burn = std::numeric_limits<double>::quiet_NaN();
    double service_burn = std::numeric_limits<double>::quiet_NaN();    ///< of both arms together
    double projected_burn = std::numeric_limits<double>::quiet_NaN();  ///< of the service, had the canary all traffic
    double excess = std::numeric_limits<double>::quiet_NaN();          ///< bad events beyond the baseline's share
    double lower = -std::numeric_limits<double>::infinity();           ///< of the excess
    double upper = std::numeric_limits<double>::infinity();
    double share = std::numeric_limits<double>::quiet_NaN();  ///< the excess as a share of the period's budget
    double share_lower = -std::numeric_limits<double>::infinity();
    double share_upper = std::numeric_limits<double>::infinity();
    double total_share = 0;  ///< all of the canary's bad events as such a share
    double promoted_share = std::numeric_limits<double>::quiet_NaN();  ///< of promoted_events, beyond the baseline
    double promoted_share_lower = -std::numeric_limits<double>::infinity();
    double promoted_share_upper = std::numeric_limits<double>::infinity();
    double ratio = std::numeric_limits<double>::quiet_NaN();  ///< canary's share of bad events over baseline's
    double ratio_lower = 0;                                   ///< exact, whatever the method
    double ratio_upper = std::numeric_limits<double>::infinity();
    double p_value = 1;  ///< of a canary no worse than the baseline, exact and one-sided
    double confidence = 0;
    ExcessMethod method = ExcessMethod::newcombe;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("canary_burn", self.canary_burn);
        visit("baseline_burn", self.baseline_burn);
        visit("service_burn", self.service_burn);
        visit("projected_burn", self.projected_burn);
        visit("excess", self.excess);
        visit("lower", self.lower);
        visit("upper", self.upper);
        visit("share", self.share);
        visit("share_lower", self.share_lower);
        visit("share_upper", self.share_upper);
        visit("total_share", self.total_share);
        visit("promoted_share", self.promoted_share);
        visit("promoted_share_lower", self.promoted_share_lower);
        visit("promoted_share_upper", self.promoted_share_upper);
        visit("ratio", self.ratio);
        visit("ratio_lower", self.ratio_lower);
        visit("ratio_upper", self.ratio_upper);
        visit("p_value", self.p_value);
        visit("confidence", self.confidence);
        visit("method", self.method);
    }
};
static_assert(described_whole<DeploymentBudgetResult>());

namespace detail {

/// Wilson's score interval of a proportion (1927), from the normal quantile z.
inline std::pair<double, double> wilson(const Proportion& events, double z) {
    const double x = as_double(events.bad), n = as_double(events.total);
    const double square = z * z, twice = 2 * x + square + z * std::sqrt(square + 4 * x * ((n - x) / n));
    // The smaller root by the product of both: no cancellation, and exactly 0 and 1 at the ends.
    return {2 * x * (x / n) / twice, x == n ? 1.0 : twice / (2 * (n + square))};
}

}  // namespace detail

/// How many bad events did the canary bring beyond the baseline's share, and what part of the period's error budget is
/// that? One look; for a rollout that is watched see excess_sequence.hpp.
///
///     excess = n_c (p_c - p_b);   share = excess/(budget x expected_events)
///     projected burn = p_c/budget;   promoted share = promoted_events (p_c - p_b)/(budget x expected_events)
///
///  - `newcombe`: n_c times the hybrid score interval of p_c - p_b (Newcombe 1998, Statistics in Medicine 17, 873-890,
///    method 10): of the excess that was to be expected.
///  - `rate_ratio`: given the bad events of both arms the canary's are binomial with odds ratio x n_c/n_b; Clopper and
///    Pearson's bounds of the ratio map to bad_c (1 - 1/ratio), which rises with it: of the bad events that happened,
///    those that the baseline's version would not have brought. Without a bad event in the canary the interval is
///    (-inf, 0].
///
/// baseline, canary: whole counts up to 2^53, bad at most total (`serinus.argument.count`). budget in (0, 1),
/// expected_events above 0, promoted_events 0 or more, confidence in (0, 1) (`serinus.argument.range`). An arm without
/// events: excess and shares NaN, the widest bounds. Events must fail independently of each other. Cost: two
/// inverses of the incomplete beta function.
///
///     const auto ate = deployment_budget({.bad = 40, .total = 95000}, {.bad = 15, .total = 1000},
///                                        {.budget = 0.001, .expected_events = 8.64e6});
///     ate.share;  // 0.17 % of the month's budget went for this canary
inline DeploymentBudgetResult deployment_budget(const Proportion& baseline, const Proportion& canary,
                                                const DeploymentBudgetOptions& options) {
    detail::check_burn(baseline, options.budget);
    detail::check_burn(canary, options.budget);
    require(options.expected_events > 0 && std::isfinite(options.expected_events), "expected_events",
            options.expected_events, "above 0, finite (the service's events in the objective's period)");
    require(options.promoted_events >= 0 && std::isfinite(options.promoted_events), "promoted_events",
            options.promoted_events, "0 or more, finite");
    require_open_unit("confidence", options.confidence);
    const double budget_events = options.budget * options.expected_events;
    DeploymentBudgetResult result;
    result.confidence = options.confidence;
    result.method = options.method;
    const double x_b = as_double(baseline.bad), n_b = as_double(baseline.total);
    const double x_c = as_double(canary.bad), n_c = as_double(canary.total);
    result.total_share = x_c / budget_events;
    if (n_b > 0) result.baseline_burn = x_b / n_b / options.budget;
    if (n_c > 0) result.canary_burn = result.projected_burn = x_c / n_c / options.budget;
    if (n_b + n_c > 0) result.service_burn = (x_b + x_c) / (n_b + n_c) / options.budget;
    if (n_b == 0 || n_c == 0) return result;

    const double p_b = x_b / n_b, p_c = x_c / n_c, difference = p_c - p_b;
    result.excess = n_c * difference;
    const Rate of_baseline{baseline.bad, n_b}, of_canary{canary.bad, n_c};
    const auto ratio =
        rate_test(of_baseline, of_canary, {.method = RateTestMethod::exact, .confidence = options.confidence});
    result.ratio = ratio.ratio;
    result.ratio_lower = ratio.lower;
    result.ratio_upper = ratio.upper;
    result.p_value =
        rate_test(of_baseline, of_canary, {.alternative = Alternative::greater, .method = RateTestMethod::exact})
            .p_value;
    if (options.method == ExcessMethod::newcombe) {
        const double z = -normal_quantile((1 - options.confidence) / 2);
        const auto [low_b, high_b] = detail::wilson(baseline, z);
        const auto [low_c, high_c] = detail::wilson(canary, z);
        result.lower = n_c * (difference - std::hypot(p_c - low_c, high_b - p_b));
        result.upper = n_c * (difference + std::hypot(high_c - p_c, p_b - low_b));
    } else if (x_c > 0) {
        result.lower = x_c * (1 - 1 / ratio.lower);
        result.upper = x_c * (1 - 1 / ratio.upper);
    } else {
        result.upper = 0;
    }
    result.share = result.excess / budget_events;
    result.share_lower = result.lower / budget_events;
    result.share_upper = result.upper / budget_events;
    if (options.promoted_events > 0) {
        const double scale = options.promoted_events / n_c;
        result.promoted_share = scale * result.share;
        result.promoted_share_lower = scale * result.share_lower;
        result.promoted_share_upper = scale * result.share_upper;
    }
    return result;
}

}  // namespace slo
}  // namespace v0
}  // namespace serinus
