#pragma once
/// \file
/// The inside of Monitor. Its members are defined by matter: intervals.cpp, verdicts.cpp, decide.cpp,
/// decide_burn.cpp, monitor_state.cpp.

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <serinus/rollout/monitor.hpp>
#include <serinus/series/counter.hpp>

#include "rollout/judged.hpp"
#include "rollout/slo_judged.hpp"

namespace serinus {
inline namespace v0 {
namespace detail {

/// A series of one instance: what is not judged yet, and where it was left off.
struct Track {
    std::map<std::int64_t, double> pending;
    std::optional<std::int64_t> consumed_ms;
    CounterIncrements counter;
};

/// A reason for which a metric decides nothing, however long the rollout runs.
constexpr bool undecidable(Code code) {
    return code == Code::noise_unknown || code == Code::single_instance || code == Code::history_unusable ||
           code == Code::history_not_positive;
}

constexpr double seconds(std::int64_t milliseconds) { return static_cast<double>(milliseconds) / 1000; }

/// Raises for a time outside the years 1 to 9999; inside them there is room for every sum and product of the monitor.
void require_time(const std::string& what, std::int64_t time_ms);

}  // namespace detail

struct Monitor::Impl {
    using Judged = detail::Judged;
    using Track = detail::Track;
    using TrackKey = detail::TrackKey;

    Plan plan;
    std::string plan_digest;
    std::map<std::string, bool> cumulative;  // by series: is it a counter?
    std::map<TrackKey, Track> tracks;
    std::vector<Judged> metrics;
    std::vector<detail::SloJudged> slo;
    int stage = 0;
    std::optional<std::int64_t> start_ms;
    std::optional<std::int64_t> told_ms;  // when the caller said that the stage began
    std::int64_t next = 0;
    std::vector<std::int64_t> starts;
    std::optional<std::int64_t> now_ms, watch_ms;
    bool rolled_back = false;
    std::optional<std::int64_t> together_after_ms;  // since its stage's start: when all metrics together proved harm
    double together_log = 0;                        // log of the mean of their e-values then
    std::vector<Code> policy;
    double policy_seconds = 0;
    std::vector<RestartState> restarts;
    std::array<std::optional<std::int64_t>, 2> newest_ms{};
    std::int64_t intervals = 0, used = 0;
    std::array<std::int64_t, 2> missing{};
    std::int64_t late = 0, repeated = 0, conflicts = 0, ignored = 0;

    explicit Impl(Plan given) : plan(std::move(given)) {
        check(plan);
        plan_digest = digest(plan);
        const std::vector<double> split = alpha_split(plan);
        for (std::size_t i = 0; i < plan.metrics.size(); ++i) {
            const Metric& metric = plan.metrics[i];
            metrics.emplace_back(plan, metric, split[i]);
            for (const std::string& series : series_of(metric)) cumulative[series] = metric.counter;
        }
        const std::vector<double> slo_split = slo_alpha_split(plan);
        for (std::size_t i = 0; i < plan.slo.size(); ++i) slo.emplace_back(plan, plan.slo[i], slo_split[i]);
        starts.assign(plan.stages.size(), 0);
    }

    // ---- taking data in

    std::int64_t frontier_ms() const { return *start_ms + next * plan.interval_ms; }

    /// Raises before anything is taken, so that a bad batch changes nothing.
    static void check_batch(const Batch& batch);

    void take(const Batch& batch);

    std::optional<std::int64_t> newest() const;

    /// Stage 0 of a rollout whose start nobody told begins with the canary's first sample: before it there is no
    /// canary.
    void find_start();

    /// While there is no canary, the baseline's past is of no use but for the counters' last values.
    void forget_before_start();

    /// Consumes the samples that belong before `from`, unjudged.
    void pass_over(const TrackKey& key, Track& track, std::int64_t from);

    /// Takes the earliest pending sample; for a counter its increment, if it has one.
    std::optional<double> consume(Track& track, bool counter);

    // ---- judging intervals

    bool warming_up(Arm arm, const std::string& instance, std::int64_t from, std::int64_t to) const;

    /// Judges every interval that ends, and has settled, by `time`.
    void judge_until(std::int64_t time);

    /// The latest moment that a waiting sample tells of.
    std::optional<std::int64_t> last_pending_ms() const;

    /// The interval of the earliest sample that waits.
    std::optional<std::int64_t> first_pending_interval() const;

    /// Intervals [from, to) brought nothing from anybody. Starts that fall into them are one start of their summed
    /// weight.
    void silence(std::int64_t from, std::int64_t to, std::int64_t warm);

    /// The weight of the stage's next `count` starts together. Of very many, a little less: an integral below their
    /// sum.
    double next_weights(std::int64_t count);

    void judge_interval(std::int64_t warm);

    // ---- verdicts

    /// What forbids a metric to decide at all. These look at telemetry, never at which way the evidence points.
    std::vector<Reason> obstacles(const Judged& judged) const;

    /// Latches what is decided by now. The rollout is rolled back when the mean of all e-values, weighted as alpha is,
    /// reaches 1/alpha. Failing metrics are named by e-Holm: one that has failed leaves its share of alpha to the
    /// others.
    void settle_verdicts();

    /// Log of the mean, at this moment, of the e-values of all that may roll back, weighted by their shares of alpha.
    /// What must not decide now counts as nothing, which never raises it.
    double log_mean_e_value() const;

    double age_seconds(const Judged& judged) const;

    bool stale(const Judged& judged) const;

    // ---- the decision

    MetricResult result(const Judged& judged) const;

    /// The metric that a rule of `slo` is about.
    const Judged& metric_of(const SloRule& rule) const;

    BurnResult burn_result(const detail::SloJudged& judged) const;

    Decision decide();

    Decision decide_action();
};

}  // namespace v0
}  // namespace serinus
