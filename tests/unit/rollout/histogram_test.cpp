// Histograms and single observations, judged in a rollout.

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <functional>
#include <iterator>
#include <limits>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/core/state.hpp>
#include <serinus/io/calibration.hpp>
#include <serinus/io/decision.hpp>
#include <serinus/io/plan.hpp>
#include <serinus/io/state.hpp>
#include <serinus/report/text.hpp>
#include <serinus/rollout/calibrate.hpp>
#include <serinus/rollout/lint.hpp>
#include <serinus/rollout/monitor.hpp>
#include <serinus/rollout/monitor_state.hpp>

#include "rollout/partition.hpp"
#include "support/code_of.hpp"
#include "support/data_dir.hpp"
#include "support/looks.hpp"

namespace serinus {
namespace {

constexpr std::int64_t interval = 30'000;
constexpr double infinity = std::numeric_limits<double>::infinity();
const std::vector<double> fine{0.01, 0.02, 0.03, 0.05, 0.07, 0.1, 0.125, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.7, 1, 2, 5};

Plan latency(std::vector<double> quantile = {0.95}) {
    Plan plan;
    plan.name = "checkout";
    plan.interval = std::chrono::milliseconds(interval);
    plan.stages = {{.traffic = 0.5, .min = std::chrono::minutes(10)}};
    Metric metric;
    metric.name = "latency";
    metric.kind = Kind::histogram;
    metric.series = "duration";
    metric.quantile = std::move(quantile);
    metric.margin.ratio = 1.25;
    plan.metrics = {metric};
    plan.noise["latency"].dispersion = 1;
    return plan;
}

/// What is seen an interval: log-normal latencies around 100 ms, drifting by the hour.
struct World {
    double times = 1;     // the canary's latencies over the baseline's
    double spread = 0.5;  // standard deviation of their logarithms
    double spread_canary = 0.5;
    int baseline = 400, canary = 200;
};

using Values = std::array<std::vector<std::vector<double>>, 2>;  // by arm and interval

Values drawn(std::size_t n, std::uint64_t seed, const World& world) {
    std::mt19937_64 random(seed);
    Values found;
    for (std::size_t i = 0; i < n; ++i) {
        const double tide = 0.05 * std::sin(static_cast<double>(i) / 15);
        for (std::size_t arm = 0; arm < 2; ++arm) {
            const double middle = std::log(0.1 * (arm == 0 ? 1 : world.times)) + tide;
            std::lognormal_distribution<double> law(middle, arm == 0 ? world.spread : world.spread_canary);
            auto& values = found[arm].emplace_back();
            for (int k = 0; k < (arm == 0 ? world.baseline : world.canary); ++k) values.push_back(law(random));
        }
    }
    return found;
}

std::vector<double> in_buckets(const std::vector<double>& values, const std::vector<double>& bounds) {
    std::vector<double> upto(bounds.size() + 1, 0);
    for (const double value : values) {
        for (std::size_t b = 0; b < bounds.size(); ++b) upto[b] += value <= bounds[b] ? 1 : 0;
        upto.back() += 1;
    }
    return upto;
}

/// Classic buckets, as cumulative counters (scraped at the end of each interval) or as counts of the interval.
Batch classic(const Values& values, bool counter, const std::vector<double>& bounds = fine,
              const std::string& instance = "") {
    Batch batch;
    for (const Arm arm : {Arm::baseline, Arm::canary}) {
        const auto& intervals = values[static_cast<std::size_t>(arm)];
        const std::size_t first = batch.series.size();
        for (std::size_t b = 0; b <= bounds.size(); ++b) {
            ArmSeries& series = batch.series.emplace_back();
            series.name = "duration";
            series.arm = arm;
            series.le = b < bounds.size() ? bounds[b] : infinity;
            series.series.instance = instance;
        }
        std::vector<double> sum(bounds.size() + 1, counter ? 1000 : 0);
        for (std::size_t i = 0; i < intervals.size() + (counter ? 1U : 0U); ++i) {
            std::vector<double> shown = sum;
            if (!counter) shown = in_buckets(intervals[i], bounds);
            for (std::size_t b = 0; b < shown.size(); ++b) {
                batch.series[first + b].series.times_ms.push_back(static_cast<std::int64_t>(i) * interval);
                batch.series[first + b].series.values.push_back(shown[b]);
            }
            if (counter && i < intervals.size()) {
                const std::vector<double> more = in_buckets(intervals[i], bounds);
                for (std::size_t b = 0; b < sum.size(); ++b) sum[b] += more[b];
            }
        }
    }
    return batch;
}

/// Exponential buckets of a scale, as cumulative histograms; only those that have anything.
HistogramSample exponential(const std::vector<double>& values, int scale) {
    HistogramSample sample;
    std::map<std::int64_t, double> counts;
    for (const double value : values)
        counts[static_cast<std::int64_t>(std::ceil(std::ldexp(std::log2(value), scale)))] += 1;
    for (const auto& [index, count] : counts)
        sample.buckets.push_back(
            {exponential_bucket_end(scale, index - 1), exponential_bucket_end(scale, index), count});
    sample.count = static_cast<double>(values.size());
    sample.sum = std::numeric_limits<double>::quiet_NaN();
    return sample;
}

/// From the interval `coarse_from` on the canary's buckets are twice as wide.
Batch native(const Values& values, int scale, bool delta, std::size_t coarse_from = 100'000) {
    Batch batch;
    for (const Arm arm : {Arm::baseline, Arm::canary}) {
        ArmHistogram& histogram = batch.histograms.emplace_back();
        histogram.name = "duration";
        histogram.arm = arm;
        histogram.series.delta = delta;
        std::vector<double> all;
        const auto& intervals = values[static_cast<std::size_t>(arm)];
        for (std::size_t i = 0; i <= intervals.size(); ++i) {
            const int of = arm == Arm::canary && i >= coarse_from ? scale - 1 : scale;
            if (i > 0 && delta) all.clear();
            if (i > 0) all.insert(all.end(), intervals[i - 1].begin(), intervals[i - 1].end());
            histogram.series.times_ms.push_back(static_cast<std::int64_t>(i) * interval);
            histogram.series.samples.push_back(exponential(all, of));
        }
    }
    return batch;
}

/// The observations one by one, some of one time.
Batch single(const Values& values) {
    Batch batch;
    for (const Arm arm : {Arm::baseline, Arm::canary}) {
        std::vector<std::int64_t> times;
        std::vector<double> all;
        const auto& intervals = values[static_cast<std::size_t>(arm)];
        for (std::size_t i = 0; i < intervals.size(); ++i) {
            for (std::size_t k = 0; k < intervals[i].size(); ++k) {
                times.push_back(static_cast<std::int64_t>(i) * interval + static_cast<std::int64_t>(k / 3) * 100);
                all.push_back(intervals[i][k]);
            }
        }
        batch.add("duration", arm, "", times, all);
    }
    return batch;
}

const Reason* reason_of(const Decision& decision, Code code) {
    for (const Reason& reason : decision.metrics[0].reasons)
        if (reason.code == code) return &reason;
    return nullptr;
}
double number(const Reason& reason, std::string_view name) {
    for (const NamedNumber& of : reason.numbers)
        if (of.name == name) return of.value;
    return std::numeric_limits<double>::quiet_NaN();
}

// ---- partitions

TEST(Partition, CommonBoundsAreThoseThatBothKnow) {
    using detail::Partition;
    const Partition a{{1, 2, 4}, {0, 5, 7, 0}}, b{{1, 3, 4, 8}, {0, 0, 6, 2, 1}};
    // 2 lies in b's empty (1, 3]; 3 in a's (2, 4], which has something; 8 beyond all of a.
    EXPECT_EQ(detail::common_bounds(a, b), (std::vector<double>{1, 2, 4, 8}));
    Partition sum = a;
    EXPECT_FALSE(detail::add_to(sum, b));
    EXPECT_EQ(sum, (Partition{{1, 2, 4, 8}, {0, 5, 13, 2, 1}}));
    EXPECT_EQ(sum.total(), a.total() + b.total());
    EXPECT_TRUE(detail::known_at(a, 6));
    EXPECT_FALSE(detail::known_at(a, 3));
    EXPECT_EQ(detail::above(a, 2), 7);
    EXPECT_EQ(detail::above(b, 4), 3);
}

TEST(Partition, ExponentialBucketsOfTwoScalesAreAddedByTheCoarserOne) {
    std::vector<double> values;
    for (int i = 1; i < 500; ++i) values.push_back(0.01 * i);
    detail::Partition fine_ones = detail::partition_of(exponential(values, 3));
    const detail::Partition coarse = detail::partition_of(exponential(values, 1));
    EXPECT_EQ(detail::scale_of(fine_ones.bounds), 3);
    EXPECT_EQ(detail::scale_of(coarse.bounds), 1);
    detail::add_to(fine_ones, coarse);
    EXPECT_EQ(fine_ones.total(), 2 * 499);
    for (std::size_t i = 0; i + 1 < fine_ones.bounds.size(); ++i)
        EXPECT_EQ(detail::above(fine_ones, fine_ones.bounds[i]), 2 * detail::above(coarse, fine_ones.bounds[i]));
    EXPECT_EQ(detail::scale_of(fine), std::nullopt);
}

// ---- the plan

TEST(HistogramPlan, WhatCannotBeIsRefusedByName) {
    const auto said = [](const std::function<void(Plan&)>& change) {
        Plan plan = latency();
        change(plan);
        return said_by([&] { check(plan); });
    };
    const auto of = [&](const std::function<void(Metric&)>& change) {
        return said([&](Plan& plan) { change(plan.metrics[0]); });
    };
    const auto has = [](const std::string& text, std::string_view part) {
        EXPECT_NE(text.find(part), std::string::npos) << text;
    };
    EXPECT_EQ(said([](Plan&) {}), "");
    has(of([](Metric& m) { m.quantile.clear(); }), "metrics[0].quantile is empty");
    has(of([](Metric& m) { m.quantile = {0.5, 1}; }), "metrics[0].quantile[1] is 1;");
    has(of([](Metric& m) { m.quantile = {0.5, 0.5}; }), "each once");
    has(of([](Metric& m) { m.series.clear(); }), "metrics[0].series is empty");
    has(of([](Metric& m) { m.harm = Harm::either; }), "metrics[0].harm is \"either\"");
    has(of([](Metric& m) { m.margin.floor = 0.1; }), "floor");
    has(of([](Metric& m) { m.absent = Absent::zero; }), "metrics[0].absent");
    has(of([](Metric& m) {
            m.kind = Kind::sample;
            m.counter = true;
        }),
        "metrics[0].counter is true");
    has(of([](Metric& m) { m.kind = Kind::gauge; }), "metrics[0].quantile is given");
    has(said([](Plan& p) { p.analysis = Analysis::fixed; }), "metrics[0].kind is \"histogram\"");
    has(said([](Plan& p) { p.noise["latency"].thresholds = {1, 2}; }), "noise.latency.thresholds is 2 numbers");
    has(said([](Plan& p) { p.noise["latency"].dispersions = {0.5}; }), "noise.latency.dispersions[0] is 0.5");
    has(said([](Plan& p) { p.noise["latency"].shape = {0.5}; }), "noise.latency.shape is 1 numbers");
}

TEST(HistogramPlan, GoesThroughJson) {
    for (const std::string name : {"histogram", "sample"}) {
        std::ifstream file(data_dir() + "/plans/" + name + ".json", std::ios::binary);
        const Plan plan = io::read_plan(std::string(std::istreambuf_iterator<char>(file), {}));
        EXPECT_EQ(word(plan.metrics[0].kind), name);
        EXPECT_EQ(plan.metrics[0].quantile.size(), name == "sample" ? 1U : 3U);
        EXPECT_EQ(io::read_plan(io::write_plan(plan)), plan);
    }
    Plan plan = latency();
    plan.noise["latency"] = {
        .dispersion = 1.5, .intervals = 900, .thresholds = {0.2}, .dispersions = {1.5}, .shape = {0.1, 0.2, 0.3}};
    EXPECT_EQ(io::read_plan(io::write_plan(plan)), plan);
}

// ---- judging

TEST(Histogram, HarmIsFoundAndAGoodCanaryPasses) {
    for (const bool counter : {false, true}) {
        for (const double times : {1.0, 1.6}) {
            Plan plan = latency();
            plan.metrics[0].counter = counter;
            const Decision decision = judge(plan, classic(drawn(240, 3, {.times = times}), counter));
            EXPECT_EQ(decision.action, times > 1 ? Action::rollback : Action::promote) << support::all_said(decision);
            EXPECT_EQ(decision.guarantee, Guarantee::proved);
            const MetricResult& metric = decision.metrics[0];
            EXPECT_NEAR(metric.evidence.estimate, times, 0.2 * times);
            EXPECT_LE(metric.evidence.lower, times);
            EXPECT_GE(metric.evidence.upper, times);
            const Reason* const thresholds = reason_of(decision, Code::quantile_thresholds);
            ASSERT_TRUE(thresholds) << support::all_said(decision);
            // Log-normal: p95 is 0.1 exp(0.5 x 1.645), 0.228; of the bounds .2 and .25 the latter has .25 x 1.25 near.
            EXPECT_GE(number(*thresholds, "tested"), 1.25);
            EXPECT_LE(number(*thresholds, "tested"), 1.25 * 1.25 + 1e-9);
            EXPECT_TRUE(reason_of(decision, Code::thresholds_learned));
            EXPECT_EQ(reason_of(decision, Code::quantile_proven_above) != nullptr, times > 1)
                << support::all_said(decision);
            for (const Reason& reason : support::reasons_of(decision))
                EXPECT_EQ(sentence(reason).find('?'), std::string::npos) << sentence(reason);
        }
    }
}

TEST(Histogram, EveryWayOfRecordingSaysTheSame) {
    const Values values = drawn(120, 4, {.times = 1.5});
    Plan plan = latency({0.5, 0.95});
    plan.noise["latency"].thresholds = {exponential_bucket_end(5, -106), exponential_bucket_end(5, -68)};
    Plan counter = plan;
    counter.metrics[0].counter = true;
    Plan exact = plan;
    exact.metrics[0].kind = Kind::sample;
    const Decision cumulative = judge(counter, native(values, 5, false)), deltas = judge(plan, native(values, 5, true)),
                   one_by_one = judge(exact, single(values));
    for (const Decision* const decision : {&cumulative, &deltas, &one_by_one}) {
        EXPECT_EQ(decision->action, Action::rollback) << support::all_said(*decision);
        EXPECT_EQ(decision->metrics[0].observed.size(), 2U);
    }
    EXPECT_EQ(cumulative.metrics[0].observed[0].value, 400 * 120);
    EXPECT_EQ(one_by_one.metrics[0].observed[1].value, 200 * 120);
    EXPECT_NEAR(cumulative.metrics[0].evidence.log_e_value, deltas.metrics[0].evidence.log_e_value, 1e-6);
    // Buckets a 32nd of a power of two wide: a margin of 1.25 is tested as one of 1.2684.
    const Reason* const thresholds = reason_of(cumulative, Code::quantile_thresholds);
    ASSERT_TRUE(thresholds);
    EXPECT_NEAR(number(*thresholds, "tested"), std::exp2(11.0 / 32), 1e-9);
    EXPECT_NEAR(number(*reason_of(one_by_one, Code::quantile_thresholds), "tested"), 1.25, 1e-12);
}

TEST(Histogram, ASchemaMayChangeOnTheWay) {
    const Values values = drawn(160, 5, {.times = 1.6});
    Plan plan = latency();
    plan.metrics[0].counter = true;
    const Decision decision = judge(plan, native(values, 4, false, 50));
    EXPECT_EQ(decision.action, Action::rollback) << support::all_said(decision);
    EXPECT_EQ(decision.metrics[0].observed[1].value + 5 * 200, 160 * 200) << support::all_said(decision);
}

TEST(Histogram, RestartsOfAProcessLoseNothingElse) {
    const Values values = drawn(200, 6, {});
    Plan plan = latency();
    plan.metrics[0].counter = true;
    Batch batch = classic(values, true);
    // The canary's process begins again in the middle, and one scrape shows what another replica had before.
    for (ArmSeries& series : batch.series) {
        if (series.arm != Arm::canary) continue;
        auto& shown = series.series.values;
        const double at = shown[99];
        for (std::size_t i = 100; i < shown.size(); ++i) shown[i] -= at;
        shown[150] = shown[148];
    }
    const Decision decision = judge(plan, batch);
    EXPECT_EQ(decision.action, Action::promote) << support::all_said(decision);
    EXPECT_TRUE(reason_of(decision, Code::counter_restarts));
    EXPECT_NEAR(decision.metrics[0].observed[1].value, 195 * 200, 401);
}

TEST(Histogram, GoesOnFromItsState) {
    for (const bool known : {false, true}) {
        Plan plan = latency({0.5, 0.9});
        plan.metrics[0].counter = true;
        if (known) plan.noise["latency"].thresholds = {0.1, 0.2};
        if (known) plan.noise["latency"].shape = {0.1, 0.2, 0.4};
        const Batch batch = classic(drawn(60, 8, {.times = 1.2}), true);
        Monitor monitor(plan);
        Decision last;
        for (const auto& [time, news] : support::looks_of(batch)) {
            last = monitor.observe(news, time);
            const auto saved = encode(monitor.state());
            Monitor next(plan);
            next.restore(decode<MonitorState>(saved));
            EXPECT_EQ(io::write_decision(next.decision()), io::write_decision(monitor.decision()));
            monitor = std::move(next);
            EXPECT_EQ(encode(io::read_state<MonitorState>(io::write_state(monitor.state()))), saved);
        }
        Monitor at_once(plan);
        at_once.observe(batch, 60 * interval);
        EXPECT_EQ(io::write_decision(at_once.decision()), io::write_decision(last));
        Plan other = plan;
        other.metrics[0].quantile = {0.5};
        other.noise["latency"].thresholds.clear();
        EXPECT_THROW(Monitor(other).restore(monitor.state()), Error);
    }
}

TEST(Histogram, HistoryTellsThresholdsAndDispersion) {
    Plan plan = latency({0.5, 0.95});
    plan.noise.clear();
    const Values values = drawn(1'200, 9, {});
    const Calibration learned = calibrate(plan, classic(values, false));
    ASSERT_TRUE(learned.metrics[0].learned) << io::write_calibration(learned);
    const Noise& noise = learned.noise.at("latency");
    EXPECT_EQ(noise.thresholds.size(), 2U);
    EXPECT_EQ(noise.thresholds[0], 0.1);
    EXPECT_EQ(noise.dispersions.size(), 2U);
    EXPECT_EQ(noise.shape.size(), 3U);
    EXPECT_LT(*noise.dispersion, 3);  // what slow swings may do in a rollout is allowed for
    EXPECT_EQ(learned.metrics[0].held_back.size(), 1U);
    const Plan known = with_noise(plan, learned);
    const Decision decision = judge(known, classic(drawn(200, 10, {}), false));
    EXPECT_EQ(decision.action, Action::promote) << support::all_said(decision);
    EXPECT_EQ(decision.guarantee, Guarantee::measured);
    EXPECT_TRUE(reason_of(decision, Code::shape_shown));
    EXPECT_FALSE(reason_of(decision, Code::shape_differs));
    EXPECT_FALSE(reason_of(decision, Code::thresholds_learned));
    // A wider law with the same median: its shape is told.
    const Decision wider = judge(known, classic(drawn(200, 11, {.spread_canary = 0.62}), false));
    EXPECT_TRUE(reason_of(wider, Code::shape_differs)) << support::all_said(wider);
    // Single observations learn the same.
    Plan exact = plan;
    exact.metrics[0].kind = Kind::sample;
    const Calibration single_ones = calibrate(exact, single(drawn(600, 9, {})));
    ASSERT_TRUE(single_ones.metrics[0].learned) << io::write_calibration(single_ones);
    EXPECT_NEAR(single_ones.noise.at("latency").thresholds[0], 0.1, 0.003);
}

// ---- bad input

TEST(Histogram, BucketsTooCoarseDecideNothingAndSaySo) {
    const std::vector<double> coarse{0.05, 0.1, 0.25, 1, 5};
    const Values values = drawn(100, 12, {.times = 2});
    const Batch batch = classic(values, false, coarse);
    const Decision decision = judge(latency(), batch);
    EXPECT_EQ(decision.action, Action::hold);
    ASSERT_TRUE(reason_of(decision, Code::no_near_bound)) << support::all_said(decision);
    const Understood understood = understand(latency(), batch);
    EXPECT_TRUE(std::any_of(understood.mend.begin(), understood.mend.end(),
                            [](const Reason& reason) { return reason.code == Code::no_near_bound; }));
    const Decision beyond = judge(latency({0.99}), classic(values, false, {0.02, 0.05, 0.1}));
    EXPECT_TRUE(reason_of(beyond, Code::quantile_beyond_buckets)) << support::all_said(beyond);
}

TEST(Histogram, BadInputIsNamed) {
    const Values values = drawn(40, 13, {});
    const Plan plan = latency();
    // Without buckets, or without the last one.
    Batch plain;
    plain.add("duration", Arm::canary, "", std::vector<std::int64_t>{0}, std::vector<double>{1});
    EXPECT_EQ(code_of([&] { judge(plan, plain); }), Code::data_bucket);
    Batch open = classic(values, false);
    std::erase_if(open.series, [](const ArmSeries& series) { return std::isinf(series.le); });
    EXPECT_EQ(code_of([&] { judge(plan, open); }), Code::data_bucket);
    Batch empty = native(values, 4, true);
    for (ArmHistogram& histogram : empty.histograms)
        for (HistogramSample& sample : histogram.series.samples) sample.buckets.clear();
    EXPECT_TRUE(reason_of(judge(plan, empty), Code::no_buckets)) << support::all_said(judge(plan, empty));
    // Counts that are none.
    Batch broken = classic(values, false);
    for (ArmSeries& series : broken.series) series.series.values[20] *= 0.3;
    EXPECT_TRUE(reason_of(judge(plan, broken), Code::impossible_fraction)) << support::all_said(judge(plan, broken));
    Batch falling = classic(values, false);
    falling.series[8].series.values[20] = 0;
    EXPECT_TRUE(reason_of(judge(plan, falling), Code::impossible_negative)) << support::all_said(judge(plan, falling));
    // What is no number is told, and a sum of NaN is nothing to quantiles.
    Batch numbers = native(values, 4, true);
    for (ArmHistogram& histogram : numbers.histograms) histogram.series.samples[20].count += 3;
    EXPECT_TRUE(reason_of(judge(plan, numbers), Code::not_numbers)) << support::all_said(judge(plan, numbers));
    // A cumulative histogram that is taken for counts.
    EXPECT_TRUE(reason_of(judge(plan, classic(values, true)), Code::looks_like_counter));
    // Negative observations are values like others; a ratio of them says nothing.
    Values negative = values;
    for (auto& arm : negative)
        for (auto& each : arm)
            for (double& value : each) value = -value;
    Plan exact = plan;
    exact.metrics[0].kind = Kind::sample;
    EXPECT_TRUE(reason_of(judge(exact, single(negative)), Code::threshold_not_positive))
        << support::all_said(judge(exact, single(negative)));
    exact.metrics[0].margin = {.ratio = {}, .difference = 0.1};
    EXPECT_FALSE(reason_of(judge(exact, single(negative)), Code::threshold_not_positive));
}

// Buckets 9 % apart have no bound at 1.25 times another: what proves harm lies beyond it, what rules it out before.
TEST(Histogram, OnItsMarginNothingIsRuledOutWhateverTheBuckets) {
    for (const int scale : {3, 4, 5}) {
        for (const bool critical : {true, false}) {
            Plan plan = latency({0.5, 0.95});
            plan.metrics[0].critical = critical;
            plan.metrics[0].detect = Margin{.ratio = 1.6};
            const World edge{.times = critical ? 1.25 : 1.6, .baseline = 2000, .canary = 1000};
            const Batch batch = native(drawn(150, 21, edge), scale, true);
            const Decision decision = judge(plan, batch);
            EXPECT_NE(decision.metrics[0].verdict, Verdict::pass) << scale << support::all_said(decision);
            Monitor whole(plan), again(plan);
            whole.observe(batch, 151 * interval);
            again.restore(decode<MonitorState>(encode(whole.state())));
            EXPECT_EQ(again.decision(), whole.decision());
        }
    }
}

// One target that is scraped twice shows each of its histograms twice: half of what is counted is not there.
TEST(Histogram, EqualHistogramsUnderOtherLabelsAreOne) {
    const Values values = drawn(60, 15, {});
    for (const bool counter : {false, true}) {
        Plan plan = latency();
        plan.metrics[0].counter = counter;
        for (const bool buckets : {true, false}) {
            const Batch once = buckets ? classic(values, counter) : native(values, 4, !counter);
            Batch twice = once;
            for (const ArmSeries& series : once.series) {
                twice.series.push_back(series);
                twice.series.back().labels = "{job=\"second\"}";
            }
            for (const ArmHistogram& histogram : once.histograms) {
                twice.histograms.push_back(histogram);
                twice.histograms.back().labels = "{job=\"second\"}";
            }
            EXPECT_FALSE(reason_of(judge(plan, once), Code::duplicate_series));
            const Decision decision = judge(plan, twice);
            ASSERT_TRUE(reason_of(decision, Code::duplicate_series)) << support::all_said(decision);
            EXPECT_NE(sentence(*reason_of(decision, Code::duplicate_series)).find("second"), std::string::npos);
            EXPECT_EQ(decision.action, Action::hold);
            EXPECT_EQ(decision.metrics[0].guarantee, Guarantee::none);
            // The state knows it.
            Monitor whole(plan), again(plan);
            whole.observe(twice, 61 * interval);
            again.restore(decode<MonitorState>(encode(whole.state())));
            EXPECT_EQ(again.decision(), whole.decision());
        }
    }
    // Two histograms of one instance that only look alike are two.
    Batch apart = classic(values, false);
    for (const ArmSeries& series : classic(drawn(60, 16, {}), false).series) {
        apart.series.push_back(series);
        apart.series.back().labels = "{path=\"/other\"}";
    }
    EXPECT_FALSE(reason_of(judge(latency(), apart), Code::duplicate_series));
    // Of single observations.
    Plan exact = latency();
    exact.metrics[0].kind = Kind::sample;
    Batch once = single(values), twice = once;
    for (const ArmSeries& series : once.series) {
        twice.series.push_back(series);
        twice.series.back().labels = "{job=\"second\"}";
    }
    EXPECT_FALSE(reason_of(judge(exact, once), Code::duplicate_series));
    EXPECT_TRUE(reason_of(judge(exact, twice), Code::duplicate_series)) << support::all_said(judge(exact, twice));
}

TEST(Histogram, ClassicBucketsAreDoubtedBeforeThereAreData) {
    const auto doubted = [](const std::vector<Reason>& reasons) {
        return std::any_of(reasons.begin(), reasons.end(),
                           [](const Reason& reason) { return reason.code == Code::coarse_buckets; });
    };
    Plan plan = latency();
    EXPECT_FALSE(doubted(lint(plan)));  // nobody knows what its buckets are
    plan.metrics[0].series = "duration_bucket";
    EXPECT_TRUE(doubted(lint(plan)));
    // Data answer it.
    Batch batch = classic(drawn(100, 12, {}), false);
    for (ArmSeries& series : batch.series) series.name = "duration_bucket";
    EXPECT_FALSE(doubted(understand(plan, batch).mend));
    plan.metrics[0].margin = {.ratio = {}, .difference = 0.05};
    EXPECT_FALSE(doubted(lint(plan)));
    plan.noise["latency"].thresholds = {0.2};
    EXPECT_TRUE(doubted(lint(plan)));
    plan.noise["latency"].thresholds = {0.04};
    EXPECT_FALSE(doubted(lint(plan)));
    plan.metrics[0].margin = {.ratio = 2.5, .difference = {}};
    EXPECT_FALSE(doubted(lint(plan)));
    plan.metrics[0].margin = {.ratio = 1.25, .difference = {}};
    plan.metrics[0].muted = true;
    EXPECT_FALSE(doubted(lint(plan)));
}

TEST(Histogram, BucketsMayChangeOnTheWay) {
    const Values values = drawn(200, 14, {});
    Batch batch = classic(values, true);
    // From the hundredth scrape on two bounds are gone.
    for (ArmSeries& series : batch.series) {
        if (series.le != 0.03 && series.le != 0.07) continue;
        series.series.times_ms.resize(100);
        series.series.values.resize(100);
    }
    Plan plan = latency();
    plan.metrics[0].counter = true;
    const Decision decision = judge(plan, batch);
    EXPECT_EQ(decision.action, Action::promote) << support::all_said(decision);
    EXPECT_EQ(decision.metrics[0].observed[1].value, 195 * 200) << support::all_said(decision);
}

TEST(Histogram, LessMayBeHarm) {
    Plan plan = latency({0.05});
    plan.metrics[0].harm = Harm::decrease;
    plan.metrics[0].kind = Kind::sample;
    EXPECT_EQ(judge(plan, single(drawn(150, 15, {}))).action, Action::promote);
    const Decision harmed = judge(plan, single(drawn(150, 16, {.times = 0.6})));
    EXPECT_EQ(harmed.action, Action::rollback) << support::all_said(harmed);
    EXPECT_TRUE(reason_of(harmed, Code::quantile_proven_below)) << support::all_said(harmed);
}

TEST(Histogram, TheReportTellsObservationsAndTheMarginReallyTested) {
    const std::string text = report::text(judge(latency(), classic(drawn(240, 3, {.times = 1.6}), false)));
    EXPECT_NE(text.find("observations"), std::string::npos) << text;
    EXPECT_NE(text.find("really"), std::string::npos) << text;
    EXPECT_NE(text.find("p95 of the canary is more than"), std::string::npos) << text;
}

}  // namespace
}  // namespace serinus
