#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <serinus/core/digest.hpp>
#include <serinus/core/state.hpp>
#include <serinus/core/text.hpp>
#include <serinus/numeric/rotation.hpp>
#include <serinus/rollout/plan.hpp>
#include <serinus/series/duration.hpp>

#include "rollout/kinds/all.hpp"
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
    if (margin.ratio.has_value() == margin.difference.has_value()) {
        refuse(path, margin.ratio ? "both a ratio and a difference" : "empty", "exactly one of ratio, difference");
    }
    if (margin.ratio) {
        require_value(*margin.ratio >= 1 && *margin.ratio <= 1000, path + ".ratio", *margin.ratio,
                      "1 to 1000 (1: any harm counts; 1.1: a tenth more than the baseline)");
    } else {
        const KindFacts& facts = facts_of(kind);
        const bool good =
            *margin.difference >= 0 && (facts.share ? *margin.difference < 1 : std::isfinite(*margin.difference));
        require_value(good, path + ".difference", *margin.difference, facts.difference_allowed);
    }
}

bool zero(const Margin& margin) { return margin.ratio ? *margin.ratio == 1 : *margin.difference == 0; }

/// The keys of a metric: those of its kind, and nothing of another one's.
void check_keys(const std::string& path, const Metric& metric) {
    const KindFacts& facts = facts_of(metric.kind);
    const auto unused = [&](std::string_view key, bool given) {
        if (given) {
            refuse(path + "." + std::string(key), "given",
                   "nothing: a metric of kind \"" + std::string(facts.word) + "\" has no such key");
        }
    };
    for (const auto& [key, allowed] : facts.series()) {
        for (const auto& [name, series] : series_members) {
            if (name == key && (metric.*series).empty()) refuse(path + "." + std::string(key), "empty", allowed);
        }
    }
    for (const auto& [key, series] : series_members) {
        if (!facts.reads(key)) unused(key, !(metric.*series).empty());
    }
    if (facts.own_key != "method") unused("method", metric.method != sequential::ProportionMethod::automatic);
    if (facts.own_key != "instances_differ") unused("instances_differ", metric.instances_differ.has_value());
}

void check_metric(const std::string& path, const Metric& metric) {
    if (!facts_of(metric.kind).built()) {
        raise(Code::plan_not_built, path + ".kind is \"" + std::string(word(metric.kind)) +
                                        "\", which this version cannot judge yet; allowed: " + judged_kinds());
    }
    check_keys(path, metric);
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
        if (metric.detect->ratio.has_value() != metric.margin.ratio.has_value()) {
            refuse(path + ".detect", metric.detect->ratio ? "a ratio" : "a difference", "the same form as margin");
        }
        const bool beyond = metric.detect->ratio ? *metric.detect->ratio > *metric.margin.ratio
                                                 : *metric.detect->difference > *metric.margin.difference;
        if (!beyond) {
            require_value(false, path + (metric.detect->ratio ? ".detect.ratio" : ".detect.difference"),
                          metric.detect->ratio ? *metric.detect->ratio : *metric.detect->difference,
                          "more than the margin");
        }
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
    for (const Metric& metric : plan.metrics) total += metric.muted ? 0 : metric.weight;
    for (const SloRule& rule : plan.slo) total += rule.weight;
    return total;
}

/// The plan as a State, for its digest.
struct PlanFields {
    static constexpr std::string_view kind = "plan";
    static constexpr std::int64_t version = 3;
    Plan plan;

    template <class Visitor>
    static void visit_slo(Visitor& visit, const Plan& plan) {
        visit("slo", static_cast<std::int64_t>(plan.slo.size()));
        for (const SloRule& rule : plan.slo) {
            visit("name", rule.objective.name);
            visit("budget", rule.objective.budget);
            visit("period", rule.objective.period_ms);
            visit("expected_events", rule.objective.expected_events);
            visit("metric", rule.metric);
            visit("max_budget_per_release", rule.max_budget_per_release);
            visit("halt.budget", rule.halt_budget);
            visit("halt.window", rule.halt_window_ms);
            visit("min_events", rule.policy.min_events);
            visit("min_probability", rule.policy.min_probability);
            visit("weight", rule.weight);
            visit("conditions", static_cast<std::int64_t>(rule.policy.conditions.size()));
            for (const slo::Condition& condition : rule.policy.conditions) {
                visit("name", condition.name);
                visit("long", condition.long_ms);
                visit("short", condition.short_ms);
                visit("factor", condition.factor);
                visit("severity", condition.severity);
                visit("for", condition.for_ms);
                visit("keep_firing_for", condition.keep_firing_for_ms);
            }
        }
    }

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        const Plan& p = self.plan;
        visit("name", p.name);
        visit("deployment", p.deployment);
        visit("alpha", p.alpha);
        visit("alpha_promote", p.alpha_promote);
        visit("beta", p.beta);
        visit("stages", static_cast<std::int64_t>(p.stages.size()));
        for (const Stage& stage : p.stages) {
            visit("traffic", stage.traffic);
            visit("min", stage.min_ms);
            visit("max", stage.max_ms);
        }
        visit("interval", p.interval_ms);
        visit("warm_up", p.warm_up_ms);
        visit("settle", p.settle_ms);
        visit("on_deadline", p.on_deadline);
        visit("metrics", static_cast<std::int64_t>(p.metrics.size()));
        for (const Metric& metric : p.metrics) {
            visit("name", metric.name);
            visit("kind", metric.kind);
            visit("series", metric.series);
            visit("bad", metric.bad);
            visit("total", metric.total);
            visit("counter", metric.counter);
            visit("harm", metric.harm);
            visit("margin.ratio", metric.margin.ratio);
            visit("margin.difference", metric.margin.difference);
            const Margin detect = metric.detect.value_or(Margin{});
            visit("detect.ratio", detect.ratio);
            visit("detect.difference", detect.difference);
            visit("method", metric.method);
            visit("weight", metric.weight);
            visit("critical", metric.critical);
            visit("muted", metric.muted);
            visit("min_count", metric.min_count);
            visit("missing", metric.missing);
            visit("promote_when", metric.promote_when);
        }
        visit("noise", static_cast<std::int64_t>(p.noise.size()));
        for (const auto& [name, noise] : p.noise) {
            visit("name", name);
            visit("dispersion", noise.dispersion);
            visit("stages", static_cast<std::int64_t>(noise.stages.size()));
            for (const sequential::PairedNoise& stage : noise.stages) {
                // A plan of before there were units keeps its digest.
                if (stage.unit != sequential::NoiseUnit::former) visit("unit", stage.unit);
                sequential::for_each_list(stage, visit);
                sequential::for_each_number(stage, visit);
            }
            // Left out where they are not given, so that a plan of before they were is still the same plan.
            if (noise.intervals) visit("intervals", noise.intervals);
            if (noise.refuted) visit("refuted", noise.refuted);
            if (noise.spikes) for_each_spike_number(*noise.spikes, visit);
        }
        visit_slo(visit, p);
        visit("learn_noise", p.learn_noise);
        visit("label", p.arms.label);
        visit("baseline", p.arms.baseline);
        visit("canary", p.arms.canary);
        visit("queries", static_cast<std::int64_t>(p.queries.size()));
        for (const auto& [name, query] : p.queries) {
            visit("name", name);
            visit("query", query);
        }
        visit("min_coverage", p.telemetry.min_coverage);
        visit("max_imbalance", p.telemetry.max_imbalance);
        visit("stale_after", p.telemetry.stale_after_ms);
        visit_instances(visit, p);
    }

    /// What plans of older versions did not have; a plan without it keeps its digest, and its states.
    template <class Visitor>
    static void visit_instances(Visitor& visit, const Plan& plan) {
        std::vector<std::pair<std::int64_t, double>> guards;
        for (std::size_t i = 0; i < plan.metrics.size(); ++i) {
            const auto& guard = plan.metrics[i].instances_differ;
            if (guard) guards.emplace_back(static_cast<std::int64_t>(i), *guard);
        }
        std::vector<std::pair<const std::string*, const KnownInstances*>> known;
        for (const auto& [name, noise] : plan.noise) {
            if (noise.instances) known.emplace_back(&name, &*noise.instances);
        }
        if (guards.empty() && known.empty()) return;
        visit("instances_differ", static_cast<std::int64_t>(guards.size()));
        for (const auto& [index, guard] : guards) {
            visit("metric", index);
            visit("instances_differ", guard);
        }
        visit("instances", static_cast<std::int64_t>(known.size()));
        for (const auto& [name, of] : known) {
            visit("name", *name);
            visit("logs", of->logs);
            visit("level", of->level);
            visit("looks", of->looks);
            visit("names", of->names);
            visit("levels", of->levels);
            visit("former", of->former);
            visit("former_degrees", of->former_degrees);
        }
    }
};

}  // namespace

std::int64_t longest(const Plan& plan, const Stage& stage) {
    if (!stage.max_ms) return 120;
    const std::int64_t warm = (plan.warm_up_ms + plan.interval_ms - 1) / plan.interval_ms;
    return std::clamp<std::int64_t>(*stage.max_ms / plan.interval_ms - warm, 1, 1'000'000);
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
    if (metric.margin.ratio)
        return Margin{.ratio = *metric.margin.ratio * *metric.margin.ratio, .difference = std::nullopt};
    return Margin{.ratio = std::nullopt, .difference = 2 * *metric.margin.difference};
}

std::vector<std::string> series_of(const Metric& metric) {
    std::vector<std::string> series;
    for (const auto& [key, named] : series_members) {
        if (facts_of(metric.kind).reads(key)) series.push_back(metric.*named);
    }
    return series;
}

std::int64_t effective_stale_after_ms(const Plan& plan) {
    return plan.telemetry.stale_after_ms.value_or(plan.settle_ms + 5 * plan.interval_ms);
}

std::vector<double> alpha_split(const Plan& plan) {
    const double total = total_weight(plan);
    std::vector<double> split;
    for (const Metric& metric : plan.metrics) split.push_back(metric.muted ? 0 : plan.alpha * metric.weight / total);
    return split;
}

std::vector<double> slo_alpha_split(const Plan& plan) {
    const double total = total_weight(plan);
    std::vector<double> split;
    for (const SloRule& rule : plan.slo) split.push_back(plan.alpha * rule.weight / total);
    return split;
}

void check(const Plan& plan) {
    if (plan.name.empty()) refuse("name", "empty", "a name");
    require_value(share(plan.alpha), "alpha", plan.alpha,
                  "above 0, below 1 (0.05: one good canary in twenty may be rolled back)");
    if (plan.alpha_promote)
        require_value(share(*plan.alpha_promote), "alpha_promote", *plan.alpha_promote, "above 0, below 1");
    require_value(share(plan.beta), "beta", plan.beta, "above 0, below 1");

    constexpr std::int64_t year = std::int64_t{366} * 86400 * 1000;
    require_time(plan.interval_ms > 0 && plan.interval_ms <= year, "interval", plan.interval_ms,
                 "above 0, at most 366 days");
    require_time(plan.warm_up_ms >= 0 && plan.warm_up_ms <= year, "warm_up", plan.warm_up_ms, "0 to 366 days");
    require_time(plan.settle_ms >= 0 && plan.settle_ms <= year, "settle", plan.settle_ms, "0 to 366 days");

    if (plan.stages.empty()) refuse("stages", "empty", "at least one stage");
    for (std::size_t i = 0; i < plan.stages.size(); ++i) {
        const Stage& stage = plan.stages[i];
        const std::string path = "stages[" + std::to_string(i) + "]";
        require_value(stage.traffic > 0 && stage.traffic <= 1, path + ".traffic", stage.traffic, "above 0, at most 1");
        if (i > 0 && !(stage.traffic > plan.stages[i - 1].traffic)) {
            require_value(false, path + ".traffic", stage.traffic,
                          "more than the stage before has, " + number_text(plan.stages[i - 1].traffic, 17));
        }
        require_time(stage.min_ms >= 0 && stage.min_ms <= year, path + ".min", stage.min_ms, "0 to 366 days");
        if (stage.max_ms) {
            require_time(*stage.max_ms <= year, path + ".max", *stage.max_ms, "at most 366 days");
            const bool enough = *stage.max_ms >= stage.min_ms && *stage.max_ms >= plan.warm_up_ms + plan.interval_ms;
            require_time(enough, path + ".max", *stage.max_ms,
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
        detail::AllKinds::with(metric->kind, [&]<class K>() { K::check_noise(path, noise, *metric, plan); });
    }
    if (plan.arms.label.empty()) refuse("arms.label", "empty", "the name of a label");
    if (plan.arms.baseline == plan.arms.canary)
        refuse("arms.canary", quoted(plan.arms.canary) + " as is baseline", "another value");

    require_value(plan.telemetry.min_coverage > 0 && plan.telemetry.min_coverage <= 1, "telemetry.min_coverage",
                  plan.telemetry.min_coverage, "above 0, at most 1");
    require_value(plan.telemetry.max_imbalance >= 0 && plan.telemetry.max_imbalance <= 1, "telemetry.max_imbalance",
                  plan.telemetry.max_imbalance, "0 to 1");
    if (plan.telemetry.stale_after_ms) {
        require_time(*plan.telemetry.stale_after_ms >= plan.settle_ms + plan.interval_ms &&
                         *plan.telemetry.stale_after_ms <= year,
                     "telemetry.stale_after", *plan.telemetry.stale_after_ms,
                     "at least settle + interval, at most 366 days");
    }
}

std::string digest(const Plan& plan) { return sha256(encode(PlanFields{plan})); }

}  // namespace v0
}  // namespace serinus
