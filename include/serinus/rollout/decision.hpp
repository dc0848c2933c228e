#pragma once
/// \file
/// What a rollout is told: promote, hold or roll back, and everything that led to it.

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <serinus/core/describe.hpp>
#include <serinus/core/error.hpp>
#include <serinus/core/evidence.hpp>
#include <serinus/core/reason.hpp>
#include <serinus/core/words.hpp>
#include <serinus/rollout/burn.hpp>
#include <serinus/rollout/plan.hpp>
#include <serinus/series/time.hpp>

namespace serinus {
inline namespace v0 {

/// What stands behind the promise about alpha (docs/concepts/promise.md, "Proved, measured, assumed"). `proved`: a
/// theorem, under assumptions that the plan declares. `measured`: simulations keep it, for what history is like.
/// `none`: nothing does.
enum class Guarantee : std::uint8_t { proved = 1, measured = 2, none = 3 };

template <>
struct Words<Guarantee> {
    static constexpr std::array<std::pair<Guarantee, std::string_view>, 3> table{
        {{Guarantee::proved, "proved"}, {Guarantee::measured, "measured"}, {Guarantee::none, "none"}}};
};

/// What is known of one metric.
struct MetricResult {
    std::string name;
    Kind kind = Kind::proportion;
    Verdict verdict = Verdict::no_data;
    Harm harm = Harm::increase;
    Margin margin;
    Margin detect;  ///< what the mirror is measured against under `no_harm_found`; empty otherwise
    PromoteWhen promote_when = PromoteWhen::no_harm_found;
    bool critical = false;
    bool muted = false;
    Severity severity = Severity::info;  ///< who is told when it fails
    double alpha = 0;                    ///< its share; it fails when the e-value reaches 1/alpha
    double alpha_mirror =
        0;  ///< alpha_promote, or beta under `no_harm_found`; it passes when the mirror reaches 1/this
    Guarantee guarantee = Guarantee::none;          ///< what stands behind its share of alpha
    Code guarantee_why = Code::dispersion_unknown;  ///< which of `reasons` says why
    Evidence evidence;  ///< of harm, over the whole rollout; estimate and interval are this stage's
    Evidence mirror;    ///< of safety, this stage's
    /// This stage's data. proportion: bad_baseline, total_baseline, bad_canary, total_canary. gauge: mean_baseline,
    /// mean_canary, intervals; where its spikes are watched also their shares of the readings, spikes_baseline and
    /// spikes_canary.
    std::vector<NamedNumber> observed;
    std::vector<Reason> reasons;  ///< the most important first

    friend bool operator==(const MetricResult&, const MetricResult&) = default;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("name", self.name);
        visit("kind", self.kind);
        visit("verdict", self.verdict);
        visit("harm", self.harm);
        visit("margin", self.margin);
        visit("detect", self.detect);
        visit("promote_when", self.promote_when);
        visit("critical", self.critical);
        visit("muted", self.muted);
        visit("severity", self.severity);
        visit("alpha", self.alpha);
        visit("alpha_mirror", self.alpha_mirror);
        visit("guarantee", self.guarantee);
        visit("guarantee_why", self.guarantee_why);
        visit("evidence", self.evidence);
        visit("mirror", self.mirror);
        visit("observed", self.observed);
        visit("reasons", self.reasons);
    }
};
static_assert(described_whole<MetricResult>());

/// How good the data are that the decision rests on. Counts of intervals are this stage's, counts of samples the whole
/// rollout's.
struct Telemetry {
    std::int64_t intervals = 0;             ///< complete and settled since the stage's warm-up
    std::int64_t used = 0;                  ///< of those, with every metric's data in both arms
    std::array<std::int64_t, 2> missing{};  ///< of those, without data: baseline, canary
    /// The newest sample: baseline, canary.
    std::array<std::optional<Time>, 2> newest{};
    std::int64_t late = 0;       ///< came after their interval was judged; dropped
    std::int64_t repeated = 0;   ///< seen before, or older than what was judged; dropped
    std::int64_t conflicts = 0;  ///< a known timestamp with another value; dropped
    std::int64_t ignored = 0;    ///< of series that the plan does not name

    friend bool operator==(const Telemetry&, const Telemetry&) = default;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("intervals", self.intervals);
        visit("used", self.used);
        visit("missing", self.missing);
        visit("newest", self.newest);
        visit("late", self.late);
        visit("repeated", self.repeated);
        visit("conflicts", self.conflicts);
        visit("ignored", self.ignored);
    }
};
static_assert(described_whole<Telemetry>());

/// The answer.
struct Decision {
    Action action = Action::hold;  ///< `decision` in JSON and Python
    int stage = 1;                 ///< the one that runs, counted from 1
    int stages = 1;
    double traffic = 0;
    /// `now`, the time that the decision is made for; empty before any.
    std::optional<Time> time = std::nullopt;
    std::chrono::milliseconds elapsed{0};  ///< since the stage began
    /// What the users had of the canary by now, traffic x time over all stages: as if so many seconds of the whole
    /// traffic had gone to it. (After a rollback it grows until somebody moves the traffic.)
    double reached_seconds = 0;
    bool finished = false;               ///< promoted out of the last stage
    Severity severity = Severity::info;  ///< the gravest of `reasons`
    /// What whoever passes alerts on knows one incident by: deployment/rollback while a rollback stands,
    /// deployment/stage 2/hold while a stage is held for what a person can mend, an objective's own key where its alert
    /// is what is worst. The same at every look; empty where nobody is to be told.
    std::string dedupe_key;
    /// Of a plan with `dry_run`, which is handed out `hold` and `info` alone: the action and the severity without it.
    std::optional<Action> would = std::nullopt;
    std::optional<Severity> would_severity = std::nullopt;
    /// The metrics and objectives whose failure is proven, in the plan's order: which of them is bounded together (Holm's
    /// procedure on e-values), so that a good one is ever among them with probability at most alpha. Muted ones are not.
    std::vector<std::string> failed;
    std::vector<Reason> reasons;
    std::vector<MetricResult> metrics;
    std::vector<BurnResult> burn;  ///< one for each objective of the plan
    Telemetry telemetry;
    std::string plan;
    std::string deployment;
    double alpha = 0;  ///< the promise: a good canary is ever rolled back with at most this probability
    /// What stands behind it: the weakest of the metrics that are not muted and can decide; `none` where none can.
    Guarantee guarantee = Guarantee::none;
    std::string version;  ///< of Serinus
    std::string digest;   ///< of the plan

    friend bool operator==(const Decision&, const Decision&) = default;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("decision", self.action);
        visit("stage", self.stage);
        visit("stages", self.stages);
        visit("traffic", self.traffic);
        visit("time", self.time);
        visit("elapsed_seconds", self.elapsed);
        visit("reached_seconds", self.reached_seconds);
        visit("finished", self.finished);
        visit("severity", self.severity);
        visit("dedupe_key", self.dedupe_key);
        visit("would", self.would);
        visit("would_severity", self.would_severity);
        visit("failed", self.failed);
        visit("reasons", self.reasons);
        visit("metrics", self.metrics);
        visit("burn", self.burn);
        visit("telemetry", self.telemetry);
        visit("plan", self.plan);
        visit("deployment", self.deployment);
        visit("alpha", self.alpha);
        visit("guarantee", self.guarantee);
        visit("version", self.version);
        visit("digest", self.digest);
    }
};
static_assert(described_whole<Decision>());

}  // namespace v0
}  // namespace serinus
