// One quantity for another: its part of a plan, and its history, which is learned from as that of a gauge.

#include "rollout/kinds/ratio.hpp"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "rollout/history.hpp"
#include "rollout/plan_checks.hpp"
#include "rollout/roles.hpp"

namespace serinus {
inline namespace v0 {
namespace detail {

void RatioKind::check(const std::string& path, const Metric& metric) {
    check_instances_differ(path, metric);
    check_gauge_floor(path, metric);
    if (metric.numerator == metric.denominator)
        refuse(path + ".numerator", quoted(metric.numerator) + " as is denominator", "a series other than denominator");
}

namespace {

/// The quotients of each instance and interval, as samples of a gauge, for the only metric of a plan.
Batch as_gauge(const Plan& plan, const Batch& batch) {
    const Metric& metric = plan.metrics[0];
    const History history(plan, batch);
    Batch found;
    for (std::size_t arm = 0; arm < 2; ++arm) {
        for (const auto& [instance, column] : history.values(metric).arms[arm]) {
            std::vector<std::int64_t> times;
            std::vector<double> values;
            for (std::size_t i = 0; i < column.size(); ++i) {
                if (std::isnan(column[i])) continue;
                times.push_back(*history.first_ms() + static_cast<std::int64_t>(i) * plan.interval.count());
                values.push_back(column[i]);
            }
            found.add(name_of_values(metric), static_cast<Arm>(arm), instance, times, values);
        }
    }
    return found;
}

}  // namespace

void RatioKind::learn(Learning& learning) {
    const auto& [plan, metric, history, data, former, report, all, stage_done] = learning;
    Plan alone = plan;
    alone.metrics = {metric};
    alone.slo.clear();
    const Batch values = as_gauge(alone, data);
    std::vector<Batch> former_values;
    for (const Batch& release : former) former_values.push_back(as_gauge(alone, release));
    Metric& gauge = alone.metrics[0];
    gauge.kind = Kind::gauge;
    gauge.series = name_of_values(metric);
    gauge.numerator.clear();
    gauge.denominator.clear();
    gauge.counter = false;
    const History known(alone, values);
    Learning of_gauge{alone, gauge, known, values, former_values, report, all, stage_done};
    GaugeKind::learn(of_gauge);
}

}  // namespace detail
}  // namespace v0
}  // namespace serinus
