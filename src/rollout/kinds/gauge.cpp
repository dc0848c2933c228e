// A gauge: its part of a plan, its intervals, and what there is to say of it.

#include "rollout/kinds/gauge.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "rollout/plan_checks.hpp"
#include "rollout/roles.hpp"

namespace serinus {
inline namespace v0 {
namespace detail {

// ---- its part of a plan

namespace {

void check_spikes(const std::string& path, const SpikeNoise& noise) {
    const auto sound = [&](std::string_view key, double value) {
        require_value(value >= 0 && std::isfinite(value), path + "." + std::string(key), value, "0 or more, finite");
    };
    SpikeNoise::describe(sound, noise);
    require_value(noise.excess > 0, path + ".excess", noise.excess, "above 0, finite");
    require_value(noise.share <= 1, path + ".share", noise.share, "0 to 1");
    require_value(noise.difference < 1, path + ".difference", noise.difference, "0 or more, below 1");
    require_value(noise.deviation <= 1, path + ".deviation", noise.deviation, "0 to 1");
    require_value(noise.instances == 0 || noise.instances >= 2, path + ".instances", noise.instances,
                  "0 (not known), or at least 2");
    require_value(noise.deviation == 0 || noise.instances >= 2, path + ".instances", noise.instances,
                  "at least 2 where there is a deviation");
}

/// What history knows of a gauge's instances, as `calibrate` writes it.
void check_instances(const std::string& path, const KnownInstances& known, const Metric& metric, const Plan& plan) {
    if (known.logs != metric.margin.ratio.has_value()) {
        refuse(path + ".logs", known.logs ? "true" : "false",
               "true with a ratio margin, false with a difference (calibrate again)");
    }
    const bool zero_too = !known.logs || (metric.margin.floor && known.level == 0);
    require_value(std::isfinite(known.level) && (known.level > 0 || zero_too), path + ".level", known.level,
                  "finite, above 0 with a ratio margin");
    std::set<std::int64_t> looks;
    for (const std::int64_t look : known.looks) {
        if (look < 1 || (!looks.empty() && look <= *looks.rbegin()))
            refuse(path + ".looks", std::to_string(look) + " in its place", "ascending whole numbers from 1");
        looks.insert(look);
    }
    for (const std::int64_t look : instance_looks(plan)) {
        if (!looks.contains(look)) {
            refuse(path + ".looks", "without " + std::to_string(look),
                   "those of the plan's stages, whose longest time has changed since (calibrate again)");
        }
    }
    if (known.levels.size() != known.names.size()) {
        refuse(path + ".levels", std::to_string(known.levels.size()) + " entries",
               "one for each of names, " + std::to_string(known.names.size()));
    }
    if (std::set<std::string>(known.names.begin(), known.names.end()).size() != known.names.size())
        refuse(path + ".names", "with one name twice", "names that differ");
    const auto numbers = [&](const std::string& at, const std::vector<double>& values, std::size_t size) {
        if (values.size() != size)
            refuse(at, std::to_string(values.size()) + " numbers", std::to_string(size) + " (calibrate again)");
        for (const double value : values) require_value(std::isfinite(value), at, value, "finite numbers");
    };
    for (std::size_t i = 0; i < known.levels.size(); ++i)
        numbers(path + ".levels[" + std::to_string(i) + "]", known.levels[i], known.looks.size());
    require_value(known.former_degrees >= 0 && known.former_degrees <= 1e6 &&
                      known.former_degrees == std::floor(known.former_degrees),
                  path + ".former_degrees", known.former_degrees, "a whole number, 0 to 1000000");
    const std::size_t size = known.looks.size();
    numbers(path + ".former", known.former, known.former_degrees > 0 ? size * (size + 1) / 2 : 0);
    if (known.former_degrees == 0) return;
    // Sums of products: none is larger than the geometric mean of the two sums of squares.
    std::vector<double> squares;
    for (std::size_t i = 0, k = 0; i < size; k += size - i, ++i) squares.push_back(known.former[k]);
    for (std::size_t i = 0, k = 0; i < size; ++i) {
        for (std::size_t j = i; j < size; ++j, ++k) {
            const double most = std::sqrt(std::max(0.0, squares[i])) * std::sqrt(std::max(0.0, squares[j]));
            require_value(std::fabs(known.former[k]) <= most * (1 + 1e-9), path + ".former", known.former[k],
                          "sums of products (calibrate again)");
        }
    }
}

/// The noise of a margin with a floor is that of this margin alone.
void check_floored(const std::string& path, const Noise& noise, const Metric& metric) {
    const auto text = [](const Margin& margin) {
        return "{ratio: " + number_text(*margin.ratio, 17) + ", floor: " + number_text(*margin.floor, 17) + "}";
    };
    if (!metric.margin.floor) {
        if (noise.floored) refuse(path, "given", "nothing: the margin has no floor (calibrate again)");
        return;
    }
    if (!noise.floored && noise.stages.empty() && !noise.instances) return;
    if (!noise.floored) refuse(path, "missing", "that of the margin " + text(metric.margin) + " (calibrate again)");
    const Margin learned{.ratio = noise.floored->ratio, .difference = {}, .floor = noise.floored->floor};
    if (learned != metric.margin) {
        refuse(path, "that of the margin " + text(learned), "that of " + text(metric.margin) + " (calibrate again)");
    }
    require_value(noise.floored->slope > 0 && noise.floored->slope <= 1, path + ".slope", noise.floored->slope,
                  "above 0, at most 1");
}

}  // namespace

void check_instances_differ(const std::string& path, const Metric& metric) {
    if (!metric.instances_differ) return;
    require_value(*metric.instances_differ > 0 && std::isfinite(*metric.instances_differ), path + ".instances_differ",
                  *metric.instances_differ,
                  "above 0, finite (0.5 with a ratio margin: nine of ten pairs of instances differ by at most half)");
}

void check_gauge_floor(const std::string& path, const Metric& metric) {
    if (!metric.margin.floor || metric.harm != Harm::either) return;
    raise(Code::plan_not_built,
          path + ".margin.floor is " + number_text(*metric.margin.floor, 17) +
              " with \"harm\": \"either\", which this version cannot judge of a gauge or a ratio yet; allowed: two "
              "metrics, one with \"harm\": \"increase\" and one with \"decrease\"");
}

void GaugeKind::check(const std::string& path, const Metric& metric) {
    check_instances_differ(path, metric);
    check_gauge_floor(path, metric);
    if (metric.counter) {
        refuse(path + ".counter", "true",
               "false: a gauge is read, not counted up (a counter over another is a proportion, or a ratio)");
    }
}

void GaugeKind::check_noise(const std::string& path, const Noise& noise, const Metric& metric, const Plan& plan) {
    if (noise.dispersion) refuse(path + ".dispersion", "given", "stages: the metric is a gauge, it counts nothing");
    if (noise.intervals) refuse(path + ".intervals", "given", "stages: the metric is a gauge, it counts nothing");
    if (noise.spikes) check_spikes(path + ".spikes", *noise.spikes);
    if (noise.instances) check_instances(path + ".instances", *noise.instances, metric, plan);
    check_floored(path + ".floored", noise, metric);
    // History may have instances, and still be too short for more.
    if (noise.instances && noise.stages.empty()) return;
    if (noise.stages.size() != plan.stages.size()) {
        refuse(path + ".stages", std::to_string(noise.stages.size()) + " entries",
               "one for each stage of the plan, " + std::to_string(plan.stages.size()) + " (calibrate again)");
    }
    for (std::size_t i = 0; i < noise.stages.size(); ++i) {
        const std::string at = path + ".stages[" + std::to_string(i) + "]";
        if (const auto wrong = sequential::defect(noise.stages[i]))
            refuse(at + "." + wrong->field, wrong->value, wrong->allowed);
        if (const auto wrong = sequential::unit_defect(noise.stages[i], metric.margin.ratio.has_value()))
            refuse(at + "." + wrong->field, wrong->value, wrong->allowed);
        if (noise.stages[i].unit != noise.stages.front().unit) {
            refuse(at + ".unit", quoted(std::string(word(noise.stages[i].unit))),
                   "that of the first stage (calibrate again)");
        }
        if (metric.margin.ratio && !metric.margin.floor) {
            require_value(noise.stages[i].level > 0, at + ".level", noise.stages[i].level,
                          "above 0 for a ratio margin: ratios of a gauge around zero say nothing (use a difference)");
        }
    }
}

// ---- under judgement

namespace {
/// The level's part of alpha; all of it where nothing is decided by it, which only shows.
double level_alpha(const Plan& plan, const Metric& metric, double share, const Noise* noise) {
    const double part = alpha_parts(metric, noise && noise->spikes).level;
    return alpha_used(plan, share) * (part > 0 ? part : 1);
}
}  // namespace

GaugeKind::NoiseByStage GaugeKind::noise_by_stage(const Noise* noise) {
    NoiseByStage found;
    if (!noise) return found;
    for (const sequential::PairedNoise& stage : noise->stages)
        found.push_back(std::make_shared<const sequential::PairedNoise>(stage));
    return found;
}

GaugeKind::GaugeKind(const Plan& plan, const Metric& metric, double share, const Noise* noise, NoiseByStage by_stage)
    : JudgedBy(make_tests<sequential::PairedTest>(plan, FloorLine::edge(metric),
                                                  level_alpha(plan, metric, share, noise),
                                                  [&](sequential::PairedOptions& options) {
                                                      if (!by_stage.empty()) options.noise = by_stage.front();
                                                  })),
      noise_(std::move(by_stage)),
      learns_(plan.learn_noise),
      instances_(plan, metric, level_alpha(plan, metric, share, noise)),
      spikes_alone_(metric.watch == Watch::spikes),
      level_alone_(metric.watch == Watch::level) {
    for (const Metric& of : plan.metrics) {
        if (load_.empty() && facts_of(of.kind).bad_of_total && of.arm == MetricArm::both) load_ = of.total;
    }
    if (FloorLine::of(metric)) {
        floored_.emplace(metric, noise && noise->floored ? noise->floored->slope : 1);
        floored_detect_ = effective_detect(metric);
    }
    if (!noise) return;
    refuted_ = noise->refuted;
    const double part = alpha_parts(metric, noise->spikes.has_value()).spikes;
    if (!noise->spikes || part == 0) return;
    spikes_.emplace(*noise->spikes, FloorLine::edge(metric), alpha_used(plan, share) * part, mirror_alpha());
    spike_noise_ = noise->spikes;
}

void GaugeKind::update_floored(const sequential::Pair& values) {
    const sequential::Pair pair = floored_->pair(floored_->margin, values);
    tests_.harm.update(pair);
    tests_.stage.update(pair);
    if (tests_.detect) tests_.detect->update(floored_->pair(floored_->detect, values));
    floored_->add(values.baseline, values.canary);
}

void GaugeKind::update_spikes(std::vector<SpikeCounter::Reading> baseline, std::vector<SpikeCounter::Reading> canary) {
    if (floored_) {
        for (auto& [instance, value] : baseline) value = floored_->margin.baseline(value);
        for (auto& [instance, value] : canary) value = floored_->margin.canary(value);
    }
    spikes_->update(baseline, canary);
}

GaugeKind::Values GaugeKind::gather(const Interval& interval, const Metric& metric, Arm arm) {
    const std::string name = name_of_values(metric);
    Values values;
    double instances = 0;
    bool named = true;
    interval.each(name, arm, [&](const std::string& instance, const Brought& value) {
        values.mean += value.sum / value.samples;
        values.readings.emplace_back(instance, value.sum / value.samples);
        instances += 1;
        named = named && !instance.empty();
    });
    if (instances == 0) return values;
    values.mean /= instances;
    values.instances = named ? instances : 0;
    values.present = !std::isnan(values.mean);
    return values;
}

InstanceInterval GaugeKind::by_instance(const Interval& interval, const Metric& metric) const {
    const std::string name = name_of_values(metric);
    InstanceInterval found;
    for (const Arm arm : {Arm::baseline, Arm::canary}) {
        const auto to = static_cast<std::size_t>(arm);
        interval.each(name, arm, [&](const std::string& instance, const Brought& value) {
            found.arms[to][instance] = value.sum / value.samples;
        });
        for (const auto& [series, of_arm, instance] : interval.excused) {
            if (series == name && of_arm == arm)
                found.arms[to].emplace(instance, std::numeric_limits<double>::quiet_NaN());
        }
        if (load_.empty()) continue;
        interval.each(load_, arm, [&](const std::string& instance, const Brought& value) {
            if (instance.empty()) return;
            found.requests[to] += value.sum;
            found.requesting[to] += 1;
        });
    }
    return found;
}

std::vector<NamedNumber> GaugeKind::observed() const {
    std::vector<NamedNumber> numbers;
    if (between_instances() && instances_.n() > 0) {
        numbers = {{"mean_baseline", instances_.mean(Arm::baseline)},
                   {"mean_canary", instances_.mean(Arm::canary)},
                   {"intervals", instances_.n()}};
    }
    if (!between_instances() && tests_.stage.n() > 0) {
        numbers = {{"mean_baseline", mean(Arm::baseline)},
                   {"mean_canary", mean(Arm::canary)},
                   {"intervals", tests_.stage.n()}};
    }
    if (spikes_ && spikes_->safe.canary().total > 0) {
        numbers.push_back({"spikes_baseline", spikes_->share_baseline()});
        numbers.push_back({"spikes_canary", spikes_->share_canary()});
    }
    return numbers;
}

std::optional<Failure> GaugeKind::failure(const Metric& metric, double log_gain) const {
    if (spikes_alone_) {
        if (!spikes_) return std::nullopt;
        return Failure{.bound = spikes_->share_canary(), .spikes = true, .baseline = spikes_->share_baseline()};
    }
    // Between instances the level may have nothing to say, and its spikes say enough by themselves.
    const bool level_silent = between_instances() && !instances_.may_fail();
    if (level_silent && !(spikes_log_largest() + log_gain >= harm_log_needed())) return std::nullopt;
    const bool by_spikes = spikes_ && spikes_log_largest() > level_log_largest() + log_level_part();
    if (!level_silent && !by_spikes) return failure_beyond_margin(metric, evidence());
    return Failure{.bound = spikes_->share_canary(), .spikes = true, .baseline = spikes_->share_baseline()};
}

Reason GaugeKind::failure_reason(const Metric& metric, const Failure& failure, double after_seconds) const {
    if (!failure.spikes) return harm_reason(harm_codes, metric, failure, after_seconds);
    return reason(Code::spikes_proven,
                  {{"canary", failure.bound}, {"baseline", failure.baseline}, {"after", after_seconds}});
}

std::vector<Reason> GaugeKind::obstacles(double intervals) const {
    std::vector<Reason> reasons;
    if (spikes_alone_) {
        if (!spikes_) reasons.push_back(reason(Code::spikes_unknown));
        return reasons;
    }
    const auto say = [&](Code code, std::vector<NamedNumber> numbers) {
        reasons.push_back(reason(code, std::move(numbers)));
    };
    if (between_instances()) {
        if (instances_.impossible() > 0)
            say(Code::impossible_counts, {{"count", static_cast<double>(instances_.impossible())}});
        if (instances_.no_level()) say(Code::no_level, {});
        if (instances_.settled() && instances_.degrees() < 1) {
            say(Code::single_instance, {{"instances", instances_.taking_part(Arm::baseline)}, {"needed", 3}});
        }
        if (instances_.unequal_load()) {
            say(Code::unequal_load, {{"ratio", *instances_.load_ratio()}, {"allowed", InstanceTests::most_load_ratio}});
        }
        return reasons;
    }
    if (instances_.open() && intervals > 0) {
        say(Code::instances_awaited, {{"intervals", static_cast<double>(instances_.intervals())},
                                      {"needed", static_cast<double>(InstanceTests::settling)}});
    } else if (refuted_) {
        say(Code::history_unusable, {});
    } else if (!noise()) {
        if (instances_.only_one()) {
            say(Code::single_instance, {{"instances", 1}, {"needed", 3}});
        } else if (!learns_) {
            say(Code::noise_unknown, {});
        }
    } else if (noise()->instances > 0 && noise()->instances < fewest_instances) {
        // Two instances of one version differ; how much, a few of them cannot tell.
        say(Code::single_instance, {{"instances", noise()->instances}, {"needed", fewest_instances}});
    }
    // Leaving them out helps one arm or the other; a few, such as restarts, do not matter.
    const double left_out = tests_.stage.not_positive();
    if (left_out > std::max(1.0, sequential::PairedTest::most_not_positive * intervals))
        say(Code::history_not_positive, {{"count", left_out}, {"intervals", intervals}});
    return reasons;
}

std::vector<Reason> GaugeKind::hindrances() const {
    std::vector<Reason> reasons;
    if (!between_instances() || !instances_.settled() || spikes_alone_) return reasons;
    if (instances_.degrees() == 1) reasons.push_back(reason(Code::one_degree));
    if (instances_.at_floor() && !instances_.has_guard()) reasons.push_back(reason(Code::at_floor));
    return reasons;
}

std::vector<Reason> GaugeKind::doubts(std::int64_t judged, bool passed) const {
    std::vector<Reason> reasons;
    if (noise() && !between_instances() && !spikes_alone_) {
        const sequential::PairedTest& test = tests_.harm.test();
        const sequential::ScaleDeparture scale = test.scale_departure();
        if (scale.beyond)
            reasons.push_back(reason(Code::history_scale, {{"observed", scale.observed}, {"history", scale.history}}));
        if (test.n() >= test.horizon()) {
            reasons.push_back(reason(Code::history_used_up,
                                     {{"horizon", test.horizon()}, {"needed", 4 * static_cast<double>(judged)}}));
        }
    }
    if (passed && !calm()) reasons.push_back(reason(Code::spikes_open, {{"points", spikes_worth_seeing}}));
    return reasons;
}

Promise GaugeKind::promise() const {
    if (spikes_alone_) {
        if (!spikes_) return {Guarantee::none, Code::spikes_unknown};
        if (spike_noise_->size < fewest_measured) return {Guarantee::none, Code::history_unmeasured};
        return {Guarantee::measured, Code::spikes_alone};
    }
    const bool short_history = history() && *history() < fewest_measured;
    if (between_instances()) {
        // A part of its alpha goes to spikes, and these rest on history.
        if (spikes_ && short_history) return {Guarantee::none, Code::history_unmeasured};
        return {Guarantee::measured, Code::between_instances};
    }
    if (refuted_) return {Guarantee::none, Code::history_unusable};
    if (!noise()) {
        if (instances_.only_one()) return {Guarantee::none, Code::single_instance};
        return {Guarantee::none, learns_ ? Code::noise_learned_now : Code::noise_unknown};
    }
    if (noise()->instances > 0 && noise()->instances < fewest_instances)
        return {Guarantee::none, Code::single_instance};
    if (noise()->unit == sequential::NoiseUnit::former) return {Guarantee::none, Code::noise_former};
    if (short_history) return {Guarantee::none, Code::history_unmeasured};
    return {Guarantee::measured, Code::noise_given};
}

Reason GaugeKind::noise_reason() const {
    if (between_instances()) {
        return reason(Code::between_instances, {{"baseline", instances_.taking_part(Arm::baseline)},
                                                {"canary", instances_.taking_part(Arm::canary)},
                                                {"degrees", instances_.degrees()}});
    }
    if (!noise()) return reason(Code::noise_learned_now);
    return reason(Code::noise_given, {{"differences", noise()->size},
                                      {"independent", noise()->independent()},
                                      {"typical", noise()->in_gauge_unit(noise()->scale())}});
}

std::vector<Reason> GaugeKind::noise_reasons() const {
    std::vector<Reason> reasons;
    if (spikes_alone_) {
        if (!spikes_) return reasons;
        reasons.push_back(
            reason(Code::spikes_alone, {{"excess", spike_noise_->excess}, {"share", spike_noise_->share}}));
        add_doubt_of_history(reasons, promise(), spike_noise_->size);
        return reasons;
    }
    if (!blind() && (!refuted_ || between_instances())) reasons.push_back(noise_reason());
    add_doubt_of_history(reasons, promise(), history());
    if (noise() && !spikes_ && !level_alone_ && !between_instances())
        reasons.push_back(reason(Code::spikes_not_watched));
    return reasons;
}

void FlooredGauge::restore(const FlooredState& state) {
    for (const double value : {state.level, state.n, state.in_stage})
        require_state(value >= 0 && std::isfinite(value), "a gauge under a floor with numbers that cannot be");
    require_state(state.in_stage <= state.n && !std::isnan(state.sums[0]) && !std::isnan(state.sums[1]),
                  "a gauge under a floor with numbers that cannot be");
    state_ = state;
}

void GaugeKind::save(MetricState& state) const {
    state.gauge = tests_.state();
    if (!instances_.off()) state.instances = instances_.state();
    if (floored_) state.floored = floored_->state();
    if (!spikes_) return;
    SpikeState& spikes = state.spikes.emplace();
    spikes.harm = spikes_->harm.state();
    spikes.safe = spikes_->safe.state();
    for (const Arm arm : {Arm::baseline, Arm::canary}) {
        for (const auto& [instance, level] : spikes_->counter.levels()[static_cast<std::size_t>(arm)])
            spikes.levels.push_back({arm, instance, level.readings()});
    }
}

void GaugeKind::restore(const MetricState& state, std::size_t stage) {
    tests_.restore(state.gauge);
    require_state(state.floored.has_value() == floored_.has_value(), "a metric with a floor, or without one");
    if (floored_) floored_->restore(*state.floored);
    require_state(!state.spikes || spikes_, "spikes of a metric that watches none");
    // A state of before they were watched has none: the watch begins now, with what is left of its capital.
    if (state.spikes) {
        spikes_->harm.restore(state.spikes->harm);
        spikes_->safe.restore(state.spikes->safe);
        for (const UsualLevelState& level : state.spikes->levels) {
            bool numbers = level.readings.size() <= UsualLevel::most;
            for (const double reading : level.readings) numbers = numbers && !std::isnan(reading);
            require_state(numbers, "readings of an instance that cannot be");
            UsualLevel& usual = spikes_->counter.at(level.arm, level.instance);
            for (const double reading : level.readings) usual.add(reading);
        }
    }
    if (state.instances) {
        instances_.restore(*state.instances, stage);
    } else {
        // A state of a version that knew nothing of instances goes on as it began.
        instances_.switch_off();
    }
}

}  // namespace detail
}  // namespace v0
}  // namespace serinus
