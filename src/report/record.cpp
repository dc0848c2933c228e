#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include <serinus/report/record.hpp>
#include <serinus/rollout/monitor.hpp>

namespace serinus {
inline namespace v0 {
namespace report {
namespace {

/// A time at which something is done with all samples before it: a stage is entered, or the monitor is asked.
struct Step {
    std::int64_t time_ms = 0;
    std::optional<int> stage = std::nullopt;
};

/// The first sample's time, and the last one's.
std::optional<std::pair<std::int64_t, std::int64_t>> span_of(const Batch& batch) {
    std::optional<std::pair<std::int64_t, std::int64_t>> span;
    const auto widen = [&](const std::vector<std::int64_t>& times) {
        for (const std::int64_t time : times) {
            if (!span) span.emplace(time, time);
            span->first = std::min(span->first, time);
            span->second = std::max(span->second, time);
        }
    };
    for (const ArmSeries& of : batch.series) widen(of.series.times_ms);
    for (const ArmHistogram& of : batch.histograms) widen(of.series.times_ms);
    return span;
}

std::vector<Step> steps_of(const Plan& plan, const Batch& batch, std::optional<std::int64_t> now_ms, int looks) {
    std::vector<Step> steps;
    for (const StageStart& start : batch.stages) {
        if (!now_ms || start.at_ms <= *now_ms) steps.push_back({start.at_ms, start.stage});
    }
    const auto span = span_of(batch);
    const std::int64_t interval = plan.interval.count();
    if (looks > 0 && span && interval > 0 && plan.analysis != Analysis::fixed) {
        const std::int64_t end = now_ms ? std::min(*now_ms, span->second) : span->second;
        const std::int64_t intervals = end > span->first ? (end - span->first) / interval : 0;
        const std::int64_t apart = interval * std::max<std::int64_t>(1, (intervals + looks - 1) / looks);
        for (std::int64_t time = span->first + apart; time <= end; time += apart) steps.push_back({time});
    }
    // A stage is entered before anybody asks at that time.
    std::stable_sort(steps.begin(), steps.end(), [](const Step& x, const Step& y) {
        return std::tuple(x.time_ms, !x.stage) < std::tuple(y.time_ms, !y.stage);
    });
    return steps;
}

}  // namespace

Record recorded(Plan plan, Batch batch, std::optional<std::int64_t> now_ms, int looks) {
    Record record{std::move(plan), {}, std::move(batch)};
    Monitor monitor(record.plan);
    std::int64_t from_ms = std::numeric_limits<std::int64_t>::min();
    for (const Step& step : steps_of(record.plan, record.batch, now_ms, looks)) {
        if (step.stage) {
            if (from_ms < step.time_ms) monitor.observe(record.batch.between(from_ms, step.time_ms));
            monitor.enter_stage(*step.stage, step.time_ms);
        } else {
            record.decisions.push_back(monitor.observe(record.batch.between(from_ms, step.time_ms), step.time_ms));
        }
        from_ms = std::max(from_ms, step.time_ms);
    }
    Decision last = judge(record.plan, record.batch, now_ms);
    if (!record.decisions.empty() && record.decisions.back().time == last.time) record.decisions.pop_back();
    record.decisions.push_back(std::move(last));
    return record;
}

}  // namespace report
}  // namespace v0
}  // namespace serinus
