/// \file
/// One look: the tests of fixed/ for Python.

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <pybind11/stl.h>

#include <serinus/core/reason.hpp>
#include <serinus/core/sort_kernel.hpp>
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
#include <serinus/fixed/mann_whitney_batch.hpp>
#include <serinus/fixed/paired_test.hpp>
#include <serinus/fixed/power.hpp>
#include <serinus/fixed/proportion_test.hpp>
#include <serinus/fixed/quantile_difference.hpp>
#include <serinus/fixed/rate_test.hpp>
#include <serinus/fixed/ratio_test.hpp>
#include <serinus/fixed/robust_rank_test.hpp>
#include <serinus/fixed/rolling_mann_whitney.hpp>
#include <serinus/fixed/signed_rank.hpp>
#include <serinus/fixed/welch.hpp>
#include <serinus/fixed/yuen.hpp>

#include "core.hpp"

namespace serinus::python {
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

// ---- results that serinus._fixed makes its own types of

py::dict call_hodges_lehmann(py::handle baseline, py::handle canary, double confidence, py::handle alternative,
                             py::handle method, py::handle nan) {
    using namespace py::literals;
    const HodgesLehmannOptions options{.confidence = confidence,
                                       .alternative = word_argument<Alternative>("alternative", alternative),
                                       .method = word_argument<HodgesLehmannMethod>("method", method),
                                       .nan_policy = word_argument<NanPolicy>("nan", nan)};
    const Values y("baseline", baseline), x("canary", canary);
    HodgesLehmannResult r;
    {
        const py::gil_scoped_release release;
        r = hodges_lehmann(y.get(), x.get(), options, workspace());
    }
    return py::dict("estimate"_a = r.estimate, "lower"_a = r.lower, "upper"_a = r.upper, "confidence"_a = r.confidence,
                    "n_baseline"_a = r.n_baseline, "n_canary"_a = r.n_canary, "method"_a = word(r.method));
}

py::dict call_effect_size(py::handle baseline, py::handle canary, double confidence, py::handle nan) {
    using namespace py::literals;
    const EffectSizeOptions options{.confidence = confidence, .nan_policy = word_argument<NanPolicy>("nan", nan)};
    const Values y("baseline", baseline), x("canary", canary);
    const EffectSizeResult r = effect_size(y.get(), x.get(), options, workspace());
    return py::dict("effect"_a = r.effect, "cliffs_delta"_a = r.cliffs_delta, "lower"_a = r.lower, "upper"_a = r.upper,
                    "confidence"_a = r.confidence, "n_baseline"_a = r.n_baseline, "n_canary"_a = r.n_canary);
}

py::dict call_paired_test(py::handle differences, py::handle alternative, double difference, double confidence,
                          py::handle nan) {
    using namespace py::literals;
    const PairedTestOptions options{.alternative = word_argument<Alternative>("alternative", alternative),
                                    .difference = difference,
                                    .confidence = confidence,
                                    .nan_policy = word_argument<NanPolicy>("nan", nan)};
    const PairedTestResult r = paired_test(Values("differences", differences).get(), options);
    return py::dict("statistic"_a = r.statistic, "df"_a = r.df, "p_value"_a = r.p_value, "estimate"_a = r.estimate,
                    "lower"_a = r.lower, "upper"_a = r.upper, "confidence"_a = r.confidence, "n"_a = r.n,
                    "n_effective"_a = r.n_effective, "conclusive"_a = r.conclusive);
}

py::dict call_robust_rank_test(py::handle baseline, py::handle canary, py::handle alternative, double confidence,
                               py::handle nan) {
    using namespace py::literals;
    const RobustRankOptions options{.alternative = word_argument<Alternative>("alternative", alternative),
                                    .confidence = confidence,
                                    .nan_policy = word_argument<NanPolicy>("nan", nan)};
    const Values y("baseline", baseline), x("canary", canary);
    const RobustRankResult r = robust_rank_test(y.get(), x.get(), options);
    return py::dict("statistic"_a = r.statistic, "df"_a = r.df, "p_value"_a = r.p_value, "estimate"_a = r.estimate,
                    "lower"_a = r.lower, "upper"_a = r.upper, "confidence"_a = r.confidence,
                    "n_baseline"_a = r.n_baseline, "n_canary"_a = r.n_canary, "n_effective"_a = r.n_effective,
                    "n_effective_baseline"_a = r.n_effective_baseline, "n_effective_canary"_a = r.n_effective_canary,
                    "conclusive"_a = r.conclusive);
}

py::dict call_effective_sample_size(py::handle values, py::handle nan) {
    using namespace py::literals;
    const Dependence r = effective_sample_size(Values("values", values).get(), word_argument<NanPolicy>("nan", nan));
    return py::dict("n"_a = r.n, "n_effective"_a = r.n_effective, "mean"_a = r.mean, "variance"_a = r.variance,
                    "long_run_variance"_a = r.long_run_variance(),
                    "autocorrelation"_a = py::tuple(py::cast(r.autocorrelation)), "sufficient"_a = r.sufficient());
}

py::dict call_brunner_munzel(py::handle baseline, py::handle canary, py::handle alternative, double effect,
                             double confidence, py::handle nan) {
    using namespace py::literals;
    const BrunnerMunzelOptions options{.alternative = word_argument<Alternative>("alternative", alternative),
                                       .effect = effect,
                                       .confidence = confidence,
                                       .nan_policy = word_argument<NanPolicy>("nan", nan)};
    const Values y("baseline", baseline), x("canary", canary);
    const BrunnerMunzelResult r = brunner_munzel(y.get(), x.get(), options, workspace());
    return py::dict("statistic"_a = r.statistic, "df"_a = r.df, "p_value"_a = r.p_value, "estimate"_a = r.estimate,
                    "lower"_a = r.lower, "upper"_a = r.upper, "confidence"_a = r.confidence,
                    "degenerate"_a = r.degenerate, "n_baseline"_a = r.n_baseline, "n_canary"_a = r.n_canary);
}

py::dict mean_difference_dict(const MeanDifferenceResult& r) {
    using namespace py::literals;
    return py::dict("statistic"_a = r.statistic, "df"_a = r.df, "p_value"_a = r.p_value, "estimate"_a = r.estimate,
                    "lower"_a = r.lower, "upper"_a = r.upper, "confidence"_a = r.confidence,
                    "degenerate"_a = r.degenerate, "n_baseline"_a = r.n_baseline, "n_canary"_a = r.n_canary);
}

py::dict call_welch(py::handle baseline, py::handle canary, py::handle alternative, double difference,
                    double confidence, py::handle nan) {
    const WelchOptions options{.alternative = word_argument<Alternative>("alternative", alternative),
                               .difference = difference,
                               .confidence = confidence,
                               .nan_policy = word_argument<NanPolicy>("nan", nan)};
    const Values y("baseline", baseline), x("canary", canary);
    return mean_difference_dict(welch(y.get(), x.get(), options, workspace()));
}

py::dict call_yuen(py::handle baseline, py::handle canary, py::handle alternative, double trim, double difference,
                   double confidence, py::handle nan) {
    const YuenOptions options{.alternative = word_argument<Alternative>("alternative", alternative),
                              .trim = trim,
                              .difference = difference,
                              .confidence = confidence,
                              .nan_policy = word_argument<NanPolicy>("nan", nan)};
    const Values y("baseline", baseline), x("canary", canary);
    return mean_difference_dict(yuen(y.get(), x.get(), options, workspace()));
}

py::dict call_kolmogorov_smirnov(py::handle baseline, py::handle canary, py::handle alternative, py::handle method,
                                 py::handle nan) {
    using namespace py::literals;
    const KolmogorovSmirnovOptions options{.alternative = word_argument<Alternative>("alternative", alternative),
                                           .method = word_argument<DistributionMethod>("method", method),
                                           .nan_policy = word_argument<NanPolicy>("nan", nan)};
    const Values y("baseline", baseline), x("canary", canary);
    KolmogorovSmirnovResult r;
    {
        const py::gil_scoped_release release;
        r = kolmogorov_smirnov(y.get(), x.get(), options, workspace());
    }
    return py::dict("statistic"_a = r.statistic, "p_value"_a = r.p_value, "location"_a = r.location, "sign"_a = r.sign,
                    "n_baseline"_a = r.n_baseline, "n_canary"_a = r.n_canary, "method"_a = word(r.method));
}

py::dict call_cramer_von_mises(py::handle baseline, py::handle canary, py::handle method, py::handle nan) {
    using namespace py::literals;
    const CramerVonMisesOptions options{.method = word_argument<QuadraticMethod>("method", method),
                                        .nan_policy = word_argument<NanPolicy>("nan", nan)};
    const Values y("baseline", baseline), x("canary", canary);
    CramerVonMisesResult r;
    {
        const py::gil_scoped_release release;
        r = cramer_von_mises(y.get(), x.get(), options, workspace());
    }
    return py::dict("statistic"_a = r.statistic, "p_value"_a = r.p_value, "degenerate"_a = r.degenerate,
                    "n_baseline"_a = r.n_baseline, "n_canary"_a = r.n_canary, "method"_a = word(r.method));
}

py::dict call_anderson_darling(py::handle baseline, py::handle canary, py::handle method, py::handle nan) {
    using namespace py::literals;
    const AndersonDarlingOptions options{.method = word_argument<QuadraticMethod>("method", method),
                                         .nan_policy = word_argument<NanPolicy>("nan", nan)};
    const Values y("baseline", baseline), x("canary", canary);
    const AndersonDarlingResult r = anderson_darling(y.get(), x.get(), options, workspace());
    return py::dict("statistic"_a = r.statistic, "p_value"_a = r.p_value, "a_squared"_a = r.a_squared,
                    "degenerate"_a = r.degenerate, "n_baseline"_a = r.n_baseline, "n_canary"_a = r.n_canary,
                    "method"_a = word(r.method));
}

py::dict call_quantile_difference(py::handle baseline, py::handle canary, double q, double confidence,
                                  py::handle method, std::optional<double> n_effective_baseline,
                                  std::optional<double> n_effective_canary, py::handle nan) {
    using namespace py::literals;
    const QuantileDifferenceOptions options{.q = q,
                                            .confidence = confidence,
                                            .method = word_argument<QuantileMethod>("method", method),
                                            .n_effective_baseline = n_effective_baseline,
                                            .n_effective_canary = n_effective_canary,
                                            .nan_policy = word_argument<NanPolicy>("nan", nan)};
    const Values y("baseline", baseline), x("canary", canary);
    const QuantileDifferenceResult r = quantile_difference(y.get(), x.get(), options, workspace());
    const auto arm = [](const ArmQuantile& of) {
        return py::dict("estimate"_a = of.estimate, "lower"_a = of.lower, "upper"_a = of.upper);
    };
    return py::dict("estimate"_a = r.estimate, "lower"_a = r.lower, "upper"_a = r.upper, "confidence"_a = r.confidence,
                    "baseline"_a = arm(r.baseline), "canary"_a = arm(r.canary), "n_baseline"_a = r.n_baseline,
                    "n_canary"_a = r.n_canary, "method"_a = word(r.method));
}

py::dict call_proportion_test(double bad_b, double total_b, double bad_c, double total_c, py::handle margin,
                              py::handle alternative, py::handle method, double confidence) {
    using namespace py::literals;
    const ProportionTestOptions options{.margin = margin_argument(margin),
                                        .alternative = word_argument<Alternative>("alternative", alternative),
                                        .method = word_argument<ProportionTestMethod>("method", method),
                                        .confidence = confidence};
    const ProportionTestResult r = proportion_test({bad_b, total_b}, {bad_c, total_c}, options);
    return py::dict("difference"_a = r.difference, "ratio"_a = r.ratio, "lower"_a = r.lower, "upper"_a = r.upper,
                    "p_value"_a = r.p_value, "statistic"_a = r.statistic, "confidence"_a = r.confidence,
                    "method"_a = word(r.method));
}

py::dict call_rate_test(double events_b, double exposure_b, double events_c, double exposure_c, py::handle margin,
                        py::handle alternative, py::handle method, double confidence) {
    using namespace py::literals;
    const RateTestOptions options{.margin = margin_argument(margin),
                                  .alternative = word_argument<Alternative>("alternative", alternative),
                                  .method = word_argument<RateMethod>("method", method),
                                  .confidence = confidence};
    const RateTestResult r = rate_test({events_b, exposure_b}, {events_c, exposure_c}, options);
    return py::dict("ratio"_a = r.ratio, "lower"_a = r.lower, "upper"_a = r.upper, "p_value"_a = r.p_value,
                    "confidence"_a = r.confidence, "method"_a = word(r.method));
}

py::dict call_ratio_test(py::handle numerator_b, py::handle denominator_b, py::handle numerator_c,
                         py::handle denominator_c, py::handle margin, py::handle alternative, py::handle method,
                         double confidence, std::size_t resamples, std::uint64_t seed, py::handle nan) {
    using namespace py::literals;
    const RatioTestOptions options{.margin = margin_argument(margin),
                                   .alternative = word_argument<Alternative>("alternative", alternative),
                                   .confidence = confidence,
                                   .method = word_argument<RatioTestMethod>("method", method),
                                   .resamples = resamples,
                                   .seed = seed,
                                   .nan_policy = word_argument<NanPolicy>("nan", nan)};
    const Values a("numerator_b", numerator_b), b("denominator_b", denominator_b), c("numerator_c", numerator_c),
        d("denominator_c", denominator_c);
    RatioTestResult r;
    {
        const py::gil_scoped_release release;
        r = ratio_test({a.get(), b.get()}, {c.get(), d.get()}, options);
    }
    return py::dict("ratio"_a = r.ratio, "cost_baseline"_a = r.cost_baseline, "cost_canary"_a = r.cost_canary,
                    "lower"_a = r.lower, "upper"_a = r.upper, "p_value"_a = r.p_value, "statistic"_a = r.statistic,
                    "df"_a = r.df, "confidence"_a = r.confidence, "n_effective"_a = r.n_effective,
                    "conclusive"_a = r.conclusive, "n_baseline"_a = r.n_baseline, "n_canary"_a = r.n_canary,
                    "method"_a = word(r.method));
}

py::dict call_signed_rank(py::handle differences, py::handle alternative, double confidence, py::handle method,
                          bool continuity, py::handle nan) {
    using namespace py::literals;
    const SignedRankOptions options{.alternative = word_argument<Alternative>("alternative", alternative),
                                    .confidence = confidence,
                                    .method = word_argument<SignedRankMethod>("method", method),
                                    .continuity = continuity,
                                    .nan_policy = word_argument<NanPolicy>("nan", nan)};
    const SignedRankResult r = signed_rank(Values("differences", differences).get(), options, workspace());
    return py::dict("statistic"_a = r.statistic, "p_value"_a = r.p_value, "estimate"_a = r.estimate,
                    "lower"_a = r.lower, "upper"_a = r.upper, "confidence"_a = r.confidence, "n"_a = r.n,
                    "zeros"_a = r.zeros, "method"_a = word(r.method));
}

py::dict call_block_bootstrap(py::handle values, py::function statistic, double confidence,
                              std::optional<double> block_length, std::size_t resamples, std::uint64_t seed,
                              py::handle nan) {
    using namespace py::literals;
    const BlockBootstrapOptions options{.confidence = confidence,
                                        .block_length = block_length,
                                        .resamples = resamples,
                                        .seed = seed,
                                        .nan_policy = word_argument<NanPolicy>("nan", nan)};
    const Values series("values", values);
    const BlockBootstrapResult r = block_bootstrap(
        series.get(),
        [&](std::span<const double> v) {
            const py::array_t<double> copy(static_cast<py::ssize_t>(v.size()), v.data());
            return py::cast<double>(statistic(copy));
        },
        options);
    return py::dict("estimate"_a = r.estimate, "standard_error"_a = r.standard_error, "lower"_a = r.lower,
                    "upper"_a = r.upper, "confidence"_a = r.confidence, "block_length"_a = r.block_length,
                    "resamples"_a = r.resamples, "n"_a = r.n);
}

py::dict call_equivalence(double lower, double upper, py::handle margin, py::handle harm) {
    using namespace py::literals;
    const EquivalenceResult r = equivalence(lower, upper, margin_argument(margin), word_argument<Harm>("harm", harm));
    return py::dict("equivalent"_a = r.equivalent, "non_inferior"_a = r.non_inferior, "harm"_a = r.harm,
                    "verdict"_a = member("Verdict", r.verdict));
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
                  double alpha, py::handle alternative, double independent) {
    const PowerOptions options{.alpha = alpha,
                               .alternative = word_argument<Alternative>("alternative", alternative),
                               .independent = independent};
    return with_design(kind, first, second,
                       [&](const auto& design) { return power(design, n_baseline, n_canary, options); });
}

py::tuple call_sample_size(const std::string& kind, double first, double second, double wanted, double ratio,
                           double alpha, py::handle alternative, double independent) {
    const PowerOptions options{.alpha = alpha,
                               .alternative = word_argument<Alternative>("alternative", alternative),
                               .independent = independent};
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
    What p_value was computed by: "exact", "edgeworth" or "normal".
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
    module.def("hodges_lehmann", &call_hodges_lehmann);
    module.def("effect_size", &call_effect_size);
    module.def("paired_test", &call_paired_test);
    module.def("robust_rank_test", &call_robust_rank_test);
    module.def("effective_sample_size", &call_effective_sample_size);
    module.def("brunner_munzel", &call_brunner_munzel);
    module.def("welch", &call_welch);
    module.def("yuen", &call_yuen);
    module.def("kolmogorov_smirnov", &call_kolmogorov_smirnov);
    module.def("cramer_von_mises", &call_cramer_von_mises);
    module.def("anderson_darling", &call_anderson_darling);
    module.def("quantile_difference", &call_quantile_difference);
    module.def("proportion_test", &call_proportion_test);
    module.def("rate_test", &call_rate_test);
    module.def("ratio_test", &call_ratio_test);
    module.def("signed_rank", &call_signed_rank);
    module.def("block_bootstrap", &call_block_bootstrap);
    module.def("equivalence", &call_equivalence);
    module.def("adjust", &call_adjust);
    module.def("power", &call_power);
    module.def("sample_size", &call_sample_size);
}

}  // namespace serinus::python
