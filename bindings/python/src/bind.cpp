/// \file
/// What bind.hpp does with all structs alike.

#include "bind.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <pybind11/stl.h>

namespace serinus::python {
namespace {

/// A name as Python keeps names.
py::str interned(std::string_view name) {
    PyObject* kept = PyUnicode_FromStringAndSize(name.data(), static_cast<Py_ssize_t>(name.size()));
    if (kept == nullptr) throw py::error_already_set();
    PyUnicode_InternInPlace(&kept);
    return py::reinterpret_steal<py::str>(kept);
}

/// fields[name] = value.
void set(py::dict& fields, const py::str& name, const py::object& value) {
    if (PyDict_SetItem(fields.ptr(), name.ptr(), value.ptr()) != 0) throw py::error_already_set();
}

/// An object of a class of `serinus._results.Struct`, whose fields are in that dict.
py::object made(py::handle type, const py::dict& fields) {
    auto* const of = reinterpret_cast<PyTypeObject*>(type.ptr());
    // Without __init__, which may ask for other arguments, and without a copy of the fields.
    auto self = py::reinterpret_steal<py::object>(PyBaseObject_Type.tp_new(of, py::tuple().ptr(), nullptr));
    if (!self || PyObject_GenericSetDict(self.ptr(), fields.ptr(), nullptr) != 0) throw py::error_already_set();
    return self;
}

/// Raises TypeError, as Python's own functions do, where the names that were given are not those of the fields.
void refuse_others(const Description& of, const py::dict& given) {
    const std::string callee(of.name);
    std::string missing;
    for (const auto& field : of.fields) {
        if (!given.contains(field.name)) missing += (missing.empty() ? "" : ", ") + py::cast<std::string>(field.name);
    }
    if (!missing.empty()) throw py::type_error(callee + "() is missing " + missing);
    if (given.size() == of.fields.size()) return;
    for (const auto& [key, value] : given) {
        if (std::none_of(of.fields.begin(), of.fields.end(),
                         [&](const auto& field) { return field.name.equal(key); })) {
            throw py::type_error(callee + "() got an unexpected keyword argument " +
                                 py::cast<std::string>(py::repr(key)));
        }
    }
}

py::handle class_of(const Description& of) {
    if (!of.type) of.type = from_python(std::string(of.home).c_str(), std::string(of.name).c_str());
    return of.type;
}

/// A type of a duration or a time, of its milliseconds: "dict[str, datetime | None]" is "dict[str, int | None]".
std::string in_milliseconds(std::string type) {
    const std::size_t time = type.find("datetime");
    return time != std::string::npos ? type.replace(time, 8, "int") : type.replace(type.rfind("str"), 3, "int");
}

/// What type checkers are told of a struct: its fields in order, those in milliseconds behind them.
py::dict types_of(const Description& of) {
    py::dict fields, times;
    for (const auto& [name, place, face] : of.fields) {
        const std::string type = face->type();
        fields[name] = type;
        if (face->timed) times[py::str(py::cast<std::string>(name) + "_ms")] = in_milliseconds(type);
    }
    of.amend_types(fields);
    for (const auto& [name, type] : times) fields[name] = type;
    return fields;
}

}  // namespace

void Description::add(std::string_view field, std::ptrdiff_t place, const Face& face) {
    // What is a keyword of Python has a "_" behind it.
    fields.push_back({interned(field == "for" ? "for_" : field), place, &face});
}

std::string place_of(std::string_view home, std::string_view name) {
    return std::string(home) + "." + std::string(name);
}

py::dict give_fields(const Description& of, const void* value) {
    py::dict out;
    for (const auto& [name, place, face] : of.fields) {
        set(out, name, face->give(static_cast<const char*>(value) + place));
    }
    return out;
}

void take_fields(const Description& of, const py::dict& given, const std::string& path, void* value) {
    refuse_others(of, given);
    for (const auto& [name, place, face] : of.fields) {
        face->take(path + std::string(text_argument("name", name)), PyDict_GetItemWithError(given.ptr(), name.ptr()),
                   static_cast<char*>(value) + place);
    }
}

py::object give_struct(const Description& of, const void* value) {
    py::dict fields = give_fields(of, value);
    of.amend(value, fields);
    return made(class_of(of), fields);
}

bool is_struct(const Description& of, py::handle given) { return py::isinstance(given, class_of(of)); }

void take_struct(const Description& of, const std::string& field, py::handle given, void* value) {
    if (!is_struct(of, given)) {
        raise(Code::argument_type, field + " is " + shown(given) + "; allowed: a " + std::string(of.name));
    }
    py::dict fields;
    for (const auto& one : of.fields) set(fields, one.name, given.attr(one.name));
    of.amend_taken(fields);
    take_fields(of, fields, field.empty() ? field : field + ".", value);
}

/// A class of `serinus._results.Struct`; those of its fields that are times have their milliseconds beside them.
void define_struct(Module& module, const Description& of) {
    py::tuple names(of.fields.size());
    py::list times;
    for (std::size_t i = 0; i < of.fields.size(); ++i) {
        const auto& field = of.fields[i];
        names[i] = field.name;
        if (field.face->timed && !text_argument("name", field.name).ends_with("_seconds")) times.append(field.name);
    }
    const py::str own(of.name.data(), of.name.size());
    const auto types = [known = &of] { return types_of(*known); };
    module.attr(own) = from_python("serinus._results", "struct")(
        own, names, times, made_function({}, false, "", captured<void>(types), {}, nullptr));
}

const void* other_test(py::handle given, const std::type_info& type) {
    py::detail::type_caster_generic caster(type);
    if (!given.is_none() && caster.load(given, false)) return caster.value;
    const py::handle wanted(reinterpret_cast<PyObject*>(py::detail::get_type_info(type)->type));
    raise(Code::argument_type,
          "other is " + shown(given) + "; allowed: a " + py::cast<std::string>(wanted.attr("__name__")));
}

}  // namespace serinus::python
