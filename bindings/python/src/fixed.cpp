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
#include <serinus/fixed/label_swap.hpp>
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
#include "bind.hpp"

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

MannWhitneyResult call_mann_whitney(py::handle baseline, py::handle canary, const py::kwargs& given) {
    const auto options = from_fields<MannWhitneyOptions>(given);
    const Values y("baseline", baseline);
    const Values x("canary", canary);
    if (x.get().size() + y.get().size() <= few) return mann_whitney(y.get(), x.get(), options, workspace());
    const py::gil_scoped_release release;
    return mann_whitney(y.get(), x.get(), options, workspace());
}

/// Sequences of arms, as many of both, or one baseline for all canaries.
py::dict call_mann_whitney_batch(const py::sequence& baselines, const py::sequence& canaries, std::size_t threads,
                                 const py::kwargs& given) {
    const auto options = from_fields<MannWhitneyOptions>(given);
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
    // One array a field, and the methods as a list of words.
    py::dict out;
    py::list methods;
    std::vector<void*> columns;
    const auto make = [&]<class Type>(const char* name, const Type&) {
        if constexpr (std::is_enum_v<Type>) {
            columns.push_back(nullptr);
            out[name] = methods;
        } else {
            py::array_t<Type> array(static_cast<py::ssize_t>(count));
            columns.push_back(array.mutable_data());
            out[name] = array;
        }
    };
    const MannWhitneyResult any;
    MannWhitneyResult::describe(make, any);
    for (std::size_t i = 0; i < count; ++i) {
        std::size_t column = 0;
        const auto fill = [&]<class Type>(const char*, const Type& value) {
            if constexpr (std::is_enum_v<Type>) {
                methods.append(word(value));
            } else {
                static_cast<Type*>(columns[column])[i] = value;
            }
            ++column;
        };
        MannWhitneyResult::describe(fill, std::as_const(results[i]));
    }
    return out;
}

/// A test of two arms as a Python function of them and of its options.
template <class Options, class Test>
auto of_arms(Test test) {
    return [test](py::handle baseline, py::handle canary, const py::kwargs& given) {
        const auto options = from_fields<Options>(given);
        const Values y("baseline", baseline), x("canary", canary);
        const py::gil_scoped_release release;
        return test(y.get(), x.get(), options);
    };
}

/// The same of the values of one series, of that name.
template <class Options, class Test>
auto of_series(const char* name, Test test) {
    return [name, test](py::handle values, const py::kwargs& given) {
        const auto options = from_fields<Options>(given);
        const Values series(name, values);
        const py::gil_scoped_release release;
        return test(series.get(), options);
    };
}

ProportionTestResult call_proportion_test(py::handle bad_b, py::handle total_b, py::handle bad_c, py::handle total_c,
                                          const py::kwargs& given) {
    return proportion_test({count_argument("bad_b", bad_b), count_argument("total_b", total_b)},
                           {count_argument("bad_c", bad_c), count_argument("total_c", total_c)},
                           from_fields<ProportionTestOptions>(given));
}

RateTestResult call_rate_test(py::handle events_b, py::handle exposure_b, py::handle events_c, py::handle exposure_c,
                              const py::kwargs& given) {
    return rate_test({count_argument("events_b", events_b), number_argument("exposure_b", exposure_b)},
                     {count_argument("events_c", events_c), number_argument("exposure_c", exposure_c)},
                     from_fields<RateTestOptions>(given));
}

PairedTestResult call_paired_test(py::handle differences, py::handle history, const py::kwargs& given) {
    const auto options = from_fields<PairedTestOptions>(given);
    std::optional<sequential::PairedNoise> noise;
    if (!history.is_none()) noise = noise_of(dict_argument("noise", history));
    const Values series("differences", differences);
    const py::gil_scoped_release release;
    return noise ? paired_test(series.get(), *noise, options) : paired_test(series.get(), options);
}

py::dict call_effective_sample_size(py::handle values, py::handle nan_policy) {
    using namespace py::literals;
    const Dependence r =
        effective_sample_size(Values("values", values).get(), word_argument<NanPolicy>("nan_policy", nan_policy));
    return py::dict("n"_a = r.n, "n_effective"_a = r.n_effective, "mean"_a = r.mean, "variance"_a = r.variance,
                    "long_run_variance"_a = r.long_run_variance(),
                    "autocorrelation"_a = py::tuple(py::cast(r.autocorrelation)), "sufficient"_a = r.sufficient());
}

RatioTestResult call_ratio_test(py::handle numerator_b, py::handle denominator_b, py::handle numerator_c,
                                py::handle denominator_c, const py::kwargs& given) {
    const auto options = from_fields<RatioTestOptions>(given);
    const Values a("numerator_b", numerator_b), b("denominator_b", denominator_b), c("numerator_c", numerator_c),
        d("denominator_c", denominator_c);
    const py::gil_scoped_release release;
    return ratio_test({a.get(), b.get()}, {c.get(), d.get()}, options);
}

BlockBootstrapResult call_block_bootstrap(py::handle values, py::function statistic, const py::kwargs& given) {
    const auto options = from_fields<BlockBootstrapOptions>(given);
    const Values series("values", values);
    return block_bootstrap(
        series.get(),
        [&](std::span<const double> v) {
            const py::array_t<double> copy(static_cast<py::ssize_t>(v.size()), v.data());
            return py::cast<double>(statistic(copy));
        },
        options);
}

/// Arms by the names of their metrics; `own`: by name, what of the options is a metric's own.
LabelSwapResult call_label_swap_test(const py::dict& baseline, const py::dict& canary, const py::dict& own,
                                     const py::kwargs& given) {
    const auto options = from_fields<LabelSwapOptions>(given);
    std::vector<Values> owners;
    owners.reserve(2 * baseline.size());
    std::vector<LabelSwapMetric> metrics;
    for (const auto& [key, values] : baseline) {
        LabelSwapMetric metric;
        metric.name = std::string(text_argument("metric", key));
        metric.baseline = owners.emplace_back("baseline", values).get();
        metric.canary = owners.emplace_back("canary", canary[key]).get();
        if (own.contains(key)) {
            for (const auto& [name, value] : dict_argument("metrics", own[key])) {
                const std::string_view field = text_argument("metrics", name);
                if (field == "harm") {
                    metric.harm = word_argument<Harm>("harm", value);
                } else if (field == "margin") {
                    metric.margin = margin_argument(value);
                } else if (field == "detect") {
                    metric.detect = margin_argument(value, "detect");
                } else if (field == "weight") {
                    metric.weight = number_argument("weight", value);
                } else {
                    raise(Code::argument_word, "metrics has " + std::string(field) +
                                                   "; allowed: \"harm\", \"margin\", \"detect\", \"weight\"");
                }
            }
        }
        metrics.push_back(std::move(metric));
    }
    const py::gil_scoped_release release;
    return label_swap_test(metrics, options);
}

EquivalenceResult call_equivalence(double lower, double upper, py::handle margin, py::handle harm) {
    return equivalence(lower, upper, margin_argument(margin), word_argument<Harm>("harm", harm));
}

py::array_t<double> call_adjust(py::handle p_values, py::handle method, py::handle weights) {
    const Values p("p_values", p_values);
    const auto how = word_argument<AdjustMethod>("method", method);
    const std::vector<double> adjusted =
        weights.is_none() ? adjust(p.get(), how) : adjust(p.get(), how, Values("weights", weights).get());
    return py::array_t<double>(static_cast<py::ssize_t>(adjusted.size()), adjusted.data());
}

/// Calls `use(design)` with the design that the kind and its one or two numbers, by name, are.
template <class Use>
auto with_design(const std::string& kind, const py::dict& numbers, Use&& use) {
    double first = 0, second = 0;
    for (const auto& [name, value] : numbers) {
        first = std::exchange(second, number_argument(text_argument("name", name), value));
    }
    if (kind == "rank") return use(RankDesign{second});
    if (kind == "mean") return use(MeanDesign{first, second});
    if (kind == "proportion") return use(ProportionDesign{first, second});
    return use(RateDesign{first, second});
}

double call_power(const std::string& kind, const py::dict& numbers, py::handle n_baseline, py::handle n_canary,
                  const py::kwargs& given) {
    const auto options = from_fields<PowerOptions>(given);
    const double baseline = number_argument("n_baseline", n_baseline), canary = number_argument("n_canary", n_canary);
    return with_design(kind, numbers, [&](const auto& design) { return power(design, baseline, canary, options); });
}

SampleSize call_sample_size(const std::string& kind, const py::dict& numbers, py::handle wanted, py::handle ratio,
                            const py::kwargs& given) {
    const auto options = from_fields<PowerOptions>(given);
    const double goal = number_argument("power", wanted), canaries = number_argument("ratio", ratio);
    return with_design(kind, numbers, [&](const auto& design) { return sample_size(design, goal, canaries, options); });
}

}  // namespace

void register_fixed(Module& module) {
    using namespace py::literals;
    define_structs<MannWhitneyResult, MeanDifferenceResult, HodgesLehmannResult, EffectSizeResult, BrunnerMunzelResult,
                   SignedRankResult, KolmogorovSmirnovResult, CramerVonMisesResult, AndersonDarlingResult, ArmQuantile,
                   QuantileDifferenceResult, ProportionTestResult, RateTestResult, RatioTestResult, PairedTestResult,
                   RobustRankTestResult, BlockBootstrapResult, EquivalenceResult, SampleSize, Interval, LabelSwapLevel,
                   LabelSwapResult>(module);
    module.def("mann_whitney", &call_mann_whitney);
    module.def("mann_whitney_batch", &call_mann_whitney_batch);
    Class<RollingMannWhitney> type(module, "RollingMannWhitney", R"(U of the last `window` values of each arm.

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
)");
    type.attr("__module__") = "serinus";
    type.init([](std::size_t window) { return RollingMannWhitney(window); }, "window"_a)
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
               of_arms<RobustRankTestOptions>([](auto y, auto x, const auto& o) { return robust_rank_test(y, x, o); }));
    module.def("paired_test", &call_paired_test);
    module.def("signed_rank", of_series<SignedRankOptions>(
                                  "differences", [](auto d, const auto& o) { return signed_rank(d, o, workspace()); }));
    module.def("effective_sample_size", &call_effective_sample_size);
    module.def("proportion_test", &call_proportion_test);
    module.def("rate_test", &call_rate_test);
    module.def("ratio_test", &call_ratio_test);
    module.def("block_bootstrap", &call_block_bootstrap);
    module.def("label_swap_test", &call_label_swap_test);
    module.def("equivalence", &call_equivalence);
    module.def("adjust", &call_adjust);
    module.def("power", &call_power);
    module.def("sample_size", &call_sample_size);
}

}  // namespace serinus::python
