#pragma once
/// \file
/// What the options of the tests of many looks have in common: how they are checked, what two error rates and a margin
/// in the direction of harm mean for the ends of an interval, and whether a state was taken under them. Options and
/// states have fields of the same names; what only some tests have (a dispersion, a quantile) is taken where it is.

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include <serinus/core/error.hpp>
#include <serinus/core/evidence.hpp>
#include <serinus/core/require.hpp>
#include <serinus/core/text.hpp>
#include <serinus/core/words.hpp>
#include <serinus/numeric/elementary.hpp>

namespace serinus {
inline namespace v0 {
namespace sequential {
namespace detail {

/// Checks alpha, alpha_safe, the margin and the dispersion, and fills in `alpha_safe`. Raises
/// `serinus.argument.range` or `serinus.argument.margin`.
template <class Options>
Options checked_sides(Options options) {
    require_open_unit("alpha", options.alpha);
    if (!options.alpha_safe) options.alpha_safe = options.alpha;
    require_open_unit("alpha_safe", *options.alpha_safe);
    if constexpr (requires { options.dispersion; }) {
        require(options.dispersion >= 1 && std::isfinite(options.dispersion), "dispersion", options.dispersion,
                "1 or more, finite");
    }
    require_harm_margin(options.margin);
    return options;
}

/// The log e-value at which a test decides: log(1/alpha), on the safe side log(1/alpha_safe).
template <class Options>
double log_needed(const Options& options) {
    return -elementary::log(options.side == Side::harm ? options.alpha : *options.alpha_safe);
}

/// The error rates of an interval's two ends: of deciding on harm where harm lies, of deciding on safety at the other;
/// for `either` half of alpha each.
struct EndErrors {
    double below, above;

    double confidence() const noexcept { return 1 - (below + above); }
};
template <class Options>
EndErrors end_errors(const Options& options) {
    const double alpha = options.alpha, promote = *options.alpha_safe;
    switch (options.harm) {
        case Harm::increase: return {alpha, promote};
        case Harm::decrease: return {promote, alpha};
        case Harm::either: break;
    }
    return {alpha / 2, alpha / 2};
}

/// The margin as canary/baseline or canary - baseline, for harm by an increase or by a decrease.
inline double edge_of(const Margin& margin, bool increase) {
    if (margin.ratio) return increase ? *margin.ratio : 1 / *margin.ratio;
    return increase ? *margin.difference : -*margin.difference;
}

/// An interval's ends are interpolated or rounded, the e-value at the margin is exact: the end that the test itself
/// speaks of follows it, so that a decision and the interval beside it never disagree. Harm excludes the margin from
/// the good side, safety from the bad one.
template <class Options>
void agree(Evidence& evidence, const Options& options) {
    if (options.harm == Harm::either) return;
    const bool increase = options.harm == Harm::increase;
    const bool excluded = evidence.log_e_value >= log_needed(options);
    const double edge = edge_of(options.margin, increase);
    const bool from_below = (options.side == Side::harm) == increase;
    double& end = from_below ? evidence.lower : evidence.upper;
    end = excluded == from_below ? std::max(end, edge) : std::min(end, edge);
}

/// Writes the options into a state.
template <class State, class Options>
void save_options(State& state, const Options& options) {
    state.alpha = options.alpha;
    state.alpha_safe = *options.alpha_safe;
    state.harm = options.harm;
    state.ratio = options.margin.ratio;
    if constexpr (requires { state.difference; }) state.difference = options.margin.difference;
    state.side = options.side;
    if constexpr (requires { state.dispersion; }) state.dispersion = options.dispersion;
    if constexpr (requires { state.interval; }) state.interval = options.interval;
    if constexpr (requires { state.tuned_at; }) state.tuned_at = options.tuned_at;
}

inline std::string option_text(double value) { return given_text(value); }
inline std::string option_text(bool value) { return value ? "true" : "false"; }
inline std::string option_text(const std::optional<double>& value) { return value ? given_text(*value) : "none"; }
template <class Enum>
    requires std::is_enum_v<Enum>
std::string option_text(Enum value) {
    return std::string(word(value));
}

/// Raises `serinus.state.options` unless an option is the same there and here. `who` has it, "the state of a RateTest".
template <class Value>
void require_same(std::string_view who, std::string_view field, const Value& there, const Value& here) {
    if (there == here) return;
    raise(Code::state_options, std::string(who) + " has " + std::string(field) + " " + option_text(there) +
                                   "; allowed: " + option_text(here) + ", as this one has");
}

/// Raises `serinus.state.options`, naming the first option that differs, unless a state (or the options of another
/// test) has the options that there are here.
template <class Given, class Options>
void require_same_options(std::string_view who, const Given& given, const Options& own) {
#define SERINUS_SAME(name) \
    if constexpr (requires { given.name; }) require_same(who, #name, given.name, own.name)
    SERINUS_SAME(q);
    SERINUS_SAME(alpha);
    if constexpr (requires { given.alpha_safe; })
        require_same(who, "alpha_safe", std::optional<double>(given.alpha_safe), own.alpha_safe);
    SERINUS_SAME(harm);
    if constexpr (requires { given.margin; }) {
        require_same(who, "margin.ratio", given.margin.ratio, own.margin.ratio);
        require_same(who, "margin.difference", given.margin.difference, own.margin.difference);
    }
    if constexpr (requires { given.ratio; }) require_same(who, "margin.ratio", given.ratio, own.margin.ratio);
    if constexpr (requires { given.difference; }) {
        require_same(who, "margin.difference", std::optional<double>(given.difference), own.margin.difference);
    }
    SERINUS_SAME(tolerance);
    SERINUS_SAME(side);
    SERINUS_SAME(method);
    SERINUS_SAME(dispersion);
    SERINUS_SAME(concentration);
    SERINUS_SAME(interval);
    SERINUS_SAME(tuned_at);
    SERINUS_SAME(gate);
    SERINUS_SAME(from_size);
#undef SERINUS_SAME
}

}  // namespace detail
}  // namespace sequential
}  // namespace v0
}  // namespace serinus
