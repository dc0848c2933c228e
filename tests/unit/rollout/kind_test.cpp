// The facts of kinds, and what a new kind takes: one file (dummy_kind.hpp) and its name in a list.

#include <chrono>
#include <cmath>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include <serinus/core/error.hpp>
#include <serinus/numeric/elementary.hpp>
#include <serinus/rollout/kind.hpp>

#include "dummy_kind.hpp"
#include "rollout/judged.hpp"

namespace {

using namespace serinus;

using namespace std::chrono_literals;
using WithDummy = detail::Kinds<detail::ProportionKind, detail::GaugeKind, detail::DummyKind>;
using Judged = detail::JudgedAs<WithDummy>;

constexpr double alpha = 0.05;

Plan plan_of(Kind kind) {
    Plan plan;
    plan.name = "payments";
    plan.interval = 1min;
    plan.stages = {Stage{.traffic = 0.5}};
    Metric& metric = plan.metrics.emplace_back();
    metric.name = "crashes";
    metric.kind = kind;
    metric.series = "restarts";
    metric.bad = "bad";
    metric.total = "total";
    metric.margin = {.ratio = 1.5, .difference = {}};
    return plan;
}

/// An interval of two instances an arm, each of which brings `value`, and ten thousand requests.
detail::Interval interval_of(double baseline, double canary) {
    detail::Interval interval;
    interval.metrics.emplace_back();
    for (const Arm arm : {Arm::baseline, Arm::canary}) {
        const double value = arm == Arm::baseline ? baseline : canary;
        for (const char* const instance : {"a", "b"}) {
            for (const char* const series : {"restarts", "bad"}) interval.brought[{series, arm, instance}] = {value, 1};
            interval.brought[{"total", arm, instance}] = {10'000, 1};
        }
        interval.metrics[0].arms[static_cast<std::size_t>(arm)] = {true, false, {2 * value, 20'000}};
    }
    return interval;
}

TEST(Kind, EveryKindHasItsFacts) {
    std::set<std::string_view> words;
    for (const KindFacts& facts : kind_facts) {
        EXPECT_TRUE(words.insert(facts.word).second) << facts.word;
        EXPECT_EQ(&facts_of(facts.kind), &facts);
        EXPECT_EQ(word(facts.kind), facts.word);
        EXPECT_EQ(parse_word<Kind>(facts.word), facts.kind);
        // What is judged says what it reads; what is not says what is judged in its place.
        EXPECT_EQ(facts.built(), !facts.series().empty()) << facts.word;
        EXPECT_EQ(facts.built(), !facts.about.empty()) << facts.word;
        EXPECT_EQ(facts.built(), !facts.difference_allowed.empty()) << facts.word;
        bool judged = false;
        detail::AllKinds::with(facts.kind, [&]<class K>() { judged = K::facts.kind == facts.kind; });
        EXPECT_EQ(facts.built(), judged) << facts.word;
        for (const SeriesKey& of : facts.series()) {
            const bool member = std::any_of(series_members.begin(), series_members.end(),
                                            [&](const auto& entry) { return entry.first == of.key; });
            EXPECT_TRUE(member) << of.key;
            EXPECT_FALSE(of.allowed.empty()) << of.key;
        }
    }
    EXPECT_EQ(judged_kinds(),
              "\"proportion\" (bad of total), \"rate\" (events for an exposure), \"gauge\" (one value an interval), "
              "\"sample\" (many observations an interval), \"histogram\" (observations in buckets), "
              "\"ratio\" (one quantity for another)");
    EXPECT_EQ(judged_kinds(false), "\"proportion\", \"rate\", \"gauge\", \"sample\", \"histogram\", \"ratio\"");
}

TEST(Kind, ANumberThatIsNoKindHasNoSeries) {
    const KindFacts& facts = facts_of(static_cast<Kind>(77));
    EXPECT_EQ(facts.word, "unknown");
    EXPECT_FALSE(facts.built());
    EXPECT_TRUE(facts.series().empty());
}

TEST(DummyKind, ItsPartOfThePlanIsChecked) {
    Plan plan = plan_of(detail::DummyKind::facts.kind);
    const auto check = [&] {
        WithDummy::with(plan.metrics[0].kind, [&]<class K>() { K::check("metrics[0]", plan.metrics[0]); });
    };
    EXPECT_NO_THROW(check());
    plan.metrics[0].margin = {.ratio = {}, .difference = 1.0};
    EXPECT_THROW(check(), Error);
}

TEST(DummyKind, IsJudgedByWhatIsCommon) {
    const Plan plan = plan_of(detail::DummyKind::facts.kind);
    Judged judged(plan, plan.metrics[0], alpha);
    ASSERT_TRUE(std::holds_alternative<detail::DummyKind>(judged.kind));
    judged.begin(1);
    EXPECT_FALSE(judged.fail(0, 0) && judged.harm_log_largest() >= judged.harm_log_needed());
    judged.failed = false;
    for (int i = 0; i < 30; ++i) {
        judged.listen(interval_of(3, 9), i, false);
        judged.update(interval_of(3, 9));
    }
    EXPECT_EQ(judged.intervals, 30);
    EXPECT_EQ(judged.used, 30);
    EXPECT_EQ(judged.fewest(), 60);
    EXPECT_EQ(judged.observed(), (std::vector<NamedNumber>{{"events_canary", 540}}));
    EXPECT_NEAR(judged.evidence().estimate, 3, 0.1);
    EXPECT_GT(judged.harm_log_largest(), judged.harm_log_needed());
    EXPECT_FALSE(judged.mirror_decided());
    ASSERT_TRUE(judged.fail(0, 60'000));
    const Reason reason = judged.failure_reason(60);
    EXPECT_EQ(name(reason), "crashes.harm_proven_above");
    EXPECT_GT(judged.failure.bound, 1.5);
    EXPECT_EQ(judged.promise().first, Guarantee::none);
    ASSERT_EQ(judged.noise_reasons().size(), 1U);
    EXPECT_EQ(judged.noise_reasons()[0].metric, "crashes");

    judged.enter_stage(0);
    EXPECT_EQ(judged.intervals, 0);
    EXPECT_EQ(judged.fewest(), 0);
}

TEST(DummyKind, PassesWhenTheCanaryIsAsGood) {
    const Plan plan = plan_of(detail::DummyKind::facts.kind);
    Judged judged(plan, plan.metrics[0], alpha);
    judged.begin(1);
    for (int i = 0; i < 300; ++i) judged.update(interval_of(8, 8));
    EXPECT_TRUE(judged.mirror_decided());
    judged.passed = true;
    EXPECT_TRUE(judged.passes());
    EXPECT_LT(judged.harm_log_largest(), judged.harm_log_needed());
}

TEST(DummyKind, WhatIsMissingOrCannotBeIsCounted) {
    const Plan plan = plan_of(detail::DummyKind::facts.kind);
    Judged judged(plan, plan.metrics[0], alpha);
    judged.update(interval_of(-1, 2));
    EXPECT_EQ(judged.missing, (std::array<std::int64_t, 2>{0, 0}));
    EXPECT_EQ(judged.impossible, 1);
    detail::Interval one_arm = interval_of(1, 2);
    std::erase_if(one_arm.brought, [](const auto& of) { return std::get<Arm>(of.first) == Arm::canary; });
    judged.update(one_arm);
    EXPECT_EQ(judged.missing, (std::array<std::int64_t, 2>{0, 1}));
    judged.silence(3);
    EXPECT_EQ(judged.intervals, 5);
    EXPECT_EQ(judged.used, 0);
}

TEST(DummyKind, LearnsFromHistory) {
    const Plan plan = plan_of(detail::DummyKind::facts.kind);
    const Batch none;
    const detail::History history(plan, none);
    MetricCalibration report;
    Calibration all;
    detail::Learning learning{plan, plan.metrics[0], history, none, {}, report, all, [] {}};
    WithDummy::with(plan.metrics[0].kind, [&]<class K>() { K::learn(learning); });
    ASSERT_EQ(report.reasons.size(), 1U);
    EXPECT_EQ(name(report.reasons[0]), "crashes.history_missing");
}

TEST(DummyKind, OthersOfItsListAreWhatTheyWere) {
    for (const Kind kind : {Kind::proportion, Kind::gauge}) {
        const Plan plan = plan_of(kind);
        Judged with(plan, plan.metrics[0], alpha);
        detail::Judged without(plan, plan.metrics[0], alpha);
        with.begin(1);
        without.begin(1);
        for (int i = 0; i < 40; ++i) {
            const detail::Interval interval = interval_of(20 + i % 3, 25 + i % 5);
            with.update(interval);
            without.update(interval);
        }
        EXPECT_EQ(with.observed(), without.observed());
        EXPECT_EQ(with.harm_log_e_value(), without.harm_log_e_value());
        EXPECT_EQ(with.mirror_log_e_value(), without.mirror_log_e_value());
    }
}

}  // namespace
