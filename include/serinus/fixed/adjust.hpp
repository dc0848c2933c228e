#pragma once
/// \file
/// P-values of several metrics at once, adjusted so that looking at many does not make a find.

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

namespace serinus {
inline namespace v0 {

enum class AdjustMethod : std::uint8_t { bonferroni = 1, holm = 2, hochberg = 3, bh = 4, by = 5 };

template <>
struct Words<AdjustMethod> {
    static constexpr std::array<std::pair<AdjustMethod, std::string_view>, 5> table{
        {{AdjustMethod::bonferroni, "bonferroni"},
         {AdjustMethod::holm, "holm"},
         {AdjustMethod::hochberg, "hochberg"},
         {AdjustMethod::bh, "bh"},
         {AdjustMethod::by, "by"}}};
};

/// P-values adjusted for their number, in the order given: to reject all that are at most alpha keeps the promise.
///
/// With p_(1) <= ... <= p_(k):
///  - `bonferroni`: k p; `holm` (1979): the largest so far of (k-i+1) p_(i): both keep the chance of any false find
///    below alpha, whatever the dependence. Holm's is never worse.
///  - `hochberg` (1988): the smallest from here on of (k-i+1) p_(i): the same for independent (or positively dependent)
///    p-values, and sharper.
///  - `bh` (Benjamini and Hochberg 1995): the smallest from here on of k p_(i)/i: the expected share of false finds
///    among the finds; `by` (Benjamini and Yekutieli 2001): times 1 + 1/2 + ... + 1/k, under any dependence.
/// Weights, one a p-value, above 0, are scaled to mean 1: p/w takes the place of p (Genovese, Roeder and Wasserman
/// 2006); `holm` counts the weight that remains (Holm 1979); `hochberg` has no weighted form (`serinus.argument.word`).
///
/// p_values in [0, 1] (`serinus.argument.range`); a NaN stays NaN and is not counted, as in R. An adjusted value is at
/// most 1 and never below its p-value (with equal weights). Order of equal p-values does not matter. O(k log k).
///
///     adjust(std::vector{0.01, 0.04, 0.03}, AdjustMethod::holm);   // {0.03, 0.06, 0.06}
inline std::vector<double> adjust(std::span<const double> p_values, AdjustMethod method = AdjustMethod::holm,
                                  std::span<const double> weights = {}) {
    if (!weights.empty() && weights.size() != p_values.size()) {
        raise(Code::argument_length, std::to_string(weights.size()) + " weights of " + std::to_string(p_values.size()) +
                                         " p-values; allowed: one for each, or none");
    }
    if (!weights.empty() && method == AdjustMethod::hochberg)
        raise(Code::argument_word, "method is \"hochberg\" with weights; allowed: bonferroni, holm, bh, by");
    std::vector<std::size_t> order;
    double all_weights = 0;
    for (std::size_t i = 0; i < p_values.size(); ++i) {
        const double p = p_values[i];
        if (p != p) continue;
        require(p >= 0 && p <= 1, "p_values[" + std::to_string(i) + "]", p, "from 0 to 1, or NaN");
        if (!weights.empty()) {
            require(weights[i] > 0 && std::isfinite(weights[i]), "weights[" + std::to_string(i) + "]", weights[i],
                    "finite, above 0");
            all_weights += weights[i];
        }
        order.push_back(i);
    }
    std::vector<double> adjusted(p_values.begin(), p_values.end());
    const auto k = static_cast<double>(order.size());
    const auto weight = [&](std::size_t i) { return weights.empty() ? 1 : weights[i] * (k / all_weights); };
    const auto value = [&](std::size_t i) { return p_values[i] / weight(i); };
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return value(a) < value(b); });

    if (method == AdjustMethod::bonferroni) {
        for (const std::size_t i : order) adjusted[i] = std::min(1.0, k * value(i));
    } else if (method == AdjustMethod::holm) {
        double remaining = k, largest = 0;
        for (const std::size_t i : order) {
            largest = std::max(largest, std::min(1.0, remaining * value(i)));
            adjusted[i] = largest;
            remaining -= weight(i);
        }
    } else {
        double harmonic = 0;
        for (double i = 1; i <= k; ++i) harmonic += 1 / i;
        double smallest = 1;
        for (std::size_t at = order.size(); at-- > 0;) {
            const auto rank = static_cast<double>(at + 1);
            const double factor = method == AdjustMethod::hochberg ? k - rank + 1
                                  : method == AdjustMethod::bh     ? k / rank
                                                                   : k / rank * harmonic;
            smallest = std::min(smallest, factor * value(order[at]));
            adjusted[order[at]] = smallest;
        }
    }
    return adjusted;
}

}  // namespace v0
}  // namespace serinus
