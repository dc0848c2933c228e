#pragma once
/// \file
/// Is a quantile of the canary's values (a median, a 95th percentile of latency) worse than the baseline's, by more
/// than a margin? Asked after every interval, as often as you like.

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
#include <utility>
#include <vector>

#include <serinus/core/describe.hpp>
#include <serinus/core/error.hpp>
#include <serinus/core/evidence.hpp>
#include <serinus/core/require.hpp>
#include <serinus/core/state.hpp>
#include <serinus/core/text.hpp>
#include <serinus/core/words.hpp>
#include <serinus/numeric/elementary.hpp>
#include <serinus/numeric/sorted_values.hpp>
#include <serinus/sequential/detail/directions.hpp>
#include <serinus/sequential/detail/quantile_mixture.hpp>
#include <serinus/sequential/detail/same_options.hpp>
#include <serinus/sequential/detail/sides.hpp>

namespace serinus {
inline namespace v0 {
namespace sequential {

struct QuantileOptions {
    double q = 0.5;       ///< which quantile, in (0, 1)
    double alpha = 0.05;  ///< error of deciding on harm, and of the interval's end on the side of harm
    std::optional<double> alpha_safe =
        std::nullopt;  ///< error of deciding on safety, and of the other end; default alpha
    Harm harm = Harm::increase;
    Margin margin = {.ratio = std::nullopt, .difference = 0.0};
    Side side = Side::harm;
    /// From history: long-run variance of {value <= quantile} over q (1 - q), 1 or more; 1: independent values.
    double dispersion = 1;
    double tuned_at = 5000;  ///< values of both arms together, equally many of each, at which the bounds are tightest
    bool interval = true;    ///< let `evidence()` find lower and upper

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("q", self.q);
        visit("alpha", self.alpha);
        visit("alpha_safe", self.alpha_safe);
        visit("harm", self.harm);
        visit("margin", self.margin);
        visit("side", self.side);
        visit("dispersion", self.dispersion);
        visit("tuned_at", self.tuned_at);
        visit("interval", self.interval);
    }
};
static_assert(described_whole<QuantileOptions>());

/// All that a QuantileTest remembers: every value.
struct QuantileState {
    static constexpr std::string_view kind = "quan";
    static constexpr std::int64_t version = 1;
    static constexpr std::array<std::string_view, 1> beside{"floor"};  // there is none

    double q = 0;
    double alpha = 0;
    double alpha_safe = 0;
    Harm harm = Harm::increase;
    std::optional<double> ratio;
    std::optional<double> difference;
    Side side = Side::harm;
    double dispersion = 1;
    double tuned_at = 0;
    bool interval = true;
    double log_largest = 0;
    std::vector<double> baseline, canary;  // ascending

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("q", self.q);
        visit("alpha", self.alpha);
        visit("alpha_safe", self.alpha_safe);
        visit("harm", self.harm);
        visit("ratio", self.ratio);
        visit("difference", self.difference);
        visit("side", self.side);
        visit("dispersion", self.dispersion);
        visit("tuned_at", self.tuned_at);
        visit("interval", self.interval);
        visit("log_largest", self.log_largest);
        visit("baseline", self.baseline);
        visit("canary", self.canary);
    }
};
static_assert(described_whole<QuantileState>());

/// Anytime-valid test of the difference, or ratio, of one quantile.
///
/// Answers, after each interval: does the canary's q-quantile exceed the baseline's by more than the margin (`side =
/// harm`), or does it certainly not (`side = safe`)? Reject as soon as `log_e_value() >= log(1/alpha)` (1/alpha_safe
/// on the safe side).
///
/// Null hypothesis, `side = harm` and `harm = increase`: there is a point x such that each value of the baseline, given
/// the past, lies below it with probability at most q, and each value of the canary, divided by r (ratio margin) or
/// less d (difference margin), at or below it with probability at least q. For values that keep their law: the canary's
/// q-quantile is at most r times or d plus the baseline's. `harm = decrease` turns it around, `either` is the mean of
/// both directions' e-values; `side = safe` exchanges null and alternative (`either`: the smaller of the two).
///
/// Formula (Howard and Ramdas 2022, Bernoulli 28(3), section 5, one-sided): G_b+(x), the beta-binomial log martingale
/// for more than q n of the baseline's values lying at or below x, and G_c-(x) for fewer of the canary's. log E = min
/// over x of [G_b+(x) + G_c-(x)]. Equal values are counted on that side of x which says least. `dispersion` phi divides
/// the counts.
///
/// **Proved**: `log_e_value` is below that of a test supermartingale (the product of both arms' at the x of the null),
/// so the chance of ever reaching log(1/alpha) is at most alpha, for independent values, whatever their law, ties and
/// all, at every split of the traffic. It may be averaged with any e-values, multiplied with independent ones.
/// **Measured**, not proved: the same for values in bursts, with a `dispersion` that ShareDispersion learned from
/// history (docs/concepts/sequential.md). **Not covered**: a level that drifts in both arms together, where no x is the
/// quantile all the time; then test exceedances of a fixed threshold, or quantiles by interval (`PairedTest`).
///
/// evidence(): `estimate` is the difference or ratio of the empirical quantiles (the smallest value with at least q n
/// at or below it). `lower` and `upper`: margins that the one-sided tests at alpha and alpha_safe do not exclude,
/// rounded outward by at most 1/8 of a standard deviation of the counts; `confidence` = 1 - alpha - alpha_safe, for
/// `either` each end has half of alpha. For one direction, interval and decision agree. A ratio margin is for quantiles
/// above 0.
///
/// Few data: what n values cannot show is not claimed: for q = .95 a lower bound on the canary takes some 60 values of
/// the baseline, an upper end is infinite until then. NaN is no information; infinite values rank at the ends. Raises
/// `serinus.argument.range/margin` for impossible options.
///
/// Merging: another test's values may be added (`merge`), when that is decided without looking at them; the largest
/// e-value that the *other* test has seen is not taken over, since two tests look twice.
///
/// Cost: all values are kept, 8 bytes each. An insertion O(sqrt n); a look that may have set a record
/// stays open until 64 of them are, or 128 values have come, or somebody asks: then only the largest is searched for;
/// an interval is a search over such looks.
///
///     QuantileTest test({.q = 0.95, .margin = {.ratio = 1.1, .difference = {}}});
///     test.update(baseline_ms, canary_ms);   // two spans: one interval's values
///     bool roll_back = test.decided();
class QuantileTest {
  public:
    explicit QuantileTest(const QuantileOptions& options = {})
        : options_(checked(options)),
          sided_(options_),
          above_(options_.q, options_.tuned_at / 2, QuantileMixture::Speaks::above),
          below_(options_.q, options_.tuned_at / 2, QuantileMixture::Speaks::below),
          two_sided_(options_.q, options_.tuned_at / 2, QuantileMixture::Speaks::either),
          most_raise_(-std::log(options_.q) / options_.dispersion, -std::log1p(-options_.q) / options_.dispersion),
          directions_(options_.harm, options_.side, [&](bool up) { return make_direction(up); }) {}

    /// Takes the values of one interval and looks once.
    void update(std::span<const double> baseline, std::span<const double> canary) {
        const std::size_t size = baseline.size() + canary.size();
        if (later_[0].size() + later_[1].size() + size > most_later) settle();
        // Few values are followed one by one; after many, what they did to a sum is found anew.
        if (size > 16) forget_sums();
        for (const double value : baseline) add(baseline_, value, true);
        for (const double value : canary) add(canary_, value, false);
        look();
    }
    /// The same for one value of each arm; NaN for none.
    void update(double baseline, double canary) { update(std::span(&baseline, 1), std::span(&canary, 1)); }

    /// Takes many intervals, in order: the values of the first one, of the second one, and so on; to the bit what so
    /// many calls of `update` do. Raises `serinus.argument.length`, and takes nothing, for different numbers of
    /// intervals.
    void update_many(std::span<const std::span<const double>> baseline,
                     std::span<const std::span<const double>> canary) {
        detail::require_same_length(baseline.size(), canary.size());
        for (std::size_t i = 0; i < baseline.size(); ++i) update(baseline[i], canary[i]);
    }

    /// Takes over the values of another test of the same options, and looks once. Raises `serinus.state.options` for
    /// other options; the object is unchanged then.
    void merge(const QuantileTest& other) {
        detail::require_same_options("the test given to QuantileTest.merge", other.options_, options_);
        const std::vector<double> baseline = other.baseline_.sorted(), canary = other.canary_.sorted();
        update(baseline, canary);
    }

    /// Natural log of the e-value.
    double log_e_value() const {
        const EarlierValues baseline(baseline_, {}), canary(canary_, {});
        return directions_.together([&](const Direction& direction) {
            return search(direction, arms_of(direction, baseline, canary), direction.point).value;
        });
    }
    /// The log e-value at which the test decides: log(1/alpha), on the safe side log(1/alpha_safe).
    double log_needed() const noexcept { return sided_.log_needed(); }
    /// True once the e-value has reached that.
    bool decided() const {
        const double needed = log_needed();
        const auto may = [&](const Look& look) { return look.at_most + rounding >= needed; };
        if (sided_.decided() || std::none_of(open_.begin(), open_.end(), may)) return sided_.decided();
        return largest().value >= needed;
    }
    /// Always valid: min(1, 1/largest e-value so far).
    double p_value() const { return detail::SidedEvidence::p_value_of(largest().value); }

    Evidence evidence() const {
        Evidence evidence;
        evidence.log_e_value = log_e_value();
        evidence.p_value = p_value();
        evidence.n_baseline = static_cast<double>(baseline_.size());
        evidence.n_canary = static_cast<double>(canary_.size());
        evidence.method = "beta_binomial";
        const bool ratio = options_.margin.ratio.has_value();
        const double b = quantile(baseline_), c = quantile(canary_);
        evidence.estimate = ratio ? c / b : c - b;
        if (!options_.interval) return evidence;
        const detail::EndErrors errors = detail::end_errors(options_);
        evidence.confidence = errors.confidence();
        evidence.lower = least_gap(baseline_, canary_, -elementary::log(errors.below));
        const double mirrored = least_gap(canary_, baseline_, -elementary::log(errors.above));
        evidence.upper = !ratio ? -mirrored : mirrored > 0 ? 1 / mirrored : infinite;
        detail::agree(evidence, log_needed(), options_);
        return evidence;
    }

    /// The always-valid confidence interval of an arm's own quantile, at confidence 1 - alpha, two-sided.
    Interval interval(Arm arm) const {
        const SortedValues& values = arm == Arm::baseline ? baseline_ : canary_;
        const double needed = -elementary::log(options_.alpha), n = static_cast<double>(values.size());
        const auto says = [&](double k) { return log_of(two_sided_, k, n) >= needed; };
        Interval found{.lower = -infinite, .upper = infinite, .confidence = 1 - options_.alpha};
        if (values.size() == 0) return found;
        // Counts of values at or below a point that rule it out: up to `few`, and from `many` on; by bisection, since
        // the martingale is convex.
        const double centre = std::floor(options_.q * n);
        if (says(0)) {
            double few = 0, open = centre;
            while (open - few > 1) {
                const double middle = std::floor((few + open) / 2);
                (says(middle) ? few : open) = middle;
            }
            found.lower = values.nth(static_cast<std::size_t>(few));
        }
        if (says(n)) {
            double many = n, open = centre;
            while (many - open > 1) {
                const double middle = std::floor((many + open) / 2);
                (says(middle) ? many : open) = middle;
            }
            found.upper = values.nth(static_cast<std::size_t>(many) - 1);
        }
        return found;
    }

    /// The options, `alpha_safe` filled in.
    const QuantileOptions& options() const noexcept { return options_; }

    QuantileState state() const {
        QuantileState state;
        detail::save_options(state, options_);
        state.log_largest = largest().value;
        state.baseline = baseline_.sorted();
        state.canary = canary_.sorted();
        return state;
    }

    /// Takes over a state. Raises `serinus.state.options` for one that was taken under other options,
    /// `serinus.state.invariant` for numbers that cannot be; the object is unchanged then.
    void restore(const QuantileState& state) {
        detail::require_same_options("the state of a QuantileTest", state, options_);
        if (!detail::SidedEvidence::sound(state.log_largest) || !sorted_sample(state.baseline) ||
            !sorted_sample(state.canary))
            raise(Code::state_invariant, "the state of a QuantileTest has numbers that cannot be");
        baseline_.assign(state.baseline);
        canary_.assign(state.canary);
        sided_.restore(state.log_largest);
        close_looks();
        forget_sums();
    }

  private:
    static constexpr double infinite = std::numeric_limits<double>::infinity();
    static constexpr double rounding = 1e-9;  ///< far above the martingales' rounding errors, far below what counts

    /// Evidence that one arm's quantile is lower than the other's.
    struct Direction {
        bool baseline_lower = true;
        double edge = 0;  ///< what the canary's values are divided by, or less
        /// Where the minimum was last found, how many values count there, and the two martingales, which are at most
        /// `error` larger: bounds on the sum there now, and so on the minimum.
        double point = infinite;
        double lower_count = 0, upper_count = 0, lower = 0, upper = 0;
        double error = infinite;

        double at_most() const { return lower + upper + error; }
    };
    /// A look whose e-value may be a record, but has not been found: a later one may well be larger, and then nobody
    /// needs it.
    struct Look {
        double at_most;                    ///< a bound on its log e-value
        std::array<std::size_t, 2> later;  ///< which of `later_` came after it, an arm
    };
    static constexpr std::size_t most_looks = 64, most_later = 128;
    struct Minimum {
        double value, point;
    };

    static QuantileOptions checked(const QuantileOptions& given) {
        const QuantileOptions options = detail::checked_sides(given);
        require_open_unit("q", options.q);
        require(options.tuned_at > 0 && std::isfinite(options.tuned_at), "tuned_at", options.tuned_at,
                "above 0, finite");
        return options;
    }
    /// Evidence that the canary's quantile is larger: the baseline's is the lower one.
    Direction make_direction(bool up) const {
        return {up == (options_.side == Side::harm), detail::edge_of(options_.margin, up)};
    }
    double log_of(const QuantileMixture& mixture, double k, double n) const {
        return mixture.log_value(k / options_.dispersion, n / options_.dispersion);
    }
    double quantile(const SortedValues& values) const {
        if (values.size() == 0) return std::numeric_limits<double>::quiet_NaN();
        const double rank = std::ceil(options_.q * static_cast<double>(values.size()) * (1 - 1e-15));
        return values.nth(static_cast<std::size_t>(std::max(rank, 1.0)) - 1);
    }
    /// A canary's value as the null's edge sees it.
    double at_edge(double value, double edge) const { return options_.margin.ratio ? value / edge : value - edge; }

    void add(SortedValues& arm, double value, bool baseline) {
        if (std::isnan(value)) return;
        if (!open_.empty()) later_[baseline ? 0 : 1].push_back(value + 0.0);
        const auto n = static_cast<double>(arm.size());
        arm.add(value);
        for (Direction& direction : directions_) {
            if (std::isinf(direction.error)) continue;
            const double seen = baseline ? value : at_edge(value, direction.edge);
            const bool lower = baseline == direction.baseline_lower;
            const bool counted = lower ? seen < direction.point : seen <= direction.point;
            double& count = lower ? direction.lower_count : direction.upper_count;
            double& log_value = lower ? direction.lower : direction.upper;
            if (options_.dispersion == 1) {
                log_value = (lower ? above_ : below_).log_value_after(counted, log_value, count, n, direction.error);
            } else if (counted == lower) {
                // At most log(1/q) or log(1/(1 - q)), the likelihood ratio's bound.
                direction.error += lower ? most_raise_.first : most_raise_.second;
            }
            count += counted ? 1 : 0;
        }
    }
    void forget_sums() {
        for (Direction& direction : directions_) direction.error = infinite;
    }
    double at_most() const {
        return directions_.together([](const Direction& direction) { return direction.at_most(); });
    }

    /// Notes that now is a look, for the largest e-value. The sum at any point is above the minimum: as long as it is
    /// below the record at the point of the last minimum, nothing else needs to be known.
    void look() {
        if (at_most() + rounding <= sided_.log_largest()) return;
        for (Direction& direction : directions_) {
            if (direction.error > rounding) find_sum(direction);
        }
        const double most = at_most();
        if (most + rounding <= sided_.log_largest()) return;
        // While one record follows the other, most of them are found for nothing.
        open_.push_back({most, {later_[0].size(), later_[1].size()}});
        if (!rising_ || open_.size() == most_looks) settle();
    }
    void find_sum(Direction& direction) {
        const EarlierValues baseline(baseline_, {}), canary(canary_, {});
        const Arms arms = arms_of(direction, baseline, canary);
        direction.lower_count = count_below(direction, arms, direction.point);
        direction.upper_count = count_at_most(direction, arms, direction.point);
        direction.lower = log_of(above_, direction.lower_count, arms.lower_n);
        direction.upper = log_of(below_, direction.upper_count, arms.upper_n);
        direction.error = 0;
    }

    /// The largest log e-value, and the points of the minima that were found for it.
    struct Largest {
        double value;
        std::array<double, 2> points;
    };
    Largest largest() const {
        Largest found{sided_.log_largest(), {}};
        for (std::size_t i = 0; i < directions_.size(); ++i) found.points[i] = directions_[i].point;
        std::vector<Look> open = open_;
        // The most promising look first: it leaves the fewest others that may be larger.
        for (bool first = true; !open.empty(); first = false) {
            const auto most = std::max_element(open.begin(), open.end(),
                                               [](const Look& a, const Look& b) { return a.at_most < b.at_most; });
            if (most->at_most + rounding <= found.value) break;
            const EarlierValues baseline(baseline_, std::span(later_[0]).subspan(most->later[0]));
            const EarlierValues canary(canary_, std::span(later_[1]).subspan(most->later[1]));
            open.erase(most);
            const auto point = [&](const Direction& direction) -> double& {
                return found.points[&direction == &directions_.front() ? 0 : 1];
            };
            const auto sum = [&](const Direction& direction) {
                return sum_at(direction, arms_of(direction, baseline, canary), point(direction));
            };
            if (!first && directions_.together(sum) + rounding <= found.value) continue;
            const double value = directions_.together([&](const Direction& direction) {
                const Minimum minimum = search(direction, arms_of(direction, baseline, canary), point(direction));
                point(direction) = minimum.point;
                return minimum.value;
            });
            found.value = std::max(found.value, value);
        }
        return found;
    }
    void settle() {
        if (open_.empty()) return;
        const Largest found = largest();
        rising_ = found.value > sided_.log_largest();
        sided_.note(found.value);
        for (std::size_t i = 0; i < directions_.size(); ++i) directions_[i].point = found.points[i];
        forget_sums();
        close_looks();
    }
    void close_looks() {
        open_.clear();
        for (std::vector<double>& values : later_) values.clear();
    }

    /// The arms of a direction: that whose quantile is said to be lower, and the other, each as the edge sees it.
    struct Arms {
        const EarlierValues& lower;
        const EarlierValues& upper;
        double lower_n, upper_n;
    };
    static Arms arms_of(const Direction& direction, const EarlierValues& baseline, const EarlierValues& canary) {
        const EarlierValues& lower = direction.baseline_lower ? baseline : canary;
        const EarlierValues& upper = direction.baseline_lower ? canary : baseline;
        return {lower, upper, static_cast<double>(lower.size()), static_cast<double>(upper.size())};
    }
    double lower_key(const Direction& direction, double value) const {
        return direction.baseline_lower ? value : at_edge(value, direction.edge);
    }
    double upper_key(const Direction& direction, double value) const {
        return direction.baseline_lower ? at_edge(value, direction.edge) : value;
    }

    /// The sum at a point: few of the lower arm's values counted, many of the upper's, as ties allow.
    double count_below(const Direction& direction, const Arms& arms, double x) const {
        return static_cast<double>(arms.lower.below(x, [&](double value) { return lower_key(direction, value); }));
    }
    double count_at_most(const Direction& direction, const Arms& arms, double x) const {
        return static_cast<double>(arms.upper.at_most(x, [&](double value) { return upper_key(direction, value); }));
    }
    double sum_at(const Direction& direction, const Arms& arms, double x) const {
        return log_of(above_, count_below(direction, arms, x), arms.lower_n) +
               log_of(below_, count_at_most(direction, arms, x), arms.upper_n);
    }

    /// The minimum over all points. The first martingale increases along the line, the second decreases, so between two
    /// points the sum is at least the first one's at the left plus the second one's at the right: blocks that cannot
    /// hold the minimum are left out, the others halved. Points are the lower arm's values, each with itself not
    /// counted, and infinity. The result is the same wherever the search begins: whatever is within `rounding` of the
    /// minimum is evaluated.
    Minimum search(const Direction& direction, const Arms& arms, double start) const {
        const std::size_t last = arms.lower.size();
        const auto point = [&](std::size_t i) { return i < last ? lower_key(direction, arms.lower.nth(i)) : infinite; };
        const auto others = [&](double x) { return count_at_most(direction, arms, x); };
        const auto lower = [&](std::size_t i) { return log_of(above_, static_cast<double>(i), arms.lower_n); };
        const auto upper = [&](double j) { return log_of(below_, j, arms.upper_n); };

        Minimum best{sum_at(direction, arms, start), start};
        const auto try_point = [&](double value, double x) {
            if (value < best.value) best = {value, x};
        };
        struct Block {
            std::size_t from, to;         // the points from..to
            double lower_from, upper_to;  // the martingales at its ends
        };
        const double at_infinity = upper(arms.upper_n);
        try_point(lower(last) + at_infinity, infinite);
        // A leaf is narrow against the counts' deviation, so that the curvature within it is small.
        const double deviation = std::sqrt(options_.q * (1 - options_.q) * arms.lower_n);
        const auto leaf = static_cast<std::size_t>(std::max(8.0, deviation / 2));
        std::vector<Block> blocks{{0, last, lower(0), at_infinity}};
        std::vector<double> points;
        while (!blocks.empty()) {
            const Block block = blocks.back();
            blocks.pop_back();
            if (block.lower_from + block.upper_to > best.value + rounding) continue;
            const std::size_t middle = block.from + (block.to - block.from) / 2;
            const double x = point(middle), j = others(x);
            const double lower_middle = lower(middle), upper_middle = upper(j);
            try_point(lower_middle + upper_middle, x);
            if (block.to - block.from > leaf) {
                const Block left{block.from, middle, block.lower_from, upper_middle};
                const Block right{middle + 1, block.to, lower_middle, block.upper_to};
                // The one that promises less comes first.
                const bool left_first = left.lower_from + left.upper_to < right.lower_from + right.upper_to;
                blocks.push_back(left_first ? right : left);
                blocks.push_back(left_first ? left : right);
                continue;
            }
            // Tangents in the middle bound both martingales from below: convex in their counts.
            const double slope_lower =
                middle < last ? lower(middle + 1) - lower_middle : lower_middle - lower(middle > 0 ? middle - 1 : 0);
            const double slope_upper = j < arms.upper_n ? upper(j + 1) - upper_middle
                                       : j > 0          ? upper_middle - upper(j - 1)
                                                        : 0;
            const std::size_t count = std::min(block.to + 1, last) - std::min(block.from, last);
            arms.lower.copy(block.from, count, points);
            for (double& value : points) value = lower_key(direction, value);
            if (block.to == last) points.push_back(infinite);
            for (std::size_t k = 0; k < points.size(); ++k) {
                const std::size_t i = block.from + k;
                const double among = others(points[k]);
                const double tangent = lower_middle + upper_middle +
                                       slope_lower * (static_cast<double>(i) - static_cast<double>(middle)) +
                                       slope_upper * (among - j);
                if (tangent > best.value + rounding) continue;
                try_point(lower(i) + upper(among), points[k]);
            }
        }
        return best;
    }

    /// The largest margin (of `upper` over `lower`) that the test at log(1/alpha) = needed excludes, rounded down; -inf
    /// for none. A margin is excluded when at every point of the lower arm few enough of the upper arm's shifted values
    /// lie at or below it: the next of these must lie beyond the point.
    double least_gap(const SortedValues& lower, const SortedValues& upper, double needed) const {
        const std::size_t n = lower.size(), m = upper.size();
        const auto n_l = static_cast<double>(n), n_u = static_cast<double>(m);
        const auto lower_says = [&](std::size_t i) { return log_of(above_, static_cast<double>(i), n_l); };
        const auto upper_says = [&](std::size_t j) { return log_of(below_, static_cast<double>(j), n_u); };
        // However many of the upper arm: from here on the lower arm's count alone says enough.
        const double enough = needed - upper_says(m);
        const double first_says = lower_says(0);
        if (!(lower_says(n) >= enough) || !(first_says + upper_says(0) >= needed)) return -infinite;
        // In steps of 1/16 of a count's deviation; what lies more than 8 deviations off is one step.
        const auto deviation = [&](double count) {
            return std::sqrt(options_.q * (1 - options_.q) * count * options_.dispersion);
        };
        const auto rank = [](double value, std::size_t most) {
            return static_cast<std::size_t>(std::clamp(value, 0.0, static_cast<double>(most)));
        };
        const std::size_t step = rank(deviation(n_l) / 16, n) + 1, other_step = rank(deviation(n_u) / 16, m) + 1;
        const std::size_t last = rank(options_.q * n_u + 8 * deviation(n_u), m);
        // j: a count of the upper arm that is still small enough at `from`; for the first block by bisection.
        std::size_t j = 0;
        for (std::size_t above = last + 1; above - j > 1;) {
            const std::size_t middle = j + (above - j) / 2;
            (first_says + upper_says(middle) >= needed ? j : above) = middle;
        }
        std::size_t to = rank(options_.q * n_l - 8 * deviation(n_l), n);
        double least = infinite, next_says = upper_says(std::min(j + other_step, last));
        for (std::size_t from = 0; from < n; from = to + 1, to = from + step - 1) {
            to = std::min(to, n - 1);
            const double says = lower_says(from);
            if (says >= enough) break;
            while (j < last && says + next_says >= needed) {
                j = std::min(j + other_step, last);
                next_says = upper_says(std::min(j + other_step, last));
            }
            // The points from..to, by what holds at the first of them and lies at the last.
            if (j < m) least = std::min(least, gap(upper.nth(j), lower.nth(to)));
        }
        return least;
    }
    double gap(double upper, double lower) const {
        if (!options_.margin.ratio) {
            const double found = upper - lower;
            return std::isnan(found) ? -infinite : found;
        }
        if (lower > 0) return std::isinf(upper) && std::isinf(lower) ? 0 : upper / lower;
        return upper > 0 ? infinite : -infinite;
    }

    QuantileOptions options_;
    detail::SidedEvidence sided_;  // of the looks that are not open
    QuantileMixture above_, below_, two_sided_;
    std::pair<double, double> most_raise_;
    detail::Directions<Direction> directions_;
    SortedValues baseline_, canary_;
    std::vector<Look> open_;
    std::array<std::vector<double>, 2> later_;  // what has come since the first open look: baseline, canary
    bool rising_ = false;                       // the last search found a record
};

}  // namespace sequential
}  // namespace v0
}  // namespace serinus
