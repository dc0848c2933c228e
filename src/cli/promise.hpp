#pragma once
/// \file
/// What `serinus burn` is asked about: a promise, when it alerts, and which series count its events.

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include <serinus/io/read_options.hpp>
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
    io::ReadOptions reading;                          ///< what tells arms and collectors apart in the data
    std::map<std::string, std::string> queries = {};  ///< the plan's

    /// What Prometheus knows a series by: as `said`, or the selector in the plan's query for it, or its name. Raises
    /// `serinus.argument.word` for a query that is more than the sum of a selector.
    std::string selector(const std::string& series, const std::string& option, const std::string& said,
                         std::optional<double> le = std::nullopt) const;
};

/// From the options, or from the objective of a plan. Raises `serinus.argument.range` for options beside --plan that
/// the plan says itself, and what `slo::check` raises.
Promise promise_of(const BurnOptions& options);

/// Raises `serinus.argument.range`: "NAME is given with BESIDE; allowed: ALLOWED".
[[noreturn]] void refuse_beside(std::string_view name, const std::string& beside, const std::string& allowed);

}  // namespace cli
}  // namespace v0
}  // namespace serinus
