#include "rollout/standing.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

namespace serinus {
inline namespace v0 {
namespace detail {

std::vector<Reason> obstacles(const Look& look, const Judged& judged) {
    std::vector<Reason> reasons;
    const std::string& name = judged.metric.name;
    const auto absent = [&](Arm arm) {
        const auto at = static_cast<std::size_t>(arm);
        return judged.intervals > 0 ? judged.missing[at] == judged.intervals : look.clock.now_ms && !look.heard[at];
    };
    if (absent(Arm::baseline)) reasons.push_back({Code::missing_baseline, name, {}, false});
    if (absent(Arm::canary)) reasons.push_back({Code::missing_canary, name, {}, false});
    const auto of_kind = [&] {
        for (Reason& reason : judged.obstacles()) reasons.push_back(std::move(reason));
    };
    if (judged.intervals == 0) {
        reasons.push_back({Code::no_data_yet, name, {}, false});
        of_kind();
        return reasons;
    }
    const auto all = static_cast<double>(judged.intervals);
    const auto miss = [&](std::size_t arm) { return static_cast<double>(judged.missing[arm]); };
    // Rows that are only sent when something went wrong would count an instance only when it fails: dropping by value.
    // A counter that was not born yet is left out for what is known before, which is fair, as long as the arm has
    // others.
    if (judged.unpaired > (judged.metric.counter ? 0 : 1) &&
        (!judged.metric.counter || judged.used < judged.intervals)) {
        reasons.push_back({Code::unpaired_series, name, {{"count", static_cast<double>(judged.unpaired)}}, false});
    }
    if (judged.impossible > 0) {
        reasons.push_back({Code::impossible_counts, name, {{"count", static_cast<double>(judged.impossible)}}, false});
    }
    const double coverage = static_cast<double>(judged.used) / all;
    if (coverage < look.plan.telemetry.min_coverage) {
        reasons.push_back({Code::low_coverage,
                           name,
                           {{"coverage", coverage}, {"intervals", all}, {"needed", look.plan.telemetry.min_coverage}},
                           false});
    }
    // One missing scrape is no pattern, however short the stage is yet.
    if (std::fabs(miss(0) - miss(1)) > std::max(1.0, look.plan.telemetry.max_imbalance * all)) {
        reasons.push_back(
            {Code::unbalanced_gaps, name, {{"baseline", miss(0) / all}, {"canary", miss(1) / all}}, false});
    }
    const double fewest = judged.fewest();
    if (fewest < judged.metric.min_count) {
        reasons.push_back({Code::too_few, name, {{"count", fewest}, {"needed", judged.metric.min_count}}, false});
    }
    of_kind();
    return reasons;
}

Standing::Standing(const Look& look, const Judged& judged)
    : obstacles(detail::obstacles(look, judged)), idle_share(judged.idle_share()) {
    if (!look.clock.watched()) return;
    const std::int64_t since =
        judged.last_used_ms.value_or(look.clock.start_ms ? look.clock.warmed_up_ms : *look.clock.watch_ms);
    age_seconds = seconds(std::max<std::int64_t>(0, *look.clock.now_ms - since));
    stale = age_seconds > seconds(effective_stale_after(look.plan));
}

}  // namespace detail
}  // namespace v0
}  // namespace serinus
