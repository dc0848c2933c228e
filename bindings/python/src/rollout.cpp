/// \file
/// The main job for Python: Plan, Decision, Monitor, judge, calibrate.

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <pybind11/stl.h>

#include <serinus/core/state.hpp>
#include <serinus/io/calibration.hpp>
#include <serinus/io/decision.hpp>
#include <serinus/io/lint.hpp>
#include <serinus/io/plan.hpp>
#include <serinus/report/calibration.hpp>
#include <serinus/report/document.hpp>
#include <serinus/report/lint.hpp>
#include <serinus/report/record.hpp>
#include <serinus/report/text.hpp>
#include <serinus/rollout/calibrate.hpp>
#include <serinus/rollout/lint.hpp>
#include <serinus/rollout/monitor.hpp>
#include <serinus/rollout/monitor_state.hpp>
#include <serinus/rollout/together.hpp>
#include <serinus/series/duration.hpp>
#include <serinus/series/time.hpp>

#include "arguments.hpp"
#include "bind.hpp"
#include "slo.hpp"

namespace serinus::python {

template <>
inline constexpr bool found_by_name<MetricResult> = true;
template <>
inline constexpr bool found_by_name<BurnResult> = true;
template <>
inline constexpr bool found_by_name<MetricCalibration> = true;

template <>
inline constexpr bool found_by_name<Metric> = true;
template <>
inline constexpr bool found_by_name<SloRule> = true;

/// Defaults are filled in.
template <>
struct Amended<Metric> {
    static void give(const Metric& m, py::dict& fields) {
        fields["detect"] = Value<std::optional<Margin>>::give(effective_detect(m));
        fields["promote_when"] = member(effective_promote_when(m));
    }
    static void take(py::dict&) {}
    static void types(py::dict& types) { types["promote_when"] = "PromoteWhen"; }
};
template <>
struct Amended<SloRule> {
    static void give(const SloRule& r, py::dict& fields) {
        fields["halt_window"] = format_duration(*effective_halt_window(r));
        fields["policy"] = py::cast(effective_policy(r));
    }
    static void take(py::dict&) {}
    static void types(py::dict& types) {
        types["halt_window"] = "str";
        types["policy"] = "serinus.slo.Policy";
    }
};

template <>
struct Amended<Decision> {
    static void give(const Decision& d, py::dict& fields) {
        fields["elapsed_seconds"] = static_cast<double>(d.elapsed.count()) / 1000;
        if (d.dedupe_key.empty()) fields["dedupe_key"] = py::none();
    }
    // (A number is one of seconds wherever a duration is asked for.)
    static void take(py::dict& fields) {
        if (fields["dedupe_key"].is_none()) fields["dedupe_key"] = "";
    }
    static void types(py::dict& types) {
        types["elapsed_seconds"] = "float";
        types["dedupe_key"] = "str | None";
    }
};

/// Nobody to tell is None.
template <>
struct Amended<Together> {
    static void give(const Together& t, py::dict& fields) {
        if (t.dedupe_key.empty()) fields["dedupe_key"] = py::none();
    }
    static void take(py::dict& fields) {
        if (fields["dedupe_key"].is_none()) fields["dedupe_key"] = "";
    }
    static void types(py::dict& types) { types["dedupe_key"] = "str | None"; }
};

template <>
struct Amended<SeriesSeen> {
    static void give(const SeriesSeen& seen, py::dict& fields) {
        fields["spacing_seconds"] = static_cast<double>(seen.spacing.count()) / 1000;
    }
    static void take(py::dict&) {}
    static void types(py::dict& types) { types["spacing_seconds"] = "float"; }
};

/// Nothing to tell is None.
template <>
struct Amended<BurnResult> {
    static void give(const BurnResult& b, py::dict& fields) {
        if (b.dedupe_key.empty()) fields["dedupe_key"] = py::none();
    }
    static void take(py::dict& fields) {
        if (fields["dedupe_key"].is_none()) fields["dedupe_key"] = "";
    }
    static void types(py::dict& types) { types["dedupe_key"] = "str | None"; }
};

/// Part of a noise, and as there a dict.
template <>
struct Value<SpikeNoise> {
    static std::string type() { return "dict[str, Any]"; }
    static py::object give(const SpikeNoise& value) { return fields_of(value); }
    static void take(const std::string& field, py::handle given, SpikeNoise& value) {
        value = from_fields<SpikeNoise>(dict_argument(field, given), field + ".");
    }
};

template <>
struct Value<FlooredNoise> {
    static std::string type() { return "dict[str, Any]"; }
    static py::object give(const FlooredNoise& value) { return fields_of(value); }
    static void take(const std::string& field, py::handle given, FlooredNoise& value) {
        value = from_fields<FlooredNoise>(dict_argument(field, given), field + ".");
    }
};

namespace {

void register_plan(Module& module) {
    Class<Plan>(module, "Plan")
        .init([](const std::string& json) { return io::read_plan(json); }, py::arg("json"))
        .def_readonly("name", &Plan::name)
        .def_readonly("deployment", &Plan::deployment)
        .def_readonly("alpha", &Plan::alpha, "A good canary is ever rolled back with at most this probability.")
        .def_readonly("alpha_promote", &Plan::alpha_promote)
        .def_readonly("beta", &Plan::beta)
        .def_readonly("stages", &Plan::stages)
        .def_property_readonly(
            "interval_ms", [](const Plan& p) { return p.interval.count(); },
            "Data are judged in intervals of this length, milliseconds.")
        .def_property_readonly(
            "warm_up_ms", [](const Plan& p) { return p.warm_up.count(); },
            "The first part of each stage that is not judged, milliseconds.")
        .def_property_readonly(
            "settle_ms", [](const Plan& p) { return p.settle.count(); },
            "An interval is judged this long after its end, milliseconds; what comes later is dropped.")
        .def_readonly("dry_run", &Plan::dry_run,
                      "Nothing is handed out but hold; `Decision.would` says what it would be.")
        .def_property_readonly("on_deadline", [](const Plan& p) { return member(p.on_deadline); })
        .def_property_readonly(
            "analysis", [](const Plan& p) { return member(p.analysis); },
            "How data are judged: at every interval, or once.")
        .def_property_readonly(
            "metrics", [](const Plan& p) { return Value<std::vector<Metric>>::give(p.metrics); },
            "The metrics, found by index and by name.")
        .def_property_readonly(
            "slo", [](const Plan& p) { return Value<std::vector<SloRule>>::give(p.slo); },
            "The objectives, found by index and by name.")
        .def_property_readonly(
            "noise",
            [](const Plan& p) -> py::object {
                const py::dict document = from_python("json", "loads")(io::write_plan(p));
                return document.contains("noise") ? py::object(document["noise"]) : py::dict();
            },
            R"(What history taught, by metric name, as in JSON; "learn" where the rollout itself has to.)")
        .def_property_readonly(
            "arms",
            [](const Plan& p) {
                py::dict out;
                out["label"] = p.arms.label;
                out["baseline"] = p.arms.baseline;
                out["canary"] = p.arms.canary;
                return out;
            },
            "How the arms are told apart in a Prometheus answer.")
        .def_readonly("queries", &Plan::queries, "PromQL by series name.")
        .def_property_readonly(
            "digest", [](const Plan& p) { return digest(p); },
            "SHA-256 of everything in the plan: two plans with one digest are the same plan.")
        .def(
            "to_json", [](const Plan& p) { return io::write_plan(p); }, "The plan as JSON text.")
        .def(
            "__eq__", [](const Plan& a, const Plan& b) { return a == b; }, py::is_operator())
        .def("__hash__", [](const Plan& p) { return py::hash(py::str(digest(p))); });
}

/// A Monitor belongs to one thread at a time; Python's threads take turns here while the interpreter runs on.
class SharedMonitor {
  public:
    explicit SharedMonitor(const Plan& plan) : monitor_(plan) {}

    template <class Call>
    auto with(Call call) {
        const py::gil_scoped_release release;
        const std::scoped_lock lock(mutex_);
        return call(monitor_);
    }

  private:
    std::mutex mutex_;
    Monitor monitor_;
};

constexpr report::TextOptions in_python{.face = report::Face::python};

/// Python keeps what was learned as a plan, which can be pickled, and the report of the metrics.
Calibration calibration_of(const Plan& learned, std::vector<MetricCalibration> metrics) {
    return {.noise = learned.noise, .metrics = std::move(metrics)};
}

void register_calibration(Module& module) {
    using Metrics = std::vector<MetricCalibration>;
    module.def("calibrate", [](const Plan& plan, const Batch& history, const std::vector<Batch>& releases,
                               const py::object& progress) {
        const Calibration found = [&] {
            if (!progress.is_none()) {
                return calibrate(plan, history, releases, [&](double share) { progress(share); });
            }
            const py::gil_scoped_release release;
            return calibrate(plan, history, releases);
        }();
        Plan learned = plan;
        learned.learn_noise = false;
        learned.noise = found.noise;
        return py::make_tuple(io::write_plan(learned), Value<Metrics>::give(found.metrics));
    });
    module.def("plan_with_noise", [](const Plan& plan, const Plan& learned) {
        return io::write_plan(with_noise(plan, calibration_of(learned, {})));
    });
    module.def("calibration_json", [](const Plan& learned, const Metrics& metrics, std::optional<int> indent) {
        return io::write_calibration(calibration_of(learned, metrics), indent.value_or(-1));
    });
    module.def("calibration_text", [](const Plan& plan, const Plan& learned, const Metrics& metrics) {
        return report::text(plan, calibration_of(learned, metrics), in_python);
    });
}

/// What `stage` and `since` say of data that do not say it themselves.
Batch told_stage(Batch batch, std::optional<std::int64_t> now_ms, std::optional<std::int64_t> stage,
                 std::optional<std::int64_t> since_ms) {
    if (since_ms && now_ms && *since_ms > *now_ms)
        raise(Code::argument_range,
              "since is " + format_time(*since_ms) + ", after now; allowed: at most " + format_time(*now_ms));
    batch.begin_stage(stage.value_or(1), since_ms);
    return batch;
}

void register_monitor(Module& module) {
    Class<SharedMonitor>(module, "Monitor")
        .init([](const Plan& plan) { return SharedMonitor(plan); }, py::arg("plan"))
        .def("_observe",
             [](SharedMonitor& shared, const Batch& batch, std::optional<std::int64_t> now_ms) {
                 return shared.with([&](Monitor& m) { return m.observe(batch, now_ms); });
             })
        .def("_enter_stage", [](SharedMonitor& shared, int stage,
                                std::int64_t at_ms) { shared.with([&](Monitor& m) { m.enter_stage(stage, at_ms); }); })
        .def("_restart",
             [](SharedMonitor& shared, py::handle arm, const std::string& instance, std::int64_t at_ms) {
                 const Arm which = word_argument<Arm>("arm", arm);
                 shared.with([&](Monitor& m) { m.restart(which, instance, at_ms); });
             })
        .def(
            "flush", [](SharedMonitor& shared) { return shared.with([](Monitor& m) { return m.flush(); }); },
            "Judges all that has come without waiting for `settle` any longer: for data that are complete.")
        .def_property_readonly(
            "decision", [](SharedMonitor& shared) { return shared.with([](Monitor& m) { return m.decision(); }); },
            "The last decision again; before any data a hold.")
        .def(
            "state",
            [](SharedMonitor& shared) { return to_bytes(shared.with([](Monitor& m) { return encode(m.state()); })); },
            "All that it remembers, as bytes; for a process that may be stopped at any time.")
        .def(
            "restore",
            [](SharedMonitor& shared, const py::bytes& state) {
                const auto known = decode<MonitorState>(from_bytes(state));
                shared.with([&](Monitor& m) { m.restore(known); });
            },
            py::arg("state"),
            R"(Takes over the bytes that `state` gave to a Monitor of the same plan.

Raises `serinus.Error` with code "serinus.state.*" for anything else; the monitor is unchanged then.)");
    module.def("judge", [](const Plan& plan, const Batch& batch, std::optional<std::int64_t> now_ms,
                           std::optional<std::int64_t> stage, std::optional<std::int64_t> since_ms) {
        const py::gil_scoped_release release;
        if (!stage && !since_ms) return judge(plan, batch, now_ms);
        return judge(plan, told_stage(batch, now_ms, stage, since_ms), now_ms);
    });
    module.def("report",
               [](const Plan& plan, const Batch& batch, std::optional<std::int64_t> now_ms,
                  std::optional<std::int64_t> stage, std::optional<std::int64_t> since_ms, const std::string& format) {
                   const py::gil_scoped_release release;
                   const report::Form form = require_word<report::Form>("format", format);
                   const report::Record record =
                       report::recorded(plan, stage || since_ms ? told_stage(batch, now_ms, stage, since_ms) : batch,
                                        now_ms, form == report::Form::html ? 120 : 0);
                   return report::document(record, form, {.text = in_python});
               });
}

}  // namespace

void register_rollout(Module& module) {
    define_structs<Stage, Metric, SloRule, BurnWindow, BudgetShare, BurnHalt, BurnResult, MetricResult, Telemetry,
                   Decision, Together, HeldBack, MetricCalibration, SeriesSeen, Understood>(module);
    module.def("decision_json",
               [](const Decision& d, std::optional<int> indent) { return io::write_decision(d, indent.value_or(-1)); });
    module.def("decision_document", [](const Decision& d, const std::string& format, const std::string& view,
                                       const std::string& environment) {
        return report::document(
            {.plan = {}, .decisions = {d}, .batch = {}}, require_word<report::Form>("format", format),
            {.text = {.face = report::Face::python, .view = require_word<report::View>("view", view)},
             .environment = environment});
    });
    module.def("decide_together", [](const std::vector<Decision>& decisions) { return decide_together(decisions); });
    module.def("check", [](const Plan& plan) { return understand(plan); });
    module.def("check_data", [](const Plan& plan, const Batch& batch) {
        const py::gil_scoped_release release;
        return understand(plan, batch);
    });
    module.def("understood_json", [](const Understood& understood, std::optional<int> indent) {
        return io::write_understood(understood, indent.value_or(-1));
    });
    module.def("understood_text", [](const Understood& understood) { return report::text(understood, in_python); });
    register_plan(module);
    register_calibration(module);
    register_monitor(module);
}

}  // namespace serinus::python
