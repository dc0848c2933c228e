/// \file
/// One look: the tests of fixed/ for Python.

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <pybind11/stl.h>

#include <serinus/batch/mann_whitney_batch.hpp>
#include <serinus/batch/sort_kernel.hpp>
#include <serinus/core/text.hpp>
#include <serinus/fixed/adjust.hpp>
#include <serinus/fixed/anderson_darling.hpp>
#include <serinus/fixed/block_bootstrap.hpp>
#include <serinus/fixed/brunner_munzel.hpp>
#include <serinus/fixed/cramer_von_mises.hpp>
#include <serinus/fixed/effect_size.hpp>
#include <serinus/fixed/effective_sample_size.hpp>
#include <serinus/fixed/equivalence.hpp>
#include <serinus/fixed/hodges_lehmann.hpp>
#include <serinus/fixed/kolmogorov_smirnov.hpp>
#include <serinus/fixed/mann_whitney.hpp>
#include <serinus/fixed/paired.hpp>
#include <serinus/fixed/power.hpp>
#include <serinus/fixed/proportion.hpp>
#include <serinus/fixed/quantile_difference.hpp>
#include <serinus/fixed/rate.hpp>
#include <serinus/fixed/ratio.hpp>
#include <serinus/fixed/robust_rank.hpp>
#include <serinus/fixed/rolling_mann_whitney.hpp>
#include <serinus/fixed/signed_rank.hpp>
#include <serinus/fixed/welch.hpp>
#include <serinus/fixed/yuen.hpp>
#include <serinus/sequential/noise/noise_bounds.hpp>
#include <serinus/sequential/noise/paired_noise.hpp>

#include "arguments.hpp"

namespace serinus::python {

/// The noise that a dict of all its numbers names (sequential_values.cpp).
sequential::PairedNoise noise_of(const py::dict& given);

namespace {

/// The values of one arm: the memory of a contiguous float64 array itself, a converted copy of anything else.
class Values {
  public:
    Values(const char* name, py::handle given) : owner_(py::reinterpret_borrow<py::object>(given)) {
        if (usable()) return;
        owner_ = from_python("serinus._inputs", "values")(name, given);
        // The converter returns exactly what is usable here.
        if (!usable()) raise(Code::argument_type, std::string(name) + " cannot be made an array of float64");
    }

    std::span<const double> get() const noexcept { return values_; }

  private:
    bool usable() {
        const auto& api = py::detail::npy_api::get();
        // No subclass: a masked array keeps beside its memory which of it counts.
        if (Py_TYPE(owner_.ptr()) != api.PyArray_Type_) return false;
        const auto* array = py::detail::array_proxy(owner_.ptr());
        const auto* type = py::detail::array_descriptor_proxy(array->descr);
        constexpr int wanted = py::detail::npy_api::NPY_ARRAY_C_CONTIGUOUS_ | py::detail::npy_api::NPY_ARRAY_ALIGNED_;
        if (type->type_num != py::detail::npy_api::NPY_DOUBLE_ || type->byteorder != '=' || array->nd != 1 ||
            (array->flags & wanted) != wanted) {
            return false;
        }
        values_ = {reinterpret_cast<const double*>(array->data), static_cast<std::size_t>(array->dimensions[0])};
        return true;
    }

    py::object owner_;
    std::span<const double> values_;
};

/// Memory that the calls of one thread work in, with the fastest sort of this machine.
Workspace& workspace() {
    thread_local Workspace own{.sort = fastest_sort()};
    return own;
}

/// Below this many values a call is over before another thread could have used the time.
constexpr std::size_t few = 64;

MannWhitneyResult call_mann_whitney(py::handle baseline, py::handle canary, py::handle alternative, py::handle method,
                                    bool continuity, py::handle nan) {
    const MannWhitneyOptions options{.alternative = word_argument<Alternative>("alternative", alternative),
                                     .method = word_argument<MannWhitneyMethod>("method", method),
                                     .continuity = continuity,
                                     .nan_policy = word_argument<NanPolicy>("nan", nan)};
    const Values y("baseline", baseline);
    const Values x("canary", canary);
    if (x.get().size() + y.get().size() <= few) return mann_whitney(y.get(), x.get(), options, workspace());
    const py::gil_scoped_release release;
    return mann_whitney(y.get(), x.get(), options, workspace());
}

py::dict to_dict(const MannWhitneyResult& r) {
    using namespace py::literals;
    return py::dict("u"_a = r.u, "z"_a = r.z, "p_value"_a = r.p_value, "effect"_a = r.effect, "ties"_a = r.ties,
                    "degenerate"_a = r.degenerate, "n_baseline"_a = r.n_baseline, "n_canary"_a = r.n_canary,
                    "method"_a = word(r.method));
}

MannWhitneyResult from_dict(const py::dict& fields) {
    MannWhitneyResult r;
    r.u = fields["u"].cast<double>();
    r.z = fields["z"].cast<double>();
    r.p_value = fields["p_value"].cast<double>();
    r.effect = fields["effect"].cast<double>();
    r.ties = fields["ties"].cast<std::int64_t>();
    r.degenerate = fields["degenerate"].cast<bool>();
    r.n_baseline = fields["n_baseline"].cast<std::int64_t>();
    r.n_canary = fields["n_canary"].cast<std::int64_t>();
    r.method = word_argument<MannWhitneyMethod>("method", fields["method"]);
    return r;
}

/// Sequences of arms, as many of both, or one baseline for all canaries.
py::dict call_mann_whitney_batch(const py::sequence& baselines, const py::sequence& canaries, py::handle alternative,
                                 py::handle method, bool continuity, py::handle nan, std::size_t threads) {
    using namespace py::literals;
    const MannWhitneyOptions options{.alternative = word_argument<Alternative>("alternative", alternative),
                                     .method = word_argument<MannWhitneyMethod>("method", method),
                                     .continuity = continuity,
                                     .nan_policy = word_argument<NanPolicy>("nan", nan)};
    const std::size_t count = canaries.size();
    const bool shared = baselines.size() == 1 && count != 1;
    if (!shared && baselines.size() != count) {
        raise(Code::argument_length, std::to_string(baselines.size()) + " baselines and " + std::to_string(count) +
                                         " canaries; allowed: as many of both, or one baseline");
    }
    std::vector<Values> owners;
    owners.reserve(count + baselines.size());
    for (const py::handle baseline : baselines) owners.emplace_back("baseline", baseline);
    std::vector<MannWhitneyPair> pairs(count);
    for (std::size_t i = 0; i < count; ++i) {
        owners.emplace_back("canary", canaries[i]);
        pairs[i] = {owners[shared ? 0 : i].get(), owners.back().get()};
    }
    std::vector<MannWhitneyResult> results(count);
    {
        const py::gil_scoped_release release;
        mann_whitney_batch(pairs, results, options, threads);
    }
    const auto column = [&]<class Type>(Type MannWhitneyResult::*field) {
        py::array_t<Type> array(static_cast<py::ssize_t>(count));
        Type* out = array.mutable_data();
        for (std::size_t i = 0; i < count; ++i) out[i] = results[i].*field;
        return array;
    };
    py::list methods;
    for (const MannWhitneyResult& r : results) methods.append(word(r.method));
    return py::dict("u"_a = column(&MannWhitneyResult::u), "z"_a = column(&MannWhitneyResult::z),
                    "p_value"_a = column(&MannWhitneyResult::p_value), "effect"_a = column(&MannWhitneyResult::effect),
                    "ties"_a = column(&MannWhitneyResult::ties),
                    "degenerate"_a = column(&MannWhitneyResult::degenerate),
                    "n_baseline"_a = column(&MannWhitneyResult::n_baseline),
                    "n_canary"_a = column(&MannWhitneyResult::n_canary), "method"_a = methods);
}

// ---- options from keywords and results as dicts: which there are, the structs of the tests say

std::uint64_t whole_argument(std::string_view field, py::handle value) {
    const auto index = py::reinterpret_steal<py::object>(PyNumber_Index(value.ptr()));
    if (index) {
        const auto number = static_cast<std::uint64_t>(PyLong_AsUnsignedLongLong(index.ptr()));
        if (PyErr_Occurred() == nullptr) return number;
    }
    PyErr_Clear();
    raise(Code::argument_type,
          std::string(field) + " is " + shown(value) + "; allowed: a whole number from 0 to 2^64 - 1");
}

void take(std::string_view field, py::handle value, double& option) { option = number_argument(field, value); }
void take(std::string_view, py::handle value, bool& option) { option = PyObject_IsTrue(value.ptr()) == 1; }
void take(std::string_view, py::handle value, Margin& option) { option = margin_argument(value); }
void take(std::string_view field, py::handle value, std::optional<double>& option) {
    option = optional_number_argument(field, value);
}
template <class Whole>
    requires std::is_unsigned_v<Whole>
void take(std::string_view field, py::handle value, Whole& option) {
    option = static_cast<Whole>(whole_argument(field, value));
}
template <class Enum>
    requires std::is_enum_v<Enum>
void take(std::string_view field, py::handle value, Enum& option) {
    option = word_argument<Enum>(field, value);
}

/// The options of a test; the Python function gives every keyword that it has, and no other.
template <class Options>
Options options_of(const py::kwargs& given) {
    Options options;
#define SERINUS_OPTION(name) \
    if constexpr (requires { options.name; }) take(#name, given[#name], options.name)
    SERINUS_OPTION(alternative);
    SERINUS_OPTION(margin);
    SERINUS_OPTION(effect);
    SERINUS_OPTION(difference);
    SERINUS_OPTION(trim);
    SERINUS_OPTION(q);
    SERINUS_OPTION(confidence);
    SERINUS_OPTION(method);
    SERINUS_OPTION(continuity);
    SERINUS_OPTION(n_effective_baseline);
    SERINUS_OPTION(n_effective_canary);
    SERINUS_OPTION(block_length);
    SERINUS_OPTION(resamples);
    SERINUS_OPTION(seed);
    SERINUS_OPTION(alpha);
    SERINUS_OPTION(independent);
#undef SERINUS_OPTION
    if constexpr (requires { options.nan_policy; }) take("nan", given["nan"], options.nan_policy);
    return options;
}

py::dict fields_of(const ArmQuantile& r) {
    using namespace py::literals;
    return py::dict("estimate"_a = r.estimate, "lower"_a = r.lower, "upper"_a = r.upper);
}

/// The fields of a result, a method as its word.
template <class Result>
py::dict fields_of(const Result& r) {
    py::dict out;
#define SERINUS_FIELD(name) \
    if constexpr (requires { r.name; }) out[#name] = r.name
    SERINUS_FIELD(statistic);
    SERINUS_FIELD(df);
    SERINUS_FIELD(p_value);
    SERINUS_FIELD(estimate);
    SERINUS_FIELD(effect);
    SERINUS_FIELD(cliffs_delta);
    SERINUS_FIELD(difference);
    SERINUS_FIELD(ratio);
    SERINUS_FIELD(cost_baseline);
    SERINUS_FIELD(cost_canary);
    SERINUS_FIELD(standard_error);
    SERINUS_FIELD(lower);
    SERINUS_FIELD(upper);
    SERINUS_FIELD(confidence);
    SERINUS_FIELD(a_squared);
    SERINUS_FIELD(location);
    SERINUS_FIELD(sign);
    SERINUS_FIELD(block_length);
    SERINUS_FIELD(resamples);
    SERINUS_FIELD(n);
    SERINUS_FIELD(zeros);
    SERINUS_FIELD(n_baseline);
    SERINUS_FIELD(n_canary);
    SERINUS_FIELD(n_effective);
    SERINUS_FIELD(n_effective_baseline);
    SERINUS_FIELD(n_effective_canary);
    SERINUS_FIELD(conclusive);
    SERINUS_FIELD(approximation_holds);
    SERINUS_FIELD(degenerate);
    SERINUS_FIELD(equivalent);
    SERINUS_FIELD(non_inferior);
    SERINUS_FIELD(harm);
#undef SERINUS_FIELD
    if constexpr (requires { word(r.method); }) out["method"] = word(r.method);
    if constexpr (requires { r.verdict; }) out["verdict"] = member("Verdict", r.verdict);
    if constexpr (requires { fields_of(r.baseline); }) {
        out["baseline"] = fields_of(r.baseline);
        out["canary"] = fields_of(r.canary);
    }
    return out;
}

/// A test of two arms as a Python function of them and of its options.
template <class Options, class Test>
auto of_arms(Test test) {
    return [test](py::handle baseline, py::handle canary, const py::kwargs& given) {
        const auto options = options_of<Options>(given);
        const Values y("baseline", baseline), x("canary", canary);
        const auto result = [&] {
            const py::gil_scoped_release release;
            return test(y.get(), x.get(), options);
        }();
        return fields_of(result);
    };
}

/// The same of the values of one series, of that name.
template <class Options, class Test>
auto of_series(const char* name, Test test) {
    return [name, test](py::handle values, const py::kwargs& given) {
        const auto options = options_of<Options>(given);
        const Values series(name, values);
        const auto result = [&] {
            const py::gil_scoped_release release;
            return test(series.get(), options);
        }();
        return fields_of(result);
    };
}

/// The same of the two counts of each arm.
template <class Options, class Counts, class Test>
auto of_counts(Test test) {
    return [test](double first_b, double second_b, double first_c, double second_c, const py::kwargs& given) {
        return fields_of(test(Counts{first_b, second_b}, Counts{first_c, second_c}, options_of<Options>(given)));
    };
}

py::dict call_paired_test(py::handle differences, const py::kwargs& given) {
    const auto options = options_of<PairedTestOptions>(given);
    std::optional<sequential::PairedNoise> noise;
    if (!given["noise"].is_none()) noise = noise_of(given["noise"].cast<py::dict>());
    const Values series("differences", differences);
    PairedTestResult result;
    {
        const py::gil_scoped_release release;
        result = noise ? paired_test(series.get(), *noise, options) : paired_test(series.get(), options);
    }
    return fields_of(result);
}

py::dict call_effective_sample_size(py::handle values, py::handle nan) {
    using namespace py::literals;
    const Dependence r = effective_sample_size(Values("values", values).get(), word_argument<NanPolicy>("nan", nan));
    return py::dict("n"_a = r.n, "n_effective"_a = r.n_effective, "mean"_a = r.mean, "variance"_a = r.variance,
                    "long_run_variance"_a = r.long_run_variance(),
                    "autocorrelation"_a = py::tuple(py::cast(r.autocorrelation)), "sufficient"_a = r.sufficient());
}

py::dict call_ratio_test(py::handle numerator_b, py::handle denominator_b, py::handle numerator_c,
                         py::handle denominator_c, const py::kwargs& given) {
    const auto options = options_of<RatioTestOptions>(given);
    const Values a("numerator_b", numerator_b), b("denominator_b", denominator_b), c("numerator_c", numerator_c),
        d("denominator_c", denominator_c);
    RatioTestResult result;
    {
        const py::gil_scoped_release release;
        result = ratio_test({a.get(), b.get()}, {c.get(), d.get()}, options);
    }
    return fields_of(result);
}

py::dict call_block_bootstrap(py::handle values, py::function statistic, const py::kwargs& given) {
    const auto options = options_of<BlockBootstrapOptions>(given);
    const Values series("values", values);
    return fields_of(block_bootstrap(
        series.get(),
        [&](std::span<const double> v) {
            const py::array_t<double> copy(static_cast<py::ssize_t>(v.size()), v.data());
            return py::cast<double>(statistic(copy));
        },
        options));
}

py::dict call_equivalence(double lower, double upper, py::handle margin, py::handle harm) {
    return fields_of(equivalence(lower, upper, margin_argument(margin), word_argument<Harm>("harm", harm)));
}

py::array_t<double> call_adjust(py::handle p_values, py::handle method, py::handle weights) {
    const Values p("p_values", p_values);
    const auto how = word_argument<Adjustment>("method", method);
    const std::vector<double> adjusted =
        weights.is_none() ? adjust(p.get(), how) : adjust(p.get(), how, Values("weights", weights).get());
    return py::array_t<double>(static_cast<py::ssize_t>(adjusted.size()), adjusted.data());
}

/// Calls `use(design)` with the design that the kind and its two numbers name.
template <class Use>
auto with_design(const std::string& kind, double first, double second, Use&& use) {
    if (kind == "rank") return use(RankDesign{first});
    if (kind == "mean") return use(MeanDesign{first, second});
    if (kind == "proportion") return use(ProportionDesign{first, second});
    return use(RateDesign{first, second});
}

double call_power(const std::string& kind, double first, double second, double n_baseline, double n_canary,
                  const py::kwargs& given) {
    const auto options = options_of<PowerOptions>(given);
    return with_design(kind, first, second,
                       [&](const auto& design) { return power(design, n_baseline, n_canary, options); });
}

py::tuple call_sample_size(const std::string& kind, double first, double second, double wanted, double ratio,
                           const py::kwargs& given) {
    const auto options = options_of<PowerOptions>(given);
    const SampleSize size = with_design(
        kind, first, second, [&](const auto& design) { return sample_size(design, wanted, ratio, options); });
    return py::make_tuple(size.n_baseline, size.n_canary);
}

}  // namespace

void register_fixed(py::module_& module) {
    using namespace py::literals;
    py::class_<MannWhitneyResult>(module, "MannWhitneyResult",
                                  R"(What `mann_whitney` found.

Attributes
----------
u : float
    The canary's U: pairs in which the canary is larger, ties counted half.
z : float
    (u - mn/2) / sigma, sigma corrected for ties, without continuity correction.
p_value : float
    Of the alternative asked for.
effect : float
    u/(mn) = P(canary > baseline) + P(equal)/2; 0.5 is no difference; NaN with an empty arm.
ties : int
    How many of the pooled values are equal to another one.
degenerate : bool
    All values are equal, or an arm is empty: p_value is 1 and says nothing.
n_baseline, n_canary : int
    Values of each arm, NaN not counted.
method : str
    What p_value was computed by: "exact", "edgeworth", "saddlepoint", "drawn" or "normal".
)")
        .def_readonly("u", &MannWhitneyResult::u)
        .def_readonly("z", &MannWhitneyResult::z)
        .def_readonly("p_value", &MannWhitneyResult::p_value)
        .def_readonly("effect", &MannWhitneyResult::effect)
        .def_readonly("ties", &MannWhitneyResult::ties)
        .def_readonly("degenerate", &MannWhitneyResult::degenerate)
        .def_readonly("n_baseline", &MannWhitneyResult::n_baseline)
        .def_readonly("n_canary", &MannWhitneyResult::n_canary)
        .def_property_readonly("method", [](const MannWhitneyResult& r) { return word(r.method); })
        .def("to_dict", &to_dict, "The fields as a dict.")
        .def("_repr_html_",
             [](const MannWhitneyResult& r) {
                 return from_python("serinus._html", "fields")("mann_whitney", to_dict(r));
             })
        .def("__repr__",
             [](const MannWhitneyResult& r) {
                 return "MannWhitneyResult(u=" + number_text(r.u, 6) + ", p_value=" + number_text(r.p_value) +
                        ", effect=" + number_text(r.effect) + ", n_baseline=" + std::to_string(r.n_baseline) +
                        ", n_canary=" + std::to_string(r.n_canary) + ", method='" + std::string(word(r.method)) + "')";
             })
        .def("__eq__",
             [](const MannWhitneyResult& a, const MannWhitneyResult& b) { return to_dict(a).equal(to_dict(b)); })
        .def(py::pickle(&to_dict, &from_dict));
    module.def("mann_whitney", &call_mann_whitney);
    module.def("mann_whitney_batch", &call_mann_whitney_batch);
    py::class_<RollingMannWhitney>(module, "RollingMannWhitney", R"(U of the last `window` values of each arm.

For a chart or a score that follows the data, exact at every step; not a test to be asked at every step.

Parameters
----------
window : int
    Values an arm, from 1 to 1048576. NaN is no value.

Examples
--------
>>> import serinus
>>> rolling = serinus.RollingMannWhitney(3)
>>> for baseline, canary in [(1, 2), (3, 4), (2, 5), (9, 1)]:
...     rolling.push(baseline, canary)
>>> rolling.u, rolling.effect, rolling.n_canary
(4.0, 0.4444444444444444, 3)
)")
        .def(py::init<std::size_t>(), "window"_a)
        .def(
            "push",
            [](RollingMannWhitney& rolling, std::optional<double> baseline, std::optional<double> canary) {
                if (baseline) rolling.push_baseline(*baseline);
                if (canary) rolling.push_canary(*canary);
            },
            "baseline"_a, "canary"_a, "Takes the next value of each arm; None: no value.")
        .def_property_readonly("u", &RollingMannWhitney::u)
        .def_property_readonly("effect", &RollingMannWhitney::effect)
        .def_property_readonly("n_baseline", &RollingMannWhitney::n_baseline)
        .def_property_readonly("n_canary", &RollingMannWhitney::n_canary)
        .def(
            "result", [](const RollingMannWhitney& rolling) { return rolling.result({}, workspace()); },
            "The whole test on the windows as they are: one look.");
    module.def("hodges_lehmann", of_arms<HodgesLehmannOptions>([](auto y, auto x, const auto& o) {
                   return hodges_lehmann(y, x, o, workspace());
               }));
    module.def("effect_size", of_arms<EffectSizeOptions>(
                                  [](auto y, auto x, const auto& o) { return effect_size(y, x, o, workspace()); }));
    module.def("brunner_munzel", of_arms<BrunnerMunzelOptions>([](auto y, auto x, const auto& o) {
                   return brunner_munzel(y, x, o, workspace());
               }));
    module.def("welch",
               of_arms<WelchOptions>([](auto y, auto x, const auto& o) { return welch(y, x, o, workspace()); }));
    module.def("yuen", of_arms<YuenOptions>([](auto y, auto x, const auto& o) { return yuen(y, x, o, workspace()); }));
    module.def("kolmogorov_smirnov", of_arms<KolmogorovSmirnovOptions>([](auto y, auto x, const auto& o) {
                   return kolmogorov_smirnov(y, x, o, workspace());
               }));
    module.def("cramer_von_mises", of_arms<CramerVonMisesOptions>([](auto y, auto x, const auto& o) {
                   return cramer_von_mises(y, x, o, workspace());
               }));
    module.def("anderson_darling", of_arms<AndersonDarlingOptions>([](auto y, auto x, const auto& o) {
                   return anderson_darling(y, x, o, workspace());
               }));
    module.def("quantile_difference", of_arms<QuantileDifferenceOptions>([](auto y, auto x, const auto& o) {
                   return quantile_difference(y, x, o, workspace());
               }));
    module.def("robust_rank_test",
               of_arms<RobustRankOptions>([](auto y, auto x, const auto& o) { return robust_rank_test(y, x, o); }));
    module.def("paired_test", &call_paired_test);
    module.def("signed_rank", of_series<SignedRankOptions>(
                                  "differences", [](auto d, const auto& o) { return signed_rank(d, o, workspace()); }));
    module.def("effective_sample_size", &call_effective_sample_size);
    module.def("proportion_test", of_counts<ProportionTestOptions, Proportion>(
                                      [](auto b, auto c, const auto& o) { return proportion_test(b, c, o); }));
    module.def("rate_test",
               of_counts<RateTestOptions, Rate>([](auto b, auto c, const auto& o) { return rate_test(b, c, o); }));
    module.def("ratio_test", &call_ratio_test);
    module.def("block_bootstrap", &call_block_bootstrap);
    module.def("equivalence", &call_equivalence);
    module.def("adjust", &call_adjust);
    module.def("power", &call_power);
    module.def("sample_size", &call_sample_size);
}

}  // namespace serinus::python
