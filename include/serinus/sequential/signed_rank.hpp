#pragma once
/// \file
/// Is the canary's gauge worse, when differences are independent and symmetric? Needs no history.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include <serinus/core/error.hpp>
#include <serinus/core/evidence.hpp>
#include <serinus/core/require.hpp>
#include <serinus/core/state.hpp>
#include <serinus/core/words.hpp>
#include <serinus/numeric/elementary.hpp>
#include <serinus/sequential/detail/same_options.hpp>

namespace serinus {
inline namespace v0 {
namespace sequential {

struct SignedRankOptions {
    double alpha = 0.05;
    Harm harm = Harm::increase;
    Margin margin = {.ratio = std::nullopt, .difference = 0.0};  ///< a difference
};

/// All that a SignedRankTest remembers.
struct SignedRankState {
    static constexpr std::string_view kind = "srnk";
    static constexpr std::int64_t version = 1;

    double alpha = 0;
    Harm harm = Harm::increase;
    double difference = 0;
    double n = 0, sum = 0, log_largest = 0;
    std::vector<double> above, below;              // log wealth of each bet, by direction; empty: not asked for
    std::vector<double> sizes_above, sizes_below;  // ascending |difference|s seen, the first ones

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("alpha", self.alpha);
        visit("harm", self.harm);
        visit("difference", self.difference);
        visit("n", self.n);
        visit("sum", self.sum);
        visit("log_largest", self.log_largest);
        visit("above", self.above);
        visit("below", self.below);
        visit("sizes_above", self.sizes_above);
        visit("sizes_below", self.sizes_below);
    }
};
static_assert(described_whole<SignedRankState>());

/// Anytime-valid test of differences that are, beyond the margin, as likely positive as negative.
///
/// Answers, after each interval: is the canary worse by more than the margin? Reject as soon as `log_e_value() >=
/// log(1/alpha)`. Null hypothesis (`harm = increase`): given the past, canary - baseline is in law at most something
/// symmetric about the margin: swap the arms, move one of them by at most the margin, and nothing gets worse. It holds,
/// whatever drifts and cycles hit both arms, where differences are symmetric and *independent*. Proved for those: with
/// d_t = canary - baseline - margin, sign(d_t) R_t rises with d_t given the past, R_t being the rank below, so its mean
/// is at most that of the symmetric one, which is 0 (inside a margin d_t itself need not be as often negative as
/// positive *given its size*: with differences of +-5 and a margin of 2 a |d_t| of 3 is always positive). It does not
/// hold for gauges as they come: measured, .83 of good canaries are stopped when the canary's noise is skewed to the
/// left, and autocorrelated differences break it too. `PairedTest` is for those; this one for who has no history and
/// knows that symmetry holds.
///
/// Formula (signed sequential ranks, Reynolds 1975; bets as in Ramdas et al. 2022): R_t the midrank of |d_t| among the
/// sizes seen so far and itself, minus 1/2, as a share, in (0, 1); X_t = sign(d_t) R_t; E = mean over j = 1..9 of the
/// product of (1 + (j/10) X_s). After 256 sizes the rank is among the first 256: any rank that does not look at the
/// sign is valid. `decrease` turns it around, `either` is the mean of both directions.
///
/// A difference that is exactly the margin bets nothing; NaN is no information; an infinite one ranks highest. Raises
/// `serinus.argument.range/margin` for impossible options. The estimate is the mean difference; there is no interval
/// (confidence 0). Bits: the same on every platform. Cost: a search and nine logs; state at most 4,500 bytes.
///
///     SignedRankTest test({.alpha = 0.05, .margin = {.difference = 2.0}});
///     test.update(canary_ms - baseline_ms);
///     bool roll_back = test.decided();
class SignedRankTest {
  public:
    static constexpr std::size_t most_sizes = 256;
    static constexpr std::size_t bets = 9;

    explicit SignedRankTest(const SignedRankOptions& options = {}) : options_(options) {
        require_open_unit("alpha", options.alpha);
        require_harm_margin(options.margin);
        if (options.margin.ratio) {
            raise(Code::argument_margin, "margin is a ratio of " + given_text(*options.margin.ratio) +
                                             "; allowed: a difference (its updates are differences)");
        }
        if (options.harm != Harm::decrease) directions_.push_back({+1});
        if (options.harm != Harm::increase) directions_.push_back({-1});
    }

    /// Takes canary - baseline of one interval.
    void update(double difference) {
        if (std::isnan(difference)) return;
        n_ += 1;
        sum_ += difference;
        for (Direction& direction : directions_)
            direction.update(direction.sign * difference - *options_.margin.difference);
        log_largest_ = std::max(log_largest_, log_e_value());
    }

    /// Natural log of the e-value.
    double log_e_value() const {
        if (directions_.size() == 1) return directions_[0].log_e_value();
        return elementary::log_add_exp(directions_[0].log_e_value(), directions_[1].log_e_value()) - elementary::log(2);
    }
    double log_needed() const { return -elementary::log(options_.alpha); }
    /// True once the e-value has reached 1/alpha.
    bool decided() const { return log_largest_ >= log_needed(); }
    /// Always valid: min(1, 1/largest e-value so far).
    double p_value() const { return elementary::exp(-log_largest_); }

    Evidence evidence() const {
        Evidence evidence;
        evidence.log_e_value = log_e_value();
        evidence.p_value = p_value();
        evidence.n_baseline = evidence.n_canary = n_;
        if (n_ > 0) evidence.estimate = sum_ / n_;
        evidence.method = "signed_rank";
        return evidence;
    }

    const SignedRankOptions& options() const noexcept { return options_; }
    double n() const noexcept { return n_; }

    SignedRankState state() const {
        SignedRankState state;
        state.alpha = options_.alpha;
        state.harm = options_.harm;
        state.difference = *options_.margin.difference;
        state.n = n_;
        state.sum = sum_;
        state.log_largest = log_largest_;
        for (const Direction& direction : directions_) {
            (direction.sign > 0 ? state.above : state.below)
                .assign(direction.log_wealth.begin(), direction.log_wealth.end());
            (direction.sign > 0 ? state.sizes_above : state.sizes_below) = direction.sizes;
        }
        return state;
    }

    /// Takes over a state. Raises `serinus.state.options` for one that was taken under other options,
    /// `serinus.state.invariant` for numbers that cannot be; the object is unchanged then.
    void restore(const SignedRankState& state) {
        detail::require_same_options("the state of a SignedRankTest", state, options_);
        bool sound = state.n >= 0 && state.n == std::floor(state.n) && std::isfinite(state.n) &&
                     state.log_largest >= 0 && std::isfinite(state.log_largest);
        for (const Direction& direction : directions_) {
            const auto& wealth = direction.sign > 0 ? state.above : state.below;
            const auto& sizes = direction.sign > 0 ? state.sizes_above : state.sizes_below;
            sound = sound && wealth.size() == bets && sizes.size() <= most_sizes &&
                    std::is_sorted(sizes.begin(), sizes.end()) && static_cast<double>(sizes.size()) <= state.n;
            for (const double value : wealth) sound = sound && std::isfinite(value);
            for (const double value : sizes) sound = sound && value > 0;
        }
        if (!sound) raise(Code::state_invariant, "the state of a SignedRankTest has numbers that cannot be");
        n_ = state.n;
        sum_ = state.sum;
        log_largest_ = state.log_largest;
        for (Direction& direction : directions_) {
            const auto& wealth = direction.sign > 0 ? state.above : state.below;
            std::copy(wealth.begin(), wealth.end(), direction.log_wealth.begin());
            direction.sizes = direction.sign > 0 ? state.sizes_above : state.sizes_below;
        }
    }

  private:
    struct Direction {
        double sign;
        std::array<double, bets> log_wealth{};
        std::vector<double> sizes = {};

        void update(double d) {
            if (d == 0) return;
            const double size = std::fabs(d);
            const auto [low, high] = std::equal_range(sizes.begin(), sizes.end(), size);
            // Midrank among those seen and itself, minus 1/2, over how many there are.
            const auto below = static_cast<double>((low - sizes.begin()) + (high - sizes.begin())) / 2;
            const double rank = (below + 0.5) / static_cast<double>(sizes.size() + 1);
            const double x = d > 0 ? rank : -rank;
            for (std::size_t j = 0; j < bets; ++j)
                log_wealth[j] += elementary::log1p(static_cast<double>(j + 1) / 10 * x);
            if (sizes.size() < most_sizes) sizes.insert(high, size);
        }
        double log_e_value() const {
            double sum = -std::numeric_limits<double>::infinity();
            for (const double value : log_wealth) sum = elementary::log_add_exp(sum, value);
            return sum - elementary::log(static_cast<double>(bets));
        }
    };

    SignedRankOptions options_;
    std::vector<Direction> directions_;
    double n_ = 0, sum_ = 0, log_largest_ = 0;
};

}  // namespace sequential
}  // namespace v0
}  // namespace serinus
