#pragma once
/// \file
/// Where may the distribution functions of both arms run? Bands that hold at every moment at once: for drawing, and for
/// whether any quantile is worse.

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
#include <serinus/core/text.hpp>
#include <serinus/core/words.hpp>
#include <serinus/numeric/root.hpp>
#include <serinus/numeric/sorted_values.hpp>
#include <serinus/sequential/boundaries/empirical_process.hpp>
#include <serinus/sequential/detail/same_options.hpp>
#include <serinus/sequential/detail/sides.hpp>

namespace serinus {
inline namespace v0 {
namespace sequential {

/// The always-valid p-value of two empirical distribution functions that are `gap` apart somewhere: twice the error at
/// which the widths of both bands (`empirical_process_lil_bound`, A = .85) would sum to that.
///
/// **Proved**, for independent values of one law in each arm: at any time, as often as looked at, it is at most a with
/// probability at most a where the true functions do not differ in that direction. gap in [0, 1]; t_first, t_second:
/// values of each arm; from_size > 0. 1 before both have from_size values; never below 2e-300. Cost: O(1), a search
/// over a sum.
///
///     double p = empirical_process_p_value(0.2, 1000, 1000, 100);
inline double empirical_process_p_value(double gap, double t_first, double t_second, double from_size) {
    if (!(t_first >= from_size) || !(t_second >= from_size)) return 1;
    const double first = std::log1p(std::log(t_first / from_size)), second = std::log1p(std::log(t_second / from_size));
    // How far beyond the widths at an error the gap is.
    const auto excess = [&](double log_error) {
        const double c = empirical_process_lil_constant(std::exp(log_error));
        return gap - 0.85 * (std::sqrt((first + c) / t_first) + std::sqrt((second + c) / t_second));
    };
    Bracket bracket{std::log(1e-300), std::log(0.5), 0, 0};
    bracket.f_lower = excess(bracket.lower);
    bracket.f_upper = excess(bracket.upper);
    if (!(bracket.f_upper > 0)) return 1;
    if (!(bracket.f_lower < 0)) return 2e-300;
    return 2 * std::exp(narrow(excess, bracket, 1e-10).upper);
}

struct BandOptions {
    double alpha = 0.05;  ///< both bands together hold with probability 1 - alpha, at every moment
    Harm harm = Harm::increase;
    Margin margin = {.ratio = std::nullopt, .difference = 0.0};  ///< what the canary's values may be worse by
    double from_size = 100;                                      ///< values of an arm before it has a band

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("alpha", self.alpha);
        visit("harm", self.harm);
        visit("margin", self.margin);
        visit("from_size", self.from_size);
    }
};
static_assert(described_whole<BandOptions>());

/// All that a DistributionBand remembers: every value.
struct BandState {
    static constexpr std::string_view kind = "band";
    static constexpr std::int64_t version = 1;
    static constexpr std::array<std::string_view, 1> beside{"floor"};  // there is none

    double alpha = 0;
    Harm harm = Harm::increase;
    std::optional<double> ratio;
    std::optional<double> difference;
    double from_size = 0;
    std::vector<double> baseline, canary;  // ascending

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("alpha", self.alpha);
        visit("harm", self.harm);
        visit("ratio", self.ratio);
        visit("difference", self.difference);
        visit("from_size", self.from_size);
        visit("baseline", self.baseline);
        visit("canary", self.canary);
    }
};
static_assert(described_whole<BandState>());

/// How far apart two distribution functions are, in the direction of harm.
struct StochasticOrder {
    double gap = 0;  ///< largest difference of the empirical functions, F_b - F_c for an increase
    double at = std::numeric_limits<double>::quiet_NaN();  ///< the value where it is, as the baseline counts it
    /// The true functions differ by more than that somewhere, in that direction, with confidence 1 - alpha; below 0:
    /// nothing is known.
    double lower = -1;
    double p_value = 1;  ///< always valid, of the hypothesis that they differ nowhere in that direction
    double n_baseline = 0;
    double n_canary = 0;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("gap", self.gap);
        visit("at", self.at);
        visit("lower", self.lower);
        visit("p_value", self.p_value);
        visit("n_baseline", self.n_baseline);
        visit("n_canary", self.n_canary);
    }
};
static_assert(described_whole<StochasticOrder>());

/// Bands around both arms' distribution functions that may be drawn after every interval.
///
/// Answers: where may the arms' distribution functions run, and is the canary *somewhere* worse: does it exceed some
/// value, margin included, more often than the baseline does? The null hypothesis of `order()`: it does so nowhere (the
/// canary is stochastically at most the baseline shifted by the margin: `harm = increase`; `decrease` turns it around,
/// `either` asks for both).
///
/// Formula: each arm has the band of `empirical_process_lil_bound` at alpha/2; the functions differ when the empirical
/// ones do by more than both widths (Howard and Ramdas 2022, theorem 2; Lindon, Sanden and Shirikian 2022, KDD, for its
/// use). The p-value is the smallest alpha at which they would, valid at any time as it stands.
///
/// **Proved**, for independent values of one law in each arm, ties and all. **Measured**: wide; of the lognormal
/// regressions of +10 % to +30 % at 5,000 values an arm none is found (docs/concepts/sequential.md). So it is for
/// drawing, and for "any difference at all" in long runs; it has no `decided`, and a rollout does not depend on it.
///
/// NaN is no information; infinite values rank at the ends. Fewer than from_size values: no band. `merge`: values of
/// another band of the same options may be added, since nothing but the values is remembered. All values are kept, 8
/// bytes each; an insertion O(sqrt n), `order()` O(n), a point of a band O(log n).
///
///     DistributionBand band({.alpha = 0.05});
///     band.update(baseline_ms, canary_ms);
///     Interval drawn = band.cdf(Arm::canary, 250.0);
class DistributionBand {
  public:
    explicit DistributionBand(const BandOptions& options = {})
        : options_(checked(options)), constant_(empirical_process_lil_constant(options_.alpha / 2)) {}

    /// Takes the values of one interval.
    void update(std::span<const double> baseline, std::span<const double> canary) {
        add(baseline_, baseline);
        add(canary_, canary);
    }

    /// Adds the values that another band of the same options has seen. Raises `serinus.state.options` for other
    /// options.
    void merge(const DistributionBand& other) {
        detail::require_same_options("the band given to DistributionBand.merge", other.options_, options_);
        const std::vector<double> baseline = other.baseline_.sorted(), canary = other.canary_.sorted();
        update(baseline, canary);
    }

    /// Half the height of an arm's band; infinite before from_size values.
    double half_width(Arm arm) const {
        const auto t = static_cast<double>(values(arm).size());
        if (t < options_.from_size) return std::numeric_limits<double>::infinity();
        return 0.85 * std::sqrt((std::log1p(std::log(t / options_.from_size)) + constant_) / t);
    }
    /// The empirical distribution function: the share of an arm's values at or below x; NaN without values.
    double share(Arm arm, double x) const {
        return static_cast<double>(values(arm).at_most(x)) / static_cast<double>(values(arm).size());
    }
    /// The band at x, within [0, 1]; its confidence is that of both arms at all x and at all times together.
    Interval cdf(Arm arm, double x) const {
        const double width = half_width(arm);
        if (std::isinf(width)) return {.lower = 0, .upper = 1, .confidence = 1 - options_.alpha};
        const double middle = share(arm, x);
        return {.lower = std::max(0.0, middle - width),
                .upper = std::min(1.0, middle + width),
                .confidence = 1 - options_.alpha};
    }

    /// Where and how far the canary's function lies on the side of harm.
    StochasticOrder order() const {
        StochasticOrder found;
        found.n_baseline = static_cast<double>(baseline_.size());
        found.n_canary = static_cast<double>(canary_.size());
        if (baseline_.size() == 0 || canary_.size() == 0) return found;
        const std::vector<double> baseline = baseline_.sorted(), canary = canary_.sorted();
        if (options_.harm != Harm::decrease) widen(found, baseline, canary, detail::edge_of(options_.margin, true), +1);
        if (options_.harm != Harm::increase)
            widen(found, baseline, canary, detail::edge_of(options_.margin, false), -1);
        found.lower = std::max(-1.0, found.gap - (half_width(Arm::baseline) + half_width(Arm::canary)));
        found.p_value = empirical_process_p_value(found.gap, found.n_baseline, found.n_canary, options_.from_size);
        return found;
    }

    const BandOptions& options() const noexcept { return options_; }

    BandState state() const {
        BandState state;
        detail::save_options(state, options_);
        state.baseline = baseline_.sorted();
        state.canary = canary_.sorted();
        return state;
    }

    /// Takes over a state. Raises `serinus.state.options` for one that was taken under other options,
    /// `serinus.state.invariant` for numbers that cannot be; the object is unchanged then.
    void restore(const BandState& state) {
        detail::require_same_options("the state of a DistributionBand", state, options_);
        if (!sorted_sample(state.baseline) || !sorted_sample(state.canary))
            raise(Code::state_invariant, "the state of a DistributionBand has values that are not in order");
        baseline_.assign(state.baseline);
        canary_.assign(state.canary);
    }

  private:
    static BandOptions checked(const BandOptions& options) {
        require_open_unit("alpha", options.alpha);
        require_harm_margin(options.margin);
        require(options.from_size >= 1 && std::isfinite(options.from_size), "from_size", options.from_size,
                "1 or more, finite");
        return options;
    }
    const SortedValues& values(Arm arm) const { return arm == Arm::baseline ? baseline_ : canary_; }
    static void add(SortedValues& arm, std::span<const double> values) {
        for (const double value : values)
            if (!std::isnan(value)) arm.add(value);
    }
    /// One walk along both samples: sign (F_b - F_c) after every group of equal values.
    void widen(StochasticOrder& found, const std::vector<double>& baseline, const std::vector<double>& canary,
               double edge, double sign) const {
        const auto key = [&](double value) { return options_.margin.ratio ? value / edge : value - edge; };
        std::size_t i = 0, j = 0;
        while (i < baseline.size() || j < canary.size()) {
            const double x = j == canary.size()                                    ? baseline[i]
                             : i < baseline.size() && baseline[i] < key(canary[j]) ? baseline[i]
                                                                                   : key(canary[j]);
            while (i < baseline.size() && baseline[i] <= x) ++i;
            while (j < canary.size() && key(canary[j]) <= x) ++j;
            const double gap =
                sign * (static_cast<double>(i) / found.n_baseline - static_cast<double>(j) / found.n_canary);
            if (gap > found.gap) {
                found.gap = gap;
                found.at = x;
            }
        }
    }

    BandOptions options_;
    double constant_;
    SortedValues baseline_, canary_;
};

}  // namespace sequential
}  // namespace v0
}  // namespace serinus
