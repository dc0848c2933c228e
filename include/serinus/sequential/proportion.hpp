#pragma once
/// \file
/// Does the canary fail a larger share of its requests than the baseline, by more than a margin? Asked after every
/// interval, as often as you like.

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <serinus/core/counts.hpp>
#include <serinus/core/describe.hpp>
#include <serinus/core/error.hpp>
#include <serinus/core/evidence.hpp>
#include <serinus/core/state.hpp>
#include <serinus/core/text.hpp>
#include <serinus/core/words.hpp>
#include <serinus/sequential/detail/block_process.hpp>
#include <serinus/sequential/detail/count_process.hpp>
#include <serinus/sequential/detail/same_options.hpp>
#include <serinus/sequential/detail/sides.hpp>
#include <serinus/sequential/proportion_method.hpp>

namespace serinus {
inline namespace v0 {
namespace sequential {

struct ProportionOptions {
    double alpha = 0.05;  ///< error of deciding on harm, and of the interval's end on the side of harm
    std::optional<double> alpha_safe =
        std::nullopt;  ///< error of deciding on safety, and of the other end; default alpha
    Harm harm = Harm::increase;
    Margin margin = {.ratio = 1.0, .difference = std::nullopt};
    Side side = Side::harm;
    ProportionMethod method = ProportionMethod::automatic;
    double dispersion = 1;  ///< long-run variance of the counts over the binomial one, learned from history; at least 1
    bool interval = true;   ///< keep what `lower` and `upper` are made of

    friend bool operator==(const ProportionOptions&, const ProportionOptions&) = default;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("alpha", self.alpha);
        visit("alpha_safe", self.alpha_safe);
        visit("harm", self.harm);
        visit("margin", self.margin);
        visit("side", self.side);
        visit("method", self.method);
        visit("dispersion", self.dispersion);
        visit("interval", self.interval);
    }
};
static_assert(described_whole<ProportionOptions>());

/// All that a ProportionTest remembers.
struct ProportionState {
    static constexpr std::string_view kind = "prop";
    static constexpr std::int64_t version = 4;
    static constexpr std::int64_t since(std::string_view field) {
        return field == "floor" ? 4 : field == "level" ? 3 : field == "prior" ? 2 : 1;
    }

    double alpha = 0;
    double alpha_safe = 0;
    Harm harm = Harm::increase;
    std::optional<double> ratio;
    std::optional<double> difference;
    Side side = Side::harm;
    ProportionMethod method = ProportionMethod::conditional;
    double dispersion = 1;
    bool interval = true;

    double bad_b = 0, total_b = 0, bad_c = 0, total_c = 0;
    std::array<double, 5> estimate{};  // the sums of `evidence().estimate`
    double log_largest = 0;
    bool single_start = true;
    std::vector<std::vector<double>> log_mass;             // conditional and floor: one a direction
    std::vector<std::vector<BlockProcess::Start>> starts;  // block: one a direction
    std::vector<double> interval_numbers;                  // the curve or the bands
    PriorShape prior = PriorShape::half_normal;            // what it began with; of version 1 always this
    /// Conditional: the level so far, as SharedLevel has it. Empty before version 3: such a test goes on without. Floor:
    /// as FloorLevel has it.
    std::vector<double> level;
    std::optional<double> floor;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("alpha", self.alpha);
        visit("alpha_safe", self.alpha_safe);
        visit("harm", self.harm);
        visit("ratio", self.ratio);
        visit("difference", self.difference);
        visit("side", self.side);
        visit("method", self.method);
        visit("dispersion", self.dispersion);
        visit("interval", self.interval);
        visit("bad_b", self.bad_b);
        visit("total_b", self.total_b);
        visit("bad_c", self.bad_c);
        visit("total_c", self.total_c);
        visit("estimate", self.estimate);
        visit("log_largest", self.log_largest);
        visit("single_start", self.single_start);
        visit("log_mass", self.log_mass);
        visit("starts", self.starts);
        visit("interval_numbers", self.interval_numbers);
        visit("prior", self.prior);
        visit("level", self.level);
        visit("floor", self.floor);
    }
};
static_assert(described_whole<ProportionState>());

/// Anytime-valid test of two proportions.
///
/// Answers, after each interval of requests: is the canary's share of bad requests beyond the margin (`side = harm`),
/// or is it certainly not (`side = safe`)? Reject as soon as `log_e_value() >= log(1/alpha)`
/// (1/alpha_safe on the safe side); the chance that this ever happens while the null is true is at most alpha
/// (alpha_safe), over all looks.
///
/// Null hypothesis, `side = harm` and `harm = increase`: at every interval, given the past, p_canary <= r p_baseline
/// (ratio margin r >= 1) or p_canary <= p_baseline + d (difference margin d >= 0) or p_canary <= max(r p_baseline,
/// p_baseline + f) (ratio r with a floor f >= 0). Rates may drift, sizes may change with every interval, as long as they
/// are set before the outcomes. `harm = decrease` exchanges the arms. `harm =
/// either`: no worse in both directions; the e-value is the mean of the two. `side = safe` exchanges null and
/// alternative: its e-value grows while the canary is inside the margin (for `either` it is the smaller of the two
/// directions').
///
/// Method and proof: conditional_mixture.hpp (ratio; Robbins 1970, Lindon and Malek 2022, and for the level Turner, Ly
/// and Gruenwald 2021), block_process.hpp (Turner, Ly and Gruenwald 2021) and floor_process.hpp (ratio with a floor:
/// where its step is taken the requests of an interval are thought alike). With `dispersion` phi > 1 each
/// log-likelihood ratio is divided by phi. Proved: the error rate for independent requests, phi = 1 (and for phi > 1
/// then all the more). Measured, not proved: the error rate for over-dispersed counts with phi learned from history
/// (docs/concepts/promise.md).
///
/// The conditional method bets at the level so far, both arms together, the intervals of late counting most: harm is
/// found at 50 or 90 % as well as at 1 % (docs/concepts/proportion-test.md has the delays). It is set before an
/// interval is seen, so that the order of intervals matters to the e-value; a level that is wrong or drifts costs
/// power, never the error rate. A test that a state of version 1 or 2 began goes on without a level, as it was begun.
///
/// evidence(): `estimate` is the Mantel-Haenszel ratio or difference over the intervals (the pooled one where the arms'
/// shares stay constant); under a margin with a floor the excess in units of what is allowed, (p_canary - p_baseline)/
/// max((r - 1) x the smaller of the two, f): 0 as the baseline, 1 the margin (of a decrease -1), known without a single
/// event as well. `lower` and `upper` are what the two sides do not exclude: for `increase` a margin at which
/// the harm e-process would equal 1/alpha, and one at which its mirror would equal 1/alpha_safe. A ratio's are those
/// of the conditional method without a level, under both methods (at a level each margin would have a curve of its
/// own); the end that the test itself speaks of then follows the decision: with harm = increase and side = harm,
/// rejecting and lower >= margin are one, and above some 20 % an interval is wider than the decision is quick.
/// `confidence` = 1 - alpha - alpha_safe, for `either` each end has half of alpha. Proved: an end misses the true
/// ratio at any look with at most its error rate where the truth is on the margin or beyond it; where it lies inside,
/// the decision can miss as well as the curve, so with at most the sum of both (twice alpha; measured: both ends
/// together, .031 of .10 at most). Ends are rounded outward.
///
/// Few or no data: an interval with an empty arm is no information and changes nothing. No event at all: the
/// conditional e-value stays at 1 and the estimate is NaN; a ratio of nothing is not judged. Under a floor it is: the
/// safe side decides after some 2.4/f canary requests at alpha_safe .2, 3.9/f at .05. Impossible counts
/// (negative, bad above total, total above 2^53) raise `serinus.argument.count` and change nothing. Nothing overflows
/// for any finite counts.
///
/// Cost: 33 nodes an interval, 20 of them by a polynomial (conditional), a projection a start (block), 36 x 6 log1p
/// (floor); the interval adds 65 log1p, or 64 projections for a difference, or 64 x 6 log1p a direction for a floor. State: at most 4,096 bytes, below 1,024 without the
/// interval.
///
///     ProportionTest test({.alpha = 0.05, .margin = {.ratio = 2.0}});
///     test.update({.bad = 9, .total = 900}, {.bad = 2, .total = 100});
///     bool roll_back = test.decided();
class ProportionTest : public CountTest<ProportionOptions> {
  public:
    explicit ProportionTest(const ProportionOptions& options = {}) : ProportionTest(Checked{checked(options)}) {}

    /// Takes the counts of one interval.
    void update(const Proportion& baseline, const Proportion& canary) {
        require_possible("baseline", baseline);
        require_possible("canary", canary);
        take_checked(baseline, canary);
    }

    /// Takes many intervals, in order; to the bit what so many calls of `update` do. Nothing is taken when one is
    /// impossible. Raises `serinus.argument.length` for arrays of different lengths.
    void update_many(std::span<const Proportion> baseline, std::span<const Proportion> canary) {
        detail::require_same_length(baseline.size(), canary.size());
        for (std::size_t i = 0; i < baseline.size(); ++i) {
            require_possible("baseline", baseline[i]);
            require_possible("canary", canary[i]);
        }
        for (std::size_t i = 0; i < baseline.size(); ++i) take_checked(baseline[i], canary[i]);
    }

    /// What both arms have shown so far.
    Proportion baseline() const { return {whole(totals().x_b), whole(totals().n_b)}; }
    Proportion canary() const { return {whole(totals().x_c), whole(totals().n_c)}; }

    /// Takes over what another test of the same options has seen of other, independent requests: another region, or
    /// the intervals that follow. Conditional: log-likelihoods add, node by node, each at the level that its own test
    /// knew; later bets are at the level of both. Block: the capitals multiply, and later bets rest on all counts. One
    /// test of all of it would have bet a little otherwise; both are valid.
    /// The p-value is that of this test so far and of both together; what the other one's e-value was on its way is
    /// not used. Not possible in a StartMixture: a product of sums over starts is no sum over starts. Raises
    /// `serinus.state.options`, and changes nothing, where options differ or a test has several starts.
    void merge(const ProportionTest& other) { take_over(other, "ProportionTest"); }

    ProportionState state() const {
        ProportionState state;
        save(state);
        state.bad_b = totals().x_b;
        state.total_b = totals().n_b;
        state.bad_c = totals().x_c;
        state.total_c = totals().n_c;
        return state;
    }

    /// Takes over a state. Raises `serinus.state.options` when it was taken under other options,
    /// `serinus.state.invariant` when its numbers cannot be; the object is unchanged then.
    void restore(const ProportionState& state) {
        detail::require_same_options("the state of a ProportionTest", state, options());
        if (!(state.total_b == std::floor(state.total_b) && state.total_c == std::floor(state.total_c) &&
              state.bad_b <= state.total_b && state.bad_c <= state.total_c)) {
            raise(Code::state_invariant, "the state of a ProportionTest has more bad requests than requests");
        }
        load(state, {state.bad_b, state.total_b, state.bad_c, state.total_c}, "ProportionTest");
    }

  private:
    struct Checked {
        ProportionOptions options;
    };
    explicit ProportionTest(const Checked& checked)
        : CountTest(checked.options, checked.options.method == ProportionMethod::block, true) {}

    void take_checked(const Proportion& baseline, const Proportion& canary) {
        if (baseline.total == 0 || canary.total == 0) return;
        take(static_cast<double>(baseline.bad), static_cast<double>(baseline.total), static_cast<double>(canary.bad),
             static_cast<double>(canary.total));
    }

    static ProportionOptions checked(const ProportionOptions& given) {
        ProportionOptions options = detail::checked_sides(given, true);
        const Margin& margin = options.margin;
        if (margin.floor.has_value() && !(*margin.floor < 1)) {
            raise(Code::argument_margin, "margin.floor is " + given_text(*margin.floor) +
                                             "; allowed: 0 or more, below 1 (it is one of shares)");
        }
        if (margin.floor.has_value() != (options.method == ProportionMethod::floor) &&
            options.method != ProportionMethod::automatic) {
            raise(Code::argument_margin,
                  (margin.floor ? "margin.floor is " + given_text(*margin.floor) : std::string("margin has no floor")) +
                      " and method \"" + std::string(word(options.method)) +
                      "\"; allowed: \"floor\" with a floor, another method without one, \"auto\" with either");
        }
        if (options.margin.difference && !(*options.margin.difference < 1)) {
            raise(Code::argument_margin, "margin.difference is " + given_text(*options.margin.difference) +
                                             "; allowed: 0 or more, below 1 (it is one of shares)");
        }
        if (options.method == ProportionMethod::automatic) {
            options.method = margin.floor   ? ProportionMethod::floor
                             : margin.ratio ? ProportionMethod::conditional
                                            : ProportionMethod::block;
        } else if (options.method == ProportionMethod::conditional && options.margin.difference) {
            raise(Code::argument_margin, "margin is a difference of " + given_text(*options.margin.difference) +
                                             " and method \"conditional\"; allowed: a ratio, or method \"block\"");
        }
        return options;
    }
};

}  // namespace sequential
}  // namespace v0
}  // namespace serinus
