#pragma once
/// \file
/// How many bad events has the canary brought beyond the baseline's share, so far? Bounds that hold at every look.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <serinus/core/describe.hpp>
#include <serinus/core/error.hpp>
#include <serinus/core/evidence.hpp>
#include <serinus/core/require.hpp>
#include <serinus/core/state.hpp>
#include <serinus/numeric/elementary.hpp>
#include <serinus/numeric/root.hpp>
#include <serinus/sequential/proportion.hpp>

namespace serinus {
inline namespace v0 {
namespace slo {

struct ExcessSequenceOptions {
    double alpha_lower = 0.025;  ///< the lower bound is ever wrong with at most this probability
    double alpha_upper = 0.025;  ///< the upper one
    double dispersion = 1;       ///< long-run variance of the counts over the binomial one, from history; at least 1

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("alpha_lower", self.alpha_lower);
        visit("alpha_upper", self.alpha_upper);
        visit("dispersion", self.dispersion);
    }
};
static_assert(described_whole<ExcessSequenceOptions>());

/// All that an ExcessSequence remembers.
struct ExcessState {
    static constexpr std::string_view kind = "exce";
    static constexpr std::int64_t version = 1;

    double alpha_lower = 0;
    double alpha_upper = 0;
    double dispersion = 1;
    double bad_b = 0, total_b = 0, bad_c = 0, total_c = 0;
    double estimate = 0;
    std::int64_t alive = 0;
    std::vector<double> above, below;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("alpha_lower", self.alpha_lower);
        visit("alpha_upper", self.alpha_upper);
        visit("dispersion", self.dispersion);
        visit("bad_b", self.bad_b);
        visit("total_b", self.total_b);
        visit("bad_c", self.bad_c);
        visit("total_c", self.total_c);
        visit("estimate", self.estimate);
        visit("alive", self.alive);
        visit("above", self.above);
        visit("below", self.below);
    }
};
static_assert(described_whole<ExcessState>());

/// A confidence sequence for the expected excess
///
///     E_T = sum over intervals t <= T of n_c,t (p_c,t - p_b,t),
///
/// the bad events that were to be expected of the canary beyond the baseline's share, the rates being whatever they
/// were in each interval. E_T is random: it grows with the traffic, and rates may drift and depend on the past. Nothing
/// is assumed of them, in particular no constant ratio or difference.
///
/// Method: the inversion of ProportionTest's conditional e-process (ratio 1), with its compensator kept. For a bet
/// lambda > 0 let g = e^lambda - 1 and w_t = n_c,t/n_b,t. While w_t g < 1,
///
///     E[e^(lambda x_c) (1 - w_t g)^x_b] <= exp(n_c p_c g - n_b p_b w_t g) = exp(g n_c (p_c - p_b)),
///
/// since (1 + p u)^n <= exp(n p u): the baseline's rate is gone. So M_T(E) = sum_j pi_j exp(lambda_j C - sum_t mu_j,t
/// x_b,t - E g_j), mu_j,t = -log(1 - w_t g_j), C the canary's bad events, is at E = E_T below a nonnegative
/// supermartingale that starts at 1: P(M_T(E_T) >= 1/alpha for any T) <= alpha (Ville). It falls in E, so the lower
/// bound is where it equals 1/alpha_lower. The upper bound is the same with e^-lambda and 1 + w_t (1 - e^-lambda),
/// without any condition. At E = 0 and equal splits M_T is ProportionTest's e-process under another prior: 33 bets from
/// .001 to 4, equally weighted on a logarithmic scale, so that 5 and 10^6 bad events are bounded equally well.
///
/// Proved for requests that fail independently given the rates, at every rate, split and look, dispersion 1. With
/// `dispersion` phi every exponent is divided by phi: measured, not proved (docs/concepts/release-budget.md). Sizes
/// must be set before the outcomes.
///
/// A bet with w_t g >= 1 is lost when that interval comes: what is left bounds a little less tightly. An interval in
/// which the baseline is empty, or has less than a twentieth of the canary's requests, would lose nearly all of them;
/// it says too little of the baseline, is left out of E_T, and changes nothing.
///
/// No data yet: estimate 0, bounds some events apart. Impossible counts (negative, bad above total, above 2^53) raise
/// `serinus.argument.count`, alphas outside (0, 1) and a dispersion below 1 `serinus.argument.range`. Cost: O(nodes) an
/// interval, 33 of them, and O(nodes) a step of the search for a bound. State: O(nodes).
///
///     ExcessSequence excess({.alpha_lower = 0.01, .alpha_upper = 0.05});
///     excess.update({.bad = 9, .total = 9000}, {.bad = 4, .total = 100});
///     excess.lower() > 0.2 * budget * expected_events;  // proven: more than a fifth of the period's budget
class ExcessSequence {
  public:
    static constexpr std::size_t size = 33;
    /// Intervals whose canary has more than this many times the baseline's requests are left out.
    static constexpr double largest_split = 20;

    explicit ExcessSequence(const ExcessSequenceOptions& options = {}) : options_(options) {
        require_open_unit("alpha_lower", options.alpha_lower);
        require_open_unit("alpha_upper", options.alpha_upper);
        require(options.dispersion >= 1 && std::isfinite(options.dispersion), "dispersion", options.dispersion,
                "at least 1, finite");
        constexpr double low = 0.001, high = 4;
        const double start = elementary::log(low), step = elementary::log(high / low) / (size - 1);
        for (std::size_t j = 0; j < size; ++j) {
            bet_[j] = elementary::exp(start + step * static_cast<double>(j));
            gain_[j] = elementary::expm1(bet_[j]);
            loss_[j] = -elementary::expm1(-bet_[j]);
        }
    }

    /// Takes the counts of one interval.
    void update(const Proportion& baseline, const Proportion& canary) {
        require_possible("baseline", baseline);
        require_possible("canary", canary);
        const double x_b = as_double(baseline.bad), n_b = as_double(baseline.total);
        const double x_c = as_double(canary.bad), n_c = as_double(canary.total);
        if (n_c == 0 || n_c > largest_split * n_b) return;
        const double split = n_c / n_b;
        while (alive_ > 0 && !(split * gain_[alive_ - 1] < 1)) --alive_;
        std::array<double, size> logs;
        for (std::size_t j = 0; j < size; ++j) logs[j] = j < alive_ ? -split * gain_[j] : 0;
        elementary::log1p(logs, logs);
        for (std::size_t j = 0; j < alive_; ++j) above_[j] += x_b * logs[j];
        for (std::size_t j = 0; j < size; ++j) logs[j] = split * loss_[j];
        elementary::log1p(logs, logs);
        for (std::size_t j = 0; j < size; ++j) below_[j] += x_b * logs[j];
        bad_b_ += x_b;
        total_b_ += n_b;
        bad_c_ += x_c;
        total_c_ += n_c;
        estimate_ += x_c - split * x_b;
    }

    /// The excess that was seen: the sum of x_c - w_t x_b.
    double estimate() const noexcept { return estimate_; }

    /// Below this E_T is not, above the other neither: at every look at once, with the two alphas. Rounded outward.
    double lower() const { return bound(true, options_.alpha_lower); }
    double upper() const { return bound(false, options_.alpha_upper); }

    /// Logs of the e-values against "E_T is at most this" and "E_T is at least this": they reach log(1/alpha) where
    /// lower() and upper() reach the value, but for the last digits of those.
    double log_e_value_above(double excess) const { return alive_ > 0 ? log_mixture(bets(true, false), excess) : 0; }
    double log_e_value_below(double excess) const { return log_mixture(bets(false, false), excess); }

    /// The same bounds of the canary's own expected bad events, the sum of n_c,t p_c,t, whatever the baseline does.
    double canary_lower() const { return std::max(0.0, bound(true, options_.alpha_lower, true)); }
    double canary_upper() const { return bound(false, options_.alpha_upper, true); }

    /// What both arms have shown in the intervals that count.
    Proportion baseline() const { return {static_cast<std::int64_t>(bad_b_), static_cast<std::int64_t>(total_b_)}; }
    Proportion canary() const { return {static_cast<std::int64_t>(bad_c_), static_cast<std::int64_t>(total_c_)}; }
    const ExcessSequenceOptions& options() const noexcept { return options_; }

    ExcessState state() const {
        ExcessState state{options_.alpha_lower,
                          options_.alpha_upper,
                          options_.dispersion,
                          bad_b_,
                          total_b_,
                          bad_c_,
                          total_c_,
                          estimate_,
                          static_cast<std::int64_t>(alive_),
                          {},
                          {}};
        state.above.assign(above_.begin(), above_.end());
        state.below.assign(below_.begin(), below_.end());
        return state;
    }

    /// Takes over a state. Raises `serinus.state.options` when it was taken under other options,
    /// `serinus.state.invariant` when its numbers cannot be; the object is unchanged then.
    void restore(const ExcessState& state) {
        if (state.alpha_lower != options_.alpha_lower || state.alpha_upper != options_.alpha_upper ||
            state.dispersion != options_.dispersion) {
            raise(Code::state_options,
                  "the state of an ExcessSequence was taken under other options than this one has");
        }
        const auto count = [](double value) {
            return value >= 0 && std::isfinite(value) && value == std::floor(value);
        };
        const auto all = [](const std::vector<double>& values, const auto& good) {
            return values.size() == size && std::all_of(values.begin(), values.end(), good);
        };
        const bool possible = count(state.bad_b) && count(state.total_b) && count(state.bad_c) &&
                              count(state.total_c) && state.bad_b <= state.total_b && state.bad_c <= state.total_c &&
                              std::isfinite(state.estimate) && state.alive >= 0 &&
                              state.alive <= static_cast<std::int64_t>(size) &&
                              all(state.above, [](double value) { return std::isfinite(value) && value <= 0; }) &&
                              all(state.below, [](double value) { return std::isfinite(value) && value >= 0; });
        if (!possible) raise(Code::state_invariant, "the state of an ExcessSequence has numbers that cannot be");
        bad_b_ = state.bad_b;
        total_b_ = state.total_b;
        bad_c_ = state.bad_c;
        total_c_ = state.total_c;
        estimate_ = state.estimate;
        alive_ = static_cast<std::size_t>(state.alive);
        std::copy(state.above.begin(), state.above.end(), above_.begin());
        std::copy(state.below.begin(), state.below.end(), below_.begin());
    }

  private:
    /// Bets on one side of what is bounded: bet j's log wealth is (won[j] + slope[j] x)/dispersion at the value x.
    struct Bets {
        std::size_t n = size;
        std::array<double, size> won{}, slope{};
    };

    Bets bets(bool above, bool own) const {
        Bets bets;
        if (above && !own) bets.n = alive_;
        for (std::size_t j = 0; j < bets.n; ++j) {
            bets.won[j] = (above ? bet_[j] : -bet_[j]) * bad_c_ + (own ? 0.0 : above ? above_[j] : below_[j]);
            bets.slope[j] = above ? -gain_[j] : loss_[j];
        }
        return bets;
    }

    double log_mixture(const Bets& bets, double x) const {
        std::array<double, size> terms;
        for (std::size_t j = 0; j < bets.n; ++j)
            terms[j] = (bets.won[j] + bets.slope[j] * x) / options_.dispersion - log_size;
        return elementary::log_sum_exp(std::span(terms).first(bets.n));
    }

    double bound(bool above, double alpha, bool own = false) const {
        const Bets bets = this->bets(above, own);
        const double infinity = std::numeric_limits<double>::infinity();
        // One bet alone excludes what lies beyond `sure`; all of them together nothing nearer than `near`.
        const double needed = -elementary::log(alpha);
        double sure = above ? -infinity : infinity, near = sure;
        for (std::size_t j = 0; j < bets.n; ++j) {
            const double alone = (options_.dispersion * (needed + log_size) - bets.won[j]) / bets.slope[j];
            const double together = (options_.dispersion * needed - bets.won[j]) / bets.slope[j];
            sure = above ? std::max(sure, alone) : std::min(sure, alone);
            near = above ? std::max(near, together) : std::min(near, together);
        }
        if (bets.n == 0) return sure;
        const auto excess = [&](double x) { return log_mixture(bets, x) - needed; };
        const double at_sure = excess(sure), at_near = excess(near);
        // Rounding may leave both on one side: then they are as good as equal.
        if (!(at_sure > 0) || !(at_near < 0)) return sure;
        const double tolerance = 1e-12 * (std::fabs(sure) + std::fabs(near));
        return above ? narrow(excess, {sure, near, at_sure, at_near}, tolerance).lower
                     : narrow(excess, {near, sure, at_near, at_sure}, tolerance).upper;
    }

    static constexpr double log_size = 3.4965075614664802354;  // log(33): every bet has the same weight

    ExcessSequenceOptions options_;
    std::array<double, size> bet_{}, gain_{}, loss_{};  // lambda, e^lambda - 1, 1 - e^-lambda
    std::array<double, size> above_{}, below_{};        // sums of x_b log(1 - w g) and x_b log(1 + w (1 - e^-lambda))
    std::size_t alive_ = size;                          // the bets above that are not lost: the smallest ones
    double bad_b_ = 0, total_b_ = 0, bad_c_ = 0, total_c_ = 0;
    double estimate_ = 0;
};

}  // namespace slo
}  // namespace v0
}  // namespace serinus
