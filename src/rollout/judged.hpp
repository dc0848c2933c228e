#pragma once
/// \file
/// A metric under judgement: how it stands, whatever its kind; inside the library only.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include <serinus/rollout/plan.hpp>

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
          kind(Kinds<Ks...>::make(plan, of, share)) {}

    /// `fresh`: the stage is really a new one, not the one of a state that is being restored.
    void enter_stage(std::size_t stage, bool fresh = true) {
        if (fresh) {
            passed = false;
            intervals = used = unpaired = impossible = 0;
            missing = {};
            last_used_ms.reset();
        }
        std::visit([&](auto& of) { of.enter_stage(stage, fresh); }, kind);
    }

    void listen(const Interval& interval, std::int64_t from_ms, bool warming) {
        std::visit([&](auto& of) { of.listen(interval, metric, from_ms, warming); }, kind);
    }
    void begin(double weight) {
        std::visit([&](auto& of) { of.begin(weight); }, kind);
    }

    /// An interval that is judged. Returns which arms had all that the metric needs.
    std::array<bool, 2> update(const Interval& interval, std::int64_t end_ms) {
        return std::visit([&]<class K>(K& of) { return take(of, interval, end_ms); }, kind);
    }
    /// So many intervals brought nothing.
    void silence(std::int64_t count) {
        intervals += count;
        for (auto& of : missing) of += count;
        std::visit([](auto& of) { of.gap(); }, kind);
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
        out.failed_spikes = failure.spikes;
        out.failed_baseline = failure.baseline;
    }
    void restore(const MetricState& in, std::size_t stage) {
        require_state(in.counts.has_value() != in.gauge.has_value(), "a metric of no kind, or of two");
        enter_stage(stage, false);
        require_state(in.used >= 0 && in.used <= in.intervals && in.unpaired >= 0 && in.impossible >= 0,
                      "counts of intervals that cannot be");
        std::visit([&](auto& of) { of.restore(in, stage); }, kind);
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
    }

    Metric metric;
    double alpha;
    PromoteWhen promote_when;
    std::variant<Ks...> kind;
    bool failed = false;
    Failure failure;
    std::int64_t failed_after_ms = 0;  // since its stage's start
    bool passed = false;
    std::int64_t intervals = 0, used = 0, unpaired = 0, impossible = 0;
    std::array<std::int64_t, 2> missing{};
    std::optional<std::int64_t> last_used_ms;

  private:
    template <class Question>
    auto ask(const Question& question) const {
        return std::visit(question, kind);
    }

    template <class K>
    std::array<bool, 2> take(K& of, const Interval& interval, std::int64_t end_ms) {
        const std::array<typename K::Values, 2> arms{K::gather(interval, metric, Arm::baseline),
                                                     K::gather(interval, metric, Arm::canary)};
        const std::array<bool, 2> present{arms[0].present, arms[1].present};
        ++intervals;
        if (arms[0].unpaired || arms[1].unpaired) ++unpaired;
        for (std::size_t arm = 0; arm < 2; ++arm) missing[arm] += present[arm] ? 0 : 1;
        if (!present[0] || !present[1]) {
            of.gap();
        } else if (!of.update(arms)) {
            ++impossible;
        } else {
            ++used;
            last_used_ms = end_ms;
        }
        return present;
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
