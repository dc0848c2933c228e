#pragma once
/// \file
/// What is agreed before a rollout starts: stages, metrics, margins, and how often a good canary may be rolled back.

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <serinus/core/describe.hpp>
#include <serinus/core/evidence.hpp>
#include <serinus/core/words.hpp>
#include <serinus/rollout/kind.hpp>
#include <serinus/rollout/noise.hpp>
#include <serinus/sequential/proportion_method.hpp>
#include <serinus/slo/objective.hpp>
#include <serinus/slo/policy.hpp>

namespace serinus {
inline namespace v0 {

/// What a metric without data means: wait, roll back (by policy, outside alpha), or judge the rollout without it.
enum class Missing : std::uint8_t { hold = 1, fail = 2, ignore = 3 };

/// What a metric must show before the rollout may go on: that harm beyond the margin is ruled out, or that no harm is
/// proven and harm as large as `detect` would have been seen.
enum class PromoteWhen : std::uint8_t { harm_ruled_out = 1, no_harm_found = 2 };

/// What it means that a part of a count is not there: none of it, wherever it should be (`zero`), or not known
/// (`unknown`). Where a plan says neither, it is none where the series' name lives, and not known where nobody ever had
/// it (docs/concepts/intake.md).
enum class Absent : std::uint8_t { zero = 1, unknown = 2 };

/// What it means that a metric has failed: the rollout is rolled back, or it is held until a person has looked. Business
/// numbers and other signals hold.
enum class OnFail : std::uint8_t { rollback = 1, hold = 2 };

/// Which arms the series of a metric tell apart: both, of which the canary is compared with the baseline; or none, as of
/// callers and of the service as a whole, which are compared with themselves before the rollout began
/// (docs/concepts/before-after.md).
enum class MetricArm : std::uint8_t { both = 1, none = 2 };

/// What of a gauge is watched for harm: its level, how often it leaves its usual level by far, or both.
enum class Watch : std::uint8_t { level = 1, spikes = 2, both = 3 };

/// What happens when a stage has run for its `max` without a decision.
enum class Deadline : std::uint8_t { hold = 1, rollback = 2 };

/// How the data are judged: after every interval, as often as anybody asks (`sequential`), or once, when they are
/// complete (`fixed`; docs/concepts/fixed-look.md).
enum class Analysis : std::uint8_t { sequential = 1, fixed = 2 };

template <>
struct Words<Analysis> {
    static constexpr std::array<std::pair<Analysis, std::string_view>, 2> table{
        {{Analysis::sequential, "sequential"}, {Analysis::fixed, "fixed"}}};
};
template <>
struct Words<Missing> {
    static constexpr std::array<std::pair<Missing, std::string_view>, 3> table{
        {{Missing::hold, "hold"}, {Missing::fail, "fail"}, {Missing::ignore, "ignore"}}};
};
template <>
struct Words<Absent> {
    static constexpr std::array<std::pair<Absent, std::string_view>, 2> table{
        {{Absent::zero, "zero"}, {Absent::unknown, "unknown"}}};
};
template <>
struct Words<OnFail> {
    static constexpr std::array<std::pair<OnFail, std::string_view>, 2> table{
        {{OnFail::rollback, "rollback"}, {OnFail::hold, "hold"}}};
};
template <>
struct Words<MetricArm> {
    static constexpr std::array<std::pair<MetricArm, std::string_view>, 2> table{
        {{MetricArm::both, "both"}, {MetricArm::none, "none"}}};
};
template <>
struct Words<Watch> {
    static constexpr std::array<std::pair<Watch, std::string_view>, 3> table{
        {{Watch::level, "level"}, {Watch::spikes, "spikes"}, {Watch::both, "both"}}};
};
template <>
struct Words<PromoteWhen> {
    static constexpr std::array<std::pair<PromoteWhen, std::string_view>, 2> table{
        {{PromoteWhen::harm_ruled_out, "harm_ruled_out"}, {PromoteWhen::no_harm_found, "no_harm_found"}}};
};
template <>
struct Words<Deadline> {
    static constexpr std::array<std::pair<Deadline, std::string_view>, 2> table{
        {{Deadline::hold, "hold"}, {Deadline::rollback, "rollback"}}};
};

/// A step of the rollout: the canary gets this share of the traffic, for at least `min`.
struct Stage {
    double traffic = 0;               ///< share of the canary, in (0, 1]
    std::chrono::milliseconds min{};  ///< no promotion before this time in the stage
    /// After this time `on_deadline` says what happens; empty: no deadline.
    std::optional<std::chrono::milliseconds> max = std::nullopt;

    friend bool operator==(const Stage&, const Stage&) = default;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("traffic", self.traffic);
        visit("min", self.min);
        visit("max", self.max);
    }
};
static_assert(described_whole<Stage>());

/// Something that is measured in both arms and must not get worse.
struct Metric {
    std::string name;
    Kind kind = Kind::proportion;
    std::string series;  ///< gauge, sample, histogram: the series that is read
    /// Proportion, in place of `bad`: the series that counts what went well; the rest of `total` is bad.
    std::string good = {};
    /// The bound of the histogram's bucket that is meant by `good`, in the series' own unit: with 0.3 and a histogram of
    /// seconds the share that took longer than 300 ms is judged.
    std::optional<double> le = std::nullopt;
    std::string bad;               ///< proportion: the series that counts what went wrong
    std::string total;             ///< proportion: the series that counts everything
    std::string events = {};       ///< rate: the series that counts what happened, such as crashes or restarts
    std::string exposure = {};     ///< rate: the series that measures what it happened in: hours, bytes, any unit
    std::string numerator = {};    ///< ratio: the series of what is spent: seconds of CPU, bytes, money
    std::string denominator = {};  ///< ratio: the series of what it is spent on, such as requests
    /// Histogram, sample: the margin is on these quantiles of the observations, each above 0 and below 1; they share the
    /// metric's alpha (docs/concepts/quantiles.md).
    std::vector<double> quantile = {};
    bool counter = false;  ///< the series are cumulative counters, not counts of their own interval
    Harm harm = Harm::increase;
    Margin margin;  ///< how much worse the canary may be
    /// Harm that would surely matter; default: the margin squared (ratio) or doubled (difference), of a ratio with a floor
    /// the ratio squared and the floor times ratio + 1.
    std::optional<Margin> detect = std::nullopt;
    sequential::ProportionMethod method = sequential::ProportionMethod::automatic;
    double weight = 1;      ///< its part of alpha, relative to the other metrics' and the rules of `slo`
    bool critical = false;  ///< promotes only by `harm_ruled_out`, unless `promote_when` says otherwise
    bool muted = false;     ///< shown, never decides
    /// What its failure does. One that only holds has no part of the plan's alpha, of which nothing of it can use any: it
    /// is judged as if it had all of it, and a good canary is held by it with at most that probability.
    OnFail on_fail = OnFail::rollback;
    /// Who is told when it fails; empty: `page` where that rolls back, `ticket` where it only holds.
    std::optional<Severity> severity = std::nullopt;
    /// `none`: its series have no arms, such as those of callers or of the whole service. It is then judged by what it
    /// was before the rollout, against what history says of starts at which nothing happened, and only ever holds.
    MetricArm arm = MetricArm::both;
    double min_count = 0;  ///< requests (gauge: values) that each arm must have had in the stage before it decides
    Missing missing = Missing::hold;
    std::optional<Absent> absent = std::nullopt;  ///< of counts; empty: zero where the series' name lives
    std::optional<PromoteWhen> promote_when = std::nullopt;
    /// Gauge: nine of ten pairs of instances of one version differ by at most this, a share under a ratio margin (0.5:
    /// one reads up to half more than the other), in the gauge's own unit under a difference. A guard: harm and its
    /// absence must then be proven against this spread as well as against the one that the instances show.
    std::optional<double> instances_differ = std::nullopt;
    /// Gauge and ratio: what of it is watched, and so what its share of alpha goes to: the level alone, spikes alone, or
    /// four fifths to the level and one to spikes. Empty: both where the plan has the noise of spikes, the level where not.
    std::optional<Watch> watch = std::nullopt;

    friend bool operator==(const Metric&, const Metric&) = default;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("name", self.name);
        visit("kind", self.kind);
        visit("series", self.series);
        visit("good", self.good);
        visit("le", self.le);
        visit("bad", self.bad);
        visit("total", self.total);
        visit("events", self.events);
        visit("exposure", self.exposure);
        visit("numerator", self.numerator);
        visit("denominator", self.denominator);
        visit("quantile", self.quantile);
        visit("counter", self.counter);
        visit("harm", self.harm);
        visit("margin", self.margin);
        visit("detect", self.detect);
        visit("method", self.method);
        visit("weight", self.weight);
        visit("critical", self.critical);
        visit("muted", self.muted);
        visit("on_fail", self.on_fail);
        visit("severity", self.severity);
        visit("arm", self.arm);
        visit("min_count", self.min_count);
        visit("missing", self.missing);
        visit("absent", self.absent);
        visit("promote_when", self.promote_when);
        visit("instances_differ", self.instances_differ);
        visit("watch", self.watch);
    }
};
static_assert(described_whole<Metric>());

/// The members of a metric that name series, by their keys; `KindFacts::series` says which of them a kind has.
inline constexpr std::array<std::pair<std::string_view, std::string Metric::*>, 8> series_members{
    {{"series", &Metric::series},
     {"good", &Metric::good},
     {"bad", &Metric::bad},
     {"total", &Metric::total},
     {"events", &Metric::events},
     {"exposure", &Metric::exposure},
     {"numerator", &Metric::numerator},
     {"denominator", &Metric::denominator}}};

/// A service level objective that the rollout must not endanger (methods: docs/concepts/release-budget.md). It rolls
/// back in two ways, each with half of its part of alpha: `halt`, when the canary is proven to burn so fast that all
/// traffic on it would use up `halt_budget` of the period's budget within `halt_window`, beyond what the baseline
/// burns; and the cap, when this release is proven to have used more than `max_budget_per_release` of it. The raw burn
/// rates of `policy` page or open tickets; they never roll back.
struct SloRule {
    slo::Objective objective;
    std::string metric;                   ///< the proportion whose bad and total events the objective is about
    double max_budget_per_release = 0.2;  ///< share of the period's budget, above 0, at most 1
    double halt_budget = 0.5;             ///< share of the period's budget, above 0, at most 1
    /// Default: the first of 1h, 6h, 1d, 3d in which it can fire.
    std::optional<std::chrono::milliseconds> halt_window = std::nullopt;
    slo::Policy policy;  ///< without conditions: the SRE workbook's for the objective's period
    double weight = 1;   ///< its part of alpha, relative to the metrics' and the other rules'

    friend bool operator==(const SloRule&, const SloRule&) = default;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("objective", self.objective);
        visit("metric", self.metric);
        visit("max_budget_per_release", self.max_budget_per_release);
        visit("halt_budget", self.halt_budget);
        visit("halt_window", self.halt_window);
        visit("policy", self.policy);
        visit("weight", self.weight);
    }
};
static_assert(described_whole<SloRule>());

/// How the two arms are told apart in a Prometheus answer.
struct Arms {
    std::string label = "track";
    std::string baseline = "stable";
    std::string canary = "canary";

    friend bool operator==(const Arms&, const Arms&) = default;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("label", self.label);
        visit("baseline", self.baseline);
        visit("canary", self.canary);
    }
};
static_assert(described_whole<Arms>());

/// When data are too poor to decide on.
struct TelemetryLimits {
    double min_coverage = 0.8;    ///< share of a stage's intervals that must have both arms
    double max_imbalance = 0.05;  ///< largest difference of the arms' shares of missing intervals
    /// How many falls of a metric's counters that no restart explains are let pass in a stage, as a share of its
    /// intervals; three are always.
    double max_falls = 0.05;
    /// How often a rollout whose traffic is split as told is ever held for its split, or for a silent canary.
    double alpha = 0.01;
    /// Age at which an arm is stale; default settle + 5 intervals.
    std::optional<std::chrono::milliseconds> stale_after = std::nullopt;

    friend bool operator==(const TelemetryLimits&, const TelemetryLimits&) = default;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("min_coverage", self.min_coverage);
        visit("max_imbalance", self.max_imbalance);
        visit("max_falls", self.max_falls);
        visit("alpha", self.alpha);
        visit("stale_after", self.stale_after);
    }
};
static_assert(described_whole<TelemetryLimits>());

/// Everything that is decided before the data. Fill it in by hand, or read it from JSON (io/plan.hpp).
struct Plan {
    std::string name;
    std::string deployment;
    double alpha = 0.05;  ///< a good canary is ever rolled back with at most this probability
    /// A metric beyond its margin ever passes with at most this probability; default alpha.
    std::optional<double> alpha_promote = std::nullopt;
    double beta = 0.2;  ///< `no_harm_found` passes in spite of harm of size `detect` with at most this one
    std::vector<Stage> stages;
    std::chrono::milliseconds interval{};  ///< data are judged in intervals of this length
    std::chrono::milliseconds warm_up{};   ///< the first part of each stage, and of a restarted instance, not judged
    std::chrono::milliseconds settle{};  ///< an interval is judged this long after its end; what comes later is dropped
    Deadline on_deadline = Deadline::hold;
    Analysis analysis = Analysis::sequential;
    std::vector<Metric> metrics;
    std::vector<SloRule> slo;
    std::map<std::string, Noise> noise;  ///< by metric name; `calibrate` learns it from history
    /// A gauge without noise whose data name no instances learns it from the rollout itself, and no error rate is
    /// promised. Without this it decides nothing. Named instances need no noise (docs/concepts/promise.md).
    bool learn_noise = false;
    Arms arms;
    std::map<std::string, std::string> queries;  ///< PromQL by series name; for those who fetch the data
    /// Labels that tell the collectors of one and the same target apart: what differs in them alone is one series.
    std::vector<std::string> replica_labels{"prometheus_replica", "replica", "__replica__", "receive_replica"};
    TelemetryLimits telemetry;
    /// Shadow mode: nothing is handed out but `hold`, and the decision says what it would have been (`Decision::would`).
    bool dry_run = false;
    /// Who is told of a reason, by its code's name: {"deadline_hold": "page", "low_coverage": "info"}; of the others as
    /// docs/concepts/decisions.md says.
    std::map<std::string, Severity> severity;

    friend bool operator==(const Plan&, const Plan&) = default;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("name", self.name);
        visit("deployment", self.deployment);
        visit("alpha", self.alpha);
        visit("alpha_promote", self.alpha_promote);
        visit("beta", self.beta);
        visit("stages", self.stages);
        visit("interval", self.interval);
        visit("warm_up", self.warm_up);
        visit("settle", self.settle);
        visit("on_deadline", self.on_deadline);
        visit("analysis", self.analysis);
        visit("metrics", self.metrics);
        visit("slo", self.slo);
        visit("noise", self.noise);
        visit("learn_noise", self.learn_noise);
        visit("arms", self.arms);
        visit("queries", self.queries);
        visit("replica_labels", self.replica_labels);
        visit("telemetry", self.telemetry);
        visit("dry_run", self.dry_run);
        visit("severity", self.severity);
    }
};
static_assert(described_whole<Plan>());

/// Raises `serinus.plan.*` for a plan that cannot be carried out, naming the path ("metrics[1].margin.ratio"), the
/// value and what is allowed. Reading a plan and making a Monitor both call it.
void check(const Plan& plan);

/// The names of the series that a metric is made of.
std::vector<std::string> series_of(const Metric& metric);

/// Whether its failure rolls back: neither muted, nor a signal that only holds, nor without a canary's arm.
inline bool rolls_back(const Metric& metric) {
    return !metric.muted && metric.on_fail == OnFail::rollback && metric.arm == MetricArm::both;
}

/// `on_fail` as it works out: what has no arms only holds.
inline OnFail effective_on_fail(const Metric& metric) {
    return metric.arm == MetricArm::none ? OnFail::hold : metric.on_fail;
}

/// Who is told when it fails, its default filled in; of a muted one nobody.
inline Severity effective_severity(const Metric& metric) {
    if (metric.muted) return Severity::info;
    return metric.severity.value_or(rolls_back(metric) ? Severity::page : Severity::ticket);
}

/// The share of alpha that each metric may spend: alpha x weight / sum of the weights; 0 for one that rolls nothing back. The sum is
/// over every way to roll back, the rules of `slo` included.
std::vector<double> alpha_split(const Plan& plan);

/// The same for each rule of `slo`; its halt and its cap have half of it each.
std::vector<double> slo_alpha_split(const Plan& plan);

/// `policy` with its default filled in.
slo::Policy effective_policy(const SloRule& rule);

/// `halt_window` with its default filled in; empty when the rule gives none and none of the usual ones can fire.
std::optional<std::chrono::milliseconds> effective_halt_window(const SloRule& rule);

/// How much larger than the baseline's share of bad events the canary's must be proven to be, for a halt: halt_budget x
/// budget x period/halt window.
double halt_difference(const SloRule& rule);

/// `detect` with its default filled in; empty when the margin is zero and the plan gives none.
std::optional<Margin> effective_detect(const Metric& metric);

/// How many intervals of a stage can be judged until its `max`; 120 where it has none.
std::int64_t longest(const Plan& plan, const Stage& stage);

/// The numbers of judged intervals at which the instances of a gauge are looked at, over all stages: ascending.
std::vector<std::int64_t> instance_looks(const Plan& plan);

/// `promote_when` with its default filled in.
PromoteWhen effective_promote_when(const Metric& metric);

/// The age at which an arm is stale, its default filled in.
std::chrono::milliseconds effective_stale_after(const Plan& plan);

/// SHA-256 of everything in the plan: two plans with one digest are the same plan.
std::string digest(const Plan& plan);

}  // namespace v0
}  // namespace serinus
