#pragma once
/// \file
/// Bad of total, such as failed requests of all requests: counts, judged by `sequential::ProportionTest`; inside the
/// library only.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <serinus/core/counts.hpp>
#include <serinus/sequential/proportion.hpp>

#include "rollout/kinds/dispersion_known.hpp"
#include "rollout/kinds/metric_kind.hpp"

namespace serinus {
inline namespace v0 {
namespace detail {

class ProportionKind : public JudgedBy<sequential::ProportionTest> {
  public:
    static constexpr const KindFacts& facts = facts_of(Kind::proportion);
    static constexpr HarmCodes harm_codes{Code::harm_proven, Code::harm_proven_decrease, Code::harm_proven_difference,
                                          Code::harm_proven_decrease_difference};

    /// Sums over instances and label sets.
    struct Values : ArmPresence {
        double bad = 0, total = 0;

        bool possible() const { return bad <= total && is_count(bad) && is_count(total); }
        Proportion counts() const { return {static_cast<std::int64_t>(bad), static_cast<std::int64_t>(total)}; }
    };

    ProportionKind(const Plan& plan, const Metric& metric, double share)
        : ProportionKind(plan, metric, share, noise_of(plan, metric)) {}

    static void check(const std::string& path, const Metric& metric);
    static void check_noise(const std::string& path, const Noise& noise, const Metric& metric, const Plan& plan);
    static void learn(Learning& learning);

    static Values gather(const Interval& interval, const Metric& metric, Arm arm) {
        const ArmCounts& counts = interval.counts(arm);
        Values values;
        values.present = counts.present;
        values.unpaired = counts.unpaired;
        values.total = counts.sums[1];
        values.bad = metric.good.empty() ? counts.sums[0] : counts.sums[1] - counts.sums[0];
        return values;
    }

    bool update(const std::array<Values, 2>& arms) {
        if (!arms[0].possible() || !arms[1].possible()) return false;
        tests_.update(arms[0].counts(), arms[1].counts());
        return true;
    }

    double fewest() const {
        return static_cast<double>(std::min(tests_.stage.baseline().total, tests_.stage.canary().total));
    }
    bool nothing_happened() const { return tests_.stage.baseline().bad + tests_.stage.canary().bad == 0; }
    std::optional<Arm> without_requests() const {
        if (tests_.stage.canary().total == 0) return Arm::canary;
        if (tests_.stage.baseline().total == 0) return Arm::baseline;
        return std::nullopt;
    }
    std::vector<NamedNumber> observed() const {
        const Proportion b = tests_.stage.baseline(), c = tests_.stage.canary();
        return {{"bad_baseline", static_cast<double>(b.bad)},
                {"total_baseline", static_cast<double>(b.total)},
                {"bad_canary", static_cast<double>(c.bad)},
                {"total_canary", static_cast<double>(c.total)}};
    }

    Reason failure_reason(const Metric& metric, const Failure& failure, double after_seconds) const {
        return harm_reason(harm_codes, metric, failure, after_seconds);
    }
    std::vector<Reason> obstacles(double /*intervals*/) const { return known_.obstacles(); }
    Promise promise() const { return known_.promise(); }
    std::vector<Reason> noise_reasons() const { return known_.reasons(); }

    void save(MetricState& state) const { state.counts = tests_.state(); }
    void restore(const MetricState& state, std::size_t /*stage*/) {
        tests_.restore(state.counts);
        require_state(!state.spikes, "spikes of a metric that watches none");
        require_state(!state.instances, "instances of a metric that is no gauge");
    }

  private:
    ProportionKind(const Plan& plan, const Metric& metric, double share, const Noise* noise)
        : JudgedBy(make_tests<sequential::ProportionTest>(plan, metric, alpha_used(plan, share),
                                                          [&](sequential::ProportionOptions& options) {
                                                              options.method = metric.method;
                                                              if (noise)
                                                                  options.dispersion = noise->dispersion.value_or(1);
                                                          })),
          known_(noise) {}

    DispersionKnown known_;
};

}  // namespace detail
}  // namespace v0
}  // namespace serinus
