/// \file
/// The C interface of the whole job: documents in, a decision out, at once or as data come.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <new>
#include <optional>
#include <serinus.h>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <serinus/core/quote.hpp>
#include <serinus/core/state.hpp>
#include <serinus/core/text.hpp>
#include <serinus/io/burn.hpp>
#include <serinus/io/calibration.hpp>
#include <serinus/io/data.hpp>
#include <serinus/io/decision.hpp>
#include <serinus/io/lint.hpp>
#include <serinus/io/plan.hpp>
#include <serinus/io/read_options.hpp>
#include <serinus/rollout/calibrate.hpp>
#include <serinus/rollout/lint.hpp>
#include <serinus/rollout/monitor.hpp>
#include <serinus/rollout/monitor_state.hpp>
#include <serinus/rollout/service.hpp>
#include <serinus/series/time.hpp>
#include <serinus/slo/burn_report.hpp>

#include "c/call.hpp"

struct serinus_monitor {
    explicit serinus_monitor(const serinus::Plan& plan) : of(plan), reading(serinus::io::read_options(plan)) {}

    serinus::Monitor of;
    serinus::io::ReadOptions reading;
    /// Something failed that no argument was the reason of, perhaps in the middle of an observation.
    bool spoilt = false;
};

namespace {

using namespace serinus::c;
using serinus::Action;
using serinus::Arm;
using serinus::Batch;
using serinus::Code;
using serinus::Decision;
using serinus::Monitor;
using serinus::Plan;
using serinus::raise;

static_assert(number(Action::promote) == SERINUS_PROMOTE && number(Action::hold) == SERINUS_HOLD &&
              number(Action::rollback) == SERINUS_ROLLBACK);
static_assert(number(serinus::Severity::page) == SERINUS_PAGE && number(serinus::Severity::ticket) == SERINUS_TICKET &&
              number(serinus::Severity::info) == SERINUS_INFO);
static_assert(number(serinus::Guarantee::proved) == SERINUS_PROVED &&
              number(serinus::Guarantee::measured) == SERINUS_MEASURED &&
              number(serinus::Guarantee::none) == SERINUS_NO_GUARANTEE);
// The layout that programs were compiled against. A change here breaks them: append fields, never touch these.
static_assert(sizeof(void*) != 8 ||
              (sizeof(serinus_data_options) == 40 && sizeof(serinus_series) == 48 && sizeof(serinus_text) == 16));
static_assert(sizeof(serinus_decision) == 80 && offsetof(serinus_decision, time_ms) == 40);

std::string_view take_text(const serinus_document& document, std::string_view field) {
    if (document.data == nullptr && document.size > 0) {
        raise(Code::argument_null, std::string(field) + ".data is NULL with a size of " +
                                       std::to_string(document.size) +
                                       "; allowed: NULL with 0, or a pointer to so many");
    }
    return {document.data, document.size};
}

Plan take_plan(const serinus_document& document) { return serinus::io::read_plan(take_text(document, "plan")); }

void give_text(std::string_view text, serinus_text* out) {
    char* const copy = new char[text.size() + 1];
    std::memcpy(copy, text.data(), text.size());
    copy[text.size()] = '\0';
    *out = {copy, text.size()};
}

struct DataOptions {
    serinus_data_options given{};
    std::optional<std::int64_t> now_ms;
};

DataOptions take_data_options(const serinus_data_options* options) {
    DataOptions taken;
    taken.given = take_options(options, offsetof(serinus_data_options, columns) + sizeof(char*), "options");
    if (taken.given.now_ms != 0) taken.now_ms = taken.given.now_ms;
    return taken;
}

void refuse_stage(const serinus_data_options& given, std::string_view allowed) {
    if (given.stage == 0 && given.since_ms == 0) return;
    raise(Code::argument_range,
          std::string(given.stage != 0 ? "options->stage is " + std::to_string(given.stage)
                                       : "options->since_ms is " + std::to_string(given.since_ms)) +
              "; allowed: 0" + std::string(allowed));
}

serinus::io::ReadOptions told(serinus::io::ReadOptions reading, const serinus_data_options& given) {
    if (given.arms != nullptr) serinus::io::tell_arms(reading, given.arms);
    if (given.columns != nullptr) serinus::io::tell_columns(reading, given.columns);
    return reading;
}

Batch read(const serinus_document& data, std::string_view field, const Plan& plan, const DataOptions& options) {
    return serinus::io::read_data(take_text(data, field), told(serinus::io::read_options(plan), options.given));
}

/// The objective of a plan by this name; by the empty one the only that there is.
const serinus::SloRule& rule_named(const Plan& plan, std::string_view name) {
    std::vector<std::string> names;
    for (const serinus::SloRule& rule : plan.slo) {
        if (rule.objective.name == name || (name.empty() && plan.slo.size() == 1)) return rule;
        names.push_back(serinus::in_quotes(rule.objective.name));
    }
    raise(Code::argument_word, "objective is " + serinus::in_quotes(name) + "; allowed: " +
                                   (names.empty() ? "a plan with an objective, this one has none"
                                                  : "an objective of the plan, " + serinus::listed(names)));
}

/// log10 of an e-value over the one that it needs, of the metric that comes nearest.
double most_evidence(const Decision& decision) {
    double most = std::numeric_limits<double>::quiet_NaN();
    for (const serinus::MetricResult& metric : decision.metrics) {
        if (metric.muted || !(metric.alpha > 0)) continue;
        const double log_ratio = (metric.evidence.log_e_value + std::log(metric.alpha)) / std::log(10.0);
        if (!(log_ratio <= most)) most = log_ratio;
    }
    return most;
}

bool without_data(const Decision& decision) {
    bool any = false, data = false;
    for (const serinus::MetricResult& metric : decision.metrics) {
        if (metric.muted) continue;
        any = true;
        data = data || metric.verdict != serinus::Verdict::no_data;
    }
    return any && !data;
}

void give_decision(const Decision& decision, serinus_decision* out) {
    if (out == nullptr) return;
    require_struct_size(*out, sizeof(serinus_decision), "decision");
    give_result({.struct_size = 0,
                 .action = number(decision.action),
                 .severity = number(decision.severity),
                 .guarantee = number(decision.guarantee),
                 .reason = decision.reasons.empty() ? 0 : number(decision.reasons.front().code),
                 .stage = decision.stage,
                 .stages = decision.stages,
                 .finished = decision.finished ? 1 : 0,
                 .no_data = decision.action == Action::hold && without_data(decision) ? 1 : 0,
                 .n_failed = static_cast<std::int32_t>(decision.failed.size()),
                 .time_ms = decision.time ? serinus::to_ms(*decision.time) : 0,
                 .elapsed_ms = decision.elapsed.count(),
                 .traffic = decision.traffic,
                 .alpha = decision.alpha,
                 .evidence = most_evidence(decision)},
                out);
}

/// What is wrong with the caller's struct is said before anything is observed.
void require_decision(const serinus_decision* out) {
    if (out != nullptr) require_struct_size(*out, sizeof(serinus_decision), "decision");
}

Arm take_arm(std::int32_t arm, std::string_view field) {
    if (arm == SERINUS_BASELINE) return Arm::baseline;
    if (arm == SERINUS_CANARY) return Arm::canary;
    raise(Code::argument_word,
          std::string(field) + " is " + std::to_string(arm) + "; allowed: 1 (SERINUS_BASELINE), 2 (SERINUS_CANARY)");
}

Batch take_series(const serinus_series* series, std::size_t n) {
    if (series == nullptr && n > 0)
        raise(Code::argument_null, "series is NULL with " + std::to_string(n) + " of them; allowed: NULL with 0");
    // An element is as large as the first says; all are of one program.
    const std::size_t stride = n > 0 ? series[0].struct_size : 0;
    if (n > 0) require_struct_size(series[0], sizeof(serinus_series), "series[0]");
    Batch batch;
    for (std::size_t i = 0; i < n; ++i) {
        const std::string field = "series[" + std::to_string(i) + "]";
        const auto* const at =
            reinterpret_cast<const serinus_series*>(reinterpret_cast<const char*>(series) + i * stride);
        if (at->struct_size != stride)
            raise(Code::argument_struct_size, field + ".struct_size is " + std::to_string(at->struct_size) +
                                                  "; allowed: that of the first, " + std::to_string(stride));
        const serinus_series one = take_options(at, sizeof(serinus_series), field);
        require_pointer(one.name, field + ".name");
        const std::span<const double> values = require_array(one.values, one.size, field + ".values");
        if (one.times_ms == nullptr && one.size > 0)
            raise(Code::argument_null, field + ".times_ms is NULL with " + std::to_string(one.size) +
                                           " values; allowed: NULL with 0 values, or a pointer to that many");
        batch.add(one.name, take_arm(one.arm, field + ".arm"), one.instance != nullptr ? one.instance : "",
                  std::span(one.times_ms, one.size), values);
    }
    return batch;
}

/// Runs a call on a monitor. `changes`: what fails in the middle of it and is not the caller's doing spoils the monitor.
template <class Body>
std::int32_t on(serinus_monitor* monitor, bool changes, char* error, std::size_t capacity, Body&& body) noexcept {
    const std::int32_t status = guarded(error, capacity, [&] {
        if (monitor == nullptr)
            raise(Code::argument_null, "monitor is NULL; allowed: what serinus_monitor_create gave");
        if (monitor->spoilt)
            raise(Code::internal,
                  "an earlier call of this monitor failed half-way; allowed: serinus_monitor_restore, or a new one");
        body(*monitor);
    });
    if (changes && monitor != nullptr && (status == SERINUS_ERROR_MEMORY || status == SERINUS_ERROR_INTERNAL))
        monitor->spoilt = true;
    return status;
}

}  // namespace

extern "C" {

void serinus_text_free(serinus_text* text) {
    if (text == nullptr) return;
    delete[] text->data;
    *text = {nullptr, 0};
}

std::int32_t serinus_judge_json(serinus_document plan, serinus_document data, const serinus_data_options* options,
                                serinus_text* decision, char* error, std::size_t error_capacity) {
    return guarded(error, error_capacity, [&] {
        require_pointer(decision, "decision");
        const DataOptions told = take_data_options(options);
        const Plan asked = take_plan(plan);
        Batch batch = read(data, "data", asked, told);
        if (told.given.stage != 0 || told.given.since_ms != 0) {
            batch.begin_stage(told.given.stage != 0 ? told.given.stage : 1,
                              told.given.since_ms != 0 ? std::optional(told.given.since_ms) : std::nullopt);
        }
        give_text(serinus::io::write_decision(serinus::judge(asked, batch, told.now_ms)), decision);
    });
}

std::int32_t serinus_calibrate_json(serinus_document plan, serinus_document history, const serinus_document* releases,
                                    std::size_t n_releases, const serinus_data_options* options,
                                    serinus_text* calibrated, serinus_text* learned, char* error,
                                    std::size_t error_capacity) {
    return guarded(error, error_capacity, [&] {
        require_pointer(calibrated, "calibrated");
        if (releases == nullptr && n_releases > 0)
            raise(Code::argument_null,
                  "releases is NULL with " + std::to_string(n_releases) + " of them; allowed: NULL with 0");
        const DataOptions told = take_data_options(options);
        refuse_stage(told.given, ": noise is learned of no stage");
        if (told.now_ms)
            raise(Code::argument_range, "options->now_ms is " + std::to_string(*told.now_ms) + "; allowed: 0");
        const Plan asked = take_plan(plan);
        const Batch before = read(history, "history", asked, told);
        std::vector<Batch> former;
        for (std::size_t i = 0; i < n_releases; ++i)
            former.push_back(read(releases[i], "releases[" + std::to_string(i) + "]", asked, told));
        const serinus::Calibration found = serinus::calibrate(asked, before, former);
        const std::string plan_with_noise = serinus::io::write_plan(serinus::with_noise(asked, found));
        const std::string what_was_learned = learned != nullptr ? serinus::io::write_calibration(found) : "";
        serinus_text whole{};
        give_text(plan_with_noise, &whole);
        std::unique_ptr<char[]> held(whole.data);
        if (learned != nullptr) give_text(what_was_learned, learned);
        *calibrated = {held.release(), whole.size};
    });
}

std::int32_t serinus_burn_json(serinus_document plan, const char* objective, serinus_document data,
                               const serinus_data_options* options, serinus_text* report, char* error,
                               std::size_t error_capacity) {
    return guarded(error, error_capacity, [&] {
        require_pointer(report, "report");
        const DataOptions told = take_data_options(options);
        refuse_stage(told.given, ": a burn rate is of no stage");
        const Plan asked = take_plan(plan);
        serinus::SloRule rule = rule_named(asked, objective != nullptr ? objective : "");
        if (rule.policy.conditions.empty())
            rule.policy.conditions = serinus::slo::sre_workbook_policy(rule.objective.period).conditions;
        const serinus::ServiceNames names = serinus::service_names(asked, rule);
        serinus::io::ReadOptions reading = ::told(serinus::io::read_options(asked), told.given);
        reading.names.clear();
        for (const std::string& name : {names.bad, names.good, names.total})
            if (!name.empty()) reading.names.push_back(name);
        const Batch batch = serinus::io::read_service_data(take_text(data, "data"), reading);
        const auto series = serinus::service_series(batch, names);
        serinus::slo::BurnReportOptions when;
        if (told.now_ms) when.now = serinus::from_ms(*told.now_ms);
        give_text(serinus::io::write_burn(serinus::slo::burn_report(rule.objective, rule.policy, series, when)),
                  report);
    });
}

std::int32_t serinus_check_json(serinus_document plan, serinus_document data, const serinus_data_options* options,
                                serinus_text* understood, char* error, std::size_t error_capacity) {
    return guarded(error, error_capacity, [&] {
        require_pointer(understood, "understood");
        const DataOptions told = take_data_options(options);
        const Plan asked = take_plan(plan);
        const serinus::Understood found = take_text(data, "data").empty()
                                              ? serinus::understand(asked)
                                              : serinus::understand(asked, read(data, "data", asked, told));
        give_text(serinus::io::write_understood(found), understood);
    });
}

std::int32_t serinus_monitor_create(serinus_document plan, serinus_monitor** monitor, char* error,
                                    std::size_t error_capacity) {
    return guarded(error, error_capacity, [&] {
        require_pointer(monitor, "monitor");
        *monitor = new serinus_monitor(take_plan(plan));
    });
}

void serinus_monitor_free(serinus_monitor* monitor) { delete monitor; }

std::int32_t serinus_monitor_observe(serinus_monitor* monitor, const serinus_series* series, std::size_t n_series,
                                     std::int64_t now_ms, serinus_decision* decision, char* error,
                                     std::size_t error_capacity) {
    return on(monitor, true, error, error_capacity, [&](serinus_monitor& known) {
        require_decision(decision);
        const Batch batch = take_series(series, n_series);
        give_decision(known.of.observe(batch, now_ms != 0 ? std::optional(now_ms) : std::nullopt), decision);
    });
}

std::int32_t serinus_monitor_observe_document(serinus_monitor* monitor, serinus_document data,
                                              const serinus_data_options* options, serinus_decision* decision,
                                              char* error, std::size_t error_capacity) {
    return on(monitor, true, error, error_capacity, [&](serinus_monitor& known) {
        require_decision(decision);
        const DataOptions given = take_data_options(options);
        refuse_stage(given.given, ", and serinus_monitor_enter_stage");
        const Batch batch = serinus::io::read_data(take_text(data, "data"), told(known.reading, given.given));
        give_decision(known.of.observe(batch, given.now_ms), decision);
    });
}

std::int32_t serinus_monitor_enter_stage(serinus_monitor* monitor, std::int32_t stage, std::int64_t at_ms, char* error,
                                         std::size_t error_capacity) {
    return on(monitor, true, error, error_capacity,
              [&](serinus_monitor& known) { known.of.enter_stage(stage, at_ms); });
}

std::int32_t serinus_monitor_restart(serinus_monitor* monitor, std::int32_t arm, const char* instance,
                                     std::int64_t at_ms, char* error, std::size_t error_capacity) {
    return on(monitor, true, error, error_capacity, [&](serinus_monitor& known) {
        require_pointer(instance, "instance");
        known.of.restart(take_arm(arm, "arm"), instance, at_ms);
    });
}

std::int32_t serinus_monitor_flush(serinus_monitor* monitor, serinus_decision* decision, char* error,
                                   std::size_t error_capacity) {
    return on(monitor, true, error, error_capacity, [&](serinus_monitor& known) {
        require_decision(decision);
        give_decision(known.of.flush(), decision);
    });
}

std::int32_t serinus_monitor_decision(serinus_monitor* monitor, serinus_decision* decision, char* error,
                                      std::size_t error_capacity) {
    return on(monitor, false, error, error_capacity, [&](serinus_monitor& known) {
        require_pointer(decision, "decision");
        give_decision(known.of.decision(), decision);
    });
}

std::int32_t serinus_monitor_decision_json(serinus_monitor* monitor, serinus_text* decision, char* error,
                                           std::size_t error_capacity) {
    return on(monitor, false, error, error_capacity, [&](serinus_monitor& known) {
        require_pointer(decision, "decision");
        give_text(serinus::io::write_decision(known.of.decision()), decision);
    });
}

std::int32_t serinus_monitor_state(serinus_monitor* monitor, serinus_text* state, char* error,
                                   std::size_t error_capacity) {
    return on(monitor, false, error, error_capacity, [&](serinus_monitor& known) {
        require_pointer(state, "state");
        const std::vector<std::byte> bytes = serinus::encode(known.of.state());
        give_text({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, state);
    });
}

std::int32_t serinus_monitor_restore(serinus_monitor* monitor, serinus_document state, char* error,
                                     std::size_t error_capacity) {
    return guarded(error, error_capacity, [&] {
        if (monitor == nullptr)
            raise(Code::argument_null, "monitor is NULL; allowed: what serinus_monitor_create gave");
        const std::string_view bytes = take_text(state, "state");
        const auto known = serinus::decode<serinus::MonitorState>(std::as_bytes(std::span(bytes.data(), bytes.size())));
        if (monitor->spoilt) monitor->of = Monitor(monitor->of.plan());
        monitor->of.restore(known);
        monitor->spoilt = false;
    });
}

}  // extern "C"
