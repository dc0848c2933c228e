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
#include "bind.hpp"
#include "slo.hpp"

namespace serinus::python {
namespace {

using slo::Alerts;
using slo::BurnRate;
using slo::Condition;
using slo::Objective;
using slo::Policy;
using slo::WindowBurn;

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

void register_objective(Module& module) {
    module.def("budget_from_target", &budget_of, py::arg("target"),
               R"(The share of events that may be bad under a target: 0.001 for "99.9%", "0.999" or 0.999.

The target is subtracted from 1 in decimal, so that the budget is the number next to the decimal one, which 1 - 0.999 is
not. Raises `serinus.Error` with code "serinus.slo.target" for what is no target between 0 and 1.)");
    module.def("objective", [](std::string name, std::optional<double> budget, py::handle target, py::handle period,
                               std::optional<double> expected) {
        if (budget.has_value() == !target.is_none()) {
            raise(Code::argument_range,
                  "an objective has both a budget and a target, or neither; allowed: one of them");
        }
        Objective objective{.name = std::move(name),
                            .budget = budget ? *budget : budget_of(target),
                            .period = length_argument("period", period),
                            .expected_events = expected};
        slo::check(objective);
        return objective;
    });
}

void register_policy(Module& module) {
    module.def("condition", [](py::handle longer, py::handle shorter, double factor, py::handle severity,
                               std::string name, py::handle for_, py::handle keep_firing_for) {
        Condition condition{.name = std::move(name),
                            .long_window = length_argument("long", longer),
                            .short_window = length_argument("short", shorter),
                            .factor = factor,
                            .severity = word_argument<Severity>("severity", severity),
                            .pending_for = duration_argument("for_", for_),
                            .keep_firing_for = duration_argument("keep_firing_for", keep_firing_for)};
        if (condition.name.empty())
            condition.name = std::string(word(condition.severity)) + "." + format_duration(condition.long_window);
        return condition;
    });
    module.def(
        "policy", [](std::vector<Condition> conditions, double min_events, std::optional<double> min_probability) {
            return Policy{
                .conditions = std::move(conditions), .min_events = min_events, .min_probability = min_probability};
        });
    module.def("policy_windows", [](const Policy& policy) {
        return Value<std::vector<std::chrono::milliseconds>>::give(slo::windows_of(policy));
    });
    module.def("check_policy", [](const Policy& policy, const Objective& objective) { slo::check(policy, objective); });
    module.def(
        "sre_workbook_policy",
        [](py::handle period) { return slo::sre_workbook_policy(length_argument("period", period)); },
        py::arg("period") = "30d",
        R"(The multiwindow, multi-burn-rate policy of the Site Reliability Workbook, chapter 5.

Page for 2 % of the budget in 1 h or 5 % in 6 h, ticket for 10 % in 3 d, and, as Sloth has it, for 10 % in 1 d; the short
windows are a twelfth. The factors follow the period: 14.4, 6, 3, 1 for 30 d.)");
}

void register_burn(Module& module) {
    Class<BurnRate> burn_rate(module, "BurnRate");
    burn_rate
        .init([](double budget, const py::list& windows, py::handle semantics, py::handle keep, py::handle raw,
                 py::handle interval) {
            slo::BurnRateOptions options{.budget = budget,
                                         .windows = {},
                                         .semantics = word_argument<slo::Semantics>("semantics", semantics),
                                         .keep = word_argument<slo::Keep>("keep", keep),
                                         .raw = length_argument("raw", raw)};
            for (const py::handle window : windows) options.windows.push_back(length_argument("window", window));
            if (!interval.is_none()) options.interval = length_argument("interval", interval);
            return BurnRate(options);
        })
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
                 return Value<std::vector<std::chrono::milliseconds>>::give(burn.options().windows);
             })
        .def("_tally",
             [](const BurnRate& burn, std::optional<std::size_t> series) {
                 return fields_of(series ? burn.tally(*series) : burn.tally());
             })
        .def_property_readonly(
            "budget", [](const BurnRate& burn) { return burn.options().budget; },
            "The share of events that may be bad.")
        .def_property_readonly(
            "semantics", [](const BurnRate& burn) { return std::string(word(burn.options().semantics)); },
            "What an increase is.")
        .def_property_readonly(
            "memory_bytes", [](const BurnRate& burn) { return burn.memory_bytes(); }, "What the samples take.");
    bind_state<BurnRate>(burn_rate);
}

void register_alerts(Module& module) {
    Class<Alerts> type(module, "Alerts");
    type.init([](Policy policy, const Objective& objective) { return Alerts(std::move(policy), objective); })
        .def("_update", [](Alerts& alerts, std::int64_t time_ms,
                           const std::vector<WindowBurn>& burns) { alerts.update(from_ms(time_ms), burns); })
        .def("_alerts", [](const Alerts& alerts) { return alert_fields(alerts.alerts()); })
        .def_property_readonly("policy", &Alerts::policy, "The policy that it evaluates.")
        .def_property_readonly(
            "firing", [](const Alerts& alerts) { return Value<std::optional<Severity>>::give(alerts.firing()); },
            "The gravest severity that fires (\"page\" before \"ticket\" before \"info\"), or None.")
        .def_property_readonly(
            "pending", [](const Alerts& alerts) { return Value<std::optional<Severity>>::give(alerts.pending()); },
            "The gravest severity that waits for its `for_`, or None.");
    bind_state<Alerts>(type);
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

void register_budget(Module& module) {
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

void register_slo_burn(Module& module) {
    define_structs<Objective, Condition, Policy, WindowBurn, slo::ErrorBudget>(module);
    register_objective(module);
    register_policy(module);
    register_burn(module);
    register_alerts(module);
    register_budget(module);
}

}  // namespace serinus::python
