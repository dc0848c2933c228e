/// \file
/// The Python module serinus._core: errors, times, structs; the rest is registered by its own part.

#include <algorithm>
#include <exception>
#include <string>
#include <vector>

#include <pybind11/stl.h>

#include <serinus/core/code_named.hpp>
#include <serinus/core/error.hpp>
#include <serinus/core/evidence.hpp>
#include <serinus/core/reason.hpp>
#include <serinus/core/text.hpp>
#include <serinus/core/version.hpp>
#include <serinus/numeric/elementary.hpp>
#include <serinus/series/time.hpp>

#include "arguments.hpp"
#include "bind.hpp"

namespace serinus::python {
namespace {

void translate(std::exception_ptr thrown) {
    try {
        if (thrown) std::rethrow_exception(thrown);
    } catch (const Error& error) {
        const py::object type = from_python("serinus._errors", "Error");
        const py::object made =
            type(error.what(), py::str(error.name().data(), error.name().size()), static_cast<int>(error.code()));
        PyErr_SetObject(type.ptr(), made.ptr());
    }
}

/// Raises the error of that name, for checks that are made in Python.
[[noreturn]] void fail(std::string_view code, const std::string& sentence) {
    const std::optional<Code> known = code_named(code);
    if (!known) throw py::value_error("no such error code: " + std::string(code));
    raise(*known, sentence);
}

}  // namespace

}  // namespace serinus::python

PYBIND11_MODULE(_core, own) {
    using namespace serinus::python;
    Module module(own);
    module.doc() = "The compiled part of serinus; use the package `serinus` instead.";
    py::register_exception_translator(&translate);
    module.def("exp", [](double x) { return serinus::elementary::exp(x); });
    module.def("number_text", [](double number) { return serinus::number_text(number); });
    module.def("duration_ms", [](py::handle given) { return duration_argument("duration", given).count(); });
    module.def("sentence", [](const serinus::Reason& reason) { return sentence(reason); });
    module.def("code_number", [](py::handle code) { return static_cast<int>(code_argument("code", code)); });
    module.def("version", [] { return serinus::version(); });
    module.def("number", [](const std::string& name, py::handle given) { return number_argument(name, given); });
    module.def("fail", &fail, py::arg("code"), py::arg("sentence"));
    module.def(
        "parse_time",
        [](const std::string& text, const std::string& field) {
            return serinus::to_ms(serinus::parse_time(text, field));
        },
        py::arg("text"), py::arg("field"));
    module.def(
        "time_from_number",
        [](double number, const std::string& field) {
            return serinus::to_ms(serinus::time_from_number(number, field));
        },
        py::arg("number"), py::arg("field"));
    module.def(
        "format_time", [](std::int64_t ms) { return serinus::format_time(ms); }, py::arg("ms"));
    define_structs<serinus::Evidence, serinus::Reason>(module);
    register_fixed(module);
    register_sequential_boundaries(module);
    register_sequential_values(module);
    register_sequential_counts(module);
    register_slo_burn(module);
    register_slo_release(module);
    register_slo_report(module);
    register_io(module);
    register_rollout(module);
    register_command(module);
}
