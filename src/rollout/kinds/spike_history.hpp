#pragma once
/// \file
/// The spikes of a gauge in history: what `calibrate` learns of them, and how that does on what it has not seen;
/// inside the library only.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <optional>
#include <vector>

#include <serinus/rollout/plan.hpp>
#include <serinus/rollout/spikes.hpp>
#include <serinus/sequential/noise/count_dispersion.hpp>
#include <serinus/sequential/proportion.hpp>
#include <serinus/sequential/start_mixture.hpp>
#include <serinus/series/dependence.hpp>

#include "rollout/history.hpp"
#include "rollout/kinds/floored.hpp"
#include "rollout/kinds/spike_watch.hpp"

namespace serinus {
inline namespace v0 {
namespace detail {

/// Readings of instances over history, with the usual level of each before every reading.
class SpikeHistory {
  public:
    /// One value an interval and instance, NaN where there is none; all of one length.
    SpikeHistory(const std::vector<const std::vector<double>*>& instances, const Metric& metric)
        : harm_(metric.harm), logs_(metric.margin.ratio.has_value()) {
        std::optional<FloorLine> floor;
        if (FloorLine::of(metric)) floor.emplace(metric.margin, metric.harm);
        for (const auto* const column : instances) {
            auto& readings = readings_.emplace_back();
            auto& levels = levels_.emplace_back();
            UsualLevel usual;
            for (const double value : *column) {
                const double reading = SpikeCounter::scaled(floor ? floor->baseline(value) : value, logs_);
                readings.push_back(reading);
                levels.push_back(std::isnan(reading) ? nothing : usual.level().value_or(nothing));
                if (std::isnan(reading)) continue;
                usual.add(reading);
                if (!logs_) magnitude_ = std::max(magnitude_, std::fabs(reading));
            }
        }
        if (logs_) magnitude_ = 1;
    }

    std::size_t size() const { return readings_.empty() ? 0 : readings_.front().size(); }

    /// The counts of every interval, as SpikeCounter gives them on the margin's edge.
    std::vector<SpikeCounter::Counts> counts(double excess, const Turn& turn) const {
        std::vector<SpikeCounter::Counts> found(size());
        std::vector<double> around;
        for (std::size_t i = 0; i < size(); ++i) {
            around.clear();
            for (const std::size_t own : turn.baseline) {
                if (std::isnan(levels_[own][i])) continue;
                around.push_back(levels_[own][i]);
                ++found[i].baseline.total;
                found[i].baseline.bad += spike(own, i, excess) ? 1 : 0;
            }
            const auto common = SpikeCounter::middle(around);
            if (!common) continue;
            for (const std::size_t own : turn.canary) {
                if (std::isnan(levels_[own][i])) continue;
                ++found[i].canary.total;
                const bool is =
                    SpikeCounter::canary_spike(readings_[own][i], levels_[own][i], *common, excess, 0, harm_);
                found[i].canary.bad += is ? 1 : 0;
            }
        }
        return found;
    }

    /// What the first `end` intervals teach; none where they do not tell how far a reading usually is from its level.
    std::optional<SpikeNoise> learn(std::size_t end, const std::vector<Turn>& turns, bool pair) const {
        SpikeNoise noise;
        std::vector<double> distances;
        for (std::size_t own = 0; own < readings_.size(); ++own) {
            for (std::size_t i = 0; i < end; ++i) {
                if (std::isnan(levels_[own][i])) continue;
                const double d = readings_[own][i] - levels_[own][i];
                // Both at minus infinity: a logarithm of what is not positive, twice.
                const double distance = std::isnan(d) ? 0 : harm_ == Harm::either ? std::fabs(d) : d;
                distances.push_back(harm_ == Harm::decrease ? -distance : distance);
            }
        }
        if (distances.empty()) return std::nullopt;
        constexpr double quantile = 0.95;
        const auto at =
            distances.begin() + static_cast<std::ptrdiff_t>(quantile * static_cast<double>(distances.size()));
        std::nth_element(distances.begin(), at, distances.end());
        // Readings on a grid lie on the quantile itself; rounding must not decide on which side.
        noise.excess = std::max(*at, 0.0) * (1 + 1e-9) + 1e-12 * magnitude_;
        if (!(noise.excess > 0) || !std::isfinite(noise.excess)) return std::nullopt;

        double sum = 0, squares = 0, sampling = 0;
        std::vector<double> shares;
        for (std::size_t own = 0; own < readings_.size(); ++own) {
            std::vector<double> flags;
            for (std::size_t i = 0; i < end; ++i) {
                if (!std::isnan(levels_[own][i])) flags.push_back(spike(own, i, noise.excess) ? 1 : 0);
            }
            const Dependence known = dependence(flags);
            if (!(known.n > 1)) return std::nullopt;
            shares.push_back(known.mean);
            sum += known.mean;
            squares += known.mean * known.mean;
            sampling += known.long_run_variance() / known.n;
            noise.size = std::max(noise.size, known.n);
        }
        const auto k = static_cast<double>(shares.size());
        noise.share = sum / k;
        if (pair) {
            double canary = 0, baseline = 0;
            for (const std::size_t i : turns.front().canary) canary += shares[i];
            for (const std::size_t i : turns.front().baseline) baseline += shares[i];
            noise.difference = std::max(0.0, canary / static_cast<double>(turns.front().canary.size()) -
                                                 baseline / static_cast<double>(turns.front().baseline.size()));
        } else {
            noise.instances = k;
            noise.deviation = std::sqrt(std::max(0.0, (squares - sum * sum / k) / (k - 1) - sampling / k));
            noise.spread = 1 / static_cast<double>(turns.front().canary.size()) +
                           1 / static_cast<double>(turns.front().baseline.size());
        }
        double fewest = std::numeric_limits<double>::infinity();
        std::vector<sequential::LearnedDispersion> learned;
        for (const Turn& turn : turns) {
            sequential::CountDispersion division;
            const auto all = counts(noise.excess, turn);
            for (std::size_t i = 0; i < end; ++i) {
                division.add(static_cast<double>(all[i].baseline.bad), static_cast<double>(all[i].baseline.total),
                             static_cast<double>(all[i].canary.bad), static_cast<double>(all[i].canary.total));
            }
            learned.push_back(division.learned());
            fewest = std::min(fewest, division.events());
        }
        const sequential::LearnedDispersion mean = mean_of_turns(learned);
        noise.variance_ratio = mean.variance_ratio;
        noise.degrees_of_freedom = mean.degrees_of_freedom;
        // Slow swings count where they show beyond chance: twelve of them average more in 1 % of independent series.
        constexpr double beyond_chance = 2.2;
        double slow = 0;
        for (const double swing : mean.slow) slow += swing / static_cast<double>(mean.slow.size());
        if (slow > beyond_chance * mean.single_ratio) noise.variance_ratio = std::max(noise.variance_ratio, slow);
        if (fewest < sequential::CountDispersion::few_events)
            noise.variance_ratio = std::max(noise.variance_ratio, 2.0);
        return noise;
    }

  private:
    static constexpr double nothing = std::numeric_limits<double>::quiet_NaN();

    bool spike(std::size_t own, std::size_t i, double excess) const {
        return SpikeCounter::beyond(readings_[own][i], levels_[own][i], excess, harm_);
    }

    Harm harm_;
    bool logs_;
    double magnitude_ = 0;
    std::vector<std::vector<double>> readings_, levels_;
};

}  // namespace detail
}  // namespace v0
}  // namespace serinus
