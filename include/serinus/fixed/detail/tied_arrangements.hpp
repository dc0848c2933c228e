#pragma once
/// \file
/// Two arms whose values fall into few groups of equal ones: how probable each way to deal them out again is, and how
/// far a statistic then reaches.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <serinus/core/version.hpp>
#include <serinus/numeric/order.hpp>
#include <serinus/numeric/random.hpp>
#include <serinus/numeric/special.hpp>

namespace serinus {
inline namespace v0 {

/// The pooled values of two arms as groups of equal ones, and how many of each group lie in the arm that is followed:
/// the smaller one; of equally large ones that with fewer of the smallest values, so that exchanging the arms changes
/// no bit of what is computed from this.
struct TiedArms {
    std::vector<std::int64_t> sizes;  ///< of the groups, ascending by value
    std::vector<std::int64_t> seen;   ///< how many of a group lie in the arm that is followed
    std::int64_t few = 0;             ///< values of that arm
    std::int64_t total = 0;           ///< of both
    bool of_canary = true;            ///< it is the canary
    std::size_t largest = 0;          ///< which group is the largest

    /// Sorted arms. Groups beyond `most` are not taken: then there are none, and `few_groups` is false. O(m + n).
    TiedArms(std::span<const double> baseline, std::span<const double> canary, std::size_t most)
        : few(static_cast<std::int64_t>(std::min(canary.size(), baseline.size()))),
          total(static_cast<std::int64_t>(canary.size() + baseline.size())) {
        bool too_many = false;
        int first_difference = 0;
        for_each_tie_group(canary, baseline, [&](std::int64_t in_canary, std::int64_t in_baseline) {
            if (first_difference == 0 && in_canary != in_baseline) first_difference = in_canary < in_baseline ? 1 : -1;
            if (sizes.size() == most) too_many = true;
            if (too_many) return;
            sizes.push_back(in_canary + in_baseline);
            seen.push_back(in_canary);
        });
        of_canary = canary.size() != baseline.size() ? canary.size() < baseline.size() : first_difference >= 0;
        if (too_many) {
            sizes.clear();
            seen.clear();
        }
        for (std::size_t g = 0; g < sizes.size(); ++g) {
            if (!of_canary) seen[g] = sizes[g] - seen[g];
            if (sizes[g] > sizes[largest]) largest = g;
        }
    }

    bool few_groups() const noexcept { return !sizes.empty(); }
};

namespace tied_detail {

/// Binomial probabilities of n trials for the successes from `first` on, up to a common factor: the largest one is 1.
struct BinomialRow {
    std::int64_t first = 0;
    std::vector<double> values;

    double operator()(std::int64_t k) const noexcept {
        return k < first || k >= end() ? 0.0 : values[static_cast<std::size_t>(k - first)];
    }
    std::int64_t end() const noexcept { return first + static_cast<std::int64_t>(values.size()); }
    double sum() const noexcept {
        double all = 0;
        for (const double value : values) all += value;
        return all;
    }

    /// Of the successes from `low` to `high`, those whose probability is at least `least` of the largest one's.
    static BinomialRow of(std::int64_t n, double chance, std::int64_t low, std::int64_t high, double least) {
        const double odds = chance / (1 - chance);
        const auto up = [&](std::int64_t k) {  // P(k + 1)/P(k)
            return odds * static_cast<double>(n - k) / static_cast<double>(k + 1);
        };
        low = std::max<std::int64_t>(low, 0);
        high = std::min(high, n);
        BinomialRow row;
        if (low > high) return row;
        const auto mode = std::clamp(static_cast<std::int64_t>(chance * static_cast<double>(n + 1)), low, high);
        std::vector<double> below;
        double value = 1;
        for (std::int64_t k = mode - 1; k >= low; --k) {
            value /= up(k);
            if (!(value >= least) || value == 0) break;
            below.push_back(value);
        }
        row.first = mode - static_cast<std::int64_t>(below.size());
        row.values.assign(below.rbegin(), below.rend());
        row.values.push_back(1);
        value = 1;
        for (std::int64_t k = mode; k < high; ++k) {
            value *= up(k);
            if (!(value >= least) || value == 0) break;
            row.values.push_back(value);
        }
        return row;
    }
};

/// Walks through the counts of all groups but the largest.
template <class Visit>
class Walk {
  public:
    Walk(const TiedArms& arms, double least, std::size_t most, Visit& visit)
        : arms_(arms), least_(least), most_(most), visit_(visit), counts_(arms.sizes.size(), 0) {
        const double chance = static_cast<double>(arms.few) / static_cast<double>(arms.total);
        const double cut = least / 100;
        for (std::size_t g = 0; g < arms.sizes.size(); ++g) {
            if (g == arms.largest) continue;
            order_.push_back(g);
            rows_.push_back(BinomialRow::of(arms.sizes[g], chance, 0, std::min(arms.sizes[g], arms.few), cut));
        }
        last_ = BinomialRow::of(arms.sizes[arms.largest], chance, 0, arms.few, 0);
        later_.assign(order_.size() + 1, 1.0);
        for (std::size_t i = order_.size(); i-- > 0;) later_[i] = later_[i + 1] * rows_[i].sum();
        // What the ends that are cut off could hold, a geometric series each, less than a hundred times its beginning.
        if (least > 0) missed_ = least * later_[0] * static_cast<double>(order_.size());
    }

    /// About how many divisions are not too rare: counts fill a ball in the box of their ranges, not its corners; where
    /// a range is short, all of it.
    double likely() const {
        constexpr double quarter_of_pi = 0.7853981633974483;
        constexpr std::size_t wide = 8;
        double log_all = 0, dimensions = 0;
        for (const BinomialRow& row : rows_) {
            log_all += std::log(static_cast<double>(row.values.size()));
            if (row.values.size() >= wide) dimensions += 1;
        }
        return std::exp(log_all + dimensions / 2 * std::log(quarter_of_pi) - log_gamma(dimensions / 2 + 1));
    }
    bool run() {
        step(0, 0, 1.0);
        return visited_ <= most_;
    }
    double mass() const { return mass_; }
    double missed() const { return missed_; }

  private:
    void step(std::size_t i, std::int64_t taken, double product) {
        // Ways that lead nowhere cost, too.
        if (++steps_ > 4 * most_) visited_ = most_ + 1;
        if (i == order_.size()) {
            const double value = product * last_(arms_.few - taken);
            if (visited_ > most_ || value == 0 || ++visited_ > most_) return;
            counts_[arms_.largest] = arms_.few - taken;
            mass_ += value;
            visit_(std::span<const std::int64_t>(counts_), value);
            return;
        }
        const BinomialRow& row = rows_[i];
        const std::int64_t end = std::min(row.end(), arms_.few - taken + 1);
        for (std::int64_t c = row.first; c < end && visited_ <= most_; ++c) {
            const double next = product * row(c);
            if (next * later_[i + 1] < least_) {
                missed_ += next * later_[i + 1];
                continue;
            }
            counts_[order_[i]] = c;
            step(i + 1, taken + c, next);
        }
    }

    const TiedArms& arms_;
    double least_;
    std::size_t most_, visited_ = 0, steps_ = 0;
    Visit& visit_;
    std::vector<std::int64_t> counts_;
    std::vector<std::size_t> order_;
    std::vector<BinomialRow> rows_;
    BinomialRow last_;
    std::vector<double> later_;
    double mass_ = 0, missed_ = 0;
};

}  // namespace tied_detail

/// What a walk through arrangements said of a tail.
struct ArrangementMass {
    double all = 0;     ///< the sum of the weights that were visited
    double missed = 0;  ///< at most so much weight was left out
};

/// Up to so many ways to divide the groups are walked through.
inline constexpr std::size_t most_divisions = std::size_t{1} << 17;

/// Calls `visit(counts, weight)` for every way to divide the groups between the arms: `counts[g]` of group g lie in the
/// arm that is followed, in product of C(sizes[g], counts[g]) of the C(total, few) equally probable arrangements, to
/// which `weight` is proportional. Two groups: the hypergeometric distribution.
///
/// If there are at most `most_divisions`, or 2^17, of them, all are visited. Otherwise those that together have less
/// than about 1e-10 of the mass are left out, and `missed` bounds what they hold; if that leaves too many, too, nothing
/// is returned and what was visited says nothing. Weights are products of ratios of neighbouring binomial
/// probabilities, right to about 1e-13, and never overflow. Cost: one product and one visit a division.
template <class Visit>
std::optional<ArrangementMass> for_each_division(const TiedArms& arms, Visit&& visit) {
    if (arms.few == 0) return std::nullopt;
    double all = 1;
    for (std::size_t g = 0; g < arms.sizes.size() && all < 1e18; ++g)
        if (g != arms.largest) all *= static_cast<double>(std::min(arms.sizes[g], arms.few) + 1);
    const bool whole = all <= static_cast<double>(most_divisions);
    if (arms.sizes.size() > 64) return std::nullopt;
    tied_detail::Walk walk(arms, whole ? 0 : 1e-15, most_divisions, visit);
    if (!whole && walk.likely() > 2.0 * static_cast<double>(most_divisions)) return std::nullopt;
    if (!walk.run()) return std::nullopt;
    return ArrangementMass{walk.mass(), walk.missed()};
}

/// How many points a lattice of sums has.
struct LatticePoints {
    double fewest = 64, most = 256;
};

/// P(sum over the groups of f(g, k before, k after) >= seen), f >= 0, for the numbers k of values of the followed arm
/// up to the end of a group, when all arrangements are equally probable: a recursion over the groups and over (k, sum),
/// the sums on a lattice. `budget`: how many additions it may cost.
///
/// A sum between two points of the lattice is divided between them so that its mean stays, and counts as reached from
/// half a step below `seen` on (so that sums equal to it are in). The lattice has 64 to 256 points up to `seen`:
/// measured, p is within a factor of 2.4 of the exact one above 1e-8 where sums lie in clumps, else within a few per
/// cent. Counts k that are rarer than 1e-14 of the likeliest are left out, for which 1e-12 is added. One point suffices
/// where f is either 0 or `seen`: then nothing is rounded. Nothing if the fewest points cost more than the budget.
/// Cost: O(budget) additions.
template <class Term>
std::optional<double> lattice_tail(const TiedArms& arms, double seen, double budget, Term&& f,
                                   LatticePoints allowed = {}) {
    using tied_detail::BinomialRow;
    if (!(seen > 0) || arms.few == 0) return 1.0;
    const double chance = static_cast<double>(arms.few) / static_cast<double>(arms.total);
    const std::size_t groups = arms.sizes.size();
    // Which k occur where a group ends.
    constexpr double rare = 1e-14;
    std::vector<std::pair<std::int64_t, std::int64_t>> ranges{{0, 0}};
    double cost = 0;
    bool cut = false;
    std::int64_t before = 0;
    for (std::size_t g = 0; g < groups; ++g) {
        const std::int64_t after = before + arms.sizes[g], rest = arms.total - after;
        const std::int64_t low = std::max<std::int64_t>(0, arms.few - rest), high = std::min(after, arms.few);
        // The hypergeometric probability of k, by its ratios from the mode outwards.
        const auto ratio = [&](std::int64_t k) {
            return static_cast<double>(after - k) / static_cast<double>(k + 1) * static_cast<double>(arms.few - k) /
                   static_cast<double>(rest - (arms.few - k) + 1);
        };
        const std::int64_t mode = std::clamp(static_cast<std::int64_t>(chance * static_cast<double>(after)), low, high);
        std::int64_t from = mode, to = mode;
        for (double value = 1; from > low && (value /= ratio(from - 1)) > rare; --from) {
        }
        for (double value = 1; to < high && (value *= ratio(to)) > rare; ++to) {
        }
        const auto& [first, last] = ranges.back();
        // The counts of a group that are looked at lie within 9 standard deviations of a binomial distribution.
        const auto size = static_cast<double>(arms.sizes[g]);
        const double counts = std::min({size, static_cast<double>(to - first), static_cast<double>(arms.few),
                                        18 * std::sqrt(size * chance * (1 - chance)) + 20});
        cost += static_cast<double>(last - first + 1) * (counts + 1);
        cut = cut || from > low || to < high;
        ranges.emplace_back(from, to);
        before = after;
        if (cost * allowed.fewest > budget) return std::nullopt;
    }
    const auto points = static_cast<std::size_t>(std::clamp(budget / cost, allowed.fewest, allowed.most));
    const double scale = (static_cast<double>(points) + 0.5) / seen;

    // reached: by k, the mass that has arrived whatever follows; below: by k and sum.
    std::vector<double> reached(1, 0.0), below(points, 0.0), next_reached, next_below;
    below[0] = 1;
    for (std::size_t g = 0; g < groups; ++g) {
        const auto [from, to] = ranges[g];
        const auto [low, high] = ranges[g + 1];
        const auto width = static_cast<std::size_t>(high - low + 1);
        next_reached.assign(width, 0.0);
        next_below.assign(width * points, 0.0);
        const BinomialRow row = BinomialRow::of(arms.sizes[g], chance, 0, std::min(arms.sizes[g], arms.few), 1e-17);
        const double norm = 1 / row.sum();
        for (std::int64_t k = from; k <= to; ++k) {
            const double* const old = below.data() + static_cast<std::size_t>(k - from) * points;
            const double arrived = reached[static_cast<std::size_t>(k - from)];
            double left = 0;
            for (std::size_t q = 0; q < points; ++q) left += old[q];
            if (arrived == 0 && left == 0) continue;
            for (std::int64_t c = std::max(row.first, low - k); c < std::min(row.end(), high - k + 1); ++c) {
                const double weight = row(c) * norm;
                double& into_reached = next_reached[static_cast<std::size_t>(k + c - low)];
                into_reached += weight * arrived;
                const double step = f(g, k, k + c) * scale;
                if (step >= static_cast<double>(points)) {
                    into_reached += weight * left;
                    continue;
                }
                const auto whole = static_cast<std::size_t>(step);
                const double upper = weight * (step - static_cast<double>(whole)), lower = weight - upper;
                double* const into = next_below.data() + static_cast<std::size_t>(k + c - low) * points + whole;
                const std::size_t stay = points - whole;  // sums from which even the lower point is below
                into[0] += lower * old[0];
                for (std::size_t q = 1; q < stay; ++q) into[q] += lower * old[q] + upper * old[q - 1];
                double beyond = upper * old[stay - 1];
                for (std::size_t q = stay; q < points; ++q) beyond += weight * old[q];
                into_reached += beyond;
            }
        }
        reached.swap(next_reached);
        below.swap(next_below);
    }
    // The last k is the whole arm.
    double all = reached[0];
    for (std::size_t q = 0; q < points; ++q) all += below[q];
    return std::min(1.0, reached[0] / all + (cut ? 100 * rare : 0.0));
}

/// Divisions drawn at random where there are too many to walk through, most of them where a tail may lie: of ten draws
/// four as random arrangements fall, two each with the followed arm pushed to larger and to smaller values, one around
/// what was seen, and one with more of the arm in the largest group (where a studentised statistic is large for want of
/// variance); each with the weight that sets this right (importance sampling from a mixture; for permutation tests
/// Harrison 2012, Biometrika 99, 57-69).
///
/// Pushing by t gives a value of centred rank a, from -1 to 1, the odds exp(s + t a) to be in the followed arm, with s
/// such that as many as it has are expected. All groups but the largest are drawn independently, the largest takes what
/// is missing; so that group must not be small beside the others (`fits`).
class PushedDivisions {
  public:
    /// Is the largest group large enough, and the number of groups small enough for so many draws?
    static bool fits(const TiedArms& arms, std::size_t draws) noexcept {
        constexpr double least_share = 0.05, most_work = 8e6;
        return arms.few_groups() && arms.few > 0 &&
               static_cast<double>(arms.sizes[arms.largest]) >= least_share * static_cast<double>(arms.total) &&
               static_cast<double>(arms.sizes.size()) * static_cast<double>(draws) <= most_work;
    }

    /// `statistic(counts)` of expected counts, which need not be whole: grows as the followed arm is pushed up. The
    /// pushes are those at which it is `reach` above and below 0, `reach` >= 0.
    template <class Statistic>
    PushedDivisions(const TiedArms& arms, double reach, Statistic&& statistic)
        : arms_(arms), counts_(arms.sizes.size()) {
        double before = 0;
        const auto total = static_cast<double>(arms.total);
        for (const std::int64_t size : arms.sizes) {
            scores_.push_back((2 * before + static_cast<double>(size)) / total - 1);
            before += static_cast<double>(size);
        }
        last_ = tied_detail::BinomialRow::of(arms.sizes[arms.largest], chance(), 0, arms.few, 0);
        std::vector<double> chance_of(arms.sizes.size(), chance());
        const std::vector<double> plain = chance_of;
        pushes_[0] = drawn_with(plain, plain, 0.4);
        for (const int side : {1, -1}) {
            double low = 0, high = 1000;
            for (int round = 0; round < 40; ++round) {
                const double middle = low < 1 ? (low + std::min(high, 2.0)) / 2 : std::sqrt(low * high);
                (side * statistic(expected(side * middle)) < reach ? low : high) = middle;
            }
            pushes_[side > 0 ? 1 : 2] = drawn_with(chances(side * low), plain, 0.2);
        }
        for (std::size_t g = 0; g < chance_of.size(); ++g) {
            chance_of[g] = (static_cast<double>(arms.seen[g]) + 0.5) / (static_cast<double>(arms.sizes[g]) + 1);
        }
        pushes_[3] = drawn_with(chance_of, plain, 0.1);
        for (double& other : chance_of) other = chance() / 10;
        pushes_[4] = drawn_with(chance_of, plain, 0.1);
    }

    /// Calls `visit(counts, weight)` for every draw, and once for what was seen. Returns the sum of the weights.
    template <class Visit>
    double draw(std::size_t draws, std::uint64_t seed, Visit&& visit) {
        double all = 0;
        std::copy(arms_.seen.begin(), arms_.seen.end(), counts_.begin());
        const auto weigh = [&] {
            const double weight = weight_of_counts();
            if (weight > 0) visit(std::span<const std::int64_t>(counts_), weight);
            all += weight;
        };
        weigh();
        for (std::size_t i = 0; i < draws; ++i) {
            RandomStream random(seed, i);
            constexpr std::array<std::uint8_t, 10> turns{0, 1, 0, 2, 3, 0, 1, 0, 2, 4};
            const Push& push = pushes_[turns[i % turns.size()]];
            std::int64_t taken = 0;
            for (std::size_t g = 0; g < counts_.size(); ++g) {
                if (g == arms_.largest) continue;
                const std::vector<double>& table = push.cumulative[g];
                const double u = static_cast<double>(random.next() >> 11) * 0x1p-53 * table.back();
                const auto at = std::upper_bound(table.begin(), table.end() - 1, u) - table.begin();
                taken += counts_[g] = push.first[g] + at;
            }
            counts_[arms_.largest] = arms_.few - taken;
            weigh();
        }
        return all;
    }

  private:
    struct Push {
        std::vector<std::int64_t> first;              // by group: the first count
        std::vector<std::vector<double>> cumulative;  // by group: of the counts from there on
        std::vector<double> per_value;                // by group: log odds ratio against a random arrangement
        double constant = 0;                          // log probability ratio of none at all
        double share = 0;                             // of the draws
    };

    double chance() const noexcept { return static_cast<double>(arms_.few) / static_cast<double>(arms_.total); }

    /// The chances of the groups' values at a push.
    std::vector<double> chances(double push) const {
        double low = -std::fabs(push) - 50, high = std::fabs(push) + 50;
        std::vector<double> found(scores_.size());
        for (int round = 0; round < 70; ++round) {
            const double middle = (low + high) / 2;
            double sum = 0;
            for (std::size_t g = 0; g < scores_.size(); ++g) {
                found[g] = std::clamp(1 / (1 + std::exp(-middle - push * scores_[g])), 1e-12, 1 - 1e-12);
                sum += found[g] * static_cast<double>(arms_.sizes[g]);
            }
            (sum < static_cast<double>(arms_.few) ? low : high) = middle;
        }
        return found;
    }
    std::vector<double> expected(double push) const {
        std::vector<double> counts = chances(push);
        for (std::size_t g = 0; g < counts.size(); ++g) counts[g] *= static_cast<double>(arms_.sizes[g]);
        return counts;
    }
    Push drawn_with(const std::vector<double>& chance_of, const std::vector<double>& plain, double share) const {
        Push made;
        made.share = share;
        for (std::size_t g = 0; g < scores_.size(); ++g) {
            const double p = chance_of[g], q = plain[g];
            auto row = tied_detail::BinomialRow::of(arms_.sizes[g], p, 0, arms_.sizes[g], 1e-18);
            for (std::size_t k = 1; k < row.values.size(); ++k) row.values[k] += row.values[k - 1];
            made.first.push_back(row.first);
            made.cumulative.push_back(std::move(row.values));
            made.per_value.push_back(std::log(p / (1 - p)) - std::log(q / (1 - q)));
            if (g != arms_.largest)
                made.constant += static_cast<double>(arms_.sizes[g]) * (std::log1p(-p) - std::log1p(-q));
        }
        return made;
    }
    double weight_of_counts() const noexcept {
        const double complete = last_(counts_[arms_.largest]);
        if (complete == 0) return 0;
        double drawn = pushes_[0].share;
        for (std::size_t i = 1; i < pushes_.size(); ++i) {
            double log_ratio = pushes_[i].constant;
            for (std::size_t g = 0; g < counts_.size(); ++g)
                if (g != arms_.largest) log_ratio += pushes_[i].per_value[g] * static_cast<double>(counts_[g]);
            drawn += pushes_[i].share * std::exp(log_ratio);
        }
        return complete / drawn;
    }

    const TiedArms& arms_;
    std::vector<std::int64_t> counts_;
    std::vector<double> scores_;
    tied_detail::BinomialRow last_;
    std::array<Push, 5> pushes_;
};

}  // namespace v0
}  // namespace serinus
