#pragma once
/// \file
/// How often does a gauge leave its own usual level by far? What a median does not see: spikes, and a wider spread.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <serinus/core/error.hpp>
#include <serinus/core/evidence.hpp>
#include <serinus/core/text.hpp>
#include <serinus/core/words.hpp>
#include <serinus/numeric/student.hpp>
#include <serinus/rollout/noise.hpp>
#include <serinus/sequential/noise/count_dispersion.hpp>
#include <serinus/sequential/proportion.hpp>

namespace serinus {
inline namespace v0 {

/// Part of a gauge's alpha that its spikes have; the level has the rest.
inline constexpr double spikes_alpha = 0.2;

/// An increase of the share of intervals with a spike that a gauge must have ruled out before it passes.
inline constexpr double spikes_worth_seeing = 0.10;

inline double SpikeNoise::own(double error) const {
    const double between =
        deviation > 0 ? student_quantile(std::min(error, 0.5), instances - 1) * deviation * std::sqrt(spread) : 0;
    return difference + between;
}

inline double SpikeNoise::dispersion(double error) const {
    if (!(degrees_of_freedom > 0)) return std::max(variance_ratio, 1.0);
    return std::max(variance_ratio * sequential::dispersion_factor(degrees_of_freedom, error), 1.0);
}

/// The last readings of one instance, and the usual level that they make: their median.
class UsualLevel {
  public:
    static constexpr std::size_t most = 15;   ///< readings: enough for a steady median, few enough to follow a drift
    static constexpr std::size_t fewest = 5;  ///< readings before there is a level at all

    /// The median of the readings so far; of an even number the upper one.
    std::optional<double> level() const {
        const std::size_t n = recent_.size();
        if (n < fewest) return std::nullopt;
        std::array<double, most> sorted{};
        std::copy(recent_.begin(), recent_.end(), sorted.begin());
        const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(n / 2);
        std::nth_element(sorted.begin(), middle, sorted.begin() + static_cast<std::ptrdiff_t>(n));
        return *middle;
    }

    void add(double reading) {
        if (recent_.size() < most) {
            recent_.push_back(reading);
        } else {
            recent_[next_] = reading;
        }
        next_ = (next_ + 1) % most;
    }

    /// The readings, the oldest first.
    std::vector<double> readings() const {
        std::vector<double> out = recent_;
        if (out.size() == most) std::rotate(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(next_), out.end());
        return out;
    }

  private:
    std::vector<double> recent_;
    std::size_t next_ = 0;
};

/// Counts the spikes of two arms, interval by interval.
///
/// Answers: in how many of their readings do the instances of an arm leave their own usual level by more than `excess`?
/// The usual level of an instance is the median of its last 15 readings before this one (of at least 5). So neither a
/// drift of everything, nor what instances differ by, nor a harm of the level is a spike: the level is what PairedTest
/// judges. What is left is harm in fewer than half of the intervals, and a wider spread.
///
/// Formula: a baseline's reading x is a spike when x - m > excess, m its instance's usual level. A canary's is one when
/// x - m > excess *and* x lies beyond the margin of what would be a spike in the baseline, x - M > excess + d: M the
/// median of the baseline instances' usual levels, d the margin. So what the margin allows is never held against the
/// canary. With a ratio margin r all of this is on natural logarithms, d = log r. `harm = decrease` turns the
/// signs, `either` counts both directions.
///
/// Under the null hypothesis, canary instances that read like baseline instances times the margin, or like baseline
/// instances moved by what instances differ by, the canary's share of spikes is at most the baseline's whatever the
/// law, its dependence and its drift; dependence makes the counts bunch, for which `SpikeNoise::dispersion` is.
/// Readings that are no number count for nothing; with a ratio margin one of 0 or below lies below everything. Cost of
/// an interval: O(log instances) an instance, and a median of 15 readings. Memory: O(instances), 15 readings each.
class SpikeCounter {
  public:
    using Reading = std::pair<std::string_view, double>;  ///< instance, value

    struct Counts {
        Proportion baseline, canary;  ///< spikes of readings
    };

    SpikeCounter(double excess, Harm harm, const Margin& margin)
        : excess_(excess),
          harm_(harm),
          logs_(margin.ratio.has_value()),
          allowed_(margin.ratio ? std::log(*margin.ratio) : margin.difference.value_or(0)) {}

    /// One interval's readings of the instances that have any.
    Counts next(std::span<const Reading> baseline, std::span<const Reading> canary) {
        Counts counts;
        std::vector<double> levels;
        for (const auto& [instance, value] : baseline) {
            const double reading = scaled(value, logs_);
            if (std::isnan(reading)) continue;
            UsualLevel& usual = at(Arm::baseline, instance);
            if (const auto level = usual.level()) {
                levels.push_back(*level);
                ++counts.baseline.total;
                counts.baseline.bad += beyond(reading, *level, excess_, harm_) ? 1 : 0;
            }
            usual.add(reading);
        }
        const std::optional<double> common = middle(levels);
        for (const auto& [instance, value] : canary) {
            const double reading = scaled(value, logs_);
            if (std::isnan(reading)) continue;
            UsualLevel& usual = at(Arm::canary, instance);
            if (const auto level = usual.level(); level && common) {
                ++counts.canary.total;
                counts.canary.bad += canary_spike(reading, *level, *common, excess_, allowed_, harm_) ? 1 : 0;
            }
            usual.add(reading);
        }
        return counts;
    }

    /// The scale that spikes are told on.
    static double scaled(double value, bool logs) {
        if (!logs || std::isnan(value)) return value;
        return value > 0 ? std::log(value) : -std::numeric_limits<double>::infinity();
    }
    /// Further than `reach` from a level, in the direction of harm.
    static bool beyond(double reading, double level, double reach, Harm harm) {
        return (harm != Harm::decrease && reading > level + reach) ||
               (harm != Harm::increase && reading < level - reach);
    }
    static bool canary_spike(double reading, double own, double common, double excess, double allowed, Harm harm) {
        const auto both = [&](Harm direction) {
            return beyond(reading, own, excess, direction) && beyond(reading, common, excess + allowed, direction);
        };
        return (harm != Harm::decrease && both(Harm::increase)) || (harm != Harm::increase && both(Harm::decrease));
    }
    /// The median, of an even number the upper one; none of none.
    static std::optional<double> middle(std::vector<double>& values) {
        if (values.empty()) return std::nullopt;
        const auto at = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
        std::nth_element(values.begin(), at, values.end());
        return *at;
    }

    using Levels = std::map<std::string, UsualLevel, std::less<>>;
    const std::array<Levels, 2>& levels() const noexcept { return levels_; }
    UsualLevel& at(Arm arm, std::string_view instance) {
        Levels& known = levels_[static_cast<std::size_t>(arm)];
        const auto found = known.find(instance);
        return found != known.end() ? found->second : known.emplace(std::string(instance), UsualLevel{}).first->second;
    }
    void clear() { levels_ = {}; }

  private:
    double excess_;
    Harm harm_;
    bool logs_;
    double allowed_;
    std::array<Levels, 2> levels_;
};

}  // namespace v0
}  // namespace serinus
