#pragma once
/// \file
/// What history teaches about the noise of a gauge: how two arms that run the same version differ. It is learned in
/// learn_paired_noise.hpp; what a test asks of it is in noise_bounds.hpp.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <serinus/core/describe.hpp>
#include <serinus/core/error.hpp>
#include <serinus/core/text.hpp>
#include <serinus/core/words.hpp>

namespace serinus {
inline namespace v0 {
namespace sequential {

/// What the differences of a noise are made of, which must be what the test's margin asks for.
enum class NoiseUnit : std::uint8_t {
    former = 0,  ///< canary - baseline, learned before units were known: goes on as it did, for either kind of margin
    own = 1,     ///< canary - baseline in the gauge's own unit, for difference margins
    log = 2      ///< log(canary) - log(baseline), for ratio margins
};

}  // namespace sequential

template <>
struct Words<sequential::NoiseUnit> {
    static constexpr std::array<std::pair<sequential::NoiseUnit, std::string_view>, 3> table{
        {{sequential::NoiseUnit::former, "former"},
         {sequential::NoiseUnit::own, "own"},
         {sequential::NoiseUnit::log, "log"}}};
};

namespace sequential {

/// The noise of `pseudo-canary - baseline`, both running the same version, at one split of the traffic. Numbers are in
/// the gauge's unit unless said (with `unit` log in natural logarithms); multiply the unit by a factor and all of them
/// follow.
struct PairedNoise {
    NoiseUnit unit = NoiseUnit::former;  ///< a noise without it was written before there were any
    std::vector<double> table;           ///< ascending quantiles of |difference - offset|, at most 256
    double offset = 0;      ///< median difference: what the canary's arm reads more than the baseline's by itself
    double mean_score = 0;  ///< mean of history's own scores (no unit)
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
    // Came with the units; 0 in a noise written before.
    double score_variance = 0;  ///< of history's scores, each by itself
    double step_score = 0;      ///< mean |score| of what a difference changes by from one interval to the next
    double step_variance = 0;   ///< their long-run variance, raised by what it leaves open; 0: not known
    /// Were history `scale_factors` times as noisy: its mean |score| of changes, ascending, and how far its mean score
    /// would be from `mean_score`. Empty: not known.
    std::vector<double> scale_steps, scale_bias;

    static constexpr std::size_t most = 256;         ///< points of the table
    static constexpr double departure_alpha = 0.02;  ///< how often `step_score` is said to be left when it is not
    static constexpr std::array<double, 9> scale_factors{
        0.25, 0.5, 0.7071067811865476, 0.8408964152537145, 1, 1.189207115002721, 1.4142135623730951, 2, 4};

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

    /// A length of the noise as one of the gauge: of logarithms, what it makes of the level.
    double in_gauge_unit(double length) const {
        return unit == NoiseUnit::log ? std::fabs(level) * std::expm1(length) : length;
    }

    /// How many independent differences history is worth.
    double independent() const {
        return unit == NoiseUnit::former ? degrees_of_freedom + 1 : size * score_variance / long_run_variance;
    }

    /// For how many intervals evidence may grow: a quarter of history. What is slower than that, history has seen too
    /// few times to know.
    double horizon() const {
        return unit == NoiseUnit::former ? std::numeric_limits<double>::infinity() : std::floor(size / 4);
    }

    /// The largest `scale_bias` of the scales whose changes score `from` to `to` on average; between the factors on a
    /// straight line, beyond them as at the last.
    double largest_bias(double from, double to) const {
        if (scale_steps.empty()) return 0;
        const auto at = [&](double step) {
            const auto above = std::upper_bound(scale_steps.begin(), scale_steps.end(), step);
            if (above == scale_steps.begin()) return scale_bias.front();
            if (above == scale_steps.end()) return scale_bias.back();
            const auto j = static_cast<std::size_t>(above - scale_steps.begin());
            const double low = scale_steps[j - 1], high = scale_steps[j];
            return scale_bias[j - 1] + (scale_bias[j] - scale_bias[j - 1]) * ((step - low) / (high - low));
        };
        double largest = std::max(at(from), at(to));
        for (std::size_t j = 0; j < scale_steps.size(); ++j) {
            if (from <= scale_steps[j] && scale_steps[j] <= to) largest = std::max(largest, scale_bias[j]);
        }
        return largest;
    }

    friend bool operator==(const PairedNoise&, const PairedNoise&) = default;

    /// Whether a member came with the units: a noise whose unit is `former` has none of these.
    static constexpr bool came_with_units(std::string_view member) {
        return member.starts_with("step_") || member.starts_with("scale_") || member == "score_variance";
    }

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("unit", self.unit);
        visit("table", self.table);
        visit("offset", self.offset);
        visit("mean_score", self.mean_score);
        visit("long_run_variance", self.long_run_variance);
        visit("degrees_of_freedom", self.degrees_of_freedom);
        visit("size", self.size);
        visit("resolution", self.resolution);
        visit("level", self.level);
        visit("instances_baseline", self.instances_baseline);
        visit("instances_canary", self.instances_canary);
        visit("instance_deviation", self.instance_deviation);
        visit("instances", self.instances);
        visit("wander", self.wander);
        visit("wander_degrees", self.wander_degrees);
        visit("score_variance", self.score_variance);
        visit("step_score", self.step_score);
        visit("step_variance", self.step_variance);
        visit("scale_steps", self.scale_steps);
        visit("scale_bias", self.scale_bias);
    }

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
static_assert(described_whole<PairedNoise>());

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
    require(noise.step_score >= 0 && noise.step_score < 1, "step_score", noise.step_score, "0 or more, below 1");
    require(amount(noise.step_variance), "step_variance", noise.step_variance, "0 or more, finite");
    const std::size_t scales = noise.scale_steps.size();
    require(noise.score_variance >= 0 && noise.score_variance <= 1 && (noise.score_variance > 0 || scales == 0),
            "score_variance", noise.score_variance, "0 to 1, above 0 where there are scale_steps");
    require(scales == 0 || scales == PairedNoise::scale_factors.size(), "scale_steps", double(scales),
            "9 numbers or none");
    require(noise.scale_bias.size() == scales, "scale_bias", double(noise.scale_bias.size()), "as many as scale_steps");
    for (std::size_t i = 0; i < scales && !found; ++i) {
        // Not "[" + std::to_string(i): GCC 12 sees an overlapping copy in it at -O3.
        const std::string at = std::string("[").append(std::to_string(i)).append("]");
        require(amount(noise.scale_steps[i]) && (i == 0 || noise.scale_steps[i - 1] <= noise.scale_steps[i]),
                "scale_steps" + at, noise.scale_steps[i], "0 or more, ascending, finite");
        require(noise.scale_bias[i] >= 0 && noise.scale_bias[i] <= 2, "scale_bias" + at, noise.scale_bias[i], "0 to 2");
    }
    require(noise.instance_deviation == 0 || noise.instances >= 2, "instances", noise.instances,
            "at least 2 where there is an instance_deviation");
    return found;
}

/// What is refused about a noise for a margin; none when they fit. A ratio is judged on logarithms, a difference in the
/// gauge's own unit.
inline std::optional<NoiseDefect> unit_defect(const PairedNoise& noise, bool ratio) {
    const NoiseUnit needed = ratio ? NoiseUnit::log : NoiseUnit::own;
    if (noise.unit == NoiseUnit::former || noise.unit == needed) return std::nullopt;
    return NoiseDefect{
        "unit", '"' + std::string(word(noise.unit)) + '"',
        ratio ? "\"log\" for a ratio margin (calibrate again)" : "\"own\" for a difference margin (calibrate again)"};
}

}  // namespace sequential
}  // namespace v0
}  // namespace serinus
