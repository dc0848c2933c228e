#pragma once
/// \file
/// Does the canary fail a larger share of its requests than the baseline, by more than a margin? Asked after every
/// interval, as often as you like.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include <serinus/core/elementary.hpp>
#include <serinus/core/error.hpp>
#include <serinus/core/evidence.hpp>
#include <serinus/core/reason.hpp>
#include <serinus/core/state.hpp>
#include <serinus/core/words.hpp>
#include <serinus/sequential/block_process.hpp>
#include <serinus/sequential/conditional_mixture.hpp>

namespace serinus {
inline namespace v0 {
namespace sequential {

/// How ProportionTest bets. `conditional`: on how the events divide between the arms (conditional_mixture.hpp); ratio
/// margins only; the quicker one for rare events. `block`: on the events of each block given the rates so far
/// (block_process.hpp); ratio and difference margins. `automatic`: conditional for a ratio, block for a difference.
enum class ProportionMethod : std::uint8_t { automatic = 1, conditional = 2, block = 3 };

}  // namespace sequential

template <>
struct Words<sequential::ProportionMethod> {
    static constexpr std::array<std::pair<sequential::ProportionMethod, std::string_view>, 3> table{
        {{sequential::ProportionMethod::automatic, "auto"},
         {sequential::ProportionMethod::conditional, "conditional"},
         {sequential::ProportionMethod::block, "block"}}};
};

namespace sequential {

/// What happened in one arm in one interval: `bad` of `total` requests.
struct Proportion {
    std::int64_t bad = 0;
    std::int64_t total = 0;
};

struct ProportionOptions {
    double alpha = 0.05;  ///< error of deciding on harm, and of the interval's end on the side of harm
    std::optional<double> alpha_promote =
        std::nullopt;  ///< error of deciding on safety, and of the other end; default alpha
    Harm harm = Harm::increase;
    Margin margin = {.ratio = 1.0, .difference = std::nullopt};
    Side side = Side::harm;
    ProportionMethod method = ProportionMethod::automatic;
    double dispersion = 1;  ///< long-run variance of the counts over the binomial one, learned from history; at least 1
    bool interval = true;   ///< keep what `lower` and `upper` are made of
};

/// All that a ProportionTest remembers.
struct ProportionState {
    static constexpr std::string_view kind = "prop";
    static constexpr std::int64_t version = 1;

    double alpha = 0;
    double alpha_promote = 0;
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
    std::vector<std::vector<double>> log_mass;             // conditional: one a direction
    std::vector<std::vector<BlockProcess::Start>> starts;  // block: one a direction
    std::vector<double> interval_numbers;                  // the curve or the band

    template <class Visitor, class Self>
    static void fields(Visitor& visit, Self& self) {
        visit("alpha", self.alpha);
        visit("alpha_promote", self.alpha_promote);
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
    }
};

/// Anytime-valid test of two proportions.
///
/// Answers, after each interval of requests: is the canary's share of bad requests beyond the margin (`side = harm`),
/// or is it certainly not (`side = safe`)? Reject as soon as `log_e_value() >= log(1/alpha)`; the chance that this ever
/// happens while the null is true is at most alpha, over all looks.
///
/// Null hypothesis, `side = harm` and `harm = increase`: at every interval, given the past, p_canary <= r p_baseline
/// (ratio margin r >= 1) or p_canary <= p_baseline + d (difference margin d >= 0). Rates may drift, sizes may change
/// with every interval, as long as they are set before the outcomes. `harm = decrease` exchanges the arms. `harm =
/// either`: no worse in both directions; the e-value is the mean of the two. `side = safe` exchanges null and
/// alternative: its e-value grows while the canary is inside the margin (for `either` it is the smaller of the two
/// directions').
///
/// Method and proof: conditional_mixture.hpp (ratio; Robbins 1970, Lindon and Malek 2022) and block_process.hpp
/// (Turner, Ly and Gruenwald 2021). With `dispersion` phi > 1 each log-likelihood ratio is divided by phi. Proved: the
/// error rate for independent requests, phi = 1 (and for phi > 1 then all the more). Measured, not proved: the error
/// rate for over-dispersed counts with phi learned from history (docs/concepts/promise.md).
///
/// evidence(): `estimate` is the Mantel-Haenszel ratio or difference over the intervals (the pooled one where the arms'
/// shares stay constant). `lower` and `upper` are what the two sides do not exclude: for `increase` the margin at which
/// the harm e-process would equal 1/alpha, and that at which its mirror would equal 1/alpha_promote; so with harm =
/// increase and side = harm, rejecting and lower >= margin are one. `confidence` = 1 - alpha - alpha_promote, for
/// `either` each end has half of alpha. A ratio's bounds use the conditional method under both methods. Ends are
/// rounded outward.
///
/// Few or no data: an interval with an empty arm is no information and changes nothing. No event at all: the
/// conditional e-value stays at 1 and the estimate is NaN; a ratio of nothing is not judged. Impossible counts
/// (negative, bad above total, total above 2^53) raise `serinus.argument.count` and change nothing. Nothing overflows
/// for any finite counts.
///
/// Cost: 33 log1p an interval (conditional), a projection a start (block); the interval adds 65 log1p, or 64
/// projections for a difference. State: at most 3 KiB.
///
///     ProportionTest test({.alpha = 0.05, .margin = {.ratio = 2.0}});
///     test.update({.bad = 9, .total = 900}, {.bad = 2, .total = 100});
///     bool roll_back = test.decided();
class ProportionTest {
  public:
    explicit ProportionTest(const ProportionOptions& options = {}) : options_(checked(options)) {
        // The direction of "worse", as the sign of canary - baseline; on the safe side the evidence lies the other way.
        if (options_.harm != Harm::decrease) directions_.push_back(make_direction(false));
        if (options_.harm != Harm::increase) directions_.push_back(make_direction(true));
        if (options_.interval) {
            if (options_.margin.ratio) {
                bounds_.emplace<LikelihoodCurve>();
            } else {
                bounds_.emplace<DifferenceBand>(options_.harm == Harm::decrease ? -*options_.margin.difference
                                                                                : *options_.margin.difference);
            }
        }
    }

    /// Takes the counts of one interval.
    void update(const Proportion& baseline, const Proportion& canary) {
        check_counts("baseline", baseline);
        check_counts("canary", canary);
        if (baseline.total == 0 || canary.total == 0) return;
        const auto x_b = static_cast<double>(baseline.bad), n_b = static_cast<double>(baseline.total);
        const auto x_c = static_cast<double>(canary.bad), n_c = static_cast<double>(canary.total);
        const double phi = options_.dispersion;
        for (Direction& direction : directions_) {
            const bool swap = direction.swapped;
            std::visit(
                [&](auto& process) {
                    process.update(swap ? x_c : x_b, swap ? n_c : n_b, swap ? x_b : x_c, swap ? n_b : n_c, phi);
                },
                direction.process);
        }
        if (auto* curve = std::get_if<LikelihoodCurve>(&bounds_)) curve->update(x_b, n_b, x_c, n_c, phi);
        if (auto* band = std::get_if<DifferenceBand>(&bounds_)) band->update(x_b, n_b, x_c, n_c, phi);
        bad_b_ += x_b;
        total_b_ += n_b;
        bad_c_ += x_c;
        total_c_ += n_c;
        const double n = n_b + n_c;
        const std::array<double, 5> parts{x_c * (n_b / n), x_b * (n_c / n), n_b * (n_c / n), x_c, x_b};
        for (std::size_t i = 0; i < parts.size(); ++i) estimate_[i] += parts[i];
        log_largest_ = std::max(log_largest_, log_e_value());
    }

    /// Natural log of the e-value.
    double log_e_value() const {
        if (directions_.size() == 1) return directions_.front().log_e_value();
        const double up = directions_[0].log_e_value(), down = directions_[1].log_e_value();
        if (options_.side == Side::safe) return std::min(up, down);
        return elementary::log_add_exp(up, down) - log_two;
    }

    /// The log e-value at which the test decides: log(1/alpha), on the safe side log(1/alpha_promote).
    double log_needed() const {
        return -elementary::log(options_.side == Side::harm ? options_.alpha : *options_.alpha_promote);
    }

    /// True once the e-value has reached that.
    bool decided() const { return log_largest_ >= log_needed(); }

    /// Always valid: min(1, 1/largest e-value so far).
    double p_value() const { return elementary::exp(-std::max(log_largest_, 0.0)); }

    Evidence evidence() const {
        Evidence evidence;
        evidence.log_e_value = log_e_value();
        evidence.p_value = p_value();
        evidence.estimate =
            options_.margin.ratio ? estimate_[0] / estimate_[1] : (estimate_[0] - estimate_[1]) / estimate_[2];
        evidence.n_baseline = total_b_;
        evidence.n_canary = total_c_;
        evidence.method = word(options_.method);
        if (options_.interval) {
            const double alpha = options_.alpha, promote = *options_.alpha_promote;
            const bool either = options_.harm == Harm::either;
            const double below = either ? alpha / 2 : options_.harm == Harm::increase ? alpha : promote;
            const double above = either ? alpha / 2 : options_.harm == Harm::increase ? promote : alpha;
            evidence.confidence = 1 - (below + above);
            if (const auto* curve = std::get_if<LikelihoodCurve>(&bounds_)) {
                std::tie(evidence.lower, evidence.upper) = curve->bounds(below, above);
            } else if (const auto* band = std::get_if<DifferenceBand>(&bounds_)) {
                evidence.lower = band->bound(+1, below);
                evidence.upper = band->bound(-1, above);
            }
            agree(evidence);
        }
        return evidence;
    }

    /// The options, `method` and `alpha_promote` filled in.
    const ProportionOptions& options() const noexcept { return options_; }

    /// What both arms have shown so far.
    Proportion baseline() const { return {static_cast<std::int64_t>(bad_b_), static_cast<std::int64_t>(total_b_)}; }
    Proportion canary() const { return {static_cast<std::int64_t>(bad_c_), static_cast<std::int64_t>(total_c_)}; }

    /// For StartMixture: multiplies the e-value by a weight in (0, 1].
    void rescale(double weight) {
        single_start_ = false;
        for (Direction& direction : directions_)
            std::visit([&](auto& process) { process.rescale(weight); }, direction.process);
    }
    /// For StartMixture: adds to the e-value a fresh start of it, worth `weight` now.
    void add_start(double weight) {
        single_start_ = false;
        for (Direction& direction : directions_)
            std::visit([&](auto& process) { process.add_start(weight); }, direction.process);
    }

    ProportionState state() const;

    /// Takes over a state. Raises `serinus.state.options` when it was taken under other options,
    /// `serinus.state.invariant` when its numbers cannot be; the object is unchanged then.
    void restore(const ProportionState& state);

  private:
    static constexpr double log_two = 0.69314718055994530942;
    static constexpr std::int64_t most = std::int64_t{1} << 53;

    struct Direction {
        bool swapped;  // the arms exchange places: evidence of a decrease
        std::variant<ConditionalMixture, BlockProcess> process;
        double log_e_value() const {
            return std::visit([](const auto& p) { return p.log_e_value(); }, process);
        }
    };

    static ProportionOptions checked(ProportionOptions options) {
        const auto require = [](bool good, Code code, std::string_view field, double value, std::string_view allowed) {
            if (good) return;
            raise(code, std::string(field) + " is " + number_text(value) + "; allowed: " + std::string(allowed));
        };
        constexpr auto range = Code::argument_range;
        require(options.alpha > 0 && options.alpha < 1, range, "alpha", options.alpha, "above 0, below 1");
        if (!options.alpha_promote) options.alpha_promote = options.alpha;
        require(*options.alpha_promote > 0 && *options.alpha_promote < 1, range, "alpha_promote",
                *options.alpha_promote, "above 0, below 1");
        require(options.dispersion >= 1 && std::isfinite(options.dispersion), range, "dispersion", options.dispersion,
                "at least 1, finite");
        if (options.margin.ratio.has_value() == options.margin.difference.has_value()) {
            raise(Code::argument_margin, "margin has " +
                                             std::string(options.margin.ratio ? "both a ratio and a difference"
                                                                              : "neither a ratio nor a difference") +
                                             "; allowed: exactly one of them");
        }
        if (options.margin.ratio) {
            require(*options.margin.ratio >= 1 && *options.margin.ratio <= 1000, Code::argument_margin, "margin.ratio",
                    *options.margin.ratio, "1 to 1000");
        } else {
            require(*options.margin.difference >= 0 && *options.margin.difference < 1, Code::argument_margin,
                    "margin.difference", *options.margin.difference, "0 or more, below 1");
        }
        if (options.method == ProportionMethod::automatic) {
            options.method = options.margin.ratio ? ProportionMethod::conditional : ProportionMethod::block;
        } else if (options.method == ProportionMethod::conditional && options.margin.difference) {
            raise(Code::argument_margin,
                  "method is \"conditional\" and the margin is a difference; allowed: a ratio, or method \"block\"");
        }
        return options;
    }

    /// The bounds are interpolated (or on a grid), the e-value at the margin is exact: where the test itself speaks,
    /// the bound follows it, so that a decision and the interval beside it never disagree.
    void agree(Evidence& evidence) const {
        if (!single_start_ || options_.harm == Harm::either) return;
        const double size = options_.margin.ratio ? *options_.margin.ratio : *options_.margin.difference;
        const bool increase = options_.harm == Harm::increase;
        const double margin = increase ? size : options_.margin.ratio ? 1 / size : -size;
        const bool excluded = evidence.log_e_value >= log_needed();
        // Harm excludes the margin from the good side, safety from the bad one.
        if ((options_.side == Side::harm) == increase) {
            evidence.lower = excluded ? std::max(evidence.lower, margin) : std::min(evidence.lower, margin);
        } else {
            evidence.upper = excluded ? std::min(evidence.upper, margin) : std::max(evidence.upper, margin);
        }
    }

    static void check_counts(std::string_view arm, const Proportion& counts) {
        if (counts.bad >= 0 && counts.bad <= counts.total && counts.total <= most) return;
        raise(Code::argument_count, std::string(arm) + " has " + std::to_string(counts.bad) + " bad of " +
                                        std::to_string(counts.total) + "; allowed: 0 <= bad <= total <= 2^53");
    }

    Direction make_direction(bool swapped) const {
        const int beyond = options_.side == Side::harm ? +1 : -1;
        if (options_.method == ProportionMethod::conditional) {
            return {swapped, ConditionalMixture(*options_.margin.ratio, beyond)};
        }
        return {swapped,
                BlockProcess(MarginLine{options_.margin.ratio.value_or(1), options_.margin.difference.value_or(0)},
                             beyond)};
    }

    ProportionOptions options_;
    std::vector<Direction> directions_;
    std::variant<std::monostate, LikelihoodCurve, DifferenceBand> bounds_;
    double bad_b_ = 0, total_b_ = 0, bad_c_ = 0, total_c_ = 0;
    std::array<double, 5> estimate_{};
    double log_largest_ = 0;
    bool single_start_ = true;
};

namespace detail {

/// Gathers the doubles of a field list into one array, or spreads them out again.
struct Gather {
    std::vector<double>& out;
    void operator()(std::string_view, double value) { out.push_back(value); }
    template <std::size_t N>
    void operator()(std::string_view, const std::array<double, N>& values) {
        out.insert(out.end(), values.begin(), values.end());
    }
};
struct Spread {
    const std::vector<double>& in;
    std::size_t at = 0;
    void operator()(std::string_view, double& value) { value = in[at++]; }
    template <std::size_t N>
    void operator()(std::string_view, std::array<double, N>& values) {
        for (double& value : values) value = in[at++];
    }
};

}  // namespace detail

inline ProportionState ProportionTest::state() const {
    ProportionState state;
    state.alpha = options_.alpha;
    state.alpha_promote = *options_.alpha_promote;
    state.harm = options_.harm;
    state.ratio = options_.margin.ratio;
    state.difference = options_.margin.difference;
    state.side = options_.side;
    state.method = options_.method;
    state.dispersion = options_.dispersion;
    state.interval = options_.interval;
    state.bad_b = bad_b_;
    state.total_b = total_b_;
    state.bad_c = bad_c_;
    state.total_c = total_c_;
    state.estimate = estimate_;
    state.log_largest = log_largest_;
    state.single_start = single_start_;
    for (const Direction& direction : directions_) {
        if (const auto* mixture = std::get_if<ConditionalMixture>(&direction.process)) {
            state.log_mass.emplace_back(mixture->log_mass().begin(), mixture->log_mass().end());
        } else {
            state.starts.push_back(std::get<BlockProcess>(direction.process).starts());
        }
    }
    detail::Gather gather{state.interval_numbers};
    if (const auto* curve = std::get_if<LikelihoodCurve>(&bounds_)) LikelihoodCurve::fields(gather, *curve);
    if (const auto* band = std::get_if<DifferenceBand>(&bounds_)) DifferenceBand::fields(gather, *band);
    return state;
}

inline void ProportionTest::restore(const ProportionState& state) {
    const bool same = state.alpha == options_.alpha && state.alpha_promote == *options_.alpha_promote &&
                      state.harm == options_.harm && state.ratio == options_.margin.ratio &&
                      state.difference == options_.margin.difference && state.side == options_.side &&
                      state.method == options_.method && state.dispersion == options_.dispersion &&
                      state.interval == options_.interval;
    if (!same)
        raise(Code::state_options, "the state of a ProportionTest was taken under other options than this test has");
    const auto require = [](bool good, const char* what) {
        if (!good) raise(Code::state_invariant, std::string("the state of a ProportionTest has ") + what);
    };
    const auto count = [](double value) { return value >= 0 && std::isfinite(value) && value == std::floor(value); };
    const auto finite = [](const auto& values) {
        return std::all_of(values.begin(), values.end(), [](double value) { return std::isfinite(value); });
    };
    require(count(state.bad_b) && count(state.total_b) && count(state.bad_c) && count(state.total_c),
            "counts that are none");
    require(state.bad_b <= state.total_b && state.bad_c <= state.total_c, "more bad requests than requests");
    require(finite(state.estimate), "an estimate that is not finite");
    require(state.log_largest >= 0 && std::isfinite(state.log_largest), "a largest e-value below 1 or infinite");
    const bool conditional = options_.method == ProportionMethod::conditional;
    require(state.log_mass.size() == (conditional ? directions_.size() : 0), "another number of directions");
    require(state.starts.size() == (conditional ? 0 : directions_.size()), "another number of directions");
    for (const auto& masses : state.log_mass) {
        require(masses.size() == ConditionalMixture::size && finite(masses),
                "masses that are too few, too many or not finite");
    }
    for (const auto& starts : state.starts) {
        require(!starts.empty() && starts.size() <= BlockProcess::most_starts, "no start or too many");
        for (const BlockProcess::Start& start : starts) {
            const BlockCounts& seen = start.counts;
            require(std::isfinite(start.log_capital) && count(seen.bad_b) && count(seen.bad_c) && count(seen.total_b) &&
                        count(seen.total_c) && seen.bad_b <= seen.total_b && seen.bad_c <= seen.total_c,
                    "a start that cannot be");
        }
    }
    ProportionTest next = *this;
    std::vector<double> expected;
    detail::Gather gather{expected};
    if (const auto* curve = std::get_if<LikelihoodCurve>(&bounds_)) LikelihoodCurve::fields(gather, *curve);
    if (const auto* band = std::get_if<DifferenceBand>(&bounds_)) DifferenceBand::fields(gather, *band);
    require(state.interval_numbers.size() == expected.size() && finite(state.interval_numbers),
            "an interval that cannot be");
    detail::Spread spread{state.interval_numbers};
    if (auto* curve = std::get_if<LikelihoodCurve>(&next.bounds_)) LikelihoodCurve::fields(spread, *curve);
    if (auto* band = std::get_if<DifferenceBand>(&next.bounds_)) DifferenceBand::fields(spread, *band);
    for (std::size_t i = 0; i < directions_.size(); ++i) {
        if (conditional) {
            std::array<double, ConditionalMixture::size> masses;
            std::copy(state.log_mass[i].begin(), state.log_mass[i].end(), masses.begin());
            std::get<ConditionalMixture>(next.directions_[i].process).set_log_mass(masses);
        } else {
            std::get<BlockProcess>(next.directions_[i].process).set_starts(state.starts[i]);
        }
    }
    next.bad_b_ = state.bad_b;
    next.total_b_ = state.total_b;
    next.bad_c_ = state.bad_c;
    next.total_c_ = state.total_c;
    next.estimate_ = state.estimate;
    next.log_largest_ = state.log_largest;
    next.single_start_ = state.single_start;
    *this = std::move(next);
}

}  // namespace sequential
}  // namespace v0
}  // namespace serinus
