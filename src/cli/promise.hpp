#pragma once
/// \file
/// What `serinus burn` is asked about: a promise, when it alerts, and which series count its events.

#include <string>
#include <string_view>

#include <serinus/rollout/plan.hpp>
#include <serinus/rollout/service.hpp>
#include <serinus/slo/objective.hpp>
#include <serinus/slo/policy.hpp>

#include "cli/options.hpp"

namespace serinus {
inline namespace v0 {
namespace cli {

struct Promise {
    slo::Objective objective;
    slo::Policy policy;
    ServiceNames names;
    Arms labels;  ///< what tells arms apart in Prometheus answers
};

/// From the options, or from the objective of a plan. Raises `serinus.argument.range` for options beside --plan that
/// the plan says itself, and what `slo::check` raises.
Promise promise_of(const BurnOptions& options);

/// Raises `serinus.argument.range`: "NAME is given with BESIDE; allowed: ALLOWED".
[[noreturn]] void refuse_beside(std::string_view name, const std::string& beside, const std::string& allowed);

}  // namespace cli
}  // namespace v0
}  // namespace serinus
