#pragma once
/// \file
/// How much more variable are counts than independent events would be? Learned from history, for the tests on counts.

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <serinus/core/error.hpp>
#include <serinus/core/reason.hpp>
#include <serinus/core/special.hpp>
#include <serinus/series/dependence.hpp>

namespace serinus {
inline namespace v0 {
namespace sequential {

/// The long-run dispersion phi of how events divide between two arms of one version.
///
/// Answers: by what must the evidence of ProportionTest, RateTest, ThresholdTest or SampleRatioTest be divided, where
/// events come in bunches (one user's retries, a dependency that breaks for seconds)?
///
/// Formula: with x_c of K events in the canary and q its share of the exposure, e = x_c - q K; phi = (sum e^2/sum K q
/// (1
/// - q)) n/n_eff: Pearson's dispersion, times what the dependence of successive e adds (series/dependence.hpp; the
/// dispersion of single intervals alone leaves .47 false alarms where bunches last longer than one). What both arms
/// share, however it swings, is in K and drops out; so it must be two arms *at the same time*, at about the stage's
/// split: one instance against the others, half the requests against the other half. For SampleRatioTest an event is a
/// request and q is what the canary was told.
///
/// `phi()` is that times its upper 99 % bound by chi-square, on 3 (sum e^2)^2/sum e^4 degrees of freedom, shrunk by
/// n_eff/n: as many as there are intervals when e is normal, and hardly any where a few bunches make all of the
/// variance, so that the next, larger one is no surprise. With 1,000 intervals of many events it costs a tenth, with
/// ten bunches in all of history it is a factor of 3. Never below 1; with fewer than 30 events in history at least 2.
/// An interval with an empty arm or without events counts for nothing. Raises `serinus.argument.count` or
/// `serinus.argument.range`, and changes nothing, for events or exposures that are negative, NaN or infinite. Cost: 8
/// bytes an interval; `phi()` two passes over them.
///
///     CountDispersion history;
///     for (...) history.add(errors_b, requests_b, errors_c, requests_c);
///     RateTest test({.margin = {.ratio = 1.5}, .dispersion = history.phi()});
class CountDispersion {
  public:
    static constexpr double few_events = 30;

    /// Takes one interval: x events of n (requests, or any exposure) in the baseline and in the canary.
    void add(double x_b, double n_b, double x_c, double n_c) {
        for (const double x : {x_b, x_c}) {
            if (!(x >= 0 && std::isfinite(x)))
                raise(Code::argument_count, "events are " + number_text(x) + "; allowed: 0 or more, finite");
        }
        for (const double n : {n_b, n_c}) {
            if (!(n >= 0 && std::isfinite(n)))
                raise(Code::argument_range, "an exposure is " + number_text(n) + "; allowed: 0 or more, finite");
        }
        if (!(n_b > 0 && n_c > 0)) return;
        const double events = x_b + x_c, q = n_c / (n_b + n_c);
        residuals_.push_back(x_c - q * events);
        expected_ += events * q * (1 - q);
        events_ += events;
    }

    /// Variance over what independent events have, as it is found; 1 without an event.
    double variance_ratio() const {
        if (!(expected_ > 0)) return 1;
        const Dependence known = dependence(residuals_);
        double squares = 0;
        for (const double e : residuals_) squares += e * e;
        return squares / expected_ * (known.n / known.n_effective);
    }

    /// How many independent normal residuals tell as much about the variance as these do.
    double degrees_of_freedom() const {
        double squares = 0, fourths = 0;
        for (const double e : residuals_) {
            squares += e * e;
            fourths += (e * e) * (e * e);
        }
        if (!(fourths > 0)) return 0;
        const Dependence known = dependence(residuals_);
        return std::min(known.n, 3 * squares * squares / fourths) * (known.n_effective / known.n);
    }

    /// For the options of a test.
    double phi() const {
        const double freedom = degrees_of_freedom();
        double bound = 1;
        if (freedom > 0) {
            const double quantile = 2 * incomplete_gamma_inverse(freedom / 2, 0.01);
            // A single bunch bounds nothing; what follows from it is as good as no evidence ever.
            bound = quantile > 1e-6 * freedom ? std::max(1.0, freedom / quantile) : 1e6;
        }
        return std::max(variance_ratio() * bound, events_ < few_events ? 2.0 : 1.0);
    }

    double events() const noexcept { return events_; }
    const std::vector<double>& residuals() const noexcept { return residuals_; }

  private:
    std::vector<double> residuals_;
    double expected_ = 0, events_ = 0;
};

}  // namespace sequential
}  // namespace v0
}  // namespace serinus
