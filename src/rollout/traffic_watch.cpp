#include "rollout/traffic_watch.hpp"

#include <algorithm>
#include <cmath>

#include <serinus/core/counts.hpp>
#include <serinus/core/error.hpp>
#include <serinus/numeric/elementary.hpp>
#include <serinus/sequential/start_mixture.hpp>
#include <serinus/series/time.hpp>

#include "rollout/limits.hpp"
#include "rollout/state_checks.hpp"

namespace serinus {
inline namespace v0 {
namespace detail {
namespace {

constexpr auto most_recent = static_cast<std::size_t>(recent_intervals);

double alpha_of(const Plan& plan) {
    const std::size_t watches = watched_totals(plan).size();
    return plan.telemetry.alpha / static_cast<double>(std::max<std::size_t>(watches, 1));
}

/// What the canary may have at least and at most when no arm is further off what it was told than the tolerance.
double least_of(double told) {
    return std::max(told * (1 - TrafficWatch::tolerance), 1 - (1 - told) * (1 + TrafficWatch::tolerance));
}
double most_of(double told) {
    return std::min(told * (1 + TrafficWatch::tolerance), 1 - (1 - told) * (1 - TrafficWatch::tolerance));
}

/// A count as it came: what is none counts for nothing here, and is named elsewhere.
double count_of(double value) {
    return value > 0 && value <= static_cast<double>(most_count) ? std::floor(value + 0.5) : 0;
}

/// log E - log of what is needed is 0 or more: the mean of both ends and of what has not begun.
double log_e_value(const sequential::MovingShare& above, const sequential::MovingShare& below, double spent) {
    const double left = 1 - spent;
    const double both = elementary::log_add_exp(above.log_worth(), below.log_worth()) - elementary::log(2);
    return left > 0 ? elementary::log_add_exp(both, elementary::log(left)) : both;
}

}  // namespace

std::vector<std::string> watched_totals(const Plan& plan) {
    std::vector<std::string> totals;
    for (const Metric& metric : plan.metrics) {
        if (metric.muted || metric.total.empty() || metric.arm == MetricArm::none) continue;
        if (std::find(totals.begin(), totals.end(), metric.total) == totals.end()) totals.push_back(metric.total);
    }
    return totals;
}

TrafficWatch::TrafficWatch(const Plan& plan)
    : warm_up_ms_(plan.warm_up.count()),
      silence_({.alpha = alpha_of(plan), .tolerance = tolerance, .dispersion = dispersion}),
      log_needed_(-elementary::log(alpha_of(plan))) {}

void TrafficWatch::tell(double told, std::int64_t from_ms) {
    if (state_.told.empty()) {
        // Before the rollout the canary was told nothing.
        state_.told = {0};
        state_.told_ms = {from_ms - warm_up_ms_};
    }
    const bool other = state_.told.back() != told;
    if (other) {
        state_.told.push_back(told);
        state_.told_ms.push_back(from_ms);
    }
    // What was told before the last warm-up is over.
    std::size_t old = 0;
    while (old + 1 < state_.told.size() && state_.told_ms[old + 1] <= from_ms - warm_up_ms_) ++old;
    state_.told.erase(state_.told.begin(), state_.told.begin() + static_cast<std::ptrdiff_t>(old));
    state_.told_ms.erase(state_.told_ms.begin(), state_.told_ms.begin() + static_cast<std::ptrdiff_t>(old));

    if (!other && state_.since_start < intervals_per_start) return;
    const double weight = sequential::start_weight(state_.starts++);
    above_.begin(weight);
    below_.begin(weight);
    state_.spent += weight;
    state_.since_start = 0;
}

void TrafficWatch::update(double baseline, double canary, double told, std::int64_t from_ms, std::int64_t to_ms) {
    if (!(told > 0 && told < 1)) return;
    baseline = count_of(baseline);
    canary = count_of(canary);
    tell(told, from_ms);
    ++state_.since_start;
    const double n = baseline + canary;

    const double least = *std::min_element(state_.told.begin(), state_.told.end());
    const double most = *std::max_element(state_.told.begin(), state_.told.end());
    if (least > 0) silence_.update(static_cast<std::int64_t>(state_.waiting), static_cast<std::int64_t>(canary), least);
    state_.waiting = baseline;
    if (n > 0) {
        if (least > 0) below_.update(canary, n, least_of(least), dispersion);
        above_.update(canary, n, most_of(most), dispersion);
        state_.log_largest = std::max(state_.log_largest, log_e_value(above_, below_, state_.spent));
        for (auto* column : {&state_.baseline, &state_.canary, &state_.expected}) {
            if (column->size() == most_recent) column->erase(column->begin());
        }
        state_.baseline.push_back(baseline);
        state_.canary.push_back(canary);
        state_.expected.push_back(told * n);
    }
    if (!state_.since_ms) state_.since_ms = from_ms;
    if (canary > 0) {
        state_.silent = 0;
        state_.since_ms = to_ms;
    } else if (baseline > 0 && least > 0) {
        ++state_.silent;
    }
}

TrafficWatch::Recent TrafficWatch::lately() const {
    Recent sums;
    // What the canary has not shown yet may come with its next sample.
    std::size_t heard = state_.canary.size();
    while (heard > 0 && state_.canary[heard - 1] == 0) --heard;
    for (std::size_t i = 0; i < heard; ++i) {
        sums.baseline += state_.baseline[i];
        sums.canary += state_.canary[i];
        sums.expected += state_.expected[i];
    }
    return sums;
}

bool TrafficWatch::silent() const { return silence_.decided() && state_.silent >= fewest_silent; }

bool TrafficWatch::off() const {
    if (state_.log_largest < log_needed_) return false;
    const Recent now = lately();
    return now.share() < least_of(now.told()) || now.share() > most_of(now.told());
}

bool TrafficWatch::exchanged() const {
    if (!off()) return false;
    const Recent now = lately();
    const double share = now.share(), told = now.told();
    if (!(share > 0 && share < 1) || !((share - 0.5) * (told - 0.5) < 0)) return false;
    // The odds of the share as told the other way round, within a factor of two.
    const double off_by = share / (1 - share) * told / (1 - told);
    return off_by >= 0.5 && off_by <= 2;
}

std::vector<Reason> TrafficWatch::reasons(const std::string& metric) const {
    if (silent()) {
        return {{Code::canary_silent,
                 metric,
                 {{"told", state_.told.back()}, {"count", silence_.unheard()}, {"dispersion", dispersion}},
                 false,
                 {{"since", format_time(*state_.since_ms)}}}};
    }
    if (!off()) return {};
    const Recent now = lately();
    return {{exchanged() ? Code::arms_exchanged : Code::split_off,
             metric,
             {{"share", now.share()}, {"told", now.told()}, {"dispersion", dispersion}},
             false}};
}

TrafficWatch::State TrafficWatch::state() const {
    State state = state_;
    state.silence = silence_.state();
    state.above.assign(above_.masses().begin(), above_.masses().end());
    state.below.assign(below_.masses().begin(), below_.masses().end());
    return state;
}

void TrafficWatch::restore(const State& state) {
    bool sound = state.baseline.size() <= most_recent && state.canary.size() == state.baseline.size() &&
                 state.expected.size() == state.baseline.size() && state.told.size() == state.told_ms.size() &&
                 sequential::MovingShare::sound(state.above) && sequential::MovingShare::sound(state.below) &&
                 state.log_largest >= 0 && std::isfinite(state.log_largest) && state.starts >= 0 &&
                 state.starts <= most_count && state.since_start >= 0 && state.since_start <= intervals_per_start &&
                 state.spent >= 0 && state.spent <= 1 + 1e-9 && state.silent >= 0 && is_count(state.waiting) &&
                 std::is_sorted(state.told_ms.begin(), state.told_ms.end());
    const auto within = [&](const std::vector<double>& values, double most) {
        for (const double value : values) sound = sound && value >= 0 && value <= most;
    };
    within(state.told, 1);
    for (const auto* column : {&state.baseline, &state.canary}) within(*column, static_cast<double>(most_count));
    within(state.expected, 2 * static_cast<double>(most_count));
    if (state.told.empty() != !state.since_ms) sound = false;
    if (!sound) raise(Code::state_invariant, "the state of a watch on traffic has numbers that cannot be");
    silence_.restore(state.silence);
    above_.restore(state.above);
    below_.restore(state.below);
    state_ = state;
}

TrafficWatches::TrafficWatches(const Plan& plan) : watch_of_(plan.metrics.size()) {
    const std::vector<std::string> totals = watched_totals(plan);
    for (const std::string& total : totals) {
        const std::size_t watch = watches_.size();
        watches_.emplace_back(plan);
        for (std::size_t i = 0; i < plan.metrics.size(); ++i) {
            const Metric& metric = plan.metrics[i];
            const bool tells = !metric.muted && metric.arm == MetricArm::both && facts_of(metric.kind).bad_of_total;
            if (!tells || metric.total != total) continue;
            if (first_.size() == watch) first_.push_back(i);
            watch_of_[i] = watch;
        }
    }
}

void TrafficWatches::update(const Interval& interval, double told) {
    for (std::size_t i = 0; i < watches_.size(); ++i) {
        const MetricCounts& counts = interval.metrics[first_[i]];
        if (!counts.baseline_heard) continue;
        watches_[i].update(counts.requests[0], counts.requests[1], told, interval.from_ms, interval.to_ms);
    }
}

const TrafficWatch* TrafficWatches::of(std::size_t metric) const {
    return watch_of_[metric] ? &watches_[*watch_of_[metric]] : nullptr;
}

std::vector<TrafficState> TrafficWatches::states() const {
    std::vector<TrafficState> states;
    for (const TrafficWatch& watch : watches_) states.push_back(watch.state());
    return states;
}

void TrafficWatches::restore(const std::vector<TrafficState>& states) {
    if (states.empty()) return;
    require_state(states.size() == watches_.size(), "another number of totals");
    for (std::size_t i = 0; i < watches_.size(); ++i) watches_[i].restore(states[i]);
}

}  // namespace detail
}  // namespace v0
}  // namespace serinus
