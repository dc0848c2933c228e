#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <serinus/core/elementary.hpp>
#include <serinus/core/reason.hpp>
#include <serinus/core/version.hpp>
#include <serinus/rollout/monitor.hpp>
#include <serinus/sequential/proportion_test.hpp>
#include <serinus/sequential/start_mixture.hpp>
#include <serinus/series/align.hpp>
#include <serinus/series/counter.hpp>
#include <serinus/series/duration.hpp>

namespace serinus {
inline namespace v0 {
namespace {

using sequential::Proportion;
using sequential::ProportionOptions;
using sequential::ProportionTest;
using HarmEvidence = sequential::StartMixture<ProportionTest>;

/// A new start of the harm evidence every so many intervals (monitoring rule on start times).
constexpr std::int64_t intervals_per_start = 30;

/// Times of years 1 to 9999 leave room for every sum and product below.
void require_time(const std::string& what, std::int64_t time_ms) {
    if (time_ms >= earliest_ms && time_ms <= latest_ms) return;
    raise(Code::data_timestamp, what + " " + std::to_string(time_ms) + " ms; allowed: the years 1 to 9999");
}

constexpr double seconds(std::int64_t milliseconds) { return static_cast<double>(milliseconds) / 1000; }

/// A series of one instance: what is not judged yet, and where it was left off.
struct Track {
    std::map<std::int64_t, double> pending;
    std::optional<std::int64_t> consumed_ms;
    CounterIncrements counter;
};

using TrackKey = std::tuple<std::string, Arm, std::string>;  // series, arm, instance

/// What one arm brought in one interval.
struct ArmCounts {
    double bad = 0, total = 0;
    bool present = false;   // an instance with both series
    bool unpaired = false;  // an instance with only one of them
};

/// A metric and all that is known of it.
struct Judged {
    Judged(const Plan& plan, const Metric& of, double share)
        : metric(of),
          alpha(share),
          harm(ProportionTest(options(plan, Side::harm, metric.margin, alpha, false))),
          stage(options(plan, Side::safe, metric.margin, alpha, true)) {
        promote_when = effective_promote_when(metric);
        if (promote_when == PromoteWhen::no_harm_found) {
            ProportionOptions against = options(plan, Side::safe, *effective_detect(metric), alpha, false);
            against.alpha_promote = plan.beta;
            detect.emplace(against);
        }
        fresh_stage = stage;
        fresh_detect = detect;
    }

    ProportionOptions options(const Plan& plan, Side side, const Margin& margin, double share, bool interval) const {
        ProportionOptions options;
        // A muted metric has no share of alpha; it is shown as if it had all of it.
        options.alpha = share > 0 ? share : plan.alpha;
        options.alpha_promote = plan.alpha_promote.value_or(plan.alpha);
        options.harm = metric.harm;
        options.margin = margin;
        options.side = side;
        options.method = metric.method;
        const auto noise = plan.noise.find(metric.name);
        if (noise != plan.noise.end()) options.dispersion = noise->second.dispersion.value_or(1);
        options.interval = interval;
        return options;
    }

    void enter_stage() {
        stage = fresh_stage;
        detect = fresh_detect;
        passed = false;
        intervals = used = unpaired = impossible = 0;
        missing = {};
        last_used_ms.reset();
    }

    void update(const std::array<ArmCounts, 2>& arms, std::int64_t end_ms) {
        ++intervals;
        const ArmCounts &b = arms[0], &c = arms[1];
        if (b.unpaired || c.unpaired) ++unpaired;
        for (std::size_t arm = 0; arm < 2; ++arm) missing[arm] += arms[arm].present ? 0 : 1;
        if (!b.present || !c.present) return;
        const auto possible = [](const ArmCounts& counts) {
            constexpr double most = 9007199254740992.0;  // 2^53
            return counts.bad >= 0 && counts.bad <= counts.total && counts.total <= most &&
                   counts.bad == std::floor(counts.bad) && counts.total == std::floor(counts.total);
        };
        if (!possible(b) || !possible(c)) {
            ++impossible;
            return;
        }
        const auto counts = [](const ArmCounts& arm) {
            return Proportion{static_cast<std::int64_t>(arm.bad), static_cast<std::int64_t>(arm.total)};
        };
        harm.update(counts(b), counts(c));
        stage.update(counts(b), counts(c));
        if (detect) detect->update(counts(b), counts(c));
        ++used;
        last_used_ms = end_ms;
    }

    const ProportionTest& mirror() const { return detect ? *detect : stage; }

    Metric metric;
    double alpha;
    PromoteWhen promote_when = PromoteWhen::no_harm_found;
    HarmEvidence harm;                     // over the whole rollout, beyond the margin
    ProportionTest stage;                  // this stage: safety at the margin, and the interval that is shown
    std::optional<ProportionTest> detect;  // this stage: safety at `detect`
    ProportionTest fresh_stage{};
    std::optional<ProportionTest> fresh_detect;
    bool failed = false;
    bool failed_down = false;  // the canary is lower
    double failed_bound = 0;
    std::int64_t failed_after_ms = 0;  // since its stage's start
    bool passed = false;
    std::int64_t intervals = 0, used = 0, unpaired = 0, impossible = 0;
    std::array<std::int64_t, 2> missing{};
    std::optional<std::int64_t> last_used_ms;
};

Code harm_code(const Metric& metric, bool decrease) {
    if (metric.margin.ratio) return decrease ? Code::harm_proven_decrease : Code::harm_proven;
    return decrease ? Code::harm_proven_decrease_difference : Code::harm_proven_difference;
}

/// Which way a metric that harms either way has gone.
bool went_down(const Metric& metric, const Evidence& shown) {
    if (metric.harm != Harm::either) return metric.harm == Harm::decrease;
    return shown.estimate < (metric.margin.ratio ? 1 : 0);
}

/// The samples before `end_ms`.
Batch before(const Batch& batch, std::int64_t end_ms) {
    Batch part;
    for (const ArmSeries& whole : batch.series) {
        ArmSeries& piece = part.series.emplace_back(whole);
        piece.series.times_ms.clear();
        piece.series.values.clear();
        for (std::size_t i = 0; i < std::min(whole.series.times_ms.size(), whole.series.values.size()); ++i) {
            if (whole.series.times_ms[i] >= end_ms) continue;
            piece.series.times_ms.push_back(whole.series.times_ms[i]);
            piece.series.values.push_back(whole.series.values[i]);
        }
    }
    return part;
}

/// How far into harm the interval of this stage reaches for sure, in the margin's terms; the margin itself at least,
/// since that much is proven.
double proven_bound(const Metric& metric, const Evidence& shown, bool down) {
    const double margin = metric.margin.ratio ? *metric.margin.ratio : *metric.margin.difference;
    double bound = shown.lower;
    if (down) bound = metric.margin.ratio ? 1 / shown.upper : -shown.upper;
    return bound > margin && std::isfinite(bound) ? bound : margin;
}

}  // namespace

struct Monitor::Impl {
    Plan plan;
    std::string plan_digest;
    std::map<std::string, bool> cumulative;  // by series: is it a counter?
    std::map<TrackKey, Track> tracks;
    std::vector<Judged> metrics;
    int stage = 0;
    std::optional<std::int64_t> start_ms;
    std::optional<std::int64_t> told_ms;  // when the caller said that the stage began
    std::int64_t next = 0;
    std::vector<std::int64_t> starts;
    std::optional<std::int64_t> now_ms, watch_ms;
    bool rolled_back = false;
    std::vector<Code> policy;
    double policy_seconds = 0;
    std::vector<RestartState> restarts;
    std::array<std::optional<std::int64_t>, 2> newest_ms{};
    std::int64_t intervals = 0, used = 0;
    std::array<std::int64_t, 2> missing{};
    std::int64_t late = 0, repeated = 0, conflicts = 0, ignored = 0;

    explicit Impl(Plan given) : plan(std::move(given)) {
        check(plan);
        plan_digest = digest(plan);
        const std::vector<double> split = alpha_split(plan);
        for (std::size_t i = 0; i < plan.metrics.size(); ++i) {
            const Metric& metric = plan.metrics[i];
            metrics.emplace_back(plan, metric, split[i]);
            cumulative[metric.bad] = metric.counter;
            cumulative[metric.total] = metric.counter;
        }
        starts.assign(plan.stages.size(), 0);
    }

    // ---- taking data in

    std::int64_t frontier_ms() const { return *start_ms + next * plan.interval_ms; }

    /// Raises before anything is taken, so that a bad batch changes nothing.
    static void check_batch(const Batch& batch) {
        for (const ArmSeries& part : batch.series) {
            const Series& series = part.series;
            if (series.times_ms.size() != series.values.size()) {
                raise(Code::argument_length, "series " + part.name + " has " + std::to_string(series.times_ms.size()) +
                                                 " times and " + std::to_string(series.values.size()) +
                                                 " values; allowed: as many of both");
            }
            for (const std::int64_t time : series.times_ms)
                require_time("series " + part.name + " has a sample at", time);
        }
    }

    void take(const Batch& batch) {
        for (const ArmSeries& part : batch.series) {
            const auto known = cumulative.find(part.name);
            const Series& series = part.series;
            if (known == cumulative.end()) {
                ignored += static_cast<std::int64_t>(series.times_ms.size());
                continue;
            }
            Track& track = tracks[TrackKey{part.name, part.arm, series.instance}];
            auto& newest = newest_ms[static_cast<std::size_t>(part.arm)];
            for (std::size_t i = 0; i < series.times_ms.size(); ++i) {
                const std::int64_t time = series.times_ms[i];
                const double value = series.values[i];
                if (std::isnan(value)) continue;  // the monitoring system had none
                newest = std::max(newest.value_or(time), time);
                watch_ms = std::min(watch_ms.value_or(time), time);
                // A scrape of a counter closes what came before it, so it belongs to the instant before.
                const std::int64_t belongs = time - (known->second ? 1 : 0);
                if (next > 0 && belongs < frontier_ms()) {
                    (track.consumed_ms && time <= *track.consumed_ms ? repeated : late) += 1;
                    continue;
                }
                const auto [at, fresh] = track.pending.emplace(time, value);
                if (!fresh) (at->second == value ? repeated : conflicts) += 1;
            }
        }
    }

    std::optional<std::int64_t> newest() const {
        if (newest_ms[0] && newest_ms[1]) return std::max(*newest_ms[0], *newest_ms[1]);
        return newest_ms[0] ? newest_ms[0] : newest_ms[1];
    }

    /// Stage 0 of a rollout whose start nobody told begins with the canary's first sample: before it there is no
    /// canary.
    void find_start() {
        if (told_ms || next > 0) return;
        std::optional<std::int64_t> first;
        for (const auto& [key, track] : tracks) {
            if (std::get<Arm>(key) != Arm::canary || track.pending.empty()) continue;
            const std::int64_t time = track.pending.begin()->first;
            first = std::min(first.value_or(time), time);
        }
        if (first) start_ms = first;
    }

    /// While there is no canary, the baseline's past is of no use but for the counters' last values.
    void forget_before_start() {
        if (start_ms || !now_ms) return;
        for (auto& [key, track] : tracks) pass_over(key, track, *now_ms - plan.settle_ms - plan.interval_ms);
    }

    /// Consumes the samples that belong before `from`, unjudged.
    void pass_over(const TrackKey& key, Track& track, std::int64_t from) {
        const bool counter = cumulative.at(std::get<0>(key));
        while (!track.pending.empty() && track.pending.begin()->first - (counter ? 1 : 0) < from)
            consume(track, counter);
    }

    /// Takes the earliest pending sample; for a counter its increment, if it has one.
    std::optional<double> consume(Track& track, bool counter) {
        const auto [time, value] = *track.pending.begin();
        track.pending.erase(track.pending.begin());
        track.consumed_ms = time;
        return counter ? track.counter.next(time, value) : std::optional<double>(value);
    }

    // ---- judging intervals

    bool warming_up(Arm arm, const std::string& instance, std::int64_t from, std::int64_t to) const {
        for (const RestartState& restart : restarts) {
            if (restart.arm == arm && restart.instance == instance && from < restart.at_ms + plan.warm_up_ms &&
                to > restart.at_ms) {
                return true;
            }
        }
        return false;
    }

    /// Judges every interval that ends, and has settled, by `time`.
    void judge_until(std::int64_t time) {
        if (!start_ms) return;
        const std::int64_t interval = plan.interval_ms;
        const std::int64_t complete = interval_index(time, *start_ms, interval);  // intervals [0, complete) have ended
        const std::int64_t warm = (plan.warm_up_ms + interval - 1) / interval;    // intervals [0, warm) are warm-up
        while (next < complete) {
            // A long silence is passed in one step.
            const std::int64_t jump = std::min(complete, first_pending_interval().value_or(complete));
            if (jump > next) {
                silence(std::max(next, warm), std::max(jump, warm), warm);
                next = jump;
                continue;
            }
            judge_interval(warm);
            ++next;
        }
        std::erase_if(restarts,
                      [&](const RestartState& restart) { return restart.at_ms + plan.warm_up_ms <= frontier_ms(); });
    }

    /// The latest moment that a waiting sample tells of.
    std::optional<std::int64_t> last_pending_ms() const {
        std::optional<std::int64_t> last;
        for (const auto& [key, track] : tracks) {
            if (track.pending.empty()) continue;
            const std::int64_t time = track.pending.rbegin()->first - (cumulative.at(std::get<0>(key)) ? 1 : 0);
            last = std::max(last.value_or(time), time);
        }
        return last;
    }

    /// The interval of the earliest sample that waits.
    std::optional<std::int64_t> first_pending_interval() const {
        std::optional<std::int64_t> first;
        for (const auto& [key, track] : tracks) {
            if (track.pending.empty()) continue;
            const std::int64_t time = track.pending.begin()->first - (cumulative.at(std::get<0>(key)) ? 1 : 0);
            const std::int64_t index = std::max(next, interval_index(time, *start_ms, plan.interval_ms));
            first = std::min(first.value_or(index), index);
        }
        return first;
    }

    /// Intervals [from, to) brought nothing from anybody. Starts that fall into them are one start of their summed
    /// weight.
    void silence(std::int64_t from, std::int64_t to, std::int64_t warm) {
        if (to <= from) return;
        const std::int64_t first =
            from + (intervals_per_start - (from - warm) % intervals_per_start) % intervals_per_start;
        const double weight = first < to ? next_weights((to - 1 - first) / intervals_per_start + 1) : 0;
        for (Judged& judged : metrics) {
            if (weight > 0) judged.harm.begin(weight);
            judged.intervals += to - from;
            for (auto& count : judged.missing) count += to - from;
        }
        intervals += to - from;
        for (auto& count : missing) count += to - from;
    }

    /// The weight of the stage's next `count` starts together. Of very many, a little less: an integral below their
    /// sum.
    double next_weights(std::int64_t count) {
        std::int64_t& j = starts[static_cast<std::size_t>(stage)];
        const std::int64_t each = std::min<std::int64_t>(count, 1000);
        double weight = 0;
        for (std::int64_t i = 0; i < each; ++i) weight += sequential::start_weight(j + i);
        if (count > each) {
            // w_n = c n^-1.5, and the sum of n^-1.5 over n = a..b is at least the integral from a to b + 1.
            const auto a = static_cast<double>(j + each + 1), end = static_cast<double>(j + count + 1);
            const double c = sequential::start_weight(j + each) * a * std::sqrt(a);
            weight += 2 * c * (1 / std::sqrt(a) - 1 / std::sqrt(end));
        }
        j += count;
        return weight / static_cast<double>(plan.stages.size());
    }

    void judge_interval(std::int64_t warm) {
        const std::int64_t from = frontier_ms(), to = from + plan.interval_ms;
        std::map<TrackKey, double> sums;
        for (auto& [key, track] : tracks) {
            pass_over(key, track, from);
            const auto& [series, arm, instance] = key;
            const bool counter = cumulative.at(series);
            const bool excluded = warming_up(arm, instance, from, to);
            while (!track.pending.empty() && track.pending.begin()->first - (counter ? 1 : 0) < to) {
                const std::optional<double> value = consume(track, counter);
                if (value && !excluded) sums[key] += *value;
            }
        }
        if (next < warm) return;
        if ((next - warm) % intervals_per_start == 0) {
            const double weight = next_weights(1);
            for (Judged& judged : metrics) judged.harm.begin(weight);
        }
        ++intervals;
        std::array<bool, 2> complete{true, true};
        for (Judged& judged : metrics) {
            const std::array<ArmCounts, 2> arms{arm_counts(sums, judged.metric, Arm::baseline),
                                                arm_counts(sums, judged.metric, Arm::canary)};
            judged.update(arms, to);
            for (std::size_t arm = 0; arm < 2; ++arm) complete[arm] = complete[arm] && arms[arm].present;
        }
        for (std::size_t arm = 0; arm < 2; ++arm) missing[arm] += complete[arm] ? 0 : 1;
        if (complete[0] && complete[1]) ++used;
        settle_verdicts();
    }

    static ArmCounts arm_counts(const std::map<TrackKey, double>& sums, const Metric& metric, Arm arm) {
        ArmCounts counts;
        const auto of = [&](const std::string& series, const std::string& instance) -> const double* {
            const auto at = sums.find(TrackKey{series, arm, instance});
            return at == sums.end() ? nullptr : &at->second;
        };
        // Only instances that report both series count: half of a ratio says nothing.
        for (const auto& [key, value] : sums) {
            const auto& [series, of_arm, instance] = key;
            if (of_arm != arm) continue;
            if (series == metric.total) {
                if (const double* bad = of(metric.bad, instance)) {
                    counts.bad += *bad;
                    counts.total += value;
                    counts.present = true;
                } else {
                    counts.unpaired = true;
                }
            } else if (series == metric.bad && !of(metric.total, instance)) {
                counts.unpaired = true;
            }
        }
        return counts;
    }

    // ---- verdicts

    /// What forbids a metric to decide at all. These look at telemetry, never at which way the evidence points.
    std::vector<Reason> obstacles(const Judged& judged) const {
        std::vector<Reason> reasons;
        const std::string& name = judged.metric.name;
        const auto absent = [&](Arm arm) {
            const auto at = static_cast<std::size_t>(arm);
            return judged.intervals > 0 ? judged.missing[at] == judged.intervals : now_ms && !newest_ms[at];
        };
        if (absent(Arm::baseline)) reasons.push_back({Code::missing_baseline, name, {}, false});
        if (absent(Arm::canary)) reasons.push_back({Code::missing_canary, name, {}, false});
        if (judged.intervals == 0) {
            reasons.push_back({Code::no_data_yet, name, {}, false});
            return reasons;
        }
        const auto all = static_cast<double>(judged.intervals);
        const auto miss = [&](std::size_t arm) { return static_cast<double>(judged.missing[arm]); };
        if (judged.unpaired > 0 && judged.used < judged.intervals) {
            reasons.push_back({Code::unpaired_series, name, {{"count", static_cast<double>(judged.unpaired)}}, false});
        }
        if (judged.impossible > 0) {
            reasons.push_back(
                {Code::impossible_counts, name, {{"count", static_cast<double>(judged.impossible)}}, false});
        }
        const double coverage = static_cast<double>(judged.used) / all;
        if (coverage < plan.telemetry.min_coverage) {
            reasons.push_back({Code::low_coverage,
                               name,
                               {{"coverage", coverage}, {"intervals", all}, {"needed", plan.telemetry.min_coverage}},
                               false});
        }
        // One missing scrape is no pattern, however short the stage is yet.
        if (std::fabs(miss(0) - miss(1)) > std::max(1.0, plan.telemetry.max_imbalance * all)) {
            reasons.push_back(
                {Code::unbalanced_gaps, name, {{"baseline", miss(0) / all}, {"canary", miss(1) / all}}, false});
        }
        const double fewest = static_cast<double>(std::min(judged.stage.baseline().total, judged.stage.canary().total));
        if (fewest < judged.metric.min_count) {
            reasons.push_back({Code::too_few, name, {{"count", fewest}, {"needed", judged.metric.min_count}}, false});
        }
        return reasons;
    }

    /// Latches what is decided by now. Failing metrics are named by e-Holm: one that has failed leaves its share of
    /// alpha to the others.
    void settle_verdicts() {
        for (bool again = true; again;) {
            again = false;
            double left = 0, total = 0;
            for (const Judged& judged : metrics) {
                if (judged.metric.muted) continue;
                total += judged.metric.weight;
                if (!judged.failed) left += judged.metric.weight;
            }
            for (Judged& judged : metrics) {
                if (judged.failed) continue;
                const double gain = judged.metric.muted ? 1 : total / left;
                if (!(judged.harm.log_largest() + elementary::log(gain) >= judged.harm.log_needed())) continue;
                if (!obstacles(judged).empty()) continue;
                judged.failed = true;
                const Evidence shown = judged.stage.evidence();
                judged.failed_down = went_down(judged.metric, shown);
                judged.failed_bound = proven_bound(judged.metric, shown, judged.failed_down);
                judged.failed_after_ms = (next + 1) * plan.interval_ms;
                again = again || !judged.metric.muted;
            }
        }
        for (Judged& judged : metrics) {
            if (!judged.failed && !judged.passed && judged.mirror().decided() && obstacles(judged).empty())
                judged.passed = true;
        }
    }

    double age_seconds(const Judged& judged) const {
        const std::int64_t since = judged.last_used_ms.value_or(start_ms ? *start_ms + plan.warm_up_ms : *watch_ms);
        return seconds(std::max<std::int64_t>(0, *now_ms - since));
    }

    bool stale(const Judged& judged) const { return age_seconds(judged) > seconds(effective_stale_after_ms(plan)); }

    // ---- the decision

    MetricResult result(const Judged& judged) const {
        const Metric& metric = judged.metric;
        MetricResult result;
        result.name = metric.name;
        result.kind = metric.kind;
        result.harm = metric.harm;
        result.margin = metric.margin;
        if (judged.detect) result.detect = judged.detect->options().margin;
        result.promote_when = judged.promote_when;
        result.critical = metric.critical;
        result.muted = metric.muted;
        result.alpha = judged.alpha;
        result.alpha_mirror = *judged.mirror().options().alpha_promote;

        const Evidence shown = judged.stage.evidence();
        result.evidence = shown;
        result.evidence.log_e_value = judged.harm.log_e_value();
        result.evidence.p_value = judged.harm.p_value();
        result.mirror = shown;
        result.mirror.log_e_value = judged.mirror().log_e_value();
        result.mirror.p_value = judged.mirror().p_value();
        const Proportion b = judged.stage.baseline(), c = judged.stage.canary();
        result.observed = {{"bad_baseline", static_cast<double>(b.bad)},
                           {"total_baseline", static_cast<double>(b.total)},
                           {"bad_canary", static_cast<double>(c.bad)},
                           {"total_canary", static_cast<double>(c.total)}};

        std::vector<Reason> obstacle = obstacles(judged);
        if (judged.failed) {
            const double margin = metric.margin.ratio ? *metric.margin.ratio : *metric.margin.difference;
            result.verdict = Verdict::fail;
            result.reasons.push_back(
                {harm_code(metric, judged.failed_down),
                 metric.name,
                 {{"bound", judged.failed_bound}, {"margin", margin}, {"after", seconds(judged.failed_after_ms)}},
                 false});
        } else if (judged.used == 0) {
            result.verdict = Verdict::no_data;
        } else if (judged.passed && obstacle.empty() && !stale(judged)) {
            result.verdict = Verdict::pass;
            if (judged.detect) {
                result.reasons.push_back({Code::no_harm_found, metric.name, {{"power", 1 - plan.beta}}, false});
            } else {
                result.reasons.push_back(
                    {Code::harm_ruled_out, metric.name, {{"confidence", 1 - result.alpha_mirror}}, false});
            }
        } else {
            result.verdict = Verdict::inconclusive;
        }
        for (Reason& reason : obstacle) result.reasons.push_back(std::move(reason));
        if (start_ms && judged.intervals > 0 && stale(judged)) {
            result.reasons.push_back(
                {Code::stale,
                 metric.name,
                 {{"age", age_seconds(judged)}, {"limit", seconds(effective_stale_after_ms(plan))}},
                 false});
        }
        if (result.verdict == Verdict::inconclusive) {
            if (b.bad + c.bad == 0 && metric.margin.ratio) {
                result.reasons.push_back({Code::no_events, metric.name, {}, false});
            } else {
                result.reasons.push_back({Code::undecided,
                                          metric.name,
                                          {{"evidence", elementary::exp(judged.harm.log_e_value())},
                                           {"needed", elementary::exp(judged.harm.log_needed())}},
                                          false});
            }
        }
        const double dispersion = judged.stage.options().dispersion;
        const bool known = knows_dispersion(metric);
        result.reasons.push_back({known ? Code::dispersion_given : Code::dispersion_unknown, metric.name, {}, false});
        if (known) result.reasons.back().numbers.push_back({"dispersion", dispersion});
        return result;
    }

    bool knows_dispersion(const Metric& metric) const {
        const auto noise = plan.noise.find(metric.name);
        return noise != plan.noise.end() && noise->second.dispersion.has_value();
    }

    Decision decide() {
        Decision decision = decide_action();
        const auto tell = [&](Code code, std::int64_t count) {
            if (count > 0) decision.reasons.push_back({code, "", {{"count", static_cast<double>(count)}}, false});
        };
        tell(Code::late_samples, late);
        tell(Code::conflicting_samples, conflicts);
        return decision;
    }

    Decision decide_action() {
        Decision decision;
        const Stage& current = plan.stages[static_cast<std::size_t>(stage)];
        decision.stage = stage;
        decision.stages = static_cast<int>(plan.stages.size());
        decision.traffic = current.traffic;
        decision.time_ms = now_ms;
        decision.elapsed_ms = start_ms && now_ms ? std::max<std::int64_t>(0, *now_ms - *start_ms) : 0;
        decision.plan = plan.name;
        decision.deployment = plan.deployment;
        decision.alpha = plan.alpha;
        decision.version = version();
        decision.digest = plan_digest;
        decision.telemetry = {intervals, used, missing, newest_ms, late, repeated, conflicts, ignored};

        // What forbids or orders things apart from the metrics' own evidence.
        const bool begun = now_ms && (start_ms || watch_ms);
        bool all_passed = true, any_judged = false, any_muted_only = true;
        bool missing_fails = false;
        double silent = 0;
        for (const Judged& judged : metrics) {
            decision.metrics.push_back(result(judged));
            const Metric& metric = judged.metric;
            if (metric.muted) continue;
            any_muted_only = false;
            if (!knows_dispersion(metric)) decision.alpha_guaranteed = false;
            const bool silent_now = begun && stale(judged);
            if (silent_now && metric.missing == Missing::fail) {
                missing_fails = true;
                silent = std::max(silent, age_seconds(judged));
            }
            // Without any data of its own an ignorable metric does not keep the others waiting.
            if (silent_now && judged.used == 0 && metric.missing == Missing::ignore) continue;
            any_judged = true;
            all_passed = all_passed && judged.passed && !judged.failed && !silent_now && obstacles(judged).empty();
        }

        const bool past_minimum = decision.elapsed_ms >= current.min_ms;
        const bool past_maximum = current.max_ms && decision.elapsed_ms >= *current.max_ms;
        const bool may_promote = start_ms && any_judged && all_passed;
        if (!rolled_back) {
            for (const Judged& judged : metrics) rolled_back = rolled_back || (judged.failed && !judged.metric.muted);
            if (missing_fails) {
                policy.push_back(Code::missing_rollback);
                policy_seconds = silent;
            } else if (past_maximum && !may_promote && !rolled_back && plan.on_deadline == Deadline::rollback) {
                policy.push_back(Code::deadline_rollback);
                policy_seconds = seconds(decision.elapsed_ms);
            }
            rolled_back = rolled_back || !policy.empty();
        }

        const auto note = [&](Code code, std::vector<NamedNumber> numbers, bool outside_alpha = false) {
            decision.reasons.push_back({code, "", std::move(numbers), outside_alpha});
        };
        if (rolled_back) {
            decision.decision = Action::rollback;
            decision.severity = Severity::page;
            for (std::size_t i = 0; i < metrics.size(); ++i) {
                if (metrics[i].failed && !metrics[i].metric.muted)
                    decision.reasons.push_back(decision.metrics[i].reasons.front());
            }
            for (const Code code : policy) {
                if (code == Code::missing_rollback) {
                    note(code, {{"age", policy_seconds}}, true);
                } else {
                    note(code, {{"elapsed", policy_seconds}, {"maximum", seconds(current.max_ms.value_or(0))}}, true);
                }
            }
            return decision;
        }
        if (may_promote && past_minimum) {
            decision.decision = Action::promote;
            decision.finished = stage + 1 == decision.stages;
            note(decision.finished ? Code::finished : Code::stage_passed, {});
            return decision;
        }
        decision.decision = Action::hold;
        for (std::size_t i = 0; i < metrics.size(); ++i) {
            if (metrics[i].metric.muted) continue;
            // Only what stands in the way: a metric that has passed, or that waits as usual, says so in its own
            // line.
            for (const Reason& reason : decision.metrics[i].reasons) {
                const auto number = static_cast<std::int32_t>(reason.code);
                const bool telemetry_reason = number >= 1030 && number < 1060;
                if (telemetry_reason) decision.reasons.push_back(reason);
                if (telemetry_reason && reason.code != Code::no_data_yet) decision.severity = Severity::ticket;
            }
        }
        if (any_muted_only) note(Code::nothing_to_judge, {});
        if (start_ms && plan.warm_up_ms > 0 && decision.elapsed_ms < plan.warm_up_ms)
            note(Code::warming_up, {{"seconds", seconds(plan.warm_up_ms)}});
        if (!all_passed || !any_judged) note(Code::waiting, {});
        if (start_ms && !past_minimum) {
            note(Code::stage_minimum,
                 {{"elapsed", seconds(decision.elapsed_ms)}, {"minimum", seconds(current.min_ms)}});
        }
        if (past_maximum) {
            note(Code::deadline_hold,
                 {{"elapsed", seconds(decision.elapsed_ms)}, {"maximum", seconds(*current.max_ms)}});
            decision.severity = Severity::ticket;
        }
        return decision;
    }
};

Monitor::Monitor(Plan plan) : impl_(std::make_unique<Impl>(std::move(plan))) {}
Monitor::Monitor(const Monitor& other) : impl_(std::make_unique<Impl>(*other.impl_)) {}
Monitor::Monitor(Monitor&&) noexcept = default;
Monitor& Monitor::operator=(const Monitor& other) {
    impl_ = std::make_unique<Impl>(*other.impl_);
    return *this;
}
Monitor& Monitor::operator=(Monitor&&) noexcept = default;
Monitor::~Monitor() = default;

const Plan& Monitor::plan() const { return impl_->plan; }

Decision Monitor::decision() const { return Impl(*impl_).decide(); }

Decision Monitor::observe(const Batch& batch, std::optional<std::int64_t> now_ms) {
    Impl& m = *impl_;
    if (now_ms) require_time("now is", *now_ms);
    Impl::check_batch(batch);
    m.take(batch);
    const std::optional<std::int64_t> told = now_ms ? now_ms : m.newest();
    if (told) m.now_ms = std::max(m.now_ms.value_or(*told), *told);
    if (!m.watch_ms) m.watch_ms = m.now_ms;
    m.find_start();
    m.forget_before_start();
    if (m.now_ms) m.judge_until(*m.now_ms - m.plan.settle_ms);
    return m.decide();
}

Decision Monitor::flush() {
    Impl& m = *impl_;
    m.find_start();
    if (const auto last = m.last_pending_ms()) m.judge_until(*last + m.plan.interval_ms);
    return m.decide();
}

void Monitor::enter_stage(int index, std::int64_t at_ms) {
    Impl& m = *impl_;
    if (index < 0 || index >= static_cast<int>(m.plan.stages.size())) {
        raise(Code::monitor_stage,
              "the stage is " + std::to_string(index) + "; allowed: 0 to " + std::to_string(m.plan.stages.size() - 1));
    }
    require_time("the stage is entered at", at_ms);
    if (m.told_ms == at_ms && m.stage == index) return;
    m.find_start();
    if (m.start_ms && at_ms < *m.start_ms && m.next > 0) {
        raise(Code::monitor_time, "stage " + std::to_string(index) + " is entered " +
                                      std::to_string(*m.start_ms - at_ms) +
                                      " ms before the stage that runs began; allowed: at or after its start");
    }
    const std::int64_t told_ms = at_ms;
    const bool first = !m.told_ms && m.next == 0 && index == 0;  // the start of stage 0, told late or early
    if (!first && m.start_ms) {
        m.judge_until(at_ms);
        at_ms = std::max(at_ms, m.frontier_ms());
        for (Judged& judged : m.metrics) judged.enter_stage();
        m.intervals = m.used = 0;
        m.missing = {};
    }
    m.stage = index;
    m.start_ms = at_ms;
    m.told_ms = told_ms;
    m.next = 0;
}

void Monitor::restart(Arm arm, std::string_view instance, std::int64_t at_ms) {
    require_time("the restart is at", at_ms);
    for (const RestartState& known : impl_->restarts) {
        if (known.arm == arm && known.instance == instance && known.at_ms == at_ms) return;
    }
    impl_->restarts.push_back({arm, std::string(instance), at_ms});
}

MonitorState Monitor::state() const {
    const Impl& m = *impl_;
    MonitorState state;
    state.plan_digest = m.plan_digest;
    state.stage = m.stage;
    state.start_ms = m.start_ms;
    state.told_ms = m.told_ms;
    state.next = m.next;
    state.starts = m.starts;
    state.now_ms = m.now_ms;
    state.watch_ms = m.watch_ms;
    state.rolled_back = m.rolled_back;
    for (const Code code : m.policy) state.policy.push_back(static_cast<std::int64_t>(code));
    state.policy_seconds = m.policy_seconds;
    for (const auto& [key, track] : m.tracks) {
        TrackState& out = state.tracks.emplace_back();
        std::tie(out.name, out.arm, out.instance) = key;
        for (const auto& [time, value] : track.pending) {
            out.times_ms.push_back(time);
            out.values.push_back(value);
        }
        out.consumed_ms = track.consumed_ms;
        out.counter = track.counter.state();
    }
    for (const Judged& judged : m.metrics) {
        MetricState& out = state.metrics.emplace_back();
        out.harm = judged.harm.state();
        out.stage = judged.stage.state();
        if (judged.detect) out.detect = judged.detect->state();
        out.failed = judged.failed;
        out.failed_down = judged.failed_down;
        out.failed_bound = judged.failed_bound;
        out.failed_after_ms = judged.failed_after_ms;
        out.passed = judged.passed;
        out.intervals = judged.intervals;
        out.used = judged.used;
        out.missing = judged.missing;
        out.unpaired = judged.unpaired;
        out.impossible = judged.impossible;
        out.last_used_ms = judged.last_used_ms;
    }
    state.restarts = m.restarts;
    state.newest_ms = m.newest_ms;
    state.intervals = m.intervals;
    state.used = m.used;
    state.missing = m.missing;
    state.late = m.late;
    state.repeated = m.repeated;
    state.conflicts = m.conflicts;
    state.ignored = m.ignored;
    return state;
}

void Monitor::restore(const MonitorState& state) {
    if (state.plan_digest != impl_->plan_digest) {
        raise(Code::state_options, "the state belongs to the plan with digest " + state.plan_digest +
                                       "; this Monitor's plan has " + impl_->plan_digest);
    }
    const auto require = [](bool good, const char* what) {
        if (!good) raise(Code::state_invariant, std::string("the state of a Monitor has ") + what);
    };
    Impl next(impl_->plan);
    const auto stages = static_cast<std::int64_t>(next.plan.stages.size());
    require(state.stage >= 0 && state.stage < stages, "a stage that the plan does not have");
    require(state.starts.size() == next.starts.size() &&
                std::all_of(state.starts.begin(), state.starts.end(), [](std::int64_t n) { return n >= 0; }),
            "another number of stages, or start times that cannot be");
    require(state.metrics.size() == next.metrics.size(), "another number of metrics");
    const auto time = [](const std::optional<std::int64_t>& ms) {
        return !ms || (*ms >= earliest_ms && *ms <= latest_ms);
    };
    bool times = time(state.start_ms) && time(state.told_ms) && time(state.now_ms) && time(state.watch_ms) &&
                 time(state.newest_ms[0]) && time(state.newest_ms[1]);
    for (const RestartState& restart : state.restarts) times = times && time(restart.at_ms);
    for (const MetricState& metric : state.metrics) times = times && time(metric.last_used_ms);
    for (const TrackState& track : state.tracks) {
        times = times && time(track.consumed_ms) && time(track.counter.previous_ms);
        for (const std::int64_t ms : track.times_ms) times = times && time(ms);
    }
    require(times, "a time beyond the years 1 to 9999");
    require(state.next >= 0 && (state.next == 0 || state.start_ms), "judged intervals of a stage that has not begun");
    require(state.next <= (latest_ms - earliest_ms) / next.plan.interval_ms + 2,
            "more judged intervals than there is time");
    next.stage = static_cast<int>(state.stage);
    next.start_ms = state.start_ms;
    next.told_ms = state.told_ms;
    next.next = state.next;
    next.starts = state.starts;
    next.now_ms = state.now_ms;
    next.watch_ms = state.watch_ms;
    next.rolled_back = state.rolled_back;
    for (const std::int64_t code : state.policy) {
        const bool known = code == static_cast<std::int64_t>(Code::missing_rollback) ||
                           code == static_cast<std::int64_t>(Code::deadline_rollback);
        require(known, "a policy reason that is none");
        next.policy.push_back(static_cast<Code>(code));
    }
    next.policy_seconds = state.policy_seconds;
    for (const TrackState& in : state.tracks) {
        require(next.cumulative.contains(in.name), "a series that the plan does not name");
        require(in.times_ms.size() == in.values.size(), "a series with unequal times and values");
        Track& track = next.tracks[TrackKey{in.name, in.arm, in.instance}];
        for (std::size_t i = 0; i < in.times_ms.size(); ++i) track.pending.emplace(in.times_ms[i], in.values[i]);
        track.consumed_ms = in.consumed_ms;
        track.counter.restore(in.counter);
    }
    for (std::size_t i = 0; i < next.metrics.size(); ++i) {
        const MetricState& in = state.metrics[i];
        Judged& judged = next.metrics[i];
        judged.harm.restore(in.harm);
        judged.stage.restore(in.stage);
        require(in.detect.has_value() == judged.detect.has_value(), "a metric with another promote_when");
        if (judged.detect) judged.detect->restore(*in.detect);
        require(in.used >= 0 && in.used <= in.intervals && in.unpaired >= 0 && in.impossible >= 0,
                "counts of intervals that cannot be");
        judged.failed = in.failed;
        judged.failed_down = in.failed_down;
        judged.failed_bound = in.failed_bound;
        judged.failed_after_ms = in.failed_after_ms;
        judged.passed = in.passed;
        judged.intervals = in.intervals;
        judged.used = in.used;
        judged.missing = in.missing;
        judged.unpaired = in.unpaired;
        judged.impossible = in.impossible;
        judged.last_used_ms = in.last_used_ms;
    }
    next.restarts = state.restarts;
    next.newest_ms = state.newest_ms;
    next.intervals = state.intervals;
    next.used = state.used;
    next.missing = state.missing;
    next.late = state.late;
    next.repeated = state.repeated;
    next.conflicts = state.conflicts;
    next.ignored = state.ignored;
    *impl_ = std::move(next);
}

Decision judge(const Plan& plan, const Batch& batch, std::optional<std::int64_t> now_ms) {
    Monitor monitor(plan);
    for (std::size_t i = 0; i < batch.stages.size() && (!now_ms || batch.stages[i].at_ms <= *now_ms); ++i) {
        if (i > 0) monitor.observe(before(batch, batch.stages[i].at_ms));
        monitor.enter_stage(batch.stages[i].stage, batch.stages[i].at_ms);
    }
    if (now_ms) return monitor.observe(before(batch, *now_ms + 1), now_ms);
    monitor.observe(batch);
    return monitor.flush();
}

}  // namespace v0
}  // namespace serinus
