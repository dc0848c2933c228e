#pragma once
/// \file
/// Is the canary worse in anything that a gauge may show: its level, late, in a window, its spread, its spikes? One
/// look at both arms over the same intervals, without any history.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <serinus/core/describe.hpp>
#include <serinus/core/error.hpp>
#include <serinus/core/evidence.hpp>
#include <serinus/core/reason.hpp>
#include <serinus/core/require.hpp>
#include <serinus/core/text.hpp>
#include <serinus/core/words.hpp>
#include <serinus/fixed/detail/label_swaps.hpp>
#include <serinus/fixed/detail/swap_panel.hpp>
#include <serinus/numeric/moments.hpp>
#include <serinus/series/samples.hpp>

namespace serinus {
inline namespace v0 {

/// What a look at gauges looks at. `level`: all of the window. `late`: its end. `window`: a run of neighbours. `upper`:
/// readings far on the side of harm. `spread`: far readings on both sides. `together`: the level of all metrics.
/// `outliers`: readings far out that only the canary has, which are counted.
enum class SwapGroup : std::uint8_t {
    level = 1,
    late = 2,
    window = 3,
    upper = 4,
    spread = 5,
    together = 6,
    outliers = 7
};

template <>
struct Words<SwapGroup> {
    static constexpr std::array<std::pair<SwapGroup, std::string_view>, 7> table{{{SwapGroup::level, "level"},
                                                                                  {SwapGroup::late, "late"},
                                                                                  {SwapGroup::window, "window"},
                                                                                  {SwapGroup::upper, "upper"},
                                                                                  {SwapGroup::spread, "spread"},
                                                                                  {SwapGroup::together, "together"},
                                                                                  {SwapGroup::outliers, "outliers"}}};
};

/// One of several gauges of one rollout. What it leaves open is as in the options.
struct LabelSwapMetric {
    std::string name;
    std::span<const double> baseline;  ///< one value an interval, in time order; NaN where there is none
    std::span<const double> canary;    ///< of the same intervals
    std::optional<Harm> harm = std::nullopt;
    std::optional<Margin> margin = std::nullopt;
    std::optional<Margin> detect = std::nullopt;
    double weight = 1;  ///< its part of alpha, relative to the others'
};

struct LabelSwapOptions {
    Harm harm = Harm::increase;
    /// Harm that would surely matter, from the margin on and in the same form. Without it a look finds harm, and never
    /// rules it out.
    std::optional<Margin> detect = std::nullopt;
    double alpha = 0.05;  ///< the probability of failing a canary that is within its margins
    Margin margin = {.ratio = 1.0};
    std::optional<std::size_t> resamples = std::nullopt;  ///< swaps, from 100 to 1,000,000; 100/alpha - 1 if not given
    std::uint64_t seed = 0;                               ///< fixed before the data: the same seed, the same result
    NanPolicy nan_policy = NanPolicy::drop;

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("harm", self.harm);
        visit("detect", self.detect);
        visit("alpha", self.alpha);
        visit("margin", self.margin);
        visit("resamples", self.resamples);
        visit("seed", self.seed);
        visit("nan_policy", self.nan_policy);
    }
};
static_assert(described_whole<LabelSwapOptions>());

/// What is known of one metric of a look, on the scale of its margin.
struct LabelSwapLevel {
    std::string metric;
    double estimate = std::numeric_limits<double>::quiet_NaN();  ///< canary/baseline or canary - baseline
    Interval whole;                                              ///< of the level over all intervals
    Interval last_third;                                         ///< of the last third, 8 intervals at least
    std::int64_t n = 0;                                          ///< intervals that have both arms
    std::int64_t outliers = 0;  ///< readings far out of the canary, when the baseline has none
    bool healed = false;        ///< the last third lies wholly below what was before, on the side of harm

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("metric", self.metric);
        visit("estimate", self.estimate);
        visit("whole", self.whole);
        visit("last_third", self.last_third);
        visit("n", self.n);
        visit("outliers", self.outliers);
        visit("healed", self.healed);
    }
};
static_assert(described_whole<LabelSwapLevel>());

struct LabelSwapResult {
    Verdict verdict = Verdict::inconclusive;
    double p_value = 1;                             ///< of all metrics and groups together: at most `allowed` fails
    double allowed = 0;                             ///< alpha, less what is kept for outliers that are counted
    std::optional<SwapGroup> group = std::nullopt;  ///< where the canary looks worst; nothing if none is judged
    std::string metric;                             ///< of which metric; of `together` the one that looks worst
    bool healed = false;        ///< it failed, and its last third is better than what was before in every metric
    std::size_t resamples = 0;  ///< swaps that were drawn
    std::vector<LabelSwapLevel> metrics = {};
    std::vector<Reason> reasons = {};

    template <class Visitor, class Self>
    static constexpr void describe(Visitor& visit, Self& self) {
        visit("verdict", self.verdict);
        visit("p_value", self.p_value);
        visit("allowed", self.allowed);
        visit("group", self.group);
        visit("metric", self.metric);
        visit("healed", self.healed);
        visit("resamples", self.resamples);
        visit("metrics", self.metrics);
        visit("reasons", self.reasons);
    }
};
static_assert(described_whole<LabelSwapResult>());

namespace label_swap_detail {

inline constexpr std::size_t fewest_intervals = 12, most_intervals = 100'000, fewest_last = 8;
inline constexpr double suspicious = 0.2;  // above: nothing that a pass would have to explain

/// A metric as it is judged: NaN left out, in a unit of about 1, so that no size of values overflows.
struct Judged {
    std::string_view name;
    Harm harm = Harm::increase;
    bool of_ratio = true, judged = false;
    double margin = 1, weight = 1;
    std::optional<double> detect;
    int exponent = 0;
    std::vector<double> x, y;
    std::vector<std::uint32_t> times;

    double scaled_back(double bound) const { return of_ratio ? bound : PowerOfTwo(exponent) * bound; }
};

/// One direction of a metric: harm is x above y.
struct Side {
    ArmPair arms;
    std::size_t of;
    double share;
    bool summed;  // goes into the level of all metrics
    std::size_t pooled_outliers = 0, outliers = 0, first_outliers = 0;
    double factor = 1;
};

inline std::string of_metric(std::string_view name, std::string_view what) {
    return std::string(what) + (name.empty() ? std::string() : " of " + in_quotes(name));
}

inline void require_metric(const LabelSwapMetric& metric, const Margin& margin, const std::optional<Margin>& detect,
                           NanPolicy policy) {
    const auto name = [&](std::string_view what) { return of_metric(metric.name, what); };
    require_harm_margin(margin);
    require(metric.weight > 0 && metric.weight <= 1e6, name("weight"), metric.weight, "above 0, up to 1000000");
    if (detect) {
        require_harm_margin(*detect);
        const bool same_form = detect->ratio.has_value() == margin.ratio.has_value();
        const double size = detect->ratio ? *detect->ratio : *detect->difference;
        if (!same_form || !(size >= (margin.ratio ? *margin.ratio : *margin.difference)))
            raise(Code::argument_margin, name("detect") + " is a " + (detect->ratio ? "ratio" : "difference") + " of " +
                                             number_text(size) + "; allowed: the margin's form, from the margin on");
    }
    const std::size_t n = metric.baseline.size();
    if (metric.canary.size() != n)
        raise(Code::argument_length, name("canary") + " has " + std::to_string(metric.canary.size()) +
                                         " values, the baseline " + std::to_string(n) +
                                         "; allowed: one an interval in both");
    require(n <= most_intervals, name("intervals"), static_cast<double>(n), "at most 100000");
    for (const auto& [arm, values] :
         {std::pair{Arm::baseline, metric.baseline}, std::pair{Arm::canary, metric.canary}}) {
        for (std::size_t t = 0; t < n; ++t) {
            const bool none = std::isnan(values[t]);
            if (!std::isinf(values[t]) && !(none && policy == NanPolicy::error)) continue;
            std::string at(word(arm));
            at += '[';
            at += std::to_string(t);
            at += ']';
            raise(none ? Code::argument_nan : Code::argument_infinite,
                  name(at) + (none ? " is NaN; allowed: numbers, or the NaN policy \"drop\""
                                   : " is infinite; allowed: numbers, and NaN where there is none"));
        }
    }
}

inline Judged take_metric(const LabelSwapMetric& metric, const LabelSwapOptions& options) {
    const Margin margin = metric.margin.value_or(options.margin);
    const std::optional<Margin> detect = metric.detect ? metric.detect : options.detect;
    require_metric(metric, margin, detect, options.nan_policy);
    Judged taken;
    taken.name = metric.name;
    taken.harm = metric.harm.value_or(options.harm);
    taken.weight = metric.weight;
    taken.of_ratio = margin.ratio.has_value();
    for (std::size_t t = 0; t < metric.baseline.size(); ++t) {
        if (std::isnan(metric.baseline[t]) || std::isnan(metric.canary[t])) continue;
        taken.x.push_back(metric.canary[t] + 0.0);
        taken.y.push_back(metric.baseline[t] + 0.0);
        taken.times.push_back(static_cast<std::uint32_t>(t));
    }
    taken.exponent = std::max(common_exponent(taken.x), common_exponent(taken.y));
    const PowerOfTwo unit(-taken.exponent);
    for (auto* arm : {&taken.x, &taken.y}) {
        for (double& value : *arm) value = unit * value;
    }
    const auto size_of = [&](const Margin& of) { return of.ratio ? *of.ratio : unit * *of.difference; };
    taken.margin = size_of(margin);
    if (detect) taken.detect = size_of(*detect);
    return taken;
}

inline std::vector<Side> sides_of(std::span<const Judged> metrics) {
    double weights = 0;
    for (const Judged& metric : metrics) weights += metric.weight;
    std::vector<Side> sides;
    for (std::size_t i = 0; i < metrics.size(); ++i) {
        const Judged& metric = metrics[i];
        if (!metric.judged) continue;
        const bool either = metric.harm == Harm::either;
        for (const bool increase : {true, false}) {
            if (!either && increase != (metric.harm == Harm::increase)) continue;
            Side side{{metric.x, metric.y}, i, metric.weight / (either ? 2 : 1) / weights, !either};
            for (double& y : side.arms.y) {
                y = !metric.of_ratio ? (increase ? y + metric.margin : y - metric.margin)
                                     : (increase ? y * metric.margin : y * (1 / metric.margin));
                if (!increase) y = -y;
            }
            if (!increase) {
                for (double& x : side.arms.x) x = -x;
            }
            sides.push_back(std::move(side));
        }
    }
    return sides;
}

struct PanelVerdict {
    bool fail = false, clean = true;
    double p_value = 1, allowed = 0;
    std::size_t best = 0;                 // statistic: side x 5 + group; behind all sides: the level of all metrics
    std::size_t own = 0;                  // the strongest statistic of one metric
    std::optional<std::size_t> outliers;  // the side that fails by them
};

/// Both passes of the panel, and the far outliers that only the canary has.
inline PanelVerdict judge_sides(const LabelSwaps& swaps, std::span<Side> sides, std::span<const Judged> metrics,
                                double alpha) {
    const double z = normal_score(1 - alpha);
    std::map<std::size_t, ScoreTables> tables;
    for (const Side& side : sides) tables.try_emplace(side.arms.x.size(), side.arms.x.size());
    PanelVerdict found;
    found.p_value = 0;
    const bool many = std::count_if(sides.begin(), sides.end(), [](const Side& side) { return side.summed; }) > 1;
    for (const bool white : {false, true}) {
        std::vector<SwapStatistic> panel;
        std::vector<std::int32_t> total(swaps.intervals(), 0);
        for (Side& side : sides) {
            const ArmPair innovations = white ? whitened(side.arms.x, side.arms.y, z) : ArmPair{};
            const ArmPair& arms = white ? innovations : side.arms;
            const FarOut far = add_panel(swaps, arms.x, arms.y, metrics[side.of].times, tables.at(arms.x.size()),
                                         group_weights, panel, side.summed ? total.data() : nullptr);
            if (!white) {
                side.pooled_outliers = far.pooled;
                side.first_outliers = side.outliers = far.canary;
                // One to seven far outliers: nine tenths of this side's alpha are the outliers' own.
                if (far.pooled >= 1 && far.pooled <= 7) side.factor = 0.1;
                found.clean = found.clean && far.canary == 0;
            } else {
                side.outliers = std::min(side.outliers, far.canary);
            }
        }
        double shares = 0;
        for (std::size_t i = 0; i < sides.size(); ++i) {
            const double share = sides[i].share * sides[i].factor;
            shares += share;
            for (std::size_t g = 0; g < groups; ++g)
                panel[i * groups + g].weight = (many ? 0.8 : 1.0) * (share * group_weights[g]);
        }
        if (many) {
            SwapStatistic together{{}, 0.2, true};
            swaps.sums(total, together.keys);
            panel.push_back(std::move(together));
        }
        JointP joint = joint_p(panel, swaps.size());
        found.allowed = alpha * shares;
        std::size_t own_best = joint.best;
        if (many && joint.best + 1 == panel.size()) {
            // All together look worst. Where one of them is enough by itself, that one is named.
            const JointP own = strongest(std::span(panel).first(panel.size() - 1), swaps.size());
            own_best = own.best;
            if (joint.p_value <= found.allowed && share_as_small(panel, swaps.size(), own.p_value) <= found.allowed)
                joint.best = own.best;
        }
        if (joint.p_value >= found.p_value) {
            found.p_value = joint.p_value;
            found.best = joint.best;
            found.own = own_best;
        }
        found.outliers.reset();
        for (std::size_t i = 0; i < sides.size() && !found.outliers; ++i) {
            const Side& side = sides[i];
            if (side.outliers > 2 && spike_level(side.arms.x.size(), side.outliers) <= 0.9 * alpha * side.share)
                found.outliers = i;
        }
        // The second pass only takes a rejection away: where there is none it is not made.
        if (found.p_value > alpha && !found.outliers) break;
    }
    found.fail = found.p_value <= found.allowed || found.outliers.has_value();
    return found;
}

/// Intervals of the level over a part of the window: the hull of what the arms say as they are and whitened.
class LevelIntervals {
  public:
    LevelIntervals(const LabelSwaps& swaps, std::size_t count, std::uint64_t seed, double alpha)
        : swaps_(swaps), count_(count), seed_(seed), alpha_(alpha) {}

    LevelBounds of(std::span<const ArmPair> pairs, bool of_ratio, std::size_t from, std::size_t n) {
        const Known& known = known_for(n);
        LevelBounds hull{};
        for (std::size_t i = 0; i < pairs.size(); ++i) {
            const LevelBounds found =
                level_bounds(std::span(pairs[i].x).subspan(from, n), std::span(pairs[i].y).subspan(from, n), of_ratio,
                             known.scores, known.critical);
            if (i == 0) hull = found;
            hull.lower = std::min(hull.lower, found.lower);
            hull.upper = std::max(hull.upper, found.upper);
        }
        return hull;
    }

  private:
    struct Known {
        std::vector<std::int32_t> scores;
        std::int32_t critical;
    };
    /// The bits of a swap of n intervals are those of more of them as long as they are as many words.
    const Known& known_for(std::size_t n) {
        const auto found = known_.find(n);
        if (found != known_.end()) return found->second;
        std::vector<std::int32_t> scores = half_normal_scores(n);
        const bool same_words = (n + 63) / 64 == (swaps_.intervals() + 63) / 64;
        const std::int32_t critical = same_words ? critical_level(swaps_, scores, alpha_)
                                                 : critical_level(LabelSwaps::drawn(n, count_, seed_), scores, alpha_);
        return known_.emplace(n, Known{std::move(scores), critical}).first->second;
    }

    const LabelSwaps& swaps_;
    std::size_t count_;
    std::uint64_t seed_;
    double alpha_;
    std::map<std::size_t, Known> known_;
};

}  // namespace label_swap_detail

/// Is the canary worse in any of several gauges, as far as one look can tell? A panel of order-aware statistics, made
/// joint and exact by swapping the arms' labels within intervals.
///
/// Null hypothesis: in every interval the canary is stochastically no larger than margin x baseline (or baseline +
/// margin; `decrease`: no smaller than baseline/margin). At its edge the two values of an interval are exchangeable, so
/// each of M random sets of swaps s (s_t = -1 exchanges the labels at t) leaves the law of all statistics as it is.
/// With d = canary - allowed, R midranks of |d|, h(q) = Phi^-1((1 + q)/2), a_t = sign(d_t) h(R_t/(n + 1)):
///  - `level` (weight .3): sum s_t a_t;
///  - `late` (.2): the largest of that over the last 1/6, 1/4, 1/3, 1/2, 2/3 and of a ramp, each over the root of its
///    squared weights;
///  - `window` (.2): the same over runs of n/8, n/6, n/4, n/3, n/2 intervals (4 at least);
///  - `upper` (.15): the same score squared, h(R/(2n + 1))^2, of what lies above a running median (15 intervals) of the
///    lower arm, canary less allowed; `spread` (.15): of both sides of it, where the side of harm grew;
///  - `together` (.2, and .8 for the others): sum of the a_t of all metrics that get worse in one direction.
/// Joint p-value: the smallest weighted p-value, judged by its own distribution over the swaps (Westfall and Young
/// 1993), so that correlation of groups and of metrics costs nothing. Neighbours that depend on each other: where this
/// rejects, the panel is asked again on innovations x_t - phi x_{t-1} of both arms and the larger p counts.
/// Outliers: readings of the canary beyond ten upper quartiles of both arms' residuals, k of them and none in the
/// baseline, fail where sup_p (1-p)^n P(Bin(n,p) >= k) <= .9 alpha; a metric with 1 to 7 of them in the pool leaves the
/// panel a tenth of its alpha. The method, what of it is proved and what was measured: docs/concepts/fixed-look.md.
///
/// metrics: of one rollout, all over the same intervals, equally spaced (`serinus.argument.length` else); values finite
/// (`serinus.argument.infinite`), an interval without one of the arms (NaN) is left out. `margin`: a ratio from 1 or a
/// difference from 0; `detect` from it on (`serinus.argument.margin`). alpha in (0, 0.5], resamples from 100 to
/// 1,000,000, weight in (0, 10^6] (`serinus.argument.range`).
///
/// Returns a verdict. `fail`: p <= allowed, or outliers. `pass`: p > .2, no outlier that only the canary has, and with
/// confidence 1 - 2 alpha the level, of the whole window and of its last third, below `detect`. Else `inconclusive`:
/// so is every look at a metric with fewer than 12 intervals, without `detect`, or with a ratio to a median of 0 or
/// below; the others are judged without it, and it keeps its part of alpha. Each says why in `reasons`.
///
/// One look: asked again after more data its error grows. Exchanging the unit changes nothing; sums are whole numbers,
/// so that a seed gives the same p on every machine. Cost: O(resamples x n) a metric.
///
///     const auto found = label_swap_test(metrics, {.detect = Margin{.ratio = 1.25}, .seed = 7});
///     if (found.verdict == Verdict::fail) ... found.metric, found.group
inline LabelSwapResult label_swap_test(std::span<const LabelSwapMetric> metrics, const LabelSwapOptions& options = {}) {
    namespace detail = label_swap_detail;
    require(options.alpha > 0 && options.alpha <= 0.5, "alpha", options.alpha, "above 0, up to 0.5");
    require(!metrics.empty(), "metrics", 0, "one at least");
    const std::size_t count =
        options.resamples.value_or(static_cast<std::size_t>(std::min(1e6, std::nearbyint(100 / options.alpha) - 1)));
    require_resamples(count);
    LabelSwapResult result;
    result.resamples = count;
    const std::size_t intervals = metrics.front().baseline.size();
    std::vector<detail::Judged> judged;
    for (const LabelSwapMetric& metric : metrics) {
        if (metric.baseline.size() != intervals)
            raise(Code::argument_length, detail::of_metric(metric.name, "baseline") + " has " +
                                             std::to_string(metric.baseline.size()) + " values, another metric " +
                                             std::to_string(intervals) + "; allowed: the same intervals in all");
        judged.push_back(detail::take_metric(metric, options));
    }

    const auto say = [&](Code code, std::string_view metric, std::vector<NamedNumber> numbers = {},
                         std::vector<NamedText> texts = {}) {
        result.reasons.push_back({code, std::string(metric), std::move(numbers), false, std::move(texts)});
    };
    std::vector<double> scratch;
    bool may_pass = true;
    for (detail::Judged& metric : judged) {
        const auto n = static_cast<double>(metric.x.size());
        if (metric.x.size() < detail::fewest_intervals) {
            say(Code::look_few_intervals, metric.name,
                {{"intervals", n}, {"needed", double{detail::fewest_intervals}}});
        } else if (const double level = detail::median_of_copy(metric.y, scratch); metric.of_ratio && !(level > 0)) {
            say(Code::look_no_ratio, metric.name, {{"level", PowerOfTwo(metric.exponent) * level}});
        } else {
            metric.judged = true;
        }
        may_pass = may_pass && metric.judged;
    }
    std::vector<detail::Side> sides = detail::sides_of(judged);
    for (const detail::Judged& metric : judged) {
        LabelSwapLevel level;
        level.metric = metric.name;
        level.n = static_cast<std::int64_t>(metric.x.size());
        if (metric.of_ratio) level.whole.lower = level.last_third.lower = 0;
        result.metrics.push_back(std::move(level));
    }
    if (sides.empty()) return result;

    const auto swaps = detail::LabelSwaps::drawn(intervals, count, options.seed);
    const detail::PanelVerdict panel = detail::judge_sides(swaps, sides, judged, options.alpha);
    result.p_value = panel.p_value;
    result.allowed = panel.allowed;
    const bool by_outliers = panel.outliers && panel.p_value > panel.allowed;
    if (by_outliers) {
        result.group = SwapGroup::outliers;
        result.metric = judged[sides[*panel.outliers].of].name;
    } else if (panel.best == sides.size() * detail::groups) {
        result.group = SwapGroup::together;
        result.metric = judged[sides[panel.own / detail::groups].of].name;
    } else {
        result.group = static_cast<SwapGroup>(1 + panel.best % detail::groups);
        result.metric = judged[sides[panel.best / detail::groups].of].name;
    }
    for (const detail::Side& side : sides) {
        auto& of = result.metrics[side.of].outliers;
        of = std::max(of, static_cast<std::int64_t>(side.first_outliers));
    }

    // Intervals of the levels: of all of the window, of its last third, and where it failed of what was before that.
    const double z = normal_score(1 - options.alpha);
    detail::LevelIntervals intervals_of(swaps, count, options.seed, options.alpha);
    bool healed = panel.fail;
    std::vector<Reason> open;
    for (std::size_t i = 0; i < judged.size(); ++i) {
        const detail::Judged& metric = judged[i];
        if (!metric.judged) continue;
        const std::size_t n = metric.x.size(), last = std::max(detail::fewest_last, (n + 2) / 3);
        const std::array<detail::ArmPair, 2> pairs{detail::ArmPair{metric.x, metric.y},
                                                   detail::whitened(metric.x, metric.y, z)};
        const detail::LevelBounds whole = intervals_of.of(pairs, metric.of_ratio, 0, n);
        const detail::LevelBounds end = intervals_of.of(pairs, metric.of_ratio, n - last, last);
        LabelSwapLevel& level = result.metrics[i];
        const double confidence = 1 - 2 * options.alpha;
        level.estimate = metric.scaled_back(whole.estimate);
        level.whole = {metric.scaled_back(whole.lower), metric.scaled_back(whole.upper), confidence};
        level.last_third = {metric.scaled_back(end.lower), metric.scaled_back(end.upper), confidence};
        const bool may_rise = metric.harm != Harm::increase, may_fall = metric.harm != Harm::decrease;
        if (panel.fail) {
            const detail::LevelBounds before = intervals_of.of(pairs, metric.of_ratio, 0, n - last);
            level.healed = (metric.harm == Harm::increase && end.upper < before.lower) ||
                           (metric.harm == Harm::decrease && end.lower > before.upper);
            healed = healed && level.healed;
            continue;
        }
        if (!metric.detect) {
            say(Code::look_without_detect, metric.name);
            may_pass = false;
            continue;
        }
        const double least = metric.of_ratio ? 1 / *metric.detect : -*metric.detect;
        const bool below = !may_fall || std::max(whole.upper, end.upper) < *metric.detect;
        const bool above = !may_rise || std::min(whole.lower, end.lower) > least;
        if (below && above) continue;
        may_pass = false;
        const bool late = (whole.upper < *metric.detect || below) && (whole.lower > least || above);
        const double bound = !below ? std::max(whole.upper, end.upper) : std::min(whole.lower, end.lower);
        say(late ? Code::look_late_open : Code::look_level_open, metric.name,
            {{"bound", metric.scaled_back(bound)}, {"detect", metric.scaled_back(!below ? *metric.detect : least)}});
    }
    result.healed = healed;
    if (panel.fail) {
        result.verdict = Verdict::fail;
        const std::vector<NamedNumber> numbers{{"p", panel.p_value}, {"allowed", panel.allowed}};
        Reason why{Code::look_harm, result.metric, numbers};
        if (by_outliers) {
            const detail::Side& side = sides[*panel.outliers];
            why = {Code::look_outliers,
                   result.metric,
                   {{"count", static_cast<double>(side.outliers)},
                    {"intervals", static_cast<double>(side.arms.x.size())}}};
        } else if (result.group == SwapGroup::together) {
            why.code = Code::look_harm_together;
        } else {
            why.texts.push_back({"group", std::string(word(*result.group))});
        }
        result.reasons.insert(result.reasons.begin(), std::move(why));
        if (healed) say(Code::look_healed, result.metric);
        return result;
    }
    if (!panel.clean) {
        may_pass = false;
        for (const LabelSwapLevel& level : result.metrics) {
            if (level.outliers > 0)
                say(Code::look_outliers_open, level.metric, {{"count", static_cast<double>(level.outliers)}});
        }
    }
    if (panel.p_value <= detail::suspicious) {
        may_pass = false;
        say(Code::look_suspicious, result.metric,
            {{"p", panel.p_value}, {"allowed", panel.allowed}, {"needed", detail::suspicious}});
    }
    if (may_pass) {
        result.verdict = Verdict::pass;
        say(Code::look_clear, "", {{"confidence", 1 - 2 * options.alpha}});
    }
    return result;
}

/// The same of one gauge: `label_swap_test(baseline, canary, {.detect = Margin{.ratio = 1.25}})`.
inline LabelSwapResult label_swap_test(std::span<const double> baseline, std::span<const double> canary,
                                       const LabelSwapOptions& options = {}) {
    const LabelSwapMetric only{"", baseline, canary};
    return label_swap_test(std::span(&only, 1), options);
}

}  // namespace v0
}  // namespace serinus
