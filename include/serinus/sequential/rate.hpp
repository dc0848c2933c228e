#pragma once
/// \file
/// Do events (crashes, restarts, alerts) happen more often in the canary, an hour of exposure for an hour, by more than
/// a margin? Asked after every interval, as often as you like.

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
#include <serinus/sequential/detail/count_process.hpp>
#include <serinus/sequential/detail/same_options.hpp>
#include <serinus/sequential/detail/sides.hpp>

namespace serinus {
inline namespace v0 {
namespace sequential {

struct RateOptions {
    double alpha = 0.05;  ///< error of deciding on harm, and of the interval's end on the side of harm
    std::optional<double> alpha_safe =
        std::nullopt;  ///< error of deciding on safety, and of the other end; default alpha
    Harm harm = Harm::increase;
    Margin margin = {.ratio = 1.0, .difference = std::nullopt};  ///< a ratio of rates, with or without a floor
    Side side = Side::harm;
    double dispersion = 1;  ///< long-run variance of the counts over the Poisson one, learned from history; at least 1
    bool interval = true;   ///< keep what `lower` and `upper` are made of

    friend bool operator==(const RateOptions&, const RateOptions&) = default;

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
static_assert(described_whole<RateOptions>());

/// All that a RateTest remembers.
struct RateState {
    static constexpr std::string_view kind = "rate";
    static constexpr std::int64_t version = 3;
    static constexpr std::int64_t since(std::string_view field) {
        return field == "floor" || field == "level" ? 3 : field == "prior" ? 2 : 1;
    }
    static constexpr std::array<std::string_view, 1> beside{"difference"};  // there is none

    double alpha = 0;
    double alpha_safe = 0;
    Harm harm = Harm::increase;
    std::optional<double> ratio;
    Side side = Side::harm;
    double dispersion = 1;
    bool interval = true;

    double events_b = 0, exposure_b = 0, events_c = 0, exposure_c = 0;
    std::array<double, 5> estimate{};  // the sums of `evidence().estimate`
    double log_largest = 0;
    bool single_start = true;
    std::vector<std::vector<double>> log_mass;   // one a direction
    std::vector<double> interval_numbers;        // the curve or the bands
    PriorShape prior = PriorShape::half_normal;  // what it began with; of version 1 always this
    std::vector<double> level;                   // under a floor: as FloorLevel has it
    std::optional<double> floor;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("alpha", self.alpha);
        visit("alpha_safe", self.alpha_safe);
        visit("harm", self.harm);
        visit("ratio", self.ratio);
        visit("side", self.side);
        visit("dispersion", self.dispersion);
        visit("interval", self.interval);
        visit("events_b", self.events_b);
        visit("exposure_b", self.exposure_b);
        visit("events_c", self.events_c);
        visit("exposure_c", self.exposure_c);
        visit("estimate", self.estimate);
        visit("log_largest", self.log_largest);
        visit("single_start", self.single_start);
        visit("log_mass", self.log_mass);
        visit("interval_numbers", self.interval_numbers);
        visit("prior", self.prior);
        visit("level", self.level);
        visit("floor", self.floor);
    }
};
static_assert(described_whole<RateState>());

/// Anytime-valid test of two event rates.
///
/// Answers, after each interval: do events happen in the canary more often, for its exposure, than the margin allows
/// (`side = harm`), or certainly not (`side = safe`)? Reject as soon as `log_e_value() >= log(1/alpha)`
/// (1/alpha_safe on the safe side); the chance that this ever happens while the null is true is at most alpha
/// (alpha_safe), over all looks.
///
/// Null hypothesis, `side = harm` and `harm = increase`: at every interval, given the past, rate_canary <= r
/// rate_baseline, r >= 1; with a floor f, in events for one unit of exposure, rate_canary <= max(r rate_baseline,
/// rate_baseline + f). What both rates do together (time of day, a busy week) drops out. Exposures may change with
/// every interval, as long as they are set before its events: a ramp of the traffic needs nothing. `harm = decrease`
/// exchanges the arms, `either` is the mean of both directions' e-values; `side = safe` exchanges null and alternative
/// (`either`: the smaller of the two).
///
/// Method: given the sum of events, the canary's are binomial with q = r e_c/(r e_c + e_b); a mixture of likelihood
/// ratios over 33 rate ratios beyond the margin (conditional_mixture.hpp; Robbins 1970, Lindon and Malek 2022); under a
/// floor floor_process.hpp, and a ratio of 1 with a floor is the difference margin that there is none of else. With
/// `dispersion` phi > 1 each log-likelihood ratio is divided by phi. **Proved**: the error rate for Poisson counts, and
/// for sums of independent yes-or-no events, at every rate, split and ratio, phi >= 1. **Measured**, not proved: the
/// error rate for over-dispersed counts with phi learned from history (docs/concepts/sequential.md). There is no
/// difference margin: given the sum of events only the ratio is left.
///
/// evidence(): `estimate` is the Mantel-Haenszel ratio of the rates (the pooled one where the split stays constant), under
/// a floor the excess in units of what is allowed, as ProportionTest's;
/// `lower` and `upper` are the margins at which the harm e-process would equal 1/alpha, and its mirror 1/alpha_safe,
/// rounded outward; rejecting and lower >= margin are one. `confidence` = 1 - alpha - alpha_safe, for `either` each
/// end has half of alpha.
///
/// Exposures are any numbers from 0 to 1e300, in any unit: the unit drops out, but for a floor, which is in it. An exposure of 0 without events is no
/// information and changes nothing. No event at all: the e-value stays 1, the estimate is NaN; under a floor the safe
/// side decides after an exposure of 2.4/f at alpha_safe .2. Raises
/// `serinus.argument.range` for an exposure that is negative, NaN or infinite, or 0 where there are events, and
/// `serinus.argument.count` for events that are negative or above 2^53; nothing is changed then.
///
/// Exposures have no level, as requests have (ProportionTest): events are thought to be few for theirs. Where they are
/// requests, and more than some 10 % of them, take ProportionTest, which finds harm sooner there.
///
/// Cost: 33 log1p an interval, and 65 for the interval; under a floor 36 x 6, and 64 x 6. State: at most 2,800 bytes.
///
///     RateTest test({.alpha = 0.05, .margin = {.ratio = 1.5}});
///     test.update({.events = 9, .exposure = 18.0}, {.events = 4, .exposure = 2.0});
///     bool roll_back = test.decided();
class RateTest : public CountTest<RateOptions> {
  public:
    explicit RateTest(const RateOptions& options = {}) : CountTest(checked(options), false, false) {}

    /// Takes the counts of one interval.
    void update(const Rate& baseline, const Rate& canary) {
        check("baseline", baseline);
        check("canary", canary);
        take_checked(baseline, canary);
    }

    /// Takes many intervals, in order; to the bit what so many calls of `update` do. Nothing is taken when one is
    /// impossible. Raises `serinus.argument.length` for arrays of different lengths.
    void update_many(std::span<const Rate> baseline, std::span<const Rate> canary) {
        detail::require_same_length(baseline.size(), canary.size());
        for (std::size_t i = 0; i < baseline.size(); ++i) {
            check("baseline", baseline[i]);
            check("canary", canary[i]);
        }
        for (std::size_t i = 0; i < baseline.size(); ++i) take_checked(baseline[i], canary[i]);
    }

    /// What both arms have shown so far.
    Rate baseline() const { return {whole(totals().x_b), totals().n_b}; }
    Rate canary() const { return {whole(totals().x_c), totals().n_c}; }

    /// Takes over what another test of the same options has seen of other, independent events: another region, or the
    /// intervals that follow. As if one test had seen all of it, but for rounding: log-likelihoods add. The p-value is
    /// that of this test so far and of both together; what the other one's e-value was on its way is not used. Not
    /// possible in a StartMixture: a product of sums over starts is no sum over starts. Raises `serinus.state.options`,
    /// and changes nothing, where options differ or a test has several starts.
    void merge(const RateTest& other) { take_over(other, "RateTest"); }

    RateState state() const {
        RateState state;
        save(state);
        state.events_b = totals().x_b;
        state.exposure_b = totals().n_b;
        state.events_c = totals().x_c;
        state.exposure_c = totals().n_c;
        return state;
    }

    /// Takes over a state. Raises `serinus.state.options` when it was taken under other options,
    /// `serinus.state.invariant` when its numbers cannot be; the object is unchanged then.
    void restore(const RateState& state) {
        detail::require_same_options("the state of a RateTest", state, options());
        if ((state.events_b > 0 && !(state.exposure_b > 0)) || (state.events_c > 0 && !(state.exposure_c > 0)))
            raise(Code::state_invariant, "the state of a RateTest has events without exposure");
        load(state, {state.events_b, state.exposure_b, state.events_c, state.exposure_c}, "RateTest");
    }

  private:
    static constexpr double most_exposure = 1e300;  // sums and products with a margin stay finite

    static RateOptions checked(const RateOptions& given) {
        RateOptions options = detail::checked_sides(given, true);
        if (options.margin.difference) {
            raise(Code::argument_margin,
                  "margin is a difference of " + given_text(*options.margin.difference) +
                      "; allowed: a ratio (given the sum of events, only the ratio of rates is left), or a ratio of 1 "
                      "with that as its floor");
        }
        return options;
    }

    static void check(std::string_view arm, const Rate& rate) {
        if (!is_count(rate.events)) {
            raise(Code::argument_count,
                  std::string(arm) + " has " + std::to_string(rate.events) + " events; allowed: 0 to 2^53");
        }
        if (!(rate.exposure >= 0 && rate.exposure <= most_exposure)) {
            raise(Code::argument_range,
                  std::string(arm) + " has an exposure of " + given_text(rate.exposure) + "; allowed: 0 to 1e300");
        }
        if (rate.exposure == 0 && rate.events > 0) {
            raise(Code::argument_range, std::string(arm) + " has " + std::to_string(rate.events) +
                                            " events in an exposure of 0; allowed: above 0 where there are events");
        }
    }

    void take_checked(const Rate& baseline, const Rate& canary) {
        if (baseline.exposure == 0 || canary.exposure == 0) return;
        take(static_cast<double>(baseline.events), baseline.exposure, static_cast<double>(canary.events),
             canary.exposure);
    }
};

}  // namespace sequential
}  // namespace v0
}  // namespace serinus
