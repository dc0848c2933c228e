/// \file
/// Many looks: the tests of sequential/ for Python.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <pybind11/stl.h>

#include <serinus/core/require.hpp>
#include <serinus/sequential/combine.hpp>
#include <serinus/sequential/noise/paired_noise.hpp>
#include <serinus/sequential/paired.hpp>
#include <serinus/sequential/proportion.hpp>
#include <serinus/sequential/signed_rank.hpp>
#include <serinus/sequential/start_mixture.hpp>

#include "core.hpp"
#include "evidence.hpp"
#include "plain_update.hpp"

namespace serinus::python {
namespace {

using sequential::Proportion;
using sequential::ProportionOptions;
using sequential::ProportionTest;

ProportionTest make_proportion_test(py::handle alpha, py::handle alpha_promote, py::handle harm, py::handle margin,
                                    py::handle side, py::handle method, py::handle dispersion, py::handle interval) {
    return ProportionTest(ProportionOptions{.alpha = number_argument("alpha", alpha),
                                            .alpha_promote = optional_number_argument("alpha_promote", alpha_promote),
                                            .harm = word_argument<Harm>("harm", harm),
                                            .margin = margin_argument(margin),
                                            .side = word_argument<Side>("side", side),
                                            .method = word_argument<sequential::ProportionMethod>("method", method),
                                            .dispersion = number_argument("dispersion", dispersion),
                                            .interval = truth_argument(interval)});
}

template <class Test>
struct ProportionUpdate {
    static constexpr std::size_t size = 4;
    static constexpr const char* text =
        R"(update($self, /, bad_b, total_b, bad_c, total_c)
--

Takes the counts of one interval: bad of total requests in the baseline, then in the canary.

An interval with an empty arm is no information and changes nothing. Impossible counts (negative, fractional, bad above
total, above 2^53) raise `serinus.Error` with code "serinus.argument.count" and change nothing.)";
    static void take(Test& test, const std::array<double, size>& numbers) {
        test.update(Proportion{.bad = plain_count(numbers[0]), .total = plain_count(numbers[1])},
                    Proportion{.bad = plain_count(numbers[2]), .total = plain_count(numbers[3])});
    }
};

template <class Test, class Class>
void define_proportions(Class& type) {
    type.def(
            "update",
            [](Test& test, py::handle bad_b, py::handle total_b, py::handle bad_c, py::handle total_c) {
                test.update(
                    Proportion{.bad = count_argument("bad_b", bad_b), .total = count_argument("total_b", total_b)},
                    Proportion{.bad = count_argument("bad_c", bad_c), .total = count_argument("total_c", total_c)});
            },
            py::arg("bad_b"), py::arg("total_b"), py::arg("bad_c"), py::arg("total_c"))
        .def("_update_many", &update_proportions<Test>);
    quicken_update<Test, ProportionUpdate<Test>>(type);
}

py::dict combine(const std::vector<double>& log_e_values, const std::vector<double>& weights, py::handle method) {
    const auto combined =
        sequential::combine(log_e_values, weights, word_argument<sequential::CombineMethod>("method", method));
    py::dict out;
    out["log_e_value"] = combined.log_e_value;
    out["adjusted"] = py::array_t<double>(static_cast<py::ssize_t>(combined.adjusted.size()), combined.adjusted.data());
    return out;
}

// ---- gauges

using sequential::PairedNoise;
using sequential::PairedTest;
using sequential::SignedRankTest;

py::dict noise_dict(const PairedNoise& noise) {
    py::dict out;
    if (noise.unit != sequential::NoiseUnit::former) out["unit"] = std::string(word(noise.unit));
    sequential::for_each_number(noise, [&](const char* key, double number) { out[key] = number; });
    sequential::for_each_list(noise, [&](const char* key, const std::vector<double>& list) { out[key] = list; });
    return out;
}

/// A noise as a plan carries it: all its keys, no others. One without a unit was written before there were any.
PairedNoise noise_argument(const py::dict& given) {
    PairedNoise noise;
    std::size_t known = 0;
    if (given.contains("unit")) {
        noise.unit = word_argument<sequential::NoiseUnit>("noise.unit", given["unit"]);
        ++known;
    }
    const auto missing = [](const std::string& key) {
        raise(Code::argument_word, "noise." + key + " is missing; allowed: what `paired_noise` or `calibrate` gave");
    };
    const auto wrong = [](const std::string& key, py::handle value) {
        raise(Code::argument_type,
              "noise." + key + " is " + shown(value) + "; allowed: what `paired_noise` or `calibrate` gave");
    };
    sequential::for_each_number(noise, [&](const char* key, double& number) {
        if (!given.contains(key)) missing(key);
        const py::object value = given[key];
        number = PyFloat_AsDouble(value.ptr());
        if (PyErr_Occurred() != nullptr) {
            PyErr_Clear();
            wrong(key, value);
        }
        ++known;
    });
    sequential::for_each_list(noise, [&](const char* key, std::vector<double>& list) {
        if (!given.contains(key)) missing(key);
        try {
            list = given[key].cast<std::vector<double>>();
        } catch (const py::cast_error&) {
            wrong(key, given[key]);
        }
        ++known;
    });
    if (given.size() != known)
        raise(Code::argument_word,
              "noise has keys beside those of one stage; allowed: what `paired_noise` or `calibrate` gave");
    return noise;
}

py::dict call_paired_noise(const std::vector<std::vector<double>>& differences, py::handle magnitude, bool centred,
                           py::handle unit) {
    return noise_dict(sequential::paired_noise(differences, number_argument("magnitude", magnitude), centred,
                                               word_argument<sequential::NoiseUnit>("unit", unit)));
}

PairedTest make_paired_test(py::handle alpha, py::handle alpha_promote, py::handle harm, py::handle margin,
                            py::handle side, const std::optional<py::dict>& noise, py::handle interval) {
    return PairedTest({.alpha = number_argument("alpha", alpha),
                       .alpha_promote = optional_number_argument("alpha_promote", alpha_promote),
                       .harm = word_argument<Harm>("harm", harm),
                       .margin = margin_argument(margin),
                       .side = word_argument<Side>("side", side),
                       .noise = noise ? std::make_shared<const PairedNoise>(noise_argument(*noise)) : nullptr,
                       .interval = truth_argument(interval)});
}

template <class Test, class Class>
void define_differences(Class& type) {
    type.def("_update_many", [](Test& test, const py::array_t<double, py::array::c_style>& differences) {
        const double* const d = differences.data();
        for (py::ssize_t i = 0; i < differences.size(); ++i) test.update(d[i]);
    });
}

}  // namespace

sequential::PairedNoise noise_of(const py::dict& given) { return noise_argument(given); }

void register_sequential(py::module_& module) {
    py::class_<ProportionTest> test(module, "ProportionTest");
    test.def(py::init(&make_proportion_test));
    define_proportions<ProportionTest>(test);
    define_evidence<ProportionTest>(test);
    define_options<ProportionTest>(test);
    define_merge<ProportionTest>(test);
    auto mixture = define_mixture<ProportionTest>(module, "ProportionMixture");
    define_proportions<sequential::StartMixture<ProportionTest>>(mixture);
    py::class_<PairedTest> paired(module, "PairedTest");
    paired.def(py::init(&make_paired_test));
    define_differences<PairedTest>(paired);
    define_evidence<PairedTest>(paired);
    using PairedMixture = sequential::StartMixture<PairedTest>;
    auto paired_mixture = define_mixture<PairedTest>(module, "PairedMixture");
    define_differences<PairedMixture>(paired_mixture);
    paired_mixture.def("update", [](PairedMixture& mixture, py::handle difference) {
        mixture.update(number_argument("difference", difference));
    });
    paired
        .def(
            "update",
            [](PairedTest& test, py::handle difference, py::handle variance) {
                test.update(number_argument("difference", difference), number_argument("variance", variance));
            },
            py::arg("difference"), py::arg("variance") = 1.0,
            R"(Takes canary - baseline of one interval; NaN is no information. For difference margins.

`variance`: predicted variance of the difference relative to history's, known before the values.)")
        .def(
            "update_pair",
            [](PairedTest& test, py::handle baseline, py::handle canary, py::handle instances_baseline,
               py::handle instances_canary, py::handle variance) {
                test.update(
                    sequential::Pair{.baseline = number_argument("baseline", baseline),
                                     .canary = number_argument("canary", canary),
                                     .instances_baseline = number_argument("instances_baseline", instances_baseline),
                                     .instances_canary = number_argument("instances_canary", instances_canary),
                                     .variance = number_argument("variance", variance)});
            },
            py::arg("baseline"), py::arg("canary"), py::arg("instances_baseline") = 0.0,
            py::arg("instances_canary") = 0.0, py::arg("variance") = 1.0,
            R"(Takes the values of both arms in one interval; for ratio and difference margins.

`instances_...`: how many instances each value is the mean of; 0: not known.)")
        .def_property_readonly("horizon", &PairedTest::horizon, "How many intervals a start bets for.")
        .def_property_readonly("not_positive", &PairedTest::not_positive,
                               "Intervals with a value of 0 or below, which a ratio margin cannot judge.")
        .def_property_readonly(
            "scale_departure",
            [](const PairedTest& test) {
                const sequential::ScaleDeparture found = test.scale_departure();
                py::dict out;
                out["observed"] = found.observed;
                out["history"] = found.history;
                out["beyond"] = found.beyond;
                return out;
            },
            "Whether the noise has left history's scale: mean rank of what the difference changes by, here and there.");
    define_options<PairedTest>(paired, [](py::dict& out, const PairedTest& t) {
        const auto& noise = t.options().noise;
        out["noise"] = noise ? py::object(noise_dict(*noise)) : py::object(py::str("learn"));
    });
    py::class_<SignedRankTest> signed_rank(module, "SignedRankTest");
    signed_rank.def(py::init([](py::handle alpha, py::handle harm, py::handle margin) {
        return SignedRankTest({.alpha = number_argument("alpha", alpha),
                               .harm = word_argument<Harm>("harm", harm),
                               .margin = margin_argument(margin)});
    }));
    define_differences<SignedRankTest>(signed_rank);
    define_evidence<SignedRankTest>(signed_rank);
    signed_rank.def(
        "update",
        [](SignedRankTest& test, py::handle difference) { test.update(number_argument("difference", difference)); },
        py::arg("difference"), "Takes canary - baseline of one interval; NaN is no information.");
    define_options<SignedRankTest>(signed_rank);
    module.def("paired_noise", &call_paired_noise);
    module.def("combine", &combine);
    module.def("start_weight", [](py::handle j) {
        const std::int64_t start = count_argument("j", j);
        require_count("j", static_cast<double>(start));
        return sequential::start_weight(start);
    });
}

}  // namespace serinus::python
