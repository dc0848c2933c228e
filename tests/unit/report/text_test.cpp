#include <chrono>
#include <clocale>
#include <cmath>
#include <fstream>
#include <limits>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/report/text.hpp>

#include "support/data_dir.hpp"

namespace {

using namespace serinus;

constexpr double infinity = std::numeric_limits<double>::infinity();
std::chrono::sys_time<std::chrono::milliseconds> moment(std::int64_t ms) {
    return std::chrono::sys_time<std::chrono::milliseconds>(std::chrono::milliseconds(ms));
}

constexpr double nan_value = std::numeric_limits<double>::quiet_NaN();

/// tests/golden/report holds what a person has looked at and found good. A text that differs is shown whole, so that it
/// can be looked at again.
std::string golden(const std::string& name) {
    std::ifstream file(data_dir() + "/../tests/golden/report/" + name + ".txt", std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

std::vector<std::string> lines(const std::string& text) {
    std::vector<std::string> all;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) all.push_back(line);
    return all;
}

/// What every text must be, whatever it says.
void expect_sound(const Decision& decision, const std::string& text, std::size_t width = 100) {
    ASSERT_FALSE(text.empty());
    EXPECT_EQ(text.back(), '\n') << text;
    EXPECT_EQ(text.find("nan"), std::string::npos) << text;
    EXPECT_EQ(text.find("inf "), std::string::npos) << text;
    EXPECT_EQ(text.find("e+"), std::string::npos) << text;
    for (const std::string& line : lines(text)) {
        EXPECT_LE(line.size(), width) << text;
        EXPECT_TRUE(line.empty() || line.back() != ' ') << "a trailing blank in: " << line;
        for (const char c : line) EXPECT_TRUE(c >= 0x20 && c < 0x7F) << text;
    }
    std::string unwrapped;
    for (const char c : text) {
        if (c != '\n' && c != ' ') unwrapped += c;
    }
    for (const MetricResult& metric : decision.metrics) {
        EXPECT_NE(unwrapped.find(metric.name), std::string::npos) << metric.name << " is not in:\n" << text;
    }
    for (const std::string_view label : {"\n  data     ", "\n  promise  ", "\n  next     "}) {
        EXPECT_NE(text.find(label), std::string::npos) << text;
    }
}

Evidence evidence(double log_e_value, double estimate, double lower, double upper) {
    Evidence e;
    e.log_e_value = log_e_value;
    e.p_value = std::exp(-std::max(0.0, log_e_value));
    e.estimate = estimate;
    e.lower = lower;
    e.upper = upper;
    e.confidence = 0.9;
    e.method = "conditional";
    return e;
}

MetricResult errors() {
    MetricResult metric;
    metric.name = "errors";
    metric.verdict = Verdict::fail;
    metric.margin = {.ratio = 2.0, .difference = std::nullopt};
    metric.promote_when = PromoteWhen::harm_ruled_out;
    metric.critical = true;
    metric.alpha = 0.05 / 3;
    metric.alpha_mirror = 0.05;
    metric.evidence = evidence(std::log(412.3), 3.1534, 2.2114, 4.4252);
    metric.mirror = metric.evidence;
    metric.mirror.log_e_value = -40;
    metric.observed = {
        {"bad_baseline", 11856}, {"total_baseline", 912004}, {"bad_canary", 374}, {"total_canary", 9120}};
    metric.reasons = {{Code::harm_proven, "errors", {{"bound", 2.2114}, {"margin", 2}, {"after", 590}}, false},
                      {Code::dispersion_given, "errors", {{"dispersion", 1.3}}, false}};
    metric.guarantee = Guarantee::measured;
    metric.guarantee_why = Code::dispersion_given;
    return metric;
}

// .31 % of the canary's requests, of which .2 % are allowed.
MetricResult rare_errors() {
    MetricResult metric = errors();
    metric.name = "rare_errors";
    metric.margin = {.ratio = 1.5, .difference = {}, .floor = 0.001};
    metric.evidence = evidence(std::log(412.3), 2.1, 1.2, 4.4);
    metric.observed = {{"bad_baseline", 90}, {"total_baseline", 90000}, {"bad_canary", 31}, {"total_canary", 10000}};
    return metric;
}

MetricResult timeouts() {
    MetricResult metric;
    metric.name = "timeouts";
    metric.verdict = Verdict::inconclusive;
    metric.margin = {.ratio = std::nullopt, .difference = 0.002};
    metric.detect = {.ratio = std::nullopt, .difference = 0.004};
    metric.alpha = 0.05 / 3;
    metric.alpha_mirror = 0.2;
    metric.evidence = evidence(std::log(1.94), 0.00041, -0.0012, 0.0027);
    metric.mirror = metric.evidence;
    metric.mirror.log_e_value = std::log(3.1);
    metric.observed = {{"bad_baseline", 1824}, {"total_baseline", 912004}, {"bad_canary", 22}, {"total_canary", 9120}};
    metric.reasons = {{Code::undecided, "timeouts", {{"evidence", 1.94}, {"needed", 60}}, false},
                      {Code::dispersion_given, "timeouts", {{"dispersion", 1}}, false}};
    metric.guarantee = Guarantee::measured;
    metric.guarantee_why = Code::dispersion_given;
    return metric;
}

MetricResult checkouts() {
    MetricResult metric;
    metric.name = "checkouts";
    metric.verdict = Verdict::pass;
    metric.harm = Harm::decrease;
    metric.margin = {.ratio = 1.1, .difference = std::nullopt};
    metric.promote_when = PromoteWhen::harm_ruled_out;
    metric.alpha = 0.05 / 3;
    metric.alpha_mirror = 0.05;
    metric.evidence = evidence(-3, 1.004, 0.9631, 1.0522);
    metric.mirror = metric.evidence;
    metric.mirror.log_e_value = 7;
    metric.observed = {
        {"bad_baseline", 911004}, {"total_baseline", 912004}, {"bad_canary", 9111}, {"total_canary", 9120}};
    metric.reasons = {{Code::harm_ruled_out, "checkouts", {{"confidence", 0.95}}, false},
                      {Code::dispersion_unknown, "checkouts", {}, false}};
    return metric;
}

MetricResult silent(const std::string& name) {
    MetricResult metric;
    metric.name = name;
    metric.verdict = Verdict::no_data;
    metric.margin = {.ratio = 2.0, .difference = std::nullopt};
    metric.detect = {.ratio = 4.0, .difference = std::nullopt};
    metric.alpha = 0.05;
    metric.alpha_mirror = 0.2;
    metric.evidence.confidence = 0.9;
    metric.observed = {{"bad_baseline", 0}, {"total_baseline", 0}, {"bad_canary", 0}, {"total_canary", 0}};
    metric.reasons = {{Code::no_data_yet, name, {}, false}, {Code::dispersion_unknown, name, {}, false}};
    return metric;
}

Decision rollback() {
    Decision decision;
    decision.action = Action::rollback;
    decision.severity = Severity::page;
    decision.stage = 1;
    decision.stages = 3;
    decision.traffic = 0.01;
    decision.time = moment(1795383249000);
    decision.elapsed = std::chrono::milliseconds(760000);
    decision.metrics = {errors(), timeouts(), checkouts()};
    decision.reasons = {decision.metrics[0].reasons[0]};
    decision.telemetry.intervals = 76;
    decision.telemetry.used = 76;
    decision.telemetry.newest = {moment(1795383249000), moment(1795383249000)};
    decision.plan = "payments";
    decision.deployment = "payments-2026.11.22-1";
    decision.alpha = 0.05;
    decision.guarantee = Guarantee::measured;
    return decision;
}

Decision hold() {
    Decision decision = rollback();
    decision.action = Action::hold;
    decision.severity = Severity::ticket;
    decision.stage = 2;
    decision.traffic = 0.1;
    decision.elapsed = std::chrono::milliseconds(3700000);
    decision.guarantee = Guarantee::none;
    decision.metrics = {timeouts(), checkouts(), silent("refunds"), silent("a-metric-with-a-name-longer-than-columns")};
    decision.metrics[2].muted = true;
    decision.metrics[2].alpha = 0;
    decision.reasons = {
        {Code::low_coverage, "timeouts", {{"coverage", 0.71}, {"intervals", 76}, {"needed", 0.8}}, false},
        decision.metrics[3].reasons[0],
        {Code::waiting, "", {}, false}};
    decision.telemetry.used = 54;
    decision.telemetry.missing = {2, 20};
    decision.telemetry.newest[1] = *decision.time - std::chrono::seconds(90);
    decision.telemetry.late = 12;
    decision.telemetry.conflicts = 1;
    decision.telemetry.ignored = 1240;
    return decision;
}

Decision promote() {
    Decision decision = rollback();
    decision.action = Action::promote;
    decision.severity = Severity::info;
    decision.guarantee = Guarantee::none;
    decision.metrics = {checkouts()};
    decision.reasons = {{Code::stage_passed, "", {}, false}};
    return decision;
}

Decision nothing() {
    Decision decision;
    decision.stages = 1;
    decision.traffic = 0.05;
    decision.plan = "payments";
    decision.alpha = 0.05;
    decision.guarantee = Guarantee::none;
    decision.metrics = {silent("errors")};
    decision.reasons = {decision.metrics[0].reasons[0], {Code::waiting, "", {}, false}};
    return decision;
}

void expect_golden(const Decision& decision, const std::string& name) {
    const std::string text = report::text(decision);
    expect_sound(decision, text);
    EXPECT_EQ(text, golden(name)) << "\nthe text is now:\n" << text;
}

TEST(Text, Rollback) { expect_golden(rollback(), "rollback"); }
TEST(Text, Hold) { expect_golden(hold(), "hold"); }
TEST(Text, Promote) { expect_golden(promote(), "promote"); }
TEST(Text, NoData) { expect_golden(nothing(), "no_data"); }

/// A rollback because of what the release ate of the budget.
Decision budget() {
    Decision decision = rollback();
    decision.metrics[0].verdict = Verdict::inconclusive;
    decision.metrics[0].reasons.clear();
    BurnResult burn;
    burn.objective = "availability";
    burn.metric = "errors";
    burn.verdict = Verdict::fail;
    burn.budget = 0.001;
    burn.period = std::chrono::days(30);
    burn.canary_burn = 41.2;
    burn.service_burn = 3.4;
    burn.share.estimate = 0.262;
    burn.share.lower = 0.2104;
    burn.share.upper = 0.3161;
    burn.share.allowed = 0.2;
    burn.halt.factor = 360;
    burn.alert = Severity::page;
    burn.reasons = {
        {Code::budget_exceeded, "availability", {{"after", 750}, {"lower", 0.2003}, {"allowed", 0.2}}, false},
        {Code::burn_canary, "availability", {{"burn", 41.2}, {"long", 3600}, {"short", 300}, {"factor", 14.4}}, false}};
    decision.burn = {burn};
    decision.reasons = {burn.reasons[0], burn.reasons[1]};
    return decision;
}
TEST(Text, Budget) { expect_golden(budget(), "budget"); }

TEST(Text, SaysFirstWhatToDo) {
    EXPECT_TRUE(report::text(rollback()).starts_with("ROLLBACK  payments-2026.11.22-1   stage 1 of 3, 1 % of traffic"));
    EXPECT_TRUE(report::text(hold()).starts_with("HOLD  payments-2026.11.22-1   stage 2 of 3, 10 % of traffic"));
    EXPECT_TRUE(report::text(promote()).starts_with("PROMOTE  payments-2026.11.22-1   stage 1 of 3"));
    EXPECT_TRUE(report::text(nothing()).starts_with("HOLD  payments   stage 1 of 1, 5 % of traffic, no data yet\n"));
}

TEST(Text, ARecordKnowsTheNextStage) {
    report::Record record;
    EXPECT_EQ(report::text(record), "");
    record.plan.stages.resize(3);
    record.plan.stages[1].traffic = 0.1;
    record.decisions = {hold(), promote()};
    EXPECT_NE(report::text(record).find("next     move traffic to stage 2 (10 %)\n"), std::string::npos);
    EXPECT_NE(report::text(promote()).find("next     move traffic to stage 2 of 3\n"), std::string::npos);
    record.decisions.back().stage = 3;
    record.decisions.back().finished = true;
    EXPECT_NE(report::text(record).find("next     nothing: the last stage is passed"), std::string::npos);
}

TEST(Text, ARecordNamesTheSeriesThatDoNotFit) {
    report::Record record;
    record.decisions = {nothing()};
    record.decisions[0].telemetry.ignored = 2;
    record.plan.metrics.resize(2);
    record.plan.metrics[0].bad = "http_errors";
    record.plan.metrics[1].bad = "http_timeouts";
    record.plan.metrics[0].total = record.plan.metrics[1].total = "http_requests";
    record.batch.series.resize(12);
    for (std::size_t i = 0; i < 12; ++i) record.batch.series[i].name = "requests_" + std::to_string(i);
    const std::string text = report::text(record, {.width = 200});
    EXPECT_NE(text.find("the plan names http_errors, http_requests, http_timeouts; the data hold requests_0, "),
              std::string::npos)
        << text;
    EXPECT_NE(text.find("requests_7, ...\n"), std::string::npos) << text;
}

TEST(Text, EvidenceIsNeverOverstated) {
    const auto row = [](double e_value) {
        Decision decision = rollback();
        decision.metrics = {timeouts()};
        decision.metrics[0].alpha = 0.05;
        decision.metrics[0].evidence.log_e_value = std::log(e_value);
        return report::text(decision);
    };
    EXPECT_NE(row(19.96).find("evidence 19.9, needs 20"), std::string::npos);
    EXPECT_NE(row(std::nextafter(20.0, 0.0)).find("evidence 20, needs 20"), std::string::npos);
    EXPECT_NE(row(0.00999).find("evidence under 0.01, needs 20"), std::string::npos);
    EXPECT_NE(row(0.0625).find("evidence 0.0625, needs 20"), std::string::npos);
    EXPECT_NE(row(12399).find("evidence 12,300, needs 20"), std::string::npos);
    EXPECT_NE(row(3.29e6).find("evidence 3,290,000, needs 20"), std::string::npos);
    EXPECT_NE(row(4.5e11).find("evidence 450,000,000,000, needs 20"), std::string::npos);
    EXPECT_NE(row(5e57).find("evidence 10^57, needs 20"), std::string::npos);
    EXPECT_NE(row(infinity).find("evidence infinite, needs 20"), std::string::npos);
    EXPECT_NE(row(0).find("evidence under 0.01, needs 20"), std::string::npos);
    EXPECT_NE(row(nan_value).find("evidence ?, needs 20"), std::string::npos);
}

TEST(Text, AVerdictThatStaysExplainsItself) {
    Decision decision = rollback();
    decision.metrics[0].evidence.log_e_value = std::log(3.0);  // it was 412 once, and has sunk since
    EXPECT_NE(report::text(decision).find("evidence reached 412, needs 60"), std::string::npos)
        << report::text(decision);
    // Beside another failure a metric may fail with less (e-Holm).
    decision.metrics[0].evidence.p_value = 1 / 31.0;
    EXPECT_NE(report::text(decision).find("evidence reached 31, enough beside the other failures"), std::string::npos);
}

TEST(Text, RangesAreRoundedOutward) {
    Decision decision = rollback();
    Evidence& shown = decision.metrics[0].evidence;
    const auto expect = [&](double lower, double upper, std::string_view text) {
        shown.lower = lower;
        shown.upper = upper;
        EXPECT_NE(report::text(decision).find("x baseline  " + std::string(text) + "  "), std::string::npos)
            << text << '\n'
            << report::text(decision);
    };
    decision.metrics.resize(1);
    expect(2.2199, 4.4201, "2.21x to 4.43x");
    expect(2, 4, "2x to 4x");
    expect(0, 1.9999, "up to 2x");
    expect(1e-9, 1.9999, "up to 2x");
    expect(2.2199, infinity, "2.21x or more");
    expect(0, infinity, "no bounds yet");
    expect(0.0009999, 1234.5, "0.000999x to 1,240x");
}

TEST(Text, DifferencesAreInPoints) {
    Decision decision = hold();
    decision.metrics = {timeouts()};
    decision.metrics[0].evidence.estimate = 0.01;
    EXPECT_NE(report::text(decision).find("+1 point  -0.12 to +0.27  allowed +0.2 points"), std::string::npos)
        << report::text(decision);
    decision.metrics[0].harm = Harm::decrease;
    decision.metrics[0].evidence.lower = -infinity;
    EXPECT_NE(report::text(decision).find("up to +0.27  allowed down to -0.2 points"), std::string::npos);
    decision.metrics[0].harm = Harm::either;
    decision.metrics[0].evidence.lower = -1;
    decision.metrics[0].evidence.upper = 1;
    EXPECT_NE(report::text(decision).find("no bounds yet  allowed -0.2 points to +0.2 points"), std::string::npos);
    decision.metrics[0].evidence.confidence = 0;
    EXPECT_EQ(report::text(decision).find("no bounds yet"), std::string::npos);
    EXPECT_EQ(report::text(decision).find("ranges"), std::string::npos);
}

/// All of a text's words, one space apart.
std::string words_of(const std::string& text) {
    std::string words;
    for (const char c : text) {
        const bool gap = c == '\n' || c == ' ';
        if (!gap || (!words.empty() && words.back() != ' ')) words += gap ? ' ' : c;
    }
    return words;
}

TEST(Text, AFloorIsToldAtTheBaselinesShare) {
    Decision decision = rollback();
    const auto shown = [&](const MetricResult& metric) {
        decision.metrics = {metric};
        return words_of(report::text(decision));
    };
    MetricResult metric = rare_errors();
    EXPECT_NE(shown(metric).find("excess 2.1x allowed 1.2x to 4.4x allowed 0.2 % (baseline 0.1 % + 0.1 points)"),
              std::string::npos)
        << shown(metric);
    EXPECT_NE(shown(metric).find("canary: 31 of 10,000 requests failed (0.31 %)"), std::string::npos);
    metric.observed[0].value = 9000;  // 10 %: the ratio binds
    EXPECT_NE(shown(metric).find("allowed 15 % (1.5 x baseline 10 %)"), std::string::npos) << shown(metric);
    metric.observed.clear();
    EXPECT_NE(shown(metric).find("allowed 1.5x and +0.1 points"), std::string::npos) << shown(metric);
    metric.harm = Harm::decrease;
    EXPECT_NE(shown(metric).find("allowed down to 0.667x and -0.1 points"), std::string::npos) << shown(metric);
    metric.harm = Harm::increase;
    metric.kind = Kind::rate;
    metric.margin.floor = 0.2;
    metric.observed = {
        {"events_baseline", 9}, {"exposure_baseline", 90}, {"events_canary", 5}, {"exposure_canary", 10}};
    EXPECT_NE(shown(metric).find("allowed 0.3 (baseline 0.1 + 0.2)"), std::string::npos) << shown(metric);
    metric = rare_errors();
    metric.verdict = Verdict::pass;
    metric.promote_when = PromoteWhen::no_harm_found;
    metric.detect = {.ratio = 3, .difference = {}, .floor = 0.003};
    EXPECT_NE(shown(metric).find("harm of 3x and +0.3 points ruled out"), std::string::npos) << shown(metric);
}

TEST(Text, SharesNearOneKeepTheirDigits) {
    Decision decision = rollback();
    decision.metrics = {checkouts()};
    decision.metrics[0].observed = {
        {"bad_baseline", 99995}, {"total_baseline", 100000}, {"bad_canary", 9990}, {"total_canary", 10000}};
    EXPECT_NE(report::text(decision, {.width = 120})
                  .find("canary: 9,990 of 10,000 requests counted (99.9 %); baseline: 99,995 of 100,000 (99.995 %)"),
              std::string::npos)
        << report::text(decision, {.width = 120});
}

TEST(Text, AnEmptyArmIsNamed) {
    Decision decision = rollback();
    decision.metrics.resize(1);
    decision.metrics[0].evidence.estimate = infinity;
    decision.metrics[0].observed[2].value = 0;
    decision.metrics[0].observed[3].value = 0;
    const std::string text = report::text(decision);
    EXPECT_NE(text.find("canary: no requests yet; baseline: 11,856 of 912,004 (1.3 %)"), std::string::npos);
    EXPECT_NE(text.find("only in canary"), std::string::npos);
}

TEST(Text, PolicyIsNotTheMethod) {
    Decision decision = rollback();
    decision.reasons = {{Code::deadline_rollback, "", {{"elapsed", 3700}, {"maximum", 3600}}, true}};
    decision.metrics = {timeouts()};
    EXPECT_NE(report::text(decision).find("(policy, outside the"), std::string::npos) << report::text(decision);
}

TEST(Text, HoldSaysWhoWaits) {
    Decision decision = hold();
    decision.severity = Severity::info;
    decision.reasons = {{Code::waiting, "", {}, false}};
    EXPECT_NE(
        report::text(decision).find(
            "next     keep watching: timeouts and a-metric-with-a-name-longer-than-columns have not passed yet\n"),
        std::string::npos)
        << report::text(decision);
    decision.reasons = {{Code::nothing_to_judge, "", {}, false}};
    EXPECT_NE(report::text(decision).find("next     a person decides: every metric is muted"), std::string::npos);
    decision.reasons = {{Code::deadline_hold, "", {{"elapsed", 3700}, {"maximum", 3600}}, false}};
    EXPECT_NE(report::text(decision).find("next     a person decides: move on by hand"), std::string::npos);
    decision.metrics = {checkouts()};
    decision.reasons = {{Code::stage_minimum, "", {{"elapsed", 60}, {"minimum", 600}}, false}};
    EXPECT_NE(report::text(decision).find("every metric has passed, the stage's minimum is not over"),
              std::string::npos);
}

TEST(Text, OneReasonOfManyMetricsIsToldOnce) {
    Decision decision = nothing();
    decision.metrics = {silent("errors"), silent("timeouts"), silent("refunds")};
    const std::string text = report::text(decision);
    EXPECT_NE(text.find("no_data_yet (errors, timeouts, refunds): no interval"), std::string::npos) << text;
    EXPECT_EQ(text.find("for errors"), std::string::npos) << text;  // all of them: no need to name them
    decision.metrics.push_back(timeouts());
    decision.metrics.back().name = "known";
    EXPECT_NE(report::text(decision, {.width = 300}).find("from history for errors, timeouts and refunds\n"),
              std::string::npos);
}

TEST(Text, AnyNumberOfMetricsAtAnyWidth) {
    std::vector<MetricResult> pool{errors(), timeouts(), checkouts(), silent("silent")};
    for (int n = 0; n <= 12; ++n) {
        for (const int width : {-1, 60, 79, 80, 100, 120, 200}) {
            Decision decision = hold();
            decision.metrics.clear();
            for (int i = 0; i < n; ++i) {
                MetricResult metric = pool[static_cast<std::size_t>(i) % pool.size()];
                metric.name += std::string(static_cast<std::size_t>(i * 7), static_cast<char>('a' + i)) + "_end";
                metric.muted = i % 5 == 4;
                decision.metrics.push_back(metric);
            }
            expect_sound(decision, report::text(decision, {.width = width}),
                         static_cast<std::size_t>(std::max(60, width)));
        }
    }
}

TEST(Text, ColumnsAreAligned) {
    Decision decision = hold();
    std::vector<std::size_t> at;
    for (const std::string& line : lines(report::text(decision, {.width = 120}))) {
        if (const auto found = line.find("allowed "); found != std::string::npos) at.push_back(found);
    }
    ASSERT_EQ(at.size(), 4U);
    for (const std::size_t position : at) EXPECT_EQ(position, at.front());
}

TEST(Text, SurvivesEveryNumber) {
    const std::vector<double> numbers{nan_value, infinity, -infinity, 0.0, -0.0, 1e-320, 1e308,
                                      -1e308,    1e15,     -1,        0.5, 1e-6, 999.96, 1e9 - 1};
    for (const double x : numbers) {
        for (const bool ratio : {false, true}) {
            Decision decision = rollback();
            decision.traffic = x;
            decision.alpha = x;
            decision.time = moment(std::numeric_limits<std::int64_t>::max());
            for (MetricResult& metric : decision.metrics) {
                metric.margin = ratio ? Margin{.ratio = x, .difference = std::nullopt}
                                      : Margin{.ratio = std::nullopt, .difference = x};
                metric.alpha = metric.alpha_mirror = x;
                metric.evidence = evidence(x, x, x, x);
                metric.evidence.p_value = metric.evidence.confidence = x;
                for (NamedNumber& number : metric.observed) number.value = x;
            }
            decision.reasons.clear();
            expect_sound(decision, report::text(decision, {.width = 120}), 120);
        }
    }
    Decision decision;
    decision.metrics.resize(1);
    EXPECT_FALSE(report::text(decision).empty());
}

TEST(Text, ControlCharactersDoNotReachTheTerminal) {
    Decision decision = promote();
    decision.deployment = "evil\x1b[2J\nPROMOTE";
    decision.metrics[0].name = "tab\tbell\a";
    const std::string text = report::text(decision);
    EXPECT_EQ(text.find('\x1b'), std::string::npos);
    EXPECT_EQ(text.find('\a'), std::string::npos);
    EXPECT_NE(text.find("evil?[2J?PROMOTE"), std::string::npos);
    EXPECT_NE(text.find("tab?bell?"), std::string::npos);
}

TEST(Text, ColorChangesNoLetter) {
    for (const Decision& decision : {rollback(), hold(), promote(), nothing()}) {
        std::string text = report::text(decision, {.color = true});
        EXPECT_NE(text.find("\x1b["), std::string::npos);
        for (std::size_t at; (at = text.find("\x1b[")) != std::string::npos;)
            text.erase(at, text.find('m', at) - at + 1);
        EXPECT_EQ(text, report::text(decision));
        EXPECT_EQ(report::text(decision).find('\x1b'), std::string::npos);
    }
}

TEST(Text, KnowsNoLocale) {
    const std::string before = report::text(rollback());
    for (const char* locale : {"de_DE.UTF-8", "fr_FR.UTF-8", "C.UTF-8"}) {
        if (std::setlocale(LC_ALL, locale)) {
            EXPECT_EQ(report::text(rollback()), before);
        }
    }
    std::setlocale(LC_ALL, "C");
}

}  // namespace
