#pragma once
/// \file
/// What the tests of many looks do with their e-value, whatever it is made of: when it decides, on harm or on safety,
/// and what two error rates and a margin in the direction of harm mean for the ends of an interval.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>

#include <serinus/core/error.hpp>
#include <serinus/core/evidence.hpp>
#include <serinus/core/require.hpp>
#include <serinus/core/words.hpp>
#include <serinus/numeric/elementary.hpp>

namespace serinus {
inline namespace v0 {
namespace sequential {
namespace detail {

/// Checks alpha, alpha_safe, the margin and the dispersion, and fills in `alpha_safe`. `floor`: the margin may have
/// one. Raises `serinus.argument.range` or `serinus.argument.margin`.
template <class Options>
Options checked_sides(Options options, bool floor = false) {
    require_open_unit("alpha", options.alpha);
    if (!options.alpha_safe) options.alpha_safe = options.alpha;
    require_open_unit("alpha_safe", *options.alpha_safe);
    if constexpr (requires { options.dispersion; }) {
        require(options.dispersion >= 1 && std::isfinite(options.dispersion), "dispersion", options.dispersion,
                "1 or more, finite");
    }
    floor&& options.margin.floor ? require_floored_margin(options.margin) : require_harm_margin(options.margin);
    return options;
}

/// The error rate that a test decides at: alpha, on the safe side alpha_safe where there is one.
template <class Options>
double own_alpha(const Options& options) {
    if constexpr (requires { *options.alpha_safe; }) {
        if (options.side == Side::safe) return *options.alpha_safe;
    }
    return options.alpha;
}

/// The log e-value at which a test decides, and the largest that it has had so far.
class SidedEvidence {
  public:
    /// `options` are checked: see `checked_sides`.
    template <class Options>
    explicit SidedEvidence(const Options& options) : needed_(-elementary::log(own_alpha(options))) {}

    double log_needed() const noexcept { return needed_; }
    bool decided() const noexcept { return log_largest_ >= needed_; }
    /// Always valid: min(1, 1/largest e-value so far).
    double p_value() const { return p_value_of(log_largest_); }
    static double p_value_of(double log_largest) { return elementary::exp(-std::max(log_largest, 0.0)); }

    double log_largest() const noexcept { return log_largest_; }
    /// The e-value of a look.
    void note(double log_e_value) noexcept { log_largest_ = std::max(log_largest_, log_e_value); }

    /// Of a state: 0 or more, finite.
    static bool sound(double log_largest) noexcept { return log_largest >= 0 && std::isfinite(log_largest); }
    void restore(double log_largest) noexcept { log_largest_ = log_largest; }

  private:
    double needed_;
    double log_largest_ = 0;
};

/// Raises `serinus.argument.length` unless both arms have so many intervals.
inline void require_same_length(std::size_t baseline, std::size_t canary) {
    if (baseline == canary) return;
    raise(Code::argument_length, "baseline has " + std::to_string(baseline) + " intervals, canary " +
                                     std::to_string(canary) + "; allowed: the same number");
}

/// The error rates of an interval's two ends: of deciding on harm where harm lies, of deciding on safety at the other;
/// for `either` half of alpha each.
struct EndErrors {
    double below, above;

    double confidence() const noexcept { return 1 - (below + above); }
};
template <class Options>
EndErrors end_errors(const Options& options) {
    const double alpha = options.alpha, safe = *options.alpha_safe;
    switch (options.harm) {
        case Harm::increase: return {alpha, safe};
        case Harm::decrease: return {safe, alpha};
        case Harm::either: break;
    }
    return {alpha / 2, alpha / 2};
}

/// The margin on the scale of the estimate, for harm by an increase or by a decrease: as canary/baseline, as canary -
/// baseline, or in units of itself.
inline double edge_of(const Margin& margin, bool increase) {
    if (margin.floor) return increase ? 1 : -1;
    if (margin.ratio) return increase ? *margin.ratio : 1 / *margin.ratio;
    return increase ? *margin.difference : -*margin.difference;
}

/// An interval's ends are interpolated or rounded, the e-value at the margin is exact: the end that the test itself
/// speaks of follows it, so that a decision (made at `log_needed`) and the interval beside it never disagree. Harm
/// excludes the margin from the good side, safety from the bad one.
template <class Options>
void agree(Evidence& evidence, double log_needed, const Options& options) {
    if (options.harm == Harm::either) return;
    const bool increase = options.harm == Harm::increase;
    const bool excluded = evidence.log_e_value >= log_needed;
    const double edge = edge_of(options.margin, increase);
    const bool from_below = (options.side == Side::harm) == increase;
    double& end = from_below ? evidence.lower : evidence.upper;
    end = excluded == from_below ? std::max(end, edge) : std::min(end, edge);
}

}  // namespace detail
}  // namespace sequential
}  // namespace v0
}  // namespace serinus
