#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/core/error.hpp>
#include <serinus/io/audit.hpp>
#include <serinus/rollout/monitor.hpp>
#include <serinus/rollout/monitor_state.hpp>

#include "support/code_of.hpp"
#include "support/two_stages.hpp"

namespace serinus {
namespace {

using io::AuditLog;
using io::replay;

const std::string key = "sixteen bytes or more";

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        lines.push_back(text.substr(at, end - at));
        at = end + 1;
    }
    return lines;
}

std::string joined_lines(const std::vector<std::string>& lines) {
    std::string text;
    for (const std::string& line : lines) text += line + "\n";
    return text;
}

/// A log as a scheduled job writes it: every time all the data so far.
std::string growing_log(const std::string& with = {}) {
    const Plan plan = two_stages::plan();
    const Batch all = two_stages::batch(0.04);
    std::string text;
    for (const std::int64_t now : {100'000, 200'000, 500'000, 900'000}) {
        AuditLog log(text, with);  // a process of its own
        Batch seen = all.between(std::numeric_limits<std::int64_t>::min(), now);
        seen.stages = all.stages;
        seen.notes = all.notes;
        const Decision decision = judge(plan, seen, now);
        log.judged(plan, seen, now, decision, now + 1'700'000'000'000);
        text += log.take();
    }
    return text;
}

/// A log of a Monitor that is asked, told of stages and restarts, stopped and restored.
std::string monitor_log() {
    const Batch all = two_stages::batch(0.04);
    AuditLog log;
    io::AuditedMonitor monitor(two_stages::plan(), log);
    monitor.observe(all.between(0, 100'000), 100'000);
    monitor.observe(all.between(50'000, 200'000));
    monitor.enter_stage(2, 200'000);
    monitor.restart(Arm::canary, "canary-3", 220'000);
    const MonitorState state = monitor.state();
    io::AuditedMonitor again(two_stages::plan(), log);
    again.restore(state);
    again.observe(all.between(200'000, 500'000));
    again.flush();
    return log.take();
}

std::size_t count_of(std::string_view text, std::string_view part) {
    std::size_t count = 0;
    for (std::size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1)) ++count;
    return count;
}

std::int64_t first_line(const AuditReport& report) { return report.findings.empty() ? 0 : report.findings[0].line; }

TEST(Audit, DecisionsOfJudgeComeOutBitForBit) {
    const std::string log = growing_log();
    const AuditReport report = replay(log);
    EXPECT_TRUE(report.good());
    EXPECT_TRUE(report.findings.empty());
    ASSERT_EQ(report.lines.size(), 5U);  // the plan once, and four decisions
    EXPECT_EQ(report.lines[0].call, AuditCall::plan);
    EXPECT_EQ(report.count(Reproduced::exactly), 4);
    EXPECT_EQ(report.lines[4].decision, "rollback");
    EXPECT_TRUE(report.lines[4].same_build);
    EXPECT_EQ(to_ms(*report.lines[1].asked), 1'700'000'100'000);
    EXPECT_EQ(to_ms(*report.lines[1].time), 100'000);
    // What the line before has is not written again.
    EXPECT_GT(count_of(log, "\"same\":[0,10]"), 0U);
    // Reading what was written is nothing but reading: the same text goes on in the same way.
    EXPECT_EQ(growing_log(), log);
}

TEST(Audit, EveryCallOfAMonitorComesOutBitForBit) {
    const AuditReport report = replay(monitor_log());
    EXPECT_TRUE(report.findings.empty()) << (report.findings.empty() ? "" : report.findings[0].what);
    std::vector<AuditCall> calls;
    for (const AuditedLine& line : report.lines) calls.push_back(line.call);
    using enum AuditCall;
    EXPECT_EQ(calls, (std::vector{plan, observe, observe, enter_stage, restart, plan, restore, observe, flush}));
    EXPECT_EQ(report.count(Reproduced::exactly), 7);
}

TEST(Audit, ALogThatBeginsWithAStateStandsAlone) {
    Monitor before(two_stages::plan());
    const Batch all = two_stages::batch(0.04);
    before.observe(all.between(0, 100'000));
    AuditLog log;
    io::AuditedMonitor monitor(two_stages::plan(), log);
    monitor.restore(before.state());
    before.observe(all.between(100'000, 200'000));
    EXPECT_EQ(monitor.observe(all.between(100'000, 200'000)), before.decision());
    EXPECT_EQ(replay(log.take()).count(Reproduced::exactly), 2);
}

TEST(Audit, WhatABatchCanHoldComesBack) {
    constexpr double nan = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();
    Batch batch;
    const std::string hostile = "\"}\n\x01\xc3\x28 <script>";
    batch.add("n", Arm::baseline, hostile, std::vector<std::int64_t>{-5, 0, 1}, std::vector<double>{-0.0, nan, 0.1});
    batch.add("n", Arm::baseline, hostile, std::vector<std::int64_t>{7, 3}, std::vector<double>{infinity, -infinity});
    batch.series[1].le = 0.25;
    batch.series[1].labels = "{code=\"500\"}";
    batch.series[1].replica = "prometheus-0";
    batch.series[1].series.starts_ms = {1, 0};
    ArmHistogram& histogram = batch.histograms.emplace_back();
    histogram.name = "h";
    histogram.arm = Arm::canary;
    histogram.series.delta = true;
    histogram.series.times_ms = {10};
    histogram.series.samples = {{HistogramLayout::custom, 3, nan, {{-infinity, 1, 3, BucketEnds::both}}}};
    batch.notes.push_back({Code::times_finer, "", {{"count", 2}}, false, {{"unit", hostile}}});
    const Plan plan = two_stages::plan();
    std::string text;
    for (int look = 0; look < 3; ++look) {
        AuditLog log(text);
        log.judged(plan, batch, std::nullopt, judge(plan, batch));
        text += log.take();
        batch.series[0].series.times_ms.push_back(10 + look);
        batch.series[0].series.values.push_back(nan);
        batch.histograms[0].series.times_ms.push_back(20 + look);
        batch.histograms[0].series.samples.push_back(batch.histograms[0].series.samples[0]);
    }
    const AuditReport report = replay(text);
    EXPECT_TRUE(report.findings.empty()) << (report.findings.empty() ? "" : report.findings[0].what);
    EXPECT_EQ(report.count(Reproduced::exactly), 3);
    EXPECT_EQ(count_of(text, "\n"), 4U);  // one line a decision, whatever the names
}

TEST(Audit, AChangedByteIsFoundAndItsLineNamed) {
    for (const std::string& with : {std::string(), key}) {
        const std::string log = growing_log(with);
        std::size_t line = 1;
        for (std::size_t at = 0; at < log.size(); ++at) {
            const bool end = log[at] == '\n';
            // Every byte of an end of line and around it, and every 1,499th between.
            if (at % 1499 == 0 || end || log[at + 1] == '\n') {
                std::string changed = log;
                changed[at] = static_cast<char>(changed[at] ^ 1);
                const AuditReport report = replay(changed, {.key = with});
                ASSERT_FALSE(report.findings.empty()) << at;
                ASSERT_EQ(first_line(report), static_cast<std::int64_t>(line)) << at << report.findings[0].what;
                if (at + 1 < log.size() - 1) {
                    ASSERT_FALSE(report.good()) << at;
                }
            }
            if (end) ++line;
        }
    }
}

TEST(Audit, DeletedInsertedAndMovedLinesAreFoundAndNamed) {
    const std::vector<std::string> lines = lines_of(growing_log());
    const auto found = [&](const std::function<void(std::vector<std::string>&)>& change) {
        std::vector<std::string> changed = lines;
        change(changed);
        const AuditReport report = replay(joined_lines(changed));
        EXPECT_FALSE(report.good());
        if (report.findings.empty()) return AuditFinding{};
        EXPECT_NE(report.findings[0].what.find("line " + std::to_string(report.findings[0].line)), std::string::npos);
        return report.findings[0];
    };
    const auto is = [](const AuditFinding& finding, std::int64_t line, AuditProblem problem) {
        EXPECT_EQ(finding.line, line) << finding.what;
        EXPECT_EQ(finding.problem, problem) << finding.what;
    };
    for (std::int64_t line = 1; line < 5; ++line) {
        is(found([&](auto& of) { of.erase(of.begin() + line - 1); }), line, AuditProblem::missing);
        is(found([&](auto& of) { of.insert(of.begin() + line, of[static_cast<std::size_t>(line) - 1]); }), line + 1,
           AuditProblem::misplaced);
        is(found([&](auto& of) {
               std::swap(of[static_cast<std::size_t>(line) - 1], of[static_cast<std::size_t>(line)]);
           }),
           line, AuditProblem::misplaced);
        is(found([&](auto& of) { of.insert(of.begin() + line, "{\"n\":2}"); }), line + 1, AuditProblem::changed);
        is(found([&](auto& of) { of.insert(of.begin() + line, ""); }), line + 1, AuditProblem::changed);
    }
    // A line of another log, whole in itself.
    const std::string other = lines_of(monitor_log())[2];
    is(found([&](auto& of) { of[2] = other; }), 3, AuditProblem::misplaced);
    // Nothing after it is called reproduced.
    std::vector<std::string> without = lines;
    without.erase(without.begin() + 2);
    EXPECT_EQ(replay(joined_lines(without)).count(Reproduced::not_tried), 2);
}

TEST(Audit, WhatNobodySeesWithoutTheLastHash) {
    const std::string log = growing_log();
    const std::vector<std::string> lines = lines_of(log);
    const std::string last = replay(log).last;
    const std::string cut = joined_lines({lines.begin(), lines.end() - 1});
    EXPECT_TRUE(replay(cut).findings.empty());  // that is what docs/how-to/audit.md says of it
    const AuditReport report = replay(cut, {.key = {}, .last = last});
    ASSERT_FALSE(report.good());
    EXPECT_EQ(report.findings[0].line, 5);
    EXPECT_TRUE(replay(log, {.key = {}, .last = last}).good());
}

TEST(Audit, AKeyFindsWhoMakesTheHashesAnew) {
    const std::string sealed = growing_log(key);
    EXPECT_TRUE(replay(sealed, {.key = key}).findings.empty());
    EXPECT_TRUE(replay(sealed, {.key = key}).sealed);
    // Somebody writes the same log without the key: by hashes alone it is good, with the key it is refused.
    EXPECT_EQ(code_of([] { replay(growing_log(), {.key = key}); }), Code::audit_key);
    EXPECT_EQ(code_of([&] { replay(sealed); }), Code::audit_key);
    EXPECT_EQ(code_of([&] { replay(sealed, {.key = "another sixteen bytes"}); }), Code::audit_key);
    EXPECT_EQ(code_of([&] { AuditLog(sealed, "another sixteen bytes"); }), Code::audit_key);
    EXPECT_EQ(code_of([&] { AuditLog log(sealed); }), Code::audit_key);
    EXPECT_EQ(code_of([] { AuditLog("", "short"); }), Code::argument_range);
    std::vector<std::string> lines = lines_of(sealed);
    lines[3] = lines_of(growing_log())[3];
    const AuditReport report = replay(joined_lines(lines), {.key = key});
    EXPECT_EQ(report.findings[0].line, 4);
    EXPECT_EQ(report.findings[0].problem, AuditProblem::changed);
}

/// The log with one more decision.
std::string gone_on(const std::string& text) {
    static const Plan plan = two_stages::plan();
    static const Decision decision = judge(plan, {});
    AuditLog more(text);
    more.judged(plan, {}, std::nullopt, decision);
    return text + more.take();
}

/// A log that was cut off anywhere tells what is whole, and goes on.
void goes_on(const std::string& log, std::size_t at) {
    const std::string cut = log.substr(0, at);
    const bool complete = at == 0 || log[at - 1] == '\n' || log[at] == '\n';
    if (at > 0) {
        const AuditReport report = replay(cut);
        ASSERT_TRUE(report.good()) << at << report.findings[0].what;
        ASSERT_EQ(report.findings.size(), complete ? 0U : 1U) << at;
        if (!complete) {
            ASSERT_EQ(report.findings[0].problem, AuditProblem::torn);
            ASSERT_EQ(static_cast<std::size_t>(report.findings[0].line), count_of(cut, "\"}\n") + 1) << at;
        }
        ASSERT_EQ(report.count(Reproduced::no) + report.count(Reproduced::not_tried), 0);
    }
    const std::string text = gone_on(cut);
    ASSERT_TRUE(text.starts_with(cut));
    const AuditReport report = replay(text);
    ASSERT_TRUE(report.findings.empty()) << at << report.findings[0].what;
    ASSERT_EQ(report.mended, complete ? 0 : 1) << at;
}

TEST(Audit, CutOffAtAnyByteItIsReadAndGoesOn) {
    const std::string log = gone_on({});
    for (std::size_t at = 0; at <= log.size(); ++at) {
        goes_on(log, at);
        if (HasFatalFailure()) return;
    }
}

TEST(Audit, KilledAgainWhileItWentOn) {
    const std::string log = gone_on({});
    for (const std::size_t at :
         {std::size_t{1}, std::size_t{60}, log.find('\n'), log.find('\n') + 1, log.size() - 40}) {
        const std::string text = gone_on(log.substr(0, at));
        for (std::size_t again = at + 1; again < text.size(); again += again < at + 4 ? 1 : 997) {
            const std::string torn = text.substr(0, again);
            ASSERT_TRUE(replay(torn).good()) << at << " " << again << replay(torn).findings[0].what;
            const AuditReport last = replay(gone_on(torn));
            ASSERT_TRUE(last.findings.empty()) << at << " " << again << last.findings[0].what;
        }
    }
}

TEST(Audit, WhatWasTornCannotBeChangedAfterwards) {
    const std::string log = growing_log();
    const std::string cut = log.substr(0, log.size() - 100);
    AuditLog more(cut);
    more.flushed(Decision{});
    const std::string text = cut + more.take();
    std::string changed = text;
    changed[cut.size() - 1] = static_cast<char>(changed[cut.size() - 1] ^ 1);
    EXPECT_EQ(replay(changed).findings[0].problem, AuditProblem::changed);
    EXPECT_EQ(replay(changed).findings[0].line, 5);
    // Taken away altogether.
    const std::string without = text.substr(0, cut.rfind('\n') + 1) + text.substr(text.find(" \n") + 2);
    EXPECT_EQ(replay(without).findings[0].problem, AuditProblem::missing);
    EXPECT_EQ(replay(without).findings[0].line, 5);
}

TEST(Audit, AnotherDecisionIsFound) {
    const Plan plan = two_stages::plan();
    const Batch all = two_stages::batch(0.04);
    Decision decision = judge(plan, all);
    decision.metrics[0].evidence.log_e_value += 1e-15 * decision.metrics[0].evidence.log_e_value;
    AuditLog log;
    log.judged(plan, all, std::nullopt, decision);
    const AuditReport report = replay(log.take());
    ASSERT_EQ(report.findings.size(), 1U);
    EXPECT_EQ(report.findings[0].problem, AuditProblem::different);
    EXPECT_NE(report.findings[0].what.find("metrics[0].evidence.log_e_value"), std::string::npos);
    EXPECT_FALSE(report.good());
}

TEST(Audit, WhatIsNoLog) {
    EXPECT_EQ(code_of([] { replay(""); }), Code::data_empty);
    EXPECT_EQ(code_of([] { replay("timestamp,series,arm,value\n"); }), Code::data_document);
    EXPECT_EQ(code_of([] { AuditLog("notes of somebody\n"); }), Code::data_document);
    EXPECT_EQ(code_of([] { AuditLog("{\"n\":1}\n"); }), Code::data_document);
    std::string changed = growing_log();
    changed[100] = 'x';
    EXPECT_EQ(code_of([&] { AuditLog log(changed); }), Code::audit_changed);
}

TEST(Audit, TheLogGrowsWithWhatIsNew) {
    const std::vector<std::string> lines = lines_of(growing_log());
    AuditLog alone;
    const Batch all = two_stages::batch(0.04);
    alone.judged(two_stages::plan(), all, std::nullopt, judge(two_stages::plan(), all));
    const std::size_t whole = lines_of(alone.take())[1].size();
    EXPECT_LT(lines.back().size(), whole * 7 / 10);
}

}  // namespace
}  // namespace serinus
