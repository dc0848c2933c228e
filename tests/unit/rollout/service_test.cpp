#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/core/error.hpp>
#include <serinus/rollout/service.hpp>
#include <serinus/slo/burn_report.hpp>

namespace serinus {
namespace {

ArmSeries series(std::string name, Arm arm, std::vector<std::int64_t> times, std::vector<double> values,
                 std::string instance = "") {
    ArmSeries made;
    made.name = std::move(name);
    made.arm = arm;
    made.series = {std::move(times), std::move(values), std::move(instance)};
    return made;
}

Batch both_arms() {
    Batch batch;
    batch.series = {series("errors", Arm::baseline, {0, 1000}, {0, 1}),
                    series("all", Arm::baseline, {0}, {5}),
                    series("errors", Arm::canary, {0}, {7}),
                    series("all", Arm::canary, {0}, {9}),
                    series("all", Arm::baseline, {1000}, {6}),
                    series("other", Arm::baseline, {0}, {-1})};
    return batch;
}

std::string refused(const Batch& batch, const ServiceNames& names, Code code) {
    try {
        service_series(batch, names, "--");
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), code) << error.what();
        return error.what();
    }
    ADD_FAILURE() << "nothing was raised";
    return "";
}

TEST(ServiceSeries, WhatHasOneRoleArmAndInstanceIsOneSeries) {
    const auto found = service_series(both_arms(), {.bad = "errors", .total = "all", .kind = slo::SeriesKind::delta});
    ASSERT_EQ(found.size(), 4U);
    EXPECT_EQ(found[0].role, slo::Role::bad);
    EXPECT_EQ(found[0].kind, slo::SeriesKind::delta);
    EXPECT_EQ(found[1].role, slo::Role::total);
    EXPECT_EQ(found[1].series.times_ms, (std::vector<std::int64_t>{0, 1000}));  // goes on in another one
    EXPECT_EQ(found[1].series.values, (std::vector<double>{5, 6}));
    EXPECT_EQ(found[3].series.values, (std::vector<double>{9}));
    Batch pods;
    pods.series = {series("n", Arm::baseline, {0}, {1}, "a"), series("n", Arm::baseline, {0}, {2}, "b"),
                   series("e", Arm::baseline, {0}, {0}, "a")};
    EXPECT_EQ(service_series(pods, {.bad = "e", .total = "n"}).size(), 3U);
}

TEST(ServiceSeries, OfOneArm) {
    const auto found = service_series(both_arms(), {.bad = "errors", .total = "all", .arm = Arm::canary});
    ASSERT_EQ(found.size(), 2U);
    EXPECT_EQ(found[0].series.values, (std::vector<double>{7}));
}

TEST(ServiceSeries, RefusesWhatWouldLookLikeNoErrors) {
    EXPECT_NE(refused(both_arms(), {.bad = "errors"}, Code::argument_range)
                  .find("--bad, --good, --total must name series; allowed: two of the three"),
              std::string::npos);
    refused(both_arms(), {.bad = "errors", .good = "fine", .total = "all"}, Code::argument_range);
    EXPECT_NE(refused(both_arms(), {.bad = "erors", .total = "all"}, Code::argument_word)
                  .find("--bad is \"erors\", which is no series of the data; allowed: \"all\", \"errors\" and "
                        "\"other\""),
              std::string::npos);
    EXPECT_NE(refused(both_arms(), {.bad = "other", .total = "all"}, Code::argument_count)
                  .find("--bad: \"other\" is -1 at 1970-01-01T00:00:00Z; allowed: 0 or more"),
              std::string::npos);
    Batch many = both_arms();
    for (int i = 0; i < 30; ++i)
        many.series.push_back(series("series_" + std::to_string(10 + i), Arm::baseline, {0}, {std::nan("")}));
    EXPECT_NE(refused(many, {.bad = "none", .total = "all"}, Code::argument_word).find("21 more"), std::string::npos);
    EXPECT_EQ(service_series(many, {.bad = "series_10", .total = "all"}).size(), 3U);  // NaN is no count below 0
}

TEST(ServiceSeries, LabelSetsAreSummedAndReplicasAreOne) {
    Batch batch;
    for (const char* code : {"{code=\"200\"}", "{code=\"500\"}"}) {
        batch.series.push_back(series("n", Arm::baseline, {0, 1000}, {1, 2}, "a"));
        batch.series.back().labels = code;
    }
    batch.series.push_back(series("e", Arm::baseline, {0, 1000}, {0, 0}, "a"));
    EXPECT_EQ(service_series(batch, {.bad = "e", .total = "n"}).size(), 3U);

    // One is followed until it falls silent, then the other; whatever their values.
    Batch twice;
    twice.series = {
        series("n", Arm::baseline, {0, 1000, 2000, 3000}, {10, 20, 30, 40}, "a"),
        series("n", Arm::baseline, {300, 1300, 2300, 3300, 4300, 5300, 6300}, {11, 21, 31, 41, 51, 61, 71}, "a"),
        series("e", Arm::baseline, {0}, {0}, "a")};
    twice.series[0].replica = "one";
    twice.series[1].replica = "two";
    const auto found = service_series(twice, {.bad = "e", .total = "n"});
    ASSERT_EQ(found.size(), 2U);
    EXPECT_EQ(found[0].series.times_ms, (std::vector<std::int64_t>{0, 1000, 2000, 3000, 3300, 4300, 5300, 6300}));
    EXPECT_EQ(found[0].series.values, (std::vector<double>{10, 20, 30, 40, 41, 51, 61, 71}));
    EXPECT_EQ(found[0].series.instance, "a");
}

TEST(ServiceSeries, AProcessThatBeganWhileItWasWatchedCountsFromZero) {
    Batch batch;
    batch.series = {series("n", Arm::baseline, {0, 60'000, 120'000}, {1000, 1100, 1200}, "a"),
                    series("e", Arm::baseline, {60'000, 120'000}, {70, 71}, "a"),
                    // It begins again, and comes far in a minute.
                    series("n", Arm::baseline, {0, 60'000, 120'000}, {900, 950, 800}, "b"),
                    // It runs since before anything was watched.
                    series("e", Arm::baseline, {60'000, 120'000}, {500, 501}, "b")};
    batch.series[1].series.starts_ms = {5'000, 5'000};
    batch.series[2].series.starts_ms = {0, 0, 61'000};
    batch.series[3].series.starts_ms = {-5'000, -5'000};
    ServiceNames names{.bad = "e", .total = "n"};
    const auto found = service_series(batch, names);
    ASSERT_EQ(found.size(), 4U);
    EXPECT_EQ(found[0].series.times_ms.size(), 3U);
    EXPECT_EQ(found[1].series.times_ms, (std::vector<std::int64_t>{60'000, 120'000, 5'000}));
    EXPECT_EQ(found[1].series.values, (std::vector<double>{70, 71, 0}));
    EXPECT_EQ(found[2].series.times_ms, (std::vector<std::int64_t>{0, 60'000, 120'000, 61'000}));
    EXPECT_EQ(found[2].series.values.back(), 0);
    EXPECT_EQ(found[3].series.times_ms.size(), 2U);
    for (const slo::ServiceSeries& of : found) EXPECT_TRUE(of.series.starts_ms.empty());
    // And so it is burnt: 71 of the first process, of the second what it counted since.
    slo::BurnRate burn({.budget = 0.1, .windows = {std::chrono::minutes(2)}});
    for (const slo::ServiceSeries& of : found) {
        const std::size_t at = burn.add_series(of.role, of.kind, of.series.instance);
        burn.add(at, of.series.times_ms, of.series.values);
    }
    const auto windows = burn.at(from_ms(120'000));
    ASSERT_EQ(windows.size(), 1U);
    EXPECT_EQ(windows[0].bad, 71 + 1);
    EXPECT_EQ(windows[0].total, 200 + 50 + 800);
    // Prometheus does not know it.
    names.start_times = false;
    for (const slo::ServiceSeries& of : service_series(batch, names)) EXPECT_LE(of.series.times_ms.size(), 3U);
}

TEST(ServiceSeries, OfAHistogramTheBucketThatIsMeant) {
    Batch batch;
    for (const double le : {0.1, 0.3, 1.0}) {
        batch.series.push_back(series("t", Arm::baseline, {0, 1000}, {0, 100 * le}));
        batch.series.back().le = le;
    }
    batch.series.push_back(series("n", Arm::baseline, {0, 1000}, {0, 100}));
    const auto found = service_series(batch, {.good = "t", .total = "n", .le = 0.3});
    ASSERT_EQ(found.size(), 2U);
    EXPECT_EQ(found[0].series.values, (std::vector<double>{0, 30}));
}

TEST(ServiceSeries, MoreGoodThanAllIsRefused) {
    Batch batch;
    std::vector<std::int64_t> times;
    std::vector<double> good, all;
    for (int i = 0; i < 40; ++i) {
        times.push_back(60'000 * i);
        good.push_back(1008 * i);
        all.push_back(1000 * i);
    }
    batch.series = {series("ok", Arm::baseline, times, good), series("all", Arm::baseline, times, all)};
    const std::string said = refused(batch, {.good = "ok", .total = "all"}, Code::argument_count);
    for (const char* part :
         {"--good: \"ok\" has counted ", "\"all\" ", " by 1970-01-01T00:", "at most as many good events as all"})
        EXPECT_NE(said.find(part), std::string::npos) << said;
    // As many, counted a scrape apart, are as many.
    for (std::size_t i = 0; i < times.size(); ++i) good[i] = all[i] + (i % 2 == 1 ? 500 : 0);
    good.back() = all.back();
    batch.series = {series("ok", Arm::baseline, times, good), series("all", Arm::baseline, times, all)};
    EXPECT_EQ(service_series(batch, {.good = "ok", .total = "all"}).size(), 2U);
}

TEST(ServiceSeries, CountsAreNoCounters) {
    std::vector<slo::ServiceSeries> all(1);
    all[0].role = slo::Role::total;
    for (int i = 0; i < 60; ++i) {
        all[0].series.times_ms.push_back(i);
        all[0].series.values.push_back(i < 30 ? 10 * i : 10 * (i - 30));  // one restart
    }
    EXPECT_FALSE(counts_for_counter(all));
    for (std::size_t i = 0; i < 60; ++i) all[0].series.values[i] = 1000 + static_cast<double>(i * 37 % 11);
    const auto found = counts_for_counter(all);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->role, slo::Role::total);
    EXPECT_EQ(found->steps, 59);
    EXPECT_GE(found->falls, 12);
    all[0].kind = slo::SeriesKind::delta;
    EXPECT_FALSE(counts_for_counter(all));
}

/// Counters of one target by label sets, a sample a minute; each grows as it is told to.
Batch paths(const std::vector<std::pair<std::string, std::vector<double>>>& growth,
            const std::string& instance = "pod-1") {
    Batch batch;
    for (const auto& [labels, steps] : growth) {
        std::vector<std::int64_t> times{0};
        std::vector<double> values{0};
        for (const double more : steps) {
            times.push_back(times.back() + 60'000);
            values.push_back(values.back() + more);
        }
        batch.series.push_back(series("n", Arm::canary, times, values, instance));
        batch.series.back().labels = labels;
    }
    batch.series.push_back(series("e", Arm::canary, {0, 60'000}, {0, 0}, instance));
    return batch;
}

TEST(EqualSeries, OneTargetThatIsReadTwiceIsNamed) {
    const ServiceNames names{.bad = "e", .total = "n"};
    const std::vector<double> busy{100, 130, 90}, other{100, 131, 90};
    const auto found = equal_series(paths({{R"({collector="a"})", busy}, {R"({collector="b"})", busy}}), names);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->series, R"(n{collector="a"} of pod-1)");
    EXPECT_EQ(found->other, R"(n{collector="b"} of pod-1)");
    EXPECT_EQ(found->arm, Arm::canary);
    // One that was read less often, or ended before, is the same.
    Batch gaps = paths({{"{x=\"1\"}", {100, 130, 90, 80}}, {"{x=\"2\"}", {100, 130, 90, 80}}});
    gaps.series[1].series.times_ms.erase(gaps.series[1].series.times_ms.begin() + 2);
    gaps.series[1].series.values.erase(gaps.series[1].series.values.begin() + 2);
    EXPECT_TRUE(equal_series(gaps, names));

    EXPECT_FALSE(equal_series(paths({{"{p=\"/\"}", busy}, {"{p=\"/x\"}", other}}), names));
    EXPECT_FALSE(equal_series(paths({{"", busy}}), names));
    // Of two instances each has its own; few events agree by chance until ten steps agree.
    Batch pods = paths({{"", busy}});
    pods.series.push_back(paths({{"", busy}}, "pod-2").series.front());
    EXPECT_FALSE(equal_series(pods, names));
    std::vector<double> few{1, 0, 2, 1, 0, 0, 1, 3, 0};
    EXPECT_FALSE(equal_series(paths({{"{p=\"1\"}", few}, {"{p=\"2\"}", few}}), names));
    few.push_back(1);
    EXPECT_TRUE(equal_series(paths({{"{p=\"1\"}", few}, {"{p=\"2\"}", few}}), names));
    // What stands still, or goes on for ever alike, says nothing.
    const std::vector<double> still(20, 0), even(20, 100);
    EXPECT_FALSE(equal_series(paths({{"{p=\"1\"}", still}, {"{p=\"2\"}", still}}), names));
    EXPECT_FALSE(equal_series(paths({{"{p=\"1\"}", even}, {"{p=\"2\"}", even}}), names));
    // Two of many paths may agree.
    EXPECT_FALSE(equal_series(paths({{"{p=\"1\"}", busy},
                                     {"{p=\"2\"}", busy},
                                     {"{p=\"3\"}", other},
                                     {"{p=\"4\"}", {7, 8, 9}},
                                     {"{p=\"5\"}", few}}),
                              names));
}

TEST(EqualSeries, OfCountsAsOfCounters) {
    const ServiceNames names{.bad = "e", .total = "n", .kind = slo::SeriesKind::delta};
    const std::vector<double> growth{60, 70, 80};
    EXPECT_TRUE(equal_series(paths({{"{p=\"1\"}", growth}, {"{p=\"2\"}", growth}}), names));
    EXPECT_FALSE(equal_series(paths({{"{p=\"1\"}", growth}, {"{p=\"2\"}", {60, 70, 81}}}), names));
}

}  // namespace
}  // namespace serinus
