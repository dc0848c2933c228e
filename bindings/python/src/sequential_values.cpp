/// \file
/// Many looks at values for Python: PairedTest and SignedRankTest, of one value an interval; MeanTest, QuantileTest and
/// DistributionBand, of raw values; RotationTest, of the values of instances.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <pybind11/stl.h>

#include <serinus/core/require.hpp>
#include <serinus/core/state.hpp>
#include <serinus/core/text.hpp>
#include <serinus/numeric/elementary.hpp>
#include <serinus/sequential/distribution_band.hpp>
#include <serinus/sequential/mean.hpp>
#include <serinus/sequential/noise/learn_paired_noise.hpp>
#include <serinus/sequential/noise/paired_noise.hpp>
#include <serinus/sequential/paired.hpp>
#include <serinus/sequential/quantile.hpp>
#include <serinus/sequential/quantile_ab.hpp>
#include <serinus/sequential/rotation.hpp>
#include <serinus/sequential/signed_rank.hpp>
#include <serinus/sequential/start_mixture.hpp>

#include "arguments.hpp"
#include "sequential.hpp"

namespace serinus::python {
namespace {

using sequential::DistributionBand;
using sequential::InstanceSpread;
using sequential::MeanMoments;
using sequential::MeanTest;
using sequential::QuantileTest;
using sequential::RotationTest;
using sequential::StochasticOrder;
using Array = py::array_t<double, py::array::c_style>;

/// An interval's values of one arm: a number stands for itself, an array of doubles is taken as it lies, anything else
/// goes through what all arrays of the package go through.
class Values {
  public:
    Values(const char* name, py::handle given) {
        // NumPy's scalars are numbers that are no sequences; bool is an int in Python, but no value of a metric.
        const bool number =
            PyFloat_Check(given.ptr()) ||
            (PyNumber_Check(given.ptr()) && !PySequence_Check(given.ptr()) && !PyBool_Check(given.ptr()));
        if (number) {
            single_ = PyFloat_AsDouble(given.ptr());
            if (PyErr_Occurred() == nullptr) {
                span_ = {&single_, 1};
                return;
            }
            PyErr_Clear();
        }
        const bool ready = py::isinstance<Array>(given) && py::reinterpret_borrow<py::array>(given).ndim() == 1;
        kept_ =
            ready ? py::reinterpret_borrow<py::object>(given) : from_python("serinus._inputs", "values")(name, given);
        const auto array = py::reinterpret_borrow<Array>(kept_);
        span_ = {array.data(), static_cast<std::size_t>(array.size())};
    }
    Values(const Values&) = delete;
    Values& operator=(const Values&) = delete;

    std::span<const double> span() const { return span_; }

  private:
    double single_ = 0;
    py::object kept_;  // what the span lies in; a default-made array would cost a microsecond
    std::span<const double> span_;
};

/// Rows of values: one interval a row.
std::span<const double> row(const Array& values, py::ssize_t i) {
    const auto width = static_cast<std::size_t>(values.ndim() == 2 ? values.shape(1) : 1);
    return {values.data() + static_cast<std::size_t>(i) * width, width};
}

template <class Test>
void update_rows(Test& test, const Array& baseline, const Array& canary) {
    for (py::ssize_t i = 0; i < baseline.shape(0); ++i) test.update(row(baseline, i), row(canary, i));
}
/// All rows or none: values that MeanTest and RotationTest cannot take are known only when they come. The others take
/// all values.
template <class Test>
void update_many(Test& test, const Array& baseline, const Array& canary) {
    if constexpr (std::is_same_v<Test, MeanTest> || std::is_same_v<Test, RotationTest>) {
        Test next = test;
        update_rows(next, baseline, canary);
        test = next;
    } else {
        update_rows(test, baseline, canary);
    }
}

// ---- RotationTest

py::dict spread_dict(const InstanceSpread& spread) {
    const auto size = static_cast<py::ssize_t>(spread.gram.empty() ? 0 : spread.looks.size());
    Array gram({size, size});
    std::copy(spread.gram.begin(), spread.gram.end(), gram.mutable_data());
    py::dict out;
    out["looks"] = py::cast(spread.looks);
    out["gram"] = gram;
    out["degrees"] = spread.degrees;
    return out;
}

/// What `instance_spread` gave; None: nothing is known.
InstanceSpread spread_argument(py::handle given) {
    InstanceSpread spread;
    if (given.is_none()) return spread;
    const auto wrong = [](const std::string& what) {
        raise(Code::argument_type, what + "; allowed: what `instance_spread` gave, or None");
    };
    if (!py::isinstance<py::dict>(given)) wrong("known is " + shown(given));
    const auto dict = py::reinterpret_borrow<py::dict>(given);
    for (const char* key : {"looks", "gram", "degrees"})
        if (!dict.contains(key)) wrong(std::string("known.") + key + " is missing");
    if (dict.size() != 3) wrong("known has keys beside looks, gram and degrees");
    try {
        spread.looks = dict["looks"].cast<std::vector<std::int64_t>>();
    } catch (const py::cast_error&) {
        wrong("known.looks is " + shown(dict["looks"]));
    }
    const py::object given_gram = dict["gram"];
    const Array gram = Array::ensure(given_gram);
    if (!gram) wrong("known.gram is " + shown(given_gram));
    spread.gram.assign(gram.data(), gram.data() + gram.size());
    spread.degrees = number_argument("known.degrees", dict["degrees"]);
    return spread;
}

py::dict call_instance_spread(py::handle last, const std::vector<Array>& groups, const std::vector<py::object>& known,
                              py::handle logs, py::handle zero) {
    InstanceSpread spread;
    spread.looks = sequential::rotation_looks(count_argument("last", last));
    const bool ratio = truth_argument(logs);
    const double small = number_argument("zero", zero);
    require(small >= 0 && std::isfinite(small), "zero", small, "0 or more, finite");
    for (std::size_t g = 0; g < groups.size(); ++g) {
        std::vector<std::vector<double>> levels;
        for (py::ssize_t i = 0; i < groups[g].shape(0); ++i) {
            const auto given = row(groups[g], i);
            std::vector<double> values(given.begin(), given.end());
            for (double& value : values) {
                if (!ratio || std::isnan(value)) continue;
                if (!(value > 0)) value = small;
                value = value > 0 ? elementary::log(value) : std::numeric_limits<double>::quiet_NaN();
            }
            levels.push_back(sequential::running_levels(values, spread.looks));
        }
        spread.add_instances(levels, static_cast<std::size_t>(count_argument("known", known[g])));
    }
    if (spread.gram.empty()) spread.gram.resize(spread.looks.size() * spread.looks.size());
    return spread_dict(spread);
}

template <class Test>
void bind_values(Class<Test>& type) {
    type.def(
            "update",
            [](Test& test, py::handle values_b, py::handle values_c) {
                const Values baseline("values_b", values_b), canary("values_c", values_c);
                test.update(baseline.span(), canary.span());
            },
            py::arg("values_b"), py::arg("values_c"),
            R"(Takes the values of one interval in the baseline, then in the canary, and looks once.

Arrays of any length, or single numbers; NaN is no information. What is impossible raises `serinus.Error` and changes
nothing.)")
        .def("_update_many", &update_many<Test>);
}

/// (n, mean, squares) or (n, mean, squares, cubes, fourths).
MeanMoments moments_argument(const char* name, py::handle given) {
    const auto refuse = [&] {
        raise(Code::argument_type, std::string(name) + " is " + shown(given) +
                                       "; allowed: (n, mean, squares) or (n, mean, squares, cubes, fourths)");
    };
    std::vector<double> numbers;
    try {
        numbers = given.cast<std::vector<double>>();
    } catch (const py::cast_error&) {
        refuse();
    }
    if (numbers.size() != 3 && numbers.size() != 5) refuse();
    MeanMoments moments{.n = numbers[0], .mean = numbers[1], .squares = numbers[2]};
    if (numbers.size() == 5) {
        moments.cubes = numbers[3];
        moments.fourths = numbers[4];
    }
    return moments;
}

py::tuple interval_tuple(const Interval& interval) {
    return py::make_tuple(interval.lower, interval.upper, interval.confidence);
}

/// The empirical distribution function and its band at many points.
py::tuple cdf(const DistributionBand& band, py::handle arm, const Array& x) {
    const auto which = word_argument<Arm>("arm", arm);
    std::array<Array, 3> columns{Array(x.size()), Array(x.size()), Array(x.size())};
    for (py::ssize_t i = 0; i < x.size(); ++i) {
        const Interval at = band.cdf(which, x.data()[i]);
        columns[0].mutable_data()[i] = band.share(which, x.data()[i]);
        columns[1].mutable_data()[i] = at.lower;
        columns[2].mutable_data()[i] = at.upper;
    }
    return py::make_tuple(columns[0], columns[1], columns[2]);
}

// ---- gauges

using sequential::PairedNoise;
using sequential::PairedTest;
using sequential::SignedRankTest;

/// Calls `visit(key, member)` for the members of one type that a noise of its unit has.
template <class Type, class Noise, class Visit>
void each_member(Noise& noise, const Visit& visit) {
    const auto choose = [&](std::string_view name, auto& member) {
        if constexpr (std::is_same_v<std::remove_const_t<std::remove_reference_t<decltype(member)>>, Type>) {
            if (noise.unit == sequential::NoiseUnit::former && PairedNoise::came_with_units(name)) return;
            visit(std::string(name), member);
        }
    };
    PairedNoise::describe(choose, noise);
}

py::dict noise_dict(const PairedNoise& noise) {
    py::dict out;
    if (noise.unit != sequential::NoiseUnit::former) out["unit"] = std::string(word(noise.unit));
    const auto put = [&](const std::string& key, const auto& member) { out[key.c_str()] = member; };
    each_member<double>(noise, put);
    each_member<std::vector<double>>(noise, put);
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
    each_member<double>(noise, [&](const std::string& key, double& number) {
        if (!given.contains(key)) missing(key);
        const py::object value = given[key.c_str()];
        number = PyFloat_AsDouble(value.ptr());
        if (PyErr_Occurred() != nullptr) {
            PyErr_Clear();
            wrong(key, value);
        }
        ++known;
    });
    each_member<std::vector<double>>(noise, [&](const std::string& key, std::vector<double>& list) {
        if (!given.contains(key)) missing(key);
        try {
            list = given[key.c_str()].cast<std::vector<double>>();
        } catch (const py::cast_error&) {
            wrong(key, given[key.c_str()]);
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

template <class Test>
void bind_differences(Class<Test>& type) {
    type.def("_update_many", [](Test& test, const py::array_t<double, py::array::c_style>& differences) {
        const double* const d = differences.data();
        for (py::ssize_t i = 0; i < differences.size(); ++i) test.update(d[i]);
    });
}

}  // namespace

/// What history taught, as a plan carries it; "learn" where it is learned on the way.
template <>
struct Value<std::shared_ptr<const PairedNoise>> {
    static py::object give(const std::shared_ptr<const PairedNoise>& value) {
        return value ? py::object(noise_dict(*value)) : py::object(py::str("learn"));
    }
    static void take(const std::string&, py::handle given, std::shared_ptr<const PairedNoise>& value) {
        if (py::isinstance<py::dict>(given)) {
            value = std::make_shared<const PairedNoise>(noise_argument(py::reinterpret_borrow<py::dict>(given)));
        }
    }
};

template <>
struct Value<InstanceSpread> {
    static py::object give(const InstanceSpread& value) {
        return value.looks.empty() ? py::object(py::none()) : py::object(spread_dict(value));
    }
    static void take(const std::string&, py::handle given, InstanceSpread& value) { value = spread_argument(given); }
};

sequential::PairedNoise noise_of(const py::dict& given) { return noise_argument(given); }

void register_sequential_values(Module& module) {
    auto paired = bind_test<PairedTest>(module, "PairedTest");
    bind_differences<PairedTest>(paired);
    using PairedMixture = sequential::StartMixture<PairedTest>;
    auto paired_mixture = bind_mixture<PairedTest>(module, "PairedMixture");
    bind_differences<PairedMixture>(paired_mixture);
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
    auto signed_rank = bind_test<SignedRankTest>(module, "SignedRankTest");
    bind_differences<SignedRankTest>(signed_rank);
    signed_rank.def(
        "update",
        [](SignedRankTest& test, py::handle difference) { test.update(number_argument("difference", difference)); },
        py::arg("difference"), "Takes canary - baseline of one interval; NaN is no information.");
    module.def("paired_noise", &call_paired_noise);

    auto mean = bind_test<MeanTest>(module, "MeanTest");
    bind_values<MeanTest>(mean);
    mean.def(
            "update_moments",
            [](MeanTest& test, py::handle baseline, py::handle canary) {
                test.update(moments_argument("baseline", baseline), moments_argument("canary", canary));
            },
            py::arg("baseline"), py::arg("canary"),
            R"(Takes one interval's moments in place of its values, and looks once.

Each arm: (n, mean, squares) or (n, mean, squares, cubes, fourths), the sums of powers of (value - mean). Without the
higher ones an interval counts as a single effective value.)")
        .def_property_readonly("effective_baseline", &MeanTest::effective_baseline,
                               "How many of the baseline's values effectively carry its variance.")
        .def_property_readonly("effective_canary", &MeanTest::effective_canary,
                               "How many of the canary's values effectively carry its variance.");

    auto quantile = bind_test<QuantileTest>(module, "QuantileTest");
    bind_values<QuantileTest>(quantile);
    quantile.def(
        "interval",
        [](const QuantileTest& test, py::handle arm) {
            return interval_tuple(test.interval(word_argument<Arm>("arm", arm)));
        },
        py::arg("arm"),
        R"((lower, upper, confidence) of an arm's own quantile, always valid, two-sided; "baseline" or "canary".)");

    auto rotation = bind_test<RotationTest>(module, "RotationTest");
    bind_values<RotationTest>(rotation);
    rotation
        .def(
            "set_known", [](RotationTest& test, py::handle known) { test.set_known(spread_argument(known)); },
            py::arg("known"),
            R"(What is known of instances from elsewhere, in place of `known`; before the first look only.

Raises `serinus.Error` with code "serinus.argument.order" after it.)")
        .def(
            "spread", [](const RotationTest& test) { return spread_dict(test.spread()); },
            "How instances differ, as the test knows it at its looks so far: its own contrasts and `known`.")
        .def_property_readonly("degrees", &RotationTest::degrees,
                               "Contrasts that tell how far instances differ. 0: nothing can be decided; 1: safety may "
                               "be, harm never.")
        .def_property_readonly("at_floor", &RotationTest::at_floor,
                               "True while more than half of the intervals have at most (k + 1)/2 different values of "
                               "the k baseline instances.")
        .def_property_readonly("mean_baseline", &RotationTest::mean_baseline,
                               "Level of the baseline: its mean, for a ratio margin the geometric one.")
        .def_property_readonly("mean_canary", &RotationTest::mean_canary, "The same of the canary.");
    module.def("instance_spread", &call_instance_spread);

    define_structs<StochasticOrder>(module);
    auto band = bind_test<DistributionBand>(module, "DistributionBand");
    bind_values<DistributionBand>(band);
    band.def("order", &DistributionBand::order, "Where and how far the canary lies on the side of harm.")
        .def(
            "half_width",
            [](const DistributionBand& b, py::handle arm) { return b.half_width(word_argument<Arm>("arm", arm)); },
            py::arg("arm"), "Half the height of an arm's band; infinity before from_size values.")
        .def("_cdf", &cdf);

    module.def("quantile_ab_log_e_value", [](const Array& baseline, const Array& canary, py::handle q,
                                             py::handle tuned_at, py::handle tuned_alpha) {
        return sequential::quantile_ab_log_e_value({baseline.data(), static_cast<std::size_t>(baseline.size())},
                                                   {canary.data(), static_cast<std::size_t>(canary.size())},
                                                   number_argument("q", q), number_argument("tuned_at", tuned_at),
                                                   number_argument("tuned_alpha", tuned_alpha));
    });
}

}  // namespace serinus::python
