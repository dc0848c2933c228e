#pragma once
/// \file
/// Events for an exposure, such as restarts an hour or retries a gigabyte: judged by `sequential::RateTest`; inside the
/// library only.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <serinus/core/counts.hpp>
#include <serinus/sequential/rate.hpp>

#include "rollout/kinds/dispersion_known.hpp"
#include "rollout/kinds/metric_kind.hpp"

namespace serinus {
inline namespace v0 {
namespace detail {

class RateKind : public JudgedBy<sequential::RateTest> {
  public:
    static constexpr const KindFacts& facts = facts_of(Kind::rate);
    static constexpr HarmCodes harm_codes{Code::harm_proven, Code::harm_proven_decrease, Code::harm_proven_difference,
                                          Code::harm_proven_decrease_difference};

    /// Sums over instances and label sets.
    struct Values : ArmPresence {
        double events = 0, exposure = 0;

        bool possible() const {
            return is_count(events) && exposure >= 0 && std::isfinite(exposure) && (events == 0 || exposure > 0);
        }
        Rate counts() const { return {static_cast<std::int64_t>(events), exposure}; }
    };

    RateKind(const Plan& plan, const Metric& metric, double share)
        : RateKind(plan, metric, share, noise_of(plan, metric)) {}

    static void check(const std::string& path, const Metric& metric);
    static void check_noise(const std::string& path, const Noise& noise, const Metric& metric, const Plan& plan);
    static void learn(Learning& learning);

    static Values gather(const Interval& interval, const Metric& /*metric*/, Arm arm) {
        const ArmCounts& counts = interval.counts(arm);
        Values values;
        values.present = counts.present;
        values.unpaired = counts.unpaired;
        values.events = counts.sums[0];
        values.exposure = counts.sums[1];
        return values;
    }

    bool update(const std::array<Values, 2>& arms) {
        if (!arms[0].possible() || !arms[1].possible()) return false;
        tests_.update(arms[0].counts(), arms[1].counts());
        return true;
    }

    double fewest() const { return std::min(tests_.stage.baseline().exposure, tests_.stage.canary().exposure); }
    bool nothing_happened() const { return tests_.stage.baseline().events + tests_.stage.canary().events == 0; }
    std::vector<NamedNumber> observed() const {
        const Rate b = tests_.stage.baseline(), c = tests_.stage.canary();
        return {{"events_baseline", static_cast<double>(b.events)},
                {"exposure_baseline", b.exposure},
                {"events_canary", static_cast<double>(c.events)},
                {"exposure_canary", c.exposure}};
    }

    Reason failure_reason(const Metric& metric, const Failure& failure, double after_seconds) const {
        return harm_reason(harm_codes, metric, failure, after_seconds);
    }
    std::vector<Reason> obstacles(double /*intervals*/) const { return known_.obstacles(); }
    Promise promise() const { return known_.promise(); }
    std::vector<Reason> noise_reasons() const { return known_.reasons(); }

    void save(MetricState& state) const { state.rate = tests_.state(); }
    void restore(const MetricState& state, std::size_t /*stage*/) {
        tests_.restore(state.rate);
        require_state(!state.spikes, "spikes of a metric that watches none");
        require_state(!state.instances, "instances of a metric that is no gauge");
    }

  private:
    RateKind(const Plan& plan, const Metric& metric, double share, const Noise* noise)
        : JudgedBy(make_tests<sequential::RateTest>(plan, metric, alpha_used(plan, share),
                                                    [&](sequential::RateOptions& options) {
                                                        if (noise) options.dispersion = noise->dispersion.value_or(1);
                                                    })),
          known_(noise) {}

    DispersionKnown known_;
};

}  // namespace detail
}  // namespace v0
}  // namespace serinus
