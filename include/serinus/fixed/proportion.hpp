#pragma once
/// \file
/// Does a larger share of the canary's requests fail?

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <serinus/core/counts.hpp>
#include <serinus/core/describe.hpp>
#include <serinus/core/error.hpp>
#include <serinus/core/evidence.hpp>
#include <serinus/core/require.hpp>
#include <serinus/core/words.hpp>
#include <serinus/numeric/counting.hpp>
#include <serinus/numeric/normal.hpp>
#include <serinus/numeric/root.hpp>
#include <serinus/numeric/special.hpp>
#include <serinus/numeric/student.hpp>

namespace serinus {
inline namespace v0 {

/// How `proportion_test` comes to its p-value; `automatic` picks one of the others.
enum class ProportionTestMethod : std::uint8_t {
    automatic = 1,
    score = 2,
    fisher = 3,
    midp = 4,
    boschloo = 5,
    barnard = 6
};

template <>
struct Words<ProportionTestMethod> {
    static constexpr std::array<std::pair<ProportionTestMethod, std::string_view>, 6> table{
        {{ProportionTestMethod::automatic, "auto"},
         {ProportionTestMethod::score, "score"},
         {ProportionTestMethod::fisher, "fisher"},
         {ProportionTestMethod::midp, "midp"},
         {ProportionTestMethod::boschloo, "boschloo"},
         {ProportionTestMethod::barnard, "barnard"}}};
};

struct ProportionTestOptions {
    Margin margin{.difference = 0.0};  ///< what is tested against: canary - baseline, or canary/baseline
    Alternative alternative = Alternative::two_sided;
    ProportionTestMethod method = ProportionTestMethod::automatic;
    double confidence = 0.95;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("margin", self.margin);
        visit("alternative", self.alternative);
        visit("method", self.method);
        visit("confidence", self.confidence);
    }
};
static_assert(described_whole<ProportionTestOptions>());

struct ProportionTestResult {
    double difference = std::numeric_limits<double>::quiet_NaN();  ///< canary's share minus baseline's
    double ratio = std::numeric_limits<double>::quiet_NaN();       ///< canary's share over baseline's; infinite over 0
    double lower = -1;  ///< of the ratio if the margin is one, else of the difference
    double upper = 1;
    double confidence = 0;
    double statistic = 0;  ///< the score statistic z; positive: beyond the margin
    double p_value = 1;
    ProportionTestMethod method = ProportionTestMethod::score;  ///< what p_value was computed by; never `automatic`

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("difference", self.difference);
        visit("ratio", self.ratio);
        visit("lower", self.lower);
        visit("upper", self.upper);
        visit("confidence", self.confidence);
        visit("statistic", self.statistic);
        visit("p_value", self.p_value);
        visit("method", self.method);
    }
};
static_assert(described_whole<ProportionTestResult>());

namespace proportion_detail {

/// The counts of an arm as formulas take them.
struct Counts {
    double bad, total;
};

/// The likeliest shares when the canary's is `difference` above the baseline's: the baseline's one, by Newton's steps
/// on the score, which falls from +inf to -inf between the ends that the difference leaves.
inline double likeliest_share(const Counts& b, const Counts& c, double difference) {
    const double first = std::max(0.0, -difference), last = std::min(1.0, 1 - difference);
    const auto term = [](double count, double share) { return count > 0 ? count / share : 0.0; };
    double low = first, high = last;
    double p = std::clamp((b.bad + c.bad - c.total * difference) / (b.total + c.total), low, high);
    if (!(p > low && p < high)) p = (low + high) / 2;
    for (int i = 0; i < 200; ++i) {
        const double q = 1 - p, canary = p + difference, rest = 1 - difference - p;
        const double x = term(b.bad, p), y = term(c.bad, canary), u = term(b.total - b.bad, q),
                     v = term(c.total - c.bad, rest);
        const double score = x + y - u - v;
        if (score == 0) return p;
        (score > 0 ? low : high) = p;
        const double slope = term(x, p) + term(y, canary) + term(u, q) + term(v, rest);
        double next = p + score / slope;
        if (!(next > low && next < high)) next = (low + high) / 2;
        if (std::fabs(next - p) <= 1e-16 * p || next == low || next == high) return next;
        p = next;
    }
    return p;
}

/// Miettinen and Nurminen's score statistic of the difference.
inline double difference_score(const Counts& b, const Counts& c, double difference) {
    const double apart = c.bad / c.total - b.bad / b.total - difference;
    const double p = likeliest_share(b, c, difference), canary = std::clamp(p + difference, 0.0, 1.0);
    const double total = b.total + c.total;
    const double variance =
        (canary * (1 - canary) / c.total + p * (1 - p) / b.total) * (total > 1 ? total / (total - 1) : 1);
    return apart == 0 ? 0 : apart / std::sqrt(variance);
}

/// The same of the ratio.
inline double ratio_score(const Counts& b, const Counts& c, double ratio) {
    const double total = b.total + c.total;
    const double minus_b = c.total * ratio + c.bad + b.total + b.bad * ratio, events = b.bad + c.bad;
    const double p = std::min(
        1.0, 2 * events / (minus_b + std::sqrt(std::max(0.0, minus_b * minus_b - 4 * total * ratio * events))));
    const double canary = std::min(1.0, p * ratio);
    const double apart = c.bad / c.total - ratio * (b.bad / b.total);
    const double variance = (canary * (1 - canary) / c.total + ratio * ratio * p * (1 - p) / b.total) *
                            (total > 1 ? total / (total - 1) : 1);
    return apart == 0 ? 0 : apart / std::sqrt(variance);
}

/// Where a score that falls from `from` to `to` is z.
template <class Score>
double invert(Score&& score, double from, double to, double z) {
    const auto f = [&](double at) {
        // Infinite scores at the ends only say on which side they are.
        return std::clamp(score(at) - z, -1e10, 1e10);
    };
    const double f_from = f(from), f_to = f(to);
    if (!(f_from > 0)) return from;
    if (!(f_to < 0)) return to;
    const Bracket found = narrow(f, {from, to, f_from, f_to}, 1e-15 * std::max(std::fabs(from), std::fabs(to)));
    return found.f_lower == 0 ? found.lower : (found.lower + found.upper) / 2;
}

inline void score_interval(const Counts& b, const Counts& c, bool of_ratio, bool lower_end, bool upper_end, double tail,
                           ProportionTestResult& result) {
    const double z = -normal_quantile(tail);
    if (!of_ratio) {
        const auto score = [&](double d) { return difference_score(b, c, d); };
        if (lower_end) result.lower = invert(score, -1, 1, z);
        if (upper_end) result.upper = invert(score, -1, 1, -z);
        return;
    }
    const auto score = [&](double log_ratio) { return ratio_score(b, c, std::exp(log_ratio)); };
    constexpr double far = 80;
    if (lower_end) result.lower = c.bad > 0 ? std::exp(invert(score, -far, far, z)) : 0;
    if (upper_end && b.bad > 0) result.upper = std::exp(invert(score, -far, far, -z));
}

/// The largest chance, over all common shares, of a table as extreme as the one seen. For each number of bad ones of
/// the canary the extreme tables are those with up to `low` and those from `high` bad ones of the baseline.
class Unconditional {
  public:
    Unconditional(double total_b, double total_c)
        : total_b_(total_b), total_c_(total_c), low_(size(total_c)), high_(size(total_c)) {}

    /// `extremeness(bad_b, bad_c)`: small where the table is extreme.
    template <class Extremeness>
    double largest(Extremeness&& extremeness, double limit) {
        for (std::size_t x = 0; x < low_.size(); ++x) {
            std::ptrdiff_t low = -1, high = static_cast<std::ptrdiff_t>(total_b_) + 1;
            const auto is = [&](std::ptrdiff_t y) {
                return extremeness(static_cast<double>(y), static_cast<double>(x)) <= limit;
            };
            while (low + 1 < high && is(low + 1)) ++low;
            while (high - 1 > low && is(high - 1)) --high;
            low_[x] = low;
            high_[x] = high;
        }
        // A grid, finer towards the ends, then narrowing around its best points.
        constexpr int points = 200;
        double best = 0, best_at = 0.5;
        const auto share = [&](double t) { return (1 - std::cos(3.14159265358979323846 * t)) / 2; };
        for (int i = 1; i < points; ++i) {
            const double chance = at(share(double(i) / points));
            if (chance > best) {
                best = chance;
                best_at = double(i) / points;
            }
        }
        for (double step = 0.5 / points; step > 1e-9; step /= 2) {
            for (const double t : {best_at - step, best_at + step}) {
                if (!(t > 0 && t < 1)) continue;
                const double chance = at(share(t));
                if (chance > best) {
                    best = chance;
                    best_at = t;
                }
            }
        }
        return std::min(1.0, best);
    }

  private:
    static std::size_t size(double total) { return static_cast<std::size_t>(total) + 1; }

    double at(double p) {
        cumulative_.assign(size(total_b_) + 1, 0.0);
        for (std::size_t y = 0; y < size(total_b_); ++y)
            cumulative_[y + 1] = cumulative_[y] + binomial_density(static_cast<double>(y), total_b_, p, 1 - p);
        double sum = 0;
        for (std::size_t x = 0; x < low_.size(); ++x) {
            const double beyond = cumulative_[static_cast<std::size_t>(low_[x] + 1)] + cumulative_.back() -
                                  cumulative_[static_cast<std::size_t>(high_[x])];
            if (beyond > 0) sum += beyond * binomial_density(static_cast<double>(x), total_c_, p, 1 - p);
        }
        return sum;
    }

    double total_b_, total_c_;
    std::vector<std::ptrdiff_t> low_, high_;
    std::vector<double> cumulative_;
};

inline double fisher_tail(const Counts& b, const Counts& c, bool greater) {
    const auto distribution = hypergeometric_distribution(c.total, b.total, b.bad + c.bad);
    return greater ? distribution.at_least(c.bad) : distribution.at_most(c.bad);
}

/// Boschloo's test: Fisher's tail is the order of the tables.
inline double boschloo_tail(const Counts& b, const Counts& c, bool greater) {
    const double seen = fisher_tail(b, c, greater);
    return Unconditional(b.total, c.total)
        .largest(
            [&](double y, double x) {
                return fisher_tail({y, b.total}, {x, c.total}, greater);
            },
            seen * (1 + 1e-9));
}

/// Barnard's test: the pooled z is the order of the tables.
inline double barnard(const Counts& b, const Counts& c, Alternative alternative) {
    const auto extremeness = [&](double y, double x) {
        const double share = (x + y) / (b.total + c.total), variance = share * (1 - share);
        const double apart = x / c.total - y / b.total;
        const double z = apart == 0 ? 0 : apart / std::sqrt(variance * (1 / b.total + 1 / c.total));
        return alternative == Alternative::greater ? -z : alternative == Alternative::less ? z : -std::fabs(z);
    };
    const double seen = extremeness(b.bad, c.bad);
    return Unconditional(b.total, c.total).largest(extremeness, seen + 1e-9 * std::fabs(seen));
}

}  // namespace proportion_detail

/// Is the canary's share of bad events another than the baseline's, by more than a margin?
///
///  - `score`: (share_c - share_b - margin)/sqrt(V), V by the likeliest shares that differ by just the margin, times
///    N/(N-1) (Miettinen and Nurminen 1985, Statistics in Medicine 4, 213-226), against the normal distribution; with a
///    ratio margin share_c - margin share_b (ibid.; Koopman 1984 without N/(N-1)).
///  - `fisher`: given both totals of bad and good events, exact, never above its level; two-sided the sum of all
///    probabilities not above that of the table seen, as R and SciPy. `midp`: half the table's own probability left
///    out; nearer to its level, not always below it.
///  - `boschloo`, `barnard`: exact without that condition, so more powerful for small totals: the largest chance, over
///    all common shares, of a table with as small a Fisher tail (Boschloo 1970; two-sided twice the smaller side, as
///    SciPy) or as large a pooled z (Barnard 1945). The maximum is found on a grid of 200 shares and refined. SciPy's
///    optimiser agrees with Boschloo's to 2e-6, but stops in a local maximum of Barnard's now and then: its p is too
///    small by more than 1e-4 in 24 of 593 random tables, by .087 at worst; in all 14 of them that were searched by
///    brute force on 4,000 shares the p here is right. Totals up to 1,000 (`serinus.argument.range`).
///  - `automatic`: `score` with a margin other than equality, and where at least 5 bad and 5 good events are expected
///    in each arm; else `boschloo` with totals up to 100, else `fisher`. `fisher` and `midp` beyond 10^6 additions
///    (some 4e10 events) become `score`, and the result says so.
///
/// lower, upper: the score's interval by inversion, whatever the method of the p-value: of the ratio when the margin is
/// one, else of the difference. One-sided alternatives get a one-sided interval of the same confidence.
///
/// baseline, canary: whole counts up to 2^53, bad at most total (`serinus.argument.count`); requests must fail
/// independently of each other. margin: difference in (-1, 1) or ratio above 0; the exact methods serve equality only
/// (`serinus.argument.margin`). confidence in (0, 1). An arm without requests: p 1, difference and ratio NaN, the
/// widest interval. No bad event at all: p 1 at equality (`midp`: 1/2). Exchanging the arms mirrors difference,
/// interval and alternatives. Cost: `score` O(1), `fisher`
/// O(sqrt(events)), `boschloo` and `barnard` O(total_b + total_c) a share that is tried.
///
///     const auto found = proportion_test({.bad = 3, .total = 900}, {.bad = 2, .total = 100},
///                                        {.margin = {.ratio = 2.0}, .alternative = Alternative::greater});
inline ProportionTestResult proportion_test(const Proportion& baseline, const Proportion& canary,
                                            const ProportionTestOptions& options = {}) {
    namespace detail = proportion_detail;
    require_possible("baseline", baseline);
    require_possible("canary", canary);
    require_open_unit("confidence", options.confidence);
    const bool of_ratio = options.margin.ratio.has_value();
    require_one(options.margin);
    const double margin = of_ratio ? *options.margin.ratio : *options.margin.difference;
    if (!(of_ratio ? margin > 0 && std::isfinite(margin) : margin > -1 && margin < 1)) {
        raise(Code::argument_margin, std::string("margin is a ") + (of_ratio ? "ratio" : "difference") + " of " +
                                         number_text(margin) +
                                         "; allowed: a ratio above 0, or a difference in (-1, 1)");
    }
    const bool equality = margin == (of_ratio ? 1 : 0);
    const detail::Counts b{as_double(baseline.bad), as_double(baseline.total)};
    const detail::Counts c{as_double(canary.bad), as_double(canary.total)};
    const auto& [x, m] = c;
    const auto& [y, n] = b;
    const double events = x + y, total = m + n;
    ProportionTestMethod method = options.method;
    constexpr double few = 100, most = 1000, most_steps = 1e6, enough = 5;
    if (method == ProportionTestMethod::automatic) {
        const double fewest = total > 0 ? std::min(events, total - events) * (std::min(m, n) / total) : 0;
        method = !equality || fewest >= enough ? ProportionTestMethod::score
                 : std::max(m, n) <= few       ? ProportionTestMethod::boschloo
                                               : ProportionTestMethod::fisher;
    }
    if (!equality && method != ProportionTestMethod::score) {
        raise(Code::argument_margin, "margin is " + number_text(margin) + " with the method \"" +
                                         std::string(word(method)) +
                                         "\"; allowed: a difference of 0 or a ratio of 1, or the method \"score\"");
    }
    const bool unconditional = method == ProportionTestMethod::boschloo || method == ProportionTestMethod::barnard;
    require(!unconditional || std::max(m, n) <= most, "method is unconditional; the larger total", std::max(m, n),
            "at most 1000");
    if (!unconditional && method != ProportionTestMethod::score &&
        tail_steps(total > 0 ? m * (n / total) * (events / total) * (1 - events / total) : 0) > most_steps)
        method = ProportionTestMethod::score;

    ProportionTestResult result;
    result.method = method;
    if (of_ratio) {
        result.lower = 0;
        result.upper = std::numeric_limits<double>::infinity();
    }
    if (m == 0 || n == 0) return result;
    result.confidence = options.confidence;
    result.difference = x / m - y / n;
    if (events > 0) result.ratio = y > 0 ? (x / m) / (y / n) : std::numeric_limits<double>::infinity();

    const bool lower_end = options.alternative != Alternative::less;
    const bool upper_end = options.alternative != Alternative::greater;
    const double tail = (1 - options.confidence) / (lower_end && upper_end ? 2 : 1);
    const double z = of_ratio ? detail::ratio_score(b, c, margin) : detail::difference_score(b, c, margin);
    result.statistic = z;
    if (events > 0 || !of_ratio) detail::score_interval(b, c, of_ratio, lower_end, upper_end, tail, result);

    switch (method) {
        case ProportionTestMethod::automatic:
        case ProportionTestMethod::score:
            result.p_value = p_value_of(options.alternative, normal_survival(z), normal_survival(-z));
            break;
        case ProportionTestMethod::fisher:
        case ProportionTestMethod::midp: {
            const auto distribution = hypergeometric_distribution(m, n, events);
            const double own = method == ProportionTestMethod::midp ? distribution.density(x) / 2 : 0;
            const double all = options.alternative == Alternative::two_sided ? distribution.not_likelier(x)
                               : options.alternative == Alternative::greater ? distribution.at_least(x)
                                                                             : distribution.at_most(x);
            result.p_value = all - own;
            break;
        }
        case ProportionTestMethod::boschloo: {
            const bool both = options.alternative == Alternative::two_sided;
            const double greater =
                both || options.alternative == Alternative::greater ? detail::boschloo_tail(b, c, true) : 1;
            const double less =
                both || options.alternative == Alternative::less ? detail::boschloo_tail(b, c, false) : 1;
            result.p_value = p_value_of(options.alternative, greater, less);
            break;
        }
        case ProportionTestMethod::barnard: result.p_value = detail::barnard(b, c, options.alternative); break;
    }
    return result;
}

}  // namespace v0
}  // namespace serinus
