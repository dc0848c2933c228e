#pragma once
/// \file
/// Checks of arguments that many functions share, so that the same mistake gets the same sentence everywhere.

#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include <serinus/core/counts.hpp>
#include <serinus/core/error.hpp>
#include <serinus/core/evidence.hpp>
#include <serinus/core/reason.hpp>
#include <serinus/core/text.hpp>
#include <serinus/core/words.hpp>

namespace serinus {
inline namespace v0 {

/// Raises `serinus.argument.range`, with the field, its value and what it may be, unless `holds`.
inline void require(bool holds, std::string_view field, double value, std::string_view allowed) {
    if (holds) return;
    raise(Code::argument_range, std::string(field) + " is " + given_text(value) + "; allowed: " + std::string(allowed));
}

/// A probability strictly between 0 and 1, as a confidence and an error rate are.
inline void require_open_unit(std::string_view field, double value) {
    require(value > 0 && value < 1, field, value, "above 0, below 1");
}

/// How many resamples a bootstrap or a permutation test draws: fewer than 100 have no tails, above 1,000,000 no one
/// waits. Raises `serinus.argument.range`.
inline void require_resamples(std::size_t resamples) {
    require(resamples >= 100 && resamples <= 1'000'000, "resamples", static_cast<double>(resamples),
            "from 100 to 1000000");
}

/// Values of an arm that go into sums: no infinities. Raises `serinus.argument.infinite`.
inline void require_finite(std::string_view field, std::span<const double> values) {
    for (const double value : values) {
        if (!std::isinf(value)) continue;
        raise(Code::argument_infinite, std::string(field) + " holds an infinite value; allowed: finite ones");
    }
}
inline void require_finite(Arm arm, std::span<const double> values) { require_finite(word(arm), values); }

/// A margin that is a ratio or a difference, not both, and without a floor. Raises `serinus.argument.margin`.
inline void require_one(const Margin& margin) {
    if (margin.floor) {
        raise(Code::argument_margin, "margin.floor is " + given_text(*margin.floor) +
                                         "; allowed: none here (ProportionTest and RateTest take a floor)");
    }
    if (margin.ratio.has_value() != margin.difference.has_value()) return;
    raise(Code::argument_margin,
          "margin has " +
              std::string(margin.ratio ? "both a ratio and a difference" : "neither a ratio nor a difference") +
              "; allowed: exactly one of them");
}

/// The margin of a sequential test: a ratio from 1 to 1000, or a difference of 0 or more, in the direction of harm.
/// Raises `serinus.argument.margin`.
inline void require_harm_margin(const Margin& margin) {
    require_one(margin);
    const double size = margin.ratio ? *margin.ratio : *margin.difference;
    if (margin.ratio ? size >= 1 && size <= 1000 : size >= 0 && std::isfinite(size)) return;
    raise(Code::argument_margin, std::string(margin.ratio ? "margin.ratio" : "margin.difference") + " is " +
                                     given_text(size) +
                                     "; allowed: " + (margin.ratio ? "1 to 1000" : "0 or more, finite"));
}

/// A margin with a floor: a ratio from 1 to 1000 and a floor of 0 or more in the unit of what is compared, not both
/// without room. Raises `serinus.argument.margin`.
inline void require_floored_margin(const Margin& margin) {
    const auto refuse = [](const std::string& what, std::string_view allowed) {
        raise(Code::argument_margin, what + "; allowed: " + std::string(allowed));
    };
    if (margin.difference)
        refuse("margin.difference is " + given_text(*margin.difference) + " beside a floor", "a ratio beside a floor");
    if (!margin.ratio)
        refuse("margin.floor is " + given_text(*margin.floor) + " without a ratio", "a ratio beside a floor");
    if (!(*margin.ratio >= 1 && *margin.ratio <= 1000))
        refuse("margin.ratio is " + given_text(*margin.ratio), "1 to 1000");
    if (!(*margin.floor >= 0 && std::isfinite(*margin.floor)))
        refuse("margin.floor is " + given_text(*margin.floor), "0 or more, finite");
    if (*margin.ratio == 1 && *margin.floor == 0)
        refuse("margin.floor is 0 beside a ratio of 1", "above 0 there; or {ratio: 1} alone, if any harm counts");
}

/// The number of a margin that must be a ratio, finite and above 0. Raises `serinus.argument.margin`.
inline double require_ratio(const Margin& margin) {
    if (!margin.ratio || margin.difference || margin.floor)
        raise(Code::argument_margin, "margin is not a ratio alone; allowed: {ratio}, above 0");
    if (*margin.ratio > 0 && std::isfinite(*margin.ratio)) return *margin.ratio;
    raise(Code::argument_margin, "margin is a ratio of " + given_text(*margin.ratio) + "; allowed: finite, above 0");
}

/// The number of a margin that must be a difference, finite. Raises `serinus.argument.margin`.
inline double require_difference(const Margin& margin) {
    if (!margin.difference || margin.ratio || margin.floor)
        raise(Code::argument_margin, "margin is not a difference alone; allowed: {difference}");
    if (std::isfinite(*margin.difference)) return *margin.difference;
    raise(Code::argument_margin,
          "margin is a difference of " + given_text(*margin.difference) + "; allowed: a finite number");
}

}  // namespace v0
}  // namespace serinus
