#pragma once
/// \file
/// One value an interval, such as a latency's quantile: the levels of both arms are compared by
/// `sequential::PairedTest` against the noise that history taught, or between the instances that the data name
/// (kinds/instances.hpp), and spikes are counted beside the level (kinds/spike_watch.hpp); inside the library only.

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <serinus/numeric/elementary.hpp>
#include <serinus/sequential/paired.hpp>

#include "rollout/apart.hpp"
#include "rollout/kinds/floored.hpp"
#include "rollout/kinds/instances.hpp"
#include "rollout/kinds/metric_kind.hpp"
#include "rollout/kinds/spike_watch.hpp"

namespace serinus {
inline namespace v0 {
namespace detail {

/// Checks `instances_differ`; `path` leads to the metric.
void check_instances_differ(const std::string& path, const Metric& metric);
/// Checks what a floor asks of a gauge and of a ratio; `path` leads to the metric.
void check_gauge_floor(const std::string& path, const Metric& metric);

class GaugeKind : public JudgedBy<sequential::PairedTest> {
  public:
    static constexpr const KindFacts& facts = facts_of(Kind::gauge);
    static constexpr HarmCodes harm_codes{Code::harm_proven_above, Code::harm_proven_below,
                                          Code::harm_proven_above_difference, Code::harm_proven_below_difference};
    static constexpr std::int64_t spikes_told = 120;  ///< intervals in which spikes of a good canary show as harmless

    /// The instance is the unit: each counts once, however often it was scraped.
    struct Values : ArmPresence {
        double mean = 0;                              // over instances
        double instances = 0;                         // that `mean` is made of; 0: the data name none
        std::vector<SpikeCounter::Reading> readings;  // by instance
    };

    GaugeKind(const Plan& plan, const Metric& metric, double share)
        : GaugeKind(plan, metric, share, noise_of(plan, metric), noise_by_stage(noise_of(plan, metric))) {}

    static void check(const std::string& path, const Metric& metric);
    static void check_noise(const std::string& path, const Noise& noise, const Metric& metric, const Plan& plan);
    static void learn(Learning& learning);

    // ---- time passes

    void enter_stage(std::size_t stage, bool fresh) {
        JudgedBy::enter_stage(stage, fresh);
        if (fresh && spikes_) spikes_->enter_stage();
        if (fresh && floored_) floored_->enter_stage();
        instances_.enter_stage(stage, fresh);
        stage_ = stage;
        if (noise()) tests_.set_noise(noise_[std::min(stage, noise_.size() - 1)]);
    }
    void begin(double weight) {
        JudgedBy::begin(weight);
        if (spikes_) spikes_->begin(weight);
    }
    void gap() { tests_.gap(); }
    void listen(const Interval& interval, const Metric& metric, std::int64_t from_ms, bool warming) {
        if (instances_.listens()) instances_.update(by_instance(interval, metric), from_ms, warming);
    }
    static Values gather(const Interval& interval, const Metric& metric, Arm arm);
    bool update(const std::array<Values, 2>& arms) {
        const Values &b = arms[0], &c = arms[1];
        // Between instances they were told already.
        if (!between_instances()) {
            const sequential::Pair values{.baseline = b.mean,
                                          .canary = c.mean,
                                          .instances_baseline = b.instances,
                                          .instances_canary = c.instances};
            if (floored_) {
                update_floored(values);
            } else {
                tests_.update(values);
            }
        }
        if (spikes_) update_spikes(b.readings, c.readings);
        return true;
    }

    // ---- evidence

    Evidence evidence() const {
        const Evidence found = between_instances() ? instances_.evidence() : JudgedBy::evidence();
        return floored_ ? floored_->shown(found, mean(Arm::baseline), !between_instances()) : found;
    }
    /// With a watch on spikes the mean of the e-values of level and spikes, weighted by their parts of alpha: where one
    /// of them reaches 1/its part, this has reached 1/alpha.
    double harm_log_e_value() const {
        if (spikes_alone_) return spikes_ ? spikes_->harm.log_e_value() : 0;
        if (between_instances()) return harm_log_largest();
        return spikes_ ? with_spikes(tests_.harm.log_e_value()) : tests_.harm.log_e_value();
    }
    double harm_log_largest() const {
        if (spikes_alone_) return spikes_ ? spikes_->harm.log_largest() : 0;
        const double level = level_log_largest();
        if (!spikes_) return level;
        // No look has been too early: at each the mean is at least either part, and where both were small it is not
        // worth its logarithms.
        const double either = std::max(level + log_level_part(), spikes_log_largest());
        if (between_instances()) return std::max(either, 0.0);
        return either > 0 ? std::max(either, harm_log_e_value()) : std::max(either, 0.0);
    }
    double harm_log_needed() const {
        const double level = between_instances() ? instances_.log_needed() : tests_.harm.log_needed();
        return spikes_ && !spikes_alone_ ? level + log_level_part() : level;
    }
    double harm_p_value() const {
        if (spikes_ || spikes_alone_ || between_instances()) return elementary::exp(-harm_log_largest());
        return tests_.harm.p_value();
    }
    /// Evidence between instances is no e-value; that it has failed at its share of alpha is worth one over this share.
    double mean_log_e_value() const {
        if (!between_instances() || spikes_alone_) return harm_log_e_value();
        const double level = instances_.harm_decided() ? instances_.log_needed() : nothing;
        return spikes_ ? with_spikes(level) : level;
    }
    double mean_log_at_most() const {
        if (between_instances() || spikes_alone_) return mean_log_e_value();
        const double level = tests_.harm.log_at_most();
        return spikes_ ? std::max(level, spikes_->harm.log_at_most()) : level;
    }
    double mirror_log_e_value() const {
        if (spikes_alone_) return spikes_ ? spikes_->safe.log_e_value() : 0;
        return between_instances() ? instances_.mirror_log_e_value() : JudgedBy::mirror_log_e_value();
    }
    double mirror_p_value() const {
        if (spikes_alone_) return spikes_ ? spikes_->safe.p_value() : 1;
        return between_instances() ? instances_.mirror_p_value() : JudgedBy::mirror_p_value();
    }
    bool mirror_decided() const {
        if (spikes_alone_) return spikes_ && spikes_->safe.decided();
        return between_instances() ? instances_.mirror_decided() : JudgedBy::mirror_decided();
    }
    double mirror_alpha() const {
        const double level = between_instances() ? instances_.mirror_alpha() : JudgedBy::mirror_alpha();
        return spikes_alone_ ? std::min(level, spikes_error) : level;
    }
    std::optional<Margin> detect_margin() const {
        return floored_ && tests_.detect ? floored_detect_ : JudgedBy::detect_margin();
    }
    /// Spikes are asked anew at every look. Between instances a stage may be too short for an increase of them to be
    /// ruled out; then it is not waited for.
    bool calm() const {
        if (spikes_alone_) return spikes_ && spikes_->calm();
        const bool waits = spikes_ && (!between_instances() || instances_.last() >= spikes_told);
        return !waits || spikes_->calm();
    }
    double fewest() const { return between_instances() ? instances_.n() : tests_.stage.n(); }
    std::vector<NamedNumber> observed() const;
    std::optional<Failure> failure(const Metric& metric, double log_gain) const;

    // ---- reasons

    Reason failure_reason(const Metric& metric, const Failure& failure, double after_seconds) const;
    std::vector<Reason> obstacles(double intervals) const;
    std::optional<double> idle_share() const {
        return between_instances() ? instances_.idle_share() : std::optional<double>();
    }
    /// Without noise its test's numbers promise nothing; nobody should read a verdict into them.
    bool blind() const { return spikes_alone_ ? !spikes_ : !knows_noise() && !learns_; }
    std::vector<Reason> hindrances() const;
    std::vector<Reason> doubts(std::int64_t judged, bool passed) const;
    Promise promise() const;
    std::vector<Reason> noise_reasons() const;

    // ---- state

    void save(MetricState& state) const;
    void restore(const MetricState& state, std::size_t stage);

  private:
    static constexpr double nothing = -std::numeric_limits<double>::infinity();

    using NoiseByStage = std::vector<std::shared_ptr<const sequential::PairedNoise>>;
    /// One copy, which all of its tests share.
    static NoiseByStage noise_by_stage(const Noise* noise);
    GaugeKind(const Plan& plan, const Metric& metric, double share, const Noise* noise, NoiseByStage by_stage);

    /// Is it judged by the rotation test between its instances?
    bool between_instances() const { return instances_.chosen(); }
    InstanceInterval by_instance(const Interval& interval, const Metric& metric) const;
    void update_floored(const sequential::Pair& values);
    void update_spikes(std::vector<SpikeCounter::Reading> baseline, std::vector<SpikeCounter::Reading> canary);
    /// Of an arm in this stage.
    double mean(Arm arm) const {
        if (between_instances()) return instances_.mean(arm);
        if (floored_) return floored_->mean(arm);
        return arm == Arm::baseline ? tests_.stage.mean_baseline() : tests_.stage.mean_canary();
    }

    /// Of this stage; none when it is not known.
    const sequential::PairedNoise* noise() const {
        return noise_.empty() ? nullptr : noise_[std::min(stage_, noise_.size() - 1)].get();
    }
    /// Is what it is judged against known? Between instances it needs no noise.
    bool knows_noise() const { return between_instances() || noise(); }
    /// Intervals of history that the noise was learned from.
    std::optional<double> history() const { return noise() ? std::optional(noise()->size) : std::nullopt; }
    Reason noise_reason() const;

    static double log_level_part() { return elementary::log(1 - spikes_alpha); }
    static double log_spikes_part() { return elementary::log(spikes_alpha); }
    double with_spikes(double level) const {
        return elementary::log_add_exp(level + log_level_part(), spikes_->harm.log_e_value() + log_spikes_part());
    }
    /// Of the level alone, beside its own part of alpha.
    double level_log_largest() const {
        return between_instances() ? instances_.log_largest() : tests_.harm.log_largest();
    }
    /// Of the spikes alone, beside all of the metric's alpha.
    double spikes_log_largest() const { return spikes_ ? spikes_->harm.log_largest() + log_spikes_part() : nothing; }

    std::size_t stage_ = 0;
    NoiseByStage noise_;
    bool learns_ = false;   // its noise from the rollout itself
    bool refuted_ = false;  // history contradicted what it taught
    std::string load_;      // the series that tells an instance's requests
    InstanceTests instances_;
    Apart<SpikeWatch> spikes_;             // where the plan has their noise, and does not watch the level alone
    std::optional<FlooredGauge> floored_;  // where the margin has a floor
    std::optional<Margin> floored_detect_;
    std::optional<SpikeNoise> spike_noise_;  // the same
    bool spikes_alone_ = false;              // are watched; the level is only shown
    bool level_alone_ = false;               // is watched, because the plan says so
};

}  // namespace detail
}  // namespace v0
}  // namespace serinus
