#pragma once
/// \file
/// Few looks, planned beforehand: bounds on a normal test statistic that spend the error as information comes in
/// (Lan and DeMets 1983).

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numbers>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <serinus/core/require.hpp>
#include <serinus/core/version.hpp>
#include <serinus/core/words.hpp>
#include <serinus/numeric/elementary.hpp>
#include <serinus/numeric/normal.hpp>
#include <serinus/numeric/quadrature.hpp>
#include <serinus/numeric/special.hpp>

namespace serinus {
inline namespace v0 {

namespace sequential {

/// How much of the error may be spent by a share of the information.
enum class Spending : std::uint8_t { obf = 1, pocock = 2, kim_demets = 3, hwang_shih_decani = 4 };

}  // namespace sequential

template <>
struct Words<sequential::Spending> {
    static constexpr std::array<std::pair<sequential::Spending, std::string_view>, 4> table{
        {{sequential::Spending::obf, "obf"},
         {sequential::Spending::pocock, "pocock"},
         {sequential::Spending::kim_demets, "kim_demets"},
         {sequential::Spending::hwang_shih_decani, "hwang_shih_decani"}}};
};

namespace sequential {

/// A group-sequential design: stop at look k when Z_k >= bounds[k] (two-sided: |Z_k| >= bounds[k]).
struct GroupSequential {
    std::vector<double> bounds;            ///< of Z; +inf where a look has no error to spend
    std::vector<double> cumulative_alpha;  ///< spent up to and with each look
};

/// The probability that a design stops at each look, for the first time.
struct CrossingProbabilities {
    std::vector<double> upper;  ///< at Z >= bound
    std::vector<double> lower;  ///< at Z <= -bound; zeros when one-sided
};

namespace group_detail {

inline constexpr double reach = 10;       ///< standard deviations; 1e-23 of a normal distribution is beyond
inline constexpr double panel_width = 3;  ///< of a standard deviation, or of the width of a feature

/// Up to so many widths of a kernel, the nodes of a panel do for its product with a density.
inline constexpr double native_width = 4.5;

/// Something in a density that is narrower than the density itself: an old bound, smoothed by what came since.
struct Feature {
    double place, width;
};

/// The density of the statistic at one look among paths that have not stopped: panels with 20 values each, at the
/// nodes of Gauss and Legendre's rule.
class Density {
  public:
    Density() = default;

    /// Panels from `lower` to `upper`, narrow where a feature is, and far from `mean`, where it falls steeply; none
    /// wider than `widest`.
    Density(double lower, double upper, double mean, double widest, std::span<const Feature> features) : mean_(mean) {
        for (std::size_t n = 0; n < 20; ++n)
            shares_[n] = (n % 2 == 0 ? 1 : -1) * std::sqrt((1 - node(n) * node(n)) * weight(n));
        edges_.push_back(lower);
        for (double x = lower; x < upper;) {
            double width = std::min(widest, panel_width / (1 + 0.25 * std::fabs(x - mean)));
            for (const Feature& feature : features)
                width = std::min(width, std::max(panel_width * feature.width, 0.5 * std::fabs(x - feature.place)));
            x = x + 1.25 * width < upper ? x + width : upper;
            edges_.push_back(x);
        }
        values_.resize(panels() * 20);
    }

    std::size_t panels() const noexcept { return edges_.empty() ? 0 : edges_.size() - 1; }

    template <class Function>
    void fill(Function&& f) {
        for (std::size_t i = 0; i < panels(); ++i) {
            const double centre = 0.5 * (edges_[i] + edges_[i + 1]), half = 0.5 * (edges_[i + 1] - edges_[i]);
            for (std::size_t n = 0; n < 20; ++n) values_[20 * i + n] = f(centre + half * node(n));
        }
    }

    /// What a kernel is far from its centre.
    struct Ends {
        bool one_below = false, one_above = false;
    };

    /// The integral of the density times kernel((u - centre)/width), a kernel that changes over some widths around its
    /// centre; beyond, it is 0 or 1.
    template <class Kernel>
    double integrate(Kernel&& kernel, double centre, double width, Ends ends) const {
        if (edges_.size() < 2) return 0;
        const double front = edges_.front(), back = edges_.back();
        // With its centre outside, what counts is near the end; far out the product of both peaks before the kernel.
        const double near = std::clamp(centre, front, back);
        const double peak = std::clamp((centre + width * width * mean_) / (1 + width * width), front, back);
        const double first = std::min(near, peak) - reach * width, last = std::max(near, peak) + reach * width;
        double sum = 0;
        for (std::size_t i = 0; i < panels(); ++i) {
            const double low = edges_[i], high = edges_[i + 1];
            if ((high <= first && !ends.one_below) || (low >= last && !ends.one_above)) continue;
            if (high <= first || low >= last || high - low <= native_width * width) {
                const double middle = 0.5 * (low + high), half = 0.5 * (high - low);
                double part = 0;
                for (std::size_t n = 0; n < 20; ++n)
                    part += weight(n) * values_[20 * i + n] * kernel((middle + half * node(n) - centre) / width);
                sum += half * part;
                continue;
            }
            // The kernel is narrower than the panel: the density between its nodes, where the kernel is.
            const auto product = [&](double u) { return between(i, u) * kernel((u - centre) / width); };
            const double from = std::max(low, first), to = std::min(high, last);
            sum += serinus::integrate(product, from, to, 4);
            if (ends.one_below && low < from) sum += serinus::integrate(product, low, from, 1);
            if (ends.one_above && to < high) sum += serinus::integrate(product, to, high, 1);
        }
        return sum;
    }

  private:
    static double node(std::size_t n) noexcept {
        return n < 10 ? -gauss_legendre_20[9 - n].x : gauss_legendre_20[n - 10].x;
    }
    static double weight(std::size_t n) noexcept { return gauss_legendre_20[n < 10 ? 9 - n : n - 10].weight; }

    /// The polynomial through a panel's values, by the barycentric formula (weights: Wang and Xiang 2012).
    double between(std::size_t panel, double u) const {
        const double low = edges_[panel], high = edges_[panel + 1];
        const double x = (2 * u - low - high) / (high - low);
        double above = 0, below = 0;
        for (std::size_t n = 0; n < 20; ++n) {
            const double distance = x - node(n);
            if (distance == 0) return values_[20 * panel + n];
            const double share = shares_[n] / distance;
            above += share * values_[20 * panel + n];
            below += share;
        }
        return above / below;
    }

    double mean_ = 0;
    std::array<double, 20> shares_{};  // of the barycentric formula
    std::vector<double> edges_;
    std::vector<double> values_;
};

/// The recursion of Armitage, McPherson and Rowe (1969): one look after the other, what is left of the density.
class Walk {
  public:
    Walk(std::span<const double> information, double drift, int sided)
        : information_(information), drift_(drift), two_sided_(sided == 2) {}

    /// P(Z >= b) at the next look, not stopped before.
    double upper_tail(double b) const {
        if (std::isinf(b)) return 0;
        if (look_ == 0) return normal_survival(b - mean());
        return left_.integrate([](double x) { return normal_cdf(x); }, centre(b), width(), {.one_above = true});
    }
    /// P(Z <= -b) at the next look, not stopped before.
    double lower_tail(double b) const {
        if (std::isinf(b)) return 0;
        if (look_ == 0) return normal_cdf(-b - mean());
        return left_.integrate([](double x) { return normal_survival(x); }, centre(-b), width(), {.one_below = true});
    }
    /// The density of Z at b at the next look.
    double density_at(double b) const {
        if (look_ == 0) return normal_density(b - mean());
        return std::sqrt(information_[look_] / gained()) *
               left_.integrate([](double x) { return normal_density(x); }, centre(b), width(), {});
    }

    /// Takes the bound of the next look, and goes there. `farthest`: how high a path may be and still matter.
    void stop_at(double b, double farthest) {
        const double middle = mean();
        const double upper = std::min(b, std::max(middle, farthest) + reach);
        const double lower =
            two_sided_ ? std::max(-b, std::min(middle, -farthest) - reach) : std::min(b, middle) - reach;
        std::vector<Feature> features;
        for (std::size_t j = 0; j < look_; ++j) {
            const double scale = std::sqrt(information_[j] / information_[look_]);
            const double width = std::sqrt((information_[look_] - information_[j]) / information_[look_]);
            const double moved = middle - scale * drift_ * std::sqrt(information_[j]);
            if (std::isinf(bounds_[j])) continue;
            features.push_back({bounds_[j] * scale + moved, width});
            if (two_sided_) features.push_back({-bounds_[j] * scale + moved, width});
        }
        // With the next look not too near, nodes that serve its kernel directly are cheaper than interpolation.
        const double kernel = std::sqrt((information_[look_ + 1] - information_[look_]) / information_[look_]);
        const double widest = kernel > 0.04 ? native_width * kernel : panel_width;
        Density next;
        if (lower < upper) {
            next = Density(lower, upper, middle, widest, features);
            next.fill([&](double z) { return density_at(z); });
        }
        left_ = std::move(next);
        bounds_.push_back(b);
        ++look_;
    }

  private:
    double mean() const { return drift_ * std::sqrt(information_[look_]); }

    double gained() const { return information_[look_] - information_[look_ - 1]; }
    /// Of the statistic before, given that it is b now without the drift since: where, and how uncertain.
    double centre(double b) const {
        return (b * std::sqrt(information_[look_]) - drift_ * gained()) / std::sqrt(information_[look_ - 1]);
    }
    double width() const { return std::sqrt(gained() / information_[look_ - 1]); }

    std::span<const double> information_;
    double drift_;
    bool two_sided_;
    std::size_t look_ = 0;
    std::vector<double> bounds_;
    Density left_;
};

inline void check_information(std::span<const double> information) {
    if (information.empty()) raise(Code::argument_length, "information is empty; allowed: one share a look, 1 to 1000");
    if (information.size() > 1000) {
        raise(Code::argument_length, "information has " + std::to_string(information.size()) +
                                         " looks; allowed: 1 to 1000 (for more: a mixture, valid at every look)");
    }
    double before = 0;
    for (std::size_t k = 0; k < information.size(); ++k) {
        const double now = information[k];
        const std::string field = "information[" + std::to_string(k) + "]";
        require(now > 0 && std::isfinite(now), field, now, "above 0, finite");
        require(now > before, field, now, "more than at the look before, " + given_text(before));
        if (k + 1 < information.size())
            require(now < 1, field, now, "below 1 before the last look; only the last may run over");
        before = now;
    }
}

inline void check_sided(int sided) { require(sided == 1 || sided == 2, "sided", sided, "1 or 2"); }

/// The z with log P(Z > z) = log_p, also where p has no double.
inline double upper_quantile(double log_p) {
    if (log_p > -690) return -normal_quantile(std::exp(log_p));
    double z = std::sqrt(-2 * log_p);
    for (int i = 0; i < 20; ++i) {
        // The slope of log P is about -(z + 1/z) so far out.
        const double step = (elementary::log_ndtr(-z) - log_p) / (z + 1 / z);
        z += step;
        if (!(std::fabs(step) > 1e-14 * z)) break;
    }
    return z;
}

/// log of what is spent by a share t of the information.
inline double log_spent(Spending spending, double parameter, double alpha, double t) {
    if (t >= 1) return std::log(alpha);
    switch (spending) {
        case Spending::obf:
            return std::numbers::ln2 +
                   elementary::log_ndtr(-upper_quantile(std::log(alpha) - std::numbers::ln2) / std::sqrt(t));
        case Spending::pocock: return std::log(alpha) + std::log(std::log1p(1.7182818284590452354 * t));
        case Spending::kim_demets: return std::log(alpha) + parameter * std::log(t);
        case Spending::hwang_shih_decani: break;
    }
    if (std::fabs(parameter) < 1e-12) return std::log(alpha) + std::log(t);
    // (1 - e^(-g t))/(1 - e^-g); for g below 0 with its large exponents taken out.
    if (parameter > 0) return std::log(alpha) + std::log(std::expm1(-parameter * t) / std::expm1(-parameter));
    return std::log(alpha) + parameter * (1 - t) + std::log(std::expm1(parameter * t) / std::expm1(parameter));
}

/// The bound at the next look at which exactly `spend` is spent: Newton on the log of the tail, which is concave, kept
/// between what is known to be too low and too high.
inline double solve(const Walk& walk, double spend, double from) {
    double low = -std::numeric_limits<double>::infinity(), high = from, b = from;
    for (int i = 0; i < 200; ++i) {
        const double tail = walk.upper_tail(b), density = walk.density_at(b);
        (tail > spend ? low : high) = b;
        const double step = std::log(tail / spend) * tail / density;  // NaN where nothing is left of the tail
        if (std::fabs(step) <= 1e-13 * (1 + std::fabs(b))) return b + step;
        double next = b + step;
        if (!(next > low && next < high)) next = std::isinf(low) ? high - 1 : 0.5 * (low + high);
        if (next == low || next == high) break;
        b = next;
    }
    return high;
}

}  // namespace group_detail

/// Bounds for a test that is looked at a few planned times: the chance that it ever stops under the null hypothesis is
/// alpha, all in all.
///
/// Answers: how large must Z be at each look? Z is any test statistic that is normal with independent increments of its
/// score: Z_k sqrt(I_k) is a sum, and Z_k has variance 1 (differences of means, proportions or rates over their
/// standard error).
///
/// Formula: what may be spent by a share t of the information (one-sided; two-sided the same with alpha/2, on each
/// side): obf 2 (1 - Phi(z_(alpha/2)/sqrt(t))), pocock alpha log(1 + (e - 1) t) (both Lan and DeMets 1983, Biometrika
/// 70), kim_demets alpha t^g (1987, Biometrika 74), hwang_shih_decani alpha (1 - e^(-g t))/(1 - e^-g) (1990, Statistics
/// in Medicine 9). The bounds: Armitage, McPherson and Rowe's recursion (1969), by Gauss-Legendre quadrature on panels
/// that follow old bounds, also where looks are close together.
///
/// \param information shares of the planned information at the looks, increasing, each above 0 and below 1, the last at
///        most 1 or beyond: an over-run, where the last look spends all that is left
/// \param alpha in (0, 1), two-sided the sum of both sides
/// \param spending which function. obf stops next to never early: at 1 % of the information not before Z = 19.6
/// \param parameter g of kim_demets (> 0) and hwang_shih_decani (any); default 1 for both; the others have none
/// \param sided 1: stop at Z >= bound; 2: at |Z| >= bound
/// \returns a bound and the cumulative error a look. A last share below 1 leaves the rest of alpha unspent. A look with
/// nothing to spend has the bound +inf; where it is less than 1e-290 the bound is that of the look alone, which can
/// only be larger.
///
/// Raises `serinus.argument.*`. Accuracy 1e-10 in Z. Cost: O(looks), a quadrature each.
///
///     const std::vector<double> stages{0.01, 0.1, 0.5, 1.0};
///     auto design = group_sequential(stages, 0.05, Spending::pocock);  // 3.1375, 2.4501, 1.9663, 1.9043
inline GroupSequential group_sequential(std::span<const double> information, double alpha, Spending spending,
                                        std::optional<double> parameter = std::nullopt, int sided = 1) {
    using namespace group_detail;
    check_information(information);
    require_open_unit("alpha", alpha);
    check_sided(sided);
    if (spending == Spending::obf || spending == Spending::pocock) {
        if (parameter) {
            raise(Code::argument_range,
                  "parameter is " + given_text(*parameter) + "; allowed: none with " + std::string(word(spending)));
        }
    } else if (parameter) {
        const bool power = spending == Spending::kim_demets;
        require(std::isfinite(*parameter) && (!power || *parameter > 0), "parameter", *parameter,
                power ? "above 0, finite" : "a finite number");
        require(std::fabs(*parameter) <= 700, "parameter", *parameter, "from -700 to 700");
    }
    const double shape = parameter.value_or(1), one_side = alpha / sided;
    const std::size_t looks = information.size();

    GroupSequential design;
    std::vector<double> log_increments;
    double before = -std::numeric_limits<double>::infinity();
    for (const double t : information) {
        const double spent = log_spent(spending, shape, one_side, t);
        log_increments.push_back(spent > before ? spent + std::log(-std::expm1(before - spent))
                                                : -std::numeric_limits<double>::infinity());
        before = std::max(before, spent);
        design.cumulative_alpha.push_back(t >= 1 ? alpha : sided * std::exp(before));
    }
    // The bound of a look alone, never below the real one.
    std::vector<double> alone;
    for (const double log_increment : log_increments)
        alone.push_back(std::isinf(log_increment) ? std::numeric_limits<double>::infinity()
                                                  : upper_quantile(log_increment));
    Walk walk(information, 0, sided);
    for (std::size_t k = 0; k < looks; ++k) {
        double bound = alone[k];
        if (k > 0 && log_increments[k] > -667) bound = solve(walk, std::exp(log_increments[k]), bound);
        design.bounds.push_back(bound);
        if (k + 1 == looks) break;
        double farthest = 0;
        for (std::size_t j = k + 1; j < looks; ++j) {
            if (log_increments[j] > -667)
                farthest = std::max(farthest, alone[j] * std::sqrt(information[k] / information[j]));
        }
        walk.stop_at(bound, farthest);
    }
    return design;
}

/// How likely a design stops at each look when the statistic drifts: the operating characteristics behind its power.
///
/// \param information as for `group_sequential`, but of any size: what counts are Z's means drift sqrt(information)
/// \param bounds one a look; +inf: no stop at it
/// \param drift mean of Z at information 1, finite; 0: the null hypothesis
/// \param sided 1 or 2
/// \returns for each look the probability of the first stop, above and (two-sided) below. Their sum is the power.
///
/// Raises `serinus.argument.*`. Accuracy 1e-12 absolute. Cost: O(looks), a quadrature each.
///
///     auto found = crossing_probabilities(stages, design.bounds, 3);
inline CrossingProbabilities crossing_probabilities(std::span<const double> information, std::span<const double> bounds,
                                                    double drift, int sided = 1) {
    using namespace group_detail;
    if (information.empty()) raise(Code::argument_length, "information is empty; allowed: one share a look");
    double before = 0;
    for (std::size_t k = 0; k < information.size(); ++k) {
        const std::string field = "information[" + std::to_string(k) + "]";
        require(information[k] > before && std::isfinite(information[k]), field, information[k],
                "more than at the look before, " + given_text(before) + ", finite");
        before = information[k];
    }
    if (bounds.size() != information.size()) {
        raise(Code::argument_length, "bounds has " + std::to_string(bounds.size()) + " looks, information " +
                                         std::to_string(information.size()) + "; allowed: the same number");
    }
    check_sided(sided);
    require(std::fabs(drift) <= 1e6, "drift", drift, "from -1e6 to 1e6");
    for (std::size_t k = 0; k < bounds.size(); ++k) {
        require(sided == 1 ? bounds[k] > -std::numeric_limits<double>::infinity() : bounds[k] >= 0,
                "bounds[" + std::to_string(k) + "]", bounds[k], sided == 1 ? "above -inf" : "0 or more");
    }
    CrossingProbabilities found;
    Walk walk(information, drift, sided);
    for (std::size_t k = 0; k < information.size(); ++k) {
        found.upper.push_back(walk.upper_tail(bounds[k]));
        found.lower.push_back(sided == 2 ? walk.lower_tail(bounds[k]) : 0);
        if (k + 1 == information.size()) break;
        double farthest = 0;
        const double mean = drift * std::sqrt(information[k]);
        for (std::size_t j = k + 1; j < information.size(); ++j) {
            // Beyond 38 standard deviations no double is left of a tail.
            const double scale = std::sqrt(information[k] / information[j]);
            const double moved = drift * std::sqrt(information[j]);
            const double above = bounds[j] - moved, below = bounds[j] + moved;
            if (above < 38) farthest = std::max(farthest, mean + above * scale);
            if (sided == 2 && below < 38) farthest = std::max(farthest, below * scale - mean);
        }
        walk.stop_at(bounds[k], farthest);
    }
    return found;
}

}  // namespace sequential
}  // namespace v0
}  // namespace serinus
