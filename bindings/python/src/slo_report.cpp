/// \file
/// What `serinus burn` answers, for Python: slo/burn_report, from data in any form that `judge` takes.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <pybind11/stl.h>

#include <serinus/io/burn.hpp>
#include <serinus/report/burn.hpp>
#include <serinus/rollout/batch.hpp>
#include <serinus/rollout/service.hpp>
#include <serinus/slo/burn_report.hpp>

#include "arguments.hpp"
#include "slo.hpp"

namespace serinus::python {

void register_slo_report(Module& module) {
    using namespace py::literals;
    module.def("_burn_report", [](const slo::Objective& objective, const slo::Policy& policy, const Batch& batch,
                                  std::string bad, std::string good, std::string total, bool deltas, py::handle arm,
                                  const py::list& windows, py::handle semantics, std::optional<std::int64_t> now_ms,
                                  py::handle interval) {
        ServiceNames names{.bad = std::move(bad), .good = std::move(good), .total = std::move(total)};
        if (deltas) names.kind = slo::SeriesKind::delta;
        if (!arm.is_none()) names.arm = word_argument<Arm>("arm", arm);
        const auto length = [](const char* field, py::handle value) { return duration_argument(field, value); };
        slo::BurnReportOptions options{.semantics = word_argument<slo::Semantics>("semantics", semantics),
                                       .interval = length("interval", interval)};
        names.start_times = options.semantics == slo::Semantics::exact;
        for (const py::handle window : windows) options.windows.push_back(length("window", window));
        if (now_ms) options.now = from_ms(*now_ms);
        slo::BurnReport report;
        std::string text, json;
        std::optional<CountsForCounter> counts;
        std::optional<EqualSeries> equal;
        {
            const py::gil_scoped_release release;
            const std::vector<slo::ServiceSeries> series = service_series(batch, names);
            counts = counts_for_counter(series);
            equal = equal_series(batch, names);
            report = slo::burn_report(objective, policy, series, options);
            text = report::text(report);
            json = io::write_burn(report);
        }
        const auto warn = [](const std::string& said) {
            if (PyErr_WarnEx(PyExc_UserWarning, said.c_str(), 2) != 0) throw py::error_already_set();
        };
        if (equal) {
            warn(equal->series + " and " + equal->other + " of the " + std::string(word(equal->arm)) +
                 " are equal sample by sample: if one target is scraped twice, all of its events count twice");
        }
        if (counts) {
            warn("the series of " + std::string(word(counts->role)) + " falls in " + std::to_string(counts->falls) +
                 " of " + std::to_string(counts->steps) +
                 " steps, as no cumulative counter does: counts an interval need deltas=True");
        }
        return py::dict("time"_a = static_cast<double>(to_ms(report.now)) / 1000, "windows"_a = report.windows,
                        "alerts"_a = alert_fields(report.alerts),
                        "firing"_a = Value<std::optional<Severity>>::give(report.firing), "budget"_a = report.budget,
                        "time_to_exhaustion"_a = report.time_to_exhaustion.count() / 1000,
                        "samples"_a = fields_of(report.samples), "text"_a = text, "json"_a = json);
    });
}

}  // namespace serinus::python
