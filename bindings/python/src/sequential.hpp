#pragma once
/// \file
/// What the tests of many looks share in Python beside bind.hpp: rows of counts, and mixtures over starts.

#include <cstdint>

#include <serinus/sequential/proportion.hpp>
#include <serinus/sequential/start_mixture.hpp>

#include "arguments.hpp"
#include "bind.hpp"

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

/// What all StartMixtures have. A mixture starts from a test that has seen nothing: a fresh one of the same options.
template <class Test>
Class<sequential::StartMixture<Test>> bind_mixture(Module& module, const char* name) {
    using Mixture = sequential::StartMixture<Test>;
    Class<Mixture> type(module, name);
    type.init([](const Test& test) { return Mixture(Test(test.options())); })
        .def(
            "begin", [](Mixture& mixture, py::handle weight) { mixture.begin(number_argument("weight", weight)); },
            py::arg("weight"), "A start, now, with this part of the whole capital.")
        .def_property_readonly("spent", &Mixture::spent, "The capital that has been put to work.");
    bind_evidence<Mixture>(type);
    return type;
}

}  // namespace serinus::python
