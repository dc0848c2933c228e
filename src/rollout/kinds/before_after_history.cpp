// What history teaches of a metric without arms: how far it moves by itself after moments at which nothing happened.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "rollout/history.hpp"
#include "rollout/kinds/before_after.hpp"

namespace serinus {
inline namespace v0 {
namespace detail {
namespace {

constexpr std::size_t least_before = 12, most_before = 60;  // intervals
constexpr std::size_t most_starts = 600;
constexpr std::size_t told_quantiles = 200;
constexpr std::int64_t day_ms = 86'400'000;
constexpr std::int64_t times_of_day = 6;
constexpr std::size_t fewest_a_time = 30;

/// Sums of all intervals before one.
struct Sums {
    std::vector<double> parts{0}, wholes{0}, there{0};

    void add(double part, double whole, bool present) {
        parts.push_back(parts.back() + (present ? part : 0));
        wholes.push_back(wholes.back() + (present ? whole : 0));
        there.push_back(there.back() + (present ? 1 : 0));
    }
    std::size_t size() const { return parts.size() - 1; }
};

Sums sums_of(const History& history, const Metric& metric) {
    Sums sums;
    const auto& parts = history.values(metric).arms[0];
    if (parts.empty()) return sums;
    const bool counts = facts_of(metric.kind).counts;
    for (std::size_t i = 0; i < parts.begin()->second.size(); ++i) {
        double part = 0, whole = 0;
        for (const auto& [instance, column] : parts) {
            if (!std::isfinite(column[i])) continue;
            if (counts) {
                const auto& totals = history.totals(metric).arms[0];
                const auto of = totals.find(instance);
                if (of == totals.end() || !std::isfinite(of->second[i])) continue;
                whole += of->second[i];
            } else {
                whole += 1;
            }
            part += column[i];
        }
        const bool present = whole > 0;
        sums.add(counts ? part : part / std::max(whole, 1.0), counts ? whole : 1, present);
    }
    return sums;
}

/// What of distances is typical: their root mean square, without the largest hundredth.
double typical(std::vector<double> distances) {
    if (distances.empty()) return 0;
    for (double& distance : distances) distance = std::fabs(distance);
    std::sort(distances.begin(), distances.end());
    const double most = distances[static_cast<std::size_t>(0.99 * static_cast<double>(distances.size() - 1))];
    double squares = 0;
    for (const double distance : distances) squares += std::pow(std::min(distance, most), 2);
    return std::sqrt(squares / static_cast<double>(distances.size()));
}

/// Quantiles of values by the time of day they are of: at each level the most extreme time of day counts, so that
/// rollouts which always begin at the busiest hour are not judged by what the nights are like.
std::vector<double> envelope(const std::vector<double>& values, const std::vector<std::size_t>& times, bool upwards) {
    std::vector<std::vector<double>> groups(static_cast<std::size_t>(times_of_day));
    for (std::size_t i = 0; i < values.size(); ++i) groups[times[i]].push_back(values[i]);
    std::erase_if(groups, [](const auto& group) { return group.empty(); });
    const bool enough =
        std::all_of(groups.begin(), groups.end(), [](const auto& group) { return group.size() >= fewest_a_time; });
    if (!enough) groups.assign(1, values);
    std::vector<double> quantiles(
        told_quantiles, upwards ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity());
    for (auto& group : groups) {
        std::sort(group.begin(), group.end());
        for (std::size_t i = 0; i < told_quantiles; ++i) {
            const double at = static_cast<double>(i) / static_cast<double>(told_quantiles - 1) *
                              static_cast<double>(group.size() - 1);
            // Of a quantile between two values the one that is further out.
            const double value = group[static_cast<std::size_t>(upwards ? std::ceil(at) : std::floor(at))];
            quantiles[i] = upwards ? std::max(quantiles[i], value) : std::min(quantiles[i], value);
        }
    }
    return quantiles;
}

}  // namespace

void BeforeAfterKind::learn(Learning& learning) {
    const auto& [plan, metric, history, data, former, report, all, stage_done] = learning;
    const Sums sums = sums_of(history, metric);
    if (sums.size() == 0 || sums.there.back() == 0) return learning.say(Code::history_missing);
    const auto horizon = static_cast<std::size_t>(std::min(rollout_intervals(plan), 1e6));
    const std::size_t before = std::clamp(horizon / 2, least_before, most_before);
    const double independent = std::floor(static_cast<double>(sums.size()) / static_cast<double>(before + horizon));
    const double needed = std::ceil(1 / report.alpha);
    report.differences = sums.there.back();
    report.independent = independent;
    report.level = sums.parts.back() / sums.wholes.back();
    if (independent < needed) {
        return learning.say(Code::before_after_thin, {{"independent", independent},
                                                      {"needed", needed},
                                                      {"intervals", needed * static_cast<double>(before + horizon)}});
    }
    const BeforeAfterScale scale(metric, BeforeAfterScale::uses_logs(metric), BeforeAfterScale::floor_of(metric));
    const std::vector<std::size_t> windows = before_after_windows(horizon);
    const std::size_t room = sums.size() - before - horizon;
    const std::size_t wanted = std::min(most_starts, room + 1);
    const auto level = [&](std::size_t from, std::size_t to) {
        return scale.level(sums.parts[to] - sums.parts[from], sums.wholes[to] - sums.wholes[from]);
    };

    struct Start {
        std::size_t at = 0;
        double before = 0;
    };
    std::vector<Start> starts;
    std::vector<std::size_t> times;
    for (std::size_t i = 0; i < wanted; ++i) {
        const std::size_t at = before + (wanted > 1 ? i * room / (wanted - 1) : 0);
        const double there = sums.there[at] - sums.there[at - before];
        const double old = level(at - before, at);
        if (2 * there < static_cast<double>(before) || std::isnan(old)) continue;
        starts.push_back({at, old});
        const std::int64_t ms = *history.first_ms() + static_cast<std::int64_t>(at) * plan.interval.count();
        times.push_back(static_cast<std::size_t>((ms % day_ms + day_ms) % day_ms * times_of_day / day_ms));
    }
    if (starts.empty()) return learning.say(Code::history_missing);

    // Every few intervals are enough to know what is typical.
    const std::size_t step = std::max<std::size_t>(1, horizon / 100);
    BeforeAfterNoise noise;
    for (const std::size_t window : windows) {
        std::vector<double> distances;
        for (const Start& start : starts) {
            for (std::size_t t = window; t <= horizon; t += step) {
                const double d = scale.distance(start.before, level(start.at + t - window, start.at + t));
                if (std::isfinite(d)) distances.push_back(d);
            }
        }
        noise.scales.push_back(typical(std::move(distances)));
    }
    const double least = *std::max_element(noise.scales.begin(), noise.scales.end()) * 1e-6;
    if (!(least > 0)) return learning.say(Code::history_constant);
    for (double& of : noise.scales) of = std::max(of, least);

    std::vector<double> highest, lowest;
    std::vector<std::size_t> kept;
    for (std::size_t i = 0; i < starts.size(); ++i) {
        double most = -std::numeric_limits<double>::infinity(), fewest = std::numeric_limits<double>::infinity();
        for (std::size_t w = 0; w < windows.size(); ++w) {
            for (std::size_t t = windows[w]; t <= horizon; ++t) {
                const double d =
                    scale.distance(starts[i].before, level(starts[i].at + t - windows[w], starts[i].at + t)) /
                    noise.scales[w];
                if (!std::isfinite(d)) continue;
                most = std::max(most, d);
                // Of both directions the distance at the margin's edge may lie on either side of it.
                fewest = std::min(fewest, metric.harm == Harm::either ? -d : d);
            }
        }
        if (!std::isfinite(most)) continue;
        highest.push_back(most);
        lowest.push_back(fewest);
        kept.push_back(times[i]);
    }
    if (highest.empty()) return learning.say(Code::history_missing);
    noise.before = static_cast<double>(before);
    noise.horizon = static_cast<double>(horizon);
    noise.starts = static_cast<double>(highest.size());
    noise.independent = independent;
    noise.highest = envelope(highest, kept, true);
    noise.lowest = envelope(lowest, kept, false);
    noise.logs = BeforeAfterScale::uses_logs(metric);
    noise.floor = BeforeAfterScale::floor_of(metric);

    // Played at the moments themselves: how many would have been held.
    double held = 0;
    for (const double most : highest) {
        const auto beyond = noise.highest.end() - std::lower_bound(noise.highest.begin(), noise.highest.end(), most);
        const double share = static_cast<double>(beyond) / static_cast<double>(noise.highest.size());
        held += (1 + independent * share) / (independent + 1) <= report.alpha ? 1 : 0;
    }
    learning.say(Code::before_after_learned, {{"starts", noise.starts},
                                              {"independent", independent},
                                              {"before", noise.before},
                                              {"horizon", noise.horizon},
                                              {"share", held / noise.starts}});
    stage_done();
    report.learned = true;
    all.noise[metric.name].before_after = std::move(noise);
}

}  // namespace detail
}  // namespace v0
}  // namespace serinus
