#pragma once
/// \file
/// How well a team delivers: ten indicators over the deployments and pipelines of a log, each with an interval, a verdict
/// against its target, a trend, and what so few deployments do not allow to say.

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <serinus/core/describe.hpp>
#include <serinus/core/evidence.hpp>
#include <serinus/core/reason.hpp>
#include <serinus/core/words.hpp>
#include <serinus/delivery/events.hpp>
#include <serinus/series/time.hpp>

namespace serinus {
inline namespace v0 {
namespace delivery {

enum class IndicatorKind : std::uint8_t {
    deployment_success_rate = 1,
    mean_time_to_deploy = 2,     ///< without the waits for a person
    mean_time_to_roll_back = 3,  ///< from the decision on
    post_deploy_error_rate = 4,  ///< times the baseline's
    canary_pass_rate = 5,
    verification_latency = 6,  ///< from the canary's start to its verdict
    observability_coverage = 7,
    cost_delta = 8,
    pipeline_failure_rate = 9,  ///< flaky failures apart
    budget_consumed = 10        ///< of the period's error budget, a release
};

enum class Unit : std::uint8_t { share = 1, seconds = 2, ratio = 3, change = 4 };

enum class Trend : std::uint8_t { unknown = 1, steady = 2, better = 3, worse = 4 };

/// A stretch of the log, for a drawing.
struct TrendPoint {
    Time time;  ///< of its last
    double value = 0;
    std::int64_t count = 0;

    friend bool operator==(const TrendPoint&, const TrendPoint&) = default;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("time", self.time);
        visit("value", self.value);
        visit("count", self.count);
    }
};
static_assert(described_whole<TrendPoint>());

struct Indicator {
    IndicatorKind kind = IndicatorKind::deployment_success_rate;
    Unit unit = Unit::share;
    Verdict verdict = Verdict::no_data;
    double estimate = std::numeric_limits<double>::quiet_NaN();
    double lower = std::numeric_limits<double>::quiet_NaN();
    double upper = std::numeric_limits<double>::quiet_NaN();
    double confidence = 0;
    std::int64_t count = 0;  ///< deployments or runs that tell it
    double target = 0;
    bool at_least = false;  ///< the target is the least that is good, not the most
    Trend trend = Trend::unknown;
    double trend_p_value = 1;  ///< of the first half against the second, adjusted over all indicators (Holm)
    std::array<double, 2> halves{std::numeric_limits<double>::quiet_NaN(),
                                 std::numeric_limits<double>::quiet_NaN()};  ///< the first half, and the second
    std::vector<NamedNumber> beside;  ///< what belongs to it: waits, flaky failures, medians
    std::vector<Reason> reasons;      ///< what so few do not allow to say
    std::vector<TrendPoint> history;  ///< at most 24

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("indicator", self.kind);
        visit("unit", self.unit);
        visit("verdict", self.verdict);
        visit("estimate", self.estimate);
        visit("lower", self.lower);
        visit("upper", self.upper);
        visit("confidence", self.confidence);
        visit("count", self.count);
        visit("target", self.target);
        visit("at_least", self.at_least);
        visit("trend", self.trend);
        visit("trend_p_value", self.trend_p_value);
        visit("halves", self.halves);
        visit("beside", self.beside);
        visit("reasons", self.reasons);
        visit("history", self.history);
    }
};
static_assert(described_whole<Indicator>());

struct IndicatorOptions {
    /// Other targets than the presets, by kind.
    std::vector<std::pair<IndicatorKind, double>> targets = {};
    double confidence = 0.95;
};

struct Report {
    std::optional<Time> from, to;  ///< the first event, and the last
    std::int64_t deployments = 0;  ///< that ended
    std::int64_t runs = 0;         ///< of pipelines
    std::vector<Indicator> indicators;
    std::vector<Reason> notes;
};

/// The preset target of an indicator; those of `post_deploy_error_rate` and `budget_consumed` are customary (twice the
/// baseline, 20 % a release), the others are to be agreed on (docs/how-to/indicators.md).
double preset_target(IndicatorKind kind) noexcept;
/// Whether the target is the least that is good.
bool is_least(IndicatorKind kind) noexcept;

/// The ten indicators of a log.
///
/// Shares of deployments have the exact interval of Clopper and Pearson (1934, Biometrika 26, 404). Means of times,
/// changes of cost and budgets have Student's; post_deploy_error_rate is the sum of errors over what the baselines'
/// shares would have given, on a log scale with deployments as units (a ratio estimator, Cochran 1977, "Sampling
/// techniques", ch. 6). The verdict is pass or fail where the whole interval lies on one side of the target, with 5
/// deployments at least where it is a mean; else inconclusive. Trends compare the earlier half with the later: shares by
/// the mid-p test, the others by Mann and Whitney's, all together adjusted by Holm (1979).
///
/// What it cannot know is `no_data`, never an error: no event of a kind; events that disagree are noted and left out.
/// Raises `serinus.argument.range` for a target that is no number or a confidence outside (0, 1). Cost: O(n log n) in the
/// events.
Report indicators(const Log& log, const IndicatorOptions& options = {});

}  // namespace delivery

template <>
struct Words<delivery::IndicatorKind> {
    static constexpr std::array<std::pair<delivery::IndicatorKind, std::string_view>, 10> table{
        {{delivery::IndicatorKind::deployment_success_rate, "deployment_success_rate"},
         {delivery::IndicatorKind::mean_time_to_deploy, "mean_time_to_deploy"},
         {delivery::IndicatorKind::mean_time_to_roll_back, "mean_time_to_roll_back"},
         {delivery::IndicatorKind::post_deploy_error_rate, "post_deploy_error_rate"},
         {delivery::IndicatorKind::canary_pass_rate, "canary_pass_rate"},
         {delivery::IndicatorKind::verification_latency, "verification_latency"},
         {delivery::IndicatorKind::observability_coverage, "observability_coverage"},
         {delivery::IndicatorKind::cost_delta, "cost_delta"},
         {delivery::IndicatorKind::pipeline_failure_rate, "pipeline_failure_rate"},
         {delivery::IndicatorKind::budget_consumed, "budget_consumed"}}};
};
template <>
struct Words<delivery::Unit> {
    static constexpr std::array<std::pair<delivery::Unit, std::string_view>, 4> table{
        {{delivery::Unit::share, "share"},
         {delivery::Unit::seconds, "seconds"},
         {delivery::Unit::ratio, "ratio"},
         {delivery::Unit::change, "change"}}};
};
template <>
struct Words<delivery::Trend> {
    static constexpr std::array<std::pair<delivery::Trend, std::string_view>, 4> table{
        {{delivery::Trend::unknown, "unknown"},
         {delivery::Trend::steady, "steady"},
         {delivery::Trend::better, "better"},
         {delivery::Trend::worse, "worse"}}};
};

}  // namespace v0
}  // namespace serinus
