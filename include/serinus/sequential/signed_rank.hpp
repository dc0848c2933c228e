#pragma once
/// \file
/// Is the canary's gauge worse, when differences are independent and symmetric? Needs no history.

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

#include <serinus/core/describe.hpp>
#include <serinus/core/error.hpp>
#include <serinus/core/evidence.hpp>
#include <serinus/core/require.hpp>
#include <serinus/core/state.hpp>
#include <serinus/core/words.hpp>
#include <serinus/numeric/elementary.hpp>
#include <serinus/sequential/detail/directions.hpp>
#include <serinus/sequential/detail/same_options.hpp>
#include <serinus/sequential/detail/sides.hpp>

namespace serinus {
inline namespace v0 {
namespace sequential {

struct SignedRankOptions {
    double alpha = 0.05;                              ///< error of deciding on harm
    std::optional<double> alpha_safe = std::nullopt;  ///< error of deciding on safety; default alpha
    Harm harm = Harm::increase;
    Margin margin = {.ratio = std::nullopt, .difference = 0.0};  ///< a difference
    Side side = Side::harm;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("alpha", self.alpha);
        visit("alpha_safe", self.alpha_safe);
        visit("harm", self.harm);
        visit("margin", self.margin);
        visit("side", self.side);
    }
};
static_assert(described_whole<SignedRankOptions>());

/// All that a SignedRankTest remembers.
struct SignedRankState {
    static constexpr std::string_view kind = "srnk";
    static constexpr std::int64_t version = 2;
    static constexpr std::int64_t since(std::string_view field) {
        return field == "side" || field == "alpha_safe" ? 2 : 1;
    }
    static constexpr std::array<std::string_view, 2> beside{"ratio", "floor"};  // there is none

    double alpha = 0;
    Harm harm = Harm::increase;
    double difference = 0;
    double n = 0, sum = 0, log_largest = 0;
    std::vector<double> above, below;              // log wealth of each bet, by direction; empty: not asked for
    std::vector<double> sizes_above, sizes_below;  // ascending |difference|s seen, the first ones
    Side side = Side::harm;
    std::optional<double> alpha_safe;  // of version 1 not known: it had no side

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
        visit("side", self.side);
        visit("alpha_safe", self.alpha_safe);
    }
};
static_assert(described_whole<SignedRankState>());

/// Anytime-valid test of differences that are, beyond the margin, as likely positive as negative.
///
/// Answers, after each interval: is the canary worse by more than the margin (`side = harm`), or certainly not (`side =
/// safe`)? Reject as soon as `log_e_value() >= log(1/alpha)` (1/alpha_safe on the safe side). Null hypothesis, `side =
/// harm` and `harm = increase`: given the past, canary - baseline is in law at most something
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
/// sign is valid. `decrease` turns it around, `either` is the mean of both directions. `side = safe` exchanges null and
/// alternative, and so the sign of d_t: given the past, canary - baseline is in law at least something symmetric about
/// the margin (`either`: the smaller of both).
///
/// `merge`: a bet's wealth is multiplied with that of the same bet in another test. Proved for differences that are
/// independent of this one's: with what both have seen as the past, each factor still has a mean of at most 1, and the
/// products' mean over the bets is one of e-values. Later ranks are among the sizes of both, of which as many as there
/// is room for are kept, evenly from the smallest to the largest, whatever their signs.
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

    explicit SignedRankTest(const SignedRankOptions& options = {})
        : options_(checked(options)),
          sided_(options_),
          directions_(options_.harm, options_.side, [](bool up) { return Direction{up ? 1.0 : -1.0}; }) {}

    /// Takes canary - baseline of one interval.
    void update(double difference) {
        if (std::isnan(difference)) return;
        n_ += 1;
        sum_ += difference;
        for (Direction& direction : directions_) {
            const double beyond = direction.sign * difference - *options_.margin.difference;
            direction.update(options_.side == Side::harm ? beyond : -beyond);
        }
        sided_.note(log_e_value());
    }

    /// Takes many intervals, in order; to the bit what so many calls of `update` do.
    void update_many(std::span<const double> differences) {
        for (const double difference : differences) update(difference);
    }

    /// Takes over what another test of the same options has seen of other, independent differences, and looks once. The
    /// p-value is that of this test so far and of both together. Raises `serinus.state.options`, and changes nothing,
    /// for other options.
    void merge(const SignedRankTest& other) {
        detail::require_same_options("the test given to SignedRankTest.merge", other.options_, options_);
        n_ += other.n_;
        sum_ += other.sum_;
        for (std::size_t i = 0; i < directions_.size(); ++i) directions_[i].merge(other.directions_[i]);
        sided_.note(log_e_value());
    }

    /// Natural log of the e-value.
    double log_e_value() const {
        return directions_.together([](const Direction& direction) { return direction.log_e_value(); });
    }
    /// The log e-value at which the test decides: log(1/alpha), on the safe side log(1/alpha_safe).
    double log_needed() const noexcept { return sided_.log_needed(); }
    /// True once the e-value has reached that.
    bool decided() const noexcept { return sided_.decided(); }
    /// Always valid: min(1, 1/largest e-value so far).
    double p_value() const { return sided_.p_value(); }

    Evidence evidence() const {
        Evidence evidence;
        evidence.log_e_value = log_e_value();
        evidence.p_value = p_value();
        evidence.n_baseline = evidence.n_canary = n_;
        if (n_ > 0) evidence.estimate = sum_ / n_;
        evidence.method = "signed_rank";
        return evidence;
    }

    /// The options, `alpha_safe` filled in.
    const SignedRankOptions& options() const noexcept { return options_; }
    double n() const noexcept { return n_; }

    SignedRankState state() const {
        SignedRankState state;
        detail::save_options(state, options_);
        state.n = n_;
        state.sum = sum_;
        state.log_largest = sided_.log_largest();
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
        SignedRankState comparable = state;
        if (!state.alpha_safe) comparable.alpha_safe = options_.alpha_safe;
        detail::require_same_options("the state of a SignedRankTest", comparable, options_);
        bool sound = state.n >= 0 && state.n == std::floor(state.n) && std::isfinite(state.n) &&
                     detail::SidedEvidence::sound(state.log_largest);
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
        sided_.restore(state.log_largest);
        for (Direction& direction : directions_) {
            const auto& wealth = direction.sign > 0 ? state.above : state.below;
            std::copy(wealth.begin(), wealth.end(), direction.log_wealth.begin());
            direction.sizes = direction.sign > 0 ? state.sizes_above : state.sizes_below;
        }
    }

  private:
    static SignedRankOptions checked(const SignedRankOptions& given) {
        SignedRankOptions options = detail::checked_sides(given);
        if (options.margin.ratio) {
            raise(Code::argument_margin, "margin is a ratio of " + given_text(*options.margin.ratio) +
                                             "; allowed: a difference (its updates are differences)");
        }
        return options;
    }

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
        void merge(const Direction& other) {
            for (std::size_t j = 0; j < bets; ++j) log_wealth[j] += other.log_wealth[j];
            std::vector<double> both(sizes.size() + other.sizes.size());
            std::merge(sizes.begin(), sizes.end(), other.sizes.begin(), other.sizes.end(), both.begin());
            const std::size_t kept = std::min(both.size(), most_sizes);
            sizes.resize(kept);
            for (std::size_t i = 0; i < kept; ++i) sizes[i] = both[(2 * i + 1) * both.size() / (2 * kept)];
        }
        double log_e_value() const {
            double sum = -std::numeric_limits<double>::infinity();
            for (const double value : log_wealth) sum = elementary::log_add_exp(sum, value);
            return sum - elementary::log(static_cast<double>(bets));
        }
    };

    SignedRankOptions options_;
    detail::SidedEvidence sided_;
    detail::Directions<Direction> directions_;
    double n_ = 0, sum_ = 0;
};

}  // namespace sequential
}  // namespace v0
}  // namespace serinus
