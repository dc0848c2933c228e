#pragma once
/// \file
/// A metric under judgement: how it stands, whatever its kind; inside the library only.

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include <serinus/core/counts.hpp>
#include <serinus/rollout/plan.hpp>

#include "rollout/baseline_watch.hpp"
#include "rollout/kinds/all.hpp"

namespace serinus {
inline namespace v0 {
namespace detail {

template <class List>
struct JudgedAs;

/// A metric and all that is known of it; of the kinds of a list.
template <MetricKind... Ks>
struct JudgedAs<Kinds<Ks...>> {
    JudgedAs(const Plan& plan, const Metric& of, double share)
        : metric(of),
          alpha(share),
          promote_when(effective_promote_when(of)),
          baseline(noise_of(plan, of), facts_of(of.kind).counts),
          kind(Kinds<Ks...>::make(plan, of, share)) {}

    /// `fresh`: the stage is really a new one, not the one of a state that is being restored.
    void enter_stage(std::size_t stage, bool fresh = true) {
        if (fresh) {
            passed = false;
            intervals = used = unpaired = impossible = waiting = bridged = 0;
            missing = quiet = {};
            recent = {};
            first_impossible.reset();
            last_used_ms.reset();
        }
        std::visit([&](auto& of) { of.enter_stage(stage, fresh); }, kind);
    }

    void listen(const Interval& interval, std::int64_t from_ms, bool warming) {
        if (baseline.sick() && !warming) return;
        std::visit([&](auto& of) { of.listen(interval, metric, from_ms, warming); }, kind);
    }
    void begin(double weight) {
        std::visit([&](auto& of) { of.begin(weight); }, kind);
    }

    /// An interval that is judged.
    void update(const Interval& interval) {
        std::visit([&]<class K>(K& of) { take(of, interval); }, kind);
    }
    /// So many intervals brought nothing.
    void silence(std::int64_t count) {
        intervals += count;
        if (bridges()) {
            waiting += count;
            for (auto& of : quiet) of += count;
        } else {
            for (auto& of : missing) of += count;
            for (std::int64_t i = 0; i < std::min(count, recent_intervals); ++i) remember({false, false}, false, false);
        }
        std::visit([](auto& of) { of.gap(); }, kind);
    }

    /// Counters keep what one arm has until the other has something too.
    bool bridges() const { return metric.counter && facts_of(metric.kind).added_up; }
    /// Intervals of the stage without anything of an arm.
    std::int64_t absent(std::size_t arm) const { return missing[arm] + quiet[arm]; }
    /// Intervals that are settled: not waiting for one with news of both arms.
    std::int64_t settled() const { return intervals - waiting; }
    static int ones(std::int64_t bits) { return std::popcount(static_cast<std::uint64_t>(bits)); }

    // ---- what was before the rollout, for what has no arms

    std::int64_t wants_before() const {
        const auto* const of = std::get_if<BeforeAfterKind>(&kind);
        return of ? of->wants_before() : 0;
    }
    void tell_before(const Interval& interval) {
        std::get<BeforeAfterKind>(kind).tell_before(BeforeAfterKind::gather(interval, metric, Arm::canary));
    }
    void begin_rollout() {
        if (auto* const of = std::get_if<BeforeAfterKind>(&kind)) of->begin_rollout();
    }

    // ---- what its kind says

    Evidence evidence() const {
        return ask([](const auto& of) { return of.evidence(); });
    }
    double harm_log_e_value() const {
        return ask([](const auto& of) { return of.harm_log_e_value(); });
    }
    double harm_log_largest() const {
        return ask([](const auto& of) { return of.harm_log_largest(); });
    }
    double harm_log_needed() const {
        return ask([](const auto& of) { return of.harm_log_needed(); });
    }
    double harm_p_value() const {
        return ask([](const auto& of) { return of.harm_p_value(); });
    }
    double mean_log_e_value() const {
        return ask([](const auto& of) { return of.mean_log_e_value(); });
    }
    double mean_log_at_most() const {
        return ask([](const auto& of) { return of.mean_log_at_most(); });
    }
    double mirror_log_e_value() const {
        return ask([](const auto& of) { return of.mirror_log_e_value(); });
    }
    double mirror_p_value() const {
        return ask([](const auto& of) { return of.mirror_p_value(); });
    }
    double mirror_alpha() const {
        return ask([](const auto& of) { return of.mirror_alpha(); });
    }
    bool mirror_decided() const {
        return ask([](const auto& of) { return of.mirror_decided(); });
    }
    std::optional<Margin> detect_margin() const {
        return ask([](const auto& of) { return of.detect_margin(); });
    }
    double fewest() const {
        return ask([](const auto& of) { return of.fewest(); });
    }
    std::vector<NamedNumber> observed() const {
        return ask([](const auto& of) { return of.observed(); });
    }
    bool blind() const {
        return ask([](const auto& of) { return of.blind(); });
    }
    bool nothing_happened() const {
        return ask([](const auto& of) { return of.nothing_happened(); });
    }
    std::optional<Arm> without_requests() const {
        return ask([](const auto& of) { return of.without_requests(); });
    }
    std::optional<double> idle_share() const {
        return ask([](const auto& of) { return of.idle_share(); });
    }
    Promise promise() const {
        return ask([](const auto& of) { return of.promise(); });
    }
    /// The mirror has decided in this stage, and nothing else is in the way.
    bool passes() const {
        return passed && ask([](const auto& of) { return of.calm(); });
    }

    // ---- reasons

    Reason failure_reason(double after_seconds) const {
        Reason reason = ask([&](const auto& of) { return of.failure_reason(metric, failure, after_seconds); });
        reason.metric = metric.name;
        return reason;
    }
    std::vector<Reason> obstacles() const {
        return named(ask([&](const auto& of) { return of.obstacles(static_cast<double>(intervals)); }));
    }
    std::vector<Reason> hindrances() const {
        return named(ask([](const auto& of) { return of.hindrances(); }));
    }
    std::vector<Reason> doubts(std::int64_t judged) const {
        return named(ask([&](const auto& of) { return of.doubts(judged, passed); }));
    }
    std::vector<Reason> noise_reasons() const {
        return named(ask([](const auto& of) { return of.noise_reasons(); }));
    }

    // ---- verdicts, which latch

    /// Fails where its kind may, `log_gain` being the log of what the share of alpha has grown by since others failed.
    bool fail(double log_gain, std::int64_t after_ms) {
        const auto found = ask([&](const auto& of) { return of.failure(metric, log_gain); });
        if (!found) return false;
        failed = true;
        failure = *found;
        failed_after_ms = after_ms;
        return true;
    }

    // ---- state

    void save(MetricState& out) const {
        ask([&](const auto& of) { of.save(out); });
        out.failed = failed;
        out.failed_down = failure.down;
        out.failed_bound = failure.bound;
        out.failed_after_ms = failed_after_ms;
        out.passed = passed;
        out.intervals = intervals;
        out.used = used;
        out.missing = missing;
        out.unpaired = unpaired;
        out.impossible = impossible;
        out.last_used_ms = last_used_ms;
        out.recent = recent;
        out.first_impossible = first_impossible;
        out.waiting = waiting;
        out.bridged = bridged;
        out.quiet = quiet;
        out.failed_spikes = failure.spikes;
        out.failed_baseline = failure.baseline;
        out.baseline = baseline.state();
    }
    void restore(const MetricState& in, std::size_t stage) {
        require_state(int{in.counts.has_value()} + int{in.gauge.has_value()} + int{in.rate.has_value()} +
                              int{in.quantiles.has_value()} + int{in.before_after.has_value()} ==
                          1,
                      "a metric of no kind, or of two");
        enter_stage(stage, false);
        require_state(
            in.used >= 0 && in.used <= in.intervals && in.waiting >= 0 && in.unpaired >= 0 && in.impossible >= 0,
            "counts of intervals that cannot be");
        std::visit([&](auto& of) { of.restore(in, stage); }, kind);
        baseline.restore(in.baseline);
        failed = in.failed;
        failure = {.down = in.failed_down,
                   .bound = in.failed_bound,
                   .spikes = in.failed_spikes,
                   .baseline = in.failed_baseline};
        failed_after_ms = in.failed_after_ms;
        passed = in.passed;
        intervals = in.intervals;
        used = in.used;
        missing = in.missing;
        unpaired = in.unpaired;
        impossible = in.impossible;
        last_used_ms = in.last_used_ms;
        recent = in.recent;
        first_impossible = in.first_impossible;
        waiting = in.waiting;
        bridged = in.bridged;
        quiet = in.quiet;
    }

    Metric metric;
    double alpha;
    PromoteWhen promote_when;
    BaselineWatch baseline;
    std::variant<Ks...> kind;
    bool failed = false;
    Failure failure;
    std::int64_t failed_after_ms = 0;  // since its stage's start
    bool passed = false;
    std::int64_t intervals = 0, used = 0, unpaired = 0, impossible = 0;
    std::array<std::int64_t, 2> missing{};
    std::optional<std::int64_t> last_used_ms;
    RecentState recent;
    std::optional<ImpossibleState> first_impossible;
    std::int64_t waiting = 0, bridged = 0;
    std::array<std::int64_t, 2> quiet{};

  private:
    template <class Question>
    auto ask(const Question& question) const {
        return std::visit(question, kind);
    }

    template <class K>
    void take(K& of, const Interval& interval) {
        ++intervals;
        if (bridges() && interval.counts().waiting) {
            ++waiting;
            for (std::size_t arm = 0; arm < 2; ++arm) quiet[arm] = interval.counts().heard[arm] ? 0 : quiet[arm] + 1;
            return;
        }
        const std::array<typename K::Values, 2> arms{K::gather(interval, metric, Arm::baseline),
                                                     K::gather(interval, metric, Arm::canary)};
        const std::array<bool, 2> present{arms[0].present, arms[1].present};
        const bool half = arms[0].unpaired || arms[1].unpaired;
        bool wrong = false;
        if (half) ++unpaired;
        for (std::size_t arm = 0; arm < 2; ++arm) missing[arm] += present[arm] ? 0 : 1;
        if (!present[0] || !present[1]) {
            of.gap();
        } else if (baseline.sick()) {
            // A comparison with what is not well says nothing; the data are there all the same.
            of.gap();
            used += 1 + waiting;
            last_used_ms = interval.to_ms;
        } else if (!of.update(arms)) {
            wrong = true;
            ++impossible;
            if (!first_impossible) first_impossible = impossible_of(interval);
            last_used_ms = interval.to_ms;
        } else {
            used += 1 + waiting;
            last_used_ms = interval.to_ms;
        }
        if (const auto level = level_parts(arms[0]); level && present[0] && !wrong)
            baseline.add(level->first, level->second);
        bridged += waiting;
        for (std::int64_t i = 0; i < std::min(waiting, recent_intervals); ++i) remember(present, half, wrong);
        remember(present, half, wrong);
        waiting = 0;
        quiet = {};
    }

    void remember(const std::array<bool, 2>& present, bool half, bool wrong) {
        const auto push = [](std::int64_t& bits, bool bit) {
            bits = ((bits << 1) | (bit ? 1 : 0)) & ((std::int64_t{1} << recent_intervals) - 1);
        };
        for (std::size_t arm = 0; arm < 2; ++arm) push(recent.missing[arm], !present[arm]);
        push(recent.unpaired, half);
        push(recent.impossible, wrong);
        push(recent.used, present[0] && present[1]);
    }

    /// Which of the sums cannot be, and why.
    ImpossibleState impossible_of(const Interval& interval) const {
        ImpossibleState found;
        found.time_ms = bridges() ? interval.to_ms : interval.from_ms;
        found.code = static_cast<std::int64_t>(Code::impossible_counts);
        if (interval.metrics.empty()) return found;
        for (const Arm arm : {Arm::canary, Arm::baseline}) {
            const auto& [part, whole] = interval.counts(arm).sums;
            const auto say = [&](Code code, double value) {
                found.code = static_cast<std::int64_t>(code);
                found.arm = arm;
                found.value = value;
                found.of = whole;
            };
            const bool of_total = facts_of(metric.kind).bad_of_total;
            if (of_total && part > whole) say(Code::impossible_more, part);
            if (!of_total && part > 0 && whole == 0) say(Code::impossible_exposure, part);
            const auto look_at = [&](double value, bool counts) {
                if (value < 0) say(Code::impossible_negative, value);
                if (counts && value >= 0 && !is_count(value))
                    say(value > as_double(most_count) ? Code::impossible_large : Code::impossible_fraction, value);
            };
            look_at(part, true);
            look_at(whole, of_total);  // an exposure may be any number
        }
        return found;
    }

    std::vector<Reason> named(std::vector<Reason> reasons) const {
        for (Reason& reason : reasons) reason.metric = metric.name;
        return reasons;
    }
};

using Judged = JudgedAs<AllKinds>;

}  // namespace detail
}  // namespace v0
}  // namespace serinus
