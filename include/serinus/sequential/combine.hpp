#pragma once
/// \file
/// Several e-values, one answer.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <serinus/core/error.hpp>
#include <serinus/core/require.hpp>
#include <serinus/core/words.hpp>
#include <serinus/numeric/elementary.hpp>

namespace serinus {
inline namespace v0 {
namespace sequential {

/// `mean`: evidence against "all of them are true", whatever the dependence. `product`: the same, only where each
/// e-value is one given the others' pasts (independent or consecutive data). `bonferroni`, `holm`: which of them are
/// false, none wrongly with probability 1 - alpha. `ebh`: which are false, with at most a share alpha of the named ones
/// wrong on average.
enum class CombineMethod : std::uint8_t { mean = 1, product = 2, bonferroni = 3, holm = 4, ebh = 5 };

}  // namespace sequential

template <>
struct Words<sequential::CombineMethod> {
    static constexpr std::array<std::pair<sequential::CombineMethod, std::string_view>, 5> table{
        {{sequential::CombineMethod::mean, "mean"},
         {sequential::CombineMethod::product, "product"},
         {sequential::CombineMethod::bonferroni, "bonferroni"},
         {sequential::CombineMethod::holm, "holm"},
         {sequential::CombineMethod::ebh, "ebh"}}};
};

namespace sequential {

/// `log_e_value`: of the combination. `adjusted`: for each, the log e-value that may be held against log(1/alpha) on
/// its own, in the order given; for `mean` and `product` the combined one throughout.
struct Combined {
    double log_e_value = 0;
    std::vector<double> adjusted;
};

/// Combines e-values given by their natural logs (Vovk and Wang 2021, Ann. Stat. 49; e-BH: Wang and Ramdas 2022, JRSS-B
/// 84; e-Holm: Vovk and Wang 2021, section 5, in its Bonferroni form).
///
/// With weights w_i scaled to sum 1: mean E = sum w_i e_i; product E = prod e_i (weights are not used); Bonferroni
/// e_i w_i; Holm steps down through the e_i w_i in falling order, each time sharing alpha among those that are left;
/// e-BH orders e_i w_i K and multiplies the k-th largest by k/K, made monotone from the smallest up. The combination's
/// e-value is the mean for all but `product`.
///
/// `weights`: one a value, at least 0, not all 0; empty for equal ones. A log e-value of -infinity (an e-value of 0)
/// and +infinity are legal; NaN is not. No values: E = 1. Raises `serinus.argument.*` otherwise. Cost: O(K log K).
///
///     combine(std::vector{3.1, 0.2}).log_e_value   // 2.46: log((e^3.1 + e^0.2)/2)
inline Combined combine(std::span<const double> log_e_values, std::span<const double> weights = {},
                        CombineMethod method = CombineMethod::mean) {
    const std::size_t count = log_e_values.size();
    if (!weights.empty() && weights.size() != count) {
        raise(Code::argument_length, "weights has " + std::to_string(weights.size()) +
                                         " elements; allowed: none, or one for each of the " + std::to_string(count) +
                                         " e-values");
    }
    double total = weights.empty() ? static_cast<double>(count) : 0;
    for (std::size_t i = 0; i < count; ++i) {
        if (std::isnan(log_e_values[i])) {
            raise(Code::argument_nan,
                  "log_e_values[" + std::to_string(i) + "] is NaN; allowed: numbers, infinities among them");
        }
        if (weights.empty()) continue;
        require(weights[i] >= 0 && std::isfinite(weights[i]), "weights[" + std::to_string(i) + "]", weights[i],
                "0 or more, finite");
        total += weights[i];
    }
    if (count > 0 && !(total > 0)) raise(Code::argument_range, "weights are all 0; allowed: at least one above 0");

    Combined combined;
    combined.adjusted.resize(count);
    if (count == 0) return combined;

    std::vector<double> weighted(count);  // log(w_i e_i)
    for (std::size_t i = 0; i < count; ++i) {
        weighted[i] = log_e_values[i] + elementary::log((weights.empty() ? 1 : weights[i]) / total);
        if (std::isnan(weighted[i]))
            weighted[i] = -std::numeric_limits<double>::infinity();  // an infinite e-value of weight 0
    }
    combined.log_e_value = method == CombineMethod::product
                               ? std::accumulate(log_e_values.begin(), log_e_values.end(), 0.0)
                               : elementary::log_sum_exp(weighted);
    // An e-value of 0 times an infinite one: 0 is what was lost, and nothing wins it back.
    if (std::isnan(combined.log_e_value)) combined.log_e_value = -std::numeric_limits<double>::infinity();

    std::vector<std::size_t> order(count);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return weighted[a] > weighted[b]; });
    switch (method) {
        case CombineMethod::mean:
        case CombineMethod::product:
            std::fill(combined.adjusted.begin(), combined.adjusted.end(), combined.log_e_value);
            break;
        case CombineMethod::bonferroni: combined.adjusted = weighted; break;
        case CombineMethod::holm: {
            // Those already named give their share of alpha to the rest; nobody may overtake who was named before him.
            double left = total, ceiling = std::numeric_limits<double>::infinity();
            for (const std::size_t i : order) {
                ceiling = std::min(ceiling, weighted[i] + elementary::log(total / left));
                combined.adjusted[i] = ceiling;
                left -= weights.empty() ? 1 : weights[i];
                if (!(left > 0)) left = std::numeric_limits<double>::min();
            }
            break;
        }
        case CombineMethod::ebh: {
            double best = -std::numeric_limits<double>::infinity();
            for (std::size_t k = count; k-- > 0;) {
                best = std::max(best, weighted[order[k]] + elementary::log(static_cast<double>(k + 1)));
                combined.adjusted[order[k]] = best;
            }
            break;
        }
    }
    return combined;
}

}  // namespace sequential
}  // namespace v0
}  // namespace serinus
