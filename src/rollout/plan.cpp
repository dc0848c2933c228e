#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <serinus/core/code_named.hpp>
#include <serinus/core/digest.hpp>
#include <serinus/core/reason_group.hpp>
#include <serinus/core/state.hpp>
#include <serinus/core/text.hpp>
#include <serinus/numeric/rotation.hpp>
#include <serinus/rollout/plan.hpp>
#include <serinus/series/duration.hpp>

#include "rollout/baseline_watch.hpp"
#include "rollout/kinds/all.hpp"
#include "rollout/kinds/count_history.hpp"
#include "rollout/plan_checks.hpp"
#include "rollout/plan_slo.hpp"

namespace serinus {
inline namespace v0 {
using detail::quoted;
using detail::refuse;
using detail::require_time;
using detail::require_value;

namespace {

bool share(double value) { return value > 0 && value < 1; }

void check_margin(const std::string& path, const Margin& margin, Kind kind) {
    const KindFacts& facts = facts_of(kind);
    if (margin.floor && facts.floor_allowed.empty()) {
        raise(Code::plan_not_built, path + ".floor is " + number_text(*margin.floor, 17) +
                                        ", and this version has no floor for kind \"" + std::string(facts.word) +
                                        "\" yet; allowed: a ratio alone, or a difference");
    }
    if (margin.floor && !margin.ratio) {
        refuse(path + ".floor", "given without ratio",
               "together with \"ratio\": harm lies beyond ratio x baseline and baseline + floor, whichever is more");
    }
    if (margin.ratio.has_value() == margin.difference.has_value()) {
        refuse(path, margin.ratio ? "both a ratio and a difference" : "empty", "exactly one of ratio, difference");
    }
    if (margin.ratio) {
        require_value(*margin.ratio >= 1 && *margin.ratio <= 1000, path + ".ratio", *margin.ratio,
                      "1 to 1000 (1: any harm counts; 1.1: a tenth more than the baseline)");
    } else {
        const bool good =
            *margin.difference >= 0 && (facts.share ? *margin.difference < 1 : std::isfinite(*margin.difference));
        require_value(good, path + ".difference", *margin.difference, facts.difference_allowed);
    }
    if (margin.floor) {
        const bool good = *margin.floor >= 0 && (facts.share ? *margin.floor < 1 : std::isfinite(*margin.floor));
        require_value(good, path + ".floor", *margin.floor, facts.floor_allowed);
        require_value(*margin.floor > 0 || *margin.ratio > 1, path + ".floor", *margin.floor,
                      "above 0 beside a ratio of 1; or a ratio of 1 alone, if any harm counts");
        // A gauge of 0 has no logarithm, and a floor above 0 is what gives it one.
        require_value(*margin.floor > 0 || facts.counts, path + ".floor", *margin.floor, facts.floor_allowed);
    }
}

/// Harm that is larger than the margin's, in the margin's form. Of two numbers neither may be smaller.
void check_beyond(const std::string& path, const Margin& detect, const Margin& margin) {
    const auto form = [](const Margin& of) {
        return of.floor ? "a ratio with a floor" : of.ratio ? "a ratio" : "a difference";
    };
    if (detect.ratio.has_value() != margin.ratio.has_value() || detect.floor.has_value() != margin.floor.has_value())
        refuse(path, form(detect), "the same form as margin, " + std::string(form(margin)));
    if (margin.floor) {
        require_value(*detect.ratio >= *margin.ratio, path + ".ratio", *detect.ratio, "at least the margin's");
        const bool more =
            *detect.floor > *margin.floor || (*detect.floor == *margin.floor && *detect.ratio > *margin.ratio);
        require_value(more, path + ".floor", *detect.floor,
                      "at least the margin's, and more than it where the ratio is the margin's");
    } else if (margin.ratio) {
        require_value(*detect.ratio > *margin.ratio, path + ".ratio", *detect.ratio, "more than the margin");
    } else {
        require_value(*detect.difference > *margin.difference, path + ".difference", *detect.difference,
                      "more than the margin");
    }
}

bool zero(const Margin& margin) {
    if (margin.floor) return false;
    return margin.ratio ? *margin.ratio == 1 : *margin.difference == 0;
}

/// The keys of a metric: those of its kind, and nothing of another one's.
void check_keys(const std::string& path, const Metric& metric) {
    const KindFacts& facts = facts_of(metric.kind);
    const auto unused = [&](std::string_view key, bool given) {
        if (given) {
            refuse(path + "." + std::string(key), "given",
                   "nothing: a metric of kind \"" + std::string(facts.word) + "\" has no such key");
        }
    };
    const auto given = [&](std::string_view key) {
        return std::any_of(series_members.begin(), series_members.end(),
                           [&](const auto& member) { return member.first == key && !(metric.*member.second).empty(); });
    };
    for (const auto& [key, allowed, instead] : facts.series()) {
        if (given(key) && given(instead))
            refuse(path + "." + std::string(instead), "given beside " + std::string(key), "one of the two");
        if (!given(key) && !given(instead)) refuse(path + "." + std::string(key), "empty", allowed);
    }
    for (const auto& [key, series] : series_members) {
        if (!facts.reads(key)) unused(key, !(metric.*series).empty());
    }
    if (!facts.counts || facts.quantiles) unused("absent", metric.absent.has_value());
    if (metric.on_fail == OnFail::hold && metric.missing == Missing::fail) {
        refuse(path + ".missing", "\"fail\" with \"on_fail\": \"hold\"",
               "\"hold\" or \"ignore\": missing data that fail roll back");
    }
    if (metric.le && metric.good.empty())
        refuse(path + ".le", "given without good", "together with \"good\", the series of the histogram's buckets");
    if (metric.le && !(*metric.le > -std::numeric_limits<double>::infinity()))
        require_value(false, path + ".le", *metric.le, "the bound of a bucket");
    if (facts.own_key != "method") unused("method", metric.method != sequential::ProportionMethod::automatic);
    if (!facts.quantiles) unused("quantile", !metric.quantile.empty());
    if (facts.own_key != "instances_differ") unused("instances_differ", metric.instances_differ.has_value());
    // Who has instances to compare is read, and so leaves its level.
    if (facts.own_key != "instances_differ") unused("watch", metric.watch.has_value());
}

void check_metric(const std::string& path, const Metric& metric) {
    if (!facts_of(metric.kind).built()) {
        raise(Code::plan_not_built, path + ".kind is \"" + std::string(word(metric.kind)) +
                                        "\", which this version cannot judge yet; allowed: " + judged_kinds());
    }
    check_keys(path, metric);
    if (metric.arm == MetricArm::none) {
        detail::BeforeAfterKind::check(path, metric);
    }
    detail::AllKinds::with(metric.kind, [&]<class K>() { K::check(path, metric); });
    check_margin(path + ".margin", metric.margin, metric.kind);
    require_value(metric.weight > 0 && std::isfinite(metric.weight), path + ".weight", metric.weight,
                  "above 0, finite");
    require_value(metric.min_count >= 0 && std::isfinite(metric.min_count), path + ".min_count", metric.min_count,
                  "0 or more, finite");
    const bool rules_out = effective_promote_when(metric) == PromoteWhen::harm_ruled_out;
    if (rules_out && zero(metric.margin)) {
        refuse(
            path + ".margin", metric.margin.ratio ? "a ratio of 1" : "a difference of 0",
            "a margin that leaves room, since promote_when is \"harm_ruled_out\" (the default of critical metrics) and "
            "that the canary is not worse at all can never be shown; or promote_when \"no_harm_found\" with a detect");
    }
    if (metric.detect) {
        check_margin(path + ".detect", *metric.detect, metric.kind);
        check_beyond(path + ".detect", *metric.detect, metric.margin);
    } else if (!rules_out) {
        const auto detect = effective_detect(metric);
        if (!detect) {
            refuse(
                path + ".detect", "missing",
                "a ratio or difference beyond the margin: with a margin of none at all nothing says which harm would "
                "matter");
        }
        check_margin(path + ".detect (by default from margin)", *detect, metric.kind);
    }
}

/// The weights of everything that may roll back.
double total_weight(const Plan& plan) {
    double total = 0;
    for (const Metric& metric : plan.metrics) total += rolls_back(metric) ? metric.weight : 0;
    for (const SloRule& rule : plan.slo) total += rule.weight;
    return total;
}

/// Walks a plan for its digest: every member by its description, in the order that digests have had from the first.
/// What plans of older versions did not have is left out where it is not given, so that such a plan keeps its digest,
/// and its states.
template <class Visitor>
class DigestWalk {
  public:
    explicit DigestWalk(Visitor& out) : out_(out) {}

    template <class T>
    void operator()(std::string_view name, const T& value) {
        if constexpr (Described<T>) {
            T::describe(*this, value);
        } else {
            out_(name, value);
        }
    }
    template <Described T>
    void operator()(std::string_view name, const std::vector<T>& values) {
        out_(name, static_cast<std::int64_t>(values.size()));
        for (const T& value : values) (*this)(name, value);
    }
    template <class T>
    void operator()(std::string_view name, const std::map<std::string, T>& values) {
        out_(name, static_cast<std::int64_t>(values.size()));
        for (const auto& [key, value] : values) {
            out_("name", key);
            (*this)(name, value);
        }
    }

    /// A length of time is the number of its milliseconds.
    void operator()(std::string_view name, const std::chrono::milliseconds& value) { out_(name, value.count()); }
    void operator()(std::string_view name, const std::optional<std::chrono::milliseconds>& value) {
        out_(name, value ? std::optional(std::int64_t{value->count()}) : std::nullopt);
    }
    void operator()(std::string_view, const Plan& plan) {
        const auto visit = [&](std::string_view name, const auto& member) {
            if (name == "slo") return;  // comes after the noise
            if (name == "analysis" && plan.analysis == Analysis::sequential) return;
            if (name == "replica_labels" && plan.replica_labels == Plan().replica_labels) return;
            if (name == "dry_run" && !plan.dry_run) return;
            if (name == "severity" && plan.severity.empty()) return;
            (*this)(name, member);
            if (name == "noise") (*this)("slo", plan.slo);
        };
        Plan::describe(visit, plan);
        instances(plan);
    }
    void operator()(std::string_view, const Metric& metric) {
        const auto visit = [&](std::string_view name, const auto& member) {
            if (name == "detect") return (*this)(name, metric.detect.value_or(Margin{}));
            constexpr std::array<std::string_view, 10> later{"good",     "le",        "absent",      "events",
                                                             "exposure", "numerator", "denominator", "quantile",
                                                             "watch",    "severity"};
            const bool came_later = std::find(later.begin(), later.end(), name) != later.end();
            if (came_later && unset(member)) return;
            if (name == "on_fail" && metric.on_fail == OnFail::rollback) return;
            if (name == "arm" && metric.arm == MetricArm::both) return;
            if (name != "instances_differ") (*this)(name, member);
        };
        Metric::describe(visit, metric);
    }
    void operator()(std::string_view, const Margin& margin) {
        const auto visit = [&](std::string_view name, const std::optional<double>& member) {
            if (name != "floor" || member) out_(name, member);
        };
        Margin::describe(visit, margin);
    }
    void operator()(std::string_view, const TelemetryLimits& limits) {
        const TelemetryLimits usual;
        const auto visit = [&](std::string_view name, const auto& member) {
            if (name == "max_falls" && limits.max_falls == usual.max_falls) return;
            if (name == "alpha" && limits.alpha == usual.alpha) return;
            (*this)(name, member);
        };
        TelemetryLimits::describe(visit, limits);
    }
    void operator()(std::string_view, const Noise& noise) {
        static_assert(described_names<Noise>().size() == 12, "a further member of a noise belongs into the digest");
        out_("dispersion", noise.dispersion);
        (*this)("stages", noise.stages);
        if (noise.intervals) out_("intervals", noise.intervals);
        if (noise.refuted) out_("refuted", noise.refuted);
        if (noise.spikes) (*this)("spikes", *noise.spikes);
        if (noise.floored) (*this)("floored", *noise.floored);
        if (!noise.thresholds.empty()) out_("thresholds", noise.thresholds);
        if (!noise.dispersions.empty()) out_("dispersions", noise.dispersions);
        if (!noise.shape.empty()) out_("shape", noise.shape);
        if (noise.baseline) (*this)("baseline", *noise.baseline);
        if (noise.before_after) (*this)("before_after", *noise.before_after);
    }
    void operator()(std::string_view, const sequential::PairedNoise& noise) {
        const bool former = noise.unit == sequential::NoiseUnit::former;
        const auto visit = [&](std::string_view name, const auto& member) {
            if (former && (name == "unit" || noise.came_with_units(name))) return;
            if (name.starts_with("scale_")) return;  // come after the table
            (*this)(name, member);
            if (former || name != "table") return;
            out_("scale_steps", noise.scale_steps);
            out_("scale_bias", noise.scale_bias);
        };
        sequential::PairedNoise::describe(visit, noise);
    }
    void operator()(std::string_view, const SloRule& rule) {
        const auto visit = [&](std::string_view name, const auto& member) { (*this)(name, member); };
        SloRule::describe(visit, rule);
        (*this)("conditions", rule.policy.conditions);
    }
    void operator()(std::string_view, const slo::Policy& policy) {  // its conditions come at the end of the rule
        out_("min_events", policy.min_events);
        out_("min_probability", policy.min_probability);
    }

  private:
    template <class T>
    static bool unset(const T& member) {
        return member == T();
    }
    /// What is between instances comes last, where there is any.
    void instances(const Plan& plan) {
        std::vector<std::pair<std::int64_t, double>> guards;
        for (std::size_t i = 0; i < plan.metrics.size(); ++i) {
            const auto& guard = plan.metrics[i].instances_differ;
            if (guard) guards.emplace_back(static_cast<std::int64_t>(i), *guard);
        }
        std::map<std::string, KnownInstances> known;
        for (const auto& [name, noise] : plan.noise) {
            if (noise.instances) known.emplace(name, *noise.instances);
        }
        if (guards.empty() && known.empty()) return;
        out_("instances_differ", static_cast<std::int64_t>(guards.size()));
        for (const auto& [index, guard] : guards) {
            out_("metric", index);
            out_("instances_differ", guard);
        }
        (*this)("instances", known);
    }

    Visitor& out_;
};

/// The plan as a state, for its digest.
struct DigestedPlan {
    static constexpr std::string_view kind = "plan";
    static constexpr std::int64_t version = 3;
    const Plan& plan;

    template <class Visitor, class Self>
    static void describe(Visitor& visit, Self& self) {
        DigestWalk<Visitor>{visit}("", self.plan);
    }
};

}  // namespace

std::int64_t longest(const Plan& plan, const Stage& stage) {
    if (!stage.max) return 120;
    const std::int64_t warm = (plan.warm_up + plan.interval - std::chrono::milliseconds(1)) / plan.interval;
    return std::clamp<std::int64_t>(*stage.max / plan.interval - warm, 1, 1'000'000);
}

std::vector<std::int64_t> instance_looks(const Plan& plan) {
    std::set<std::int64_t> all;
    for (const Stage& stage : plan.stages) {
        const std::vector<std::int64_t> looks = rotation::looks(longest(plan, stage));
        all.insert(looks.begin(), looks.end());
    }
    return {all.begin(), all.end()};
}

PromoteWhen effective_promote_when(const Metric& metric) {
    return metric.promote_when.value_or(metric.critical ? PromoteWhen::harm_ruled_out : PromoteWhen::no_harm_found);
}

std::optional<Margin> effective_detect(const Metric& metric) {
    if (metric.detect) return metric.detect;
    if (zero(metric.margin)) return std::nullopt;
    if (metric.margin.floor) {
        // (Of the excess in units of what is allowed it is ratio + 1: a ratio squared, and the floor as many times.)
        const double ratio = *metric.margin.ratio;
        return Margin{.ratio = ratio * ratio, .difference = std::nullopt, .floor = (ratio + 1) * *metric.margin.floor};
    }
    if (metric.margin.ratio)
        return Margin{.ratio = *metric.margin.ratio * *metric.margin.ratio, .difference = std::nullopt};
    return Margin{.ratio = std::nullopt, .difference = 2 * *metric.margin.difference};
}

std::vector<std::string> series_of(const Metric& metric) {
    std::vector<std::string> series;
    for (const auto& [key, named] : series_members) {
        if (facts_of(metric.kind).reads(key) && !(metric.*named).empty()) series.push_back(metric.*named);
    }
    return series;
}

std::chrono::milliseconds effective_stale_after(const Plan& plan) {
    return plan.telemetry.stale_after.value_or(plan.settle + 5 * plan.interval);
}

std::vector<double> alpha_split(const Plan& plan) {
    const double total = total_weight(plan);
    std::vector<double> split;
    for (const Metric& metric : plan.metrics)
        split.push_back(rolls_back(metric) ? plan.alpha * metric.weight / total : 0);
    return split;
}

std::vector<double> slo_alpha_split(const Plan& plan) {
    const double total = total_weight(plan);
    std::vector<double> split;
    for (const SloRule& rule : plan.slo) split.push_back(plan.alpha * rule.weight / total);
    return split;
}

namespace {
/// What one look cannot do.
void check_fixed(const Plan& plan) {
    constexpr std::string_view sequential = "none with \"analysis\": \"fixed\"; \"sequential\" has them";
    if (plan.stages.size() != 1)
        require_value(false, "the number of stages", static_cast<double>(plan.stages.size()),
                      "1 with \"analysis\": \"fixed\", which looks once");
    if (!plan.slo.empty())
        require_value(false, "the number of objectives", static_cast<double>(plan.slo.size()), sequential);
    for (std::size_t i = 0; i < plan.metrics.size(); ++i) {
        const Metric& metric = plan.metrics[i];
        const std::string path = "metrics[" + std::to_string(i) + "].margin";
        if (metric.margin.floor) require_value(false, path + ".floor", *metric.margin.floor, sequential);
        if (facts_of(metric.kind).quantiles) {
            refuse("metrics[" + std::to_string(i) + "].kind", quoted(std::string(word(metric.kind))),
                   "one that a single look judges; \"analysis\": \"sequential\" judges quantiles");
        }
        if (metric.kind == Kind::rate && !metric.margin.ratio)
            refuse(path, "a difference of a rate", "a ratio with \"analysis\": \"fixed\"");
        const std::string of = "metrics[" + std::to_string(i) + "]";
        if (metric.arm == MetricArm::none) refuse(of + ".arm", "\"none\"", std::string(sequential));
        if (metric.watch) refuse(of + ".watch", quoted(std::string(word(*metric.watch))), std::string(sequential));
    }
}
}  // namespace

namespace {
void check_severities(const Plan& plan) {
    for (const auto& [key, severity] : plan.severity) {
        const std::string path = "severity." + key;
        const std::optional<Code> code = code_named(key);
        const ReasonGroup of = code ? group(*code) : ReasonGroup::none;
        if (of == ReasonGroup::none || of == ReasonGroup::calibration || of == ReasonGroup::plan)
            refuse(path, "given", "the codes of a decision's reasons, such as \"deadline_hold\" (docs/codes.md)");
        if (*code == Code::burn_canary || *code == Code::burn_service)
            refuse(path, "given", "nothing: the conditions of the objective's policy say who is told of its burn rate");
    }
}

void check_baseline(const std::string& path, const BaselineRange& range) {
    require_value(std::isfinite(range.lower), path + ".lower", range.lower, "finite (calibrate again)");
    require_value(std::isfinite(range.upper) && range.upper >= range.lower, path + ".upper", range.upper,
                  "at least lower, finite (calibrate again)");
    require_value(range.window == static_cast<double>(detail::baseline_window), path + ".window", range.window,
                  std::to_string(detail::baseline_window));
    require_value(range.windows >= 0 && std::isfinite(range.windows), path + ".windows", range.windows, "0 or more");
}
}  // namespace

void check(const Plan& plan) {
    if (plan.name.empty()) refuse("name", "empty", "a name");
    require_value(share(plan.alpha), "alpha", plan.alpha,
                  "above 0, below 1 (0.05: one good canary in twenty may be rolled back)");
    if (plan.alpha_promote)
        require_value(share(*plan.alpha_promote), "alpha_promote", *plan.alpha_promote, "above 0, below 1");
    require_value(share(plan.beta), "beta", plan.beta, "above 0, below 1");

    constexpr std::chrono::milliseconds none(0), year = std::chrono::days(366);
    require_time(plan.interval > none && plan.interval <= year, "interval", plan.interval, "above 0, at most 366 days");
    require_time(plan.warm_up >= none && plan.warm_up <= year, "warm_up", plan.warm_up, "0 to 366 days");
    require_time(plan.settle >= none && plan.settle <= year, "settle", plan.settle, "0 to 366 days");

    if (plan.stages.empty()) refuse("stages", "empty", "at least one stage");
    for (std::size_t i = 0; i < plan.stages.size(); ++i) {
        const Stage& stage = plan.stages[i];
        const std::string path = "stages[" + std::to_string(i) + "]";
        require_value(stage.traffic > 0 && stage.traffic <= 1, path + ".traffic", stage.traffic, "above 0, at most 1");
        if (i > 0 && !(stage.traffic > plan.stages[i - 1].traffic)) {
            require_value(false, path + ".traffic", stage.traffic,
                          "more than the stage before has, " + detail::written_text(plan.stages[i - 1].traffic));
        }
        require_time(stage.min >= none && stage.min <= year, path + ".min", stage.min, "0 to 366 days");
        if (stage.max) {
            require_time(*stage.max <= year, path + ".max", *stage.max, "at most 366 days");
            const bool enough = *stage.max >= stage.min && *stage.max >= plan.warm_up + plan.interval;
            require_time(enough, path + ".max", *stage.max,
                         "at least min, and long enough for warm_up and one interval");
        }
    }

    if (plan.metrics.empty()) refuse("metrics", "empty", "at least one metric");
    std::set<std::string> names;
    std::map<std::string, std::pair<const Metric*, std::string>> series;  // who says first what they are
    for (std::size_t i = 0; i < plan.metrics.size(); ++i) {
        const Metric& metric = plan.metrics[i];
        const std::string path = "metrics[" + std::to_string(i) + "]";
        if (metric.name.empty()) refuse(path + ".name", "empty", "a name");
        if (!names.insert(metric.name).second) {
            raise(Code::plan_duplicate,
                  path + ".name is " + quoted(metric.name) + ", as is another metric's; allowed: a name of its own");
        }
        check_metric(path, metric);
        for (const std::string& name : series_of(metric)) {
            const auto& [first, by] = series.emplace(name, std::pair{&metric, path}).first->second;
            if (facts_of(first->kind).quantiles != facts_of(metric.kind).quantiles && !metric.le && !first->le) {
                refuse(path + ".kind", quoted(std::string(word(metric.kind))),
                       "what " + by + " says of the same series " + quoted(name) + ", \"" +
                           std::string(word(first->kind)) + "\"");
            }
            if (facts_of(first->kind).added_up != facts_of(metric.kind).added_up) {
                refuse(path + ".kind", quoted(std::string(word(metric.kind))),
                       "what " + by + " says of the same series " + quoted(name) + ", \"" +
                           std::string(word(first->kind)) + "\": counts are added up, gauges averaged");
            }
            if (first->counter != metric.counter) {
                refuse(path + ".counter", metric.counter ? "true" : "false",
                       "what " + by + " says of the same series " + quoted(name));
            }
        }
    }
    for (std::size_t i = 0; i < plan.slo.size(); ++i) detail::check_slo("slo[" + std::to_string(i) + "]", plan, i);
    if (plan.analysis == Analysis::fixed) check_fixed(plan);
    if (plan.learn_noise && !plan.noise.empty()) {
        refuse("noise", "both given and to be learned on the way", "one of the two");
    }
    for (const auto& [name, noise] : plan.noise) {
        const std::string path = "noise." + name;
        if (!names.contains(name))
            refuse(path, "given for a metric that the plan does not have", "the names of the plan's metrics");
        if (noise.refuted) {
            Noise alone;
            alone.refuted = true;
            alone.instances = noise.instances;
            if (noise != alone)
                refuse(path + ".refuted", "true together with a noise", "true alone, or a noise without it");
            if (!noise.instances) continue;
        }
        const auto metric =
            std::find_if(plan.metrics.begin(), plan.metrics.end(), [&](const Metric& of) { return of.name == name; });
        if (!facts_of(metric->kind).quantiles) detail::refuse_thresholds(path, noise);
        detail::AllKinds::with(*metric, [&]<class K>() { K::check_noise(path, noise, *metric, plan); });
        if (noise.baseline) check_baseline(path + ".baseline", *noise.baseline);
    }
    check_severities(plan);
    if (plan.arms.label.empty()) refuse("arms.label", "empty", "the name of a label");
    if (plan.arms.baseline == plan.arms.canary)
        refuse("arms.canary", quoted(plan.arms.canary) + " as is baseline", "another value");

    require_value(plan.telemetry.min_coverage > 0 && plan.telemetry.min_coverage <= 1, "telemetry.min_coverage",
                  plan.telemetry.min_coverage, "above 0, at most 1");
    require_value(plan.telemetry.max_imbalance >= 0 && plan.telemetry.max_imbalance <= 1, "telemetry.max_imbalance",
                  plan.telemetry.max_imbalance, "0 to 1");
    require_value(plan.telemetry.max_falls >= 0 && plan.telemetry.max_falls <= 1, "telemetry.max_falls",
                  plan.telemetry.max_falls, "0 to 1");
    require_value(share(plan.telemetry.alpha), "telemetry.alpha", plan.telemetry.alpha, "above 0, below 1");
    for (std::size_t i = 0; i < plan.replica_labels.size(); ++i) {
        if (plan.replica_labels[i].empty())
            refuse("replica_labels[" + std::to_string(i) + "]", "empty", "the name of a label");
    }
    if (const auto stale = plan.telemetry.stale_after) {
        require_time(*stale >= plan.settle + plan.interval && *stale <= year, "telemetry.stale_after", *stale,
                     "at least settle + interval, at most 366 days");
    }
}

std::string digest(const Plan& plan) { return sha256(encode(DigestedPlan{plan})); }

}  // namespace v0
}  // namespace serinus
