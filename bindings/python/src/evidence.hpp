#pragma once
/// \file
/// What all tests of many looks share in Python: their evidence, their state, and counts as arguments.

#include <cmath>
#include <cstdint>
#include <string>

#include <serinus/core/error.hpp>
#include <serinus/core/reason.hpp>
#include <serinus/core/state.hpp>
#include <serinus/sequential/proportion_test.hpp>

#include "core.hpp"

namespace serinus::python {

using WholeNumbers = py::array_t<std::int64_t, py::array::c_style>;

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

/// Takes the counts of many intervals at once, in order. Stops before the first one that is impossible; those before it
/// count.
template <class Test>
void update_proportions(Test& test, const WholeNumbers& bad_b, const WholeNumbers& total_b, const WholeNumbers& bad_c,
                        const WholeNumbers& total_c) {
    const auto* xb = bad_b.data();
    const auto* nb = total_b.data();
    const auto* xc = bad_c.data();
    const auto* nc = total_c.data();
    const auto size = bad_b.size();
    for (py::ssize_t i = 0; i < size; ++i) {
        test.update(sequential::Proportion{.bad = xb[i], .total = nb[i]},
                    sequential::Proportion{.bad = xc[i], .total = nc[i]});
    }
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
