#pragma once
/// \file
/// What history teaches about the noise of a gauge: how two arms that run the same version differ.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <serinus/core/error.hpp>
#include <serinus/core/order.hpp>
#include <serinus/core/reason.hpp>
#include <serinus/core/special.hpp>
#include <serinus/core/student.hpp>
#include <serinus/series/dependence.hpp>

namespace serinus {
inline namespace v0 {
namespace sequential {

/// The noise of `pseudo-canary - baseline`, both running the same version, at one split of the traffic. Numbers are in
/// the gauge's unit unless said; multiply the unit by a factor and all of them follow.
struct PairedNoise {
    std::vector<double> table;  ///< ascending quantiles of |difference - offset|, at most 256
    double offset = 0;          ///< median difference: what the canary's arm reads more than the baseline's by itself
    double mean_score = 0;      ///< mean of history's own scores (no unit)
    double long_run_variance = 0;   ///< of the scores (no unit)
    double degrees_of_freedom = 0;  ///< of that variance
    double size = 0;                ///< differences of one pseudo-canary in history
    double resolution = 0;          ///< differences up to this are rounding errors
    double level = 0;               ///< the baseline's mean; for a difference of 5 % to be known as such
    double instances_baseline = 0;  ///< instances that each arm of history averaged; 0: not known
    double instances_canary = 0;
    double instance_deviation = 0;  ///< standard deviation between instances (tau)
    double instances = 0;           ///< instances that it was measured on; 0: not known, and not used
    double wander = 0;          ///< standard deviation of an offset that drifts too slowly for the scores; 0: none seen
    double wander_degrees = 0;  ///< of freedom, of that deviation

    static constexpr std::size_t most = 256;  ///< points of the table

    /// The signed rank of a difference (offset subtracted) within history's: sign x share of history's |differences|
    /// below it, in (-1, 1); differences within 1e-9 of a quantile, or closer than `resolution`, are ties and count
    /// half. So a change of unit, which rounds, changes no score.
    double score(double difference) const noexcept {
        const Ties ties = ties_of(difference);
        if (!ties.counts) return 0;
        const double* low = table.data();
        // Branch-free: the compiler makes conditional moves of it.
        for (std::size_t left = table.size(); left > 0;) {
            const std::size_t half = (left + 1) / 2;
            low += low[half - 1] < ties.from ? half : 0;
            left -= half;
        }
        const auto below = static_cast<std::size_t>(low - table.data());
        std::size_t at_most = below;
        while (at_most < table.size() && table[at_most] <= ties.to) ++at_most;
        return score_at(difference, below, at_most);
    }

    /// A typical |difference|: its median; the mean where most differences are none.
    double scale() const noexcept {
        const double median = table.empty() ? 0 : table[table.size() / 2];
        if (median > resolution) return median;
        double sum = 0;
        for (const double value : table) sum += value;
        return table.empty() ? 0 : sum / static_cast<double>(table.size());
    }

    /// Upper 90 % confidence bound of the long-run variance over its estimate, by chi-square.
    double variance_bound() const {
        const double quantile = 2 * incomplete_gamma_inverse(degrees_of_freedom / 2, 0.1);
        return quantile > 0 ? std::max(1.0, degrees_of_freedom / quantile) : std::numeric_limits<double>::infinity();
    }

    /// How far apart the arms may read by themselves with probability 1 - alpha on one side, for `spread` = 1/k_b +
    /// 1/k_c instances: Student's t of tau sqrt(spread) on instances - 1 degrees of freedom, since tau is estimated,
    /// and of the wander on its own; squares added.
    double reach(double alpha, double spread) const {
        const double between = instance_deviation > 0 ? student_quantile(alpha, instances - 1) * instance_deviation : 0;
        const double slow = wander > 0 ? student_quantile(alpha, wander_degrees) * wander : 0;
        return std::sqrt(between * between * spread + slow * slow);
    }

    friend bool operator==(const PairedNoise&, const PairedNoise&) = default;

    /// What counts as equal to a |difference|.
    struct Ties {
        bool counts;
        double from, to;
    };
    Ties ties_of(double difference) const noexcept {
        constexpr double tie = 1e-9;
        const double size_of = std::fabs(difference);
        return {size_of > resolution, size_of * (1 - tie) - resolution, size_of * (1 + tie) + resolution};
    }
    /// From how many of the table lie below a |difference| and its ties, and how many at most at them.
    double score_at(double difference, std::size_t below, std::size_t at_most) const noexcept {
        const double rank = (static_cast<double>(below + at_most) / 2 + 0.5) / static_cast<double>(table.size() + 1);
        return difference > 0 ? rank : -rank;
    }
};

/// The scores of many differences at once, to the bit those of `PairedNoise::score`: the searches of up to 64 go side
/// by side, without branches, in a tenth of the time.
class ScoreTable {
  public:
    static constexpr std::size_t most = 64;

    ScoreTable() = default;
    explicit ScoreTable(const PairedNoise& noise) : size_(noise.table.size()) {
        padded_.fill(std::numeric_limits<double>::infinity());
        std::copy(noise.table.begin(), noise.table.end(), padded_.begin());
    }

    /// Overwrites `differences` (at most 64) with their scores; `noise` is that of the constructor.
    void score(const PairedNoise& noise, std::span<double> differences) const noexcept {
        std::array<double, most> from{};
        std::array<std::uint32_t, most> at{};
        const std::size_t n = differences.size();
        for (std::size_t j = 0; j < n; ++j) from[j] = noise.ties_of(differences[j]).from;
        for (std::uint32_t step = PairedNoise::most / 2; step > 0; step /= 2) {
            for (std::size_t j = 0; j < n; ++j) at[j] += step * (padded_[at[j] + step - 1] < from[j] ? 1U : 0U);
        }
        for (std::size_t j = 0; j < n; ++j) {
            const PairedNoise::Ties ties = noise.ties_of(differences[j]);
            std::size_t below = at[j] + (padded_[at[j]] < ties.from ? 1U : 0U), above = below;
            while (above < size_ && padded_[above] <= ties.to) ++above;
            differences[j] = ties.counts ? noise.score_at(differences[j], below, above) : 0;
        }
    }

  private:
    std::array<double, PairedNoise::most> padded_{};
    std::size_t size_ = 0;
};

/// The numbers of a noise by name, without its table: `visit(name, number)`.
template <class Noise, class Visitor>
void for_each_number(Noise& noise, Visitor&& visit) {
    visit("offset", noise.offset);
    visit("mean_score", noise.mean_score);
    visit("long_run_variance", noise.long_run_variance);
    visit("degrees_of_freedom", noise.degrees_of_freedom);
    visit("size", noise.size);
    visit("resolution", noise.resolution);
    visit("level", noise.level);
    visit("instances_baseline", noise.instances_baseline);
    visit("instances_canary", noise.instances_canary);
    visit("instance_deviation", noise.instance_deviation);
    visit("instances", noise.instances);
    visit("wander", noise.wander);
    visit("wander_degrees", noise.wander_degrees);
}

/// What makes a noise unusable.
struct NoiseDefect {
    std::string field;
    std::string value;
    std::string allowed;
};

/// The first field of a noise that cannot be; none when it is sound.
inline std::optional<NoiseDefect> defect(const PairedNoise& noise) {
    const auto amount = [](double value) { return value >= 0 && std::isfinite(value); };
    const auto above = [](double value) { return value > 0 && std::isfinite(value); };
    std::optional<NoiseDefect> found;
    const auto require = [&](bool good, std::string_view field, double value, std::string_view allowed) {
        if (!good && !found) found = NoiseDefect{std::string(field), given_text(value), std::string(allowed)};
    };
    require(!noise.table.empty() && noise.table.size() <= PairedNoise::most, "table", double(noise.table.size()),
            "1 to 256 numbers");
    for (std::size_t i = 0; i < noise.table.size() && !found; ++i) {
        if (amount(noise.table[i]) && (i == 0 || noise.table[i - 1] <= noise.table[i])) continue;
        require(false, "table[" + std::to_string(i) + "]", noise.table[i], "0 or more, ascending, finite");
    }
    require(std::isfinite(noise.offset), "offset", noise.offset, "a finite number");
    require(std::fabs(noise.mean_score) < 1, "mean_score", noise.mean_score, "above -1, below 1");
    require(above(noise.long_run_variance), "long_run_variance", noise.long_run_variance, "above 0, finite");
    require(above(noise.degrees_of_freedom), "degrees_of_freedom", noise.degrees_of_freedom, "above 0, finite");
    require(noise.size >= 1 && std::isfinite(noise.size), "size", noise.size, "at least 1, finite");
    require(amount(noise.resolution), "resolution", noise.resolution, "0 or more, finite");
    require(std::isfinite(noise.level), "level", noise.level, "a finite number");
    require(amount(noise.instances_baseline), "instances_baseline", noise.instances_baseline, "0 or more, finite");
    require(amount(noise.instances_canary), "instances_canary", noise.instances_canary, "0 or more, finite");
    require(amount(noise.instance_deviation), "instance_deviation", noise.instance_deviation, "0 or more, finite");
    require(noise.instances == 0 || (noise.instances >= 2 && std::isfinite(noise.instances)), "instances",
            noise.instances, "0 (not known), or at least 2");
    require(amount(noise.wander), "wander", noise.wander, "0 or more, finite");
    require(amount(noise.wander_degrees) && (noise.wander == 0 || noise.wander_degrees >= 1), "wander_degrees",
            noise.wander_degrees, "at least 1 where there is a wander, finite");
    require(noise.instance_deviation == 0 || noise.instances >= 2, "instances", noise.instances,
            "at least 2 where there is an instance_deviation");
    return found;
}

/// Noise from history's A/A differences.
///
/// Answers: how large are the differences between two arms that run the same version, and how long do they last? Taken
/// from the same split of traffic as the rollout's stage: baseline against baseline is not the noise of a 1 % canary.
///
/// Formula: d - offset, offset the median over everything (with `centred`: each pseudo-canary's own median, since what
/// instances differ by is kept apart, as tau); the table: order statistics of |d - offset| at (j + 1/2)/256; scores of
/// history by that table; their mean; their long-run variance by the minimum rule (series/dependence.hpp), averaged
/// over the pseudo-canaries; degrees of freedom = effective points - 1.
///
/// `differences`: one series a pseudo-canary, in time order, finite. `magnitude`: the largest |value| they came from.
/// Returns a noise whose `instance...` fields and `level` are for the caller to fill in. Too few points (fewer than 6
/// effective ones), or differences that are all alike: `degrees_of_freedom` 0 and nothing may be decided with it.
/// Raises `serinus.argument.nan/infinite`. Cost: a sort; 10,000 points 0.7 ms.
inline PairedNoise paired_noise(std::span<const std::vector<double>> differences, double magnitude, bool centred) {
    PairedNoise noise;
    noise.resolution = magnitude * 1e-12;
    const auto median_of = [](std::vector<double> values) {
        if (values.empty()) return 0.0;
        const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
        std::nth_element(values.begin(), middle, values.end());
        return *middle;
    };
    std::vector<double> all;
    for (const auto& series : differences) all.insert(all.end(), series.begin(), series.end());
    if (all.empty()) return noise;
    for (const double value : all) {
        if (!std::isfinite(value))
            raise(std::isnan(value) ? Code::argument_nan : Code::argument_infinite,
                  std::string("differences hold ") + (std::isnan(value) ? "a NaN" : "an infinite value") +
                      "; allowed: finite numbers");
    }
    const double common = median_of(all);
    std::vector<std::vector<double>> rest(differences.begin(), differences.end());
    all.clear();
    for (auto& series : rest) {
        const double own = centred ? median_of(series) : common;
        for (double& value : series) {
            value -= own;
            all.push_back(std::fabs(value));
        }
        noise.size = std::max(noise.size, static_cast<double>(series.size()));
    }
    if (!centred) noise.offset = common;
    sort_ascending(all);
    const std::size_t points = std::min(all.size(), PairedNoise::most);
    for (std::size_t j = 0; j < points; ++j) noise.table.push_back(all[(2 * j + 1) * all.size() / (2 * points)]);

    double sum = 0, count = 0, variance = 0, effective = 0;
    for (auto& series : rest) {
        for (double& value : series) {
            value = noise.score(value);
            sum += value;
        }
        count += static_cast<double>(series.size());
        const Dependence known = dependence(series);
        variance += known.long_run_variance();
        effective += known.n_effective;
    }
    const auto of = static_cast<double>(rest.size());
    noise.mean_score = sum / count;
    noise.long_run_variance = variance / of;
    if (noise.long_run_variance > 0 && effective / of >= Dependence::fewest)
        noise.degrees_of_freedom = effective / of - 1;

    // Slow wandering: arms that drift apart over days leave no trace in the first lags. Where the scores' block means
    // vary more than the long-run variance allows (beyond the 99.9 % quantile of chi-square), an offset is unknown.
    for (const std::size_t blocks : std::array<std::size_t, 3>{16, 8, 4}) {
        const auto nu = static_cast<double>(blocks - 1);
        double between = 0, offsets = 0;
        bool enough = noise.degrees_of_freedom > 0;
        for (std::size_t turn = 0; turn < rest.size() && enough; ++turn) {
            const std::size_t length = rest[turn].size() / blocks;
            enough = length >= 12;
            const auto variance_of = [&](const auto& value_of) {
                double total = 0, squares = 0;
                for (std::size_t block = 0; block < blocks; ++block) {
                    const double value = value_of(block * length, (block + 1) * length);
                    total += value;
                    squares += value * value;
                }
                return std::max(0.0, squares - total * total / static_cast<double>(blocks)) / nu;
            };
            between += static_cast<double>(length) * variance_of([&](std::size_t from, std::size_t to) {
                           double mean = 0;
                           for (std::size_t i = from; i < to; ++i) mean += rest[turn][i] / static_cast<double>(length);
                           return mean;
                       });
            offsets += variance_of([&](std::size_t from, std::size_t to) {
                const auto& series = differences[turn];
                return median_of({series.begin() + static_cast<std::ptrdiff_t>(from),
                                  series.begin() + static_cast<std::ptrdiff_t>(to)}) -
                       noise.offset;
            });
        }
        const double limit = 2 * incomplete_gamma_inverse(nu / 2, 0.999) / nu;
        if (!enough || !(between / of > limit * noise.long_run_variance)) continue;
        noise.wander = std::sqrt(offsets / of);
        noise.wander_degrees = nu;
    }
    return noise;
}

}  // namespace sequential
}  // namespace v0
}  // namespace serinus
