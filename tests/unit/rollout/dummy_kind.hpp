#pragma once
/// \file
/// A kind of metric that no plan can name: events an interval of one series. It is all that a new kind takes.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <serinus/sequential/rate.hpp>

#include "rollout/history.hpp"
#include "rollout/kinds/metric_kind.hpp"
#include "rollout/plan_checks.hpp"

namespace serinus {
inline namespace v0 {
namespace detail {

class DummyKind : public JudgedBy<sequential::RateTest> {
  public:
    static constexpr KindFacts facts{.kind = static_cast<Kind>(200),
                                     .word = "crashes",
                                     .about = "events of one series",
                                     .named = {{{"series", "the name of the series that counts"}}},
                                     .counts = true,
                                     .added_up = true};
    static constexpr HarmCodes harm_codes{Code::harm_proven_above, Code::harm_proven_below,
                                          Code::harm_proven_above_difference, Code::harm_proven_below_difference};

    struct Values : ArmPresence {
        double events = 0, instances = 0;
    };

    DummyKind(const Plan& plan, const Metric& metric, double share)
        : JudgedBy(make_tests<sequential::RateTest>(plan, metric, alpha_used(plan, share),
                                                    [](sequential::RateOptions&) {})) {}

    static void check(const std::string& path, const Metric& metric) {
        if (metric.margin.difference) refuse(path + ".margin", "a difference", "a ratio");
    }
    static void check_noise(const std::string& path, const Noise&, const Metric&, const Plan&) {
        refuse(path, "given", "nothing");
    }
    static void learn(Learning& learning) { learning.say(Code::history_missing); }

    static Values gather(const Interval& interval, const Metric& metric, Arm arm) {
        Values values;
        interval.each(metric.series, arm, [&](const std::string&, const Brought& of) {
            values.events += of.sum;
            values.instances += 1;
            values.present = true;
        });
        return values;
    }
    bool update(const std::array<Values, 2>& arms) {
        if (!(arms[0].events >= 0) || !(arms[1].events >= 0)) return false;
        const auto counted = [](const Values& arm) {
            return Rate{static_cast<std::int64_t>(arm.events), arm.instances};
        };
        tests_.update(counted(arms[0]), counted(arms[1]));
        return true;
    }

    double fewest() const { return std::min(tests_.stage.baseline().exposure, tests_.stage.canary().exposure); }
    std::vector<NamedNumber> observed() const {
        return {{"events_canary", static_cast<double>(tests_.stage.canary().events)}};
    }
    Reason failure_reason(const Metric& metric, const Failure& failure, double after_seconds) const {
        return harm_reason(harm_codes, metric, failure, after_seconds);
    }
    Promise promise() const { return {Guarantee::none, Code::dispersion_unknown}; }
    std::vector<Reason> noise_reasons() const { return {reason(Code::dispersion_unknown)}; }

    void save(MetricState&) const {}
    void restore(const MetricState&, std::size_t) {}
};

}  // namespace detail
}  // namespace v0
}  // namespace serinus
