/// \file
/// The main job for Python: Plan, Decision, Monitor, judge, calibrate.

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <pybind11/stl.h>

#include <serinus/core/state.hpp>
#include <serinus/io/calibration.hpp>
#include <serinus/io/decision.hpp>
#include <serinus/io/plan.hpp>
#include <serinus/numeric/elementary.hpp>
#include <serinus/report/calibration.hpp>
#include <serinus/report/text.hpp>
#include <serinus/rollout/calibrate.hpp>
#include <serinus/rollout/monitor.hpp>
#include <serinus/rollout/monitor_state.hpp>
#include <serinus/series/duration.hpp>

#include "arguments.hpp"

namespace serinus::python {
namespace {

py::dict numbers_dict(const std::vector<NamedNumber>& numbers) {
    py::dict out;
    for (const NamedNumber& number : numbers) out[py::str(number.name)] = number.value;
    return out;
}

/// Elements that are found by index and by name.
template <class Element>
py::object by_name(const std::vector<Element>& elements) {
    py::list all;
    for (const Element& element : elements) all.append(py::cast(element));
    return from_python("serinus._results", "ByName")(all);
}

void register_plan(py::module_& module) {
    py::class_<Stage>(module, "Stage", "A step of a rollout: the canary gets this share of the traffic.")
        .def_readonly("traffic", &Stage::traffic, "Share of the canary, in (0, 1].")
        .def_property_readonly(
            "min_ms", [](const Stage& s) { return s.min.count(); },
            "No promotion before this time in the stage, in milliseconds.")
        .def_property_readonly(
            "max_ms", [](const Stage& s) { return s.max ? std::optional(s.max->count()) : std::nullopt; },
            "When `on_deadline` applies, in milliseconds; None: never.")
        .def("__repr__", [](const Stage& s) {
            return "Stage(traffic=" + number_text(s.traffic) + ", min_ms=" + std::to_string(s.min.count()) +
                   ", max_ms=" + (s.max ? std::to_string(s.max->count()) : "None") + ")";
        });
    py::class_<Metric>(module, "Metric", "Something that is measured in both arms and must not get worse.")
        .def_readonly("name", &Metric::name)
        .def_property_readonly("kind", [](const Metric& m) { return member("Kind", m.kind); })
        .def_readonly("series", &Metric::series, "Gauge: the series that is read.")
        .def_readonly("bad", &Metric::bad, "Proportion: the series that counts what went wrong.")
        .def_readonly("total", &Metric::total, "Proportion: the series that counts everything.")
        .def_readonly("counter", &Metric::counter, "The series are cumulative counters.")
        .def_property_readonly("harm", [](const Metric& m) { return member("Harm", m.harm); })
        .def_property_readonly(
            "margin", [](const Metric& m) { return margin_dict(m.margin); },
            R"(How much worse the canary may be: {"ratio": r} or {"difference": d}.)")
        .def_property_readonly(
            "detect",
            [](const Metric& m) -> std::optional<py::dict> {
                const auto detect = effective_detect(m);
                if (!detect) return std::nullopt;
                return margin_dict(*detect);
            },
            "Harm that would surely matter, its default filled in; None when there is none.")
        .def_property_readonly("method", [](const Metric& m) { return word(m.method); })
        .def_readonly("weight", &Metric::weight, "Its part of alpha, relative to the other metrics'.")
        .def_readonly("critical", &Metric::critical)
        .def_readonly("muted", &Metric::muted, "Shown, never decides.")
        .def_readonly("min_count", &Metric::min_count, "Requests that each arm must have had before it decides.")
        .def_property_readonly("missing", [](const Metric& m) { return member("Missing", m.missing); })
        .def_readonly("instances_differ", &Metric::instances_differ,
                      "Gauge: nine of ten pairs of instances of one version differ by at most this; None: not said.")
        .def_property_readonly(
            "promote_when", [](const Metric& m) { return member("PromoteWhen", effective_promote_when(m)); },
            "What it must show before the rollout goes on, its default filled in.")
        .def("__repr__", [](const Metric& m) {
            return "Metric(name=" + py::cast<std::string>(py::repr(py::str(m.name))) + ", kind='" +
                   std::string(word(m.kind)) + "')";
        });
    py::class_<SloRule>(module, "SloRule", R"(An objective that a rollout must not endanger, as a plan has it.

Attributes
----------
name : str
objective : serinus.slo.Objective
metric : str
    The proportion whose bad and total events it is about.
max_budget_per_release : float
    The share of the period's budget that a release may use beyond what the baseline would have.
halt_budget : float
    Rolls back when all traffic on the canary would use up this share of the period's budget in `halt_window`.
halt_window : str
    Its default filled in.
policy : serinus.slo.Policy
    When raw burn rates alert, its default filled in.
weight : float
    Its part of alpha, relative to the metrics' and the other objectives'.
)")
        .def_property_readonly("name", [](const SloRule& r) { return r.objective.name; })
        .def_readonly("objective", &SloRule::objective)
        .def_readonly("metric", &SloRule::metric)
        .def_readonly("max_budget_per_release", &SloRule::max_budget_per_release)
        .def_readonly("halt_budget", &SloRule::halt_budget)
        .def_property_readonly("halt_window",
                               [](const SloRule& r) { return format_duration(*effective_halt_window(r)); })
        .def_property_readonly("policy", [](const SloRule& r) { return effective_policy(r); })
        .def_readonly("weight", &SloRule::weight)
        .def(
            "__eq__", [](const SloRule& a, const SloRule& b) { return a == b; }, py::is_operator())
        .def("__repr__", [](const SloRule& r) {
            return "SloRule(name=" + py::cast<std::string>(py::repr(py::str(r.objective.name))) +
                   ", metric=" + py::cast<std::string>(py::repr(py::str(r.metric))) +
                   ", budget=" + number_text(r.objective.budget) + ", period='" + format_duration(r.objective.period) +
                   "', max_budget_per_release=" + number_text(r.max_budget_per_release) + ")";
        });
    py::class_<Plan>(module, "Plan")
        .def(py::init([](const std::string& json) { return io::read_plan(json); }), py::arg("json"))
        .def_readonly("name", &Plan::name)
        .def_readonly("deployment", &Plan::deployment)
        .def_readonly("alpha", &Plan::alpha, "A good canary is ever rolled back with at most this probability.")
        .def_readonly("alpha_promote", &Plan::alpha_promote)
        .def_readonly("beta", &Plan::beta)
        .def_readonly("stages", &Plan::stages)
        .def_property_readonly(
            "interval_ms", [](const Plan& p) { return p.interval.count(); },
            "Data are judged in intervals of this length, milliseconds.")
        .def_property_readonly(
            "warm_up_ms", [](const Plan& p) { return p.warm_up.count(); },
            "The first part of each stage that is not judged, milliseconds.")
        .def_property_readonly(
            "settle_ms", [](const Plan& p) { return p.settle.count(); },
            "An interval is judged this long after its end, milliseconds; what comes later is dropped.")
        .def_property_readonly("on_deadline", [](const Plan& p) { return member("Deadline", p.on_deadline); })
        .def_property_readonly(
            "metrics", [](const Plan& p) { return by_name(p.metrics); }, "The metrics, found by index and by name.")
        .def_property_readonly(
            "slo", [](const Plan& p) { return by_name(p.slo); }, "The objectives, found by index and by name.")
        .def_property_readonly(
            "noise",
            [](const Plan& p) -> py::object {
                const py::dict document = from_python("json", "loads")(io::write_plan(p));
                return document.contains("noise") ? py::object(document["noise"]) : py::dict();
            },
            R"(What history taught, by metric name, as in JSON; "learn" where the rollout itself has to.)")
        .def_property_readonly(
            "arms",
            [](const Plan& p) {
                py::dict out;
                out["label"] = p.arms.label;
                out["baseline"] = p.arms.baseline;
                out["canary"] = p.arms.canary;
                return out;
            },
            "How the arms are told apart in a Prometheus answer.")
        .def_readonly("queries", &Plan::queries, "PromQL by series name.")
        .def_property_readonly(
            "digest", [](const Plan& p) { return digest(p); },
            "SHA-256 of everything in the plan: two plans with one digest are the same plan.")
        .def(
            "to_json", [](const Plan& p) { return io::write_plan(p); }, "The plan as JSON text.")
        .def(
            "__eq__", [](const Plan& a, const Plan& b) { return a == b; }, py::is_operator())
        .def("__hash__", [](const Plan& p) { return py::hash(py::str(digest(p))); });
}

void register_burn_result(py::module_& module) {
    py::class_<BurnWindow>(module, "BurnWindow",
                           R"(Burn rates over the last part of a rollout: bad/all/budget, without uncertainty.

Attributes
----------
window : str
    "5m", "1h".
window_ms : int
    The same in milliseconds.
status : BurnStatus
    Of the canary's: "ok", "no_traffic" or "absent".
canary : float
    The canary's own; NaN where the status is not "ok".
service : float
    Of both arms together; NaN without events.
coverage : float
    Share of the window that has data of the canary, in [0, 1].
)")
        .def_property_readonly("window", [](const BurnWindow& w) { return format_duration(w.window.count()); })
        .def_property_readonly("window_ms", [](const BurnWindow& w) { return w.window.count(); })
        .def_property_readonly("status", [](const BurnWindow& w) { return member("BurnStatus", w.status); })
        .def_readonly("canary", &BurnWindow::canary)
        .def_readonly("service", &BurnWindow::service)
        .def_readonly("coverage", &BurnWindow::coverage)
        .def("__repr__", [](const BurnWindow& w) {
            return "BurnWindow(window='" + format_duration(w.window.count()) + "', canary=" + number_text(w.canary) +
                   ", service=" + number_text(w.service) + ")";
        });
    py::class_<BudgetShare>(module, "BudgetShare",
                            R"(What a release has used of the period's error budget beyond what the baseline would have.

Over all stages, as a share of the bad events that the period allows.

Attributes
----------
estimate : float
    NaN before any data.
lower, upper : float
    Valid at every look.
confidence : float
    That both bounds hold, at every look.
total : float
    All of the canary's bad events as such a share.
allowed : float
    The plan's max_budget_per_release.
expected_events : float
    Of the whole service in the period.
measured : bool
    `expected_events` comes from the traffic so far, not from the plan.
)")
        .def_readonly("estimate", &BudgetShare::estimate)
        .def_readonly("lower", &BudgetShare::lower)
        .def_readonly("upper", &BudgetShare::upper)
        .def_readonly("confidence", &BudgetShare::confidence)
        .def_readonly("total", &BudgetShare::total)
        .def_readonly("allowed", &BudgetShare::allowed)
        .def_readonly("expected_events", &BudgetShare::expected_events)
        .def_readonly("measured", &BudgetShare::measured)
        .def("__repr__", [](const BudgetShare& s) {
            return "BudgetShare(estimate=" + number_text(s.estimate) + ", lower=" + number_text(s.lower) +
                   ", upper=" + number_text(s.upper) + ", allowed=" + number_text(s.allowed) + ")";
        });
    py::class_<BurnHalt>(module, "BurnHalt",
                         R"(The evidence that all traffic on the canary would use up too much of the budget too soon.

Attributes
----------
window : str
    "1h".
window_ms : int
    The same in milliseconds.
budget : float
    The share of the period's budget that would be gone within the window, beyond what the baseline burns.
factor : float
    The burn rate beyond the baseline's at which that happens.
log_e_value : float
    The evidence.
needed_e_value : float
    The e-value that rolls back.
needed_log_e_value : float
    Its natural logarithm.
)")
        .def_property_readonly("window", [](const BurnHalt& h) { return format_duration(h.window.count()); })
        .def_property_readonly("window_ms", [](const BurnHalt& h) { return h.window.count(); })
        .def_readonly("budget", &BurnHalt::budget)
        .def_readonly("factor", &BurnHalt::factor)
        .def_readonly("log_e_value", &BurnHalt::log_e_value)
        .def_property_readonly("needed_e_value",
                               [](const BurnHalt& h) { return elementary::exp(h.needed_log_e_value); })
        .def_readonly("needed_log_e_value", &BurnHalt::needed_log_e_value)
        .def("__repr__", [](const BurnHalt& h) {
            return "BurnHalt(factor=" + number_text(h.factor) + ", log_e_value=" + number_text(h.log_e_value) +
                   ", needed_log_e_value=" + number_text(h.needed_log_e_value) + ")";
        });
    py::class_<BurnResult>(module, "BurnResult", "How the error budget of one objective stands.")
        .def_readonly("objective", &BurnResult::objective, "The objective's name.")
        .def_readonly("name", &BurnResult::objective, "The same: what `burn` is found by.")
        .def_readonly("metric", &BurnResult::metric, "The metric that counts its events.")
        .def_property_readonly(
            "verdict", [](const BurnResult& b) { return member("Verdict", b.verdict); },
            "fail: it rolls back. pass: the upper bound of the share is below what is allowed.")
        .def_readonly("budget", &BurnResult::budget, "Share of events that may be bad.")
        .def_property_readonly(
            "period", [](const BurnResult& b) { return format_duration(b.period.count()); }, "Its period, as a text.")
        .def_property_readonly("period_ms", [](const BurnResult& b) { return b.period.count(); })
        .def_readonly("alpha", &BurnResult::alpha, "Its share of alpha; the halt and the cap have half of it each.")
        .def_readonly("canary_burn", &BurnResult::canary_burn, "The canary's own, over the rollout.")
        .def_readonly("canary_lower", &BurnResult::canary_lower, "Valid at every look.")
        .def_readonly("canary_upper", &BurnResult::canary_upper, "Valid at every look.")
        .def_readonly("projected_burn", &BurnResult::projected_burn,
                      "What the service would burn with all its traffic on the canary, by the last halt window.")
        .def_readonly("service_burn", &BurnResult::service_burn, "Of both arms together, over the rollout.")
        .def_readonly("windows", &BurnResult::windows, "Raw burn rates, shortest window first.")
        .def_readonly("share", &BurnResult::share, "What this release has used of the period's budget.")
        .def_readonly("halt", &BurnResult::halt, "The evidence that it burns too fast to wait.")
        .def_property_readonly(
            "alert",
            [](const BurnResult& b) { return b.alert ? member("Severity", *b.alert) : py::object(py::none()); },
            "The gravest condition of the policy that fires; None: none does.")
        .def_readonly("suppressed", &BurnResult::suppressed,
                      "The canary alone alerts, while it warms up: nobody is told.")
        .def_property_readonly(
            "dedupe_key",
            [](const BurnResult& b) { return b.dedupe_key.empty() ? py::object(py::none()) : py::str(b.dedupe_key); },
            "deployment/objective/severity, for whoever passes alerts on; None when there is nothing to tell.")
        .def_readonly("reasons", &BurnResult::reasons, "The most important first.")
        .def("__repr__", [](const BurnResult& b) {
            return "BurnResult(objective=" + py::cast<std::string>(py::repr(py::str(b.objective))) + ", verdict='" +
                   std::string(word(b.verdict)) + "')";
        });
}

void register_decision(py::module_& module) {
    py::class_<Reason>(module, "Reason", "Why something was decided: a code with named numbers.")
        .def_property_readonly(
            "code", [](const Reason& r) { return name(r.code); }, R"(The code's name, "harm_proven".)")
        .def_property_readonly(
            "number", [](const Reason& r) { return static_cast<int>(r.code); },
            "The code's number, which never changes.")
        .def_property_readonly(
            "name", [](const Reason& r) { return name(r); },
            R"("errors.harm_proven" for a metric, the code for the rollout.)")
        .def_readonly("metric", &Reason::metric, "The metric that it is about, or an empty text.")
        .def_property_readonly("sentence", [](const Reason& r) { return sentence(r); })
        .def_property_readonly("numbers", [](const Reason& r) { return numbers_dict(r.numbers); })
        .def_readonly("outside_alpha", &Reason::outside_alpha,
                      "A rollback by policy, not covered by the promise about alpha.")
        .def("__str__", [](const Reason& r) { return sentence(r); })
        .def("__repr__", [](const Reason& r) { return "Reason('" + name(r) + "')"; })
        .def(
            "__eq__", [](const Reason& a, const Reason& b) { return a == b; }, py::is_operator());

    py::class_<MetricResult>(module, "MetricResult", "What is known of one metric.")
        .def_readonly("name", &MetricResult::name)
        .def_property_readonly("kind", [](const MetricResult& m) { return member("Kind", m.kind); })
        .def_property_readonly("verdict", [](const MetricResult& m) { return member("Verdict", m.verdict); })
        .def_property_readonly("harm", [](const MetricResult& m) { return member("Harm", m.harm); })
        .def_property_readonly("margin", [](const MetricResult& m) { return margin_dict(m.margin); })
        .def_property_readonly(
            "detect", [](const MetricResult& m) { return margin_dict(m.detect); },
            "What the mirror is measured against under no_harm_found; empty otherwise.")
        .def_property_readonly("promote_when",
                               [](const MetricResult& m) { return member("PromoteWhen", m.promote_when); })
        .def_readonly("critical", &MetricResult::critical)
        .def_readonly("muted", &MetricResult::muted)
        .def_readonly("alpha", &MetricResult::alpha, "Its share: it fails when the e-value reaches 1/alpha.")
        .def_readonly("alpha_mirror", &MetricResult::alpha_mirror, "It passes when the mirror reaches 1/this.")
        .def_property_readonly(
            "guarantee", [](const MetricResult& m) { return member("Guarantee", m.guarantee); },
            "What stands behind its share of alpha: proved, measured or none.")
        .def_property_readonly(
            "guarantee_why", [](const MetricResult& m) { return std::string(name(m.guarantee_why)); },
            "The code of the one of `reasons` that says why.")
        .def_readonly("evidence", &MetricResult::evidence, "Of harm, over the whole rollout.")
        .def_readonly("mirror", &MetricResult::mirror, "Of safety, this stage's.")
        .def_property_readonly(
            "observed", [](const MetricResult& m) { return numbers_dict(m.observed); }, "This stage's data, by name.")
        .def_readonly("reasons", &MetricResult::reasons, "The most important first.")
        .def("__repr__", [](const MetricResult& m) {
            return "MetricResult(name=" + py::cast<std::string>(py::repr(py::str(m.name))) + ", verdict='" +
                   std::string(word(m.verdict)) + "')";
        });

    py::class_<Telemetry>(module, "Telemetry", "How good the data are that a decision rests on.")
        .def_readonly("intervals", &Telemetry::intervals, "Complete and settled since the stage's warm-up.")
        .def_readonly("used", &Telemetry::used, "Of those, with every metric's data in both arms.")
        .def_property_readonly(
            "missing",
            [](const Telemetry& t) {
                py::dict out;
                for (const Arm arm : {Arm::baseline, Arm::canary}) {
                    out[py::str(std::string(word(arm)))] = t.missing[static_cast<std::size_t>(arm)];
                }
                return out;
            },
            "Of those, without data, by arm.")
        .def_property_readonly(
            "newest",
            [](const Telemetry& t) {
                py::dict out;
                for (const Arm arm : {Arm::baseline, Arm::canary}) {
                    const auto newest = t.newest[static_cast<std::size_t>(arm)];
                    out[py::str(std::string(word(arm)))] =
                        newest ? from_python("serinus._inputs", "moment")(newest->time_since_epoch().count())
                               : py::none();
                }
                return out;
            },
            "The newest sample's time by arm, a datetime in UTC; None without one.")
        .def_property_readonly(
            "newest_ms",
            [](const Telemetry& t) {
                py::dict out;
                for (const Arm arm : {Arm::baseline, Arm::canary}) {
                    const auto newest = t.newest[static_cast<std::size_t>(arm)];
                    out[py::str(std::string(word(arm)))] =
                        newest ? py::object(py::int_(newest->time_since_epoch().count())) : py::none();
                }
                return out;
            },
            "The same in Unix milliseconds.")
        .def_readonly("late", &Telemetry::late, "Samples that came after their interval was judged; dropped.")
        .def_readonly("repeated", &Telemetry::repeated, "Samples seen before; dropped.")
        .def_readonly("conflicts", &Telemetry::conflicts, "A known timestamp with another value; dropped.")
        .def_readonly("ignored", &Telemetry::ignored, "Samples of series that the plan does not name.");

    py::class_<Decision>(module, "Decision",
                         R"(What a rollout is told: promote, hold or roll back, and everything that led to it.

`str(decision)` is the report for people; `to_dict()` and `to_json()` give what machines read. A notebook shows a table.)")
        .def_property_readonly(
            "decision", [](const Decision& d) { return member("Action", d.action); },
            "promote, hold or rollback; compares equal to its text.")
        .def_readonly("stage", &Decision::stage, "The stage that runs, counted from 1.")
        .def_readonly("stages", &Decision::stages, "How many stages there are.")
        .def_readonly("traffic", &Decision::traffic, "Share of the canary in this stage.")
        .def_property_readonly(
            "time",
            [](const Decision& d) -> py::object {
                if (!d.time) return py::none();
                return from_python("serinus._inputs", "moment")(d.time->time_since_epoch().count());
            },
            "The time that the decision is made for: a datetime in UTC; None before any data.")
        .def_property_readonly(
            "time_ms",
            [](const Decision& d) { return d.time ? std::optional(d.time->time_since_epoch().count()) : std::nullopt; },
            "The same in Unix milliseconds.")
        .def_property_readonly(
            "elapsed_seconds", [](const Decision& d) { return static_cast<double>(d.elapsed.count()) / 1000; },
            "Since the stage began.")
        .def_readonly("finished", &Decision::finished, "Promoted out of the last stage.")
        .def_readonly("reasons", &Decision::reasons)
        .def_property_readonly(
            "metrics", [](const Decision& d) { return by_name(d.metrics); },
            "The metrics' results, found by index and by name.")
        .def_property_readonly(
            "burn", [](const Decision& d) { return by_name(d.burn); },
            "How the error budgets of the plan's objectives stand, found by index and by name.")
        .def_readonly("telemetry", &Decision::telemetry)
        .def_property_readonly("severity", [](const Decision& d) { return member("Severity", d.severity); })
        .def_readonly("plan", &Decision::plan, "The plan's name.")
        .def_readonly("deployment", &Decision::deployment)
        .def_readonly("alpha", &Decision::alpha,
                      "The promise: a good canary is ever rolled back with at most this probability.")
        .def_property_readonly(
            "guarantee", [](const Decision& d) { return member("Guarantee", d.guarantee); },
            "What stands behind alpha: proved, measured or none, the weakest of the metrics that can decide.")
        .def_readonly("version", &Decision::version, "Of Serinus.")
        .def_readonly("digest", &Decision::digest, "Of the plan.")
        .def(
            "to_json",
            [](const Decision& d, std::optional<int> indent) { return io::write_decision(d, indent.value_or(-1)); },
            py::arg("indent") = 2, "The decision as JSON text; indent None puts all on one line.")
        .def(
            "to_dict", [](const Decision& d) { return from_python("json", "loads")(io::write_decision(d)); },
            "What `to_json` says, as a dict: an unknown number is None, an open end the text \"Infinity\".")
        .def("__str__", [](const Decision& d) { return report::text(d); })
        .def("_repr_html_", [](const py::object& d) { return from_python("serinus._html", "decision")(d); })
        .def("__repr__", [](const Decision& d) {
            std::string text = "Decision('" + std::string(word(d.action)) + "', stage=" + std::to_string(d.stage);
            for (const MetricResult& m : d.metrics) text += ", " + m.name + "='" + std::string(word(m.verdict)) + "'";
            return text + ")";
        });
}

/// A Monitor belongs to one thread at a time; Python's threads take turns here while the interpreter runs on.
class SharedMonitor {
  public:
    explicit SharedMonitor(const Plan& plan) : monitor_(plan) {}

    template <class Call>
    auto with(Call call) {
        const py::gil_scoped_release release;
        const std::scoped_lock lock(mutex_);
        return call(monitor_);
    }

  private:
    std::mutex mutex_;
    Monitor monitor_;
};

void register_calibration(py::module_& module) {
    py::class_<HeldBack>(module, "HeldBack",
                         "How the noise of history's first half did on its second half, at one stage.")
        .def_readonly("traffic", &HeldBack::traffic, "Of the stage.")
        .def_readonly("windows", &HeldBack::windows, "Rollouts of nothing new that were played.")
        .def_readonly("intervals", &HeldBack::intervals, "Length of each.")
        .def_readonly("alarms", &HeldBack::alarms, "Of the windows, how many would have been rolled back.")
        .def_readonly("alpha", &HeldBack::alpha, "What it was played at.")
        .def_readonly("p_value", &HeldBack::p_value,
                      "Of so many alarms or more, each window having one with probability alpha; below .001 the noise "
                      "is contradicted.")
        .def("__repr__", [](const HeldBack& h) {
            return "HeldBack(traffic=" + number_text(h.traffic) + ", windows=" + std::to_string(h.windows) +
                   ", intervals=" + std::to_string(h.intervals) + ", alarms=" + std::to_string(h.alarms) + ")";
        });
    py::class_<MetricCalibration>(module, "MetricCalibration", "What history says of one metric.")
        .def_readonly("name", &MetricCalibration::name)
        .def_property_readonly("kind", [](const MetricCalibration& m) { return member("Kind", m.kind); })
        .def_readonly("learned", &MetricCalibration::learned, "Is there noise for the plan to carry?")
        .def_readonly("alpha", &MetricCalibration::alpha, "Its share of alpha, which `held_back` was played at.")
        .def_readonly("differences", &MetricCalibration::differences, "Intervals of history with both arms.")
        .def_readonly("independent", &MetricCalibration::independent, "The independent ones that they are worth.")
        .def_readonly("typical", &MetricCalibration::typical,
                      "Gauge: the median size of the difference between two arms of one version.")
        .def_readonly("level", &MetricCalibration::level, "Gauge: the baseline's median.")
        .def_readonly("dispersion", &MetricCalibration::dispersion,
                      "Proportion: long-run variance over the binomial one.")
        .def_readonly("instances", &MetricCalibration::instances, "Instances that took turns as the canary; 0: none.")
        .def_readonly("instance_deviation", &MetricCalibration::instance_deviation,
                      "Gauge: standard deviation between instances.")
        .def_readonly("held_back", &MetricCalibration::held_back, "One a stage.")
        .def_readonly("refuted", &MetricCalibration::refuted,
                      "Did the half held back contradict the noise? The metric decides nothing then.")
        .def_readonly("reasons", &MetricCalibration::reasons, "What the noise is made of, and what is too little.")
        .def("__repr__", [](const MetricCalibration& m) {
            return "MetricCalibration(name=" + py::cast<std::string>(py::repr(py::str(m.name))) +
                   ", learned=" + (m.learned ? "True" : "False") + ")";
        });
    py::class_<Calibration>(module, "Calibration")
        .def_property_readonly(
            "metrics", [](const Calibration& c) { return by_name(c.metrics); },
            "What history says of each metric, found by index and by name.")
        .def(
            "to_json",
            [](const Calibration& c, std::optional<int> indent) {
                return io::write_calibration(c, indent.value_or(-1));
            },
            py::arg("indent") = 2, "The calibration as JSON text; indent None puts all on one line.")
        .def(
            "to_dict", [](const Calibration& c) { return from_python("json", "loads")(io::write_calibration(c)); },
            "What `to_json` says, as a dict: an unknown number is None.");
    module.def("calibrate", [](const Plan& plan, const Batch& history, const std::vector<Batch>& releases,
                               const py::object& progress) {
        if (progress.is_none()) {
            const py::gil_scoped_release release;
            return calibrate(plan, history, releases);
        }
        return calibrate(plan, history, releases, [&](double share) { progress(share); });
    });
    module.def("plan_with_noise",
               [](const Plan& plan, const Calibration& c) { return io::write_plan(with_noise(plan, c)); });
    module.def("calibration_text", [](const Plan& plan, const Calibration& c) { return report::text(plan, c); });
}

void register_monitor(py::module_& module) {
    py::class_<SharedMonitor>(module, "Monitor")
        .def(py::init<const Plan&>(), py::arg("plan"))
        .def("_observe",
             [](SharedMonitor& shared, const Batch& batch, std::optional<std::int64_t> now_ms) {
                 return shared.with([&](Monitor& m) { return m.observe(batch, now_ms); });
             })
        .def("_enter_stage", [](SharedMonitor& shared, int stage,
                                std::int64_t at_ms) { shared.with([&](Monitor& m) { m.enter_stage(stage, at_ms); }); })
        .def("_restart",
             [](SharedMonitor& shared, py::handle arm, const std::string& instance, std::int64_t at_ms) {
                 const Arm which = word_argument<Arm>("arm", arm);
                 shared.with([&](Monitor& m) { m.restart(which, instance, at_ms); });
             })
        .def(
            "flush", [](SharedMonitor& shared) { return shared.with([](Monitor& m) { return m.flush(); }); },
            "Judges all that has come without waiting for `settle` any longer: for data that are complete.")
        .def_property_readonly(
            "decision", [](SharedMonitor& shared) { return shared.with([](Monitor& m) { return m.decision(); }); },
            "The last decision again; before any data a hold.")
        .def(
            "state",
            [](SharedMonitor& shared) { return to_bytes(shared.with([](Monitor& m) { return encode(m.state()); })); },
            "All that it remembers, as bytes; for a process that may be stopped at any time.")
        .def(
            "restore",
            [](SharedMonitor& shared, const py::bytes& state) {
                const auto known = decode<MonitorState>(from_bytes(state));
                shared.with([&](Monitor& m) { m.restore(known); });
            },
            py::arg("state"),
            R"(Takes over the bytes that `state` gave to a Monitor of the same plan.

Raises `serinus.Error` with code "serinus.state.*" for anything else; the monitor is unchanged then.)");
    module.def("judge", [](const Plan& plan, const Batch& batch, std::optional<std::int64_t> now_ms) {
        const py::gil_scoped_release release;
        return judge(plan, batch, now_ms);
    });
}

}  // namespace

void register_rollout(py::module_& module) {
    register_plan(module);
    register_burn_result(module);
    register_decision(module);
    register_calibration(module);
    register_monitor(module);
}

}  // namespace serinus::python
