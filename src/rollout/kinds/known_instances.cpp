// Levels of instances in history and in former releases.

#include "rollout/kinds/known_instances.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <utility>

#include <serinus/numeric/median.hpp>
#include <serinus/sequential/noise/paired_noise.hpp>
#include <serinus/sequential/rotation.hpp>
#include <serinus/series/align.hpp>

#include "rollout/kinds/instances.hpp"

namespace serinus {
inline namespace v0 {
namespace detail {
namespace {

/// One value an interval, by instance and interval.
using Columns = std::map<std::string, std::map<std::int64_t, double>>;

/// The named instances of a gauge from `from_ms` on. A history's two arms run one version; of a rollout only the
/// baseline is the old one.
Columns columns_of(const Plan& plan, const Metric& metric, const Batch& batch, std::int64_t from_ms, bool both_arms) {
    Columns means;
    std::map<std::string, std::map<std::int64_t, double>> counts;
    // Two arms may give one name to two instances; the rollout's baseline is meant by it then.
    std::set<std::string> of_baseline;
    for (const ArmSeries& part : batch.series) {
        if (part.name == metric.series && part.arm == Arm::baseline) of_baseline.insert(part.series.instance);
    }
    for (const ArmSeries& part : batch.series) {
        if (part.name != metric.series || part.series.instance.empty()) continue;
        if (part.arm == Arm::canary && (!both_arms || of_baseline.contains(part.series.instance))) continue;
        for (std::size_t i = 0; i < std::min(part.series.times_ms.size(), part.series.values.size()); ++i) {
            const double value = part.series.values[i];
            if (!std::isfinite(value) || part.series.times_ms[i] < from_ms) continue;
            const std::int64_t at = interval_index(part.series.times_ms[i], from_ms, plan.interval.count());
            double& count = counts[part.series.instance][at];
            double& mean = means[part.series.instance][at];
            count += 1;
            mean += (value - mean) / count;
        }
    }
    return means;
}

/// The first sample of the metric's series: of the canary where there is one, and then after its warm-up.
std::optional<std::int64_t> start_of(const Plan& plan, const Metric& metric, const Batch& batch, bool both_arms) {
    std::array<std::optional<std::int64_t>, 2> first;
    for (const ArmSeries& part : batch.series) {
        if (part.name != metric.series) continue;
        auto& of = first[static_cast<std::size_t>(part.arm)];
        for (const std::int64_t time : part.series.times_ms) of = std::min(of.value_or(time), time);
    }
    if (both_arms || !first[1]) return first[0] ? first[0] : first[1];
    const std::int64_t warm = (plan.warm_up + plan.interval - std::chrono::milliseconds(1)) / plan.interval;
    return *first[1] + warm * plan.interval.count();
}

/// The values of the instances that count, in the intervals in which all of them have one.
struct Together {
    std::vector<std::string> names;
    std::vector<std::vector<double>> values;
};

Together together(const Columns& columns) {
    std::map<std::int64_t, std::size_t> present;
    for (const auto& [name, column] : columns) {
        for (const auto& [at, value] : column) ++present[at];
    }
    Together found;
    std::vector<const std::map<std::int64_t, double>*> counted;
    for (const auto& [name, column] : columns) {
        if (static_cast<double>(column.size()) < InstanceTests::present * static_cast<double>(present.size())) continue;
        found.names.push_back(name);
        counted.push_back(&column);
    }
    found.values.resize(counted.size());
    for (const auto& [at, count] : present) {
        const auto has = [at = at](const auto* column) { return column->contains(at); };
        if (!std::all_of(counted.begin(), counted.end(), has)) continue;
        for (std::size_t i = 0; i < counted.size(); ++i) found.values[i].push_back(counted[i]->at(at));
    }
    return found;
}

double median_of(const std::vector<std::vector<double>>& columns) {
    std::vector<double> values;
    for (const auto& column : columns) values.insert(values.end(), column.begin(), column.end());
    return serinus::median_of(std::move(values));
}

/// Each instance's levels at the looks; none where they say nothing.
std::vector<std::vector<double>> levels_of(const Together& instances, const Metric& metric, double level,
                                           const std::vector<std::int64_t>& looks) {
    std::optional<FloorLine> floor;
    if (FloorLine::of(metric)) floor.emplace(metric.margin, metric.harm);
    std::vector<std::vector<double>> levels;
    for (std::vector<double> values : instances.values) {
        if (static_cast<std::int64_t>(values.size()) < InstanceTests::settling) return {};
        for (double& value : values) {
            if (!metric.margin.ratio) continue;
            value = std::max(value, InstanceTests::part_for_zero * level);
            value = elementary::log(floor ? floor->baseline(value) : value);
        }
        levels.push_back(sequential::running_levels(values, looks));
    }
    return levels;
}

}  // namespace

std::optional<KnownInstances> known_instances(const Plan& plan, const Metric& metric, const Batch& history,
                                              std::span<const Batch> former, std::vector<Reason>& reasons) {
    KnownInstances known;
    known.logs = metric.margin.ratio.has_value();
    known.looks = instance_looks(plan);
    const auto usable = [&](double level) { return level > 0 || !known.logs || (FloorLine::of(metric) && level == 0); };
    const auto read = [&](const Batch& batch, bool both_arms) {
        const auto start = start_of(plan, metric, batch, both_arms);
        return start ? together(columns_of(plan, metric, batch, *start, both_arms)) : Together{};
    };

    const Together old = read(history, true);
    known.level = median_of(old.values);
    if (old.names.size() > 1 && usable(known.level)) {
        known.levels = levels_of(old, metric, known.level, known.looks);
        if (!known.levels.empty()) {
            known.names = old.names;
            reasons.push_back({Code::history_levels,
                               metric.name,
                               {{"instances", static_cast<double>(old.names.size())},
                                {"intervals", static_cast<double>(old.values.front().size())}},
                               false});
        }
    }

    sequential::InstanceSpread spread;
    spread.looks = known.looks;
    std::vector<double> levels;
    for (const Batch& batch : former) {
        const Together instances = read(batch, false);
        const double level = median_of(instances.values);
        if (instances.names.size() < 2 || !usable(level)) continue;
        levels.push_back(level);
        spread.add_instances(levels_of(instances, metric, level, known.looks));
    }
    if (old.names.empty()) known.level = median_of({levels});
    const auto releases = static_cast<double>(former.size());
    if (spread.degrees > 0) {
        const std::size_t size = known.looks.size();
        for (std::size_t i = 0; i < size; ++i) {
            for (std::size_t j = i; j < size; ++j) known.former.push_back(spread.gram[i * size + j]);
        }
        known.former_degrees = spread.degrees;
        reasons.push_back(
            {Code::history_former, metric.name, {{"releases", releases}, {"degrees", spread.degrees}}, false});
    } else if (!former.empty()) {
        reasons.push_back({Code::history_former_none, metric.name, {{"releases", releases}}, false});
    }
    if (known.names.empty() && spread.degrees == 0) return std::nullopt;
    if (!usable(known.level)) return std::nullopt;
    return known;
}

}  // namespace detail
}  // namespace v0
}  // namespace serinus
