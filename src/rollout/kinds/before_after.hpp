#pragma once
/// \file
/// A metric without arms, such as what callers see or the whole service's errors: compared with what it was before the
/// rollout, against what history says of moments at which nothing happened; inside the library only. The rule and what
/// was measured of it: docs/concepts/before-after.md.

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <serinus/numeric/elementary.hpp>

#include "rollout/kinds/metric_kind.hpp"

namespace serinus {
inline namespace v0 {
namespace detail {

/// Distances of a level after a moment from the level before it, in the direction of harm: what a rollout and history's
/// moments have in common.
class BeforeAfterScale {
  public:
    BeforeAfterScale(const Metric& metric, bool logs, double floor)
        : kind_(metric.kind), harm_(metric.harm), logs_(logs), floor_(floor) {}
    static bool uses_logs(const Metric& metric) { return metric.margin.ratio.has_value(); }
    /// What is added before logarithms are taken, so that max(ratio x before, before + floor) is about one distance
    /// whatever the level: both lines meet at floor / (ratio - 1).
    static double floor_of(const Metric& metric) {
        if (!metric.margin.floor) return 0;
        return *metric.margin.floor / std::max(*metric.margin.ratio - 1, 0.01);
    }

    /// A level of a part and its whole; on logarithms half an event more, so that none is a level too. NaN: there is none.
    double level(double part, double whole) const;
    /// How far `after` lies from `before`.
    double distance(double before, double after) const;
    /// The distance at which a margin ends.
    double allowed(const Margin& margin, double before, double after) const;

  private:
    double scaled(double level) const;

    Kind kind_;
    Harm harm_;
    bool logs_;
    double floor_;
};

/// Lengths of the windows that are looked at within `horizon` intervals: 5, 10, 20, ...
std::vector<std::size_t> before_after_windows(std::size_t horizon);

class BeforeAfterKind {
  public:
    static constexpr const KindFacts& facts = no_kind;

    /// Whether a metric is judged by it, whatever its kind.
    static bool takes(const Metric& metric) { return metric.arm == MetricArm::none; }

    struct Values : ArmPresence {
        double part = 0, whole = 0;
    };

    BeforeAfterKind(const Plan& plan, const Metric& metric, double share);

    static void check(const std::string& path, const Metric& metric);
    static void check_noise(const std::string& path, const Noise& noise, const Metric& metric, const Plan& plan);
    static void learn(Learning& learning);

    // ---- time passes

    /// So many intervals before the rollout are wanted; 0: none, or they have been told.
    std::int64_t wants_before() const;
    /// One of them, the oldest first; then the rollout begins.
    void tell_before(const Values& values);
    void begin_rollout() { state_.began = true; }

    void enter_stage(std::size_t stage, bool fresh);
    void listen(const Interval&, const Metric&, std::int64_t, bool) {}
    void begin(double) {}
    void gap() { add(0, 0); }
    static Values gather(const Interval& interval, const Metric& metric, Arm arm);
    bool update(const std::array<Values, 2>& arms);

    // ---- evidence: one over a p-value, which is no e-value

    Evidence evidence() const;
    double harm_log_e_value() const { return -elementary::log(harm_p_value()); }
    double harm_log_largest() const { return harm_log_e_value(); }
    double harm_log_needed() const { return -elementary::log(alpha_); }
    double harm_p_value() const;
    double mean_log_e_value() const { return 0; }
    double mean_log_at_most() const { return 0; }
    double mirror_log_e_value() const { return -elementary::log(mirror_p_value()); }
    double mirror_p_value() const;
    double mirror_alpha() const { return mirror_alpha_; }
    bool mirror_decided() const { return noise_ && mirror_p_value() <= mirror_alpha_; }
    std::optional<Margin> detect_margin() const { return detect_; }
    bool calm() const { return true; }
    double fewest() const { return state_.stage_whole; }
    std::vector<NamedNumber> observed() const;
    std::optional<Failure> failure(const Metric& metric, double log_gain) const;

    // ---- reasons

    Reason failure_reason(const Metric& metric, const Failure& failure, double after_seconds) const;
    std::vector<Reason> obstacles(double intervals) const;
    std::optional<double> idle_share() const { return std::nullopt; }
    bool blind() const { return !noise_; }
    bool nothing_happened() const { return false; }
    std::optional<Arm> without_requests() const { return std::nullopt; }
    std::vector<Reason> hindrances() const { return {}; }
    std::vector<Reason> doubts(std::int64_t judged, bool passed) const;
    Promise promise() const;
    std::vector<Reason> noise_reasons() const;

    // ---- state

    void save(MetricState& state) const { state.before_after = state_; }
    void restore(const MetricState& state, std::size_t stage);

  private:
    void add(double part, double whole);
    /// Levels: before the rollout, and of this stage. NaN: there is none.
    double before() const;
    double stage_level() const { return scale_.level(state_.stage_part, state_.stage_whole); }
    bool enough_before() const;
    double p_value(std::span<const double> quantiles, double value, bool upwards) const;

    Metric metric_;
    double alpha_, mirror_alpha_;
    std::optional<Margin> detect_;
    std::optional<BeforeAfterNoise> noise_;
    BeforeAfterScale scale_;
    std::vector<std::size_t> windows_;
    BeforeAfterState state_;
};

}  // namespace detail
}  // namespace v0
}  // namespace serinus
