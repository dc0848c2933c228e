#pragma once
/// \file
/// What ProportionTest and RateTest have in common: both bet on how events divide between two arms. Which counts are
/// possible, and what a state is called, is theirs; the evidence, the estimate and the interval are here, once.

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

#include <serinus/core/error.hpp>
#include <serinus/core/evidence.hpp>
#include <serinus/core/text.hpp>
#include <serinus/core/words.hpp>
#include <serinus/numeric/elementary.hpp>
#include <serinus/sequential/detail/anchored_prior.hpp>
#include <serinus/sequential/detail/block_process.hpp>
#include <serinus/sequential/detail/conditional_mixture.hpp>
#include <serinus/sequential/detail/difference_band.hpp>
#include <serinus/sequential/detail/directions.hpp>
#include <serinus/sequential/detail/field_numbers.hpp>
#include <serinus/sequential/detail/floor_band.hpp>
#include <serinus/sequential/detail/floor_process.hpp>
#include <serinus/sequential/detail/likelihood_curve.hpp>
#include <serinus/sequential/detail/same_options.hpp>
#include <serinus/sequential/detail/sides.hpp>

namespace serinus {
inline namespace v0 {
namespace sequential {

namespace detail {

/// Adds the doubles of one field list to those of another of the same class.
struct Accumulate {
    const std::vector<double>& in;
    std::size_t at = 0;
    void operator()(std::string_view, double& value) { value += in[at++]; }
    template <std::size_t N>
    void operator()(std::string_view, std::array<double, N>& values) {
        for (double& value : values) value += in[at++];
    }
};

}  // namespace detail

/// The test on counts inside ProportionTest and RateTest.
///
/// `Options` has alpha, alpha_safe, harm, margin, side, dispersion and interval as ProportionOptions has them,
/// checked. Under a margin with a floor the e-process is that of floor_process.hpp; else with `block` that of
/// block_process.hpp, without it that of conditional_mixture.hpp.
template <class Options>
class CountTest {
  public:
    /// Natural log of the e-value.
    double log_e_value() const {
        return known_ ? log_e_value_ : together(directions_, [](const auto& process) { return process.log_e_value(); });
    }

    /// No less than `log_e_value()`, and cheaper: for who only wants to know whether it may have reached something.
    double log_at_most() const {
        if (known_) return log_e_value_;
        if (directions_.size() == 2 && options_.side == Side::harm && conditional()) return log_at_most_;
        return directions_.at_most([](const Direction& direction) {
            return std::visit([](const auto& process) { return process.log_at_most(); }, direction.process);
        });
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
        evidence.estimate = estimate();
        evidence.n_baseline = totals_.n_b;
        evidence.n_canary = totals_.n_c;
        evidence.method = floored() ? "floor" : conditional() ? "conditional" : "block";
        if (options_.interval) {
            const auto [below, above] = detail::end_errors(options_);
            evidence.confidence = detail::EndErrors{below, above}.confidence();
            if (const auto* curve = bounds<LikelihoodCurve>()) {
                std::tie(evidence.lower, evidence.upper) = curve->bounds(below, above);
            } else if (const auto* band = bounds<DifferenceBand>()) {
                evidence.lower = band->bound(+1, below);
                evidence.upper = band->bound(-1, above);
            } else if (const auto* bands = bounds<FloorBands>()) {
                std::tie(evidence.lower, evidence.upper) = floor_bounds(*bands, below, above);
            }
            // The interval runs from a single start.
            if (single_start_) detail::agree(evidence, log_needed(), options_);
        }
        return evidence;
    }

    /// The options, `alpha_safe` (and `method`, where there is one) filled in.
    const Options& options() const noexcept { return options_; }

    /// For StartMixture: multiplies the e-value by a weight in (0, 1].
    void rescale(double weight) {
        single_start_ = false;
        forget_e_value();
        for (Direction& direction : directions_)
            std::visit([&](auto& process) { process.rescale(weight); }, direction.process);
    }
    /// For StartMixture and ChangeDetector: adds to the e-value a fresh start of it, worth `weight` now.
    void add_start(double weight) {
        single_start_ = false;
        forget_e_value();
        for (Direction& direction : directions_)
            std::visit([&](auto& process) { process.add_start(weight); }, direction.process);
    }

  protected:
    /// What both arms have shown: x events (bad requests) in n (requests, or exposure).
    struct Totals {
        double x_b = 0, n_b = 0, x_c = 0, n_c = 0;
    };

    /// With `level` the conditional method bets at the level so far (shares of requests have one, Poisson counts do
    /// not; what a margin with a floor is about follows from that).
    CountTest(const Options& options, bool block, bool level)
        : options_(options),
          of_(level ? FloorOf::shares : FloorOf::rates),
          sided_(options),
          directions_(directions(block)) {
        begin_bounds();
        if (level && !block && !options.margin.floor) level_.emplace();
    }

    /// As if nothing had been seen.
    void begin(PriorShape prior, bool block) {
        prior_ = prior;
        directions_ = directions(block);
        begin_bounds();
    }
    void begin_bounds() {
        bounds_.clear();
        if (options_.interval) {
            if (options_.margin.floor) {
                const FloorBand band(*options_.margin.ratio, *options_.margin.floor, of_);
                bounds_.emplace_back(FloorBands(directions_.size(), band));
            } else if (options_.margin.ratio) {
                bounds_.emplace_back(LikelihoodCurve(prior_));
            } else {
                bounds_.emplace_back(DifferenceBand(options_.harm == Harm::decrease ? -*options_.margin.difference
                                                                                    : *options_.margin.difference));
            }
        }
    }

    /// A sum of counts as an integer; the largest one for sums beyond it.
    static std::int64_t whole(double count) {
        return count < 0x1p63 ? static_cast<std::int64_t>(count) : std::numeric_limits<std::int64_t>::max();
    }

    /// Takes the counts of one interval, which are possible, and neither arm empty.
    void take(double x_b, double n_b, double x_c, double n_c) {
        const double phi = options_.dispersion;
        double most = -std::numeric_limits<double>::infinity();
        for (Direction& direction : directions_) {
            const bool swap = direction.swapped;
            const double from_x = swap ? x_c : x_b, from_n = swap ? n_c : n_b;
            const double to_x = swap ? x_b : x_c, to_n = swap ? n_b : n_c;
            if (auto* mixture = std::get_if<ConditionalMixture>(&direction.process)) {
                most = std::max(
                    most, level_ ? mixture->update(from_x, from_n, to_x, to_n, phi, swap ? level_->swapped() : *level_)
                                 : mixture->update(from_x, from_n, to_x, to_n, phi));
            } else if (auto* floor = std::get_if<FloorProcess>(&direction.process)) {
                floor->update(from_x, from_n, to_x, to_n, phi, swap ? floor_level_.swapped() : floor_level_);
            } else {
                std::get<BlockProcess>(direction.process).update(from_x, from_n, to_x, to_n, phi);
            }
        }
        // The mean of both directions grows at most as much as the quicker one.
        if (conditional()) log_at_most_ += most + 1e-14 * std::fabs(log_at_most_);
        if (auto* curve = bounds<LikelihoodCurve>()) curve->update(x_b, n_b, x_c, n_c, phi);
        if (auto* band = bounds<DifferenceBand>()) band->update(x_b, n_b, x_c, n_c, phi);
        if (auto* bands = bounds<FloorBands>()) {
            for (std::size_t i = 0; i < bands->size(); ++i) {
                directions_[i].swapped ? (*bands)[i].update(x_c, n_c, x_b, n_b, phi)
                                       : (*bands)[i].update(x_b, n_b, x_c, n_c, phi);
            }
        }
        if (level_) level_->add(x_b + x_c, n_b, n_c);
        if (floored()) floor_level_.add(x_b, n_b, x_c, n_c);
        totals_.x_b += x_b;
        totals_.n_b += n_b;
        totals_.x_c += x_c;
        totals_.n_c += n_c;
        const double n = n_b + n_c;
        const std::array<double, 5> parts{x_c * (n_b / n), x_b * (n_c / n), n_b * (n_c / n), x_c, x_b};
        for (std::size_t i = 0; i < parts.size(); ++i) estimate_[i] += parts[i];
        known_ = false;
        // Most often it cannot have reached a new maximum, and nobody has to know it exactly.
        if (log_at_most() > sided_.log_largest()) sided_.note(settle());
    }

    /// Takes over what another test of the same options has seen; see `merge` of the tests.
    void take_over(const CountTest& other, std::string_view name) {
        detail::require_same_options("the test given to " + std::string(name) + ".merge", other.options_, options_);
        if (!single_start_ || !other.single_start_) {
            raise(Code::state_options, std::string(name) +
                                           ".merge was given a test with several starts; allowed: tests that began "
                                           "once, outside StartMixture and ChangeDetector");
        }
        CountTest next = *this;
        for (std::size_t i = 0; i < directions_.size(); ++i) {
            std::visit(
                [&](auto& process) {
                    process.merge(std::get<std::decay_t<decltype(process)>>(other.directions_[i].process));
                },
                next.directions_[i].process);
        }
        const std::vector<double> numbers = other.interval_numbers();
        detail::Accumulate add{numbers};
        next.visit_bounds(add);
        if (level_ && other.level_) next.level_->join(*other.level_);
        next.floor_level_.join(other.floor_level_);
        next.totals_.x_b += other.totals_.x_b;
        next.totals_.n_b += other.totals_.n_b;
        next.totals_.x_c += other.totals_.x_c;
        next.totals_.n_c += other.totals_.n_c;
        for (std::size_t i = 0; i < estimate_.size(); ++i) next.estimate_[i] += other.estimate_[i];
        next.sided_.note(next.settle());
        *this = std::move(next);
    }

    /// Writes the options and numbers that states of all these tests have.
    template <class State>
    void save(State& state) const {
        detail::save_options(state, options_);
        state.estimate = estimate_;
        state.log_largest = sided_.log_largest();
        state.single_start = single_start_;
        for (const Direction& direction : directions_) {
            if (const auto* mixture = std::get_if<ConditionalMixture>(&direction.process)) {
                state.log_mass.emplace_back(mixture->log_mass().begin(), mixture->log_mass().end());
            } else if (const auto* floor = std::get_if<FloorProcess>(&direction.process)) {
                state.log_mass.emplace_back(floor->log_mass().begin(), floor->log_mass().end());
            } else if constexpr (requires { state.starts; }) {
                state.starts.push_back(std::get<BlockProcess>(direction.process).starts());
            }
        }
        state.interval_numbers = interval_numbers();
        state.prior = prior_;
        if (level_) state.level = {level_->events, level_->n_b, level_->n_c};
        if (floored()) state.level = {floor_level_.x_b, floor_level_.n_b, floor_level_.x_c, floor_level_.n_c};
    }

    /// Takes over what `save` wrote; raises `serinus.state.invariant`, and changes nothing, for numbers that cannot be.
    template <class State>
    void load(const State& state, const Totals& totals, std::string_view name) {
        const auto require = [&](bool good, const char* what) {
            if (!good) raise(Code::state_invariant, "the state of a " + std::string(name) + " has " + what);
        };
        const auto count = [](double value) {
            return value >= 0 && std::isfinite(value) && value == std::floor(value);
        };
        const auto finite = [](const auto& values) {
            return std::all_of(values.begin(), values.end(), [](double value) { return std::isfinite(value); });
        };
        require(count(totals.x_b) && count(totals.x_c) && totals.n_b >= 0 && totals.n_c >= 0 &&
                    std::isfinite(totals.n_b) && std::isfinite(totals.n_c),
                "counts that are none");
        require(finite(state.estimate), "an estimate that is not finite");
        require(detail::SidedEvidence::sound(state.log_largest), "a largest e-value below 1 or infinite");
        const bool conditional = this->conditional();
        const std::size_t nodes =
            floored() ? std::get<FloorProcess>(directions_.front().process).size() : ConditionalMixture::size;
        const bool masses_are_kept = conditional || floored();
        require(state.log_mass.size() == (masses_are_kept ? directions_.size() : 0), "another number of directions");
        for (const auto& masses : state.log_mass) {
            require(masses.size() == nodes && finite(masses), "masses that are too few, too many or not finite");
        }
        if constexpr (requires { state.starts; }) {
            require(state.starts.size() == (masses_are_kept ? 0 : directions_.size()), "another number of directions");
            for (const auto& starts : state.starts) {
                require(!starts.empty() && starts.size() <= BlockProcess::most_starts, "no start or too many");
                for (const BlockProcess::Start& start : starts) {
                    const BlockCounts& seen = start.counts;
                    require(std::isfinite(start.log_capital) && count(seen.bad_b) && count(seen.bad_c) &&
                                count(seen.total_b) && count(seen.total_c) && seen.bad_b <= seen.total_b &&
                                seen.bad_c <= seen.total_c,
                            "a start that cannot be");
                }
            }
        }
        std::optional<SharedLevel> level;
        FloorLevel floor_level;
        if (floored()) {
            floor_level = floor_level_of(state.level);
            require(state.level.size() == 4 && finite(state.level) && floor_level.x_b >= 0 && floor_level.n_b >= 0 &&
                        floor_level.x_c >= 0 && floor_level.n_c >= 0,
                    "a level that it cannot have");
        } else {
            require(state.level.empty() || (conditional && of_ == FloorOf::shares && state.level.size() == 3),
                    "a level that it cannot have");
            if (!state.level.empty()) level = SharedLevel{state.level[0], state.level[1], state.level[2]};
            // (Sums that are kept in part are rounded.)
            require(!level || (finite(state.level) && level->events >= 0 && level->n_b >= 0 && level->n_c >= 0 &&
                               level->events <= (1 + 1e-9) * (level->n_b + level->n_c)),
                    "a level that it cannot have");
        }
        CountTest next = *this;
        require(state.interval_numbers.size() == interval_numbers().size() && finite(state.interval_numbers),
                "an interval that cannot be");
        // A test goes on with what it began with: an e-process that changed its prior midway would be none.
        if (state.prior != prior_) next.begin(state.prior, !conditional);
        next.level_ = level;
        next.floor_level_ = floor_level;
        detail::Spread spread{state.interval_numbers};
        next.visit_bounds(spread);
        for (std::size_t i = 0; i < directions_.size(); ++i) {
            if (floored()) {
                std::get<FloorProcess>(next.directions_[i].process).set_log_mass(state.log_mass[i]);
            } else if (conditional) {
                std::array<double, ConditionalMixture::size> masses;
                std::copy(state.log_mass[i].begin(), state.log_mass[i].end(), masses.begin());
                std::get<ConditionalMixture>(next.directions_[i].process).set_log_mass(masses);
            } else if constexpr (requires { state.starts; }) {
                std::get<BlockProcess>(next.directions_[i].process).set_starts(state.starts[i]);
            }
        }
        next.totals_ = totals;
        next.estimate_ = state.estimate;
        next.sided_.restore(state.log_largest);
        next.forget_e_value();
        next.single_start_ = state.single_start;
        *this = std::move(next);
    }

    const Totals& totals() const noexcept { return totals_; }

  private:
    struct Direction {
        bool swapped;  // the arms exchange places: evidence of a decrease
        std::variant<ConditionalMixture, BlockProcess, FloorProcess> process;
    };
    using FloorBands = std::vector<FloorBand>;  // one a direction

    /// The log e-value of both directions together, from that of each.
    template <class Directions, class Log>
    static double together(Directions& directions, const Log& log) {
        if (directions.size() == 2 && directions.side() == Side::harm) {
            const auto* one = std::get_if<ConditionalMixture>(&directions[0].process);
            const auto* other = std::get_if<ConditionalMixture>(&directions[1].process);
            if (one != nullptr && other != nullptr) return ConditionalMixture::log_mean_e_value(*one, *other);
        }
        return directions.together([&](auto& direction) { return std::visit(log, direction.process); });
    }
    double settle() {
        log_e_value_ = together(directions_, [](auto& process) { return process.settle(); });
        log_at_most_ = log_e_value_;
        known_ = true;
        return log_e_value_;
    }
    /// After anything but an interval's counts.
    void forget_e_value() {
        known_ = false;
        log_at_most_ = std::numeric_limits<double>::infinity();
    }
    bool conditional() const noexcept {
        return std::holds_alternative<ConditionalMixture>(directions_.front().process);
    }
    bool floored() const noexcept { return options_.margin.floor.has_value(); }
    static FloorLevel floor_level_of(const std::vector<double>& numbers) {
        return numbers.size() == 4 ? FloorLevel{numbers[0], numbers[1], numbers[2], numbers[3]} : FloorLevel{};
    }

    /// Mantel-Haenszel's. Under a margin with a floor: the excess in units of what is allowed of the smaller of the two.
    double estimate() const {
        const Margin& margin = options_.margin;
        if (margin.ratio && !margin.floor) return estimate_[0] / estimate_[1];
        const double excess = estimate_[0] - estimate_[1];
        if (!margin.floor) return excess / estimate_[2];
        return excess /
               std::max((*margin.ratio - 1) * std::min(estimate_[0], estimate_[1]), *margin.floor * estimate_[2]);
    }

    /// Of `either` each direction bounds its own side of 0, and where it excludes nothing the other one's far end holds.
    std::pair<double, double> floor_bounds(const FloorBands& bands, double below, double above) const {
        const FloorBand& band = bands.front();
        if (bands.size() == 2) {
            const auto end = [](double near, double far) { return std::isfinite(near) ? near : -far; };
            return {end(bands[0].lower(below), bands[1].upper(below)),
                    -end(bands[1].lower(above), bands[0].upper(above))};
        }
        if (directions_[0].swapped) return {-band.upper(below), -band.lower(above)};
        return {band.lower(below), band.upper(above)};
    }

    /// Of a decrease the arms exchange places; on the safe side the evidence lies the other way.
    detail::Directions<Direction> directions(bool block) const {
        const int beyond = options_.side == Side::harm ? +1 : -1;
        return {options_.harm, options_.side, [&](bool increase) -> Direction {
                    const Margin& margin = options_.margin;
                    if (margin.floor) return {!increase, FloorProcess(*margin.ratio, *margin.floor, beyond, of_)};
                    if (!block) return {!increase, ConditionalMixture(*margin.ratio, beyond, prior_)};
                    const MarginLine line{options_.margin.ratio.value_or(1), options_.margin.difference.value_or(0)};
                    return {!increase, BlockProcess(line, beyond)};
                }};
    }

    /// The curve or the band, if the interval is read from that.
    template <class Bounds>
    Bounds* bounds() noexcept {
        return bounds_.empty() ? nullptr : std::get_if<Bounds>(&bounds_.front());
    }
    template <class Bounds>
    const Bounds* bounds() const noexcept {
        return bounds_.empty() ? nullptr : std::get_if<Bounds>(&bounds_.front());
    }

    /// The numbers of the curve or the band, visited as their fields.
    template <class Visitor>
    void visit_bounds(Visitor& visit) {
        if (auto* bands = bounds<FloorBands>()) {
            for (FloorBand& band : *bands) FloorBand::describe(visit, band);
        }
        if (auto* curve = bounds<LikelihoodCurve>()) LikelihoodCurve::describe(visit, *curve);
        if (auto* band = bounds<DifferenceBand>()) DifferenceBand::describe(visit, *band);
    }
    std::vector<double> interval_numbers() const {
        std::vector<double> numbers;
        detail::Gather gather{numbers};
        if (const auto* curve = bounds<LikelihoodCurve>()) LikelihoodCurve::describe(gather, *curve);
        if (const auto* band = bounds<DifferenceBand>()) DifferenceBand::describe(gather, *band);
        if (const auto* bands = bounds<FloorBands>()) {
            for (const FloorBand& band : *bands) FloorBand::describe(gather, band);
        }
        return numbers;
    }

    Options options_;
    FloorOf of_;
    detail::SidedEvidence sided_;
    PriorShape prior_ = PriorShape::flat;
    detail::Directions<Direction> directions_;
    std::optional<SharedLevel> level_;  // of the conditional method, where events have one
    FloorLevel floor_level_;            // under a margin with a floor
    /// What the interval is read from; none, or one. Apart from the test: most tests keep no interval, and it is the
    /// larger part.
    std::vector<std::variant<LikelihoodCurve, DifferenceBand, FloorBands>> bounds_;
    Totals totals_;
    std::array<double, 5> estimate_{};  // the sums of `evidence().estimate`
    double log_e_value_ = 0;
    bool known_ = false;      // log_e_value_ is the e-value of now
    double log_at_most_ = 0;  // for both directions of a conditional test together; see `log_at_most`
    bool single_start_ = true;
};

}  // namespace sequential
}  // namespace v0
}  // namespace serinus
