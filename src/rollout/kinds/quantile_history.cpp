// What history teaches of quantiles: where the baseline's are, and how much the shares beyond them vary.

#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <serinus/sequential/proportion.hpp>

#include "rollout/kinds/count_history.hpp"
#include "rollout/kinds/quantiles.hpp"
#include "rollout/observation_intake.hpp"

namespace serinus {
inline namespace v0 {
namespace detail {
namespace {

/// An interval of an instance: a histogram, or the observations themselves in the place of its counts.
struct Seen {
    Partition whole;
    bool present = false;
};
using Rows = std::vector<Seen>;

struct Arms2 {
    std::array<std::map<std::string, Rows>, 2> arms;
};

Arms2 seen_of(const Plan& plan, const Metric& metric, const Batch& data) {
    Arms2 found;
    const std::int64_t step = plan.interval.count();
    ObservationIntake intake(metric, step, true);
    intake.check(data);
    ObservationCounts counts;
    intake.take(
        data, [](std::int64_t) { return false; }, counts);
    const auto first = intake.first_ms(), last = intake.last_waiting_ms();
    if (!first || !last) return found;
    const std::int64_t size = (*last - *first) / step + 1;
    constexpr std::int64_t most = 1'000'000;
    if (size > most) {
        raise(Code::data_size, "history spans " + std::to_string(size) + " intervals; allowed: at most " +
                                   std::to_string(most) + " for histograms (is a timestamp far off?)");
    }
    for (std::int64_t i = 0; i < size; ++i) {
        Interval interval;
        interval.from_ms = *first + i * step;
        interval.to_ms = interval.from_ms + step;
        MetricCounts brought;
        intake.close(
            interval, brought, [](Arm, const std::string&) { return false; }, false,
            [&](Arm arm, const std::string& instance, const Partition& whole) {
                Rows& rows = found.arms[static_cast<std::size_t>(arm)][instance];
                rows.resize(static_cast<std::size_t>(size));
                Seen& row = rows[static_cast<std::size_t>(i)];
                row.present = true;
                if (metric.kind == Kind::sample) {
                    row.whole.counts.insert(row.whole.counts.end(), whole.counts.begin(), whole.counts.end());
                } else if (!whole.negative()) {
                    add_to(row.whole, whole);
                }
            });
    }
    return found;
}

/// How many of an interval's observations lie beyond a threshold; none where that is not known.
std::optional<double> beyond(const Seen& row, const Metric& metric, double threshold, double total) {
    double more = 0;
    if (metric.kind == Kind::sample) {
        more = static_cast<double>(std::count_if(row.whole.counts.begin(), row.whole.counts.end(),
                                                 [&](double value) { return value > threshold; }));
    } else {
        if (!known_at(row.whole, threshold)) return std::nullopt;
        more = above(row.whole, threshold);
    }
    return metric.harm == Harm::decrease ? total - more : more;
}

double total_of(const Seen& row, const Metric& metric) {
    return metric.kind == Kind::sample ? static_cast<double>(row.whole.counts.size()) : row.whole.total();
}

/// Both tables of counts at a threshold.
std::pair<Table, Table> tables_at(const Arms2& seen, const Metric& metric, double threshold) {
    constexpr double nothing = std::numeric_limits<double>::quiet_NaN();
    std::pair<Table, Table> made;
    for (std::size_t arm = 0; arm < 2; ++arm) {
        for (const auto& [instance, rows] : seen.arms[arm]) {
            Column& part = made.first.arms[arm][instance];
            Column& whole = made.second.arms[arm][instance];
            part.assign(rows.size(), nothing);
            whole.assign(rows.size(), nothing);
            for (std::size_t i = 0; i < rows.size(); ++i) {
                if (!rows[i].present) continue;
                const double total = total_of(rows[i], metric);
                const auto more = beyond(rows[i], metric, threshold, total);
                if (!more || !(total > 0)) continue;
                part[i] = *more;
                whole[i] = total;
            }
        }
    }
    return made;
}

}  // namespace

void QuantilesKind::learn(Learning& learning) {
    const Metric& metric = learning.metric;
    MetricCalibration& report = learning.report;
    const Arms2 seen = seen_of(learning.plan, metric, learning.data);
    Partition all;
    for (const auto& [instance, rows] : seen.arms[0])
        for (const Seen& row : rows) add_to(all, metric.kind == Kind::sample ? binned(row.whole.counts) : row.whole);
    if (!(all.total() > 0)) return learning.say(Code::history_missing);

    std::vector<double> thresholds, dispersions, shape;
    for (const double q : metric.quantile) {
        const Threshold chosen = choose_threshold(all, q, metric);
        if (!chosen.value)
            return learning.say(Code::quantile_beyond_buckets, {{"percent", 100 * q}, {"bound", chosen.last}});
        thresholds.push_back(*chosen.value);
        learning.say(
            Code::history_thresholds,
            {{"percent", 100 * q}, {"threshold", *chosen.value}, {"share", above(all, *chosen.value) / all.total()}});
    }
    for (const double q : shape_quantiles) {
        const auto chosen = choose_threshold(all, q, metric).value;
        if (chosen) shape.push_back(*chosen);
    }
    if (shape.size() != shape_quantiles.size()) shape.clear();

    std::vector<HeldBack> worst;
    double worst_p = 2;
    for (std::size_t i = 0; i < thresholds.size(); ++i) {
        const auto [parts, wholes] = tables_at(seen, metric, thresholds[i]);
        Learning of{learning.plan,   metric,          learning.history, learning.data,
                    learning.former, learning.report, learning.all,     i == 0 ? learning.stage_done : [] {}};
        report.held_back.clear();
        report.learned = false;
        std::vector<Reason> before = std::move(report.reasons);
        report.reasons.clear();
        sequential::ProportionOptions options;
        options.alpha = report.alpha;
        options.harm = metric.harm;
        options.margin = {.ratio = 1.0, .difference = {}};
        options.interval = false;
        learn_counts(of, parts, wholes, true,
                     [&](const Stage& stage, double dispersion, const std::vector<CountPairs>& turns) {
                         options.dispersion = dispersion;
                         const auto counts = [](const CountsOfInterval& at) {
                             return Proportion{static_cast<std::int64_t>(at.part), static_cast<std::int64_t>(at.whole)};
                         };
                         return play(learning.plan, stage, options.alpha, sequential::ProportionTest(options),
                                     sizes_of(turns), [&](auto& mixture, std::size_t turn, std::size_t k) {
                                         mixture.update(counts(turns[turn][k].first), counts(turns[turn][k].second));
                                     });
                     });
        for (Reason& reason : report.reasons)
            if (std::find(before.begin(), before.end(), reason) == before.end()) before.push_back(std::move(reason));
        report.reasons = std::move(before);
        if (!report.learned) return;  // too little, or contradicted
        dispersions.push_back(report.dispersion);
        double least = 1;
        for (const HeldBack& held : report.held_back) least = std::min(least, held.p_value);
        if (least < worst_p) {
            worst_p = least;
            worst = report.held_back;
        }
    }
    report.held_back = std::move(worst);
    report.dispersion = *std::max_element(dispersions.begin(), dispersions.end());
    Noise& noise = learning.all.noise[metric.name];
    noise.dispersion = report.dispersion;
    noise.thresholds = std::move(thresholds);
    noise.dispersions = std::move(dispersions);
    noise.shape = std::move(shape);
}

}  // namespace detail
}  // namespace v0
}  // namespace serinus
