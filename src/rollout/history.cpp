// History in intervals, who plays the canary in it, and what the half held back says of the noise of the other.

#include "rollout/history.hpp"

#include <cmath>
#include <limits>

#include <serinus/core/error.hpp>
#include <serinus/numeric/special.hpp>
#include <serinus/series/align.hpp>
#include <serinus/series/counter.hpp>

namespace serinus {
inline namespace v0 {
namespace detail {
namespace {

constexpr double nothing = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t most_turns = 8;  // pseudo-canaries of one stage: more teach little and cost as much each

/// How long a stage may last: what the plan says, or else what it takes at least, and 120 intervals.
std::chrono::milliseconds told(const Plan& plan, const Stage& stage) {
    return stage.max.value_or(std::max<std::chrono::milliseconds>(stage.min, 120 * plan.interval));
}

}  // namespace

History::History(const Plan& plan, const Batch& batch) {
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
    const std::int64_t size = interval_index(*last, *first, plan.interval.count()) + 1;
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
            const std::int64_t at = interval_index(time, *first, plan.interval.count());
            if (at < 0) continue;
            const auto index = static_cast<std::size_t>(at);
            column[index] = samples[index] == 0 ? value : column[index] + value;
            samples[index] += 1;
        }
        if (facts_of(metric.kind).added_up) continue;
        for (std::size_t i = 0; i < column.size(); ++i) {
            if (samples[i] > 1) column[i] /= samples[i];
        }
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
