/// \file
/// Many looks: mixture martingales, boundaries, group-sequential designs and combined e-values for Python. Arrays of
/// times, sums and errors broadcast; what a mixture is tuned for is one number, so that it is tuned once.

#include <concepts>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include <pybind11/stl.h>

#include <serinus/core/require.hpp>
#include <serinus/sequential/boundaries.hpp>
#include <serinus/sequential/combine.hpp>
#include <serinus/sequential/group_sequential.hpp>
#include <serinus/sequential/start_mixture.hpp>

#include "arguments.hpp"
#include "functions.hpp"

namespace serinus::python {
namespace {

using namespace sequential;
using Numbers = py::array_t<double, py::array::c_style | py::array::forcecast>;

/// A function of numbers by two pointers, of whatever type it is: what broadcasts arrays is compiled for each type.
template <class... Number>
struct Formula {
    const void* of;
    double (*call)(const void* of, Number... numbers);
    double operator()(Number... numbers) const { return call(of, numbers...); }
};
/// The function at every element of arrays that broadcast.
template <class F, std::same_as<Numbers>... Arrays>
py::object at_each(const F& f, const Arrays&... arrays) {
    const auto formula = [&]<std::size_t... I>(std::index_sequence<I...>) {
        return Formula<decltype(static_cast<void>(I), double())...>{
            &f, [](const void* of, decltype(static_cast<void>(I), double())... numbers) -> double {
                return (*static_cast<const F*>(of))(numbers...);
            }};
    }(std::index_sequence_for<Arrays...>());
    return py::vectorize(formula)(arrays...);
}

template <class Mixture>
py::object bounds(const Mixture& mixture, const Numbers& v, const Numbers& alpha) {
    return at_each([&mixture](double time, double error) { return mixture.bound(time, error); }, v, alpha);
}
template <class Mixture>
py::object log_values(const Mixture& mixture, const Numbers& s, const Numbers& v) {
    return at_each([&mixture](double sum, double time) { return mixture.log_value(sum, time); }, s, v);
}

py::array_t<double> array_of(const std::vector<double>& values) {
    return py::array_t<double>(static_cast<py::ssize_t>(values.size()), values.data());
}

int sided_argument(py::handle given) {
    const double sided = number_argument("sided", given);
    require(sided == 1 || sided == 2, "sided", sided, "1 or 2");
    return static_cast<int>(sided);
}

py::tuple call_group_sequential(const std::vector<double>& information, py::handle alpha, py::handle spending,
                                py::handle parameter, py::handle sided) {
    const auto design =
        group_sequential(information, number_argument("alpha", alpha), word_argument<Spending>("spending", spending),
                         optional_number_argument("parameter", parameter), sided_argument(sided));
    return py::make_tuple(array_of(design.bounds), array_of(design.cumulative_alpha));
}

py::tuple call_crossing_probabilities(const std::vector<double>& information, const std::vector<double>& bounds,
                                      py::handle drift, py::handle sided) {
    const auto found =
        crossing_probabilities(information, bounds, number_argument("drift", drift), sided_argument(sided));
    return py::make_tuple(array_of(found.upper), array_of(found.lower));
}

py::dict combine(const std::vector<double>& log_e_values, const std::vector<double>& weights, py::handle method) {
    const auto combined =
        sequential::combine(log_e_values, weights, word_argument<sequential::CombineMethod>("method", method));
    py::dict out;
    out["log_e_value"] = combined.log_e_value;
    out["adjusted"] = py::array_t<double>(static_cast<py::ssize_t>(combined.adjusted.size()), combined.adjusted.data());
    return out;
}

}  // namespace

void register_sequential_boundaries(Module& module) {
    module.def("normal_mixture",
               [](const Numbers& v, const Numbers& alpha, double tuned_at, double tuned_alpha, bool one_sided) {
                   return bounds(NormalMixture(tuned_at, tuned_alpha, one_sided), v, alpha);
               });
    module.def("log_normal_mixture",
               [](const Numbers& s, const Numbers& v, double tuned_at, double tuned_alpha, bool one_sided) {
                   return log_values(NormalMixture(tuned_at, tuned_alpha, one_sided), s, v);
               });
    module.def("gamma_exponential",
               [](const Numbers& v, const Numbers& alpha, double tuned_at, double c, double tuned_alpha) {
                   return bounds(GammaExponentialMixture(tuned_at, c, tuned_alpha), v, alpha);
               });
    module.def("log_gamma_exponential",
               [](const Numbers& s, const Numbers& v, double tuned_at, double c, double tuned_alpha) {
                   return log_values(GammaExponentialMixture(tuned_at, c, tuned_alpha), s, v);
               });
    module.def("gamma_poisson",
               [](const Numbers& v, const Numbers& alpha, double tuned_at, double c, double tuned_alpha) {
                   return bounds(GammaPoissonMixture(tuned_at, c, tuned_alpha), v, alpha);
               });
    module.def("log_gamma_poisson",
               [](const Numbers& s, const Numbers& v, double tuned_at, double c, double tuned_alpha) {
                   return log_values(GammaPoissonMixture(tuned_at, c, tuned_alpha), s, v);
               });
    module.def("beta_binomial", [](const Numbers& v, const Numbers& alpha, double tuned_at, double g, double h,
                                   double tuned_alpha, bool one_sided) {
        return bounds(BetaBinomialMixture(tuned_at, g, h, tuned_alpha, one_sided), v, alpha);
    });
    module.def("log_beta_binomial", [](const Numbers& s, const Numbers& v, double tuned_at, double g, double h,
                                       double tuned_alpha, bool one_sided) {
        return log_values(BetaBinomialMixture(tuned_at, g, h, tuned_alpha, one_sided), s, v);
    });
    module.def(
        "poly_stitching", [](const Numbers& v, const Numbers& alpha, double from_time, double c, double s, double eta) {
            return at_each([=](double time, double error) { return poly_stitching(time, error, from_time, c, s, eta); },
                           v, alpha);
        });
    module.def("double_stitching_bound", [](const Numbers& quantile_p, const Numbers& t, const Numbers& alpha,
                                            double tuned_at, double delta, double s, double eta) {
        return at_each([=](double p, double time,
                           double error) { return double_stitching_bound(p, time, error, tuned_at, delta, s, eta); },
                       quantile_p, t, alpha);
    });
    module.def("empirical_process_lil_bound", [](const Numbers& t, double alpha, double from_size, double A) {
        return at_each(
            [=, constant = empirical_process_lil_constant(alpha, A)](double time) {
                return empirical_process_lil_bound(time, from_size, A, EmpiricalProcessConstant{constant});
            },
            t);
    });
    module.def("bernoulli_confidence_interval", [](const Numbers& successes, const Numbers& trials, double alpha,
                                                   double tuned_at, double tuned_alpha) {
        // Both ends of each at once: the upper ones wait here, in the order in which they are made.
        std::vector<double> ends;
        const auto lower = [&](double x, double n) {
            const BernoulliInterval interval = bernoulli_confidence_interval(x, n, alpha, tuned_at, tuned_alpha);
            ends.push_back(interval.upper);
            return interval.lower;
        };
        const py::object lowers = at_each(lower, successes, trials);
        std::size_t next = 0;
        const auto upper = [&](double, double) { return ends[next++]; };
        return py::make_tuple(lowers, at_each(upper, successes, trials));
    });
    module.def("group_sequential", &call_group_sequential);
    module.def("crossing_probabilities", &call_crossing_probabilities);
    module.def("combine", &combine);
    module.def("start_weight", [](py::handle j) {
        const std::int64_t start = count_argument("j", j);
        require_count("j", static_cast<double>(start));
        return sequential::start_weight(start);
    });
}

}  // namespace serinus::python
