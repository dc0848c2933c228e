#include <algorithm>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <limits>
#include <map>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/core/reason.hpp>
#include <serinus/fixed/label_swap.hpp>

#include "support/code_of.hpp"
#include "support/draws.hpp"
#include "support/reference.hpp"

namespace {

using namespace serinus;
using namespace support;
using Values = std::vector<double>;
constexpr double infinity = std::numeric_limits<double>::infinity();
const double nan_value = std::nan("");

/// Metrics and the memory that they lie in.
struct Metrics {
    std::vector<std::pair<Values, Values>> kept;
    std::vector<LabelSwapMetric> given;

    LabelSwapMetric& add(std::string name, Values baseline, Values canary) {
        kept.reserve(64);
        kept.emplace_back(std::move(baseline), std::move(canary));
        given.push_back({std::move(name), kept.back().first, kept.back().second});
        return given.back();
    }
};

bool says(const LabelSwapResult& found, Code code, std::string_view metric = "") {
    return std::any_of(found.reasons.begin(), found.reasons.end(),
                       [&](const Reason& reason) { return reason.code == code && reason.metric == metric; });
}

Values moved(Values values, double by, double from = 0, double to = 1) {
    const auto n = static_cast<double>(values.size());
    for (std::size_t t = 0; t < values.size(); ++t)
        if (double(t) >= from * n && double(t) < to * n) values[t] += by;
    return values;
}

// The same looks in NumPy, by matrices and sorting (tools/reference/label_swap.py).
TEST(LabelSwap, AgreesWithTheReference) {
    const nlohmann::json file = reference::parsed("fixed/label_swap.json");
    int fails = 0;
    for (const auto& one : file["cases"]) {
        SCOPED_TRACE(one.dump().substr(0, 300));
        Metrics metrics;
        for (const auto& [name, given] : one["inputs"]["metrics"].items()) {
            LabelSwapMetric& metric =
                metrics.add(name, reference::numbers(given["baseline"]), reference::numbers(given["canary"]));
            const bool of_ratio = given.value("ratio", true);
            const auto margin = [&](const char* key) {
                return of_ratio ? Margin{.ratio = given[key], .difference = {}}
                                : Margin{.ratio = {}, .difference = given[key]};
            };
            metric.harm = parse_word<Harm>(given.value("harm", "increase"));
            metric.margin = margin("margin");
            metric.detect = margin("detect");
            metric.weight = given.value("weight", 1.0);
        }
        const auto& options = one["options"];
        const auto found = label_swap_test(
            metrics.given,
            {.alpha = options["alpha"], .resamples = options["resamples"].get<std::size_t>(), .seed = options["seed"]});
        const auto& expected = one["outputs"];
        EXPECT_EQ(word(found.verdict), expected["verdict"].get<std::string>());
        EXPECT_NEAR(found.p_value, expected["p_value"].get<double>(), 1e-14);
        EXPECT_NEAR(found.allowed, expected["allowed"].get<double>(), 1e-14);
        EXPECT_EQ(found.healed, expected["healed"].get<bool>());
        ASSERT_TRUE(found.group);
        const std::string why = *found.group == SwapGroup::outliers ? "far outliers"
                                : *found.group == SwapGroup::together
                                    ? "level of all metrics"
                                    : std::string(word(*found.group)) + " of " + found.metric;
        // Where all together look worst and one is enough by itself, Serinus names that one.
        if (expected["why"] == "level of all metrics" && found.verdict == Verdict::fail) {
            EXPECT_EQ(why, "level of a");
        } else {
            EXPECT_EQ(why, expected["why"].get<std::string>());
        }
        fails += found.verdict == Verdict::fail ? 1 : 0;
        for (const LabelSwapLevel& level : found.metrics) {
            const Values ends = reference::numbers(expected["intervals"][level.metric]);
            const double size = std::max(1.0, *std::max_element(ends.begin(), ends.end()));
            EXPECT_NEAR(level.whole.lower, ends[0], 1e-6 * size);
            EXPECT_NEAR(level.whole.upper, ends[1], 1e-6 * size);
            EXPECT_NEAR(level.last_third.lower, ends[2], 1e-6 * size);
            EXPECT_NEAR(level.last_third.upper, ends[3], 1e-6 * size);
        }
    }
    EXPECT_GT(fails, 15);
    EXPECT_GT(file["cases"].size(), 40U);
}

// 180 labelled canaries of a published board (data/judges/README.md); Kayenta's rule finds 38 of 120 and has 98 right.
TEST(LabelSwap, JudgesThePublishedBoard) {
    std::ifstream file(data_dir() + "/judges/original-180.json");
    const nlohmann::json canaries = nlohmann::json::parse(file);
    ASSERT_EQ(canaries.size(), 180U);
    for (const std::uint64_t seed : {1U, 2U}) {
        int right = 0, false_positives = 0, healed = 0;
        for (const auto& canary : canaries) {
            Metrics metrics;
            for (const auto& [name, arms] : canary["metrics"].items())
                metrics.add(name, reference::numbers(arms["control"]), reference::numbers(arms["experiment"]));
            const auto found = label_swap_test(metrics.given, {.detect = Margin{.ratio = 1.25}, .seed = seed});
            const bool fail = found.verdict == Verdict::fail;
            if (canary["family"] == "healed_transient") {
                healed += fail && found.healed ? 1 : 0;
                continue;
            }
            EXPECT_FALSE(found.healed);
            right += fail == (canary["truth"] == "FAIL") ? 1 : 0;
            false_positives += fail && canary["truth"] == "PASS" ? 1 : 0;
        }
        EXPECT_EQ(right, 159);
        EXPECT_EQ(false_positives, 1);
        EXPECT_EQ(healed, 20);
    }
}

TEST(LabelSwap, SaysWhatItFound) {
    const Values b = draw(31, 1, 100), c = draw(31, 2, 100);
    const LabelSwapOptions options{.detect = Margin{.ratio = 1.05}, .seed = 1};
    const auto good = label_swap_test(b, c, options);
    EXPECT_EQ(good.verdict, Verdict::pass);
    EXPECT_TRUE(says(good, Code::look_clear));
    EXPECT_EQ(good.resamples, 1999U);
    EXPECT_EQ(good.metrics.at(0).n, 31);
    EXPECT_NEAR(good.metrics[0].whole.confidence, 0.9, 1e-15);
    EXPECT_TRUE(holds(good.metrics[0].whole, 1));

    const auto level = label_swap_test(b, moved(c, 3), options);
    EXPECT_EQ(level.verdict, Verdict::fail);
    EXPECT_TRUE(says(level, Code::look_harm));
    EXPECT_EQ(sentence(level.reasons.front()).find("the canary is worse than the margin allows in its level"), 0U);

    const auto late = label_swap_test(b, moved(c, 4, 0.75), options);
    EXPECT_EQ(late.verdict, Verdict::fail);
    EXPECT_EQ(late.group, SwapGroup::late);
    EXPECT_FALSE(late.healed);

    const auto over = label_swap_test(b, moved(c, 8, 0, 0.5), options);
    EXPECT_EQ(over.verdict, Verdict::fail);
    EXPECT_TRUE(over.healed);
    EXPECT_TRUE(says(over, Code::look_healed));

    Values spread = c;
    for (double& value : spread) value = 100 + 4 * (value - 100);
    const auto wide = label_swap_test(b, spread, options);
    EXPECT_EQ(wide.verdict, Verdict::fail);
    EXPECT_TRUE(wide.group == SwapGroup::spread || wide.group == SwapGroup::upper);

    Values spikes = c;
    for (const std::size_t at : {3U, 12U, 13U, 27U}) spikes[at] += 80;
    const auto far = label_swap_test(b, spikes, options);
    EXPECT_EQ(far.verdict, Verdict::fail);
    EXPECT_EQ(far.group, SwapGroup::outliers);
    EXPECT_EQ(far.metrics[0].outliers, 4);
    EXPECT_NEAR(far.allowed, 0.005, 1e-15);
    EXPECT_EQ(sentence(far.reasons.front()), "far out are 4 of the canary's 31 readings, and none of the baseline's");

    Values one = c;
    one[9] += 80;
    const auto open = label_swap_test(b, one, options);
    EXPECT_EQ(open.verdict, Verdict::inconclusive);
    EXPECT_TRUE(says(open, Code::look_outliers_open));

    EXPECT_TRUE(says(label_swap_test(b, c), Code::look_without_detect));
    const auto fine = label_swap_test(b, c, {.detect = Margin{.ratio = 1.0001}, .seed = 1});
    EXPECT_EQ(fine.verdict, Verdict::inconclusive);
    EXPECT_TRUE(says(fine, Code::look_level_open));
    EXPECT_NE(label_swap_test(b, moved(c, 1), {.margin = {.ratio = 1.05}}).verdict, Verdict::fail);
}

TEST(LabelSwap, SeveralMetricsShareTheSwaps) {
    Metrics metrics;
    metrics.add("latency", draw(31, 1, 100), draw(31, 2, 100));
    metrics.add("memory", draw(31, 3, 50), moved(draw(31, 4, 50), 3));
    metrics.add("errors", draw(31, 5, 9), draw(31, 6, 9));
    const auto found = label_swap_test(metrics.given, {.seed = 5});
    EXPECT_EQ(found.verdict, Verdict::fail);
    EXPECT_EQ(found.metric, "memory");
    EXPECT_EQ(found.group, SwapGroup::level);
    std::swap(metrics.given[0], metrics.given[2]);
    const auto turned = label_swap_test(metrics.given, {.seed = 5});
    EXPECT_EQ(turned.p_value, found.p_value);
    EXPECT_NEAR(turned.allowed, found.allowed, 1e-15);
    EXPECT_EQ(turned.metric, "memory");
    // A little in each of three is more than a little in one.
    Metrics little;
    for (std::uint64_t i = 0; i < 3; ++i)
        little.add("m" + std::to_string(i), draw(31, 20 + i, 100), moved(draw(31, 30 + i, 100), 0.6));
    const auto together = label_swap_test(little.given, {.seed = 5});
    EXPECT_EQ(together.group, SwapGroup::together);
    EXPECT_EQ(together.metric.size(), 2U);  // the one that looks worst
    // One that cannot be judged stands in the way of a pass, not of a fail.
    metrics.add("idle", Values(31, 0.0), draw(31, 7));
    metrics.add("short", Values(31, nan_value), draw(31, 8));
    const auto partly = label_swap_test(metrics.given, {.seed = 5});
    EXPECT_EQ(partly.verdict, Verdict::fail);
    EXPECT_TRUE(says(partly, Code::look_no_ratio, "idle"));
    EXPECT_TRUE(says(partly, Code::look_few_intervals, "short"));
    EXPECT_NEAR(partly.allowed, 0.05 * 3 / 5, 1e-15);
    EXPECT_EQ(partly.metrics.size(), 5U);
    EXPECT_EQ(partly.metrics[4].n, 0);
}

TEST(LabelSwap, UnitsAndDirections) {
    const Margin none{.ratio = {}, .difference = 0.0};
    std::mt19937_64 random(8);
    for (int kind = 0; kind < 3; ++kind) {
        const Values b = draw(40, kind, random), c = moved(draw(40, kind, random), kind == 1 ? 1 : 1.5);
        const auto found = label_swap_test(b, c, {.margin = none, .seed = 2});
        Values minus_b = b, minus_c = c;
        for (auto* values : {&minus_b, &minus_c})
            for (double& value : *values) value = -value;
        const auto mirror = label_swap_test(minus_b, minus_c, {.harm = Harm::decrease, .margin = none, .seed = 2});
        EXPECT_EQ(mirror.p_value, found.p_value);
        EXPECT_EQ(mirror.verdict, found.verdict);
        EXPECT_NEAR(mirror.metrics[0].whole.lower, -found.metrics[0].whole.upper, 1e-6);
        EXPECT_NEAR(label_swap_test(c, b, {.margin = none}).metrics[0].estimate, -found.metrics[0].estimate, 1e-6);
        // Whole steps, so that the shift rounds nothing.
        if (kind == 1 || kind == 2) {
            EXPECT_EQ(label_swap_test(moved(b, 64), moved(c, 64), {.margin = none, .seed = 2}).p_value, found.p_value);
        }
        for (const double unit : {0x1p-1060, 0x1p-30, 0x1p7, 0x1p1010}) {
            Values scaled_b = b, scaled_c = c;
            for (double& value : scaled_b) value *= unit;
            for (double& value : scaled_c) value *= unit;
            if (unit < 1e-300 && scaled_b[0] / unit != b[0]) continue;  // bits lost below the smallest number
            const auto scaled = label_swap_test(scaled_b, scaled_c, {.margin = none, .seed = 2});
            EXPECT_EQ(scaled.p_value, found.p_value);
            EXPECT_EQ(scaled.metrics[0].whole.upper, found.metrics[0].whole.upper * unit);
            if (kind == 0) {
                EXPECT_EQ(label_swap_test(scaled_b, scaled_c, {.seed = 2}).metrics[0].estimate,
                          label_swap_test(b, c, {.seed = 2}).metrics[0].estimate);
            }
        }
    }
    // Worse is never better: the canary goes up, p comes down, in steps that are beyond the noise.
    const Values b = draw(31, 50, 100), c = draw(31, 51, 100);
    double last = 2;
    for (const double by : {-2.0, 0.0, 2.0}) {
        const auto found = label_swap_test(b, moved(c, by), {.seed = 1});
        EXPECT_LT(found.p_value, last);
        last = found.p_value;
    }
    EXPECT_EQ(label_swap_test(b, moved(c, -3), {.detect = Margin{.ratio = 1.1}, .seed = 1}).verdict, Verdict::pass);
    EXPECT_EQ(label_swap_test(b, moved(c, -3), {.harm = Harm::decrease}).verdict, Verdict::fail);
    EXPECT_EQ(label_swap_test(b, moved(c, -3), {.harm = Harm::either}).verdict, Verdict::fail);
    EXPECT_EQ(label_swap_test(b, moved(c, 3), {.harm = Harm::either}).verdict, Verdict::fail);
}

TEST(LabelSwap, GapsAreLeftOut) {
    Values b = draw(31, 60, 100), c = moved(draw(31, 61, 100), 2);
    for (const std::size_t at : {0U, 7U, 30U}) b[at] = nan_value;
    c[8] = nan_value;
    const auto found = label_swap_test(b, c, {.detect = Margin{.ratio = 1.1}});
    EXPECT_EQ(found.metrics[0].n, 27);
    EXPECT_EQ(found.verdict, Verdict::fail);
}

TEST(LabelSwap, TooLittleIsAValue) {
    const Values eleven = draw(11, 1, 100);
    for (const Values& values : {Values{}, Values{1.0}, eleven}) {
        const auto found = label_swap_test(values, values);
        EXPECT_EQ(found.verdict, Verdict::inconclusive);
        EXPECT_EQ(found.p_value, 1);
        EXPECT_FALSE(found.group);
        EXPECT_TRUE(says(found, Code::look_few_intervals));
        EXPECT_TRUE(std::isinf(found.metrics.at(0).whole.upper));
    }
    const auto zeros = label_swap_test(Values(20, 0.0), draw(20, 2, 5));
    EXPECT_EQ(zeros.verdict, Verdict::inconclusive);
    EXPECT_EQ(sentence(zeros.reasons.at(0)),
              "the baseline's median is 0, to which there is no ratio: give the margin as a difference");
    const Margin none{.ratio = {}, .difference = 0.0};
    EXPECT_EQ(label_swap_test(Values(20, 0.0), draw(20, 2, 5), {.margin = none}).verdict, Verdict::fail);
    // Both arms constant and alike: nothing is found, and a level of 1 exactly passes.
    const auto flat = label_swap_test(Values(20, 0.1), Values(20, 0.1), {.detect = Margin{.ratio = 1.1}});
    EXPECT_EQ(flat.verdict, Verdict::pass);
    EXPECT_EQ(flat.p_value, 1);
    EXPECT_NEAR(flat.metrics[0].estimate, 1, 1e-8);
}

TEST(LabelSwap, RefusesWhatCannotBe) {
    const Values b = draw(20, 1, 100), c = draw(20, 2, 100);
    const auto with = [&](const LabelSwapOptions& options) { return code_of([&] { label_swap_test(b, c, options); }); };
    EXPECT_EQ(code_of([&] { label_swap_test(b, draw(19, 2)); }), Code::argument_length);
    EXPECT_EQ(code_of([&] { label_swap_test(std::vector<LabelSwapMetric>{}); }), Code::argument_range);
    for (const double alpha : {0.0, -1.0, 0.6, nan_value}) EXPECT_EQ(with({.alpha = alpha}), Code::argument_range);
    for (const std::size_t resamples : {0U, 99U, 1'000'001U})
        EXPECT_EQ(with({.resamples = resamples}), Code::argument_range);
    EXPECT_EQ(with({.margin = {.ratio = 0.9}}), Code::argument_margin);
    EXPECT_EQ(with({.margin = {}}), Code::argument_margin);
    EXPECT_EQ(with({.margin = {.ratio = {}, .difference = -1.0}}), Code::argument_margin);
    EXPECT_EQ(with({.detect = Margin{.ratio = 1.0}}), Code::none);
    EXPECT_EQ(with({.detect = Margin{.ratio = 1.1}, .margin = {.ratio = 1.2}}), Code::argument_margin);
    EXPECT_EQ(with({.detect = Margin{.ratio = {}, .difference = 3.0}}), Code::argument_margin);
    EXPECT_EQ(with({.margin = {.ratio = 1.1, .difference = {}, .floor = 0.1}}), Code::argument_margin);
    Values broken = c;
    broken[4] = infinity;
    EXPECT_EQ(code_of([&] { label_swap_test(b, broken); }), Code::argument_infinite);
    broken[4] = nan_value;
    EXPECT_EQ(code_of([&] { label_swap_test(b, broken); }), Code::none);
    EXPECT_EQ(code_of([&] { label_swap_test(b, broken, {.nan_policy = NanPolicy::error}); }), Code::argument_nan);
    Metrics metrics;
    metrics.add("a", b, c);
    metrics.add("b", draw(21, 1), draw(21, 2));
    EXPECT_EQ(code_of([&] { label_swap_test(metrics.given); }), Code::argument_length);
    metrics.given[1] = metrics.given[0];
    metrics.given[1].weight = 0;
    try {
        label_swap_test(metrics.given);
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), Code::argument_range);
        EXPECT_NE(std::string(error.what()).find("weight of \"a\" is 0; allowed: above 0"), std::string::npos);
    }
}

}  // namespace
