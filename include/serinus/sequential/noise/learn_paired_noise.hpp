#pragma once
/// \file
/// The noise of a gauge, learned from history's A/A differences.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <vector>

#include <serinus/core/error.hpp>
#include <serinus/numeric/median.hpp>
#include <serinus/numeric/order.hpp>
#include <serinus/numeric/special.hpp>
#include <serinus/sequential/noise/count_dispersion.hpp>
#include <serinus/sequential/noise/paired_noise.hpp>
#include <serinus/series/dependence.hpp>

namespace serinus {
inline namespace v0 {
namespace sequential {

namespace detail {

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
    const double common = median_of(all);
    std::vector<std::vector<double>> rest;
    all.clear();
    double owns = 0;
    for (const auto& given : differences) {
        const std::vector<double> values = there(given);
        if (values.empty()) continue;
        std::vector<double>& series = rest.emplace_back(given);
        const double own = centred ? median_of(values) : common;
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
                const double median = median_of(part(rest[turn]));
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
