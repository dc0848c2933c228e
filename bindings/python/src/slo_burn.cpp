/// \file
/// Objectives, burn rates and alerts: slo/ for Python.

#include <chrono>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <pybind11/stl.h>

#include <serinus/core/state.hpp>
#include <serinus/core/text.hpp>
#include <serinus/series/duration.hpp>
#include <serinus/series/time.hpp>
#include <serinus/slo/alerts.hpp>
#include <serinus/slo/burn_rate.hpp>
#include <serinus/slo/error_budget.hpp>
#include <serinus/slo/objective.hpp>
#include <serinus/slo/policy.hpp>
#include <serinus/slo/time_slices.hpp>

#include "arguments.hpp"

namespace serinus::python {
namespace {

using slo::Alert;
using slo::Alerts;
using slo::BurnRate;
using slo::Condition;
using slo::Objective;
using slo::Policy;
using slo::WindowBurn;

double seconds_of(Time time) { return static_cast<double>(to_ms(time)) / 1000; }

py::object seconds_or_none(const std::optional<Time>& time) {
    return time ? py::object(py::float_(seconds_of(*time))) : py::object(py::none());
}

py::object unless(bool absent, double value) { return absent ? py::object(py::none()) : py::object(py::float_(value)); }

using Times = py::array_t<std::int64_t, py::array::c_style | py::array::forcecast>;
using Values = py::array_t<double, py::array::c_style | py::array::forcecast>;

template <class Array>
auto as_span(const Array& array) {
    return std::span(array.data(), static_cast<std::size_t>(array.size()));
}

double budget_of(py::handle target) {
    if (PyUnicode_Check(target.ptr())) return slo::budget_from_target(text_argument("target", target));
    const double number = PyBool_Check(target.ptr()) ? std::nan("") : PyFloat_AsDouble(target.ptr());
    if (PyErr_Occurred() != nullptr) {
        PyErr_Clear();
        raise(Code::argument_type, "target is " + shown(target) + "; allowed: a text such as \"99.9%\", or a number");
    }
    if (!(number > 0 && number < 1)) {  // said here, as the number was written
        raise(Code::slo_target, "target is " + shown(target) + "; allowed: above 0 and below 1");
    }
    return slo::budget_from_target(number);
}

/// A duration above 0, refused as it was given: what comes later knows the milliseconds only.
std::chrono::milliseconds length_argument(const std::string& field, py::handle value) {
    const std::chrono::milliseconds length = duration_argument(field, value);
    if (length.count() <= 0)
        raise(Code::argument_range, field + " is " + shown(value) + "; allowed: above 0 ms, at most 9999 years");
    return length;
}

void register_objective(py::module_& module) {
    module.def("budget_from_target", &budget_of, py::arg("target"),
               R"(The share of events that may be bad under a target: 0.001 for "99.9%", "0.999" or 0.999.

The target is subtracted from 1 in decimal, so that the budget is the number next to the decimal one, which 1 - 0.999 is
not. Raises `serinus.Error` with code "serinus.slo.target" for what is no target between 0 and 1.)");
    py::class_<Objective>(module, "Objective",
                          R"(A promise: of all events in a period, at most the share `budget` is bad.

Parameters
----------
name : str
budget : float
    The share that may be bad, in (0, 1): 0.001, never 1 - 0.999.
target : str or float
    Instead of a budget: "99.9%", "0.999" or 0.999.
period : str, timedelta or float
    Its length: "30d", or seconds.
expected_events : float, optional
    Events of a whole period; without it they are learned from traffic.
)")
        .def(py::init([](std::string name, std::optional<double> budget, py::handle target, py::handle period,
                         std::optional<double> expected) {
                 if (budget.has_value() == !target.is_none()) {
                     raise(Code::argument_range,
                           "an objective has both a budget and a target, or neither; allowed: one "
                           "of them");
                 }
                 Objective objective{.name = std::move(name),
                                     .budget = budget ? *budget : budget_of(target),
                                     .period = length_argument("period", period),
                                     .expected_events = expected};
                 slo::check(objective);
                 return objective;
             }),
             py::arg("name") = "", py::kw_only(), py::arg("budget") = py::none(), py::arg("target") = py::none(),
             py::arg("period") = "30d", py::arg("expected_events") = py::none())
        .def_readonly("name", &Objective::name, "What the promise is called.")
        .def_readonly("budget", &Objective::budget, "The share of events that may be bad.")
        .def_property_readonly(
            "period", [](const Objective& o) { return format_duration(o.period); }, "Its period, as a text.")
        .def_property_readonly("period_ms", [](const Objective& o) { return o.period.count(); })
        .def_readonly("expected_events", &Objective::expected_events, "Events of a whole period, where given.")
        .def(
            "__eq__", [](const Objective& a, const Objective& b) { return a == b; }, py::is_operator())
        .def("__repr__", [](const Objective& o) {
            return "Objective(" + (o.name.empty() ? std::string() : in_quotes(o.name) + ", ") +
                   "budget=" + number_text(o.budget) + ", period=\"" + format_duration(o.period) + "\")";
        });
}

void register_policy(py::module_& module) {
    py::class_<Condition>(module, "Condition", R"(A rule: the burn rates of both windows exceed the factor, strictly.

Parameters
----------
long, short : str, timedelta or float
    The windows: how much was lost, and that it still goes on; "1h", or seconds. `short` is at most `long`.
factor : float
    Times the budget's rate.
severity : {"page", "ticket", "info"}
name : str
    Different in each condition of a policy; without it severity and long window: "page.1h".
for_ : str, timedelta or float
    Fires once it has held this long.
keep_firing_for : str, timedelta or float
    Goes on firing this long after the first evaluation at which it no longer held, as Prometheus' rules do.
)")
        .def(py::init([](py::handle longer, py::handle shorter, double factor, py::handle severity, std::string name,
                         py::handle for_, py::handle keep_firing_for) {
                 Condition condition{.name = std::move(name),
                                     .long_window = length_argument("long", longer),
                                     .short_window = length_argument("short", shorter),
                                     .factor = factor,
                                     .severity = word_argument<Severity>("severity", severity),
                                     .pending_for = duration_argument("for_", for_),
                                     .keep_firing_for = duration_argument("keep_firing_for", keep_firing_for)};
                 if (condition.name.empty())
                     condition.name =
                         std::string(word(condition.severity)) + "." + format_duration(condition.long_window);
                 return condition;
             }),
             py::arg("long"), py::arg("short"), py::arg("factor"), py::arg("severity") = "page", py::arg("name") = "",
             py::arg("for_") = "0", py::arg("keep_firing_for") = "0")
        .def_readonly("name", &Condition::name)
        .def_property_readonly("long", [](const Condition& c) { return format_duration(c.long_window); })
        .def_property_readonly("short", [](const Condition& c) { return format_duration(c.short_window); })
        .def_readonly("factor", &Condition::factor)
        .def_property_readonly("severity", [](const Condition& c) { return member("Severity", c.severity); })
        .def_property_readonly("for_", [](const Condition& c) { return format_duration(c.pending_for); })
        .def_property_readonly("keep_firing_for", [](const Condition& c) { return format_duration(c.keep_firing_for); })
        .def(
            "__eq__", [](const Condition& a, const Condition& b) { return a == b; }, py::is_operator())
        .def("__repr__", [](const Condition& c) {
            return "Condition(long=\"" + format_duration(c.long_window) + "\", short=\"" +
                   format_duration(c.short_window) + "\", factor=" + number_text(c.factor) + ", severity=\"" +
                   std::string(word(c.severity)) + "\", name=" + in_quotes(c.name) + ")";
        });
    py::class_<Policy>(module, "Policy", R"(Conditions, any of which alerts; a page outranks a ticket.

Parameters
----------
conditions : list of Condition
min_events : float
    A condition whose long window has fewer events does not fire; its status is "insufficient".
min_probability : float, optional
    A condition fires only where the probability that the true burn rate exceeds the factor (Jeffreys' posterior, long
    window) reaches this; 0.95 is usual.
)")
        .def(py::init([](std::vector<Condition> conditions, double min_events, std::optional<double> min_probability) {
                 return Policy{
                     .conditions = std::move(conditions), .min_events = min_events, .min_probability = min_probability};
             }),
             py::arg("conditions"), py::arg("min_events") = 0.0, py::arg("min_probability") = py::none())
        .def_readonly("conditions", &Policy::conditions)
        .def_readonly("min_events", &Policy::min_events)
        .def_readonly("min_probability", &Policy::min_probability)
        .def_property_readonly(
            "windows",
            [](const Policy& policy) {
                std::vector<std::string> windows;
                for (const std::chrono::milliseconds window : slo::windows_of(policy))
                    windows.push_back(format_duration(window));
                return windows;
            },
            "The windows that the conditions look at, each once.")
        .def(
            "check", [](const Policy& policy, const Objective& objective) { slo::check(policy, objective); },
            py::arg("objective"),
            R"(Raises `serinus.Error` for a policy that means nothing under an objective.

Its code is "serinus.slo.never_fires", and the message has the arithmetic, for a condition that no error rate can meet.)")
        .def(
            "__eq__", [](const Policy& a, const Policy& b) { return a == b; }, py::is_operator())
        .def("__repr__", [](const Policy& policy) {
            std::string text = "Policy(" + py::cast<std::string>(py::repr(py::cast(policy.conditions)));
            if (policy.min_events != 0) text += ", min_events=" + number_text(policy.min_events);
            if (policy.min_probability) text += ", min_probability=" + number_text(*policy.min_probability);
            return text + ")";
        });
    module.def(
        "sre_workbook_policy",
        [](py::handle period) { return slo::sre_workbook_policy(length_argument("period", period)); },
        py::arg("period") = "30d",
        R"(The multiwindow, multi-burn-rate policy of the Site Reliability Workbook, chapter 5.

Page for 2 % of the budget in 1 h or 5 % in 6 h, ticket for 10 % in 3 d, and, as Sloth has it, for 10 % in 1 d; the short
windows are a twelfth. The factors follow the period: 14.4, 6, 3, 1 for 30 d.)");
}

void register_burn(py::module_& module) {
    py::class_<WindowBurn>(module, "WindowBurn", R"(The burn rate of one window at one time.

Attributes
----------
window : str
    As `format_duration` writes it: "5m", "1h".
burn : float or None
    ratio / budget; None when absent, NaN when there was no traffic (0/0).
ratio : float or None
    bad / total.
bad, total : float or None
    Events in the window; None when no series has them.
status : BurnStatus
    "ok", "no_traffic" or "absent".
coverage : float
    Share of the window in which some series was sampled closely enough, in [0, 1].
exact : bool
    False where a thinned history could only approximate the window.
edge_error_events, edge_error_bad : float
    At most so many of `total`, and of `bad`, lie before the window; 0 where exact.
)")
        .def_property_readonly("window", [](const WindowBurn& w) { return format_duration(w.window); })
        .def_property_readonly("burn",
                               [](const WindowBurn& w) { return unless(w.status == slo::BurnStatus::absent, w.burn); })
        .def_property_readonly("ratio",
                               [](const WindowBurn& w) { return unless(w.status == slo::BurnStatus::absent, w.ratio); })
        .def_property_readonly("bad", [](const WindowBurn& w) { return unless(std::isnan(w.bad), w.bad); })
        .def_property_readonly("total", [](const WindowBurn& w) { return unless(std::isnan(w.total), w.total); })
        .def_property_readonly("status", [](const WindowBurn& w) { return member("BurnStatus", w.status); })
        .def_readonly("coverage", &WindowBurn::coverage)
        .def_readonly("exact", &WindowBurn::exact)
        .def_readonly("edge_error_events", &WindowBurn::edge_error_events)
        .def_readonly("edge_error_bad", &WindowBurn::edge_error_bad)
        .def("__repr__", [](const WindowBurn& w) {
            const auto text = [](bool absent, double value) {
                return absent ? std::string("None") : std::isnan(value) ? std::string("nan") : number_text(value);
            };
            return "WindowBurn(window='" + format_duration(w.window) +
                   "', burn=" + text(w.status == slo::BurnStatus::absent, w.burn) +
                   ", bad=" + text(std::isnan(w.bad), w.bad) + ", total=" + text(std::isnan(w.total), w.total) +
                   ", status='" + std::string(word(w.status)) + "', coverage=" + number_text(w.coverage) + ")";
        });

    py::class_<BurnRate>(module, "BurnRate")
        .def(py::init([](double budget, const py::list& windows, py::handle semantics, py::handle keep, py::handle raw,
                         py::handle interval) {
            slo::BurnRateOptions options{.budget = budget,
                                         .windows = {},
                                         .semantics = word_argument<slo::Semantics>("semantics", semantics),
                                         .keep = word_argument<slo::Keep>("keep", keep),
                                         .raw = length_argument("raw", raw)};
            for (const py::handle window : windows) options.windows.push_back(length_argument("window", window));
            if (!interval.is_none()) options.interval = length_argument("interval", interval);
            return BurnRate(options);
        }))
        .def("_add_series",
             [](BurnRate& burn, py::handle role, py::handle kind, std::string instance) {
                 return burn.add_series(word_argument<slo::Role>("role", role),
                                        word_argument<slo::SeriesKind>("kind", kind), std::move(instance));
             })
        .def("_add",
             [](BurnRate& burn, std::size_t series, const Times& times, const Values& values) {
                 const auto at = as_span(times);
                 const auto numbers = as_span(values);
                 const py::gil_scoped_release release;
                 burn.add(series, at, numbers);
             })
        .def("_at",
             [](BurnRate& burn, std::int64_t time_ms) {
                 const auto found = burn.at(from_ms(time_ms));
                 return std::vector<WindowBurn>(found.begin(), found.end());
             })
        .def("_over",
             [](const BurnRate& burn, const Times& times, const std::vector<std::string>& fields) {
                 const auto span = as_span(times);
                 const std::size_t windows = burn.options().windows.size(), size = span.size();
                 std::vector<slo::BurnArrays> arrays(windows);
                 py::list all;
                 // One block of memory a field, a row of it a window; NumPy does not set it to 0.
                 const auto rows = [&]<class T>(T* slo::BurnArrays::*field) {
                     py::array_t<T> block({windows, size});
                     for (std::size_t w = 0; w < windows; ++w) arrays[w].*field = block.mutable_data() + w * size;
                     all.append(block);
                 };
                 for (const std::string& field : fields) {
                     if (field == "burn") rows(&slo::BurnArrays::burn);
                     if (field == "ratio") rows(&slo::BurnArrays::ratio);
                     if (field == "bad") rows(&slo::BurnArrays::bad);
                     if (field == "total") rows(&slo::BurnArrays::total);
                     if (field == "coverage") rows(&slo::BurnArrays::coverage);
                 }
                 const py::gil_scoped_release release;
                 burn.over(span, std::span<const slo::BurnArrays>(arrays));
                 return all;
             })
        .def("_window_texts",
             [](const BurnRate& burn) {
                 std::vector<std::string> texts;
                 for (const std::chrono::milliseconds window : burn.options().windows)
                     texts.push_back(format_duration(window));
                 return texts;
             })
        .def("_tally",
             [](const BurnRate& burn, std::optional<std::size_t> series) {
                 const slo::SampleTally tally = series ? burn.tally(*series) : burn.tally();
                 using namespace py::literals;
                 return py::dict("taken"_a = tally.taken, "reordered"_a = tally.reordered, "late"_a = tally.late,
                                 "duplicates"_a = tally.duplicates, "conflicts"_a = tally.conflicts,
                                 "not_numbers"_a = tally.not_numbers, "resets"_a = tally.resets, "dips"_a = tally.dips);
             })
        .def_property_readonly(
            "budget", [](const BurnRate& burn) { return burn.options().budget; },
            "The share of events that may be bad.")
        .def_property_readonly(
            "semantics", [](const BurnRate& burn) { return std::string(word(burn.options().semantics)); },
            "What an increase is.")
        .def_property_readonly(
            "memory_bytes", [](const BurnRate& burn) { return burn.memory_bytes(); }, "What the samples take.")
        .def(
            "state", [](const BurnRate& burn) { return to_bytes(encode(burn.state())); },
            "All series and samples that it keeps, as bytes; for a process that may be stopped at any time.")
        .def(
            "restore",
            [](BurnRate& burn, const py::bytes& state) { burn.restore(decode<slo::BurnRateState>(from_bytes(state))); },
            py::arg("state"),
            R"(Takes over the bytes that `state` gave, with their series.

Raises `serinus.Error` with code "serinus.state.*" for anything else, and for a state that was taken under other
options; nothing changes then.)");
}

void register_alerts(py::module_& module) {
    py::class_<Alert>(module, "_Alert")
        .def_property_readonly("state", [](const Alert& a) { return member("AlertState", a.state); })
        .def_property_readonly("status", [](const Alert& a) { return member("BurnStatus", a.status); })
        .def_property_readonly("active_since", [](const Alert& a) { return seconds_or_none(a.active_since); })
        .def_property_readonly("firing_since", [](const Alert& a) { return seconds_or_none(a.firing_since); })
        .def_readonly("long_burn", &Alert::long_burn)
        .def_readonly("short_burn", &Alert::short_burn);
    const auto severity = [](const std::optional<Severity>& found) {
        return found ? member("Severity", *found) : py::object(py::none());
    };
    py::class_<Alerts>(module, "Alerts")
        .def(py::init<Policy, const Objective&>())
        .def("_update", [](Alerts& alerts, std::int64_t time_ms,
                           const std::vector<WindowBurn>& burns) { alerts.update(from_ms(time_ms), burns); })
        .def("_alerts", [](const Alerts& alerts) { return alerts.alerts(); })
        .def_property_readonly("policy", &Alerts::policy, "The policy that it evaluates.")
        .def_property_readonly(
            "firing", [severity](const Alerts& alerts) { return severity(alerts.firing()); },
            "The gravest severity that fires (\"page\" before \"ticket\" before \"info\"), or None.")
        .def_property_readonly(
            "pending", [severity](const Alerts& alerts) { return severity(alerts.pending()); },
            "The gravest severity that waits for its `for_`, or None.")
        .def(
            "state", [](const Alerts& alerts) { return to_bytes(encode(alerts.state())); },
            "What each condition remembers, as bytes.")
        .def(
            "restore",
            [](Alerts& alerts, const py::bytes& state) { alerts.restore(decode<slo::AlertsState>(from_bytes(state))); },
            py::arg("state"), "Takes over the bytes that `state` gave; raises `serinus.Error` for anything else.");
    module.def("_alerts_over",
               [](const Policy& policy, const Objective& objective, const BurnRate& burn, const Times& times) {
                   slo::AlertHistory history;
                   {
                       const auto span = as_span(times);
                       const py::gil_scoped_release release;
                       history = slo::alerts_over(policy, objective, burn, span);
                   }
                   const auto seconds = [](const std::vector<slo::FiringInterval>& intervals) {
                       py::list all;
                       for (const auto& [first, last] : intervals)
                           all.append(py::make_tuple(seconds_of(first), seconds_of(last)));
                       return all;
                   };
                   py::dict conditions, severities;
                   for (std::size_t i = 0; i < policy.conditions.size(); ++i)
                       conditions[py::str(policy.conditions[i].name)] = seconds(history.by_condition[i]);
                   for (const auto& [value, text] : Words<Severity>::table)
                       severities[py::str(text.data(), text.size())] = seconds(history.of(value));
                   return py::make_tuple(conditions, severities);
               });
}

void register_budget(py::module_& module) {
    py::class_<slo::ErrorBudget>(module, "ErrorBudget", R"(The error budget of a period; NaN where data are absent.

Attributes
----------
expected_events : float
    Events that the whole period has: the objective's, else learned from traffic.
allowed_bad : float
    budget x expected events.
bad : float
    Bad events so far.
consumed : float
    bad / allowed; above 1 when overspent.
remaining : float
    1 - consumed; below 0 when overspent.
)")
        .def_readonly("expected_events", &slo::ErrorBudget::expected_events)
        .def_readonly("allowed_bad", &slo::ErrorBudget::allowed_bad)
        .def_readonly("bad", &slo::ErrorBudget::bad)
        .def_readonly("consumed", &slo::ErrorBudget::consumed)
        .def_readonly("remaining", &slo::ErrorBudget::remaining)
        .def("__repr__", [](const slo::ErrorBudget& b) {
            return "ErrorBudget(consumed=" + number_text(b.consumed) + ", remaining=" + number_text(b.remaining) +
                   ", bad=" + number_text(b.bad) + ", allowed_bad=" + number_text(b.allowed_bad) + ")";
        });
    module.def("_error_budget", &slo::error_budget);
    module.def("_time_to_exhaustion", [](const Objective& objective, double remaining, double burn) {
        return slo::time_to_exhaustion(objective, remaining, burn).count() / 1000;
    });
    module.def("_time_slices", [](const BurnRate& burn, std::int64_t start_ms, std::int64_t end_ms, py::handle slice,
                                  double allowed_ratio) {
        const slo::TimeSlices found =
            slo::time_slices(burn, from_ms(start_ms), from_ms(end_ms), length_argument("slice", slice), allowed_ratio);
        using namespace py::literals;
        return py::dict("slices"_a = found.slices, "bad_slices"_a = found.bad_slices, "no_traffic"_a = found.no_traffic,
                        "absent"_a = found.absent, "occurrences"_a = found.bad_share(slo::Budgeting::occurrences),
                        "timeslices"_a = found.bad_share(slo::Budgeting::timeslices),
                        "ratio_timeslices"_a = found.bad_share(slo::Budgeting::ratio_timeslices));
    });
}

}  // namespace

void register_slo_burn(py::module_& module) {
    register_objective(module);
    register_policy(module);
    register_burn(module);
    register_alerts(module);
    register_budget(module);
}

}  // namespace serinus::python
