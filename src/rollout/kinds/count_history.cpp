#include "rollout/kinds/count_history.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include <serinus/sequential/noise/count_dispersion.hpp>
#include <serinus/series/dependence.hpp>

#include "rollout/plan_checks.hpp"

namespace serinus {
inline namespace v0 {
namespace detail {

void check_count_noise(const std::string& path, const Noise& noise) {
    constexpr std::string_view allowed = "dispersion: the metric counts, it is no gauge";
    if (noise.dispersion) {
        require_value(*noise.dispersion >= 1 && std::isfinite(*noise.dispersion), path + ".dispersion",
                      *noise.dispersion, "at least 1, finite");
    }
    if (noise.intervals) {
        require_value(*noise.intervals >= 0 && std::isfinite(*noise.intervals), path + ".intervals", *noise.intervals,
                      "0 or more, finite");
        if (!noise.dispersion) refuse(path + ".intervals", "given", "together with dispersion");
    }
    if (!noise.stages.empty()) refuse(path + ".stages", "given", allowed);
    if (noise.spikes) refuse(path + ".spikes", "given", allowed);
    if (noise.instances) refuse(path + ".instances", "given", allowed);
}

void refuse_thresholds(const std::string& path, const Noise& noise) {
    constexpr std::string_view allowed = "nothing: the metric has no quantiles";
    if (!noise.thresholds.empty()) refuse(path + ".thresholds", "given", allowed);
    if (!noise.dispersions.empty()) refuse(path + ".dispersions", "given", allowed);
    if (!noise.shape.empty()) refuse(path + ".shape", "given", allowed);
}

std::vector<std::size_t> sizes_of(const std::vector<CountPairs>& turns) {
    std::vector<std::size_t> sizes;
    for (const CountPairs& pairs : turns) sizes.push_back(pairs.size());
    return sizes;
}

namespace {

/// The two series of each instance.
using CountColumns = std::vector<std::pair<const Column*, const Column*>>;

/// The sum over instances that report both series; of what cannot be nothing is taken.
CountsOfInterval counts_at(const CountColumns& instances, std::size_t index, bool bad_of_total) {
    CountsOfInterval counts;
    for (const auto& [part, whole] : instances) {
        const double x = (*part)[index], n = (*whole)[index];
        if (!(x >= 0 && (bad_of_total ? x <= n : n > 0))) continue;
        counts.part += x;
        counts.whole += n;
        counts.present = true;
    }
    return counts;
}

/// Adds one interval, where both arms have it.
void add(CountPairs& pairs, const CountsOfInterval& b, const CountsOfInterval& c) {
    if (b.present && c.present) pairs.emplace_back(b, c);
}

sequential::CountDispersion dispersion_of(const CountPairs& pairs, std::size_t end, bool bad_of_total) {
    sequential::CountDispersion found(bad_of_total);
    for (std::size_t i = 0; i < end; ++i) {
        const auto& [b, c] = pairs[i];
        found.add(b.part, b.whole, c.part, c.whole);
    }
    return found;
}

/// The dispersion that the first halves teach.
double of_first_half(const Plan& plan, const Stage& stage, double error, const std::vector<CountPairs>& turns,
                     bool bad_of_total) {
    std::vector<sequential::LearnedDispersion> learned;
    double events = 0;
    for (const CountPairs& pairs : turns) {
        const sequential::CountDispersion half = dispersion_of(pairs, pairs.size() / 2, bad_of_total);
        learned.push_back(half.learned());
        events = std::max(events, half.events());
    }
    const double phi = mean_of_turns(learned).phi(error, static_cast<double>(window_of(plan, stage)));
    return events < sequential::CountDispersion::few_events ? std::max(phi, 2.0) : phi;
}

}  // namespace

void learn_counts(Learning& learning, bool bad_of_total, const PlayCounts& play) {
    learn_counts(learning, learning.history.values(learning.metric), learning.history.totals(learning.metric),
                 bad_of_total, play);
}

void learn_counts(Learning& learning, const Table& parts, const Table& wholes, bool bad_of_total,
                  const PlayCounts& play) {
    const auto& [plan, metric, history, data, former, report, all, stage_done] = learning;
    const auto say = [&](Code code, std::vector<NamedNumber> numbers = {}) { learning.say(code, std::move(numbers)); };
    std::array<CountColumns, 2> arms;
    for (std::size_t arm = 0; arm < 2; ++arm) {
        for (const auto& [instance, column] : parts.arms[arm]) {
            const auto of = wholes.arms[arm].find(instance);
            if (of != wholes.arms[arm].end()) arms[arm].emplace_back(&column, &of->second);
        }
    }
    if (arms[0].empty()) return say(Code::history_missing);
    const std::size_t size = arms[0].front().first->size();

    // What is written must keep the error rates that the metric's tests will have, so it allows for how little of a
    // history a few bunches are: the variance as it is found let .06 of good canaries be stopped where .05 was promised
    // (sequential/noise/count_dispersion.hpp).
    const double error = std::min(report.alpha, plan.alpha_promote.value_or(plan.alpha));
    // Slow swings are allowed for as the length of the whole rollout makes it necessary.
    const double intervals = rollout_intervals(plan);
    double phi = 1, ratio = 1, factor = 1, events = 0;
    bool slow = false;  // phi is what the slow swings ask for
    const auto take = [&](const sequential::LearnedDispersion& learned, double residuals_an_interval) {
        const double found = learned.phi(error, intervals * residuals_an_interval);
        if (found <= phi) return;
        phi = found;
        ratio = learned.variance_ratio;
        factor = phi / ratio;
        slow = found <= learned.slow_phi(error, intervals * residuals_an_interval);
    };
    const auto note = [&](const sequential::CountDispersion& found) {
        events = std::max(events, found.events());
        report.differences = std::max(report.differences, static_cast<double>(found.residuals().size()));
        report.independent = std::max(report.independent, dependence(found.residuals()).n_effective);
    };
    const auto at = [&](const CountColumns& instances, std::size_t index) {
        return counts_at(instances, index, bad_of_total);
    };
    for (const Stage& stage : plan.stages) {
        std::vector<CountPairs> played;
        if (!arms[1].empty()) {
            CountPairs& pairs = played.emplace_back();
            for (std::size_t i = 0; i < size; ++i) add(pairs, at(arms[0], i), at(arms[1], i));
        } else if (arms[0].size() > 1) {
            for (const Turn& turn : turns_of(arms[0].size(), stage.traffic)) {
                CountColumns canary, baseline;
                for (const std::size_t i : turn.canary) canary.push_back(arms[0][i]);
                for (const std::size_t i : turn.baseline) baseline.push_back(arms[0][i]);
                CountPairs& pairs = played.emplace_back();
                for (std::size_t i = 0; i < size; ++i) add(pairs, at(baseline, i), at(canary, i));
            }
        } else {
            // Neighbours in time play the two arms: what both share, a slow drift, drops out.
            CountPairs& pairs = played.emplace_back();
            for (std::size_t i = 0; i + 1 < size; i += 2) add(pairs, at(arms[0], i), at(arms[0], i + 1));
        }
        std::vector<sequential::LearnedDispersion> learned;
        for (const CountPairs& pairs : played) {
            const sequential::CountDispersion found = dispersion_of(pairs, pairs.size(), bad_of_total);
            note(found);
            learned.push_back(found.learned());
        }
        // Of one series two intervals make one residual.
        const bool neighbours = arms[1].empty() && arms[0].size() == 1;
        take(mean_of_turns(learned), neighbours ? 0.5 : 1);
        report.held_back.push_back(play(stage, of_first_half(plan, stage, error, played, bad_of_total), played));
        stage_done();
    }
    if (!arms[1].empty()) {
        // What the pair differs by itself is no part of counts: their test has no offset.
    } else if (arms[0].size() > 1) {
        report.instances = static_cast<double>(arms[0].size());
    } else {
        say(Code::history_one_series);
    }
    if (events < sequential::CountDispersion::few_events) {
        phi = std::max(phi, 2.0);
        say(Code::history_few_events, {{"events", events}, {"needed", sequential::CountDispersion::few_events}});
    }
    if (report.differences < 2)
        return say(
            Code::history_short,
            {{"differences", report.differences}, {"independent", report.independent}, {"needed", Dependence::fewest}});
    say(Code::history_dependence, {{"differences", report.differences}, {"independent", report.independent}});
    constexpr double worth_saying = 1.2;
    if (factor > worth_saying && !slow) say(Code::history_few_bunches, {{"factor", factor}, {"found", ratio}});
    if (factor > worth_saying && slow) {
        say(Code::history_swings, {{"found", ratio},
                                   {"factor", factor},
                                   {"rollout", intervals},
                                   {"needed", sequential::LearnedDispersion::long_enough * intervals}});
    }
    report.dispersion = phi;
    if (learning.contradicted()) return;
    report.learned = true;
    Noise& noise = all.noise[metric.name];
    noise.dispersion = phi;
    // Under a floor a canary may have many events where history has next to none, and how these bunch it has not shown:
    // bunches of five after a silent history let .25 of good canaries be stopped (tests/simulation/floor_rollouts_test.cpp).
    const bool shown = !metric.margin.floor || events >= sequential::CountDispersion::few_events;
    noise.intervals = shown ? report.differences : 0;
}

}  // namespace detail
}  // namespace v0
}  // namespace serinus
