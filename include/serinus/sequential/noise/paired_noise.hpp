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
#include <utility>
#include <vector>

#include <serinus/core/error.hpp>
#include <serinus/core/text.hpp>
#include <serinus/core/words.hpp>
#include <serinus/numeric/order.hpp>
#include <serinus/numeric/special.hpp>
#include <serinus/numeric/student.hpp>
#include <serinus/sequential/noise/count_dispersion.hpp>
#include <serinus/series/dependence.hpp>

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

    /// What the long-run variance is multiplied with, so that a test of the error rate alpha keeps it: of a noise
    /// written before, its upper 90 % confidence bound by chi-square where alpha or history is small, which does not
    /// keep a small alpha; else `known_degrees_factor`.
    double variance_factor(double alpha) const {
        if (unit != NoiseUnit::former) return known_degrees_factor(degrees_of_freedom, alpha);
        if (alpha > 0.01 && size >= 1000) return 1;
        const double quantile = 2 * incomplete_gamma_inverse(degrees_of_freedom / 2, 0.1);
        return quantile > 0 ? std::max(1.0, degrees_of_freedom / quantile) : std::numeric_limits<double>::infinity();
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

/// The numbers of a noise by name, without its lists and its unit: `visit(name, number)`. The last three are left out
/// where the unit says that the noise was written before there were any.
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
    if (noise.unit == NoiseUnit::former) return;
    visit("score_variance", noise.score_variance);
    visit("step_score", noise.step_score);
    visit("step_variance", noise.step_variance);
}

/// The lists of a noise by name: `visit(name, list)`, those that came later left out as above.
template <class Noise, class Visitor>
void for_each_list(Noise& noise, Visitor&& visit) {
    visit("table", noise.table);
    if (noise.unit == NoiseUnit::former) return;
    visit("scale_steps", noise.scale_steps);
    visit("scale_bias", noise.scale_bias);
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

namespace detail {

inline double median_of(std::vector<double> values) {
    if (values.empty()) return 0.0;
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

/// The long-run variance of several series of one kind, and its degrees of freedom.
struct LongRun {
    double variance = 0;
    double degrees_of_freedom = 0;
    double n_effective = 0;  // of one series, by the minimum rule
};

/// The larger of the minimum rule and of the twelve slowest swings, each averaged over the series; of the slowest six
/// or three alone, where they are more than the first lags allow (beyond the 99 % quantile of chi-square) and ask for
/// more at an error of .01: swings that get the larger the slower they are. `by_first_lags`: what the minimum rule
/// says.
inline LongRun long_run(std::span<const std::vector<double>> all, double* by_first_lags = nullptr) {
    constexpr std::size_t swings = 12;
    LongRun found;
    std::array<double, swings> slow{};
    double points = 0;
    const auto of = static_cast<double>(all.size());
    for (const auto& series : all) {
        const Dependence known = first_lags(dependence_with_gaps(series));
        points += known.n;
        found.variance += known.long_run_variance() / of;
        found.n_effective += known.n_effective / of;
        const std::vector<double> own = slow_swings(series, swings);
        for (std::size_t k = 0; k < swings; ++k) slow[k] += own[k] / of;
    }
    const double first = found.variance;
    if (by_first_lags) *by_first_lags = first;
    if (!(first > 0)) return found;
    found.degrees_of_freedom = estimated_degrees(found.n_effective - 1);
    double most = first;
    const double quantile = 1 - 25 / std::max(500.0, of > 0 ? points / of : 0);
    for (const std::size_t terms : std::array<std::size_t, 3>{swings, 6, 3}) {
        // Series that share their baselines: of two the second tells nothing that the first did not.
        const double degrees = static_cast<double>(terms) * std::max(1.0, of - 1);
        double mean = 0;
        for (std::size_t k = 0; k < terms; ++k) mean += slow[k] / static_cast<double>(terms);
        if (!(mean > (terms == swings ? first : first * 2 * incomplete_gamma_inverse(degrees / 2, quantile) / degrees)))
            continue;
        const double asked = mean * known_degrees_factor(degrees, 0.01);
        if (terms < swings && !(asked > most)) continue;
        most = asked;
        found.variance = mean;
        found.degrees_of_freedom = degrees;
    }
    return found;
}

/// `scale_steps` and `scale_bias` of a noise that has all else, from history's differences less their offset. A few
/// thousand of them tell enough.
inline void find_scales(PairedNoise& noise, std::span<const std::vector<double>> rest) {
    std::size_t points = 0;
    for (const auto& series : rest) points += series.size();
    const std::size_t stride = points / 4096 + 1;
    const double shrinks = noise.long_run_variance / noise.score_variance;
    // Of the offset only what skewness makes of it grows with the noise, the median less the mean, were the arms alike.
    // That is never more than a standard deviation; an offset that is larger is what two machines differ by throughout.
    double total = 0, total_squares = 0, present = 0;
    for (const auto& series : rest) {
        for (const double value : series) {
            if (std::isnan(value)) continue;
            total += value;
            total_squares += value * value;
            present += 1;
        }
    }
    const double deviation = std::sqrt(total_squares / present);
    const double part =
        std::fabs(noise.offset) <= deviation ? noise.offset : std::clamp(-total / present, -deviation, deviation);
    for (const double factor : PairedNoise::scale_factors) {
        double steps = 0, step_sum = 0, used = 0, sum = 0, squares = 0;
        for (const auto& series : rest) {
            for (std::size_t i = 0; i < series.size(); i += stride) {
                if (std::isnan(series[i])) continue;
                const double change = noise.score(factor * (series[i] + part) - part) - noise.score(series[i]);
                used += 1;
                sum += change;
                squares += change * change;
                if (i == 0 || std::isnan(series[i - 1])) continue;
                step_sum += std::fabs(noise.score(factor * (series[i] - series[i - 1])));
                steps += 1;
            }
        }
        const double mean = sum / used, error = std::sqrt(std::max(0.0, squares / used - mean * mean) * shrinks / used);
        noise.scale_steps.push_back(steps > 0 ? step_sum / steps : 0);
        noise.scale_bias.push_back(factor == 1 ? 0 : std::max(0.0, std::fabs(mean) - 2 * error));
    }
    // Rounding alone could disturb an order that ranks have.
    for (std::size_t j = 1; j < noise.scale_steps.size(); ++j)
        noise.scale_steps[j] = std::max(noise.scale_steps[j], noise.scale_steps[j - 1]);
}

}  // namespace detail

/// Noise from history's A/A differences.
///
/// Answers: how large are the differences between two arms that run the same version, and how long do they last? Taken
/// from the same split of traffic as the rollout's stage: baseline against baseline is not the noise of a 1 % canary.
///
/// Formula: d - offset. Of one pseudo-canary the offset is the median. With `centred` each pseudo-canary's own median
/// is subtracted, since what instances differ by is kept apart, as tau, and the offset, which a rollout subtracts, is
/// the mean of these medians: skewed noise has a median that is not 0, and no instance is to blame for it. The table:
/// order statistics of |d - offset| at (j + 1/2)/256; scores of history by that table; their mean.
///
/// Their long-run variance: the larger of the minimum rule (series/dependence.hpp) and of the mean of the twelve
/// slowest cosines (slow_variance; Mueller 2007), each averaged over the pseudo-canaries: slow swings under white noise
/// hardly show in the first lags. Degrees of freedom: the effective points - 1, or 12 where the cosines win (12 (k - 1)
/// of k pseudo-canaries). Where blocks of history tell of a `wander`, the first lags alone: it moves the margin, and
/// counted twice it would make a bounded score blind to harm of any size. A test multiplies it by `variance_factor`,
/// made for its own alpha, and evidence grows for a quarter of history (`horizon`), since nothing slower than that was
/// seen often enough.
///
/// What a difference changes by in one interval is scored as well, by the same table (`step_score`): a rollout whose
/// noise has another scale than history's is told by it, whatever its level is. Offset and table belong to history's
/// scale: skewed differences of another scale have another mean score, and `scale_bias` is by how much (as far as it is
/// beyond two of its standard errors), for nine scales from a quarter to four times.
///
/// `differences`: one series a pseudo-canary, one value an interval in time order; NaN: a gap, which keeps its place,
/// so that lags are what they were. With `unit` log they are differences of logarithms. `magnitude`: the largest
/// |value| they came from; with `unit` log 1. Returns a noise whose `instance...` fields and `level` are for the caller
/// to fill in. Too few points (fewer than 6 effective ones), or differences that are all alike: `degrees_of_freedom` 0
/// and nothing may be decided with it. Raises `serinus.argument.infinite`, and `serinus.argument.word` for the unit
/// "former", which nothing new is learned in. Cost: a sort, and 24 cosines a point.
inline PairedNoise paired_noise(std::span<const std::vector<double>> differences, double magnitude, bool centred,
                                NoiseUnit unit = NoiseUnit::own) {
    if (unit == NoiseUnit::former) raise(Code::argument_word, "unit is \"former\"; allowed: \"own\", \"log\"");
    PairedNoise noise;
    noise.unit = unit;
    noise.resolution = magnitude * 1e-12;
    const auto there = [](std::span<const double> series) {
        std::vector<double> values;
        for (const double value : series)
            if (!std::isnan(value)) values.push_back(value);
        return values;
    };
    std::vector<double> all;
    for (const auto& series : differences) {
        for (const double value : series) {
            if (std::isinf(value)) {
                raise(Code::argument_infinite,
                      "differences hold an infinite value; allowed: finite numbers, NaN for a gap");
            }
            if (!std::isnan(value)) all.push_back(value);
        }
    }
    if (all.empty()) return noise;
    const double common = detail::median_of(all);
    std::vector<std::vector<double>> rest;
    all.clear();
    double owns = 0;
    for (const auto& given : differences) {
        const std::vector<double> values = there(given);
        if (values.empty()) continue;
        std::vector<double>& series = rest.emplace_back(given);
        const double own = centred ? detail::median_of(values) : common;
        owns += own;
        for (double& value : series) value -= own;
        for (const double value : values) all.push_back(std::fabs(value - own));
        noise.size = std::max(noise.size, static_cast<double>(values.size()));
    }
    const auto of = static_cast<double>(rest.size());
    noise.offset = centred ? owns / of : common;
    sort_ascending(all);
    const std::size_t points = std::min(all.size(), PairedNoise::most);
    for (std::size_t j = 0; j < points; ++j) noise.table.push_back(all[(2 * j + 1) * all.size() / (2 * points)]);

    double sum = 0, step_sum = 0, steps = 0;
    const auto count = static_cast<double>(all.size());
    std::vector<std::vector<double>> scores = rest, changes = rest;
    for (std::size_t turn = 0; turn < rest.size(); ++turn) {
        double before = std::numeric_limits<double>::quiet_NaN();
        for (std::size_t i = 0; i < rest[turn].size(); ++i) {
            const double value = rest[turn][i], change = value - before;
            before = value;
            // NaN - NaN is NaN: a gap has no score and no change.
            scores[turn][i] = std::isnan(value) ? value : noise.score(value);
            changes[turn][i] = std::isnan(change) ? change : std::fabs(noise.score(change));
            if (!std::isnan(value)) sum += scores[turn][i];
            if (std::isnan(change)) continue;
            step_sum += changes[turn][i];
            steps += 1;
        }
    }
    noise.mean_score = sum / count;
    double by_first_lags = 0;
    const detail::LongRun known = detail::long_run(scores, &by_first_lags);
    noise.long_run_variance = known.variance;
    if (known.variance > 0 && known.n_effective >= Dependence::fewest)
        noise.degrees_of_freedom = known.degrees_of_freedom;
    if (!(noise.degrees_of_freedom > 0)) return noise;

    double squares_of_scores = 0;
    for (const auto& series : scores) {
        for (const double value : series)
            if (!std::isnan(value)) squares_of_scores += (value - noise.mean_score) * (value - noise.mean_score);
    }
    noise.score_variance = squares_of_scores / count;
    if (steps > 0) {
        noise.step_score = step_sum / steps;
        const detail::LongRun of_steps = detail::long_run(changes);
        noise.step_variance =
            of_steps.variance * known_degrees_factor(of_steps.degrees_of_freedom, PairedNoise::departure_alpha);
    }
    if (noise.step_variance > 0) detail::find_scales(noise, rest);

    // Slow wandering: arms that drift apart over days leave no trace in the first lags. Where the scores' block means
    // vary more than the first lags allow (beyond the 99.9 % quantile of chi-square), an offset is unknown.
    for (const std::size_t blocks : std::array<std::size_t, 3>{16, 8, 4}) {
        const auto nu = static_cast<double>(blocks - 1);
        double between = 0, offsets = 0;
        bool enough = true;
        for (std::size_t turn = 0; turn < rest.size() && enough; ++turn) {
            const std::size_t length = rest[turn].size() / blocks;
            double total = 0, squares = 0, middle = 0, middle_squares = 0, present = 0;
            for (std::size_t block = 0; block < blocks && enough; ++block) {
                const auto part = [&](std::span<const double> series) {
                    return there(series.subspan(block * length, length));
                };
                const std::vector<double> own = part(scores[turn]);
                enough = own.size() >= 12;
                if (!enough) break;
                double mean = 0;
                for (const double value : own) mean += value / static_cast<double>(own.size());
                const double median = detail::median_of(part(rest[turn]));
                present += static_cast<double>(own.size());
                total += mean;
                squares += mean * mean;
                middle += median;
                middle_squares += median * median;
            }
            const auto variance = [&](double sum_of, double squares_of) {
                return std::max(0.0, squares_of - sum_of * sum_of / static_cast<double>(blocks)) / nu;
            };
            between += present / static_cast<double>(blocks) * variance(total, squares);
            offsets += variance(middle, middle_squares);
        }
        const double limit = 2 * incomplete_gamma_inverse(nu / 2, 0.999) / nu;
        if (!enough || !(between / of > limit * by_first_lags)) continue;
        noise.wander = std::sqrt(offsets / of);
        noise.wander_degrees = nu;
    }
    // A wander that is known moves the margin (`reach`); counted in the long-run variance as well, it would make a
    // bounded score blind to harm of any size.
    if (noise.wander > 0) {
        noise.long_run_variance = by_first_lags;
        noise.degrees_of_freedom = estimated_degrees(known.n_effective - 1);
    }
    return noise;
}

}  // namespace sequential
}  // namespace v0
}  // namespace serinus
