#pragma once
/// \file
/// What happened to deployments and pipelines, as it is read from logs (io/delivery.hpp) or put together by hand.

#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <serinus/core/reason.hpp>
#include <serinus/core/words.hpp>

namespace serinus {
inline namespace v0 {
namespace delivery {

enum class EventKind : std::uint8_t {
    deployment_started = 1,
    deployment_waiting = 2,  ///< for a person
    deployment_resumed = 3,
    canary_started = 4,
    canary_verified = 5,
    deployment_succeeded = 6,
    deployment_failed = 7,
    rollback_started = 8,  ///< somebody, or something, decided to roll back
    rollback_finished = 9,
    pipeline_finished = 10,
    measured = 11  ///< of a deployment, at any time
};

/// What a deployment was measured by; NaN: not told.
struct Measures {
    double bad_baseline = std::numeric_limits<double>::quiet_NaN();  ///< requests that failed before, or beside, it
    double total_baseline = std::numeric_limits<double>::quiet_NaN();
    double bad_canary = std::numeric_limits<double>::quiet_NaN();  ///< after, or of it
    double total_canary = std::numeric_limits<double>::quiet_NaN();
    double metrics = std::numeric_limits<double>::quiet_NaN();  ///< that should have been watched
    double metrics_with_data = std::numeric_limits<double>::quiet_NaN();
    double cost_baseline = std::numeric_limits<double>::quiet_NaN();  ///< in one unit: for the same work, or a span
    double cost_canary = std::numeric_limits<double>::quiet_NaN();
    double budget = std::numeric_limits<double>::quiet_NaN();  ///< the share of the period's error budget that it used
};

struct Event {
    EventKind kind = EventKind::measured;
    std::int64_t time_ms = 0;
    std::string deployment = {};  ///< its id; of a pipeline: not needed
    bool passed = false;          ///< of canary_verified: promoted; of pipeline_finished: succeeded
    std::string pipeline = {};    ///< of pipeline_finished: its name
    std::string commit = {};      ///< of pipeline_finished: what ran; a failure that then passes unchanged is flaky
    Measures measures = {};
    std::int64_t line = 0;  ///< of the log that it is from
};

/// Events in any order, and what was left aside while they were read.
struct Log {
    std::vector<Event> events;
    std::vector<Reason> notes = {};
};

}  // namespace delivery

/// As they stand in a log.
template <>
struct Words<delivery::EventKind> {
    static constexpr std::array<std::pair<delivery::EventKind, std::string_view>, 11> table{
        {{delivery::EventKind::deployment_started, "deployment_started"},
         {delivery::EventKind::deployment_waiting, "deployment_waiting"},
         {delivery::EventKind::deployment_resumed, "deployment_resumed"},
         {delivery::EventKind::canary_started, "canary_started"},
         {delivery::EventKind::canary_verified, "canary_verified"},
         {delivery::EventKind::deployment_succeeded, "deployment_succeeded"},
         {delivery::EventKind::deployment_failed, "deployment_failed"},
         {delivery::EventKind::rollback_started, "rollback_started"},
         {delivery::EventKind::rollback_finished, "rollback_finished"},
         {delivery::EventKind::pipeline_finished, "pipeline_finished"},
         {delivery::EventKind::measured, "measured"}}};
};

}  // namespace v0
}  // namespace serinus
