#pragma once
/// \file
/// Deployments and pipelines from logs, and their indicators as JSON.

#include <string>
#include <string_view>

#include <serinus/core/version.hpp>
#include <serinus/delivery/events.hpp>
#include <serinus/delivery/indicators.hpp>

namespace serinus {
inline namespace v0 {
namespace io {

/// The events of a text of JSON values, one after the other, each of any of these kinds:
///
/// - `{"event": "deployment_started", "deployment": "payments-12", "time": "2026-11-22T21:40:00Z"}`, our own
///   (data/schema/delivery.schema.json);
/// - CDEvents, bare or within a CloudEvent: service.deployed, upgraded and rolledback, pipelinerun.finished,
///   incident.detected. Whose they are, `customData["deployment.id"]` says, or else the chain of events;
/// - GitHub's webhooks deployment_status and workflow_run;
/// - decisions of Serinus, alone or in an audit log.
///
/// What is none of these is counted and noted, for logs have other lines too. A torn last line is noted and left out.
/// Raises `serinus.data.document`, naming the line, for what is no JSON, a key of our own events that is missing, given
/// twice or unknown, and values of a wrong type; `serinus.data.timestamp` for times that cannot be read. Cost: linear.
delivery::Log read_delivery(std::string_view text);

/// The indicators as JSON: data/schema/indicators.schema.json.
std::string write_indicators(const delivery::Report& report, int indent = 2);

}  // namespace io
}  // namespace v0
}  // namespace serinus
