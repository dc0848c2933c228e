#pragma once
/// \file
/// A plan as JSON: what people write, and what is kept beside a rollout.

#include <string>
#include <string_view>

#include <serinus/core/version.hpp>
#include <serinus/rollout/plan.hpp>
#include <serinus/slo/policy.hpp>

namespace serinus {
inline namespace v0 {
namespace io {

/// The plan that a JSON text holds (data/schema/plan.schema.json).
///
/// Nothing is guessed: a plan decides whether a release goes on, so a key with a typing error must not pass in silence.
/// Durations are texts with a unit ("30s", "10m", "1h30m"). Comments are passed over, from // to the end of the line and
/// between /* and */. Raises
/// - `serinus.plan.json`: not JSON, with line and column; `serinus.plan.duplicate`: a key given twice;
/// - `serinus.plan.unknown_key`: the path ("metrics[1].magin"), the key that was probably meant, the keys there are;
/// - `serinus.plan.missing_key`, `serinus.plan.type`: the path, the value, what is allowed;
/// - `serinus.plan.value`: a word that is none, a duration that cannot be read, and all that `check` refuses;
/// - `serinus.plan.not_built`: what a plan may ask for in a later version, and what is possible instead;
/// - `serinus.data.size`: above 1 GiB, or nested more than 64 deep.
///
///     const Plan plan = io::read_plan(R"({"name": "payments", "interval": "10s",
///         "stages": [{"traffic": 0.1, "min": "10m"}],
///         "metrics": [{"name": "errors", "kind": "proportion", "bad": "http_errors", "total": "http_requests",
///                      "margin": {"ratio": 2}}]})");
Plan read_plan(std::string_view json);

/// The same plan as JSON, indented by two blanks: keys in a fixed order, what is at its default left out, and without
/// the comments that a text had. `read_plan` gives an equal plan back. Raises what `check` raises, and `serinus.plan.value` for a text that is no UTF-8.
std::string write_plan(const Plan& plan);

/// A burn policy alone, as an objective of a plan has it: a list of conditions, or an object with the keys `policy`,
/// `min_events` and `min_probability`. Without conditions (`"policy": "sre_workbook"`) the list stays empty. Raises as
/// `read_plan`, with paths such as "policy[0].factor"; whether it can fire, `slo::check` says, which knows the budget.
///
///     io::read_policy(R"([{"long": "1h", "short": "5m", "factor": 14.4, "severity": "page"}])");
slo::Policy read_policy(std::string_view json);

}  // namespace io
}  // namespace v0
}  // namespace serinus
