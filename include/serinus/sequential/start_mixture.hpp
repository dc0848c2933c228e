#pragma once
/// \file
/// Evidence that is quick to see harm even when it begins late.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <string>
#include <string_view>
#include <utility>

#include <serinus/core/error.hpp>
#include <serinus/core/evidence.hpp>
#include <serinus/core/text.hpp>
#include <serinus/numeric/elementary.hpp>
#include <serinus/sequential/detail/sides.hpp>

namespace serinus {
inline namespace v0 {
namespace sequential {

/// The weight of the j-th start (from 0) of an endless schedule; all of them sum to 1. Two thirds go to the first, for
/// a bad version is mostly bad at once; the rest falls as (j + 1)^-1.5, so that no start is ever without capital.
inline double start_weight(std::int64_t j) {
    constexpr double zeta = 2.6123753486854883;  // sum of n^-1.5 over n >= 1
    const double n = static_cast<double>(j) + 1;
    return j == 0 ? 2.0 / 3 : 1 / (3 * (zeta - 1) * n * std::sqrt(n));
}

/// All that a StartMixture remembers.
template <class TestState>
struct StartMixtureState {
    static constexpr std::string_view kind = "strt";
    static constexpr std::int64_t version = 1;

    double spent = 0;
    double log_largest = 0;
    TestState test;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("spent", self.spent);
        visit("log_largest", self.log_largest);
        visit("test", self.test);
    }
};

/// A mixture of one e-process over the times at which it starts.
///
/// An e-process that runs along while the canary is good loses capital, and harm that begins late is then found late or
/// never (after 720 good intervals: in 45 % of the cases instead of all). Here only a part w_k of the capital bets from
/// the k-th start on, E = sum_k w_k E^(k) + (what is not spent yet), E^(k) being 1 until its start. Sum of the w_k <= 1
/// makes this one e-process: the error rate holds without any correction for the number of starts
/// (docs/adr/0002-two-thirds-of-the-capital-bet-at-once.md; the mixture over change points of Shiryaev-Roberts
/// detectors, Shin, Ramdas and Rinaldo 2024, kept at a fixed total).
///
/// `Test` is a sequential test with `rescale(weight)` and `add_start(weight)` (ProportionTest has them; the conditional
/// method adds starts without any memory). It is given fresh. Start times must not depend on what has not been seen
/// yet. Where what the test knows of its noise reaches only so far (`PairedTest::horizon`), that is counted from the
/// mixture's beginning: later intervals are not taken, whatever start they would belong to. Cost of an update: the
/// test's.
///
///     StartMixture mixture(ProportionTest({.margin = {.ratio = 1.5}}));
///     for (std::int64_t i = 0; i < n; ++i) {
///         if (i % 30 == 0) mixture.begin(start_weight(i / 30));
///         mixture.update(baseline[i], canary[i]);
///     }
template <class Test>
class StartMixture {
  public:
    /// Nothing bets before the first `begin`: the e-value is 1.
    explicit StartMixture(Test fresh) : test_(std::move(fresh)) {}

    /// A start, now, with this part of the whole capital. Raises `serinus.argument.range` for a weight that is not
    /// above 0 or that makes the sum exceed 1.
    void begin(double weight) {
        // The sum of an endless schedule reaches 1 only up to rounding.
        if (!(weight > 0) || !(spent_ + weight <= 1 + 1e-9)) {
            raise(Code::argument_range, "weight is " + given_text(weight) +
                                            "; allowed: above 0, at most what is left, " + given_text(1 - spent_));
        }
        if (spent_ == 0) {
            test_.rescale(weight);
        } else {
            test_.add_start(weight);
        }
        spent_ += weight;
    }

    template <class... Arguments>
    void update(const Arguments&... arguments) {
        if (spent_ == 0)
            raise(Code::argument_range, "a StartMixture has no start yet; allowed: update after the first begin");
        if constexpr (requires { test_.horizon(); }) {
            if (test_.n() >= test_.horizon()) return;
        }
        test_.update(arguments...);
        if constexpr (requires { test_.log_at_most(); }) {
            // E + left <= exp(largest) if E <= spent + largest; log(x) >= 1 - 1/x. Most often no maximum is near, and
            // nobody has to know the e-value exactly.
            if (test_.log_at_most() < 1 - 1 / (spent_ + log_largest_) - 1e-9) return;
        }
        log_largest_ = std::max(log_largest_, log_e_value());
    }

    double log_e_value() const {
        if (spent_ == 0) return 0;
        const double left = 1 - spent_;
        return left > 0 ? elementary::log_add_exp(test_.log_e_value(), elementary::log(left)) : test_.log_e_value();
    }

    /// No less than `log_e_value()`, without a logarithm: what is left is at most 1.
    double log_at_most() const
        requires requires(const Test& test) { test.log_at_most(); }
    {
        return std::max(test_.log_at_most(), 0.0) + std::numbers::ln2;
    }

    double log_needed() const { return test_.log_needed(); }
    bool decided() const { return log_largest_ >= log_needed(); }
    double log_largest() const noexcept { return log_largest_; }
    double p_value() const { return detail::SidedEvidence::p_value_of(log_largest_); }

    /// PairedTest: an interval passed without values.
    void gap()
        requires requires(Test& test) { test.gap(); }
    {
        test_.gap();
    }

    /// PairedTest: another noise holds from now on (a new stage).
    template <class Noise>
    void set_noise(const Noise& noise) {
        test_.set_noise(noise);
    }

    /// The test's, with the mixture's e-value. The interval, where the test keeps one, runs from the first start.
    Evidence evidence() const {
        Evidence evidence = test_.evidence();
        evidence.log_e_value = log_e_value();
        evidence.p_value = p_value();
        return evidence;
    }

    /// The capital that has been put to work, in [0, 1].
    double spent() const noexcept { return spent_; }
    const Test& test() const noexcept { return test_; }

    auto state() const {
        using TestState = decltype(test_.state());
        static_assert(described_whole<StartMixtureState<TestState>>());
        return StartMixtureState<TestState>{spent_, log_largest_, test_.state()};
    }

    template <class TestState>
    void restore(const StartMixtureState<TestState>& state) {
        if (!(state.spent >= 0 && state.spent <= 1 + 1e-9) || !detail::SidedEvidence::sound(state.log_largest)) {
            raise(Code::state_invariant, "the state of a StartMixture has spent " + given_text(state.spent) +
                                             " of its capital; allowed: 0 to 1");
        }
        test_.restore(state.test);
        spent_ = state.spent;
        log_largest_ = state.log_largest;
    }

  private:
    Test test_;
    double spent_ = 0;
    double log_largest_ = 0;
};

}  // namespace sequential
}  // namespace v0
}  // namespace serinus
