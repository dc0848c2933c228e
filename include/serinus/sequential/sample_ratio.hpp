#pragma once
/// \file
/// Do the arms get the shares of the traffic that they were told to get? Asked after every interval, as often as you
/// like.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
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
#include <serinus/core/words.hpp>
#include <serinus/numeric/elementary.hpp>
#include <serinus/numeric/root.hpp>
#include <serinus/sequential/detail/same_options.hpp>
#include <serinus/sequential/detail/share_mixture.hpp>
#include <serinus/sequential/detail/sides.hpp>

namespace serinus {
inline namespace v0 {
namespace sequential {

struct SampleRatioOptions {
    double alpha = 0.01;     ///< error of deciding; its own, for this test only ever holds a rollout
    double tolerance = 0.2;  ///< |share/told - 1| that is allowed, in [0, 1); 0: not the least
    Side side = Side::harm;  ///< evidence that the split is not as told, or (tolerance > 0) that it is
    double dispersion = 1;   ///< long-run variance of the split over the binomial one, learned from history; at least 1
    double concentration = 100;  ///< tolerance 0: of the Dirichlet prior around what was told, above 0
    bool interval = true;        ///< let `evidence()` find lower and upper

    friend bool operator==(const SampleRatioOptions&, const SampleRatioOptions&) = default;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("alpha", self.alpha);
        visit("tolerance", self.tolerance);
        visit("side", self.side);
        visit("dispersion", self.dispersion);
        visit("concentration", self.concentration);
        visit("interval", self.interval);
    }
};
static_assert(described_whole<SampleRatioOptions>());

/// All that a SampleRatioTest remembers.
struct SampleRatioState {
    static constexpr std::string_view kind = "srmt";
    static constexpr std::int64_t version = 1;
    static constexpr std::array<std::string_view, 1> beside{"interval"};  // it leaves nothing to remember

    double alpha = 0;
    double tolerance = 0;
    Side side = Side::harm;
    double dispersion = 1;
    double concentration = 0;
    std::vector<double> shares;
    std::vector<double> counts;
    double log_largest = 0;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("alpha", self.alpha);
        visit("tolerance", self.tolerance);
        visit("side", self.side);
        visit("dispersion", self.dispersion);
        visit("concentration", self.concentration);
        visit("shares", self.shares);
        visit("counts", self.counts);
        visit("log_largest", self.log_largest);
    }
};
static_assert(described_whole<SampleRatioState>());

/// Anytime-valid test of a traffic split (sample ratio mismatch).
///
/// Answers, after each interval: is some arm's share of the requests further than `tolerance` from what it was told,
/// relative to it (`side = harm`), or are all of them certainly within (`side = safe`)? Reject as soon as
/// `log_e_value() >= log(1/alpha)`. Any mismatch counts, more or less than told: there is no direction of harm.
///
/// Null hypothesis, `side = harm`: at every interval, given the past, |share/told - 1| <= tolerance for every arm.
/// `side = safe`: for some arm it is at least that, throughout. A tolerance of 0 (point null) alarms on what no router
/// can avoid: .93 of good splits where sessions stick (phi 10; docs/concepts/sequential.md), which is why 0.2 is the
/// default.
///
/// Formula, tolerance > 0: for each arm, and for each end of what it may have, the mixture of likelihood ratios over
/// shares beyond that end (detail/share_mixture.hpp; Robbins 1970); E is their mean, on the
/// safe side the smallest of their mirrors. With two arms the second one's ends are all there is to test. Tolerance 0:
/// the Dirichlet-multinomial Bayes factor (Lindon and Malek 2022), theta the shares told, k the concentration, n the
/// sum of the counts x:
///
///     log E = lgamma(k) - lgamma(k + n) + sum_i [lgamma(k theta_i + x_i) - lgamma(k theta_i) - x_i log theta_i],
///
/// written so that no digit is lost at counts of 2^53: as deviances of k theta_i + x_i from (k + n) theta_i and what
/// Stirling's formula leaves. Requests that come in bunches make a split more variable; with `dispersion` phi every
/// log-likelihood is divided by phi. **Proved**: the error rate for requests that are routed independently, phi >= 1.
/// **Measured**, not proved: with phi learned from history (docs/concepts/sequential.md).
///
/// `shares`: two or more, each above 0, summing to 1 (to 1e-6; they are then scaled). Baseline first. Raises
/// `serinus.argument.range` otherwise and for impossible options.
///
/// evidence(): `estimate` is share/told of the second arm, with more than two arms of the one that deviates most for
/// its size; `lower` and `upper` bound the same; `share(arm)` has them for each arm, as shares. `confidence` = 1 -
/// alpha, for all arms at once. `n_baseline` counts the first arm's requests, `n_canary` all others'. No request at
/// all: the e-value is 1, the estimate NaN, nothing is excluded. Raises `serinus.argument.count` for counts that are
/// negative or above 2^53, and `serinus.argument.length` for another number of arms; nothing is changed then.
///
/// Cost of an update: O(arms) in a healthy interval, since a bound shows that the largest e-value cannot have changed;
/// otherwise some 35 exponentials an end. State: below 200 bytes for two arms.
///
///     SampleRatioTest test({0.9, 0.1});
///     test.update({9120, 880});
///     bool hold = test.decided();
class SampleRatioTest {
  public:
    explicit SampleRatioTest(std::span<const double> shares, const SampleRatioOptions& options = {})
        : options_(checked(options)), sided_(options_), shares_(scaled(shares)), counts_(shares.size(), 0.0) {
        if (options_.tolerance > 0) {
            make_ends();
        } else {
            prior_volume_ = volume_ = log_volume();
        }
    }
    SampleRatioTest(std::initializer_list<double> shares, const SampleRatioOptions& options = {})
        : SampleRatioTest(std::span<const double>(shares.begin(), shares.size()), options) {}

    /// Takes the requests of one interval: one count an arm, in the order of the shares.
    void update(std::span<const std::int64_t> counts) {
        check(counts);
        take(counts);
    }
    void update(std::initializer_list<std::int64_t> counts) {
        update(std::span<const std::int64_t>(counts.begin(), counts.size()));
    }

    /// Takes many intervals, in order: the counts of the first one, of the second one, and so on. To the bit what so
    /// many calls of `update` do; nothing is taken when a count is impossible.
    void update_many(std::span<const std::int64_t> counts) {
        const std::size_t arms = shares_.size();
        if (counts.size() % arms != 0) {
            raise(Code::argument_length, "counts has " + std::to_string(counts.size()) +
                                             " elements; allowed: a multiple of " + std::to_string(arms) +
                                             ", the number of arms");
        }
        for (std::size_t i = 0; i < counts.size(); i += arms) check(counts.subspan(i, arms));
        for (std::size_t i = 0; i < counts.size(); i += arms) take(counts.subspan(i, arms));
    }

    /// Natural log of the e-value.
    double log_e_value() const {
        const double n = total();
        if (ends_.empty()) return log_volume() - prior_volume_ + deviance_from_prior();
        double sum = -std::numeric_limits<double>::infinity(), least = std::numeric_limits<double>::infinity();
        for (const End& end : ends_) {
            const double value = end.mixture.log_e_value(counts_[end.arm], n, options_.dispersion);
            sum = elementary::log_add_exp(sum, value);
            least = std::min(least, value);
        }
        if (options_.side == Side::safe) return least;
        return sum - elementary::log(static_cast<double>(ends_.size()));
    }

    double log_needed() const noexcept { return sided_.log_needed(); }
    /// True once the e-value has reached 1/alpha.
    bool decided() const noexcept { return sided_.decided(); }
    /// Always valid: min(1, 1/largest e-value so far).
    double p_value() const { return sided_.p_value(); }

    /// Always-valid bounds on the share of an arm, at `confidence` 1 - alpha for all arms at once. Tolerance > 0: the
    /// shares at which a mixture as above, begun there, would equal its part of 1/alpha; tolerance 0: all shares whose
    /// Dirichlet-multinomial e-value is below 1/alpha, projected on the arm. Raises `serinus.argument.range` for an arm
    /// that there is not.
    Interval share(std::size_t arm) const {
        if (arm >= shares_.size()) {
            raise(Code::argument_range,
                  "arm is " + std::to_string(arm) + "; allowed: 0 to " + std::to_string(shares_.size() - 1));
        }
        const double n = total(), x = counts_[arm], phi = options_.dispersion;
        Interval interval{0, 1, 1 - options_.alpha};
        if (!(n > 0)) return interval;
        if (options_.tolerance > 0) {
            // Two ends of each arm, two in all where one arm's share is the rest of the other's.
            const auto ends = static_cast<double>(shares_.size() == 2 ? 2 : 2 * shares_.size());
            const double needed = log_needed() + elementary::log(ends);
            interval.lower =
                bound(x, n, +1, [&](double t) { return detail::ShareMixture(t, +1).log_e_value(x, n, phi) - needed; });
            interval.upper =
                bound(x, n, -1, [&](double t) { return detail::ShareMixture(t, -1).log_e_value(x, n, phi) - needed; });
            return interval;
        }
        // log E(theta) = log E(told) + (D(told) - D(theta))/phi with D the counts' deviance from theta; the other arms'
        // shares that suit them best leave n KL(x/n | t) of D.
        double allowed = log_needed() - log_e_value();
        for (std::size_t i = 0; i < shares_.size(); ++i) {
            const double d = detail::excess_over_share(counts_[i], n, shares_[i]);
            allowed += detail::deviance_from_excess(counts_[i], n * shares_[i], d) / phi;
        }
        const auto excess = [&](double t) {
            const double d = detail::excess_over_share(x, n, t);
            return (detail::deviance_from_excess(x, n * t, d) + detail::deviance_from_excess(n - x, n * (1 - t), -d)) /
                       phi -
                   allowed;
        };
        interval.lower = bound(x, n, +1, excess);
        interval.upper = bound(x, n, -1, excess);
        return interval;
    }

    Evidence evidence() const {
        Evidence evidence;
        evidence.log_e_value = log_e_value();
        evidence.p_value = p_value();
        const double n = total();
        evidence.n_baseline = counts_[0];
        evidence.n_canary = n - counts_[0];
        std::size_t arm = 1;
        double farthest = -1;
        for (std::size_t i = 0; i < shares_.size() && shares_.size() > 2 && n > 0; ++i) {
            const double d = detail::excess_over_share(counts_[i], n, shares_[i]);
            const double distance = d * d / (n * shares_[i] * (1 - shares_[i]));
            if (!(distance > farthest)) continue;
            farthest = distance;
            arm = i;
        }
        evidence.estimate = counts_[arm] / n / shares_[arm];
        evidence.method = ends_.empty() ? "dirichlet_multinomial" : "share_mixture";
        if (!options_.interval) return evidence;
        const Interval bounds = share(arm);
        evidence.lower = bounds.lower / shares_[arm];
        evidence.upper = bounds.upper / shares_[arm];
        evidence.confidence = bounds.confidence;
        return evidence;
    }

    const SampleRatioOptions& options() const noexcept { return options_; }
    /// The shares that were told, summing to 1.
    std::span<const double> shares() const noexcept { return shares_; }
    /// The requests so far, one number an arm.
    std::span<const double> counts() const noexcept { return counts_; }

    /// Takes over what another test of the same options and shares has seen of other requests, routed independently:
    /// another region, or the intervals that follow. As if one test had seen all of it, to the bit, except that its
    /// largest e-value is the one of this test so far or of both together. Raises `serinus.state.options`, and changes
    /// nothing, for other options or shares.
    void merge(const SampleRatioTest& other) {
        require_same("the test given to SampleRatioTest.merge", other.options_, other.shares_);
        for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
        sided_.note(log_e_value());
        refresh();
    }

    SampleRatioState state() const {
        SampleRatioState state;
        detail::save_options(state, options_);
        state.shares = shares_;
        state.counts = counts_;
        state.log_largest = sided_.log_largest();
        return state;
    }

    /// Takes over a state. Raises `serinus.state.options` when it was taken under other options or shares,
    /// `serinus.state.invariant` when its numbers cannot be; the object is unchanged then.
    void restore(const SampleRatioState& state) {
        require_same("the state of a SampleRatioTest", state, state.shares);
        bool sound = state.counts.size() == shares_.size() && detail::SidedEvidence::sound(state.log_largest);
        for (const double count : state.counts)
            sound = sound && count >= 0 && count == std::floor(count) && count < 1e300;
        if (!sound) raise(Code::state_invariant, "the state of a SampleRatioTest has numbers that cannot be");
        counts_ = state.counts;
        sided_.restore(state.log_largest);
        refresh();
    }

  private:
    struct End {
        std::size_t arm;
        int beyond;  // of the evidence: +1 above the edge
        detail::ShareMixture mixture;
    };

    /// Raises `serinus.state.options` unless a state, or another test, has these options and shares.
    template <class Given>
    void require_same(std::string_view who, const Given& given, const std::vector<double>& shares) const {
        detail::require_same_options(who, given, options_);
        detail::require_same(who, "a number of arms of", static_cast<double>(shares.size()),
                             static_cast<double>(shares_.size()));
        for (std::size_t i = 0; i < shares_.size(); ++i)
            detail::require_same(who, "shares[" + std::to_string(i) + "]", shares[i], shares_[i]);
    }

    static SampleRatioOptions checked(const SampleRatioOptions& options) {
        require_open_unit("alpha", options.alpha);
        require(options.tolerance >= 0 && options.tolerance < 1, "tolerance", options.tolerance, "0 or more, below 1");
        require(options.dispersion >= 1 && std::isfinite(options.dispersion), "dispersion", options.dispersion,
                "at least 1, finite");
        require(options.concentration > 0 && options.concentration <= 1e15, "concentration", options.concentration,
                "above 0, at most 1e15");
        if (options.side == Side::safe && options.tolerance == 0) {
            raise(Code::argument_range,
                  "side is \"safe\" and tolerance 0; allowed: a tolerance above 0, for nothing proves exact equality");
        }
        return options;
    }

    static std::vector<double> scaled(std::span<const double> shares) {
        if (shares.size() < 2) {
            raise(Code::argument_length,
                  "shares has " + std::to_string(shares.size()) + " elements; allowed: one an arm, two or more");
        }
        double sum = 0;
        for (std::size_t i = 0; i < shares.size(); ++i) {
            require(shares[i] > 0 && shares[i] < 1, "shares[" + std::to_string(i) + "]", shares[i], "above 0, below 1");
            sum += shares[i];
        }
        require(std::fabs(sum - 1) <= 1e-6, "the sum of shares", sum, "1");
        std::vector<double> out(shares.begin(), shares.end());
        for (double& share : out) share /= sum;
        return out;
    }

    /// What an arm may have when every arm is within its tolerance: its own, and what the others leave.
    void make_ends() {
        const double more = 1 + options_.tolerance, less = 1 - options_.tolerance;
        for (std::size_t i = shares_.size() == 2 ? 1 : 0; i < shares_.size(); ++i) {
            const double high = std::min(shares_[i] * more, 1 - (1 - shares_[i]) * less);
            const double low = std::max(shares_[i] * less, 1 - (1 - shares_[i]) * more);
            const int outward = options_.side == Side::harm ? +1 : -1;
            ends_.push_back({i, outward, detail::ShareMixture(high, outward)});
            ends_.push_back({i, -outward, detail::ShareMixture(low, -outward)});
        }
    }

    void check(std::span<const std::int64_t> counts) const {
        if (counts.size() != shares_.size()) {
            raise(Code::argument_length, "counts has " + std::to_string(counts.size()) +
                                             " elements; allowed: " + std::to_string(shares_.size()) + ", one an arm");
        }
        for (std::size_t i = 0; i < counts.size(); ++i) {
            if (is_count(counts[i])) continue;
            raise(Code::argument_count,
                  "counts[" + std::to_string(i) + "] is " + std::to_string(counts[i]) + "; allowed: 0 to 2^53");
        }
    }

    void take(std::span<const std::int64_t> counts) {
        for (std::size_t i = 0; i < counts.size(); ++i) counts_[i] += static_cast<double>(counts[i]);
        // The bound of the ends lies above by a factor; that of the Dirichlet-multinomial by more than rounding.
        const double slack = ends_.empty() ? 1e-9 : 0;
        if (upper_bound() + slack <= sided_.log_largest()) return;
        sided_.note(log_e_value());
        refresh();
    }

    double total() const {
        double n = 0;
        for (const double count : counts_) n += count;
        return n;
    }

    /// No more than this is the log e-value; without an exponential. KL(p | q) is at most (p - q)^2/(q (1 - q)).
    double upper_bound() const {
        const double n = total();
        if (ends_.empty()) {
            double sum = 0;
            for (std::size_t i = 0; i < shares_.size(); ++i) {
                const double d = counts_[i] - n * shares_[i];
                sum += d * d / ((options_.concentration * options_.dispersion + n) * shares_[i]);
            }
            // The volume only falls while counts rise, so an old one bounds it.
            return sum / options_.dispersion + (volume_ - prior_volume_);
        }
        double largest = 0;
        for (const End& end : ends_) {
            const double edge = end.mixture.edge(), d = counts_[end.arm] - n * edge;
            if (end.beyond * d > 0)
                largest = std::max(largest, d * d / (n * edge * (1 - edge)));
            else if (options_.side == Side::safe)
                return 0;
        }
        return largest / options_.dispersion;
    }

    void refresh() {
        if (ends_.empty()) volume_ = log_volume();
    }

    /// sum lgamma(a_i) - lgamma(a) - sum a_i log(a_i/a), a_i the prior's and the data's counts, a their sum: without
    /// the constant (arms - 1) log(2 pi)/2.
    double log_volume() const {
        const double k = options_.concentration, phi = options_.dispersion;
        double logs = 0, rest = 0;
        for (std::size_t i = 0; i < shares_.size(); ++i) {
            const double a = k * shares_[i] + counts_[i] / phi;
            logs += elementary::log(a);
            rest += detail::stirling_remainder(a);
        }
        const double a = k + total() / phi;
        return 0.5 * (elementary::log(a) - logs) + (rest - detail::stirling_remainder(a));
    }

    /// sum a_i log(a_i/(a theta_i)), the a_i as above.
    double deviance_from_prior() const {
        const double k = options_.concentration, phi = options_.dispersion, n = total();
        double sum = 0;
        for (std::size_t i = 0; i < shares_.size(); ++i) {
            sum += detail::deviance_from_excess(k * shares_[i] + counts_[i] / phi, (k + n / phi) * shares_[i],
                                                detail::excess_over_share(counts_[i], n, shares_[i]) / phi);
        }
        return sum;
    }

    /// The share where `excess`, which is below 0 at x/n and rises from there, is 0: below it (beyond +1) or above.
    template <class Excess>
    static double bound(double x, double n, int beyond, const Excess& excess) {
        if (beyond > 0 ? x == 0 : x == n) return beyond > 0 ? 0 : 1;
        const auto share_at = [](double u) { return 1 / (1 + elementary::exp(-u)); };
        const auto at = [&](double u) { return excess(share_at(u)); };
        const double start = elementary::log((x + 0.5) / (n - x + 0.5));
        double inside = start, at_inside = at(inside);
        if (at_inside > 0) return share_at(start);
        // Outward, first by about a standard deviation of the log odds.
        for (double step = std::sqrt(1 / (x + 0.5) + 1 / (n - x + 0.5));; step *= 2) {
            const double outside = start - beyond * step;
            if (!(std::fabs(outside) < 36)) return beyond > 0 ? 0 : 1;
            const double at_outside = at(outside);
            if (at_outside > 0) {
                constexpr double tolerance = 1e-12;
                return share_at(beyond > 0 ? narrow(at, {outside, inside, at_outside, at_inside}, tolerance).lower
                                           : narrow(at, {inside, outside, at_inside, at_outside}, tolerance).upper);
            }
            inside = outside;
            at_inside = at_outside;
        }
    }

    SampleRatioOptions options_;
    detail::SidedEvidence sided_;
    std::vector<double> shares_;
    std::vector<double> counts_;
    std::vector<End> ends_;  // tolerance > 0
    double prior_volume_ = 0, volume_ = 0;
};

}  // namespace sequential
}  // namespace v0
}  // namespace serinus
