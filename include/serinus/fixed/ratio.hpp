#pragma once
/// \file
/// Does the canary cost more for each request? The ratio of two sums, over time.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <serinus/core/describe.hpp>
#include <serinus/core/error.hpp>
#include <serinus/core/evidence.hpp>
#include <serinus/core/require.hpp>
#include <serinus/core/words.hpp>
#include <serinus/fixed/block_bootstrap.hpp>
#include <serinus/numeric/moments.hpp>
#include <serinus/numeric/student.hpp>
#include <serinus/numeric/sum.hpp>
#include <serinus/series/dependence.hpp>

namespace serinus {
inline namespace v0 {

enum class RatioTestMethod : std::uint8_t { delta = 1, block_bootstrap = 2 };

template <>
struct Words<RatioTestMethod> {
    static constexpr std::array<std::pair<RatioTestMethod, std::string_view>, 2> table{
        {{RatioTestMethod::delta, "delta"}, {RatioTestMethod::block_bootstrap, "block_bootstrap"}}};
};

/// Numerator and denominator of each interval, in time order: CPU seconds and requests.
struct RatioSeries {
    std::span<const double> numerator;
    std::span<const double> denominator;
};

struct RatioTestOptions {
    Margin margin{.ratio = 1.0};  ///< a ratio, canary's cost over baseline's, that is tested against; above 0
    Alternative alternative = Alternative::two_sided;
    RatioTestMethod method = RatioTestMethod::delta;
    double confidence = 0.95;
    std::size_t resamples = 2000;  ///< of the bootstrap
    std::uint64_t seed = 0;
    NanPolicy nan_policy = NanPolicy::drop;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("margin", self.margin);
        visit("alternative", self.alternative);
        visit("method", self.method);
        visit("confidence", self.confidence);
        visit("resamples", self.resamples);
        visit("seed", self.seed);
        visit("nan_policy", self.nan_policy);
    }
};
static_assert(described_whole<RatioTestOptions>());

struct RatioTestResult {
    double ratio = std::numeric_limits<double>::quiet_NaN();          ///< canary's cost over baseline's
    double cost_baseline = std::numeric_limits<double>::quiet_NaN();  ///< sum of numerators over sum of denominators
    double cost_canary = std::numeric_limits<double>::quiet_NaN();
    double lower = 0;  ///< of the ratio
    double upper = std::numeric_limits<double>::infinity();
    double confidence = 0;
    double statistic = 0;  ///< of `delta`: log of ratio/margin over its standard error
    double df = 0;
    double p_value = 1;
    std::int64_t n_baseline = 0;  ///< intervals with both parts
    std::int64_t n_canary = 0;
    double n_effective = 0;  ///< of the arm that is worth fewer independent intervals
    RatioTestMethod method = RatioTestMethod::delta;
    bool conclusive = false;  ///< false: an arm is worth fewer than 6 independent intervals, and p_value is 1

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("ratio", self.ratio);
        visit("cost_baseline", self.cost_baseline);
        visit("cost_canary", self.cost_canary);
        visit("lower", self.lower);
        visit("upper", self.upper);
        visit("confidence", self.confidence);
        visit("statistic", self.statistic);
        visit("df", self.df);
        visit("p_value", self.p_value);
        visit("n_baseline", self.n_baseline);
        visit("n_canary", self.n_canary);
        visit("n_effective", self.n_effective);
        visit("method", self.method);
        visit("conclusive", self.conclusive);
    }
};
static_assert(described_whole<RatioTestResult>());

namespace ratio_detail {

/// One arm: its cost, and the residuals numerator - cost denominator, whose mean is 0. Both parts are kept in units of
/// powers of two near their largest values, so that neither sums nor squares overflow or vanish: the cost is
/// `cost` 2^`exponent`.
struct Cost {
    std::vector<double> numerator, denominator, residuals;
    double cost = 0, mean_numerator = 0;
    int exponent = 0;
    Dependence known;

    Cost(std::string_view arm, const RatioSeries& series, NanPolicy policy) {
        if (series.numerator.size() != series.denominator.size()) {
            raise(Code::argument_length, std::string(arm) + " has " + std::to_string(series.numerator.size()) +
                                             " numerators and " + std::to_string(series.denominator.size()) +
                                             " denominators; allowed: one of each an interval");
        }
        for (std::size_t i = 0; i < series.numerator.size(); ++i) {
            const double a = series.numerator[i], b = series.denominator[i];
            if (std::isnan(a) || std::isnan(b)) {
                if (policy == NanPolicy::drop) continue;
                raise(Code::argument_nan, std::string(arm) + "[" + std::to_string(i) +
                                              "] is NaN; allowed: numbers, or the NaN policy \"drop\"");
            }
            require(std::isfinite(a), "a numerator of the " + std::string(arm), a, "a finite number");
            require(b >= 0 && std::isfinite(b), "a denominator of the " + std::string(arm), b, "finite, from 0");
            numerator.push_back(a);
            denominator.push_back(b);
        }
        for (std::vector<double>* part : {&numerator, &denominator}) {
            const int size = common_exponent(*part);
            const PowerOfTwo unit(-size);
            for (double& value : *part) value = unit * value;
            exponent += part == &numerator ? size : -size;
        }
        const double top = pairwise_sum(numerator), bottom = pairwise_sum(denominator);
        cost = top / bottom;
        mean_numerator = top / static_cast<double>(std::max<std::size_t>(numerator.size(), 1));
        if (!usable()) return;
        residuals = numerator;
        for (std::size_t i = 0; i < residuals.size(); ++i) residuals[i] -= cost * denominator[i];
        known = dependence(residuals);
    }
    bool usable() const { return cost > 0 && std::isfinite(cost); }
    /// Of log(cost).
    double variance() const { return known.variance / known.n_effective / (mean_numerator * mean_numerator); }
};

}  // namespace ratio_detail

/// Does the canary cost more for each request, by more than a margin?
///
/// cost = sum of numerators/sum of denominators of an arm; log(cost_c/cost_b) against log(margin).
///  - `delta`: the variance of log(cost) is that of the residuals numerator - cost denominator over (mean
///    numerator)^2 (linearisation), with the number of independent intervals by the minimum rule of
///    series/dependence.hpp; Student's t with Satterthwaite's degrees of freedom from those numbers.
///  - `block_bootstrap`: intervals resampled in blocks, each arm by itself (block_bootstrap.hpp, length by its
///    residuals); percentile interval; p the share of resamples on the other side of the margin, with one added above
///    and below.
/// Fewer than 6 effective intervals in an arm: *inconclusive*, as is a cost that is not above 0.
///
/// baseline, canary: one numerator and one denominator an interval, in time order (`serinus.argument.length`); an
/// interval with a NaN is left out or refused; denominators from 0 (`serinus.argument.range`). margin a ratio above 0
/// (`serinus.argument.margin`). A change of any unit changes nothing but the costs. Exchanging the arms inverts ratio
/// and interval (`delta`). Cost: O(n); `block_bootstrap` resamples times as much.
///
///     const auto found = ratio_test({cpu_b, requests_b}, {cpu_c, requests_c}, {.margin = {.ratio = 1.05}});
inline RatioTestResult ratio_test(const RatioSeries& baseline, const RatioSeries& canary,
                                  const RatioTestOptions& options = {}) {
    require_open_unit("confidence", options.confidence);
    const double margin = require_ratio(options.margin);
    require_resamples(options.resamples);
    const ratio_detail::Cost b("baseline", baseline, options.nan_policy);
    const ratio_detail::Cost c("canary", canary, options.nan_policy);
    RatioTestResult result;
    result.method = options.method;
    result.n_baseline = static_cast<std::int64_t>(b.numerator.size());
    result.n_canary = static_cast<std::int64_t>(c.numerator.size());
    result.cost_baseline = std::ldexp(b.cost, b.exponent);
    result.cost_canary = std::ldexp(c.cost, c.exponent);
    result.n_effective = std::min(b.known.n_effective, c.known.n_effective);
    if (!b.usable() || !c.usable()) return result;
    const int apart = c.exponent - b.exponent;
    result.ratio = std::ldexp(c.cost / b.cost, apart);
    if (!b.known.sufficient() || !c.known.sufficient()) return result;
    const double v_b = b.variance(), v_c = c.variance(), v = v_b + v_c;
    if (!(v > 0)) return result;
    result.conclusive = true;
    result.confidence = options.confidence;
    result.df = v * v / (v_b * v_b / b.known.degrees_of_freedom() + v_c * v_c / c.known.degrees_of_freedom());
    if (options.method == RatioTestMethod::delta) {
        const StudentInference t =
            student_inference(std::log(c.cost / b.cost) + apart * 0.69314718055994530942, std::sqrt(v), result.df,
                              std::log(margin), options.alternative, options.confidence);
        result.statistic = t.statistic;
        result.p_value = t.p_value;
        result.lower = std::exp(t.lower);
        result.upper = std::exp(t.upper);
        return result;
    }
    std::vector<double> ratios(options.resamples, std::ldexp(1.0, apart));
    std::uint64_t stream = 0;
    for (const auto* arm : {&b, &c}) {
        const bool below = arm == &b;
        for_each_block_resample(arm->numerator.size(), automatic_block_length(arm->residuals), options.resamples,
                                options.seed, ++stream, [&](std::size_t r, std::span<const std::size_t> indices) {
                                    double top = 0, bottom = 0;
                                    for (const std::size_t i : indices) {
                                        top += arm->numerator[i];
                                        bottom += arm->denominator[i];
                                    }
                                    ratios[r] *= below ? bottom / top : top / bottom;
                                });
    }
    // A resample without any request says nothing.
    std::erase_if(ratios, [](double r) { return !(r >= 0) || std::isinf(r); });
    std::sort(ratios.begin(), ratios.end());
    const auto count = static_cast<double>(ratios.size());
    if (count < 100) {
        result.conclusive = false;
        result.confidence = 0;
        return result;
    }
    const auto at_most = static_cast<double>(std::upper_bound(ratios.begin(), ratios.end(), margin) - ratios.begin());
    const auto under = static_cast<double>(std::lower_bound(ratios.begin(), ratios.end(), margin) - ratios.begin());
    result.p_value = p_value_of(options.alternative, (at_most + 1) / (count + 1), (count - under + 1) / (count + 1));
    const double tail = (1 - options.confidence) / (options.alternative == Alternative::two_sided ? 2 : 1);
    const auto end = [&](double q) { return ratios[static_cast<std::size_t>(std::llround(q * (count - 1)))]; };
    if (options.alternative != Alternative::less) result.lower = end(tail);
    if (options.alternative != Alternative::greater) result.upper = end(1 - tail);
    return result;
}

}  // namespace v0
}  // namespace serinus
