// History in intervals, who plays the canary in it, and what the half held back says of the noise of the other.

#include "rollout/history.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

#include <serinus/core/error.hpp>
#include <serinus/numeric/special.hpp>
#include <serinus/series/align.hpp>
#include <serinus/series/counter_follower.hpp>

#include "rollout/roles.hpp"

namespace serinus {
inline namespace v0 {
namespace detail {
namespace {

constexpr double nothing = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t most_turns = 8;  // pseudo-canaries of one stage: more teach little and cost as much each

void add_up(std::map<std::string, Column>& columns) {
    Column sum;
    for (const auto& [instance, column] : columns) {
        if (sum.empty()) sum.assign(column.size(), nothing);
        for (std::size_t i = 0; i < column.size(); ++i)
            if (!std::isnan(column[i])) sum[i] = std::isnan(sum[i]) ? column[i] : sum[i] + column[i];
    }
    columns.clear();
    if (!sum.empty()) columns.emplace("", std::move(sum));
}

/// Where the parts do not name the instances of the whole, an arm is one.
void name_alike(std::map<std::string, Column>& parts, std::map<std::string, Column>& wholes) {
    if (parts.empty() ||
        std::any_of(parts.begin(), parts.end(), [&](const auto& part) { return wholes.contains(part.first); })) {
        return;
    }
    add_up(parts);
    add_up(wholes);
}

/// The quotients of two series; where the second has nothing there is none.
void divide(std::array<Table, 2>& tables) {
    for (std::size_t arm = 0; arm < 2; ++arm) {
        auto &parts = tables[0].arms[arm], &wholes = tables[1].arms[arm];
        name_alike(parts, wholes);
        for (auto& [instance, part] : parts) {
            const auto whole = wholes.find(instance);
            for (std::size_t i = 0; i < part.size(); ++i) {
                const double by = whole == wholes.end() ? nothing : whole->second[i];
                part[i] = by > 0 ? part[i] / by : nothing;
            }
        }
    }
}

/// Bad ones where the good ones are told, and none where they are not told though they would be.
void fill_in(const Metric& metric, std::array<Table, 2>& tables) {
    const bool lives = !tables[0].arms[0].empty() || !tables[0].arms[1].empty();
    const bool zero =
        metric.good.empty() && metric.absent.value_or(lives ? Absent::zero : Absent::unknown) == Absent::zero;
    for (std::size_t arm = 0; arm < 2; ++arm) {
        auto &parts = tables[0].arms[arm], &wholes = tables[1].arms[arm];
        name_alike(parts, wholes);
        for (const auto& [instance, whole] : wholes) {
            if (zero) parts.try_emplace(instance, whole.size(), nothing);
            const auto at = parts.find(instance);
            if (at == parts.end()) continue;
            bool lived = false;  // it is a gap where it was there before
            for (std::size_t i = 0; i < whole.size(); ++i) {
                double& part = at->second[i];
                if (!metric.good.empty()) part = whole[i] - part;
                const bool told = !std::isnan(part);
                if (!told && zero && !std::isnan(whole[i]) && (!lived || metric.absent)) part = 0;
                lived = lived || told;
            }
        }
    }
}

/// How long a stage may last: what the plan says, or else what it takes at least, and 120 intervals.
std::chrono::milliseconds told(const Plan& plan, const Stage& stage) {
    return stage.max.value_or(std::max<std::chrono::milliseconds>(stage.min, 120 * plan.interval));
}

}  // namespace

History::History(const Plan& plan, const Batch& batch) {
    struct Used {
        const Metric* metric = nullptr;
        std::size_t role = 0;
        Arm arm = Arm::baseline;
        std::string instance;
        Series series;
    };
    std::vector<Used> used;
    std::optional<std::int64_t> first, last;
    for (const Metric& metric : plan.metrics) {
        tables_[metric.name];
        if (facts_of(metric.kind).quantiles) continue;  // read by its kind
        require_bucket(metric, batch);
        const std::vector<std::string> names = series_of(metric);
        // The whole comes before its part, of which it says how much can have happened.
        for (std::size_t role = names.size(); role-- > 0;) {
            std::map<std::tuple<Arm, std::string, std::string>, std::map<std::string, Series>> targets;
            for (const ArmSeries& part : batch.series) {
                if (!reads(metric, names, role, part)) continue;
                // Without arms all is one service, and still an instance of each.
                const bool none = metric.arm == MetricArm::none;
                const std::string instance =
                    part.series.instance + (none && part.arm == Arm::canary ? " (canary)" : "");
                Series& whole = targets[{none ? Arm::baseline : part.arm, instance, part.labels}][part.replica];
                whole.times_ms.insert(whole.times_ms.end(), part.series.times_ms.begin(), part.series.times_ms.end());
                whole.values.insert(whole.values.end(), part.series.values.begin(), part.series.values.end());
            }
            for (auto& [of, replicas] : targets) {
                Series series = joined_replicas(std::move(replicas));
                sort_and_deduplicate(series);
                if (series.times_ms.empty()) continue;
                first = std::min(first.value_or(series.times_ms.front()), series.times_ms.front());
                last = std::max(last.value_or(series.times_ms.back()), series.times_ms.back());
                const auto& [arm, instance, labels] = of;
                // Of a gauge whose source names no instances, what its labels tell apart are they.
                const bool by_labels = instance.empty() && !facts_of(metric.kind).added_up;
                used.push_back({&metric, role, arm, by_labels ? labels : instance, std::move(series)});
            }
        }
    }
    if (!first) return;
    first_ms_ = first;
    const std::int64_t size = interval_index(*last, *first, plan.interval.count()) + 1;
    constexpr std::int64_t most = 10'000'000;
    if (size > most) {
        raise(Code::data_size, "history spans " + std::to_string(size) + " intervals; allowed: at most " +
                                   std::to_string(most) + " (is a timestamp far off?)");
    }
    for (const auto& [metric, role, arm, instance, series] : used) {
        std::array<Table, 2>& tables = tables_.at(metric->name);
        Column& column = tables[role].arms[static_cast<std::size_t>(arm)][instance];
        if (column.empty()) column.assign(static_cast<std::size_t>(size), nothing);
        const Column* whole = nullptr;
        if (const auto& wholes = tables[1].arms[static_cast<std::size_t>(arm)]; role == 0 && wholes.contains(instance))
            whole = &wholes.at(instance);
        std::vector<double> samples(column.size(), 0);
        CounterFollower counter;
        for (std::size_t i = 0; i < series.times_ms.size(); ++i) {
            // A scrape closes what came before it.
            const std::int64_t time = series.times_ms[i] - (metric->counter ? 1 : 0);
            double value = series.values[i];
            if (!std::isfinite(value)) continue;
            const std::int64_t at = interval_index(time, *first, plan.interval.count());
            const auto index = static_cast<std::size_t>(std::max<std::int64_t>(at, 0));
            if (metric->counter) {
                const auto step = counter.next(series.times_ms[i], value);
                // A counter that is born with its first error has counted it since its instance was last seen.
                const bool born = step->what == CounterStep::first && whole && !std::isnan((*whole)[index]) &&
                                  (value <= (*whole)[index] || !facts_of(metric->kind).bad_of_total);
                if (step->what == CounterStep::first && !born) continue;
                if (!born) value = step->increment;
            }
            if (at < 0) continue;
            column[index] = std::isnan(column[index]) ? value : column[index] + value;
            samples[index] += 1;
        }
        if (facts_of(metric->kind).added_up) continue;
        for (std::size_t i = 0; i < column.size(); ++i) {
            if (samples[i] > 1) column[i] /= samples[i];
        }
    }
    for (const Metric& metric : plan.metrics) {
        std::array<Table, 2>& tables = tables_.at(metric.name);
        if (facts_of(metric.kind).counts) fill_in(metric, tables);
        if (facts_of(metric.kind).divides) divide(tables);
    }
}

void Learning::say_refuted(Code code, const HeldBack& held) const {
    say(code, {{"alarms", static_cast<double>(held.alarms)},
               {"windows", static_cast<double>(held.windows)},
               {"share", held.alpha}});
}

bool Learning::contradicted() const {
    for (const HeldBack& held : report.held_back) {
        if (!held.refuted()) continue;
        say_refuted(Code::history_refuted, held);
        report.refuted = true;
        all.noise[report.name] = Noise{.refuted = true};
        return true;
    }
    return false;
}

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

sequential::LearnedDispersion mean_of_turns(const std::vector<sequential::LearnedDispersion>& turns) {
    sequential::LearnedDispersion mean{.variance_ratio = 0, .single_ratio = 0};
    const auto n = static_cast<double>(turns.size());
    for (const sequential::LearnedDispersion& turn : turns) {
        mean.variance_ratio += turn.variance_ratio / n;
        mean.single_ratio += turn.single_ratio / n;
        mean.degrees_of_freedom += turn.degrees_of_freedom / n * (n > 1 ? n - 1 : 1);
        mean.bunches += turn.bunches / n;
        mean.size = std::max(mean.size, turn.size);
        for (std::size_t i = 0; i < mean.slow.size(); ++i) mean.slow[i] += turn.slow[i] / n;
    }
    return mean;
}

double intervals_told(const Plan& plan) {
    std::int64_t intervals = 0;
    for (const Stage& stage : plan.stages) {
        intervals += std::max<std::int64_t>(1, (told(plan, stage) - plan.warm_up) / plan.interval);
    }
    return static_cast<double>(intervals);
}

double rollout_intervals(const Plan& plan) {
    double sum = 0;
    for (const Stage& stage : plan.stages)
        sum += static_cast<double>(told(plan, stage).count()) / static_cast<double>(plan.interval.count());
    return std::max(1.0, sum);
}

std::int64_t window_of(const Plan& plan, const Stage& stage) {
    return std::max<std::int64_t>(24, (told(plan, stage) - plan.warm_up) / plan.interval);
}

void weigh_alarms(HeldBack& held, std::size_t series) {
    // Turns share their baselines: of two instances the second turn tells nothing that the first did not.
    const auto turns = static_cast<double>(series);
    const double worth = turns > 1 ? (turns - 1) / turns : 1;
    const double alarms = std::floor(static_cast<double>(held.alarms) * worth);
    const double windows = std::floor(static_cast<double>(held.windows) * worth);
    // P(X >= x) of a binomial law is the incomplete beta function I_alpha(x, n - x + 1).
    if (alarms >= 1) held.p_value = incomplete_beta(alarms, windows - alarms + 1, held.alpha);
}

}  // namespace detail
}  // namespace v0
}  // namespace serinus
