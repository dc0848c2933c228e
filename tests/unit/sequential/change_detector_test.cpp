#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include <serinus/sequential/change_detector.hpp>
#include <serinus/sequential/noise/learn_paired_noise.hpp>
#include <serinus/sequential/paired.hpp>
#include <serinus/sequential/proportion.hpp>
#include <serinus/sequential/rate.hpp>

#include "support/code_of.hpp"

namespace serinus::sequential {
namespace {

constexpr Margin ratio(double value) { return {.ratio = value, .difference = {}}; }

struct Pair {
    Rate baseline, canary;
};

std::vector<Pair> events(double rate_b, double rate_c, int count, unsigned seed) {
    std::mt19937_64 random(seed);
    std::poisson_distribution<std::int64_t> b(rate_b), c(rate_c);
    std::vector<Pair> pairs;
    for (int i = 0; i < count; ++i) {
        const std::int64_t x_b = b(random), x_c = c(random);
        pairs.push_back({{x_b, 1.5}, {x_c, 1.5}});
    }
    return pairs;
}

// Against the definition: the sum of the e-values of tests begun at every interval so far.
TEST(ChangeDetector, IsTheSumOfTestsBegunAtEveryInterval) {
    for (const Harm harm : {Harm::increase, Harm::decrease, Harm::either}) {
        const RateOptions options{.harm = harm, .margin = ratio(1.2)};
        ChangeDetector detector(RateTest(options), {.run_length = 1e6});
        EXPECT_EQ(detector.log_statistic(), -std::numeric_limits<double>::infinity());
        std::vector<RateTest> begun;
        for (const Pair& pair : events(3, 4, 60, 1)) {
            begun.emplace_back(options);
            double sum = 0;
            for (RateTest& test : begun) {
                test.update(pair.baseline, pair.canary);
                sum += std::exp(test.log_e_value());
            }
            detector.update(pair.baseline, pair.canary);
            // Rounding of sixty additions of numbers that differ by orders of magnitude.
            ASSERT_NEAR(detector.log_statistic(), std::log(sum), 1e-12 * (1 + std::fabs(std::log(sum))));
        }
        EXPECT_EQ(detector.intervals(), 60);
    }
}

// One recursion a node, R = (R + 1) L, averaged: written out for RateTest.
TEST(ChangeDetector, IsOneShiryaevRobertsRecursionANode) {
    ChangeDetector detector(RateTest({.margin = ratio(1.5), .interval = false}), {.run_length = 500});
    const AnchoredPrior prior;
    std::vector<double> r(AnchoredPrior::size);
    std::mt19937_64 random(2);
    for (int i = 0; i < 80; ++i) {
        const auto x_b = static_cast<std::int64_t>(random() % 8), x_c = static_cast<std::int64_t>(random() % 4);
        detector.update(Rate{x_b, 800.0}, Rate{x_c, 200.0});
        const double q = 1.5 * 200 / (1.5 * 200 + 800);
        double mean = 0;
        for (std::size_t j = 0; j < r.size(); ++j) {
            const double delta = prior.distance[j];
            r[j] = (r[j] + 1) * std::exp(static_cast<double>(x_c) * delta -
                                         static_cast<double>(x_b + x_c) * std::log1p(q * std::expm1(delta)));
            mean += std::exp(prior.log_weight[j]) * r[j];
        }
        ASSERT_NEAR(detector.log_statistic(), std::log(mean), 1e-11);
    }
}

// The proof's inequality, by enumeration: given any past, the expected statistic is at most the last one plus 1.
TEST(ChangeDetector, GrowsByAtMostOneAnIntervalWhileAllIsWell) {
    ChangeDetector detector(ProportionTest({.margin = ratio(1.5), .interval = false}), {.run_length = 500});
    for (int step = 0; step < 6; ++step) {
        const double before = step == 0 ? 0 : std::exp(detector.log_statistic());
        for (const double p_b : {0.05, 0.3, 0.6}) {
            double mean = 0;
            const auto binomial = [](int n, int k, double p) {
                return std::exp(std::lgamma(n + 1.0) - std::lgamma(k + 1.0) - std::lgamma(n - k + 1.0)) *
                       std::pow(p, k) * std::pow(1 - p, n - k);
            };
            for (int x_b = 0; x_b <= 8; ++x_b) {
                for (int x_c = 0; x_c <= 4; ++x_c) {
                    auto next = detector;
                    next.update(Proportion{x_b, 8}, Proportion{x_c, 4});
                    mean += binomial(8, x_b, p_b) * binomial(4, x_c, 1.5 * p_b) * std::exp(next.log_statistic());
                }
            }
            EXPECT_LE(mean, before + 1 + 1e-12);
        }
        detector.update(Proportion{step % 3, 8}, Proportion{(step * 2) % 5, 4});
    }
}

TEST(ChangeDetector, FindsAChangeLongAfterTheStart) {
    ChangeDetector detector(RateTest({.margin = ratio(1.5), .interval = false}), {.run_length = 2000});
    for (const Pair& pair : events(4, 4, 1500, 3)) detector.update(pair.baseline, pair.canary);
    EXPECT_FALSE(detector.alarmed());
    for (const Pair& pair : events(4, 16, 30, 4)) detector.update(pair.baseline, pair.canary);
    EXPECT_TRUE(detector.alarmed());
    EXPECT_GT(detector.alarm(), 1500);
    EXPECT_LE(detector.alarm(), 1510);
    const std::int64_t alarm = detector.alarm();
    for (const Pair& pair : events(4, 4, 300, 5)) detector.update(pair.baseline, pair.canary);
    EXPECT_EQ(detector.alarm(), alarm);  // it stays
    detector.reset();
    EXPECT_FALSE(detector.alarmed());
    EXPECT_EQ(
        encode(detector.state()),
        encode(ChangeDetector(RateTest({.margin = ratio(1.5), .interval = false}), {.run_length = 2000}).state()));
}

TEST(ChangeDetector, WorksWithBlocksAndGauges) {
    ChangeDetector block(ProportionTest({.margin = {.ratio = {}, .difference = 0.01}, .interval = false}),
                         {.run_length = 1000});
    for (int i = 0; i < 200; ++i) block.update(Proportion{2, 200}, Proportion{2 + i % 2, 200});
    EXPECT_FALSE(block.alarmed());
    for (int i = 0; i < 40; ++i) block.update(Proportion{2, 200}, Proportion{20, 200});
    EXPECT_TRUE(block.alarmed());

    std::mt19937_64 random(6);
    std::normal_distribution<double> law(0, 3);
    std::vector<double> history(2000);
    for (double& d : history) d = law(random);
    PairedOptions options{.margin = {.ratio = {}, .difference = 0.5}, .interval = false};
    options.noise =
        std::make_shared<const PairedNoise>(paired_noise(std::vector<std::vector<double>>{history}, 0, false));
    ChangeDetector gauge(PairedTest(options), {.run_length = 1000});
    for (int i = 0; i < 300; ++i) gauge.update(law(random));
    EXPECT_FALSE(gauge.alarmed());
    for (int i = 0; i < 60; ++i) gauge.update(law(random) + 5);
    EXPECT_TRUE(gauge.alarmed());
    EXPECT_LE(encode(gauge.state()).size(), 8192U);
}

TEST(ChangeDetector, DefaultIsThirtyDaysOfIntervals) {
    EXPECT_EQ(ChangeDetector(RateTest()).run_length(), 43200);
    EXPECT_EQ(ChangeDetector(RateTest(), {.interval_seconds = 10}).run_length(), 259200);
    EXPECT_EQ(ChangeDetector(RateTest(), {.run_length = 100}).run_length(), 100);
    EXPECT_DOUBLE_EQ(ChangeDetector(RateTest(), {.run_length = 100}).log_needed(), std::log(100.0));
}

TEST(ChangeDetector, StateRoundTripsToTheBitAndBadOnesAreRefused) {
    using Detector = ChangeDetector<RateTest>;
    const auto fresh = [] { return Detector(RateTest({.margin = ratio(1.5)}), {.run_length = 300}); };
    Detector whole = fresh(), first = fresh();
    const auto data = events(4, 7, 80, 7);
    for (std::size_t i = 0; i < data.size(); ++i) {
        whole.update(data[i].baseline, data[i].canary);
        if (i % 20 == 0) {
            Detector next = fresh();
            next.restore(decode<ChangeState<RateState>>(encode(first.state())));
            first = next;
        }
        first.update(data[i].baseline, data[i].canary);
    }
    EXPECT_EQ(encode(first.state()), encode(whole.state()));
    EXPECT_EQ(first.alarm(), whole.alarm());
    EXPECT_LE(encode(first.state()).size(), 4096U);
    const auto before = encode(first.state());
    const auto restore = [&](const auto& spoil) {
        auto state = first.state();
        spoil(state);
        const Code code = code_of([&] { first.restore(state); });
        EXPECT_EQ(encode(first.state()), before);
        return code;
    };
    EXPECT_EQ(restore([](auto& s) { s.run_length = 200; }), Code::state_options);
    EXPECT_EQ(restore([](auto& s) { s.test.alpha = 0.2; }), Code::state_options);
    EXPECT_EQ(restore([](auto& s) { s.intervals = -1; }), Code::state_invariant);
    EXPECT_EQ(restore([](auto& s) { s.alarm = s.intervals + 1; }), Code::state_invariant);
    EXPECT_EQ(restore([](auto& s) { s.log_statistic = std::nan(""); }), Code::state_invariant);
    EXPECT_EQ(restore([](auto& s) { s.test.log_mass.clear(); }), Code::state_invariant);
    EXPECT_EQ(restore([](auto&) {}), Code::none);
}

TEST(ChangeDetector, BadInputIsRefusedAndChangesNothing) {
    for (const double run_length : {0.5, -1.0, std::nan(""), std::numeric_limits<double>::infinity()})
        EXPECT_EQ(code_of([&] { ChangeDetector detector(RateTest(), {.run_length = run_length}); }),
                  Code::argument_range);
    for (const double seconds : {0.0, -1.0, std::nan("")}) {
        EXPECT_EQ(code_of([&] { ChangeDetector detector(RateTest(), {.interval_seconds = seconds}); }),
                  Code::argument_range);
    }
    EXPECT_EQ(code_of([] { ChangeDetector detector(RateTest({.side = Side::safe})); }), Code::argument_word);
    ChangeDetector detector((RateTest()), {.run_length = 100});
    detector.update(Rate{1, 2}, Rate{3, 4});
    const auto before = encode(detector.state());
    EXPECT_EQ(code_of([&] { detector.update(Rate{-1, 2}, Rate{3, 4}); }), Code::argument_count);
    EXPECT_EQ(encode(detector.state()), before);
    detector.update(Rate{0, 0}, Rate{0, 0});  // time goes on without information
    EXPECT_EQ(detector.intervals(), 2);
}

// Columns at once are to the bit what one interval after the other is; nothing is taken when one is impossible.
TEST(ChangeDetector, ManyAreOneByOne) {
    const auto data = events(4, 7, 120, 9);
    std::vector<Rate> baseline, canary;
    std::vector<Proportion> requests_b, requests_c;
    for (const auto& interval : data) {
        baseline.push_back(interval.baseline);
        canary.push_back(interval.canary);
        requests_b.push_back({interval.baseline.events, 500});
        requests_c.push_back({interval.canary.events, 500});
    }
    ChangeDetector one(RateTest({.margin = ratio(1.5)}), {.run_length = 300}), many = one;
    for (std::size_t i = 0; i < baseline.size(); ++i) one.update(baseline[i], canary[i]);
    many.update_many(std::span<const Rate>(baseline), canary);
    EXPECT_EQ(encode(many.state()), encode(one.state()));
    EXPECT_EQ(many.alarm(), one.alarm());
    ChangeDetector single{ProportionTest()}, together = single;
    for (std::size_t i = 0; i < requests_b.size(); ++i) single.update(requests_b[i], requests_c[i]);
    together.update_many(requests_b, requests_c);
    EXPECT_EQ(encode(together.state()), encode(single.state()));
    ChangeDetector gauge{PairedTest()}, gauges = gauge;
    const std::vector<double> differences{0.3, -1, 2, std::nan(""), 0.5, 1, -2, 1, 3, 1, 2, 1, 1, 4};
    for (const double difference : differences) gauge.update(difference);
    gauges.update_many(differences);
    EXPECT_EQ(encode(gauges.state()), encode(gauge.state()));
    const auto before = encode(many.state());
    canary.back().events = -1;
    EXPECT_EQ(code_of([&] { many.update_many(baseline, canary); }), Code::argument_count);
    EXPECT_EQ(encode(many.state()), before);
    many.update_many(std::vector<Rate>{}, std::vector<Rate>{});
    EXPECT_EQ(encode(many.state()), before);
}

}  // namespace
}  // namespace serinus::sequential
