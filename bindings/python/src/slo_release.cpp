/// \file
/// What a deployment costs of an error budget, for Python: how sure a burn rate is, the excess over the baseline, and a
/// policy as Prometheus rules.

#include <cstdint>
#include <string>

#include <pybind11/stl.h>

#include <serinus/io/rules.hpp>
#include <serinus/slo/burn_statistics.hpp>
#include <serinus/slo/deployment_budget.hpp>
#include <serinus/slo/excess_sequence.hpp>
#include <serinus/slo/objective.hpp>
#include <serinus/slo/policy.hpp>

#include "arguments.hpp"
#include "bind.hpp"
#include "sequential.hpp"
#include "slo.hpp"

namespace serinus::python {
namespace {

using slo::ExcessSequence;

/// Counts of one arm, `bad` and `total` being what the caller calls them.
Proportion events_argument(const char* bad_name, py::handle bad, const char* total_name, py::handle total) {
    return {count_argument(bad_name, bad), count_argument(total_name, total)};
}

slo::BurnIntervalResult burn_interval(py::handle bad, py::handle total, double budget, const py::kwargs& given) {
    return slo::burn_interval(events_argument("bad", bad, "total", total), budget,
                              from_fields<slo::BurnIntervalOptions>(given));
}

slo::DeploymentBudgetResult deployment_budget(py::handle bad_b, py::handle total_b, py::handle bad_c,
                                              py::handle total_c, const py::kwargs& given) {
    return slo::deployment_budget(events_argument("bad_b", bad_b, "total_b", total_b),
                                  events_argument("bad_c", bad_c, "total_c", total_c),
                                  from_fields<slo::DeploymentBudgetOptions>(given));
}

py::tuple counts_tuple(const Proportion& counts) { return py::make_tuple(counts.bad, counts.total); }

void register_excess(Module& module) {
    auto type = bind_test<ExcessSequence>(module, "ExcessSequence");
    type.def(
            "update",
            [](ExcessSequence& excess, py::handle bad_b, py::handle total_b, py::handle bad_c, py::handle total_c) {
                excess.update({count_argument("bad_b", bad_b), count_argument("total_b", total_b)},
                              {count_argument("bad_c", bad_c), count_argument("total_c", total_c)});
            },
            py::arg("bad_b"), py::arg("total_b"), py::arg("bad_c"), py::arg("total_c"),
            R"(Takes the counts of one interval: bad of total events in the baseline, then in the canary.

An interval without events of the canary, or with more than 20 times as many as the baseline has, is left out and
changes nothing. Impossible counts (negative, fractional, bad above total, above 2^53) raise `serinus.Error` with code
"serinus.argument.count" and change nothing.)")
        .def("_update_many", &update_proportions<ExcessSequence>)
        .def_property_readonly("estimate", &ExcessSequence::estimate,
                               "The excess that was seen: bad events of the canary less the baseline's share.")
        .def_property_readonly("lower", &ExcessSequence::lower,
                               "The expected excess is never below this, but with probability alpha_lower.")
        .def_property_readonly("upper", &ExcessSequence::upper,
                               "The expected excess is never above this, but with probability alpha_upper.")
        .def_property_readonly("canary_lower", &ExcessSequence::canary_lower,
                               "The same bound of all the canary's expected bad events, whatever the baseline does.")
        .def_property_readonly("canary_upper", &ExcessSequence::canary_upper,
                               "The same bound of all the canary's expected bad events, whatever the baseline does.")
        .def_property_readonly(
            "baseline", [](const ExcessSequence& excess) { return counts_tuple(excess.baseline()); },
            "Bad and all events of the baseline, in the intervals that count.")
        .def_property_readonly(
            "canary", [](const ExcessSequence& excess) { return counts_tuple(excess.canary()); },
            "Bad and all events of the canary, in the intervals that count.")
        .def("log_e_value_above", &ExcessSequence::log_e_value_above, py::arg("excess"),
             "Natural log of the e-value against \"the expected excess is at most this\".")
        .def("log_e_value_below", &ExcessSequence::log_e_value_below, py::arg("excess"),
             "Natural log of the e-value against \"the expected excess is at least this\".");
}

std::string prometheus_rules(const slo::Objective& objective, const slo::Policy& policy, py::handle bad,
                             py::handle total, py::handle interval, py::handle no_data) {
    io::RulesOptions options{.bad = std::string(text_argument("bad", bad)),
                             .total = std::string(text_argument("total", total))};
    if (!interval.is_none()) options.interval = duration_argument("interval", interval);
    if (!no_data.is_none()) options.no_data = word_argument<Severity>("no_data", no_data);
    return io::write_rules(objective, policy, options);
}

}  // namespace

void register_slo_release(Module& module) {
    define_structs<slo::BurnIntervalResult, slo::DeploymentBudgetResult>(module);
    module.def("burn_interval", &burn_interval);
    module.def("probability_burn_exceeds", [](py::handle bad, py::handle total, double budget, double factor) {
        return slo::probability_burn_exceeds(events_argument("bad", bad, "total", total), budget, factor);
    });
    module.def("burn_p_value", [](py::handle bad, py::handle total, double budget, double factor) {
        return slo::burn_p_value(events_argument("bad", bad, "total", total), budget, factor);
    });
    module.def("deployment_budget", &deployment_budget);
    register_excess(module);
    module.def("prometheus_rules", &prometheus_rules);
}

}  // namespace serinus::python
