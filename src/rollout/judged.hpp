#pragma once
/// \file
/// A metric under judgement: its tests, and how it stands.

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>

#include <serinus/rollout/plan.hpp>
#include <serinus/sequential/proportion_test.hpp>
#include <serinus/sequential/start_mixture.hpp>

namespace serinus {
inline namespace v0 {
namespace detail {

using sequential::Proportion;
using sequential::ProportionOptions;
using sequential::ProportionTest;
using HarmEvidence = sequential::StartMixture<ProportionTest>;

/// What one arm brought in one interval.
struct ArmCounts {
    double bad = 0, total = 0;
    bool present = false;   // an instance with both series
    bool unpaired = false;  // an instance with only one of them
};

/// A metric and all that is known of it.
struct Judged {
    Judged(const Plan& plan, const Metric& of, double share)
        : metric(of),
          alpha(share),
          harm(ProportionTest(options(plan, Side::harm, metric.margin, alpha, false))),
          stage(options(plan, Side::safe, metric.margin, alpha, true)) {
        promote_when = effective_promote_when(metric);
        if (promote_when == PromoteWhen::no_harm_found) {
            ProportionOptions against = options(plan, Side::safe, *effective_detect(metric), alpha, false);
            against.alpha_promote = plan.beta;
            detect.emplace(against);
        }
        fresh_stage = stage;
        fresh_detect = detect;
    }

    ProportionOptions options(const Plan& plan, Side side, const Margin& margin, double share, bool interval) const {
        ProportionOptions options;
        // A muted metric has no share of alpha; it is shown as if it had all of it.
        options.alpha = share > 0 ? share : plan.alpha;
        options.alpha_promote = plan.alpha_promote.value_or(plan.alpha);
        options.harm = metric.harm;
        options.margin = margin;
        options.side = side;
        options.method = metric.method;
        const auto noise = plan.noise.find(metric.name);
        if (noise != plan.noise.end()) options.dispersion = noise->second.dispersion.value_or(1);
        options.interval = interval;
        return options;
    }

    void enter_stage() {
        stage = fresh_stage;
        detect = fresh_detect;
        passed = false;
        intervals = used = unpaired = impossible = 0;
        missing = {};
        last_used_ms.reset();
    }

    void update(const std::array<ArmCounts, 2>& arms, std::int64_t end_ms) {
        ++intervals;
        const ArmCounts &b = arms[0], &c = arms[1];
        if (b.unpaired || c.unpaired) ++unpaired;
        for (std::size_t arm = 0; arm < 2; ++arm) missing[arm] += arms[arm].present ? 0 : 1;
        if (!b.present || !c.present) return;
        const auto possible = [](const ArmCounts& counts) {
            constexpr double most = 9007199254740992.0;  // 2^53
            return counts.bad >= 0 && counts.bad <= counts.total && counts.total <= most &&
                   counts.bad == std::floor(counts.bad) && counts.total == std::floor(counts.total);
        };
        if (!possible(b) || !possible(c)) {
            ++impossible;
            return;
        }
        const auto counts = [](const ArmCounts& arm) {
            return Proportion{static_cast<std::int64_t>(arm.bad), static_cast<std::int64_t>(arm.total)};
        };
        harm.update(counts(b), counts(c));
        stage.update(counts(b), counts(c));
        if (detect) detect->update(counts(b), counts(c));
        ++used;
        last_used_ms = end_ms;
    }

    const ProportionTest& mirror() const { return detect ? *detect : stage; }

    Metric metric;
    double alpha;
    PromoteWhen promote_when = PromoteWhen::no_harm_found;
    HarmEvidence harm;                     // over the whole rollout, beyond the margin
    ProportionTest stage;                  // this stage: safety at the margin, and the interval that is shown
    std::optional<ProportionTest> detect;  // this stage: safety at `detect`
    ProportionTest fresh_stage{};
    std::optional<ProportionTest> fresh_detect;
    bool failed = false;
    bool failed_down = false;  // the canary is lower
    double failed_bound = 0;
    std::int64_t failed_after_ms = 0;  // since its stage's start
    bool passed = false;
    std::int64_t intervals = 0, used = 0, unpaired = 0, impossible = 0;
    std::array<std::int64_t, 2> missing{};
    std::optional<std::int64_t> last_used_ms;
};

}  // namespace detail
}  // namespace v0
}  // namespace serinus
