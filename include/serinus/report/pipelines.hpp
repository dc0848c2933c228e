#pragma once
/// \file
/// A decision for the machines of a pipeline: annotations, test results, metrics, events.

#include <string>
#include <string_view>

#include <serinus/report/record.hpp>
#include <serinus/report/text.hpp>

namespace serinus {
inline namespace v0 {
namespace report {

/// Workflow commands of GitHub Actions, one annotation a line: the verdict with why and what to do next (`::error` of a
/// rollback, `::warning` of a hold, `::notice` of a promotion), then the metrics that are in its way, those that fail
/// first: GitHub shows ten of a kind, so nine at most.
///
///     ::error title=ROLLBACK%3A payments-2026.11.22-1::stage 1 of 3, 1 %25 of traffic, after 12m 40s%0A...
///     ::error title=errors%3A fail::3.15x baseline, 2.21x to 4.43x, allowed 2x, evidence 412, needs 20%0A...
///
/// Names are escaped, so that none of them can be a command, a property or a line. The summary of the run is `markdown`.
/// A record without any decision gives an empty text, here and below. Cost: some microseconds a metric.
std::string github(const Record& record, Face face = Face::program);

/// JUnit XML, as Jenkins, GitLab and GitHub's test reporters read it (xUnit plugin's junit-10.xsd): one suite, with a
/// test case for the decision, one for each metric and one for each objective. `failure`: rolled back, or harm is
/// proven; `skipped`: held, or not decided yet, or muted. `time` is that since the stage began. Names are escaped;
/// control characters, which XML does not have, become "?".
std::string junit(const Record& record, Face face = Face::program);

/// Gauges in OpenMetrics' text form 1.0.0 with `# EOF`, which Prometheus' older text form reads as well: for GitLab's
/// `artifacts:reports:metrics`, a Pushgateway, or a node exporter's text files.
///
///     serinus_decision{plan="payments",deployment="payments-2026.11.22-1",decision="rollback"} 1
///     serinus_evidence_log10{plan="payments",deployment="payments-2026.11.22-1",metric="errors"} 2.61
///
/// What is one of several words is a sample for each word, 1 of the one that is, 0 of the others. What is not known has no
/// sample. All families are in docs/how-to/pipelines.md. `serinus_prevented` is 1 for each cause of a rollback: releases
/// that were stopped are counted by summing it over decisions.
std::string openmetrics(const Record& record);

struct EventOptions {
    std::string_view environment = "production";  ///< what is deployed to, not empty
};

/// Events of CDEvents 0.5.1 as JSON, one a line: a promotion is `dev.cdevents.testsuiterun.finished.0.3.0` with outcome
/// "success"; a rollback `dev.cdevents.incident.detected.0.3.0` and `testsuiterun.finished` with outcome "failure"; a hold
/// `dev.cdeventsx.serinus-rollout.held.0.1.0`. That something was deployed or rolled back is told by who does it.
///
/// The incident's id is the decision's `dedupe_key`, the same at every look. An event's id is made of its content and
/// the decision's time, so that the same decision is the same event. The time is the decision's, 1970 where it has none.
/// `customData` has the numbers. An empty environment raises `serinus.argument.range`.
std::string cdevents(const Record& record, const EventOptions& options = {});

}  // namespace report
}  // namespace v0
}  // namespace serinus
