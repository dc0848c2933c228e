// Noise from history: pseudo-canaries, and what they say.

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <serinus/core/error.hpp>
#include <serinus/numeric/median.hpp>
#include <serinus/numeric/special.hpp>
#include <serinus/rollout/calibrate.hpp>
#include <serinus/sequential/noise/count_dispersion.hpp>
#include <serinus/sequential/noise/learn_paired_noise.hpp>
#include <serinus/sequential/paired.hpp>
#include <serinus/sequential/start_mixture.hpp>
#include <serinus/series/align.hpp>
#include <serinus/series/counter.hpp>
#include <serinus/series/dependence.hpp>

#include "rollout/known_instances.hpp"
#include "rollout/spike_history.hpp"

namespace serinus {
inline namespace v0 {
namespace {

using sequential::PairedNoise;

constexpr double nothing = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t most_turns = 8;  // pseudo-canaries of one stage: more teach little and cost as much each

/// One value an interval, NaN where there is none.
using Column = std::vector<double>;

/// A series of history in both arms, by instance.
struct Table {
    std::array<std::map<std::string, Column>, 2> arms;
};

/// All series of the plan, in intervals from the first sample of any of them.
class History {
  public:
    History(const Plan& plan, const Batch& batch) {
        std::map<std::string, const Metric*> known;
        for (const Metric& metric : plan.metrics)
            for (const std::string& series : series_of(metric)) known.emplace(series, &metric);
        std::optional<std::int64_t> first, last;
        std::vector<std::pair<const ArmSeries*, Series>> used;
        for (const ArmSeries& part : batch.series) {
            if (!known.contains(part.name)) continue;
            Series series = part.series;
            sort_and_deduplicate(series);
            if (series.times_ms.empty()) continue;
            first = std::min(first.value_or(series.times_ms.front()), series.times_ms.front());
            last = std::max(last.value_or(series.times_ms.back()), series.times_ms.back());
            used.emplace_back(&part, std::move(series));
        }
        if (!first) return;
        const std::int64_t size = interval_index(*last, *first, plan.interval_ms) + 1;
        constexpr std::int64_t most = 10'000'000;
        if (size > most) {
            raise(Code::data_size, "history spans " + std::to_string(size) + " intervals; allowed: at most " +
                                       std::to_string(most) + " (is a timestamp far off?)");
        }
        for (const auto& [part, series] : used) {
            const Metric& metric = *known.at(part->name);
            Column& column = tables_[part->name].arms[static_cast<std::size_t>(part->arm)][series.instance];
            if (column.empty()) column.assign(static_cast<std::size_t>(size), nothing);
            std::vector<double> samples(column.size(), 0);
            CounterIncrements counter;
            for (std::size_t i = 0; i < series.times_ms.size(); ++i) {
                std::int64_t time = series.times_ms[i];
                double value = series.values[i];
                if (metric.counter) {
                    const auto increment = counter.next(time, value);
                    if (!increment) continue;
                    value = *increment;
                    --time;  // a scrape closes what came before it
                }
                if (!std::isfinite(value)) continue;
                const std::int64_t at = interval_index(time, *first, plan.interval_ms);
                if (at < 0) continue;
                const auto index = static_cast<std::size_t>(at);
                column[index] = samples[index] == 0 ? value : column[index] + value;
                samples[index] += 1;
            }
            if (metric.kind != Kind::gauge) continue;
            for (std::size_t i = 0; i < column.size(); ++i) {
                if (samples[i] > 1) column[i] /= samples[i];
            }
        }
    }

    const Table* table(const std::string& series) const {
        const auto at = tables_.find(series);
        return at == tables_.end() ? nullptr : &at->second;
    }

  private:
    std::map<std::string, Table> tables_;
};

std::vector<const Column*> columns_of(const std::map<std::string, Column>& arm) {
    std::vector<const Column*> columns;
    for (const auto& [instance, column] : arm) columns.push_back(&column);
    return columns;
}

/// Who plays the canary, and who stays the baseline.
struct Turn {
    std::vector<std::size_t> canary, baseline;

    friend bool operator==(const Turn&, const Turn&) = default;
};

/// The turns of `instances` at a stage's share of the traffic; every instance at most once the canary.
std::vector<Turn> turns_of(std::size_t instances, double traffic) {
    const auto wanted = static_cast<std::size_t>(std::llround(traffic * static_cast<double>(instances)));
    const std::size_t each = std::clamp<std::size_t>(wanted, 1, instances / 2);
    std::vector<Turn> turns;
    for (std::size_t from = 0; from + each <= instances && turns.size() < most_turns; from += each) {
        Turn& turn = turns.emplace_back();
        for (std::size_t i = 0; i < instances; ++i)
            (i >= from && i < from + each ? turn.canary : turn.baseline).push_back(i);
    }
    return turns;
}

// ---- gauges

/// What one stage's pseudo-canaries gave.
struct Differences {
    std::vector<std::vector<double>> series;  // one a turn, by interval; NaN where there is none
    double baseline = 0, canary = 0;          // instances an arm; 0: the data name none
    double there = 0;                         // intervals with both arms, over all turns
    double not_positive = 0;                  // of these, how many no ratio can be made of

    /// An arm's value is the mean of its instances' values, and then its logarithm, here as in the rollout.
    double of(double canary_mean, double baseline_mean, bool logs) {
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
                           bool logs) {
    Differences found;
    auto& series = found.series.emplace_back();
    const Sums b = sums_of(baseline), c = sums_of(canary);
    for (std::size_t i = 0; i < baseline.front()->size(); ++i) {
        series.push_back(found.of(c.mean(i, 1), b.mean(i, 1), logs));
    }
    return found;
}

Differences differences_of(const std::vector<const Column*>& instances, const std::vector<Turn>& turns, bool logs) {
    Differences found;
    for (const Turn& turn : turns) {
        std::vector<const Column*> canary, baseline;
        for (const std::size_t i : turn.canary) canary.push_back(instances[i]);
        for (const std::size_t i : turn.baseline) baseline.push_back(instances[i]);
        auto& series = found.series.emplace_back();
        const Sums b = sums_of(baseline), c = sums_of(canary);
        for (std::size_t i = 0; i < instances.front()->size(); ++i) {
            // Both at full strength, or their noise would be another one.
            series.push_back(found.of(c.mean(i, canary.size()), b.mean(i, (baseline.size() + 1) / 2), logs));
        }
        found.canary = static_cast<double>(turn.canary.size());
        found.baseline = static_cast<double>(turn.baseline.size());
    }
    return found;
}

/// The standard deviation between instances, each told by its median distance from the mean of the others.
double instance_deviation(const std::vector<const Column*>& instances, bool logs) {
    const auto k = static_cast<double>(instances.size());
    double squares = 0, sum = 0;
    for (std::size_t own = 0; own < instances.size(); ++own) {
        std::vector<const Column*> others = instances;
        others.erase(others.begin() + static_cast<std::ptrdiff_t>(own));
        std::vector<double> distances;
        const Sums rest = sums_of(others);
        for (std::size_t i = 0; i < instances[own]->size(); ++i) {
            const double value = (*instances[own])[i], of_rest = rest.mean(i, (others.size() + 1) / 2);
            const double d = logs ? std::log(value) - std::log(of_rest) : value - of_rest;
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

/// How long a stage may last: what the plan says, or else what it takes at least, and 120 intervals.
std::int64_t told_ms(const Plan& plan, const Stage& stage) {
    return stage.max_ms.value_or(std::max(stage.min_ms, 120 * plan.interval_ms));
}

/// How many intervals a rollout of the plan is judged for: its stages' maximum, or the longer of their minimum and 120.
double intervals_told(const Plan& plan) {
    std::int64_t intervals = 0;
    for (const Stage& stage : plan.stages) {
        intervals += std::max<std::int64_t>(1, (told_ms(plan, stage) - plan.warm_up_ms) / plan.interval_ms);
    }
    return static_cast<double>(intervals);
}

/// What one split of the traffic teaches; stages of one split share it.
struct Split {
    std::vector<Turn> turns;
    Differences differences;
    PairedNoise whole;  // of all history
    PairedNoise half;   // of its first half
};

/// The intervals of a whole rollout, stage by stage as long as each may last.
double rollout_intervals(const Plan& plan) {
    double sum = 0;
    for (const Stage& stage : plan.stages)
        sum += static_cast<double>(told_ms(plan, stage)) / static_cast<double>(plan.interval_ms);
    return std::max(1.0, sum);
}

// ---- the half held back

/// How many intervals a window of a stage has.
std::int64_t window_of(const Plan& plan, const Stage& stage) {
    return std::max<std::int64_t>(24, (told_ms(plan, stage) - plan.warm_up_ms) / plan.interval_ms);
}

/// Plays a test, in which nothing happens, on windows of the second half of each series of what it is fed.
/// `feed(test, series, i)` gives it interval i of a series, of which `sizes` has the lengths.
template <class Test, class Feed>
HeldBack play(const Plan& plan, const Stage& stage, double alpha, const Test& fresh,
              const std::vector<std::size_t>& sizes, const Feed& feed) {
    HeldBack found;
    found.traffic = stage.traffic;
    found.alpha = alpha;
    found.intervals = window_of(plan, stage);
    constexpr std::size_t most_windows = 200;  // of a stage; they tell enough
    const std::size_t each = (most_windows + sizes.size() - 1) / sizes.size();
    for (std::size_t series = 0; series < sizes.size(); ++series) {
        const std::size_t size = sizes[series];
        const auto length = std::min<std::size_t>(static_cast<std::size_t>(found.intervals), size / 2);
        if (length < 24) continue;
        found.intervals = static_cast<std::int64_t>(length);
        std::size_t played = 0;
        for (std::size_t from = size / 2; from + length <= size && played < each; from += length, ++played) {
            sequential::StartMixture<Test> test{fresh};
            for (std::size_t i = 0; i < length && !test.decided(); ++i) {
                if (i % 30 == 0) test.begin(sequential::start_weight(static_cast<std::int64_t>(i / 30)));
                feed(test, series, from + i);
            }
            ++found.windows;
            found.alarms += test.decided() ? 1 : 0;
        }
    }
    // Turns share their baselines: of two instances the second turn tells nothing that the first did not.
    const auto turns = static_cast<double>(sizes.size());
    const double worth = turns > 1 ? (turns - 1) / turns : 1;
    const double alarms = std::floor(static_cast<double>(found.alarms) * worth);
    const double windows = std::floor(static_cast<double>(found.windows) * worth);
    // P(X >= x) of a binomial law is the incomplete beta function I_alpha(x, n - x + 1).
    if (alarms >= 1) found.p_value = incomplete_beta(alarms, windows - alarms + 1, alpha);
    return found;
}

std::vector<std::size_t> sizes_of(const std::vector<std::vector<double>>& series) {
    std::vector<std::size_t> sizes;
    for (const auto& one : series) sizes.push_back(one.size());
    return sizes;
}

/// The noise of a gauge's first half against the second.
HeldBack play_level(const Plan& plan, const Stage& stage, const Metric& metric, double alpha, const Split& split) {
    const bool few = split.half.instances > 0 && split.half.instances < 5;
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
                     const detail::SpikeHistory& history, const std::vector<detail::SpikeHistory::Turn>& turns) {
    std::vector<std::vector<SpikeCounter::Counts>> series;
    for (const auto& turn : turns) series.push_back(history.counts(half.excess, turn));
    const sequential::ProportionTest test(detail::SpikeWatch::options(half, Side::harm, alpha, 0));
    return play(plan, stage, alpha, test, std::vector<std::size_t>(series.size(), history.size()),
                [&](auto& mixture, std::size_t of, std::size_t i) {
                    mixture.update(series[of][i].baseline, series[of][i].canary);
                });
}

void say_refuted(MetricCalibration& report, Code code, const HeldBack& held) {
    report.reasons.push_back({code,
                              report.name,
                              {{"alarms", static_cast<double>(held.alarms)},
                               {"windows", static_cast<double>(held.windows)},
                               {"share", held.alpha}},
                              false});
}

/// Marks the noise where a play contradicts it: the first one that does is told.
bool contradicted(MetricCalibration& report, Calibration& all) {
    for (const HeldBack& held : report.held_back) {
        if (!held.refuted()) continue;
        say_refuted(report, Code::history_refuted, held);
        report.refuted = true;
        all.noise[report.name] = Noise{.refuted = true};
        return true;
    }
    return false;
}

/// What history teaches of a gauge's spikes, of the split of the stage that shows most; none where it does not tell, or
/// contradicts itself.
std::optional<SpikeNoise> learn_spikes(const Plan& plan, const Metric& metric, MetricCalibration& report,
                                       const std::vector<const Column*>& baseline,
                                       const std::vector<const Column*>& canary) {
    const auto say = [&](Code code) { report.reasons.push_back({code, metric.name, {}, false}); };
    const bool pair = !canary.empty();
    std::vector<const Column*> instances = baseline;
    instances.insert(instances.end(), canary.begin(), canary.end());
    const detail::SpikeHistory history(instances, metric);
    const double alpha = report.alpha * spikes_alpha;
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
        std::vector<detail::SpikeHistory::Turn> played;
        for (const Turn& turn : turns) played.push_back({turn.canary, turn.baseline});
        const auto learned = history.learn(history.size(), played, pair);
        if (!learned) {
            say(Code::spikes_not_watched);
            return std::nullopt;
        }
        if (const auto half = history.learn(history.size() / 2, played, pair)) {
            const HeldBack held = play_spikes(plan, stage, alpha, *half, history, played);
            if (held.refuted()) {
                say_refuted(report, Code::spikes_refuted, held);
                return std::nullopt;
            }
        }
        const double spread = std::max(learned->spread, worst ? worst->spread : 0);
        if (!worst || learned->dispersion(alpha) > worst->dispersion(alpha)) worst = learned;
        worst->spread = spread;
    }
    return worst;
}

void calibrate_gauge(const Plan& plan, const Metric& metric, const History& history, MetricCalibration& report,
                     Calibration& all, const std::function<void()>& stage_done) {
    const auto say = [&](Code code, std::vector<NamedNumber> numbers) {
        report.reasons.push_back({code, metric.name, std::move(numbers), false});
    };
    const Table* table = history.table(metric.series);
    if (!table || table->arms[0].empty()) return say(Code::history_missing, {});
    const auto baseline = columns_of(table->arms[0]), canary = columns_of(table->arms[1]);
    const bool pair = !canary.empty();
    if (!pair && baseline.size() < 2) return say(Code::history_no_pair, {});

    double magnitude = 0;
    std::vector<double> levels;
    for (const auto& arm : table->arms) {
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
    if (metric.margin.ratio && !(report.level > 0)) return say(Code::history_level, {{"level", report.level}});
    const auto instances = static_cast<double>(baseline.size());
    const bool logs = metric.margin.ratio.has_value();
    const auto unit = logs ? sequential::NoiseUnit::log : sequential::NoiseUnit::own;
    if (logs) magnitude = 1;
    const double deviation = pair ? 0 : instance_deviation(baseline, logs);

    const auto learn = [&](std::vector<Turn> turns) {
        Split split;
        split.differences = pair ? differences_of(baseline, canary, logs) : differences_of(baseline, turns, logs);
        split.turns = std::move(turns);
        std::vector<std::vector<double>> first;
        for (const auto& series : split.differences.series)
            first.emplace_back(series.begin(), series.begin() + static_cast<std::ptrdiff_t>(series.size() / 2));
        split.whole = sequential::paired_noise(split.differences.series, magnitude, !pair, unit);
        split.half = sequential::paired_noise(first, magnitude, !pair, unit);
        for (PairedNoise* const noise : {&split.whole, &split.half}) {
            noise->level = report.level;
            if (pair) {
                const bool named = !table->arms[0].contains("") && !table->arms[1].contains("");
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
    noise.spikes = learn_spikes(plan, metric, report, baseline, canary);
    // What it says of spikes comes last, and not at all where the level is not learned.
    const std::vector<Reason> of_spikes(report.reasons.begin() + static_cast<std::ptrdiff_t>(told),
                                        report.reasons.end());
    report.reasons.resize(told);
    const double level_alpha = report.alpha * (noise.spikes ? 1 - spikes_alpha : 1);
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
            if (learned.scale() == 0) return say(Code::history_constant, {});
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
                if (instances < 5 && table->arms[0].contains(""))
                    say(Code::single_instance, {{"instances", instances}, {"needed", 5}});
            }
            say(Code::history_dependence, {{"differences", learned.size}, {"independent", independent}});
            if (learned.wander > 0) say(Code::history_wander, {{"wander", learned.in_gauge_unit(learned.wander)}});
            if (learned.horizon() < intervals_told(plan)) {
                say(Code::history_thin, {{"differences", learned.size},
                                         {"horizon", learned.horizon()},
                                         {"needed", 4 * intervals_told(plan)}});
            }
        }
        report.held_back.push_back(play_level(plan, stage, metric, level_alpha, *split));
        noise.stages.push_back(learned);
        stage_done();
    }
    report.reasons.insert(report.reasons.end(), of_spikes.begin(), of_spikes.end());
    if (contradicted(report, all)) return;
    report.learned = true;
    report.spikes = noise.spikes;
    all.noise[metric.name] = std::move(noise);
}

// ---- proportions

struct Counts {
    double bad = 0, total = 0;
    bool present = false;
};

/// The sum over instances that report both series.
Counts counts_at(const std::vector<std::pair<const Column*, const Column*>>& instances, std::size_t index) {
    Counts counts;
    for (const auto& [bad, total] : instances) {
        const double x = (*bad)[index], n = (*total)[index];
        if (!(x >= 0 && x <= n)) continue;
        counts.bad += x;
        counts.total += n;
        counts.present = true;
    }
    return counts;
}

/// Both arms in the intervals of history that have both.
using CountPairs = std::vector<std::pair<Counts, Counts>>;

/// Adds one interval, where both arms have it.
void add(CountPairs& pairs, const Counts& b, const Counts& c) {
    if (b.present && c.present) pairs.emplace_back(b, c);
}

sequential::CountDispersion dispersion_of(const CountPairs& pairs, std::size_t end) {
    sequential::CountDispersion found;
    for (std::size_t i = 0; i < end; ++i) {
        const auto& [b, c] = pairs[i];
        found.add(b.bad, b.total, c.bad, c.total);
    }
    return found;
}

/// The dispersion of the first half against the second: what the metric's own test says of windows in which nothing
/// happened.
HeldBack play_counts(const Plan& plan, const Stage& stage, const Metric& metric, double alpha, double error,
                     const std::vector<CountPairs>& turns) {
    std::vector<sequential::LearnedDispersion> learned;
    std::vector<std::size_t> sizes;
    double events = 0;
    for (const CountPairs& pairs : turns) {
        const sequential::CountDispersion half = dispersion_of(pairs, pairs.size() / 2);
        learned.push_back(half.learned());
        sizes.push_back(pairs.size());
        events = std::max(events, half.events());
    }
    sequential::ProportionOptions options;
    options.alpha = alpha;
    options.harm = metric.harm;
    options.margin = metric.margin.ratio ? Margin{.ratio = 1.0, .difference = {}} : Margin{.difference = 0.0};
    options.method = metric.method;
    options.dispersion = detail::mean_of_turns(learned).phi(error, static_cast<double>(window_of(plan, stage)));
    if (events < sequential::CountDispersion::few_events) options.dispersion = std::max(options.dispersion, 2.0);
    options.interval = false;
    const auto counts = [](const Counts& arm) {
        return Proportion{static_cast<std::int64_t>(arm.bad), static_cast<std::int64_t>(arm.total)};
    };
    return play(plan, stage, alpha, sequential::ProportionTest(options), sizes,
                [&](auto& mixture, std::size_t of, std::size_t i) {
                    mixture.update(counts(turns[of][i].first), counts(turns[of][i].second));
                });
}

void calibrate_proportion(const Plan& plan, const Metric& metric, const History& history, MetricCalibration& report,
                          Calibration& all, const std::function<void()>& stage_done) {
    const auto say = [&](Code code, std::vector<NamedNumber> numbers) {
        report.reasons.push_back({code, metric.name, std::move(numbers), false});
    };
    const Table *bad = history.table(metric.bad), *total = history.table(metric.total);
    std::array<std::vector<std::pair<const Column*, const Column*>>, 2> arms;
    for (std::size_t arm = 0; arm < 2 && bad && total; ++arm) {
        for (const auto& [instance, column] : bad->arms[arm]) {
            const auto of = total->arms[arm].find(instance);
            if (of != total->arms[arm].end()) arms[arm].emplace_back(&column, &of->second);
        }
    }
    if (arms[0].empty()) return say(Code::history_missing, {});
    const std::size_t size = arms[0].front().first->size();

    // What is written must keep the error rates that the metric's tests will have, so it allows for how little of a
    // history a few bunches are: the variance as it is found let .06 of good canaries be stopped where .05 was promised
    // (sequential/noise/count_dispersion.hpp).
    const double error = std::min(report.alpha, plan.alpha_promote.value_or(plan.alpha));
    // Slow swings are allowed for as the length of the whole rollout makes it necessary.
    const double intervals = rollout_intervals(plan);
    double phi = 1, ratio = 1, factor = 1, events = 0;
    bool slow = false;  // phi is what the slow swings ask for
    const auto take = [&](const sequential::LearnedDispersion& learned, double residuals_an_interval) {
        const double found = learned.phi(error, intervals * residuals_an_interval);
        if (found <= phi) return;
        phi = found;
        ratio = learned.variance_ratio;
        factor = phi / ratio;
        slow = found <= learned.slow_phi(error, intervals * residuals_an_interval);
    };
    const auto note = [&](const sequential::CountDispersion& found) {
        events = std::max(events, found.events());
        report.differences = std::max(report.differences, static_cast<double>(found.residuals().size()));
        report.independent = std::max(report.independent, dependence(found.residuals()).n_effective);
    };
    for (const Stage& stage : plan.stages) {
        std::vector<CountPairs> played;
        if (!arms[1].empty()) {
            CountPairs& pairs = played.emplace_back();
            for (std::size_t i = 0; i < size; ++i) add(pairs, counts_at(arms[0], i), counts_at(arms[1], i));
        } else if (arms[0].size() > 1) {
            for (const Turn& turn : turns_of(arms[0].size(), stage.traffic)) {
                std::vector<std::pair<const Column*, const Column*>> canary, baseline;
                for (const std::size_t i : turn.canary) canary.push_back(arms[0][i]);
                for (const std::size_t i : turn.baseline) baseline.push_back(arms[0][i]);
                CountPairs& pairs = played.emplace_back();
                for (std::size_t i = 0; i < size; ++i) add(pairs, counts_at(baseline, i), counts_at(canary, i));
            }
        } else {
            // Neighbours in time play the two arms: what both share, a slow drift, drops out.
            CountPairs& pairs = played.emplace_back();
            for (std::size_t i = 0; i + 1 < size; i += 2) add(pairs, counts_at(arms[0], i), counts_at(arms[0], i + 1));
        }
        std::vector<sequential::LearnedDispersion> learned;
        for (const CountPairs& pairs : played) {
            const sequential::CountDispersion found = dispersion_of(pairs, pairs.size());
            note(found);
            learned.push_back(found.learned());
        }
        // Of one series two intervals make one residual.
        const bool neighbours = arms[1].empty() && arms[0].size() == 1;
        take(detail::mean_of_turns(learned), neighbours ? 0.5 : 1);
        report.held_back.push_back(play_counts(plan, stage, metric, report.alpha, error, played));
        stage_done();
    }
    if (!arms[1].empty()) {
        // What the pair differs by itself is no part of counts: their test has no offset.
    } else if (arms[0].size() > 1) {
        report.instances = static_cast<double>(arms[0].size());
    } else {
        say(Code::history_one_series, {});
    }
    if (events < sequential::CountDispersion::few_events) {
        phi = std::max(phi, 2.0);
        say(Code::history_few_events, {{"events", events}, {"needed", sequential::CountDispersion::few_events}});
    }
    if (report.differences < 2)
        return say(
            Code::history_short,
            {{"differences", report.differences}, {"independent", report.independent}, {"needed", Dependence::fewest}});
    say(Code::history_dependence, {{"differences", report.differences}, {"independent", report.independent}});
    constexpr double worth_saying = 1.2;
    if (factor > worth_saying && !slow) say(Code::history_few_bunches, {{"factor", factor}, {"found", ratio}});
    if (factor > worth_saying && slow) {
        say(Code::history_swings, {{"found", ratio},
                                   {"factor", factor},
                                   {"rollout", intervals},
                                   {"needed", sequential::LearnedDispersion::long_enough * intervals}});
    }
    report.dispersion = phi;
    if (contradicted(report, all)) return;
    report.learned = true;
    Noise& noise = all.noise[metric.name];
    noise.dispersion = phi;
    noise.intervals = report.differences;
}

}  // namespace

Calibration calibrate(const Plan& plan, const Batch& history, const std::function<void(double)>& progress) {
    return calibrate(plan, history, {}, progress);
}

Calibration calibrate(const Plan& plan, const Batch& history, std::span<const Batch> former,
                      const std::function<void(double)>& progress) {
    check(plan);
    const History known(plan, history);
    const std::vector<double> split = alpha_split(plan);
    Calibration all;
    const double steps = static_cast<double>(plan.metrics.size() * plan.stages.size());
    for (std::size_t i = 0; i < plan.metrics.size(); ++i) {
        const Metric& metric = plan.metrics[i];
        MetricCalibration& report = all.metrics.emplace_back();
        report.name = metric.name;
        report.kind = metric.kind;
        report.alpha = split[i] > 0 ? split[i] : plan.alpha;
        double done = static_cast<double>(i * plan.stages.size());
        const auto stage_done = [&] {
            if (progress) progress(++done / steps);
        };
        (metric.kind == Kind::gauge ? calibrate_gauge : calibrate_proportion)(plan, metric, known, report, all,
                                                                              stage_done);
        if (metric.kind != Kind::gauge) continue;
        if (auto instances = detail::known_instances(plan, metric, history, former, report.reasons)) {
            all.noise[metric.name].instances = std::move(instances);
            report.learned = true;
        }
    }
    if (progress) progress(1);
    return all;
}

Plan with_noise(Plan plan, const Calibration& calibration) {
    plan.learn_noise = false;
    for (const auto& [name, noise] : calibration.noise) plan.noise[name] = noise;
    check(plan);
    return plan;
}

}  // namespace v0
}  // namespace serinus
