#pragma once
/// \file
/// What all tests of many looks share in Python: their evidence, their state, and counts as arguments.

#include <cmath>
#include <cstdint>
#include <string>

#include <serinus/core/error.hpp>
#include <serinus/core/reason.hpp>
#include <serinus/core/state.hpp>

#include "core.hpp"

namespace serinus::python {

/// A count is a whole number: an int, or a float that is one (sums of counts often come as floats).
inline std::int64_t count_argument(const char* name, py::handle value) {
    const auto refuse = [&] {
        raise(Code::argument_count,
              std::string(name) + " is " + shown(value) + "; allowed: a whole number from 0 to 2^53");
    };
    constexpr double most = 9007199254740992.0;
    if (PyLong_CheckExact(value.ptr())) {
        int overflow = 0;
        const long long number = PyLong_AsLongLongAndOverflow(value.ptr(), &overflow);
        if (overflow != 0) refuse();
        return number;
    }
    if (PyBool_Check(value.ptr()) || PyUnicode_Check(value.ptr())) refuse();
    const double number = PyFloat_AsDouble(value.ptr());
    if (number == -1.0 && PyErr_Occurred() != nullptr) {
        PyErr_Clear();
        refuse();
    }
    if (!(std::abs(number) <= most) || number != std::floor(number)) refuse();
    return static_cast<std::int64_t>(number);
}

/// Defines `state` and `restore`.
template <class Test, class Class>
void define_state(Class& type) {
    type.def(
            "state", [](const Test& test) { return to_bytes(encode(test.state())); },
            "All that the test remembers, as bytes; for a process that may be stopped at any time.")
        .def(
            "restore",
            [](Test& test, const py::bytes& state) { test.restore(decode<decltype(test.state())>(from_bytes(state))); },
            py::arg("state"),
            R"(Takes over the bytes that `state` gave.

Raises `serinus.Error` with code "serinus.state.*" for anything else, and for a state that was taken under other
options or with other noise; the test is unchanged then.)");
}

/// Defines what every test of many looks has beside its updates.
template <class Test, class Class>
void define_evidence(Class& type) {
    type.def_property_readonly("log_e_value", &Test::log_e_value,
                               "Natural log of the e-value; decided once it reached log(1/alpha).")
        .def_property_readonly("decided", &Test::decided, "True once the e-value has reached 1/alpha.")
        .def("evidence", &Test::evidence, "All that is known now; see `serinus.Evidence`.");
    define_state<Test>(type);
}

}  // namespace serinus::python
