#pragma once
/// \file
/// Is the canary's mean worse than the baseline's, by more than a margin? Asked after every interval, as often as you
/// like, of values whose law is not known.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <serinus/core/describe.hpp>
#include <serinus/core/error.hpp>
#include <serinus/core/evidence.hpp>
#include <serinus/core/require.hpp>
#include <serinus/core/state.hpp>
#include <serinus/core/text.hpp>
#include <serinus/core/words.hpp>
#include <serinus/numeric/central_moments.hpp>
#include <serinus/numeric/elementary.hpp>
#include <serinus/numeric/root.hpp>
#include <serinus/sequential/boundaries/normal_mixture.hpp>
#include <serinus/sequential/detail/directions.hpp>
#include <serinus/sequential/detail/same_options.hpp>
#include <serinus/sequential/detail/sides.hpp>

namespace serinus {
inline namespace v0 {
namespace sequential {

/// Half-width of the asymptotic confidence sequence of a mean, in standard deviations of one value: the closed forms.
///
/// Answers: within how many standard deviations of the mean of n values does the true mean lie, for all n at once?
/// Formula (Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas 2024, Annals of Statistics, theorem 2.2 and appendix B.2),
/// with rho = `normal_mixture_precision(tuned_at, ...)`: two-sided sqrt((n + rho)/n^2 (2 log(1/alpha) + log((n +
/// rho)/rho))); one-sided sqrt(2 (n + rho)/n^2 log(1 + sqrt((n + rho)/rho)/(2 alpha))), a little wider than the exact
/// one-sided mixture that `MeanTest` inverts.
///
/// n > 0, 0 < alpha < 1, rho > 0. Infinite for n = 0. Cost: two logarithms.
///
///     const double half_width = deviation * asymptotic_mean_bound(n, 0.05, rho, false);
inline double asymptotic_mean_bound(double n, double alpha, double rho, bool one_sided) {
    if (!(n > 0)) return std::numeric_limits<double>::infinity();
    const double total = n + rho;
    const double spread = total / rho;
    const double twice_log = one_sided ? 2 * elementary::log1p(std::sqrt(spread) / (2 * alpha))
                                       : elementary::log(spread) - 2 * elementary::log(alpha);
    return std::sqrt(total * twice_log) / n;
}

/// What an arm's values amount to, when they are not at hand.
struct MeanMoments {
    double n = 0;        ///< how many
    double mean = 0;     ///< their mean; any number when n is 0
    double squares = 0;  ///< sum of (value - mean)^2
    /// Sums of the third and fourth powers. Without them (NaN) the batch counts as a single effective value, as if one
    /// of its values made up all of its spread.
    double cubes = std::numeric_limits<double>::quiet_NaN();
    double fourths = std::numeric_limits<double>::quiet_NaN();
};

struct MeanOptions {
    double alpha = 0.05;  ///< error of deciding on harm, and of the interval's end on the side of harm
    std::optional<double> alpha_safe =
        std::nullopt;  ///< error of deciding on safety, and of the other end; default alpha
    Harm harm = Harm::increase;
    Margin margin = {.ratio = std::nullopt, .difference = 0.0};
    Side side = Side::harm;
    /// From history: long-run variance of the values over their variance (n/n_eff), 1 or more; 1: independent values.
    double dispersion = 1;
    double tuned_at = 5000;  ///< values of both arms together, equally many of each, at which the bounds are tightest
    double gate =
        10;  ///< effective values of the poorer arm that a unit of log evidence must rest on, up to three units
    bool interval = true;  ///< let `evidence()` find lower and upper

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("alpha", self.alpha);
        visit("alpha_safe", self.alpha_safe);
        visit("harm", self.harm);
        visit("margin", self.margin);
        visit("side", self.side);
        visit("dispersion", self.dispersion);
        visit("tuned_at", self.tuned_at);
        visit("gate", self.gate);
        visit("interval", self.interval);
    }
};
static_assert(described_whole<MeanOptions>());

/// All that a MeanTest remembers.
struct MeanState {
    static constexpr std::string_view kind = "mean";
    static constexpr std::int64_t version = 2;
    static constexpr std::int64_t since(std::string_view field) { return field == "gate_common" ? 2 : 1; }

    static constexpr std::array<std::string_view, 2> beside{"interval",
                                                            "floor"};  // leaves nothing to remember; is none

    double alpha = 0;
    double alpha_safe = 0;
    Harm harm = Harm::increase;
    std::optional<double> ratio;
    std::optional<double> difference;
    Side side = Side::harm;
    double dispersion = 1;
    double tuned_at = 0;
    double gate = 0;
    bool gate_common = false;  // false, version 1: the gate asked each arm for effective values of its own, 20 of them

    std::optional<double> origin;           // the first value; moments are of (value - origin) 2^-exponent
    std::optional<std::int64_t> exponent;   // of the first value that is not the origin
    std::array<CentralMoments, 2> moments;  // baseline, canary
    double log_largest = 0;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("alpha", self.alpha);
        visit("alpha_safe", self.alpha_safe);
        visit("harm", self.harm);
        visit("ratio", self.ratio);
        visit("difference", self.difference);
        visit("side", self.side);
        visit("dispersion", self.dispersion);
        visit("tuned_at", self.tuned_at);
        visit("gate", self.gate);
        visit("gate_common", self.gate_common);
        visit("origin", self.origin);
        visit("exponent", self.exponent);
        visit("moments", self.moments);
        visit("log_largest", self.log_largest);
    }
};
static_assert(described_whole<MeanState>());

/// Anytime test of the difference, or ratio, of two means.
///
/// Answers, after each interval: does the canary's mean exceed the baseline's by more than the margin (`side = harm`),
/// or does it certainly not (`side = safe`)? Reject as soon as `log_e_value() >= log(1/alpha)`
/// (1/alpha_safe on the safe side).
///
/// Null hypothesis, `side = harm` and `harm = increase`: the mean of the canary's values is at most r times (ratio
/// margin) or d plus (difference margin) that of the baseline's. `harm = decrease` turns it around (baseline/canary at
/// most r), `either` is the mean of both directions' e-values; `side = safe` exchanges null and alternative (`either`:
/// the smaller of the two). A ratio margin is for means above 0.
///
/// Formula: z = (mean_c - r mean_b - d)/sqrt(V), V = phi (s_c^2/n_c + r^2 s_b^2/n_b), phi the `dispersion`; intrinsic
/// time v = 2 (s_c^2 + r^2 s_b^2)/V, the number of values of both arms when they are equally many; the one-sided normal
/// mixture at s = z sqrt(v) with rho = normal_mixture_precision(tuned_at, 0.05): the asymptotic confidence sequence of
/// Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas (2024, Annals of Statistics) as an e-process, in the time of
/// Fisher's information, in which the difference of pooled means is a Brownian motion at any split, also a changing
/// one.
///
/// **The gate.** The mixture is an e-process for normal values of known variance only. A mean of few errors, or of a
/// heavy tail, is not normal and its variance not known: with 100 canary requests beside 900, one alarm in three good
/// canaries at 1 % errors. So with x = (effective values of the poorer arm)/`gate`/phi, `log_e_value` is never above x,
/// nor above sqrt(3 x) where x is more than 3: the further out in the tail, the more values it takes until a skewed
/// mean is normal there. Of n values squares^2/fourths are effective (`CentralMoments::effective`: n/3 of normal
/// values, k of k rare errors), and the *smaller* of both arms' shares of effective values counts for either arm: an
/// arm of few values that has not met the rare large one yet looks normal, and beside 99 times as many values with
/// their time-outs it was called better in .55 of good canaries while each arm was asked for its own. To decide at .05
/// takes 30 effective values, at .01 71 and at .001 159: so many errors in the poorer arm, where the arms' rates are
/// alike.
///
/// **Proved**: the level alpha in the limit of many values before the first look, each arm's values independent of one
/// law with a finite variance, at a constant split (loc. cit., theorem 2.2). **Measured**, not proved: the level with
/// the gate, at every look from the first (docs/concepts/sequential.md): at .05, .01 and .001 at most alpha, within
/// twice the standard error, in every cell where both arms have one law or one is the other times the margin: shares of
/// errors of .01 % to 30 %, lognormal values, time-outs and values in both directions that are rare and large, at
/// splits of 99:1 to 1:99, up to 1,500 looks. **Not covered**: a canary *on the edge of a margin by rare values alone*
/// (its time-outs make up the margin, the baseline has none): until it has met them nothing shows them, and no test
/// without a bound for the values can know; values that depend on one another without the `dispersion` that history
/// shows; a level that drifts *while the split changes*: then the pooled means differ by themselves (Simpson's
/// paradox), so begin a new test at every stage.
///
/// evidence(): `estimate` is the difference or ratio of the means. `lower` and `upper`: the margins that the one-sided
/// tests at alpha and alpha_safe do not exclude, `confidence` = 1 - alpha - alpha_safe, for `either` each end has
/// half of alpha. For one direction, interval and decision agree.
///
/// Few data: until both arms have two values and some spread the e-value is 1. NaN is no information. Constant values
/// decide nothing. Raises `serinus.argument.infinite` for infinite values, `serinus.argument.range` for values more
/// than 1e75 times as far apart as the first two, `serinus.argument.count/range` for impossible moments; the object is
/// unchanged then. Values are kept as distances from the first one, so 1e15 + noise loses nothing.
///
/// Merging: moments of disjoint data may be merged (`merge`), when that is decided without looking at them; the largest
/// e-value that the *other* test has seen is not taken over, since two tests look twice.
///
/// Cost: O(1) a value and a look; the state is below 250 bytes.
///
///     MeanTest test({.margin = {.difference = 5.0}});
///     test.update(baseline_ms, canary_ms);   // two spans: one interval's values
///     bool roll_back = test.decided();
class MeanTest {
  public:
    explicit MeanTest(const MeanOptions& options = {})
        : options_(checked(options)),
          sided_(options_),
          mixture_(options_.tuned_at, 0.05, true),
          rho_(mixture_.precision()),
          edges_(options_.harm, options_.side, [&](bool up) { return make_edge(up); }) {}

    /// Takes the values of one interval and looks once.
    void update(std::span<const double> baseline, std::span<const double> canary) {
        require_finite(Arm::baseline, baseline);
        require_finite(Arm::canary, canary);
        Data data = data_;
        for (const double value : baseline) data.add(data.baseline, value);
        for (const double value : canary) data.add(data.canary, value);
        take(data);
    }
    /// The same for one value of each arm; NaN for none.
    void update(double baseline, double canary) { update(std::span(&baseline, 1), std::span(&canary, 1)); }
    /// The same for moments.
    void update(const MeanMoments& baseline, const MeanMoments& canary) {
        check("baseline", baseline);
        check("canary", canary);
        Data data = data_;
        data.add(data.baseline, baseline);
        data.add(data.canary, canary);
        take(data);
    }

    /// Takes many intervals, in order: the values of the first one, of the second one, and so on; to the bit what so
    /// many calls of `update` do. Nothing is taken when an interval is impossible. Raises `serinus.argument.length` for
    /// different numbers of intervals.
    void update_many(std::span<const std::span<const double>> baseline,
                     std::span<const std::span<const double>> canary) {
        detail::require_same_length(baseline.size(), canary.size());
        MeanTest next = *this;
        for (std::size_t i = 0; i < baseline.size(); ++i) next.update(baseline[i], canary[i]);
        *this = std::move(next);
    }

    /// Takes over what another test of the same options has seen, of other data, and looks once. Raises
    /// `serinus.state.options` for other options; the object is unchanged then.
    void merge(const MeanTest& other) {
        detail::require_same_options("the test given to MeanTest.merge", other.options_, options_);
        Data data = data_;
        if (!data.exponent) data.set_exponent(other.data_.exponent);
        const double origin = other.data_.origin.value_or(0);
        const int exponent = other.data_.exponent.value_or(0);
        data.add(data.baseline, other.data_.baseline, origin, exponent);
        data.add(data.canary, other.data_.canary, origin, exponent);
        take(data);
    }

    /// Natural log of the e-value, held to what the effective values carry.
    double log_e_value() const {
        return std::min(edges_.together([&](const Edge& edge) { return log_against(edge, seeks_above(edge)); }),
                        carried());
    }

    /// The log e-value at which the test decides: log(1/alpha), on the safe side log(1/alpha_safe).
    double log_needed() const noexcept { return sided_.log_needed(); }
    /// True once the e-value has reached that.
    bool decided() const noexcept { return sided_.decided(); }
    /// Always valid: min(1, 1/largest e-value so far).
    double p_value() const { return sided_.p_value(); }

    Evidence evidence() const {
        Evidence evidence;
        evidence.log_e_value = log_e_value();
        evidence.p_value = p_value();
        evidence.n_baseline = data_.baseline.n;
        evidence.n_canary = data_.canary.n;
        evidence.method = "asymptotic";
        if (data_.baseline.n > 0 && data_.canary.n > 0) {
            evidence.estimate = options_.margin.ratio ? mean_canary() / mean_baseline() : difference_of_means();
        }
        if (!options_.interval) return evidence;
        const detail::EndErrors errors = detail::end_errors(options_);
        evidence.confidence = errors.confidence();
        evidence.lower = end(errors.below, true);
        evidence.upper = end(errors.above, false);
        detail::agree(evidence, log_needed(), options_);
        return evidence;
    }

    /// Mean of each arm's values; NaN before the first.
    double mean_baseline() const { return mean_of(data_.baseline); }
    double mean_canary() const { return mean_of(data_.canary); }
    /// How many values effectively carry each arm's variance, dispersion counted.
    double effective_baseline() const { return data_.baseline.effective() / options_.dispersion; }
    double effective_canary() const { return data_.canary.effective() / options_.dispersion; }

    /// The options, `alpha_safe` filled in.
    const MeanOptions& options() const noexcept { return options_; }

    MeanState state() const {
        MeanState state;
        detail::save_options(state, options_);
        state.gate_common = true;
        state.origin = data_.origin;
        if (data_.exponent) state.exponent = *data_.exponent;
        state.moments = {data_.baseline, data_.canary};
        state.log_largest = sided_.log_largest();
        return state;
    }

    /// Takes over a state. Raises `serinus.state.options` for one that was taken under other options,
    /// `serinus.state.invariant` for numbers that cannot be; the object is unchanged then. The gate of a state of
    /// version 1 asked for something else and is not compared: the test goes on with its own, and what it has decided
    /// stays decided.
    void restore(const MeanState& state) {
        MeanState comparable = state;
        if (!state.gate_common) comparable.gate = options_.gate;
        detail::require_same_options("the state of a MeanTest", comparable, options_);
        const auto& [baseline, canary] = state.moments;
        const bool sound = baseline.sound() && canary.sound() && detail::SidedEvidence::sound(state.log_largest) &&
                           state.origin.has_value() == (baseline.n + canary.n > 0) &&
                           (!state.origin || std::isfinite(*state.origin)) &&
                           (state.exponent || (baseline.squares == 0 && canary.squares == 0)) &&
                           (!state.exponent || (*state.exponent >= -Data::most_exponent &&
                                                *state.exponent <= Data::most_exponent && state.origin));
        if (!sound) raise(Code::state_invariant, "the state of a MeanTest has numbers that cannot be");
        data_.origin = state.origin;
        data_.set_exponent(state.exponent ? std::optional<int>(static_cast<int>(*state.exponent)) : std::nullopt);
        data_.baseline = baseline;
        data_.canary = canary;
        sided_.restore(state.log_largest);
    }

  private:
    static constexpr double infinite = std::numeric_limits<double>::infinity();

    /// Both arms' moments, of (value - origin) 2^-exponent: far from 0 no digits are lost, and no unit overflows.
    struct Data {
        static constexpr int most_exponent = 1000;
        std::optional<double> origin;
        std::optional<int> exponent;
        double factor = 0;  // 2^-exponent
        CentralMoments baseline, canary;

        void set_exponent(std::optional<int> given) {
            exponent = given;
            factor = given ? std::ldexp(1.0, -*given) : 0;
        }
        void set_exponent_of(double size) { set_exponent(std::clamp(std::ilogb(size), -most_exponent, most_exponent)); }
        void add(CentralMoments& arm, double value) {
            if (std::isnan(value)) return;
            if (!origin) origin = value;
            const double distance = value - *origin;
            if (!exponent && distance != 0) set_exponent_of(distance);
            arm.add(distance * factor);
        }
        /// Moments of (value - from) 2^-unit.
        void add(CentralMoments& arm, CentralMoments given, double from, int unit) {
            if (given.n == 0) return;
            if (!origin) origin = from;
            const double distance = std::ldexp(given.mean, unit) + (from - *origin);
            if (!exponent && distance != 0) set_exponent_of(distance);
            const int step = unit - exponent.value_or(0);
            given.mean = distance * factor;
            given.squares = std::ldexp(given.squares, 2 * step);
            given.cubes = std::ldexp(given.cubes, 3 * step);
            given.fourths = std::ldexp(given.fourths, 4 * step);
            arm.merge(given);
        }
        void add(CentralMoments& arm, const MeanMoments& given) {
            if (!exponent && given.n > 0 && given.squares > 0) set_exponent_of(std::sqrt(given.squares / given.n));
            add(arm,
                {.n = given.n,
                 .mean = 0,
                 .squares = given.squares,
                 .cubes = std::isnan(given.cubes) ? 0 : given.cubes,
                 .fourths = std::isnan(given.fourths) ? given.squares * given.squares : given.fourths},
                given.mean, 0);
        }
    };

    /// The null's edge of a direction: mean_c = ratio mean_b + difference (in the values' unit).
    struct Edge {
        double ratio = 1, difference = 0;
        bool up = true;  // harm lies above it
    };
    /// How far the canary is beyond an edge: s for an intrinsic time v, in the unit of one value's deviation.
    struct Walk {
        double z2 = 0;  ///< (D/sqrt(V))^2
        double v = 0;   ///< 0: nothing is known yet
        bool above = false;
    };

    static MeanOptions checked(const MeanOptions& given) {
        const MeanOptions options = detail::checked_sides(given);
        require(options.tuned_at > 0 && std::isfinite(options.tuned_at), "tuned_at", options.tuned_at,
                "above 0, finite");
        require(options.gate > 0 && std::isfinite(options.gate), "gate", options.gate, "above 0, finite");
        return options;
    }
    static void check(const std::string& arm, const MeanMoments& given) {
        require_count(arm + ".n", given.n);
        if (given.n == 0) return;
        require(std::isfinite(given.mean), arm + ".mean", given.mean, "finite");
        require(given.squares >= 0 && std::isfinite(given.squares) && (given.n > 1 || given.squares == 0),
                arm + ".squares", given.squares, "0 or more, finite; 0 for a single value");
        require(!std::isinf(given.cubes), arm + ".cubes", given.cubes, "finite, or NaN when not known");
        // Cauchy and Schwarz: n times the sum of fourth powers is at least the square of that of the second.
        require(std::isnan(given.fourths) || (std::isfinite(given.fourths) &&
                                              given.fourths * given.n >= given.squares * given.squares * (1 - 1e-9)),
                arm + ".fourths", given.fourths, "squares^2/n or more, finite; or NaN when not known");
    }

    Edge make_edge(bool up) const {
        const double edge = detail::edge_of(options_.margin, up);
        return options_.margin.ratio ? Edge{edge, 0, up} : Edge{1, edge, up};
    }

    double mean_of(const CentralMoments& arm) const {
        if (arm.n == 0) return std::numeric_limits<double>::quiet_NaN();
        return *data_.origin + std::ldexp(arm.mean, data_.exponent.value_or(0));
    }
    double difference_of_means() const {
        return std::ldexp(data_.canary.mean - data_.baseline.mean, data_.exponent.value_or(0));
    }
    /// What the effective values of the poorer arm carry of log evidence, at the share of effective values that the
    /// worse of both arms has shown.
    double carried() const {
        const CentralMoments& b = data_.baseline;
        const CentralMoments& c = data_.canary;
        if (!(b.n > 0) || !(c.n > 0)) return 0;
        constexpr double straight = 3;
        const double share = std::min(b.effective() / b.n, c.effective() / c.n);
        const double most = std::min(b.n, c.n) * share / options_.dispersion / options_.gate;
        return most <= straight ? most : std::sqrt(straight * most);
    }

    void take(const Data& data) {
        for (const CentralMoments* arm : {&data.baseline, &data.canary}) {
            if (std::isfinite(arm->fourths) && std::isfinite(arm->mean)) continue;
            raise(Code::argument_range, std::string(arm == &data.baseline ? "baseline" : "canary") +
                                            " holds a value more than 1e75 times as far from the first one as the "
                                            "second; allowed: values of one metric");
        }
        data_ = data;
        look();
    }
    /// Remembers the largest e-value. Most looks set no record, which shows without a logarithm: see `may_exceed`.
    void look() {
        if (std::any_of(edges_.begin(), edges_.end(), [&](const Edge& edge) { return may_exceed(edge); }))
            sided_.note(log_e_value());
    }
    bool may_exceed(const Edge& edge) const {
        const CentralMoments& b = data_.baseline;
        const CentralMoments& c = data_.canary;
        const double d = beyond(edge);
        if ((d > 0) != seeks_above(edge) || !(b.n > 1) || !(c.n > 1)) return false;
        const double square = edge.ratio * edge.ratio;
        const double error_b = square * b.squares / (b.n * (b.n - 1)), error_c = c.squares / (c.n * (c.n - 1));
        const double variance = options_.dispersion * (error_b + error_c);
        const double twice = 2 * (error_b * b.n + error_c * c.n);
        if (!(variance > 0)) return false;
        const double share = twice / (twice + rho_ * variance);  // v/(v + rho)
        const double x2 = d * d / variance * share;
        // The log e-value is 1/2 log(1 - share) + x^2/2 + log(2 Phi(x)), at most 0 for x < 0; log(1 - share) <= -share,
        // and 2 Phi(x) is at most 2 and at most 1 + 0.8 x. The last term covers rounding.
        const double most = 0.5 * (x2 - share) + std::min(std::numbers::ln2, 0.8 * std::sqrt(x2));
        return most + 1e-9 * (1 + x2) > sided_.log_largest();
    }

    Walk walk_from(const Edge& edge) const {
        const CentralMoments& b = data_.baseline;
        const CentralMoments& c = data_.canary;
        Walk walk;
        if (!(b.n > 1) || !(c.n > 1)) return walk;
        const double square = edge.ratio * edge.ratio;
        const double variance_b = square * b.squares / (b.n - 1), variance_c = c.squares / (c.n - 1);
        const double variance = options_.dispersion * (variance_b / b.n + variance_c / c.n);
        if (!(variance > 0)) return walk;
        const double d = beyond(edge);
        walk.z2 = d * d / variance;
        walk.v = 2 * (variance_b + variance_c) / variance;
        walk.above = d > 0;
        return walk;
    }
    /// mean_c - ratio mean_b - difference, in the scaled unit.
    double beyond(const Edge& edge) const {
        const double offset = edge.ratio == 1 ? -edge.difference : (1 - edge.ratio) * *data_.origin - edge.difference;
        return data_.canary.mean - edge.ratio * data_.baseline.mean +
               (offset == 0 ? 0 : std::ldexp(offset, -data_.exponent.value_or(0)));
    }
    /// Log e-value, without the gate, that the canary's mean is above (or below) an edge.
    double log_against(const Edge& edge, bool above) const {
        const Walk walk = walk_from(edge);
        if (!(walk.v > 0)) return 0;
        const double s = std::sqrt(walk.z2 * walk.v);
        return mixture_.log_value(walk.above == above ? s : -s, walk.v);
    }
    /// Of the direction's own test: harm upwards looks above its edge, its mirror below.
    bool seeks_above(const Edge& edge) const { return edge.up == (options_.side == Side::harm); }

    /// The lower or upper end at an error rate: the last margin that the one-sided test excludes.
    double end(double alpha, bool lower) const {
        const double none = lower ? -infinite : infinite;
        const double needed = -elementary::log(alpha);
        if (!(carried() >= needed)) return none;
        if (!options_.margin.ratio) {
            const Walk walk = walk_from({1, 0});
            // The deviation of the difference, times the bound on z = s/sqrt(v).
            const double reach = std::sqrt(2 * (data_.baseline.variance() + data_.canary.variance())) / walk.v *
                                 mixture_.bound(walk.v, alpha);
            return difference_of_means() + std::ldexp(lower ? -reach : reach, data_.exponent.value_or(0));
        }
        if (!(mean_baseline() > 0) || !(mean_canary() > 0)) return none;
        const auto excess = [&](double ratio) { return log_against({ratio, 0}, lower) - needed; };
        const double estimate = mean_canary() / mean_baseline();
        Bracket bracket{lower ? 0 : estimate, lower ? estimate : 2 * estimate, 0, 0};
        if (lower) {
            bracket.f_lower = excess(0);
            bracket.f_upper = excess(estimate);
            if (!(bracket.f_lower > 0)) return none;
        } else {
            bracket.f_lower = excess(estimate);
            while (!((bracket.f_upper = excess(bracket.upper)) > 0)) {
                if (bracket.upper > 1e6 * estimate) return none;
                bracket.upper *= 2;
            }
        }
        const Bracket found = narrow(excess, bracket, 1e-12 * estimate);
        return lower ? found.lower : found.upper;
    }

    MeanOptions options_;
    detail::SidedEvidence sided_;
    NormalMixture mixture_;
    double rho_;
    detail::Directions<Edge> edges_;
    Data data_;
};

}  // namespace sequential
}  // namespace v0
}  // namespace serinus
