/// \file
/// Many looks at counts for Python: ProportionTest, RateTest, SampleRatioTest, SilenceTest, ThresholdTest; and
/// ChangeDetector.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <pybind11/stl.h>

#include <serinus/core/text.hpp>
#include <serinus/sequential/change_detector.hpp>
#include <serinus/sequential/noise/count_dispersion.hpp>
#include <serinus/sequential/paired.hpp>
#include <serinus/sequential/proportion.hpp>
#include <serinus/sequential/rate.hpp>
#include <serinus/sequential/sample_ratio.hpp>
#include <serinus/sequential/silence.hpp>
#include <serinus/sequential/start_mixture.hpp>
#include <serinus/sequential/threshold.hpp>

#include "arguments.hpp"
#include "plain_update.hpp"
#include "sequential.hpp"

namespace serinus::python {
namespace {

using sequential::ProportionTest;
using sequential::RateTest;
using sequential::SampleRatioTest;
using sequential::SilenceTest;
using sequential::ThresholdTest;

using Whole = WholeNumbers;
using Real = py::array_t<double, py::array::c_style>;

template <class T>
std::span<const T> span_of(const py::array_t<T, py::array::c_style>& array) {
    return {array.data(), static_cast<std::size_t>(array.size())};
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

template <class Test>
void bind_proportions(Class<Test>& type) {
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

double exposure_argument(const char* name, py::handle value) {
    const double number = PyBool_Check(value.ptr()) ? -1.0 : PyFloat_AsDouble(value.ptr());
    if (PyErr_Occurred() != nullptr || PyBool_Check(value.ptr())) {
        const bool too_large = PyErr_Occurred() != nullptr && PyErr_ExceptionMatches(PyExc_OverflowError) != 0;
        PyErr_Clear();
        raise(too_large ? Code::argument_range : Code::argument_type,
              std::string(name) + " is " + shown(value) + "; allowed: a number, 0 or more");
    }
    return number;
}

template <class Test>
void update_rates(Test& test, const Whole& events_b, const Real& exposure_b, const Whole& events_c,
                  const Real& exposure_c) {
    for (py::ssize_t i = 0; i < events_b.size(); ++i) {
        test.update(Rate{events_b.data()[i], exposure_b.data()[i]}, Rate{events_c.data()[i], exposure_c.data()[i]});
    }
}

template <class Test>
struct RateUpdate {
    static constexpr std::size_t size = 4;
    static constexpr const char* text =
        R"(update($self, /, events_b, exposure_b, events_c, exposure_c)
--

Takes one interval: events in an exposure of the baseline, then of the canary.

An exposure of 0 without events is no information and changes nothing. Impossible events (negative, fractional, above
2^53) raise `serinus.Error` with code "serinus.argument.count", impossible exposures (negative, NaN, infinite, 0 where
there are events) "serinus.argument.range"; nothing is changed then.)";
    static void take(Test& test, const std::array<double, size>& numbers) {
        test.update(Rate{plain_count(numbers[0]), numbers[1]}, Rate{plain_count(numbers[2]), numbers[3]});
    }
};

/// `update` and `_update_many` of a test that takes rates.
template <class Test>
void bind_rates(Class<Test>& type) {
    type.def(
            "update",
            [](Test& test, py::handle events_b, py::handle exposure_b, py::handle events_c, py::handle exposure_c) {
                test.update(Rate{count_argument("events_b", events_b), exposure_argument("exposure_b", exposure_b)},
                            Rate{count_argument("events_c", events_c), exposure_argument("exposure_c", exposure_c)});
            },
            py::arg("events_b"), py::arg("exposure_b"), py::arg("events_c"), py::arg("exposure_c"))
        .def("_update_many", &update_rates<Test>);
    quicken_update<Test, RateUpdate<Test>>(type);
}

/// What all detectors have. The test gives its options, not what it has seen.
template <class Test>
Class<sequential::ChangeDetector<Test>> bind_detector(Module& module, const char* name) {
    using Detector = sequential::ChangeDetector<Test>;
    Class<Detector> type(module, name);
    type.init([](const Test& test, const py::kwargs& given) {
            return Detector(Test(test.options()), from_fields<sequential::ChangeOptions>(given));
        })
        .def_property_readonly("log_statistic", &Detector::log_statistic)
        .def_property_readonly("alarmed", &Detector::alarmed)
        .def_property_readonly("alarm", &Detector::alarm)
        .def_property_readonly("intervals", &Detector::intervals)
        .def_property_readonly("run_length", &Detector::run_length)
        .def("reset", &Detector::reset);
    bind_state<Detector>(type);
    return type;
}

double count_dispersion(const Whole& events_b, const Real& exposure_b, const Whole& events_c, const Real& exposure_c,
                        py::handle alpha, py::handle intervals) {
    sequential::CountDispersion history;
    for (py::ssize_t i = 0; i < events_b.size(); ++i) {
        history.add(static_cast<double>(events_b.data()[i]), exposure_b.data()[i],
                    static_cast<double>(events_c.data()[i]), exposure_c.data()[i]);
    }
    return history.phi(number_argument("alpha", alpha), number_argument("intervals", intervals));
}

double share_dispersion(const Whole& below, const Whole& values, py::handle q, py::handle alpha, py::handle intervals) {
    sequential::ShareDispersion history(number_argument("q", q));
    for (py::ssize_t i = 0; i < below.size(); ++i)
        history.add(static_cast<double>(below.data()[i]), static_cast<double>(values.data()[i]));
    return history.phi(number_argument("alpha", alpha), number_argument("intervals", intervals));
}

}  // namespace

void register_sequential_counts(Module& module) {
    auto proportion = bind_test<ProportionTest>(module, "ProportionTest");
    bind_proportions<ProportionTest>(proportion);
    auto proportion_mixture = bind_mixture<ProportionTest>(module, "ProportionMixture");
    bind_proportions<sequential::StartMixture<ProportionTest>>(proportion_mixture);

    auto rate = bind_test<RateTest>(module, "RateTest");
    bind_rates<RateTest>(rate);
    auto rate_mixture = bind_mixture<RateTest>(module, "RateMixture");
    bind_rates<sequential::StartMixture<RateTest>>(rate_mixture);

    auto split = bind_test<SampleRatioTest>(module, "SampleRatioTest");
    split
        .init(
            [](const std::vector<double>& shares, const py::kwargs& given) {
                return SampleRatioTest(shares, from_fields<sequential::SampleRatioOptions>(given));
            },
            py::arg("shares"))
        .def(
            "update",
            [](SampleRatioTest& test, py::handle counts) {
                if (!PySequence_Check(counts.ptr()) || PyUnicode_Check(counts.ptr()))
                    raise(Code::argument_type, "counts is " + shown(counts) + "; allowed: one count an arm");
                std::vector<std::int64_t> numbers;
                for (const py::handle count : counts) {
                    const std::string name = "counts[" + std::to_string(numbers.size()) + "]";
                    numbers.push_back(count_argument(name.c_str(), count));
                }
                test.update(numbers);
            },
            py::arg("counts"),
            R"(Takes the requests of one interval: one count an arm, in the order of the shares.

Raises `serinus.Error` with code "serinus.argument.count" or "serinus.argument.length", and changes nothing, for counts
that are negative, fractional or above 2^53, and for another number of arms.)")
        .def("_update_many",
             [](SampleRatioTest& test, const Whole& counts) { test.update_many(span_of<std::int64_t>(counts)); })
        .def("_share", [](const SampleRatioTest& test, py::handle arm) {
            const py::ssize_t index = PyIndex_Check(arm.ptr()) ? PyNumber_AsSsize_t(arm.ptr(), nullptr) : -1;
            if (index < 0) {
                raise(Code::argument_range,
                      "arm is " + shown(arm) + "; allowed: 0 to " + std::to_string(test.shares().size() - 1));
            }
            const Interval bounds = test.share(static_cast<std::size_t>(index));
            return std::pair(bounds.lower, bounds.upper);
        });
    split.def_property_readonly("_options", [](const SampleRatioTest& test) {
        py::dict options = fields_of(test.options());
        options["shares"] = py::cast(std::vector<double>(test.shares().begin(), test.shares().end()));
        return options;
    });

    auto silence = bind_test<SilenceTest>(module, "SilenceTest");
    silence
        .def(
            "update",
            [](SilenceTest& test, py::handle baseline, py::handle canary, py::handle share) {
                test.update(count_argument("baseline", baseline), count_argument("canary", canary),
                            number_argument("share", share));
            },
            py::arg("baseline"), py::arg("canary"), py::arg("share"),
            R"(Takes the requests of one interval, and the share of all of them that the canary was told.

An interval without a request changes nothing. Raises `serinus.Error` with code "serinus.argument.count" for requests
that are negative, fractional or above 2^53, "serinus.argument.range" for a share that is not above 0 and below 1, and
changes nothing then.)")
        .def("_update_many",
             [](SilenceTest& test, const Whole& baseline, const Whole& canary, const Real& shares) {
                 test.update_many(span_of<std::int64_t>(baseline), span_of<std::int64_t>(canary),
                                  span_of<double>(shares));
             })
        .def_property_readonly("unheard", &SilenceTest::unheard,
                               "Requests of the baseline since the last interval in which the canary had one.");

    auto threshold = bind_test<ThresholdTest>(module, "ThresholdTest");
    threshold
        .init(
            [](py::handle limit, const py::kwargs& given) {
                return ThresholdTest(number_argument("threshold", limit),
                                     from_fields<sequential::ThresholdOptions>(given));
            },
            py::arg("threshold"))
        .def("_update", [](ThresholdTest& test, const Real& baseline,
                           const Real& canary) { test.update(span_of<double>(baseline), span_of<double>(canary)); })
        .def("_update_buckets",
             [](ThresholdTest& test, const Real& bounds, const Whole& baseline, const Whole& canary) {
                 test.update_buckets(span_of<double>(bounds), span_of<std::int64_t>(baseline),
                                     span_of<std::int64_t>(canary));
             })
        .def_property_readonly("conclusive", &ThresholdTest::conclusive,
                               "False while no interval's buckets had a bound within 25 % of what is wanted.")
        .def_property_readonly("tested", &ThresholdTest::tested,
                               "The margin that was really tested, a ratio or a difference as asked; None before data.")
        .def_property_readonly("threshold", &ThresholdTest::threshold, "As given.");
    threshold.def_property_readonly("_options", [](const ThresholdTest& test) {
        py::dict options = fields_of(test.options());
        options["threshold"] = test.threshold();
        return options;
    });

    auto rates = bind_detector<RateTest>(module, "RateDetector");
    bind_rates<sequential::ChangeDetector<RateTest>>(rates);
    using Shares = sequential::ChangeDetector<ProportionTest>;
    auto shares = bind_detector<ProportionTest>(module, "ProportionDetector");
    shares
        .def("update",
             [](Shares& test, py::handle bad_b, py::handle total_b, py::handle bad_c, py::handle total_c) {
                 test.update(Proportion{count_argument("bad_b", bad_b), count_argument("total_b", total_b)},
                             Proportion{count_argument("bad_c", bad_c), count_argument("total_c", total_c)});
             })
        .def("_update_many", &update_proportions<Shares>);
    using Gauges = sequential::ChangeDetector<sequential::PairedTest>;
    auto gauges = bind_detector<sequential::PairedTest>(module, "PairedDetector");
    gauges
        .def("update",
             [](Gauges& test, py::handle difference) { test.update(number_argument("difference", difference)); })
        .def("_update_many",
             [](Gauges& test, const Real& differences) { test.update_many(span_of<double>(differences)); });
    module.def("count_dispersion", &count_dispersion);
    module.def("share_dispersion", &share_dispersion);
}

}  // namespace serinus::python
