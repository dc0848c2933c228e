// Where the baseline of a metric has been in history, which is where it may be in a rollout.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "rollout/baseline_watch.hpp"
#include "rollout/history.hpp"

namespace serinus {
inline namespace v0 {
namespace detail {
namespace {

constexpr std::size_t fewest_windows = 100;

/// Means over so many intervals with data, each interval the last of one, in time order.
std::vector<double> means_of(const std::vector<const Column*>& parts, const std::vector<const Column*>& wholes) {
    std::vector<double> sums, bases, means;
    for (std::size_t i = 0; i < parts.front()->size(); ++i) {
        double sum = 0, base = 0;
        for (std::size_t own = 0; own < parts.size(); ++own) {
            const double part = (*parts[own])[i];
            const double whole = wholes.empty() ? 1 : (*wholes[own])[i];
            if (!std::isfinite(part) || !(whole > 0) || !std::isfinite(whole)) continue;
            sum += part;
            base += whole;
        }
        if (!(base > 0)) continue;
        // Of a gauge an interval is the mean of its instances, and counts as one.
        sums.push_back(wholes.empty() ? sum / base : sum);
        bases.push_back(wholes.empty() ? 1 : base);
    }
    for (std::size_t i = baseline_window; i <= sums.size(); ++i) {
        double sum = 0, base = 0;
        for (std::size_t j = i - baseline_window; j < i; ++j) {
            sum += sums[j];
            base += bases[j];
        }
        means.push_back(sum / base);
    }
    return means;
}

/// The range of means, the quartiles' distance beyond the extremes.
std::optional<BaselineRange> range_of(std::vector<double> means) {
    if (means.size() < fewest_windows) return std::nullopt;
    std::sort(means.begin(), means.end());
    const double n = static_cast<double>(means.size());
    const double quartiles = means[static_cast<std::size_t>(0.75 * n)] - means[static_cast<std::size_t>(0.25 * n)];
    // What mostly stands still has no distance between its quartiles.
    const double reach = quartiles > 0 ? quartiles : means.back() - means.front();
    const double rounding = 1e-9 * std::max(std::fabs(means.front()), std::fabs(means.back()));
    return BaselineRange{.lower = means.front() - reach - rounding,
                         .upper = means.back() + reach + rounding,
                         .window = static_cast<double>(baseline_window),
                         .windows = n};
}

}  // namespace

void learn_baseline(const Learning& learning) {
    const auto noise = learning.all.noise.find(learning.metric.name);
    if (noise == learning.all.noise.end() || noise->second.refuted || learning.metric.arm == MetricArm::none) return;
    const KindFacts& facts = facts_of(learning.metric.kind);
    std::vector<const Column*> parts, wholes;
    for (const auto& [instance, column] : learning.history.values(learning.metric).arms[0]) {
        if (facts.counts) {
            const auto& totals = learning.history.totals(learning.metric).arms[0];
            const auto whole = totals.find(instance);
            if (whole == totals.end()) continue;
            wholes.push_back(&whole->second);
        }
        parts.push_back(&column);
    }
    if (parts.empty()) return;
    if (!facts.counts) {
        const auto span = static_cast<std::int64_t>(parts.front()->size()) * learning.plan.interval;
        if (span < baseline_history) {
            const auto seconds = [](std::chrono::milliseconds length) {
                return static_cast<double>(length.count()) / 1000;
            };
            return learning.say(Code::baseline_range_short,
                                {{"have", seconds(span)}, {"needed", seconds(baseline_history)}});
        }
    }
    const bool pair = !learning.history.values(learning.metric).arms[1].empty();
    // A rollout's baseline may be fewer instances than history's; of each such choice the range counts.
    std::vector<std::vector<std::size_t>> choices;
    if (!pair && parts.size() > 1) {
        for (const Stage& stage : learning.plan.stages) {
            for (const Turn& turn : turns_of(parts.size(), stage.traffic)) choices.push_back(turn.baseline);
        }
    } else {
        choices.emplace_back();
        for (std::size_t i = 0; i < parts.size(); ++i) choices.back().push_back(i);
    }
    std::vector<double> all, first, second;
    for (const auto& choice : choices) {
        std::vector<const Column*> own, of;
        for (const std::size_t i : choice) {
            own.push_back(parts[i]);
            if (!wholes.empty()) of.push_back(wholes[i]);
        }
        const std::vector<double> means = means_of(own, of);
        const auto half = means.begin() + static_cast<std::ptrdiff_t>(means.size() / 2);
        all.insert(all.end(), means.begin(), means.end());
        first.insert(first.end(), means.begin(), half);
        second.insert(second.end(), half, means.end());
    }
    const auto range = range_of(all);
    if (!range) return;
    double beyond = 0;
    if (const auto before = range_of(first)) {
        for (const double mean : second) beyond += mean < before->lower || mean > before->upper ? 1 : 0;
    }
    const auto [lowest, highest] = std::minmax_element(all.begin(), all.end());
    learning.say(Code::baseline_range, {{"lowest", *lowest},
                                        {"highest", *highest},
                                        {"windows", range->windows},
                                        {"window", range->window},
                                        {"lower", range->lower},
                                        {"upper", range->upper},
                                        {"share", second.empty() ? 0 : beyond / static_cast<double>(second.size())}});
    noise->second.baseline = range;
}

}  // namespace detail
}  // namespace v0
}  // namespace serinus
