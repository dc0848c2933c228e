#pragma once
/// \file
/// How much a time series knows: its autocorrelation, the number of independent points it is worth, and its long-run
/// variance.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <serinus/core/error.hpp>
#include <serinus/core/version.hpp>
#include <serinus/core/words.hpp>
#include <serinus/numeric/moments.hpp>

namespace serinus {
inline namespace v0 {

/// What the dependence of a series over time leaves of it.
struct Dependence {
    double n = 0;            ///< points
    double mean = 0;         ///< their mean
    double variance = 0;     ///< their variance, divisor n - 1
    double n_effective = 0;  ///< how many independent points carry as much about the mean, in [1.5, n]; 0 for no point
    std::array<double, 3> autocorrelation{};  ///< bias-corrected, at lags 1, 2, 3

    /// The fewest effective points that a verdict may rest on; below, the dependence itself is not known well enough.
    static constexpr double fewest = 6;
    bool sufficient() const noexcept { return n_effective >= fewest; }
    /// Variance of the mean times n, as n grows: sum of all autocovariances.
    double long_run_variance() const noexcept { return n_effective > 0 ? variance * (n / n_effective) : 0; }
    double degrees_of_freedom() const noexcept { return std::max(0.0, n_effective - 1); }
};

namespace detail {

/// Dependence from the sums of lagged products c_t c_{t+l} of the centred series, l = 0..3 (fewer points: zeros).
inline Dependence dependence_from_products(double n, double mean, const std::array<double, 4>& products) {
    Dependence found;
    found.n = n;
    found.mean = mean;
    if (n < 1) return found;
    found.n_effective = std::min(n, 1.5);
    // A constant says nothing about its noise.
    if (n < 2 || !(products[0] > 0)) return found;
    found.variance = products[0] / (n - 1);
    for (std::size_t lag = 0; lag < 3; ++lag) {
        const double raw = products[lag + 1] / products[0];
        found.autocorrelation[lag] = std::clamp(raw + (1 + 4 * raw) / n, -1.0, 1.0);
    }
    const auto [r1, r2, r3] = found.autocorrelation;
    const double first = std::clamp(r1, -0.5, 0.99);
    const double autoregressive = (1 + first) / (1 - first);
    const double phi = r1 + r2 > 1e-3 ? std::clamp((r2 + r3) / (r1 + r2), 0.0, 0.98) : 0.0;
    const double mixed = 1 + 2 * std::max(r1, 0.0) / (1 - phi);
    const double shrinks = std::max({autoregressive, mixed, 1.0});
    found.n_effective = std::clamp(n / shrinks, std::min(n, 1.5), n);
    return found;
}

}  // namespace detail

/// Effective number of points and long-run variance of a series by the minimum rule.
///
/// Answers: how far may the mean of these n successive points be trusted? Positive autocorrelation makes n points worth
/// fewer, and a test that does not know it alarms on half of all healthy canaries.
///
/// Formula: r_l = g_l/g_0 + (1 + 4 g_l/g_0)/n, g_l the autocovariance with divisor n (the bias correction of Marriott
/// and Pope 1954 to first order, clipped to [-1, 1]). Two models, and the smaller answer counts: AR(1), n_eff = n (1 -
/// r_1)/(1 + r_1), r_1 within [-.5, .99]; ARMA(1,1), which is an autoregression seen through white noise and what a
/// scraped gauge usually is: phi = (r_2 + r_3)/(r_1 + r_2) within [0, .98], n_eff = n/(1 + 2 max(r_1, 0)/(1 - phi)).
/// n_eff within [1.5, n]: negative autocorrelation is never counted as a gain. One look at n = 60 has size .034
/// (nominal .05) when independent, .061 at AR(1) .9 when answers below 6 effective points count as inconclusive
/// (docs/concepts/promise.md); Newey and West's estimate has .471 there.
///
/// `values`: in time order, equally spaced, finite (raises `serinus.argument.infinite` naming the index otherwise, for
/// NaN `serinus.argument.nan`).
/// Few points: none gives zeros; fewer than 2, or all equal, give n_effective = min(n, 1.5) and variance 0.
/// The result does not change with the unit (a factor) nor with the level (a shift), nor when time runs backwards;
/// n_eff also at the ends of the doubles, where the variance itself may be no double (infinite, or 0). Cost: three
/// passes.
///
///     const Dependence known = dependence(differences);
///     if (known.sufficient()) standard_error = std::sqrt(known.long_run_variance() / known.n);
inline Dependence dependence(std::span<const double> values) {
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (std::isfinite(values[i])) continue;
        raise(std::isnan(values[i]) ? Code::argument_nan : Code::argument_infinite,
              "values[" + std::to_string(i) + "] is " + (std::isnan(values[i]) ? "NaN" : "infinite") +
                  "; allowed: finite numbers, in time order without gaps");
    }
    const std::size_t size = values.size();
    if (size == 0) return {};
    const auto n = static_cast<double>(size);
    // In a unit of a power of two near the largest value squares neither overflow nor vanish, and nothing is rounded.
    const int exponent = common_exponent(values);
    const PowerOfTwo unit(-exponent);
    // Centred by the first point first: the sum of what is left loses no small differences.
    const double origin = unit * values[0];
    double total = 0;
    for (const double value : values) total += unit * value - origin;
    const double centre = total / n;
    std::array<double, 4> products{};
    std::array<double, 3> last{};
    for (std::size_t i = 0; i < size; ++i) {
        const double c = (unit * values[i] - origin) - centre;
        products[0] += c * c;
        for (std::size_t lag = 1; lag <= 3 && lag <= i; ++lag) products[lag] += c * last[lag - 1];
        last = {c, last[0], last[1]};
    }
    Dependence found = detail::dependence_from_products(n, origin + centre, products);
    found.mean = std::ldexp(found.mean, exponent);
    found.variance = std::ldexp(found.variance, 2 * exponent);
    return found;
}

/// `dependence` of a series with gaps (NaN), which keep their places: the lag of two points is the time between them,
/// and closing the gaps up would make every lag shorter than it was (with 60 % missing the long-run variance of an
/// AR(1) of .6 comes out at less than half).
///
/// Formula: as `dependence`, with the autocovariance at a lag over the pairs that are there, times (1 - lag/length); n
/// is the number of points that are there. `long_run_variance()` is that of a series without gaps. The same as
/// `dependence`, but for rounding, where there are none. Raises `serinus.argument.infinite`. Cost: two passes.
inline Dependence dependence_with_gaps(std::span<const double> values) {
    double n = 0, total = 0, origin = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (std::isinf(values[i])) {
            raise(Code::argument_infinite, "values[" + std::to_string(i) +
                                               "] is infinite; allowed: finite numbers in time order, NaN for a gap");
        }
        if (std::isnan(values[i])) continue;
        if (n == 0) origin = values[i];
        total += values[i] - origin;
        n += 1;
    }
    if (n == 0) return {};
    const double centre = total / n;
    std::array<double, 4> products{}, pairs{};
    for (std::size_t i = 0; i < values.size(); ++i) {
        const double c = (values[i] - origin) - centre;
        if (std::isnan(c)) continue;
        for (std::size_t lag = 0; lag <= 3 && lag <= i; ++lag) {
            const double before = (values[i - lag] - origin) - centre;
            if (std::isnan(before)) continue;
            products[lag] += c * before;
            pairs[lag] += 1;
        }
    }
    const auto size = static_cast<double>(values.size());
    for (std::size_t lag = 1; lag <= 3; ++lag) {
        if (pairs[lag] > 0) products[lag] *= n * (1 - static_cast<double>(lag) / size) / pairs[lag];
    }
    return detail::dependence_from_products(n, origin + centre, products);
}

/// Where nothing shows in the first two lags (r_1 + r_2 within two standard errors of 0), the first one alone: the
/// minimum rule's second model has nothing to go by in independent points and takes them for a quarter fewer.
inline Dependence first_lags(Dependence known) {
    const auto [r1, r2, r3] = known.autocorrelation;
    if (!(known.variance > 0) || r1 + r2 > 2 * std::sqrt(2 / known.n)) return known;
    const double first = std::clamp(r1, 0.0, 0.99);
    known.n_effective = std::max(known.n_effective, known.n * (1 - first) / (1 + first));
    return known;
}

/// The `terms` slowest swings of a series: the squares of its projections on cosines of 1/2, 1, ... periods over its
/// whole length, each an estimate of the long-run variance on one degree of freedom (Mueller 2007; Lazarus, Lewis,
/// Stock and Watson 2018, section 3). Noisy, since it rests on so few numbers, but no model of the first lags is in it:
/// it sees slow swings under much white noise. `values`: in time order; NaN: a gap, which keeps its place. With a share
/// p of the points there, a swing that is slower than the gaps adds only p times as much to a projection: what exceeds
/// the points' variance is divided by p. Fewer than 2 points give 0. Cost: n `terms` steps of a rotation.
inline std::vector<double> slow_swings(std::span<const double> values, std::size_t terms) {
    std::vector<double> swings(terms, 0.0);
    double points = 0, total = 0, origin = 0, squares = 0;
    for (const double value : values) {
        if (std::isnan(value)) continue;
        if (points == 0) origin = value;
        total += value - origin;
        points += 1;
    }
    if (points < 2) return swings;
    const double centre = total / points;
    std::vector<double> centred(values.begin(), values.end());
    for (double& value : centred) {
        value = std::isnan(value) ? 0 : (value - origin) - centre;
        squares += value * value;
    }
    const auto size = static_cast<double>(values.size());
    const double own = squares / (points - 1), share = points / size;
    for (std::size_t k = 1; k <= terms; ++k) {
        // cos((t + 1/2) a) by Chebyshev's recursion, begun afresh before its error has grown.
        const double a = std::numbers::pi * static_cast<double>(k) / size, twice = 2 * std::cos(a);
        double projection = 0, now = 0, before = 0;
        for (std::size_t t = 0; t < centred.size(); ++t) {
            if (t % 1024 == 0) {
                now = std::cos((static_cast<double>(t) + 0.5) * a);
                before = std::cos((static_cast<double>(t) - 0.5) * a);
            }
            projection += centred[t] * now;
            const double next = twice * now - before;
            before = now;
            now = next;
        }
        const double slow = projection * projection * (2 / points);
        swings[k - 1] = share < 1 && slow > own ? own + (slow - own) / share : slow;
    }
    return swings;
}

/// Long-run variance from the `terms` slowest swings alone, their mean. `values` and few points as above.
inline double slow_variance(std::span<const double> values, std::size_t terms) {
    double sum = 0;
    for (const double swing : slow_swings(values, terms)) sum += swing;
    return sum / static_cast<double>(terms);
}

/// By how much one look at a dependent series believes its own dependence.
enum class OneLook : std::uint8_t { standard = 1, cautious = 2 };

template <>
struct Words<OneLook> {
    static constexpr std::array<std::pair<OneLook, std::string_view>, 2> table{
        {{OneLook::standard, "standard"}, {OneLook::cautious, "cautious"}}};
};

/// The long-run variance that one look at a series goes by, and its degrees of freedom.
struct OneLookVariance {
    double long_run_variance = 0;
    double degrees_of_freedom = 0;
};

/// Minimum rule and slowest swings together, for a test that is asked once (docs/adr/0010).
///
/// `standard`: the larger of the minimum rule's long-run variance, on n_eff - 1 degrees of freedom, and that of the 6
/// slowest swings, on at most 6. `cautious`: the larger of the minimum rule's and that of the 4 slowest swings, always
/// on at most 4. `known`: what `dependence` found of `values`. Cost: as many times n cosines.
inline OneLookVariance one_look_variance(std::span<const double> values, const Dependence& known, OneLook method) {
    const std::size_t swings = method == OneLook::standard ? 6 : 4;
    const double rule = known.long_run_variance(), slow = slow_variance(values, swings);
    const double limited = std::min(known.degrees_of_freedom(), static_cast<double>(swings));
    if (method == OneLook::cautious) return {std::max(rule, slow), limited};
    return slow > rule ? OneLookVariance{slow, limited} : OneLookVariance{rule, known.degrees_of_freedom()};
}

/// `dependence`, one point at a time.
///
/// `update` is O(1) and remembers 17 numbers; `current()` agrees with `dependence` of the same points to about 1e-9
/// relative as long as the mean does not wander from the first point by more than 1e4 standard deviations, and values
/// lie between 1e-150 and 1e150 from it: beyond, it knows nothing (variance 0).
///
///     RunningDependence running;
///     for (const double difference : differences) running.update(difference);
///     const Dependence known = running.current();
class RunningDependence {
  public:
    /// Raises `serinus.argument.nan` or `serinus.argument.infinite` and changes nothing when the value is not finite.
    void update(double value) {
        if (!std::isfinite(value)) {
            raise(std::isnan(value) ? Code::argument_nan : Code::argument_infinite,
                  std::string("value is ") + (std::isnan(value) ? "NaN" : "infinite") + "; allowed: finite numbers");
        }
        if (n_ == 0) origin_ = value;
        const double x = value - origin_;
        products_[0] += x * x;
        for (std::size_t lag = 1; lag <= 3; ++lag) products_[lag] += x * last_[lag - 1];  // zeros before the first
        if (n_ < 3) first_[static_cast<std::size_t>(n_)] = x;
        last_ = {x, last_[0], last_[1]};
        sum_ += x;
        n_ += 1;
    }

    Dependence current() const {
        if (n_ == 0) return {};
        const double mean = sum_ / n_;
        std::array<double, 4> centred{};
        double ends = 0;  // what the sums over t > lag and t <= n - lag leave out
        for (std::size_t lag = 0; lag < 4 && static_cast<double>(lag) < n_; ++lag) {
            if (lag > 0) ends += first_[lag - 1] + last_[lag - 1];
            const auto l = static_cast<double>(lag);
            centred[lag] = products_[lag] - mean * (2 * sum_ - ends) + (n_ - l) * mean * mean;
        }
        // Rounding can leave a tiny remainder of either sign where all points are equal.
        if (!(centred[0] > 1e-13 * products_[0])) centred[0] = 0;
        return detail::dependence_from_products(n_, origin_ + mean, centred);
    }

    double n() const noexcept { return n_; }

    /// Could these numbers have come from updates? For those who restore a state.
    bool sound() const noexcept {
        bool finite = n_ >= 0 && std::isfinite(n_) && n_ == std::floor(n_) && std::isfinite(origin_) &&
                      std::isfinite(sum_) && products_[0] >= 0;
        for (const double value : products_) finite = finite && std::isfinite(value);
        for (std::size_t i = 0; i < 3; ++i) finite = finite && std::isfinite(first_[i]) && std::isfinite(last_[i]);
        return finite;
    }

    // Its own state: plain numbers.
    static constexpr std::string_view kind = "depn";
    static constexpr std::int64_t version = 1;
    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("n", self.n_);
        visit("origin", self.origin_);
        visit("sum", self.sum_);
        visit("products", self.products_);
        visit("first", self.first_);
        visit("last", self.last_);
    }

  private:
    double n_ = 0;
    double origin_ = 0;  // the first point
    double sum_ = 0;
    std::array<double, 4> products_{};
    std::array<double, 3> first_{}, last_{};
};

}  // namespace v0
}  // namespace serinus
