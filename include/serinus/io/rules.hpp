#pragma once
/// \file
/// A burn policy as Prometheus rules: the alert in production and the gate in the rollout are one definition.

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include <serinus/core/version.hpp>
#include <serinus/slo/objective.hpp>
#include <serinus/slo/policy.hpp>

namespace serinus {
inline namespace v0 {
namespace io {

struct RulesOptions {
    std::string bad;    ///< selector of the counters of bad events, `http_requests_total{code=~"5.."}`
    std::string total;  ///< selector of the counters of all events, `http_requests_total`
    std::optional<std::chrono::milliseconds> interval =
        std::nullopt;                                ///< how often the rules are evaluated; empty: the server's
    std::optional<Severity> no_data = std::nullopt;  ///< alerts with this severity when a ratio is absent or 0/0
    std::string good = {};  ///< in place of `bad`: selector of those of good events; the rest of all is bad
};

/// The policy as a group of Prometheus rules, YAML text for `rule_files`.
///
/// One recording rule a window, `serinus:error_ratio:increase1h` = sum of the bad counters' increases/sum of the total
/// counters', labelled with the objective; one alerting rule a condition, `ErrorBudgetBurn`, which compares both of its
/// windows with factor x budget, strictly, as `Alerts` does; with its `for`, `keep_firing_for`, `min_events`, and the
/// labels `severity`, `slo` and `condition`. Recordings stand before the alerts in one group, so that an alert sees the
/// ratios of its own evaluation. A ratio that is absent or NaN alerts nobody; with `no_data` it does
/// (`ErrorBudgetNoData`). Evaluated by Prometheus 2 the alerts fire when `Alerts` does on `Semantics::prometheus2`.
///
/// Raises what `check` raises for the policy; `serinus.argument.word` for a selector that is empty or has a line break,
/// for `bad` and `good` together, and for a policy with `min_probability`, which PromQL cannot compute.
///
///     write_rules(objective, slo::sre_workbook_policy(), {.bad = "errors_total", .total = "requests_total"});
std::string write_rules(const slo::Objective& objective, const slo::Policy& policy, const RulesOptions& options);

/// The selector that a query sums: of `sum by (track) (http_requests_total{job="shop"})` what stands inside, of a selector
/// itself. Empty for anything else, whose increase over another window is not known. `le`: the bucket of a histogram that
/// is asked for, added to the selector. Cost: linear.
std::optional<std::string> selector_of(std::string_view query, std::optional<double> le = std::nullopt);

}  // namespace io
}  // namespace v0
}  // namespace serinus
