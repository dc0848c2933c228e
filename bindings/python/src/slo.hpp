#pragma once
/// \file
/// How objectives, conditions and burn rates look in Python, for all parts that hand them over.

#include <cmath>
#include <limits>
#include <optional>
#include <vector>

#include <pybind11/stl.h>

#include <serinus/series/time.hpp>
#include <serinus/slo/alerts.hpp>
#include <serinus/slo/burn_window.hpp>
#include <serinus/slo/objective.hpp>
#include <serinus/slo/policy.hpp>

#include "bind.hpp"

namespace serinus::python {

/// What alerts say, in dicts; times in Unix seconds. Python adds the name and the severity of each one's condition.
inline double seconds_of(Time time) { return static_cast<double>(to_ms(time)) / 1000; }
inline py::list alert_fields(const std::vector<slo::Alert>& alerts) {
    const auto seconds = [](const std::optional<Time>& time) {
        return time ? std::optional(seconds_of(*time)) : std::nullopt;
    };
    py::list all;
    for (const slo::Alert& alert : alerts) {
        py::dict fields = fields_of(alert);
        fields["active_since"] = seconds(alert.active_since);
        fields["firing_since"] = seconds(alert.firing_since);
        all.append(fields);
    }
    return all;
}

/// What is absent is None; 0/0 is NaN.
template <>
struct Amended<slo::WindowBurn> {
    static constexpr const char* numbers[] = {"burn", "ratio", "bad", "total"};

    static void give(const slo::WindowBurn& w, py::dict& fields) {
        if (w.status == slo::BurnStatus::absent) {
            fields["burn"] = py::none();
            fields["ratio"] = py::none();
        }
        if (std::isnan(w.bad)) fields["bad"] = py::none();
        if (std::isnan(w.total)) fields["total"] = py::none();
    }
    static void take(py::dict& fields) {
        for (const char* name : numbers) {
            if (fields[name].is_none()) fields[name] = std::numeric_limits<double>::quiet_NaN();
        }
    }
    static void types(py::dict& types) {
        for (const char* name : numbers) types[name] = "float | None";
    }
};

}  // namespace serinus::python
