// Noise from history, metric by metric: each kind learns its own.

#include <serinus/rollout/calibrate.hpp>

#include "rollout/baseline_watch.hpp"
#include "rollout/history.hpp"
#include "rollout/kinds/all.hpp"

namespace serinus {
inline namespace v0 {

Calibration calibrate(const Plan& plan, const Batch& history, const std::function<void(double)>& progress) {
    return calibrate(plan, history, {}, progress);
}

Calibration calibrate(const Plan& plan, const Batch& history, std::span<const Batch> former,
                      const std::function<void(double)>& progress) {
    check(plan);
    const detail::History known(plan, history);
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
        detail::Learning learning{plan, metric, known, history, former, report, all, stage_done};
        detail::AllKinds::with(metric, [&]<class K>() { K::learn(learning); });
        detail::learn_baseline(learning);
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
