#pragma once
/// \file
/// What a test found, in the fields that every test shares; and the margin that it was asked about.

#include <array>
#include <limits>
#include <optional>
#include <string_view>

#include <serinus/core/describe.hpp>

namespace serinus {
inline namespace v0 {

/// How much worse the canary may be before it counts as harm: a ratio, a difference, or a ratio with a floor.
/// `{.ratio = 1.10}`: 10 % more than the baseline; 1 means that any harm counts. `{.difference = 0.002}`: that much
/// more, in the metric's own unit; 0 means that any harm counts. `{.ratio = 1.5, .floor = 0.001}`: whichever of the two
/// allows more, half more than the baseline or .001 more than it, in the metric's own unit: harm lies beyond max(ratio x
/// baseline, baseline + floor), so that a baseline near 0 does not make harm of every single error. All are given for
/// the direction of harm: with `decrease`, a ratio of 1.10 allows baseline/canary up to 1.10, and harm of a margin with
/// a floor is a baseline beyond max(ratio x canary, canary + floor).
struct Margin {
    std::optional<double> ratio = std::nullopt;
    std::optional<double> difference = std::nullopt;
    std::optional<double> floor = std::nullopt;  ///< only beside a ratio

    friend bool operator==(const Margin&, const Margin&) = default;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("ratio", self.ratio);
        visit("difference", self.difference);
        visit("floor", self.floor);
    }
};
static_assert(described_whole<Margin>());

/// Bounds on a quantity; `confidence` is the probability, before the data, that both hold.
struct Interval {
    double lower = -std::numeric_limits<double>::infinity();
    double upper = std::numeric_limits<double>::infinity();
    double confidence = 0;

    friend bool operator==(const Interval&, const Interval&) = default;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("lower", self.lower);
        visit("upper", self.upper);
        visit("confidence", self.confidence);
    }
};
static_assert(described_whole<Interval>());

/// What `Evidence::method` can say; empty where there is no evidence.
inline constexpr std::array<std::string_view, 18> evidence_methods{
    "",         "conditional",   "block",       "asymptotic",   "signed_rank_score",     "t_mixture",
    "rotation", "beta_binomial", "signed_rank", "threshold",    "dirichlet_multinomial", "share_mixture",
    "silence",  "floor",         "label_swap",  "before_after", "proportion_test",       "rate_test"};

/// What a sequential test knows at this moment. All of it may be looked at after every observation.
struct Evidence {
    /// Natural log of the e-value; the test has decided once it reached log(1/alpha), on the safe side
    /// log(1/alpha_safe).
    double log_e_value = 0;
    double p_value = 1;  ///< always valid: min(1, 1/largest e-value so far)
    /// canary/baseline or canary - baseline, as the margin is given; under a margin with a floor the excess in units of
    /// what is allowed: 0 as the baseline, 1 (of a decrease -1) the margin.
    double estimate = std::numeric_limits<double>::quiet_NaN();
    double lower = -std::numeric_limits<double>::infinity();  ///< always-valid bounds on what `estimate` estimates
    double upper = std::numeric_limits<double>::infinity();
    double confidence = 0;  ///< of [lower, upper]; 0 when the test was asked not to keep an interval
    double n_baseline = 0;  ///< observations (requests, hours, values) of each arm that went into it
    double n_canary = 0;
    std::string_view method;  ///< the method that was used, one of `evidence_methods`

    friend bool operator==(const Evidence&, const Evidence&) = default;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("log_e_value", self.log_e_value);
        visit("p_value", self.p_value);
        visit("estimate", self.estimate);
        visit("lower", self.lower);
        visit("upper", self.upper);
        visit("confidence", self.confidence);
        visit("n_baseline", self.n_baseline);
        visit("n_canary", self.n_canary);
        visit("method", self.method);
    }
};
static_assert(described_whole<Evidence>());

}  // namespace v0
}  // namespace serinus
