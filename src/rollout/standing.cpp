#include "rollout/standing.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include <serinus/series/time.hpp>

#include "rollout/fixed_look.hpp"

namespace serinus {
inline namespace v0 {
namespace detail {

Reason impossible_reason(const Judged& judged) {
    const Metric& metric = judged.metric;
    const ImpossibleState first = judged.first_impossible.value_or(ImpossibleState());
    const auto count = static_cast<double>(judged.impossible);
    if (first.code == 0 || first.code == static_cast<std::int64_t>(Code::impossible_counts))
        return {Code::impossible_counts, metric.name, {{"count", count}}, false};
    const bool part = first.value != first.of;
    const std::vector<std::string> names = series_of(metric);
    return {static_cast<Code>(first.code),
            metric.name,
            {{"count", count}, {"value", first.value}, {"of", first.of}},
            false,
            {{"series", part ? names.front() : names.back()},
             {"other", names.back()},
             {"arm", std::string(word(first.arm))},
             {"time", format_time(first.time_ms)}}};
}

std::vector<Reason> obstacles(const Look& look, const Judged& judged, std::size_t index, Blocks blocks) {
    std::vector<Reason> reasons;
    const std::string& name = judged.metric.name;
    const bool promotion = blocks == Blocks::promotion;
    const auto absent = [&](Arm arm) {
        const auto at = static_cast<std::size_t>(arm);
        return judged.intervals > 0 ? judged.absent(at) == judged.intervals
                                    : look.clock.now_ms && !look.intake.heard(arm);
    };
    if (promotion && absent(Arm::baseline)) reasons.push_back({Code::missing_baseline, name, {}, false});
    if (promotion && absent(Arm::canary)) reasons.push_back({Code::missing_canary, name, {}, false});
    const auto add = [&](std::vector<Reason> more) {
        for (Reason& reason : more) {
            reason.metric = name;
            reasons.push_back(std::move(reason));
        }
    };
    const auto of_kind = [&] {
        // What a gauge's noise does not know is nothing to one look, which needs none.
        if (!looks_at_values(look.plan, judged.metric)) add(judged.obstacles());
    };
    if (judged.intervals == 0) {
        reasons.push_back({Code::no_data_yet, name, {}, false});
        of_kind();
        return reasons;
    }
    // Rows that are only sent when something went wrong would count an instance only when it fails: dropping by value.
    if (judged.unpaired > 1 && judged.recent.unpaired != 0) {
        reasons.push_back({Code::unpaired_series, name, {{"count", static_cast<double>(judged.unpaired)}}, false});
    }
    if (judged.impossible > 0 && judged.recent.impossible != 0) reasons.push_back(impossible_reason(judged));
    // Of a sick baseline harm is made as easily as its absence.
    if (judged.baseline.sick()) add({judged.baseline.reason()});
    // Of all that has come only what is judged is asked, as somebody would who had watched all along.
    add(look.intake.metrics()[index].obstacles(judged.intervals, look.clock.frontier_ms, !promotion));
    if (const TrafficWatch* const watch = look.traffic.of(index)) {
        // Arms that are exchanged make harm of what is good; silence is no more than a doubt.
        const bool silent = watch->silent() && judged.metric.missing != Missing::ignore;
        if (watch->exchanged() || (promotion && silent)) add(watch->reasons(name));
    }
    if (promotion) {
        // Intervals that wait are neither used nor lost; should they wait for long, the data are stale.
        const auto all = static_cast<double>(std::max<std::int64_t>(1, judged.settled()));
        const auto lately = static_cast<double>(std::min(judged.settled(), recent_intervals));
        const auto miss = [&](std::size_t arm) { return static_cast<double>(judged.missing[arm]); };
        // What cannot be has its own reason.
        const double coverage = static_cast<double>(judged.used + judged.impossible) / all;
        const double coverage_lately = lately > 0 ? Judged::ones(judged.recent.used) / lately : 0;
        // Of what was judged before a state had a memory of intervals only the whole stage is known.
        if (std::max(coverage, coverage_lately) < look.plan.telemetry.min_coverage) {
            reasons.push_back({Code::low_coverage,
                               name,
                               {{"coverage", coverage},
                                {"intervals", static_cast<double>(judged.intervals)},
                                {"needed", look.plan.telemetry.min_coverage}},
                               false});
        }
        // One missing scrape is no pattern, however short the stage is yet.
        const double limit = look.plan.telemetry.max_imbalance;
        const double apart = std::fabs(miss(0) - miss(1));
        const double apart_lately = std::fabs(
            static_cast<double>(Judged::ones(judged.recent.missing[0]) - Judged::ones(judged.recent.missing[1])));
        if (apart > std::max(1.0, limit * all) && apart_lately > limit * lately) {
            reasons.push_back(
                {Code::unbalanced_gaps, name, {{"baseline", miss(0) / all}, {"canary", miss(1) / all}}, false});
        }
    }
    // While nobody has one of the series, that is why the others are of no use.
    const auto is = [](Code code) { return [code](const Reason& reason) { return reason.code == code; }; };
    if (std::any_of(reasons.begin(), reasons.end(), is(Code::never_seen))) {
        for (const Code code :
             {Code::missing_baseline, Code::missing_canary, Code::low_coverage, Code::unpaired_series})
            std::erase_if(reasons, is(code));
    }
    // Nor has an arm without a request lost any data.
    if (std::any_of(reasons.begin(), reasons.end(), [](const Reason& reason) {
            return reason.code == Code::canary_without_requests || reason.code == Code::baseline_without_requests;
        })) {
        for (const Code code : {Code::low_coverage, Code::unbalanced_gaps}) std::erase_if(reasons, is(code));
    }
    const double fewest = judged.fewest();
    if (fewest < judged.metric.min_count) {
        reasons.push_back({Code::too_few, name, {{"count", fewest}, {"needed", judged.metric.min_count}}, false});
    }
    of_kind();
    return reasons;
}

Standing::Standing(const Look& look, const Judged& judged, std::size_t index)
    : obstacles(detail::obstacles(look, judged, index, Blocks::promotion)), idle_share(judged.idle_share()) {
    if (!look.clock.watched()) return;
    const std::int64_t since =
        judged.last_used_ms.value_or(look.clock.start_ms ? look.clock.warmed_up_ms : *look.clock.watch_ms);
    age_seconds = seconds(std::max<std::int64_t>(0, *look.clock.now_ms - since));
    stale = age_seconds > seconds(effective_stale_after(look.plan));
}

}  // namespace detail
}  // namespace v0
}  // namespace serinus
