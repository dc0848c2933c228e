#pragma once
/// \file
/// Quantiles of many observations an interval: what the kinds `histogram` and `sample` have in common; inside the
/// library only.
///
/// For each quantile q of the plan the baseline's quantile tau is set before anything is compared: by history, or by the
/// rollout's first intervals, which are not compared. Then what lies beyond tau in the baseline is held against what
/// lies beyond margin x tau in the canary (`sequential::ThresholdTest`). The evidence of harm is the mean of the
/// quantiles' e-values, which is one: all of them are taken on the same intervals, so one share of alpha does for all,
/// however they depend on each other. A metric passes when each of its quantiles has.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <serinus/sequential/threshold.hpp>

#include "rollout/kinds/dispersion_known.hpp"
#include "rollout/kinds/metric_kind.hpp"
#include "rollout/partition.hpp"

namespace serinus {
inline namespace v0 {
namespace detail {

/// The quantiles of the baseline beyond which shares are watched, whatever the plan asks for.
inline constexpr std::array<double, 3> shape_quantiles{0.5, 0.9, 0.99};

/// Where a baseline's quantile is asked for: a bound near it, and how much lies beyond.
struct Threshold {
    std::optional<double> value;  // none: it lies beyond the buckets
    double last = 0;              // bound of the buckets
};
/// Of observations, the bound that stands for a quantile, such that the canary's own bound is near as well if that can
/// be. `shift` says where the canary's lies.
Threshold choose_threshold(const Partition& seen, double quantile, const Metric& metric);

/// Where the canary's threshold lies for a baseline's, by a margin.
double shifted(double threshold, const Margin& margin, bool increase);

class QuantilesKind {
  public:
    struct Values : ArmPresence {
        const Partition* whole = nullptr;             // of a histogram
        const std::vector<double>* single = nullptr;  // else
    };

    QuantilesKind(const Plan& plan, const Metric& metric, double share);

    static void check(const std::string& path, const Metric& metric);
    static void check_noise(const std::string& path, const Noise& noise, const Metric& metric, const Plan& plan);
    static void learn(Learning& learning);

    static Values gather(const Interval& interval, const Metric& metric, Arm arm);

    // ---- time passes

    void listen(const Interval& interval, const Metric& metric, std::int64_t from_ms, bool warming);
    bool update(const std::array<Values, 2>& arms);
    void gap() {}
    void begin(double weight);
    void enter_stage(std::size_t stage, bool fresh);

    // ---- evidence

    Evidence evidence() const;
    double harm_log_e_value() const;
    double harm_log_largest() const { return log_largest_; }
    double harm_log_needed() const { return log_needed_; }
    double harm_p_value() const;
    double mean_log_e_value() const { return harm_log_e_value(); }
    double mean_log_at_most() const { return mean_log_e_value(); }
    double mirror_log_e_value() const;
    double mirror_p_value() const;
    double mirror_alpha() const { return mirror_alpha_; }
    bool mirror_decided() const;
    std::optional<Margin> detect_margin() const { return detect_; }
    bool calm() const { return true; }
    double fewest() const { return std::min(totals_[0], totals_[1]); }
    std::vector<NamedNumber> observed() const {
        return {{"observations_baseline", totals_[0]}, {"observations_canary", totals_[1]}};
    }
    std::optional<Failure> failure(const Metric& metric, double log_gain) const;

    // ---- reasons

    Reason failure_reason(const Metric& metric, const Failure& failure, double after_seconds) const;
    std::vector<Reason> obstacles(double intervals) const;
    std::optional<double> idle_share() const { return std::nullopt; }
    bool blind() const { return false; }
    bool nothing_happened() const { return false; }
    std::optional<Arm> without_requests() const;
    std::vector<Reason> hindrances() const { return {}; }
    std::vector<Reason> doubts(std::int64_t /*judged*/, bool /*passed*/) const { return {}; }
    Promise promise() const { return known_.promise(); }
    std::vector<Reason> noise_reasons() const;

    void save(MetricState& state) const;
    void restore(const MetricState& state, std::size_t stage);

  private:
    using Test = sequential::ThresholdTest;

    /// What is judged of one quantile.
    struct OneQuantile {
        double quantile = 0;
        double dispersion = 1;
        std::optional<double> threshold;  // of the baseline, once it is known
        std::optional<double> nearest;    // where no bound is near what is wanted: the nearest one
        std::optional<Tests<Test>> tests;
        std::array<double, 3> at{};      // the thresholds: of the baseline, of the canary for harm, and for `detect`
        std::array<double, 2> beyond{};  // observations of the stage beyond the thresholds: baseline, canary
    };
    /// A quantile whose shares are told, and nothing else.
    struct Shape {
        std::optional<Test> test;
        std::array<double, 2> beyond{};
    };
    /// By how many ranks the observations at or below a true quantile may differ from q n, at any time.
    struct Ranks {
        double until = -1;  // so many observations
        double up = 0, down = 0;
    };
    /// What is known of one arm's quantile at every look, and the best guess.
    struct Band {
        double lower = 0, upper = 0, guess = 0;
    };

    bool increase() const { return metric_.harm != Harm::decrease; }
    double beyond_share(double quantile) const { return increase() ? 1 - quantile : quantile; }
    bool ready() const;
    Test make_test(double threshold, const Margin& margin, Side side, double alpha_safe, double dispersion) const;
    /// Sets the tests of a quantile, by a baseline's quantile and the bounds that both arms have.
    void make_tests(OneQuantile& of, const std::array<Values, 2>& arms);
    void make_shape(std::size_t index, double threshold, double dispersion);
    bool make_all(const std::array<Values, 2>& arms);
    std::vector<double> bounds_for(const Partition& baseline, const Partition& canary) const;
    template <class Update, class Beyond>
    void compare(const Update& update, const Beyond& beyond);
    bool compare_buckets(const Partition& baseline, const Partition& canary);
    bool compare_values(const std::vector<double>& baseline, const std::vector<double>& canary);
    void set_ranks();
    Band band(std::size_t quantile, std::size_t arm) const;
    std::size_t worst() const;
    Margin tested(const OneQuantile& of) const;

    Metric metric_;
    double alpha_, log_needed_, mirror_alpha_, alpha_safe_;
    std::optional<Margin> detect_;
    DispersionKnown known_;
    bool refuted_ = false;
    std::vector<double> given_;        // thresholds by history
    std::vector<double> given_shape_;  // by history
    std::vector<OneQuantile> quantiles_;
    std::array<Shape, 3> shape_;
    double shape_dispersion_ = 1;
    double begun_ = 0;  // capital that began before the thresholds were known
    double log_largest_ = 0;
    Partition learning_;
    double learned_intervals_ = 0, learned_observations_ = 0;
    bool usable_ = false;  // what was learned before this interval is enough
    double intervals_ = 0, apart_ = 0;
    std::array<double, 2> totals_{};
    std::array<Partition, 2> stage_;
    std::vector<std::array<Ranks, 2>> ranks_;
    std::optional<std::pair<double, double>> beyond_last_;  // a quantile, and the last bound, beyond which it lies
};

}  // namespace detail
}  // namespace v0
}  // namespace serinus
