#pragma once
/// \file
/// How much data does one look need? The power of a test, and the sample size for a power.

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include <serinus/core/describe.hpp>
#include <serinus/core/require.hpp>
#include <serinus/core/words.hpp>
#include <serinus/numeric/normal.hpp>
#include <serinus/numeric/root.hpp>
#include <serinus/numeric/special.hpp>
#include <serinus/numeric/student.hpp>

namespace serinus {
inline namespace v0 {

/// `mann_whitney` where a canary value is larger than a baseline value with this probability (ties half), not 1/2.
struct RankDesign {
    double effect;
};
/// The two-sample t test with pooled variances where means differ by this much, both arms having this standard
/// deviation; near `welch` where both arms have about as many values.
struct MeanDesign {
    double difference, deviation;
};
/// `proportion_test` (score) where these are the true shares of bad events.
struct ProportionDesign {
    double baseline, canary;
};
/// `rate_test` (score) where these are the true rates; "values" of an arm are then its exposure.
struct RateDesign {
    double baseline, canary;
};

struct PowerOptions {
    double alpha = 0.05;
    double independent = 1;  ///< n_effective/n of the series, in (0, 1]: dependent values count for less
    Alternative alternative = Alternative::two_sided;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("alpha", self.alpha);
        visit("independent", self.independent);
        visit("alternative", self.alternative);
    }
};
static_assert(described_whole<PowerOptions>());

struct SampleSize {
    double n_baseline = 0;  ///< not rounded; take the next whole numbers
    double n_canary = 0;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("n_baseline", self.n_baseline);
        visit("n_canary", self.n_canary);
    }
};
static_assert(described_whole<SampleSize>());

namespace power_detail {

/// P(T > t) of the noncentral t distribution: the mean of Phi(shift - t s) over s, s^2 a chi-square over its df. A
/// trapezoid over log s is exact to rounding for so smooth a function.
inline double noncentral_survival(double t, double df, double shift) noexcept {
    const double step = std::min(0.05, 0.15 / std::sqrt(2 * df));
    const auto weight = [&](double u) { return std::exp(df * (u - (std::exp(2 * u) - 1) / 2)); };
    double sum = 0, all = 0;
    for (const int direction : {1, -1}) {
        for (int i = direction > 0 ? 0 : 1;; ++i) {
            const double u = direction * i * step, w = weight(u);
            if (w < 1e-18) break;
            all += w;
            sum += w * normal_survival(t * std::exp(u) - shift);
        }
    }
    return sum / all;
}

/// (expected statistic) against a normal threshold; `spread`: standard deviation of the statistic under the design.
inline double tail(Alternative alternative, double alpha) noexcept {
    return alternative == Alternative::two_sided ? alpha / 2 : alpha;
}
inline double sign(Alternative alternative, double apart) noexcept {
    if (alternative == Alternative::two_sided) return apart < 0 ? -1 : 1;
    return alternative == Alternative::greater ? 1 : -1;
}

inline void check(const PowerOptions& options) {
    require_open_unit("alpha", options.alpha);
    require(options.independent > 0 && options.independent <= 1, "independent", options.independent,
            "above 0, at most 1");
}
inline void check(const RankDesign& design) { require_open_unit("effect", design.effect); }
inline void check(const MeanDesign& design) {
    require(std::isfinite(design.difference), "difference", design.difference, "a finite number");
    require(design.deviation > 0 && std::isfinite(design.deviation), "deviation", design.deviation, "finite, above 0");
}
inline void check(const ProportionDesign& design) {
    require_open_unit("baseline", design.baseline);
    require_open_unit("canary", design.canary);
}
inline void check(const RateDesign& design) {
    require(design.baseline > 0 && std::isfinite(design.baseline), "baseline", design.baseline, "finite, above 0");
    require(design.canary > 0 && std::isfinite(design.canary), "canary", design.canary, "finite, above 0");
}

inline double power(const RankDesign& design, double n, double m, const PowerOptions& options) {
    const double apart = sign(options.alternative, design.effect - 0.5) * (design.effect - 0.5);
    const double root = std::sqrt(12 * m * n / (m + n));
    return normal_cdf(apart * root + normal_quantile(tail(options.alternative, options.alpha)));
}
inline double power(const MeanDesign& design, double n, double m, const PowerOptions& options) {
    const double df = m + n - 2;
    if (df < 1) return 0;  // three values at least
    const double apart = sign(options.alternative, design.difference) * design.difference / design.deviation;
    const double p = tail(options.alternative, options.alpha);
    const double needed = p <= 0.5 ? student_quantile(p, df) : -student_quantile(1 - p, df);
    return noncentral_survival(needed, df, apart * std::sqrt(m * n / (m + n)));
}
inline double power(const ProportionDesign& design, double n, double m, const PowerOptions& options) {
    const double apart = sign(options.alternative, design.canary - design.baseline) * (design.canary - design.baseline);
    const double pooled = (m * design.canary + n * design.baseline) / (m + n);
    const double null = std::sqrt(pooled * (1 - pooled) * (1 / m + 1 / n));
    const double spread =
        std::sqrt(design.canary * (1 - design.canary) / m + design.baseline * (1 - design.baseline) / n);
    return normal_cdf((apart + normal_quantile(tail(options.alternative, options.alpha)) * null) / spread);
}
inline double power(const RateDesign& design, double n, double m, const PowerOptions& options) {
    // In units of the larger rate, so that neither sums nor products overflow.
    const double unit = std::max(design.canary, design.baseline);
    const double c = design.canary / unit, b = design.baseline / unit;
    const double apart = sign(options.alternative, c - b) * (c - b) * std::sqrt(unit);
    // The rates' difference: its deviation if one rate held for both, and under the design.
    const double null = std::sqrt((m / (m + n) * c + n / (m + n) * b) * (1 / m + 1 / n));
    const double spread = std::sqrt(c / m + b / n);
    return normal_cdf((apart + normal_quantile(tail(options.alternative, options.alpha)) * null) / spread);
}

}  // namespace power_detail

/// The probability that one look of n_baseline and n_canary values rejects at alpha, on the side where the truth is
/// (a rejection on the wrong side is no find; R's power functions with strict = FALSE).
///
///  - rank: Noether (1987, Journal of the American Statistical Association 82, 645-647);
///  - mean: noncentral t with m + n - 2 degrees of freedom, exact for Student's t test with pooled variances (R's
///    power.t.test) if values are normal and variances equal. `welch` finds less, computed at .5 to .9: by at most .002
///    at 20:20 and above, at alpha .05 by .03 at 200:20, .04 at 500:20 and .09 at 1000:10, at .01 about twice that;
///  - proportion: normal, pooled variance at the threshold (R's power.prop.test when arms are equal);
///  - rate: normal with the score test's variances, at the threshold if one rate holds for both arms, beside it under
///    the design (as for proportions). Simulated, 400,000 draws in 22 cells of 100 to 20,000 exposures an arm, ratios
///    of rates 1/3 to 4: within .016 of the score test where both arms expect 8 events or more, .046 off where one
///    expects 2. `rate_test`'s default, exact, finds less where the canary expects 8 to 20 events: by up to .11 at
///    alpha .05, .18 at .01, and by at most .04 from 40 events on.
/// Sizes above 0, whole or not; `independent` multiplies both. Rejects what is out of range by name
/// (`serinus.argument.range`). One look: a test that is asked again and again needs the sequential tests.
///
///     power(ProportionDesign{.baseline = 0.01, .canary = 0.02}, 9000, 1000);   // 0.76
template <class Design>
double power(const Design& design, double n_baseline, double n_canary, const PowerOptions& options = {}) {
    power_detail::check(options);
    power_detail::check(design);
    require(n_baseline > 0 && std::isfinite(n_baseline), "n_baseline", n_baseline, "finite, above 0");
    require(n_canary > 0 && std::isfinite(n_canary), "n_canary", n_canary, "finite, above 0");
    return power_detail::power(design, n_baseline * options.independent, n_canary * options.independent, options);
}

/// The values that give a power, with `ratio` canary values for each of the baseline's. Infinite where there is nothing
/// to find: no difference, or one on the other side. wanted in (alpha, 1), ratio above 0 (`serinus.argument.range`).
///
///     sample_size(MeanDesign{.difference = 5, .deviation = 20}, 0.9).n_canary;   // 337.2
template <class Design>
SampleSize sample_size(const Design& design, double wanted = 0.8, double ratio = 1, const PowerOptions& options = {}) {
    power_detail::check(options);
    power_detail::check(design);
    require(wanted > options.alpha && wanted < 1, "power", wanted, "above alpha, below 1");
    require(ratio > 0 && std::isfinite(ratio), "ratio", ratio, "finite, above 0");
    const auto missing = [&](double log_n) {
        const double n = std::exp(log_n);
        return power_detail::power(design, n, ratio * n, options) - wanted;
    };
    double low = std::log(3.0 / (1 + ratio)), high = low + 1;
    if (std::is_same_v<Design, RateDesign>) low = -60;
    constexpr double far = 80;
    while (high < far && missing(high) < 0) high += 1;
    if (!(high < far)) return {std::numeric_limits<double>::infinity(), std::numeric_limits<double>::infinity()};
    const double f_low = missing(low);
    double n = std::exp(low);
    if (f_low < 0) {
        const Bracket found = narrow(missing, {low, high, f_low, missing(high)}, 1e-13);
        n = std::exp((found.lower + found.upper) / 2);
    }
    return {n / options.independent, ratio * n / options.independent};
}

}  // namespace v0
}  // namespace serinus
