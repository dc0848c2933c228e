// The whole job through the C interface: what it answers is, byte for byte, what C++ answers; what is wrong with an
// argument is said by its name and leaves everything as it was.
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <serinus.h>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/core/error.hpp>
#include <serinus/io/burn.hpp>
#include <serinus/io/calibration.hpp>
#include <serinus/io/data.hpp>
#include <serinus/io/decision.hpp>
#include <serinus/io/lint.hpp>
#include <serinus/io/plan.hpp>
#include <serinus/rollout/calibrate.hpp>
#include <serinus/rollout/lint.hpp>
#include <serinus/rollout/monitor.hpp>
#include <serinus/rollout/service.hpp>
#include <serinus/slo/burn_report.hpp>

namespace {

constexpr std::int64_t begin_ms = 1'790'000'000'000, interval_ms = 10'000;

const std::string plan_json = R"({
  "name": "shop", "interval": "10s", "stages": [{"traffic": 0.5}, {"traffic": 1.0}],
  "metrics": [{"name": "errors", "kind": "proportion", "bad": "e", "total": "n", "margin": {"ratio": 2}}],
  "slo": [{"name": "up", "target": "99%", "period": "30d", "metric": "errors"}],
  "noise": {"errors": {"dispersion": 1, "intervals": 100}}
})";

struct Samples {
    std::vector<std::int64_t> times;
    std::vector<double> bad, total;
};

/// `every`: one request of so many fails.
Samples samples(int n, int every, int shift) {
    Samples made;
    int seen = shift;
    for (int i = 0; i < n; ++i) {
        made.times.push_back(begin_ms + i * interval_ms);
        made.total.push_back(200);
        const int before = seen / every;
        seen += 200;
        made.bad.push_back(seen / every - before);
    }
    return made;
}

std::string csv(const Samples& baseline, const Samples& canary) {
    std::string text = "timestamp,series,arm,value\n";
    const auto add = [&](const Samples& of, const char* arm) {
        for (std::size_t i = 0; i < of.times.size(); ++i) {
            const std::string at = std::to_string(of.times[i]);
            text += at + ",e," + arm + "," + std::to_string(static_cast<int>(of.bad[i])) + "\n";
            text += at + ",n," + arm + "," + std::to_string(static_cast<int>(of.total[i])) + "\n";
        }
    };
    add(baseline, "baseline");
    add(canary, "canary");
    return text;
}

const Samples good = samples(60, 100, 0), also_good = samples(60, 100, 37), bad = samples(60, 12, 5);

serinus_document document(const std::string& text) { return {text.data(), text.size()}; }

/// A text of the library's, given back at the end.
struct Text {
    serinus_text text{nullptr, 0};
    Text() = default;
    Text(const Text&) = delete;
    Text& operator=(const Text&) = delete;
    ~Text() { serinus_text_free(&text); }
    std::string str() const { return {text.data, text.size}; }
};

struct Error {
    std::array<char, 512> text{};
    std::string str() const { return text.data(); }
    char* data() { return text.data(); }
    std::size_t size() const { return text.size(); }
};

struct Handle {
    serinus_monitor* monitor = nullptr;
    explicit Handle(const std::string& plan = plan_json) {
        Error error;
        EXPECT_EQ(serinus_monitor_create(document(plan), &monitor, error.data(), error.size()), SERINUS_OK)
            << error.str();
    }
    Handle(const Handle&) = delete;
    Handle& operator=(const Handle&) = delete;
    ~Handle() { serinus_monitor_free(monitor); }

    std::string json() const {
        Error error;
        Text text;
        EXPECT_EQ(serinus_monitor_decision_json(monitor, &text.text, error.data(), error.size()), SERINUS_OK);
        return text.str();
    }
    std::string state() const {
        Error error;
        Text text;
        EXPECT_EQ(serinus_monitor_state(monitor, &text.text, error.data(), error.size()), SERINUS_OK) << error.str();
        return text.str();
    }
};

serinus_decision empty_decision() {
    serinus_decision decision{};
    decision.struct_size = sizeof decision;
    return decision;
}

std::array<serinus_series, 4> series_of(const Samples& baseline, const Samples& canary, std::size_t from,
                                        std::size_t to) {
    const auto one = [&](const Samples& of, std::int32_t arm, const char* name, const std::vector<double>& values) {
        serinus_series made{};
        made.struct_size = sizeof made;
        made.arm = arm;
        made.name = name;
        made.times_ms = of.times.data() + from;
        made.values = values.data() + from;
        made.size = to - from;
        return made;
    };
    return {one(baseline, SERINUS_BASELINE, "e", baseline.bad), one(baseline, SERINUS_BASELINE, "n", baseline.total),
            one(canary, SERINUS_CANARY, "e", canary.bad), one(canary, SERINUS_CANARY, "n", canary.total)};
}

TEST(CRollout, JudgesAsCppDoes) {
    const serinus::Plan plan = serinus::io::read_plan(plan_json);
    for (const Samples* canary : {&also_good, &bad}) {
        const std::string data = csv(good, *canary);
        Text decision;
        Error error;
        ASSERT_EQ(serinus_judge_json(document(plan_json), document(data), nullptr, &decision.text, error.data(),
                                     error.size()),
                  SERINUS_OK)
            << error.str();
        EXPECT_EQ(decision.str(), serinus::io::write_decision(serinus::judge(
                                      plan, serinus::io::read_data(data, serinus::io::read_options(plan)))));
        EXPECT_EQ(decision.text.data[decision.text.size], '\0');
    }
}

TEST(CRollout, OptionsArrive) {
    const serinus::Plan plan = serinus::io::read_plan(plan_json);
    std::string data = csv(good, bad);
    data.replace(0, data.find('\n'), "when,series,track,value");
    for (std::size_t at = 0; (at = data.find("canary", at)) != std::string::npos;) data.replace(at, 6, "next");
    serinus_data_options options{};
    options.struct_size = sizeof options;
    options.arms = "label=track,canary=next";
    options.columns = "timestamp=when";
    options.now_ms = begin_ms + 20 * interval_ms;
    options.stage = 2;
    Text decision;
    Error error;
    ASSERT_EQ(
        serinus_judge_json(document(plan_json), document(data), &options, &decision.text, error.data(), error.size()),
        SERINUS_OK)
        << error.str();
    auto reading = serinus::io::read_options(plan);
    serinus::io::tell_arms(reading, options.arms);
    serinus::io::tell_columns(reading, options.columns);
    serinus::Batch batch = serinus::io::read_data(data, reading);
    batch.begin_stage(2);
    const serinus::Decision known = serinus::judge(plan, batch, options.now_ms);
    EXPECT_EQ(decision.str(), serinus::io::write_decision(known));
    EXPECT_EQ(known.stage, 2);
}

TEST(CRollout, CalibratesAndChecksAsCppDoes) {
    const serinus::Plan plan = serinus::io::read_plan(plan_json);
    const std::string history = csv(samples(400, 90, 0), samples(400, 90, 31)), release = csv(good, also_good);
    const auto read = [&](const std::string& text) {
        return serinus::io::read_data(text, serinus::io::read_options(plan));
    };
    const serinus_document releases[] = {document(release)};
    Text calibrated, learned, understood;
    Error error;
    ASSERT_EQ(serinus_calibrate_json(document(plan_json), document(history), releases, 1, nullptr, &calibrated.text,
                                     &learned.text, error.data(), error.size()),
              SERINUS_OK)
        << error.str();
    const std::vector<serinus::Batch> former{read(release)};
    const serinus::Calibration known = serinus::calibrate(plan, read(history), former);
    EXPECT_EQ(calibrated.str(), serinus::io::write_plan(serinus::with_noise(plan, known)));
    EXPECT_EQ(learned.str(), serinus::io::write_calibration(known));

    ASSERT_EQ(
        serinus_check_json(document(plan_json), {nullptr, 0}, nullptr, &understood.text, error.data(), error.size()),
        SERINUS_OK);
    EXPECT_EQ(understood.str(), serinus::io::write_understood(serinus::understand(plan)));
    serinus_text_free(&understood.text);
    ASSERT_EQ(serinus_check_json(document(plan_json), document(release), nullptr, &understood.text, error.data(),
                                 error.size()),
              SERINUS_OK);
    EXPECT_EQ(understood.str(), serinus::io::write_understood(serinus::understand(plan, read(release))));
}

TEST(CRollout, BurnIsThatOfThePlansObjective) {
    std::string text = plan_json;
    const std::size_t at = text.find("\"bad\"");
    text.insert(at, "\"counter\": false, ");
    const std::string data = csv(good, bad);
    Text report;
    Error error;
    ASSERT_EQ(
        serinus_burn_json(document(text), nullptr, document(data), nullptr, &report.text, error.data(), error.size()),
        SERINUS_OK)
        << error.str();
    const serinus::Plan plan = serinus::io::read_plan(text);
    const serinus::ServiceNames names = serinus::service_names(plan, plan.slo[0]);
    EXPECT_EQ(names.kind, serinus::slo::SeriesKind::delta);
    const auto series =
        serinus::service_series(serinus::io::read_service_data(data, serinus::io::read_options(plan)), names);
    const serinus::slo::BurnReport known = serinus::slo::burn_report(
        plan.slo[0].objective, serinus::slo::sre_workbook_policy(plan.slo[0].objective.period), series);
    EXPECT_TRUE(known.has_data());
    EXPECT_EQ(report.str(), serinus::io::write_burn(known));
    const std::string before = report.str();
    EXPECT_EQ(
        serinus_burn_json(document(text), "down", document(data), nullptr, &report.text, error.data(), error.size()),
        SERINUS_ERROR_ARGUMENT_WORD);
    EXPECT_EQ(error.str(), "serinus.argument.word: objective is \"down\"; allowed: an objective of the plan, \"up\"");
    EXPECT_EQ(report.str(), before);
}

TEST(CRollout, AMonitorDecidesAsOneOfCpp) {
    const serinus::Plan plan = serinus::io::read_plan(plan_json);
    serinus::Monitor cpp(plan);
    Handle c;
    Error error;
    serinus_decision last = empty_decision();
    for (std::size_t to = 5; to <= 60; to += 5) {
        const auto series = series_of(good, bad, to - 5, to);
        serinus::Batch batch;
        for (const serinus_series& of : series) {
            batch.add(of.name, of.arm == SERINUS_CANARY ? serinus::Arm::canary : serinus::Arm::baseline, "",
                      {of.times_ms, of.size}, {of.values, of.size});
        }
        const serinus::Decision known = cpp.observe(batch);
        ASSERT_EQ(
            serinus_monitor_observe(c.monitor, series.data(), series.size(), 0, &last, error.data(), error.size()),
            SERINUS_OK)
            << error.str();
        EXPECT_EQ(c.json(), serinus::io::write_decision(known));
        EXPECT_EQ(last.action, static_cast<std::int32_t>(known.action));
        EXPECT_EQ(last.time_ms, serinus::to_ms(*known.time));
        EXPECT_EQ(last.stages, 2);
        EXPECT_EQ(last.reason, static_cast<std::int32_t>(known.reasons.front().code));
        EXPECT_STREQ(serinus_reason_name(last.reason), std::string(serinus::name(known.reasons.front().code)).c_str());
    }
    EXPECT_EQ(last.action, SERINUS_ROLLBACK);
    EXPECT_EQ(last.severity, SERINUS_PAGE);
    EXPECT_GE(last.n_failed, 1);
    EXPECT_GE(last.evidence, 0) << "what is proven has the evidence that it needs";
    EXPECT_EQ(last.struct_size, sizeof last);
}

TEST(CRollout, AProcessMayBeStoppedBetweenAnyTwoCalls) {
    Handle whole;
    Error error;
    std::string state;
    for (std::size_t to = 10; to <= 60; to += 10) {
        const auto series = series_of(good, bad, to - 10, to);
        ASSERT_EQ(serinus_monitor_observe(whole.monitor, series.data(), series.size(), 0, nullptr, error.data(),
                                          error.size()),
                  SERINUS_OK);
        Handle next;
        if (!state.empty()) {
            ASSERT_EQ(serinus_monitor_restore(next.monitor, document(state), error.data(), error.size()), SERINUS_OK)
                << error.str();
        }
        ASSERT_EQ(
            serinus_monitor_observe(next.monitor, series.data(), series.size(), 0, nullptr, error.data(), error.size()),
            SERINUS_OK);
        EXPECT_EQ(next.json(), whole.json());
        state = next.state();
        EXPECT_EQ(state, whole.state());
    }
    std::string damaged = state;
    damaged[damaged.size() / 2] = static_cast<char>(damaged[damaged.size() / 2] ^ 1);
    const std::string before = whole.json();
    EXPECT_EQ(serinus_monitor_restore(whole.monitor, document(damaged), error.data(), error.size()),
              SERINUS_ERROR_STATE_DAMAGED);
    EXPECT_EQ(whole.json(), before);
}

TEST(CRollout, StagesDocumentsAndTheEnd) {
    Handle handle;
    Error error;
    serinus_decision decision = empty_decision();
    ASSERT_EQ(serinus_monitor_decision(handle.monitor, &decision, error.data(), error.size()), SERINUS_OK);
    EXPECT_EQ(decision.action, SERINUS_HOLD);
    EXPECT_EQ(decision.no_data, 1);
    EXPECT_EQ(decision.time_ms, 0);
    const std::string data = csv(good, also_good);
    ASSERT_EQ(serinus_monitor_observe_document(handle.monitor, document(data), nullptr, &decision, error.data(),
                                               error.size()),
              SERINUS_OK)
        << error.str();
    EXPECT_EQ(decision.stage, 1);
    EXPECT_EQ(decision.no_data, 0);
    EXPECT_TRUE(std::isfinite(decision.evidence) && decision.evidence < 0);
    ASSERT_EQ(serinus_monitor_enter_stage(handle.monitor, 2, good.times.back() + 1, error.data(), error.size()),
              SERINUS_OK);
    ASSERT_EQ(serinus_monitor_restart(handle.monitor, SERINUS_CANARY, "web-1", good.times.back() + 1, error.data(),
                                      error.size()),
              SERINUS_OK);
    ASSERT_EQ(serinus_monitor_flush(handle.monitor, &decision, error.data(), error.size()), SERINUS_OK);
    EXPECT_EQ(decision.stage, 2);
    EXPECT_EQ(serinus_monitor_enter_stage(handle.monitor, 3, good.times.back() + 2, error.data(), error.size()),
              SERINUS_ERROR_MONITOR_STAGE);
    EXPECT_NE(error.str().find("3"), std::string::npos);
}

TEST(CRollout, BadArgumentsAreNamedAndChangeNothing) {
    Handle handle;
    Error error;
    const auto fine = series_of(good, bad, 0, 10);
    ASSERT_EQ(serinus_monitor_observe(handle.monitor, fine.data(), fine.size(), 0, nullptr, error.data(), error.size()),
              SERINUS_OK);
    const std::string before = handle.state();
    const auto refused = [&](auto change, std::int32_t status, std::string_view said) {
        auto series = series_of(good, bad, 10, 20);
        change(series[1]);
        EXPECT_EQ(serinus_monitor_observe(handle.monitor, series.data(), series.size(), 0, nullptr, error.data(),
                                          error.size()),
                  status);
        EXPECT_NE(error.str().find(said), std::string::npos) << error.str();
        EXPECT_EQ(handle.state(), before) << said;
    };
    refused([](serinus_series& s) { s.arm = 0; }, SERINUS_ERROR_ARGUMENT_WORD, "series[1].arm is 0");
    refused([](serinus_series& s) { s.arm = 3; }, SERINUS_ERROR_ARGUMENT_WORD, "series[1].arm is 3");
    refused([](serinus_series& s) { s.name = nullptr; }, SERINUS_ERROR_ARGUMENT_NULL, "series[1].name");
    refused([](serinus_series& s) { s.values = nullptr; }, SERINUS_ERROR_ARGUMENT_NULL, "series[1].values");
    refused([](serinus_series& s) { s.times_ms = nullptr; }, SERINUS_ERROR_ARGUMENT_NULL, "series[1].times_ms");
    refused([](serinus_series& s) { s.struct_size = 4; }, SERINUS_ERROR_ARGUMENT_STRUCT_SIZE, "series[1].struct_size");

    EXPECT_EQ(serinus_monitor_observe(handle.monitor, nullptr, 2, 0, nullptr, error.data(), error.size()),
              SERINUS_ERROR_ARGUMENT_NULL);
    EXPECT_EQ(serinus_monitor_observe(nullptr, fine.data(), fine.size(), 0, nullptr, error.data(), error.size()),
              SERINUS_ERROR_ARGUMENT_NULL);
    EXPECT_NE(error.str().find("monitor is NULL"), std::string::npos);
    serinus_decision small = empty_decision();
    small.struct_size = 8;
    EXPECT_EQ(serinus_monitor_observe(handle.monitor, fine.data(), fine.size(), 0, &small, error.data(), error.size()),
              SERINUS_ERROR_ARGUMENT_STRUCT_SIZE);
    EXPECT_EQ(handle.state(), before);
    serinus_data_options options{};
    options.struct_size = sizeof options;
    options.stage = 2;
    const std::string data = csv(good, bad);
    EXPECT_EQ(
        serinus_monitor_observe_document(handle.monitor, document(data), &options, nullptr, error.data(), error.size()),
        SERINUS_ERROR_ARGUMENT_RANGE);
    EXPECT_NE(error.str().find("options->stage is 2"), std::string::npos);
    EXPECT_EQ(
        serinus_monitor_observe_document(handle.monitor, {nullptr, 5}, nullptr, nullptr, error.data(), error.size()),
        SERINUS_ERROR_ARGUMENT_NULL);

    serinus_monitor* none = nullptr;
    const std::string wrong = R"({"nmae": "shop"})";
    EXPECT_EQ(serinus_monitor_create(document(wrong), &none, error.data(), error.size()),
              SERINUS_ERROR_PLAN_UNKNOWN_KEY);
    EXPECT_NE(error.str().find("nmae"), std::string::npos);
    EXPECT_EQ(none, nullptr);
    EXPECT_EQ(serinus_monitor_create(document(plan_json), nullptr, error.data(), error.size()),
              SERINUS_ERROR_ARGUMENT_NULL);
    EXPECT_EQ(serinus_judge_json(document(plan_json), document(data), nullptr, nullptr, error.data(), error.size()),
              SERINUS_ERROR_ARGUMENT_NULL);
    serinus_monitor_free(nullptr);
    serinus_text_free(nullptr);
}

// A series struct of a newer header is longer: its elements lie as far apart as it says.
TEST(CRollout, LongerSeriesStructsAreUnderstood) {
    struct Longer {
        serinus_series known;
        std::int64_t more;
    };
    const auto known = series_of(good, bad, 0, 60);
    std::array<Longer, 4> longer{};
    for (std::size_t i = 0; i < longer.size(); ++i) {
        longer[i].known = known[i];
        longer[i].known.struct_size = sizeof(Longer);
    }
    Handle one, other;
    Error error;
    ASSERT_EQ(serinus_monitor_observe(one.monitor, known.data(), known.size(), 0, nullptr, error.data(), error.size()),
              SERINUS_OK);
    ASSERT_EQ(
        serinus_monitor_observe(other.monitor, &longer[0].known, longer.size(), 0, nullptr, error.data(), error.size()),
        SERINUS_OK)
        << error.str();
    EXPECT_EQ(one.json(), other.json());
    longer[2].more = 1;
    EXPECT_EQ(
        serinus_monitor_observe(other.monitor, &longer[0].known, longer.size(), 0, nullptr, error.data(), error.size()),
        SERINUS_ERROR_ARGUMENT_STRUCT_SIZE);
}

TEST(CRollout, ThreadsWithHandlesOfTheirOwnDoNotDisturbEachOther) {
    Handle alone;
    Error error;
    const auto series = series_of(good, bad, 0, 60);
    ASSERT_EQ(
        serinus_monitor_observe(alone.monitor, series.data(), series.size(), 0, nullptr, error.data(), error.size()),
        SERINUS_OK);
    const std::string expected = alone.json();
    std::array<std::string, 4> found;
    std::vector<std::thread> threads;
    for (std::string& into : found) {
        threads.emplace_back([&into, &series] {
            Handle own;
            Error said;
            serinus_monitor_observe(own.monitor, series.data(), series.size(), 0, nullptr, said.data(), said.size());
            into = own.json();
        });
    }
    for (std::thread& thread : threads) thread.join();
    for (const std::string& one : found) EXPECT_EQ(one, expected);
}

}  // namespace
