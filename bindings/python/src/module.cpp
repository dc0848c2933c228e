/// \file
/// The Python module serinus._core: errors, words, times, evidence; the rest is registered by its own part.

#include <exception>

#include <serinus/core/error.hpp>
#include <serinus/core/evidence.hpp>
#include <serinus/core/reason.hpp>
#include <serinus/core/text.hpp>
#include <serinus/core/version.hpp>
#include <serinus/numeric/elementary.hpp>
#include <serinus/series/time.hpp>

#include "arguments.hpp"

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

void register_evidence(py::module_& module) {
    py::class_<Evidence>(module, "Evidence",
                         R"(What a sequential test knows at this moment.

All of it may be looked at after every observation, as often as you like.

Attributes
----------
log_e_value : float
    Natural log of the e-value; the test has decided once it reached log(1/alpha), with side="safe"
    log(1/alpha_safe) where the test has that option.
e_value : float
    The e-value itself; infinity beyond the largest double.
p_value : float
    Always valid: min(1, 1/largest e-value so far).
estimate : float
    canary/baseline or canary - baseline, as the margin is given; under a margin with a floor the excess in units of what
    is allowed (1: the margin). NaN when there is none.
lower, upper : float
    Always-valid bounds on what `estimate` estimates.
confidence : float
    Of [lower, upper]; 0 when no interval is kept.
n_baseline, n_canary : float
    Observations (requests, hours, values) of each arm that went into it.
method : str
    The method that was used, never "auto".
)")
        .def_readonly("log_e_value", &Evidence::log_e_value)
        .def_property_readonly("e_value", [](const Evidence& e) { return elementary::exp(e.log_e_value); })
        .def_readonly("p_value", &Evidence::p_value)
        .def_readonly("estimate", &Evidence::estimate)
        .def_readonly("lower", &Evidence::lower)
        .def_readonly("upper", &Evidence::upper)
        .def_readonly("confidence", &Evidence::confidence)
        .def_readonly("n_baseline", &Evidence::n_baseline)
        .def_readonly("n_canary", &Evidence::n_canary)
        .def_readonly("method", &Evidence::method)
        .def(
            "to_dict",
            [](const Evidence& e) {
                using namespace py::literals;
                return py::dict("log_e_value"_a = e.log_e_value, "p_value"_a = e.p_value, "estimate"_a = e.estimate,
                                "lower"_a = e.lower, "upper"_a = e.upper, "confidence"_a = e.confidence,
                                "n_baseline"_a = e.n_baseline, "n_canary"_a = e.n_canary, "method"_a = e.method);
            },
            "The fields as a dict.")
        .def("__repr__", [](const Evidence& e) {
            return "Evidence(log_e_value=" + number_text(e.log_e_value) + ", estimate=" + number_text(e.estimate) +
                   ", lower=" + number_text(e.lower) + ", upper=" + number_text(e.upper) + ", method='" +
                   std::string(e.method) + "')";
        });
}

}  // namespace

Code code_argument(std::string_view field, py::handle value) {
    const std::string_view text = text_argument(field, value);
    if (const auto known = code_named(text)) return *known;
    raise(Code::argument_word, std::string(field) + " is " + in_quotes(text) + "; allowed: the name of a code");
}

}  // namespace serinus::python

PYBIND11_MODULE(_core, module) {
    using namespace serinus::python;
    module.doc() = "The compiled part of serinus; use the package `serinus` instead.";
    py::register_exception_translator(&translate);
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
    register_evidence(module);
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
