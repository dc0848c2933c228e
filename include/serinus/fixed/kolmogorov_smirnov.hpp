#pragma once
/// \file
/// Do the two versions differ anywhere in their distributions? The largest distance of the two staircases.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <serinus/core/describe.hpp>
#include <serinus/core/require.hpp>
#include <serinus/core/words.hpp>
#include <serinus/fixed/detail/arms.hpp>
#include <serinus/fixed/detail/tied_arrangements.hpp>
#include <serinus/numeric/order.hpp>
#include <serinus/numeric/workspace.hpp>

namespace serinus {
inline namespace v0 {

/// How the p-value of a test of distributions comes about; `automatic` picks one of the others.
enum class KolmogorovSmirnovMethod : std::uint8_t { automatic = 1, exact = 2, asymptotic = 3 };

template <>
struct Words<KolmogorovSmirnovMethod> {
    static constexpr std::array<std::pair<KolmogorovSmirnovMethod, std::string_view>, 3> table{
        {{KolmogorovSmirnovMethod::automatic, "auto"},
         {KolmogorovSmirnovMethod::exact, "exact"},
         {KolmogorovSmirnovMethod::asymptotic, "asymptotic"}}};
};

struct KolmogorovSmirnovOptions {
    Alternative alternative = Alternative::two_sided;
    KolmogorovSmirnovMethod method = KolmogorovSmirnovMethod::automatic;
    NanPolicy nan_policy = NanPolicy::drop;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("alternative", self.alternative);
        visit("method", self.method);
        visit("nan_policy", self.nan_policy);
    }
};
static_assert(described_whole<KolmogorovSmirnovOptions>());

struct KolmogorovSmirnovResult {
    double statistic = 0;  ///< the largest distance of the two distribution functions, in the direction asked for
    double location = std::numeric_limits<double>::quiet_NaN();  ///< the smallest value where they are that far apart
    int sign = 0;  ///< +1: there the canary has more values above than the baseline; -1: fewer; 0: no distance
    double p_value = 1;
    std::int64_t n_baseline = 0;  ///< values, NaN not counted
    std::int64_t n_canary = 0;
    KolmogorovSmirnovMethod method =
        KolmogorovSmirnovMethod::exact;  ///< what p_value was computed by; never `automatic`
    bool degenerate = false;             ///< an arm is empty, or all values are equal

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("statistic", self.statistic);
        visit("location", self.location);
        visit("sign", self.sign);
        visit("p_value", self.p_value);
        visit("n_baseline", self.n_baseline);
        visit("n_canary", self.n_canary);
        visit("method", self.method);
        visit("degenerate", self.degenerate);
    }
};
static_assert(described_whole<KolmogorovSmirnovResult>());

/// P(K > z), K the limit of sqrt(mn/(m+n)) times the two-sided distance (Kolmogorov 1933). Both series are alternating
/// or positive and end after a few terms where each is used.
inline double kolmogorov_survival(double z) noexcept {
    constexpr double pi = 3.14159265358979323846;
    if (!(z > 0.04)) return 1;
    if (z < 1) {
        double sum = 0;
        for (int k = 1; k < 40; k += 2) sum += std::exp(-k * k * pi * pi / (8 * z * z));
        return 1 - std::sqrt(2 * pi) / z * sum;
    }
    double sum = 0, sign = 1;
    for (int k = 1; k < 10; ++k, sign = -sign) sum += sign * std::exp(-2.0 * k * k * z * z);
    return 2 * sum;
}

namespace kolmogorov_smirnov_detail {

/// How far apart, in mn-ths: the canary's share below minus the baseline's is `distance`/(mn).
inline bool reaches(std::int64_t distance, std::int64_t needed, Alternative alternative) noexcept {
    if (alternative == Alternative::two_sided) return distance >= needed || -distance >= needed;
    return (alternative == Alternative::greater ? -distance : distance) >= needed;
}

/// The chance that a random arrangement gets at least as far apart as `needed`/(mn): F(i, j), the chance that it did so
/// by the time i canary and j baseline values are below, is 1 where it does so right there and else the mean of
/// F(i-1, j) and F(i, j-1) weighted i : j, since the last of the i + j values is the canary's with that chance. Within
/// a group of equal values nothing can be seen: `ends[i + j]` says where a group is complete. Adds only positive
/// numbers, so small tails are right to 1e-13.
inline double arrangements_beyond(std::int64_t m, std::int64_t n, std::int64_t needed, Alternative alternative,
                                  const std::vector<char>& ends, std::vector<double>& row) {
    row.assign(static_cast<std::size_t>(n) + 1, 0.0);
    for (std::int64_t i = 0; i <= m; ++i) {
        for (std::int64_t j = 0; j <= n; ++j) {
            double& here = row[static_cast<std::size_t>(j)];
            if (i + j > 0 && ends[static_cast<std::size_t>(i + j)] && reaches(i * n - j * m, needed, alternative)) {
                here = 1;
            } else if (i + j > 0) {
                const double before = j > 0 ? row[static_cast<std::size_t>(j) - 1] : 0;
                const double above = i > 0 ? here : 0;
                here = (static_cast<double>(i) * above + static_cast<double>(j) * before) / static_cast<double>(i + j);
            }
        }
    }
    return row.back();
}

/// The same group by group, which is cheaper where many values are equal: by the number of values of the smaller arm up
/// to the end of each group. Nothing if it costs more than `most` steps.
inline std::optional<double> divisions_beyond(const TiedArms& arms, std::int64_t needed, Alternative alternative,
                                              double most) {
    const std::int64_t sign = arms.of_canary ? 1 : -1, many = arms.total - arms.few;
    std::vector<std::int64_t> ends;
    std::int64_t end = 0;
    for (const std::int64_t size : arms.sizes) ends.push_back(end += size);
    return lattice_tail(arms, 1, most,
                        [&](std::size_t g, std::int64_t, std::int64_t k) {
                            const std::int64_t distance = sign * (k * many - (ends[g] - k) * arms.few);
                            return reaches(distance, needed, alternative) ? 2.0 : 0.0;
                        },
                        {1, 1});
}

}  // namespace kolmogorov_smirnov_detail

/// Do the distributions of the two versions differ, anywhere and in any way?
///
/// statistic = max |F_canary(t) - F_baseline(t)| (Smirnov 1939). `greater`: max (F_baseline - F_canary), large when the
/// canary's values are larger ("less" in SciPy and R, which speak of the distribution functions); `less`: the other.
///  - `exact`: counts all arrangements given the ties that were seen (Hodges 1958; Schroeer and Trenkler 1995; R's
///    ks.test since 4.2), in O(mn). SciPy's ignores ties and is too large.
///  - `asymptotic`: Kolmogorov's limit; one-sided exp(-2 z^2); z = statistic sqrt(mn/(m+n)). Too large with ties and
///    for small samples.
///  - `automatic`: `exact` up to mn = 250,000, and beyond where it takes no more than 3e7 steps from group
///    to group of equal values (up to 100,000 values in few groups, or 3,000 different ones in each arm); else
///    `asymptotic`. From group to group counts rarer than 1e-14 are left out, for which 1e-12 is added to p.
///
/// baseline, canary: in any order and unit, independent values; infinities are values like others; NaN dropped or
/// refused. `exact` above mn = 1e9 raises `serinus.argument.range`. An arm without values, or all equal: statistic 0,
/// p 1, degenerate. Any strictly increasing transformation of all values changes only `location`; exchanging the arms
/// exchanges `greater` and `less`. Cost: two sorts and a merge, then what the method needs.
///
///     const auto found = kolmogorov_smirnov(baseline, canary);   // {.statistic = 0.31, .p_value = 0.02, ...}
inline KolmogorovSmirnovResult kolmogorov_smirnov(std::span<const double> baseline, std::span<const double> canary,
                                                  const KolmogorovSmirnovOptions& options, Workspace& workspace) {
    namespace detail = kolmogorov_smirnov_detail;
    constexpr std::int64_t cheap = 250'000, most = 1'000'000'000;
    KolmogorovSmirnovResult result;
    const TwoSamples arms = take_arms(baseline, canary, options.nan_policy, workspace, result);
    const auto& [y, x] = arms;
    const std::int64_t m = result.n_canary, n = result.n_baseline;
    if (options.method == KolmogorovSmirnovMethod::exact && m * n > most) {
        require(false, "method is \"exact\"; values of the canary times values of the baseline",
                static_cast<double>(m) * static_cast<double>(n), "at most 1e9, or the method \"asymptotic\"");
    }
    if (options.method == KolmogorovSmirnovMethod::asymptotic) result.method = options.method;
    result.degenerate = true;
    if (arms.empty()) return result;
    arms.sort(workspace);

    // Distances in mn-ths are whole numbers, so nothing is rounded.
    std::int64_t i = 0, j = 0, largest = 0;
    for_each_tie_group(x, y, [&](std::int64_t in_canary, std::int64_t in_baseline) {
        const double value = in_canary > 0 ? x[static_cast<std::size_t>(i)] : y[static_cast<std::size_t>(j)];
        i += in_canary;
        j += in_baseline;
        const std::int64_t distance = i * n - j * m;
        if (!detail::reaches(distance, largest + 1, options.alternative)) return;
        largest = distance < 0 ? -distance : distance;
        result.location = value;
        result.sign = distance < 0 ? 1 : -1;
    });
    result.degenerate = std::min(x.front(), y.front()) == std::max(x.back(), y.back());
    const double pairs = static_cast<double>(m) * static_cast<double>(n);
    result.statistic = static_cast<double>(largest) / pairs;
    std::optional<double> grouped;
    if (options.method == KolmogorovSmirnovMethod::automatic) {
        if (m * n > cheap && largest > 0) {
            constexpr double most_steps = 3e7;
            grouped =
                detail::divisions_beyond(TiedArms(y, x, y.size() + x.size()), largest, options.alternative, most_steps);
        }
        result.method = m * n <= cheap || largest == 0 || grouped ? KolmogorovSmirnovMethod::exact
                                                                  : KolmogorovSmirnovMethod::asymptotic;
    }
    if (largest == 0) return result;
    if (grouped) {
        result.p_value = *grouped;
        return result;
    }
    if (result.method == KolmogorovSmirnovMethod::exact) {
        std::vector<char> ends(static_cast<std::size_t>(m + n) + 1, 0);
        std::int64_t seen = 0;
        for_each_tie_group(x, y, [&](std::int64_t in_canary, std::int64_t in_baseline) {
            seen += in_canary + in_baseline;
            ends[static_cast<std::size_t>(seen)] = 1;
        });
        result.p_value =
            std::min(1.0, detail::arrangements_beyond(m, n, largest, options.alternative, ends, workspace.counts));
    } else {
        const double z = std::sqrt(pairs / static_cast<double>(m + n)) * result.statistic;
        result.p_value = options.alternative == Alternative::two_sided ? kolmogorov_survival(z) : std::exp(-2 * z * z);
    }
    return result;
}

/// The same in memory of its own.
inline KolmogorovSmirnovResult kolmogorov_smirnov(std::span<const double> baseline, std::span<const double> canary,
                                                  const KolmogorovSmirnovOptions& options = {}) {
    Workspace workspace;
    return kolmogorov_smirnov(baseline, canary, options, workspace);
}

}  // namespace v0
}  // namespace serinus
