#pragma once
/// \file
/// A gauge whose data name their instances: who takes part, and the rotation test between them; inside the library
/// only.
///
/// Which test judges a gauge is settled once in a rollout, by the plan and by who is there in its first intervals,
/// never by what they read. An interval is judged when all instances of the baseline that count and an instance of the
/// canary past its warm-up have a value. An instance of the baseline counts when it has values in three fifths of the
/// stage's first intervals, and as long as that stays true.

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <serinus/core/evidence.hpp>
#include <serinus/rollout/monitor_state.hpp>
#include <serinus/rollout/plan.hpp>
#include <serinus/sequential/rotation.hpp>

#include "rollout/apart.hpp"
#include "rollout/kinds/floored.hpp"

namespace serinus {
inline namespace v0 {
namespace detail {

using sequential::RotationTest;

/// What the instances of both arms brought in one interval.
struct InstanceInterval {
    /// By name, the values of the gauge; NaN: there, but warming up again.
    std::array<std::map<std::string, double>, 2> arms;
    std::array<double, 2> requests{};    ///< of the plan's first proportion, over its named instances
    std::array<double, 2> requesting{};  ///< how many instances these were
};

/// The part of a metric's share of alpha that a stay in a stage may spend; `stay` 0 is the first in that stage. Each
/// stage has the part that it has of the capital of e-processes (`stage_weight`); nine tenths of it are for the first
/// stay, each later one has a tenth over stay (stay + 1). The sum is at most 1, however often a stage is entered.
double stay_share(std::size_t stage, std::size_t stages, std::int64_t stay);

/// The tests between the instances of one gauge.
class InstanceTests {
  public:
    static constexpr std::int64_t settling = 5;        ///< intervals after which it is settled who takes part
    static constexpr double present = 0.6;             ///< share of the intervals with a value: an instance counts
    static constexpr double idle = 0.1;                ///< share of the intervals at 0: an instance is idle
    static constexpr double most_load_ratio = 2;       ///< of the arms' requests an instance
    static constexpr double part_for_zero = 0.01;      ///< of the level: what a value of 0 under a ratio margin counts
    static constexpr std::int64_t fewest_to_pass = 8;  ///< judged intervals
    static constexpr double long_history = 2000;       ///< intervals of history, beside which
    static constexpr std::int64_t long_stage = 240;    ///< stages of so many intervals are judged by its noise

    /// `alpha`: the metric's share.
    InstanceTests(const Plan& plan, const Metric& metric, double alpha);

    /// The stage begins, or begins again; not `fresh`: it is told which one runs.
    void enter_stage(std::size_t stage, bool fresh);

    /// One interval that begins at `from_ms`; `warming`: of the stage's warm-up, which is not judged.
    void update(const InstanceInterval& interval, std::int64_t from_ms, bool warming);

    // ---- which test judges

    /// It is not settled yet.
    bool open() const { return !off_ && !chosen_; }
    /// The rotation test does.
    bool chosen() const { return !off_ && chosen_.value_or(false); }
    /// Whether it wants to be told of intervals.
    bool listens() const { return open() || chosen(); }
    /// It does not, for the baseline has one instance and nothing is known of others.
    bool only_one() const { return !off_ && only_one_; }
    std::int64_t intervals() const { return intervals_; }

    // ---- what it says; only where it was chosen

    double n() const { return n_; }
    /// Judged intervals that this stage's error is spent over.
    std::int64_t last() const { return setup_->last[stage_]; }
    double mean(Arm arm) const;
    double taking_part(Arm arm) const;  ///< instances that count
    bool settled() const { return tests_.has_value(); }
    double degrees() const { return tests_ ? static_cast<double>(tests_->harm.degrees()) : 0; }

    /// Of this stage: estimate and interval.
    Evidence evidence() const;
    /// One over the p-value of the whole rollout, its log; beside log(1/alpha) of the metric.
    double log_largest() const;
    double log_needed() const;
    /// Whether it has failed at the metric's share of alpha, and may: one over this share is an e-value then, 0 before.
    bool harm_decided() const { return may_fail() && log_largest() >= log_needed(); }
    double mirror_log_e_value() const { return tests_ ? tests_->mirror().log_e_value() : 0; }
    double mirror_p_value() const { return tests_ ? tests_->mirror().p_value() : 1; }
    double mirror_alpha() const;
    bool mirror_decided() const;

    // ---- what stands in the way: never which way the evidence points

    /// The arms' requests an instance, the larger over the smaller; empty where they are not known.
    std::optional<double> load_ratio() const;
    bool unequal_load() const { return load_ratio().value_or(1) > most_load_ratio; }
    /// The largest share of its intervals in which an instance of the canary reads 0, where the baseline's do not.
    std::optional<double> idle_share() const;
    bool at_floor() const { return tests_ && tests_->harm.at_floor(); }
    /// Does the plan say how far instances differ?
    bool has_guard() const { return setup_->metric.instances_differ.has_value(); }
    /// The baseline reads 0: ratios of it say nothing.
    bool no_level() const { return tests_ && setup_->metric.margin.ratio && !setup_->floor && !(zero_ > 0); }
    std::int64_t impossible() const { return impossible_; }
    bool may_fail() const;

    /// A state of a version that knew nothing of instances goes on as it began.
    void switch_off() { off_ = true; }
    bool off() const { return off_; }

    InstancesState state() const;
    /// The state of a stay in that stage. Raises `serinus.state.*`; the object is of no use then.
    void restore(const InstancesState& state, std::size_t stage);

  private:
    struct Setup {
        Metric metric;
        std::string deployment;
        double alpha = 0, alpha_promote = 0, beta = 0;
        PromoteWhen promote_when = PromoteWhen::no_harm_found;
        std::int64_t warm_up_ms = 0;
        std::vector<std::int64_t> last, since;  // by stage
        std::optional<KnownInstances> known;
        std::optional<FloorLine> floor, floor_detect;  // where the margin has a floor
        double slope = 1;                              // of history under it
        double level = 0;                              // of history, 0: not known
        bool history_can_judge = false, history_judges_better = false;
    };
    struct Tests {
        RotationTest harm, stage;
        std::optional<RotationTest> detect;

        const RotationTest& mirror() const { return detect ? *detect : stage; }
    };
    using Row = std::array<std::vector<double>, 2>;

    std::size_t find(Arm arm, const std::string& name, std::int64_t from_ms);
    bool is_present(const InstanceState& of) const;
    void settle();
    void make_tests();
    void feed(Row row);
    double stay_alpha() const;
    double least_alpha() const;
    sequential::InstanceSpread known() const;

    std::shared_ptr<const Setup> setup_;
    std::size_t stage_ = 0;
    bool off_ = false, only_one_ = false;
    std::optional<bool> chosen_;
    std::vector<std::int64_t> stays_;  // in each stage
    double carried_ = 0;               // log of one over the p-value of the stays that are over

    std::array<std::vector<InstanceState>, 2> instances_;  // of this stage, in the order in which they came
    std::int64_t intervals_ = 0;                           // with any instance of the baseline
    std::vector<Row> waiting_;                             // until it is settled who takes part
    double zero_ = 0;
    std::array<double, 2> requests_{}, requesting_{};
    double n_ = 0;
    std::array<double, 2> sums_{};
    std::int64_t impossible_ = 0;
    Apart<Tests> tests_;
};

}  // namespace detail
}  // namespace v0
}  // namespace serinus
