// Events for an exposure: its part of a plan, and how its test is played on history.

#include "rollout/kinds/rate.hpp"

#include <string>
#include <vector>

#include "rollout/kinds/count_history.hpp"
#include "rollout/plan_checks.hpp"

namespace serinus {
inline namespace v0 {
namespace detail {

void RateKind::check(const std::string& path, const Metric& metric) {
    if (metric.events == metric.exposure)
        refuse(path + ".events", quoted(metric.events) + " as is exposure", "a series other than exposure");
    if (metric.margin.difference) refuse(path + ".margin", "a difference", std::string(facts.difference_allowed));
}

void RateKind::check_noise(const std::string& path, const Noise& noise, const Metric&, const Plan&) {
    check_count_noise(path, noise);
}

void RateKind::learn(Learning& learning) {
    sequential::RateOptions options;
    options.alpha = learning.report.alpha;
    options.harm = learning.metric.harm;
    options.interval = false;
    learn_counts(learning, false, [&](const Stage& stage, double dispersion, const std::vector<CountPairs>& turns) {
        options.dispersion = dispersion;
        const auto counts = [](const CountsOfInterval& of) {
            return Rate{static_cast<std::int64_t>(of.part), of.whole};
        };
        return play(learning.plan, stage, options.alpha, sequential::RateTest(options), sizes_of(turns),
                    [&](auto& mixture, std::size_t of, std::size_t i) {
                        mixture.update(counts(turns[of][i].first), counts(turns[of][i].second));
                    });
    });
}

}  // namespace detail
}  // namespace v0
}  // namespace serinus
