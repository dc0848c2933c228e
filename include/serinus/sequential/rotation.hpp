#pragma once
/// \file
/// Is the canary's gauge worse than the baseline's, by more than a margin, when each arm has a few instances and there
/// is hardly any history? Asked while the rollout runs, at looks that are fixed beforehand.

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <numbers>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <serinus/core/counts.hpp>
#include <serinus/core/describe.hpp>
#include <serinus/core/error.hpp>
#include <serinus/core/evidence.hpp>
#include <serinus/core/require.hpp>
#include <serinus/core/text.hpp>
#include <serinus/core/words.hpp>
#include <serinus/numeric/elementary.hpp>
#include <serinus/numeric/rotation.hpp>
#include <serinus/sequential/detail/directions.hpp>
#include <serinus/sequential/detail/rotation_state.hpp>
#include <serinus/sequential/detail/same_options.hpp>
#include <serinus/sequential/detail/sides.hpp>
#include <serinus/sequential/instance_spread.hpp>

namespace serinus {
inline namespace v0 {
namespace sequential {

struct RotationOptions {
    double alpha = 0.05;  ///< error of deciding on harm, and of the interval's end on the side of harm
    std::optional<double> alpha_safe =
        std::nullopt;  ///< error of deciding on safety, and of the other end; default alpha
    Harm harm = Harm::increase;
    Margin margin = {.ratio = 1.0, .difference = std::nullopt};  ///< a ratio compares levels of logs
    Side side = Side::harm;
    std::int64_t last = 120;  ///< judged intervals that the error is spent over: those of the stage's maximum
    std::int64_t since = 0;   ///< nothing is spent before so many judged intervals
    std::uint64_t seed = 0;  ///< of the virtual canaries; fixed before the data, by the names of service and metric say
    /// The guard. Nine of ten pairs of instances of one version differ by at most so much: a share for a ratio margin
    /// (.5: 50 %), in the metric's unit for a difference. With it, no less than without it must be rejected.
    std::optional<double> instances_differ = std::nullopt;
    /// Ratio margins, for values of 0 or less, which have no log: they count as this, 1/100 of the baseline's level in
    /// history say. 0: such a value is no value.
    double zero = 0;
    InstanceSpread known = {};  ///< over the looks of `last`
    bool interval = true;       ///< find `lower` and `upper` at every look

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("alpha", self.alpha);
        visit("alpha_safe", self.alpha_safe);
        visit("harm", self.harm);
        visit("margin", self.margin);
        visit("side", self.side);
        visit("last", self.last);
        visit("since", self.since);
        visit("seed", self.seed);
        visit("instances_differ", self.instances_differ);
        visit("zero", self.zero);
        visit("known", self.known);
        visit("interval", self.interval);
    }
};
static_assert(described_whole<RotationOptions>());

/// Rotation test between instances: the canary's level against the baseline instances' levels.
///
/// Answers, at looks after 5, 6, 8, 10, 12, 15, 19 ... and `last` judged intervals: does the canary's level exceed the
/// baseline's by more than the margin (`side = harm`), or does it certainly not (`side = safe`)? The unit is an
/// instance, not an interval: how far instances of one version differ (in level, in slow wander, in noise) is seen from
/// those that run side by side, so neither history nor a long-run variance is needed. Three baseline instances decide,
/// or two and one that is known from elsewhere.
///
/// Null hypothesis, `side = harm` and `harm = increase`: the canary's instances are instances of the baseline's
/// version, times r (ratio margin) or plus d (difference margin), or read less. `decrease` turns it around
/// (baseline/canary at most r); `either` asks both with half of alpha each; `side = safe` exchanges null and
/// alternative (`either`: both directions must be ruled out, each at the full alpha_safe).
///
/// Formula: an instance's level at look n is the mean of its first n values (of their logs for a ratio margin); D_n the
/// mean over the intervals of (mean of the canary's instances there - the baseline's), X_n = (D_n - log r)/sqrt(1/k_c +
/// 1/k_b). 1/k of an arm is the larger of the sum of its instances' squared shares and the mean over the intervals of
/// 1/(instances there). Rows: orthonormal contrasts of the baseline's instances among each other, of the canary's, and
/// those of `known`; nu of them. X and the rows over their length are a point on the sphere of R^(nu + 1). 16,383
/// virtual canaries, fixed random directions, walk the same path (numeric/rotation.hpp), and the canary is rejected at
/// the look at which it is among the best of them that a spending alpha sqrt(n/last) lets go: Langsrud's (2005,
/// Statistics and Computing 15, 53-60) rotation test with the spending of Lan and DeMets (1983, Biometrika 70,
/// 659-663).
///
/// **Proved**: where instances of one version are exchangeable and Gaussian, of any autocorrelation, common drift and
/// spread, also a changing one, and all of them have all values, P(ever reject) <= alpha over all looks, at the
/// margin's edge, with rows of this rollout and of former releases whose instances have that law too: given all inner
/// products the canary's direction and the virtual ones are exchangeable, and exactly floor(alpha 2^14) of 2^14 ever
/// die. **Proved limit**: exchangeability alone allows no test below 1/(k_b + 1). **Measured**
/// (docs/concepts/sequential.md): the rows of replaced instances, which share the baseline's mean with X; heavier
/// tails; instances that come and go; levels inside the null. **Not covered**: instances of two kinds (fast and slow
/// machines): take a margin and the guard; a canary that is much noisier than the baseline's instances, as with an
/// unequal load.
///
/// **The guard** (`instances_differ`): the few instances at hand may agree by chance. The declared spread s0 = log(1 +
/// x)/2.326 (x/2.326 for a difference margin) stands for 8 rows whose correlation from look to look is that of means of
/// white noise, sqrt(n_j/n_l). Both spreads must reject, each at the full level.
///
/// What may be said at all: with nu = 0 nothing; with nu = 1 safety, never harm; while more than half of the intervals
/// have at most (k_b + 1)/2 different baseline values (a gauge at its floor, whose ties show no spread) harm only with
/// the guard (`at_floor`).
///
/// evidence(): `estimate` is exp(D_n) or D_n. `lower` and `upper`: the outermost margins that are not rejected at alpha
/// and alpha_safe at any look so far, by the first 2^12 to 2^14 of the same virtual canaries, found to 5 % of D_n's
/// standard error or 1 % of their distance from D_n, on the wide side; `confidence` = 1 - alpha - alpha_safe, for
/// `either` each end has half of alpha. That margins beyond an excluded one are excluded as well is measured. A
/// margin that was rejected once stays so: an estimate that moves later may leave the interval.
/// `log_e_value` is log(1/a), a the smallest of the error rates alpha 2^j, at most 1/2, that has rejected, each with
/// virtual canaries of its own; who is dead at a is dead at 2 a (proved by induction over the looks), so `p_value` = a
/// is valid at all looks. **1/a is no e-value**: two of them may not be multiplied or averaged. As an e-value the
/// decision is worth 1{decided}/alpha.
///
/// Few data: an interval in which an arm has no value is not judged and changes nothing. Instances with values in 60 %
/// of the intervals at the first look make the rows; later ones count for the arm's mean alone. An instance that ends
/// keeps its level. After `last` nothing is decided any more. Infinite values raise `serinus.argument.infinite`, those
/// beyond 1e150 `serinus.argument.range`; the object is unchanged then.
///
/// Cost: a log an instance and interval. A look O(2^14 min(nu, J)) for J looks, twice with the guard or `either`; its
/// interval some ten times that where an end moves. The virtual canaries are made at the first look: 2^14 numbers for
/// each of J + 1 dimensions, which tests of one seed and `last` can share (`normals`), and some 14 numbers each to work
/// in. The state is O(instances x looks + looks^2): 1.7 KB for four instances and 60
/// intervals, 1.9 KB for ten and 30, 3.4 KB for ten and 120.
///
///     RotationTest test({.margin = {.ratio = 1.5}, .last = 30, .seed = 7});
///     test.update(baseline_latencies, canary_latencies);   // one value an instance
///     bool roll_back = test.decided();
class RotationTest {
  public:
    static constexpr double largest_value = 1e150;  ///< in size, so that no square overflows
    /// \param normals of another test with the same seed and `last` (its `normals()`), so that they are not made twice;
    ///                others are not used.
    explicit RotationTest(const RotationOptions& options = {},
                          std::shared_ptr<const rotation::Normals> normals = nullptr)
        : options_(checked(options)),
          looks_(rotation::looks(options_.last)),
          directions_(options_.harm, options_.side, [&](bool up) { return direction(up); }),
          normals_(std::move(normals)) {
        check_known(options_.known);
        set_levels();
    }

    /// One judged interval: the values of the baseline's and of the canary's instances, each always in the same place;
    /// NaN: no value. A new instance is appended. The caller decides which instances count, and which intervals.
    void update(std::span<const double> baseline, std::span<const double> canary) {
        const std::array<std::span<const double>, 2> given{baseline, canary};
        std::array<double, 2> present{}, sum{};
        for (std::size_t arm = 0; arm < 2; ++arm) {
            read(arm == 0 ? Arm::baseline : Arm::canary, given[arm], scratch_[arm]);
            for (const double value : scratch_[arm]) present[arm] += std::isnan(value) ? 0 : 1;
        }
        if (present[0] == 0 || present[1] == 0) return;
        const bool tied = at_floor_now(present[0]);
        if (!data_.origin) {
            for (const double value : scratch_[0]) {
                if (std::isnan(value)) continue;
                data_.origin = value;
                break;
            }
        }
        for (std::size_t arm = 0; arm < 2; ++arm) {
            const std::size_t size = scratch_[arm].size();
            if (data_.counts[arm].size() < size) {
                data_.counts[arm].resize(size);
                data_.sums[arm].resize(size);
                data_.shares[arm].resize(size);
            }
            for (std::size_t i = 0; i < size; ++i) {
                if (std::isnan(scratch_[arm][i])) continue;
                const double value = scratch_[arm][i] - *data_.origin;
                sum[arm] += value;
                data_.counts[arm][i] += 1;
                data_.sums[arm][i] += value;
                data_.shares[arm][i] += 1 / present[arm];
            }
            data_.means[arm] += sum[arm] / present[arm];
            data_.inverses[arm] += 1 / present[arm];
        }
        data_.n += 1;
        data_.tied += tied ? 1 : 0;
        const std::size_t next = data_.differences.size();
        if (next < looks_.size() && data_.n == static_cast<double>(looks_[next])) look();
    }

    /// Takes many intervals, in order: the values of the first one, of the second one, and so on; to the bit what so
    /// many calls of `update` do. Nothing is taken when an interval is impossible. Raises `serinus.argument.length` for
    /// different numbers of intervals.
    void update_many(std::span<const std::span<const double>> baseline,
                     std::span<const std::span<const double>> canary) {
        detail::require_same_length(baseline.size(), canary.size());
        RotationTest next = *this;
        for (std::size_t i = 0; i < baseline.size(); ++i) next.update(baseline[i], canary[i]);
        *this = std::move(next);
    }

    /// What is known of instances from elsewhere, in place of `options.known`. Raises `serinus.argument.order` after
    /// the first look, `serinus.argument.range` or `.length` for what is not over the looks of `last`.
    void set_known(InstanceSpread known) {
        if (!data_.differences.empty()) {
            raise(Code::argument_order, "known is set after " + given_text(data_.n) +
                                            " judged intervals; allowed: before the first look, which is after " +
                                            std::to_string(looks_.front()));
        }
        check_known(known);
        options_.known = std::move(known);
    }

    /// True once the canary has been rejected at alpha (alpha_safe on the safe side).
    bool decided() const noexcept { return (granted_ >> own_level_ & 1U) != 0; }
    /// log(1/a) of the smallest error rate that has rejected; 0 when none of at most 1/2 has. Never falls.
    double log_e_value() const { return log_largest(); }
    /// The same.
    double log_largest() const {
        if (granted_ == 0) return 0;
        return log_needed() + std::numbers::ln2 * (static_cast<double>(own_level_) - std::countr_zero(granted_));
    }
    /// log(1/alpha), on the safe side log(1/alpha_safe).
    double log_needed() const { return -elementary::log(own_alpha()); }
    /// Valid at all looks: the smallest error rate that has rejected, else 1.
    double p_value() const {
        return granted_ == 0 ? 1 : level_at(static_cast<std::size_t>(std::countr_zero(granted_)));
    }

    Evidence evidence() const {
        Evidence evidence;
        evidence.log_e_value = log_e_value();
        evidence.p_value = p_value();
        evidence.n_baseline = evidence.n_canary = data_.n;
        evidence.method = "rotation";
        if (data_.n > 0) {
            const double difference = (data_.means[1] - data_.means[0]) / data_.n;
            evidence.estimate = options_.margin.ratio ? elementary::exp(difference) : difference;
        }
        if (!options_.interval) return evidence;
        evidence.confidence = detail::end_errors(options_).confidence();
        evidence.lower = shown_end(data_.lower);
        evidence.upper = shown_end(data_.upper);
        detail::agree(evidence, log_needed(), options_);
        return evidence;
    }

    /// nu, the contrasts that tell how far instances differ: as they were at the first look, before it as they would be
    /// now. 0: nothing can be decided. 1: safety may be, harm never.
    double degrees() const noexcept {
        double degrees = options_.known.degrees;
        for (std::size_t arm = 0; arm < 2; ++arm) {
            const std::size_t count = data_.differences.empty() ? row_instances(arm).size() : data_.rows[arm].size();
            if (count > 1) degrees += static_cast<double>(count - 1);
        }
        return degrees;
    }
    /// How instances differ, as this test knows it at its looks so far: the contrasts of its own instances and `known`.
    InstanceSpread spread() const {
        InstanceSpread spread;
        const std::size_t size = data_.differences.size();
        spread.looks.assign(looks_.begin(), looks_.begin() + static_cast<std::ptrdiff_t>(size));
        for (std::size_t i = 0; i < size; ++i)
            for (std::size_t j = 0; j < size; ++j) spread.gram.push_back(products(std::min(i, j), std::max(i, j)));
        spread.degrees = degrees();
        return spread;
    }
    /// More than half of the intervals so far have at most (k_b + 1)/2 different baseline values.
    bool at_floor() const noexcept { return 2 * data_.tied > data_.n; }

    /// Judged intervals.
    double n() const noexcept { return data_.n; }
    /// Level of each arm: the mean of its values, for a ratio margin their geometric mean; NaN before the first.
    double mean_baseline() const { return level_of(0); }
    double mean_canary() const { return level_of(1); }

    /// The options, `alpha_safe` filled in; `known` is what holds.
    const RotationOptions& options() const noexcept { return options_; }
    /// The virtual canaries' numbers, for another test of the same seed and `last`; null before the first look that
    /// needs them.
    const std::shared_ptr<const rotation::Normals>& normals() const noexcept { return normals_; }

    RotationState state() const {
        RotationState state = data_;
        detail::save_options(state, options_);
        state.granted = static_cast<std::int64_t>(granted_);
        return state;
    }

    /// Takes over a state, with what it knew of instances from elsewhere, and walks its looks again. Raises
    /// `serinus.state.options` for one that was taken under other options, `serinus.state.invariant` for numbers that
    /// cannot be; the object is unchanged then.
    void restore(const RotationState& state) {
        RotationOptions options = options_;
        options.known = state.known;
        detail::require_same_options("the state of a RotationTest", state, options);
        check_state(state);

        RotationTest other(options, normals_);
        other.data_ = state;
        other.granted_ = static_cast<std::uint32_t>(state.granted);
        for (std::size_t j = 0; j < state.differences.size(); ++j) other.walk(j);
        *this = std::move(other);
    }

  private:
    static constexpr double infinite = std::numeric_limits<double>::infinity();
    static constexpr double guard_degrees = 8;

    /// x = sign (D - edge)/sqrt(scale): large where the direction's null is false.
    struct Direction {
        double sign, edge;
        std::array<rotation::Walk, 2> walks{};  // beside the instances' spread, and beside the declared one
    };
    /// A spread between instances: its rows so far and the directions of the virtual canaries beside them.
    struct Rows {
        rotation::RowFactor factor;
        rotation::Sphere sphere;
        double degrees = 0;
    };

    static RotationOptions checked(const RotationOptions& given) {
        RotationOptions options = detail::checked_sides(given);
        rotation_looks(options.last);
        require(options.since >= 0 && options.since <= options.last, "since", static_cast<double>(options.since),
                "from 0 to last");
        require(options.zero >= 0 && options.zero <= largest_value, "zero", options.zero, "0 or more, finite");
        if (options.instances_differ) {
            require(*options.instances_differ > 0 && *options.instances_differ <= largest_value, "instances_differ",
                    *options.instances_differ, "above 0, finite");
        }
        const double least = (options.side == Side::harm && options.harm == Harm::either ? 2.0 : 1.0) /
                             static_cast<double>(rotation::canaries + 1);
        const bool harm = options.side == Side::harm;
        require((harm ? options.alpha : *options.alpha_safe) >= least, harm ? "alpha" : "alpha_safe",
                harm ? options.alpha : *options.alpha_safe,
                "1/16384 or more, for either 1/8192: fewer of the virtual canaries than one could never be reached");
        return options;
    }

    /// A broken precondition of a caller, and of a state, are refused by another code.
    using Refuse = void (*)(Code, const std::string&);
    static void refuse_argument(Code code, const std::string& sentence) { raise(code, sentence); }
    static void refuse_state(Code code, const std::string& sentence) {
        raise(Code::state_invariant,
              "the state of a RotationTest cannot be: " + std::string(name(code)) + ": " + sentence);
    }

    void check_known(const InstanceSpread& known, Refuse refuse = refuse_argument) const {
        const std::size_t size = looks_.size();
        if (!(known.degrees >= 0 && known.degrees <= 1e9 && known.degrees == std::floor(known.degrees))) {
            refuse(Code::argument_count,
                   "known.degrees is " + given_text(known.degrees) + "; allowed: a whole number from 0 to 1000000000");
        }
        if (known.degrees == 0 && known.looks.empty() && known.gram.empty()) return;
        if (known.looks != looks_) {
            refuse(Code::argument_range, "known.looks are others than those of last = " +
                                             std::to_string(options_.last) + "; allowed: rotation_looks(last)");
        }
        if (known.gram.size() != size * size && !(known.degrees == 0 && known.gram.empty())) {
            refuse(Code::argument_length, "known.gram has " + std::to_string(known.gram.size()) +
                                              " numbers; allowed: " + std::to_string(size * size));
        }
        if (known.gram.empty()) return;
        const auto check = [&](std::size_t i, std::size_t j) {
            const double value = known.gram[i * size + j];
            const double most = std::sqrt(known.gram[i * size + i]) * std::sqrt(known.gram[j * size + j]);
            if (std::fabs(value) <= most * (1 + 1e-9) && value == known.gram[j * size + i] && std::isfinite(value))
                return;
            refuse(Code::argument_range, "known.gram has " + given_text(value) + " in row " + std::to_string(i) +
                                             ", column " + std::to_string(j) +
                                             "; allowed: sums of products, symmetric");
        };
        for (std::size_t i = 0; i < size; ++i) check(i, i);
        for (std::size_t i = 0; i < size; ++i)
            for (std::size_t j = 0; j < size; ++j) check(i, j);
    }

    Direction direction(bool up) const {
        const double edge = detail::edge_of(options_.margin, up);
        const bool above = up == (options_.side == Side::harm);
        return {above ? 1.0 : -1.0, options_.margin.ratio ? elementary::log(edge) : edge};
    }

    double own_alpha() const { return detail::own_alpha(options_); }
    /// What an error rate of the test leaves to each direction.
    double each() const { return options_.side == Side::harm && options_.harm == Harm::either ? 0.5 : 1; }

    /// The error rates alpha 2^j: down to what one of 2^14 canaries is, up to 1/2.
    void set_levels() {
        const double alpha = own_alpha(), least = 1 / static_cast<double>(rotation::canaries + 1);
        own_level_ = 0;
        double level = alpha;
        while (level * each() / 2 >= least) {
            level /= 2;
            ++own_level_;
        }
        level_count_ = own_level_ + 1;
        for (level = 2 * alpha; level <= 0.5; level *= 2) ++level_count_;
    }
    double level_at(std::size_t i) const {
        return std::ldexp(own_alpha(), static_cast<int>(i) - static_cast<int>(own_level_));
    }

    /// The values as they are compared: logs for a ratio margin.
    void read(Arm arm, std::span<const double> given, std::vector<double>& out) const {
        require_finite(arm, given);
        out.assign(given.begin(), given.end());
        for (double& value : out) {
            if (std::isnan(value)) continue;
            require(std::fabs(value) <= largest_value, word(arm), value, "at most 1e150 in size");
            if (!options_.margin.ratio) continue;
            if (!(value > 0)) value = options_.zero;
            value = value > 0 ? elementary::log(value) : std::numeric_limits<double>::quiet_NaN();
        }
    }

    /// Whether the baseline has at most (k_b + 1)/2 different values in the interval at hand.
    bool at_floor_now(double present) {
        if (present < 2) return false;
        sorted_.clear();
        for (const double value : scratch_[0]) {
            if (!std::isnan(value)) sorted_.push_back(value);
        }
        std::sort(sorted_.begin(), sorted_.end());
        const auto different = static_cast<std::size_t>(std::unique(sorted_.begin(), sorted_.end()) - sorted_.begin());
        return different <= (static_cast<std::size_t>(present) + 1) / 2;
    }

    /// The instances of an arm with values in 60 % of the intervals so far.
    std::vector<std::int64_t> row_instances(std::size_t arm) const {
        std::vector<std::int64_t> rows;
        for (std::size_t i = 0; i < data_.counts[arm].size(); ++i) {
            if (data_.counts[arm][i] > 0 && data_.counts[arm][i] >= 0.6 * data_.n)
                rows.push_back(static_cast<std::int64_t>(i));
        }
        return rows;
    }

    double inverse_size(std::size_t arm) const {
        double squares = 0;
        for (const double share : data_.shares[arm]) squares += (share / data_.n) * (share / data_.n);
        return std::max(squares, data_.inverses[arm] / data_.n);
    }

    void look() {
        if (data_.differences.empty()) {
            for (std::size_t arm = 0; arm < 2; ++arm) data_.rows[arm] = row_instances(arm);
        }
        for (std::size_t arm = 0; arm < 2; ++arm) {
            for (const std::int64_t row : data_.rows[arm]) {
                const auto i = static_cast<std::size_t>(row);
                data_.levels.push_back(data_.sums[arm][i] / data_.counts[arm][i]);
            }
        }
        data_.differences.push_back((data_.means[1] - data_.means[0]) / data_.n);
        data_.scales.push_back(inverse_size(0) + inverse_size(1));
        const std::size_t j = data_.differences.size() - 1;
        walk(j);
        const bool harm = options_.side == Side::harm;
        if (spreads_ > 0 && may_say(harm)) {
            // Harm: in one of the directions. Safety: in all.
            std::uint32_t found = harm ? 0 : ~0U;
            for (const Direction& direction : directions_) {
                std::uint32_t both = direction.walks[0].rejected();
                if (spreads_ > 1) both &= direction.walks[1].rejected();
                found = harm ? found | both : found & both;
            }
            granted_ |= found;
        }
        if (options_.interval) move_ends();
    }

    /// Harm is never said with one contrast, nor of a gauge at its floor without the guard.
    bool may_say(bool harm) const {
        if (!harm) return rows_[0].degrees >= 1;
        return rows_[0].degrees >= 2 && (options_.instances_differ || !at_floor());
    }

    /// Adds look j to the rows, and lets the virtual canaries walk there.
    void walk(std::size_t j) {
        if (j == 0) begin();
        if (spreads_ == 0) return;
        std::vector<double> column(j + 1);
        for (std::size_t i = 0; i <= j; ++i) column[i] = products(i, j);
        rows_[0].factor.add(column);
        std::array<std::int64_t, rotation::Walk::most_levels> allowed{};
        for (std::size_t i = 0; i < level_count_; ++i) {
            allowed[i] =
                rotation::may_be_dead(rotation::spent(looks_[j], options_.last, level_at(i) * each(), options_.since));
        }
        for (Direction& direction : directions_) {
            for (std::size_t s = 0; s < spreads_; ++s)
                direction.walks[s].look(walked_, rows_[s].sphere, point(s, j, direction.sign, direction.edge),
                                        std::span(allowed).first(level_count_));
        }
    }

    /// At the first look nu is fixed, and with it the sphere.
    void begin() {
        const double degrees = this->degrees();
        spreads_ = degrees == 0 ? 0 : options_.instances_differ ? 2 : 1;
        rows_[0].degrees = degrees;
        if (spreads_ == 0) return;
        const std::size_t size = looks_.size();
        if (!normals_ || normals_->seed() != options_.seed || normals_->dims() != size + 1)
            normals_ = std::make_shared<rotation::Normals>(options_.seed, size + 1);
        rows_[1].degrees = guard_degrees;
        for (std::size_t s = 0; s < spreads_; ++s) {
            const auto most = static_cast<std::size_t>(std::min(rows_[s].degrees, static_cast<double>(size)));
            if (s == 0) rows_[s].factor = rotation::RowFactor(most);
            rows_[s].sphere = rotation::Sphere(normals_, rows_[s].degrees, most + 1);
        }
        if (spreads_ > 1) {
            const double differ = *options_.instances_differ;
            // 1.645 sqrt(2): nine of ten differences of two normal numbers lie within it.
            const double deviation =
                (options_.margin.ratio ? elementary::log1p(differ) : differ) / (1.645 * std::sqrt(2.0));
            guard_ = rotation::declared_rows(looks_, static_cast<std::size_t>(guard_degrees), deviation);
        }
        for (Direction& direction : directions_) {
            for (std::size_t s = 0; s < spreads_; ++s) direction.walks[s] = rotation::Walk(level_count_);
        }
    }

    /// The inner product of the rows at two looks. Over the instances of an arm the products of deviations from their
    /// mean are those of any orthonormal contrasts.
    double products(std::size_t i, std::size_t j) const {
        double sum = options_.known.gram.empty() ? 0 : options_.known.gram[i * looks_.size() + j];
        const std::size_t both = data_.rows[0].size() + data_.rows[1].size();
        std::size_t begin = 0;
        for (std::size_t arm = 0; arm < 2; ++arm) {
            const std::size_t size = data_.rows[arm].size();
            const double* first = data_.levels.data() + i * both + begin;
            const double* second = data_.levels.data() + j * both + begin;
            double mean_first = 0, mean_second = 0;
            for (std::size_t p = 0; p < size; ++p) {
                mean_first += first[p] / static_cast<double>(size);
                mean_second += second[p] / static_cast<double>(size);
            }
            for (std::size_t p = 0; p < size; ++p) sum += (first[p] - mean_first) * (second[p] - mean_second);
            begin += size;
        }
        return sum;
    }

    const std::vector<double>& rows_at(std::size_t spread, std::size_t j) const {
        return spread == 0 ? rows_[0].factor.column(j) : guard_[j];
    }
    rotation::Point point(std::size_t spread, std::size_t j, double sign, double edge) const {
        return rotation::point_of(sign * (data_.differences[j] - edge) / std::sqrt(data_.scales[j]),
                                  rows_at(spread, j));
    }

    /// Whether a margin has been rejected at any look so far.
    bool excluded(double edge, double sign, double error) {
        const std::size_t all = rotation::enough_for(error);
        for (std::size_t s = 0; s < spreads_; ++s) {
            rotation::Walk walk(1, all);
            for (std::size_t j = 0; j < data_.differences.size() && walk.rejected() == 0; ++j) {
                const std::array<std::int64_t, 1> allowed{
                    rotation::may_be_dead(rotation::spent(looks_[j], options_.last, error, options_.since), all)};
                walk.look(walked_, rows_[s].sphere, point(s, j, sign, edge), allowed);
            }
            if (walk.rejected() == 0) return false;
        }
        return spreads_ > 0;
    }

    /// Both ends after a look: a margin that was rejected once stays so.
    void move_ends() {
        const detail::EndErrors errors = detail::end_errors(options_);
        const bool either = options_.harm == Harm::either;
        if (spreads_ > 0 && may_say(either || options_.harm == Harm::increase)) move_end(data_.lower, 1, errors.below);
        if (spreads_ > 0 && may_say(either || options_.harm == Harm::decrease)) move_end(data_.upper, -1, errors.above);
    }

    /// Moves an end inwards to the last margin that is rejected now. All in the direction of `sign`.
    void move_end(double& end, double sign, double error) {
        const std::size_t j = data_.differences.size() - 1;
        if (rotation::may_be_dead(rotation::spent(looks_[j], options_.last, error, options_.since)) == 0) return;
        const double difference = data_.differences[j];
        double square = 0;
        for (std::size_t s = 0; s < spreads_; ++s) {
            double sum = 0;
            for (const double row : rows_at(s, j)) sum += row * row;
            square = std::max(square, sum / rows_[s].degrees);
        }
        const double deviation = std::sqrt(data_.scales[j] * square);
        if (!(deviation > 0)) return;
        const double fine = 0.05 * deviation;
        double outside, inside;  // a margin that is rejected, and one that is not
        if (std::isfinite(end)) {
            outside = end + sign * fine;
            if (!excluded(outside, sign, error)) return;
            inside = std::max(sign * outside, sign * difference) * sign;
        } else {
            inside = difference;
            outside = end;
        }
        double step = deviation;
        for (int i = 0; excluded(inside, sign, error); ++i, step *= 2) {
            outside = inside;
            if (i == 40) break;
            inside += sign * step;
        }
        step = deviation;
        for (int i = 0; !std::isfinite(outside); ++i, step *= 2) {
            if (i == 40) return;
            const double tried = difference - sign * step;
            (excluded(tried, sign, error) ? outside : inside) = tried;
        }
        while (std::fabs(inside - outside) > std::max(fine, 0.01 * std::fabs(difference - outside))) {
            const double middle = outside + 0.5 * (inside - outside);
            (excluded(middle, sign, error) ? outside : inside) = middle;
        }
        end = outside;
    }

    double shown_end(double end) const {
        return std::isfinite(end) && options_.margin.ratio ? elementary::exp(end) : end;
    }

    double level_of(std::size_t arm) const {
        if (!(data_.n > 0)) return std::numeric_limits<double>::quiet_NaN();
        const double level = *data_.origin + data_.means[arm] / data_.n;
        return options_.margin.ratio ? elementary::exp(level) : level;
    }

    void check_state(const RotationState& state) const {
        const auto require = [](bool good, const char* what) {
            if (!good) raise(Code::state_invariant, std::string("the state of a RotationTest has ") + what);
        };
        const auto whole = [](double value) { return is_count(value); };
        const auto finite = [](const std::vector<double>& values) {
            return std::all_of(values.begin(), values.end(), [](double value) { return std::isfinite(value); });
        };
        check_known(state.known, refuse_state);
        require(whole(state.n) && whole(state.tied) && state.tied <= state.n &&
                    state.origin.has_value() == (state.n > 0) && (!state.origin || std::isfinite(*state.origin)),
                "counts that cannot be");
        const std::size_t past = static_cast<std::size_t>(std::count_if(
            looks_.begin(), looks_.end(), [&](std::int64_t at) { return static_cast<double>(at) <= state.n; }));
        require(state.differences.size() == past && state.scales.size() == past && finite(state.differences) &&
                    std::all_of(state.scales.begin(), state.scales.end(),
                                [](double scale) { return scale > 0 && std::isfinite(scale); }),
                "another number of looks, or looks that cannot be");
        std::size_t both = 0;
        for (std::size_t arm = 0; arm < 2; ++arm) {
            const std::size_t size = state.counts[arm].size();
            require(std::isfinite(state.means[arm]) && state.inverses[arm] >= 0 && state.inverses[arm] <= state.n &&
                        state.sums[arm].size() == size && state.shares[arm].size() == size && finite(state.sums[arm]) &&
                        std::all_of(state.counts[arm].begin(), state.counts[arm].end(),
                                    [&](double count) { return whole(count) && count <= state.n; }) &&
                        std::all_of(state.shares[arm].begin(), state.shares[arm].end(),
                                    [&](double share) { return share >= 0 && share <= state.n; }),
                    "instances that cannot be");
            std::int64_t before = -1;
            for (const std::int64_t row : state.rows[arm]) {
                require(row > before && static_cast<std::size_t>(row) < size &&
                            state.counts[arm][static_cast<std::size_t>(row)] > 0,
                        "rows that cannot be");
                before = row;
            }
            both += state.rows[arm].size();
        }
        require(state.levels.size() == past * both && finite(state.levels) && (past > 0 || both == 0),
                "levels that cannot be");
        require(state.granted >= 0 && state.granted < (std::int64_t{1} << level_count_), "error rates that cannot be");
        require(!std::isnan(state.lower) && !std::isnan(state.upper), "an interval that cannot be");
    }

    RotationOptions options_;
    std::vector<std::int64_t> looks_;
    detail::Directions<Direction> directions_;
    std::size_t own_level_ = 0, level_count_ = 0;
    RotationState data_ = [] {
        RotationState state;
        state.lower = -infinite;
        state.upper = infinite;
        return state;
    }();
    std::uint32_t granted_ = 0;

    // Made at the first look, from what is above.
    std::shared_ptr<const rotation::Normals> normals_;
    std::size_t spreads_ = 0;  // 0: no contrast; 1: the instances'; 2: and the declared one
    std::array<Rows, 2> rows_;
    std::vector<std::vector<double>> guard_;  // the declared spread's rows, look by look

    // To work in.
    std::array<std::vector<double>, 2> scratch_;
    std::vector<double> sorted_;
    rotation::WalkScratch walked_;
};

}  // namespace sequential
}  // namespace v0
}  // namespace serinus
