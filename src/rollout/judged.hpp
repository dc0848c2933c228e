#pragma once
/// \file
/// A metric under judgement: its tests, and how it stands.

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include <serinus/core/counts.hpp>
#include <serinus/numeric/elementary.hpp>
#include <serinus/rollout/plan.hpp>
#include <serinus/sequential/paired.hpp>
#include <serinus/sequential/proportion.hpp>
#include <serinus/sequential/start_mixture.hpp>

#include "rollout/instances.hpp"
#include "rollout/spike_watch.hpp"

namespace serinus {
inline namespace v0 {
namespace detail {

using sequential::Pair;
using sequential::PairedOptions;
using sequential::PairedTest;
using sequential::ProportionOptions;
using sequential::ProportionTest;

/// What one arm brought in one interval.
struct ArmValues {
    double bad = 0, total = 0;                    // counts, summed over instances
    double mean = 0;                              // of a gauge, over instances
    double instances = 0;                         // that `mean` is made of; 0: the data name none
    bool present = false;                         // an instance with all that the metric needs
    bool unpaired = false;                        // an instance with a part of it only
    std::vector<SpikeCounter::Reading> readings;  // of a gauge, by instance
};

/// The three tests of a metric.
template <class Test>
struct Tests {
    sequential::StartMixture<Test> harm;  // over the whole rollout, beyond the margin
    Test stage;                           // this stage: safety at the margin, and the interval that is shown
    std::optional<Test> detect;           // this stage: safety at `detect`
    Test fresh_stage = stage;
    std::optional<Test> fresh_detect = detect;

    const Test& mirror() const { return detect ? *detect : stage; }

    void enter_stage() {
        stage = fresh_stage;
        detect = fresh_detect;
    }
    template <class... Arguments>
    void update(const Arguments&... arguments) {
        harm.update(arguments...);
        stage.update(arguments...);
        if (detect) detect->update(arguments...);
    }
    void gap() {
        harm.gap();
        stage.gap();
        if (detect) detect->gap();
    }
    template <class Noise>
    void set_noise(const Noise& noise) {
        harm.set_noise(noise);
        stage.set_noise(noise);
        fresh_stage.set_noise(noise);
        if (detect) detect->set_noise(noise);
        if (fresh_detect) fresh_detect->set_noise(noise);
    }
};

using CountTests = Tests<ProportionTest>;
using GaugeTests = Tests<PairedTest>;

/// A metric and all that is known of it.
struct Judged {
    Judged(const Plan& plan, const Metric& of, double share)
        : metric(of), alpha(share), promote_when(effective_promote_when(of)), tests(make_tests(plan, of, share)) {
        const auto known = plan.noise.find(metric.name);
        const bool watched = known != plan.noise.end() && known->second.spikes;
        if (metric.kind == Kind::gauge)
            instances.emplace(plan, metric, alpha_used(plan, share) * (watched ? 1 - spikes_alpha : 1));
        if (known == plan.noise.end()) return;
        for (const sequential::PairedNoise& stage : known->second.stages)
            noise.push_back(std::make_shared<const sequential::PairedNoise>(stage));
        if (watched) spikes.emplace(*known->second.spikes, metric, alpha_used(plan, share), mirror_alpha());
    }

    /// A muted metric has no share of alpha; it is shown as if it had all of it.
    static double alpha_used(const Plan& plan, double share) { return share > 0 ? share : plan.alpha; }

    template <class Options>
    static Options options(const Plan& plan, const Metric& metric, double share, Side side, const Margin& margin,
                           bool interval) {
        Options options;
        options.alpha = alpha_used(plan, share);
        options.alpha_safe = plan.alpha_promote.value_or(plan.alpha);
        options.harm = metric.harm;
        options.margin = margin;
        options.side = side;
        options.interval = interval;
        const auto noise = plan.noise.find(metric.name);
        if constexpr (std::is_same_v<Options, ProportionOptions>) {
            options.method = metric.method;
            if (noise != plan.noise.end()) options.dispersion = noise->second.dispersion.value_or(1);
        } else {
            if (noise != plan.noise.end() && noise->second.spikes) options.alpha *= 1 - spikes_alpha;
            if (noise != plan.noise.end() && !noise->second.stages.empty())
                options.noise = std::make_shared<const sequential::PairedNoise>(noise->second.stages.front());
        }
        return options;
    }

    template <class Test, class Options>
    static Tests<Test> make(const Plan& plan, const Metric& metric, double share) {
        const auto test = [&](Side side, const Margin& margin, bool interval) {
            return options<Options>(plan, metric, share, side, margin, interval);
        };
        std::optional<Test> detect;
        if (effective_promote_when(metric) == PromoteWhen::no_harm_found) {
            Options against = test(Side::safe, *effective_detect(metric), false);
            against.alpha_safe = plan.beta;
            detect.emplace(against);
        }
        return {sequential::StartMixture<Test>(Test(test(Side::harm, metric.margin, false))),
                Test(test(Side::safe, metric.margin, true)), detect};
    }

    static std::variant<CountTests, GaugeTests> make_tests(const Plan& plan, const Metric& metric, double share) {
        if (metric.kind == Kind::gauge) return make<PairedTest, PairedOptions>(plan, metric, share);
        return make<ProportionTest, ProportionOptions>(plan, metric, share);
    }

    /// `fresh`: the stage is really a new one, not the one of a state that is being restored.
    void enter_stage(std::size_t stage, bool fresh = true) {
        if (fresh) {
            std::visit([](auto& t) { t.enter_stage(); }, tests);
            if (spikes) spikes->enter_stage();
            passed = false;
            intervals = used = unpaired = impossible = 0;
            missing = {};
            last_used_ms.reset();
        }
        if (instances) instances->enter_stage(stage, fresh);
        if (auto* gauge = std::get_if<GaugeTests>(&tests); gauge && !noise.empty())
            gauge->set_noise(noise[std::min(stage, noise.size() - 1)]);
    }

    void update(const std::array<ArmValues, 2>& arms, std::int64_t end_ms) {
        ++intervals;
        const ArmValues &b = arms[0], &c = arms[1];
        if (b.unpaired || c.unpaired) ++unpaired;
        for (std::size_t arm = 0; arm < 2; ++arm) missing[arm] += arms[arm].present ? 0 : 1;
        if (!b.present || !c.present) {
            if (auto* const gauge = std::get_if<GaugeTests>(&tests)) gauge->gap();
            return;
        }
        if (between_instances()) {
            // The instances were told already.
            if (spikes) spikes->update(b.readings, c.readings);
        } else if (auto* gauge = std::get_if<GaugeTests>(&tests)) {
            gauge->update(Pair{.baseline = b.mean,
                               .canary = c.mean,
                               .instances_baseline = b.instances,
                               .instances_canary = c.instances});
            if (spikes) spikes->update(b.readings, c.readings);
        } else {
            if (!possible(b) || !possible(c)) {
                ++impossible;
                return;
            }
            std::get<CountTests>(tests).update(counts(b), counts(c));
        }
        ++used;
        last_used_ms = end_ms;
    }

    static bool possible(const ArmValues& counts) {
        return counts.bad <= counts.total && is_count(counts.bad) && is_count(counts.total);
    }
    static Proportion counts(const ArmValues& arm) {
        return Proportion{static_cast<std::int64_t>(arm.bad), static_cast<std::int64_t>(arm.total)};
    }

    /// Is it judged by the rotation test between its instances?
    bool between_instances() const { return instances && instances->chosen(); }

    // ---- what the tests say, whatever they are

    void begin(double weight) {
        std::visit([&](auto& t) { t.harm.begin(weight); }, tests);
        if (spikes) spikes->begin(weight);
    }
    Evidence evidence() const {
        if (between_instances()) return instances->evidence();
        return std::visit([](const auto& t) { return t.stage.evidence(); }, tests);
    }
    /// Of a gauge with a watch on its spikes the mean of the e-values of level and spikes, weighted by their parts of
    /// alpha: where one of them reaches 1/its part, this has reached 1/alpha.
    double harm_log_e_value() const {
        if (between_instances()) return harm_log_largest();
        const double level = level_log_e_value();
        if (!spikes) return level;
        return elementary::log_add_exp(level + log_level_part(), spikes->harm.log_e_value() + log_spikes_part());
    }
    double harm_log_largest() const {
        const double level = level_log_largest();
        if (!spikes) return level;
        // No look has been too early: at each the mean is at least either part, and where both were small it is not
        // worth its logarithms.
        const double either = std::max(level + log_level_part(), spikes->harm.log_largest() + log_spikes_part());
        if (between_instances()) return std::max(either, 0.0);
        return either > 0 ? std::max(either, harm_log_e_value()) : std::max(either, 0.0);
    }
    double harm_log_needed() const {
        const double level = between_instances() ? instances->log_needed()
                                                 : std::visit([](const auto& t) { return t.harm.log_needed(); }, tests);
        return spikes ? level + log_level_part() : level;
    }
    double harm_p_value() const {
        if (spikes || between_instances()) return elementary::exp(-harm_log_largest());
        return std::visit([](const auto& t) { return t.harm.p_value(); }, tests);
    }
    /// For a mean over metrics. Evidence between instances is no e-value; that it has failed at its share of alpha is
    /// worth one over this share.
    double mean_log_e_value() const {
        if (!between_instances()) return harm_log_e_value();
        const double level = instances->harm_decided() ? instances->log_needed() : nothing;
        if (!spikes) return level;
        return elementary::log_add_exp(level + log_level_part(), spikes->harm.log_e_value() + log_spikes_part());
    }
    /// Of the level alone, beside its own part of alpha.
    double level_log_e_value() const {
        if (between_instances()) return instances->log_largest();
        return std::visit([](const auto& t) { return t.harm.log_e_value(); }, tests);
    }
    double level_log_largest() const {
        if (between_instances()) return instances->log_largest();
        return std::visit([](const auto& t) { return t.harm.log_largest(); }, tests);
    }
    /// Of the spikes alone, beside all of the metric's alpha.
    double spikes_log_largest() const { return spikes ? spikes->harm.log_largest() + log_spikes_part() : nothing; }
    static constexpr double nothing = -std::numeric_limits<double>::infinity();
    static double log_level_part() { return elementary::log(1 - spikes_alpha); }
    static double log_spikes_part() { return elementary::log(spikes_alpha); }
    /// Is it the spikes that say more?
    bool harm_by_spikes() const { return spikes && spikes_log_largest() > level_log_largest() + log_level_part(); }
    double mirror_log_e_value() const {
        if (between_instances()) return instances->mirror_log_e_value();
        return std::visit([](const auto& t) { return t.mirror().log_e_value(); }, tests);
    }
    double mirror_p_value() const {
        if (between_instances()) return instances->mirror_p_value();
        return std::visit([](const auto& t) { return t.mirror().p_value(); }, tests);
    }
    bool mirror_decided() const {
        if (between_instances()) return instances->mirror_decided();
        return std::visit([](const auto& t) { return t.mirror().decided(); }, tests);
    }
    /// The mirror has decided in this stage, which stays, and spikes are calm, which is asked anew at every look.
    /// Between instances a stage may be too short for an increase of spikes to be ruled out; then it is not waited for.
    bool passes() const {
        const bool waits = spikes && (!between_instances() || instances->last() >= spikes_told);
        return passed && (!waits || spikes->calm());
    }
    static constexpr std::int64_t spikes_told = 120;  ///< intervals in which spikes of a good canary show as harmless
    double mirror_alpha() const {
        if (between_instances()) return instances->mirror_alpha();
        return std::visit([](const auto& t) { return *t.mirror().options().alpha_safe; }, tests);
    }
    std::optional<Margin> detect_margin() const {
        return std::visit(
            [](const auto& t) { return t.detect ? std::optional(t.detect->options().margin) : std::nullopt; }, tests);
    }
    /// Intervals of this stage that a gauge's ratio cannot be made of.
    double not_positive() const {
        const auto* gauge = std::get_if<GaugeTests>(&tests);
        return gauge ? gauge->stage.not_positive() : 0;
    }
    /// Requests, or values, of the arm that has fewer, in this stage.
    double fewest() const {
        if (between_instances()) return instances->n();
        if (const auto* gauge = std::get_if<GaugeTests>(&tests)) return gauge->stage.n();
        const auto& stage = std::get<CountTests>(tests).stage;
        return static_cast<double>(std::min(stage.baseline().total, stage.canary().total));
    }

    Metric metric;
    double alpha;
    PromoteWhen promote_when;
    std::variant<CountTests, GaugeTests> tests;
    std::vector<std::shared_ptr<const sequential::PairedNoise>> noise;  // of a gauge, by stage
    std::optional<SpikeWatch> spikes;                                   // of a gauge whose plan has their noise
    std::optional<InstanceTests> instances;                             // of a gauge
    bool failed = false;
    bool failed_down = false;  // the canary is lower
    double failed_bound = 0;   // how far, at least; by spikes: the canary's share of them
    bool failed_spikes = false;
    double failed_baseline = 0;        // by spikes: the baseline's share
    std::int64_t failed_after_ms = 0;  // since its stage's start
    bool passed = false;
    std::int64_t intervals = 0, used = 0, unpaired = 0, impossible = 0;
    std::array<std::int64_t, 2> missing{};
    std::optional<std::int64_t> last_used_ms;
};

}  // namespace detail
}  // namespace v0
}  // namespace serinus
