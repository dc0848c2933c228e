#pragma once
/// \file
/// Are more of the canary's values (latencies, sizes) beyond a threshold than of the baseline's? From the values, or
/// from the buckets of a histogram.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <serinus/core/counts.hpp>
#include <serinus/core/describe.hpp>
#include <serinus/core/error.hpp>
#include <serinus/core/evidence.hpp>
#include <serinus/core/state.hpp>
#include <serinus/core/text.hpp>
#include <serinus/core/words.hpp>
#include <serinus/numeric/elementary.hpp>
#include <serinus/sequential/detail/directions.hpp>
#include <serinus/sequential/detail/same_options.hpp>
#include <serinus/sequential/detail/sides.hpp>
#include <serinus/sequential/proportion.hpp>

namespace serinus {
inline namespace v0 {
namespace sequential {

struct ThresholdOptions {
    double alpha = 0.05;  ///< error of deciding on harm, and of the interval's end on the side of harm
    std::optional<double> alpha_safe =
        std::nullopt;  ///< error of deciding on safety, and of the other end; default alpha
    Harm harm = Harm::increase;
    Margin margin = {.ratio = 1.0, .difference = std::nullopt};  ///< of the values, not of the shares
    Side side = Side::harm;
    double dispersion = 1;  ///< long-run variance of the exceedances over the binomial one, from history; at least 1
    bool interval = true;   ///< keep what `lower` and `upper` are made of

    friend bool operator==(const ThresholdOptions&, const ThresholdOptions&) = default;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("alpha", self.alpha);
        visit("alpha_safe", self.alpha_safe);
        visit("harm", self.harm);
        visit("margin", self.margin);
        visit("side", self.side);
        visit("dispersion", self.dispersion);
        visit("interval", self.interval);
    }
};
static_assert(described_whole<ThresholdOptions>());

/// All that a ThresholdTest remembers.
struct ThresholdState {
    static constexpr std::string_view kind = "thrs";
    static constexpr std::int64_t version = 1;
    static constexpr std::array<std::string_view, 1> beside{"floor"};  // there is none

    double threshold = 0;
    double alpha = 0;
    double alpha_safe = 0;
    Harm harm = Harm::increase;
    std::optional<double> ratio;
    std::optional<double> difference;
    Side side = Side::harm;
    double dispersion = 1;
    bool interval = true;
    std::optional<double> tested;
    double unusable = 0;
    double log_largest = 0;
    std::vector<ProportionState> tests;  // one a direction

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("threshold", self.threshold);
        visit("alpha", self.alpha);
        visit("alpha_safe", self.alpha_safe);
        visit("harm", self.harm);
        visit("ratio", self.ratio);
        visit("difference", self.difference);
        visit("side", self.side);
        visit("dispersion", self.dispersion);
        visit("interval", self.interval);
        visit("tested", self.tested);
        visit("unusable", self.unusable);
        visit("log_largest", self.log_largest);
        visit("tests", self.tests);
    }
};
static_assert(described_whole<ThresholdState>());

/// Anytime-valid test of two distributions at a threshold.
///
/// Answers, after each interval: is the canary's law larger than `margin` allows, as seen at a threshold tau (`side =
/// harm`), or certainly not (`side = safe`)? Set tau before the canary starts: the objective's limit, or the baseline's
/// 95 % quantile of yesterday. Reject as soon as `log_e_value() >= log(1/alpha)` (1/alpha_safe on the safe side).
///
/// Null hypothesis, `side = harm` and `harm = increase`: at every interval, given the past, the canary's values are in
/// law at most r times the baseline's (ratio margin, r >= 1, tau > 0), or at most d more (difference margin, d >= 0, in
/// their unit). Then P(canary > r tau) <= P(baseline > tau), and that is tested, by ProportionTest's conditional method
/// at a ratio of 1: the margin is in the threshold. `harm = decrease`: small values are bad; P(canary <= tau/r) is
/// held against P(baseline <= tau). `either`: the mean of both e-values. `side = safe` exchanges null and alternative
/// (`either`: the smaller e-value): that the canary exceeds r tau at least as often as the baseline exceeds tau.
///
/// Buckets know their bounds only. tau becomes the next bound at or beyond it in the direction of harm, and so does r
/// times that bound; the margin that is then really tested, `tested()`, is at least r. On the safe side the second
/// bound is the next one on the near side, so that what is ruled out is never less than what was asked. No bound within
/// 25 % of what is wanted: the interval is no information; where that is true of all of them, `conclusive()` is false.
///
/// **Proved**: the error rate for independent values, with any law, drift and sizes. **Measured**: for values that come
/// in bunches, with `dispersion` learned from history (docs/concepts/sequential.md). What it sees is the law at tau
/// alone: a shift of the middle that leaves the tail alone is not harm to this test.
///
/// evidence(): `estimate`, `lower` and `upper` are of the ratio of the two shares (canary beyond its threshold over
/// baseline beyond its own), as in ProportionTest; for `either`, of the shares above. Above 1 is beyond the margin.
/// `n_baseline`, `n_canary`: values. NaN is dropped; infinities rank beyond all others; a value equal to the threshold
/// does not exceed it. An interval with an empty arm is no information and changes nothing. Raises
/// `serinus.argument.range/margin` for impossible options, `serinus.argument.count/length/range` for impossible
/// buckets; nothing is changed then.
///
/// Cost: a pass over the values or a search of the bounds, and ProportionTest's update. State: at most
/// 3,072 bytes.
///
///     ThresholdTest test(250.0, {.alpha = 0.05, .margin = {.ratio = 1.1}});   // milliseconds
///     test.update(baseline_ms, canary_ms);
///     bool roll_back = test.decided();
class ThresholdTest {
  public:
    explicit ThresholdTest(double threshold, const ThresholdOptions& options = {})
        : threshold_(threshold),
          options_(checked(threshold, options)),
          sided_(options_),
          directions_(options_.harm, options_.side, [&](bool up) {
              return Direction{up ? +1 : -1, ProportionTest(inner(up || options_.harm == Harm::decrease))};
          }) {}

    /// Takes the values of one interval, in any order.
    void update(std::span<const double> baseline, std::span<const double> canary) {
        std::array<Proportion, 2> b, c;
        for (std::size_t i = 0; i < directions_.size(); ++i) {
            const int sign = directions_[i].sign;
            b[i] = beyond(baseline, sign, threshold_);
            c[i] = beyond(canary, sign, wanted(sign, threshold_));
            if (b[i].total == 0 || c[i].total == 0) return;
        }
        for (std::size_t i = 0; i < directions_.size(); ++i) directions_[i].test.update(b[i], c[i]);
        note(asked());
    }

    /// Takes many intervals, in order: the values of the first one, of the second one, and so on; to the bit what so
    /// many calls of `update` do. Raises `serinus.argument.length`, and changes nothing, for different numbers of
    /// intervals.
    void update_many(std::span<const std::span<const double>> baseline,
                     std::span<const std::span<const double>> canary) {
        detail::require_same_length(baseline.size(), canary.size());
        for (std::size_t i = 0; i < baseline.size(); ++i) update(baseline[i], canary[i]);
    }

    /// Takes the histograms of one interval: `bounds` ascending upper bounds of the buckets ("le"), and how many values
    /// fell into each (not cumulative); one more count than bounds is that of the bucket to infinity.
    void update_buckets(std::span<const double> bounds, std::span<const std::int64_t> baseline,
                        std::span<const std::int64_t> canary) {
        check(bounds, baseline, "baseline");
        check(bounds, canary, "canary");
        const auto none = [](std::int64_t count) { return count == 0; };
        if (std::all_of(baseline.begin(), baseline.end(), none) || std::all_of(canary.begin(), canary.end(), none))
            return;
        double tested = asked();
        std::vector<std::pair<Proportion, Proportion>> found;
        for (const Direction& direction : directions_) {
            const int outward = options_.side == Side::harm ? direction.sign : -direction.sign;
            const auto b = near(bounds, threshold_, direction.sign);
            const auto c = b ? near(bounds, wanted(direction.sign, bounds[*b]), outward) : std::nullopt;
            if (!c) {
                unusable_ += 1;
                return;
            }
            found.emplace_back(beyond(baseline, direction.sign, *b), beyond(canary, direction.sign, *c));
            const double from = bounds[*b], to = bounds[*c];
            const double margin = options_.margin.difference ? direction.sign * (to - from)
                                  : direction.sign > 0       ? to / from
                                                             : from / to;
            tested = farther(tested, margin);
        }
        for (std::size_t i = 0; i < directions_.size(); ++i)
            directions_[i].test.update(found[i].first, found[i].second);
        note(tested);
    }

    /// The same, for a StartMixture.
    void update(std::span<const double> bounds, std::span<const std::int64_t> baseline,
                std::span<const std::int64_t> canary) {
        update_buckets(bounds, baseline, canary);
    }

    /// Natural log of the e-value.
    double log_e_value() const {
        return directions_.together([](const Direction& direction) { return direction.test.log_e_value(); });
    }

    /// The log e-value at which the test decides: log(1/alpha), on the safe side log(1/alpha_safe).
    double log_needed() const noexcept { return sided_.log_needed(); }
    /// True once the e-value has reached that.
    bool decided() const noexcept { return sided_.decided(); }
    /// Always valid: min(1, 1/largest e-value so far).
    double p_value() const { return sided_.p_value(); }

    Evidence evidence() const {
        Evidence evidence = directions_.front().test.evidence();
        evidence.log_e_value = log_e_value();
        evidence.p_value = p_value();
        evidence.method = "threshold";
        return evidence;
    }

    /// For StartMixture: multiplies the e-value by a weight in (0, 1].
    void rescale(double weight) {
        for (Direction& direction : directions_) direction.test.rescale(weight);
    }
    /// For StartMixture: adds to the e-value a fresh start of it, worth `weight` now.
    void add_start(double weight) {
        for (Direction& direction : directions_) direction.test.add_start(weight);
    }

    /// False while every interval so far had buckets without a bound within 25 % of what is wanted: nothing can be
    /// said.
    bool conclusive() const noexcept { return unusable_ == 0 || tested_.has_value(); }
    /// The margin that was really tested, as a ratio or a difference like the one that was asked for; of several, the
    /// one farthest from it. Empty before the first interval that could be used.
    std::optional<double> tested() const noexcept { return tested_; }

    double threshold() const noexcept { return threshold_; }
    /// The options, `alpha_safe` filled in.
    const ThresholdOptions& options() const noexcept { return options_; }

    /// Takes over what another test of the same threshold and options has seen of other, independent values; see
    /// ProportionTest::merge. Raises `serinus.state.options`, and changes nothing, for another threshold or options.
    void merge(const ThresholdTest& other) {
        constexpr std::string_view who = "the test given to ThresholdTest.merge";
        detail::require_same(who, "threshold", other.threshold_, threshold_);
        detail::require_same_options(who, other.options_, options_);
        for (std::size_t i = 0; i < directions_.size(); ++i) directions_[i].test.merge(other.directions_[i].test);
        unusable_ += other.unusable_;
        if (other.tested_) {
            note(*other.tested_);
        } else {
            sided_.note(log_e_value());
        }
    }

    ThresholdState state() const {
        ThresholdState state;
        detail::save_options(state, options_);
        state.threshold = threshold_;
        state.tested = tested_;
        state.unusable = unusable_;
        state.log_largest = sided_.log_largest();
        for (const Direction& direction : directions_) state.tests.push_back(direction.test.state());
        return state;
    }

    /// Takes over a state. Raises `serinus.state.options` when it was taken at another threshold or under other
    /// options, `serinus.state.invariant` when its numbers cannot be; the object is unchanged then.
    void restore(const ThresholdState& state) {
        constexpr std::string_view who = "the state of a ThresholdTest";
        detail::require_same(who, "threshold", state.threshold, threshold_);
        detail::require_same_options(who, state, options_);
        if (!detail::SidedEvidence::sound(state.log_largest) ||
            !(state.unusable >= 0 && state.unusable == std::floor(state.unusable) && std::isfinite(state.unusable)) ||
            (state.tested && !std::isfinite(*state.tested)) || state.tests.size() != directions_.size()) {
            raise(Code::state_invariant, "the state of a ThresholdTest has numbers that cannot be");
        }
        ThresholdTest next = *this;
        for (std::size_t i = 0; i < directions_.size(); ++i) next.directions_[i].test.restore(state.tests[i]);
        next.tested_ = state.tested;
        next.unusable_ = state.unusable;
        next.sided_.restore(state.log_largest);
        *this = std::move(next);
    }

  private:
    struct Direction {
        int sign;  // +1: large values are bad
        ProportionTest test;
    };

    static ThresholdOptions checked(double threshold, const ThresholdOptions& given) {
        ThresholdOptions options = detail::checked_sides(given);
        require(std::isfinite(threshold), "threshold", threshold, "finite");
        require(!(options.margin.ratio.value_or(1) > 1) || threshold > 0, "threshold", threshold,
                "above 0 where the margin is a ratio above 1");
        return options;
    }

    /// Of a direction's test: its margin is 1, and for `either` each end of the interval has half of alpha; one
    /// interval is kept.
    ProportionOptions inner(bool first) const {
        const bool either = options_.harm == Harm::either;
        return {.alpha = either ? options_.alpha / 2 : options_.alpha,
                .alpha_safe = either ? options_.alpha / 2 : *options_.alpha_safe,
                .side = options_.side,
                .dispersion = options_.dispersion,
                .interval = options_.interval && first};
    }

    /// Where the canary's threshold lies when the baseline's is `from`.
    double wanted(int sign, double from) const {
        if (options_.margin.difference) return from + sign * *options_.margin.difference;
        return sign > 0 ? from * *options_.margin.ratio : from / *options_.margin.ratio;
    }
    double asked() const { return options_.margin.ratio.value_or(options_.margin.difference.value_or(0)); }

    /// Of two margins that were tested, the one farther from what was asked.
    double farther(double a, double b) const { return options_.side == Side::harm ? std::max(a, b) : std::min(a, b); }

    void note(double margin) {
        tested_ = tested_ ? farther(*tested_, margin) : margin;
        sided_.note(log_e_value());
    }

    static Proportion beyond(std::span<const double> values, int sign, double threshold) {
        std::int64_t above = 0, known = 0;
        for (const double value : values) {
            above += value > threshold ? 1 : 0;
            known += value == value ? 1 : 0;
        }
        return {sign > 0 ? above : known - above, known};
    }
    static Proportion beyond(std::span<const std::int64_t> counts, int sign, std::size_t bound) {
        std::int64_t below = 0, all = 0;
        for (std::size_t i = 0; i < counts.size(); ++i) {
            all += counts[i];
            if (i <= bound) below += counts[i];
        }
        return {sign > 0 ? all - below : below, all};
    }

    /// The next bound at or beyond a value (`outward` +1: not below it, -1: not above), unless it is more than 25 %
    /// off.
    static std::optional<std::size_t> near(std::span<const double> bounds, double value, int outward) {
        // 1.1 times 50 is a little more than 55, and 55 is meant.
        const double edge = value - outward * 1e-9 * std::fabs(value);
        const auto at = outward > 0 ? std::lower_bound(bounds.begin(), bounds.end(), edge)
                                    : std::upper_bound(bounds.begin(), bounds.end(), edge);
        auto index = static_cast<std::size_t>(at - bounds.begin());
        if (outward < 0) {
            if (index == 0) return std::nullopt;
            --index;
        }
        if (index == bounds.size() || !(std::fabs(bounds[index] - value) <= 0.25 * std::fabs(value)))
            return std::nullopt;
        return index;
    }

    static void check(std::span<const double> bounds, std::span<const std::int64_t> counts, std::string_view arm) {
        if (bounds.empty() || (counts.size() != bounds.size() && counts.size() != bounds.size() + 1)) {
            raise(Code::argument_length, std::string(arm) + " has " + std::to_string(counts.size()) + " counts for " +
                                             std::to_string(bounds.size()) +
                                             " bounds; allowed: one a bound, and one for what lies above all");
        }
        for (std::size_t i = 0; i < bounds.size(); ++i) {
            if (!std::isnan(bounds[i]) && (i == 0 || bounds[i] > bounds[i - 1])) continue;
            raise(Code::argument_range,
                  "bounds[" + std::to_string(i) + "] is " + given_text(bounds[i]) + "; allowed: ascending numbers");
        }
        std::int64_t all = 0;
        for (std::size_t i = 0; i < counts.size(); ++i) {
            if (counts[i] >= 0 && counts[i] <= most_count - all) {
                all += counts[i];
                continue;
            }
            raise(Code::argument_count, std::string(arm) + "[" + std::to_string(i) + "] is " +
                                            std::to_string(counts[i]) +
                                            "; allowed: 0 or more, all of them at most 2^53");
        }
    }

    double threshold_;
    ThresholdOptions options_;
    detail::SidedEvidence sided_;
    detail::Directions<Direction> directions_;
    std::optional<double> tested_;
    double unusable_ = 0;
};

}  // namespace sequential
}  // namespace v0
}  // namespace serinus
