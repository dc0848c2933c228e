#pragma once
/// \file
/// What all tests of many looks share in Python: their evidence, their state, and counts as arguments.

#include <cmath>
#include <cstdint>
#include <string>

#include <serinus/core/error.hpp>
#include <serinus/core/state.hpp>
#include <serinus/core/text.hpp>
#include <serinus/sequential/proportion.hpp>
#include <serinus/sequential/start_mixture.hpp>

#include "arguments.hpp"

namespace serinus::python {

using WholeNumbers = py::array_t<std::int64_t, py::array::c_style>;

/// Takes the counts of many intervals at once, in order; they have been checked.
template <class Test>
void update_proportions(Test& test, const WholeNumbers& bad_b, const WholeNumbers& total_b, const WholeNumbers& bad_c,
                        const WholeNumbers& total_c) {
    const auto* xb = bad_b.data();
    const auto* nb = total_b.data();
    const auto* xc = bad_c.data();
    const auto* nc = total_c.data();
    const auto size = bad_b.size();
    for (py::ssize_t i = 0; i < size; ++i) {
        test.update(Proportion{.bad = xb[i], .total = nb[i]}, Proportion{.bad = xc[i], .total = nc[i]});
    }
}

/// The options of a test as the keywords of its Python constructor.
template <class Options>
py::dict options_dict(const Options& o) {
    py::dict out;
#define SERINUS_OPTION(name) \
    if constexpr (requires { o.name; }) out[#name] = o.name
    SERINUS_OPTION(q);
    SERINUS_OPTION(alpha);
    SERINUS_OPTION(alpha_safe);
    if constexpr (requires { o.harm; }) out["harm"] = word(o.harm);
    if constexpr (requires { o.margin; }) out["margin"] = margin_dict(o.margin);
    if constexpr (requires { o.side; }) out["side"] = word(o.side);
    if constexpr (requires { o.method; }) out["method"] = word(o.method);
    SERINUS_OPTION(tolerance);
    SERINUS_OPTION(dispersion);
    SERINUS_OPTION(concentration);
    SERINUS_OPTION(tuned_at);
    SERINUS_OPTION(gate);
    SERINUS_OPTION(from_size);
    SERINUS_OPTION(interval);
#undef SERINUS_OPTION
    return out;
}

/// Defines `_options`; `more(dict, test)` adds what is not in the options of C++.
template <class Test, class Class, class More>
void define_options(Class& type, More more) {
    type.def_property_readonly("_options", [more](const Test& test) {
        py::dict out = options_dict(test.options());
        more(out, test);
        return out;
    });
}
template <class Test, class Class>
void define_options(Class& type) {
    define_options<Test>(type, [](py::dict&, const Test&) {});
}

/// Defines `state` and `restore`.
template <class Test, class Class>
void define_state(Class& type) {
    type.def(
            "state", [](const Test& test) { return to_bytes(encode(test.state())); },
            "All that the test remembers, as bytes; for a process that may be stopped at any time.")
        .def(
            "restore",
            [](Test& test, py::handle state) { test.restore(decode<decltype(test.state())>(state_argument(state))); },
            py::arg("state"),
            R"(Takes over the bytes that `state` gave.

Raises `serinus.Error` with code "serinus.state.*" for anything else, and for a state that was taken under other
options or with other noise; the test is unchanged then.)");
}

/// Defines `merge`.
template <class Test, class Class>
void define_merge(Class& type) {
    type.def(
        "merge",
        [](Test& test, py::handle other) {
            if (!py::isinstance<Test>(other)) {
                raise(Code::argument_type, "other is " + shown(other) + "; allowed: a " +
                                               py::cast<std::string>(py::type::of<Test>().attr("__name__")));
            }
            test.merge(py::cast<const Test&>(other));
        },
        py::arg("other"),
        R"(Takes over what another test of the same options has seen of other, independent data.

The largest e-value that the other test has seen is not taken over, since two tests look twice. Whether to merge must be
decided without looking at the other's data. Raises `serinus.Error` with code "serinus.state.options", and changes
nothing, where options differ.)");
}

/// Defines what every test of many looks has beside its updates.
template <class Test, class Class>
void define_evidence(Class& type) {
    type.def_property_readonly("log_e_value", &Test::log_e_value,
                               "Natural log of the e-value; decided once it reached log(1/alpha), with side=\"safe\" "
                               "log(1/alpha_safe) where the test has that option.")
        .def_property_readonly("decided", &Test::decided,
                               "True once the e-value has reached 1/alpha, with side=\"safe\" 1/alpha_safe where the "
                               "test has that option.")
        .def("evidence", &Test::evidence, "All that is known now; see `serinus.Evidence`.");
    define_state<Test>(type);
}

/// What all StartMixtures have. A mixture starts from a test that has seen nothing: a fresh one of the same options.
template <class Test>
py::class_<sequential::StartMixture<Test>> define_mixture(py::module_& module, const char* name) {
    using Mixture = sequential::StartMixture<Test>;
    py::class_<Mixture> type(module, name);
    type.def(py::init([](const Test& test) { return Mixture(Test(test.options())); }))
        .def(
            "begin", [](Mixture& mixture, py::handle weight) { mixture.begin(number_argument("weight", weight)); },
            py::arg("weight"), "A start, now, with this part of the whole capital.")
        .def_property_readonly("spent", &Mixture::spent, "The capital that has been put to work.");
    define_evidence<Mixture>(type);
    return type;
}

}  // namespace serinus::python
