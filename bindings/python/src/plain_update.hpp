#pragma once
/// \file
/// `update` called with plain numbers, as it is after every interval: past the dispatch that pybind11 makes for each
/// call, which costs as much as the update itself.

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "arguments.hpp"
#include "functions.hpp"

namespace serinus::python {

/// The number of a float or an int (no subclass of them) up to 2^53 in size; nothing for anything else.
inline std::optional<double> plain_number(PyObject* value) {
    if (PyFloat_CheckExact(value)) return PyFloat_AS_DOUBLE(value);
    if (!PyLong_CheckExact(value)) return std::nullopt;
    constexpr long long most = most_count;
    int overflow = 0;
    const long long number = PyLong_AsLongLongAndOverflow(value, &overflow);
    if (overflow != 0 || number < -most || number > most) return std::nullopt;
    return static_cast<double>(number);
}

/// The object that `self` keeps, where all arguments are plain numbers, which go to `numbers`; else null. Null too where
/// a subclass forgot to call __init__.
inline void* plain_call(PyObject* self, PyObject* const* arguments, std::span<double> numbers) {
    for (double& number : numbers) {
        const auto plain = plain_number(*arguments++);
        if (!plain) return nullptr;
        number = *plain;
    }
    const auto* instance = reinterpret_cast<py::detail::instance*>(self);
    return instance->simple_layout ? instance->simple_value_holder[0] : nullptr;
}

/// The `update` there was.
inline PyObject* slow_update(PyObject* self, PyObject* const* arguments, Py_ssize_t count, PyObject* names) {
    PyObject* const slow = PyObject_GetAttrString(self, "_update");
    if (slow == nullptr) return nullptr;
    PyObject* const result = PyObject_Vectorcall(slow, arguments, static_cast<std::size_t>(count), names);
    Py_DECREF(slow);
    return result;
}

/// A whole number from 0 to 2^53; -1, which every test refuses, for any other.
inline std::int64_t plain_count(double number) { return is_count(number) ? static_cast<std::int64_t>(number) : -1; }

/// Puts a quick way before the `update` that `type` has: `Update::take(test, numbers)` for a call with `Update::size`
/// plain numbers by position. Whatever else a call is, and whatever take() throws, goes to the `update` there was (now
/// `_update`): keywords, NumPy numbers, errors and their sentences are the same. take() must change nothing when it
/// throws. `Update::text` is the docstring, with the signature on its first line as Python's own functions have it.
template <class Test, class Update>
void quicken_update(Class<Test>& type) {
    type.attr("_update") = type.attr("update");
    const auto call = [](PyObject* self, PyObject* const* arguments, Py_ssize_t count, PyObject* names) -> PyObject* {
        std::array<double, Update::size> numbers{};
        if (count == static_cast<Py_ssize_t>(Update::size) && names == nullptr) {
            if (void* const test = plain_call(self, arguments, numbers)) {
                try {
                    Update::take(*static_cast<Test*>(test), numbers);
                    Py_RETURN_NONE;
                } catch (...) {  // said below, where errors become Python's
                }
            }
        }
        return slow_update(self, arguments, count, names);
    };
    using Quick = PyObject* (*)(PyObject*, PyObject* const*, Py_ssize_t, PyObject*);
    static PyMethodDef definition{"update",
                                  reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(static_cast<Quick>(call))),
                                  METH_FASTCALL | METH_KEYWORDS, Update::text};
    type.attr("update") =
        py::reinterpret_steal<py::object>(PyDescr_NewMethod(reinterpret_cast<PyTypeObject*>(type.ptr()), &definition));
}

}  // namespace serinus::python
