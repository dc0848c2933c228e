// Taking samples in, and turning them into intervals that are judged once.

#include <algorithm>
#include <cmath>
#include <limits>

#include <serinus/core/error.hpp>
#include <serinus/series/align.hpp>
#include <serinus/series/time.hpp>

#include "rollout/monitor_impl.hpp"

namespace serinus {
inline namespace v0 {
using detail::intervals_per_start;

namespace detail {

void require_time(const std::string& what, std::int64_t time_ms) {
    if (time_ms >= earliest_ms && time_ms <= latest_ms) return;
    raise(Code::data_timestamp, what + " " + std::to_string(time_ms) + " ms; allowed: the years 1 to 9999");
}

}  // namespace detail

void Monitor::Impl::check_batch(const Batch& batch) {
    for (const ArmSeries& part : batch.series) {
        const Series& series = part.series;
        if (series.times_ms.size() != series.values.size()) {
            raise(Code::argument_length, "series " + part.name + " has " + std::to_string(series.times_ms.size()) +
                                             " times and " + std::to_string(series.values.size()) +
                                             " values; allowed: as many of both");
        }
        for (const std::int64_t time : series.times_ms)
            detail::require_time("series " + part.name + " has a sample at", time);
    }
}

void Monitor::Impl::take(const Batch& batch) {
    for (const ArmSeries& part : batch.series) {
        const auto known = cumulative.find(part.name);
        const Series& series = part.series;
        if (known == cumulative.end()) {
            ignored += static_cast<std::int64_t>(series.times_ms.size());
            continue;
        }
        Track& track = tracks[TrackKey{part.name, part.arm, series.instance}];
        auto& newest = newest_ms[static_cast<std::size_t>(part.arm)];
        for (std::size_t i = 0; i < series.times_ms.size(); ++i) {
            const std::int64_t time = series.times_ms[i];
            const double value = series.values[i];
            if (std::isnan(value)) continue;  // the monitoring system had none
            newest = std::max(newest.value_or(time), time);
            watch_ms = std::min(watch_ms.value_or(time), time);
            // A scrape of a counter closes what came before it, so it belongs to the instant before.
            const std::int64_t belongs = time - (known->second ? 1 : 0);
            if (next > 0 && belongs < frontier_ms()) {
                (track.consumed_ms && time <= *track.consumed_ms ? repeated : late) += 1;
                continue;
            }
            const auto [at, fresh] = track.pending.emplace(time, value);
            if (!fresh) (at->second == value ? repeated : conflicts) += 1;
        }
    }
}

std::optional<std::int64_t> Monitor::Impl::newest() const {
    if (newest_ms[0] && newest_ms[1]) return std::max(*newest_ms[0], *newest_ms[1]);
    return newest_ms[0] ? newest_ms[0] : newest_ms[1];
}

void Monitor::Impl::find_start() {
    if (told_ms || next > 0) return;
    std::optional<std::int64_t> first;
    for (const auto& [key, track] : tracks) {
        if (std::get<Arm>(key) != Arm::canary || track.pending.empty()) continue;
        const std::int64_t time = track.pending.begin()->first;
        first = std::min(first.value_or(time), time);
    }
    if (first) start_ms = first;
}

void Monitor::Impl::forget_before_start() {
    if (start_ms || !now_ms) return;
    for (auto& [key, track] : tracks) pass_over(key, track, *now_ms - plan.settle_ms - plan.interval_ms);
}

void Monitor::Impl::pass_over(const TrackKey& key, Track& track, std::int64_t from) {
    const bool counter = cumulative.at(std::get<0>(key));
    while (!track.pending.empty() && track.pending.begin()->first - (counter ? 1 : 0) < from) consume(track, counter);
}

std::optional<double> Monitor::Impl::consume(Track& track, bool counter) {
    const auto [time, value] = *track.pending.begin();
    track.pending.erase(track.pending.begin());
    track.consumed_ms = time;
    return counter ? track.counter.next(time, value) : std::optional<double>(value);
}

bool Monitor::Impl::warming_up(Arm arm, const std::string& instance, std::int64_t from, std::int64_t to) const {
    for (const RestartState& restart : restarts) {
        if (restart.arm == arm && restart.instance == instance && from < restart.at_ms + plan.warm_up_ms &&
            to > restart.at_ms) {
            return true;
        }
    }
    return false;
}

void Monitor::Impl::judge_until(std::int64_t time) {
    if (!start_ms) return;
    const std::int64_t interval = plan.interval_ms;
    const std::int64_t complete = interval_index(time, *start_ms, interval);  // intervals [0, complete) have ended
    const std::int64_t warm = (plan.warm_up_ms + interval - 1) / interval;    // intervals [0, warm) are warm-up
    while (next < complete) {
        // A long silence is passed in one step.
        const std::int64_t jump = std::min(complete, first_pending_interval().value_or(complete));
        if (jump > next) {
            silence(std::max(next, warm), std::max(jump, warm), warm);
            for (detail::SloJudged& judged : slo) {
                for (std::int64_t i = next; i + 1 < jump && !judged.quiet(); ++i)
                    judged.alert(*start_ms + (i + 1) * interval);
                judged.alert(*start_ms + jump * interval);
            }
            next = jump;
            continue;
        }
        judge_interval(warm);
        ++next;
    }
    std::erase_if(restarts,
                  [&](const RestartState& restart) { return restart.at_ms + plan.warm_up_ms <= frontier_ms(); });
}

std::optional<std::int64_t> Monitor::Impl::last_pending_ms() const {
    std::optional<std::int64_t> last;
    for (const auto& [key, track] : tracks) {
        if (track.pending.empty()) continue;
        const std::int64_t time = track.pending.rbegin()->first - (cumulative.at(std::get<0>(key)) ? 1 : 0);
        last = std::max(last.value_or(time), time);
    }
    return last;
}

std::optional<std::int64_t> Monitor::Impl::first_pending_interval() const {
    std::optional<std::int64_t> first;
    for (const auto& [key, track] : tracks) {
        if (track.pending.empty()) continue;
        const std::int64_t time = track.pending.begin()->first - (cumulative.at(std::get<0>(key)) ? 1 : 0);
        const std::int64_t index = std::max(next, interval_index(time, *start_ms, plan.interval_ms));
        first = std::min(first.value_or(index), index);
    }
    return first;
}

void Monitor::Impl::silence(std::int64_t from, std::int64_t to, std::int64_t warm) {
    if (to <= from) return;
    const std::int64_t first = from + (intervals_per_start - (from - warm) % intervals_per_start) % intervals_per_start;
    const double weight = first < to ? next_weights((to - 1 - first) / intervals_per_start + 1) : 0;
    if (weight > 0) {
        for (detail::SloJudged& judged : slo) judged.begin(weight);
    }
    for (Judged& judged : metrics) {
        if (weight > 0) judged.begin(weight);
        judged.silence(to - from);
    }
    intervals += to - from;
    for (auto& count : missing) count += to - from;
}

double Monitor::Impl::next_weights(std::int64_t count) {
    std::int64_t& j = starts[static_cast<std::size_t>(stage)];
    const std::int64_t each = std::min<std::int64_t>(count, 1000);
    double weight = 0;
    for (std::int64_t i = 0; i < each; ++i) weight += sequential::start_weight(j + i);
    if (count > each) {
        // w_n = c n^-1.5, and the sum of n^-1.5 over n = a..b is at least the integral from a to b + 1.
        const auto a = static_cast<double>(j + each + 1), end = static_cast<double>(j + count + 1);
        const double c = sequential::start_weight(j + each) * a * std::sqrt(a);
        weight += 2 * c * (1 / std::sqrt(a) - 1 / std::sqrt(end));
    }
    j += count;
    return weight * detail::stage_weight(stage, plan.stages.size());
}

void Monitor::Impl::judge_interval(std::int64_t warm) {
    const std::int64_t from = frontier_ms(), to = from + plan.interval_ms;
    detail::Interval interval;
    for (auto& [key, track] : tracks) {
        pass_over(key, track, from);
        const auto& [series, arm, instance] = key;
        const bool counter = cumulative.at(series);
        const bool excluded = warming_up(arm, instance, from, to);
        while (!track.pending.empty() && track.pending.begin()->first - (counter ? 1 : 0) < to) {
            const std::optional<double> value = consume(track, counter);
            if (excluded) {
                if (interval.excused.empty() || interval.excused.back() != key) interval.excused.push_back(key);
                continue;
            }
            if (!value) continue;
            detail::Brought& of = interval.brought[key];
            of.sum += *value;
            of.samples += 1;
        }
    }
    const bool warming = next < warm;
    const bool starts_now = !warming && (next - warm) % intervals_per_start == 0;
    const double weight = starts_now ? next_weights(1) : 0;
    for (detail::SloJudged& judged : slo) {
        const Metric& metric = metric_of(judged.rule).metric;
        const std::array<detail::ProportionKind::Values, 2> arms{
            detail::ProportionKind::gather(interval, metric, Arm::baseline),
            detail::ProportionKind::gather(interval, metric, Arm::canary)};
        judged.watch(arms, warming, from, to);
        if (starts_now) judged.begin(weight);
        if (!warming) judged.update(arms, plan.stages[static_cast<std::size_t>(stage)].traffic);
    }
    for (Judged& judged : metrics) judged.listen(interval, from, warming);
    if (warming) return;
    if (starts_now) {
        for (Judged& judged : metrics) judged.begin(weight);
    }
    ++intervals;
    std::array<bool, 2> complete{true, true};
    for (Judged& judged : metrics) {
        const std::array<bool, 2> present = judged.update(interval, to);
        for (std::size_t arm = 0; arm < 2; ++arm) complete[arm] = complete[arm] && present[arm];
    }
    for (std::size_t arm = 0; arm < 2; ++arm) missing[arm] += complete[arm] ? 0 : 1;
    if (complete[0] && complete[1]) ++used;
    settle_verdicts();
}

}  // namespace v0
}  // namespace serinus
