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

Code code_argument(std::string_view field, py::handle value) {
    const std::string_view text = text_argument(field, value);
    if (const auto known = code_named(text)) return *known;
    raise(Code::argument_word, std::string(field) + " is " + in_quotes(text) + "; allowed: the name of a code");
}

// ---- structs

py::str interned(std::string_view name) {
    PyObject* kept = PyUnicode_FromStringAndSize(name.data(), static_cast<Py_ssize_t>(name.size()));
    if (kept == nullptr) throw py::error_already_set();
    PyUnicode_InternInPlace(&kept);
    return py::reinterpret_steal<py::str>(kept);
}

void put(py::dict& fields, const py::str& name, const py::object& value) {
    if (PyDict_SetItem(fields.ptr(), name.ptr(), value.ptr()) != 0) throw py::error_already_set();
}

py::object made(py::handle type, const py::dict& fields) {
    auto* const of = reinterpret_cast<PyTypeObject*>(type.ptr());
    // Without __init__, which may ask for other arguments, and without a copy of the fields.
    auto self = py::reinterpret_steal<py::object>(PyBaseObject_Type.tp_new(of, py::tuple().ptr(), nullptr));
    if (!self || PyObject_GenericSetDict(self.ptr(), fields.ptr(), nullptr) != 0) throw py::error_already_set();
    return self;
}

void refuse_others(std::string_view callee, const py::dict& given, const std::vector<py::str>& fields) {
    std::string missing;
    for (const py::str& name : fields) {
        if (!given.contains(name)) missing += (missing.empty() ? "" : ", ") + py::cast<std::string>(name);
    }
    if (!missing.empty()) throw py::type_error(std::string(callee) + "() is missing " + missing);
    if (given.size() == fields.size()) return;
    for (const auto& [key, value] : given) {
        if (std::none_of(fields.begin(), fields.end(), [&](const py::str& name) { return name.equal(key); })) {
            throw py::type_error(std::string(callee) + "() got an unexpected keyword argument " +
                                 py::cast<std::string>(py::repr(key)));
        }
    }
}

std::string in_milliseconds(std::string type) {
    const std::size_t time = type.find("datetime");
    return time != std::string::npos ? type.replace(time, 8, "int") : type.replace(type.rfind("str"), 3, "int");
}

void define_struct(py::module_& module, std::string_view name, const std::vector<py::str>& fields,
                   const std::vector<py::str>& times, py::dict (*types)()) {
    const py::str own(name.data(), name.size());
    module.attr(own) =
        from_python("serinus._results", "struct")(own, py::tuple(py::cast(fields)), times, py::cpp_function(types));
}

}  // namespace serinus::python

PYBIND11_MODULE(_core, module) {
    using namespace serinus::python;
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
