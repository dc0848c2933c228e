#pragma once
/// \file
/// Does the canary answer at all? Asked after every interval, as often as you like, of the requests of both arms.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <serinus/core/counts.hpp>
#include <serinus/core/describe.hpp>
#include <serinus/core/error.hpp>
#include <serinus/core/evidence.hpp>
#include <serinus/core/require.hpp>
#include <serinus/core/state.hpp>
#include <serinus/core/text.hpp>
#include <serinus/numeric/elementary.hpp>
#include <serinus/sequential/detail/same_options.hpp>
#include <serinus/sequential/detail/sides.hpp>
#include <serinus/sequential/moving_share.hpp>
#include <serinus/sequential/start_mixture.hpp>

namespace serinus {
inline namespace v0 {
namespace sequential {

struct SilenceOptions {
    double alpha = 0.01;     ///< error of deciding; its own, for silence is not the harm that a margin is about
    double tolerance = 0.2;  ///< by how much the canary may fall short of the share told, relative to it; 0 to below 1
    double dispersion = 10;  ///< long-run variance of the split over the binomial one; at least 1, 10 without history

    friend bool operator==(const SilenceOptions&, const SilenceOptions&) = default;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("alpha", self.alpha);
        visit("tolerance", self.tolerance);
        visit("dispersion", self.dispersion);
    }
};
static_assert(described_whole<SilenceOptions>());

/// All that a SilenceTest remembers.
struct SilenceState {
    static constexpr std::string_view kind = "slnc";
    static constexpr std::int64_t version = 1;

    double alpha = 0;
    double tolerance = 0;
    double dispersion = 1;
    std::int64_t intervals = 0;
    double spent = 0;  ///< capital that has begun
    double n_baseline = 0;
    double n_canary = 0;
    double n_told = 0;                                            ///< requests that the canary would have as told
    double unheard = 0;                                           ///< the baseline's since the canary's last one
    double log_quiet = -std::numeric_limits<double>::infinity();  ///< of what has begun and seen no request since
    std::vector<double> masses;
    double log_largest = 0;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("alpha", self.alpha);
        visit("tolerance", self.tolerance);
        visit("dispersion", self.dispersion);
        visit("intervals", self.intervals);
        visit("spent", self.spent);
        visit("n_baseline", self.n_baseline);
        visit("n_canary", self.n_canary);
        visit("n_told", self.n_told);
        visit("unheard", self.unheard);
        visit("log_quiet", self.log_quiet);
        visit("masses", self.masses);
        visit("log_largest", self.log_largest);
    }
};
static_assert(described_whole<SilenceState>());

/// Anytime-valid test of a canary that shows nothing: the baseline is served, the canary is told a share of the traffic,
/// and no request of it is seen, or next to none.
///
/// Answers, after each interval: does the canary get less than (1 - tolerance) of the share that it was told? Reject as
/// soon as `log_e_value() >= log(1/alpha)`. It is quickest for a canary that has never come or has fallen silent.
///
/// Null hypothesis: every request, given the past, goes to the canary with a probability of at least
/// q = (1 - tolerance) share; the share may be another one in every interval.
///
/// Formula: half of the capital bets on silence. Each interval begins a part of it anew, w_t = start_weight(t), so that
/// "it never came" and "it fell silent" are one thing; n_b requests of the baseline and none of the canary multiply what
/// has begun by (1 - q)^-n_b, a request of the canary makes it 0:
///
///     Q_t = (Q_{t-1} + w_t) (1 - q)^(-n_b/phi)   if n_c = 0, else 0;   E = (Q_t + 1 - w_1 - ... - w_t)/2 + M_t/2
///
/// M is the mixture over shares below q (moving_share.hpp; the lower end of SampleRatioTest with the flat prior
/// of AnchoredPrior), which sees a canary that gets a little. Requests come in bunches where sessions stick: `dispersion`
/// phi divides every log-likelihood. **Proved**: the error rate for requests of which each, given the past, keeps to the
/// null, phi >= 1 (start times are predictable, and mixtures of e-processes are e-processes). **Measured**, not proved:
/// visits that stick, with the phi that they have (docs/concepts/sequential.md).
///
/// After how many requests of the baseline it speaks, the canary having none (alpha .01, phi 1, a look a request; about
/// phi times as many otherwise): 660, 132, 65 and 32 at a share of .01, .05, .1 and .2.
///
/// evidence(): `estimate` is the canary's requests over those told, all intervals together; there is no interval
/// (`SampleRatioTest` has one). `method` is "silence". An interval without a request in either arm is no information and
/// changes nothing. Raises `serinus.argument.range` for impossible options and a share outside (0, 1),
/// `serinus.argument.count` for counts that are negative or above 2^53; nothing is changed then.
///
/// Cost of an update: O(1), some 40 exponentials; 33 logarithms more where the share is another one. State: 350 bytes.
///
///     SilenceTest test;
///     test.update(900, 0, 0.1);   // the canary was told a tenth
///     bool silent = test.decided();
class SilenceTest {
  public:
    explicit SilenceTest(const SilenceOptions& options = {}) : options_(checked(options)), sided_(options_) {
        below_.begin(1);
    }

    /// Takes the requests of one interval and the share of all of them that the canary was told.
    void update(std::int64_t baseline, std::int64_t canary, double share) {
        check(baseline, canary, share);
        take(baseline, canary, share);
    }

    /// Takes many intervals, in order. To the bit what so many calls of `update` do; nothing is taken when a number is
    /// impossible. Raises `serinus.argument.length` for another number of intervals in one of them.
    void update_many(std::span<const std::int64_t> baseline, std::span<const std::int64_t> canary,
                     std::span<const double> shares) {
        detail::require_same_length(baseline.size(), canary.size());
        if (shares.size() != baseline.size()) {
            raise(Code::argument_length, "shares has " + std::to_string(shares.size()) + " intervals, baseline " +
                                             std::to_string(baseline.size()) + "; allowed: the same number");
        }
        for (std::size_t i = 0; i < baseline.size(); ++i) check(baseline[i], canary[i], shares[i]);
        for (std::size_t i = 0; i < baseline.size(); ++i) take(baseline[i], canary[i], shares[i]);
    }

    /// Natural log of the e-value.
    double log_e_value() const {
        const double left = 1 - spent_;
        const double silent = left > 0 ? elementary::log_add_exp(log_quiet_, elementary::log(left)) : log_quiet_;
        return elementary::log_add_exp(silent, below_.log_worth()) - elementary::log(2);
    }

    double log_needed() const noexcept { return sided_.log_needed(); }
    /// True once the e-value has reached 1/alpha.
    bool decided() const noexcept { return sided_.decided(); }
    /// Always valid: min(1, 1/largest e-value so far).
    double p_value() const { return sided_.p_value(); }

    /// Requests of the baseline since the last interval in which the canary had one.
    double unheard() const noexcept { return unheard_; }

    Evidence evidence() const {
        Evidence evidence;
        evidence.log_e_value = log_e_value();
        evidence.p_value = p_value();
        evidence.estimate = n_canary_ / n_told_;
        evidence.n_baseline = n_baseline_;
        evidence.n_canary = n_canary_;
        evidence.method = "silence";
        return evidence;
    }

    const SilenceOptions& options() const noexcept { return options_; }

    SilenceState state() const {
        SilenceState state;
        detail::save_options(state, options_);
        state.intervals = intervals_;
        state.spent = spent_;
        state.n_baseline = n_baseline_;
        state.n_canary = n_canary_;
        state.n_told = n_told_;
        state.unheard = unheard_;
        state.log_quiet = log_quiet_;
        state.masses.assign(below_.masses().begin(), below_.masses().end());
        state.log_largest = sided_.log_largest();
        return state;
    }

    /// Takes over a state. Raises `serinus.state.options` when it was taken under other options,
    /// `serinus.state.invariant` when its numbers cannot be; the object is unchanged then.
    void restore(const SilenceState& state) {
        detail::require_same_options("the state of a SilenceTest", state, options_);
        bool sound = state.intervals >= 0 && state.intervals <= most_count && MovingShare::sound(state.masses) &&
                     std::isfinite(state.masses[0]) && detail::SidedEvidence::sound(state.log_largest) &&
                     state.log_quiet < std::numeric_limits<double>::infinity();
        for (const double count : {state.n_baseline, state.n_canary, state.unheard})
            sound = sound && count >= 0 && count == std::floor(count) && count < 1e300;
        sound = sound && state.spent >= 0 && state.spent <= 1 + 1e-9 && state.n_told >= 0 && state.n_told < 1e300;
        if (!sound) raise(Code::state_invariant, "the state of a SilenceTest has numbers that cannot be");
        intervals_ = state.intervals;
        n_baseline_ = state.n_baseline;
        n_canary_ = state.n_canary;
        n_told_ = state.n_told;
        unheard_ = state.unheard;
        log_quiet_ = state.log_quiet;
        spent_ = state.spent;
        below_.restore(state.masses);
        sided_.restore(state.log_largest);
    }

  private:
    static SilenceOptions checked(const SilenceOptions& options) {
        require_open_unit("alpha", options.alpha);
        require(options.tolerance >= 0 && options.tolerance < 1, "tolerance", options.tolerance, "0 or more, below 1");
        require(options.dispersion >= 1 && std::isfinite(options.dispersion), "dispersion", options.dispersion,
                "at least 1, finite");
        return options;
    }

    static void check(std::int64_t baseline, std::int64_t canary, double share) {
        if (!is_count(baseline) || !is_count(canary)) {
            raise(Code::argument_count, std::string(is_count(baseline) ? "canary" : "baseline") + " is " +
                                            std::to_string(is_count(baseline) ? canary : baseline) +
                                            "; allowed: 0 to 2^53");
        }
        require_open_unit("share", share);
    }

    void take(std::int64_t baseline, std::int64_t canary, double share) {
        const auto n_b = static_cast<double>(baseline), n_c = static_cast<double>(canary);
        if (baseline == 0 && canary == 0) return;
        const double q = (1 - options_.tolerance) * share;
        if (canary > 0) {
            log_quiet_ = -std::numeric_limits<double>::infinity();
            unheard_ = 0;
        } else {
            log_quiet_ = elementary::log_add_exp(log_quiet_, elementary::log(start_weight(intervals_))) -
                         n_b * elementary::log1p(-q) / options_.dispersion;
            unheard_ += n_b;
        }
        spent_ += start_weight(intervals_++);
        n_baseline_ += n_b;
        n_canary_ += n_c;
        n_told_ += share * (n_b + n_c);
        below_.update(n_c, n_b + n_c, q, options_.dispersion);
        sided_.note(log_e_value());
    }

    SilenceOptions options_;
    detail::SidedEvidence sided_;
    std::int64_t intervals_ = 0;
    double n_baseline_ = 0, n_canary_ = 0, n_told_ = 0, unheard_ = 0;
    double log_quiet_ = -std::numeric_limits<double>::infinity();
    double spent_ = 0;  // sum of the weights of all starts
    MovingShare below_{-1};
};

}  // namespace sequential
}  // namespace v0
}  // namespace serinus
