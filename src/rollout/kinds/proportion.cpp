// Bad of total: its part of a plan, and how its test is played on history.

#include "rollout/kinds/proportion.hpp"

#include <string>
#include <vector>

#include "rollout/kinds/count_history.hpp"
#include "rollout/plan_checks.hpp"

namespace serinus {
inline namespace v0 {
namespace detail {

void ProportionKind::check(const std::string& path, const Metric& metric) {
    if (!metric.good.empty() && metric.good == metric.total && !metric.le) {
        refuse(path + ".good", quoted(metric.good) + " as is total",
               "a series other than total, or with \"le\" one of its buckets");
    }
    if (metric.bad == metric.total)
        refuse(path + ".bad", quoted(metric.bad) + " as is total", "a series other than total");
    if (metric.method == sequential::ProportionMethod::conditional && metric.margin.difference) {
        refuse(path + ".method", "\"conditional\" with a difference margin",
               "\"conditional\" with a ratio margin, \"block\" with either");
    }
    const bool by_floor = metric.method == sequential::ProportionMethod::floor;
    if (metric.method != sequential::ProportionMethod::automatic && by_floor != metric.margin.floor.has_value()) {
        refuse(
            path + ".method",
            '"' + std::string(word(metric.method)) + "\" with a margin " + (by_floor ? "without" : "with") + " a floor",
            "\"auto\", or \"floor\" where the margin has one");
    }
}

void ProportionKind::check_noise(const std::string& path, const Noise& noise, const Metric&, const Plan&) {
    check_count_noise(path, noise);
}

void ProportionKind::learn(Learning& learning) {
    const Metric& metric = learning.metric;
    sequential::ProportionOptions options;
    options.alpha = learning.report.alpha;
    options.harm = metric.harm;
    options.margin = metric.margin.ratio ? Margin{.ratio = 1.0, .difference = {}} : Margin{.difference = 0.0};
    // A floor has no margin of its own to play by: without one, any harm counts.
    if (!metric.margin.floor) options.method = metric.method;
    options.interval = false;
    learn_counts(learning, true, [&](const Stage& stage, double dispersion, const std::vector<CountPairs>& turns) {
        options.dispersion = dispersion;
        const auto counts = [](const CountsOfInterval& of) {
            return Proportion{static_cast<std::int64_t>(of.part), static_cast<std::int64_t>(of.whole)};
        };
        return play(learning.plan, stage, options.alpha, sequential::ProportionTest(options), sizes_of(turns),
                    [&](auto& mixture, std::size_t of, std::size_t i) {
                        mixture.update(counts(turns[of][i].first), counts(turns[of][i].second));
                    });
    });
}

}  // namespace detail
}  // namespace v0
}  // namespace serinus
