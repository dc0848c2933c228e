#pragma once
/// \file
/// Is the canary's gauge (a latency, a load, a saturation) worse than the baseline's, by more than a margin? Asked
/// after every interval, as often as you like.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <numbers>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <serinus/core/describe.hpp>
#include <serinus/core/error.hpp>
#include <serinus/core/evidence.hpp>
#include <serinus/core/state.hpp>
#include <serinus/core/text.hpp>
#include <serinus/core/words.hpp>
#include <serinus/numeric/elementary.hpp>
#include <serinus/sequential/boundaries/normal_mixture.hpp>
#include <serinus/sequential/detail/directions.hpp>
#include <serinus/sequential/detail/paired_state.hpp>
#include <serinus/sequential/detail/same_options.hpp>
#include <serinus/sequential/detail/score_table.hpp>
#include <serinus/sequential/detail/sides.hpp>
#include <serinus/sequential/detail/t_mixture.hpp>
#include <serinus/sequential/noise/noise_bounds.hpp>
#include <serinus/sequential/noise/paired_noise.hpp>
#include <serinus/series/dependence.hpp>

namespace serinus {
inline namespace v0 {
namespace sequential {

/// What a gauge showed in both arms in one interval.
struct Pair {
    double baseline = 0;
    double canary = 0;
    double instances_baseline = 0;  ///< how many instances each value is the mean of; 0: not known
    double instances_canary = 0;
    double variance = 1;  ///< predicted variance of the difference, relative to history's; known before the values
};

struct PairedOptions {
    double alpha = 0.05;  ///< error of deciding on harm, and of the interval's end on the side of harm
    std::optional<double> alpha_safe =
        std::nullopt;  ///< error of deciding on safety, and of the other end; default alpha
    Harm harm = Harm::increase;
    Margin margin = {.ratio = std::nullopt, .difference = 0.0};
    Side side = Side::harm;
    /// What history taught, in the unit that the margin needs (NoiseUnit); empty: the noise is learned from the same
    /// data, and no error rate is promised.
    std::shared_ptr<const PairedNoise> noise = nullptr;
    bool interval = true;  ///< keep what `lower` and `upper` are made of

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("alpha", self.alpha);
        visit("alpha_safe", self.alpha_safe);
        visit("harm", self.harm);
        visit("margin", self.margin);
        visit("side", self.side);
        visit("noise", self.noise);
        visit("interval", self.interval);
    }
};
static_assert(described_whole<PairedOptions>());

/// Has the rollout's noise another scale than history's? By how much a difference changes from one interval to the
/// next, which no constant harm touches: the mean |score| of that change within history's table.
struct ScaleDeparture {
    double observed = 0;  ///< in this rollout; NaN before the second interval
    double history = 0;   ///< in history
    bool beyond = false;  ///< apart by more than the error of both
};

/// Anytime-valid test of a gauge that is read once an interval in both arms.
///
/// Answers, after each interval: does the canary's gauge exceed the baseline's by more than the margin (`side = harm`),
/// or does it certainly not (`side = safe`)? Reject as soon as `log_e_value() >= log(1/alpha)`
/// (1/alpha_safe on the safe side).
///
/// Null hypothesis, `side = harm` and `harm = increase`: at every interval the canary reads at most what an arm of the
/// baseline's version would read there, times r (ratio margin) or plus d (difference margin), and level differences,
/// scale and dependence of such an arm are what history showed, history being four times as long as what is judged.
/// Whatever hits both arms alike (load, time of day) drops out. `harm = decrease` turns it around (baseline/canary at
/// most r), `either` is the mean of both directions' e-values; `side = safe` exchanges null and alternative (`either`:
/// the smaller of the two).
///
/// Formula: y_t = canary - d - baseline - offset, for a ratio log(canary) - log(r) - log(baseline) - offset, brought to
/// history's variance. Its signed rank x_t within history's A/A differences (paired_noise.hpp) minus history's mean
/// score, over the square root of L: history's long-run variance times what its uncertainty asks for at this test's
/// alpha (`variance_factor`). S the sum of w x, V the sum of w^2, w the inverse standard deviation predicted for the
/// interval (1 while split and instances stay as they are). History's own mean over H differences has an error too,
/// which makes S vary by V c, c = 1 + B^2/V, B the sum of w/sqrt(H) (for one split c = 1 + n/H): one-sided normal
/// mixtures (normal_mixture.hpp, Robbins 1970) at sum S/c and information V/c, the likelihood ratio when that error is
/// normal; the mean of two, of the precisions 19 (tightest after 120 intervals) and 2 (after ten). Fewer than 6
/// intervals never add evidence, nor do those beyond H/4 of a start (`horizon`): swings slower than that happened too
/// seldom in history to be known.
///
/// Another scale than history's: S is lessened by the most that skewed noise would score by itself (`scale_bias`) at
/// any scale that the changes from interval to interval leave open, and divided by the root of what the scores of this
/// rollout vary more than history's. For noise of two equal sides and history's scale both cost next to nothing.
/// `scale_departure()` says when the scale has left history's beyond its error.
///
/// Ratio margins take logarithms, so noise that is proportional to the level, as that of most latencies, has one scale
/// at all levels. An interval with a value of 0 or below is no information and counted in `not_positive()`. An arm's
/// value is the mean over its instances, and then its logarithm.
///
/// Noise that was written before it had a unit goes on as it did: ratio margins on the gauge's own differences, the
/// first precision alone, from the 12th interval on, the upper 90 % bound of L for an error up to .01 or fewer than
/// 1,000 differences, no horizon. It does not keep the promise (docs/adr/0008); calibrate again.
///
/// Instances: two instances of one version differ, which no number of intervals averages away. With k_b and k_c
/// instances an arm the margin is moved out by t tau sqrt(1/k_b + 1/k_c), t Student's quantile at alpha/2 on (instances
/// of history - 1) degrees of freedom, and the noise has the other alpha/2: min(E/2, 1/alpha) is an e-value when the
/// instances' effects are normal. An offset that wanders slowly (history's blocks differ more than the first lags
/// allow) is treated in the same way.
///
/// Without noise (`learn`): the t-mixture on y (t_mixture.hpp) with the effective number of points of the data seen so
/// far, for ratios y = canary/r - baseline. No error rate is promised then.
///
/// Proved: for independent scores that are sub-Gaussian with a variance known to be L. Measured: the error rate with
/// dependent scores and L from history, in docs/concepts/promise.md, with what no estimate can know.
///
/// evidence(): `lower` and `upper` are the outermost of 64 carried margins that are not excluded (the one-sided tests
/// at alpha and alpha_safe), rounded outward to the next that is; one of the 64 is the test's own, so interval and
/// decision agree. `estimate` is the margin at which the sum of scores would be 0, always inside [lower, upper]: the
/// difference of the arms' centres, for a ratio that of geometric means; without `interval` or noise the difference of
/// the means, and the ratio of the geometric ones (without noise of the means). `confidence` = 1 - alpha -
/// alpha_safe, for `either` each end has half of alpha.
///
/// Few data: an interval with NaN in either arm, or both infinite, is no information and changes nothing (`gap` says
/// that there was none, so that no change is taken for one of a single interval). An infinite
/// value ranks beyond all others. A zero difference scores 0. Constant gauges have no noise to learn: nothing is
/// decided. Raises `serinus.argument.*` for impossible options and variances, `serinus.argument.noise` for noise in
/// another unit than the margin needs; the object is unchanged then.
///
/// Cost: two searches in 256 numbers, and three logarithms and normal tails when the e-value might be a new maximum;
/// with its interval 64 searches. State at most 4,096 bytes.
///
///     PairedTest test({.margin = {.ratio = 1.1}, .noise = learned});
///     test.update({.baseline = 101.3, .canary = 118.9});
///     bool roll_back = test.decided();
class PairedTest {
  public:
    using Start = PairedState::Start;
    static constexpr std::size_t most_starts = 24;
    static constexpr std::size_t margins = 64;
    static constexpr double first = 6;                 ///< intervals before a start says anything
    static constexpr double first_former = 12;         ///< the same with noise written before
    static constexpr double most_not_positive = 0.01;  ///< share of intervals that a ratio margin may leave out

    explicit PairedTest(const PairedOptions& options = {})
        : options_(checked(options)),
          sided_(options_),
          logs_(of_logs(options_)),
          directions_(options_.harm, options_.side, [&](bool up) { return make_direction(up ? +1 : -1); }) {
        ratio_ = options_.margin.ratio && !logs_;
        use_noise();
        if (options_.interval && options_.noise) carry_margins();
    }

    /// From now on the noise of another split of the traffic holds: a new stage. The evidence goes on.
    void set_noise(std::shared_ptr<const PairedNoise> noise) {
        if (!noise != !options_.noise) {
            raise(Code::argument_range, "noise is set in a test that was made " +
                                            std::string(noise ? "without" : "with") + " one; allowed: the same form");
        }
        if (noise) check_noise(*noise, options_.margin);
        if (noise && noise->unit != options_.noise->unit) {
            raise(Code::argument_noise, "noise.unit is \"" + std::string(word(noise->unit)) + "\"; allowed: \"" +
                                            std::string(word(options_.noise->unit)) + "\", as the test began with");
        }
        options_.noise = std::move(noise);
        use_noise();
        known_ = false;
    }

    /// Takes the values of one interval.
    void update(const Pair& pair) {
        check(pair);
        if (std::isnan(pair.canary - pair.baseline)) return;
        Pair values = pair;
        if (logs_) {
            if (!(pair.baseline > 0 && pair.canary > 0)) {
                not_positive_ += 1;
                last_.reset();
                return;
            }
            values.baseline = elementary::log(pair.baseline);
            values.canary = elementary::log(pair.canary);
            if (std::isnan(values.canary - values.baseline)) return;
            if (std::isfinite(values.canary - values.baseline)) log_ratios_ += values.canary - values.baseline;
        }
        n_ += 1;
        means_[0] += pair.baseline;
        means_[1] += pair.canary;
        known_ = false;
        if (options_.noise) {
            update_scores(values);
        } else {
            for (Direction& direction : directions_) {
                const double y = direction.sign * edge_difference(pair, direction.edge);
                if (!std::isfinite(y)) continue;
                for (Start& start : direction.starts) start.learned.update(y);
            }
        }
        // Most often no maximum is near, and nobody has to know the e-value exactly.
        if (log_at_most() > sided_.log_largest()) {
            settle();
            sided_.note(log_e_value_);
        }
    }
    /// Takes many intervals, in order; to the bit what so many calls of `update` do. Nothing is taken when one is
    /// impossible.
    void update_many(std::span<const Pair> pairs) {
        for (const Pair& pair : pairs) check(pair);
        for (const Pair& pair : pairs) update(pair);
    }
    /// An interval passed without values: the next difference is no change from the last one.
    void gap() noexcept { last_.reset(); }

    /// The same for a difference canary - baseline; for difference margins.
    void update(double difference, double variance = 1) {
        if (!options_.margin.difference) {
            raise(Code::argument_margin, "margin is a ratio and the update a difference; allowed: both arms' values");
        }
        update(Pair{.baseline = 0, .canary = difference, .variance = variance});
    }

    /// Natural log of the e-value.
    double log_e_value() const { return known_ ? log_e_value_ : compute_log_e_value(); }

    /// Not less than `log_e_value()`, and cheaper.
    double log_at_most() const {
        if (known_) return log_e_value_;
        if (!options_.noise || former_) return std::numeric_limits<double>::infinity();
        const double most = directions_.at_most([&](const Direction& one) { return direction_at_most(one); });
        return (shifted_ ? most - log_two : most) + 1e-9;
    }

    /// Whether the rollout's noise has left history's scale. Asked after every interval it is said of one that has not
    /// left it with a probability of about 2 % (docs/concepts/promise.md).
    ScaleDeparture scale_departure() const {
        ScaleDeparture found;
        found.observed = std::numeric_limits<double>::quiet_NaN();
        if (!options_.noise || !(options_.noise->step_variance > 0)) return found;
        const PairedNoise& noise = *options_.noise;
        found.history = noise.step_score;
        if (!(steps_ > 0)) return found;
        found.observed = noise.step_score + step_sum_ / steps_;
        found.beyond = std::fabs(step_sum_ / steps_) > step_error();
        return found;
    }

    /// Intervals with a value of 0 or below in either arm, which a ratio margin cannot judge: they are no information.
    double not_positive() const noexcept { return not_positive_; }
    /// How many intervals a start bets for; infinite without noise.
    double horizon() const {
        return options_.noise ? options_.noise->horizon() : std::numeric_limits<double>::infinity();
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
        evidence.n_baseline = evidence.n_canary = n_;
        evidence.method = options_.noise ? "signed_rank_score" : "t_mixture";
        evidence.estimate = estimate();
        if (!options_.interval) return evidence;
        const detail::EndErrors errors = detail::end_errors(options_);
        evidence.confidence = errors.confidence();
        if (options_.noise) {
            evidence.lower = carried_bound(0);
            evidence.upper = carried_bound(1);
            if (!former_) {
                if (n_ > 0) evidence.estimate = std::clamp(centre(), evidence.lower, evidence.upper);
                if (logs_) {
                    for (double* const value : {&evidence.estimate, &evidence.lower, &evidence.upper})
                        *value = elementary::exp(*value);
                    // The margin itself, not what comes back of its logarithm.
                    agree_to_the_bit(evidence);
                }
            }
        } else {
            learned_bounds(evidence, errors);
        }
        return evidence;
    }

    /// The options, `alpha_safe` filled in.
    const PairedOptions& options() const noexcept { return options_; }

    double n() const noexcept { return n_; }
    /// Mean of each arm's values; NaN before the first.
    double mean_baseline() const { return means_[0] / n_; }
    double mean_canary() const { return means_[1] / n_; }

    /// For StartMixture: multiplies the e-value by a weight in (0, 1].
    void rescale(double weight) {
        for (Direction& direction : directions_) {
            for (Start& start : direction.starts) start.log_weight += elementary::log(weight);
            direction.banked += elementary::log(weight);
            weigh(direction);
        }
        known_ = false;
    }
    /// For StartMixture: adds to the e-value a fresh start of it, worth `weight` now. Beyond 24 the two oldest pool
    /// what they are worth and go on with the older one's sums: its growth from here on is an e-process as well.
    void add_start(double weight) {
        for (Direction& direction : directions_) {
            auto& starts = direction.starts;
            if (starts.size() == most_starts) {
                const double older = growth(direction, starts[0]), newer = growth(direction, starts[1]);
                starts[0].log_weight =
                    elementary::log_add_exp(starts[0].log_weight + older, starts[1].log_weight + newer) - older;
                starts.erase(starts.begin() + 1);
            }
            Start& start = starts.emplace_back();
            start.log_weight = elementary::log(weight);
            start.sum = direction.sum;
            start.time = time_;
            start.drift = drift_;
            start.n = n_;
            weigh(direction);
        }
        known_ = false;
    }

    PairedState state() const {
        PairedState state;
        detail::save_options(state, options_);
        state.noise = noise_marks();
        state.n = n_;
        state.time = time_;
        state.drift = drift_;
        state.unit = unit_;
        state.means = means_;
        state.spread = spread_;
        state.log_largest = sided_.log_largest();
        for (const Direction& direction : directions_) {
            state.sums.push_back(direction.sum);
            state.starts.push_back(direction.starts);
            state.banked.push_back(direction.banked);
            state.score_sums.push_back(direction.scores);
            state.score_squares.push_back(direction.squares);
        }
        state.above = above_;
        state.below = below_;
        state.noise_unit = options_.noise ? static_cast<std::int64_t>(options_.noise->unit) : 0;
        state.carried = carried_;
        state.log_ratios = log_ratios_;
        state.not_positive = not_positive_;
        state.steps = steps_;
        state.step_sum = step_sum_;
        state.last = last_;
        return state;
    }

    /// Takes over a state. Raises `serinus.state.options` when it was taken under other options or with other noise,
    /// `serinus.state.invariant` when its numbers cannot be; the object is unchanged then.
    void restore(const PairedState& state) {
        constexpr std::string_view who = "the state of a PairedTest";
        detail::require_same_options(who, state, options_);
        const std::array<double, 4> marks = noise_marks();
        constexpr std::array<std::string_view, 4> names{"noise.size", "noise.long_run_variance", "noise.mean_score",
                                                        "noise.offset"};
        for (std::size_t i = 0; i < marks.size(); ++i) detail::require_same(who, names[i], state.noise[i], marks[i]);
        const double unit = options_.noise ? static_cast<double>(options_.noise->unit) : 0;
        detail::require_same(who, "noise.unit", static_cast<double>(state.noise_unit), unit);
        const auto require = [](bool good, const char* what) {
            if (!good) raise(Code::state_invariant, std::string("the state of a PairedTest has ") + what);
        };
        const auto amount = [](double value) { return value >= 0 && std::isfinite(value); };
        const auto whole = [&](double value) { return amount(value) && value == std::floor(value); };
        const auto finite = [](const std::vector<double>& values) {
            return std::all_of(values.begin(), values.end(), [](double value) { return std::isfinite(value); });
        };
        require(whole(state.n) && amount(state.time) && amount(state.drift) && amount(state.spread) &&
                    detail::SidedEvidence::sound(state.log_largest) && amount(state.unit),
                "counts or times that cannot be");
        require(
            state.sums.size() == directions_.size() && state.starts.size() == directions_.size() && finite(state.sums),
            "another number of directions");
        for (const auto& starts : state.starts) {
            require((!starts.empty() || !state.banked.empty()) && starts.size() <= most_starts, "no start or too many");
            for (const Start& start : starts) {
                require(std::isfinite(start.log_weight) && std::isfinite(start.sum) && amount(start.time) &&
                            amount(start.drift) && whole(start.n) && start.time <= state.time &&
                            start.drift <= state.drift && start.n <= state.n && start.learned.sound(),
                        "a start that cannot be");
            }
        }
        require(state.above.size() == above_.size() && state.below.size() == below_.size() && finite(state.above) &&
                    finite(state.below),
                "an interval that cannot be");
        require((state.banked.empty() || state.banked.size() == directions_.size()) &&
                    std::none_of(state.banked.begin(), state.banked.end(),
                                 [](double value) {
                                     return std::isnan(value) || value == std::numeric_limits<double>::infinity();
                                 }) &&
                    state.carried[0] >= -1 && state.carried[0] <= state.n && amount(state.carried[1]) &&
                    state.carried[1] <= state.time && amount(state.carried[2]) && state.carried[2] <= state.drift &&
                    std::isfinite(state.log_ratios) && whole(state.not_positive) && whole(state.steps) &&
                    state.steps <= state.n && std::fabs(state.step_sum) <= state.steps &&
                    !(state.last && std::isnan(*state.last)) && state.score_sums.size() == state.banked.size() &&
                    state.score_squares.size() == state.banked.size() && finite(state.score_sums) &&
                    finite(state.score_squares),
                "changes or starts that cannot be");
        n_ = state.n;
        time_ = state.time;
        drift_ = state.drift;
        unit_ = state.unit;
        means_ = state.means;
        spread_ = state.spread;
        sided_.restore(state.log_largest);
        for (std::size_t i = 0; i < directions_.size(); ++i) {
            directions_[i].sum = state.sums[i];
            directions_[i].starts = state.starts[i];
            directions_[i].banked = state.banked.empty() ? nothing : state.banked[i];
            directions_[i].scores = state.score_sums.empty() ? 0 : state.score_sums[i];
            directions_[i].squares = state.score_squares.empty() ? 0 : state.score_squares[i];
            weigh(directions_[i]);
        }
        above_ = state.above;
        below_ = state.below;
        carried_ = state.carried[0] < 0 ? std::array<double, 3>{n_, time_, drift_} : state.carried;
        log_ratios_ = state.log_ratios;
        not_positive_ = state.not_positive;
        steps_ = state.steps;
        step_sum_ = state.step_sum;
        last_ = state.last;
        use_noise();
        known_ = false;
    }

  private:
    static constexpr double log_two = std::numbers::ln2;
    static constexpr double rho = 18.96076188822064;  // normal_mixture_precision(120, 0.05, one_sided): 120 intervals
    static constexpr double rho_large = 2;            // for harm so large that ten intervals tell it
    static constexpr double nothing = -std::numeric_limits<double>::infinity();

    struct Direction {
        double sign;  // +1: evidence that canary/edge is above the baseline
        double edge;  // a ratio, or a difference; of logarithms where the noise is
        double sum = 0;
        std::vector<Start> starts = {Start{}};
        double scores = 0, squares = 0;  // of the scores by themselves, without weights
        double banked = nothing;         // log of what starts are worth that bet no more
        double log_weight = 0;           // of all starts and the bank together
    };

    static PairedOptions checked(const PairedOptions& given) {
        PairedOptions options = detail::checked_sides(given);
        if (options.noise) check_noise(*options.noise, options.margin);
        return options;
    }

    static void check_noise(const PairedNoise& noise, const Margin& margin) {
        const auto refuse = [](Code code, const NoiseDefect& wrong) {
            raise(code, "noise." + wrong.field + " is " + wrong.value + "; allowed: " + wrong.allowed);
        };
        if (const auto wrong = defect(noise)) refuse(Code::argument_range, *wrong);
        if (const auto wrong = unit_defect(noise, margin.ratio.has_value())) refuse(Code::argument_noise, *wrong);
    }

    static void check(const Pair& pair) {
        require(pair.variance > 0 && std::isfinite(pair.variance), "variance", pair.variance, "above 0, finite");
        require(pair.instances_baseline >= 0, "instances_baseline", pair.instances_baseline, "0 (not known) or more");
        require(pair.instances_canary >= 0, "instances_canary", pair.instances_canary, "0 (not known) or more");
    }

    static bool of_logs(const PairedOptions& options) { return options.noise && options.noise->unit == NoiseUnit::log; }

    Direction make_direction(int towards) const {
        const double edge = detail::edge_of(options_.margin, towards > 0);
        return {options_.side == Side::harm ? double(towards) : -double(towards),
                logs_ ? double(towards) * elementary::log(*options_.margin.ratio) : edge};
    }

    /// What a direction's starts and its bank weigh together, for `log_at_most`.
    static void weigh(Direction& direction) {
        std::array<double, most_starts + 1> values;
        std::size_t size = 0;
        for (const Start& start : direction.starts) values[size++] = start.log_weight;
        values[size++] = direction.banked;
        direction.log_weight = elementary::log_sum_exp(std::span<const double>(values.data(), size));
    }

    /// What the noise makes of the options: the standard deviation of scores for an error rate, the weight of an
    /// interval relative to the first split's, and the margins' reach over instances.
    void use_noise() {
        if (!options_.noise) return;
        const PairedNoise& noise = *options_.noise;
        former_ = noise.unit == NoiseUnit::former;
        ratio_ = options_.margin.ratio && !logs_;
        deviation_ = std::sqrt(noise.long_run_variance);
        const double strength = 1 / (noise.scale() * deviation_);
        if (unit_ == 0 && std::isfinite(strength)) unit_ = strength;
        weight_ = unit_ > 0 && std::isfinite(strength) ? strength / unit_ : 1;
        inverse_root_size_ = 1 / std::sqrt(noise.size);
        if (options_.interval) scores_ = std::make_shared<const ScoreTable>(noise);
        shifted_ = noise.instance_deviation > 0 || noise.wander > 0;
        // Where the arms' own offsets have half of the error, the noise has the other half.
        const double part = shifted_ && !former_ ? 0.5 : 1;
        inflation_own_ = std::sqrt(variance_factor(noise, part * detail::own_alpha(options_)));
        const detail::EndErrors errors = detail::end_errors(options_);
        end_alpha_ = {errors.below, errors.above};
        for (std::size_t end = 0; end < 2; ++end)
            inflation_[end] = std::sqrt(variance_factor(noise, part * end_alpha_[end]));
        for (std::size_t end = 0; end < 2; ++end)
            end_needed_[end] = -elementary::log(shifted_ ? end_alpha_[end] / 2 : end_alpha_[end]);
        biased_ = std::any_of(noise.scale_bias.begin(), noise.scale_bias.end(), [](double bias) { return bias > 0; });
        bias_ = 0;
        wider_ = 1;
        if (n_ > 0) find_scale();
        shift_spread_ = -1;
        find_shifts();
        find_ends();
    }

    /// Half of each error goes to where the arms' own offsets may lie.
    void find_shifts() {
        if (!shifted_ || shift_spread_ == spread_) return;
        const PairedNoise& noise = *options_.noise;
        const bool halves = options_.harm == Harm::either && options_.side == Side::harm;
        shift_own_ = noise_reach(noise, detail::own_alpha(options_) / (halves ? 4 : 2), spread_);
        for (std::size_t end = 0; end < 2; ++end) shift_[end] = noise_reach(noise, end_alpha_[end] / 2, spread_);
        shift_spread_ = spread_;
    }

    double edge_difference(const Pair& pair, double edge) const {
        return ratio_ ? pair.canary / edge - pair.baseline : pair.canary - edge - pair.baseline;
    }

    void update_scores(const Pair& pair) {
        const PairedNoise& noise = *options_.noise;
        const double known = pair.instances_baseline > 0 && pair.instances_canary > 0
                                 ? 1 / pair.instances_baseline + 1 / pair.instances_canary
                                 : 0;
        const double learned = noise.instances_baseline > 0 && noise.instances_canary > 0
                                   ? 1 / noise.instances_baseline + 1 / noise.instances_canary
                                   : 0;
        const double variance = pair.variance * (known > 0 && learned > 0 ? known / learned : 1);
        spread_ = std::max(spread_, known > 0 ? known : learned);
        const double inverse = 1 / std::sqrt(variance);
        const double weight = weight_ * inverse;
        const double step = weight / deviation_;
        // At a ratio's edge the canary reads r times a baseline, offset and all: dividing by r brings it back.
        find_shifts();
        for (Direction& direction : directions_) {
            const double shift = shifted_ ? direction.sign * shift_own_ : 0;
            const double y = edge_difference(pair, direction.edge) - shift;
            const double score = noise.score((y - noise.offset) * inverse) - noise.mean_score;
            direction.sum += direction.sign * (score * step);
            direction.scores += score;
            direction.squares += score * score;
        }
        time_ += weight * weight;
        drift_ += weight * inverse_root_size_;
        if (noise.step_variance > 0) {
            const double difference = pair.canary - pair.baseline;
            if (last_ && std::isfinite(difference - *last_)) {
                step_sum_ += std::fabs(noise.score((difference - *last_) * inverse)) - noise.step_score;
                steps_ += 1;
            }
            last_ = difference;
        }
        find_scale();
        const double horizon = noise.horizon();
        for (Direction& direction : directions_) {
            while (!direction.starts.empty() && n_ - direction.starts.front().n >= horizon) {
                const Start& start = direction.starts.front();
                direction.banked =
                    elementary::log_add_exp(direction.banked, start.log_weight + growth(direction, start));
                direction.starts.erase(direction.starts.begin());
                weigh(direction);
            }
        }
        // Margins that have been left behind once stay where they were, even under the noise of a longer history.
        if (margin_.empty() || n_ > horizon || carried_[0] != n_ - 1) return;
        carried_ = {n_, time_, drift_};
        std::array<double, margins> shifted{}, mirrored{};
        const std::size_t count = margin_.size();
        for (std::size_t j = 0; j < count; ++j) {
            const double y = edge_difference(pair, margin_[j]) - noise.offset;
            shifted[j] = (y - (shifted_ ? shift_[0] : 0)) * inverse;
            mirrored[j] = (y + (shifted_ ? shift_[1] : 0)) * inverse;
        }
        scores_->score(noise, {shifted.data(), count});
        if (shifted_) scores_->score(noise, {mirrored.data(), count});
        const std::array<double, margins>& other = shifted_ ? mirrored : shifted;
        for (std::size_t j = 0; j < count; ++j) {
            above_[j] += (shifted[j] - noise.mean_score) * step;
            below_[j] -= (other[j] - noise.mean_score) * step;
        }
        find_ends();
    }

    /// Where the mean score of changes may lie around what is observed, at an error of `departure_alpha` over all
    /// intervals: the two-sided normal mixture.
    double step_error() const {
        const PairedNoise& noise = *options_.noise;
        const double certain = 1 + steps_ / noise.size, v = steps_ / certain;
        const double bound =
            std::sqrt((v + rho) * (elementary::log1p(v / rho) - 2 * elementary::log(PairedNoise::departure_alpha)));
        return bound * certain * std::sqrt(noise.step_variance) / steps_;
    }

    /// What noise of another scale than history's could do to the sums, as far as this rollout leaves that open: the
    /// bias that skewed noise would have, and the variance of the scores, if it is larger than history's.
    void find_scale() {
        const PairedNoise& noise = *options_.noise;
        if (former_ || noise.scale_steps.empty()) return;
        double bias = 0;
        if (biased_) {
            if (steps_ > 0) {
                const double observed = noise.step_score + step_sum_ / steps_, error = step_error();
                bias = noise.largest_bias(observed - error, observed + error);
            } else {
                bias = *std::max_element(noise.scale_bias.begin(), noise.scale_bias.end());
            }
        }
        // The sum of the weights is drift sqrt(size).
        bias_ = bias / (inverse_root_size_ * deviation_);
        double widest = noise.score_variance;
        for (const Direction& direction : directions_) {
            const double mean = direction.scores / n_;
            widest = std::max(widest, direction.squares / n_ - mean * mean);
        }
        wider_ = std::sqrt(widest / noise.score_variance);
    }

    /// log e-value of sums that grew by these since a start: the mean of two precisions, one for harm that takes a
    /// hundred intervals to tell and one for harm that takes ten. Noise written before had the first alone.
    double mixture(double sum, double time, double drift, double n, double inflation) const {
        if (!(time > 0)) return 0;
        const double certain = 1 + drift * drift / time;
        const double s = (sum - bias_ * drift) / (inflation * wider_ * certain), v = time / certain;
        double value = log_normal_mixture_with_precision(s, v, rho, true);
        if (!former_) {
            const double large = log_normal_mixture_with_precision(s, v, rho_large, true);
            value = elementary::log_add_exp(value, large) - log_two;
        }
        return n < (former_ ? first_former : first) ? std::min(value, 0.0) : value;
    }

    /// Not less than `mixture`, without a logarithm: log(1 + x) >= 2x/(2 + x), and 2 Phi(z) <= 1 + z sqrt(2/pi) and 2.
    double mixture_at_most(double sum, double time, double drift, double n) const {
        if (!(time > 0)) return 0;
        const double certain = 1 + drift * drift / time;
        const double s = sum / (inflation_own_ * certain), v = time / certain;
        const auto one = [&](double precision) {
            const double lost = v / (v + 2 * precision);
            if (!(s > 0)) return -lost;
            const double square = s * s / (v + precision);
            return square / 2 - lost + std::min(log_two, 0.7978845608028654 * std::sqrt(square));
        };
        const double most = std::max(one(rho), one(rho_large));
        return n < first ? std::min(most, 0.0) : most;
    }

    double growth(const Direction& direction, const Start& start) const {
        if (options_.noise) {
            return mixture(direction.sum - start.sum, time_ - start.time, drift_ - start.drift, n_ - start.n,
                           inflation_own_);
        }
        const Dependence known = start.learned.current();
        if (known.n < first_former || !known.sufficient()) return 0;
        return log_t_mixture_one_sided(known.mean, known.variance, known.n_effective);
    }

    double direction_log_e(const Direction& direction) const {
        if (direction.starts.size() == 1 && direction.banked == nothing)
            return direction.starts[0].log_weight + growth(direction, direction.starts[0]);
        std::array<double, most_starts + 1> values;
        std::size_t size = 0;
        for (const Start& start : direction.starts) values[size++] = start.log_weight + growth(direction, start);
        values[size++] = direction.banked;
        return elementary::log_sum_exp(std::span<const double>(values.data(), size));
    }

    double direction_at_most(const Direction& direction) const {
        double most = direction.banked == nothing ? nothing : 0;
        for (const Start& start : direction.starts) {
            most = std::max(most, mixture_at_most(direction.sum - start.sum, time_ - start.time, drift_ - start.drift,
                                                  n_ - start.n));
        }
        return direction.log_weight + most;
    }

    double compute_log_e_value() const {
        const double value = directions_.together([&](const Direction& one) { return direction_log_e(one); });
        return shifted_ ? std::min(value - log_two, log_needed()) : value;
    }
    void settle() {
        log_e_value_ = compute_log_e_value();
        known_ = true;
    }

    /// Margins around the test's own: no change at all, and 31 on each side from 3 % of a typical difference to 12 of
    /// them, in equal ratios.
    void carry_margins() {
        const PairedNoise& noise = *options_.noise;
        const bool ratio = ratio_;
        const double level = std::fabs(noise.level);
        double unit = noise.scale();
        if (ratio) unit = level > 0 ? std::min(unit / level, 1.0) : 0.1;
        if (!(unit > 0)) unit = ratio ? 0.1 : 1;
        const double edge = directions_.front().edge;
        margin_.push_back(edge);
        const double other = options_.harm == Harm::either ? directions_.back().edge : ratio ? 1.0 : 0.0;
        if (other != edge) margin_.push_back(other);
        const std::size_t side = (margins - 2) / 2;
        // From a fraction of the noise to what anyone would call harm: half as much again, if the noise lets it be
        // told.
        const double far = ratio || logs_ ? 0.5 : 0.5 * level;
        const double reach = std::clamp(far / unit, 12.0, 200.0);
        const double growth = elementary::exp(elementary::log(reach / 0.03) / static_cast<double>(side - 1));
        double distance = 0.03 * unit;
        for (std::size_t j = 0; j < side; ++j, distance *= growth) {
            for (const double away : {-distance, distance})
                margin_.push_back(ratio ? edge * elementary::exp(away) : edge + away);
        }
        std::sort(margin_.begin(), margin_.end());
        above_.assign(margin_.size(), 0);
        below_.assign(margin_.size(), 0);
    }

    /// The mean of the differences, or the ratio of the arms' means (of logarithms: of their geometric means).
    double estimate() const {
        if (!(n_ > 0)) return std::numeric_limits<double>::quiet_NaN();
        const double offset = options_.noise ? options_.noise->offset : 0;
        if (logs_) return elementary::exp(log_ratios_ / n_ - offset);
        return options_.margin.ratio ? means_[1] / (means_[0] + n_ * offset) : (means_[1] - means_[0]) / n_ - offset;
    }

    /// The margin at which the canary would be right in the middle of history: where the carried sum of scores is 0,
    /// between two margins on a straight line. Between margins further apart than a typical difference that line says
    /// nothing, and the mean does, as far as it lies between the two.
    double centre() const {
        const double mean = (logs_ ? log_ratios_ : means_[1] - means_[0]) / n_ - options_.noise->offset;
        const auto crossing = [&](auto&& sum_at, double shift) {
            std::size_t j = 0;
            while (j < margin_.size() && sum_at(j) > 0) ++j;
            if (j == 0) return std::min(mean, margin_.front() + shift);
            if (j == margin_.size()) return std::max(mean, margin_.back() + shift);
            const double low = margin_[j - 1], high = margin_[j], before = sum_at(j - 1), after = sum_at(j);
            if (high - low > 2 * options_.noise->scale()) return std::clamp(mean, low + shift, high + shift);
            return low + (high - low) * (before / (before - after)) + shift;
        };
        if (!shifted_) return crossing([&](std::size_t j) { return above_[j]; }, 0);
        return (crossing([&](std::size_t j) { return above_[j]; }, shift_[0]) +
                crossing([&](std::size_t j) { return -below_[j]; }, -shift_[1])) /
               2;
    }

    /// The ends of a ratio's interval are powers of e; one that is the margin says so to the bit.
    void agree_to_the_bit(Evidence& evidence) const {
        for (const Direction& direction : directions_) {
            const double edge = detail::edge_of(options_.margin, direction.edge > 0 || options_.harm == Harm::increase);
            if (carried_bound(0) == direction.edge) evidence.lower = edge;
            if (carried_bound(1) == direction.edge) evidence.upper = edge;
        }
    }

    /// How many margins are excluded from below (end 0) and from above (end 1): runs at the two ends, since sums fall
    /// from margin to margin. From one interval to the next the runs hardly change.
    ///
    /// Most often a sum's evidence need not be known exactly. Of s > 0 the logarithm of a normal mixture is between q and
    /// q + log 2, q = s^2/(2 (v + rho)) - log(1 + v/rho)/2, whose logarithm all margins share; the mean of two is at
    /// least the larger one less log 2, and at most that.
    void find_ends() {
        if (above_.empty()) return;
        const double time = carried_[1], drift = carried_[2];
        const double certain = 1 + drift * drift / time, v = time / certain;
        const double lost = time > 0 ? elementary::log1p(v / rho) / 2 : 0;
        const double lost_large = time > 0 && !former_ ? elementary::log1p(v / rho_large) / 2 : 0;
        for (std::size_t end = 0; end < 2; ++end) {
            const double needed = end_needed_[end];
            const auto excluded = [&](std::size_t run) {
                const double sum = end == 0 ? above_[run] : below_[below_.size() - 1 - run];
                const double s = (sum - bias_ * drift) / (inflation_[end] * wider_ * certain);
                if (!(s > 0)) return false;
                const double small = s * s / (2 * (v + rho)) - lost;
                const double most = former_ ? small : std::max(small, s * s / (2 * (v + rho_large)) - lost_large);
                if (most + log_two < needed - 1e-9) return false;
                if (!former_ && carried_[0] >= first && most - log_two >= needed + 1e-9) return true;
                return mixture(sum, time, drift, carried_[0], inflation_[end]) >= needed;
            };
            std::size_t& run = excluded_[end];
            while (run < margin_.size() && excluded(run)) ++run;
            while (run > 0 && !excluded(run - 1)) --run;
        }
    }

    /// The outermost margin that is excluded at that end; the parameter's own end where none is.
    double carried_bound(std::size_t end) const {
        const std::size_t run = excluded_[end];
        if (run > 0) return end == 0 ? margin_[run - 1] : margin_[margin_.size() - run];
        if (end == 1) return std::numeric_limits<double>::infinity();
        return ratio_ ? 0 : nothing;
    }

    /// Noise learned on the way: where the t-mixture would stand at the threshold, on the scale of the differences.
    void learned_bounds(Evidence& evidence, const detail::EndErrors& errors) const {
        const Direction& direction = directions_.front();
        const Dependence known = direction.starts.front().learned.current();
        if (known.n < first_former || !known.sufficient() || !(known.variance > 0)) return;
        const double step = std::sqrt(known.variance / known.n_effective);
        const auto half_width = [&](double alpha) {
            const double needed = -elementary::log(alpha);
            double low = 0, high = step;
            while (log_t_mixture_one_sided(high, known.variance, known.n_effective) < needed && high < 1e9 * step)
                high *= 2;
            for (int i = 0; i < 60; ++i) {
                const double middle = low + (high - low) / 2;
                (log_t_mixture_one_sided(middle, known.variance, known.n_effective) < needed ? low : high) = middle;
            }
            return high;
        };
        const double centre = direction.sign * known.mean;
        const double low = centre - half_width(errors.below), high = centre + half_width(errors.above);
        if (options_.margin.difference) {
            evidence.lower = direction.edge + low;
            evidence.upper = direction.edge + high;
        } else if (means_[0] > 0) {
            const double level = means_[0] / n_;
            evidence.lower = std::max(0.0, direction.edge * (1 + low / level));
            evidence.upper = direction.edge * (1 + high / level);
        }
    }

    std::array<double, 4> noise_marks() const {
        if (!options_.noise) return {};
        const PairedNoise& noise = *options_.noise;
        return {noise.size, noise.long_run_variance, noise.mean_score, noise.offset};
    }

    PairedOptions options_;
    detail::SidedEvidence sided_;
    bool logs_ = false;  // a ratio margin on logarithms
    detail::Directions<Direction> directions_;
    double n_ = 0, time_ = 0, drift_ = 0, unit_ = 0;
    std::array<double, 2> means_{};
    double spread_ = 0;
    double log_e_value_ = 0;
    bool known_ = false;  // log_e_value_ is of now
    std::vector<double> margin_, above_, below_;
    std::array<double, 3> carried_{};
    double log_ratios_ = 0, not_positive_ = 0, steps_ = 0, step_sum_ = 0;
    std::optional<double> last_;

    // From the noise; not part of the state.
    double deviation_ = 1, weight_ = 1, inverse_root_size_ = 0, inflation_own_ = 1;
    std::array<double, 2> inflation_{1, 1}, end_alpha_{}, end_needed_{};
    std::shared_ptr<const ScoreTable> scores_;  // where there is an interval
    std::array<std::size_t, 2> excluded_{};     // follows from the sums
    double bias_ = 0, wider_ = 1;               // follow from the sums
    bool biased_ = false, shifted_ = false, former_ = false, ratio_ = false;
    double shift_spread_ = -1, shift_own_ = 0;  // the shifts are for this spread
    std::array<double, 2> shift_{};
};

}  // namespace sequential
}  // namespace v0
}  // namespace serinus
