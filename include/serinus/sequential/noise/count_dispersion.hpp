#pragma once
/// \file
/// How much more variable are counts than independent events would be? Learned from history, for the tests on counts
/// (CountDispersion) and for the one on quantiles (ShareDispersion).

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include <serinus/core/error.hpp>
#include <serinus/core/require.hpp>
#include <serinus/core/text.hpp>
#include <serinus/sequential/detail/shared_level.hpp>
#include <serinus/series/dependence.hpp>

namespace serinus {
inline namespace v0 {
namespace sequential {

/// What to multiply a dispersion with that was learned on so many degrees of freedom, so that a test of the error rate
/// alpha keeps it.
///
/// Answers: what does not knowing phi cost? Formula: with phi the true dispersion, a test whose evidence is divided by
/// k phi^ errs with probability at most about alpha^(k phi^/phi) (Ville's bound of the tempered e-process). With
/// phi^/phi a chi-square on nu degrees of freedom over nu that is (1 + 2 lambda k/nu)^(-nu/2) on average, lambda =
/// log(1/alpha); it is alpha at k = (e^x - 1)/x, x = 2 lambda/nu. Degrees of freedom are themselves estimated: nu/(1 +
/// 3/sqrt(nu)) of them are used, which only matters where there are few.
///
/// degrees_of_freedom > 0, at 0 and below the factor is 1e6: as good as no evidence ever. alpha in (0, 1). Between 1
/// and 1e6: 1.03 at 113 degrees of freedom and alpha .05, 1.9 at 10; 2.8 at 10 and alpha .01.
///
/// `known_degrees_factor`: where the degrees of freedom are no estimate, such as a number of cosines; 1.3 at 12 and
/// alpha .05, 1.9 at alpha .001.
inline double known_degrees_factor(double degrees_of_freedom, double alpha) {
    constexpr double most = 1e6;
    if (!(degrees_of_freedom > 0)) return most;
    const double x = -2 * std::log(alpha) / degrees_of_freedom;
    return x < 30 ? std::min(most, std::expm1(x) / x) : most;
}

/// Degrees of freedom that are estimated, as those that are worth as much.
inline double estimated_degrees(double degrees_of_freedom) {
    return degrees_of_freedom > 0 ? degrees_of_freedom / (1 + 3 / std::sqrt(degrees_of_freedom)) : 0;
}

inline double dispersion_factor(double degrees_of_freedom, double alpha) {
    return known_degrees_factor(estimated_degrees(degrees_of_freedom), alpha);
}

/// A dispersion as history shows it.
struct LearnedDispersion {
    static constexpr std::size_t swings = 12;       ///< of the slowest ones, how many are looked at
    static constexpr double usual_intervals = 300;  ///< of a rollout, where nothing else is said
    static constexpr double long_enough = 5;        ///< rollouts that history is long, for swings to be seen in it

    double variance_ratio = 1;      ///< long-run variance over what independent events have; 1 where nothing happened
    double degrees_of_freedom = 0;  ///< as many independent normal residuals tell as much about it
    double single_ratio = 1;        ///< the same of single intervals, without their dependence
    double bunches = 0;             ///< the degrees of freedom of that
    double size = 0;                ///< intervals of history
    /// The long-run variance as each of the slowest swings has it, the slowest first, over what independent events
    /// have. For two arms the first one is the sum of all residuals: what the arms differ by throughout.
    std::array<double, swings> slow{};

    /// What a test of the error rate alpha may take for phi, in a rollout of so many intervals; at least 1; 1 where
    /// nothing happened.
    double phi(double alpha, double intervals = usual_intervals) const {
        if (degrees_of_freedom == 0) return std::max(variance_ratio, 1.0);
        const double lasting = variance_ratio * dispersion_factor(degrees_of_freedom, alpha);
        return std::max({lasting, slow_phi(alpha, intervals), 1.0});
    }

    /// The part of `phi` that the slow swings ask for; 0 where they ask for nothing.
    double slow_phi(double alpha, double intervals) const {
        constexpr double beyond_chance = 1.33;  // ten to twelve of them average more in a fifth of independent series
        const double times = size / intervals;
        const auto used = static_cast<std::size_t>(std::clamp(2 * times, 1.0, static_cast<double>(swings)));
        double mean = 0;
        for (std::size_t i = 0; i < used; ++i) mean += slow[i] / static_cast<double>(used);
        if (times >= long_enough && !(mean > beyond_chance * single_ratio)) return 0;
        return mean * known_degrees_factor(std::min(static_cast<double>(used), bunches), alpha);
    }
};

namespace detail {

/// Residuals of counts over history, and the variance that independent events would give their sum.
class CountResiduals {
  public:
    /// `centred`: the residuals sum to 0 by themselves, so that their sum says nothing.
    explicit CountResiduals(bool centred) : centred_(centred) {}

    void add(double residual, double expected_variance) {
        residuals_.push_back(residual);
        expected_ += expected_variance;
    }

    /// Compares them with another variance.
    void expect(double variance) { expected_ = variance; }

    /// The ratio (sum e^2/expected) n/n_eff; and of a chi-square whose relative variance is that of sum e^2 the degrees
    /// of freedom, 2/nu = sum e^4/(sum e^2)^2 - 1/n, at most n, shrunk by n_eff/n.
    LearnedDispersion learned() const {
        double sum = 0, squares = 0, fourths = 0;
        for (const double e : residuals_) {
            sum += e;
            squares += e * e;
            fourths += (e * e) * (e * e);
        }
        if (!(fourths > 0) || !(expected_ > 0)) return {};
        const double n = static_cast<double>(residuals_.size()), independent = n_effective();
        const double relative = fourths / (squares * squares) - 1 / n;
        LearnedDispersion found;
        found.size = n;
        found.single_ratio = squares / expected_;
        found.bunches = relative > 0 ? std::min(n, 2 / relative) : n;
        found.variance_ratio = found.single_ratio * (n / independent);
        found.degrees_of_freedom = found.bunches * (independent / n);
        // The sum of all residuals is a swing, too, unless it is 0 by construction.
        const std::vector<double> swings = slow_swings(residuals_, LearnedDispersion::swings);
        if (centred_) {
            std::copy(swings.begin(), swings.end(), found.slow.begin());
        } else {
            found.slow[0] = sum * sum / n;
            std::copy(swings.begin(), swings.end() - 1, found.slow.begin() + 1);
        }
        for (double& swing : found.slow) swing *= n / expected_;
        return found;
    }

    /// How many independent residuals these are worth. Where dependence shows in the first lags, the minimum rule
    /// (series/dependence.hpp); where it shows in the twelve slowest swings, what these say, if it is less: arms that
    /// drift apart over hours hardly show from one interval to the next. Where nothing shows, the first lag alone: the
    /// minimum rule's second model has nothing to go by in independent points and makes phi 15 % too large.
    double n_effective() const {
        const Dependence known = dependence(residuals_);
        if (!(known.variance > 0)) return known.n_effective;
        constexpr std::size_t swings = 12;
        constexpr double beyond_chance = 2.2;  // 12 of them average more in 1 % of independent series
        const double slow = slow_variance(residuals_, swings) / known.variance;
        if (slow > beyond_chance) return std::min(known.n_effective, known.n / slow);
        return first_lags(known).n_effective;
    }

    const std::vector<double>& residuals() const noexcept { return residuals_; }

  private:
    std::vector<double> residuals_;
    double expected_ = 0;
    bool centred_;
};

inline void check_phi(double alpha, double intervals) {
    require_open_unit("alpha", alpha);
    require(intervals > 0 && std::isfinite(intervals), "intervals", intervals, "above 0, finite");
}

}  // namespace detail

/// The long-run dispersion phi of how events divide between two arms of one version.
///
/// Answers: by what must the evidence of ProportionTest, RateTest, ThresholdTest or SampleRatioTest be divided, where
/// events come in bunches (one user's retries, a dependency that breaks for seconds)?
///
/// Formula: with x_c of K events in the canary and q its share of the exposure, e = x_c - q K;
/// `learned().variance_ratio` is (sum e^2/sum K q (1 - q)) n/n_eff: Pearson's dispersion, times what the dependence of
/// successive e adds, in the first lags or in slow swings (the dispersion of single intervals alone leaves .47 false
/// alarms where bunches last longer than one). What both arms share, however it swings, is in K and drops out; so it
/// must be two arms *at the same time*, at about the stage's split: one instance against the others, half the requests
/// against the other half. For SampleRatioTest an event is a request and q is what the canary was told.
///
/// Where all exposures are whole numbers no smaller than the events, they are taken for requests: K q (1 - q) is
/// multiplied by 1 - p, p the level of the intervals before as SharedLevel has it, since shares scatter by p (1 - p)
/// and that is what ProportionTest and ThresholdTest bet on (without a level their evidence was that of the larger K q
/// (1 - q)). RateTest, which bets on K q (1 - q), loses by it where such exposures have many events.
///
/// `phi(alpha)` is that times `dispersion_factor` on the degrees of freedom that sum e^2 shows: as many as there are
/// intervals when e is normal, and about as few as bunches where a few of them make all of the variance (twice as many
/// as bunches of one size, fewer where sizes differ), so that the next, larger one is no surprise. Give the smallest
/// error rate that the test will have. At 200 degrees of freedom it costs 2 to 3 %, at 50 9 to 14 %, at 8 a factor of
/// 2.4 (alpha .05) or 4.1 (.01). **Measured** (docs/concepts/sequential.md): without the factor a test at 99:1, .05
/// events an interval and phi 10 let .06 (alpha .05) and .04 (alpha .01) of good canaries be stopped; with it .015 and
/// .005, and no cell of the grid there is above its alpha by more than a standard error (largest .035 and .0107).
///
/// **Slow swings, and how long history is.** `phi(alpha, intervals)` is also at least what the slowest swings of
/// history say: the mean of the squares of the sum of all e and of the slowest cosines, q = 2 history/`intervals` of
/// them all told, at least 1 and at most 12: those that are slower than the rollout. q numbers have q degrees of
/// freedom, so it is multiplied by (e^x - 1)/x, x = 2 log(1/alpha)/q. That is a factor of 1.3 (alpha .05), 1.5 (.01) or
/// 1.9 (.001) where history is six rollouts long, 3, 7 or 21 where it is one and a half, 6, 21 or 144 where it is as
/// long as the rollout, and 67 or more where it is shorter: a short history decides little, and five rollouts of
/// history are what lifts that. From there on swings count only where they are larger than in four of five histories of
/// independent events, which leaves
/// phi as it is in most. The sum of all e is among them since a test has no offset: arms that differ throughout
/// history, though they run one version, would be found to differ in the rollout.
///
/// **Measured** at 900:100, 2 %, rollouts of 300 intervals, 1,500 of each of 15 families (docs/concepts/sequential.md):
/// largest share of good canaries stopped at .05, .01 and .001: .024, .007, .003 with 2,000 intervals of history, .020,
/// .007, .001 with 500 and .020, .005, .001 with 200 (before: .059, .028, .021; .29, .21, .14; .37, .33, .29); at
/// 500:500 and 9900:100 .030, .010, .005 at most, 800 of each. What history has never met no estimate knows: an outage
/// of one arm that comes once in 200 intervals, learned from 200 quiet ones, stops .03 of good canaries in rollouts of
/// 50 intervals at any alpha. A rollout that lasts longer than `intervals` says is not covered.
///
/// Never below 1; with fewer than 30 events in history at least 2. An interval with an empty arm counts for nothing.
/// Raises `serinus.argument.count` or `serinus.argument.range`, and changes nothing, for events or exposures that are
/// negative, NaN or infinite, for an alpha outside (0, 1), and for `intervals` (the longest rollout that is judged with
/// it; 300 if not said) that are not above 0 and finite. Cost: 8 bytes an interval; `phi()` some 24 cosines for each.
///
///     CountDispersion history;
///     for (...) history.add(errors_b, requests_b, errors_c, requests_c);
///     RateTest test({.margin = {.ratio = 1.5}, .dispersion = history.phi(0.05)});
class CountDispersion {
  public:
    static constexpr double few_events = 30;

    /// `may_be_requests`: exposures that could be numbers of requests are taken for these; not for a RateTest.
    explicit CountDispersion(bool may_be_requests = true) : requests_(may_be_requests) {}

    /// Takes one interval: x events of n (requests, or any exposure) in the baseline and in the canary.
    void add(double x_b, double n_b, double x_c, double n_c) {
        check("baseline", x_b, n_b);
        check("canary", x_c, n_c);
        if (!(n_b > 0 && n_c > 0)) return;
        const double events = x_b + x_c, n = n_b + n_c, q = n_c / n;
        const double variance = events * q * (1 - q);
        residuals_.add(x_c - q * events, variance);
        events_ += events;
        requests_ = requests_ && n_b == std::floor(n_b) && n_c == std::floor(n_c) && x_b <= n_b && x_c <= n_c;
        if (!requests_) return;
        variance_of_requests_ += variance * (1 - (level_.empty() ? events / n : level_.share(1)));
        level_.add(events, n_b, n_c);
    }

    LearnedDispersion learned() const {
        if (!requests_ || !(variance_of_requests_ > 0)) return residuals_.learned();
        detail::CountResiduals of_requests = residuals_;
        of_requests.expect(variance_of_requests_);
        return of_requests.learned();
    }

    /// For the options of a test whose error rates are alpha or more, in a rollout of at most so many intervals.
    double phi(double alpha = 0.01, double intervals = LearnedDispersion::usual_intervals) const {
        detail::check_phi(alpha, intervals);
        return std::max(learned().phi(alpha, intervals), events_ < few_events ? 2.0 : 1.0);
    }

    double events() const noexcept { return events_; }
    const std::vector<double>& residuals() const noexcept { return residuals_.residuals(); }

  private:
    static void check(const std::string& arm, double events, double exposure) {
        if (!(events >= 0 && std::isfinite(events)))
            raise(Code::argument_count, arm + " has " + given_text(events) + " events; allowed: 0 or more, finite");
        require(exposure >= 0 && std::isfinite(exposure), arm + "'s exposure", exposure, "0 or more, finite");
    }

    detail::CountResiduals residuals_{false};
    double events_ = 0;
    bool requests_;  // exposures could be numbers of requests, as far as they are known
    double variance_of_requests_ = 0;
    SharedLevel level_;
};

/// The long-run dispersion of how many of an arm's values lie at or below a point, for QuantileTest.
///
/// Answers: how much more variable is that count than of independent values? For QuantileTest, which holds each arm on
/// its own against the point, so that what both arms share does not drop out as it does in CountDispersion. Give it an
/// arm's history at the quantile of that history; where the arms differ in size, the larger one: with one correlation
/// inside an interval it has the larger dispersion.
///
/// Formula: e = k - q n of an interval's n values, sum e^2/sum n q (1 - q) times n/n_eff of the successive e, times
/// `dispersion_factor`, or what the slow swings say for a rollout of `intervals`, as in CountDispersion; the sum of all
/// e is not among them, since it is 0 at history's own quantile. Never below 1. An interval without values counts for
/// nothing. Raises `serinus.argument.range` for a q or an alpha outside (0, 1), and `serinus.argument.count` for k or n
/// that are negative, NaN or infinite, or k above n. Cost: 8 bytes an interval.
///
///     ShareDispersion history(0.95);
///     for (...) history.add(at_or_below_p95, values);
///     QuantileTest test({.q = 0.95, .dispersion = history.phi(0.05)});
class ShareDispersion {
  public:
    explicit ShareDispersion(double q) : q_(q) { require_open_unit("q", q); }

    /// Takes one interval: k of n values at or below the point.
    void add(double k, double n) {
        if (!(k >= 0 && k <= n && std::isfinite(n))) {
            raise(Code::argument_count, "an interval has " + given_text(k) + " of " + given_text(n) +
                                            " values at or below the point; allowed: 0 <= k <= n, finite");
        }
        if (n > 0) residuals_.add(k - q_ * n, n * q_ * (1 - q_));
    }

    LearnedDispersion learned() const { return residuals_.learned(); }
    double phi(double alpha = 0.01, double intervals = LearnedDispersion::usual_intervals) const {
        detail::check_phi(alpha, intervals);
        return learned().phi(alpha, intervals);
    }
    const std::vector<double>& residuals() const noexcept { return residuals_.residuals(); }

  private:
    double q_;
    detail::CountResiduals residuals_{true};
};

}  // namespace sequential
}  // namespace v0
}  // namespace serinus
