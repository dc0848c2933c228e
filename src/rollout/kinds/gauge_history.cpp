// What history teaches of a gauge: its level, its spikes, its instances.

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <serinus/numeric/median.hpp>
#include <serinus/sequential/noise/learn_paired_noise.hpp>
#include <serinus/sequential/paired.hpp>
#include <serinus/series/dependence.hpp>

#include "rollout/history.hpp"
#include "rollout/kinds/gauge.hpp"
#include "rollout/kinds/known_instances.hpp"
#include "rollout/kinds/spike_history.hpp"

namespace serinus {
inline namespace v0 {
namespace detail {
namespace {

using sequential::PairedNoise;

constexpr double nothing = std::numeric_limits<double>::quiet_NaN();

std::vector<const Column*> columns_of(const std::map<std::string, Column>& arm) {
    std::vector<const Column*> columns;
    for (const auto& [instance, column] : arm) columns.push_back(&column);
    return columns;
}

/// What is compared of a gauge: its values, their logarithms, or the logarithms of what a floor allows beside them.
struct Scale {
    bool logs = false;
    std::optional<FloorLine> floor = std::nullopt;

    explicit Scale(const Metric& metric) : logs(metric.margin.ratio.has_value()) {
        if (FloorLine::of(metric)) floor.emplace(metric.margin, metric.harm);
    }
    double before_logs(double value) const { return floor ? floor->baseline(value) : value; }
    double of(double value) const { return logs ? std::log(before_logs(value)) : value; }
};

/// What one stage's pseudo-canaries gave.
struct Differences {
    std::vector<std::vector<double>> series;  // one a turn, by interval; NaN where there is none
    double baseline = 0, canary = 0;          // instances an arm; 0: the data name none
    double there = 0;                         // intervals with both arms, over all turns
    double not_positive = 0;                  // of these, how many no ratio can be made of

    /// An arm's value is the mean of its instances' values, and then its logarithm, here as in the rollout.
    double of(double canary_mean, double baseline_mean, const Scale& scale) {
        const bool logs = scale.logs;
        canary_mean = scale.before_logs(canary_mean);
        baseline_mean = scale.before_logs(baseline_mean);
        const double difference = canary_mean - baseline_mean;
        if (std::isnan(difference)) return nothing;
        there += 1;
        if (!logs) return difference;
        if (canary_mean > 0 && baseline_mean > 0) return std::log(canary_mean) - std::log(baseline_mean);
        not_positive += 1;
        return nothing;
    }
};

/// Sums over columns, and how many had a value, by interval.
struct Sums {
    std::vector<double> sum, count;

    explicit Sums(std::size_t size) : sum(size), count(size) {}
    void add(const Column& column) {
        for (std::size_t i = 0; i < column.size(); ++i) {
            const bool there = column[i] == column[i];
            sum[i] += there ? column[i] : 0;
            count[i] += there ? 1 : 0;
        }
    }
    /// The mean where at least `enough` columns have a value, NaN elsewhere.
    double mean(std::size_t i, std::size_t enough) const {
        return count[i] >= static_cast<double>(std::max<std::size_t>(enough, 1)) ? sum[i] / count[i] : nothing;
    }
};

Sums sums_of(const std::vector<const Column*>& columns) {
    Sums sums(columns.front()->size());
    for (const Column* column : columns) sums.add(*column);
    return sums;
}

Differences differences_of(const std::vector<const Column*>& baseline, const std::vector<const Column*>& canary,
                           const Scale& scale) {
    Differences found;
    auto& series = found.series.emplace_back();
    const Sums b = sums_of(baseline), c = sums_of(canary);
    for (std::size_t i = 0; i < baseline.front()->size(); ++i) {
        series.push_back(found.of(c.mean(i, 1), b.mean(i, 1), scale));
    }
    return found;
}

Differences differences_of(const std::vector<const Column*>& instances, const std::vector<Turn>& turns,
                           const Scale& scale) {
    Differences found;
    for (const Turn& turn : turns) {
        std::vector<const Column*> canary, baseline;
        for (const std::size_t i : turn.canary) canary.push_back(instances[i]);
        for (const std::size_t i : turn.baseline) baseline.push_back(instances[i]);
        auto& series = found.series.emplace_back();
        const Sums b = sums_of(baseline), c = sums_of(canary);
        for (std::size_t i = 0; i < instances.front()->size(); ++i) {
            // Both at full strength, or their noise would be another one.
            series.push_back(found.of(c.mean(i, canary.size()), b.mean(i, (baseline.size() + 1) / 2), scale));
        }
        found.canary = static_cast<double>(turn.canary.size());
        found.baseline = static_cast<double>(turn.baseline.size());
    }
    return found;
}

/// The standard deviation between instances, each told by its median distance from the mean of the others.
double instance_deviation(const std::vector<const Column*>& instances, const Scale& scale) {
    const auto k = static_cast<double>(instances.size());
    double squares = 0, sum = 0;
    for (std::size_t own = 0; own < instances.size(); ++own) {
        std::vector<const Column*> others = instances;
        others.erase(others.begin() + static_cast<std::ptrdiff_t>(own));
        std::vector<double> distances;
        const Sums rest = sums_of(others);
        for (std::size_t i = 0; i < instances[own]->size(); ++i) {
            const double value = (*instances[own])[i], of_rest = rest.mean(i, (others.size() + 1) / 2);
            const double d = scale.of(value) - scale.of(of_rest);
            if (std::isfinite(d)) distances.push_back(d);
        }
        const double location = median_of(std::move(distances)) * (k - 1) / k;
        squares += location * location;
        sum += location;
    }
    return std::sqrt(std::max(0.0, squares - sum * sum / k) / (k - 1));
}

/// Are the arms of a pair alike? They are not when one of them reads more in far more intervals than the other: signs,
/// with the number of independent points that they are worth, beyond 4 standard errors.
std::optional<double> one_sided_share(const std::vector<double>& differences, double resolution) {
    std::vector<double> signs;
    double above = 0, below = 0;
    for (const double d : differences) {
        if (std::isnan(d)) {
            signs.push_back(d);
            continue;
        }
        signs.push_back(d > resolution ? 1 : d < -resolution ? -1 : 0);
        above += d > resolution ? 1 : 0;
        below += d < -resolution ? 1 : 0;
    }
    const Dependence known = dependence_with_gaps(signs);
    if (!known.sufficient() || above + below == 0) return std::nullopt;
    const double error = std::sqrt(std::max(known.variance, 1.0 / known.n) / known.n_effective);
    if (!(std::fabs(known.mean) > 4 * error)) return std::nullopt;
    return std::max(above, below) / (above + below);
}

/// What one split of the traffic teaches; stages of one split share it.
struct Split {
    std::vector<Turn> turns;
    Differences differences;
    PairedNoise whole;  // of all history
    PairedNoise half;   // of its first half
};

std::vector<std::size_t> sizes_of(const std::vector<std::vector<double>>& series) {
    std::vector<std::size_t> sizes;
    for (const auto& one : series) sizes.push_back(one.size());
    return sizes;
}

/// The noise of a gauge's first half against the second.
HeldBack play_level(const Plan& plan, const Stage& stage, const Metric& metric, double alpha, const Split& split) {
    const bool few = split.half.instances > 0 && split.half.instances < fewest_instances;
    if (few || !(split.half.degrees_of_freedom > 0)) return {.traffic = stage.traffic, .alpha = alpha};
    const sequential::PairedTest test({.alpha = alpha,
                                       .harm = metric.harm,
                                       .margin = metric.margin.ratio ? Margin{.ratio = 1.0, .difference = {}}
                                                                     : Margin{.ratio = {}, .difference = 0.0},
                                       .noise = std::make_shared<const PairedNoise>(split.half),
                                       .interval = false});
    const auto& series = split.differences.series;
    return play(plan, stage, alpha, test, sizes_of(series), [&](auto& mixture, std::size_t of, std::size_t i) {
        const double d = series[of][i];
        mixture.update(metric.margin.ratio ? sequential::Pair{.baseline = 1, .canary = std::exp(d)}
                                           : sequential::Pair{.baseline = 0, .canary = d});
    });
}

/// The noise of its spikes' first half against the second.
HeldBack play_spikes(const Plan& plan, const Stage& stage, double alpha, const SpikeNoise& half,
                     const SpikeHistory& history, const std::vector<Turn>& turns) {
    std::vector<std::vector<SpikeCounter::Counts>> series;
    for (const auto& turn : turns) series.push_back(history.counts(half.excess, turn));
    const sequential::ProportionTest test(SpikeWatch::options(half, Side::harm, alpha, 0));
    return play(plan, stage, alpha, test, std::vector<std::size_t>(series.size(), history.size()),
                [&](auto& mixture, std::size_t of, std::size_t i) {
                    mixture.update(series[of][i].baseline, series[of][i].canary);
                });
}

/// What history teaches of a gauge's spikes, of the split of the stage that shows most; none where it does not tell, or
/// contradicts itself.
std::optional<SpikeNoise> learn_spikes(const Learning& learning, const std::vector<const Column*>& baseline,
                                       const std::vector<const Column*>& canary) {
    const Plan& plan = learning.plan;
    const bool pair = !canary.empty();
    std::vector<const Column*> instances = baseline;
    instances.insert(instances.end(), canary.begin(), canary.end());
    const SpikeHistory history(instances, learning.metric);
    const double alpha = learning.report.alpha * alpha_parts(learning.metric, true).spikes;
    std::optional<SpikeNoise> worst;
    std::vector<Turn> seen;
    for (const Stage& stage : plan.stages) {
        std::vector<Turn> turns;
        if (pair) {
            Turn& turn = turns.emplace_back();
            for (std::size_t i = 0; i < instances.size(); ++i)
                (i < baseline.size() ? turn.baseline : turn.canary).push_back(i);
        } else {
            turns = turns_of(baseline.size(), stage.traffic);
        }
        if (turns == seen) continue;
        seen = turns;
        const auto learned = history.learn(history.size(), turns, pair);
        if (!learned) {
            learning.say(Code::spikes_not_watched);
            return std::nullopt;
        }
        if (const auto half = history.learn(history.size() / 2, turns, pair)) {
            const HeldBack held = play_spikes(plan, stage, alpha, *half, history, turns);
            if (held.refuted()) {
                learning.say_refuted(Code::spikes_refuted, held);
                return std::nullopt;
            }
        }
        const double spread = std::max(learned->spread, worst ? worst->spread : 0);
        if (!worst || learned->dispersion(alpha) > worst->dispersion(alpha)) worst = learned;
        worst->spread = spread;
    }
    return worst;
}

void learn_level(const Learning& learning) {
    const auto& [plan, metric, history, data, former, report, all, stage_done] = learning;
    const auto say = [&](Code code, std::vector<NamedNumber> numbers = {}) { learning.say(code, std::move(numbers)); };
    const Table& table = history.values(metric);
    if (table.arms[0].empty()) return say(Code::history_missing);
    const auto baseline = columns_of(table.arms[0]), canary = columns_of(table.arms[1]);
    const bool pair = !canary.empty();
    if (!pair && baseline.size() < 2) return say(Code::history_no_pair);

    double magnitude = 0;
    std::vector<double> levels;
    for (const auto& arm : table.arms) {
        for (const auto& [instance, column] : arm) {
            for (const double value : column)
                if (!std::isnan(value)) magnitude = std::max(magnitude, std::fabs(value));
        }
    }
    const Sums all_baseline = sums_of(baseline);
    for (std::size_t i = 0; i < baseline.front()->size(); ++i) {
        const double level = all_baseline.mean(i, 1);
        if (!std::isnan(level)) levels.push_back(level);
    }
    report.level = median_of(std::move(levels));
    const bool logs = metric.margin.ratio.has_value();
    const Scale scale(metric);
    if (logs && !scale.floor && !(report.level > 0)) return say(Code::history_level, {{"level", report.level}});
    const auto instances = static_cast<double>(baseline.size());
    const auto unit = logs ? sequential::NoiseUnit::log : sequential::NoiseUnit::own;
    if (logs) magnitude = 1;
    const double deviation = pair ? 0 : instance_deviation(baseline, scale);

    // Under a floor a length of the logarithms is worth more of the gauge than of its level.
    const double slope = scale.floor ? scale.floor->slope(report.level) : 1;
    const double level = slope > 0 ? report.level / slope : metric.margin.floor.value_or(report.level);
    const auto learn = [&](std::vector<Turn> turns) {
        Split split;
        split.differences = pair ? differences_of(baseline, canary, scale) : differences_of(baseline, turns, scale);
        split.turns = std::move(turns);
        std::vector<std::vector<double>> first;
        for (const auto& series : split.differences.series)
            first.emplace_back(series.begin(), series.begin() + static_cast<std::ptrdiff_t>(series.size() / 2));
        split.whole = sequential::paired_noise(split.differences.series, magnitude, !pair, unit);
        split.half = sequential::paired_noise(first, magnitude, !pair, unit);
        for (PairedNoise* const noise : {&split.whole, &split.half}) {
            noise->level = level;
            if (pair) {
                const bool named = !table.arms[0].contains("") && !table.arms[1].contains("");
                noise->instances_baseline = named ? static_cast<double>(baseline.size()) : 0;
                noise->instances_canary = named ? static_cast<double>(canary.size()) : 0;
            } else {
                noise->instances_baseline = split.differences.baseline;
                noise->instances_canary = split.differences.canary;
                noise->instances = instances;
                noise->instance_deviation = deviation;
            }
        }
        return split;
    };

    Noise noise;
    const std::size_t told = report.reasons.size();
    if (metric.watch != Watch::level) noise.spikes = learn_spikes(learning, baseline, canary);
    // What it says of spikes comes last, and not at all where the level is not learned.
    const std::vector<Reason> of_spikes(report.reasons.begin() + static_cast<std::ptrdiff_t>(told),
                                        report.reasons.end());
    report.reasons.resize(told);
    const double level_alpha = report.alpha * alpha_parts(metric, noise.spikes.has_value()).level;
    std::optional<Split> split;
    for (const Stage& stage : plan.stages) {
        std::vector<Turn> turns = pair ? std::vector<Turn>{} : turns_of(baseline.size(), stage.traffic);
        if (!split || split->turns != turns) split = learn(std::move(turns));
        const PairedNoise& learned = split->whole;
        const double there = split->differences.there, not_positive = split->differences.not_positive;
        if (not_positive > sequential::PairedTest::most_not_positive * there) {
            const auto played = static_cast<double>(split->differences.series.size());
            return say(Code::history_not_positive,
                       {{"count", std::ceil(not_positive / played)}, {"intervals", std::ceil(there / played)}});
        }
        const double independent = learned.degrees_of_freedom > 0 ? learned.independent() : 0;
        if (!(independent > 0)) {
            if (learned.scale() == 0) return say(Code::history_constant);
            const auto& series = split->differences.series;
            const double worth = series.empty() ? 0 : dependence_with_gaps(series.front()).n_effective;
            return say(Code::history_short,
                       {{"differences", learned.size}, {"independent", worth}, {"needed", Dependence::fewest}});
        }
        if (noise.stages.empty()) {
            report.differences = learned.size;
            report.independent = independent;
            report.typical = learned.in_gauge_unit(learned.scale());
            const double offset = learned.in_gauge_unit(learned.offset);
            if (pair) {
                say(Code::history_pair, {{"offset", offset}});
                const auto& series = split->differences.series.front();
                if (const auto share = one_sided_share(series, learned.resolution))
                    say(Code::history_offset, {{"share", *share}, {"offset", offset}});
            } else {
                report.instances = instances;
                report.instance_deviation = learned.in_gauge_unit(deviation);
                say(Code::history_instances, {{"instances", instances},
                                              {"canary", learned.instances_canary},
                                              {"baseline", learned.instances_baseline},
                                              {"deviation", report.instance_deviation}});
                // Named instances are compared with each other in the rollout, however few they are.
                if (instances < fewest_instances && table.arms[0].contains(""))
                    say(Code::single_instance, {{"instances", instances}, {"needed", fewest_instances}});
            }
            say(Code::history_dependence, {{"differences", learned.size}, {"independent", independent}});
            if (learned.wander > 0) say(Code::history_wander, {{"wander", learned.in_gauge_unit(learned.wander)}});
            if (learned.horizon() < intervals_told(plan)) {
                say(Code::history_thin, {{"differences", learned.size},
                                         {"horizon", learned.horizon()},
                                         {"needed", 4 * intervals_told(plan)}});
            }
        }
        // Where spikes alone are watched nothing is decided by the level, which refutes nothing then.
        if (level_alpha > 0) report.held_back.push_back(play_level(plan, stage, metric, level_alpha, *split));
        noise.stages.push_back(learned);
        stage_done();
    }
    report.reasons.insert(report.reasons.end(), of_spikes.begin(), of_spikes.end());
    if (learning.contradicted()) return;
    report.learned = true;
    report.spikes = noise.spikes;
    all.noise[metric.name] = std::move(noise);
}

}  // namespace

void GaugeKind::learn(Learning& learning) {
    learn_level(learning);
    MetricCalibration& report = learning.report;
    auto instances = known_instances(learning.plan, learning.metric, learning.data, learning.former, report.reasons);
    if (instances) {
        learning.all.noise[report.name].instances = std::move(instances);
        report.learned = true;
    }
    const Metric& metric = learning.metric;
    const auto noise = learning.all.noise.find(report.name);
    if (!FloorLine::of(metric) || noise == learning.all.noise.end()) return;
    if (noise->second.stages.empty() && !noise->second.instances) return;
    const FloorLine line(metric.margin, metric.harm);
    double slopes = 0, n = 0;
    for (const auto& arm : learning.history.values(metric).arms) {
        if (arm.empty()) continue;
        const Sums sums = sums_of(columns_of(arm));
        for (std::size_t i = 0; i < sums.sum.size(); ++i) {
            const double level = sums.mean(i, 1);
            if (std::isnan(level)) continue;
            slopes += line.slope(level);
            n += 1;
        }
    }
    const double slope = n > 0 ? slopes / n : line.slope(noise->second.instances->level);
    // A gauge that is always at 0, or far below what a decrease may be, has moved nothing.
    constexpr double least = 1e-9;
    noise->second.floored =
        FlooredNoise{.ratio = line.ratio, .floor = line.floor, .slope = std::clamp(slope, least, 1.0)};
}

}  // namespace detail
}  // namespace v0
}  // namespace serinus
